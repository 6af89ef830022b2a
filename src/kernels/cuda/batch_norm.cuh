/* batch_norm.cuh: batch norm with an optional join and ReLU; formulas in kernels.h, launches in
 * batch_norm.cu.
 *
 * Statistics: a thread sums runs of RS_CU_RUN values, and their squares, in float around the run's first
 * value, moves the run's sums in double to one shift per channel, the channel's first value of all, and adds
 * them up there. As both shifts are among the values, neither can lie so far off that the squares cancel.
 *
 * A block's per-channel vectors are made once and lie in shared memory; of a row's bits a pair of threads
 * has one byte. */
#ifndef RS_KERNELS_CUDA_BATCH_NORM_CUH
#define RS_KERNELS_CUDA_BATCH_NORM_CUH

#include "device.cuh"

/* --- statistics ---------------------------------------------------------------------------------------- */

/* Sums of a run's values and squares around `shift`, the first of them. */
template <int W> struct rs_cu_run_sums {
    rs_cu_lanes<W> shift, sum, square;
    int count;
};

template <int W>
RS_CU_INLINE rs_cu_run_sums<W> rs_cu_sum_run(const rs_cu_cut &cut, const rs_cu_place<W> &place,
                                             const float *x, int64_t row)
{
    rs_cu_run_sums<W> run = {rs_cu_zeros<W>(), rs_cu_zeros<W>(), rs_cu_zeros<W>(), 0};
    for (int k = 0; k < RS_CU_RUN && row < place.last; k += 4) {
        rs_cu_lanes<W> four[4];
        RS_CU_UNROLL
        for (int i = 0; i < 4; i++) {
            const int64_t at = row + i * place.step;
            four[i] =
                at < place.last ? rs_cu_load<W>(x + at * cut.channels + place.channel) : rs_cu_zeros<W>();
        }
        run.shift = k == 0 ? four[0] : run.shift;
        RS_CU_UNROLL
        for (int i = 0; i < 4; i++) {
            const bool there = row + i * place.step < place.last;
            run.count += there ? 1 : 0;
            RS_CU_UNROLL
            for (int e = 0; there && e < W; e++) {
                const float d = four[i].v[e] - run.shift.v[e];
                run.sum.v[e] += d;
                run.square.v[e] = fmaf(d, d, run.square.v[e]);
            }
        }
        row += 4 * place.step;
    }
    return run;
}

template <int W>
RS_CU_INLINE void rs_cu_norm_statistics_of(const rs_cu_cut &cut, const float *x, double *partial)
{
    RS_CU_SHARED(double, shared, 2 * W * RS_CU_THREADS);
    const rs_cu_place<W> place = rs_cu_place_of<W>(cut);
    double sums[2][W] = {};
    if (place.inside) {
        const rs_cu_lanes<W> base = rs_cu_load<W>(x + place.channel);
        for (int64_t row = place.first; row < place.last; row += RS_CU_RUN * place.step) {
            const rs_cu_run_sums<W> run = rs_cu_sum_run<W>(cut, place, x, row);
            RS_CU_UNROLL
            for (int e = 0; e < W; e++) {
                const double count = (double)run.count, sum = (double)run.sum.v[e];
                const double moved = (double)run.shift.v[e] - (double)base.v[e];
                sums[0][e] += sum + count * moved;
                sums[1][e] += (double)run.square.v[e] + moved * (2.0 * sum + count * moved);
            }
        }
    }
    rs_cu_put_partial<W, 2>(cut, place, sums, shared, partial);
}

RS_CU_GLOBAL rs_cu_k_norm_statistics_4(rs_cu_cut cut, const float *x, double *partial)
{
    rs_cu_norm_statistics_of<4>(cut, x, partial);
}

RS_CU_GLOBAL rs_cu_k_norm_statistics_1(rs_cu_cut cut, const float *x, double *partial)
{
    rs_cu_norm_statistics_of<1>(cut, x, partial);
}

/* running = (1 - momentum) running + momentum value. */
RS_CU_INLINE void rs_cu_norm_move(float *running, double momentum, double value)
{
    *running = (float)((1.0 - momentum) * (double)*running + momentum * value);
}

