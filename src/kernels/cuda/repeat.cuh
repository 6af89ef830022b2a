/* repeat.cuh: values written several times along an axis, and the sums of what comes back; launches in repeat.cu.
 *
 * y is [outer][times][inner], x [outer][inner]. Backward: where `inner` is short a warp sums one element, its lanes along
 * `times`; else a thread sums W neighbours. */
#ifndef RS_KERNELS_CUDA_REPEAT_CUH
#define RS_KERNELS_CUDA_REPEAT_CUH

#include "warp.cuh"

/* Division by 32 bits wherever these are enough. */
RS_CU_INLINE int64_t rs_cu_quotient_of(int64_t number, int64_t by)
{
    return number <= (int64_t)UINT32_MAX && by <= (int64_t)UINT32_MAX
               ? (int64_t)((uint32_t)number / (uint32_t)by)
               : number / by;
}

struct rs_cu_repeat_op {
    rs_cu_repeat r;
    const float *x;
    float *y;
    __device__ __forceinline__ int64_t source(int64_t i) const
    {
        const int64_t outer = rs_cu_quotient_of(i, r.times * r.inner), row = rs_cu_quotient_of(i, r.inner);
        return outer * r.inner + (i - row * r.inner);
    }
    template <int W> __device__ __forceinline__ void at(int64_t i) const
    {
        rs_cu_lanes<W> value;
        if (W == 4 && r.inner % 4 == 0) {
            value = rs_cu_load<W>(x + source(i));
        } else {
            RS_CU_UNROLL
            for (int e = 0; e < W; e++) {
                value.v[e] = x[source(i + e)];
            }
        }
        rs_cu_store<W>(y + i, value);
    }
};

RS_CU_GLOBAL rs_cu_k_repeat_forward(rs_cu_repeat r, const float *x, float *y)
{
    rs_cu_each(r.outer * r.times * r.inner, rs_cu_repeat_op{r, x, y});
}

struct rs_cu_repeat_backward_op {
    rs_cu_repeat r;
    const float *dy;
    float *dx;
    rs_pass pass;
    template <int W> __device__ __forceinline__ void sum(int64_t i) const
    {
        const int64_t outer = rs_cu_quotient_of(i, r.inner);
        const float *from = dy + outer * (r.times - 1) * r.inner + i;
        double sums[W] = {};
        for (int64_t t = 0; t < r.times; t++) {
            const rs_cu_lanes<W> one = rs_cu_load<W>(from + t * r.inner);
            RS_CU_UNROLL
            for (int e = 0; e < W; e++) {
                sums[e] += (double)one.v[e];
            }
        }
        rs_cu_lanes<W> total;
        RS_CU_UNROLL
        for (int e = 0; e < W; e++) {
            total.v[e] = (float)sums[e];
        }
        rs_cu_put<W>(dx + i, total, pass);
    }
    template <int W> __device__ __forceinline__ void at(int64_t i) const
    {
        if (W == 4 && r.inner % 4 == 0) {
            sum<W>(i);
        } else {
            for (int e = 0; e < W; e++) {
                sum<1>(i + e);
            }
        }
    }
};

RS_CU_GLOBAL rs_cu_k_repeat_backward(rs_cu_repeat r, const float *dy, float *dx, rs_pass pass)
{
    rs_cu_each(r.outer * r.inner, rs_cu_repeat_backward_op{r, dy, dx, pass});
}

/* A warp for each element of dx. */
RS_CU_GLOBAL rs_cu_k_repeat_backward_warp(rs_cu_repeat r, const float *dy, float *dx, rs_pass pass)
{
    const int lane = (int)threadIdx.x % 32;
    const int64_t i = (int64_t)blockIdx.x * RS_CU_WARPS + (int64_t)threadIdx.x / 32;
    if (i >= r.outer * r.inner) {
        return;
    }
    const float *from = dy + rs_cu_quotient_of(i, r.inner) * (r.times - 1) * r.inner + i;
    double sum = 0.0;
    for (int64_t t = lane; t < r.times; t += 32) {
        sum += (double)from[t * r.inner];
    }
    sum = rs_cu_warp_sum(sum);
    if (lane == 0) {
        dx[i] = pass == RS_PASS_ADD ? dx[i] + (float)sum : (float)sum;
    }
}

#endif
