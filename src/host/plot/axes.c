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

/* Within what ranges can be computed of: of numbers near the largest double, or the least, margins and ratios are none. */
static double within(const rs__axis *axis, double bound)
{
    const double most = axis->log ? 1e150 : 1e300;
    return axis->log ? fmin(fmax(bound, 1.0 / most), most) : fmin(fmax(bound, -most), most);
}

/* A range that has some length, and a margin beyond the data. */
static void set_range(rs__axis *axis, const extent *e, double margin)
{
    double low = within(axis, e->low), high = within(axis, e->high);
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
    low = from_zero ? 0.0 : within(axis, low);
    high = within(axis, high);
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

/* --- ticks of logarithmic axes -------------------------------------------------------------------------------- */

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

/* Powers of ten, every so many where there are too many. Between them small ticks: at 2 to 9 times each, or at powers without a number. */
static rs_status decade_ticks(rs__axis *axis, double first, double last, int about, rs_error *error)
{
    const double every = fmax(1.0, ceil((last - first) / about));
    for (int power = (int)first - 1; power <= (int)last; power++) {
        const double e = power;
        if (e >= first && fmod(e - first, every) == 0.0) {
            RS_TRY(power_tick(axis, e, error));
        } else if (e >= first && last - first < MOST_TICKS) {
            RS_TRY(rs__axis_tick(axis, pow(10.0, e), "", NULL, error));
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

/* Which multiples of powers of ten have numbers, in tenths, from sparse to dense. */
enum { SPARSE, USUAL, DENSE, SETS, MOST_OF_SET = 6, LEAST_NUMBERS = 3 };
static const int sets[SETS][MOST_OF_SET] = {{10, 30}, {10, 20, 50}, {10, 15, 20, 30, 50, 70}};

static bool is_of_set(int set, int tenths)
{
    for (int i = 0; i < MOST_OF_SET; i++) {
        if (sets[set][i] == tenths) {
            return true;
        }
    }
    return false;
}

/* Whether there may be a tick. */
static bool takes_tick(const rs__axis *axis, double at)
{
    return at >= axis->low * (1.0 - 1e-9) && at <= axis->high * (1.0 + 1e-9) &&
           !(axis->whole && at != floor(at));
}

/* Tenths of each power from 10 on, one by one to 20, then every fifth, in turn: false behind the axis' end. */
static bool next_multiple(const rs__axis *axis, int *power, int *tenths, double *at)
{
    *tenths += *tenths < 20 ? 1 : 5;
    if (*tenths == 100) {
        *tenths = 10;
        *power += 1;
    }
    *at = *tenths / 10.0 * pow(10.0, *power);
    return *power <= (int)ceil(log10(axis->high));
}

/* How many numbers a set would give; where ticks are wanted it makes them, and small ones between: of the dense set at parts, too. */
static rs_status multiples(rs__axis *axis, int set, bool make, int *numbers, rs_error *error)
{
    const bool powers = axis->high >= 1e5 || axis->high < 1e-3; /* all numbers alike */
    int power = (int)floor(log10(axis->low)) - 1, tenths = 95;
    double at;
    *numbers = 0;
    while (next_multiple(axis, &power, &tenths, &at)) {
        const bool numbered = is_of_set(set, tenths);
        if (!takes_tick(axis, at) || (tenths % 10 != 0 && set != DENSE)) {
            continue;
        }
        *numbers += numbered;
        if (make && numbered) {
            RS_TRY(number_tick(axis, at, pow(10.0, tenths == 15 ? power - 1.0 : power), at, powers, error));
        } else if (make) {
            RS_TRY(rs__axis_tick(axis, at, "", NULL, error));
        }
    }
    return RS_OK;
}

/* Of a range that is too short for those: a linear axis' numbers, three at least, with small ticks between. */
static rs_status narrow_ticks(rs__axis *axis, rs_error *error)
{
    enum { ABOUT = 4, MOST_ABOUT = 12 };
    const bool powers = axis->high >= 1e5 || axis->high < 1e-3;
    double step = 1.0, numbers = 0.0;
    for (int about = ABOUT; about <= MOST_ABOUT && numbers < LEAST_NUMBERS; about++) {
        step = round_step(axis->high - axis->low, about, axis->whole);
        numbers = floor(axis->high / step + 1e-9) - ceil(axis->low / step - 1e-9) + 1.0;
    }
    const double digit = step / pow(10.0, floor(log10(step) + 1e-9));
    int parts = digit > 1.5 && digit < 3.0 ? 4 : 5;
    parts = axis->whole && step < parts ? 1 : parts;
    const double small = step / parts, first = ceil(axis->low / small - 1e-9),
                 last = floor(axis->high / small + 1e-9);
    const int count = last - first < MOST_TICKS ? (int)(last - first) + 1 : 0;
    for (int k = 0; k < count; k++) {
        const double at = (first + k) * small;
        RS_TRY(fmod(first + k, parts) == 0.0 ? number_tick(axis, at, step, axis->high, powers, error)
                                             : rs__axis_tick(axis, at, "", NULL, error));
    }
    return RS_OK;
}

/* At least three numbers: powers of ten; from two decades on with 3 times these, in less 1, 2 and 5 times them, or as many more as it takes. */
static rs_status log_ticks(rs__axis *axis, int about, rs_error *error)
{
    RS_ASSERT(axis->low > 0.0 && isfinite(axis->high)); /* else the loops would not end */
    const double first = ceil(log10(axis->low) - 1e-9), last = floor(log10(axis->high) + 1e-9);
    int numbers, set = axis->high / axis->low < 100.0 ? USUAL : SPARSE;
    if (last - first + 1.0 >= LEAST_NUMBERS) {
        return decade_ticks(axis, first, last, about, error);
    }
    RS_TRY(multiples(axis, set, false, &numbers, error));
    if (set == USUAL && numbers > about) { /* too many, if the sparse ones suffice */
        RS_TRY(multiples(axis, SPARSE, false, &numbers, error));
        set = numbers >= LEAST_NUMBERS ? SPARSE : USUAL;
    }
    for (numbers = 0; set < SETS; set++) {
        RS_TRY(multiples(axis, set, false, &numbers, error));
        if (numbers >= LEAST_NUMBERS) {
            return multiples(axis, set, true, &numbers, error);
        }
    }
    return narrow_ticks(axis, error);
}

rs_status rs__axis_make_ticks(rs__axis *axis, int about, rs_error *error)
{
    if (axis->tick_count > 0 || axis->hidden) {
        return RS_OK;
    }
    if (!axis->log) {
        return linear_ticks(axis, about, error);
    }
    return log_ticks(axis, about, error);
}

/* 0, 1, 2, 5, 10, ... of a bar whose colours follow the logarithm of 1 + the number; of many only the powers of ten. */
static rs_status counted_ticks(rs__axis *axis, rs_error *error)
{
    enum { MANY = 1000 };
    char text[24];
    RS_TRY(rs__axis_tick(axis, 1.0, "0", NULL, error));
    double power = 1.0;
    while (power < axis->high) {
        for (int m = 1; m < 10 && m * power <= axis->high - 1.0; m++) {
            const bool numbered = m == 1 || (axis->high <= MANY && (m == 2 || m == 5));
            (void)snprintf(text, sizeof text, "%.0f", m * power);
            RS_TRY(rs__axis_tick(axis, 1.0 + m * power, numbered ? text : "", NULL, error));
        }
        power *= 10.0;
    }
    return RS_OK;
}

rs_status rs__bar_axis(const rs__bar *bar, rs__axis *axis, bool *stepped, rs_error *error)
{
    enum { MOST_STEPS = 48, NUMBERS = 6 };
    *stepped = bar->whole && bar->high - bar->low + 1.0 <= MOST_STEPS;
    *axis = (rs__axis){.low = bar->low - (*stepped ? 0.5 : 0.0),
                       .high = bar->high + (*stepped ? 0.5 : 0.0),
                       .log = bar->log,
                       .whole = bar->whole};
    return bar->counted ? counted_ticks(axis, error) : rs__axis_make_ticks(axis, NUMBERS, error);
}

/* Whether an axis without a label has numbers of its own; an x axis over one that says what it is needs no sign either. */
static bool needs_sign(const rs__chart *chart, int panel, bool x)
{
    const rs__axis *axis = x ? &chart->panels[panel].x : &chart->panels[panel].y;
    bool told = x ? chart->share_x && panel / chart->columns + 1 < chart->rows
                  : (chart->share_y || chart->share_all_y) && panel % chart->columns > 0;
    for (int i = panel + chart->columns; x && i < chart->rows * chart->columns; i += chart->columns) {
        told = told || (chart->panels[i].x.log && chart->panels[i].x.label);
    }
    return chart->panels[panel].count > 0 && !axis->hidden && !axis->bare && !told;
}

static rs_status add_sign(char **label, rs_error *error)
{
    char old[1024];
    (void)snprintf(old, sizeof old, "%s", *label ? *label : "");
    return rs__chart_text(label, error, "%s%s", old, *old ? RS__LOG_SIGN : &RS__LOG_SIGN[1]);
}

rs_status rs__axes_tell_log(rs__chart *chart, rs_error *error)
{
    for (int i = 0; i < chart->rows * chart->columns; i++) {
        rs__axis *const axes[] = {&chart->panels[i].x, &chart->panels[i].y};
        for (int a = 0; a < 2; a++) {
            RS_TRY(axes[a]->log && (axes[a]->label || needs_sign(chart, i, a == 0))
                       ? add_sign(&axes[a]->label, error)
                       : RS_OK);
        }
    }
    RS_TRY(chart->bar.shown && chart->bar.log ? add_sign(&chart->bar.label, error) : RS_OK);
    return chart->second.shown && chart->second.log ? add_sign(&chart->second.label, error) : RS_OK;
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
