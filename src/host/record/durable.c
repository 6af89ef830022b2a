/* durable.c: directories, and the last step of a checkpoint: synced, renamed, and its folder synced too. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "recorder_state.h"
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

static rs_status sync_path(const char *path, int flags, rs_error *error)
{
    int file = rs_files()->open(path, O_RDONLY | flags, 0);
    if (file < 0) {
        return RS_FAIL(error, RS_IO, "opening %s: %s", path, strerror(errno));
    }
    int result = rs_files()->fsync(file);
    int reason = errno;
    (void)close(file);
    /* Some file systems cannot sync a directory; theirs is then as good as it gets. */
    if (result != 0 && !((flags & O_DIRECTORY) && reason == EINVAL)) {
        return RS_FAIL(error, RS_IO, "fsync of %s: %s", path, strerror(reason));
    }
    return RS_OK;
}

rs_status rs_directory_sync(const char *directory, rs_error *error)
{
    return sync_path(directory, O_DIRECTORY, error);
}

rs_status rs_checkpoint_publish(const char *temporary, const char *directory, rs_error *error)
{
    static const char suffix[] = ".part";
    size_t length = strlen(temporary);
    RS_ASSERT(length > sizeof suffix && strcmp(temporary + length - (sizeof suffix - 1), suffix) == 0);
    char *final = rs_strdup(temporary);
    if (!final) {
        return RS_FAIL(error, RS_MEMORY, "no memory for the path %s", temporary);
    }
    final[length - (sizeof suffix - 1)] = '\0';
    rs_status status = sync_path(temporary, 0, error);
    if (status == RS_OK && rs_files()->rename(temporary, final) != 0) {
        status = RS_FAIL(error, RS_IO, "renaming %s to %s: %s", temporary, final, strerror(errno));
    }
    if (status == RS_OK) {
        status = rs_directory_sync(directory, error);
    } else {
        (void)rs_files()->unlink(temporary);
    }
    rs_free(final);
    return status;
}
