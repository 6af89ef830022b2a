/* runs.c: see runs.h. */
#include "runs.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "numbers.h"
#include "rs/host.h"

void rs__runs_free(rs__series_of_runs *series)
{
    for (int r = 0; series->values && r < series->runs; r++) {
        rs_free(series->values[r]);
    }
    rs_free(series->values);
    rs_free(series->rows);
    *series = (rs__series_of_runs){0};
}

rs_status rs__runs_read(const rs__group *group, const char *path, rs__series_of_runs *series, rs_error *error)
{
    *series = (rs__series_of_runs){.runs = group->count};
    series->values = rs_alloc_array((size_t)group->count, sizeof *series->values);
    series->rows = rs_alloc_array((size_t)group->count, sizeof *series->rows);
    rs_status status = series->values && series->rows
                           ? RS_OK
                           : RS_FAIL(error, RS_MEMORY, "no memory for %d runs", group->count);
    for (int r = 0; r < group->count && !status; r++) {
        int64_t width = 0;
        status = rs__read_series(group->runs[r], path, &series->rows[r], &width, &series->values[r], error);
        if (!status && r > 0 && width != series->width) {
            status =
                RS_FAIL(error, RS_DATA, "%s: a row of %s has %lld numbers, in %s %lld", group->runs[r]->path,
                        path, (long long)width, group->runs[0]->path, (long long)series->width);
        }
        series->width = width;
        series->longest = series->rows[r] > series->longest ? series->rows[r] : series->longest;
    }
    if (status) {
        rs__runs_free(series);
    }
    return status;
}

/* --- curves --------------------------------------------------------------------------------------------------- */

/* One column of all runs, smoothed, and what is made of it. */
typedef struct curves {
    int runs;
    double **y;
    const int64_t *rows;
    int64_t count;
    int closing;               /* 1: stairs, whose last step ends at a point more */
    double *x;                 /* of the longest */
    double *low, *mean, *high; /* [count + closing] */
} curves;

static void free_curves(curves *c)
{
    for (int r = 0; c->y && r < c->runs; r++) {
        rs_free(c->y[r]);
    }
    rs_free(c->y);
    rs_free(c->x);
    rs_free(c->low);
    rs_free(c->mean);
    rs_free(c->high);
}

/* The last value once more. */
static void close_step(double *values, int64_t count)
{
    values[count] = count > 0 ? values[count - 1] : (double)NAN;
}

static rs_status take_column(const rs__plot *plot, const rs__series_of_runs *series, int64_t column, int run,
                             curves *c, rs_error *error)
{
    double *y = c->y[run] = rs_alloc_array((size_t)series->rows[run] + 1, sizeof *y);
    if (!y) {
        return RS_FAIL(error, RS_MEMORY, "no memory for %lld points", (long long)series->rows[run]);
    }
    for (int64_t i = 0; i < series->rows[run]; i++) {
        y[i] = series->values[run][i * series->width + column];
    }
    rs__replace_outliers(y, series->rows[run], plot->options->outliers);
    RS_TRY(rs__smooth(y, series->rows[run], plot->options->smooth, error));
    close_step(y, series->rows[run]);
    return RS_OK;
}

static rs_status make_curves(const rs__plot *plot, const rs__series_of_runs *series, int64_t column,
                             const rs__curve_style *style, curves *c, rs_error *error)
{
    const size_t size = (size_t)series->longest + 1;
    *c = (curves){.runs = series->runs,
                  .rows = series->rows,
                  .count = series->longest,
                  .closing = style->mark == RS__STAIRS && series->longest > 0};
    for (int r = 0; r < series->runs; r++) { /* the mean ends where the first run does */
        c->count = series->rows[r] < c->count ? series->rows[r] : c->count;
    }
    c->y = rs_alloc_array((size_t)series->runs, sizeof *c->y);
    c->x = rs_alloc_array(size, sizeof *c->x);
    c->low = rs_alloc_array(size, sizeof *c->low);
    c->mean = rs_alloc_array(size, sizeof *c->mean);
    c->high = rs_alloc_array(size, sizeof *c->high);
    if (!c->y || !c->x || !c->low || !c->mean || !c->high) {
        return RS_FAIL(error, RS_MEMORY, "no memory for %lld points", (long long)series->longest);
    }
    for (int r = 0; r < series->runs; r++) {
        RS_TRY(take_column(plot, series, column, r, c, error));
    }
    for (int64_t i = 0; i <= series->longest; i++) {
        c->x[i] = style->first + (double)i * (style->step > 0.0 ? style->step : 1.0);
    }
    const rs__band band = {c->low, c->mean, c->high};
    RS_TRY(rs__band_of((const double *const *)c->y, series->rows, series->runs, c->count, &band, error));
    close_step(c->low, c->count);
    close_step(c->mean, c->count);
    close_step(c->high, c->count);
    return RS_OK;
}

