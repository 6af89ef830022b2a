/* loss.cu: launches of loss.cuh. */
#include "launch.cuh"
#include "loss.cuh"

/* --- scores -------------------------------------------------------------------------------------------- */

static bool scores_good(const rs_cu_scores *s)
{
    return s && rs_cu_good(s->x) && s->labels && s->classes >= 1 &&
           rs_cu_grid_fits(rs_cu_divide_up(s->count, RS_CU_WARPS));
}

cudaError_t rs_cu_cross_entropy(const rs_cu_scores *s, cudaStream_t stream)
{
    if (!scores_good(s) || !s->losses || !s->hits) {
        return cudaErrorInvalidValue;
    }
    return RS_CU_LAUNCH(rs_cu_k_cross_entropy, rs_cu_divide_up(s->count, RS_CU_WARPS), stream, *s);
}

cudaError_t rs_cu_cross_entropy_backward(const rs_cu_scores *s, cudaStream_t stream)
{
    if (s && s->pass == RS_PASS_NONE) {
        return cudaSuccess;
    }
    if (!scores_good(s) || !rs_cu_good(s->dx) || !(s->divisor > 0.0)) {
        return cudaErrorInvalidValue;
    }
    return RS_CU_LAUNCH(rs_cu_k_cross_entropy_backward, rs_cu_divide_up(s->count, RS_CU_WARPS), stream, *s);
}

static bool out_good(const rs_cu_loss_out *out, double divisor)
{
    return out && (out->loss || out->layer) && divisor > 0.0;
}

cudaError_t rs_cu_loss_sum(const double *losses, const uint8_t *hits, int64_t count, double divisor,
                           const rs_cu_loss_out *out, cudaStream_t stream)
{
    if (!losses || !hits || count < 1 || !out_good(out, divisor)) {
        return cudaErrorInvalidValue;
    }
    return RS_CU_LAUNCH(rs_cu_k_loss_sum, 1, stream, losses, hits, count, divisor, *out);
}

/* --- squared error ------------------------------------------------------------------------------------- */

static bool squared_good(const rs_cu_squared *s)
{
    return s && rs_cu_good(s->x) && rs_cu_good(s->target) && s->count >= 1 && s->divisor > 0.0;
}

size_t rs_cu_squared_partial_bytes(int64_t count)
{
    return count < 1 ? 0 : sizeof(double) * (size_t)rs_cu_cut_flat(count).pieces;
}

cudaError_t rs_cu_squared_error(const rs_cu_squared *s, const rs_cu_loss_out *out, cudaStream_t stream)
{
    if (!squared_good(s) || !out_good(out, s->divisor) || !rs_cu_good(s->partial)) {
        return cudaErrorInvalidValue;
    }
    const rs_cu_flat cut = rs_cu_cut_flat(s->count);
    RS_CU_TRY(RS_CU_LAUNCH(rs_cu_k_squared_sums, cut.pieces, stream, cut, s->x, s->target, s->partial));
    return RS_CU_LAUNCH(rs_cu_k_squared_finish, 1, stream, cut, s->partial, s->divisor, *out);
}

cudaError_t rs_cu_squared_backward(const rs_cu_squared *s, cudaStream_t stream)
{
    if (s && s->pass == RS_PASS_NONE) {
        return cudaSuccess;
    }
    const int64_t blocks = s ? rs_cu_divide_up(s->count, 4 * RS_CU_THREADS) : 0;
    if (!squared_good(s) || !rs_cu_good(s->dx) || !rs_cu_grid_fits(blocks)) {
        return cudaErrorInvalidValue;
    }
    return RS_CU_LAUNCH(rs_cu_k_squared_backward, blocks, stream, *s);
}

/* --- norms of samples ---------------------------------------------------------------------------------- */

cudaError_t rs_cu_sample_squares(const float *dx, int64_t samples, int64_t sample_floats, double *squares,
                                 cudaStream_t stream)
{
    const int64_t blocks = rs_cu_divide_up(samples, RS_CU_WARPS);
    if (!rs_cu_good(dx) || !squares || samples < 1 || sample_floats < 1 || !rs_cu_grid_fits(blocks)) {
        return cudaErrorInvalidValue;
    }
    return sample_floats % 4 == 0
               ? RS_CU_LAUNCH(rs_cu_k_sample_squares_4, blocks, stream, dx, samples, sample_floats, squares)
               : RS_CU_LAUNCH(rs_cu_k_sample_squares_1, blocks, stream, dx, samples, sample_floats, squares);
}
