/* read_record.c: see read_record.h. */
#include "read_record.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "rs/host.h"
#include "rs/record_reader.h"
#include "rs/recorder.h"
#include "rs/result_reader.h"
#include "verify.h"

enum { MOST_VALUES = 1 << 16 };

static void read_item(const rs_record_reader *reader, const rs_record_item *item)
{
    rs_error error;
    int64_t rows, width;
    char name[RS_NAME_MAX], *text = NULL;
    rs_snapshot_place place;
    RS_ASSERT(rs_record_reader_has(reader, item->path));
    rs_fuzz_settle(rs_record_reader_name(reader, item->path, 0, name, &error), &error);
    rs_fuzz_settle(rs_record_reader_text(reader, item->path, &text, &error), &error);
    rs_free(text);
    rs_fuzz_settle(rs_record_reader_snapshot(reader, 0, &place, &error), &error);
    rs_status status = rs_record_reader_series_size(reader, item->path, &rows, &width, &error);
    rs_fuzz_settle(status, &error);
    if (!status && rows > 0 && width > 0 && width <= MOST_VALUES) {
        const int64_t first = rows > 2 ? rows - 2 : 0;
        double *values = rs_alloc((size_t)(rows - first) * (size_t)width * sizeof *values);
        RS_ASSERT(values);
        rs_fuzz_settle(
            rs_record_reader_series(reader, item->path, first, rows - first, width, values, &error), &error);
        rs_free(values);
    }
}

static void read_tensor(const rs_record_reader *reader, const rs_record_item *item)
{
    static float values[MOST_VALUES];
    const char *name = strchr(item->path, '/');
    rs_error error;
    if (name && item->row.rank <= RS_MAX_RANK && rs_shape_count(&item->row) <= MOST_VALUES) {
        rs_fuzz_settle(rs_record_reader_tensor(reader, name + 1, 0, &item->row, values, &error), &error);
        rs_fuzz_settle(rs_record_reader_gradient(reader, name + 1, 1, &item->row, values, &error), &error);
    }
}

static bool read_by_reader(const char *path)
{
    rs_record_reader *reader = NULL;
    rs_record_summary summary;
    rs_record_item item;
    rs_error error;
    int64_t number;
    char *text = NULL;
    rs_status status = rs_record_summarize(path, &summary, &error);
    rs_fuzz_settle(status, &error);
    rs_free(status ? NULL : summary.config_yaml);
    status = rs_record_reader_open(path, &reader, &error);
    rs_fuzz_settle(status, &error);
    if (status) {
        return false;
    }
    rs_fuzz_settle(rs_record_reader_attribute(reader, "device", &text, &error), &error);
    rs_free(text);
    rs_fuzz_settle(rs_record_reader_integer(reader, "seed", &number, &error), &error);
    rs_fuzz_settle(rs_record_reader_find_snapshot(reader, "last", &number, &error), &error);
    (void)rs_record_reader_has(reader, "weights/0.weight");
    status = rs_record_reader_list(reader, &error);
    rs_fuzz_settle(status, &error);
    for (int i = 0; !status && rs_record_reader_item(reader, i, &item); i++) {
        read_item(reader, &item);
        read_tensor(reader, &item);
    }
    rs_record_reader_close(reader);
    return true;
}

static void read_array(const rs_result_reader *reader, const char *path)
{
    static double values[MOST_VALUES];
    rs_error error;
    int rank;
    int64_t dim[RS_RESULT_RANK];
    char *text = NULL;
    rs_status status = rs_result_reader_size(reader, path, &rank, dim, &error);
    rs_fuzz_settle(status, &error);
    for (int i = 0; !status && i < RS_RESULT_RANK; i++) {
        RS_ASSERT(dim[i] >= 0);
    }
    if (!status && dim[0] <= MOST_VALUES && dim[1] <= MOST_VALUES && dim[2] <= MOST_VALUES &&
        dim[0] * dim[1] * dim[2] <= MOST_VALUES) {
        rs_fuzz_settle(rs_result_reader_reals(reader, path, dim[0] * dim[1] * dim[2], values, &error),
                       &error);
    }
    rs_fuzz_settle(rs_result_reader_text_at(reader, path, 0, &text, &error), &error);
    rs_free(text);
}

static bool read_results(const char *path)
{
    static const char *const paths[] = {"component/variance", "inputs/path", "inputs/sha256",
                                        "point/coordinate", "steps/x"};
    rs_result_reader *reader = NULL;
    rs_error error;
    int64_t number;
    double real;
    char *text = NULL;
    rs_status status = rs_result_reader_open(path, &reader, &error);
    rs_fuzz_settle(status, &error);
    if (status) {
        return false;
    }
    rs_fuzz_touch(rs_result_reader_kind(reader), strlen(rs_result_reader_kind(reader)));
    rs_fuzz_settle(rs_result_reader_text(reader, "commit", &text, &error), &error);
    rs_free(text);
    rs_fuzz_settle(rs_result_reader_integer(reader, "schema_version", &number, &error), &error);
    rs_fuzz_settle(rs_result_reader_real(reader, "other", &real, &error), &error);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        if (rs_result_reader_has(reader, paths[i])) {
            read_array(reader, paths[i]);
        }
    }
    rs_result_reader_close(reader);
    return true;
}

/* verify --repair: what commits covered stays. */
static void repair(int slot, const char *path)
{
    rs_record_summary before, after;
    rs_error error;
    size_t sizes[2];
    const bool read = rs_record_summarize(path, &before, &error) == RS_OK;
    uint8_t *old = rs_fuzz_contents(slot, &sizes[0]);
    rs_status status = rs_record_repair(path, &error);
    rs_fuzz_settle(status, &error);
    uint8_t *new = rs_fuzz_contents(slot, &sizes[1]);
    if (read && !status) {
        RS_ASSERT(rs_record_summarize(path, &after, &error) == RS_OK);
        RS_ASSERT(after.commits == before.commits && after.committed.steps == before.committed.steps);
        rs_free(after.config_yaml);
    }
    free(old);
    free(new);
    rs_free(read ? before.config_yaml : NULL);
}

static rs_status read_one(int slot, const char *path, const char *other, unsigned which, rs_error *error)
{
    FILE *stream = rs_fuzz_nowhere();
    int count = 0;
    switch (which) {
    case 0:
        return rs_record_info(path, 0, false, stream, error);
    case 1:
        return rs_record_info(path, 0, true, stream, error);
    case 2:
        return rs_record_info(path, 2, false, stream, error);
    case 3:
        return rs_record_verify(path, stream, &count, error);
    case 4:
        return rs_record_same(path, other, stream, &count, error);
    case 5: {
        const bool record = read_by_reader(path), result = read_results(path);
        return record || result ? RS_OK : RS_FAIL(error, RS_DATA, "neither record nor result");
    }
    case 6:
        rs_fuzz_compare(path, other);
        return RS_FAIL(error, RS_DATA, "compared");
    default:
        repair(slot, path);
        return RS_FAIL(error, RS_DATA, "repaired");
    }
}

bool rs_fuzz_read_record(int slot, const char *path, const char *other, unsigned which)
{
    bool read = false;
    rs_error error;
    for (unsigned i = 0; i < RS_FUZZ_READERS; i++) {
        if (rs_fuzz_thorough || i == which % RS_FUZZ_READERS) {
            rs_status status = read_one(slot, path, other, i, &error);
            rs_fuzz_settle(status, &error);
            read = read || status == RS_OK;
        }
    }
    return read;
}
