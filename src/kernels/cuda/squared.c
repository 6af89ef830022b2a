/* squared.c: mean squared error from the batch's targets. These lie in canonical order; where the loss's input does not, they
 * are brought into its order in shared scratch, before what the kernels sum up there. */
#include "plan.h"

enum { TARGETS, PARTIAL, PARTS };

static rs_cu_order order_of(const rs_plan *plan, const rs__op *op, int64_t count)
{
    const rs__tensor *in = &plan->tensors[op->is.input[0]];
    return (rs_cu_order){.outer = count,
                         .positions = rs__positions(in),
                         .inner = (int)in->channels,
                         .stride = (int)in->stride};
}

static size_t place_shared(const rs_plan *plan, const rs__op *op, int64_t count, size_t offsets[PARTS])
{
    const rs_cu_order order = order_of(plan, op, count);
    int64_t floats = count * plan->target_floats;
    const size_t bytes[PARTS] = {[TARGETS] = rs__is_canonical(&order) ? 0 : (size_t)floats * sizeof(float),
                                 [PARTIAL] = rs_cu_squared_partial_bytes(floats)};
    return rs__parts_place(bytes, PARTS, offsets);
}

static rs_status squared_prepare(rs_plan *plan, rs__op *op, rs_error *error)
{
    (void)error;
    for (int i = 0; i < plan->options.batch_size_count; i++) {
        size_t offsets[PARTS];
        rs__share_at_least(op, place_shared(plan, op, plan->options.batch_sizes[i], offsets));
    }
    return RS_OK;
}

/* With the targets in the input's order: enqueues. */
static rs_status squared_of(const rs_plan *plan, const rs__op *op, const float *x, rs_cu_squared *squared,
                            rs_error *error)
{
    const rs_cu_order order = order_of(plan, op, plan->count);
    size_t offsets[PARTS];
    char *shared = plan->shared;
    (void)place_shared(plan, op, plan->count, offsets);
    float *ordered = (float *)(void *)(shared + offsets[TARGETS]);
    bool canonical = rs__is_canonical(&order);
    *squared = (rs_cu_squared){.x = x,
                               .target = canonical ? plan->targets : ordered,
                               .count = plan->count * plan->target_floats,
                               .divisor = rs_loss_divisor(plan->network, op->is.node, plan->count),
                               .partial = (double *)(void *)(shared + offsets[PARTIAL]),
                               .weight = rs_loss_weight(plan->network, &plan->options, op->is.node)};
    if (!canonical) {
        RS__CUDA(error, rs_cu_from_canonical(&order, plan->targets, ordered, plan->device->compute));
    }
    return RS_OK;
}

static rs_status squared_forward(rs_plan *plan, rs__op *op, rs_mode mode, rs_error *error)
{
    rs_cu_squared squared;
    rs_cu_loss_out out;
    (void)mode;
    RS_TRY(squared_of(plan, op, plan->tensors[op->is.input[0]].value, &squared, error));
    for (int i = -1; i < plan->options.objective_count; i++) {
        if (rs__loss_out(plan, op, i, &out)) {
            RS__CUDA(error, rs_cu_squared_error(&squared, &out, plan->device->compute));
        }
    }
    return RS_OK;
}

static rs_status squared_backward(rs_plan *plan, rs__op *op, rs_error *error)
{
    const rs__tensor *in = &plan->tensors[op->is.input[0]];
    rs_cu_squared squared;
    if (op->is.pass[0] == RS_PASS_NONE) {
        return RS_OK;
    }
    RS_TRY(squared_of(plan, op, in->again, &squared, error));
    squared.dx = in->gradient;
    squared.pass = op->is.pass[0];
    RS__CUDA(error, rs_cu_squared_backward(&squared, plan->device->compute));
    return RS_OK;
}

const rs__op_class rs__op_squared_error = {
    .prepare = squared_prepare,
    .forward = squared_forward,
    .backward = squared_backward,
    .needs_input = true,
};
