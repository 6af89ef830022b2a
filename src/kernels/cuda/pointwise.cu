/* pointwise.cu: launches of pointwise.cuh. */
#include "launch.cuh"
#include "pointwise.cuh"

static int64_t blocks_of(int64_t count)
{
    return rs_cu_divide_up(count, 4 * RS_CU_THREADS);
}

static bool count_good(int64_t count)
{
    return count >= 1 && rs_cu_grid_fits(blocks_of(count));
}

cudaError_t rs_cu_relu_forward(const float *x, float *y, int64_t count, cudaStream_t stream)
{
    if (!rs_cu_good(x) || !rs_cu_good(y) || !count_good(count)) {
        return cudaErrorInvalidValue;
    }
    return RS_CU_LAUNCH(rs_cu_k_relu_forward, blocks_of(count), stream, x, y, count);
}

cudaError_t rs_cu_relu_backward(const float *y, const float *dy, float *dx, rs_pass pass, int64_t count,
                                cudaStream_t stream)
{
    if (pass == RS_PASS_NONE) {
        return cudaSuccess;
    }
    if (!rs_cu_good(y) || !rs_cu_good(dy) || !rs_cu_good(dx) || !count_good(count)) {
        return cudaErrorInvalidValue;
    }
    return RS_CU_LAUNCH(rs_cu_k_relu_backward, blocks_of(count), stream, y, dy, dx, pass, count);
}

cudaError_t rs_cu_softplus_forward(const float *x, float *y, int64_t count, cudaStream_t stream)
{
    if (!rs_cu_good(x) || !rs_cu_good(y) || !count_good(count)) {
        return cudaErrorInvalidValue;
    }
    return RS_CU_LAUNCH(rs_cu_k_softplus_forward, blocks_of(count), stream, x, y, count);
}

cudaError_t rs_cu_softplus_backward(const float *x, const float *dy, float *dx, rs_pass pass, int64_t count,
                                    cudaStream_t stream)
{
    if (pass == RS_PASS_NONE) {
        return cudaSuccess;
    }
    if (!rs_cu_good(x) || !rs_cu_good(dy) || !rs_cu_good(dx) || !count_good(count)) {
        return cudaErrorInvalidValue;
    }
    return RS_CU_LAUNCH(rs_cu_k_softplus_backward, blocks_of(count), stream, x, dy, dx, pass, count);
}

cudaError_t rs_cu_sigmoid_forward(const float *x, float *y, int64_t count, cudaStream_t stream)
{
    if (!rs_cu_good(x) || !rs_cu_good(y) || !count_good(count)) {
        return cudaErrorInvalidValue;
    }
    return RS_CU_LAUNCH(rs_cu_k_sigmoid_forward, blocks_of(count), stream, x, y, count);
}

cudaError_t rs_cu_sigmoid_backward(const float *y, const float *dy, float *dx, rs_pass pass, int64_t count,
                                   cudaStream_t stream)
{
    if (pass == RS_PASS_NONE) {
        return cudaSuccess;
    }
    if (!rs_cu_good(y) || !rs_cu_good(dy) || !rs_cu_good(dx) || !count_good(count)) {
        return cudaErrorInvalidValue;
    }
    return RS_CU_LAUNCH(rs_cu_k_sigmoid_backward, blocks_of(count), stream, y, dy, dx, pass, count);
}

cudaError_t rs_cu_tanh_forward(const float *x, float *y, int64_t count, cudaStream_t stream)
{
    if (!rs_cu_good(x) || !rs_cu_good(y) || !count_good(count)) {
        return cudaErrorInvalidValue;
    }
    return RS_CU_LAUNCH(rs_cu_k_tanh_forward, blocks_of(count), stream, x, y, count);
}

cudaError_t rs_cu_tanh_backward(const float *y, const float *dy, float *dx, rs_pass pass, int64_t count,
                                cudaStream_t stream)
{
    if (pass == RS_PASS_NONE) {
        return cudaSuccess;
    }
    if (!rs_cu_good(y) || !rs_cu_good(dy) || !rs_cu_good(dx) || !count_good(count)) {
        return cudaErrorInvalidValue;
    }
    return RS_CU_LAUNCH(rs_cu_k_tanh_backward, blocks_of(count), stream, y, dy, dx, pass, count);
}

