/* graph.c: building a network node by node; see rs/network.h. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "rs/host.h"
#include "rs/network.h"
#include "shapes.h"

static const struct {
    const char *text;
    int inputs;
} op_table[] = {
#define X(name, text, inputs) {text, inputs},
#include "rs/ops.def"
#undef X
};

const char *rs_op_name(rs_op_kind kind)
{
    return op_table[kind].text;
}

bool rs_op_is_loss(rs_op_kind kind)
{
    return kind == RS_OP_SOFTMAX_CROSS_ENTROPY || kind == RS_OP_KL_DIVERGENCE ||
           kind == RS_OP_MEAN_SQUARED_ERROR;
}

int rs_op_inputs(rs_op_kind kind)
{
    return op_table[kind].inputs;
}

/* Makes room for one more element in an array of `count`: capacities are powers of two, so that the count
 * says when. */
static rs_status grow(void **array, int count, size_t size, rs_error *error)
{
    if (count & (count - 1)) {
        return RS_OK;
    }
    void *larger = rs_alloc_array(count ? 2 * (size_t)count : 1, size);
    if (!larger) {
        return RS_FAIL(error, RS_MEMORY, "no memory for a network of more than %d nodes", count);
    }
    if (count) {
        memcpy(larger, *array, (size_t)count * size);
    }
    rs_free(*array);
    *array = larger;
    return RS_OK;
}

static rs_status copy_name(char to[RS_NAME_MAX], const char *name, const char *suffix, rs_error *error)
{
    int length = snprintf(to, RS_NAME_MAX, "%s%s", name, suffix);
    if (length < 1 || length >= RS_NAME_MAX) {
        return RS_FAIL(error, RS_USAGE, "the name \"%s%s\" must have 1 to %d characters", name, suffix,
                       RS_NAME_MAX - 1);
    }
    return RS_OK;
}

static rs_status append_node(rs_network *network, const rs_node_spec *spec, const int64_t shape[3],
                             rs_error *error)
{
    RS_TRY(grow((void **)&network->nodes, network->node_count, sizeof *network->nodes, error));
    rs_node *node = &network->nodes[network->node_count];
    *node = (rs_node){.kind = spec->kind,
                      .attributes = spec->attributes,
                      .input = {spec->input[0], spec->input[1]},
                      .shape = {shape[0], shape[1], shape[2]},
                      .weight = -1,
                      .bias = -1,
                      .running_mean = -1,
                      .running_variance = -1,
                      .layer = -1,
                      .head = spec->head};
    RS_TRY(copy_name(node->name, spec->name, "", error));
    RS_TRY(copy_name(node->unit, spec->unit ? spec->unit : spec->name, "", error));
    network->node_count++;
    return RS_OK;
}

static rs_status append_layer(rs_network *network, rs_error *error)
{
    RS_TRY(grow((void **)&network->layers, network->layer_count, sizeof *network->layers, error));
    rs_node *node = &network->nodes[network->node_count - 1];
    rs_layer *layer = &network->layers[network->layer_count];
    *layer = (rs_layer){.kind = node->kind, .node = network->node_count - 1};
    memcpy(layer->name, node->name, sizeof layer->name);
    node->layer = network->layer_count++;
    return RS_OK;
}

/* Appends NODE.suffix to the trainable parameters, or to the buffers, and returns its index. */
static rs_status append_parameter(rs_network *network, bool buffer, const char *suffix,
                                  const rs_parameter *like, int *index, rs_error *error)
{
    rs_parameter **list = buffer ? &network->buffers : &network->parameters;
    int *count = buffer ? &network->buffer_count : &network->parameter_count;
    RS_TRY(grow((void **)list, *count, sizeof **list, error));
    rs_node *node = &network->nodes[network->node_count - 1];
    rs_parameter *parameter = &(*list)[*count];
    *parameter = *like;
    RS_TRY(copy_name(parameter->name, node->name, suffix, error));
    parameter->node = network->node_count - 1;
    parameter->layer = node->layer;
    parameter->count = rs_shape_count(&parameter->shape);
    if (parameter->count < 1 || parameter->count > RS__MOST_NUMBERS) {
        return RS_FAIL(error, RS_USAGE, "%s has too many elements", parameter->name);
    }
    *index = (*count)++;
    return RS_OK;
}

