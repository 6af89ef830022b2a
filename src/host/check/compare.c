/* compare.c: see compare.h. */
#include "compare.h"

#include <math.h>
#include <string.h>

rs_comparison rs_compare(const double *got, const double *want, int64_t count)
{
    rs_comparison c = {.worst = -1};
    double squares = 0.0, scale_squares = 0.0, largest = 0.0, scale = 0.0;
    for (int64_t i = 0; i < count; i++) {
        double d = fabs(got[i] - want[i]);
        if (!isfinite(got[i]) || !isfinite(want[i])) {
            return (rs_comparison){
                .relative = NAN, .largest = NAN, .worst = i, .got = got[i], .want = want[i]};
        }
        if (d > largest) {
            largest = d;
            c.worst = i;
            c.got = got[i];
            c.want = want[i];
        }
        squares += d * d;
        scale_squares += want[i] * want[i];
        scale = fmax(scale, fabs(want[i]));
    }
    c.relative = scale > 0.0 ? sqrt(squares) / sqrt(scale_squares) : sqrt(squares);
    c.largest = scale > 0.0 ? largest / scale : largest;
    return c;
}

bool rs_comparison_within(const rs_comparison *comparison, double tolerance)
{
    return comparison->relative <= tolerance && comparison->largest <= 10.0 * tolerance;
}

double rs_comparison_error(const rs_comparison *comparison)
{
    double largest = comparison->largest / 10.0;
    return comparison->relative > largest || isnan(comparison->relative) ? comparison->relative : largest;
}

/* Maps the bits of a float to integers in the order of the numbers. */
static int64_t ordered(float value)
{
    int32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits < 0 ? (int64_t)INT32_MIN - bits : bits;
}

int64_t rs_ulps(float a, float b)
{
    if (isnan(a) || isnan(b)) {
        return INT64_MAX;
    }
    int64_t d = ordered(a) - ordered(b);
    return d < 0 ? -d : d;
}
