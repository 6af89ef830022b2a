/* cases_streams.cpp: what nobody waited for. Each fault has a twin that waits. */
#include <cuda_runtime_api.h>

#include "planted.h"

namespace
{

enum { COUNT = 256, BYTES = COUNT * 4 };

struct Setting {
    cudaStream_t a, b;
    cudaEvent_t event;
    float *in, *middle, *out, *pinned;
};

Setting begin(void)
{
    Setting s;
    void *pinned = nullptr;
    OK(cudaStreamCreateWithFlags(&s.a, cudaStreamNonBlocking));
    OK(cudaStreamCreateWithFlags(&s.b, cudaStreamNonBlocking));
    OK(cudaEventCreateWithFlags(&s.event, cudaEventDisableTiming));
    OK(cudaHostAlloc(&pinned, BYTES, cudaHostAllocDefault));
    s.pinned = static_cast<float *>(pinned);
    s.in = device_copy(counting(COUNT));
    s.middle = device_floats(COUNT);
    s.out = device_floats(COUNT);
    return s;
}

int end(const Setting &s, bool right)
{
    release({s.in, s.middle, s.out});
    OK(cudaFreeHost(s.pinned));
    OK(cudaEventDestroy(s.event));
    OK(cudaStreamDestroy(s.a));
    OK(cudaStreamDestroy(s.b));
    return right ? 0 : WRONG;
}

bool is_times(const float *values, float factor)
{
    bool right = true;
    for (int i = 0; i < COUNT; i++) {
        right &= values[i] == factor * (float)(i + 1);
    }
    return right;
}

/* The host reads what a copy brings, with or without waiting for it. */
int read_back(bool wait)
{
    Setting s = begin();
    OK(cudaMemcpyAsync(s.pinned, s.in, BYTES, cudaMemcpyDeviceToHost, s.a));
    if (wait) {
        OK(cudaStreamSynchronize(s.a));
    }
    bool right = is_times(s.pinned, 1.0f);
    OK(cudaStreamSynchronize(s.a));
    return end(s, right);
}

int read_good(void)
{
    return read_back(true);
}

int read_early(void)
{
    return read_back(false);
}

/* The host changes what a copy takes. */
int change_source(bool wait)
{
    Setting s = begin();
    for (int i = 0; i < COUNT; i++) {
        s.pinned[i] = (float)(i + 1);
    }
    OK(cudaMemcpyAsync(s.out, s.pinned, BYTES, cudaMemcpyHostToDevice, s.a));
    if (wait) {
        OK(cudaStreamSynchronize(s.a));
    }
    for (int i = 0; i < COUNT; i++) {
        s.pinned[i] = 0.0f;
    }
    return end(s, is_times(host_copy(s.out, COUNT).data(), 1.0f));
}

int source_good(void)
{
    return change_source(true);
}

int source_changed(void)
{
    return change_source(false);
}

/* One stream makes what the other takes; b's kernel is older than a's second one. */
int hand_over(bool wait)
{
    Setting s = begin();
    OK(cudaMemcpyAsync(s.middle, s.in, BYTES, cudaMemcpyDeviceToDevice, s.a));
    OK(launch_double(s.in, s.middle, COUNT, s.a));
    OK(cudaEventRecord(s.event, s.a));
    if (wait) {
        OK(cudaStreamWaitEvent(s.b, s.event, 0));
    }
    OK(launch_double(s.middle, s.out, COUNT, s.b));
    OK(cudaStreamSynchronize(s.b));
    OK(cudaStreamSynchronize(s.a));
    return end(s, is_times(host_copy(s.out, COUNT).data(), 4.0f));
}

int event_good(void)
{
    return hand_over(true);
}

int event_missing(void)
{
    return hand_over(false);
}

/* cudaMemset is in the legacy stream, which waits for no stream made with cudaStreamNonBlocking. */
int memset_then_kernel(bool wait)
{
    Setting s = begin();
    OK(cudaMemset(s.middle, 0, BYTES));
    if (wait) {
        OK(cudaStreamSynchronize(nullptr));
    }
    OK(launch_double(s.middle, s.out, COUNT, s.a));
    OK(cudaStreamSynchronize(s.a));
    return end(s, is_times(host_copy(s.out, COUNT).data(), 0.0f));
}

int memset_good(void)
{
    return memset_then_kernel(true);
}

int memset_missed(void)
{
    return memset_then_kernel(false);
}

/* With cudaStreamDefault the legacy stream is ordered with it, both ways. */
int legacy_good(void)
{
    Setting s = begin();
    cudaStream_t ordered;
    OK(cudaStreamCreate(&ordered));
    OK(cudaMemset(s.middle, 0, BYTES));
    OK(launch_double(s.in, s.middle, COUNT, ordered));
    OK(launch_double(s.middle, s.out, COUNT, nullptr));
    std::vector<float> got((size_t)COUNT);
    OK(cudaMemcpy(got.data(), s.out, BYTES, cudaMemcpyDeviceToHost));
    OK(cudaStreamDestroy(ordered));
    return end(s, is_times(got.data(), 4.0f));
}

/* Pageable memory is staged: it may change at once. */
int pageable_good(void)
{
    Setting s = begin();
    std::vector<float> values = counting(COUNT);
    OK(cudaMemcpyAsync(s.middle, values.data(), BYTES, cudaMemcpyHostToDevice, s.a));
    values.assign(COUNT, 0.0f);
    OK(launch_double(s.middle, s.out, COUNT, s.a));
    OK(cudaMemcpyAsync(values.data(), s.out, BYTES, cudaMemcpyDeviceToHost, s.a));
    return end(s, is_times(values.data(), 2.0f));
}

/* A query says "not ready" first, in the last error too, and "ready" in the end. */
int query_good(void)
{
    Setting s = begin();
    int asked = 0;
    OK(launch_double(s.in, s.out, COUNT, s.a));
    OK(cudaEventRecord(s.event, s.a));
    EXPECT(cudaErrorNotReady, cudaEventQuery(s.event));
    EXPECT(cudaErrorNotReady, cudaGetLastError());
    while (cudaEventQuery(s.event) == cudaErrorNotReady && asked < 1000) {
        asked++;
    }
    OK(cudaEventQuery(s.event));
    EXPECT(asked ? cudaErrorNotReady : cudaSuccess, cudaGetLastError());
    return end(s, is_times(host_copy(s.out, COUNT).data(), 2.0f));
}

int timing_good(void)
{
    Setting s = begin();
    cudaEvent_t from, to;
    float milliseconds = -1;
    OK(cudaEventCreate(&from));
    OK(cudaEventCreate(&to));
    EXPECT(cudaErrorInvalidResourceHandle, cudaEventElapsedTime(&milliseconds, from, to));
    EXPECT(cudaErrorInvalidResourceHandle, cudaGetLastError());
    OK(cudaEventRecord(from, s.a));
    OK(launch_double(s.in, s.out, COUNT, s.a));
    OK(cudaEventRecord(to, s.a));
    EXPECT(cudaErrorNotReady, cudaEventElapsedTime(&milliseconds, from, to));
    (void)cudaGetLastError();
    OK(cudaEventSynchronize(to));
    OK(cudaEventElapsedTime(&milliseconds, from, to));
    EXPECT(cudaErrorInvalidResourceHandle, cudaEventElapsedTime(&milliseconds, s.event, to));
    OK(cudaEventDestroy(from));
    OK(cudaEventDestroy(to));
    return end(s, milliseconds >= 0);
}

int pinned_freed_early(void)
{
    Setting s = begin();
    OK(cudaMemcpyAsync(s.pinned, s.in, BYTES, cudaMemcpyDeviceToHost, s.a));
    OK(cudaFreeHost(s.pinned));
    return 0;
}

/* Freed before the work ran that uses it: cudaFree waits, as the real one does. */
int free_good(void)
{
    Setting s = begin();
    float *more = device_floats(COUNT);
    OK(launch_double(s.in, more, COUNT, s.a));
    OK(launch_double(more, s.out, COUNT, s.a));
    OK(cudaFree(more));
    return end(s, is_times(host_copy(s.out, COUNT).data(), 4.0f));
}

int dead_stream(void)
{
    Setting s = begin();
    cudaStream_t gone;
    OK(cudaStreamCreate(&gone));
    OK(cudaStreamDestroy(gone));
    EXPECT(cudaErrorInvalidResourceHandle, launch_double(s.in, s.out, COUNT, gone));
    EXPECT(cudaErrorInvalidResourceHandle, cudaStreamSynchronize(gone));
    return end(s, true);
}

} // namespace

const std::vector<planted_case> stream_cases = {
    {"read_good", read_good},
    {"read_early", read_early},
    {"source_good", source_good},
    {"source_changed", source_changed},
    {"event_good", event_good},
    {"event_missing", event_missing},
    {"memset_good", memset_good},
    {"memset_missed", memset_missed},
    {"legacy_good", legacy_good},
    {"pageable_good", pageable_good},
    {"query_good", query_good},
    {"timing_good", timing_good},
    {"pinned_freed_early", pinned_freed_early},
    {"free_good", free_good},
    {"dead_stream_good", dead_stream},
};
