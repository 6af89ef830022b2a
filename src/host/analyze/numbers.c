/* numbers.c: products of matrices; see numbers.h. */
#include "numbers.h"

#include "lapack.h"

/* Row-major C is column-major C^T = op(B)^T op(A)^T. */
void rs__dual_multiply(const rs__product *p)
{
    const int m = (int)p->m, n = (int)p->n, k = (int)p->k;
    const int lda = p->transpose_a ? m : k, ldb = p->transpose_b ? k : n;
    const rs__number one = 1.0, beta = p->add ? 1.0 : 0.0;
    if (m > 0 && n > 0) {
        zgemm_(p->transpose_b ? "T" : "N", p->transpose_a ? "T" : "N", &n, &m, &k, &one, p->b, &ldb, p->a,
               &lda, &beta, p->c, &n);
    }
}
