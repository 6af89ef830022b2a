/* channels.cu: launches of channels.cuh. */
#include "channels.cuh"
#include "launch.cuh"

static int64_t blocks_of(const rs_cu_channels *c)
{
    return rs_cu_divide_up(c->rows, RS_CU_WARPS);
}

static bool forward_good(const rs_cu_channels *c)
{
    return c && c->rows >= 1 && c->channels >= 1 && rs_cu_grid_fits(blocks_of(c)) && rs_cu_good(c->x) &&
           rs_cu_good(c->y);
}

static bool backward_good(const rs_cu_channels *c)
{
    return forward_good(c) && rs_cu_good(c->dy);
}

typedef void (*channels_kernel)(rs_cu_channels);

/* Four channels at once where they come in fours. */
static cudaError_t launch(channels_kernel wide, channels_kernel narrow, const rs_cu_channels *c,
                          cudaStream_t stream)
{
    const channels_kernel kernel = c->channels % 4 == 0 ? wide : narrow;
    return RS_CU_LAUNCH(kernel, blocks_of(c), stream, *c);
}

cudaError_t rs_cu_softmax_forward(const rs_cu_channels *c, cudaStream_t stream)
{
    return forward_good(c) ? launch(rs_cu_k_softmax_forward_4, rs_cu_k_softmax_forward_1, c, stream)
                           : cudaErrorInvalidValue;
}

cudaError_t rs_cu_softmax_backward(const rs_cu_channels *c, cudaStream_t stream)
{
    if (c && c->pass == RS_PASS_NONE) {
        return cudaSuccess;
    }
    return backward_good(c) ? launch(rs_cu_k_softmax_backward_4, rs_cu_k_softmax_backward_1, c, stream)
                            : cudaErrorInvalidValue;
}

cudaError_t rs_cu_row_normalize_forward(const rs_cu_channels *c, cudaStream_t stream)
{
    return forward_good(c)
               ? launch(rs_cu_k_row_normalize_forward_4, rs_cu_k_row_normalize_forward_1, c, stream)
               : cudaErrorInvalidValue;
}

cudaError_t rs_cu_row_normalize_backward(const rs_cu_channels *c, cudaStream_t stream)
{
    if (c && c->pass == RS_PASS_NONE) {
        return cudaSuccess;
    }
    return backward_good(c)
               ? launch(rs_cu_k_row_normalize_backward_4, rs_cu_k_row_normalize_backward_1, c, stream)
               : cudaErrorInvalidValue;
}
