/* idx.c: MNIST's file format.
 *
 *   images:  u32 0x00000803, u32 count, u32 rows, u32 columns, then count * rows * columns bytes
 *   labels:  u32 0x00000801, u32 count, then count bytes           (all u32 big-endian)
 *
 * The whole file is read and checked, also where only the first N are wanted. */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "formats.h"
#include "rs/host.h"
#include "source.h"

enum { IMAGES_MAGIC = 0x803, LABELS_MAGIC = 0x801 };

static uint32_t big_endian(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static rs_status check_magic(rs__source *source, uint32_t found, uint32_t wanted, rs_error *error)
{
    if (found == wanted) {
        return RS_OK;
    }
    const char *hint = found == IMAGES_MAGIC   ? "this file holds images, not labels"
                       : found == LABELS_MAGIC ? "this file holds labels, not images"
                                               : "not an IDX file of bytes";
    return RS_FAIL(error, RS_DATA,
                   "%s: byte 0: magic number 0x%08" PRIx32 " where 0x%08" PRIx32 " belongs: %s",
                   rs__source_path(source), found, wanted, hint);
}

/* A plain file's length can be held against its header before anything is allocated. */
static rs_status check_length(rs__source *source, uint64_t content, rs_error *error)
{
    uint64_t bytes = rs__source_file_bytes(source);
    if (rs__source_is_gzip(source) || bytes == content) {
        return RS_OK;
    }
    return RS_FAIL(error, RS_DATA,
                   "%s: byte %" PRIu64 ": file is too %s: its header promises %" PRIu64 " bytes",
                   rs__source_path(source), bytes < content ? bytes : content,
                   bytes < content ? "short" : "long", content);
}

static rs_status read_image_header(const rs__set *set, rs__source *source, int64_t *count, rs_error *error)
{
    unsigned char header[16];
    RS_TRY(rs__source_need(source, header, sizeof header, "header", error));
    RS_TRY(check_magic(source, big_endian(header), IMAGES_MAGIC, error));
    uint32_t images = big_endian(header + 4), rows = big_endian(header + 8),
             columns = big_endian(header + 12);
    if (rows != (uint32_t)set->height || columns != (uint32_t)set->width) {
        return RS_FAIL(error, RS_DATA,
                       "%s: byte 8: images of %" PRIu32 " x %" PRIu32 " pixels; %s has %d x %d",
                       rs__source_path(source), rows, columns, set->name, set->height, set->width);
    }
    uint64_t content = sizeof header + (uint64_t)images * rows * columns;
    if (images == 0 || content > set->file_limit) {
        return RS_FAIL(error, RS_DATA, "%s: byte 4: count of %" PRIu32 " images is not believable",
                       rs__source_path(source), images);
    }
    *count = images;
    return check_length(source, content, error);
}

static void note_file(rs__loaded *loaded, const char *name, const rs__source *source)
{
    rs__file_note *note = &loaded->note[loaded->note_count++];
    (void)snprintf(note->name, sizeof note->name, "%s", name);
    note->bytes = rs__source_file_bytes(source);
}

/* Reads the images of one file and allocates the part they go to; *count is what the file holds. */
static rs_status read_images(const rs__set *set, rs__source *source, int64_t limit, rs__part *part,
                             int64_t *count, char *sha256, rs_error *error)
{
    size_t image_bytes = (size_t)set->height * (size_t)set->width;
    RS_TRY(read_image_header(set, source, count, error));
    int64_t kept = rs__limited(*count, limit);
    RS_TRY(rs__part_create(set, kept, part, error));
    RS_TRY(rs__source_need(source, part->images, (size_t)kept * image_bytes, "images", error));
    RS_TRY(rs__source_need(source, NULL, (size_t)(*count - kept) * image_bytes, "images", error));
    return rs__source_end(source, sha256, error);
}

static rs_status read_labels(const rs__set *set, rs__source *source, int64_t count, rs__part *part,
                             char *sha256, rs_error *error)
{
    unsigned char header[8], bytes[4096];
    RS_TRY(rs__source_need(source, header, sizeof header, "header", error));
    RS_TRY(check_magic(source, big_endian(header), LABELS_MAGIC, error));
    if (big_endian(header + 4) != (uint64_t)count) {
        return RS_FAIL(error, RS_DATA,
                       "%s: byte 4: %" PRIu32 " labels, but the image file has %" PRId64 " images",
                       rs__source_path(source), big_endian(header + 4), count);
    }
    RS_TRY(check_length(source, sizeof header + (uint64_t)count, error));
    for (int64_t done = 0; done < count;) {
        int64_t piece = count - done < (int64_t)sizeof bytes ? count - done : (int64_t)sizeof bytes;
        RS_TRY(rs__source_need(source, bytes, (size_t)piece, "labels", error));
        for (int64_t i = 0; i < piece; i++, done++) {
            if (bytes[i] >= set->classes) {
                return RS_FAIL(error, RS_DATA, "%s: byte %zu: label %d; %s has labels 0 to %d",
                               rs__source_path(source), sizeof header + (size_t)done, bytes[i], set->name,
                               set->classes - 1);
            }
            if (done < part->count) {
                part->labels[done] = bytes[i];
            }
        }
    }
    return rs__source_end(source, sha256, error);
}

/* One split: its image file, then its label file. */
static rs_status load_part(const rs__set *set, const rs__location *location, int first, int64_t limit,
                           rs__part *part, rs__loaded *loaded, rs_error *error)
{
    char path[PATH_MAX];
    int64_t count = 0;
    for (int i = 0; i < 2; i++) {
        rs__source *source = NULL;
        const char *name = location->file[first + i];
        RS_TRY(rs__path_join(path, sizeof path, location->folder, name, error));
        RS_TRY(rs__source_open(path, &source, error));
        note_file(loaded, name, source);
        char *sha256 = loaded->note[loaded->note_count - 1].sha256;
        rs_status status = i == 0 ? read_images(set, source, limit, part, &count, sha256, error)
                                  : read_labels(set, source, count, part, sha256, error);
        rs__source_close(source);
        RS_TRY(status);
    }
    return RS_OK;
}

rs_status rs__idx_load(const rs__set *set, const rs__location *location, int64_t train_limit,
                       int64_t test_limit, rs__loaded *loaded, rs_error *error)
{
    RS_TRY(load_part(set, location, 0, train_limit, &loaded->train, loaded, error));
    return load_part(set, location, 2, test_limit, &loaded->test, loaded, error);
}
