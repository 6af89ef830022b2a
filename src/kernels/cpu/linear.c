/* linear.c: fully connected layers by oneDNN's product, which knows more processors than OpenBLAS (one that OpenBLAS has not
 * heard of gets its slowest kernels, a fifth of the speed) and is as fast on the others.
 *
 * A blocked tensor is used as it lies where its maps are 1x1 (rows with padding at their end) or its channels whole vectors:
 * then the weights lie in the blocks' order, too. Other maps are copied to canonical rows first. */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "plan.h"

enum { PIECE = 32 }; /* outputs of a product: fewer are slower */

/* Whether the weights are in the order of the input's blocks. */
static bool in_blocks(const rs_plan *plan, const rs__tensor *in)
{
    return !in->plain && in->height * in->width > 1 && in->channels % plan->device->kernels->lanes == 0;
}

/* Plain images are rows already; their gradient is blocked all the same. */
static bool needs_copy(const rs_plan *plan, const rs__tensor *in)
{
    return in->height * in->width > 1 && !in_blocks(plan, in);
}

static int features_of(const rs__tensor *t)
{
    return (int)(t->channels * t->height * t->width);
}

/* Of a tensor that is used as it lies. */
static int row_floats(const rs_plan *plan, const rs__tensor *t)
{
    return (int)(t->blocks * t->height * t->width) * plan->device->kernels->lanes;
}

/* The weights of an output are ordered as a sample of the input is. */
static rs_status order_weights(rs_plan *plan, const rs__op *op, rs_error *error)
{
    const rs__tensor *in = &plan->tensors[op->input[0]], *out = &plan->tensors[op->output];
    const int64_t lanes = plan->device->kernels->lanes;
    const rs__blocking blocking = {
        .rank = 4,
        .dims = {out->channels, in->channels, in->height, in->width},
        .strides = {features_of(in), in->height * in->width * lanes, in->width * lanes, lanes},
        .inner_count = 1,
        .inner_size = {lanes},
        .inner_dim = {1}};
    return rs__order_make(&plan->parameters[rs__op_node(plan, op)->weight].order, &blocking, error);
}

/* The library's product counts in int; so does what is above. */
static rs_status check_size(const rs_node *node, const rs__tensor *in, rs_error *error)
{
    return in->channels * in->height * in->width <= INT_MAX
               ? RS_OK
               : RS_FAIL(error, RS_UNSUPPORTED,
                         "%s: an input of %" PRId64 " x %" PRId64 " x %" PRId64
                         " is too large here; at most %d numbers",
                         node->name, in->channels, in->height, in->width, INT_MAX);
}

static rs_status linear_prepare(rs_plan *plan, rs__op *op, rs_error *error)
{
    const rs__tensor *in = &plan->tensors[op->input[0]];
    RS_TRY(check_size(rs__op_node(plan, op), in, error));
    if (in_blocks(plan, in)) {
        return order_weights(plan, op, error);
    }
    if (needs_copy(plan, in)) {
        size_t canonical = rs__round64((size_t)(rs__largest_batch(plan) * features_of(in)) * sizeof(float));
        size_t blocked = (size_t)(rs__largest_batch(plan) * rs__sample_floats(plan, in)) * sizeof(float);
        op->shared_bytes = canonical + (op->pass[0] == RS_PASS_ADD ? blocked : 0);
        op->reorders = (in->plain ? 0 : 1 + (op->needed ? 1 : 0)) + (op->pass[0] != RS_PASS_NONE ? 1 : 0);
    }
    return RS_OK;
}

/* Input rows, in the order of the weights, and the floats from one row to the next. */
static const float *input_rows(rs_plan *plan, const rs__tensor *in, float *value, int *stride)
{
    if (!needs_copy(plan, in) && !in->plain) {
        *stride = row_floats(plan, in);
        return value;
    }
    *stride = features_of(in);
    if (in->plain) {
        return value;
    }
    rs__tensor_copy(plan, in, in->plain, RS__TO_CANONICAL, value, plan->shared, plan->count);
    return plan->shared;
}

/* What the product is added to: the bias, and zeros in the padding. */
static void begin_rows(const rs_plan *plan, const rs_node *node, const rs__tensor *out)
{
    const int64_t to = row_floats(plan, out), outputs = out->channels;
    const float *bias = node->bias >= 0 ? plan->value + plan->parameters[node->bias].offset : NULL;
#pragma omp parallel for schedule(static) if (rs__worth_threads(4 * plan->count * out->blocks))
    for (int64_t n = 0; n < plan->count; n++) {
        float *row = out->value + n * to;
        if (bias) {
            memcpy(row, bias, (size_t)outputs * sizeof(float));
            memset(row + outputs, 0, (size_t)(to - outputs) * sizeof(float));
        } else {
            memset(row, 0, (size_t)to * sizeof(float));
        }
    }
}

/* `count` columns of y += x W^T, from `first` on. */
static dnnl_status_t add_columns(const rs_plan *plan, const rs__op *op, const float *x, int stride, int first,
                                 int count)
{
    const rs__tensor *in = &plan->tensors[op->input[0]], *out = &plan->tensors[op->output];
    const float *weights = plan->value + plan->parameters[rs__op_node(plan, op)->weight].offset;
    const int features = features_of(in);
    return dnnl_sgemm('N', 'T', plan->count, count, features, 1.0f, x, stride,
                      weights + (int64_t)first * features, features, 1.0f, out->value + first,
                      row_floats(plan, out));
}

/* y += x W^T, by pieces of the outputs where every thread has one: the library would share out the sum over many features
 * among the threads and then add their parts. Few outputs are the library's to share out: not within a region that an `if`
 * makes one thread's, where it would start another thread at every call. */
