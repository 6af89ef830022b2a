/* create.c: the structure of a new record: groups, attributes, tables, growing data sets and their scales.
 * Everything is made here, before SWMR writing starts: afterwards nothing may be added. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "file.h"
#include "rs/host.h"
#include "scales.h"

enum { CONFIG_SLACK = 4096, STATE_BYTES = 16 };

static rs_status create_groups(hid_t file, const rs_record_spec *spec, rs_error *error)
{
    const char *const names[] = {"weights",
                                 "gradients",
                                 "snapshots",
                                 "steps",
                                 "epochs",
                                 "commits",
                                 "blocks",
                                 "parameters",
                                 "layers",
                                 "steps/distance_to_initial",
                                 "steps/distance_to_previous"};
    const int count = spec->metrics.count > 0 && spec->network->block_count > 0 ? 11 : 9;
    hid_t creation = H5I_INVALID_HID;
    rs_status status = RS_OK;
    RS_H5_GOTO(creation = H5Pcreate(H5P_GROUP_CREATE));
    /* Members are listed in the network's order where a reader asks for it. */
    RS_H5_GOTO(H5Pset_link_creation_order(creation, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED));
    for (int i = 0; i < count; i++) {
        hid_t group;
        RS_H5_GOTO(group = H5Gcreate2(file, names[i], H5P_DEFAULT, creation, H5P_DEFAULT));
        rs_h5_close(group);
    }
done:
    rs_h5_close(creation);
    return status;
}

static rs_status put_attributes(hid_t file, const rs_record_spec *spec, rs_error *error)
{
    const rs_provenance *from = &spec->provenance;
    const struct {
        const char *name, *text;
    } texts[] = {{"format", RS_RECORD_FORMAT},     {"program_version", from->version},
                 {"commit", from->commit},         {"device", from->device},
                 {"libraries", from->libraries},   {"algorithms", from->algorithms},
                 {"start_time", from->start_time}, {"init_from", from->init_from},
                 {"network", spec->network->name}, {"gradient", spec->gradient_mean ? "mean" : "last"}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        RS_TRY(rs_h5_put_text(file, texts[i].name, texts[i].text ? texts[i].text : "", error));
    }
    RS_TRY(rs_h5_put_int(file, "schema_version", RS_SCHEMA_VERSION, error));
    RS_TRY(rs_h5_put_int(file, "threads", from->threads, error));
    RS_TRY(rs_h5_put_int(file, "seed", from->seed, error));
    RS_TRY(rs_h5_put_int(file, "resumed", 0, error));
    return rs_h5_put_int(file, "resumed_elsewhere", 0, error);
}

/* A data set that never grows. values: count elements of `type`. */
static rs_status put_table(hid_t file, const char *path, hid_t type, int rank, const hsize_t *shape,
                           const void *values, rs_error *error)
{
    hid_t space = H5I_INVALID_HID, creation = H5I_INVALID_HID, dataset = H5I_INVALID_HID;
    rs_status status = RS_OK;
    RS_H5_GOTO(space = H5Screate_simple(rank, shape, NULL));
    RS_H5_GOTO(creation = H5Pcreate(H5P_DATASET_CREATE));
    RS_H5_GOTO(H5Pset_obj_track_times(creation, false));
    RS_H5_GOTO(H5Pset_alloc_time(creation, H5D_ALLOC_TIME_EARLY));
    RS_H5_GOTO(dataset = H5Dcreate2(file, path, type, space, H5P_DEFAULT, creation, H5P_DEFAULT));
    if (H5Sget_simple_extent_npoints(space) > 0) {
        RS_H5_GOTO(H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values));
    }
done:
    rs_h5_close(dataset);
    rs_h5_close(creation);
    rs_h5_close(space);
    return status;
}

/* `count` texts, one every `stride` bytes, each ending within `stride`, as fixed-length strings. */
static rs_status put_texts(hid_t file, const char *path, const char *texts, size_t stride, int count,
                           rs_error *error)
{
    hid_t type = H5I_INVALID_HID;
    hsize_t shape[] = {(hsize_t)count};
    rs_status status;
    RS_TRY_GOTO(rs_h5_string_type(stride, &type, error));
    RS_TRY_GOTO(put_table(file, path, type, 1, shape, texts, error));
done:
    rs_h5_close(type);
    return status;
}

