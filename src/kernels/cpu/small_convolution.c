/* small_convolution.c: convolutions of small maps, some samples at a time in each thread, with the max pool and the ReLU
 * behind them: what lies between convolution and pool is scratch that stays in a thread's cache, forward and backward, and
 * the memory sees the pooled maps alone.
 *
 *     forward    x -> y (scratch) -> out, and which place was largest
 *     backward   d out -> dy (scratch) -> sums of dW, db over a group of samples;  dy -> dx
 *
 * oneDNN's primitives are made for one thread, for `tile` samples and for one. Channels are whole vectors here, so that the
 * library finds kernels for every number of them: where the network's are not, weights and bias are padded copies.
 *
 * Kept: padded weights and bias | weights as dx reads them | sums of every group | places. Scratch of a thread: y or dy |
 * dx to be added | dW, db of a tile | the library's own. */
#include <stdio.h>
#include <string.h>

#include "small_primitives.h"

enum {
    MOST_WEIGHTS = 1 << 15, /* floats: every group keeps a sum of them */
    MOST_OUTPUTS = 1 << 17, /* floats of a sample: a quarter of a second cache of 2 MiB */
    TILE_OUTPUTS = 1 << 16, /* floats of a tile */
    MOST_SAMPLES = 8        /* of a tile: more is not faster */
};

/* --- what is small ---------------------------------------------------------------------------------------- */

/* Whether a max pool or a ReLU alone reads the node. */
static bool is_activated(const rs_network *network, int node)
{
    int count = 0;
    bool right = true;
    for (int i = node + 1; i < network->node_count; i++) {
        const rs_node *by = &network->nodes[i];
        for (int k = 0; k < rs_op_inputs(by->kind); k++) {
            if (by->input[k] == node) {
                count++;
                right = right && (by->kind == RS_OP_RELU || by->kind == RS_OP_MAX_POOL);
            }
        }
    }
    return count == 1 && right;
}

/* The library has its own kernels for vectors of 8 and 16, by the direct algorithm; Winograd's are faster for many channels. */
bool rs__is_small_convolution(const rs_plan *plan, int node)
{
    const rs_node *n = &plan->network->nodes[node];
    if (n->kind != RS_OP_CONVOLUTION || plan->options.convolution == RS_CONVOLUTION_WINOGRAD ||
        !rs__dnn_has_avx2() || !is_activated(plan->network, node)) {
        return false;
    }
    const rs_node *in = &plan->network->nodes[n->input[0]];
    int64_t from = rs__whole_vectors(plan, in->shape[0]), to = rs__whole_vectors(plan, n->shape[0]);
    return from * to * n->attributes.kernel * n->attributes.kernel <= MOST_WEIGHTS &&
           to * n->shape[1] * n->shape[2] <= MOST_OUTPUTS;
}

/* --- memory ----------------------------------------------------------------------------------------------- */

/* Where things are kept. */
typedef struct kept {
    float *weights, *bias; /* as forward reads them, padded; NULL: the arena's are */
    float *turned;
    float *sums; /* [group]: weights, bias */
    uint16_t *choice;
    size_t bytes;
} kept;

static int64_t group_floats(const rs__small *s)
{
    return s->weights + s->lanes_out;
}

static kept kept_of(const rs_plan *plan, const rs__op *op)
{
    const rs__small *s = op->state;
    kept k = {0};
    float *at = op->kept;
    size_t used = 0;
    k.weights = at + used;
    k.bias = k.weights + s->weights;
    used += s->padded ? (size_t)group_floats(s) : 0;
    k.turned = at + used;
    used += s->turns ? (size_t)s->turned_weights : 0;
    k.sums = at + used;
    used += rs__small_runs(plan, op, RS__BACKWARD_WEIGHTS) ? (size_t)(plan->groups * group_floats(s)) : 0;
    k.choice = (uint16_t *)(void *)(at + used);
    k.bytes = used * sizeof(float);
    if (op->pool > 0 && plan->options.training) {
        int64_t floats = rs__sample_floats(plan, &plan->tensors[op->output]);
        k.bytes += (size_t)(rs__largest_batch(plan) * floats) * sizeof(uint16_t);
    }
    return k;
}

