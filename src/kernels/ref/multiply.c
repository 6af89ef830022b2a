/* multiply.c: the matrix product in double behind the convolution; see operators.h.
 *
 * Every element of c is summed over k in ascending order, multiply then add, whatever the tiles and the width
 * of the machine's vectors: the clones differ in speed only. */
#include "operators.h"

enum { TILE_ROWS = 8, TILE_COLUMNS = 256 };

static inline int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
__attribute__((target_clones("avx512f", "avx2", "default")))
#endif
static void
add_scaled_row(double *restrict sum, const double *restrict row, double factor, int64_t count)
{
    for (int64_t j = 0; j < count; j++) {
        sum[j] += factor * row[j];
    }
}

void ref_multiply_add(const ref_product *p)
{
    for (int64_t j = 0; j < p->columns; j += TILE_COLUMNS) {
        int64_t width = least(TILE_COLUMNS, p->columns - j);
        for (int64_t i0 = 0; i0 < p->rows; i0 += TILE_ROWS) {
            int64_t i1 = least(i0 + TILE_ROWS, p->rows);
            for (int64_t k = 0; k < p->depth; k++) {
                for (int64_t i = i0; i < i1; i++) {
                    add_scaled_row(p->c + i * p->c_stride + j, p->b + k * p->b_stride + j,
                                   p->a[i * p->a_row + k * p->a_column], width);
                }
            }
        }
    }
}
