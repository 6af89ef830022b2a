/* watch_print.c: a frame as lines of text: what fits the terminal, blocks side by side where there are many. See watch.h. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "rs/text.h"
#include "watch.h"

enum {
    NUMBER = 4,
    VALUE = 10,
    GAP = 2,
    LEAST_SPARK = 8,
    MOST_SPARK = 40,
    MOST_NAME = 20,
    LEAST_BLOCK_ROWS = 3
};

static const char *const split_names[] = {"training", "validation", "test"};

/* --- sparklines ------------------------------------------------------------------------------------------- */

static void find_range(const rs__samples *samples, double *low, double *high)
{
    *high = -INFINITY;
    bool seek = isnan(*low);
    *low = seek ? INFINITY : *low;
    for (int i = 0; i < samples->count; i++) {
        if (isfinite(samples->value[i])) {
            *low = seek && samples->value[i] < *low ? samples->value[i] : *low;
            *high = samples->value[i] > *high ? samples->value[i] : *high;
        }
    }
}

void rs__spark_print(const rs__samples *samples, int width, double low, bool unicode, FILE *stream)
{
    static const char *const bars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    static const char *const marks[] = {"_", ".", "-", "~", "=", "+", "*", "#"};
    enum { LEVELS = 8 };
    const int shown = samples->count < width ? samples->count : width;
    double high;
    find_range(samples, &low, &high);
    for (int i = 0; i < shown; i++) {
        const int from =
            shown > 1 ? (i * (samples->count - 1) + (shown - 1) / 2) / (shown - 1) : samples->count - 1;
        const double value = samples->value[from];
        if (!isfinite(value)) {
            (void)fputc('?', stream);
            continue;
        }
        const double share = high > low ? (value - low) / (high - low) : 0.0;
        const int level = share <= 0.0 ? 0 : share >= 1.0 ? LEVELS - 1 : (int)(share * LEVELS);
        (void)fputs((unicode ? bars : marks)[level], stream);
    }
    (void)fprintf(stream, "%*s", width - shown, "");
}

/* --- text -------------------------------------------------------------------------------------------------- */

