/* axes.c: see axes.h. */
#include "axes.h"

#include <math.h>
#include <stdio.h>

#include "rs/host.h"

/* --- ranges --------------------------------------------------------------------------------------------------- */

typedef struct extent {
    double low, high; /* low > high: nothing yet */
} extent;

static const extent nothing = {INFINITY, -INFINITY};

bool rs__axis_shows(const rs__axis *axis, double value)
{
    return isfinite(value) && (!axis->log || value > 0.0);
}

double rs__axis_part(const rs__axis *axis, double value)
{
    return axis->log ? (log10(value) - log10(axis->low)) / (log10(axis->high) - log10(axis->low))
                     : (value - axis->low) / (axis->high - axis->low);
}

static void cover(const rs__axis *axis, const double *values, int64_t count, double wider, extent *e)
{
    for (int64_t i = 0; values && i < count; i++) {
        if (rs__axis_shows(axis, values[i])) {
            e->low = values[i] - wider < e->low ? values[i] - wider : e->low;
            e->high = values[i] + wider > e->high ? values[i] + wider : e->high;
        }
    }
}

/* Half of what a mark is wide beyond its x: bars, cells. */
static double half_width(const rs__series *s)
{
    if (s->mark == RS__BARS) {
        return s->style.width / 2.0;
    }
    return 0.0;
}

/* Half a cell beyond the outer centres of a grid. */
static void cover_cells(const rs__axis *axis, const double *values, int64_t count, extent *e)
{
    double step = INFINITY;
    extent own = nothing;
    cover(axis, values, count, 0.0, &own);
    for (int64_t i = 1; i < count; i++) {
        const double gap = fabs(values[i] - values[i - 1]);
        step = gap > 0.0 && gap < step ? gap : step;
    }
    step = isfinite(step) ? step : 1.0;
    e->low = own.low - step / 2.0 < e->low ? own.low - step / 2.0 : e->low;
    e->high = own.high + step / 2.0 > e->high ? own.high + step / 2.0 : e->high;
}

static void cover_x(const rs__panel *panel, extent *e)
{
    for (int i = 0; i < panel->count; i++) {
        const rs__series *s = &panel->series[i];
        if (s->mark == RS__CELLS) {
            cover_cells(&panel->x, s->x, s->count, e);
        } else {
            cover(&panel->x, s->x, s->count, half_width(s), e);
        }
    }
}

/* `lows`: of bands and bars alone, downward. */
static void cover_y(const rs__panel *panel, extent *e, extent *lows)
{
    for (int i = 0; i < panel->count; i++) {
        const rs__series *s = &panel->series[i];
        if (s->mark == RS__CELLS) {
            cover_cells(&panel->y, s->y, s->count, e);
            continue;
        }
        cover(&panel->y, s->y, s->count, 0.0, e);
        cover(&panel->y, s->low, s->count, 0.0, lows);
        cover(&panel->y, s->high, s->count, 0.0, e);
    }
}

/* A lower bound near 0 is no reason for many empty decades, or, of what is never below 0, for less than that. */
static void reach_down(const rs__axis *axis, double low, extent *e)
{
    if (axis->log) {
        low = fmax(low, e->low / 10.0);
    } else if ((axis->zero || axis->zero_near) && e->low >= 0.0) {
        low = fmax(low, 0.0);
    }
    e->low = fmin(e->low, low);
}

/* A range that has some length, and a margin beyond the data. */
static void set_range(rs__axis *axis, const extent *e, double margin)
{
    double low = e->low, high = e->high;
    const bool near = axis->zero_near && low <= 0.5 * high;
    const bool from_zero = (axis->zero || near) && !axis->log && low >= 0.0;
    if (low > high) {
        low = axis->log ? 0.1 : 0.0;
        high = 1.0;
    }
    const bool flat = high - low <= 1e-12 * fmax(fabs(low), fabs(high)); /* no tick could tell them apart */
    if (flat && axis->log) {
        low /= 2.0;
        high *= 2.0;
    } else if (flat) {
        const double half = axis->whole ? 1.0 : low != 0.0 ? fabs(low) / 2.0 : 1.0;
        low -= half;
        high += half;
    } else if (!axis->tight && axis->log) {
        const double factor = pow(high / low, margin);
        low /= factor;
        high *= factor;
    } else if (!axis->tight) {
        const double wider = (high - (from_zero ? 0.0 : low)) * margin;
        low = from_zero ? 0.0 : low - wider;
        high += wider;
    }
    low = from_zero ? 0.0 : low;
    axis->low = isnan(axis->low) ? low : axis->low;
    axis->high = isnan(axis->high) ? high : axis->high;
}

