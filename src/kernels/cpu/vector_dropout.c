/* vector_dropout.c: dropout, plane by plane (one sample's channel block); the masks are common/dropout.h's. */
#include <string.h>

#include "kernels.h"
#include "vector.h"

/* Vectors whose masks are drawn together. A vector's elements may begin within a draw where the channels are no multiple of
 * 4, and so end in one more. */
enum { TILE = 16, DRAWS = RS_LANES / 4 + 1, WIDE = RS_LANES / 2, ROUNDS = 10 };

/* A number of each of some vectors: 32 bits count, what is above them is anything. */
typedef uint64_t wide __attribute__((vector_size(8 * WIDE), may_alias));

/* Vectors of one sample that lie behind each other: the first one's element, and how many lie between two. */
typedef struct tile {
    int64_t sample, element, step, count;
} tile;

/* The products of the lower halves. */
RS_INLINE wide multiply(wide a, wide b)
{
#if RS_LANES == 16
    return (wide)_mm512_mul_epu32((__m512i)a, (__m512i)b);
#elif defined(__AVX2__)
    return (wide)_mm256_mul_epu32((__m256i)a, (__m256i)b);
#else
    return (a & UINT32_MAX) * (b & UINT32_MAX);
#endif
}

/* Philox4x32-10 of `draws` counters, in place: every round all of them, so that none waits for itself. */
RS_INLINE void philox(wide word[4][DRAWS], const uint32_t key[2], int draws)
{
    const wide zero = {0}, factor0 = zero + PHILOX_M4x32_0, factor1 = zero + PHILOX_M4x32_1;
    uint32_t key0 = key[0], key1 = key[1];
    for (int round = 0; round < ROUNDS; round++, key0 += PHILOX_W32_0, key1 += PHILOX_W32_1) {
        for (int k = 0; k < draws; k++) {
            wide product0 = multiply(word[0][k], factor0), product1 = multiply(word[2][k], factor1);
            word[0][k] = (product1 >> 32) ^ word[1][k] ^ key0;
            word[1][k] = product1;
            word[2][k] = (product0 >> 32) ^ word[3][k] ^ key1;
            word[3][k] = product0;
        }
    }
}

/* The masks of WIDE vectors, of which the first begins at an element of its sample: rs_dropout_keep, a lane for each. */
RS_INLINE wide draw_wide(const rs__dropout *d, int64_t sample, wide element, int draws)
{
    wide word[4][DRAWS], zero = {0}, all = {0};
    uint64_t id = (uint64_t)d->ids[sample], threshold = d->rule.threshold;
    for (int k = 0; k < draws; k++) {
        word[0][k] = (element >> 2) + (uint64_t)k;
        word[1][k] = zero + id;
        word[2][k] = zero + (id >> 32);
        word[3][k] = zero + d->epoch;
    }
    philox(word, d->rule.key, draws);
    for (int k = 0; k < draws; k++) {
        for (int i = 0; i < 4; i++) {
            wide keeps = (wide)((word[i][k] & (zero + UINT32_MAX)) >= zero + threshold);
            all |= keeps & (zero + ((uint64_t)1 << (4 * k + i)));
        }
    }
    return all >> (element & 3);
}

static void draw_tile(const rs__dropout *d, const tile *t, rs_bits *bits)
{
    rs_bits drawn[TILE];
    bool aligned = t->element % 4 == 0 && t->step % 4 == 0;
    RS_ASSERT(t->count >= 0 && t->count <= TILE);
    for (int64_t p = 0; p < t->count; p += WIDE) {
        wide element;
        for (int64_t i = 0; i < WIDE; i++) {
            element[i] = (uint64_t)(t->element + (p + i) * t->step);
        }
        wide all =
            aligned ? draw_wide(d, t->sample, element, DRAWS - 1) : draw_wide(d, t->sample, element, DRAWS);
        for (int64_t i = 0; i < WIDE; i++) {
            drawn[p + i] = (rs_bits)all[i];
        }
    }
    memcpy(bits, drawn, (size_t)t->count * sizeof *bits);
}

/* Lanes beyond the channels are 0 and stay so, whatever is drawn for them. */
static void drop_tile(const rs__dropout *d, const tile *t, int64_t vector, const float *x, float *y,
                      rs_pass pass)
{
    rs_bits own[TILE] = {0}, *bits = d->kept ? (rs_bits *)d->kept + vector : own;
    const rs_vf scale = rs_splat(d->scale);
    if (!d->drawn) {
        draw_tile(d, t, bits);
    }
    for (int64_t p = 0; p < t->count; p++) {
        int64_t at = (vector + p) * RS_LANES;
        rs_vf value = rs_where_bits(bits[p], rs_load(x + at) * scale);
        if (pass == RS_PASS_ADD) {
            value += rs_load(y + at);
        }
        rs_store(y + at, value);
    }
}

RS_INLINE int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Of vectors (maps of one position) a tile is channel blocks of a sample, else positions of a block. */
void RS_ISA(rs__dropout)(const rs__dropout *d, int64_t first, int64_t last, const float *x, float *y,
                         rs_pass pass)
{
    for (int64_t plane = first, planes; plane < last; plane += planes) {
        int64_t block = plane % d->blocks;
        tile t = {.sample = plane / d->blocks, .element = block * RS_LANES, .step = RS_LANES};
        planes = 1;
        if (d->positions == 1) {
            planes = t.count = least(TILE, least(last - plane, d->blocks - block));
            drop_tile(d, &t, plane, x, y, pass);
            continue;
        }
        t.step = d->channels;
        for (int64_t position = 0; position < d->positions; position += TILE) {
            t.element = position * d->channels + block * RS_LANES;
            t.count = least(TILE, d->positions - position);
            drop_tile(d, &t, plane * d->positions + position, x, y, pass);
        }
    }
}
