/* test_batch_norm.c: batch norm with and without join and ReLU, both ways, against loops in double. */
#include "on_device.h"

#include <stdlib.h>

typedef struct matrix {
    int64_t rows;
    int channels;
} matrix;

static const matrix shapes[] = {{1, 1},     {1, 4},    {2, 8},    {7, 4},     {33, 12},
                                {100, 10},  {257, 64}, {64, 96},  {37, 132},  {300, 130},
                                {2100, 16}, {5000, 4}, {5000, 1}, {130, 512}, {3000, 3}};

/* A batch norm on the device, with copies of its inputs on the host. */
typedef struct subject {
    rs_cu_norm norm;
    float *x, *residual, *weight, *bias, *running_mean, *running_variance, *dy, *addend;
    int64_t count;           /* elements */
    double *mean, *variance; /* [channel] by loops */
} subject;

/* By loops, in two passes. */
static void expect_statistics(subject *s)
{
    int channels = s->norm.channels;
    s->mean = host_new(channels * (int64_t)sizeof(double));
    s->variance = host_new(channels * (int64_t)sizeof(double));
    for (int c = 0; c < channels; c++) {
        for (int64_t r = 0; r < s->norm.rows; r++) {
            s->mean[c] += (double)s->x[r * channels + c] / (double)s->norm.rows;
        }
        for (int64_t r = 0; r < s->norm.rows; r++) {
            double d = (double)s->x[r * channels + c] - s->mean[c];
            s->variance[c] += d * d / (double)s->norm.rows;
        }
    }
}

static subject make_subject(matrix shape, bool relu, bool joined)
{
    int64_t count = shape.rows * shape.channels, channels = shape.channels;
    int64_t words = shape.rows * ((channels + 31) / 32);
    subject s = {.count = count};
    rs_cu_norm *n = &s.norm;
    *n = (rs_cu_norm){
        .rows = shape.rows, .channels = shape.channels, .epsilon = 1e-5, .momentum = 0.1, .relu = relu};
    n->x = device_filled(RS_FILL_NORMAL, 1, count, &s.x);
    n->residual = joined ? device_filled(RS_FILL_NORMAL, 2, count, &s.residual) : NULL;
    n->y = device_new(count * (int64_t)sizeof(float));
    n->positive = joined && relu ? device_new(words * (int64_t)sizeof(uint32_t)) : NULL;
    n->weight = device_filled(RS_FILL_SIZED, 3, channels, &s.weight);
    n->bias = device_filled(RS_FILL_NORMAL, 4, channels, &s.bias);
    n->mean = device_new(channels * (int64_t)sizeof(float));
    n->inverse = device_new(channels * (int64_t)sizeof(float));
    n->running_mean = device_filled(RS_FILL_NORMAL, 5, channels, &s.running_mean);
    s.running_variance = filled(RS_FILL_SIZED, 6, channels);
    for (int64_t c = 0; c < channels; c++) {
        s.running_variance[c] = fabsf(s.running_variance[c]);
    }
    n->running_variance = device_put(s.running_variance, channels * (int64_t)sizeof(float));
    n->partial = device_new((int64_t)rs_cu_norm_partial_bytes(shape.rows, shape.channels));
    n->dy = device_filled(RS_FILL_NORMAL, 7, count, &s.dy);
    n->dx = device_new(count * (int64_t)sizeof(float));
    n->dresidual = device_new(count * (int64_t)sizeof(float));
    n->dweight = device_new(channels * (int64_t)sizeof(float));
    n->dbias = device_new(channels * (int64_t)sizeof(float));
    expect_statistics(&s);
    return s;
}

static void check_statistics(const subject *s, double tolerance)
{
    int64_t channels = s->norm.channels;
    double n = (double)s->norm.rows, *inverse = host_new(channels * 8), *mean = host_new(channels * 8),
           *variance = host_new(channels * 8);
    for (int64_t c = 0; c < channels; c++) {
        double unbiased = n > 1.0 ? s->variance[c] * n / (n - 1.0) : s->variance[c];
        inverse[c] = 1.0 / sqrt(s->variance[c] + s->norm.epsilon);
        mean[c] = 0.9 * (double)s->running_mean[c] + 0.1 * s->mean[c];
        variance[c] = 0.9 * (double)s->running_variance[c] + 0.1 * unbiased;
    }
    close_on_device("mean", s->norm.mean, s->mean, channels, tolerance);
    close_on_device("inverse", s->norm.inverse, inverse, channels, tolerance);
    close_on_device("running mean", s->norm.running_mean, mean, channels, tolerance);
    close_on_device("running variance", s->norm.running_variance, variance, channels, tolerance);
}

