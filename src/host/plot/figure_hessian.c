/* figure_hessian.c: `hessian`: how the eigenvalues spread, and the share of positive ones (and of positive second derivatives by a
 * single weight: the minimal ratio) against the loss. Where only the ends of the spectrum are known, those with their
 * residuals. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "figure.h"
#include "histogram.h"
#include "numbers.h"
#include "result_arrays.h"
#include "rs/host.h"
#include "rs/statistics.h"

enum { BINS = 60, DECADES = 6, SINGLE = 8 }; /* up to SINGLE states have a curve each */

/* One state that was measured: its eigenvalues, all of them or those known at both ends. */
typedef struct state {
    int64_t count;
    double *values;
    bool exact;
} state;

/* All states of all results. */
typedef struct states {
    int64_t count;
    state *list;
    double *loss, *ratio, *share; /* [count] */
} states;

static rs_status add_columns(const rs__input *input, int64_t at, int64_t count, states *all, rs_error *error)
{
    const struct {
        const char *path;
        double *to;
    } columns[] = {
        {"loss", all->loss}, {"minimal_ratio", all->ratio}, {"positive_eigenvalue_share", all->share}};
    for (size_t c = 0; c < sizeof columns / sizeof columns[0]; c++) {
        double *values = NULL;
        RS_TRY(rs__read_result_of(input, columns[c].path, count, &values, error));
        memcpy(columns[c].to + at, values, (size_t)count * sizeof *values);
        rs_free(values);
    }
    return RS_OK;
}

static rs_status read_state(const rs__input *input, int64_t index, state *one, rs_error *error)
{
    char path[64];
    double *ends[2] = {NULL, NULL};
    (void)snprintf(path, sizeof path, "measured%" PRId64 "/eigenvalues", index);
    one->exact = rs_result_reader_has(input->result, path);
    if (one->exact) {
        return rs__read_result(input, path, &one->count, &one->values, error);
    }
    (void)snprintf(path, sizeof path, "measured%" PRId64 "/smallest", index);
    RS_TRY(rs__read_result(input, path, &one->count, &ends[0], error));
    (void)snprintf(path, sizeof path, "measured%" PRId64 "/largest", index);
    rs_status status = rs__read_result_of(input, path, one->count, &ends[1], error);
    one->values = status ? NULL : rs_alloc_array(2 * (size_t)one->count + 1, sizeof *one->values);
    if (one->values) {
        for (int64_t i = 0; i < one->count; i++) { /* ascending: the largest came from the largest down */
            one->values[i] = ends[0][i];
            one->values[2 * one->count - 1 - i] = ends[1][i];
        }
        one->count *= 2;
    } else if (!status) {
        status = RS_FAIL(error, RS_MEMORY, "no memory for eigenvalues");
    }
    rs_free(ends[0]);
    rs_free(ends[1]);
    return status;
}

static rs_status count_states(const rs__plot *plot, int64_t *total, rs_error *error)
{
    *total = 0;
    for (int i = 0; i < plot->inputs.count; i++) {
        int rank;
        int64_t dim[RS_RESULT_RANK];
        RS_TRY(rs_result_reader_size(plot->inputs.list[i].result, "loss", &rank, dim, error));
        *total += dim[0];
    }
    return *total > 0 ? RS_OK : RS_FAIL(error, RS_DATA, "%s holds no state", plot->inputs.list[0].path);
}

static rs_status read_states(const rs__plot *plot, states *all, rs_error *error)
{
    int64_t total;
    RS_TRY(count_states(plot, &total, error));
    all->list = rs_alloc_zero((size_t)total * sizeof *all->list);
    all->loss = rs_alloc_array(3 * (size_t)total, sizeof *all->loss);
    if (!all->list || !all->loss) {
        return RS_FAIL(error, RS_MEMORY, "no memory for %" PRId64 " states", total);
    }
    all->ratio = all->loss + total;
    all->share = all->ratio + total;
    for (int i = 0; i < plot->inputs.count; i++) {
        const rs__input *input = &plot->inputs.list[i];
        int rank;
        int64_t dim[RS_RESULT_RANK];
        RS_TRY(rs_result_reader_size(input->result, "loss", &rank, dim, error));
        RS_TRY(add_columns(input, all->count, dim[0], all, error));
        for (int64_t k = 0; k < dim[0]; k++) {
            RS_TRY(read_state(input, k, &all->list[all->count++], error));
        }
    }
    return RS_OK;
}

static void free_states(states *all)
{
    for (int64_t i = 0; i < all->count; i++) {
        rs_free(all->list[i].values);
    }
    rs_free(all->list);
    rs_free(all->loss);
}

/* --- the spectrum --------------------------------------------------------------------------------------------- */

/* A scale for both signs: nearly even up to `unit`, which lies DECADES below the largest, then logarithmic. */
typedef struct scale {
    double unit, low, high; /* low, high: on the scale */
} scale;

