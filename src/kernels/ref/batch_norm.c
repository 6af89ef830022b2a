/* batch_norm.c: normalisation by channel over N, H, W; see operators.h and rs/network.h.
 *
 * Channels are independent: each runs on one thread. The mean and the inverse deviation that forward used
 * stay in call->saved for backward. */
#include <math.h>

#include "operators.h"
#include "real.h"

/* Samples of channel c: x[n * step + i], i < plane. */
typedef struct channel {
    int64_t n, step, plane;
    const real *x;
} channel;

static channel channel_of(const ref_call *call, const void *values, int64_t c)
{
    int64_t plane = call->in[1] * call->in[2];
    return (channel){call->n, call->in[0] * plane, plane, (const real *)values + c * plane};
}

static void batch_statistics(const channel *x, double *mean, double *variance)
{
    double count = (double)(x->n * x->plane), sum = 0.0, squares = 0.0;
    for (int64_t n = 0; n < x->n; n++) {
        for (int64_t i = 0; i < x->plane; i++) {
            sum += (double)x->x[n * x->step + i];
        }
    }
    *mean = sum / count;
    for (int64_t n = 0; n < x->n; n++) {
        for (int64_t i = 0; i < x->plane; i++) {
            double d = (double)x->x[n * x->step + i] - *mean;
            squares += d * d;
        }
    }
    *variance = squares / count;
}

/* running = (1 - momentum) running + momentum {mean, unbiased variance}. */
static void update_running(const ref_call *call, int64_t c, double mean, double variance)
{
    double momentum = call->node->attributes.momentum;
    double count = (double)(call->n * call->in[1] * call->in[2]);
    real *running_mean = call->running_mean, *running_variance = call->running_variance;
    double unbiased = count > 1.0 ? variance * (count / (count - 1.0)) : variance;
    running_mean[c] = (real)((1.0 - momentum) * (double)running_mean[c] + momentum * mean);
    running_variance[c] = (real)((1.0 - momentum) * (double)running_variance[c] + momentum * unbiased);
}

static void forward_channel(const void *context, int64_t c, int thread)
{
    const ref_call *call = context;
    channel x = channel_of(call, call->x[0], c);
    real *y = (real *)call->y + c * x.plane;
    double mean, variance;
    (void)thread;
    if (call->mode == RS_MODE_TRAIN) {
        batch_statistics(&x, &mean, &variance);
        update_running(call, c, mean, variance);
    } else {
        mean = (double)((const real *)call->running_mean)[c];
        variance = (double)((const real *)call->running_variance)[c];
    }
    double inverse = 1.0 / sqrt(variance + call->node->attributes.epsilon);
    double w = (double)((const real *)call->w)[c], b = (double)((const real *)call->b)[c];
    for (int64_t n = 0; n < x.n; n++) {
        for (int64_t i = 0; i < x.plane; i++) {
            y[n * x.step + i] = (real)(w * (((double)x.x[n * x.step + i] - mean) * inverse) + b);
        }
    }
    call->saved[c] = mean;
    call->saved[call->in[0] + c] = inverse;
}

static void forward(const ref_call *call)
{
    ref_for(call->threads, call->in[0], forward_channel, call);
}

static void backward_channel(const void *context, int64_t c, int thread)
{
    const ref_call *call = context;
    channel x = channel_of(call, call->x[0], c), dy = channel_of(call, call->dy, c);
    double mean = call->saved[c], inverse = call->saved[call->in[0] + c];
    double w = (double)((const real *)call->w)[c], count = (double)(x.n * x.plane), dw = 0.0, db = 0.0;
    (void)thread;
    for (int64_t n = 0; n < x.n; n++) {
        for (int64_t i = 0; i < x.plane; i++) {
            double g = (double)dy.x[n * x.step + i];
            db += g;
            dw += g * (((double)x.x[n * x.step + i] - mean) * inverse);
        }
    }
    if (call->dw) {
        ((real *)call->dw)[c] = (real)dw;
    }
    if (call->db) {
        ((real *)call->db)[c] = (real)db;
    }
    if (call->pass[0] == RS_PASS_NONE) {
        return;
    }
    bool train = call->mode == RS_MODE_TRAIN;
    real *dx = (real *)call->dx[0] + c * x.plane;
    for (int64_t n = 0; n < x.n; n++) {
        for (int64_t i = 0; i < x.plane; i++) {
            int64_t at = n * x.step + i;
            double g = (double)dy.x[at], hat = ((double)x.x[at] - mean) * inverse;
            ref_put(dx, at, w * inverse * (train ? g - db / count - hat * dw / count : g), call->pass[0]);
        }
    }
}

static void backward(const ref_call *call)
{
    ref_for(call->threads, call->in[0], backward_channel, call);
}

const ref_operator REF(batch_norm) = {forward, backward, NULL};
