/* test_cpu_plan.c: slots come back as they were written, padding stays zero, sharing memory changes no bit,
 * misuse is named. */
#include "nets.h"

#include <string.h>

#include "plan.h"

static void expect_round_trip(fixture *f, rs_slot slot, int index, int64_t count)
{
    rs_error error = {0};
    size_t element = slot == RS_SLOT_GRADIENT_SUM ? sizeof(double) : sizeof(float);
    size_t floats = element / sizeof(float);
    float *in = some_values((uint64_t)(index * 16 + (int)slot), count * (int64_t)floats);
    float *out = rs_alloc_zero((size_t)count * element);
    must(f->backend->write(f->plan, slot, index, in, &error));
    must(f->backend->read(f->plan, slot, index, out, &error));
    assert_memory_equal(in, out, (size_t)count * element);
    rs_free(in);
    rs_free(out);
}

/* Each slot of each parameter is written before any is read back: none may lie over another. */
static void slots_come_back(void **state)
{
    (void)state;
    rs_plan_options options = small_options(3);
    fixture f = open_plan(odd_network(3, 32, 8), &options);
    static const rs_slot slots[] = {RS_SLOT_VALUE,   RS_SLOT_GRADIENT, RS_SLOT_INITIAL,
                                    RS_SLOT_MOMENT1, RS_SLOT_MOMENT2,  RS_SLOT_GRADIENT_SUM};
    for (int i = 0; i < f.network->parameter_count; i++) {
        for (size_t s = 0; s < sizeof slots / sizeof slots[0]; s++) {
            expect_round_trip(&f, slots[s], i, f.network->parameters[i].count);
        }
    }
    for (int i = 0; i < f.network->parameter_count; i++) {
        rs_error error = {0};
        int64_t count = f.network->parameters[i].count;
        for (size_t s = 0; s < 5; s++) {
            float *want = some_values((uint64_t)(i * 16 + (int)slots[s]), count);
            float *got = rs_alloc_zero((size_t)count * sizeof(float));
            must(f.backend->read(f.plan, slots[s], i, got, &error));
            assert_memory_equal(got, want, (size_t)count * sizeof(float));
            rs_free(want);
            rs_free(got);
        }
    }
    close_plan(&f);
}

/* A convolution's weights lie blocked inside; out comes [out, in, kh, kw]: a weight of one shows where it is. */
static void weights_are_canonical_outside(void **state)
{
    (void)state;
    rs_error error = {0};
    rs_network *network = NULL;
    must(rs_network_create("one", 32, 4, 4, 10, &network, &error));
    (void)add_node(network, "conv", RS_OP_CONVOLUTION, 0, 0, 48, (window){3, 1, 1});
    must(rs_network_finish(network, &error));
    rs_plan_options options = small_options(1);
    options.keep_all = true;
    fixture f = open_plan(network, &options);
    static const int64_t k = 37, c = 21, r = 2, s = 0, y = 1, x = 2;
    static float weights[48 * 32 * 9], bias[48], in[32 * 16], out[48 * 16];
    memset(weights, 0, sizeof weights);
    memset(in, 0, sizeof in);
    weights[((k * 32 + c) * 3 + r) * 3 + s] = 1.0f;
    in[(c * 4 + y) * 4 + x] = 5.0f;
    must(f.backend->write(f.plan, RS_SLOT_VALUE, 0, weights, &error));
    must(f.backend->write(f.plan, RS_SLOT_VALUE, 1, bias, &error));
    must(f.backend->load_values(f.plan, in, NULL, NULL, 1, &error));
    must(f.backend->forward(f.plan, RS_MODE_TRAIN, &error));
    must(f.backend->read_node(f.plan, RS_NODE_OUTPUT, 1, out, &error));
    for (int64_t i = 0; i < 48 * 16; i++) {
        int64_t place = (k * 4 + y - (r - 1)) * 4 + x - (s - 1);
        assert_true(out[i] == (i == place ? 5.0f : 0.0f));
    }
    close_plan(&f);
}

static void expect_zero_padding(const rs_plan *plan, const rs__tensor *t, const float *values)
{
    int64_t lanes = plan->device->kernels->lanes, positions = t->height * t->width;
    for (int64_t plane = 0; values && !t->plain && plane < plan->count * t->blocks; plane++) {
        int64_t real = t->channels - plane % t->blocks * lanes;
        for (int64_t i = 0; i < positions * lanes; i++) {
            assert_true(i % lanes < real || values[plane * positions * lanes + i] == 0.0f);
        }
    }
}

