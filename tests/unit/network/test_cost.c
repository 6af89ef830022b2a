/* test_cost.c: work of operations and of a step, against rs_network_flops and against figures worked out by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cost.h"
#include "rs/host.h"
#include "rs/step_cost.h"

static const rs_plan_options main_job = {.batch_size_count = 1,
                                         .batch_sizes = {2},
                                         .training = true,
                                         .optimizer = RS_OPTIMIZER_ADAM,
                                         .keep_initial = true,
                                         .sum_gradients = true};

static int add(rs_network *network, const char *name, rs_op_kind kind, int a, int b)
{
    rs_error error = {0};
    int node = -1;
    rs_node_spec spec = {.name = name, .kind = kind, .input = {a, b}, .block = -1};
    if (kind == RS_OP_CONVOLUTION) {
        spec.attributes = (rs_node_attributes){.channels = 4, .kernel = 3, .stride = 1, .padding = 1};
    } else if (kind == RS_OP_MAX_POOL) {
        spec.attributes = (rs_node_attributes){.kernel = 3, .stride = 2, .padding = 1};
    } else if (kind == RS_OP_BATCH_NORM) {
        spec.attributes = (rs_node_attributes){.epsilon = 1e-5, .momentum = 0.1};
    } else if (kind == RS_OP_LINEAR) {
        spec.attributes = (rs_node_attributes){.channels = 5, .bias = true};
    } else if (kind == RS_OP_REPEAT) {
        spec.attributes = (rs_node_attributes){.axis = 1, .times = 8};
    }
    if (rs_network_add(network, &spec, &node, &error)) {
        fail_msg("%s", error.text);
    }
    return node;
}

static rs_network *images(void)
{
    rs_error error = {0};
    rs_network *network = NULL;
    assert_int_equal(rs_network_create("small", 3, 8, 8, 5, &network, &error), RS_OK);
    return network;
}

static int head(rs_network *network, int node)
{
    rs_error error = {0};
    node = add(network, "avgpool", RS_OP_GLOBAL_AVERAGE_POOL, node, 0);
    node = add(network, "fc", RS_OP_LINEAR, node, 0);
    node = add(network, "loss", RS_OP_SOFTMAX_CROSS_ENTROPY, node, 0);
    assert_int_equal(rs_network_finish(network, &error), RS_OK);
    return node;
}

static rs_profile_row *rows_of(const rs_network *network, const rs_plan_options *options, int64_t stride,
                               int *count)
{
    rs_error error = {0};
    rs_profile_row *rows = NULL;
    if (rs_step_cost(network, options, stride, &rows, count, &error)) {
        fail_msg("%s", error.text);
    }
    return rows;
}

/* A row that must be there, its text as a profile prints it. */
typedef struct expected {
    const char *node, *operation, *pass;
    double flops, bytes;
} expected;

static void compare(const rs_profile_row *rows, int count, const expected *want, int wanted)
{
    int at = 0;
    for (int i = 0; i < count; i++) {
        if (rows[i].calls == 0) {
            assert_true(rows[i].flops == 0.0 && rows[i].bytes == 0.0);
            continue;
        }
        assert_true(at < wanted);
        const expected *w = &want[at++];
        if (strcmp(rows[i].node, w->node) != 0 || strcmp(rows[i].operation, w->operation) != 0 ||
            strcmp(rows[i].pass, w->pass) != 0 || rows[i].flops != w->flops || rows[i].bytes != w->bytes) {
            fail_msg("%s %s %s: %.0f operations, %.0f bytes instead of %s %s %s: %.0f, %.0f", rows[i].node,
                     rows[i].operation, rows[i].pass, rows[i].flops, rows[i].bytes, w->node, w->operation,
                     w->pass, w->flops, w->bytes);
        }
    }
    assert_int_equal(at, wanted);
}

/* Two samples: a tensor T of 4 x 8 x 8 is 2048 bytes, and so are the images with a fourth channel; the bits of a join
 * are 512. The gradient of relu2 is set by the second join; conv3 leaves its part to the first one's backward. */
