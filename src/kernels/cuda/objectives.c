/* objectives.c: layers' own objectives: measured when their operation has run, into the step's results; their gradients
 * added before it runs backwards. Those of loss nodes are for loss.c and squared.c. */
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
        for (int s = 0; t->exists && s < plan->options.batch_size_count;
             s++) { /* a smaller batch may want more */
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
        if (objective->node == op->is.output && plan->tensors[op->is.output].exists) {
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
    rs_pass pass = t->exists ? plan->backward.source[op->is.output] : RS_PASS_NONE;
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

bool rs__loss_out(const rs_plan *plan, const rs__op *op, int index, rs_cu_loss_out *out)
{
    int last = plan->network->node_count - 1;
    *out = (rs_cu_loss_out){0};
    if (index < 0) {
        bool own = op->is.output == last;
        out->loss = own ? (rs_cu_loss *)(void *)(plan->results + RS__RESULT_LOSS) : NULL;
    } else if (index < plan->options.objective_count) {
        bool own = plan->options.objectives[index].node == op->is.output;
        out->layer = own ? values_in(plan->results) + index : NULL;
    }
    return out->loss || out->layer;
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
