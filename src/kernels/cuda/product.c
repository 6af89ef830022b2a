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