static const expected residual[] = {
    {"", "batch", "", 0, 384 + 2048},
    {"conv1", "convolution", "forward", 27648, 2048 + 432 + 2048},
    {"conv1", "convolution", "weights", 27648, 2048 + 432 + 2048},
    {"bn1", "batch_norm + relu", "forward", 0, 3 * 2048},
    {"bn1", "batch_norm + relu", "backward", 0, 2 * 2 * 2048 + 2048},
    {"conv2", "convolution", "forward", 36864, 2 * 2048 + 576},
    {"conv2", "convolution", "weights", 36864, 2 * 2048 + 576},
    {"conv2", "convolution", "data", 36864, 2048 + 576 + 2 * 2048}, /* adds */
    {"bn2", "batch_norm + add + relu", "forward", 0, 4 * 2048 + 512},
    {"bn2", "batch_norm + add + relu", "backward", 0, 2 * (3 * 2048 + 512) + 2 * 2048}, /* addend */
    {"conv3", "convolution", "forward", 36864, 2 * 2048 + 576},
    {"conv3", "convolution", "weights", 36864, 2 * 2048 + 576},
    {"conv3", "convolution", "data", 36864, 2048 + 576 + 2048}, /* sets the addend */
    {"bn3", "batch_norm + add + relu", "forward", 0, 4 * 2048 + 512},
    {"bn3", "batch_norm + add + relu", "backward", 0, 2 * (2 * 2048 + 512) + 2 * 2048},
    {"avgpool", "global_average_pool", "forward", 0, 2048 + 32},
    {"avgpool", "global_average_pool", "backward", 0, 32 + 2048},
    {"fc", "linear", "forward", 80, 32 + 80 + 40 + 2 * 40},
    {"fc", "linear", "backward", 160, (32 + 40 + 80 + 40) + (40 + 80 + 32)},
    {"loss", "softmax_cross_entropy", "forward", 0, 40},
    {"loss", "softmax_cross_entropy", "backward", 0, 40 + 40},
    {"", "update", "", 0, (3 * 144 + 6 * 16 + 32 + 16) * 48},
};

static void a_small_residual_network_by_hand(void **state)
{
    (void)state;
    int count = 0;
    rs_network *network = images();
    int relu1 = add(network, "conv1", RS_OP_CONVOLUTION, 0, 0);
    relu1 = add(network, "relu1", RS_OP_RELU, add(network, "bn1", RS_OP_BATCH_NORM, relu1, 0), 0);
    int node = add(network, "conv2", RS_OP_CONVOLUTION, relu1, 0);
    node = add(network, "bn2", RS_OP_BATCH_NORM, node, 0);
    int relu2 = add(network, "relu2", RS_OP_RELU, add(network, "add2", RS_OP_ADD, node, relu1), 0);
    node = add(network, "conv3", RS_OP_CONVOLUTION, relu2, 0);
    node = add(network, "bn3", RS_OP_BATCH_NORM, node, 0);
    node = add(network, "relu3", RS_OP_RELU, add(network, "add3", RS_OP_ADD, node, relu2), 0);
    (void)head(network, node);
    rs_profile_row *rows = rows_of(network, &main_job, 4, &count);
    compare(rows, count, residual, sizeof residual / sizeof residual[0]);
    rs_free(rows);
    rs_network_destroy(network);
}

