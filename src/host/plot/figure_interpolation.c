/* figure_interpolation.c: `interpolation`: loss and accuracy along the line between two states. Where the points go far beyond
 * the two, the stretch around them has a row of its own. Several results (one a pair of seeds): mean and standard
 * deviation. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "figure.h"
#include "numbers.h"
#include "result_arrays.h"
#include "rs/host.h"

enum { SPLITS = 2, SCORES = 2, LABEL = 256 };
static const char *const split_names[SPLITS] = {"train", "test"};
static const char *const shown_names[SPLITS] = {"training", "test"};
static const char *const score_names[SCORES] = {"loss", "accuracy"};
static const double near_low = -0.5, near_high = 1.5; /* the stretch around the two states */

/* All results, their points in the order of alpha. */
typedef struct lines {
    int results;
    int64_t points;
    double *alpha;                   /* [points] */
    int64_t *order;                  /* [points] in the files */
    double **scores[SPLITS][SCORES]; /* [result][points] */
} lines;

static const double *sort_key;

static int by_alpha(const void *a, const void *b)
{
    const int64_t i = *(const int64_t *)a, j = *(const int64_t *)b;
    if (sort_key[i] != sort_key[j]) {
        return sort_key[i] < sort_key[j] ? -1 : 1;
    }
    return i < j ? -1 : i > j;
}

static rs_status find_order(lines *l, const double *alpha, rs_error *error)
{
    l->order = rs_alloc_array((size_t)l->points + 1, sizeof *l->order);
    l->alpha = rs_alloc_array((size_t)l->points + 1, sizeof *l->alpha);
    if (!l->order || !l->alpha) {
        return RS_FAIL(error, RS_MEMORY, "no memory for %" PRId64 " points", l->points);
    }
    for (int64_t i = 0; i < l->points; i++) {
        l->order[i] = i;
    }
    sort_key = alpha;
    qsort(l->order, (size_t)l->points, sizeof *l->order, by_alpha);
    for (int64_t i = 0; i < l->points; i++) {
        l->alpha[i] = alpha[l->order[i]];
    }
    return RS_OK;
}

static rs_status read_alpha(const rs__input *input, lines *l, rs_error *error)
{
    double *alpha = NULL;
    int64_t points;
    RS_TRY(rs__read_result(input, "alpha", &points, &alpha, error));
    rs_status status = RS_OK;
    if (!l->alpha) {
        l->points = points;
        status = find_order(l, alpha, error);
    }
    for (int64_t i = 0; !status && i < l->points; i++) {
        if (points != l->points || alpha[l->order[i]] != l->alpha[i]) {
            status = RS_FAIL(error, RS_USAGE,
                             "%s has other points than the first result: analyze all with the same --points",
                             input->path);
        }
    }
    rs_free(alpha);
    return status;
}

static rs_status read_scores(const rs__input *input, int result, lines *l, rs_error *error)
{
    for (int s = 0; s < SPLITS; s++) {
        for (int k = 0; k < SCORES; k++) {
            char path[32];
            double *values = NULL;
            (void)snprintf(path, sizeof path, "%s/%s", split_names[s], score_names[k]);
            RS_TRY(rs__read_result_of(input, path, l->points, &values, error));
            double *sorted = l->scores[s][k][result] = rs_alloc_array((size_t)l->points + 1, sizeof *sorted);
            for (int64_t i = 0; sorted && i < l->points; i++) {
                sorted[i] = values[l->order[i]];
            }
            rs_free(values);
            if (!sorted) {
                return RS_FAIL(error, RS_MEMORY, "no memory for %" PRId64 " points", l->points);
            }
        }
    }
    return RS_OK;
}

static rs_status read_lines(const rs__plot *plot, lines *l, rs_error *error)
{
    l->results = plot->inputs.count;
    for (int s = 0; s < SPLITS; s++) {
        for (int k = 0; k < SCORES; k++) {
            l->scores[s][k] = rs_alloc_zero((size_t)l->results * sizeof(double *));
            if (!l->scores[s][k]) {
                return RS_FAIL(error, RS_MEMORY, "no memory for %d results", l->results);
            }
        }
    }
    for (int i = 0; i < l->results; i++) {
        RS_TRY(read_alpha(&plot->inputs.list[i], l, error));
        RS_TRY(read_scores(&plot->inputs.list[i], i, l, error));
    }
    return RS_OK;
}

static void free_lines(lines *l)
{
    for (int s = 0; s < SPLITS; s++) {
        for (int k = 0; k < SCORES; k++) {
            for (int i = 0; l->scores[s][k] && i < l->results; i++) {
                rs_free(l->scores[s][k][i]);
            }
            rs_free(l->scores[s][k]);
        }
    }
    rs_free(l->alpha);
    rs_free(l->order);
}

static bool any_finite(const lines *l, int score)
{
    for (int s = 0; s < SPLITS; s++) {
        for (int i = 0; i < l->results; i++) {
            for (int64_t p = 0; p < l->points; p++) {
                if (isfinite(l->scores[s][score][i][p])) {
                    return true;
                }
            }
        }
    }
    return false;
}

/* One result, thin behind the mean of all. */
static rs_status add_thin(const lines *l, const double *y, int64_t first, int64_t count, rs__style style,
                          rs__panel *panel, rs_error *error)
{
    style.width = 0.4;
    style.opacity = 0.5;
    const rs__points thin = {.mark = RS__LINE, .count = count, .x = l->alpha + first, .y = y, .style = style};
    return rs__panel_add(panel, &thin, error);
}