static scale find_scale(const states *all)
{
    double least = 0.0, most = 0.0;
    for (int64_t s = 0; s < all->count; s++) {
        for (int64_t i = 0; i < all->list[s].count; i++) {
            const double value = all->list[s].values[i];
            least = isfinite(value) && value < least ? value : least;
            most = isfinite(value) && value > most ? value : most;
        }
    }
    const double largest = fmax(-least, most);
    scale found = {.unit = largest > 0.0 ? pow(10.0, floor(log10(largest)) - DECADES) : 1.0};
    found.low = rs__signed_log(least, found.unit);
    found.high = rs__signed_log(most, found.unit);
    const double margin = 0.02 * (found.high - found.low) + 1e-9;
    found.low -= margin;
    found.high += margin;
    return found;
}

/* Shares of one state's eigenvalues in BINS bins of the scale. */
static void shares_of(const state *one, const scale *s, double *shares)
{
    int64_t finite = 0;
    for (int64_t b = 0; b < BINS; b++) {
        shares[b] = 0.0;
    }
    for (int64_t i = 0; i < one->count; i++) {
        const double y = rs__signed_log(one->values[i], s->unit);
        const int64_t bin = rs__column_of(y, s->low, s->high, false, BINS);
        if (bin >= 0) {
            shares[bin < BINS ? bin : BINS - 1] += 1.0;
            finite++;
        }
    }
    for (int64_t b = 0; b < BINS; b++) {
        shares[b] = shares[b] > 0.0 ? shares[b] / (double)finite : (double)NAN;
    }
}

/* One bar a bin, from the lower edge of the axis. */
static rs_status add_bars(rs__panel *panel, const scale *s, const double *shares, const rs__style *style,
                          const char *label, rs_error *error)
{
    double x[BINS];
    for (int b = 0; b < BINS; b++) {
        x[b] = s->low + (b + 0.5) * (s->high - s->low) / BINS;
    }
    rs__points bars = {
        .mark = RS__BARS, .count = BINS, .x = x, .y = shares, .style = *style, .label = label, .name = label};
    bars.style.width = (s->high - s->low) / BINS;
    return rs__panel_add(panel, &bars, error);
}

/* Of several states, outlines: steps over the bins; a bin without any is a gap. */
static rs_status add_outline(rs__panel *panel, const scale *s, const double *shares, const rs__style *style,
                             const char *label, rs_error *error)
{
    double x[2 * BINS], y[2 * BINS];
    for (int b = 0; b < BINS; b++) {
        const double width = (s->high - s->low) / BINS;
        x[2 * b] = s->low + b * width;
        x[2 * b + 1] = x[2 * b] + width;
        y[2 * b] = y[2 * b + 1] = shares[b];
    }
    const rs__points curve = {
        .mark = RS__LINE, .count = 2 * BINS, .x = x, .y = y, .style = *style, .label = label, .name = label};
    return rs__panel_add(panel, &curve, error);
}

static rs_status add_single(const rs__plot *plot, const states *all, const scale *s, rs__panel *panel,
                            rs_error *error)
{
    for (int64_t i = 0; i < all->count; i++) {
        double shares[BINS];
        char label[48];
        const rs__style style = {.colour = rs__line_colour(&plot->palettes, (int)i, (int)all->count),
                                 .width = 0.9};
        (void)snprintf(label, sizeof label, "loss %.4g", all->loss[i]);
        shares_of(&all->list[i], s, shares);
        RS_TRY((all->count == 1 ? add_bars : add_outline)(panel, s, shares, &style, label, error));
    }
    return RS_OK;
}

/* Of many states: the mean of their shares, bin by bin, and a standard deviation more, pale behind it. */
static rs_status add_mean(const rs__plot *plot, const states *all, const scale *s, rs__panel *panel,
                          rs_error *error)
{
    double mean[BINS], above[BINS];
    double *shares = rs_alloc_array((size_t)all->count * BINS, sizeof *shares);
    if (!shares) {
        return RS_FAIL(error, RS_MEMORY, "no memory for %" PRId64 " states", all->count);
    }
    for (int64_t i = 0; i < all->count; i++) {
        shares_of(&all->list[i], s, shares + i * BINS);
        for (int b = 0; b < BINS; b++) {
            double *one = &shares[i * BINS + b];
            *one = isnan(*one) ? 0.0 : *one;
        }
    }
    for (int b = 0; b < BINS; b++) {
        const rs_spread m = rs_spread_of_finite(shares + b, all->count, BINS);
        mean[b] = m.mean > 0.0 ? m.mean : (double)NAN;
        above[b] = m.mean > 0.0 ? m.mean + m.std : (double)NAN;
    }
    rs_free(shares);
    char label[64];
    rs__style style = {.colour = rs__line_colour(&plot->palettes, 0, 2), .opacity = 0.3};
    RS_TRY(add_bars(panel, s, above, &style, "+ standard deviation", error));
    style.opacity = 1.0;
    (void)snprintf(label, sizeof label, "mean of %" PRId64 " states", all->count);
    return add_bars(panel, s, mean, &style, label, error);
}

