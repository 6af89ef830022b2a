/* test_curvature.c: loss, gradient and every second derivative against the reference backend in double and central
 * differences of its gradient, for every operator; zeros that are exact; the number of threads and of samples in a
 * batch. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "curvature.h"
#include "networks.h"

enum { SAMPLES = 12 };

static rs_error error;

static rs__curvature *curvature_of(const problem *p, int64_t batch, bool batch_statistics, int threads)
{
    rs__curvature *curvature;
    const rs__curvature_options options = {.network = p->network,
                                           .dataset = &p->dataset,
                                           .split = &p->dataset.train,
                                           .samples = p->samples,
                                           .batch = batch,
                                           .batch_statistics = batch_statistics,
                                           .running = (const double *const *)p->running,
                                           .threads = threads};
    harness_ok(rs__curvature_create(&options, &curvature, &error), &error);
    return curvature;
}

static void dense(rs__curvature *curvature, const problem *p, double *hessian)
{
    double *direction = calloc((size_t)p->size, sizeof *direction);
    for (int64_t i = 0; i < p->size; i++) {
        direction[i] = 1.0;
        rs__curvature_product(curvature, p->weights, direction, NULL, NULL, hessian + i * p->size);
        direction[i] = 0.0;
    }
    free(direction);
}

/* All of it, for one network in one mode. */
static void compare(const problem *p, rs_mode mode)
{
    const size_t size = (size_t)p->size;
    double *want = calloc(size * size, sizeof *want), *got = calloc(size * size, sizeof *got);
    double loss = NAN, wanted_loss;
    reference r;
    reference_open(&r, p);
    rs__curvature *curvature = curvature_of(p, p->samples, mode == RS_MODE_TRAIN, 1);
    assert_int_equal(rs__curvature_size(curvature), p->size);
    wanted_loss = reference_gradient(&r, p, mode, p->weights, want);
    rs__curvature_product(curvature, p->weights, NULL, &loss, got, NULL);
    harness_close("loss", &loss, &wanted_loss, 1, 1e-13);
    harness_close("gradient", got, want, p->size, 1e-12);
    reference_hessian(&r, p, mode, want);
    dense(curvature, p, got);
    harness_close("second derivatives", got, want, p->size * p->size, 1e-8);
    rs__curvature_destroy(curvature);
    reference_close(&r);
    free(want);
    free(got);
}

static void check(const char *name, int64_t channels, int64_t side, int classes, const layer *layers)
{
    problem p;
    problem_make(&p, network_of(name, channels, side, classes, layers), SAMPLES);
    compare(&p, RS_MODE_TRAIN);
    if (p.network->buffer_count > 0) {
        compare(&p, RS_MODE_EVALUATE);
    }
    problem_release(&p);
}

#define LINEAR(features)                                                                                     \
    {                                                                                                        \
        .kind = RS_OP_LINEAR, .attributes = {.channels = (features), .bias = true }                          \
    }
#define CONVOLUTION(features, size, step, pad, with_bias)                                                    \
    {                                                                                                        \
        .kind = RS_OP_CONVOLUTION, .attributes = {                                                           \
            .channels = (features),                                                                          \
            .kernel = (size),                                                                                \
            .stride = (step),                                                                                \
            .padding = (pad),                                                                                \
            .bias = (with_bias)                                                                              \
        }                                                                                                    \
    }
#define BATCH_NORM                                                                                           \
    {                                                                                                        \
        .kind = RS_OP_BATCH_NORM, .attributes = {.epsilon = 1e-5, .momentum = 0.1 }                          \
    }
#define POOL(which, size, step, pad)                                                                         \
    {                                                                                                        \
        .kind = (which), .attributes = {.kernel = (size), .stride = (step), .padding = (pad) }               \
    }
#define PLAIN(which)                                                                                         \
    {                                                                                                        \
        .kind = (which)                                                                                      \
    }
#define END PLAIN(RS_OP_INPUT)

static const layer relus[] = {
    LINEAR(5), PLAIN(RS_OP_RELU), LINEAR(4), PLAIN(RS_OP_RELU), LINEAR(3), PLAIN(RS_OP_SOFTMAX_CROSS_ENTROPY),
    END};

static void test_linear_relu(void **state)
{
    (void)state;
    check("relus", 3, 1, 3, relus);
}

static void test_convolution(void **state)
{
    static const layer layers[] = {CONVOLUTION(3, 3, 1, 1, true),
                                   BATCH_NORM,
                                   PLAIN(RS_OP_SOFTPLUS),
                                   CONVOLUTION(3, 3, 1, 1, false),
                                   {.kind = RS_OP_ADD, .back = 2},
                                   POOL(RS_OP_MAX_POOL, 3, 2, 1),
                                   CONVOLUTION(4, 2, 2, 1, false),
                                   BATCH_NORM,
                                   PLAIN(RS_OP_RELU),
                                   POOL(RS_OP_AVERAGE_POOL, 2, 1, 1),
                                   {.kind = RS_OP_DROPOUT, .attributes = {.rate = 0.0}},
                                   PLAIN(RS_OP_GLOBAL_AVERAGE_POOL),
                                   LINEAR(3),
                                   PLAIN(RS_OP_SOFTMAX_CROSS_ENTROPY),
                                   END};
    (void)state;
    check("convolution", 2, 6, 3, layers);
}

