/* study_run.c: runs what is left of a study, several processes at a time; see study.h.
 *
 * One loop waits for signals (through a descriptor) and for what the runs say. The first SIGINT or SIGTERM is
 * passed on to every run, which finishes its step, commits and ends; nothing new is started. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rs/host.h"
#include "rs/text.h"
#include "study.h"
#include "study_child.h"

enum { MOST_JOBS = 256 };

typedef struct slot {
    rs_child child;
    rs_study_run *run;
    double began;
} slot;

typedef struct runner {
    rs_study_run *runs;
    int count;
    int jobs, running;
    slot slots[MOST_JOBS];
    const rs_study_options *options;
    int signals;          /* descriptor */
    sigset_t mask;        /* of before, for the runs */
    int stopped_by;       /* SIGINT or SIGTERM that asked us to end; 0: none */
    bool failed_fast;     /* --fail-fast has ended the study */
    int64_t threads_each; /* 0: as the run chooses */
} runner;

/* --- saying ----------------------------------------------------------------------------------------------
 */

static void say_at(rs_log_level level, const runner *r, const rs_study_run *run, const char *text)
{
    int digits = snprintf(NULL, 0, "%d", r->count);
    rs_log(level, "[%*d/%d] %s%s%s%s: %s", digits, (int)(run - r->runs) + 1, r->count, run->name,
           *run->label ? " (" : "", run->label, *run->label ? ")" : "", text);
}

static void say(const runner *r, const rs_study_run *run, const char *text)
{
    say_at(RS_LOG_INFO, r, run, text);
}

static void say_started(const runner *r, const rs_study_run *run)
{
    char text[96] = "begins";
    if (run->state == RS_STUDY_RESUMABLE) {
        (void)snprintf(text, sizeof text, "goes on after epoch %" PRId64 "/%" PRId64, run->epochs_done,
                       run->config.epochs);
    }
    say(r, run, text);
}

static void say_failed(rs_log_level level, const runner *r, const rs_study_run *run)
{
    char text[640], status[48] = "";
    if (run->exit_status >= 0) {
        (void)snprintf(status, sizeof status, " (exit status %d)", run->exit_status);
    }
    (void)snprintf(text, sizeof text, "failed%s: %s", status, run->message);
    say_at(level, r, run, text);
}

/* --- starting --------------------------------------------------------------------------------------------
 */

static rs_status make_folders(const char *file, rs_error *error)
{
    char path[RS_STUDY_PATH];
    (void)snprintf(path, sizeof path, "%s", file);
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(path, 0777) != 0 && errno != EEXIST) {
            return RS_FAIL(error, RS_IO, "%s: the folder cannot be made: %s", path, strerror(errno));
        }
        *slash = '/';
    }
    return RS_OK;
}

/* The command line of a run: "resnet_study", then every option that differs from its default. */
static rs_status command_line(const runner *r, const rs_study_run *run, char ***arguments, rs_error *error)
{
    static char program[] = "resnet_study";
    rs_config config = run->config;
    char **options = NULL;
    int count = 0;
    config.resume = run->state == RS_STUDY_RESUMABLE;
    config.quiet = config.quiet || (r->options->quiet && !config.verbose);
    config.threads = config.threads ? config.threads : r->threads_each;
    RS_TRY(rs_config_arguments(&config, &options, &count, error));
    char **list = rs_alloc_array((size_t)count + 2, sizeof *list);
    if (!list) {
        rs_config_arguments_free(options);
        return RS_FAIL(error, RS_MEMORY, "no memory for a command line");
    }
    list[0] = program;
    memcpy(list + 1, options, (size_t)count * sizeof *list);
    rs_free(options); /* the texts are the list's now */
    *arguments = list;
    return RS_OK;
}

static void free_command_line(char **arguments)
{
    for (char **at = arguments + 1; *at; at++) {
        rs_free(*at);
    }
    rs_free(arguments);
}

static slot *free_slot(runner *r)
{
    int i = 0;
    while (r->slots[i].run) {
        i++;
    }
    return &r->slots[i];
}

static rs_status start(runner *r, rs_study_run *run, rs_error *error)
{
    char log[RS_STUDY_PATH + 4];
    char **arguments = NULL;
    slot *s = free_slot(r);
    (void)snprintf(log, sizeof log, "%.*s.log", (int)strlen(run->config.out) - 3, run->config.out);
    RS_TRY(make_folders(run->config.out, error));
    RS_TRY(command_line(r, run, &arguments, error));
    rs_status status = rs_child_start(&s->child, arguments, r->jobs > 1 ? log : NULL, &r->mask, error);
    free_command_line(arguments);
    RS_TRY(status);
    s->run = run;
    s->began = rs_seconds();
    run->state = RS_STUDY_RUNNING;
    r->running++;
    return RS_OK;
}

