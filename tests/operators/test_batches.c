/* test_batches.c BACKEND: batches of values and targets, what is refused, and the input's sensitivity, which is held against
 * runs of single samples. */
#include <math.h>
#include <string.h>

#include "subject.h"

enum { SAMPLES = 4, INPUTS = 6, NUMBERS = 3 };

static const char *backend_name = "ref";
static rs_check_machine machine;

/* --- values and targets ------------------------------------------------------------------------------------------ */

/* linear, tanh, linear, mean squared error of NUMBERS numbers; `classes` of the network. */
static rs_network *regression(int classes)
{
    static const rs_node_spec specs[] = {
        {.name = "first",
         .kind = RS_OP_LINEAR,
         .attributes = {.channels = 7, .bias = true},
         .weight_initializer = RS_INIT_UNIFORM_FAN_IN},
        {.name = "tanh", .kind = RS_OP_TANH, .input = {1}},
        {.name = "second",
         .kind = RS_OP_LINEAR,
         .attributes = {.channels = NUMBERS, .bias = true},
         .input = {2},
         .weight_initializer = RS_INIT_UNIFORM_FAN_IN},
        {.name = "loss", .kind = RS_OP_MEAN_SQUARED_ERROR, .input = {3}},
    };
    rs_error error = {0};
    rs_network *network;
    int node;
    harness_ok(rs_network_create("regression", INPUTS, 1, 1, classes, &network, &error), &error);
    for (int i = 0; i < 4; i++) {
        rs_node_spec spec = specs[i];
        spec.block = -1;
        harness_ok(rs_network_add(network, &spec, &node, &error), &error);
    }
    harness_ok(rs_network_finish(network, &error), &error);
    return network;
}

static rs_plan *open_plan(const rs_network *network)
{
    rs_error error = {0};
    rs_plan *plan;
    const rs_plan_options options = {
        .batch_size_count = 1, .batch_sizes = {SAMPLES}, .training = true, .input_gradient = true};
    harness_ok(machine.backend->plan_create(machine.device, network, &options, &plan, &error), &error);
    for (int i = 0; i < network->parameter_count; i++) {
        float values[INPUTS * 7];
        rs_parameter_initialize(&network->parameters[i], 5, values);
        harness_ok(machine.backend->write(plan, RS_SLOT_VALUE, i, values, &error), &error);
    }
    return plan;
}

static void fill(const char *name, float *values, int count)
{
    double wide[64];
    assert_true(count <= 64);
    rs_fill_values(RS_FILL_NORMAL, 1, name, wide, count);
    for (int i = 0; i < count; i++) {
        values[i] = (float)wide[i];
    }
}

/* Loss and gradient of the input. */
typedef struct outcome {
    double loss;
    float dx[SAMPLES * INPUTS];
} outcome;

static outcome step(rs_plan *plan)
{
    rs_error error = {0};
    rs_loss loss;
    outcome o;
    harness_ok(machine.backend->forward(plan, RS_MODE_TRAIN, &error), &error);
    harness_ok(machine.backend->backward(plan, RS_LABELS_TRUE, &error), &error);
    harness_ok(machine.backend->read_loss(plan, &loss, &error), &error);
    harness_ok(machine.backend->read_node(plan, RS_NODE_GRADIENT, 0, o.dx, &error), &error);
    assert_int_equal(loss.correct, 0);
    o.loss = loss.loss;
    return o;
}

