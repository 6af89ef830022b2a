/* peaks.c: the highest rates that this machine reaches in matrix products and in convolutions, through our own operators: what
 * a network's rate is a share of. */
#include <stdio.h>
#include <string.h>

#include "arguments.h"
#include "rs/backend.h"
#include "rs/host.h"
#include "rs/random.h"

static const char usage[] =
    "peaks [--threads 0] [--rounds 5]\n"
    "\n"
    "Large fully connected layers and 3x3 convolutions (direct), each alone: a line for every pass of each,\n"
    "    gemm|convolution SIZE PASS GFLOP/s\n"
    "of the fastest round; rounds take 0.2 s. Threads 0: all cores.\n";

enum { MOST_ROUNDS = 99, MOST_THREADS = 1 << 16 };
static const double round_seconds = 0.2;

/* Kernel 0: fully connected. */
typedef struct size {
    const char *kind, *name;
    int64_t batch, inputs, side, outputs;
    int kernel;
} size;

static const size sizes[] = {
    {"gemm", "1024x1024x1024", 1024, 1024, 1, 1024, 0},
    {"gemm", "2048x1024x2048", 2048, 1024, 1, 2048, 0},
    {"gemm", "2048x2048x2048", 2048, 2048, 1, 2048, 0},
    {"convolution", "64x128->128@16x16", 64, 128, 16, 128, 3},
    {"convolution", "256x128->128@8x8", 256, 128, 8, 128, 3},
    {"convolution", "256x64->64@14x14", 256, 64, 14, 64, 3},
};

typedef struct bench {
    int64_t threads, rounds;
    const rs_backend *backend;
    rs_device *device;
} bench;

static rs_status make_network(const size *s, rs_network **network, rs_error *error)
{
    int node = 0;
    const rs_node_spec spec = {
        .name = "layer",
        .kind = s->kernel ? RS_OP_CONVOLUTION : RS_OP_LINEAR,
        .attributes = {.channels = s->outputs, .kernel = s->kernel, .stride = 1, .padding = s->kernel / 2},
        .input = {0},
        .block = -1,
        .weight_initializer = RS_INIT_UNIFORM_FAN_IN};
    RS_TRY(rs_network_create(s->name, s->inputs, s->side, s->side, 10, network, error));
    RS_TRY(rs_network_add(*network, &spec, &node, error));
    return rs_network_finish(*network, error);
}

/* Numbers in [-0.5, 0.5) for the batch, the weights and the gradient of the output. */
static rs_status fill(const bench *b, const size *s, rs_plan *plan, rs_error *error)
{
    int64_t maps = s->batch * s->side * s->side,
            weights = s->inputs * s->outputs * (s->kernel ? s->kernel * s->kernel : 1);
    int64_t wide = maps * (s->inputs > s->outputs ? s->inputs : s->outputs),
            most = wide > weights ? wide : weights;
    float *values = rs_alloc_array((size_t)most, sizeof *values);
    if (!values) {
        return RS_FAIL(error, RS_MEMORY, "no memory for values");
    }
    for (int64_t i = 0; i < most; i++) {
        values[i] = rs_unit_float(rs_philox_at(7, 1, (uint64_t)i).word[0]) - 0.5f;
    }
    rs_status status = b->backend->load_values(plan, values, NULL, NULL, s->batch, error);
    status = status ? status : b->backend->write(plan, RS_SLOT_VALUE, 0, values, error);
    status = status ? status : b->backend->write_gradient(plan, values, error);
    rs_free(values);
    return status;
}

static rs_status run_round(const bench *b, rs_plan *plan, rs_error *error)
{
    double begin = rs_seconds();
    RS_TRY(b->backend->profile_start(plan, error));
    do {
        RS_TRY(b->backend->forward(plan, RS_MODE_TRAIN, error));
        RS_TRY(b->backend->backward(plan, RS_LABELS_TRUE, error));
    } while (rs_seconds() - begin < round_seconds);
    return RS_OK;
}

static rs_status time_plan(const bench *b, const size *s, rs_plan *plan, rs_error *error)
{
    enum { MOST_ROWS = 16 };
    const rs_profile_row *rows = NULL;
    double best[MOST_ROWS] = {0.0};
    int count = 0;
    RS_TRY(run_round(b, plan, error)); /* warm-up */
    for (int64_t r = 0; r < b->rounds; r++) {
        RS_TRY(run_round(b, plan, error));
        count = b->backend->profile_rows(plan, &rows);
        RS_ASSERT(count <= MOST_ROWS);
        for (int i = 0; i < count; i++) {
            double rate = rows[i].seconds > 0.0 ? rows[i].flops / rows[i].seconds : 0.0;
            best[i] = rate > best[i] ? rate : best[i];
        }
    }
    for (int i = 0; i < count; i++) {
        if (best[i] > 0.0) {
            (void)printf("%s %s %s %.1f\n", s->kind, s->name, rows[i].pass, 1e-9 * best[i]);
        }
    }
    (void)fflush(stdout);
    return RS_OK;
}

static rs_status time_size(const bench *b, const size *s, rs_error *error)
{
    rs_network *network = NULL;
    rs_plan *plan = NULL;
    const rs_plan_options options = {.dtype = RS_F32,
                                     .batch_size_count = 1,
                                     .batch_sizes = {s->batch},
                                     .convolution = RS_CONVOLUTION_DIRECT,
                                     .training = true,
                                     .optimizer = RS_OPTIMIZER_SGD,
                                     .input_gradient = true};
    rs_status status = make_network(s, &network, error);
    status = status ? status : b->backend->plan_create(b->device, network, &options, &plan, error);
    status = status ? status : fill(b, s, plan, error);
    status = status ? status : time_plan(b, s, plan, error);
    b->backend->plan_destroy(plan);
    rs_network_destroy(network);
    return status;
}

static rs_status measure(void *state, rs_error *error)
{
    bench *b = state;
    RS_TRY(b->backend->open(rs_services(), 0, (int)b->threads, &b->device, error));
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        RS_TRY(time_size(b, &sizes[i], error));
    }
    return RS_OK;
}

int main(int argc, char **argv)
{
    rs_wait_briefly(argv);
    bench b = {.rounds = 5, .backend = rs_cpu_backend()};
    const argument table[] = {
        {.name = "--rounds", .number = &b.rounds, .least = 1, .most = MOST_ROUNDS},
        {.name = "--threads", .number = &b.threads, .least = 0, .most = MOST_THREADS},
    };
    const program p = {.name = "peaks",
                       .usage = usage,
                       .table = table,
                       .count = sizeof table / sizeof *table,
                       .work = measure,
                       .state = &b};
    const int status = arguments_run(&p, argc, argv);
    if (b.device) {
        b.backend->close(b.device);
    }
    return status;
}
