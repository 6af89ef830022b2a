/* test_traffic.c: bytes that each kernel moves, counted by the stand-in, against the least there is: every
 * tensor once.
 *
 * Sizes are those of a network's middle: large enough that the sums of pieces, tables and per-channel
 * vectors are few beside the tensors. What it prints, a line "traffic KERNEL ELEMENTS BYTES LEAST" for each
 * kernel, bench/kernel_resources.py reads: bytes an element, moved and least. */
#include "on_device.h"

#include "standin.h"

/* ODD: channels for the kernels that take one at a time. */
enum { ROWS = 8192, CHANNELS = 64, COUNT = ROWS * CHANNELS, ODD = 63 };

static float *zeros(int64_t count)
{
    return device_put(host_new(count * 4), count * 4);
}

/* Of the kernel since the last reset, for so many elements: at most 1.1 times `least`. */
static void at_most(const char *kernel, double elements, double least)
{
    rs_emu_traffic traffic;
    cuda_ok(cudaStreamSynchronize(test_stream()));
    if (!rs_emu_traffic_of(kernel, &traffic)) {
        fail_msg("%s was not launched", kernel);
    }
    double moved = (double)(traffic.read + traffic.written);
    print_message("traffic %s %.0f %.4f %.4f\n", kernel, elements, moved / elements, least / elements);
    if (!(moved <= 1.1 * least && moved >= 0.9 * least)) {
        fail_msg("%s moves %.0f bytes; the least is %.0f", kernel, moved, least);
    }
}

static rs_cu_norm norm_of(int channels)
{
    int64_t count = (int64_t)ROWS * channels;
    rs_cu_norm n = {.rows = ROWS, .channels = channels, .epsilon = 1e-5, .momentum = 0.1, .relu = true};
    n.x = zeros(count);
    n.residual = zeros(count);
    n.y = zeros(count);
    n.dy = zeros(count);
    n.addend = zeros(count);
    n.dx = zeros(count);
    n.dresidual = zeros(count);
    n.positive = (uint32_t *)(void *)zeros((int64_t)ROWS * ((channels + 31) / 32));
    n.weight = zeros(channels);
    n.bias = zeros(channels);
    n.mean = zeros(channels);
    n.inverse = zeros(channels);
    n.running_mean = zeros(channels);
    n.running_variance = zeros(channels);
    n.dweight = zeros(channels);
    n.dbias = zeros(channels);
    n.partial = device_new((int64_t)rs_cu_norm_partial_bytes(ROWS, channels));
    n.pass_x = RS_PASS_SET;
    n.pass_residual = RS_PASS_ADD;
    return n;
}

static void run_norm(const rs_cu_norm *norm)
{
    rs_emu_traffic_reset();
    cuda_ok(rs_cu_norm_statistics(norm, test_stream()));
    cuda_ok(rs_cu_norm_forward(norm, true, test_stream()));
    cuda_ok(rs_cu_norm_gradients(norm, test_stream()));
    cuda_ok(rs_cu_norm_backward(norm, test_stream()));
}

static void batch_norm(void **state)
{
    (void)state;
    const double n = COUNT, bits = COUNT / 8.0;
    const rs_cu_norm norm = norm_of(CHANNELS);
    run_norm(&norm);
    at_most("rs_cu_k_norm_statistics_4", n, 4 * n);
    at_most("rs_cu_k_norm_forward_4", n, 12 * n + bits);
    at_most("rs_cu_k_norm_gradients_4", n, 12 * n + bits);
    at_most("rs_cu_k_norm_backward_4", n, 24 * n + bits);
}

static void odd_batch_norm(void **state)
{
    (void)state;
    const double n = (double)ROWS * ODD, bits = ROWS * 8.0;
    const rs_cu_norm norm = norm_of(ODD);
    run_norm(&norm);
    at_most("rs_cu_k_norm_statistics_1", n, 4 * n);
    at_most("rs_cu_k_norm_forward_1", n, 12 * n + bits);
    at_most("rs_cu_k_norm_gradients_1", n, 12 * n + bits);
    at_most("rs_cu_k_norm_backward_1", n, 24 * n + bits);
}