RS_CU_GLOBAL rs_cu_k_norm_finish(rs_cu_norm norm, rs_cu_cut cut)
{
    RS_CU_SHARED(double, shared, 2 * RS_CU_THREADS);
    double total[2];
    int channel;
    if (!rs_cu_join_pieces<2>(norm.partial, cut, &channel, shared, total)) {
        return;
    }
    const double n = (double)norm.rows, mean = (double)norm.x[channel] + total[0] / n;
    const double around = (total[1] - total[0] * (total[0] / n)) / n, variance = around < 0.0 ? 0.0 : around;
    norm.mean[channel] = (float)mean;
    norm.inverse[channel] = (float)(1.0 / sqrt(variance + norm.epsilon));
    rs_cu_norm_move(norm.running_mean + channel, norm.momentum, mean);
    rs_cu_norm_move(norm.running_variance + channel, norm.momentum,
                    n > 1.0 ? variance * (n / (n - 1.0)) : variance);
}

RS_CU_GLOBAL rs_cu_k_norm_running(rs_cu_norm norm)
{
    const int channel = (int)(blockIdx.x * RS_CU_THREADS + threadIdx.x);
    if (channel < norm.channels) {
        norm.mean[channel] = norm.running_mean[channel];
        norm.inverse[channel] = (float)(1.0 / sqrt((double)norm.running_variance[channel] + norm.epsilon));
    }
}

/* --- vectors and bits ---------------------------------------------------------------------------------- */

/* y = (x - mean) scale + shift; dx = scale (dy' - constant + slope (x - mean)). */
template <int W> struct rs_cu_norm_lanes {
    rs_cu_lanes<W> mean, scale, shift;
};

/* The first thread row makes the vectors of a block; `shared` has 3 * RS_CU_STRIP places. */
template <int W>
RS_CU_INLINE rs_cu_norm_lanes<W> rs_cu_norm_vectors(const rs_cu_norm &norm, const rs_cu_place<W> &place,
                                                    float *shared)
{
    float *at = shared + place.lane * W;
    if (place.down == 0 && place.inside) {
        const rs_cu_lanes<W> weight = rs_cu_load<W>(norm.weight + place.channel);
        rs_cu_lanes<W> scale = rs_cu_load<W>(norm.inverse + place.channel);
        RS_CU_UNROLL
        for (int e = 0; e < W; e++) {
            scale.v[e] = weight.v[e] * scale.v[e];
        }
        rs_cu_store<W>(at, rs_cu_load<W>(norm.mean + place.channel));
        rs_cu_store<W>(at + RS_CU_STRIP, scale);
        rs_cu_store<W>(at + 2 * RS_CU_STRIP, rs_cu_load<W>(norm.bias + place.channel));
    }
    __syncthreads();
    rs_cu_norm_lanes<W> v = {rs_cu_zeros<W>(), rs_cu_zeros<W>(), rs_cu_zeros<W>()};
    if (place.inside) {
        v.mean = rs_cu_load<W>(at);
        v.scale = rs_cu_load<W>(at + RS_CU_STRIP);
        v.shift = rs_cu_load<W>(at + 2 * RS_CU_STRIP);
    }
    return v;
}

/* Before join and ReLU; backward finds the ReLU's mask by the same operations. */
RS_CU_INLINE float rs_cu_normalised(float centred, float scale, float shift)
{
    return fmaf(centred, scale, shift);
}

RS_CU_INLINE int64_t rs_cu_norm_words(const rs_cu_cut &cut)
{
    return (cut.channels + 31) / 32;
}

/* Which of a row's z are positive, for all threads of a warp at once: those beside the matrix (!there) take
 * part. */
