/* cudnn_convolution.cpp: the three convolution calls. At the call: handle, descriptors, algorithm, workspace
 * size, that pointers lie in device memory and outputs overlap no input; alpha and beta are read. When the
 * work runs: that inputs have values; the workspace is filled with poison.
 *
 * What is not deterministic gives other last bits each time. Where the descriptor allows TF32 inputs are
 * rounded to it. */
#include <cmath>

#include "cudnn.hpp"

namespace standin
{

namespace
{

/* A call, in terms of what it reads and writes. */
struct Job {
    const char *name;
    Direction direction;
    ConvolutionProblem problem;
    int algorithm;
    const void *a, *b; /* inputs, in the order of the call */
    size_t a_bytes, b_bytes;
    void *out;
    size_t out_bytes;
    void *workspace;
    size_t workspace_bytes; /* given */
    Blend blend;
};

bool overlap(const void *a, size_t a_bytes, const void *b, size_t b_bytes)
{
    return (const char *)a < (const char *)b + b_bytes && (const char *)b < (const char *)a + a_bytes;
}

void check_pointers(const Job &job)
{
    expect_device(job.a, job.a_bytes, 16, job.name);
    expect_device(job.b, job.b_bytes, 16, job.name);
    expect_device(job.out, job.out_bytes, 16, job.name);
    if (job.workspace_bytes) {
        expect_device(job.workspace, job.workspace_bytes, 16, job.name);
    }
    const struct {
        const void *memory;
        size_t bytes;
    } parts[] = {{job.out, job.out_bytes},
                 {job.workspace, job.workspace_bytes},
                 {job.a, job.a_bytes},
                 {job.b, job.b_bytes}};
    for (int i = 0; i < 2; i++) { /* what is written */
        for (int j = i + 1; j < 4; j++) {
            if (overlap(parts[i].memory, parts[i].bytes, parts[j].memory, parts[j].bytes)) {
                stop("%s: its output or workspace overlaps another of its arrays", job.name);
            }
        }
    }
}

/* The next float up or down, at random: sums in another order. */
void disturb(float *values, size_t count)
{
    static Random *random = new Random(12345);
    for (size_t i = 0; i < count; i++) {
        if (random->below(8) == 0) {
            values[i] = std::nextafter(values[i], random->below(2) ? INFINITY : -INFINITY);
        }
    }
}

void run(const Job &job, const Algorithm &algorithm)
{
    const Convolution &v = job.problem.shape;
    const size_t size = sizeof(float);
    expect_readable(job.a, job.a_bytes, job.name);
    expect_readable(job.b, job.b_bytes, job.name);
    if (job.blend.beta != 0) {
        expect_readable(job.out, job.out_bytes, job.name);
    }
    expect_scratch(job.workspace, algorithm.workspace, job.name);
    expect_writable(job.out, job.out_bytes, job.name);
    std::vector<float> a_rounded =
        rounded_copy((const float *)job.a, (int64_t)(job.a_bytes / size), job.problem.tf32);
    std::vector<float> b_rounded =
        rounded_copy((const float *)job.b, (int64_t)(job.b_bytes / size), job.problem.tf32);
    const float *a = job.problem.tf32 ? a_rounded.data() : (const float *)job.a;
    const float *b = job.problem.tf32 ? b_rounded.data() : (const float *)job.b;
    float *out = (float *)job.out;
    if (job.direction == Direction::forward) {
        convolve(v, a, b, out, job.blend);
    } else if (job.direction == Direction::data) {
        convolve_data(v, a, b, out, job.blend);
    } else {
        convolve_filter(v, a, b, out, job.blend);
    }
    if (!algorithm.deterministic) {
        disturb(out, job.out_bytes / size);
    }
}

/* Kernels are loaded when the first of them runs, and take memory. */
bool load_kernels()
{
    static bool loaded = false;
    loaded = loaded || occupy_device(settings().loads);
    return loaded;
}

cudnnStatus_t start(cudnnHandle_t handle, const Job &job)
{
    auto algorithm = find_algorithm(job.direction, job.problem, job.algorithm);
    const rs_emu_trap *trap = trap_of(job.direction, job.algorithm);
    if (!algorithm) {
        return reject(CUDNN_STATUS_NOT_SUPPORTED, "%s: algorithm %d", job.name, job.algorithm);
    }
    if (trap && trap->run_answer && (!trap->only_adding || job.blend.beta != 0) &&
        (!trap->only_tf32 || job.problem.math != CUDNN_FMA_MATH)) {
        return (cudnnStatus_t)trap->run_answer;
    }
    if (!load_kernels()) {
        return reject(CUDNN_STATUS_EXECUTION_FAILED_CUDART, "%s: no memory to load its kernels", job.name);
    }
    if (job.workspace_bytes < algorithm->workspace) {
        return reject(CUDNN_STATUS_BAD_PARAM, "%s: the workspace has %zu bytes, algorithm %d needs %zu",
                      job.name, job.workspace_bytes, job.algorithm, algorithm->workspace);
    }
    check_pointers(job);
    Work work;
    work.what = job.name;
    work.run = [job, chosen = *algorithm] { run(job, chosen); };
    return enqueue_cudnn(handle, std::move(work));
}

Blend blend_of(const void *alpha, const void *beta)
{
    return {(double)*(const float *)alpha, (double)*(const float *)beta};
}

} // namespace

} // namespace standin

