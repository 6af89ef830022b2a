/* test_network_file.c: networks from YAML: what a file can say, and how mistakes are told. */
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "rs/host.h"
#include "rs/network.h"
#include "rs/random.h"

static rs_network_options data(void)
{
    return rs_network_options_default(2, 8, 8, 10);
}

static rs_network *build_with(const char *text, rs_network_options options)
{
    rs_error error = {0};
    rs_network *network = NULL;
    harness_ok(rs_network_from_yaml(text, strlen(text), "nets/own.yaml", &options, &network, &error), &error);
    return network;
}

static rs_network *build(const char *text)
{
    return build_with(text, data());
}

static const rs_node *node(const rs_network *network, const char *name)
{
    int at = rs_network_find_node(network, name);
    if (at < 0) {
        fail_msg("no layer %s", name);
    }
    return &network->nodes[at];
}

static void expect_names(const rs_network *network, const char *const *names, int count)
{
    assert_int_equal(network->node_count, count + 2);
    for (int i = 0; i < count; i++) {
        assert_string_equal(network->nodes[i + 1].name, names[i]);
    }
    assert_string_equal(network->nodes[count + 1].name, "loss");
}

static void names_are_positions_as_in_sequential(void **state)
{
    (void)state;
    rs_network *network = build("layers:\n"
                                "  - {convolution: 4, kernel: 3}\n"
                                "  - relu\n"
                                "  - block: body\n"
                                "    layers: [{convolution: 4, kernel: 1}, relu]\n"
                                "  - {linear: 7, name: hidden}\n"
                                "  - linear: classes\n");
    static const char *const names[] = {"0", "1", "body.0", "body.1", "hidden", "4"};
    expect_names(network, names, 6);
    assert_string_equal(network->name, "own");
    assert_string_equal(network->parameters[0].name, "0.weight");
    assert_string_equal(network->parameters[3].name, "body.0.bias");
    assert_int_equal(network->parameters[6].shape.dim[0], 10);
    rs_network_destroy(network);
}

static void names_may_count_kinds(void **state)
{
    (void)state;
    rs_network *network = build("names: kinds\n"
                                "layers:\n"
                                "  - {convolution: 4, kernel: 3}\n"
                                "  - batch_norm\n"
                                "  - max_pool: 2\n"
                                "  - {convolution: 4, kernel: 3}\n"
                                "  - linear: classes\n");
    static const char *const names[] = {"conv1", "bn1", "pool1", "conv2", "linear1"};
    expect_names(network, names, 5);
    rs_network_destroy(network);
}

static void rounds_are_walked_and_numbered(void **state)
{
    (void)state;
    rs_network *network = build("layers:\n"
                                "  - times: 3\n"
                                "    layers:\n"
                                "      - {linear: 5, name: 'fc{}'}\n"
                                "      - relu\n"
                                "  - linear: classes\n");
    static const char *const names[] = {"fc0", "1", "fc1", "3", "fc2", "5", "6"};
    expect_names(network, names, 7);
    assert_int_equal(network->weight_count, 128 * 5 + 5 + 2 * 30 + 60);
    rs_network_destroy(network);
}

static void attributes_and_their_defaults_arrive(void **state)
{
    (void)state;
    rs_network *network = build("layers:\n"
                                "  - {convolution: 4, kernel: 3, stride: 2, padding: 1, bias: false}\n"
                                "  - {batch_norm: , epsilon: 1e-3, momentum: 0.2}\n"
                                "  - dropout\n"
                                "  - dropout: 0.25\n"
                                "  - {average_pool: 2, stride: 1}\n"
                                "  - max_pool: 2\n"
                                "  - linear: classes\n");
    const rs_node_attributes *conv = &network->nodes[1].attributes, *bn = &network->nodes[2].attributes;
    assert_true(conv->kernel == 3 && conv->stride == 2 && conv->padding == 1 && !conv->bias);
    assert_int_equal(network->nodes[1].shape[1], 4);
    assert_true(bn->epsilon == 1e-3 && bn->momentum == 0.2);
    assert_true(network->nodes[3].attributes.rate == 0.5 && network->nodes[4].attributes.rate == 0.25);
    assert_int_equal(network->nodes[5].attributes.stride, 1);
    assert_int_equal(network->nodes[6].attributes.stride, 2);
    rs_network_destroy(network);
}

