/* product.c: see product.h. cuBLAS thinks in columns: a matrix of rows is its transpose there. */
#include "product.h"

static const float one = 1.0f, zero = 0.0f;

/* Set before every product: plans of the same device may differ. Other than cuDNN's, cuBLAS's default is no TF32. */
static rs_status set_precision(const rs_plan *plan, rs_error *error)
{
    RS__CUBLAS(error, cublasSetMathMode(plan->device->blas, plan->options.tf32 ? CUBLAS_TF32_TENSOR_OP_MATH
                                                                               : CUBLAS_DEFAULT_MATH));
    return RS_OK;
}

rs_status rs__product_forward(const rs_plan *plan, const rs__product *p, const float *w, const float *x,
                              float *y, rs_error *error)
{
    RS_TRY(set_precision(plan, error));
    RS__CUBLAS(error, cublasSgemm(plan->device->blas, CUBLAS_OP_T, CUBLAS_OP_N, p->out, p->rows, p->in, &one,
                                  w, p->in, x, p->in, &zero, y, p->out));
    return RS_OK;
}

rs_status rs__product_weights(const rs_plan *plan, const rs__product *p, const float *x, const float *dy,
                              float *dw, rs_error *error)
{
    RS_TRY(set_precision(plan, error));
    RS__CUBLAS(error, cublasSgemm(plan->device->blas, CUBLAS_OP_N, CUBLAS_OP_T, p->in, p->out, p->rows, &one,
                                  x, p->in, dy, p->out, &zero, dw, p->in));
    return RS_OK;
}

rs_status rs__product_data(const rs_plan *plan, const rs__product *p, const float *w, const float *dy,
                           float *dx, rs_error *error)
{
    RS_TRY(set_precision(plan, error));
    RS__CUBLAS(error, cublasSgemm(plan->device->blas, CUBLAS_OP_N, CUBLAS_OP_N, p->in, p->rows, p->out, &one,
                                  w, p->in, dy, p->out, p->add ? &one : &zero, dx, p->in));
    return RS_OK;
}

/* --- of every sample -------------------------------------------------------------------------------------- */

/* One after the other at these steps. */
typedef struct steps {
    long long a, b, y;
} steps;

static steps steps_of(const rs__products *p)
{
    return (steps){.a = (long long)p->rows * p->depth,
                   .b = (long long)p->depth * p->columns,
                   .y = (long long)p->rows * p->columns};
}

rs_status rs__products_forward(const rs_plan *plan, const rs__products *p, const float *a, const float *b,
                               float *y, rs_error *error)
{
    const steps s = steps_of(p);
    RS_TRY(set_precision(plan, error));
    RS__CUBLAS(error, cublasSgemmStridedBatched(plan->device->blas, CUBLAS_OP_N, CUBLAS_OP_N, p->columns,
                                                p->rows, p->depth, &one, b, p->columns, s.b, a, p->depth, s.a,
                                                &zero, y, p->columns, s.y, p->samples));
    return RS_OK;
}

rs_status rs__products_first(const rs_plan *plan, const rs__products *p, const float *dy, const float *b,
                             float *da, rs_error *error)
{
    const steps s = steps_of(p);
    RS_TRY(set_precision(plan, error));
    RS__CUBLAS(error, cublasSgemmStridedBatched(plan->device->blas, CUBLAS_OP_T, CUBLAS_OP_N, p->depth,
                                                p->rows, p->columns, &one, b, p->columns, s.b, dy, p->columns,
                                                s.y, p->add ? &one : &zero, da, p->depth, s.a, p->samples));
    return RS_OK;
}

rs_status rs__products_second(const rs_plan *plan, const rs__products *p, const float *a, const float *dy,
                              float *db, rs_error *error)
{
    const steps s = steps_of(p);
    RS_TRY(set_precision(plan, error));
    RS__CUBLAS(error, cublasSgemmStridedBatched(plan->device->blas, CUBLAS_OP_N, CUBLAS_OP_T, p->columns,
                                                p->depth, p->rows, &one, dy, p->columns, s.y, a, p->depth,
                                                s.a, p->add ? &one : &zero, db, p->columns, s.b, p->samples));
    return RS_OK;
}
