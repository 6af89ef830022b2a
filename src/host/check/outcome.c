/* outcome.c: everything that comes out of a case, in a fixed order; see session.h. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "rs/host.h"
#include "session.h"

void rs_check_outcome_release(rs_check_outcome *outcome)
{
    for (int i = 0; i < outcome->count; i++) {
        rs_free(outcome->values[i].values);
    }
    rs_free(outcome->values);
    *outcome = (rs_check_outcome){0};
}

/* Upper bound of the values that one batch size gives. */
static int values_per_batch(const rs_network *network)
{
    return 2 * (network->node_count + 1 + network->parameter_count + network->buffer_count) + 8;
}

/* Takes over `values` (NULL: not present). */
__attribute__((format(printf, 4, 5))) static void put(rs_check_outcome *outcome, double *values,
                                                      int64_t count, const char *format, ...)
{
    RS_ASSERT(outcome->count < outcome->capacity);
    rs_check_value *value = &outcome->values[outcome->count++];
    *value = (rs_check_value){.present = values != NULL, .count = values ? count : 0, .values = values};
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(value->what, sizeof value->what, format, arguments);
    va_end(arguments);
}

/* A node's output; a fused node inside the network may have none. */
static rs_status put_node(rs_check_session *session, rs_check_outcome *outcome, int64_t n, int node,
                          const char *mode, rs_error *error)
{
    const rs_network *network = session->network;
    double *y = NULL;
    int last = rs_check_last(network);
    rs_status status = rs_check_session_read_node(session, RS_NODE_OUTPUT, node, n, &y, error);
    if (status && !(status == RS_UNSUPPORTED && node < last)) {
        return rs_error_prefix(error, "output of %s", network->nodes[node].name);
    }
    put(outcome, y, n * rs_check_node_size(network, node), "batch %" PRId64 ": %s y of %s", n, mode,
        network->nodes[node].name);
    return RS_OK;
}

static rs_status put_outputs(rs_check_session *session, rs_check_outcome *outcome, int64_t n,
                             const char *mode, rs_error *error)
{
    for (int i = 1; i < session->network->node_count; i++) {
        if (!rs_op_is_loss(session->network->nodes[i].kind)) {
            RS_TRY(put_node(session, outcome, n, i, mode, error));
        }
    }
    return RS_OK;
}

static rs_status put_loss(rs_check_session *session, rs_check_outcome *outcome, int64_t n, const char *mode,
                          rs_error *error)
{
    rs_loss loss;
    if (!rs_check_has_loss(session->network)) {
        return RS_OK;
    }
    RS_TRY(session->target.backend->read_loss(session->plan, &loss, error));
    double *pair = rs_alloc_array(2, sizeof *pair);
    if (!pair) {
        return RS_FAIL(error, RS_MEMORY, "no memory to check %s", session->c->name);
    }
    pair[0] = loss.loss;
    pair[1] = (double)loss.correct;
    put(outcome, pair, 2, "batch %" PRId64 ": %s loss and correct", n, mode);
    return RS_OK;
}

static rs_status put_layers(rs_check_session *session, rs_check_outcome *outcome, int64_t n, const char *mode,
                            rs_error *error)
{
    double all[2 * RS_CHECK_OBJECTIVES];
    int count;
    RS_TRY(rs_check_session_layers(session, all, &count, error));
    if (count == 0) {
        return RS_OK;
    }
    double *values = rs_alloc_array(2 * (size_t)count, sizeof *values);
    if (!values) {
        return RS_FAIL(error, RS_MEMORY, "no memory to check %s", session->c->name);
    }
    memcpy(values, all, 2 * (size_t)count * sizeof *values);
    put(outcome, values, 2 * count, "batch %" PRId64 ": %s layers' losses and means", n, mode);
    return RS_OK;
}

