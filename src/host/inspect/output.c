/* output.c: see output.h. Streams write through rs_files(), so that tests can fill the disk. */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rs/files.h"
#include "rs/host.h"

enum { BUFFER_BYTES = 1 << 16 };

struct rs__outputs {
    char *directory;
    bool overwrite;
    int count, capacity;
    char **paths; /* final ones */
    FILE *stream; /* of the last path, while it is open */
    int file;     /* behind the stream */
    int why;      /* errno of its first failed write */
};

static char *join(const char *a, const char *between, const char *b)
{
    const size_t length = strlen(a) + strlen(between) + strlen(b) + 1;
    char *text = rs_alloc(length);
    if (text) {
        (void)snprintf(text, length, "%s%s%s", a, between, b);
    }
    return text;
}

static rs_status no_memory(rs_error *error)
{
    return RS_FAIL(error, RS_MEMORY, "no memory for the names of files");
}

/* Makes the folders of a path up to its last slash. */
static rs_status make_folders(const char *path, rs_error *error)
{
    char *text = rs_strdup(path);
    if (!text) {
        return no_memory(error);
    }
    rs_status status = RS_OK;
    for (char *slash = strchr(text + 1, '/'); !status && slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(text, 0777) != 0 && errno != EEXIST) {
            status = RS_FAIL(error, RS_IO, "folder %s cannot be made: %s", text, strerror(errno));
        }
        *slash = '/';
    }
    rs_free(text);
    return status;
}

rs_status rs__outputs_begin(const char *directory, bool overwrite, rs__outputs **outputs, rs_error *error)
{
    rs__outputs *made = rs_alloc_zero(sizeof *made);
    if (!made || !(made->directory = rs_strdup(directory))) {
        rs_free(made);
        return no_memory(error);
    }
    made->overwrite = overwrite;
    made->file = -1;
    *outputs = made;
    return RS_OK;
}

static rs_status add_path(rs__outputs *outputs, const char *name, rs_error *error)
{
    if (outputs->count == outputs->capacity) {
        const int capacity = outputs->capacity ? 2 * outputs->capacity : 64;
        char **grown = rs_alloc_array((size_t)capacity, sizeof *grown);
        if (!grown) {
            return no_memory(error);
        }
        if (outputs->count > 0) {
            memcpy(grown, outputs->paths, (size_t)outputs->count * sizeof *grown);
        }
        rs_free(outputs->paths);
        outputs->paths = grown;
        outputs->capacity = capacity;
    }
    char *path = join(outputs->directory, "/", name);
    if (!path) {
        return no_memory(error);
    }
    outputs->paths[outputs->count++] = path;
    return RS_OK;
}

static ssize_t write_stream(void *context, const char *bytes, size_t count)
{
    rs__outputs *outputs = context;
    size_t done = 0;
    while (done < count) {
        const ssize_t now = rs_files()->write(outputs->file, bytes + done, count - done);
        if (now < 0 && errno == EINTR) {
            continue;
        }
        if (now <= 0) {
            outputs->why = outputs->why ? outputs->why : now < 0 ? errno : ENOSPC;
            return 0; /* what glibc takes for an error */
        }
        done += (size_t)now;
    }
    return (ssize_t)count;
}

rs_status rs__outputs_open(rs__outputs *outputs, const char *name, FILE **stream, rs_error *error)
{
    static const cookie_io_functions_t functions = {.write = write_stream};
    struct stat about;
    RS_ASSERT(!outputs->stream);
    RS_TRY(add_path(outputs, name, error));
    const char *path = outputs->paths[outputs->count - 1];
    if (!outputs->overwrite && stat(path, &about) == 0) {
        /* so that abandoning leaves a stranger's .part alone */
        rs_status status =
            RS_FAIL(error, RS_USAGE, "%s exists; replace it with --overwrite, or choose another -o", path);
        rs_free(outputs->paths[--outputs->count]);
        return status;
    }
    RS_TRY(make_folders(path, error));
    char *part = join(path, ".part", "");
    if (!part) {
        return no_memory(error);
    }
    outputs->why = 0;
    outputs->file = rs_files()->open(part, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    rs_status status =
        outputs->file >= 0 ? RS_OK : RS_FAIL(error, RS_IO, "%s cannot be written: %s", part, strerror(errno));
    rs_free(part);
    RS_TRY(status);
    outputs->stream = fopencookie(outputs, "w", functions);
    if (!outputs->stream) {
        (void)close(outputs->file);
        return RS_FAIL(error, RS_MEMORY, "no memory to write %s", path);
    }
    (void)setvbuf(outputs->stream, NULL, _IOFBF, BUFFER_BYTES);
    *stream = outputs->stream;
    return RS_OK;
}

rs_status rs__outputs_close(rs__outputs *outputs, rs_error *error)
{
    const char *path = outputs->paths[outputs->count - 1];
    bool written = fflush(outputs->stream) == 0 && !ferror(outputs->stream);
    if (written && rs_files()->fsync(outputs->file) != 0) {
        written = false;
        outputs->why = errno;
    }
    written = fclose(outputs->stream) == 0 && written;
    outputs->stream = NULL;
    if (close(outputs->file) != 0 && written) {
        written = false;
        outputs->why = errno;
    }
    outputs->file = -1;
    return written ? RS_OK
                   : RS_FAIL(error, RS_IO, "%s cannot be written: %s", path,
                             strerror(outputs->why ? outputs->why : EIO));
}

static void release(rs__outputs *outputs)
{
    for (int i = 0; i < outputs->count; i++) {
        rs_free(outputs->paths[i]);
    }
    rs_free(outputs->paths);
    rs_free(outputs->directory);
    rs_free(outputs);
}

/* Removes the .part files of the paths from `first` on. */
static void remove_parts(const rs__outputs *outputs, int first)
{
    for (int i = first; i < outputs->count; i++) {
        char *part = join(outputs->paths[i], ".part", "");
        if (part) {
            (void)rs_files()->unlink(part);
        }
        rs_free(part);
    }
}

rs_status rs__outputs_finish(rs__outputs *outputs, rs_error *error)
{
    rs_status status = RS_OK;
    int done = 0;
    for (; !status && done < outputs->count; done++) {
        char *part = join(outputs->paths[done], ".part", "");
        if (!part) {
            status = no_memory(error);
        } else if (rs_files()->rename(part, outputs->paths[done]) != 0) {
            status = RS_FAIL(error, RS_IO, "renaming %s: %s", part, strerror(errno));
        }
        rs_free(part);
    }
    if (status) {
        remove_parts(outputs, done - 1);
    } else {
        status = rs_directory_sync(outputs->directory, error);
    }
    release(outputs);
    return status;
}

void rs__outputs_abandon(rs__outputs *outputs)
{
    if (!outputs) {
        return;
    }
    if (outputs->stream) {
        (void)fclose(outputs->stream);
        (void)close(outputs->file);
    }
    remove_parts(outputs, 0);
    release(outputs);
}

const char *rs__outputs_path(const rs__outputs *outputs, int index)
{
    return index < outputs->count ? outputs->paths[index] : NULL;
}
