/* dropout.c: see dropout.h. */
#include "dropout.h"

#include "rs/random.h"

rs_dropout rs_dropout_make(uint64_t seed, const char *node, double rate)
{
    rs_philox words = rs_philox_at(seed, rs_hash64(node), 0);
    double threshold = floor(rate * 0x1p32 + 0.5);
    return (rs_dropout){.key = {words.word[0], words.word[1]},
                        .threshold = threshold < 0x1p32 ? (uint32_t)threshold : UINT32_MAX,
                        .scale = 1.0 / (1.0 - rate)};
}

void rs_dropout_ids(const int64_t *ids, int64_t count, int64_t *to)
{
    for (int64_t i = 0; i < count; i++) {
        to[i] = ids ? ids[i] : i;
    }
}
