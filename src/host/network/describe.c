/* describe.c: a node as the first columns of a line; see rs/network.h. */
#include <inttypes.h>
#include <stdio.h>

#include "rs/network.h"

void rs_node_describe(const rs_network *network, int node, char *text, size_t capacity)
{
    const rs_node *n = &network->nodes[node];
    int64_t parameters = n->weight >= 0 ? network->parameters[n->weight].count : 0;
    parameters += n->bias >= 0 ? network->parameters[n->bias].count : 0;
    char shape[80];
    (void)snprintf(shape, sizeof shape, "%" PRId64 "x%" PRId64 "x%" PRId64, n->shape[0], n->shape[1],
                   n->shape[2]);
    (void)snprintf(text, capacity, "%-24s %-21s %-10s %8" PRId64, n->name, rs_op_name(n->kind), shape,
                   parameters);
}
