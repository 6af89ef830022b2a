/* cublas.cpp: cuBLAS: a handle with its stream, workspace and mathematics, and the matrix product.
 *
 * cublasSetStream takes the user's workspace away again, as the real one does; a product inside a capture
 * without one is refused, because the real one would allocate for every graph. */
#include <cublas_v2.h>

#include <algorithm>
#include <cstdlib>

#include "standin.hpp"

namespace standin
{

namespace
{

struct Handle {
    cudaStream_t stream = nullptr;
    void *workspace = nullptr;
    size_t bytes = 0;
    bool has_workspace = false; /* the user's */
    cublasMath_t math = CUBLAS_DEFAULT_MATH;
};

Handle *handle_of(cublasHandle_t handle)
{
    return object_alive(handle, "cuBLAS handle") ? reinterpret_cast<Handle *>(handle) : nullptr;
}

class CublasCall : public Call
{
  public:
    CublasCall(const char *its_name, unsigned its_traits)
        : Call(its_name, its_traits), refused(CUBLAS_STATUS_SUCCESS)
    {
        if (refusal == Refusal::planned) {
            refused = traits & allocates ? CUBLAS_STATUS_ALLOC_FAILED : CUBLAS_STATUS_EXECUTION_FAILED;
        } else if (refusal == Refusal::capturing) {
            refused = CUBLAS_STATUS_INTERNAL_ERROR;
        } else if (refusal != Refusal::none) {
            refused = CUBLAS_STATUS_NOT_INITIALIZED;
        }
    }
    cublasStatus_t refused;
};

#define STANDIN_CUBLAS(traits)                                                                               \
    CublasCall call(__func__, (traits));                                                                     \
    if (call.refused != CUBLAS_STATUS_SUCCESS) {                                                             \
        return call.refused;                                                                                 \
    }
#define STANDIN_CUBLAS_HANDLE(handle, traits)                                                                \
    STANDIN_CUBLAS(traits)                                                                                   \
    Handle *own = handle_of(handle);                                                                         \
    if (!own) {                                                                                              \
        return CUBLAS_STATUS_NOT_INITIALIZED;                                                                \
    }

struct Gemm {
    bool turn_a, turn_b;
    int64_t m, n, k, lda, ldb, ldc;
    const float *a, *b;
    float *c;
    Blend blend;
    bool tf32;
    void *workspace;
    size_t bytes;
};

/* Floats from the first to the last element of a column-major matrix. */
int64_t extent(int64_t rows, int64_t columns, int64_t ld)
{
    return rows == 0 || columns == 0 ? 0 : (columns - 1) * ld + rows;
}

void run(const Gemm &g)
{
    int64_t a_count = g.turn_a ? extent(g.k, g.m, g.lda) : extent(g.m, g.k, g.lda);
    int64_t b_count = g.turn_b ? extent(g.n, g.k, g.ldb) : extent(g.k, g.n, g.ldb);
    if (g.lda == (g.turn_a ? g.k : g.m)) { /* gaps between columns may be anything */
        expect_readable(g.a, (size_t)a_count * sizeof(float), "a matrix product: A");
    }
    if (g.ldb == (g.turn_b ? g.n : g.k)) {
        expect_readable(g.b, (size_t)b_count * sizeof(float), "a matrix product: B");
    }
    if (g.bytes) {
        expect_scratch(g.workspace, g.bytes, "a matrix product: its workspace");
    }
    std::vector<float> a_rounded = rounded_copy(g.a, a_count, g.tf32),
                       b_rounded = rounded_copy(g.b, b_count, g.tf32);
    const float *a = g.tf32 ? a_rounded.data() : g.a, *b = g.tf32 ? b_rounded.data() : g.b;
    std::vector<double> sums((size_t)(g.m * g.n), 0.0);
    /* row-major, C' = op(B)' op(A)' */
    multiply_add({g.n, g.m, g.k, b, g.turn_b ? 1 : g.ldb, g.turn_b ? g.ldb : 1, a, g.turn_a ? 1 : g.lda,
                  g.turn_a ? g.lda : 1, sums.data(), g.m});
    for (int64_t j = 0; j < g.n; j++) {
        size_t column = (size_t)g.m * sizeof(float);
        if (g.blend.beta != 0) {
            expect_readable(g.c + j * g.ldc, column, "a matrix product: C");
        }
        expect_writable(g.c + j * g.ldc, column, "a matrix product: C");
        for (int64_t i = 0; i < g.m; i++) {
            g.blend.put(g.c + j * g.ldc + i, sums[(size_t)(j * g.m + i)]);
        }
    }
}

/* False, with a line, when dimensions do not fit. */
bool is_valid(const Gemm &g)
{
    bool fits = g.m >= 0 && g.n >= 0 && g.k >= 0 && g.lda >= std::max<int64_t>(1, g.turn_a ? g.k : g.m) &&
                g.ldb >= std::max<int64_t>(1, g.turn_b ? g.n : g.k) && g.ldc >= std::max<int64_t>(1, g.m);
    if (!fits) {
        say("cuBLAS: m %ld, n %ld, k %ld do not fit lda %ld, ldb %ld, ldc %ld", (long)g.m, (long)g.n,
            (long)g.k, (long)g.lda, (long)g.ldb, (long)g.ldc);
    }
    return fits;
}

cublasStatus_t start(const Handle &handle, Gemm g)
{
    if (!is_valid(g)) {
        return CUBLAS_STATUS_INVALID_VALUE;
    }
    if (stream_is_captured(handle.stream) && !handle.has_workspace) {
        say("cuBLAS: a product in a capture needs a workspace of the user (cublasSetWorkspace after "
            "cublasSetStream)");
        return CUBLAS_STATUS_ALLOC_FAILED;
    }
    size_t size = sizeof(float);
    expect_device(g.a, (size_t)(g.turn_a ? extent(g.k, g.m, g.lda) : extent(g.m, g.k, g.lda)) * size, 4,
                  "cuBLAS: A");
    expect_device(g.b, (size_t)(g.turn_b ? extent(g.n, g.k, g.ldb) : extent(g.k, g.n, g.ldb)) * size, 4,
                  "cuBLAS: B");
    expect_device(g.c, (size_t)extent(g.m, g.n, g.ldc) * size, 4, "cuBLAS: C");
    g.workspace = handle.workspace;
    g.bytes = handle.bytes;
    Work work;
    work.what = "a matrix product";
    work.run = [g] { run(g); };
    return enqueue(handle.stream, std::move(work)) ? CUBLAS_STATUS_EXECUTION_FAILED : CUBLAS_STATUS_SUCCESS;
}

} // namespace

} // namespace standin

