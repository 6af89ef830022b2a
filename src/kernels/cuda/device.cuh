/* device.cuh: what our kernels share: 16-byte accesses, how a matrix is cut into blocks, sums in a fixed
 * order.
 *
 * Kernels come in two widths: a thread takes W = 4 neighbouring floats at once, or, where channels are no
 * multiple of 4, one. The narrow ones are right, not fast. */
#ifndef RS_KERNELS_CUDA_DEVICE_CUH
#define RS_KERNELS_CUDA_DEVICE_CUH

#include <math.h>
#include <stdint.h>

#include "cut.cuh"
#include "kernels.h"

#ifndef RS_CU_SHARED /* who compiles kernels for the host brings its own */
#define RS_CU_SHARED(type, name, count) __shared__ __align__(16) type name[count]
#endif

#ifdef __CUDACC__
#define RS_CU_UNROLL _Pragma("unroll")
#define RS_CU_APART  __noinline__
#else
#define RS_CU_UNROLL
#define RS_CU_APART __attribute__((noinline))
#endif

#define RS_CU_INLINE static __device__ __forceinline__
#define RS_CU_GLOBAL extern "C" __global__ void __launch_bounds__(RS_CU_THREADS)
/* The same with how many blocks a multiprocessor must hold at once: 4 leave a thread 64 registers, 1 all it can have. */
#define RS_CU_GLOBAL_OF(blocks) extern "C" __global__ void __launch_bounds__(RS_CU_THREADS, blocks)
#define RS_CU_ALL_LANES         0xffffffffu

/* --- W floats ------------------------------------------------------------------------------------------ */

template <int W> struct rs_cu_lanes {
    float v[W];
};

template <int W> RS_CU_INLINE rs_cu_lanes<W> rs_cu_zeros()
{
    rs_cu_lanes<W> lanes;
    RS_CU_UNROLL
    for (int e = 0; e < W; e++) {
        lanes.v[e] = 0.0f;
    }
    return lanes;
}

template <int W> RS_CU_INLINE rs_cu_lanes<W> rs_cu_load(const float *at)
{
    rs_cu_lanes<W> lanes;
    if constexpr (W == 4) {
        const float4 four = *reinterpret_cast<const float4 *>(at);
        lanes.v[0] = four.x;
        lanes.v[1] = four.y;
        lanes.v[2] = four.z;
        lanes.v[3] = four.w;
    } else {
        lanes.v[0] = *at;
    }
    return lanes;
}

template <int W> RS_CU_INLINE void rs_cu_store(float *at, const rs_cu_lanes<W> &lanes)
{
    if constexpr (W == 4) {
        float4 four;
        four.x = lanes.v[0];
        four.y = lanes.v[1];
        four.z = lanes.v[2];
        four.w = lanes.v[3];
        *reinterpret_cast<float4 *>(at) = four;
    } else {
        *at = lanes.v[0];
    }
}

/* to = or += value. */
template <int W> RS_CU_INLINE void rs_cu_put(float *to, rs_cu_lanes<W> value, rs_pass pass)
{
    if (pass == RS_PASS_ADD) {
        const rs_cu_lanes<W> old = rs_cu_load<W>(to);
        RS_CU_UNROLL
        for (int e = 0; e < W; e++) {
            value.v[e] = old.v[e] + value.v[e];
        }
    }
    rs_cu_store<W>(to, value);
}

/* Calls Op::at<4>(i) for every four elements and Op::at<1>(i) for those left over. */
template <class Op> RS_CU_INLINE void rs_cu_each(int64_t count, const Op &op)
{
    int64_t i = 4 * ((int64_t)blockIdx.x * RS_CU_THREADS + (int64_t)threadIdx.x);
    if (i + 4 <= count) {
        op.template at<4>(i);
    } else {
        for (; i < count; i++) {
            op.template at<1>(i);
        }
    }
}

/* --- a thread's place in a cut matrix ------------------------------------------------------------------ */

/* Rows first, first + step .. below last; W channels from `channel` on. */
template <int W> struct rs_cu_place {
    int64_t piece, first, last;
    int strip, lane, down, step, channel;
    bool inside; /* of the channels */
};

template <int W> RS_CU_INLINE rs_cu_place<W> rs_cu_place_of(const rs_cu_cut &cut)
{
    const unsigned strips = (unsigned)cut.strips;
    rs_cu_place<W> place;
    place.piece = blockIdx.x / strips;
    place.strip = (int)(blockIdx.x % strips);
    place.lane = (int)(threadIdx.x & ((1u << cut.shift) - 1u));
    place.down = (int)(threadIdx.x >> cut.shift);
    place.step = RS_CU_THREADS >> cut.shift;
    place.channel = ((place.strip << cut.shift) + place.lane) * W;
    place.inside = place.channel < cut.channels;
    const int64_t begin = place.piece * cut.piece, end = begin + cut.piece;
    place.first = begin + place.down;
    place.last = end < cut.rows ? end : cut.rows;
    return place;
}

/* --- sums ---------------------------------------------------------------------------------------------- */

/* A maximum that keeps NaN. */
RS_CU_INLINE double rs_cu_larger(double a, double b)
{
    return a > b || isnan(a) ? a : b;
}

/* The sum over a block's threads, for all of them; `shared` has RS_CU_THREADS places and may be used again
 * after the next barrier. */
RS_CU_INLINE double rs_cu_block_sum(double mine, double *shared)
{
    shared[threadIdx.x] = mine;
    for (unsigned half = RS_CU_THREADS / 2; half > 0; half /= 2) {
        __syncthreads();
        if (threadIdx.x < half) {
            shared[threadIdx.x] += shared[threadIdx.x + half];
        }
    }
    __syncthreads();
    return shared[0];
}

