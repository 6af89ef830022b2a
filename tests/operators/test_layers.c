/* test_layers.c BACKEND: objectives of layers beyond the operator cases: what is measured, in every layer of a ResNet and
 * by every way out of a plan; and that measuring alone changes no bit of a training. */
#include <math.h>
#include <string.h>

#include "harness.h"
#include "rs/host.h"

enum {
    BATCH = 5,
    SMALLER = 3,
    CLASSES = 10,
    SIDE = 16,
    PIXELS = 3 * SIDE * SIDE,
    STEPS = 5,
    MOST_NODES = 128
};

static const char *backend_name = "ref";
static rs_check_machine machine;

/* A residual ResNet with one block in each stage, and a plan for it. */
typedef struct subject {
    rs_network *network;
    rs_plan *plan;
    rs_objective objectives[MOST_NODES];
    int objective_count;
} subject;

static subject make_subject(void)
{
    rs_error error = {0};
    rs_resnet_options options = {.depth = 18,
                                 .blocks = {1, 1, 1, 1},
                                 .channels = 3,
                                 .height = SIDE,
                                 .width = SIDE,
                                 .classes = CLASSES};
    subject s = {0};
    harness_ok(rs_resnet_build(&options, &s.network, &error), &error);
    assert_true(s.network->node_count <= MOST_NODES);
    return s;
}

/* Objectives at every `stride`-th node that can have one. */
static void aim(subject *s, int stride, double weight)
{
    for (int i = 1; i < s->network->node_count - 1; i += stride) {
        s->objectives[s->objective_count++] =
            (rs_objective){.node = i, .target = 0.1 * i - 1.0, .weight = weight};
    }
}

static void initialize(const subject *s)
{
    rs_error error = {0};
    const rs_network *network = s->network;
    for (int i = 0; i < network->parameter_count + network->buffer_count; i++) {
        bool buffer = i >= network->parameter_count;
        int index = buffer ? i - network->parameter_count : i;
        const rs_parameter *p = buffer ? &network->buffers[index] : &network->parameters[index];
        float *values = rs_alloc_array((size_t)p->count, sizeof *values);
        rs_parameter_initialize(p, 7, values);
        harness_ok(
            machine.backend->write(s->plan, buffer ? RS_SLOT_RUNNING : RS_SLOT_VALUE, index, values, &error),
            &error);
        rs_free(values);
    }
}

static void open_plan(subject *s, bool keep_all, rs_memory_choice memory)
{
    rs_error error = {0};
    rs_plan_options options = {.batch_size_count = 2,
                               .batch_sizes = {BATCH, SMALLER},
                               .memory = memory,
                               .training = true,
                               .mean = {0.5F, 0.5F, 0.5F},
                               .std = {0.25F, 0.25F, 0.25F, 1.0F},
                               .optimizer = RS_OPTIMIZER_ADAM,
                               .keep_all = keep_all,
                               .objectives = s->objectives,
                               .objective_count = s->objective_count};
    harness_ok(machine.backend->plan_create(machine.device, s->network, &options, &s->plan, &error), &error);
    initialize(s);
}

static void close_subject(subject *s)
{
    machine.backend->plan_destroy(s->plan);
    rs_network_destroy(s->network);
}

static void load(const subject *s, int step, int64_t count)
{
    rs_error error = {0};
    uint8_t images[BATCH * PIXELS];
    int32_t labels[BATCH];
    for (int64_t i = 0; i < count * PIXELS; i++) {
        images[i] = (uint8_t)((i * 37 + i / 251 + step * 101) % 256);
    }
    rs_fill_labels((uint64_t)step, CLASSES, labels, count);
    rs_batch batch = {.count = count, .images = images, .labels = labels};
    harness_ok(machine.backend->load_batch(s->plan, &batch, &error), &error);
}

/* --- what is measured ------------------------------------------------------------------------------------- */

