/* cudnn_algorithms.cpp: which algorithms there are, what the heuristic and the search say of them.
 *
 * The lists are traps on purpose: the first is not deterministic, one is not supported, workspaces differ
 * and are never 0; ALGO_1 of both gradients, often the only one that is left, wants copies of all tensors. The
 * search orders by times that change with RS_EMU_SEED, leaves out what the workspace is too small for, and where
 * the descriptor forbids tensor cores lists first what it has timed with them. A test may set more traps. */
#include <algorithm>

#include "cudnn.hpp"

namespace standin
{

namespace
{

bool takes_winograd(const Convolution &v)
{
    return v.r == 3 && v.s == 3 && v.stride_h == 1 && v.stride_w == 1 && v.dilation_h == 1 &&
           v.dilation_w == 1;
}

std::vector<rs_emu_trap> &traps()
{
    static auto *set = new std::vector<rs_emu_trap>;
    return *set;
}

size_t copies_of_all(const ConvolutionProblem &problem)
{
    return 512 + problem.x_bytes + problem.y_bytes + problem.filter_bytes;
}

size_t workspace(const ConvolutionProblem &problem, int rank)
{
    size_t largest = std::max(problem.x_bytes, problem.y_bytes);
    return 512 * (size_t)(rank + 1) + (rank == 0   ? 2 * largest
                                       : rank == 1 ? largest
                                                   : problem.filter_bytes / 8 * 8);
}

/* Shared by Get and Find: fills what the caller has room for. */
template <typename Perf>
cudnnStatus_t report(const std::vector<Algorithm> &list, const ConvolutionProblem &problem, int wanted,
                     int *count, Perf *results)
{
    if (wanted < 1 || !count || !results) {
        return CUDNN_STATUS_BAD_PARAM;
    }
    *count = std::min(wanted, (int)list.size());
    for (int i = 0; i < *count; i++) {
        const Algorithm &algorithm = list[(size_t)i];
        results[i] = Perf{};
        results[i].algo = static_cast<decltype(results[i].algo)>(algorithm.number);
        results[i].status = algorithm.supported ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_NOT_SUPPORTED;
        results[i].time = algorithm.supported ? 0.1f * (float)(i + 1) : -1.0f;
        results[i].memory = algorithm.supported ? algorithm.workspace : 0;
        results[i].determinism = algorithm.deterministic ? CUDNN_DETERMINISTIC : CUDNN_NON_DETERMINISTIC;
        results[i].mathType = algorithm.other_math ? CUDNN_DEFAULT_MATH : problem.math;
    }
    return CUDNN_STATUS_SUCCESS;
}

std::vector<Algorithm> searched(Direction direction, const ConvolutionProblem &problem, size_t bytes)
{
    static Random *times = new Random(settings().seed);
    std::vector<Algorithm> list = algorithms_for(direction, problem);
    list.erase(std::remove_if(list.begin(), list.end(),
                              [&](const Algorithm &a) { return a.supported && a.workspace > bytes; }),
               list.end());
    for (size_t i = list.size(); settings().seed && i > 1; i--) {
        std::swap(list[i - 1], list[times->below(i)]);
    }
    if (problem.math == CUDNN_FMA_MATH && !list.empty()) {
        list.insert(list.begin(), list.back());
        list.front().other_math = true;
    }
    return list;
}

/* What a search leaves in its output and workspace: nothing of use. It has run when the call returns. */
cudnnStatus_t run_search(cudnnHandle_t handle, const void *a, size_t a_bytes, const void *b, size_t b_bytes,
                         void *out, size_t out_bytes, void *memory, size_t bytes)
{
    expect_device(a, a_bytes, 16, "cudnnFind...: the first input");
    expect_device(b, b_bytes, 16, "cudnnFind...: the second input");
    expect_device(out, out_bytes, 16, "cudnnFind...: the output");
    Work work;
    work.what = "a search of algorithms";
    work.run = [=] {
        expect_scratch(out, out_bytes, "the output of a search");
        if (bytes) {
            expect_scratch(memory, bytes, "the workspace of a search");
        }
    };
    cudnnStatus_t status = enqueue_cudnn(handle, std::move(work));
    return status                                    ? status
           : finish_stream(stream_of_handle(handle)) ? CUDNN_STATUS_EXECUTION_FAILED_CUDART
                                                     : CUDNN_STATUS_SUCCESS;
}

} // namespace

std::vector<Algorithm> algorithms_for(Direction direction, const ConvolutionProblem &problem)
{
    std::vector<Algorithm> list;
    switch (direction) {
    case Direction::forward:
        list = {{CUDNN_CONVOLUTION_FWD_ALGO_FFT_TILING, true, false, workspace(problem, 0)},
                {CUDNN_CONVOLUTION_FWD_ALGO_DIRECT, false, true, 0},
                {CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM, true, true, workspace(problem, 2)},
                {CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM, true, true, workspace(problem, 3)}};
        break;
    case Direction::data:
        list = {{CUDNN_CONVOLUTION_BWD_DATA_ALGO_0, true, false, workspace(problem, 0)},
                {CUDNN_CONVOLUTION_BWD_DATA_ALGO_FFT, false, true, 0},
                {CUDNN_CONVOLUTION_BWD_DATA_ALGO_1, true, true, copies_of_all(problem)}};
        break;
    case Direction::filter:
        list = {{CUDNN_CONVOLUTION_BWD_FILTER_ALGO_3, true, false, workspace(problem, 3)},
                {CUDNN_CONVOLUTION_BWD_FILTER_ALGO_0, true, false, workspace(problem, 0)},
                {CUDNN_CONVOLUTION_BWD_FILTER_ALGO_FFT, false, true, 0},
                {CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1, true, true, copies_of_all(problem)}};
        break;
    }
    if (takes_winograd(problem.shape)) {
        int winograd = direction == Direction::forward ? (int)CUDNN_CONVOLUTION_FWD_ALGO_WINOGRAD_NONFUSED
                       : direction == Direction::data
                           ? (int)CUDNN_CONVOLUTION_BWD_DATA_ALGO_WINOGRAD_NONFUSED
                           : (int)CUDNN_CONVOLUTION_BWD_FILTER_ALGO_WINOGRAD_NONFUSED;
        list.insert(list.end() - 1, Algorithm{winograd, true, true, workspace(problem, 1)});
    }
    for (Algorithm &algorithm : list) {
        const rs_emu_trap *trap = trap_of(direction, algorithm.number);
        algorithm.workspace = std::max(algorithm.workspace, trap ? trap->workspace : 0);
    }
    return list;
}

const rs_emu_trap *trap_of(Direction direction, int number)
{
    for (const rs_emu_trap &trap : traps()) {
        if (trap.pass == (int)direction && trap.algorithm == number) {
            return &trap;
        }
    }
    return nullptr;
}

std::unique_ptr<Algorithm> find_algorithm(Direction direction, const ConvolutionProblem &problem, int number)
{
    for (const Algorithm &algorithm : algorithms_for(direction, problem)) {
        if (algorithm.number == number && algorithm.supported) {
            return std::make_unique<Algorithm>(algorithm);
        }
    }
    return nullptr;
}

static cudnnStatus_t workspace_size(Direction direction, const ConvolutionProblem &problem, int number,
                                    size_t *bytes)
{
    auto algorithm = find_algorithm(direction, problem, number);
    const rs_emu_trap *trap = trap_of(direction, number);
    if (!bytes || !algorithm) {
        return bytes ? CUDNN_STATUS_NOT_SUPPORTED : CUDNN_STATUS_BAD_PARAM_NULL_POINTER;
    }
    if (trap && trap->size_answer) {
        return (cudnnStatus_t)trap->size_answer;
    }
    *bytes = algorithm->workspace;
    return CUDNN_STATUS_SUCCESS;
}

} // namespace standin