using namespace standin;

STANDIN_API cublasStatus_t cublasCreate_v2(cublasHandle_t *handle)
{
    STANDIN_CUBLAS(fallible | allocates | unsafe);
    if (!handle) {
        return CUBLAS_STATUS_INVALID_VALUE;
    }
    Handle *made = new Handle;
    object_made(made, "cuBLAS handle");
    *handle = reinterpret_cast<cublasHandle_t>(made);
    return CUBLAS_STATUS_SUCCESS;
}

STANDIN_API cublasStatus_t cublasDestroy_v2(cublasHandle_t handle)
{
    STANDIN_CUBLAS_HANDLE(handle, unsafe);
    object_gone(handle);
    delete own;
    return CUBLAS_STATUS_SUCCESS;
}

STANDIN_API cublasStatus_t cublasSetStream_v2(cublasHandle_t handle, cudaStream_t stream)
{
    STANDIN_CUBLAS_HANDLE(handle, fallible);
    if (!valid_stream(stream)) {
        return CUBLAS_STATUS_INVALID_VALUE;
    }
    own->stream = stream;
    own->workspace = nullptr;
    own->bytes = 0;
    own->has_workspace = false;
    return CUBLAS_STATUS_SUCCESS;
}

STANDIN_API cublasStatus_t cublasSetWorkspace_v2(cublasHandle_t handle, void *workspace, size_t bytes)
{
    STANDIN_CUBLAS_HANDLE(handle, fallible);
    if (bytes) {
        expect_device(workspace, bytes, 256, "cublasSetWorkspace");
    }
    own->workspace = workspace;
    own->bytes = bytes;
    own->has_workspace = true;
    return CUBLAS_STATUS_SUCCESS;
}

STANDIN_API cublasStatus_t cublasSetMathMode(cublasHandle_t handle, cublasMath_t mode)
{
    STANDIN_CUBLAS_HANDLE(handle, fallible);
    own->math = mode;
    return CUBLAS_STATUS_SUCCESS;
}

STANDIN_API cublasStatus_t cublasSetPointerMode_v2(cublasHandle_t handle, cublasPointerMode_t mode)
{
    STANDIN_CUBLAS_HANDLE(handle, fallible);
    if (mode != CUBLAS_POINTER_MODE_HOST) {
        stop("the stand-in reads alpha and beta from the host");
    }
    return CUBLAS_STATUS_SUCCESS;
}

STANDIN_API cublasStatus_t cublasSetAtomicsMode(cublasHandle_t handle, cublasAtomicsMode_t mode)
{
    STANDIN_CUBLAS_HANDLE(handle, fallible);
    return mode == CUBLAS_ATOMICS_NOT_ALLOWED ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_NOT_SUPPORTED;
}