/* From the node's output, element after element. */
static void expect_values(const subject *s, int objective, int64_t count, double loss, double mean)
{
    rs_error error = {0};
    const rs_objective *o = &s->objectives[objective];
    const rs_node *node = &s->network->nodes[o->node];
    int64_t elements = count * node->shape[0] * node->shape[1] * node->shape[2];
    float *y = rs_alloc_array((size_t)elements, sizeof *y);
    double sum = 0.0, square = 0.0;
    harness_ok(machine.backend->read_node(s->plan, RS_NODE_OUTPUT, o->node, y, &error), &error);
    for (int64_t i = 0; i < elements; i++) {
        sum += (double)y[i];
        square += ((double)y[i] - o->target) * ((double)y[i] - o->target);
    }
    rs_free(y);
    square /= (double)elements;
    sum /= (double)elements;
    if (!(fabs(loss - square) <= 1e-12 * square && fabs(mean - sum) <= 1e-12 * (1.0 + sqrt(square)))) {
        fail_msg("%s: loss %.17g instead of %.17g, mean %.17g instead of %.17g", node->name, loss, square,
                 mean, sum);
    }
}

static void means_are_those_of_the_outputs(void **state)
{
    (void)state;
    rs_error error = {0};
    double losses[MOST_NODES], means[MOST_NODES];
    subject s = make_subject();
    aim(&s, 1, 0.0);
    open_plan(&s, true, RS_MEMORY_FAST);
    for (int k = 0; k < 4; k++) {
        int64_t count = k % 2 ? SMALLER : BATCH;
        load(&s, k, count);
        harness_ok(machine.backend->forward(s.plan, k < 2 ? RS_MODE_TRAIN : RS_MODE_EVALUATE, &error),
                   &error);
        harness_ok(machine.backend->read_layers(s.plan, losses, means, &error), &error);
        for (int i = 0; i < s.objective_count; i++) {
            expect_values(&s, i, count, losses[i], means[i]);
        }
    }
    close_subject(&s);
}

/* --- training --------------------------------------------------------------------------------------------- */

/* What a training leaves behind. */
typedef struct trace {
    double losses[STEPS], norms[STEPS];
    double layer_losses[STEPS][MOST_NODES], layer_means[STEPS][MOST_NODES];
    float *weights; /* all parameters, one after the other */
} trace;

static void step(const subject *s, int index, trace *t)
{
    rs_error error = {0};
    rs_device_info info;
    rs_measurement m = {.layer_losses = t->layer_losses[index], .layer_means = t->layer_means[index]};
    rs_loss loss;
    bool taken = true;
    const rs_update_options update = {
        .optimizer = RS_OPTIMIZER_ADAM, .learning_rate = 1e-3, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8};
    machine.backend->info(machine.device, &info);
    load(s, index, BATCH);
    harness_ok(machine.backend->forward(s->plan, RS_MODE_TRAIN, &error), &error);
    harness_ok(machine.backend->backward(s->plan, RS_LABELS_TRUE, &error), &error);
    if (info.capabilities & RS_CAN_RUN_AHEAD) {
        harness_ok(machine.backend->update_later(s->plan, &update, &error), &error);
        harness_ok(machine.backend->next_result(s->plan, true, &loss, &m, &taken, &error), &error);
        assert_true(taken);
    } else {
        harness_ok(machine.backend->update(s->plan, &update, &m, &error), &error);
        harness_ok(machine.backend->read_loss(s->plan, &loss, &error), &error);
    }
    t->losses[index] = loss.loss;
    t->norms[index] = m.gradient_norm;
}

/* read_layers says the same as the results of the step. */
static void expect_read(const subject *s, int index, const trace *t)
{
    rs_error error = {0};
    double losses[MOST_NODES], means[MOST_NODES];
    size_t bytes = (size_t)s->objective_count * sizeof(double);
    harness_ok(machine.backend->read_layers(s->plan, losses, means, &error), &error);
    assert_memory_equal(losses, t->layer_losses[index], bytes);
    assert_memory_equal(means, t->layer_means[index], bytes);
}

static trace *train(subject *s, rs_memory_choice memory)
{
    rs_error error = {0};
    trace *t = rs_alloc_zero(sizeof *t);
    open_plan(s, false, memory);
    for (int i = 0; i < STEPS; i++) {
        step(s, i, t);
        expect_read(s, i, t);
    }
    t->weights = rs_alloc_array((size_t)s->network->weight_count, sizeof(float));
    int64_t at = 0;
    for (int i = 0; i < s->network->parameter_count; i++) {
        harness_ok(machine.backend->read(s->plan, RS_SLOT_VALUE, i, t->weights + at, &error), &error);
        at += s->network->parameters[i].count;
    }
    return t;
}

