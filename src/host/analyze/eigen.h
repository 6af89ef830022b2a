/* eigen.h: eigenvalues of symmetric matrices by LAPACK, and the ends of the spectrum of one that is only known by its
 * products, by Lanczos' method. */
#ifndef RS_ANALYZE_EIGEN_H
#define RS_ANALYZE_EIGEN_H

#include <stdbool.h>
#include <stdint.h>

#include "rs/status.h"

/* Eigenvalues of `matrix` [n, n], ascending, into values [n]. With vectors the matrix becomes them, row i that of
 * values[i]; without, its contents are lost. By dsyevd. FAILED when a value is not finite. */
rs_status rs__eigen(double *matrix, int64_t n, bool vectors, double *values, rs_error *error);

/* *product = matrix * direction, both [n]. */
typedef void (*rs__apply)(void *context, const double *direction, double *product);

typedef struct rs__lanczos {
    int64_t n;
    int iterations;   /* at most; <= n */
    int wanted;       /* values at each end */
    double tolerance; /* residual over the largest absolute value at which it ends early */
    uint64_t seed;    /* of the start */
    rs__apply apply;
    void *context;
    void (*tell)(void *listener, int steps); /* after every product; may be NULL */
    void *listener;
    /* Filled: */
    bool converged;             /* all residuals are within the tolerance, or the space is exhausted */
    int steps;                  /* products taken */
    int count;                  /* values at each end: wanted, or fewer where the space is smaller */
    double *smallest, *largest; /* [wanted] ascending from the end, descending from the end */
    double *smallest_residual, *largest_residual; /* [wanted] |H u - value u| of each */
} rs__lanczos;

/* Full reorthogonalisation, twice. An invariant subspace ends it early: its values are exact. MEMORY, FAILED. */
rs_status rs__lanczos_run(rs__lanczos *l, rs_error *error);

#endif
