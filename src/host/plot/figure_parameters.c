/* figure_parameters.c: `parameters`: loss and accuracy of the last epoch against the number of parameters, one point a group of
 * runs: mean and standard deviation over its seeds. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "figure.h"
#include "numbers.h"
#include "rs/host.h"
#include "rs/statistics.h"
#include "runs.h"

enum { SPLITS = 3, SCORES = 2 };
static const char *const split_names[SPLITS] = {"train", "valid", "test"};
static const char *const shown_names[SPLITS] = {"training", "validation", "test"};
static const char *const score_names[SCORES] = {"loss", "accuracy"};

/* One group: its size and the mean, and what lies a standard deviation around it. */
typedef struct point {
    double size, mean[SPLITS][SCORES], std[SPLITS][SCORES];
} point;

static rs_status count_parameters(const rs__input *run, double *size, rs_error *error)
{
    int64_t rows, width;
    double *values = NULL;
    RS_TRY(rs__read_series(run, "parameters/count", &rows, &width, &values, error));
    *size = 0.0;
    for (int64_t i = 0; i < rows * width; i++) {
        *size += values[i];
    }
    rs_free(values);
    return RS_OK;
}

/* Of the last finished epoch; NaN where there is none. */
static rs_status last_of(const rs__input *run, const char *path, double *value, rs_error *error)
{
    int64_t rows, width;
    *value = (double)NAN;
    if (!rs_record_reader_has(run->record, path)) {
        return RS_OK;
    }
    RS_TRY(rs_record_reader_series_size(run->record, path, &rows, &width, error));
    return rows == 0 ? RS_OK : rs_record_reader_series(run->record, path, rows - 1, 1, 1, value, error);
}

/* Without a validation set of its own the test set served: it is shown once. */
static bool is_repeated(const rs__input *run, int split)
{
    return split == 1 && run->config->valid_split == 0;
}

static rs_status make_point(const rs__group *group, point *p, rs_error *error)
{
    double *values = rs_alloc_array((size_t)group->count + 1, sizeof *values);
    rs_status status = values ? count_parameters(group->runs[0], &p->size, error)
                              : RS_FAIL(error, RS_MEMORY, "no memory for %d runs", group->count);
    for (int s = 0; s < SPLITS; s++) {
        for (int k = 0; k < SCORES; k++) {
            char path[48];
            (void)snprintf(path, sizeof path, "epochs/%s_%s", split_names[s], score_names[k]);
            for (int r = 0; !status && r < group->count; r++) {
                values[r] = (double)NAN;
                status =
                    is_repeated(group->runs[r], s) ? RS_OK : last_of(group->runs[r], path, &values[r], error);
            }
            if (!status) {
                const rs_spread m = rs_spread_of_finite(values, group->count, 1);
                p->mean[s][k] = m.mean;
                p->std[s][k] = m.std;
            }
        }
    }
    rs_free(values);
    return status;
}

static int by_size(const void *a, const void *b)
{
    const double one = ((const point *)a)->size, other = ((const point *)b)->size;
    return one < other ? -1 : one > other;
}

static bool any(const point *points, int count, int split, int score)
{
    for (int i = 0; i < count; i++) {
        if (isfinite(points[i].mean[split][score])) {
            return true;
        }
    }
    return false;
}

static rs_status add_split(const rs__plot *plot, const point *points, int count, int split, int score,
                           rs__panel *panel, rs_error *error)
{
    double *columns = rs_alloc_array(4 * (size_t)count + 4, sizeof *columns);
    if (!columns) {
        return RS_FAIL(error, RS_MEMORY, "no memory for %d points", count);
    }
    double *x = columns, *y = x + count, *low = y + count, *high = low + count;
    for (int i = 0; i < count; i++) {
        x[i] = points[i].size;
        y[i] = points[i].mean[split][score];
        low[i] = y[i] - points[i].std[split][score];
        high[i] = y[i] + points[i].std[split][score];
    }
    rs__points line = {.mark = RS__LINE,
                       .count = count,
                       .x = x,
                       .y = y,
                       .label = shown_names[split],
                       .name = shown_names[split]};
    line.style = (rs__style){.colour = rs__line_colour(&plot->palettes, split, SPLITS),
                             .width = 0.8,
                             .dash = rs__split_dash(split)};
    rs__points errors = {.mark = RS__ERRORS, .count = count, .x = x, .y = y, .low = low, .high = high};
    errors.style = (rs__style){.colour = line.style.colour, .width = 0.8};
    rs_status status = rs__panel_add(panel, &line, error);
    status = status ? status : rs__panel_add(panel, &errors, error);
    rs_free(columns);
    return status;
}

static rs_status draw(const rs__plot *plot, const point *points, int count, rs__chart *chart, rs_error *error)
{
    const bool accuracy = any(points, count, 0, 1) || any(points, count, 2, 1);
    RS_TRY(rs__chart_make(chart, 1, accuracy ? 2 : 1, error));
    for (int k = 0; k < chart->columns; k++) {
        rs__panel *panel = rs__chart_panel(chart, 0, k);
        for (int s = 0; s < SPLITS; s++) {
            RS_TRY(any(points, count, s, k) ? add_split(plot, points, count, s, k, panel, error) : RS_OK);
        }
        panel->runs = plot->inputs.count > plot->groups.count ? RS__MEAN_OF_RUNS | RS__STD_OF_RUNS : 0;
        panel->x.log = true;
        panel->y.log = k == 0;
        RS_TRY(rs__chart_text(&panel->x.label, error, "parameters"));
        RS_TRY(rs__chart_text(&panel->y.label, error, "%s after the last epoch", score_names[k]));
    }
    RS_TRY(rs__chart_text(&chart->title, error, "Size and generalisation"));
    return rs__chart_text(
        &chart->alt, error,
        "Loss%s of the last epoch against the number of parameters, from %.0f to %.0f, of %d networks.",
        accuracy ? " and accuracy" : "", points[0].size, points[count - 1].size, count);
}

rs_status rs__build_parameters(const rs__plot *plot, rs__chart *chart, rs_error *error)
{
    const int count = plot->groups.count;
    point *points = rs_alloc_array((size_t)count + 1, sizeof *points);
    rs_status status = points ? RS_OK : RS_FAIL(error, RS_MEMORY, "no memory for %d points", count);
    for (int g = 0; !status && g < count; g++) {
        status = make_point(&plot->groups.list[g], &points[g], error);
    }
    if (!status) {
        qsort(points, (size_t)count, sizeof *points, by_size);
        status = draw(plot, points, count, chart, error);
    }
    rs_free(points);
    return status;
}
