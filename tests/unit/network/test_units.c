/* test_units.c: what counts as a layer for isolation, the edges that enter it, and classifiers beside the network. */
#include <string.h>

#include "harness.h"
#include "rs/network.h"

static rs_network *resnet(bool plain)
{
    rs_error error = {0};
    rs_network *network = NULL;
    rs_resnet_options options = {
        .depth = 18, .plain = plain, .channels = 3, .height = 32, .width = 32, .classes = 10};
    harness_ok(rs_resnet_build(&options, &network, &error), &error);
    return network;
}

static void add(rs_network *network, const char *name, rs_op_kind kind, int64_t channels)
{
    rs_error error = {0};
    int node = 0;
    rs_node_spec spec = {.name = name,
                         .kind = kind,
                         .attributes = {.channels = channels, .bias = true},
                         .input = {network->node_count - 1},
                         .block = -1,
                         .weight_initializer = RS_INIT_UNIFORM_FAN_IN,
                         .bias_initializer = RS_INIT_UNIFORM_FAN_IN};
    harness_ok(rs_network_add(network, &spec, &node, &error), &error);
}

/* linear, ReLU, dropout, linear, loss: four modules. */
static rs_network *perceptron(void)
{
    rs_error error = {0};
    rs_network *network = NULL;
    harness_ok(rs_network_create("mlp", 1, 4, 4, 3, &network, &error), &error);
    add(network, "0", RS_OP_LINEAR, 8);
    add(network, "1", RS_OP_RELU, 0);
    add(network, "2", RS_OP_DROPOUT, 0);
    add(network, "3", RS_OP_LINEAR, 3);
    add(network, "loss", RS_OP_SOFTMAX_CROSS_ENTROPY, 0);
    harness_ok(rs_network_finish(network, &error), &error);
    return network;
}

static rs_units units_of(const rs_network *network)
{
    rs_error error = {0};
    rs_units units;
    harness_ok(rs_network_layers(network, &units, &error), &error);
    return units;
}

static const rs_unit *find_unit(const rs_units *units, const char *name)
{
    for (int i = 0; i < units->count; i++) {
        if (strcmp(units->units[i].name, name) == 0) {
            return &units->units[i];
        }
    }
    fail_msg("no unit %s", name);
    return NULL;
}

static bool has_edge(const rs_network *network, const rs_units *units, const rs_unit *unit, const char *node,
                     int input)
{
    for (int i = 0; i < unit->edge_count; i++) {
        const rs_edge *edge = &units->edges[unit->first_edge + i];
        if (strcmp(network->nodes[edge->node].name, node) == 0 && edge->input == input) {
            return true;
        }
    }
    return false;
}

static void every_module_is_a_unit(void **state)
{
    (void)state;
    rs_network *network = perceptron();
    rs_units units = units_of(network);
    assert_int_equal(units.count, 4);
    assert_int_equal(units.edge_count, 3);
    assert_int_equal(units.units[0].edge_count, 0);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(units.units[i].node, i + 1);
        assert_string_equal(units.units[i].name, network->nodes[i + 1].name);
    }
    assert_true(has_edge(network, &units, &units.units[3], "3", 0));
    rs_units_release(&units);
    rs_network_destroy(network);
}

static void blocks_of_resnets_are_units(void **state)
{
    (void)state;
    rs_network *network = resnet(false);
    rs_units units = units_of(network);
    assert_int_equal(units.count, 10);
    assert_string_equal(units.units[0].name, "stem");
    assert_string_equal(network->nodes[units.units[0].node].name, "maxpool");
    const rs_unit *first = find_unit(&units, "layer1.0"), *second = find_unit(&units, "layer1.1");
    assert_string_equal(network->nodes[first->node].name, "layer1.0.relu");
    assert_int_equal(first->edge_count, 2);
    assert_true(has_edge(network, &units, first, "layer1.0.conv1", 0));
    assert_true(has_edge(network, &units, first, "layer1.0.downsample.0", 0));
    assert_int_equal(second->edge_count, 2);
    assert_true(has_edge(network, &units, second, "layer1.1.conv1", 0));
    assert_true(has_edge(network, &units, second, "layer1.1.add", 1));
    assert_true(has_edge(network, &units, &units.units[9], "avgpool", 0));
    assert_string_equal(network->nodes[units.units[9].node].name, "fc");
    rs_units_release(&units);
    rs_network_destroy(network);
}

