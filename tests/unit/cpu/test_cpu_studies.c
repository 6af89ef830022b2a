/* test_cpu_studies.c: what studies ask of a plan, on the cpu backend against the reference: losses on the way, cuts, frozen
 * parameters, choices of labels, backward after evaluation, targets, sensitivity, and no gradient where none is wanted. */
#include "nets.h"
#include "plan.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 5, CLASSES = 10, MOST = 20000 };
#define TOLERANCE 2e-5

/* One backend with a plan for the same network. */
typedef struct side {
    const rs_backend *backend;
    rs_device *device;
    rs_plan *plan;
} side;

static side open_side(const rs_backend *backend, const rs_network *network, const rs_plan_options *options)
{
    rs_error error = {0};
    side s = {.backend = backend};
    must(backend->open(rs_services(), 0, 2, &s.device, &error));
    must(backend->plan_create(s.device, network, options, &s.plan, &error));
    fill_parameters(backend, s.plan, network);
    return s;
}

static void close_side(side *s)
{
    s->backend->plan_destroy(s->plan);
    s->backend->close(s->device);
}

/* Relative, in the L2 norm; NaN fails. Returns the norm of what was wanted. */
static double expect_close(const char *what, const float *got, const float *want, int64_t count)
{
    double difference = 0.0, norm = 0.0;
    for (int64_t i = 0; i < count; i++) {
        double d = (double)got[i] - (double)want[i];
        difference += d * d;
        norm += (double)want[i] * (double)want[i];
    }
    if (!(sqrt(difference) <= TOLERANCE * sqrt(norm))) {
        fail_msg("%s: off by %g of %g", what, sqrt(difference), sqrt(norm));
    }
    return sqrt(norm);
}

static void expect_near(const char *what, double got, double want)
{
    float a = (float)got, b = (float)want;
    (void)expect_close(what, &a, &b, 1);
}

/* A gradient on both sides; exactly zero where the parameter has none. */
static void expect_gradient(side *cpu, side *ref, const rs_network *network, int parameter, bool none)
{
    static float got[MOST], want[MOST];
    rs_error error = {0};
    const rs_parameter *p = &network->parameters[parameter];
    assert_true(p->count <= MOST);
    must(cpu->backend->read(cpu->plan, RS_SLOT_GRADIENT, parameter, got, &error));
    must(ref->backend->read(ref->plan, RS_SLOT_GRADIENT, parameter, want, &error));
    double norm = expect_close(p->name, got, want, p->count);
    assert_true(none ? norm == 0.0 : norm > 0.0);
    for (int64_t i = 0; none && i < p->count; i++) {
        assert_true(got[i] == 0.0f);
    }
}

static void expect_running(side *cpu, side *ref, const rs_network *network)
{
    float got[64], want[64];
    rs_error error = {0};
    for (int i = 0; i < network->buffer_count; i++) {
        must(cpu->backend->read(cpu->plan, RS_SLOT_RUNNING, i, got, &error));
        must(ref->backend->read(ref->plan, RS_SLOT_RUNNING, i, want, &error));
        (void)expect_close(network->buffers[i].name, got, want, network->buffers[i].count);
    }
}

static void load_both(side sides[2], const rs_network *network, uint64_t seed)
{
    rs_error error = {0};
    const int64_t *shape = network->nodes[0].shape;
    float *values = some_values(seed, BATCH * shape[0] * shape[1] * shape[2]);
    float *targets = some_values(seed + 50, BATCH * CLASSES);
    int32_t labels[BATCH];
    for (int i = 0; i < BATCH; i++) {
        labels[i] = (int32_t)((i * 7 + (int)seed) % CLASSES);
    }
    for (int k = 0; k < 2; k++) {
        must(sides[k].backend->load_values(sides[k].plan, values, labels, targets, BATCH, &error));
    }
    rs_free(values);
    rs_free(targets);
}

/* What one case runs. */
typedef struct study {
    rs_plan_options options;
    rs_mode mode;
    rs_label_choice labels;
    const bool *none; /* [parameter] has no gradient; NULL: all have one */
} study;

static void compare_losses(side *cpu, side *ref, int objectives)
{
    rs_error error = {0};
    rs_loss got, want;
    double a[8], b[8];
    must(cpu->backend->read_loss(cpu->plan, &got, &error));
    must(ref->backend->read_loss(ref->plan, &want, &error));
    expect_near("loss", got.loss, want.loss);
    assert_int_equal(got.correct, want.correct);
    must(cpu->backend->read_layers(cpu->plan, a, a + 4, &error));
    must(ref->backend->read_layers(ref->plan, b, b + 4, &error));
    for (int i = 0; i < objectives; i++) {
        expect_near("layer's loss", a[i], b[i]);
        expect_near("layer's mean", a[4 + i], b[4 + i]);
    }
}

