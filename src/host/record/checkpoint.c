/* checkpoint.c: the checkpoint container; see rs/checkpoint.h.
 *
 *     "RSCKPT\r\n" | version u32 | 0 u32
 *     of each section:  "SECT" | length of its name u32 | number of bytes u64
 *                       | CRC-32 of the bytes u32 | CRC-32 of this header and the name u32
 *                       | name | bytes
 *     end:              "END!" | number of sections u32 | 0 u64 | 0 u32 | CRC-32 of this header u32
 *
 * Little-endian. A reader looks at the file's real size before it believes any length. */
#include "rs/checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "recorder_state.h"
#include "rs/files.h"
#include "rs/host.h"
#include "rs/tensor.h"

_Static_assert(RS_CHECKPOINT_BYTES == 16 + 24, "what stands before the first section, and the end mark");
enum { VERSION = 1, HEADER_BYTES = 24, MOST_SECTIONS = 1 << 20 };
static const char magic[8] = {'R', 'S', 'C', 'K', 'P', 'T', '\r', '\n'};
static const char section_mark[4] = {'S', 'E', 'C', 'T'}, end_mark[4] = {'E', 'N', 'D', '!'};

/* Both marks' header: 24 bytes, the last four the checksum of the others. */
typedef struct header {
    char mark[4];
    uint32_t name_length;
    uint64_t bytes;
    uint32_t data_crc;
    uint32_t header_crc;
} header;
_Static_assert(sizeof(header) == HEADER_BYTES, "no padding in a section's header");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "checkpoints are written as they lie in memory");

static uint32_t checksum(const void *bytes, size_t count)
{
    return (uint32_t)crc32_z(crc32_z(0, NULL, 0), bytes, count);
}

struct rs_checkpoint_writer {
    int file;
    bool begun; /* what stands before the first section is written */
    uint32_t sections;
    uint64_t reserved, written; /* bytes */
    char *path;
};

static rs_status write_all(rs_checkpoint_writer *writer, const void *bytes, size_t count, rs_error *error)
{
    const char *at = bytes;
    while (count > 0) {
        ssize_t written = rs_files()->write(writer->file, at, count);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return RS_FAIL(error, RS_IO,
                           "writing the checkpoint %s: %s (%zu bytes missing); the one before is kept",
                           writer->path, written < 0 ? strerror(errno) : "nothing written", count);
        }
        at += written;
        count -= (size_t)written;
        writer->written += (uint64_t)written;
    }
    return RS_OK;
}

rs_status rs_checkpoint_create(const char *path, rs_checkpoint_writer **writer, rs_error *error)
{
    rs_checkpoint_writer *made = rs_alloc_zero(sizeof *made);
    char *copy = rs_strdup(path);
    if (!made || !copy) {
        rs_free(made);
        rs_free(copy);
        return RS_FAIL(error, RS_MEMORY, "no memory to write %s", path);
    }
    made->path = copy;
    made->file = rs_files()->open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (made->file < 0) {
        const rs_status status =
            RS_FAIL(error, RS_IO, "creating the checkpoint %s: %s", path, strerror(errno));
        rs_checkpoint_abandon(made);
        return status;
    }
    *writer = made;
    return RS_OK;
}

uint64_t rs_checkpoint_section_bytes(const char *name, size_t count)
{
    return HEADER_BYTES + strlen(name) + count;
}

rs_status rs_checkpoint_reserve(rs_checkpoint_writer *writer, uint64_t bytes, bool wait,
                                const volatile sig_atomic_t *stop, rs_error *error)
{
    rs_room room = {.path = writer->path, .wait = wait, .stop = stop};
    char *directory = NULL;
    RS_TRY(rs_directory_of(writer->path, &directory, error));
    room.directory = directory;
    rs_status status = rs_space_take(&room, writer->file, 0, bytes, error);
    writer->reserved = bytes;
    rs_free(directory);
    return status;
}

/* Over the header and the name behind it. */
static uint32_t header_checksum(const header *head, const char *name, size_t length)
{
    uLong crc =
        crc32_z(crc32_z(0, NULL, 0), (const unsigned char *)head, HEADER_BYTES - sizeof head->header_crc);
    return (uint32_t)crc32_z(crc, (const unsigned char *)name, length);
}

static rs_status write_header(rs_checkpoint_writer *writer, header *head, const char *name, size_t length,
                              rs_error *error)
{
    const uint32_t version[2] = {VERSION, 0};
    head->header_crc = header_checksum(head, name, length);
    if (!writer->begun) { /* only now: room may have been reserved meanwhile */
        writer->begun = true;
        RS_TRY(write_all(writer, magic, sizeof magic, error));
        RS_TRY(write_all(writer, version, sizeof version, error));
    }
    RS_TRY(write_all(writer, head, HEADER_BYTES, error));
    return write_all(writer, name, length, error);
}