static void padding_stays_zero(void **state)
{
    (void)state;
    rs_error error = {0};
    static const int64_t channels[] = {3, 5, 17};
    for (size_t c = 0; c < 6; c++) {
        rs_plan_options options = small_options(3);
        options.keep_all = true;
        options.input_gradient = true;
        bool pools = c >= 3;
        fixture f =
            open_plan(pools ? pool_network(channels[c - 3], 7) : odd_network(channels[c], 10, 7), &options);
        load_something(f.backend, f.plan, f.network, 3, 1);
        must(f.backend->forward(f.plan, RS_MODE_TRAIN, &error));
        if (pools) {
            float *gradient = some_values(9, 3 * channels[c - 3]);
            must(f.backend->write_gradient(f.plan, gradient, &error));
            rs_free(gradient);
        }
        must(f.backend->backward(f.plan, RS_LABELS_TRUE, &error));
        for (int i = 0; i < f.network->node_count; i++) {
            expect_zero_padding(f.plan, &f.plan->tensors[i], f.plan->tensors[i].value);
            rs__tensor blocked = f.plan->tensors[i];
            blocked.plain = false;
            expect_zero_padding(f.plan, &blocked, blocked.gradient);
        }
        close_plan(&f);
    }
}

static rs_network *network_number(int which)
{
    return which == 4 ? odd_network(3, 10, 7) : small_resnet(which < 2 ? 18 : 26, which % 2, which < 2, 1);
}

/* Buffers that share bytes (keep_all off) give the bits of buffers that don't, in fewer bytes. */
static void sharing_changes_nothing(void **state)
{
    (void)state;
    for (int which = 0; which < 5; which++) {
        rs_plan_options options = small_options(4);
        options.batch_size_count = 2;
        options.batch_sizes[1] = 3;
        fixture shared = open_plan(network_number(which), &options);
        options.keep_all = true;
        fixture apart = open_plan(network_number(which), &options);
        double a[4], b[4];
        train_steps(&shared, 0, a);
        train_steps(&apart, 0, b);
        assert_memory_equal(a, b, sizeof a);
        expect_same_values(&shared, &apart);
        assert_true(shared.plan->bytes.activations < apart.plan->bytes.activations);
        close_plan(&shared);
        close_plan(&apart);
    }
}

/* A plan for forward passes only gives the training plan's scores, in evaluation too. */
static void forward_only_agrees(void **state)
{
    (void)state;
    rs_error error = {0};
    rs_plan_options options = small_options(4);
    fixture whole = open_plan(small_resnet(18, false, true, 1), &options);
    options.training = false;
    fixture forward = open_plan(small_resnet(18, false, true, 1), &options);
    for (int mode = RS_MODE_TRAIN; mode <= RS_MODE_EVALUATE; mode++) {
        float a[40], b[40];
        int scores = whole.network->node_count - 2;
        load_something(whole.backend, whole.plan, whole.network, 4, 5);
        load_something(forward.backend, forward.plan, forward.network, 4, 5);
        must(whole.backend->forward(whole.plan, (rs_mode)mode, &error));
        must(forward.backend->forward(forward.plan, (rs_mode)mode, &error));
        must(whole.backend->read_node(whole.plan, RS_NODE_OUTPUT, scores, a, &error));
        must(forward.backend->read_node(forward.plan, RS_NODE_OUTPUT, scores, b, &error));
        assert_memory_equal(a, b, sizeof a);
    }
    assert_int_equal(forward.backend->backward(forward.plan, RS_LABELS_TRUE, &error), RS_UNSUPPORTED);
    assert_int_equal(forward.backend->read(forward.plan, RS_SLOT_GRADIENT, 0, NULL, &error), RS_UNSUPPORTED);
    close_plan(&whole);
    close_plan(&forward);
}

