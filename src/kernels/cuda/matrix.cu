/* matrix.cu: launch of matrix.cuh. */
#include "launch.cuh"
#include "matrix.cuh"

/* From one index to the next: at least one position, and inside the matrix. */
static bool steps_good(int64_t step, int64_t other, int64_t rows, int64_t columns)
{
    return step >= 1 && other >= 1 && (rows - 1) * step + (columns - 1) * other == rows * columns - 1;
}

cudaError_t rs_cu_matrix_product(const rs_cu_matrix *m, cudaStream_t stream)
{
    if (m && m->pass == RS_PASS_NONE) {
        return cudaSuccess;
    }
    if (!m || !rs_cu_good(m->a) || !rs_cu_good(m->b) || !rs_cu_good(m->y) || m->samples < 1 || m->rows < 1 ||
        m->columns < 1 || m->depth < 1 || m->channels < 1 ||
        !steps_good(m->a_row, m->a_depth, m->rows, m->depth) ||
        !steps_good(m->b_depth, m->b_column, m->depth, m->columns)) {
        return cudaErrorInvalidValue;
    }
    const bool wide = m->channels % 4 == 0;
    const int64_t elements = m->samples * m->rows * m->columns * m->channels,
                  blocks = rs_cu_divide_up(wide ? elements / 4 : elements, RS_CU_THREADS);
    if (!rs_cu_grid_fits(blocks)) {
        return cudaErrorInvalidValue;
    }
    return wide ? RS_CU_LAUNCH(rs_cu_k_matrix_product_4, blocks, stream, *m)
                : RS_CU_LAUNCH(rs_cu_k_matrix_product_1, blocks, stream, *m);
}
