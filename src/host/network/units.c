/* units.c: what counts as a layer for isolation and per-layer losses, and the edges that enter it; see rs/network.h. */
#include <string.h>

#include "rs/host.h"
#include "rs/network.h"

static bool in_unit(const rs_network *network, int node)
{
    return node > 0 && !network->nodes[node].head && !rs_op_is_loss(network->nodes[node].kind);
}

/* An edge that enters the unit of `node`: from another unit, not from the input. */
static bool enters(const rs_network *network, int node, int input)
{
    int from = network->nodes[node].input[input];
    return from > 0 && strcmp(network->nodes[from].unit, network->nodes[node].unit) != 0;
}

static void append_unit(rs_units *units, const rs_node *node)
{
    rs_unit *unit = &units->units[units->count++];
    *unit = (rs_unit){.first_edge = units->edge_count};
    memcpy(unit->name, node->unit, sizeof unit->name);
}

/* The nodes of a unit stand side by side. */
static void append_node(const rs_network *network, int node, rs_units *units)
{
    const rs_node *n = &network->nodes[node];
    if (units->count == 0 || strcmp(units->units[units->count - 1].name, n->unit) != 0) {
        append_unit(units, n);
    }
    rs_unit *unit = &units->units[units->count - 1];
    unit->node = node;
    for (int i = 0; i < rs_op_inputs(n->kind); i++) {
        if (enters(network, node, i)) {
            units->edges[units->edge_count++] = (rs_edge){node, i};
            unit->edge_count++;
        }
    }
}

rs_status rs_network_layers(const rs_network *network, rs_units *units, rs_error *error)
{
    *units = (rs_units){.units = rs_alloc_array((size_t)network->node_count, sizeof *units->units),
                        .edges = rs_alloc_array(2 * (size_t)network->node_count, sizeof *units->edges)};
    if (!units->units || !units->edges) {
        rs_units_release(units);
        return RS_FAIL(error, RS_MEMORY, "no memory for the layers of %s", network->name);
    }
    for (int node = 1; node < network->node_count; node++) {
        if (in_unit(network, node)) {
            append_node(network, node, units);
        }
    }
    return RS_OK;
}

void rs_units_release(rs_units *units)
{
    rs_free(units->units);
    rs_free(units->edges);
    *units = (rs_units){0};
}
