/* test_dropout_masks.c BACKEND: what a dropout leaves out, element by element, against the formula of rs/network.h with
 * masks drawn here by rs/random.h: for every number of channels, batch, epoch, sample and thread count, in a network
 * input -> convolution -> dropout -> linear -> loss whose weights stay as they are. */
#include <math.h>
#include <string.h>

#include "harness.h"
#include "rs/host.h"
#include "rs/random.h"

enum { LARGEST = 6, SMALLER = 4, CLASSES = 10, CONVOLUTION = 1, DROPOUT = 2 };

static const char *backend_name = "ref";
static rs_check_machine machine;

/* Where one dropout stands, and what it draws by. */
typedef struct subject {
    int64_t channels, size;
    double rate;
    uint64_t seed;
    const char *name;
    rs_device *device;
    rs_network *network;
    rs_plan *plan;
} subject;

/* --- a network with its plan ------------------------------------------------------------------------------ */

static void add(rs_network *network, const char *name, rs_op_kind kind, rs_node_attributes attributes)
{
    rs_error error = {0};
    int node = network->node_count - 1;
    rs_node_spec spec = {
        .name = name, .kind = kind, .attributes = attributes, .input = {node, 0}, .block = -1};
    harness_ok(rs_network_add(network, &spec, &node, &error), &error);
}

static rs_network *make_network(const subject *s)
{
    rs_error error = {0};
    rs_network *network;
    harness_ok(rs_network_create("masks", 3, s->size, s->size, CLASSES, &network, &error), &error);
    add(network, "convolution", RS_OP_CONVOLUTION,
        (rs_node_attributes){.channels = s->channels, .kernel = 1, .stride = 1});
    add(network, s->name, RS_OP_DROPOUT, (rs_node_attributes){.rate = s->rate});
    add(network, "scores", RS_OP_LINEAR, (rs_node_attributes){.channels = CLASSES});
    add(network, "loss", RS_OP_SOFTMAX_CROSS_ENTROPY, (rs_node_attributes){0});
    harness_ok(rs_network_finish(network, &error), &error);
    return network;
}

/* The convolution's weights are positive, as its input is: no element before the dropout is 0. */
static void write_weights(const subject *s)
{
    rs_error error = {0};
    for (int i = 0; i < s->network->parameter_count; i++) {
        int64_t count = s->network->parameters[i].count;
        float *values = rs_alloc_array((size_t)count, sizeof *values);
        for (int64_t k = 0; k < count; k++) {
            values[k] = i == 0 ? 0.5F + (float)(k % 7) : (float)rs_uniform(1, 2, (uint64_t)k, -0.1, 0.1);
        }
        harness_ok(machine.backend->write(s->plan, RS_SLOT_VALUE, i, values, &error), &error);
        rs_free(values);
    }
}

static subject subject_of(int64_t channels, int64_t size, double rate, uint64_t seed, const char *name)
{
    return (subject){.channels = channels,
                     .size = size,
                     .rate = rate,
                     .seed = seed,
                     .name = name,
                     .device = machine.device};
}

static void open_subject(subject *s)
{
    rs_error error = {0};
    rs_plan_options options = {.batch_size_count = 2,
                               .batch_sizes = {LARGEST, SMALLER},
                               .training = true,
                               .dropout_seed = s->seed,
                               .optimizer = RS_OPTIMIZER_SGD,
                               .std = {1.0F, 1.0F, 1.0F, 1.0F},
                               .keep_all = true};
    s->network = make_network(s);
    harness_ok(machine.backend->plan_create(s->device, s->network, &options, &s->plan, &error), &error);
    write_weights(s);
}

static void close_subject(subject *s)
{
    machine.backend->plan_destroy(s->plan);
    rs_network_destroy(s->network);
}

/* --- running ---------------------------------------------------------------------------------------------- */

static uint8_t *some_images(const subject *s)
{
    int64_t count = LARGEST * 3 * s->size * s->size;
    uint8_t *images = rs_alloc_array((size_t)count, 1);
    for (int64_t i = 0; i < count; i++) {
        images[i] = (uint8_t)(1 + i * 37 % 251);
    }
    return images;
}

