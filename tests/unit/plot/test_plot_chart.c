/* test_plot_chart.c: ranges, ticks, layout, thinning of a chart, and what of it stands in gnuplot's script. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "axes.h"
#include "harness.h"
#include "layout.h"
#include "options.h"
#include "rs/host.h"
#include "script.h"

static rs_error error;
static const rs__palettes palettes = {0, 0};

static void line(rs__chart *chart, int panel, int64_t count, const double *x, const double *y,
                 const char *label)
{
    const rs__points points = {.mark = RS__LINE,
                               .count = count,
                               .x = x,
                               .y = y,
                               .label = label,
                               .name = label,
                               .style = {.width = 1.0}};
    harness_ok(rs__panel_add(&chart->panels[panel], &points, &error), &error);
}

static void finish(rs__chart *chart, rs__layout *layout, char **script)
{
    const rs__paper paper = {.format = RS__SVG};
    chart->width = 400.0;
    chart->height = 300.0;
    harness_ok(rs__axes_range(chart, &error), &error);
    harness_ok(rs__axes_tick(chart, 6, 6, &error), &error);
    harness_ok(rs__layout_make(chart, 8.0, layout, &error), &error);
    harness_ok(rs__chart_thin(chart, layout, &error), &error);
    harness_ok(rs__script_write(chart, layout, &palettes, &paper, script, &error), &error);
    assert_null(strstr(*script, "nan"));
    assert_null(strstr(*script, "inf"));
}

static void drop(rs__chart *chart, rs__layout *layout, char *script)
{
    rs__layout_free(layout);
    rs__chart_clear(chart);
    rs_free(script);
}

static void test_ranges(void **state)
{
    const double x[] = {1.0, 2.0, 3.0, 4.0}, a[] = {1.0, NAN, 5.0, INFINITY}, b[] = {-3.0, 0.0, 100.0, 2.0};
    rs__chart chart;
    (void)state;
    harness_ok(rs__chart_make(&chart, 1, 2, &error), &error);
    line(&chart, 0, 4, x, a, "a");
    line(&chart, 1, 4, x, b, "b");
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
    const double x[] = {1.0, 2.0}, y[] = {2.0, 3.0}, low[] = {1.8, 0.001}, high[] = {2.2, 3.5};
    const struct {
        bool log, near;
        double least, from, to; /* of the values; range of where it may begin */
    } cases[] = {{false, true, 2.0, 1.7, 1.95},
                 {false, true, 1.0, 0.0, 0.0},
                 {false, false, 2.0, 1.7, 1.95},
                 {true, false, 2.0, 1.7, 1.81},
                 {true, false, 1e-9, 0.1, 0.201}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        rs__chart chart;
        double values[] = {cases[i].least == 1.0 ? 1.0 : y[0], y[1]};
        const double lows[] = {low[0], cases[i].least < 1.0 ? low[1] : 2.5};
        const rs__points band = {.mark = RS__BAND, .count = 2, .x = x, .low = lows, .high = high};
        harness_ok(rs__chart_make(&chart, 1, 1, &error), &error);
        chart.panels[0].y.log = cases[i].log;
        chart.panels[0].y.zero_near = cases[i].near;
        line(&chart, 0, 2, x, values, NULL);
        harness_ok(cases[i].least == 1.0 ? RS_OK : rs__panel_add(&chart.panels[0], &band, &error), &error);
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
    line(&chart, 0, 3, x, y, NULL);
    line(&chart, 1, 1, x, y, NULL);
    line(&chart, 2, 3, x, none, NULL);
    chart.panels[0].y.log = true;
    chart.panels[1].x.whole = true;
    harness_ok(rs__axes_range(&chart, &error), &error);
    assert_true(chart.panels[0].y.low == 4.0 && chart.panels[0].y.high == 16.0);
    assert_true(chart.panels[1].x.low == 0.0 && chart.panels[1].x.high == 2.0);
    assert_true(chart.panels[1].y.low == -1.0 && chart.panels[1].y.high == 1.0);
    assert_true(chart.panels[2].y.low < chart.panels[2].y.high);
    rs__chart_clear(&chart);
    harness_ok(rs__chart_make(&chart, 1, 1, &error), &error);
    line(&chart, 0, 3, x, none, NULL);
    assert_int_equal(rs__axes_range(&chart, &error), RS_DATA);
    rs__chart_clear(&chart);
}

