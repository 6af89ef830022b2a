/* differences.c: see differences.h. */
#include "differences.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "rs/host.h"
#include "tolerances.h"

enum { DIRECTIONS = 2 };

/* Steps of the central differences. Behind other operators values move by some multiple of the step, and none may
 * cross a kink. */
#define STEP       1e-6
#define STEP_KINKS 1e-7

static double step_of(const rs_check_case *c)
{
    return rs_check_has_kinks(c) && c->fill != RS_FILL_SPREAD ? STEP_KINKS : STEP;
}

/* A tensor that can be moved, in place, with its gradient. */
typedef struct variable {
    const char *name;
    double *values, *gradient;
    int64_t count;
} variable;

static rs_status objective_at(rs_check_session *session, const rs_check_data *data, rs_mode mode,
                              double *value, rs_error *error)
{
    RS_TRY(rs_check_session_write(session, data, error));
    RS_TRY(rs_check_session_run(session, data, session->c->batch[0], mode, false, error));
    return rs_check_session_objective(session, data, session->c->batch[0], value, error);
}

/* The slope of the objective along `direction`; the values are left as they were. */
static rs_status slope_along(rs_check_session *session, const rs_check_data *data, rs_mode mode,
                             const variable *v, const double *direction, double *slope, rs_error *error)
{
    double step = step_of(session->c), side[2] = {0};
    rs_status status = RS_OK;
    double *kept = rs_alloc_array((size_t)v->count, sizeof *kept);
    if (!kept) {
        return RS_FAIL(error, RS_MEMORY, "no memory for finite differences of %s", v->name);
    }
    memcpy(kept, v->values, (size_t)v->count * sizeof *kept);
    for (int k = 0; !status && k < 2; k++) {
        for (int64_t i = 0; i < v->count; i++) {
            v->values[i] = kept[i] + (k ? -step : step) * direction[i];
        }
        status = objective_at(session, data, mode, &side[k], error);
    }
    memcpy(v->values, kept, (size_t)v->count * sizeof *kept);
    rs_free(kept);
    *slope = (side[0] - side[1]) / (2.0 * step);
    return status;
}

static rs_status check_variable(rs_check_session *session, const rs_check_data *data, rs_mode mode,
                                const variable *v, rs_check_row *row, rs_error *error)
{
    double worst = 0.0, squares = 0.0;
    rs_status status = RS_OK;
    double *direction = rs_alloc_array((size_t)v->count, sizeof *direction);
    if (!direction) {
        return RS_FAIL(error, RS_MEMORY, "no memory for finite differences of %s", v->name);
    }
    for (int64_t i = 0; i < v->count; i++) {
        squares += v->gradient[i] * v->gradient[i];
    }
    for (int k = 0; !status && k < DIRECTIONS; k++) {
        double slope = 0.0, expected = 0.0;
        rs_fill_values(RS_FILL_NORMAL, 1000 + (uint64_t)k, v->name, direction, v->count);
        status = slope_along(session, data, mode, v, direction, &slope, error);
        for (int64_t i = 0; i < v->count; i++) {
            expected += v->gradient[i] * direction[i];
        }
        double off = fabs(slope - expected) / (squares > 0.0 ? sqrt(squares) : 1.0);
        worst = off <= worst ? worst : off;
    }
    rs_free(direction);
    if (!status) {
        char what[128];
        (void)snprintf(what, sizeof what, "%s: gradient of %s", mode == RS_MODE_TRAIN ? "train" : "evaluate",
                       v->name);
        rs_check_row_add(row, what, worst, worst <= row->tolerance);
    }
    return status;
}

static rs_status check_variables(rs_check_session *session, rs_check_data *data, rs_mode mode,
                                 variable *variables, rs_check_row *row, rs_error *error)
{
    const rs_network *network = session->network;
    int64_t n = session->c->batch[0];
    RS_TRY(rs_check_session_write(session, data, error));
    RS_TRY(rs_check_session_run(session, data, n, mode, true, error));
    for (int i = 0; i < network->parameter_count; i++) {
        const rs_parameter *p = &network->parameters[i];
        variables[i] = (variable){.name = p->name, .values = data->parameters[i], .count = p->count};
        RS_TRY(rs_check_session_read(session, RS_SLOT_GRADIENT, i, &variables[i].gradient, error));
    }
    variable *x = &variables[network->parameter_count];
    *x = (variable){.name = "x", .values = data->x, .count = n * rs_check_node_size(network, 0)};
    RS_TRY(rs_check_session_read_node(session, RS_NODE_GRADIENT, 0, n, &x->gradient, error));
    for (int i = 0; i <= network->parameter_count; i++) {
        RS_TRY(check_variable(session, data, mode, &variables[i], row, error));
    }
    return RS_OK;
}

rs_status rs_check_differences(rs_check_session *session, rs_check_data *data, rs_mode mode,
                               rs_check_row *row, rs_error *error)
{
    int count = session->network->parameter_count + 1;
    variable *variables = rs_alloc_array((size_t)count, sizeof *variables);
    if (!variables) {
        return RS_FAIL(error, RS_MEMORY, "no memory for finite differences of %s", session->c->name);
    }
    rs_status status = check_variables(session, data, mode, variables, row, error);
    for (int i = 0; i < count; i++) {
        rs_free(variables[i].gradient);
    }
    rs_free(variables);
    return status;
}
