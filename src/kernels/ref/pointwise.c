/* pointwise.c: ReLU, softplus and the residual sum, sample by sample; see operators.h and rs/network.h. */
#include <math.h>

#include "operators.h"
#include "real.h"

static int64_t sample_size(const ref_call *call)
{
    return call->in[0] * call->in[1] * call->in[2];
}

static void put(real *dx, int64_t i, double d, rs_pass pass)
{
    dx[i] = (real)(pass == RS_PASS_ADD ? (double)dx[i] + d : d);
}

static void relu_sample(const void *context, int64_t n, int thread)
{
    const ref_call *call = context;
    int64_t size = sample_size(call);
    (void)thread;
    for (int64_t i = n * size; i < (n + 1) * size; i++) {
        real x = ((const real *)call->x[0])[i];
        ((real *)call->y)[i] = x < 0 ? 0 : x; /* NaN stays */
    }
}

static void relu_backward_sample(const void *context, int64_t n, int thread)
{
    const ref_call *call = context;
    int64_t size = sample_size(call);
    (void)thread;
    for (int64_t i = n * size; i < (n + 1) * size; i++) {
        double dy = (double)((const real *)call->dy)[i];
        put(call->dx[0], i, ((const real *)call->x[0])[i] > 0 ? dy : 0.0, call->pass[0]);
    }
}

static void softplus_sample(const void *context, int64_t n, int thread)
{
    const ref_call *call = context;
    int64_t size = sample_size(call);
    (void)thread;
    for (int64_t i = n * size; i < (n + 1) * size; i++) {
        double x = (double)((const real *)call->x[0])[i];
        ((real *)call->y)[i] = (real)(x > 0.0 ? x + log1p(exp(-x)) : log1p(exp(x)));
    }
}

static void softplus_backward_sample(const void *context, int64_t n, int thread)
{
    const ref_call *call = context;
    int64_t size = sample_size(call);
    (void)thread;
    for (int64_t i = n * size; i < (n + 1) * size; i++) {
        double x = (double)((const real *)call->x[0])[i], dy = (double)((const real *)call->dy)[i];
        put(call->dx[0], i, dy / (1.0 + exp(-x)), call->pass[0]);
    }
}

static void add_sample(const void *context, int64_t n, int thread)
{
    const ref_call *call = context;
    int64_t size = sample_size(call);
    (void)thread;
    for (int64_t i = n * size; i < (n + 1) * size; i++) {
        ((real *)call->y)[i] = ((const real *)call->x[0])[i] + ((const real *)call->x[1])[i];
    }
}

/* Input after input: both may be the same tensor, which is then set and added to. */
static void add_backward_sample(const void *context, int64_t n, int thread)
{
    const ref_call *call = context;
    int64_t size = sample_size(call);
    (void)thread;
    for (int k = 0; k < 2; k++) {
        for (int64_t i = n * size; call->pass[k] != RS_PASS_NONE && i < (n + 1) * size; i++) {
            put(call->dx[k], i, (double)((const real *)call->dy)[i], call->pass[k]);
        }
    }
}

static void relu(const ref_call *call)
{
    ref_for(call->threads, call->n, relu_sample, call);
}

static void relu_backward(const ref_call *call)
{
    if (call->pass[0] != RS_PASS_NONE) {
        ref_for(call->threads, call->n, relu_backward_sample, call);
    }
}

static void softplus(const ref_call *call)
{
    ref_for(call->threads, call->n, softplus_sample, call);
}

static void softplus_backward(const ref_call *call)
{
    if (call->pass[0] != RS_PASS_NONE) {
        ref_for(call->threads, call->n, softplus_backward_sample, call);
    }
}

static void add(const ref_call *call)
{
    ref_for(call->threads, call->n, add_sample, call);
}

static void add_backward(const ref_call *call)
{
    ref_for(call->threads, call->n, add_backward_sample, call);
}

const ref_operator REF(relu) = {relu, relu_backward, NULL};
const ref_operator REF(softplus) = {softplus, softplus_backward, NULL};
const ref_operator REF(add) = {add, add_backward, NULL};
