/* test_pca.c: components against the eigenvalues of the covariance matrix itself; distances between points, which no
 * rotation changes; points that lie in a plane. And lists of points on a line. */
#include <math.h>
#include <stdlib.h>

#include "eigen.h"
#include "harness.h"
#include "pca.h"
#include "points.h"
#include "rs/host.h"
#include "rs/random.h"

enum { POINTS = 7, COORDINATES = 12, PARTS = 3 };

static rs_error error;

static float coordinate(int64_t point, int64_t index)
{
    return (float)(rs_normal(11, 2, (uint64_t)(point * COORDINATES + index)) * (1.0 + (double)index) + 100.0);
}

/* In PARTS tensors, as weights come. */
static void components_of(rs__pca *pca)
{
    enum { PART = COORDINATES / PARTS };
    float values[POINTS * PART];
    harness_ok(rs__pca_create(POINTS, pca, &error), &error);
    for (int part = 0; part < PARTS; part++) {
        for (int p = 0; p < POINTS; p++) {
            for (int i = 0; i < PART; i++) {
                values[p * PART + i] = coordinate(p, part * PART + i);
            }
        }
        harness_ok(rs__pca_add(pca, values, PART, &error), &error);
    }
    harness_ok(rs__pca_finish(pca, COORDINATES, &error), &error);
}

static void covariance(double *matrix)
{
    for (int i = 0; i < COORDINATES; i++) {
        for (int j = 0; j < COORDINATES; j++) {
            double one = 0.0, other = 0.0, product = 0.0;
            for (int p = 0; p < POINTS; p++) {
                one += (double)coordinate(p, i) / POINTS;
                other += (double)coordinate(p, j) / POINTS;
            }
            for (int p = 0; p < POINTS; p++) {
                product += ((double)coordinate(p, i) - one) * ((double)coordinate(p, j) - other);
            }
            matrix[i * COORDINATES + j] = product / (POINTS - 1);
        }
    }
}

static void test_variances(void **state)
{
    rs__pca pca;
    double matrix[COORDINATES * COORDINATES], values[COORDINATES], want[POINTS], ratio = 0.0;
    (void)state;
    components_of(&pca);
    covariance(matrix);
    harness_ok(rs__eigen(matrix, COORDINATES, false, values, &error), &error);
    assert_int_equal(pca.components, POINTS - 1);
    for (int k = 0; k < POINTS - 1; k++) {
        want[k] = values[COORDINATES - 1 - k];
        ratio += pca.ratio[k];
    }
    harness_close("variances", pca.variance, want, POINTS - 1, 1e-12);
    assert_true(fabs(ratio - 1.0) < 1e-14);
    rs__pca_release(&pca);
}

/* All components give back every distance; the first two and what lies off their plane give that to the mean. */
static void test_distances(void **state)
{
    rs__pca pca;
    (void)state;
    components_of(&pca);
    for (int p = 0; p < POINTS; p++) {
        const double *c = pca.coordinate + p * pca.components;
        for (int q = 0; q < POINTS; q++) {
            double found = 0.0, want = 0.0;
            for (int k = 0; k < pca.components; k++) {
                found += pow(c[k] - pca.coordinate[q * pca.components + k], 2.0);
            }
            for (int i = 0; i < COORDINATES; i++) {
                want += pow((double)coordinate(p, i) - (double)coordinate(q, i), 2.0);
            }
            assert_true(fabs(found - want) <= 1e-10 * fmax(want, 1.0));
        }
        double plane = hypot(c[0], c[1]);
        assert_true(fabs(hypot(plane, pca.off_plane[p]) - pca.distance[p]) < 1e-10);
        assert_true(pca.off_plane[p] > 0.1);
    }
    rs__pca_release(&pca);
}

static void test_plane(void **state)
{
    static const float values[4 * 3] = {1, 0, 5, 0, 2, 5, -1, 0, 5, 0, -2, 5};
    rs__pca pca;
    (void)state;
    harness_ok(rs__pca_create(4, &pca, &error), &error);
    harness_ok(rs__pca_add(&pca, values, 3, &error), &error);
    harness_ok(rs__pca_finish(&pca, 3, &error), &error);
    const double want[] = {8.0 / 3.0, 2.0 / 3.0, 0.0};
    harness_close("variances", pca.variance, want, 3, 1e-14);
    for (int p = 0; p < 4; p++) {
        assert_true(pca.off_plane[p] < 1e-7);
        assert_true(fabs(fabs(pca.coordinate[p * 3]) - (p % 2 ? 2.0 : 0.0)) < 1e-14);
    }
    rs__pca_release(&pca);
    harness_fails(rs__pca_create(1, &pca, &error), RS_USAGE, &error, "2 to");
    rs__pca_release(&pca);
}

static void test_points(void **state)
{
    static const char *const bad[] = {"", "x", "0..1", "0..1/1", "0../3", "1/3", "0..1/200000"};
    static const double want[] = {0.0, 0.5, 1.0, 7.25, -0.5, 1.5};
    double *values;
    int64_t count;
    (void)state;
    harness_ok(rs__points_parse("0..1/3, 7.25,-0.5..1.5/2", &values, &count, &error), &error);
    assert_int_equal(count, 6);
    harness_close("points", values, want, 6, 0.0);
    rs_free(values);
    harness_ok(rs__points_parse("0..10/100", &values, &count, &error), &error);
    assert_true(count == 100 && values[99] == 10.0 && fabs(values[1] - 10.0 / 99.0) < 1e-15);
    rs_free(values);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        harness_fails(rs__points_parse(bad[i], &values, &count, &error), RS_USAGE, &error, "--points");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_variances), cmocka_unit_test(test_distances),
                                       cmocka_unit_test(test_plane), cmocka_unit_test(test_points)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
