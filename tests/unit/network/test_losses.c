/* test_losses.c: how losses sum up, where backward starts, what a batch must bring, what frozen batch norms do; and which
 * moments optimizers keep. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "backward.h"
#include "losses.h"
#include "measure.h"
#include "update.h"

enum { SAMPLES = 6, CLASSES = 5 };

/* Scores with a loss of `kind`, and a head on the way when `head` is a loss. */
static rs_network *network_of(rs_op_kind kind, rs_reduction reduction, rs_op_kind head)
{
    rs_error error = {0};
    rs_network *network = NULL;
    int scores = 0, node = 0;
    assert_int_equal(rs_network_create("n", 3, 2, 2, CLASSES, &network, &error), RS_OK);
    rs_node_spec spec = {
        .name = "fc", .kind = RS_OP_LINEAR, .attributes = {.channels = CLASSES}, .block = -1};
    assert_int_equal(rs_network_add(network, &spec, &scores, &error), RS_OK);
    spec = (rs_node_spec){.name = "head", .kind = head, .input = {scores}, .block = -1};
    if (rs_op_is_loss(head)) {
        assert_int_equal(rs_network_add(network, &spec, &node, &error), RS_OK);
    }
    spec = (rs_node_spec){
        .name = "last", .kind = kind, .attributes = {.reduction = reduction}, .input = {scores}, .block = -1};
    assert_int_equal(rs_network_add(network, &spec, &node, &error), RS_OK);
    assert_int_equal(rs_network_finish(network, &error), RS_OK);
    return network;
}

static void expect_divisor(rs_op_kind kind, rs_reduction reduction, double divisor, double sample)
{
    rs_network *network = network_of(kind, reduction, RS_OP_INPUT);
    assert_true(rs_loss_divisor(network, network->node_count - 1, SAMPLES) == divisor);
    assert_true(rs_loss_sample_factor(network, SAMPLES) == sample);
    rs_network_destroy(network);
}

static void reductions(void **state)
{
    static const rs_op_kind labelled[] = {RS_OP_SOFTMAX_CROSS_ENTROPY, RS_OP_KL_DIVERGENCE};
    (void)state;
    for (int i = 0; i < 2; i++) {
        expect_divisor(labelled[i], RS_REDUCTION_MEAN, SAMPLES, SAMPLES);
        expect_divisor(labelled[i], RS_REDUCTION_SUM, 1, 1);
        expect_divisor(labelled[i], RS_REDUCTION_ELEMENTS, SAMPLES * CLASSES, SAMPLES);
    }
    expect_divisor(RS_OP_MEAN_SQUARED_ERROR, RS_REDUCTION_MEAN, SAMPLES * CLASSES, SAMPLES);
    expect_divisor(RS_OP_MEAN_SQUARED_ERROR, RS_REDUCTION_SUM, 1, 1);
    expect_divisor(RS_OP_MEAN_SQUARED_ERROR, RS_REDUCTION_ELEMENTS, SAMPLES * CLASSES, SAMPLES);
    expect_divisor(RS_OP_SOFTMAX_CROSS_ENTROPY, RS_REDUCTION_MEAN, SAMPLES, SAMPLES);
}

static void a_head_starts_from_its_objectives(void **state)
{
    static const rs_objective objectives[] = {
        {.node = 2, .weight = 0.25}, {.node = 1, .weight = 7.0}, {.node = 2, .weight = 0.5}};
    (void)state;
    const rs_plan_options options = {.objectives = objectives, .objective_count = 3}, none = {0};
    rs_network *network = network_of(RS_OP_KL_DIVERGENCE, RS_REDUCTION_SUM, RS_OP_SOFTMAX_CROSS_ENTROPY);
    assert_true(rs_loss_weight(network, &options, 2) == 0.75);
    assert_true(rs_loss_weight(network, &options, 3) == 1.0);
    assert_true(rs_loss_weight(network, &none, 2) == 0.0);
    assert_true(rs_loss_weight(network, &none, 3) == 1.0);
    rs_network_destroy(network);
}

static void what_a_batch_must_bring(void **state)
{
    (void)state;
    rs_error error = {0};
    rs_network *both = network_of(RS_OP_SOFTMAX_CROSS_ENTROPY, RS_REDUCTION_MEAN, RS_OP_MEAN_SQUARED_ERROR);
    rs_network *labels = network_of(RS_OP_KL_DIVERGENCE, RS_REDUCTION_MEAN, RS_OP_INPUT);
    assert_true(rs_network_takes_labels(both) && rs_network_takes_labels(labels));
    assert_int_equal(rs_network_target_size(both), CLASSES);
    assert_int_equal(rs_network_target_size(labels), 0);
    assert_int_equal(rs_losses_check_batch(both, true, true, &error), RS_OK);
    assert_int_equal(rs_losses_check_batch(both, false, true, &error), RS_FAILED);
    assert_non_null(strstr(error.text, "labels"));
    assert_int_equal(rs_losses_check_batch(both, true, false, &error), RS_FAILED);
    assert_non_null(strstr(error.text, "targets"));
    assert_int_equal(rs_losses_check_batch(labels, true, false, &error), RS_OK);
    rs_network_destroy(both);
    rs_network_destroy(labels);
}

