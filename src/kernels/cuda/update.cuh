/* update.cuh: the optimizer's step and all that is measured of it, in one pass over the arenas; launches in
 * update.cu.
 *
 * A block takes a job: at most RS_CU_JOB neighbouring elements of one tensor. A thread updates four at a
 * time by the rules of update.h (this file is compiled without fused multiply-adds, so that they round as on
 * the CPU) and sums in double; the block's sums go to rs_cu_job_sums, from where a second pass adds them up
 * per tensor, in a fixed order. What is stored does not depend on what is measured: the rule is the same
 * code. What no loss reaches is measured alone: it may have moved before it was frozen. */
#ifndef RS_KERNELS_CUDA_UPDATE_CUH
#define RS_KERNELS_CUDA_UPDATE_CUH

#include <stddef.h>

#include "device.cuh"

/* --- sums ---------------------------------------------------------------------------------------------- */

/* rs_cu_sums as numbers, in its order. */
enum {
    RS_CU_GRADIENT_ABS = 0,
    RS_CU_GRADIENT_SQUARES = 1,
    RS_CU_TO_INITIAL = 2,   /* seven sums, then the powers */
    RS_CU_TO_PREVIOUS = 17, /* likewise */
    RS_CU_SUM_COUNT = 32,
    RS_CU_POWERS = 7 /* from the first of the seven */
};
static_assert(sizeof(rs_cu_sums) == RS_CU_SUM_COUNT * sizeof(double),
              "sums are doubles, one behind the other");
static_assert(offsetof(rs_cu_sums, to_initial) == RS_CU_TO_INITIAL * sizeof(double), "order of the sums");
static_assert(offsetof(rs_cu_sums, to_previous) == RS_CU_TO_PREVIOUS * sizeof(double), "order of the sums");
static_assert(offsetof(rs_difference_sums, power) == RS_CU_POWERS * sizeof(double), "order of the sums");

/* A thread's sums are in eights: the seven of rs_difference_sums in their order, and one of the gradient's;
 * or powers. */
enum { RS_CU_D, RS_CU_V, RS_CU_DD, RS_CU_DV, RS_CU_VV, RS_CU_ABS, RS_CU_MAX, RS_CU_OTHER, RS_CU_EIGHT };
enum { RS_CU_SPREAD = RS_CU_EIGHT * RS_CU_THREADS };

RS_CU_INLINE double rs_cu_join_sum(bool largest, double total, double part)
{
    return largest ? rs_cu_larger(part, total) : total + part;
}

/* Joins the eights of a block, warp q the qth of them: number q becomes result[first + q], but number 7
 * result[last]. With `differences`, number RS_CU_MAX joins by the maximum. `shared` has RS_CU_EIGHT *
 * RS_CU_THREADS places. */
RS_CU_INLINE void rs_cu_join_eight(const double (&mine)[RS_CU_EIGHT], bool differences, double *shared,
                                   double *result, int first, int last)
{
    const int thread = (int)threadIdx.x, q = thread / 32, lane = thread % 32;
    const bool largest = differences && q == RS_CU_MAX;
    RS_CU_UNROLL
    for (int i = 0; i < RS_CU_EIGHT; i++) {
        shared[i * RS_CU_THREADS + thread] = mine[i];
    }
    __syncthreads();
    double total = shared[q * RS_CU_THREADS + lane];
    for (int k = 32; k < RS_CU_THREADS; k += 32) {
        total = rs_cu_join_sum(largest, total, shared[q * RS_CU_THREADS + lane + k]);
    }
    for (int offset = 16; offset > 0; offset /= 2) {
        total = rs_cu_join_sum(largest, total, __shfl_down_sync(RS_CU_ALL_LANES, total, offset));
    }
    if (lane == 0) {
        result[q == RS_CU_OTHER ? last : first + q] = total;
    }
    __syncthreads();
}

