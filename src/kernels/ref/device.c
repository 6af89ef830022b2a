/* device.c: the backend's table, and the machine it runs on. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "free_memory.h"
#include "plan.h"
#include "rs/host.h"

static rs_status device_open(const rs_host_services *services, int device_index, int threads,
                             rs_device **device, rs_error *error)
{
    if (device_index != 0) {
        return RS_FAIL(error, RS_USAGE, "ref has one device, 0, not %d", device_index);
    }
    rs_device *made = services->allocate(sizeof *made);
    if (!made) {
        return RS_FAIL(error, RS_MEMORY, "no memory for a device");
    }
    *made = (rs_device){.services = services, .threads = threads > 0 ? threads : rs_usable_cores()};
    *device = made;
    return RS_OK;
}

static void device_close(rs_device *device)
{
    if (device) {
        device->services->release(device);
    }
}

static void device_info(const rs_device *device, rs_device_info *info)
{
    *info =
        (rs_device_info){.threads = device->threads,
                         .memory_bytes = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE),
                         .free_bytes = rs_free_memory(),
                         .capabilities = RS_CAN_F64};
    (void)snprintf(info->name, sizeof info->name, "reference loops in C");
    (void)snprintf(info->libraries, sizeof info->libraries, "no libraries");
}

const rs_backend *rs_ref_backend(void)
{
    static const rs_backend backend = {
        .abi = RS_BACKEND_ABI,
        .size = sizeof(rs_backend),
        .name = "ref",
        .open = device_open,
        .close = device_close,
        .info = device_info,
        .plan_create = ref_plan_create,
        .plan_destroy = ref_plan_destroy,
        .plan_bytes = ref_plan_bytes,
        .plan_print = ref_plan_print,
        .load_batch = ref_load_batch,
        .load_values = ref_load_values,
        .forward = ref_forward,
        .backward = ref_backward,
        .update = ref_update,
        .read_sensitivity = ref_read_sensitivity,
        .read_loss = ref_read_loss,
        .read_layers = ref_read_layers,
        .read = ref_read,
        .write = ref_write,
        .clear_gradient_sums = ref_clear_gradient_sums,
        .read_node = ref_read_node,
        .write_gradient = ref_write_gradient,
        .profile_start = ref_profile_start,
        .profile_rows = ref_profile_rows,
        .measure_peaks = ref_measure_peaks,
    };
    return &backend;
}
