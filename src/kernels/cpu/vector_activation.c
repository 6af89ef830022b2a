/* vector_activation.c: sigmoid, tanh and division, whose values in lanes beyond the channels would not be 0 by
 * themselves. */
#include "kernels.h"
#include "vector_exp.h"

RS_INLINE rs_vd sigmoid(rs_vd x)
{
    return 1.0 / (1.0 + rs_exp(-x));
}

/* Near 0, where the difference would lose digits, tanh x is x to half of a float's last. */
RS_INLINE rs_vd hyperbolic(rs_vd x)
{
    rs_vd zero = {0}, small = zero + 1e-4, e = rs_exp(x + x);
    rs_vl near = (x < small) & (x > -small);
    return rs_select(near, x, (e - 1.0) / (e + 1.0));
}

void RS_ISA(rs__sigmoid_forward)(const rs__maps *m, int64_t first, int64_t last, const float *x, float *y)
{
    for (int64_t plane = first; plane < last; plane++) {
        rs_bits real = rs_real_lanes(m->channels, m->blocks, plane);
        for (int64_t p = 0; p < m->positions; p++) {
            int64_t at = (plane * m->positions + p) * RS_LANES;
            rs_vf v = rs_load(x + at);
            v = rs_narrow(sigmoid(rs_widen_low(v)), sigmoid(rs_widen_high(v)));
            rs_store(y + at, rs_where_bits(real, v));
        }
    }
}

void RS_ISA(rs__tanh_forward)(const rs__maps *m, int64_t first, int64_t last, const float *x, float *y)
{
    int64_t plane = m->positions * RS_LANES;
    for (int64_t at = first * plane; at < last * plane; at += RS_LANES) {
        rs_vf v = rs_load(x + at);
        rs_store(y + at, rs_narrow(hyperbolic(rs_widen_low(v)), hyperbolic(rs_widen_high(v))));
    }
}

void RS_ISA(rs__sigmoid_backward)(const float *y, const float *dy, float *dx, rs_pass pass, int64_t count)
{
    for (int64_t i = 0; i < count; i += RS_LANES) {
        rs_vf v = rs_load(y + i), g = rs_load(dy + i) * (v * (1.0f - v));
        rs_store_or_add(dx + i, g, pass == RS_PASS_ADD);
    }
}

void RS_ISA(rs__tanh_backward)(const float *y, const float *dy, float *dx, rs_pass pass, int64_t count)
{
    for (int64_t i = 0; i < count; i += RS_LANES) {
        rs_vf v = rs_load(y + i), g = rs_load(dy + i) * ((1.0f - v) * (1.0f + v)); /* no digits lost near 1 */
        rs_store_or_add(dx + i, g, pass == RS_PASS_ADD);
    }
}

void RS_ISA(rs__divide_forward)(const rs__maps *m, int64_t first, int64_t last, const float *a,
                                const float *b, float *y)
{
    for (int64_t plane = first; plane < last; plane++) {
        rs_bits real = rs_real_lanes(m->channels, m->blocks, plane);
        for (int64_t p = 0; p < m->positions; p++) {
            int64_t at = (plane * m->positions + p) * RS_LANES;
            rs_store(y + at, rs_where_bits(real, rs_load(a + at) / rs_load(b + at)));
        }
    }
}

void RS_ISA(rs__divide_backward)(const rs__maps *m, int64_t first, int64_t last, const float *b,
                                 const float *y, const float *dy, float *dx, rs_pass pass)
{
    for (int64_t plane = first; plane < last; plane++) {
        rs_bits real = rs_real_lanes(m->channels, m->blocks, plane);
        for (int64_t p = 0; p < m->positions; p++) {
            int64_t at = (plane * m->positions + p) * RS_LANES;
            rs_vf g = rs_load(dy + at) / rs_load(b + at);
            if (y) {
                g *= -rs_load(y + at);
            }
            g = rs_where_bits(real, g);
            rs_store_or_add(dx + at, g, pass == RS_PASS_ADD);
        }
    }
}
