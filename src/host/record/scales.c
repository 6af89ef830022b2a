/* scales.c: dimension labels and scales; see scales.h.
 *
 * Tensors have labels only: netCDF readers (xarray) refuse a variable of which some axes have scales and some none.
 * Scales stand at the root (step, snapshot, epoch, block, parameter), where readers of the netCDF kind look
 * for them; blocks/depth and the like are further scales of the same axes. A data set of one axis that has the name of a root's
 * scale but another axis (commits/step, parameters/block) needs a scale of its own: h5netcdf would take it for the root's. Labels are
 * written as the high-level library would, in one go instead of one call an axis. */
#include "scales.h"

#include <string.h>

enum { MOST_SCALES = 4 };

typedef struct scale_list {
    int count;
    const char *path[MOST_SCALES];
    hid_t dataset[MOST_SCALES];
} scale_list;

/* The last one is the one that netCDF readers take. */
static const scale_list row_scales[RS_TABLES] = {
    [RS_TABLE_STEPS] = {1, {"step"}, {-1, -1, -1, -1}},
    [RS_TABLE_SNAPSHOTS] = {1, {"snapshot"}, {-1, -1, -1, -1}},
    [RS_TABLE_EPOCHS] = {1, {"epoch"}, {-1, -1, -1, -1}},
    [RS_TABLE_COMMITS] = {1, {"commits/step"}, {-1, -1, -1, -1}},
};
static const scale_list axis_scales[] = {
    [RS_AXIS_NONE] = {0, {NULL}, {-1, -1, -1, -1}},
    [RS_AXIS_BLOCK] = {4, {"blocks/name", "blocks/depth", "blocks/weights", "block"}, {-1, -1, -1, -1}},
    [RS_AXIS_PARAMETER] = {2, {"parameters/name", "parameter"}, {-1, -1, -1, -1}},
    [RS_AXIS_LAYER] = {1, {"layer"}, {-1, -1, -1, -1}},
    [RS_AXIS_HEAD] = {1, {"head"}, {-1, -1, -1, -1}},
    [RS_AXIS_TENSOR] = {0, {NULL}, {-1, -1, -1, -1}},
};
enum { AXES = sizeof axis_scales / sizeof axis_scales[0] };

static rs_status open_scales(hid_t file, scale_list *list, rs_error *error)
{
    if (list->count > 0 && H5Lexists(file, list->path[list->count - 1], H5P_DEFAULT) == 0) {
        list->count = 0; /* nothing has that axis */
    }
    for (int i = 0; i < list->count; i++) {
        const char *slash = strrchr(list->path[i], '/');
        RS_H5(list->dataset[i] = H5Dopen2(file, list->path[i], H5P_DEFAULT));
        htri_t already;
        RS_H5(already = H5DSis_scale(list->dataset[i]));
        if (!already) {
            RS_H5(H5DSset_scale(list->dataset[i], slash ? slash + 1 : list->path[i]));
        }
    }
    return RS_OK;
}

static void close_scales(scale_list *list)
{
    for (int i = 0; i < list->count; i++) {
        rs_h5_close(list->dataset[i]);
    }
}

static bool is_scale(const rs_column *column, const scale_list *list)
{
    for (int i = 0; i < list->count; i++) {
        if (strcmp(column->path, list->path[i]) == 0) {
            return true;
        }
    }
    return false;
}

static rs_status attach(hid_t dataset, const scale_list *list, unsigned axis, rs_error *error)
{
    for (int i = 0; i < list->count; i++) {
        RS_H5(H5DSattach_scale(dataset, list->dataset[i], axis));
    }
    return RS_OK;
}

