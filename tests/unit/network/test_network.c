/* test_network.c: parameter counts of every network of the main study against the published ones, names,
 * shapes, errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "rs/host.h"
#include "rs/network.h"

typedef struct count_row {
    int depth, blocks;
    int64_t even_residual, even_plain, standard_residual, standard_plain;
} count_row;

static const count_row counts[] = {
    {18, 8, 2308938, 2300490, 11181642, 11007818},  {26, 8, 2231626, 2197834, 13966666, 11190090},
    {34, 16, 4672330, 4663882, 21289802, 21115978}, {50, 16, 4472138, 4438346, 23528522, 20751946},
    {68, 33, 9694538, 9686090, 41361226, 41187402}, {101, 33, 9233226, 9199434, 42520650, 39744074},
};

static rs_network *build(rs_resnet_options options)
{
    rs_error error = {0};
    rs_network *network = NULL;
    if (rs_resnet_build(&options, &network, &error)) {
        fail_msg("%s", error.text);
    }
    return network;
}

static void expect_count(int depth, bool plain, bool standard, int channels, int classes, int64_t expected,
                         int blocks)
{
    int side = channels == 1 ? 28 : 32;
    rs_network *network = build((rs_resnet_options){.depth = depth,
                                                    .plain = plain,
                                                    .standard = standard,
                                                    .channels = channels,
                                                    .height = side,
                                                    .width = side,
                                                    .classes = classes});
    if (network->weight_count != expected) {
        print_message("depth %d plain %d standard %d channels %d classes %d\n", depth, plain, standard,
                      channels, classes);
    }
    assert_int_equal(network->weight_count, expected);
    assert_int_equal(network->block_count, blocks);
    rs_network_destroy(network);
}

static void parameter_counts_match_the_published_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        const count_row *row = &counts[i];
        bool bottleneck = row->depth == 26 || row->depth == 50 || row->depth == 101;
        for (int plain = 0; plain < 2; plain++) {
            for (int standard = 0; standard < 2; standard++) {
                int64_t base = standard ? (plain ? row->standard_plain : row->standard_residual)
                                        : (plain ? row->even_plain : row->even_residual);
                int64_t hundred = standard ? (bottleneck ? 184410 : 46170) : (bottleneck ? 46170 : 11610);
                expect_count(row->depth, plain, standard, 3, 10, base, row->blocks);
                expect_count(row->depth, plain, standard, 1, 10, base - 6272, row->blocks);
                expect_count(row->depth, plain, standard, 3, 100, base + hundred, row->blocks);
            }
        }
    }
}

static void first_blocks_count_what_was_published(void **state)
{
    (void)state;
    for (int plain = 0; plain < 2; plain++) {
        rs_network *network = build((rs_resnet_options){
            .depth = 18, .plain = plain, .channels = 3, .height = 32, .width = 32, .classes = 10});
        assert_int_equal(network->blocks[0].weights, plain ? 221184 : 229632);
        for (int i = 1; i < 8; i++) {
            assert_int_equal(network->blocks[i].weights, 294912);
            assert_int_equal(network->blocks[i].depth, i + 1);
        }
        assert_string_equal(network->blocks[7].name, "layer4.1");
        rs_network_destroy(network);
    }
}

static void names_are_torchvisions(void **state)
{
    (void)state;
    rs_network *network =
        build((rs_resnet_options){.depth = 26, .channels = 3, .height = 32, .width = 32, .classes = 10});
    static const char *const names[] = {"conv1.weight",
                                        "bn1.weight",
                                        "bn1.bias",
                                        "layer1.0.conv3.weight",
                                        "layer1.0.bn3.bias",
                                        "layer1.0.downsample.0.weight",
                                        "layer1.0.downsample.1.bias",
                                        "layer4.1.conv2.weight",
                                        "fc.weight",
                                        "fc.bias"};
    int before = -1;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        int at = rs_network_find_parameter(network, names[i]);
        assert_true(at > before);
        before = at;
    }
    assert_int_equal(rs_network_find_parameter(network, "conv1.bias"), -1);
    int buffers = 0;
    for (int i = 0; i < network->buffer_count; i++) {
        buffers += strcmp(network->buffers[i].name, "layer1.0.downsample.1.running_var") == 0;
    }
    assert_int_equal(buffers, 1);
    rs_network_destroy(network);
}

static void shapes_follow_the_width(void **state)
{
    (void)state;
    rs_network *even =
        build((rs_resnet_options){.depth = 50, .channels = 3, .height = 32, .width = 32, .classes = 10});
    const rs_node *last = &even->nodes[rs_network_find_node(even, "layer4.2.relu")];
    assert_int_equal(last->shape[0], 512);
    assert_int_equal(last->shape[1], 8);
    rs_network_destroy(even);
    rs_network *standard = build((rs_resnet_options){
        .depth = 50, .standard = true, .channels = 3, .height = 32, .width = 32, .classes = 10});
    last = &standard->nodes[rs_network_find_node(standard, "layer4.2.relu")];
    assert_int_equal(last->shape[0], 2048);
    assert_int_equal(last->shape[1], 1);
    rs_network_destroy(standard);
}

static void own_block_counts_are_built(void **state)
{
    (void)state;
    rs_network *network = build((rs_resnet_options){.depth = 101,
                                                    .plain = true,
                                                    .blocks = {8, 8, 8, 8},
                                                    .channels = 3,
                                                    .height = 32,
                                                    .width = 32,
                                                    .classes = 10});
    assert_int_equal(network->block_count, 32);
    rs_network_destroy(network);
}

static void expect_refused(rs_resnet_options options, const char *part)
{
    rs_error error = {0};
    rs_network *network = NULL;
    assert_int_equal(rs_resnet_build(&options, &network, &error), RS_USAGE);
    assert_null(network);
    assert_non_null(strstr(error.text, part));
}

static void impossible_networks_are_refused_by_name(void **state)
{
    (void)state;
    expect_refused((rs_resnet_options){.depth = 67, .channels = 3, .height = 32, .width = 32, .classes = 10},
                   "depth 67");
    expect_refused(
        (rs_resnet_options){
            .depth = 18, .blocks = {1, 0, 1, 1}, .channels = 3, .height = 32, .width = 32, .classes = 10},
        "1,0,1,1");
    expect_refused((rs_resnet_options){.depth = 18, .channels = 0, .height = 32, .width = 32, .classes = 10},
                   "at least 1");
}

static void a_node_that_does_not_fit_is_named(void **state)
{
    (void)state;
    rs_error error = {0};
    rs_network *network = NULL;
    int node = 0;
    assert_int_equal(rs_network_create("n", 3, 8, 8, 10, &network, &error), RS_OK);
    rs_node_spec pool = {
        .name = "wide", .kind = RS_OP_MAX_POOL, .attributes = {.kernel = 9, .stride = 1}, .block = -1};
    assert_int_equal(rs_network_add(network, &pool, &node, &error), RS_USAGE);
    assert_non_null(strstr(error.text, "wide"));
    rs_node_spec loss = {.name = "loss", .kind = RS_OP_SOFTMAX_CROSS_ENTROPY, .block = -1};
    assert_int_equal(rs_network_add(network, &loss, &node, &error), RS_USAGE);
    assert_non_null(strstr(error.text, "one per class"));
    rs_node_spec twice = {.name = "input", .kind = RS_OP_RELU, .block = -1};
    assert_int_equal(rs_network_add(network, &twice, &node, &error), RS_USAGE);
    assert_int_equal(rs_network_finish(network, &error), RS_USAGE);
    rs_network_destroy(network);
}

static void a_dropout_rate_is_a_share(void **state)
{
    (void)state;
    static const double bad[] = {-0.1, 1.0, 1.5, NAN};
    rs_error error = {0};
    rs_network *network = NULL;
    int node = 0;
    assert_int_equal(rs_network_create("n", 3, 8, 6, 10, &network, &error), RS_OK);
    rs_node_spec spec = {.name = "drop", .kind = RS_OP_DROPOUT, .block = -1};
    for (int i = 0; i < 4; i++) {
        spec.attributes.rate = bad[i];
        assert_int_equal(rs_network_add(network, &spec, &node, &error), RS_USAGE);
        assert_non_null(strstr(error.text, "drop"));
    }
    spec.attributes.rate = 0.0;
    assert_int_equal(rs_network_add(network, &spec, &node, &error), RS_OK);
    assert_memory_equal(network->nodes[node].shape, network->nodes[0].shape, sizeof network->nodes[0].shape);
    rs_network_destroy(network);
}

static void twins_share_what_they_have_in_common(void **state)
{
    (void)state;
    rs_network *residual =
        build((rs_resnet_options){.depth = 18, .channels = 3, .height = 32, .width = 32, .classes = 10});
    rs_network *plain = build((rs_resnet_options){
        .depth = 18, .plain = true, .channels = 3, .height = 32, .width = 32, .classes = 10});
    for (int i = 0; i < plain->parameter_count; i++) {
        const rs_parameter *p = &plain->parameters[i];
        const rs_parameter *r = &residual->parameters[rs_network_find_parameter(residual, p->name)];
        float *a = rs_alloc((size_t)p->count * sizeof *a), *b = rs_alloc((size_t)r->count * sizeof *b);
        assert_non_null(a);
        assert_non_null(b);
        rs_parameter_initialize(p, 7, a);
        rs_parameter_initialize(r, 7, b);
        assert_memory_equal(a, b, (size_t)p->count * sizeof *a);
        rs_free(a);
        rs_free(b);
    }
    rs_network_destroy(residual);
    rs_network_destroy(plain);
}

static void initial_values_have_their_moments(void **state)
{
    (void)state;
    rs_network *network =
        build((rs_resnet_options){.depth = 18, .channels = 3, .height = 32, .width = 32, .classes = 10});
    const rs_parameter *p = &network->parameters[rs_network_find_parameter(network, "layer2.0.conv1.weight")];
    float *values = rs_alloc((size_t)p->count * sizeof *values);
    assert_non_null(values);
    rs_parameter_initialize(p, 3, values);
    double sum = 0.0, squares = 0.0;
    for (int64_t i = 0; i < p->count; i++) {
        sum += (double)values[i];
        squares += (double)values[i] * (double)values[i];
    }
    double n = (double)p->count, deviation = sqrt(2.0 / (128.0 * 9.0));
    /* five standard errors of a mean and of a variance */
    assert_true(fabs(sum / n) <= 5.0 * deviation / sqrt(n));
    assert_true(fabs(squares / n / (deviation * deviation) - 1.0) <= 5.0 * sqrt(2.0 / n));
    rs_free(values);
    const rs_parameter *fc = &network->parameters[rs_network_find_parameter(network, "fc.bias")];
    float bias[10];
    rs_parameter_initialize(fc, 3, bias);
    for (int i = 0; i < 10; i++) {
        assert_true(fabs((double)bias[i]) <= 1.0 / sqrt(128.0));
    }
    rs_network_destroy(network);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameter_counts_match_the_published_table),
        cmocka_unit_test(first_blocks_count_what_was_published),
        cmocka_unit_test(names_are_torchvisions),
        cmocka_unit_test(shapes_follow_the_width),
        cmocka_unit_test(own_block_counts_are_built),
        cmocka_unit_test(impossible_networks_are_refused_by_name),
        cmocka_unit_test(a_node_that_does_not_fit_is_named),
        cmocka_unit_test(a_dropout_rate_is_a_share),
        cmocka_unit_test(twins_share_what_they_have_in_common),
        cmocka_unit_test(initial_values_have_their_moments),
    };
    return cmocka_run_group_tests_name("network", tests, NULL, NULL);
}