cudaError_t rs_cu_divide_forward(const float *a, const float *b, float *y, int64_t count, cudaStream_t stream)
{
    if (!rs_cu_good(a) || !rs_cu_good(b) || !rs_cu_good(y) || !count_good(count)) {
        return cudaErrorInvalidValue;
    }
    return RS_CU_LAUNCH(rs_cu_k_divide_forward, blocks_of(count), stream, a, b, y, count);
}

cudaError_t rs_cu_divide_backward(const rs_cu_quotient *q, cudaStream_t stream)
{
    if (q && q->pass_a == RS_PASS_NONE && q->pass_b == RS_PASS_NONE) {
        return cudaSuccess;
    }
    if (!q || !rs_cu_good(q->b) || !rs_cu_good(q->dy) || !count_good(q->count) ||
        (q->pass_a != RS_PASS_NONE && !rs_cu_good(q->da)) ||
        (q->pass_b != RS_PASS_NONE && !(rs_cu_good(q->a) && rs_cu_good(q->db)))) {
        return cudaErrorInvalidValue;
    }
    return RS_CU_LAUNCH(rs_cu_k_divide_backward, blocks_of(q->count), stream, *q);
}

cudaError_t rs_cu_add_forward(const float *a, const float *b, float *y, int64_t count, cudaStream_t stream)
{
    if (!rs_cu_good(a) || !rs_cu_good(b) || !rs_cu_good(y) || !count_good(count)) {
        return cudaErrorInvalidValue;
    }
    return RS_CU_LAUNCH(rs_cu_k_add_forward, blocks_of(count), stream, a, b, y, count);
}

cudaError_t rs_cu_pass(const float *from, float *to, rs_pass pass, int64_t count, cudaStream_t stream)
{
    if (pass == RS_PASS_NONE) {
        return cudaSuccess;
    }
    if (!rs_cu_good(from) || !rs_cu_good(to) || !count_good(count)) {
        return cudaErrorInvalidValue;
    }
    return RS_CU_LAUNCH(rs_cu_k_pass, blocks_of(count), stream, from, to, pass, count);
}

cudaError_t rs_cu_bias_add(const float *b, float *y, int64_t rows, int channels, cudaStream_t stream)
{
    if (!rs_cu_good(b) || !rs_cu_good(y) || rows < 1 || channels < 1) {
        return cudaErrorInvalidValue;
    }
    const rs_cu_cut cut = rs_cu_cut_rows(rows, channels);
    const int64_t blocks = rs_cu_cut_blocks(&cut);
    if (!rs_cu_grid_fits(blocks)) {
        return cudaErrorInvalidValue;
    }
    if (rs_cu_cut_wide(&cut)) {
        return RS_CU_LAUNCH(rs_cu_k_bias_add_4, blocks, stream, cut, b, y);
    }
    return RS_CU_LAUNCH(rs_cu_k_bias_add_1, blocks, stream, cut, b, y);
}

cudaError_t rs_cu_bias_gradient(const float *dy, float *db, double *partial, int64_t rows, int channels,
                                cudaStream_t stream)
{
    if (!rs_cu_good(dy) || !rs_cu_good(db) || !rs_cu_good(partial) || rows < 1 || channels < 1) {
        return cudaErrorInvalidValue;
    }
    const rs_cu_cut cut = rs_cu_cut_sums(rows, channels);
    const int64_t blocks = rs_cu_cut_blocks(&cut);
    if (!rs_cu_grid_fits(blocks)) {
        return cudaErrorInvalidValue;
    }
    if (rs_cu_cut_wide(&cut)) {
        RS_CU_TRY(RS_CU_LAUNCH(rs_cu_k_bias_gradient_4, blocks, stream, cut, dy, partial));
    } else {
        RS_CU_TRY(RS_CU_LAUNCH(rs_cu_k_bias_gradient_1, blocks, stream, cut, dy, partial));
    }
    return RS_CU_LAUNCH(rs_cu_k_bias_gradient_finish, rs_cu_divide_up(channels, RS_CU_JOIN_CHANNELS), stream,
                        cut, partial, db);
}