static rs_status put_labels(hid_t dataset, const rs_column *column, const char *dimension, rs_error *error)
{
    static const char *const tensor[1 + RS_MAX_RANK][RS_MAX_RANK] = {
        {NULL}, {"channel"}, {"out", "in"}, {"out", "in", "width"}, {"out", "in", "height", "width"}};
    static const char *const axes[] = {[RS_AXIS_BLOCK] = "block",
                                       [RS_AXIS_PARAMETER] = "parameter",
                                       [RS_AXIS_LAYER] = "layer",
                                       [RS_AXIS_HEAD] = "head"};
    const char *labels[1 + RS_MAX_RANK] = {dimension};
    hid_t type = H5I_INVALID_HID, space = H5I_INVALID_HID, attribute = H5I_INVALID_HID;
    const hsize_t count = (hsize_t)(1 + column->row.rank);
    rs_status status = RS_OK;
    for (int axis = 0; axis < column->row.rank; axis++) {
        labels[1 + axis] =
            column->axis == RS_AXIS_TENSOR ? tensor[column->row.rank][axis] : axes[column->axis];
    }
    RS_H5_GOTO(type = H5Tcopy(H5T_C_S1));
    RS_H5_GOTO(H5Tset_size(type, H5T_VARIABLE));
    RS_H5_GOTO(space = H5Screate_simple(1, &count, NULL));
    RS_H5_GOTO(attribute = H5Acreate2(dataset, "DIMENSION_LABELS", type, space, H5P_DEFAULT, H5P_DEFAULT));
    RS_H5_GOTO(H5Awrite(attribute, type, labels));
done:
    rs_h5_close(attribute);
    rs_h5_close(space);
    rs_h5_close(type);
    return status;
}

static rs_status describe(hid_t file, const rs_column *column, const char *dimension, const scale_list *rows,
                          const scale_list *axes, rs_error *error)
{
    hid_t dataset = H5I_INVALID_HID;
    rs_status status = RS_OK;
    RS_H5_GOTO(dataset = H5Dopen2(file, column->path, H5P_DEFAULT));
    RS_TRY_GOTO(put_labels(dataset, column, dimension, error));
    if (column->axis != RS_AXIS_TENSOR && !is_scale(column, rows)) {
        RS_TRY_GOTO(attach(dataset, rows, 0, error));
        RS_TRY_GOTO(attach(dataset, axes, 1, error));
    }
done:
    rs_h5_close(dataset);
    return status;
}

/* The columns of parameters/ on the axis of their names. */
static rs_status tie_parameters(hid_t file, rs_error *error)
{
    static const char *const columns[] = {"parameters/layer", "parameters/count", "parameters/block"};
    scale_list names = {1, {"parameters/name"}, {-1, -1, -1, -1}};
    hid_t dataset = H5I_INVALID_HID;
    rs_status status = RS_OK;
    RS_TRY_GOTO(open_scales(file, &names, error));
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        RS_H5_GOTO(dataset = H5Dopen2(file, columns[i], H5P_DEFAULT));
        RS_TRY_GOTO(attach(dataset, &names, 0, error));
        rs_h5_close(dataset);
        dataset = H5I_INVALID_HID;
    }
done:
    rs_h5_close(dataset);
    close_scales(&names);
    return status;
}

rs_status rs_scales_attach(hid_t file, const rs_layout *layout, rs_error *error)
{
    scale_list rows[RS_TABLES], axes[AXES];
    rs_status status = RS_OK;
    memcpy(rows, row_scales, sizeof rows);
    memcpy(axes, axis_scales, sizeof axes);
    for (int t = 0; t < RS_TABLES; t++) {
        RS_TRY_GOTO(open_scales(file, &rows[t], error));
    }
    for (int i = 0; i < AXES; i++) {
        RS_TRY_GOTO(open_scales(file, &axes[i], error));
    }
    RS_TRY_GOTO(tie_parameters(file, error));
    for (int t = 0; t < RS_TABLES; t++) {
        const rs_table *table = &layout->table[t];
        for (int c = 0; c < table->count; c++) {
            const rs_column *column = &table->columns[c];
            RS_TRY_GOTO(describe(file, column, table->dimension, &rows[t], &axes[column->axis], error));
        }
    }
done:
    for (int t = 0; t < RS_TABLES; t++) {
        close_scales(&rows[t]);
    }
    for (int i = 0; i < AXES; i++) {
        close_scales(&axes[i]);
    }
    return status;
}
