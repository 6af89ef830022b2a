/* test_plot_chart.c: ranges, ticks, gaps and thinning of a chart, and what of it stands in gnuplot's script. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "axes.h"
#include "chart_tools.h"
#include "harness.h"
#include "layout.h"
#include "options.h"
#include "rs/host.h"
#include "script.h"

static rs_error error;

static void test_ranges(void **state)
{
    const double x[] = {1.0, 2.0, 3.0, 4.0}, a[] = {1.0, NAN, 5.0, INFINITY}, b[] = {-3.0, 0.0, 100.0, 2.0};
    rs__chart chart;
    (void)state;
    harness_ok(rs__chart_make(&chart, 1, 2, &error), &error);
    chart_line(&chart, 0, 4, x, a, "a");
    chart_line(&chart, 1, 4, x, b, "b");
    chart.share_y = true;
    chart.panels[1].x.low = 0.0;
    harness_ok(rs__axes_range(&chart, &error), &error);
    assert_true(chart.panels[0].y.low == chart.panels[1].y.low &&
                chart.panels[0].y.high == chart.panels[1].y.high);
    assert_true(chart.panels[0].y.low < -3.0 && chart.panels[0].y.low > -20.0 &&
                chart.panels[0].y.high > 100.0);
    assert_true(chart.panels[1].x.low == 0.0 && chart.panels[0].x.low > 0.9);
    rs__chart_clear(&chart);
}

/* A range begins at 0 unless most of it would be empty; what a band reaches down to is shown, but no decades of it. */
static void test_where_ranges_begin(void **state)
{
    const double x[] = {1.0, 2.0}, high[] = {2.2, 3.5};
    const struct {
        bool log, near;
        double y, low[2], from,
            to; /* the first value; the band's lower bounds, NaN: no band; where the range may begin */
    } cases[] = {{false, true, 2.0, {1.8, 2.5}, 1.7, 1.95},    {false, true, 1.0, {NAN, NAN}, 0.0, 0.0},
                 {false, false, 2.0, {1.8, 2.5}, 1.7, 1.95},   {true, false, 2.0, {1.8, 2.5}, 1.7, 1.81},
                 {true, false, 2.0, {1.8, 0.001}, 0.1, 0.201}, {false, true, 2.0, {1.8, -1.5}, 0.0, 0.0},
                 {false, false, 2.0, {1.8, -1.5}, -2.0, -1.5}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        rs__chart chart;
        const double y[] = {cases[i].y, 3.0};
        const rs__points band = {.mark = RS__BAND, .count = 2, .x = x, .low = cases[i].low, .high = high};
        harness_ok(rs__chart_make(&chart, 1, 1, &error), &error);
        chart.panels[0].y.log = cases[i].log;
        chart.panels[0].y.zero_near = cases[i].near;
        chart_line(&chart, 0, 2, x, y, NULL);
        harness_ok(isnan(cases[i].low[0]) ? RS_OK : rs__panel_add(&chart.panels[0], &band, &error), &error);
        harness_ok(rs__axes_range(&chart, &error), &error);
        assert_true(chart.panels[0].y.low >= cases[i].from && chart.panels[0].y.low <= cases[i].to);
        assert_true(chart.panels[0].y.high > 3.0);
        rs__chart_clear(&chart);
    }
}

/* A logarithmic axis knows what is above 0 alone; one value, and none, still make an axis. */
static void test_log_and_single(void **state)
{
    const double x[] = {1.0, 2.0, 3.0}, y[] = {0.0, -1.0, 8.0}, none[] = {NAN, NAN, NAN};
    rs__chart chart;
    (void)state;
    harness_ok(rs__chart_make(&chart, 1, 3, &error), &error);
    chart_line(&chart, 0, 3, x, y, NULL);
    chart_line(&chart, 1, 1, x, y, NULL);
    chart_line(&chart, 2, 3, x, none, NULL);
    chart.panels[0].y.log = true;
    chart.panels[1].x.whole = true;
    harness_ok(rs__axes_range(&chart, &error), &error);
    assert_true(chart.panels[0].y.low == 4.0 && chart.panels[0].y.high == 16.0);
    assert_true(chart.panels[1].x.low == 0.0 && chart.panels[1].x.high == 2.0);
    assert_true(chart.panels[1].y.low == -1.0 && chart.panels[1].y.high == 1.0);
    assert_true(chart.panels[2].y.low < chart.panels[2].y.high);
    rs__chart_clear(&chart);
    chart_single(&chart, 3, x, none, NULL);
    assert_int_equal(rs__axes_range(&chart, &error), RS_DATA);
    rs__chart_clear(&chart);
}

