/* update.cu: launches of update.cuh. Compiled with --fmad=false. */
#include "launch.cuh"
#include "update.cuh"

static bool update_good(const rs_cu_update *u)
{
    return u && u->jobs && u->tensors && u->job_count >= 1 && u->tensor_count >= 1 && u->rates && u->rules &&
           rs_cu_good(u->job_sums) && rs_cu_good(u->sums) && u->norms && rs_cu_good(u->gradient);
}

static rs_rule_kind rule_of(const rs_cu_update *u)
{
    return rs_rule_of(u->options.optimizer, u->momentum);
}

/* The arenas that the rule and the options ask for. */
static bool arenas_good(const rs_cu_update *u)
{
    return rs_cu_good(u->value) && rs_cu_good_or_none(u->initial) && rs_cu_good_or_none(u->gradient_sum) &&
           (!rs_rule_keeps1(rule_of(u)) || rs_cu_good(u->moment1)) &&
           (!rs_rule_keeps2(rule_of(u)) || rs_cu_good(u->moment2)) && u->metrics.count >= 0 &&
           u->metrics.count <= RS_MAX_METRICS;
}

cudaError_t rs_cu_update_begin(const rs_cu_update *update, cudaStream_t stream)
{
    if (!update_good(update)) {
        return cudaErrorInvalidValue;
    }
    if (update->options.clip_norm > 0.0) {
        RS_CU_TRY(RS_CU_LAUNCH(rs_cu_k_gradient_sums, update->job_count, stream, *update));
    }
    return RS_CU_LAUNCH(rs_cu_k_update_rules, 1, stream, *update);
}

typedef void (*apply_kernel)(rs_cu_update, rs_metric_needs);

/* By rule and by what is measured. */
static apply_kernel kernel_of(const rs_cu_update *u, const rs_metric_needs *needs)
{
    static const apply_kernel kernels[RS_RULE_KINDS][3] = {
        {rs_cu_k_sgd, rs_cu_k_sgd_distance, rs_cu_k_sgd_power},
        {rs_cu_k_momentum, rs_cu_k_momentum_distance, rs_cu_k_momentum_power},
        {rs_cu_k_adam, rs_cu_k_adam_distance, rs_cu_k_adam_power},
        {rs_cu_k_adagrad, rs_cu_k_adagrad_distance, rs_cu_k_adagrad_power},
        {rs_cu_k_rmsprop, rs_cu_k_rmsprop_distance, rs_cu_k_rmsprop_power},
        {rs_cu_k_rmsprop_momentum, rs_cu_k_rmsprop_momentum_distance, rs_cu_k_rmsprop_momentum_power},
    };
    const int measure = !u->options.distances || u->metrics.count == 0 ? RS_CU_MEASURE_GRADIENT
                        : needs->any_power                             ? RS_CU_MEASURE_POWER
                                                                       : RS_CU_MEASURE_DISTANCE;
    return kernels[rule_of(u)][measure];
}

cudaError_t rs_cu_update_apply(const rs_cu_update *update, cudaStream_t stream)
{
    if (!update_good(update) || !arenas_good(update)) {
        return cudaErrorInvalidValue;
    }
    const rs_metric_needs needs = rs_metric_list_needs(&update->metrics);
    const apply_kernel kernel = kernel_of(update, &needs);
    return RS_CU_LAUNCH(kernel, update->job_count, stream, *update, needs);
}

cudaError_t rs_cu_update_finish(const rs_cu_update *update, cudaStream_t stream)
{
    if (!update_good(update)) {
        return cudaErrorInvalidValue;
    }
    RS_CU_TRY(RS_CU_LAUNCH(rs_cu_k_update_finish, update->tensor_count, stream, *update));
    return RS_CU_LAUNCH(rs_cu_k_update_norm, 1, stream, *update);
}