static void inputs_go_by_name(void **state)
{
    (void)state;
    rs_network *network = build("layers:\n"
                                "  - {convolution: 4, kernel: 1, name: stem}\n"
                                "  - block: one\n"
                                "    layers:\n"
                                "      - {convolution: 4, kernel: 1, name: stem}\n"
                                "      - {add: block_input, name: join}\n"
                                "  - {sigmoid: , input: stem, name: side}\n"
                                "  - {divide: [one, side], name: ratio}\n"
                                "  - {add: one.stem, name: sum}\n"
                                "  - linear: classes\n");
    int stem = rs_network_find_node(network, "stem"), one = rs_network_find_node(network, "one.join");
    int inner = rs_network_find_node(network, "one.stem"), side = rs_network_find_node(network, "side");
    assert_true(node(network, "one.join")->input[0] == inner && node(network, "one.join")->input[1] == stem);
    assert_int_equal(node(network, "side")->input[0], stem);
    assert_true(node(network, "ratio")->input[0] == one && node(network, "ratio")->input[1] == side);
    assert_int_equal(node(network, "sum")->input[1], inner);
    rs_network_destroy(network);
}

static void study_operators_are_layers(void **state)
{
    (void)state;
    rs_network *network = build("layers:\n"
                                "  - {matrix_product: [input, input], name: product}\n"
                                "  - tanh\n"
                                "  - softmax\n"
                                "  - row_normalize\n"
                                "  - softplus\n"
                                "  - global_average_pool\n"
                                "  - {repeat: 3, axis: 2}\n"
                                "  - flatten\n"
                                "  - linear: classes\n");
    assert_int_equal(node(network, "product")->shape[2], 8);
    assert_int_equal(node(network, "6")->shape[2], 3);
    assert_int_equal(node(network, "7")->shape[0], 6);
    rs_network_destroy(network);
}

static void blocks_are_named_ones_or_each_layer_with_weights(void **state)
{
    (void)state;
    rs_network *network =
        build("layers: [{convolution: 4, kernel: 1}, batch_norm, relu, {linear: classes, counts: false}]\n");
    assert_int_equal(network->block_count, 2);
    assert_string_equal(network->blocks[0].name, "0");
    assert_int_equal(network->blocks[0].weights, 12);
    assert_int_equal(network->blocks[1].weights, 8);
    rs_network_destroy(network);
    network = build(
        "layers:\n"
        "  - times: 2\n"
        "    layers:\n"
        "      - block: part{}\n"
        "        layers: [{convolution: 2, kernel: 1}, {batch_norm: , counts: false}, {add: block_input}]\n"
        "  - linear: classes\n");
    assert_int_equal(network->block_count, 2);
    assert_string_equal(network->blocks[1].name, "part1");
    assert_int_equal(network->blocks[1].weights, 6);
    assert_int_equal(network->parameters[network->parameter_count - 1].block, -1);
    rs_error error = {0};
    rs_units units;
    harness_ok(rs_network_layers(network, &units, &error), &error);
    assert_int_equal(units.count, 3);
    assert_int_equal(units.units[1].edge_count, 2);
    rs_units_release(&units);
    rs_network_destroy(network);
}

static void initial_values_are_chosen_by_layer(void **state)
{
    (void)state;
    rs_network *network = build(
        "initialization: xavier-normal\n"
        "bias_initialization: zeros\n"
        "layers:\n"
        "  - {convolution: 4, kernel: 1}\n"
        "  - {convolution: 4, kernel: 1, initialization: normal, std: 1/8, bias_initialization: default}\n"
        "  - linear: classes\n");
    const rs_parameter *p = network->parameters;
    assert_true(p[0].initializer == RS_INIT_XAVIER_NORMAL && p[1].initializer == RS_INIT_ZERO);
    assert_true(p[2].initializer == RS_INIT_NORMAL && p[2].std == 0.125 &&
                p[3].initializer == RS_INIT_UNIFORM_FAN_IN);
    assert_true(p[4].initializer == RS_INIT_XAVIER_NORMAL && p[5].initializer == RS_INIT_ZERO);
    rs_network_destroy(network);
    network = build("layers: [linear: classes]\n");
    assert_true(network->parameters[0].initializer == RS_INIT_UNIFORM_FAN_IN);
    assert_true(network->parameters[1].initializer == RS_INIT_UNIFORM_FAN_IN);
    rs_network_destroy(network);
}

