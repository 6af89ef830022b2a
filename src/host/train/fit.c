/* fit.c: how well numbers are predicted over a split: mean absolute error and R^2. Sums run in the order of the data set. */
#include <math.h>

#include "internal.h"

void rs__fit_add(rs__fit_sums *sums, const float *outputs, const float *targets, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        const double target = targets[i], error = (double)outputs[i] - target,
                     from_mean = target - sums->mean;
        sums->absolute += fabs(error);
        sums->squared += error * error;
        sums->count++;
        sums->mean += from_mean / (double)sums->count; /* Welford's update: no large sums cancel */
        sums->about_mean += from_mean * (target - sums->mean);
    }
}

rs_fit rs__fit_of(const rs__fit_sums *sums)
{
    const bool varies = sums->about_mean > 0.0;
    return (rs_fit){.mean_absolute_error =
                        sums->count > 0 ? sums->absolute / (double)sums->count : (double)NAN,
                    .r_squared = varies ? 1.0 - sums->squared / sums->about_mean : (double)NAN};
}