static void pointwise(void **state)
{
    (void)state;
    const double n = COUNT;
    float *a = zeros(COUNT), *b = zeros(COUNT), *c = zeros(COUNT);
    rs_emu_traffic_reset();
    cuda_ok(rs_cu_relu_forward(a, b, COUNT, test_stream()));
    cuda_ok(rs_cu_relu_backward(a, b, c, RS_PASS_ADD, COUNT, test_stream()));
    cuda_ok(rs_cu_softplus_forward(a, b, COUNT, test_stream()));
    cuda_ok(rs_cu_softplus_backward(a, b, c, RS_PASS_SET, COUNT, test_stream()));
    cuda_ok(rs_cu_sigmoid_forward(a, b, COUNT, test_stream()));
    cuda_ok(rs_cu_sigmoid_backward(a, b, c, RS_PASS_SET, COUNT, test_stream()));
    cuda_ok(rs_cu_tanh_forward(a, b, COUNT, test_stream()));
    cuda_ok(rs_cu_tanh_backward(a, b, c, RS_PASS_ADD, COUNT, test_stream()));
    const rs_cu_quotient quotient = {a, b, c, zeros(COUNT), zeros(COUNT), RS_PASS_SET, RS_PASS_ADD, COUNT};
    cuda_ok(rs_cu_divide_forward(a, b, c, COUNT, test_stream()));
    cuda_ok(rs_cu_divide_backward(&quotient, test_stream()));
    cuda_ok(rs_cu_add_forward(a, b, c, COUNT, test_stream()));
    cuda_ok(rs_cu_pass(a, b, RS_PASS_ADD, COUNT, test_stream()));
    at_most("rs_cu_k_relu_forward", n, 8 * n);
    at_most("rs_cu_k_relu_backward", n, 16 * n);
    at_most("rs_cu_k_softplus_forward", n, 8 * n);
    at_most("rs_cu_k_softplus_backward", n, 12 * n);
    at_most("rs_cu_k_add_forward", n, 12 * n);
    at_most("rs_cu_k_sigmoid_forward", n, 8 * n);
    at_most("rs_cu_k_sigmoid_backward", n, 12 * n);
    at_most("rs_cu_k_tanh_forward", n, 8 * n);
    at_most("rs_cu_k_tanh_backward", n, 16 * n);
    at_most("rs_cu_k_divide_forward", n, 12 * n);
    at_most("rs_cu_k_divide_backward", n, 24 * n);
    at_most("rs_cu_k_pass", n, 12 * n);
}

static void bias(void **state)
{
    (void)state;
    const double n = COUNT, odd = (double)ROWS * ODD;
    float *y = zeros(COUNT), *b = zeros(CHANNELS);
    double *partial = device_new((int64_t)rs_cu_norm_partial_bytes(ROWS, CHANNELS));
    double *odd_partial = device_new((int64_t)rs_cu_norm_partial_bytes(ROWS, ODD));
    rs_emu_traffic_reset();
    cuda_ok(rs_cu_bias_add(b, y, ROWS, CHANNELS, test_stream()));
    cuda_ok(rs_cu_bias_gradient(y, b, partial, ROWS, CHANNELS, test_stream()));
    cuda_ok(rs_cu_bias_add(b, y, ROWS, ODD, test_stream()));
    cuda_ok(rs_cu_bias_gradient(y, b, odd_partial, ROWS, ODD, test_stream()));
    at_most("rs_cu_k_bias_add_4", n, 8 * n);
    at_most("rs_cu_k_bias_gradient_4", n, 4 * n);
    at_most("rs_cu_k_bias_add_1", odd, 8 * odd);
    at_most("rs_cu_k_bias_gradient_1", odd, 4 * odd);
}

