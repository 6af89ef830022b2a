/* device.cpp: which devices there are, versions, the last error. The device is a small one, so that loops
 * over a grid go round more than once. */
#include <cstring>

#include "standin.hpp"

using namespace standin;

namespace
{

enum { PROCESSORS = 4, THREADS_OF_BLOCK = 1024, THREADS_OF_PROCESSOR = 2048, SHARED = 48 << 10 };

thread_local int current_device = 0;

bool has_device(int device)
{
    return device >= 0 && device < settings().devices;
}

void describe_device(cudaDeviceProp *p, int device)
{
    memset(p, 0, sizeof *p);
    (void)snprintf(p->name, sizeof p->name, "stand-in for a GPU (%d)", device);
    p->totalGlobalMem = settings().memory;
    p->sharedMemPerBlock = p->sharedMemPerBlockOptin = SHARED;
    p->sharedMemPerMultiprocessor = 2 * SHARED;
    p->regsPerBlock = p->regsPerMultiprocessor = 65536;
    p->warpSize = 32;
    p->maxThreadsPerBlock = p->maxThreadsDim[0] = p->maxThreadsDim[1] = THREADS_OF_BLOCK;
    p->maxThreadsDim[2] = 64;
    p->maxGridSize[0] = 0x7fffffff;
    p->maxGridSize[1] = p->maxGridSize[2] = 65535;
    p->totalConstMem = 65536;
    p->major = 8;
    p->minor = 0;
    p->multiProcessorCount = PROCESSORS;
    p->maxThreadsPerMultiProcessor = THREADS_OF_PROCESSOR;
    p->maxBlocksPerMultiProcessor = 32;
    p->concurrentKernels = p->asyncEngineCount = 1;
    p->unifiedAddressing = p->canMapHostMemory = 1;
    p->l2CacheSize = 4 << 20;
    p->memoryBusWidth = 256;
}

/* The value of an attribute; false where nobody has needed it yet. */
bool attribute_of(cudaDeviceAttr attribute, int *value)
{
    static const struct {
        cudaDeviceAttr attribute;
        int value;
    } known[] = {
        {cudaDevAttrMaxThreadsPerBlock, THREADS_OF_BLOCK},
        {cudaDevAttrMaxBlockDimX, THREADS_OF_BLOCK},
        {cudaDevAttrMaxGridDimX, 0x7fffffff},
        {cudaDevAttrMaxSharedMemoryPerBlock, SHARED},
        {cudaDevAttrMaxSharedMemoryPerBlockOptin, SHARED},
        {cudaDevAttrWarpSize, 32},
        {cudaDevAttrMultiProcessorCount, PROCESSORS},
        {cudaDevAttrMaxThreadsPerMultiProcessor, THREADS_OF_PROCESSOR},
        {cudaDevAttrComputeCapabilityMajor, 8},
        {cudaDevAttrComputeCapabilityMinor, 0},
        {cudaDevAttrAsyncEngineCount, 1},
        {cudaDevAttrUnifiedAddressing, 1},
        {cudaDevAttrL2CacheSize, 4 << 20},
        {cudaDevAttrClockRate, 1000000},
        {cudaDevAttrMemoryClockRate, 5000000},
        {cudaDevAttrGlobalMemoryBusWidth, 256},
        {cudaDevAttrComputeMode, cudaComputeModeDefault},
    };
    for (const auto &entry : known) {
        if (entry.attribute == attribute) {
            *value = entry.value;
            return true;
        }
    }
    return false;
}

} // namespace

STANDIN_API cudaError_t cudaGetDeviceCount(int *count)
{
    if (count) {
        *count = 0;
    }
    STANDIN_RUNTIME(fallible);
    if (!count) {
        return call.done(cudaErrorInvalidValue);
    }
    *count = settings().devices;
    return cudaSuccess;
}

STANDIN_API cudaError_t cudaSetDevice(int device)
{
    STANDIN_RUNTIME(fallible);
    if (!has_device(device)) {
        return call.done(cudaErrorInvalidDevice);
    }
    current_device = device;
    return cudaSuccess;
}

STANDIN_API cudaError_t cudaGetDevice(int *device)
{
    STANDIN_RUNTIME(fallible);
    if (!device) {
        return call.done(cudaErrorInvalidValue);
    }
    *device = current_device;
    return cudaSuccess;
}

STANDIN_API cudaError_t cudaGetDeviceProperties(cudaDeviceProp *properties, int device)
{
    STANDIN_RUNTIME(fallible);
    if (!properties || !has_device(device)) {
        return call.done(properties ? cudaErrorInvalidDevice : cudaErrorInvalidValue);
    }
    describe_device(properties, device);
    return cudaSuccess;
}

STANDIN_API cudaError_t cudaDeviceGetAttribute(int *value, cudaDeviceAttr attribute, int device)
{
    STANDIN_RUNTIME(fallible);
    if (!value || !has_device(device)) {
        return call.done(value ? cudaErrorInvalidDevice : cudaErrorInvalidValue);
    }
    if (!attribute_of(attribute, value)) {
        stop("cudaDeviceGetAttribute: attribute %d is not in device.cpp", (int)attribute);
    }
    return cudaSuccess;
}

STANDIN_API cudaError_t cudaSetDeviceFlags(unsigned)
{
    STANDIN_RUNTIME(fallible);
    return cudaSuccess;
}

STANDIN_API cudaError_t cudaDriverGetVersion(int *version)
{
    STANDIN_RUNTIME(fallible | deviceless);
    if (!version) {
        return call.done(cudaErrorInvalidValue);
    }
    *version = settings().driver_version;
    return cudaSuccess;
}

STANDIN_API cudaError_t cudaRuntimeGetVersion(int *version)
{
    STANDIN_RUNTIME(fallible | deviceless);
    if (!version) {
        return call.done(cudaErrorInvalidValue);
    }
    *version = CUDART_VERSION;
    return cudaSuccess;
}

STANDIN_API cudaError_t cudaGetLastError(void)
{
    standin::RuntimeCall call(__func__, deviceless | quiet);
    cudaError_t last = last_error();
    last_error() = cudaSuccess;
    return last;
}

STANDIN_API cudaError_t cudaPeekAtLastError(void)
{
    standin::RuntimeCall call(__func__, deviceless | quiet);
    return last_error();
}
