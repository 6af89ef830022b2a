/* run.c: see rs/check.h. */
#include "rs/check.h"

#include <stdio.h>
#include <string.h>

#include "differences.h"
#include "rs/host.h"
#include "tolerances.h"

static const char *algorithm_name(rs_convolution_choice choice)
{
    return choice == RS_CONVOLUTION_WINOGRAD ? " winograd" : choice == RS_CONVOLUTION_DIRECT ? " direct" : "";
}

/* What the reference says: the case, its values, and its outcome in double. */
typedef struct truth {
    const rs_check_case *c;
    rs_network *network;
    rs_check_data *data;
    rs_check_outcome outcome;
} truth;

static void release_truth(truth *t)
{
    rs_check_outcome_release(&t->outcome);
    if (t->network) {
        rs_check_data_destroy(t->network, t->data);
    }
    rs_network_destroy(t->network);
}

static rs_status differences_row(rs_check_session *session, truth *t, rs_check_report *report,
                                 rs_error *error)
{
    rs_check_row row =
        rs_check_row_begin(report, t->c->name, "ref f64 / finite differences", RS_TOLERANCE_DIFFERENCES);
    rs_status status = rs_check_differences(session, t->data, RS_MODE_TRAIN, &row, error);
    if (!status && rs_check_has_modes(t->c)) {
        status = rs_check_differences(session, t->data, RS_MODE_EVALUATE, &row, error);
    }
    rs_check_row_end(&row);
    return status;
}

/* Finds values, takes the reference's outcome and checks its gradients. */
static rs_status find_truth(const rs_check_machine *machine, truth *t, rs_check_report *report,
                            rs_error *error)
{
    rs_check_target target = {machine->reference, machine->reference_device, RS_F64, RS_CONVOLUTION_AUTO,
                              RS_MEMORY_FAST};
    rs_check_session session;
    RS_TRY(rs_check_network(t->c, &t->network, error));
    RS_TRY(rs_check_session_open(t->c, t->network, &target, &session, error));
    rs_status status = rs_check_find_data(&session, 1, &t->data, error);
    status = status ? status : rs_check_session_outcome(&session, t->data, &t->outcome, error);
    bool differentiable = t->c->fill != RS_FILL_INTEGER || !rs_check_has_kinks(t->c);
    if (!status && differentiable) {
        status = differences_row(&session, t, report, error);
    }
    rs_check_session_close(&session);
    return status;
}

/* Value by value against the truth; integers in direct convolution must be equal. */
static void compare_outcomes(const truth *t, const rs_check_outcome *got, rs_check_row *row)
{
    if (got->count != t->outcome.count) {
        rs_check_row_add(row, "number of values", (double)got->count, false);
        return;
    }
    for (int i = 0; i < got->count; i++) {
        const rs_check_value *value = &got->values[i], *want = &t->outcome.values[i];
        if (value->present && want->present) {
            rs_comparison c = rs_compare(value->values, want->values, want->count);
            rs_check_row_compare(row, want->what, &c);
        }
    }
    rs_check_row_add(row, "guard zones", got->guards_intact ? 0.0 : 1.0, got->guards_intact);
}

static void compare_bits(const rs_check_outcome *a, const rs_check_outcome *b, rs_check_row *row)
{
    for (int i = 0; i < a->count; i++) {
        const rs_check_value *first = &a->values[i], *second = &b->values[i];
        if (first->present) {
            size_t bytes = (size_t)first->count * sizeof(double);
            bool same = second->present && memcmp(first->values, second->values, bytes) == 0;
            rs_check_row_add(row, first->what, same ? 0.0 : 1.0, same);
        }
    }
}

/* Runs the case on a fresh plan, once or twice. */
static rs_status run_target(const truth *t, const rs_check_target *target, int runs,
                            rs_check_outcome *outcomes, rs_error *error)
{
    rs_check_session session;
    RS_TRY(rs_check_session_open(t->c, t->network, target, &session, error));
    rs_status status = RS_OK;
    for (int i = 0; !status && i < runs; i++) {
        status = rs_check_session_outcome(&session, t->data, &outcomes[i], error);
    }
    rs_check_session_close(&session);
    return status;
}

static double tolerance_of(const rs_check_case *c, const rs_check_target *target, bool reference)
{
    bool winograd = target->convolution == RS_CONVOLUTION_WINOGRAD;
    if (c->fill == RS_FILL_INTEGER && !winograd) {
        return 0.0;
    }
    return reference ? RS_TOLERANCE_REF_F32 : winograd ? RS_TOLERANCE_WINOGRAD : RS_TOLERANCE_DIRECT;
}

/* Against the truth, and three runs, two on one plan and one on another, against each other. */
static rs_status check_target(const truth *t, const rs_check_target *target, bool reference,
                              rs_check_report *report, rs_error *error)
{
    char against[64], repeated[64];
    rs_check_outcome outcomes[3] = {0};
    (void)snprintf(against, sizeof against, "%s f32%s / ref f64", target->backend->name,
                   algorithm_name(target->convolution));
    (void)snprintf(repeated, sizeof repeated, "%s f32%s / itself", target->backend->name,
                   algorithm_name(target->convolution));
    rs_status status = run_target(t, target, 2, outcomes, error);
    status = status ? status : run_target(t, target, 1, &outcomes[2], error);
    if (status) {
        rs_check_report_broken(report, t->c->name, against, error->text);
    } else {
        rs_check_row row =
            rs_check_row_begin(report, t->c->name, against, tolerance_of(t->c, target, reference));
        compare_outcomes(t, &outcomes[0], &row);
        rs_check_row_end(&row);
        row = rs_check_row_begin(report, t->c->name, repeated, 0.0);
        compare_bits(&outcomes[0], &outcomes[1], &row);
        compare_bits(&outcomes[0], &outcomes[2], &row);
        rs_check_row_end(&row);
    }
    for (int i = 0; i < 3; i++) {
        rs_check_outcome_release(&outcomes[i]);
    }
    return status == RS_MEMORY ? status : RS_OK;
}

