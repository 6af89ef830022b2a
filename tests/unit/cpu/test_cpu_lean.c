/* test_cpu_lean.c: --memory lean trains to the bits of --memory fast in fewer bytes, and what it computes
 * again is what was written the first time. */
#include "nets.h"

#include <string.h>

#include "plan.h"

static fixture open_with(rs_network *network, rs_memory_choice memory, bool keep_all)
{
    rs_plan_options options = small_options(4);
    options.batch_size_count = 2;
    options.batch_sizes[1] = 3;
    options.memory = memory;
    options.keep_all = keep_all;
    return open_plan(network, &options);
}

/* Channels that fill no block: conv -> bn -> relu -> conv -> bn -> add (with the relu) -> relu -> conv -> bn -> relu. */
static rs_network *odd_joins(void)
{
    rs_error error = {0};
    rs_network *n = NULL;
    must(rs_network_create("odd joins", 3, 7, 7, 10, &n, &error));
    int a = add_node(n, "conv1", RS_OP_CONVOLUTION, 0, 0, 21, (window){3, 1, 1});
    a = add_norm(n, "bn1", a);
    int first = add_node(n, "relu1", RS_OP_RELU, a, 0, 0, (window){0});
    a = add_node(n, "conv2", RS_OP_CONVOLUTION, first, 0, 21, (window){1, 1, 0});
    a = add_norm(n, "bn2", a);
    a = add_node(n, "add", RS_OP_ADD, a, first, 0, (window){0});
    a = add_node(n, "relu2", RS_OP_RELU, a, 0, 0, (window){0});
    a = add_node(n, "conv3", RS_OP_CONVOLUTION, a, 0, 5, (window){3, 2, 1});
    a = add_norm(n, "bn3", a);
    a = add_node(n, "relu3", RS_OP_RELU, a, 0, 0, (window){0});
    a = add_node(n, "fc", RS_OP_LINEAR, a, 0, 10, (window){0});
    (void)add_node(n, "loss", RS_OP_SOFTMAX_CROSS_ENTROPY, a, 0, 0, (window){0});
    must(rs_network_finish(n, &error));
    return n;
}

/* 0 stands for odd_joins; the last has joins in a row. */
static const struct {
    int depth;
    bool plain, standard;
    int blocks;
} resnets[] = {{0},
               {18, false, false, 1},
               {18, true, false, 1},
               {18, false, true, 2},
               {18, true, true, 1},
               {26, false, true, 2},
               {26, true, true, 1},
               {26, true, false, 1},
               {26, false, false, 3}};

enum { NETWORKS = sizeof resnets / sizeof resnets[0] };

static rs_network *network_number(int which)
{
    return which == 0 ? odd_joins()
                      : small_resnet(resnets[which].depth, resnets[which].plain, resnets[which].standard,
                                     resnets[which].blocks);
}

static void lean_is_fast_to_the_bit(void **state)
{
    (void)state;
    for (int which = 0; which < NETWORKS; which++) {
        fixture fast = open_with(network_number(which), RS_MEMORY_FAST, false);
        fixture lean = open_with(network_number(which), RS_MEMORY_LEAN, false);
        double a[4], b[4];
        train_steps(&fast, 0, a);
        train_steps(&lean, 0, b);
        assert_memory_equal(a, b, sizeof a);
        expect_same_values(&fast, &lean);
        assert_int_equal(fast.plan->recomputed_count, 0);
        assert_true(lean.plan->recomputed_count > 0);
        assert_true(lean.plan->bytes.activations < fast.plan->bytes.activations);
        close_plan(&fast);
        close_plan(&lean);
    }
}

static void copy_slot(fixture *from, fixture *to, rs_slot slot, int index, size_t bytes)
{
    rs_error error = {0};
    void *values = rs_alloc_zero(bytes);
    must(from->backend->read(from->plan, slot, index, values, &error));
    must(to->backend->write(to->plan, slot, index, values, &error));
    rs_free(values);
}

static void copy_state(fixture *from, fixture *to)
{
    const rs_network *network = from->network;
    for (int i = 0; i < network->parameter_count; i++) {
        size_t bytes = (size_t)network->parameters[i].count * sizeof(float);
        copy_slot(from, to, RS_SLOT_VALUE, i, bytes);
        copy_slot(from, to, RS_SLOT_MOMENT1, i, bytes);
        copy_slot(from, to, RS_SLOT_MOMENT2, i, bytes);
        copy_slot(from, to, RS_SLOT_STEP_COUNT, i, sizeof(int64_t));
    }
    for (int i = 0; i < network->buffer_count; i++) {
        copy_slot(from, to, RS_SLOT_RUNNING, i, (size_t)network->buffers[i].count * sizeof(float));
    }
}

static void either_goes_on_where_the_other_stopped(void **state)
{
    (void)state;
    fixture fast = open_with(small_resnet(26, false, true, 2), RS_MEMORY_FAST, false);
    fixture lean = open_with(small_resnet(26, false, true, 2), RS_MEMORY_LEAN, false);
    fixture whole = open_with(small_resnet(26, false, true, 2), RS_MEMORY_FAST, false);
    double a[4], b[4];
    train_steps(&fast, 0, a);
    train_steps(&whole, 0, b);
    copy_state(&fast, &lean);
    train_steps(&lean, 4, a);
    train_steps(&whole, 4, b);
    assert_memory_equal(a, b, sizeof a);
    copy_state(&lean, &fast);
    train_steps(&fast, 8, a);
    train_steps(&whole, 8, b);
    assert_memory_equal(a, b, sizeof a);
    expect_same_values(&fast, &whole);
    close_plan(&fast);
    close_plan(&lean);
    close_plan(&whole);
}

/* Where everything is readable, values lie both where forward and where backward writes them. */
static void what_is_computed_again_is_what_was_written(void **state)
{
    (void)state;
    rs_error error = {0};
    for (int which = 0; which < NETWORKS; which++) {
        fixture f = open_with(network_number(which), RS_MEMORY_LEAN, true);
        int again = 0;
        load_something(f.backend, f.plan, f.network, 3, 1);
        must(f.backend->forward(f.plan, RS_MODE_TRAIN, &error));
        must(f.backend->backward(f.plan, RS_LABELS_TRUE, &error));
        for (int i = 0; i < f.network->node_count; i++) {
            const rs__tensor *t = &f.plan->tensors[i];
            size_t bytes = t->exists ? 3 * (size_t)rs__sample_floats(f.plan, t) * sizeof(float) : 0;
            if (t->exists && t->again != t->value) {
                assert_memory_equal(t->again, t->value, bytes);
                again++;
            }
        }
        assert_true(again > 0);
        assert_int_equal(again, f.plan->recomputed_count);
        close_plan(&f);
    }
}

/* Joins of residual blocks are computed again from one another: more than every second one. */
static void chains_are_followed(void **state)
{
    (void)state;
    fixture f = open_with(small_resnet(26, false, false, 6), RS_MEMORY_LEAN, false);
    int joins = 0, again = 0;
    for (int i = 0; i < f.plan->op_count; i++) {
        joins += f.plan->ops[i].joined;
    }
    for (int i = 0; i < f.plan->recomputed_count; i++) {
        again += f.plan->ops[f.plan->recomputed[i]].joined;
    }
    assert_int_equal(joins, 24);
    assert_true(again > joins / 2);
    close_plan(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lean_is_fast_to_the_bit),
        cmocka_unit_test(either_goes_on_where_the_other_stopped),
        cmocka_unit_test(what_is_computed_again_is_what_was_written),
        cmocka_unit_test(chains_are_followed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
