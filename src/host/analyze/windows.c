/* windows.c: max, average and global average pooling; see operators.h. */
#include "operators.h"

/* The part of a window inside the plane: rows y0 .. y1 - 1, columns x0 .. x1 - 1. */
typedef struct window {
    int64_t y0, y1, x0, x1;
} window;

static window window_at(const rs__call *c, int64_t output)
{
    const rs_node_attributes *a = &c->node->attributes;
    int64_t y = output / c->out[2] * a->stride - a->padding, x = output % c->out[2] * a->stride - a->padding;
    int64_t y1 = y + a->kernel, x1 = x + a->kernel;
    return (window){y < 0 ? 0 : y, y1 < c->in[0][1] ? y1 : c->in[0][1], x < 0 ? 0 : x,
                    x1 < c->in[0][2] ? x1 : c->in[0][2]};
}

static int64_t plane_in(const rs__call *c)
{
    return c->in[0][1] * c->in[0][2];
}

static int64_t plane_out(const rs__call *c)
{
    return c->out[1] * c->out[2];
}

/* Where output i, counted over samples and channels, begins to look. */
static int64_t plane_start(const rs__call *c, int64_t i)
{
    return i / plane_out(c) * plane_in(c);
}

/* The input that output i takes: the first largest of its window. */
static int64_t largest(const rs__call *c, int64_t i)
{
    const window w = window_at(c, i % plane_out(c));
    const int64_t start = plane_start(c, i), width = c->in[0][2];
    int64_t best = start + w.y0 * width + w.x0;
    for (int64_t y = w.y0; y < w.y1; y++) {
        for (int64_t x = w.x0; x < w.x1; x++) {
            int64_t at = start + y * width + x;
            best = creal(c->x[0][at]) > creal(c->x[0][best]) ? at : best;
        }
    }
    return best;
}

static void max_forward(const rs__call *c)
{
    for (int64_t i = 0; i < c->n * rs__elements(c->out); i++) {
        c->y[i] = c->x[0][largest(c, i)];
    }
}

static void max_backward(const rs__call *c)
{
    for (int64_t i = 0; c->dx[0] && i < c->n * rs__elements(c->out); i++) {
        c->dx[0][largest(c, i)] += c->dy[i];
    }
}

static double area(const rs__call *c)
{
    return (double)c->node->attributes.kernel * (double)c->node->attributes.kernel;
}

static void average_forward(const rs__call *c)
{
    for (int64_t i = 0; i < c->n * rs__elements(c->out); i++) {
        const window w = window_at(c, i % plane_out(c));
        rs__number sum = 0.0;
        for (int64_t y = w.y0; y < w.y1; y++) {
            for (int64_t x = w.x0; x < w.x1; x++) {
                sum += c->x[0][plane_start(c, i) + y * c->in[0][2] + x];
            }
        }
        c->y[i] = sum / area(c);
    }
}

static void average_backward(const rs__call *c)
{
    for (int64_t i = 0; c->dx[0] && i < c->n * rs__elements(c->out); i++) {
        const window w = window_at(c, i % plane_out(c));
        for (int64_t y = w.y0; y < w.y1; y++) {
            for (int64_t x = w.x0; x < w.x1; x++) {
                c->dx[0][plane_start(c, i) + y * c->in[0][2] + x] += c->dy[i] / area(c);
            }
        }
    }
}

static void global_forward(const rs__call *c)
{
    for (int64_t i = 0; i < c->n * c->out[0]; i++) {
        rs__number sum = 0.0;
        for (int64_t p = 0; p < plane_in(c); p++) {
            sum += c->x[0][i * plane_in(c) + p];
        }
        c->y[i] = sum / (double)plane_in(c);
    }
}

static void global_backward(const rs__call *c)
{
    for (int64_t i = 0; c->dx[0] && i < c->n * rs__elements(c->in[0]); i++) {
        c->dx[0][i] += c->dy[i / plane_in(c)] / (double)plane_in(c);
    }
}

const rs__operator rs__dual_max_pool = {max_forward, max_backward};
const rs__operator rs__dual_average_pool = {average_forward, average_backward};
const rs__operator rs__dual_global_pool = {global_forward, global_backward};