static rs_status put_integers(hid_t file, const char *path, int count, int width, const int64_t *values,
                              rs_error *error)
{
    const hsize_t shape[] = {(hsize_t)count, (hsize_t)width};
    return put_table(file, path, H5T_NATIVE_INT64, width > 1 ? 2 : 1, shape, values, error);
}

/* One text in a scalar data set with room to be replaced in place. */
static rs_status put_document(hid_t file, const char *path, const char *text, size_t room, rs_error *error)
{
    hid_t type = H5I_INVALID_HID;
    char *padded = rs_alloc_zero(room);
    rs_status status;
    if (!padded) {
        return RS_FAIL(error, RS_MEMORY, "no memory for %s (%zu bytes)", path, room);
    }
    memcpy(padded, text, strlen(text));
    RS_TRY_GOTO(rs_h5_string_type(room, &type, error));
    RS_TRY_GOTO(put_table(file, path, type, 0, NULL, padded, error));
done:
    rs_free(padded);
    rs_h5_close(type);
    return status;
}

static rs_status put_documents(hid_t file, const rs_record_spec *spec, rs_error *error)
{
    const char *config = spec->config_yaml ? spec->config_yaml : "";
    const char *dataset = spec->provenance.dataset ? spec->provenance.dataset : "";
    size_t room = (strlen(config) / CONFIG_SLACK + 2) * CONFIG_SLACK;
    RS_TRY(put_document(file, "config", config, room, error));
    RS_TRY(put_document(file, "dataset", dataset, strlen(dataset) + 1, error));
    char state[STATE_BYTES] = {0};
    (void)snprintf(state, sizeof state, "%s", rs_run_state_name(RS_RUN_RUNNING));
    RS_TRY(put_texts(file, "state", state, sizeof state, 1, error));
    const char reason[RS_REASON_BYTES] = {0};
    RS_TRY(put_texts(file, "reason", reason, sizeof reason, 1, error));
    const char not_finite[RS_NOT_FINITE_BYTES] = {0};
    RS_TRY(put_texts(file, "not_finite", not_finite, sizeof not_finite, 1, error));
    const char *source = spec->network->source;
    return source ? put_document(file, "network_file", source, strlen(source) + 1, error) : RS_OK;
}

/* Columns of the tables below, gathered row by row. */
typedef struct table_columns {
    char *names, *others;      /* RS_NAME_MAX each */
    int64_t *integers, *shape; /* per row: 2 and RS_MAX_RANK */
} table_columns;

static rs_status gather_begin(int count, table_columns *columns, rs_error *error)
{
    columns->names = rs_alloc_array((size_t)count + 1, RS_NAME_MAX);
    columns->others = rs_alloc_array((size_t)count + 1, RS_NAME_MAX);
    columns->integers = rs_alloc_array((size_t)count + 1, 2 * sizeof(int64_t));
    columns->shape = rs_alloc_array((size_t)count + 1, RS_MAX_RANK * sizeof(int64_t));
    if (!columns->names || !columns->others || !columns->integers || !columns->shape) {
        return RS_FAIL(error, RS_MEMORY, "no memory for the tables of the record");
    }
    return RS_OK;
}

static void gather_end(table_columns *columns)
{
    rs_free(columns->names);
    rs_free(columns->others);
    rs_free(columns->integers);
    rs_free(columns->shape);
}

static rs_status put_blocks(hid_t file, const rs_network *network, rs_error *error)
{
    const int count = network->block_count;
    table_columns columns = {0};
    rs_status status;
    RS_TRY_GOTO(gather_begin(count, &columns, error));
    for (int i = 0; i < count; i++) {
        memcpy(columns.names + (size_t)i * RS_NAME_MAX, network->blocks[i].name, RS_NAME_MAX);
        columns.integers[i] = network->blocks[i].depth;
        columns.integers[count + i] = network->blocks[i].weights;
    }
    RS_TRY_GOTO(put_texts(file, "block", columns.names, RS_NAME_MAX, count, error));
    RS_TRY_GOTO(put_texts(file, "blocks/name", columns.names, RS_NAME_MAX, count, error));
    RS_TRY_GOTO(put_integers(file, "blocks/depth", count, 1, columns.integers, error));
    RS_TRY_GOTO(put_integers(file, "blocks/weights", count, 1, columns.integers + count, error));
done:
    gather_end(&columns);
    return status;
}