/* Adds a thread's rows of a matrix to `sums`: runs in float, which join the doubles. */
template <int W>
RS_CU_INLINE void rs_cu_sum_rows(const rs_cu_cut &cut, const rs_cu_place<W> &place, const float *values,
                                 double (&sums)[W])
{
    for (int64_t row = place.first; row < place.last; row += RS_CU_RUN * place.step) {
        rs_cu_lanes<W> run = rs_cu_zeros<W>();
        for (int k = 0; k < RS_CU_RUN && row + k * place.step < place.last; k += 4) {
            RS_CU_UNROLL
            for (int i = 0; i < 4; i++) {
                const int64_t r = row + (k + i) * place.step;
                const rs_cu_lanes<W> one = r < place.last
                                               ? rs_cu_load<W>(values + r * cut.channels + place.channel)
                                               : rs_cu_zeros<W>();
                RS_CU_UNROLL
                for (int e = 0; e < W; e++) {
                    run.v[e] += one.v[e];
                }
            }
        }
        RS_CU_UNROLL
        for (int e = 0; e < W; e++) {
            sums[e] += (double)run.v[e];
        }
    }
}

/* One of the sums of a block's columns. */
struct rs_cu_column {
    double total;
    int sum, channel;
    bool valid; /* this thread has one */
};

/* Adds up, from the first thread row to the last, what the threads of a column hold: `mine` are SUMS sums
 * for each of the thread's W channels. `shared` has SUMS * W * RS_CU_THREADS places. */
template <int W, int SUMS>
RS_CU_INLINE rs_cu_column rs_cu_join_down(const rs_cu_cut &cut, const rs_cu_place<W> &place,
                                          const double (&mine)[SUMS][W], double *shared)
{
    const int columns = W << cut.shift, thread = (int)threadIdx.x;
    RS_CU_UNROLL
    for (int s = 0; s < SUMS; s++) {
        RS_CU_UNROLL
        for (int e = 0; e < W; e++) {
            shared[(s * RS_CU_THREADS + thread) * W + e] = mine[s][e];
        }
    }
    __syncthreads();
    rs_cu_column column = {0.0, thread / columns, place.strip * columns + thread % columns, false};
    if (column.sum < SUMS) {
        const double *at = shared + column.sum * RS_CU_THREADS * W + thread % columns;
        for (int d = 0; d < place.step; d++) {
            column.total += at[d * columns];
        }
        column.valid = column.channel < cut.channels;
    }
    return column;
}

/* What a block of rs_cu_join_down's writes: partial[piece][sum][channel]. */
template <int W, int SUMS>
RS_CU_INLINE void rs_cu_put_partial(const rs_cu_cut &cut, const rs_cu_place<W> &place,
                                    const double (&mine)[SUMS][W], double *shared, double *partial)
{
    const rs_cu_column column = rs_cu_join_down<W, SUMS>(cut, place, mine, shared);
    if (column.valid) {
        partial[(place.piece * SUMS + column.sum) * cut.channels + column.channel] = column.total;
    }
}

/* Adds the pieces up again, in a fixed order: RS_CU_JOIN_CHANNELS channels a block. The totals belong to the
 * threads for which it returns true. `shared` has SUMS * RS_CU_THREADS places. */
enum { RS_CU_JOIN_CHANNELS = 8, RS_CU_JOIN_GROUPS = RS_CU_THREADS / RS_CU_JOIN_CHANNELS };
template <int SUMS>
RS_CU_INLINE bool rs_cu_join_pieces(const double *partial, const rs_cu_cut &cut, int *channel, double *shared,
                                    double (&total)[SUMS])
{
    const int thread = (int)threadIdx.x, group = thread / RS_CU_JOIN_CHANNELS;
    *channel = (int)blockIdx.x * RS_CU_JOIN_CHANNELS + thread % RS_CU_JOIN_CHANNELS;
    RS_CU_UNROLL
    for (int s = 0; s < SUMS; s++) {
        total[s] = 0.0;
    }
    enum { AHEAD = 4 }; /* loads at once: such a block has nothing else to do than to wait for them */
    for (int64_t p = group; *channel < cut.channels && p < cut.pieces; p += AHEAD * RS_CU_JOIN_GROUPS) {
        double part[AHEAD][SUMS];
        RS_CU_UNROLL
        for (int k = 0; k < AHEAD; k++) {
            const int64_t q = p + k * RS_CU_JOIN_GROUPS;
            RS_CU_UNROLL
            for (int s = 0; s < SUMS; s++) {
                part[k][s] = q < cut.pieces ? partial[(q * SUMS + s) * cut.channels + *channel] : 0.0;
            }
        }
        RS_CU_UNROLL
        for (int k = 0; k < AHEAD; k++) {
            RS_CU_UNROLL
            for (int s = 0; s < SUMS; s++) {
                total[s] += part[k][s];
            }
        }
    }
    RS_CU_UNROLL
    for (int s = 0; s < SUMS; s++) {
        shared[s * RS_CU_THREADS + thread] = total[s];
    }
    for (int half = RS_CU_JOIN_GROUPS / 2; half > 0; half /= 2) {
        __syncthreads();
        RS_CU_UNROLL
        for (int s = 0; group < half && s < SUMS; s++) {
            total[s] += shared[s * RS_CU_THREADS + thread + half * RS_CU_JOIN_CHANNELS];
            shared[s * RS_CU_THREADS + thread] = total[s];
        }
    }
    return group == 0 && *channel < cut.channels;
}

#endif
