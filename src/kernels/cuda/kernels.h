/* kernels.h: our own CUDA kernels, as launchers that C calls.
 *
 * Activations are NHWC, float, dense: a matrix of rows = N H W by channels. Pointers are device pointers
 * aligned to 16 bytes unless said. Every launcher checks its arguments (cudaErrorInvalidValue), enqueues on
 * `stream`, returns the launch's status, and neither allocates nor waits: it may be captured into a graph.
 * What changes from step to step (learning rate, step counts, sample numbers) is read from device memory.
 * Sums run in fixed blocks and in a fixed order, the last of them in double; no atomics: the same bits every
 * time. Set or add is an argument (rs_pass); NONE does nothing. What is written may lie where the same
 * element was read (y on x, dx on dy). */
#ifndef RS_KERNELS_CUDA_KERNELS_H
#define RS_KERNELS_CUDA_KERNELS_H

#include <cuda_runtime_api.h>
#include <stdbool.h>
#include <stdint.h>

#if defined(__cplusplus) && !defined(_Noreturn) /* C11's, in the headers below */
#define _Noreturn __attribute__((noreturn))
#endif

#include "backward.h"
#include "dropout.h"
#include "measure.h"
#include "objectives.h"
#include "rs/backend.h"
#include "update.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- batch (gather.cu) --------------------------------------------------------------------------------- */

/* x[i, h, w, c] = table[c * 256 + images[ids[i], c, h, w]] for c < channels, 0 for the padding channels up
 * to `stride`. labels_out[i] = labels[ids[i]]. ids NULL: 0, 1, 2 .. (the images of this batch alone). */
typedef struct rs_cu_gather {
    const uint8_t *images; /* [any, channels, positions] */
    const int32_t *labels; /* [any]; NULL: labels_out stays as it is */
    const int64_t *ids;    /* [count] or NULL */
    const float *table;    /* [channels][256] */
    float *x;              /* [count, positions, stride] */
    int32_t *labels_out;   /* [count] */
    int64_t count, positions;
    int channels, stride;
} rs_cu_gather;
cudaError_t rs_cu_gather_launch(const rs_cu_gather *gather, cudaStream_t stream);

/* to[i] = from[ids[i]], rows of `row` floats: values and targets that live on the device. labels_out as above. */
typedef struct rs_cu_row_gather {
    const float *from;
    const int64_t *ids;    /* [count] */
    float *to;             /* [count, row] */
    const int32_t *labels; /* [any]; NULL: labels_out stays as it is */
    int32_t *labels_out;   /* [count] */
    int64_t count, row;
} rs_cu_row_gather;
cudaError_t rs_cu_gather_rows(const rs_cu_row_gather *rows, cudaStream_t stream);

/* --- batch norm (batch_norm.cu) ------------------------------------------------------------------------ */

/* y = (x - mean) scale + shift, scale = w / sqrt(v + eps), shift = b; then + residual where there is one; then
 * max(., 0) where relu. Backward, with dy' = dy (+ addend) where the ReLU let through, n = rows:
 *   db = sum dy', dw = sum dy' xhat, dx = scale (dy' - db / n - xhat dw / n), dresidual = dy'
 * Where the statistics are fixed (the running ones) dx = scale dy'.
 * The ReLU's mask comes from x where there is no residual, else from `positive`: one bit an element, in
 * 32-bit words of 32 neighbouring channels of a row (channels rounded up). */
