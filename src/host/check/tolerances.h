/* tolerances.h: how far results may lie from the reference in double, and why.
 *
 * Errors are relative L2 norms (and the largest difference over the largest value, within ten times as much). Float
 * rounds to 6e-8; a sum of k products in float drifts by some sqrt(k) * 6e-8, in blocks less; a chain of operators
 * adds up, and batch norm magnifies what it divides by a small deviation. */
#ifndef RS_CHECK_TOLERANCES_H
#define RS_CHECK_TOLERANCES_H

/* Central differences in double: rounding of the objective over the step. */
#define RS_TOLERANCE_DIFFERENCES 1e-6
/* ref in float: double sums, every stored tensor rounded once. */
#define RS_TOLERANCE_REF_F32 2e-6
/* Float sums of up to 4608 products. */
#define RS_TOLERANCE_DIRECT 1e-5
/* Winograd F(4x4, 3x3) transforms with factors up to 8, which cost a digit. */
#define RS_TOLERANCE_WINOGRAD 3e-5

/* Six steps of an update rule in float against double. */
#define RS_TOLERANCE_UPDATE 1e-5
/* The same rule in float with a clipping norm whose sum ran in another order. */
#define RS_TOLERANCE_UPDATE_CLIPPED 1e-6
/* Distances and gradient statistics, summed in double; statistics are stored as float. */
#define RS_TOLERANCE_MEASURES 1e-6

/* The least distance from a kink (ReLU at 0, two equal values in a pooling window) for which float and double take
 * the same side: some times the error of Winograd on values around 1. */
#define RS_KINK_MARGIN 1e-4

#endif
