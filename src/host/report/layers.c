/* layers.c: all that a record has of each layer: its parameters, the block it is in, its gradients, its own series. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "report.h"
#include "rs/host.h"
#include "rs/text.h"

typedef struct source {
    const rs_record_reader *reader;
    rs__layers *to;
    rs_error *error;
} source;

static int64_t rows_of(const rs_record_reader *reader, const char *path)
{
    int64_t rows = 0, width;
    rs_error ignored;
    bool there = rs_record_reader_has(reader, path) &&
                 rs_record_reader_series_size(reader, path, &rows, &width, &ignored) == RS_OK;
    return there ? rows : 0;
}

/* Names of a list until it ends. */
static int count_names(const rs_record_reader *reader, const char *path)
{
    char name[RS_NAME_MAX];
    rs_error ignored;
    int count = 0;
    while (rs_record_reader_name(reader, path, count, name, &ignored) == RS_OK) {
        count++;
    }
    return count;
}

/* A fixed table of numbers, [rows][width]; NULL and RS_OK where it has no rows. The caller's (rs_free). */
static rs_status read_table(const source *s, const char *path, int64_t rows, int64_t width, double **values)
{
    *values = NULL;
    if (rows == 0) {
        return RS_OK;
    }
    *values = rs_alloc_array((size_t)(rows * width), sizeof **values);
    rs_status status = *values ? rs_record_reader_series(s->reader, path, 0, rows, width, *values, s->error)
                               : RS_FAIL(s->error, RS_MEMORY, "no memory for the table %s", path);
    if (status) {
        rs_free(*values);
        *values = NULL;
    }
    return status;
}

/* Mean of each column of a series of steps over `rows` rows; NaN where the record has none of it. */
static rs_status mean_rows(const source *s, const char *path, int64_t first, int64_t rows, int64_t width,
                           double *means)
{
    for (int64_t c = 0; c < width; c++) {
        means[c] = NAN;
    }
    if (rows <= 0 || width == 0 || !rs_record_reader_has(s->reader, path)) {
        return RS_OK;
    }
    double *values = rs_alloc_array((size_t)(rows * width), sizeof *values);
    rs_status status = values
                           ? rs_record_reader_series(s->reader, path, first, rows, width, values, s->error)
                           : RS_FAIL(s->error, RS_MEMORY, "no memory for %" PRId64 " rows of %s", rows, path);
    for (int64_t c = 0; !status && c < width; c++) {
        double sum = 0.0;
        for (int64_t r = 0; r < rows; r++) {
            sum += values[r * width + c];
        }
        means[c] = sum / (double)rows;
    }
    rs_free(values);
    return status;
}

static rs_status last_row(const source *s, const char *path, int64_t width, double *values)
{
    int64_t steps = rs_record_reader_committed(s->reader)->steps;
    return mean_rows(s, path, steps - 1, steps > 0 ? 1 : 0, width, values);
}

/* --- blocks --------------------------------------------------------------------------------------------------- */

static rs_status fill_blocks(const source *s, const double *depth, const double *weights, double *distances)
{
    rs__layers *to = s->to;
    char path[sizeof to->metric + 32];
    for (int kind = 0; kind < 2; kind++) {
        (void)snprintf(path, sizeof path, "steps/distance_to_%s/%s", kind ? "previous" : "initial",
                       to->metric);
        RS_TRY(last_row(s, path, to->block_count, distances));
        for (int b = 0; b < to->block_count; b++) {
            *(kind ? &to->blocks[b].previous : &to->blocks[b].initial) = distances[b];
        }
    }
    for (int b = 0; b < to->block_count; b++) {
        to->blocks[b].depth = (int64_t)depth[b];
        to->blocks[b].weights = (int64_t)weights[b];
        RS_TRY(rs_record_reader_name(s->reader, "blocks/name", b, to->blocks[b].name, s->error));
    }
    return RS_OK;
}

static rs_status read_blocks(const source *s)
{
    double *depth = NULL, *weights = NULL, *distances = NULL;
    rs__layers *to = s->to;
    to->block_count = (int)rows_of(s->reader, "blocks/depth");
    to->blocks = rs_alloc_array((size_t)to->block_count + 1, sizeof *to->blocks);
    distances = rs_alloc_array((size_t)to->block_count + 1, sizeof *distances);
    rs_status status = to->blocks && distances
                           ? RS_OK
                           : RS_FAIL(s->error, RS_MEMORY, "no memory for %d blocks", to->block_count);
    status = status ? status : read_table(s, "blocks/depth", to->block_count, 1, &depth);
    status = status ? status : read_table(s, "blocks/weights", to->block_count, 1, &weights);
    if (!status && to->block_count > 0) {
        status = fill_blocks(s, depth, weights, distances);
    }
    rs_free(depth);
    rs_free(weights);
    rs_free(distances);
    return status;
}

