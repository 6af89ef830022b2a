/* warp.cuh: a warp's sums and maxima, the same for all its lanes, in a fixed order. */
#ifndef RS_KERNELS_CUDA_WARP_CUH
#define RS_KERNELS_CUDA_WARP_CUH

#include "device.cuh"

enum { RS_CU_WARPS = RS_CU_THREADS / 32 };

RS_CU_INLINE double rs_cu_warp_sum(double mine)
{
    for (int offset = 16; offset > 0; offset /= 2) {
        mine += __shfl_xor_sync(RS_CU_ALL_LANES, mine, offset);
    }
    return mine;
}

/* Leaves NaN out. */
RS_CU_INLINE float rs_cu_warp_max(float mine)
{
    for (int offset = 16; offset > 0; offset /= 2) {
        mine = fmaxf(mine, __shfl_xor_sync(RS_CU_ALL_LANES, mine, offset));
    }
    return mine;
}

#endif
