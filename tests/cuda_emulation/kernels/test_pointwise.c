/* test_pointwise.c: ReLU, softplus, sigmoid, tanh, sums, quotients, bias, against loops in double. */
#include "on_device.h"

static const int64_t counts[] = {1, 3, 4, 7, 1023, 1024, 1025, 4099, 100000};

/* An array with a NaN, both zeros and infinities where it is long enough. */
static float *device_mixed(uint64_t seed, int64_t count, float **host)
{
    static const float special[] = {NAN, -0.0f, 0.0f, INFINITY, -INFINITY};
    *host = filled(RS_FILL_NORMAL, seed, count);
    for (int64_t i = 0; count > 1000 && i < COUNT_OF(special); i++) {
        (*host)[i * 7] = special[i];
    }
    return device_put(*host, count * (int64_t)sizeof **host);
}

/* Equal to the bit, any NaN to any other. */
static void equal_floats(const float *device, const float *want, int64_t count)
{
    const float *got = floats_from(device, count);
    for (int64_t i = 0; i < count; i++) {
        if (!(isnan(got[i]) && isnan(want[i])) && memcmp(&got[i], &want[i], sizeof *got) != 0) {
            fail_msg("at %lld: %.9g instead of %.9g", (long long)i, (double)got[i], (double)want[i]);
        }
    }
}

static void relu_of(int64_t count)
{
    float *x, *dy, *old, *want = host_new(count * 4);
    float *dx = device_mixed(1, count, &x), *y = device_new(count * 4);
    const float *ddy = device_filled(RS_FILL_NORMAL, 2, count, &dy);
    cuda_ok(rs_cu_relu_forward(dx, y, count, test_stream()));
    for (int64_t i = 0; i < count; i++) {
        want[i] = x[i] < 0.0f ? 0.0f : x[i];
    }
    equal_floats(y, want, count);
    for (int pass = RS_PASS_SET; pass <= RS_PASS_ADD; pass++) {
        dx = device_filled(RS_FILL_NORMAL, 3, count, &old);
        cuda_ok(rs_cu_relu_backward(y, ddy, dx, (rs_pass)pass, count, test_stream()));
        for (int64_t i = 0; i < count; i++) {
            float g = x[i] > 0.0f ? dy[i] : 0.0f;
            want[i] = pass == RS_PASS_ADD ? old[i] + g : g;
        }
        equal_floats(dx, want, count);
    }
    cuda_ok(rs_cu_relu_backward(y, ddy, dx, RS_PASS_NONE, count, test_stream()));
    equal_floats(dx, want, count);
}

static void softplus_of(int64_t count)
{
    float *x, *dy, *old;
    double *want = host_new(count * 8);
    const float *dx = device_filled(RS_FILL_NORMAL, 4, count, &x),
                *ddy = device_filled(RS_FILL_NORMAL, 5, count, &dy);
    float *y = device_new(count * 4), *to = device_filled(RS_FILL_NORMAL, 6, count, &old);
    cuda_ok(rs_cu_softplus_forward(dx, y, count, test_stream()));
    for (int64_t i = 0; i < count; i++) {
        want[i] = log(1.0 + exp((double)x[i]));
    }
    close_on_device("y", y, want, count, 1e-7);
    cuda_ok(rs_cu_softplus_backward(dx, ddy, to, RS_PASS_ADD, count, test_stream()));
    for (int64_t i = 0; i < count; i++) {
        want[i] = (double)old[i] + (double)dy[i] * exp((double)x[i]) / (1.0 + exp((double)x[i]));
    }
    close_on_device("dx", to, want, count, 2e-7);
}

/* Far out softplus is 0 or x, and no number overflows. */
static void softplus_far_out(void **state)
{
    (void)state;
    const float x[] = {-1e30f, -100.0f, 90.0f, 1e30f, -INFINITY, INFINITY, NAN, 0.0f};
    const float *dx = device_put(x, sizeof x);
    float *y = device_new(sizeof x);
    cuda_ok(rs_cu_softplus_forward(dx, y, COUNT_OF(x), test_stream()));
    const float want[] = {0.0f, (float)exp(-100.0), 90.0f, 1e30f, 0.0f, INFINITY, NAN, (float)log(2.0)};
    equal_floats(y, want, COUNT_OF(x));
}

