/* lock.c: see lock.h. HDF5 lets go of its own lock when SWMR writing starts, so that a second writer could
 * come in: that would ruin the file. Ours is on a byte far behind any data, and readers do not see it. */
#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "rs/host.h"

rs_status rs_lock_take(const char *path, bool create, int *descriptor, rs_error *error)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = RS_LOCK_PLACE, .l_len = 1};
    *descriptor = rs_files()->open(path, O_RDWR | (create ? O_CREAT : 0), 0644);
    if (*descriptor < 0) {
        return RS_FAIL(error, errno == ENOENT ? RS_DATA : RS_IO, "opening %s for writing: %s", path,
                       strerror(errno));
    }
    if (fcntl(*descriptor, F_OFD_SETLK, &lock) == 0) {
        return RS_OK;
    }
    if (errno == EAGAIN || errno == EACCES) {
        (void)close(*descriptor);
        *descriptor = -1;
        return RS_FAIL(error, RS_FAILED,
                       "another process is writing %s; wait for it, or choose another --out", path);
    }
    rs_log(RS_LOG_DEBUG, "no lock on %s (%s): do not start the same run twice", path, strerror(errno));
    return RS_OK;
}

bool rs_lock_is_held(const char *path)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = RS_LOCK_PLACE, .l_len = 1};
    const int file = rs_files()->open(path, O_RDONLY, 0);
    /* Where the file system has no locks nobody can tell. */
    const bool held = file >= 0 && (fcntl(file, F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK);
    if (file >= 0) {
        (void)close(file);
    }
    return held;
}