template <int W>
RS_CU_INLINE void rs_cu_put_positive(uint32_t *positive, const rs_cu_cut &cut, const rs_cu_place<W> &place,
                                     int64_t row, bool there, const rs_cu_lanes<W> &z)
{
    uint32_t *words = positive + row * rs_cu_norm_words(cut);
    unsigned bits = 0;
    RS_CU_UNROLL
    for (int e = 0; e < W; e++) {
        bits |= there && z.v[e] > 0.0f ? 1u << e : 0u;
    }
    if constexpr (W == 4) {
        const unsigned beside = __shfl_xor_sync(RS_CU_ALL_LANES, bits, 1);
        if (there && place.lane % 2 == 0) {
            reinterpret_cast<uint8_t *>(words)[place.channel / 8] = (uint8_t)(bits | beside << 4);
        }
    } else {
        const unsigned word = __ballot_sync(RS_CU_ALL_LANES, bits != 0);
        if (there && place.lane == 0) {
            words[place.strip] = word;
        }
    }
}

/* Bit e is that of channel + e. */
template <int W>
RS_CU_INLINE unsigned rs_cu_take_positive(const uint32_t *positive, const rs_cu_cut &cut,
                                          const rs_cu_place<W> &place, int64_t row)
{
    const uint32_t *words = positive + row * rs_cu_norm_words(cut);
    if constexpr (W == 4) {
        return (unsigned)reinterpret_cast<const uint8_t *>(words)[place.channel / 8] >> (place.channel & 4);
    } else {
        return words[place.strip] >> place.lane;
    }
}

/* --- forward ------------------------------------------------------------------------------------------- */

/* N rows from `row` on. */
template <int W, int N>
RS_CU_INLINE void rs_cu_norm_forward_rows(const rs_cu_norm &norm, const rs_cu_cut &cut,
                                          const rs_cu_place<W> &place, const rs_cu_norm_lanes<W> &v,
                                          int64_t row)
{
    rs_cu_lanes<W> z[N], residual[N];
    RS_CU_UNROLL
    for (int i = 0; i < N; i++) {
        const int64_t r = row + i * place.step, at = r * cut.channels + place.channel;
        const bool there = place.inside && r < place.last;
        z[i] = there ? rs_cu_load<W>(norm.x + at) : rs_cu_zeros<W>();
        residual[i] = there && norm.residual ? rs_cu_load<W>(norm.residual + at) : rs_cu_zeros<W>();
    }
    RS_CU_UNROLL
    for (int i = 0; i < N; i++) {
        const int64_t r = row + i * place.step;
        const bool there = place.inside && r < place.last;
        RS_CU_UNROLL
        for (int e = 0; e < W; e++) {
            z[i].v[e] = rs_cu_normalised(z[i].v[e] - v.mean.v[e], v.scale.v[e], v.shift.v[e]);
            z[i].v[e] = norm.residual ? z[i].v[e] + residual[i].v[e] : z[i].v[e];
        }
        if (norm.positive) {
            rs_cu_put_positive<W>(norm.positive, cut, place, r, there, z[i]);
        }
        RS_CU_UNROLL
        for (int e = 0; e < W; e++) {
            z[i].v[e] = norm.relu && z[i].v[e] < 0.0f ? 0.0f : z[i].v[e];
        }
        if (there) {
            rs_cu_store<W>(norm.y + r * cut.channels + place.channel, z[i]);
        }
    }
}

template <int W> RS_CU_INLINE void rs_cu_norm_forward_of(const rs_cu_norm &norm, const rs_cu_cut &cut)
{
    RS_CU_SHARED(float, shared, 3 * RS_CU_STRIP);
    const rs_cu_place<W> place = rs_cu_place_of<W>(cut);
    const rs_cu_norm_lanes<W> v = rs_cu_norm_vectors<W>(norm, place, shared);
    for (int k = 0; k < RS_CU_ROWS; k += 4) {
        rs_cu_norm_forward_rows<W, 4>(norm, cut, place, v, place.first + k * place.step);
    }
}

RS_CU_GLOBAL rs_cu_k_norm_forward_4(rs_cu_norm norm, rs_cu_cut cut)
{
    rs_cu_norm_forward_of<4>(norm, cut);
}

RS_CU_GLOBAL rs_cu_k_norm_forward_1(rs_cu_norm norm, rs_cu_cut cut)
{
    rs_cu_norm_forward_of<1>(norm, cut);
}

/* --- backward ------------------------------------------------------------------------------------------ */

