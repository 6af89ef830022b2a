/* reader.c: a record for other parts of the program; see rs/record_reader.h. */
#include "rs/record_reader.h"

#include <inttypes.h>
#include <string.h>

#include "contents.h"
#include "rs/host.h"
#include "rs/text.h"

struct rs_record_reader {
    rs_contents *contents; /* fills up as data sets are asked for */
    char *config;
};

rs_status rs_record_reader_open(const char *path, rs_record_reader **reader, rs_error *error)
{
    *reader = NULL;
    rs_record_reader *made = rs_alloc_zero(sizeof *made);
    rs_contents *contents = rs_alloc_zero(sizeof *contents);
    rs_status status = made && contents ? rs_contents_open_unlisted(path, contents, error)
                                        : RS_FAIL(error, RS_MEMORY, "no memory to read %s", path);
    if (status) {
        rs_free(contents);
        rs_free(made);
        return status;
    }
    made->contents = contents;
    if (rs_h5_read_string(contents->file, "config", &made->config, error)) {
        rs_record_reader_close(made);
        error->status = error->status == RS_IO ? RS_DATA : error->status;
        return rs_error_prefix(error, "%s", path);
    }
    *reader = made;
    return RS_OK;
}

void rs_record_reader_close(rs_record_reader *reader)
{
    if (reader) {
        rs_contents_close(reader->contents);
        rs_free(reader->contents);
        rs_free(reader->config);
        rs_free(reader);
    }
}

const char *rs_record_reader_path(const rs_record_reader *reader)
{
    return reader->contents->path;
}

const char *rs_record_reader_config(const rs_record_reader *reader)
{
    return reader->config;
}

const rs_position *rs_record_reader_committed(const rs_record_reader *reader)
{
    static const rs_position nothing;
    return reader->contents->commits.count > 0 ? &reader->contents->commits.position : &nothing;
}

rs_status rs_record_reader_attribute(const rs_record_reader *reader, const char *name, char **text,
                                     rs_error *error)
{
    *text = NULL;
    return rs_h5_get_text(reader->contents->file, name, text, error);
}

rs_status rs_record_reader_integer(const rs_record_reader *reader, const char *name, int64_t *value,
                                   rs_error *error)
{
    return rs_h5_get_int(reader->contents->file, name, value, error);
}

rs_status rs_record_reader_text(const rs_record_reader *reader, const char *path, char **text,
                                rs_error *error)
{
    *text = NULL;
    const rs_content *content;
    RS_TRY(rs_contents_look_up(reader->contents, path, &content, error));
    if (!content || content->class != H5T_STRING || content->rank != 0) {
        return RS_FAIL(error, RS_DATA, "%s: there is no text %s", reader->contents->path, path);
    }
    rs_status status = rs_h5_read_string(reader->contents->file, path, text, error);
    return status ? rs_error_prefix(error, "%s", reader->contents->path) : RS_OK;
}

static int64_t snapshots(const rs_record_reader *reader)
{
    return rs_record_reader_committed(reader)->snapshots;
}

rs_status rs_record_reader_find_snapshot(const rs_record_reader *reader, const char *text, int64_t *snapshot,
                                         rs_error *error)
{
    int64_t count = snapshots(reader);
    if (count == 0) {
        return RS_FAIL(error, RS_DATA, "%s holds no snapshots", reader->contents->path);
    }
    *snapshot = count - 1;
    if (strcmp(text, "last") == 0) {
        return RS_OK;
    }
    if (!rs_text_int(text, snapshot) || *snapshot < 0 || *snapshot >= count) {
        return RS_FAIL(error, RS_USAGE, "snapshot %s of %s: there are 0 to %" PRId64 ", or last", text,
                       reader->contents->path, count - 1);
    }
    return RS_OK;
}

bool rs_record_reader_has(const rs_record_reader *reader, const char *path)
{
    return rs_contents_has(reader->contents, path);
}

rs_status rs_record_reader_list(const rs_record_reader *reader, rs_error *error)
{
    rs_status status = rs_contents_list(reader->contents, error);
    if (status) {
        error->status = status == RS_IO ? RS_DATA : status;
        return rs_error_prefix(error, "%s", reader->contents->path);
    }
    return RS_OK;
}

