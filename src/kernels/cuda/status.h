/* status.h: every call of CUDA, cuDNN and cuBLAS goes through one of these: what it returned is looked at, and an
 * error says statement, file, line and device. */
#ifndef RS_KERNELS_CUDA_STATUS_H
#define RS_KERNELS_CUDA_STATUS_H

#include <cublas_v2.h>
#include <cuda_runtime_api.h>
#include <cudnn.h>

#include "rs/status.h"

/* In a function that returns rs_status. */
#define RS__CUDA(error, ...)                                                                                 \
    do {                                                                                                     \
        cudaError_t rs_cuda_status_ = (__VA_ARGS__);                                                         \
        if (rs_cuda_status_ != cudaSuccess) {                                                                \
            return rs__cuda_failed((error), rs_cuda_status_, #__VA_ARGS__, __FILE__, __LINE__);              \
        }                                                                                                    \
    } while (0)

/* The same for a status that was looked at before; `statement`: the text of what returned it. */
#define RS__CUDA_WAS(error, status, statement)                                                               \
    do {                                                                                                     \
        if ((status) != cudaSuccess) {                                                                       \
            return rs__cuda_failed((error), (status), (statement), __FILE__, __LINE__);                      \
        }                                                                                                    \
    } while (0)

#define RS__CUDNN(error, ...)                                                                                \
    do {                                                                                                     \
        cudnnStatus_t rs_cudnn_status_ = (__VA_ARGS__);                                                      \
        if (rs_cudnn_status_ != CUDNN_STATUS_SUCCESS) {                                                      \
            return rs__cudnn_failed((error), rs_cudnn_status_, #__VA_ARGS__, __FILE__, __LINE__);            \
        }                                                                                                    \
    } while (0)

#define RS__CUBLAS(error, ...)                                                                               \
    do {                                                                                                     \
        cublasStatus_t rs_cublas_status_ = (__VA_ARGS__);                                                    \
        if (rs_cublas_status_ != CUBLAS_STATUS_SUCCESS) {                                                    \
            return rs__cublas_failed((error), rs_cublas_status_, #__VA_ARGS__, __FILE__, __LINE__);          \
        }                                                                                                    \
    } while (0)

/* Fill the error: MEMORY where the library found none, else DEVICE. They also take the error out of CUDA's memory of
 * the last one, so that a later launch is not blamed for it. */
rs_status rs__cuda_failed(rs_error *error, cudaError_t status, const char *statement, const char *file,
                          int line);
rs_status rs__cudnn_failed(rs_error *error, cudnnStatus_t status, const char *statement, const char *file,
                           int line);
rs_status rs__cublas_failed(rs_error *error, cublasStatus_t status, const char *statement, const char *file,
                            int line);

#endif