static void load(const subject *s, const int64_t *ids, int64_t epoch, int64_t count)
{
    rs_error error = {0};
    uint8_t *images = some_images(s);
    const int32_t labels[LARGEST] = {3, 1, 4, 1, 5, 9};
    rs_batch batch = {.count = count, .images = images, .labels = labels, .sample_ids = ids, .epoch = epoch};
    harness_ok(machine.backend->load_batch(s->plan, &batch, &error), &error);
    rs_free(images);
}

static void run(const subject *s, rs_mode mode)
{
    rs_error error = {0};
    harness_ok(machine.backend->forward(s->plan, mode, &error), &error);
    if (mode == RS_MODE_TRAIN) {
        harness_ok(machine.backend->backward(s->plan, RS_LABELS_TRUE, &error), &error);
    }
}

static float *read_node(const subject *s, rs_node_slot slot, int node)
{
    rs_error error = {0};
    float *values = rs_alloc_array((size_t)(LARGEST * s->channels * s->size * s->size), sizeof *values);
    harness_ok(machine.backend->read_node(s->plan, slot, node, values, &error), &error);
    return values;
}

/* --- the formula ------------------------------------------------------------------------------------------ */

static bool kept(const subject *s, int64_t id, int64_t epoch, int64_t element)
{
    rs_philox key = rs_philox_at(s->seed, rs_hash64(s->name), 0);
    uint64_t index = (uint64_t)(uint32_t)id << 32 | (uint64_t)element / 4;
    uint64_t stream = (uint64_t)epoch << 32 | (uint64_t)id >> 32;
    rs_philox draw = rs_philox_at((uint64_t)key.word[1] << 32 | key.word[0], stream, index);
    return (double)draw.word[element % 4] >= round(s->rate * 4294967296.0);
}

/* Whether canonical element i of a batch is kept. */
static bool kept_at(const subject *s, const int64_t *ids, int64_t epoch, int64_t i)
{
    int64_t positions = s->size * s->size, sample = i / (s->channels * positions);
    int64_t channel = i / positions % s->channels, position = i % positions;
    return kept(s, ids ? ids[sample] : sample, epoch, position * s->channels + channel);
}

/* Forward and backward of the batch that has run. */
static void expect_formula(const subject *s, const int64_t *ids, int64_t epoch, int64_t count)
{
    float *x = read_node(s, RS_NODE_OUTPUT, CONVOLUTION), *y = read_node(s, RS_NODE_OUTPUT, DROPOUT);
    float *dy = read_node(s, RS_NODE_GRADIENT, DROPOUT), *dx = read_node(s, RS_NODE_GRADIENT, CONVOLUTION);
    float scale = (float)(1.0 / (1.0 - s->rate));
    for (int64_t i = 0; i < count * s->channels * s->size * s->size; i++) {
        bool in = kept_at(s, ids, epoch, i);
        if (!(x[i] > 0.0F && y[i] == (in ? x[i] * scale : 0.0F) && dx[i] == (in ? dy[i] * scale : 0.0F))) {
            fail_msg("%s, %d channels of %d x %d, rate %g, element %d %s: x %g y %g dy %g dx %g",
                     backend_name, (int)s->channels, (int)s->size, (int)s->size, s->rate, (int)i,
                     in ? "kept" : "left out", (double)x[i], (double)y[i], (double)dy[i], (double)dx[i]);
        }
    }
    rs_free(x);
    rs_free(y);
    rs_free(dy);
    rs_free(dx);
}

/* --- tests ------------------------------------------------------------------------------------------------ */

