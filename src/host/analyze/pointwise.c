/* pointwise.c: what works element by element, and copies; see operators.h. */
#include <math.h>

#include "operators.h"

/* y = value(x), dx += dy slope(x): both go through rs__lift, so slope needs its own derivative. */
typedef struct curve {
    double value, slope, bend; /* f, f', f'' */
} curve;

static void forward(const rs__call *c, curve (*of)(double x))
{
    for (int64_t i = 0; i < c->n * rs__elements(c->out); i++) {
        curve at = of(creal(c->x[0][i]));
        c->y[i] = rs__lift(c->x[0][i], at.value, at.slope);
    }
}

static void backward(const rs__call *c, curve (*of)(double x))
{
    for (int64_t i = 0; c->dx[0] && i < c->n * rs__elements(c->out); i++) {
        curve at = of(creal(c->x[0][i]));
        c->dx[0][i] += c->dy[i] * rs__lift(c->x[0][i], at.slope, at.bend);
    }
}

static curve softplus(double x)
{
    double s = 1.0 / (1.0 + exp(-x));
    return (curve){x > 0 ? x + log1p(exp(-x)) : log1p(exp(x)), s, s * (1.0 - s)};
}

static curve sigmoid(double x)
{
    double s = 1.0 / (1.0 + exp(-x));
    return (curve){s, s * (1.0 - s), s * (1.0 - s) * (1.0 - 2.0 * s)};
}

static curve hyperbolic(double x)
{
    double t = tanh(x);
    return (curve){t, 1.0 - t * t, -2.0 * t * (1.0 - t * t)};
}

static void softplus_forward(const rs__call *c)
{
    forward(c, softplus);
}

static void softplus_backward(const rs__call *c)
{
    backward(c, softplus);
}

static void sigmoid_forward(const rs__call *c)
{
    forward(c, sigmoid);
}

static void sigmoid_backward(const rs__call *c)
{
    backward(c, sigmoid);
}

static void tanh_forward(const rs__call *c)
{
    forward(c, hyperbolic);
}

static void tanh_backward(const rs__call *c)
{
    backward(c, hyperbolic);
}

static void relu_forward(const rs__call *c)
{
    for (int64_t i = 0; i < c->n * rs__elements(c->out); i++) {
        c->y[i] = creal(c->x[0][i]) > 0.0 ? c->x[0][i] : 0.0;
    }
}

static void relu_backward(const rs__call *c)
{
    for (int64_t i = 0; c->dx[0] && i < c->n * rs__elements(c->out); i++) {
        if (creal(c->x[0][i]) > 0.0) {
            c->dx[0][i] += c->dy[i];
        }
    }
}

static void copy_forward(const rs__call *c)
{
    for (int64_t i = 0; i < c->n * rs__elements(c->out); i++) {
        c->y[i] = c->x[0][i];
    }
}

static void pass_on(const rs__call *c, int input)
{
    for (int64_t i = 0; c->dx[input] && i < c->n * rs__elements(c->out); i++) {
        c->dx[input][i] += c->dy[i];
    }
}

static void copy_backward(const rs__call *c)
{
    pass_on(c, 0);
}

static void add_forward(const rs__call *c)
{
    for (int64_t i = 0; i < c->n * rs__elements(c->out); i++) {
        c->y[i] = c->x[0][i] + c->x[1][i];
    }
}

static void add_backward(const rs__call *c)
{
    pass_on(c, 0);
    pass_on(c, 1);
}

static void divide_forward(const rs__call *c)
{
    for (int64_t i = 0; i < c->n * rs__elements(c->out); i++) {
        c->y[i] = c->x[0][i] / c->x[1][i];
    }
}

static void divide_backward(const rs__call *c)
{
    for (int64_t i = 0; i < c->n * rs__elements(c->out); i++) {
        rs__number quotient = c->dy[i] / c->x[1][i];
        if (c->dx[0]) {
            c->dx[0][i] += quotient;
        }
        if (c->dx[1]) {
            c->dx[1][i] -= quotient * c->x[0][i] / c->x[1][i];
        }
    }
}

/* Where element i of the output, of all samples, comes from. */
static int64_t repeated(const rs__call *c, int64_t i)
{
    const int64_t *out = c->out, *in = c->in[0];
    int64_t x = i % out[2], y = i / out[2] % out[1], z = i / (out[2] * out[1]) % out[0];
    int64_t sample = i / rs__elements(out);
    x = in[2] == 1 ? 0 : x;
    y = in[1] == 1 ? 0 : y;
    z = in[0] == 1 ? 0 : z;
    return ((sample * in[0] + z) * in[1] + y) * in[2] + x;
}

static void repeat_forward(const rs__call *c)
{
    for (int64_t i = 0; i < c->n * rs__elements(c->out); i++) {
        c->y[i] = c->x[0][repeated(c, i)];
    }
}

static void repeat_backward(const rs__call *c)
{
    for (int64_t i = 0; c->dx[0] && i < c->n * rs__elements(c->out); i++) {
        c->dx[0][repeated(c, i)] += c->dy[i];
    }
}

const rs__operator rs__dual_relu = {relu_forward, relu_backward};
const rs__operator rs__dual_softplus = {softplus_forward, softplus_backward};
const rs__operator rs__dual_sigmoid = {sigmoid_forward, sigmoid_backward};
const rs__operator rs__dual_tanh = {tanh_forward, tanh_backward};
const rs__operator rs__dual_copy = {copy_forward, copy_backward};
const rs__operator rs__dual_repeat = {repeat_forward, repeat_backward};
const rs__operator rs__dual_add = {add_forward, add_backward};
const rs__operator rs__dual_divide = {divide_forward, divide_backward};

static const rs__operator nothing;

const rs__operator *rs__operator_of(rs_op_kind kind)
{
    static const rs__operator *const table[RS_OP_KINDS] = {
        [RS_OP_INPUT] = &nothing,
        [RS_OP_CONVOLUTION] = &rs__dual_convolution,
        [RS_OP_BATCH_NORM] = &rs__dual_batch_norm,
        [RS_OP_RELU] = &rs__dual_relu,
        [RS_OP_SOFTPLUS] = &rs__dual_softplus,
        [RS_OP_SIGMOID] = &rs__dual_sigmoid,
        [RS_OP_TANH] = &rs__dual_tanh,
        [RS_OP_SOFTMAX] = &rs__dual_softmax,
        [RS_OP_ROW_NORMALIZE] = &rs__dual_row_normalize,
        [RS_OP_FLATTEN] = &rs__dual_copy,
        [RS_OP_REPEAT] = &rs__dual_repeat,
        [RS_OP_DROPOUT] = &rs__dual_copy,
        [RS_OP_ADD] = &rs__dual_add,
        [RS_OP_DIVIDE] = &rs__dual_divide,
        [RS_OP_MATRIX_PRODUCT] = &rs__dual_matrix_product,
        [RS_OP_MAX_POOL] = &rs__dual_max_pool,
        [RS_OP_AVERAGE_POOL] = &rs__dual_average_pool,
        [RS_OP_GLOBAL_AVERAGE_POOL] = &rs__dual_global_pool,
        [RS_OP_LINEAR] = &rs__dual_linear,
        [RS_OP_SOFTMAX_CROSS_ENTROPY] = &rs__dual_cross_entropy,
        [RS_OP_KL_DIVERGENCE] = &rs__dual_cross_entropy,
        [RS_OP_MEAN_SQUARED_ERROR] = &rs__dual_squared_error};
    return table[kind];
}
