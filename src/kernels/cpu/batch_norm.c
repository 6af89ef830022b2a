/* batch_norm.c: batch norm, alone or with the ReLU, or the join and the ReLU, behind it.
 *
 * The batch is cut into pieces of samples (and, for small batches, channel blocks) by its size alone; the
 * pieces' sums are doubles and are joined in their order, so that results do not depend on the number of
 * threads. */
#include <math.h>
#include <string.h>

#include "plan.h"

#define PIECES        32        /* of samples, at most */
#define STREAM_FLOATS (1 << 20) /* 4 MiB, larger than a core's cache: from here on written past the caches */

/* Vectors of one batch norm: kept, [padded channels] each. */
typedef struct norm {
    rs__norm_vectors vectors;
    float *inverse; /* 1 / sqrt(v + eps) */
    void *positive; /* bits of a joined one's ReLU */
    bool fixed;     /* the last forward pass took the running statistics: they are no function of its input */
} norm;

enum { VECTORS = 6 };

/* How a batch is cut. */
typedef struct cut {
    rs__range whole;
    int64_t samples;        /* of a piece */
    int64_t pieces, groups; /* of samples; of channel blocks */
} cut;

static int64_t padded_channels(const rs_plan *plan, const rs__op *op)
{
    return plan->tensors[op->output].blocks * plan->device->kernels->lanes;
}

static cut cut_batch(const rs_plan *plan, const rs__op *op)
{
    const rs__tensor *t = &plan->tensors[op->output];
    cut c = {.whole = {.last = plan->count,
                       .blocks = t->blocks,
                       .block_last = t->blocks,
                       .positions = t->height * t->width}};
    c.samples = (plan->count + PIECES - 1) / PIECES;
    c.pieces = (plan->count + c.samples - 1) / c.samples;
    c.groups = c.pieces >= PIECES / 2 ? 1 : t->blocks;
    return c;
}

static rs__range piece_range(const cut *c, int64_t task)
{
    rs__range range = c->whole;
    int64_t piece = task / c->groups, group = task % c->groups;
    range.first = piece * c->samples;
    range.last = range.first + c->samples < c->whole.last ? range.first + c->samples : c->whole.last;
    if (c->groups > 1) {
        range.block_first = group;
        range.block_last = group + 1;
    }
    return range;
}

static rs_status norm_prepare(rs_plan *plan, rs__op *op, rs_error *error)
{
    size_t channels = (size_t)padded_channels(plan, op);
    op->state = rs_alloc_array(1, sizeof(norm));
    if (!op->state) {
        return RS_FAIL(error, RS_MEMORY, "no memory for the batch norm %s", rs__op_node(plan, op)->name);
    }
    const rs__tensor *out = &plan->tensors[op->output];
    int64_t elements = rs__largest_batch(plan) * out->height * out->width * (int64_t)channels;
    op->kept_bytes =
        VECTORS * rs__round64(channels * sizeof(float)) + (op->joined && op->relu ? (size_t)elements / 8 : 0);
    op->shared_bytes = PIECES * 2 * channels * sizeof(double);
    return RS_OK;
}

static rs_status norm_bind(rs_plan *plan, rs__op *op, rs_error *error)
{
    (void)error;
    norm *state = op->state;
    size_t step = rs__round64((size_t)padded_channels(plan, op) * sizeof(float)) / sizeof(float);
    float *at = op->kept;
    float **const all[VECTORS] = {&state->vectors.mean,     &state->vectors.scale, &state->vectors.shift,
                                  &state->vectors.constant, &state->vectors.slope, &state->inverse};
    for (int i = 0; i < VECTORS; i++) {
        *all[i] = at + (size_t)i * step;
    }
    state->positive = at + VECTORS * step;
    return RS_OK;
}

static void norm_release(rs__op *op)
{
    rs_free(op->state);
    op->state = NULL;
}

/* Sums of one channel over all pieces; the two sums of a piece lie behind each other. */
static void join_pieces(const rs_plan *plan, const rs__op *op, const cut *c, int64_t channel, double *first,
                        double *second)
{
    int64_t channels = padded_channels(plan, op);
    const double *sums = plan->shared;
    *first = 0.0;
    *second = 0.0;
    for (int64_t piece = 0; piece < c->pieces; piece++) {
        *first += sums[2 * piece * channels + channel];
        *second += sums[(2 * piece + 1) * channels + channel];
    }
}

