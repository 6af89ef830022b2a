/* session.c: see session.h. Every buffer that a backend sees lies between guard zones. */
#include "session.h"

#include <string.h>

#include "rs/host.h"

int64_t rs_check_node_size(const rs_network *network, int node)
{
    const int64_t *shape = network->nodes[node].shape;
    return shape[0] * shape[1] * shape[2];
}

int64_t rs_check_target_size(const rs_network *network)
{
    int64_t size = 0;
    for (int i = 1; i < network->node_count; i++) {
        const rs_node *node = &network->nodes[i];
        size = node->kind == RS_OP_MEAN_SQUARED_ERROR ? rs_check_node_size(network, node->input[0]) : size;
    }
    return size;
}

bool rs_check_takes_labels(const rs_network *network)
{
    bool found = false;
    for (int i = 1; i < network->node_count; i++) {
        rs_op_kind kind = network->nodes[i].kind;
        found = found || (rs_op_is_loss(kind) && kind != RS_OP_MEAN_SQUARED_ERROR);
    }
    return found;
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

/* Frozen parameters, by their names; of a twin both copies. */
static void mark_frozen(rs_check_session *session)
{
    const rs_network *network = session->network;
    RS_ASSERT(network->parameter_count <= RS_CHECK_PARAMETERS);
    for (int i = 0; i < network->parameter_count; i++) {
        const char *name = network->parameters[i].name;
        const char *own = strncmp(name, "held_", 5) == 0 ? name + 5 : name;
        for (int k = 0; k < RS_CHECK_FROZEN && session->settings->frozen[k]; k++) {
            session->frozen[i] = session->frozen[i] || strcmp(own, session->settings->frozen[k]) == 0;
        }
    }
}

/* shift: how much further back the case's nodes stand. */
static rs_status open_plan(rs_check_session *session, int shift, bool cuts, rs_error *error)
{
    const rs_check_settings *settings = session->settings;
    const rs_check_target *target = &session->target;
    const int64_t *batch = session->c->batch;
    rs_plan_options options = {.dtype = target->dtype,
                               .batch_size_count = batch[1] ? 2 : 1,
                               .batch_sizes = {batch[0], batch[1]},
                               .convolution = target->convolution,
                               .memory = target->memory,
                               .training = true,
                               .dropout_seed = 11,
                               .optimizer = RS_OPTIMIZER_SGD,
                               .keep_all = true,
                               .input_gradient = true,
                               .objectives = session->objectives,
                               .objective_count = rs_check_objective_count(settings),
                               .cuts = settings->cuts,
                               .cut_count = cuts ? rs_check_cut_count(settings) : 0,
                               .frozen = settings->frozen[0] ? session->frozen : NULL};
    mark_frozen(session);
    for (int i = 0; i < options.objective_count; i++) {
        session->objectives[i] = settings->objectives[i];
        session->objectives[i].node += shift;
    }
    return target->backend->plan_create(target->device, session->network, &options, &session->plan, error);
}

rs_status rs_check_session_open(const rs_check_case *c, const rs_network *network,
                                const rs_check_target *target, rs_check_session *session, rs_error *error)
{
    *session = (rs_check_session){.c = c,
                                  .settings = rs_check_settings_of(c),
                                  .network = network,
                                  .target = *target,
                                  .guards_intact = true};
    return open_plan(session, 0, true, error);
}

rs_status rs_check_session_open_twin(const rs_check_case *c, const rs_network *network,
                                     const rs_check_target *target, rs_check_session *session,
                                     rs_error *error)
{
    *session = (rs_check_session){.c = c,
                                  .settings = rs_check_settings_of(c),
                                  .network = network,
                                  .target = *target,
                                  .guards_intact = true};
    return open_plan(session, (network->node_count - 1) / 2, false, error);
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
    const rs_network *network = session->network;
    int64_t size = rs_check_target_size(network);
    rs_guarded x, targets;
    RS_TRY(pack(session, data->x, n * rs_check_node_size(network, 0), &x, error));
    rs_status status = pack(session, data->targets, n * size, &targets, error);
    if (!status) {
        status = session->target.backend->load_values(session->plan, x.data,
                                                      rs_check_takes_labels(network) ? data->labels : NULL,
                                                      size > 0 ? targets.data : NULL, n, error);
        drop(session, &targets);
    }
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
    return backend->backward(session->plan, session->settings->labels, error);
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
    *count = rs_check_objective_count(session->settings);
    return session->target.backend->read_layers(session->plan, values, values + *count, error);
}

rs_status rs_check_session_sensitivity(rs_check_session *session, rs_sensitivity *sensitivity,
                                       rs_error *error)
{
    const rs_backend *backend = session->target.backend;
    if (!backend->read_sensitivity) {
        return RS_FAIL(error, RS_UNSUPPORTED, "%s measures no sensitivity", backend->name);
    }
    return backend->read_sensitivity(session->plan, sensitivity, error);
}

/* What the layers' objectives add to the loss. */
static rs_status add_layers(rs_check_session *session, double *objective, rs_error *error)
{
    double values[2 * RS_CHECK_OBJECTIVES];
    int count;
    RS_TRY(rs_check_session_layers(session, values, &count, error));
    for (int i = 0; i < count; i++) {
        *objective += session->settings->objectives[i].weight * values[i];
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
