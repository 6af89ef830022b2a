/* objectives.c: layers' own objectives: measured when their operation has run, into the step's results; their gradients
 * added before it runs backwards. */
#include "plan.h"

static rs_layer_value *values_in(char *results)
{
    return (rs_layer_value *)(void *)(results + RS__RESULT_LAYERS);
}

size_t rs__objectives_shared_bytes(const rs_plan *plan)
{
    size_t most = 0;
    for (int i = 0; i < plan->options.objective_count; i++) {
        const rs__tensor *t = &plan->tensors[plan->options.objectives[i].node];
        for (int s = 0; s < plan->options.batch_size_count; s++) { /* a smaller batch may want more */
            size_t bytes = rs_cu_distance_partial_bytes(plan->options.batch_sizes[s] * rs__sample_floats(t));
            most = bytes > most ? bytes : most;
        }
    }
    return most;
}

rs_status rs__objectives_measure(rs_plan *plan, const rs__op *op, rs_error *error)
{
    for (int i = 0; i < plan->options.objective_count; i++) {
        const rs_objective *objective = &plan->options.objectives[i];
        if (objective->node == op->is.output) {
            RS__CUDA(error,
                     rs_cu_distance_measure(plan->tensors[op->is.output].value, rs__batch_floats(plan, op),
                                            objective->target, plan->shared, values_in(plan->results) + i,
                                            plan->device->compute));
        }
    }
    return RS_OK;
}

rs_status rs__objectives_backward(const rs_plan *plan, const rs__op *op, rs_error *error)
{
    const rs__tensor *t = &plan->tensors[op->is.output];
    rs_pass pass = plan->backward.source[op->is.output];
    for (int i = 0; pass != RS_PASS_NONE && i < plan->options.objective_count; i++) {
        const rs_objective *objective = &plan->options.objectives[i];
        if (objective->node == op->is.output && objective->weight != 0.0) {
            int64_t count = rs__batch_floats(plan, op);
            RS__CUDA(error, rs_cu_distance_backward(t->again, t->gradient, objective->target,
                                                    rs_objective_factor(objective, count), pass, count,
                                                    plan->device->compute));
            pass = RS_PASS_ADD;
        }
    }
    return RS_OK;
}

rs_status rs__cuda_read_layers(rs_plan *plan, double *losses, double *means, rs_error *error)
{
    int count = plan->options.objective_count;
    rs_layer_value *here = values_in(plan->rows[RS__WAITED_ROW].copy);
    if (!plan->ran_forward) {
        return RS_FAIL(error, RS_USAGE, "there are no layers to read: no forward pass ran");
    }
    RS_TRY(rs__catch_up(plan, error));
    if (count > 0) {
        RS__CUDA(error, cudaMemcpyAsync(here, values_in(plan->results), (size_t)count * sizeof *here,
                                        cudaMemcpyDeviceToHost, plan->device->compute));
        RS__CUDA(error, cudaStreamSynchronize(plan->device->compute));
    }
    rs_layers_copy(here, count, losses, means);
    return RS_OK;
}
