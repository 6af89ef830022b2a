/* pca.c: see pca.h. X [points, coordinates] centred is U S V^T: X X^T = U S^2 U^T gives the coordinates U S without the
 * directions V. Singular values below 1e-8 of the largest drown in rounding. */
#include "pca.h"

#include <math.h>
#include <string.h>

#include "eigen.h"
#include "lapack.h"
#include "rs/host.h"

enum { COLUMNS = 2048, MOST_POINTS = 10000, PLANE = 2 };

rs_status rs__pca_create(int64_t points, rs__pca *pca, rs_error *error)
{
    memset(pca, 0, sizeof *pca);
    if (points < 2 || points > MOST_POINTS) {
        return RS_FAIL(error, RS_USAGE, "%lld snapshots: components need 2 to %d", (long long)points,
                       MOST_POINTS);
    }
    const size_t n = (size_t)points;
    pca->points = points;
    pca->gram = rs_alloc_array(n * n, sizeof(double));
    pca->variance = rs_alloc_array(n, sizeof(double));
    pca->ratio = rs_alloc_array(n, sizeof(double));
    pca->coordinate = rs_alloc_array(n * n, sizeof(double));
    pca->off_plane = rs_alloc_array(n, sizeof(double));
    pca->distance = rs_alloc_array(n, sizeof(double));
    bool complete =
        pca->gram && pca->variance && pca->ratio && pca->coordinate && pca->off_plane && pca->distance;
    return complete ? RS_OK : RS_FAIL(error, RS_MEMORY, "no memory for %lld points", (long long)points);
}

/* block [points, columns] of the coordinates first .., each column less its mean. */
static void centre(const rs__pca *pca, const float *values, int64_t count, int64_t first, int64_t columns,
                   double *block)
{
    for (int64_t c = 0; c < columns; c++) {
        double sum = 0.0;
        for (int64_t p = 0; p < pca->points; p++) {
            sum += (double)values[p * count + first + c];
        }
        const double mean = sum / (double)pca->points;
        for (int64_t p = 0; p < pca->points; p++) {
            block[p * columns + c] = (double)values[p * count + first + c] - mean;
        }
    }
}

rs_status rs__pca_add(rs__pca *pca, const float *values, int64_t count, rs_error *error)
{
    const double one = 1.0;
    const int points = (int)pca->points;
    double *block = rs_alloc((size_t)(pca->points * COLUMNS) * sizeof *block);
    if (!block) {
        return RS_FAIL(error, RS_MEMORY, "no memory for %d points", points);
    }
    for (int64_t first = 0; first < count; first += COLUMNS) {
        const int columns = count - first < COLUMNS ? (int)(count - first) : COLUMNS;
        centre(pca, values, count, first, columns, block);
        dsyrk_("L", "T", &points, &columns, &one, block, &columns, &one, pca->gram, &points);
    }
    rs_free(block);
    return RS_OK;
}

/* Row `from` of the vectors becomes component k. */
static void take_component(rs__pca *pca, int64_t k, const double *vector, double value)
{
    int64_t largest = 0;
    for (int64_t p = 1; p < pca->points; p++) {
        largest = fabs(vector[p]) > fabs(vector[largest]) ? p : largest;
    }
    const double length = copysign(sqrt(value), vector[largest]);
    for (int64_t p = 0; p < pca->points; p++) {
        pca->coordinate[p * pca->components + k] = length * vector[p];
    }
    pca->variance[k] = value / (double)(pca->points - 1);
}

static void measure_points(rs__pca *pca)
{
    for (int64_t p = 0; p < pca->points; p++) {
        double plane = 0.0, rest = 0.0;
        for (int64_t k = 0; k < pca->components; k++) {
            double c = pca->coordinate[p * pca->components + k];
            *(k < PLANE ? &plane : &rest) += c * c;
        }
        pca->off_plane[p] = sqrt(rest);
        pca->distance[p] = sqrt(plane + rest);
    }
}

rs_status rs__pca_finish(rs__pca *pca, int64_t coordinates, rs_error *error)
{
    const int64_t n = pca->points;
    double *values = rs_alloc_array((size_t)n, sizeof *values);
    if (!values) {
        return RS_FAIL(error, RS_MEMORY, "no memory for %lld points", (long long)n);
    }
    pca->components = n - 1 < coordinates ? n - 1 : coordinates;
    rs_status status = rs__eigen(pca->gram, n, true, values, error);
    double sum = 0.0;
    for (int64_t k = 0; !status && k < pca->components; k++) {
        const double value = fmax(values[n - 1 - k], 0.0);
        take_component(pca, k, pca->gram + (n - 1 - k) * n, value);
        sum += pca->variance[k];
    }
    for (int64_t k = 0; !status && k < pca->components; k++) {
        pca->ratio[k] = sum > 0.0 ? pca->variance[k] / sum : 0.0;
    }
    measure_points(pca);
    rs_free(values);
    return status;
}

void rs__pca_release(rs__pca *pca)
{
    rs_free(pca->gram);
    rs_free(pca->variance);
    rs_free(pca->ratio);
    rs_free(pca->coordinate);
    rs_free(pca->off_plane);
    rs_free(pca->distance);
    memset(pca, 0, sizeof *pca);
}