static rs_status append_weighted(rs_network *network, const rs_node_spec *spec, rs_error *error)
{
    rs_node *node = &network->nodes[network->node_count - 1];
    const int64_t *in = network->nodes[spec->input[0]].shape;
    int64_t out = spec->attributes.channels,
            window = (int64_t)spec->attributes.kernel * spec->attributes.kernel;
    rs_parameter weight = {.role = RS_ROLE_WEIGHT,
                           .initializer = spec->weight_initializer,
                           .std = spec->weight_std,
                           .head = spec->head,
                           .block = spec->block};
    if (spec->kind == RS_OP_CONVOLUTION) {
        weight.shape = (rs_shape){4, {out, in[0], spec->attributes.kernel, spec->attributes.kernel}};
        weight.fan_in = in[0] * window;
        weight.fan_out = out * window;
    } else {
        weight.fan_in = in[0] * in[1] * in[2];
        weight.fan_out = out;
        weight.shape = (rs_shape){2, {out, weight.fan_in}};
    }
    RS_TRY(append_parameter(network, false, ".weight", &weight, &node->weight, error));
    if (!spec->attributes.bias) {
        return RS_OK;
    }
    rs_parameter bias = weight;
    bias.role = RS_ROLE_BIAS;
    bias.initializer = spec->bias_initializer;
    bias.std = spec->bias_std;
    bias.shape = (rs_shape){1, {out}};
    return append_parameter(network, false, ".bias", &bias, &node->bias, error);
}

static rs_status append_batch_norm(rs_network *network, const rs_node_spec *spec, rs_error *error)
{
    rs_node *node = &network->nodes[network->node_count - 1];
    if (!(spec->attributes.epsilon > 0.0) ||
        !(spec->attributes.momentum >= 0.0 && spec->attributes.momentum <= 1.0)) {
        return RS_FAIL(error, RS_USAGE, "%s: epsilon %g must be above 0 and momentum %g within 0 to 1",
                       spec->name, spec->attributes.epsilon, spec->attributes.momentum);
    }
    rs_parameter like = {.shape = {1, {node->shape[0]}},
                         .fan_in = node->shape[0],
                         .fan_out = node->shape[0],
                         .block = spec->block};
    like.role = RS_ROLE_WEIGHT;
    like.initializer = RS_INIT_ONE;
    RS_TRY(append_parameter(network, false, ".weight", &like, &node->weight, error));
    like.role = RS_ROLE_BIAS;
    like.initializer = RS_INIT_ZERO;
    RS_TRY(append_parameter(network, false, ".bias", &like, &node->bias, error));
    like.block = -1;
    like.role = RS_ROLE_RUNNING_MEAN;
    RS_TRY(append_parameter(network, true, ".running_mean", &like, &node->running_mean, error));
    like.role = RS_ROLE_RUNNING_VARIANCE;
    like.initializer = RS_INIT_ONE;
    return append_parameter(network, true, ".running_var", &like, &node->running_variance, error);
}

rs_status rs_network_create(const char *name, int64_t channels, int64_t height, int64_t width, int classes,
                            rs_network **network, rs_error *error)
{
    if (channels < 1 || height < 1 || width < 1 || classes < 1) {
        return RS_FAIL(error, RS_USAGE,
                       "network %s: input [%" PRId64 ", %" PRId64 ", %" PRId64
                       "] and %d classes must all be at least 1",
                       name, channels, height, width, classes);
    }
    rs_network *made = rs_alloc_zero(sizeof *made);
    if (!made) {
        return RS_FAIL(error, RS_MEMORY, "no memory for a network");
    }
    made->classes = classes;
    rs_node_spec input = {.name = "input", .kind = RS_OP_INPUT, .block = -1};
    rs_status status = copy_name(made->name, name, "", error);
    status = status ? status : append_node(made, &input, (int64_t[3]){channels, height, width}, error);
    if (status) {
        rs_network_destroy(made);
        return status;
    }
    *network = made;
    return RS_OK;
}