/* y by the mean and deviation that are on the device. */
static void check_forward(const subject *s)
{
    int channels = s->norm.channels;
    const double *mean = doubles_from(s->norm.mean, channels),
                 *inverse = doubles_from(s->norm.inverse, channels);
    double *want = host_new(s->count * 8);
    for (int64_t i = 0; i < s->count; i++) {
        int64_t c = i % channels;
        double z = ((double)s->x[i] - mean[c]) * inverse[c] * (double)s->weight[c] + (double)s->bias[c];
        z += s->residual ? (double)s->residual[i] : 0.0;
        want[i] = s->norm.relu && z < 0.0 ? 0.0 : z;
    }
    close_on_device("y", s->norm.y, want, s->count, 1e-6);
}

/* A bit for every element, 32 channels of a row a word. */
static void check_bits(const subject *s)
{
    int channels = s->norm.channels, words = (channels + 31) / 32;
    const float *y = floats_from(s->norm.y, s->count);
    uint32_t *bits = host_new(s->norm.rows * words * 4);
    device_get(bits, s->norm.positive, s->norm.rows * words * 4);
    for (int64_t i = 0; i < s->count; i++) {
        int64_t row = i / channels, c = i % channels;
        assert_int_equal(bits[row * words + c / 32] >> (c % 32) & 1u, y[i] > 0.0f);
    }
}

/* Gradient before the ReLU. Its mask is that of the y on the device: rounding decides beside 0. */
static double *gradient_before(const subject *s)
{
    const float *y = floats_from(s->norm.y, s->count);
    double *g = host_new(s->count * 8);
    for (int64_t i = 0; i < s->count; i++) {
        double sum = (double)s->dy[i] + (s->addend ? (double)s->addend[i] : 0.0);
        g[i] = s->norm.relu && !(y[i] > 0.0f) ? 0.0 : sum;
    }
    return g;
}

/* dx into `dx`, [channels] sums into dweight and dbias. */
static void expect_backward(const subject *s, const double *g, double *dx, double *dweight, double *dbias)
{
    int channels = s->norm.channels;
    double n = (double)s->norm.rows;
    const double *mean = doubles_from(s->norm.mean, channels),
                 *inverse = doubles_from(s->norm.inverse, channels);
    for (int64_t i = 0; i < s->count; i++) {
        int64_t c = i % channels;
        dbias[c] += g[i];
        dweight[c] += g[i] * ((double)s->x[i] - mean[c]) * inverse[c];
    }
    for (int64_t i = 0; i < s->count; i++) {
        int64_t c = i % channels;
        double hat = ((double)s->x[i] - mean[c]) * inverse[c];
        double rest = s->norm.fixed ? 0.0 : dbias[c] / n + hat * dweight[c] / n;
        dx[i] = (double)s->weight[c] * inverse[c] * (g[i] - rest);
    }
}

static void add_floats(double *to, const float *values, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        to[i] += (double)values[i];
    }
}

/* The sums are compared with the sizes of what they sum: they may cancel. */
static void check_sums(const char *what, const float *device, const double *want, int channels, int64_t rows)
{
    const double *got = doubles_from(device, channels);
    for (int c = 0; c < channels; c++) {
        double error = fabs(got[c] - want[c]) / sqrt((double)rows);
        if (!(error <= 2e-6)) {
            fail_msg("%s of channel %d: %.9g instead of %.9g", what, c, got[c], want[c]);
        }
    }
}

