/* test_not_finite.c BACKEND: a NaN comes out wherever it went in, as in PyTorch: through maxima, ReLU and chains of them that a
 * backend computes at once. A diverged network must show, not go on with what a maximum chose beside it. */
#include <math.h>
#include <stdio.h>

#include "harness.h"
#include "rs/host.h"

enum { SAMPLES = 3, CHANNELS = 3, SIDE = 9, PIXELS = CHANNELS * SIDE * SIDE, MOST_LAYERS = 4, WIDE = 17 };

static const char *backend_name = "ref";
static rs_check_machine machine;

static const rs_node_attributes point = {.channels = WIDE, .kernel = 1, .stride = 1, .bias = true},
                                halves = {.kernel = 2, .stride = 2},
                                overlapping = {.kernel = 3, .stride = 2, .padding = 1}, none = {0};

/* A chain of layers behind the input. */
typedef struct chain {
    const char *name;
    int count;
    rs_op_kind kinds[MOST_LAYERS];
    const rs_node_attributes *attributes[MOST_LAYERS];
} chain;

static const chain chains[] = {
    {"relu", 1, {RS_OP_RELU}, {&none}},
    {"max pool", 1, {RS_OP_MAX_POOL}, {&halves}},
    {"overlapping max pool", 1, {RS_OP_MAX_POOL}, {&overlapping}},
    {"average pool", 1, {RS_OP_AVERAGE_POOL}, {&overlapping}},
    {"relu, max pool", 2, {RS_OP_RELU, RS_OP_MAX_POOL}, {&none, &halves}},
    {"max pool, relu", 2, {RS_OP_MAX_POOL, RS_OP_RELU}, {&overlapping, &none}},
    {"convolution, relu", 2, {RS_OP_CONVOLUTION, RS_OP_RELU}, {&point, &none}},
    {"convolution, relu, max pool",
     3,
     {RS_OP_CONVOLUTION, RS_OP_RELU, RS_OP_MAX_POOL},
     {&point, &none, &halves}},
    {"convolution, max pool, relu",
     3,
     {RS_OP_CONVOLUTION, RS_OP_MAX_POOL, RS_OP_RELU},
     {&point, &overlapping, &none}},
};

/* Of every layer's output, which elements are NaN, for one channel: `is` before, and after. */
static void spread(rs_op_kind kind, const rs_node_attributes *a, bool *is, int *side)
{
    bool was[SIDE * SIDE];
    int in = *side;
    if (kind != RS_OP_MAX_POOL && kind != RS_OP_AVERAGE_POOL) {
        return;
    }
    for (int i = 0; i < in * in; i++) {
        was[i] = is[i];
    }
    *side = (in + 2 * a->padding - a->kernel) / a->stride + 1;
    for (int o = 0; o < *side * *side; o++) {
        is[o] = false;
        for (int k = 0; k < a->kernel * a->kernel; k++) {
            int y = o / *side * a->stride - a->padding + k / a->kernel;
            int x = o % *side * a->stride - a->padding + k % a->kernel;
            is[o] = is[o] || (y >= 0 && y < in && x >= 0 && x < in && was[y * in + x]);
        }
    }
}

static rs_network *build(const chain *c)
{
    rs_error error = {0};
    rs_network *network;
    int node = 0;
    harness_ok(rs_network_create("chain", CHANNELS, SIDE, SIDE, 1, &network, &error), &error);
    for (int i = 0; i < c->count; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "layer%d", i);
        const rs_node_spec spec = {.name = name,
                                   .kind = c->kinds[i],
                                   .input = {node},
                                   .attributes = *c->attributes[i],
                                   .block = -1,
                                   .weight_initializer = RS_INIT_ONE,
                                   .bias_initializer = RS_INIT_ZERO};
        harness_ok(rs_network_add(network, &spec, &node, &error), &error);
    }
    harness_ok(rs_network_finish(network, &error), &error);
    return network;
}

static rs_plan *open_plan(const rs_network *network, bool training)
{
    rs_error error = {0};
    rs_plan *plan;
    const rs_plan_options options = {.batch_size_count = 1, .batch_sizes = {SAMPLES}, .training = training};
    harness_ok(machine.backend->plan_create(machine.device, network, &options, &plan, &error), &error);
    for (int i = 0; i < network->parameter_count; i++) {
        float values[CHANNELS * WIDE];
        rs_parameter_initialize(&network->parameters[i], 5, values);
        harness_ok(machine.backend->write(plan, RS_SLOT_VALUE, i, values, &error), &error);
    }
    return plan;
}

/* Negative and positive numbers; a NaN at place `at` of channel 1 of sample 1. */
static void run(rs_plan *plan, const rs_network *network, int at, rs_mode mode, float *out)
{
    rs_error error = {0};
    float x[SAMPLES * PIXELS];
    for (int i = 0; i < SAMPLES * PIXELS; i++) {
        x[i] = (float)(i * 7 % 11 - 5);
    }
    x[PIXELS + SIDE * SIDE + at] = NAN;
    harness_ok(machine.backend->load_values(plan, x, NULL, NULL, SAMPLES, &error), &error);
    harness_ok(machine.backend->forward(plan, mode, &error), &error);
    harness_ok(machine.backend->read_node(plan, RS_NODE_OUTPUT, network->node_count - 1, out, &error),
               &error);
}

/* Channel 1 alone has it; behind a convolution of single points all channels do. */
static void check_place(const chain *c, const rs_network *network, rs_plan *plan, int at, rs_mode mode)
{
    static float out[SAMPLES * WIDE * SIDE * SIDE];
    const int channels = (int)network->nodes[network->node_count - 1].shape[0];
    bool is[SIDE * SIDE] = {false};
    int side = SIDE;
    is[at] = true;
    for (int i = 0; i < c->count; i++) {
        spread(c->kinds[i], c->attributes[i], is, &side);
    }
    run(plan, network, at, mode, out);
    for (int i = 0; i < SAMPLES * channels * side * side; i++) {
        const int sample = i / (channels * side * side), channel = i / (side * side) % channels;
        const bool want = sample == 1 && (channels == WIDE || channel == 1) && is[i % (side * side)];
        if (!isnan(out[i]) != !want) {
            fail_msg("%s: NaN at %d of the input: sample %d channel %d place %d is %g", c->name, at, sample,
                     channel, i % (side * side), (double)out[i]);
        }
    }
}

static void a_nan_comes_through(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof chains / sizeof *chains; k++) {
        rs_network *network = build(&chains[k]);
        for (int training = 0; training < 2; training++) {
            rs_plan *plan = open_plan(network, training);
            for (int at = 0; at < SIDE * SIDE; at++) {
                check_place(&chains[k], network, plan, at, training ? RS_MODE_TRAIN : RS_MODE_EVALUATE);
            }
            machine.backend->plan_destroy(plan);
        }
        rs_network_destroy(network);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_nan_comes_through)};
    backend_name = argc > 1 ? argv[1] : backend_name;
    return harness_run(tests, &machine, backend_name, 2);
}
