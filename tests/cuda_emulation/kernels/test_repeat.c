/* test_repeat.c: repetition along an axis, and the sums that come back, against loops in double. */
#include "on_device.h"

static const rs_cu_repeat shapes[] = {
    {1, 1, 1},  {3, 5, 1},  {7, 100, 1}, {2, 9, 3},      {2, 3, 3},    {5, 40, 8},   {4, 16, 31}, {4, 16, 32},
    {3, 2, 33}, {2, 7, 64}, {6, 1, 17},  {1, 1000, 130}, {300, 64, 1}, {100, 10, 4}, {1, 33, 6},
};

static void forward_of(const rs_cu_repeat *r)
{
    int64_t in = r->outer * r->inner, out = in * r->times;
    float *x, *want = host_new(out * 4), *y = device_new(out * 4);
    const float *dx = device_filled(RS_FILL_NORMAL, 1, in, &x);
    cuda_ok(rs_cu_repeat_forward(r, dx, y, test_stream()));
    for (int64_t i = 0; i < out; i++) {
        want[i] = x[i / (r->times * r->inner) * r->inner + i % r->inner];
    }
    assert_memory_equal(floats_from(y, out), want, (size_t)out * 4);
}

static void backward_of(const rs_cu_repeat *r, rs_pass pass)
{
    int64_t in = r->outer * r->inner, out = in * r->times;
    float *dy, *old;
    double *want = host_new(in * 8);
    const float *on_device = device_filled(RS_FILL_NORMAL, 2, out, &dy);
    float *dx = device_filled(RS_FILL_NORMAL, 3, in, &old);
    cuda_ok(rs_cu_repeat_backward(r, on_device, dx, pass, test_stream()));
    for (int64_t i = 0; i < in; i++) {
        double sum = 0.0;
        for (int64_t t = 0; t < r->times; t++) {
            sum += (double)dy[(i / r->inner * r->times + t) * r->inner + i % r->inner];
        }
        want[i] = (pass == RS_PASS_SET ? 0.0 : (double)old[i]) + (pass == RS_PASS_NONE ? 0.0 : sum);
    }
    close_on_device("dx", dx, want, in, 2e-7);
}

static void forward(void **state)
{
    for (int i = 0; i < COUNT_OF(shapes); i++) {
        forward_of(&shapes[i]);
        end_of_test(state);
    }
}

static void backward(void **state)
{
    for (int i = 0; i < COUNT_OF(shapes); i++) {
        for (int pass = RS_PASS_NONE; pass <= RS_PASS_ADD; pass++) {
            backward_of(&shapes[i], (rs_pass)pass);
            end_of_test(state);
        }
    }
}

static void arguments(void **state)
{
    (void)state;
    float *x = device_new(64);
    const rs_cu_repeat good = {1, 2, 3}, none = {1, 0, 3}, no_outer = {0, 2, 3}, no_inner = {1, 2, 0};
    refused(rs_cu_repeat_forward(&none, x, x, test_stream()));
    refused(rs_cu_repeat_forward(&no_outer, x, x, test_stream()));
    refused(rs_cu_repeat_forward(&no_inner, x, x, test_stream()));
    refused(rs_cu_repeat_forward(NULL, x, x, test_stream()));
    refused(rs_cu_repeat_forward(&good, NULL, x, test_stream()));
    refused(rs_cu_repeat_forward(&good, x, x + 1, test_stream()));
    refused(rs_cu_repeat_backward(&none, x, x, RS_PASS_SET, test_stream()));
    refused(rs_cu_repeat_backward(&good, NULL, x, RS_PASS_SET, test_stream()));
    refused(rs_cu_repeat_backward(&good, x, x + 1, RS_PASS_ADD, test_stream()));
}

int main(void)
{
    const struct CMUnitTest tests[] = {kernel_test(forward), kernel_test(backward), kernel_test(arguments)};
    return cmocka_run_group_tests(tests, NULL, end_of_group);
}
