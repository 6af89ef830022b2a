/* figure_medians.c: statistics over the steps of how far each block moved, against its depth: to the initial state, and to
 * the step before. */
#include <stdio.h>
#include <string.h>

#include "numbers.h"
#include "rs/host.h"
#include "rs/statistics.h"
#include "rs/text.h"
#include "runs.h"

enum { KINDS = 2, STATISTICS = 4, PATH = 128 };

static const struct {
    const char *path, *shown;
} kinds[KINDS] = {{"initial", "to initial state"}, {"previous", "to previous step"}};

static const char *const statistics[STATISTICS] = {"median", "mean", "min", "max"};

/* --statistic, or the median. */
static rs_status choose(const rs_plot_options *options, bool chosen[STATISTICS], rs_error *error)
{
    char word[16];
    memset(chosen, 0, STATISTICS * sizeof *chosen);
    chosen[0] = !options->statistic;
    for (const char *at = options->statistic; at && rs_text_next_word(&at, ',', word, sizeof word);) {
        bool found = false;
        for (int s = 0; s < STATISTICS; s++) {
            const bool this = strcmp(word, statistics[s]) == 0;
            chosen[s] = chosen[s] || this;
            found = found || this;
        }
        if (!found) {
            return RS_FAIL(error, RS_USAGE, "--statistic %s: there are median, mean, min and max", word);
        }
    }
    return RS_OK;
}

static rs_status statistic_of(int which, const double *values, int64_t count, int64_t stride, double *result,
                              rs_error *error)
{
    if (which == 0) {
        return rs__median(values, count, stride, result, error);
    }
    const rs_spread s = rs_spread_of_finite(values, count, stride);
    *result = which == 1 ? s.mean : which == 2 ? s.min : s.max;
    return RS_OK;
}

/* One statistic of every block, [run] rows of [block]: as a series of runs, so that the band over seeds is drawn alike. */
static rs_status summarize(const rs__group *group, const rs__series_of_runs *steps, const rs__columns *blocks,
                           const double *weights, int which, rs__series_of_runs *summary, rs_error *error)
{
    *summary = (rs__series_of_runs){.runs = group->count, .width = 1, .longest = blocks->count};
    summary->values = rs_alloc_array((size_t)group->count, sizeof *summary->values);
    summary->rows = rs_alloc_array((size_t)group->count, sizeof *summary->rows);
    if (!summary->values || !summary->rows) {
        return RS_FAIL(error, RS_MEMORY, "no memory for %d runs", group->count);
    }
    for (int r = 0; r < group->count; r++) {
        summary->rows[r] = blocks->count;
        summary->values[r] = rs_alloc_array((size_t)blocks->count + 1, sizeof **summary->values);
        if (!summary->values[r]) {
            return RS_FAIL(error, RS_MEMORY, "no memory for %lld blocks", (long long)blocks->count);
        }
        for (int64_t b = 0; b < blocks->count; b++) {
            const int64_t block = blocks->index[b];
            RS_TRY(statistic_of(which, steps->values[r] + block, steps->rows[r], steps->width,
                                &summary->values[r][b], error));
            summary->values[r][b] /= weights && weights[block] > 0.0 ? weights[block] : 1.0;
        }
    }
    return RS_OK;
}

/* x of a curve are even: the blocks are told by their place among those that are shown. */
static rs_status draw(const rs__plot *plot, const rs__group *group, const rs__series_of_runs *summary,
                      int which, bool several, rs__panel *panel, rs_error *error)
{
    char name[640], label[640];
    const bool middle = which < 2;
    (void)snprintf(name, sizeof name, "%s, %s", group->label, statistics[which]);
    (void)snprintf(label, sizeof label, "%s, %s", group->label, middle ? statistics[which] : "extremes");
    const rs__curve_style style = {.mark = RS__LINE,
                                   .colour = group->colour,
                                   .dash = middle ? group->dash : RS__DOTTED,
                                   .width = middle ? 1.0 : 0.6,
                                   .first = 1.0,
                                   .dots = middle,
                                   .label = several                  ? label
                                            : plot->groups.count > 1 ? group->label
                                                                     : NULL,
                                   .name = name};
    return rs__runs_draw(plot, summary, 0, &style, panel, error);
}

static rs_status add_group(const rs__plot *plot, const rs__group *group, int kind,
                           const bool chosen[STATISTICS], rs__panel *panel, rs_error *error)
{
    char metric[24], path[PATH];
    rs__columns blocks = {0};
    rs__series_of_runs steps = {0}, summary = {0};
    double *weights = NULL;
    int64_t rows, width;
    RS_TRY(rs__metric_of(group->runs[0], plot->options->metric, metric, error));
    (void)snprintf(path, sizeof path, "steps/distance_to_%s/%s", kinds[kind].path, metric);
    rs_status status = rs__read_columns(group->runs[0], "blocks/name", plot->options->layers, &blocks, error);
    status = status ? status : rs__runs_read(group, path, &steps, error);
    if (!status && plot->options->per_weight) {
        status = rs__read_series(group->runs[0], "blocks/weights", &rows, &width, &weights, error);
    }
    const bool several = chosen[0] + chosen[1] + chosen[2] + chosen[3] > 1;
    for (int s = 0; s < STATISTICS && !status; s++) {
        if (chosen[s]) {
            status = summarize(group, &steps, &blocks, weights, s, &summary, error);
            status = status ? status : draw(plot, group, &summary, s, several, panel, error);
            rs__runs_free(&summary);
        }
    }
    rs_free(weights);
    rs__runs_free(&steps);
    rs__columns_free(&blocks);
    return status;
}

rs_status rs__build_medians(const rs__plot *plot, rs__chart *chart, rs_error *error)
{
    bool chosen[STATISTICS];
    char metric[24];
    RS_TRY(choose(plot->options, chosen, error));
    RS_TRY(rs__metric_of(&plot->inputs.list[0], plot->options->metric, metric, error));
    RS_TRY(rs__chart_make(chart, 1, KINDS, error));
    for (int k = 0; k < KINDS; k++) {
        rs__panel *panel = rs__chart_panel(chart, 0, k);
        panel->x.whole = true;
        panel->y.zero = k == 0;
        for (int g = 0; g < plot->groups.count; g++) {
            RS_TRY(add_group(plot, &plot->groups.list[g], k, chosen, panel, error));
        }
        panel->y.log = k == 1;
        RS_TRY(rs__chart_text(&panel->title, error, "%s", kinds[k].shown));
        RS_TRY(rs__chart_text(&panel->y.label, error, "%s of %s%s",
                              plot->options->statistic ? "statistics" : "median", metric,
                              plot->options->per_weight ? ", per weight" : ""));
        RS_TRY(rs__chart_text(&panel->x.label, error, "block, from the input on"));
    }
    RS_TRY(rs__chart_text(&chart->title, error, "Distance of each block's weights over the steps%s%s",
                          plot->groups.count == 1 ? ": " : "",
                          plot->groups.count == 1 ? plot->groups.list[0].label : ""));
    return rs__chart_text(
        &chart->alt, error,
        "Distance (%s) of each block over the training steps against the block's depth: %s%s", metric,
        plot->groups.list[0].label, plot->groups.count > 1 ? " and others" : "");
}
