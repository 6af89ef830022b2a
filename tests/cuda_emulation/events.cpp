/* events.cpp: events: marks in a stream that others wait for. A query may say "not ready" of what a device
 * would long have done: it gives the device one task's time and answers as it was before. */
#include "streams.hpp"

namespace standin
{

Event *event_of(cudaEvent_t handle)
{
    return object_alive(handle, "event") ? reinterpret_cast<Event *>(handle) : nullptr;
}

} // namespace standin

using namespace standin;

static cudaError_t make_event(cudaEvent_t *handle, unsigned flags)
{
    if (!handle || flags > (cudaEventBlockingSync | cudaEventDisableTiming | cudaEventInterprocess)) {
        return cudaErrorInvalidValue;
    }
    Event *made = new Event;
    made->flags = flags;
    *handle = reinterpret_cast<cudaEvent_t>(made);
    object_made(made, "event");
    return cudaSuccess;
}

STANDIN_API cudaError_t cudaEventCreate(cudaEvent_t *event)
{
    STANDIN_RUNTIME(fallible);
    return call.done(make_event(event, cudaEventDefault));
}

STANDIN_API cudaError_t cudaEventCreateWithFlags(cudaEvent_t *event, unsigned flags)
{
    STANDIN_RUNTIME(fallible);
    return call.done(make_event(event, flags));
}

STANDIN_API cudaError_t cudaEventDestroy(cudaEvent_t handle)
{
    STANDIN_RUNTIME(plain);
    Event *event = event_of(handle);
    if (!event) {
        return call.done(cudaErrorInvalidResourceHandle);
    }
    object_gone(handle);
    delete event;
    return cudaSuccess;
}

static cudaError_t record(cudaEvent_t handle, cudaStream_t stream_handle)
{
    Event *event = event_of(handle);
    Stream *stream = stream_of(stream_handle);
    if (!event || !stream) {
        return cudaErrorInvalidResourceHandle;
    }
    if (stream->capture) {
        if (!stream->capture->valid) {
            return cudaErrorStreamCaptureInvalidated;
        }
        event->capture = stream->capture;
        event->tips = stream->tips;
        event->fence = nullptr;
        return cudaSuccess;
    }
    if (cudaError_t status = legacy_allowed(*stream)) {
        return status;
    }
    event->capture = nullptr;
    event->fence = enqueue_mark(*stream);
    return cudaSuccess;
}

STANDIN_API cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream)
{
    STANDIN_RUNTIME(fallible);
    return call.done(record(event, stream));
}

STANDIN_API cudaError_t cudaEventRecordWithFlags(cudaEvent_t event, cudaStream_t stream, unsigned)
{
    STANDIN_RUNTIME(fallible);
    return call.done(record(event, stream));
}

/* Errors of an event that only means something inside a capture. */
static cudaError_t usable_outside(const Event *event)
{
    if (!event) {
        return cudaErrorInvalidResourceHandle;
    }
    if (!event->capture) {
        return cudaSuccess;
    }
    say("an event recorded in a capture is queried or waited for");
    if (!event->capture->over) {
        event->capture->valid = false;
    }
    return cudaErrorCapturedEvent;
}

STANDIN_API cudaError_t cudaEventSynchronize(cudaEvent_t handle)
{
    STANDIN_RUNTIME(fallible | unsafe);
    Event *event = event_of(handle);
    if (cudaError_t status = usable_outside(event)) {
        return call.done(status);
    }
    if (event->fence) {
        finish(event->fence);
    }
    return cudaSuccess;
}

STANDIN_API cudaError_t cudaEventQuery(cudaEvent_t handle)
{
    STANDIN_RUNTIME(fallible | unsafe);
    Event *event = event_of(handle);
    if (cudaError_t status = usable_outside(event)) {
        return call.done(status);
    }
    if (!event->fence || event->fence->done) {
        return cudaSuccess;
    }
    (void)run_something(event->fence);
    return call.done(cudaErrorNotReady);
}

STANDIN_API cudaError_t cudaEventElapsedTime(float *milliseconds, cudaEvent_t from, cudaEvent_t to)
{
    STANDIN_RUNTIME(fallible);
    const Event *begin = event_of(from), *end = event_of(to);
    if (!milliseconds) {
        return call.done(cudaErrorInvalidValue);
    }
    if (!begin || !end || !begin->fence || !end->fence ||
        ((begin->flags | end->flags) & cudaEventDisableTiming)) {
        return call.done(cudaErrorInvalidResourceHandle);
    }
    if (!begin->fence->done || !end->fence->done) {
        return call.done(cudaErrorNotReady);
    }
    *milliseconds = (float)((end->fence->when - begin->fence->when) * 1e3);
    return cudaSuccess;
}

/* In a capture the stream comes after the event's nodes, and so joins the capture if it is not yet part of
 * it. */
static cudaError_t wait_in_capture(Stream &stream, const Event &event)
{
    if (stream.capture && stream.capture != event.capture) {
        return void_capture(*stream.capture, cudaErrorStreamCaptureIsolation,
                            "a captured stream waits for an event from outside");
    }
    if (event.capture->over) {
        return cudaErrorCapturedEvent;
    }
    if (!event.capture->valid) {
        return cudaErrorStreamCaptureInvalidated;
    }
    if (!stream.capture) {
        if (stream.legacy) {
            return void_capture(*event.capture, cudaErrorStreamCaptureImplicit,
                                "the legacy stream joins a capture");
        }
        stream.capture = event.capture;
        stream.tips.clear();
        event.capture->streams.push_back(&stream);
    }
    stream.tips.insert(stream.tips.end(), event.tips.begin(), event.tips.end());
    return cudaSuccess;
}

STANDIN_API cudaError_t cudaStreamWaitEvent(cudaStream_t stream_handle, cudaEvent_t handle, unsigned)
{
    STANDIN_RUNTIME(fallible);
    Event *event = event_of(handle);
    Stream *stream = stream_of(stream_handle);
    if (!event || !stream) {
        return call.done(cudaErrorInvalidResourceHandle);
    }
    if (event->capture) {
        return call.done(wait_in_capture(*stream, *event));
    }
    if (!event->fence) {
        return cudaSuccess;
    }
    if (stream->capture) {
        return call.done(void_capture(*stream->capture, cudaErrorStreamCaptureIsolation,
                                      "a captured stream waits for an event from outside"));
    }
    if (!event->fence->done) {
        (void)enqueue_mark(*stream, event->fence);
    }
    return cudaSuccess;
}
