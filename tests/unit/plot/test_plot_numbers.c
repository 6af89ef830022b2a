/* test_plot_numbers.c: what is done to series before they are drawn, against the plain formula; gaps stay gaps. */
#include <math.h>
#include <stdlib.h>

#include "harness.h"
#include "numbers.h"
#include "rs/random.h"

static rs_error error;

static void near(double got, double want)
{
    const double tolerance = 1e-12 * fmax(1.0, fabs(want));
    if (!(fabs(got - want) <= tolerance)) {
        fail_msg("%.17g instead of %.17g", got, want);
    }
}

/* The mean over window neighbours by the definition. */
static double plain_mean(const double *values, int count, int at, int window)
{
    double sum = 0.0;
    int n = 0;
    for (int i = at - window / 2; i < at - window / 2 + window; i++) {
        if (i >= 0 && i < count && isfinite(values[i])) {
            sum += values[i];
            n++;
        }
    }
    return sum / n;
}

static void test_smooth(void **state)
{
    enum { COUNT = 40 };
    double values[COUNT], smooth[COUNT];
    (void)state;
    for (int window = 2; window <= 60; window += 1 + window / 3) {
        for (int i = 0; i < COUNT; i++) {
            values[i] = smooth[i] = rs_normal(3, 1, (uint64_t)i) + 1e3;
        }
        values[7] = smooth[7] = NAN;
        values[20] = smooth[20] = INFINITY;
        harness_ok(rs__smooth(smooth, COUNT, window, &error), &error);
        for (int i = 0; i < COUNT; i++) {
            if (i == 7 || i == 20) {
                assert_true(!isfinite(smooth[i]));
            } else {
                near(smooth[i], plain_mean(values, COUNT, i, window));
            }
        }
    }
    double one[] = {4.0, NAN};
    harness_ok(rs__smooth(one, 2, 1, &error), &error);
    near(one[0], 4.0);
    harness_ok(rs__smooth(one, 0, 9, &error), &error);
}

/* The first one equals a large constant exactly: no digits are lost to the sums. */
static void test_smooth_keeps_constants(void **state)
{
    double values[1000];
    (void)state;
    for (int i = 0; i < 1000; i++) {
        values[i] = 0.1;
    }
    harness_ok(rs__smooth(values, 1000, 33, &error), &error);
    for (int i = 0; i < 1000; i++) {
        assert_true(values[i] == 0.1);
    }
}

static void test_outliers(void **state)
{
    double values[] = {1.0, 2.0, 3.0, 2.0, 1.0, 2.0, 3.0, 2.0, 2.0, 2.0, 100.0, NAN};
    double mean = 0.0, squares = 0.0;
    (void)state;
    for (int i = 0; i < 11; i++) {
        mean += values[i] / 11.0;
    }
    for (size_t i = 0; i < 11; i++) {
        squares += (values[i] - mean) * (values[i] - mean) / 11.0;
    }
    assert_true(100.0 - mean > 3.0 * sqrt(squares)); /* what the case is about */
    rs__replace_outliers(values, 12, 3.0);
    near(values[10], mean);
    near(values[0], 1.0);
    assert_true(isnan(values[11]));
    double kept[] = {1.0, 5.0};
    rs__replace_outliers(kept, 2, 0.0);
    near(kept[1], 5.0);
}

/* Three runs, one shorter, one with a gap. */
static void test_band(void **state)
{
    const double a[] = {1.0, 2.0, 3.0}, b[] = {3.0, NAN, 5.0}, c[] = {5.0, 6.0};
    const double *const values[] = {a, b, c};
    const int64_t lengths[] = {3, 3, 2};
    double low[3], mean[3], high[3];
    const rs__band band = {low, mean, high};
    (void)state;
    harness_ok(rs__band_of(values, lengths, 3, 3, &band, &error), &error);
    near(mean[0], 3.0);
    near(high[0], 5.0);
    near(low[0], 1.0);
    near(mean[1], 4.0);
    near(high[1] - mean[1], sqrt(8.0));
    near(mean[2], 4.0);
    near(mean[2] - low[2], sqrt(2.0));
    harness_ok(rs__band_of(values, lengths, 1, 3, &band, &error), &error);
    assert_true(mean[1] == 2.0 && isnan(low[1]) && isnan(high[1]));
    const double *const gap[] = {b};
    harness_ok(rs__band_of(gap, lengths, 1, 3, &band, &error), &error);
    assert_true(isnan(mean[1]));
}

