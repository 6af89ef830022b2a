/* test_histogram.c: ranges, bins and the scale for both signs, also of what is not finite. */
#include <setjmp.h> /* cmocka.h needs these four first */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "histogram.h"

static void ranges_pass_over_what_is_not_finite(void **state)
{
    const float values[] = {NAN, 2.0f, INFINITY, -3.0f, -INFINITY, 1.0f};
    double low = (double)NAN, high = (double)NAN;
    (void)state;
    rs__range_add(values, 1, &low, &high);
    assert_true(isnan(low) && isnan(high));
    rs__range_add(values, 6, &low, &high);
    assert_true(low == -3.0 && high == 2.0);
    rs__range_add((const float[]){-1.0f, 5.0f}, 2, &low, &high);
    assert_true(low == -3.0 && high == 5.0);
}

static void every_value_counts_once(void **state)
{
    const float values[] = {0.0f, 0.99f, 1.0f, 2.5f, 4.0f, NAN, -0.1f, 4.1f, INFINITY};
    int64_t counts[4] = {0};
    (void)state;
    assert_int_equal(rs__histogram_add(values, 9, 0.0, 4.0, 4, counts), 7);
    assert_int_equal(counts[0], 2);
    assert_int_equal(counts[1], 1);
    assert_int_equal(counts[2], 1);
    assert_int_equal(counts[3], 1); /* the highest value belongs to the last bin */
    assert_int_equal(rs__histogram_add(values, 2, 0.0, 4.0, 4, counts), 2);
    assert_int_equal(counts[0], 4); /* it adds */
}

static void the_scale_has_both_signs_and_comes_back(void **state)
{
    const double values[] = {-3e5, -1.0, -1e-9, 0.0, 1e-9, 0.25, 7.0, 3e5};
    (void)state;
    assert_true(rs__signed_log(0.0, 1e-3) == 0.0);
    assert_true(fabs(rs__signed_log(9.0, 1.0) - 1.0) < 1e-15);
    for (int i = 0; i < 8; i++) {
        const double y = rs__signed_log(values[i], 1e-3);
        assert_true(y == -rs__signed_log(-values[i], 1e-3));
        assert_true(fabs(rs__signed_log_inverse(y, 1e-3) - values[i]) <= 1e-9 * fabs(values[i]) + 1e-15);
        assert_true(i == 0 || y > rs__signed_log(values[i - 1], 1e-3));
    }
    assert_true(isnan(rs__signed_log((double)NAN, 1.0)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_pass_over_what_is_not_finite),
        cmocka_unit_test(every_value_counts_once),
        cmocka_unit_test(the_scale_has_both_signs_and_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
