/* memory.c: memory of the device, and memory of the host that the device copies to on its own. */
#include "plan.h"

enum { PART_BYTES = 256 };
#define LATER_BYTES ((size_t)384 << 20)

rs_status rs__memory_take(const rs_device *device, size_t bytes, const char *what, void **memory,
                          rs_error *error)
{
    size_t wanted = bytes > PART_BYTES ? bytes : PART_BYTES;
    cudaError_t status = cudaMalloc(memory, wanted);
    if (status == cudaErrorMemoryAllocation) {
        (void)cudaGetLastError();
        *memory = NULL;
        return RS_FAIL(error, RS_MEMORY,
                       "GPU %d has no memory for %s (%zu bytes); a smaller --batch-size leaves more",
                       device->index, what, wanted);
    }
    RS__CUDA_WAS(error, status, "cudaMalloc");
    return RS_OK;
}

rs_status rs__memory_take_zeroed(const rs_device *device, size_t bytes, const char *what, void **memory,
                                 rs_error *error)
{
    RS_TRY(rs__memory_take(device, bytes, what, memory, error));
    RS__CUDA(error, cudaMemsetAsync(*memory, 0, bytes > PART_BYTES ? bytes : PART_BYTES, device->compute));
    return RS_OK;
}

void rs__memory_release(void *memory)
{
    if (memory) {
        (void)cudaFree(memory);
    }
}

rs_status rs__pinned_take(size_t bytes, const char *what, void **memory, rs_error *error)
{
    cudaError_t status = cudaHostAlloc(memory, bytes ? bytes : PART_BYTES, cudaHostAllocDefault);
    if (status == cudaErrorMemoryAllocation) {
        (void)cudaGetLastError();
        *memory = NULL;
        return RS_FAIL(error, RS_MEMORY, "no pinned memory for %s (%zu bytes)", what, bytes);
    }
    RS__CUDA_WAS(error, status, "cudaHostAlloc");
    return RS_OK;
}

void rs__pinned_release(void *memory)
{
    if (memory) {
        (void)cudaFreeHost(memory);
    }
}

rs_status rs__memory_free_bytes(uint64_t *bytes, rs_error *error)
{
    size_t left = 0, total = 0;
    RS__CUDA(error, cudaMemGetInfo(&left, &total));
    *bytes = left - (left / 4 < LATER_BYTES ? left / 4 : LATER_BYTES);
    return RS_OK;
}

size_t rs__parts_place(const size_t *bytes, int count, size_t *offsets)
{
    size_t at = 0;
    for (int i = 0; i < count; i++) {
        offsets[i] = at;
        at += (bytes[i] + PART_BYTES - 1) / PART_BYTES * PART_BYTES;
    }
    return at;
}

void *rs__cuda_pinned_allocate(rs_device *device, size_t bytes)
{
    rs_error ignored = {0}; /* NULL says all that the caller can use */
    void *memory = NULL;
    if (rs__device_use(device, &ignored) || rs__pinned_take(bytes, "a buffer", &memory, &ignored)) {
        return NULL;
    }
    return memory;
}

/* A copy into it may be under way still, where an error has kept everybody from waiting for it. */
void rs__cuda_pinned_release(rs_device *device, void *memory)
{
    if (memory) {
        (void)cudaStreamSynchronize(device->copy);
    }
    rs__pinned_release(memory);
}
