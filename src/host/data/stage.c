/* stage.c: gathers files of a set under temporary names, under a lock, and moves them into place; see stage.h.
 *
 * The lock is flock's: it ends with the process, however that ends. The lock file stays, because removing it would let
 * two processes hold locks on two files of one name. */
#include "stage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "rs/host.h"

enum { COPY_BYTES = 1 << 18, WAIT_MILLISECONDS = 100 };

/* --- folders and lock --------------------------------------------------------------------------------------------- */

static rs_status make_folder(const char *path, rs_error *error)
{
    struct stat status;
    if (mkdir(path, 0777) == 0) {
        return RS_OK;
    }
    int why = errno;
    if (why == EEXIST && stat(path, &status) == 0 && S_ISDIR(status.st_mode)) {
        return RS_OK;
    }
    return RS_FAIL(error, RS_IO,
                   "can't make the folder %s: %s; choose another place with --data-dir DIR or RS_DATA_DIR",
                   path, strerror(why == EEXIST ? ENOTDIR : why));
}

/* The folder and those above it. */
static rs_status make_folders(const char *path, rs_error *error)
{
    char part[PATH_MAX];
    RS_TRY(rs__path_join(part, sizeof part, path, "", error));
    for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        struct stat status;
        if (stat(part, &status) != 0) { /* one that exists need not be writable */
            RS_TRY(make_folder(part, error));
        }
        *slash = '/';
    }
    return make_folder(part, error);
}

static void wait_a_little(void)
{
    const struct timespec pause = {.tv_nsec = WAIT_MILLISECONDS * 1000000L};
    (void)nanosleep(&pause, NULL);
}

static rs_status take_lock(rs__stage *stage, const volatile sig_atomic_t *stop, rs_error *error)
{
    char path[PATH_MAX], name[64];
    (void)snprintf(name, sizeof name, ".fetch-%s.lock", stage->set->name);
    RS_TRY(rs__path_join(path, sizeof path, stage->directory, name, error));
    stage->lock = rs_files()->open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (stage->lock < 0) {
        return RS_FAIL(error, RS_IO,
                       "can't write into %s: %s; choose another place with --data-dir DIR or RS_DATA_DIR",
                       stage->directory, strerror(errno));
    }
    for (bool told = false; flock(stage->lock, LOCK_EX | LOCK_NB) != 0; told = true) {
        if (stop && *stop) {
            return RS_FAIL(error, RS_INTERRUPTED, "interrupted while waiting for %s", path);
        }
        if (errno != EWOULDBLOCK && errno != EINTR) {
            rs_log(RS_LOG_DEBUG, "no lock on %s (%s): do not fetch one set twice at a time", path,
                   strerror(errno));
            return RS_OK;
        }
        if (!told) {
            rs_log(RS_LOG_INFO, "%s: another process is fetching it into %s; waiting for it",
                   stage->set->name, stage->directory);
        }
        wait_a_little();
    }
    return RS_OK;
}

static bool is_part(const char *name)
{
    size_t length = strlen(name);
    return length > 5 && strcmp(name + length - 5, ".part") == 0;
}

static void clear(const rs__stage *stage, bool parts_too)
{
    DIR *folder = opendir(stage->folder);
    for (const struct dirent *entry = folder ? readdir(folder) : NULL; entry; entry = readdir(folder)) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
            (parts_too || !is_part(entry->d_name))) {
            (void)unlinkat(dirfd(folder), entry->d_name, 0);
        }
    }
    if (folder) {
        (void)closedir(folder);
    }
}

rs_status rs__stage_open(const rs__set *set, const char *directory, const volatile sig_atomic_t *stop,
                         rs__stage *stage, rs_error *error)
{
    char name[64];
    *stage = (rs__stage){.set = set, .lock = -1};
    (void)snprintf(name, sizeof name, ".fetch-%s", set->name);
    RS_TRY(rs__path_join(stage->directory, sizeof stage->directory, directory, "", error));
    RS_TRY(rs__path_join(stage->folder, sizeof stage->folder, directory, name, error));
    RS_TRY(rs__path_join(stage->target, sizeof stage->target, directory, set->folders[0], error));
    RS_TRY(make_folders(directory, error));
    RS_TRY(take_lock(stage, stop, error));
    RS_TRY(make_folder(stage->folder, error));
    clear(stage, false);
    return RS_OK;
}

void rs__stage_close(rs__stage *stage)
{
    if (stage->lock < 0) {
        return;
    }
    clear(stage, false);
    (void)rmdir(stage->folder); /* fails where a download waits to be gone on with */
    (void)close(stage->lock);
    stage->lock = -1;
}

/* --- files --------------------------------------------------------------------------------------------------------- */

rs_status rs__stage_path(const rs__stage *stage, const char *name, const char *suffix, char path[PATH_MAX],
                         rs_error *error)
{
    char whole[NAME_MAX];
    (void)snprintf(whole, sizeof whole, "%s%s", name, suffix);
    return rs__path_join(path, PATH_MAX, stage->folder, whole, error);
}