rs_status rs_network_add(rs_network *network, const rs_node_spec *spec, int *node, rs_error *error)
{
    int64_t shape[3];
    if (rs_network_find_node(network, spec->name) >= 0) {
        return RS_FAIL(error, RS_USAGE, "two nodes are named %s; names must be unique", spec->name);
    }
    if (spec->block < -1 || spec->block >= network->block_count) {
        return RS_FAIL(error, RS_USAGE, "%s: there is no block %d", spec->name, spec->block);
    }
    RS_TRY(rs__node_shape(network, spec, shape, error));
    RS_TRY(append_node(network, spec, shape, error));
    RS_TRY(append_layer(network, error));
    *node = network->node_count - 1;
    switch (spec->kind) {
    case RS_OP_CONVOLUTION:
    case RS_OP_LINEAR:
        return append_weighted(network, spec, error);
    case RS_OP_BATCH_NORM:
        return append_batch_norm(network, spec, error);
    default:
        return RS_OK;
    }
}

rs_status rs_network_add_block(rs_network *network, const char *name, int *block, rs_error *error)
{
    RS_TRY(grow((void **)&network->blocks, network->block_count, sizeof *network->blocks, error));
    rs_block *made = &network->blocks[network->block_count];
    *made = (rs_block){.depth = network->block_count + 1};
    RS_TRY(copy_name(made->name, name, "", error));
    *block = network->block_count++;
    return RS_OK;
}

rs_status rs_network_finish(rs_network *network, rs_error *error)
{
    if (network->node_count < 2) {
        return RS_FAIL(error, RS_USAGE, "network %s has no layers", network->name);
    }
    network->weight_count = 0;
    for (int i = 0; i < network->block_count; i++) {
        network->blocks[i].weights = 0;
    }
    for (int i = 0; i < network->parameter_count; i++) {
        const rs_parameter *parameter = &network->parameters[i];
        network->weight_count += parameter->head ? 0 : parameter->count;
        if (parameter->block >= 0) {
            network->blocks[parameter->block].weights += parameter->count;
        }
    }
    return RS_OK;
}

void rs_network_destroy(rs_network *network)
{
    if (network) {
        rs_free(network->nodes);
        rs_free(network->parameters);
        rs_free(network->buffers);
        rs_free(network->layers);
        rs_free(network->blocks);
        rs_free(network->source);
        rs_free(network);
    }
}

int rs_network_find_node(const rs_network *network, const char *name)
{
    for (int i = 0; i < network->node_count; i++) {
        if (strcmp(network->nodes[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}

int rs_network_find_parameter(const rs_network *network, const char *name)
{
    for (int i = 0; i < network->parameter_count; i++) {
        if (strcmp(network->parameters[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}

/* What does not fit into an integer is the largest one. */
static int64_t add_product(int64_t sum, int64_t a, int64_t b)
{
    return __builtin_mul_overflow(a, b, &a) || __builtin_add_overflow(sum, a, &sum) ? INT64_MAX : sum;
}

int64_t rs_network_flops(const rs_network *network)
{
    int64_t flops = 0;
    for (int i = 0; i < network->node_count; i++) {
        const rs_node *node = &network->nodes[i];
        if (node->kind == RS_OP_CONVOLUTION || node->kind == RS_OP_LINEAR) {
            flops = add_product(flops, 2 * network->parameters[node->weight].count,
                                node->shape[1] * node->shape[2]);
        } else if (node->kind == RS_OP_MATRIX_PRODUCT) {
            const int64_t depth = network->nodes[node->input[0]].shape[2];
            flops = add_product(flops, 2 * node->shape[0] * node->shape[1] * node->shape[2], depth);
        }
    }
    return flops;
}
