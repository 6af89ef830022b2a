/* fill.c: see rs/check.h. */
#include "rs/check.h"

#include <math.h>

#include "rs/random.h"

/* Values i - (count - 1) / 2 on a grid of step 2^-k about 4 / count wide, shuffled in place. */
static void fill_spread(uint64_t seed, uint64_t stream, double *values, int64_t count)
{
    double step = fmax(0x1p-10, exp2(floor(log2(4.0 / (double)count))));
    int64_t half = count / 2;
    for (int64_t i = 0; i < count; i++) {
        values[i] = ((double)(i - half) + 0.5) * step;
    }
    for (int64_t i = count - 1; i > 0; i--) {
        int64_t j = (int64_t)rs_uniform(seed, stream, (uint64_t)i, 0.0, (double)(i + 1));
        double kept = values[i];
        values[i] = values[j];
        values[j] = kept;
    }
}

static double sized(uint64_t seed, uint64_t stream, uint64_t i)
{
    double u = rs_uniform(seed, stream, i, -1.0, 1.0);
    return u < 0.0 ? u - 0.5 : u + 0.5;
}

void rs_fill_values(rs_fill fill, uint64_t seed, const char *name, double *values, int64_t count)
{
    uint64_t stream = rs_hash64(name);
    if (fill == RS_FILL_SPREAD) {
        fill_spread(seed, stream, values, count);
        return;
    }
    for (int64_t i = 0; i < count; i++) {
        uint64_t at = (uint64_t)i;
        double value = fill == RS_FILL_NORMAL    ? rs_normal(seed, stream, at)
                       : fill == RS_FILL_INTEGER ? floor(rs_uniform(seed, stream, at, -2.0, 3.0))
                                                 : sized(seed, stream, at);
        values[i] = (double)(float)value;
    }
}

void rs_fill_labels(uint64_t seed, int classes, int32_t *labels, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        labels[i] = (int32_t)rs_uniform(seed, rs_hash64("labels"), (uint64_t)i, 0.0, classes);
    }
}