static void tell_runs(const runner *r, int signal)
{
    for (int i = 0; i < r->jobs; i++) {
        if (r->slots[i].run) {
            (void)kill(r->slots[i].child.pid, signal);
        }
    }
}

/* Bad usage, unusable data and divergence come again as they came. */
static bool may_be_tried_again(const runner *r, const rs_study_run *run)
{
    int status = run->exit_status;
    bool by_chance = status >= 0 && status != rs_status_exit_code(RS_USAGE) &&
                     status != rs_status_exit_code(RS_DATA) && status != rs_status_exit_code(RS_DIVERGED);
    return by_chance && run->tries <= r->options->retry && !r->stopped_by && !r->failed_fast;
}

static void note_failure(runner *r, rs_study_run *run)
{
    run->state = RS_STUDY_FAILED;
    say_failed(RS_LOG_INFO, r, run);
    if (may_be_tried_again(r, run)) {
        say(r, run, "is tried again");
        run->state = RS_STUDY_NEW;
        return;
    }
    if (r->options->fail_fast && !r->failed_fast) {
        r->failed_fast = true;
        tell_runs(r, SIGTERM);
    }
}

/* A run whose stage before cannot be had. */
static void give_up(runner *r, rs_study_run *run)
{
    (void)snprintf(run->message, sizeof run->message, "the run it begins from failed: %s",
                   r->runs[run->from].name);
    run->exit_status = -1;
    note_failure(r, run);
}

/* The first run that nobody has looked at, and whose stage before is done; NULL: none now. */
static rs_study_run *next_run(runner *r)
{
    for (int i = 0; i < r->count; i++) {
        rs_study_run *run = &r->runs[i];
        if (run->state != RS_STUDY_NEW) {
            continue;
        }
        rs_study_state before = run->from < 0 ? RS_STUDY_DONE : r->runs[run->from].state;
        if (before == RS_STUDY_FAILED) {
            give_up(r, run);
        } else if (before == RS_STUDY_DONE || before == RS_STUDY_SKIPPED) {
            return run;
        }
    }
    return NULL;
}

/* Looks at a run and starts it unless it is done or cannot be. */
static void start_run(runner *r, rs_study_run *run)
{
    rs_error error = {0};
    rs_study_examine(run);
    if (run->state == RS_STUDY_SKIPPED) {
        say(r, run, "done already");
        return;
    }
    if (run->state == RS_STUDY_FAILED) {
        note_failure(r, run);
        return;
    }
    say_started(r, run);
    run->tries++;
    if (start(r, run, &error)) {
        (void)snprintf(run->message, sizeof run->message, "%s", error.text);
        note_failure(r, run);
    }
}

/* --- waiting ---------------------------------------------------------------------------------------------
 */

/* A run that was told to end says 130 or 143; one that was hit before it listened died of the signal itself,
 * which a terminal sends to every process it sees. */
static bool is_interruption(int exit_status)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        if (exit_status == 128 + signals[i]) {
            return true;
        }
    }
    return false;
}

static void finish(runner *r, slot *s, int exit_status)
{
    rs_study_run *run = s->run;
    char took[32], text[64];
    bool told = r->stopped_by || r->failed_fast;
    rs_text_duration(rs_seconds() - s->began, took, sizeof took);
    run->exit_status = exit_status;
    s->run = NULL;
    r->running--;
    if (exit_status == 0) {
        run->state = RS_STUDY_DONE;
        (void)snprintf(text, sizeof text, "done in %s", took);
        say(r, run, text);
    } else if (told && is_interruption(exit_status)) {
        run->state = RS_STUDY_INTERRUPTED;
        say(r, run, "interrupted, resumable");
    } else {
        const char *last = *s->child.last ? s->child.last : "it said nothing";
        (void)snprintf(run->message, sizeof run->message, "%s", last);
        note_failure(r, run);
    }
}

static void reap(runner *r)
{
    for (int i = 0; i < r->jobs; i++) {
        int exit_status = 0;
        if (r->slots[i].run && rs_child_ended(&r->slots[i].child, &exit_status)) {
            finish(r, &r->slots[i], exit_status);
        }
    }
}

/* Ctrl-Z: the runs stand still as long as we do. */
static void suspend(const runner *r)
{
    tell_runs(r, SIGSTOP);
    (void)raise(SIGSTOP);
    tell_runs(r, SIGCONT);
}

