/* figure_fit.c: `fit`: a function and the curves of the networks that were trained on it, and how far they are from it; from
 * `analyze predict`. A column for each network; of runs with several snapshots a curve each, coloured by epoch. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "figure.h"
#include "result_arrays.h"
#include "rs/host.h"

enum { LABEL = 256, MOST_NAMED = 6 }; /* up to MOST_NAMED runs of a network are told apart */

/* One run of one result: the samples in the order of x. */
typedef struct fitted {
    int64_t samples, snapshots;
    double *x, *target, *output, *epoch; /* output: [snapshot][sample] */
    char network[LABEL];
} fitted;

typedef struct fits {
    int count;
    fitted *list;
    double last_epoch; /* of any snapshot */
    bool many;         /* snapshots of some run */
} fits;

static void free_fits(fits *all)
{
    for (int i = 0; i < all->count; i++) {
        rs_free(all->list[i].x);
        rs_free(all->list[i].target);
        rs_free(all->list[i].output);
        rs_free(all->list[i].epoch);
    }
    rs_free(all->list);
}

static const double *sort_key;

static int by_x(const void *a, const void *b)
{
    const int64_t i = *(const int64_t *)a, j = *(const int64_t *)b;
    return sort_key[i] < sort_key[j] ? -1 : sort_key[i] > sort_key[j];
}

static rs_status reorder(double *values, const int64_t *order, int64_t count, rs_error *error)
{
    double *copy = rs_alloc_array((size_t)count + 1, sizeof *copy);
    if (!copy) {
        return RS_FAIL(error, RS_MEMORY, "no memory for %" PRId64 " samples", count);
    }
    memcpy(copy, values, (size_t)count * sizeof *copy);
    for (int64_t i = 0; i < count; i++) {
        values[i] = copy[order[i]];
    }
    rs_free(copy);
    return RS_OK;
}

/* Samples of the training set come as they were drawn. */
static rs_status sort_samples(fitted *one, rs_error *error)
{
    int64_t *order = rs_alloc_array((size_t)one->samples + 1, sizeof *order);
    if (!order) {
        return RS_FAIL(error, RS_MEMORY, "no memory for %" PRId64 " samples", one->samples);
    }
    for (int64_t i = 0; i < one->samples; i++) {
        order[i] = i;
    }
    sort_key = one->x;
    qsort(order, (size_t)one->samples, sizeof *order, by_x);
    rs_status status = reorder(one->target, order, one->samples, error);
    for (int64_t s = 0; !status && s < one->snapshots; s++) {
        status = reorder(one->output + s * one->samples, order, one->samples, error);
    }
    status = status ? status : reorder(one->x, order, one->samples, error);
    rs_free(order);
    return status;
}

static rs_status read_fitted(const rs__input *input, int run, fitted *one, rs_error *error)
{
    char path[48];
    (void)snprintf(path, sizeof path, "run%d/input", run);
    if (!rs_result_reader_has(input->result, path)) {
        return RS_FAIL(
            error, RS_USAGE,
            "%s: run %d takes more than one number: `fit` shows functions of one (--dataset function)",
            input->path, run);
    }
    RS_TRY(rs__read_result(input, path, &one->samples, &one->x, error));
    (void)snprintf(path, sizeof path, "run%d/target", run);
    RS_TRY(rs__read_result_of(input, path, one->samples, &one->target, error));
    (void)snprintf(path, sizeof path, "run%d/epoch", run);
    RS_TRY(rs__read_result(input, path, &one->snapshots, &one->epoch, error));
    (void)snprintf(path, sizeof path, "run%d/output", run);
    RS_TRY(rs__read_result_of(input, path, one->samples * one->snapshots, &one->output, error));
    return sort_samples(one, error);
}

static rs_status grow(fits *all, int more, rs_error *error)
{
    fitted *list = rs_alloc_zero((size_t)(all->count + more) * sizeof *list);
    if (!list) {
        return RS_FAIL(error, RS_MEMORY, "no memory for %d runs", more);
    }
    if (all->count > 0) {
        memcpy(list, all->list, (size_t)all->count * sizeof *list);
    }
    rs_free(all->list);
    all->list = list;
    return RS_OK;
}

static rs_status read_result(const rs__input *input, fits *all, rs_error *error)
{
    rs__origins origins;
    RS_TRY(rs__origins_read(input, &origins, error));
    rs_status status = grow(all, origins.count, error);
    for (int run = 0; !status && run < origins.count; run++) {
        fitted *one = &all->list[all->count++];
        rs__describe_network(&origins.configs[run], one->network, sizeof one->network);
        status = read_fitted(input, run, one, error);
        for (int64_t s = 0; !status && s < one->snapshots; s++) {
            all->last_epoch = one->epoch[s] > all->last_epoch ? one->epoch[s] : all->last_epoch;
        }
        all->many = all->many || one->snapshots > 1;
    }
    rs__origins_free(&origins);
    return status;
}

/* Networks in the order of their first run. */
static int column_of(const fits *all, int index)
{
    int column = 0;
    for (int i = 0; i < index; i++) {
        bool first = true;
        for (int k = 0; k < i; k++) {
            first = first && strcmp(all->list[k].network, all->list[i].network) != 0;
        }
        if (strcmp(all->list[i].network, all->list[index].network) == 0) {
            return column;
        }
        column += first;
    }
    return column;
}

/* Rank of the run among those of its network. */
static int rank_of(const fits *all, int index)
{
    int rank = 0;
    for (int i = 0; i < index; i++) {
        rank += strcmp(all->list[i].network, all->list[index].network) == 0;
    }
    return rank;
}