/* Operations that stand alone; one that adds both its inputs reads the gradient for each of them. */
static void operations_alone_by_hand(void **state)
{
    static const expected want[] = {
        {"", "batch", "", 0, 384 + 1536},
        {"conv", "convolution", "forward", 27648, 1536 + 432 + 2048},
        {"conv", "convolution", "weights", 27648, 1536 + 432 + 2048},
        {"relu", "relu", "forward", 0, 2 * 2048},
        {"relu", "relu", "backward", 0, 3 * 2048},
        {"softplus", "softplus", "forward", 0, 2 * 2048},
        {"softplus", "softplus", "backward", 0, 2048 + 2048 + 2 * 2048},
        {"add", "add", "forward", 0, 3 * 2048},
        {"add", "add", "backward", 0, 2 * 2048 + 2 * 2048},
        {"pool", "max_pool", "forward", 0, 2048 + 512 + 128},
        {"pool", "max_pool", "backward", 0, 2048 + 512 + 128},
        {"avgpool", "global_average_pool", "forward", 0, 512 + 32},
        {"avgpool", "global_average_pool", "backward", 0, 512 + 32},
        {"fc", "linear", "forward", 80, 232},
        {"fc", "linear", "backward", 160, 344},
        {"loss", "softmax_cross_entropy", "forward", 0, 40},
        {"loss", "softmax_cross_entropy", "backward", 0, 80},
        {"", "update", "", 0, (112 + 32 + 16) * 12}, /* SGD: no moments, nothing kept */
    };
    (void)state;
    int count = 0;
    rs_plan_options options = main_job;
    options.optimizer = RS_OPTIMIZER_SGD;
    options.keep_initial = options.sum_gradients = false;
    rs_network *network = images();
    int relu = add(network, "relu", RS_OP_RELU, add(network, "conv", RS_OP_CONVOLUTION, 0, 0), 0);
    int softplus = add(network, "softplus", RS_OP_SOFTPLUS, relu, 0);
    int sum = add(network, "add", RS_OP_ADD, softplus, relu);
    (void)head(network, add(network, "pool", RS_OP_MAX_POOL, sum, 0));
    rs_profile_row *rows = rows_of(network, &options, 3, &count);
    compare(rows, count, want, sizeof want / sizeof want[0]);
    rs_free(rows);
    rs_network_destroy(network);
}

/* The operators that studies compose, each with a gradient for what stands before it; the dividend of the quotient and the
 * first factor of the product are read for the second's. */
static void composed_operations_by_hand(void **state)
{
    static const expected want[] = {
        {"", "batch", "", 0, 384 + 1536},
        {"conv", "convolution", "forward", 27648, 1536 + 432 + 2048},
        {"conv", "convolution", "weights", 27648, 1536 + 432 + 2048},
        {"sigmoid", "sigmoid", "forward", 0, 2 * 2048},
        {"sigmoid", "sigmoid", "backward", 0, 4 * 2048}, /* adds */
        {"tanh", "tanh", "forward", 0, 2 * 2048},
        {"tanh", "tanh", "backward", 0, 3 * 2048}, /* later: sets */
        {"divide", "divide", "forward", 0, 3 * 2048},
        {"divide", "divide", "backward", 0, 3 * 2048 + 2048 + 2 * 2048}, /* adds to the divisor's */
        {"product", "matrix_product", "forward", 2 * 2 * 4 * 8 * 8 * 8, 3 * 2048},
        {"product", "matrix_product", "backward", 2 * 2 * 2 * 4 * 8 * 8 * 8, 4 * 2048 + 2 * 2048},
        {"rows", "row_normalize", "forward", 0, 2 * 2048},
        {"rows", "row_normalize", "backward", 0, 3 * 2048},
        {"softmax", "softmax", "forward", 0, 2 * 2048},
        {"softmax", "softmax", "backward", 0, 3 * 2048},
        {"avgpool", "global_average_pool", "forward", 0, 2048 + 32},
        {"avgpool", "global_average_pool", "backward", 0, 32 + 2048},
        {"repeat", "repeat", "forward", 0, 32 + 256},
        {"repeat", "repeat", "backward", 0, 256 + 32},
        {"flat", "flatten", "forward", 0, 2 * 256},
        {"flat", "flatten", "backward", 0, 2 * 256},
        {"loss", "mean_squared_error", "forward", 0, 2 * 256},
        {"loss", "mean_squared_error", "backward", 0, 3 * 256},
        {"", "update", "", 0, 112 * 20}, /* Adagrad: one moment */
    };
    (void)state;
    int count = 0;
    rs_error error = {0};
    rs_plan_options options = main_job;
    options.optimizer = RS_OPTIMIZER_ADAGRAD;
    options.keep_initial = options.sum_gradients = false;
    rs_network *network = images();
    int conv = add(network, "conv", RS_OP_CONVOLUTION, 0, 0);
    int sigmoid = add(network, "sigmoid", RS_OP_SIGMOID, conv, 0);
    int tanh = add(network, "tanh", RS_OP_TANH, conv, 0);
    int quotient = add(network, "divide", RS_OP_DIVIDE, tanh, sigmoid);
    int product = add(network, "product", RS_OP_MATRIX_PRODUCT, quotient, sigmoid);
    int rows_node = add(network, "rows", RS_OP_ROW_NORMALIZE, product, 0);
    int node = add(network, "softmax", RS_OP_SOFTMAX, rows_node, 0);
    node = add(network, "avgpool", RS_OP_GLOBAL_AVERAGE_POOL, node, 0);
    node = add(network, "flat", RS_OP_FLATTEN, add(network, "repeat", RS_OP_REPEAT, node, 0), 0);
    (void)add(network, "loss", RS_OP_MEAN_SQUARED_ERROR, node, 0);
    assert_int_equal(rs_network_finish(network, &error), RS_OK);
    rs_profile_row *rows = rows_of(network, &options, 3, &count);
    compare(rows, count, want, sizeof want / sizeof want[0]);
    rs_free(rows);
    rs_network_destroy(network);
}