STANDIN_API cublasStatus_t cublasGetVersion_v2(cublasHandle_t handle, int *version)
{
    STANDIN_CUBLAS_HANDLE(handle, fallible);
    *version = CUBLAS_VERSION;
    return CUBLAS_STATUS_SUCCESS;
}

STANDIN_API cublasStatus_t cublasSgemm_v2(cublasHandle_t handle, cublasOperation_t turn_a,
                                          cublasOperation_t turn_b, int m, int n, int k, const float *alpha,
                                          const float *a, int lda, const float *b, int ldb, const float *beta,
                                          float *c, int ldc)
{
    STANDIN_CUBLAS_HANDLE(handle, fallible);
    if (!alpha || !beta) {
        return CUBLAS_STATUS_INVALID_VALUE;
    }
    return start(*own, {turn_a != CUBLAS_OP_N,
                        turn_b != CUBLAS_OP_N,
                        m,
                        n,
                        k,
                        lda,
                        ldb,
                        ldc,
                        a,
                        b,
                        c,
                        {(double)*alpha, (double)*beta},
                        own->math == CUBLAS_TF32_TENSOR_OP_MATH,
                        nullptr,
                        0});
}

STANDIN_API cublasStatus_t cublasSgemmStridedBatched(cublasHandle_t handle, cublasOperation_t turn_a,
                                                     cublasOperation_t turn_b, int m, int n, int k,
                                                     const float *alpha, const float *a, int lda,
                                                     long long int a_step, const float *b, int ldb,
                                                     long long int b_step, const float *beta, float *c,
                                                     int ldc, long long int c_step, int count)
{
    STANDIN_CUBLAS_HANDLE(handle, fallible);
    if (!alpha || !beta || count < 0) {
        return CUBLAS_STATUS_INVALID_VALUE;
    }
    if (count > 1 && std::llabs(c_step) < extent(m, n, ldc)) {
        stop("cublasSgemmStridedBatched: products write over each other");
    }
    for (int i = 0; i < count; i++) {
        cublasStatus_t status = start(*own, {turn_a != CUBLAS_OP_N,
                                             turn_b != CUBLAS_OP_N,
                                             m,
                                             n,
                                             k,
                                             lda,
                                             ldb,
                                             ldc,
                                             a + i * a_step,
                                             b + i * b_step,
                                             c + i * c_step,
                                             {(double)*alpha, (double)*beta},
                                             own->math == CUBLAS_TF32_TENSOR_OP_MATH,
                                             nullptr,
                                             0});
        if (status != CUBLAS_STATUS_SUCCESS) {
            return status;
        }
    }
    return CUBLAS_STATUS_SUCCESS;
}

STANDIN_API cublasStatus_t cublasGemmEx(cublasHandle_t handle, cublasOperation_t turn_a,
                                        cublasOperation_t turn_b, int m, int n, int k, const void *alpha,
                                        const void *a, cudaDataType a_type, int lda, const void *b,
                                        cudaDataType b_type, int ldb, const void *beta, void *c,
                                        cudaDataType c_type, int ldc, cublasComputeType_t compute,
                                        cublasGemmAlgo_t)
{
    STANDIN_CUBLAS_HANDLE(handle, fallible);
    bool known = compute == CUBLAS_COMPUTE_32F || compute == CUBLAS_COMPUTE_32F_PEDANTIC ||
                 compute == CUBLAS_COMPUTE_32F_FAST_TF32;
    if (!known || a_type != CUDA_R_32F || b_type != CUDA_R_32F || c_type != CUDA_R_32F) {
        say("cublasGemmEx: compute type %d, types %d, %d, %d", (int)compute, (int)a_type, (int)b_type,
            (int)c_type);
        return CUBLAS_STATUS_NOT_SUPPORTED;
    }
    if (!alpha || !beta) {
        return CUBLAS_STATUS_INVALID_VALUE;
    }
    bool tf32 = compute == CUBLAS_COMPUTE_32F_FAST_TF32 ||
                (compute == CUBLAS_COMPUTE_32F && own->math == CUBLAS_TF32_TENSOR_OP_MATH);
    return start(*own, {turn_a != CUBLAS_OP_N,
                        turn_b != CUBLAS_OP_N,
                        m,
                        n,
                        k,
                        lda,
                        ldb,
                        ldc,
                        (const float *)a,
                        (const float *)b,
                        (float *)c,
                        {(double)*(const float *)alpha, (double)*(const float *)beta},
                        tf32,
                        nullptr,
                        0});
}