using namespace standin;

extern "C" void rs_emu_set_trap(const rs_emu_trap *trap)
{
    std::lock_guard<std::recursive_mutex> held(gate());
    if (trap) {
        traps().push_back(*trap);
    } else {
        traps().clear();
    }
}

#define READ_PROBLEM(x, filter, convolution, y)                                                              \
    ConvolutionProblem problem{};                                                                            \
    if (cudnnStatus_t read = read_convolution((x), (filter), (convolution), (y), &problem)) {                \
        return read;                                                                                         \
    }

STANDIN_API cudnnStatus_t cudnnGetConvolutionForwardAlgorithmMaxCount(cudnnHandle_t handle, int *count)
{
    STANDIN_CUDNN_HANDLE(handle, fallible);
    *count = CUDNN_CONVOLUTION_FWD_ALGO_COUNT;
    return CUDNN_STATUS_SUCCESS;
}

STANDIN_API cudnnStatus_t cudnnGetConvolutionBackwardDataAlgorithmMaxCount(cudnnHandle_t handle, int *count)
{
    STANDIN_CUDNN_HANDLE(handle, fallible);
    *count = CUDNN_CONVOLUTION_BWD_DATA_ALGO_COUNT;
    return CUDNN_STATUS_SUCCESS;
}

STANDIN_API cudnnStatus_t cudnnGetConvolutionBackwardFilterAlgorithmMaxCount(cudnnHandle_t handle, int *count)
{
    STANDIN_CUDNN_HANDLE(handle, fallible);
    *count = CUDNN_CONVOLUTION_BWD_FILTER_ALGO_COUNT;
    return CUDNN_STATUS_SUCCESS;
}