static void options_go_over_the_file(void **state)
{
    (void)state;
    rs_network_options options = data();
    options.dropout = 0.75;
    options.initialization = "normal";
    options.initialization_std = 0.5;
    rs_network *network =
        build_with("layers: [{linear: 4, initialization: zeros}, dropout: 0.1, linear: classes]\n", options);
    assert_true(network->nodes[2].attributes.rate == 0.75);
    assert_true(network->parameters[0].initializer == RS_INIT_NORMAL && network->parameters[0].std == 0.5);
    assert_true(network->parameters[1].initializer == RS_INIT_UNIFORM_FAN_IN);
    rs_network_destroy(network);
}

static void losses_come_from_data_options_and_file(void **state)
{
    (void)state;
    rs_network_options options = data();
    rs_network *network = build_with("layers: [linear: classes]\n", options);
    assert_int_equal(node(network, "loss")->kind, RS_OP_SOFTMAX_CROSS_ENTROPY);
    rs_network_destroy(network);
    options.loss = "kl-divergence";
    options.reduction = "elements";
    network = build_with("layers: [linear: classes]\n", options);
    assert_int_equal(node(network, "loss")->kind, RS_OP_KL_DIVERGENCE);
    assert_int_equal(node(network, "loss")->attributes.reduction, RS_REDUCTION_ELEMENTS);
    rs_network_destroy(network);
    options = data();
    network = build_with("{loss: kl-divergence, reduction: sum, layers: [linear: classes]}\n", options);
    assert_int_equal(node(network, "loss")->kind, RS_OP_KL_DIVERGENCE);
    assert_int_equal(node(network, "loss")->attributes.reduction, RS_REDUCTION_SUM);
    rs_network_destroy(network);
    options.targets = true;
    network = build_with("layers: [linear: classes]\n", options);
    assert_int_equal(node(network, "loss")->kind, RS_OP_MEAN_SQUARED_ERROR);
    rs_network_destroy(network);
}

static void resnets_take_the_same_options(void **state)
{
    (void)state;
    rs_error error = {0};
    rs_network *network = NULL;
    rs_resnet_options resnet = {.depth = 18, .channels = 3, .height = 32, .width = 32, .classes = 10};
    rs_network_options options = rs_network_options_default(3, 32, 32, 10);
    harness_ok(rs_resnet_build(&resnet, &network, &error), &error);
    harness_ok(rs_network_adjust(network, &options, &error), &error);
    assert_true(network->parameters[0].initializer == RS_INIT_KAIMING_NORMAL_FAN_OUT);
    options.loss = "kl-divergence";
    options.initialization = "xavier-uniform";
    harness_ok(rs_network_adjust(network, &options, &error), &error);
    assert_int_equal(node(network, "loss")->kind, RS_OP_KL_DIVERGENCE);
    assert_true(network->parameters[0].initializer == RS_INIT_XAVIER_UNIFORM);
    assert_true(network->parameters[1].initializer == RS_INIT_ONE);
    options.dropout = 0.5;
    harness_fails(rs_network_adjust(network, &options, &error), RS_USAGE, &error, "no dropout layer");
    rs_network_destroy(network);
}

typedef struct mistake {
    const char *text, *said;
} mistake;

