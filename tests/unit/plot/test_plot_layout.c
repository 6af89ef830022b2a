/* test_plot_layout.c: where panels and texts of a chart lie on the paper. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "axes.h"
#include "chart_tools.h"
#include "harness.h"
#include "layout.h"
#include "rs/host.h"
#include "script.h"

static rs_error error;

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
    assert_int_equal(rs__line_count("one two three", 10.0, 1.0, 4), 3);
    assert_int_equal(rs__first_line("layer1.0.conv2.weight", 8.0, rs__text_width("layer1.0.con", 8.0)), 9);
    assert_int_equal(rs__line_count("layer1.0.conv2.weight", 8.0, rs__text_width("layer1.0.con", 8.0), 4), 3);
    assert_int_equal(rs__line_count("one two three", 10.0, 1.0, 2), 2);
    const double even = rs__even_room("one two six ten", 10.0, rs__text_width("one two six", 10.0) + 1.0, 4);
    assert_int_equal(rs__first_line("one two six ten", 10.0, even),
                     7); /* and not 11, of which one word is left */
    assert_true(rs__even_room("a longer-word b", 10.0, 30.0, 4) == 30.0 &&
                rs__even_room("a", 10.0, 30.0, 4) <= 30.0);
    assert_int_equal(rs__line_count(NULL, 10.0, 1.0, 4), 0);
    harness_ok(rs__chart_make(&chart, 3, 1, &error), &error);
    chart_line(&chart, 0, 2, x, x, "a");
    chart_line(&chart, 1, 2, x, x, "b");
    chart_line(&chart, 2, 2, x, x, "c");
    chart.panels[0].x.log = true;
    harness_ok(
        rs__chart_text(&chart.panels[1].y.label, &error, "distance to the initial state, for each weight"),
        &error);
    chart_finish(&chart, &layout, &script);
    assert_non_null(strstr(script, "set label 'distance to"));
    assert_non_null(strstr(script, "weight' at screen"));
    assert_null(strstr(script, "…"));
    for (int i = 0; i < chart.panels[0].x.tick_count; i++) {
        for (int k = 0; k < i; k++) {
            assert_true(chart.panels[0].x.ticks[i].at > chart.panels[0].x.ticks[k].at);
        }
    }
    chart_drop(&chart, &layout, script);
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
        chart_line(&chart, i, 2, x, x, "a key");
        harness_ok(rs__chart_text(&chart.panels[i].y.label, &error, "a label"), &error);
    }
    chart.share_y = true;
    chart_finish(&chart, &layout, &script);
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
    chart_drop(&chart, &layout, script);
}

/* A panel's title ends over the bar of colours at the latest. */
static void test_room_beside_the_bar(void **state)
{
    const double x[] = {1.0, 2.0};
    rs__chart chart;
    rs__layout layout;
    char *script;
    (void)state;
    chart_single(&chart, 2, x, x, NULL);
    chart.bar = (rs__bar){.shown = true, .low = 0.0, .high = 1.0};
    harness_ok(rs__chart_text(&chart.bar.label, &error, "block"), &error);
    chart_finish(&chart, &layout, &script);
    const double middle = layout.panels[0].left + layout.panels[0].width / 2.0;
    assert_true(layout.room_x[0] >= layout.panels[0].width);
    assert_true(middle + layout.room_x[0] / 2.0 <= layout.bar.left + layout.bar.width);
    chart_drop(&chart, &layout, script);
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
        chart_line(&chart, i, 2, x, x, i % 2 ? "short" : key);
        harness_ok(i < 2 ? rs__chart_text(&chart.panels[i].title, &error, "%s", networks[i]) : RS_OK, &error);
    }
    chart_finish(&chart, &layout, &script);
    assert_null(strstr(script, "…"));
    const double first = down_to(script, &layout, "a residual network of blocks"),
                 second = down_to(script, &layout, "3,4,6,3 without shortcuts");
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
    chart_drop(&chart, &layout, script);
}

