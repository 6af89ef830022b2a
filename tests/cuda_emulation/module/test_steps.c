/* test_steps.c: whole training steps of the module under the stand-in: values that come in every way, graphs that follow what
 * changes from step to step, plans that share memory, and bytes that stay as they are. */
#include <stdlib.h>
#include <string.h>

#include "harness.h"

#include "rs/host.h"
#include "standin.h"

enum { COUNT = 6, BATCHES = 14, SAMPLES = 29, MOST = 1 << 14 };

/* clang-format off */
#define LINEAR(k)  {RS_OP_LINEAR, {.channels = (k), .bias = true}, {RS_CHECK_PREVIOUS}}
#define CONV(k)    {RS_OP_CONVOLUTION, {.channels = (k), .kernel = 3, .stride = 1, .padding = 1}, {RS_CHECK_PREVIOUS}}
#define NORM       {RS_OP_BATCH_NORM, {.epsilon = 1e-5, .momentum = 0.1}, {RS_CHECK_PREVIOUS}}
#define PLAIN(op)  {RS_OP_##op, {0}, {RS_CHECK_PREVIOUS, RS_CHECK_PREVIOUS}}
#define OF(op, a)  {RS_OP_##op, {0}, {(a), (a)}}
#define TWO(op, a, b) {RS_OP_##op, {0}, {(a), (b)}}

/* 4 numbers of a sample, mean squared error. */
static const rs_check_case curve = {"curve", {6, 1, 1}, {COUNT, 0}, RS_FILL_NORMAL,
    {LINEAR(16), PLAIN(TANH), LINEAR(4), PLAIN(MEAN_SQUARED_ERROR)}};
/* Maps, operators of two inputs whose second nobody else keeps, a head on the way (nodes 4 and 5) and labels. */
static const rs_check_case maps = {"maps", {3, 6, 6}, {COUNT, 0}, RS_FILL_NORMAL,
    {CONV(8), NORM, OF(RELU, 2), {RS_OP_LINEAR, {.channels = 10}, {3, 3}}, OF(SOFTMAX_CROSS_ENTROPY, 4),
     OF(SOFTPLUS, 3), TWO(DIVIDE, 3, 6), TWO(MATRIX_PRODUCT, 3, 7), PLAIN(TANH),
     {RS_OP_DROPOUT, {.rate = 0.25}, {RS_CHECK_PREVIOUS}}, LINEAR(10), PLAIN(KL_DIVERGENCE)}};
/* Three channels, which get a fourth. */
static const rs_check_case colours = {"colours", {3, 6, 6}, {COUNT, 0}, RS_FILL_NORMAL,
    {CONV(8), PLAIN(TANH), LINEAR(10), PLAIN(SOFTMAX_CROSS_ENTROPY)}};
/* Windows of max pooling that are too wide, or too far apart. */
static const rs_check_case pools[] = {
    {"wide", {1, 20, 20}, {1, 0}, RS_FILL_NORMAL, {{RS_OP_MAX_POOL, {.kernel = 17, .stride = 1}, {RS_CHECK_PREVIOUS}}}},
    {"far", {1, 70, 70}, {1, 0}, RS_FILL_NORMAL, {{RS_OP_MAX_POOL, {.kernel = 2, .stride = 65}, {RS_CHECK_PREVIOUS}}}}};
/* clang-format on */

static rs_check_machine machine;

/* --- a training ------------------------------------------------------------------------------------------- */

/* How a batch gets in. */
typedef enum way { HELD, BROUGHT, LOADED } way;

/* What a training is, and what it leaves. */
typedef struct training {
    const rs_check_case *c;
    way ways[BATCHES];
    rs_label_choice labels[BATCHES];
    bool other_samples; /* what is brought is not what is held */
    bool keep_all, frozen_norm, frozen_first, no_graph, lean, no_epsilon;
    rs_network *network;
    rs_plan *plan;
    rs_split split;
    double losses[BATCHES];
    float values[MOST], running[MOST];
    size_t value_count, running_count;
} training;

static float samples[SAMPLES * 108], targets[SAMPLES * 4];
static int32_t labels_of_samples[SAMPLES];

static void fill_samples(void)
{
    for (int i = 0; i < SAMPLES * 108; i++) {
        samples[i] = (float)((i * 7919 + 13) % 1009) / 504.5f - 1.0f;
    }
    for (int i = 0; i < SAMPLES * 4; i++) {
        targets[i] = (float)((i * 31) % 17) / 8.0f - 1.0f;
    }
    rs_fill_labels(5, 10, labels_of_samples, SAMPLES);
}

static bool is_curve(const training *t)
{
    return t->c == &curve;
}