static rs_status fail_to_write(const rs__stage *stage, int why, rs_error *error)
{
    return RS_FAIL(error, RS_IO, "writing into %s: %s%s", stage->directory, strerror(why),
                   why == ENOSPC || why == EDQUOT ? "; make room, or choose another place with --data-dir DIR"
                                                  : "");
}

rs_status rs__stage_create(const rs__stage *stage, const char *name, int *file, rs_error *error)
{
    char path[PATH_MAX];
    RS_TRY(rs__stage_path(stage, name, "", path, error));
    (void)rs_files()->unlink(path);
    *file = rs_files()->open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    return *file >= 0 ? RS_OK : fail_to_write(stage, errno, error);
}

rs_status rs__stage_write(const rs__stage *stage, int file, const void *bytes, size_t count, rs_error *error)
{
    const char *at = bytes;
    while (count > 0) {
        ssize_t written = rs_files()->write(file, at, count);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return fail_to_write(stage, written < 0 ? errno : ENOSPC, error);
        }
        at += written;
        count -= (size_t)written;
    }
    return RS_OK;
}

void rs__stage_finish(const rs__stage *stage, int file, rs_status *status, rs_error *error)
{
    if (*status == RS_OK && rs_files()->fsync(file) != 0) {
        *status = fail_to_write(stage, errno, error);
    }
    if (close(file) != 0 && *status == RS_OK) {
        *status = fail_to_write(stage, errno, error);
    }
}

static rs_status copy_bytes(const rs__stage *stage, const char *from, int in, int out, char *bytes,
                            uint64_t limit, rs_error *error)
{
    for (uint64_t total = 0;;) {
        ssize_t got = read(in, bytes, COPY_BYTES);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return RS_FAIL(error, RS_DATA, "%s: %s", from, strerror(errno));
        }
        if (got == 0) {
            return RS_OK;
        }
        total += (uint64_t)got;
        if (total > limit) {
            return RS_FAIL(error, RS_DATA, "%s: larger than any file of %s", from, stage->set->name);
        }
        RS_TRY(rs__stage_write(stage, out, bytes, (size_t)got, error));
    }
}

rs_status rs__stage_copy(const rs__stage *stage, const char *from, const char *name, uint64_t limit,
                         rs_error *error)
{
    int in = rs_files()->open(from, O_RDONLY | O_CLOEXEC, 0), out = -1;
    if (in < 0) {
        return RS_FAIL(error, RS_DATA, "%s: %s", from, strerror(errno));
    }
    char *bytes = rs_alloc(COPY_BYTES);
    rs_status status =
        bytes ? rs__stage_create(stage, name, &out, error) : RS_FAIL(error, RS_MEMORY, "out of memory");
    if (status == RS_OK) {
        status = copy_bytes(stage, from, in, out, bytes, limit, error);
        rs__stage_finish(stage, out, &status, error);
    }
    rs_free(bytes);
    (void)close(in);
    return status;
}

/* --- into place ---------------------------------------------------------------------------------------------------- */

static void sync_folder(const char *path)
{
    int folder = rs_files()->open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (folder >= 0) {
        (void)rs_files()->fsync(folder); /* some file systems can't; the files themselves are on disk */
        (void)close(folder);
    }
}

/* Other forms of the file that lie there would be found before this one, or instead of it. */
static rs_status put_aside_variants(const rs__stage *stage, const char *file, const char *kept,
                                    rs_error *error)
{
    char name[64], path[PATH_MAX], aside[PATH_MAX];
    for (int i = 0; rs__file_variant(stage->set, file, i, name, sizeof name); i++) {
        RS_TRY(rs__path_join(path, sizeof path, stage->target, name, error));
        if (strcmp(name, kept) == 0 || access(path, F_OK) != 0) {
            continue;
        }
        (void)strncat(name, ".old", sizeof name - strlen(name) - 1);
        RS_TRY(rs__path_join(aside, sizeof aside, stage->target, name, error));
        if (rs_files()->rename(path, aside) != 0) {
            return fail_to_write(stage, errno, error);
        }
        rs_log(RS_LOG_INFO, "%s: put aside as %s", path, name);
    }
    return RS_OK;
}

rs_status rs__stage_install(rs__stage *stage, const rs__location *staged, rs_error *error)
{
    char from[PATH_MAX], to[PATH_MAX];
    RS_TRY(make_folders(stage->target, error));
    for (int i = 0; i < stage->set->file_count; i++) {
        const char *name = staged->file[i];
        RS_TRY(rs__path_join(from, sizeof from, staged->folder, name, error));
        RS_TRY(rs__path_join(to, sizeof to, stage->target, name, error));
        if (rs_files()->rename(from, to) != 0) {
            return RS_FAIL(error, RS_IO, "can't put %s in place: %s", to, strerror(errno));
        }
        RS_TRY(put_aside_variants(stage, stage->set->files[i], name, error));
    }
    sync_folder(stage->target);
    sync_folder(stage->directory);
    clear(stage, true);
    return RS_OK;
}