static const mistake mistakes[] = {
    {"layers: [rleu]\n", "own.yaml:1: \"rleu\" is no kind of layer; nearest relu"},
    {"layers:\n  - relu\n  - {linear: 4, nmae: a}\n",
     "own.yaml:3: linear takes no key \"nmae\"; its keys are name, input, bias, counts, initialization, std, "
     "bias_initialization; nearest name"},
    {"layers:\n  - relu\n  - {max_pool: 9, name: big}\n", "own.yaml:3: big: a window of 9 does not fit"},
    {"layers:\n  - linear: 5\n",
     "own.yaml:2: loss: needs a vector of 10 scores, one per class, but 0 gives [5, 1, 1]"},
    {"layers:\n  - {convolution: 4}\n  - linear: classes\n", "own.yaml:2: a convolution needs a kernel"},
    {"layers:\n  - {convolution: 4, kernel: 0}\n  - linear: classes\n",
     "own.yaml:2: a convolution needs a kernel"},
    {"layers:\n  - linear\n", "own.yaml:2: linear needs a value"},
    {"layers:\n  - linear:\n", "own.yaml:2: linear needs a value"},
    {"layers:\n  - relu: 3\n", "own.yaml:2: relu takes no value"},
    {"layers:\n  - linear: -4\n", "own.yaml:2: linear -4: not a whole number from 1 to 16777216"},
    {"layers:\n  - dropout: 1\n  - linear: classes\n",
     "own.yaml:2: 0: dropout rate 1 must be at least 0 and below 1"},
    {"layers:\n  - {dropout: nan}\n  - linear: classes\n", "own.yaml:2: "},
    {"layers:\n  - {linear: 4, bias: yes}\n", "own.yaml:2: bias yes: not true or false"},
    {"layers:\n  - {linear: 4, initialization: he}\n", "own.yaml:2: initialization he: not one of default, "},
    {"layers:\n  - {linear: 4, initialization: normal}\n", "own.yaml:2: initialization normal needs its std"},
    {"layers:\n  - {linear: 4, std: 1}\n", "own.yaml:2: std is of initialization normal"},
    {"layers:\n  - {linear: 4, initialization: normal, std: 1/0}\n", "own.yaml:2: std 1/0: not a number"},
    {"layers:\n  - {linear: 4, initialization: normal, std: inf}\n", "own.yaml:2: std inf: not a number"},
    {"layers:\n  - {linear: 4, initialization: normal, std: nan}\n", "own.yaml:2: std nan: not a number"},
    {"layers:\n  - {linear: 4, initialization: normal, std: 1e300/1e-300}\n",
     "own.yaml:2: std 1e300/1e-300: not a number"},
    {"layers:\n  - block: a\n    layers: [linear: 4]\n  - {relu: ~, name: a}\n  - linear: classes\n",
     "own.yaml:4: a block is named a; a layer must have another name"},
    {"layers:\n  - {relu: ~, name: a}\n  - block: a\n    layers: [linear: 4]\n  - linear: classes\n",
     "own.yaml:3: a layer is named a; a block must have another name"},
    {"layers:\n  - {linear: 4, bias_initialization: normal}\n",
     "own.yaml:2: bias_initialization normal: not one of default, zeros"},
    {"layers:\n  - {linear: 4, name: input}\n", "own.yaml:2: two nodes are named input"},
    {"layers:\n  - {linear: 4, name: a/b}\n", "own.yaml:2: the name \"a/b\" may have letters"},
    {"layers:\n  - {linear: 4, name: 'a{}'}\n", "own.yaml:2: the name \"a{}\": {} is the number of a round"},
    {"layers:\n  - {linear: 4, name: one}\n  - {relu: , input: onne}\n",
     "own.yaml:3: the input \"onne\" is no layer before this one; nearest one"},
    {"layers:\n  - {linear: 4, name: one}\n  - {add: block_input}\n",
     "own.yaml:3: block_input is for layers of a block"},
    {"layers:\n  - {linear: 4, name: one}\n  - {add: [one]}\n", "own.yaml:3: add takes 2 inputs"},
    {"layers:\n  - {linear: 4, name: one}\n  - {linear: 5, input: input, name: two}\n  - {add: one}\n",
     "own.yaml:4: 2: adds two [5, 1, 1] and one [4, 1, 1]; shapes must be equal"},
    {"layers:\n  - {linear: 4, name: lost}\n  - {linear: classes, input: input}\n",
     "own.yaml:2: lost: no layer takes its output"},
    {"layers:\n  - block: a\n    layers:\n      - block: b\n        layers: [linear: classes]\n",
     "own.yaml:4: a block in the block a"},
    {"layers:\n  - times: 2\n    layers:\n      - block: a\n        layers: [linear: classes]\n",
     "own.yaml:4: two blocks are named a"},
    {"layers:\n  - block: a\n    layers: [relu]\n  - linear: classes\n",
     "own.yaml:2: the block a has no weights"},
    {"layers:\n  - block: a\n  - linear: classes\n", "own.yaml:2: block needs its layers"},
    {"layers:\n  - times: 0\n    layers: [relu]\n", "own.yaml:2: times 0: not a whole number from 1 to 4096"},
    {"layers:\n  - times: 4096\n    layers:\n      - times: 4096\n        layers: [relu]\n",
     "own.yaml:5: more than 4095 layers"},
    {"layers: []\n", "own.yaml:1: a network needs its layers"},
    {"layer: [relu]\n", "own.yaml:1: a network file takes no key \"layer\"; its keys are about, example, "
                        "names, loss, reduction, "
                        "layers, initialization, std, bias_initialization; nearest layers"},
    {"loss: hinge\nlayers: [linear: classes]\n",
     "own.yaml:1: loss hinge: not one of cross-entropy, kl-divergence, mse"},
    {"loss: mse\nlayers: [linear: classes]\n", "the loss mse needs data with targets"},
    {"names: mine\nlayers: [linear: classes]\n", "own.yaml:1: names mine: not positions or kinds"},
    {"example: {input: [1, 2], classes: 3}\nlayers: [linear: classes]\n",
     "own.yaml:1: input has three numbers"},
    {"layers: [linear: classes\n", "own.yaml:2: not valid YAML"},
    {"layers:\n  - []\n", "own.yaml:2: a layer is a kind, or a map that begins with one"},
};

