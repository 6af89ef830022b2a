/* matrix.cuh: products of matrices whose elements are vectors of channels; launch in matrix.cu.
 *
 * A thread makes one element of y, or four neighbouring channels of it; what its neighbours read, too, lies in caches. Runs
 * of RS_CU_RUN products are summed in float, these in double. */
#ifndef RS_KERNELS_CUDA_MATRIX_CUH
#define RS_KERNELS_CUDA_MATRIX_CUH

#include "device.cuh"

/* Element (row, column) of sample n, W channels from `channel` on. */
template <int W>
RS_CU_INLINE rs_cu_lanes<W> rs_cu_matrix_element(const rs_cu_matrix &m, int64_t n, int64_t row,
                                                 int64_t column, int channel)
{
    const float *a = m.a + (n * m.rows * m.depth + row * m.a_row) * m.channels + channel,
                *b = m.b + (n * m.depth * m.columns + column * m.b_column) * m.channels + channel;
    double sums[W] = {};
    for (int64_t first = 0; first < m.depth; first += RS_CU_RUN) {
        const int64_t end = first + RS_CU_RUN, last = end < m.depth ? end : m.depth;
        rs_cu_lanes<W> run = rs_cu_zeros<W>();
        for (int64_t k = first; k < last; k++) {
            const rs_cu_lanes<W> left = rs_cu_load<W>(a + k * m.a_depth * m.channels),
                                 right = rs_cu_load<W>(b + k * m.b_depth * m.channels);
            RS_CU_UNROLL
            for (int e = 0; e < W; e++) {
                run.v[e] = fmaf(left.v[e], right.v[e], run.v[e]);
            }
        }
        RS_CU_UNROLL
        for (int e = 0; e < W; e++) {
            sums[e] += (double)run.v[e];
        }
    }
    rs_cu_lanes<W> y;
    RS_CU_UNROLL
    for (int e = 0; e < W; e++) {
        y.v[e] = (float)sums[e];
    }
    return y;
}

template <int W> RS_CU_INLINE void rs_cu_matrix_product_of(const rs_cu_matrix &m)
{
    const int64_t thread = (int64_t)blockIdx.x * RS_CU_THREADS + (int64_t)threadIdx.x;
    const int wide = m.channels / W;
    const int64_t place = thread / wide, row = place / m.columns, n = row / m.rows;
    if (n >= m.samples) {
        return;
    }
    const int channel = (int)(thread - place * wide) * W;
    rs_cu_put<W>(m.y + place * m.channels + channel,
                 rs_cu_matrix_element<W>(m, n, row - n * m.rows, place - row * m.columns, channel), m.pass);
}

RS_CU_GLOBAL rs_cu_k_matrix_product_4(rs_cu_matrix m)
{
    rs_cu_matrix_product_of<4>(m);
}

RS_CU_GLOBAL rs_cu_k_matrix_product_1(rs_cu_matrix m)
{
    rs_cu_matrix_product_of<1>(m);
}

#endif
