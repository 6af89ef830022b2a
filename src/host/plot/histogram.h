/* histogram.h: how numbers spread: ranges, shares of bins, and a scale for numbers of both signs over many magnitudes. A number
 * that is not finite counts nowhere. */
#ifndef RS_PLOT_HISTOGRAM_H
#define RS_PLOT_HISTOGRAM_H

#include <stdint.h>

/* Widens low .. high to the finite values; NaN in both: nothing was seen yet. */
void rs__range_add(const float *values, int64_t count, double *low, double *high);

/* Adds to counts[bins], even bins from low to high; the highest value counts in the last. What lies outside is not
 * counted. Returns how many values were finite, also those outside. low < high. */
int64_t rs__histogram_add(const float *values, int64_t count, double low, double high, int64_t bins,
                          int64_t *counts);

/* sign(x) log10(1 + |x| / unit): nearly even below `unit`, logarithmic far above; odd, and it grows with x. */
double rs__signed_log(double x, double unit);
double rs__signed_log_inverse(double y, double unit);

#endif
