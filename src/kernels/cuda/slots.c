/* slots.c: copying values out of a plan and into it, in canonical order: through shared scratch where the order inside
 * is another. All of these wait for the device. */
#include <string.h>

#include "plan.h"

static const char *const slot_names[RS_SLOTS] = {
    "values",   "gradients",     "initial values",     "moment 1",
    "moment 2", "gradient sums", "running statistics", "step counts"};

static rs__place place_of_tensor(const rs__tensor *t, float *at, int64_t count)
{
    const rs_cu_order order = {
        .outer = count, .positions = rs__positions(t), .inner = (int)t->channels, .stride = (int)t->stride};
    return (rs__place){.at = at,
                       .count = count * t->channels * rs__positions(t),
                       .element = sizeof(float),
                       .order = order,
                       .canonical = rs__is_canonical(&order)};
}

/* The arena of a slot of floats; NULL when the plan keeps none. */
static float *arena_of(const rs_plan *plan, rs_slot slot)
{
    switch (slot) {
    case RS_SLOT_VALUE:
        return plan->value;
    case RS_SLOT_GRADIENT:
        return plan->gradient;
    case RS_SLOT_INITIAL:
        return plan->initial;
    case RS_SLOT_MOMENT1:
        return plan->moment1;
    case RS_SLOT_MOMENT2:
        return plan->moment2;
    default:
        return NULL;
    }
}

rs_status rs__slot_place(const rs_plan *plan, rs_slot slot, int index, rs__place *place, rs_error *error)
{
    if (slot == RS_SLOT_RUNNING) {
        RS_ASSERT(index >= 0 && index < plan->network->buffer_count);
        *place =
            (rs__place){plan->running[index], plan->network->buffers[index].count, sizeof(float), {0}, true};
        return RS_OK;
    }
    RS_ASSERT(index >= 0 && index < plan->network->parameter_count);
    const rs__parameter *p = &plan->parameters[index];
    *place = (rs__place){NULL, p->count, sizeof(float), p->order, p->canonical};
    if (slot == RS_SLOT_STEP_COUNT) {
        *place = (rs__place){&plan->tensor_table[index].steps, 1, sizeof(int64_t), {0}, true};
    } else if (slot == RS_SLOT_GRADIENT_SUM && plan->gradient_sum) {
        place->at = plan->gradient_sum + p->offset;
        place->element = sizeof(double);
    } else if (arena_of(plan, slot)) {
        place->at = arena_of(plan, slot) + p->offset;
    }
    return place->at ? RS_OK : RS_FAIL(error, RS_UNSUPPORTED, "this plan keeps no %s", slot_names[slot]);
}

size_t rs__staging_bytes(const rs_plan *plan)
{
    size_t most = 64, element = plan->options.sum_gradients ? sizeof(double) : sizeof(float);
    for (int i = 0; i < plan->network->parameter_count; i++) {
        size_t bytes = (size_t)plan->parameters[i].count * element;
        most = bytes > most ? bytes : most;
    }
    for (int i = 0; i < plan->network->node_count; i++) {
        const rs__tensor *t = &plan->tensors[i];
        bool passes = i == 0 || i == rs__readable_node(plan) || plan->options.keep_all;
        size_t bytes = (size_t)(rs__largest_batch(plan) * t->channels * rs__positions(t)) * sizeof(float);
        most = passes && bytes > most ? bytes : most;
    }
    return most;
}

/* --- out and in ------------------------------------------------------------------------------------------- */

static rs_status copy_out(rs_plan *plan, const rs__place *place, void *values, rs_error *error)
{
    cudaStream_t stream = plan->device->compute;
    const void *from = place->at;
    if (!place->canonical) {
        from = plan->shared;
        RS__CUDA(error, place->element == sizeof(double)
                            ? rs_cu_doubles_to_canonical(&place->order, place->at, plan->shared, stream)
                            : rs_cu_to_canonical(&place->order, place->at, plan->shared, stream));
    }
    RS__CUDA(error, cudaMemcpyAsync(values, from, (size_t)place->count * place->element,
                                    cudaMemcpyDeviceToHost, stream));
    RS__CUDA(error, cudaStreamSynchronize(stream));
    return RS_OK;
}

