/* pointwise.c: functions of one element, sums, quotients and flatten, sample by sample; see operators.h and rs/network.h. */
#include <math.h>

#include "operators.h"
#include "real.h"

/* One function in a call. */
typedef struct unary {
    const ref_call *call;
    double (*y)(double x);
    double (*dx)(double x, double y, double dy);
} unary;

static int64_t sample_size(const ref_call *call)
{
    return call->in[0] * call->in[1] * call->in[2];
}

static void forward_sample(const void *context, int64_t n, int thread)
{
    const unary *u = context;
    const real *x = u->call->x[0];
    int64_t size = sample_size(u->call);
    (void)thread;
    for (int64_t i = n * size; i < (n + 1) * size; i++) {
        ((real *)u->call->y)[i] = (real)u->y((double)x[i]);
    }
}

static void backward_sample(const void *context, int64_t n, int thread)
{
    const unary *u = context;
    const real *x = u->call->x[0], *y = u->call->y, *dy = u->call->dy;
    int64_t size = sample_size(u->call);
    (void)thread;
    for (int64_t i = n * size; i < (n + 1) * size; i++) {
        ref_put(u->call->dx[0], i, u->dx((double)x[i], (double)y[i], (double)dy[i]), u->call->pass[0]);
    }
}

static void forward_unary(const ref_call *call, double (*y)(double x))
{
    ref_for(call->threads, call->n, forward_sample, &(unary){.call = call, .y = y});
}

static void backward_unary(const ref_call *call, double (*dx)(double x, double y, double dy))
{
    if (call->pass[0] != RS_PASS_NONE) {
        ref_for(call->threads, call->n, backward_sample, &(unary){.call = call, .dx = dx});
    }
}

/* --- functions of one element -------------------------------------------------------------------------------- */

static double relu_y(double x)
{
    return x < 0.0 ? 0.0 : x; /* NaN stays */
}

static double relu_dx(double x, double y, double dy)
{
    (void)y;
    return x > 0.0 ? dy : 0.0;
}

static double softplus_y(double x)
{
    return x > 0.0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

static double softplus_dx(double x, double y, double dy)
{
    (void)y;
    return dy / (1.0 + exp(-x));
}

static double sigmoid_y(double x)
{
    return 1.0 / (1.0 + exp(-x));
}

static double sigmoid_dx(double x, double y, double dy)
{
    (void)x;
    return dy * y * (1.0 - y);
}

static double tanh_dx(double x, double y, double dy)
{
    (void)x;
    return dy * (1.0 - y * y);
}

static double flatten_y(double x)
{
    return x;
}

static double flatten_dx(double x, double y, double dy)
{
    (void)x;
    (void)y;
    return dy;
}

/* --- functions of two elements --------------------------------------------------------------------------------- */

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
            ref_put(call->dx[k], i, (double)((const real *)call->dy)[i], call->pass[k]);
        }
    }
}

static void divide_sample(const void *context, int64_t n, int thread)
{
    const ref_call *call = context;
    int64_t size = sample_size(call);
    (void)thread;
    for (int64_t i = n * size; i < (n + 1) * size; i++) {
        ((real *)call->y)[i] = ((const real *)call->x[0])[i] / ((const real *)call->x[1])[i];
    }
}

static void divide_backward_sample(const void *context, int64_t n, int thread)
{
    const ref_call *call = context;
    const real *a = call->x[0], *b = call->x[1], *dy = call->dy;
    int64_t size = sample_size(call);
    (void)thread;
    for (int k = 0; k < 2; k++) {
        for (int64_t i = n * size; call->pass[k] != RS_PASS_NONE && i < (n + 1) * size; i++) {
            double divisor = (double)b[i], quotient = (double)dy[i] / divisor;
            ref_put(call->dx[k], i, k == 0 ? quotient : -quotient * ((double)a[i] / divisor), call->pass[k]);
        }
    }
}

/* --- the table's functions ------------------------------------------------------------------------------------- */

#define UNARY(name, function, gradient)                                                                      \
    static void name(const ref_call *call)                                                                   \
    {                                                                                                        \
        forward_unary(call, function);                                                                       \
    }                                                                                                        \
    static void name##_backward(const ref_call *call)                                                        \
    {                                                                                                        \
        backward_unary(call, gradient);                                                                      \
    }                                                                                                        \
    const ref_operator REF(name) = {name, name##_backward, NULL};

#define BINARY(name)                                                                                         \
    static void name(const ref_call *call)                                                                   \
    {                                                                                                        \
        ref_for(call->threads, call->n, name##_sample, call);                                                \
    }                                                                                                        \
    static void name##_backward(const ref_call *call)                                                        \
    {                                                                                                        \
        ref_for(call->threads, call->n, name##_backward_sample, call);                                       \
    }                                                                                                        \
    const ref_operator REF(name) = {name, name##_backward, NULL};

UNARY(relu, relu_y, relu_dx)
UNARY(softplus, softplus_y, softplus_dx)
UNARY(sigmoid, sigmoid_y, sigmoid_dx)
UNARY(hyperbolic_tangent, tanh, tanh_dx)
UNARY(flatten, flatten_y, flatten_dx)
BINARY(add)
BINARY(divide)
