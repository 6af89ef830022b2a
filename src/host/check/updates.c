/* updates.c: the update rules and what they measure; see rs/check.h.
 *
 * A small network gets the same made-up gradients on every backend for some steps. Weights and moments are compared
 * with the reference, to the bit where no clipping norm, whose last digit depends on the order of its sum, comes in;
 * distances and statistics with their definitions, from the weights read before and after each step. One layer
 * reaches no loss, and a rule freezes parameters: they must not move. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "measures.h"
#include "rs/host.h"
#include "session.h"
#include "tolerances.h"

enum { STEPS = 6 };
#define METRICS "minkowski:1,minkowski:3,minkowski:1.5,euclidean,chebyshev,cosine,correlation,manhattan"

#define ADAM_BETAS .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8
static const struct {
    const char *name;
    rs_update_options options;
} rules[] = {
    {"update_sgd", {.optimizer = RS_OPTIMIZER_SGD, .learning_rate = 0.1}},
    {"update_sgd_decay_clip",
     {.optimizer = RS_OPTIMIZER_SGD, .learning_rate = 0.1, .weight_decay = 0.05, .clip_norm = 1.0}},
    {"update_momentum", {.optimizer = RS_OPTIMIZER_SGD, .learning_rate = 0.1, .momentum = 0.9}},
    {"update_nesterov_decay",
     {.optimizer = RS_OPTIMIZER_SGD,
      .learning_rate = 0.1,
      .momentum = 0.9,
      .nesterov = true,
      .weight_decay = 0.01}},
    {"update_adam", {.optimizer = RS_OPTIMIZER_ADAM, .learning_rate = 1e-3, ADAM_BETAS}},
    {"update_adam_decay_clip",
     {.optimizer = RS_OPTIMIZER_ADAM,
      .learning_rate = 1e-2,
      ADAM_BETAS,
      .weight_decay = 0.1,
      .clip_norm = 0.5}},
    {"update_adamw",
     {.optimizer = RS_OPTIMIZER_ADAMW, .learning_rate = 1e-2, ADAM_BETAS, .weight_decay = 0.1}},
    {"update_clip_far", /* a norm that is never reached: multiplied by exactly 1 */
     {.optimizer = RS_OPTIMIZER_ADAMW,
      .learning_rate = 1e-3,
      ADAM_BETAS,
      .weight_decay = 0.01,
      .clip_norm = 1e9}},
    {"update_adagrad", {.optimizer = RS_OPTIMIZER_ADAGRAD, .learning_rate = 0.01, .epsilon = 1e-10}},
    {"update_adagrad_decay_clip",
     {.optimizer = RS_OPTIMIZER_ADAGRAD,
      .learning_rate = 0.1,
      .epsilon = 1e-8,
      .weight_decay = 0.05,
      .clip_norm = 1.0}},
    {"update_rmsprop",
     {.optimizer = RS_OPTIMIZER_RMSPROP, .learning_rate = 0.01, .epsilon = 1e-8, .alpha = 0.99}},
    {"update_rmsprop_decay_clip",
     {.optimizer = RS_OPTIMIZER_RMSPROP,
      .learning_rate = 0.01,
      .epsilon = 1e-6,
      .alpha = 0.9,
      .weight_decay = 0.1,
      .clip_norm = 0.5}},
    {"update_rmsprop_momentum",
     {.optimizer = RS_OPTIMIZER_RMSPROP,
      .learning_rate = 0.01,
      .epsilon = 1e-8,
      .alpha = 0.95,
      .momentum = 0.9,
      .weight_decay = 0.01}},
    {"update_frozen",
     {.optimizer = RS_OPTIMIZER_ADAMW, .learning_rate = 1e-2, ADAM_BETAS, .weight_decay = 0.1}},
};
enum { RULES = sizeof rules / sizeof rules[0] };

int rs_check_update_count(void)
{
    return RULES;
}

const char *rs_check_update_name(int index)
{
    return rules[index].name;
}

