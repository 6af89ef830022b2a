/* loss.c: softmax cross-entropy. The gradient needs all that the loss does, so backward runs the kernel once more, with
 * somewhere to write it: scores are few, and their gradient has no place before backward begins. */
#include "plan.h"

static rs_status loss_prepare(rs_plan *plan, rs__op *op, rs_error *error)
{
    const rs__tensor *in = &plan->tensors[op->is.input[0]];
    if (rs__positions(in) != 1) {
        return RS_FAIL(error, RS_UNSUPPORTED, "the loss needs a vector of scores, not maps of %dx%d",
                       (int)in->height, (int)in->width);
    }
    return RS_OK;
}

/* `dx` NULL: the loss alone. */
static rs_status run(const rs_plan *plan, const rs__op *op, const float *x, float *dx, rs_error *error)
{
    const rs_cu_scores scores = {.x = x,
                                 .labels = plan->labels,
                                 .count = plan->count,
                                 .classes = (int)plan->tensors[op->is.input[0]].channels,
                                 .dx = dx,
                                 .losses = plan->losses,
                                 .hits = plan->hits,
                                 .loss = (rs_cu_loss *)(void *)(plan->results + RS__RESULT_LOSS)};
    RS__CUDA(error, rs_cu_cross_entropy(&scores, plan->device->compute));
    return RS_OK;
}

static rs_status loss_forward(rs_plan *plan, rs__op *op, rs_mode mode, rs_error *error)
{
    (void)mode;
    return run(plan, op, plan->tensors[op->is.input[0]].value, NULL, error);
}

static rs_status loss_backward(rs_plan *plan, rs__op *op, rs_error *error)
{
    const rs__tensor *in = &plan->tensors[op->is.input[0]];
    if (op->is.pass[0] == RS_PASS_NONE) {
        return RS_OK;
    }
    RS_ASSERT(op->is.pass[0] == RS_PASS_SET); /* the last node is the first backwards */
    return run(plan, op, in->again, in->gradient, error);
}

const rs__op_class rs__op_loss = {
    .prepare = loss_prepare,
    .forward = loss_forward,
    .backward = loss_backward,
    .needs_input = true,
};
