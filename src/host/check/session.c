/* session.c: see session.h. Every buffer that a backend sees lies between guard zones. */
#include "session.h"

#include <string.h>

#include "rs/host.h"

int64_t rs_check_node_size(const rs_network *network, int node)
{
    const int64_t *shape = network->nodes[node].shape;
    return shape[0] * shape[1] * shape[2];
}

static rs_status no_memory(const rs_check_session *session, rs_error *error)
{
    return RS_FAIL(error, RS_MEMORY, "no memory to check %s", session->c->name);
}

/* A guarded copy of `values` in the target's type. */
static rs_status pack(rs_check_session *session, const double *values, int64_t count, rs_guarded *packed,
                      rs_error *error)
{
    rs_dtype dtype = session->target.dtype;
    if (!rs_guarded_create((size_t)count * rs_dtype_size(dtype), packed)) {
        return no_memory(session, error);
    }
    for (int64_t i = 0; i < count; i++) {
        if (dtype == RS_F64) {
            ((double *)packed->data)[i] = values[i];
        } else {
            ((float *)packed->data)[i] = (float)values[i];
        }
    }
    return RS_OK;
}

/* Notes whether the zones have lasted, and frees. */
static void drop(rs_check_session *session, rs_guarded *packed)
{
    session->guards_intact = session->guards_intact && rs_guarded_intact(packed);
    rs_guarded_release(packed);
}

/* The values of a guarded buffer as double, which the caller frees. */
static rs_status unpack(rs_check_session *session, const rs_guarded *packed, int64_t count, double **values,
                        rs_error *error)
{
    *values = rs_alloc_array((size_t)count, sizeof **values);
    if (!*values) {
        return no_memory(session, error);
    }
    for (int64_t i = 0; i < count; i++) {
        (*values)[i] = session->target.dtype == RS_F64 ? ((const double *)packed->data)[i]
                                                       : (double)((const float *)packed->data)[i];
    }
    return RS_OK;
}

rs_status rs_check_session_open(const rs_check_case *c, const rs_network *network,
                                const rs_check_target *target, rs_check_session *session, rs_error *error)
{
    rs_plan_options options = {.dtype = target->dtype,
                               .batch_size_count = c->batch[1] ? 2 : 1,
                               .batch_sizes = {c->batch[0], c->batch[1]},
                               .convolution = target->convolution,
                               .memory = target->memory,
                               .training = true,
                               .dropout_seed = 11,
                               .optimizer = RS_OPTIMIZER_SGD,
                               .keep_all = true,
                               .input_gradient = true};
    options.objectives = rs_check_objectives(c, &options.objective_count);
    *session = (rs_check_session){.c = c, .network = network, .target = *target, .guards_intact = true};
    return target->backend->plan_create(target->device, network, &options, &session->plan, error);
}

void rs_check_session_close(rs_check_session *session)
{
    if (session->plan) {
        session->target.backend->plan_destroy(session->plan);
    }
    session->plan = NULL;
}

static rs_status write_slot(rs_check_session *session, rs_slot slot, int index, const double *values,
                            int64_t count, rs_error *error)
{
    rs_guarded packed;
    RS_TRY(pack(session, values, count, &packed, error));
    rs_status status = session->target.backend->write(session->plan, slot, index, packed.data, error);
    drop(session, &packed);
    return status;
}

rs_status rs_check_session_write(rs_check_session *session, const rs_check_data *data, rs_error *error)
{
    const rs_network *network = session->network;
    for (int i = 0; i < network->parameter_count; i++) {
        RS_TRY(
            write_slot(session, RS_SLOT_VALUE, i, data->parameters[i], network->parameters[i].count, error));
    }
    for (int i = 0; i < network->buffer_count; i++) {
        RS_TRY(write_slot(session, RS_SLOT_RUNNING, i, data->buffers[i], network->buffers[i].count, error));
    }
    return RS_OK;
}