bool rs_record_reader_item(const rs_record_reader *reader, int index, rs_record_item *item)
{
    RS_ASSERT(reader->contents->listed);
    if (index < 0 || index >= reader->contents->count) {
        return false;
    }
    const rs_content *content = &reader->contents->list[index];
    *item = (rs_record_item){.path = content->path,
                             .numbers = content->class == H5T_FLOAT || content->class == H5T_INTEGER,
                             .grows = content->table >= 0,
                             .value_size = (int)content->type_size,
                             .rows = content->table >= 0  ? rs_content_rows(reader->contents, content)
                                     : content->rank == 0 ? 1
                                                          : (int64_t)content->dim[0],
                             .rank = content->rank,
                             .row.rank = content->rank > 0 ? content->rank - 1 : 0};
    for (int axis = 0; axis < item->row.rank && axis < RS_MAX_RANK; axis++) {
        item->row.dim[axis] = (int64_t)content->dim[axis + 1];
    }
    return true;
}

/* A data set of numbers whose rows first .. first + rows - 1 count. */
static rs_status find_rows(const rs_record_reader *reader, const char *path, int64_t first, int64_t rows,
                           const rs_content **content, rs_error *error)
{
    const rs_contents *contents = reader->contents;
    RS_TRY(rs_contents_look_up(reader->contents, path, content, error));
    if (!*content) {
        return RS_FAIL(error, RS_DATA, "%s: %s was not recorded", contents->path, path);
    }
    bool numbers = (*content)->class == H5T_FLOAT || (*content)->class == H5T_INTEGER;
    int64_t extent = (*content)->rank > 0 ? (int64_t)(*content)->dim[0] : 0;
    int64_t count = (*content)->table >= 0 ? rs_content_rows(contents, *content) : extent;
    if (!numbers || (*content)->rank == 0 || count > extent) {
        return RS_FAIL(error, RS_DATA, "%s: %s is not as a record has it; see resnet_study verify",
                       contents->path, path);
    }
    if (first < 0 || rows < 0 || first > count - rows) {
        return RS_FAIL(error, RS_DATA, "%s: %s has %" PRId64 " rows", contents->path, path, count);
    }
    return RS_OK;
}

/* Reads rows as `type` in memory. */
static rs_status read_rows(const rs_record_reader *reader, const rs_content *content, int64_t first,
                           int64_t rows, hid_t type, void *values, rs_error *error)
{
    hid_t dataset = H5I_INVALID_HID;
    rs_status status = RS_OK;
    if (rows == 0) {
        return RS_OK;
    }
    RS_H5_GOTO(dataset = H5Dopen2(reader->contents->file, content->path, H5P_DEFAULT));
    status = rs_content_read_as(dataset, content, first, rows, type, values, error);
done:
    rs_h5_close(dataset);
    return status == RS_OK ? RS_OK : rs_error_prefix(error, "%s", reader->contents->path);
}

/* Numbers in a row, or -1 where that is no number. */
static int64_t width_of(const rs_content *content)
{
    size_t width = 1;
    for (int axis = 1; axis < content->rank; axis++) {
        if (!rs_multiply(width, (size_t)content->dim[axis], &width) || width > INT32_MAX) {
            return -1;
        }
    }
    return (int64_t)width;
}

/* How much is read is up to the file; how much there is room for, to the caller. */
static rs_status check_width(const rs_record_reader *reader, const rs_content *content, int64_t width,
                             rs_error *error)
{
    const int64_t found = width_of(content);
    return found == width
               ? RS_OK
               : RS_FAIL(error, RS_DATA,
                         "%s: a row of %s has %" PRId64 " numbers, not %" PRId64 "; see resnet_study verify",
                         reader->contents->path, content->path, found, width);
}

rs_status rs_record_reader_snapshot(const rs_record_reader *reader, int64_t snapshot,
                                    rs_snapshot_place *place, rs_error *error)
{
    static const char *const paths[] = {"snapshots/epoch", "snapshots/step"};
    int64_t values[2];
    for (int i = 0; i < 2; i++) {
        const rs_content *content;
        RS_TRY(find_rows(reader, paths[i], snapshot, 1, &content, error));
        RS_TRY(check_width(reader, content, 1, error));
        RS_TRY(read_rows(reader, content, snapshot, 1, H5T_NATIVE_INT64, &values[i], error));
    }
    *place = (rs_snapshot_place){values[0], values[1]};
    return RS_OK;
}

