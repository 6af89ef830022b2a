/* pooling.c: max, average and global average pooling, plane by plane; see operators.h and rs/network.h. */
#include <math.h>
#include <string.h>

#include "operators.h"
#include "real.h"

/* The part of a window that lies inside the plane: rows y0 .. y1 - 1, columns x0 .. x1 - 1. */
typedef struct window {
    int64_t y0, y1, x0, x1;
} window;

static window window_at(const ref_call *call, int64_t oy, int64_t ox)
{
    const rs_node_attributes *a = &call->node->attributes;
    int64_t y = oy * a->stride - a->padding, x = ox * a->stride - a->padding;
    int64_t y1 = y + a->kernel, x1 = x + a->kernel;
    return (window){y < 0 ? 0 : y, y1 < call->in[1] ? y1 : call->in[1], x < 0 ? 0 : x,
                    x1 < call->in[2] ? x1 : call->in[2]};
}

/* Index of the first largest value in row-major order; a NaN is largest of all. */
static int64_t largest(const ref_call *call, const real *plane, const window *w)
{
    int64_t best = w->y0 * call->in[2] + w->x0;
    for (int64_t y = w->y0; y < w->y1; y++) {
        for (int64_t x = w->x0; x < w->x1; x++) {
            int64_t at = y * call->in[2] + x;
            if (plane[at] > plane[best] || (isnan(plane[at]) && !isnan(plane[best]))) {
                best = at;
            }
        }
    }
    return best;
}

static void max_plane(const void *context, int64_t plane, int thread)
{
    const ref_call *call = context;
    const real *x = (const real *)call->x[0] + plane * call->in[1] * call->in[2];
    real *y = (real *)call->y + plane * call->out[1] * call->out[2];
    (void)thread;
    for (int64_t o = 0; o < call->out[1] * call->out[2]; o++) {
        window w = window_at(call, o / call->out[2], o % call->out[2]);
        y[o] = x[largest(call, x, &w)];
    }
}

static void average_plane(const void *context, int64_t plane, int thread)
{
    const ref_call *call = context;
    const real *x = (const real *)call->x[0] + plane * call->in[1] * call->in[2];
    real *y = (real *)call->y + plane * call->out[1] * call->out[2];
    double area = (double)call->node->attributes.kernel * (double)call->node->attributes.kernel;
    (void)thread;
    for (int64_t o = 0; o < call->out[1] * call->out[2]; o++) {
        window w = window_at(call, o / call->out[2], o % call->out[2]);
        double sum = 0.0;
        for (int64_t r = w.y0; r < w.y1; r++) {
            for (int64_t c = w.x0; c < w.x1; c++) {
                sum += (double)x[r * call->in[2] + c];
            }
        }
        y[o] = (real)(sum / area);
    }
}

/* Windows may overlap: one input gets several parts, summed in the thread's scratch. */
static double *cleared_sums(const ref_call *call, int thread)
{
    double *sums = call->scratch + (size_t)thread * call->scratch_stride;
    memset(sums, 0, (size_t)(call->in[1] * call->in[2]) * sizeof *sums);
    return sums;
}

static void put_sums(const ref_call *call, int64_t plane, const double *sums)
{
    real *dx = (real *)call->dx[0] + plane * call->in[1] * call->in[2];
    for (int64_t i = 0; i < call->in[1] * call->in[2]; i++) {
        ref_put(dx, i, sums[i], call->pass[0]);
    }
}

static void max_backward_plane(const void *context, int64_t plane, int thread)
{
    const ref_call *call = context;
    const real *x = (const real *)call->x[0] + plane * call->in[1] * call->in[2];
    const real *dy = (const real *)call->dy + plane * call->out[1] * call->out[2];
    double *sums = cleared_sums(call, thread);
    for (int64_t o = 0; o < call->out[1] * call->out[2]; o++) {
        window w = window_at(call, o / call->out[2], o % call->out[2]);
        sums[largest(call, x, &w)] += (double)dy[o];
    }
    put_sums(call, plane, sums);
}

static void average_backward_plane(const void *context, int64_t plane, int thread)
{
    const ref_call *call = context;
    const real *dy = (const real *)call->dy + plane * call->out[1] * call->out[2];
    double area = (double)call->node->attributes.kernel * (double)call->node->attributes.kernel;
    double *sums = cleared_sums(call, thread);
    for (int64_t o = 0; o < call->out[1] * call->out[2]; o++) {
        window w = window_at(call, o / call->out[2], o % call->out[2]);
        for (int64_t r = w.y0; r < w.y1; r++) {
            for (int64_t c = w.x0; c < w.x1; c++) {
                sums[r * call->in[2] + c] += (double)dy[o] / area;
            }
        }
    }
    put_sums(call, plane, sums);
}

/* One plane of sums. */
static ref_scratch scratch_size(const rs_node *node, const int64_t *in)
{
    (void)node;
    return (ref_scratch){.per_thread = (size_t)(in[1] * in[2])};
}

static void global_plane(const void *context, int64_t plane, int thread)
{
    const ref_call *call = context;
    int64_t size = call->in[1] * call->in[2];
    const real *x = (const real *)call->x[0] + plane * size;
    double sum = 0.0;
    (void)thread;
    for (int64_t i = 0; i < size; i++) {
        sum += (double)x[i];
    }
    ((real *)call->y)[plane] = (real)(sum / (double)size);
}

static void global_backward_plane(const void *context, int64_t plane, int thread)
{
    const ref_call *call = context;
    int64_t size = call->in[1] * call->in[2];
    real *dx = (real *)call->dx[0] + plane * size;
    double share = (double)((const real *)call->dy)[plane] / (double)size;
    (void)thread;
    for (int64_t i = 0; i < size; i++) {
        ref_put(dx, i, share, call->pass[0]);
    }
}

static void max_pool(const ref_call *call)
{
    ref_for(call->threads, call->n * call->in[0], max_plane, call);
}

static void max_pool_backward(const ref_call *call)
{
    if (call->pass[0] != RS_PASS_NONE) {
        ref_for(call->threads, call->n * call->in[0], max_backward_plane, call);
    }
}

static void average_pool(const ref_call *call)
{
    ref_for(call->threads, call->n * call->in[0], average_plane, call);
}

static void average_pool_backward(const ref_call *call)
{
    if (call->pass[0] != RS_PASS_NONE) {
        ref_for(call->threads, call->n * call->in[0], average_backward_plane, call);
    }
}

static void global_average_pool(const ref_call *call)
{
    ref_for(call->threads, call->n * call->in[0], global_plane, call);
}

static void global_average_pool_backward(const ref_call *call)
{
    if (call->pass[0] != RS_PASS_NONE) {
        ref_for(call->threads, call->n * call->in[0], global_backward_plane, call);
    }
}

const ref_operator REF(max_pool) = {max_pool, max_pool_backward, scratch_size};
const ref_operator REF(average_pool) = {average_pool, average_pool_backward, scratch_size};
const ref_operator REF(global_average_pool) = {global_average_pool, global_average_pool_backward, NULL};