/* Each output reads its window, and each input the windows that it is in, through a cache; a choice is a byte. */
static void run_pooling(int channels)
{
    const rs_cu_window w = {8, 32, 32, 16, 16, channels, 3, 2, 1};
    const int64_t in = 8LL * 32 * 32 * channels, out = in / 4;
    float *x = zeros(in), *y = zeros(out);
    uint8_t *choice = device_new(out);
    rs_emu_traffic_reset();
    cuda_ok(rs_cu_max_pool_forward(&w, x, y, choice, test_stream()));
    cuda_ok(rs_cu_max_pool_backward(&w, choice, y, x, RS_PASS_SET, test_stream()));
    cuda_ok(rs_cu_global_pool_forward(8, 1024, channels, x, y, test_stream()));
    cuda_ok(rs_cu_global_pool_backward(8, 1024, channels, y, x, RS_PASS_SET, test_stream()));
}

static void objectives(void **state)
{
    (void)state;
    const double n = COUNT;
    float *y = zeros(COUNT), *dy = zeros(COUNT);
    double *partial = device_new((int64_t)rs_cu_distance_partial_bytes(COUNT));
    rs_layer_value *value = device_new(sizeof *value);
    rs_emu_traffic_reset();
    cuda_ok(rs_cu_distance_measure(y, COUNT, 0.5, partial, value, test_stream()));
    cuda_ok(rs_cu_distance_backward(y, dy, 0.5, 1.0, RS_PASS_ADD, COUNT, test_stream()));
    at_most("rs_cu_k_distance_sums", n, 4 * n);
    at_most("rs_cu_k_distance_backward", n, 12 * n);
}

static void run_dropout(int64_t sample_floats)
{
    rs_cu_dropout d = {.pass = RS_PASS_ADD, .samples = 8, .sample_floats = sample_floats};
    d.x = zeros(8 * sample_floats);
    d.y = zeros(8 * sample_floats);
    d.ids = (const int64_t *)(const void *)zeros(2 * 8);
    d.epoch = (const uint32_t *)(const void *)zeros(1);
    d.rule = rs_dropout_make(1, "dropout", 0.5);
    rs_emu_traffic_reset();
    cuda_ok(rs_cu_dropout_launch(&d, test_stream()));
}

static void dropout(void **state)
{
    (void)state;
    const double n = COUNT, odd = 8.0 * (COUNT / 8 - 1);
    run_dropout(COUNT / 8);
    at_most("rs_cu_k_dropout_4", n, 12 * n);
    run_dropout(COUNT / 8 - 1);
    at_most("rs_cu_k_dropout_1", odd, 12 * odd);
}

static void pooling(void **state)
{
    (void)state;
    const double in = 8.0 * 32 * 32 * CHANNELS, out = in / 4;
    run_pooling(CHANNELS);
    at_most("rs_cu_k_max_pool_forward_4", in, 4 * in + 5 * out);
    at_most("rs_cu_k_max_pool_backward_4", in, 4 * in + 5 * out);
    at_most("rs_cu_k_global_pool_forward_4", in, 4 * in);
    at_most("rs_cu_k_global_pool_backward_4", in, 4 * in);
}

static void odd_pooling(void **state)
{
    (void)state;
    const double in = 8.0 * 32 * 32 * ODD, out = in / 4;
    run_pooling(ODD);
    at_most("rs_cu_k_max_pool_forward_1", in, 4 * in + 5 * out);
    at_most("rs_cu_k_max_pool_backward_1", in, 4 * in + 5 * out);
    at_most("rs_cu_k_global_pool_forward_1", in, 4 * in);
    at_most("rs_cu_k_global_pool_backward_1", in, 4 * in);
}

static void run_channels(int channels)
{
    const int64_t count = (int64_t)ROWS * channels;
    rs_cu_channels c = {
        .rows = ROWS, .channels = channels, .x = zeros(count), .y = zeros(count), .pass = RS_PASS_ADD};
    rs_emu_traffic_reset();
    cuda_ok(rs_cu_softmax_forward(&c, test_stream()));
    cuda_ok(rs_cu_row_normalize_forward(&c, test_stream()));
    c.dy = zeros(count);
    cuda_ok(rs_cu_softmax_backward(&c, test_stream()));
    cuda_ok(rs_cu_row_normalize_backward(&c, test_stream()));
}

