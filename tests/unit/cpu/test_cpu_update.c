/* test_cpu_update.c: moments of a gradient that stays zero end at zero, not among the numbers below FLT_MIN, on which every
 * operation takes some hundred cycles; and the caller's arithmetic is as before. */
#include "nets.h"

#include <float.h>
#include <math.h>

enum { BATCH = 4, INPUTS = 40, HIDDEN = 80, WEIGHTS = INPUTS * HIDDEN, STEPS = 120 };

/* fc1's outputs are far below zero: its gradient is zero. */
static rs_network *dead_network(void)
{
    rs_error error = {0};
    rs_network *n = NULL;
    must(rs_network_create("dead", INPUTS, 1, 1, 10, &n, &error));
    int a = add_node(n, "fc1", RS_OP_LINEAR, 0, 0, HIDDEN, (window){0});
    a = add_node(n, "relu", RS_OP_RELU, a, 0, 0, (window){0});
    a = add_node(n, "fc2", RS_OP_LINEAR, a, 0, 10, (window){0});
    (void)add_node(n, "loss", RS_OP_SOFTMAX_CROSS_ENTROPY, a, 0, 0, (window){0});
    must(rs_network_finish(n, &error));
    return n;
}

static void set_all(fixture *f, rs_slot slot, int parameter, float to)
{
    static float values[WEIGHTS];
    rs_error error = {0};
    for (int64_t i = 0; i < f->network->parameters[parameter].count; i++) {
        values[i] = to;
    }
    must(f->backend->write(f->plan, slot, parameter, values, &error));
}

static void expect_normal_or_zero(fixture *f, rs_slot slot, bool *changed, float before)
{
    static float values[WEIGHTS];
    rs_error error = {0};
    must(f->backend->read(f->plan, slot, 0, values, &error));
    for (int i = 0; i < WEIGHTS; i++) {
        if (!(values[i] == 0.0f || isnormal(values[i]))) {
            fail_msg("%g after %d steps", (double)values[i], STEPS);
        }
        *changed = *changed || values[i] != before;
    }
}

static void step(fixture *f, const rs_update_options *update, int number)
{
    rs_error error = {0};
    rs_measurement measurement = {0};
    load_something(f->backend, f->plan, f->network, BATCH, (uint64_t)number);
    must(f->backend->forward(f->plan, RS_MODE_TRAIN, &error));
    must(f->backend->backward(f->plan, RS_LABELS_TRUE, &error));
    must(f->backend->update(f->plan, update, &measurement, &error));
}

static void moments_end_at_zero(void **state)
{
    (void)state;
    rs_plan_options options = small_options(BATCH);
    options.optimizer = RS_OPTIMIZER_ADAM;
    fixture f = open_plan(dead_network(), &options);
    const rs_update_options update = {
        .optimizer = RS_OPTIMIZER_ADAM, .learning_rate = 1e-3, .beta1 = 0.9, .beta2 = 0.9, .epsilon = 1e-8};
    volatile float tiny = FLT_MIN;
    bool changed = false;
    set_all(&f, RS_SLOT_VALUE, 1, -1000.0f); /* fc1's bias */
    set_all(&f, RS_SLOT_MOMENT1, 0, 1e-35f);
    set_all(&f, RS_SLOT_MOMENT2, 0, 1e-35f);
    for (int i = 0; i < STEPS; i++) { /* 0.9^120 1e-35 = 3e-41 */
        step(&f, &update, i);
    }
    expect_normal_or_zero(&f, RS_SLOT_MOMENT1, &changed, 1e-35f);
    expect_normal_or_zero(&f, RS_SLOT_MOMENT2, &changed, 1e-35f);
    assert_true(changed);
    tiny /= 2.0f;
    assert_true(tiny > 0.0f && !isnormal(tiny));
    close_plan(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(moments_end_at_zero)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