static void a_batch_of_values_is_taken_as_it_is(void **state)
{
    (void)state;
    rs_error error = {0};
    float x[SAMPLES * INPUTS], targets[SAMPLES * NUMBERS];
    rs_network *network = regression(NUMBERS);
    rs_plan *plan = open_plan(network);
    fill("x", x, SAMPLES * INPUTS);
    fill("targets", targets, SAMPLES * NUMBERS);
    harness_ok(machine.backend->load_values(plan, x, NULL, targets, SAMPLES, &error), &error);
    outcome by_values = step(plan);
    const int64_t ids[SAMPLES] = {40, 3, 2, 1};
    const rs_batch batch = {.count = SAMPLES, .values = x, .targets = targets, .sample_ids = ids, .epoch = 3};
    harness_ok(machine.backend->load_batch(plan, &batch, &error), &error);
    outcome by_batch = step(plan);
    assert_true(by_values.loss > 0.01);
    assert_memory_equal(&by_values.loss, &by_batch.loss, sizeof by_batch.loss);
    assert_memory_equal(by_values.dx, by_batch.dx, sizeof by_batch.dx);
    targets[5] += 1.0F;
    harness_ok(machine.backend->load_batch(plan, &batch, &error), &error);
    assert_true(step(plan).loss != by_batch.loss);
    machine.backend->plan_destroy(plan);
    rs_network_destroy(network);
}

/* Whether loading, or then forward, says `part`. */
static void expect_refused(rs_plan *plan, const rs_batch *batch, const char *part)
{
    rs_error error = {0};
    rs_status status = machine.backend->load_batch(plan, batch, &error);
    status = status ? status : machine.backend->forward(plan, RS_MODE_TRAIN, &error);
    assert_int_not_equal(status, RS_OK);
    if (!strstr(error.text, part)) {
        fail_msg("\"%s\" does not say \"%s\"", error.text, part);
    }
}

static void a_batch_without_what_a_loss_needs_is_refused(void **state)
{
    (void)state;
    float x[SAMPLES * INPUTS], targets[SAMPLES * NUMBERS];
    int32_t labels[SAMPLES] = {0};
    fill("x", x, SAMPLES * INPUTS);
    fill("targets", targets, SAMPLES * NUMBERS);
    rs_network *network = regression(NUMBERS), *of_ten = regression(10);
    rs_plan *plan = open_plan(network);
    expect_refused(plan, &(rs_batch){.count = SAMPLES, .values = x, .labels = labels}, "targets");
    machine.backend->plan_destroy(plan);
    plan = open_plan(of_ten); /* the data set's targets have ten numbers */
    expect_refused(plan, &(rs_batch){.count = SAMPLES, .values = x, .targets = targets}, "10 numbers");
    machine.backend->plan_destroy(plan);
    rs_network_destroy(network);
    rs_network_destroy(of_ten);
    subject s = subject_make(&machine, RS_REDUCTION_MEAN, false);
    float images[SUBJECT_BATCH * SUBJECT_PIXELS] = {0};
    subject_open(&s, (rs_plan_options){0});
    expect_refused(s.plan, &(rs_batch){.count = SUBJECT_BATCH, .values = images, .targets = targets},
                   "labels");
    subject_release(&s);
}

/* --- sensitivity ------------------------------------------------------------------------------------------------- */

static rs_sensitivity sensitivity_of(const subject *s)
{
    rs_error error = {0};
    rs_sensitivity sensitivity;
    harness_ok(machine.backend->read_sensitivity(s->plan, &sensitivity, &error), &error);
    return sensitivity;
}

static void expect_close(double got, double want)
{
    if (!(fabs(got - want) <= 1e-5 * want)) {
        fail_msg("%.9g instead of %.9g", got, want);
    }
}

/* Evaluation: samples do not see each other. */
static void check_sensitivity(rs_reduction reduction, rs_label_choice labels)
{
    rs_error error = {0};
    float dx[SUBJECT_BATCH * SUBJECT_PIXELS];
    double norms = 0.0, squares = 0.0;
    subject s = subject_make(&machine, reduction, false);
    subject_open(&s, (rs_plan_options){.input_gradient = true});
    for (int64_t i = 0; i < SUBJECT_BATCH; i++) {
        subject_load(&s, i, 1);
        harness_ok(machine.backend->forward(s.plan, RS_MODE_EVALUATE, &error), &error);
        harness_ok(machine.backend->backward(s.plan, labels, &error), &error);
        rs_sensitivity alone = sensitivity_of(&s);
        expect_close(alone.sample, alone.batch);
        norms += alone.batch / SUBJECT_BATCH;
    }
    subject_run(&s, RS_MODE_EVALUATE, labels);
    rs_sensitivity together = sensitivity_of(&s);
    harness_ok(machine.backend->read_node(s.plan, RS_NODE_GRADIENT, 0, dx, &error), &error);
    for (int i = 0; i < SUBJECT_BATCH * SUBJECT_PIXELS; i++) {
        squares += (double)dx[i] * (double)dx[i];
    }
    assert_true(norms > 1e-6); /* not lost in rounding */
    expect_close(together.batch, sqrt(squares));
    expect_close(together.sample, norms);
    subject_release(&s);
}