/* d, v and their products where a list asks for them. */
RS_CU_INLINE void rs_cu_add_difference(double after, double before, bool products,
                                       double (&sums)[RS_CU_EIGHT])
{
    const double d = after - before, a = fabs(d);
    sums[RS_CU_DD] = fma(d, d, sums[RS_CU_DD]);
    sums[RS_CU_ABS] += a;
    sums[RS_CU_MAX] = rs_cu_larger(a, sums[RS_CU_MAX]);
    if (products) {
        sums[RS_CU_D] += d;
        sums[RS_CU_V] += before;
        sums[RS_CU_DV] = fma(d, before, sums[RS_CU_DV]);
        sums[RS_CU_VV] = fma(before, before, sums[RS_CU_VV]);
    }
}

/* A call: powers are rare, and eight of them in line would be most of the code. Small whole ones by products: pow takes
 * some hundred and fifty operations, and many GPUs do 64 in float in the time of one in double. */
RS_CU_APART static __device__ double rs_cu_power(double base, double exponent)
{
    const int whole = exponent <= 8.0 ? (int)exponent : 0;
    if ((double)whole == exponent) {
        double power = base;
        for (int i = 1; i < whole; i++) {
            power *= base;
        }
        return power;
    }
    return pow(base, exponent);
}

RS_CU_INLINE void rs_cu_add_powers(double after, double before, const rs_metric_needs &needs,
                                   const rs_metric_list &list, double (&sums)[RS_CU_EIGHT])
{
    const double a = fabs(after - before);
    RS_CU_UNROLL
    for (int m = 0; m < RS_MAX_METRICS; m++) {
        if (needs.power[m]) {
            sums[m] += rs_cu_power(a, list.metric[m].p);
        }
    }
}

/* --- the rules ----------------------------------------------------------------------------------------- */

enum { RS_CU_MEASURE_GRADIENT, RS_CU_MEASURE_DISTANCE, RS_CU_MEASURE_POWER };

/* What is the same for all threads of a block. */
struct rs_cu_update_head {
    rs_cu_job job;
    rs_rule_f32 rule;
    int own; /* of every four neighbours, the first so many are the tensor's */
    int16_t reached, measured;
};

/* How many elements of the job from `i`, a multiple of 4, on are the tensor's: of four. */
RS_CU_INLINE int rs_cu_update_count(const rs_cu_update_head &head, int i)
{
    const int rest = head.job.count - i;
    return rest < head.own ? rest : head.own;
}

/* `count` of four elements, zeros for the others. */
RS_CU_INLINE rs_cu_lanes<4> rs_cu_load_some(const float *at, int count)
{
    if (count == 4) {
        return rs_cu_load<4>(at);
    }
    rs_cu_lanes<4> four = rs_cu_zeros<4>();
    RS_CU_UNROLL
    for (int e = 0; e < 4; e++) {
        if (e < count) {
            four.v[e] = at[e];
        }
    }
    return four;
}

RS_CU_INLINE void rs_cu_store_some(float *at, const rs_cu_lanes<4> &four, int count)
{
    if (count == 4) {
        rs_cu_store<4>(at, four);
        return;
    }
    RS_CU_UNROLL
    for (int e = 0; e < 4; e++) {
        if (e < count) {
            at[e] = four.v[e];
        }
    }
}

/* sum += gradient. */
RS_CU_INLINE void rs_cu_add_to_sum(double *sum, const rs_cu_lanes<4> &gradient, int count)
{
    if (count == 4) {
        double2 low = reinterpret_cast<double2 *>(sum)[0], high = reinterpret_cast<double2 *>(sum)[1];
        low.x += (double)gradient.v[0];
        low.y += (double)gradient.v[1];
        high.x += (double)gradient.v[2];
        high.y += (double)gradient.v[3];
        reinterpret_cast<double2 *>(sum)[0] = low;
        reinterpret_cast<double2 *>(sum)[1] = high;
        return;
    }
    RS_CU_UNROLL
    for (int e = 0; e < 4; e++) {
        if (e < count) {
            sum[e] += (double)gradient.v[e];
        }
    }
}

/* Which moments a rule keeps: as rs_rule_keeps1 and rs_rule_keeps2 say, known while compiling. */
template <int RULE> struct rs_cu_keeps {
    static constexpr bool first = RULE == RS_RULE_MOMENTUM || RULE == RS_RULE_ADAM ||
                                  RULE == RS_RULE_RMSPROP_MOMENTUM,
                          second = RULE != RS_RULE_SGD && RULE != RS_RULE_MOMENTUM;
};

