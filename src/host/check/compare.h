/* compare.h: comparing arrays, so that a NaN, a sign or a shift by one can't pass. */
#ifndef RS_CHECK_COMPARE_H
#define RS_CHECK_COMPARE_H

#include <stdbool.h>
#include <stdint.h>

/* |got - want| measured two ways; both are NaN when any element of either array is NaN or infinite. */
typedef struct rs_comparison {
    double
        relative; /* L2 norm of the difference over the L2 norm of want; the plain norm where want is all 0 */
    double largest; /* largest |difference| over the largest |want|; plain where want is all 0 */
    int64_t worst; /* index of the largest difference, or of the first element that is not finite; -1: none */
    double got, want; /* there */
} rs_comparison;

rs_comparison rs_compare(const double *got, const double *want, int64_t count);

/* relative <= tolerance and largest <= 10 tolerance; with tolerance 0 all elements are equal. False on NaN. */
bool rs_comparison_within(const rs_comparison *comparison, double tolerance);

/* The number held against the tolerance: the larger of relative and largest / 10. */
double rs_comparison_error(const rs_comparison *comparison);

/* Distance of two floats in representable numbers (0: equal; +0 and -0 are equal); INT64_MAX when one is NaN. */
int64_t rs_ulps(float a, float b);

#endif
