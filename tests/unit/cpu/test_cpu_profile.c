/* test_cpu_profile.c: what --profile counts, worked out by hand from what each operation reads and writes:
 * bytes and FLOP of every row; and that evaluation counts nothing. */
#include "nets.h"

#include <string.h>

#include "plan.h"

/* Channels fill blocks on every instruction set. */
enum { BATCH = 3, CHANNELS = 32, SIZE = 6 };

/* Bytes of a tensor, of a vector of all channels, of a 3x3 and of a 1x1 convolution's weights (the linear
 * layer's are as many). */
static const double tensor = BATCH * CHANNELS * SIZE * SIZE * 4.0, vector = BATCH * CHANNELS * 4.0;
static const double wide = CHANNELS * CHANNELS * 9 * 4.0, narrow = CHANNELS * CHANNELS * 4.0;
/* Of a weight for every pair of channels, at one position of each sample. */
static const double position_flops = 2.0 * BATCH * CHANNELS * CHANNELS;

/* conv1 -> bn1 -> relu1 -> conv2 -> bn2 -> (+ relu1) -> join_a -> conv3 -> bn3 -> (+ join_a) -> join_b
 * -> sum (with relu1) -> relu -> soft -> global -> fc -> loss. Backwards `sum` is the first to reach relu1,
 * join_b the first to reach join_a. */
static rs_network *every_kind(void)
{
    rs_error error = {0};
    rs_network *n = NULL;
    must(rs_network_create("every kind", CHANNELS, SIZE, SIZE, CHANNELS, &n, &error));
    int a = add_node(n, "conv1", RS_OP_CONVOLUTION, 0, 0, CHANNELS, (window){3, 1, 1});
    a = add_norm(n, "bn1", a);
    int first = add_node(n, "relu1", RS_OP_RELU, a, 0, 0, (window){0});
    a = add_node(n, "conv2", RS_OP_CONVOLUTION, first, 0, CHANNELS, (window){1, 1, 0});
    a = add_norm(n, "bn2", a);
    a = add_node(n, "add_a", RS_OP_ADD, a, first, 0, (window){0});
    int join = add_node(n, "join_a", RS_OP_RELU, a, 0, 0, (window){0});
    a = add_node(n, "conv3", RS_OP_CONVOLUTION, join, 0, CHANNELS, (window){3, 1, 1});
    a = add_norm(n, "bn3", a);
    a = add_node(n, "add_b", RS_OP_ADD, a, join, 0, (window){0});
    a = add_node(n, "join_b", RS_OP_RELU, a, 0, 0, (window){0});
    a = add_node(n, "sum", RS_OP_ADD, a, first, 0, (window){0});
    a = add_node(n, "relu", RS_OP_RELU, a, 0, 0, (window){0});
    a = add_node(n, "soft", RS_OP_SOFTPLUS, a, 0, 0, (window){0});
    a = add_node(n, "global", RS_OP_GLOBAL_AVERAGE_POOL, a, 0, 0, (window){0});
    a = add_node(n, "fc", RS_OP_LINEAR, a, 0, CHANNELS, (window){0});
    (void)add_node(n, "loss", RS_OP_SOFTMAX_CROSS_ENTROPY, a, 0, 0, (window){0});
    must(rs_network_finish(n, &error));
    return n;
}

/* Of maps. */
static rs_network *linear_alone(int channels)
{
    rs_error error = {0};
    rs_network *n = NULL;
    must(rs_network_create("linear", channels, SIZE, SIZE, CHANNELS, &n, &error));
    int a = add_node(n, "fc", RS_OP_LINEAR, 0, 0, CHANNELS, (window){0});
    (void)add_node(n, "loss", RS_OP_SOFTMAX_CROSS_ENTROPY, a, 0, 0, (window){0});
    must(rs_network_finish(n, &error));
    return n;
}

