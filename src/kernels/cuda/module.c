/* module.c: the module's table, and its way to the program's services.
 *
 * The module has its own copy of the core library; its allocator and its log are those of the program, so that what
 * the program counts, limits or silences holds here too. */
#include "plan.h"
#include "rs/host.h"

static const rs_host_services *program;

static void *allocate(void *context, size_t bytes)
{
    (void)context;
    return program->allocate(bytes);
}

static void release(void *context, void *memory)
{
    (void)context;
    program->release(memory);
}

static void log_to_program(void *context, rs_log_level level, const char *text)
{
    (void)context;
    program->log(level, "%s", text);
}

static const rs_backend cuda_backend = {
    .abi = RS_BACKEND_ABI,
    .size = sizeof(rs_backend),
    .name = "cuda",
    .usable = rs__cuda_usable,
    .open = rs__cuda_open,
    .close = rs__cuda_close,
    .info = rs__cuda_info,
    .plan_create = rs__cuda_plan_create,
    .plan_destroy = rs__cuda_plan_destroy,
    .plan_bytes = rs__cuda_plan_bytes,
    .plan_print = rs__cuda_plan_print,
    .plan_choices = rs__cuda_plan_choices,
    .load_batch = rs__cuda_load_batch,
    .load_values = rs__cuda_load_values,
    .forward = rs__cuda_forward,
    .backward = rs__cuda_backward,
    .read_sensitivity = rs__cuda_read_sensitivity,
    .update = rs__cuda_update,
    .read_loss = rs__cuda_read_loss,
    .read_layers = rs__cuda_read_layers,
    .read = rs__cuda_read,
    .write = rs__cuda_write,
    .clear_gradient_sums = rs__cuda_clear_gradient_sums,
    .read_node = rs__cuda_read_node,
    .write_gradient = rs__cuda_write_gradient,
    .profile_start = rs__cuda_profile_start,
    .profile_rows = rs__cuda_profile_rows,
    .measure_peaks = rs__cuda_measure_peaks,
    .update_later = rs__cuda_update_later,
    .next_result = rs__cuda_next_result,
    .copy_begin = rs__cuda_copy_begin,
    .copy_wait = rs__cuda_copy_wait,
    .pinned_allocate = rs__cuda_pinned_allocate,
    .pinned_release = rs__cuda_pinned_release,
    .hold_split = rs__cuda_hold_split,
};

/* RS_MODULE_ENTRY. */
__attribute__((visibility("default"))) const rs_backend *rs_backend_module(const rs_host_services *services,
                                                                           rs_error *error);

const rs_backend *rs_backend_module(const rs_host_services *services, rs_error *error)
{
    static const rs_allocator allocator = {allocate, release, NULL};
    if (services->size < sizeof *services) {
        (void)RS_FAIL(error, RS_UNSUPPORTED,
                      "the program's services are of another version (%zu bytes, not %zu)", services->size,
                      sizeof *services);
        return NULL;
    }
    program = services;
    rs_set_allocator(&allocator);
    rs_log_set_sink(log_to_program, NULL);
    rs_log_set_level(RS_LOG_DEBUG); /* the program drops what it does not want */
    return &cuda_backend;
}
