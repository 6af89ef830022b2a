/* hessian.c: see hessian.h. */
#include "hessian.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "rs/host.h"

/* Two arrays over all weights. */
typedef struct products {
    const rs__hessian_place *place;
    double *direction, *product;
} products;

static rs_status open_products(const rs__hessian_place *place, products *p, rs_error *error)
{
    const size_t size = (size_t)rs__curvature_size(place->curvature);
    p->place = place;
    p->direction = rs_alloc_array(size, sizeof(double));
    p->product = rs_alloc_array(size, sizeof(double));
    return p->direction && p->product
               ? RS_OK
               : RS_FAIL(error, RS_MEMORY, "no memory for directions of %zu weights", size);
}

static void close_products(products *p)
{
    rs_free(p->direction);
    rs_free(p->product);
}

static void multiply(products *p)
{
    rs__curvature_product(p->place->curvature, p->place->weights, p->direction, NULL, NULL, p->product);
}

static void make_symmetric(rs__hessian *h)
{
    double largest = 0.0, apart = 0.0;
    for (int64_t i = 0; i < h->count; i++) {
        for (int64_t j = 0; j <= i; j++) {
            double *one = &h->matrix[i * h->count + j], *other = &h->matrix[j * h->count + i];
            apart = fmax(apart, fabs(*one - *other));
            *one = *other = 0.5 * (*one + *other);
            largest = fmax(largest, fabs(*one));
        }
    }
    h->asymmetry = largest > 0.0 ? apart / largest : 0.0;
}

static void count_signs(rs__hessian *h)
{
    for (int64_t i = 0; i < h->count; i++) {
        h->diagonal[i] = h->matrix[i * h->count + i];
        h->positive += h->diagonal[i] > 0.0;
        h->negative += h->diagonal[i] < 0.0;
        h->zero += h->diagonal[i] == 0.0;
    }
}

static rs_status decompose(rs__hessian *h, rs_error *error)
{
    const int64_t n = h->count;
    double *copy = rs_alloc((size_t)(n * n) * sizeof *copy);
    if (!copy) {
        return RS_FAIL(error, RS_MEMORY, "no memory for the second derivatives of %lld weights",
                       (long long)n);
    }
    memcpy(copy, h->matrix, (size_t)(n * n) * sizeof *copy);
    rs_status status = rs__eigen(copy, n, false, h->eigenvalues, error);
    rs_free(copy);
    RS_TRY(status);
    const double noise = (double)n * DBL_EPSILON * fmax(fabs(h->eigenvalues[0]), fabs(h->eigenvalues[n - 1]));
    for (int64_t i = 0; i < n; i++) {
        h->positive_eigenvalues += h->eigenvalues[i] > noise;
    }
    return RS_OK;
}

static void fill(products *p, rs__hessian *h, void (*told)(void *context, int64_t done), void *context)
{
    for (int64_t i = 0; i < h->count; i++) {
        p->direction[p->place->taken[i]] = 1.0;
        multiply(p);
        p->direction[p->place->taken[i]] = 0.0;
        for (int64_t j = 0; j < h->count; j++) {
            h->matrix[i * h->count + j] = p->product[p->place->taken[j]];
        }
        if (told) {
            told(context, i + 1);
        }
    }
}

rs_status rs__hessian_exact(const rs__hessian_place *place, void (*told)(void *context, int64_t done),
                            void *context, rs__hessian *hessian, rs_error *error)
{
    products p = {0};
    size_t cells;
    memset(hessian, 0, sizeof *hessian);
    hessian->count = place->count;
    if (!rs_multiply((size_t)place->count, (size_t)place->count, &cells)) {
        return RS_FAIL(error, RS_MEMORY, "no memory for the second derivatives of %lld weights",
                       (long long)place->count);
    }
    hessian->matrix = rs_alloc_array(cells, sizeof(double));
    hessian->diagonal = rs_alloc_array((size_t)place->count, sizeof(double));
    hessian->eigenvalues = rs_alloc_array((size_t)place->count, sizeof(double));
    rs_status status = hessian->matrix && hessian->diagonal && hessian->eigenvalues
                           ? open_products(place, &p, error)
                           : RS_FAIL(error, RS_MEMORY, "no memory for the second derivatives of %lld weights",
                                     (long long)place->count);
    if (!status) {
        fill(&p, hessian, told, context);
        make_symmetric(hessian);
        count_signs(hessian);
        status = decompose(hessian, error);
    }
    close_products(&p);
    return status;
}

void rs__hessian_release(rs__hessian *hessian)
{
    rs_free(hessian->matrix);
    rs_free(hessian->diagonal);
    rs_free(hessian->eigenvalues);
    memset(hessian, 0, sizeof *hessian);
}

/* The product within the weights that were taken. */
static void apply(void *context, const double *direction, double *product)
{
    products *p = context;
    for (int64_t i = 0; i < p->place->count; i++) {
        p->direction[p->place->taken[i]] = direction[i];
    }
    multiply(p);
    for (int64_t i = 0; i < p->place->count; i++) {
        product[i] = p->product[p->place->taken[i]];
    }
}

rs_status rs__hessian_ends(const rs__hessian_place *place, rs__lanczos *l, rs_error *error)
{
    products p = {0};
    rs_status status = open_products(place, &p, error);
    l->n = place->count;
    l->apply = apply;
    l->context = &p;
    status = status ? status : rs__lanczos_run(l, error);
    close_products(&p);
    return status;
}
