/* test_objectives.c: what objectives of layers measure, and their gradients, against loops in double. */
#include "on_device.h"

static const int64_t counts[] = {1, 3, 4, 7, 1023, 1024, 4096, 4099, 100000};

static rs_layer_value measure(const float *y, int64_t count, double target)
{
    rs_layer_value value, *on_device = device_new(sizeof value);
    double *partial = device_new((int64_t)rs_cu_distance_partial_bytes(count));
    cuda_ok(rs_cu_distance_measure(y, count, target, partial, on_device, test_stream()));
    device_get(&value, on_device, sizeof value);
    return value;
}

static void measures_of(int64_t count, double target)
{
    float *y;
    const float *dy = device_filled(RS_FILL_NORMAL, 1, count, &y);
    double sum = 0.0, square = 0.0;
    for (int64_t i = 0; i < count; i++) {
        double distance = (double)y[i] - target;
        sum += (double)y[i];
        square += distance * distance;
    }
    rs_layer_value got = measure(dy, count, target), again = measure(dy, count, target);
    square /= (double)count;
    sum /= (double)count;
    if (!(fabs(got.loss - square) <= 1e-12 * square && fabs(got.mean - sum) <= 1e-12)) {
        fail_msg("%lld values: loss %.17g instead of %.17g, mean %.17g instead of %.17g", (long long)count,
                 got.loss, square, got.mean, sum);
    }
    assert_memory_equal(&got, &again, sizeof got);
}

static void measures(void **state)
{
    for (int i = 0; i < COUNT_OF(counts); i++) {
        measures_of(counts[i], i % 2 ? -0.75 : 3.0);
        end_of_test(state);
    }
}

/* More than one piece a block is long, and a last one that is shorter. */
static void many_pieces(void **state)
{
    (void)state;
    const int64_t count = 4 * 1024 * 1024 + 8195;
    float *y = host_new(count * 4);
    double sum = 0.0;
    for (int64_t i = 0; i < count; i++) {
        y[i] = (float)(i % 1021);
        sum += (double)y[i];
    }
    rs_layer_value got = measure(device_put(y, count * 4), count, 0.0);
    assert_true(got.mean == sum / (double)count); /* whole numbers: exact */
}

static void not_finite(void **state)
{
    (void)state;
    float y[100] = {0.0f};
    y[50] = NAN;
    rs_layer_value got = measure(device_put(y, sizeof y), 100, 0.5);
    assert_true(isnan(got.loss) && isnan(got.mean));
}

static void gradients_of(int64_t count, rs_pass pass)
{
    const double target = 0.3, factor = 2.5;
    float *y, *old;
    const float *dy = device_filled(RS_FILL_NORMAL, 2, count, &y);
    float *to = device_filled(RS_FILL_NORMAL, 3, count, &old), *want = host_new(count * 4);
    cuda_ok(rs_cu_distance_backward(dy, to, target, factor, pass, count, test_stream()));
    for (int64_t i = 0; i < count; i++) {
        float g = (y[i] - (float)target) * (float)factor;
        want[i] = pass == RS_PASS_ADD ? old[i] + g : pass == RS_PASS_SET ? g : old[i];
    }
    assert_memory_equal(floats_from(to, count), want, (size_t)count * 4);
}

static void gradients(void **state)
{
    for (int i = 0; i < COUNT_OF(counts); i++) {
        for (int pass = RS_PASS_NONE; pass <= RS_PASS_ADD; pass++) {
            gradients_of(counts[i], (rs_pass)pass);
            end_of_test(state);
        }
    }
}

static void arguments(void **state)
{
    (void)state;
    float *y = device_new(64), *dy = device_new(64);
    double *partial = device_new(64);
    rs_layer_value *value = device_new(64);
    refused(rs_cu_distance_measure(NULL, 4, 0.0, partial, value, test_stream()));
    refused(rs_cu_distance_measure(y + 1, 4, 0.0, partial, value, test_stream()));
    refused(rs_cu_distance_measure(y, 0, 0.0, partial, value, test_stream()));
    refused(rs_cu_distance_measure(y, 4, 0.0, NULL, value, test_stream()));
    refused(rs_cu_distance_measure(y, 4, 0.0, partial, NULL, test_stream()));
    refused(rs_cu_distance_backward(NULL, dy, 0.0, 1.0, RS_PASS_SET, 4, test_stream()));
    refused(rs_cu_distance_backward(y, dy + 1, 0.0, 1.0, RS_PASS_SET, 4, test_stream()));
    refused(rs_cu_distance_backward(y, dy, 0.0, 1.0, RS_PASS_ADD, 0, test_stream()));
    assert_int_equal(rs_cu_distance_partial_bytes(0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kernel_test(measures),  kernel_test(many_pieces), kernel_test(not_finite),
        kernel_test(gradients), kernel_test(arguments),
    };
    return cmocka_run_group_tests(tests, NULL, end_of_group);
}