static rs_status add_product(const rs_plan *plan, const rs__op *op, const float *x, int stride,
                             rs_error *error)
{
    const int outputs = (int)plan->tensors[op->output].channels;
    dnnl_status_t worst = dnnl_success;
    if (outputs < plan->device->threads * PIECE) {
        RS__DNN(error, add_columns(plan, op, x, stride, 0, outputs));
        return RS_OK;
    }
#pragma omp parallel for schedule(static) reduction(max : worst)
    for (int first = 0; first < outputs; first += PIECE) {
        int count = outputs - first < PIECE ? outputs - first : PIECE;
        dnnl_status_t status = add_columns(plan, op, x, stride, first, count);
        worst = status > worst ? status : worst;
    }
    RS__DNN(error, worst);
    return RS_OK;
}

static rs_status linear_forward(rs_plan *plan, rs__op *op, rs_mode mode, rs_error *error)
{
    (void)mode;
    const rs_node *node = rs__op_node(plan, op);
    const rs__tensor *in = &plan->tensors[op->input[0]], *out = &plan->tensors[op->output];
    int stride;
    const float *x = input_rows(plan, in, in->value, &stride);
    begin_rows(plan, node, out);
    return add_product(plan, op, x, stride, error);
}

/* Each output's sum runs over the samples in order, in double. */
static void bias_gradient(const rs_plan *plan, const rs__tensor *out, float *gradient)
{
    enum { TOGETHER = 64 };
    int stride = row_floats(plan, out);
#pragma omp parallel for schedule(static) if (rs__worth_threads(plan->count * out->blocks * 4))
    for (int64_t first = 0; first < out->channels; first += TOGETHER) {
        int64_t count = out->channels - first < TOGETHER ? out->channels - first : TOGETHER;
        double sums[TOGETHER] = {0.0};
        for (int64_t n = 0; n < plan->count; n++) {
            const float *row = out->gradient + n * stride + first;
            for (int64_t k = 0; k < count; k++) {
                sums[k] += (double)row[k];
            }
        }
        for (int64_t k = 0; k < count; k++) {
            gradient[first + k] = (float)sums[k];
        }
    }
}

/* dX = dY W straight into the gradient's rows. */
static rs_status rows_gradient(const rs_plan *plan, const rs__op *op, float *to, int stride, float beta,
                               rs_error *error)
{
    const rs__tensor *in = &plan->tensors[op->input[0]], *out = &plan->tensors[op->output];
    const float *weights = plan->value + plan->parameters[rs__op_node(plan, op)->weight].offset;
    RS__DNN(error, dnnl_sgemm('N', 'N', plan->count, features_of(in), out->channels, 1.0f, out->gradient,
                              row_floats(plan, out), weights, features_of(in), beta, to, stride));
    return RS_OK;
}

static rs_status input_gradient(rs_plan *plan, const rs__op *op, rs_error *error)
{
    const rs__tensor *in = &plan->tensors[op->input[0]];
    int stride = row_floats(plan, in), features = features_of(in);
    bool add = op->pass[0] == RS_PASS_ADD;
    if (!needs_copy(plan, in)) {
        size_t padding = (size_t)(stride - features) * sizeof(float);
        for (int64_t n = 0; !add && padding && n < plan->count; n++) {
            memset(in->gradient + n * stride + features, 0, padding);
        }
        return rows_gradient(plan, op, in->gradient, stride, add ? 1.0f : 0.0f, error);
    }
    float *rows = plan->shared;
    size_t canonical = rs__round64((size_t)(rs__largest_batch(plan) * features) * sizeof(float));
    float *blocked = add ? (float *)((char *)plan->shared + canonical) : in->gradient;
    RS_TRY(rows_gradient(plan, op, rows, features, 0.0f, error));
    rs__tensor_copy(plan, in, false, RS__FROM_CANONICAL, blocked, rows, plan->count);
    if (add) {
        rs__elements_pass(plan, in, blocked, in->gradient, RS_PASS_ADD);
    }
    return RS_OK;
}

static rs_status weight_gradient(rs_plan *plan, const rs__op *op, rs_error *error)
{
    const rs__tensor *in = &plan->tensors[op->input[0]], *out = &plan->tensors[op->output];
    int stride, features = features_of(in);
    const float *x = input_rows(plan, in, in->again, &stride);
    RS__DNN(error,
            dnnl_sgemm('T', 'N', out->channels, features, plan->count, 1.0f, out->gradient,
                       row_floats(plan, out), x, stride, 0.0f,
                       plan->gradient + plan->parameters[rs__op_node(plan, op)->weight].offset, features));
    return RS_OK;
}

static rs_status linear_backward(rs_plan *plan, rs__op *op, rs_error *error)
{
    const rs_node *node = rs__op_node(plan, op);
    const rs__tensor *out = &plan->tensors[op->output];
    if (plan->parameters[node->weight].reached) {
        RS_TRY(weight_gradient(plan, op, error));
    }
    if (node->bias >= 0 && plan->parameters[node->bias].reached) {
        bias_gradient(plan, out, plan->gradient + plan->parameters[node->bias].offset);
    }
    return op->pass[0] == RS_PASS_NONE ? RS_OK : input_gradient(plan, op, error);
}

static void linear_describe(const rs__op *op, char *text, size_t capacity)
{
    (void)snprintf(text, capacity, "sgemm%s", op->reorders ? ", rows copied" : "");
}

const rs__op_class rs__op_linear = {
    .prepare = linear_prepare,
    .forward = linear_forward,
    .backward = linear_backward,
    .describe = linear_describe,
    .needs_input = true,
};