static int64_t floats_of_sample(const training *t)
{
    return t->c->shape[0] * t->c->shape[1] * t->c->shape[2];
}

static void write_values(const training *t)
{
    rs_error error = {0};
    float values[MOST];
    for (int i = 0; i < t->network->parameter_count; i++) {
        rs_parameter_initialize(&t->network->parameters[i], 3, values);
        for (int64_t k = 0; k < t->network->parameters[i].count; k++) {
            values[k] += 0.01f * (float)(k % 7);
        }
        harness_ok(machine.backend->write(t->plan, RS_SLOT_VALUE, i, values, &error), &error);
    }
    for (int i = 0; i < t->network->buffer_count; i++) {
        rs_parameter_initialize(&t->network->buffers[i], 3, values);
        harness_ok(machine.backend->write(t->plan, RS_SLOT_RUNNING, i, values, &error), &error);
    }
}

/* In one row each. */
static void read_values(training *t)
{
    rs_error error = {0};
    t->value_count = t->running_count = 0;
    for (int i = 0; i < t->network->parameter_count; i++) {
        assert_true(t->value_count + (size_t)t->network->parameters[i].count <= MOST);
        harness_ok(machine.backend->read(t->plan, RS_SLOT_VALUE, i, t->values + t->value_count, &error),
                   &error);
        t->value_count += (size_t)t->network->parameters[i].count;
    }
    for (int i = 0; i < t->network->buffer_count; i++) {
        harness_ok(machine.backend->read(t->plan, RS_SLOT_RUNNING, i, t->running + t->running_count, &error),
                   &error);
        t->running_count += (size_t)t->network->buffers[i].count;
    }
}

static void make_plan(training *t)
{
    static const rs_objective objectives[] = {{.node = 5, .weight = 0.5},
                                              {.node = 8, .target = 0.1, .weight = 2.0}};
    static bool frozen[64];
    rs_error error = {0};
    rs_plan_options options = {.batch_size_count = 1,
                               .batch_sizes = {COUNT},
                               .memory = t->lean ? RS_MEMORY_LEAN : RS_MEMORY_FAST,
                               .training = true,
                               .std = {1.0f, 1.0f, 1.0f, 1.0f},
                               .dropout_seed = 9,
                               .optimizer = RS_OPTIMIZER_RMSPROP,
                               .keep_all = t->keep_all,
                               .objectives = objectives,
                               .objective_count = t->c == &maps ? 2 : 0,
                               .frozen = frozen};
    harness_ok(rs_check_network(t->c, &t->network, &error), &error);
    for (int i = 0; i < t->network->parameter_count; i++) {
        int node = t->network->parameters[i].node;
        frozen[i] = (t->frozen_norm && node == 2) || (t->frozen_first && node == 1);
    }
    assert_int_equal(setenv("RS_CUDA_GRAPH", t->no_graph ? "0" : "1", 1), 0);
    harness_ok(machine.backend->plan_create(machine.device, t->network, &options, &t->plan, &error), &error);
    write_values(t);
}

static void load_held_or_brought(const training *t, way how, const int64_t *ids)
{
    rs_error error = {0};
    float values[COUNT * 108], wanted[COUNT * 4];
    int32_t labels[COUNT];
    int64_t floats = floats_of_sample(t);
    for (int i = 0; i < COUNT; i++) {
        memcpy(values + i * floats, samples + ids[i] * floats, (size_t)floats * sizeof *values);
        memcpy(wanted + i * 4, targets + ids[i] * 4, 4 * sizeof *wanted);
        labels[i] = labels_of_samples[ids[i]];
    }
    for (int64_t i = 0; t->other_samples && i < COUNT * floats; i++) {
        values[i] = -values[i];
    }
    const rs_batch batch = {.count = COUNT,
                            .labels = is_curve(t) ? NULL : labels,
                            .values = how == HELD ? NULL : values,
                            .targets = is_curve(t) ? wanted : NULL,
                            .sample_ids = ids,
                            .split = how == HELD ? &t->split : NULL,
                            .epoch = 2};
    if (how == LOADED) {
        harness_ok(machine.backend->load_values(t->plan, values, batch.labels, batch.targets, COUNT, &error),
                   &error);
    } else {
        harness_ok(machine.backend->load_batch(t->plan, &batch, &error), &error);
    }
}