/* Of few rows dx is a small rest of large terms: it is compared with their size. */
static void check_dx(const subject *s, const double *g, const double *want, bool added)
{
    const double *got = doubles_from(s->norm.dx, s->count),
                 *inverse = doubles_from(s->norm.inverse, s->norm.channels);
    if (s->norm.rows >= 100) {
        close_on_device("dx", s->norm.dx, want, s->count, 2e-6);
        return;
    }
    for (int64_t i = 0; i < s->count; i++) {
        int64_t c = i % s->norm.channels;
        double size =
            fabs((double)s->weight[c] * inverse[c]) * (fabs(g[i]) + 1.0) + (added ? fabs(want[i]) : 0.0);
        bool close = fabs(got[i] - want[i]) <= 1e-6 * size;
        if (!close || (s->norm.rows == 1 && !added && got[i] != 0.0)) {
            fail_msg("dx at %lld: %.9g instead of %.9g", (long long)i, got[i], want[i]);
        }
    }
}

static void check_backward(subject *s, rs_pass pass_x, rs_pass pass_residual)
{
    rs_cu_norm *n = &s->norm;
    float *old_x, *old_residual;
    int64_t bytes = s->count * (int64_t)sizeof(float);
    n->dx = device_filled(RS_FILL_NORMAL, 8, s->count, &old_x);
    n->dresidual = device_filled(RS_FILL_NORMAL, 9, s->count, &old_residual);
    n->pass_x = pass_x;
    n->pass_residual = pass_residual;
    double *g = gradient_before(s), *dx = host_new(2 * bytes), *dweight = host_new(n->channels * 8),
           *dbias = host_new(n->channels * 8);
    cuda_ok(rs_cu_norm_gradients(n, test_stream()));
    cuda_ok(rs_cu_norm_backward(n, test_stream()));
    expect_backward(s, g, dx, dweight, dbias);
    double *before = host_new(2 * bytes);
    memcpy(before, g, (size_t)bytes * 2);
    check_sums("dbias", n->dbias, dbias, n->channels, n->rows);
    check_sums("dweight", n->dweight, dweight, n->channels, n->rows);
    if (pass_x == RS_PASS_ADD) {
        add_floats(dx, old_x, s->count);
    }
    if (pass_residual == RS_PASS_ADD) {
        add_floats(g, old_residual, s->count);
    }
    if (pass_x == RS_PASS_NONE) {
        assert_memory_equal(floats_from(n->dx, s->count), old_x, (size_t)bytes);
    } else {
        check_dx(s, before, dx, pass_x == RS_PASS_ADD);
    }
    if (pass_residual == RS_PASS_NONE) {
        assert_memory_equal(floats_from(n->dresidual, s->count), old_residual, (size_t)bytes);
    } else {
        close_on_device("dresidual", n->dresidual, g, s->count, 1e-6);
    }
}

static void run_all(matrix shape, bool relu, bool joined)
{
    subject s = make_subject(shape, relu, joined);
    cuda_ok(rs_cu_norm_statistics(&s.norm, test_stream()));
    cuda_ok(rs_cu_norm_forward(&s.norm, true, test_stream()));
    check_statistics(&s, 1e-6);
    check_forward(&s);
    if (s.norm.positive) {
        check_bits(&s);
    }
    check_backward(&s, RS_PASS_SET, joined ? RS_PASS_SET : RS_PASS_NONE);
    s.norm.addend = joined ? device_filled(RS_FILL_NORMAL, 10, s.count, &s.addend) : NULL;
    check_backward(&s, RS_PASS_ADD, joined ? RS_PASS_ADD : RS_PASS_NONE);
    if (joined) {
        check_backward(&s, RS_PASS_NONE, RS_PASS_SET);
    }
}

static void all_shapes(bool relu, bool joined)
{
    void *none = NULL;
    for (int i = 0; i < COUNT_OF(shapes); i++) {
        run_all(shapes[i], relu, joined);
        end_of_test(&none);
    }
}

static void alone(void **state)
{
    (void)state;
    all_shapes(false, false);
}

static void with_relu(void **state)
{
    (void)state;
    all_shapes(true, false);
}

static void joined(void **state)
{
    (void)state;
    all_shapes(false, true);
}

static void joined_with_relu(void **state)
{
    (void)state;
    all_shapes(true, true);
}

