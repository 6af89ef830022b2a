/* update.h: the arithmetic of the parameter update, in one place for every backend.
 *
 * PyTorch's formulas (SGD with momentum and Nesterov, Adam, Adagrad and RMSprop with L2 decay, AdamW with decoupled
 * decay, global-norm clipping). As in PyTorch, scalars are computed in double and rounded once to the tensor's type;
 * then every element goes through the operations of update_rules.h, one IEEE operation each, in the order
 * written there: no fused multiply-add (-ffp-contract=off), no reciprocals. A vector version that keeps the
 * order is equal to the bit; the cpu backend's takes numbers below the least normal float, 1.2e-38, as 0, where moments of
 * a gradient that stays 0 would end and make every step slow. Statistics and distances are taken beside the rule and never change what it
 * stores.
 *
 * Momentum buffers and moments start as zeros (so that the first SGD step's buffer is the gradient itself),
 * step counts at 0. */
#ifndef RS_KERNELS_UPDATE_H
#define RS_KERNELS_UPDATE_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "rs/backend.h"

#ifdef __CUDACC__ /* GPU kernels take the same functions */
#define RS_HOST_DEVICE __host__ __device__
#else
#define RS_HOST_DEVICE
#endif

/* Sums over one parameter's raw gradient. */
typedef struct rs_gradient_sums {
    double abs;     /* sum of |g| */
    double squares; /* sum of g * g */
} rs_gradient_sums;

/* Adds `count` elements, one after the other (the reference summation, in index order). */
static inline void rs_gradient_sums_add(const float *gradient, int64_t count, rs_gradient_sums *sums)
{
    for (int64_t i = 0; i < count; i++) {
        double g = (double)gradient[i];
        sums->abs += fabs(g);
        sums->squares += g * g;
    }
}

static inline double rs_gradient_abs_mean(const rs_gradient_sums *sums, int64_t count)
{
    return sums->abs / (double)count;
}

/* Population standard deviation of |g|; NaN stays NaN. */
static inline double rs_gradient_abs_std(const rs_gradient_sums *sums, int64_t count)
{
    double mean = sums->abs / (double)count;
    double variance = sums->squares / (double)count - mean * mean;
    return variance < 0.0 ? 0.0 : sqrt(variance);
}

/* What every gradient is multiplied by: min(1, clip_norm / (norm + 1e-6)), 1 without clipping. A norm of NaN
 * gives NaN and one of infinity 0, as PyTorch's clip_grad_norm_ does. */
RS_HOST_DEVICE static inline double rs_clip_coefficient(double clip_norm, double norm)
{
    if (clip_norm <= 0.0) {
        return 1.0;
    }
    double coefficient = clip_norm / (norm + 1e-6);
    return coefficient > 1.0 ? 1.0 : coefficient;
}

/* What every element goes through: a function of update_rules.h. */
typedef enum rs_rule_kind {
    RS_RULE_SGD,
    RS_RULE_MOMENTUM, /* SGD with a buffer */
    RS_RULE_ADAM,     /* and AdamW */
    RS_RULE_ADAGRAD,
    RS_RULE_RMSPROP,
    RS_RULE_RMSPROP_MOMENTUM, /* with a buffer */
    RS_RULE_KINDS
} rs_rule_kind;

/* `momentum`: of the plan's options, whether it keeps a buffer. */
RS_HOST_DEVICE static inline rs_rule_kind rs_rule_of(rs_optimizer_kind optimizer, bool momentum)
{
    switch (optimizer) {
    case RS_OPTIMIZER_SGD:
        return momentum ? RS_RULE_MOMENTUM : RS_RULE_SGD;
    case RS_OPTIMIZER_ADAGRAD:
        return RS_RULE_ADAGRAD;
    case RS_OPTIMIZER_RMSPROP:
        return momentum ? RS_RULE_RMSPROP_MOMENTUM : RS_RULE_RMSPROP;
    default:
        return RS_RULE_ADAM;
    }
}

