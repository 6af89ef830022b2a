/* export_tensors.c: weights and gradients of snapshots, as safetensors (a file each) and as .npy (a file a tensor). Values are
 * the record's own 32-bit floats. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "export.h"
#include "rs/config.h"
#include "rs/host.h"
#include "rs/json.h"

/* The tensors of one folder of a record: "weights" or "gradients". */
typedef struct tensors {
    const char *folder;
    int64_t snapshot;
    rs_snapshot_place place;
} tensors;

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "values are written as they lie in memory");

/* The next tensor from item *index on that is wanted; moves *index behind it. */
static bool next_tensor(const rs__export *what, const tensors *of, int *index, rs_record_item *item,
                        const char **name)
{
    const size_t length = strlen(of->folder);
    while (rs_record_reader_item(what->reader, (*index)++, item)) {
        if (strncmp(item->path, of->folder, length) == 0 && item->path[length] == '/' &&
            item->row.rank <= RS_MAX_RANK) {
            *name = item->path + length + 1;
            if (!what->layers || rs_config_globs_take(what->layers, *name)) {
                return true;
            }
        }
    }
    return false;
}

static rs_status put_values(const rs__export *what, const tensors *of, const rs_record_item *item,
                            const char *name, FILE *stream, rs_error *error)
{
    const int64_t count = rs_shape_count(&item->row);
    float *values = count >= 0 ? rs_alloc_array((size_t)count + 1, sizeof *values) : NULL;
    if (!values) {
        return RS_FAIL(error, RS_MEMORY, "no memory for %s", item->path);
    }
    rs_status status =
        strcmp(of->folder, "weights") == 0
            ? rs_record_reader_tensor(what->reader, name, of->snapshot, &item->row, values, error)
            : rs_record_reader_gradient(what->reader, name, of->snapshot, &item->row, values, error);
    if (!status) {
        (void)fwrite(values, sizeof *values, (size_t)count, stream); /* an error stays with the stream */
    }
    rs_free(values);
    return status;
}

/* --- safetensors -------------------------------------------------------------------------------------------- */

static void put_metadata(rs_json *json, const rs__export *what, const tensors *of)
{
    char number[32];
    rs_json_open(json, "__metadata__", '{');
    rs_json_text(json, "format", "pt");
    rs_json_text(json, "record", rs_record_reader_path(what->reader));
    rs_json_text(json, "holds", of->folder);
    (void)snprintf(number, sizeof number, "%" PRId64, of->snapshot);
    rs_json_text(json, "snapshot", number);
    (void)snprintf(number, sizeof number, "%" PRId64, of->place.epoch);
    rs_json_text(json, "epoch", number);
    (void)snprintf(number, sizeof number, "%" PRId64, of->place.step);
    rs_json_text(json, "step", number);
    rs_json_close(json);
}

static void put_entry(rs_json *json, const char *name, const rs_shape *shape, int64_t *offset)
{
    rs_json_open(json, name, '{');
    rs_json_text(json, "dtype", "F32");
    rs_json_open(json, "shape", '[');
    for (int axis = 0; axis < shape->rank; axis++) {
        rs_json_integer(json, NULL, shape->dim[axis]);
    }
    rs_json_close(json);
    rs_json_open(json, "data_offsets", '[');
    rs_json_integer(json, NULL, *offset);
    *offset += rs_shape_count(shape) * (int64_t)sizeof(float);
    rs_json_integer(json, NULL, *offset);
    rs_json_close(json);
    rs_json_close(json);
}

/* The header's length in 8 bytes, the header, blanks up to a multiple of 8. */
static rs_status put_header(const rs__export *what, const tensors *of, FILE *stream, rs_error *error)
{
    char *text = NULL;
    const char *name;
    size_t length = 0;
    int64_t offset = 0;
    rs_record_item item;
    FILE *memory = open_memstream(&text, &length);
    if (!memory) {
        return RS_FAIL(error, RS_MEMORY, "no memory for a header");
    }
    rs_json json = rs_json_begin(memory);
    rs_json_open(&json, NULL, '{');
    put_metadata(&json, what, of);
    for (int i = 0; next_tensor(what, of, &i, &item, &name);) {
        put_entry(&json, name, &item.row, &offset);
    }
    rs_json_close(&json);
    const bool whole = fclose(memory) == 0;
    const uint64_t padded = (length + 7) / 8 * 8;
    if (whole) {
        (void)fwrite(&padded, sizeof padded, 1, stream);
        (void)fprintf(stream, "%s%*s", text, (int)(padded - length), "");
    }
    free(text); /* the stream's own memory is malloc's */
    return whole ? RS_OK : RS_FAIL(error, RS_MEMORY, "no memory for a header");
}