/* The channel's weight and bias; of a padding channel 0. */
static float parameter_of(const rs_plan *plan, int index, int64_t channel, float absent)
{
    return index < 0 ? absent : plan->value[plan->parameters[index].offset + (size_t)channel];
}

static void set_vectors(const rs_plan *plan, const rs__op *op, int64_t channel, double mean, double variance)
{
    const rs_node *node = rs__op_node(plan, op);
    const norm *state = op->state;
    double inverse = 1.0 / sqrt(variance + node->attributes.epsilon);
    state->vectors.mean[channel] = (float)mean;
    state->inverse[channel] = (float)inverse;
    state->vectors.scale[channel] =
        (float)((double)parameter_of(plan, node->weight, channel, 1.0f) * inverse);
    state->vectors.shift[channel] = parameter_of(plan, node->bias, channel, 0.0f);
}

static void update_running(const rs_plan *plan, const rs_node *node, int64_t channel, double mean,
                           double variance, double n)
{
    double momentum = node->attributes.momentum;
    if (node->running_mean >= 0) {
        float *at = plan->running[node->running_mean] + channel;
        *at = (float)((1.0 - momentum) * (double)*at + momentum * mean);
    }
    if (node->running_variance >= 0) {
        float *at = plan->running[node->running_variance] + channel;
        double unbiased = n > 1.0 ? variance * n / (n - 1.0) : variance;
        *at = (float)((1.0 - momentum) * (double)*at + momentum * unbiased);
    }
}

static void batch_statistics(rs_plan *plan, const rs__op *op, const cut *c)
{
    const rs__kernels *kernels = plan->device->kernels;
    const float *x = plan->tensors[op->input[0]].value;
    int64_t channels = padded_channels(plan, op);
    double *sums = plan->shared;
#pragma omp parallel for schedule(static)
    for (int64_t task = 0; task < c->pieces * c->groups; task++) {
        rs__range range = piece_range(c, task);
        double *sum = sums + 2 * (task / c->groups) * channels;
        kernels->norm_statistics(&range, x, sum, sum + channels);
    }
    double n = (double)(plan->count * c->whole.positions);
    for (int64_t channel = 0; channel < plan->tensors[op->output].channels; channel++) {
        double sum, square;
        join_pieces(plan, op, c, channel, &sum, &square);
        double mean = sum / n, variance = square / n - mean * mean;
        variance = variance < 0.0 ? 0.0 : variance;
        set_vectors(plan, op, channel, mean, variance);
        update_running(plan, rs__op_node(plan, op), channel, mean, variance, n);
    }
}

static void running_statistics(const rs_plan *plan, const rs__op *op)
{
    const rs_node *node = rs__op_node(plan, op);
    for (int64_t channel = 0; channel < plan->tensors[op->output].channels; channel++) {
        set_vectors(plan, op, channel, (double)plan->running[node->running_mean][channel],
                    (double)plan->running[node->running_variance][channel]);
    }
}

/* As backward reads them, and for its recomputation. */
static rs__norm_tensors tensors_of(const rs_plan *plan, const rs__op *op)
{
    const rs__tensor *in = &plan->tensors[op->input[0]], *out = &plan->tensors[op->output];
    const rs__tensor *residual = op->joined ? &plan->tensors[op->input[1]] : NULL;
    const norm *state = op->state;
    return (rs__norm_tensors){.x = in->again,
                              .residual = residual ? residual->again : NULL,
                              .y = out->again,
                              .positive = state->positive,
                              .dy = out->gradient,
                              .addend = out->addend,
                              .dx = in->gradient,
                              .pass_x = op->pass[0],
                              .dresidual = residual ? residual->gradient : NULL,
                              .pass_residual = residual ? op->pass[1] : RS_PASS_NONE,
                              .relu = op->relu,
                              .stream = plan->count * rs__sample_floats(plan, out) >= STREAM_FLOATS,
                              .joined = op->joined};
}

static void normalise(const rs_plan *plan, const rs__op *op, const cut *c, const rs__norm_tensors *t)
{
    const norm *state = op->state;
#pragma omp parallel for schedule(static)
    for (int64_t task = 0; task < c->pieces * c->groups; task++) {
        rs__range range = piece_range(c, task);
        plan->device->kernels->norm_forward(&range, &state->vectors, t);
    }
}

