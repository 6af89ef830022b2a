/* dropout.cu: launches of dropout.cuh. */
#include "dropout.cuh"
#include "launch.cuh"

cudaError_t rs_cu_dropout_launch(const rs_cu_dropout *dropout, cudaStream_t stream)
{
    if (dropout && dropout->pass == RS_PASS_NONE) {
        return cudaSuccess;
    }
    if (!dropout || !rs_cu_good(dropout->x) || !rs_cu_good(dropout->y) || !dropout->ids || !dropout->epoch ||
        dropout->samples < 1 || dropout->sample_floats < 1 || dropout->sample_floats > (int64_t)1 << 34) {
        return cudaErrorInvalidValue;
    }
    rs_cu_dropout_cut cut;
    cut.sample_draws = rs_cu_divide_up(dropout->sample_floats, 4);
    cut.draws = dropout->samples * cut.sample_draws;
    cut.scale = (float)dropout->rule.scale;
    const int64_t blocks = rs_cu_divide_up(cut.draws, RS_CU_THREADS);
    if (!rs_cu_grid_fits(blocks)) {
        return cudaErrorInvalidValue;
    }
    if (dropout->sample_floats % 4 == 0) {
        return RS_CU_LAUNCH(rs_cu_k_dropout_4, blocks, stream, *dropout, cut);
    }
    return RS_CU_LAUNCH(rs_cu_k_dropout_1, blocks, stream, *dropout, cut);
}
