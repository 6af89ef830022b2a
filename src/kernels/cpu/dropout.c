/* dropout.c: dropout by our own kernel. Backward is forward with the gradients, by the masks that it kept; after
 * evaluation all pass. */
#include "plan.h"

/* A bit for every element of the largest batch. */
static rs_status dropout_prepare(rs_plan *plan, rs__op *op, rs_error *error)
{
    (void)error;
    int64_t floats = rs__sample_floats(plan, &plan->tensors[op->output]);
    op->kept_bytes = plan->options.training ? (size_t)(rs__largest_batch(plan) * floats / 8) : 0;
    return RS_OK;
}

static void drop_by(const rs_plan *plan, const rs__op *op, bool drawn, const float *from, float *to,
                    rs_pass pass, int64_t first, int64_t last)
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
                           .positions = out->height * out->width,
                           .kept = op->kept_bytes ? op->kept : NULL,
                           .drawn = drawn};
    plan->device->kernels->dropout(&d, first * d.blocks, last * d.blocks, from, to, pass);
}

/* By the masks of the forward pass. */
static void drop(const rs_plan *plan, const rs__op *op, const float *from, float *to, rs_pass pass,
                 int64_t first, int64_t last)
{
    drop_by(plan, op, true, from, to, pass, first, last);
}

/* What evaluation does: y = x, dx = or += dy. */
static void hand_on(const rs_plan *plan, const rs__op *op, const float *from, float *to, rs_pass pass,
                    int64_t first, int64_t last)
{
    int64_t floats = rs__sample_floats(plan, &plan->tensors[op->output]), at = first * floats;
    plan->device->kernels->pass_gradient(from + at, to + at, pass, (last - first) * floats);
}

static void dropout_forward(rs_plan *plan, const rs__op *op, rs_mode mode, int64_t first, int64_t last)
{
    const rs__tensor *in = &plan->tensors[op->input[0]], *out = &plan->tensors[op->output];
    if (mode == RS_MODE_TRAIN) {
        drop_by(plan, op, false, in->value, out->value, RS_PASS_SET, first, last);
    } else {
        hand_on(plan, op, in->value, out->value, RS_PASS_SET, first, last);
    }
}

static rs_status dropout_recompute(rs_plan *plan, rs__op *op, rs_error *error)
{
    (void)error;
    const rs__tensor *in = &plan->tensors[op->input[0]], *out = &plan->tensors[op->output];
#pragma omp parallel for schedule(static) if (rs__worth_threads(op->cost * plan->count))
    for (int64_t n = 0; n < plan->count; n++) {
        (plan->mode == RS_MODE_TRAIN ? drop : hand_on)(plan, op, in->again, out->again, RS_PASS_SET, n,
                                                       n + 1);
    }
    return RS_OK;
}

static void dropout_backward(rs_plan *plan, const rs__op *op, int64_t first, int64_t last)
{
    const rs__tensor *in = &plan->tensors[op->input[0]], *out = &plan->tensors[op->output];
    if (op->pass[0] != RS_PASS_NONE) {
        (plan->mode == RS_MODE_TRAIN ? drop : hand_on)(plan, op, out->gradient, in->gradient, op->pass[0],
                                                       first, last);
    }
}

const rs__op_class rs__op_dropout = {
    .prepare = dropout_prepare,
    .forward_samples = dropout_forward,
    .backward_samples = dropout_backward,
    .recompute = dropout_recompute,
    .cost = 32,
};
