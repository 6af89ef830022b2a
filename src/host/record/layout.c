/* layout.c: the tables and columns of a record; see layout.h.
 *
 * Chunks: a tensor above 1 MiB is split along its slowest axes; a small one shares a chunk with its next
 * snapshots, up to 64 KiB. That is safe because without a filter a chunk keeps its place in the file: a later
 * row is one write beside the committed ones, or of the same bytes over them. A filtered chunk would move, so
 * it holds one row alone. */
#include "layout.h"

#include <stdio.h>
#include <string.h>

#include "rows.h"
#include "rs/host.h"

enum {
    LARGEST_CHUNK = 1 << 20,
    SMALLEST_CHUNK = 1 << 16,
    SERIES_ROWS = 1024,   /* of a chunk of a series */
    SERIES_MINIMUM = 16,  /* also where few rows are planned: a longer run may follow */
    BLOCK_BYTES = 1 << 20 /* handed over at once, about */
};

typedef struct column_spec {
    rs_column_type type;
    rs_axis axis;
    rs_source source;
    int index;
    rs_shape row;
} column_spec;

size_t rs_column_type_size(rs_column_type type)
{
    return type == RS_COLUMN_F32 ? sizeof(float) : sizeof(double);
}

int64_t rs_position_rows(const rs_position *position, rs_table_kind table)
{
    switch (table) {
    case RS_TABLE_STEPS:
        return position->steps;
    case RS_TABLE_SNAPSHOTS:
        return position->snapshots;
    default:
        RS_ASSERT(table == RS_TABLE_EPOCHS);
        return position->epochs;
    }
}

static rs_column *add_column(rs_table *table, const column_spec *spec, const char *group, const char *name)
{
    rs_column *column = &table->columns[table->count++];
    memset(column, 0, sizeof *column);
    (void)snprintf(column->path, sizeof column->path, "%s%s", group, name);
    column->type = spec->type;
    column->axis = spec->axis;
    column->source = spec->source;
    column->index = spec->index;
    column->row = spec->row;
    column->count = rs_shape_count(&spec->row);
    column->row_bytes = (size_t)column->count * rs_column_type_size(spec->type);
    column->chunk = spec->row;
    return column;
}

/* A column of numbers, one a row. */
static void add_series(rs_table *table, rs_column_type type, int field, const char *group, const char *name)
{
    const column_spec spec = {.type = type, .source = RS_FROM_ROW, .index = field};
    (void)add_column(table, &spec, group, name);
}

static void add_distances(const rs_record_spec *spec, rs_table *table)
{
    const rs_shape row = {1, {spec->network->block_count}};
    for (int m = 0; m < spec->metrics.count; m++) {
        const column_spec initial = {RS_COLUMN_F64, RS_AXIS_BLOCK, RS_FROM_TO_INITIAL, m, row};
        const column_spec previous = {RS_COLUMN_F64, RS_AXIS_BLOCK, RS_FROM_TO_PREVIOUS, m, row};
        const char *name = spec->metrics.metric[m].name;
        (void)add_column(table, &initial, "steps/distance_to_initial/", name);
        (void)add_column(table, &previous, "steps/distance_to_previous/", name);
    }
}

static void add_gradient_stats(const rs_record_spec *spec, rs_table *table)
{
    static const struct {
        const char *name;
        rs_source source;
    } statistics[] = {{"gradient_abs_mean", RS_FROM_GRADIENT_ABS_MEAN},
                      {"gradient_abs_std", RS_FROM_GRADIENT_ABS_STD},
                      {"gradient_norms", RS_FROM_GRADIENT_NORMS}};
    const rs_shape row = {1, {spec->network->parameter_count}};
    for (size_t i = 0; i < sizeof statistics / sizeof statistics[0]; i++) {
        const column_spec column = {RS_COLUMN_F32, RS_AXIS_PARAMETER, statistics[i].source, 0, row};
        (void)add_column(table, &column, "steps/", statistics[i].name);
    }
}

/* A series of one number for each layer, or each head. */
static void add_layer_series(rs_table *table, rs_axis axis, rs_source source, int count, const char *name)
{
    const column_spec column = {RS_COLUMN_F32, axis, source, 0, {1, {count}}};
    if (count > 0) {
        (void)add_column(table, &column, "steps/", name);
    }
}

static void add_layers(const rs_record_spec *spec, rs_table *table)
{
    const int losses = spec->layer_losses ? spec->layer_count : 0,
              outputs = spec->layer_outputs ? spec->layer_count : 0;
    add_layer_series(table, RS_AXIS_LAYER, RS_FROM_LAYER_LOSSES, losses, "layer_loss");
    add_layer_series(table, RS_AXIS_LAYER, RS_FROM_LAYER_OUTPUTS, outputs, "layer_output_mean");
    add_layer_series(table, RS_AXIS_HEAD, RS_FROM_HEAD_LOSSES, spec->head_count, "head_loss");
    add_layer_series(table, RS_AXIS_HEAD, RS_FROM_HEAD_ACCURACIES, spec->head_count, "head_accuracy");
}

