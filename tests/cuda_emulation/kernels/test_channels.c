/* test_channels.c: softmax and row normalisation over channels, against loops in double. */
#include "on_device.h"

typedef cudaError_t launcher(const rs_cu_channels *, cudaStream_t);

static const struct {
    int64_t rows;
    int channels;
} shapes[] = {{1, 1}, {1, 10}, {33, 4}, {7, 3}, {100, 64}, {9, 512}, {5, 511}, {3, 516}, {2, 1501}};

static void expect_softmax(const float *x, int channels, double *y)
{
    double sum = 0.0;
    for (int k = 0; k < channels; k++) {
        sum += exp((double)x[k]);
    }
    for (int k = 0; k < channels; k++) {
        y[k] = exp((double)x[k]) / sum;
    }
}

static double sum_of(const float *x, int channels)
{
    double sum = 0.0;
    for (int k = 0; k < channels; k++) {
        sum += (double)x[k];
    }
    return sum;
}

static double dot_of(const double *y, const float *dy, int channels)
{
    double dot = 0.0;
    for (int k = 0; k < channels; k++) {
        dot += y[k] * (double)dy[k];
    }
    return dot;
}

/* Adds, or sets, one row of the gradient. */
static void expect_row(double *to, double value, const float *old, rs_pass pass)
{
    *to = (pass == RS_PASS_SET ? 0.0 : (double)*old) + (pass == RS_PASS_NONE ? 0.0 : value);
}

static void softmax_of(int64_t rows, int channels, rs_pass pass)
{
    int64_t count = rows * channels;
    float *x, *dy, *old;
    double *y = host_new(count * 8), *want = host_new(count * 8);
    rs_cu_channels c = {.rows = rows, .channels = channels, .pass = pass};
    c.x = device_filled(RS_FILL_NORMAL, 1, count, &x);
    float *output = c.y = device_new(count * 4);
    cuda_ok(rs_cu_softmax_forward(&c, test_stream()));
    c.dy = device_filled(RS_FILL_NORMAL, 2, count, &dy);
    c.x = output;
    c.y = device_filled(RS_FILL_NORMAL, 3, count, &old);
    cuda_ok(rs_cu_softmax_backward(&c, test_stream()));
    for (int64_t r = 0; r < rows; r++) {
        int64_t at = r * channels;
        expect_softmax(x + at, channels, y + at);
        double dot = dot_of(y + at, dy + at, channels);
        for (int64_t i = at; i < at + channels; i++) {
            expect_row(want + i, y[i] * ((double)dy[i] - dot), old + i, pass);
        }
    }
    close_on_device("y", output, y, count, 4e-7);
    close_on_device("dx", c.y, want, count, 4e-7);
}

static void normalize_of(int64_t rows, int channels, rs_pass pass)
{
    int64_t count = rows * channels;
    float *x = filled(RS_FILL_NORMAL, 4, count), *dy, *old;
    double *y = host_new(count * 8), *want = host_new(count * 8);
    rs_cu_channels c = {.rows = rows, .channels = channels, .pass = pass};
    for (int64_t i = 0; i < count; i++) {
        x[i] += 2.0f; /* no sum near 0 */
    }
    c.x = device_put(x, count * 4);
    float *output = c.y = device_new(count * 4);
    cuda_ok(rs_cu_row_normalize_forward(&c, test_stream()));
    c.dy = device_filled(RS_FILL_NORMAL, 5, count, &dy);
    c.y = device_filled(RS_FILL_NORMAL, 6, count, &old);
    cuda_ok(rs_cu_row_normalize_backward(&c, test_stream()));
    for (int64_t r = 0; r < rows; r++) {
        int64_t at = r * channels;
        double sum = sum_of(x + at, channels);
        for (int64_t i = at; i < at + channels; i++) {
            y[i] = (double)x[i] / sum;
        }
        double dot = dot_of(y + at, dy + at, channels);
        for (int64_t i = at; i < at + channels; i++) {
            expect_row(want + i, ((double)dy[i] - dot) / sum, old + i, pass);
        }
    }
    close_on_device("y", output, y, count, 2e-7);
    close_on_device("dx", c.y, want, count, 2e-7);
}

static void softmax(void **state)
{
    for (int i = 0; i < COUNT_OF(shapes); i++) {
        for (int pass = RS_PASS_NONE; pass <= RS_PASS_ADD; pass++) {
            softmax_of(shapes[i].rows, shapes[i].channels, (rs_pass)pass);
            end_of_test(state);
        }
    }
}

static void normalize(void **state)
{
    for (int i = 0; i < COUNT_OF(shapes); i++) {
        for (int pass = RS_PASS_NONE; pass <= RS_PASS_ADD; pass++) {
            normalize_of(shapes[i].rows, shapes[i].channels, (rs_pass)pass);
            end_of_test(state);
        }
    }
}

/* Large scores do not overflow, and a NaN stays in its row. */
static void far_out(void **state)
{
    (void)state;
    const float x[] = {1000.0f, 1000.0f, -1000.0f, -INFINITY, 0.0f, NAN, 0.0f, 0.0f, 5.0f, 5.0f, 5.0f, 5.0f};
    rs_cu_channels c = {.rows = 3, .channels = 4, .x = device_put(x, sizeof x), .y = device_new(sizeof x)};
    cuda_ok(rs_cu_softmax_forward(&c, test_stream()));
    const float *y = floats_from(c.y, 12);
    assert_true(y[0] == 0.5f && y[1] == 0.5f && y[2] == 0.0f && y[3] == 0.0f);
    for (int k = 0; k < 4; k++) {
        assert_true(isnan(y[4 + k]) && y[8 + k] == 0.25f);
    }
}

/* A sum of 0 divides as IEEE has it. */
static void sum_of_zero(void **state)
{
    (void)state;
    const float x[] = {1.0f, -1.0f, 0.0f};
    const rs_cu_channels c = {
        .rows = 1, .channels = 3, .x = device_put(x, sizeof x), .y = device_new(sizeof x)};
    cuda_ok(rs_cu_row_normalize_forward(&c, test_stream()));
    const float *y = floats_from(c.y, 3);
    assert_true(y[0] == INFINITY && y[1] == -INFINITY && isnan(y[2]));
}

static void arguments(void **state)
{
    (void)state;
    static launcher *const all[] = {rs_cu_softmax_forward, rs_cu_softmax_backward,
                                    rs_cu_row_normalize_forward, rs_cu_row_normalize_backward};
    float *x = device_new(64);
    const rs_cu_channels good = {.rows = 1, .channels = 4, .x = x, .dy = x, .y = x, .pass = RS_PASS_SET};
    for (int i = 0; i < COUNT_OF(all); i++) {
        rs_cu_channels bad[4] = {good, good, good, good};
        bad[0].x = NULL;
        bad[1].y = x + 1;
        bad[2].rows = 0;
        bad[3].channels = 0;
        for (int k = 0; k < 4; k++) {
            refused(all[i](&bad[k], test_stream()));
        }
        refused(all[i](NULL, test_stream()));
    }
    rs_cu_channels bad = good;
    bad.dy = NULL;
    refused(rs_cu_softmax_backward(&bad, test_stream()));
    refused(rs_cu_row_normalize_backward(&bad, test_stream()));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kernel_test(softmax),     kernel_test(normalize), kernel_test(far_out),
        kernel_test(sum_of_zero), kernel_test(arguments),
    };
    return cmocka_run_group_tests(tests, NULL, end_of_group);
}
