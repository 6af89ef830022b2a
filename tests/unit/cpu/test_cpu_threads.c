/* test_cpu_threads.c: our own kernels (batch norm, pooling, softplus, the update and what it measures) give the
 * same bits with any number of threads. Convolution weights' gradients are the library's and are left out. */
#include "nets.h"

#include <string.h>

enum { BATCH = 37, CHANNELS = 21, SIZE = 9, STEPS = 3, METRICS = 8 };

typedef struct outcome {
    float y[BATCH * CHANNELS], values[4][CHANNELS], moments[4][CHANNELS], running[4][CHANNELS];
    double norm, initial[METRICS], previous[METRICS];
    float abs_mean[4], abs_std[4], norms[4];
} outcome;

static void train(const rs_backend *backend, rs_plan *plan, const rs_network *network, outcome *o)
{
    rs_error error = {0};
    rs_update_options update = {.optimizer = RS_OPTIMIZER_ADAM,
                                .learning_rate = 1e-2,
                                .beta1 = 0.9,
                                .beta2 = 0.999,
                                .epsilon = 1e-8,
                                .clip_norm = 0.5,
                                .distances = true,
                                .gradient_stats = true};
    rs_measurement m = {.to_initial = o->initial,
                        .to_previous = o->previous,
                        .gradient_abs_mean = o->abs_mean,
                        .gradient_abs_std = o->abs_std,
                        .gradient_norms = o->norms};
    float *dy = some_values(77, BATCH * CHANNELS);
    for (int step = 0; step < STEPS; step++) {
        load_something(backend, plan, network, BATCH, (uint64_t)step);
        must(backend->forward(plan, RS_MODE_TRAIN, &error));
        must(backend->write_gradient(plan, dy, &error));
        must(backend->backward(plan, RS_LABELS_TRUE, &error));
        must(backend->update(plan, &update, &m, &error));
    }
    o->norm = m.gradient_norm;
    must(backend->read_node(plan, RS_NODE_OUTPUT, network->node_count - 1, o->y, &error));
    for (int i = 0; i < 4; i++) {
        must(backend->read(plan, RS_SLOT_VALUE, i, o->values[i], &error));
        must(backend->read(plan, RS_SLOT_MOMENT2, i, o->moments[i], &error));
        must(backend->read(plan, RS_SLOT_RUNNING, i, o->running[i], &error));
    }
    rs_free(dy);
}

static outcome run(int threads)
{
    rs_error error = {0};
    const rs_backend *backend = rs_cpu_backend();
    rs_device *device = NULL;
    rs_plan *plan = NULL;
    rs_network *network = pool_network(CHANNELS, SIZE);
    int block = -1;
    must(rs_network_add_block(network, "all", &block, &error));
    for (int i = 0; i < network->parameter_count; i++) {
        network->parameters[i].block = block;
    }
    rs_plan_options options = small_options(BATCH);
    must(rs_metric_list_parse("minkowski:1,minkowski:3,euclidean,chebyshev,cosine,correlation",
                              &options.metrics, &error));
    must(backend->open(rs_services(), 0, threads, &device, &error));
    must(backend->plan_create(device, network, &options, &plan, &error));
    fill_parameters(backend, plan, network);
    outcome o;
    memset(&o, 0, sizeof o);
    train(backend, plan, network, &o);
    backend->plan_destroy(plan);
    backend->close(device);
    rs_network_destroy(network);
    return o;
}

static void threads_change_no_bit(void **state)
{
    (void)state;
    outcome one = run(1);
    assert_true(one.norm > 0.0 && one.previous[0] > 0.0 && one.initial[0] > one.previous[0]);
    for (int threads = 2; threads <= 5; threads++) {
        outcome more = run(threads);
        assert_memory_equal(&one, &more, sizeof one);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(threads_change_no_bit)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