/* A text beside a panel takes several lines where it is longer than its room, none of them cut off; and numbers never stand twice. */
static void test_lines_of_labels(void **state)
{
    const double x[] = {1.156, 2.089};
    rs__chart chart;
    rs__layout layout;
    char *script;
    (void)state;
    assert_int_equal(rs__first_line("one two three", 10.0, rs__text_width("one two", 10.0) + 1.0), 7);
    assert_int_equal(rs__first_line("endless word", 10.0, 1.0), 7);
    assert_int_equal(rs__line_count("one two three", 10.0, 1.0), 3);
    assert_int_equal(rs__first_line("layer1.0.conv2.weight", 8.0, rs__text_width("layer1.0.con", 8.0)), 9);
    assert_int_equal(rs__line_count("layer1.0.conv2.weight", 8.0, rs__text_width("layer1.0.con", 8.0)), 3);
    assert_int_equal(rs__line_count(NULL, 10.0, 1.0), 0);
    harness_ok(rs__chart_make(&chart, 3, 1, &error), &error);
    line(&chart, 0, 2, x, x, "a");
    line(&chart, 1, 2, x, x, "b");
    line(&chart, 2, 2, x, x, "c");
    chart.panels[0].x.log = true;
    harness_ok(
        rs__chart_text(&chart.panels[1].y.label, &error, "distance to the initial state, for each weight"),
        &error);
    finish(&chart, &layout, &script);
    assert_non_null(strstr(script, "set label 'distance to"));
    assert_non_null(strstr(script, "weight' at screen"));
    assert_null(strstr(script, "…"));
    for (int i = 0; i < chart.panels[0].x.tick_count; i++) {
        for (int k = 0; k < i; k++) {
            assert_true(chart.panels[0].x.ticks[i].at > chart.panels[0].x.ticks[k].at);
        }
    }
    drop(&chart, &layout, script);
}

/* Texts end before those of their neighbours begin, and over the key. */
static void test_rooms_of_texts(void **state)
{
    const double x[] = {1.0, 2.0};
    rs__chart chart;
    rs__layout layout;
    char *script;
    (void)state;
    harness_ok(rs__chart_make(&chart, 1, 3, &error), &error);
    for (int i = 0; i < 3; i++) {
        line(&chart, i, 2, x, x, "a key");
        harness_ok(rs__chart_text(&chart.panels[i].y.label, &error, "a label"), &error);
    }
    chart.share_y = true;
    finish(&chart, &layout, &script);
    for (int i = 0; i < 3; i++) {
        const rs__box *box = &layout.panels[i];
        const double middle = box->left + box->width / 2.0, up = box->top + box->height / 2.0;
        assert_true(layout.room_x[i] >= box->width && layout.room_y[i] >= box->height);
        assert_true(middle - layout.room_x[i] / 2.0 > 0.0 && middle + layout.room_x[i] / 2.0 < layout.width);
        assert_true(up + layout.room_y[i] / 2.0 < layout.entries[0].middle);
        if (i > 0) {
            const double before = box[-1].left + box[-1].width / 2.0;
            assert_true(before + layout.room_x[i - 1] / 2.0 < middle - layout.room_x[i] / 2.0);
        }
    }
    drop(&chart, &layout, script);
}

/* How far from the top, in points, the label of that text stands. */
static double down_to(const char *script, const rs__layout *layout, const char *text)
{
    char start[128];
    double x, y;
    (void)snprintf(start, sizeof start, "set label '%s' at screen ", text);
    const char *at = strstr(script, start);
    assert_non_null(at);
    assert_int_equal(sscanf(at + strlen(start), "%lf,%lf", &x, &y), 2);
    return (1.0 - y) * layout->height;
}