/* Near the ends of what a double holds there are no margins and ratios; there is a range all the same. */
static void test_extremes(void **state)
{
    static const double x[] = {1.0, 2.0}, y[][2] = {{-1.7e308, 1.7e308},
                                                    {1.7e308, 1.7e308},
                                                    {5e-324, 1e-310},
                                                    {5e-324, 1.7e308},
                                                    {-1.7e308, 1.0}};
    (void)state;
    for (size_t i = 0; i < 2 * sizeof y / sizeof y[0]; i++) {
        rs__chart chart;
        rs__layout layout;
        char *script;
        chart_single(&chart, 2, x, y[i / 2], "a");
        chart.panels[0].y.log = i % 2 == 1;
        chart_finish(&chart, &layout, &script);
        const rs__axis *axis = &chart.panels[0].y;
        assert_true(axis->low < axis->high && isfinite(axis->high - axis->low));
        assert_true(!axis->log || (axis->low > 0.0 && isfinite(axis->high / axis->low)));
        chart_drop(&chart, &layout, script);
    }
}

/* Values that differ in their last digits alone are one value: ticks could not tell them apart. */
static void test_flat(void **state)
{
    const double x[] = {1.0, 2.0}, y[] = {1e17, 1e17 + 16.0};
    rs__chart chart;
    rs__layout layout;
    char *script;
    (void)state;
    chart_single(&chart, 2, x, y, "a");
    chart_finish(&chart, &layout, &script);
    assert_true(chart.panels[0].y.low < 6e16 && chart.panels[0].y.high > 1.4e17);
    rs__layout_free(&layout);
    rs__chart_clear(&chart);
    rs_free(script);
}

static void ticks_of(double low, double high, bool log, bool whole, const char *want)
{
    char text[512] = "";
    rs__axis axis = {.low = low, .high = high, .log = log, .whole = whole};
    harness_ok(rs__axis_make_ticks(&axis, 5, &error), &error);
    for (int i = 0; i < axis.tick_count; i++) {
        const size_t used = strlen(text);
        const rs__tick *tick = &axis.ticks[i];
        if (*tick->text) {
            (void)snprintf(text + used, sizeof text - used, "%s%s%s%s", used ? " " : "", tick->text,
                           tick->power ? "^" : "", tick->power ? tick->power : "");
        }
        rs_free(tick->text);
        rs_free(tick->power);
    }
    rs_free(axis.ticks);
    assert_string_equal(text, want);
}

static void test_ticks(void **state)
{
    (void)state;
    ticks_of(0.0, 1.0, false, false, "0.0 0.2 0.4 0.6 0.8 1.0");
    ticks_of(-0.3, 0.31, false, false, "-0.2 0.0 0.2");
    ticks_of(0.98, 2.02, false, true, "1 2");
    ticks_of(0.0, 250.0, false, true, "0 50 100 150 200 250");
    ticks_of(0.0, 3e6, false, false, "0 0.5·10^6 1.0·10^6 1.5·10^6 2.0·10^6 2.5·10^6 3.0·10^6");
    ticks_of(1e-7, 4.4e-7, false, false, "1·10^-7 2·10^-7 3·10^-7 4·10^-7");
    ticks_of(0.02, 300.0, true, false, "10^-1 10^0 10^1 10^2");
    ticks_of(3.0, 70.0, true, false, "5 10 20 50");
    ticks_of(1e-12, 1.0, true, false, "10^-12 10^-9 10^-6 10^-3 10^0");
    ticks_of(41.0, 43.0, true, false, "41.0 41.5 42.0 42.5 43.0");
    ticks_of(15e3, 6e5, true, false, "2·10^4 5·10^4 1·10^5 2·10^5 5·10^5");
    rs__axis one = {.low = 0.0, .high = 0.95}; /* a single number is no scale */
    harness_ok(rs__axis_make_ticks(&one, 1, &error), &error);
    assert_int_equal(one.tick_count, 2);
    rs__chart holder;
    harness_ok(rs__chart_make(&holder, 1, 1, &error), &error);
    holder.panels[0].x = one;
    rs__chart_clear(&holder);
}

/* However long the range of a logarithmic axis is: three numbers or more, small ticks, all of them ascending and within. */
static void test_log_ticks(void **state)
{
    (void)state;
    ticks_of(52.0, 85.0, true, false, "60 70 80");
    ticks_of(0.05, 0.17, true, false, "0.05 0.07 0.1 0.15");
    ticks_of(30.0, 310.0, true, false, "50 100 200");
    ticks_of(0.02, 3.0, true, false, "0.03 0.1 0.3 1 3");
    ticks_of(1.0, 4.0, true, true, "1 2 3");
    for (int l = 0; l < 11; l++) {
        for (int r = 0; r < 40; r++) {
            const double low = 0.00013 * pow(7.3, l), ratio = 1.02 * pow(1.7, r);
            rs__axis axis = {.low = low, .high = low * ratio, .log = true};
            int numbers = 0;
            harness_ok(rs__axis_make_ticks(&axis, 6, &error), &error);
            for (int i = 0; i < axis.tick_count; i++) {
                numbers += *axis.ticks[i].text != '\0';
                assert_true(i == 0 || axis.ticks[i].at > axis.ticks[i - 1].at);
                assert_true(axis.ticks[i].at > low * 0.999 && axis.ticks[i].at < axis.high * 1.001);
            }
            assert_in_range(numbers, 3, 10);
            assert_true(axis.tick_count > numbers);
            rs__axis_clear(&axis);
        }
    }
}

