/* convolution.c: convolution by cuDNN, NHWC, for each batch size three passes: forward, gradient of the input, gradient of
 * the weights. The bias is ours.
 *
 * A kernel of 1 that moves by 1 multiplies the channels of each position by the weights: in float that is left to cuBLAS
 * (product.h), for cuDNN has hardly any float kernels for this layout. */
#include "convolution.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

#include "product.h"
#include "rs/host.h"
#include "rs/text.h"

static const float one = 1.0f, zero = 0.0f;

static void conv_release(rs__op *op)
{
    rs__convolution *conv = op->state;
    for (int s = 0; conv && s < RS_MAX_BATCH_SIZES; s++) {
        if (conv->x[s]) {
            (void)cudnnDestroyTensorDescriptor(conv->x[s]);
        }
        if (conv->y[s]) {
            (void)cudnnDestroyTensorDescriptor(conv->y[s]);
        }
        for (int pass = 0; pass < RS__CONV_PASSES; pass++) {
            if (conv->run[pass][s].how) {
                (void)cudnnDestroyConvolutionDescriptor(conv->run[pass][s].how);
            }
        }
    }
    if (conv && conv->filter) {
        (void)cudnnDestroyFilterDescriptor(conv->filter);
    }
    rs_free(conv);
    op->state = NULL;
}

/* --- preparing -------------------------------------------------------------------------------------------- */

rs_status rs__describe_tensor(const rs__tensor *t, int64_t count, cudnnTensorDescriptor_t *made,
                              rs_error *error)
{
    if (count > INT_MAX / rs__sample_floats(t)) {
        return RS_FAIL(error, RS_UNSUPPORTED,
                       "%" PRId64 " samples of %" PRId64
                       " numbers: cuDNN takes at most %d numbers at once; use "
                       "a smaller --batch-size",
                       count, rs__sample_floats(t), INT_MAX);
    }
    RS__CUDNN(error, cudnnCreateTensorDescriptor(made));
    RS__CUDNN(error, cudnnSetTensor4dDescriptor(*made, CUDNN_TENSOR_NHWC, CUDNN_DATA_FLOAT, (int)count,
                                                (int)t->stride, (int)t->height, (int)t->width));
    return RS_OK;
}

static rs_status describe_filter(const rs_plan *plan, const rs__op *op, rs__convolution *conv,
                                 rs_error *error)
{
    const rs_node *node = rs__op_node(plan, op);
    const rs__tensor *in = &plan->tensors[op->is.input[0]], *out = &plan->tensors[op->is.output];
    RS__CUDNN(error, cudnnCreateFilterDescriptor(&conv->filter));
    RS__CUDNN(error, cudnnSetFilter4dDescriptor(conv->filter, CUDNN_DATA_FLOAT, CUDNN_TENSOR_NHWC,
                                                (int)out->channels, (int)in->stride, node->attributes.kernel,
                                                node->attributes.kernel));
    (void)snprintf(conv->shape, sizeof conv->shape, "%dx%dx%d to %dx%dx%d, kernel %d, stride %d, padding %d",
                   (int)in->stride, (int)in->height, (int)in->width, (int)out->channels, (int)out->height,
                   (int)out->width, node->attributes.kernel, node->attributes.stride,
                   node->attributes.padding);
    size_t batch = (size_t)rs__largest_batch(plan);
    conv->x_bytes = batch * (size_t)rs__sample_floats(in) * sizeof(float);
    conv->y_bytes = batch * (size_t)rs__sample_floats(out) * sizeof(float);
    conv->filter_bytes = (size_t)plan->parameters[node->weight].elements * sizeof(float);
    return RS_OK;
}

/* Backward is needed in training alone, and for what has a gradient. */
static void find_passes(const rs_plan *plan, const rs__op *op, rs__convolution *conv)
{
    bool weights = rs__has_gradient(plan, rs__op_node(plan, op)->weight);
    conv->runs[RS__CONV_FORWARD] = true;
    conv->runs[RS__CONV_DATA] = op->is.needed && op->is.pass[0] != RS_PASS_NONE;
    conv->runs[RS__CONV_FILTER] = op->is.needed && weights;
}

