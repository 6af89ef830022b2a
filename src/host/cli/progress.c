/* progress.c: shows how far a run is; see progress.h. */
#include "progress.h"

#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "rs/host.h"
#include "rs/text.h"

enum { LINE = 256, MANY_EPOCHS = 100 };
static const double redraw_seconds = 0.1, plain_seconds = 30.0, many_seconds = 1.0;

struct rs_progress {
    FILE *stream;
    bool quiet, terminal;
    int64_t epochs, images_per_epoch;
    double epoch_began, drawn,
        epoch_printed;            /* rs_seconds of: this epoch's start, last line, last epoch line */
    double overhead;              /* seconds an epoch takes beside its steps; of the last epoch */
    int64_t samples;              /* of this epoch, seen by this process */
    double loss_sum, correct_sum; /* over those samples */
    pthread_mutex_t mutex;        /* log messages come from other threads */
    char line[LINE];              /* on the terminal now; "" for none */
};

/* --- drawing ---------------------------------------------------------------------------------------------
 */

static int terminal_columns(FILE *stream)
{
    struct winsize size = {0};
    bool known = ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return known ? size.ws_col : 80;
}

/* Call with the mutex held. */
static void clear_line(rs_progress *p)
{
    if (*p->line) {
        (void)fputs("\r\033[K", p->stream);
        p->line[0] = '\0';
    }
}

static void draw_line(rs_progress *p, const char *text)
{
    (void)snprintf(p->line, sizeof p->line, "%.*s", terminal_columns(p->stream) - 1, text);
    (void)fprintf(p->stream, "\r%s\033[K", p->line);
    (void)fflush(p->stream);
}

static void print_line(rs_progress *p, const char *text)
{
    clear_line(p);
    (void)fprintf(p->stream, "%s\n", text);
    (void)fflush(p->stream);
}

/* The log sink while a terminal is shown: the message takes the line's place, the line is drawn anew below.
 */
static void print_log(void *context, rs_log_level level, const char *text)
{
    rs_progress *p = context;
    char line[LINE];
    pthread_mutex_lock(&p->mutex);
    (void)snprintf(line, sizeof line, "%s", p->line);
    clear_line(p);
    (void)fprintf(p->stream, "%s%s\n", rs_log_mark(level), text);
    if (*line) {
        draw_line(p, line);
    }
    pthread_mutex_unlock(&p->mutex);
}

/* --- what is said ----------------------------------------------------------------------------------------
 */

static void loss_text(double loss, char text[32])
{
    (void)snprintf(text, 32, fabs(loss) < 1e4 ? "%.4f" : "%.4g", rs_text_plain(loss));
}

/* "  acc 0.250", or nothing where there are numbers instead of classes. */
static void accuracy_text(const char *format, double accuracy, char text[32])
{
    text[0] = '\0';
    if (!isnan(accuracy)) {
        (void)snprintf(text, 32, format, accuracy);
    }
}

/* Seconds to the end of the run at this epoch's rate. */
static double seconds_left(const rs_progress *p, const rs_step_row *row, double rate)
{
    double images = (double)p->images_per_epoch;
    double rest = images * (1.0 - (double)(row->batch + 1) / (double)row->batches);
    double epochs = (double)(p->epochs - row->epoch - 1);
    return (rest + epochs * images) / rate + (epochs + 1.0) * p->overhead;
}

static void describe_step(const rs_progress *p, const rs_step_row *row, double now, char text[LINE])
{
    char left[32], loss[32], accuracy[32];
    double samples = (double)p->samples;
    double rate = samples / fmax(now - p->epoch_began, 1e-9);
    rs_text_duration(seconds_left(p, row, rate), left, sizeof left);
    loss_text(p->loss_sum / samples, loss);
    accuracy_text("  acc %.3f", p->correct_sum / samples, accuracy);
    (void)snprintf(text, LINE,
                   "epoch %" PRId64 "/%" PRId64 "  %" PRId64 "/%" PRId64 "  loss %s%s  %.*f %s/s  left %s",
                   row->epoch + 1, p->epochs, row->batch + 1, row->batches, loss, accuracy,
                   rate < 10.0 ? 1 : 0, rate, accuracy[0] ? "images" : "samples", left);
}