static void one_step(training *t, int step)
{
    rs_error error = {0};
    const rs_update_options update = {.optimizer = RS_OPTIMIZER_RMSPROP,
                                      .learning_rate = 0.01,
                                      .alpha = 0.9,
                                      .epsilon = t->no_epsilon ? 0.0 : 1e-8};
    rs_measurement measured = {0};
    rs_loss loss;
    bool taken;
    int64_t ids[COUNT];
    for (int i = 0; i < COUNT; i++) {
        ids[i] = (step * 11 + i * 5) % SAMPLES;
    }
    load_held_or_brought(t, t->ways[step], ids);
    harness_ok(machine.backend->forward(t->plan, RS_MODE_TRAIN, &error), &error);
    harness_ok(machine.backend->backward(t->plan, t->labels[step], &error), &error);
    harness_ok(machine.backend->update_later(t->plan, &update, &error), &error);
    harness_ok(machine.backend->next_result(t->plan, true, &loss, &measured, &taken, &error), &error);
    assert_true(taken && loss.loss == loss.loss && measured.gradient_norm > 0.0);
    t->losses[step] = loss.loss;
}

static void begin(training *t)
{
    rs_error error = {0};
    make_plan(t);
    t->split = (rs_split){.count = SAMPLES,
                          .labels = is_curve(t) ? NULL : labels_of_samples,
                          .values = samples,
                          .targets = is_curve(t) ? targets : NULL};
    harness_ok(machine.backend->hold_split(t->plan, &t->split, &error), &error);
}

static void end(training *t)
{
    read_values(t);
    machine.backend->plan_destroy(t->plan);
    rs_network_destroy(t->network);
}

static void run(training *t)
{
    begin(t);
    for (int step = 0; step < BATCHES; step++) {
        one_step(t, step);
    }
    end(t);
}

static training *make(const rs_check_case *c, way how)
{
    training *t = calloc(1, sizeof *t);
    assert_non_null(t);
    t->c = c;
    for (int i = 0; i < BATCHES; i++) {
        t->ways[i] = how;
    }
    return t;
}

static void same_bits(const training *a, const training *b)
{
    assert_memory_equal(a->losses, b->losses, sizeof a->losses);
    assert_int_equal(a->value_count, b->value_count);
    assert_memory_equal(a->values, b->values, a->value_count * sizeof *a->values);
    assert_memory_equal(a->running, b->running, a->running_count * sizeof *a->running);
}

/* --- tests ------------------------------------------------------------------------------------------------ */

static void values_by_any_way(void **state)
{
    training *held = make(&curve, HELD), *brought = make(&curve, BROUGHT), *loaded = make(&curve, LOADED);
    (void)state;
    run(held);
    run(brought);
    run(loaded);
    same_bits(held, brought);
    same_bits(held, loaded);
    assert_true(held->losses[BATCHES - 1] < held->losses[0]);
    free(held);
    free(brought);
    free(loaded);
}

/* Labels, targets' absence, dropout by samples' numbers. */
static void maps_held_or_brought(void **state)
{
    training *held = make(&maps, HELD), *brought = make(&maps, BROUGHT);
    (void)state;
    run(held);
    run(brought);
    same_bits(held, brought);
    free(held);
    free(brought);
}

/* Whose labels and where batches come from may change: a graph of other steps is no graph of these. */
static void graphs_follow(void **state)
{
    training *graphs = make(&maps, HELD), *plain = make(&maps, HELD), *other = make(&maps, HELD);
    (void)state;
    for (int i = 0; i < BATCHES; i++) { /* three are the first that has a graph */
        graphs->labels[i] = i < 4 ? RS_LABELS_TRUE : i < 8 ? RS_LABELS_BOTH : RS_LABELS_PREDICTED;
        graphs->ways[i] = i == 5 || i > 10 ? BROUGHT : HELD;
        plain->labels[i] = graphs->labels[i];
        plain->ways[i] = graphs->ways[i];
    }
    plain->no_graph = graphs->other_samples = plain->other_samples = true;
    uint64_t before = rs_emu_calls("cudaGraphLaunch");
    run(graphs);
    assert_true(rs_emu_calls("cudaGraphLaunch") >= before + 3);
    before = rs_emu_calls("cudaGraphLaunch");
    run(plain);
    assert_int_equal(rs_emu_calls("cudaGraphLaunch"), before);
    same_bits(graphs, plain);
    run(other);
    assert_memory_not_equal(graphs->losses + 5, other->losses + 5, sizeof(double)); /* the choice matters */
    free(graphs);
    free(plain);
    free(other);
}

static void memory_is_shared(void **state)
{
    (void)state;
    for (int k = 0; k < 2; k++) {
        training *shared = make(&maps, HELD), *all = make(&maps, HELD), *lean = make(&maps, HELD);
        shared->frozen_norm = all->frozen_norm = lean->frozen_norm = k == 1;
        all->keep_all = lean->lean = true;
        run(shared);
        run(all);
        run(lean);
        same_bits(shared, all);
        same_bits(shared, lean);
        free(shared);
        free(all);
        free(lean);
    }
}

