/* cases_cublas.cpp: the matrix product against plain loops, and what a handle forgets. */
#include <cublas_v2.h>
#include <cuda_runtime_api.h>

#include <cmath>

#include "planted.h"

namespace
{

enum { M = 37, N = 45, K = 300, LD = 310, WORKSPACE = 1 << 16 };
const float ONE = 1.0f, ZERO = 0.0f;

struct Setting {
    cublasHandle_t handle;
    cudaStream_t stream;
    std::vector<float> ha, hb, hc;
    float *a, *b, *c, *workspace;
};

std::vector<float> waves(int64_t count, double step)
{
    std::vector<float> values((size_t)count);
    for (size_t i = 0; i < values.size(); i++) {
        values[i] = (float)std::sin(step * (double)(i + 1));
    }
    return values;
}

Setting begin(void)
{
    Setting s;
    OK(cudaStreamCreateWithFlags(&s.stream, cudaStreamNonBlocking));
    OK(cublasCreate(&s.handle));
    OK(cublasSetStream(s.handle, s.stream));
    s.ha = waves(LD * LD, 0.7);
    s.hb = waves(LD * LD, 1.3);
    s.hc = waves(LD * LD, 2.1);
    s.a = device_copy(s.ha);
    s.b = device_copy(s.hb);
    s.c = device_copy(s.hc);
    s.workspace = device_floats(WORKSPACE / 4);
    return s;
}

int end(const Setting &s, bool right)
{
    OK(cudaStreamSynchronize(s.stream));
    release({s.a, s.b, s.c, s.workspace});
    OK(cublasDestroy(s.handle));
    OK(cudaStreamDestroy(s.stream));
    return right ? 0 : WRONG;
}

cublasOperation_t turn(bool t)
{
    return t ? CUBLAS_OP_T : CUBLAS_OP_N;
}

/* c = 0.5 op(a) op(b) + 2 c, every leading dimension LD. */
double product_error(const Setting &s, bool ta, bool tb)
{
    const float alpha = 0.5f, beta = 2.0f;
    double worst = 0;
    OK(cudaMemcpyAsync(s.c, s.hc.data(), s.hc.size() * 4, cudaMemcpyHostToDevice, s.stream));
    OK(cublasSgemm(s.handle, turn(ta), turn(tb), M, N, K, &alpha, s.a, LD, s.b, LD, &beta, s.c, LD));
    std::vector<float> got = host_copy(s.c, LD * LD);
    for (size_t j = 0; j < N; j++) {
        for (size_t i = 0; i < M; i++) {
            double sum = 0;
            for (size_t k = 0; k < K; k++) {
                sum +=
                    (double)s.ha[ta ? i * LD + k : k * LD + i] * (double)s.hb[tb ? k * LD + j : j * LD + k];
            }
            double difference =
                std::fabs(0.5 * sum + 2.0 * (double)s.hc[j * LD + i] - (double)got[j * LD + i]);
            worst = difference <= worst ? worst : std::isfinite(difference) ? difference : 1e30;
        }
    }
    bool outside = got[M] == s.hc[M] && got[N * LD] == s.hc[N * LD];
    return outside ? worst : 1e30;
}

int product_good(void)
{
    Setting s = begin();
    bool right = true;
    for (int t = 0; t < 4; t++) {
        right &= product_error(s, t & 1, t & 2) < 1e-5;
    }
    return end(s, right);
}

int product_tf32_good(void)
{
    Setting s = begin();
    OK(cublasSetMathMode(s.handle, CUBLAS_TF32_TENSOR_OP_MATH));
    double error = product_error(s, false, false);
    return end(s, error > 1e-5 && error < 5e-2);
}

/* Each of several products is what it would be alone; one matrix for all of them where its step is 0. */
int products_good(void)
{
    enum { EACH = 100, SIDE = 8, COUNT = 5 };
    Setting s = begin();
    bool right = true;
    for (int t = 0; t < 4; t++) {
        const bool ta = t & 1, tb = t & 2;
        const long long b_step = t == 3 ? 0 : EACH;
        OK(cublasSgemmStridedBatched(s.handle, turn(ta), turn(tb), SIDE, SIDE, SIDE, &ONE, s.a, SIDE, EACH,
                                     s.b, SIDE, b_step, &ZERO, s.c, SIDE, EACH, COUNT));
        std::vector<float> got = host_copy(s.c, COUNT * EACH);
        for (size_t p = 0; p < COUNT; p++) {
            for (size_t i = 0; i < SIDE * SIDE; i++) {
                size_t row = i % SIDE, column = i / SIDE, a = p * EACH, b = p * (size_t)b_step;
                double sum = 0;
                for (size_t k = 0; k < SIDE; k++) {
                    sum += (double)s.ha[a + (ta ? row * SIDE + k : k * SIDE + row)] *
                           (double)s.hb[b + (tb ? k * SIDE + column : column * SIDE + k)];
                }
                right &= std::fabs(sum - (double)got[p * EACH + i]) < 1e-5;
            }
        }
    }
    return end(s, right);
}

int products_overlap(void)
{
    Setting s = begin();
    return cublasSgemmStridedBatched(s.handle, CUBLAS_OP_N, CUBLAS_OP_N, 8, 8, 8, &ONE, s.a, 8, 64, s.b, 8,
                                     64, &ZERO, s.c, 8, 63, 2);
}

int products_past_end(void)
{
    Setting s = begin();
    return cublasSgemmStridedBatched(s.handle, CUBLAS_OP_N, CUBLAS_OP_N, 10, 10, 10, &ONE, s.a, 10, LD * LD,
                                     s.b, 10, 100, &ZERO, s.c, 10, 100, 2);
}

int product_rejected(void)
{
    Setting s = begin();
    EXPECT(CUBLAS_STATUS_INVALID_VALUE,
           cublasSgemm(s.handle, CUBLAS_OP_N, CUBLAS_OP_N, M, N, K, &ONE, s.a, M - 1, s.b, K, &ZERO, s.c, M));
    EXPECT(CUBLAS_STATUS_INVALID_VALUE,
           cublasSgemm(s.handle, CUBLAS_OP_T, CUBLAS_OP_N, M, N, K, &ONE, s.a, M, s.b, K, &ZERO, s.c, M));
    return end(s, true);
}

int product_host_pointer(void)
{
    Setting s = begin();
    return cublasSgemm(s.handle, CUBLAS_OP_N, CUBLAS_OP_N, M, N, K, &ONE, s.ha.data(), M, s.b, K, &ZERO, s.c,
                       M);
}

int product_past_end(void)
{
    Setting s = begin();
    return cublasSgemm(s.handle, CUBLAS_OP_N, CUBLAS_OP_N, LD, LD + 1, LD, &ONE, s.a, LD, s.b, LD, &ZERO, s.c,
                       LD);
}

int product_unwritten(void)
{
    Setting s = begin();
    float *fresh = device_floats(M * K);
    OK(cublasSgemm(s.handle, CUBLAS_OP_N, CUBLAS_OP_N, M, N, K, &ONE, fresh, M, s.b, K, &ZERO, s.c, M));
    return cudaStreamSynchronize(s.stream);
}

cublasStatus_t captured_product(const Setting &s)
{
    cudaGraph_t graph = nullptr;
    OK(cudaStreamBeginCapture(s.stream, cudaStreamCaptureModeThreadLocal));
    cublasStatus_t status =
        cublasSgemm(s.handle, CUBLAS_OP_N, CUBLAS_OP_N, M, N, K, &ONE, s.a, M, s.b, K, &ZERO, s.c, M);
    OK(cudaStreamEndCapture(s.stream, &graph));
    OK(cudaGraphDestroy(graph));
    return status;
}

/* cublasSetStream takes the workspace away. */
int workspace_forgotten(void)
{
    Setting s = begin();
    EXPECT(CUBLAS_STATUS_ALLOC_FAILED, captured_product(s));
    OK(cublasSetWorkspace(s.handle, s.workspace, WORKSPACE));
    OK(captured_product(s));
    OK(cublasSetStream(s.handle, s.stream));
    EXPECT(CUBLAS_STATUS_ALLOC_FAILED, captured_product(s));
    return end(s, true);
}

} // namespace

const std::vector<planted_case> cublas_cases = {
    {"product_good", product_good},
    {"product_tf32_good", product_tf32_good},
    {"product_rejected_good", product_rejected},
    {"products_good", products_good},
    {"products_overlap", products_overlap},
    {"products_past_end", products_past_end},
    {"product_host_pointer", product_host_pointer},
    {"product_past_end", product_past_end},
    {"product_unwritten", product_unwritten},
    {"workspace_forgotten_good", workspace_forgotten},
};