static rs_status put_parameters(hid_t file, const rs_network *network, rs_error *error)
{
    const int count = network->parameter_count;
    table_columns columns = {0};
    rs_status status;
    RS_TRY_GOTO(gather_begin(count, &columns, error));
    for (int i = 0; i < count; i++) {
        const rs_parameter *parameter = &network->parameters[i];
        memcpy(columns.names + (size_t)i * RS_NAME_MAX, parameter->name, RS_NAME_MAX);
        memcpy(columns.others + (size_t)i * RS_NAME_MAX, network->layers[parameter->layer].name, RS_NAME_MAX);
        columns.integers[i] = parameter->count;
        columns.integers[count + i] = parameter->block;
        for (int axis = 0; axis < RS_MAX_RANK; axis++) {
            columns.shape[i * RS_MAX_RANK + axis] =
                axis < parameter->shape.rank ? parameter->shape.dim[axis] : 0;
        }
    }
    RS_TRY_GOTO(put_texts(file, "parameter", columns.names, RS_NAME_MAX, count, error));
    RS_TRY_GOTO(put_texts(file, "parameters/name", columns.names, RS_NAME_MAX, count, error));
    RS_TRY_GOTO(put_texts(file, "parameters/layer", columns.others, RS_NAME_MAX, count, error));
    RS_TRY_GOTO(put_integers(file, "parameters/shape", count, RS_MAX_RANK, columns.shape, error));
    RS_TRY_GOTO(put_integers(file, "parameters/count", count, 1, columns.integers, error));
    RS_TRY_GOTO(put_integers(file, "parameters/block", count, 1, columns.integers + count, error));
done:
    gather_end(&columns);
    return status;
}

static rs_status put_layers(hid_t file, const rs_network *network, rs_error *error)
{
    enum { SIDES = 3 };
    const int count = network->layer_count;
    table_columns columns = {0};
    rs_status status;
    RS_TRY_GOTO(gather_begin(count, &columns, error));
    for (int i = 0; i < count; i++) {
        const rs_layer *layer = &network->layers[i];
        memcpy(columns.names + (size_t)i * RS_NAME_MAX, layer->name, RS_NAME_MAX);
        (void)snprintf(columns.others + (size_t)i * RS_NAME_MAX, RS_NAME_MAX, "%s", rs_op_name(layer->kind));
        memcpy(columns.shape + (size_t)i * SIDES, network->nodes[layer->node].shape, SIDES * sizeof(int64_t));
    }
    RS_TRY_GOTO(put_texts(file, "layers/name", columns.names, RS_NAME_MAX, count, error));
    RS_TRY_GOTO(put_texts(file, "layers/kind", columns.others, RS_NAME_MAX, count, error));
    RS_TRY_GOTO(put_integers(file, "layers/shape", count, SIDES, columns.shape, error));
done:
    gather_end(&columns);
    return status;
}

/* Names of the layers and heads that steps/ has series of. */
static rs_status put_measured_layers(hid_t file, const rs_record_spec *spec, rs_error *error)
{
    if (spec->layer_count > 0 && (spec->layer_losses || spec->layer_outputs)) {
        RS_TRY(put_texts(file, "layer", spec->layers[0], RS_NAME_MAX, spec->layer_count, error));
    }
    return spec->head_count > 0
               ? put_texts(file, "head", spec->heads[0], RS_NAME_MAX, spec->head_count, error)
               : RS_OK;
}

static rs_status set_fill(hid_t creation, const rs_column *column, rs_error *error)
{
    const float f32 = NAN;
    const double f64 = (double)NAN;
    const int64_t i64 = -1;
    RS_H5(H5Pset_fill_time(creation, H5D_FILL_TIME_IFSET));
    switch (column->type) {
    case RS_COLUMN_F32:
        RS_H5(H5Pset_fill_value(creation, H5T_NATIVE_FLOAT, &f32));
        return RS_OK;
    case RS_COLUMN_F64:
        RS_H5(H5Pset_fill_value(creation, H5T_NATIVE_DOUBLE, &f64));
        return RS_OK;
    default:
        RS_H5(H5Pset_fill_value(creation, H5T_NATIVE_INT64, &i64));
        return RS_OK;
    }
}

