/* result_file.c: the file of an analysis; see rs/result_file.h. */
#include "rs/result_file.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "h5.h"
#include "recorder_state.h"
#include "result_axes.h"
#include "rs/files.h"
#include "rs/host.h"
#include "rs/recorder.h"
#include "rs/version.h"

struct rs_result_file {
    hid_t file;
    char *path, *part;
};

static void release(rs_result_file *file)
{
    rs_h5_close(file->file);
    rs_free(file->path);
    rs_free(file->part);
    rs_free(file);
}

void rs_result_abandon(rs_result_file *file)
{
    if (file) {
        rs_h5_close(file->file);
        file->file = H5I_INVALID_HID;
        if (file->part) {
            (void)rs_files()->unlink(file->part);
        }
        release(file);
    }
}

static rs_status make_paths(rs_result_file *file, const char *path, rs_error *error)
{
    const size_t size = strlen(path) + sizeof ".part";
    char *directory = NULL;
    file->path = rs_strdup(path);
    file->part = rs_alloc_zero(size); /* no name yet: abandoning removes what it names */
    if (!file->path || !file->part) {
        return RS_FAIL(error, RS_MEMORY, "no memory for the path %s", path);
    }
    (void)snprintf(file->part, size, "%s.part", path);
    RS_TRY(rs_directory_of(path, &directory, error));
    rs_status status = rs_directory_make(directory, error);
    rs_free(directory);
    return status;
}

static rs_status put_origin(rs_result_file *file, const char *kind, rs_error *error)
{
    char stamp[32];
    time_t now = time(NULL);
    struct tm utc;
    (void)gmtime_r(&now, &utc);
    (void)strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", &utc);
    RS_TRY(rs_result_text(file, "format", RS_RESULT_FORMAT, error));
    RS_TRY(rs_result_integer(file, "schema_version", RS_RESULT_VERSION, error));
    RS_TRY(rs_result_text(file, "kind", kind, error));
    RS_TRY(rs_result_text(file, "program_version", rs_version(), error));
    RS_TRY(rs_result_text(file, "commit", rs_commit(), error));
    return rs_result_text(file, "computed_at", stamp, error);
}

rs_status rs_result_create(const char *path, const char *kind, bool overwrite, rs_result_file **file,
                           rs_error *error)
{
    *file = NULL;
    if (!overwrite && access(path, F_OK) == 0) {
        return RS_FAIL(error, RS_USAGE, "%s exists; replace it with --overwrite, or choose another -o", path);
    }
    RS_TRY(rs_check_replaceable(path, error));
    rs_result_file *made = rs_alloc_zero(sizeof *made);
    if (!made) {
        return RS_FAIL(error, RS_MEMORY, "no memory for the result %s", path);
    }
    made->file = H5I_INVALID_HID;
    rs_status status = make_paths(made, path, error);
    status = status ? status : rs_h5_open(made->part, RS_H5_CREATE, &made->file, error);
    status = status ? status : put_origin(made, kind, error);
    if (status) {
        rs_result_abandon(made);
        return status;
    }
    *file = made;
    return RS_OK;
}

rs_status rs_result_text(rs_result_file *file, const char *name, const char *text, rs_error *error)
{
    return rs_h5_put_text(file->file, name, text, error);
}

rs_status rs_result_integer(rs_result_file *file, const char *name, int64_t value, rs_error *error)
{
    return rs_h5_put_int(file->file, name, value, error);
}

rs_status rs_result_real(rs_result_file *file, const char *name, double value, rs_error *error)
{
    hid_t space = H5I_INVALID_HID, attribute = H5I_INVALID_HID;
    rs_status status = RS_OK;
    RS_H5_GOTO(space = H5Screate(H5S_SCALAR));
    RS_H5_GOTO(attribute = H5Acreate2(file->file, name, H5T_IEEE_F64LE, space, H5P_DEFAULT, H5P_DEFAULT));
    RS_H5_GOTO(H5Awrite(attribute, H5T_NATIVE_DOUBLE, &value));
done:
    rs_h5_close(attribute);
    rs_h5_close(space);
    return status;
}

