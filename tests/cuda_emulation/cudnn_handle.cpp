/* cudnn_handle.cpp: cuDNN's handle, version and descriptors. Descriptors go to the real library, which
 * needs no GPU for them; here they are counted, may fail as planned, and are missed at the end when nobody
 * destroyed them. */
#include <dlfcn.h>

#include <cstdarg>
#include <cstdio>

#include "cudnn.hpp"

namespace standin
{

namespace
{

struct Handle {
    cudaStream_t stream = nullptr;
};

Handle *handle_of(cudnnHandle_t handle)
{
    return is_cudnn_handle(handle) ? reinterpret_cast<Handle *>(handle) : nullptr;
}

} // namespace

CudnnCall::CudnnCall(const char *its_name, unsigned its_traits)
    : Call(its_name, its_traits), refused(CUDNN_STATUS_SUCCESS)
{
    switch (refusal) {
    case Refusal::none:
        break;
    case Refusal::planned:
        refused = traits & allocates ? CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED
                                     : CUDNN_STATUS_EXECUTION_FAILED;
        break;
    case Refusal::no_driver:
    case Refusal::no_device:
        refused = CUDNN_STATUS_NOT_INITIALIZED;
        break;
    case Refusal::capturing:
        refused = CUDNN_STATUS_EXECUTION_FAILED_CUDART;
        break;
    }
}

cudnnStatus_t reject(cudnnStatus_t status, const char *format, ...)
{
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    say("cuDNN: %s", line);
    return status;
}

bool is_cudnn_handle(cudnnHandle_t handle)
{
    return object_alive(handle, "cuDNN handle");
}

cudaStream_t stream_of_handle(cudnnHandle_t handle)
{
    return handle_of(handle)->stream;
}

cudnnStatus_t enqueue_cudnn(cudnnHandle_t handle, Work work)
{
    cudaError_t status = enqueue(stream_of_handle(handle), std::move(work));
    return status == cudaSuccess ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_EXECUTION_FAILED_CUDART;
}

/* The module has loaded the library: it is found by its name. */
void *real_cudnn(const char *name)
{
    static void *library = [] {
        std::string soname = text("libcudnn.so.%d", CUDNN_MAJOR);
        void *opened = dlopen(soname.c_str(), RTLD_LAZY);
        if (!opened) {
            stop("%s: %s", soname.c_str(), dlerror());
        }
        return opened;
    }();
    void *function = dlsym(library, name);
    if (!function) {
        stop("cuDNN has no %s", name);
    }
    return function;
}

} // namespace standin

using namespace standin;

STANDIN_API size_t cudnnGetVersion(void)
{
    return settings().cudnn_version ? settings().cudnn_version : REAL_CUDNN(cudnnGetVersion)();
}

STANDIN_API size_t cudnnGetCudartVersion(void)
{
    return settings().cudnn_cuda ? settings().cudnn_cuda : REAL_CUDNN(cudnnGetCudartVersion)();
}

STANDIN_API cudnnStatus_t cudnnCreate(cudnnHandle_t *handle)
{
    STANDIN_CUDNN(fallible | allocates | unsafe);
    if (!handle) {
        return CUDNN_STATUS_BAD_PARAM_NULL_POINTER;
    }
    Handle *made = new Handle;
    object_made(made, "cuDNN handle");
    *handle = reinterpret_cast<cudnnHandle_t>(made);
    return CUDNN_STATUS_SUCCESS;
}

STANDIN_API cudnnStatus_t cudnnDestroy(cudnnHandle_t handle)
{
    STANDIN_CUDNN(unsafe);
    Handle *found = handle_of(handle);
    if (!found) {
        return CUDNN_STATUS_BAD_PARAM;
    }
    object_gone(handle);
    delete found;
    return CUDNN_STATUS_SUCCESS;
}

STANDIN_API cudnnStatus_t cudnnSetStream(cudnnHandle_t handle, cudaStream_t stream)
{
    STANDIN_CUDNN_HANDLE(handle, fallible);
    if (!valid_stream(stream)) {
        return reject(CUDNN_STATUS_BAD_PARAM, "cudnnSetStream: the stream is not alive");
    }
    handle_of(handle)->stream = stream;
    return CUDNN_STATUS_SUCCESS;
}

STANDIN_API cudnnStatus_t cudnnGetStream(cudnnHandle_t handle, cudaStream_t *stream)
{
    STANDIN_CUDNN_HANDLE(handle, fallible);
    *stream = stream_of_handle(handle);
    return CUDNN_STATUS_SUCCESS;
}