typedef struct rs_cu_norm {
    int64_t rows;
    int channels;
    const float *x;
    const float *residual; /* forward; NULL without */
    float *y;
    uint32_t *positive; /* [rows, ceil(channels / 32)] joined with relu: forward in training writes, backward
                           reads; else NULL */
    const float *weight, *bias;
    float *mean, *inverse; /* [channels] of this batch, or of the running statistics: 1 / sqrt(v + eps) */
    float *running_mean, *running_variance;
    double *partial; /* workspace, rs_cu_norm_partial_bytes */
    double epsilon, momentum;
    bool relu;
    /* backward */
    const float *dy, *addend; /* addend NULL without */
    float *dx, *dresidual, *dweight, *dbias;
    bool fixed; /* the statistics do not depend on x; then rs_cu_norm_backward takes no dweight and dbias */
    rs_pass pass_x, pass_residual; /* NONE: not wanted */
} rs_cu_norm;
size_t rs_cu_norm_partial_bytes(int64_t rows, int channels);
/* mean, inverse and the running statistics from x: reads x once. */
cudaError_t rs_cu_norm_statistics(const rs_cu_norm *norm, cudaStream_t stream);
/* mean, inverse from the running statistics. */
cudaError_t rs_cu_norm_running(const rs_cu_norm *norm, cudaStream_t stream);
/* y (and, with `mask`, positive) from x, mean, inverse: reads x (and residual) once, writes y once. */
cudaError_t rs_cu_norm_forward(const rs_cu_norm *norm, bool mask, cudaStream_t stream);
/* dweight, dbias: reads dy, x (addend, positive) once. Sets. */
cudaError_t rs_cu_norm_gradients(const rs_cu_norm *norm, cudaStream_t stream);
/* dx and dresidual, after rs_cu_norm_gradients (it takes dweight and dbias): reads dy, x (addend, positive)
 * once. */
cudaError_t rs_cu_norm_backward(const rs_cu_norm *norm, cudaStream_t stream);

/* --- pointwise (pointwise.cu) -------------------------------------------------------------------------- */

cudaError_t rs_cu_relu_forward(const float *x, float *y, int64_t count, cudaStream_t stream);
cudaError_t rs_cu_relu_backward(const float *y, const float *dy, float *dx, rs_pass pass, int64_t count,
                                cudaStream_t stream);
cudaError_t rs_cu_softplus_forward(const float *x, float *y, int64_t count, cudaStream_t stream);
cudaError_t rs_cu_softplus_backward(const float *x, const float *dy, float *dx, rs_pass pass, int64_t count,
                                    cudaStream_t stream);
cudaError_t rs_cu_sigmoid_forward(const float *x, float *y, int64_t count, cudaStream_t stream);
cudaError_t rs_cu_sigmoid_backward(const float *y, const float *dy, float *dx, rs_pass pass, int64_t count,
                                   cudaStream_t stream);
cudaError_t rs_cu_tanh_forward(const float *x, float *y, int64_t count, cudaStream_t stream);
cudaError_t rs_cu_tanh_backward(const float *y, const float *dy, float *dx, rs_pass pass, int64_t count,
                                cudaStream_t stream);
cudaError_t rs_cu_divide_forward(const float *a, const float *b, float *y, int64_t count,
                                 cudaStream_t stream);
/* da = or += dy / b, db = or += -dy a / b^2; db first, for both may be one tensor. */
typedef struct rs_cu_quotient {
    const float *a, *b, *dy;
    float *da, *db;
    rs_pass pass_a, pass_b;
    int64_t count;
} rs_cu_quotient;
cudaError_t rs_cu_divide_backward(const rs_cu_quotient *quotient, cudaStream_t stream);
cudaError_t rs_cu_add_forward(const float *a, const float *b, float *y, int64_t count, cudaStream_t stream);
/* to = or += from. */
cudaError_t rs_cu_pass(const float *from, float *to, rs_pass pass, int64_t count, cudaStream_t stream);
/* y[r, c] += b[c] over rows, and db[c] = sum over rows of dy[r, c] (set; workspace as of batch norm). */
cudaError_t rs_cu_bias_add(const float *b, float *y, int64_t rows, int channels, cudaStream_t stream);
cudaError_t rs_cu_bias_gradient(const float *dy, float *db, double *partial, int64_t rows, int channels,
                                cudaStream_t stream);

/* --- along the channels (channels.cu) -------------------------------------------------------------------- */

