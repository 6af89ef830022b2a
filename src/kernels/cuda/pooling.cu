/* pooling.cu: launches of pooling.cuh. */
#include "launch.cuh"
#include "pooling.cuh"

enum { MOST_SIDE = 65536, MOST_KERNEL = 16, MOST_STRIDE = 64, LEAST_BLOCKS = 256, LEAST_LENGTH = 8 };

static bool side_good(int64_t in, int64_t out, const rs_cu_window *w)
{
    return in >= 1 && in <= MOST_SIDE && in + 2 * w->padding >= w->kernel &&
           out == (in + 2 * w->padding - w->kernel) / w->stride + 1;
}

bool rs_cu_max_pool_fits(const rs_cu_window *w)
{
    return w && w->samples >= 1 && w->channels >= 1 && w->kernel >= 1 && w->kernel <= MOST_KERNEL &&
           w->stride >= 1 && w->stride <= MOST_STRIDE && w->padding >= 0 && w->padding < w->kernel &&
           side_good(w->in_height, w->out_height, w) && side_good(w->in_width, w->out_width, w);
}

/* `rows` of `width` columns are kept, as wide a strip as there is room for; where that is less than four
 * floats, none are. A pass of `steps` is cut into segments where samples and strips alone are few blocks. */
static rs_cu_walk walk_of(const rs_cu_window *w, int rows, int width, int room, int steps)
{
    const int lanes = w->channels % 4 == 0 ? w->channels / 4 : w->channels;
    rs_cu_walk walk = {(int)w->in_height,
                       (int)w->in_width,
                       (int)w->out_height,
                       (int)w->out_width,
                       w->channels,
                       w->kernel,
                       w->stride,
                       w->padding,
                       steps,
                       1,
                       1,
                       5,
                       rows};
    while (walk.shift > 0 && 1 << (walk.shift - 1) >= lanes) {
        walk.shift--;
    }
    const int full = walk.shift;
    while (walk.shift > 0 && (int64_t)rows * width << walk.shift > room) {
        walk.shift--;
    }
    if ((int64_t)rows * width << walk.shift > room) {
        walk.rows = 0;
        walk.shift = full;
    }
    walk.strips = (lanes + (1 << walk.shift) - 1) >> walk.shift;
    const int64_t blocks = w->samples * walk.strips;
    const int64_t most = steps < 2 * LEAST_LENGTH ? 1 : steps / LEAST_LENGTH;
    const int64_t wanted = rs_cu_divide_up(LEAST_BLOCKS, blocks);
    walk.length = (int)rs_cu_divide_up(steps, wanted < most ? wanted : most);
    walk.segments = (int)rs_cu_divide_up(steps, walk.length);
    return walk;
}

static int64_t walk_blocks(const rs_cu_window *w, const rs_cu_walk *walk)
{
    return w->samples * walk->segments * walk->strips;
}

cudaError_t rs_cu_max_pool_forward(const rs_cu_window *w, const float *x, float *y, uint8_t *choice,
                                   cudaStream_t stream)
{
    if (!rs_cu_max_pool_fits(w) || !rs_cu_good(x) || !rs_cu_good(y) || !rs_cu_good_or_none(choice)) {
        return cudaErrorInvalidValue;
    }
    const rs_cu_walk walk = walk_of(w, w->kernel, (int)w->in_width, RS_CU_KEPT_VALUES, (int)w->out_height);
    const int64_t blocks = walk_blocks(w, &walk);
    if (!rs_cu_grid_fits(blocks)) {
        return cudaErrorInvalidValue;
    }
    if (w->channels % 4 == 0) {
        return RS_CU_LAUNCH(rs_cu_k_max_pool_forward_4, blocks, stream, walk, x, y, choice);
    }
    return RS_CU_LAUNCH(rs_cu_k_max_pool_forward_1, blocks, stream, walk, x, y, choice);
}

cudaError_t rs_cu_max_pool_backward(const rs_cu_window *w, const uint8_t *choice, const float *dy, float *dx,
                                    rs_pass pass, cudaStream_t stream)
{
    if (pass == RS_PASS_NONE) {
        return cudaSuccess;
    }
    if (!rs_cu_max_pool_fits(w) || !rs_cu_good(choice) || !rs_cu_good(dy) || !rs_cu_good(dx)) {
        return cudaErrorInvalidValue;
    }
    const int rows = (w->kernel - 1) / w->stride + 1;
    const int steps = ((int)w->in_height - 1 + w->padding) / w->stride + 1;
    const rs_cu_walk walk = walk_of(w, rows, (int)w->out_width, RS_CU_KEPT_GRADIENTS, steps);
    const int64_t blocks = walk_blocks(w, &walk);
    if (!rs_cu_grid_fits(blocks)) {
        return cudaErrorInvalidValue;
    }
    if (w->channels % 4 == 0) {
        return RS_CU_LAUNCH(rs_cu_k_max_pool_backward_4, blocks, stream, walk, choice, dy, dx, pass);
    }
    return RS_CU_LAUNCH(rs_cu_k_max_pool_backward_1, blocks, stream, walk, choice, dy, dx, pass);
}

/* Pieces are samples. */
static bool global_cut(int64_t samples, int64_t positions, int channels, rs_cu_cut *cut)
{
    if (samples < 1 || positions < 1 || channels < 1) {
        return false;
    }
    *cut = rs_cu_cut_pieces(samples * positions, channels, positions);
    return rs_cu_grid_fits(rs_cu_cut_blocks(cut));
}

cudaError_t rs_cu_global_pool_forward(int64_t samples, int64_t positions, int channels, const float *x,
                                      float *y, cudaStream_t stream)
{
    rs_cu_cut cut;
    if (!global_cut(samples, positions, channels, &cut) || !rs_cu_good(x) || !rs_cu_good(y)) {
        return cudaErrorInvalidValue;
    }
    if (rs_cu_cut_wide(&cut)) {
        return RS_CU_LAUNCH(rs_cu_k_global_pool_forward_4, rs_cu_cut_blocks(&cut), stream, cut, x, y);
    }
    return RS_CU_LAUNCH(rs_cu_k_global_pool_forward_1, rs_cu_cut_blocks(&cut), stream, cut, x, y);
}

cudaError_t rs_cu_global_pool_backward(int64_t samples, int64_t positions, int channels, const float *dy,
                                       float *dx, rs_pass pass, cudaStream_t stream)
{
    rs_cu_cut cut;
    if (pass == RS_PASS_NONE) {
        return cudaSuccess;
    }
    if (!global_cut(samples, positions, channels, &cut) || !rs_cu_good(dy) || !rs_cu_good(dx)) {
        return cudaErrorInvalidValue;
    }
    if (rs_cu_cut_wide(&cut)) {
        return RS_CU_LAUNCH(rs_cu_k_global_pool_backward_4, rs_cu_cut_blocks(&cut), stream, cut, dy, dx,
                            pass);
    }
    return RS_CU_LAUNCH(rs_cu_k_global_pool_backward_1, rs_cu_cut_blocks(&cut), stream, cut, dy, dx, pass);
}
