/* channels.cuh: what runs along the channels of a position: softmax and row normalisation; launches in channels.cu.
 *
 * A warp takes a position: its channels, read once, lie in shared memory (more than RS_CU_KEPT_CHANNELS are read again).
 * Values in float, sums of them in double. */
#ifndef RS_KERNELS_CUDA_CHANNELS_CUH
#define RS_KERNELS_CUDA_CHANNELS_CUH

#include "warp.cuh"

enum { RS_CU_KEPT_CHANNELS = 512, RS_CU_KEPT_ROWS = 2 * RS_CU_WARPS * RS_CU_KEPT_CHANNELS };

/* One position of a warp. */
struct rs_cu_row {
    int64_t at; /* its first element */
    int lane;
    float *kept; /* its own part of shared memory: two rows */
    bool there;
};

RS_CU_INLINE rs_cu_row rs_cu_row_of(const rs_cu_channels &c, float *shared)
{
    const int warp = (int)threadIdx.x / 32;
    const int64_t row = (int64_t)blockIdx.x * RS_CU_WARPS + warp;
    return {row * c.channels, (int)threadIdx.x % 32, shared + 2 * warp * RS_CU_KEPT_CHANNELS, row < c.rows};
}

/* Where a row is read from: its copy in half `which` of the warp's shared memory, if it fits there. */
template <int W>
RS_CU_INLINE const float *rs_cu_keep_row(const rs_cu_channels &c, const rs_cu_row &row, const float *from,
                                         int which)
{
    if (c.channels > RS_CU_KEPT_CHANNELS) {
        return from + row.at;
    }
    float *kept = row.kept + which * RS_CU_KEPT_CHANNELS;
    for (int k = row.lane * W; k < c.channels; k += 32 * W) {
        rs_cu_store<W>(kept + k, rs_cu_load<W>(from + row.at + k));
    }
    __syncwarp();
    return kept;
}

template <int W> RS_CU_INLINE void rs_cu_softmax_forward_of(const rs_cu_channels &c)
{
    RS_CU_SHARED(float, shared, RS_CU_KEPT_ROWS);
    const rs_cu_row row = rs_cu_row_of(c, shared);
    if (!row.there) {
        return;
    }
    const float *x = rs_cu_keep_row<W>(c, row, c.x, 0);
    float largest = -INFINITY;
    for (int k = row.lane; k < c.channels; k += 32) {
        largest = fmaxf(largest, x[k]); /* leaves NaN out; the sum has it */
    }
    largest = rs_cu_warp_max(largest);
    double sum = 0.0;
    for (int k = row.lane; k < c.channels; k += 32) {
        sum += (double)expf(x[k] - largest);
    }
    sum = rs_cu_warp_sum(sum);
    for (int k = row.lane * W; k < c.channels; k += 32 * W) {
        rs_cu_lanes<W> y = rs_cu_load<W>(x + k);
        RS_CU_UNROLL
        for (int e = 0; e < W; e++) {
            y.v[e] = (float)((double)expf(y.v[e] - largest) / sum);
        }
        rs_cu_store<W>(c.y + row.at + k, y);
    }
}

RS_CU_GLOBAL rs_cu_k_softmax_forward_4(rs_cu_channels c)
{
    rs_cu_softmax_forward_of<4>(c);
}

RS_CU_GLOBAL rs_cu_k_softmax_forward_1(rs_cu_channels c)
{
    rs_cu_softmax_forward_of<1>(c);
}

/* sum over k of a[k] b[k], the same for all lanes. */
RS_CU_INLINE double rs_cu_row_dot(const float *a, const float *b, int channels, int lane)
{
    double sum = 0.0;
    for (int k = lane; k < channels; k += 32) {
        sum += (double)a[k] * (double)b[k];
    }
    return rs_cu_warp_sum(sum);
}