/* Softmax and y = x / sum x over the channels of each of `rows` positions. Every tensor is read once, but for more than
 * RS_CU_KEPT_CHANNELS channels. Backward of softmax reads y, that of row normalisation x. */
typedef struct rs_cu_channels {
    int64_t rows;
    int channels;
    const float *x, *dy; /* dy: backward; x: as above */
    float *y;            /* forward the output, backward the gradient of the input */
    rs_pass pass;        /* backward */
} rs_cu_channels;
cudaError_t rs_cu_softmax_forward(const rs_cu_channels *c, cudaStream_t stream);
cudaError_t rs_cu_softmax_backward(const rs_cu_channels *c, cudaStream_t stream);
cudaError_t rs_cu_row_normalize_forward(const rs_cu_channels *c, cudaStream_t stream);
cudaError_t rs_cu_row_normalize_backward(const rs_cu_channels *c, cudaStream_t stream);

/* --- repeat (repeat.cu) ---------------------------------------------------------------------------------- */

/* y[outer, times, inner] = x[outer, inner]; backward dx = or += the sum of dy over `times`. */
typedef struct rs_cu_repeat {
    int64_t outer, times, inner;
} rs_cu_repeat;
cudaError_t rs_cu_repeat_forward(const rs_cu_repeat *r, const float *x, float *y, cudaStream_t stream);
cudaError_t rs_cu_repeat_backward(const rs_cu_repeat *r, const float *dy, float *dx, rs_pass pass,
                                  cudaStream_t stream);

/* --- matrix product of maps (matrix.cu) ------------------------------------------------------------------ */

/* y[n, i, j, c] = or += sum over k of a[n, i, k, c] b[n, k, j, c]: a product for every sample and channel, channels
 * innermost. Steps are in positions; y is dense, [samples, rows, columns, channels]. Right, and fast where there are many
 * channels: with one alone cuBLAS does it. */
typedef struct rs_cu_matrix {
    const float *a, *b;
    float *y;
    int64_t samples, rows, columns, depth;
    int64_t a_row, a_depth, b_depth, b_column; /* from one i, k, k, j to the next */
    int channels;
    rs_pass pass;
} rs_cu_matrix;
cudaError_t rs_cu_matrix_product(const rs_cu_matrix *m, cudaStream_t stream);

/* --- dropout (dropout.cu) ------------------------------------------------------------------------------- */

/* y = or += x m / (1 - rate), the masks drawn by common/dropout.h: forward, and backward with dy for x and dx for y. */
typedef struct rs_cu_dropout {
    const float *x;
    float *y;
    rs_pass pass;
    int64_t samples, sample_floats; /* of one sample: at most 2^34 */
    const int64_t *ids;             /* [samples] */
    const uint32_t *epoch;          /* one */
    rs_dropout rule;
} rs_cu_dropout;
cudaError_t rs_cu_dropout_launch(const rs_cu_dropout *dropout, cudaStream_t stream);

/* --- pooling (pooling.cu) ------------------------------------------------------------------------------ */

typedef struct rs_cu_window {
    int64_t samples, in_height, in_width, out_height, out_width;
    int channels, kernel, stride, padding; /* square windows */
} rs_cu_window;
/* Whether the two below take it: kernel up to 16, stride up to 64, sides up to 65536, padding < kernel. */
bool rs_cu_max_pool_fits(const rs_cu_window *w);
/* choice[n, oh, ow, c]: place in the window, row-major, of the first largest (NaN is largest); NULL: not
 * wanted. cuDNN leaves open which of equals takes the gradient; ref says the first. */
cudaError_t rs_cu_max_pool_forward(const rs_cu_window *w, const float *x, float *y, uint8_t *choice,
                                   cudaStream_t stream);
/* Each input element sums the windows that chose it, in row-major order of the windows. */
cudaError_t rs_cu_max_pool_backward(const rs_cu_window *w, const uint8_t *choice, const float *dy, float *dx,
                                    rs_pass pass, cudaStream_t stream);
