/* update.c: update and measure in one pass over all parameters.
 *
 * The parameters are cut into jobs of at most JOB elements, the same for every number of threads; each job
 * has its own sums, which are joined in the order of the jobs. Clipping needs the norm before the first
 * weight moves: one more reading of the gradients, only then. */
#include <math.h>
#include <string.h>

#include "plan.h"

#define JOB 16384

static bool is_measured(const rs_plan *plan, int parameter)
{
    return plan->network->parameters[parameter].block >= 0;
}

/* Of what no loss reaches, too, where distances are wanted: it may have moved before it was frozen. */
static bool has_jobs(const rs_plan *plan, int parameter)
{
    bool measured = plan->options.metrics.count > 0 && is_measured(plan, parameter);
    return plan->parameters[parameter].reached || (plan->options.training && measured);
}

rs_status rs__jobs_make(rs_plan *plan, rs_error *error)
{
    int parameters = plan->network->parameter_count;
    size_t jobs = 0;
    for (int i = 0; i < parameters; i++) {
        jobs += has_jobs(plan, i) ? (size_t)((plan->parameters[i].count + JOB - 1) / JOB) : 0;
    }
    plan->jobs = rs_alloc_array(jobs, sizeof(rs__job));
    plan->job_sums = rs_alloc_array(jobs, sizeof(rs_update_sums));
    plan->tensor_sums = rs_alloc_array((size_t)parameters, sizeof(rs_update_sums));
    plan->rules = rs_alloc_array((size_t)parameters, sizeof(rs_rule_f32));
    if (!plan->jobs || !plan->job_sums || !plan->tensor_sums || !plan->rules) {
        return RS_FAIL(error, RS_MEMORY, "no memory for the update's %zu jobs", jobs);
    }
    for (int i = 0; i < parameters; i++) {
        int64_t count = plan->parameters[i].count;
        for (int64_t at = 0; has_jobs(plan, i) && at < count; at += JOB) {
            plan->jobs[plan->job_count++] = (rs__job){i, at, count - at < JOB ? count - at : JOB};
        }
    }
    return RS_OK;
}

static void join(rs_update_sums *total, const rs_update_sums *part)
{
    total->gradient.abs += part->gradient.abs;
    total->gradient.squares += part->gradient.squares;
    rs_difference_join(&total->to_initial, &part->to_initial);
    rs_difference_join(&total->to_previous, &part->to_previous);
}

/* Sums per parameter from the sums per job; returns the gradient's norm. */
static double join_jobs(rs_plan *plan)
{
    memset(plan->tensor_sums, 0, (size_t)plan->network->parameter_count * sizeof(rs_update_sums));
    for (int j = 0; j < plan->job_count; j++) {
        join(&plan->tensor_sums[plan->jobs[j].parameter], &plan->job_sums[j]);
    }
    double squares = 0.0;
    for (int i = 0; i < plan->network->parameter_count; i++) {
        squares += plan->tensor_sums[i].gradient.squares;
    }
    return sqrt(squares);
}

static double norm_before(rs_plan *plan)
{
#pragma omp parallel for schedule(static) if (rs__worth_threads((int64_t)plan->element_count))
    for (int j = 0; j < plan->job_count; j++) {
        const rs__job *job = &plan->jobs[j];
        size_t at = plan->parameters[job->parameter].offset + (size_t)job->first;
        plan->job_sums[j] = (rs_update_sums){0};
        plan->device->kernels->gradient_sums(plan->gradient + at, job->count, &plan->job_sums[j].gradient);
    }
    return join_jobs(plan);
}

static void make_rules(rs_plan *plan, const rs_update_options *options, double clip)
{
    for (int i = 0; i < plan->network->parameter_count; i++) {
        rs__parameter *p = &plan->parameters[i];
        if (p->reached) {
            p->steps++;
            rs_update_scalars scalars = rs_update_scalars_make(options, clip, p->steps);
            plan->rules[i] = rs_rule_make_f32(&scalars);
        }
    }
}

static rs__update_piece piece_of(const rs_plan *plan, const rs__job *job)
{
    size_t at = plan->parameters[job->parameter].offset + (size_t)job->first;
    return (rs__update_piece){.value = plan->value + at,
                              .moment1 = plan->moment1 ? plan->moment1 + at : NULL,
                              .moment2 = plan->moment2 ? plan->moment2 + at : NULL,
                              .gradient = plan->gradient + at,
                              .initial = plan->initial ? plan->initial + at : NULL,
                              .gradient_sum = plan->gradient_sum ? plan->gradient_sum + at : NULL,
                              .count = job->count};
}

static void run_jobs(rs_plan *plan, const rs_update_options *options)
{
    rs__update_work work = {.rule = rs_rule_of(options->optimizer, plan->options.momentum),
                            .distances = options->distances && plan->options.metrics.count > 0,
                            .metrics = &plan->options.metrics,
                            .needs = rs_metric_list_needs(&plan->options.metrics)};
#pragma omp parallel for schedule(static) if (rs__worth_threads((int64_t)plan->element_count))
    for (int j = 0; j < plan->job_count; j++) {
        const rs__job *job = &plan->jobs[j];
        rs__update_piece piece = piece_of(plan, job);
        rs__update_work own = work;
        own.moves = plan->parameters[job->parameter].reached;
        own.distances = work.distances && is_measured(plan, job->parameter);
        plan->device->kernels->update(&own, plan->rules[job->parameter], &piece, &plan->job_sums[j]);
    }
}

rs_status rs__cpu_update(rs_plan *plan, const rs_update_options *options, rs_measurement *measurement,
                         rs_error *error)
{
    if (!plan->options.training || !rs_update_fits(&plan->options, options)) {
        return RS_FAIL(error, RS_USAGE, "this plan was not made for that optimizer");
    }
    if (options->distances && measurement->to_initial && !plan->options.keep_initial) {
        return RS_FAIL(error, RS_UNSUPPORTED, "this plan keeps no initial values to measure distances to");
    }
    double begin = rs__timer_begin(plan);
    double clip = options->clip_norm > 0.0 ? rs_clip_coefficient(options->clip_norm, norm_before(plan)) : 1.0;
    make_rules(plan, options, clip);
    run_jobs(plan, options);
    measurement->gradient_norm = join_jobs(plan);
    measurement->gradient_norm_clipped = measurement->gradient_norm * clip;
    if (options->distances) {
        rs_measure_distances(plan->network, &plan->options.metrics, plan->tensor_sums, plan->initial != NULL,
                             measurement);
    }
    if (options->gradient_stats) {
        rs_measure_gradients(plan->network, plan->tensor_sums, measurement);
    }
    rs_layers_copy(plan->layers, plan->options.objective_count, measurement->layer_losses,
                   measurement->layer_means);
    rs__timer_end_update(plan, options, begin);
    return RS_OK;
}
