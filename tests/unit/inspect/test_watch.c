/* test_watch.c: what `info --watch` shows of a frame: sparklines, what fits the terminal, time left. */
#include <setjmp.h> /* cmocka.h needs these four first */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rs/host.h"
#include "watch.h"

enum { MANY = 1000 };

static rs__watched_block blocks[MANY];
static rs__frame frame;
static char *text;

static void set_frame(int64_t block_count, int64_t epochs)
{
    frame = (rs__frame){.network = "resnet68-plain on cifar10",
                        .rate_unit = "images/s",
                        .planned_epochs = 5,
                        .steps_per_epoch = 10.0,
                        .epoch_seconds = epochs ? 60.0 : NAN,
                        .samples_per_second = epochs ? 812.0 : NAN,
                        .steps_per_second = epochs ? 0.8125 : NAN,
                        .learning_rate = 1e-3,
                        .gradient_norm = 2.5,
                        .step_loss = 1.5,
                        .step_accuracy = 0.25,
                        .loss = {1.25, 1.75, 1.75},
                        .accuracy = {0.5, 0.25, 0.25},
                        .error = {NAN, NAN, NAN},
                        .r_squared = {NAN, NAN, NAN},
                        .losses = {{.count = 2, .value = {2.0, 1.25}}, {.count = 2, .value = {2.0, 1.75}}},
                        .metric = "minkowski:1",
                        .block_count = block_count,
                        .blocks = blocks,
                        .summary = {.state = "running",
                                    .committed = {.epochs = epochs, .steps = 10 * epochs + 4, .batches = 4},
                                    .commits = epochs + 1,
                                    .writer_mark = true,
                                    .writer_lives = true}};
    for (int b = 0; b < MANY; b++) {
        (void)snprintf(blocks[b].name, sizeof blocks[b].name, "layer3.%d", b);
        blocks[b].distance.count = RS__SPARK;
        for (int i = 0; i < RS__SPARK; i++) {
            blocks[b].distance.value[i] = i * (b + 1.0);
        }
    }
}

/* The frame as text; checks that no line is too long and that there are not too many. Returns how many. */
static int print(int columns, int rows, bool unicode)
{
    const rs__view view = {.columns = columns, .rows = rows, .unicode = unicode};
    size_t length;
    int lines = 0;
    free(text);
    FILE *stream = open_memstream(&text, &length);
    rs__frame_print(&frame, "run.h5", 2.0, &view, stream);
    assert_int_equal(fclose(stream), 0);
    for (const char *at = text; *at; lines++) {
        const char *end = strchr(at, '\n');
        assert_non_null(end);
        int width = 0;
        for (; at < end; at++) {
            width += ((unsigned char)*at & 0xc0) != 0x80;
            assert_true(unicode || (unsigned char)*at < 0x80);
        }
        if (strstr(text, "distance of") && at > strstr(text, "distance of")) {
            assert_true(width <= columns || columns < 80); /* lines above are cut by who draws */
        }
        at = end + 1;
    }
    assert_true(lines <= rows);
    return lines;
}

static void assert_says(const char *part)
{
    if (!strstr(text, part)) {
        fail_msg("\"%s\" is not in:\n%s", part, text);
    }
}

static void assert_says_not(const char *part)
{
    if (strstr(text, part)) {
        fail_msg("\"%s\" is in:\n%s", part, text);
    }
}

/* --- sparklines --- */

static const char *spark(const rs__samples *samples, int width, double low, bool unicode)
{
    size_t length;
    free(text);
    FILE *stream = open_memstream(&text, &length);
    rs__spark_print(samples, width, low, unicode, stream);
    assert_int_equal(fclose(stream), 0);
    return text;
}

static void test_spark(void **state)
{
    const rs__samples rising = {.count = 8, .value = {0, 1, 2, 3, 4, 5, 6, 7}};
    const rs__samples holes = {.count = 4, .value = {NAN, 1, INFINITY, 3}};
    const rs__samples flat = {.count = 3, .value = {5, 5, 5}}, none = {0}, one = {.count = 1, .value = {3}};
    const rs__samples all_nan = {.count = 2, .value = {NAN, NAN}};
    (void)state;
    assert_string_equal(spark(&rising, 8, NAN, true), "▁▂▃▄▅▆▇█");
    assert_string_equal(spark(&rising, 8, NAN, false), "_.-~=+*#");
    assert_string_equal(spark(&rising, 10, NAN, false), "_.-~=+*#  ");
    assert_string_equal(spark(&rising, 2, NAN, false), "_#"); /* the first and the last */
    assert_string_equal(spark(&rising, 1, NAN, false), "#");
    assert_string_equal(spark(&rising, 8, -9.0, false), "=++**###");
    assert_string_equal(spark(&holes, 4, 0.0, false), "?-?#");
    assert_string_equal(spark(&flat, 3, NAN, false), "___");
    assert_string_equal(spark(&flat, 3, 0.0, false), "###");
    assert_string_equal(spark(&none, 3, 0.0, false), "   ");
    assert_string_equal(spark(&one, 3, 0.0, false), "#  ");
    assert_string_equal(spark(&all_nan, 2, 0.0, true), "??");
}

/* --- the frame --- */

