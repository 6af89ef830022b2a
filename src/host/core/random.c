/* random.c: Philox streams and orders; see rs/random.h. */
#include "rs/random.h"

#include <Random123/philox.h>
#include <math.h>

rs_philox rs_philox_at(uint64_t seed, uint64_t stream, uint64_t index)
{
    philox4x32_ctr_t counter = {
        {(uint32_t)index, (uint32_t)(index >> 32), (uint32_t)stream, (uint32_t)(stream >> 32)}};
    philox4x32_key_t key = {{(uint32_t)seed, (uint32_t)(seed >> 32)}};
    philox4x32_ctr_t words = philox4x32(counter, key);
    return (rs_philox){{words.v[0], words.v[1], words.v[2], words.v[3]}};
}

uint64_t rs_hash64(const char *text)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        hash = (hash ^ *c) * UINT64_C(0x100000001b3);
    }
    return hash;
}

float rs_unit_float(uint32_t word)
{
    return (float)(word >> 8) * 0x1p-24F;
}

double rs_uniform(uint64_t seed, uint64_t stream, uint64_t index, double low, double high)
{
    uint32_t word = rs_philox_at(seed, stream, index / 4).word[index % 4];
    return low + (double)rs_unit_float(word) * (high - low);
}

double rs_normal(uint64_t seed, uint64_t stream, uint64_t index)
{
    rs_philox words = rs_philox_at(seed, stream, index / 4);
    size_t pair = (size_t)(index % 4) / 2 * 2;
    double radius = sqrt(-2.0 * log(((double)words.word[pair] + 1.0) * 0x1p-32));
    double angle = 2.0 * 3.14159265358979323846 * (double)words.word[pair + 1] * 0x1p-32;
    return index % 2 ? radius * sin(angle) : radius * cos(angle);
}

/* The stream of orders, so that seed-order and seed-init may be one number and share no draws. */
#define ORDER_STREAM(epoch) (UINT64_C(0x6f72646572000000) ^ (epoch))

typedef struct word_source {
    uint64_t seed, stream, next;
} word_source;

static uint32_t next_word(word_source *source)
{
    uint64_t at = source->next++;
    return rs_philox_at(source->seed, source->stream, at / 4).word[at % 4];
}

/* Lemire, "Fast random integer generation in an interval" (2019): uniform in [0, bound). */
static uint32_t bounded(word_source *source, uint32_t bound)
{
    uint64_t product = (uint64_t)next_word(source) * bound;
    if ((uint32_t)product < bound) {
        uint32_t threshold = (uint32_t)(0U - bound) % bound;
        while ((uint32_t)product < threshold) {
            product = (uint64_t)next_word(source) * bound;
        }
    }
    return (uint32_t)(product >> 32);
}

void rs_permutation(uint64_t seed, uint64_t epoch, uint32_t *order, size_t count)
{
    word_source source = {seed, ORDER_STREAM(epoch), 0};
    for (size_t i = 0; i < count; i++) {
        order[i] = (uint32_t)i;
    }
    for (size_t i = count; i > 1; i--) {
        uint32_t j = bounded(&source, (uint32_t)i);
        uint32_t kept = order[i - 1];
        order[i - 1] = order[j];
        order[j] = kept;
    }
}
