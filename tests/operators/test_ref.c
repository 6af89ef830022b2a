/* test_ref.c: the reference backend's promises beyond numbers: threads change no bit, what a plan keeps and
 * times, errors, lack of memory. */
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "rs/host.h"

enum { BATCH = 5, CLASSES = 10, PIXELS = 3 * 8 * 8 };

static const rs_backend *ref(void)
{
    return rs_ref_backend();
}

static rs_network *resnet(void)
{
    rs_error error = {0};
    rs_network *network;
    rs_resnet_options options = {.depth = 18, .channels = 3, .height = 8, .width = 8, .classes = CLASSES};
    harness_ok(rs_resnet_build(&options, &network, &error), &error);
    return network;
}

static rs_plan_options training_options(void)
{
    rs_error error = {0};
    rs_plan_options options = {.batch_size_count = 2,
                               .batch_sizes = {BATCH, 2},
                               .training = true,
                               .optimizer = RS_OPTIMIZER_ADAM,
                               .keep_initial = true,
                               .sum_gradients = true,
                               .mean = {0.5F, 0.5F, 0.5F},
                               .std = {0.25F, 0.25F, 0.25F}};
    harness_ok(rs_metric_list_parse("minkowski:1,cosine", &options.metrics, &error), &error);
    return options;
}

static rs_device *open_ref(int threads)
{
    rs_error error = {0};
    rs_device *device;
    harness_ok(ref()->open(rs_services(), 0, threads, &device, &error), &error);
    return device;
}

static void initialize(const rs_network *network, rs_plan *plan)
{
    rs_error error = {0};
    for (int i = 0; i < network->parameter_count; i++) {
        float *values = rs_alloc_array((size_t)network->parameters[i].count, sizeof *values);
        rs_parameter_initialize(&network->parameters[i], 7, values);
        harness_ok(ref()->write(plan, RS_SLOT_VALUE, i, values, &error), &error);
        harness_ok(ref()->write(plan, RS_SLOT_INITIAL, i, values, &error), &error);
        rs_free(values);
    }
    for (int i = 0; i < network->buffer_count; i++) {
        float *values = rs_alloc_array((size_t)network->buffers[i].count, sizeof *values);
        rs_parameter_initialize(&network->buffers[i], 7, values);
        harness_ok(ref()->write(plan, RS_SLOT_RUNNING, i, values, &error), &error);
        rs_free(values);
    }
}

/* Made-up images and labels. */
static void load_images(rs_plan *plan, int64_t count)
{
    static uint8_t images[BATCH * PIXELS];
    int32_t labels[BATCH];
    rs_error error = {0};
    for (int i = 0; i < BATCH * PIXELS; i++) {
        images[i] = (uint8_t)(i * 37 % 251);
    }
    rs_fill_labels(3, CLASSES, labels, BATCH);
    rs_batch batch = {.count = count, .images = images, .labels = labels};
    harness_ok(ref()->load_batch(plan, &batch, &error), &error);
}

/* Everything that two steps leave behind. */
typedef struct trace {
    double losses[2], norms[2];
    float *weights; /* all parameters, one after the other */
} trace;

static trace train_two_steps(const rs_network *network, int threads)
{
    rs_error error = {0};
    rs_device *device = open_ref(threads);
    rs_plan_options options = training_options();
    rs_plan *plan;
    trace t = {.weights = rs_alloc_array((size_t)network->weight_count, sizeof(float))};
    harness_ok(ref()->plan_create(device, network, &options, &plan, &error), &error);
    initialize(network, plan);
    for (int i = 0; i < 2; i++) {
        rs_update_options update = {.optimizer = RS_OPTIMIZER_ADAM,
                                    .learning_rate = 1e-3,
                                    .beta1 = 0.9,
                                    .beta2 = 0.999,
                                    .epsilon = 1e-8};
        rs_measurement measurement = {0};
        rs_loss loss;
        load_images(plan, i ? 2 : BATCH);
        harness_ok(ref()->forward(plan, RS_MODE_TRAIN, &error), &error);
        harness_ok(ref()->backward(plan, RS_LABELS_TRUE, &error), &error);
        harness_ok(ref()->update(plan, &update, &measurement, &error), &error);
        harness_ok(ref()->read_loss(plan, &loss, &error), &error);
        t.losses[i] = loss.loss;
        t.norms[i] = measurement.gradient_norm;
    }
    int64_t at = 0;
    for (int i = 0; i < network->parameter_count; i++) {
        harness_ok(ref()->read(plan, RS_SLOT_VALUE, i, t.weights + at, &error), &error);
        at += network->parameters[i].count;
    }
    ref()->plan_destroy(plan);
    ref()->close(device);
    return t;
}

