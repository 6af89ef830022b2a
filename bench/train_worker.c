/* train_worker.c: trains on request, so that a script can time our steps in turn with somebody else's.
 *
 *     train_worker [OPTIONS of resnet_study]
 *
 * Prints "ready SECONDS" (from the loaded data to the first step done, plan and initial weights included), then for
 * each line "N" of standard input trains N steps and prints "SECONDS LOSS": their time, batches, forward, backward,
 * update and what --record asks of a step all in it, and the last one's loss. At the end of the input it prints
 * "peak BYTES", the largest resident size of the process, on a GPU the bytes of the plan there. The data set has to
 * last: no epoch may end meanwhile. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "rs/config.h"
#include "rs/dataset.h"
#include "rs/host.h"
#include "rs/network.h"
#include "rs/trainer.h"

typedef struct worker {
    rs_config config;
    const rs_backend *backend;
    rs_device *device;
    rs_dataset *dataset;
    rs_network *network;
    rs_trainer *trainer;
    volatile sig_atomic_t stop;
    double begin;
    long asked;      /* steps of the request */
    int64_t left;    /* rows to come before it is answered */
    int64_t updates; /* that had run when it came */
    bool ready;
} worker;

/* Answers a finished request and waits for the next one; the end of the input ends the training. A device that works on
 * its own is some steps further by now: all that it has begun it finishes within this turn, whose time counts as far as
 * its steps were asked for; the rows of the others come first in the next turn. */
static rs_status next_request(worker *w, const rs_step_row *row, rs_error *error)
{
    char line[64];
    int64_t updates;
    RS_TRY(w->backend->read(rs_trainer_plan(w->trainer), RS_SLOT_STEP_COUNT, 0, &updates, error));
    double seconds = rs_seconds() - w->begin;
    if (w->ready) {
        double share = (double)w->asked / (double)(updates - w->updates);
        (void)printf("%.6f %.9g\n", seconds * share, row->loss);
    } else {
        (void)printf("ready %.6f\n", seconds);
    }
    (void)fflush(stdout);
    w->ready = true;
    w->asked = 0;
    while (w->asked < 1 && fgets(line, sizeof line, stdin)) {
        (void)sscanf(line, "%ld", &w->asked);
    }
    w->stop = w->asked < 1;
    w->updates = updates;
    w->left = w->asked + updates - (row->step + 1);
    w->begin = rs_seconds();
    return RS_OK;
}

static rs_status count_step(void *context, const rs_step_row *row, rs_error *error)
{
    worker *w = context;
    bool done = --w->left <= 0 && !w->stop; /* after the last request only steps on their way come in */
    return done ? next_request(w, row, error) : RS_OK;
}

static rs_status forbid_epoch(void *context, const rs_epoch_row *row, rs_error *error)
{
    (void)context;
    return RS_FAIL(error, RS_USAGE, "epoch %" PRId64 " ended within a request; give a larger --train-limit",
                   row->epoch + 1);
}

static rs_status set_up(worker *w, rs_error *error)
{
    int index = 0;
    rs_dataset_request request = {.name = w->config.dataset,
                                  .directory = w->config.data_dir,
                                  .train_limit = w->config.train_limit,
                                  .test_limit = 1};
    RS_TRY(rs_backend_select(w->config.device, &w->backend, &index, error));
    RS_TRY(w->backend->open(rs_services(), index, (int)w->config.threads, &w->device, error));
    RS_TRY(rs_dataset_load(&request, &w->dataset, error));
    w->begin = rs_seconds();
    RS_TRY(rs_configured_network(&w->config, w->dataset, &w->network, error));
    rs_trainer_options trainer = {.config = &w->config,
                                  .dataset = w->dataset,
                                  .network = w->network,
                                  .backend = w->backend,
                                  .device = w->device,
                                  .wants = rs_configured_wants(&w->config),
                                  .stop = &w->stop};
    return rs_trainer_create(&trainer, &w->trainer, error);
}

static rs_status train(worker *w, int argc, char **argv, rs_error *error)
{
    bool help = false;
    rs_config_default(&w->config);
    RS_TRY(rs_config_parse(&w->config, 1, argc, argv, &help, error));
    if (help) {
        return RS_FAIL(error, RS_USAGE,
                       "takes the options of resnet_study; bench/train_worker.c says what it reads");
    }
    RS_TRY(rs_config_validate(&w->config, error));
    RS_TRY(set_up(w, error));
    rs_observer observer = {.context = w, .step = count_step, .epoch = forbid_epoch};
    rs_trainer_observe(w->trainer, &observer);
    rs_status status = rs_trainer_run(w->trainer, error);
    return status == RS_INTERRUPTED ? RS_OK : status;
}

static void print_peak(const worker *w)
{
    rs_plan_bytes b = {0};
    struct rusage usage = {0};
    (void)getrusage(RUSAGE_SELF, &usage);
    int64_t peak = (int64_t)usage.ru_maxrss * 1024;
    if (strcmp(w->backend->name, "cuda") == 0) {
        w->backend->plan_bytes(rs_trainer_plan(w->trainer), &b);
        peak = (int64_t)(b.parameters + b.gradients + b.optimizer + b.activations + b.scratch);
    }
    (void)printf("peak %" PRId64 "\n", peak);
}

int main(int argc, char **argv)
{
    rs_wait_briefly(argv);
    worker w = {0};
    rs_error error = {0};
    rs_status status = train(&w, argc, argv, &error);
    if (status) {
        (void)fprintf(stderr, "train_worker: %s\n", error.text);
    } else {
        print_peak(&w);
    }
    rs_trainer_destroy(w.trainer);
    rs_network_destroy(w.network);
    rs_dataset_destroy(w.dataset);
    if (w.device) {
        w.backend->close(w.device);
    }
    return rs_status_exit_code(status);
}