static void compare_sensitivity(side *cpu, side *ref)
{
    rs_error error = {0};
    rs_sensitivity got, want;
    must(cpu->backend->read_sensitivity(cpu->plan, &got, &error));
    must(ref->backend->read_sensitivity(ref->plan, &want, &error));
    expect_near("sensitivity of the batch", got.batch, want.batch);
    expect_near("sensitivity of a sample", got.sample, want.sample);
}

static void run_study(const rs_network *network, const study *s)
{
    rs_error error = {0};
    side sides[2] = {open_side(rs_cpu_backend(), network, &s->options),
                     open_side(rs_ref_backend(), network, &s->options)};
    load_both(sides, network, 3);
    for (int k = 0; k < 2; k++) {
        must(sides[k].backend->forward(sides[k].plan, s->mode, &error));
        must(sides[k].backend->backward(sides[k].plan, s->labels, &error));
    }
    compare_losses(&sides[0], &sides[1], s->options.objective_count);
    for (int i = 0; i < network->parameter_count; i++) {
        expect_gradient(&sides[0], &sides[1], network, i, s->none && s->none[i]);
    }
    expect_running(&sides[0], &sides[1], network);
    if (s->options.input_gradient) {
        compare_sensitivity(&sides[0], &sides[1]);
    }
    close_side(&sides[0]);
    close_side(&sides[1]);
}

/* conv -> bn -> soft -> flatten -> fc1 -> sigmoid -> fc2 -> loss, with a head behind the first activation. Smooth. */
enum { CONV = 1, NORM, SOFT, GLOBAL, HEAD, HEAD_LOSS, FLAT, FC1, SIGMOID, FC2, LOSS };

static rs_network *head_network(rs_op_kind loss)
{
    rs_error error = {0};
    rs_network *n = NULL;
    must(rs_network_create("headed", 2, 6, 6, CLASSES, &n, &error));
    rs_node_spec conv = {
        .name = "conv", /* its bias would have no gradient but rounding: batch norm takes it out */
        .kind = RS_OP_CONVOLUTION,
        .attributes = {.channels = 12, .kernel = 3, .stride = 1, .padding = 1},
        .block = -1};
    int a = -1;
    must(rs_network_add(n, &conv, &a, &error));
    a = add_norm(n, "bn", a);
    int soft = add_node(n, "soft", RS_OP_SOFTPLUS, a, 0, 0, (window){0});
    a = add_node(n, "global", RS_OP_GLOBAL_AVERAGE_POOL, soft, 0, 0, (window){0});
    a = add_node(n, "head", RS_OP_LINEAR, a, 0, CLASSES, (window){0});
    (void)add_node(n, "head.loss", RS_OP_SOFTMAX_CROSS_ENTROPY, a, 0, 0, (window){0});
    a = add_node(n, "flat", RS_OP_FLATTEN, soft, 0, 0, (window){0});
    a = add_node(n, "fc1", RS_OP_LINEAR, a, 0, 20, (window){0});
    a = add_node(n, "sigmoid", RS_OP_SIGMOID, a, 0, 0, (window){0});
    a = add_node(n, "fc2", RS_OP_LINEAR, a, 0, CLASSES, (window){0});
    (void)add_node(n, "loss", loss, a, 0, 0, (window){0});
    must(rs_network_finish(n, &error));
    return n;
}

static rs_plan_options study_options(void)
{
    rs_plan_options options = small_options(BATCH);
    options.input_gradient = true;
    options.sum_gradients = false;
    return options;
}

static int weight_of(const rs_network *n, int node)
{
    return n->nodes[node].weight;
}

/* All parameters of a node. */
static void mark(const rs_network *n, int node, bool *list)
{
    list[n->nodes[node].weight] = true;
    if (n->nodes[node].bias >= 0) {
        list[n->nodes[node].bias] = true;
    }
}

