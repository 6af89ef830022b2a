/* streams.cpp: queues of deferred work, and in which order it runs.
 *
 * Nothing runs before someone waits for it. With RS_EMU_SEED=0 only what is waited for runs, as late as
 * can be; with a seed, tasks of all streams that could run are drawn by lot until what is waited for is
 * done. Memory of the host that a copy will fill is poisoned at the call, so that reading it too early
 * shows. */
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "streams.hpp"

namespace standin
{

namespace
{

struct Streams {
    std::vector<std::unique_ptr<Stream>> all;
    Random random{settings().seed};
    Stream *legacy;
    Streams() : legacy(nullptr)
    {
        all.push_back(std::make_unique<Stream>());
        legacy = all[0].get();
        legacy->number = 0;
        legacy->legacy = true;
    }
};

Streams &streams()
{
    static Streams *made = new Streams;
    return *made;
}

double now()
{
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

bool is_ready(const Task &task)
{
    return std::all_of(task.after.begin(), task.after.end(), [](const FencePtr &f) { return f->done; });
}

void run_first(Stream &stream)
{
    Task task = std::move(stream.queue.front());
    stream.queue.pop_front();
    if (task.work.run) {
        OpenDevice open;
        running().work = task.work.what.c_str();
        running().runner = gettid();
        task.work.run();
        running().work = nullptr;
    }
    task.done->done = true;
    task.done->when = now();
}

/* Runs the first task that must run before `fence` can be set. */
void run_towards(FencePtr fence)
{
    Stream &stream = *fence->stream;
    if (stream.queue.empty()) {
        stop("waits for an event that nothing will record");
    }
    for (const FencePtr &before : stream.queue.front().after) {
        if (!before->done) {
            run_towards(before);
            return;
        }
    }
    run_first(stream);
}

bool overlaps(const Range &range, const void *memory, size_t bytes)
{
    uintptr_t a = (uintptr_t)range.begin, b = (uintptr_t)memory;
    return a < b + bytes && b < a + range.bytes;
}

bool any_task(bool (*uses)(const Work &, const Range &), const Range &range)
{
    for (const auto &stream : streams().all) {
        for (const Task &task : stream->queue) {
            if (uses(task.work, range)) {
                return true;
            }
        }
    }
    return false;
}

bool takes(const Work &work, const Range &range)
{
    return std::any_of(work.takes.begin(), work.takes.end(),
                       [&](const Range &r) { return overlaps(r, range.begin, range.bytes); });
}

bool touches(const Work &work, const Range &range)
{
    return takes(work, range) || std::any_of(work.lands.begin(), work.lands.end(), [&](const Range &r) {
               return overlaps(r, range.begin, range.bytes);
           });
}

/* Between the legacy stream and those that synchronise with it, in both directions. */
void add_legacy_waits(const Stream &stream, Task &task)
{
    if (!stream.legacy && stream.blocking && !streams().legacy->queue.empty()) {
        task.after.push_back(streams().legacy->queue.back().done);
    }
    for (const auto &other : streams().all) {
        if (stream.legacy && other->blocking && !other->legacy && !other->queue.empty()) {
            task.after.push_back(other->queue.back().done);
        }
    }
}

FencePtr push(Stream &stream, Work work, const FencePtr &after = nullptr)
{
    Task task;
    task.done = std::make_shared<Fence>();
    task.done->stream = &stream;
    if (after) {
        task.after.push_back(after);
    }
    add_legacy_waits(stream, task);
    for (const Range &range : work.lands) {
        if (!any_task(takes, range)) {
            fill_poison(const_cast<void *>(range.begin), range.bytes);
        }
    }
    task.work = std::move(work);
    stream.queue.push_back(std::move(task));
    return stream.queue.back().done;
}

} // namespace

std::vector<std::unique_ptr<Stream>> &all_streams()
{
    return streams().all;
}

Stream *stream_of(cudaStream_t handle)
{
    if (handle == nullptr || handle == cudaStreamLegacy) {
        return streams().legacy;
    }
    if (handle == cudaStreamPerThread) {
        stop("the stand-in has no per-thread default stream");
    }
    return object_alive(handle, "stream") ? reinterpret_cast<Stream *>(handle) : nullptr;
}

bool valid_stream(cudaStream_t handle)
{
    return stream_of(handle) != nullptr;
}

bool stream_is_captured(cudaStream_t handle)
{
    const Stream *stream = stream_of(handle);
    return stream && stream->capture;
}

cudaError_t enqueue(cudaStream_t handle, Work work)
{
    Stream *stream = stream_of(handle);
    if (!stream) {
        say("%s: on a stream that is not alive", work.what.c_str());
        return cudaErrorInvalidResourceHandle;
    }
    if (stream->capture) {
        return capture_work(*stream, std::move(work));
    }
    if (cudaError_t status = legacy_allowed(*stream)) {
        return status;
    }
    (void)push(*stream, std::move(work));
    return cudaSuccess;
}

FencePtr enqueue_mark(Stream &stream, const FencePtr &after)
{
    Work mark;
    mark.what = "a mark";
    return push(stream, std::move(mark), after);
}

bool run_something(FencePtr wanted)
{
    if (settings().seed == 0) {
        run_towards(wanted);
        return true;
    }
    std::vector<Stream *> ready;
    for (const auto &stream : streams().all) {
        if (!stream->queue.empty() && is_ready(stream->queue.front())) {
            ready.push_back(stream.get());
        }
    }
    if (ready.empty()) {
        return false;
    }
    run_first(*ready[streams().random.below(ready.size())]);
    return true;
}

void finish(FencePtr fence)
{
    OpenDevice open;
    while (!fence->done) {
        if (!run_something(fence)) {
            stop("waits for an event that nothing will record");
        }
    }
}

cudaError_t finish_stream(cudaStream_t handle)
{
    Stream *stream = stream_of(handle);
    if (!stream) {
        return cudaErrorInvalidResourceHandle;
    }
    if (stream->capture) {
        return void_capture(*stream->capture, cudaErrorStreamCaptureUnsupported,
                            "a wait for a captured stream");
    }
    if (!stream->queue.empty()) {
        finish(stream->queue.back().done);
    }
    return cudaSuccess;
}

/* The youngest stream first: what somebody forgot to wait for comes late. */
void finish_everything()
{
    auto &all = streams().all;
    OpenDevice open;
    for (size_t i = all.size(); i-- > 0;) {
        while (!all[i]->queue.empty()) {
            finish(all[i]->queue.back().done);
        }
    }
}

void drop_everything()
{
    for (const auto &stream : streams().all) {
        for (Task &task : stream->queue) {
            task.done->done = true;
        }
        stream->queue.clear();
    }
}

bool pending_work_uses(const void *memory, size_t bytes)
{
    return any_task(touches, {memory, bytes});
}

} // namespace standin

using namespace standin;

static cudaError_t make_stream(cudaStream_t *handle, unsigned flags)
{
    if (!handle || flags > cudaStreamNonBlocking) {
        return cudaErrorInvalidValue;
    }
    auto made = std::make_unique<Stream>();
    made->number = (unsigned long)all_streams().size();
    made->blocking = flags != cudaStreamNonBlocking;
    *handle = reinterpret_cast<cudaStream_t>(made.get());
    object_made(made.get(), "stream");
    all_streams().push_back(std::move(made));
    return cudaSuccess;
}

STANDIN_API cudaError_t cudaStreamCreate(cudaStream_t *stream)
{
    STANDIN_RUNTIME(fallible);
    return call.done(make_stream(stream, cudaStreamDefault));
}

STANDIN_API cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned flags)
{
    STANDIN_RUNTIME(fallible);
    return call.done(make_stream(stream, flags));
}

