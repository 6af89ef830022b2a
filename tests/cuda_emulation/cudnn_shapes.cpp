/* cudnn_shapes.cpp: reads the real library's descriptors and checks them against each other, as the real
 * calls do. */
#include "cudnn.hpp"

namespace standin
{

namespace
{

struct Filter {
    int k, c, r, s;
    cudnnTensorFormat_t format;
};

cudnnStatus_t read_filter(cudnnFilterDescriptor_t descriptor, Filter *filter)
{
    cudnnDataType_t type;
    cudnnStatus_t status = REAL_CUDNN(cudnnGetFilter4dDescriptor)(
        descriptor, &type, &filter->format, &filter->k, &filter->c, &filter->r, &filter->s);
    if (status != CUDNN_STATUS_SUCCESS) {
        return status;
    }
    return type == CUDNN_DATA_FLOAT ? status
                                    : reject(CUDNN_STATUS_NOT_SUPPORTED, "a filter's type %d", (int)type);
}

cudnnStatus_t read_descriptor(cudnnConvolutionDescriptor_t descriptor, ConvolutionProblem *problem)
{
    int pad[2], stride[2], dilation[2], groups = 0;
    cudnnConvolutionMode_t mode;
    cudnnDataType_t type;
    cudnnStatus_t status = REAL_CUDNN(cudnnGetConvolution2dDescriptor)(
        descriptor, &pad[0], &pad[1], &stride[0], &stride[1], &dilation[0], &dilation[1], &mode, &type);
    if (status == CUDNN_STATUS_SUCCESS) {
        status = REAL_CUDNN(cudnnGetConvolutionMathType)(descriptor, &problem->math);
    }
    if (status == CUDNN_STATUS_SUCCESS) {
        status = REAL_CUDNN(cudnnGetConvolutionGroupCount)(descriptor, &groups);
    }
    if (status != CUDNN_STATUS_SUCCESS) {
        return status;
    }
    if (mode != CUDNN_CROSS_CORRELATION || type != CUDNN_DATA_FLOAT || groups != 1) {
        return reject(CUDNN_STATUS_NOT_SUPPORTED, "a convolution of mode %d, type %d, %d groups", (int)mode,
                      (int)type, groups);
    }
    Convolution &v = problem->shape;
    v.pad_h = pad[0];
    v.pad_w = pad[1];
    v.stride_h = stride[0];
    v.stride_w = stride[1];
    v.dilation_h = dilation[0];
    v.dilation_w = dilation[1];
    problem->tf32 = problem->math != CUDNN_FMA_MATH;
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t check_output(cudnnTensorDescriptor_t x, cudnnFilterDescriptor_t filter,
                           cudnnConvolutionDescriptor_t convolution, const Tensor &y)
{
    int n = 0, c = 0, h = 0, w = 0;
    cudnnStatus_t status =
        REAL_CUDNN(cudnnGetConvolution2dForwardOutputDim)(convolution, x, filter, &n, &c, &h, &w);
    if (status != CUDNN_STATUS_SUCCESS) {
        return status;
    }
    if (n != y.n || c != y.c || h != y.h || w != y.w) {
        return reject(CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH,
                      "a convolution's output is [%d, %d, %d, %d], not [%d, %d, %d, %d]", n, c, h, w, y.n,
                      y.c, y.h, y.w);
    }
    return status;
}

} // namespace

cudnnStatus_t read_tensor(cudnnTensorDescriptor_t descriptor, Tensor *t)
{
    cudnnDataType_t type;
    cudnnStatus_t status = REAL_CUDNN(cudnnGetTensor4dDescriptor)(descriptor, &type, &t->n, &t->c, &t->h,
                                                                  &t->w, &t->sn, &t->sc, &t->sh, &t->sw);
    if (status != CUDNN_STATUS_SUCCESS) {
        return status;
    }
    return type == CUDNN_DATA_FLOAT ? status
                                    : reject(CUDNN_STATUS_NOT_SUPPORTED, "a tensor's type %d", (int)type);
}

cudnnStatus_t read_convolution(cudnnTensorDescriptor_t x_descriptor,
                               cudnnFilterDescriptor_t filter_descriptor,
                               cudnnConvolutionDescriptor_t convolution, cudnnTensorDescriptor_t y_descriptor,
                               ConvolutionProblem *problem)
{
    Tensor x, y;
    Filter filter;
    cudnnStatus_t status = read_tensor(x_descriptor, &x);
    status = status ? status : read_tensor(y_descriptor, &y);
    status = status ? status : read_filter(filter_descriptor, &filter);
    status = status ? status : read_descriptor(convolution, problem);
    if (status != CUDNN_STATUS_SUCCESS) {
        return status;
    }
    if (!x.is_nhwc() || !y.is_nhwc() || filter.format != CUDNN_TENSOR_NHWC) {
        return reject(CUDNN_STATUS_NOT_SUPPORTED_LAYOUT, "the stand-in convolves dense NHWC only");
    }
    if (filter.c != x.c) {
        return reject(CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH, "the filter has %d channels, the image %d",
                      filter.c, x.c);
    }
    Convolution &v = problem->shape;
    v.n = x.n;
    v.c = x.c;
    v.h = x.h;
    v.w = x.w;
    v.k = filter.k;
    v.r = filter.r;
    v.s = filter.s;
    v.p = y.h;
    v.q = y.w;
    problem->x_bytes = x.bytes();
    problem->y_bytes = y.bytes();
    problem->filter_bytes = (size_t)(v.k * v.r * v.s * v.c) * sizeof(float);
    return check_output(x_descriptor, filter_descriptor, convolution, y);
}

} // namespace standin
