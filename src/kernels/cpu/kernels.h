/* kernels.h: our own vector kernels, one table per instruction set, chosen when the device is opened.
 *
 * Activations lie in blocks of channels: [N, ceil(C / lanes), H, W, lanes], float; channels beyond C are zero
 * in every tensor and every kernel keeps them so. A kernel works on a range of samples (or planes or
 * elements) in the calling thread; who calls it divides the work into pieces that do not depend on the
 * number of threads. Pointers are aligned to 64 bytes. */
#ifndef RS_KERNELS_CPU_KERNELS_H
#define RS_KERNELS_CPU_KERNELS_H

#include <stdbool.h>
#include <stdint.h>

#include "backward.h"
#include "dropout.h"
#include "measure.h"
#include "rs/backend.h"

#define RS__LANES_MAX 16

/* Samples [first, last) and channel blocks [block_first, block_last) of a tensor with `blocks` channel blocks
 * of `positions` = H W. */
typedef struct rs__range {
    int64_t first, last, blocks, block_first, block_last, positions;
} rs__range;

/* Vectors of one batch norm, [padded channels]. y = (x - mean) scale + shift, scale = w / sqrt(v + eps).
 * Backward: dx = scale (dy - constant + slope (x - mean)). */
typedef struct rs__norm_vectors {
    float *mean, *scale, *shift, *constant, *slope;
} rs__norm_vectors;

/* What batch norm reads and writes besides its vectors. relu: y = max(.., 0). Joined: a residual was added before
 * the ReLU. Backward then takes the ReLU's mask from `positive`, one bit for each element, and dy' (the gradient
 * before the ReLU) is also the residual's gradient: where that is to be set, norm_gradients does so, and
 * norm_backward may take dy' from there. */
typedef struct rs__norm_tensors {
    const float *x;        /* its input */
    const float *residual; /* forward: added before the ReLU; NULL without */
    float *y;              /* forward: output */
    void *positive;      /* joined with relu: forward writes, backward reads bits: lanes / 8 bytes a vector */
    const float *dy;     /* backward: gradient of y */
    const float *addend; /* backward: added to dy, only where `positive` is; NULL without */
    float *dx;
    rs_pass pass_x;   /* SET or ADD: what happens to dx */
    float *dresidual; /* gradient of the residual */
    rs_pass pass_residual;
    bool relu, joined;
    bool stream; /* what is set is much larger than the caches: it is written past them */
} rs__norm_tensors;

typedef struct rs__window {
    int64_t in_height, in_width, out_height, out_width;
    int kernel, stride, padding;
    bool relu; /* of max pooling: the ReLU before or behind it is taken in, which is the same */
} rs__window;

/* A piece of one parameter's arenas: all pointers at its first element; NULL where the plan keeps none. */
typedef struct rs__update_piece {
    float *value, *moment1, *moment2;
    const float *gradient, *initial;
    double *gradient_sum;
    int64_t count;
} rs__update_piece;

/* What an update does to every piece. `rule` belongs to the piece's parameter. */
typedef struct rs__update_work {
    rs_rule_kind rule;
    bool moves;     /* by the rule; else there is no gradient */
    bool distances; /* to_initial (where kept) and to_previous */
    const rs_metric_list *metrics;
    rs_metric_needs needs;
} rs__update_work;

/* A dropout over the loaded batch: its masks, and the tensor. */
typedef struct rs__dropout {
    rs_dropout rule;
    float scale;
    const int64_t *ids; /* [sample] */
    uint32_t epoch;
    int64_t channels, blocks, positions;
    void *kept; /* masks of all vectors, lanes bits each, or NULL */
    bool drawn; /* they are there: else they are drawn, and kept */
} rs__dropout;

/* An objective of a layer: target, factor of the gradient, and the tensor. */
typedef struct rs__distance {
    int64_t channels, blocks, positions;
    double target, factor;
} rs__distance;

/* A tensor that is worked on plane by plane, or sample by sample. */
typedef struct rs__maps {
    int64_t channels, blocks, positions;
} rs__maps;

