/* small_linear.c: fully connected layers below the sizes that a library's product is made for: our own kernels, row by row,
 * so that a layer and its activation work on samples that lie in the cache.
 *
 * Kept: the weights as forward and as backward read them, padded with zeros to whole vectors, and for every group of
 * samples the sums of the parameters' gradients, which are joined at the end. */
#include <stdio.h>
#include <string.h>

#include "plan.h"

bool rs__is_small_linear(const rs_device *device, const rs_network *network, int node)
{
    const int64_t *in = network->nodes[network->nodes[node].input[0]].shape;
    int64_t most = RS__SMALL_BLOCKS * device->kernels->lanes;
    return in[1] * in[2] == 1 && in[0] <= most && network->nodes[node].shape[0] <= most;
}

/* Where things are kept, and their sizes in floats. */
typedef struct small {
    const rs__tensor *in, *out;
    int64_t inputs, outputs, in_row, out_row; /* rows: padded */
    float *forward;                           /* [inputs][out_row] */
    float *backward;                          /* [out_row][in_row] */
    float *bias;                              /* [out_row] */
    float *sums; /* [group]: of the weights [out_row][in_row], of the bias [out_row] */
    int64_t group_floats;
} small;

static small small_of(const rs_plan *plan, const rs__op *op)
{
    small s = {.in = &plan->tensors[op->input[0]], .out = &plan->tensors[op->output]};
    int64_t lanes = plan->device->kernels->lanes;
    s.inputs = s.in->channels;
    s.outputs = s.out->channels;
    s.in_row = s.in->blocks * lanes;
    s.out_row = s.out->blocks * lanes;
    s.group_floats = s.out_row * (s.in_row + 1);
    return s;
}

static int64_t matrix_floats(const small *s)
{
    return s->inputs * s->out_row + s->out_row * s->in_row + s->out_row;
}

static small bound(const rs_plan *plan, const rs__op *op)
{
    small s = small_of(plan, op);
    s.forward = op->kept;
    s.backward = s.forward + s.inputs * s.out_row;
    s.bias = s.backward + s.out_row * s.in_row;
    s.sums = s.bias + s.out_row;
    return s;
}

static rs_status small_prepare(rs_plan *plan, rs__op *op, rs_error *error)
{
    (void)error;
    small s = small_of(plan, op);
    int64_t groups = plan->options.training ? plan->groups : 0;
    op->kept_bytes = (size_t)(matrix_floats(&s) + groups * s.group_floats) * sizeof(float);
    op->cost = s.inputs * s.out->blocks;
    return RS_OK;
}

static bool reached(const rs_plan *plan, int parameter)
{
    return parameter >= 0 && plan->parameters[parameter].reached;
}

static rs_status small_begin_forward(rs_plan *plan, const rs__op *op, rs_error *error)
{
    (void)error;
    small s = bound(plan, op);
    const rs_node *node = rs__op_node(plan, op);
    const float *weights = plan->value + plan->parameters[node->weight].offset;
    for (int64_t o = 0; o < s.outputs; o++) { /* padding stays 0 */
        for (int64_t i = 0; i < s.inputs; i++) {
            s.forward[i * s.out_row + o] = weights[o * s.inputs + i];
        }
    }
    if (node->bias >= 0) {
        memcpy(s.bias, plan->value + plan->parameters[node->bias].offset, (size_t)s.outputs * sizeof(float));
    }
    return RS_OK;
}

static void small_forward(rs_plan *plan, const rs__op *op, rs_mode mode, int64_t first, int64_t last)
{
    (void)mode;
    small s = bound(plan, op);
    const rs__small_product product = {.x = s.in->value,
                                       .y = s.out->value,
                                       .matrix = s.forward,
                                       .bias = s.bias,
                                       .x_stride = s.in_row,
                                       .y_stride = s.out_row,
                                       .inner = s.inputs,
                                       .blocks = s.out->blocks};
    plan->device->kernels->small_product(&product, first, last);
}

static void small_begin_backward(rs_plan *plan, const rs__op *op)
{
    small s = bound(plan, op);
    const float *weights = plan->value + plan->parameters[rs__op_node(plan, op)->weight].offset;
    for (int64_t o = 0; op->pass[0] != RS_PASS_NONE && o < s.outputs; o++) {
        memcpy(s.backward + o * s.in_row, weights + o * s.inputs, (size_t)s.inputs * sizeof(float));
    }
}

static void add_gradients(const rs_plan *plan, const rs__op *op, const small *s, int64_t first, int64_t last)
{
    int64_t group = rs__group_of(plan, first);
    float *sums = s->sums + group * s->group_floats;
    const rs__small_gradient gradient = {.x = s->in->again,
                                         .dy = s->out->gradient,
                                         .sums = sums,
                                         .x_stride = s->in_row,
                                         .dy_stride = s->out_row,
                                         .outputs = s->outputs,
                                         .blocks = s->in->blocks};
    if (first == rs__group_first(plan, group)) {
        memset(sums, 0, (size_t)s->group_floats * sizeof(float));
    }
    if (reached(plan, rs__op_node(plan, op)->weight)) {
        plan->device->kernels->small_gradient(&gradient, first, last);
    }
    if (reached(plan, rs__op_node(plan, op)->bias)) {
        plan->device->kernels->small_bias_gradient(&gradient, first, last, sums + s->out_row * s->in_row);
    }
}

static void small_backward(rs_plan *plan, const rs__op *op, int64_t first, int64_t last)
{
    small s = bound(plan, op);
    const rs__small_product product = {.x = s.out->gradient,
                                       .y = s.in->gradient,
                                       .matrix = s.backward,
                                       .x_stride = s.out_row,
                                       .y_stride = s.in_row,
                                       .inner = s.outputs,
                                       .blocks = s.in->blocks,
                                       .add = op->pass[0] == RS_PASS_ADD};
    add_gradients(plan, op, &s, first, last);
    if (op->pass[0] != RS_PASS_NONE) {
        plan->device->kernels->small_product(&product, first, last);
    }
}

static void small_end_backward(rs_plan *plan, const rs__op *op)
{
    small s = bound(plan, op);
    const rs_node *node = rs__op_node(plan, op);
    int64_t groups = rs__group_count(plan);
    for (int64_t o = 0; reached(plan, node->weight) && o < s.outputs; o++) {
        plan->device->kernels->small_join(s.sums + o * s.in_row, s.group_floats, groups, s.inputs,
                                          plan->gradient + plan->parameters[node->weight].offset +
                                              o * s.inputs);
    }
    if (reached(plan, node->bias)) {
        plan->device->kernels->small_join(s.sums + s.out_row * s.in_row, s.group_floats, groups, s.outputs,
                                          plan->gradient + plan->parameters[node->bias].offset);
    }
}

static void small_describe(const rs__op *op, char *text, size_t capacity)
{
    (void)op;
    (void)snprintf(text, capacity, "own kernel for small layers");
}

const rs__op_class rs__op_small_linear = {
    .prepare = small_prepare,
    .begin_forward = small_begin_forward,
    .forward_samples = small_forward,
    .begin_backward = small_begin_backward,
    .backward_samples = small_backward,
    .end_backward = small_end_backward,
    .describe = small_describe,
    .needs_input = true,
};
