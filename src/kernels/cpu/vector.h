/* vector.h: one vector of `RS_LANES` floats, the channel block of the activation layout, per instruction set.
 *
 * Included only by the files that are compiled once per instruction set (see CMakeLists.txt): 16 lanes with
 * AVX-512, 8 with AVX2 and with plain x86-64 (where the compiler splits a vector in two). Sums are kept in
 * doubles: rs_vd holds half a vector's lanes, so that a float vector widens to two of them. */
#ifndef RS_KERNELS_CPU_VECTOR_H
#define RS_KERNELS_CPU_VECTOR_H

#include <stdbool.h>
#include <stdint.h>

#if defined(__AVX512F__)
#define RS_LANES  16
#define RS_SUFFIX avx512
#elif defined(__AVX2__) && defined(__FMA__)
#define RS_LANES  8
#define RS_SUFFIX avx2
#else
#define RS_LANES  8
#define RS_SUFFIX baseline
#endif
#include <immintrin.h>

#define RS_JOIN2(a, b)   a##_##b
#define RS_JOIN(a, b)    RS_JOIN2(a, b)
#define RS_ISA(function) RS_JOIN(function, RS_SUFFIX) /* rs__relu_avx2 */
#define RS_INLINE        static inline __attribute__((always_inline))

typedef float rs_vf __attribute__((vector_size(4 * RS_LANES), may_alias));
typedef int32_t rs_vi __attribute__((vector_size(4 * RS_LANES), may_alias));
typedef float rs_vhalf __attribute__((vector_size(2 * RS_LANES), may_alias));
typedef double rs_vd __attribute__((vector_size(4 * RS_LANES), may_alias));

RS_INLINE rs_vf rs_load(const float *at)
{
    return *(const rs_vf *)at;
}

RS_INLINE void rs_store(float *at, rs_vf v)
{
    *(rs_vf *)at = v;
}

/* Stores; past the caches where the reader comes too late to find it there (`stream`): the line need not be read
 * first. Ends with rs_stream_end. */
RS_INLINE void rs_store_or_stream(float *at, rs_vf v, bool stream)
{
#if RS_LANES == 16
    if (stream) {
        _mm512_stream_ps(at, (__m512)v);
        return;
    }
#elif defined(__AVX2__)
    if (stream) {
        _mm256_stream_ps(at, (__m256)v);
        return;
    }
#else
    (void)stream;
#endif
    rs_store(at, v);
}

RS_INLINE void rs_stream_end(void)
{
    _mm_sfence();
}

/* The same number in every lane. */
RS_INLINE rs_vf rs_splat(float x)
{
#if RS_LANES == 16
    return (rs_vf)_mm512_set1_ps(x);
#elif defined(__AVX2__)
    return (rs_vf)_mm256_set1_ps(x);
#else
    return (rs_vf){x, x, x, x, x, x, x, x};
#endif
}

/* a * b + c, rounded once where the instruction set can; the same everywhere in one binary's path. */
RS_INLINE rs_vf rs_fma(rs_vf a, rs_vf b, rs_vf c)
{
#if RS_LANES == 16
    return (rs_vf)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif defined(__FMA__)
    return (rs_vf)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#else
    return a * b + c;
#endif
}

/* z > 0 ? v : 0 in each lane; 0 where z is NaN. */
RS_INLINE rs_vf rs_where_positive(rs_vf z, rs_vf v)
{
#if RS_LANES == 16
    __mmask16 positive = _mm512_cmp_ps_mask((__m512)z, _mm512_setzero_ps(), _CMP_GT_OQ);
    return (rs_vf)_mm512_maskz_mov_ps(positive, (__m512)v);
#else
    rs_vf zero = {0};
    return (rs_vf)((rs_vi)v & (rs_vi)(z > zero));
#endif
}

/* max(z, 0); NaN stays NaN, so that a diverged network shows. */
RS_INLINE rs_vf rs_relu(rs_vf z)
{
#if RS_LANES == 16
    __mmask16 keep = _mm512_cmp_ps_mask((__m512)z, _mm512_setzero_ps(), _CMP_NLE_UQ);
    return (rs_vf)_mm512_maskz_mov_ps(keep, (__m512)z);
#else
    rs_vf zero = {0};
    return (rs_vf)((rs_vi)z & ~(rs_vi)(z <= zero));
#endif
}

/* One bit per lane. */
#if RS_LANES == 16
typedef uint16_t rs_bits;
typedef uint64_t rs_bits_of_4;
#else
typedef uint8_t rs_bits;
typedef uint32_t rs_bits_of_4;
#endif

/* Bit set where z > 0. */
RS_INLINE rs_bits rs_positive_bits(rs_vf z)
{
#if RS_LANES == 16
    return _mm512_cmp_ps_mask((__m512)z, _mm512_setzero_ps(), _CMP_GT_OQ);
#elif defined(__AVX2__)
    return (rs_bits)_mm256_movemask_ps(_mm256_cmp_ps((__m256)z, _mm256_setzero_ps(), _CMP_GT_OQ));
#else
    __m128 low, high;
    __builtin_memcpy(&low, &z, sizeof low);
    __builtin_memcpy(&high, (const char *)&z + sizeof low, sizeof high);
    int bits = _mm_movemask_ps(_mm_cmpgt_ps(low, _mm_setzero_ps()));
    return (rs_bits)(bits | _mm_movemask_ps(_mm_cmpgt_ps(high, _mm_setzero_ps())) << 4);
#endif
}

/* v where the bit is set, else 0. */
RS_INLINE rs_vf rs_where_bits(rs_bits bits, rs_vf v)
{
#if RS_LANES == 16
    return (rs_vf)_mm512_maskz_mov_ps(bits, (__m512)v);
#else
    const rs_vi lane = {1, 2, 4, 8, 16, 32, 64, 128};
    rs_vi zero = {0};
    return (rs_vf)((rs_vi)v & (((zero + bits) & lane) != 0));
#endif
}

/* The lower and the upper lanes of v as doubles. */
RS_INLINE rs_vd rs_widen_low(rs_vf v)
{
    rs_vhalf half;
    __builtin_memcpy(&half, &v, sizeof half);
    return __builtin_convertvector(half, rs_vd);
}

RS_INLINE rs_vd rs_widen_high(rs_vf v)
{
    rs_vhalf half;
    __builtin_memcpy(&half, (const char *)&v + sizeof half, sizeof half);
    return __builtin_convertvector(half, rs_vd);
}

#endif
