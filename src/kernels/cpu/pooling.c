/* pooling.c: max, average and global average pooling by our own kernels. */
#include "plan.h"

static rs__window window_of(const rs_plan *plan, const rs__op *op)
{
    const rs__tensor *in = &plan->tensors[op->input[0]], *out = &plan->tensors[op->output];
    const rs_node_attributes *a = &rs__op_node(plan, op)->attributes;
    return (rs__window){in->height, in->width, out->height, out->width, a->kernel, a->stride, a->padding};
}

static int64_t planes_of(const rs_plan *plan, const rs__op *op)
{
    return plan->count * plan->tensors[op->output].blocks;
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

static rs_status prepare_nothing(rs_plan *plan, rs__op *op, rs_error *error)
{
    (void)plan;
    (void)op;
    (void)error;
    return RS_OK;
}

static rs_status max_forward(rs_plan *plan, rs__op *op, rs_mode mode, rs_error *error)
{
    (void)mode;
    (void)error;
    rs__window window = window_of(plan, op);
    const float *x = plan->tensors[op->input[0]].value;
    float *y = plan->tensors[op->output].value;
    uint16_t *choice = op->kept_bytes ? op->kept : NULL;
#pragma omp parallel for schedule(static)
    for (int64_t plane = 0; plane < planes_of(plan, op); plane++) {
        plan->device->kernels->max_pool_forward(&window, plane, plane + 1, x, y, choice);
    }
    return RS_OK;
}

static rs_status max_backward(rs_plan *plan, rs__op *op, rs_error *error)
{
    (void)error;
    if (op->pass[0] == RS_PASS_NONE) {
        return RS_OK;
    }
    rs__window window = window_of(plan, op);
    float *dx = plan->tensors[op->input[0]].gradient;
    const float *dy = plan->tensors[op->output].gradient;
#pragma omp parallel for schedule(static)
    for (int64_t plane = 0; plane < planes_of(plan, op); plane++) {
        plan->device->kernels->max_pool_backward(&window, plane, plane + 1, op->kept, dy, dx, op->pass[0]);
    }
    return RS_OK;
}

static rs_status average_forward(rs_plan *plan, rs__op *op, rs_mode mode, rs_error *error)
{
    (void)mode;
    (void)error;
    rs__window window = window_of(plan, op);
    const float *x = plan->tensors[op->input[0]].value;
    float *y = plan->tensors[op->output].value;
#pragma omp parallel for schedule(static)
    for (int64_t plane = 0; plane < planes_of(plan, op); plane++) {
        plan->device->kernels->average_pool_forward(&window, plane, plane + 1, x, y);
    }
    return RS_OK;
}

static rs_status average_backward(rs_plan *plan, rs__op *op, rs_error *error)
{
    (void)error;
    if (op->pass[0] == RS_PASS_NONE) {
        return RS_OK;
    }
    rs__window window = window_of(plan, op);
    float *dx = plan->tensors[op->input[0]].gradient;
    const float *dy = plan->tensors[op->output].gradient;
#pragma omp parallel for schedule(static)
    for (int64_t plane = 0; plane < planes_of(plan, op); plane++) {
        plan->device->kernels->average_pool_backward(&window, plane, plane + 1, dy, dx, op->pass[0]);
    }
    return RS_OK;
}

static rs_status global_forward(rs_plan *plan, rs__op *op, rs_mode mode, rs_error *error)
{
    (void)mode;
    (void)error;
    const rs__tensor *in = &plan->tensors[op->input[0]];
    float *y = plan->tensors[op->output].value;
#pragma omp parallel for schedule(static)
    for (int64_t plane = 0; plane < planes_of(plan, op); plane++) {
        plan->device->kernels->global_pool_forward(in->height * in->width, plane, plane + 1, in->value, y);
    }
    return RS_OK;
}

static rs_status global_backward(rs_plan *plan, rs__op *op, rs_error *error)
{
    (void)error;
    if (op->pass[0] == RS_PASS_NONE) {
        return RS_OK;
    }
    const rs__tensor *in = &plan->tensors[op->input[0]];
    const float *dy = plan->tensors[op->output].gradient;
#pragma omp parallel for schedule(static)
    for (int64_t plane = 0; plane < planes_of(plan, op); plane++) {
        plan->device->kernels->global_pool_backward(in->height * in->width, plane, plane + 1, dy,
                                                    in->gradient, op->pass[0]);
    }
    return RS_OK;
}

const rs__op_class rs__op_max_pool = {
    .prepare = max_prepare,
    .forward = max_forward,
    .backward = max_backward,
};
const rs__op_class rs__op_average_pool = {
    .prepare = prepare_nothing,
    .forward = average_forward,
    .backward = average_backward,
};
const rs__op_class rs__op_global_pool = {
    .prepare = prepare_nothing,
    .forward = global_forward,
    .backward = global_backward,
};
