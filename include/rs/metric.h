/* rs/metric.h: distances between two states of a weight tensor.
 *
 * d = u - v elementwise, u the state after, v the reference state, both as stored in float32, accumulated in
 * double.
 *
 *   minkowski:p   (sum |d|^p)^(1/p); manhattan = minkowski:1, euclidean = minkowski:2
 *   chebyshev     max |d|
 *   cosine        1 - u.v / (|u| |v|)
 *   correlation   cosine of u - mean(u), v - mean(v)
 *
 * cosine and correlation are 0 for a tensor that has not moved and when either state has no length, never NaN
 * for finite weights. They are computed from sums over d, so that small movements keep their digits:
 *   1 - cos = (|d|^2 - (|u| - |v|)^2) / (2 |u| |v|),   |u| - |v| = (2 d.v + |d|^2) / (|u| + |v|)
 * A block's distance is the sum of its tensors' distances. */
#ifndef RS_METRIC_H
#define RS_METRIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rs/status.h"

#ifdef __cplusplus /* CUDA code asks for rs_metric_list_needs */
extern "C" {
#endif

#define RS_MAX_METRICS 8

typedef enum rs_metric_kind {
    RS_METRIC_MINKOWSKI,
    RS_METRIC_EUCLIDEAN,
    RS_METRIC_MANHATTAN,
    RS_METRIC_CHEBYSHEV,
    RS_METRIC_COSINE,
    RS_METRIC_CORRELATION
} rs_metric_kind;

typedef struct rs_metric {
    rs_metric_kind kind;
    double p;      /* of minkowski, >= 1 */
    char name[24]; /* canonical: "minkowski:1", "minkowski:2.5", "cosine": the data set's name in a record */
} rs_metric;

typedef struct rs_metric_list {
    int count;
    rs_metric metric[RS_MAX_METRICS];
} rs_metric_list;

/* What a backend sums for one tensor against one reference state. `power[i]` belongs to metric i of the list
 * and is summed only for a minkowski whose p is neither 1 nor 2 (which use `abs` and `dd`). */
typedef struct rs_difference_sums {
    double d, v, dd, dv, vv; /* sums of d, v, d*d, d*v, v*v */
    double abs, max;         /* sum of |d|, max of |d| (NaN if any d is NaN) */
    double power[RS_MAX_METRICS];
} rs_difference_sums;

/* Which sums a list needs, so that a kernel leaves the rest out. */
typedef struct rs_metric_needs {
    bool products;              /* dv, vv, d, v: cosine or correlation */
    bool power[RS_MAX_METRICS]; /* general minkowski at that place of the list */
    bool any_power;
} rs_metric_needs;

/* "minkowski:1,cosine" -> list. USAGE with the nearest name for an unknown or repeated metric. */
rs_status rs_metric_list_parse(const char *text, rs_metric_list *list, rs_error *error);
rs_metric_needs rs_metric_list_needs(const rs_metric_list *list);

/* Adds the sums of `count` elements, one after the other, to *sums (the reference summation, in index order).
 */
void rs_difference_add(const rs_metric_list *list, const float *after, const float *before, size_t count,
                       rs_difference_sums *sums);
/* *total += *part; max joins by maximum (NaN stays). */
void rs_difference_join(rs_difference_sums *total, const rs_difference_sums *part);

/* The distance of metric `index` of the list from the sums over a tensor of `count` elements. */
double rs_metric_finish(const rs_metric_list *list, int index, const rs_difference_sums *sums, int64_t count);

#ifdef __cplusplus
}
#endif

#endif
