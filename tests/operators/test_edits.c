/* test_edits.c BACKEND: edits of the backward graph, beyond the operator cases: over a cut nothing passes, to the bit; what
 * is frozen keeps its bytes through a training; heads that only measure change nothing; both choices of labels add up. */
#include <math.h>
#include <string.h>

#include "subject.h"

enum { STEPS = 8 };

static const char *backend_name = "ref";
static rs_check_machine machine;

/* Values that were read, of all parameters or all buffers, in their order. */
typedef struct reading {
    const rs_parameter *list;
    int count;
    float *values[32];
} reading;

static reading read_all(const subject *s, rs_slot slot)
{
    const rs_network *network = s->network;
    bool running = slot == RS_SLOT_RUNNING;
    reading r = {.list = running ? network->buffers : network->parameters,
                 .count = running ? network->buffer_count : network->parameter_count};
    assert_true(r.count <= 32);
    for (int i = 0; i < r.count; i++) {
        int64_t count;
        r.values[i] = subject_read(s, slot, r.list[i].name, &count);
    }
    return r;
}

static void release(reading *r)
{
    for (int i = 0; i < r->count; i++) {
        rs_free(r->values[i]);
    }
}

static bool same(const reading *a, const reading *b, int i)
{
    return memcmp(a->values[i], b->values[i], (size_t)a->list[i].count * sizeof(float)) == 0;
}

static bool begins(const char *name, const char *with)
{
    return strncmp(name, with, strlen(with)) == 0;
}

static int node_of(const subject *s, const char *name)
{
    int node = rs_network_find_node(s->network, name);
    assert_true(node > 0);
    return node;
}

/* --- cuts ---------------------------------------------------------------------------------------------------------- */

/* Which parameters have the first stage's names. */
static bool before_the_cut(const rs_parameter *p)
{
    return begins(p->name, "conv1") || begins(p->name, "bn1");
}

static void over_a_cut_nothing_passes(void **state)
{
    (void)state;
    subject s = subject_make(&machine, RS_REDUCTION_MEAN, false);
    const rs_cut cut = {.node = node_of(&s, "conv2"), .input = 0};
    subject_open(&s, (rs_plan_options){0});
    subject_run(&s, RS_MODE_TRAIN, RS_LABELS_TRUE);
    reading whole = read_all(&s, RS_SLOT_GRADIENT);
    subject_close_plan(&s);
    subject_open(&s, (rs_plan_options){.cuts = &cut, .cut_count = 1});
    subject_run(&s, RS_MODE_TRAIN, RS_LABELS_TRUE);
    reading isolated = read_all(&s, RS_SLOT_GRADIENT);
    for (int i = 0; i < whole.count; i++) {
        assert_false(subject_is_zero(whole.values[i], whole.list[i].count));
        if (before_the_cut(&whole.list[i])) {
            assert_true(subject_is_zero(isolated.values[i], isolated.list[i].count));
        } else if (!same(&whole, &isolated, i)) {
            fail_msg("%s has another gradient behind a cut", whole.list[i].name);
        }
    }
    release(&whole);
    release(&isolated);
    subject_release(&s);
}

/* Trains and says which parameters moved. */
static void train(subject *s, const rs_plan_options *options, bool *moved)
{
    subject_open(s, *options);
    reading before = read_all(s, RS_SLOT_VALUE);
    for (int i = 0; i < STEPS; i++) {
        subject_run(s, RS_MODE_TRAIN, RS_LABELS_TRUE);
        subject_update(s);
    }
    reading after = read_all(s, RS_SLOT_VALUE);
    for (int i = 0; i < before.count; i++) {
        moved[i] = !same(&before, &after, i);
    }
    release(&before);
    release(&after);
}

