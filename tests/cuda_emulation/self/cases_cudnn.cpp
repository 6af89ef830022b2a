/* cases_cudnn.cpp: convolution and pooling against their formulas in plain double loops that share no code
 * with the stand-in's, and the checks that its calls make. */
#include <cuda_runtime_api.h>
#include <cudnn.h>

#include <cmath>

#include "planted.h"
#include "standin.h"

namespace
{

const float ONE = 1.0f, ZERO = 0.0f;

/* Numbers between -1 and 1 that no pattern of strides repeats. */
std::vector<float> noise(int64_t count, unsigned seed)
{
    std::vector<float> values((size_t)count);
    for (float &value : values) {
        seed = seed * 1664525u + 1013904223u;
        value = (float)(int32_t)seed / 2147483648.0f;
    }
    return values;
}

struct Shape {
    int n, c, h, w, k, r, s, pad, stride, p, q;
};
const Shape shapes[] = {{2, 4, 9, 7, 5, 3, 3, 1, 1, 9, 7},
                        {3, 8, 8, 8, 40, 3, 3, 1, 2, 4, 4},
                        {1, 3, 5, 5, 70, 1, 1, 0, 2, 3, 3},
                        {2, 4, 16, 16, 8, 7, 7, 3, 2, 8, 8}};

struct Net {
    Shape shape;
    cudnnHandle_t handle;
    cudnnTensorDescriptor_t xd, yd;
    cudnnFilterDescriptor_t wd;
    cudnnConvolutionDescriptor_t cd;
    std::vector<float> hx, hw, hy;
    float *x, *w, *y, *workspace;
    size_t bytes;
};

Net begin(const Shape &v, cudnnMathType_t math = CUDNN_FMA_MATH)
{
    Net t;
    t.shape = v;
    OK(cudnnCreate(&t.handle));
    OK(cudnnCreateTensorDescriptor(&t.xd));
    OK(cudnnCreateTensorDescriptor(&t.yd));
    OK(cudnnCreateFilterDescriptor(&t.wd));
    OK(cudnnCreateConvolutionDescriptor(&t.cd));
    OK(cudnnSetTensor4dDescriptor(t.xd, CUDNN_TENSOR_NHWC, CUDNN_DATA_FLOAT, v.n, v.c, v.h, v.w));
    OK(cudnnSetTensor4dDescriptor(t.yd, CUDNN_TENSOR_NHWC, CUDNN_DATA_FLOAT, v.n, v.k, v.p, v.q));
    OK(cudnnSetFilter4dDescriptor(t.wd, CUDNN_DATA_FLOAT, CUDNN_TENSOR_NHWC, v.k, v.c, v.r, v.s));
    OK(cudnnSetConvolution2dDescriptor(t.cd, v.pad, v.pad, v.stride, v.stride, 1, 1, CUDNN_CROSS_CORRELATION,
                                       CUDNN_DATA_FLOAT));
    OK(cudnnSetConvolutionMathType(t.cd, math));
    t.hx = noise(v.n * v.h * v.w * v.c, 1);
    t.hw = noise(v.k * v.r * v.s * v.c, 2);
    t.hy = noise(v.n * v.p * v.q * v.k, 3);
    t.x = device_copy(t.hx);
    t.w = device_copy(t.hw);
    t.y = device_copy(t.hy);
    t.bytes = 1 << 20;
    t.workspace = device_floats((int64_t)t.bytes / 4);
    return t;
}

int end(const Net &t, bool right)
{
    release({t.x, t.w, t.y, t.workspace});
    OK(cudnnDestroyConvolutionDescriptor(t.cd));
    OK(cudnnDestroyFilterDescriptor(t.wd));
    OK(cudnnDestroyTensorDescriptor(t.yd));
    OK(cudnnDestroyTensorDescriptor(t.xd));
    OK(cudnnDestroy(t.handle));
    return right ? 0 : WRONG;
}

/* Visits every product: places in x, w and y. */
template <typename Visit> void for_products(const Shape &v, Visit visit)
{
    for (int n = 0; n < v.n; n++)
        for (int p = 0; p < v.p; p++)
            for (int q = 0; q < v.q; q++)
                for (int r = 0; r < v.r; r++)
                    for (int s = 0; s < v.s; s++) {
                        int h = p * v.stride - v.pad + r, w = q * v.stride - v.pad + s;
                        for (int c = 0; c < v.c && h >= 0 && h < v.h && w >= 0 && w < v.w; c++)
                            for (int k = 0; k < v.k; k++)
                                visit((size_t)(((n * v.h + h) * v.w + w) * v.c + c),
                                      (size_t)(((k * v.r + r) * v.s + s) * v.c + c),
                                      (size_t)(((n * v.p + p) * v.q + q) * v.k + k));
                    }
}

/* Largest difference, relative to the largest value; not finite counts as far off. */
double far_off(const std::vector<float> &got, const std::vector<double> &want)
{
    double difference = 0, largest = 0;
    for (size_t i = 0; i < want.size(); i++) {
        double d = std::fabs((double)got[i] - want[i]);
        difference = d <= difference ? difference : std::isfinite(d) ? d : 1e30;
        largest = std::fmax(largest, std::fabs(want[i]));
    }
    return difference / largest;
}

cudnnStatus_t forward(const Net &t, cudnnConvolutionFwdAlgo_t algorithm, size_t bytes, float alpha = 1,
                      float beta = 0)
{
    return cudnnConvolutionForward(t.handle, &alpha, t.xd, t.x, t.wd, t.w, t.cd, algorithm, t.workspace,
                                   bytes, &beta, t.yd, t.y);
}

const cudnnConvolutionFwdAlgo_t PRECOMP = CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM;

/* y = 2 conv(x, w) + 0.5 y. */
double forward_error(const Net &t)
{
    std::vector<double> want(t.hy.begin(), t.hy.end());
    for (double &value : want) {
        value *= 0.5;
    }
    for_products(t.shape,
                 [&](size_t x, size_t w, size_t y) { want[y] += 2.0 * (double)t.hx[x] * (double)t.hw[w]; });
    OK(forward(t, PRECOMP, t.bytes, 2.0f, 0.5f));
    return far_off(host_copy(t.y, (int64_t)want.size()), want);
}

double data_error(const Net &t)
{
    std::vector<double> want(t.hx.size(), 0.0);
    float *dx = device_floats((int64_t)want.size());
    for_products(t.shape,
                 [&](size_t x, size_t w, size_t y) { want[x] += (double)t.hw[w] * (double)t.hy[y]; });
    OK(cudnnConvolutionBackwardData(t.handle, &ONE, t.wd, t.w, t.yd, t.y, t.cd,
                                    CUDNN_CONVOLUTION_BWD_DATA_ALGO_1, t.workspace, t.bytes, &ZERO, t.xd,
                                    dx));
    double error = far_off(host_copy(dx, (int64_t)want.size()), want);
    release({dx});
    return error;
}

double filter_error(const Net &t)
{
    std::vector<double> want(t.hw.size(), 0.0);
    float *dw = device_floats((int64_t)want.size());
    for_products(t.shape,
                 [&](size_t x, size_t w, size_t y) { want[w] += (double)t.hx[x] * (double)t.hy[y]; });
    OK(cudnnConvolutionBackwardFilter(t.handle, &ONE, t.xd, t.x, t.yd, t.y, t.cd,
                                      CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1, t.workspace, t.bytes, &ZERO, t.wd,
                                      dw));
    double error = far_off(host_copy(dw, (int64_t)want.size()), want);
    release({dw});
    return error;
}

int convolution_good(void)
{
    bool right = true;
    for (const Shape &shape : shapes) {
        Net t = begin(shape);
        double data = data_error(t), filter = filter_error(t), ahead = forward_error(t);
        right &= data < 1e-6 && filter < 1e-6 && ahead < 1e-6;
        fprintf(stderr, "forward %.1e, data %.1e, filter %.1e\n", ahead, data, filter);
        right &= end(t, true) == 0;
    }
    return right ? 0 : WRONG;
}

/* Without CUDNN_FMA_MATH inputs lose bits. */
int tf32_good(void)
{
    Net t = begin(shapes[0], CUDNN_DEFAULT_MATH);
    double error = forward_error(t);
    return end(t, error > 1e-5 && error < 2e-3);
}

int workspace_small(void)
{
    Net t = begin(shapes[0]);
    size_t bytes = 0;
    OK(cudnnGetConvolutionForwardWorkspaceSize(t.handle, t.xd, t.wd, t.cd, t.yd, PRECOMP, &bytes));
    EXPECT(true, bytes > 0);
    OK(forward(t, PRECOMP, bytes));
    EXPECT(CUDNN_STATUS_BAD_PARAM, forward(t, PRECOMP, bytes - 1));
    OK(cudaDeviceSynchronize());
    return end(t, true);
}

/* Says 1 MiB, has less. */
int workspace_lie(void)
{
    Net t = begin(shapes[0]);
    OK(forward(t, PRECOMP, t.bytes + 4));
    return 0;
}

int shape_wrong(void)
{
    Net t = begin(shapes[0]);
    OK(cudnnSetTensor4dDescriptor(t.yd, CUDNN_TENSOR_NHWC, CUDNN_DATA_FLOAT, 2, 5, 9, 8));
    EXPECT(CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH, forward(t, PRECOMP, t.bytes));
    OK(cudnnSetTensor4dDescriptor(t.yd, CUDNN_TENSOR_NCHW, CUDNN_DATA_FLOAT, 2, 5, 9, 7));
    EXPECT(CUDNN_STATUS_NOT_SUPPORTED_LAYOUT, forward(t, PRECOMP, t.bytes));
    OK(cudnnSetTensor4dDescriptor(t.yd, CUDNN_TENSOR_NHWC, CUDNN_DATA_HALF, 2, 5, 9, 7));
    EXPECT(CUDNN_STATUS_NOT_SUPPORTED, forward(t, PRECOMP, t.bytes));
    return end(t, true);
}

int convolution_host_pointer(void)
{
    Net t = begin(shapes[0]);
    t.x = t.hx.data();
    return forward(t, PRECOMP, t.bytes);
}

int convolution_unwritten(void)
{
    Net t = begin(shapes[0]);
    t.w = device_floats((int64_t)t.hw.size());
    OK(forward(t, PRECOMP, t.bytes));
    return cudaDeviceSynchronize();
}

/* y has one element less than its descriptor says. */
int convolution_short(void)
{
    Net t = begin(shapes[0]);
    t.y = device_floats((int64_t)t.hy.size() - 1);
    return forward(t, PRECOMP, t.bytes);
}

int convolution_overlap(void)
{
    Net t = begin(shapes[0]);
    t.workspace = t.y;
    return forward(t, PRECOMP, 2400);
}

/* What lay in the workspace is gone. */
int workspace_read(void)
{
    Net t = begin(shapes[0]);
    OK(cudaMemset(t.workspace, 0, t.bytes));
    OK(forward(t, PRECOMP, t.bytes));
    OK(launch_double(t.workspace, t.y, 16, nullptr));
    return cudaDeviceSynchronize();
}

/* Pairs of runs that differ, of ten. */
int differing(const Net &t, cudnnConvolutionFwdAlgo_t algorithm)
{
    int different = 0;
    OK(forward(t, algorithm, t.bytes));
    std::vector<float> first = host_copy(t.y, (int64_t)t.hy.size());
    for (int i = 0; i < 10; i++) {
        OK(forward(t, algorithm, t.bytes));
        different += host_copy(t.y, (int64_t)t.hy.size()) != first;
    }
    return different;
}

int algorithms_good(void)
{
    Net t = begin(shapes[0]);
    cudnnConvolutionFwdAlgoPerf_t list[8];
    int count = 0;
    OK(cudnnGetConvolutionForwardAlgorithm_v7(t.handle, t.xd, t.wd, t.cd, t.yd, 8, &count, list));
    bool right = count >= 3 && list[0].determinism == CUDNN_NON_DETERMINISTIC &&
                 list[0].status == CUDNN_STATUS_SUCCESS && list[1].status == CUDNN_STATUS_NOT_SUPPORTED &&
                 list[0].mathType == CUDNN_FMA_MATH;
    right &= differing(t, list[0].algo) == 10 && differing(t, PRECOMP) == 0;
    EXPECT(CUDNN_STATUS_NOT_SUPPORTED, forward(t, list[1].algo, t.bytes));
    OK(cudnnFindConvolutionForwardAlgorithmEx(t.handle, t.xd, t.x, t.wd, t.w, t.cd, t.yd, t.y, 8, &count,
                                              list, t.workspace, 2300));
    for (int i = 0; i < count; i++) {
        right &= list[i].memory <= 2300;
    }
    return end(t, right);
}

/* A search leaves nothing of use in its output. */
int search_output_read(void)
{
    Net t = begin(shapes[0]);
    cudnnConvolutionFwdAlgoPerf_t list[8];
    int count = 0;
    OK(cudnnFindConvolutionForwardAlgorithmEx(t.handle, t.xd, t.x, t.wd, t.w, t.cd, t.yd, t.y, 8, &count,
                                              list, t.workspace, t.bytes));
    OK(launch_double(t.y, t.workspace, 16, nullptr));
    return cudaDeviceSynchronize();
}

/* alpha is read at the call. */
int alpha_good(void)
{
    Net t = begin(shapes[0]);
    float alpha = 2.0f, beta = 0.0f;
    std::vector<double> want(t.hy.size(), 0.0);
    for_products(t.shape,
                 [&](size_t x, size_t w, size_t y) { want[y] += 2.0 * (double)t.hx[x] * (double)t.hw[w]; });
    OK(cudnnConvolutionForward(t.handle, &alpha, t.xd, t.x, t.wd, t.w, t.cd, PRECOMP, t.workspace, t.bytes,
                               &beta, t.yd, t.y));
    alpha = 0.0f;
    return end(t, far_off(host_copy(t.y, (int64_t)want.size()), want) < 1e-6);
}

cudnnStatus_t size_of(const Net &t, size_t *bytes)
{
    return cudnnGetConvolutionForwardWorkspaceSize(t.handle, t.xd, t.wd, t.cd, t.yd, PRECOMP, bytes);
}

/* What a test may make of an algorithm. */
int traps_good(void)
{
    Net t = begin(shapes[0]);
    const rs_emu_trap odd = {0, PRECOMP, CUDNN_STATUS_BAD_PARAM, CUDNN_STATUS_EXECUTION_FAILED, 1, 4096, 0};
    size_t bytes = 0;
    rs_emu_set_trap(&odd);
    EXPECT(CUDNN_STATUS_BAD_PARAM, size_of(t, &bytes));
    EXPECT(CUDNN_STATUS_BAD_PARAM, forward(t, PRECOMP, 4095));
    OK(forward(t, PRECOMP, 4096));
    EXPECT(CUDNN_STATUS_EXECUTION_FAILED, forward(t, PRECOMP, 4096, 1.0f, 1.0f));
    rs_emu_set_trap(nullptr);
    OK(size_of(t, &bytes));
    OK(forward(t, PRECOMP, bytes, 1.0f, 1.0f));
    OK(cudaDeviceSynchronize());
    return end(t, bytes < 4096);
}

/* Run with 10 MB of memory and RS_EMU_LOADS=1 GB. */
int kernels_loaded(void)
{
    Net t = begin(shapes[0]);
    EXPECT(CUDNN_STATUS_EXECUTION_FAILED_CUDART, forward(t, PRECOMP, t.bytes));
    return end(t, true);
}

/* Run with RS_EMU_CUDNN_CUDA=14000. */
int made_for_other(void)
{
    EXPECT(14000, cudnnGetCudartVersion());
    return 0;
}

/* Average pooling 4 by 4, stride 2, padding 1, both ways of counting; and its gradient. */
double pooling_error(cudnnPoolingMode_t mode)
{
    enum { N = 2, C = 3, H = 8, W = 8, P = 4, Q = 4 };
    cudnnHandle_t handle;
    cudnnTensorDescriptor_t xd, yd;
    cudnnPoolingDescriptor_t pd;
    std::vector<float> hx = noise(N * H * W * C, 5), hdy = noise(N * P * Q * C, 6);
    std::vector<double> y(hdy.size(), 0.0), dx(hx.size(), 0.0);
    float *x = device_copy(hx), *dy = device_copy(hdy), *out = device_floats((int64_t)y.size()),
          *back = device_floats((int64_t)dx.size());
    OK(cudnnCreate(&handle));
    OK(cudnnCreateTensorDescriptor(&xd));
    OK(cudnnCreateTensorDescriptor(&yd));
    OK(cudnnCreatePoolingDescriptor(&pd));
    OK(cudnnSetTensor4dDescriptor(xd, CUDNN_TENSOR_NHWC, CUDNN_DATA_FLOAT, N, C, H, W));
    OK(cudnnSetTensor4dDescriptor(yd, CUDNN_TENSOR_NHWC, CUDNN_DATA_FLOAT, N, C, P, Q));
    OK(cudnnSetPooling2dDescriptor(pd, mode, CUDNN_PROPAGATE_NAN, 4, 4, 1, 1, 2, 2));
    OK(cudnnPoolingForward(handle, pd, &ONE, xd, x, &ZERO, yd, out));
    OK(cudnnPoolingBackward(handle, pd, &ONE, yd, out, yd, dy, xd, x, &ZERO, xd, back));
    for (int i = 0; i < N * P * Q * C; i++) {
        int c = i % C, q = i / C % Q, p = i / C / Q % P, n = i / C / Q / P, inside = 0;
        for (int pass = 0; pass < 2; pass++) {
            for (int t = 0; t < 16; t++) {
                int h = p * 2 - 1 + t / 4, w = q * 2 - 1 + t % 4;
                if (h >= 0 && h < H && w >= 0 && w < W) {
                    size_t at = (size_t)(((n * H + h) * W + w) * C + c);
                    double part = 1.0 / (mode == CUDNN_POOLING_AVERAGE_COUNT_INCLUDE_PADDING ? 16 : inside);
                    inside += pass == 0;
                    y[(size_t)i] += pass ? part * (double)hx[at] : 0;
                    dx[at] += pass ? part * (double)hdy[(size_t)i] : 0;
                }
            }
        }
    }
    double error = std::fmax(far_off(host_copy(out, (int64_t)y.size()), y),
                             far_off(host_copy(back, (int64_t)dx.size()), dx));
    release({x, dy, out, back});
    OK(cudnnDestroyPoolingDescriptor(pd));
    OK(cudnnDestroyTensorDescriptor(xd));
    OK(cudnnDestroyTensorDescriptor(yd));
    OK(cudnnDestroy(handle));
    return error;
}

int pooling_good(void)
{
    bool right = pooling_error(CUDNN_POOLING_AVERAGE_COUNT_INCLUDE_PADDING) < 1e-6 &&
                 pooling_error(CUDNN_POOLING_AVERAGE_COUNT_EXCLUDE_PADDING) < 1e-6;
    return right ? 0 : WRONG;
}

int leaks_descriptor(void)
{
    cudnnTensorDescriptor_t left;
    Net t = begin(shapes[0]);
    OK(cudnnCreateTensorDescriptor(&left));
    return end(t, true);
}

int handle_dead(void)
{
    cudnnHandle_t handle;
    OK(cudnnCreate(&handle));
    OK(cudnnDestroy(handle));
    EXPECT(CUDNN_STATUS_BAD_PARAM, cudnnSetStream(handle, nullptr));
    return 0;
}

/* Run with RS_EMU_CUDNN_VERSION=80900. */
int version_old(void)
{
    EXPECT(80900, cudnnGetVersion());
    return 0;
}

int version_good(void)
{
    EXPECT(CUDNN_MAJOR, cudnnGetVersion() / 10000);
    return 0;
}

} // namespace

const std::vector<planted_case> cudnn_cases = {
    {"convolution_good", convolution_good},
    {"tf32_good", tf32_good},
    {"workspace_small_good", workspace_small},
    {"workspace_lie", workspace_lie},
    {"shape_wrong_good", shape_wrong},
    {"convolution_host_pointer", convolution_host_pointer},
    {"convolution_unwritten", convolution_unwritten},
    {"convolution_short", convolution_short},
    {"convolution_overlap", convolution_overlap},
    {"workspace_read", workspace_read},
    {"algorithms_good", algorithms_good},
    {"search_output_read", search_output_read},
    {"alpha_good", alpha_good},
    {"traps_good", traps_good},
    {"kernels_loaded_good", kernels_loaded},
    {"made_for_other_good", made_for_other},
    {"pooling_good", pooling_good},
    {"leaks_descriptor", leaks_descriptor},
    {"handle_dead_good", handle_dead},
    {"version_old_good", version_old},
    {"version_good", version_good},
};