static rs_status read_tensor(const rs_record_reader *reader, const char *group, const char *name,
                             int64_t snapshot, const rs_shape *shape, float *values, rs_error *error)
{
    char path[RS_CONTENT_PATH_MAX];
    const rs_content *content;
    (void)snprintf(path, sizeof path, "%s/%s", group, name);
    RS_TRY(find_rows(reader, path, snapshot, 1, &content, error));
    bool same = content->rank == shape->rank + 1;
    for (int axis = 0; same && axis < shape->rank; axis++) {
        same = (int64_t)content->dim[axis + 1] == shape->dim[axis];
    }
    if (!same) {
        char wanted[96];
        rs_shape_text(shape, wanted, sizeof wanted);
        return RS_FAIL(error, RS_DATA, "%s: %s has another shape than %s", reader->contents->path, path,
                       wanted);
    }
    return read_rows(reader, content, snapshot, 1, H5T_NATIVE_FLOAT, values, error);
}

rs_status rs_record_reader_tensor(const rs_record_reader *reader, const char *name, int64_t snapshot,
                                  const rs_shape *shape, float *values, rs_error *error)
{
    return read_tensor(reader, "weights", name, snapshot, shape, values, error);
}

rs_status rs_record_reader_gradient(const rs_record_reader *reader, const char *name, int64_t snapshot,
                                    const rs_shape *shape, float *values, rs_error *error)
{
    return read_tensor(reader, "gradients", name, snapshot, shape, values, error);
}

rs_status rs_record_reader_series_size(const rs_record_reader *reader, const char *path, int64_t *rows,
                                       int64_t *width, rs_error *error)
{
    const rs_content *content;
    RS_TRY(find_rows(reader, path, 0, 0, &content, error));
    *rows = content->table >= 0 ? rs_content_rows(reader->contents, content) : (int64_t)content->dim[0];
    *width = width_of(content);
    return *width >= 0
               ? RS_OK
               : RS_FAIL(error, RS_DATA, "%s: the rows of %s are too long", reader->contents->path, path);
}

rs_status rs_record_reader_series(const rs_record_reader *reader, const char *path, int64_t first,
                                  int64_t rows, int64_t width, double *values, rs_error *error)
{
    const rs_content *content;
    RS_TRY(find_rows(reader, path, first, rows, &content, error));
    RS_TRY(check_width(reader, content, width, error));
    return read_rows(reader, content, first, rows, H5T_NATIVE_DOUBLE, values, error);
}

rs_status rs_record_reader_name(const rs_record_reader *reader, const char *path, int64_t index,
                                char name[RS_NAME_MAX], rs_error *error)
{
    const rs_content *content;
    hid_t type = H5I_INVALID_HID;
    rs_status status;
    RS_TRY(rs_contents_look_up(reader->contents, path, &content, error));
    if (!content || content->class != H5T_STRING || content->rank != 1 || index < 0 ||
        index >= (int64_t)content->dim[0]) {
        return RS_FAIL(error, RS_DATA, "%s: there is no text %" PRId64 " in %s", reader->contents->path,
                       index, path);
    }
    memset(name, 0, RS_NAME_MAX);
    RS_TRY_GOTO(rs_h5_string_type(RS_NAME_MAX, &type, error));
    RS_TRY_GOTO(read_rows(reader, content, index, 1, type, name, error));
    name[RS_NAME_MAX - 1] = '\0';
done:
    rs_h5_close(type);
    return status;
}

rs_status rs_record_reader_parameter(const rs_record_reader *reader, int64_t row, rs_record_tensor *tensor,
                                     rs_error *error)
{
    const double most = INT32_MAX; /* what a file says may be no size at all */
    double numbers[RS_MAX_RANK], block = -1.0;
    memset(tensor, 0, sizeof *tensor);
    RS_TRY(rs_record_reader_name(reader, "parameters/name", row, tensor->name, error));
    RS_TRY(rs_record_reader_series(reader, "parameters/shape", row, 1, RS_MAX_RANK, numbers, error));
    RS_TRY(rs_record_reader_series(reader, "parameters/block", row, 1, 1, &block, error));
    while (tensor->shape.rank < RS_MAX_RANK && numbers[tensor->shape.rank] > 0.0 &&
           numbers[tensor->shape.rank] < most) {
        tensor->shape.dim[tensor->shape.rank] = (int64_t)numbers[tensor->shape.rank];
        tensor->shape.rank++;
    }
    tensor->count = rs_shape_count(&tensor->shape);
    tensor->block = block >= 0.0 && block < most ? (int)block : -1;
    return tensor->count > 0 && tensor->count < INT32_MAX
               ? RS_OK
               : RS_FAIL(error, RS_DATA, "%s: the shape of %s makes no sense", reader->contents->path,
                         tensor->name);
}
