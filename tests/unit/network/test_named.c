/* test_named.c: the program's own networks: parameter counts as published, shapes, names, what counts as a layer. */
#include <stdio.h>
#include <string.h>

#include "harness.h"
#include "rs/network.h"

typedef struct row {
    const char *name;
    int side, channels, classes; /* of the data; side 1: a number */
    int64_t parameters;
    int units;
} row;

/* Parameters: as the studies give them; where they give none (the last nine), by hand. */
static const row rows[] = {
    {"nn-4x256", 28, 1, 10, 400906, 13},
    {"nn-2x256", 28, 1, 10, 269322, 7},
    {"cnn-32-64-128-256", 28, 1, 10, 422026, 16},
    {"cnn-32-64", 28, 1, 10, 421642, 10},
    {"baseline-net", 32, 3, 10, 89834, 13},
    {"dropout-net", 32, 3, 10, 89834, 14},
    {"batch-norm-net", 32, 3, 10, 90010, 17},
    {"mlp-fit-8x7", 1, 1, 1, 529, 17},
    {"mlp-fit-10x5", 1, 1, 1, 581, 13},
    {"mlp-fit-14x10", 1, 1, 1, 2143, 23},
    {"mlp-sinc-50x3", 1, 1, 1, 5551, 13},
    {"mlp-sinc-100x4", 1, 1, 1, 31401, 17},
    {"mlp-sinc-150x5", 1, 1, 1, 92551, 21},
    {"cnn-a", 32, 1, 10, 66610, 10},
    {"cnn-b", 32, 1, 10, 268362, 10},
    {"cnn-c", 32, 1, 10, 67498, 10},
    {"mlp-20x3", 1, 1, 1, 901, 7},
    {"mlp-128-64", 28, 1, 10, 109386, 5},
    {"mlp-64-128", 28, 1, 10, 59850, 5},
    {"mlp-32-64", 28, 1, 10, 27882, 5},
    {"mlp-16-32", 28, 1, 10, 13434, 5},
    {"mlp-8-16", 28, 1, 10, 6594, 5},
    {"mlp-5-9", 28, 1, 10, 4079, 5},
    {"mlp-50-100", 28, 1, 10, 45360, 5},
    {"mlp-60-120", 28, 1, 10, 55630, 5},
    {"mlp-100-200", 28, 1, 10, 100710, 5},
    {"mlp-125-250", 28, 1, 10, 132135, 5},
    {"mlp-150-300", 28, 1, 10, 166060, 5},
    {"cnn-6-16", 32, 3, 10, 62006, 12},
    {"cnn-6-16-bn", 32, 3, 10, 62006 + 2 * (6 + 16), 14},
    {"cnn-6-16-wide", 32, 3, 10, 456 + 2416 + 400 * 240 + 240 + 240 * 168 + 168 + 1690, 12},
    {"cnn-12-32", 32, 3, 10, 912 + 9632 + 800 * 120 + 120 + 10164 + 850, 12},
    {"cnn-12-32-bn", 32, 3, 10, 912 + 9632 + 800 * 120 + 120 + 10164 + 850 + 2 * (12 + 32), 14},
    {"cnn-32-64-128-bn", 32, 3, 10, 896 + 18496 + 73856 + 2 * 224 + 2048 * 120 + 120 + 10164 + 850, 18},
    {"mlp-sigmoid", 28, 1, 10, 784 * 3136 + 3136 + 31370, 3},
    {"mlp-relu", 28, 1, 10, 784 * 3136 + 3136 + 31370, 3},
    {"mlp-sigmoid-8", 28, 1, 10, 784 * 6272 + 6272 + 62730, 3},
    {"mlp-sigmoid-deep", 28, 1, 10, 784 * 3136 + 3136 + 3136 * 3136 + 3136 + 31370, 5},
};
enum { ROWS = sizeof rows / sizeof rows[0] };

static rs_network *build(const char *name, int channels, int side, int classes)
{
    rs_error error = {0};
    rs_network *network = NULL;
    rs_network_options options = rs_network_options_default(channels, side, side, classes);
    options.targets = classes == 1;
    harness_ok(rs_network_named(name, &options, &network, &error), &error);
    return network;
}

static void parameters_and_layers_are_the_published_ones(void **state)
{
    (void)state;
    for (int i = 0; i < ROWS; i++) {
        rs_error error = {0};
        rs_units units;
        rs_network *network = build(rows[i].name, rows[i].channels, rows[i].side, rows[i].classes);
        harness_ok(rs_network_layers(network, &units, &error), &error);
        if (network->weight_count != rows[i].parameters || units.count != rows[i].units) {
            fail_msg("%s: %lld parameters, %d layers", rows[i].name, (long long)network->weight_count,
                     units.count);
        }
        assert_string_equal(network->name, rows[i].name);
        assert_true(network->block_count > 0);
        assert_string_equal(network->source, rs_network_source(rows[i].name));
        rs_units_release(&units);
        rs_network_destroy(network);
    }
}

