/* curvature.c: see curvature.h. Batches are dealt out to lanes, a few by the size of the network; each lane adds its batches
 * up in order, and the lanes are added up in order. */
#include "curvature.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "operators.h"
#include "rs/host.h"

enum { LANES = 8, HANDY_BATCH = 256, HANDY_NUMBERS = 1 << 20 };

/* What one thread works in. */
typedef struct workspace {
    rs__number **outputs, **gradients; /* [node] [batch, C, H, W] */
    rs__number *scratch;
    rs__number *memory;
} workspace;

/* Sums of a lane. */
typedef struct lane {
    rs__number *gradient; /* [size] */
    rs__number loss;
} lane;

struct rs__curvature {
    rs__curvature_options options;
    int64_t size, batch, batches;
    int64_t *offset; /* [parameter] of its first weight */
    rs__number *weights;
    int lane_count, threads;
    lane lanes[LANES];
    workspace *workspaces; /* [threads] */
    double scale;          /* what the loss of one sample, summed over its elements, counts */
};

static const rs_node *last_node(const rs_network *network)
{
    return &network->nodes[network->node_count - 1];
}

static rs_status check_network(const rs_network *network, rs_error *error)
{
    if (!rs_op_is_loss(last_node(network)->kind)) {
        return RS_FAIL(error, RS_UNSUPPORTED, "the network %s ends in no loss: it has no second derivatives",
                       network->name);
    }
    for (int i = 0; i < network->node_count; i++) {
        if (!rs__operator_of(network->nodes[i].kind)) {
            return RS_FAIL(error, RS_UNSUPPORTED, "%s: second derivatives of %s are not known here",
                           network->nodes[i].name, rs_op_name(network->nodes[i].kind));
        }
    }
    return RS_OK;
}

static int64_t numbers_of_a_sample(const rs_network *network)
{
    int64_t sum = 0;
    for (int i = 0; i < network->node_count; i++) {
        sum += rs__elements(network->nodes[i].shape);
    }
    return sum;
}

static int64_t scratch_size(const rs_network *network)
{
    int64_t largest = 1;
    for (int i = 1; i < network->node_count; i++) {
        const rs_node *node = &network->nodes[i];
        int64_t size = rs__scratch_size(node, network->nodes[node->input[0]].shape);
        largest = size > largest ? size : largest;
    }
    return largest;
}

static void choose_batch(rs__curvature *c)
{
    const rs__curvature_options *o = &c->options;
    int64_t numbers = numbers_of_a_sample(o->network);
    int64_t fit = numbers > 0 ? HANDY_NUMBERS / numbers : HANDY_BATCH;
    int64_t handy = fit < 1 ? 1 : fit < HANDY_BATCH ? fit : HANDY_BATCH;
    c->batch = o->batch > 0 ? o->batch : o->batch_statistics ? o->samples : handy;
    c->batch = c->batch < o->samples ? c->batch : o->samples;
    RS_ASSERT(c->batch > 0);
    c->batches = (o->samples + c->batch - 1) / c->batch;
}

/* A mean over samples, and over elements or classes where the loss is one. */
static double sample_scale(const rs_network *network, int64_t samples)
{
    const rs_node *loss = last_node(network);
    const int64_t elements = rs__elements(network->nodes[loss->input[0]].shape);
    const rs_reduction reduction = loss->attributes.reduction;
    bool divide = reduction == RS_REDUCTION_ELEMENTS ||
                  (reduction == RS_REDUCTION_MEAN && loss->kind == RS_OP_MEAN_SQUARED_ERROR);
    return 1.0 / ((double)samples * (divide ? (double)elements : 1.0));
}

static rs_status make_workspace(const rs__curvature *c, workspace *w, rs_error *error)
{
    const rs_network *network = c->options.network;
    const int64_t tensors = c->batch * numbers_of_a_sample(network);
    w->outputs = rs_alloc_array((size_t)network->node_count, sizeof *w->outputs);
    w->gradients = rs_alloc_array((size_t)network->node_count, sizeof *w->gradients);
    w->memory = rs_alloc_array((size_t)(2 * tensors + scratch_size(network)), sizeof *w->memory);
    if (!w->outputs || !w->gradients || !w->memory) {
        return RS_FAIL(error, RS_MEMORY,
                       "no memory for the second derivatives of %s: use fewer samples in a batch",
                       network->name);
    }
    rs__number *at = w->memory;
    for (int i = 0; i < network->node_count; i++) {
        w->outputs[i] = at;
        w->gradients[i] = at + tensors;
        at += c->batch * rs__elements(network->nodes[i].shape);
    }
    w->scratch = w->memory + 2 * tensors;
    return RS_OK;
}

