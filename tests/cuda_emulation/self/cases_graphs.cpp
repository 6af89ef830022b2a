/* cases_graphs.cpp: capture into graphs: what it records, what it forbids. */
#include <cuda_runtime_api.h>

#include <thread>

#include "planted.h"

namespace
{

enum { COUNT = 256, BYTES = COUNT * 4 };

struct Setting {
    cudaStream_t a, b;
    cudaEvent_t fork, join;
    float *in, *left, *right, *out;
};

Setting begin(void)
{
    Setting s;
    OK(cudaStreamCreateWithFlags(&s.a, cudaStreamNonBlocking));
    OK(cudaStreamCreateWithFlags(&s.b, cudaStreamNonBlocking));
    OK(cudaEventCreateWithFlags(&s.fork, cudaEventDisableTiming));
    OK(cudaEventCreateWithFlags(&s.join, cudaEventDisableTiming));
    s.in = device_copy(counting(COUNT));
    s.left = device_floats(COUNT);
    s.right = device_floats(COUNT);
    s.out = device_floats(COUNT);
    return s;
}

int end(const Setting &s, bool right)
{
    release({s.in, s.left, s.right, s.out});
    OK(cudaEventDestroy(s.fork));
    OK(cudaEventDestroy(s.join));
    OK(cudaStreamDestroy(s.a));
    OK(cudaStreamDestroy(s.b));
    return right ? 0 : WRONG;
}

bool is_times(const float *device, float factor)
{
    std::vector<float> got = host_copy(device, COUNT);
    bool right = true;
    for (int i = 0; i < COUNT; i++) {
        right &= got[(size_t)i] == factor * (float)(i + 1);
    }
    return right;
}

/* in -> left on a, left -> right on b, right -> out on a. */
void record(const Setting &s, bool rejoin)
{
    OK(launch_double(s.in, s.left, COUNT, s.a));
    OK(cudaEventRecord(s.fork, s.a));
    OK(cudaStreamWaitEvent(s.b, s.fork, 0));
    OK(launch_double(s.left, s.right, COUNT, s.b));
    if (rejoin) {
        OK(cudaEventRecord(s.join, s.b));
        OK(cudaStreamWaitEvent(s.a, s.join, 0));
        OK(launch_double(s.right, s.out, COUNT, s.a));
    }
}

int graph_good(void)
{
    Setting s = begin();
    cudaGraph_t graph;
    cudaGraphExec_t executable;
    size_t nodes = 0;
    OK(cudaStreamBeginCapture(s.a, cudaStreamCaptureModeThreadLocal));
    record(s, true);
    OK(cudaStreamEndCapture(s.a, &graph));
    OK(cudaGraphGetNodes(graph, nullptr, &nodes));
    EXPECT(3, nodes);
    OK(cudaGraphInstantiate(&executable, graph, 0));
    OK(cudaGraphDestroy(graph));
    bool right = true;
    for (int round = 1; round <= 3; round++) {
        std::vector<float> values = counting(COUNT);
        for (float &value : values) {
            value *= (float)round;
        }
        OK(cudaMemcpyAsync(s.in, values.data(), BYTES, cudaMemcpyHostToDevice, s.a));
        OK(cudaGraphLaunch(executable, s.a));
        OK(cudaStreamSynchronize(s.a));
        right &= is_times(s.out, 8.0f * (float)round);
    }
    OK(cudaGraphExecDestroy(executable));
    return end(s, right);
}

/* Nothing of a capture has run before its launch. */
int graph_not_run(void)
{
    Setting s = begin();
    cudaGraph_t graph;
    OK(cudaStreamBeginCapture(s.a, cudaStreamCaptureModeThreadLocal));
    record(s, true);
    OK(cudaStreamEndCapture(s.a, &graph));
    OK(cudaGraphDestroy(graph));
    (void)launch_double(s.out, s.left, COUNT, s.a);
    return cudaStreamSynchronize(s.a);
}

int graph_unjoined(void)
{
    Setting s = begin();
    cudaGraph_t graph;
    OK(cudaStreamBeginCapture(s.a, cudaStreamCaptureModeThreadLocal));
    record(s, false);
    EXPECT(cudaErrorStreamCaptureUnjoined, cudaStreamEndCapture(s.a, &graph));
    EXPECT(true, graph == nullptr);
    return end(s, true);
}

/* Calls that a capture forbids: each fails, and so does the end of the capture. */
template <typename Forbidden> void forbid(const Setting &s, cudaError_t status, Forbidden forbidden)
{
    cudaGraph_t graph;
    OK(cudaStreamBeginCapture(s.a, cudaStreamCaptureModeThreadLocal));
    OK(launch_double(s.in, s.left, COUNT, s.a));
    EXPECT(status, forbidden());
    EXPECT(cudaErrorStreamCaptureInvalidated, launch_double(s.in, s.left, COUNT, s.a));
    EXPECT(cudaErrorStreamCaptureInvalidated, cudaStreamEndCapture(s.a, &graph));
    (void)cudaGetLastError();
}

int graph_forbids(void)
{
    Setting s = begin();
    void *memory = nullptr;
    std::vector<float> pageable(COUNT);
    const cudaError_t no = cudaErrorStreamCaptureUnsupported;
    forbid(s, no, [&] { return cudaMalloc(&memory, 16); });
    forbid(s, no, [&] { return cudaHostAlloc(&memory, 16, 0); });
    forbid(s, no, [&] { return cudaFree(s.out); });
    forbid(s, no, [&] { return cudaStreamSynchronize(s.a); });
    forbid(s, no, [&] { return cudaDeviceSynchronize(); });
    forbid(s, no, [&] { return cudaMemcpy(s.out, pageable.data(), BYTES, cudaMemcpyHostToDevice); });
    forbid(s, no,
           [&] { return cudaMemcpyAsync(s.out, pageable.data(), BYTES, cudaMemcpyHostToDevice, s.a); });
    forbid(s, no, [&] { return cudaEventQuery(s.fork); });
    OK(cudaEventRecord(s.fork, s.b));
    forbid(s, cudaErrorStreamCaptureIsolation, [&] { return cudaStreamWaitEvent(s.a, s.fork, 0); });
    return end(s, true);
}

int graph_into_capture(void)
{
    Setting s = begin();
    cudaGraph_t graph;
    cudaGraphExec_t executable;
    OK(cudaStreamBeginCapture(s.a, cudaStreamCaptureModeThreadLocal));
    record(s, true);
    OK(cudaStreamEndCapture(s.a, &graph));
    OK(cudaGraphInstantiate(&executable, graph, 0));
    OK(cudaGraphDestroy(graph));
    forbid(s, cudaErrorStreamCaptureUnsupported, [&] { return cudaGraphLaunch(executable, s.a); });
    OK(cudaGraphExecDestroy(executable));
    return end(s, true);
}

/* ThreadLocal: another thread may wait, and allocate, meanwhile; an event of the capture it may not touch. */
int graph_other_thread(void)
{
    Setting s = begin();
    cudaGraph_t graph;
    cudaEvent_t outside;
    OK(cudaEventCreate(&outside));
    OK(launch_double(s.in, s.right, COUNT, s.b));
    OK(cudaEventRecord(outside, s.b));
    OK(cudaStreamBeginCapture(s.a, cudaStreamCaptureModeThreadLocal));
    OK(launch_double(s.in, s.left, COUNT, s.a));
    std::thread([&] {
        void *memory = nullptr;
        OK(cudaEventSynchronize(outside));
        OK(cudaMalloc(&memory, 16));
        OK(cudaFree(memory));
    }).join();
    OK(cudaStreamEndCapture(s.a, &graph));
    OK(cudaGraphDestroy(graph));
    OK(cudaEventDestroy(outside));
    return end(s, is_times(s.right, 2.0f));
}

int legacy_captured(void)
{
    Setting s = begin();
    cudaStream_t ordered;
    cudaGraph_t graph;
    EXPECT(cudaErrorStreamCaptureUnsupported,
           cudaStreamBeginCapture(nullptr, cudaStreamCaptureModeThreadLocal));
    OK(cudaStreamCreate(&ordered));
    OK(cudaStreamBeginCapture(ordered, cudaStreamCaptureModeThreadLocal));
    EXPECT(cudaErrorStreamCaptureImplicit, launch_double(s.in, s.out, COUNT, nullptr));
    EXPECT(cudaErrorStreamCaptureInvalidated, cudaStreamEndCapture(ordered, &graph));
    OK(cudaStreamDestroy(ordered));
    return end(s, true);
}

/* A graph that reads what was freed meanwhile. */
int graph_after_free(void)
{
    Setting s = begin();
    cudaGraph_t graph;
    cudaGraphExec_t executable;
    OK(cudaStreamBeginCapture(s.a, cudaStreamCaptureModeThreadLocal));
    record(s, true);
    OK(cudaStreamEndCapture(s.a, &graph));
    OK(cudaGraphInstantiate(&executable, graph, 0));
    OK(cudaFree(s.right));
    OK(cudaGraphLaunch(executable, s.a));
    return cudaStreamSynchronize(s.a);
}

} // namespace

const std::vector<planted_case> graph_cases = {
    {"graph_good", graph_good},
    {"graph_not_run", graph_not_run},
    {"graph_unjoined_good", graph_unjoined},
    {"graph_forbids_good", graph_forbids},
    {"graph_into_capture_good", graph_into_capture},
    {"graph_other_thread_good", graph_other_thread},
    {"legacy_captured_good", legacy_captured},
    {"graph_after_free", graph_after_free},
};