static rs_status add_nodes(rs_network *network, rs_error *error)
{
    int stem, head, node;
    RS_TRY(rs_network_add_block(network, "stem", &stem, error));
    RS_TRY(rs_network_add_block(network, "head", &head, error));
    const rs_node_spec nodes[] = {
        {.name = "conv",
         .kind = RS_OP_CONVOLUTION,
         .attributes = {.channels = 17, .kernel = 3, .stride = 1, .padding = 1, .bias = true},
         .input = {0, 0},
         .block = stem},
        {.name = "unused",
         .kind = RS_OP_CONVOLUTION,
         .attributes = {.channels = 9, .kernel = 1, .stride = 1},
         .input = {1, 1},
         .block = head},
        {.name = "bn",
         .kind = RS_OP_BATCH_NORM,
         .attributes = {.epsilon = 1e-5, .momentum = 0.1},
         .input = {1, 1},
         .block = stem},
        {.name = "pool", .kind = RS_OP_GLOBAL_AVERAGE_POOL, .attributes = {0}, .input = {3, 3}, .block = -1},
        {.name = "fc",
         .kind = RS_OP_LINEAR,
         .attributes = {.channels = 10, .bias = true},
         .input = {4, 4},
         .block = head},
        {.name = "loss",
         .kind = RS_OP_SOFTMAX_CROSS_ENTROPY,
         .attributes = {0},
         .input = {5, 5},
         .block = -1},
    };
    for (size_t i = 0; i < sizeof nodes / sizeof nodes[0]; i++) {
        RS_TRY(rs_network_add(network, &nodes[i], &node, error));
    }
    return rs_network_finish(network, error);
}

static rs_status make_network(rs_network **network, rs_error *error)
{
    RS_TRY(rs_network_create("updates", 3, 5, 5, 10, network, error));
    rs_status status = add_nodes(*network, error);
    if (status) {
        rs_network_destroy(*network);
    }
    return status;
}

static bool is_unused(const rs_network *network, int parameter)
{
    return strcmp(network->nodes[network->parameters[parameter].node].name, "unused") == 0;
}

/* Of the rule that freezes: a whole matrix, a vector, and one of a batch norm's two. */
static bool is_frozen(const rs_network *network, int parameter)
{
    const char *name = network->parameters[parameter].name;
    return strcmp(name, "conv.weight") == 0 || strcmp(name, "fc.bias") == 0 || strcmp(name, "bn.weight") == 0;
}

/* One plan while the rule is applied to it. */
enum { PARAMETERS = 16 };
typedef struct trial {
    const rs_network *network;
    const rs_update_options *rule;
    bool freezes, frozen[PARAMETERS];
    rs_check_target target;
    bool measure;
    rs_plan *plan;
    rs_check_state state; /* initial, before and after a step, gradients */
    rs_check_row *row;    /* of measures; NULL: none */
} trial;

static bool stands_still(const trial *t, int parameter)
{
    return is_unused(t->network, parameter) || t->frozen[parameter];
}

static rs_status open_trial(trial *t, rs_error *error)
{
    RS_ASSERT(t->network->parameter_count <= PARAMETERS);
    for (int i = 0; t->freezes && i < t->network->parameter_count; i++) {
        t->frozen[i] = is_frozen(t->network, i);
    }
    rs_plan_options options = {.dtype = t->target.dtype,
                               .batch_size_count = 1,
                               .batch_sizes = {2},
                               .training = true,
                               .optimizer = t->rule->optimizer,
                               .momentum = t->rule->momentum != 0.0,
                               .keep_initial = true,
                               .sum_gradients = true,
                               .frozen = t->freezes ? t->frozen : NULL};
    RS_TRY(rs_metric_list_parse(METRICS, &options.metrics, error));
    RS_TRY(rs_check_state_create(t->network, t->target.dtype, &options.metrics, &t->state, error));
    return t->target.backend->plan_create(t->target.device, t->network, &options, &t->plan, error);
}

static void close_trial(trial *t)
{
    t->target.backend->plan_destroy(t->plan);
    t->plan = NULL;
    rs_check_state_release(&t->state);
}

/* Made-up values, the same for every backend and type. */
static void make_up(const rs_parameter *p, uint64_t seed, double scale, double *values)
{
    rs_fill_values(RS_FILL_NORMAL, seed, p->name, values, p->count);
    for (int64_t k = 0; k < p->count; k++) {
        values[k] = (double)(float)(values[k] * scale);
    }
}

static rs_status write_made_up(trial *t, rs_slot slot, int i, uint64_t seed, double scale, double *values,
                               rs_error *error)
{
    const rs_parameter *p = &t->network->parameters[i];
    make_up(p, seed, scale, values);
    rs_check_pack(t->target.dtype, values, p->count, t->state.packed);
    return t->target.backend->write(t->plan, slot, i, t->state.packed, error);
}

static rs_status read_values(trial *t, rs_slot slot, int i, double *values, rs_error *error)
{
    RS_TRY(t->target.backend->read(t->plan, slot, i, t->state.packed, error));
    rs_check_unpack(t->target.dtype, t->state.packed, t->network->parameters[i].count, values);
    return RS_OK;
}

/* As after a part of a run: all have moved, also what does not move any more. */
enum { SEED_VALUE = 1, SEED_INITIAL = 2 };
static const double size_of_values = 0.2;

