/* vector_distance.c: how far a layer's output is from its objective's target, plane by plane (one sample's channel
 * block). Sums in double, the lanes of a plane apart until its end; lanes beyond the channels count for nothing. */
#include "kernels.h"
#include "vector.h"

/* The part of a plane's lanes that are channels. */
RS_INLINE int real_lanes(const rs__distance *d, int64_t plane)
{
    int64_t rest = d->channels - plane % d->blocks * RS_LANES;
    return rest < RS_LANES ? (int)rest : RS_LANES;
}

/* Adds the first `lanes` of a vector that lies in two halves. */
RS_INLINE double join(rs_vd low, rs_vd high, int lanes)
{
    double sum = 0.0;
    for (int i = 0; i < lanes; i++) {
        sum += i < RS_LANES / 2 ? low[i] : high[i - RS_LANES / 2];
    }
    return sum;
}

void RS_ISA(rs__distance_sums)(const rs__distance *d, int64_t first, int64_t last, const float *y,
                               double *sums)
{
    for (int64_t plane = first; plane < last; plane++) {
        rs_vd sum[2] = {{0}, {0}}, square[2] = {{0}, {0}};
        const float *at = y + plane * d->positions * RS_LANES;
        for (int64_t p = 0; p < d->positions; p++, at += RS_LANES) {
            rs_vf value = rs_load(at);
            rs_vd low = rs_widen_low(value), high = rs_widen_high(value);
            sum[0] += low;
            sum[1] += high;
            low -= d->target;
            high -= d->target;
            square[0] += low * low;
            square[1] += high * high;
        }
        int lanes = real_lanes(d, plane);
        sums[0] += join(sum[0], sum[1], lanes);
        sums[1] += join(square[0], square[1], lanes);
    }
}

void RS_ISA(rs__distance_backward)(const rs__distance *d, int64_t first, int64_t last, const float *y,
                                   float *dy, rs_pass pass)
{
    const float target = (float)d->target, factor = (float)d->factor;
    for (int64_t plane = first; plane < last; plane++) {
        rs_bits real = (rs_bits)((1U << real_lanes(d, plane)) - 1U);
        for (int64_t p = 0; p < d->positions; p++) {
            int64_t at = (plane * d->positions + p) * RS_LANES;
            rs_vf g = rs_where_bits(real, (rs_load(y + at) - target) * factor);
            if (pass == RS_PASS_ADD) {
                g += rs_load(dy + at);
            }
            rs_store(dy + at, g);
        }
    }
}
