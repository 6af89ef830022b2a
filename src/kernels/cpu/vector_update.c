/* vector_update.c: the optimizer's rule and the measuring, strip by strip.
 *
 * A strip of weights is copied aside, updated by the rule of update.h (which the compiler turns into vectors;
 * -ffp-contract=off keeps every operation) and then compared with the copy while both lie in the first cache.
 * So the stored weights cannot depend on what is measured. Sums are kept in eight double lanes on every
 * instruction set and joined in a fixed order. */
#include <math.h>
#include <string.h>

#include "kernels.h"
#include "vector.h"

#define STRIP 1024
#define WIDE  8

typedef double wide __attribute__((vector_size(8 * WIDE), may_alias));
typedef int64_t wide_bits __attribute__((vector_size(8 * WIDE), may_alias));
typedef float narrow __attribute__((vector_size(4 * WIDE), may_alias, aligned(4)));

RS_INLINE wide widen(const float *at)
{
    return __builtin_convertvector(*(const narrow *)at, wide);
}

RS_INLINE wide absolute(wide v)
{
    return (wide)((wide_bits)v & INT64_MAX);
}

RS_INLINE double total(wide v)
{
    return ((v[0] + v[1]) + (v[2] + v[3])) + ((v[4] + v[5]) + (v[6] + v[7]));
}

/* A maximum that keeps NaN. */
RS_INLINE wide larger(wide a, wide b)
{
    wide_bits take = (wide_bits)(a > b) | (wide_bits)(a != a);
    return (wide)((take & (wide_bits)a) | (~take & (wide_bits)b));
}

RS_INLINE double largest(wide v)
{
    double best = v[0];
    for (int i = 1; i < WIDE; i++) {
        best = v[i] > best || isnan(v[i]) ? v[i] : best;
    }
    return best;
}

void RS_ISA(rs__gradient_sums)(const float *gradient, int64_t count, rs_gradient_sums *sums)
{
    wide magnitude = {0}, squares = {0};
    int64_t i = 0;
    for (; i + WIDE <= count; i += WIDE) {
        wide g = widen(gradient + i);
        magnitude += absolute(g);
        squares += g * g;
    }
    *sums = (rs_gradient_sums){total(magnitude), total(squares)};
    rs_gradient_sums_add(gradient + i, count - i, sums);
}

static void add_powers(const rs__update_work *work, const float *after, const float *before, int64_t count,
                       rs_difference_sums *sums)
{
    for (int m = 0; m < work->metrics->count; m++) {
        for (int64_t i = 0; work->needs.power[m] && i < count; i++) {
            sums->power[m] += pow(fabs((double)after[i] - (double)before[i]), work->metrics->metric[m].p);
        }
    }
}

/* The rest of a strip that fills no vector. */
static void add_tail(const float *after, const float *before, int64_t count, rs_difference_sums *sums)
{
    for (int64_t i = 0; i < count; i++) {
        double v = (double)before[i], d = (double)after[i] - v, a = fabs(d);
        sums->d += d;
        sums->v += v;
        sums->dd += d * d;
        sums->dv += d * v;
        sums->vv += v * v;
        sums->abs += a;
        sums->max = a > sums->max || isnan(a) ? a : sums->max;
    }
}

static void add_distances(const rs__update_work *work, const float *after, const float *before, int64_t count,
                          rs_difference_sums *sums)
{
    wide magnitude = {0}, squares = {0}, most = {0};
    int64_t i = 0;
    for (; i + WIDE <= count; i += WIDE) {
        wide d = widen(after + i) - widen(before + i);
        wide a = absolute(d);
        magnitude += a;
        squares += d * d;
        most = larger(a, most);
    }
    if (work->needs.products) {
        wide d_sum = {0}, v_sum = {0}, dv = {0}, vv = {0};
        for (int64_t k = 0; k < i; k += WIDE) {
            wide v = widen(before + k), d = widen(after + k) - v;
            d_sum += d;
            v_sum += v;
            dv += d * v;
            vv += v * v;
        }
        sums->d += total(d_sum);
        sums->v += total(v_sum);
        sums->dv += total(dv);
        sums->vv += total(vv);
    }
    sums->abs += total(magnitude);
    sums->dd += total(squares);
    double max = largest(most);
    sums->max = max > sums->max || isnan(max) ? max : sums->max;
    add_tail(after + i, before + i, count - i, sums);
    if (work->needs.any_power) {
        add_powers(work, after, before, count, sums);
    }
}