static rs_status describe_pass(const rs_plan *plan, const rs__op *op, rs__convolution *conv, int pass,
                               int size, rs_error *error)
{
    const rs_node_attributes *a = &rs__op_node(plan, op)->attributes;
    rs__conv_run *run = &conv->run[pass][size];
    RS__CUDNN(error, cudnnCreateConvolutionDescriptor(&run->how));
    RS__CUDNN(error, cudnnSetConvolution2dDescriptor(run->how, a->padding, a->padding, a->stride, a->stride,
                                                     1, 1, CUDNN_CROSS_CORRELATION, CUDNN_DATA_FLOAT));
    RS__CUDNN(error, cudnnSetConvolutionMathType(run->how, rs__conv_math(conv)));
    return RS_OK;
}

static rs_status describe_size(const rs_plan *plan, const rs__op *op, rs__convolution *conv, int size,
                               rs_error *error)
{
    int64_t count = plan->options.batch_sizes[size];
    RS_TRY(rs__describe_tensor(&plan->tensors[op->is.input[0]], count, &conv->x[size], error));
    RS_TRY(rs__describe_tensor(&plan->tensors[op->is.output], count, &conv->y[size], error));
    for (int pass = 0; pass < RS__CONV_PASSES; pass++) {
        RS_TRY(conv->runs[pass] ? describe_pass(plan, op, conv, pass, size, error) : RS_OK);
    }
    return RS_OK;
}

rs_status rs__conv_choose_all(rs_plan *plan, rs__op *op, rs_error *error)
{
    rs__convolution *conv = op->state;
    const rs__tensor *out = &plan->tensors[op->is.output];
    op->shared_bytes = 0;
    for (int size = 0; size < plan->options.batch_size_count; size++) {
        for (int pass = 0; pass < RS__CONV_PASSES; pass++) {
            RS_TRY(conv->run[pass][size].how ? rs__conv_choose(plan, conv, pass, size, error) : RS_OK);
            rs__share_at_least(op, conv->run[pass][size].workspace);
        }
        if (rs__op_node(plan, op)->bias >= 0) {
            int64_t rows = plan->options.batch_sizes[size] * rs__positions(out);
            rs__share_at_least(op, rs_cu_norm_partial_bytes(rows, (int)out->channels));
        }
    }
    return RS_OK;
}

static bool is_product(const rs_plan *plan, const rs__op *op)
{
    const rs_node_attributes *a = &rs__op_node(plan, op)->attributes;
    int64_t rows = rs__largest_batch(plan) * rs__positions(&plan->tensors[op->is.output]);
    return !plan->options.tf32 && a->kernel == 1 && a->stride == 1 && a->padding == 0 && rows <= INT_MAX;
}

static rs_status conv_prepare(rs_plan *plan, rs__op *op, rs_error *error)
{
    rs__convolution *conv = rs_alloc_array(1, sizeof *conv);
    if (!conv) {
        return RS_FAIL(error, RS_MEMORY, "no memory for a convolution");
    }
    op->state = conv;
    conv->tf32 = plan->options.tf32;
    conv->searched = plan->options.convolution == RS_CONVOLUTION_SEARCH;
    conv->product = is_product(plan, op);
    find_passes(plan, op, conv);
    if (!conv->product) {
        RS_TRY(describe_filter(plan, op, conv, error));
        for (int size = 0; size < plan->options.batch_size_count; size++) {
            RS_TRY(describe_size(plan, op, conv, size, error));
        }
    }
    return rs__conv_choose_all(plan, op, error);
}

/* --- running ---------------------------------------------------------------------------------------------- */

static cudnnStatus_t run_forward(const rs_plan *plan, const rs__op *op, int s)
{
    const rs__convolution *conv = op->state;
    const rs__conv_run *run = &conv->run[RS__CONV_FORWARD][s];
    const float *w = rs__parameter_at(plan, plan->value, rs__op_node(plan, op)->weight);
    return cudnnConvolutionForward(plan->device->dnn, &one, conv->x[s], plan->tensors[op->is.input[0]].value,
                                   conv->filter, w, run->how, (cudnnConvolutionFwdAlgo_t)run->algorithm,
                                   plan->shared, run->workspace, &zero, conv->y[s],
                                   plan->tensors[op->is.output].value);
}

