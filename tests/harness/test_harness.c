/* test_harness.c: the comparators, fills and guard zones, with planted faults that they must notice. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

enum { COUNT = 1000 };

static bool within(const double *got, const double *want, int64_t count, double tolerance)
{
    rs_comparison c = rs_compare(got, want, count);
    return rs_comparison_within(&c, tolerance);
}

/* Two equal arrays of normal values. */
static void fill_pair(double *got, double *want)
{
    rs_fill_values(RS_FILL_NORMAL, 1, "pair", want, COUNT);
    memcpy(got, want, COUNT * sizeof *got);
}

static void equal_arrays_pass_at_tolerance_zero(void **state)
{
    (void)state;
    double got[COUNT], want[COUNT];
    fill_pair(got, want);
    assert_true(within(got, want, COUNT, 0.0));
    assert_true(within(got, want, 0, 0.0));
    rs_comparison c = rs_compare(got, want, COUNT);
    assert_int_equal(c.worst, -1);
}

static void an_element_that_is_not_finite_fails_at_any_tolerance(void **state)
{
    (void)state;
    const double bad[] = {NAN, INFINITY, -INFINITY};
    double got[COUNT], want[COUNT];
    for (size_t i = 0; i < 3; i++) {
        fill_pair(got, want);
        got[700] = bad[i];
        assert_false(within(got, want, COUNT, INFINITY));
        assert_int_equal(rs_compare(got, want, COUNT).worst, 700);
        assert_false(within(want, got, COUNT, INFINITY)); /* on either side */
        want[700] = bad[i];
        assert_false(within(got, want, COUNT, INFINITY)); /* on both */
    }
}

static void a_flipped_sign_fails(void **state)
{
    (void)state;
    double got[COUNT], want[COUNT];
    fill_pair(got, want);
    got[COUNT - 1] = -got[COUNT - 1];
    assert_false(within(got, want, COUNT, 1e-4));
    for (int i = 0; i < COUNT; i++) {
        got[i] = -want[i];
    }
    assert_false(within(got, want, COUNT, 0.5));
}

static void a_shift_by_one_fails(void **state)
{
    (void)state;
    double got[COUNT], want[COUNT];
    fill_pair(got, want);
    memmove(got, got + 1, (COUNT - 1) * sizeof *got);
    assert_false(within(got, want, COUNT, 0.1));
}

static void one_unit_in_one_element_fails_where_equality_is_asked(void **state)
{
    (void)state;
    double got[COUNT], want[COUNT];
    fill_pair(got, want);
    got[3] = nextafter(got[3], 10.0);
    assert_false(within(got, want, COUNT, 0.0));
    assert_true(within(got, want, COUNT, 1e-12));
}

static void an_array_that_was_never_written_fails(void **state)
{
    (void)state;
    double got[COUNT] = {0}, want[COUNT];
    rs_fill_values(RS_FILL_NORMAL, 1, "want", want, COUNT);
    assert_false(within(got, want, COUNT, 0.5));
    assert_false(within(want, got, COUNT, 0.5)); /* the truth is 0: the plain norm counts */
}

static void one_large_error_among_many_fails_by_its_size(void **state)
{
    (void)state;
    static double got[1000000], want[1000000];
    for (int i = 0; i < 1000000; i++) {
        got[i] = want[i] = 1.0;
    }
    got[123456] = 1.0 + 2e-4; /* 2e-7 in the norm */
    rs_comparison c = rs_compare(got, want, 1000000);
    assert_true(c.relative < 1e-6);
    assert_false(rs_comparison_within(&c, 1e-6));
    assert_true(rs_comparison_error(&c) > 1e-6);
    assert_int_equal(c.worst, 123456);
}

static void floats_compare_like_doubles(void **state)
{
    (void)state;
    float got[] = {1.0F, 2.0F, 3.0F}, want[] = {1.0F, 2.0F, 3.0F};
    rs_comparison c = rs_compare_floats(got, want, 3);
    assert_true(rs_comparison_within(&c, 0.0));
    got[2] = -3.0F;
    c = rs_compare_floats(got, want, 3);
    assert_false(rs_comparison_within(&c, 0.1));
    got[2] = NAN;
    c = rs_compare_floats(got, want, 3);
    assert_false(rs_comparison_within(&c, INFINITY));
}

