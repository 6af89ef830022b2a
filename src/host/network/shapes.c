/* shapes.c: shape inference and checks of one node. */
#include "shapes.h"

#include <inttypes.h>
#include <string.h>

static rs_status window_shape(const rs_node_spec *spec, const int64_t *in, int64_t channels, int64_t shape[3],
                              rs_error *error)
{
    const rs_node_attributes *a = &spec->attributes;
    if (a->kernel < 1 || a->stride < 1 || a->padding < 0) {
        return RS_FAIL(
            error, RS_USAGE,
            "%s: kernel %d, stride %d, padding %d: kernel and stride must be at least 1, padding at least 0",
            spec->name, a->kernel, a->stride, a->padding);
    }
    if (spec->kind != RS_OP_CONVOLUTION && 2 * a->padding > a->kernel) {
        return RS_FAIL(error, RS_USAGE, "%s: a pooling window of %d takes at most padding %d, not %d",
                       spec->name, a->kernel, a->kernel / 2, a->padding);
    }
    shape[0] = channels;
    for (int axis = 1; axis < 3; axis++) {
        int64_t room = in[axis] + 2 * a->padding - a->kernel;
        if (room < 0) {
            return RS_FAIL(error, RS_USAGE,
                           "%s: a window of %d does not fit into an input of %" PRId64 " x %" PRId64
                           " with padding %d",
                           spec->name, a->kernel, in[1], in[2], a->padding);
        }
        shape[axis] = room / a->stride + 1;
    }
    return RS_OK;
}

static rs_status check_channels(const rs_node_spec *spec, rs_error *error)
{
    if (spec->attributes.channels < 1 || spec->attributes.channels > 1 << 24) {
        return RS_FAIL(error, RS_USAGE, "%s: %" PRId64 " output channels; must be 1 to 16777216", spec->name,
                       spec->attributes.channels);
    }
    return RS_OK;
}

static rs_status check_rate(const rs_node_spec *spec, rs_error *error)
{
    double rate = spec->attributes.rate;
    return rate >= 0.0 && rate < 1.0
               ? RS_OK
               : RS_FAIL(error, RS_USAGE, "%s: dropout rate %g must be at least 0 and below 1", spec->name,
                         rate);
}

static rs_status equal_shapes(const rs_network *network, const rs_node_spec *spec, const char *verb,
                              int64_t shape[3], rs_error *error)
{
    const int64_t *a = network->nodes[spec->input[0]].shape;
    const int64_t *b = network->nodes[spec->input[1]].shape;
    if (memcmp(a, b, sizeof(int64_t[3])) != 0) {
        return RS_FAIL(error, RS_USAGE,
                       "%s: %s %s [%" PRId64 ", %" PRId64 ", %" PRId64 "] and %s [%" PRId64 ", %" PRId64
                       ", %" PRId64 "]; shapes must be equal",
                       spec->name, verb, network->nodes[spec->input[0]].name, a[0], a[1], a[2],
                       network->nodes[spec->input[1]].name, b[0], b[1], b[2]);
    }
    memcpy(shape, a, sizeof(int64_t[3]));
    return RS_OK;
}

static rs_status product_shape(const rs_network *network, const rs_node_spec *spec, int64_t shape[3],
                               rs_error *error)
{
    const int64_t *a = network->nodes[spec->input[0]].shape;
    const int64_t *b = network->nodes[spec->input[1]].shape;
    if (a[0] != b[0] || a[2] != b[1]) {
        return RS_FAIL(error, RS_USAGE,
                       "%s: the product of %s [%" PRId64 ", %" PRId64 ", %" PRId64 "] and %s [%" PRId64
                       ", %" PRId64 ", %" PRId64
                       "] needs equal channels, and as many columns of the first as rows of the second",
                       spec->name, network->nodes[spec->input[0]].name, a[0], a[1], a[2],
                       network->nodes[spec->input[1]].name, b[0], b[1], b[2]);
    }
    shape[0] = a[0];
    shape[1] = a[1];
    shape[2] = b[2];
    return RS_OK;
}

static rs_status repeat_shape(const rs_node_spec *spec, const int64_t *in, int64_t shape[3], rs_error *error)
{
    const rs_node_attributes *a = &spec->attributes;
    if (a->axis < 0 || a->axis > 2 || a->times < 1 || a->times > 1 << 24) {
        return RS_FAIL(error, RS_USAGE,
                       "%s: repeats %" PRId64 " times along axis %d: 1 to 16777216 times, axis 0 to 2",
                       spec->name, a->times, a->axis);
    }
    if (in[a->axis] != 1) {
        return RS_FAIL(error, RS_USAGE,
                       "%s: repeats along axis %d, where its input [%" PRId64 ", %" PRId64 ", %" PRId64
                       "] must be of size 1",
                       spec->name, a->axis, in[0], in[1], in[2]);
    }
    memcpy(shape, in, sizeof(int64_t[3]));
    shape[a->axis] = a->times;
    return RS_OK;
}

