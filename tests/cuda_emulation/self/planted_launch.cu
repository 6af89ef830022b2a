/* planted_launch.cu: launches of the planted kernels. */
#include "planted.cuh"
#include "planted.h"

extern "C" __global__ void planted_unlisted(float *out)
{
    out[threadIdx.x] = 1.0f;
}

extern "C" __global__ void planted_nothing(void)
{
}

static unsigned blocks_for(int64_t count)
{
    return (unsigned)((count + THREADS - 1) / THREADS);
}

int launch_double(const float *in, float *out, int64_t count, planted_stream stream)
{
    planted_double<<<blocks_for(count), THREADS, 0, stream>>>(in, out, count);
    return cudaGetLastError();
}

int launch_double_4(const float *in, float *out, int64_t count, planted_stream stream)
{
    planted_double_4<<<blocks_for(count / 4), THREADS, 0, stream>>>((const float4 *)in, (float4 *)out,
                                                                    count / 4);
    return cudaGetLastError();
}

int launch_twice(const float *in, const float *scale, float *out, int64_t count, planted_stream stream)
{
    planted_twice<<<blocks_for(count), THREADS, 0, stream>>>(in, scale, out, count);
    return cudaGetLastError();
}

int launch_past_end(float *out, int64_t count, planted_stream stream)
{
    planted_past_end<<<blocks_for(count + 1), THREADS, 0, stream>>>(out, count);
    return cudaGetLastError();
}

int launch_block_sum(const float *in, float *out, int blocks, bool forget, planted_stream stream)
{
    if (forget) {
        planted_block_sum_race<<<blocks, THREADS, 0, stream>>>(in, out);
    } else {
        planted_block_sum<<<blocks, THREADS, 0, stream>>>(in, out);
    }
    return cudaGetLastError();
}

int launch_warp_turn(const float *in, float *out, bool meet, planted_stream stream)
{
    if (meet) {
        planted_warp_turn<<<1, THREADS, 0, stream>>>(in, out);
    } else {
        planted_warp_turn_race<<<1, THREADS, 0, stream>>>(in, out);
    }
    return cudaGetLastError();
}

int launch_device_turn(const float *in, float *out, bool meet, planted_stream stream)
{
    if (meet) {
        planted_device_turn<<<2, THREADS, 0, stream>>>(in, out);
    } else {
        planted_device_turn_race<<<2, THREADS, 0, stream>>>(in, out);
    }
    return cudaGetLastError();
}

int launch_blocks_write(float *out, int apart, planted_stream stream)
{
    planted_blocks_write<<<2, THREADS, 0, stream>>>(out, apart);
    return cudaGetLastError();
}

int launch_shared_unwritten(float *out, planted_stream stream)
{
    planted_shared_unwritten<<<1, THREADS, 0, stream>>>(out);
    return cudaGetLastError();
}

int launch_shared_outside(float *out, int step, planted_stream stream)
{
    planted_shared_outside<<<1, THREADS, 0, stream>>>(out, step);
    return cudaGetLastError();
}

int launch_half_barrier(float *out, planted_stream stream)
{
    planted_half_barrier<<<1, THREADS, 0, stream>>>(out);
    return cudaGetLastError();
}

int launch_two_barriers(float *out, planted_stream stream)
{
    planted_two_barriers<<<1, THREADS, 0, stream>>>(out);
    return cudaGetLastError();
}

int launch_warp_sum(const float *in, float *out, unsigned lanes, planted_stream stream)
{
    planted_warp_sum<<<1, THREADS, 0, stream>>>(in, out, lanes);
    return cudaGetLastError();
}

int launch_shuffle_ended(float *out, planted_stream stream)
{
    planted_shuffle_ended<<<1, THREADS, 0, stream>>>(out);
    return cudaGetLastError();
}

int launch_last_wins(float *out, int blocks, planted_stream stream)
{
    planted_last_wins<<<blocks, THREADS, 0, stream>>>(out);
    return cudaGetLastError();
}

int launch_much_shared(float *out, planted_stream stream)
{
    planted_much_shared<<<1, THREADS, 0, stream>>>(out);
    return cudaGetLastError();
}

int launch_unlisted(float *out, planted_stream stream)
{
    planted_unlisted<<<1, THREADS, 0, stream>>>(out);
    return cudaGetLastError();
}

int launch_shape(unsigned grid, unsigned threads, planted_stream stream)
{
    planted_nothing<<<grid, threads, 0, stream>>>();
    return cudaGetLastError();
}