/* Whether panels a and b have one range of x, of y. */
static bool together(const rs__chart *chart, bool x, int a, int b)
{
    if (x) {
        return a == b || (chart->share_x && a % chart->columns == b % chart->columns);
    }
    return a == b || chart->share_all_y || (chart->share_y && a / chart->columns == b / chart->columns);
}

rs_status rs__axes_range(rs__chart *chart, rs_error *error)
{
    const int count = chart->rows * chart->columns;
    bool anything = false;
    for (int a = 0; a < count; a++) {
        extent x = nothing, y = nothing, lows = nothing;
        for (int b = 0; b < count; b++) {
            if (together(chart, true, a, b)) {
                cover_x(&chart->panels[b], &x);
            }
            if (together(chart, false, a, b)) {
                cover_y(&chart->panels[b], &y, &lows);
            }
        }
        reach_down(&chart->panels[a].y, lows.low, &y);
        anything = anything || (x.low <= x.high && y.low <= y.high);
        set_range(&chart->panels[a].x, &x, 0.02);
        set_range(&chart->panels[a].y, &y, 0.05);
        rs__panel *panel = &chart->panels[a];
        panel->x.bare = panel->x.bare || (chart->share_x && a / chart->columns + 1 < chart->rows);
        panel->y.bare = panel->y.bare || ((chart->share_y || chart->share_all_y) && a % chart->columns > 0);
    }
    return anything ? RS_OK
                    : RS_FAIL(error, RS_DATA, "there is nothing to draw: no value is a finite number%s",
                              count && chart->panels[0].y.log ? " above 0 (--log none)" : "");
}

/* --- ticks ---------------------------------------------------------------------------------------------------- */

/* A round step, 1, 2 or 5 times a power of ten, that makes about that many. */
static double round_step(double length, int about, bool whole)
{
    const double raw = length / (about > 1 ? about : 1);
    const double power = pow(10.0, floor(log10(raw)));
    const double part = raw / power;
    const double step = power * (part <= 1.2 ? 1.0 : part <= 2.4 ? 2.0 : part <= 6.0 ? 5.0 : 10.0);
    return whole && step < 1.0 ? 1.0 : step;
}

/* "0.05", "1500", and mantissa and power of what is very large or very small. */
static rs_status number_tick(rs__axis *axis, double at, double step, double largest, bool powers,
                             rs_error *error)
{
    char text[48], power[16];
    const double magnitude = floor(log10(largest) + 1e-9);
    if (powers) {
        const double scale = pow(10.0, magnitude);
        const int digits = (int)fmax(0.0, magnitude - floor(log10(step) + 1e-9));
        (void)snprintf(power, sizeof power, "%.0f", magnitude);
        (void)snprintf(text, sizeof text, "%.*f·10", digits, at / scale);
        return at == 0.0 ? rs__axis_tick(axis, at, "0", NULL, error)
                         : rs__axis_tick(axis, at, text, power, error);
    }
    const int digits = (int)fmax(0.0, -floor(log10(step) + 1e-9));
    (void)snprintf(text, sizeof text, "%.*f", digits, at);
    return rs__axis_tick(axis, at, text, NULL, error);
}

enum { MOST_TICKS = 200 };

static rs_status linear_ticks(rs__axis *axis, int about, rs_error *error)
{
    const double largest = fmax(fabs(axis->low), fabs(axis->high));
    double step = 1.0, first = 0.0, last = 0.0;
    for (int more = 0; more == 0 || (more < 3 && last - first < 1.0); more++) { /* one number is no scale */
        step = round_step(axis->high - axis->low, (about > 1 ? about : 1) + more, axis->whole);
        first = ceil(axis->low / step - 1e-9);
        last = floor(axis->high / step + 1e-9);
    }
    const int count =
        last - first < MOST_TICKS ? (int)(last - first) + 1 : 0; /* where digits end there are none */
    for (int k = 0; k < count; k++) {
        const double at = (first + k) * step;
        RS_TRY(number_tick(axis, first + k == 0.0 ? 0.0 : at, step, largest, largest >= 1e5 || largest < 1e-3,
                           error));
    }
    return RS_OK;
}

