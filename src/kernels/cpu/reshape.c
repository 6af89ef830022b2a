/* reshape.c: flatten and repeat, which only move values. Lanes beyond the channels are set to 0.
 *
 * A flatten that only a linear layer reads moves nothing where the channels fill their vectors: the layer's weights lie in the
 * order of the maps (linear.c), and the vector is the maps as they lie. */
#include <string.h>

#include "plan.h"

/* The maps of one sample, in canonical order, from or to a vector: the same loop both ways. */
static void flatten_sample(const rs_plan *plan, const rs__tensor *maps, float *blocked, float *vector,
                           rs_pass back)
{
    const int64_t lanes = plan->device->kernels->lanes, positions = maps->height * maps->width;
    for (int64_t first = 0; first < maps->channels; first += lanes) {
        const int64_t left = maps->channels - first, channels = left < lanes ? left : lanes;
        float *block = blocked + first * positions, *to = vector + first * positions;
        if (back != RS_PASS_ADD) {
            rs__plane_copy(plan, back == RS_PASS_NONE ? RS__TO_CANONICAL : RS__FROM_CANONICAL, block, to,
                           channels, positions);
            continue;
        }
        for (int64_t c = 0; c < channels; c++) {
            for (int64_t i = 0; i < positions; i++) {
                block[i * lanes + c] += to[c * positions + i];
            }
        }
    }
}

bool rs__flatten_moves(const rs_plan *plan, int node)
{
    const rs_network *network = plan->network;
    const int maps = network->nodes[node].input[0], reader = rs__reader_of(network, node);
    const int64_t *shape = network->nodes[maps].shape;
    return maps == 0 || reader < 0 || network->nodes[reader].kind != RS_OP_LINEAR ||
           rs__is_small_linear(plan->device, network, reader) || shape[1] * shape[2] == 1 ||
           shape[0] % plan->device->kernels->lanes != 0;
}

static void flatten_forward(rs_plan *plan, const rs__op *op, rs_mode mode, int64_t first, int64_t last)
{
    (void)mode;
    const rs__tensor *in = &plan->tensors[op->input[0]], *out = &plan->tensors[op->output];
    int64_t from = rs__sample_floats(plan, in), to = rs__sample_floats(plan, out);
    int64_t features = out->channels * out->height * out->width;
    for (int64_t n = first; n < last; n++) {
        float *vector = out->value + n * to;
        if (in->plain || in->height * in->width == 1 || out->height * out->width > 1) {
            memcpy(vector, in->value + n * from, (size_t)features * sizeof(float));
        } else {
            flatten_sample(plan, in, in->value + n * from, vector, RS_PASS_NONE);
        }
        memset(vector + features, 0, (size_t)(to - features) * sizeof(float));
    }
}

/* Of a plain input the gradient is blocked, too. */
static void flatten_backward(rs_plan *plan, const rs__op *op, int64_t first, int64_t last)
{
    rs__tensor in = plan->tensors[op->input[0]];
    const rs__tensor *out = &plan->tensors[op->output];
    in.plain = false;
    int64_t to = rs__sample_floats(plan, &in), from = rs__sample_floats(plan, out);
    if (op->pass[0] != RS_PASS_NONE && out->height * out->width > 1) {
        plan->device->kernels->pass_gradient(out->gradient + first * from, in.gradient + first * to,
                                             op->pass[0], (last - first) * to);
        return;
    }
    for (int64_t n = first; op->pass[0] != RS_PASS_NONE && n < last; n++) {
        flatten_sample(plan, &in, in.gradient + n * to, out->gradient + n * from, op->pass[0]);
    }
}

/* Where element (channel, position) of sample n lies. */
static int64_t place(const rs_plan *plan, const rs__tensor *t, int64_t n, int64_t channel, int64_t position)
{
    int64_t lanes = plan->device->kernels->lanes, positions = t->height * t->width;
    return ((n * t->blocks + channel / lanes) * positions + position) * lanes + channel % lanes;
}

/* The element of the input that (channel, position) of the output repeats. */
static int64_t repeated(const rs_plan *plan, const rs__op *op, int64_t n, int64_t channel, int64_t position)
{
    const rs__tensor *in = &plan->tensors[op->input[0]], *out = &plan->tensors[op->output];
    int axis = rs__op_node(plan, op)->attributes.axis;
    int64_t row = axis == 1 ? 0 : position / out->width, column = axis == 2 ? 0 : position % out->width;
    return place(plan, in, n, axis == 0 ? 0 : channel, row * in->width + column);
}

static void repeat_forward(rs_plan *plan, const rs__op *op, rs_mode mode, int64_t first, int64_t last)
{
    (void)mode;
    const rs__tensor *in = &plan->tensors[op->input[0]], *out = &plan->tensors[op->output];
    int64_t floats = rs__sample_floats(plan, out);
    memset(out->value + first * floats, 0, (size_t)((last - first) * floats) * sizeof(float));
    for (int64_t n = first; n < last; n++) {
        for (int64_t c = 0; c < out->channels; c++) {
            for (int64_t i = 0; i < out->height * out->width; i++) {
                out->value[place(plan, out, n, c, i)] = in->value[repeated(plan, op, n, c, i)];
            }
        }
    }
}

/* The sum of the repetitions of one element: where the first one lies in the output, and by what the others differ. */
static double sum_of(const rs_plan *plan, const rs__op *op, int64_t n, int64_t channel, int64_t row,
                     int64_t column)
{
    const rs__tensor *out = &plan->tensors[op->output];
    const rs_node_attributes *a = &rs__op_node(plan, op)->attributes;
    double sum = 0.0;
    for (int64_t k = 0; k < a->times; k++) {
        int64_t c = a->axis == 0 ? k : channel, y = a->axis == 1 ? k : row, x = a->axis == 2 ? k : column;
        sum += (double)out->gradient[place(plan, out, n, c, y * out->width + x)];
    }
    return sum;
}

static void repeat_backward(rs_plan *plan, const rs__op *op, int64_t first, int64_t last)
{
    const rs__tensor *in = &plan->tensors[op->input[0]];
    int64_t floats = in->blocks * plan->device->kernels->lanes * in->height * in->width;
    if (op->pass[0] == RS_PASS_SET) {
        memset(in->gradient + first * floats, 0, (size_t)((last - first) * floats) * sizeof(float));
    }
    for (int64_t n = first; op->pass[0] != RS_PASS_NONE && n < last; n++) {
        for (int64_t c = 0; c < in->channels; c++) {
            for (int64_t i = 0; i < in->height * in->width; i++) {
                float *to = &in->gradient[place(plan, in, n, c, i)];
                *to += (float)sum_of(plan, op, n, c, i / in->width, i % in->width);
            }
        }
    }
}

const rs__op_class rs__op_flatten = {
    .forward_samples = flatten_forward,
    .backward_samples = flatten_backward,
    .cost = 8,
};
const rs__op_class rs__op_repeat = {
    .forward_samples = repeat_forward,
    .backward_samples = repeat_backward,
    .cost = 64,
};
