/* durable.c: the last step of a checkpoint: synced, renamed, and its folder synced too. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "recorder_state.h"
#include "rs/files.h"
#include "rs/host.h"

static rs_status sync_file(const char *path, rs_error *error)
{
    int file = rs_files()->open(path, O_RDONLY, 0);
    if (file < 0) {
        return RS_FAIL(error, RS_IO, "opening %s: %s", path, strerror(errno));
    }
    int result = rs_files()->fsync(file);
    int reason = errno;
    (void)close(file);
    return result == 0 ? RS_OK : RS_FAIL(error, RS_IO, "fsync of %s: %s", path, strerror(reason));
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
    rs_status status = sync_file(temporary, error);
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
