/* test_cpu_samples.c: a small network runs in segments, samples by samples. Neither timing every operation alone, nor a
 * measured layer in between (which keeps convolution and pool, or flatten and linear layer, apart), nor what is kept changes
 * a bit, nor, where all kernels are our own, the number of threads; and gradients are the reference's. */
#include "nets.h"

#include <math.h>
#include <string.h>

enum { BATCH = 137, LAST = 45, MOST = 4096 };

/* A network of some inputs and widths, the name of a layer in its middle, inputs, and whether all kernels are our own. */
typedef struct kind {
    rs_network *(*make)(int64_t inputs, int64_t wide);
    const char *middle;
    int64_t inputs;
    bool own;
} kind;

typedef struct way {
    int threads;
    bool profile, objective, keep_all, lean, sensitivity;
} way;

/* `wide` neurons at most: 32 are below the sizes of a library's product on every machine. */
static rs_network *mlp(int64_t inputs, int64_t wide)
{
    rs_error error = {0};
    rs_network *n = NULL;
    must(rs_network_create("mlp", inputs, 1, 1, 10, &n, &error));
    int a = add_node(n, "fc1", RS_OP_LINEAR, 0, 0, wide / 2 - 2, (window){0});
    a = add_node(n, "relu", RS_OP_RELU, a, 0, 0, (window){0});
    a = add_node(n, "fc2", RS_OP_LINEAR, a, 0, wide * 2 / 3, (window){0});
    a = add_node(n, "tanh", RS_OP_TANH, a, 0, 0, (window){0});
    rs_node_spec dropout = {
        .name = "drop", .kind = RS_OP_DROPOUT, .attributes.rate = 0.25, .input = {a}, .block = -1};
    must(rs_network_add(n, &dropout, &a, &error));
    a = add_node(n, "fc3", RS_OP_LINEAR, a, 0, wide - 2, (window){0});
    int b = add_node(n, "sigmoid", RS_OP_SIGMOID, a, 0, 0, (window){0});
    a = add_node(n, "fc4", RS_OP_LINEAR, b, 0, wide - 2, (window){0});
    a = add_node(n, "add", RS_OP_ADD, a, b, 0, (window){0});
    a = add_node(n, "fc5", RS_OP_LINEAR, a, 0, 18, (window){0});
    a = add_node(n, "fc6", RS_OP_LINEAR, a, 0, 10, (window){0});
    (void)add_node(n, "loss", RS_OP_SOFTMAX_CROSS_ENTROPY, a, 0, 0, (window){0});
    must(rs_network_finish(n, &error));
    return n;
}

/* Of one input, side 9: grey images, whose first convolution has kernels of its own and a rest that its pool leaves.
 * Convolutions of whole vectors of channels and of others, pools that overlap and that leave a rest, a ReLU before, behind
 * and without a pool, one whose input others read, too; `wide` channels at most. */
static rs_network *cnn(int64_t inputs, int64_t wide)
{
    rs_error error = {0};
    rs_network *n = NULL;
    int64_t side = inputs == 5 ? 24 : 9; /* large maps go through by fewer samples than small ones */
    must(rs_network_create("cnn", inputs, side, side, 10, &n, &error));
    int a = add_node(n, "conv1", RS_OP_CONVOLUTION, 0, 0, wide, (window){3, 1, 1});
    a = add_node(n, "relu1", RS_OP_RELU, a, 0, 0, (window){0});
    int b = add_node(n, "pool1", RS_OP_MAX_POOL, a, 0, 0, (window){2, 2, 0});
    a = add_node(n, "conv2", RS_OP_CONVOLUTION, b, 0, wide / 2, (window){3, 1, 1});
    a = add_node(n, "pool2", RS_OP_MAX_POOL, a, 0, 0, (window){3, 1, 1});
    a = add_node(n, "relu2", RS_OP_RELU, a, 0, 0, (window){0});
    b = add_node(n, "conv3", RS_OP_CONVOLUTION, b, 0, wide / 2, (window){3, 1, 1});
    b = add_node(n, "relu3", RS_OP_RELU, b, 0, 0, (window){0});
    a = add_node(n, "add", RS_OP_ADD, a, b, 0, (window){0});
    a = add_node(n, "conv4", RS_OP_CONVOLUTION, a, 0, 5, (window){2, 2, 0});
    a = add_node(n, "pool4", RS_OP_MAX_POOL, a, 0, 0, (window){2, 1, 0});
    a = add_node(n, "flatten", RS_OP_FLATTEN, a, 0, 0, (window){0});
    a = add_node(n, "fc", RS_OP_LINEAR, a, 0, 10, (window){0});
    (void)add_node(n, "loss", RS_OP_SOFTMAX_CROSS_ENTROPY, a, 0, 0, (window){0});
    must(rs_network_finish(n, &error));
    return n;
}

