/* test_cpu_memory.c: any allocation may fail: a status, no crash, nothing left behind (the sanitizer's part);
 * a plan too large for the machine is refused with both numbers; a step allocates nothing of ours. */
#include "nets.h"

#include <stdlib.h>
#include <string.h>

static long left, made; /* allocations until one fails (negative: never), allocations so far */

static void *failing_allocate(void *context, size_t bytes)
{
    (void)context;
    made++;
    if (left >= 0 && left-- == 0) {
        return NULL;
    }
    return aligned_alloc(64, (bytes + 63) / 64 * 64 + 64);
}

static void plain_release(void *context, void *memory)
{
    (void)context;
    free(memory);
}

static const rs_allocator failing = {failing_allocate, plain_release, NULL};

static void every_allocation_may_fail(void **state)
{
    (void)state;
    rs_error error = {0};
    const rs_backend *backend = rs_cpu_backend();
    rs_network *network = odd_network(3, 16, 8);
    rs_plan_options options = small_options(2);
    rs_set_allocator(&failing);
    long failures = 0;
    for (long at = 0;; at++) {
        rs_device *device = NULL;
        rs_plan *plan = NULL;
        left = at;
        rs_status status = backend->open(rs_services(), 0, 1, &device, &error);
        if (status == RS_OK) {
            status = backend->plan_create(device, network, &options, &plan, &error);
        }
        left = -1;
        backend->plan_destroy(plan);
        backend->close(device);
        if (status == RS_OK) {
            break;
        }
        assert_int_equal(status, RS_MEMORY);
        failures++;
    }
    assert_true(failures > 20);
    rs_set_allocator(NULL);
    rs_network_destroy(network);
}

static void a_step_allocates_nothing(void **state)
{
    (void)state;
    rs_error error = {0};
    const rs_backend *backend = rs_cpu_backend();
    rs_network *network = odd_network(3, 16, 8);
    rs_plan_options options = small_options(2);
    rs_device *device = NULL;
    rs_plan *plan = NULL;
    rs_update_options update = {.optimizer = RS_OPTIMIZER_ADAM, .learning_rate = 1e-3, .epsilon = 1e-8};
    rs_measurement measurement = {0};
    must(backend->open(rs_services(), 0, 2, &device, &error));
    must(backend->plan_create(device, network, &options, &plan, &error));
    fill_parameters(backend, plan, network);
    load_something(backend, plan, network, 2, 1);
    left = -1;
    made = 0;
    rs_set_allocator(&failing);
    must(backend->forward(plan, RS_MODE_TRAIN, &error));
    must(backend->backward(plan, RS_LABELS_TRUE, &error));
    must(backend->update(plan, &update, &measurement, &error));
    rs_set_allocator(NULL);
    assert_int_equal(made, 0);
    backend->plan_destroy(plan);
    backend->close(device);
    rs_network_destroy(network);
}

static void too_large_is_refused(void **state)
{
    (void)state;
    rs_error error = {0};
    const rs_backend *backend = rs_cpu_backend();
    rs_network *network = pool_network(3, 32);
    rs_plan_options options = small_options((int64_t)1 << 32);
    rs_device *device = NULL;
    rs_plan *plan = NULL;
    must(backend->open(rs_services(), 0, 2, &device, &error));
    assert_int_equal(backend->plan_create(device, network, &options, &plan, &error), RS_MEMORY);
    assert_null(plan);
    assert_non_null(strstr(error.text, "needs"));
    assert_non_null(strstr(error.text, "are free"));
    backend->close(device);
    rs_network_destroy(network);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(a_step_allocates_nothing),
        cmocka_unit_test(too_large_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
