/* figure_sensitivity.c: `sensitivity`: the norm of the loss's gradient by the input, of samples (above) and of batches (below): by
 * epoch, coloured by batch size, and of the last epoch against the batch size. Runs that were carried through a series of batch
 * sizes are one line. Of results of `analyze sensitivity` only the latter. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "figure.h"
#include "numbers.h"
#include "result_arrays.h"
#include "rs/host.h"
#include "rs/statistics.h"

enum { KINDS = 2 };
static const char *const kinds[KINDS] = {"sample", "batch"};
static const char *const labels[KINDS] = {"norm of a sample's gradient", "norm of a batch's gradient"};

/* One group of runs: the mean over its seeds. */
typedef struct series {
    int root; /* group that its chain began with: itself where it began anew */
    double batch;
    int64_t epochs;                      /* as far as all its runs go */
    unsigned runs;                       /* what a panel says of several */
    double *mean[KINDS];                 /* [epochs] */
    double last[KINDS], last_std[KINDS]; /* of the last epoch */
} series;

typedef struct all_series {
    int count;
    series *list;
    double least, most; /* batch sizes */
} all_series;

static void free_series(all_series *all)
{
    for (int i = 0; i < all->count; i++) {
        rs_free(all->list[i].mean[0]);
        rs_free(all->list[i].mean[1]);
    }
    rs_free(all->list);
}

/* Means of a run's steps, epoch by epoch; a part of an epoch at the end is left out. */
static rs_status epoch_means(const rs__input *run, int kind, int64_t *epochs, double **means, rs_error *error)
{
    char path[40];
    int64_t rows, width;
    double *values = NULL;
    (void)snprintf(path, sizeof path, "steps/sensitivity_%s", kinds[kind]);
    RS_TRY(rs__read_series(run, path, &rows, &width, &values, error));
    const rs_position *at = rs_record_reader_committed(run->record);
    *epochs = at->epochs;
    *means = rs_alloc_array((size_t)*epochs + 1, sizeof **means);
    const int64_t steps = *epochs > 0 ? (at->steps - at->batches) / at->epochs : 0;
    for (int64_t e = 0; *means && e < *epochs; e++) {
        (*means)[e] = rs_spread_of_finite(values + e * steps, steps, 1).mean;
    }
    rs_free(values);
    return *means ? RS_OK : RS_FAIL(error, RS_MEMORY, "no memory for %" PRId64 " epochs", *epochs);
}

/* [run][epoch] of the runs of a group. */
typedef struct runs {
    int count;
    double **means;
    int64_t *epochs;
} runs;

static void free_runs(runs *r)
{
    for (int i = 0; r->means && i < r->count; i++) {
        rs_free(r->means[i]);
    }
    rs_free(r->means);
    rs_free(r->epochs);
}

static rs_status read_runs(const rs__group *group, int kind, runs *r, rs_error *error)
{
    *r = (runs){.count = group->count,
                .means = rs_alloc_zero((size_t)group->count * sizeof *r->means),
                .epochs = rs_alloc_zero((size_t)group->count * sizeof *r->epochs)};
    if (!r->means || !r->epochs) {
        return RS_FAIL(error, RS_MEMORY, "no memory for %d runs", group->count);
    }
    for (int i = 0; i < group->count; i++) {
        RS_TRY(epoch_means(group->runs[i], kind, &r->epochs[i], &r->means[i], error));
    }
    return RS_OK;
}

/* Mean over the runs by epoch; mean and spread of each one's last. */
static rs_status sum_up(const runs *r, int kind, series *s, rs_error *error)
{
    double *last = rs_alloc_array(3 * (size_t)s->epochs + (size_t)r->count + 1, sizeof *last);
    s->mean[kind] = rs_alloc_array((size_t)s->epochs + 1, sizeof(double));
    if (!last || !s->mean[kind]) {
        rs_free(last);
        return RS_FAIL(error, RS_MEMORY, "no memory for %" PRId64 " epochs", s->epochs);
    }
    double *low = last + r->count, *high = low + s->epochs;
    for (int i = 0; i < r->count; i++) {
        last[i] = r->epochs[i] > 0 ? r->means[i][r->epochs[i] - 1] : (double)NAN;
    }
    const rs__band band = {low, s->mean[kind], high};
    const rs_status status =
        rs__band_of((const double *const *)r->means, r->epochs, r->count, s->epochs, &band, error);
    const rs_spread m = rs_spread_of_finite(last, r->count, 1);
    s->last[kind] = m.mean;
    s->last_std[kind] = m.std;
    rs_free(last);
    return status;
}

