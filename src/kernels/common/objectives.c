/* objectives.c: see objectives.h. */
#include "objectives.h"

#include <math.h>

bool rs_has_objective(const rs_plan_options *options, int node)
{
    bool found = false;
    for (int i = 0; i < options->objective_count; i++) {
        found = found || options->objectives[i].node == node;
    }
    return found;
}

bool rs_has_weighed_objective(const rs_plan_options *options, int node)
{
    bool found = false;
    for (int i = 0; i < options->objective_count; i++) {
        found = found || (options->objectives[i].node == node && options->objectives[i].weight != 0.0);
    }
    return found;
}

rs_status rs_objectives_check(const rs_network *network, const rs_plan_options *options, rs_error *error)
{
    for (int i = 0; i < options->objective_count; i++) {
        const rs_objective *objective = &options->objectives[i];
        int node = objective->node;
        bool last_loss = node == network->node_count - 1 && rs_op_is_loss(network->nodes[node].kind);
        if (node < 1 || node >= network->node_count || last_loss) {
            return RS_FAIL(error, RS_USAGE,
                           "an objective of node %d: it must be an operator with an output, or a loss before "
                           "the last node",
                           node);
        }
        if (!isfinite(objective->target) || !isfinite(objective->weight)) {
            return RS_FAIL(error, RS_USAGE,
                           "the objective of %s has target %g and weight %g: both must be finite",
                           network->nodes[node].name, objective->target, objective->weight);
        }
    }
    return RS_OK;
}

double rs_objective_factor(const rs_objective *objective, int64_t elements)
{
    return 2.0 * objective->weight / (double)elements;
}

void rs_layers_copy(const rs_layer_value *values, int count, double *losses, double *means)
{
    for (int i = 0; i < count; i++) {
        if (losses) {
            losses[i] = values[i].loss;
        }
        if (means) {
            means[i] = values[i].mean;
        }
    }
}