static void mistakes_name_file_line_and_layer(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        rs_error error = {0};
        rs_network *network = NULL;
        rs_network_options options = data();
        rs_status status = rs_network_from_yaml(mistakes[i].text, strlen(mistakes[i].text), "own.yaml",
                                                &options, &network, &error);
        if (status != RS_USAGE || network || !strstr(error.text, mistakes[i].said)) {
            fail_msg("%s\ngives \"%s\"\ninstead of \"%s\"", mistakes[i].text,
                     status ? error.text : "(no error)", mistakes[i].said);
        }
    }
}

static void options_and_file_must_agree(void **state)
{
    (void)state;
    static const char text[] = "{loss: kl-divergence, reduction: sum, layers: [linear: classes]}\n";
    rs_error error = {0};
    rs_network *network = NULL;
    rs_network_options options = data();
    options.loss = "cross-entropy";
    harness_fails(rs_network_from_yaml(text, strlen(text), "a.yaml", &options, &network, &error), RS_USAGE,
                  &error, "--loss cross-entropy: the network's own file says kl-divergence");
    options = data();
    options.reduction = "elements";
    harness_fails(rs_network_from_yaml(text, strlen(text), "a.yaml", &options, &network, &error), RS_USAGE,
                  &error, "--loss-reduction elements: the network's own file says sum");
    options = data();
    options.targets = true;
    harness_fails(rs_network_from_yaml(text, strlen(text), "a.yaml", &options, &network, &error), RS_USAGE,
                  &error, "needs data with labels");
    options = data();
    options.dropout = 0.5;
    harness_fails(rs_network_from_yaml(text, strlen(text), "a.yaml", &options, &network, &error), RS_USAGE,
                  &error, "has no dropout layer");
}

static void targets_have_as_many_numbers_as_the_last_layer(void **state)
{
    (void)state;
    static const char text[] = "layers: [linear: 3]\n";
    rs_error error = {0};
    rs_network *network = NULL;
    rs_network_options options = rs_network_options_default(1, 1, 1, 2);
    options.targets = true;
    harness_fails(rs_network_from_yaml(text, strlen(text), "a.yaml", &options, &network, &error), RS_USAGE,
                  &error, "a.yaml:1: 0 gives 3 numbers, a target has 2");
}