/* The results' mean, and what lies a standard deviation around it. */
static rs_status add_mean(const lines *l, const double *const *runs, const int64_t *lengths, int split,
                          int64_t first, rs__style style, rs__panel *panel, rs_error *error)
{
    const int64_t count = lengths[0];
    double *low = rs_alloc_array(3 * (size_t)count + 3, sizeof *low);
    if (!low) {
        return RS_FAIL(error, RS_MEMORY, "no memory for %" PRId64 " points", count);
    }
    double *mean = low + count, *high = mean + count;
    const rs__band band = {low, mean, high};
    rs_status status = rs__band_of(runs, lengths, l->results, count, &band, error);
    rs__points area = {
        .mark = RS__BAND, .count = count, .x = l->alpha + first, .low = low, .high = high, .style = style};
    area.style.opacity = 0.25;
    const rs__points line = {.mark = RS__LINE,
                             .count = count,
                             .x = l->alpha + first,
                             .y = mean,
                             .style = style,
                             .label = shown_names[split],
                             .name = shown_names[split]};
    status = status || l->results < 2 ? status : rs__panel_add(panel, &area, error);
    status = status ? status : rs__panel_add(panel, &line, error);
    rs_free(low);
    return status;
}

/* Points first .. last - 1 of one split and score. */
static rs_status add_split(const rs__plot *plot, const lines *l, int split, int score, int64_t first,
                           int64_t last, rs__panel *panel, rs_error *error)
{
    const rs__style style = {.colour = rs__line_colour(&plot->palettes, split, SPLITS),
                             .width = 1.2,
                             .dash = split == 1 ? RS__DASHED : RS__SOLID};
    const double **runs = rs_alloc_array((size_t)l->results, sizeof *runs);
    int64_t *lengths = rs_alloc_array((size_t)l->results, sizeof *lengths);
    rs_status status =
        runs && lengths ? RS_OK : RS_FAIL(error, RS_MEMORY, "no memory for %d results", l->results);
    for (int i = 0; !status && i < l->results; i++) {
        runs[i] = l->scores[split][score][i] + first;
        lengths[i] = last - first;
        status = plot->options->individual && l->results > 1
                     ? add_thin(l, runs[i], first, lengths[i], style, panel, error)
                     : RS_OK;
    }
    status = status ? status : add_mean(l, runs, lengths, split, first, style, panel, error);
    rs_free(runs);
    rs_free(lengths);
    return status;
}

static rs_status draw_panel(const rs__plot *plot, const lines *l, int score, bool near, rs__panel *panel,
                            rs_error *error)
{
    int64_t first = 0, last = l->points;
    while (near && first < last && l->alpha[first] < near_low - 1e-9) {
        first++;
    }
    while (near && last > first && l->alpha[last - 1] > near_high + 1e-9) {
        last--;
    }
    for (int s = 0; s < SPLITS; s++) {
        RS_TRY(add_split(plot, l, s, score, first, last, panel, error));
    }
    panel->x.tight = true;
    panel->y.log = score == 0;
    panel->y.zero = score == 1;
    panel->y.high = score == 1 ? 1.0 : (double)NAN;
    return rs__chart_text(&panel->y.label, error, "%s", score_names[score]);
}

/* "alpha (0: batch-size 600, 1: batch-size 200)" */
static rs_status label_alpha(const rs__plot *plot, rs__chart *chart, rs_error *error)
{
    char ends[2][LABEL];
    rs__origins origins;
    RS_TRY(rs__origins_read(&plot->inputs.list[0], &origins, error));
    bool two = origins.count == 2;
    for (int i = 0; two && i < 2; i++) {
        rs__origin_label(&origins, i, ends[i], sizeof ends[i]);
        char *seed = strstr(ends[i], ", seed ");
        if (seed && plot->inputs.count > 1) { /* of the first pair alone */
            *seed = '\0';
        }
    }
    rs__origins_free(&origins);
    for (int column = 0; column < chart->columns; column++) {
        rs__panel *panel = rs__chart_panel(chart, chart->rows - 1, column);
        RS_TRY(two ? rs__chart_text(&panel->x.label, error, "α (0: %s; 1: %s)", ends[0], ends[1])
                   : rs__chart_text(&panel->x.label, error, "α"));
    }
    return RS_OK;
}

static rs_status draw(const rs__plot *plot, lines *l, rs__chart *chart, rs_error *error)
{
    RS_TRY(read_lines(plot, l, error));
    if (l->points == 0) {
        return RS_FAIL(error, RS_DATA, "%s has no points", plot->inputs.list[0].path);
    }
    const bool far = l->alpha[0] < near_low - 1e-9 || l->alpha[l->points - 1] > near_high + 1e-9;
    const int scores = any_finite(l, 1) ? 2 : 1;
    RS_TRY(rs__chart_make(chart, far ? 2 : 1, scores, error));
    for (int row = 0; row < chart->rows; row++) {
        for (int score = 0; score < scores; score++) {
            const bool near = !far || row == 1;
            RS_TRY(draw_panel(plot, l, score, near, rs__chart_panel(chart, row, score), error));
        }
    }
    RS_TRY(label_alpha(plot, chart, error));
    RS_TRY(rs__chart_text(&chart->title, error, "Between two states, (1 − α) A + α B%s",
                          l->results > 1 ? ", mean ± std over pairs" : ""));
    return rs__chart_text(
        &chart->alt, error,
        "Loss%s of the training and the test set along the line (1 - alpha) A + alpha B between two "
        "trained states, for alpha from %g to %g.",
        scores == 2 ? " and accuracy" : "", l->alpha[0], l->alpha[l->points - 1]);
}

rs_status rs__build_interpolation(const rs__plot *plot, rs__chart *chart, rs_error *error)
{
    lines l = {0};
    rs_status status = draw(plot, &l, chart, error);
    free_lines(&l);
    return status;
}
