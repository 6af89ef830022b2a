/* eigen.c: see eigen.h. */
#include "eigen.h"

#include <math.h>
#include <string.h>

#include "lapack.h"
#include "rs/host.h"
#include "rs/random.h"

enum { CHECK_EVERY = 5, MOST_ORDER = 30000 };

static rs_status check_finite(const double *matrix, int64_t n, rs_error *error)
{
    for (int64_t i = 0; i < n * n; i++) {
        if (!isfinite(matrix[i])) {
            return RS_FAIL(error, RS_FAILED,
                           "a matrix has an entry that is not finite at row %lld, column %lld",
                           (long long)(i / n), (long long)(i % n));
        }
    }
    return RS_OK;
}

rs_status rs__eigen(double *matrix, int64_t n, bool vectors, double *values, rs_error *error)
{
    const char *const job = vectors ? "V" : "N";
    const int order = (int)n, ask = -1;
    int integers = 0, info = 0;
    double reals = 0.0;
    if (n < 1 || n > MOST_ORDER) {
        return RS_FAIL(error, RS_UNSUPPORTED, "a matrix of order %lld: 1 to %d are possible", (long long)n,
                       MOST_ORDER);
    }
    RS_TRY(check_finite(matrix, n, error));
    dsyevd_(job, "L", &order, matrix, &order, values, &reals, &ask, &integers, &ask, &info);
    const int size = (int)reals;
    double *work = rs_alloc_array((size_t)size + 1, sizeof *work);
    int *integer_work = rs_alloc_array((size_t)integers + 1, sizeof *integer_work);
    if (work && integer_work) {
        dsyevd_(job, "L", &order, matrix, &order, values, work, &size, integer_work, &integers, &info);
    }
    bool complete = work && integer_work;
    rs_free(work);
    rs_free(integer_work);
    if (!complete) {
        return RS_FAIL(error, RS_MEMORY, "no memory for the eigenvalues of a matrix of order %lld",
                       (long long)n);
    }
    return info == 0 ? RS_OK : RS_FAIL(error, RS_FAILED, "dsyevd failed with %d", info);
}

/* --- Lanczos ---------------------------------------------------------------------------------------------- */

typedef struct state {
    rs__lanczos *l;
    double *basis;        /* [iterations + 1, n] orthonormal rows */
    double *alpha, *beta; /* [iterations] the tridiagonal matrix; beta[k] follows alpha[k] */
    double *d, *e, *z, *work;
} state;

static double dot(const double *a, const double *b, int64_t n)
{
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++) {
        sum += a[i] * b[i];
    }
    return sum;
}

static void subtract(double *a, double factor, const double *b, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        a[i] -= factor * b[i];
    }
}

static bool allocate(state *s)
{
    const size_t n = (size_t)s->l->n, k = (size_t)s->l->iterations;
    s->basis = rs_alloc_array((k + 1) * n, sizeof(double));
    s->alpha = rs_alloc_array(k, sizeof(double));
    s->beta = rs_alloc_array(k, sizeof(double));
    s->d = rs_alloc_array(k, sizeof(double));
    s->e = rs_alloc_array(k, sizeof(double));
    s->z = rs_alloc_array(k * k, sizeof(double));
    s->work = rs_alloc_array(2 * k + 2, sizeof(double));
    return s->basis && s->alpha && s->beta && s->d && s->e && s->z && s->work;
}

static void release(state *s)
{
    rs_free(s->basis);
    rs_free(s->alpha);
    rs_free(s->beta);
    rs_free(s->d);
    rs_free(s->e);
    rs_free(s->z);
    rs_free(s->work);
}

static void start(state *s)
{
    static const char stream[] = "lanczos";
    const int64_t n = s->l->n;
    for (int64_t i = 0; i < n; i++) {
        s->basis[i] = rs_normal(s->l->seed, rs_hash64(stream), (uint64_t)i);
    }
    const double length = sqrt(dot(s->basis, s->basis, n));
    for (int64_t i = 0; i < n; i++) {
        s->basis[i] /= length;
    }
}

