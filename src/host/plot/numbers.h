/* numbers.h: what is done to series before they are drawn. Nothing here knows a figure. A number that is not finite is a
 * gap: it is left out of means and stays a gap. */
#ifndef RS_PLOT_NUMBERS_H
#define RS_PLOT_NUMBERS_H

#include <stdbool.h>
#include <stdint.h>

#include "rs/status.h"

/* Means over `window` neighbours, in place: of an even window one more lies before than behind; at the ends those that there
 * are. A gap stays one. window 0, 1: nothing. */
rs_status rs__smooth(double *values, int64_t count, int64_t window, rs_error *error);
/* Replaces what lies further from the mean than `deviations` standard deviations (population) by the mean; 0: nothing. */
void rs__replace_outliers(double *values, int64_t count, double deviations);

/* Mean - std, mean, mean + std of several series at each place, as rs_spread_of_finite has them. */
typedef struct rs__band {
    double *low, *mean, *high; /* [count] */
} rs__band;
/* Series r of `runs` is values[r][0 .. lengths[r] - 1]. Of those that have a finite value there; where fewer than two have, low and
 * high are NaN. */
rs_status rs__band_of(const double *const *values, const int64_t *lengths, int runs, int64_t count,
                      const rs__band *band, rs_error *error);

/* Median of the finite ones (of an even number the mean of the middle two), NaN of none; sorts a copy. */
rs_status rs__median(const double *values, int64_t count, int64_t stride, double *median, rs_error *error);

/* Thins a line to what can be seen in `columns` columns of the range low .. high of x: of each column the first, the lowest,
 * the highest and the last point, and a gap where it has one. Returns how many are left, their indices in kept
 * [up to `count`], ascending. With log, columns are even on a logarithmic axis. x must not decrease. */
int64_t rs__thin(const double *x, const double *y, int64_t count, double low, double high, bool log,
                 int64_t columns, int64_t *kept);
/* The column of x, from 0; -1 where it is not finite (or, with log, not above 0). */
int64_t rs__column_of(double x, double low, double high, bool log, int64_t columns);

#endif
