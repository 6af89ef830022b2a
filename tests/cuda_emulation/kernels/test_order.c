/* test_order.c: canonical order and back, with padding, for floats, doubles and means of sums. */
#include "on_device.h"

static const rs_cu_order orders[] = {
    {.outer = 8, .positions = 49, .inner = 3, .stride = 4},
    {.outer = 5, .positions = 9, .inner = 64, .stride = 64},
    {.outer = 3, .positions = 9, .inner = 130, .stride = 132},
    {.outer = 10, .positions = 1, .inner = 512, .stride = 512},
    {.outer = 2, .positions = 1, .inner = 30, .stride = 32},
    {.outer = 2, .positions = 1000, .inner = 33, .stride = 33},
    {.outer = 1, .positions = 64, .inner = 1, .stride = 1},
    {.outer = 1, .positions = 1, .inner = 10, .stride = 10},
    {.outer = 4, .positions = 25, .inner = 6, .stride = 6},
    {.outer = 2, .positions = 2, .inner = 700, .stride = 704},
    {.outer = 3, .positions = 33, .inner = 1, .stride = 4},
    {.outer = 1, .positions = 3000, .inner = 1, .stride = 1},
};

/* Where a canonical element lies inside. */
static int64_t inside_at(const rs_cu_order *o, int64_t canonical)
{
    int64_t p = canonical % o->positions, c = canonical / o->positions % o->inner;
    int64_t outer = canonical / o->positions / o->inner;
    return (outer * o->positions + p) * o->stride + c;
}

static void floats_of(const rs_cu_order *o)
{
    int64_t plain = o->outer * o->positions * o->inner, padded = o->outer * o->positions * o->stride;
    float *values, *want = host_new(padded * 4);
    const float *canonical = device_filled(RS_FILL_NORMAL, 1, plain, &values);
    float *inside = device_new(padded * 4), *back = device_new(plain * 4);
    cuda_ok(rs_cu_from_canonical(o, canonical, inside, test_stream()));
    for (int64_t i = 0; i < plain; i++) {
        want[inside_at(o, i)] = values[i];
    }
    assert_memory_equal(floats_from(inside, padded), want, (size_t)padded * 4);
    cuda_ok(rs_cu_add_from_canonical(o, canonical, inside, test_stream()));
    for (int64_t i = 0; i < padded; i++) {
        want[i] *= 2.0f;
    }
    assert_memory_equal(floats_from(inside, padded), want, (size_t)padded * 4);
    cuda_ok(rs_cu_from_canonical(o, canonical, inside, test_stream()));
    cuda_ok(rs_cu_to_canonical(o, inside, back, test_stream()));
    assert_memory_equal(floats_from(back, plain), values, (size_t)plain * 4);
}

static void doubles_of(const rs_cu_order *o)
{
    int64_t plain = o->outer * o->positions * o->inner, padded = o->outer * o->positions * o->stride;
    double *values = host_new(plain * 8), *want = host_new(padded * 8), *got = host_new(padded * 8);
    float *means = device_new(plain * 4);
    for (int64_t i = 0; i < plain; i++) {
        want[inside_at(o, i)] = values[i] = sin((double)i) * 1e9;
    }
    double *inside = device_new(padded * 8), *back = device_new(plain * 8);
    cuda_ok(rs_cu_doubles_from_canonical(o, device_put(values, plain * 8), inside, test_stream()));
    device_get(got, inside, padded * 8);
    assert_memory_equal(got, want, (size_t)padded * 8);
    cuda_ok(rs_cu_doubles_to_canonical(o, inside, back, test_stream()));
    device_get(got, back, plain * 8);
    assert_memory_equal(got, values, (size_t)plain * 8);
    cuda_ok(rs_cu_sum_to_canonical(o, inside, 7.0, means, test_stream()));
    const float *all = floats_from(means, plain);
    for (int64_t i = 0; i < plain; i++) {
        assert_true(all[i] == (float)(values[i] / 7.0));
    }
}

static void floats(void **state)
{
    for (int i = 0; i < COUNT_OF(orders); i++) {
        floats_of(&orders[i]);
        end_of_test(state);
    }
}

static void doubles(void **state)
{
    for (int i = 0; i < COUNT_OF(orders); i++) {
        doubles_of(&orders[i]);
        end_of_test(state);
    }
}

static void arguments(void **state)
{
    (void)state;
    const rs_cu_order good = {.outer = 1, .positions = 2, .inner = 3, .stride = 4};
    rs_cu_order bad = good;
    float *a = device_new(64), *b = device_new(64);
    double *d = device_new(64);
    bad.stride = 2;
    refused(rs_cu_to_canonical(&bad, a, b, test_stream()));
    refused(rs_cu_from_canonical(NULL, a, b, test_stream()));
    refused(rs_cu_add_from_canonical(&bad, a, b, test_stream()));
    refused(rs_cu_add_from_canonical(&good, a, NULL, test_stream()));
    refused(rs_cu_to_canonical(&good, NULL, b, test_stream()));
    refused(rs_cu_sum_to_canonical(&good, d, 1.0, NULL, test_stream()));
    refused(rs_cu_doubles_to_canonical(&bad, d, d, test_stream()));
    refused(rs_cu_doubles_from_canonical(&good, NULL, d, test_stream()));
}

int main(void)
{
    const struct CMUnitTest tests[] = {kernel_test(floats), kernel_test(doubles), kernel_test(arguments)};
    return cmocka_run_group_tests(tests, NULL, end_of_group);
}
