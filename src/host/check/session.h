/* session.h: running one case on one backend, and everything that came out of it. */
#ifndef RS_CHECK_SESSION_H
#define RS_CHECK_SESSION_H

#include "rs/backend.h"
#include "rs/check.h"

/* Where a case runs. */
typedef struct rs_check_target {
    const rs_backend *backend;
    rs_device *device;
    rs_dtype dtype;
    rs_convolution_choice convolution;
    rs_memory_choice memory;
} rs_check_target;

/* The values of a case, canonical, as double; equal to floats. */
typedef struct rs_check_data {
    double **parameters, **buffers; /* [parameter], [buffer] */
    double *x;                      /* [largest batch, input] */
    double *dy;                     /* [largest batch, output of the last node] */
    int32_t *labels;                /* [largest batch] */
    double *targets;                /* [largest batch, rs_check_target_size] */
} rs_check_data;

rs_status rs_check_data_create(const rs_check_case *c, const rs_network *network, uint64_t seed,
                               rs_check_data **data, rs_error *error);
void rs_check_data_destroy(const rs_network *network, rs_check_data *data); /* takes NULL */

/* One quantity. `present` is false for the output of a node that the backend has fused away. */
typedef struct rs_check_value {
    char what[112]; /* "batch 4: dw convolution1.weight" */
    bool present;
    int64_t count;
    double *values;
} rs_check_value;

typedef struct rs_check_outcome {
    int count, capacity;
    rs_check_value *values;
    bool guards_intact;
} rs_check_outcome;
void rs_check_outcome_release(rs_check_outcome *outcome);

/* A plan for the case. It borrows from the session, which stays where it is. */
#define RS_CHECK_PARAMETERS (4 * RS_CHECK_NODES) /* at most, of a twin */
typedef struct rs_check_session {
    const rs_check_case *c;
    const rs_check_settings *settings;
    const rs_network *network;
    rs_check_target target;
    rs_objective objectives[RS_CHECK_OBJECTIVES];
    bool frozen[RS_CHECK_PARAMETERS];
    rs_plan *plan;
    bool guards_intact; /* of every buffer handed to the backend so far */
} rs_check_session;

rs_status rs_check_session_open(const rs_check_case *c, const rs_network *network,
                                const rs_check_target *target, rs_check_session *session, rs_error *error);
/* Of the case's twin (twin.h), whose objectives stand further back and which has no cuts. */
rs_status rs_check_session_open_twin(const rs_check_case *c, const rs_network *network,
                                     const rs_check_target *target, rs_check_session *session,
                                     rs_error *error);
void rs_check_session_close(rs_check_session *session);

/* Writes parameters and running statistics. */
rs_status rs_check_session_write(rs_check_session *session, const rs_check_data *data, rs_error *error);
/* Loads the first n samples and runs forward; with `backward` also backward from dy or the losses. */
rs_status rs_check_session_run(rs_check_session *session, const rs_check_data *data, int64_t n, rs_mode mode,
                               bool backward, rs_error *error);
/* The losses, then the means, of the objectives of layers: 2 *count values. After a run. */
rs_status rs_check_session_layers(rs_check_session *session, double values[2 * RS_CHECK_OBJECTIVES],
                                  int *count, rs_error *error);
/* What a step is measured by: the loss, or sum of dy * y, and what objectives of layers add. After a run. */
rs_status rs_check_session_objective(rs_check_session *session, const rs_check_data *data, int64_t n,
                                     double *objective, rs_error *error);
/* Of the last backward pass. */
rs_status rs_check_session_sensitivity(rs_check_session *session, rs_sensitivity *sensitivity,
                                       rs_error *error);
/* Copies of a slot or of n samples of a node, as double; the caller frees *values. UNSUPPORTED as the backend's. */
rs_status rs_check_session_read(rs_check_session *session, rs_slot slot, int index, double **values,
                                rs_error *error);
rs_status rs_check_session_read_node(rs_check_session *session, rs_node_slot slot, int node, int64_t n,
                                     double **values, rs_error *error);

/* Runs the whole case, every batch size, training with backward and evaluation; the values of two outcomes of
 * one case stand in the same order. The caller releases *outcome. */
rs_status rs_check_session_outcome(rs_check_session *session, const rs_check_data *data,
                                   rs_check_outcome *outcome, rs_error *error);

/* The node that dy belongs to: the last one. */
static inline int rs_check_last(const rs_network *network)
{
    return network->node_count - 1;
}
static inline bool rs_check_has_loss(const rs_network *network)
{
    return rs_op_is_loss(network->nodes[rs_check_last(network)].kind);
}
int64_t rs_check_node_size(const rs_network *network, int node); /* C * H * W */
int64_t rs_check_target_size(const rs_network *network);         /* numbers of a sample's target; 0: none */
bool rs_check_takes_labels(const rs_network *network);

#endif
