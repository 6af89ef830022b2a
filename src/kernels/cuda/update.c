/* update.c: update and measure: the tables that the kernels work by, and enqueueing them. */
#include "plan.h"

#include <math.h>

#include "rs/host.h"

/* --- tables ----------------------------------------------------------------------------------------------- */

static bool is_measured(const rs_plan *plan, int parameter)
{
    return plan->network->parameters[parameter].block >= 0;
}

/* Of what no loss reaches, too, where distances are wanted: it may have moved before it was frozen. */
static int jobs_of(const rs_plan *plan, int parameter)
{
    const rs__parameter *p = &plan->parameters[parameter];
    bool any = p->reached ||
               (plan->options.training && plan->options.metrics.count > 0 && is_measured(plan, parameter));
    return any ? (int)((p->elements + RS_CU_JOB - 1) / RS_CU_JOB) : 0;
}

int rs__jobs_count(const rs_plan *plan)
{
    int jobs = 0;
    for (int i = 0; i < plan->network->parameter_count; i++) {
        jobs += jobs_of(plan, i);
    }
    return jobs;
}

/* Only channels of the input are padded, to four. */
static int padding_of(const rs__parameter *p)
{
    RS_ASSERT(p->order.stride == p->order.inner || p->order.stride == 4);
    return p->order.stride - p->order.inner;
}

static void fill_tables(const rs_plan *plan, rs_cu_tensor *tensors, rs_cu_job *jobs)
{
    int next = 0;
    for (int i = 0; i < plan->network->parameter_count; i++) {
        const rs__parameter *p = &plan->parameters[i];
        tensors[i] = (rs_cu_tensor){.first_job = next,
                                    .jobs = jobs_of(plan, i),
                                    .reached = p->reached,
                                    .measured = is_measured(plan, i),
                                    .padding = padding_of(p)};
        for (int j = 0; j < tensors[i].jobs; j++) {
            int64_t at = (int64_t)j * RS_CU_JOB, rest = p->elements - at;
            jobs[next++] = (rs_cu_job){.offset = (int64_t)p->offset + at,
                                       .count = (int32_t)(rest < RS_CU_JOB ? rest : RS_CU_JOB),
                                       .tensor = i};
        }
    }
}

static rs_status upload_tables(rs_plan *plan, const rs_cu_tensor *tensors, const rs_cu_job *jobs,
                               int job_count, rs_error *error)
{
    size_t parameters = (size_t)plan->network->parameter_count;
    if (parameters > 0) {
        RS__CUDA(error, cudaMemcpyAsync(plan->tensor_table, tensors, parameters * sizeof *tensors,
                                        cudaMemcpyHostToDevice, plan->device->compute));
    }
    if (job_count > 0) {
        RS__CUDA(error, cudaMemcpyAsync(plan->jobs, jobs, (size_t)job_count * sizeof *jobs,
                                        cudaMemcpyHostToDevice, plan->device->compute));
    }
    RS__CUDA(error, cudaStreamSynchronize(plan->device->compute)); /* the caller's tables go away */
    return RS_OK;
}

rs_status rs__update_prepare(rs_plan *plan, rs_error *error)
{
    int job_count = rs__jobs_count(plan);
    rs_cu_tensor *tensors = rs_alloc_array((size_t)plan->network->parameter_count, sizeof *tensors);
    rs_cu_job *jobs = rs_alloc_array((size_t)job_count, sizeof *jobs);
    rs_status status;
    if (tensors && jobs) {
        fill_tables(plan, tensors, jobs);
        status = upload_tables(plan, tensors, jobs, job_count, error);
    } else {
        status = RS_FAIL(error, RS_MEMORY, "no memory for the update's %d jobs", job_count);
    }
    rs_free(tensors);
    rs_free(jobs);
    rs_cu_update *u = &plan->update;
    u->jobs = plan->jobs;
    u->tensors = plan->tensor_table;
    u->job_count = job_count;
    u->tensor_count = plan->network->parameter_count;
    u->value = plan->value;
    u->moment1 = plan->moment1;
    u->moment2 = plan->moment2;
    u->gradient = plan->gradient;
    u->initial = plan->initial;
    u->gradient_sum = plan->gradient_sum;
    u->rates = plan->rates;
    u->norms = (rs_cu_norms *)(void *)(plan->results + RS__RESULT_NORMS);
    u->sums = (rs_cu_sums *)(void *)(plan->results + rs__result_sums(plan));
    u->metrics = plan->options.metrics;
    u->momentum = plan->options.momentum;
    plan->rate = NAN;
    return status;
}

