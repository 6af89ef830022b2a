/* test_cpu_fusion.c: batch norm with ReLU, or add and ReLU, in one pass gives the bits of the single steps, in
 * both modes, forwards and backwards, for maps of one, few and many positions. */
#include "nets.h"

#include <string.h>

typedef enum shape { NORM, NORM_RELU, NORM_ADD_RELU } shape;

/* What comes out of input -> batch norm (-> add with the input) (-> relu). */
typedef struct result {
    int64_t count, channels;
    float *y, *dx;
    float dw[64], db[64], mean[64], variance[64];
} result;

static rs_network *make_network(shape which, int64_t channels, int64_t size)
{
    rs_error error = {0};
    rs_network *n = NULL;
    must(rs_network_create("fusion", channels, size, size, 10, &n, &error));
    int a = add_norm(n, "bn", 0);
    if (which == NORM_ADD_RELU) {
        a = add_node(n, "add", RS_OP_ADD, 0, a, 0, (window){0});
    }
    if (which != NORM) {
        (void)add_node(n, "relu", RS_OP_RELU, a, 0, 0, (window){0});
    }
    must(rs_network_finish(n, &error));
    return n;
}

static result run(shape which, int64_t batch, int64_t channels, int64_t size, rs_mode mode, const float *dy)
{
    rs_error error = {0};
    const rs_backend *backend = rs_cpu_backend();
    rs_device *device = NULL;
    rs_plan *plan = NULL;
    rs_network *network = make_network(which, channels, size);
    rs_plan_options options = small_options(batch);
    options.keep_all = true;
    options.input_gradient = true;
    must(backend->open(rs_services(), 0, 2, &device, &error));
    must(backend->plan_create(device, network, &options, &plan, &error));
    fill_parameters(backend, plan, network);
    load_something(backend, plan, network, batch, 3);
    result r = {.count = batch * channels * size * size, .channels = channels};
    r.y = rs_alloc_zero((size_t)r.count * sizeof(float));
    r.dx = rs_alloc_zero((size_t)r.count * sizeof(float));
    must(backend->forward(plan, mode, &error));
    must(backend->read_node(plan, RS_NODE_OUTPUT, network->node_count - 1, r.y, &error));
    if (mode == RS_MODE_TRAIN) {
        must(backend->write_gradient(plan, dy, &error));
        must(backend->backward(plan, RS_LABELS_TRUE, &error));
        must(backend->read_node(plan, RS_NODE_GRADIENT, 0, r.dx, &error));
        must(backend->read(plan, RS_SLOT_GRADIENT, 0, r.dw, &error));
        must(backend->read(plan, RS_SLOT_GRADIENT, 1, r.db, &error));
    }
    must(backend->read(plan, RS_SLOT_RUNNING, 0, r.mean, &error));
    must(backend->read(plan, RS_SLOT_RUNNING, 1, r.variance, &error));
    backend->plan_destroy(plan);
    backend->close(device);
    rs_network_destroy(network);
    return r;
}

static void result_release(result *r)
{
    rs_free(r->y);
    rs_free(r->dx);
}

static void expect_same_statistics(const result *a, const result *b)
{
    size_t bytes = (size_t)a->channels * sizeof(float);
    assert_memory_equal(a->mean, b->mean, bytes);
    assert_memory_equal(a->variance, b->variance, bytes);
    assert_memory_equal(a->dw, b->dw, bytes);
    assert_memory_equal(a->db, b->db, bytes);
}

/* The single steps in plain C around a batch norm alone, against the fused operation. */
static void expect_fused(shape which, int64_t batch, int64_t channels, int64_t size, rs_mode mode)
{
    int64_t count = batch * channels * size * size;
    float *dy = some_values(11, count), *x = some_values(3, count), *masked = some_values(11, count);
    result fused = run(which, batch, channels, size, mode, dy);
    for (int64_t i = 0; i < count; i++) {
        masked[i] = fused.y[i] > 0.0f ? dy[i] : 0.0f;
    }
    result alone = run(NORM, batch, channels, size, mode, masked);
    int64_t positive = 0;
    for (int64_t i = 0; i < count; i++) {
        float z = which == NORM_ADD_RELU ? alone.y[i] + x[i] : alone.y[i];
        assert_true(fused.y[i] == (z > 0.0f ? z : 0.0f));
        positive += z > 0.0f;
        float dx = which == NORM_ADD_RELU && mode == RS_MODE_TRAIN ? masked[i] + alone.dx[i] : alone.dx[i];
        assert_true(fused.dx[i] == dx);
    }
    assert_true(positive > 0 && positive < count);
    expect_same_statistics(&fused, &alone);
    result_release(&fused);
    result_release(&alone);
    rs_free(dy);
    rs_free(x);
    rs_free(masked);
}

static void fused_equals_single_steps(void **state)
{
    (void)state;
    static const int64_t cases[][3] = {{2, 3, 1}, {40, 17, 2}, {5, 16, 7}, {3, 33, 17}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (int mode = RS_MODE_TRAIN; mode <= RS_MODE_EVALUATE; mode++) {
            expect_fused(NORM_RELU, cases[i][0], cases[i][1], cases[i][2], (rs_mode)mode);
            expect_fused(NORM_ADD_RELU, cases[i][0], cases[i][1], cases[i][2], (rs_mode)mode);
        }
    }
}

/* 65,536 values far from zero: the variance keeps float accuracy (a sum of squares in float would not). */
static void statistics_are_accurate(void **state)
{
    (void)state;
    rs_error error = {0};
    const rs_backend *backend = rs_cpu_backend();
    rs_device *device = NULL;
    rs_plan *plan = NULL;
    static const int64_t batch = 256, size = 16;
    rs_network *network = make_network(NORM, 1, size);
    rs_plan_options options = small_options(batch);
    must(backend->open(rs_services(), 0, 2, &device, &error));
    must(backend->plan_create(device, network, &options, &plan, &error));
    int64_t count = batch * size * size;
    float *x = some_values(5, count), zero = 0.0f, mean, variance;
    double sum = 0.0, square = 0.0;
    for (int64_t i = 0; i < count; i++) {
        x[i] += 1000.0f;
        sum += (double)x[i];
    }
    for (int64_t i = 0; i < count; i++) {
        double d = (double)x[i] - sum / (double)count;
        square += d * d;
    }
    must(backend->write(plan, RS_SLOT_RUNNING, 0, &zero, &error));
    must(backend->write(plan, RS_SLOT_RUNNING, 1, &zero, &error));
    must(backend->load_values(plan, x, NULL, NULL, batch, &error));
    must(backend->forward(plan, RS_MODE_TRAIN, &error));
    must(backend->read(plan, RS_SLOT_RUNNING, 0, &mean, &error));
    must(backend->read(plan, RS_SLOT_RUNNING, 1, &variance, &error));
    double want_mean = 0.1 * sum / (double)count, want_variance = 0.1 * square / (double)(count - 1);
    assert_true(mean / want_mean > 1.0 - 2e-7 && mean / want_mean < 1.0 + 2e-7);
    assert_true(variance / want_variance > 1.0 - 1e-6 && variance / want_variance < 1.0 + 1e-6);
    backend->plan_destroy(plan);
    backend->close(device);
    rs_network_destroy(network);
    rs_free(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fused_equals_single_steps),
        cmocka_unit_test(statistics_are_accurate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