/* How many lines a title takes is known when there are columns: one that has room in a wide panel is no longer taken for two. */
static void test_lines_after_columns(void **state)
{
    enum { MOST = 200 };
    const double x[] = {1.0, 2.0}, font = 8.0;
    char title[MOST] = "a title";
    rs__chart chart;
    rs__layout layout;
    char *script;
    (void)state;
    while (rs__text_width(title, font) <
           0.8 * 400.0) { /* before there are columns it is given 0.75 of the width */
        (void)strncat(title, " so", sizeof title - strlen(title) - 1);
    }
    chart_single(&chart, 2, x, x, NULL);
    harness_ok(rs__chart_text(&chart.panels[0].title, &error, "%s", title), &error);
    chart_finish(&chart, &layout, &script);
    assert_int_equal(rs__line_count(title, font, layout.room_x[0], 4), 1);
    assert_true(layout.panels[0].top < 3.0 * font); /* edge and one line */
    chart_drop(&chart, &layout, script);
}

/* A long heading has several lines; the panels begin below the last. */
static void test_long_headings(void **state)
{
    const double x[] = {1.0, 2.0}, font = 8.0;
    double tops[2], strips[2];
    (void)state;
    for (int i = 0; i < 2; i++) {
        rs__chart chart;
        rs__layout layout;
        char *script;
        chart_single(&chart, 2, x, x, NULL);
        harness_ok(
            rs__chart_text(&chart.title, &error, "first%s last",
                           i ? " of so many words that one line of a picture of this width has no room "
                               "for them all, and two have none either, as this heading goes on and on: "
                               "they need three, by some good measure, of"
                             : ""),
            &error);
        chart_finish(&chart, &layout, &script);
        assert_int_equal(layout.title_lines, i ? 3 : 1);
        strips[i] = layout.title;
        tops[i] = layout.panels[0].top;
        const char *last = strstr(script, "last' at screen ");
        double left, up;
        assert_non_null(last);
        assert_int_equal(sscanf(last, "last' at screen %lf,%lf", &left, &up), 2);
        assert_true((1.0 - up) * layout.height + font / 2.0 < tops[i]);
        chart_drop(&chart, &layout, script);
    }
    assert_true(fabs(strips[1] - strips[0] - 2.0 * RS__LINE_HEIGHT * font) < 1e-9);
    assert_true(fabs(tops[1] - tops[0] - 2.0 * RS__LINE_HEIGHT * font) < 1e-9);
}

/* A raised power counts with its number: beside the colours, where the label stands behind both, and along an axis. */
static void test_width_of_powers(void **state)
{
    const double x[] = {0.0, 10.0}, font = 8.0;
    (void)state;
    for (int power = 0; power < 2; power++) {
        rs__chart chart;
        rs__layout layout;
        char *script, text[16];
        chart_single(&chart, 2, x, x, NULL);
        chart.panels[0].x.tight = true;
        chart.width = 400.0; /* about 34 points from number to number, of 23 and, with a power, of some 40 */
        for (int k = 0; k <= 10; k++) {
            (void)snprintf(text, sizeof text, "%d.25", k % 10);
            harness_ok(rs__axis_tick(&chart.panels[0].x, k, text, power ? "-1234" : NULL, &error), &error);
        }
        chart.bar =
            (rs__bar){.shown = true, .log = true, .low = power ? 1e-5 : 2.0, .high = power ? 1.0 : 20.0};
        harness_ok(rs__chart_text(&chart.bar.label, &error, "share"), &error);
        chart_finish(&chart, &layout, &script);
        const char *label = strstr(script, "set label 'share' at screen ");
        double place;
        assert_non_null(label);
        assert_int_equal(sscanf(label, "set label 'share' at screen %lf", &place), 1);
        const double numbers = power ? rs__text_width("10", font) + rs__text_width("-5", 0.8 * font)
                                     : rs__text_width("10", font);
        assert_true(fabs(place * layout.width - layout.bar.left - layout.bar.width - 1.2 * font - numbers) <
                    0.01);
        assert_non_null(strstr(script, "set label '0.25"));
        assert_true((strstr(script, "set label '1.25") == NULL) == (power == 1));
        chart_drop(&chart, &layout, script);
    }
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
        chart_line(&chart, i, 2, x, x, NULL);
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
    chart_finish(&chart, &layout, &script);
    assert_non_null(strstr(script, "'none'"));
    assert_null(strstr(script, "'1 hundred'"));
    assert_non_null(strstr(script, "set label 'triangle' at screen "));
    assert_null(strstr(script, "…"));
    assert_true(down_to(script, &layout, "training") <= layout.height - 4.0);
    assert_true(down_to(script, &layout, "training") >
                layout.panels[3].top + layout.panels[3].height + 2.0 * 8.0);
    chart_drop(&chart, &layout, script);
}