static double sum_of(const rs_profile_row *rows, int count, bool flops)
{
    double sum = 0.0;
    for (int i = 0; i < count; i++) {
        sum += flops ? rows[i].flops : rows[i].bytes;
    }
    return sum;
}

/* Forward, and twice that for backward, but for the gradient of the images. */
static void check_resnet(int depth, bool plain, bool standard)
{
    rs_error error = {0};
    const rs_resnet_options resnet = {.depth = depth,
                                      .plain = plain,
                                      .standard = standard,
                                      .channels = 3,
                                      .height = 32,
                                      .width = 32,
                                      .classes = 10};
    rs_network *network = NULL;
    int count = 0, evaluated = 0;
    assert_int_equal(rs_resnet_build(&resnet, &network, &error), RS_OK);
    rs_plan_options options = main_job;
    options.batch_sizes[0] = 1024;
    const rs_node *conv1 = &network->nodes[1];
    double first =
        2.0 * (double)(network->parameters[conv1->weight].count * conv1->shape[1] * conv1->shape[2]);
    double forward = (double)rs_network_flops(network);
    rs_profile_row *rows = rows_of(network, &options, 4, &count);
    assert_true(sum_of(rows, count, true) == 1024.0 * (3.0 * forward - first));
    options.training = false;
    rs_profile_row *only = rows_of(network, &options, 4, &evaluated);
    assert_int_equal(count, evaluated);
    assert_true(sum_of(only, evaluated, true) == 1024.0 * forward);
    assert_true(sum_of(only, evaluated, false) < 0.5 * sum_of(rows, count, false));
    rs_free(rows);
    rs_free(only);
    rs_network_destroy(network);
}

static void resnets_do_three_forward_passes_less_the_first_gradient(void **state)
{
    static const int depths[] = {18, 26, 34, 50, 68, 101};
    (void)state;
    for (int i = 0; i < 24; i++) {
        check_resnet(depths[i % 6], i / 6 % 2 == 1, i >= 12);
    }
}

static void what_an_optimizer_keeps_is_moved(void **state)
{
    (void)state;
    rs_cost_update update = {.elements = 1000};
    assert_true(rs_cost_update_bytes(&update) == 12000.0); /* value read and written, gradient read */
    update.moments = 1;
    assert_true(rs_cost_update_bytes(&update) == 20000.0);
    update.moments = 2;
    update.initial = update.gradient_sum = true;
    assert_true(rs_cost_update_bytes(&update) == 48000.0);
}

static void bad_options_are_refused(void **state)
{
    (void)state;
    rs_error error = {0};
    rs_profile_row *rows = NULL;
    int count = 0;
    rs_network *network = images();
    (void)head(network, add(network, "conv", RS_OP_CONVOLUTION, 0, 0));
    rs_plan_options options = main_job;
    assert_int_equal(rs_step_cost(network, &options, 2, &rows, &count, &error), RS_USAGE);
    assert_non_null(strstr(error.text, "3 channels do not fit in 2 floats"));
    options.batch_sizes[0] = 0;
    assert_int_equal(rs_step_cost(network, &options, 4, &rows, &count, &error), RS_USAGE);
    assert_non_null(strstr(error.text, "at least one sample"));
    assert_null(rows);
    rs_network_destroy(network);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_residual_network_by_hand),
        cmocka_unit_test(operations_alone_by_hand),
        cmocka_unit_test(composed_operations_by_hand),
        cmocka_unit_test(resnets_do_three_forward_passes_less_the_first_gradient),
        cmocka_unit_test(what_an_optimizer_keeps_is_moved),
        cmocka_unit_test(bad_options_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
