/* axes.h: from a chart's data to its ranges and ticks. */
#ifndef RS_PLOT_AXES_H
#define RS_PLOT_AXES_H

#include "chart.h"

/* Sets what is not set of every axis: low and high from the data, with a margin; one range where panels share it. Series
 * have no point that is drawn outside of it but those that the axis cannot show (0 and less of a logarithmic one). DATA when
 * no panel has anything that can be drawn. */
rs_status rs__axes_range(rs__chart *chart, rs_error *error);

/* Gives every axis ticks at round numbers, about `across` of x and `up` of y; axes with ticks keep theirs. */
rs_status rs__axes_tick(rs__chart *chart, int across, int up, rs_error *error);
/* The same for one axis: also of a colour bar. */
rs_status rs__axis_make_ticks(rs__axis *axis, int about, rs_error *error);

/* Ends the label of every logarithmic axis, and of such a colour bar, in RS__LOG_SIGN; where an axis with numbers has no label
 * it becomes one. */
#define RS__LOG_SIGN " (log)"
rs_status rs__axes_tell_log(rs__chart *chart, rs_error *error);

/* The axis of a colour bar, with its ticks; of few whole steps as many colours, each of length 1. The caller frees it (rs__axis_clear). */
rs_status rs__bar_axis(const rs__bar *bar, rs__axis *axis, bool *stepped, rs_error *error);

/* Whether a value can be shown on an axis. */
bool rs__axis_shows(const rs__axis *axis, double value);
/* Where it lies between low (0) and high (1). */
double rs__axis_part(const rs__axis *axis, double value);

#endif
