/* source.c: reading data files once, with unpacking and checksum on the way; see source.h.
 *
 *   file --read--> input buffer --SHA-256--> [inflate] --> the caller's bytes
 *
 * Offsets in errors are offsets in the file as it lies there for gzip trouble, and in the content otherwise;
 * for plain files both are the same. */
#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "rs/host.h"

enum { INPUT_BYTES = 1 << 16, SKIP_BYTES = 1 << 14 };

struct rs__source {
    char path[PATH_MAX];
    int file;
    bool gzip, inflating; /* inflating: inside a gzip member */
    uint64_t file_bytes, file_read, offset;
    rs__digest *digest;
    z_stream zip; /* next_in, avail_in: the input buffer's rest, for plain files too */
    unsigned char input[INPUT_BYTES];
};

static rs_status read_file(rs__source *source, unsigned char *bytes, size_t count, size_t *got,
                           rs_error *error)
{
    ssize_t result;
    do {
        result = read(source->file, bytes, count);
    } while (result < 0 && errno == EINTR);
    if (result < 0) {
        return RS_FAIL(error, RS_DATA, "%s: byte %" PRIu64 ": %s", source->path, source->file_read,
                       strerror(errno));
    }
    rs__digest_add(source->digest, bytes, (size_t)result);
    source->file_read += (uint64_t)result;
    *got = (size_t)result;
    return RS_OK;
}

/* Refills the empty input buffer; avail_in 0 afterwards means the end of the file. */
static rs_status refill(rs__source *source, rs_error *error)
{
    size_t got = 0;
    RS_TRY(read_file(source, source->input, INPUT_BYTES, &got, error));
    source->zip.next_in = source->input;
    source->zip.avail_in = (uInt)got;
    return RS_OK;
}

/* inflate's own memory, some of which it takes only on its way. */
static void *zip_allocate(void *context, unsigned int count, unsigned int size)
{
    (void)context;
    return rs_alloc_array(count, size);
}

static void zip_free(void *context, void *memory)
{
    (void)context;
    rs_free(memory);
}

static rs_status start_gzip(rs__source *source, rs_error *error)
{
    source->zip.zalloc = zip_allocate;
    source->zip.zfree = zip_free;
    if (inflateInit2(&source->zip, 15 + 16) != Z_OK) { /* the largest window, gzip only */
        return RS_FAIL(error, RS_MEMORY, "%s: no memory to unpack gzip", source->path);
    }
    source->gzip = source->inflating = true;
    return RS_OK;
}

static rs_status open_file(rs__source *source, const char *path, rs_error *error)
{
    struct stat status;
    (void)snprintf(source->path, sizeof source->path, "%s", path);
    source->file = rs_files()->open(path, O_RDONLY, 0);
    if (source->file < 0 || fstat(source->file, &status) != 0) {
        return RS_FAIL(error, RS_DATA, "%s: %s", path, strerror(errno));
    }
    if (!S_ISREG(status.st_mode)) {
        return RS_FAIL(error, RS_DATA, "%s: not a regular file", path);
    }
    source->file_bytes = (uint64_t)status.st_size;
    RS_TRY(rs__digest_create(RS__SHA256, &source->digest, error));
    RS_TRY(refill(source, error));
    if (source->zip.avail_in >= 2 && source->input[0] == 0x1f && source->input[1] == 0x8b) {
        RS_TRY(start_gzip(source, error));
    }
    return RS_OK;
}

rs_status rs__source_open(const char *path, rs__source **source, rs_error *error)
{
    rs__source *opened = rs_alloc_zero(sizeof *opened);
    if (!opened) {
        return RS_FAIL(error, RS_MEMORY, "%s: out of memory", path);
    }
    opened->file = -1;
    rs_status status = open_file(opened, path, error);
    if (status != RS_OK) {
        rs__source_close(opened);
        return status;
    }
    *source = opened;
    return RS_OK;
}

void rs__source_close(rs__source *source)
{
    if (!source) {
        return;
    }
    if (source->gzip) {
        (void)inflateEnd(&source->zip);
    }
    rs__digest_destroy(source->digest);
    if (source->file >= 0) {
        (void)close(source->file);
    }
    rs_free(source);
}

static rs_status read_plain(rs__source *source, unsigned char *bytes, size_t count, size_t *got,
                            rs_error *error)
{
    size_t buffered = source->zip.avail_in < count ? source->zip.avail_in : count;
    memcpy(bytes, source->zip.next_in, buffered);
    source->zip.next_in += buffered;
    source->zip.avail_in -= (uInt)buffered;
    *got = buffered;
    while (*got < count) {
        size_t more = 0;
        RS_TRY(read_file(source, bytes + *got, count - *got, &more, error));
        if (more == 0) {
            break;
        }
        *got += more;
    }
    return RS_OK;
}

