/* linear.c: y = W x + b; see operators.h and rs/network.h. */
#include "operators.h"
#include "real.h"

static int64_t features(const ref_call *call)
{
    return call->in[0] * call->in[1] * call->in[2];
}

static void forward_sample(const void *context, int64_t n, int thread)
{
    const ref_call *call = context;
    int64_t in = features(call), out = call->out[0];
    const real *x = (const real *)call->x[0] + n * in, *w = call->w, *b = call->b;
    (void)thread;
    for (int64_t k = 0; k < out; k++) {
        double sum = b ? (double)b[k] : 0.0;
        for (int64_t i = 0; i < in; i++) {
            sum += (double)w[k * in + i] * (double)x[i];
        }
        ((real *)call->y)[n * out + k] = (real)sum;
    }
}

static void forward(const ref_call *call)
{
    ref_for(call->threads, call->n, forward_sample, call);
}

static void backward_x_sample(const void *context, int64_t n, int thread)
{
    const ref_call *call = context;
    int64_t in = features(call), out = call->out[0];
    const real *dy = (const real *)call->dy + n * out, *w = call->w;
    real *dx = (real *)call->dx[0] + n * in;
    (void)thread;
    for (int64_t i = 0; i < in; i++) {
        double sum = call->pass[0] == RS_PASS_ADD ? (double)dx[i] : 0.0;
        for (int64_t k = 0; k < out; k++) {
            sum += (double)w[k * in + i] * (double)dy[k];
        }
        dx[i] = (real)sum;
    }
}

static void backward_w_row(const void *context, int64_t k, int thread)
{
    const ref_call *call = context;
    int64_t in = features(call), out = call->out[0];
    const real *x = call->x[0], *dy = call->dy;
    (void)thread;
    for (int64_t i = 0; call->dw && i < in; i++) {
        double sum = 0.0;
        for (int64_t n = 0; n < call->n; n++) {
            sum += (double)dy[n * out + k] * (double)x[n * in + i];
        }
        ((real *)call->dw)[k * in + i] = (real)sum;
    }
    if (call->db) {
        double sum = 0.0;
        for (int64_t n = 0; n < call->n; n++) {
            sum += (double)dy[n * out + k];
        }
        ((real *)call->db)[k] = (real)sum;
    }
}

static void backward(const ref_call *call)
{
    ref_for(call->threads, call->out[0], backward_w_row, call);
    if (call->pass[0] != RS_PASS_NONE) {
        ref_for(call->threads, call->n, backward_x_sample, call);
    }
}

const ref_operator REF(linear) = {forward, backward, NULL};
