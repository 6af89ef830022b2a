/* pooling.c: max pooling and global average pooling by our kernels, average pooling by cuDNN. */
#include <stdio.h>

#include "convolution.h"
#include "rs/host.h"

/* --- max -------------------------------------------------------------------------------------------------- */

/* Over the loaded batch. */
static rs_cu_window window_of(const rs_plan *plan, const rs__op *op)
{
    const rs__tensor *in = &plan->tensors[op->is.input[0]], *out = &plan->tensors[op->is.output];
    const rs_node_attributes *a = &rs__op_node(plan, op)->attributes;
    return (rs_cu_window){.samples = plan->count,
                          .in_height = in->height,
                          .in_width = in->width,
                          .out_height = out->height,
                          .out_width = out->width,
                          .channels = (int)out->channels,
                          .kernel = a->kernel,
                          .stride = a->stride,
                          .padding = a->padding};
}

/* A kept byte per output: which place of the window was largest. */
static rs_status max_prepare(rs_plan *plan, rs__op *op, rs_error *error)
{
    rs_cu_window window = window_of(plan, op);
    window.samples = rs__largest_batch(plan);
    if (!rs_cu_max_pool_fits(&window)) {
        return RS_FAIL(error, RS_UNSUPPORTED,
                       "max pooling of %dx%d by windows of %d, stride %d: windows are at most 16 wide here, "
                       "strides 64, maps 65536",
                       (int)window.in_height, (int)window.in_width, window.kernel, window.stride);
    }
    op->kept_bytes = (size_t)(rs__largest_batch(plan) * rs__sample_floats(&plan->tensors[op->is.output]));
    return RS_OK;
}

static rs_status max_forward(rs_plan *plan, rs__op *op, rs_mode mode, rs_error *error)
{
    const rs_cu_window window = window_of(plan, op);
    (void)mode;
    RS__CUDA(error,
             rs_cu_max_pool_forward(&window, plan->tensors[op->is.input[0]].value,
                                    plan->tensors[op->is.output].value, op->kept, plan->device->compute));
    return RS_OK;
}

static rs_status max_backward(rs_plan *plan, rs__op *op, rs_error *error)
{
    const rs_cu_window window = window_of(plan, op);
    const rs__tensor *in = &plan->tensors[op->is.input[0]], *out = &plan->tensors[op->is.output];
    if (op->is.pass[0] != RS_PASS_NONE) {
        RS__CUDA(error, rs_cu_max_pool_backward(&window, op->kept, out->gradient, in->gradient,
                                                op->is.pass[0], plan->device->compute));
    }
    return RS_OK;
}

/* --- average ---------------------------------------------------------------------------------------------- */

typedef struct average {
    cudnnPoolingDescriptor_t how;
    cudnnTensorDescriptor_t x[RS_MAX_BATCH_SIZES], y[RS_MAX_BATCH_SIZES];
} average;

static rs_status average_prepare(rs_plan *plan, rs__op *op, rs_error *error)
{
    const rs_node_attributes *a = &rs__op_node(plan, op)->attributes;
    average *made = rs_alloc_array(1, sizeof *made);
    op->state = made;
    if (!made) {
        return RS_FAIL(error, RS_MEMORY, "no memory for average pooling");
    }
    RS__CUDNN(error, cudnnCreatePoolingDescriptor(&made->how));
    RS__CUDNN(error, cudnnSetPooling2dDescriptor(made->how, CUDNN_POOLING_AVERAGE_COUNT_INCLUDE_PADDING,
                                                 CUDNN_PROPAGATE_NAN, a->kernel, a->kernel, a->padding,
                                                 a->padding, a->stride, a->stride));
    for (int i = 0; i < plan->options.batch_size_count; i++) {
        int64_t count = plan->options.batch_sizes[i];
        RS_TRY(rs__describe_tensor(&plan->tensors[op->is.input[0]], count, &made->x[i], error));
        RS_TRY(rs__describe_tensor(&plan->tensors[op->is.output], count, &made->y[i], error));
    }
    return RS_OK;
}

static void average_release(rs__op *op)
{
    average *made = op->state;
    for (int i = 0; made && i < RS_MAX_BATCH_SIZES; i++) {
        if (made->x[i]) {
            (void)cudnnDestroyTensorDescriptor(made->x[i]);
        }
        if (made->y[i]) {
            (void)cudnnDestroyTensorDescriptor(made->y[i]);
        }
    }
    if (made && made->how) {
        (void)cudnnDestroyPoolingDescriptor(made->how);
    }
    rs_free(made);
    op->state = NULL;
}

static rs_status average_forward(rs_plan *plan, rs__op *op, rs_mode mode, rs_error *error)
{
    static const float one = 1.0f, zero = 0.0f;
    const average *made = op->state;
    int s = plan->size_index;
    (void)mode;
    RS__CUDNN(error, cudnnPoolingForward(plan->device->dnn, made->how, &one, made->x[s],
                                         plan->tensors[op->is.input[0]].value, &zero, made->y[s],
                                         plan->tensors[op->is.output].value));
    return RS_OK;
}

static rs_status average_backward(rs_plan *plan, rs__op *op, rs_error *error)
{
    static const float one = 1.0f, zero = 0.0f;
    const average *made = op->state;
    const rs__tensor *in = &plan->tensors[op->is.input[0]], *out = &plan->tensors[op->is.output];
    int s = plan->size_index;
    if (op->is.pass[0] != RS_PASS_NONE) {
        RS__CUDNN(error, cudnnPoolingBackward(plan->device->dnn, made->how, &one, made->y[s], out->again,
                                              made->y[s], out->gradient, made->x[s], in->again,
                                              op->is.pass[0] == RS_PASS_ADD ? &one : &zero, made->x[s],
                                              in->gradient));
    }
    return RS_OK;
}

static void average_describe(const rs__op *op, char *text, size_t capacity)
{
    (void)op;
    (void)snprintf(text, capacity, "cuDNN");
}

/* --- global average --------------------------------------------------------------------------------------- */

static rs_status global_forward(rs_plan *plan, rs__op *op, rs_mode mode, rs_error *error)
{
    const rs__tensor *in = &plan->tensors[op->is.input[0]];
    (void)mode;
    RS__CUDA(error, rs_cu_global_pool_forward(plan->count, rs__positions(in), (int)in->channels, in->value,
                                              plan->tensors[op->is.output].value, plan->device->compute));
    return RS_OK;
}

static rs_status global_backward(rs_plan *plan, rs__op *op, rs_error *error)
{
    const rs__tensor *in = &plan->tensors[op->is.input[0]];
    if (op->is.pass[0] != RS_PASS_NONE) {
        RS__CUDA(error, rs_cu_global_pool_backward(plan->count, rs__positions(in), (int)in->channels,
                                                   plan->tensors[op->is.output].gradient, in->gradient,
                                                   op->is.pass[0], plan->device->compute));
    }
    return RS_OK;
}

const rs__op_class rs__op_max_pool = {
    .prepare = max_prepare,
    .forward = max_forward,
    .backward = max_backward,
};
/* cuDNN wants x and y in backward, whatever it reads of them. */
const rs__op_class rs__op_average_pool = {
    .prepare = average_prepare,
    .forward = average_forward,
    .backward = average_backward,
    .release = average_release,
    .describe = average_describe,
    .needs_input = true,
    .needs_output = true,
};
const rs__op_class rs__op_global_pool = {
    .forward = global_forward,
    .backward = global_backward,
};