static void test_other_operators(void **state)
{
    static const layer layers[] = {CONVOLUTION(1, 1, 1, 0, true),
                                   {.kind = RS_OP_REPEAT, .attributes = {.axis = 0, .times = 2}},
                                   PLAIN(RS_OP_SIGMOID),
                                   PLAIN(RS_OP_ROW_NORMALIZE),
                                   {.kind = RS_OP_MATRIX_PRODUCT, .back = 1},
                                   PLAIN(RS_OP_SOFTMAX),
                                   PLAIN(RS_OP_TANH),
                                   {.kind = RS_OP_DIVIDE, .back = 4},
                                   PLAIN(RS_OP_FLATTEN),
                                   LINEAR(2),
                                   PLAIN(RS_OP_MEAN_SQUARED_ERROR),
                                   END};
    static const layer divergence[] = {
        LINEAR(4),
        PLAIN(RS_OP_TANH),
        LINEAR(3),
        {.kind = RS_OP_KL_DIVERGENCE, .attributes = {.reduction = RS_REDUCTION_ELEMENTS}},
        END};
    (void)state;
    check("others", 2, 3, 2, layers);
    check("divergence", 2, 1, 3, divergence);
}

/* A unit that no sample reaches has no second derivatives at all, not nearly none. */
static void test_dead_units(void **state)
{
    static const layer layers[] = {LINEAR(3), PLAIN(RS_OP_RELU), LINEAR(2),
                                   PLAIN(RS_OP_SOFTMAX_CROSS_ENTROPY), END};
    problem p;
    (void)state;
    problem_make(&p, network_of("dead", 2, 1, 2, layers), SAMPLES);
    /* 6 weights and 3 biases of the hidden units, 6 weights and 2 biases of the outputs */
    p.weights[6 + 1] = -100.0;
    double *hessian = calloc((size_t)(p.size * p.size), sizeof *hessian);
    assert_int_equal(p.network->parameters[0].count, 6);
    rs__curvature *curvature = curvature_of(&p, 0, false, 1);
    dense(curvature, &p, hessian);
    int zeros = 0;
    for (int64_t i = 0; i < p.size; i++) {
        bool dead = i == 2 || i == 3 || i == 7 || i == 9 + 1 || i == 9 + 4;
        for (int64_t j = 0; dead && j < p.size; j++) {
            assert_true(hessian[i * p.size + j] == 0.0);
        }
        zeros += hessian[i * p.size + i] == 0.0;
    }
    assert_int_equal(zeros, 5);
    rs__curvature_destroy(curvature);
    free(hessian);
    problem_release(&p);
}

/* The same bits from one thread and several; the same numbers, rounded, from small batches. */
static void test_threads_and_batches(void **state)
{
    problem p;
    (void)state;
    problem_make(&p, network_of("relus", 3, 1, 3, relus), SAMPLES);
    double *got[3], *direction = calloc((size_t)p.size, sizeof *direction);
    const int64_t batch[] = {5, 5, SAMPLES};
    const int threads[] = {1, 3, 1};
    direction[4] = 1.0;
    direction[20] = -0.5;
    for (int i = 0; i < 3; i++) {
        got[i] = calloc((size_t)p.size, sizeof **got);
        rs__curvature *curvature = curvature_of(&p, batch[i], false, threads[i]);
        rs__curvature_product(curvature, p.weights, direction, NULL, NULL, got[i]);
        rs__curvature_destroy(curvature);
    }
    assert_memory_equal(got[0], got[1], (size_t)p.size * sizeof **got);
    harness_close("batches", got[0], got[2], p.size, 1e-13);
    for (int i = 0; i < 3; i++) {
        free(got[i]);
    }
    free(direction);
    problem_release(&p);
}

static void test_refused(void **state)
{
    static const layer lossless[] = {LINEAR(3), END};
    problem p;
    rs__curvature *curvature;
    (void)state;
    problem_make(&p, network_of("lossless", 2, 1, 3, lossless), 4);
    rs__curvature_options options = {
        .network = p.network, .dataset = &p.dataset, .split = &p.dataset.train, .samples = 4};
    harness_fails(rs__curvature_create(&options, &curvature, &error), RS_UNSUPPORTED, &error, "no loss");
    problem_release(&p);
    problem_make(&p, network_of("relus", 3, 1, 3, relus), 4);
    options.network = p.network;
    options.split = &p.dataset.train;
    options.samples = 5;
    harness_fails(rs__curvature_create(&options, &curvature, &error), RS_USAGE, &error, "1 to 4");
    problem_release(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_linear_relu),         cmocka_unit_test(test_convolution),
        cmocka_unit_test(test_other_operators),     cmocka_unit_test(test_dead_units),
        cmocka_unit_test(test_threads_and_batches), cmocka_unit_test(test_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