/* The sums of a sensitivity run in any order: not equal, only close. */
static rs_status put_sensitivity(rs_check_session *session, rs_check_outcome *outcome, int64_t n,
                                 const char *mode, rs_error *error)
{
    rs_sensitivity sensitivity;
    if (!rs_check_has_loss(session->network) || session->c->fill == RS_FILL_INTEGER) {
        return RS_OK;
    }
    RS_TRY(rs_check_session_sensitivity(session, &sensitivity, error));
    double *pair = rs_alloc_array(2, sizeof *pair);
    if (!pair) {
        return RS_FAIL(error, RS_MEMORY, "no memory to check %s", session->c->name);
    }
    pair[0] = sensitivity.batch;
    pair[1] = sensitivity.sample;
    put(outcome, pair, 2, "batch %" PRId64 ": %s sensitivity", n, mode);
    return RS_OK;
}

/* Over cuts no gradient may reach the input. */
static rs_status put_input_gradient(rs_check_session *session, rs_check_outcome *outcome, int64_t n,
                                    const char *mode, rs_error *error)
{
    double *values = NULL;
    rs_status status = rs_check_session_read_node(session, RS_NODE_GRADIENT, 0, n, &values, error);
    if (status && !(status == RS_UNSUPPORTED && rs_check_cut_count(session->settings) > 0)) {
        return status;
    }
    put(outcome, values, n * rs_check_node_size(session->network, 0), "batch %" PRId64 ": %s dx", n, mode);
    return RS_OK;
}

static rs_status put_gradients(rs_check_session *session, rs_check_outcome *outcome, int64_t n,
                               const char *mode, rs_error *error)
{
    const rs_network *network = session->network;
    double *values;
    RS_TRY(put_input_gradient(session, outcome, n, mode, error));
    for (int i = 0; i < network->parameter_count; i++) {
        RS_TRY(rs_check_session_read(session, RS_SLOT_GRADIENT, i, &values, error));
        put(outcome, values, network->parameters[i].count, "batch %" PRId64 ": %s gradient of %s", n, mode,
            network->parameters[i].name);
    }
    for (int i = 0; i < network->buffer_count; i++) {
        RS_TRY(rs_check_session_read(session, RS_SLOT_RUNNING, i, &values, error));
        put(outcome, values, network->buffers[i].count, "batch %" PRId64 ": %s %s", n, mode,
            network->buffers[i].name);
    }
    return put_sensitivity(session, outcome, n, mode, error);
}

static rs_status run_mode(rs_check_session *session, const rs_check_data *data, int64_t n, rs_mode mode,
                          rs_check_outcome *outcome, rs_error *error)
{
    const char *name = mode == RS_MODE_TRAIN ? "train" : "evaluate";
    bool backward = mode == RS_MODE_TRAIN || rs_check_has_modes(session->c);
    RS_TRY(rs_check_session_write(session, data, error));
    RS_TRY(rs_check_session_run(session, data, n, mode, backward, error));
    RS_TRY(put_outputs(session, outcome, n, name, error));
    RS_TRY(put_loss(session, outcome, n, name, error));
    RS_TRY(put_layers(session, outcome, n, name, error));
    return backward ? put_gradients(session, outcome, n, name, error) : RS_OK;
}

rs_status rs_check_session_outcome(rs_check_session *session, const rs_check_data *data,
                                   rs_check_outcome *outcome, rs_error *error)
{
    *outcome = (rs_check_outcome){.capacity = 2 * values_per_batch(session->network)};
    outcome->values = rs_alloc_array((size_t)outcome->capacity, sizeof *outcome->values);
    if (!outcome->values) {
        return RS_FAIL(error, RS_MEMORY, "no memory to check %s", session->c->name);
    }
    rs_status status = RS_OK;
    for (int i = 0; !status && i < 2 && session->c->batch[i]; i++) {
        int64_t n = session->c->batch[i];
        status = run_mode(session, data, n, RS_MODE_TRAIN, outcome, error);
        status = status ? status : run_mode(session, data, n, RS_MODE_EVALUATE, outcome, error);
    }
    outcome->guards_intact = session->guards_intact;
    if (status) {
        rs_check_outcome_release(outcome);
    }
    return status;
}
