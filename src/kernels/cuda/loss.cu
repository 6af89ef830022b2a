/* loss.cu: launches of loss.cuh. */
#include "launch.cuh"
#include "loss.cuh"

cudaError_t rs_cu_cross_entropy(const rs_cu_scores *s, cudaStream_t stream)
{
    if (!s || !rs_cu_good(s->x) || !s->labels || !rs_cu_good_or_none(s->dx) || !s->losses || !s->hits ||
        !s->loss || s->classes < 1 || !rs_cu_grid_fits(rs_cu_divide_up(s->count, RS_CU_SAMPLES))) {
        return cudaErrorInvalidValue;
    }
    RS_CU_TRY(RS_CU_LAUNCH(rs_cu_k_cross_entropy, rs_cu_divide_up(s->count, RS_CU_SAMPLES), stream, *s));
    return RS_CU_LAUNCH(rs_cu_k_loss_sum, 1, stream, s->losses, s->hits, s->count, s->loss);
}
