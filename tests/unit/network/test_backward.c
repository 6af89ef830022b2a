/* test_backward.c: who sets, who adds and what is reached in small graphs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "backward.h"

static int add(rs_network *network, const char *name, rs_op_kind kind, int a, int b)
{
    rs_error error = {0};
    int node = -1;
    rs_node_spec spec = {.name = name, .kind = kind, .input = {a, b}, .block = -1};
    if (kind == RS_OP_CONVOLUTION) {
        spec.attributes = (rs_node_attributes){.channels = 2, .kernel = 3, .stride = 1, .padding = 1};
    }
    if (rs_network_add(network, &spec, &node, &error)) {
        fail_msg("%s", error.text);
    }
    return node;
}

static rs_network *empty(void)
{
    rs_error error = {0};
    rs_network *network = NULL;
    assert_int_equal(rs_network_create("graph", 2, 4, 4, 2, &network, &error), RS_OK);
    return network;
}

static void a_residual_join_sets_once_and_adds_once(void **state)
{
    (void)state;
    rs_error error = {0};
    rs_network *network = empty();
    int first = add(network, "first", RS_OP_CONVOLUTION, 0, 0);
    int body = add(network, "body", RS_OP_CONVOLUTION, first, 0);
    int join = add(network, "join", RS_OP_ADD, body, first);
    rs_backward backward;
    assert_int_equal(rs_backward_analyze(network, false, &backward, &error), RS_OK);
    assert_int_equal(backward.pass[join][0], RS_PASS_SET); /* to body */
    assert_int_equal(backward.pass[join][1], RS_PASS_SET); /* to first, before body's */
    assert_int_equal(backward.pass[body][0], RS_PASS_ADD);
    assert_int_equal(backward.pass[first][0], RS_PASS_NONE); /* nobody wants the input's gradient */
    assert_false(backward.needed[0]);
    assert_true(backward.reached[0] && backward.reached[1]);
    rs_backward_release(&backward);
    rs_network_destroy(network);
}

static void a_tensor_added_to_itself_is_set_then_added(void **state)
{
    (void)state;
    rs_error error = {0};
    rs_network *network = empty();
    int twice = add(network, "twice", RS_OP_ADD, 0, 0);
    rs_backward backward;
    assert_int_equal(rs_backward_analyze(network, true, &backward, &error), RS_OK);
    assert_int_equal(backward.pass[twice][0], RS_PASS_SET);
    assert_int_equal(backward.pass[twice][1], RS_PASS_ADD);
    assert_true(backward.needed[0]);
    rs_backward_release(&backward);
    rs_network_destroy(network);
}

static void a_branch_that_ends_nowhere_is_not_reached(void **state)
{
    (void)state;
    rs_error error = {0};
    rs_network *network = empty();
    int dead = add(network, "dead", RS_OP_CONVOLUTION, 0, 0);
    int live = add(network, "live", RS_OP_CONVOLUTION, 0, 0);
    rs_backward backward;
    assert_int_equal(rs_backward_analyze(network, false, &backward, &error), RS_OK);
    assert_false(backward.needed[dead]);
    assert_false(backward.reached[network->nodes[dead].weight]);
    assert_true(backward.reached[network->nodes[live].weight]);
    rs_backward_release(&backward);
    rs_network_destroy(network);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_residual_join_sets_once_and_adds_once),
        cmocka_unit_test(a_tensor_added_to_itself_is_set_then_added),
        cmocka_unit_test(a_branch_that_ends_nowhere_is_not_reached),
    };
    return cmocka_run_group_tests_name("backward", tests, NULL, NULL);
}