/* Where numbers stand at a logarithmic axis it says so; so does a bar of colours. Epochs stand at theirs, from 0 on. */
static void test_log_is_told(void **state)
{
    const double x[] = {1.0, 50.0};
    rs__chart chart;
    rs__axis axis;
    bool stepped;
    (void)state;
    harness_ok(rs__chart_make(&chart, 2, 2, &error), &error);
    for (int i = 0; i < 4; i++) {
        chart_line(&chart, i, 2, x, x, NULL);
        chart.panels[i].x.log = chart.panels[i].y.log = i != 0;
    }
    harness_ok(rs__chart_text(&chart.panels[0].y.label, &error, "linear"), &error);
    harness_ok(rs__chart_text(&chart.panels[2].y.label, &error, "loss"), &error);
    harness_ok(rs__chart_text(&chart.panels[3].x.label, &error, "size"), &error);
    chart.bar = (rs__bar){.shown = true, .log = true, .low = 1.0, .high = 41.0, .counted = true};
    harness_ok(rs__chart_text(&chart.bar.label, &error, "epoch"), &error);
    harness_ok(rs__axes_tell_log(&chart, &error), &error);
    assert_string_equal(chart.panels[0].y.label, "linear");
    assert_string_equal(chart.panels[1].y.label, "(log)");
    assert_string_equal(chart.panels[2].y.label, "loss (log)");
    assert_string_equal(chart.panels[2].x.label, "(log)");
    assert_string_equal(chart.panels[3].x.label, "size (log)");
    assert_null(chart.panels[1].x.label); /* that under it says it */
    assert_string_equal(chart.bar.label, "epoch (log)");
    harness_ok(rs__bar_axis(&chart.bar, &axis, &stepped, &error), &error);
    char numbers[64] = "";
    for (int i = 0; i < axis.tick_count; i++) {
        const size_t used = strlen(numbers);
        const char *text = axis.ticks[i].text;
        (void)snprintf(numbers + used, sizeof numbers - used, *text && used ? " %s" : "%s", text);
        assert_true(!*text || axis.ticks[i].at == 1.0 + strtod(text, NULL));
    }
    assert_string_equal(numbers, "0 1 2 5 10 20");
    rs__axis_clear(&axis);
    rs__chart_clear(&chart);
}

/* Lines of a data block, empty ones as "-". */
static void block_of(const char *script, int number, char *text, size_t capacity)
{
    char begin[32];
    (void)snprintf(begin, sizeof begin, "$d%d << EOD\n", number);
    const char *at = strstr(script, begin);
    *text = '\0';
    assert_non_null(at);
    for (at += strlen(begin); strncmp(at, "EOD", 3) != 0;) {
        const size_t length = strcspn(at, "\n"), used = strlen(text);
        (void)snprintf(text + used, capacity - used, "%s%.*s", used ? "|" : "", length ? (int)length : 1,
                       length ? at : "-");
        at += length + 1;
    }
}

/* A gap parts a line, and a point by itself gets a dot; a band has no gap filled. */
static void test_gaps(void **state)
{
    const double x[] = {1.0, 2.0, 3.0, 4.0, 5.0, 6.0}, y[] = {NAN, 1.0, 2.0, NAN, 3.0, NAN},
                 low[] = {0.0, 1.0, NAN, 1.0, 1.0, 1.0}, high[] = {2.0, 2.0, NAN, 2.0, 2.0, INFINITY};
    const rs__points band = {.mark = RS__BAND, .count = 6, .x = x, .low = low, .high = high};
    char block[256];
    rs__chart chart;
    rs__layout layout;
    char *script;
    (void)state;
    chart_single(&chart, 6, x, y, "a");
    harness_ok(rs__panel_add(&chart.panels[0], &band, &error), &error);
    chart_finish(&chart, &layout, &script);
    block_of(script, 0, block, sizeof block); /* under the line, although it came later */
    assert_string_equal(block, "1 0 2|2 1 2|-|4 1 2|5 1 2|-");
    block_of(script, 1, block, sizeof block);
    assert_string_equal(block, "2 1|3 2|-|5 3|-");
    block_of(script, 2, block, sizeof block);
    assert_string_equal(block, "5 3");
    chart_drop(&chart, &layout, script);
}