static rs_status add_tensors(const rs_record_spec *spec, rs_table *table, rs_error *error)
{
    const rs_network *network = spec->network;
    for (int i = 0; i < network->parameter_count + network->buffer_count; i++) {
        bool buffer = i >= network->parameter_count;
        int index = buffer ? i - network->parameter_count : i;
        const rs_parameter *tensor = buffer ? &network->buffers[index] : &network->parameters[index];
        if (strchr(tensor->name, '/') || rs_shape_count(&tensor->shape) <= 0) {
            return RS_FAIL(error, RS_USAGE,
                           "parameter %s cannot be recorded: it is empty or has a / in its name",
                           tensor->name);
        }
        column_spec column = {RS_COLUMN_F32, RS_AXIS_TENSOR, buffer ? RS_FROM_BUFFER : RS_FROM_PARAMETER,
                              index, tensor->shape};
        if (buffer ? spec->buffers[index] : spec->weights[index]) {
            (void)add_column(table, &column, "weights/", tensor->name);
        }
        if (!buffer && spec->gradients[index]) {
            column.source = RS_FROM_GRADIENT;
            add_column(table, &column, "gradients/", tensor->name)->first_row =
                spec->initial_snapshot ? 1 : 0;
        }
    }
    return RS_OK;
}

static void add_steps(const rs_record_spec *spec, rs_table *table)
{
    add_series(table, RS_COLUMN_I64, RS_STEP_INDEX, "", "step");
    add_series(table, RS_COLUMN_F64, RS_STEP_LOSS, "steps/", "loss");
    add_series(table, RS_COLUMN_F64, RS_STEP_TASK_LOSS, "steps/", "task_loss");
    add_series(table, RS_COLUMN_F64, RS_STEP_ACCURACY, "steps/", "accuracy");
    add_series(table, RS_COLUMN_F64, RS_STEP_LEARNING_RATE, "steps/", "learning_rate");
    add_series(table, RS_COLUMN_F64, RS_STEP_GRADIENT_NORM, "steps/", "gradient_norm");
    add_series(table, RS_COLUMN_F64, RS_STEP_GRADIENT_NORM_CLIPPED, "steps/", "gradient_norm_clipped");
    if (spec->network->block_count > 0) {
        add_distances(spec, table);
    }
    if (spec->gradient_stats && spec->network->parameter_count > 0) {
        add_gradient_stats(spec, table);
    }
    add_layers(spec, table);
    if (spec->sensitivity) {
        add_series(table, RS_COLUMN_F64, RS_STEP_SENSITIVITY_BATCH, "steps/", "sensitivity_batch");
        add_series(table, RS_COLUMN_F64, RS_STEP_SENSITIVITY_SAMPLE, "steps/", "sensitivity_sample");
    }
}

static void add_epochs(const rs_record_spec *spec, rs_table *table)
{
    static const char *const names[] = {"train_loss",      "train_accuracy",
                                        "valid_loss",      "valid_accuracy",
                                        "test_loss",       "test_accuracy",
                                        "train_seconds",   "valid_seconds",
                                        "record_seconds",  "valid_mean_absolute_error",
                                        "valid_r_squared", "test_mean_absolute_error",
                                        "test_r_squared"};
    const int count = (spec->regression ? RS_EPOCH_TEST_R_SQUARED : RS_EPOCH_RECORD_SECONDS) - RS_EPOCH_INDEX;
    add_series(table, RS_COLUMN_I64, RS_EPOCH_INDEX, "", "epoch");
    for (int i = 0; i < count; i++) {
        add_series(table, RS_COLUMN_F64, RS_EPOCH_TRAIN_LOSS + i, "epochs/", names[i]);
    }
}

static void add_commits(rs_table *table)
{
    add_series(table, RS_COLUMN_I64, RS_COMMIT_FIELD_EPOCH, "commits/", "epoch");
    add_series(table, RS_COLUMN_I64, RS_COMMIT_FIELD_STEP, "commits/", "step");
    add_series(table, RS_COLUMN_I64, RS_COMMIT_FIELD_SNAPSHOTS, "commits/", "snapshots");
    add_series(table, RS_COLUMN_I64, RS_COMMIT_FIELD_BATCH, "commits/", "batch");
    add_series(table, RS_COLUMN_I64, RS_COMMIT_FIELD_KIND, "commits/", "kind");
}

static int64_t at_least(int64_t value, int64_t least)
{
    return value > least ? value : least;
}

