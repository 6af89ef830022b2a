/* test_profile_rows.c: what rs_step_cost counts without a device is what the module's profile says of a step that ran,
 * row by row; and the bytes of our own kernels are those that the stand-in saw them move. */
#include <string.h>

#include "harness.h"

#include "rs/host.h"
#include "rs/step_cost.h"
#include "standin.h"

enum { BATCH = 4, STRIDE = 4, BLOCKS = 4 };

static rs_check_machine machine;

/* Finite weights, so that a step can run. */
static void fill(rs_plan *plan, const rs_network *network, const rs_plan_options *options)
{
    rs_error error = {0};
    for (int i = 0; i < network->parameter_count; i++) {
        float *values = rs_alloc_array((size_t)network->parameters[i].count, sizeof *values);
        assert_non_null(values);
        rs_parameter_initialize(&network->parameters[i], 1, values);
        harness_ok(machine.backend->write(plan, RS_SLOT_VALUE, i, values, &error), &error);
        if (options->keep_initial) {
            harness_ok(machine.backend->write(plan, RS_SLOT_INITIAL, i, values, &error), &error);
        }
        rs_free(values);
    }
}

static void forward(rs_plan *plan, rs_mode mode)
{
    static const uint8_t images[BATCH * 3 * 32 * 32];
    const int32_t labels[BATCH] = {0};
    const rs_batch batch = {.images = images, .labels = labels, .count = BATCH};
    rs_error error = {0};
    harness_ok(machine.backend->load_batch(plan, &batch, &error), &error);
    harness_ok(machine.backend->forward(plan, mode, &error), &error);
}

/* Distances are measured where initial values are kept. */
static void run_step(rs_plan *plan, const rs_plan_options *options)
{
    rs_error error = {0};
    double initial[BLOCKS] = {0.0}, previous[BLOCKS] = {0.0};
    rs_measurement measured = {.to_initial = options->keep_initial ? initial : NULL, .to_previous = previous};
    const rs_update_options update = {.optimizer = options->optimizer,
                                      .learning_rate = 1e-3,
                                      .beta1 = 0.9,
                                      .beta2 = 0.999,
                                      .alpha = 0.9,
                                      .epsilon = 1e-8,
                                      .momentum = options->momentum ? 0.9 : 0.0,
                                      .distances = options->keep_initial};
    forward(plan, RS_MODE_TRAIN);
    harness_ok(machine.backend->backward(plan, RS_LABELS_TRUE, &error), &error);
    harness_ok(machine.backend->update(plan, &update, &measured, &error), &error);
}

static void compare(const rs_profile_row *got, const rs_profile_row *want, int count)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(got[i].node, want[i].node) != 0 || strcmp(got[i].operation, want[i].operation) != 0 ||
            strcmp(got[i].pass, want[i].pass) != 0 || got[i].calls != want[i].calls ||
            got[i].flops != want[i].flops || got[i].bytes != want[i].bytes) {
            fail_msg("%s %s %s: %d calls, %.0f operations, %.0f bytes ran; counted %s %s %s: %d, %.0f, %.0f",
                     got[i].node, got[i].operation, got[i].pass, (int)got[i].calls, got[i].flops,
                     got[i].bytes, want[i].node, want[i].operation, want[i].pass, (int)want[i].calls,
                     want[i].flops, want[i].bytes);
        }
    }
}

/* Bytes of rows whose operation is `first`, or that and what is fused with it. */
static double counted(const rs_profile_row *rows, int count, const char *first)
{
    size_t length = strlen(first);
    double sum = 0.0;
    for (int i = 0; i < count; i++) {
        const char *name = rows[i].operation;
        bool same = strncmp(name, first, length) == 0 && (name[length] == '\0' || name[length] == ' ');
        sum += same ? rows[i].bytes : 0.0;
    }
    return sum;
}

static double seen(const char *const *kernels)
{
    double sum = 0.0;
    for (int i = 0; kernels[i]; i++) {
        rs_emu_traffic traffic = {0};
        if (rs_emu_traffic_of(kernels[i], &traffic)) {
            sum += (double)(traffic.read + traffic.written);
        }
    }
    return sum;
}

/* Kernels of an operation; ends with an operation of NULL. */
typedef struct group {
    const char *operation;
    const char *kernels[8];
} group;

/* Vectors of a value per channel and the gaps between parameters are few beside these tensors, but not nothing. */
static void check_traffic(const rs_profile_row *rows, int count, const group *groups)
{
    for (int i = 0; groups[i].operation; i++) {
        double ratio = seen(groups[i].kernels) / counted(rows, count, groups[i].operation);
        print_message("%s: the kernels moved %.3f of the bytes that are counted\n", groups[i].operation,
                      ratio);
        assert_true(ratio > 0.9 && ratio < 1.1);
    }
}

/* Takes the network over. */
static void check_network(rs_network *network, const rs_plan_options *options, const group *groups)
{
    rs_error error = {0};
    rs_plan *plan = NULL;
    rs_profile_row *want = NULL;
    const rs_profile_row *got = NULL;
    rs_loss loss;
    int count = 0;
    harness_ok(machine.backend->plan_create(machine.device, network, options, &plan, &error), &error);
    fill(plan, network, options);
    harness_ok(machine.backend->profile_start(plan, &error), &error);
    forward(plan, RS_MODE_EVALUATE); /* counts nowhere */
    harness_ok(machine.backend->read_loss(plan, &loss, &error), &error);
    rs_emu_traffic_reset();
    uint64_t before = rs_emu_calls("cudaLaunchHostFunc");
    run_step(plan, options);
    uint64_t held = rs_emu_calls("cudaLaunchHostFunc") - before;
    harness_ok(rs_step_cost(network, options, STRIDE, &want, &count, &error), &error);
    assert_int_equal(machine.backend->profile_rows(plan, &got), count);
    compare(got, want, count);
    check_traffic(want, count, groups);
    for (int i = 0; i < count; i++) { /* the device waited for the host before each of them */
        held -= (uint64_t)want[i].calls;
    }
    assert_int_equal(held, 0);
    rs_free(want);
    machine.backend->plan_destroy(plan);
    rs_network_destroy(network);
}