/* y[n, c] = mean over positions; dx[n, p, c] = dy[n, c] / positions. */
cudaError_t rs_cu_global_pool_forward(int64_t samples, int64_t positions, int channels, const float *x,
                                      float *y, cudaStream_t stream);
cudaError_t rs_cu_global_pool_backward(int64_t samples, int64_t positions, int channels, const float *dy,
                                       float *dx, rs_pass pass, cudaStream_t stream);

/* --- loss (loss.cu) ------------------------------------------------------------------------------------ */

/* A step's loss, in device memory and, copied as it is, in the host's. */
typedef struct rs_cu_loss {
    double loss; /* of the batch */
    int64_t correct;
} rs_cu_loss;

/* Softmax cross-entropy, and the divergence from one-hot labels, which has the same value and gradient. */
typedef struct rs_cu_scores {
    const float *x;        /* [count, classes] */
    const int32_t *labels; /* [count] */
    int64_t count;
    int classes;
    double *losses; /* [count]: of the samples, by rs_cu_cross_entropy */
    uint8_t *hits;  /* the same: the first largest score is the label's */
    /* backward */
    float *dx; /* = or += weight (softmax - onehot) / divisor */
    rs_pass pass;
    double weight, divisor;
    rs_label_choice choice; /* whose onehot; of BOTH the sum of two gradients */
} rs_cu_scores;
/* A label outside 0 .. classes - 1 gives a loss of NaN. */
cudaError_t rs_cu_cross_entropy(const rs_cu_scores *s, cudaStream_t stream);
cudaError_t rs_cu_cross_entropy_backward(const rs_cu_scores *s, cudaStream_t stream);

/* Where a loss goes: as the step's own, as that of a layer (then with the share of hits), or both. NULL: not wanted. */
typedef struct rs_cu_loss_out {
    rs_cu_loss *loss;
    rs_layer_value *layer;
} rs_cu_loss_out;
/* The sum of losses / divisor, and the hits. */
cudaError_t rs_cu_loss_sum(const double *losses, const uint8_t *hits, int64_t count, double divisor,
                           const rs_cu_loss_out *out, cudaStream_t stream);

/* Squared distance from targets. partial: workspace, rs_cu_squared_partial_bytes. */
typedef struct rs_cu_squared {
    const float *x, *target; /* [count] each, in the same order */
    int64_t count;
    double divisor;
    double *partial;
    /* backward */
    float *dx; /* = or += 2 weight (x - target) / divisor */
    rs_pass pass;
    double weight;
} rs_cu_squared;
size_t rs_cu_squared_partial_bytes(int64_t count);
/* The sum of (x - target)^2 / divisor; no hits. */
cudaError_t rs_cu_squared_error(const rs_cu_squared *s, const rs_cu_loss_out *out, cudaStream_t stream);
cudaError_t rs_cu_squared_backward(const rs_cu_squared *s, cudaStream_t stream);

/* squares[n] = sum over a sample's floats of dx^2: for its norm. */
cudaError_t rs_cu_sample_squares(const float *dx, int64_t samples, int64_t sample_floats, double *squares,
                                 cudaStream_t stream);

/* --- objectives of layers (objectives.cu) --------------------------------------------------------------- */

/* value: the mean of (y - target)^2 and of y. Reads y once; partial: workspace. */
size_t rs_cu_distance_partial_bytes(int64_t count);
cudaError_t rs_cu_distance_measure(const float *y, int64_t count, double target, double *partial,
                                   rs_layer_value *value, cudaStream_t stream);
/* dy = or += factor (y - target), in float. */
cudaError_t rs_cu_distance_backward(const float *y, float *dy, double target, double factor, rs_pass pass,
                                    int64_t count, cudaStream_t stream);

/* --- update and measure (update.cu) -------------------------------------------------------------------- */

/* The arenas of all parameters, each tensor's elements at the same offset. Work is cut into jobs: at most
 * RS_CU_JOB neighbouring elements of one tensor, one thread block each. */
