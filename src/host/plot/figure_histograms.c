/* figure_histograms.c: `weights` and `gradients`: how the numbers of tensors spread, snapshot by snapshot, as maps of colours: a panel
 * a tensor, snapshots to the right, sizes upward, colours the share of the numbers in a cell. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cell_map.h"
#include "figure.h"
#include "histogram.h"
#include "rs/host.h"

enum { BINS = 60, MOST_PANELS = 12, MOST_COLUMNS = 100, TICKS = 5, MOST_CHOSEN = 60 };

typedef struct spread {
    const rs__input *run;
    bool gradients;
    int64_t available; /* tensors to choose from */
    int chosen;
    rs_record_tensor *tensors; /* [chosen] */
    int64_t columns;           /* snapshots shown */
    int64_t *snapshots;        /* [columns] */
    rs_snapshot_place *places;
    float *values;  /* of the largest tensor */
    double largest; /* share in a cell */
} spread;

static void free_spread(spread *s)
{
    rs_free(s->tensors);
    rs_free(s->snapshots);
    rs_free(s->places);
    rs_free(s->values);
}

static rs_status read_tensor(const spread *s, const rs_record_tensor *t, int64_t column, rs_error *error)
{
    return (s->gradients ? rs_record_reader_gradient : rs_record_reader_tensor)(
        s->run->record, t->name, s->snapshots[column], &t->shape, s->values, error);
}

/* --- what is shown -------------------------------------------------------------------------------------------- */

/* Whether the record has its numbers: as many as its shape says, before there is room made for them. */
static rs_status find_recorded(const spread *s, const rs_record_tensor *t, bool *found, rs_error *error)
{
    char path[RS_NAME_MAX + 16];
    int64_t rows, width;
    (void)snprintf(path, sizeof path, "%s/%s", s->gradients ? "gradients" : "weights", t->name);
    *found = rs_record_reader_has(s->run->record, path);
    if (!*found) {
        return RS_OK;
    }
    RS_TRY(rs_record_reader_series_size(s->run->record, path, &rows, &width, error));
    return width == t->count ? RS_OK
                             : RS_FAIL(error, RS_DATA, "%s: %s has another size than parameters/shape says",
                                       s->run->path, path);
}

/* Which of all is number i of the chosen ones: evenly, the first and the last among them. */
static int64_t evenly(int64_t i, int64_t chosen, int64_t all)
{
    return chosen > 1 ? i * (all - 1) / (chosen - 1) : 0;
}

/* Those that --layers takes; without it matrices and kernels alone, not biases and batch norms. */
static rs_status list_tensors(spread *s, const rs__columns *names, bool all, rs_error *error)
{
    bool found = false;
    s->tensors = rs_alloc_array((size_t)names->count + 1, sizeof *s->tensors);
    if (!s->tensors) {
        return RS_FAIL(error, RS_MEMORY, "no memory for %" PRId64 " tensors", names->count);
    }
    for (int64_t i = 0; i < names->count; i++) {
        rs_record_tensor *t = &s->tensors[s->available];
        RS_TRY(rs_record_reader_parameter(s->run->record, names->index[i], t, error));
        RS_TRY(find_recorded(s, t, &found, error));
        if (found && (all || t->shape.rank > 1)) {
            s->available++;
        }
    }
    if (s->available == 0) {
        return RS_FAIL(error, RS_DATA, "%s has no %s of such tensors", s->run->path,
                       s->gradients ? "gradients" : "weights");
    }
    const int most = all ? MOST_CHOSEN : MOST_PANELS;
    s->chosen = s->available < most ? (int)s->available : most;
    for (int i = 1; i < s->chosen; i++) {
        s->tensors[i] = s->tensors[evenly(i, s->chosen, s->available)];
    }
    return RS_OK;
}

static rs_status choose_tensors(const rs__plot *plot, spread *s, rs_error *error)
{
    rs__columns names = {0};
    RS_TRY(rs__read_columns(s->run, "parameters/name", plot->options->layers, &names, error));
    const rs_status status = list_tensors(s, &names, plot->options->layers != NULL, error);
    rs__columns_free(&names);
    return status;
}

