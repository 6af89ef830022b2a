/* launch.cuh: what launchers share: checks of arguments and the launch itself. */
#ifndef RS_KERNELS_CUDA_LAUNCH_CUH
#define RS_KERNELS_CUDA_LAUNCH_CUH

#include <limits.h>
#include <stdint.h>

#include "cut.cuh"

/* A kernel's launch and its status. What an earlier call left behind (an event that was not ready) is none
 * of ours. */
#define RS_CU_LAUNCH(kernel, blocks, stream, ...)                                                            \
    ((void)cudaGetLastError(), kernel<<<(unsigned)(blocks), RS_CU_THREADS, 0, (stream)>>>(__VA_ARGS__),      \
     cudaGetLastError())

#define RS_CU_TRY(expression)                                                                                \
    do {                                                                                                     \
        const cudaError_t rs_cu_try_status_ = (expression);                                                  \
        if (rs_cu_try_status_ != cudaSuccess) {                                                              \
            return rs_cu_try_status_;                                                                        \
        }                                                                                                    \
    } while (0)

/* There and aligned to 16 bytes. */
static inline bool rs_cu_good(const void *pointer)
{
    return pointer && (uintptr_t)pointer % 16 == 0;
}

/* NULL is as good. */
static inline bool rs_cu_good_or_none(const void *pointer)
{
    return (uintptr_t)pointer % 16 == 0;
}

static inline bool rs_cu_grid_fits(int64_t blocks)
{
    return blocks >= 1 && blocks <= INT_MAX;
}

static inline int64_t rs_cu_divide_up(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

#endif