static rs_status make_memory(rs__curvature *c, rs_error *error)
{
    const rs_network *network = c->options.network;
    c->offset = rs_alloc_array((size_t)network->parameter_count + 1, sizeof *c->offset);
    c->workspaces = rs_alloc_array((size_t)c->threads, sizeof *c->workspaces);
    if (!c->offset || !c->workspaces) {
        return RS_FAIL(error, RS_MEMORY, "no memory for the second derivatives of %s", network->name);
    }
    for (int i = 0; i < network->parameter_count; i++) {
        c->offset[i] = c->size;
        c->size += network->parameters[i].count;
    }
    c->weights = rs_alloc_array((size_t)c->size + 1, sizeof *c->weights);
    c->lane_count = c->batches < LANES ? (int)c->batches : LANES;
    bool complete = c->weights;
    for (int i = 0; i < c->lane_count; i++) {
        c->lanes[i].gradient = rs_alloc_array((size_t)c->size + 1, sizeof *c->lanes[i].gradient);
        complete = complete && c->lanes[i].gradient;
    }
    for (int i = 0; complete && i < c->threads; i++) {
        RS_TRY(make_workspace(c, &c->workspaces[i], error));
    }
    return complete ? RS_OK
                    : RS_FAIL(error, RS_MEMORY, "no memory for %lld weights and their derivatives",
                              (long long)c->size);
}

rs_status rs__curvature_create(const rs__curvature_options *options, rs__curvature **curvature,
                               rs_error *error)
{
    *curvature = NULL;
    RS_TRY(check_network(options->network, error));
    if (options->samples < 1 || options->samples > options->split->count) {
        return RS_FAIL(error, RS_USAGE, "%lld samples: the split has 1 to %lld", (long long)options->samples,
                       (long long)options->split->count);
    }
    rs__curvature *c = rs_alloc_zero(sizeof *c);
    if (!c) {
        return RS_FAIL(error, RS_MEMORY, "no memory for the second derivatives");
    }
    c->options = *options;
    choose_batch(c);
    c->scale = sample_scale(options->network, options->samples);
    c->threads = options->threads > 0 ? options->threads : omp_get_max_threads();
    c->threads = c->threads < c->batches ? c->threads : (int)c->batches;
    c->threads = c->threads < LANES ? c->threads : LANES;
    rs_status status = make_memory(c, error);
    if (status) {
        rs__curvature_destroy(c);
        return status;
    }
    *curvature = c;
    return RS_OK;
}

void rs__curvature_destroy(rs__curvature *c)
{
    if (!c) {
        return;
    }
    for (int i = 0; c->workspaces && i < c->threads; i++) {
        rs_free(c->workspaces[i].outputs);
        rs_free(c->workspaces[i].gradients);
        rs_free(c->workspaces[i].memory);
    }
    for (int i = 0; i < LANES; i++) {
        rs_free(c->lanes[i].gradient);
    }
    rs_free(c->workspaces);
    rs_free(c->weights);
    rs_free(c->offset);
    rs_free(c);
}

int64_t rs__curvature_size(const rs__curvature *c)
{
    return c->size;
}

int64_t rs__curvature_batch(const rs__curvature *c)
{
    return c->batch;
}

/* Samples as training sees them: bytes are normalised in float32. */
static void load_samples(const rs__curvature *c, int64_t begin, int64_t count, rs__number *x)
{
    const rs_dataset *data = c->options.dataset;
    const rs_split *split = c->options.split;
    const int64_t elements = rs__elements(c->options.network->nodes[0].shape);
    const int64_t plane = (int64_t)data->height * data->width;
    for (int64_t i = 0; i < count * elements; i++) {
        int64_t from = begin * elements + i;
        if (split->values) {
            x[i] = (double)split->values[from];
        } else {
            int64_t channel = i / plane % data->channels;
            float share = (float)split->images[from] / 255.0F;
            x[i] = (double)((share - data->mean[channel]) / data->std[channel]);
        }
    }
}

