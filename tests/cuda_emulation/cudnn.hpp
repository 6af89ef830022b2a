/* cudnn.hpp: the stand-in's cuDNN: calls with a handle are answered here, descriptors stay with the real
 * library. */
#ifndef RS_EMU_CUDNN_HPP
#define RS_EMU_CUDNN_HPP

#include <cudnn.h>

#define RS_EMU_DEFINING
#include "standin.h"
#include "standin.hpp"

namespace standin
{

class CudnnCall : public Call
{
  public:
    CudnnCall(const char *name, unsigned traits);
    cudnnStatus_t refused;
};
#define STANDIN_CUDNN(traits)                                                                                \
    standin::CudnnCall call(__func__, (traits));                                                             \
    if (call.refused != CUDNN_STATUS_SUCCESS) {                                                              \
        return call.refused;                                                                                 \
    }
/* And looks at the handle. */
#define STANDIN_CUDNN_HANDLE(handle, traits)                                                                 \
    STANDIN_CUDNN(traits)                                                                                    \
    if (!standin::is_cudnn_handle(handle)) {                                                                 \
        return CUDNN_STATUS_BAD_PARAM;                                                                       \
    }

bool is_cudnn_handle(cudnnHandle_t handle);
cudaStream_t stream_of_handle(cudnnHandle_t handle);
/* Enqueues on the handle's stream. */
cudnnStatus_t enqueue_cudnn(cudnnHandle_t handle, Work work);
/* Says why, and gives the status back. */
cudnnStatus_t reject(cudnnStatus_t status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The real library's function of that name and type. */
void *real_cudnn(const char *name);
#define REAL_CUDNN(name) (reinterpret_cast<decltype(&name)>(standin::real_cudnn(#name)))

/* A four-dimensional float tensor; strides in elements. */
struct Tensor {
    int n, c, h, w, sn, sc, sh, sw;
    bool is_nhwc() const /* dense */
    {
        return sc == 1 && sw == c && sh == w * c && sn == h * w * c;
    }
    bool is_nchw() const
    {
        return sw == 1 && sh == w && sc == h * w && sn == c * h * w;
    }
    int64_t count() const
    {
        return (int64_t)n * c * h * w;
    }
    size_t bytes() const
    {
        return (size_t)count() * sizeof(float);
    }
};
cudnnStatus_t read_tensor(cudnnTensorDescriptor_t descriptor, Tensor *tensor);

/* Everything that a convolution's four descriptors say, checked against each other. */
struct ConvolutionProblem {
    Convolution shape;
    bool tf32; /* the descriptor allows it */
    cudnnMathType_t math;
    size_t x_bytes, y_bytes, filter_bytes;
};
cudnnStatus_t read_convolution(cudnnTensorDescriptor_t x, cudnnFilterDescriptor_t filter,
                               cudnnConvolutionDescriptor_t convolution, cudnnTensorDescriptor_t y,
                               ConvolutionProblem *problem);

enum class Direction { forward, data, filter };
/* What the stand-in knows about an algorithm for a problem. */
struct Algorithm {
    int number;
    bool supported, deterministic;
    size_t workspace;
    bool other_math = false; /* timed with another arithmetic than the descriptor's */
};
/* Best first; the first one is not deterministic, one is not supported. */
std::vector<Algorithm> algorithms_for(Direction direction, const ConvolutionProblem &problem);
/* Null: not supported for it. */
std::unique_ptr<Algorithm> find_algorithm(Direction direction, const ConvolutionProblem &problem, int number);
/* What a test has made of it; null: nothing. */
const rs_emu_trap *trap_of(Direction direction, int number);

} // namespace standin

#endif
