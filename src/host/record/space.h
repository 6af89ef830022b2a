/* space.h: room on the disk, before it is written to. */
#ifndef RS_RECORD_SPACE_H
#define RS_RECORD_SPACE_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "rs/status.h"

/* Refuses (IO, with both numbers) when `bytes` do not fit into the directory's disk; `path` is whom they are for. */
rs_status rs_space_check(const char *path, const char *directory, uint64_t bytes, rs_error *error);

/* What a file had reserved last; zeroed at first. */
typedef struct rs_reserved {
    int64_t size, end; /* the file's length by then; where its reserved bytes end */
} rs_reserved;

/* For whom room is taken, and what to do without any: a file's path and folder; with `wait` it is looked again every fifth of a
 * second, and said once a minute, until `given_up` or the signal `stop` (either may be NULL). */
typedef struct rs_room {
    const char *path, *directory;
    rs_reserved *reserved; /* while it is enough no more is asked for; NULL: always */
    bool wait;
    const volatile sig_atomic_t *stop;
    bool (*given_up)(void *context);
    void *context;
} rs_room;

/* Looks for `bytes` on the disk and reserves them behind the end of the open file, and `ahead`, which its writer has
 * handed out already without making it longer. IO where they are not there, INTERRUPTED. */
rs_status rs_space_take(const rs_room *room, int file, uint64_t ahead, uint64_t bytes, rs_error *error);
/* Gives back what is reserved behind the end of a file. */
void rs_space_release(int file);

#endif
