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

static void update(const ref_update_call *call)
{
    const REF_RULE(rule) rule = REF_RULE(rule_make)(&call->scalars);
    const real *g = call->gradient;
    real *w = call->weight, *m = call->moment1, *v = call->moment2;
    bool adam = call->adam, momentum = call->momentum;
    for (int64_t i = 0; i < call->count; i++) {
        if (adam) {
            w[i] = REF_RULE(adam)(rule, g[i], w[i], &m[i], &v[i]);
        } else if (momentum) {
            w[i] = REF_RULE(momentum)(rule, g[i], w[i], &m[i]);
        } else {
            w[i] = REF_RULE(sgd)(rule, g[i], w[i]);
        }
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
        double d = factor * ((double)((const real *)y)[i] - target);
        ((real *)dy)[i] = (real)(pass == RS_PASS_ADD ? (double)((const real *)dy)[i] + d : d);
    }
}

extern const ref_operator REF(convolution), REF(batch_norm), REF(relu), REF(softplus), REF(dropout), REF(add),
    REF(max_pool), REF(average_pool), REF(global_average_pool), REF(linear), REF(softmax_cross_entropy);

const ref_table REF(table) = {
    .operators =
        {
            [RS_OP_CONVOLUTION] = &REF(convolution),
            [RS_OP_BATCH_NORM] = &REF(batch_norm),
            [RS_OP_RELU] = &REF(relu),
            [RS_OP_SOFTPLUS] = &REF(softplus),
            [RS_OP_DROPOUT] = &REF(dropout),
            [RS_OP_ADD] = &REF(add),
            [RS_OP_MAX_POOL] = &REF(max_pool),
            [RS_OP_AVERAGE_POOL] = &REF(average_pool),
            [RS_OP_GLOBAL_AVERAGE_POOL] = &REF(global_average_pool),
            [RS_OP_LINEAR] = &REF(linear),
            [RS_OP_SOFTMAX_CROSS_ENTROPY] = &REF(softmax_cross_entropy),
        },
    .update = update,
    .normalise = normalise,
    .gradient_sums = gradient_sums,
    .add_to_sum = add_to_sum,
    .distance_sums = distance_sums,
    .add_distance = add_distance,
};
