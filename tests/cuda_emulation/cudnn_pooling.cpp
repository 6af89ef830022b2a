/* cudnn_pooling.cpp: average and max pooling, forward and backward, from their formulas. Of equal maxima
 * the last one takes the gradient: cuDNN leaves open which. */
#include <algorithm>

#include "cudnn.hpp"

namespace standin
{

namespace
{

struct Pooling {
    cudnnPoolingMode_t mode;
    int r, s, pad_h, pad_w, stride_h, stride_w;
    Tensor x, y;
};

/* Rows or columns below a window: [first, last) inside the image. */
struct Span {
    int first, last;
};

Span below(int o, int stride, int pad, int window, int size)
{
    return {std::max(o * stride - pad, 0), std::min(o * stride - pad + window, size)};
}

int64_t place(const Tensor &t, int n, int c, int h, int w)
{
    return (int64_t)n * t.sn + (int64_t)c * t.sc + (int64_t)h * t.sh + (int64_t)w * t.sw;
}

bool is_max(const Pooling &p)
{
    return p.mode == CUDNN_POOLING_MAX || p.mode == CUDNN_POOLING_MAX_DETERMINISTIC;
}

cudnnStatus_t read_pooling(cudnnPoolingDescriptor_t descriptor, cudnnTensorDescriptor_t x,
                           cudnnTensorDescriptor_t y, Pooling *p)
{
    cudnnNanPropagation_t nan;
    cudnnStatus_t status = REAL_CUDNN(cudnnGetPooling2dDescriptor)(
        descriptor, &p->mode, &nan, &p->r, &p->s, &p->pad_h, &p->pad_w, &p->stride_h, &p->stride_w);
    int n = 0, c = 0, h = 0, w = 0;
    status = status ? status : read_tensor(x, &p->x);
    status = status ? status : read_tensor(y, &p->y);
    status = status ? status : REAL_CUDNN(cudnnGetPooling2dForwardOutputDim)(descriptor, x, &n, &c, &h, &w);
    if (status != CUDNN_STATUS_SUCCESS) {
        return status;
    }
    if (n != p->y.n || c != p->y.c || h != p->y.h || w != p->y.w) {
        return reject(CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH,
                      "pooling gives [%d, %d, %d, %d], not [%d, %d, %d, %d]", n, c, h, w, p->y.n, p->y.c,
                      p->y.h, p->y.w);
    }
    bool dense = (p->x.is_nhwc() || p->x.is_nchw()) && (p->y.is_nhwc() || p->y.is_nchw());
    return dense ? status
                 : reject(CUDNN_STATUS_NOT_SUPPORTED_LAYOUT, "the stand-in pools dense tensors only");
}

/* Calls visit(x place, y place, weight) for each element below each window; for max only for the chosen
 * one. */
template <typename Visit> void for_windows(const Pooling &p, const float *x, Visit visit)
{
    for (int n = 0; n < p.y.n; n++) {
        for (int i = 0; i < p.y.h; i++) {
            for (int j = 0; j < p.y.w; j++) {
                Span rows = below(i, p.stride_h, p.pad_h, p.r, p.x.h),
                     columns = below(j, p.stride_w, p.pad_w, p.s, p.x.w);
                int inside = (rows.last - rows.first) * (columns.last - columns.first);
                double weight =
                    1.0 / (p.mode == CUDNN_POOLING_AVERAGE_COUNT_INCLUDE_PADDING ? p.r * p.s : inside);
                for (int c = 0; c < p.y.c; c++) {
                    int64_t best = -1;
                    for (int h = rows.first; h < rows.last; h++) {
                        for (int w = columns.first; w < columns.last; w++) {
                            int64_t at = place(p.x, n, c, h, w);
                            if (!is_max(p)) {
                                visit(at, place(p.y, n, c, i, j), weight);
                            } else if (best < 0 || !(x[at] < x[best])) {
                                best = at;
                            }
                        }
                    }
                    if (best >= 0) {
                        visit(best, place(p.y, n, c, i, j), 1.0);
                    }
                }
            }
        }
    }
}

void run_forward(const Pooling &p, const float *x, float *y, Blend blend)
{
    std::vector<double> sums((size_t)p.y.count(), 0.0);
    for_windows(
        p, x, [&](int64_t from, int64_t to, double weight) { sums[(size_t)to] += weight * (double)x[from]; });
    for (size_t i = 0; i < sums.size(); i++) {
        blend.put(y + i, sums[i]);
    }
}

void run_backward(const Pooling &p, const float *x, const float *dy, float *dx, Blend blend)
{
    std::vector<double> sums((size_t)p.x.count(), 0.0);
    for_windows(p, x, [&](int64_t to, int64_t from, double weight) {
        sums[(size_t)to] += weight * (double)dy[from];
    });
    for (size_t i = 0; i < sums.size(); i++) {
        blend.put(dx + i, sums[i]);
    }
}

Blend blend_of(const void *alpha, const void *beta)
{
    return {(double)*(const float *)alpha, (double)*(const float *)beta};
}

} // namespace

} // namespace standin