static cudnnStatus_t run_filter(const rs_plan *plan, const rs__op *op, int s)
{
    const rs__convolution *conv = op->state;
    const rs__conv_run *run = &conv->run[RS__CONV_FILTER][s];
    float *dw = rs__parameter_at(plan, plan->gradient, rs__op_node(plan, op)->weight);
    return cudnnConvolutionBackwardFilter(
        plan->device->dnn, &one, conv->x[s], plan->tensors[op->is.input[0]].again, conv->y[s],
        plan->tensors[op->is.output].gradient, run->how, (cudnnConvolutionBwdFilterAlgo_t)run->algorithm,
        plan->shared, run->workspace, &zero, conv->filter, dw);
}

/* Where the gradient of the input goes, and whether it is added to what is there. */
static float *data_gradient(const rs_plan *plan, const rs__op *op, bool *add)
{
    const rs__tensor *in = &plan->tensors[op->is.input[0]];
    *add = op->is.pass[0] == RS_PASS_ADD && !op->is.defers;
    return op->is.defers ? in->addend : in->gradient;
}

static cudnnStatus_t run_data(const rs_plan *plan, const rs__op *op, int s)
{
    const rs__convolution *conv = op->state;
    const rs__conv_run *run = &conv->run[RS__CONV_DATA][s];
    const float *w = rs__parameter_at(plan, plan->value, rs__op_node(plan, op)->weight);
    bool add;
    float *dx = data_gradient(plan, op, &add);
    return cudnnConvolutionBackwardData(plan->device->dnn, &one, conv->filter, w, conv->y[s],
                                        plan->tensors[op->is.output].gradient, run->how,
                                        (cudnnConvolutionBwdDataAlgo_t)run->algorithm, plan->shared,
                                        run->workspace, add ? &one : &zero, conv->x[s], dx);
}

cudnnStatus_t rs__conv_run_pass(rs_plan *plan, const rs__op *op, int pass, int size)
{
    return pass == RS__CONV_FORWARD  ? run_forward(plan, op, size)
           : pass == RS__CONV_FILTER ? run_filter(plan, op, size)
                                     : run_data(plan, op, size);
}

const char *rs__conv_call(int pass)
{
    static const char *const calls[RS__CONV_PASSES] = {
        "cudnnConvolutionForward", "cudnnConvolutionBackwardData", "cudnnConvolutionBackwardFilter"};
    return calls[pass];
}

/* At the batch size that is loaded. */
static rs_status run_pass(rs_plan *plan, const rs__op *op, int pass, rs_error *error)
{
    cudnnStatus_t status = rs__conv_run_pass(plan, op, pass, plan->size_index);
    return status ? rs__cudnn_failed(error, status, rs__conv_call(pass), __FILE__, __LINE__) : RS_OK;
}

static rs__product product_of(const rs_plan *plan, const rs__op *op)
{
    const rs__tensor *in = &plan->tensors[op->is.input[0]], *out = &plan->tensors[op->is.output];
    return (rs__product){
        .out = (int)out->channels, .in = (int)in->stride, .rows = (int)(plan->count * rs__positions(out))};
}

static rs_status forward(rs_plan *plan, const rs__op *op, rs_error *error)
{
    const rs__convolution *conv = op->state;
    if (!conv->product) {
        return run_pass(plan, op, RS__CONV_FORWARD, error);
    }
    const rs__product p = product_of(plan, op);
    return rs__product_forward(plan, &p, rs__parameter_at(plan, plan->value, rs__op_node(plan, op)->weight),
                               plan->tensors[op->is.input[0]].value, plan->tensors[op->is.output].value,
                               error);
}

static rs_status conv_forward(rs_plan *plan, rs__op *op, rs_mode mode, rs_error *error)
{
    const rs_node *node = rs__op_node(plan, op);
    const rs__tensor *out = &plan->tensors[op->is.output];
    (void)mode;
    RS_TRY(forward(plan, op, error));
    if (node->bias >= 0) {
        RS__CUDA(error,
                 rs_cu_bias_add(rs__parameter_at(plan, plan->value, node->bias), out->value,
                                plan->count * rs__positions(out), (int)out->channels, plan->device->compute));
    }
    return RS_OK;
}