static void modes_and_labels(void **state)
{
    (void)state;
    static const rs_op_kind losses[] = {RS_OP_SOFTMAX_CROSS_ENTROPY, RS_OP_KL_DIVERGENCE,
                                        RS_OP_MEAN_SQUARED_ERROR};
    for (size_t l = 0; l < 3; l++) {
        for (int reduction = RS_REDUCTION_MEAN; reduction <= RS_REDUCTION_ELEMENTS; reduction++) {
            rs_network *n = head_network(losses[l]);
            n->nodes[LOSS].attributes.reduction = (rs_reduction)reduction;
            rs_objective head = {.node = HEAD_LOSS, .weight = 0.25};
            for (int labels = RS_LABELS_TRUE; labels <= RS_LABELS_BOTH; labels++) {
                study s = {.options = study_options(),
                           .mode = labels == RS_LABELS_PREDICTED ? RS_MODE_EVALUATE : RS_MODE_TRAIN,
                           .labels = (rs_label_choice)labels};
                s.options.objectives = &head;
                s.options.objective_count = 1;
                run_study(n, &s);
            }
            rs_network_destroy(n);
        }
    }
}

/* A head without weight is measured and trains nothing. */
static void an_unweighed_head_learns_nothing(void **state)
{
    (void)state;
    rs_network *n = head_network(RS_OP_SOFTMAX_CROSS_ENTROPY);
    bool none[16] = {false};
    rs_objective head = {.node = HEAD_LOSS};
    study s = {.options = study_options(), .none = none};
    s.options.objectives = &head;
    s.options.objective_count = 1;
    mark(n, HEAD, none);
    run_study(n, &s);
    rs_network_destroy(n);
}

/* Behind a cut nothing learns, but from the head and the objective that are there. */
static void nothing_crosses_a_cut(void **state)
{
    (void)state;
    rs_network *n = head_network(RS_OP_SOFTMAX_CROSS_ENTROPY);
    rs_cut cuts[] = {{FLAT, 0}, {FC2, 0}, {GLOBAL, 0}};
    rs_objective objectives[] = {{.node = HEAD_LOSS, .weight = 1.0},
                                 {.node = SIGMOID, .target = 0.5, .weight = 2.0},
                                 {.node = SOFT, .target = 0.5, .weight = 0.5}};
    for (int cut = 1; cut <= 3; cut++) {
        for (int count = 0; count <= 3; count++) {
            bool none[16] = {false};
            study s = {.options = study_options(), .none = none};
            s.options.cuts = cuts;
            s.options.cut_count = cut;
            s.options.objectives = objectives;
            s.options.objective_count = count;
            if (count < 1) {
                mark(n, HEAD, none);
            }
            if (count < 2 && cut >= 2) {
                mark(n, FC1, none);
            }
            if (count < 3 && (count < 1 || cut == 3)) { /* neither the head nor the objective reaches it */
                mark(n, CONV, none);
                mark(n, NORM, none);
            }
            run_study(n, &s);
        }
    }
    rs_network_destroy(n);
}

/* Frozen weights have no gradient; the batch norm takes and leaves its running statistics; the rest goes on. */
static void frozen_parameters_have_none(void **state)
{
    (void)state;
    rs_network *n = head_network(RS_OP_SOFTMAX_CROSS_ENTROPY);
    for (int which = 0; which < 4; which++) {
        bool frozen[16] = {false};
        rs_objective head = {.node = HEAD_LOSS, .weight = 1.0};
        study s = {.options = study_options(), .none = frozen};
        frozen[weight_of(n, CONV)] = which != 1;
        frozen[weight_of(n, NORM)] = which != 0;
        frozen[weight_of(n, FC1)] = which == 2;
        frozen[n->nodes[NORM].bias] = frozen[n->nodes[FC2].bias] = which == 3;
        s.options.frozen = frozen;
        s.options.objectives = &head;
        s.options.objective_count = 1;
        s.options.input_gradient = which < 2;
        run_study(n, &s);
    }
    rs_network_destroy(n);
}

/* The library computes a convolution's two gradients together: the frozen one's is dropped. */
static void one_of_two_is_frozen(void **state)
{
    (void)state;
    rs_error error = {0};
    rs_network *n = NULL;
    must(rs_network_create("convolution", 2, 6, 6, CLASSES, &n, &error));
    int conv = add_node(n, "conv", RS_OP_CONVOLUTION, 0, 0, 12, (window){3, 1, 1});
    int a = add_node(n, "tanh", RS_OP_TANH, conv, 0, 0, (window){0});
    int fc = add_node(n, "fc", RS_OP_LINEAR, a, 0, CLASSES, (window){0});
    (void)add_node(n, "loss", RS_OP_SOFTMAX_CROSS_ENTROPY, fc, 0, 0, (window){0});
    must(rs_network_finish(n, &error));
    for (int which = 0; which < 4; which++) {
        bool frozen[4] = {false};
        study s = {.options = study_options(), .none = frozen};
        s.options.frozen = frozen;
        frozen[which < 2 ? n->nodes[conv].weight : n->nodes[fc].weight] = which % 2 == 0;
        frozen[which < 2 ? n->nodes[conv].bias : n->nodes[fc].bias] = which % 2 == 1;
        run_study(n, &s);
    }
    rs_network_destroy(n);
}