/* Isolation with no objective: only the layer behind the last cut goes on. */
static void behind_the_last_cut_learning_goes_on(void **state)
{
    (void)state;
    bool moved[32];
    subject s = subject_make(&machine, RS_REDUCTION_MEAN, false);
    const rs_cut cuts[] = {{node_of(&s, "conv2"), 0}, {node_of(&s, "fc"), 0}, {node_of(&s, "hidden"), 0}};
    train(&s, &(rs_plan_options){.cuts = cuts, .cut_count = 3}, moved);
    for (int i = 0; i < s.network->parameter_count; i++) {
        assert_int_equal(moved[i], begins(s.network->parameters[i].name, "fc"));
    }
    subject_release(&s);
}

/* Every layer's own classifier: each part learns from its own loss. */
static void a_head_teaches_what_stands_before_it(void **state)
{
    (void)state;
    bool moved[32];
    subject s = subject_make(&machine, RS_REDUCTION_MEAN, true);
    const rs_objective head = {.node = node_of(&s, "head_loss"), .weight = 1.0};
    const rs_cut cuts[] = {{node_of(&s, "pool"), 0}, {node_of(&s, "conv2"), 0}};
    train(&s, &(rs_plan_options){.cuts = cuts, .cut_count = 2, .objectives = &head, .objective_count = 1},
          moved);
    for (int i = 0; i < s.network->parameter_count; i++) {
        assert_int_equal(moved[i], !before_the_cut(&s.network->parameters[i]));
    }
    subject_release(&s);
}

static void a_cut_must_be_an_edge(void **state)
{
    (void)state;
    rs_error error = {0};
    rs_plan *plan = NULL;
    subject s = subject_make(&machine, RS_REDUCTION_MEAN, false);
    const rs_cut bad[] = {{0, 0}, {s.network->node_count, 0}, {1, 1}, {1, -1}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const rs_plan_options options = {
            .batch_size_count = 1, .batch_sizes = {1}, .training = true, .cuts = &bad[i], .cut_count = 1};
        harness_fails(machine.backend->plan_create(machine.device, s.network, &options, &plan, &error),
                      RS_USAGE, &error, "cut");
        assert_null(plan);
    }
    subject_release(&s);
}

/* --- frozen parameters ------------------------------------------------------------------------------------------------ */

static int64_t steps_of(const subject *s, int parameter)
{
    rs_error error = {0};
    int64_t steps = -1;
    harness_ok(machine.backend->read(s->plan, RS_SLOT_STEP_COUNT, parameter, &steps, &error), &error);
    return steps;
}

static void frozen_bytes_never_change(void **state)
{
    (void)state;
    bool moved[32], frozen[32] = {false};
    subject s = subject_make(&machine, RS_REDUCTION_MEAN, false);
    for (int i = 0; i < s.network->parameter_count; i++) {
        frozen[i] = before_the_cut(&s.network->parameters[i]) ||
                    begins(s.network->parameters[i].name, "hidden.weight");
    }
    const rs_plan_options options = {.frozen = frozen};
    subject_open(&s, options);
    reading before = read_all(&s, RS_SLOT_RUNNING);
    subject_close_plan(&s);
    train(&s, &options, moved);
    reading after = read_all(&s, RS_SLOT_RUNNING), gradients = read_all(&s, RS_SLOT_GRADIENT),
            moments = read_all(&s, RS_SLOT_MOMENT2);
    for (int i = 0; i < s.network->parameter_count; i++) {
        int64_t count = s.network->parameters[i].count;
        assert_int_equal(moved[i], !frozen[i]);
        assert_int_equal(steps_of(&s, i), frozen[i] ? 0 : STEPS);
        assert_int_equal(subject_is_zero(gradients.values[i], count), frozen[i]);
        assert_int_equal(subject_is_zero(moments.values[i], count), frozen[i]);
    }
    for (int i = 0; i < before.count; i++) {
        assert_int_equal(same(&before, &after, i), begins(before.list[i].name, "bn1"));
    }
    release(&before);
    release(&after);
    release(&gradients);
    release(&moments);
    subject_release(&s);
}