/* Which moments a rule keeps: momentum, RMSprop's momentum and Adam the first; Adam, Adagrad and RMSprop the second. */
RS_HOST_DEVICE static inline bool rs_rule_keeps1(rs_rule_kind rule)
{
    return rule == RS_RULE_MOMENTUM || rule == RS_RULE_ADAM || rule == RS_RULE_RMSPROP_MOMENTUM;
}

RS_HOST_DEVICE static inline bool rs_rule_keeps2(rs_rule_kind rule)
{
    return rule == RS_RULE_ADAM || rule == RS_RULE_ADAGRAD || rule == RS_RULE_RMSPROP ||
           rule == RS_RULE_RMSPROP_MOMENTUM;
}

RS_HOST_DEVICE static inline int rs_rule_moments(rs_rule_kind rule)
{
    return (rs_rule_keeps1(rule) ? 1 : 0) + (rs_rule_keeps2(rule) ? 1 : 0);
}

/* Whether a plan has what an update needs. Adam and AdamW keep the same. */
static inline bool rs_update_fits(const rs_plan_options *plan, const rs_update_options *update)
{
    rs_rule_kind rule = rs_rule_of(update->optimizer, plan->momentum);
    bool plain = rule == RS_RULE_SGD || rule == RS_RULE_RMSPROP;
    return rule == rs_rule_of(plan->optimizer, plan->momentum) && !(plain && update->momentum != 0.0);
}

/* One parameter's scalars of one step, in double. `step` is the parameter's count with this step (1 at
 * first). */
typedef struct rs_update_scalars {
    double clip;         /* every raw gradient is multiplied by it */
    double decay;        /* g += decay * w;   AdamW: 0 */
    double shrink;       /* AdamW: w *= shrink = 1 - learning_rate * weight_decay */
    double momentum;     /* SGD, RMSprop */
    double minus_rate;   /* - learning_rate;   Adam, AdamW: - learning_rate / (1 - beta1^step) */
    double beta1, beta2; /* Adam, AdamW; beta2 of RMSprop: its alpha */
    double rest1, rest2; /* 1 - beta1, 1 - beta2 */
    double root_bias2;   /* Adam, AdamW: sqrt(1 - beta2^step) */
    double epsilon;      /* added after the root */
    bool nesterov;       /* SGD */
} rs_update_scalars;

RS_HOST_DEVICE static inline rs_update_scalars rs_update_scalars_make(const rs_update_options *options,
                                                                      double clip, int64_t step)
{
    bool adam = rs_rule_of(options->optimizer, false) == RS_RULE_ADAM;
    bool decoupled = options->optimizer == RS_OPTIMIZER_ADAMW;
    double bias1 = adam ? 1.0 - pow(options->beta1, (double)step) : 1.0;
    double bias2 = adam ? 1.0 - pow(options->beta2, (double)step) : 1.0;
    double beta2 = options->optimizer == RS_OPTIMIZER_RMSPROP ? options->alpha : options->beta2;
    rs_update_scalars s;
    s.clip = clip;
    s.decay = decoupled ? 0.0 : options->weight_decay;
    s.shrink = decoupled ? 1.0 - options->learning_rate * options->weight_decay : 1.0;
    s.momentum = options->momentum;
    s.minus_rate = -(options->learning_rate / bias1);
    s.beta1 = options->beta1;
    s.beta2 = beta2;
    s.rest1 = 1.0 - options->beta1;
    s.rest2 = 1.0 - beta2;
    s.root_bias2 = sqrt(bias2);
    s.epsilon = options->epsilon;
    s.nesterov = options->nesterov;
    return s;
}

#define RS_UPDATE_REAL  float
#define RS_UPDATE_ROOT  sqrtf
#define RS_UPDATE(name) name##_f32
#include "update_rules.h"
#undef RS_UPDATE_REAL
#undef RS_UPDATE_ROOT
#undef RS_UPDATE

#define RS_UPDATE_REAL  double
#define RS_UPDATE_ROOT  sqrt
#define RS_UPDATE(name) name##_f64
#include "update_rules.h"
#undef RS_UPDATE_REAL
#undef RS_UPDATE_ROOT
#undef RS_UPDATE

#endif