/* --- descriptors ---------------------------------------------------------------------------------------- */

#define CREATE_AND_DESTROY(kind, type, words)                                                                \
    STANDIN_API cudnnStatus_t cudnnCreate##kind(type *descriptor)                                            \
    {                                                                                                        \
        STANDIN_CUDNN(fallible | allocates | deviceless);                                                    \
        cudnnStatus_t status = REAL_CUDNN(cudnnCreate##kind)(descriptor);                                    \
        if (status == CUDNN_STATUS_SUCCESS) {                                                                \
            object_made(*descriptor, words);                                                                 \
        }                                                                                                    \
        return status;                                                                                       \
    }                                                                                                        \
    STANDIN_API cudnnStatus_t cudnnDestroy##kind(type descriptor)                                            \
    {                                                                                                        \
        STANDIN_CUDNN(deviceless);                                                                           \
        if (descriptor && !object_alive(descriptor, words)) {                                                \
            stop("cudnnDestroy" #kind ": what is destroyed is no " words " that is alive");                  \
        }                                                                                                    \
        object_gone(descriptor);                                                                             \
        return REAL_CUDNN(cudnnDestroy##kind)(descriptor);                                                   \
    }
CREATE_AND_DESTROY(TensorDescriptor, cudnnTensorDescriptor_t, "cuDNN tensor descriptor")
CREATE_AND_DESTROY(FilterDescriptor, cudnnFilterDescriptor_t, "cuDNN filter descriptor")
CREATE_AND_DESTROY(ConvolutionDescriptor, cudnnConvolutionDescriptor_t, "cuDNN convolution descriptor")
CREATE_AND_DESTROY(PoolingDescriptor, cudnnPoolingDescriptor_t, "cuDNN pooling descriptor")

STANDIN_API cudnnStatus_t cudnnSetTensor4dDescriptor(cudnnTensorDescriptor_t descriptor,
                                                     cudnnTensorFormat_t format, cudnnDataType_t type, int n,
                                                     int c, int h, int w)
{
    STANDIN_CUDNN(fallible | deviceless);
    return REAL_CUDNN(cudnnSetTensor4dDescriptor)(descriptor, format, type, n, c, h, w);
}

STANDIN_API cudnnStatus_t cudnnSetTensor4dDescriptorEx(cudnnTensorDescriptor_t descriptor,
                                                       cudnnDataType_t type, int n, int c, int h, int w,
                                                       int sn, int sc, int sh, int sw)
{
    STANDIN_CUDNN(fallible | deviceless);
    return REAL_CUDNN(cudnnSetTensor4dDescriptorEx)(descriptor, type, n, c, h, w, sn, sc, sh, sw);
}

STANDIN_API cudnnStatus_t cudnnSetFilter4dDescriptor(cudnnFilterDescriptor_t descriptor, cudnnDataType_t type,
                                                     cudnnTensorFormat_t format, int k, int c, int h, int w)
{
    STANDIN_CUDNN(fallible | deviceless);
    return REAL_CUDNN(cudnnSetFilter4dDescriptor)(descriptor, type, format, k, c, h, w);
}

STANDIN_API cudnnStatus_t cudnnSetConvolution2dDescriptor(cudnnConvolutionDescriptor_t descriptor, int pad_h,
                                                          int pad_w, int u, int v, int dilation_h,
                                                          int dilation_w, cudnnConvolutionMode_t mode,
                                                          cudnnDataType_t type)
{
    STANDIN_CUDNN(fallible | deviceless);
    return REAL_CUDNN(cudnnSetConvolution2dDescriptor)(descriptor, pad_h, pad_w, u, v, dilation_h, dilation_w,
                                                       mode, type);
}

STANDIN_API cudnnStatus_t cudnnSetConvolutionMathType(cudnnConvolutionDescriptor_t descriptor,
                                                      cudnnMathType_t math)
{
    STANDIN_CUDNN(fallible | deviceless);
    return REAL_CUDNN(cudnnSetConvolutionMathType)(descriptor, math);
}

STANDIN_API cudnnStatus_t cudnnSetPooling2dDescriptor(cudnnPoolingDescriptor_t descriptor,
                                                      cudnnPoolingMode_t mode, cudnnNanPropagation_t nan,
                                                      int window_h, int window_w, int pad_h, int pad_w,
                                                      int stride_h, int stride_w)
{
    STANDIN_CUDNN(fallible | deviceless);
    return REAL_CUDNN(cudnnSetPooling2dDescriptor)(descriptor, mode, nan, window_h, window_w, pad_h, pad_w,
                                                   stride_h, stride_w);
}