/* Titles of panels and entries of the key that are too long for a line have several, and the panels make room for them. */
static void test_lines_of_titles(void **state)
{
    const double x[] = {1.0, 2.0};
    static const char *const networks[] = {"a residual network of blocks 3,4,6,3 without shortcuts",
                                           "a residual network of blocks 3,4,6,3"};
    rs__chart chart;
    rs__layout layout;
    char *script, key[256];
    (void)state;
    harness_ok(rs__chart_make(&chart, 2, 2, &error), &error);
    (void)snprintf(key, sizeof key, "%s, and %s, %s", networks[0], networks[0], networks[1]);
    for (int i = 0; i < 4; i++) {
        line(&chart, i, 2, x, x, i % 2 ? "short" : key);
        harness_ok(i < 2 ? rs__chart_text(&chart.panels[i].title, &error, "%s", networks[i]) : RS_OK, &error);
    }
    finish(&chart, &layout, &script);
    assert_null(strstr(script, "…"));
    const double first = down_to(script, &layout, "a residual network of blocks 3,4,6,3 without"),
                 second = down_to(script, &layout, "shortcuts");
    assert_true(first > 0.0 && second - first >= 8.0 && layout.panels[0].top - second > 4.0);
    assert_true(fabs(down_to(script, &layout, networks[1]) - second) <
                0.01); /* the last lines side by side */
    assert_true(layout.panels[2].top - layout.panels[0].top - layout.panels[0].height <
                layout.panels[0].top); /* no room is left where there are no titles */
    const double between = layout.entries[1].middle - layout.entries[0].middle;
    assert_true(between >= 2.0 * 8.0);
    assert_true(fabs(layout.entries[1].middle - down_to(script, &layout, "short")) < 0.01);
    assert_true(layout.entries[1].middle + 4.0 < layout.height &&
                layout.panels[3].top + layout.panels[3].height < layout.entries[0].middle);
    drop(&chart, &layout, script);
}

/* Numbers keep apart: as many are left out as it takes, not that at 0. Names are turned. A label under a panel has several lines. */
static void test_crowded_axes(void **state)
{
    static const char *const names[] = {"triangle", "diamond", "checker", "stripes"};
    const double x[] = {-300.0, 300.0};
    rs__chart chart;
    rs__layout layout;
    char *script;
    (void)state;
    harness_ok(rs__chart_make(&chart, 1, 4, &error), &error);
    for (int i = 0; i < 4; i++) {
        line(&chart, i, 2, x, x, NULL);
    }
    for (int k = -3; k <= 3; k++) {
        char text[16];
        (void)snprintf(text, sizeof text, "%d hundred", k);
        harness_ok(rs__axis_tick(&chart.panels[0].x, 100.0 * k, k ? text : "none", NULL, &error), &error);
    }
    rs__axis *named = &chart.panels[1].x, *short_ones = &chart.panels[2].x;
    named->names = short_ones->names = true;
    named->low = short_ones->low = -0.5;
    named->high = short_ones->high = 3.5;
    for (int k = 0; k < 4; k++) {
        harness_ok(rs__axis_tick(named, k, names[k], NULL, &error), &error);
        harness_ok(rs__axis_tick(short_ones, k, "a", NULL, &error), &error);
    }
    harness_ok(rs__chart_text(&chart.panels[3].x.label, &error, "steps of both stages of the training"),
               &error);
    chart.width = 400.0;
    rs__turn_names(&chart, 8.0);
    assert_true(named->upright && !short_ones->upright);
    finish(&chart, &layout, &script);
    assert_non_null(strstr(script, "'none'"));
    assert_null(strstr(script, "'1 hundred'"));
    assert_non_null(strstr(script, "set label 'triangle' at screen "));
    assert_null(strstr(script, "…"));
    assert_true(down_to(script, &layout, "training") <= layout.height - 4.0);
    assert_true(down_to(script, &layout, "training") >
                layout.panels[3].top + layout.panels[3].height + 2.0 * 8.0);
    drop(&chart, &layout, script);
}