static rs_status put_safetensors(const rs__export *what, const tensors *of, rs_error *error)
{
    char file[64];
    const char *name;
    rs_record_item item;
    FILE *stream;
    (void)snprintf(file, sizeof file, "%s_%" PRId64 ".safetensors", of->folder, of->snapshot);
    RS_TRY(rs__outputs_open(what->outputs, file, &stream, error));
    RS_TRY(put_header(what, of, stream, error));
    for (int i = 0; next_tensor(what, of, &i, &item, &name);) {
        RS_TRY(put_values(what, of, &item, name, stream, error));
    }
    return rs__outputs_close(what->outputs, error);
}

/* --- npy ---------------------------------------------------------------------------------------------------- */

/* Magic, version 1.0, the header's length in 2 bytes, the header with blanks so that values begin at a multiple of 64. */
static void put_npy_header(const rs_shape *shape, FILE *stream)
{
    enum { BEFORE = 10, ALIGN = 64 };
    char text[256];
    size_t used = (size_t)snprintf(text, sizeof text, "{'descr': '<f4', 'fortran_order': False, 'shape': (");
    for (int axis = 0; axis < shape->rank; axis++) {
        used += (size_t)snprintf(text + used, sizeof text - used, "%" PRId64 "%s", shape->dim[axis],
                                 axis + 1 < shape->rank ? ", "
                                 : shape->rank == 1     ? ","
                                                        : "");
    }
    used += (size_t)snprintf(text + used, sizeof text - used, "), }");
    const size_t length = (BEFORE + used + 1 + ALIGN - 1) / ALIGN * ALIGN - BEFORE;
    const unsigned char begin[BEFORE] = {
        0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, (unsigned char)(length & 0xff), (unsigned char)(length >> 8)};
    (void)fwrite(begin, 1, sizeof begin, stream);
    (void)fprintf(stream, "%s%*s\n", text, (int)(length - used - 1), "");
}

static rs_status put_npy(const rs__export *what, const tensors *of, rs_error *error)
{
    const char *name;
    rs_record_item item;
    for (int i = 0; next_tensor(what, of, &i, &item, &name);) {
        char file[RS_NAME_MAX + 96];
        FILE *stream;
        (void)snprintf(file, sizeof file, "%s_%" PRId64 "/%s.npy", of->folder, of->snapshot, name);
        RS_TRY(rs__outputs_open(what->outputs, file, &stream, error));
        put_npy_header(&item.row, stream);
        RS_TRY(put_values(what, of, &item, name, stream, error));
        RS_TRY(rs__outputs_close(what->outputs, error));
    }
    return RS_OK;
}

/* --- both --------------------------------------------------------------------------------------------------- */

static rs_status check_any(const rs__export *what, const char *folder, rs_error *error)
{
    const tensors of = {.folder = folder};
    rs_record_item item;
    const char *name;
    int index = 0;
    if (next_tensor(what, &of, &index, &item, &name)) {
        return RS_OK;
    }
    return RS_FAIL(error, RS_DATA, "%s holds no %s%s%s", rs_record_reader_path(what->reader), folder,
                   what->layers ? " that match --layer " : "", what->layers ? what->layers : "");
}

static rs_status put_all(const rs__export *what,
                         rs_status (*put)(const rs__export *what, const tensors *of, rs_error *error),
                         rs_error *error)
{
    if (what->count == 0) {
        return RS_FAIL(error, RS_DATA, "%s holds no snapshots", rs_record_reader_path(what->reader));
    }
    RS_TRY(check_any(what, "weights", error));
    if (what->gradients) {
        RS_TRY(check_any(what, "gradients", error));
    }
    for (int64_t s = what->first; s < what->first + what->count; s++) {
        tensors of = {.folder = "weights", .snapshot = s};
        RS_TRY(rs_record_reader_snapshot(what->reader, s, &of.place, error));
        RS_TRY(put(what, &of, error));
        of.folder = "gradients";
        if (what->gradients && of.place.step > 0) { /* the initial state has none */
            RS_TRY(put(what, &of, error));
        }
    }
    return RS_OK;
}

rs_status rs__export_safetensors(const rs__export *what, rs_error *error)
{
    return put_all(what, put_safetensors, error);
}

rs_status rs__export_npy(const rs__export *what, rs_error *error)
{
    return put_all(what, put_npy, error);
}