/* After a member's end: the file's end, or another member (as gzip -c of two files appends them). */
static rs_status next_member(rs__source *source, rs_error *error)
{
    source->inflating = false;
    if (source->zip.avail_in == 0) {
        RS_TRY(refill(source, error));
    }
    if (source->zip.avail_in == 0) {
        return RS_OK;
    }
    if (*source->zip.next_in != 0x1f || inflateReset(&source->zip) != Z_OK) {
        return RS_FAIL(error, RS_DATA, "%s: byte %" PRIu64 ": something follows the gzip data", source->path,
                       source->file_read - source->zip.avail_in);
    }
    source->inflating = true;
    return RS_OK;
}

static rs_status inflate_some(rs__source *source, rs_error *error)
{
    if (source->zip.avail_in == 0) {
        RS_TRY(refill(source, error));
        if (source->zip.avail_in == 0) {
            return RS_FAIL(error, RS_DATA,
                           "%s: byte %" PRIu64 ": gzip data is cut off (file of %" PRIu64 " bytes)",
                           source->path, source->file_read, source->file_bytes);
        }
    }
    int result = inflate(&source->zip, Z_NO_FLUSH);
    if (result == Z_STREAM_END) {
        return next_member(source, error);
    }
    if (result == Z_MEM_ERROR) {
        return RS_FAIL(error, RS_MEMORY, "%s: no memory to unpack gzip", source->path);
    }
    if (result != Z_OK && result != Z_BUF_ERROR) {
        return RS_FAIL(error, RS_DATA, "%s: byte %" PRIu64 ": gzip data is damaged (%s)", source->path,
                       source->file_read - source->zip.avail_in,
                       source->zip.msg ? source->zip.msg : "no details");
    }
    return RS_OK;
}

static rs_status read_gzip(rs__source *source, unsigned char *bytes, size_t count, size_t *got,
                           rs_error *error)
{
    RS_ASSERT(count <= UINT_MAX);
    source->zip.next_out = bytes;
    source->zip.avail_out = (uInt)count;
    while (source->inflating && source->zip.avail_out > 0) {
        RS_TRY(inflate_some(source, error));
    }
    *got = count - source->zip.avail_out;
    return RS_OK;
}

static rs_status read_piece(rs__source *source, unsigned char *bytes, size_t count, size_t *got,
                            rs_error *error)
{
    RS_TRY(source->gzip ? read_gzip(source, bytes, count, got, error)
                        : read_plain(source, bytes, count, got, error));
    source->offset += *got;
    return RS_OK;
}

rs_status rs__source_read(rs__source *source, void *bytes, size_t count, size_t *got, rs_error *error)
{
    unsigned char skipped[SKIP_BYTES];
    size_t piece_most = bytes ? (size_t)1 << 30 : sizeof skipped;
    *got = 0;
    while (*got < count) {
        size_t piece = count - *got < piece_most ? count - *got : piece_most, more = 0;
        RS_TRY(read_piece(source, bytes ? (unsigned char *)bytes + *got : skipped, piece, &more, error));
        *got += more;
        if (more < piece) {
            break;
        }
    }
    return RS_OK;
}

rs_status rs__source_need(rs__source *source, void *bytes, size_t count, const char *missing, rs_error *error)
{
    size_t got = 0;
    uint64_t begin = source->offset;
    RS_TRY(rs__source_read(source, bytes, count, &got, error));
    if (got < count) {
        return RS_FAIL(error, RS_DATA,
                       "%s: byte %" PRIu64 ": file is too short: %s missing (%" PRIu64 " bytes needed)",
                       source->path, source->offset, missing, begin + count);
    }
    return RS_OK;
}

rs_status rs__source_end(rs__source *source, char sha256[RS__HEX_MAX], rs_error *error)
{
    unsigned char extra;
    size_t got = 0;
    uint64_t end = source->offset;
    RS_TRY(rs__source_read(source, &extra, 1, &got, error));
    if (got != 0) {
        return RS_FAIL(error, RS_DATA, "%s: byte %" PRIu64 ": file is too long: it should end here",
                       source->path, end);
    }
    rs__digest_finish(source->digest, sha256);
    return RS_OK;
}

uint64_t rs__source_offset(const rs__source *source)
{
    return source->offset;
}

uint64_t rs__source_file_bytes(const rs__source *source)
{
    return source->file_bytes;
}

bool rs__source_is_gzip(const rs__source *source)
{
    return source->gzip;
}

const char *rs__source_path(const rs__source *source)
{
    return source->path;
}