/* On a logarithmic axis a band ends at the axis, and what is not above 0 is a gap. */
static void test_log_gaps(void **state)
{
    const double x[] = {1.0, 2.0, 3.0}, y[] = {10.0, 0.0, 1000.0}, low[] = {-5.0, 1.0, 900.0},
                 high[] = {20.0, 2.0, 1100.0};
    const rs__points band = {.mark = RS__BAND, .count = 3, .x = x, .low = low, .high = high};
    char block[256], want[64];
    rs__chart chart;
    rs__layout layout;
    char *script;
    (void)state;
    harness_ok(rs__chart_make(&chart, 1, 1, &error), &error);
    chart.panels[0].y.log = true;
    chart_line(&chart, 0, 3, x, y, "a");
    harness_ok(rs__panel_add(&chart.panels[0], &band, &error), &error);
    chart_finish(&chart, &layout, &script);
    block_of(script, 1, block, sizeof block);
    assert_string_equal(block, "1 10|-|3 1000");
    block_of(script, 0, block, sizeof block);
    (void)snprintf(want, sizeof want, "1 %.9g 20|", chart.panels[0].y.low);
    assert_true(chart.panels[0].y.low > 0.0 && strncmp(block, want, strlen(want)) == 0);
    chart_drop(&chart, &layout, script);
}

/* 20,000 steps become as many points as can be seen, without losing a spike; a band keeps its outline. */
static void test_thin(void **state)
{
    enum { MANY = 20000 };
    double *x = calloc(MANY, sizeof *x), *y = calloc(MANY, sizeof *y);
    rs__chart chart;
    rs__layout layout;
    char *script;
    (void)state;
    for (int i = 0; i < MANY; i++) {
        x[i] = i;
        y[i] = i == 4321 ? 9.0 : 1.0;
    }
    const rs__points band = {.mark = RS__BAND, .count = MANY, .x = x, .low = x, .high = y};
    chart_single(&chart, MANY, x, y, "a");
    harness_ok(rs__panel_add(&chart.panels[0], &band, &error), &error);
    chart_finish(&chart, &layout, &script);
    for (int k = 0; k < 2; k++) {
        const rs__series *s = &chart.panels[0].series[k];
        double most = 0.0;
        assert_in_range(s->count, 200, 4000);
        for (int64_t i = 0; i < s->count; i++) {
            most = fmax(most, s->mark == RS__BAND ? s->high[i] : s->y[i]);
        }
        assert_true(most == 9.0);
        assert_true(s->x[0] == 0.0 && s->x[s->count - 1] == MANY - 1);
    }
    chart_drop(&chart, &layout, script);
    free(x);
    free(y);
}

static void test_quote(void **state)
{
    static const char *const cases[][2] = {
        {"plain", "'plain'"},
        {"it's", "'it''s'"},
        {"a_b^c{d}@e&f~g\\h", "'a\\_b\\^c\\{d\\}\\@e\\&f\\~g\\\\h'"},
        {"é ± 日本", "'é ± 日本'"},
        {"bad \xff\xc3(", "'bad ?"
                          "?('"},
        {"new\nline\ttab", "'new line tab'"},
        {"", "''"},
    };
    char quoted[128];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(rs__script_quote(cases[i][0], quoted), strlen(cases[i][1]));
        assert_string_equal(quoted, cases[i][1]);
    }
}

static void test_sizes(void **state)
{
    double width, height, dpi;
    (void)state;
    harness_ok(rs__size_parse("2.54x5.08cm", &width, &height, &dpi, &error), &error);
    assert_true(fabs(width - 72.0) < 1e-9 && fabs(height - 144.0) < 1e-9 && dpi == 300.0);
    harness_ok(rs__size_parse("960x480", &width, &height, &dpi, &error), &error);
    assert_true(width == 720.0 && height == 360.0 && dpi == 96.0);
    static const char *const wrong[] = {"",       "8cm",     "8x",      "8xcm",    "0x5cm",
                                        "-3x5cm", "8x6ells", "1e9x4cm", "nanx5cm", "8x6cm "};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(rs__size_parse(wrong[i], &width, &height, &dpi, &error), RS_USAGE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ranges),         cmocka_unit_test(test_where_ranges_begin),
        cmocka_unit_test(test_log_and_single), cmocka_unit_test(test_extremes),
        cmocka_unit_test(test_flat),           cmocka_unit_test(test_log_ticks),
        cmocka_unit_test(test_log_is_told),    cmocka_unit_test(test_ticks),
        cmocka_unit_test(test_gaps),           cmocka_unit_test(test_log_gaps),
        cmocka_unit_test(test_thin),           cmocka_unit_test(test_quote),
        cmocka_unit_test(test_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
