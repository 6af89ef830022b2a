/* loss.cuh: softmax cross-entropy, squared error, their gradients, and norms of samples' gradients; launches in loss.cu.
 *
 * Of scores a warp takes a sample: its scores, read once, lie in shared memory (of more than RS_CU_KEPT_SCORES classes
 * they are read again). Exponentials and sums in double, as the other backends have them. */
#ifndef RS_KERNELS_CUDA_LOSS_CUH
#define RS_KERNELS_CUDA_LOSS_CUH

#include "warp.cuh"

enum { RS_CU_KEPT_SCORES = 1024, RS_CU_KEPT_FLOATS = RS_CU_WARPS * RS_CU_KEPT_SCORES };

/* Index of the first largest score, as a loop over k > 0 with x[k] > x[best] finds it: a NaN never is
 * larger, and nothing is larger than a NaN at 0. */
RS_CU_INLINE int rs_cu_first_largest(const float *x, int classes, int lane)
{
    float best = -INFINITY;
    int at = classes;
    for (int k = lane; k < classes; k += 32) {
        if (x[k] > best || (x[k] == best && at == classes)) {
            best = x[k];
            at = k;
        }
    }
    for (int offset = 16; offset > 0; offset /= 2) {
        const float other = __shfl_xor_sync(RS_CU_ALL_LANES, best, offset);
        const int there = __shfl_xor_sync(RS_CU_ALL_LANES, at, offset);
        if (other > best || (other == best && there < at)) {
            best = other;
            at = there;
        }
    }
    return isnan(x[0]) || at == classes ? 0 : at;
}

/* A sample's scores and the sum of their exponentials around the largest. */
struct rs_cu_sample {
    const float *x;
    int64_t number;
    int lane, label, best;
    double largest, sum;
};

/* False for a warp without a sample. */
RS_CU_INLINE bool rs_cu_take_sample(const rs_cu_scores &scores, float *kept, rs_cu_sample *sample)
{
    const int warp = (int)threadIdx.x / 32, lane = (int)threadIdx.x % 32;
    const int64_t number = (int64_t)blockIdx.x * RS_CU_WARPS + warp;
    if (number >= scores.count) {
        return false;
    }
    const float *x = scores.x + number * scores.classes;
    if (scores.classes <= RS_CU_KEPT_SCORES) {
        float *own = kept + warp * RS_CU_KEPT_SCORES;
        for (int k = lane; k < scores.classes; k += 32) {
            own[k] = x[k];
        }
        __syncwarp();
        x = own;
    }
    const int best = rs_cu_first_largest(x, scores.classes, lane);
    const double largest = (double)x[best];
    double sum = 0.0;
    for (int k = lane; k < scores.classes; k += 32) {
        sum += exp((double)x[k] - largest);
    }
    *sample = {x, number, lane, scores.labels[number], best, largest, rs_cu_warp_sum(sum)};
    return true;
}

RS_CU_GLOBAL_OF(4) rs_cu_k_cross_entropy(rs_cu_scores scores)
{
    RS_CU_SHARED(float, kept, RS_CU_KEPT_FLOATS);
    rs_cu_sample s;
    if (rs_cu_take_sample(scores, kept, &s) && s.lane == 0) {
        const bool known = s.label >= 0 && s.label < scores.classes;
        scores.losses[s.number] = known ? log(s.sum) - ((double)s.x[s.label] - s.largest) : (double)NAN;
        scores.hits[s.number] = s.best == s.label;
    }
}

/* How often the chosen labels name class k: once, or of both twice where they are one. */
RS_CU_INLINE double rs_cu_named(const rs_cu_sample &s, rs_label_choice choice, int k)
{
    return (choice != RS_LABELS_PREDICTED && k == s.label ? 1.0 : 0.0) +
           (choice != RS_LABELS_TRUE && k == s.best ? 1.0 : 0.0);
}

RS_CU_GLOBAL_OF(4) rs_cu_k_cross_entropy_backward(rs_cu_scores scores)
{
    RS_CU_SHARED(float, kept, RS_CU_KEPT_FLOATS);
    rs_cu_sample s;
    if (!rs_cu_take_sample(scores, kept, &s)) {
        return;
    }
    const double times = scores.choice == RS_LABELS_BOTH ? 2.0 : 1.0;
    float *dx = scores.dx + s.number * scores.classes;
    for (int k = s.lane; k < scores.classes; k += 32) {
        const double p = exp((double)s.x[k] - s.largest) / s.sum;
        const double d = (times * p - rs_cu_named(s, scores.choice, k)) * scores.weight / scores.divisor;
        dx[k] = scores.pass == RS_PASS_ADD ? (float)((double)dx[k] + d) : (float)d;
    }
}

/* One thread: where it is wanted. */
RS_CU_INLINE void rs_cu_put_loss(const rs_cu_loss_out &out, double loss, double correct, double share)
{
    if (out.loss) {
        out.loss->loss = loss;
        out.loss->correct = (int64_t)correct;
    }
    if (out.layer) {
        out.layer->loss = loss;
        out.layer->mean = share;
    }
}