/* Bytes are normalised as PyTorch does it, step by step in float, in both layouts of the input. */
static void bytes_are_normalised(void **state)
{
    (void)state;
    rs_error error = {0};
    for (int blocked = 0; blocked < 2; blocked++) {
        rs_plan_options options = small_options(2);
        options.keep_all = true;
        options.mean[1] = 0.1307f;
        options.std[1] = 0.3081f;
        fixture f = open_plan(blocked ? pool_network(2, 16) : odd_network(2, 16, 16), &options);
        assert_true(f.plan->tensors[0].plain == !blocked);
        uint8_t images[2 * 2 * 256];
        int32_t labels[2] = {0, 1};
        for (int i = 0; i < 1024; i++) {
            images[i] = (uint8_t)(i * 37 + i / 256);
        }
        rs_batch batch = {.count = 2, .images = images, .labels = labels};
        float x[1024];
        must(f.backend->load_batch(f.plan, &batch, &error));
        must(f.backend->read_node(f.plan, RS_NODE_OUTPUT, 0, x, &error));
        for (int i = 0; i < 1024; i++) {
            int c = i / 256 % 2;
            float scaled = (float)images[i] / 255.0f;
            float centred = scaled - options.mean[c];
            assert_true(x[i] == centred / options.std[c]);
        }
        close_plan(&f);
    }
}

static void misuse_is_named(void **state)
{
    (void)state;
    rs_error error = {0};
    rs_plan_options options = small_options(3);
    fixture f = open_plan(odd_network(3, 16, 8), &options);
    rs_plan *other = NULL;
    int32_t labels[3] = {0, 10, 2};
    float *values = some_values(1, 5 * 3 * 64);
    rs_measurement measurement = {0};
    rs_update_options sgd = {.optimizer = RS_OPTIMIZER_SGD};
    assert_int_equal(f.backend->forward(f.plan, RS_MODE_TRAIN, &error), RS_USAGE);
    assert_int_equal(f.backend->backward(f.plan, RS_LABELS_TRUE, &error), RS_USAGE);
    assert_int_equal(f.backend->load_values(f.plan, values, NULL, NULL, 5, &error), RS_USAGE);
    assert_int_equal(f.backend->load_values(f.plan, values, labels, NULL, 3, &error), RS_DATA);
    assert_non_null(strstr(error.text, "label 10"));
    must(f.backend->load_values(f.plan, values, NULL, NULL, 3, &error));
    assert_int_equal(f.backend->forward(f.plan, RS_MODE_TRAIN, &error), RS_USAGE);
    labels[1] = 1;
    must(f.backend->load_values(f.plan, values, labels, NULL, 3, &error));
    must(f.backend->forward(f.plan, RS_MODE_EVALUATE, &error));
    assert_int_equal(f.backend->update(f.plan, &sgd, &measurement, &error), RS_USAGE);
    assert_int_equal(f.backend->read_node(f.plan, RS_NODE_OUTPUT, 2, values, &error), RS_UNSUPPORTED);
    options.dtype = RS_F64;
    assert_int_equal(f.backend->plan_create(f.device, f.network, &options, &other, &error), RS_UNSUPPORTED);
    options.dtype = RS_F32;
    options.tf32 = true;
    assert_int_equal(f.backend->plan_create(f.device, f.network, &options, &other, &error), RS_UNSUPPORTED);
    assert_non_null(strstr(error.text, "TF32"));
    assert_null(other);
    rs_free(values);
    close_plan(&f);
}

/* Never something else: without Winograd on this machine, asking for it is refused. */
static void winograd_is_used_or_refused(void **state)
{
    (void)state;
    rs_error error = {0};
    rs_device_info info = {0};
    rs_plan_options options = small_options(3);
    fixture f = open_plan(odd_network(3, 16, 8), &options);
    rs_plan *other = NULL;
    f.backend->info(f.device, &info);
    options.convolution = RS_CONVOLUTION_WINOGRAD;
    rs_status status = f.backend->plan_create(f.device, f.network, &options, &other, &error);
    assert_int_equal(status, info.capabilities & RS_CAN_WINOGRAD ? RS_OK : RS_UNSUPPORTED);
    f.backend->plan_destroy(other);
    close_plan(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slots_come_back),     cmocka_unit_test(weights_are_canonical_outside),
        cmocka_unit_test(padding_stays_zero),  cmocka_unit_test(sharing_changes_nothing),
        cmocka_unit_test(forward_only_agrees), cmocka_unit_test(bytes_are_normalised),
        cmocka_unit_test(misuse_is_named),     cmocka_unit_test(winograd_is_used_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
