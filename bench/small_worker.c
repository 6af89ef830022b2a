/* small_worker.c: trains one of the studies' small networks on request, so that a script can time our steps in turn with
 * somebody else's.
 *
 *     small_worker NETWORK THREADS
 *     small_worker NETWORK operations      what a step computes: two for each multiply-add of the direct algorithm
 *
 * Answers as train_worker.c does. A step: a batch from memory (bytes are normalised, values copied), forward, backward,
 * update, the loss. The images are noise; four batches take turns, but for the full-batch one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "rs/backend.h"
#include "rs/host.h"
#include "rs/random.h"
#include "rs/step_cost.h"

enum { BATCHES = 4 };

typedef struct small_network {
    const char *name, *built_in; /* as `resnet_study networks` lists it */
    int channels, side, classes, batch;
    int64_t parameters;
    rs_optimizer_kind optimizer;
    double learning_rate, clip_norm;
} small_network;

static const small_network networks[] = {
    {"function-fit", "mlp-fit-8x7", 1, 1, 1, 2000, 529, RS_OPTIMIZER_ADAM, 1e-3, 0.0},
    {"baseline-net", "baseline-net", 3, 32, 10, 64, 89834, RS_OPTIMIZER_SGD, 0.05, 0.0},
    {"mnist-cnn-b", "cnn-b", 1, 32, 10, 100, 268362, RS_OPTIMIZER_ADAM, 1e-3, 0.0},
    {"isolation-nn", "nn-4x256", 1, 28, 10, 512, 400906, RS_OPTIMIZER_ADAM, 1e-3, 1.0},
    {"isolation-cnn", "cnn-32-64-128-256", 1, 28, 10, 512, 422026, RS_OPTIMIZER_ADAM, 1e-3, 1.0},
};

typedef struct worker {
    const small_network *what;
    const rs_backend *backend;
    rs_device *device;
    rs_network *network;
    rs_plan *plan;
    uint8_t *images;
    float *values, *targets;
    int32_t *labels;
    int64_t steps;
} worker;

static rs_status build(worker *w, rs_error *error)
{
    const small_network *what = w->what;
    rs_network_options options =
        rs_network_options_default(what->channels, what->side, what->side, what->classes);
    options.targets = what->side == 1;
    RS_TRY(rs_network_named(what->built_in, &options, &w->network, error));
    return w->network->weight_count == what->parameters
               ? RS_OK
               : RS_FAIL(error, RS_FAILED, "%s has %lld parameters", what->name,
                         (long long)w->network->weight_count);
}

static rs_plan_options options_of(const small_network *what)
{
    return (rs_plan_options){.dtype = RS_F32,
                             .batch_size_count = 1,
                             .batch_sizes = {what->batch},
                             .training = true,
                             .optimizer = what->optimizer,
                             .mean = {0.5f, 0.5f, 0.5f, 0.5f},
                             .std = {0.5f, 0.5f, 0.5f, 0.5f}};
}

static rs_status print_operations(worker *w, rs_error *error)
{
    rs_profile_row *rows = NULL;
    rs_plan_options options = options_of(w->what);
    double operations = 0.0;
    int count = 0;
    RS_TRY(build(w, error));
    RS_TRY(rs_step_cost(w->network, &options, w->what->channels, &rows, &count, error));
    for (int i = 0; i < count; i++) {
        operations += rows[i].calls > 0 ? rows[i].flops : 0.0;
    }
    rs_free(rows);
    (void)printf("operations %.0f\n", operations);
    return RS_OK;
}

static rs_status make_plan(worker *w, rs_error *error)
{
    rs_plan_options options = options_of(w->what);
    RS_TRY(w->backend->plan_create(w->device, w->network, &options, &w->plan, error));
    for (int i = 0; i < w->network->parameter_count; i++) {
        float *values = rs_alloc_array((size_t)w->network->parameters[i].count, sizeof(float));
        if (!values) {
            return RS_FAIL(error, RS_MEMORY, "no memory for initial values");
        }
        rs_parameter_initialize(&w->network->parameters[i], 1, values);
        rs_status status = w->backend->write(w->plan, RS_SLOT_VALUE, i, values, error);
        rs_free(values);
        RS_TRY(status);
    }
    return RS_OK;
}

