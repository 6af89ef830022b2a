/* network.c: networks as YAML: what is accepted is built whole, for labels and for targets, has units, and takes classifiers
 * beside it. */
#include "rs/network.h"
#include "fuzz.h"

static void look_at(rs_network *network)
{
    rs_units units = {.count = 0};
    rs_error error;
    char text[256];
    RS_ASSERT(network->node_count > 0 && network->weight_count >= 0 && rs_network_flops(network) >= 0);
    for (int i = 0; i < network->node_count; i++) {
        const rs_node *node = &network->nodes[i];
        rs_node_describe(network, i, text, sizeof text);
        RS_ASSERT(rs_network_find_node(network, node->name) == i);
        RS_ASSERT(node->shape[0] > 0 && node->shape[1] > 0 && node->shape[2] > 0);
        RS_ASSERT(i == 0 || (node->input[0] >= 0 && node->input[0] < i));
    }
    for (int i = 0; i < network->parameter_count; i++) {
        RS_ASSERT(network->parameters[i].count == rs_shape_count(&network->parameters[i].shape));
    }
    rs_status status = rs_network_layers(network, &units, &error);
    rs_fuzz_settle(status, &error);
    if (!status) {
        rs_fuzz_settle(rs_network_add_heads(network, &units, NULL, NULL, &error), &error);
    }
    rs_units_release(&units);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { LABELS, CHANGED, TARGETS, WAYS };
    rs_network_options options[WAYS] = {[LABELS] = rs_network_options_default(3, 28, 28, 10),
                                        [CHANGED] = rs_network_options_default(3, 28, 28, 10),
                                        [TARGETS] = rs_network_options_default(1, 1, 1, 1)};
    options[CHANGED].dropout = 0.25;
    options[CHANGED].initialization = "xavier-normal";
    options[TARGETS].targets = true;
    for (int i = 0; i < WAYS; i++) {
        rs_network *network = NULL;
        rs_error error;
        rs_status status =
            rs_network_from_yaml((const char *)data, size, "net.yaml", &options[i], &network, &error);
        rs_fuzz_settle(status, &error);
        if (!status) {
            rs_fuzz_accept();
            look_at(network);
        }
        rs_network_destroy(network);
    }
    return 0;
}