static rs_status column_creation(const rs_column *column, hid_t creation, rs_error *error)
{
    hsize_t chunk[1 + RS_MAX_RANK] = {(hsize_t)column->chunk_rows};
    for (int axis = 0; axis < column->row.rank; axis++) {
        chunk[1 + axis] = (hsize_t)column->chunk.dim[axis];
    }
    RS_H5(H5Pset_chunk(creation, 1 + column->row.rank, chunk));
    RS_H5(H5Pset_obj_track_times(creation, false));
    RS_H5(H5Pset_alloc_time(creation, H5D_ALLOC_TIME_INCR));
    if (column->filtered) {
        RS_H5(H5Pset_shuffle(creation));
        RS_H5(H5Pset_deflate(creation, 1));
    }
    return set_fill(creation, column, error);
}

static rs_status create_column(hid_t file, const rs_column *column, rs_error *error)
{
    hsize_t shape[1 + RS_MAX_RANK] = {0}, largest[1 + RS_MAX_RANK] = {H5S_UNLIMITED};
    hid_t creation = H5I_INVALID_HID, space = H5I_INVALID_HID, dataset = H5I_INVALID_HID;
    const hid_t types[] = {
        [RS_COLUMN_F32] = H5T_IEEE_F32LE, [RS_COLUMN_F64] = H5T_IEEE_F64LE, [RS_COLUMN_I64] = H5T_STD_I64LE};
    rs_status status;
    for (int axis = 0; axis < column->row.rank; axis++) {
        shape[1 + axis] = largest[1 + axis] = (hsize_t)column->row.dim[axis];
    }
    RS_H5_GOTO(space = H5Screate_simple(1 + column->row.rank, shape, largest));
    RS_H5_GOTO(creation = H5Pcreate(H5P_DATASET_CREATE));
    RS_TRY_GOTO(column_creation(column, creation, error));
    RS_H5_GOTO(dataset = H5Dcreate2(file, column->path, types[column->type], space, H5P_DEFAULT, creation,
                                    H5P_DEFAULT));
done:
    rs_h5_close(dataset);
    rs_h5_close(creation);
    rs_h5_close(space);
    return status;
}

static rs_status fill_file(hid_t file, const rs_record_spec *spec, const rs_layout *layout, rs_error *error)
{
    RS_TRY(create_groups(file, spec, error));
    RS_TRY(put_attributes(file, spec, error));
    RS_TRY(put_documents(file, spec, error));
    RS_TRY(put_blocks(file, spec->network, error));
    RS_TRY(put_parameters(file, spec->network, error));
    RS_TRY(put_layers(file, spec->network, error));
    RS_TRY(put_measured_layers(file, spec, error));
    for (int t = 0; t < RS_TABLES; t++) {
        for (int c = 0; c < layout->table[t].count; c++) {
            RS_TRY(create_column(file, &layout->table[t].columns[c], error));
        }
    }
    return rs_scales_attach(file, layout, error);
}

rs_status rs_record_file_create(const char *path, const rs_record_spec *spec, const rs_layout *layout,
                                rs_record_file *record, rs_error *error)
{
    rs_status status;
    RS_TRY_GOTO(rs_record_file_prepare(record, layout, error));
    RS_TRY_GOTO(rs_h5_open(path, RS_H5_CREATE, &record->file, error));
    RS_TRY_GOTO(fill_file(record->file, spec, layout, error));
    RS_H5_GOTO(H5Fflush(record->file, H5F_SCOPE_GLOBAL));
    RS_H5_GOTO(H5Fstart_swmr_write(record->file));
    RS_TRY_GOTO(rs_record_file_open_columns(record, error));
    RS_TRY_GOTO(rs_h5_sync(record->file, error));
done:
    if (status != RS_OK) {
        rs_error ignored;
        (void)rs_record_file_close(record, &ignored);
    }
    return status;
}
