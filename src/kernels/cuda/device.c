/* device.c: whether a GPU can be used and why not, opening it, what it is. */
#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan.h"
#include "rs/host.h"
#include "rs/text.h"

/* The least GPU that CUDA 13 and our kernels know: Turing. */
enum { LEAST_MAJOR = 7, LEAST_MINOR = 5 };

/* --- why not ---------------------------------------------------------------------------------------------- */

static rs_status check_driver(rs_error *error)
{
    int driver = 0, runtime = 0;
    RS__CUDA(error, cudaRuntimeGetVersion(&runtime));
    RS__CUDA(error, cudaDriverGetVersion(&driver));
    if (driver == 0) {
        return RS_FAIL(error, RS_UNSUPPORTED,
                       "this machine has no NVIDIA driver (or one that is not running)");
    }
    if (driver / 1000 < runtime / 1000) {
        return RS_FAIL(
            error, RS_UNSUPPORTED,
            "the NVIDIA driver knows CUDA %d.%d, this module needs %d.0 or later: install a newer driver",
            driver / 1000, driver % 1000 / 10, runtime / 1000);
    }
    return RS_OK;
}

static rs_status check_count(int index, rs_error *error)
{
    int count = 0;
    const char *visible = getenv("CUDA_VISIBLE_DEVICES");
    cudaError_t status = cudaGetDeviceCount(&count);
    if (status == cudaErrorNoDevice || (status == cudaSuccess && count == 0)) {
        (void)cudaGetLastError();
        return RS_FAIL(error, RS_UNSUPPORTED, "the NVIDIA driver finds no GPU%s%s%s",
                       visible ? " (CUDA_VISIBLE_DEVICES is \"" : "", visible ? visible : "",
                       visible ? "\")" : "");
    }
    if (status != cudaSuccess) {
        (void)cudaGetLastError();
        return RS_FAIL(error, RS_UNSUPPORTED, "the NVIDIA driver does not answer: %s (%s)",
                       cudaGetErrorString(status), cudaGetErrorName(status));
    }
    if (index < 0 || index >= count) {
        return RS_FAIL(error, RS_UNSUPPORTED,
                       "there is no GPU %d: this machine shows %d, the first is number 0", index, count);
    }
    return RS_OK;
}

/* cuDNN loads its parts when they are first needed, by their names, and ends the program when one cannot be loaded. They
 * lie beside the library that is loaded, or where the loader finds them; here they stay loaded, so that it gets them
 * even where it would not look beside itself. */
static rs_status check_parts(rs_error *error)
{
    static const char *const parts[] = {"graph", "ops", "cnn", "heuristic", "engines_precompiled"};
    char soname[32], folder[3072] = "", name[96], path[4096];
    struct link_map *map = NULL;
    (void)snprintf(soname, sizeof soname, "libcudnn.so.%d", CUDNN_MAJOR);
    void *loaded = dlopen(soname, RTLD_LAZY | RTLD_NOLOAD);
    if (loaded && dlinfo(loaded, RTLD_DI_LINKMAP, &map) == 0) {
        const char *slash = strrchr(map->l_name, '/');
        (void)snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - map->l_name) : 0, map->l_name);
    }
    if (loaded) {
        (void)dlclose(loaded);
    }
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        (void)snprintf(name, sizeof name, "libcudnn_%s.so.%d", parts[i], CUDNN_MAJOR);
        (void)snprintf(path, sizeof path, "%s/%s", folder, name);
        if (!dlopen(path, RTLD_LAZY) && !dlopen(name, RTLD_LAZY)) {
            return RS_FAIL(error, RS_UNSUPPORTED,
                           "cuDNN is not whole: %s can be loaded neither beside %s/%s nor elsewhere", name,
                           folder, soname);
        }
    }
    return RS_OK;
}

static rs_status check_cudnn(rs_error *error)
{
    RS_TRY(check_parts(error));
    size_t version = cudnnGetVersion(), made_for = cudnnGetCudartVersion();
    int driver = 0;
    RS__CUDA(error, cudaDriverGetVersion(&driver));
    const size_t unit = version < 10000 ? 1000 : 10000; /* 8907 was 8.9.7, 91900 is 9.19.0 */
    if (version / unit != CUDNN_MAJOR) {
        return RS_FAIL(error, RS_UNSUPPORTED, "cuDNN %zu.%zu is installed, this module needs cuDNN %d",
                       version / unit, version % unit / 100, CUDNN_MAJOR);
    }
    if (made_for / 1000 > (size_t)driver / 1000) {
        return RS_FAIL(error, RS_UNSUPPORTED,
                       "the cuDNN that is installed is made for CUDA %zu, the NVIDIA driver knows CUDA %d.%d",
                       made_for / 1000, driver / 1000, driver % 1000 / 10);
    }
    return RS_OK;
}