/* Steps leave every byte of what is frozen, its statistics, too, and move the rest. */
static void frozen_bytes_stay(void **state)
{
    (void)state;
    rs_error error = {0};
    bool frozen[16] = {false};
    rs_network *n = head_network(RS_OP_SOFTMAX_CROSS_ENTROPY);
    mark(n, CONV, frozen);
    mark(n, NORM, frozen);
    rs_plan_options options = small_options(4);
    options.batch_size_count = 2;
    options.batch_sizes[1] = 3;
    options.frozen = frozen;
    fixture f = open_plan(n, &options);
    float before[2][4][256], after[256], running[2][16], now[16];
    for (int i = 0; i < 2; i++) {
        must(f.backend->read(f.plan, RS_SLOT_VALUE, weight_of(n, i ? FC2 : CONV), before[i][0], &error));
        must(f.backend->read(f.plan, RS_SLOT_RUNNING, i, running[i], &error));
    }
    double losses[4];
    train_steps(&f, 0, losses);
    must(f.backend->read(f.plan, RS_SLOT_VALUE, weight_of(n, CONV), after, &error));
    assert_memory_equal(after, before[0][0], 12 * 2 * 9 * sizeof(float));
    must(f.backend->read(f.plan, RS_SLOT_VALUE, weight_of(n, FC2), after, &error));
    assert_true(memcmp(after, before[1][0], 200 * sizeof(float)) != 0);
    for (int i = 0; i < 2; i++) {
        must(f.backend->read(f.plan, RS_SLOT_RUNNING, i, now, &error));
        assert_memory_equal(now, running[i], 12 * sizeof(float));
    }
    int64_t steps = -1;
    must(f.backend->read(f.plan, RS_SLOT_STEP_COUNT, weight_of(n, CONV), &steps, &error));
    assert_int_equal(steps, 0);
    close_plan(&f);
}

/* A batch of values with targets is taken as it is. */
static void batches_bring_values(void **state)
{
    (void)state;
    rs_error error = {0};
    rs_plan_options options = small_options(BATCH);
    options.keep_all = true;
    rs_network *n = NULL;
    must(rs_network_create("values", 7, 1, 1, CLASSES, &n, &error));
    int a = add_node(n, "fc", RS_OP_LINEAR, 0, 0, CLASSES, (window){0});
    (void)add_node(n, "loss", RS_OP_MEAN_SQUARED_ERROR, a, 0, 0, (window){0});
    must(rs_network_finish(n, &error));
    fixture f = open_plan(n, &options);
    float *values = some_values(1, BATCH * 7), *targets = some_values(2, BATCH * CLASSES), x[BATCH * 7];
    rs_batch batch = {.count = BATCH, .values = values, .targets = targets};
    must(f.backend->load_batch(f.plan, &batch, &error));
    must(f.backend->read_node(f.plan, RS_NODE_OUTPUT, 0, x, &error));
    assert_memory_equal(x, values, sizeof x);
    must(f.backend->forward(f.plan, RS_MODE_TRAIN, &error));
    float y[BATCH * CLASSES];
    must(f.backend->read_node(f.plan, RS_NODE_OUTPUT, 1, y, &error));
    double sum = 0.0;
    for (int i = 0; i < BATCH * CLASSES; i++) {
        sum += ((double)y[i] - (double)targets[i]) * ((double)y[i] - (double)targets[i]);
    }
    rs_loss loss;
    must(f.backend->read_loss(f.plan, &loss, &error));
    expect_near("squares", loss.loss, sum / (BATCH * CLASSES));
    assert_int_equal(loss.correct, 0);
    batch.targets = NULL;
    must(f.backend->load_batch(f.plan, &batch, &error));
    assert_int_equal(f.backend->forward(f.plan, RS_MODE_TRAIN, &error), RS_USAGE);
    assert_non_null(strstr(error.text, "targets"));
    rs_free(values);
    rs_free(targets);
    close_plan(&f);
}

