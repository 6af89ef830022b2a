/* slots.c: copying values out of a plan and into it. Everything is canonical already: plain copies. */
#include <string.h>

#include "plan.h"

static const char *const slot_names[RS_SLOTS] = {
    "values",   "gradients",     "initial values",     "moment 1",
    "moment 2", "gradient sums", "running statistics", "step counts"};

/* Where the slot lies and its bytes; NULL when the plan does not keep it. */
static void *find_slot(rs_plan *plan, rs_slot slot, int index, size_t *bytes)
{
    size_t size = rs_dtype_size(plan->options.dtype);
    if (slot == RS_SLOT_RUNNING) {
        RS_ASSERT(index >= 0 && index < plan->network->buffer_count);
        *bytes = (size_t)plan->network->buffers[index].count * size;
        return plan->running[index];
    }
    RS_ASSERT(index >= 0 && index < plan->network->parameter_count);
    ref_parameter *p = &plan->parameters[index];
    size_t count = (size_t)plan->network->parameters[index].count;
    *bytes = slot == RS_SLOT_STEP_COUNT     ? sizeof p->steps
             : slot == RS_SLOT_GRADIENT_SUM ? count * sizeof(double)
                                            : count * size;
    void *const places[RS_SLOTS] = {
        [RS_SLOT_VALUE] = p->value,       [RS_SLOT_GRADIENT] = p->gradient,
        [RS_SLOT_INITIAL] = p->initial,   [RS_SLOT_MOMENT1] = p->moment1,
        [RS_SLOT_MOMENT2] = p->moment2,   [RS_SLOT_GRADIENT_SUM] = p->gradient_sum,
        [RS_SLOT_STEP_COUNT] = &p->steps,
    };
    return places[slot];
}

static rs_status not_kept(rs_slot slot, rs_error *error)
{
    return RS_FAIL(error, RS_UNSUPPORTED, "this plan keeps no %s", slot_names[slot]);
}

rs_status ref_read(rs_plan *plan, rs_slot slot, int index, void *values, rs_error *error)
{
    size_t bytes;
    const void *from = find_slot(plan, slot, index, &bytes);
    if (!from) {
        return not_kept(slot, error);
    }
    memcpy(values, from, bytes);
    return RS_OK;
}

rs_status ref_write(rs_plan *plan, rs_slot slot, int index, const void *values, rs_error *error)
{
    size_t bytes;
    void *to = find_slot(plan, slot, index, &bytes);
    if (!to) {
        return not_kept(slot, error);
    }
    memcpy(to, values, bytes);
    return RS_OK;
}

rs_status ref_clear_gradient_sums(rs_plan *plan, rs_error *error)
{
    if (!plan->options.sum_gradients) {
        return not_kept(RS_SLOT_GRADIENT_SUM, error);
    }
    for (int i = 0; i < plan->network->parameter_count; i++) {
        memset(plan->parameters[i].gradient_sum, 0,
               (size_t)plan->network->parameters[i].count * sizeof(double));
    }
    return RS_OK;
}

static size_t node_bytes(const rs_plan *plan, int node)
{
    const int64_t *shape = plan->network->nodes[node].shape;
    return (size_t)(plan->count * shape[0] * shape[1] * shape[2]) * rs_dtype_size(plan->options.dtype);
}

rs_status ref_read_node(rs_plan *plan, rs_node_slot slot, int node, void *values, rs_error *error)
{
    RS_ASSERT(node >= 0 && node < plan->network->node_count);
    if (slot == RS_NODE_GRADIENT && (!plan->options.training || !plan->backward.needed[node])) {
        return RS_FAIL(error, RS_UNSUPPORTED, "this plan computes no gradient of the output of %s",
                       plan->network->nodes[node].name);
    }
    const void *from = slot == RS_NODE_OUTPUT ? plan->outputs[node] : plan->gradients[node];
    memcpy(values, from, node_bytes(plan, node));
    return RS_OK;
}

rs_status ref_write_gradient(rs_plan *plan, const void *values, rs_error *error)
{
    int last = plan->network->node_count - 1;
    if (!plan->options.training || rs_op_is_loss(plan->network->nodes[last].kind)) {
        return RS_FAIL(error, RS_UNSUPPORTED,
                       "only a training plan whose last node is no loss takes a gradient");
    }
    memcpy(plan->gradients[last], values, node_bytes(plan, last));
    return RS_OK;
}
