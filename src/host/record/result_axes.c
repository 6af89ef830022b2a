/* result_axes.c: labels and scales of the axes of a file of results; see result_axes.h.
 *
 * netCDF readers look for a scale in the data set's own folder and in those above it, and refuse a variable of which some
 * axes have scales and some none: an array gets all of them or none. */
#include "result_axes.h"

#include <stdio.h>
#include <string.h>

#include "rs/host.h"

enum { PATH = 256 };

/* "epochs/group" of the axis group of epochs/train_loss/mean; false where it has no room. */
static bool scale_path(const rs_result_array *array, int axis, char path[PATH])
{
    const char *slash = strchr(array->path, '/');
    const int folder = slash ? (int)(slash - array->path) + 1 : 0;
    return snprintf(path, PATH, "%.*s%s", folder, array->path, array->axis[axis]) < PATH;
}

/* Whether the data set `path` is a scale of so many rows. */
static bool serves(hid_t file, const char *path, int64_t rows)
{
    H5O_info_t info;
    if (H5Oget_info_by_name1(file, path, &info, H5P_DEFAULT) < 0 || info.type != H5O_TYPE_DATASET) {
        return false;
    }
    hid_t dataset = H5Dopen2(file, path, H5P_DEFAULT);
    hid_t space = dataset < 0 ? H5I_INVALID_HID : H5Dget_space(dataset);
    const bool same =
        space >= 0 && H5DSis_scale(dataset) > 0 && H5Sget_simple_extent_npoints(space) == (hssize_t)rows;
    rs_h5_close(space);
    rs_h5_close(dataset);
    return same;
}

static rs_status make_scale(hid_t file, const char *path, const char *name, int64_t rows, rs_error *error)
{
    const hsize_t length = (hsize_t)rows;
    hid_t space = H5I_INVALID_HID, dataset = H5I_INVALID_HID;
    rs_status status = RS_OK;
    int64_t *numbers = rs_alloc_array((size_t)rows + 1, sizeof *numbers);
    if (!numbers) {
        return RS_FAIL(error, RS_MEMORY, "no memory for the scale %s", path);
    }
    for (int64_t i = 0; i < rows; i++) {
        numbers[i] = i;
    }
    RS_H5_GOTO(space = H5Screate_simple(1, &length, NULL));
    RS_H5_GOTO(dataset = H5Dcreate2(file, path, H5T_STD_I64LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    if (rows > 0) {
        RS_H5_GOTO(H5Dwrite(dataset, H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, numbers));
    }
    RS_H5_GOTO(H5DSset_label(dataset, 0, name));
    RS_H5_GOTO(H5DSset_scale(dataset, name));
    RS_TRY_GOTO(rs_h5_put_text(dataset, "what", "scale: numbers from 0", error));
    RS_TRY_GOTO(rs_h5_put_text(dataset, "unit", "1", error));
done:
    rs_h5_close(dataset);
    rs_h5_close(space);
    rs_free(numbers);
    return status;
}

/* Makes the scales that are missing; *all: whether every axis has one. */
static rs_status find_scales(hid_t file, const rs_result_array *array, char paths[][PATH], bool *all,
                             rs_error *error)
{
    *all = true;
    for (int axis = 0; axis < array->rank; axis++) {
        *all =
            *all && scale_path(array, axis, paths[axis]) &&
            (H5Lexists(file, paths[axis], H5P_DEFAULT) <= 0 || serves(file, paths[axis], array->dim[axis]));
    }
    for (int axis = 0; axis < array->rank && *all; axis++) {
        if (H5Lexists(file, paths[axis], H5P_DEFAULT) <= 0) {
            RS_TRY(make_scale(file, paths[axis], array->axis[axis], array->dim[axis], error));
        }
    }
    return RS_OK;
}

static rs_status attach(hid_t file, hid_t dataset, const char *path, unsigned axis, rs_error *error)
{
    hid_t scale = H5I_INVALID_HID;
    rs_status status = RS_OK;
    RS_H5_GOTO(scale = H5Dopen2(file, path, H5P_DEFAULT));
    RS_H5_GOTO(H5DSattach_scale(dataset, scale, axis));
done:
    rs_h5_close(scale);
    return status;
}

rs_status rs__result_axes(hid_t file, hid_t dataset, const rs_result_array *array, rs_error *error)
{
    char paths[RS_RESULT_RANK][PATH];
    bool all = false;
    for (int axis = 0; axis < array->rank; axis++) {
        RS_H5(H5DSset_label(dataset, (unsigned)axis, array->axis[axis]));
    }
    if (array->rank == 1 && scale_path(array, 0, paths[0]) && strcmp(paths[0], array->path) == 0) {
        RS_H5(H5DSset_scale(dataset, array->axis[0]));
        return RS_OK;
    }
    RS_TRY(find_scales(file, array, paths, &all, error));
    for (int axis = 0; axis < array->rank && all; axis++) {
        RS_TRY(attach(file, dataset, paths[axis], (unsigned)axis, error));
    }
    return RS_OK;
}
