/* train.c: `resnet_study [OPTIONS]`: trains one network, records it, and says where the record is. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "commands.h"
#include "help.h"
#include "profile.h"
#include "progress.h"
#include "rs/host.h"
#include "rs/text.h"
#include "session.h"

static volatile sig_atomic_t stop_signal;

/* Sets a flag only; the second signal of its kind has its usual effect. Slurm announces the end of a job's time by SIGUSR1 or
 * SIGUSR2, a closed terminal by SIGHUP, unless that is ignored (nohup). A reader of our output that goes away is no reason
 * to end. */
static void note_signal(int number)
{
    stop_signal = number;
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = note_signal, .sa_flags = (int)SA_RESETHAND};
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        struct sigaction before;
        if (signals[i] != SIGHUP || (sigaction(SIGHUP, NULL, &before) == 0 && before.sa_handler != SIG_IGN)) {
            (void)sigaction(signals[i], &action, NULL);
        }
    }
    (void)signal(SIGPIPE, SIG_IGN);
}

static int exit_code(rs_status status)
{
    return status == RS_INTERRUPTED && stop_signal ? 128 + stop_signal : rs_status_exit_code(status);
}

static rs_run_state state_of(rs_status status)
{
    switch (status) {
    case RS_OK:
        return RS_RUN_DONE;
    case RS_DIVERGED:
        return RS_RUN_DIVERGED;
    case RS_INTERRUPTED:
        return RS_RUN_INTERRUPTED;
    default:
        return RS_RUN_STOPPED;
    }
}

static void print_sizes(const session *s)
{
    rs_plan_bytes bytes = {0};
    uint64_t record = 0, checkpoint = 0;
    char a[32], b[32], c[32], threads[32];
    rs_text_threads(s->info.threads, threads, sizeof threads);
    s->backend->plan_bytes(rs_trainer_plan(s->trainer), &bytes);
    rs_recorder_planned_bytes(&s->spec, &record, &checkpoint);
    rs_text_bytes(bytes.parameters + bytes.gradients + bytes.optimizer + bytes.activations + bytes.scratch, a,
                  sizeof a);
    rs_text_bytes(record, b, sizeof b);
    rs_text_bytes(checkpoint, c, sizeof c);
    rs_log(RS_LOG_INFO, "%s on %s: %" PRId64 " parameters, %s%s%s; memory %s, record %s + checkpoint %s",
           s->network->name, s->dataset->name, s->network->weight_count, threads, *threads ? " of " : "",
           s->info.name, a, b, c);
}

static void print_arena(const char *name, size_t bytes)
{
    char text[32];
    rs_text_bytes(bytes, text, sizeof text);
    (void)printf("  %-12s %12s\n", name, text);
}

static void print_plan(const session *s)
{
    rs_plan_bytes bytes = {0};
    s->backend->plan_bytes(rs_trainer_plan(s->trainer), &bytes);
    (void)printf("plan on %s (%s)\nnode, kind, output shape, parameters, layout, reorders, algorithms "
                 "(convolution: forward | data | weights)\n%s",
                 s->info.name, s->info.libraries, s->algorithms);
    (void)printf("%.3f GFLOP per image forward, about %.3f in training\nmemory\n",
                 1e-9 * (double)rs_network_flops(s->network), 3e-9 * (double)rs_network_flops(s->network));
    print_arena("parameters", bytes.parameters);
    print_arena("gradients", bytes.gradients);
    print_arena("optimizer", bytes.optimizer);
    print_arena("activations", bytes.activations);
    print_arena("scratch", bytes.scratch);
    (void)fflush(stdout);
}

static bool measures_accuracy(const session *s)
{
    return s->network->nodes[s->network->node_count - 1].kind != RS_OP_MEAN_SQUARED_ERROR;
}

static void print_result(const session *s, const char *program)
{
    struct stat file = {0};
    char size[32];
    (void)stat(s->path, &file);
    rs_text_bytes((uint64_t)file.st_size, size, sizeof size);
    const char *reason = rs_trainer_reason(s->trainer);
    const rs_position *at = rs_trainer_position(s->trainer);
    if (strcmp(reason, "epochs") != 0) {
        (void)printf("ended by --%s after %" PRId64 " epoch%s\n", reason, at->epochs, rs_text_s(at->epochs));
    }
    (void)printf("recorded %" PRId64 " epoch%s, %" PRId64 " step%s, %" PRId64 " snapshot%s in %s\n"
                 "look at it:          %s info %s\n"
                 "open it, with h5py:  python3 -c \"import h5py; f = h5py.File('%s'); "
                 "print(f['%s'][:])\"\n%s\n",
                 at->epochs, rs_text_s(at->epochs), at->steps, rs_text_s(at->steps), at->snapshots,
                 rs_text_s(at->snapshots), size, program, s->path, s->path,
                 at->epochs == 0        ? "snapshots/epoch" /* no series has a row yet */
                 : measures_accuracy(s) ? "epochs/valid_accuracy"
                                        : "epochs/valid_loss",
                 s->path);
}

