/* registry.c: the backends of this build, and choosing one by name. The only place that knows them all. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "rs/backend.h"
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

static rs_status usable_cuda(int device_index, const rs_backend **backend, rs_error *error)
{
    RS_TRY(cuda_backend(backend, error));
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

rs_status rs_backend_select(const char *text, const rs_backend **backend, int *device_index, rs_error *error)
{
    *device_index = 0;
    if (names_cuda(text)) {
        return select_cuda(text, backend, device_index, error);
    }
    rs_error why_not = {0};
    bool automatic = strcmp(text, "auto") == 0;
    if (automatic && usable_cuda(0, backend, &why_not) == RS_OK) {
        return RS_OK;
    }
    const char *name = automatic ? "cpu" : text;
    for (int i = 0; i < BACKENDS; i++) {
        if (strcmp(rs_backend_at(i)->name, name) == 0) {
            *backend = rs_backend_at(i);
            RS_ASSERT((*backend)->abi == RS_BACKEND_ABI && (*backend)->size == sizeof(rs_backend));
            return RS_OK;
        }
    }
    static const char *const names[] = {"auto", "cpu", "cuda", "ref"};
    const char *nearest = rs_text_nearest(text, names, 4);
    return RS_FAIL(error, RS_USAGE, "device \"%s\": not one of auto, cpu, cuda, cuda:N, ref%s%s", text,
                   nearest ? "; nearest " : "", nearest ? nearest : "");
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
    char memory[32];
    backend->info(device, &info);
    rs_text_bytes(info.free_bytes, memory, sizeof memory);
    (void)fprintf(stream, "%-6s %s; %d thread%s; %s free; %s%s\n", name, info.name, info.threads,
                  info.threads == 1 ? "" : "s", memory, info.libraries,
                  strcmp(name, "ref") == 0 ? "; slow, for checking" : "");
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
