/* test_scores.c: stop rules, batches of all samples, numbers instead of classes, reductions, validation beside test, input
 * sensitivity. On the reference and the CPU, or on RS_TEST_DEVICE alone. */
#include <setjmp.h> /* cmocka.h needs these four first */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"
#include "rs/host.h"
#include "small_run.h"

#define WANT (RS_WANT_WEIGHTS | RS_WANT_GRADIENTS)

static rs_error error;
static small_seen plain, seen;
#define OK(expression) harness_ok((expression), &error)

static void expect_near(double found, double expected, double tolerance)
{
    if (!(fabs(found - expected) <= tolerance * fabs(expected))) {
        fail_msg("%.17g instead of %.17g", found, expected);
    }
}

typedef void (*check)(const small_run *run);

static void on_every_backend(check check_one, const rs_dataset_request *request, rs_network *(*make)(void))
{
    const char *device;
    for (int i = 0; (device = small_device(i)) != NULL; i++) {
        small_run run;
        small_run_open(&run, device, request, make());
        check_one(&run);
        small_run_close(&run);
    }
}

static rs_dataset_request small_function(void)
{
    return (rs_dataset_request){.name = "function",
                                .directory = "",
                                .function = "sin-log",
                                .function_from = 1.0,
                                .function_to = 5.0,
                                .function_samples = 50,
                                .function_valid = 20};
}

/* --- stop rules ----------------------------------------------------------------------------------------- */
static void stopping(const small_run *run)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/tmp/test_scores.%d.ckpt", (int)getpid());
    rs_config config = small_config(5);
    config.batch_size = 0;
    OK(small_run_train(run, &config, WANT, NULL, false, &plain, &error));
    assert_int_equal(plain.epochs, 5);
    assert_string_equal(plain.reason, "epochs");
    assert_int_equal(plain.snapshots, 6);
    double change[5];
    for (int e = 1; e < 5; e++) {
        change[e] = fabs(plain.epoch[e].train_loss - plain.epoch[e - 1].train_loss);
        assert_true(change[e] > 0.0);
    }
    /* just above the change of epoch 2: ends there, unless the rule begins later; just below: not there */
    (void)snprintf(config.snapshots, sizeof config.snapshots, "epochs:1");
    config.stop_change = change[2] * (1.0 + 1e-9);
    config.stop_change_from = 2;
    OK(small_run_train(run, &config, WANT, path, false, &seen, &error));
    assert_int_equal(seen.epochs, 3);
    assert_string_equal(seen.reason, "stop-change");
    assert_int_equal(seen.snapshots, 2); /* the end is kept, too */
    int64_t steps, snapshots;
    rs_trainer_planned(&config, run->dataset, &steps, &snapshots);
    assert_int_equal(snapshots, 2);
    OK(small_run_train(run, &config, WANT, path, true, &seen, &error)); /* nothing is left to do */
    assert_int_equal(seen.steps, 3);
    assert_string_equal(seen.reason, "stop-change");
    config.stop_change = change[2];
    OK(small_run_train(run, &config, WANT, NULL, false, &seen, &error));
    assert_true(seen.epochs > 3);
    config.stop_change = 0.0;
    config.stop_change_from = 0;
    config.stop_gradient = plain.norm[1] * (1.0 + 1e-9);
    OK(small_run_train(run, &config, WANT, NULL, false, &seen, &error));
    assert_int_equal(seen.epochs, plain.norm[0] < config.stop_gradient ? 1 : 2);
    assert_string_equal(seen.reason, "stop-gradient");
    (void)unlink(path);
}

static void rules_end_a_run_and_say_so(void **state)
{
    const rs_dataset_request request = small_function();
    (void)state;
    on_every_backend(stopping, &request, small_regression);
}

/* Cut off between the two epochs that the rule compares. */
static void stopping_later(const small_run *run)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/tmp/test_scores.%d.ckpt", (int)getpid());
    rs_config config = small_config(5);
    config.batch_size = 0;
    config.stop_change = 1e6;
    config.stop_change_from = 3;
    seen.stop_after = 3;
    assert_int_equal(small_run_train(run, &config, WANT, path, false, &seen, &error), RS_INTERRUPTED);
    seen.stop_after = 0;
    OK(small_run_train(run, &config, WANT, path, true, &seen, &error));
    assert_int_equal(seen.epochs, 4);
    config.epochs = 1; /* there is nothing to compare the first epoch with */
    config.stop_change_from = 0;
    OK(small_run_train(run, &config, WANT, NULL, false, &seen, &error));
    assert_string_equal(seen.reason, "epochs");
    (void)unlink(path);
}

