/* operators.h: forward and backward of every operator in the numbers of numbers.h: the gradient's imaginary part is then
 * the product of the second derivatives with the direction that the weights' imaginary part is. Formulas: rs/network.h.
 *
 * Tensors are dense, N, C, H, W. forward sets y; backward adds to dx, dw and db. */
#ifndef RS_ANALYZE_OPERATORS_H
#define RS_ANALYZE_OPERATORS_H

#include "numbers.h"
#include "rs/network.h"

typedef struct rs__call {
    const rs_node *node;
    int64_t n;            /* samples */
    const int64_t *in[2]; /* C, H, W of the inputs */
    const int64_t *out;   /* of the output */
    const rs__number *x[2];
    rs__number *y;
    const rs__number *dy;    /* of a loss: NULL */
    rs__number *dx[2];       /* NULL: not wanted */
    const rs__number *w, *b; /* or NULL */
    rs__number *dw, *db;
    bool batch_statistics; /* batch norm: of these n samples, not the running ones */
    const double *running_mean, *running_variance;
    const int32_t *labels; /* losses: [n], or */
    const float *targets;  /* [n, elements of x] */
    double scale;          /* losses: what a sample's loss, summed over elements, counts */
    rs__number *loss;      /* losses: is added to */
    rs__number *scratch;   /* rs__scratch_size numbers */
} rs__call;

typedef struct rs__operator {
    void (*forward)(const rs__call *call);
    void (*backward)(const rs__call *call);
} rs__operator;

/* NULL members: the input, which does nothing. */
const rs__operator *rs__operator_of(rs_op_kind kind);
/* Numbers of scratch that a node needs. */
int64_t rs__scratch_size(const rs_node *node, const int64_t *in);

static inline int64_t rs__elements(const int64_t *shape)
{
    return shape[0] * shape[1] * shape[2];
}

extern const rs__operator rs__dual_linear, rs__dual_convolution, rs__dual_matrix_product;    /* products.c */
extern const rs__operator rs__dual_batch_norm;                                               /* normalize.c */
extern const rs__operator rs__dual_softmax, rs__dual_row_normalize;                          /* normalize.c */
extern const rs__operator rs__dual_relu, rs__dual_softplus, rs__dual_sigmoid, rs__dual_tanh; /* pointwise.c */
extern const rs__operator rs__dual_copy, rs__dual_repeat, rs__dual_add, rs__dual_divide;     /* pointwise.c */
extern const rs__operator rs__dual_max_pool, rs__dual_average_pool, rs__dual_global_pool;    /* windows.c */
extern const rs__operator rs__dual_cross_entropy, rs__dual_squared_error;                    /* losses.c */

#endif