/* --- parameters ----------------------------------------------------------------------------------------------- */

static bool is_recorded(const source *s, const char *group, const char *name)
{
    char path[RS_NAME_MAX + 16];
    (void)snprintf(path, sizeof path, "%s/%s", group, name);
    return rs_record_reader_has(s->reader, path);
}

static rs_status fill_parameters(const source *s, const double *shape, const double *count,
                                 const double *block)
{
    for (int p = 0; p < s->to->parameter_count; p++) {
        rs__parameter *one = &s->to->parameters[p];
        RS_TRY(rs_record_reader_name(s->reader, "parameters/name", p, one->name, s->error));
        RS_TRY(rs_record_reader_name(s->reader, "parameters/layer", p, one->layer, s->error));
        for (int axis = 0; axis < 4; axis++) {
            one->shape[axis] = (int64_t)shape[4 * p + axis];
        }
        one->row = p;
        one->count = (int64_t)count[p];
        one->block = block[p] >= 0.0 && block[p] < s->to->block_count ? (int)block[p] : -1;
        one->weights = is_recorded(s, "weights", one->name);
        one->gradients = is_recorded(s, "gradients", one->name);
    }
    return RS_OK;
}

static rs_status fill_gradients(const source *s, double *values)
{
    const int64_t steps = rs_record_reader_committed(s->reader)->steps, width = s->to->parameter_count;
    const int64_t window = steps < RS__WINDOW ? steps : RS__WINDOW;
    RS_TRY(mean_rows(s, "steps/gradient_abs_mean", 0, window, width, values));
    RS_TRY(mean_rows(s, "steps/gradient_abs_mean", steps - window, window, width, values + width));
    RS_TRY(last_row(s, "steps/gradient_norms", width, values + 2 * width));
    for (int64_t p = 0; p < width; p++) {
        s->to->parameters[p].early = values[p];
        s->to->parameters[p].late = values[width + p];
        s->to->parameters[p].norm = values[2 * width + p];
    }
    return RS_OK;
}

static rs_status read_parameters(const source *s)
{
    double *shape = NULL, *count = NULL, *block = NULL;
    rs__layers *to = s->to;
    to->parameter_count = (int)rows_of(s->reader, "parameters/count");
    const size_t rows = (size_t)to->parameter_count;
    double *values = rs_alloc_array(3 * rows + 1, sizeof *values);
    to->parameters = rs_alloc_array(rows + 1, sizeof *to->parameters);
    rs_status status =
        to->parameters && values ? RS_OK : RS_FAIL(s->error, RS_MEMORY, "no memory for %zu parameters", rows);
    status = status ? status : read_table(s, "parameters/shape", to->parameter_count, 4, &shape);
    status = status ? status : read_table(s, "parameters/count", to->parameter_count, 1, &count);
    status = status ? status : read_table(s, "parameters/block", to->parameter_count, 1, &block);
    status = status ? status : fill_parameters(s, shape, count, block);
    status = status ? status : fill_gradients(s, values);
    rs_free(shape);
    rs_free(count);
    rs_free(block);
    rs_free(values);
    return status;
}

/* --- layers --------------------------------------------------------------------------------------------------- */

/* A list of names of the record. */
typedef struct names {
    char (*list)[RS_NAME_MAX];
    int count;
} names;

static rs_status read_names(const source *s, const char *path, names *to)
{
    to->count = count_names(s->reader, path);
    to->list = rs_alloc_array((size_t)to->count + 1, sizeof *to->list);
    if (!to->list) {
        return RS_FAIL(s->error, RS_MEMORY, "no memory for %d names", to->count);
    }
    for (int i = 0; i < to->count; i++) {
        RS_TRY(rs_record_reader_name(s->reader, path, i, to->list[i], s->error));
    }
    return RS_OK;
}

static int find_name(const names *in, const char *name)
{
    for (int i = 0; i < in->count; i++) {
        if (strcmp(in->list[i], name) == 0) {
            return i;
        }
    }
    return -1;
}

/* Fills one module; false where nothing of it was recorded. */
static bool fill_layer(const source *s, rs__layer *layer, const names *measured, const names *heads)
{
    const rs__layers *to = s->to;
    char path[RS_NAME_MAX + 16];
    layer->block = -1;
    layer->measured = find_name(measured, layer->name);
    layer->head = find_name(heads, layer->name);
    layer->loss = layer->output = NAN;
    (void)snprintf(path, sizeof path, "%s.running_mean", layer->name);
    layer->running = is_recorded(s, "weights", path);
    for (int p = 0; p < to->parameter_count; p++) {
        if (strcmp(to->parameters[p].layer, layer->name) == 0) {
            layer->first = layer->tensors == 0 ? p : layer->first;
            layer->tensors = p - layer->first + 1;
            layer->parameters += to->parameters[p].count;
            layer->block = to->parameters[p].block >= 0 ? to->parameters[p].block : layer->block;
        }
    }
    return layer->tensors > 0 || layer->measured >= 0 || layer->head >= 0;
}