static void a_resumed_run_remembers_the_last_loss(void **state)
{
    const rs_dataset_request request = small_function();
    (void)state;
    on_every_backend(stopping_later, &request, small_regression);
}

/* --- numbers -------------------------------------------------------------------------------------------- */
/* Scores of the outputs that the plan still holds, which are of the whole test set, in two passes. */
static rs_fit expected_fit(const small_run *run, rs_plan *plan)
{
    enum { MOST = 64 };
    const rs_split *split = &run->dataset->test;
    const int count = (int)split->count;
    float outputs[MOST];
    double mean = 0.0, about = 0.0, squared = 0.0, absolute = 0.0;
    assert_true(count == 20 && count <= MOST);
    OK(run->backend->read_node(plan, RS_NODE_OUTPUT, run->network->node_count - 2, outputs, &error));
    for (int i = 0; i < count; i++) {
        mean += (double)split->targets[i] / count;
    }
    for (int i = 0; i < count; i++) {
        const double target = split->targets[i], e = (double)outputs[i] - target;
        about += (target - mean) * (target - mean);
        squared += e * e;
        absolute += fabs(e) / count;
    }
    return (rs_fit){absolute, 1.0 - squared / about};
}

static void see_last_fit(const small_run *run)
{
    rs_config config = small_config(3);
    config.batch_size = 0;
    seen.keep_fit = expected_fit;
    OK(small_run_train(run, &config, WANT, NULL, false, &seen, &error));
    seen.keep_fit = NULL;
    for (int e = 0; e < 3; e++) {
        const rs_epoch_row *row = &seen.epoch[e];
        expect_near(row->valid_fit.mean_absolute_error, seen.fit[e].mean_absolute_error, 1e-12);
        expect_near(row->valid_fit.r_squared, seen.fit[e].r_squared, 1e-12);
        assert_memory_equal(&row->test_fit, &row->valid_fit,
                            sizeof row->test_fit); /* it is the validation set */
        assert_true(row->valid_fit.mean_absolute_error <= sqrt(row->valid_loss));
    }
    config.batch_size =
        8; /* the same samples in three batches: other weights after one epoch, but for rate 0 */
    config.learning_rate = 0.0;
    OK(small_run_train(run, &config, WANT, NULL, false, &seen, &error));
    config.batch_size = 0;
    OK(small_run_train(run, &config, WANT, NULL, false, &plain, &error));
    expect_near(seen.epoch[0].valid_fit.mean_absolute_error, plain.epoch[0].valid_fit.mean_absolute_error,
                1e-6);
    expect_near(seen.epoch[0].valid_fit.r_squared, plain.epoch[0].valid_fit.r_squared, 1e-6);
}

static void predicted_numbers_have_scores(void **state)
{
    const rs_dataset_request request = small_function();
    (void)state;
    on_every_backend(see_last_fit, &request, small_regression);
}

static void fitting(const small_run *run)
{
    rs_config config = small_config(5);
    config.batch_size = 0;
    OK(small_run_train(run, &config, WANT, NULL, false, &seen, &error));
    assert_int_equal(seen.steps, 5); /* one step an epoch */
    for (int e = 0; e < 5; e++) {
        const rs_epoch_row *row = &seen.epoch[e];
        assert_true(isnan(row->train_accuracy) && isnan(row->valid_accuracy) && isnan(row->test_accuracy));
        assert_true(isnan(seen.accuracy[e]));
        assert_true(row->train_loss == seen.loss[e]); /* of that step's forward pass */
        assert_true(row->valid_loss > 0.0);
    }
    assert_true(seen.loss[4] < seen.loss[0]);
    config.batch_size = 16;
    config.learning_rate = 0.0;
    OK(small_run_train(run, &config, WANT, NULL, false, &plain, &error));
    assert_int_equal(plain.steps, 20);
    expect_near(plain.epoch[0].train_loss, seen.loss[0],
                1e-6); /* a mean over samples, however they are batched */
}