static void follow_the_formula(void **state)
{
    (void)state;
    static const int64_t channels[] = {1, 3, 4, 5, 8, 15, 16, 17, 20, 35, 64}, sizes[] = {1, 3, 4, 7};
    static const double rates[] = {0.1, 0.5, 0.9};
    static const int64_t ids[LARGEST] = {7, 3, 0, 4999999999, 123456, 49999};
    for (size_t i = 0; i < sizeof channels / sizeof channels[0]; i++) {
        for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
            subject s =
                subject_of(channels[i], sizes[k], rates[(i + k) % 3], 0x123456789abcdef, "layer1.dropout");
            open_subject(&s);
            load(&s, ids, 3, LARGEST);
            run(&s, RS_MODE_TRAIN);
            expect_formula(&s, ids, 3, LARGEST);
            load(&s, ids + 1, 4, SMALLER); /* other places in another batch */
            run(&s, RS_MODE_TRAIN);
            expect_formula(&s, ids + 1, 4, SMALLER);
            close_subject(&s);
        }
    }
}

static void threads_change_nothing(void **state)
{
    (void)state;
    rs_error error = {0};
    for (int threads = 1; threads <= 3; threads += 2) {
        rs_device *device;
        harness_ok(machine.backend->open(rs_services(), 0, threads, &device, &error), &error);
        subject s = subject_of(19, 5, 0.3, 5, "drop");
        s.device = device;
        open_subject(&s);
        load(&s, NULL, 1, LARGEST);
        run(&s, RS_MODE_TRAIN);
        expect_formula(&s, NULL, 1, LARGEST);
        close_subject(&s);
        machine.backend->close(device);
    }
}

/* Values have no numbers: samples 0, 1, 2 .. of epoch 0; whatever the batch before them had. */
static void values_are_of_epoch_0(void **state)
{
    (void)state;
    rs_error error = {0};
    static const int64_t ids[LARGEST] = {9, 8, 7, 6, 5, 4};
    static const int32_t labels[LARGEST] = {0};
    subject s = subject_of(6, 4, 0.4, 77, "drop");
    float values[LARGEST * 3 * 16];
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        values[i] = 0.25F + (float)(i % 5);
    }
    open_subject(&s);
    load(&s, ids, 2, LARGEST);
    run(&s, RS_MODE_TRAIN);
    harness_ok(machine.backend->load_values(s.plan, values, labels, NULL, LARGEST, &error), &error);
    run(&s, RS_MODE_TRAIN);
    expect_formula(&s, NULL, 0, LARGEST);
    load(&s, NULL, 5, LARGEST);
    run(&s, RS_MODE_TRAIN);
    expect_formula(&s, NULL, 5, LARGEST);
    close_subject(&s);
}

static void expect_identity(const subject *s, bool gradient)
{
    size_t bytes = (size_t)(LARGEST * s->channels * s->size * s->size) * sizeof(float);
    rs_node_slot slot = gradient ? RS_NODE_GRADIENT : RS_NODE_OUTPUT;
    float *x = read_node(s, slot, CONVOLUTION), *y = read_node(s, slot, DROPOUT);
    assert_memory_equal(x, y, bytes);
    rs_free(x);
    rs_free(y);
}

static void evaluation_and_rate_0_are_the_identity(void **state)
{
    (void)state;
    for (int k = 0; k < 2; k++) {
        subject s = subject_of(17, 3, k ? 0.5 : 0.0, 1, "drop");
        open_subject(&s);
        load(&s, NULL, 0, LARGEST);
        run(&s, k ? RS_MODE_EVALUATE : RS_MODE_TRAIN);
        expect_identity(&s, false);
        if (k == 0) {
            expect_identity(&s, true);
        }
        close_subject(&s);
    }
}

/* The mask of a batch: 1 where an element is kept. Returns how many there are. */
static int64_t read_mask(const subject *s, const int64_t *ids, int64_t epoch, uint8_t *mask)
{
    int64_t count = LARGEST * s->channels * s->size * s->size;
    load(s, ids, epoch, LARGEST);
    run(s, RS_MODE_TRAIN);
    float *y = read_node(s, RS_NODE_OUTPUT, DROPOUT);
    for (int64_t i = 0; i < count; i++) {
        mask[i] = y[i] != 0.0F;
    }
    rs_free(y);
    return count;
}

