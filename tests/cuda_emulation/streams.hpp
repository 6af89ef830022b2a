/* streams.hpp: streams, events and captures, as streams.cpp, events.cpp and graphs.cpp share them.
 *
 * A stream is a queue of tasks. A task ends by setting its fence; an event is the fence of a mark in a
 * queue. A task that is first in its stream may run when the fences it waits for are set. */
#ifndef RS_EMU_STREAMS_HPP
#define RS_EMU_STREAMS_HPP

#include <deque>
#include <thread>

#include "standin.hpp"

namespace standin
{

struct Stream;

struct Fence {
    Stream *stream;
    bool done = false;
    double when = 0; /* seconds; the end of the task */
};
using FencePtr = std::shared_ptr<Fence>;

struct Task {
    Work work;
    std::vector<FencePtr> after;
    FencePtr done;
};

/* A capture under way: what work on its streams becomes. */
struct Capture {
    Stream *origin;
    cudaStreamCaptureMode mode;
    std::thread::id thread;
    bool valid = true, over = false;
    std::shared_ptr<GraphNodes> graph = std::make_shared<GraphNodes>();
    std::vector<Stream *> streams; /* origin and those that joined */
};
using CapturePtr = std::shared_ptr<Capture>;

struct Stream {
    unsigned long number;
    bool legacy = false, blocking = true;
    std::deque<Task> queue;
    CapturePtr capture;
    std::vector<int> tips; /* of the capture: nodes that the next one comes after */
};

struct Event {
    unsigned flags = 0;
    FencePtr fence;     /* null: never recorded */
    CapturePtr capture; /* recorded in one */
    std::vector<int> tips;
};

/* Streams are kept for good, so that fences may point to them; handles die with cudaStreamDestroy. */
std::vector<std::unique_ptr<Stream>> &all_streams();
Stream *stream_of(cudaStream_t handle); /* null: no live stream */
Event *event_of(cudaEvent_t handle);
/* By value: a fence in a queue goes when its task has run. */
void finish(FencePtr fence);
/* Runs one task that could run, as a device would while the host looks away; false: none could. */
bool run_something(FencePtr wanted);
/* A task that does nothing, after what is in the stream and, where given, after another stream's fence. */
FencePtr enqueue_mark(Stream &stream, const FencePtr &after = nullptr);
/* Work on a stream that is captured. */
cudaError_t capture_work(Stream &stream, Work work);
/* The legacy stream may not be used while a stream that synchronises with it is captured. */
cudaError_t legacy_allowed(const Stream &stream);
/* Ends the use of a capture by an error. */
cudaError_t void_capture(Capture &capture, cudaError_t status, const char *why);

} // namespace standin

#endif