static void channels(void **state)
{
    (void)state;
    const double n = COUNT, odd = (double)ROWS * ODD;
    run_channels(CHANNELS);
    at_most("rs_cu_k_softmax_forward_4", n, 8 * n);
    at_most("rs_cu_k_softmax_backward_4", n, 16 * n);
    at_most("rs_cu_k_row_normalize_forward_4", n, 8 * n);
    at_most("rs_cu_k_row_normalize_backward_4", n, 16 * n);
    run_channels(ODD);
    at_most("rs_cu_k_softmax_forward_1", odd, 8 * odd);
    at_most("rs_cu_k_softmax_backward_1", odd, 16 * odd);
    at_most("rs_cu_k_row_normalize_forward_1", odd, 8 * odd);
    at_most("rs_cu_k_row_normalize_backward_1", odd, 16 * odd);
}

static void repeat(void **state)
{
    (void)state;
    const rs_cu_repeat rows = {16, ROWS / 16, CHANNELS}, numbers = {ROWS, CHANNELS, 1};
    const double n = COUNT;
    float *x = zeros(ROWS), *y = zeros(COUNT);
    rs_emu_traffic_reset();
    cuda_ok(rs_cu_repeat_forward(&rows, x, y, test_stream()));
    cuda_ok(rs_cu_repeat_backward(&rows, y, x, RS_PASS_SET, test_stream()));
    cuda_ok(rs_cu_repeat_backward(&numbers, y, x, RS_PASS_SET, test_stream()));
    at_most("rs_cu_k_repeat_forward", n, 4 * n);
    at_most("rs_cu_k_repeat_backward", n, 4 * n);
    at_most("rs_cu_k_repeat_backward_warp", n, 4 * n + 4 * ROWS);
}

/* Both factors through a cache. */
static void matrix(void **state)
{
    enum { SAMPLES = 32, SIDE = 16 };
    static const char *const kernels[] = {"rs_cu_k_matrix_product_4", "rs_cu_k_matrix_product_1"};
    (void)state;
    for (int k = 0; k < 2; k++) {
        const int wide = k == 0 ? CHANNELS : ODD;
        const int64_t count = (int64_t)SAMPLES * SIDE * SIDE * wide;
        const rs_cu_matrix m = {.a = zeros(count),
                                .b = zeros(count),
                                .y = zeros(count),
                                .samples = SAMPLES,
                                .rows = SIDE,
                                .columns = SIDE,
                                .depth = SIDE,
                                .a_row = SIDE,
                                .a_depth = 1,
                                .b_depth = SIDE,
                                .b_column = 1,
                                .channels = wide,
                                .pass = RS_PASS_SET};
        rs_emu_traffic_reset();
        cuda_ok(rs_cu_matrix_product(&m, test_stream()));
        at_most(kernels[k], (double)count, 12 * (double)count);
    }
}

static void batch(void **state)
{
    (void)state;
    enum { IMAGES = 32, POSITIONS = 4096 };
    int64_t *ids = host_new(ROWS * 8);
    rs_cu_gather g = {.count = IMAGES, .positions = POSITIONS, .channels = 3, .stride = 4};
    g.images = (const uint8_t *)zeros((int64_t)IMAGES * POSITIONS * 3 / 4);
    g.table = zeros(768);
    g.x = zeros((int64_t)IMAGES * POSITIONS * 4);
    for (int64_t i = 0; i < ROWS; i++) {
        ids[i] = ROWS - 1 - i;
    }
    rs_cu_row_gather rows = {.from = zeros(COUNT), .ids = device_put(ids, ROWS * 8), .to = zeros(COUNT)};
    rs_emu_traffic_reset();
    cuda_ok(rs_cu_gather_launch(&g, test_stream()));
    rows.row = CHANNELS;
    rows.count = ROWS;
    cuda_ok(rs_cu_gather_rows(&rows, test_stream()));
    rows.row = 1001;
    rows.count = COUNT / 1001;
    rows.ids = device_put(ids + ROWS - rows.count, rows.count * 8);
    cuda_ok(rs_cu_gather_rows(&rows, test_stream()));
    at_most("rs_cu_k_gather", (double)IMAGES * POSITIONS * 4, (double)IMAGES * POSITIONS * 19);
    at_most("rs_cu_k_gather_rows_4", COUNT, 8.0 * COUNT + 8.0 * ROWS);
    at_most("rs_cu_k_gather_rows_1", COUNT, 8.0 * COUNT);
}

