/* loss.cu: launches of loss.cuh. */
#include "launch.cuh"
#include "loss.cuh"

cudaError_t rs_cu_cross_entropy(const float *x, const int32_t *labels, int64_t count, int classes, float *dx,
                                double *losses, uint8_t *hits, rs_cu_loss *loss, cudaStream_t stream)
{
    const int64_t blocks = rs_cu_divide_up(count, RS_CU_SAMPLES);
    if (!rs_cu_good(x) || !labels || !rs_cu_good_or_none(dx) || !losses || !hits || !loss || classes < 1 ||
        !rs_cu_grid_fits(blocks)) {
        return cudaErrorInvalidValue;
    }
    const rs_cu_scores scores = {x, labels, count, classes, dx, losses, hits};
    RS_CU_TRY(RS_CU_LAUNCH(rs_cu_k_cross_entropy, blocks, stream, scores));
    return RS_CU_LAUNCH(rs_cu_k_loss_sum, 1, stream, losses, hits, count, loss);
}