static void plain_blocks_have_one_edge(void **state)
{
    (void)state;
    rs_network *network = resnet(true);
    rs_units units = units_of(network);
    assert_int_equal(units.count, 10);
    assert_int_equal(units.edge_count, 9);
    rs_units_release(&units);
    rs_network_destroy(network);
}

static void heads_stand_before_the_loss(void **state)
{
    (void)state;
    rs_error error = {0};
    rs_network *network = resnet(false);
    rs_units units = units_of(network);
    int64_t weights = network->weight_count;
    int nodes = network->node_count, losses[10];
    harness_ok(rs_network_add_heads(network, &units, NULL, losses, &error), &error);
    assert_int_equal(network->node_count, nodes + 9 * 3);
    assert_int_equal(network->weight_count, weights);
    assert_string_equal(network->nodes[network->node_count - 1].name, "loss");
    assert_string_equal(network->nodes[network->nodes[network->node_count - 1].input[0]].name, "fc");
    assert_string_equal(network->layers[network->layer_count - 1].name, "loss");
    assert_int_equal(losses[9], -1);
    assert_int_equal(losses[8], network->node_count - 2);
    assert_string_equal(network->nodes[losses[1]].name, "heads.layer1.0.loss");
    const rs_node *linear = &network->nodes[network->nodes[losses[1]].input[0]];
    assert_string_equal(linear->name, "heads.layer1.0");
    assert_int_equal(network->parameters[linear->weight].shape.dim[1], 128);
    assert_string_equal(network->parameters[linear->bias].name, "heads.layer1.0.bias");
    assert_true(network->parameters[linear->weight].head);
    assert_int_equal(network->nodes[linear->input[0]].input[0], find_unit(&units, "layer1.0")->node);
    rs_units_release(&units);
    units = units_of(network);
    assert_int_equal(units.count, 10);
    harness_fails(rs_network_add_heads(network, &units, NULL, NULL, &error), RS_USAGE, &error, "heads.stem");
    rs_units_release(&units);
    rs_network_destroy(network);
}

static void chosen_vectors_get_heads_without_a_pool(void **state)
{
    (void)state;
    rs_error error = {0};
    rs_network *network = perceptron();
    rs_units units = units_of(network);
    int losses[4];
    harness_ok(
        rs_network_add_heads(network, &units, (const bool[]){false, true, false, true}, losses, &error),
        &error);
    assert_int_equal(network->node_count, 6 + 4);
    assert_int_equal(losses[0], -1);
    assert_int_equal(losses[1], 6);
    assert_int_equal(losses[2], -1);
    assert_int_equal(losses[3], 8);
    for (int i = 0; i < network->node_count; i++) {
        const rs_layer *layer = i ? &network->layers[network->nodes[i].layer] : NULL;
        assert_true(!layer || (layer->node == i && strcmp(layer->name, network->nodes[i].name) == 0));
    }
    assert_int_equal(network->nodes[5].input[0], 2);
    rs_units_release(&units);
    rs_network_destroy(network);
}

static void without_classes_there_are_no_heads(void **state)
{
    (void)state;
    rs_error error = {0};
    rs_network *network = NULL;
    harness_ok(rs_network_create("line", 1, 1, 1, 1, &network, &error), &error);
    add(network, "0", RS_OP_LINEAR, 1);
    rs_units units = units_of(network);
    harness_fails(rs_network_add_heads(network, &units, NULL, NULL, &error), RS_USAGE, &error, "no loss");
    add(network, "loss", RS_OP_MEAN_SQUARED_ERROR, 0);
    harness_fails(rs_network_add_heads(network, &units, NULL, NULL, &error), RS_USAGE, &error, "no classes");
    rs_units_release(&units);
    rs_network_destroy(network);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_module_is_a_unit),
        cmocka_unit_test(blocks_of_resnets_are_units),
        cmocka_unit_test(plain_blocks_have_one_edge),
        cmocka_unit_test(heads_stand_before_the_loss),
        cmocka_unit_test(chosen_vectors_get_heads_without_a_pool),
        cmocka_unit_test(without_classes_there_are_no_heads),
    };
    return cmocka_run_group_tests_name("units", tests, NULL, NULL);
}
