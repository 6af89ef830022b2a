/* update.c: clip, update, count, sum and measure; the arithmetic is in update.h and rs/metric.h. */
#include <math.h>
#include <string.h>

#include "plan.h"

static rs_status check_options(const rs_plan *plan, const rs_update_options *options,
                               const rs_measurement *measurement, rs_error *error)
{
    if (!plan->options.training) {
        return RS_FAIL(error, RS_UNSUPPORTED, "a plan without training has no update");
    }
    if (!rs_update_fits(&plan->options, options)) {
        return RS_FAIL(error, RS_USAGE, "the plan was made for another optimizer");
    }
    if (options->distances && measurement->to_initial && !plan->options.keep_initial) {
        return RS_FAIL(error, RS_UNSUPPORTED, "this plan keeps no initial values to measure distances to");
    }
    return RS_OK;
}

static void sum_gradient(const void *context, int64_t i, int thread)
{
    const rs_plan *plan = context;
    (void)thread;
    plan->gradient_sums[i] = (rs_gradient_sums){0};
    plan->table->gradient_sums(plan->parameters[i].gradient, plan->network->parameters[i].count,
                               &plan->gradient_sums[i]);
}

/* L2 norm over all parameters that have a gradient; those of the others are 0. */
static double gradient_norm(rs_plan *plan)
{
    double squares = 0.0;
    ref_for(plan->device->threads, plan->network->parameter_count, sum_gradient, plan);
    for (int i = 0; i < plan->network->parameter_count; i++) {
        squares += plan->gradient_sums[i].squares;
    }
    return sqrt(squares);
}

/* rs_difference_add, and the same for double. */
static void add_differences(const rs_plan *plan, const void *after, const void *before, int64_t count,
                            rs_difference_sums *sums)
{
    const rs_metric_list *list = &plan->options.metrics;
    if (plan->options.dtype == RS_F32) {
        rs_difference_add(list, after, before, (size_t)count, sums);
        return;
    }
    rs_metric_needs needs = rs_metric_list_needs(list);
    for (int64_t i = 0; i < count; i++) {
        double v = ((const double *)before)[i], d = ((const double *)after)[i] - v, a = fabs(d);
        rs_difference_sums one = {.d = d, .v = v, .dd = d * d, .dv = d * v, .vv = v * v, .abs = a, .max = a};
        for (int m = 0; needs.any_power && m < list->count; m++) {
            one.power[m] = needs.power[m] ? pow(a, list->metric[m].p) : 0.0;
        }
        rs_difference_join(sums, &one);
    }
}

static void update_parameter(rs_plan *plan, int i, const rs_update_options *options, double clip)
{
    ref_parameter *p = &plan->parameters[i];
    int64_t count = plan->network->parameters[i].count;
    if (!plan->backward.reached[i]) {
        return;
    }
    p->steps++;
    if (p->gradient_sum) {
        plan->table->add_to_sum(p->gradient, count, p->gradient_sum);
    }
    plan->table->update(&(ref_update_call){.scalars = rs_update_scalars_make(options, clip, p->steps),
                                           .rule = rs_rule_of(options->optimizer, plan->options.momentum),
                                           .count = count,
                                           .weight = p->value,
                                           .moment1 = p->moment1,
                                           .moment2 = p->moment2,
                                           .gradient = p->gradient});
}

/* Updates one parameter and takes its differences where they are asked for. */
static void update_and_measure(rs_plan *plan, int i, const rs_update_options *options, double clip)
{
    ref_parameter *p = &plan->parameters[i];
    int64_t count = plan->network->parameters[i].count;
    rs_difference_sums *sums = &plan->differences[2 * i];
    bool measured = options->distances && plan->network->parameters[i].block >= 0;
    if (measured) {
        memcpy(plan->before, p->value, (size_t)count * rs_dtype_size(plan->options.dtype));
    }
    update_parameter(plan, i, options, clip);
    if (measured) {
        memset(sums, 0, 2 * sizeof *sums);
        add_differences(plan, p->value, plan->before, count, &sums[1]);
    }
    if (measured && p->initial) {
        add_differences(plan, p->value, p->initial, count, &sums[0]);
    }
}

/* Block distances: the sum over the block's tensors. `which`: 0 to the initial, 1 to the previous state. */
static void finish_distances(const rs_plan *plan, int which, double *distances)
{
    const rs_network *network = plan->network;
    const rs_metric_list *list = &plan->options.metrics;
    if (!distances) {
        return;
    }
    for (int m = 0; m < list->count; m++) {
        double *row = distances + (ptrdiff_t)m * network->block_count;
        for (int b = 0; b < network->block_count; b++) {
            row[b] = 0.0;
        }
        for (int i = 0; i < network->parameter_count; i++) {
            if (network->parameters[i].block >= 0) {
                row[network->parameters[i].block] += rs_metric_finish(
                    list, m, &plan->differences[2 * i + which], network->parameters[i].count);
            }
        }
    }
}

static void finish_gradient_stats(const rs_plan *plan, rs_measurement *measurement)
{
    for (int i = 0; i < plan->network->parameter_count; i++) {
        const rs_gradient_sums *sums = &plan->gradient_sums[i];
        int64_t count = plan->network->parameters[i].count;
        measurement->gradient_abs_mean[i] = (float)rs_gradient_abs_mean(sums, count);
        measurement->gradient_abs_std[i] = (float)rs_gradient_abs_std(sums, count);
        measurement->gradient_norms[i] = (float)sqrt(sums->squares);
    }
}

rs_status ref_update(rs_plan *plan, const rs_update_options *options, rs_measurement *measurement,
                     rs_error *error)
{
    RS_TRY(check_options(plan, options, measurement, error));
    double begin = rs_profile_begin(&plan->profile);
    double norm = gradient_norm(plan), clip = rs_clip_coefficient(options->clip_norm, norm);
    measurement->gradient_norm = norm;
    measurement->gradient_norm_clipped = norm * clip;
    for (int i = 0; i < plan->network->parameter_count; i++) {
        update_and_measure(plan, i, options, clip);
    }
    if (options->distances) {
        finish_distances(plan, 0, measurement->to_initial);
        finish_distances(plan, 1, measurement->to_previous);
    }
    if (options->gradient_stats) {
        finish_gradient_stats(plan, measurement);
    }
    rs_layers_copy(plan->layers, plan->options.objective_count, measurement->layer_losses,
                   measurement->layer_means);
    rs_profile_end(&plan->profile, ref_update_row(plan), begin, 0.0, 0.0);
    return RS_OK;
}
