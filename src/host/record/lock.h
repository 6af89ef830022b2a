/* lock.h: one writer a record, across processes. The kernel drops the lock when its process ends, however. */
#ifndef RS_RECORD_LOCK_H
#define RS_RECORD_LOCK_H

#include <stdbool.h>

#include "rs/status.h"

#define RS_LOCK_PLACE ((off_t)1 << 62) /* the byte that is locked */

/* Locks `path` (made when `create`) for as long as *descriptor stays open. FAILED when another process has
 * it. */
rs_status rs_lock_take(const char *path, bool create, int *descriptor, rs_error *error);

/* Whether a process has it now; true where the file system does not say. Ask before looking at the file's mark of a
 * writer: a writer that closes in between then counts as alive, not as killed. */
bool rs_lock_is_held(const char *path);

#endif
