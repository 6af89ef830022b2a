/* test_metric.c: every metric against its textbook formula in long double, on movements large, tiny and none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "rs/metric.h"
#include "rs/random.h"

enum { N = 1000 };
static const char all_metrics[] =
    "minkowski:1,minkowski:2,minkowski:3,euclidean,manhattan,chebyshev,cosine,correlation";

static rs_metric_list parse(const char *text)
{
    rs_metric_list list = {0};
    rs_error error = {0};
    if (rs_metric_list_parse(text, &list, &error)) {
        fail_msg("%s", error.text);
    }
    return list;
}

static double power_distance(const float *u, const float *v, long double p)
{
    long double sum = 0;
    for (int i = 0; i < N; i++) {
        sum += powl(fabsl((long double)u[i] - (long double)v[i]), p);
    }
    return (double)powl(sum, 1 / p);
}

static double cosine_of(const float *u, const float *v, int centred)
{
    long double mu = 0, mv = 0, uv = 0, uu = 0, vv = 0;
    for (int i = 0; i < N && centred; i++) {
        mu += (long double)u[i] / N;
        mv += (long double)v[i] / N;
    }
    for (int i = 0; i < N; i++) {
        long double a = (long double)u[i] - mu, b = (long double)v[i] - mv;
        uv += a * b;
        uu += a * a;
        vv += b * b;
    }
    return (double)(1 - uv / sqrtl(uu * vv));
}

static double largest(const float *u, const float *v)
{
    double most = 0;
    for (int i = 0; i < N; i++) {
        most = fmax(most, fabs((double)u[i] - (double)v[i]));
    }
    return most;
}

static void expect_close(const char *name, double got, double expected, double tolerance)
{
    if (!(fabs(got - expected) <= tolerance * fabs(expected))) {
        fail_msg("%s: %.17g instead of %.17g", name, got, expected);
    }
}

static void compare_all(const float *u, const float *v, double angle_tolerance)
{
    rs_metric_list list = parse(all_metrics);
    rs_difference_sums sums = {0};
    rs_difference_add(&list, u, v, N, &sums);
    double expected[8] = {power_distance(u, v, 1), power_distance(u, v, 2), power_distance(u, v, 3),
                          power_distance(u, v, 2), power_distance(u, v, 1), largest(u, v),
                          cosine_of(u, v, 0),      cosine_of(u, v, 1)};
    for (int i = 0; i < 8; i++) {
        expect_close(list.metric[i].name, rs_metric_finish(&list, i, &sums, N), expected[i],
                     i < 6 ? 1e-12 : angle_tolerance);
    }
}

static void fill(float *u, float *v, double movement)
{
    for (uint64_t i = 0; i < N; i++) {
        v[i] = (float)(0.3 + rs_normal(1, 1, i));
        u[i] = (float)((double)v[i] + movement * rs_normal(1, 2, i));
    }
}

static void metrics_agree_with_their_formulas(void **state)
{
    (void)state;
    float u[N], v[N];
    fill(u, v, 0.5);
    compare_all(u, v, 1e-11);
    fill(u, v, 1e-3);
    compare_all(u, v, 1e-9);
    fill(u, v, 1e-5);
    compare_all(u, v, 1e-5); /* what long double can say of 1 - cos = 5e-11 */
}

static void what_has_not_moved_has_distance_zero(void **state)
{
    (void)state;
    rs_metric_list list = parse(all_metrics);
    float still[N], zero[N] = {0}, constant[N];
    fill(still, constant, 0);
    for (int i = 0; i < N; i++) {
        constant[i] = 2.0F;
    }
    const float *cases[] = {still, zero, constant};
    for (int c = 0; c < 3; c++) {
        rs_difference_sums sums = {0};
        rs_difference_add(&list, cases[c], cases[c], N, &sums);
        for (int i = 0; i < list.count; i++) {
            assert_true(rs_metric_finish(&list, i, &sums, N) == 0.0);
        }
    }
}

static void a_state_without_length_gives_no_nan(void **state)
{
    (void)state;
    rs_metric_list list = parse("cosine,correlation");
    float one[2] = {1, 1}, none[2] = {0, 0};
    for (int turn = 0; turn < 2; turn++) {
        rs_difference_sums sums = {0};
        rs_difference_add(&list, turn ? one : none, turn ? none : one, 2, &sums);
        assert_true(rs_metric_finish(&list, 0, &sums, 2) == 0.0);
        assert_true(rs_metric_finish(&list, 1, &sums, 2) == 0.0);
    }
}

static void nan_is_never_hidden(void **state)
{
    (void)state;
    rs_metric_list list = parse(all_metrics);
    float u[4] = {1, NAN, 3, 4}, v[4] = {1, 2, 3, 5};
    rs_difference_sums sums = {0};
    rs_difference_add(&list, u, v, 4, &sums);
    for (int i = 0; i < list.count; i++) {
        assert_true(isnan(rs_metric_finish(&list, i, &sums, 4)));
    }
    rs_difference_sums joined = {0}, clean = {0};
    rs_difference_add(&list, v, v, 4, &clean);
    rs_difference_join(&joined, &sums);
    rs_difference_join(&joined, &clean);
    assert_true(isnan(joined.max));
}

static void joining_parts_gives_the_whole(void **state)
{
    (void)state;
    rs_metric_list list = parse(all_metrics);
    float u[N], v[N];
    fill(u, v, 0.1);
    rs_difference_sums whole = {0}, a = {0}, b = {0};
    rs_difference_add(&list, u, v, N, &whole);
    rs_difference_add(&list, u, v, 300, &a);
    rs_difference_add(&list, u + 300, v + 300, N - 300, &b);
    rs_difference_join(&a, &b);
    for (int i = 0; i < list.count; i++) {
        expect_close(list.metric[i].name, rs_metric_finish(&list, i, &a, N),
                     rs_metric_finish(&list, i, &whole, N), 1e-12);
    }
}

static void expect_refused(const char *text, const char *part)
{
    rs_metric_list list = {0};
    rs_error error = {0};
    assert_int_equal(rs_metric_list_parse(text, &list, &error), RS_USAGE);
    if (!strstr(error.text, part)) {
        fail_msg("\"%s\" does not say \"%s\"", error.text, part);
    }
}

static void bad_lists_are_refused_with_the_nearest_name(void **state)
{
    (void)state;
    expect_refused("cosin", "nearest cosine");
    expect_refused("minkowski", "minkowski:1");
    expect_refused("minkowski:0.5", "at least 1");
    expect_refused("minkowski:nan", "at least 1");
    expect_refused("euclidean,euclidean", "twice");
    expect_refused("cosine:2", "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(metrics_agree_with_their_formulas),
        cmocka_unit_test(what_has_not_moved_has_distance_zero),
        cmocka_unit_test(a_state_without_length_gives_no_nan),
        cmocka_unit_test(nan_is_never_hidden),
        cmocka_unit_test(joining_parts_gives_the_whole),
        cmocka_unit_test(bad_lists_are_refused_with_the_nearest_name),
    };
    return cmocka_run_group_tests_name("metric", tests, NULL, NULL);
}