/* Evenly over the run, the first and the last among them; the initial state has no gradient. */
static rs_status choose_snapshots(spread *s, rs_error *error)
{
    rs_snapshot_place begin = {0};
    int64_t count = rs_record_reader_committed(s->run->record)->snapshots;
    RS_TRY(count > 0 ? rs_record_reader_snapshot(s->run->record, 0, &begin, error) : RS_OK);
    const int64_t first = s->gradients && begin.step == 0 ? 1 : 0;
    count -= first;
    if (count < 1) {
        return RS_FAIL(error, RS_DATA, "%s holds no snapshot%s", s->run->path,
                       s->gradients ? " after training began" : "");
    }
    s->columns = count < MOST_COLUMNS ? count : MOST_COLUMNS;
    s->snapshots = rs_alloc_array((size_t)s->columns, sizeof *s->snapshots);
    s->places = rs_alloc_array((size_t)s->columns, sizeof *s->places);
    if (!s->snapshots || !s->places) {
        return RS_FAIL(error, RS_MEMORY, "no memory for %" PRId64 " snapshots", s->columns);
    }
    for (int64_t i = 0; i < s->columns; i++) {
        s->snapshots[i] = first + evenly(i, s->columns, count);
        RS_TRY(rs_record_reader_snapshot(s->run->record, s->snapshots[i], &s->places[i], error));
    }
    return RS_OK;
}

static rs_status make_room(spread *s, rs_error *error)
{
    int64_t largest = 1;
    for (int i = 0; i < s->chosen; i++) {
        largest = s->tensors[i].count > largest ? s->tensors[i].count : largest;
    }
    s->values = rs_alloc_array((size_t)largest, sizeof *s->values);
    return s->values ? RS_OK
                     : RS_FAIL(error, RS_MEMORY, "no memory for a tensor of %" PRId64 " numbers", largest);
}

/* --- one panel ------------------------------------------------------------------------------------------------ */

static rs_status find_range(const spread *s, const rs_record_tensor *t, double *low, double *high,
                            rs_error *error)
{
    *low = *high = (double)NAN;
    for (int64_t c = 0; c < s->columns; c++) {
        RS_TRY(read_tensor(s, t, c, error));
        rs__range_add(s->values, t->count, low, high);
    }
    if (!(*low < *high)) { /* nothing finite, or one number alone */
        const double middle = isfinite(*low) ? *low : 0.0, half = middle != 0.0 ? fabs(middle) / 2.0 : 1.0;
        *low = middle - half;
        *high = middle + half;
    }
    return RS_OK;
}

/* Shares of column c at share[bin * columns + c]; NaN: none. */
static rs_status fill_column(spread *s, const rs_record_tensor *t, int64_t c, double low, double high,
                             double *share, rs_error *error)
{
    int64_t counts[BINS] = {0};
    RS_TRY(read_tensor(s, t, c, error));
    const int64_t finite = rs__histogram_add(s->values, t->count, low, high, BINS, counts);
    for (int64_t b = 0; b < BINS; b++) {
        const double value = counts[b] > 0 ? (double)counts[b] / (double)finite : (double)NAN;
        share[b * s->columns + c] = value;
        s->largest = value > s->largest ? value : s->largest;
    }
    return RS_OK;
}

static rs_status add_map(spread *s, const rs_record_tensor *t, rs__panel *panel, rs_error *error)
{
    double low, high;
    double *share = rs_alloc_array((size_t)(BINS * s->columns), sizeof *share);
    if (!share) {
        return RS_FAIL(error, RS_MEMORY, "no memory for %" PRId64 " snapshots", s->columns);
    }
    rs_status status = find_range(s, t, &low, &high, error);
    for (int64_t c = 0; !status && c < s->columns; c++) {
        status = fill_column(s, t, c, low, high, share, error);
    }
    if (!status) {
        const double bin = (high - low) / BINS;
        const rs__cell_map map = {.columns = s->columns,
                                  .rows = BINS,
                                  .x_step = 1.0,
                                  .y_first = low + 0.5 * bin,
                                  .y_step = bin,
                                  .values = share,
                                  .name = t->name};
        status = rs__panel_add_map(panel, &map, error);
    }
    rs_free(share);
    return status;
}