static rs_status begin(trial *t, rs_error *error)
{
    for (int i = 0; i < t->network->parameter_count; i++) {
        RS_TRY(write_made_up(t, RS_SLOT_VALUE, i, SEED_VALUE, size_of_values, t->state.after[i], error));
        RS_TRY(
            write_made_up(t, RS_SLOT_INITIAL, i, SEED_INITIAL, size_of_values, t->state.initial[i], error));
    }
    return RS_OK;
}

static rs_status step(trial *t, int number, rs_error *error)
{
    rs_update_options options = *t->rule;
    rs_measurement *measurement = &t->state.measurement;
    options.distances = options.gradient_stats = t->measure;
    for (int i = 0; i < t->network->parameter_count; i++) {
        RS_TRY(read_values(t, RS_SLOT_VALUE, i, t->state.before[i], error));
        if (!stands_still(t, i)) {
            RS_TRY(write_made_up(t, RS_SLOT_GRADIENT, i, 100 + (uint64_t)number, 0.1 * (number + 1),
                                 t->state.gradient[i], error));
        }
    }
    RS_TRY(t->target.backend->update(t->plan, &options, measurement, error));
    for (int i = 0; i < t->network->parameter_count; i++) {
        RS_TRY(read_values(t, RS_SLOT_VALUE, i, t->state.after[i], error));
    }
    if (t->row) {
        rs_check_measures(t->network, &options, &t->state, number + 1, t->row);
    }
    return RS_OK;
}

/* What was never updated is as it was written. */
static rs_status check_still(trial *t, int i, rs_error *error)
{
    RS_TRY(read_values(t, RS_SLOT_VALUE, i, t->state.after[i], error));
    size_t bytes = (size_t)t->network->parameters[i].count * sizeof(double);
    make_up(&t->network->parameters[i], SEED_VALUE, size_of_values, t->state.before[i]);
    bool same = memcmp(t->state.after[i], t->state.before[i], bytes) == 0;
    rs_check_row_add(t->row, "values that stand still", same ? 0.0 : 1.0, same);
    return RS_OK;
}

/* Step counts, and the sum of the gradients, which were all made up: exact. */
static rs_status check_counts(trial *t, rs_error *error)
{
    for (int i = 0; i < t->network->parameter_count; i++) {
        const rs_parameter *p = &t->network->parameters[i];
        double *sum = t->state.before[i], *expected = t->state.after[i];
        int64_t steps = -1, wanted = stands_still(t, i) ? 0 : STEPS;
        if (wanted == 0) {
            RS_TRY(check_still(t, i, error));
        }
        RS_TRY(t->target.backend->read(t->plan, RS_SLOT_STEP_COUNT, i, &steps, error));
        RS_TRY(t->target.backend->read(t->plan, RS_SLOT_GRADIENT_SUM, i, sum, error));
        rs_check_row_add(t->row, "step counts", fabs((double)(steps - wanted)), steps == wanted);
        memset(expected, 0, (size_t)p->count * sizeof *expected);
        for (int number = 0; number < wanted; number++) {
            rs_fill_values(RS_FILL_NORMAL, 100 + (uint64_t)number, p->name, t->state.gradient[i], p->count);
            for (int64_t k = 0; k < p->count; k++) {
                expected[k] += (double)(float)(t->state.gradient[i][k] * (0.1 * (number + 1)));
            }
        }
        rs_comparison c = rs_compare(sum, expected, p->count);
        rs_check_row_compare(t->row, "sums of gradients", &c);
    }
    return RS_OK;
}

/* Which slots a rule keeps: how many, first the values. */
static int kept_slots(const rs_update_options *rule, rs_slot slots[3])
{
    bool adam = rule->optimizer == RS_OPTIMIZER_ADAM || rule->optimizer == RS_OPTIMIZER_ADAMW;
    int kept = 0;
    slots[kept++] = RS_SLOT_VALUE;
    if (adam || rule->momentum != 0.0) {
        slots[kept++] = RS_SLOT_MOMENT1;
    }
    if (rule->optimizer != RS_OPTIMIZER_SGD) {
        slots[kept++] = RS_SLOT_MOMENT2;
    }
    return kept;
}

/* All slots of all parameters after the steps, as the values of an outcome. */
static rs_status read_outcome(trial *t, rs_check_outcome *outcome, rs_error *error)
{
    rs_slot slots[3];
    int kept = kept_slots(t->rule, slots);
    *outcome = (rs_check_outcome){.capacity = 3 * t->network->parameter_count, .guards_intact = true};
    outcome->values = rs_alloc_array((size_t)outcome->capacity, sizeof *outcome->values);
    for (int i = 0; outcome->values && i < kept * t->network->parameter_count; i++) {
        const rs_parameter *p = &t->network->parameters[i / kept];
        rs_check_value *value = &outcome->values[outcome->count++];
        *value = (rs_check_value){.present = true, .count = p->count};
        value->values = rs_alloc_array((size_t)p->count, sizeof(double));
        if (!value->values) {
            return RS_FAIL(error, RS_MEMORY, "no memory to check updates");
        }
        const char *name = slots[i % kept] == RS_SLOT_VALUE     ? "value"
                           : slots[i % kept] == RS_SLOT_MOMENT1 ? "moment 1"
                                                                : "moment 2";
        (void)snprintf(value->what, sizeof value->what, "%s of %s", name, p->name);
        RS_TRY(read_values(t, slots[i % kept], i / kept, value->values, error));
    }
    return outcome->values ? RS_OK : RS_FAIL(error, RS_MEMORY, "no memory to check updates");
}

