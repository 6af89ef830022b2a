/* backend.c: the cpu backend's table and its device: which kernels this machine gets, and how many threads. */
#include <cblas.h>
#include <omp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "free_memory.h"
#include "plan.h"
#include "rs/host.h"

/* Our kernels follow oneDNN's choice, so that both speak the same layout and its limit
 * (ONEDNN_MAX_CPU_ISA) holds for both. */
static const rs__kernels *choose_kernels(void)
{
    __builtin_cpu_init();
    if (rs__dnn_has_avx512() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")) {
        return &rs__kernels_avx512;
    }
    if (rs__dnn_has_avx2() && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        return &rs__kernels_avx2;
    }
    return &rs__kernels_baseline;
}

static void cpu_close(rs_device *device)
{
    if (!device) {
        return;
    }
    if (device->stream) {
        (void)dnnl_stream_destroy(device->stream);
    }
    if (device->engine) {
        (void)dnnl_engine_destroy(device->engine);
    }
    device->services->release(device);
}

static rs_status make_engine(rs_device *device, rs_error *error)
{
    RS__DNN(error, dnnl_engine_create(&device->engine, dnnl_cpu, 0));
    RS__DNN(error, dnnl_stream_create(&device->stream, device->engine, dnnl_stream_default_flags));
    return RS_OK;
}

static rs_status cpu_open(const rs_host_services *services, int device_index, int threads, rs_device **device,
                          rs_error *error)
{
    if (device_index != 0) {
        return RS_FAIL(error, RS_USAGE, "there is one cpu device, number 0; not %d", device_index);
    }
    rs_device *made = services->allocate(sizeof *made);
    if (!made) {
        return RS_FAIL(error, RS_MEMORY, "no memory for a device");
    }
    *made = (rs_device){.services = services,
                        .kernels = choose_kernels(),
                        .threads = threads > 0 ? threads : rs_usable_cores()};
    omp_set_num_threads(made->threads);
    openblas_set_num_threads(made->threads);
    rs_status status = make_engine(made, error);
    if (status != RS_OK) {
        cpu_close(made);
        return status;
    }
    *device = made;
    return RS_OK;
}

static void cpu_model(char *text, size_t capacity)
{
    FILE *file = fopen("/proc/cpuinfo", "r");
    char line[256];
    (void)snprintf(text, capacity, "x86-64 CPU");
    while (file && fgets(line, sizeof line, file)) {
        char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) == 0 && colon) {
            colon[strcspn(colon, "\n")] = 0;
            (void)snprintf(text, capacity, "%s", colon + 1 + (colon[1] == ' '));
            break;
        }
    }
    if (file) {
        (void)fclose(file);
    }
}

/* oneDNN's Winograd needs AVX-512; 3.2 and later have none on x86. */
bool rs__has_winograd(const rs_device *device)
{
    const dnnl_version_t *version = dnnl_version();
    return version->major * 100 + version->minor < 302 && device->kernels->lanes == 16;
}

static void cpu_info(const rs_device *device, rs_device_info *info)
{
    *info = (rs_device_info){.threads = device->threads, .free_bytes = rs_free_memory()};
    char model[96];
    cpu_model(model, sizeof model);
    (void)snprintf(info->name, sizeof info->name, "%s, %s", model, device->kernels->name);
    const dnnl_version_t *version = dnnl_version();
    const char *blas = openblas_get_config(); /* "OpenBLAS 0.3.21 NO_AFFINITY ..." */
    int length = (int)strcspn(blas, " ");
    length += blas[length] ? 1 + (int)strcspn(blas + length + 1, " ") : 0;
    (void)snprintf(info->libraries, sizeof info->libraries, "oneDNN %d.%d.%d, %.*s", version->major,
                   version->minor, version->patch, length, blas);
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    info->memory_bytes = pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size : 0;
    info->capabilities = rs__has_winograd(device) ? RS_CAN_WINOGRAD : 0;
}

static const rs_backend cpu_backend = {
    .abi = RS_BACKEND_ABI,
    .size = sizeof(rs_backend),
    .name = "cpu",
    .open = cpu_open,
    .close = cpu_close,
    .info = cpu_info,
    .plan_create = rs__cpu_plan_create,
    .plan_destroy = rs__cpu_plan_destroy,
    .plan_bytes = rs__cpu_plan_bytes,
    .plan_print = rs__cpu_plan_print,
    .load_batch = rs__cpu_load_batch,
    .load_values = rs__cpu_load_values,
    .forward = rs__cpu_forward,
    .backward = rs__cpu_backward,
    .update = rs__cpu_update,
    .read_sensitivity = rs__cpu_read_sensitivity,
    .read_loss = rs__cpu_read_loss,
    .read_layers = rs__cpu_read_layers,
    .read = rs__cpu_read,
    .write = rs__cpu_write,
    .clear_gradient_sums = rs__cpu_clear_gradient_sums,
    .read_node = rs__cpu_read_node,
    .write_gradient = rs__cpu_write_gradient,
    .profile_start = rs__cpu_profile_start,
    .profile_rows = rs__cpu_profile_rows,
    .measure_peaks = rs__cpu_measure_peaks,
};

const rs_backend *rs_cpu_backend(void)
{
    return &cpu_backend;
}
