/* rs/statistics.h: one number of several runs. */
#ifndef RS_STATISTICS_H
#define RS_STATISTICS_H

#include <stdint.h>

typedef struct rs_spread {
    int64_t n;        /* that are no NaN */
    double mean, std; /* of those; NaN of none. std: of a sample, n - 1; NaN of one */
    double min, max;  /* NaN of none */
} rs_spread;
rs_spread rs_spread_of(const double *values, int64_t count);

#endif
