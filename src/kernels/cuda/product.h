/* product.h: the three products of a linear map y = x W', by cuBLAS: fully connected layers, and convolutions that look
 * at one position at a time; and those of two activations.
 *
 * x [rows, in], W [out, in], y [rows, out], dense, rows of samples or of positions. On the device; only enqueued; the
 * same bits every time. Float as it is written, or rounded to TF32 where the plan has it so. */
#ifndef RS_KERNELS_CUDA_PRODUCT_H
#define RS_KERNELS_CUDA_PRODUCT_H

#include "plan.h"

typedef struct rs__product {
    int out, in, rows;
    bool add; /* the gradient of x: to what is there */
} rs__product;

/* Matrices of every sample, both factors of which are activations: y = a b, [rows, columns], depth between them. Dense,
 * rows of columns, one sample behind the other. */
typedef struct rs__products {
    int samples, rows, columns, depth;
    bool add; /* the gradient: to what is there */
} rs__products;
rs_status rs__products_forward(const rs_plan *plan, const rs__products *p, const float *a, const float *b,
                               float *y, rs_error *error);
/* da = or += dy b' */
rs_status rs__products_first(const rs_plan *plan, const rs__products *p, const float *dy, const float *b,
                             float *da, rs_error *error);
/* db = or += a' dy */
rs_status rs__products_second(const rs_plan *plan, const rs__products *p, const float *a, const float *dy,
                              float *db, rs_error *error);

/* y = x W' */
rs_status rs__product_forward(const rs_plan *plan, const rs__product *p, const float *w, const float *x,
                              float *y, rs_error *error);
/* dW = dy' x */
rs_status rs__product_weights(const rs_plan *plan, const rs__product *p, const float *x, const float *dy,
                              float *dw, rs_error *error);
/* dx = or += dy W */
rs_status rs__product_data(const rs_plan *plan, const rs__product *p, const float *w, const float *dy,
                           float *dx, rs_error *error);

#endif
