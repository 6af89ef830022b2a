/* test_cpu_refusal.c: what does not fit into the memory that is free is refused with both numbers, and a
 * refusal says whether --memory lean would help. How much is free, the tests say. */
#include "nets.h"

#include <stdio.h>
#include <string.h>

#include "free_memory.h"

static uint64_t free_bytes;

static uint64_t pretended(void)
{
    return free_bytes;
}

static void pretend(uint64_t bytes)
{
    free_bytes = bytes;
    rs_set_free_memory(pretended);
}

static int be_honest(void **state)
{
    (void)state;
    rs_set_free_memory(NULL);
    return 0;
}

/* Batch norms with their ReLUs in a row: much that can be computed again. */
static rs_network *norms(void)
{
    rs_error error = {0};
    rs_network *n = NULL;
    char name[16];
    int a = 0;
    must(rs_network_create("norms", 3, 32, 32, 10, &n, &error));
    for (int i = 0; i < 12; i++) {
        (void)snprintf(name, sizeof name, "bn%d", i);
        a = add_norm(n, name, a);
        (void)snprintf(name, sizeof name, "relu%d", i);
        a = add_node(n, name, RS_OP_RELU, a, 0, 0, (window){0});
    }
    (void)add_node(n, "global", RS_OP_GLOBAL_AVERAGE_POOL, a, 0, 0, (window){0});
    must(rs_network_finish(n, &error));
    return n;
}

enum { BATCH = 16 };

static size_t all_bytes(rs_memory_choice memory)
{
    rs_plan_options options = small_options(BATCH);
    rs_plan_bytes b;
    options.memory = memory;
    fixture f = open_plan(norms(), &options);
    f.backend->plan_bytes(f.plan, &b);
    close_plan(&f);
    return b.parameters + b.gradients + b.optimizer + b.activations + b.scratch;
}

/* With that much free the plan is refused; the text has the advice, and not what is unwanted. */
static void expect_refusal(rs_memory_choice memory, size_t left, const char *advice, const char *unwanted)
{
    rs_error error = {0};
    const rs_backend *backend = rs_cpu_backend();
    rs_network *network = norms();
    rs_plan_options options = small_options(BATCH);
    rs_device *device = NULL;
    rs_plan *plan = NULL;
    options.memory = memory;
    pretend(left);
    must(backend->open(rs_services(), 0, 2, &device, &error));
    assert_int_equal(backend->plan_create(device, network, &options, &plan, &error), RS_MEMORY);
    assert_null(plan);
    assert_non_null(strstr(error.text, "are free"));
    assert_non_null(strstr(error.text, advice));
    assert_null(strstr(error.text, unwanted));
    backend->close(device);
    rs_network_destroy(network);
}

static void a_refusal_says_what_lean_would_do(void **state)
{
    (void)state;
    const size_t fast = all_bytes(RS_MEMORY_FAST), lean = all_bytes(RS_MEMORY_LEAN);
    assert_true((double)lean < 0.9 * (double)fast);
    expect_refusal(RS_MEMORY_FAST, fast - 1, "use --memory lean, which needs", "helps");
    expect_refusal(RS_MEMORY_FAST, lean, "use --memory lean, which needs", "helps");
    expect_refusal(RS_MEMORY_FAST, lean - 1, "use a smaller --batch-size; --memory lean", "which needs");
    expect_refusal(RS_MEMORY_LEAN, lean - 1, "use a smaller --batch-size", "lean");
}

static void what_just_fits_is_taken(void **state)
{
    (void)state;
    const rs_memory_choice choices[] = {RS_MEMORY_FAST, RS_MEMORY_LEAN};
    for (int i = 0; i < 2; i++) {
        rs_set_free_memory(NULL);
        pretend(all_bytes(choices[i]));
        assert_int_equal(all_bytes(choices[i]), free_bytes);
    }
}

/* In a container that the plan nearly fills the process would be killed after its whole run. */
static void peaks_are_not_measured_without_room(void **state)
{
    (void)state;
    rs_error error = {0};
    rs_device *device = NULL;
    rs_peaks peaks = {1.0, 1.0};
    must(rs_cpu_backend()->open(rs_services(), 0, 2, &device, &error));
    pretend(((uint64_t)256 << 20) - 1);
    assert_int_equal(rs_cpu_backend()->measure_peaks(device, &peaks, &error), RS_MEMORY);
    assert_non_null(strstr(error.text, "256 MiB"));
    rs_cpu_backend()->close(device);
}

/* A vector of 2^31 numbers: more than the library's products can count. */
static void a_linear_layer_of_too_much_is_refused(void **state)
{
    (void)state;
    rs_error error = {0};
    const rs_backend *backend = rs_cpu_backend();
    const rs_plan_options options = small_options(1);
    rs_device *device = NULL;
    rs_plan *plan = NULL;
    rs_network *n = NULL;
    int a = 0;
    must(rs_network_create("huge", 1, 1, 1, 10, &n, &error));
    for (int axis = 1; axis < 3; axis++) {
        const rs_node_spec repeat = {.name = axis == 1 ? "rows" : "columns",
                                     .kind = RS_OP_REPEAT,
                                     .input = {a},
                                     .attributes = {.axis = axis, .times = axis == 1 ? 1 << 16 : 1 << 15},
                                     .block = -1};
        must(rs_network_add(n, &repeat, &a, &error));
    }
    (void)add_node(n, "wide", RS_OP_LINEAR, a, 0, 1, (window){0});
    must(rs_network_finish(n, &error));
    must(backend->open(rs_services(), 0, 2, &device, &error));
    assert_int_equal(backend->plan_create(device, n, &options, &plan, &error), RS_UNSUPPORTED);
    assert_null(plan);
    assert_non_null(strstr(error.text, "wide: an input of 1 x 65536 x 32768"));
    backend->close(device);
    rs_network_destroy(n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_refusal_says_what_lean_would_do, be_honest),
        cmocka_unit_test_teardown(what_just_fits_is_taken, be_honest),
        cmocka_unit_test(a_linear_layer_of_too_much_is_refused),
        cmocka_unit_test_teardown(peaks_are_not_measured_without_room, be_honest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