rs_status rs_checkpoint_put(rs_checkpoint_writer *writer, const char *name, const void *bytes, size_t count,
                            rs_error *error)
{
    size_t length = strlen(name);
    RS_ASSERT(length > 0 && length < RS_NAME_MAX * 2);
    header head = {.name_length = (uint32_t)length, .bytes = count, .data_crc = checksum(bytes, count)};
    memcpy(head.mark, section_mark, sizeof head.mark);
    RS_TRY(write_header(writer, &head, name, length, error));
    RS_TRY(write_all(writer, bytes, count, error));
    writer->sections++;
    return RS_OK;
}

rs_status rs_checkpoint_finish(rs_checkpoint_writer *writer, rs_error *error)
{
    header head = {.name_length = writer->sections};
    memcpy(head.mark, end_mark, sizeof head.mark);
    rs_status status = write_header(writer, &head, "", 0, error);
    int file = writer->file;
    writer->file = -1;
    if (writer->written < writer->reserved) {
        rs_space_release(file);
    }
    if (close(file) != 0 && status == RS_OK) {
        status = RS_FAIL(error, RS_IO, "closing the checkpoint %s: %s", writer->path, strerror(errno));
    }
    if (status != RS_OK) {
        (void)rs_files()->unlink(writer->path);
    }
    rs_checkpoint_abandon(writer);
    return status;
}

void rs_checkpoint_abandon(rs_checkpoint_writer *writer)
{
    if (!writer) {
        return;
    }
    if (writer->file >= 0) { /* half a checkpoint: only in the way, and on a full disk, too */
        (void)close(writer->file);
        (void)rs_files()->unlink(writer->path);
    }
    rs_free(writer->path);
    rs_free(writer);
}

typedef struct section {
    char name[RS_NAME_MAX * 2];
    int64_t bytes, offset;
    uint32_t crc;
} section;

struct rs_checkpoint {
    int file;
    char *path;
    int64_t size;
    int count, capacity;
    section *sections;
};

static rs_status unusable(const rs_checkpoint *checkpoint, const char *what, int64_t offset, rs_error *error)
{
    return RS_FAIL(
        error, RS_DATA,
        "the checkpoint %s is unusable: %s at byte %lld; remove it to begin the run anew with --overwrite",
        checkpoint->path, what, (long long)offset);
}

static rs_status read_at(const rs_checkpoint *checkpoint, int64_t offset, void *bytes, size_t count,
                         rs_error *error)
{
    char *at = bytes;
    if (offset > checkpoint->size || (uint64_t)count > (uint64_t)(checkpoint->size - offset)) {
        return unusable(checkpoint, "it ends too early", checkpoint->size, error);
    }
    while (count > 0) {
        ssize_t got = pread(checkpoint->file, at, count, (off_t)offset);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return RS_FAIL(error, RS_IO, "reading %s: %s", checkpoint->path,
                           got < 0 ? strerror(errno) : "it became shorter while being read");
        }
        at += got;
        offset += got;
        count -= (size_t)got;
    }
    return RS_OK;
}

static rs_status add_section(rs_checkpoint *checkpoint, const section *found, rs_error *error)
{
    if (checkpoint->count == checkpoint->capacity) {
        int capacity = checkpoint->capacity ? 2 * checkpoint->capacity : 64;
        section *grown = rs_alloc_array((size_t)capacity, sizeof *grown);
        if (!grown) {
            return RS_FAIL(error, RS_MEMORY, "no memory to read %s", checkpoint->path);
        }
        if (checkpoint->count > 0) {
            memcpy(grown, checkpoint->sections, (size_t)checkpoint->count * sizeof *grown);
        }
        rs_free(checkpoint->sections);
        checkpoint->sections = grown;
        checkpoint->capacity = capacity;
    }
    checkpoint->sections[checkpoint->count++] = *found;
    return RS_OK;
}

/* Reads the section that begins at *offset and moves *offset behind it; *end when it is the end mark. */
static rs_status read_section(rs_checkpoint *checkpoint, int64_t *offset, bool *end, rs_error *error)
{
    header head;
    section found = {.bytes = 0};
    RS_TRY(read_at(checkpoint, *offset, &head, HEADER_BYTES, error));
    *end = memcmp(head.mark, end_mark, sizeof head.mark) == 0;
    if (*end && head.header_crc != header_checksum(&head, "", 0)) {
        return unusable(checkpoint, "the checksum of its end is wrong", *offset, error);
    }
    if (*end) {
        return head.name_length == (uint32_t)checkpoint->count
                   ? RS_OK
                   : unusable(checkpoint, "sections are missing", *offset, error);
    }
    if (memcmp(head.mark, section_mark, sizeof head.mark) != 0 || head.name_length >= sizeof found.name ||
        head.bytes > (uint64_t)checkpoint->size || checkpoint->count >= MOST_SECTIONS) {
        return unusable(checkpoint, "a section's header makes no sense", *offset, error);
    }
    RS_TRY(read_at(checkpoint, *offset + HEADER_BYTES, found.name, head.name_length, error));
    if (head.header_crc != header_checksum(&head, found.name, head.name_length)) {
        return unusable(checkpoint, "the checksum of a section's header is wrong", *offset, error);
    }
    found.offset = *offset + HEADER_BYTES + (int64_t)head.name_length;
    found.bytes = (int64_t)head.bytes;
    found.crc = head.data_crc;
    *offset = found.offset + found.bytes;
    if (*offset > checkpoint->size) {
        return unusable(checkpoint, "it ends too early", checkpoint->size, error);
    }
    return add_section(checkpoint, &found, error);
}

