/* figure_heatmap.c: `distance-heatmap`: the distance of every block at every step as a map of colours: blocks upward by depth, steps
 * to the right; a column for each group of runs, to the initial state above, to the previous one below, each row with colours of its own. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cell_map.h"
#include "figure.h"
#include "numbers.h"
#include "rs/host.h"

enum { COLUMNS = 300, KINDS = 2 }; /* more steps than COLUMNS share columns */
static const char *const kinds[KINDS] = {"initial", "previous"};
static const char *const shown[KINDS] = {"to initial state, by block", "to previous step, by block"};

/* Means over the runs of a group and the steps of a column: [block][column], and how many numbers each is of. */
typedef struct map {
    int64_t blocks, steps, columns;
    double *sum;
    int64_t *count;
} map;

static void free_map(map *m)
{
    rs_free(m->sum);
    rs_free(m->count);
}

/* As far as all runs of a group go, and their blocks, of which all have the same. */
static rs_status measure_map(const rs__group *group, const char *path, map *m, rs__panel *panel,
                             rs_error *error)
{
    for (int r = 0; r < group->count; r++) {
        int64_t rows, width;
        RS_TRY(rs_record_reader_series_size(group->runs[r]->record, path, &rows, &width, error));
        panel->runs |= r > 0 ? RS__MEAN_OF_RUNS : 0;
        panel->runs |= r > 0 && rows != m->steps ? RS__TO_SHORTEST_RUN : 0;
        m->steps = r == 0 || rows < m->steps ? rows : m->steps;
        if (r > 0 && width != m->blocks) {
            return RS_FAIL(error, RS_DATA, "%s has %" PRId64 " blocks, another seed's record %" PRId64,
                           group->runs[r]->path, width, m->blocks);
        }
        m->blocks = width;
    }
    m->columns = m->steps < COLUMNS ? m->steps : COLUMNS;
    const size_t cells = (size_t)(m->blocks * m->columns);
    m->sum = rs_alloc_zero((cells + 1) * sizeof *m->sum);
    m->count = rs_alloc_zero((cells + 1) * sizeof *m->count);
    return m->sum && m->count ? RS_OK : RS_FAIL(error, RS_MEMORY, "no memory for a map of %zu cells", cells);
}

static rs_status add_run(const rs__input *run, const char *path, map *m, rs_error *error)
{
    int64_t rows, width;
    double *values = NULL;
    RS_TRY(rs__read_series(run, path, &rows, &width, &values, error));
    for (int64_t t = 0; t < rows && t < m->steps; t++) {
        const int64_t column = t * m->columns / m->steps;
        for (int64_t b = 0; b < width && b < m->blocks; b++) {
            const double value = values[t * width + b];
            if (isfinite(value)) {
                m->sum[b * m->columns + column] += value;
                m->count[b * m->columns + column]++;
            }
        }
    }
    rs_free(values);
    return RS_OK;
}

/* Sums become means, NaN of none. */
static void finish_map(map *m, double *low, double *high)
{
    for (int64_t i = 0; i < m->blocks * m->columns; i++) {
        m->sum[i] = m->count[i] > 0 ? m->sum[i] / (double)m->count[i] : (double)NAN;
        if (m->sum[i] > 0.0) {
            *low = m->sum[i] >= *low ? *low : m->sum[i];
            *high = m->sum[i] <= *high ? *high : m->sum[i];
        }
    }
}

/* --per-weight. */
static rs_status divide_by_weights(const rs__group *group, map *m, rs_error *error)
{
    int64_t rows, width;
    double *weights = NULL;
    RS_TRY(rs__read_series(group->runs[0], "blocks/weights", &rows, &width, &weights, error));
    for (int64_t i = 0; i < m->blocks * m->columns; i++) {
        const int64_t block = i / m->columns;
        m->sum[i] /= block < rows * width && weights[block] > 0.0 ? weights[block] : 1.0;
    }
    rs_free(weights);
    return RS_OK;
}

static rs_status draw_map(const rs__group *group, const char *path, bool per_weight, rs__panel *panel,
                          rs__bar *bar, rs_error *error)
{
    map m = {0};
    rs_status status = measure_map(group, path, &m, panel, error);
    for (int r = 0; !status && r < group->count; r++) {
        status = add_run(group->runs[r], path, &m, error);
    }
    status = status || !per_weight ? status : divide_by_weights(group, &m, error);
    if (!status) {
        finish_map(&m, &bar->low, &bar->high);
        const double steps = m.columns > 0 ? (double)m.steps / (double)m.columns : 1.0; /* of a column */
        const rs__cell_map cells = {.columns = m.columns,
                                    .rows = m.blocks,
                                    .x_first = 0.5 * steps + 0.5, /* steps and depths count from 1 */
                                    .x_step = steps,
                                    .y_first = 1.0,
                                    .y_step = 1.0,
                                    .values = m.sum,
                                    .name = group->label};
        status = rs__panel_add_map(panel, &cells, error);
    }
    panel->x.whole = panel->y.whole = panel->x.tight = panel->y.tight = true;
    free_map(&m);
    return status;
}

static rs_status draw_column(const rs__plot *plot, const rs__group *group, int column, rs__chart *chart,
                             rs_error *error)
{
    char metric[24], path[96];
    RS_TRY(rs__metric_of(group->runs[0], plot->options->metric, metric, error));
    for (int kind = 0; kind < KINDS; kind++) {
        rs__panel *panel = rs__chart_panel(chart, kind, column);
        (void)snprintf(path, sizeof path, "steps/distance_to_%s/%s", kinds[kind], metric);
        panel->second = kind == 1;
        RS_TRY(draw_map(group, path, plot->options->per_weight, panel,
                        panel->second ? &chart->second : &chart->bar, error));
        RS_TRY(column == 0 ? rs__chart_text(&panel->y.label, error, "%s", shown[kind]) : RS_OK);
        RS_TRY(kind == 0 ? rs__chart_text(&panel->title, error, "%s", group->label)
                         : rs__chart_text(&panel->x.label, error, "step"));
    }
    const char *unit = plot->options->per_weight ? " per weight" : "";
    RS_TRY(rs__chart_text(&chart->title, error, "Movement by block and step (%s)", metric));
    RS_TRY(rs__chart_text(&chart->bar.label, error, "distance%s", unit));
    return rs__chart_text(&chart->second.label, error, "distance%s", unit);
}

/* Nothing, or one number alone, has a range, too. */
static void open_bar(rs__bar *bar)
{
    if (!(bar->low < bar->high)) {
        bar->low = bar->low > 0.0 ? bar->low / 2.0 : 0.1;
        bar->high = 4.0 * bar->low;
    }
}

rs_status rs__build_distance_heatmap(const rs__plot *plot, rs__chart *chart, rs_error *error)
{
    RS_TRY(rs__chart_make(chart, KINDS, plot->groups.count, error));
    chart->bar = chart->second =
        (rs__bar){.shown = true, .log = true, .low = (double)NAN, .high = (double)NAN};
    chart->share_x = chart->share_y = true;
    for (int g = 0; g < plot->groups.count; g++) {
        RS_TRY(draw_column(plot, &plot->groups.list[g], g, chart, error));
    }
    open_bar(&chart->bar);
    open_bar(&chart->second);
    return rs__chart_text(&chart->alt, error,
                          "Distances of every block to its initial state (above, as colours from %.3g to "
                          "%.3g) and to its previous "
                          "state (below, from %.3g to %.3g) at every step.",
                          chart->bar.low, chart->bar.high, chart->second.low, chart->second.high);
}