/* Of N rows from `row` on: g, the gradient before the ReLU, and c = x - mean; zeros beside the matrix. */
template <int W, int N>
RS_CU_INLINE void rs_cu_norm_take_rows(const rs_cu_norm &norm, const rs_cu_cut &cut,
                                       const rs_cu_place<W> &place, const rs_cu_norm_lanes<W> &v, int64_t row,
                                       rs_cu_lanes<W> (&g)[N], rs_cu_lanes<W> (&c)[N])
{
    rs_cu_lanes<W> addend[N];
    unsigned bits[N];
    RS_CU_UNROLL
    for (int i = 0; i < N; i++) {
        const int64_t r = row + i * place.step, at = r * cut.channels + place.channel;
        const bool there = place.inside && r < place.last;
        g[i] = there ? rs_cu_load<W>(norm.dy + at) : rs_cu_zeros<W>();
        c[i] = there ? rs_cu_load<W>(norm.x + at) : v.mean;
        addend[i] = there && norm.addend ? rs_cu_load<W>(norm.addend + at) : rs_cu_zeros<W>();
        bits[i] = there && norm.positive ? rs_cu_take_positive<W>(norm.positive, cut, place, r) : ~0u;
    }
    RS_CU_UNROLL
    for (int i = 0; i < N; i++) {
        RS_CU_UNROLL
        for (int e = 0; e < W; e++) {
            c[i].v[e] -= v.mean.v[e];
            g[i].v[e] = norm.addend ? g[i].v[e] + addend[i].v[e] : g[i].v[e];
            bool through = (bits[i] >> e & 1u) != 0;
            if (norm.relu && !norm.positive) {
                through = rs_cu_normalised(c[i].v[e], v.scale.v[e], v.shift.v[e]) > 0.0f;
            }
            g[i].v[e] = through ? g[i].v[e] : 0.0f;
        }
    }
}

/* Sums of g and of g c, in float over a run, then in double. */
template <int W> RS_CU_INLINE void rs_cu_norm_gradients_of(const rs_cu_norm &norm, const rs_cu_cut &cut)
{
    RS_CU_SHARED(float, vectors, 3 * RS_CU_STRIP);
    RS_CU_SHARED(double, shared, 2 * W * RS_CU_THREADS);
    const rs_cu_place<W> place = rs_cu_place_of<W>(cut);
    const rs_cu_norm_lanes<W> v = rs_cu_norm_vectors<W>(norm, place, vectors);
    double sums[2][W] = {};
    for (int64_t row = place.first; place.inside && row < place.last; row += RS_CU_RUN * place.step) {
        rs_cu_lanes<W> sum = rs_cu_zeros<W>(), product = rs_cu_zeros<W>();
        for (int k = 0; k < RS_CU_RUN && row + k * place.step < place.last; k += 4) {
            rs_cu_lanes<W> g[4], c[4];
            rs_cu_norm_take_rows<W, 4>(norm, cut, place, v, row + k * place.step, g, c);
            RS_CU_UNROLL
            for (int i = 0; i < 4; i++) {
                RS_CU_UNROLL
                for (int e = 0; e < W; e++) {
                    sum.v[e] += g[i].v[e];
                    product.v[e] = fmaf(g[i].v[e], c[i].v[e], product.v[e]);
                }
            }
        }
        RS_CU_UNROLL
        for (int e = 0; e < W; e++) {
            sums[0][e] += (double)sum.v[e];
            sums[1][e] += (double)product.v[e];
        }
    }
    rs_cu_put_partial<W, 2>(cut, place, sums, shared, norm.partial);
}

RS_CU_GLOBAL rs_cu_k_norm_gradients_4(rs_cu_norm norm, rs_cu_cut cut)
{
    rs_cu_norm_gradients_of<4>(norm, cut);
}

RS_CU_GLOBAL rs_cu_k_norm_gradients_1(rs_cu_norm norm, rs_cu_cut cut)
{
    rs_cu_norm_gradients_of<1>(norm, cut);
}

