/* status.c: see status.h. */
#include "status.h"

#include <stdbool.h>
#include <string.h>

/* One line: what failed, why, where, on which GPU. */
static rs_status fail(rs_error *error, rs_status kind, const char *library, const char *statement,
                      const char *reason, const char *name, const char *file, int line)
{
    const char *slash = strrchr(file, '/');
    int device = -1;
    (void)cudaGetDevice(&device);
    (void)cudaGetLastError();
    return rs_error_set(error, kind, file, line, "%s: %s (%s) from %s at %s:%d, GPU %d", library, reason,
                        name, statement, slash ? slash + 1 : file, line, device);
}

rs_status rs__cuda_failed(rs_error *error, cudaError_t status, const char *statement, const char *file,
                          int line)
{
    return fail(error, status == cudaErrorMemoryAllocation ? RS_MEMORY : RS_DEVICE, "CUDA", statement,
                cudaGetErrorString(status), cudaGetErrorName(status), file, line);
}

rs_status rs__cudnn_failed(rs_error *error, cudnnStatus_t status, const char *statement, const char *file,
                           int line)
{
    bool memory = status == CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED ||
                  status == CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED;
    return fail(error, memory ? RS_MEMORY : RS_DEVICE, "cuDNN", statement, "the call failed",
                cudnnGetErrorString(status), file, line);
}

rs_status rs__cublas_failed(rs_error *error, cublasStatus_t status, const char *statement, const char *file,
                            int line)
{
    return fail(error, status == CUBLAS_STATUS_ALLOC_FAILED ? RS_MEMORY : RS_DEVICE, "cuBLAS", statement,
                cublasGetStatusString(status), cublasGetStatusName(status), file, line);
}