static void by_running_statistics(void **state)
{
    (void)state;
    const int channels = 20;
    subject s = make_subject((matrix){50, channels}, true, true);
    uint32_t *positive = s.norm.positive;
    s.norm.positive = NULL; /* nothing is kept in evaluation */
    cuda_ok(rs_cu_norm_running(&s.norm, test_stream()));
    cuda_ok(rs_cu_norm_forward(&s.norm, false, test_stream()));
    double *mean = host_new(channels * 8), *inverse = host_new(channels * 8);
    for (int c = 0; c < channels; c++) {
        mean[c] = (double)s.running_mean[c];
        inverse[c] = 1.0 / sqrt((double)s.running_variance[c] + 1e-5);
    }
    close_on_device("mean", s.norm.mean, mean, channels, 0.0);
    close_on_device("inverse", s.norm.inverse, inverse, channels, 1e-7);
    check_forward(&s);
    close_on_device("running mean", s.norm.running_mean, mean, channels, 0.0);
    s.norm.positive = positive;
    refused(rs_cu_norm_forward(&(rs_cu_norm){.rows = 0, .channels = channels}, false, test_stream()));
}

/* Statistics that do not depend on x: dx without the sums, which it then does not read. */
static void fixed_statistics(void **state)
{
    (void)state;
    for (int k = 0; k < 2; k++) {
        subject s = make_subject((matrix){150, k == 0 ? 20 : 7}, true, true);
        cuda_ok(rs_cu_norm_running(&s.norm, test_stream()));
        cuda_ok(rs_cu_norm_forward(&s.norm, true, test_stream()));
        s.norm.fixed = true;
        check_backward(&s, RS_PASS_SET, RS_PASS_ADD);
        check_backward(&s, RS_PASS_ADD, RS_PASS_SET);
        s.norm.dweight = s.norm.dbias = NULL;
        cuda_ok(rs_cu_norm_backward(&s.norm, test_stream()));
        refused(rs_cu_norm_gradients(&s.norm, test_stream()));
        s.norm.fixed = false;
        refused(rs_cu_norm_backward(&s.norm, test_stream()));
    }
}

/* A mean a hundred thousand times the deviation and one a million times, a first value that is far off (its
 * run of 32 sums around it, in float), and a NaN. */
static void hard_statistics(void **state)
{
    (void)state;
    enum { ROWS = 6000, CHANNELS = 8 };
    subject s = make_subject((matrix){ROWS, CHANNELS}, false, false);
    for (int64_t i = 0; i < s.count; i++) {
        int64_t c = i % CHANNELS;
        s.x[i] = c == 0   ? 1000.0f + 0.01f * s.x[i]
                 : c == 1 ? -1e6f + s.x[i]
                 : c == 2 ? 1e-6f * s.x[i]
                          : s.x[i];
    }
    s.x[3] = 3000.0f;
    s.x[17 * CHANNELS + 4] = NAN;
    s.norm.x = device_put(s.x, s.count * (int64_t)sizeof(float));
    s.norm.epsilon = 0.0;
    memset(s.mean, 0, sizeof(double) * CHANNELS);
    expect_statistics(&s);
    cuda_ok(rs_cu_norm_statistics(&s.norm, test_stream()));
    const double *mean = doubles_from(s.norm.mean, CHANNELS),
                 *inverse = doubles_from(s.norm.inverse, CHANNELS);
    for (int c = 0; c < CHANNELS; c++) {
        if (c == 4) {
            assert_true(isnan(mean[c]) && isnan(inverse[c]));
            continue;
        }
        double deviation = sqrt(s.variance[c]);
        assert_true(fabs(inverse[c] * deviation - 1.0) <= (c == 3 ? 2e-5 : 1e-6));
        assert_true(fabs(mean[c] - s.mean[c]) <= 1e-6 * deviation + 1e-7 * fabs(s.mean[c]));
    }
}

