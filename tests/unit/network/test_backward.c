/* test_backward.c: who sets, who adds and what is reached in small graphs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <math.h>

#include "backward.h"
#include "objectives.h"

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
    assert_int_equal(rs_backward_analyze(network, &(rs_plan_options){0}, &backward, &error), RS_OK);
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
    assert_int_equal(
        rs_backward_analyze(network, &(rs_plan_options){.input_gradient = true}, &backward, &error), RS_OK);
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
    assert_int_equal(rs_backward_analyze(network, &(rs_plan_options){0}, &backward, &error), RS_OK);
    assert_false(backward.needed[dead]);
    assert_false(backward.reached[network->nodes[dead].weight]);
    assert_true(backward.reached[network->nodes[live].weight]);
    rs_backward_release(&backward);
    rs_network_destroy(network);
}

static void an_objective_is_a_loss_of_its_own(void **state)
{
    (void)state;
    rs_error error = {0};
    rs_network *network = empty();
    int dead = add(network, "dead", RS_OP_CONVOLUTION, 0, 0);
    int lost = add(network, "lost", RS_OP_RELU, dead, 0);
    int live = add(network, "live", RS_OP_CONVOLUTION, 0, 0);
    int last = add(network, "last", RS_OP_RELU, live, 0);
    const rs_objective objectives[] = {{.node = dead, .weight = 1.0},
                                       {.node = lost, .weight = 0.0},
                                       {.node = live, .weight = 2.0},
                                       {.node = last}};
    const rs_plan_options options = {.objectives = objectives, .objective_count = 4};
    rs_backward backward;
    assert_int_equal(rs_backward_analyze(network, &options, &backward, &error), RS_OK);
    assert_int_equal(backward.source[dead], RS_PASS_SET); /* its consumer has no gradient to pass on */
    assert_int_equal(backward.source[live], RS_PASS_ADD);
    assert_int_equal(backward.source[lost], RS_PASS_NONE);
    assert_int_equal(backward.source[last], RS_PASS_NONE);
    assert_true(backward.needed[dead] && !backward.needed[lost]);
    assert_true(backward.reached[network->nodes[dead].weight]);
    rs_backward_release(&backward);
    rs_network_destroy(network);
}

/* Of two branches that meet one is cut: the other sets, and what only the cut one leads to is not reached. */
static void a_cut_is_no_edge_for_gradients(void **state)
{
    (void)state;
    rs_error error = {0};
    rs_network *network = empty();
    int first = add(network, "first", RS_OP_CONVOLUTION, 0, 0);
    int side = add(network, "side", RS_OP_CONVOLUTION, 0, 0);
    int body = add(network, "body", RS_OP_CONVOLUTION, first, 0);
    int join = add(network, "join", RS_OP_ADD, body, first);
    int last = add(network, "last", RS_OP_ADD, join, side);
    const rs_cut cuts[] = {{join, 1}, {last, 1}};
    const rs_plan_options options = {.cuts = cuts, .cut_count = 2};
    rs_backward backward;
    assert_int_equal(rs_backward_analyze(network, &options, &backward, &error), RS_OK);
    assert_int_equal(backward.pass[join][1], RS_PASS_NONE);
    assert_int_equal(backward.pass[body][0], RS_PASS_SET); /* the join's other edge added before */
    assert_int_equal(backward.pass[last][0], RS_PASS_SET);
    assert_int_equal(backward.pass[last][1], RS_PASS_NONE);
    assert_false(backward.needed[side]);
    assert_false(backward.reached[network->nodes[side].weight]);
    assert_true(backward.reached[network->nodes[first].weight]);
    rs_backward_release(&backward);
    const rs_cut bad = {join, 2};
    const rs_plan_options wrong = {.cuts = &bad, .cut_count = 1};
    assert_int_equal(rs_backward_analyze(network, &wrong, &backward, &error), RS_USAGE);
    rs_network_destroy(network);
}

