/* kinks.c: values of a case that stay away from the kinks of ReLU and max pooling; see differences.h. */
#include <math.h>

#include "differences.h"
#include "rs/host.h"
#include "tolerances.h"

enum { SEEDS = 200 };

static double relu_margin(const double *x, int64_t count)
{
    double margin = INFINITY;
    for (int64_t i = 0; i < count; i++) {
        margin = fmin(margin, fabs(x[i]));
    }
    return margin;
}

/* The two largest values of a window. */
static void two_largest(const rs_node_attributes *a, const int64_t *in, const double *plane, int64_t oy,
                        int64_t ox, double largest[2])
{
    largest[0] = largest[1] = -INFINITY;
    for (int64_t i = 0; i < (int64_t)a->kernel * a->kernel; i++) {
        int64_t y = oy * a->stride - a->padding + i / a->kernel,
                x = ox * a->stride - a->padding + i % a->kernel;
        if (y < 0 || y >= in[1] || x < 0 || x >= in[2]) {
            continue;
        }
        double value = plane[y * in[2] + x];
        if (value > largest[0]) {
            largest[1] = largest[0];
            largest[0] = value;
        } else if (value > largest[1]) {
            largest[1] = value;
        }
    }
}

/* Least gap between the two largest of a window; two zeros, as ReLU leaves them, are no matter. */
static double pool_margin(const rs_node *node, const int64_t *in, const double *x, int64_t n)
{
    double margin = INFINITY, largest[2];
    for (int64_t plane = 0; plane < n * in[0]; plane++) {
        for (int64_t o = 0; o < node->shape[1] * node->shape[2]; o++) {
            two_largest(&node->attributes, in, x + plane * in[1] * in[2], o / node->shape[2],
                        o % node->shape[2], largest);
            if (largest[0] != 0.0 || largest[1] != 0.0) {
                margin = fmin(margin, largest[0] - largest[1]);
            }
        }
    }
    return margin;
}

/* The least distance from a kink after a run of n samples. */
static rs_status margin_of_run(rs_check_session *session, int64_t n, double *margin, rs_error *error)
{
    const rs_network *network = session->network;
    for (int i = 1; i < network->node_count; i++) {
        const rs_node *node = &network->nodes[i];
        if (node->kind == RS_OP_RELU || node->kind == RS_OP_MAX_POOL) {
            double *x;
            int input = node->input[0];
            RS_TRY(rs_check_session_read_node(session, RS_NODE_OUTPUT, input, n, &x, error));
            double here = node->kind == RS_OP_RELU ? relu_margin(x, n * rs_check_node_size(network, input))
                                                   : pool_margin(node, network->nodes[input].shape, x, n);
            rs_free(x);
            *margin = fmin(*margin, here);
        }
    }
    return RS_OK;
}

static rs_status margin_of_data(rs_check_session *session, const rs_check_data *data, double *margin,
                                rs_error *error)
{
    *margin = INFINITY;
    for (int i = 0; i < 4; i++) {
        int64_t n = session->c->batch[i / 2];
        if (n) {
            RS_TRY(rs_check_session_write(session, data, error));
            RS_TRY(rs_check_session_run(session, data, n, i % 2 ? RS_MODE_EVALUATE : RS_MODE_TRAIN, false,
                                        error));
            RS_TRY(margin_of_run(session, n, margin, error));
        }
    }
    return RS_OK;
}

rs_status rs_check_find_data(rs_check_session *session, uint64_t seed, rs_check_data **data, rs_error *error)
{
    bool search = rs_check_has_kinks(session->c) && session->c->fill != RS_FILL_INTEGER;
    for (uint64_t i = 0; i < SEEDS; i++) {
        rs_check_data *made;
        double margin = INFINITY;
        RS_TRY(rs_check_data_create(session->c, session->network, seed + i, &made, error));
        rs_status status = search ? margin_of_data(session, made, &margin, error) : RS_OK;
        if (!status && margin >= RS_KINK_MARGIN) {
            *data = made;
            return RS_OK;
        }
        rs_check_data_destroy(session->network, made);
        RS_TRY(status);
    }
    return RS_FAIL(error, RS_FAILED, "case %s: no values within %d seeds stay %g away from its kinks",
                   session->c->name, SEEDS, RS_KINK_MARGIN);
}