STANDIN_API cudnnStatus_t cudnnGetConvolutionForwardAlgorithm_v7(
    cudnnHandle_t handle, const cudnnTensorDescriptor_t x, const cudnnFilterDescriptor_t w,
    const cudnnConvolutionDescriptor_t convolution, const cudnnTensorDescriptor_t y, const int wanted,
    int *count, cudnnConvolutionFwdAlgoPerf_t *results)
{
    STANDIN_CUDNN_HANDLE(handle, fallible);
    READ_PROBLEM(x, w, convolution, y);
    return report(algorithms_for(Direction::forward, problem), problem, wanted, count, results);
}

STANDIN_API cudnnStatus_t cudnnGetConvolutionBackwardDataAlgorithm_v7(
    cudnnHandle_t handle, const cudnnFilterDescriptor_t w, const cudnnTensorDescriptor_t dy,
    const cudnnConvolutionDescriptor_t convolution, const cudnnTensorDescriptor_t dx, const int wanted,
    int *count, cudnnConvolutionBwdDataAlgoPerf_t *results)
{
    STANDIN_CUDNN_HANDLE(handle, fallible);
    READ_PROBLEM(dx, w, convolution, dy);
    return report(algorithms_for(Direction::data, problem), problem, wanted, count, results);
}

STANDIN_API cudnnStatus_t cudnnGetConvolutionBackwardFilterAlgorithm_v7(
    cudnnHandle_t handle, const cudnnTensorDescriptor_t x, const cudnnTensorDescriptor_t dy,
    const cudnnConvolutionDescriptor_t convolution, const cudnnFilterDescriptor_t dw, const int wanted,
    int *count, cudnnConvolutionBwdFilterAlgoPerf_t *results)
{
    STANDIN_CUDNN_HANDLE(handle, fallible);
    READ_PROBLEM(x, dw, convolution, dy);
    return report(algorithms_for(Direction::filter, problem), problem, wanted, count, results);
}

STANDIN_API cudnnStatus_t cudnnFindConvolutionForwardAlgorithmEx(
    cudnnHandle_t handle, const cudnnTensorDescriptor_t x_descriptor, const void *x,
    const cudnnFilterDescriptor_t w_descriptor, const void *w, const cudnnConvolutionDescriptor_t convolution,
    const cudnnTensorDescriptor_t y_descriptor, void *y, const int wanted, int *count,
    cudnnConvolutionFwdAlgoPerf_t *results, void *memory, size_t bytes)
{
    STANDIN_CUDNN_HANDLE(handle, fallible | unsafe);
    READ_PROBLEM(x_descriptor, w_descriptor, convolution, y_descriptor);
    cudnnStatus_t status =
        run_search(handle, x, problem.x_bytes, w, problem.filter_bytes, y, problem.y_bytes, memory, bytes);
    return status ? status
                  : report(searched(Direction::forward, problem, bytes), problem, wanted, count, results);
}

