/* linear.c: fully connected layers by OpenBLAS. After global pooling a blocked tensor with 1x1 maps is plain
 * rows [N, padded channels] and is used as it lies; larger maps are copied to canonical rows first. */
#include <cblas.h>
#include <stdio.h>
#include <string.h>

#include "plan.h"

/* Plain images are rows already; their gradient is blocked all the same. */
static bool needs_copy(const rs__tensor *in)
{
    return in->height * in->width > 1;
}

static int features_of(const rs__tensor *t)
{
    return (int)(t->channels * t->height * t->width);
}

static int row_floats(const rs_plan *plan, const rs__tensor *t)
{
    return (int)t->blocks * plan->device->kernels->lanes;
}

static rs_status linear_prepare(rs_plan *plan, rs__op *op, rs_error *error)
{
    (void)error;
    const rs__tensor *in = &plan->tensors[op->input[0]];
    if (needs_copy(in)) {
        size_t canonical = rs__round64((size_t)(rs__largest_batch(plan) * features_of(in)) * sizeof(float));
        size_t blocked = (size_t)(rs__largest_batch(plan) * rs__sample_floats(plan, in)) * sizeof(float);
        op->shared_bytes = canonical + (op->pass[0] == RS_PASS_ADD ? blocked : 0);
        op->reorders = (in->plain ? 0 : 1 + (op->needed ? 1 : 0)) + (op->pass[0] != RS_PASS_NONE ? 1 : 0);
    }
    return RS_OK;
}

/* Input rows, canonical within a row, and the floats from one row to the next. */
static const float *input_rows(rs_plan *plan, const rs__tensor *in, float *value, int *stride)
{
    if (!needs_copy(in) && !in->plain) {
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

static rs_status linear_forward(rs_plan *plan, rs__op *op, rs_mode mode, rs_error *error)
{
    (void)mode;
    (void)error;
    const rs_node *node = rs__op_node(plan, op);
    const rs__tensor *in = &plan->tensors[op->input[0]], *out = &plan->tensors[op->output];
    int stride, features = features_of(in), outputs = (int)out->channels, to = row_floats(plan, out);
    const float *x = input_rows(plan, in, in->value, &stride);
    size_t row = (size_t)outputs * sizeof(float);
    memset(out->value, 0, (size_t)plan->count * (size_t)to * sizeof(float));
    for (int64_t n = 0; node->bias >= 0 && n < plan->count; n++) {
        memcpy(out->value + n * to, plan->value + plan->parameters[node->bias].offset, row);
    }
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)plan->count, outputs, features, 1.0f, x, stride,
                plan->value + plan->parameters[node->weight].offset, features, 1.0f, out->value, to);
    return RS_OK;
}

static void bias_gradient(const rs_plan *plan, const rs__tensor *out, float *gradient)
{
    int stride = row_floats(plan, out);
    for (int64_t k = 0; k < out->channels; k++) {
        double sum = 0.0;
        for (int64_t n = 0; n < plan->count; n++) {
            sum += (double)out->gradient[n * stride + k];
        }
        gradient[k] = (float)sum;
    }
}

/* dX = dY W straight into the gradient's rows. */
static void rows_gradient(const rs_plan *plan, const rs__op *op, float *to, int stride, float beta)
{
    const rs__tensor *in = &plan->tensors[op->input[0]], *out = &plan->tensors[op->output];
    const float *weights = plan->value + plan->parameters[rs__op_node(plan, op)->weight].offset;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)plan->count, features_of(in),
                (int)out->channels, 1.0f, out->gradient, row_floats(plan, out), weights, features_of(in),
                beta, to, stride);
}

static void input_gradient(rs_plan *plan, const rs__op *op)
{
    const rs__tensor *in = &plan->tensors[op->input[0]];
    int stride = row_floats(plan, in), features = features_of(in);
    bool add = op->pass[0] == RS_PASS_ADD;
    if (!needs_copy(in)) {
        size_t padding = (size_t)(stride - features) * sizeof(float);
        for (int64_t n = 0; !add && padding && n < plan->count; n++) {
            memset(in->gradient + n * stride + features, 0, padding);
        }
        rows_gradient(plan, op, in->gradient, stride, add ? 1.0f : 0.0f);
        return;
    }
    float *rows = plan->shared;
    size_t canonical = rs__round64((size_t)(rs__largest_batch(plan) * features) * sizeof(float));
    float *blocked = add ? (float *)((char *)plan->shared + canonical) : in->gradient;
    rows_gradient(plan, op, rows, features, 0.0f);
    rs__tensor_copy(plan, in, false, RS__FROM_CANONICAL, blocked, rows, plan->count);
    if (add) {
        rs__elements_pass(plan, in, blocked, in->gradient, RS_PASS_ADD);
    }
}

static void weight_gradient(rs_plan *plan, const rs__op *op)
{
    const rs__tensor *in = &plan->tensors[op->input[0]], *out = &plan->tensors[op->output];
    int stride, features = features_of(in);
    const float *x = input_rows(plan, in, in->again, &stride);
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)out->channels, features, (int)plan->count, 1.0f,
                out->gradient, row_floats(plan, out), x, stride, 0.0f,
                plan->gradient + plan->parameters[rs__op_node(plan, op)->weight].offset, features);
}

static rs_status linear_backward(rs_plan *plan, rs__op *op, rs_error *error)
{
    (void)error;
    const rs_node *node = rs__op_node(plan, op);
    const rs__tensor *out = &plan->tensors[op->output];
    if (plan->parameters[node->weight].reached) {
        weight_gradient(plan, op);
    }
    if (node->bias >= 0 && plan->parameters[node->bias].reached) {
        bias_gradient(plan, out, plan->gradient + plan->parameters[node->bias].offset);
    }
    if (op->pass[0] != RS_PASS_NONE) {
        input_gradient(plan, op);
    }
    return RS_OK;
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