template <int W> RS_CU_INLINE void rs_cu_softmax_backward_of(const rs_cu_channels &c)
{
    RS_CU_SHARED(float, shared, RS_CU_KEPT_ROWS);
    const rs_cu_row row = rs_cu_row_of(c, shared);
    if (!row.there) {
        return;
    }
    const float *y = rs_cu_keep_row<W>(c, row, c.x, 0), *dy = rs_cu_keep_row<W>(c, row, c.dy, 1);
    const double dot = rs_cu_row_dot(y, dy, c.channels, row.lane);
    for (int k = row.lane * W; k < c.channels; k += 32 * W) {
        const rs_cu_lanes<W> value = rs_cu_load<W>(y + k);
        rs_cu_lanes<W> g = rs_cu_load<W>(dy + k);
        RS_CU_UNROLL
        for (int e = 0; e < W; e++) {
            g.v[e] = (float)((double)value.v[e] * ((double)g.v[e] - dot));
        }
        rs_cu_put<W>(c.y + row.at + k, g, c.pass);
    }
}

RS_CU_GLOBAL rs_cu_k_softmax_backward_4(rs_cu_channels c)
{
    rs_cu_softmax_backward_of<4>(c);
}

RS_CU_GLOBAL rs_cu_k_softmax_backward_1(rs_cu_channels c)
{
    rs_cu_softmax_backward_of<1>(c);
}

RS_CU_INLINE double rs_cu_row_sum(const float *x, int channels, int lane)
{
    double sum = 0.0;
    for (int k = lane; k < channels; k += 32) {
        sum += (double)x[k];
    }
    return rs_cu_warp_sum(sum);
}

template <int W> RS_CU_INLINE void rs_cu_row_normalize_forward_of(const rs_cu_channels &c)
{
    RS_CU_SHARED(float, shared, RS_CU_KEPT_ROWS);
    const rs_cu_row row = rs_cu_row_of(c, shared);
    if (!row.there) {
        return;
    }
    const float *x = rs_cu_keep_row<W>(c, row, c.x, 0);
    const double sum = rs_cu_row_sum(x, c.channels, row.lane);
    for (int k = row.lane * W; k < c.channels; k += 32 * W) {
        rs_cu_lanes<W> y = rs_cu_load<W>(x + k);
        RS_CU_UNROLL
        for (int e = 0; e < W; e++) {
            y.v[e] = (float)((double)y.v[e] / sum);
        }
        rs_cu_store<W>(c.y + row.at + k, y);
    }
}

RS_CU_GLOBAL rs_cu_k_row_normalize_forward_4(rs_cu_channels c)
{
    rs_cu_row_normalize_forward_of<4>(c);
}

RS_CU_GLOBAL rs_cu_k_row_normalize_forward_1(rs_cu_channels c)
{
    rs_cu_row_normalize_forward_of<1>(c);
}

/* dx = (dy - sum dy y) / s with y = x / s. */
template <int W> RS_CU_INLINE void rs_cu_row_normalize_backward_of(const rs_cu_channels &c)
{
    RS_CU_SHARED(float, shared, RS_CU_KEPT_ROWS);
    const rs_cu_row row = rs_cu_row_of(c, shared);
    if (!row.there) {
        return;
    }
    const float *x = rs_cu_keep_row<W>(c, row, c.x, 0), *dy = rs_cu_keep_row<W>(c, row, c.dy, 1);
    const double sum = rs_cu_row_sum(x, c.channels, row.lane),
                 dot = rs_cu_row_dot(x, dy, c.channels, row.lane) / sum;
    for (int k = row.lane * W; k < c.channels; k += 32 * W) {
        rs_cu_lanes<W> g = rs_cu_load<W>(dy + k);
        RS_CU_UNROLL
        for (int e = 0; e < W; e++) {
            g.v[e] = (float)(((double)g.v[e] - dot) / sum);
        }
        rs_cu_put<W>(c.y + row.at + k, g, c.pass);
    }
}

RS_CU_GLOBAL rs_cu_k_row_normalize_backward_4(rs_cu_channels c)
{
    rs_cu_row_normalize_backward_of<4>(c);
}

RS_CU_GLOBAL rs_cu_k_row_normalize_backward_1(rs_cu_channels c)
{
    rs_cu_row_normalize_backward_of<1>(c);
}

#endif
