/* resnet.c: residual networks (He et al. 2016) and their plain twins, named as torchvision names them.
 *
 *   stem    conv1 7x7/2 -> bn1 -> relu -> maxpool 3x3/2
 *   basic   conv1 3x3 -> bn1 -> relu1 -> conv2 3x3 -> bn2 ------------------> (add) -> relu
 *   bottle  conv1 1x1 -> bn1 -> relu1 -> conv2 3x3 -> bn2 -> relu2 -> conv3 1x1 x4 -> bn3 -> (add) -> relu
 *   (add)   residual only; from the block's input, through downsample.0 1x1 -> downsample.1 bn where the
 *           shape changes
 *   head    avgpool -> fc -> loss
 *
 * Even width: 128 channels and stride 1 in every block. Standard width: 64 128 256 512, stride 2 at stages 2
 * to 4. */
#include <stdio.h>
#include <string.h>

#include "rs/network.h"

typedef struct resnet_family {
    int depth;
    bool bottleneck;
    int blocks[4];
} resnet_family;

static const resnet_family families[] = {
    {18, false, {2, 2, 2, 2}}, {26, true, {2, 2, 2, 2}},   {34, false, {3, 4, 6, 3}},
    {50, true, {3, 4, 6, 3}},  {68, false, {3, 4, 23, 3}}, {101, true, {3, 4, 23, 3}},
};
enum {
    FAMILIES = sizeof families / sizeof families[0],
    EXPANSION = 4,
    STEM_CHANNELS = 64,
    EVEN_CHANNELS = 128
};

/* Where building stands. */
typedef struct builder {
    rs_network *network;
    const rs_resnet_options *options;
    bool bottleneck;
    char prefix[32];  /* "layer1.0." of the block under way, "" outside */
    int block;        /* its index, or -1 */
    const char *unit; /* "stem", the block's name, "fc" */
    rs_error *error;
} builder;

static rs_status add_node(builder *b, const char *name, rs_op_kind kind, rs_node_attributes attributes,
                          int input, int other, bool counts, int *node)
{
    char full[RS_NAME_MAX];
    (void)snprintf(full, sizeof full, "%s%s", b->prefix, name);
    rs_node_spec spec = {.name = full,
                         .kind = kind,
                         .attributes = attributes,
                         .input = {input, other},
                         .block = counts ? b->block : -1,
                         .unit = b->unit,
                         .weight_initializer =
                             kind == RS_OP_LINEAR ? RS_INIT_UNIFORM_FAN_IN : RS_INIT_KAIMING_NORMAL_FAN_OUT,
                         .bias_initializer = RS_INIT_UNIFORM_FAN_IN};
    return rs_network_add(b->network, &spec, node, b->error);
}

static rs_status add_convolution(builder *b, const char *name, int64_t channels, int kernel, int stride,
                                 int *node)
{
    rs_node_attributes a = {.channels = channels, .kernel = kernel, .stride = stride, .padding = kernel / 2};
    return add_node(b, name, RS_OP_CONVOLUTION, a, *node, 0, true, node);
}

/* A batch norm's weight and bias count in the block's distance only in a shortcut. */
static rs_status add_batch_norm(builder *b, const char *name, bool counts, int *node)
{
    rs_node_attributes a = {.epsilon = 1e-5, .momentum = 0.1};
    return add_node(b, name, RS_OP_BATCH_NORM, a, *node, 0, counts, node);
}

static rs_status add_activation(builder *b, const char *name, int *node)
{
    return add_node(b, name, b->options->smooth ? RS_OP_SOFTPLUS : RS_OP_RELU, (rs_node_attributes){0}, *node,
                    0, false, node);
}

static rs_status add_basic_body(builder *b, int64_t channels, int stride, int *node)
{
    RS_TRY(add_convolution(b, "conv1", channels, 3, stride, node));
    RS_TRY(add_batch_norm(b, "bn1", false, node));
    RS_TRY(add_activation(b, "relu1", node));
    RS_TRY(add_convolution(b, "conv2", channels, 3, 1, node));
    return add_batch_norm(b, "bn2", false, node);
}

static rs_status add_bottleneck_body(builder *b, int64_t channels, int stride, int *node)
{
    RS_TRY(add_convolution(b, "conv1", channels, 1, 1, node));
    RS_TRY(add_batch_norm(b, "bn1", false, node));
    RS_TRY(add_activation(b, "relu1", node));
    RS_TRY(add_convolution(b, "conv2", channels, 3, stride, node));
    RS_TRY(add_batch_norm(b, "bn2", false, node));
    RS_TRY(add_activation(b, "relu2", node));
    RS_TRY(add_convolution(b, "conv3", channels * EXPANSION, 1, 1, node));
    return add_batch_norm(b, "bn3", false, node);
}