/* One training step of Adam, profiled. */
static fixture profiled_step(rs_network *network, const rs_plan_options *options)
{
    rs_error error = {0};
    rs_measurement measurement = {0};
    const rs_update_options update = {
        .optimizer = RS_OPTIMIZER_ADAM, .learning_rate = 1e-3, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8};
    fixture f = open_plan(network, options);
    load_something(f.backend, f.plan, f.network, BATCH, 1);
    must(f.backend->profile_start(f.plan, &error));
    must(f.backend->forward(f.plan, RS_MODE_TRAIN, &error));
    must(f.backend->backward(f.plan, RS_LABELS_TRUE, &error));
    must(f.backend->update(f.plan, &update, &measurement, &error));
    return f;
}

/* `node` is the operation where it has none. */
static const rs_profile_row *row_named(const fixture *f, const char *node, const char *pass)
{
    const rs_profile_row *rows = NULL;
    int count = f->backend->profile_rows(f->plan, &rows);
    for (int i = 0; i < count; i++) {
        const char *name = rows[i].node[0] ? rows[i].node : rows[i].operation;
        if (strcmp(name, node) == 0 && strcmp(rows[i].pass, pass) == 0) {
            return &rows[i];
        }
    }
    fail_msg("no row %s %s", node, pass);
    return NULL;
}

typedef struct work {
    const char *node, *pass;
    double bytes, flops;
} work;

