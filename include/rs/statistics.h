/* rs/statistics.h: mean and spread of several numbers: of runs, or of steps. */
#ifndef RS_STATISTICS_H
#define RS_STATISTICS_H

#include <stdint.h>

typedef struct rs_spread {
    int64_t n;        /* that are no NaN */
    double mean, std; /* of those; NaN of none. std: of a sample, n - 1; NaN of one */
    double min, max;  /* NaN of none */
} rs_spread;
rs_spread rs_spread_of(const double *values, int64_t count);
/* The same of values[0], values[stride], ... that are finite: in a figure infinity is a gap, too. */
rs_spread rs_spread_of_finite(const double *values, int64_t count, int64_t stride);

#endif