/* Noise for all batches; of the function its values. */
static rs_status make_data(worker *w, rs_error *error)
{
    int64_t samples = (int64_t)w->what->batch * BATCHES;
    int64_t pixels = (int64_t)w->what->channels * w->what->side * w->what->side;
    w->images = rs_alloc_array((size_t)(samples * pixels), 1);
    w->labels = rs_alloc_array((size_t)samples, sizeof *w->labels);
    w->values = rs_alloc_array((size_t)samples, sizeof *w->values);
    w->targets = rs_alloc_array((size_t)samples, sizeof *w->targets);
    if (!w->images || !w->labels || !w->values || !w->targets) {
        return RS_FAIL(error, RS_MEMORY, "no memory for the data");
    }
    for (int64_t i = 0; i < samples * pixels; i++) {
        w->images[i] = (uint8_t)rs_philox_at(7, 1, (uint64_t)i).word[0];
    }
    for (int64_t i = 0; i < samples; i++) {
        w->labels[i] = (int32_t)(rs_philox_at(7, 2, (uint64_t)i).word[0] % (uint32_t)w->what->classes);
        w->values[i] = 1.0f + 4.0f * (float)(i % w->what->batch) / (float)w->what->batch;
        w->targets[i] = 1.0f + 0.3f * w->values[i];
    }
    return RS_OK;
}

static rs_status train_step(worker *w, double *loss, rs_error *error)
{
    const small_network *what = w->what;
    int64_t first = w->steps++ % BATCHES * what->batch;
    bool values = what->side == 1;
    rs_batch batch = {.count = what->batch,
                      .images = values ? NULL : w->images + first * what->channels * what->side * what->side,
                      .labels = values ? NULL : w->labels + first,
                      .values = values ? w->values : NULL,
                      .targets = values ? w->targets : NULL,
                      .epoch = w->steps};
    rs_update_options update = {.optimizer = what->optimizer,
                                .learning_rate = what->learning_rate,
                                .beta1 = 0.9,
                                .beta2 = 0.999,
                                .epsilon = 1e-8,
                                .clip_norm = what->clip_norm};
    rs_measurement measurement = {0};
    rs_loss read;
    RS_TRY(w->backend->load_batch(w->plan, &batch, error));
    RS_TRY(w->backend->forward(w->plan, RS_MODE_TRAIN, error));
    RS_TRY(w->backend->backward(w->plan, RS_LABELS_TRUE, error));
    RS_TRY(w->backend->update(w->plan, &update, &measurement, error));
    RS_TRY(w->backend->read_loss(w->plan, &read, error));
    *loss = read.loss;
    return RS_OK;
}

static rs_status serve(worker *w, rs_error *error)
{
    char line[64];
    double loss = 0.0, begin = rs_seconds();
    RS_TRY(build(w, error));
    RS_TRY(make_plan(w, error));
    RS_TRY(make_data(w, error));
    RS_TRY(train_step(w, &loss, error));
    (void)printf("ready %.6f\n", rs_seconds() - begin);
    (void)fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        begin = rs_seconds();
        for (long left = strtol(line, NULL, 10); left > 0; left--) {
            RS_TRY(train_step(w, &loss, error));
        }
        (void)printf("%.6f %.9g\n", rs_seconds() - begin, loss);
        (void)fflush(stdout);
    }
    struct rusage usage = {0};
    (void)getrusage(RUSAGE_SELF, &usage);
    (void)printf("peak %lld\n", (long long)usage.ru_maxrss * 1024);
    return RS_OK;
}

static void release(worker *w)
{
    if (w->plan) {
        w->backend->plan_destroy(w->plan);
    }
    if (w->device) {
        w->backend->close(w->device);
    }
    rs_network_destroy(w->network);
    rs_free(w->images);
    rs_free(w->values);
    rs_free(w->targets);
    rs_free(w->labels);
}

static const small_network *find(const char *name)
{
    for (size_t i = 0; i < sizeof networks / sizeof networks[0]; i++) {
        if (strcmp(networks[i].name, name) == 0) {
            return &networks[i];
        }
    }
    return NULL;
}

int main(int argc, char **argv)
{
    rs_wait_briefly(argv);
    rs_error error = {0};
    worker w = {.what = argc == 3 ? find(argv[1]) : NULL, .backend = rs_cpu_backend()};
    bool counts = argc == 3 && strcmp(argv[2], "operations") == 0;
    long threads = argc == 3 ? strtol(argv[2], NULL, 10) : 0;
    if (!w.what || (threads < 1 && !counts)) {
        (void)fprintf(stderr,
                      "usage: small_worker function-fit|baseline-net|mnist-cnn-b|isolation-nn|isolation-cnn "
                      "THREADS|operations\n");
        return 2;
    }
    rs_status status = counts ? print_operations(&w, &error)
                              : w.backend->open(rs_services(), 0, (int)threads, &w.device, &error);
    status = status || counts ? status : serve(&w, &error);
    if (status) {
        (void)fprintf(stderr, "small_worker: %s\n", error.text);
    }
    release(&w);
    return rs_status_exit_code(status);
}