static rs_status read_group(const rs__group *group, series *s, rs_error *error)
{
    rs_status status = RS_OK;
    s->batch = (double)group->runs[0]->config->batch_size;
    for (int kind = 0; !status && kind < KINDS; kind++) {
        runs r;
        status = read_runs(group, kind, &r, error);
        for (int i = 0; !status && i < r.count; i++) {
            s->runs |= i > 0 ? RS__MEAN_OF_RUNS : 0;
            s->runs |= i > 0 && r.epochs[i] != s->epochs ? RS__TO_SHORTEST_RUN : 0;
            s->epochs = i == 0 || r.epochs[i] < s->epochs ? r.epochs[i] : s->epochs;
        }
        status = status ? status : sum_up(&r, kind, s, error);
        free_runs(&r);
    }
    return status;
}

/* --- chains --------------------------------------------------------------------------------------------------- */

/* The group whose record a group's first run began from; -1 where that is not among them. */
static int parent_of(const rs__groups *groups, int index)
{
    const char *from = groups->list[index].runs[0]->config->init_from;
    const char *slash = strrchr(from, '/'), *file = slash ? slash + 1 : from;
    for (int g = 0; *file && g < groups->count; g++) {
        for (int r = 0; g != index && r < groups->list[g].count; r++) {
            const char *name = groups->list[g].runs[r]->name;
            if (strncmp(file, name, strlen(name)) == 0 && strcmp(file + strlen(name), ".h5") == 0) {
                return g;
            }
        }
    }
    return -1;
}

static void find_roots(const rs__groups *groups, all_series *all)
{
    for (int g = 0; g < groups->count; g++) {
        int root = g;
        for (int steps = 0, parent = parent_of(groups, g); parent >= 0 && steps < groups->count; steps++) {
            root = parent;
            parent = parent_of(groups, root);
        }
        all->list[g].root = root;
    }
}

static rs_status read_all(const rs__plot *plot, all_series *all, rs_error *error)
{
    all->list = rs_alloc_zero((size_t)plot->groups.count * sizeof *all->list + 1);
    if (!all->list) {
        return RS_FAIL(error, RS_MEMORY, "no memory for %d groups of runs", plot->groups.count);
    }
    all->count = plot->groups.count;
    all->least = INFINITY;
    for (int g = 0; g < all->count; g++) {
        RS_TRY(read_group(&plot->groups.list[g], &all->list[g], error));
        all->least = fmin(all->least, all->list[g].batch);
        all->most = fmax(all->most, all->list[g].batch);
    }
    find_roots(&plot->groups, all);
    return RS_OK;
}

/* --- panels --------------------------------------------------------------------------------------------------- */

static rs_status draw_epochs(const rs__plot *plot, const all_series *all, int kind, rs__panel *panel,
                             rs_error *error)
{
    for (int g = 0; g < all->count; g++) {
        const series *s = &all->list[g];
        double *epoch = rs_alloc_array((size_t)s->epochs + 1, sizeof *epoch);
        if (!epoch) {
            return RS_FAIL(error, RS_MEMORY, "no memory for %" PRId64 " epochs", s->epochs);
        }
        for (int64_t e = 0; e < s->epochs; e++) {
            epoch[e] = (double)(e + 1);
        }
        rs__points line = {.mark = RS__LINE,
                           .count = s->epochs,
                           .x = epoch,
                           .y = s->mean[kind],
                           .name = plot->groups.list[g].label};
        line.style = (rs__style){.colour = RS__NO_COLOUR, .width = 1.0};
        line.style.level =
            all->most > all->least ? log(s->batch / all->least) / log(all->most / all->least) : 0.0;
        rs_status status = rs__panel_add(panel, &line, error);
        rs_free(epoch);
        RS_TRY(status);
    }
    panel->x.whole = panel->y.log = true;
    return RS_OK;
}

static int by_batch(const void *a, const void *b)
{
    const double one = (*(const series *const *)a)->batch, other = (*(const series *const *)b)->batch;
    return one < other ? -1 : one > other;
}