/* What --memory lean computes again is what --memory fast kept, bit by bit. */
static rs_status check_lean(const truth *t, const rs_check_target *fast, rs_check_report *report,
                            rs_error *error)
{
    char against[64];
    rs_check_outcome outcomes[2] = {0};
    rs_check_target lean = *fast;
    lean.memory = RS_MEMORY_LEAN;
    (void)snprintf(against, sizeof against, "%s f32%s lean / fast", fast->backend->name,
                   algorithm_name(fast->convolution));
    rs_status status = run_target(t, fast, 1, &outcomes[0], error);
    status = status ? status : run_target(t, &lean, 1, &outcomes[1], error);
    if (status) {
        rs_check_report_broken(report, t->c->name, against, error->text);
    } else {
        rs_check_row row = rs_check_row_begin(report, t->c->name, against, 0.0);
        compare_bits(&outcomes[0], &outcomes[1], &row);
        rs_check_row_end(&row);
    }
    rs_check_outcome_release(&outcomes[0]);
    rs_check_outcome_release(&outcomes[1]);
    return status == RS_MEMORY ? status : RS_OK;
}

bool rs_check_takes_winograd(const rs_check_case *c)
{
    for (int i = 0; i < RS_CHECK_NODES; i++) {
        const rs_check_op *op = &c->ops[i];
        if (op->kind == RS_OP_CONVOLUTION && op->attributes.kernel == 3 && op->attributes.stride == 1) {
            return true;
        }
    }
    return false;
}

/* Whether something is cheap enough to be computed again. */
static bool may_repeat(const rs_check_case *c)
{
    static const rs_op_kind cheap[] = {RS_OP_SIGMOID, RS_OP_TANH,   RS_OP_SOFTMAX, RS_OP_ROW_NORMALIZE,
                                       RS_OP_FLATTEN, RS_OP_REPEAT, RS_OP_DIVIDE};
    bool found = rs_check_has_modes(c);
    for (size_t i = 0; i < sizeof cheap / sizeof cheap[0]; i++) {
        found = found || rs_check_has_operator(c, cheap[i]);
    }
    return found;
}

static rs_status check_backend(const rs_check_machine *machine, const truth *t, rs_check_report *report,
                               rs_error *error)
{
    rs_check_target target = {machine->backend, machine->device, RS_F32, RS_CONVOLUTION_DIRECT,
                              RS_MEMORY_FAST};
    RS_TRY(check_target(t, &target, false, report, error));
    if (may_repeat(t->c)) {
        RS_TRY(check_lean(t, &target, report, error));
    }
    rs_device_info info;
    machine->backend->info(machine->device, &info);
    if ((info.capabilities & RS_CAN_WINOGRAD) && rs_check_takes_winograd(t->c)) {
        target.convolution = RS_CONVOLUTION_WINOGRAD;
        return check_target(t, &target, false, report, error);
    }
    return RS_OK;
}

rs_status rs_check_run_case(const rs_check_machine *machine, const rs_check_case *c, rs_check_report *report,
                            rs_error *error)
{
    truth t = {.c = c};
    rs_status status = find_truth(machine, &t, report, error);
    if (status) {
        rs_check_report_broken(report, c->name, "ref f64", error->text);
        status = status == RS_MEMORY ? status : RS_OK;
    } else {
        rs_check_target reference = {machine->reference, machine->reference_device, RS_F32,
                                     RS_CONVOLUTION_AUTO, RS_MEMORY_FAST};
        status = check_target(&t, &reference, true, report, error);
        if (!status && machine->backend != machine->reference) {
            status = check_backend(machine, &t, report, error);
        }
    }
    release_truth(&t);
    return status;
}

static bool matches(const char *filter, const char *name)
{
    return !filter || strstr(name, filter);
}

static bool is_called(const rs_check_case *c, const char *filter)
{
    return matches(filter, c->name);
}

static bool has_operator(const rs_check_case *c, const char *filter)
{
    bool has = false;
    for (int i = 0; filter && i < RS_CHECK_NODES && c->ops[i].kind != RS_OP_INPUT; i++) {
        has = has || strcmp(rs_op_name(c->ops[i].kind), filter) == 0;
    }
    return has;
}

static rs_status run_cases(const rs_check_machine *machine,
                           bool (*takes)(const rs_check_case *, const char *), const char *filter,
                           rs_check_report *report, int *matched, rs_error *error)
{
    size_t count;
    const rs_check_case *cases = rs_check_cases(&count);
    for (size_t i = 0; i < count; i++) {
        if (takes(&cases[i], filter)) {
            (*matched)++;
            RS_TRY(rs_check_run_case(machine, &cases[i], report, error));
        }
    }
    return RS_OK;
}

rs_status rs_check_run_all(const rs_check_machine *machine, const char *filter, rs_check_report *report,
                           int *matched, rs_error *error)
{
    *matched = 0;
    RS_TRY(run_cases(machine, is_called, filter, report, matched, error));
    for (int i = 0; i < rs_check_update_count(); i++) {
        if (matches(filter, rs_check_update_name(i))) {
            (*matched)++;
            RS_TRY(rs_check_run_update(machine, i, report, error));
        }
    }
    return *matched > 0 ? RS_OK : run_cases(machine, has_operator, filter, report, matched, error);
}
