/* histogram.c: see histogram.h. */
#include "histogram.h"

#include <math.h>

void rs__range_add(const float *values, int64_t count, double *low, double *high)
{
    for (int64_t i = 0; i < count; i++) {
        const double value = (double)values[i];
        if (isfinite(value)) {
            *low = value >= *low ? *low : value; /* also where it is NaN */
            *high = value <= *high ? *high : value;
        }
    }
}

int64_t rs__histogram_add(const float *values, int64_t count, double low, double high, int64_t bins,
                          int64_t *counts)
{
    int64_t finite = 0;
    for (int64_t i = 0; i < count; i++) {
        const double value = (double)values[i];
        if (!isfinite(value)) {
            continue;
        }
        finite++;
        if (value >= low && value <= high) {
            const int64_t bin = (int64_t)((value - low) / (high - low) * (double)bins);
            counts[bin < bins ? bin : bins - 1]++;
        }
    }
    return finite;
}

double rs__signed_log(double x, double unit)
{
    return copysign(log10(1.0 + fabs(x) / unit), x);
}

double rs__signed_log_inverse(double y, double unit)
{
    return copysign((pow(10.0, fabs(y)) - 1.0) * unit, y);
}
