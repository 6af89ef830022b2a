/* copies.cpp: cudaMalloc and its kin, cudaMemcpy and cudaMemset. Who waits for what is as CUDA's documents
 * have it:
 *
 * cudaMemcpy from pageable memory returns when the bytes are staged: the copy itself is still to come, in
 * the legacy stream; to host memory it returns when all is there; between device buffers it does not wait;
 * cudaMemset neither. Streams made with cudaStreamNonBlocking are not ordered with any of these. */
#include <cstring>

#include "standin.hpp"

using namespace standin;

namespace
{

struct Copy {
    void *to;
    const void *from;
    size_t bytes;
    bool to_device, from_device;
    std::shared_ptr<std::vector<char>> staged; /* instead of `from` */
};

void run_copy(const Copy &copy)
{
    const char *from = copy.staged ? copy.staged->data() : (const char *)copy.from;
    if (copy.to_device && !device_block(copy.to, copy.bytes)) {
        stop("a copy writes to %s", describe(copy.to).c_str());
    }
    const Block *source = copy.from_device ? device_block(copy.from, copy.bytes) : nullptr;
    if (copy.from_device && !source) {
        stop("a copy reads from %s", describe(copy.from).c_str());
    }
    memmove(copy.to, from, copy.bytes);
    if (!copy.to_device) {
        return;
    }
    Block &target = *device_block(copy.to, copy.bytes);
    if (!source || is_written(*source, (uintptr_t)copy.from, copy.bytes)) {
        mark_written(target, (uintptr_t)copy.to, copy.bytes);
        return;
    }
    for (size_t i = 0; i < copy.bytes; i++) { /* what has no value has none after it either */
        if (is_written(*source, (uintptr_t)copy.from + i, 1)) {
            mark_written(target, (uintptr_t)copy.to + i, 1);
        }
    }
}

/* Checks a side; false, with a line, when it is not what the kind of the copy says. */
bool side_fits(const char *side, const void *memory, size_t bytes, bool device)
{
    if (device ? device_block(memory, bytes) != nullptr : !is_device(memory)) {
        return true;
    }
    say("a copy's %s is %s, but %s is wanted for %zu bytes", side, describe(memory).c_str(),
        device ? "device memory" : "host memory", bytes);
    return false;
}

cudaError_t make_copy(void *to, const void *from, size_t bytes, cudaMemcpyKind kind, Copy *copy)
{
    if (!to || !from) {
        return cudaErrorInvalidValue;
    }
    *copy = {to, from, bytes, is_device(to), is_device(from), nullptr};
    if (kind != cudaMemcpyDefault) {
        copy->to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
        copy->from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
    }
    bool fits = (unsigned)kind <= cudaMemcpyDefault && side_fits("destination", to, bytes, copy->to_device) &&
                side_fits("source", from, bytes, copy->from_device);
    if (is_pinned(to) && !pinned_block(to, bytes)) {
        say("a copy of %zu bytes ends past its destination: %s", bytes, describe(to).c_str());
        fits = false;
    }
    if (is_pinned(from) && !pinned_block(from, bytes)) {
        say("a copy of %zu bytes ends past its source: %s", bytes, describe(from).c_str());
        fits = false;
    }
    return fits ? cudaSuccess : cudaErrorInvalidValue;
}

void stage(Copy &copy)
{
    const char *from = (const char *)copy.from;
    copy.staged = std::make_shared<std::vector<char>>(from, from + copy.bytes);
}

Work work_of(const Copy &copy)
{
    Work work;
    work.what = text("a copy of %zu bytes", copy.bytes);
    work.run = [copy] { run_copy(copy); };
    if (!copy.to_device) {
        work.lands.push_back({copy.to, copy.bytes});
    }
    if (!copy.from_device && !copy.staged) {
        work.takes.push_back({copy.from, copy.bytes});
    }
    return work;
}

cudaError_t copy_now(Copy copy)
{
    bool pageable = !copy.from_device && !is_pinned(copy.from);
    if (!copy.to_device && !copy.from_device) {
        memmove(copy.to, copy.from, copy.bytes);
        return cudaSuccess;
    }
    if (copy.to_device && pageable) {
        stage(copy);
        if (cudaError_t status = finish_stream(nullptr)) {
            return status;
        }
        return enqueue(nullptr, work_of(copy));
    }
    cudaError_t status = enqueue(nullptr, work_of(copy));
    bool waits = !(copy.to_device && copy.from_device);
    return status == cudaSuccess && waits ? finish_stream(nullptr) : status;
}

/* Pageable memory: staged on the way in, waited for on the way out; neither can be captured. */
cudaError_t copy_later(Copy copy, cudaStream_t stream)
{
    const void *host = copy.to_device ? copy.from : copy.to;
    bool pageable = !(copy.to_device && copy.from_device) && !is_pinned(host);
    if (!valid_stream(stream)) {
        return cudaErrorInvalidResourceHandle;
    }
    if (pageable && stream_is_captured(stream)) {
        invalidate_captures_of_this_thread();
        say("cudaMemcpyAsync: pageable memory in a capture");
        return cudaErrorStreamCaptureUnsupported;
    }
    if (pageable && copy.to_device) {
        stage(copy);
    }
    cudaError_t status = enqueue(stream, work_of(copy));
    return status == cudaSuccess && pageable && !copy.to_device ? finish_stream(stream) : status;
}

cudaError_t set_memory(void *memory, int value, size_t bytes, cudaStream_t stream)
{
    if (!device_block(memory, bytes)) {
        say("cudaMemset: %zu bytes from %s", bytes, describe(memory).c_str());
        return cudaErrorInvalidValue;
    }
    Work work;
    work.what = "cudaMemset";
    work.run = [=] {
        if ((value & 0xff) == 0xff) { /* poison, by whom ever: nobody has written there */
            expect_scratch(memory, bytes, "cudaMemset");
            return;
        }
        expect_writable(memory, bytes, "cudaMemset");
        memset(memory, value, bytes);
    };
    return enqueue(stream, std::move(work));
}

} // namespace

