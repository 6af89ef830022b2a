/* slots.c: copying values out of a plan and into it, in canonical order. */
#include <string.h>

#include "plan.h"

static const char *const slot_names[RS_SLOTS] = {
    "values",   "gradients",     "initial values",     "moment 1",
    "moment 2", "gradient sums", "running statistics", "step counts"};

/* First element of a parameter in the slot's arena; NULL when the plan keeps none. */
static void *slot_at(const rs_plan *plan, rs_slot slot, const rs__parameter *p)
{
    float *arena = NULL;
    switch (slot) {
    case RS_SLOT_VALUE:
        arena = plan->value;
        break;
    case RS_SLOT_GRADIENT:
        arena = plan->gradient;
        break;
    case RS_SLOT_INITIAL:
        arena = plan->initial;
        break;
    case RS_SLOT_MOMENT1:
        arena = plan->moment1;
        break;
    case RS_SLOT_MOMENT2:
        arena = plan->moment2;
        break;
    case RS_SLOT_GRADIENT_SUM:
        return plan->gradient_sum ? plan->gradient_sum + p->offset : NULL;
    default:
        break;
    }
    return arena ? arena + p->offset : NULL;
}

/* The running statistics and step counts, which have one order only; false for the other slots. */
static bool plain_slot(rs_plan *plan, rs_slot slot, int index, void **at, size_t *bytes)
{
    if (slot == RS_SLOT_RUNNING) {
        RS_ASSERT(index >= 0 && index < plan->network->buffer_count);
        *at = plan->running[index];
        *bytes = (size_t)plan->network->buffers[index].count * sizeof(float);
        return true;
    }
    RS_ASSERT(index >= 0 && index < plan->network->parameter_count);
    *at = &plan->parameters[index].steps;
    *bytes = sizeof(int64_t);
    return slot == RS_SLOT_STEP_COUNT;
}

static rs_status copy_slot(rs_plan *plan, rs_slot slot, int index, rs__direction direction, void *values,
                           rs_error *error)
{
    void *at;
    size_t bytes;
    if (plain_slot(plan, slot, index, &at, &bytes)) {
        memcpy(direction == RS__TO_CANONICAL ? values : at, direction == RS__TO_CANONICAL ? at : values,
               bytes);
        return RS_OK;
    }
    const rs__parameter *p = &plan->parameters[index];
    at = slot_at(plan, slot, p);
    if (!at) {
        return RS_FAIL(error, RS_UNSUPPORTED, "this plan keeps no %s", slot_names[slot]);
    }
    size_t element = slot == RS_SLOT_GRADIENT_SUM ? sizeof(double) : sizeof(float);
    rs__order_copy(&p->order, direction, element, at, values, p->count);
    return RS_OK;
}

rs_status rs__cpu_read(rs_plan *plan, rs_slot slot, int index, void *values, rs_error *error)
{
    return copy_slot(plan, slot, index, RS__TO_CANONICAL, values, error);
}

rs_status rs__cpu_write(rs_plan *plan, rs_slot slot, int index, const void *values, rs_error *error)
{
    return copy_slot(plan, slot, index, RS__FROM_CANONICAL, (void *)(uintptr_t)values, error);
}

rs_status rs__cpu_clear_gradient_sums(rs_plan *plan, rs_error *error)
{
    if (!plan->gradient_sum) {
        return RS_FAIL(error, RS_UNSUPPORTED, "this plan keeps no %s", slot_names[RS_SLOT_GRADIENT_SUM]);
    }
    memset(plan->gradient_sum, 0, plan->element_count * sizeof(double));
    return RS_OK;
}

int rs__readable_node(const rs_plan *plan)
{
    int last = plan->network->node_count - 1;
    return plan->has_loss ? plan->network->nodes[last].input[0] : last;
}

rs_status rs__cpu_read_node(rs_plan *plan, rs_node_slot slot, int node, void *values, rs_error *error)
{
    RS_ASSERT(node >= 0 && node < plan->network->node_count);
    const rs__tensor *t = &plan->tensors[node];
    bool output = slot == RS_NODE_OUTPUT;
    bool input_gradient = !output && node == 0 && plan->options.input_gradient;
    bool kept = plan->options.keep_all || (output && node == rs__readable_node(plan)) || input_gradient;
    float *at = output ? t->value : t->gradient;
    if (!t->exists || !kept || !at) {
        return RS_FAIL(error, RS_UNSUPPORTED, "the %s of %s %s", output ? "output" : "gradient",
                       plan->network->nodes[node].name,
                       t->exists ? "is not kept by this plan" : "does not exist: the node is fused");
    }
    rs__tensor_copy(plan, t, output && t->plain, RS__TO_CANONICAL, at, values, plan->count);
    return RS_OK;
}

rs_status rs__cpu_write_gradient(rs_plan *plan, const void *values, rs_error *error)
{
    const rs__tensor *t = &plan->tensors[plan->network->node_count - 1];
    if (plan->has_loss || !t->gradient) {
        return RS_FAIL(error, RS_UNSUPPORTED, "the gradient of the last node is not taken from outside here");
    }
    rs__tensor_copy(plan, t, false, RS__FROM_CANONICAL, t->gradient, (float *)(uintptr_t)values, plan->count);
    return RS_OK;
}