static void sums_of(int64_t count)
{
    float *a, *b, *want = host_new(count * 4);
    const float *da = device_filled(RS_FILL_NORMAL, 7, count, &a);
    float *db = device_filled(RS_FILL_NORMAL, 8, count, &b), *y = device_new(count * 4);
    cuda_ok(rs_cu_add_forward(da, db, y, count, test_stream()));
    for (int64_t i = 0; i < count; i++) {
        want[i] = a[i] + b[i];
    }
    equal_floats(y, want, count);
    cuda_ok(rs_cu_pass(da, db, RS_PASS_ADD, count, test_stream()));
    equal_floats(db, want, count);
    cuda_ok(rs_cu_pass(da, db, RS_PASS_SET, count, test_stream()));
    equal_floats(db, a, count);
    cuda_ok(rs_cu_pass(y, db, RS_PASS_NONE, count, test_stream()));
    equal_floats(db, a, count);
}

static void relu(void **state)
{
    for (int i = 0; i < COUNT_OF(counts); i++) {
        relu_of(counts[i]);
        end_of_test(state);
    }
}

static void softplus(void **state)
{
    for (int i = 0; i < COUNT_OF(counts) - 1; i++) {
        softplus_of(counts[i]);
        end_of_test(state);
    }
}

static void sums(void **state)
{
    for (int i = 0; i < COUNT_OF(counts); i++) {
        sums_of(counts[i]);
        end_of_test(state);
    }
}

typedef cudaError_t forward_function(const float *, float *, int64_t, cudaStream_t);
typedef cudaError_t backward_function(const float *, const float *, float *, rs_pass, int64_t, cudaStream_t);

static double sigmoid_at(double x)
{
    return 1.0 / (1.0 + exp(-x));
}

/* Of a function whose gradient is made from its output. */
static void curve_of(forward_function *forward, backward_function *backward, bool sigmoid, int64_t count)
{
    float *x, *dy, *old;
    double *want = host_new(count * 8);
    const float *dx = device_filled(RS_FILL_NORMAL, 12, count, &x),
                *ddy = device_filled(RS_FILL_NORMAL, 13, count, &dy);
    float *y = device_new(count * 4), *to = device_filled(RS_FILL_NORMAL, 14, count, &old);
    cuda_ok(forward(dx, y, count, test_stream()));
    for (int64_t i = 0; i < count; i++) {
        want[i] = sigmoid ? sigmoid_at((double)x[i]) : tanh((double)x[i]);
    }
    close_on_device("y", y, want, count, 2e-7);
    for (int pass = RS_PASS_NONE; pass <= RS_PASS_ADD; pass++) {
        to = device_put(old, count * 4);
        cuda_ok(backward(y, ddy, to, (rs_pass)pass, count, test_stream()));
        for (int64_t i = 0; i < count; i++) {
            double s = sigmoid ? sigmoid_at((double)x[i]) : tanh((double)x[i]);
            double slope = sigmoid ? s * (1.0 - s) : 1.0 - s * s;
            want[i] = (pass == RS_PASS_SET ? 0.0 : (double)old[i]) +
                      (pass == RS_PASS_NONE ? 0.0 : (double)dy[i] * slope);
        }
        close_on_device("dx", to, want, count, 3e-7);
    }
}

static void curves(void **state)
{
    for (int i = 0; i < COUNT_OF(counts) - 1; i++) {
        curve_of(rs_cu_sigmoid_forward, rs_cu_sigmoid_backward, true, counts[i]);
        end_of_test(state);
        curve_of(rs_cu_tanh_forward, rs_cu_tanh_backward, false, counts[i]);
        end_of_test(state);
    }
}