static rs_status norm_forward(rs_plan *plan, rs__op *op, rs_mode mode, rs_error *error)
{
    (void)error;
    cut c = cut_batch(plan, op);
    norm *state = op->state;
    state->fixed = rs_batch_norm_mode(rs__op_node(plan, op), &plan->options, mode) == RS_MODE_EVALUATE;
    if (!state->fixed) {
        batch_statistics(plan, op, &c);
    } else {
        running_statistics(plan, op);
    }
    rs__norm_tensors t = tensors_of(plan, op);
    t.x = plan->tensors[op->input[0]].value;
    t.residual = op->joined ? plan->tensors[op->input[1]].value : NULL;
    t.y = plan->tensors[op->output].value;
    normalise(plan, op, &c, &t);
    return RS_OK;
}

/* The vectors are still those of the forward pass. */
static rs_status norm_recompute(rs_plan *plan, rs__op *op, rs_error *error)
{
    (void)error;
    cut c = cut_batch(plan, op);
    rs__norm_tensors t = tensors_of(plan, op);
    normalise(plan, op, &c, &t);
    return RS_OK;
}

static void set_gradient(const rs_plan *plan, int parameter, int64_t channel, double gradient)
{
    if (parameter >= 0 && plan->parameters[parameter].reached) {
        plan->gradient[plan->parameters[parameter].offset + (size_t)channel] = (float)gradient;
    }
}

/* db = sum dy', dw = sum dy' xhat, and the vectors of dx = scale (dy' - db / n - xhat dw / n); a batch of
 * one value has exactly dx = 0. With fixed statistics dx = scale dy'. */
static void set_gradients(rs_plan *plan, const rs__op *op, const cut *c)
{
    const rs_node *node = rs__op_node(plan, op);
    const norm *state = op->state;
    double n = (double)(plan->count * c->whole.positions);
    for (int64_t channel = 0; channel < plan->tensors[op->output].channels; channel++) {
        double sum, product, inverse = (double)state->inverse[channel];
        join_pieces(plan, op, c, channel, &sum, &product);
        set_gradient(plan, node->weight, channel, product * inverse);
        set_gradient(plan, node->bias, channel, sum);
        state->vectors.constant[channel] = state->fixed ? 0.0f : (float)(sum / n);
        state->vectors.slope[channel] = state->fixed ? 0.0f : (float)(-inverse * inverse * product / n);
    }
}

static rs_status norm_backward(rs_plan *plan, rs__op *op, rs_error *error)
{
    (void)error;
    const rs__kernels *kernels = plan->device->kernels;
    const norm *state = op->state;
    cut c = cut_batch(plan, op);
    rs__norm_tensors t = tensors_of(plan, op);
    int64_t channels = padded_channels(plan, op);
    double *sums = plan->shared;
#pragma omp parallel for schedule(static)
    for (int64_t task = 0; task < c.pieces * c.groups; task++) {
        rs__range range = piece_range(&c, task);
        double *sum = sums + 2 * (task / c.groups) * channels;
        kernels->norm_gradients(&range, &state->vectors, &t, sum, sum + channels);
    }
    set_gradients(plan, op, &c);
    if (t.pass_residual == RS_PASS_SET) { /* is set: and it is the gradient before the ReLU */
        t.dy = t.dresidual;
        t.relu = t.joined = false;
        t.pass_residual = RS_PASS_NONE;
    }
    if (t.pass_x == RS_PASS_NONE && t.pass_residual == RS_PASS_NONE) {
        return RS_OK;
    }
#pragma omp parallel for schedule(static)
    for (int64_t task = 0; task < c.pieces * c.groups; task++) {
        rs__range range = piece_range(&c, task);
        kernels->norm_backward(&range, &state->vectors, &t);
    }
    return RS_OK;
}

static void norm_describe(const rs__op *op, char *text, size_t capacity)
{
    const char *what = op->joined ? "fused with add and relu" : op->relu ? "fused with relu" : "own kernel";
    size_t length = strlen(what) < capacity ? strlen(what) : capacity - 1;
    memcpy(text, what, length);
    text[length] = 0;
}

const rs__op_class rs__op_batch_norm = {
    .prepare = norm_prepare,
    .bind = norm_bind,
    .forward = norm_forward,
    .backward = norm_backward,
    .recompute = norm_recompute,
    .release = norm_release,
    .describe = norm_describe,
    .needs_input = true,
};
