/* activation.c: sigmoid, tanh and division. */
#include "plan.h"

static rs__maps maps_of(const rs__tensor *t)
{
    return (rs__maps){.channels = t->channels, .blocks = t->blocks, .positions = t->height * t->width};
}

static void sigmoid_forward(rs_plan *plan, const rs__op *op, rs_mode mode, int64_t first, int64_t last)
{
    (void)mode;
    const rs__tensor *in = &plan->tensors[op->input[0]], *out = &plan->tensors[op->output];
    rs__maps maps = maps_of(out);
    plan->device->kernels->sigmoid_forward(&maps, first * maps.blocks, last * maps.blocks, in->value,
                                           out->value);
}

static void tanh_forward(rs_plan *plan, const rs__op *op, rs_mode mode, int64_t first, int64_t last)
{
    (void)mode;
    const rs__tensor *in = &plan->tensors[op->input[0]], *out = &plan->tensors[op->output];
    rs__maps maps = maps_of(out);
    plan->device->kernels->tanh_forward(&maps, first * maps.blocks, last * maps.blocks, in->value,
                                        out->value);
}

typedef void (*backward_kernel)(const float *y, const float *dy, float *dx, rs_pass pass, int64_t count);

static void backward(rs_plan *plan, const rs__op *op, backward_kernel kernel, int64_t first, int64_t last)
{
    const rs__tensor *in = &plan->tensors[op->input[0]], *out = &plan->tensors[op->output];
    int64_t floats = rs__sample_floats(plan, out), at = first * floats;
    if (op->pass[0] != RS_PASS_NONE) {
        kernel(out->again + at, out->gradient + at, in->gradient + at, op->pass[0], (last - first) * floats);
    }
}

static void sigmoid_backward(rs_plan *plan, const rs__op *op, int64_t first, int64_t last)
{
    backward(plan, op, plan->device->kernels->sigmoid_backward, first, last);
}

static void tanh_backward(rs_plan *plan, const rs__op *op, int64_t first, int64_t last)
{
    backward(plan, op, plan->device->kernels->tanh_backward, first, last);
}

static void divide_forward(rs_plan *plan, const rs__op *op, rs_mode mode, int64_t first, int64_t last)
{
    (void)mode;
    const rs__tensor *out = &plan->tensors[op->output];
    rs__maps maps = maps_of(out);
    plan->device->kernels->divide_forward(&maps, first * maps.blocks, last * maps.blocks,
                                          plan->tensors[op->input[0]].value,
                                          plan->tensors[op->input[1]].value, out->value);
}

/* The second input first, as operations.c counts who sets and who adds. */
static void divide_backward(rs_plan *plan, const rs__op *op, int64_t first, int64_t last)
{
    const rs__tensor *out = &plan->tensors[op->output];
    const float *b = plan->tensors[op->input[1]].again;
    rs__maps maps = maps_of(out);
    for (int k = 1; k >= 0; k--) {
        if (op->pass[k] != RS_PASS_NONE) {
            plan->device->kernels->divide_backward(&maps, first * maps.blocks, last * maps.blocks, b,
                                                   k == 1 ? out->again : NULL, out->gradient,
                                                   plan->tensors[op->input[k]].gradient, op->pass[k]);
        }
    }
}

const rs__op_class rs__op_sigmoid = {
    .forward_samples = sigmoid_forward,
    .backward_samples = sigmoid_backward,
    .needs_output = true,
    .cost = 16,
};
const rs__op_class rs__op_tanh = {
    .forward_samples = tanh_forward,
    .backward_samples = tanh_backward,
    .needs_output = true,
    .cost = 16,
};
const rs__op_class rs__op_divide = {
    .forward_samples = divide_forward,
    .backward_samples = divide_backward,
    .needs_second = true,
    .needs_output = true,
    .cost = 4,
};