static void handle_signal(runner *r, int signal)
{
    switch (signal) {
    case SIGTSTP:
        suspend(r);
        break;
    case SIGWINCH:
        for (int i = 0; i < r->jobs; i++) {
            if (r->slots[i].run) {
                rs_child_resize(&r->slots[i].child);
            }
        }
        break;
    case SIGCHLD:
        break; /* reap() after every wait */
    default:   /* a closed terminal and a batch system's notice mean the same as SIGTERM */
        r->stopped_by = signal == SIGINT ? SIGINT : SIGTERM;
        tell_runs(r, r->stopped_by);
        break;
    }
}

static void wait_for_news(runner *r)
{
    struct pollfd sources[MOST_JOBS + 1] = {{.fd = r->signals, .events = POLLIN}};
    for (int i = 0; i < r->jobs; i++) {
        sources[i + 1] =
            (struct pollfd){.fd = r->slots[i].run ? r->slots[i].child.source : -1, .events = POLLIN};
    }
    if (poll(sources, (nfds_t)r->jobs + 1, -1) < 0) {
        return; /* interrupted: ask again */
    }
    for (int i = 0; i < r->jobs; i++) {
        if (sources[i + 1].revents) {
            rs_child_pass(&r->slots[i].child);
        }
    }
    struct signalfd_siginfo information;
    while (read(r->signals, &information, sizeof information) == (ssize_t)sizeof information) {
        handle_signal(r, (int)information.ssi_signo);
    }
}

static rs_status catch_signals(runner *r, rs_error *error)
{
    static const int caught[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGTSTP, SIGCHLD, SIGWINCH};
    sigset_t set;
    (void)sigemptyset(&set);
    for (size_t i = 0; i < sizeof caught / sizeof caught[0]; i++) {
        (void)sigaddset(&set, caught[i]);
    }
    (void)sigprocmask(SIG_BLOCK, &set, &r->mask);
    r->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return r->signals >= 0 ? RS_OK
                           : RS_FAIL(error, RS_FAILED, "signals cannot be caught: %s", strerror(errno));
}

/* --- the end ---------------------------------------------------------------------------------------------
 */

static int count_state(const runner *r, rs_study_state state)
{
    int count = 0;
    for (int i = 0; i < r->count; i++) {
        count += r->runs[i].state == state;
    }
    return count;
}

static int conclude(const runner *r, const char *study_name)
{
    int failed = count_state(r, RS_STUDY_FAILED), done = count_state(r, RS_STUDY_DONE);
    int skipped = count_state(r, RS_STUDY_SKIPPED);
    for (int i = 0; i < r->count; i++) {
        if (r->runs[i].state == RS_STUDY_FAILED) {
            say_failed(RS_LOG_ERROR, r, &r->runs[i]);
        }
    }
    const char *folder = r->runs[0].config.out, *end = strrchr(folder, '/');
    if (!r->options->quiet) {
        (void)printf("%s: %d run%s: %d done, %d done before, %d failed, %d left; records in %.*s\n",
                     study_name, r->count, r->count == 1 ? "" : "s", done, skipped, failed,
                     r->count - done - skipped - failed, (int)(end - folder), folder);
        (void)fflush(stdout);
    }
    if (r->stopped_by) {
        rs_log(RS_LOG_WARNING, "interrupted; the same command goes on where this one ended");
        return 128 + r->stopped_by;
    }
    return failed ? 1 : 0;
}

/* Threads for each of several runs at a time, so that together they take what the process may use. */
static int64_t share_of_cores(int jobs)
{
    int cores = rs_usable_cores();
    return jobs == 1 ? 0 : cores > jobs ? cores / jobs : 1;
}

static void start_all(runner *r)
{
    rs_study_run *run = NULL;
    while (!r->stopped_by && !r->failed_fast && r->running < r->jobs && (run = next_run(r)) != NULL) {
        start_run(r, run);
    }
}

int rs_study_run_all(const char *study_name, rs_study_run *runs, int count, const rs_study_options *options)
{
    rs_error error = {0};
    runner *r = rs_alloc_zero(sizeof *r);
    if (!r) {
        rs_log(RS_LOG_ERROR, "no memory to run a study");
        return rs_status_exit_code(RS_MEMORY);
    }
    r->runs = runs;
    r->count = count;
    r->options = options;
    r->jobs = options->jobs < MOST_JOBS ? options->jobs : MOST_JOBS;
    r->threads_each = share_of_cores(r->jobs);
    int result = rs_status_exit_code(RS_FAILED);
    if (catch_signals(r, &error)) {
        rs_log(RS_LOG_ERROR, "%s", error.text);
    } else {
        for (;;) {
            start_all(r);
            if (r->running == 0) {
                break;
            }
            wait_for_news(r);
            reap(r);
        }
        result = conclude(r, study_name);
        (void)close(r->signals);
        (void)sigprocmask(SIG_SETMASK, &r->mask, NULL);
    }
    rs_free(r);
    return result;
}
