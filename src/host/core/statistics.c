/* statistics.c: see rs/statistics.h. */
#include "rs/statistics.h"

#include <math.h>
#include <stdbool.h>

static bool is_left_out(double value, bool infinite)
{
    return infinite ? isnan(value) : !isfinite(value);
}

/* `infinite`: whether infinities count. */
static rs_spread spread_of(const double *values, int64_t count, int64_t stride, bool infinite)
{
    rs_spread s = {.min = NAN, .max = NAN};
    double sum = 0.0, squares = 0.0;
    for (int64_t i = 0; i < count; i++) {
        const double value = values[i * stride];
        if (!is_left_out(value, infinite)) {
            sum += value;
            s.min = s.n == 0 || value < s.min ? value : s.min;
            s.max = s.n == 0 || value > s.max ? value : s.max;
            s.n++;
        }
    }
    s.mean = s.n > 0 ? sum / (double)s.n : NAN;
    for (int64_t i = 0; i < count; i++) {
        const double value = values[i * stride];
        if (!is_left_out(value, infinite)) {
            squares += (value - s.mean) * (value - s.mean);
        }
    }
    s.std = s.n > 1 ? sqrt(squares / (double)(s.n - 1)) : NAN;
    return s;
}

rs_spread rs_spread_of(const double *values, int64_t count)
{
    return spread_of(values, count, 1, true);
}

rs_spread rs_spread_of_finite(const double *values, int64_t count, int64_t stride)
{
    return spread_of(values, count, stride, false);
}
