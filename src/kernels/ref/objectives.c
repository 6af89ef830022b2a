/* objectives.c: layers' own objectives: measured when their node has run, their gradients added before it runs backwards. */
#include "plan.h"

static int64_t elements_of(const rs_plan *plan, int node)
{
    const int64_t *shape = plan->network->nodes[node].shape;
    return plan->count * shape[0] * shape[1] * shape[2];
}

void ref_objectives_measure(rs_plan *plan, int node)
{
    for (int i = 0; i < plan->options.objective_count; i++) {
        const rs_objective *objective = &plan->options.objectives[i];
        if (objective->node == node && rs_op_is_loss(plan->network->nodes[node].kind)) {
            plan->layers[i] =
                (rs_layer_value){.loss = plan->losses[node].loss,
                                 .mean = (double)plan->losses[node].correct / (double)plan->count};
        } else if (objective->node == node) {
            int64_t count = elements_of(plan, node);
            double sum = 0.0, square = 0.0;
            plan->table->distance_sums(plan->outputs[node], count, objective->target, &sum, &square);
            plan->layers[i] = (rs_layer_value){.loss = square / (double)count, .mean = sum / (double)count};
        }
    }
}

void ref_objectives_backward(rs_plan *plan, int node)
{
    bool loss = rs_op_is_loss(plan->network->nodes[node].kind); /* starts by itself */
    rs_pass pass = loss ? RS_PASS_NONE : plan->backward.source[node];
    for (int i = 0; pass != RS_PASS_NONE && i < plan->options.objective_count; i++) {
        const rs_objective *objective = &plan->options.objectives[i];
        if (objective->node == node && objective->weight != 0.0) {
            int64_t count = elements_of(plan, node);
            plan->table->add_distance(plan->outputs[node], count, objective->target,
                                      rs_objective_factor(objective, count), pass, plan->gradients[node]);
            pass = RS_PASS_ADD;
        }
    }
}

rs_status ref_read_layers(rs_plan *plan, double *losses, double *means, rs_error *error)
{
    if (!plan->ran_forward) {
        return RS_FAIL(error, RS_USAGE, "there are no layers to read: no forward pass ran");
    }
    rs_layers_copy(plan->layers, plan->options.objective_count, losses, means);
    return RS_OK;
}