static void expect_work(const fixture *f, const work *expected, size_t count)
{
    int wrong = 0;
    for (size_t i = 0; i < count; i++) {
        const work *e = &expected[i];
        const rs_profile_row *row = row_named(f, e->node, e->pass);
        if (row->calls != 1 || !(row->bytes == e->bytes) || !(row->flops == e->flops)) {
            print_error("%s %s: %d calls, %.0f bytes instead of %.0f, %.0f FLOP instead of %.0f\n", e->node,
                        e->pass, (int)row->calls, row->bytes, e->bytes, row->flops, e->flops);
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
}

#define EXPECT_WORK(f, ...)                                                                                  \
    do {                                                                                                     \
        const work expected_work[] = {__VA_ARGS__};                                                          \
        expect_work((f), expected_work, sizeof expected_work / sizeof *expected_work);                       \
    } while (0)

static void bytes_are_what_forward_moves(void **state)
{
    (void)state;
    const double convolved = position_flops * SIZE * SIZE;
    rs_plan_options options = small_options(BATCH);
    fixture f = profiled_step(every_kind(), &options);
    EXPECT_WORK(&f, {"conv1", "forward", 2 * tensor + wide, 9 * convolved},
                {"bn1", "forward", 3 * tensor, 0}, /* x, x, y */
                {"conv2", "forward", 2 * tensor + narrow, convolved},
                {"bn2", "forward", 4 * tensor, 0}, /* and the other summand */
                {"sum", "forward", 3 * tensor, 0}, {"relu", "forward", 2 * tensor, 0},
                {"soft", "forward", 2 * tensor, 0}, {"global", "forward", tensor + vector, 0},
                {"fc", "forward", 2 * vector + narrow, position_flops}, /* small: x, y */
                {"loss", "forward", vector, 0});
    close_plan(&f);
}

static void bytes_are_what_backward_moves(void **state)
{
    (void)state;
    const double convolved = position_flops * SIZE * SIZE;
    rs_plan_options options = small_options(BATCH);
    fixture f = profiled_step(every_kind(), &options);
    EXPECT_WORK(&f, {"loss", "backward", vector, 0},
                /* x; dy for the weights, the bias, dx; dx */
                {"fc", "backward", 5 * vector + 2 * narrow, 2 * position_flops},
                {"global", "backward", vector + tensor, 0},
                {"soft", "backward", 3 * tensor, 0}, /* x, dy, dx */
                {"relu", "backward", 3 * tensor, 0}, /* y, dy, dx */
                {"sum", "backward", 4 * tensor, 0},  /* dy to each of two */
                {"bn3", "backward", 6 * tensor, 0},  /* x, dy, dresidual set; x, dresidual, dx */
                {"conv3", "data", 2 * tensor + wide, 9 * convolved}, /* left to the join to add */
                {"conv3", "weights", 2 * tensor + wide, 9 * convolved},
                /* x, dy, addend; x, dy, addend, dresidual read and written, dx */
                {"bn2", "backward", 9 * tensor, 0},
                /* dy; summand written and read, dx read and written */
                {"conv2", "data", 5 * tensor + narrow, convolved}, {"bn1", "backward", 5 * tensor, 0},
                {"conv1", "weights", 2 * tensor + wide, 9 * convolved});
    assert_int_equal(row_named(&f, "conv1", "data")->calls, 0); /* nobody wants the input's gradient */
    close_plan(&f);
}

/* Where all stays readable nothing is left to a join; lean reads what forward read for y, and writes y. */
static void other_plans_move_other_bytes(void **state)
{
    (void)state;
    const double convolved = position_flops * SIZE * SIZE;
    rs_plan_options options = small_options(BATCH);
    options.keep_all = options.input_gradient = true;
    options.memory = RS_MEMORY_LEAN;
    fixture f = profiled_step(every_kind(), &options);
    EXPECT_WORK(&f, {"conv3", "data", 5 * tensor + wide, 9 * convolved}, {"bn2", "backward", 7 * tensor, 0},
                {"conv1", "data", 2 * tensor + wide, 9 * convolved}, {"bn1", "again", 2 * tensor, 0},
                {"bn2", "again", 3 * tensor, 0});
    close_plan(&f);
}

/* The images lie as they come, three channels of them; their gradient fills a block. */
static void an_images_gradient_fills_a_block(void **state)
{
    (void)state;
    enum { IMAGE = 8, OUT = 16 };
    rs_plan_options options = small_options(BATCH);
    options.input_gradient = true;
    fixture f = profiled_step(odd_network(3, OUT, IMAGE), &options);
    const double position = BATCH * IMAGE * IMAGE * 4.0, weights = OUT * 3 * 9;
    const double flops = 2.0 * weights * BATCH * IMAGE * IMAGE;
    const double lanes = (double)f.plan->device->kernels->lanes;
    EXPECT_WORK(&f, {"conv1", "forward", (3 + OUT) * position + 4 * weights, flops},
                {"conv1", "weights", (3 + OUT) * position + 4 * weights, flops},
                {"conv1", "data", (lanes + OUT) * position + 4 * weights, flops});
    close_plan(&f);
}

static void maps_of_whole_vectors_are_a_linear_layer_s_rows(void **state)
{
    (void)state;
    const double weights = narrow * SIZE * SIZE, flops = position_flops * SIZE * SIZE;
    rs_plan_options options = small_options(BATCH);
    fixture f = profiled_step(linear_alone(CHANNELS), &options);
    EXPECT_WORK(&f, {"fc", "forward", tensor + 4 * vector + weights, flops},
                {"fc", "backward", tensor + 2 * vector + weights, flops});
    close_plan(&f);
    options.input_gradient = true;
    f = profiled_step(linear_alone(CHANNELS), &options);
    EXPECT_WORK(&f, {"fc", "backward", 2 * tensor + 3 * vector + 2 * weights, 2 * flops});
    close_plan(&f);
}

static void other_maps_are_copied_to_rows(void **state)
{
    (void)state;
    enum { ODD = CHANNELS + 1 };
    const double weights = narrow / CHANNELS * ODD * SIZE * SIZE;
    const double flops = position_flops / CHANNELS * ODD * SIZE * SIZE;
    rs_plan_options options = small_options(BATCH);
    fixture f = profiled_step(linear_alone(ODD), &options);
    const double maps = tensor / CHANNELS * (CHANNELS + f.plan->device->kernels->lanes);
    EXPECT_WORK(&f, {"fc", "forward", 3 * maps + 4 * vector + weights, flops},
                {"fc", "backward", 3 * maps + 2 * vector + weights, flops});
    close_plan(&f);
    options.input_gradient = true;
    f = profiled_step(linear_alone(ODD), &options);
    EXPECT_WORK(&f, {"fc", "backward", 6 * maps + 3 * vector + 2 * weights, 2 * flops});
    close_plan(&f);
}

/* Value and two moments both ways, the gradient; its sum both ways in double; the initial value for
 * distances, the gradient once more for clipping. */
static void the_update_moves_its_arrays(void **state)
{
    (void)state;
    rs_error error = {0};
    rs_measurement measurement = {0};
    rs_plan_options options = small_options(BATCH);
    must(rs_metric_list_parse("euclidean", &options.metrics, &error));
    fixture f = profiled_step(every_kind(), &options);
    const double array = 4.0 * (double)f.plan->element_count;
    EXPECT_WORK(&f, {"update", "", 11 * array, 0});
    const rs_update_options update = {.optimizer = RS_OPTIMIZER_ADAM,
                                      .learning_rate = 1e-3,
                                      .epsilon = 1e-8,
                                      .clip_norm = 1.0,
                                      .distances = true};
    must(f.backend->profile_start(f.plan, &error));
    must(f.backend->update(f.plan, &update, &measurement, &error));
    EXPECT_WORK(&f, {"update", "", 13 * array, 0});
    close_plan(&f);
}

/* --- whose batch it is -------------------------------------------------------------------------------- */

static void load_images(fixture *f)
{
    enum { BYTES = BATCH * 3 * 8 * 8 };
    static const uint8_t images[BYTES];
    static const int32_t labels[BATCH];
    rs_error error = {0};
    const rs_batch batch = {.count = BATCH, .images = images, .labels = labels};
    must(f->backend->load_batch(f->plan, &batch, &error));
}

static void expect_no_calls(const fixture *f)
{
    const rs_profile_row *rows = NULL;
    int count = f->backend->profile_rows(f->plan, &rows);
    assert_true(count > 0);
    for (int i = 0; i < count; i++) {
        assert_int_equal(rows[i].calls, 0);
    }
}

static void evaluation_counts_nothing(void **state)
{
    (void)state;
    rs_error error = {0};
    rs_plan_options options = small_options(BATCH);
    fixture f = open_plan(odd_network(3, 16, 8), &options);
    must(f.backend->profile_start(f.plan, &error));
    load_images(&f);
    must(f.backend->forward(f.plan, RS_MODE_EVALUATE, &error));
    expect_no_calls(&f);
    load_images(&f);
    must(f.backend->forward(f.plan, RS_MODE_TRAIN, &error));
    EXPECT_WORK(&f, {"batch", "", BATCH * 3 * 8 * 8 * 5.0, 0}); /* a byte in, a float out */
    load_images(&f);
    must(f.backend->forward(f.plan, RS_MODE_EVALUATE, &error));
    load_something(f.backend, f.plan, f.network, BATCH, 1); /* values, which nobody times */
    must(f.backend->forward(f.plan, RS_MODE_TRAIN, &error));
    assert_int_equal(row_named(&f, "batch", "")->calls, 1);
    assert_int_equal(row_named(&f, "conv1", "forward")->calls, 2);
    close_plan(&f);
}

static void a_profile_begins_empty(void **state)
{
    (void)state;
    rs_error error = {0};
    rs_plan_options options = small_options(BATCH);
    const rs_profile_row some = {0}, *rows = &some;
    fixture f = open_plan(odd_network(3, 16, 8), &options);
    assert_int_equal(f.backend->profile_rows(f.plan, &rows), 0);
    assert_null(rows);
    load_images(&f); /* before it begins */
    must(f.backend->profile_start(f.plan, &error));
    must(f.backend->forward(f.plan, RS_MODE_TRAIN, &error));
    assert_int_equal(row_named(&f, "batch", "")->calls, 0);
    load_images(&f);
    must(f.backend->profile_start(f.plan, &error));
    expect_no_calls(&f);
    must(f.backend->forward(f.plan, RS_MODE_TRAIN, &error));
    assert_int_equal(row_named(&f, "batch", "")->calls, 0);
    close_plan(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_what_forward_moves),
        cmocka_unit_test(bytes_are_what_backward_moves),
        cmocka_unit_test(other_plans_move_other_bytes),
        cmocka_unit_test(an_images_gradient_fills_a_block),
        cmocka_unit_test(maps_of_whole_vectors_are_a_linear_layer_s_rows),
        cmocka_unit_test(other_maps_are_copied_to_rows),
        cmocka_unit_test(the_update_moves_its_arrays),
        cmocka_unit_test(evaluation_counts_nothing),
        cmocka_unit_test(a_profile_begins_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
