/* statistics.c: see rs/statistics.h. */
#include "rs/statistics.h"

#include <math.h>

rs_spread rs_spread_of(const double *values, int64_t count)
{
    rs_spread s = {.min = NAN, .max = NAN};
    double sum = 0.0, squares = 0.0;
    for (int64_t i = 0; i < count; i++) {
        if (!isnan(values[i])) {
            sum += values[i];
            s.min = s.n == 0 || values[i] < s.min ? values[i] : s.min;
            s.max = s.n == 0 || values[i] > s.max ? values[i] : s.max;
            s.n++;
        }
    }
    s.mean = s.n > 0 ? sum / (double)s.n : NAN;
    for (int64_t i = 0; i < count; i++) {
        if (!isnan(values[i])) {
            squares += (values[i] - s.mean) * (values[i] - s.mean);
        }
    }
    s.std = s.n > 1 ? sqrt(squares / (double)(s.n - 1)) : NAN;
    return s;
}
