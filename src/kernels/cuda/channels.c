/* channels.c: softmax and row normalisation over the channels of every position: rows of our layout. */
#include "plan.h"

static rs_cu_channels channels_of(const rs_plan *plan, const rs__op *op)
{
    const rs__tensor *out = &plan->tensors[op->is.output];
    return (rs_cu_channels){.rows = plan->count * rs__positions(out), .channels = (int)out->channels};
}

/* As forward takes them. */
static rs_cu_channels forward_of(const rs_plan *plan, const rs__op *op)
{
    rs_cu_channels c = channels_of(plan, op);
    c.x = plan->tensors[op->is.input[0]].value;
    c.y = plan->tensors[op->is.output].value;
    return c;
}

/* `values`: what backward reads beside the gradient. */
static rs_cu_channels backward_of(const rs_plan *plan, const rs__op *op, int values)
{
    rs_cu_channels c = channels_of(plan, op);
    c.x = plan->tensors[values].again;
    c.dy = plan->tensors[op->is.output].gradient;
    c.y = plan->tensors[op->is.input[0]].gradient;
    c.pass = op->is.pass[0];
    return c;
}

static rs_status softmax_forward(rs_plan *plan, rs__op *op, rs_mode mode, rs_error *error)
{
    const rs_cu_channels c = forward_of(plan, op);
    (void)mode;
    RS__CUDA(error, rs_cu_softmax_forward(&c, plan->device->compute));
    return RS_OK;
}

static rs_status softmax_backward(rs_plan *plan, rs__op *op, rs_error *error)
{
    const rs_cu_channels c = backward_of(plan, op, op->is.output);
    RS__CUDA(error, rs_cu_softmax_backward(&c, plan->device->compute));
    return RS_OK;
}

static rs_status normalize_forward(rs_plan *plan, rs__op *op, rs_mode mode, rs_error *error)
{
    const rs_cu_channels c = forward_of(plan, op);
    (void)mode;
    RS__CUDA(error, rs_cu_row_normalize_forward(&c, plan->device->compute));
    return RS_OK;
}

static rs_status normalize_backward(rs_plan *plan, rs__op *op, rs_error *error)
{
    const rs_cu_channels c = backward_of(plan, op, op->is.input[0]);
    RS__CUDA(error, rs_cu_row_normalize_backward(&c, plan->device->compute));
    return RS_OK;
}

const rs__op_class rs__op_softmax = {
    .forward = softmax_forward,
    .backward = softmax_backward,
    .needs_output = true,
};
const rs__op_class rs__op_row_normalize = {
    .forward = normalize_forward,
    .backward = normalize_backward,
    .needs_input = true,
};
