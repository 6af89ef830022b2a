/* test_node_shapes.c: shapes of operators of vectors, planes and losses, and how what does not fit is refused: by the node's name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rs/network.h"

static rs_network *network_of(int64_t channels, int64_t height, int64_t width)
{
    rs_error error = {0};
    rs_network *network = NULL;
    assert_int_equal(rs_network_create("n", channels, height, width, 10, &network, &error), RS_OK);
    return network;
}

/* Adds a node that fits; its index. */
static int add(rs_network *network, rs_node_spec spec)
{
    rs_error error = {0};
    int node = -1;
    spec.block = -1;
    if (rs_network_add(network, &spec, &node, &error)) {
        fail_msg("%s", error.text);
    }
    return node;
}

static void expect_shape(const rs_network *network, int node, int64_t c, int64_t h, int64_t w)
{
    const int64_t *shape = network->nodes[node].shape;
    assert_int_equal(shape[0], c);
    assert_int_equal(shape[1], h);
    assert_int_equal(shape[2], w);
}

/* The error names the node and says `part`. */
static void expect_refused(rs_network *network, rs_node_spec spec, const char *part)
{
    rs_error error = {0};
    int node = -1, before = network->node_count;
    spec.block = -1;
    assert_int_equal(rs_network_add(network, &spec, &node, &error), RS_USAGE);
    if (!strstr(error.text, spec.name) || !strstr(error.text, part)) {
        fail_msg("\"%s\" does not say \"%s\" of %s", error.text, part, spec.name);
    }
    assert_int_equal(network->node_count, before);
    assert_int_equal(node, -1);
}

static void functions_keep_shapes(void **state)
{
    static const rs_op_kind kinds[] = {RS_OP_SIGMOID, RS_OP_TANH, RS_OP_SOFTMAX, RS_OP_ROW_NORMALIZE};
    static const char *const names[] = {"sigmoid", "tanh", "softmax", "row_normalize"};
    (void)state;
    rs_network *network = network_of(5, 4, 3);
    for (int i = 0; i < 4; i++) {
        int node = add(network, (rs_node_spec){.name = names[i], .kind = kinds[i]});
        expect_shape(network, node, 5, 4, 3);
        assert_string_equal(rs_op_name(kinds[i]), names[i]);
        assert_int_equal(rs_op_inputs(kinds[i]), 1);
        assert_int_equal(network->nodes[node].weight, -1);
    }
    rs_network_destroy(network);
}

static void flatten_and_repeat(void **state)
{
    (void)state;
    rs_network *network = network_of(5, 4, 3);
    int flat = add(network, (rs_node_spec){.name = "flat", .kind = RS_OP_FLATTEN});
    expect_shape(network, flat, 60, 1, 1);
    int rows = add(network, (rs_node_spec){.name = "rows",
                                           .kind = RS_OP_REPEAT,
                                           .attributes = {.axis = 1, .times = 7},
                                           .input = {flat}});
    expect_shape(network, rows, 60, 7, 1);
    int columns = add(network, (rs_node_spec){.name = "columns",
                                              .kind = RS_OP_REPEAT,
                                              .attributes = {.axis = 2, .times = 1},
                                              .input = {rows}});
    expect_shape(network, columns, 60, 7, 1);
    rs_node_spec bad = {.name = "bad", .kind = RS_OP_REPEAT, .attributes = {.axis = 1, .times = 2}};
    expect_refused(network, bad, "[5, 4, 3] must be of size 1");
    bad.attributes = (rs_node_attributes){.axis = 3, .times = 2};
    expect_refused(network, bad, "axis 3");
    bad.attributes = (rs_node_attributes){.axis = -1, .times = 2};
    expect_refused(network, bad, "axis -1");
    bad.attributes = (rs_node_attributes){.axis = 1, .times = 0};
    expect_refused(network, bad, "repeats 0 times");
    bad.attributes = (rs_node_attributes){.axis = 1, .times = (1 << 24) + 1};
    expect_refused(network, bad, "1 to 16777216");
    rs_network_destroy(network);
}

