/* cifar.c: the binary versions of CIFAR-10 and CIFAR-100.
 *
 *   record:  label (CIFAR-10), or coarse label, fine label (CIFAR-100), then 3 * 32 * 32 bytes: planes R, G,
 * B
 *
 * A file has no header: its length and the labels' range are all that can be checked, so both are. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "formats.h"
#include "rs/host.h"
#include "source.h"

enum { RECORDS_AT_ONCE = 128 };

typedef struct batch_reader {
    const rs__set *set;
    size_t image_bytes, record_bytes;
    unsigned char *records; /* [RECORDS_AT_ONCE, record_bytes] */
} batch_reader;

static rs_status check_length(const batch_reader *reader, const rs__source *source, int64_t records,
                              rs_error *error)
{
    uint64_t bytes = rs__source_file_bytes(source), wanted = (uint64_t)records * reader->record_bytes;
    if (bytes == wanted && !rs__source_is_gzip(source)) {
        return RS_OK;
    }
    if (rs__source_is_gzip(source)) {
        return RS_FAIL(error, RS_DATA, "%s: byte 0: a gzip file; unpack it", rs__source_path(source));
    }
    bool whole = bytes % reader->record_bytes == 0;
    return RS_FAIL(
        error, RS_DATA,
        "%s: byte %" PRIu64 ": file of %" PRIu64 " bytes is too %s: %" PRId64 " records of %zu bytes "
        "make %" PRIu64 "%s",
        rs__source_path(source), bytes < wanted ? bytes : wanted, bytes, bytes < wanted ? "short" : "long",
        records, reader->record_bytes, wanted,
        whole ? "" : "; its length is no multiple of a record's, so it was cut or is another format");
}

static rs_status take_records(const batch_reader *reader, const rs__source *source, uint64_t begin,
                              size_t count, uint8_t *images, int32_t *labels, rs_error *error)
{
    const rs__set *set = reader->set;
    for (size_t i = 0; i < count; i++) {
        const unsigned char *record = reader->records + i * reader->record_bytes;
        int label = record[set->label_at];
        if (label >= set->classes) {
            return RS_FAIL(error, RS_DATA, "%s: byte %" PRIu64 ": label %d; %s has labels 0 to %d",
                           rs__source_path(source),
                           begin + i * reader->record_bytes + (uint64_t)set->label_at, label, set->name,
                           set->classes - 1);
        }
        if (labels) {
            labels[i] = label;
            memcpy(images + i * reader->image_bytes, record + set->label_bytes, reader->image_bytes);
        }
    }
    return RS_OK;
}

/* Reads and checks a whole batch file; its first `kept` records go to the part at `place`. */
static rs_status read_batch(const batch_reader *reader, rs__source *source, int64_t records, rs__part *part,
                            int64_t place, int64_t kept, char *sha256, rs_error *error)
{
    RS_TRY(check_length(reader, source, records, error));
    for (int64_t done = 0; done < records;) {
        int64_t wanted = done < kept ? kept - done : records - done;
        size_t count = wanted < RECORDS_AT_ONCE ? (size_t)wanted : RECORDS_AT_ONCE;
        uint64_t begin = rs__source_offset(source);
        RS_TRY(rs__source_need(source, reader->records, count * reader->record_bytes, "records", error));
        bool keep = done < kept;
        size_t at = keep ? (size_t)(place + done) : 0;
        RS_TRY(take_records(reader, source, begin, count, part->images + at * reader->image_bytes,
                            keep ? part->labels + at : NULL, error));
        done += (int64_t)count;
    }
    return rs__source_end(source, sha256, error);
}

/* Files first .. last - 1 are one split; those behind the limit stay unread. */
static rs_status load_part(const batch_reader *reader, const rs__location *location, int first, int last,
                           int64_t records, int64_t limit, rs__part *part, rs__loaded *loaded,
                           rs_error *error)
{
    int64_t place = 0;
    RS_TRY(rs__part_create(reader->set, rs__limited((last - first) * records, limit), part, error));
    for (int i = first; i < last && place < part->count; i++) {
        char path[PATH_MAX];
        rs__source *source = NULL;
        RS_TRY(rs__path_join(path, sizeof path, location->folder, location->file[i], error));
        RS_TRY(rs__source_open(path, &source, error));
        rs__file_note *note = &loaded->note[loaded->note_count++];
        (void)snprintf(note->name, sizeof note->name, "%s", location->file[i]);
        note->bytes = rs__source_file_bytes(source);
        int64_t kept = part->count - place < records ? part->count - place : records;
        rs_status status = read_batch(reader, source, records, part, place, kept, note->sha256, error);
        rs__source_close(source);
        RS_TRY(status);
        place += kept;
    }
    return RS_OK;
}

rs_status rs__cifar_load(const rs__set *set, const rs__location *location, int64_t train_limit,
                         int64_t test_limit, rs__loaded *loaded, rs_error *error)
{
    batch_reader reader = {.set = set};
    int test = set->file_count - 1;
    reader.image_bytes = (size_t)set->channels * (size_t)set->height * (size_t)set->width;
    reader.record_bytes = (size_t)set->label_bytes + reader.image_bytes;
    reader.records = rs_alloc_array(RECORDS_AT_ONCE, reader.record_bytes);
    if (!reader.records) {
        return RS_FAIL(error, RS_MEMORY, "out of memory");
    }
    rs_status status =
        load_part(&reader, location, 0, test, set->train_records, train_limit, &loaded->train, loaded, error);
    if (status == RS_OK) {
        status = load_part(&reader, location, test, set->file_count, set->test_records, test_limit,
                           &loaded->test, loaded, error);
    }
    rs_free(reader.records);
    return status;
}