/* The new weight; moments that the rule does not keep stay as they are. */
template <int RULE>
RS_CU_INLINE float rs_cu_update_one(const rs_rule_f32 &rule, float gradient, float value, float *m1,
                                    float *m2)
{
    if constexpr (RULE == RS_RULE_SGD) {
        return rs_sgd_f32(rule, gradient, value);
    } else if constexpr (RULE == RS_RULE_MOMENTUM) {
        return rs_momentum_f32(rule, gradient, value, m1);
    } else if constexpr (RULE == RS_RULE_ADAM) {
        return rs_adam_f32(rule, gradient, value, m1, m2);
    } else if constexpr (RULE == RS_RULE_ADAGRAD) {
        return rs_adagrad_f32(rule, gradient, value, m2);
    } else if constexpr (RULE == RS_RULE_RMSPROP) {
        return rs_rmsprop_f32(rule, gradient, value, m2);
    } else {
        return rs_rmsprop_momentum_f32(rule, gradient, value, m1, m2);
    }
}

/* Updates `count` of four weights at `at` of the arenas; `value` becomes the new ones. */
template <int RULE>
RS_CU_INLINE void rs_cu_update_four(const rs_cu_update &update, const rs_rule_f32 &rule, int64_t at,
                                    int count, const rs_cu_lanes<4> &gradient, rs_cu_lanes<4> &value)
{
    constexpr bool first = rs_cu_keeps<RULE>::first, second = rs_cu_keeps<RULE>::second;
    rs_cu_lanes<4> m1 = rs_cu_zeros<4>(), m2 = rs_cu_zeros<4>();
    if constexpr (first) {
        m1 = rs_cu_load_some(update.moment1 + at, count);
    }
    if constexpr (second) {
        m2 = rs_cu_load_some(update.moment2 + at, count);
    }
    RS_CU_UNROLL
    for (int e = 0; e < 4; e++) {
        value.v[e] = rs_cu_update_one<RULE>(rule, gradient.v[e], value.v[e], &m1.v[e], &m2.v[e]);
    }
    rs_cu_store_some(update.value + at, value, count);
    if constexpr (first) {
        rs_cu_store_some(update.moment1 + at, m1, count);
    }
    if constexpr (second) {
        rs_cu_store_some(update.moment2 + at, m2, count);
    }
}

/* A thread's sums. */
struct rs_cu_update_sums {
    double previous[RS_CU_EIGHT], initial[RS_CU_EIGHT]; /* the others: |g| and g g */
    double previous_power[RS_CU_EIGHT], initial_power[RS_CU_EIGHT];
};

RS_CU_INLINE void rs_cu_clear_eight(double (&sums)[RS_CU_EIGHT])
{
    RS_CU_UNROLL
    for (int i = 0; i < RS_CU_EIGHT; i++) {
        sums[i] = 0.0;
    }
}

template <int MEASURE>
RS_CU_INLINE void rs_cu_measure_one(const rs_cu_update &update, const rs_metric_needs &needs, bool measured,
                                    const float (&values)[4], rs_cu_update_sums &sums)
{
    const double gradient = (double)values[0], after = (double)values[1];
    const double previous = (double)values[2], initial = (double)values[3];
    sums.previous[RS_CU_OTHER] += fabs(gradient);
    sums.initial[RS_CU_OTHER] = fma(gradient, gradient, sums.initial[RS_CU_OTHER]);
    if constexpr (MEASURE != RS_CU_MEASURE_GRADIENT) {
        if (measured) {
            rs_cu_add_difference(after, previous, needs.products, sums.previous);
        }
        if (measured && update.initial) {
            rs_cu_add_difference(after, initial, needs.products, sums.initial);
        }
    }
    if constexpr (MEASURE == RS_CU_MEASURE_POWER) {
        if (measured) {
            rs_cu_add_powers(after, previous, needs, update.metrics, sums.previous_power);
        }
        if (measured && update.initial) {
            rs_cu_add_powers(after, initial, needs, update.metrics, sums.initial_power);
        }
    }
}