/* Ticks at 0 and at powers of ten of both signs, every second one. */
static rs_status tick_scale(const scale *s, rs__axis *axis, rs_error *error)
{
    char power[16];
    axis->low = s->low;
    axis->high = s->high;
    for (int k = -DECADES - 1; k <= DECADES + 1; k++) { /* ascending */
        const double value = (k < 0 ? -1.0 : 1.0) * s->unit * pow(10.0, abs(k));
        const double at = k == 0 ? 0.0 : rs__signed_log(value, s->unit);
        if (k == 0) {
            RS_TRY(rs__axis_tick(axis, 0.0, "0", NULL, error));
        } else if (at >= s->low && at <= s->high && (DECADES - abs(k)) % 2 == 0 && abs(k) > 1) {
            (void)snprintf(power, sizeof power, "%.0f", log10(fabs(value)));
            RS_TRY(rs__axis_tick(axis, at, k < 0 ? "−10" : "10", power, error));
        }
    }
    return rs__chart_text(&axis->label, error, "eigenvalue (logarithmic to both sides)");
}

static rs_status draw_spectrum(const rs__plot *plot, const states *all, rs__panel *panel, rs_error *error)
{
    const scale s = find_scale(all);
    RS_TRY(tick_scale(&s, &panel->x, error));
    panel->y.log = true;
    RS_TRY(rs__chart_text(&panel->y.label, error, "share of the eigenvalues"));
    return all->count <= SINGLE ? add_single(plot, all, &s, panel, error)
                                : add_mean(plot, all, &s, panel, error);
}

/* --- ends alone ----------------------------------------------------------------------------------------------- */

static rs_status draw_ends(const rs__plot *plot, const states *all, rs__panel *panel, rs_error *error)
{
    for (int64_t s = 0; s < all->count; s++) {
        const state *one = &all->list[s];
        char label[48];
        double *x = rs_alloc_array((size_t)one->count + 1, sizeof *x);
        if (!x) {
            return RS_FAIL(error, RS_MEMORY, "no memory for %" PRId64 " eigenvalues", one->count);
        }
        for (int64_t i = 0; i < one->count; i++) {
            x[i] = (double)(i < one->count / 2 ? i + 1 : i + 3); /* a gap for those between */
        }
        (void)snprintf(label, sizeof label, "loss %.4g", all->loss[s]);
        rs__points points = {
            .mark = RS__POINTS, .count = one->count, .x = x, .y = one->values, .label = label, .name = label};
        points.style.colour = rs__line_colour(&plot->palettes, (int)s, (int)all->count);
        rs_status status = rs__panel_add(panel, &points, error);
        rs_free(x);
        RS_TRY(status);
    }
    panel->x.hidden = true;
    RS_TRY(rs__chart_text(&panel->x.label, error, "smallest and largest eigenvalues, ascending"));
    return rs__chart_text(&panel->y.label, error, "eigenvalue");
}

/* --- ratios --------------------------------------------------------------------------------------------------- */

static rs_status draw_ratios(const rs__plot *plot, const states *all, rs__panel *panel, rs_error *error)
{
    static const char *const labels[] = {"minimal ratio", "positive eigenvalues"};
    const double *const values[] = {all->ratio, all->share};
    for (int k = 0; k < 2; k++) {
        rs__points points = {.mark = RS__POINTS,
                             .count = all->count,
                             .x = all->loss,
                             .y = values[k],
                             .label = labels[k],
                             .name = labels[k]};
        points.style.colour = rs__line_colour(&plot->palettes, k + 1, 3);
        points.style.hollow = k == 1;
        points.style.dot = 4.0;
        RS_TRY(rs__panel_add(panel, &points, error));
    }
    panel->x.log = panel->y.zero = true;
    panel->y.high = 1.0;
    RS_TRY(rs__chart_text(&panel->x.label, error, "loss"));
    return rs__chart_text(&panel->y.label, error, "share that is positive");
}

static bool all_exact(const states *all)
{
    bool exact = true;
    for (int64_t i = 0; i < all->count; i++) {
        exact = exact && all->list[i].exact;
    }
    return exact;
}

static rs_status draw(const rs__plot *plot, const states *all, rs__chart *chart, rs_error *error)
{
    const bool exact = all_exact(all);
    RS_TRY(rs__chart_make(chart, 1, exact ? 2 : 1, error));
    RS_TRY(rs__chart_text(&chart->title, error, "Second derivatives of the loss"));
    RS_TRY(rs__chart_text(
        &chart->alt, error,
        exact ? "Shares of the eigenvalues of the second derivatives by size, "
                "and the shares of positive ones against the loss, of %" PRId64 " states."
              : "The smallest and the largest eigenvalues of the second derivatives of %" PRId64 " states.",
        all->count));
    if (!exact) {
        return draw_ends(plot, all, rs__chart_panel(chart, 0, 0), error);
    }
    RS_TRY(draw_spectrum(plot, all, rs__chart_panel(chart, 0, 0), error));
    return draw_ratios(plot, all, rs__chart_panel(chart, 0, 1), error);
}

rs_status rs__build_hessian(const rs__plot *plot, rs__chart *chart, rs_error *error)
{
    states all = {0};
    rs_status status = read_states(plot, &all, error);
    status = status ? status : draw(plot, &all, chart, error);
    free_states(&all);
    return status;
}