static void threads_change_no_bit(void **state)
{
    (void)state;
    rs_network *network = resnet();
    trace one = train_two_steps(network, 1);
    for (int threads = 2; threads <= 3; threads++) {
        trace more = train_two_steps(network, threads);
        assert_memory_equal(one.losses, more.losses, sizeof one.losses);
        assert_memory_equal(one.norms, more.norms, sizeof one.norms);
        assert_memory_equal(one.weights, more.weights, (size_t)network->weight_count * sizeof(float));
        rs_free(more.weights);
    }
    rs_free(one.weights);
    rs_network_destroy(network);
}

/* A plan of the ResNet with those options, its device and network. */
typedef struct fixture {
    rs_network *network;
    rs_device *device;
    rs_plan *plan;
} fixture;

static fixture make(const rs_plan_options *options)
{
    rs_error error = {0};
    fixture f = {.network = resnet(), .device = open_ref(1)};
    harness_ok(ref()->plan_create(f.device, f.network, options, &f.plan, &error), &error);
    initialize(f.network, f.plan);
    return f;
}

static void release(fixture *f)
{
    ref()->plan_destroy(f->plan);
    ref()->close(f->device);
    rs_network_destroy(f->network);
}

static void calls_out_of_order_are_errors(void **state)
{
    (void)state;
    rs_error error = {0};
    rs_plan_options options = training_options();
    fixture f = make(&options);
    rs_loss loss;
    harness_fails(ref()->forward(f.plan, RS_MODE_TRAIN, &error), RS_USAGE, &error, "before a batch");
    load_images(f.plan, BATCH);
    harness_fails(ref()->backward(f.plan, RS_LABELS_TRUE, &error), RS_USAGE, &error, "before forward");
    harness_fails(ref()->read_loss(f.plan, &loss, &error), RS_USAGE, &error, "after forward");
    release(&f);
}

static void batches_that_do_not_fit_are_errors(void **state)
{
    (void)state;
    rs_error error = {0};
    rs_plan_options options = training_options();
    fixture f = make(&options);
    static float values[BATCH * PIXELS];
    const int32_t bad[BATCH] = {0, 1, CLASSES, 0, 0};
    harness_fails(ref()->load_values(f.plan, values, NULL, NULL, 3, &error), RS_USAGE, &error, "3 samples");
    harness_fails(ref()->load_values(f.plan, values, bad, NULL, BATCH, &error), RS_DATA, &error,
                  "label 10 of sample 2");
    harness_ok(ref()->load_values(f.plan, values, NULL, NULL, BATCH, &error), &error);
    harness_fails(ref()->forward(f.plan, RS_MODE_TRAIN, &error), RS_USAGE, &error, "needs labels");
    release(&f);
}