STANDIN_API cudaError_t cudaMalloc(void **memory, size_t bytes)
{
    STANDIN_RUNTIME(fallible | allocates | unsafe);
    return call.done(allocate_device(memory, bytes));
}

/* Waits for the device, as the real one does. */
STANDIN_API cudaError_t cudaFree(void *memory)
{
    STANDIN_RUNTIME(unsafe);
    if (!memory) {
        return cudaSuccess;
    }
    if (!anything_captures()) {
        finish_everything();
    }
    return call.done(release_device(memory));
}

STANDIN_API cudaError_t cudaHostAlloc(void **memory, size_t bytes, unsigned)
{
    STANDIN_RUNTIME(fallible | allocates | unsafe);
    return call.done(allocate_pinned(memory, bytes));
}

STANDIN_API cudaError_t cudaMallocHost(void **memory, size_t bytes)
{
    STANDIN_RUNTIME(fallible | allocates | unsafe);
    return call.done(allocate_pinned(memory, bytes));
}

STANDIN_API cudaError_t cudaFreeHost(void *memory)
{
    STANDIN_RUNTIME(unsafe);
    return memory ? call.done(release_pinned(memory)) : cudaSuccess;
}

STANDIN_API cudaError_t cudaMemGetInfo(size_t *available, size_t *total)
{
    STANDIN_RUNTIME(fallible);
    if (available) {
        *available = settings().memory - device_memory_used();
    }
    if (total) {
        *total = settings().memory;
    }
    return cudaSuccess;
}

STANDIN_API cudaError_t cudaMemcpy(void *to, const void *from, size_t bytes, cudaMemcpyKind kind)
{
    STANDIN_RUNTIME(fallible | unsafe);
    Copy copy;
    cudaError_t status = bytes ? make_copy(to, from, bytes, kind, &copy) : cudaSuccess;
    return call.done(status == cudaSuccess && bytes ? copy_now(copy) : status);
}

STANDIN_API cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, cudaMemcpyKind kind,
                                        cudaStream_t stream)
{
    STANDIN_RUNTIME(fallible);
    Copy copy;
    cudaError_t status = bytes ? make_copy(to, from, bytes, kind, &copy) : cudaSuccess;
    return call.done(status == cudaSuccess && bytes ? copy_later(copy, stream) : status);
}

STANDIN_API cudaError_t cudaMemset(void *memory, int value, size_t bytes)
{
    STANDIN_RUNTIME(fallible | unsafe);
    return call.done(bytes ? set_memory(memory, value, bytes, nullptr) : cudaSuccess);
}

STANDIN_API cudaError_t cudaMemsetAsync(void *memory, int value, size_t bytes, cudaStream_t stream)
{
    STANDIN_RUNTIME(fallible);
    return call.done(bytes ? set_memory(memory, value, bytes, stream) : cudaSuccess);
}

STANDIN_API cudaError_t cudaPointerGetAttributes(cudaPointerAttributes *attributes, const void *memory)
{
    STANDIN_RUNTIME(fallible);
    if (!attributes) {
        return call.done(cudaErrorInvalidValue);
    }
    *attributes = {};
    attributes->type = is_pinned(memory)   ? cudaMemoryTypeHost
                       : is_device(memory) ? cudaMemoryTypeDevice
                                           : cudaMemoryTypeUnregistered;
    attributes->devicePointer =
        const_cast<void *>(attributes->type == cudaMemoryTypeUnregistered ? nullptr : memory);
    attributes->hostPointer = const_cast<void *>(attributes->type == cudaMemoryTypeHost ? memory : nullptr);
    return cudaSuccess;
}
