/* test_eigen.c: eigenvalues of matrices that have known ones, and Lanczos' ends against all of them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "eigen.h"
#include "harness.h"
#include "rs/random.h"

enum { ORDER = 120, WANTED = 4 };

static rs_error error;

typedef struct dense {
    int64_t n;
    const double *matrix;
} dense;

static void apply(void *context, const double *direction, double *product)
{
    const dense *d = context;
    for (int64_t i = 0; i < d->n; i++) {
        product[i] = 0.0;
        for (int64_t j = 0; j < d->n; j++) {
            product[i] += d->matrix[i * d->n + j] * direction[j];
        }
    }
}

/* Random and symmetric, with eigenvalues of both signs and some that lie far out. */
static void random_matrix(double *matrix, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j <= i; j++) {
            double value = rs_normal(3, 1, (uint64_t)(i * n + j)) / sqrt((double)n);
            matrix[i * n + j] = matrix[j * n + i] = value + (i == j && i < 3 ? 5.0 * (double)(i + 1) : 0.0);
        }
    }
}

/* The second difference matrix: 2 - 2 cos(k pi / (n + 1)). */
static void test_known(void **state)
{
    enum { N = 30 };
    double matrix[N * N] = {0}, copy[N * N], values[N], want[N];
    (void)state;
    for (int i = 0; i < N; i++) {
        matrix[i * N + i] = 2.0;
        if (i > 0) {
            matrix[i * N + i - 1] = matrix[(i - 1) * N + i] = -1.0;
        }
        want[i] = 2.0 - 2.0 * cos((i + 1) * 3.14159265358979323846 / (N + 1));
    }
    memcpy(copy, matrix, sizeof copy);
    harness_ok(rs__eigen(copy, N, false, values, &error), &error);
    harness_close("values", values, want, N, 1e-13);
    memcpy(copy, matrix, sizeof copy);
    harness_ok(rs__eigen(copy, N, true, values, &error), &error);
    for (int k = 0; k < N; k++) {
        double product[N];
        const dense d = {N, matrix};
        apply((void *)&d, copy + k * N, product);
        for (int i = 0; i < N; i++) {
            assert_true(fabs(product[i] - values[k] * copy[k * N + i]) < 1e-12);
        }
    }
}

static void test_lanczos(void **state)
{
    static double matrix[ORDER * ORDER], copy[ORDER * ORDER], values[ORDER];
    double ends[4][WANTED], want[2][WANTED];
    const dense d = {ORDER, matrix};
    (void)state;
    random_matrix(matrix, ORDER);
    memcpy(copy, matrix, sizeof copy);
    harness_ok(rs__eigen(copy, ORDER, false, values, &error), &error);
    for (int i = 0; i < WANTED; i++) {
        want[0][i] = values[i];
        want[1][i] = values[ORDER - 1 - i];
    }
    rs__lanczos l = {.n = ORDER,
                     .iterations = ORDER,
                     .wanted = WANTED,
                     .tolerance = 1e-9,
                     .seed = 1,
                     .apply = apply,
                     .context = (void *)&d,
                     .smallest = ends[0],
                     .largest = ends[1],
                     .smallest_residual = ends[2],
                     .largest_residual = ends[3]};
    harness_ok(rs__lanczos_run(&l, &error), &error);
    assert_int_equal(l.count, WANTED);
    assert_true(l.steps < ORDER && l.converged);
    harness_close("smallest", l.smallest, want[0], WANTED, 1e-10);
    harness_close("largest", l.largest, want[1], WANTED, 1e-10);
    for (int i = 0; i < WANTED; i++) {
        assert_true(l.smallest_residual[i] <= 1e-9 * values[ORDER - 1]);
    }
    l.iterations = 12; /* not enough: the residuals bound how far each is off */
    harness_ok(rs__lanczos_run(&l, &error), &error);
    assert_int_equal(l.steps, 12);
    assert_true(l.largest_residual[WANTED - 1] > 1e-9 * values[ORDER - 1]);
    for (int i = 0; i < WANTED; i++) {
        double nearest = INFINITY;
        for (int k = 0; k < ORDER; k++) {
            nearest = fmin(nearest, fabs(l.largest[i] - values[k]));
        }
        assert_true(nearest <= l.largest_residual[i] * (1.0 + 1e-9) + 1e-12);
    }
}

/* A matrix with two different eigenvalues: two steps find both, and what there is. */
static void test_few_values(void **state)
{
    enum { N = 40 };
    static double matrix[N * N];
    double ends[4][WANTED];
    const dense d = {N, matrix};
    (void)state;
    for (int i = 0; i < N; i++) {
        matrix[i * N + i] = i < 10 ? 3.0 : 0.0;
    }
    rs__lanczos l = {.n = N,
                     .iterations = N,
                     .wanted = WANTED,
                     .tolerance = 1e-9,
                     .apply = apply,
                     .context = (void *)&d,
                     .smallest = ends[0],
                     .largest = ends[1],
                     .smallest_residual = ends[2],
                     .largest_residual = ends[3]};
    harness_ok(rs__lanczos_run(&l, &error), &error);
    assert_int_equal(l.steps, 2);
    assert_int_equal(l.count, 2);
    assert_true(fabs(l.largest[0] - 3.0) < 1e-12 && fabs(l.smallest[0]) < 1e-12);
}

static void test_refused(void **state)
{
    double matrix[4] = {1.0, 0.0, NAN, 1.0}, values[2];
    (void)state;
    harness_fails(rs__eigen(matrix, 2, false, values, &error), RS_FAILED, &error, "row 1, column 0");
    harness_fails(rs__eigen(matrix, 1000000, false, values, &error), RS_UNSUPPORTED, &error, "order 1000000");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_known), cmocka_unit_test(test_lanczos),
                                       cmocka_unit_test(test_few_values), cmocka_unit_test(test_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