static void sensitivity_is_that_of_single_samples(void **state)
{
    (void)state;
    check_sensitivity(RS_REDUCTION_MEAN, RS_LABELS_TRUE);
    check_sensitivity(RS_REDUCTION_SUM, RS_LABELS_TRUE);
    check_sensitivity(RS_REDUCTION_ELEMENTS, RS_LABELS_PREDICTED);
    check_sensitivity(RS_REDUCTION_MEAN, RS_LABELS_BOTH);
}

/* Measuring it changes no gradient; over a cut it is nothing. */
static void sensitivity_of_a_cut_input_is_zero(void **state)
{
    static const rs_cut cut = {.node = 1, .input = 0};
    (void)state;
    int64_t count;
    subject s = subject_make(&machine, RS_REDUCTION_MEAN, false);
    subject_open(&s, (rs_plan_options){.input_gradient = true, .cuts = &cut, .cut_count = 1});
    subject_run(&s, RS_MODE_TRAIN, RS_LABELS_TRUE);
    rs_sensitivity none = sensitivity_of(&s);
    assert_true(none.batch == 0.0 && none.sample == 0.0);
    float *cut_gradient = subject_read(&s, RS_SLOT_GRADIENT, "conv1.weight", &count);
    subject_close_plan(&s);
    subject_open(&s, (rs_plan_options){.input_gradient = true});
    subject_run(&s, RS_MODE_TRAIN, RS_LABELS_TRUE);
    assert_true(sensitivity_of(&s).batch > 0.0);
    float *gradient = subject_read(&s, RS_SLOT_GRADIENT, "conv1.weight", &count);
    assert_memory_equal(gradient, cut_gradient, (size_t)count * sizeof *gradient);
    rs_free(gradient);
    rs_free(cut_gradient);
    subject_release(&s);
}

static void sensitivity_needs_a_gradient(void **state)
{
    (void)state;
    rs_error error = {0};
    rs_sensitivity sensitivity;
    subject s = subject_make(&machine, RS_REDUCTION_MEAN, false);
    subject_open(&s, (rs_plan_options){0});
    subject_run(&s, RS_MODE_TRAIN, RS_LABELS_TRUE);
    harness_fails(machine.backend->read_sensitivity(s.plan, &sensitivity, &error), RS_UNSUPPORTED, &error,
                  NULL);
    subject_close_plan(&s);
    subject_open(&s, (rs_plan_options){.input_gradient = true});
    subject_load(&s, 0, SUBJECT_BATCH);
    harness_ok(machine.backend->forward(s.plan, RS_MODE_TRAIN, &error), &error);
    harness_fails(machine.backend->read_sensitivity(s.plan, &sensitivity, &error), RS_USAGE, &error, NULL);
    subject_release(&s);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_of_values_is_taken_as_it_is),
        cmocka_unit_test(a_batch_without_what_a_loss_needs_is_refused),
        cmocka_unit_test(sensitivity_is_that_of_single_samples),
        cmocka_unit_test(sensitivity_of_a_cut_input_is_zero),
        cmocka_unit_test(sensitivity_needs_a_gradient),
    };
    backend_name = argc > 1 ? argv[1] : backend_name;
    return harness_run(tests, &machine, backend_name, 2);
}
