/* repeat.cu: launches of repeat.cuh. */
#include "launch.cuh"
#include "repeat.cuh"

/* Elements beside each other from which on a thread has some of its own. */
enum { BESIDE = 32 };

static bool shape_good(const rs_cu_repeat *r)
{
    return r && r->outer >= 1 && r->times >= 1 && r->inner >= 1;
}

static int64_t blocks_of(int64_t count)
{
    return rs_cu_divide_up(count, 4 * RS_CU_THREADS);
}

cudaError_t rs_cu_repeat_forward(const rs_cu_repeat *r, const float *x, float *y, cudaStream_t stream)
{
    if (!shape_good(r) || !rs_cu_good(x) || !rs_cu_good(y) ||
        !rs_cu_grid_fits(blocks_of(r->outer * r->times * r->inner))) {
        return cudaErrorInvalidValue;
    }
    return RS_CU_LAUNCH(rs_cu_k_repeat_forward, blocks_of(r->outer * r->times * r->inner), stream, *r, x, y);
}

cudaError_t rs_cu_repeat_backward(const rs_cu_repeat *r, const float *dy, float *dx, rs_pass pass,
                                  cudaStream_t stream)
{
    if (pass == RS_PASS_NONE) {
        return cudaSuccess;
    }
    if (!shape_good(r) || !rs_cu_good(dy) || !rs_cu_good(dx)) {
        return cudaErrorInvalidValue;
    }
    const bool warps = r->inner < BESIDE && r->times >= 8;
    const int64_t count = r->outer * r->inner,
                  blocks = warps ? rs_cu_divide_up(count, RS_CU_WARPS) : blocks_of(count);
    if (!rs_cu_grid_fits(blocks)) {
        return cudaErrorInvalidValue;
    }
    return warps ? RS_CU_LAUNCH(rs_cu_k_repeat_backward_warp, blocks, stream, *r, dy, dx, pass)
                 : RS_CU_LAUNCH(rs_cu_k_repeat_backward, blocks, stream, *r, dy, dx, pass);
}