static void describe_epoch(const rs_progress *p, const rs_epoch_row *row, char text[LINE])
{
    char train[32], valid[32], train_accuracy[32], valid_accuracy[32];
    accuracy_text(" acc %.4f", row->train_accuracy, train_accuracy);
    accuracy_text(" acc %.4f", row->valid_accuracy, valid_accuracy);
    loss_text(row->train_loss, train);
    loss_text(row->valid_loss, valid);
    (void)snprintf(text, LINE, "epoch %" PRId64 "/%" PRId64 "  train loss %s%s  valid loss %s%s  %.1f s",
                   row->epoch + 1, p->epochs, train, train_accuracy, valid, valid_accuracy,
                   row->train_seconds + row->valid_seconds + row->record_seconds);
}

/* --- observing -------------------------------------------------------------------------------------------
 */

static rs_status on_step(void *context, const rs_step_row *row, rs_error *error)
{
    (void)error;
    rs_progress *p = context;
    double now = rs_seconds();
    p->samples += row->samples;
    p->loss_sum += row->loss * (double)row->samples;
    p->correct_sum += row->accuracy * (double)row->samples;
    bool last = row->batch + 1 == row->batches && p->epochs <= MANY_EPOCHS;
    bool due = now - p->drawn >= (p->terminal ? redraw_seconds : plain_seconds) || (p->terminal && last);
    if (p->quiet || !due) {
        return RS_OK;
    }
    char text[LINE];
    describe_step(p, row, now, text);
    pthread_mutex_lock(&p->mutex);
    if (p->terminal) {
        draw_line(p, text);
    } else {
        print_line(p, text);
    }
    p->drawn = now;
    pthread_mutex_unlock(&p->mutex);
    return RS_OK;
}

static rs_status on_epoch(void *context, const rs_epoch_row *row, rs_error *error)
{
    (void)error;
    rs_progress *p = context;
    double now = rs_seconds();
    bool last = row->epoch + 1 >= p->epochs;
    bool due = p->epochs <= MANY_EPOCHS || last || now - p->epoch_printed >= many_seconds;
    p->overhead = row->valid_seconds + row->record_seconds;
    p->epoch_began = now;
    p->samples = 0;
    p->loss_sum = p->correct_sum = 0.0;
    if (p->quiet || !due) {
        return RS_OK;
    }
    char text[LINE];
    describe_epoch(p, row, text);
    pthread_mutex_lock(&p->mutex);
    print_line(p, text);
    p->drawn = p->epoch_printed = now;
    pthread_mutex_unlock(&p->mutex);
    return RS_OK;
}

rs_status rs_progress_create(FILE *stream, const rs_config *config, int64_t images_per_epoch,
                             rs_progress **progress, rs_error *error)
{
    rs_progress *p = rs_alloc_zero(sizeof *p);
    if (!p) {
        return RS_FAIL(error, RS_MEMORY, "no memory for the progress display");
    }
    const char *kind = getenv("TERM");
    bool dumb = !kind || strcmp(kind, "dumb") == 0;
    p->stream = stream;
    p->quiet = config->quiet;
    p->terminal = !dumb && fileno(stream) >= 0 && isatty(fileno(stream));
    p->epochs = config->epochs;
    p->images_per_epoch = images_per_epoch;
    p->epoch_began = p->drawn = p->epoch_printed = rs_seconds();
    if (pthread_mutex_init(&p->mutex, NULL) != 0) {
        rs_free(p);
        return RS_FAIL(error, RS_FAILED, "no lock for the progress display");
    }
    if (p->terminal && !p->quiet) {
        rs_log_set_sink(print_log, p);
    }
    *progress = p;
    return RS_OK;
}

rs_observer rs_progress_observer(rs_progress *progress)
{
    return (rs_observer){.context = progress, .step = on_step, .epoch = on_epoch};
}

void rs_progress_destroy(rs_progress *progress)
{
    if (!progress) {
        return;
    }
    if (progress->terminal && !progress->quiet) {
        rs_log_set_sink(NULL, NULL);
    }
    clear_line(progress);
    (void)fflush(progress->stream);
    (void)pthread_mutex_destroy(&progress->mutex);
    rs_free(progress);
}