/* Everything the operator of node i reads and writes. */
static rs__call make_call(const rs__curvature *c, const workspace *w, lane *sums, int i, int64_t begin,
                          int64_t n)
{
    const rs_network *network = c->options.network;
    const rs_node *node = &network->nodes[i];
    const rs_split *split = c->options.split;
    rs__call call = {.node = node,
                     .n = n,
                     .out = node->shape,
                     .y = w->outputs[i],
                     .dy = w->gradients[i],
                     .batch_statistics = c->options.batch_statistics,
                     .labels = split->labels ? split->labels + begin : NULL,
                     .scale = c->scale,
                     .loss = &sums->loss,
                     .scratch = w->scratch};
    for (int k = 0; k < rs_op_inputs(node->kind); k++) {
        call.in[k] = network->nodes[node->input[k]].shape;
        call.x[k] = w->outputs[node->input[k]];
        call.dx[k] = node->input[k] > 0 ? w->gradients[node->input[k]] : NULL;
    }
    if (split->targets) {
        call.targets =
            split->targets + begin * rs__elements(network->nodes[last_node(network)->input[0]].shape);
    }
    if (node->weight >= 0) {
        call.w = c->weights + c->offset[node->weight];
        call.dw = sums->gradient + c->offset[node->weight];
    }
    if (node->bias >= 0) {
        call.b = c->weights + c->offset[node->bias];
        call.db = sums->gradient + c->offset[node->bias];
    }
    if (node->running_mean >= 0 && c->options.running) {
        call.running_mean = c->options.running[node->running_mean];
        call.running_variance = c->options.running[node->running_variance];
    }
    return call;
}

/* Forward and backward of one batch. Losses on the way (heads) do not count. */
static void run_batch(const rs__curvature *c, const workspace *w, lane *sums, int64_t index)
{
    const rs_network *network = c->options.network;
    const int64_t begin = index * c->batch, left = c->options.samples - begin;
    const int64_t n = left < c->batch ? left : c->batch;
    const int last = network->node_count - 1;
    load_samples(c, begin, n, w->outputs[0]);
    for (int i = 0; i < network->node_count; i++) {
        memset(w->gradients[i], 0, (size_t)(n * rs__elements(network->nodes[i].shape)) * sizeof(rs__number));
        if (i > 0 && (i == last || !rs_op_is_loss(network->nodes[i].kind))) {
            const rs__call call = make_call(c, w, sums, i, begin, n);
            rs__operator_of(call.node->kind)->forward(&call);
        }
    }
    for (int i = last; i > 0; i--) {
        if (i == last || !rs_op_is_loss(network->nodes[i].kind)) {
            const rs__call call = make_call(c, w, sums, i, begin, n);
            rs__operator_of(call.node->kind)->backward(&call);
        }
    }
}

static void run_lane(const rs__curvature *c, const workspace *w, lane *sums, int number)
{
    memset(sums->gradient, 0, (size_t)c->size * sizeof *sums->gradient);
    sums->loss = 0.0;
    for (int64_t i = number; i < c->batches; i += c->lane_count) {
        run_batch(c, w, sums, i);
    }
}

/* One thread of BLAS in each of ours: also where there is one alone, which would not count as a parallel region. */
static void run_lanes(rs__curvature *c)
{
    const int before = omp_get_max_threads();
    omp_set_num_threads(1);
#pragma omp parallel for schedule(static, 1) num_threads(c->threads)
    for (int i = 0; i < c->lane_count; i++) {
        run_lane(c, &c->workspaces[omp_get_thread_num()], &c->lanes[i], i);
    }
    omp_set_num_threads(before);
}

void rs__curvature_product(rs__curvature *c, const double *weights, const double *direction, double *loss,
                           double *gradient, double *product)
{
    RS_ASSERT(direction || !product);
    for (int64_t i = 0; i < c->size; i++) {
        c->weights[i] = CMPLX(weights[i], direction ? ldexp(direction[i], -RS__STEP_EXPONENT) : 0.0);
    }
    run_lanes(c);
    for (int64_t i = 0; i < c->size; i++) {
        double real = 0.0, imaginary = 0.0;
        for (int l = 0; l < c->lane_count; l++) {
            real += creal(c->lanes[l].gradient[i]);
            imaginary += cimag(c->lanes[l].gradient[i]);
        }
        if (gradient) {
            gradient[i] = real;
        }
        if (product) {
            product[i] = ldexp(imaginary, RS__STEP_EXPONENT);
        }
    }
    for (int l = 0; loss && l < c->lane_count; l++) {
        *loss = (l > 0 ? *loss : 0.0) + creal(c->lanes[l].loss);
    }
}
