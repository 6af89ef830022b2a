/* watch.c: the loop of `info --watch`: looks at the record every second or so, redraws on a terminal, prints a line for each
 * commit elsewhere, and ends with the run. See watch.h. */
#include "watch.h"

#include <errno.h>
#include <inttypes.h>
#include <langinfo.h>
#include <locale.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "rs/host.h"
#include "rs/text.h"

/* A writer that closes its file or renames it can make one look fail; so many in a row are a fault. */
enum { MOST_FAILURES = 5, RUNNING = -1 };
#define MOST_BEGINNING 60.0 /* seconds that a new file may take until it can be read */

typedef struct watch {
    const char *path;
    double interval;
    bool terminal, unicode;
    rs__frame frame;
    double committed;    /* rs_seconds of the last commit that was seen */
    int64_t commits;     /* that were seen; -1: none was looked for yet */
    int lines, columns;  /* of the frame on the terminal, and of the terminal then */
    int failures, kills; /* looks in a row that failed, that found the writer dead */
    double began;        /* rs_seconds when the file was there */
    bool waited;         /* it was not, at first */
} watch;

static bool is_unicode(void)
{
    locale_t locale = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
    const bool unicode = locale != (locale_t)0 && strcmp(nl_langinfo_l(CODESET, locale), "UTF-8") == 0;
    if (locale != (locale_t)0) {
        freelocale(locale);
    }
    return unicode;
}

static bool is_terminal(void)
{
    const char *kind = getenv("TERM");
    return isatty(STDOUT_FILENO) && kind && strcmp(kind, "dumb") != 0;
}

static rs__view terminal_view(const watch *w)
{
    struct winsize size = {0};
    (void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    return (rs__view){.columns = (size.ws_col > 0 ? size.ws_col : 80) - 1,
                      .rows =
                          (size.ws_row > 0 ? size.ws_row : 24) - 2, /* the closing line and the cursor's */
                      .unicode = w->unicode};
}

/* --- drawing ----------------------------------------------------------------------------------------------- */

/* Bytes of the first `columns` characters of a line. */
static int bytes_of(const char *line, size_t length, int columns)
{
    size_t at = 0;
    while (at < length && (columns > 0 || ((unsigned char)line[at] & 0xc0) == 0x80)) {
        columns -= ((unsigned char)line[at] & 0xc0) != 0x80;
        at++;
    }
    return (int)at;
}

/* Over the frame before; where the terminal's width changed that may have wrapped, so everything goes. */
static void draw(watch *w, const char *text, const rs__view *view)
{
    if (w->lines > 0 && w->columns == view->columns) {
        (void)printf("\033[%dA\r", w->lines);
    } else if (w->lines > 0) {
        (void)fputs("\033[2J\033[H", stdout);
    }
    w->lines = 0;
    w->columns = view->columns;
    while (*text && w->lines < view->rows) {
        const size_t length = strcspn(text, "\n");
        (void)printf("%.*s\033[K\n", bytes_of(text, length, view->columns), text);
        text += length + (text[length] == '\n');
        w->lines++;
    }
    (void)fputs("\033[J", stdout);
    (void)fflush(stdout);
}

static void show_frame(watch *w)
{
    const rs__view view = terminal_view(w);
    char *text = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&text, &length);
    if (stream) {
        rs__frame_print(&w->frame, w->path, rs_seconds() - w->committed, &view, stream);
        if (fclose(stream) == 0) {
            draw(w, text, &view);
        }
    }
    free(text);
}

/* Lines of the commits from `first` on; of a run that has gone on for long only the last. */
static rs_status show_commits(const watch *w, int64_t first, rs_error *error)
{
    for (int64_t i = first; i < w->frame.summary.commits; i++) {
        rs__moment moment;
        RS_TRY(rs__moment_read(w->path, i, &moment, error));
        rs__moment_print(&moment, &w->frame, rs_seconds() - w->committed, stdout);
    }
    (void)fflush(stdout);
    return RS_OK;
}

/* --- the run's end ----------------------------------------------------------------------------------------- */

static int say_end(const char *path, const rs_record_summary *summary, const char *what, int status)
{
    const rs_position *at = &summary->committed;
    (void)printf("%s: %s: %" PRId64 " epoch%s, %" PRId64 " step%s\n", path, what, at->epochs,
                 rs_text_s(at->epochs), at->steps, rs_text_s(at->steps));
    (void)fflush(stdout);
    return status;
}

/* Exit status once the run has ended, or RUNNING. A killed writer must be seen twice: between two looks at the file another
 * may have gone on with it. */