static rs_status verify_section(const rs_checkpoint *checkpoint, const section *which, char *buffer,
                                size_t capacity, rs_error *error)
{
    uLong crc = crc32_z(0, NULL, 0);
    for (int64_t done = 0; done < which->bytes;) {
        size_t part = (size_t)(which->bytes - done) < capacity ? (size_t)(which->bytes - done) : capacity;
        RS_TRY(read_at(checkpoint, which->offset + done, buffer, part, error));
        crc = crc32_z(crc, (const unsigned char *)buffer, part);
        done += (int64_t)part;
    }
    return (uint32_t)crc == which->crc
               ? RS_OK
               : unusable(checkpoint, "the checksum of a section is wrong", which->offset, error);
}

static rs_status verify_sections(const rs_checkpoint *checkpoint, rs_error *error)
{
    enum { BUFFER = 1 << 20 };
    rs_status status = RS_OK;
    char *buffer = rs_alloc(BUFFER);
    if (!buffer) {
        return RS_FAIL(error, RS_MEMORY, "no memory to read %s", checkpoint->path);
    }
    for (int i = 0; i < checkpoint->count && status == RS_OK; i++) {
        status = verify_section(checkpoint, &checkpoint->sections[i], buffer, BUFFER, error);
    }
    rs_free(buffer);
    return status;
}

static rs_status read_contents(rs_checkpoint *checkpoint, rs_error *error)
{
    struct {
        char magic[sizeof magic];
        uint32_t version, zero;
    } start;
    int64_t offset = sizeof start;
    bool end = false;
    RS_TRY(read_at(checkpoint, 0, &start, sizeof start, error));
    if (memcmp(start.magic, magic, sizeof magic) != 0 || start.zero != 0) {
        return unusable(checkpoint, "it does not begin as a checkpoint", 0, error);
    }
    if (start.version != VERSION) {
        return RS_FAIL(error, RS_DATA,
                       "the checkpoint %s is of version %u, this program reads version %d; resume with the "
                       "program that wrote it",
                       checkpoint->path, (unsigned)start.version, VERSION);
    }
    while (!end) {
        RS_TRY(read_section(checkpoint, &offset, &end, error));
    }
    return verify_sections(checkpoint, error);
}

rs_status rs_checkpoint_open(const char *path, rs_checkpoint **checkpoint, rs_error *error)
{
    struct stat about;
    rs_checkpoint *made = rs_alloc_zero(sizeof *made);
    char *copy = rs_strdup(path);
    if (!made || !copy) {
        rs_free(made);
        rs_free(copy);
        return RS_FAIL(error, RS_MEMORY, "no memory to read %s", path);
    }
    made->path = copy;
    made->file = rs_files()->open(path, O_RDONLY, 0);
    rs_status status;
    if (made->file < 0 || fstat(made->file, &about) != 0) {
        status = RS_FAIL(error, errno == ENOENT ? RS_DATA : RS_IO, "opening the checkpoint %s: %s", path,
                         strerror(errno));
    } else {
        made->size = (int64_t)about.st_size;
        status = read_contents(made, error);
    }
    if (status != RS_OK) {
        rs_checkpoint_close(made);
        return status;
    }
    *checkpoint = made;
    return RS_OK;
}

static const section *find_section(const rs_checkpoint *checkpoint, const char *name)
{
    for (int i = 0; i < checkpoint->count; i++) {
        if (strcmp(checkpoint->sections[i].name, name) == 0) {
            return &checkpoint->sections[i];
        }
    }
    return NULL;
}

rs_status rs_checkpoint_get(rs_checkpoint *checkpoint, const char *name, void *bytes, size_t count,
                            rs_error *error)
{
    const section *found = find_section(checkpoint, name);
    if (!found) {
        return RS_FAIL(error, RS_DATA, "the checkpoint %s has no section %s: it is of another run",
                       checkpoint->path, name);
    }
    if ((uint64_t)found->bytes != (uint64_t)count) {
        return RS_FAIL(error, RS_DATA,
                       "section %s of the checkpoint %s has %lld bytes, not %zu: it is of another run", name,
                       checkpoint->path, (long long)found->bytes, count);
    }
    RS_TRY(read_at(checkpoint, found->offset, bytes, count, error));
    return checksum(bytes, count) == found->crc
               ? RS_OK
               : unusable(checkpoint, "the checksum of a section is wrong", found->offset, error);
}

int64_t rs_checkpoint_length(const rs_checkpoint *checkpoint, const char *name)
{
    const section *found = find_section(checkpoint, name);
    return found ? found->bytes : -1;
}

void rs_checkpoint_close(rs_checkpoint *checkpoint)
{
    if (!checkpoint) {
        return;
    }
    if (checkpoint->file >= 0) {
        (void)close(checkpoint->file);
    }
    rs_free(checkpoint->sections);
    rs_free(checkpoint->path);
    rs_free(checkpoint);
}