/* Row k + 1 of the basis from row k. */
static void step(state *s, int k)
{
    const int64_t n = s->l->n;
    const double *v = s->basis + k * n;
    double *next = s->basis + (k + 1) * n;
    s->l->apply(s->l->context, v, next);
    s->alpha[k] = dot(v, next, n);
    for (int pass = 0; pass < 2; pass++) {
        for (int i = k; i >= 0; i--) {
            subtract(next, dot(s->basis + i * n, next, n), s->basis + i * n, n);
        }
    }
    s->beta[k] = sqrt(dot(next, next, n));
    for (int64_t i = 0; s->beta[k] > 0.0 && i < n; i++) {
        next[i] /= s->beta[k];
    }
}

/* Values of the first k rows: at most as many at each end as do not meet in the middle, unless the space is whole. */
static rs_status ritz_values(state *s, int k, rs_error *error)
{
    rs__lanczos *l = s->l;
    int info = 0;
    memcpy(s->d, s->alpha, (size_t)k * sizeof *s->d);
    memcpy(s->e, s->beta, (size_t)k * sizeof *s->e);
    dstev_("V", &k, s->d, s->e, s->z, &k, s->work, &info);
    if (info != 0) {
        return RS_FAIL(error, RS_FAILED, "dstev failed with %d", info);
    }
    l->count = k < l->wanted ? k : l->wanted;
    for (int i = 0; i < l->count; i++) {
        const int low = i, high = k - 1 - i;
        l->smallest[i] = s->d[low];
        l->largest[i] = s->d[high];
        l->smallest_residual[i] = s->beta[k - 1] * fabs(s->z[low * k + k - 1]);
        l->largest_residual[i] = s->beta[k - 1] * fabs(s->z[high * k + k - 1]);
    }
    return RS_OK;
}

static double scale_of(const rs__lanczos *l)
{
    return fmax(fabs(l->smallest[0]), fabs(l->largest[0]));
}

static bool good_enough(const rs__lanczos *l)
{
    bool good = l->count == l->wanted;
    for (int i = 0; good && i < l->count; i++) {
        good = l->smallest_residual[i] <= l->tolerance * scale_of(l) &&
               l->largest_residual[i] <= l->tolerance * scale_of(l);
    }
    return good;
}

static rs_status iterate(state *s, rs_error *error)
{
    rs__lanczos *l = s->l;
    start(s);
    for (int k = 0; k < l->iterations; k++) {
        step(s, k);
        l->steps = k + 1;
        if (l->tell) {
            l->tell(l->listener, l->steps);
        }
        if (!isfinite(s->alpha[k]) || !isfinite(s->beta[k])) {
            return RS_FAIL(error, RS_FAILED, "a product of second derivatives is not finite");
        }
        bool last = k + 1 == l->iterations;
        if (last || (k + 1) % CHECK_EVERY == 0 || s->beta[k] < 1e-14 * fabs(s->alpha[0])) {
            RS_TRY(ritz_values(s, k + 1, error));
            l->converged = good_enough(l) || s->beta[k] <= 1e-14 * scale_of(l);
            if (l->converged) {
                return RS_OK;
            }
        }
    }
    return RS_OK;
}

rs_status rs__lanczos_run(rs__lanczos *l, rs_error *error)
{
    state s = {.l = l};
    l->iterations = l->iterations < l->n ? l->iterations : (int)l->n;
    RS_ASSERT(l->iterations > 0 && l->wanted > 0);
    rs_status status =
        allocate(&s)
            ? iterate(&s, error)
            : RS_FAIL(error, RS_MEMORY, "no memory for %d vectors of %lld numbers; use fewer --iterations",
                      l->iterations, (long long)l->n);
    release(&s);
    return status;
}