/* Far out they are 0, 1 or -1, and their gradients 0. */
static void curves_far_out(void **state)
{
    (void)state;
    const float x[] = {-1e30f, 1e30f, -INFINITY, INFINITY, NAN, 0.0f, -200.0f, 200.0f};
    const float sigmoid[] = {0.0f, 1.0f, 0.0f, 1.0f, NAN, 0.5f, 0.0f, 1.0f},
                flat[] = {-1.0f, 1.0f, -1.0f, 1.0f, NAN, 0.0f, -1.0f, 1.0f},
                none[] = {0.0f, 0.0f, 0.0f, 0.0f, NAN, 0.25f, 0.0f, 0.0f};
    const float ones[] = {1.0f, 1.0f, 1.0f, 1.0f, 1.0f, 1.0f, 1.0f, 1.0f};
    const float *dx = device_put(x, sizeof x), *dy = device_put(ones, sizeof ones);
    float *y = device_new(sizeof x), *to = device_new(sizeof x);
    cuda_ok(rs_cu_tanh_forward(dx, y, COUNT_OF(x), test_stream()));
    equal_floats(y, flat, COUNT_OF(x));
    cuda_ok(rs_cu_sigmoid_forward(dx, y, COUNT_OF(x), test_stream()));
    equal_floats(y, sigmoid, COUNT_OF(x));
    cuda_ok(rs_cu_sigmoid_backward(y, dy, to, RS_PASS_SET, COUNT_OF(x), test_stream()));
    equal_floats(to, none, COUNT_OF(x));
}

static void quotients_of(int64_t count, int pass_a, int pass_b)
{
    float *a, *b, *dy, *old_a, *old_b;
    double *want = host_new(count * 8), *want_b = host_new(count * 8);
    rs_cu_quotient q = {.count = count, .pass_a = (rs_pass)pass_a, .pass_b = (rs_pass)pass_b};
    float *y = device_new(count * 4);
    q.a = device_filled(RS_FILL_NORMAL, 15, count, &a);
    b = filled(RS_FILL_NORMAL, 16, count);
    for (int64_t i = 0; i < count; i++) {
        b[i] = (b[i] < 0.0f ? -1.0f : 1.0f) + b[i];
    }
    q.b = device_put(b, count * 4);
    q.dy = device_filled(RS_FILL_NORMAL, 17, count, &dy);
    q.da = device_filled(RS_FILL_NORMAL, 18, count, &old_a);
    q.db = device_filled(RS_FILL_NORMAL, 19, count, &old_b);
    cuda_ok(rs_cu_divide_forward(q.a, q.b, y, count, test_stream()));
    for (int64_t i = 0; i < count; i++) {
        want[i] = (double)a[i] / (double)b[i];
    }
    close_on_device("y", y, want, count, 1e-7);
    cuda_ok(rs_cu_divide_backward(&q, test_stream()));
    for (int64_t i = 0; i < count; i++) {
        double g = (double)dy[i] / (double)b[i];
        want[i] = (pass_a == RS_PASS_SET ? 0.0 : (double)old_a[i]) + (pass_a == RS_PASS_NONE ? 0.0 : g);
        want_b[i] = (pass_b == RS_PASS_SET ? 0.0 : (double)old_b[i]) -
                    (pass_b == RS_PASS_NONE ? 0.0 : g * (double)a[i] / (double)b[i]);
    }
    close_on_device("da", q.da, want, count, 3e-7);
    close_on_device("db", q.db, want_b, count, 3e-7);
}

static void quotients(void **state)
{
    for (int i = 0; i < COUNT_OF(counts) - 1; i++) {
        for (int k = 0; k < 9; k++) {
            quotients_of(counts[i], k / 3, k % 3);
            end_of_test(state);
        }
    }
}

/* x / x: both gradients go to one tensor, and cancel. */
static void quotient_of_itself(void **state)
{
    (void)state;
    float *x, *dy;
    const float *a = device_filled(RS_FILL_NORMAL, 20, 1000, &x);
    float *d = device_new(4000);
    rs_cu_quotient q = {.a = a, .b = a, .da = d, .db = d, .count = 1000};
    q.dy = device_filled(RS_FILL_NORMAL, 21, 1000, &dy);
    q.pass_a = RS_PASS_ADD;
    q.pass_b = RS_PASS_SET;
    cuda_ok(rs_cu_divide_backward(&q, test_stream()));
    equal_floats(d, host_new(4000), 1000);
}

