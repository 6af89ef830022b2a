/* figure_distances.c: one column for each network, plain ones first: above, how far every block has moved from its initial
 * state; below, how far at every step, on a logarithmic axis. One scale for a row, one colour for a depth. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "figure.h"
#include "numbers.h"
#include "rs/host.h"

enum { ROWS = 2, MOST_COLUMNS = 6, PATH = 128 };

static const char *const kinds[ROWS] = {"initial", "previous"};

typedef struct column {
    const rs__plot *plot;
    const rs__group *group;
    char metric[24];
    rs__columns blocks;
    int64_t steps;
    double *depth, *weights; /* [all blocks] */
    double *x, *mean;        /* [steps + 1] */
    bool names;              /* few blocks, of a network of layers: told by name, not by the colour bar */
} column;

static void clear(column *c)
{
    rs__columns_free(&c->blocks);
    rs_free(c->depth);
    rs_free(c->weights);
    rs_free(c->x);
    rs_free(c->mean);
}

static rs_status open_column(const rs__plot *plot, const rs__group *group, column *c, rs_error *error)
{
    const rs__input *first = group->runs[0];
    int64_t rows, width;
    *c = (column){.plot = plot, .group = group};
    RS_TRY(rs__metric_of(first, plot->options->metric, c->metric, error));
    RS_TRY(rs__read_columns(first, "blocks/name", plot->options->layers, &c->blocks, error));
    RS_TRY(rs__read_series(first, "blocks/depth", &rows, &width, &c->depth, error));
    return rs__read_series(first, "blocks/weights", &rows, &width, &c->weights, error);
}

/* The series of all runs of the group: [run][step][block]. */
typedef struct runs {
    int count;
    double **values;
    int64_t *steps, width;
} runs;

static void free_runs(runs *r)
{
    for (int i = 0; r->values && i < r->count; i++) {
        rs_free(r->values[i]);
    }
    rs_free(r->values);
    rs_free(r->steps);
}

static rs_status read_runs(column *c, const char *kind, runs *r, rs_error *error)
{
    char path[PATH];
    r->count = c->group->count;
    r->values = rs_alloc_array((size_t)r->count, sizeof *r->values);
    r->steps = rs_alloc_array((size_t)r->count, sizeof *r->steps);
    if (!r->values || !r->steps) {
        return RS_FAIL(error, RS_MEMORY, "no memory for %d runs", r->count);
    }
    (void)snprintf(path, sizeof path, "steps/distance_to_%s/%s", kind, c->metric);
    c->steps = 0;
    for (int i = 0; i < r->count; i++) {
        int64_t width = 0;
        RS_TRY(rs__read_series(c->group->runs[i], path, &r->steps[i], &width, &r->values[i], error));
        if (i > 0 && width != r->width) {
            return RS_FAIL(error, RS_DATA, "%s has %lld blocks, and %s %lld", c->group->runs[i]->path,
                           (long long)width, c->group->runs[0]->path, (long long)r->width);
        }
        r->width = width;
        c->steps = i == 0 || r->steps[i] < c->steps ? r->steps[i] : c->steps; /* where all runs are */
    }
    return RS_OK;
}

/* The mean of one block over the runs, after step 0 (where it is 0, of the initial state alone), 1, 2, ... */
static void mean_of_block(column *c, const runs *r, int64_t block, bool per_weight)
{
    const double by = per_weight && c->weights[block] > 0.0 ? c->weights[block] : 1.0;
    for (int64_t t = 0; t < c->steps; t++) {
        double sum = 0.0;
        int n = 0;
        for (int i = 0; i < r->count; i++) {
            const double value = r->values[i][t * r->width + block];
            sum += isfinite(value) ? value : 0.0;
            n += isfinite(value);
        }
        c->x[t + 1] = (double)(t + 1);
        c->mean[t + 1] = n > 0 ? sum / n / by : NAN;
    }
    c->x[0] = c->mean[0] = 0.0;
}

static rs_status add_blocks(column *c, const runs *r, bool from_zero, double deepest, rs__panel *panel,
                            rs_error *error)
{
    const rs_plot_options *options = c->plot->options;
    for (int64_t b = 0; b < c->blocks.count; b++) {
        const int64_t block = c->blocks.index[b];
        char name[512];
        mean_of_block(c, r, block, options->per_weight);
        RS_TRY(rs__smooth(c->mean + 1, c->steps, options->smooth, error));
        (void)snprintf(name, sizeof name, "%s, block %.0f: %s", c->group->label, c->depth[block],
                       c->blocks.names[b]);
        const int64_t skip = from_zero ? 0 : 1;
        const rs__points points = {
            .mark = RS__LINE,
            .count = c->steps + 1 - skip,
            .x = c->x + skip,
            .y = c->mean + skip,
            .name = name,
            .label = c->names ? c->blocks.names[b] : NULL,
            .style = {.colour = RS__NO_COLOUR,
                      .dash = c->names ? (int)(b % RS__DASHES) : RS__SOLID,
                      .level = deepest > 1.0 ? (c->depth[block] - 1.0) / (deepest - 1.0) : 0.0,
                      .width = c->blocks.count > 40 ? 0.5 : 0.9}};
        RS_TRY(rs__panel_add(panel, &points, error));
    }
    return RS_OK;
}