/* All elements of a job that are this thread's. */
template <int RULE, int MEASURE>
RS_CU_INLINE void rs_cu_update_job(const rs_cu_update &update, const rs_metric_needs &needs,
                                   const rs_cu_update_head &head, rs_cu_update_sums &sums)
{
    const bool measured = MEASURE != RS_CU_MEASURE_GRADIENT && head.measured;
    for (int i = 4 * (int)threadIdx.x; i < head.job.count; i += 4 * RS_CU_THREADS) {
        const int64_t at = head.job.offset + i;
        const int count = rs_cu_update_count(head, i);
        const rs_cu_lanes<4> previous = rs_cu_load_some(update.value + at, count);
        rs_cu_lanes<4> gradient = rs_cu_zeros<4>(), after = previous, initial = rs_cu_zeros<4>();
        if (measured && update.initial) {
            initial = rs_cu_load_some(update.initial + at, count);
        }
        if (head.reached) {
            gradient = rs_cu_load_some(update.gradient + at, count);
            rs_cu_update_four<RULE>(update, head.rule, at, count, gradient, after);
        }
        if (head.reached && update.gradient_sum) {
            rs_cu_add_to_sum(update.gradient_sum + at, gradient, count);
        }
        RS_CU_UNROLL
        for (int e = 0; e < 4; e++) {
            if (e < count) {
                const float values[4] = {gradient.v[e], after.v[e], previous.v[e], initial.v[e]};
                rs_cu_measure_one<MEASURE>(update, needs, measured, values, sums);
            }
        }
    }
}

template <int MEASURE>
RS_CU_INLINE void rs_cu_join_update(const rs_cu_update_sums &sums, double *shared, double *result)
{
    const bool differences = MEASURE != RS_CU_MEASURE_GRADIENT;
    rs_cu_join_eight(sums.previous, differences, shared, result, RS_CU_TO_PREVIOUS, RS_CU_GRADIENT_ABS);
    rs_cu_join_eight(sums.initial, differences, shared, result, RS_CU_TO_INITIAL, RS_CU_GRADIENT_SQUARES);
    if constexpr (MEASURE == RS_CU_MEASURE_POWER) {
        const int previous = RS_CU_TO_PREVIOUS + RS_CU_POWERS, initial = RS_CU_TO_INITIAL + RS_CU_POWERS;
        rs_cu_join_eight(sums.previous_power, false, shared, result, previous, previous + RS_CU_OTHER);
        rs_cu_join_eight(sums.initial_power, false, shared, result, initial, initial + RS_CU_OTHER);
    }
}

/* --- the passes ---------------------------------------------------------------------------------------- */

/* Thread 0 reads what all need; result is cleared. Returns with the block in step. */
RS_CU_INLINE rs_cu_update_head rs_cu_update_begin_job(const rs_cu_update &update, bool rules,
                                                      rs_cu_update_head *shared, double *result)
{
    if (threadIdx.x == 0) {
        rs_cu_update_head head = {};
        head.job = update.jobs[blockIdx.x];
        const rs_cu_tensor tensor = update.tensors[head.job.tensor];
        head.own = 4 - tensor.padding;
        head.reached = tensor.reached != 0;
        head.measured = tensor.measured != 0;
        if (rules && tensor.reached) {
            head.rule = update.rules[head.job.tensor];
        }
        *shared = head;
    }
    if (threadIdx.x < RS_CU_SUM_COUNT) {
        result[threadIdx.x] = 0.0;
    }
    __syncthreads();
    return *shared;
}

RS_CU_INLINE void rs_cu_put_sums(const double *result, int count, rs_cu_sums *sums)
{
    if ((int)threadIdx.x < count) {
        reinterpret_cast<double *>(sums)[threadIdx.x] = result[threadIdx.x];
    }
}