/* Where a thread's scratch has what, and its bytes. */
typedef struct scratch {
    float *maps, *added, *sums;
    void *library;
    size_t bytes;
} scratch;

static scratch scratch_of(const rs_plan *plan, const rs__op *op, void *at)
{
    const rs__small *s = op->state;
    bool adds = op->pass[0] == RS_PASS_ADD && !op->defers;
    scratch c = {.maps = at};
    c.added = c.maps + (op->pool > 0 ? s->tile * s->outputs : 0);
    c.sums = c.added + (adds ? s->tile * s->inputs : 0);
    c.library = c.sums + (rs__small_runs(plan, op, RS__BACKWARD_WEIGHTS) ? group_floats(s) : 0);
    c.bytes = (size_t)((char *)c.library - (char *)at) + s->scratchpad;
    return c;
}

/* Tiles are powers of two, so that those of a segment are whole ones of each of its operations. */
static void choose_sizes(const rs_plan *plan, const rs__op *op)
{
    rs__small *s = op->state;
    const rs_node *node = rs__op_node(plan, op);
    const rs__tensor *in = &plan->tensors[op->input[0]];
    int64_t group = rs__largest_batch(plan) / plan->groups, most;
    s->lanes_out = rs__whole_vectors(plan, node->shape[0]);
    s->outputs = s->lanes_out * node->shape[1] * node->shape[2];
    s->inputs = rs__whole_vectors(plan, in->channels) * in->height * in->width;
    most = TILE_OUTPUTS / s->outputs < MOST_SAMPLES ? TILE_OUTPUTS / s->outputs : MOST_SAMPLES;
    most = group < most ? group : most;
    for (s->tile = 1; 2 * s->tile <= most;) {
        s->tile *= 2;
    }
}

static rs_status small_prepare(rs_plan *plan, rs__op *op, rs_error *error)
{
    rs__small *s = op->state = rs_alloc_array(1, sizeof *s);
    if (!s) {
        return RS_FAIL(error, RS_MEMORY, "no memory for the convolution %s", rs__op_node(plan, op)->name);
    }
    choose_sizes(plan, op);
    RS_TRY(rs__small_make(plan, op, error));
    op->kept_bytes = kept_of(plan, op).bytes;
    op->thread_bytes = scratch_of(plan, op, NULL).bytes;
    op->tile = s->tile;
    op->cost = s->weights * rs__op_node(plan, op)->shape[1] * rs__op_node(plan, op)->shape[2] /
               plan->device->kernels->lanes;
    return RS_OK;
}

/* The weights that forward reads, and the bias. */
static float *weights_of(const rs_plan *plan, const rs__op *op)
{
    const rs__small *s = op->state;
    return s->padded ? kept_of(plan, op).weights
                     : plan->value + plan->parameters[rs__op_node(plan, op)->weight].offset;
}

static float *bias_of(const rs_plan *plan, const rs__op *op)
{
    const rs__small *s = op->state;
    return s->padded ? kept_of(plan, op).bias
                     : plan->value + plan->parameters[rs__op_node(plan, op)->bias].offset;
}

static rs_status small_bind(rs_plan *plan, rs__op *op, rs_error *error)
{
    return rs__small_bind(plan, op, weights_of(plan, op), kept_of(plan, op).turned, error);
}

/* --- running ---------------------------------------------------------------------------------------------- */

/* The next samples of [first, last) that go through at once. */
static int64_t next_samples(const rs__small *s, int64_t first, int64_t last)
{
    return last - first >= s->tile ? s->tile : 1;
}

/* Between the convolution's maps and the output. */
static rs__window window_of(const rs_plan *plan, const rs__op *op)
{
    const int64_t *maps = rs__op_node(plan, op)->shape;
    return rs__pool_window(plan, op, &plan->network->nodes[op->pool], maps[1], maps[2]);
}