/* The sizes of one line, ascending, with the last epoch's norms. */
static rs_status add_line(const series **members, int count, int kind, const rs__style *style,
                          const char *label, rs__panel *panel, rs_error *error)
{
    double *x = rs_alloc_array(4 * (size_t)count + 4, sizeof *x);
    if (!x) {
        return RS_FAIL(error, RS_MEMORY, "no memory for %d sizes", count);
    }
    double *y = x + count, *low = y + count, *high = low + count;
    qsort(members, (size_t)count, sizeof *members, by_batch);
    for (int i = 0; i < count; i++) {
        x[i] = members[i]->batch;
        y[i] = members[i]->last[kind];
        low[i] = y[i] - members[i]->last_std[kind];
        high[i] = y[i] + members[i]->last_std[kind];
    }
    rs__points line = {
        .mark = RS__LINE, .count = count, .x = x, .y = y, .style = *style, .label = label, .name = label};
    rs__points dots = {
        .mark = RS__ERRORS, .count = count, .x = x, .y = y, .low = low, .high = high, .style = *style};
    rs_status status = rs__panel_add(panel, &line, error);
    status = status ? status : rs__panel_add(panel, &dots, error);
    rs_free(x);
    return status;
}

/* Whether another group began from a group's record. */
static bool has_heirs(const all_series *all, int root)
{
    for (int g = 0; g < all->count; g++) {
        if (g != root && all->list[g].root == root) {
            return true;
        }
    }
    return false;
}

/* Whether a group is of the line that began with `root`; with -1, of that of all that began anew and stayed alone. */
static bool is_of_line(const all_series *all, int group, int root)
{
    return root < 0 ? all->list[group].root == group && !has_heirs(all, group)
                    : all->list[group].root == root;
}

/* Lines that there are, by their first batch size: the fresh ones (-1), then chains; returns their number. */
static int list_lines(const all_series *all, int *roots)
{
    int count = 0;
    for (int g = 0; g < all->count && count == 0; g++) {
        if (is_of_line(all, g, -1)) {
            roots[count++] = -1;
        }
    }
    const int first = count;
    for (int g = 0; g < all->count; g++) {
        if (all->list[g].root != g || !has_heirs(all, g)) {
            continue;
        }
        int at = count++;
        for (; at > first && all->list[roots[at - 1]].batch > all->list[g].batch; at--) {
            roots[at] = roots[at - 1];
        }
        roots[at] = g;
    }
    return count;
}

/* "carried on from 32 (0 at 2 sizes)": what a logarithmic axis cannot show, as of a network that died, is said. */
static void name_line(const all_series *all, int root, const series **members, int count, char *label,
                      size_t capacity)
{
    char zeros[32] = "";
    int none = 0;
    for (int i = 0; i < count; i++) {
        none += members[i]->last[0] == 0.0;
    }
    if (none > 0) {
        (void)snprintf(zeros, sizeof zeros, " (0 at %d size%s)", none, none > 1 ? "s" : "");
    }
    if (root >= 0) {
        (void)snprintf(label, capacity, "carried on from %.0f%s", all->list[root].batch, zeros);
    } else {
        (void)snprintf(label, capacity, "fresh networks%s", zeros);
    }
}

static rs_status draw_line(const all_series *all, int root, int kind, uint32_t colour, rs__panel *panel,
                           rs_error *error)
{
    int count = 0;
    char label[96];
    const series **members = rs_alloc_array((size_t)all->count + 1, sizeof *members);
    if (!members) {
        return RS_FAIL(error, RS_MEMORY, "no memory for %d groups", all->count);
    }
    for (int g = 0; g < all->count; g++) {
        if (is_of_line(all, g, root)) {
            members[count++] = &all->list[g];
        }
    }
    name_line(all, root, members, count, label, sizeof label);
    const rs__style style = {.colour = colour, .width = 0.9};
    rs_status status = add_line(members, count, kind, &style, label, panel, error);
    rs_free(members);
    return status;
}

static rs_status tick_sizes(const all_series *all, rs__axis *axis, rs_error *error)
{
    char text[24];
    axis->log = true;
    for (int power = 0; power < 40 && ldexp(1.0, power) <= all->most; power++) {
        const double size = ldexp(1.0, power);
        const bool labelled = all->most / all->least < 40.0 || power % 2 == 0;
        (void)snprintf(text, sizeof text, labelled ? "%.0f" : "", size);
        RS_TRY(size >= all->least ? rs__axis_tick(axis, size, text, NULL, error) : RS_OK);
    }
    return RS_OK;
}

static rs_status draw_sizes(const rs__plot *plot, const all_series *all, int kind, rs__panel *panel,
                            rs_error *error)
{
    int *roots = rs_alloc_array((size_t)all->count + 1, sizeof *roots);
    if (!roots) {
        return RS_FAIL(error, RS_MEMORY, "no memory for %d groups", all->count);
    }
    const int lines = list_lines(all, roots);
    rs_status status = RS_OK;
    for (int i = 0; !status && i < lines; i++) {
        status = draw_line(all, roots[i], kind, rs__line_colour(&plot->palettes, i, lines), panel, error);
    }
    rs_free(roots);
    panel->y.log = true;
    return status ? status : tick_sizes(all, &panel->x, error);
}

