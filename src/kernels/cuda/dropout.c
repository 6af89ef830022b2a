/* dropout.c: dropout by our own kernel. Backward is forward with the gradients, the mask drawn again. */
#include "plan.h"

static rs_status drop(const rs_plan *plan, const rs__op *op, const float *from, float *to, rs_pass pass,
                      rs_error *error)
{
    const rs_node *node = rs__op_node(plan, op);
    const rs_cu_dropout dropout = {
        .x = from,
        .y = to,
        .pass = pass,
        .samples = plan->count,
        .sample_floats = rs__sample_floats(&plan->tensors[op->is.output]),
        .ids = plan->ids,
        .epoch = plan->epoch,
        .rule = rs_dropout_make(plan->options.dropout_seed, node->name, node->attributes.rate)};
    RS__CUDA(error, rs_cu_dropout_launch(&dropout, plan->device->compute));
    return RS_OK;
}

/* In evaluation all pass. */
static rs_status pass_on(const rs_plan *plan, const rs__op *op, rs_mode mode, const float *from, float *to,
                         rs_pass pass, rs_error *error)
{
    if (mode == RS_MODE_TRAIN) {
        return drop(plan, op, from, to, pass, error);
    }
    RS__CUDA(error, rs_cu_pass(from, to, pass, rs__batch_floats(plan, op), plan->device->compute));
    return RS_OK;
}

static rs_status dropout_forward(rs_plan *plan, rs__op *op, rs_mode mode, rs_error *error)
{
    const rs__tensor *in = &plan->tensors[op->is.input[0]], *out = &plan->tensors[op->is.output];
    return pass_on(plan, op, mode, in->value, out->value, RS_PASS_SET, error);
}

static rs_status dropout_recompute(rs_plan *plan, rs__op *op, rs_error *error)
{
    const rs__tensor *in = &plan->tensors[op->is.input[0]], *out = &plan->tensors[op->is.output];
    return pass_on(plan, op, plan->mode, in->again, out->again, RS_PASS_SET, error);
}

static rs_status dropout_backward(rs_plan *plan, rs__op *op, rs_error *error)
{
    const rs__tensor *in = &plan->tensors[op->is.input[0]], *out = &plan->tensors[op->is.output];
    return pass_on(plan, op, plan->mode, out->gradient, in->gradient, op->is.pass[0], error);
}

const rs__op_class rs__op_dropout = {
    .forward = dropout_forward,
    .backward = dropout_backward,
    .recompute = dropout_recompute,
};
