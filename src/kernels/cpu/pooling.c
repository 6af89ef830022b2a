/* pooling.c: max, average and global average pooling by our own kernels. */
#include "plan.h"

rs__window rs__pool_window(const rs_plan *plan, const rs__op *op, const rs_node *pool, int64_t height,
                           int64_t width)
{
    const rs__tensor *out = &plan->tensors[op->output];
    return (rs__window){.in_height = height,
                        .in_width = width,
                        .out_height = out->height,
                        .out_width = out->width,
                        .kernel = pool->attributes.kernel,
                        .stride = pool->attributes.stride,
                        .padding = pool->attributes.padding,
                        .relu = op->relu};
}

static rs__window window_of(const rs_plan *plan, const rs__op *op)
{
    const rs__tensor *in = &plan->tensors[op->input[0]];
    return rs__pool_window(plan, op, rs__op_node(plan, op), in->height, in->width);
}

/* A kept byte pair per output: which place of the window was largest. */
static rs_status max_prepare(rs_plan *plan, rs__op *op, rs_error *error)
{
    if (rs__op_node(plan, op)->attributes.kernel > 255) {
        return RS_FAIL(error, RS_UNSUPPORTED, "max pool %s: windows are at most 255 wide here, not %d",
                       rs__op_node(plan, op)->name, rs__op_node(plan, op)->attributes.kernel);
    }
    if (plan->options.training) {
        int64_t count = rs__largest_batch(plan) * rs__sample_floats(plan, &plan->tensors[op->output]);
        op->kept_bytes = (size_t)count * sizeof(uint16_t);
    }
    return RS_OK;
}

static void max_forward(rs_plan *plan, const rs__op *op, rs_mode mode, int64_t first, int64_t last)
{
    (void)mode;
    rs__window window = window_of(plan, op);
    const rs__tensor *in = &plan->tensors[op->input[0]], *out = &plan->tensors[op->output];
    uint16_t *choice = op->kept_bytes ? op->kept : NULL;
    plan->device->kernels->max_pool_forward(&window, first * out->blocks, last * out->blocks, in->value,
                                            out->value, choice);
}

static void max_backward(rs_plan *plan, const rs__op *op, int64_t first, int64_t last)
{
    rs__window window = window_of(plan, op);
    const rs__tensor *in = &plan->tensors[op->input[0]], *out = &plan->tensors[op->output];
    if (op->pass[0] != RS_PASS_NONE) {
        plan->device->kernels->max_pool_backward(&window, first * out->blocks, last * out->blocks, op->kept,
                                                 out->gradient, in->gradient, op->pass[0]);
    }
}

static void average_forward(rs_plan *plan, const rs__op *op, rs_mode mode, int64_t first, int64_t last)
{
    (void)mode;
    rs__window window = window_of(plan, op);
    const rs__tensor *in = &plan->tensors[op->input[0]], *out = &plan->tensors[op->output];
    plan->device->kernels->average_pool_forward(&window, first * out->blocks, last * out->blocks, in->value,
                                                out->value);
}

static void average_backward(rs_plan *plan, const rs__op *op, int64_t first, int64_t last)
{
    rs__window window = window_of(plan, op);
    const rs__tensor *in = &plan->tensors[op->input[0]], *out = &plan->tensors[op->output];
    if (op->pass[0] != RS_PASS_NONE) {
        plan->device->kernels->average_pool_backward(&window, first * out->blocks, last * out->blocks,
                                                     out->gradient, in->gradient, op->pass[0]);
    }
}

static void global_forward(rs_plan *plan, const rs__op *op, rs_mode mode, int64_t first, int64_t last)
{
    (void)mode;
    const rs__tensor *in = &plan->tensors[op->input[0]], *out = &plan->tensors[op->output];
    plan->device->kernels->global_pool_forward(in->height * in->width, first * out->blocks,
                                               last * out->blocks, in->value, out->value);
}

static void global_backward(rs_plan *plan, const rs__op *op, int64_t first, int64_t last)
{
    const rs__tensor *in = &plan->tensors[op->input[0]], *out = &plan->tensors[op->output];
    if (op->pass[0] != RS_PASS_NONE) {
        plan->device->kernels->global_pool_backward(in->height * in->width, first * out->blocks,
                                                    last * out->blocks, out->gradient, in->gradient,
                                                    op->pass[0]);
    }
}

/* Cost: about that of the windows' elements. */
const rs__op_class rs__op_max_pool = {
    .prepare = max_prepare,
    .forward_samples = max_forward,
    .backward_samples = max_backward,
    .cost = 8,
};
const rs__op_class rs__op_average_pool = {
    .forward_samples = average_forward,
    .backward_samples = average_backward,
    .cost = 8,
};
const rs__op_class rs__op_global_pool = {
    .forward_samples = global_forward,
    .backward_samples = global_backward,
    .cost = 64,
};
