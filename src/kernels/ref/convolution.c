/* convolution.c: cross-correlation by patches; see operators.h and rs/network.h.
 *
 * A patch is what one output position sees: Q = C R S inputs, 0 where padding is. For a block of samples with
 * P output positions
 *
 *   forward   y[p][k] = b[k] + sum_q patch[p][q] w[k][q]
 *   dx        dpatch[p][q] = sum_k dy[p][k] w[k][q], each added back to where the patch took it from
 *   dw        dw[k][q] = sum_p dy[p][k] patch[p][q]
 *
 * Forward and dx go by blocks, each on one thread; dw goes by chunks of input channels, each summing all
 * blocks in order. The sizes of blocks and chunks follow from shapes alone. */
#include <string.h>

#include "operators.h"
#include "real.h"

/* Output positions of a block, about; input channels of a chunk, whole tiles of ref_multiply_add wide. */
enum { BLOCK_ROWS = 32, CHUNK_CHANNELS = 16, CHUNK_CHANNELS_1X1 = 64 };

typedef struct geometry {
    int64_t c, h, w;                       /* input */
    int64_t k, oh, ow;                     /* output */
    int64_t side, window, stride, padding; /* R = S, R S, ... */
    int64_t q;                             /* C R S */
    int64_t samples, rows;                 /* of a block: N, and P = N OH OW */
    int64_t chunk;                         /* input channels that dw takes at a time */
} geometry;

static geometry geometry_of(const rs_node *node, const int64_t *in)
{
    int64_t side = node->attributes.kernel, plane = node->shape[1] * node->shape[2];
    int64_t samples = plane < BLOCK_ROWS ? BLOCK_ROWS / plane : 1;
    int64_t chunk = side > 1 ? CHUNK_CHANNELS : CHUNK_CHANNELS_1X1;
    return (geometry){.c = in[0],
                      .h = in[1],
                      .w = in[2],
                      .k = node->shape[0],
                      .oh = node->shape[1],
                      .ow = node->shape[2],
                      .side = side,
                      .window = side * side,
                      .stride = node->attributes.stride,
                      .padding = node->attributes.padding,
                      .q = in[0] * side * side,
                      .samples = samples,
                      .rows = samples * plane,
                      .chunk = chunk < in[0] ? chunk : in[0]};
}

/* Scratch of a thread: patches, rows of y or dy, then a block of dx or sums of dw. Shared: the weights. */
static ref_scratch scratch_size(const rs_node *node, const int64_t *in)
{
    geometry g = geometry_of(node, in);
    int64_t block = g.samples * g.c * g.h * g.w, sums = g.k * g.chunk * g.window;
    return (ref_scratch){.shared = (size_t)(g.q * g.k),
                         .per_thread = (size_t)(g.rows * (g.q + g.k) + (block > sums ? block : sums))};
}

/* Visits the window of output position oy, ox in channel `plane`: takes it into the patch, or adds the patch
 * back to it. Returns the patch's end. */
static double *take_window(const geometry *g, const real *plane, int64_t oy, int64_t ox, double *patch)
{
    for (int64_t r = 0; r < g->side; r++) {
        int64_t y = oy * g->stride - g->padding + r;
        for (int64_t s = 0; s < g->side; s++) {
            int64_t x = ox * g->stride - g->padding + s;
            bool inside = y >= 0 && y < g->h && x >= 0 && x < g->w;
            *patch++ = inside ? (double)plane[y * g->w + x] : 0.0;
        }
    }
    return patch;
}

static const double *add_window(const geometry *g, double *plane, int64_t oy, int64_t ox, const double *patch)
{
    for (int64_t r = 0; r < g->side; r++) {
        int64_t y = oy * g->stride - g->padding + r;
        for (int64_t s = 0; s < g->side; s++, patch++) {
            int64_t x = ox * g->stride - g->padding + s;
            if (y >= 0 && y < g->h && x >= 0 && x < g->w) {
                plane[y * g->w + x] += *patch;
            }
        }
    }
    return patch;
}

