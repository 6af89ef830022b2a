/* graphs.cpp: stream capture and graphs. Work on a captured stream becomes a node after the stream's last
 * ones; a launch runs the nodes in an order that their edges allow, drawn by lot where there is a seed.
 *
 * What a capture forbids fails as the runtime says, makes the capture void, and cudaStreamEndCapture says
 * so. */
#include <algorithm>

#include "streams.hpp"

namespace standin
{

namespace
{

struct Graph {
    std::shared_ptr<GraphNodes> nodes;
};

std::vector<CapturePtr> &captures()
{
    static auto *under_way = new std::vector<CapturePtr>;
    return *under_way;
}

bool forbids_unsafe_calls(const Capture &capture)
{
    bool ours = capture.thread == std::this_thread::get_id();
    return capture.mode == cudaStreamCaptureModeGlobal ||
           (ours && capture.mode == cudaStreamCaptureModeThreadLocal);
}

/* Whether every node leads to the ends of the origin stream: no other stream was left hanging. */
bool all_joined(const Capture &capture)
{
    const auto &nodes = capture.graph->nodes;
    std::vector<bool> reached(nodes.size(), false);
    std::vector<int> left = capture.origin->tips;
    while (!left.empty()) {
        int node = left.back();
        left.pop_back();
        if (!reached[(size_t)node]) {
            reached[(size_t)node] = true;
            left.insert(left.end(), nodes[(size_t)node].after.begin(), nodes[(size_t)node].after.end());
        }
    }
    return std::all_of(reached.begin(), reached.end(), [](bool r) { return r; });
}

void end_capture(const CapturePtr &capture)
{
    capture->over = true;
    for (Stream *stream : capture->streams) {
        stream->capture = nullptr;
        stream->tips.clear();
    }
    captures().erase(std::find(captures().begin(), captures().end(), capture));
}

Random &order_of_nodes()
{
    static Random *random = new Random(settings().seed);
    return *random;
}

template <typename T> T *alive(const void *handle, const char *kind)
{
    return object_alive(handle, kind) ? static_cast<T *>(const_cast<void *>(handle)) : nullptr;
}

} // namespace

bool this_thread_captures()
{
    return std::any_of(captures().begin(), captures().end(),
                       [](const CapturePtr &c) { return forbids_unsafe_calls(*c); });
}

void invalidate_captures_of_this_thread()
{
    for (const CapturePtr &capture : captures()) {
        capture->valid = capture->valid && !forbids_unsafe_calls(*capture);
    }
}

bool anything_captures()
{
    return !captures().empty();
}

cudaError_t void_capture(Capture &capture, cudaError_t status, const char *why)
{
    say("%s: the capture is void", why);
    capture.valid = false;
    return status;
}

cudaError_t legacy_allowed(const Stream &stream)
{
    for (const CapturePtr &capture : captures()) {
        if (stream.legacy && capture->origin->blocking) {
            return void_capture(
                *capture, cudaErrorStreamCaptureImplicit,
                "the legacy stream is used while a stream that synchronises with it is captured");
        }
    }
    return cudaSuccess;
}

cudaError_t capture_work(Stream &stream, Work work)
{
    Capture &capture = *stream.capture;
    if (!capture.valid) {
        return cudaErrorStreamCaptureInvalidated;
    }
    capture.graph->nodes.push_back({std::move(work), stream.tips});
    stream.tips.assign(1, (int)capture.graph->nodes.size() - 1);
    return cudaSuccess;
}

std::vector<int> graph_order(const GraphNodes &graph)
{
    size_t count = graph.nodes.size();
    std::vector<int> order;
    std::vector<bool> done(count, false);
    while (order.size() < count) {
        std::vector<int> ready;
        for (size_t i = 0; i < count; i++) {
            const auto &after = graph.nodes[i].after;
            if (!done[i] && std::all_of(after.begin(), after.end(), [&](int n) { return done[(size_t)n]; })) {
                ready.push_back((int)i);
            }
        }
        int next = ready[settings().seed ? order_of_nodes().below(ready.size()) : 0];
        done[(size_t)next] = true;
        order.push_back(next);
    }
    return order;
}

} // namespace standin

using namespace standin;

STANDIN_API cudaError_t cudaStreamBeginCapture(cudaStream_t handle, cudaStreamCaptureMode mode)
{
    STANDIN_RUNTIME(fallible);
    Stream *stream = stream_of(handle);
    if (!stream) {
        return call.done(cudaErrorInvalidResourceHandle);
    }
    if (stream->legacy) {
        say("cudaStreamBeginCapture: the legacy stream cannot be captured");
        return call.done(cudaErrorStreamCaptureUnsupported);
    }
    if (stream->capture) {
        return call.done(cudaErrorIllegalState);
    }
    auto capture = std::make_shared<Capture>();
    capture->origin = stream;
    capture->mode = mode;
    capture->thread = std::this_thread::get_id();
    capture->streams.push_back(stream);
    stream->capture = capture;
    stream->tips.clear();
    captures().push_back(capture);
    return cudaSuccess;
}

/* Why a capture gives no graph; cudaSuccess: it gives one. */
static cudaError_t fault_of(const Capture &capture)
{
    if (capture.mode != cudaStreamCaptureModeRelaxed && capture.thread != std::this_thread::get_id()) {
        return cudaErrorStreamCaptureWrongThread;
    }
    if (!capture.valid) {
        return cudaErrorStreamCaptureInvalidated;
    }
    return all_joined(capture) ? cudaSuccess : cudaErrorStreamCaptureUnjoined;
}