/* Parameters, and a batch norm's running statistics, with graphs and without. */
static void frozen_bytes_stay(void **state)
{
    training *t = make(&maps, HELD), *free_one = make(&maps, HELD);
    float before[MOST], running[MOST];
    (void)state;
    t->frozen_norm = t->frozen_first = true;
    begin(t);
    read_values(t);
    memcpy(before, t->values, sizeof before);
    memcpy(running, t->running, sizeof running);
    for (int step = 0; step < BATCHES; step++) {
        one_step(t, step);
    }
    size_t frozen = (size_t)(t->network->parameters[0].count + t->network->parameters[1].count +
                             t->network->parameters[2].count);
    assert_int_equal(t->network->parameters[2].node, 2);
    end(t);
    assert_memory_equal(t->values, before, frozen * sizeof *before);
    assert_memory_not_equal(t->values + frozen, before + frozen, (t->value_count - frozen) * sizeof *before);
    assert_memory_equal(t->running, running, t->running_count * sizeof *running);
    run(free_one);
    assert_memory_not_equal(free_one->values, before, frozen * sizeof *before);
    assert_memory_not_equal(free_one->running, running, t->running_count * sizeof *running);
    free(t);
    free(free_one);
}

static void windows_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof pools / sizeof pools[0]; i++) {
        rs_error error = {0};
        rs_network *network;
        rs_plan *plan = NULL;
        const rs_plan_options options = {.batch_size_count = 1, .batch_sizes = {1}};
        harness_ok(rs_check_network(&pools[i], &network, &error), &error);
        harness_fails(machine.backend->plan_create(machine.device, network, &options, &plan, &error),
                      RS_UNSUPPORTED, &error, "strides 64");
        assert_null(plan);
        rs_network_destroy(network);
    }
}

/* The fourth channel of weights has gradients of 0: without an epsilon 0 / 0, were it updated. */
static void padding_is_no_parameter(void **state)
{
    training *t = make(&colours, HELD);
    (void)state;
    t->no_epsilon = true;
    run(t);
    assert_true(t->losses[BATCHES - 1] < t->losses[0]);
    free(t);
}

/* Once it is under way, with values that are held or brought. */
static void a_step_takes_nothing(void **state)
{
    static const char *const forbidden[] = {
        "cudaMalloc",           "cudaFree", "cudaHostAlloc", "cudaMallocHost", "cudaStreamSynchronize",
        "cudaDeviceSynchronize"};
    (void)state;
    for (int k = 0; k < 2; k++) {
        training *t = make(&curve, k == 0 ? HELD : BROUGHT);
        uint64_t calls[sizeof forbidden / sizeof forbidden[0]];
        begin(t);
        for (int step = 0; step < BATCHES; step++) {
            for (size_t i = 0; step == 5 && i < sizeof forbidden / sizeof forbidden[0]; i++) {
                calls[i] = rs_emu_calls(forbidden[i]);
            }
            one_step(t, step);
        }
        for (size_t i = 0; i < sizeof forbidden / sizeof forbidden[0]; i++) {
            assert_int_equal(rs_emu_calls(forbidden[i]), calls[i]);
        }
        end(t);
        free(t);
    }
}

static void refused_batches(void **state)
{
    rs_error error = {0};
    training *t = make(&curve, HELD);
    const rs_batch bare = {.count = COUNT, .values = samples};
    rs_sensitivity sensitivity;
    (void)state;
    begin(t);
    harness_ok(machine.backend->load_batch(t->plan, &bare, &error), &error);
    harness_fails(machine.backend->forward(t->plan, RS_MODE_TRAIN, &error), RS_USAGE, &error,
                  "needs targets");
    harness_fails(machine.backend->read_sensitivity(t->plan, &sensitivity, &error), RS_UNSUPPORTED, &error,
                  NULL);
    t->network->classes = 3;
    const rs_batch other = {.count = COUNT, .values = samples, .targets = targets};
    harness_fails(machine.backend->load_batch(t->plan, &other, &error), RS_USAGE, &error, "targets have 3");
    t->network->classes = 4;
    end(t);
    free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_by_any_way),
        cmocka_unit_test(maps_held_or_brought),
        cmocka_unit_test(graphs_follow),
        cmocka_unit_test(memory_is_shared),
        cmocka_unit_test(frozen_bytes_stay),
        cmocka_unit_test(a_step_takes_nothing),
        cmocka_unit_test(refused_batches),
        cmocka_unit_test(padding_is_no_parameter),
        cmocka_unit_test(windows_that_do_not_fit_are_refused),
    };
    fill_samples();
    return harness_run(tests, &machine, "cuda", 1);
}