/* Rows of y = (or +=) x times a matrix [inner][blocks * lanes], plus a bias (NULL: none). Strides in floats; those of y are
 * whole vectors. */
typedef struct rs__small_product {
    const float *x, *matrix, *bias;
    float *y;
    int64_t x_stride, y_stride, inner, blocks;
    bool add;
} rs__small_product;

/* Sums over rows of dy^T x: [outputs, rounded up to whole vectors][blocks * lanes]. */
typedef struct rs__small_gradient {
    const float *x, *dy;
    float *sums;
    int64_t x_stride, dy_stride, outputs, blocks;
} rs__small_gradient;

/* Convolutions of one channel, 3x3, with a max pool of 2x2 behind: one sample, one block of outputs at a time. Images and
 * their gradients lie within the convolution's padding. Weights and their sums: [RS__GREY_WEIGHTS, then bias][lanes]. */
enum { RS__GREY_KERNEL = 3, RS__GREY_WEIGHTS = RS__GREY_KERNEL * RS__GREY_KERNEL };

typedef struct rs__grey {
    int64_t row;           /* floats from one row of an image to the next */
    int64_t height, width; /* of the convolution's map */
    bool relu;             /* before or behind the pool: taken in */
} rs__grey;

enum { RS__SMALL_BLOCKS = 4 };
enum { RS__NO_CHOICE = 0xffff };