/* Rather than nothing a small picture has texts of one line, cut. */
static void test_lines_of_small_pictures(void **state)
{
    const double x[] = {1.0, 2.0};
    const rs__paper paper = {.format = RS__SVG};
    rs__chart chart;
    rs__layout layout;
    char *script;
    (void)state;
    harness_ok(rs__chart_make(&chart, 1, 2, &error), &error);
    chart_line(&chart, 0, 2, x, x,
               "the label of a line that is far too long for the key of such a small picture as this one");
    chart_line(&chart, 1, 2, x, x, "b");
    harness_ok(rs__chart_text(&chart.panels[0].title, &error, "a title of six words or more"), &error);
    chart.width = 150.0;
    chart.height = 90.0;
    harness_ok(rs__axes_range(&chart, &error), &error);
    harness_ok(rs__axes_tick(&chart, 2, 2, &error), &error);
    harness_ok(rs__layout_make(&chart, 8.0, &layout, &error), &error);
    harness_ok(rs__script_write(&chart, &layout, &chart_palettes, &paper, &script, &error), &error);
    assert_int_equal(chart.lines, 1);
    assert_non_null(strstr(script, "…' at screen"));
    chart_drop(&chart, &layout, script);
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
        chart_single(&chart, 2, x, x, NULL);
        chart.bar = (rs__bar){.shown = true, .low = i ? 1.0 : 1.1e33, .high = i ? 4.0 : 4e33, .whole = i};
        harness_ok(rs__chart_text(&chart.bar.label, &error, "distance"), &error);
        chart_finish(&chart, &layout, &script);
        const char *label = strstr(script, "set label 'distance' at screen ");
        assert_non_null(label);
        assert_int_equal(sscanf(label, "set label 'distance' at screen %lf", &places[i]), 1);
        assert_true(places[i] * layout.width < layout.width - 4.0);
        places[i] = layout.bar.left;
        chart_drop(&chart, &layout, script);
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
    chart_line(&chart, 0, 2, x, x, name);
    chart_line(&chart, 1, 2, x, x, "b");
    harness_ok(rs__chart_text(&chart.panels[0].title, &error, "%s", name), &error);
    chart_finish(&chart, &layout, &script);
    int found = 0; /* in the key, and as a title */
    for (const char *at = script; (at = strstr(at, "set label 'öab")); found++) {
        const char *end = strstr(at, "…' at screen");
        assert_true(end && end - at < 200);
        assert_true(end[-1] == 'a' || end[-1] == 'b' || end[-1] == '\xb6');
        at = end;
    }
    assert_int_equal(found, 2);
    chart_drop(&chart, &layout, script);
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
        chart_line(&chart, p, 2, x, y, label);
        harness_ok(rs__chart_text(&chart.panels[p].x.label, &error, "step"), &error);
    }
    chart.share_x = chart.share_y = true;
    chart_finish(&chart, &layout, &script);
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
    chart_drop(&chart, &layout, script);
}

static void test_too_small(void **state)
{
    const double x[] = {0.0, 1.0};
    rs__chart chart;
    rs__layout layout;
    (void)state;
    harness_ok(rs__chart_make(&chart, 3, 3, &error), &error);
    chart_line(&chart, 0, 2, x, x, NULL);
    chart.width = chart.height = 60.0;
    harness_ok(rs__axes_range(&chart, &error), &error);
    assert_int_equal(rs__layout_make(&chart, 8.0, &layout, &error), RS_USAGE);
    assert_non_null(strstr(error.text, "--size"));
    rs__chart_clear(&chart);
}
int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines_of_labels),
        cmocka_unit_test(test_rooms_of_texts),
        cmocka_unit_test(test_room_beside_the_bar),
        cmocka_unit_test(test_lines_of_titles),
        cmocka_unit_test(test_lines_after_columns),
        cmocka_unit_test(test_long_headings),
        cmocka_unit_test(test_width_of_powers),
        cmocka_unit_test(test_crowded_axes),
        cmocka_unit_test(test_lines_of_small_pictures),
        cmocka_unit_test(test_long_numbers_of_colours),
        cmocka_unit_test(test_long_texts),
        cmocka_unit_test(test_layout),
        cmocka_unit_test(test_too_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