static rs_status describe(hid_t file, hid_t dataset, const rs_result_array *array, rs_error *error)
{
    RS_TRY(rs__result_axes(file, dataset, array, error));
    RS_TRY(rs_h5_put_text(dataset, "what", array->what, error));
    return rs_h5_put_text(dataset, "unit", array->unit, error);
}

static rs_status put(rs_result_file *file, const rs_result_array *array, hid_t stored, hid_t given,
                     const void *values, rs_error *error)
{
    hid_t links = H5I_INVALID_HID, space = H5I_INVALID_HID, dataset = H5I_INVALID_HID;
    hsize_t dim[RS_RESULT_RANK];
    rs_status status = RS_OK;
    for (int axis = 0; axis < array->rank; axis++) {
        dim[axis] = (hsize_t)array->dim[axis];
    }
    RS_H5_GOTO(links = H5Pcreate(H5P_LINK_CREATE));
    RS_H5_GOTO(H5Pset_create_intermediate_group(links, 1));
    RS_H5_GOTO(space = H5Screate_simple(array->rank, dim, NULL));
    RS_H5_GOTO(dataset = H5Dcreate2(file->file, array->path, stored, space, links, H5P_DEFAULT, H5P_DEFAULT));
    if (H5Sget_simple_extent_npoints(space) > 0) {
        RS_H5_GOTO(H5Dwrite(dataset, given, H5S_ALL, H5S_ALL, H5P_DEFAULT, values));
    }
    RS_TRY_GOTO(describe(file->file, dataset, array, error));
done:
    rs_h5_close(dataset);
    rs_h5_close(space);
    rs_h5_close(links);
    return status;
}

rs_status rs_result_reals(rs_result_file *file, const rs_result_array *array, const double *values,
                          rs_error *error)
{
    return put(file, array, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, values, error);
}

rs_status rs_result_integers(rs_result_file *file, const rs_result_array *array, const int64_t *values,
                             rs_error *error)
{
    return put(file, array, H5T_STD_I64LE, H5T_NATIVE_INT64, values, error);
}

rs_status rs_result_texts(rs_result_file *file, const rs_result_array *array, const char *const *texts,
                          rs_error *error)
{
    size_t longest = 1;
    RS_ASSERT(array->rank == 1);
    for (int64_t i = 0; i < array->dim[0]; i++) {
        longest = strlen(texts[i]) > longest ? strlen(texts[i]) : longest;
    }
    char *packed = rs_alloc_array((size_t)array->dim[0] + 1, longest);
    hid_t type = H5I_INVALID_HID;
    rs_status status;
    if (!packed) {
        return RS_FAIL(error, RS_MEMORY, "no memory for %s", array->path);
    }
    for (int64_t i = 0; i < array->dim[0]; i++) {
        memcpy(packed + (size_t)i * longest, texts[i], strlen(texts[i]));
    }
    RS_TRY_GOTO(rs_h5_string_type(longest, &type, error));
    RS_TRY_GOTO(put(file, array, type, type, packed, error));
done:
    rs_h5_close(type);
    rs_free(packed);
    return status;
}

rs_status rs_result_finish(rs_result_file *file, rs_error *error)
{
    rs_status status = H5Fflush(file->file, H5F_SCOPE_GLOBAL) < 0
                           ? rs_h5_fail(error, __FILE__, __LINE__, "H5Fflush")
                           : rs_h5_sync(file->file, error);
    if (!status && H5Fclose(file->file) < 0) {
        status = rs_h5_fail(error, __FILE__, __LINE__, "H5Fclose");
    }
    if (!status) {
        file->file = H5I_INVALID_HID;
        status = rs_file_publish(file->part, file->path, error);
    }
    if (status) {
        rs_result_abandon(file);
        return status;
    }
    release(file);
    return RS_OK;
}