template <int RULE, int MEASURE>
RS_CU_INLINE void rs_cu_update_apply_of(const rs_cu_update &update, const rs_metric_needs &needs)
{
    RS_CU_SHARED(rs_cu_update_head, heads, 1);
    RS_CU_SHARED(double, result, RS_CU_SUM_COUNT);
    RS_CU_SHARED(double, shared, RS_CU_SPREAD);
    const rs_cu_update_head head = rs_cu_update_begin_job(update, true, heads, result);
    if (head.reached || (MEASURE != RS_CU_MEASURE_GRADIENT && head.measured)) {
        rs_cu_update_sums sums;
        rs_cu_clear_eight(sums.previous);
        rs_cu_clear_eight(sums.initial);
        rs_cu_clear_eight(sums.previous_power);
        rs_cu_clear_eight(sums.initial_power);
        rs_cu_update_job<RULE, MEASURE>(update, needs, head, sums);
        rs_cu_join_update<MEASURE>(sums, shared, result);
    }
    rs_cu_put_sums(result, RS_CU_SUM_COUNT, update.job_sums + blockIdx.x);
}

#define RS_CU_UPDATE(name, rule, measure)                                                                    \
    RS_CU_GLOBAL_OF(1) name(rs_cu_update update, rs_metric_needs needs)                                      \
    {                                                                                                        \
        rs_cu_update_apply_of<rule, measure>(update, needs);                                                 \
    }
RS_CU_UPDATE(rs_cu_k_sgd, RS_RULE_SGD, RS_CU_MEASURE_GRADIENT)
RS_CU_UPDATE(rs_cu_k_sgd_distance, RS_RULE_SGD, RS_CU_MEASURE_DISTANCE)
RS_CU_UPDATE(rs_cu_k_sgd_power, RS_RULE_SGD, RS_CU_MEASURE_POWER)
RS_CU_UPDATE(rs_cu_k_momentum, RS_RULE_MOMENTUM, RS_CU_MEASURE_GRADIENT)
RS_CU_UPDATE(rs_cu_k_momentum_distance, RS_RULE_MOMENTUM, RS_CU_MEASURE_DISTANCE)
RS_CU_UPDATE(rs_cu_k_momentum_power, RS_RULE_MOMENTUM, RS_CU_MEASURE_POWER)
RS_CU_UPDATE(rs_cu_k_adam, RS_RULE_ADAM, RS_CU_MEASURE_GRADIENT)
RS_CU_UPDATE(rs_cu_k_adam_distance, RS_RULE_ADAM, RS_CU_MEASURE_DISTANCE)
RS_CU_UPDATE(rs_cu_k_adam_power, RS_RULE_ADAM, RS_CU_MEASURE_POWER)
RS_CU_UPDATE(rs_cu_k_adagrad, RS_RULE_ADAGRAD, RS_CU_MEASURE_GRADIENT)
RS_CU_UPDATE(rs_cu_k_adagrad_distance, RS_RULE_ADAGRAD, RS_CU_MEASURE_DISTANCE)
RS_CU_UPDATE(rs_cu_k_adagrad_power, RS_RULE_ADAGRAD, RS_CU_MEASURE_POWER)
RS_CU_UPDATE(rs_cu_k_rmsprop, RS_RULE_RMSPROP, RS_CU_MEASURE_GRADIENT)
RS_CU_UPDATE(rs_cu_k_rmsprop_distance, RS_RULE_RMSPROP, RS_CU_MEASURE_DISTANCE)
RS_CU_UPDATE(rs_cu_k_rmsprop_power, RS_RULE_RMSPROP, RS_CU_MEASURE_POWER)
RS_CU_UPDATE(rs_cu_k_rmsprop_momentum, RS_RULE_RMSPROP_MOMENTUM, RS_CU_MEASURE_GRADIENT)
RS_CU_UPDATE(rs_cu_k_rmsprop_momentum_distance, RS_RULE_RMSPROP_MOMENTUM, RS_CU_MEASURE_DISTANCE)
RS_CU_UPDATE(rs_cu_k_rmsprop_momentum_power, RS_RULE_RMSPROP_MOMENTUM, RS_CU_MEASURE_POWER)