/* Beside the colours there is room for their numbers and the label. */
static void test_long_numbers_of_colours(void **state)
{
    const double x[] = {1.0, 2.0};
    double places[2];
    for (int i = 0; i < 2; i++) {
        rs__chart chart;
        rs__layout layout;
        char *script;
        harness_ok(rs__chart_make(&chart, 1, 1, &error), &error);
        line(&chart, 0, 2, x, x, NULL);
        chart.bar = (rs__bar){.shown = true, .low = i ? 1.0 : 1.1e33, .high = i ? 4.0 : 4e33, .whole = i};
        harness_ok(rs__chart_text(&chart.bar.label, &error, "distance"), &error);
        finish(&chart, &layout, &script);
        const char *label = strstr(script, "set label 'distance' at screen ");
        assert_non_null(label);
        assert_int_equal(sscanf(label, "set label 'distance' at screen %lf", &places[i]), 1);
        assert_true(places[i] * layout.width < layout.width - 4.0);
        places[i] = layout.bar.left;
        drop(&chart, &layout, script);
    }
    (void)state;
    assert_true(places[0] < places[1] - 8.0);
}

/* What is too long for its place ends in dots, after a whole letter. */
static void test_long_texts(void **state)
{
    const double x[] = {1.0, 2.0};
    char name[401] = "";
    rs__chart chart;
    rs__layout layout;
    char *script;
    (void)state;
    for (int i = 0; i < 100; i++) {
        memcpy(name + 4 * i, "öab", 5);
    }
    harness_ok(rs__chart_make(&chart, 1, 2, &error), &error);
    line(&chart, 0, 2, x, x, name);
    line(&chart, 1, 2, x, x, "b");
    harness_ok(rs__chart_text(&chart.panels[0].title, &error, "%s", name), &error);
    finish(&chart, &layout, &script);
    int found = 0; /* in the key, and as a title */
    for (const char *at = script; (at = strstr(at, "set label 'öab")); found++) {
        const char *end = strstr(at, "…' at screen");
        assert_true(end && end - at < 200);
        assert_true(end[-1] == 'a' || end[-1] == 'b' || end[-1] == '\xb6');
        at = end;
    }
    assert_int_equal(found, 2);
    drop(&chart, &layout, script);
}