static bool continues(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

/* A name padded or cut to `width` characters; in ASCII other characters become '?'. */
static void print_name(const char *name, int width, bool unicode, FILE *stream)
{
    int used = 0;
    for (const char *at = name; *at && used < width; used++) {
        if ((unsigned char)*at < 0x80 || unicode) {
            (void)fputc(*at, stream);
        } else {
            (void)fputc('?', stream);
        }
        for (at++; continues(*at); at++) {
            if (unicode) {
                (void)fputc(*at, stream);
            }
        }
    }
    (void)fprintf(stream, "%*s", width - used, "");
}

static int name_length(const char *name)
{
    int length = 0;
    for (; *name; name++) {
        length += !continues(*name);
    }
    return length;
}

static void print_rate(double rate, const char *unit, FILE *stream)
{
    if (rate > 0.0 && isfinite(rate)) {
        (void)fprintf(stream, rate < 10.0 ? "  %.2f %s" : "  %.0f %s", rate, unit);
    }
}

static void print_scores(double loss, double accuracy, FILE *stream)
{
    (void)fprintf(stream, "loss %-10.6g", rs_text_plain(loss));
    if (!isnan(accuracy)) {
        (void)fprintf(stream, " accuracy %.4f", accuracy);
    }
}

/* Of numbers that are predicted. */
static void print_fit(double error, double r_squared, const char *format, FILE *stream)
{
    if (!isnan(error)) {
        (void)fprintf(stream, format, error);
    }
    if (!isnan(r_squared)) {
        (void)fprintf(stream, " R2 %.4f", r_squared);
    }
}

/* --- the frame --------------------------------------------------------------------------------------------- */

static void print_head(const rs__frame *frame, const char *path, double age, FILE *stream)
{
    const rs_position *at = &frame->summary.committed;
    char left[32], since[32];
    rs_text_duration(age, since, sizeof since);
    (void)fprintf(stream, "%s  %s  %s\n", path, frame->network, frame->summary.state);
    (void)fprintf(stream, "epoch %" PRId64 "/%" PRId64 "  step %" PRId64, at->epochs, frame->planned_epochs,
                  at->steps);
    print_rate(frame->samples_per_second, frame->rate_unit, stream);
    print_rate(frame->steps_per_second, "steps/s", stream);
    if (frame->summary.writer_mark) {
        rs_text_duration(rs__frame_seconds_left(frame, age), left, sizeof left);
        (void)fprintf(stream, "  left about %s  last commit %s ago", left, since);
    }
    (void)fputc('\n', stream);
}

static void print_losses(const rs__frame *frame, bool unicode, FILE *stream)
{
    enum { LOSS_SPARK = 30 };
    if (frame->summary.committed.steps > 0) {
        (void)fputs("last step   ", stream);
        print_scores(frame->step_loss, frame->step_accuracy, stream);
        (void)fprintf(stream, "  rate %.4g  gradient norm %.4g\n", frame->learning_rate,
                      rs_text_plain(frame->gradient_norm));
    }
    if (frame->summary.committed.epochs == 0) {
        return;
    }
    for (int s = 0; s < (frame->test_differs ? 3 : 2); s++) {
        (void)fprintf(stream, "%-11s ", split_names[s]);
        print_scores(frame->loss[s], frame->accuracy[s], stream);
        print_fit(frame->error[s], frame->r_squared[s], " mean error %.4g", stream);
        if (s < 2 && frame->losses[s].count > 1) {
            (void)fputs("  ", stream);
            rs__spark_print(&frame->losses[s], LOSS_SPARK, NAN, unicode, stream);
        }
        (void)fputc('\n', stream);
    }
}

/* Blocks stand in columns of `rows`. */
typedef struct grid {
    int64_t rows, columns, shown;
    int name, spark;
} grid;

static grid plan_grid(const rs__frame *frame, const rs__view *view, int64_t rows)
{
    grid g = {.rows = rows};
    for (int64_t b = 0; b < frame->block_count; b++) {
        const int length = name_length(frame->blocks[b].name);
        g.name = length > g.name ? length : g.name;
    }
    g.name = g.name > MOST_NAME ? MOST_NAME : g.name;
    const int least = NUMBER + 1 + g.name + 1 + LEAST_SPARK + VALUE;
    const int64_t most = (view->columns + GAP) / (least + GAP);
    g.columns = (frame->block_count + rows - 1) / rows;
    g.columns = g.columns > most ? most : g.columns;
    g.columns = g.columns < 1 ? 1 : g.columns;
    const int64_t cell = (view->columns + GAP) / g.columns - GAP;
    g.spark = (int)cell - (least - LEAST_SPARK);
    g.spark = g.spark > MOST_SPARK ? MOST_SPARK : g.spark < 1 ? 1 : g.spark;
    g.shown = g.rows * g.columns < frame->block_count ? (g.rows - 1) * g.columns : frame->block_count;
    g.rows = (g.shown + g.columns - 1) / g.columns;
    return g;
}

static void print_block(const rs__frame *frame, int64_t b, const grid *g, bool unicode, FILE *stream)
{
    const rs__samples *distance = &frame->blocks[b].distance;
    (void)fprintf(stream, "%*" PRId64 " ", NUMBER, b + 1);
    print_name(frame->blocks[b].name, g->name, unicode, stream);
    (void)fputc(' ', stream);
    rs__spark_print(distance, g->spark, 0.0, unicode, stream);
    if (distance->count > 0) {
        (void)fprintf(stream, "%*.4g", VALUE, rs_text_plain(distance->value[distance->count - 1]));
    }
}

static void print_blocks(const rs__frame *frame, const rs__view *view, int64_t rows, FILE *stream)
{
    if (frame->block_count == 0 || rows < 1) {
        return;
    }
    (void)fprintf(stream, "distance of each block to its initial state, %s, over %" PRId64 " steps\n",
                  frame->metric, frame->summary.committed.steps);
    const grid g = plan_grid(frame, view, rows - 1);
    for (int64_t row = 0; row < g.rows; row++) {
        for (int64_t b = row; b < g.shown; b += g.rows) {
            (void)fprintf(stream, "%*s", b == row ? 0 : GAP, "");
            print_block(frame, b, &g, view->unicode, stream);
        }
        (void)fputc('\n', stream);
    }
    if (g.shown < frame->block_count) {
        (void)fprintf(stream, "and %" PRId64 " more blocks: a larger terminal shows them\n",
                      frame->block_count - g.shown);
    }
}

/* Lines above the blocks. */
static int64_t lines_above(const rs__frame *frame)
{
    const rs_position *at = &frame->summary.committed;
    return 2 + (at->steps > 0) + (at->epochs > 0 ? 2 + frame->test_differs : 0);
}

void rs__frame_print(const rs__frame *frame, const char *path, double age, const rs__view *view, FILE *stream)
{
    int64_t rows = view->rows - lines_above(frame);
    print_head(frame, path, age, stream);
    print_losses(frame, view->unicode, stream);
    if (rows >= LEAST_BLOCK_ROWS) {
        print_blocks(frame, view, rows, stream);
    }
}

void rs__moment_print(const rs__moment *moment, const rs__frame *frame, double age, FILE *stream)
{
    char left[32];
    (void)fprintf(stream, "epoch %" PRId64 "/%" PRId64 "  step %" PRId64, moment->epochs,
                  frame->planned_epochs, moment->steps);
    for (int s = 0; s < (moment->test_differs ? 3 : 2) && !isnan(moment->loss[0]); s++) {
        static const char *const short_names[] = {"train", "valid", "test"};
        (void)fprintf(stream, "  %s loss %.4f", short_names[s], moment->loss[s]);
        if (!isnan(moment->accuracy[s])) {
            (void)fprintf(stream, " acc %.4f", moment->accuracy[s]);
        }
        print_fit(moment->error[s], moment->r_squared[s], " mae %.4g", stream);
    }
    print_rate(moment->samples_per_second, frame->rate_unit, stream);
    if (frame->summary.writer_mark) {
        rs_text_duration(rs__frame_seconds_left(frame, age), left, sizeof left);
        (void)fprintf(stream, "  left about %s", left);
    }
    (void)fputc('\n', stream);
}