/* A number of independent events of that probability, within 5 standard deviations. */
static void expect_share(const char *what, int64_t events, int64_t count, double probability)
{
    double sigma = sqrt(probability * (1.0 - probability) * (double)count);
    double off = fabs((double)events - probability * (double)count);
    if (!(off <= 5.0 * sigma)) {
        fail_msg("%s: %d of %d, %g standard deviations from %g", what, (int)events, (int)count, off / sigma,
                 probability);
    }
}

enum { MANY = LARGEST * 24 * 8 * 8 };

static void the_share_is_the_rate(void **state)
{
    (void)state;
    static const double rates[] = {0.01, 0.2, 0.5, 0.95};
    static uint8_t mask[MANY];
    for (size_t k = 0; k < sizeof rates / sizeof rates[0]; k++) {
        subject s = subject_of(24, 8, rates[k], 42, "drop");
        int64_t in = 0;
        open_subject(&s);
        int64_t count = read_mask(&s, NULL, 0, mask);
        for (int64_t i = 0; i < count; i++) {
            in += mask[i];
        }
        expect_share("kept", in, count, 1.0 - rates[k]);
        close_subject(&s);
    }
}

/* Masks that differ in one thing they are drawn by are independent: half their elements differ. */
static void masks_of_other_draws_differ(void **state)
{
    (void)state;
    static uint8_t first[MANY], other[MANY];
    static const int64_t ids[LARGEST] = {100, 101, 102, 103, 104, 105};
    for (int k = 0; k < 4; k++) {
        subject a = subject_of(24, 8, 0.5, 42, "drop");
        subject b = subject_of(24, 8, 0.5, k == 0 ? 43 : 42, k == 1 ? "drop2" : "drop");
        int64_t differ = 0;
        open_subject(&a);
        open_subject(&b);
        int64_t count = read_mask(&a, NULL, 0, first);
        (void)read_mask(&b, k == 2 ? ids : NULL, k == 3 ? 1 : 0, other);
        for (int64_t i = 0; i < count; i++) {
            differ += first[i] != other[i];
        }
        expect_share("differ", differ, count, 0.5);
        close_subject(&a);
        close_subject(&b);
    }
}

static void one_step(const subject *s, bool ahead)
{
    rs_error error = {0};
    rs_update_options still = {.optimizer = RS_OPTIMIZER_SGD};
    rs_measurement measurement = {0};
    rs_loss loss;
    bool taken = true;
    if (ahead) {
        harness_ok(machine.backend->update_later(s->plan, &still, &error), &error);
        harness_ok(machine.backend->next_result(s->plan, true, &loss, &measurement, &taken, &error), &error);
    } else {
        harness_ok(machine.backend->update(s->plan, &still, &measurement, &error), &error);
    }
    assert_true(taken);
}

/* Steps that may be captured and launched again as they are: samples and epoch must not be part of what is captured. */
static void steps_draw_anew(void **state)
{
    (void)state;
    rs_device_info info;
    machine.backend->info(machine.device, &info);
    subject s = subject_of(20, 4, 0.5, 9, "drop");
    open_subject(&s);
    for (int64_t step = 0; step < 8; step++) {
        int64_t ids[LARGEST];
        for (int64_t i = 0; i < LARGEST; i++) {
            ids[i] = step % 3 * 1000 + i;
        }
        load(&s, ids, step / 2, LARGEST);
        run(&s, RS_MODE_TRAIN);
        one_step(&s, info.capabilities & RS_CAN_RUN_AHEAD);
        expect_formula(&s, ids, step / 2, LARGEST);
    }
    close_subject(&s);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follow_the_formula),    cmocka_unit_test(threads_change_nothing),
        cmocka_unit_test(values_are_of_epoch_0), cmocka_unit_test(evaluation_and_rate_0_are_the_identity),
        cmocka_unit_test(the_share_is_the_rate), cmocka_unit_test(masks_of_other_draws_differ),
        cmocka_unit_test(steps_draw_anew),
    };
    backend_name = argc > 1 ? argv[1] : backend_name;
    return harness_run(tests, &machine, backend_name, 2);
}
