/* test_progress.c: what the display says: in a log, on a terminal, quietly; with a clock of our own. */
#include "config_test.h"

#include <math.h>
#include <pty.h>
#include <stdlib.h>
#include <unistd.h>

#include "progress.h"
#include "rs/host.h"

static double now;

static double test_clock(void)
{
    return now;
}

static double accuracy_unit = 1.0; /* NaN: numbers instead of classes */

/* `epochs` epochs of 4 steps of 100 images; a step takes `seconds`, validation 5 s. */
static void pretend_training(rs_progress *progress, int64_t epochs, double seconds)
{
    rs_observer observer = rs_progress_observer(progress);
    rs_error error = {0};
    for (int64_t epoch = 0; epoch < epochs; epoch++) {
        for (int64_t batch = 0; batch < 4; batch++) {
            now += seconds;
            rs_step_row step = {.step = 4 * epoch + batch,
                                .epoch = epoch,
                                .batch = batch,
                                .batches = 4,
                                .samples = 100,
                                .loss = 2.0 - 0.1 * (double)batch,
                                .accuracy = accuracy_unit * 0.25 * (double)batch};
            assert_int_equal(observer.step(observer.context, &step, &error), RS_OK);
        }
        now += 5.0;
        rs_epoch_row row = {.epoch = epoch,
                            .train_loss = 1.85,
                            .train_accuracy = accuracy_unit * 0.375,
                            .valid_loss = 12345.678,
                            .valid_accuracy = accuracy_unit * 0.5,
                            .train_seconds = 4.0 * seconds,
                            .valid_seconds = 4.5,
                            .record_seconds = 0.5};
        assert_int_equal(observer.epoch(observer.context, &row, &error), RS_OK);
    }
}

static rs_config training_for(int64_t epochs, bool quiet)
{
    rs_config c;
    rs_config_default(&c);
    c.epochs = epochs;
    c.quiet = quiet;
    return c;
}

/* What is said into a stream that is no terminal; freed by the caller. */
static char *logged(int64_t epochs, bool quiet, double seconds)
{
    char *text = NULL;
    size_t length = 0;
    rs_progress *progress = NULL;
    rs_config c = training_for(epochs, quiet);
    FILE *stream = open_memstream(&text, &length);
    assert_non_null(stream);
    ASSERT_TAKEN(rs_progress_create(stream, &c, 400, &progress, &error));
    pretend_training(progress, epochs, seconds);
    rs_progress_destroy(progress);
    assert_int_equal(fclose(stream), 0);
    return text;
}

static int count_lines(const char *text)
{
    int lines = 0;
    for (; *text; text++) {
        lines += *text == '\n';
    }
    return lines;
}

/* Steps of 20 s: lines when 30 s have passed since the last one. */
static void a_log_gets_a_line_at_intervals_and_one_per_epoch(void **state)
{
    (void)state;
    char *text = logged(2, false, 20.0);
    assert_string_equal(text,
                        "epoch 1/2  2/4  loss 1.9500  acc 0.125  5.0 images/s  left 2m00s\n"
                        "epoch 1/2  4/4  loss 1.8500  acc 0.375  5.0 images/s  left 1m20s\n"
                        "epoch 1/2  train loss 1.8500 acc 0.3750  valid loss 1.235e+04 acc 0.5000  85.0 s\n"
                        "epoch 2/2  2/4  loss 1.9500  acc 0.125  5.0 images/s  left 45 s\n"
                        "epoch 2/2  4/4  loss 1.8500  acc 0.375  5.0 images/s  left 5 s\n"
                        "epoch 2/2  train loss 1.8500 acc 0.3750  valid loss 1.235e+04 acc 0.5000  85.0 s\n");
    free(text);
    text = logged(3, false, 0.01);
    assert_int_equal(count_lines(text), 3);
    free(text);
}

static void numbers_have_no_accuracy(void **state)
{
    (void)state;
    accuracy_unit = (double)NAN;
    char *text = logged(1, false, 20.0);
    accuracy_unit = 1.0;
    assert_string_equal(text, "epoch 1/1  2/4  loss 1.9500  5.0 samples/s  left 40 s\n"
                              "epoch 1/1  4/4  loss 1.8500  5.0 samples/s  left 0 s\n"
                              "epoch 1/1  train loss 1.8500  valid loss 1.235e+04  85.0 s\n");
    free(text);
}

/* Validation takes 5 s by our clock, so runs of many epochs are thinned with a clock that stands still. */
static double slow_clock(void)
{
    return now / 500.0;
}

static void many_short_epochs_do_not_flood_a_log(void **state)
{
    (void)state;
    rs_set_clock(slow_clock);
    char *text = logged(1000, false, 0.0); /* 10 s in all */
    rs_set_clock(test_clock);
    assert_in_range(count_lines(text), 8, 12);
    assert_non_null(strstr(text, "epoch 1000/1000  train"));
    free(text);
}

static void quiet_says_nothing(void **state)
{
    (void)state;
    char *text = logged(2, true, 60.0);
    assert_string_equal(text, "");
    free(text);
}

/* What a terminal of 40 columns gets. */
static void show_on_terminal(char *text, size_t capacity)
{
    int ours, theirs;
    struct winsize size = {.ws_row = 10, .ws_col = 40};
    rs_progress *progress = NULL;
    rs_config c = training_for(1, false);
    struct termios raw = {0};
    cfmakeraw(&raw);
    if (openpty(&ours, &theirs, NULL, &raw, &size) != 0) {
        print_message("skipped: this machine has no pseudo-terminals (/dev/pts)\n");
        skip();
    }
    FILE *stream = fdopen(theirs, "w");
    assert_non_null(stream);
    ASSERT_TAKEN(rs_progress_create(stream, &c, 400, &progress, &error));
    rs_observer observer = rs_progress_observer(progress);
    rs_error error = {0};
    now += 1.0;
    rs_step_row step = {.batches = 4, .samples = 100, .loss = 2.0, .accuracy = 0.25};
    assert_int_equal(observer.step(observer.context, &step, &error), RS_OK);
    rs_log(RS_LOG_WARNING, "disk nearly full");
    now += 0.01; /* too soon for another line */
    assert_int_equal(observer.step(observer.context, &step, &error), RS_OK);
    rs_progress_destroy(progress);
    assert_int_equal(fclose(stream), 0);
    size_t length = 0; /* it may come in pieces; an error says that the other end is closed */
    ssize_t got;
    while (length < capacity - 1 && (got = read(ours, text + length, capacity - 1 - length)) > 0) {
        length += (size_t)got;
    }
    text[length] = '\0';
    (void)close(ours);
}

static void a_terminal_gets_one_line_that_rewrites_itself(void **state)
{
    (void)state;
    char text[1024];
    assert_int_equal(setenv("TERM", "xterm", 1), 0);
    show_on_terminal(text, sizeof text);
    assert_string_equal(text, "\repoch 1/1  1/4  loss 2.0000  acc 0.250 \033[K" /* 39 columns */
                              "\r\033[Kresnet_study: warning: disk nearly full\n"
                              "\repoch 1/1  1/4  loss 2.0000  acc 0.250 \033[K"
                              "\r\033[K");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_log_gets_a_line_at_intervals_and_one_per_epoch),
        cmocka_unit_test(numbers_have_no_accuracy),
        cmocka_unit_test(many_short_epochs_do_not_flood_a_log),
        cmocka_unit_test(quiet_says_nothing),
        cmocka_unit_test(a_terminal_gets_one_line_that_rewrites_itself),
    };
    rs_set_clock(test_clock);
    return cmocka_run_group_tests_name("progress", tests, NULL, NULL);
}