static void apply_adam(rs_rule_f32 rule, const float *restrict gradient, float *restrict value,
                       float *restrict moment1, float *restrict moment2, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        value[i] = rs_adam_f32(rule, gradient[i], value[i], &moment1[i], &moment2[i]);
    }
}

static void apply_momentum(rs_rule_f32 rule, const float *restrict gradient, float *restrict value,
                           float *restrict buffer, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        value[i] = rs_momentum_f32(rule, gradient[i], value[i], &buffer[i]);
    }
}

static void apply_sgd(rs_rule_f32 rule, const float *restrict gradient, float *restrict value, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        value[i] = rs_sgd_f32(rule, gradient[i], value[i]);
    }
}

static void apply_adagrad(rs_rule_f32 rule, const float *restrict gradient, float *restrict value,
                          float *restrict moment2, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        value[i] = rs_adagrad_f32(rule, gradient[i], value[i], &moment2[i]);
    }
}

static void apply_rmsprop(rs_rule_f32 rule, const float *restrict gradient, float *restrict value,
                          float *restrict moment2, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        value[i] = rs_rmsprop_f32(rule, gradient[i], value[i], &moment2[i]);
    }
}

static void apply_rmsprop_momentum(rs_rule_f32 rule, const float *restrict gradient, float *restrict value,
                                   float *restrict buffer, float *restrict moment2, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        value[i] = rs_rmsprop_momentum_f32(rule, gradient[i], value[i], &buffer[i], &moment2[i]);
    }
}

static void apply_rule(const rs__update_work *work, rs_rule_f32 rule, const rs__update_piece *p, int64_t at,
                       int64_t count)
{
    const float *gradient = p->gradient + at;
    float *value = p->value + at;
    switch (work->rule) {
    case RS_RULE_SGD:
        apply_sgd(rule, gradient, value, count);
        break;
    case RS_RULE_MOMENTUM:
        apply_momentum(rule, gradient, value, p->moment1 + at, count);
        break;
    case RS_RULE_ADAGRAD:
        apply_adagrad(rule, gradient, value, p->moment2 + at, count);
        break;
    case RS_RULE_RMSPROP:
        apply_rmsprop(rule, gradient, value, p->moment2 + at, count);
        break;
    case RS_RULE_RMSPROP_MOMENTUM:
        apply_rmsprop_momentum(rule, gradient, value, p->moment1 + at, p->moment2 + at, count);
        break;
    default:
        apply_adam(rule, gradient, value, p->moment1 + at, p->moment2 + at, count);
    }
}

static void add_to_sum(const float *restrict gradient, double *restrict sum, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        sum[i] += (double)gradient[i];
    }
}

/* Whether numbers below the least normal float, 1.2e-38, count as 0; returns how it was. Moments of a gradient that stays 0
 * end there and remain, and every operation on such a number takes some hundred cycles. */
static unsigned flush_tiny(void)
{
    enum { FLUSH_RESULTS = 0x8000, READ_AS_ZERO = 0x0040 };
    unsigned before = _mm_getcsr();
    _mm_setcsr(before | FLUSH_RESULTS | READ_AS_ZERO);
    return before;
}

void RS_ISA(rs__update)(const rs__update_work *work, rs_rule_f32 rule, const rs__update_piece *piece,
                        rs_update_sums *sums)
{
    float before[STRIP] __attribute__((aligned(64)));
    const unsigned control = flush_tiny();
    *sums = (rs_update_sums){0};
    for (int64_t at = 0; at < piece->count; at += STRIP) {
        int64_t count = piece->count - at < STRIP ? piece->count - at : STRIP;
        const float *gradient = piece->gradient + at;
        float *value = piece->value + at;
        rs_gradient_sums part = {0};
        if (work->moves) {
            RS_ISA(rs__gradient_sums)(gradient, count, &part);
        }
        sums->gradient.abs += part.abs;
        sums->gradient.squares += part.squares;
        if (work->moves && piece->gradient_sum) {
            add_to_sum(gradient, piece->gradient_sum + at, count);
        }
        if (work->distances) {
            memcpy(before, value, (size_t)count * sizeof *before);
        }
        if (work->moves) {
            apply_rule(work, rule, piece, at, count);
        }
        if (work->distances) {
            add_distances(work, value, before, count, &sums->to_previous);
        }
        if (work->distances && piece->initial) {
            add_distances(work, value, piece->initial + at, count, &sums->to_initial);
        }
    }
    _mm_setcsr(control);
}