static rs_status filter(rs_plan *plan, const rs__op *op, rs_error *error)
{
    const rs__convolution *conv = op->state;
    if (!conv->product) {
        return run_pass(plan, op, RS__CONV_FILTER, error);
    }
    const rs__product p = product_of(plan, op);
    return rs__product_weights(plan, &p, plan->tensors[op->is.input[0]].again,
                               plan->tensors[op->is.output].gradient,
                               rs__parameter_at(plan, plan->gradient, rs__op_node(plan, op)->weight), error);
}

static rs_status weights_backward(rs_plan *plan, const rs__op *op, rs_error *error)
{
    const rs__convolution *conv = op->state;
    const rs__tensor *out = &plan->tensors[op->is.output];
    float *db = rs__gradient_at(plan, rs__op_node(plan, op)->bias);
    RS_TRY(conv->runs[RS__CONV_FILTER] ? filter(plan, op, error) : RS_OK);
    if (db) {
        RS__CUDA(error, rs_cu_bias_gradient(out->gradient, db, plan->shared, plan->count * rs__positions(out),
                                            (int)out->channels, plan->device->compute));
    }
    return RS_OK;
}

static rs_status data_backward(rs_plan *plan, const rs__op *op, rs_error *error)
{
    const rs__convolution *conv = op->state;
    if (!conv->product) {
        return run_pass(plan, op, RS__CONV_DATA, error);
    }
    rs__product p = product_of(plan, op);
    float *dx = data_gradient(plan, op, &p.add);
    return rs__product_data(plan, &p, rs__parameter_at(plan, plan->value, rs__op_node(plan, op)->weight),
                            plan->tensors[op->is.output].gradient, dx, error);
}

static rs_status conv_backward(rs_plan *plan, rs__op *op, rs_error *error)
{
    RS_TRY(weights_backward(plan, op, error));
    RS_TRY(rs__timer_end(plan, op, RS__TIMED_WEIGHTS, error));
    if (op->is.pass[0] == RS_PASS_NONE) {
        return RS_OK;
    }
    RS_TRY(rs__timer_begin(plan, error));
    RS_TRY(data_backward(plan, op, error));
    return rs__timer_end(plan, op, RS__TIMED_DATA, error);
}

/* Whether a run of a TF32 plan is in plain float, and whether a smaller batch takes another than the largest. */
static void find_exceptions(const rs__convolution *conv, bool *plain, bool *other)
{
    *plain = *other = false;
    for (int pass = 0; pass < RS__CONV_PASSES; pass++) {
        const rs__conv_run *largest = &conv->run[pass][0];
        for (int s = 0; s < RS_MAX_BATCH_SIZES; s++) {
            const rs__conv_run *run = &conv->run[pass][s];
            *plain |= run->how && conv->tf32 && run->math == CUDNN_FMA_MATH;
            *other |= run->how && (run->algorithm != largest->algorithm || run->math != largest->math);
        }
    }
}

/* "implicit_precomp_gemm | algo_1 | algo_1, tf32, searched, workspace 12.0 MiB": forward, data, weights, of the largest
 * batch. */
static void conv_describe(const rs__op *op, char *text, size_t capacity)
{
    const rs__convolution *conv = op->state;
    const char *chosen[RS__CONV_PASSES];
    char bytes[32];
    bool plain, other;
    find_exceptions(conv, &plain, &other);
    for (int pass = 0; pass < RS__CONV_PASSES; pass++) {
        const char *name =
            conv->product ? "sgemm" : rs__conv_algorithm_name(pass, conv->run[pass][0].algorithm);
        chosen[pass] = conv->runs[pass] ? name : "-";
    }
    rs_text_bytes(op->shared_bytes, bytes, sizeof bytes);
    (void)snprintf(text, capacity, "%s | %s | %s, %s%s%s, workspace %s%s", chosen[RS__CONV_FORWARD],
                   chosen[RS__CONV_DATA], chosen[RS__CONV_FILTER], conv->tf32 ? "tf32" : "f32",
                   plain ? " and f32" : "", conv->searched && !conv->product ? ", searched" : "", bytes,
                   other ? ", others for smaller batches" : "");
}

const rs__op_class rs__op_convolution = {
    .prepare = conv_prepare,
    .forward = conv_forward,
    .backward = conv_backward,
    .release = conv_release,
    .describe = conv_describe,
    .times_itself = true,
    .needs_input = true,
};
