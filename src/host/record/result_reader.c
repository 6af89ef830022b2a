/* result_reader.c: see rs/result_reader.h. */
#include "rs/result_reader.h"

#include <string.h>

#include "h5.h"
#include "rs/host.h"
#include "rs/tensor.h"

struct rs_result_reader {
    hid_t file;
    char *path, *kind;
};

void rs_result_reader_close(rs_result_reader *reader)
{
    if (reader) {
        rs_h5_close(reader->file);
        rs_free(reader->path);
        rs_free(reader->kind);
        rs_free(reader);
    }
}

/* Format and version, then the kind. */
static rs_status check_format(rs_result_reader *reader, rs_error *error)
{
    char *format = NULL;
    int64_t version = 0;
    if (rs_h5_get_text(reader->file, "format", &format, error) || strcmp(format, RS_RESULT_FORMAT) != 0) {
        rs_free(format);
        return RS_FAIL(error, RS_DATA, "%s: an HDF5 file, but no result of this program", reader->path);
    }
    rs_free(format);
    if (rs_h5_get_int(reader->file, "schema_version", &version, error) || version != RS_RESULT_VERSION) {
        return RS_FAIL(error, RS_DATA, "%s: a result of schema version %lld; this program knows version %d",
                       reader->path, (long long)version, RS_RESULT_VERSION);
    }
    return rs_h5_get_text(reader->file, "kind", &reader->kind, error);
}

rs_status rs_result_reader_open(const char *path, rs_result_reader **reader, rs_error *error)
{
    *reader = NULL;
    rs_result_reader *made = rs_alloc_zero(sizeof *made);
    if (!made) {
        return RS_FAIL(error, RS_MEMORY, "no memory to read %s", path);
    }
    made->file = H5I_INVALID_HID;
    made->path = rs_strdup(path);
    rs_status status = made->path ? rs_h5_open(path, RS_H5_READ, &made->file, error)
                                  : RS_FAIL(error, RS_MEMORY, "no memory to read %s", path);
    status = status ? status : check_format(made, error);
    if (status) {
        rs_result_reader_close(made);
        error->status = status == RS_IO ? RS_DATA : status;
        return strstr(error->text, path) ? error->status : rs_error_prefix(error, "%s", path);
    }
    *reader = made;
    return RS_OK;
}

const char *rs_result_reader_path(const rs_result_reader *reader)
{
    return reader->path;
}

const char *rs_result_reader_kind(const rs_result_reader *reader)
{
    return reader->kind;
}

rs_status rs_result_reader_text(const rs_result_reader *reader, const char *name, char **text,
                                rs_error *error)
{
    *text = NULL;
    return rs_h5_get_text(reader->file, name, text, error) ? rs_error_prefix(error, "%s", reader->path)
                                                           : RS_OK;
}

rs_status rs_result_reader_integer(const rs_result_reader *reader, const char *name, int64_t *value,
                                   rs_error *error)
{
    return rs_h5_get_int(reader->file, name, value, error);
}

rs_status rs_result_reader_real(const rs_result_reader *reader, const char *name, double *value,
                                rs_error *error)
{
    hid_t attribute = H5I_INVALID_HID, space = H5I_INVALID_HID;
    rs_status status = RS_OK;
    if (H5Aexists(reader->file, name) <= 0) {
        return RS_FAIL(error, RS_DATA, "%s: there is no attribute %s", reader->path, name);
    }
    RS_H5_GOTO(attribute = H5Aopen(reader->file, name, H5P_DEFAULT));
    RS_H5_GOTO(space = H5Aget_space(attribute));
    if (H5Sget_simple_extent_npoints(space) != 1) {
        status = RS_FAIL(error, RS_DATA, "%s: attribute %s is no single number", reader->path, name);
        goto done;
    }
    RS_H5_GOTO(H5Aread(attribute, H5T_NATIVE_DOUBLE, value));
done:
    rs_h5_close(space);
    rs_h5_close(attribute);
    return status;
}

bool rs_result_reader_has(const rs_result_reader *reader, const char *path)
{
    return rs_h5_has(reader->file, path);
}

/* Its sizes fit into what it takes in the file, so that products of them are numbers, too. */
static rs_status check_array(hid_t dataset, const char *path, int rank, const hsize_t *sizes, rs_error *error)
{
    hid_t type;
    RS_H5(type = H5Dget_type(dataset));
    size_t bytes = H5Tget_size(type);
    bool empty = false;
    rs_h5_close(type);
    for (int axis = 0; axis < rank; axis++) {
        const size_t size = sizes[axis] ? (size_t)sizes[axis] : 1;
        if (size > INT64_MAX || !rs_multiply(bytes, size, &bytes)) {
            return RS_FAIL(error, RS_DATA, "the shape of %s makes no sense", path);
        }
        empty = empty || sizes[axis] == 0;
    }
    return rs_h5_check_size(dataset, path, empty ? 0 : bytes, error);
}