/* Any text gives a network or an error, and loses nothing (the address sanitizer watches). */
static void any_text_gives_a_network_or_an_error(void **state)
{
    (void)state;
    static const char whole[] =
        "example: {input: [1, 8, 8], classes: 10}\nlayers:\n  - times: 2\n    layers:\n"
        "      - block: a{}\n        layers:\n          - {convolution: 2, kernel: 1, name: c}\n"
        "          - {add: [c, block_input]}\n  - dropout: 0.5\n  - {linear: classes, bias: false}\n";
    char text[sizeof whole];
    rs_network_options options = data();
    int refused = 0;
    for (uint64_t trial = 0; trial < 20000; trial++) {
        rs_error error = {0};
        rs_network *network = NULL;
        memcpy(text, whole, sizeof whole);
        for (uint64_t edit = 0; edit < 1 + trial % 3; edit++) {
            rs_philox w = rs_philox_at(5, trial, edit);
            text[w.word[0] % (sizeof whole - 1)] = whole[w.word[1] % (sizeof whole - 1)];
        }
        rs_status status = rs_network_from_yaml(text, strlen(text), "a.yaml", &options, &network, &error);
        assert_true(status == RS_OK ? network != NULL
                                    : status == RS_USAGE && !network && strstr(error.text, "a.yaml"));
        refused += status != RS_OK;
        rs_network_destroy(network);
    }
    assert_true(refused > 10000 && refused < 20000);
}

/* Memory may end at any allocation: an error, no crash, nothing lost. */
static size_t allocations_left, allocations_open;
static void *limited_allocate(void *context, size_t bytes)
{
    (void)context;
    if (allocations_left == 0) {
        return NULL;
    }
    allocations_left--;
    allocations_open++;
    return aligned_alloc(64, (bytes + 63) / 64 * 64 + 64);
}
static void limited_release(void *context, void *memory)
{
    (void)context;
    allocations_open -= memory != NULL;
    free(memory);
}

static void memory_may_end_anywhere(void **state)
{
    (void)state;
    static const char whole[] =
        "layers:\n  - block: a\n    layers: [{convolution: 4, kernel: 3}, batch_norm]\n  - linear: classes\n";
    rs_allocator limited = {.allocate = limited_allocate, .release = limited_release};
    rs_network_options options = data();
    bool done = false;
    rs_set_allocator(&limited);
    for (size_t limit = 0; !done && limit < 1000; limit++) {
        rs_error error = {0};
        rs_network *network = NULL;
        allocations_left = limit;
        allocations_open = 0;
        done = rs_network_from_yaml(whole, strlen(whole), "a.yaml", &options, &network, &error) == RS_OK;
        assert_true(done || (error.status == RS_MEMORY && !network));
        rs_network_destroy(network);
        assert_int_equal(allocations_open, 0);
    }
    rs_set_allocator(NULL);
    assert_true(done);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_positions_as_in_sequential),
        cmocka_unit_test(names_may_count_kinds),
        cmocka_unit_test(rounds_are_walked_and_numbered),
        cmocka_unit_test(attributes_and_their_defaults_arrive),
        cmocka_unit_test(inputs_go_by_name),
        cmocka_unit_test(study_operators_are_layers),
        cmocka_unit_test(blocks_are_named_ones_or_each_layer_with_weights),
        cmocka_unit_test(initial_values_are_chosen_by_layer),
        cmocka_unit_test(options_go_over_the_file),
        cmocka_unit_test(losses_come_from_data_options_and_file),
        cmocka_unit_test(resnets_take_the_same_options),
        cmocka_unit_test(mistakes_name_file_line_and_layer),
        cmocka_unit_test(options_and_file_must_agree),
        cmocka_unit_test(targets_have_as_many_numbers_as_the_last_layer),
        cmocka_unit_test(any_text_gives_a_network_or_an_error),
        cmocka_unit_test(memory_may_end_anywhere),
    };
    return cmocka_run_group_tests_name("network_file", tests, NULL, NULL);
}
