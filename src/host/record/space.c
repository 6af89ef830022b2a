/* space.c: room on the disk: asked for and, where the file system can, reserved behind a file's end before anything is
 * written that needs it, so that no write within the library finds a full disk.
 *
 * Reserved blocks leave the file's length alone. What was not used is given back when the file is closed; a killed
 * process leaves what it had reserved last, which resuming or repairing gives back. */
#include "space.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "rs/host.h"
#include "rs/text.h"

#define HINT "make room, choose another --out, or record less with --snapshots or --record"

rs_status rs_space_check(const char *path, const char *directory, uint64_t bytes, rs_error *error)
{
    uint64_t available;
    char needed[32], there[32];
    if (rs_files()->free_bytes(directory, &available) != 0) {
        rs_log(RS_LOG_DEBUG, "free space of %s is unknown: %s", directory, strerror(errno));
        return RS_OK;
    }
    if (available >= bytes) {
        return RS_OK;
    }
    rs_text_bytes(bytes, needed, sizeof needed);
    rs_text_bytes(available, there, sizeof there);
    return RS_FAIL(error, RS_IO, "%s: the disk has %s free, %s are needed (%" PRIu64 " bytes missing); " HINT,
                   path, there, needed, bytes - available);
}

void rs_space_release(int file)
{
    struct stat about;
    const int kept = errno;
    if (fstat(file, &about) == 0 && ftruncate(file, about.st_size) != 0) {
        rs_log(RS_LOG_DEBUG, "reserved room stays with the file: %s", strerror(errno));
    }
    errno = kept;
}

/* What a file system cannot reserve (NFS, FAT) it may still take. */
static rs_status reserve(const rs_room *room, int file, uint64_t bytes, rs_error *error)
{
    const char *path = room->path;
    rs_reserved ignored = {0}, *held = room->reserved ? room->reserved : &ignored;
    struct stat about;
    char needed[32];
    int result;
    if (fstat(file, &about) != 0) {
        return RS_FAIL(error, RS_IO, "%s: %s", path, strerror(errno));
    }
    /* Where the file has become longer, what was reserved behind its end may be gone (ext4). */
    if (held->size == about.st_size && held->end - held->size >= (int64_t)bytes) {
        return RS_OK;
    }
    do {
        result = rs_files()->reserve(file, about.st_size, (off_t)bytes);
    } while (result != 0 && errno == EINTR);
    if (result == 0) {
        *held = (rs_reserved){about.st_size, about.st_size + (int64_t)bytes};
        return RS_OK;
    }
    *held = (rs_reserved){0};
    if (errno != ENOSPC && errno != EDQUOT) {
        rs_log(RS_LOG_DEBUG, "no room can be reserved for %s: %s", path, strerror(errno));
        return RS_OK;
    }
    rs_space_release(file); /* a part may have been had */
    rs_text_bytes(bytes, needed, sizeof needed);
    return RS_FAIL(error, RS_IO, "%s: %s: no %s could be reserved (%" PRIu64 " bytes missing); " HINT, path,
                   strerror(errno), needed, bytes);
}

rs_status rs_space_take(const rs_room *room, int file, uint64_t ahead, uint64_t bytes, rs_error *error)
{
    const struct timespec pause = {0, 200000000};
    double said = -1e9;
    for (;;) {
        rs_status status = rs_space_check(room->path, room->directory, bytes, error);
        status = status ? status : reserve(room, file, ahead + bytes, error);
        if (status == RS_OK || !room->wait || (room->given_up && room->given_up(room->context))) {
            return status;
        }
        if (room->stop && *room->stop) {
            const rs_error full = *error;
            return RS_FAIL(error, RS_INTERRUPTED, "interrupted while waiting for room: %s", full.text);
        }
        if (rs_seconds() - said >= 60.0) {
            rs_log(RS_LOG_WARNING, "waiting for room: %s", error->text);
            said = rs_seconds();
        }
        (void)nanosleep(&pause, NULL);
    }
}