/* One block. */
RS_CU_GLOBAL rs_cu_k_loss_sum(const double *losses, const uint8_t *hits, int64_t count, double divisor,
                              rs_cu_loss_out out)
{
    RS_CU_SHARED(double, shared, RS_CU_THREADS);
    double sum = 0.0, correct = 0.0; /* a whole number, exact in double */
    for (int64_t i = threadIdx.x; i < count; i += RS_CU_THREADS) {
        sum += losses[i];
        correct += (double)hits[i];
    }
    sum = rs_cu_block_sum(sum, shared);
    __syncthreads();
    correct = rs_cu_block_sum(correct, shared);
    if (threadIdx.x == 0) {
        rs_cu_put_loss(out, sum / divisor, correct, correct / (double)count);
    }
}

/* --- squared error ------------------------------------------------------------------------------------- */

template <int W> RS_CU_INLINE double rs_cu_squares_of(const float *x, const float *target)
{
    const rs_cu_lanes<W> a = rs_cu_load<W>(x), b = rs_cu_load<W>(target);
    double sum = 0.0;
    RS_CU_UNROLL
    for (int e = 0; e < W; e++) {
        const double distance = (double)a.v[e] - (double)b.v[e];
        sum += distance * distance;
    }
    return sum;
}

/* partial: [pieces]. */
RS_CU_GLOBAL rs_cu_k_squared_sums(rs_cu_flat cut, const float *x, const float *target, double *partial)
{
    RS_CU_SHARED(double, shared, RS_CU_THREADS);
    const int64_t first = (int64_t)blockIdx.x * cut.piece, end = first + cut.piece,
                  last = end < cut.count ? end : cut.count;
    double sum = 0.0;
    for (int64_t i = first + 4 * (int64_t)threadIdx.x; i < last; i += 4 * RS_CU_THREADS) {
        if (i + 4 <= last) {
            sum += rs_cu_squares_of<4>(x + i, target + i);
        } else {
            for (int64_t k = i; k < last; k++) {
                sum += rs_cu_squares_of<1>(x + k, target + k);
            }
        }
    }
    sum = rs_cu_block_sum(sum, shared);
    if (threadIdx.x == 0) {
        partial[blockIdx.x] = sum;
    }
}

/* One block. */
RS_CU_GLOBAL rs_cu_k_squared_finish(rs_cu_flat cut, const double *partial, double divisor, rs_cu_loss_out out)
{
    RS_CU_SHARED(double, shared, RS_CU_THREADS);
    double sum = 0.0;
    for (int64_t p = threadIdx.x; p < cut.pieces; p += RS_CU_THREADS) {
        sum += partial[p];
    }
    sum = rs_cu_block_sum(sum, shared);
    if (threadIdx.x == 0) {
        rs_cu_put_loss(out, sum / divisor, 0.0, 0.0);
    }
}

struct rs_cu_squared_backward_op {
    rs_cu_squared s;
    template <int W> __device__ __forceinline__ void at(int64_t i) const
    {
        rs_cu_lanes<W> g = rs_cu_load<W>(s.x + i);
        const rs_cu_lanes<W> target = rs_cu_load<W>(s.target + i);
        RS_CU_UNROLL
        for (int e = 0; e < W; e++) {
            g.v[e] = (float)(2.0 * s.weight * ((double)g.v[e] - (double)target.v[e]) / s.divisor);
        }
        rs_cu_put<W>(s.dx + i, g, s.pass);
    }
};

RS_CU_GLOBAL rs_cu_k_squared_backward(rs_cu_squared s)
{
    rs_cu_each(s.count, rs_cu_squared_backward_op{s});
}

/* --- norms of samples ---------------------------------------------------------------------------------- */

/* A warp for each sample. */
template <int W>
RS_CU_INLINE void rs_cu_sample_squares_of(const float *dx, int64_t samples, int64_t floats, double *squares)
{
    const int lane = (int)threadIdx.x % 32;
    const int64_t sample = (int64_t)blockIdx.x * RS_CU_WARPS + (int64_t)threadIdx.x / 32;
    if (sample >= samples) {
        return;
    }
    double sum = 0.0;
    for (int64_t i = lane * W; i < floats; i += 32 * W) {
        const rs_cu_lanes<W> g = rs_cu_load<W>(dx + sample * floats + i);
        RS_CU_UNROLL
        for (int e = 0; e < W; e++) {
            sum += (double)g.v[e] * (double)g.v[e];
        }
    }
    sum = rs_cu_warp_sum(sum);
    if (lane == 0) {
        squares[sample] = sum;
    }
}

RS_CU_GLOBAL rs_cu_k_sample_squares_4(const float *dx, int64_t samples, int64_t floats, double *squares)
{
    rs_cu_sample_squares_of<4>(dx, samples, floats, squares);
}

RS_CU_GLOBAL rs_cu_k_sample_squares_1(const float *dx, int64_t samples, int64_t floats, double *squares)
{
    rs_cu_sample_squares_of<1>(dx, samples, floats, squares);
}

#endif
