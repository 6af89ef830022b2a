/* rows.c: softmax and row normalisation over the channels. */
#include "plan.h"

static rs__maps maps_of(const rs__tensor *t)
{
    return (rs__maps){.channels = t->channels, .blocks = t->blocks, .positions = t->height * t->width};
}

static void softmax_forward(rs_plan *plan, const rs__op *op, rs_mode mode, int64_t first, int64_t last)
{
    (void)mode;
    const rs__tensor *in = &plan->tensors[op->input[0]], *out = &plan->tensors[op->output];
    rs__maps maps = maps_of(out);
    plan->device->kernels->softmax_forward(&maps, first, last, in->value, out->value);
}

static void softmax_backward(rs_plan *plan, const rs__op *op, int64_t first, int64_t last)
{
    const rs__tensor *in = &plan->tensors[op->input[0]], *out = &plan->tensors[op->output];
    rs__maps maps = maps_of(out);
    if (op->pass[0] != RS_PASS_NONE) {
        plan->device->kernels->softmax_backward(&maps, first, last, out->again, out->gradient, in->gradient,
                                                op->pass[0]);
    }
}

static void normalize_forward(rs_plan *plan, const rs__op *op, rs_mode mode, int64_t first, int64_t last)
{
    (void)mode;
    const rs__tensor *in = &plan->tensors[op->input[0]], *out = &plan->tensors[op->output];
    rs__maps maps = maps_of(out);
    plan->device->kernels->row_normalize_forward(&maps, first, last, in->value, out->value);
}

static void normalize_backward(rs_plan *plan, const rs__op *op, int64_t first, int64_t last)
{
    const rs__tensor *in = &plan->tensors[op->input[0]], *out = &plan->tensors[op->output];
    rs__maps maps = maps_of(out);
    if (op->pass[0] != RS_PASS_NONE) {
        plan->device->kernels->row_normalize_backward(&maps, first, last, in->again, out->again,
                                                      out->gradient, in->gradient, op->pass[0]);
    }
}

const rs__op_class rs__op_softmax = {
    .forward_samples = softmax_forward,
    .backward_samples = softmax_backward,
    .needs_output = true,
    .cost = 32,
};
const rs__op_class rs__op_row_normalize = {
    .forward_samples = normalize_forward,
    .backward_samples = normalize_backward,
    .needs_input = true,
    .needs_output = true,
    .cost = 16,
};
