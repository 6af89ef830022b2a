/* hessian.h: the second derivatives of a loss by some of its weights: all of them, or the ends of their spectrum. */
#ifndef RS_ANALYZE_HESSIAN_H
#define RS_ANALYZE_HESSIAN_H

#include "curvature.h"
#include "eigen.h"

/* Which weights, and where they stand. */
typedef struct rs__hessian_place {
    rs__curvature *curvature;
    const double *weights; /* [rs__curvature_size] */
    int64_t count;         /* of the weights taken */
    const int64_t *taken;  /* [count] their indices, ascending */
} rs__hessian_place;

/* All of it. */
typedef struct rs__hessian {
    int64_t count;
    double *matrix;      /* [count, count] symmetric: the mean of both halves */
    double *diagonal;    /* [count] */
    double *eigenvalues; /* [count] ascending, by dsyevd */
    double asymmetry;    /* largest difference between the halves over the largest entry */
    int64_t positive, negative,
        zero;                     /* of the diagonal; zero: exactly, as of a unit that no sample reaches */
    int64_t positive_eigenvalues; /* above count * 2^-52 * the largest absolute eigenvalue */
} rs__hessian;

/* Calls told(context, rows done) on the way where it is not NULL. Release with rs__hessian_release. MEMORY, FAILED. */
rs_status rs__hessian_exact(const rs__hessian_place *place, void (*told)(void *context, int64_t done),
                            void *context, rs__hessian *hessian, rs_error *error);
void rs__hessian_release(rs__hessian *hessian); /* takes a zeroed one */

/* Lanczos over it: fills l->n, apply and context, and runs it. */
rs_status rs__hessian_ends(const rs__hessian_place *place, rs__lanczos *l, rs_error *error);

#endif
