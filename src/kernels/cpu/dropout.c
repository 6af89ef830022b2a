/* dropout.c: dropout by our own kernel. Backward is forward with the gradients, the mask drawn again. */
#include "plan.h"

static rs_status dropout_prepare(rs_plan *plan, rs__op *op, rs_error *error)
{
    (void)plan;
    (void)op;
    (void)error;
    return RS_OK;
}

static void drop(const rs_plan *plan, const rs__op *op, const float *from, float *to, rs_pass pass)
{
    const rs_node *node = rs__op_node(plan, op);
    const rs__tensor *out = &plan->tensors[op->output];
    rs_dropout rule = rs_dropout_make(plan->options.dropout_seed, node->name, node->attributes.rate);
    const rs__dropout d = {.rule = rule,
                           .scale = (float)rule.scale,
                           .ids = plan->ids,
                           .epoch = plan->epoch,
                           .channels = out->channels,
                           .blocks = out->blocks,
                           .positions = out->height * out->width};
#pragma omp parallel for schedule(static)
    for (int64_t plane = 0; plane < plan->count * d.blocks; plane++) {
        plan->device->kernels->dropout(&d, plane, plane + 1, from, to, pass);
    }
}

static rs_status dropout_forward(rs_plan *plan, rs__op *op, rs_mode mode, rs_error *error)
{
    (void)error;
    const rs__tensor *in = &plan->tensors[op->input[0]], *out = &plan->tensors[op->output];
    if (mode == RS_MODE_TRAIN) {
        drop(plan, op, in->value, out->value, RS_PASS_SET);
    } else {
        rs__elements_pass(plan, out, in->value, out->value, RS_PASS_SET);
    }
    return RS_OK;
}

static rs_status dropout_recompute(rs_plan *plan, rs__op *op, rs_error *error)
{
    (void)error;
    drop(plan, op, plan->tensors[op->input[0]].again, plan->tensors[op->output].again, RS_PASS_SET);
    return RS_OK;
}

static rs_status dropout_backward(rs_plan *plan, rs__op *op, rs_error *error)
{
    (void)error;
    if (op->pass[0] != RS_PASS_NONE) {
        drop(plan, op, plan->tensors[op->output].gradient, plan->tensors[op->input[0]].gradient, op->pass[0]);
    }
    return RS_OK;
}

const rs__op_class rs__op_dropout = {
    .prepare = dropout_prepare,
    .forward = dropout_forward,
    .backward = dropout_backward,
    .recompute = dropout_recompute,
};
