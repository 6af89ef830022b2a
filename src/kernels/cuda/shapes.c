/* shapes.c: flatten, which brings a map into canonical order, and repeat. */
#include "plan.h"

/* --- flatten ---------------------------------------------------------------------------------------------- */

static rs_cu_order map_order(const rs_plan *plan, const rs__op *op)
{
    const rs__tensor *in = &plan->tensors[op->is.input[0]];
    return (rs_cu_order){.outer = plan->count,
                         .positions = rs__positions(in),
                         .inner = (int)in->channels,
                         .stride = (int)in->stride};
}

static rs_status flatten_forward(rs_plan *plan, rs__op *op, rs_mode mode, rs_error *error)
{
    const rs_cu_order order = map_order(plan, op);
    (void)mode;
    RS__CUDA(error, rs_cu_to_canonical(&order, plan->tensors[op->is.input[0]].value,
                                       plan->tensors[op->is.output].value, plan->device->compute));
    return RS_OK;
}

static rs_status flatten_backward(rs_plan *plan, rs__op *op, rs_error *error)
{
    const rs_cu_order order = map_order(plan, op);
    const float *dy = plan->tensors[op->is.output].gradient;
    float *dx = plan->tensors[op->is.input[0]].gradient;
    if (op->is.pass[0] == RS_PASS_ADD) {
        RS__CUDA(error, rs_cu_add_from_canonical(&order, dy, dx, plan->device->compute));
    } else if (op->is.pass[0] == RS_PASS_SET) {
        RS__CUDA(error, rs_cu_from_canonical(&order, dy, dx, plan->device->compute));
    }
    return RS_OK;
}

/* --- repeat ----------------------------------------------------------------------------------------------- */

/* Positions are H W and the channels innermost: what stands outside and inside the axis. */
static rs_cu_repeat repeat_of(const rs_plan *plan, const rs__op *op)
{
    const rs__tensor *in = &plan->tensors[op->is.input[0]];
    const rs_node_attributes *a = &rs__op_node(plan, op)->attributes;
    int64_t n = plan->count, maps = n * rs__positions(in);
    switch (a->axis) {
    case 0:
        return (rs_cu_repeat){.outer = maps, .times = a->times, .inner = 1};
    case 1:
        return (rs_cu_repeat){.outer = n, .times = a->times, .inner = in->width * in->channels};
    default:
        return (rs_cu_repeat){.outer = n * in->height, .times = a->times, .inner = in->channels};
    }
}

static rs_status repeat_forward(rs_plan *plan, rs__op *op, rs_mode mode, rs_error *error)
{
    const rs_cu_repeat r = repeat_of(plan, op);
    (void)mode;
    RS__CUDA(error, rs_cu_repeat_forward(&r, plan->tensors[op->is.input[0]].value,
                                         plan->tensors[op->is.output].value, plan->device->compute));
    return RS_OK;
}

static rs_status repeat_backward(rs_plan *plan, rs__op *op, rs_error *error)
{
    const rs_cu_repeat r = repeat_of(plan, op);
    RS__CUDA(error, rs_cu_repeat_backward(&r, plan->tensors[op->is.output].gradient,
                                          plan->tensors[op->is.input[0]].gradient, op->is.pass[0],
                                          plan->device->compute));
    return RS_OK;
}

const rs__op_class rs__op_flatten = {
    .forward = flatten_forward,
    .backward = flatten_backward,
};
const rs__op_class rs__op_repeat = {
    .forward = repeat_forward,
    .backward = repeat_backward,
};
