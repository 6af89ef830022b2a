/* grey_convolution.c: the first layer of networks for grey images: convolutions of one channel, 3x3 at stride 1, with a max
 * pool of 2x2 behind. A library's kernels are for many channels: of one they reach a third of the processor's speed, and
 * their maps are four times what is kept. Where something looks at the map, it is written and the pool runs by itself.
 *
 * Kept: weights, bias as vectors [block][9 + 1][lanes] | the same of every group's sums | places. Scratch of a thread: the
 * image, within its padding | its gradient. */
#include <stdio.h>
#include <string.h>

#include "plan.h"

/* Whether a max pool of 2x2 reads the node, or its ReLU. */
static bool is_pooled(const rs_network *network, int node)
{
    int reader = rs__reader_of(network, node);
    if (reader >= 0 && network->nodes[reader].kind == RS_OP_RELU) {
        reader = rs__reader_of(network, reader);
    }
    if (reader < 0 || network->nodes[reader].kind != RS_OP_MAX_POOL) {
        return false;
    }
    const rs_node_attributes *pool = &network->nodes[reader].attributes;
    return pool->kernel == 2 && pool->stride == 2 && pool->padding == 0;
}

bool rs__is_grey_convolution(const rs_plan *plan, int node)
{
    const rs_node *n = &plan->network->nodes[node];
    return rs__is_small_convolution(plan, node) && plan->network->nodes[n->input[0]].shape[0] == 1 &&
           n->attributes.kernel == RS__GREY_KERNEL && n->attributes.stride == 1 &&
           is_pooled(plan->network, node);
}

/* Sizes in floats, and where things are kept. */
typedef struct grey {
    const rs__tensor *in, *out;
    rs__grey shape;
    int64_t lanes, padding, image, block, vectors, plane; /* plane: of a sample's block of the output */
    float *weights, *sums;                                /* vectors each; of every group */
    uint16_t *choice; /* NULL: the output is the map, or nothing runs backwards */
    size_t kept_bytes;
} grey;

static grey grey_of(const rs_plan *plan, const rs__op *op)
{
    grey g = {.in = &plan->tensors[op->input[0]], .out = &plan->tensors[op->output]};
    const int64_t groups = plan->options.training ? plan->groups : 0;
    g.lanes = plan->device->kernels->lanes;
    g.padding = rs__op_node(plan, op)->attributes.padding;
    g.shape = (rs__grey){.row = g.in->width + 2 * g.padding,
                         .height = rs__op_node(plan, op)->shape[1],
                         .width = rs__op_node(plan, op)->shape[2],
                         .relu = op->relu};
    g.image = (g.in->height + 2 * g.padding) * g.shape.row;
    g.block = (RS__GREY_WEIGHTS + 1) * g.lanes;
    g.vectors = g.out->blocks * g.block;
    g.weights = op->kept;
    g.sums = g.weights + g.vectors;
    g.plane = g.out->height * g.out->width * g.lanes;
    g.kept_bytes = (size_t)((1 + groups) * g.vectors) * sizeof(float);
    if (plan->options.training && op->pool > 0) {
        g.choice = (uint16_t *)(void *)(g.sums + groups * g.vectors);
        g.kept_bytes += (size_t)(rs__largest_batch(plan) * rs__sample_floats(plan, g.out)) * sizeof(uint16_t);
    }
    return g;
}

static rs_status grey_prepare(rs_plan *plan, rs__op *op, rs_error *error)
{
    (void)error;
    const grey g = grey_of(plan, op);
    op->kept_bytes = g.kept_bytes;
    op->thread_bytes = (size_t)(2 * g.image) * sizeof(float);
    op->cost = RS__GREY_WEIGHTS * g.out->blocks * g.shape.height * g.shape.width;
    return RS_OK;
}

static bool reached(const rs_plan *plan, int parameter)
{
    return parameter >= 0 && plan->parameters[parameter].reached;
}

/* Where weight k of output o is. */
static int64_t place_of(const grey *g, int64_t o, int k)
{
    return o / g->lanes * g->block + k * g->lanes + o % g->lanes;
}

static rs_status grey_begin_forward(rs_plan *plan, const rs__op *op, rs_error *error)
{
    (void)error;
    const grey g = grey_of(plan, op);
    const rs_node *node = rs__op_node(plan, op);
    const float *weights = plan->value + plan->parameters[node->weight].offset;
    const float *bias = node->bias >= 0 ? plan->value + plan->parameters[node->bias].offset : NULL;
    for (int64_t o = 0; o < node->shape[0]; o++) { /* padding stays 0 */
        for (int k = 0; k < RS__GREY_WEIGHTS; k++) {
            g.weights[place_of(&g, o, k)] = weights[o * RS__GREY_WEIGHTS + k];
        }
        g.weights[place_of(&g, o, RS__GREY_WEIGHTS)] = bias ? bias[o] : 0.0f;
    }
    return RS_OK;
}

/* Sample n of `values` within zeros; returns where it lies. */
static const float *padded(const rs_plan *plan, const grey *g, const float *values, int64_t n)
{
    float *to = rs__thread_scratch(plan);
    const int64_t step = g->in->plain ? 1 : g->lanes;
    const float *from = values + n * rs__sample_floats(plan, g->in);
    memset(to, 0, (size_t)g->image * sizeof(float));
    for (int64_t y = 0; y < g->in->height; y++) {
        float *row = to + (y + g->padding) * g->shape.row + g->padding;
        for (int64_t x = 0; x < g->in->width; x++) {
            row[x] = from[(y * g->in->width + x) * step];
        }
    }
    return to;
}

