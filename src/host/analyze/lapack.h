/* lapack.h: the routines of BLAS and LAPACK that are used here, as Fortran has them: column-major, everything by address.
 * OpenBLAS holds both; its package has no header for LAPACK. */
#ifndef RS_ANALYZE_LAPACK_H
#define RS_ANALYZE_LAPACK_H

#include "numbers.h"

void zgemm_(const char *trans_a, const char *trans_b, const int *m, const int *n, const int *k,
            const rs__number *alpha, const rs__number *a, const int *lda, const rs__number *b, const int *ldb,
            const rs__number *beta, rs__number *c, const int *ldc);
void dsyrk_(const char *uplo, const char *trans, const int *n, const int *k, const double *alpha,
            const double *a, const int *lda, const double *beta, double *c, const int *ldc);
void dsyevd_(const char *jobz, const char *uplo, const int *n, double *a, const int *lda, double *w,
             double *work, const int *lwork, int *iwork, const int *liwork, int *info);
void dstev_(const char *jobz, const int *n, double *d, double *e, double *z, const int *ldz, double *work,
            int *info);

#endif
