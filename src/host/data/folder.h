/* folder.h: the few file operations that fetching needs, with errors for users. */
#ifndef RS_DATA_FOLDER_H
#define RS_DATA_FOLDER_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rs/status.h"

/* Makes a folder and those above it. IO. */
rs_status rs__folder_create(const char *path, rs_error *error);

/* Removes the plain files of a folder, but for the one called `keep` (NULL: none), and the folder when it is empty then.
 * What it can't remove stays. */
void rs__folder_clear(const char *path, const char *keep);

/* Writes all bytes. IO, with a full disk named as such. */
rs_status rs__write_all(int file, const char *path, const void *bytes, size_t count, rs_error *error);

/* Flushes to the disk and closes, also after an error. */
rs_status rs__close_synced(int file, const char *path, rs_error *error);

/* Copies a file to a name that must not exist yet. DATA: the source is unreadable or larger than `most`. */
rs_status rs__copy_file(const char *from, const char *to, uint64_t most, rs_error *error);

rs_status rs__rename(const char *from, const char *to, rs_error *error);

/* IO, naming both numbers, when the disk of `folder` has less than `needed` bytes free. */
rs_status rs__need_space(const char *folder, uint64_t needed, rs_error *error);

/* Entries made and renamed in it are on the disk after this, where the file system can do that. */
void rs__folder_sync(const char *path);

/* Makes the folder and waits until no other process holds the lock in it. On file systems without locks it warns and goes
 * on. INTERRUPTED when *stop (`stop` may be NULL) becomes other than 0. *file is -1 or for rs__unlock, also after an
 * error. */
rs_status rs__lock(const char *folder, const volatile sig_atomic_t *stop, int *file, rs_error *error);
/* With `clear` the folder is removed with all plain files in it. */
void rs__unlock(const char *folder, bool clear, int file);

#endif
