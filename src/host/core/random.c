/* random.c: Philox streams and orders; see rs/random.h. */
#include "rs/random.h"

#include <Random123/philox.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

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

/* --- many normal values at once
 *
 * rs_normal costs a Philox block, a logarithm and a sine or cosine of the C library each, and values of a stream must
 * keep the bits it gives. So values are first computed by series that a compiler turns into vector instructions, in
 * double, to a known error; where both ends of what is then possible round to one float, that float is the value.
 * Elsewhere, for a few in a million, rs_normal decides. */
enum { PAIRS = 32, GROUP = 2 * PAIRS /* values computed together */ };

typedef struct normal_group {
    uint32_t a[PAIRS], b[PAIRS];                      /* words of each pair */
    double radius[PAIRS], cosine[PAIRS], sine[PAIRS]; /* to within 1e-15, the radius relatively */
} normal_group;

/* Of what is computed here and in rs_normal together, relative to the radius: the largest seen in 30 million is
 * 9e-16. */
#define NORMAL_ERROR 2e-14

static void draw_pairs(uint64_t seed, uint64_t stream, uint64_t first, normal_group *group)
{
    for (int i = 0; i < PAIRS; i += 2) {
        rs_philox words = rs_philox_at(seed, stream, first / 4 + (uint64_t)i / 2);
        group->a[i] = words.word[0];
        group->b[i] = words.word[1];
        group->a[i + 1] = words.word[2];
        group->b[i + 1] = words.word[3];
    }
}

/* x in [2^-32, 1]. With x = 2^k m, m in [sqrt(1/2), sqrt(2)): ln x = k ln 2 + 2 artanh s, s = (m - 1) / (m + 1). */
static inline double series_log(double x)
{
    const uint64_t low = UINT64_C(0x3fe6a09e667f3bcd) /* sqrt(1/2) */, bias = UINT64_C(64) << 52;
    uint64_t bits, shifted;
    double m, k;
    memcpy(&bits, &x, sizeof bits);
    shifted = bits - low + bias;
    bits = bits + bias - (shifted & UINT64_C(0xfff0000000000000));
    memcpy(&m, &bits, sizeof m);
    bits = UINT64_C(0x4330000000000000) | (shifted >> 52); /* 2^52 + k + 64 */
    memcpy(&k, &bits, sizeof k);
    k -= 0x1p52 + 64.0;
    double s = (m - 1.0) / (m + 1.0), z = s * s, sum = 1.0 / 21.0;
    for (int n = 19; n >= 1; n -= 2) {
        sum = sum * z + 1.0 / n;
    }
    return k * 0.693147180559945309417 + 2.0 * s * sum;
}

static void radii(normal_group *group)
{
    for (int i = 0; i < PAIRS; i++) {
        /* (double)a + 1, by way of the signed conversion that vector units have */
        double a = (double)(int32_t)(group->a[i] ^ 0x80000000U) + 2147483649.0;
        group->radius[i] = sqrt(-2.0 * series_log(a * 0x1p-32));
    }
}

/* Of 2 pi b 2^-32: by the nearest quarter turn, and Taylor's series of what is left, at most an eighth. */
static void directions(normal_group *group)
{
    for (int i = 0; i < PAIRS; i++) {
        uint32_t quarter = (group->b[i] + 0x20000000U) >> 30;
        double t = (double)(int32_t)(group->b[i] - (quarter << 30)) * (6.28318530717958647693 * 0x1p-32),
               z = t * t;
        double s = 1.0, c = 1.0;
        for (int n = 17; n >= 3; n -= 2) {
            s = 1.0 - s * z * (1.0 / (n * (n - 1)));
        }
        for (int n = 18; n >= 2; n -= 2) {
            c = 1.0 - c * z * (1.0 / (n * (n - 1)));
        }
        s *= t;
        double cosine = quarter & 1 ? s : c, sine = quarter & 1 ? c : s;
        group->cosine[i] = (quarter + 1) & 2 ? -cosine : cosine;
        group->sine[i] = quarter & 2 ? -sine : sine;
    }
}

/* values[2i], values[2i + 1] of pair i; false where one of them is not certain. */
static bool round_values(const normal_group *group, double scale, float values[GROUP])
{
    int uncertain = 0;
    for (int i = 0; i < PAIRS; i++) {
        double radius = scale * group->radius[i], error = radius * NORMAL_ERROR;
        double even = radius * group->cosine[i], odd = radius * group->sine[i];
        values[2 * i] = (float)(even - error);
        values[2 * i + 1] = (float)(odd - error);
        uncertain |= !((float)(even - error) == (float)(even + error)) | !(error > 0.0);
        uncertain |= !((float)(odd - error) == (float)(odd + error));
    }
    return !uncertain;
}

void rs_normal_fill(uint64_t seed, uint64_t stream, double scale, float *values, size_t count)
{
    normal_group group;
    float rounded[GROUP];
    for (size_t first = 0; first < count; first += GROUP) {
        size_t some = count - first < GROUP ? count - first : GROUP;
        draw_pairs(seed, stream, first, &group);
        radii(&group);
        directions(&group);
        bool certain = round_values(&group, scale, rounded);
        for (size_t i = 0; i < some; i++) {
            values[first + i] = certain ? rounded[i] : (float)(scale * rs_normal(seed, stream, first + i));
        }
    }
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