/* Before the update, where it clips: the sums of a job's gradients alone. */
RS_CU_GLOBAL rs_cu_k_gradient_sums(rs_cu_update update)
{
    RS_CU_SHARED(rs_cu_update_head, heads, 1);
    RS_CU_SHARED(double, result, RS_CU_SUM_COUNT);
    RS_CU_SHARED(double, shared, RS_CU_SPREAD);
    const rs_cu_update_head head = rs_cu_update_begin_job(update, false, heads, result);
    if (head.reached) {
        double sums[RS_CU_EIGHT];
        rs_cu_clear_eight(sums);
        for (int i = 4 * (int)threadIdx.x; i < head.job.count; i += 4 * RS_CU_THREADS) {
            const rs_cu_lanes<4> gradient =
                rs_cu_load_some(update.gradient + head.job.offset + i, rs_cu_update_count(head, i));
            RS_CU_UNROLL
            for (int e = 0; e < 4; e++) { /* zeros behind the last */
                const double g = (double)gradient.v[e];
                sums[RS_CU_GRADIENT_ABS] += fabs(g);
                sums[RS_CU_GRADIENT_SQUARES] = fma(g, g, sums[RS_CU_GRADIENT_SQUARES]);
            }
        }
        rs_cu_join_eight(sums, false, shared, result, 0, RS_CU_OTHER);
    }
    rs_cu_put_sums(result, RS_CU_TO_INITIAL, update.job_sums + blockIdx.x);
}

/* One block: the coefficient that gradients are clipped by, step counts and rules. */
RS_CU_GLOBAL rs_cu_k_update_rules(rs_cu_update update)
{
    RS_CU_SHARED(double, shared, RS_CU_THREADS);
    double clip = 1.0;
    if (update.options.clip_norm > 0.0) {
        double squares = 0.0;
        for (int j = (int)threadIdx.x; j < update.job_count; j += RS_CU_THREADS) {
            squares += update.job_sums[j].gradient.squares;
        }
        clip = rs_clip_coefficient(update.options.clip_norm, sqrt(rs_cu_block_sum(squares, shared)));
    }
    rs_update_options options = update.options;
    options.learning_rate = update.rates->learning_rate;
    for (int t = (int)threadIdx.x; t < update.tensor_count; t += RS_CU_THREADS) {
        if (update.tensors[t].reached) {
            const int64_t steps = update.tensors[t].steps + 1;
            const rs_update_scalars scalars = rs_update_scalars_make(&options, clip, steps);
            update.tensors[t].steps = steps;
            update.rules[t] = rs_rule_make_f32(&scalars);
        }
    }
    if (threadIdx.x == 0) {
        update.norms->clip = clip;
    }
}

/* A block adds the sums of one tensor's jobs: eight warps take turns with them, a lane for each sum. */
RS_CU_GLOBAL rs_cu_k_update_finish(rs_cu_update update)
{
    RS_CU_SHARED(double, shared, RS_CU_THREADS);
    const int field = (int)threadIdx.x % RS_CU_SUM_COUNT, turn = (int)threadIdx.x / RS_CU_SUM_COUNT;
    const bool largest = field == RS_CU_TO_INITIAL + RS_CU_MAX || field == RS_CU_TO_PREVIOUS + RS_CU_MAX;
    const int first = update.tensors[blockIdx.x].first_job, last = first + update.tensors[blockIdx.x].jobs;
    double total = 0.0;
    for (int j = first + turn; j < last; j += RS_CU_THREADS / RS_CU_SUM_COUNT) {
        total = rs_cu_join_sum(largest, total, reinterpret_cast<const double *>(update.job_sums + j)[field]);
    }
    shared[threadIdx.x] = total;
    __syncthreads();
    if (turn == 0) {
        for (int k = RS_CU_SUM_COUNT; k < RS_CU_THREADS; k += RS_CU_SUM_COUNT) {
            total = rs_cu_join_sum(largest, total, shared[field + k]);
        }
        reinterpret_cast<double *>(update.sums + blockIdx.x)[field] = total;
    }
}

/* One block: the norm over all tensors. */
RS_CU_GLOBAL rs_cu_k_update_norm(rs_cu_update update)
{
    RS_CU_SHARED(double, shared, RS_CU_THREADS);
    double squares = 0.0;
    for (int t = (int)threadIdx.x; t < update.tensor_count; t += RS_CU_THREADS) {
        squares += update.sums[t].gradient.squares;
    }
    const double norm = sqrt(rs_cu_block_sum(squares, shared));
    if (threadIdx.x == 0) {
        update.norms->gradient_norm = norm;
        update.norms->gradient_norm_clipped = norm * update.norms->clip;
    }
}

#endif
