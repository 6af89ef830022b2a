/* files.c: see rs/files.h. */
#include "rs/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rs/host.h"

rs_status rs_directory_of(const char *path, char **directory, rs_error *error)
{
    *directory = rs_strdup(path);
    if (!*directory) {
        return RS_FAIL(error, RS_MEMORY, "no memory for the path %s", path);
    }
    char *slash = strrchr(*directory, '/');
    if (!slash) {
        rs_free(*directory);
        *directory = rs_strdup(".");
        return *directory ? RS_OK : RS_FAIL(error, RS_MEMORY, "no memory for the path %s", path);
    }
    slash[slash == *directory ? 1 : 0] = '\0';
    return RS_OK;
}

rs_status rs_directory_make(const char *directory, rs_error *error)
{
    char *path = rs_strdup(directory);
    rs_status status = RS_OK;
    if (!path) {
        return RS_FAIL(error, RS_MEMORY, "no memory for the path %s", directory);
    }
    for (char *at = path + 1; status == RS_OK && at[-1]; at++) {
        if (*at != '/' && *at != '\0') {
            continue;
        }
        char kept = *at;
        *at = '\0';
        if (mkdir(path, 0777) != 0 && errno != EEXIST) {
            status = RS_FAIL(error, RS_IO, "making the folder %s: %s", path, strerror(errno));
        }
        *at = kept;
    }
    rs_free(path);
    return status;
}

rs_status rs_directory_sync(const char *directory, rs_error *error)
{
    int folder = rs_files()->open(directory, O_RDONLY | O_DIRECTORY, 0);
    if (folder < 0) {
        return RS_FAIL(error, RS_IO, "opening %s: %s", directory, strerror(errno));
    }
    int result = rs_files()->fsync(folder);
    int reason = errno;
    (void)close(folder);
    /* Some file systems cannot sync a directory; theirs is then as good as it gets. */
    return result == 0 || reason == EINVAL
               ? RS_OK
               : RS_FAIL(error, RS_IO, "fsync of %s: %s", directory, strerror(reason));
}

rs_status rs_file_publish(const char *part, const char *path, rs_error *error)
{
    char *directory = NULL;
    RS_TRY(rs_directory_of(path, &directory, error));
    rs_status status = RS_OK;
    if (rs_files()->rename(part, path) != 0) {
        status = RS_FAIL(error, RS_IO, "renaming %s to %s: %s", part, path, strerror(errno));
    } else if (rs_directory_sync(directory, error)) {
        status = rs_error_prefix(error, "%s", path);
    }
    rs_free(directory);
    return status;
}

static void release(rs_whole_file *file)
{
    rs_free(file->part);
    rs_free(file->path);
    *file = (rs_whole_file){0};
}

static char *with_ending(const char *path, const char *ending)
{
    const size_t length = strlen(path), bytes = strlen(ending) + 1;
    char *text = rs_alloc_array(length + bytes, 1);
    if (text) {
        memcpy(text, path, length);
        memcpy(text + length, ending, bytes);
    }
    return text;
}

/* The reader knows nothing of the .part. */
static rs_status refuse_to_open(const char *path, int why, rs_error *error)
{
    if (why != ENOENT) {
        return RS_FAIL(error, RS_IO, "%s cannot be written: %s", path, strerror(why));
    }
    const char *slash = strrchr(path, '/');
    return RS_FAIL(error, RS_IO, "%s cannot be written: there is no folder %.*s; make it first", path,
                   slash ? (int)(slash - path) : 1, slash ? path : ".");
}

rs_status rs_whole_file_open(rs_whole_file *file, const char *path, rs_error *error)
{
    rs_status status = RS_OK;
    *file = (rs_whole_file){.part = with_ending(path, ".part"), .path = rs_strdup(path)};
    if (!file->part || !file->path) {
        status = RS_FAIL(error, RS_MEMORY, "no memory for the path %s", path);
    } else {
        file->stream = fopen(file->part, "w");
        status = file->stream ? RS_OK : refuse_to_open(path, errno, error);
    }
    if (status) {
        release(file);
    }
    return status;
}

rs_status rs_whole_file_close(rs_whole_file *file, rs_status so_far, rs_error *error)
{
    errno = 0;
    bool written =
        fflush(file->stream) == 0 && !ferror(file->stream) && rs_files()->fsync(fileno(file->stream)) == 0;
    int why = errno;
    written = fclose(file->stream) == 0 && written;
    rs_status status = so_far;
    if (!status && !written) {
        status = RS_FAIL(error, RS_IO, "%s cannot be written: %s", file->path,
                         why ? strerror(why) : "the disk may be full");
    }
    status = status ? status : rs_file_publish(file->part, file->path, error);
    if (status) {
        (void)rs_files()->unlink(file->part);
    }
    release(file);
    return status;
}