static void numbers_have_losses_alone(void **state)
{
    const rs_dataset_request request = small_function();
    (void)state;
    on_every_backend(fitting, &request, small_regression);
}

/* --- reductions ----------------------------------------------------------------------------------------- */
static void reducing(const small_run *run)
{
    rs_node *loss = &run->network->nodes[run->network->node_count - 1];
    rs_config config = small_config(1);
    config.learning_rate = 0.0;
    OK(small_run_train(run, &config, WANT, NULL, false, &plain, &error));
    loss->attributes.reduction = RS_REDUCTION_SUM;
    OK(small_run_train(run, &config, WANT, NULL, false, &seen, &error));
    expect_near(seen.task_loss[0], SMALL_BATCH * plain.task_loss[0], 1e-6);
    expect_near(seen.epoch[0].train_loss, plain.epoch[0].train_loss, 1e-6);
    expect_near(seen.epoch[0].test_loss, plain.epoch[0].test_loss, 1e-6);
    loss->attributes.reduction = RS_REDUCTION_ELEMENTS;
    OK(small_run_train(run, &config, WANT, NULL, false, &seen, &error));
    expect_near(seen.epoch[0].train_loss, plain.epoch[0].train_loss / 10.0, 1e-6);
    expect_near(seen.epoch[0].train_accuracy, plain.epoch[0].train_accuracy, 1e-12);
}

static void epoch_losses_are_means_over_samples(void **state)
{
    const rs_dataset_request request = small_shapes();
    (void)state;
    on_every_backend(reducing, &request, small_convolutions);
}

/* --- splits --------------------------------------------------------------------------------------------- */
static rs_network *bare_linear(void)
{
    rs_network *network = NULL;
    int node = 0;
    const rs_node_spec fc = {.name = "fc",
                             .kind = RS_OP_LINEAR,
                             .attributes = {.channels = 10, .bias = true},
                             .block = -1,
                             .weight_initializer = RS_INIT_UNIFORM_FAN_IN,
                             .bias_initializer = RS_INIT_UNIFORM_FAN_IN};
    const rs_node_spec loss = {.name = "loss", .kind = RS_OP_SOFTMAX_CROSS_ENTROPY, .block = -1};
    OK(rs_network_create("linear", 3, 32, 32, 10, &network, &error));
    /* 3 x 32 x 32 x 10 weights are more than small_seen keeps: pool first */
    const rs_node_spec pool = {
        .name = "pool", .kind = RS_OP_AVERAGE_POOL, .attributes = {.kernel = 8, .stride = 8}, .block = -1};
    OK(rs_network_add(network, &pool, &node, &error));
    rs_node_spec behind = fc;
    behind.input[0] = node;
    OK(rs_network_add(network, &behind, &node, &error));
    rs_node_spec last = loss;
    last.input[0] = node;
    OK(rs_network_add(network, &last, &node, &error));
    OK(rs_network_finish(network, &error));
    return network;
}

/* Without learning, what a run says of its validation set is what one trained on that set says of its training set. */
static void splitting(const small_run *run)
{
    rs_dataset_request request = small_shapes();
    small_run swapped;
    request.valid_split = 30;
    request.swap_splits = true;
    small_run_open(&swapped, run->backend->name, &request, bare_linear());
    rs_config config = small_config(1);
    config.learning_rate = 0.0;
    OK(small_run_train(run, &config, WANT, NULL, false, &plain, &error));
    OK(small_run_train(&swapped, &config, WANT, NULL, false, &seen, &error));
    assert_int_equal(plain.steps, 3); /* 70 samples by 32 */
    assert_int_equal(seen.steps, 1);
    const rs_epoch_row *a = &plain.epoch[0], *b = &seen.epoch[0];
    expect_near(a->valid_loss, b->train_loss, 1e-6);
    expect_near(a->train_loss, b->valid_loss, 1e-6);
    expect_near(a->valid_accuracy, b->train_accuracy, 1e-12);
    assert_true(a->test_loss == b->test_loss && a->test_accuracy == b->test_accuracy);
    assert_true(a->test_loss != a->valid_loss);
    small_run_close(&swapped);
}