static void test_median(void **state)
{
    const double values[] = {5.0, 1.0, NAN, 3.0, 2.0};
    double median;
    (void)state;
    harness_ok(rs__median(values, 5, 1, &median, &error), &error);
    near(median, 2.5);
    harness_ok(rs__median(values, 2, 3, &median, &error), &error); /* 5 and 3 */
    near(median, 4.0);
    harness_ok(rs__median(values + 2, 1, 1, &median, &error), &error);
    assert_true(isnan(median));
}

/* --- thinning ------------------------------------------------------------------------------------------------- */

enum { MANY = 20000, COLUMNS = 100 };

/* Of every column the extremes, both ends, and a gap where it has one, in order. */
static void check_thin(const double *x, const double *y, const int64_t *kept, int64_t left, bool log,
                       double low, double high)
{
    double least[COLUMNS], most[COLUMNS], least_kept[COLUMNS], most_kept[COLUMNS];
    bool gap[COLUMNS] = {false}, gap_kept[COLUMNS] = {false};
    for (int c = 0; c < COLUMNS; c++) {
        least[c] = least_kept[c] = INFINITY;
        most[c] = most_kept[c] = -INFINITY;
    }
    for (int64_t i = 0; i < MANY; i++) {
        const int64_t c = rs__column_of(x[i], low, high, log, COLUMNS);
        assert_in_range(c, 0, COLUMNS - 1);
        gap[c] = gap[c] || !isfinite(y[i]);
        least[c] = isfinite(y[i]) ? fmin(least[c], y[i]) : least[c];
        most[c] = isfinite(y[i]) ? fmax(most[c], y[i]) : most[c];
    }
    for (int64_t k = 0; k < left; k++) {
        const int64_t c = rs__column_of(x[kept[k]], low, high, log, COLUMNS);
        assert_true(k == 0 || kept[k] > kept[k - 1]);
        gap_kept[c] = gap_kept[c] || !isfinite(y[kept[k]]);
        least_kept[c] = isfinite(y[kept[k]]) ? fmin(least_kept[c], y[kept[k]]) : least_kept[c];
        most_kept[c] = isfinite(y[kept[k]]) ? fmax(most_kept[c], y[kept[k]]) : most_kept[c];
    }
    for (int c = 0; c < COLUMNS; c++) {
        assert_true(least[c] == least_kept[c] && most[c] == most_kept[c] && gap[c] == gap_kept[c]);
    }
    assert_true(kept[0] == 0 && kept[left - 1] == MANY - 1 && left <= 5 * COLUMNS);
}

static void test_thin(void **state)
{
    static double x[MANY], y[MANY];
    static int64_t kept[MANY];
    (void)state;
    for (int i = 0; i < MANY; i++) {
        x[i] = i + 1.0;
        y[i] = rs_normal(5, 1, (uint64_t)i);
    }
    y[777] = 40.0; /* one spike of one step is seen */
    y[15000] = NAN;
    y[15001] = -INFINITY;
    for (int log = 0; log < 2; log++) {
        const int64_t left = rs__thin(x, y, MANY, 1.0, MANY, log, COLUMNS, kept);
        check_thin(x, y, kept, left, log, 1.0, MANY);
    }
    assert_int_equal(rs__thin(x, y, 0, 1.0, 2.0, false, COLUMNS, kept), 0);
    assert_int_equal(rs__thin(x, y, 3, 1.0, 3.0, false, COLUMNS, kept), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_smooth),   cmocka_unit_test(test_smooth_keeps_constants),
        cmocka_unit_test(test_outliers), cmocka_unit_test(test_band),
        cmocka_unit_test(test_median),   cmocka_unit_test(test_thin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