RS_CU_GLOBAL rs_cu_k_norm_gradients_finish(rs_cu_norm norm, rs_cu_cut cut)
{
    RS_CU_SHARED(double, shared, 2 * RS_CU_THREADS);
    double total[2];
    int channel;
    if (rs_cu_join_pieces<2>(norm.partial, cut, &channel, shared, total)) {
        norm.dbias[channel] = (float)total[0];
        norm.dweight[channel] = (float)(total[1] * (double)norm.inverse[channel]);
    }
}

/* constant = dbias / n and slope = - inverse dweight / n, as rs_cu_norm_vectors makes the others; 0 where the statistics
 * are fixed. */
template <int W>
RS_CU_INLINE void rs_cu_norm_slopes(const rs_cu_norm &norm, const rs_cu_place<W> &place, float *shared,
                                    rs_cu_lanes<W> *constant, rs_cu_lanes<W> *slope)
{
    float *at = shared + place.lane * W;
    if (norm.fixed) {
        *constant = *slope = rs_cu_zeros<W>();
        return;
    }
    if (place.down == 0 && place.inside) {
        const rs_cu_lanes<W> inverse = rs_cu_load<W>(norm.inverse + place.channel);
        rs_cu_lanes<W> sum = rs_cu_load<W>(norm.dbias + place.channel);
        rs_cu_lanes<W> product = rs_cu_load<W>(norm.dweight + place.channel);
        RS_CU_UNROLL
        for (int e = 0; e < W; e++) {
            sum.v[e] = (float)((double)sum.v[e] / (double)norm.rows);
            product.v[e] = (float)(-(double)inverse.v[e] * (double)product.v[e] / (double)norm.rows);
        }
        rs_cu_store<W>(at, sum);
        rs_cu_store<W>(at + RS_CU_STRIP, product);
    }
    __syncthreads();
    *constant = place.inside ? rs_cu_load<W>(at) : rs_cu_zeros<W>();
    *slope = place.inside ? rs_cu_load<W>(at + RS_CU_STRIP) : rs_cu_zeros<W>();
}

template <int W> RS_CU_INLINE void rs_cu_norm_backward_of(const rs_cu_norm &norm, const rs_cu_cut &cut)
{
    RS_CU_SHARED(float, vectors, 3 * RS_CU_STRIP);
    RS_CU_SHARED(float, slopes, 2 * RS_CU_STRIP);
    const rs_cu_place<W> place = rs_cu_place_of<W>(cut);
    const rs_cu_norm_lanes<W> v = rs_cu_norm_vectors<W>(norm, place, vectors);
    rs_cu_lanes<W> constant, slope;
    rs_cu_norm_slopes<W>(norm, place, slopes, &constant, &slope);
    for (int k = 0; place.inside && k < RS_CU_ROWS; k += 2) {
        const int64_t row = place.first + k * place.step;
        rs_cu_lanes<W> g[2], c[2];
        rs_cu_norm_take_rows<W, 2>(norm, cut, place, v, row, g, c);
        RS_CU_UNROLL
        for (int i = 0; i < 2; i++) {
            const int64_t r = row + i * place.step, at = r * cut.channels + place.channel;
            if (r < place.last && norm.pass_residual != RS_PASS_NONE) {
                rs_cu_put<W>(norm.dresidual + at, g[i], norm.pass_residual);
            }
            RS_CU_UNROLL
            for (int e = 0; e < W; e++) {
                g[i].v[e] = v.scale.v[e] * fmaf(slope.v[e], c[i].v[e], g[i].v[e] - constant.v[e]);
            }
            if (r < place.last && norm.pass_x != RS_PASS_NONE) {
                rs_cu_put<W>(norm.dx + at, g[i], norm.pass_x);
            }
        }
    }
}

RS_CU_GLOBAL rs_cu_k_norm_backward_4(rs_cu_norm norm, rs_cu_cut cut)
{
    rs_cu_norm_backward_of<4>(norm, cut);
}

RS_CU_GLOBAL rs_cu_k_norm_backward_1(rs_cu_norm norm, rs_cu_cut cut)
{
    rs_cu_norm_backward_of<1>(norm, cut);
}

#endif