static bool same_training(const subject *s, const trace *a, const trace *b)
{
    return memcmp(a->losses, b->losses, sizeof a->losses) == 0 &&
           memcmp(a->norms, b->norms, sizeof a->norms) == 0 &&
           memcmp(a->weights, b->weights, (size_t)s->network->weight_count * sizeof(float)) == 0;
}

static void release(trace *t)
{
    rs_free(t->weights);
    rs_free(t);
}

static void measuring_changes_no_bit(void **state)
{
    (void)state;
    for (int k = 0; k < 3; k++) { /* everything, some of it, everything with --memory lean */
        rs_memory_choice memory = k == 2 ? RS_MEMORY_LEAN : RS_MEMORY_FAST;
        subject without = make_subject(), with = make_subject();
        aim(&with, k == 1 ? 3 : 1, 0.0);
        trace *a = train(&without, memory), *b = train(&with, memory);
        assert_true(same_training(&with, a, b));
        release(a);
        release(b);
        close_subject(&without);
        close_subject(&with);
    }
}

static void weights_do_not_stay_what_they_are(void **state)
{
    (void)state;
    subject without = make_subject(), with = make_subject();
    aim(&with, 4, 1e-3);
    trace *a = train(&without, RS_MEMORY_FAST), *b = train(&with, RS_MEMORY_FAST);
    assert_true(memcmp(&a->losses[0], &b->losses[0], sizeof(double)) == 0); /* the task's loss, as ever */
    assert_false(same_training(&with, a, b));
    release(a);
    release(b);
    close_subject(&without);
    close_subject(&with);
}

/* The same with all tensors kept for as long as their readers need them and no longer, or computed again. */
static void lean_memory_changes_no_bit(void **state)
{
    (void)state;
    subject fast = make_subject(), lean = make_subject();
    aim(&fast, 2, 0.5);
    aim(&lean, 2, 0.5);
    trace *a = train(&fast, RS_MEMORY_FAST), *b = train(&lean, RS_MEMORY_LEAN);
    assert_true(same_training(&fast, a, b));
    assert_memory_equal(a->layer_losses, b->layer_losses, sizeof a->layer_losses);
    assert_memory_equal(a->layer_means, b->layer_means, sizeof a->layer_means);
    release(a);
    release(b);
    close_subject(&fast);
    close_subject(&lean);
}

/* An objective of its own makes its layer's loss smaller. */
static void an_objective_is_followed(void **state)
{
    (void)state;
    subject s = make_subject();
    int node = rs_network_find_node(s.network, "bn1");
    assert_true(node > 0);
    s.objectives[s.objective_count++] = (rs_objective){.node = node, .target = 0.5, .weight = 100.0};
    trace *t = train(&s, RS_MEMORY_FAST);
    for (int i = 1; i < STEPS; i++) {
        assert_true(t->layer_losses[i][0] < t->layer_losses[i - 1][0]);
    }
    release(t);
    close_subject(&s);
}

static void misuse_is_named(void **state)
{
    (void)state;
    rs_error error = {0};
    double losses[1], means[1];
    subject s = make_subject();
    rs_plan *plan = NULL;
    int loss = s.network->node_count - 1;
    const rs_objective bad[] = {{.node = 0}, {.node = loss}, {.node = loss + 1}, {.node = 1, .weight = NAN}};
    rs_plan_options options = {.batch_size_count = 1, .batch_sizes = {BATCH}, .objective_count = 1};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        options.objectives = &bad[i];
        harness_fails(machine.backend->plan_create(machine.device, s.network, &options, &plan, &error),
                      RS_USAGE, &error, "objective");
        assert_null(plan);
    }
    aim(&s, 200, 0.0);
    open_plan(&s, false, RS_MEMORY_FAST);
    assert_true(machine.backend->read_layers(s.plan, losses, means, &error) != RS_OK); /* nothing ran */
    close_subject(&s);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(means_are_those_of_the_outputs),    cmocka_unit_test(measuring_changes_no_bit),
        cmocka_unit_test(weights_do_not_stay_what_they_are), cmocka_unit_test(lean_memory_changes_no_bit),
        cmocka_unit_test(an_objective_is_followed),          cmocka_unit_test(misuse_is_named),
    };
    backend_name = argc > 1 ? argv[1] : backend_name;
    return harness_run(tests, &machine, backend_name, 2);
}
