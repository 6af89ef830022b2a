/* update_rules.h: the update of one element, included by update.h once per type: rs_sgd_f32, rs_adam_f32 and
 * rs_*_f64; rs_rule_kind says which. Parameters: RS_UPDATE_REAL, RS_UPDATE_ROOT, RS_UPDATE(name).
 *
 * `gradient` is the raw one. In a loop keep the scalars in a local copy (by value), so that the compiler
 * knows that stores to weights don't change them and vectorises. */
#if !defined(RS_UPDATE_REAL) || !defined(RS_UPDATE_ROOT) || !defined(RS_UPDATE)
#error "include update.h instead"
#endif

typedef struct RS_UPDATE(rs_rule) {
    RS_UPDATE_REAL clip, decay, shrink, momentum, minus_rate, beta1, beta2, rest1, rest2, root_bias2, epsilon;
    bool nesterov;
} RS_UPDATE(rs_rule);

/* Rounds the scalars to the type of the tensors. */
RS_HOST_DEVICE static inline RS_UPDATE(rs_rule) RS_UPDATE(rs_rule_make)(const rs_update_scalars *s)
{
    RS_UPDATE(rs_rule) rule;
    rule.clip = (RS_UPDATE_REAL)s->clip;
    rule.decay = (RS_UPDATE_REAL)s->decay;
    rule.shrink = (RS_UPDATE_REAL)s->shrink;
    rule.momentum = (RS_UPDATE_REAL)s->momentum;
    rule.minus_rate = (RS_UPDATE_REAL)s->minus_rate;
    rule.beta1 = (RS_UPDATE_REAL)s->beta1;
    rule.beta2 = (RS_UPDATE_REAL)s->beta2;
    rule.rest1 = (RS_UPDATE_REAL)s->rest1;
    rule.rest2 = (RS_UPDATE_REAL)s->rest2;
    rule.root_bias2 = (RS_UPDATE_REAL)s->root_bias2;
    rule.epsilon = (RS_UPDATE_REAL)s->epsilon;
    rule.nesterov = s->nesterov;
    return rule;
}

/* SGD without momentum: g = clip g + decay w;   w += -rate g. Returns the new weight. */
RS_HOST_DEVICE static inline RS_UPDATE_REAL RS_UPDATE(rs_sgd)(RS_UPDATE(rs_rule) rule,
                                                              RS_UPDATE_REAL gradient, RS_UPDATE_REAL weight)
{
    RS_UPDATE_REAL g = gradient * rule.clip + rule.decay * weight;
    return weight + rule.minus_rate * g;
}

/* SGD with momentum: b = momentum b + g;   nesterov: g = g + momentum b, else g = b;   w += -rate g. */
RS_HOST_DEVICE static inline RS_UPDATE_REAL RS_UPDATE(rs_momentum)(RS_UPDATE(rs_rule) rule,
                                                                   RS_UPDATE_REAL gradient,
                                                                   RS_UPDATE_REAL weight,
                                                                   RS_UPDATE_REAL *buffer)
{
    RS_UPDATE_REAL g = gradient * rule.clip + rule.decay * weight;
    RS_UPDATE_REAL b = rule.momentum * *buffer + g;
    *buffer = b;
    return weight + rule.minus_rate * (rule.nesterov ? g + rule.momentum * b : b);
}

/* Adam (shrink = 1) and AdamW (decay = 0):  w *= shrink;  g = clip g + decay w;  m = beta1 m + rest1 g;
 * v = beta2 v + (rest2 g) g;  w += (-rate m) / (sqrt(v) / root_bias2 + epsilon). */
RS_HOST_DEVICE static inline RS_UPDATE_REAL RS_UPDATE(rs_adam)(RS_UPDATE(rs_rule) rule,
                                                               RS_UPDATE_REAL gradient, RS_UPDATE_REAL weight,
                                                               RS_UPDATE_REAL *moment1,
                                                               RS_UPDATE_REAL *moment2)
{
    RS_UPDATE_REAL w = weight * rule.shrink;
    RS_UPDATE_REAL g = gradient * rule.clip + rule.decay * w;
    RS_UPDATE_REAL m = rule.beta1 * *moment1 + rule.rest1 * g;
    RS_UPDATE_REAL v = rule.beta2 * *moment2 + rule.rest2 * g * g;
    *moment1 = m;
    *moment2 = v;
    return w + rule.minus_rate * m / (RS_UPDATE_ROOT(v) / rule.root_bias2 + rule.epsilon);
}

/* Adagrad: g = clip g + decay w;  s += g g;  w += (-rate g) / (sqrt(s) + epsilon). */
RS_HOST_DEVICE static inline RS_UPDATE_REAL RS_UPDATE(rs_adagrad)(RS_UPDATE(rs_rule) rule,
                                                                  RS_UPDATE_REAL gradient,
                                                                  RS_UPDATE_REAL weight,
                                                                  RS_UPDATE_REAL *moment2)
{
    RS_UPDATE_REAL g = gradient * rule.clip + rule.decay * weight;
    RS_UPDATE_REAL s = *moment2 + g * g;
    *moment2 = s;
    return weight + rule.minus_rate * g / (RS_UPDATE_ROOT(s) + rule.epsilon);
}

/* RMSprop: g = clip g + decay w;  v = beta2 v + (rest2 g) g;  w += (-rate g) / (sqrt(v) + epsilon). */
RS_HOST_DEVICE static inline RS_UPDATE_REAL RS_UPDATE(rs_rmsprop)(RS_UPDATE(rs_rule) rule,
                                                                  RS_UPDATE_REAL gradient,
                                                                  RS_UPDATE_REAL weight,
                                                                  RS_UPDATE_REAL *moment2)
{
    RS_UPDATE_REAL g = gradient * rule.clip + rule.decay * weight;
    RS_UPDATE_REAL v = rule.beta2 * *moment2 + rule.rest2 * g * g;
    *moment2 = v;
    return weight + rule.minus_rate * g / (RS_UPDATE_ROOT(v) + rule.epsilon);
}

/* RMSprop with momentum:  b = momentum b + g / (sqrt(v) + epsilon);  w += -rate b. b is moment 1. */
RS_HOST_DEVICE static inline RS_UPDATE_REAL
RS_UPDATE(rs_rmsprop_momentum)(RS_UPDATE(rs_rule) rule, RS_UPDATE_REAL gradient, RS_UPDATE_REAL weight,
                               RS_UPDATE_REAL *buffer, RS_UPDATE_REAL *moment2)
{
    RS_UPDATE_REAL g = gradient * rule.clip + rule.decay * weight;
    RS_UPDATE_REAL v = rule.beta2 * *moment2 + rule.rest2 * g * g;
    RS_UPDATE_REAL b = rule.momentum * *buffer + g / (RS_UPDATE_ROOT(v) + rule.epsilon);
    *moment2 = v;
    *buffer = b;
    return weight + rule.minus_rate * b;
}
