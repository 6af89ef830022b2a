/* cases_kernels.cpp: faults inside of kernels, and kernels that are right. */
#include <cuda_runtime_api.h>
#include <string.h>

#include "planted.h"
#include "standin.h"

namespace
{

enum { COUNT = 1000 };

int judge(bool right)
{
    return right ? 0 : WRONG;
}

/* in -> out, by one of the launchers; out[i] = 2 in[i] is right. */
int doubled(const float *in, float *out, int (*launch)(const float *, float *, int64_t, planted_stream))
{
    OK(launch(in, out, COUNT, nullptr));
    std::vector<float> got = host_copy(out, COUNT), want = counting(COUNT);
    bool right = true;
    for (size_t i = 0; i < COUNT; i++) {
        right &= got[i] == 2.0f * want[i];
    }
    return judge(right);
}

int kernel_good(void)
{
    float *in = device_copy(counting(COUNT)), *out = device_floats(COUNT), *out_4 = device_floats(COUNT);
    int status = doubled(in, out, launch_double) | doubled(in, out_4, launch_double_4);
    release({in, out, out_4});
    return status;
}

int kernel_host_pointer(void)
{
    std::vector<float> in = counting(COUNT);
    return doubled(in.data(), device_floats(COUNT), launch_double);
}

int kernel_pinned_pointer(void)
{
    void *in = nullptr;
    OK(cudaHostAlloc(&in, COUNT * sizeof(float), cudaHostAllocDefault));
    return doubled(static_cast<float *>(in), device_floats(COUNT), launch_double);
}

int kernel_unwritten(void)
{
    return doubled(device_floats(COUNT), device_floats(COUNT), launch_double);
}

/* Filled with what is no number, it has no value. */
int kernel_poison(void)
{
    float *in = device_copy(counting(COUNT));
    OK(cudaMemset(in, 0xff, COUNT * sizeof(float)));
    return doubled(in, device_floats(COUNT), launch_double);
}

int kernel_past_end(void)
{
    float *out = device_floats(COUNT);
    OK(launch_past_end(out, COUNT, nullptr));
    (void)host_copy(out, COUNT);
    return 0;
}

int kernel_after_free(void)
{
    float *in = device_copy(counting(COUNT)), *out = device_floats(COUNT);
    OK(cudaFree(in));
    return doubled(in, out, launch_double);
}

int sums_of_blocks(bool forget)
{
    enum { BLOCKS = 3 };
    float *in = device_copy(counting(BLOCKS * THREADS)), *out = device_floats(BLOCKS);
    OK(launch_block_sum(in, out, BLOCKS, forget, nullptr));
    std::vector<float> got = host_copy(out, BLOCKS);
    bool right = true;
    for (int b = 0; b < BLOCKS; b++) {
        right &= got[(size_t)b] == (float)(THREADS * (2 * b * THREADS + THREADS + 1) / 2);
    }
    release({in, out});
    return judge(right);
}

int shared_good(void)
{
    return sums_of_blocks(false);
}

int shared_race(void)
{
    return sums_of_blocks(true);
}

int turned(bool meet)
{
    float *in = device_copy(counting(THREADS)), *out = device_floats(THREADS);
    OK(launch_warp_turn(in, out, meet, nullptr));
    std::vector<float> got = host_copy(out, THREADS);
    bool right = true;
    for (unsigned i = 0; i < THREADS; i++) {
        right &= got[i] == (float)((i ^ 1u) + 1);
    }
    release({in, out});
    return judge(right);
}

int warp_good(void)
{
    return turned(true);
}

int warp_race(void)
{
    return turned(false);
}

/* Run with RS_EMU_RACES=1. */
int device_turned(bool meet)
{
    float *in = device_copy(counting(2 * THREADS)), *out = device_copy(counting(2 * THREADS));
    for (int launch = 0; launch < 2; launch++) {
        OK(launch_device_turn(in, out, meet, nullptr));
    }
    std::vector<float> got = host_copy(out, 2 * THREADS);
    bool right = true;
    for (unsigned i = 0; i < 2 * THREADS; i++) {
        right &= got[i] == (float)((i ^ 1u) + 1);
    }
    release({in, out});
    return judge(right);
}

int device_turn_good(void)
{
    return device_turned(true);
}

int device_turn_race(void)
{
    return device_turned(false);
}

/* Two blocks write one word, or one each: run with RS_EMU_RACES=1. */
int blocks_write(int apart)
{
    float *out = device_floats(2);
    OK(launch_blocks_write(out, apart, nullptr));
    OK(cudaDeviceSynchronize());
    release({out});
    return 0;
}

int device_blocks_good(void)
{
    return blocks_write(1);
}

int device_blocks_race(void)
{
    return blocks_write(0);
}

int kernel_misaligned(void)
{
    float *in = device_copy(counting(COUNT)), *out = device_floats(COUNT);
    OK(launch_double_4(in + 1, out, COUNT - 4, nullptr));
    return cudaDeviceSynchronize();
}

int shared_unwritten(void)
{
    OK(launch_shared_unwritten(device_floats(THREADS), nullptr));
    return cudaDeviceSynchronize();
}

int shared_outside_by(int step)
{
    float *out = device_floats(THREADS);
    OK(launch_shared_outside(out, step, nullptr));
    OK(cudaDeviceSynchronize());
    release({out});
    return 0;
}

int shared_outside(void)
{
    return shared_outside_by(1);
}

int shared_inside_good(void)
{
    return shared_outside_by(0);
}

int shared_too_much(void)
{
    OK(launch_much_shared(device_floats(THREADS), nullptr));
    return cudaDeviceSynchronize();
}

int barrier_half(void)
{
    OK(launch_half_barrier(device_floats(THREADS), nullptr));
    return cudaDeviceSynchronize();
}

int barrier_two(void)
{
    OK(launch_two_barriers(device_floats(THREADS), nullptr));
    return cudaDeviceSynchronize();
}

int summed_warps(unsigned lanes)
{
    float *in = device_copy(counting(THREADS)), *out = device_floats(2);
    OK(launch_warp_sum(in, out, lanes, nullptr));
    std::vector<float> got = host_copy(out, 2);
    release({in, out});
    return judge(got[0] == 528.0f && got[1] == 1552.0f);
}

int shuffle_good(void)
{
    return summed_warps(0xffffffffu);
}

int shuffle_outside_mask(void)
{
    return summed_warps(0x0000ffffu);
}

int shuffle_ended(void)
{
    OK(launch_shuffle_ended(device_floats(THREADS), nullptr));
    return cudaDeviceSynchronize();
}

/* Prints who won: the order of threads shows. */
int order_matters(void)
{
    float *out = device_floats(1);
    OK(launch_last_wins(out, 2, nullptr));
    printf("%g\n", (double)host_copy(out, 1)[0]);
    release({out});
    return 0;
}

int launch_unlisted_kernel(void)
{
    OK(launch_unlisted(device_floats(THREADS), nullptr));
    return 0;
}

int launch_shapes(void)
{
    EXPECT(cudaErrorInvalidConfiguration, launch_shape(1, 1025, nullptr));
    EXPECT(cudaErrorInvalidConfiguration, launch_shape(0, 32, nullptr));
    EXPECT(cudaErrorInvalidConfiguration, launch_shape(1, 0, nullptr));
    EXPECT(cudaErrorInvalidConfiguration, launch_shape(0x80000000u, 32, nullptr));
    return cudaGetLastError();
}

bool traffic_is(const char *kernel, uint64_t read, uint64_t written, uint64_t hot)
{
    rs_emu_traffic t;
    bool right = rs_emu_traffic_of(kernel, &t) && t.launches == 1 && t.read == read && t.written == written &&
                 t.hot == hot;
    if (!right) {
        fprintf(stderr, "%s: read %llu, written %llu, hot %llu\n", kernel, (unsigned long long)t.read,
                (unsigned long long)t.written, (unsigned long long)t.hot);
    }
    return right;
}

int traffic_good(void)
{
    enum { FLOATS = 4096, BYTES = FLOATS * 4 };
    float *in = device_copy(counting(FLOATS)), *out = device_floats(FLOATS), *scale = device_copy({3.0f});
    rs_emu_traffic_reset();
    OK(launch_double(in, out, FLOATS, nullptr));
    OK(launch_double_4(in, out, FLOATS, nullptr));
    OK(launch_twice(in, scale, out, FLOATS, nullptr));
    OK(cudaDeviceSynchronize());
    bool right = traffic_is("planted_double", BYTES, BYTES, 0) &&
                 traffic_is("planted_double_4", BYTES, BYTES, 0) &&
                 traffic_is("planted_twice", 2 * BYTES + 32, BYTES, 32);
    release({in, out, scale});
    return judge(right);
}

} // namespace