static uint16_t *choice_at(const grey *g, int64_t at)
{
    return g->choice ? g->choice + at : NULL;
}

static void grey_forward(rs_plan *plan, const rs__op *op, rs_mode mode, int64_t first, int64_t last)
{
    (void)mode;
    const grey g = grey_of(plan, op);
    const rs__kernels *kernels = plan->device->kernels;
    for (int64_t n = first; n < last; n++) {
        const float *image = padded(plan, &g, g.in->value, n);
        for (int64_t b = 0; b < g.out->blocks; b++) {
            const int64_t at = (n * g.out->blocks + b) * g.plane;
            const float *weights = g.weights + b * g.block;
            if (op->pool > 0) {
                kernels->grey_forward(&g.shape, image, weights, g.out->value + at, choice_at(&g, at));
            } else {
                kernels->grey_map(&g.shape, image, weights, g.out->value + at);
            }
        }
    }
}

static void add_gradients(const rs_plan *plan, const grey *g, int64_t n)
{
    const int64_t group = rs__group_of(plan, n);
    const float *image = padded(plan, g, g->in->again, n);
    float *sums = g->sums + group * g->vectors;
    if (n == rs__group_first(plan, group)) {
        memset(sums, 0, (size_t)g->vectors * sizeof(float));
    }
    for (int64_t b = 0; b < g->out->blocks; b++) {
        const int64_t at = (n * g->out->blocks + b) * g->plane;
        plan->device->kernels->grey_gradients(&g->shape, image, choice_at(g, at), g->out->gradient + at,
                                              sums + b * g->block);
    }
}

/* Lane 0 of the input's gradient has the channel, the others are padding. */
static void store_gradient(const grey *g, const float *dx, rs_pass pass, float *to)
{
    for (int64_t y = 0; y < g->in->height; y++) {
        const float *row = dx + (y + g->padding) * g->shape.row + g->padding;
        for (int64_t x = 0; x < g->in->width; x++, to += g->lanes) {
            if (pass == RS_PASS_SET) {
                memset(to, 0, (size_t)g->lanes * sizeof(float));
            }
            to[0] += row[x];
        }
    }
}

static void pass_back(const rs_plan *plan, const rs__op *op, const grey *g, int64_t n)
{
    float *dx = (float *)rs__thread_scratch(plan) + g->image;
    float *to = op->defers ? g->in->addend : g->in->gradient;
    memset(dx, 0, (size_t)g->image * sizeof(float));
    for (int64_t b = 0; b < g->out->blocks; b++) {
        const int64_t at = (n * g->out->blocks + b) * g->plane;
        plan->device->kernels->grey_backward(&g->shape, g->weights + b * g->block, choice_at(g, at),
                                             g->out->gradient + at, dx);
    }
    store_gradient(g, dx, op->defers ? RS_PASS_SET : op->pass[0],
                   to + n * g->in->height * g->in->width * g->lanes);
}

static void grey_backward(rs_plan *plan, const rs__op *op, int64_t first, int64_t last)
{
    const grey g = grey_of(plan, op);
    const rs_node *node = rs__op_node(plan, op);
    const bool learns = reached(plan, node->weight) || reached(plan, node->bias);
    for (int64_t n = first; n < last; n++) {
        if (learns) {
            add_gradients(plan, &g, n);
        }
        if (op->pass[0] != RS_PASS_NONE) {
            pass_back(plan, op, &g, n);
        }
    }
}

/* The groups' sums, to the first group's place, and from there to the arena. */
static void grey_end_backward(rs_plan *plan, const rs__op *op)
{
    const grey g = grey_of(plan, op);
    const rs_node *node = rs__op_node(plan, op);
    float *weights =
        reached(plan, node->weight) ? plan->gradient + plan->parameters[node->weight].offset : NULL;
    float *bias = reached(plan, node->bias) ? plan->gradient + plan->parameters[node->bias].offset : NULL;
    if (weights || bias) {
        plan->device->kernels->small_join(g.sums, g.vectors, rs__group_count(plan), g.vectors, g.sums);
    }
    for (int64_t o = 0; o < node->shape[0]; o++) {
        for (int k = 0; weights && k < RS__GREY_WEIGHTS; k++) {
            weights[o * RS__GREY_WEIGHTS + k] = g.sums[place_of(&g, o, k)];
        }
        if (bias) {
            bias[o] = g.sums[place_of(&g, o, RS__GREY_WEIGHTS)];
        }
    }
}

static void grey_describe(const rs__op *op, char *text, size_t capacity)
{
    (void)snprintf(text, capacity, "own kernel for grey images%s", op->pool > 0 ? ", with the max pool" : "");
}

const rs__op_class rs__op_grey_convolution = {
    .prepare = grey_prepare,
    .begin_forward = grey_begin_forward,
    .forward_samples = grey_forward,
    .backward_samples = grey_backward,
    .end_backward = grey_end_backward,
    .describe = grey_describe,
    .needs_input = true,
};