enum { RS_CU_JOB = 8192 };
typedef struct rs_cu_job {
    int64_t offset; /* elements, into every arena; a multiple of 4 */
    int32_t count;
    int32_t tensor;
} rs_cu_job;
typedef struct rs_cu_tensor {
    int64_t steps; /* updates it has had: counted by rs_cu_update_begin */
    int32_t first_job, jobs;
    int32_t reached;  /* 0: no update; its jobs are only measured */
    int32_t measured; /* distances are wanted */
    int32_t padding;  /* the last so many of every four neighbours are none of its own and stay as they are */
} rs_cu_tensor;
/* Per step, in device memory. */
typedef struct rs_cu_rates {
    double learning_rate;
} rs_cu_rates;
/* What comes out for every tensor: gradient, to_initial, to_previous. */
typedef rs_update_sums rs_cu_sums;
/* Beside the tensors' sums: the norm over all. */
typedef struct rs_cu_norms {
    double gradient_norm, gradient_norm_clipped, clip;
} rs_cu_norms;
typedef struct rs_cu_update {
    const rs_cu_job *jobs;
    rs_cu_tensor *tensors;
    int32_t job_count, tensor_count;
    float *value, *moment1, *moment2; /* moments NULL where the optimizer has none */
    const float *gradient, *initial;  /* initial NULL: no distance to it */
    double *gradient_sum;             /* NULL: not kept */
    const rs_cu_rates *rates;
    rs_rule_f32 *rules;        /* [tensor] workspace, by rs_cu_update_begin */
    rs_cu_sums *job_sums;      /* [job] workspace */
    rs_cu_sums *sums;          /* [tensor] out */
    rs_cu_norms *norms;        /* out */
    rs_update_options options; /* learning_rate is not read: rates has it */
    rs_metric_list metrics;    /* count 0 or !options.distances: none */
    bool momentum;             /* SGD or RMSprop with a buffer */
} rs_cu_update;
/* In this order, all on one stream. begin: with clipping the sums of every gradient (one more read), their
 * norm and the coefficient; step counts and rules. apply: the update, the sum of gradients, the differences
 * and the sums of gradients: every arena read and written once. finish: adds the jobs of
 * each tensor in a fixed order, and the norm. */
cudaError_t rs_cu_update_begin(const rs_cu_update *update, cudaStream_t stream);
cudaError_t rs_cu_update_apply(const rs_cu_update *update, cudaStream_t stream);
cudaError_t rs_cu_update_finish(const rs_cu_update *update, cudaStream_t stream);

/* --- orders (order.cu) --------------------------------------------------------------------------------- */

/* Weights and activations against canonical order. inside [outer][positions][stride] and canonical
 * [outer][inner][positions]: of weights outer = out, inner = in, positions = kh kw; of activations outer =
 * N, inner = C, positions = H W. `stride` >= inner: padding, written as 0. Of a sum, canonical float =
 * (float)(sum / divisor). Aligned to their elements is enough here. */
typedef struct rs_cu_order {
    int64_t outer, positions;
    int inner, stride;
} rs_cu_order;
cudaError_t rs_cu_to_canonical(const rs_cu_order *order, const float *inside, float *canonical,
                               cudaStream_t stream);
cudaError_t rs_cu_from_canonical(const rs_cu_order *order, const float *canonical, float *inside,
                                 cudaStream_t stream);
/* inside += canonical, padding left as it is. */
cudaError_t rs_cu_add_from_canonical(const rs_cu_order *order, const float *canonical, float *inside,
                                     cudaStream_t stream);
cudaError_t rs_cu_sum_to_canonical(const rs_cu_order *order, const double *inside, double divisor,
                                   float *canonical, cudaStream_t stream);
cudaError_t rs_cu_doubles_to_canonical(const rs_cu_order *order, const double *inside, double *canonical,
                                       cudaStream_t stream);
cudaError_t rs_cu_doubles_from_canonical(const rs_cu_order *order, const double *canonical, double *inside,
                                         cudaStream_t stream);

#ifdef __cplusplus
}
#endif

#endif