/* Opens an array and its space, rank and sizes checked. */
static rs_status open_array(const rs_result_reader *reader, const char *path, hid_t *dataset, int *rank,
                            int64_t dim[RS_RESULT_RANK], rs_error *error)
{
    hid_t space = H5I_INVALID_HID;
    hsize_t sizes[RS_RESULT_RANK] = {0};
    rs_status status = RS_OK;
    *dataset = H5I_INVALID_HID;
    if (!rs_result_reader_has(reader, path)) {
        return RS_FAIL(error, RS_DATA, "%s: there is no %s in it", reader->path, path);
    }
    *dataset = H5Dopen2(reader->file, path, H5P_DEFAULT);
    if (*dataset < 0) {
        return RS_FAIL(error, RS_DATA, "%s: %s is no array", reader->path, path);
    }
    RS_TRY_GOTO(rs_h5_check_place(*dataset, path, error));
    RS_H5_GOTO(space = H5Dget_space(*dataset));
    *rank = H5Sget_simple_extent_ndims(space);
    if (*rank < 0 || *rank > RS_RESULT_RANK) {
        status = RS_FAIL(error, RS_DATA, "%s: %s has %d axes", reader->path, path, *rank);
        goto done;
    }
    RS_H5_GOTO(H5Sget_simple_extent_dims(space, sizes, NULL));
    for (int axis = 0; axis < RS_RESULT_RANK; axis++) {
        dim[axis] = axis < *rank ? (int64_t)sizes[axis] : 1;
    }
    status = check_array(*dataset, path, *rank, sizes, error);
done:
    rs_h5_close(space);
    return status;
}

rs_status rs_result_reader_size(const rs_result_reader *reader, const char *path, int *rank,
                                int64_t dim[RS_RESULT_RANK], rs_error *error)
{
    hid_t dataset;
    rs_status status = open_array(reader, path, &dataset, rank, dim, error);
    rs_h5_close(dataset);
    return status;
}

static H5T_class_t class_of(hid_t dataset)
{
    hid_t type = H5Dget_type(dataset);
    H5T_class_t class = type < 0 ? H5T_NO_CLASS : H5Tget_class(type);
    rs_h5_close(type);
    return class;
}

rs_status rs_result_reader_reals(const rs_result_reader *reader, const char *path, int64_t count,
                                 double *values, rs_error *error)
{
    hid_t dataset;
    int rank = 0;
    int64_t dim[RS_RESULT_RANK] = {0};
    rs_status status = open_array(reader, path, &dataset, &rank, dim, error);
    if (status) {
        goto done;
    }
    const H5T_class_t class = class_of(dataset);
    if (dim[0] * dim[1] * dim[2] != count || (class != H5T_FLOAT && class != H5T_INTEGER)) {
        status = RS_FAIL(error, RS_DATA, "%s: %s is not %lld numbers", reader->path, path, (long long)count);
        goto done;
    }
    if (count > 0) {
        RS_H5_GOTO(H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values));
    }
done:
    rs_h5_close(dataset);
    return status;
}

/* One element of a data set of fixed-length texts, with an end. */
static rs_status read_text(hid_t dataset, int64_t index, char **text, rs_error *error)
{
    hid_t type = H5I_INVALID_HID, memory = H5I_INVALID_HID, space = H5I_INVALID_HID, one = H5I_INVALID_HID;
    const hsize_t at = (hsize_t)index, single = 1;
    rs_status status = RS_OK;
    RS_H5_GOTO(type = H5Dget_type(dataset));
    const size_t bytes = H5Tget_size(type);
    *text = rs_alloc_zero(bytes + 1);
    if (!*text) {
        status = RS_FAIL(error, RS_MEMORY, "no memory for a text of %zu bytes", bytes);
        goto done;
    }
    RS_TRY_GOTO(rs_h5_string_type(bytes, &memory, error));
    RS_H5_GOTO(space = H5Dget_space(dataset));
    RS_H5_GOTO(H5Sselect_hyperslab(space, H5S_SELECT_SET, &at, NULL, &single, NULL));
    RS_H5_GOTO(one = H5Screate_simple(1, &single, NULL));
    RS_H5_GOTO(H5Dread(dataset, memory, one, space, H5P_DEFAULT, *text));
done:
    rs_h5_close(one);
    rs_h5_close(space);
    rs_h5_close(memory);
    rs_h5_close(type);
    return status;
}

rs_status rs_result_reader_text_at(const rs_result_reader *reader, const char *path, int64_t index,
                                   char **text, rs_error *error)
{
    hid_t dataset;
    int rank = 0;
    int64_t dim[RS_RESULT_RANK] = {0};
    *text = NULL;
    rs_status status = open_array(reader, path, &dataset, &rank, dim, error);
    if (!status && (rank != 1 || index < 0 || index >= dim[0] || class_of(dataset) != H5T_STRING)) {
        status =
            RS_FAIL(error, RS_DATA, "%s: there is no text %lld in %s", reader->path, (long long)index, path);
    }
    status = status ? status : read_text(dataset, index, text, error);
    if (status) {
        rs_free(*text);
        *text = NULL;
    }
    rs_h5_close(dataset);
    return status;
}