STANDIN_API cudnnStatus_t cudnnFindConvolutionBackwardDataAlgorithmEx(
    cudnnHandle_t handle, const cudnnFilterDescriptor_t w_descriptor, const void *w,
    const cudnnTensorDescriptor_t dy_descriptor, const void *dy,
    const cudnnConvolutionDescriptor_t convolution, const cudnnTensorDescriptor_t dx_descriptor, void *dx,
    const int wanted, int *count, cudnnConvolutionBwdDataAlgoPerf_t *results, void *memory, size_t bytes)
{
    STANDIN_CUDNN_HANDLE(handle, fallible | unsafe);
    READ_PROBLEM(dx_descriptor, w_descriptor, convolution, dy_descriptor);
    cudnnStatus_t status =
        run_search(handle, w, problem.filter_bytes, dy, problem.y_bytes, dx, problem.x_bytes, memory, bytes);
    return status ? status
                  : report(searched(Direction::data, problem, bytes), problem, wanted, count, results);
}

STANDIN_API cudnnStatus_t cudnnFindConvolutionBackwardFilterAlgorithmEx(
    cudnnHandle_t handle, const cudnnTensorDescriptor_t x_descriptor, const void *x,
    const cudnnTensorDescriptor_t dy_descriptor, const void *dy,
    const cudnnConvolutionDescriptor_t convolution, const cudnnFilterDescriptor_t dw_descriptor, void *dw,
    const int wanted, int *count, cudnnConvolutionBwdFilterAlgoPerf_t *results, void *memory, size_t bytes)
{
    STANDIN_CUDNN_HANDLE(handle, fallible | unsafe);
    READ_PROBLEM(x_descriptor, dw_descriptor, convolution, dy_descriptor);
    cudnnStatus_t status =
        run_search(handle, x, problem.x_bytes, dy, problem.y_bytes, dw, problem.filter_bytes, memory, bytes);
    return status ? status
                  : report(searched(Direction::filter, problem, bytes), problem, wanted, count, results);
}

STANDIN_API cudnnStatus_t cudnnGetConvolutionForwardWorkspaceSize(
    cudnnHandle_t handle, const cudnnTensorDescriptor_t x, const cudnnFilterDescriptor_t w,
    const cudnnConvolutionDescriptor_t convolution, const cudnnTensorDescriptor_t y,
    cudnnConvolutionFwdAlgo_t algorithm, size_t *bytes)
{
    STANDIN_CUDNN_HANDLE(handle, fallible);
    READ_PROBLEM(x, w, convolution, y);
    return workspace_size(Direction::forward, problem, algorithm, bytes);
}

STANDIN_API cudnnStatus_t cudnnGetConvolutionBackwardDataWorkspaceSize(
    cudnnHandle_t handle, const cudnnFilterDescriptor_t w, const cudnnTensorDescriptor_t dy,
    const cudnnConvolutionDescriptor_t convolution, const cudnnTensorDescriptor_t dx,
    cudnnConvolutionBwdDataAlgo_t algorithm, size_t *bytes)
{
    STANDIN_CUDNN_HANDLE(handle, fallible);
    READ_PROBLEM(dx, w, convolution, dy);
    return workspace_size(Direction::data, problem, algorithm, bytes);
}

STANDIN_API cudnnStatus_t cudnnGetConvolutionBackwardFilterWorkspaceSize(
    cudnnHandle_t handle, const cudnnTensorDescriptor_t x, const cudnnTensorDescriptor_t dy,
    const cudnnConvolutionDescriptor_t convolution, const cudnnFilterDescriptor_t dw,
    cudnnConvolutionBwdFilterAlgo_t algorithm, size_t *bytes)
{
    STANDIN_CUDNN_HANDLE(handle, fallible);
    READ_PROBLEM(x, dw, convolution, dy);
    return workspace_size(Direction::filter, problem, algorithm, bytes);
}
