/* loss.cuh: softmax cross-entropy with its gradient; launches in loss.cu.
 *
 * A warp takes a sample: its scores, read once, lie in shared memory (of more than RS_CU_KEPT_SCORES classes
 * they are read again). Exponentials and sums in double, as the other backends have them. */
#ifndef RS_KERNELS_CUDA_LOSS_CUH
#define RS_KERNELS_CUDA_LOSS_CUH

#include "device.cuh"

enum { RS_CU_KEPT_SCORES = 1024, RS_CU_SAMPLES = RS_CU_THREADS / 32 };
enum { RS_CU_KEPT_FLOATS = RS_CU_SAMPLES * RS_CU_KEPT_SCORES };

/* Sum over a warp, the same for all its lanes. */
RS_CU_INLINE double rs_cu_warp_sum(double mine)
{
    for (int offset = 16; offset > 0; offset /= 2) {
        mine += __shfl_xor_sync(RS_CU_ALL_LANES, mine, offset);
    }
    return mine;
}

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

RS_CU_GLOBAL_OF(4) rs_cu_k_cross_entropy(rs_cu_scores scores)
{
    RS_CU_SHARED(float, kept, RS_CU_KEPT_FLOATS);
    const int lane = (int)threadIdx.x % 32, warp = (int)threadIdx.x / 32;
    const int64_t sample = (int64_t)blockIdx.x * RS_CU_SAMPLES + warp;
    if (sample >= scores.count) {
        return;
    }
    const float *x = scores.x + sample * scores.classes;
    if (scores.classes <= RS_CU_KEPT_SCORES) {
        float *own = kept + warp * RS_CU_KEPT_SCORES;
        for (int k = lane; k < scores.classes; k += 32) {
            own[k] = x[k];
        }
        __syncwarp();
        x = own;
    }
    const int label = scores.labels[sample], best = rs_cu_first_largest(x, scores.classes, lane);
    const double largest = (double)x[best];
    double sum = 0.0;
    for (int k = lane; k < scores.classes; k += 32) {
        sum += exp((double)x[k] - largest);
    }
    sum = rs_cu_warp_sum(sum);
    if (lane == 0) {
        const bool known = label >= 0 && label < scores.classes;
        scores.losses[sample] = known ? log(sum) - ((double)x[label] - largest) : (double)NAN;
        scores.hits[sample] = best == label;
    }
    for (int k = lane; scores.dx && k < scores.classes; k += 32) {
        const double p = exp((double)x[k] - largest) / sum - (k == label ? 1.0 : 0.0);
        scores.dx[sample * scores.classes + k] = (float)(p / (double)scores.count);
    }
}

/* One block. */
RS_CU_GLOBAL rs_cu_k_loss_sum(const double *losses, const uint8_t *hits, int64_t count, rs_cu_loss *loss)
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
        loss->loss = sum / (double)count;
        loss->correct = (int64_t)correct;
    }
}

#endif
