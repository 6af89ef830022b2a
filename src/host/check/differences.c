/* differences.c: see differences.h. */
#include "differences.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "rs/host.h"
#include "tolerances.h"
#include "twin.h"

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

/* What the slopes are of: the loss with each of some labels, added, in a session that is the case's own or its twin's. */
typedef struct objective {
    rs_check_session *session;
    const rs_check_data *data;
    rs_mode mode;
    int32_t *labels[2]; /* NULL: end of the list */
} objective;

static rs_status objective_at(const objective *o, double *value, rs_error *error)
{
    int64_t n = o->session->c->batch[0];
    *value = 0.0;
    for (int i = 0; i < 2 && o->labels[i]; i++) {
        rs_check_data data = *o->data;
        double part;
        data.labels = o->labels[i];
        RS_TRY(rs_check_session_write(o->session, &data, error));
        RS_TRY(rs_check_session_run(o->session, &data, n, o->mode, false, error));
        RS_TRY(rs_check_session_objective(o->session, &data, n, &part, error));
        *value += part;
    }
    return RS_OK;
}

/* The slope of the objective along `direction`; the values are left as they were. */
static rs_status slope_along(const objective *o, const variable *v, const double *direction, double *slope,
                             rs_error *error)
{
    double step = step_of(o->session->c), side[2] = {0};
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
        status = objective_at(o, &side[k], error);
    }
    memcpy(v->values, kept, (size_t)v->count * sizeof *kept);
    rs_free(kept);
    *slope = (side[0] - side[1]) / (2.0 * step);
    return status;
}

static void add_to_row(rs_check_row *row, rs_mode mode, const char *name, double worst, double allowed)
{
    char what[128];
    (void)snprintf(what, sizeof what, "%s: gradient of %s", mode == RS_MODE_TRAIN ? "train" : "evaluate",
                   name);
    rs_check_row_add(row, what, worst, worst <= allowed);
}

static rs_status check_variable(const objective *o, const variable *v, rs_check_row *row, rs_error *error)
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
        status = slope_along(o, v, direction, &slope, error);
        for (int64_t i = 0; i < v->count; i++) {
            expected += v->gradient[i] * direction[i];
        }
        double off = fabs(slope - expected) / (squares > 0.0 ? sqrt(squares) : 1.0);
        worst = off <= worst ? worst : off;
    }
    rs_free(direction);
    if (!status) {
        add_to_row(row, o->mode, v->name, worst, row->tolerance);
    }
    return status;
}

/* A frozen parameter's gradient is exactly 0, whatever the slope. */
static void check_frozen(const variable *v, rs_mode mode, rs_check_row *row)
{
    double largest = 0.0;
    for (int64_t i = 0; i < v->count; i++) {
        double size = fabs(v->gradient[i]);
        largest = size <= largest ? largest : size;
    }
    add_to_row(row, mode, v->name, largest, 0.0);
}

/* Reads the gradients of the parameters and, where there is no cut, of the input; *count: how many variables. */
static rs_status read_gradients(rs_check_session *session, rs_check_data *data, rs_mode mode,
                                variable *variables, int *count, rs_error *error)
{
    const rs_network *network = session->network;
    int64_t n = session->c->batch[0];
    RS_TRY(rs_check_session_write(session, data, error));
    RS_TRY(rs_check_session_run(session, data, n, mode, true, error));
    for (*count = 0; *count < network->parameter_count; ++*count) {
        const rs_parameter *p = &network->parameters[*count];
        variables[*count] =
            (variable){.name = p->name, .values = data->parameters[*count], .count = p->count};
        RS_TRY(rs_check_session_read(session, RS_SLOT_GRADIENT, *count, &variables[*count].gradient, error));
    }
    if (rs_check_cut_count(session->settings) == 0) {
        variable *x = &variables[(*count)++];
        *x = (variable){.name = "x", .values = data->x, .count = n * rs_check_node_size(network, 0)};
        RS_TRY(rs_check_session_read_node(session, RS_NODE_GRADIENT, 0, n, &x->gradient, error));
    }
    return RS_OK;
}

/* The first largest score of each sample after a run. */
static rs_status predict(rs_check_session *session, int64_t n, int32_t *labels, rs_error *error)
{
    const rs_network *network = session->network;
    int scores = network->nodes[rs_check_last(network)].input[0];
    int64_t classes = rs_check_node_size(network, scores);
    double *x;
    RS_TRY(rs_check_session_read_node(session, RS_NODE_OUTPUT, scores, n, &x, error));
    for (int64_t i = 0; i < n; i++) {
        labels[i] = 0;
        for (int32_t k = 1; k < classes; k++) {
            labels[i] = x[i * classes + k] > x[i * classes + labels[i]] ? k : labels[i];
        }
    }
    rs_free(x);
    return RS_OK;
}

static rs_status check_variables(objective *o, rs_check_session *session, rs_check_data *data,
                                 variable *variables, rs_check_row *row, rs_error *error)
{
    int count = 0;
    rs_label_choice choice = session->settings->labels;
    int32_t *predicted = o->labels[1];
    RS_TRY(read_gradients(session, data, o->mode, variables, &count, error));
    o->labels[0] = data->labels;
    o->labels[1] = choice == RS_LABELS_BOTH ? predicted : NULL;
    if (choice != RS_LABELS_TRUE && rs_check_takes_labels(session->network)) {
        RS_TRY(predict(session, session->c->batch[0], predicted, error));
        o->labels[0] = choice == RS_LABELS_PREDICTED ? predicted : data->labels;
    }
    for (int i = 0; i < count; i++) {
        if (i < session->network->parameter_count && session->frozen[i]) {
            check_frozen(&variables[i], o->mode, row);
        } else {
            RS_TRY(check_variable(o, &variables[i], row, error));
        }
    }
    return RS_OK;
}

rs_status rs_check_differences(rs_check_session *session, rs_check_data *data, rs_mode mode,
                               rs_check_row *row, rs_error *error)
{
    size_t count = (size_t)session->network->parameter_count + 1;
    rs_check_twin twin = {0};
    objective o = {.session = session, .data = data, .mode = mode};
    variable *variables = rs_alloc_array(count, sizeof *variables);
    int32_t *predicted = o.labels[1] = rs_alloc_array((size_t)session->c->batch[0], sizeof *predicted);
    rs_status status = RS_OK;
    if (!variables || !predicted) {
        status = RS_FAIL(error, RS_MEMORY, "no memory for finite differences of %s", session->c->name);
    } else if (rs_check_cut_count(session->settings) > 0) {
        status = rs_check_twin_open(session, data, &twin, error);
        o.session = &twin.session;
        o.data = &twin.data;
    }
    status = status ? status : check_variables(&o, session, data, variables, row, error);
    for (size_t i = 0; variables && i < count; i++) {
        rs_free(variables[i].gradient);
    }
    rs_check_twin_close(&twin);
    rs_free(predicted);
    rs_free(variables);
    return status;
}
