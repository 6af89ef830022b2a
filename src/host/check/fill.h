/* fill.h: values for tests, as functions of (seed, name); all are floats, so that every type gets the same. */
#ifndef RS_CHECK_FILL_H
#define RS_CHECK_FILL_H

#include <stdint.h>

typedef enum rs_fill {
    RS_FILL_NORMAL,  /* standard normal */
    RS_FILL_INTEGER, /* -2 .. 2: sums of products are exact in float */
    RS_FILL_SPREAD,  /* all different, none 0, at least 2^-10 apart and shuffled: no ties, no kinks */
    RS_FILL_SIZED    /* +-(0.5 .. 1.5): neither sign and nothing near 0 */
} rs_fill;

void rs_fill_values(rs_fill fill, uint64_t seed, const char *name, double *values, int64_t count);
void rs_fill_labels(uint64_t seed, int classes, int32_t *labels, int64_t count);

#endif
