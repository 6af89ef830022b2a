/* rs/random.h: counter-based random numbers (Philox4x32-10 of Random123) and the orders made from them.
 *
 * A number is a function of (seed, stream, index): threads, batch split, resume and recording change nothing.
 * Philox: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC11. */
#ifndef RS_RANDOM_H
#define RS_RANDOM_H

#include <stddef.h>
#include <stdint.h>

typedef struct rs_philox {
    uint32_t word[4];
} rs_philox;

/* key = seed (low word first); counter = (index low, index high, stream low, stream high). */
rs_philox rs_philox_at(uint64_t seed, uint64_t stream, uint64_t index);

/* 64-bit FNV-1a of a name: the stream of a parameter or layer. */
uint64_t rs_hash64(const char *text);

/* [0, 1) with 24 bits, exact in float: (word >> 8) * 2^-24. */
float rs_unit_float(uint32_t word);

/* Value of element `index` of a stream: word index % 4 of Philox at index / 4.
 * uniform: [low, high) computed in double, low + unit * (high - low). */
double rs_uniform(uint64_t seed, uint64_t stream, uint64_t index, double low, double high);

/* Standard normal of element `index`: Box-Muller in double. Elements 2k and 2k+1 share words (2k, 2k+1) mod 4
 * of Philox at k / 2: r = sqrt(-2 ln((a + 1) 2^-32)), t = 2 pi b 2^-32; even r cos t, odd r sin t. */
double rs_normal(uint64_t seed, uint64_t stream, uint64_t index);

/* values [count]: values[i] = (float)(scale * rs_normal(seed, stream, i)), the same bits, in groups:
 * faster. */
void rs_normal_fill(uint64_t seed, uint64_t stream, double scale, float *values, size_t count);

/* A permutation of 0..count-1 as a function of (seed, epoch): Fisher-Yates from the last element down, the
 * i-th draw from Philox words by Lemire's rejection (no modulo bias). Named
 * "fisher-yates-lemire-philox4x32-10/1" in records. */
#define RS_ORDER_ALGORITHM "fisher-yates-lemire-philox4x32-10/1"
void rs_permutation(uint64_t seed, uint64_t epoch, uint32_t *order, size_t count);

#endif
