/* registry.c: the backends of this build, and choosing one by name. The only place that knows them all. */
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "rs/backend.h"
#include "rs/host.h"
#include "rs/text.h"

typedef const rs_backend *(*backend_table)(void);

/* In the order of preference. ref is never chosen by "auto". */
static const backend_table tables[] = {rs_cpu_backend, rs_ref_backend};
enum { BACKENDS = sizeof tables / sizeof tables[0] };

int rs_backend_count(void)
{
    return BACKENDS;
}

const rs_backend *rs_backend_at(int index)
{
    return tables[index]();
}

/* "cuda" or "cuda:N". */
static bool names_cuda(const char *text)
{
    int64_t index;
    return strcmp(text, "cuda") == 0 ||
           (strncmp(text, "cuda:", 5) == 0 && rs_text_int(text + 5, &index) && index >= 0);
}

/* The CUDA module's table, loaded once. A failure is not remembered: the next try gives the same line. */
static rs_status cuda_backend(const rs_backend **backend, rs_error *error)
{
    static const rs_backend *loaded;
    if (!loaded) {
        RS_TRY(rs_module_load("cuda", &loaded, error));
    }
    *backend = loaded;
    return RS_OK;
}

static bool has_nvidia_driver(void)
{
    void *driver = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL);
    if (driver) {
        (void)dlclose(driver);
    }
    return driver != NULL;
}

/* As a backend's own `usable`: DEVICE where there is a driver. */
static rs_status usable_cuda(int device_index, const rs_backend **backend, rs_error *error)
{
    if (cuda_backend(backend, error)) {
        return error->status = has_nvidia_driver() ? RS_DEVICE : RS_UNSUPPORTED;
    }
    return (*backend)->usable ? (*backend)->usable(device_index, error) : RS_OK;
}

/* "cuda:3" -> 3. */
static int cuda_index(const char *text)
{
    int64_t index = 0;
    if (text[4] == ':') {
        (void)rs_text_int(text + 5, &index);
    }
    return index < INT_MAX ? (int)index : INT_MAX;
}

static rs_status select_cuda(const char *text, const rs_backend **backend, int *device_index, rs_error *error)
{
    rs_error why = {0};
    *device_index = cuda_index(text);
    if (usable_cuda(*device_index, backend, &why)) {
        return RS_FAIL(error, RS_UNSUPPORTED,
                       "device %s cannot be used: %s; use --device cpu, or see resnet_study devices", text,
                       why.text);
    }
    return RS_OK;
}

bool rs_backend_has_gpu(rs_error *why_not)
{
    const rs_backend *backend;
    return usable_cuda(0, &backend, why_not) == RS_OK;
}

/* Where there is no driver nobody expects a GPU: then no word. */
static rs_status select_best(const rs_backend **backend, int *device_index, rs_error *error)
{
    rs_error why_not = {0};
    if (usable_cuda(0, backend, &why_not) == RS_OK) {
        return RS_OK;
    }
    if (why_not.status == RS_DEVICE) {
        rs_log(RS_LOG_WARNING, "--device auto takes the CPU, although there is an NVIDIA driver: %s",
               why_not.text);
    }
    return rs_backend_select("cpu", backend, device_index, error);
}

static rs_status fail_unknown(const char *text, rs_error *error)
{
    const char *nearest = rs_text_nearest_device(text);
    return RS_FAIL(error, RS_USAGE, "device \"%s\": not one of auto, cpu, cuda, cuda:N, ref%s%s", text,
                   nearest ? "; nearest " : "", nearest ? nearest : "");
}

rs_status rs_backend_select(const char *text, const rs_backend **backend, int *device_index, rs_error *error)
{
    *device_index = 0;
    if (names_cuda(text)) {
        return select_cuda(text, backend, device_index, error);
    }
    if (strcmp(text, "auto") == 0) {
        return select_best(backend, device_index, error);
    }
    for (int i = 0; i < BACKENDS; i++) {
        if (strcmp(rs_backend_at(i)->name, text) == 0) {
            *backend = rs_backend_at(i);
            RS_ASSERT((*backend)->abi == RS_BACKEND_ABI && (*backend)->size == sizeof(rs_backend));
            return RS_OK;
        }
    }
    return fail_unknown(text, error);
}

static void print_backend(const rs_backend *backend, const char *name, int index, FILE *stream)
{
    rs_error error = {0};
    rs_device *device = NULL;
    if (backend->open(rs_services(), index, 0, &device, &error)) {
        (void)fprintf(stream, "%-6s not usable: %s\n", name, error.text);
        return;
    }
    rs_device_info info = {0};
    char memory[32], threads[32];
    backend->info(device, &info);
    rs_text_threads(info.threads, threads, sizeof threads);
    rs_text_bytes(info.free_bytes, memory, sizeof memory);
    (void)fprintf(stream, "%-6s %s%s%s; %s free; %s%s\n", name, info.name, *threads ? "; " : "", threads,
                  memory, info.libraries, strcmp(name, "ref") == 0 ? "; slow, for checking" : "");
    backend->close(device);
}

/* "cuda", then "cuda:1", "cuda:2" .. up to the first that is not usable. */
static void print_cuda(const rs_backend *cuda, FILE *stream)
{
    char name[16] = "cuda";
    rs_error none = {0};
    print_backend(cuda, name, 0, stream);
    for (int i = 1; cuda->usable && cuda->usable(i, &none) == RS_OK; i++) {
        (void)snprintf(name, sizeof name, "cuda:%d", i);
        print_backend(cuda, name, i, stream);
    }
}

int rs_backend_print_devices(FILE *stream)
{
    rs_error why = {0};
    const rs_backend *cuda;
    for (int i = 0; i < BACKENDS; i++) {
        print_backend(rs_backend_at(i), rs_backend_at(i)->name, 0, stream);
    }
    if (cuda_backend(&cuda, &why)) {
        (void)fprintf(stream, "%-6s not usable: %s\n", "cuda", why.text);
    } else {
        print_cuda(cuda, stream);
    }
    return 0;
}
