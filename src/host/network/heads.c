/* heads.c: classifiers of their own for units of a network; see rs/network.h. */
#include <stdio.h>

#include "rs/network.h"

static rs_status add_part(rs_network *network, const char *unit, const char *suffix, rs_node_spec spec,
                          int *node, rs_error *error)
{
    char name[2 * RS_NAME_MAX];
    (void)snprintf(name, sizeof name, "heads.%s%s", unit, suffix);
    spec.name = name;
    spec.head = true;
    spec.block = -1;
    spec.input[0] = *node;
    return rs_network_add(network, &spec, node, error);
}

static rs_status add_head(rs_network *network, const rs_unit *unit, int *loss, rs_error *error)
{
    const rs_node *from = &network->nodes[unit->node];
    rs_node_spec pool = {.kind = RS_OP_GLOBAL_AVERAGE_POOL};
    rs_node_spec linear = {.kind = RS_OP_LINEAR,
                           .attributes = {.channels = network->classes, .bias = true},
                           .weight_initializer = RS_INIT_UNIFORM_FAN_IN,
                           .bias_initializer = RS_INIT_UNIFORM_FAN_IN};
    rs_node_spec entropy = {.kind = RS_OP_SOFTMAX_CROSS_ENTROPY};
    int node = unit->node;
    if (from->shape[1] > 1 || from->shape[2] > 1) {
        RS_TRY(add_part(network, unit->name, ".pool", pool, &node, error));
    }
    RS_TRY(add_part(network, unit->name, "", linear, &node, error));
    RS_TRY(add_part(network, unit->name, ".loss", entropy, &node, error));
    *loss = node;
    return RS_OK;
}

/* Takes the last node out of the network, as a spec that puts it back. */
static rs_node take_last(rs_network *network)
{
    network->layer_count--;
    return network->nodes[--network->node_count];
}

static rs_status put_back(rs_network *network, const rs_node *last, rs_error *error)
{
    rs_node_spec spec = {.name = last->name,
                         .kind = last->kind,
                         .attributes = last->attributes,
                         .input = {last->input[0], last->input[1]},
                         .block = -1,
                         .unit = last->unit};
    int node;
    return rs_network_add(network, &spec, &node, error);
}

rs_status rs_network_add_heads(rs_network *network, const rs_units *units, const bool *chosen, int *losses,
                               rs_error *error)
{
    if (!rs_op_is_loss(network->nodes[network->node_count - 1].kind)) {
        return RS_FAIL(error, RS_USAGE, "network %s ends in no loss: it takes no classifiers", network->name);
    }
    if (network->classes < 2) {
        return RS_FAIL(error, RS_USAGE,
                       "network %s has no classes to tell apart: its layers take no classifiers",
                       network->name);
    }
    rs_node last = take_last(network);
    for (int i = 0; i < units->count; i++) {
        int loss = -1;
        if (chosen ? chosen[i] : i < units->count - 1) {
            RS_TRY(add_head(network, &units->units[i], &loss, error));
        }
        if (losses) {
            losses[i] = loss;
        }
    }
    RS_TRY(put_back(network, &last, error));
    return rs_network_finish(network, error);
}