static int find_end(watch *w, const rs_record_summary *summary)
{
    const bool killed = summary->writer_mark && !summary->writer_lives;
    w->kills = killed ? w->kills + 1 : 0;
    if (w->kills > 1) {
        return say_end(w->path, summary, "killed: no process writes it any more; go on with --resume", 1);
    }
    if (summary->writer_mark) {
        return RUNNING;
    }
    if (strcmp(summary->state, rs_run_state_name(RS_RUN_DONE)) == 0) {
        return say_end(w->path, summary, "done", 0);
    }
    if (strcmp(summary->state, rs_run_state_name(RS_RUN_RUNNING)) == 0) { /* another tool cleared the mark */
        return say_end(w->path, summary, "no process writes it any more; go on with --resume", 1);
    }
    const bool diverged = strcmp(summary->state, rs_run_state_name(RS_RUN_DIVERGED)) == 0;
    return say_end(w->path, summary, summary->state, diverged ? rs_status_exit_code(RS_DIVERGED) : 1);
}

/* --- a file that is not there yet --------------------------------------------------------------------------- */

static volatile sig_atomic_t signal_number;

static void note_signal(int number)
{
    signal_number = number;
}

/* Ends early at a signal. */
static void rest(double seconds)
{
    const struct timespec time = {(time_t)seconds, (long)((seconds - floor(seconds)) * 1e9)};
    (void)nanosleep(&time, NULL);
}

static bool is_missing(const char *path)
{
    struct stat about;
    return stat(path, &about) != 0 && errno == ENOENT;
}

/* Until the file is there: 0, or the exit status where a signal came first. */
static int wait_for(watch *w)
{
    struct sigaction action = {.sa_handler = note_signal}, before_int, before_term;
    if (!is_missing(w->path)) {
        return 0;
    }
    w->waited = true;
    (void)sigaction(SIGINT, &action, &before_int);
    (void)sigaction(SIGTERM, &action, &before_term);
    (void)fprintf(stderr, "resnet_study info: %s is not there yet; waiting for it (Ctrl-C ends that)\n",
                  w->path);
    while (signal_number == 0 && is_missing(w->path)) {
        rest(w->interval);
    }
    (void)sigaction(SIGINT, &before_int, NULL);
    (void)sigaction(SIGTERM, &before_term, NULL);
    if (signal_number == 0) {
        return 0;
    }
    (void)fprintf(stderr,
                  "resnet_study info: interrupted: %s never came; look at its path: a run's record is what "
                  "--out says, or "
                  "runs/NAME-HASH.h5 where the run was started\n",
                  w->path);
    return 128 + (int)signal_number;
}

/* --- the loop ---------------------------------------------------------------------------------------------- */

/* When the last commit was: now, or, at the first look, when the file changed last. */
static double commit_time(const watch *w)
{
    struct stat about;
    struct timespec now;
    if (w->commits >= 0 || stat(w->path, &about) != 0 || clock_gettime(CLOCK_REALTIME, &now) != 0) {
        return rs_seconds();
    }
    const double age = (double)(now.tv_sec - about.st_mtim.tv_sec);
    return rs_seconds() - (age > 0.0 ? age : 0.0);
}

/* Reads what is new. */
static rs_status look(watch *w, rs_record_summary *summary, rs_error *error)
{
    rs__frame frame;
    RS_TRY(rs_record_summarize(w->path, summary, error));
    const bool changed = summary->commits != w->commits ||
                         summary->writer_mark != w->frame.summary.writer_mark ||
                         strcmp(summary->state, w->frame.summary.state) != 0;
    if (!changed) {
        return RS_OK;
    }
    RS_TRY(rs__frame_read(w->path, &frame, error));
    rs__frame_free(&w->frame);
    w->frame = frame;
    if (summary->commits == w->commits) {
        return RS_OK;
    }
    w->committed = commit_time(w);
    const int64_t first = w->commits >= 0 ? w->commits : frame.summary.commits - 1;
    w->commits = frame.summary.commits;
    return w->terminal ? RS_OK : show_commits(w, first < 0 ? 0 : first, error);
}

/* A file that its writer is still making, before the first look at it that succeeds. */
static bool is_beginning(const watch *w, const rs_record_summary *summary)
{
    return w->commits < 0 && (w->waited || summary->writer_lives) && rs_seconds() - w->began < MOST_BEGINNING;
}

static int watch_on(watch *w)
{
    rs_error error = {0};
    for (;;) {
        rs_record_summary summary = {0};
        const rs_status status = look(w, &summary, &error);
        rs_free(summary.config_yaml);
        w->failures = status && !is_beginning(w, &summary) ? w->failures + 1 : 0;
        if (w->failures > (w->commits < 0 ? 0 : MOST_FAILURES)) {
            (void)fprintf(stderr, "resnet_study info: %s\n", error.text);
            return rs_status_exit_code(status);
        }
        if (!status) {
            if (w->terminal) {
                show_frame(w);
            }
            const int end = find_end(w, &summary);
            if (end != RUNNING) {
                return end;
            }
        }
        rest(w->kills > 0 ? 0.2 : w->interval);
    }
}

int rs__watch(const char *path, double interval)
{
    watch w = {.path = path,
               .interval = interval,
               .terminal = is_terminal(),
               .unicode = is_unicode(),
               .commits = -1};
    int status = wait_for(&w);
    w.began = rs_seconds();
    status = status ? status : watch_on(&w);
    rs__frame_free(&w.frame);
    return status;
}