typedef struct rs__kernels {
    const char *name; /* "AVX-512" */
    int lanes;

    /* Sums of x and of x^2 over the range, per channel: set, [padded channels] of the range's blocks. square
     * is exact enough that square / n - (sum / n)^2 keeps float accuracy. */
    void (*norm_statistics)(const rs__range *range, const float *x, double *sum, double *square);
    void (*norm_forward)(const rs__range *range, const rs__norm_vectors *v, const rs__norm_tensors *t);
    /* Sums of dy' and dy' (x - mean), dy' = dy (+ addend) where the ReLU let through: set, per channel. With a residual
     * whose gradient is to be set also dresidual = dy'. */
    void (*norm_gradients)(const rs__range *range, const rs__norm_vectors *v, const rs__norm_tensors *t,
                           double *sum, double *product);
    void (*norm_backward)(const rs__range *range, const rs__norm_vectors *v, const rs__norm_tensors *t);

    /* count: a multiple of lanes. */
    void (*relu_forward)(const float *x, float *y, int64_t count);
    void (*relu_backward)(const float *y, const float *dy, float *dx, rs_pass pass, int64_t count);
    void (*add_forward)(const float *a, const float *b, float *y, int64_t count);
    void (*pass_gradient)(const float *dy, float *dx, rs_pass pass, int64_t count); /* dx = or += dy */

    void (*sigmoid_backward)(const float *y, const float *dy, float *dx, rs_pass pass, int64_t count);
    void (*tanh_backward)(const float *y, const float *dy, float *dx, rs_pass pass, int64_t count);

    /* Planes [first, last). */
    void (*sigmoid_forward)(const rs__maps *m, int64_t first, int64_t last, const float *x, float *y);
    void (*tanh_forward)(const rs__maps *m, int64_t first, int64_t last, const float *x, float *y);
    void (*divide_forward)(const rs__maps *m, int64_t first, int64_t last, const float *a, const float *b,
                           float *y);
    /* The gradient of a: dx = or += dy / b; with y that of b: - dy / b y. */
    void (*divide_backward)(const rs__maps *m, int64_t first, int64_t last, const float *b, const float *y,
                            const float *dy, float *dx, rs_pass pass);

    /* Rows [first, last). */
    void (*small_product)(const rs__small_product *p, int64_t first, int64_t last);
    /* Adds to the sums; of the bias: sums [outputs, rounded up], of dy. */
    void (*small_gradient)(const rs__small_gradient *g, int64_t first, int64_t last);
    void (*small_bias_gradient)(const rs__small_gradient *g, int64_t first, int64_t last, float *sums);
    /* to = the sum over groups of `count` floats that lie group_stride apart. */
    void (*small_join)(const float *sums, int64_t group_stride, int64_t groups, int64_t count, float *to);

    /* Samples [first, last), over the channels at every position. */
    void (*softmax_forward)(const rs__maps *m, int64_t first, int64_t last, const float *x, float *y);
    void (*softmax_backward)(const rs__maps *m, int64_t first, int64_t last, const float *y, const float *dy,
                             float *dx, rs_pass pass);
    void (*row_normalize_forward)(const rs__maps *m, int64_t first, int64_t last, const float *x, float *y);
    void (*row_normalize_backward)(const rs__maps *m, int64_t first, int64_t last, const float *x,
                                   const float *y, const float *dy, float *dx, rs_pass pass);

    /* Planes [first, last) of y = or += x m / (1 - rate): forward, and backward with the gradients. */
    void (*dropout)(const rs__dropout *d, int64_t first, int64_t last, const float *x, float *y,
                    rs_pass pass);

    /* Planes [first, last) of a layer's output: adds y to sums[0] and (y - target)^2 to sums[1]. */
    void (*distance_sums)(const rs__distance *d, int64_t first, int64_t last, const float *y, double *sums);
    /* dy = or += factor (y - target). */
    void (*distance_backward)(const rs__distance *d, int64_t first, int64_t last, const float *y, float *dy,
                              rs_pass pass);

    /* Planes [first, last): one plane is one sample's channel block. choice: [plane][out position][lanes],
     * the window place that was largest; with a ReLU that stopped it RS__NO_CHOICE. */
    void (*max_pool_forward)(const rs__window *w, int64_t first, int64_t last, const float *x, float *y,
                             uint16_t *choice);
    void (*max_pool_backward)(const rs__window *w, int64_t first, int64_t last, const uint16_t *choice,
                              const float *dy, float *dx, rs_pass pass);
    /* y and choice as max_pool_forward's. Gradients are those of y, or, without a choice, of the map: sums and dx are
     * added to. */
    void (*grey_forward)(const rs__grey *g, const float *image, const float *weights, float *y,
                         uint16_t *choice);
    void (*grey_map)(const rs__grey *g, const float *image, const float *weights, float *y);
    void (*grey_gradients)(const rs__grey *g, const float *image, const uint16_t *choice, const float *dy,
                           float *sums);
    void (*grey_backward)(const rs__grey *g, const float *weights, const uint16_t *choice, const float *dy,
                          float *dx);
    void (*average_pool_forward)(const rs__window *w, int64_t first, int64_t last, const float *x, float *y);
    void (*average_pool_backward)(const rs__window *w, int64_t first, int64_t last, const float *dy,
                                  float *dx, rs_pass pass);
    void (*global_pool_forward)(int64_t positions, int64_t first, int64_t last, const float *x, float *y);
    void (*global_pool_backward)(int64_t positions, int64_t first, int64_t last, const float *dy, float *dx,
                                 rs_pass pass);

    /* Updates one piece and sets *sums. */
    void (*update)(const rs__update_work *work, rs_rule_f32 rule, const rs__update_piece *piece,
                   rs_update_sums *sums);
    void (*gradient_sums)(const float *gradient, int64_t count, rs_gradient_sums *sums); /* sets */

    /* Runs 2^20 rounds of multiply-adds in registers; returns how many multiplications and additions that was. Its
     * results go to *sink. */
    double (*multiply_add)(float *sink);
} rs__kernels;

extern const rs__kernels rs__kernels_avx512, rs__kernels_avx2, rs__kernels_baseline;

/* The functions behind the tables: one file per group, compiled once per instruction set; these fill their
 * part of a table. */