/* patch[p][(c - c0) R S + r S + s] of `samples` samples, channels c0 .. c1 - 1. */
static void take_patches(const geometry *g, const real *x, int64_t samples, int64_t c0, int64_t c1,
                         double *patch)
{
    int64_t plane = g->oh * g->ow;
    for (int64_t p = 0; p < samples * plane; p++) {
        const real *sample = x + p / plane * g->c * g->h * g->w;
        for (int64_t c = c0; c < c1; c++) {
            patch = take_window(g, sample + c * g->h * g->w, p % plane / g->ow, p % g->ow, patch);
        }
    }
}

static void add_patches(const geometry *g, const double *patch, int64_t samples, double *dx)
{
    int64_t plane = g->oh * g->ow;
    for (int64_t p = 0; p < samples * plane; p++) {
        double *sample = dx + p / plane * g->c * g->h * g->w;
        for (int64_t c = 0; c < g->c; c++) {
            patch = add_window(g, sample + c * g->h * g->w, p % plane / g->ow, p % g->ow, patch);
        }
    }
}

/* rows[p][k] = values[n][k][position] of `samples` samples. */
static void take_rows(const geometry *g, const real *values, int64_t samples, double *rows)
{
    int64_t plane = g->oh * g->ow;
    for (int64_t p = 0; p < samples * plane; p++) {
        for (int64_t k = 0; k < g->k; k++) {
            rows[p * g->k + k] = (double)values[(p / plane * g->k + k) * plane + p % plane];
        }
    }
}

/* What the bodies of the parallel loops get. */
typedef struct job {
    const ref_call *call;
    geometry g;
    int64_t blocks;
} job;

static job make_job(const ref_call *call)
{
    job made = {.call = call, .g = geometry_of(call->node, call->in)};
    made.blocks = (call->n + made.g.samples - 1) / made.g.samples;
    return made;
}

static int64_t samples_of_block(const job *j, int64_t block)
{
    int64_t left = j->call->n - block * j->g.samples;
    return left < j->g.samples ? left : j->g.samples;
}

static void forward_block(const void *context, int64_t block, int thread)
{
    const job *j = context;
    const geometry *g = &j->g;
    int64_t n = samples_of_block(j, block), plane = g->oh * g->ow, first = block * g->samples;
    double *patch = j->call->scratch + (size_t)thread * j->call->scratch_stride;
    double *rows = patch + g->rows * g->q;
    const real *b = j->call->b;
    real *y = (real *)j->call->y + first * g->k * plane;
    take_patches(g, (const real *)j->call->x[0] + first * g->c * g->h * g->w, n, 0, g->c, patch);
    for (int64_t i = 0; i < n * plane * g->k; i++) {
        rows[i] = b ? (double)b[i % g->k] : 0.0;
    }
    ref_multiply_add(&(ref_product){.a = patch,
                                    .b = j->call->shared,
                                    .c = rows,
                                    .rows = n * plane,
                                    .columns = g->k,
                                    .depth = g->q,
                                    .a_row = g->q,
                                    .a_column = 1,
                                    .b_stride = g->k,
                                    .c_stride = g->k});
    for (int64_t p = 0; p < n * plane; p++) {
        for (int64_t k = 0; k < g->k; k++) {
            y[(p / plane * g->k + k) * plane + p % plane] = (real)rows[p * g->k + k];
        }
    }
}

static void forward(const ref_call *call)
{
    job j = make_job(call);
    const real *w = call->w;
    for (int64_t q = 0; q < j.g.q; q++) {
        for (int64_t k = 0; k < j.g.k; k++) {
            call->shared[q * j.g.k + k] = (double)w[k * j.g.q + q];
        }
    }
    ref_for(call->threads, j.blocks, forward_block, &j);
}

