/* vector_exp.h: e^x of half a vector in double, exact enough that a float made of it is rounded right but for a few cases
 * in a million. The same operations on every instruction set. */
#ifndef RS_KERNELS_CPU_VECTOR_EXP_H
#define RS_KERNELS_CPU_VECTOR_EXP_H

#include "vector.h"

typedef int64_t rs_vl __attribute__((vector_size(4 * RS_LANES), may_alias));

/* a where the mask is set, b elsewhere. */
RS_INLINE rs_vd rs_select(rs_vl where, rs_vd a, rs_vd b)
{
    return (rs_vd)((where & (rs_vl)a) | (~where & (rs_vl)b));
}

/* x = n ln 2 + r, |r| <= ln 2 / 2: a polynomial of r (its first omitted term is below 1e-11), then n into the exponent.
 * Beyond +-700, far outside of what a float holds, x counts as that; NaN stays NaN. */
RS_INLINE rs_vd rs_exp(rs_vd x)
{
    const double magic = 0x1.8p52; /* adding it rounds to an integer, which then stands in the low bits */
    rs_vd zero = {0}, most = zero + 700.0;
    x = rs_select(x > most, most, x);
    x = rs_select(x < -most, -most, x);
    rs_vd shifted = x * 0x1.71547652b82fep0 + magic, n = shifted - magic;
    rs_vd r = (x - n * 0x1.62e42fee00000p-1) - n * 0x1.a39ef35793c76p-33;
    rs_vd sum = r * (1.0 / 362880) + 1.0 / 40320;
    sum = sum * r + 1.0 / 5040;
    sum = sum * r + 1.0 / 720;
    sum = sum * r + 1.0 / 120;
    sum = sum * r + 1.0 / 24;
    sum = sum * r + 1.0 / 6;
    sum = sum * r + 0.5;
    sum = sum * r + 1.0;
    sum = sum * r + 1.0;
    return sum * (rs_vd)(((rs_vl)shifted + 1023) << 52);
}

RS_INLINE rs_vf rs_narrow(rs_vd low, rs_vd high)
{
    rs_vhalf halves[2] = {__builtin_convertvector(low, rs_vhalf), __builtin_convertvector(high, rs_vhalf)};
    rs_vf v;
    __builtin_memcpy(&v, halves, sizeof v);
    return v;
}

/* at = or += v. */
RS_INLINE void rs_store_or_add(float *at, rs_vf v, bool add)
{
    if (add) {
        v += rs_load(at);
    }
    rs_store(at, v);
}

/* Lanes of a plane (one sample's channel block) that are channels, as bits. */
RS_INLINE rs_bits rs_real_lanes(int64_t channels, int64_t blocks, int64_t plane)
{
    int64_t rest = channels - plane % blocks * RS_LANES;
    return (rs_bits)((1U << (rest < RS_LANES ? rest : RS_LANES)) - 1U);
}

#endif
