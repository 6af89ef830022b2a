/* multiply.c: the matrix product in double behind the convolution; see operators.h.
 *
 * Whole tiles of c stay in registers while k runs; what is left at the edges goes element by element. Either
 * way an element is summed over k in ascending order, one multiply and one add at a time, so that tiles,
 * clones and the width of the machine's vectors differ in speed only. */
#include <string.h>

#include "operators.h"

enum { TILE_ROWS = 4, LANES = 8, VECTORS = 2, TILE_COLUMNS = LANES * VECTORS };

typedef double lanes __attribute__((vector_size(LANES * sizeof(double))));

#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define FOR_EACH_MACHINE __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define FOR_EACH_MACHINE
#endif

/* The tile of c at row i, column j. */
FOR_EACH_MACHINE static void multiply_tile(const ref_product *p, int64_t i, int64_t j)
{
    lanes sum[TILE_ROWS][VECTORS], row[VECTORS];
    for (int r = 0; r < TILE_ROWS; r++) {
        memcpy(sum[r], p->c + (i + r) * p->c_stride + j, sizeof sum[r]);
    }
    const double *a = p->a + i * p->a_row, *b = p->b + j;
    for (int64_t k = 0; k < p->depth; k++) {
        memcpy(row, b + k * p->b_stride, sizeof row);
        for (int r = 0; r < TILE_ROWS; r++) {
            double factor = a[r * p->a_row + k * p->a_column];
            for (int v = 0; v < VECTORS; v++) {
                sum[r][v] += factor * row[v];
            }
        }
    }
    for (int r = 0; r < TILE_ROWS; r++) {
        memcpy(p->c + (i + r) * p->c_stride + j, sum[r], sizeof sum[r]);
    }
}

/* Rows i0 .. i1 - 1, columns j0 .. j1 - 1 of c, plainly. */
static void multiply_edge(const ref_product *p, int64_t i0, int64_t i1, int64_t j0, int64_t j1)
{
    for (int64_t i = i0; i < i1; i++) {
        for (int64_t j = j0; j < j1; j++) {
            double sum = p->c[i * p->c_stride + j];
            for (int64_t k = 0; k < p->depth; k++) {
                sum += p->a[i * p->a_row + k * p->a_column] * p->b[k * p->b_stride + j];
            }
            p->c[i * p->c_stride + j] = sum;
        }
    }
}

void ref_multiply_add(const ref_product *p)
{
    int64_t rows = p->rows / TILE_ROWS * TILE_ROWS, columns = p->columns / TILE_COLUMNS * TILE_COLUMNS;
    for (int64_t j = 0; j < columns; j += TILE_COLUMNS) {
        for (int64_t i = 0; i < rows; i += TILE_ROWS) {
            multiply_tile(p, i, j);
        }
    }
    multiply_edge(p, 0, p->rows, columns, p->columns);
    multiply_edge(p, rows, p->rows, 0, columns);
}