static rs_status copy_in(rs_plan *plan, const rs__place *place, const void *values, rs_error *error)
{
    cudaStream_t stream = plan->device->compute;
    void *to = place->canonical ? place->at : plan->shared;
    RS__CUDA(error, cudaMemcpyAsync(to, values, (size_t)place->count * place->element, cudaMemcpyHostToDevice,
                                    stream));
    if (!place->canonical) {
        RS__CUDA(error, place->element == sizeof(double)
                            ? rs_cu_doubles_from_canonical(&place->order, plan->shared, place->at, stream)
                            : rs_cu_from_canonical(&place->order, plan->shared, place->at, stream));
    }
    RS__CUDA(error, cudaStreamSynchronize(stream));
    return RS_OK;
}

rs_status rs__cuda_read(rs_plan *plan, rs_slot slot, int index, void *values, rs_error *error)
{
    rs__place place;
    RS_TRY(rs__slot_place(plan, slot, index, &place, error));
    RS_TRY(rs__catch_up(plan, error));
    return copy_out(plan, &place, values, error);
}

rs_status rs__cuda_write(rs_plan *plan, rs_slot slot, int index, const void *values, rs_error *error)
{
    rs__place place;
    RS_TRY(rs__slot_place(plan, slot, index, &place, error));
    RS_TRY(rs__catch_up(plan, error));
    return copy_in(plan, &place, values, error);
}

rs_status rs__cuda_clear_gradient_sums(rs_plan *plan, rs_error *error)
{
    if (!plan->gradient_sum) {
        return RS_FAIL(error, RS_UNSUPPORTED, "this plan keeps no %s", slot_names[RS_SLOT_GRADIENT_SUM]);
    }
    RS_TRY(rs__catch_up(plan, error));
    if (plan->element_count > 0) {
        RS__CUDA(error, cudaMemsetAsync(plan->gradient_sum, 0, plan->element_count * sizeof(double),
                                        plan->device->compute));
    }
    return RS_OK;
}

rs_status rs__cuda_read_node(rs_plan *plan, rs_node_slot slot, int node, void *values, rs_error *error)
{
    RS_ASSERT(node >= 0 && node < plan->network->node_count);
    const rs__tensor *t = &plan->tensors[node];
    bool output = slot == RS_NODE_OUTPUT;
    bool input_gradient = !output && node == 0 && plan->options.input_gradient;
    bool kept = plan->options.keep_all || (output && node == rs__readable_node(plan)) || input_gradient;
    float *at = output ? t->value : t->gradient;
    if (!output && t->exists && kept && plan->options.training && !plan->backward.needed[node]) {
        /* cut off: no loss reaches it */
        memset(values, 0, (size_t)(plan->count * t->channels * rs__positions(t)) * sizeof(float));
        return RS_OK;
    }
    if (!t->exists || !kept || !at) {
        return RS_FAIL(error, RS_UNSUPPORTED, "the %s of %s %s", output ? "output" : "gradient",
                       plan->network->nodes[node].name,
                       t->exists ? "is not kept by this plan" : "does not exist: the node is fused");
    }
    rs__place place = place_of_tensor(t, at, plan->count);
    RS_TRY(rs__catch_up(plan, error));
    return copy_out(plan, &place, values, error);
}

rs_status rs__cuda_write_gradient(rs_plan *plan, const void *values, rs_error *error)
{
    const rs__tensor *t = &plan->tensors[plan->network->node_count - 1];
    if (plan->has_loss || !t->gradient) {
        return RS_FAIL(error, RS_UNSUPPORTED, "the gradient of the last node is not taken from outside here");
    }
    rs__place place = place_of_tensor(t, t->gradient, plan->count);
    RS_TRY(rs__catch_up(plan, error));
    return copy_in(plan, &place, values, error);
}