/* What moved before it was frozen is as far from its initial state as it was, and from the state before no way at all. */
static void frozen_blocks_keep_their_distance(void **state)
{
    (void)state;
    rs_error error = {0};
    bool frozen[32] = {false};
    subject s = subject_make(&machine, RS_REDUCTION_MEAN, false);
    rs_plan_options options = {.frozen = frozen, .keep_initial = true};
    harness_ok(rs_metric_list_parse("minkowski:1,minkowski:3,chebyshev", &options.metrics, &error), &error);
    int frozen_weight = rs_network_find_parameter(s.network, "conv2.weight");
    frozen[frozen_weight] = true;
    for (int i = 0; i < s.network->parameter_count; i++) { /* one block, of one tensor */
        s.network->parameters[i].block = i == frozen_weight ? 0 : -1;
    }
    s.network->block_count = 1;
    subject_open(&s, options);
    int64_t count;
    float *values = subject_read(&s, RS_SLOT_VALUE, "conv2.weight", &count);
    float *initial = subject_read(&s, RS_SLOT_VALUE, "conv2.weight", &count);
    harness_ok(machine.backend->write(s.plan, RS_SLOT_INITIAL, frozen_weight, initial, &error), &error);
    for (int64_t i = 0; i < count; i++) {
        values[i] += i % 2 ? 0.25f : -0.5f;
    }
    harness_ok(machine.backend->write(s.plan, RS_SLOT_VALUE, frozen_weight, values, &error), &error);
    double to_initial[3], to_previous[3], want[3] = {0.0};
    rs_measurement measurement = {.to_initial = to_initial, .to_previous = to_previous};
    const rs_update_options update = {.optimizer = RS_OPTIMIZER_ADAM,
                                      .learning_rate = 1e-2,
                                      .beta1 = 0.9,
                                      .beta2 = 0.999,
                                      .epsilon = 1e-8,
                                      .distances = true};
    subject_run(&s, RS_MODE_TRAIN, RS_LABELS_TRUE);
    harness_ok(machine.backend->update(s.plan, &update, &measurement, &error), &error);
    for (int64_t i = 0; i < count; i++) {
        double d = fabs((double)values[i] - (double)initial[i]);
        want[0] += d;
        want[1] += d * d * d;
        want[2] = d > want[2] ? d : want[2];
    }
    want[1] = cbrt(want[1]);
    for (int m = 0; m < 3; m++) {
        assert_true(fabs(to_initial[m] - want[m]) <= 1e-9 * want[m]);
        assert_true(to_previous[m] == 0.0);
    }
    float *after = subject_read(&s, RS_SLOT_VALUE, "conv2.weight", &count);
    assert_memory_equal(after, values, (size_t)count * sizeof *after);
    rs_free(values);
    rs_free(initial);
    rs_free(after);
    subject_release(&s);
}

/* With every batch norm frozen, training and evaluation are the same numbers. */
static void frozen_norms_do_not_look_at_the_batch(void **state)
{
    (void)state;
    rs_error error = {0};
    bool frozen[32] = {false};
    subject s = subject_make(&machine, RS_REDUCTION_MEAN, false);
    for (int i = 0; i < s.network->parameter_count; i++) {
        frozen[i] =
            begins(s.network->parameters[i].name, "bn") && s.network->parameters[i].role == RS_ROLE_WEIGHT;
    }
    double losses[3];
    for (int i = 0; i < 3; i++) {
        rs_loss loss;
        subject_open(&s, (rs_plan_options){.frozen = i < 2 ? frozen : NULL});
        subject_run(&s, i == 1 ? RS_MODE_EVALUATE : RS_MODE_TRAIN, RS_LABELS_TRUE);
        harness_ok(machine.backend->read_loss(s.plan, &loss, &error), &error);
        losses[i] = loss.loss;
        subject_close_plan(&s);
    }
    assert_memory_equal(&losses[0], &losses[1], sizeof losses[0]);
    assert_true(losses[0] != losses[2]);
    subject_release(&s);
}

