/* losses.c: see losses.h. */
#include "losses.h"

#include <inttypes.h>

bool rs_loss_takes_labels(rs_op_kind kind)
{
    return kind == RS_OP_SOFTMAX_CROSS_ENTROPY || kind == RS_OP_KL_DIVERGENCE;
}

bool rs_network_takes_labels(const rs_network *network)
{
    bool found = false;
    for (int i = 1; i < network->node_count; i++) {
        found = found || rs_loss_takes_labels(network->nodes[i].kind);
    }
    return found;
}

static int64_t input_size(const rs_network *network, int node)
{
    const int64_t *in = network->nodes[network->nodes[node].input[0]].shape;
    return in[0] * in[1] * in[2];
}

int64_t rs_network_target_size(const rs_network *network)
{
    int64_t size = 0;
    for (int i = 1; i < network->node_count; i++) {
        size = network->nodes[i].kind == RS_OP_MEAN_SQUARED_ERROR ? input_size(network, i) : size;
    }
    return size;
}

rs_status rs_losses_check(const rs_network *network, rs_error *error)
{
    int64_t size = rs_network_target_size(network);
    for (int i = 1; i < network->node_count; i++) {
        if (network->nodes[i].kind == RS_OP_MEAN_SQUARED_ERROR && input_size(network, i) != size) {
            return RS_FAIL(error, RS_USAGE,
                           "%s takes targets of %" PRId64 " numbers, another loss of %s of %" PRId64
                           ": a batch has one kind of target",
                           network->nodes[i].name, input_size(network, i), network->name, size);
        }
    }
    return RS_OK;
}

rs_status rs_losses_check_batch(const rs_network *network, bool labels, bool targets, rs_error *error)
{
    if (!labels && rs_network_takes_labels(network)) {
        return RS_FAIL(error, RS_USAGE, "a loss needs labels, and the batch has none");
    }
    if (!targets && rs_network_target_size(network) > 0) {
        return RS_FAIL(error, RS_USAGE, "mean_squared_error needs targets, and the batch has none");
    }
    return RS_OK;
}

rs_status rs_losses_check_targets(const rs_network *network, rs_error *error)
{
    int64_t size = rs_network_target_size(network);
    return size == 0 || size == network->classes
               ? RS_OK
               : RS_FAIL(error, RS_USAGE,
                         "targets have %d numbers, and mean_squared_error looks at %" PRId64 " numbers",
                         network->classes, size);
}

double rs_loss_divisor(const rs_network *network, int node, int64_t count)
{
    const rs_node *loss = &network->nodes[node];
    double samples = (double)count, elements = (double)input_size(network, node);
    bool squares = loss->kind == RS_OP_MEAN_SQUARED_ERROR;
    switch (loss->attributes.reduction) {
    case RS_REDUCTION_SUM:
        return 1.0;
    case RS_REDUCTION_ELEMENTS:
        return samples * elements;
    default:
        return squares ? samples * elements : samples;
    }
}

double rs_loss_weight(const rs_network *network, const rs_plan_options *options, int node)
{
    double weight = node == network->node_count - 1 ? 1.0 : 0.0;
    for (int i = 0; i < options->objective_count; i++) {
        weight += options->objectives[i].node == node ? options->objectives[i].weight : 0.0;
    }
    return weight;
}

double rs_loss_sample_factor(const rs_network *network, int64_t count)
{
    const rs_node *last = &network->nodes[network->node_count - 1];
    bool mean = rs_op_is_loss(last->kind) && last->attributes.reduction != RS_REDUCTION_SUM;
    return mean ? (double)count : 1.0;
}