static rs_status power_tick(rs__axis *axis, double exponent, rs_error *error)
{
    char power[16];
    const double at = pow(10.0, exponent);
    if (exponent >= -2.0 && exponent <= 3.0 && axis->whole) {
        (void)snprintf(power, sizeof power, "%.0f", at);
        return rs__axis_tick(axis, at, power, NULL, error);
    }
    (void)snprintf(power, sizeof power, "%.0f", exponent);
    return rs__axis_tick(axis, at, "10", power, error);
}

/* Powers of ten, every so many where there are too many, with small ticks at 2 to 9 between where all are there. */
static rs_status decade_ticks(rs__axis *axis, double first, double last, int about, rs_error *error)
{
    const double every = fmax(1.0, ceil((last - first) / about));
    for (int power = (int)first - 1; power <= (int)last; power++) {
        const double e = power;
        if (e >= first && fmod(e - first, every) == 0.0) {
            RS_TRY(power_tick(axis, e, error));
        }
        for (int m = 2; every == 1.0 && m < 10; m++) {
            const double at = m * pow(10.0, e);
            if (at >= axis->low && at <= axis->high) {
                RS_TRY(rs__axis_tick(axis, at, "", NULL, error));
            }
        }
    }
    return RS_OK;
}

/* Within less than two decades: 1, 2 and 5 times powers of ten, as numbers. */
static rs_status short_log_ticks(rs__axis *axis, rs_error *error)
{
    static const double round[] = {1.0, 2.0, 5.0};
    const bool powers = axis->high >= 1e5 || axis->high < 1e-3; /* all numbers alike */
    for (int power = (int)floor(log10(axis->low)); power <= (int)ceil(log10(axis->high)); power++) {
        const double e = power;
        for (int m = 0; m < 3; m++) {
            const double at = round[m] * pow(10.0, e);
            if (at >= axis->low * (1.0 - 1e-9) && at <= axis->high * (1.0 + 1e-9)) {
                RS_TRY(number_tick(axis, at, pow(10.0, e), at, powers, error));
            }
        }
    }
    if (axis->tick_count > 1) {
        return RS_OK;
    }
    for (int i = 0; i < axis->tick_count; i++) { /* else its number would stand there twice: "2" and "2.0" */
        rs_free(axis->ticks[i].text);
        rs_free(axis->ticks[i].power);
    }
    axis->tick_count = 0;
    return linear_ticks(axis, 4, error);
}

rs_status rs__axis_make_ticks(rs__axis *axis, int about, rs_error *error)
{
    if (axis->tick_count > 0 || axis->hidden) {
        return RS_OK;
    }
    if (!axis->log) {
        return linear_ticks(axis, about, error);
    }
    RS_ASSERT(axis->low > 0.0 && isfinite(axis->high)); /* else the loops below would not end */
    const double first = ceil(log10(axis->low) - 1e-9), last = floor(log10(axis->high) + 1e-9);
    return last - first >= 1.0 ? decade_ticks(axis, first, last, about, error) : short_log_ticks(axis, error);
}

rs_status rs__bar_axis(const rs__bar *bar, rs__axis *axis, bool *stepped, rs_error *error)
{
    enum { MOST_STEPS = 48, NUMBERS = 6 };
    *stepped = bar->whole && bar->high - bar->low + 1.0 <= MOST_STEPS;
    *axis = (rs__axis){.low = bar->low - (*stepped ? 0.5 : 0.0),
                       .high = bar->high + (*stepped ? 0.5 : 0.0),
                       .log = bar->log,
                       .whole = bar->whole};
    return rs__axis_make_ticks(axis, NUMBERS, error);
}

rs_status rs__axes_tick(rs__chart *chart, int across, int up, rs_error *error)
{
    for (int i = 0; i < chart->rows * chart->columns; i++) {
        rs__panel *panel = &chart->panels[i];
        RS_TRY(rs__axis_make_ticks(&panel->x, across, error));
        RS_TRY(rs__axis_make_ticks(&panel->y, up, error));
    }
    return RS_OK;
}