#define RS__DECLARE_KERNELS(isa)                                                                             \
    void rs__norm_statistics_##isa(const rs__range *, const float *, double *, double *);                    \
    void rs__norm_forward_##isa(const rs__range *, const rs__norm_vectors *, const rs__norm_tensors *);      \
    void rs__norm_gradients_##isa(const rs__range *, const rs__norm_vectors *, const rs__norm_tensors *,     \
                                  double *, double *);                                                       \
    void rs__norm_backward_##isa(const rs__range *, const rs__norm_vectors *, const rs__norm_tensors *);     \
    void rs__relu_forward_##isa(const float *, float *, int64_t);                                            \
    void rs__relu_backward_##isa(const float *, const float *, float *, rs_pass, int64_t);                   \
    void rs__add_forward_##isa(const float *, const float *, float *, int64_t);                              \
    void rs__pass_gradient_##isa(const float *, float *, rs_pass, int64_t);                                  \
    void rs__sigmoid_backward_##isa(const float *, const float *, float *, rs_pass, int64_t);                \
    void rs__tanh_backward_##isa(const float *, const float *, float *, rs_pass, int64_t);                   \
    void rs__sigmoid_forward_##isa(const rs__maps *, int64_t, int64_t, const float *, float *);              \
    void rs__tanh_forward_##isa(const rs__maps *, int64_t, int64_t, const float *, float *);                 \
    void rs__divide_forward_##isa(const rs__maps *, int64_t, int64_t, const float *, const float *,          \
                                  float *);                                                                  \
    void rs__divide_backward_##isa(const rs__maps *, int64_t, int64_t, const float *, const float *,         \
                                   const float *, float *, rs_pass);                                         \
    void rs__softmax_forward_##isa(const rs__maps *, int64_t, int64_t, const float *, float *);              \
    void rs__softmax_backward_##isa(const rs__maps *, int64_t, int64_t, const float *, const float *,        \
                                    float *, rs_pass);                                                       \
    void rs__row_normalize_forward_##isa(const rs__maps *, int64_t, int64_t, const float *, float *);        \
    void rs__row_normalize_backward_##isa(const rs__maps *, int64_t, int64_t, const float *, const float *,  \
                                          const float *, float *, rs_pass);                                  \
    void rs__small_product_##isa(const rs__small_product *, int64_t, int64_t);                               \
    void rs__small_gradient_##isa(const rs__small_gradient *, int64_t, int64_t);                             \
    void rs__small_bias_gradient_##isa(const rs__small_gradient *, int64_t, int64_t, float *);               \
    void rs__small_join_##isa(const float *, int64_t, int64_t, int64_t, float *);                            \
    void rs__dropout_##isa(const rs__dropout *, int64_t, int64_t, const float *, float *, rs_pass);          \
    void rs__distance_sums_##isa(const rs__distance *, int64_t, int64_t, const float *, double *);           \
    void rs__distance_backward_##isa(const rs__distance *, int64_t, int64_t, const float *, float *,         \
                                     rs_pass);                                                               \
    void rs__max_pool_forward_##isa(const rs__window *, int64_t, int64_t, const float *, float *,            \
                                    uint16_t *);                                                             \
    void rs__max_pool_backward_##isa(const rs__window *, int64_t, int64_t, const uint16_t *, const float *,  \
                                     float *, rs_pass);                                                      \
    void rs__grey_forward_##isa(const rs__grey *, const float *, const float *, float *, uint16_t *);        \
    void rs__grey_map_##isa(const rs__grey *, const float *, const float *, float *);                        \
    void rs__grey_gradients_##isa(const rs__grey *, const float *, const uint16_t *, const float *,          \
                                  float *);                                                                  \
    void rs__grey_backward_##isa(const rs__grey *, const float *, const uint16_t *, const float *, float *); \
    void rs__average_pool_forward_##isa(const rs__window *, int64_t, int64_t, const float *, float *);       \
    void rs__average_pool_backward_##isa(const rs__window *, int64_t, int64_t, const float *, float *,       \
                                         rs_pass);                                                           \
    void rs__global_pool_forward_##isa(int64_t, int64_t, int64_t, const float *, float *);                   \
    void rs__global_pool_backward_##isa(int64_t, int64_t, int64_t, const float *, float *, rs_pass);         \
    void rs__update_##isa(const rs__update_work *, rs_rule_f32, const rs__update_piece *, rs_update_sums *); \
    void rs__gradient_sums_##isa(const float *, int64_t, rs_gradient_sums *);                                \
    double rs__multiply_add_##isa(float *);
RS__DECLARE_KERNELS(avx512)
RS__DECLARE_KERNELS(avx2)
RS__DECLARE_KERNELS(baseline)

#endif
