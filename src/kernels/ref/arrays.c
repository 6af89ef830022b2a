/* arrays.c: the passes over parameters, images and layers, and the table of this type; see operators.h. */
#include <math.h>

#include "operators.h"
#include "real.h"

static void normalise(const rs_plan_options *options, const uint8_t *bytes, int64_t n, int64_t channels,
                      int64_t plane, void *x)
{
    for (int64_t i = 0; i < n * channels * plane; i++) {
        int64_t c = i / plane % channels;
        float value = ((float)bytes[i] / 255.0F - options->mean[c]) / options->std[c];
        ((real *)x)[i] = (real)value;
    }
}

/* Float values, of a batch, to this type. */
static void convert(const float *values, int64_t count, void *to)
{
    for (int64_t i = 0; i < count; i++) {
        ((real *)to)[i] = (real)values[i];
    }
}

static real updated(const ref_update_call *call, REF_RULE(rule) rule, int64_t i)
{
    real g = ((const real *)call->gradient)[i], w = ((const real *)call->weight)[i];
    real *m = call->moment1, *v = call->moment2;
    switch (call->rule) {
    case RS_RULE_MOMENTUM:
        return REF_RULE(momentum)(rule, g, w, &m[i]);
    case RS_RULE_ADAM:
        return REF_RULE(adam)(rule, g, w, &m[i], &v[i]);
    case RS_RULE_ADAGRAD:
        return REF_RULE(adagrad)(rule, g, w, &v[i]);
    case RS_RULE_RMSPROP:
        return REF_RULE(rmsprop)(rule, g, w, &v[i]);
    case RS_RULE_RMSPROP_MOMENTUM:
        return REF_RULE(rmsprop_momentum)(rule, g, w, &m[i], &v[i]);
    default:
        return REF_RULE(sgd)(rule, g, w);
    }
}

static void update(const ref_update_call *call)
{
    const REF_RULE(rule) rule = REF_RULE(rule_make)(&call->scalars);
    for (int64_t i = 0; i < call->count; i++) {
        ((real *)call->weight)[i] = updated(call, rule, i);
    }
}

static void gradient_sums(const void *gradient, int64_t count, rs_gradient_sums *sums)
{
    for (int64_t i = 0; i < count; i++) {
        double g = (double)((const real *)gradient)[i];
        sums->abs += fabs(g);
        sums->squares += g * g;
    }
}

static void add_to_sum(const void *gradient, int64_t count, double *sum)
{
    for (int64_t i = 0; i < count; i++) {
        sum[i] += (double)((const real *)gradient)[i];
    }
}

static void distance_sums(const void *y, int64_t count, double target, double *sum, double *square)
{
    for (int64_t i = 0; i < count; i++) {
        double value = (double)((const real *)y)[i];
        *sum += value;
        *square += (value - target) * (value - target);
    }
}

static void add_distance(const void *y, int64_t count, double target, double factor, rs_pass pass, void *dy)
{
    for (int64_t i = 0; i < count; i++) {
        ref_put(dy, i, factor * ((double)((const real *)y)[i] - target), pass);
    }
}

extern const ref_operator REF(convolution), REF(batch_norm), REF(relu), REF(softplus), REF(sigmoid),
    REF(hyperbolic_tangent), REF(softmax), REF(row_normalize), REF(flatten), REF(repeat), REF(dropout),
    REF(add), REF(divide), REF(matrix_product), REF(max_pool), REF(average_pool), REF(global_average_pool),
    REF(linear), REF(softmax_cross_entropy), REF(mean_squared_error);

const ref_table REF(table) = {
    .operators =
        {
            [RS_OP_CONVOLUTION] = &REF(convolution),
            [RS_OP_BATCH_NORM] = &REF(batch_norm),
            [RS_OP_RELU] = &REF(relu),
            [RS_OP_SOFTPLUS] = &REF(softplus),
            [RS_OP_SIGMOID] = &REF(sigmoid),
            [RS_OP_TANH] = &REF(hyperbolic_tangent),
            [RS_OP_SOFTMAX] = &REF(softmax),
            [RS_OP_ROW_NORMALIZE] = &REF(row_normalize),
            [RS_OP_FLATTEN] = &REF(flatten),
            [RS_OP_REPEAT] = &REF(repeat),
            [RS_OP_DROPOUT] = &REF(dropout),
            [RS_OP_ADD] = &REF(add),
            [RS_OP_DIVIDE] = &REF(divide),
            [RS_OP_MATRIX_PRODUCT] = &REF(matrix_product),
            [RS_OP_MAX_POOL] = &REF(max_pool),
            [RS_OP_AVERAGE_POOL] = &REF(average_pool),
            [RS_OP_GLOBAL_AVERAGE_POOL] = &REF(global_average_pool),
            [RS_OP_LINEAR] = &REF(linear),
            [RS_OP_SOFTMAX_CROSS_ENTROPY] = &REF(softmax_cross_entropy),
            [RS_OP_KL_DIVERGENCE] = &REF(softmax_cross_entropy), /* the same value and gradient */
            [RS_OP_MEAN_SQUARED_ERROR] = &REF(mean_squared_error),
        },
    .update = update,
    .normalise = normalise,
    .convert = convert,
    .gradient_sums = gradient_sums,
    .add_to_sum = add_to_sum,
    .distance_sums = distance_sums,
    .add_distance = add_distance,
};