static void test_frame(void **state)
{
    (void)state;
    set_frame(2, 3);
    assert_int_equal(print(100, 22, false), 8);
    assert_says("run.h5  resnet68-plain on cifar10  running\n");
    assert_says("epoch 3/5  step 34  812 images/s  0.81 steps/s  left about 1m34s  last commit 2 s ago\n");
    assert_says("last step   loss 1.5        accuracy 0.2500  rate 0.001  gradient norm 2.5\n");
    assert_says("training    loss 1.25       accuracy 0.5000  #_ ");
    assert_says("distance of each block to its initial state, minkowski:1, over 34 steps\n");
    assert_says("   1 layer3.0 __");
    assert_says("#        63\n");
    assert_says_not("test ");
    assert_says_not("more blocks");
    frame.test_differs = true;
    assert_int_equal(print(100, 22, true), 9);
    assert_says("test        loss 1.75 ");
    assert_says(" ▁▁");
    assert_says("▇█████        63\n");
}

static void test_before_the_first_epoch(void **state)
{
    (void)state;
    set_frame(2, 0);
    assert_int_equal(print(100, 22, false), 6);
    assert_says("epoch 0/5  step 4  left about ?  last commit 2 s ago\n");
    frame.summary.committed = (rs_position){0};
    blocks[0].distance.count = blocks[1].distance.count = 0;
    assert_int_equal(print(100, 22, false), 5);
    assert_says_not("nan");
}

static void test_33_blocks(void **state)
{
    (void)state;
    set_frame(33, 3);
    assert_int_equal(print(100, 48, true), 6 + 33);
    assert_says("  33 layer3.32 ");
    assert_says_not("more blocks");
    assert_int_equal(print(120, 22, true), 6 + 11); /* three side by side, of equal height */
    assert_says("  33 layer3.32 ");
    assert_says_not("more blocks");
    assert_int_equal(print(79, 22, true), 22);
    assert_says("and 3 more blocks: a larger terminal shows them\n");
    assert_int_equal(print(40, 12, false), 12);
    assert_says("and 28 more blocks");
    print(20, 5, true); /* no room: nothing of the blocks */
    assert_says_not("distance of");
}

static void test_1000_blocks(void **state)
{
    (void)state;
    set_frame(MANY, 3);
    assert_int_equal(print(79, 22, true), 22);
    assert_says("and 970 more blocks");
    for (int rows = 5; rows < 60; rows++) {
        for (int columns = 10; columns < 400; columns += 13) {
            (void)print(columns, rows, rows % 2 == 0);
        }
    }
}

static void test_long_and_foreign_names(void **state)
{
    (void)state;
    set_frame(3, 3);
    memset(blocks[0].name, 'n', sizeof blocks[0].name - 1);
    (void)snprintf(blocks[1].name, sizeof blocks[1].name, "größe");
    blocks[2].distance.value[RS__SPARK - 1] = -NAN;
    (void)print(100, 22, true);
    assert_says("   1 nnnnnnnnnnnnnnnnnnnn ");
    assert_says("   2 größe                ");
    assert_says("       nan\n");
    (void)print(100, 22, false);
    assert_says("   2 gr??e                ");
}

static void test_no_distances(void **state)
{
    (void)state;
    set_frame(0, 3);
    assert_int_equal(print(100, 22, true), 5);
    assert_says_not("distance");
}

/* --- time left --- */

static void test_seconds_left(void **state)
{
    (void)state;
    set_frame(1, 3);
    assert_true(fabs(rs__frame_seconds_left(&frame, 0.0) - (2.0 - 0.4) * 60.0) < 1e-9);
    assert_true(fabs(rs__frame_seconds_left(&frame, 26.0) - 70.0) < 1e-9);
    assert_true(rs__frame_seconds_left(&frame, 1000.0) == 0.0);
    set_frame(1, 0);
    assert_true(isnan(rs__frame_seconds_left(&frame, 0.0)));
    set_frame(1, 3);
    frame.summary.committed.epochs = 5;
    frame.summary.committed.batches = 0;
    assert_true(rs__frame_seconds_left(&frame, 0.0) == 0.0);
}

static void test_plain_line(void **state)
{
    const rs__moment moment = {.epochs = 3,
                               .steps = 30,
                               .loss = {1.25, 1.75, 1.5},
                               .accuracy = {0.5, NAN, 0.25},
                               .error = {NAN, 0.125, NAN},
                               .r_squared = {NAN, -0.5, NAN},
                               .samples_per_second = 812.0};
    const rs__moment within = {.epochs = 3, .steps = 34, .batches = 4, .loss = {NAN, NAN, NAN}};
    size_t length;
    (void)state;
    set_frame(1, 3);
    free(text);
    FILE *stream = open_memstream(&text, &length);
    rs__moment_print(&moment, &frame, 26.0, stream);
    rs__moment_print(&within, &frame, 26.0, stream);
    assert_int_equal(fclose(stream), 0);
    assert_string_equal(
        text, "epoch 3/5  step 30  train loss 1.2500 acc 0.5000  valid loss 1.7500 mae 0.125 R2 -0.5000"
              "  812 images/s  left about 1m10s\n"
              "epoch 3/5  step 34  left about 1m10s\n");
}

static int end(void **state)
{
    (void)state;
    free(text);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spark),
        cmocka_unit_test(test_frame),
        cmocka_unit_test(test_before_the_first_epoch),
        cmocka_unit_test(test_33_blocks),
        cmocka_unit_test(test_1000_blocks),
        cmocka_unit_test(test_long_and_foreign_names),
        cmocka_unit_test(test_no_distances),
        cmocka_unit_test(test_seconds_left),
        cmocka_unit_test(test_plain_line),
    };
    return cmocka_run_group_tests(tests, NULL, end);
}