const std::vector<planted_case> kernel_cases = {
    {"kernel_good", kernel_good},
    {"kernel_host_pointer", kernel_host_pointer},
    {"kernel_pinned_pointer", kernel_pinned_pointer},
    {"kernel_unwritten", kernel_unwritten},
    {"kernel_poison", kernel_poison},
    {"kernel_past_end", kernel_past_end},
    {"kernel_after_free", kernel_after_free},
    {"shared_good", shared_good},
    {"shared_race", shared_race},
    {"warp_good", warp_good},
    {"warp_race", warp_race},
    {"device_turn_good", device_turn_good},
    {"device_turn_race", device_turn_race},
    {"device_blocks_good", device_blocks_good},
    {"device_blocks_race", device_blocks_race},
    {"kernel_misaligned", kernel_misaligned},
    {"shared_unwritten", shared_unwritten},
    {"shared_outside", shared_outside},
    {"shared_inside_good", shared_inside_good},
    {"shared_too_much", shared_too_much},
    {"barrier_half", barrier_half},
    {"barrier_two", barrier_two},
    {"shuffle_good", shuffle_good},
    {"shuffle_outside_mask", shuffle_outside_mask},
    {"shuffle_ended", shuffle_ended},
    {"order_matters", order_matters},
    {"launch_unlisted", launch_unlisted_kernel},
    {"launch_shapes_good", launch_shapes},
    {"traffic_good", traffic_good},
};