/* Runs of the network that has the most. */
static int most_runs(const fits *all)
{
    int most = 0;
    for (int i = 0; i < all->count; i++) {
        most = rank_of(all, i) + 1 > most ? rank_of(all, i) + 1 : most;
    }
    return most;
}

static rs__style style_of(const rs__plot *plot, const fits *all, int index, int64_t snapshot)
{
    const fitted *one = &all->list[index];
    if (!all->many) {
        const int runs = most_runs(all);
        const int line = runs <= MOST_NAMED ? rank_of(all, index) : 0;
        return (rs__style){.colour = rs__line_colour(&plot->palettes, line, runs <= MOST_NAMED ? runs : 1),
                           .width = 0.9};
    }
    const double epoch = one->epoch[snapshot] > 0.0 ? one->epoch[snapshot] : 0.0;
    const double level = all->last_epoch > 0.0 ? log1p(epoch) / log1p(all->last_epoch) : 1.0;
    return (rs__style){.colour = RS__NO_COLOUR, .level = level, .width = 0.7};
}

static rs_status add_curves(const rs__plot *plot, const fits *all, int index, rs__panel *panels[2],
                            rs_error *error)
{
    const fitted *one = &all->list[index];
    char label[32] = "networks";
    double *off = rs_alloc_array((size_t)one->samples + 1, sizeof *off);
    rs_status status =
        off ? RS_OK : RS_FAIL(error, RS_MEMORY, "no memory for %" PRId64 " samples", one->samples);
    if (most_runs(all) > 1 && most_runs(all) <= MOST_NAMED) {
        (void)snprintf(label, sizeof label, "run %d", rank_of(all, index) + 1);
    }
    for (int64_t s = 0; !status && s < one->snapshots; s++) {
        char name[LABEL + 64];
        const double *output = one->output + s * one->samples;
        for (int64_t i = 0; i < one->samples; i++) {
            off[i] = output[i] - one->target[i];
        }
        (void)snprintf(name, sizeof name, "%s, run %d, epoch %.0f", one->network, rank_of(all, index) + 1,
                       one->epoch[s]);
        rs__points curve = {.mark = RS__LINE,
                            .count = one->samples,
                            .x = one->x,
                            .y = output,
                            .name = name,
                            .label = all->many ? NULL : label,
                            .style = style_of(plot, all, index, s)};
        status = rs__panel_add(panels[0], &curve, error);
        curve.y = off;
        curve.label = NULL;
        status = status ? status : rs__panel_add(panels[1], &curve, error);
    }
    rs_free(off);
    return status;
}

/* The function, once a column, over the networks. */
static rs_status add_function(const fitted *one, rs__panel *panel, rs_error *error)
{
    const rs__points curve = {.mark = RS__LINE,
                              .count = one->samples,
                              .x = one->x,
                              .y = one->target,
                              .style = {.colour = 0x000000, .width = 1.1, .dash = RS__DASHED},
                              .label = "function",
                              .name = "function"};
    return rs__panel_add(panel, &curve, error);
}

static rs_status draw(const rs__plot *plot, const fits *all, rs__chart *chart, rs_error *error)
{
    int columns = 0;
    for (int i = 0; i < all->count; i++) {
        columns = column_of(all, i) + 1 > columns ? column_of(all, i) + 1 : columns;
    }
    RS_TRY(rs__chart_make(chart, 2, columns, error));
    for (int i = 0; i < all->count; i++) {
        const int column = column_of(all, i);
        rs__panel *panels[2] = {rs__chart_panel(chart, 0, column), rs__chart_panel(chart, 1, column)};
        RS_TRY(add_curves(plot, all, i, panels, error));
        RS_TRY(rs__chart_text(&panels[0]->title, error, "%s", all->list[i].network));
        RS_TRY(rs__chart_text(&panels[1]->x.label, error, "x"));
        panels[0]->x.tight = panels[1]->x.tight = true;
    }
    for (int i = 0; i < all->count; i++) {
        RS_TRY(rank_of(all, i) == 0
                   ? add_function(&all->list[i], rs__chart_panel(chart, 0, column_of(all, i)), error)
                   : RS_OK);
    }
    RS_TRY(rs__chart_text(&rs__chart_panel(chart, 0, 0)->y.label, error, "f(x)"));
    RS_TRY(rs__chart_text(&rs__chart_panel(chart, 1, 0)->y.label, error, "network − function"));
    chart->share_x = chart->share_y = true;
    const double last = all->last_epoch > 1.0 ? all->last_epoch : 1.0;
    chart->bar = (rs__bar){.shown = all->many, .low = 1.0, .high = 1.0 + last, .log = true, .counted = true};
    RS_TRY(all->many ? rs__chart_text(&chart->bar.label, error, "epoch") : RS_OK);
    RS_TRY(rs__chart_text(&chart->title, error, "The function and its fit"));
    return rs__chart_text(&chart->alt, error,
                          "A function and what %d trained networks make of it, and their differences.",
                          all->count);
}

rs_status rs__build_fit(const rs__plot *plot, rs__chart *chart, rs_error *error)
{
    fits all = {0};
    rs_status status = RS_OK;
    for (int i = 0; !status && i < plot->inputs.count; i++) {
        status = read_result(&plot->inputs.list[i], &all, error);
    }
    if (!status && all.count == 0) {
        status = RS_FAIL(error, RS_DATA, "%s holds no run", plot->inputs.list[0].path);
    }
    status = status ? status : draw(plot, &all, chart, error);
    free_fits(&all);
    return status;
}