static void validation_and_test_are_scored_apart(void **state)
{
    rs_dataset_request request = small_shapes();
    (void)state;
    request.valid_split = 30;
    on_every_backend(splitting, &request, bare_linear);
}

/* --- sensitivity ---------------------------------------------------------------------------------------- */
static void sensing(const small_run *run)
{
    rs_config config = small_config(2);
    OK(small_run_train(run, &config, WANT, NULL, false, &plain, &error));
    OK(small_run_train(run, &config, WANT | RS_WANT_SENSITIVITY, NULL, false, &seen, &error));
    assert_memory_equal(plain.loss, seen.loss, sizeof seen.loss); /* measuring changes nothing */
    assert_memory_equal(plain.norm, seen.norm, sizeof seen.norm);
    assert_memory_equal(plain.values, seen.values, sizeof seen.values);
    for (int step = 0; step < seen.steps; step++) {
        const rs_sensitivity *s = &seen.sensitivity[step];
        assert_true(isnan(plain.sensitivity[step].batch) && s->batch > 0.0 && isfinite(s->batch));
        /* one sample's gradient of its own loss is N times that of the mean: sqrt(N) times the norm of N of them alike */
        assert_true(s->sample > s->batch);
    }
    (void)snprintf(config.loss_labels, sizeof config.loss_labels, "added");
    OK(small_run_train(run, &config, WANT, NULL, false, &plain, &error));
    assert_true(plain.loss[0] == seen.loss[0] && plain.norm[0] != seen.norm[0]);
    OK(small_run_train(run, &config, WANT | RS_WANT_SENSITIVITY, NULL, false, &seen, &error));
    assert_memory_equal(plain.loss, seen.loss, sizeof seen.loss);
    assert_memory_equal(plain.values, seen.values, sizeof seen.values);
    assert_true(seen.sensitivity[0].batch > 0.0);
}

static void sensitivity_changes_nothing(void **state)
{
    const rs_dataset_request request = small_shapes();
    (void)state;
    on_every_backend(sensing, &request, small_convolutions);
}

/* --- optimizers ----------------------------------------------------------------------------------------- */
static void resuming(const small_run *run)
{
    static const char *const optimizers[] = {"adagrad", "rmsprop", "rmsprop"};
    char path[64];
    (void)snprintf(path, sizeof path, "/tmp/test_scores.%d.ckpt", (int)getpid());
    for (int i = 0; i < 3; i++) {
        rs_config config = small_config(2);
        (void)snprintf(config.optimizer, sizeof config.optimizer, "%s", optimizers[i]);
        config.momentum = i == 2 ? 0.9 : 0.0;
        config.alpha = i == 2 ? 0.9 : 0.99;
        OK(small_run_train(run, &config, WANT, NULL, false, &plain, &error));
        assert_true(plain.loss[7] < plain.loss[0]);
        seen.stop_after = 5;
        assert_int_equal(small_run_train(run, &config, WANT, path, false, &seen, &error), RS_INTERRUPTED);
        seen.stop_after = 0;
        OK(small_run_train(run, &config, WANT, path, true, &seen, &error));
        assert_memory_equal(plain.loss, seen.loss, sizeof seen.loss);
        size_t bytes;
        const float *a = small_values(&plain, 2, "fc.weight", &bytes),
                    *b = small_values(&seen, 2, "fc.weight", &bytes);
        assert_memory_equal(a, b, bytes);
    }
    (void)unlink(path);
}

static void every_optimizer_resumes_to_the_same_bits(void **state)
{
    const rs_dataset_request request = small_shapes();
    (void)state;
    on_every_backend(resuming, &request, small_convolutions);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(predicted_numbers_have_scores),
        cmocka_unit_test(rules_end_a_run_and_say_so),
        cmocka_unit_test(a_resumed_run_remembers_the_last_loss),
        cmocka_unit_test(numbers_have_losses_alone),
        cmocka_unit_test(epoch_losses_are_means_over_samples),
        cmocka_unit_test(validation_and_test_are_scored_apart),
        cmocka_unit_test(sensitivity_changes_nothing),
        cmocka_unit_test(every_optimizer_resumes_to_the_same_bits),
    };
    return cmocka_run_group_tests_name("scores", tests, NULL, NULL);
}
