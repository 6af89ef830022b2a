/* planted.cuh: kernels with planted faults, and right ones, for the tests of the stand-in. */
#ifndef RS_EMU_PLANTED_CUH
#define RS_EMU_PLANTED_CUH

#include <stdint.h>

#ifndef RS_CU_SHARED
#define RS_CU_SHARED(type, name, count) __shared__ __align__(16) type name[count]
#endif

enum { PLANTED_THREADS = 64 };

static __device__ __forceinline__ int64_t planted_index()
{
    return (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
}

/* out[i] = 2 in[i]; right. */
extern "C" __global__ void planted_double(const float *in, float *out, int64_t count)
{
    const int64_t i = planted_index();
    if (i < count) {
        out[i] = 2.0f * in[i];
    }
}

/* The same, four at a time. */
extern "C" __global__ void planted_double_4(const float4 *in, float4 *out, int64_t count)
{
    const int64_t i = planted_index();
    if (i < count) {
        const float4 four = in[i];
        out[i] = make_float4(2.0f * four.x, 2.0f * four.y, 2.0f * four.z, 2.0f * four.w);
    }
}

/* Reads everything twice, and one scale for all. */
extern "C" __global__ void planted_twice(const float *in, const float *scale, float *out, int64_t count)
{
    const int64_t i = planted_index();
    if (i < count) {
        out[i] = in[i] * scale[0] + in[count - 1 - i];
    }
}

/* One element too many. */
extern "C" __global__ void planted_past_end(float *out, int64_t count)
{
    const int64_t i = planted_index();
    if (i <= count) {
        out[i] = 1.0f;
    }
}

/* Sums of blocks, by halves in shared memory; `forget` leaves out the barriers. */
static __device__ __forceinline__ void planted_sum(const float *in, float *out, bool forget)
{
    RS_CU_SHARED(float, sums, PLANTED_THREADS);
    sums[threadIdx.x] = in[planted_index()];
    for (unsigned half = PLANTED_THREADS / 2; half > 0; half /= 2) {
        if (!forget) {
            __syncthreads();
        }
        if (threadIdx.x < half) {
            sums[threadIdx.x] += sums[threadIdx.x + half];
        }
    }
    if (threadIdx.x == 0) {
        out[blockIdx.x] = sums[0];
    }
}
extern "C" __global__ void planted_block_sum(const float *in, float *out)
{
    planted_sum(in, out, false);
}
extern "C" __global__ void planted_block_sum_race(const float *in, float *out)
{
    planted_sum(in, out, true);
}

/* Within a warp __syncwarp orders shared memory; without it the lanes race. */
static __device__ __forceinline__ void planted_turn(const float *in, float *out, bool meet)
{
    RS_CU_SHARED(float, values, PLANTED_THREADS);
    values[threadIdx.x] = 0.0f;
    __syncthreads();
    values[threadIdx.x] = in[planted_index()];
    if (meet) {
        __syncwarp();
    }
    out[planted_index()] = values[threadIdx.x ^ 1u];
}
extern "C" __global__ void planted_warp_turn(const float *in, float *out)
{
    planted_turn(in, out, true);
}
extern "C" __global__ void planted_warp_turn_race(const float *in, float *out)
{
    planted_turn(in, out, false);
}

/* Through device memory, with a barrier of the block or without. */
static __device__ __forceinline__ void planted_pass_on(const float *in, float *out, bool meet)
{
    out[planted_index()] = in[planted_index()];
    if (meet) {
        __syncthreads();
    }
    const float neighbour = out[planted_index() ^ 1];
    __syncthreads();
    out[planted_index()] = neighbour;
}
extern "C" __global__ void planted_device_turn(const float *in, float *out)
{
    planted_pass_on(in, out, true);
}
extern "C" __global__ void planted_device_turn_race(const float *in, float *out)
{
    planted_pass_on(in, out, false);
}

/* One thread of each block writes: one word for all blocks, or a word each. */
extern "C" __global__ void planted_blocks_write(float *out, int apart)
{
    if (threadIdx.x == 0) {
        out[apart ? blockIdx.x : 0] = (float)blockIdx.x;
    }
}

extern "C" __global__ void planted_shared_unwritten(float *out)
{
    RS_CU_SHARED(float, values, PLANTED_THREADS);
    if (threadIdx.x > 0) {
        values[threadIdx.x] = 1.0f;
    }
    __syncthreads();
    out[threadIdx.x] = values[0];
}

extern "C" __global__ void planted_shared_outside(float *out, int step)
{
    RS_CU_SHARED(float, values, PLANTED_THREADS);
    values[threadIdx.x + (unsigned)step] = 1.0f;
    __syncthreads();
    out[threadIdx.x] = values[threadIdx.x];
}

/* Only half of the threads come to the barrier. */
extern "C" __global__ void planted_half_barrier(float *out)
{
    if (threadIdx.x < PLANTED_THREADS / 2) {
        __syncthreads();
    }
    out[threadIdx.x] = 1.0f;
}

extern "C" __global__ void planted_two_barriers(float *out)
{
    if (threadIdx.x < PLANTED_THREADS / 2) {
        __syncthreads();
    } else {
        __syncthreads();
    }
    out[threadIdx.x] = 1.0f;
}

/* Sums of warps by shuffles; `lanes` is the mask that the lanes name. */
extern "C" __global__ void planted_warp_sum(const float *in, float *out, unsigned lanes)
{
    float sum = in[planted_index()];
    for (int distance = 16; distance > 0; distance /= 2) {
        sum += __shfl_down_sync(lanes, sum, distance);
    }
    const unsigned positive = __ballot_sync(lanes, sum > 0.0f);
    if (threadIdx.x % 32 == 0) {
        out[planted_index() / 32] = sum + 0.0f * (float)__popc(positive);
    }
}

extern "C" __global__ void planted_shuffle_ended(float *out)
{
    float value = 1.0f;
    if (threadIdx.x % 32 == 31) {
        return;
    }
    value += __shfl_xor_sync(0xffffffffu, value, 1);
    out[threadIdx.x] = value;
}

/* The last writer wins: whoever that is. */
extern "C" __global__ void planted_last_wins(float *out)
{
    out[0] = (float)planted_index();
}

/* 49 KiB in the CPU build alone: nvcc refuses it when it compiles. */
#ifdef RS_EMU
enum { PLANTED_MUCH = 12 * 1024 };
#else
enum { PLANTED_MUCH = 1024 };
#endif
extern "C" __global__ void planted_much_shared(float *out)
{
    RS_CU_SHARED(float, values, PLANTED_MUCH);
    RS_CU_SHARED(float, more, 256);
    values[threadIdx.x] = 1.0f;
    more[threadIdx.x] = 1.0f;
    out[threadIdx.x] = values[threadIdx.x] + more[threadIdx.x];
}

#endif