using namespace standin;

STANDIN_API cudnnStatus_t cudnnConvolutionForward(cudnnHandle_t handle, const void *alpha,
                                                  const cudnnTensorDescriptor_t x_descriptor, const void *x,
                                                  const cudnnFilterDescriptor_t w_descriptor, const void *w,
                                                  const cudnnConvolutionDescriptor_t convolution,
                                                  cudnnConvolutionFwdAlgo_t algorithm, void *workspace,
                                                  size_t bytes, const void *beta,
                                                  const cudnnTensorDescriptor_t y_descriptor, void *y)
{
    STANDIN_CUDNN_HANDLE(handle, fallible);
    ConvolutionProblem p{};
    if (!alpha || !beta) {
        return CUDNN_STATUS_BAD_PARAM_NULL_POINTER;
    }
    if (cudnnStatus_t status = read_convolution(x_descriptor, w_descriptor, convolution, y_descriptor, &p)) {
        return status;
    }
    return start(handle, {__func__, Direction::forward, p, algorithm, x, w, p.x_bytes, p.filter_bytes, y,
                          p.y_bytes, workspace, bytes, blend_of(alpha, beta)});
}

STANDIN_API cudnnStatus_t cudnnConvolutionBackwardData(
    cudnnHandle_t handle, const void *alpha, const cudnnFilterDescriptor_t w_descriptor, const void *w,
    const cudnnTensorDescriptor_t dy_descriptor, const void *dy,
    const cudnnConvolutionDescriptor_t convolution, cudnnConvolutionBwdDataAlgo_t algorithm, void *workspace,
    size_t bytes, const void *beta, const cudnnTensorDescriptor_t dx_descriptor, void *dx)
{
    STANDIN_CUDNN_HANDLE(handle, fallible);
    ConvolutionProblem p{};
    if (!alpha || !beta) {
        return CUDNN_STATUS_BAD_PARAM_NULL_POINTER;
    }
    if (cudnnStatus_t status =
            read_convolution(dx_descriptor, w_descriptor, convolution, dy_descriptor, &p)) {
        return status;
    }
    return start(handle, {__func__, Direction::data, p, algorithm, w, dy, p.filter_bytes, p.y_bytes, dx,
                          p.x_bytes, workspace, bytes, blend_of(alpha, beta)});
}

STANDIN_API cudnnStatus_t cudnnConvolutionBackwardFilter(
    cudnnHandle_t handle, const void *alpha, const cudnnTensorDescriptor_t x_descriptor, const void *x,
    const cudnnTensorDescriptor_t dy_descriptor, const void *dy,
    const cudnnConvolutionDescriptor_t convolution, cudnnConvolutionBwdFilterAlgo_t algorithm,
    void *workspace, size_t bytes, const void *beta, const cudnnFilterDescriptor_t dw_descriptor, void *dw)
{
    STANDIN_CUDNN_HANDLE(handle, fallible);
    ConvolutionProblem p{};
    if (!alpha || !beta) {
        return CUDNN_STATUS_BAD_PARAM_NULL_POINTER;
    }
    if (cudnnStatus_t status =
            read_convolution(x_descriptor, dw_descriptor, convolution, dy_descriptor, &p)) {
        return status;
    }
    return start(handle, {__func__, Direction::filter, p, algorithm, x, dy, p.x_bytes, p.y_bytes, dw,
                          p.filter_bytes, workspace, bytes, blend_of(alpha, beta)});
}
