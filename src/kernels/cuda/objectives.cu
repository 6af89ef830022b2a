/* objectives.cu: launches of objectives.cuh. */
#include "launch.cuh"
#include "objectives.cuh"

enum { UNIT = 4 * RS_CU_THREADS };

size_t rs_cu_distance_partial_bytes(int64_t count)
{
    return count < 1 ? 0 : 2 * sizeof(double) * (size_t)rs_cu_cut_flat(count).pieces;
}

cudaError_t rs_cu_distance_measure(const float *y, int64_t count, double target, double *partial,
                                   rs_layer_value *value, cudaStream_t stream)
{
    if (!rs_cu_good(y) || !rs_cu_good(partial) || !value || count < 1) {
        return cudaErrorInvalidValue;
    }
    const rs_cu_flat cut = rs_cu_cut_flat(count);
    RS_CU_TRY(RS_CU_LAUNCH(rs_cu_k_distance_sums, cut.pieces, stream, cut, y, target, partial));
    return RS_CU_LAUNCH(rs_cu_k_distance_finish, 1, stream, cut, partial, value);
}

cudaError_t rs_cu_distance_backward(const float *y, float *dy, double target, double factor, rs_pass pass,
                                    int64_t count, cudaStream_t stream)
{
    const int64_t blocks = rs_cu_divide_up(count, UNIT);
    if (pass == RS_PASS_NONE) {
        return cudaSuccess;
    }
    if (!rs_cu_good(y) || !rs_cu_good(dy) || count < 1 || !rs_cu_grid_fits(blocks)) {
        return cudaErrorInvalidValue;
    }
    return RS_CU_LAUNCH(rs_cu_k_distance_backward, blocks, stream, y, dy, (float)target, (float)factor, pass,
                        count);
}