static rs_status draw_records(const rs__plot *plot, const all_series *all, rs__chart *chart, rs_error *error)
{
    RS_TRY(rs__chart_make(chart, KINDS, 2, error));
    for (int kind = 0; kind < KINDS; kind++) {
        rs__panel *left = rs__chart_panel(chart, kind, 0), *right = rs__chart_panel(chart, kind, 1);
        RS_TRY(draw_epochs(plot, all, kind, left, error));
        RS_TRY(draw_sizes(plot, all, kind, right, error));
        for (int g = 0; g < all->count; g++) {
            left->runs |= all->list[g].runs;
            right->runs |= all->list[g].runs & RS__MEAN_OF_RUNS ? RS__MEAN_OF_RUNS | RS__STD_OF_RUNS : 0;
        }
        RS_TRY(rs__chart_text(&left->y.label, error, "%s", labels[kind]));
        if (kind == KINDS - 1) {
            RS_TRY(rs__chart_text(&left->x.label, error, "epoch"));
            RS_TRY(rs__chart_text(&right->x.label, error, "batch size, last epoch"));
        }
    }
    chart->share_x = chart->share_y = true;
    if (all->most > all->least) {
        chart->bar = (rs__bar){.shown = true, .log = true, .low = all->least, .high = all->most};
        RS_TRY(rs__chart_text(&chart->bar.label, error, "batch size"));
    }
    return RS_OK;
}

/* --- results -------------------------------------------------------------------------------------------------- */

static rs_status draw_result(const rs__plot *plot, int index, rs__chart *chart, rs_error *error)
{
    const rs__input *input = &plot->inputs.list[index];
    double *size = NULL, *norm = NULL;
    int64_t count;
    RS_TRY(rs__read_result(input, "batch_size", &count, &size, error));
    rs_status status = RS_OK;
    for (int kind = 0; !status && kind < KINDS; kind++) {
        status = rs__read_result_of(input, kinds[kind], count, &norm, error);
        const rs__points dots = {
            .mark = RS__POINTS,
            .count = count,
            .x = size,
            .y = norm,
            .name = input->name,
            .label = plot->inputs.count > 1 ? input->name : NULL,
            .style = {.colour = rs__line_colour(&plot->palettes, index, plot->inputs.count)}};
        status = status ? status : rs__panel_add(rs__chart_panel(chart, 0, kind), &dots, error);
        rs_free(norm);
        norm = NULL;
    }
    rs_free(size);
    return status;
}

static rs_status draw_results(const rs__plot *plot, rs__chart *chart, rs_error *error)
{
    RS_TRY(rs__chart_make(chart, 1, KINDS, error));
    for (int i = 0; i < plot->inputs.count; i++) {
        if (!plot->inputs.list[i].result) {
            return RS_FAIL(error, RS_USAGE, "%s is a record, others are results: draw one kind at a time",
                           plot->inputs.list[i].path);
        }
        RS_TRY(draw_result(plot, i, chart, error));
    }
    for (int kind = 0; kind < KINDS; kind++) {
        rs__panel *panel = rs__chart_panel(chart, 0, kind);
        panel->x.log = panel->y.log = true;
        RS_TRY(rs__chart_text(&panel->x.label, error, "batch size"));
        RS_TRY(rs__chart_text(&panel->y.label, error, "%s", labels[kind]));
    }
    return RS_OK;
}

rs_status rs__build_sensitivity(const rs__plot *plot, rs__chart *chart, rs_error *error)
{
    all_series all = {0};
    rs_status status = RS_OK;
    bool results = false;
    for (int i = 0; i < plot->inputs.count; i++) {
        results = results || plot->inputs.list[i].result;
    }
    status = results ? draw_results(plot, chart, error) : read_all(plot, &all, error);
    status = status || results ? status : draw_records(plot, &all, chart, error);
    free_series(&all);
    RS_TRY(status);
    RS_TRY(rs__chart_text(&chart->title, error, "Sensitivity to the input"));
    return rs__chart_text(
        &chart->alt, error,
        "Norms of the gradient of the loss by the input, of single samples and of whole batches, %s.",
        results ? "against the batch size" : "by epoch, and of the last epoch against the batch size");
}