static void slots_that_are_not_kept_are_unsupported(void **state)
{
    (void)state;
    rs_error error = {0};
    rs_plan_options options = {.batch_size_count = 1, .batch_sizes = {BATCH}}; /* forward only */
    fixture f = make(&(rs_plan_options){.batch_size_count = 1,
                                        .batch_sizes = {BATCH},
                                        .optimizer = RS_OPTIMIZER_ADAM,
                                        .sum_gradients = true,
                                        .keep_initial = true});
    const rs_slot missing[] = {RS_SLOT_GRADIENT, RS_SLOT_MOMENT1, RS_SLOT_MOMENT2, RS_SLOT_GRADIENT_SUM};
    static double values[1 << 20];
    for (size_t i = 0; i < sizeof missing / sizeof missing[0]; i++) {
        harness_fails(ref()->read(f.plan, missing[i], 0, values, &error), RS_UNSUPPORTED, &error, "keeps no");
        harness_fails(ref()->write(f.plan, missing[i], 0, values, &error), RS_UNSUPPORTED, &error,
                      "keeps no");
    }
    harness_fails(ref()->clear_gradient_sums(f.plan, &error), RS_UNSUPPORTED, &error, "gradient sums");
    harness_fails(ref()->backward(f.plan, RS_LABELS_TRUE, &error), RS_UNSUPPORTED, &error,
                  "without training");
    harness_fails(ref()->write_gradient(f.plan, values, &error), RS_UNSUPPORTED, &error,
                  "last node is no loss");
    release(&f);
    options.convolution = RS_CONVOLUTION_WINOGRAD;
    rs_network *network = resnet();
    rs_device *device = open_ref(1);
    rs_plan *plan;
    harness_fails(ref()->plan_create(device, network, &options, &plan, &error), RS_UNSUPPORTED, &error,
                  "Winograd");
    ref()->close(device);
    rs_network_destroy(network);
}

static void gradient_sums_add_up_and_clear(void **state)
{
    (void)state;
    rs_error error = {0};
    rs_plan_options options = training_options();
    fixture f = make(&options);
    int64_t count = f.network->parameters[0].count;
    double *sum = rs_alloc_array((size_t)count, sizeof *sum),
           *total = rs_alloc_array((size_t)count, sizeof *total);
    float *gradient = rs_alloc_array((size_t)count, sizeof *gradient);
    rs_update_options update = {.optimizer = RS_OPTIMIZER_ADAM, .learning_rate = 1e-3, .epsilon = 1e-8};
    rs_measurement measurement = {0};
    for (int i = 0; i < 3; i++) {
        load_images(f.plan, BATCH);
        harness_ok(ref()->forward(f.plan, RS_MODE_TRAIN, &error), &error);
        harness_ok(ref()->backward(f.plan, RS_LABELS_TRUE, &error), &error);
        harness_ok(ref()->read(f.plan, RS_SLOT_GRADIENT, 0, gradient, &error), &error);
        harness_ok(ref()->update(f.plan, &update, &measurement, &error), &error);
        for (int64_t k = 0; k < count; k++) {
            total[k] += (double)gradient[k];
        }
    }
    harness_ok(ref()->read(f.plan, RS_SLOT_GRADIENT_SUM, 0, sum, &error), &error);
    harness_close("sums", sum, total, count, 0.0);
    harness_ok(ref()->clear_gradient_sums(f.plan, &error), &error);
    harness_ok(ref()->read(f.plan, RS_SLOT_GRADIENT_SUM, 0, sum, &error), &error);
    memset(total, 0, (size_t)count * sizeof *total);
    harness_close("cleared sums", sum, total, count, 0.0);
    rs_free(sum);
    rs_free(total);
    rs_free(gradient);
    release(&f);
}

static void evaluating_leaves_running_statistics_alone(void **state)
{
    (void)state;
    rs_error error = {0};
    rs_plan_options options = training_options();
    fixture f = make(&options);
    float before[1024], after[1024];
    for (int mode = 0; mode < 2; mode++) {
        load_images(f.plan, BATCH);
        harness_ok(ref()->read(f.plan, RS_SLOT_RUNNING, 0, before, &error), &error);
        harness_ok(ref()->forward(f.plan, mode ? RS_MODE_TRAIN : RS_MODE_EVALUATE, &error), &error);
        harness_ok(ref()->read(f.plan, RS_SLOT_RUNNING, 0, after, &error), &error);
        size_t bytes = (size_t)f.network->buffers[0].count * sizeof(float);
        assert_int_equal(memcmp(before, after, bytes) != 0, mode == 1);
    }
    release(&f);
}

