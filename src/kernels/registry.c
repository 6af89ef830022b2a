/* registry.c: the backends of this build, and choosing one by name. The only place that knows them all. */
#include <stdio.h>
#include <string.h>

#include "rs/backend.h"
#include "rs/text.h"

typedef const rs_backend *(*backend_table)(void);

/* In the order of preference. ref is never chosen by "auto". */
static const backend_table tables[] = {rs_cpu_backend, rs_ref_backend};
enum { BACKENDS = sizeof tables / sizeof tables[0] };

static const char no_cuda[] = "this build has no CUDA module";

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

rs_status rs_backend_select(const char *text, const rs_backend **backend, int *device_index, rs_error *error)
{
    *device_index = 0;
    if (names_cuda(text)) {
        return RS_FAIL(error, RS_UNSUPPORTED,
                       "device %s cannot be used: %s; use --device cpu, or see resnet_study devices", text,
                       no_cuda);
    }
    const char *name = strcmp(text, "auto") == 0 ? "cpu" : text;
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

static void print_backend(const rs_backend *backend, FILE *stream)
{
    rs_error error = {0};
    rs_device *device = NULL;
    if (backend->open(rs_services(), 0, 0, &device, &error)) {
        (void)fprintf(stream, "%-5s not usable: %s\n", backend->name, error.text);
        return;
    }
    rs_device_info info = {0};
    char memory[32];
    backend->info(device, &info);
    rs_text_bytes(info.free_bytes, memory, sizeof memory);
    (void)fprintf(stream, "%-5s %s; %d thread%s; %s free; %s%s\n", backend->name, info.name, info.threads,
                  info.threads == 1 ? "" : "s", memory, info.libraries,
                  strcmp(backend->name, "ref") == 0 ? "; slow, for checking" : "");
    backend->close(device);
}

int rs_backend_print_devices(FILE *stream)
{
    for (int i = 0; i < BACKENDS; i++) {
        print_backend(rs_backend_at(i), stream);
    }
    (void)fprintf(stream, "%-5s not usable: %s\n", "cuda", no_cuda);
    return 0;
}