/* Canonical weights and padded ones: what is padding stays as it is. */
static void copy_padded(const rs__small *s, const rs_shape *shape, rs__direction direction, float *padded,
                        float *canonical)
{
    int64_t *const *table = s->order.table, at = 0;
    for (int64_t o = 0; o < shape->dim[0]; o++) {
        for (int64_t i = 0; i < shape->dim[1]; i++) {
            for (int64_t k = 0; k < shape->dim[2] * shape->dim[3]; k++, at++) {
                float *inside = padded + table[0][o] + table[1][i] + table[2][k / shape->dim[3]] +
                                table[3][k % shape->dim[3]];
                if (direction == RS__TO_CANONICAL) {
                    canonical[at] = *inside;
                } else {
                    *inside = canonical[at];
                }
            }
        }
    }
}

static rs_status small_begin_forward(rs_plan *plan, const rs__op *op, rs_error *error)
{
    (void)error;
    const rs__small *s = op->state;
    const rs_node *node = rs__op_node(plan, op);
    if (!s->padded) {
        return RS_OK;
    }
    copy_padded(s, &plan->network->parameters[node->weight].shape, RS__FROM_CANONICAL, weights_of(plan, op),
                plan->value + plan->parameters[node->weight].offset);
    if (rs__small_has_bias(plan, op)) {
        memcpy(bias_of(plan, op), plan->value + plan->parameters[node->bias].offset,
               (size_t)node->shape[0] * sizeof(float));
    }
    return RS_OK;
}

static void small_forward(rs_plan *plan, const rs__op *op, rs_mode mode, int64_t first, int64_t last)
{
    (void)mode;
    const rs__small *s = op->state;
    const rs__tensor *in = &plan->tensors[op->input[0]], *out = &plan->tensors[op->output];
    const int64_t from = rs__sample_floats(plan, in), to = rs__sample_floats(plan, out);
    const scratch own = scratch_of(plan, op, rs__thread_scratch(plan));
    const kept k = kept_of(plan, op);
    rs__small_work w = {.scratchpad = own.library,
                        .weights = weights_of(plan, op),
                        .bias = rs__small_has_bias(plan, op) ? bias_of(plan, op) : NULL};
    for (int64_t n = first, samples; n < last; n += samples) {
        samples = next_samples(s, n, last);
        w.in = in->value + n * from;
        w.out = op->pool > 0 ? own.maps : out->value + n * to;
        rs__small_call(plan, op, samples, RS__FORWARD, &w);
        if (op->pool > 0) {
            rs__window window = window_of(plan, op);
            plan->device->kernels->max_pool_forward(&window, 0, samples * out->blocks, own.maps,
                                                    out->value + n * to,
                                                    plan->options.training ? k.choice + n * to : NULL);
        }
    }
}

/* dW and db of some samples, into their group's sums: the first of a group sets them. */
static void add_gradients(const rs_plan *plan, const rs__op *op, int64_t n, int64_t samples, float *dy)
{
    const rs__small *s = op->state;
    const rs__tensor *in = &plan->tensors[op->input[0]];
    const scratch own = scratch_of(plan, op, rs__thread_scratch(plan));
    int64_t group = rs__group_of(plan, n);
    float *sums = kept_of(plan, op).sums + group * group_floats(s);
    bool sets = n == rs__group_first(plan, group);
    float *to = sets ? sums : own.sums;
    const rs__small_work w = {
        .in = in->again + n * rs__sample_floats(plan, in), .out = dy, .weights = to, .bias = to + s->weights};
    rs__small_call(plan, op, samples, RS__BACKWARD_WEIGHTS, &w);
    if (!sets) {
        int64_t count = rs__small_has_bias(plan, op) ? group_floats(s) : s->weights;
        plan->device->kernels->pass_gradient(own.sums, sums, RS_PASS_ADD, count);
    }
}

static void pass_back(const rs_plan *plan, const rs__op *op, int64_t n, int64_t samples, const float *dy)
{
    const rs__small *s = op->state;
    const rs__tensor *in = &plan->tensors[op->input[0]];
    bool adds = op->pass[0] == RS_PASS_ADD && !op->defers;
    const scratch own = scratch_of(plan, op, rs__thread_scratch(plan));
    float *to = (op->defers ? in->addend : in->gradient) + n * s->inputs;
    const rs__small_work w = {.scratchpad = own.library,
                              .in = dy,
                              .out = adds ? own.added : to,
                              .weights = s->turns ? kept_of(plan, op).turned : weights_of(plan, op)};
    rs__small_call(plan, op, samples, RS__BACKWARD_DATA, &w);
    if (adds) {
        plan->device->kernels->pass_gradient(own.added, to, RS_PASS_ADD, samples * s->inputs);
    }
}