static void every_network_is_in_the_table(void **state)
{
    (void)state;
    assert_int_equal(rs_network_name_count(), ROWS);
    for (int i = 0; i < ROWS; i++) {
        int found = 0;
        for (int k = 0; k < ROWS; k++) {
            found += strcmp(rs_network_name_at(i), rows[k].name) == 0;
        }
        if (found != 1) {
            fail_msg("%s is %d times in the table of this test", rs_network_name_at(i), found);
        }
    }
}

static void expect_shape(const rs_network *network, const char *node, int64_t c, int64_t h, int64_t w)
{
    const int64_t expected[3] = {c, h, w};
    int at = rs_network_find_node(network, node);
    assert_true(at > 0);
    assert_memory_equal(network->nodes[at].shape, expected, sizeof expected);
}

static void shapes_are_the_published_ones(void **state)
{
    (void)state;
    rs_network *network = build("cnn-a", 1, 32, 10);
    expect_shape(network, "conv1", 10, 28, 28);
    expect_shape(network, "pool2", 20, 5, 5);
    expect_shape(network, "flatten1", 500, 1, 1);
    rs_network_destroy(network);
    network = build("cnn-32-64-128-256", 1, 28, 10);
    expect_shape(network, "pool3", 128, 3, 3);
    expect_shape(network, "pool4", 256, 1, 1);
    rs_network_destroy(network);
    network = build("baseline-net", 3, 32, 10);
    expect_shape(network, "flatten1", 1024, 1, 1);
    rs_network_destroy(network);
    network = build("cnn-6-16", 3, 32, 10);
    expect_shape(network, "pool2", 16, 5, 5);
    rs_network_destroy(network);
}

static void kinds_in_order(const char *name, int channels, int side, const char *expected)
{
    char text[1024] = "";
    size_t length = 0;
    rs_network *network = build(name, channels, side, 10);
    for (int i = 1; i < network->node_count; i++) {
        length += (size_t)snprintf(text + length, sizeof text - length, "%s%s", i > 1 ? " " : "",
                                   rs_op_name(network->nodes[i].kind));
    }
    assert_string_equal(text, expected);
    rs_network_destroy(network);
}

static void layers_stand_in_the_published_order(void **state)
{
    (void)state;
    kinds_in_order("nn-2x256", 1, 28, "linear relu dropout linear relu dropout linear softmax_cross_entropy");
    kinds_in_order("cnn-c", 1, 32,
                   "convolution max_pool relu convolution max_pool relu flatten linear relu linear "
                   "softmax_cross_entropy");
    kinds_in_order(
        "batch-norm-net", 3, 32,
        "convolution batch_norm relu max_pool convolution batch_norm relu max_pool convolution batch_norm "
        "relu max_pool flatten linear batch_norm relu linear softmax_cross_entropy");
    kinds_in_order(
        "cnn-6-16-bn", 3, 32,
        "convolution batch_norm relu max_pool convolution batch_norm relu max_pool flatten linear relu "
        "linear relu linear softmax_cross_entropy");
}

static void other_data_change_the_ends_alone(void **state)
{
    (void)state;
    rs_network *network = build("nn-4x256", 3, 32, 100);
    assert_int_equal(network->weight_count, 3072 * 256 + 256 + 3 * 65792 + 25700);
    rs_network_destroy(network);
}

static void the_nearest_name_is_told(void **state)
{
    (void)state;
    rs_error error = {0};
    rs_network *network = NULL;
    rs_network_options options = rs_network_options_default(3, 32, 32, 10);
    harness_fails(rs_network_named("baselin-net", &options, &network, &error), RS_USAGE, &error,
                  "no network \"baselin-net\"; nearest baseline-net");
    harness_fails(rs_network_named("/nonexistent/net.yaml", &options, &network, &error), RS_DATA, &error,
                  "/nonexistent/net.yaml");
    assert_null(network);
}

/* The published initialisation of the sigmoid networks: normal with std 2/(in+out), biases 0. */
static void the_sigmoid_networks_begin_as_published(void **state)
{
    (void)state;
    rs_network *network = build("mlp-sigmoid-deep", 1, 28, 10);
    static const double expected[] = {2.0 / (784 + 3136), 2.0 / (3136 + 3136), 2.0 / (3136 + 10)};
    assert_int_equal(network->parameter_count, 6);
    for (int i = 0; i < 3; i++) {
        const rs_parameter *weight = &network->parameters[2 * i], *bias = &network->parameters[2 * i + 1];
        assert_int_equal(weight->initializer, RS_INIT_NORMAL);
        assert_true(weight->std == expected[i]);
        assert_int_equal(bias->initializer, RS_INIT_ZERO);
    }
    rs_network_destroy(network);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters_and_layers_are_the_published_ones),
        cmocka_unit_test(every_network_is_in_the_table),
        cmocka_unit_test(shapes_are_the_published_ones),
        cmocka_unit_test(layers_stand_in_the_published_order),
        cmocka_unit_test(other_data_change_the_ends_alone),
        cmocka_unit_test(the_nearest_name_is_told),
        cmocka_unit_test(the_sigmoid_networks_begin_as_published),
    };
    return cmocka_run_group_tests_name("named", tests, NULL, NULL);
}