/* Every run, thin, from row `from` on. */
static rs_status add_individuals(const curves *c, int64_t from, const rs__curve_style *style,
                                 rs__panel *panel, rs_error *error)
{
    for (int r = 0; r < c->runs; r++) {
        const rs__points thin = {
            .mark = style->mark,
            .count = c->rows[r] - from + c->closing,
            .x = c->x + from,
            .y = c->y[r] + from,
            .style = {
                .colour = style->colour, .dash = style->dash, .width = 0.4, .opacity = 0.5, .dot = 1.5}};
        if (c->rows[r] > from + 1 || (c->rows[r] == 1 && from == 0)) {
            RS_TRY(rs__panel_add(panel, &thin, error));
        }
    }
    return RS_OK;
}

static rs_status add_curves(const rs__plot *plot, const curves *c, const rs__curve_style *style,
                            rs__panel *panel, rs_error *error)
{
    const rs__points band = {.mark = RS__BAND,
                             .count = c->count + c->closing,
                             .x = c->x,
                             .low = c->low,
                             .high = c->high,
                             .style = {.colour = style->colour, .opacity = 0.2}};
    const rs__points line = {.mark = style->mark,
                             .count = c->count + c->closing,
                             .x = c->x,
                             .y = c->mean,
                             .label = style->label,
                             .name = style->name,
                             .style = {.colour = style->colour,
                                       .dash = style->dash,
                                       .width = style->width > 0.0 ? style->width : 1.0}};
    if (c->runs > 1) {
        panel->runs |= RS__MEAN_OF_RUNS | RS__STD_OF_RUNS;
        RS_TRY(rs__panel_add(panel, &band, error));
    }
    for (int r = 0; r < c->runs; r++) {
        panel->runs |= c->rows[r] > c->count ? RS__TO_SHORTEST_RUN : 0;
    }
    if (c->runs > 1) {
        const int64_t from = plot->options->individual || c->count == 0 ? 0 : c->count - 1;
        RS_TRY(add_individuals(c, from, style, panel, error));
    }
    RS_TRY(rs__panel_add(panel, &line, error));
    rs__points dots = line;
    dots.mark = RS__POINTS;
    dots.label = dots.name = NULL;
    dots.style.dot = 2.5;
    return style->dots && c->count <= 60 ? rs__panel_add(panel, &dots, error) : RS_OK;
}

rs_status rs__runs_draw(const rs__plot *plot, const rs__series_of_runs *series, int64_t column,
                        const rs__curve_style *style, rs__panel *panel, rs_error *error)
{
    curves c = {0};
    rs_status status = make_curves(plot, series, column, style, &c, error);
    status = status ? status : add_curves(plot, &c, style, panel, error);
    free_curves(&c);
    return status;
}

rs_status rs__runs_add(const rs__plot *plot, const rs__group *group, const char *path,
                       const rs__curve_style *style, rs__panel *panel, rs_error *error)
{
    rs__series_of_runs series = {0};
    bool there = false;
    for (int r = 0; r < group->count; r++) {
        there = there || rs_record_reader_has(group->runs[r]->record, path);
    }
    if (!there) {
        return RS_OK;
    }
    RS_TRY(rs__runs_read(group, path, &series, error));
    rs_status status = rs__runs_draw(plot, &series, 0, style, panel, error);
    rs__runs_free(&series);
    return status;
}

bool rs__wants_log(const rs__panel *panel)
{
    double low = INFINITY, high = 0.0;
    for (int k = 0; k < panel->count; k++) {
        const rs__series *s = &panel->series[k];
        for (int64_t i = 0; s->y && i < s->count; i++) {
            if (isfinite(s->y[i])) {
                low = fmin(low, s->y[i]);
                high = fmax(high, s->y[i]);
            }
        }
    }
    return low > 0.0 && high > 100.0 * low && isfinite(low);
}

uint32_t rs__split_colour(const rs__plot *plot, int index)
{
    return rs__line_colour(&plot->palettes, index, 3);
}

int rs__split_dash(int index)
{
    static const int dashes[] = {RS__SOLID, RS__DOTTED, RS__DASHED};
    return dashes[index];
}
