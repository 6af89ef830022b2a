/* folder.c: file operations of fetching; see folder.h. */
#include "folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "locate.h"
#include "rs/host.h"
#include "rs/text.h"

#define LOCK_NAME "lock"

rs_status rs__folder_create(const char *path, rs_error *error)
{
    char partial[PATH_MAX];
    RS_TRY(rs__path_join(partial, sizeof partial, path, "", error));
    for (char *slash = strchr(partial + 1, '/');; slash = strchr(slash + 1, '/')) {
        if (slash) {
            *slash = '\0';
        }
        if (mkdir(partial, 0777) != 0 && errno != EEXIST) {
            return RS_FAIL(
                error, RS_IO,
                "can't make the folder %s: %s; choose another place with --data-dir DIR or RS_DATA_DIR",
                partial, strerror(errno));
        }
        if (!slash) {
            return RS_OK;
        }
        *slash = '/';
    }
}

void rs__folder_clear(const char *path, const char *keep)
{
    DIR *folder = opendir(path);
    struct dirent *entry;
    while (folder && (entry = readdir(folder)) != NULL) {
        char name[PATH_MAX];
        rs_error ignored;
        struct stat status;
        if (rs__path_join(name, sizeof name, path, entry->d_name, &ignored) == RS_OK &&
            lstat(name, &status) == 0 && !S_ISDIR(status.st_mode) &&
            !(keep && strcmp(entry->d_name, keep) == 0)) {
            (void)rs_files()->unlink(name);
        }
    }
    if (folder) {
        (void)closedir(folder);
    }
    (void)rmdir(path); /* fails where something is left */
}

rs_status rs__write_all(int file, const char *path, const void *bytes, size_t count, rs_error *error)
{
    const char *from = bytes;
    while (count > 0) {
        ssize_t written = rs_files()->write(file, from, count);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return RS_FAIL(
                error, RS_IO, "can't write %s: %s%s", path, written < 0 ? strerror(errno) : "nothing written",
                written < 0 && errno == ENOSPC ? "; free some space or give --data-dir DIR on another disk"
                                               : "");
        }
        from += written;
        count -= (size_t)written;
    }
    return RS_OK;
}

rs_status rs__close_synced(int file, const char *path, rs_error *error)
{
    int failed = rs_files()->fsync(file) != 0 ? errno : 0;
    if (close(file) != 0 && !failed) {
        failed = errno;
    }
    return failed ? RS_FAIL(error, RS_IO, "can't write %s: %s", path, strerror(failed)) : RS_OK;
}

static rs_status copy_bytes(int in, int out, const char *from, const char *to, uint64_t most, rs_error *error)
{
    static const size_t chunk = 1 << 18;
    uint64_t copied = 0;
    rs_status status = RS_OK;
    char *bytes = rs_alloc(chunk);
    if (!bytes) {
        return RS_FAIL(error, RS_MEMORY, "out of memory");
    }
    for (ssize_t got = 1; status == RS_OK && got > 0;) {
        got = read(in, bytes, chunk);
        if (got < 0 && errno == EINTR) {
            got = 1;
            continue;
        }
        copied += got > 0 ? (uint64_t)got : 0;
        if (got < 0) {
            status = RS_FAIL(error, RS_DATA, "%s: %s", from, strerror(errno));
        } else if (copied > most) {
            status =
                RS_FAIL(error, RS_DATA, "%s: byte %" PRIu64 ": larger than any file of this set", from, most);
        } else {
            status = rs__write_all(out, to, bytes, (size_t)got, error);
        }
    }
    rs_free(bytes);
    return status;
}

rs_status rs__copy_file(const char *from, const char *to, uint64_t most, rs_error *error)
{
    rs_status status;
    int in = rs_files()->open(from, O_RDONLY, 0);
    if (in < 0) {
        return RS_FAIL(error, RS_DATA, "%s: %s", from, strerror(errno));
    }
    int out = rs_files()->open(to, O_WRONLY | O_CREAT | O_EXCL, 0666);
    if (out < 0) {
        status = RS_FAIL(error, RS_IO, "can't make %s: %s", to, strerror(errno));
    } else {
        rs_error closing;
        status = copy_bytes(in, out, from, to, most, error);
        if (rs__close_synced(out, to, &closing) != RS_OK && status == RS_OK) {
            *error = closing;
            status = closing.status;
        }
    }
    (void)close(in);
    return status;
}