static void backward_x_block(const void *context, int64_t block, int thread)
{
    const job *j = context;
    const geometry *g = &j->g;
    int64_t n = samples_of_block(j, block), plane = g->oh * g->ow, first = block * g->samples;
    int64_t size = n * g->c * g->h * g->w;
    double *patch = j->call->scratch + (size_t)thread * j->call->scratch_stride;
    double *rows = patch + g->rows * g->q, *sums = rows + g->rows * g->k;
    real *dx = (real *)j->call->dx[0] + first * g->c * g->h * g->w;
    take_rows(g, (const real *)j->call->dy + first * g->k * plane, n, rows);
    memset(patch, 0, (size_t)(n * plane * g->q) * sizeof(double));
    ref_multiply_add(&(ref_product){.a = rows,
                                    .b = j->call->shared,
                                    .c = patch,
                                    .rows = n * plane,
                                    .columns = g->q,
                                    .depth = g->k,
                                    .a_row = g->k,
                                    .a_column = 1,
                                    .b_stride = g->q,
                                    .c_stride = g->q});
    memset(sums, 0, (size_t)size * sizeof(double));
    add_patches(g, patch, n, sums);
    for (int64_t i = 0; i < size; i++) {
        ref_put(dx, i, sums[i], j->call->pass[0]);
    }
}

static void backward_x(const ref_call *call)
{
    job j = make_job(call);
    const real *w = call->w;
    for (int64_t i = 0; i < j.g.k * j.g.q; i++) {
        call->shared[i] = (double)w[i];
    }
    ref_for(call->threads, j.blocks, backward_x_block, &j);
}

static void backward_w_chunk(const void *context, int64_t index, int thread)
{
    const job *j = context;
    const geometry *g = &j->g;
    int64_t c0 = index * g->chunk, c1 = c0 + g->chunk < g->c ? c0 + g->chunk : g->c;
    int64_t columns = (c1 - c0) * g->window, plane = g->oh * g->ow;
    double *patch = j->call->scratch + (size_t)thread * j->call->scratch_stride;
    double *rows = patch + g->rows * g->q, *sums = rows + g->rows * g->k;
    memset(sums, 0, (size_t)(g->k * columns) * sizeof(double));
    for (int64_t block = 0; block < j->blocks; block++) {
        int64_t n = samples_of_block(j, block), first = block * g->samples;
        take_patches(g, (const real *)j->call->x[0] + first * g->c * g->h * g->w, n, c0, c1, patch);
        take_rows(g, (const real *)j->call->dy + first * g->k * plane, n, rows);
        ref_multiply_add(&(ref_product){.a = rows,
                                        .b = patch,
                                        .c = sums,
                                        .rows = g->k,
                                        .columns = columns,
                                        .depth = n * plane,
                                        .a_row = 1,
                                        .a_column = g->k,
                                        .b_stride = columns,
                                        .c_stride = columns});
    }
    real *dw = j->call->dw;
    for (int64_t k = 0; k < g->k; k++) {
        for (int64_t i = 0; i < columns; i++) {
            dw[k * g->q + c0 * g->window + i] = (real)sums[k * columns + i];
        }
    }
}

static void backward_b_channel(const void *context, int64_t k, int thread)
{
    const job *j = context;
    int64_t plane = j->g.oh * j->g.ow;
    double sum = 0.0;
    (void)thread;
    for (int64_t n = 0; n < j->call->n; n++) {
        const real *dy = (const real *)j->call->dy + (n * j->g.k + k) * plane;
        for (int64_t p = 0; p < plane; p++) {
            sum += (double)dy[p];
        }
    }
    ((real *)j->call->db)[k] = (real)sum;
}

static void backward(const ref_call *call)
{
    job j = make_job(call);
    if (call->dw) {
        ref_for(call->threads, (j.g.c + j.g.chunk - 1) / j.g.chunk, backward_w_chunk, &j);
    }
    if (call->db) {
        ref_for(call->threads, j.g.k, backward_b_channel, &j);
    }
    if (call->pass[0] != RS_PASS_NONE) {
        backward_x(call);
    }
}

const ref_operator REF(convolution) = {forward, backward, scratch_size};