static void bias_of(int64_t rows, int channels)
{
    int64_t count = rows * channels;
    float *b, *y;
    const float *db = device_filled(RS_FILL_NORMAL, 9, channels, &b);
    float *dy = device_filled(RS_FILL_NORMAL, 10, count, &y), *sum = device_new(channels * 4),
          *want = host_new(count * 4);
    double *partial = device_new((int64_t)rs_cu_norm_partial_bytes(rows, channels)),
           *total = host_new(channels * 8);
    cuda_ok(rs_cu_bias_gradient(dy, sum, partial, rows, channels, test_stream()));
    cuda_ok(rs_cu_bias_add(db, dy, rows, channels, test_stream()));
    for (int64_t i = 0; i < count; i++) {
        total[i % channels] += (double)y[i];
        want[i] = y[i] + b[i % channels];
    }
    close_on_device("sum", sum, total, channels, 1e-6);
    equal_floats(dy, want, count);
}

static void bias(void **state)
{
    static const struct {
        int64_t rows;
        int channels;
    } shapes[] = {{1, 1}, {1, 10}, {256, 10}, {100, 1000}, {3, 132}, {5000, 64}, {4097, 3}};
    for (int i = 0; i < COUNT_OF(shapes); i++) {
        bias_of(shapes[i].rows, shapes[i].channels);
        end_of_test(state);
    }
}

static void arguments(void **state)
{
    (void)state;
    float *x = device_new(64), *y = device_new(64);
    refused(rs_cu_relu_forward(NULL, y, 4, test_stream()));
    refused(rs_cu_relu_forward(x + 1, y, 4, test_stream()));
    refused(rs_cu_relu_forward(x, y, 0, test_stream()));
    refused(rs_cu_relu_backward(x, x, NULL, RS_PASS_SET, 4, test_stream()));
    refused(rs_cu_softplus_forward(x, NULL, 4, test_stream()));
    refused(rs_cu_softplus_backward(NULL, x, y, RS_PASS_SET, 4, test_stream()));
    refused(rs_cu_sigmoid_forward(x, y + 1, 4, test_stream()));
    refused(rs_cu_sigmoid_backward(x, NULL, y, RS_PASS_ADD, 4, test_stream()));
    refused(rs_cu_tanh_forward(NULL, y, 4, test_stream()));
    refused(rs_cu_tanh_backward(x, x, y, RS_PASS_ADD, 0, test_stream()));
    refused(rs_cu_divide_forward(x, NULL, y, 4, test_stream()));
    const rs_cu_quotient good = {.a = x, .b = x, .dy = x, .da = y, .pass_a = RS_PASS_SET, .count = 4};
    rs_cu_quotient bad = good;
    bad.pass_b = RS_PASS_SET;
    refused(rs_cu_divide_backward(&bad, test_stream()));
    bad = good;
    bad.b = NULL;
    refused(rs_cu_divide_backward(&bad, test_stream()));
    bad = good;
    bad.count = 0;
    refused(rs_cu_divide_backward(&bad, test_stream()));
    refused(rs_cu_divide_backward(NULL, test_stream()));
    refused(rs_cu_add_forward(x, NULL, y, 4, test_stream()));
    refused(rs_cu_pass(x, y, RS_PASS_SET, -1, test_stream()));
    refused(rs_cu_bias_add(x, y, 0, 4, test_stream()));
    refused(rs_cu_bias_gradient(x, y, NULL, 4, 4, test_stream()));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kernel_test(relu),
        kernel_test(softplus),
        kernel_test(softplus_far_out),
        kernel_test(sums),
        kernel_test(bias),
        kernel_test(arguments),
        kernel_test(curves),
        kernel_test(curves_far_out),
        kernel_test(quotients),
        kernel_test(quotient_of_itself),
    };
    return cmocka_run_group_tests(tests, NULL, end_of_group);
}