static void ulps_count_floats_between(void **state)
{
    (void)state;
    assert_int_equal(rs_ulps(1.0F, 1.0F), 0);
    assert_int_equal(rs_ulps(0.0F, -0.0F), 0);
    assert_int_equal(rs_ulps(1.0F, nextafterf(1.0F, 2.0F)), 1);
    assert_int_equal(rs_ulps(nextafterf(0.0F, 1.0F), nextafterf(0.0F, -1.0F)), 2);
    assert_true(rs_ulps(-1.0F, 1.0F) > 1000000000);
    assert_true(rs_ulps(NAN, 1.0F) == INT64_MAX && rs_ulps(NAN, NAN) == INT64_MAX);
}

static void guards_notice_a_write_on_either_side(void **state)
{
    (void)state;
    for (int offset = -1; offset <= 40; offset += 41) {
        rs_guarded guarded;
        assert_true(rs_guarded_create(40, &guarded));
        memset(guarded.data, 0, guarded.bytes);
        assert_true(rs_guarded_intact(&guarded));
        ((unsigned char *)guarded.data)[offset] = 0;
        assert_false(rs_guarded_intact(&guarded));
        rs_guarded_release(&guarded);
        rs_guarded_release(&guarded); /* an empty one */
    }
}

static void guards_and_fresh_data_are_nan_of_both_types(void **state)
{
    (void)state;
    rs_guarded guarded;
    assert_true(rs_guarded_create(16, &guarded));
    const float *f = guarded.data;
    const double *d = guarded.data;
    assert_true(isnan(f[0]) && isnan(f[-1]) && isnan(f[4]));
    assert_true(isnan(d[0]) && isnan(d[-1]) && isnan(d[2]));
    rs_guarded_release(&guarded);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void spread_values_keep_their_distance(void **state)
{
    (void)state;
    static double values[20001];
    const int64_t counts[] = {1, 2, 7, 1000, 20001};
    for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
        rs_fill_values(RS_FILL_SPREAD, 5, "spread", values, counts[c]);
        for (int64_t i = 0; i < counts[c]; i++) {
            assert_true(fabs(values[i]) >= 0x1p-11);
            assert_true((double)(float)values[i] == values[i]);
        }
        qsort(values, (size_t)counts[c], sizeof *values, by_value);
        for (int64_t i = 1; i < counts[c]; i++) {
            assert_true(values[i] - values[i - 1] >= 0x1p-10);
        }
    }
}

static void fills_are_what_they_say(void **state)
{
    (void)state;
    double integers[COUNT], sized[COUNT], again[COUNT];
    int seen[5] = {0};
    rs_fill_values(RS_FILL_INTEGER, 2, "a", integers, COUNT);
    rs_fill_values(RS_FILL_SIZED, 2, "a", sized, COUNT);
    for (int i = 0; i < COUNT; i++) {
        assert_true(integers[i] == floor(integers[i]) && fabs(integers[i]) <= 2.0);
        assert_true(fabs(sized[i]) >= 0.5 && fabs(sized[i]) <= 1.5);
        seen[(int)integers[i] + 2]++;
    }
    for (int i = 0; i < 5; i++) {
        assert_in_range(seen[i], COUNT / 10, COUNT / 3);
    }
    rs_fill_values(RS_FILL_SIZED, 2, "a", again, COUNT);
    assert_memory_equal(sized, again, sizeof sized);
    rs_fill_values(RS_FILL_SIZED, 3, "a", again, COUNT);
    assert_memory_not_equal(sized, again, sizeof sized);
    rs_fill_values(RS_FILL_SIZED, 2, "b", again, COUNT);
    assert_memory_not_equal(sized, again, sizeof sized);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_arrays_pass_at_tolerance_zero),
        cmocka_unit_test(an_element_that_is_not_finite_fails_at_any_tolerance),
        cmocka_unit_test(a_flipped_sign_fails),
        cmocka_unit_test(a_shift_by_one_fails),
        cmocka_unit_test(one_unit_in_one_element_fails_where_equality_is_asked),
        cmocka_unit_test(an_array_that_was_never_written_fails),
        cmocka_unit_test(one_large_error_among_many_fails_by_its_size),
        cmocka_unit_test(floats_compare_like_doubles),
        cmocka_unit_test(ulps_count_floats_between),
        cmocka_unit_test(guards_notice_a_write_on_either_side),
        cmocka_unit_test(guards_and_fresh_data_are_nan_of_both_types),
        cmocka_unit_test(spread_values_keep_their_distance),
        cmocka_unit_test(fills_are_what_they_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