/* Epochs below the columns; steps where a snapshot is of none's end. */
static bool by_epoch(const spread *s)
{
    for (int64_t i = 0; i < s->columns; i++) {
        if (s->places[i].epoch < 0) {
            return false;
        }
    }
    return true;
}

static rs_status tick_columns(const spread *s, rs__axis *axis, rs_error *error)
{
    const int64_t ticks = s->columns < TICKS ? s->columns : TICKS;
    for (int64_t i = 0; i < ticks; i++) {
        char text[32];
        const int64_t column = ticks > 1 ? i * (s->columns - 1) / (ticks - 1) : 0;
        const rs_snapshot_place *place = &s->places[column];
        (void)snprintf(text, sizeof text, "%" PRId64, by_epoch(s) ? place->epoch : place->step);
        RS_TRY(rs__axis_tick(axis, (double)column, text, NULL, error));
    }
    axis->tight = true;
    return RS_OK;
}

static rs_status draw_panels(spread *s, rs__chart *chart, rs_error *error)
{
    for (int i = 0; i < s->chosen; i++) {
        rs__panel *panel = rs__chart_panel(chart, i / chart->columns, i % chart->columns);
        RS_TRY(add_map(s, &s->tensors[i], panel, error));
        RS_TRY(rs__chart_text(&panel->title, error, "%s", s->tensors[i].name));
        RS_TRY(tick_columns(s, &panel->x, error));
        panel->y.tight = true;
        if (i + chart->columns >= s->chosen) {
            RS_TRY(rs__chart_text(&panel->x.label, error, by_epoch(s) ? "epoch" : "step"));
        }
        if (i % chart->columns == 0) {
            RS_TRY(rs__chart_text(&panel->y.label, error, s->gradients ? "gradient" : "weight"));
        }
    }
    return RS_OK;
}

static rs_status describe(const spread *s, rs__chart *chart, rs_error *error)
{
    char run[256], part[64] = "";
    rs__describe_run(s->run->config, run, sizeof run);
    if (s->chosen < s->available) {
        (void)snprintf(part, sizeof part, ", %d of %" PRId64 " tensors", s->chosen, s->available);
    }
    const char *what = s->gradients ? "Gradients" : "Weights";
    chart->bar = (rs__bar){.shown = true, .log = true, .low = s->largest / 1e4, .high = s->largest};
    RS_TRY(rs__chart_text(&chart->bar.label, error, "share of a tensor's numbers"));
    RS_TRY(rs__chart_text(&chart->title, error, "%s of %s%s", what, run, part));
    return rs__chart_text(&chart->alt, error,
                          "%s of %d tensors of %s: how their sizes spread at %" PRId64
                          " snapshots, as maps of colours.",
                          what, s->chosen, run, s->columns);
}

static rs_status build(const rs__plot *plot, spread *s, rs__chart *chart, rs_error *error)
{
    if (plot->inputs.count != 1) {
        return RS_FAIL(error, RS_USAGE, "%s shows one run, not %d: name one record",
                       s->gradients ? "gradients" : "weights", plot->inputs.count);
    }
    s->run = &plot->inputs.list[0];
    s->largest = 1e-12;
    RS_TRY(choose_tensors(plot, s, error));
    RS_TRY(choose_snapshots(s, error));
    RS_TRY(make_room(s, error));
    const int columns = s->chosen <= 3 ? s->chosen : s->chosen <= 4 ? 2 : s->chosen <= 9 ? 3 : 4;
    RS_TRY(rs__chart_make(chart, (s->chosen + columns - 1) / columns, columns, error));
    RS_TRY(draw_panels(s, chart, error));
    return describe(s, chart, error);
}

rs_status rs__build_weights(const rs__plot *plot, rs__chart *chart, rs_error *error)
{
    spread s = {0};
    rs_status status = build(plot, &s, chart, error);
    free_spread(&s);
    return status;
}

rs_status rs__build_gradients(const rs__plot *plot, rs__chart *chart, rs_error *error)
{
    spread s = {.gradients = true};
    rs_status status = build(plot, &s, chart, error);
    free_spread(&s);
    return status;
}