using namespace standin;

STANDIN_API cudnnStatus_t cudnnPoolingForward(cudnnHandle_t handle, const cudnnPoolingDescriptor_t pooling,
                                              const void *alpha, const cudnnTensorDescriptor_t x_descriptor,
                                              const void *x, const void *beta,
                                              const cudnnTensorDescriptor_t y_descriptor, void *y)
{
    STANDIN_CUDNN_HANDLE(handle, fallible);
    Pooling p{};
    if (cudnnStatus_t status = read_pooling(pooling, x_descriptor, y_descriptor, &p)) {
        return status;
    }
    expect_device(x, p.x.bytes(), 16, __func__);
    expect_device(y, p.y.bytes(), 16, __func__);
    Work work;
    work.what = "cudnnPoolingForward";
    work.run = [p, x, y, blend = blend_of(alpha, beta)] {
        expect_readable(x, p.x.bytes(), "cudnnPoolingForward: x");
        expect_writable(y, p.y.bytes(), "cudnnPoolingForward: y");
        run_forward(p, (const float *)x, (float *)y, blend);
    };
    return enqueue_cudnn(handle, std::move(work));
}

STANDIN_API cudnnStatus_t cudnnPoolingBackward(cudnnHandle_t handle, const cudnnPoolingDescriptor_t pooling,
                                               const void *alpha, const cudnnTensorDescriptor_t y_descriptor,
                                               const void *y, const cudnnTensorDescriptor_t dy_descriptor,
                                               const void *dy, const cudnnTensorDescriptor_t x_descriptor,
                                               const void *x, const void *beta,
                                               const cudnnTensorDescriptor_t dx_descriptor, void *dx)
{
    STANDIN_CUDNN_HANDLE(handle, fallible);
    Pooling p{};
    Tensor dy_shape{}, dx_shape{};
    cudnnStatus_t status = read_pooling(pooling, x_descriptor, y_descriptor, &p);
    status = status ? status : read_tensor(dy_descriptor, &dy_shape);
    status = status ? status : read_tensor(dx_descriptor, &dx_shape);
    if (status != CUDNN_STATUS_SUCCESS) {
        return status;
    }
    if (dy_shape.count() != p.y.count() || dx_shape.count() != p.x.count() || dy_shape.sc != p.y.sc ||
        dx_shape.sc != p.x.sc) {
        return reject(CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH,
                      "cudnnPoolingBackward: dy is not like y, or dx not like x");
    }
    const bool max = is_max(p);
    expect_device(y, p.y.bytes(), 16, "cudnnPoolingBackward: y");
    expect_device(dy, p.y.bytes(), 16, "cudnnPoolingBackward: dy");
    expect_device(x, p.x.bytes(), 16, "cudnnPoolingBackward: x");
    expect_device(dx, p.x.bytes(), 16, "cudnnPoolingBackward: dx");
    Work work;
    work.what = "cudnnPoolingBackward";
    work.run = [p, x, dy, dx, max, blend = blend_of(alpha, beta)] {
        expect_readable(dy, p.y.bytes(), "cudnnPoolingBackward: dy");
        if (max) {
            expect_readable(x, p.x.bytes(), "cudnnPoolingBackward: x");
        }
        if (blend.beta != 0) {
            expect_readable(dx, p.x.bytes(), "cudnnPoolingBackward: dx");
        }
        expect_writable(dx, p.x.bytes(), "cudnnPoolingBackward: dx");
        run_backward(p, (const float *)x, (const float *)dy, (float *)dx, blend);
    };
    return enqueue_cudnn(handle, std::move(work));
}