/* Values that differ in their last digits alone are one value: ticks could not tell them apart. */
static void test_flat(void **state)
{
    const double x[] = {1.0, 2.0}, y[] = {1e17, 1e17 + 16.0};
    rs__chart chart;
    rs__layout layout;
    char *script;
    (void)state;
    harness_ok(rs__chart_make(&chart, 1, 1, &error), &error);
    line(&chart, 0, 2, x, y, "a");
    finish(&chart, &layout, &script);
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

/* The range, where every tick of both axes lies within. */
static void test_layout(void **state)
{
    const double x[] = {0.0, 10.0}, y[] = {0.0, 12345.0};
    rs__chart chart;
    rs__layout layout;
    char *script;
    (void)state;
    harness_ok(rs__chart_make(&chart, 2, 2, &error), &error);
    for (int p = 0; p < 4; p++) {
        char label[32];
        (void)snprintf(label, sizeof label, "line %d", p / 2);
        line(&chart, p, 2, x, y, label);
        harness_ok(rs__chart_text(&chart.panels[p].x.label, &error, "step"), &error);
    }
    chart.share_x = chart.share_y = true;
    finish(&chart, &layout, &script);
    assert_int_equal(layout.entry_count, 2); /* each label once */
    for (int p = 0; p < 4; p++) {
        const rs__box *box = &layout.panels[p];
        assert_true(box->left > 0.0 && box->top > 0.0 && box->left + box->width < 400.0);
        assert_true(box->top + box->height < layout.entries[0].middle && layout.entries[1].middle < 300.0);
        assert_true(box->width == layout.panels[0].width && box->height == layout.panels[0].height);
        assert_int_equal(chart.panels[p].x.bare, p < 2);
        assert_int_equal(chart.panels[p].y.bare, p % 2);
    }
    assert_true(layout.panels[0].left + layout.panels[0].width < layout.panels[1].left);
    drop(&chart, &layout, script);
}

static void test_too_small(void **state)
{
    const double x[] = {0.0, 1.0};
    rs__chart chart;
    rs__layout layout;
    (void)state;
    harness_ok(rs__chart_make(&chart, 3, 3, &error), &error);
    line(&chart, 0, 2, x, x, NULL);
    chart.width = chart.height = 60.0;
    harness_ok(rs__axes_range(&chart, &error), &error);
    assert_int_equal(rs__layout_make(&chart, 8.0, &layout, &error), RS_USAGE);
    assert_non_null(strstr(error.text, "--size"));
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
    harness_ok(rs__chart_make(&chart, 1, 1, &error), &error);
    line(&chart, 0, 6, x, y, "a");
    harness_ok(rs__panel_add(&chart.panels[0], &band, &error), &error);
    finish(&chart, &layout, &script);
    block_of(script, 0, block, sizeof block);
    assert_string_equal(block, "2 1|3 2|-|5 3|-");
    block_of(script, 1, block, sizeof block);
    assert_string_equal(block, "5 3");
    block_of(script, 2, block, sizeof block);
    assert_string_equal(block, "1 0 2|2 1 2|-|4 1 2|5 1 2|-");
    drop(&chart, &layout, script);
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
    line(&chart, 0, 3, x, y, "a");
    harness_ok(rs__panel_add(&chart.panels[0], &band, &error), &error);
    finish(&chart, &layout, &script);
    block_of(script, 0, block, sizeof block);
    assert_string_equal(block, "1 10|-|3 1000");
    block_of(script, 2, block, sizeof block);
    (void)snprintf(want, sizeof want, "1 %.9g 20|", chart.panels[0].y.low);
    assert_true(chart.panels[0].y.low > 0.0 && strncmp(block, want, strlen(want)) == 0);
    drop(&chart, &layout, script);
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
    harness_ok(rs__chart_make(&chart, 1, 1, &error), &error);
    line(&chart, 0, MANY, x, y, "a");
    harness_ok(rs__panel_add(&chart.panels[0], &band, &error), &error);
    finish(&chart, &layout, &script);
    for (int k = 0; k < 2; k++) {
        const rs__series *s = &chart.panels[0].series[k];
        double most = 0.0;
        assert_in_range(s->count, 200, 4000);
        for (int64_t i = 0; i < s->count; i++) {
            most = fmax(most, k ? s->high[i] : s->y[i]);
        }
        assert_true(most == 9.0);
        assert_true(s->x[0] == 0.0 && s->x[s->count - 1] == MANY - 1);
    }
    drop(&chart, &layout, script);
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
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_where_ranges_begin),
        cmocka_unit_test(test_crowded_axes),
        cmocka_unit_test(test_long_numbers_of_colours),
        cmocka_unit_test(test_log_and_single),
        cmocka_unit_test(test_ticks),
        cmocka_unit_test(test_flat),
        cmocka_unit_test(test_long_texts),
        cmocka_unit_test(test_lines_of_labels),
        cmocka_unit_test(test_rooms_of_texts),
        cmocka_unit_test(test_lines_of_titles),
        cmocka_unit_test(test_layout),
        cmocka_unit_test(test_too_small),
        cmocka_unit_test(test_gaps),
        cmocka_unit_test(test_log_gaps),
        cmocka_unit_test(test_thin),
        cmocka_unit_test(test_quote),
        cmocka_unit_test(test_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