static void evaluation_leaves_statistics_alone(void **state)
{
    (void)state;
    subject s = subject_make(&machine, RS_REDUCTION_MEAN, false);
    subject_open(&s, (rs_plan_options){0});
    reading before = read_all(&s, RS_SLOT_RUNNING);
    subject_run(&s, RS_MODE_EVALUATE, RS_LABELS_TRUE);
    reading evaluated = read_all(&s, RS_SLOT_RUNNING), gradients = read_all(&s, RS_SLOT_GRADIENT);
    subject_run(&s, RS_MODE_TRAIN, RS_LABELS_TRUE);
    reading trained = read_all(&s, RS_SLOT_RUNNING);
    for (int i = 0; i < before.count; i++) {
        assert_true(same(&before, &evaluated, i));
        assert_false(same(&before, &trained, i));
    }
    for (int i = 0; i < gradients.count; i++) {
        assert_false(subject_is_zero(gradients.values[i], gradients.list[i].count));
    }
    release(&before);
    release(&evaluated);
    release(&gradients);
    release(&trained);
    subject_release(&s);
}

/* --- heads and labels --------------------------------------------------------------------------------------------------- */

static void a_head_that_only_measures_changes_no_bit(void **state)
{
    (void)state;
    rs_error error = {0};
    double loss = 0.0, share = -1.0;
    subject s = subject_make(&machine, RS_REDUCTION_MEAN, true);
    const rs_objective head = {.node = node_of(&s, "head_loss"), .weight = 0.0};
    subject_open(&s, (rs_plan_options){0});
    subject_run(&s, RS_MODE_TRAIN, RS_LABELS_TRUE);
    reading without = read_all(&s, RS_SLOT_GRADIENT);
    subject_close_plan(&s);
    subject_open(&s, (rs_plan_options){.objectives = &head, .objective_count = 1});
    subject_run(&s, RS_MODE_TRAIN, RS_LABELS_TRUE);
    reading with = read_all(&s, RS_SLOT_GRADIENT);
    for (int i = 0; i < with.count; i++) {
        assert_true(same(&with, &without, i));
        assert_int_equal(subject_is_zero(with.values[i], with.list[i].count),
                         begins(with.list[i].name, "head"));
    }
    harness_ok(machine.backend->read_layers(s.plan, &loss, &share, &error), &error);
    assert_true(loss > 0.1 && loss < 10.0);
    assert_true(share >= 0.0 && share <= 1.0);
    release(&with);
    release(&without);
    subject_release(&s);
}

/* Gradients of both choices of labels are those of each, added. */
static void both_labels_add_up(void **state)
{
    static const rs_label_choice choices[] = {RS_LABELS_TRUE, RS_LABELS_PREDICTED, RS_LABELS_BOTH};
    (void)state;
    reading r[3];
    subject s = subject_make(&machine, RS_REDUCTION_SUM, false);
    for (int k = 0; k < 3; k++) {
        subject_open(&s, (rs_plan_options){0});
        subject_run(&s, RS_MODE_EVALUATE, choices[k]);
        r[k] = read_all(&s, RS_SLOT_GRADIENT);
        subject_close_plan(&s);
    }
    for (int i = 0; i < r[0].count; i++) {
        assert_false(same(&r[0], &r[1], i));
        for (int64_t e = 0; e < r[0].list[i].count; e++) {
            r[0].values[i][e] += r[1].values[i][e];
        }
        harness_close_floats(r[0].list[i].name, r[2].values[i], r[0].values[i], r[0].list[i].count, 1e-5);
    }
    for (int k = 0; k < 3; k++) {
        release(&r[k]);
    }
    subject_release(&s);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(over_a_cut_nothing_passes),
        cmocka_unit_test(behind_the_last_cut_learning_goes_on),
        cmocka_unit_test(a_head_teaches_what_stands_before_it),
        cmocka_unit_test(a_cut_must_be_an_edge),
        cmocka_unit_test(frozen_bytes_never_change),
        cmocka_unit_test(frozen_blocks_keep_their_distance),
        cmocka_unit_test(frozen_norms_do_not_look_at_the_batch),
        cmocka_unit_test(evaluation_leaves_statistics_alone),
        cmocka_unit_test(a_head_that_only_measures_changes_no_bit),
        cmocka_unit_test(both_labels_add_up),
    };
    backend_name = argc > 1 ? argv[1] : backend_name;
    return harness_run(tests, &machine, backend_name, 2);
}
