/* objectives.cuh: how far a layer's output is from its objective's target; launches in objectives.cu.
 *
 * Sums in two stages: a block takes a piece of neighbouring elements, one block adds the pieces up. */
#ifndef RS_KERNELS_CUDA_OBJECTIVES_CUH
#define RS_KERNELS_CUDA_OBJECTIVES_CUH

#include "device.cuh"

struct rs_cu_distance_total {
    double sum, square;
    template <int W> __device__ __forceinline__ void add(const float *y, double target)
    {
        const rs_cu_lanes<W> value = rs_cu_load<W>(y);
        RS_CU_UNROLL
        for (int e = 0; e < W; e++) {
            const double one = (double)value.v[e], distance = one - target;
            sum += one;
            square += distance * distance;
        }
    }
};

/* partial: [pieces][2], the sums of y and of (y - target)^2. */
RS_CU_GLOBAL rs_cu_k_distance_sums(rs_cu_flat cut, const float *y, double target, double *partial)
{
    RS_CU_SHARED(double, shared, RS_CU_THREADS);
    const int64_t first = (int64_t)blockIdx.x * cut.piece, end = first + cut.piece,
                  last = end < cut.count ? end : cut.count;
    rs_cu_distance_total total = {0.0, 0.0};
    for (int64_t i = first + 4 * (int64_t)threadIdx.x; i < last; i += 4 * RS_CU_THREADS) {
        if (i + 4 <= last) {
            total.add<4>(y + i, target);
        } else {
            for (int64_t k = i; k < last; k++) {
                total.add<1>(y + k, target);
            }
        }
    }
    const double sum = rs_cu_block_sum(total.sum, shared);
    __syncthreads();
    const double square = rs_cu_block_sum(total.square, shared);
    if (threadIdx.x == 0) {
        partial[2 * (int64_t)blockIdx.x] = sum;
        partial[2 * (int64_t)blockIdx.x + 1] = square;
    }
}

/* One block. */
RS_CU_GLOBAL rs_cu_k_distance_finish(rs_cu_flat cut, const double *partial, rs_layer_value *value)
{
    RS_CU_SHARED(double, shared, RS_CU_THREADS);
    double sum = 0.0, square = 0.0;
    for (int64_t p = threadIdx.x; p < cut.pieces; p += RS_CU_THREADS) {
        sum += partial[2 * p];
        square += partial[2 * p + 1];
    }
    sum = rs_cu_block_sum(sum, shared);
    __syncthreads();
    square = rs_cu_block_sum(square, shared);
    if (threadIdx.x == 0) {
        value->loss = square / (double)cut.count;
        value->mean = sum / (double)cut.count;
    }
}

struct rs_cu_distance_backward_op {
    const float *y;
    float *dy;
    float target, factor;
    rs_pass pass;
    template <int W> __device__ __forceinline__ void at(int64_t i) const
    {
        rs_cu_lanes<W> g = rs_cu_load<W>(y + i);
        RS_CU_UNROLL
        for (int e = 0; e < W; e++) {
            g.v[e] = (g.v[e] - target) * factor;
        }
        rs_cu_put<W>(dy + i, g, pass);
    }
};

RS_CU_GLOBAL rs_cu_k_distance_backward(const float *y, float *dy, float target, float factor, rs_pass pass,
                                       int64_t count)
{
    rs_cu_each(count, rs_cu_distance_backward_op{y, dy, target, factor, pass});
}

#endif