static void losses(void **state)
{
    (void)state;
    enum { CLASSES = 1000, SAMPLES = 64 };
    const double n = (double)SAMPLES * CLASSES;
    const rs_cu_scores s = {.x = zeros(SAMPLES * CLASSES),
                            .labels = (const int32_t *)(const void *)zeros(SAMPLES),
                            .count = SAMPLES,
                            .classes = CLASSES,
                            .losses = device_new(SAMPLES * 8),
                            .hits = device_new(SAMPLES),
                            .dx = zeros(SAMPLES * CLASSES),
                            .pass = RS_PASS_ADD,
                            .weight = 1.0,
                            .divisor = SAMPLES};
    rs_cu_squared q = {.x = zeros(COUNT),
                       .target = zeros(COUNT),
                       .count = COUNT,
                       .divisor = COUNT,
                       .dx = zeros(COUNT),
                       .pass = RS_PASS_ADD,
                       .weight = 1.0};
    const rs_cu_loss_out out = {.loss = device_new(sizeof(rs_cu_loss))};
    double *squares = device_new(ROWS * 8);
    q.partial = device_new((int64_t)rs_cu_squared_partial_bytes(COUNT));
    rs_emu_traffic_reset();
    cuda_ok(rs_cu_cross_entropy(&s, test_stream()));
    cuda_ok(rs_cu_cross_entropy_backward(&s, test_stream()));
    cuda_ok(rs_cu_squared_error(&q, &out, test_stream()));
    cuda_ok(rs_cu_squared_backward(&q, test_stream()));
    cuda_ok(rs_cu_sample_squares(q.x, 128, COUNT / 128, squares, test_stream()));
    cuda_ok(rs_cu_sample_squares(q.x, 128, 4095, squares, test_stream()));
    at_most("rs_cu_k_cross_entropy", n, 4 * n);
    at_most("rs_cu_k_cross_entropy_backward", n, 12 * n);
    at_most("rs_cu_k_squared_sums", COUNT, 8.0 * COUNT);
    at_most("rs_cu_k_squared_backward", COUNT, 16.0 * COUNT);
    at_most("rs_cu_k_sample_squares_4", COUNT, 4.0 * COUNT);
    at_most("rs_cu_k_sample_squares_1", 128.0 * 4095, 4.0 * 128 * 4095);
}

static rs_cu_update update_of(int64_t size)
{
    rs_cu_job jobs[64];
    rs_cu_tensor tensor = {.jobs = (int32_t)(size / RS_CU_JOB), .reached = 1, .measured = 1};
    rs_cu_rates rates = {0.1};
    rs_cu_update u = {.job_count = tensor.jobs, .tensor_count = 1};
    for (int j = 0; j < tensor.jobs; j++) {
        jobs[j] = (rs_cu_job){(int64_t)j * RS_CU_JOB, RS_CU_JOB, 0};
    }
    u.options = (rs_update_options){.optimizer = RS_OPTIMIZER_ADAM,
                                    .beta1 = 0.9,
                                    .beta2 = 0.999,
                                    .epsilon = 1e-8,
                                    .clip_norm = 1.0,
                                    .distances = true};
    u.jobs = device_put(jobs, (int64_t)sizeof jobs);
    u.tensors = device_put(&tensor, sizeof tensor);
    u.value = zeros(size);
    u.moment1 = zeros(size);
    u.moment2 = zeros(size);
    u.gradient = zeros(size);
    u.initial = zeros(size);
    u.gradient_sum = (double *)(void *)zeros(2 * size);
    u.rates = device_put(&rates, sizeof rates);
    u.rules = device_new(sizeof(rs_rule_f32));
    u.job_sums = device_new((int64_t)sizeof(rs_cu_sums) * tensor.jobs);
    u.sums = device_new(sizeof(rs_cu_sums));
    u.norms = device_new(sizeof(rs_cu_norms));
    return u;
}