static rs_status fill_panel(column *c, int row, double deepest, rs__panel *panel, rs_error *error)
{
    runs r = {0};
    rs_status status = read_runs(c, kinds[row], &r, error);
    rs_free(c->x);
    rs_free(c->mean);
    c->x = rs_alloc_array((size_t)c->steps + 1, sizeof *c->x);
    c->mean = rs_alloc_array((size_t)c->steps + 1, sizeof *c->mean);
    if (!status && (!c->x || !c->mean)) {
        status = RS_FAIL(error, RS_MEMORY, "no memory for %lld steps", (long long)c->steps);
    }
    panel->runs |= r.count > 1 ? RS__MEAN_OF_RUNS : 0;
    for (int i = 0; i < r.count && !status; i++) {
        panel->runs |= r.steps[i] > c->steps ? RS__TO_SHORTEST_RUN : 0;
    }
    status = status ? status : add_blocks(c, &r, row == 0, deepest, panel, error);
    free_runs(&r);
    return status;
}

static rs_status fill_column(column *c, int index, double deepest, rs__chart *chart, rs_error *error)
{
    for (int row = 0; row < ROWS; row++) {
        rs__panel *panel = rs__chart_panel(chart, row, index);
        panel->x.whole = panel->x.tight = true;
        panel->x.low = 0.0;
        panel->y.log = row == 1;
        panel->y.zero = row == 0;
        RS_TRY(fill_panel(c, row, deepest, panel, error));
        if (row == ROWS - 1) {
            RS_TRY(rs__chart_text(&panel->x.label, error, "step"));
        }
        if (index == 0) {
            RS_TRY(rs__chart_text(&panel->y.label, error, "to %s%s", row ? "previous step" : "initial state",
                                  c->plot->options->per_weight ? ", per weight" : ""));
        }
        if (row == 0) {
            RS_TRY(rs__chart_text(&panel->title, error, "%s", c->group->label));
        }
    }
    return RS_OK;
}

/* Whether all are networks of layers that have the same few: their names fit into a key. */
static bool are_named(const column *columns, int count)
{
    enum { FEW = 12 };
    for (int i = 0; i < count; i++) {
        const rs__columns *own = &columns[i].blocks;
        if (!*columns[i].group->runs[0]->config->network || own->count > FEW ||
            !rs__same_columns(own, &columns[0].blocks)) {
            return false;
        }
    }
    return true;
}

static rs_status set_texts(const rs__plot *plot, const column *columns, double deepest, rs__chart *chart,
                           rs_error *error)
{
    const char *unit = plot->options->per_weight ? ", per weight" : "";
    chart->share_x = chart->share_y = true;
    chart->bar = (rs__bar){.shown = !columns[0].names, .low = 1.0, .high = fmax(deepest, 1.0), .whole = true};
    RS_TRY(rs__chart_text(&chart->bar.label, error, "block, from the input on"));
    RS_TRY(rs__chart_text(&chart->title, error, "Distance of each block's weights (%s%s)", columns[0].metric,
                          unit));
    return rs__chart_text(
        &chart->alt, error,
        "Distance (%s%s) of the weights of each of %.0f blocks to their initial state and to "
        "the step before, over "
        "%lld training steps, for %s%s%s",
        columns[0].metric, unit, deepest, (long long)columns[0].steps, columns[0].group->label,
        plot->groups.count > 1 ? " and " : "",
        plot->groups.count == 2  ? columns[1].group->label
        : plot->groups.count > 2 ? "others"
                                 : "");
}

rs_status rs__build_distances(const rs__plot *plot, rs__chart *chart, rs_error *error)
{
    const int count = plot->groups.count;
    column columns[MOST_COLUMNS] = {{0}};
    double deepest = 1.0;
    if (count > MOST_COLUMNS) {
        return RS_FAIL(
            error, RS_USAGE,
            "%d different networks do not fit beside each other: name at most %d, or give them rows of their "
            "own, as with --sheet depth",
            count, MOST_COLUMNS);
    }
    rs_status status = rs__chart_make(chart, ROWS, count, error);
    for (int i = 0; i < count && !status; i++) {
        status = open_column(plot, &plot->groups.list[i], &columns[i], error);
        for (int64_t b = 0; b < columns[i].blocks.count && !status; b++) {
            deepest = fmax(deepest, columns[i].depth[columns[i].blocks.index[b]]);
        }
    }
    const bool names = !status && are_named(columns, count);
    for (int i = 0; i < count && !status; i++) {
        columns[i].names = names;
        status = fill_column(&columns[i], i, deepest, chart, error);
    }
    status = status ? status : set_texts(plot, columns, deepest, chart, error);
    for (int i = 0; i < count; i++) {
        clear(&columns[i]);
    }
    return status;
}