static rs_status check_properties(int index, struct cudaDeviceProp *properties, rs_error *error)
{
    RS__CUDA(error, cudaGetDeviceProperties(properties, index));
    if (properties->major * 10 + properties->minor < LEAST_MAJOR * 10 + LEAST_MINOR) {
        return RS_FAIL(error, RS_UNSUPPORTED,
                       "GPU %d, %s, has compute capability %d.%d; at least %d.%d is needed", index,
                       properties->name, properties->major, properties->minor, LEAST_MAJOR, LEAST_MINOR);
    }
    return RS_OK;
}

static rs_status check_all(int index, struct cudaDeviceProp *properties, rs_error *error)
{
    RS_TRY(check_driver(error));
    RS_TRY(check_count(index, error));
    RS_TRY(check_properties(index, properties, error));
    return check_cudnn(error);
}

rs_status rs__cuda_usable(int device_index, rs_error *error)
{
    struct cudaDeviceProp properties = {0};
    int driver = 0;
    if (check_all(device_index, &properties, error) == RS_OK) {
        return RS_OK;
    }
    (void)cudaDriverGetVersion(&driver);
    return error->status = driver > 0 ? RS_DEVICE : RS_UNSUPPORTED;
}

/* --- opening ---------------------------------------------------------------------------------------------- */

rs_status rs__device_use(const rs_device *device, rs_error *error)
{
    cudaError_t status = cudaSetDevice(device->index);
    if (status != cudaSuccess) {
        (void)rs__cuda_failed(error, status, "cudaSetDevice", __FILE__, __LINE__);
        return rs_error_prefix(error, "taking GPU %d", device->index);
    }
    return RS_OK;
}

/* What NVIDIA advises: 32 MiB from Hopper on, 4 MiB before. */
static size_t blas_workspace_bytes(const rs_device *device)
{
    return (size_t)(device->properties.major >= 9 ? 32 : 4) << 20;
}

/* A kernel of ours on a few numbers: says early when this build has no code for the GPU. */
static rs_status try_kernel(rs_device *device, rs_error *error)
{
    float *values = device->blas_workspace;
    enum { VALUES = 64 };
    RS__CUDA(error, cudaMemsetAsync(values, 0, VALUES * sizeof *values, device->compute));
    cudaError_t status = rs_cu_pass(values, values + VALUES, RS_PASS_SET, VALUES, device->compute);
    if (status == cudaErrorNoKernelImageForDevice || status == cudaErrorUnsupportedPtxVersion) {
        (void)cudaGetLastError();
        return RS_FAIL(error, RS_UNSUPPORTED,
                       "this build has no code for GPU %d, %s (sm_%d%d): configure it with "
                       "-DRS_CUDA_ARCHITECTURES=%d%d",
                       device->index, device->properties.name, device->properties.major,
                       device->properties.minor, device->properties.major, device->properties.minor);
    }
    RS__CUDA_WAS(error, status, "rs_cu_pass, a first kernel");
    RS__CUDA(error, cudaStreamSynchronize(device->compute));
    return RS_OK;
}

/* What is set of the environment that changes what the libraries compute, without a word from them. */
static void name_overrides(char *text, size_t capacity)
{
    static const char *const names[] = {"NVIDIA_TF32_OVERRIDE", "CUBLAS_EMULATE_SINGLE_PRECISION",
                                        "CUBLAS_EMULATE_DOUBLE_PRECISION"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = getenv(names[i]);
        size_t length = strlen(text);
        if (value && *value) {
            (void)snprintf(text + length, capacity - length, ", %s=%.8s", names[i], value);
        }
    }
}

/* "CUDA 13.0, driver for CUDA 13.0, cuDNN 9.19.0, cuBLAS 13.1.0" */
static rs_status name_libraries(rs_device *device, rs_error *error)
{
    static const libraryPropertyType parts[] = {MAJOR_VERSION, MINOR_VERSION, PATCH_LEVEL};
    int runtime = 0, driver = 0, blas[3] = {0};
    size_t dnn = cudnnGetVersion();
    RS__CUDA(error, cudaRuntimeGetVersion(&runtime));
    RS__CUDA(error, cudaDriverGetVersion(&driver));
    for (int i = 0; i < 3; i++) {
        RS__CUBLAS(error, cublasGetProperty(parts[i], &blas[i]));
    }
    (void)snprintf(device->libraries, sizeof device->libraries,
                   "CUDA %d.%d, driver for CUDA %d.%d, cuDNN %zu.%zu.%zu, cuBLAS %d.%d.%d", runtime / 1000,
                   runtime % 1000 / 10, driver / 1000, driver % 1000 / 10, dnn / 10000, dnn % 10000 / 100,
                   dnn % 100, blas[0], blas[1], blas[2]);
    name_overrides(device->libraries, sizeof device->libraries);
    return RS_OK;
}

