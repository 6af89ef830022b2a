/* loss.c: losses of scores and labels: softmax cross-entropy, and the divergence, which is computed as that. Measured by the
 * forward pass, into the step's results; the gradient computes exponentials once more, for scores are few, and their
 * gradient has no place before backward begins. */
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

static rs_cu_scores scores_of(const rs_plan *plan, const rs__op *op, const float *x)
{
    return (rs_cu_scores){.x = x,
                          .labels = plan->labels,
                          .count = plan->count,
                          .classes = (int)plan->tensors[op->is.input[0]].channels,
                          .losses = plan->losses,
                          .hits = plan->hits,
                          .weight = rs_loss_weight(plan->network, &plan->options, op->is.node),
                          .divisor = rs_loss_divisor(plan->network, op->is.node, plan->count)};
}

/* A loss that nobody looks at is not computed. */
static rs_status loss_forward(rs_plan *plan, rs__op *op, rs_mode mode, rs_error *error)
{
    const rs_cu_scores scores = scores_of(plan, op, plan->tensors[op->is.input[0]].value);
    bool computed = false;
    rs_cu_loss_out out;
    (void)mode;
    for (int i = -1; i < plan->options.objective_count; i++) {
        if (!rs__loss_out(plan, op, i, &out)) {
            continue;
        }
        if (!computed) {
            RS__CUDA(error, rs_cu_cross_entropy(&scores, plan->device->compute));
            computed = true;
        }
        RS__CUDA(error, rs_cu_loss_sum(scores.losses, scores.hits, scores.count, scores.divisor, &out,
                                       plan->device->compute));
    }
    return RS_OK;
}

static rs_status loss_backward(rs_plan *plan, rs__op *op, rs_error *error)
{
    const rs__tensor *in = &plan->tensors[op->is.input[0]];
    rs_cu_scores scores = scores_of(plan, op, in->again);
    scores.dx = in->gradient;
    scores.pass = op->is.pass[0];
    scores.choice = plan->labels_of;
    RS__CUDA(error, rs_cu_cross_entropy_backward(&scores, plan->device->compute));
    return RS_OK;
}

const rs__op_class rs__op_cross_entropy = {
    .prepare = loss_prepare,
    .forward = loss_forward,
    .backward = loss_backward,
    .needs_input = true,
};