/* Before the first parameter that learns nobody wants a gradient. */
static void what_is_frozen_is_not_reached(void **state)
{
    (void)state;
    rs_error error = {0};
    rs_network *network = empty();
    int first = add(network, "first", RS_OP_CONVOLUTION, 0, 0);
    int second = add(network, "second", RS_OP_CONVOLUTION, first, 0);
    int third = add(network, "third", RS_OP_CONVOLUTION, second, 0);
    bool frozen[3] = {true, false, true};
    const rs_plan_options options = {.frozen = frozen};
    rs_backward backward;
    assert_int_equal(rs_backward_analyze(network, &options, &backward, &error), RS_OK);
    assert_false(backward.needed[first] || backward.reached[0] || backward.reached[2]);
    assert_true(backward.needed[second] && backward.needed[third] && backward.reached[1]);
    assert_int_equal(backward.pass[third][0], RS_PASS_SET);
    assert_int_equal(backward.pass[second][0], RS_PASS_NONE);
    rs_backward_release(&backward);
    rs_network_destroy(network);
}

/* A loss on the way starts a gradient where its objective has a weight, and only then. */
static void a_head_is_needed_by_its_weight(void **state)
{
    (void)state;
    for (int weighed = 0; weighed < 2; weighed++) {
        rs_error error = {0};
        rs_network *network = empty();
        int first = add(network, "first", RS_OP_CONVOLUTION, 0, 0);
        int pool = add(network, "pool", RS_OP_GLOBAL_AVERAGE_POOL, first, 0);
        int head = add(network, "head", RS_OP_SOFTMAX_CROSS_ENTROPY, pool, 0);
        int last = add(network, "last", RS_OP_KL_DIVERGENCE, pool, 0);
        const rs_objective objective = {.node = head, .weight = weighed};
        const rs_plan_options options = {.objectives = &objective, .objective_count = 1};
        rs_backward backward;
        assert_int_equal(rs_objectives_check(network, &options, &error), RS_OK);
        assert_int_equal(rs_backward_analyze(network, &options, &backward, &error), RS_OK);
        assert_int_equal(backward.needed[head], weighed);
        assert_int_equal(backward.pass[head][0], weighed ? RS_PASS_ADD : RS_PASS_NONE);
        assert_int_equal(backward.pass[last][0], RS_PASS_SET);
        rs_backward_release(&backward);
        rs_network_destroy(network);
    }
}

static void impossible_objectives_are_refused(void **state)
{
    (void)state;
    rs_network *network = empty();
    int relu = add(network, "relu", RS_OP_RELU, 0, 0);
    int loss = add(network, "loss", RS_OP_GLOBAL_AVERAGE_POOL, relu, 0);
    loss = add(network, "softmax", RS_OP_SOFTMAX_CROSS_ENTROPY, loss, 0);
    const rs_objective bad[] = {{.node = -1},
                                {.node = 0},
                                {.node = loss},
                                {.node = loss + 1},
                                {.node = relu, .target = NAN},
                                {.node = relu, .weight = INFINITY}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        rs_error error = {0};
        const rs_plan_options options = {.objectives = &bad[i], .objective_count = 1};
        assert_int_equal(rs_objectives_check(network, &options, &error), RS_USAGE);
    }
    rs_network_destroy(network);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_residual_join_sets_once_and_adds_once),
        cmocka_unit_test(a_tensor_added_to_itself_is_set_then_added),
        cmocka_unit_test(a_branch_that_ends_nowhere_is_not_reached),
        cmocka_unit_test(an_objective_is_a_loss_of_its_own),
        cmocka_unit_test(a_cut_is_no_edge_for_gradients),
        cmocka_unit_test(what_is_frozen_is_not_reached),
        cmocka_unit_test(a_head_is_needed_by_its_weight),
        cmocka_unit_test(impossible_objectives_are_refused),
    };
    return cmocka_run_group_tests_name("backward", tests, NULL, NULL);
}
