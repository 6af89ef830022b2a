/* batch_norm.cu: launches of batch_norm.cuh. */
#include "batch_norm.cuh"
#include "launch.cuh"

static bool shape_good(const rs_cu_norm *norm)
{
    return norm && norm->rows >= 1 && norm->channels >= 1;
}

static bool vectors_good(const rs_cu_norm *norm)
{
    return rs_cu_good(norm->mean) && rs_cu_good(norm->inverse) && rs_cu_good(norm->weight) &&
           rs_cu_good(norm->bias);
}

static bool running_good(const rs_cu_norm *norm)
{
    return rs_cu_good(norm->running_mean) && rs_cu_good(norm->running_variance) && rs_cu_good(norm->mean) &&
           rs_cu_good(norm->inverse) && norm->epsilon >= 0.0;
}

/* What both passes of backward read. */
static bool backward_good(const rs_cu_norm *norm)
{
    return shape_good(norm) && vectors_good(norm) && rs_cu_good(norm->dy) && rs_cu_good(norm->x) &&
           rs_cu_good_or_none(norm->addend) && rs_cu_good_or_none(norm->positive) &&
           (norm->relu || !norm->positive) &&
           (norm->positive || !norm->relu || norm->pass_residual == RS_PASS_NONE);
}

static bool gradients_good(const rs_cu_norm *norm)
{
    return rs_cu_good(norm->dweight) && rs_cu_good(norm->dbias);
}

static int64_t join_blocks(int channels)
{
    return rs_cu_divide_up(channels, RS_CU_JOIN_CHANNELS);
}

size_t rs_cu_norm_partial_bytes(int64_t rows, int channels)
{
    if (rows < 1 || channels < 1) {
        return 0;
    }
    const rs_cu_cut cut = rs_cu_cut_sums(rows, channels);
    return (size_t)cut.pieces * 2 * (size_t)channels * sizeof(double);
}

cudaError_t rs_cu_norm_statistics(const rs_cu_norm *norm, cudaStream_t stream)
{
    if (!shape_good(norm) || !running_good(norm) || !rs_cu_good(norm->x) || !rs_cu_good(norm->partial)) {
        return cudaErrorInvalidValue;
    }
    const rs_cu_cut cut = rs_cu_cut_sums(norm->rows, norm->channels);
    const int64_t blocks = rs_cu_cut_blocks(&cut);
    if (!rs_cu_grid_fits(blocks)) {
        return cudaErrorInvalidValue;
    }
    if (rs_cu_cut_wide(&cut)) {
        RS_CU_TRY(RS_CU_LAUNCH(rs_cu_k_norm_statistics_4, blocks, stream, cut, norm->x, norm->partial));
    } else {
        RS_CU_TRY(RS_CU_LAUNCH(rs_cu_k_norm_statistics_1, blocks, stream, cut, norm->x, norm->partial));
    }
    return RS_CU_LAUNCH(rs_cu_k_norm_finish, join_blocks(norm->channels), stream, *norm, cut);
}

cudaError_t rs_cu_norm_running(const rs_cu_norm *norm, cudaStream_t stream)
{
    if (!shape_good(norm) || !running_good(norm)) {
        return cudaErrorInvalidValue;
    }
    return RS_CU_LAUNCH(rs_cu_k_norm_running, rs_cu_divide_up(norm->channels, RS_CU_THREADS), stream, *norm);
}

cudaError_t rs_cu_norm_forward(const rs_cu_norm *norm, bool mask, cudaStream_t stream)
{
    if (!shape_good(norm) || !vectors_good(norm) || !rs_cu_good(norm->x) || !rs_cu_good(norm->y) ||
        !rs_cu_good_or_none(norm->residual) || !rs_cu_good_or_none(norm->positive) ||
        (mask && norm->relu && norm->residual && !norm->positive)) {
        return cudaErrorInvalidValue;
    }
    const rs_cu_cut cut = rs_cu_cut_rows(norm->rows, norm->channels);
    const int64_t blocks = rs_cu_cut_blocks(&cut);
    if (!rs_cu_grid_fits(blocks)) {
        return cudaErrorInvalidValue;
    }
    rs_cu_norm call = *norm;
    call.positive = mask && norm->relu && norm->residual ? norm->positive : NULL;
    if (rs_cu_cut_wide(&cut)) {
        return RS_CU_LAUNCH(rs_cu_k_norm_forward_4, blocks, stream, call, cut);
    }
    return RS_CU_LAUNCH(rs_cu_k_norm_forward_1, blocks, stream, call, cut);
}

cudaError_t rs_cu_norm_gradients(const rs_cu_norm *norm, cudaStream_t stream)
{
    if (!backward_good(norm) || !gradients_good(norm) || !rs_cu_good(norm->partial)) {
        return cudaErrorInvalidValue;
    }
    const rs_cu_cut cut = rs_cu_cut_sums(norm->rows, norm->channels);
    const int64_t blocks = rs_cu_cut_blocks(&cut);
    if (!rs_cu_grid_fits(blocks)) {
        return cudaErrorInvalidValue;
    }
    if (rs_cu_cut_wide(&cut)) {
        RS_CU_TRY(RS_CU_LAUNCH(rs_cu_k_norm_gradients_4, blocks, stream, *norm, cut));
    } else {
        RS_CU_TRY(RS_CU_LAUNCH(rs_cu_k_norm_gradients_1, blocks, stream, *norm, cut));
    }
    return RS_CU_LAUNCH(rs_cu_k_norm_gradients_finish, join_blocks(norm->channels), stream, *norm, cut);
}

cudaError_t rs_cu_norm_backward(const rs_cu_norm *norm, cudaStream_t stream)
{
    if (!backward_good(norm) || !(norm->fixed || gradients_good(norm)) ||
        (norm->pass_x != RS_PASS_NONE && !rs_cu_good(norm->dx)) ||
        (norm->pass_residual != RS_PASS_NONE && !rs_cu_good(norm->dresidual))) {
        return cudaErrorInvalidValue;
    }
    const rs_cu_cut cut = rs_cu_cut_rows(norm->rows, norm->channels);
    const int64_t blocks = rs_cu_cut_blocks(&cut);
    if (!rs_cu_grid_fits(blocks)) {
        return cudaErrorInvalidValue;
    }
    if (norm->pass_x == RS_PASS_NONE && norm->pass_residual == RS_PASS_NONE) {
        return cudaSuccess;
    }
    if (rs_cu_cut_wide(&cut)) {
        return RS_CU_LAUNCH(rs_cu_k_norm_backward_4, blocks, stream, *norm, cut);
    }
    return RS_CU_LAUNCH(rs_cu_k_norm_backward_1, blocks, stream, *norm, cut);
}