/* --- a step ----------------------------------------------------------------------------------------------- */

static rs_status check_update(const rs_plan *plan, const rs_update_options *options, rs_error *error)
{
    if (!plan->options.training || !rs_update_fits(&plan->options, options)) {
        return RS_FAIL(error, RS_USAGE, "this plan was not made for that optimizer");
    }
    return RS_OK;
}

/* The learning rate lies in device memory, so that a captured step can be given another. */
static rs_status send_rate(rs_plan *plan, const rs__row *row, double rate, rs_error *error)
{
    if (rate == plan->rate) {
        return RS_OK;
    }
    plan->rate = NAN;
    row->rates->learning_rate = rate;
    RS__CUDA(error, cudaMemcpyAsync(plan->rates, row->rates, sizeof *row->rates, cudaMemcpyHostToDevice,
                                    plan->device->compute));
    plan->rate = rate;
    return RS_OK;
}

rs_status rs__update_run(rs_plan *plan, const rs_update_options *options, rs_error *error)
{
    rs_cu_update *u = &plan->update;
    cudaStream_t stream = plan->device->compute;
    if (u->job_count == 0) { /* nothing to move or to measure; the norms are zero from the start */
        return RS_OK;
    }
    u->options = *options;
    u->options.learning_rate = 0.0;
    RS__CUDA(error, rs_cu_update_begin(u, stream));
    RS__CUDA(error, rs_cu_update_apply(u, stream));
    RS__CUDA(error, rs_cu_update_finish(u, stream));
    return RS_OK;
}

/* Enqueues all that is due, the update, and the copy of what comes out of it. */
static rs_status enqueue(rs_plan *plan, const rs_update_options *options, bool graph, rs__row *row,
                         rs_error *error)
{
    bool done = false;
    RS_TRY(send_rate(plan, row, options->learning_rate, error));
    if (graph) {
        RS_TRY(rs__graph_step(plan, options, &done, error));
    }
    if (!done) {
        RS_TRY(rs__catch_up(plan, error));
        RS_TRY(rs__timer_begin(plan, error));
        RS_TRY(rs__update_run(plan, options, error));
        RS_TRY(rs__timer_end_update(plan, error));
    }
    return rs__row_send(plan, row, options, error);
}

rs_status rs__cuda_update(rs_plan *plan, const rs_update_options *options, rs_measurement *measurement,
                          rs_error *error)
{
    rs__row *row = &plan->rows[RS__WAITED_ROW];
    rs_loss ignored;
    RS_TRY(check_update(plan, options, error));
    if (options->distances && measurement->to_initial && !plan->options.keep_initial) {
        return RS_FAIL(error, RS_UNSUPPORTED, "this plan keeps no initial values to measure distances to");
    }
    RS_TRY(enqueue(plan, options, false, row, error));
    RS__CUDA(error, cudaStreamSynchronize(plan->device->compute));
    return rs__row_finish(plan, row, &ignored, measurement, error);
}

rs_status rs__cuda_update_later(rs_plan *plan, const rs_update_options *options, rs_error *error)
{
    RS_TRY(check_update(plan, options, error));
    if (plan->row_count == RS_MOST_RESULTS) {
        return RS_FAIL(error, RS_FAILED, "%d results wait to be taken: no room for one more",
                       RS_MOST_RESULTS);
    }
    rs__row *row = &plan->rows[(plan->first_row + plan->row_count) % RS_MOST_RESULTS];
    RS_TRY(enqueue(plan, options, true, row, error));
    plan->row_count++;
    return RS_OK;
}