static void sensitivity_is_asked_for(void **state)
{
    (void)state;
    rs_error error = {0};
    rs_sensitivity s;
    rs_plan_options options = small_options(4);
    fixture f = open_plan(head_network(RS_OP_SOFTMAX_CROSS_ENTROPY), &options);
    assert_int_equal(f.backend->read_sensitivity(f.plan, &s, &error), RS_UNSUPPORTED);
    close_plan(&f);
    options.input_gradient = true;
    f = open_plan(head_network(RS_OP_SOFTMAX_CROSS_ENTROPY), &options);
    load_something(f.backend, f.plan, f.network, 4, 1);
    must(f.backend->forward(f.plan, RS_MODE_TRAIN, &error));
    assert_int_equal(f.backend->read_sensitivity(f.plan, &s, &error), RS_USAGE);
    close_plan(&f);
}

/* The plan as text: what is at work in every node. */
static void expect_no_naive_convolution(const rs_network *network, const rs_plan_options *options)
{
    char *text = NULL;
    size_t length = 0;
    side s = open_side(rs_cpu_backend(), network, options);
    FILE *stream = open_memstream(&text, &length);
    assert_non_null(stream);
    s.backend->plan_print(s.plan, stream);
    assert_int_equal(fclose(stream), 0);
    assert_non_null(strstr(text, "conv2"));
    if (strstr(text, "ref:")) {
        fail_msg("a convolution runs in reference loops:\n%s", text);
    }
    free(text);
    close_side(&s);
}

/* All gradients but those of biases before batch norm, which are 0 but for rounding. */
static void compare_gradients(const rs_network *network, const rs_plan_options *options)
{
    rs_error error = {0};
    side sides[2] = {open_side(rs_cpu_backend(), network, options),
                     open_side(rs_ref_backend(), network, options)};
    load_both(sides, network, 3);
    for (int k = 0; k < 2; k++) {
        must(sides[k].backend->forward(sides[k].plan, RS_MODE_TRAIN, &error));
        must(sides[k].backend->backward(sides[k].plan, RS_LABELS_TRUE, &error));
    }
    compare_losses(&sides[0], &sides[1], 0);
    for (int i = 0; i < network->parameter_count; i++) {
        if (!strstr(network->parameters[i].name, "conv") || !strstr(network->parameters[i].name, "bias")) {
            expect_gradient(&sides[0], &sides[1], network, i, false);
        }
    }
    close_side(&sides[0]);
    close_side(&sides[1]);
}

/* Two 3x3 convolutions, with batch norm that gives the second one blocked channels. */
static rs_network *blocked_network(int64_t channels)
{
    rs_error error = {0};
    rs_network *n = NULL;
    must(rs_network_create("blocked", 3, 9, 9, CLASSES, &n, &error));
    int a = add_node(n, "conv1", RS_OP_CONVOLUTION, 0, 0, channels, (window){3, 1, 1});
    a = add_node(n, "relu1", RS_OP_RELU, add_norm(n, "bn1", a), 0, 0, (window){0});
    a = add_node(n, "conv2", RS_OP_CONVOLUTION, a, 0, 16, (window){3, 1, 0});
    a = add_node(n, "relu2", RS_OP_RELU, add_norm(n, "bn2", a), 0, 0, (window){0});
    a = add_node(n, "global", RS_OP_GLOBAL_AVERAGE_POOL, a, 0, 0, (window){0});
    a = add_node(n, "fc", RS_OP_LINEAR, a, 0, CLASSES, (window){0});
    (void)add_node(n, "loss", RS_OP_SOFTMAX_CROSS_ENTROPY, a, 0, 0, (window){0});
    must(rs_network_finish(n, &error));
    return n;
}

/* With fewer channels than a block oneDNN's fast kernels do not take blocked ones. */
static void few_channels_are_fast(void **state)
{
    static const int64_t channels[] = {4, 6, 12, 15, 16, 20};
    (void)state;
    for (size_t i = 0; i < sizeof channels / sizeof *channels; i++) {
        const rs_plan_options options = study_options();
        rs_network *network = blocked_network(channels[i]);
        compare_gradients(network, &options);
        if (rs__dnn_has_avx2()) { /* older machines have no faster one for some of them */
            expect_no_naive_convolution(network, &options);
        }
        rs_network_destroy(network);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(modes_and_labels),      cmocka_unit_test(an_unweighed_head_learns_nothing),
        cmocka_unit_test(nothing_crosses_a_cut), cmocka_unit_test(frozen_parameters_have_none),
        cmocka_unit_test(one_of_two_is_frozen),  cmocka_unit_test(frozen_bytes_stay),
        cmocka_unit_test(batches_bring_values),  cmocka_unit_test(sensitivity_is_asked_for),
        cmocka_unit_test(few_channels_are_fast),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