static rs_status start(rs_device *device, rs_error *error)
{
    RS_TRY(name_libraries(device, error));
    RS_TRY(rs__device_use(device, error));
    RS__CUDA(error, cudaStreamCreateWithFlags(&device->compute, cudaStreamNonBlocking));
    RS__CUDA(error, cudaStreamCreateWithFlags(&device->copy, cudaStreamNonBlocking));
    RS__CUDNN(error, cudnnCreate(&device->dnn));
    RS__CUDNN(error, cudnnSetStream(device->dnn, device->compute));
    RS__CUBLAS(error, cublasCreate(&device->blas));
    RS__CUBLAS(error, cublasSetStream(device->blas, device->compute));
    RS_TRY(rs__memory_take(device, blas_workspace_bytes(device), "the workspace of cuBLAS",
                           &device->blas_workspace, error));
    /* after the stream, which takes the workspace away */
    RS__CUBLAS(error, cublasSetWorkspace(device->blas, device->blas_workspace, blas_workspace_bytes(device)));
    return try_kernel(device, error);
}

bool rs__asked_for(const char *variable, bool otherwise)
{
    const char *value = getenv(variable);
    return value && *value ? strcmp(value, "0") != 0 : otherwise;
}

static rs_status check_variables(rs_error *error)
{
    static const char *const names[] = {"RS_CUDA_GRAPH", "RS_CUDA_SYNC"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = getenv(names[i]);
        if (value && *value && strcmp(value, "0") != 0 && strcmp(value, "1") != 0) {
            return RS_FAIL(error, RS_USAGE, "the environment has %s=%s: 0 or 1 is wanted", names[i], value);
        }
    }
    return RS_OK;
}

/* On a GPU whose memory others have taken the libraries say "not initialized" and the like. One that cannot be
 * chosen has none to ask for. */
static rs_status explain(const rs_device *device, rs_error *error)
{
    enum { LITTLE = 256 << 20 };
    size_t left = 0, total = 0;
    char text[sizeof error->text], bytes[32];
    if (cudaSetDevice(device->index) != cudaSuccess || cudaMemGetInfo(&left, &total) != cudaSuccess ||
        left >= LITTLE) {
        (void)cudaGetLastError();
        return error->status;
    }
    memcpy(text, error->text, sizeof text);
    rs_text_bytes(left, bytes, sizeof bytes);
    return RS_FAIL(error, RS_MEMORY, "%.800s (only %s of the GPU's memory are free)", text, bytes);
}

rs_status rs__cuda_open(const rs_host_services *services, int device_index, int threads, rs_device **device,
                        rs_error *error)
{
    (void)threads;
    RS_TRY(check_variables(error));
    rs_device *made = services->allocate(sizeof *made);
    if (!made) {
        return RS_FAIL(error, RS_MEMORY, "no memory for a device");
    }
    *made = (rs_device){
        .services = services, .index = device_index, .sync_each = rs__asked_for("RS_CUDA_SYNC", false)};
    rs_status status = check_all(device_index, &made->properties, error);
    if (status == RS_OK && start(made, error)) {
        status = explain(made, error);
    }
    if (status) {
        rs__cuda_close(made);
        return status;
    }
    *device = made;
    return RS_OK;
}

/* What fails here fails at the end of everything: nobody can do anything about it. */
void rs__cuda_close(rs_device *device)
{
    if (!device) {
        return;
    }
    if (device->compute) {
        (void)cudaStreamSynchronize(device->compute);
    }
    if (device->copy) {
        (void)cudaStreamSynchronize(device->copy);
    }
    if (device->blas) {
        (void)cublasDestroy(device->blas);
    }
    rs__memory_release(device->blas_workspace);
    if (device->dnn) {
        (void)cudnnDestroy(device->dnn);
    }
    if (device->copy) {
        (void)cudaStreamDestroy(device->copy);
    }
    if (device->compute) {
        (void)cudaStreamDestroy(device->compute);
    }
    device->services->release(device);
}

void rs__cuda_info(const rs_device *device, rs_device_info *info)
{
    const struct cudaDeviceProp *p = &device->properties;
    size_t left = 0, total = 0;
    *info = (rs_device_info){.threads = 0, .memory_bytes = p->totalGlobalMem};
    (void)snprintf(info->name, sizeof info->name, "%.80s, sm_%d%d", p->name, p->major, p->minor);
    memcpy(info->libraries, device->libraries, sizeof info->libraries);
    info->free_bytes = cudaMemGetInfo(&left, &total) == cudaSuccess ? left : 0;
    info->capabilities = RS_CAN_RUN_AHEAD | RS_CAN_HOLD_IMAGES | RS_CAN_SEARCH;
    if (p->major >= 8) {
        info->capabilities |= RS_CAN_TF32;
    }
}