STANDIN_API cudaError_t cudaStreamEndCapture(cudaStream_t handle, cudaGraph_t *graph)
{
    STANDIN_RUNTIME(fallible);
    Stream *stream = stream_of(handle);
    if (!stream || !graph) {
        return call.done(cudaErrorInvalidValue);
    }
    *graph = nullptr;
    if (!stream->capture) {
        return call.done(cudaErrorIllegalState);
    }
    CapturePtr capture = stream->capture;
    if (capture->origin != stream) {
        return call.done(void_capture(*capture, cudaErrorStreamCaptureUnmatched, "ends on another stream"));
    }
    cudaError_t status = fault_of(*capture);
    if (status == cudaErrorStreamCaptureWrongThread) {
        return call.done(status);
    }
    end_capture(capture);
    if (status == cudaSuccess) {
        Graph *made = new Graph{capture->graph};
        object_made(made, "graph");
        *graph = reinterpret_cast<cudaGraph_t>(made);
    }
    return call.done(status);
}

STANDIN_API cudaError_t cudaStreamIsCapturing(cudaStream_t handle, cudaStreamCaptureStatus *status)
{
    STANDIN_RUNTIME(fallible);
    const Stream *stream = stream_of(handle);
    if (!stream || !status) {
        return call.done(cudaErrorInvalidValue);
    }
    *status = !stream->capture         ? cudaStreamCaptureStatusNone
              : stream->capture->valid ? cudaStreamCaptureStatusActive
                                       : cudaStreamCaptureStatusInvalidated;
    return cudaSuccess;
}

STANDIN_API cudaError_t cudaGraphGetNodes(cudaGraph_t handle, cudaGraphNode_t *nodes, size_t *count)
{
    STANDIN_RUNTIME(fallible);
    const Graph *graph = alive<Graph>(handle, "graph");
    if (!graph || !count) {
        return call.done(cudaErrorInvalidValue);
    }
    if (nodes) {
        stop("cudaGraphGetNodes: the stand-in only counts nodes");
    }
    *count = graph->nodes->nodes.size();
    return cudaSuccess;
}

STANDIN_API cudaError_t cudaGraphInstantiate(cudaGraphExec_t *made, cudaGraph_t handle, unsigned long long)
{
    STANDIN_RUNTIME(fallible | allocates);
    const Graph *graph = alive<Graph>(handle, "graph");
    if (!graph || !made) {
        return call.done(cudaErrorInvalidValue);
    }
    Graph *copy = new Graph{std::make_shared<GraphNodes>(*graph->nodes)};
    object_made(copy, "executable graph");
    *made = reinterpret_cast<cudaGraphExec_t>(copy);
    return cudaSuccess;
}

STANDIN_API cudaError_t cudaGraphInstantiateWithFlags(cudaGraphExec_t *made, cudaGraph_t graph,
                                                      unsigned long long flags)
{
    return cudaGraphInstantiate(made, graph, flags);
}

STANDIN_API cudaError_t cudaGraphUpload(cudaGraphExec_t handle, cudaStream_t stream)
{
    STANDIN_RUNTIME(fallible);
    bool valid = alive<Graph>(handle, "executable graph") && valid_stream(stream);
    return call.done(valid ? cudaSuccess : cudaErrorInvalidValue);
}

static Work launch_of(const Graph &graph)
{
    std::shared_ptr<GraphNodes> nodes = graph.nodes;
    Work work;
    work.what = "a graph";
    for (const GraphNode &node : nodes->nodes) {
        work.lands.insert(work.lands.end(), node.work.lands.begin(), node.work.lands.end());
        work.takes.insert(work.takes.end(), node.work.takes.begin(), node.work.takes.end());
    }
    work.run = [nodes] {
        for (int index : graph_order(*nodes)) {
            const Work &inside = nodes->nodes[(size_t)index].work;
            running().work = inside.what.c_str();
            if (inside.run) {
                inside.run();
            }
        }
    };
    return work;
}

STANDIN_API cudaError_t cudaGraphLaunch(cudaGraphExec_t handle, cudaStream_t stream)
{
    STANDIN_RUNTIME(fallible | allocates); /* the first one brings the graph to the device */
    const Graph *graph = alive<Graph>(handle, "executable graph");
    if (!graph || !valid_stream(stream)) {
        return call.done(cudaErrorInvalidValue);
    }
    if (stream_is_captured(stream)) {
        return call.done(void_capture(*stream_of(stream)->capture, cudaErrorStreamCaptureUnsupported,
                                      "a graph is launched into a captured stream"));
    }
    return call.done(enqueue(stream, launch_of(*graph)));
}

template <typename Handle> static cudaError_t destroy(Handle handle, const char *kind)
{
    Graph *graph = alive<Graph>(handle, kind);
    if (!graph) {
        return cudaErrorInvalidValue;
    }
    object_gone(handle);
    delete graph;
    return cudaSuccess;
}

STANDIN_API cudaError_t cudaGraphExecDestroy(cudaGraphExec_t graph)
{
    STANDIN_RUNTIME(plain);
    return call.done(destroy(graph, "executable graph"));
}

STANDIN_API cudaError_t cudaGraphDestroy(cudaGraph_t graph)
{
    STANDIN_RUNTIME(plain);
    return call.done(destroy(graph, "graph"));
}