/* The profile begins after the first step, which touches the plan's memory for the first time; with another plan, after an
 * epoch in which layers were isolated or frozen, it begins anew. */
static rs_status start_profile(void *context, const rs_step_row *row, rs_error *error)
{
    session *s = context;
    rs_plan *plan = rs_trainer_plan(s->trainer);
    const rs_profile_row *rows;
    if (s->backend->profile_rows(plan, &rows) > 0) {
        return RS_OK;
    }
    s->profiling = true;
    s->profiled_from = row->epoch;
    return s->backend->profile_start(plan, error);
}

static rs_status train(session *s, rs_error *error)
{
    rs_progress *progress = NULL;
    if (s->config.verbose) {
        print_plan(s);
    }
    print_sizes(s);
    RS_TRY(rs_progress_create(stderr, &s->config, s->dataset->train.count, &progress, error));
    rs_observer watching = rs_progress_observer(progress);
    rs_trainer_observe(s->trainer, &watching);
    rs_observer profiling = {.context = s, .step = start_profile};
    if (s->config.profile) {
        rs_trainer_observe(s->trainer, &profiling);
    }
    rs_status status = rs_trainer_run(s->trainer, error);
    rs_progress_destroy(progress);
    return status;
}

/* Another plan counts anew: of a run that isolates or freezes layers later, the profile is of its last part. */
static void print_profiled_part(const session *s)
{
    const rs_config *c = &s->config;
    const bool switched =
        s->profiled_from > 0 && (s->profiled_from == c->isolate_from || s->profiled_from == c->freeze_from);
    if (switched) {
        (void)printf("layers are isolated or frozen from epoch %" PRId64
                     " on: the profile is of what came since\n",
                     s->profiled_from);
    }
}

/* The first failure is the one to report: a record that closes badly comes after it. */
static rs_status run(session *s, const char *program, rs_error *error)
{
    rs_error closing = {0};
    rs_status status = session_open(s, &stop_signal, error);
    if (!status && s->finished_before) {
        rs_log(RS_LOG_INFO, "%s is complete already: %" PRId64 " epoch%s", s->path, s->finished_epochs,
               rs_text_s(s->finished_epochs));
        return session_close(s, RS_RUN_DONE, error);
    }
    status = status ? status : train(s, error);
    if (s->recorder) {
        rs_recorder_set_reason(s->recorder, rs_trainer_reason(s->trainer));
        rs_recorder_set_not_finite(s->recorder, rs_trainer_not_finite(s->trainer));
        rs_status closed = rs_recorder_close(s->recorder, state_of(status), &closing);
        s->recorder = NULL;
        if (closed && !status) {
            *error = closing;
            status = closed;
        }
    }
    if (s->profiling && rs_trainer_plan(s->trainer)) {
        print_profiled_part(s);
        rs_profile_print(s->backend, s->device, rs_trainer_plan(s->trainer), stdout);
    }
    if (!status && !s->config.quiet) {
        print_result(s, program);
    }
    (void)session_close(s, state_of(status), &closing);
    return status;
}

int rs_command_train(int argc, char **argv)
{
    static session s;
    rs_error error = {0};
    bool help = false;
    rs_config_default(&s.config);
    rs_status status = rs_config_parse(&s.config, 1, argc, argv, &help, &error);
    if (help) {
        rs_help_print(stdout);
        return 0;
    }
    status = status ? status : rs_config_validate(&s.config, &error);
    status = status ? status : rs_config_resolve(&s.config, &error);
    if (!status) {
        rs_log_set_level(s.config.quiet ? RS_LOG_ERROR : s.config.verbose ? RS_LOG_DEBUG : RS_LOG_INFO);
        catch_signals();
        status = run(&s, argv[0], &error);
    }
    if (status) {
        rs_log(RS_LOG_ERROR, "%s", error.text);
    }
    return exit_code(status);
}