static void quotients_and_products(void **state)
{
    (void)state;
    rs_network *network = network_of(5, 4, 3);
    int narrow = add(network, (rs_node_spec){.name = "narrow",
                                             .kind = RS_OP_CONVOLUTION,
                                             .attributes = {.channels = 5, .kernel = 2, .stride = 1}});
    expect_shape(network, narrow, 5, 3, 2);
    int product =
        add(network, (rs_node_spec){.name = "product", .kind = RS_OP_MATRIX_PRODUCT, .input = {0, narrow}});
    expect_shape(network, product, 5, 4, 2);
    int quotient =
        add(network, (rs_node_spec){.name = "quotient", .kind = RS_OP_DIVIDE, .input = {product, product}});
    expect_shape(network, quotient, 5, 4, 2);
    expect_refused(network,
                   (rs_node_spec){.name = "turned", .kind = RS_OP_MATRIX_PRODUCT, .input = {narrow, 0}},
                   "narrow [5, 3, 2] and input [5, 4, 3]");
    expect_refused(network, (rs_node_spec){.name = "uneven", .kind = RS_OP_DIVIDE, .input = {0, narrow}},
                   "divides input [5, 4, 3] and narrow [5, 3, 2]");
    int few = add(network, (rs_node_spec){.name = "few",
                                          .kind = RS_OP_CONVOLUTION,
                                          .attributes = {.channels = 4, .kernel = 2, .stride = 1}});
    expect_refused(network,
                   (rs_node_spec){.name = "channels", .kind = RS_OP_MATRIX_PRODUCT, .input = {0, few}},
                   "equal channels");
    expect_refused(network, (rs_node_spec){.name = "later", .kind = RS_OP_DIVIDE, .input = {0, 99}},
                   "input 2 is no earlier node");
    rs_network_destroy(network);
}

static void losses(void **state)
{
    (void)state;
    rs_network *network = network_of(5, 4, 3);
    int squares = add(network, (rs_node_spec){.name = "squares", .kind = RS_OP_MEAN_SQUARED_ERROR});
    expect_shape(network, squares, 1, 1, 1); /* of any shape */
    expect_refused(network, (rs_node_spec){.name = "kl", .kind = RS_OP_KL_DIVERGENCE}, "one per class");
    expect_refused(network, (rs_node_spec){.name = "entropy", .kind = RS_OP_SOFTMAX_CROSS_ENTROPY},
                   "one per class");
    int scores =
        add(network, (rs_node_spec){.name = "scores", .kind = RS_OP_LINEAR, .attributes = {.channels = 10}});
    int kl = add(network, (rs_node_spec){.name = "kl", .kind = RS_OP_KL_DIVERGENCE, .input = {scores}});
    expect_shape(network, kl, 1, 1, 1);
    for (int kind = 0; kind < RS_OP_KINDS; kind++) {
        bool loss = kind == RS_OP_SOFTMAX_CROSS_ENTROPY || kind == RS_OP_KL_DIVERGENCE ||
                    kind == RS_OP_MEAN_SQUARED_ERROR;
        assert_int_equal(rs_op_is_loss((rs_op_kind)kind), loss);
    }
    rs_network_destroy(network);
}

static void products_are_counted(void **state)
{
    (void)state;
    rs_network *network = network_of(5, 4, 4);
    (void)add(network, (rs_node_spec){.name = "product", .kind = RS_OP_MATRIX_PRODUCT});
    assert_int_equal(rs_network_flops(network), 2 * 5 * 4 * 4 * 4);
    (void)add(network, (rs_node_spec){.name = "tanh", .kind = RS_OP_TANH});
    assert_int_equal(rs_network_flops(network), 2 * 5 * 4 * 4 * 4);
    rs_network_destroy(network);
}

/* Sizes whose product no integer holds are refused where they are made, before they are multiplied. */
static void sizes_that_overflow(void **state)
{
    enum { MOST = 1 << 24 };
    (void)state;
    rs_network *network = network_of(1, 1, 1);
    int wide =
        add(network,
            (rs_node_spec){.name = "wide", .kind = RS_OP_REPEAT, .attributes = {.axis = 0, .times = MOST}});
    rs_node_spec high = {
        .name = "high", .kind = RS_OP_REPEAT, .attributes = {.axis = 1, .times = MOST}, .input = {wide}};
    expect_refused(network, high, "an output of [16777216, 16777216, 1] is too large");
    high.attributes.times = 1 << 12; /* as much as there may be */
    int most = add(network, high);
    expect_shape(network, most, MOST, 1 << 12, 1);
    int flat = add(network, (rs_node_spec){.name = "flat", .kind = RS_OP_FLATTEN, .input = {most}});
    expect_shape(network, flat, INT64_C(1) << 36, 1, 1);
    rs_node_spec dense = {
        .name = "dense", .kind = RS_OP_LINEAR, .attributes = {.channels = 10}, .input = {flat}, .block = -1};
    rs_error error = {0};
    int node;
    assert_int_equal(rs_network_add(network, &dense, &node, &error), RS_USAGE);
    if (!strstr(error.text, "dense.weight has too many elements")) {
        fail_msg("%s", error.text);
    }
    rs_network_destroy(network);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_keep_shapes),  cmocka_unit_test(flatten_and_repeat),
        cmocka_unit_test(quotients_and_products), cmocka_unit_test(losses),
        cmocka_unit_test(products_are_counted),   cmocka_unit_test(sizes_that_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