static void check_resnet(const rs_resnet_options *resnet, const rs_plan_options *options)
{
    static const group groups[] = {
        {"batch_norm",
         {"rs_cu_k_norm_statistics_4", "rs_cu_k_norm_forward_4", "rs_cu_k_norm_gradients_4",
          "rs_cu_k_norm_backward_4"}},
        {"max_pool", {"rs_cu_k_max_pool_forward_4", "rs_cu_k_max_pool_backward_4"}},
        {"batch", {"rs_cu_k_gather"}},
        {"update", {"rs_cu_k_adam_distance", "rs_cu_k_momentum", "rs_cu_k_sgd"}},
        {NULL, {NULL}},
    };
    rs_error error = {0};
    rs_network *network = NULL;
    harness_ok(rs_resnet_build(resnet, &network, &error), &error);
    check_network(network, options, groups);
}

static rs_resnet_options small(int depth, bool plain, bool standard)
{
    return (rs_resnet_options){.depth = depth,
                               .plain = plain,
                               .standard = standard,
                               .blocks = {1, 1, 1, 1},
                               .channels = 3,
                               .height = 32,
                               .width = 32,
                               .classes = 10};
}

static rs_plan_options training(rs_optimizer_kind optimizer)
{
    return (rs_plan_options){.dtype = RS_F32,
                             .batch_size_count = 1,
                             .batch_sizes = {BATCH},
                             .training = true,
                             .std = {1.0F, 1.0F, 1.0F},
                             .optimizer = optimizer};
}

static void residual_with_all_that_is_kept(void **state)
{
    (void)state;
    const rs_resnet_options resnet = small(18, false, true);
    rs_plan_options options = training(RS_OPTIMIZER_ADAM);
    rs_error error = {0};
    harness_ok(rs_metric_list_parse("minkowski:1", &options.metrics, &error), &error);
    options.keep_initial = options.sum_gradients = true;
    check_resnet(&resnet, &options);
}

static void plain_with_momentum(void **state)
{
    (void)state;
    const rs_resnet_options resnet = small(18, true, false);
    rs_plan_options options = training(RS_OPTIMIZER_SGD);
    options.momentum = true;
    check_resnet(&resnet, &options);
}

static void bottlenecks_with_plain_descent(void **state)
{
    (void)state;
    const rs_resnet_options resnet = small(26, false, false);
    const rs_plan_options options = training(RS_OPTIMIZER_SGD);
    check_resnet(&resnet, &options);
}

/* Operators that no ResNet has; RMSprop with momentum. */
static void other_operators(void **state)
{
    static const rs_check_case all = {
        .name = "operators",
        .shape = {3, 32, 32},
        .ops = {{RS_OP_CONVOLUTION, {.channels = 8, .kernel = 3, .stride = 1, .padding = 1}, {0}},
                {RS_OP_SIGMOID, {0}, {1}},
                {RS_OP_TANH, {0}, {2}},
                {RS_OP_SOFTMAX, {0}, {3}},
                {RS_OP_SOFTPLUS, {0}, {1}},
                {RS_OP_ROW_NORMALIZE, {0}, {5}},
                {RS_OP_DIVIDE, {0}, {4, 5}},
                {RS_OP_MATRIX_PRODUCT, {0}, {6, 7}},
                {RS_OP_FLATTEN, {0}, {8}},
                {RS_OP_LINEAR, {.channels = 10}, {9}},
                {RS_OP_KL_DIVERGENCE, {0}, {10}}}};
    static const group groups[] = {
        {"sigmoid", {"rs_cu_k_sigmoid_forward", "rs_cu_k_sigmoid_backward"}},
        {"tanh", {"rs_cu_k_tanh_forward", "rs_cu_k_tanh_backward"}},
        {"softmax", {"rs_cu_k_softmax_forward_4", "rs_cu_k_softmax_backward_4"}},
        {"row_normalize", {"rs_cu_k_row_normalize_forward_4", "rs_cu_k_row_normalize_backward_4"}},
        {"divide", {"rs_cu_k_divide_forward", "rs_cu_k_divide_backward"}},
        {"matrix_product", {"rs_cu_k_matrix_product_4"}},
        {"flatten", {"rs_cu_k_to_canonical", "rs_cu_k_from_canonical"}},
        {"update", {"rs_cu_k_rmsprop_momentum"}},
        {NULL, {NULL}},
    };
    rs_plan_options options = training(RS_OPTIMIZER_RMSPROP);
    rs_network *network = NULL;
    rs_error error = {0};
    (void)state;
    options.momentum = true;
    harness_ok(rs_check_network(&all, &network, &error), &error);
    check_network(network, &options, groups);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(residual_with_all_that_is_kept),
        cmocka_unit_test(plain_with_momentum),
        cmocka_unit_test(bottlenecks_with_plain_descent),
        cmocka_unit_test(other_operators),
    };
    if (!rs_emu_present()) {
        print_message("skipped: bytes are counted by the stand-in alone\n");
        return 77;
    }
    return harness_run(tests, &machine, "cuda", 1);
}
