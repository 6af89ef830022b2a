/* pointwise.c: what takes element after element, where it stands alone. */
#include "plan.h"

static rs_status relu_forward(rs_plan *plan, rs__op *op, rs_mode mode, rs_error *error)
{
    (void)mode;
    RS__CUDA(error,
             rs_cu_relu_forward(plan->tensors[op->is.input[0]].value, plan->tensors[op->is.output].value,
                                rs__batch_floats(plan, op), plan->device->compute));
    return RS_OK;
}

static rs_status relu_backward(rs_plan *plan, rs__op *op, rs_error *error)
{
    const rs__tensor *in = &plan->tensors[op->is.input[0]], *out = &plan->tensors[op->is.output];
    if (op->is.pass[0] != RS_PASS_NONE) {
        RS__CUDA(error, rs_cu_relu_backward(out->again, out->gradient, in->gradient, op->is.pass[0],
                                            rs__batch_floats(plan, op), plan->device->compute));
    }
    return RS_OK;
}

static rs_status softplus_forward(rs_plan *plan, rs__op *op, rs_mode mode, rs_error *error)
{
    (void)mode;
    RS__CUDA(error,
             rs_cu_softplus_forward(plan->tensors[op->is.input[0]].value, plan->tensors[op->is.output].value,
                                    rs__batch_floats(plan, op), plan->device->compute));
    return RS_OK;
}

static rs_status softplus_backward(rs_plan *plan, rs__op *op, rs_error *error)
{
    const rs__tensor *in = &plan->tensors[op->is.input[0]], *out = &plan->tensors[op->is.output];
    if (op->is.pass[0] != RS_PASS_NONE) {
        RS__CUDA(error, rs_cu_softplus_backward(in->again, out->gradient, in->gradient, op->is.pass[0],
                                                rs__batch_floats(plan, op), plan->device->compute));
    }
    return RS_OK;
}

static rs_status sigmoid_forward(rs_plan *plan, rs__op *op, rs_mode mode, rs_error *error)
{
    (void)mode;
    RS__CUDA(error,
             rs_cu_sigmoid_forward(plan->tensors[op->is.input[0]].value, plan->tensors[op->is.output].value,
                                   rs__batch_floats(plan, op), plan->device->compute));
    return RS_OK;
}

static rs_status sigmoid_backward(rs_plan *plan, rs__op *op, rs_error *error)
{
    const rs__tensor *in = &plan->tensors[op->is.input[0]], *out = &plan->tensors[op->is.output];
    RS__CUDA(error, rs_cu_sigmoid_backward(out->again, out->gradient, in->gradient, op->is.pass[0],
                                           rs__batch_floats(plan, op), plan->device->compute));
    return RS_OK;
}

static rs_status tanh_forward(rs_plan *plan, rs__op *op, rs_mode mode, rs_error *error)
{
    (void)mode;
    RS__CUDA(error,
             rs_cu_tanh_forward(plan->tensors[op->is.input[0]].value, plan->tensors[op->is.output].value,
                                rs__batch_floats(plan, op), plan->device->compute));
    return RS_OK;
}

static rs_status tanh_backward(rs_plan *plan, rs__op *op, rs_error *error)
{
    const rs__tensor *in = &plan->tensors[op->is.input[0]], *out = &plan->tensors[op->is.output];
    RS__CUDA(error, rs_cu_tanh_backward(out->again, out->gradient, in->gradient, op->is.pass[0],
                                        rs__batch_floats(plan, op), plan->device->compute));
    return RS_OK;
}

static rs_status divide_forward(rs_plan *plan, rs__op *op, rs_mode mode, rs_error *error)
{
    const rs__tensor *a = &plan->tensors[op->is.input[0]], *b = &plan->tensors[op->is.input[1]];
    (void)mode;
    RS__CUDA(error, rs_cu_divide_forward(a->value, b->value, plan->tensors[op->is.output].value,
                                         rs__batch_floats(plan, op), plan->device->compute));
    return RS_OK;
}

static rs_status divide_backward(rs_plan *plan, rs__op *op, rs_error *error)
{
    const rs__tensor *a = &plan->tensors[op->is.input[0]], *b = &plan->tensors[op->is.input[1]];
    const rs_cu_quotient quotient = {.a = a->again,
                                     .b = b->again,
                                     .dy = plan->tensors[op->is.output].gradient,
                                     .da = a->gradient,
                                     .db = b->gradient,
                                     .pass_a = op->is.pass[0],
                                     .pass_b = op->is.pass[1],
                                     .count = rs__batch_floats(plan, op)};
    RS__CUDA(error, rs_cu_divide_backward(&quotient, plan->device->compute));
    return RS_OK;
}

static rs_status add_forward(rs_plan *plan, rs__op *op, rs_mode mode, rs_error *error)
{
    const rs__tensor *a = &plan->tensors[op->is.input[0]], *b = &plan->tensors[op->is.input[1]];
    (void)mode;
    RS__CUDA(error, rs_cu_add_forward(a->value, b->value, plan->tensors[op->is.output].value,
                                      rs__batch_floats(plan, op), plan->device->compute));
    return RS_OK;
}

static rs_status add_backward(rs_plan *plan, rs__op *op, rs_error *error)
{
    const float *dy = plan->tensors[op->is.output].gradient;
    for (int k = 1; k >= 0; k--) {
        if (op->is.pass[k] != RS_PASS_NONE) {
            RS__CUDA(error, rs_cu_pass(dy, plan->tensors[op->is.input[k]].gradient, op->is.pass[k],
                                       rs__batch_floats(plan, op), plan->device->compute));
        }
    }
    return RS_OK;
}

const rs__op_class rs__op_relu = {
    .forward = relu_forward,
    .backward = relu_backward,
    .needs_output = true,
};
const rs__op_class rs__op_softplus = {
    .forward = softplus_forward,
    .backward = softplus_backward,
    .needs_input = true,
};
const rs__op_class rs__op_sigmoid = {
    .forward = sigmoid_forward,
    .backward = sigmoid_backward,
    .needs_output = true,
};
const rs__op_class rs__op_tanh = {
    .forward = tanh_forward,
    .backward = tanh_backward,
    .needs_output = true,
};
const rs__op_class rs__op_divide = {
    .forward = divide_forward,
    .backward = divide_backward,
    .needs_input = true,
    .needs_second = true,
};
const rs__op_class rs__op_add = {
    .forward = add_forward,
    .backward = add_backward,
};