/* The calls of an operation's rows with that pass, all together. */
static int64_t calls_of(const fixture *f, const char *operation, const char *pass)
{
    const rs_profile_row *rows = NULL;
    int64_t calls = 0;
    int count = ref()->profile_rows(f->plan, &rows);
    for (int i = 0; i < count; i++) {
        bool same = strcmp(rows[i].operation, operation) == 0 && strcmp(rows[i].pass, pass) == 0;
        calls += same ? rows[i].calls : 0;
    }
    return calls;
}

static void a_profile_leaves_evaluation_out(void **state)
{
    (void)state;
    rs_error error = {0};
    rs_plan_options options = training_options();
    fixture f = make(&options);
    harness_ok(ref()->profile_start(f.plan, &error), &error);
    load_images(f.plan, BATCH);
    harness_ok(ref()->forward(f.plan, RS_MODE_EVALUATE, &error), &error);
    assert_int_equal(calls_of(&f, "batch", ""), 0);
    assert_int_equal(calls_of(&f, "linear", "forward"), 0);
    load_images(f.plan, BATCH);
    harness_ok(ref()->forward(f.plan, RS_MODE_TRAIN, &error), &error);
    load_images(f.plan, 2);
    harness_ok(ref()->forward(f.plan, RS_MODE_EVALUATE, &error), &error);
    assert_int_equal(calls_of(&f, "batch", ""), 1);
    assert_int_equal(calls_of(&f, "linear", "forward"), 1);
    release(&f);
}

/* --- lack of memory ------------------------------------------------------------------------------------------ */

static int allocations_left;

static void *limited_allocate(void *context, size_t bytes)
{
    (void)context;
    return allocations_left-- > 0 ? aligned_alloc(64, (bytes + 63) / 64 * 64 + 64) : NULL;
}

static void limited_release(void *context, void *memory)
{
    (void)context;
    free(memory);
}

static void every_failing_allocation_is_an_error(void **state)
{
    (void)state;
    rs_error error = {0};
    rs_network *network = resnet();
    rs_device *device = open_ref(1);
    rs_plan_options options = training_options();
    const rs_allocator limited = {limited_allocate, limited_release, NULL};
    rs_plan *plan = NULL;
    rs_status status = RS_MEMORY;
    int tried = 0;
    for (; status == RS_MEMORY && tried < 100; tried++) {
        allocations_left = tried;
        rs_set_allocator(&limited);
        status = ref()->plan_create(device, network, &options, &plan, &error);
        if (!status) {
            ref()->plan_destroy(plan);
        }
        rs_set_allocator(NULL);
    }
    assert_int_equal(status, RS_OK);
    assert_in_range(tried, 10, 30);
    ref()->close(device);
    rs_network_destroy(network);
}

static void a_plan_larger_than_the_memory_is_refused(void **state)
{
    (void)state;
    rs_error error = {0};
    rs_network *network = resnet();
    rs_device *device = open_ref(1);
    rs_plan_options options = training_options();
    rs_plan *plan;
    options.batch_size_count = 1;
    options.batch_sizes[0] = INT64_C(1) << 30;
    harness_fails(ref()->plan_create(device, network, &options, &plan, &error), RS_MEMORY, &error,
                  "are free");
    options.batch_sizes[0] = INT64_C(1) << 60;
    harness_fails(ref()->plan_create(device, network, &options, &plan, &error), RS_MEMORY, &error,
                  "larger than");
    ref()->close(device);
    rs_network_destroy(network);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_change_no_bit),
        cmocka_unit_test(calls_out_of_order_are_errors),
        cmocka_unit_test(batches_that_do_not_fit_are_errors),
        cmocka_unit_test(slots_that_are_not_kept_are_unsupported),
        cmocka_unit_test(gradient_sums_add_up_and_clear),
        cmocka_unit_test(evaluating_leaves_running_statistics_alone),
        cmocka_unit_test(a_profile_leaves_evaluation_out),
        cmocka_unit_test(every_failing_allocation_is_an_error),
        cmocka_unit_test(a_plan_larger_than_the_memory_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
