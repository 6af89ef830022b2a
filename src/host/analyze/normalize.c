/* normalize.c: batch norm, softmax, row normalisation; see operators.h. */
#include <math.h>

#include "operators.h"

/* --- batch norm: channel c of sample i at plane p is x[(i C + c) plane + p] --- */

typedef struct statistics {
    rs__number mean, inverse; /* inverse: 1 / sqrt(variance + epsilon) */
} statistics;

static int64_t plane_of(const rs__call *c)
{
    return c->out[1] * c->out[2];
}

static int64_t at(const rs__call *c, int64_t channel, int64_t i)
{
    return (i / plane_of(c) * c->out[0] + channel) * plane_of(c) + i % plane_of(c);
}

static statistics statistics_of(const rs__call *c, int64_t channel)
{
    const int64_t count = c->n * plane_of(c);
    statistics s = {0};
    rs__number variance = 0.0;
    if (c->batch_statistics) {
        for (int64_t i = 0; i < count; i++) {
            s.mean += c->x[0][at(c, channel, i)];
        }
        s.mean /= (double)count;
        for (int64_t i = 0; i < count; i++) {
            rs__number d = c->x[0][at(c, channel, i)] - s.mean;
            variance += d * d;
        }
        variance /= (double)count;
    } else {
        s.mean = c->running_mean[channel];
        variance = c->running_variance[channel];
    }
    double root = 1.0 / sqrt(creal(variance) + c->node->attributes.epsilon);
    s.inverse = rs__lift(variance, root, -0.5 * root * root * root);
    return s;
}

static void batch_norm_forward(const rs__call *c)
{
    for (int64_t channel = 0; channel < c->out[0]; channel++) {
        const statistics s = statistics_of(c, channel);
        for (int64_t i = 0; i < c->n * plane_of(c); i++) {
            int64_t e = at(c, channel, i);
            c->y[e] = c->w[channel] * ((c->x[0][e] - s.mean) * s.inverse) + c->b[channel];
        }
    }
}

static void batch_norm_backward(const rs__call *c)
{
    const int64_t count = c->n * plane_of(c);
    for (int64_t channel = 0; channel < c->out[0]; channel++) {
        const statistics s = statistics_of(c, channel);
        rs__number db = 0.0, dw = 0.0;
        for (int64_t i = 0; i < count; i++) {
            int64_t e = at(c, channel, i);
            db += c->dy[e];
            dw += c->dy[e] * ((c->x[0][e] - s.mean) * s.inverse);
        }
        c->db[channel] += db;
        c->dw[channel] += dw;
        const rs__number mean_db = c->batch_statistics ? db / (double)count : 0.0;
        const rs__number mean_dw = c->batch_statistics ? dw / (double)count : 0.0;
        for (int64_t i = 0; c->dx[0] && i < count; i++) {
            int64_t e = at(c, channel, i);
            rs__number normal = (c->x[0][e] - s.mean) * s.inverse;
            c->dx[0][e] += c->w[channel] * s.inverse * (c->dy[e] - mean_db - normal * mean_dw);
        }
    }
}

/* --- over the channels at every place: element k of place i is x[first(i) + k plane] --- */

static int64_t first(const rs__call *c, int64_t i)
{
    return i / plane_of(c) * rs__elements(c->out) + i % plane_of(c);
}

static void softmax_forward(const rs__call *c)
{
    const int64_t step = plane_of(c);
    for (int64_t i = 0; i < c->n * step; i++) {
        const rs__number *x = c->x[0] + first(c, i);
        rs__number *y = c->y + first(c, i), sum = 0.0;
        double largest = creal(x[0]);
        for (int64_t k = 1; k < c->out[0]; k++) {
            largest = fmax(largest, creal(x[k * step]));
        }
        for (int64_t k = 0; k < c->out[0]; k++) {
            double e = exp(creal(x[k * step]) - largest);
            y[k * step] = rs__lift(x[k * step], e, e);
            sum += y[k * step];
        }
        for (int64_t k = 0; k < c->out[0]; k++) {
            y[k * step] /= sum;
        }
    }
}

static void softmax_backward(const rs__call *c)
{
    const int64_t step = plane_of(c);
    for (int64_t i = 0; c->dx[0] && i < c->n * step; i++) {
        const rs__number *y = c->y + first(c, i), *dy = c->dy + first(c, i);
        rs__number *dx = c->dx[0] + first(c, i), sum = 0.0;
        for (int64_t k = 0; k < c->out[0]; k++) {
            sum += dy[k * step] * y[k * step];
        }
        for (int64_t k = 0; k < c->out[0]; k++) {
            dx[k * step] += y[k * step] * (dy[k * step] - sum);
        }
    }
}

static rs__number row_sum(const rs__call *c, int64_t i)
{
    rs__number sum = 0.0;
    for (int64_t k = 0; k < c->out[0]; k++) {
        sum += c->x[0][first(c, i) + k * plane_of(c)];
    }
    return sum;
}

static void row_normalize_forward(const rs__call *c)
{
    const int64_t step = plane_of(c);
    for (int64_t i = 0; i < c->n * step; i++) {
        const rs__number sum = row_sum(c, i);
        for (int64_t k = 0; k < c->out[0]; k++) {
            c->y[first(c, i) + k * step] = c->x[0][first(c, i) + k * step] / sum;
        }
    }
}

static void row_normalize_backward(const rs__call *c)
{
    const int64_t step = plane_of(c);
    for (int64_t i = 0; c->dx[0] && i < c->n * step; i++) {
        const rs__number *y = c->y + first(c, i), *dy = c->dy + first(c, i), sum = row_sum(c, i);
        rs__number *dx = c->dx[0] + first(c, i), product = 0.0;
        for (int64_t k = 0; k < c->out[0]; k++) {
            product += dy[k * step] * y[k * step];
        }
        for (int64_t k = 0; k < c->out[0]; k++) {
            dx[k * step] += (dy[k * step] - product) / sum;
        }
    }
}

const rs__operator rs__dual_batch_norm = {batch_norm_forward, batch_norm_backward};
const rs__operator rs__dual_softmax = {softmax_forward, softmax_backward};
const rs__operator rs__dual_row_normalize = {row_normalize_forward, row_normalize_backward};