/* So many channels that a thread has more rows than a run sums in float. Large: in one order of threads alone. */
static void long_columns(void **state)
{
    (void)state;
    const char *order = getenv("RS_EMU_ORDER");
    if (order && strcmp(order, "default") != 0) {
        skip();
    }
    subject s = make_subject((matrix){330, 16385}, false, false);
    cuda_ok(rs_cu_norm_statistics(&s.norm, test_stream()));
    check_statistics(&s, 1e-6);
    double *dx = host_new(s.count * 8), *g = host_new(s.count * 8), *dweight = host_new(s.norm.channels * 8),
           *dbias = host_new(s.norm.channels * 8);
    for (int64_t i = 0; i < s.count; i++) {
        g[i] = (double)s.dy[i];
    }
    cuda_ok(rs_cu_norm_gradients(&s.norm, test_stream()));
    expect_backward(&s, g, dx, dweight, dbias);
    check_sums("dbias", s.norm.dbias, dbias, s.norm.channels, s.norm.rows);
    check_sums("dweight", s.norm.dweight, dweight, s.norm.channels, s.norm.rows);
}

/* y may lie on x, dx on dy. */
static void in_place(void **state)
{
    (void)state;
    subject s = make_subject((matrix){77, 24}, true, true), t = make_subject((matrix){77, 24}, true, true);
    size_t bytes = (size_t)s.count * sizeof(float);
    s.norm.pass_x = t.norm.pass_x = RS_PASS_SET;
    cuda_ok(rs_cu_norm_statistics(&s.norm, test_stream()));
    cuda_ok(rs_cu_norm_statistics(&t.norm, test_stream()));
    cuda_ok(rs_cu_norm_forward(&s.norm, true, test_stream()));
    float *y = t.norm.y;
    t.norm.y = device_put(t.residual, (int64_t)bytes);
    t.norm.residual = t.norm.y;
    cuda_ok(rs_cu_norm_forward(&t.norm, true, test_stream()));
    assert_memory_equal(floats_from(t.norm.y, t.count), floats_from(s.norm.y, s.count), bytes);
    t.norm.y = y;
    t.norm.dx = device_put(t.dy, (int64_t)bytes);
    t.norm.dy = t.norm.dx;
    cuda_ok(rs_cu_norm_gradients(&s.norm, test_stream()));
    cuda_ok(rs_cu_norm_backward(&s.norm, test_stream()));
    cuda_ok(rs_cu_norm_gradients(&t.norm, test_stream()));
    cuda_ok(rs_cu_norm_backward(&t.norm, test_stream()));
    assert_memory_equal(floats_from(t.norm.dx, t.count), floats_from(s.norm.dx, s.count), bytes);
}

static void arguments(void **state)
{
    (void)state;
    subject s = make_subject((matrix){4, 8}, true, true);
    rs_cu_norm bad = s.norm;
    bad.mean = NULL;
    refused(rs_cu_norm_statistics(&bad, test_stream()));
    refused(rs_cu_norm_forward(&bad, true, test_stream()));
    refused(rs_cu_norm_running(&bad, test_stream()));
    refused(rs_cu_norm_gradients(&bad, test_stream()));
    refused(rs_cu_norm_backward(&bad, test_stream()));
    bad = s.norm;
    bad.x++; /* not on 16 bytes */
    refused(rs_cu_norm_statistics(&bad, test_stream()));
    refused(rs_cu_norm_forward(&bad, true, test_stream()));
    bad = s.norm;
    bad.positive = NULL;
    refused(rs_cu_norm_forward(&bad, true, test_stream()));
    bad.pass_residual = RS_PASS_SET; /* the mask of x is not that of a join */
    refused(rs_cu_norm_gradients(&bad, test_stream()));
    refused(rs_cu_norm_backward(&bad, test_stream()));
    bad = s.norm;
    bad.dresidual = NULL;
    bad.pass_residual = RS_PASS_SET;
    refused(rs_cu_norm_backward(&bad, test_stream()));
    refused(rs_cu_norm_backward(NULL, test_stream()));
    assert_int_equal(rs_cu_norm_partial_bytes(0, 8), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kernel_test(alone),
        kernel_test(with_relu),
        kernel_test(joined),
        kernel_test(joined_with_relu),
        kernel_test(by_running_statistics),
        kernel_test(fixed_statistics),
        kernel_test(hard_statistics),
        kernel_test(long_columns),
        kernel_test(in_place),
        kernel_test(arguments),
    };
    return cmocka_run_group_tests(tests, NULL, end_of_group);
}
