/* numbers.c: see numbers.h. */
#include "numbers.h"

#include <math.h>
#include <stdlib.h>

#include "rs/host.h"
#include "rs/statistics.h"

rs_status rs__smooth(double *values, int64_t count, int64_t window, rs_error *error)
{
    if (window <= 1 || count == 0) {
        return RS_OK;
    }
    double *sums = rs_alloc_array((size_t)count + 1, sizeof *sums);
    int64_t *finite = rs_alloc_array((size_t)count + 1, sizeof *finite);
    if (!sums || !finite) {
        rs_free(sums);
        rs_free(finite);
        return RS_FAIL(error, RS_MEMORY, "no memory to smooth %lld numbers", (long long)count);
    }
    /* Sums about the first finite value keep their digits. */
    double origin = 0.0;
    for (int64_t i = 0; i < count; i++) {
        if (isfinite(values[i])) {
            origin = values[i];
            break;
        }
    }
    for (int64_t i = 0; i < count; i++) {
        const bool counts = isfinite(values[i]);
        sums[i + 1] = sums[i] + (counts ? values[i] - origin : 0.0);
        finite[i + 1] = finite[i] + counts;
    }
    for (int64_t i = 0; i < count; i++) {
        const int64_t from = i - window / 2 > 0 ? i - window / 2 : 0;
        const int64_t behind = i - window / 2 + window;
        const int64_t to = behind < count ? behind : count;
        if (isfinite(values[i])) {
            values[i] = origin + (sums[to] - sums[from]) / (double)(finite[to] - finite[from]);
        }
    }
    rs_free(sums);
    rs_free(finite);
    return RS_OK;
}

void rs__replace_outliers(double *values, int64_t count, double deviations)
{
    const rs_spread m = rs_spread_of_finite(values, count, 1);
    if (deviations <= 0.0 || m.n < 2) {
        return;
    }
    const double limit = deviations * m.std * sqrt((double)(m.n - 1) / (double)m.n);
    for (int64_t i = 0; i < count; i++) {
        if (isfinite(values[i]) && fabs(values[i] - m.mean) > limit) {
            values[i] = m.mean;
        }
    }
}

rs_status rs__band_of(const double *const *values, const int64_t *lengths, int runs, int64_t count,
                      const rs__band *band, rs_error *error)
{
    double *place = rs_alloc_array((size_t)runs + 1, sizeof *place);
    if (!place) {
        return RS_FAIL(error, RS_MEMORY, "no memory for %d runs", runs);
    }
    for (int64_t i = 0; i < count; i++) {
        int64_t n = 0;
        for (int r = 0; r < runs; r++) {
            if (i < lengths[r]) {
                place[n++] = values[r][i];
            }
        }
        const rs_spread s = rs_spread_of_finite(place, n, 1);
        band->mean[i] = s.mean;
        band->low[i] = s.mean - s.std;
        band->high[i] = s.mean + s.std;
    }
    rs_free(place);
    return RS_OK;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

rs_status rs__median(const double *values, int64_t count, int64_t stride, double *median, rs_error *error)
{
    double *sorted = rs_alloc_array((size_t)count + 1, sizeof *sorted);
    int64_t n = 0;
    if (!sorted) {
        return RS_FAIL(error, RS_MEMORY, "no memory to sort %lld numbers", (long long)count);
    }
    for (int64_t i = 0; i < count; i++) {
        if (isfinite(values[i * stride])) {
            sorted[n++] = values[i * stride];
        }
    }
    qsort(sorted, (size_t)n, sizeof *sorted, by_value);
    *median = n > 0 ? (sorted[(n - 1) / 2] + sorted[n / 2]) / 2.0 : NAN;
    rs_free(sorted);
    return RS_OK;
}

/* --- thinning ------------------------------------------------------------------------------------------------- */

int64_t rs__column_of(double x, double low, double high, bool log, int64_t columns)
{
    if (!isfinite(x) || (log && x <= 0.0)) {
        return -1;
    }
    const double part = log ? (log10(x) - log10(low)) / (log10(high) - log10(low)) : (x - low) / (high - low);
    const double column = floor(part * (double)columns);
    return column <= 0.0 ? 0 : column >= (double)columns ? columns - 1 : (int64_t)column;
}

/* What is kept of points first .. end - 1, which fall into one column. */
static int64_t keep_column(const double *y, int64_t first, int64_t end, int64_t *kept)
{
    int64_t lowest = -1, highest = -1, gap = -1, left = 0;
    for (int64_t i = first; i < end; i++) {
        if (!isfinite(y[i])) {
            gap = i;
        } else {
            lowest = lowest < 0 || y[i] < y[lowest] ? i : lowest;
            highest = highest < 0 || y[i] > y[highest] ? i : highest;
        }
    }
    for (int64_t i = first; i < end; i++) {
        if (i == first || i == lowest || i == highest || i == gap || i == end - 1) {
            kept[left++] = i;
        }
    }
    return left;
}

int64_t rs__thin(const double *x, const double *y, int64_t count, double low, double high, bool log,
                 int64_t columns, int64_t *kept)
{
    int64_t left = 0;
    for (int64_t first = 0; first < count;) {
        const int64_t column = rs__column_of(x[first], low, high, log, columns);
        int64_t end = first + 1;
        while (end < count && rs__column_of(x[end], low, high, log, columns) == column) {
            end++;
        }
        left += keep_column(y, first, end, kept + left);
        first = end;
    }
    return left;
}