static rs_status add_shortcut(builder *b, int input, int stride, int *node)
{
    const int64_t *from = b->network->nodes[input].shape, *to = b->network->nodes[*node].shape;
    int shortcut = input;
    if (memcmp(from, to, sizeof(int64_t[3])) != 0) {
        RS_TRY(add_convolution(b, "downsample.0", to[0], 1, stride, &shortcut));
        RS_TRY(add_batch_norm(b, "downsample.1", true, &shortcut));
    }
    return add_node(b, "add", RS_OP_ADD, (rs_node_attributes){0}, *node, shortcut, false, node);
}

static rs_status add_block(builder *b, int stage, int place, int *node)
{
    int64_t channels = b->options->standard ? (int64_t)STEM_CHANNELS << stage : EVEN_CHANNELS;
    int stride = b->options->standard && stage > 0 && place == 0 ? 2 : 1;
    int input = *node;
    char name[RS_NAME_MAX];
    (void)snprintf(name, sizeof name, "layer%d.%d", stage + 1, place);
    (void)snprintf(b->prefix, sizeof b->prefix, "%s.", name);
    b->unit = name;
    RS_TRY(rs_network_add_block(b->network, name, &b->block, b->error));
    RS_TRY(b->bottleneck ? add_bottleneck_body(b, channels, stride, node)
                         : add_basic_body(b, channels, stride, node));
    if (!b->options->plain) {
        RS_TRY(add_shortcut(b, input, stride, node));
    }
    RS_TRY(add_activation(b, "relu", node));
    b->prefix[0] = '\0';
    b->unit = NULL;
    b->block = -1;
    return RS_OK;
}

static rs_status add_stem(builder *b, int *node)
{
    b->unit = "stem";
    RS_TRY(add_convolution(b, "conv1", STEM_CHANNELS, 7, 2, node));
    RS_TRY(add_batch_norm(b, "bn1", false, node));
    RS_TRY(add_activation(b, "relu", node));
    rs_node_attributes pool = {.kernel = 3, .stride = 2, .padding = 1};
    return add_node(b, "maxpool", b->options->smooth ? RS_OP_AVERAGE_POOL : RS_OP_MAX_POOL, pool, *node, 0,
                    false, node);
}

static rs_status add_head(builder *b, int *node)
{
    rs_node_attributes linear = {.channels = b->options->classes, .bias = true};
    b->unit = "fc";
    RS_TRY(add_node(b, "avgpool", RS_OP_GLOBAL_AVERAGE_POOL, (rs_node_attributes){0}, *node, 0, false, node));
    RS_TRY(add_node(b, "fc", RS_OP_LINEAR, linear, *node, 0, false, node));
    b->unit = NULL;
    return add_node(b, "loss", RS_OP_SOFTMAX_CROSS_ENTROPY, (rs_node_attributes){0}, *node, 0, false, node);
}

static rs_status add_all(builder *b, const int blocks[4])
{
    int node = 0;
    RS_TRY(add_stem(b, &node));
    for (int stage = 0; stage < 4; stage++) {
        for (int place = 0; place < blocks[stage]; place++) {
            RS_TRY(add_block(b, stage, place, &node));
        }
    }
    RS_TRY(add_head(b, &node));
    return rs_network_finish(b->network, b->error);
}

static const resnet_family *find_family(int depth)
{
    for (int i = 0; i < FAMILIES; i++) {
        if (families[i].depth == depth) {
            return &families[i];
        }
    }
    return NULL;
}

rs_status rs_resnet_build(const rs_resnet_options *options, rs_network **network, rs_error *error)
{
    const resnet_family *family = find_family(options->depth);
    if (!family) {
        return RS_FAIL(error, RS_USAGE, "depth %d: not one of 18, 26, 34, 50, 68, 101", options->depth);
    }
    bool own = options->blocks[0] || options->blocks[1] || options->blocks[2] || options->blocks[3];
    const int *blocks = own ? options->blocks : family->blocks;
    for (int i = 0; i < 4; i++) {
        if (blocks[i] < 1) {
            return RS_FAIL(error, RS_USAGE, "blocks %d,%d,%d,%d: every stage needs at least one block",
                           blocks[0], blocks[1], blocks[2], blocks[3]);
        }
    }
    char name[RS_NAME_MAX];
    int length = snprintf(name, sizeof name, "resnet%d%s", options->depth, options->plain ? "-plain" : "");
    if (own) {
        (void)snprintf(name + length, sizeof name - (size_t)length, "-blocks-%d-%d-%d-%d", blocks[0],
                       blocks[1], blocks[2], blocks[3]);
    }
    rs_network *made = NULL;
    RS_TRY(rs_network_create(name, options->channels, options->height, options->width, options->classes,
                             &made, error));
    builder b = {
        .network = made, .options = options, .bottleneck = family->bottleneck, .block = -1, .error = error};
    rs_status status = add_all(&b, blocks);
    if (status) {
        rs_network_destroy(made);
        return status;
    }
    *network = made;
    return RS_OK;
}