static rs_status read_modules(const source *s, const names *measured, const names *heads)
{
    rs__layers *to = s->to;
    double *shape = NULL;
    const int modules = (int)rows_of(s->reader, "layers/shape");
    to->layers = rs_alloc_array((size_t)modules + 1, sizeof *to->layers);
    if (!to->layers) {
        return RS_FAIL(s->error, RS_MEMORY, "no memory for %d layers", modules);
    }
    RS_TRY(read_table(s, "layers/shape", modules, 3, &shape));
    rs_status status = RS_OK;
    for (int l = 0; l < modules && !status; l++) {
        rs__layer *layer = &to->layers[to->layer_count];
        *layer = (rs__layer){0};
        for (int axis = 0; axis < 3; axis++) {
            layer->shape[axis] = (int64_t)shape[3 * l + axis];
        }
        status = rs_record_reader_name(s->reader, "layers/name", l, layer->name, s->error);
        status = status ? status : rs_record_reader_name(s->reader, "layers/kind", l, layer->kind, s->error);
        to->layer_count += !status && fill_layer(s, layer, measured, heads);
    }
    rs_free(shape);
    return status;
}

/* The last value of each measured layer's own series. */
static rs_status fill_series(const source *s, int measured_count)
{
    rs__layers *to = s->to;
    double *values = rs_alloc_array(2 * (size_t)measured_count + 1, sizeof *values);
    rs_status status = values ? last_row(s, "steps/layer_loss", measured_count, values)
                              : RS_FAIL(s->error, RS_MEMORY, "no memory for %d layers", measured_count);
    status =
        status ? status : last_row(s, "steps/layer_output_mean", measured_count, values + measured_count);
    for (int l = 0; l < to->layer_count && !status; l++) {
        const int m = to->layers[l].measured;
        if (m >= 0) {
            to->layers[l].loss = values[m];
            to->layers[l].output = values[measured_count + m];
        }
    }
    rs_free(values);
    return status;
}

static rs_status read_layers(const source *s)
{
    names measured = {0}, heads = {0};
    rs_status status = read_names(s, "layer", &measured);
    status = status ? status : read_names(s, "head", &heads);
    status = status ? status : read_modules(s, &measured, &heads);
    status = status ? status : fill_series(s, measured.count);
    rs_free(measured.list);
    rs_free(heads.list);
    s->to->losses = rs_record_reader_has(s->reader, "steps/layer_loss");
    s->to->outputs = rs_record_reader_has(s->reader, "steps/layer_output_mean");
    return status;
}

/* The metrics whose distances were recorded; tables show the first. */
static rs_status find_metrics(const source *s, const rs__run *run)
{
    size_t count;
    const rs_option *table = rs_option_table(&count);
    rs__layers *to = s->to;
    for (size_t i = 0; i < count; i++) {
        const char *at = run->settings[i];
        char metric[sizeof to->metric], path[sizeof to->metric + 32];
        while (strcmp(table[i].name, "metric") == 0 && rs_text_next_word(&at, ',', metric, sizeof metric)) {
            (void)snprintf(path, sizeof path, "steps/distance_to_initial/%s", metric);
            if (rs_record_reader_has(s->reader, path)) {
                RS_TRY(rs__report_add_text(&to->metrics, metric, s->error));
            }
        }
    }
    if (to->metrics.count > 0) {
        (void)snprintf(to->metric, sizeof to->metric, "%s", to->metrics.list[0]);
    }
    return RS_OK;
}

rs_status rs__report_read_layers(const rs__run *run, rs__layers *layers, rs_error *error)
{
    rs_record_reader *reader = NULL;
    *layers = (rs__layers){0};
    RS_TRY(rs_record_reader_open(run->path, &reader, error));
    const source s = {reader, layers, error};
    layers->statistics = rs_record_reader_has(reader, "steps/gradient_abs_mean");
    rs_status status = find_metrics(&s, run);
    status = status ? status : read_blocks(&s);
    status = status ? status : read_parameters(&s);
    status = status ? status : read_layers(&s);
    rs_record_reader_close(reader);
    if (status) {
        rs__report_clear_layers(layers);
    }
    return status;
}

void rs__report_clear_layers(rs__layers *layers)
{
    rs_free(layers->layers);
    rs_free(layers->parameters);
    rs_free(layers->blocks);
    rs__report_clear_texts(&layers->metrics);
    *layers = (rs__layers){0};
}
