/* compare.c: see rs/check.h. */
#include "rs/check.h"

#include <math.h>
#include <string.h>

/* Sums over the elements so far. */
typedef struct sums {
    double squares, want_squares; /* of the difference, of want */
    double largest, want_largest;
    rs_comparison worst;
} sums;

/* False at the first element that is not finite. */
static bool add(sums *s, int64_t i, double got, double want)
{
    double d = fabs(got - want);
    bool finite = isfinite(got) && isfinite(want);
    if (d > s->largest || !finite) {
        s->largest = d;
        s->worst = (rs_comparison){.relative = NAN, .largest = NAN, .worst = i, .got = got, .want = want};
    }
    s->squares += d * d;
    s->want_squares += want * want;
    s->want_largest = fmax(s->want_largest, fabs(want));
    return finite;
}

static rs_comparison finish(const sums *s)
{
    rs_comparison c = s->worst;
    bool scaled = s->want_largest > 0.0;
    c.relative = scaled ? sqrt(s->squares) / sqrt(s->want_squares) : sqrt(s->squares);
    c.largest = scaled ? s->largest / s->want_largest : s->largest;
    return c;
}

rs_comparison rs_compare(const double *got, const double *want, int64_t count)
{
    sums s = {.worst = {.worst = -1}};
    for (int64_t i = 0; i < count; i++) {
        if (!add(&s, i, got[i], want[i])) {
            return s.worst;
        }
    }
    return finish(&s);
}

rs_comparison rs_compare_floats(const float *got, const float *want, int64_t count)
{
    sums s = {.worst = {.worst = -1}};
    for (int64_t i = 0; i < count; i++) {
        if (!add(&s, i, (double)got[i], (double)want[i])) {
            return s.worst;
        }
    }
    return finish(&s);
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