STANDIN_API cudaError_t cudaStreamCreateWithPriority(cudaStream_t *stream, unsigned flags, int)
{
    STANDIN_RUNTIME(fallible);
    return call.done(make_stream(stream, flags));
}

STANDIN_API cudaError_t cudaDeviceGetStreamPriorityRange(int *least, int *greatest)
{
    STANDIN_RUNTIME(fallible);
    if (least) {
        *least = 0;
    }
    if (greatest) {
        *greatest = -5;
    }
    return cudaSuccess;
}

/* What waits in it still runs. */
STANDIN_API cudaError_t cudaStreamDestroy(cudaStream_t handle)
{
    STANDIN_RUNTIME(plain);
    Stream *stream = stream_of(handle);
    if (!stream || stream->legacy) {
        return call.done(cudaErrorInvalidResourceHandle);
    }
    if (stream->capture) {
        return call.done(void_capture(*stream->capture, cudaErrorStreamCaptureUnsupported,
                                      "a captured stream is destroyed"));
    }
    object_gone(handle);
    return cudaSuccess;
}

STANDIN_API cudaError_t cudaStreamSynchronize(cudaStream_t stream)
{
    STANDIN_RUNTIME(fallible | unsafe);
    return call.done(finish_stream(stream));
}

STANDIN_API cudaError_t cudaStreamQuery(cudaStream_t handle)
{
    STANDIN_RUNTIME(fallible | unsafe);
    Stream *stream = stream_of(handle);
    if (!stream) {
        return call.done(cudaErrorInvalidResourceHandle);
    }
    if (stream->queue.empty()) {
        return cudaSuccess;
    }
    (void)run_something(stream->queue.back().done);
    return call.done(cudaErrorNotReady);
}

STANDIN_API cudaError_t cudaDeviceSynchronize(void)
{
    STANDIN_RUNTIME(fallible | unsafe);
    if (anything_captures()) {
        say("cudaDeviceSynchronize: not while a stream is captured");
        return call.done(cudaErrorStreamCaptureUnsupported);
    }
    finish_everything();
    return cudaSuccess;
}

STANDIN_API cudaError_t cudaLaunchHostFunc(cudaStream_t stream, cudaHostFn_t function, void *data)
{
    STANDIN_RUNTIME(fallible);
    if (!function) {
        return call.done(cudaErrorInvalidValue);
    }
    Work work;
    work.what = "a host function";
    work.run = [function, data] {
        running().in_host_function = true;
        function(data);
        running().in_host_function = false;
    };
    return call.done(enqueue(stream, std::move(work)));
}