static void small_backward(rs_plan *plan, const rs__op *op, int64_t first, int64_t last)
{
    const rs__small *s = op->state;
    const rs__tensor *out = &plan->tensors[op->output];
    const int64_t floats = rs__sample_floats(plan, out);
    const scratch own = scratch_of(plan, op, rs__thread_scratch(plan));
    const kept k = kept_of(plan, op);
    for (int64_t n = first, samples; n < last; n += samples) {
        float *dy = out->gradient + n * floats;
        samples = next_samples(s, n, last);
        if (op->pool > 0) {
            rs__window window = window_of(plan, op);
            plan->device->kernels->max_pool_backward(&window, 0, samples * out->blocks, k.choice + n * floats,
                                                     dy, own.maps, RS_PASS_SET);
            dy = own.maps;
        }
        if (rs__small_runs(plan, op, RS__BACKWARD_WEIGHTS)) {
            add_gradients(plan, op, n, samples, dy);
        }
        if (op->pass[0] != RS_PASS_NONE) {
            pass_back(plan, op, n, samples, dy);
        }
    }
}

/* The groups' sums, to the first group's place or to the arena. */
static void join_groups(const rs_plan *plan, const rs__op *op, float *to)
{
    enum { PIECE = 4096 };
    const rs__small *s = op->state;
    float *sums = kept_of(plan, op).sums;
    int64_t groups = rs__group_count(plan);
#pragma omp parallel for schedule(static) if (rs__worth_threads(s->weights * groups / 8))
    for (int64_t at = 0; at < s->weights; at += PIECE) {
        int64_t count = s->weights - at < PIECE ? s->weights - at : PIECE;
        plan->device->kernels->small_join(sums + at, group_floats(s), groups, count, to + at);
    }
}

static void small_end_backward(rs_plan *plan, const rs__op *op)
{
    const rs__small *s = op->state;
    const rs_node *node = rs__op_node(plan, op);
    float *sums = rs__small_runs(plan, op, RS__BACKWARD_WEIGHTS) ? kept_of(plan, op).sums : NULL;
    if (sums && rs__small_has_gradient(plan, node->weight)) {
        float *gradient = plan->gradient + plan->parameters[node->weight].offset;
        join_groups(plan, op, s->padded ? sums : gradient);
        if (s->padded) {
            copy_padded(s, &plan->network->parameters[node->weight].shape, RS__TO_CANONICAL, sums, gradient);
        }
    }
    if (sums && rs__small_has_gradient(plan, node->bias)) {
        plan->device->kernels->small_join(sums + s->weights, group_floats(s), rs__group_count(plan),
                                          node->shape[0],
                                          plan->gradient + plan->parameters[node->bias].offset);
    }
}

static void small_describe(const rs__op *op, char *text, size_t capacity)
{
    const rs__small *s = op->state;
    (void)snprintf(text, capacity, "%s | %s | %s, %d samples at a time%s%s", s->implementation[RS__FORWARD],
                   s->implementation[RS__BACKWARD_DATA][0] ? s->implementation[RS__BACKWARD_DATA] : "-",
                   s->implementation[RS__BACKWARD_WEIGHTS][0] ? s->implementation[RS__BACKWARD_WEIGHTS] : "-",
                   (int)s->tile, op->pool > 0 ? ", with the max pool" : "",
                   s->padded ? ", channels padded" : "");
}

const rs__op_class rs__op_small_convolution = {
    .prepare = small_prepare,
    .bind = small_bind,
    .begin_forward = small_begin_forward,
    .forward_samples = small_forward,
    .begin_backward = rs__small_turn,
    .backward_samples = small_backward,
    .end_backward = small_end_backward,
    .release = rs__small_release,
    .describe = small_describe,
    .needs_input = true,
};