rs_status rs__rename(const char *from, const char *to, rs_error *error)
{
    if (rs_files()->rename(from, to) != 0) {
        return RS_FAIL(error, RS_IO, "can't rename %s to %s: %s", from, to, strerror(errno));
    }
    return RS_OK;
}

void rs__folder_sync(const char *path)
{
    int folder = rs_files()->open(path, O_RDONLY | O_DIRECTORY, 0);
    if (folder >= 0) {
        (void)rs_files()->fsync(folder); /* some file systems can't; the files themselves are on disk */
        (void)close(folder);
    }
}

rs_status rs__need_space(const char *folder, uint64_t needed, rs_error *error)
{
    uint64_t there;
    char need_text[32], there_text[32];
    if (rs_files()->free_bytes(folder, &there) != 0 || there >= needed) {
        return RS_OK; /* unknown: writing will tell */
    }
    rs_text_bytes(needed, need_text, sizeof need_text);
    rs_text_bytes(there, there_text, sizeof there_text);
    return RS_FAIL(error, RS_IO,
                   "%s: %s needed, %s free; free some space or give --data-dir DIR on another disk", folder,
                   need_text, there_text);
}

/* Whether the lock file still has its name: who held it before may have removed it. */
static bool is_current(int file, const char *path)
{
    struct stat held, named;
    return fstat(file, &held) == 0 && stat(path, &named) == 0 && held.st_ino == named.st_ino &&
           held.st_dev == named.st_dev;
}

/* 0, an errno, or -1 when stopped. Asks again and again, because a blocking flock can't be told to stop. */
static int lock_waiting(int file, const char *path, const volatile sig_atomic_t *stop)
{
    const struct timespec pause = {.tv_nsec = 100000000};
    for (bool told = false; flock(file, LOCK_EX | LOCK_NB) != 0; told = true) {
        if (errno != EWOULDBLOCK && errno != EINTR) {
            return errno;
        }
        if (stop && *stop) {
            return -1;
        }
        if (!told) {
            rs_log(RS_LOG_INFO, "another process fetches the same data set (%s): waiting for it", path);
        }
        (void)nanosleep(&pause, NULL);
    }
    return 0;
}

rs_status rs__lock(const char *folder, const volatile sig_atomic_t *stop, int *file, rs_error *error)
{
    char path[PATH_MAX];
    RS_TRY(rs__path_join(path, sizeof path, folder, LOCK_NAME, error));
    for (int tries = 0;; tries++) {
        RS_TRY(rs__folder_create(folder, error));
        *file = rs_files()->open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        if (*file < 0 && errno == ENOENT && tries < 1000) {
            continue; /* who held the lock has just removed the folder */
        }
        if (*file < 0) {
            return RS_FAIL(
                error, RS_IO,
                "can't write in the data directory: %s: %s; choose another place with --data-dir DIR or "
                "RS_DATA_DIR",
                path, strerror(errno));
        }
        int failed = lock_waiting(*file, path, stop);
        if (failed < 0) {
            return RS_FAIL(error, RS_INTERRUPTED, "interrupted while waiting for another process (%s)", path);
        }
        if (failed > 0) {
            rs_log(RS_LOG_WARNING, "%s: no file locks here (%s): fetch with one process at a time", path,
                   strerror(failed));
            return RS_OK;
        }
        if (is_current(*file, path)) {
            return RS_OK;
        }
        (void)close(*file);
        *file = -1;
    }
}

/* The lock goes last: until then nobody else puts anything into the folder. Whoever makes the folder anew in between
 * keeps it, or makes it once more. */
void rs__unlock(const char *folder, bool clear, int file)
{
    char path[PATH_MAX];
    rs_error ignored;
    if (clear && rs__path_join(path, sizeof path, folder, LOCK_NAME, &ignored) == RS_OK) {
        rs__folder_clear(folder, LOCK_NAME);
        (void)rs_files()->unlink(path);
        (void)rmdir(folder);
    }
    (void)close(file);
}