/* Two flattens of whole vectors of channels that only a linear layer reads: of maps that others read, too, and of such that
 * nobody else does. */
static rs_network *maps(int64_t inputs, int64_t wide)
{
    rs_error error = {0};
    rs_network *n = NULL;
    must(rs_network_create("maps", inputs, 9, 9, 10, &n, &error));
    int a = add_node(n, "conv1", RS_OP_CONVOLUTION, 0, 0, wide / 2, (window){3, 1, 1});
    a = add_node(n, "pool1", RS_OP_MAX_POOL, a, 0, 0, (window){2, 2, 0});
    int b = add_node(n, "shared", RS_OP_FLATTEN, a, 0, 0, (window){0});
    b = add_node(n, "fc1", RS_OP_LINEAR, b, 0, 9, (window){0});
    a = add_node(n, "conv2", RS_OP_CONVOLUTION, a, 0, wide, (window){3, 1, 0});
    a = add_node(n, "relu2", RS_OP_RELU, a, 0, 0, (window){0});
    a = add_node(n, "flatten", RS_OP_FLATTEN, a, 0, 0, (window){0});
    a = add_node(n, "fc2", RS_OP_LINEAR, a, 0, 9, (window){0});
    a = add_node(n, "add", RS_OP_ADD, a, b, 0, (window){0});
    a = add_node(n, "fc3", RS_OP_LINEAR, a, 0, 10, (window){0});
    (void)add_node(n, "loss", RS_OP_SOFTMAX_CROSS_ENTROPY, a, 0, 0, (window){0});
    must(rs_network_finish(n, &error));
    return n;
}

static const kind mlps = {mlp, "tanh", 5, true}, cnns = {cnn, "relu1", 5, false},
                  greys = {cnn, "conv1", 1, false}, flats = {maps, "flatten", 5, false},
                  shared = {maps, "shared", 5, false};

static rs_plan_options options_of(const way *w, const rs_objective *objective)
{
    rs_plan_options options = small_options(BATCH);
    options.batch_size_count = 2;
    options.batch_sizes[1] = LAST;
    options.keep_all = w->keep_all;
    options.input_gradient = w->sensitivity;
    options.memory = w->lean ? RS_MEMORY_LEAN : RS_MEMORY_FAST;
    options.objectives = objective;
    options.objective_count = w->objective ? 1 : 0;
    return options;
}

/* Some steps on batches of both sizes: all values at the end, one after the other. */
static int64_t train(const kind *k, const way *w, float values[MOST * 4], double *loss)
{
    rs_error error = {0};
    const rs_backend *backend = rs_cpu_backend();
    rs_device *device = NULL;
    rs_plan *plan = NULL;
    rs_network *network = k->make(k->inputs, 32);
    rs_objective objective = {.node = rs_network_find_node(network, k->middle), .target = 0.5};
    rs_plan_options options = options_of(w, &objective);
    rs_update_options update = {
        .optimizer = RS_OPTIMIZER_ADAM, .learning_rate = 1e-2, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8};
    must(backend->open(rs_services(), 0, w->threads, &device, &error));
    must(backend->plan_create(device, network, &options, &plan, &error));
    fill_parameters(backend, plan, network);
    if (w->profile) {
        must(backend->profile_start(plan, &error));
    }
    for (int step = 0; step < 4; step++) {
        rs_measurement measurement = {0};
        load_something(backend, plan, network, step % 2 ? LAST : BATCH, (uint64_t)step);
        must(backend->forward(plan, RS_MODE_TRAIN, &error));
        must(backend->backward(plan, RS_LABELS_TRUE, &error));
        must(backend->update(plan, &update, &measurement, &error));
    }
    rs_loss read;
    must(backend->read_loss(plan, &read, &error));
    *loss = read.loss;
    int64_t at = 0;
    for (int i = 0; i < network->parameter_count; i++) {
        assert_true(at + network->parameters[i].count <= MOST * 4);
        must(backend->read(plan, RS_SLOT_VALUE, i, values + at, &error));
        at += network->parameters[i].count;
    }
    backend->plan_destroy(plan);
    backend->close(device);
    rs_network_destroy(network);
    return at;
}

