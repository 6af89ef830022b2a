/* cases_memory.cpp: memory of both sides, copies, leaks, planned failures. */
#include <cuda_runtime_api.h>
#include <string.h>

#include "planted.h"
#include "standin.h"

namespace
{

enum { COUNT = 100, BYTES = COUNT * 4 };

int host_reads_device(void)
{
    volatile float *device = device_copy(counting(COUNT));
    return device[3] == 4.0f ? 0 : WRONG;
}

int host_writes_device(void)
{
    memset(device_copy(counting(COUNT)), 0, BYTES);
    return 0;
}

int host_reads_freed(void)
{
    float *device = device_copy(counting(COUNT));
    release({device});
    return *(volatile float *)device == 1.0f ? 0 : WRONG;
}

int host_reads_freed_pinned(void)
{
    void *pinned = nullptr;
    OK(cudaHostAlloc(&pinned, BYTES, cudaHostAllocDefault));
    OK(cudaFreeHost(pinned));
    return *(volatile float *)pinned == 1.0f ? 0 : WRONG;
}

int host_past_pinned(void)
{
    void *pinned = nullptr;
    OK(cudaHostAlloc(&pinned, 4096, cudaHostAllocDefault));
    ((volatile char *)pinned)[4096] = 1;
    return 0;
}

int copies_good(void)
{
    std::vector<float> values = counting(COUNT), back(COUNT);
    float *a = device_copy(values), *b = device_floats(COUNT);
    OK(cudaMemcpy(b, a, BYTES, cudaMemcpyDeviceToDevice));
    OK(cudaMemcpy(back.data(), b, BYTES, cudaMemcpyDefault));
    bool right = back == values;
    OK(cudaMemset(b, 0, BYTES));
    OK(cudaMemcpy(back.data(), b, BYTES, cudaMemcpyDeviceToHost));
    for (float value : back) {
        right &= value == 0.0f;
    }
    release({a, b});
    return right ? 0 : WRONG;
}

int copies_rejected(void)
{
    std::vector<float> values = counting(COUNT + 1);
    float *device = device_floats(COUNT);
    EXPECT(cudaErrorInvalidValue, cudaMemcpy(device, values.data(), BYTES, cudaMemcpyDeviceToHost));
    EXPECT(cudaErrorInvalidValue, cudaMemcpy(values.data(), device, BYTES, cudaMemcpyHostToDevice));
    EXPECT(cudaErrorInvalidValue, cudaMemcpy(values.data(), values.data(), BYTES, cudaMemcpyDeviceToHost));
    EXPECT(cudaErrorInvalidValue, cudaMemcpy(device, values.data(), BYTES + 4, cudaMemcpyHostToDevice));
    EXPECT(cudaErrorInvalidValue, cudaMemset(device, 0, BYTES + 1));
    EXPECT(cudaErrorInvalidValue, cudaMemset(values.data(), 0, BYTES));
    EXPECT(cudaErrorInvalidValue, cudaFree((char *)device + 4));
    EXPECT(cudaErrorInvalidValue, cudaGetLastError());
    release({device});
    EXPECT(cudaErrorInvalidValue, cudaFree(device));
    return 0;
}

/* From a host function, which runs while the device is open and is compiled without checks. */
void write_slack(void *data)
{
    static_cast<float *>(data)[COUNT] = 1.0f;
}

int past_end_unwatched(void)
{
    float *device = device_floats(COUNT);
    OK(cudaLaunchHostFunc(nullptr, write_slack, device));
    OK(cudaDeviceSynchronize());
    release({device});
    return 0;
}

void calls_cuda(void *)
{
    (void)cudaDeviceSynchronize();
}

int host_function_calls(void)
{
    OK(cudaLaunchHostFunc(nullptr, calls_cuda, nullptr));
    return cudaDeviceSynchronize();
}

int leaks_memory(void)
{
    (void)device_copy(counting(COUNT));
    return 0;
}

int leaks_handles(void)
{
    cudaStream_t stream;
    cudaEvent_t event;
    OK(cudaStreamCreate(&stream));
    OK(cudaEventCreate(&event));
    return rs_emu_alive() == 2 ? 0 : UNEXPECTED;
}

int memory_limit(void)
{
    size_t available = 0, total = 0;
    void *memory = nullptr, *more = nullptr;
    OK(cudaMemGetInfo(&available, &total));
    EXPECT(1000000, total);
    OK(cudaMalloc(&memory, 600000));
    EXPECT(cudaErrorMemoryAllocation, cudaMalloc(&more, 600000));
    EXPECT(cudaErrorMemoryAllocation, cudaGetLastError());
    OK(cudaMemGetInfo(&available, &total));
    EXPECT(400000, available);
    OK(cudaFree(memory));
    OK(cudaMalloc(&more, 600000));
    return cudaFree(more);
}

/* Run with RS_EMU_FAIL=cudaMalloc:2. */
int second_malloc_fails(void)
{
    void *a = nullptr, *b = nullptr;
    OK(cudaMalloc(&a, 16));
    EXPECT(cudaErrorMemoryAllocation, cudaMalloc(&b, 16));
    OK(cudaMalloc(&b, 16));
    release({a, b});
    return 0;
}

/* Run with RS_EMU_FAIL=4+. What waited then never runs; releasing goes well. */
int device_is_lost(void)
{
    void *memory = nullptr, *more = nullptr, *pinned = nullptr;
    OK(cudaMalloc(&memory, 16));
    OK(cudaHostAlloc(&pinned, 16, 0));
    OK(cudaMemcpyAsync(memory, pinned, 16, cudaMemcpyHostToDevice, nullptr));
    EXPECT(cudaErrorLaunchFailure, cudaDeviceSynchronize());
    EXPECT(cudaErrorMemoryAllocation, cudaMalloc(&more, 16));
    OK(cudaFreeHost(pinned));
    return cudaFree(memory);
}

int no_device(void)
{
    int count = 7, version = 0;
    void *memory = nullptr;
    EXPECT(cudaErrorNoDevice, cudaGetDeviceCount(&count));
    EXPECT(0, count);
    OK(cudaDriverGetVersion(&version));
    EXPECT(cudaErrorNoDevice, cudaMalloc(&memory, 16));
    return version > 0 ? 0 : WRONG;
}

int no_driver(void)
{
    int count = 7, version = 7;
    EXPECT(cudaErrorInsufficientDriver, cudaGetDeviceCount(&count));
    OK(cudaDriverGetVersion(&version));
    return version;
}

int old_driver(void)
{
    int count = 7, version = 7;
    EXPECT(cudaErrorInsufficientDriver, cudaGetDeviceCount(&count));
    OK(cudaDriverGetVersion(&version));
    EXPECT(11040, version);
    return 0;
}

int two_devices(void)
{
    int count = 0;
    OK(cudaGetDeviceCount(&count));
    EXPECT(2, count);
    OK(cudaSetDevice(1));
    EXPECT(cudaErrorInvalidDevice, cudaSetDevice(2));
    return 0;
}

} // namespace

const std::vector<planted_case> memory_cases = {
    {"host_reads_device", host_reads_device},
    {"host_writes_device", host_writes_device},
    {"host_reads_freed", host_reads_freed},
    {"host_reads_freed_pinned", host_reads_freed_pinned},
    {"host_past_pinned", host_past_pinned},
    {"copies_good", copies_good},
    {"copies_rejected_good", copies_rejected},
    {"past_end_unwatched", past_end_unwatched},
    {"host_function_calls", host_function_calls},
    {"leaks_memory", leaks_memory},
    {"leaks_handles", leaks_handles},
    {"memory_limit_good", memory_limit},
    {"second_malloc_fails_good", second_malloc_fails},
    {"device_is_lost_good", device_is_lost},
    {"no_device_good", no_device},
    {"no_driver_good", no_driver},
    {"old_driver_good", old_driver},
    {"two_devices_good", two_devices},
};
