/* dropout.h: which elements a dropout keeps, for every backend.
 *
 * A mask is a function of (seed, node, epoch, sample, element) by Random123's Philox4x32-10, so that threads, batches,
 * layouts and devices change no bit of it:
 *
 *     key        words 0 and 1 of Philox at (seed, hash of the node's name, 0)
 *     counter    element / 4, the sample's number (low, high), epoch
 *     word       element % 4: kept where it is not below the threshold
 *
 * The elements of a sample are counted channels last, (h W + w) C + c: one draw serves four neighbours in NHWC and in
 * layouts that are blocked by channels. Masks are drawn again in backward, which is forward with dy for x: one kernel
 * instead of two, nothing to keep (bits would take memory from forward to backward, and again with --memory lean), and
 * a draw is arithmetic while the loads and stores of four elements are under way. */
#ifndef RS_KERNELS_DROPOUT_H
#define RS_KERNELS_DROPOUT_H

#include <stdint.h>

#include "update.h"

/* Random123's header in GPU kernels: for both sides of nvcc, and where there are no exceptions, which only what is not
 * used here would throw. */
#ifdef __CUDACC__
#define R123_CUDA_DEVICE __host__ __device__
#endif
#ifdef __cplusplus
#define R123_THROW(exception) ((void)0)
#define R123_USE_SSE          0
#endif
#include <Random123/philox.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Of one node. */
typedef struct rs_dropout {
    uint32_t key[2];
    uint32_t threshold; /* round(rate 2^32); of rates that round to 2^32 one less */
    double scale;       /* 1 / (1 - rate); every backend rounds it once, to its type */
} rs_dropout;

rs_dropout rs_dropout_make(uint64_t seed, const char *node, double rate);

/* What a batch says of its samples' numbers; without, 0, 1, 2 .. */
void rs_dropout_ids(const int64_t *ids, int64_t count, int64_t *to);

#ifdef __cplusplus
}
#endif

/* Elements 4 block .. 4 block + 3 of a sample: bit i is set where the i-th is kept. Samples have at most 2^34. */
RS_HOST_DEVICE static inline uint32_t rs_dropout_keep(const rs_dropout *dropout, uint32_t block,
                                                      int64_t sample, uint32_t epoch)
{
    const philox4x32_ctr_t counter = {
        {block, (uint32_t)(uint64_t)sample, (uint32_t)((uint64_t)sample >> 32), epoch}};
    const philox4x32_key_t key = {{dropout->key[0], dropout->key[1]}};
    const philox4x32_ctr_t word = philox4x32(counter, key);
    return (uint32_t)(word.v[0] >= dropout->threshold) | (uint32_t)(word.v[1] >= dropout->threshold) << 1 |
           (uint32_t)(word.v[2] >= dropout->threshold) << 2 |
           (uint32_t)(word.v[3] >= dropout->threshold) << 3;
}

#endif
