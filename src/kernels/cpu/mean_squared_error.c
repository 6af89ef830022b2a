/* mean_squared_error.c: of any tensor from the batch's targets, which lie in canonical order. Each sample in double; the
 * sum runs in the order of the samples. */
#include <string.h>

#include "losses.h"
#include "plan.h"

/* What the batch's targets are laid out for. */
static int64_t elements_of(const rs__tensor *t)
{
    return t->channels * t->height * t->width;
}

static rs_status squares_prepare(rs_plan *plan, rs__op *op, rs_error *error)
{
    (void)error;
    op->kept_bytes = (size_t)rs__largest_batch(plan) * sizeof(double);
    op->cost = 1 + elements_of(&plan->tensors[op->input[0]]) / 2;
    return RS_OK;
}

static rs_status squares_begin(rs_plan *plan, const rs__op *op, rs_error *error)
{
    return plan->targeted
               ? RS_OK
               : RS_FAIL(error, RS_USAGE, "the loss %s needs targets; load a batch with targets first",
                         rs__op_node(plan, op)->name);
}

/* Where the element at `position` of a channel lies in a sample. */
static int64_t place(const rs_plan *plan, const rs__tensor *t, int64_t channel, int64_t position)
{
    int64_t lanes = plan->device->kernels->lanes, positions = t->height * t->width;
    return (channel / lanes * positions + position) * lanes + channel % lanes;
}

static void squares_forward(rs_plan *plan, const rs__op *op, rs_mode mode, int64_t first, int64_t last)
{
    (void)mode;
    const rs__tensor *in = &plan->tensors[op->input[0]];
    int64_t positions = in->height * in->width, stride = rs__sample_floats(plan, in);
    double *losses = op->kept;
    for (int64_t n = first; n < last; n++) {
        const float *target = plan->targets + n * elements_of(in), *x = in->value + n * stride;
        losses[n] = 0.0;
        for (int64_t c = 0; c < in->channels; c++) {
            for (int64_t i = 0; i < positions; i++) {
                double d = (double)x[place(plan, in, c, i)] - (double)target[c * positions + i];
                losses[n] += d * d;
            }
        }
    }
}

static void squares_end(rs_plan *plan, const rs__op *op)
{
    rs__loss_sum(plan, op, op->kept, NULL);
}

static void squares_backward(rs_plan *plan, const rs__op *op, int64_t first, int64_t last)
{
    const rs__tensor *in = &plan->tensors[op->input[0]];
    int64_t positions = in->height * in->width, stride = rs__sample_floats(plan, in),
            elements = elements_of(in);
    double factor = 2.0 * rs_loss_weight(plan->network, &plan->options, op->node);
    double divisor = rs_loss_divisor(plan->network, op->node, plan->count);
    bool add = op->pass[0] == RS_PASS_ADD;
    for (int64_t n = first; op->pass[0] != RS_PASS_NONE && n < last; n++) {
        const float *target = plan->targets + n * elements, *x = in->again + n * stride;
        float *to = in->gradient + n * stride;
        if (!add) { /* the padding */
            memset(to, 0, (size_t)stride * sizeof(float));
        }
        for (int64_t c = 0; c < in->channels; c++) {
            for (int64_t i = 0; i < positions; i++) {
                int64_t at = place(plan, in, c, i);
                double d = (double)x[at] - (double)target[c * positions + i];
                float g = (float)(factor * d / divisor);
                to[at] = add ? to[at] + g : g;
            }
        }
    }
}

const rs__op_class rs__op_mean_squared_error = {
    .prepare = squares_prepare,
    .begin_forward = squares_begin,
    .forward_samples = squares_forward,
    .end_forward = squares_end,
    .backward_samples = squares_backward,
    .needs_input = true,
};