/* Every rule, measuring gradients alone, distances, and powers. */
static void update(void **state)
{
    static const struct {
        const char *name;
        rs_optimizer_kind optimizer;
        bool momentum;
    } rules[] = {{"sgd", RS_OPTIMIZER_SGD, false},         {"momentum", RS_OPTIMIZER_SGD, true},
                 {"adam", RS_OPTIMIZER_ADAM, false},       {"adagrad", RS_OPTIMIZER_ADAGRAD, false},
                 {"rmsprop", RS_OPTIMIZER_RMSPROP, false}, {"rmsprop_momentum", RS_OPTIMIZER_RMSPROP, true}};
    static const char *const measures[] = {"", "_distance", "_power"};
    static const char *const metrics[] = {"cosine", "euclidean,cosine", "minkowski:3"};
    enum { KERNELS = 3 * COUNT_OF(rules) };
    const double n = 32.0 * RS_CU_JOB;
    rs_error error = {0};
    rs_cu_update u = update_of(32 * RS_CU_JOB);
    (void)state;
    rs_emu_traffic_reset();
    for (int k = 0; k < KERNELS; k++) {
        u.options.optimizer = rules[k / 3].optimizer;
        u.momentum = rules[k / 3].momentum;
        u.options.distances = k % 3 != 0;
        harness_ok(rs_metric_list_parse(metrics[k % 3], &u.metrics, &error), &error);
        cuda_ok(rs_cu_update_begin(&u, test_stream()));
        cuda_ok(rs_cu_update_apply(&u, test_stream()));
    }
    for (int k = 0; k < KERNELS; k++) { /* value, gradient, sum; moments; the initial value */
        char name[64];
        int moments = rs_rule_moments(rs_rule_of(rules[k / 3].optimizer, rules[k / 3].momentum));
        (void)snprintf(name, sizeof name, "rs_cu_k_%s%s", rules[k / 3].name, measures[k % 3]);
        at_most(name, n, (3 + 4 + 2 * moments + (k % 3 != 0 ? 1 : 0)) * 4 * n);
    }
    at_most("rs_cu_k_gradient_sums", KERNELS * n, KERNELS * 4 * n);
}

static void orders(void **state)
{
    (void)state;
    const rs_cu_order o = {.outer = 64, .positions = 9, .inner = 512, .stride = 512};
    const double n = 64.0 * 9 * 512;
    float *a = zeros((int64_t)n), *b = zeros((int64_t)n);
    double *sums = (double *)(void *)zeros((int64_t)(2 * n));
    double *wide = (double *)(void *)zeros((int64_t)(2 * n));
    rs_emu_traffic_reset();
    cuda_ok(rs_cu_to_canonical(&o, a, b, test_stream()));
    cuda_ok(rs_cu_from_canonical(&o, b, a, test_stream()));
    cuda_ok(rs_cu_add_from_canonical(&o, b, a, test_stream()));
    cuda_ok(rs_cu_sum_to_canonical(&o, sums, 3.0, b, test_stream()));
    cuda_ok(rs_cu_doubles_to_canonical(&o, sums, wide, test_stream()));
    cuda_ok(rs_cu_doubles_from_canonical(&o, wide, sums, test_stream()));
    at_most("rs_cu_k_to_canonical", n, 8 * n);
    at_most("rs_cu_k_from_canonical", n, 8 * n);
    at_most("rs_cu_k_add_from_canonical", n, 12 * n);
    at_most("rs_cu_k_sum_to_canonical", n, 12 * n);
    at_most("rs_cu_k_doubles_to_canonical", n, 16 * n);
    at_most("rs_cu_k_doubles_from_canonical", n, 16 * n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kernel_test(batch_norm), kernel_test(odd_batch_norm), kernel_test(pointwise),  kernel_test(bias),
        kernel_test(pooling),    kernel_test(odd_pooling),    kernel_test(batch),      kernel_test(losses),
        kernel_test(channels),   kernel_test(repeat),         kernel_test(matrix),     kernel_test(update),
        kernel_test(orders),     kernel_test(dropout),        kernel_test(objectives),
    };
    if (!rs_emu_present()) {
        print_message("skipped: traffic is counted by the stand-in alone\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, end_of_group);
}