static void targets_have_one_size(void **state)
{
    (void)state;
    rs_error error = {0};
    rs_network *network = network_of(RS_OP_MEAN_SQUARED_ERROR, RS_REDUCTION_MEAN, RS_OP_MEAN_SQUARED_ERROR);
    int node;
    assert_int_equal(rs_losses_check(network, &error), RS_OK);
    const rs_node_spec image = {.name = "image", .kind = RS_OP_MEAN_SQUARED_ERROR, .input = {0}, .block = -1};
    assert_int_equal(rs_network_add(network, &image, &node, &error), RS_OK);
    assert_int_equal(rs_losses_check(network, &error), RS_USAGE);
    assert_non_null(strstr(error.text, "head"));
    rs_network_destroy(network);
}

/* 3-4-5 and 5-12-13 in two samples. */
static void sensitivity_of_norms(void **state)
{
    static const double squares[] = {25.0, 169.0};
    (void)state;
    rs_network *mean = network_of(RS_OP_KL_DIVERGENCE, RS_REDUCTION_MEAN, RS_OP_INPUT);
    rs_network *sum = network_of(RS_OP_KL_DIVERGENCE, RS_REDUCTION_SUM, RS_OP_INPUT);
    rs_sensitivity s = rs_measure_sensitivity(mean, squares, 2);
    assert_true(s.batch == sqrt(194.0) && s.sample == 18.0);
    s = rs_measure_sensitivity(sum, squares, 2);
    assert_true(s.batch == sqrt(194.0) && s.sample == 9.0);
    rs_network_destroy(mean);
    rs_network_destroy(sum);
}

static void frozen_norms_take_running_statistics(void **state)
{
    static const bool weight[] = {true, false}, bias[] = {false, true};
    (void)state;
    const rs_node norm = {.kind = RS_OP_BATCH_NORM, .weight = 0, .bias = 1};
    const rs_plan_options free_options = {0}, of_weight = {.frozen = weight}, of_bias = {.frozen = bias};
    assert_int_equal(rs_batch_norm_mode(&norm, &free_options, RS_MODE_TRAIN), RS_MODE_TRAIN);
    assert_int_equal(rs_batch_norm_mode(&norm, &of_weight, RS_MODE_TRAIN), RS_MODE_EVALUATE);
    assert_int_equal(rs_batch_norm_mode(&norm, &of_bias, RS_MODE_TRAIN), RS_MODE_TRAIN);
    assert_int_equal(rs_batch_norm_mode(&norm, &of_bias, RS_MODE_EVALUATE), RS_MODE_EVALUATE);
}

static void expect_moments(rs_optimizer_kind optimizer, bool momentum, bool first, bool second)
{
    rs_rule_kind rule = rs_rule_of(optimizer, momentum);
    assert_int_equal(rs_rule_keeps1(rule), first);
    assert_int_equal(rs_rule_keeps2(rule), second);
    assert_int_equal(rs_rule_moments(rule), (first ? 1 : 0) + (second ? 1 : 0));
}

static void optimizers_keep_moments(void **state)
{
    (void)state;
    for (int momentum = 0; momentum < 2; momentum++) {
        expect_moments(RS_OPTIMIZER_SGD, momentum, momentum, false);
        expect_moments(RS_OPTIMIZER_ADAM, momentum, true, true);
        expect_moments(RS_OPTIMIZER_ADAMW, momentum, true, true);
        expect_moments(RS_OPTIMIZER_ADAGRAD, momentum, false, true);
        expect_moments(RS_OPTIMIZER_RMSPROP, momentum, momentum, true);
    }
}

static bool fits(rs_optimizer_kind plan, bool kept, rs_optimizer_kind update, double momentum)
{
    const rs_plan_options options = {.optimizer = plan, .momentum = kept};
    const rs_update_options wanted = {.optimizer = update, .momentum = momentum};
    return rs_update_fits(&options, &wanted);
}

static void updates_fit_their_plans(void **state)
{
    (void)state;
    assert_true(fits(RS_OPTIMIZER_SGD, false, RS_OPTIMIZER_SGD, 0.0));
    assert_true(fits(RS_OPTIMIZER_SGD, true, RS_OPTIMIZER_SGD, 0.9));
    assert_true(fits(RS_OPTIMIZER_SGD, true, RS_OPTIMIZER_SGD, 0.0));
    assert_false(fits(RS_OPTIMIZER_SGD, false, RS_OPTIMIZER_SGD, 0.9));
    assert_true(fits(RS_OPTIMIZER_ADAM, false, RS_OPTIMIZER_ADAMW, 0.0));
    assert_false(fits(RS_OPTIMIZER_ADAM, false, RS_OPTIMIZER_ADAGRAD, 0.0));
    assert_false(fits(RS_OPTIMIZER_ADAGRAD, false, RS_OPTIMIZER_RMSPROP, 0.0));
    assert_true(fits(RS_OPTIMIZER_RMSPROP, true, RS_OPTIMIZER_RMSPROP, 0.9));
    assert_false(fits(RS_OPTIMIZER_RMSPROP, false, RS_OPTIMIZER_RMSPROP, 0.9));
    assert_false(fits(RS_OPTIMIZER_SGD, true, RS_OPTIMIZER_ADAM, 0.0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reductions),
        cmocka_unit_test(a_head_starts_from_its_objectives),
        cmocka_unit_test(what_a_batch_must_bring),
        cmocka_unit_test(targets_have_one_size),
        cmocka_unit_test(sensitivity_of_norms),
        cmocka_unit_test(frozen_norms_take_running_statistics),
        cmocka_unit_test(optimizers_keep_moments),
        cmocka_unit_test(updates_fit_their_plans),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