static void nothing_changes_a_bit(void **state)
{
    const kind *k = *state;
    static const way ways[] = {{.threads = 1},
                               {.threads = 2},
                               {.threads = 5},
                               {.threads = 2, .profile = true},
                               {.threads = 2, .objective = true},
                               {.threads = 2, .keep_all = true},
                               {.threads = 3, .lean = true},
                               {.threads = 2, .sensitivity = true},
                               {.threads = 2, .lean = true, .objective = true, .profile = true}};
    static float first[MOST * 4], other[MOST * 4];
    double loss = 0.0, another;
    int64_t count = 0;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        if (i == 0 || (!k->own && ways[i].threads != ways[i - 1].threads)) {
            count = train(k, &(way){.threads = ways[i].threads}, first, &loss);
            assert_true(isfinite(loss) && loss > 0.0);
        }
        assert_int_equal(train(k, &ways[i], other, &another), count);
        assert_memory_equal(first, other, (size_t)count * sizeof(float));
        assert_true(loss == another);
    }
}

/* Relative, in the L2 norm; NaN fails. */
static void expect_close(const char *what, const float *got, const float *want, int64_t count)
{
    double difference = 0.0, norm = 0.0;
    for (int64_t i = 0; i < count; i++) {
        double d = (double)got[i] - (double)want[i];
        difference += d * d;
        norm += (double)want[i] * (double)want[i];
    }
    if (!(sqrt(difference) <= 1e-5 * sqrt(norm)) || norm == 0.0) {
        fail_msg("%s: off by %g of %g", what, sqrt(difference), sqrt(norm));
    }
}

/* The second pass of a backend, which must know nothing of the first; its gradients and its input's. */
static void differentiate(const rs_backend *backend, rs_network *network, int64_t count, float *gradients,
                          float *input)
{
    rs_error error = {0};
    rs_device *device = NULL;
    rs_plan *plan = NULL;
    way w = {.threads = 2};
    rs_plan_options options = options_of(&w, NULL);
    options.input_gradient = true;
    must(backend->open(rs_services(), 0, 2, &device, &error));
    must(backend->plan_create(device, network, &options, &plan, &error));
    fill_parameters(backend, plan, network);
    for (int pass = 0; pass < 2; pass++) {
        load_something(backend, plan, network, pass == 0 ? BATCH : count, 8 + (uint64_t)pass);
        must(backend->forward(plan, RS_MODE_TRAIN, &error));
        must(backend->backward(plan, RS_LABELS_TRUE, &error));
    }
    for (int i = 0; i < network->parameter_count; i++) {
        must(backend->read(plan, RS_SLOT_GRADIENT, i, gradients, &error));
        gradients += network->parameters[i].count;
    }
    must(backend->read_node(plan, RS_NODE_GRADIENT, 0, input, &error));
    backend->plan_destroy(plan);
    backend->close(device);
}

static void gradients_are_the_references(void **state)
{
    const kind *made = *state;
    static float got[MOST * 8], want[MOST * 8], dx[2][BATCH * 64 * 81];
    static const int64_t inputs[] = {1, 5, 17, 33, 64};
    for (size_t k = 0; k < sizeof inputs / sizeof inputs[0]; k++) {
        rs_network *network = made->make(inputs[k], k < 2 ? 32 : made == &mlps ? 64 : 18);
        int64_t count = k % 2 ? BATCH : LAST, at = 0;
        differentiate(rs_cpu_backend(), network, count, got, dx[0]);
        differentiate(rs_ref_backend(), network, count, want, dx[1]);
        for (int i = 0; i < network->parameter_count; i++) {
            const rs_parameter *p = &network->parameters[i];
            expect_close(p->name, got + at, want + at, p->count);
            at += p->count;
        }
        expect_close("input", dx[0], dx[1],
                     count * inputs[k] * network->nodes[0].shape[1] * network->nodes[0].shape[2]);
        rs_network_destroy(network);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(nothing_changes_a_bit, (void *)(uintptr_t)&mlps),
        cmocka_unit_test_prestate(nothing_changes_a_bit, (void *)(uintptr_t)&cnns),
        cmocka_unit_test_prestate(nothing_changes_a_bit, (void *)(uintptr_t)&greys),
        cmocka_unit_test_prestate(nothing_changes_a_bit, (void *)(uintptr_t)&flats),
        cmocka_unit_test_prestate(nothing_changes_a_bit, (void *)(uintptr_t)&shared),
        cmocka_unit_test_prestate(gradients_are_the_references, (void *)(uintptr_t)&mlps),
        cmocka_unit_test_prestate(gradients_are_the_references, (void *)(uintptr_t)&cnns),
        cmocka_unit_test_prestate(gradients_are_the_references, (void *)(uintptr_t)&flats)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