static int64_t at_most(int64_t value, int64_t most)
{
    return value < most ? value : most;
}

static size_t chunk_bytes(const rs_column *column)
{
    return (size_t)rs_shape_count(&column->chunk) * rs_column_type_size(column->type);
}

/* Splits a row along its slowest axes, into parts as even as can be, until a part is small enough. */
static void split_row(rs_column *column)
{
    for (int axis = 0; axis < column->row.rank && chunk_bytes(column) > LARGEST_CHUNK; axis++) {
        int64_t slice = (int64_t)chunk_bytes(column) / column->chunk.dim[axis];
        int64_t parts_of = at_least(LARGEST_CHUNK / slice, 1); /* slices that fit in a chunk */
        int64_t parts = (column->row.dim[axis] + parts_of - 1) / parts_of;
        column->chunk.dim[axis] = (column->row.dim[axis] + parts - 1) / parts;
    }
}

static void choose_chunk(const rs_table *table, rs_column *column, bool compress)
{
    split_row(column);
    int64_t bytes = (int64_t)chunk_bytes(column);
    if (column->axis != RS_AXIS_TENSOR) {
        column->chunk_rows = at_most(SERIES_ROWS, at_least(table->planned_rows, SERIES_MINIMUM));
        column->chunk_rows = at_most(column->chunk_rows, at_least(LARGEST_CHUNK / bytes, 1));
        return;
    }
    column->filtered = compress;
    column->chunk_rows = at_most((SMALLEST_CHUNK + bytes - 1) / bytes, at_least(table->planned_rows, 1));
    if (compress || column->chunk_rows < 1) {
        column->chunk_rows = 1;
    }
}

static void finish_table(rs_table *table, bool compress)
{
    for (int c = 0; c < table->count; c++) {
        choose_chunk(table, &table->columns[c], compress);
        table->row_bytes += table->columns[c].row_bytes;
    }
    table->block_rows = at_most(SERIES_ROWS, at_least(BLOCK_BYTES / (int64_t)table->row_bytes, 1));
}

static rs_status allocate(const rs_record_spec *spec, rs_layout *layout, rs_error *error)
{
    const rs_network *network = spec->network;
    const size_t tensors = (size_t)(2 * network->parameter_count + network->buffer_count);
    const size_t counts[RS_TABLES] = {7 + 3 + 4 + 2 + 2 * (size_t)spec->metrics.count, 3 + tensors, 10 + 4,
                                      RS_COMMIT_FIELDS};
    for (int t = 0; t < RS_TABLES; t++) {
        layout->table[t].columns = rs_alloc_array(counts[t], sizeof(rs_column));
        if (!layout->table[t].columns) {
            return RS_FAIL(error, RS_MEMORY, "no memory for the layout of the record");
        }
    }
    return RS_OK;
}

rs_status rs_layout_create(const rs_record_spec *spec, rs_layout *layout, rs_error *error)
{
    static const char *const dimensions[RS_TABLES] = {"step", "snapshot", "epoch", "commit"};
    const int64_t planned[RS_TABLES] = {spec->planned_steps, spec->planned_snapshots, spec->planned_epochs,
                                        spec->planned_epochs + 2};
    memset(layout, 0, sizeof *layout);
    RS_TRY(allocate(spec, layout, error));
    for (int t = 0; t < RS_TABLES; t++) {
        layout->table[t].dimension = dimensions[t];
        layout->table[t].planned_rows = planned[t];
    }
    add_steps(spec, &layout->table[RS_TABLE_STEPS]);
    rs_table *snapshots = &layout->table[RS_TABLE_SNAPSHOTS];
    add_series(snapshots, RS_COLUMN_I64, RS_SNAPSHOT_INDEX, "", "snapshot");
    add_series(snapshots, RS_COLUMN_I64, RS_SNAPSHOT_EPOCH, "snapshots/", "epoch");
    add_series(snapshots, RS_COLUMN_I64, RS_SNAPSHOT_STEP, "snapshots/", "step");
    RS_TRY(add_tensors(spec, snapshots, error));
    add_epochs(spec, &layout->table[RS_TABLE_EPOCHS]);
    add_commits(&layout->table[RS_TABLE_COMMITS]);
    for (int t = 0; t < RS_TABLES; t++) {
        finish_table(&layout->table[t], spec->compress);
    }
    for (int i = 0; i < spec->network->parameter_count; i++) {
        size_t count = (size_t)spec->network->parameters[i].count;
        layout->largest_row = count > layout->largest_row ? count : layout->largest_row;
    }
    return RS_OK;
}

void rs_layout_destroy(rs_layout *layout)
{
    for (int t = 0; t < RS_TABLES; t++) {
        rs_free(layout->table[t].columns);
        layout->table[t].columns = NULL;
    }
}