static rs_status loss_shape(const rs_network *network, const rs_node_spec *spec, const int64_t *in,
                            int64_t shape[3], rs_error *error)
{
    if (in[0] != network->classes || in[1] != 1 || in[2] != 1) {
        return RS_FAIL(error, RS_USAGE,
                       "%s: needs a vector of %d scores, one per class, but %s gives [%" PRId64 ", %" PRId64
                       ", %" PRId64 "]",
                       spec->name, network->classes, network->nodes[spec->input[0]].name, in[0], in[1],
                       in[2]);
    }
    shape[0] = shape[1] = shape[2] = 1;
    return RS_OK;
}

static rs_status check_size(const rs_node_spec *spec, const int64_t shape[3], rs_error *error)
{
    const int64_t most = RS__MOST_NUMBERS,
                  plane = shape[1] <= most / shape[2] ? shape[1] * shape[2] : most + 1;
    return plane <= most / shape[0] ? RS_OK
                                    : RS_FAIL(error, RS_USAGE,
                                              "%s: an output of [%" PRId64 ", %" PRId64 ", %" PRId64
                                              "] is too large; at most 2^36 numbers",
                                              spec->name, shape[0], shape[1], shape[2]);
}

static rs_status infer_shape(const rs_network *network, const rs_node_spec *spec, int64_t shape[3],
                             rs_error *error)
{
    const int64_t *in = network->nodes[spec->input[0]].shape;
    switch (spec->kind) {
    case RS_OP_CONVOLUTION:
        RS_TRY(check_channels(spec, error));
        return window_shape(spec, in, spec->attributes.channels, shape, error);
    case RS_OP_MAX_POOL:
    case RS_OP_AVERAGE_POOL:
        return window_shape(spec, in, in[0], shape, error);
    case RS_OP_GLOBAL_AVERAGE_POOL:
        shape[0] = in[0];
        shape[1] = shape[2] = 1;
        return RS_OK;
    case RS_OP_LINEAR:
        RS_TRY(check_channels(spec, error));
        shape[0] = spec->attributes.channels;
        shape[1] = shape[2] = 1;
        return RS_OK;
    case RS_OP_ADD:
        return equal_shapes(network, spec, "adds", shape, error);
    case RS_OP_DIVIDE:
        return equal_shapes(network, spec, "divides", shape, error);
    case RS_OP_MATRIX_PRODUCT:
        return product_shape(network, spec, shape, error);
    case RS_OP_REPEAT:
        return repeat_shape(spec, in, shape, error);
    case RS_OP_FLATTEN:
        shape[0] = in[0] * in[1] * in[2];
        shape[1] = shape[2] = 1;
        return RS_OK;
    case RS_OP_MEAN_SQUARED_ERROR:
        shape[0] = shape[1] = shape[2] = 1;
        return RS_OK;
    case RS_OP_SOFTMAX_CROSS_ENTROPY:
    case RS_OP_KL_DIVERGENCE:
        return loss_shape(network, spec, in, shape, error);
    case RS_OP_DROPOUT:
        RS_TRY(check_rate(spec, error));
        memcpy(shape, in, sizeof(int64_t[3]));
        return RS_OK;
    case RS_OP_BATCH_NORM:
    case RS_OP_RELU:
    case RS_OP_SOFTPLUS:
    case RS_OP_SIGMOID:
    case RS_OP_TANH:
    case RS_OP_SOFTMAX:
    case RS_OP_ROW_NORMALIZE:
        memcpy(shape, in, sizeof(int64_t[3]));
        return RS_OK;
    case RS_OP_INPUT:
    case RS_OP_KINDS:
        break;
    }
    return RS_FAIL(error, RS_USAGE, "%s: a network has one input, its first node", spec->name);
}

rs_status rs__node_shape(const rs_network *network, const rs_node_spec *spec, int64_t shape[3],
                         rs_error *error)
{
    for (int i = 0; i < rs_op_inputs(spec->kind); i++) {
        if (spec->input[i] < 0 || spec->input[i] >= network->node_count) {
            return RS_FAIL(error, RS_USAGE, "%s: input %d is no earlier node", spec->name, i + 1);
        }
    }
    RS_TRY(infer_shape(network, spec, shape, error));
    return check_size(spec, shape, error);
}