static rs_status run_trial(trial *t, rs_check_outcome *outcome, rs_error *error)
{
    rs_status status = open_trial(t, error);
    status = status ? status : begin(t, error);
    for (int i = 0; !status && i < STEPS; i++) {
        status = step(t, i, error);
    }
    status = status ? status : read_outcome(t, outcome, error);
    if (!status && t->row) {
        status = check_counts(t, error);
    }
    close_trial(t);
    return status;
}

static void compare_outcomes(rs_check_report *report, const char *name, const char *against, double tolerance,
                             const rs_check_outcome *got, const rs_check_outcome *want)
{
    rs_check_row row = rs_check_row_begin(report, name, against, tolerance);
    for (int i = 0; i < want->count; i++) {
        rs_comparison c = rs_compare(got->values[i].values, want->values[i].values, want->values[i].count);
        rs_check_row_compare(&row, want->values[i].what, &c);
    }
    rs_check_row_end(&row);
}

/* The measures of one backend against their definitions, its weights against `want`, and against themselves
 * when nothing is measured. */
static rs_status check_rule(trial *t, const char *name, const rs_check_outcome *want, double tolerance,
                            const char *against, rs_check_report *report, rs_error *error)
{
    rs_check_outcome measured = {0}, unmeasured = {0};
    char definition[64], repeated[64];
    (void)snprintf(definition, sizeof definition, "%s f32 / definitions", t->target.backend->name);
    (void)snprintf(repeated, sizeof repeated, "%s f32 measured / unmeasured", t->target.backend->name);
    rs_check_row row = rs_check_row_begin(report, name, definition, RS_TOLERANCE_MEASURES);
    t->row = &row;
    t->measure = true;
    rs_status status = run_trial(t, &measured, error);
    rs_check_row_end(&row);
    t->row = NULL;
    t->measure = false;
    status = status ? status : run_trial(t, &unmeasured, error);
    if (!status) {
        compare_outcomes(report, name, against, tolerance, &measured, want);
        compare_outcomes(report, name, repeated, 0.0, &unmeasured, &measured);
    }
    rs_check_outcome_release(&measured);
    rs_check_outcome_release(&unmeasured);
    return status;
}

static rs_status check_machine(const rs_check_machine *machine, int index, const rs_network *network,
                               rs_check_report *report, rs_error *error)
{
    trial t = {.network = network,
               .rule = &rules[index].options,
               .freezes = strcmp(rules[index].name, "update_frozen") == 0};
    rs_check_outcome exact = {0}, plain = {0};
    char against[64];
    bool clipped = t.rule->clip_norm > 0.0;
    t.target = (rs_check_target){machine->reference, machine->reference_device, RS_F64, RS_CONVOLUTION_AUTO,
                                 RS_MEMORY_FAST};
    rs_status status = run_trial(&t, &exact, error);
    t.target.dtype = RS_F32;
    status = status ? status : run_trial(&t, &plain, error);
    if (!status) {
        status = check_rule(&t, rules[index].name, &exact, RS_TOLERANCE_UPDATE, "ref f32 / ref f64", report,
                            error);
    }
    if (!status && machine->backend != machine->reference) {
        (void)snprintf(against, sizeof against, "%s f32 / ref f32", machine->backend->name);
        t.target.backend = machine->backend;
        t.target.device = machine->device;
        status = check_rule(&t, rules[index].name, &plain, clipped ? RS_TOLERANCE_UPDATE_CLIPPED : 0.0,
                            against, report, error);
    }
    rs_check_outcome_release(&exact);
    rs_check_outcome_release(&plain);
    return status;
}

rs_status rs_check_run_update(const rs_check_machine *machine, int index, rs_check_report *report,
                              rs_error *error)
{
    rs_network *network;
    RS_TRY(make_network(&network, error));
    rs_status status = check_machine(machine, index, network, report, error);
    rs_network_destroy(network);
    if (status && status != RS_MEMORY) {
        rs_check_report_broken(report, rules[index].name, "update", error->text);
        return RS_OK;
    }
    return status;
}