static rs_status load(rs_check_session *session, const rs_check_data *data, int64_t n, rs_error *error)
{
    rs_guarded x;
    RS_TRY(pack(session, data->x, n * rs_check_node_size(session->network, 0), &x, error));
    const int32_t *labels = rs_check_has_loss(session->network) ? data->labels : NULL;
    rs_status status = session->target.backend->load_values(session->plan, x.data, labels, NULL, n, error);
    drop(session, &x);
    return status;
}

static rs_status run_backward(rs_check_session *session, const rs_check_data *data, int64_t n,
                              rs_error *error)
{
    const rs_backend *backend = session->target.backend;
    if (!rs_check_has_loss(session->network)) {
        rs_guarded dy;
        int64_t count = n * rs_check_node_size(session->network, rs_check_last(session->network));
        RS_TRY(pack(session, data->dy, count, &dy, error));
        rs_status status = backend->write_gradient(session->plan, dy.data, error);
        drop(session, &dy);
        RS_TRY(status);
    }
    return backend->backward(session->plan, RS_LABELS_TRUE, error);
}

rs_status rs_check_session_run(rs_check_session *session, const rs_check_data *data, int64_t n, rs_mode mode,
                               bool backward, rs_error *error)
{
    RS_TRY(load(session, data, n, error));
    RS_TRY(session->target.backend->forward(session->plan, mode, error));
    return backward ? run_backward(session, data, n, error) : RS_OK;
}

rs_status rs_check_session_read(rs_check_session *session, rs_slot slot, int index, double **values,
                                rs_error *error)
{
    const rs_parameter *list =
        slot == RS_SLOT_RUNNING ? session->network->buffers : session->network->parameters;
    rs_guarded packed;
    if (!rs_guarded_create((size_t)list[index].count * rs_dtype_size(session->target.dtype), &packed)) {
        return no_memory(session, error);
    }
    rs_status status = session->target.backend->read(session->plan, slot, index, packed.data, error);
    status = status ? status : unpack(session, &packed, list[index].count, values, error);
    drop(session, &packed);
    return status;
}

rs_status rs_check_session_read_node(rs_check_session *session, rs_node_slot slot, int node, int64_t n,
                                     double **values, rs_error *error)
{
    int64_t count = n * rs_check_node_size(session->network, node);
    rs_guarded packed;
    if (!rs_guarded_create((size_t)count * rs_dtype_size(session->target.dtype), &packed)) {
        return no_memory(session, error);
    }
    rs_status status = session->target.backend->read_node(session->plan, slot, node, packed.data, error);
    status = status ? status : unpack(session, &packed, count, values, error);
    drop(session, &packed);
    return status;
}

rs_status rs_check_session_layers(rs_check_session *session, double values[2 * RS_CHECK_OBJECTIVES],
                                  int *count, rs_error *error)
{
    (void)rs_check_objectives(session->c, count);
    return session->target.backend->read_layers(session->plan, values, values + *count, error);
}

/* What the layers' objectives add to the loss. */
static rs_status add_layers(rs_check_session *session, double *objective, rs_error *error)
{
    double values[2 * RS_CHECK_OBJECTIVES];
    int count;
    const rs_objective *objectives = rs_check_objectives(session->c, &count);
    RS_TRY(rs_check_session_layers(session, values, &count, error));
    for (int i = 0; i < count; i++) {
        *objective += objectives[i].weight * values[i];
    }
    return RS_OK;
}

rs_status rs_check_session_objective(rs_check_session *session, const rs_check_data *data, int64_t n,
                                     double *objective, rs_error *error)
{
    int last = rs_check_last(session->network);
    if (rs_check_has_loss(session->network)) {
        rs_loss loss;
        RS_TRY(session->target.backend->read_loss(session->plan, &loss, error));
        *objective = loss.loss;
        return add_layers(session, objective, error);
    }
    double *y;
    RS_TRY(rs_check_session_read_node(session, RS_NODE_OUTPUT, last, n, &y, error));
    *objective = 0.0;
    for (int64_t i = 0; i < n * rs_check_node_size(session->network, last); i++) {
        *objective += data->dy[i] * y[i];
    }
    rs_free(y);
    return add_layers(session, objective, error);
}
