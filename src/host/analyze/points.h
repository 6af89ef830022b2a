/* points.h: a list of numbers as text: "0..10/100,-0.5..1.5/41,2". */
#ifndef RS_ANALYZE_POINTS_H
#define RS_ANALYZE_POINTS_H

#include <stdint.h>

#include "rs/status.h"

/* Numbers, and ranges FROM..TO/COUNT of so many evenly spaced ones with both ends, with commas; as given, in order.
 * *values [*count] is the caller's (rs_free). USAGE with what is wrong. */
rs_status rs__points_parse(const char *text, double **values, int64_t *count, rs_error *error);

#endif
