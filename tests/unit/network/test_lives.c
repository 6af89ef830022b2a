/* test_lives.c: how long tensors of operators with two inputs live, and gradients that nothing after them sets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lives.h"

/* conv a and conv b of the input, then a / b, which is the last. */
static rs_network *quotient(void)
{
    static const rs_node_spec specs[] = {
        {.name = "a",
         .kind = RS_OP_CONVOLUTION,
         .attributes = {.channels = 4, .kernel = 1, .stride = 1},
         .input = {0, 0},
         .block = -1},
        {.name = "b",
         .kind = RS_OP_CONVOLUTION,
         .attributes = {.channels = 4, .kernel = 1, .stride = 1},
         .input = {0, 0},
         .block = -1},
        {.name = "quotient", .kind = RS_OP_DIVIDE, .input = {1, 2}, .block = -1},
        {.name = "after",
         .kind = RS_OP_CONVOLUTION,
         .attributes = {.channels = 4, .kernel = 1, .stride = 1},
         .input = {3, 3},
         .block = -1},
    };
    rs_error error = {0};
    rs_network *network = NULL;
    int node;
    assert_int_equal(rs_network_create("n", 3, 4, 4, 4, &network, &error), RS_OK);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(rs_network_add(network, &specs[i], &node, &error), RS_OK);
    }
    assert_int_equal(rs_network_finish(network, &error), RS_OK);
    return network;
}

/* What of a plan is looked at here. */
typedef struct planned {
    rs_network *network;
    rs_backward backward;
    rs_operations operations;
    rs__lives lives;
} planned;

static void open_plan(planned *p, const rs_plan_options *options)
{
    rs_error error = {0};
    p->network = quotient();
    assert_int_equal(rs_backward_analyze(p->network, options, &p->backward, &error), RS_OK);
    assert_int_equal(rs_operations_make(p->network, options, &p->backward, &p->operations, &error), RS_OK);
    assert_int_equal(rs__lives_make(&p->operations, p->network->node_count, &p->lives, &error), RS_OK);
    p->lives.training = true;
    p->lives.readable = p->network->node_count - 1;
    for (int i = 0; i < p->network->node_count; i++) {
        p->lives.tensors[i] = (rs__life_tensor){.value_bytes = 64, .gradient_bytes = 64};
    }
}

static void close_plan(planned *p)
{
    rs__lives_release(&p->lives);
    rs_operations_release(&p->operations);
    rs_backward_release(&p->backward);
    rs_network_destroy(p->network);
}

static int last_use(planned *p, int node)
{
    return p->lives.tensors[node].spans[RS__SPAN_VALUE].last;
}

static void both_inputs_are_kept_for_backward(void **state)
{
    (void)state;
    rs_error error = {0};
    const rs_plan_options options = {.training = true};
    const int division = 2, forward = 1 + division, backward = 2 * 4 - division;
    planned p;
    open_plan(&p, &options);
    assert_int_equal(rs__lives_place(&p.lives, RS_MEMORY_FAST, &error), RS_OK);
    assert_int_equal(last_use(&p, 1), forward);
    assert_int_equal(last_use(&p, 2), forward);
    p.lives.ops[division].needs_second = true;
    assert_int_equal(rs__lives_place(&p.lives, RS_MEMORY_FAST, &error), RS_OK);
    assert_int_equal(last_use(&p, 1), forward);
    assert_int_equal(last_use(&p, 2), backward);
    p.lives.ops[division].needs_input = true;
    assert_int_equal(rs__lives_place(&p.lives, RS_MEMORY_FAST, &error), RS_OK);
    assert_int_equal(last_use(&p, 1), backward);
    close_plan(&p);
}

/* Behind a cut nothing sets the gradient that an objective begins: it lives from there on, not from the start. */
static void a_gradient_begins_with_its_objective(void **state)
{
    static const rs_objective objective = {.node = 3, .weight = 1.0};
    static const rs_cut cut = {.node = 4, .input = 0};
    (void)state;
    rs_error error = {0};
    const rs_plan_options options = {
        .training = true, .objectives = &objective, .objective_count = 1, .cuts = &cut, .cut_count = 1};
    planned p;
    open_plan(&p, &options);
    assert_int_equal(p.backward.source[3], RS_PASS_SET);
    assert_int_equal(p.operations.list[3].pass[0], RS_PASS_NONE);
    assert_int_equal(rs__lives_place(&p.lives, RS_MEMORY_FAST, &error), RS_OK);
    assert_int_equal(p.lives.tensors[3].spans[RS__SPAN_GRADIENT].first, 2 * 4 - 2);
    assert_int_equal(p.lives.tensors[3].spans[RS__SPAN_GRADIENT].last, 2 * 4 - 2);
    assert_int_equal(p.lives.tensors[4].spans[RS__SPAN_GRADIENT].first, 0); /* written from outside */
    close_plan(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_inputs_are_kept_for_backward),
        cmocka_unit_test(a_gradient_begins_with_its_objective),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
