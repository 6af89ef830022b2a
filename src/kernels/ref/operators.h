/* operators.h: the operators of the reference backend, as tables by kind, one table per type.
 *
 * Formulas are in rs/network.h. All tensors are dense, N, C, H, W, of the table's type; sums run in double,
 * in an order that depends on shapes alone, so that the number of threads changes no bit. */
#ifndef RS_REF_OPERATORS_H
#define RS_REF_OPERATORS_H

#include "backward.h"
#include "dropout.h"
#include "rs/backend.h"
#include "update.h"

/* One application of an operator. Pointers an operator has no use for are NULL. */
typedef struct ref_call {
    const rs_node *node;
    int64_t n;                /* samples */
    const int64_t *in;        /* C, H, W of input 0 */
    const int64_t *in_second; /* of input 1 */
    const int64_t *out;       /* C, H, W of the output */
    rs_mode mode;        /* of the forward pass; EVALUATE of a batch norm that takes its running statistics */
    const void *x[2];    /* [n, in] */
    void *y;             /* [n, out] */
    const void *dy;      /* [n, out] */
    void *dx[2];         /* [n, in], written as pass says; untouched for NONE */
    const rs_pass *pass; /* [2] */
    const void *w, *b;   /* weight and bias, canonical */
    void *dw, *db;       /* their gradients: set, never added to; NULL: not wanted */
    void *running_mean, *running_variance;
    double *saved; /* batch norm: mean [C], then 1 / sqrt(variance + epsilon) [C], kept for backward */
    const int32_t *labels;  /* loss: [n] */
    const void *targets;    /* loss: [n, in] */
    rs_label_choice choice; /* loss: whose labels backward takes */
    double weight, divisor; /* loss: the gradient is weight / divisor times that of the sum of its samples */
    double *loss;           /* loss: [n], of each sample, summed over elements */
    int64_t *correct;       /* loss: samples whose first largest score is their label */
    rs_dropout dropout;     /* of a dropout node, and what it draws by: */
    const int64_t *ids;     /* [n] the samples' numbers */
    uint32_t epoch;
    int threads;
    double *shared;  /* scratch that all threads read */
    double *scratch; /* scratch of each thread: `threads` pieces of scratch_stride doubles */
    size_t scratch_stride;
} ref_call;

/* Doubles of scratch that an operator needs. */
typedef struct ref_scratch {
    size_t shared, per_thread;
} ref_scratch;

typedef struct ref_operator {
    void (*forward)(const ref_call *call);
    void (*backward)(const ref_call *call);
    ref_scratch (*scratch)(const rs_node *node, const int64_t *in); /* NULL: none */
} ref_operator;

/* The update of one parameter, in place. */
typedef struct ref_update_call {
    rs_update_scalars scalars;
    rs_rule_kind rule;
    int64_t count;
    void *weight, *moment1, *moment2;
    const void *gradient;
} ref_update_call;

/* Passes over arrays of the table's type, each in index order. */
typedef struct ref_table {
    const ref_operator *operators[RS_OP_KINDS]; /* NULL: the input, which does nothing */
    void (*update)(const ref_update_call *call);
    /* x = (byte / 255 - mean) / std in float32, [n, channels, plane] */
    void (*normalise)(const rs_plan_options *options, const uint8_t *bytes, int64_t n, int64_t channels,
                      int64_t plane, void *x);
    void (*convert)(const float *values, int64_t count, void *to);
    void (*gradient_sums)(const void *gradient, int64_t count, rs_gradient_sums *sums);
    void (*add_to_sum)(const void *gradient, int64_t count, double *sum);
    /* Adds y to sum and (y - target)^2 to square. */
    void (*distance_sums)(const void *y, int64_t count, double target, double *sum, double *square);
    /* dy = or += factor (y - target). */
    void (*add_distance)(const void *y, int64_t count, double target, double factor, rs_pass pass, void *dy);
} ref_table;

extern const ref_table ref_table_f32, ref_table_f64;

/* Calls body(context, index, thread) for every index below count, on `threads` threads. The only place that
 * enters OpenMP; with one thread it does not. */
void ref_for(int threads, int64_t count, void (*body)(const void *context, int64_t index, int thread),
             const void *context);

/* c[i][j] += sum over k of a[i * row + k * column] * b[k][j], k ascending for every element; c [rows,
 * columns] and b [depth, columns] have b_stride and c_stride elements from row to row. */
typedef struct ref_product {
    const double *a, *b;
    double *c;
    int64_t rows, columns, depth;
    int64_t a_row, a_column, b_stride, c_stride;
} ref_product;
void ref_multiply_add(const ref_product *product);

#endif
