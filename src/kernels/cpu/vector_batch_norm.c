/* vector_batch_norm.c: batch norm with an optional residual join and ReLU, forward and backward, on ranges.
 *
 * Statistics: a run of at most RUN positions of one sample's block is summed in float twice while it lies in
 * the first cache (mean, then squares around that mean) and joins the double sums; tiny maps go to doubles
 * directly. The ReLU's mask is recomputed from x in backward (the same operations give the same sign), so that
 * y need not be read; after a residual join it is taken from y. */
#include "kernels.h"
#include "vector.h"

#define RUN       64 /* positions: 4 KiB of AVX-512 vectors */
#define SHORT_MAP 8  /* fewer positions than this go to doubles one by one */

typedef struct sums {
    rs_vd low, high;
} sums;

RS_INLINE sums load_sums(const double *at)
{
    return (sums){*(const rs_vd *)at, *(const rs_vd *)(at + RS_LANES / 2)};
}

RS_INLINE void store_sums(double *at, sums s)
{
    *(rs_vd *)at = s.low;
    *(rs_vd *)(at + RS_LANES / 2) = s.high;
}

RS_INLINE void clear_sums(const rs__range *range, double *sum)
{
    for (int64_t c = range->block_first * RS_LANES; c < range->block_last * RS_LANES; c++) {
        sum[c] = 0.0;
    }
}

RS_INLINE rs_vf broadcast(float value)
{
    rs_vf zero = {0};
    return zero + value;
}

/* Adds a run: sum += S, square += sum (x - S/n)^2 + S^2 / n. */
RS_INLINE void add_run(const float *x, int64_t count, sums *sum, sums *square)
{
    rs_vf total0 = {0}, total1 = {0}, total2 = {0}, total3 = {0};
    int64_t i = 0;
    for (; i + 4 <= count; i += 4) {
        total0 += rs_load(x + i * RS_LANES);
        total1 += rs_load(x + (i + 1) * RS_LANES);
        total2 += rs_load(x + (i + 2) * RS_LANES);
        total3 += rs_load(x + (i + 3) * RS_LANES);
    }
    for (; i < count; i++) {
        total0 += rs_load(x + i * RS_LANES);
    }
    rs_vf total = (total0 + total1) + (total2 + total3);
    rs_vf mean = total * broadcast(1.0f / (float)count);
    rs_vf around0 = {0}, around1 = {0}, rest0 = {0}, rest1 = {0};
    for (i = 0; i + 2 <= count; i += 2) {
        rs_vf d0 = rs_load(x + i * RS_LANES) - mean, d1 = rs_load(x + (i + 1) * RS_LANES) - mean;
        around0 = rs_fma(d0, d0, around0);
        around1 = rs_fma(d1, d1, around1);
        rest0 += d0;
        rest1 += d1;
    }
    for (; i < count; i++) {
        rs_vf d = rs_load(x + i * RS_LANES) - mean;
        around0 = rs_fma(d, d, around0);
        rest0 += d;
    }
    /* With m the rounded mean and r = sum (x - m):  sum x = n m + r,  sum x^2 = around + 2 m r + n m^2. */
    rs_vf around = around0 + around1, rest = rest0 + rest1;
    double n = (double)count;
    rs_vd mean_low = rs_widen_low(mean), mean_high = rs_widen_high(mean);
    rs_vd rest_low = rs_widen_low(rest), rest_high = rs_widen_high(rest);
    sum->low += n * mean_low + rest_low;
    sum->high += n * mean_high + rest_high;
    square->low += rs_widen_low(around) + mean_low * (n * mean_low + 2.0 * rest_low);
    square->high += rs_widen_high(around) + mean_high * (n * mean_high + 2.0 * rest_high);
}

RS_INLINE void add_each(const float *x, int64_t count, sums *sum, sums *square)
{
    for (int64_t i = 0; i < count; i++) {
        rs_vf v = rs_load(x + i * RS_LANES);
        rs_vd low = rs_widen_low(v), high = rs_widen_high(v);
        sum->low += low;
        sum->high += high;
        square->low += low * low;
        square->high += high * high;
    }
}

void RS_ISA(rs__norm_statistics)(const rs__range *range, const float *x, double *sum, double *square)
{
    clear_sums(range, sum);
    clear_sums(range, square);
    for (int64_t n = range->first; n < range->last; n++) {
        for (int64_t b = range->block_first; b < range->block_last; b++) {
            const float *plane = x + (n * range->blocks + b) * range->positions * RS_LANES;
            sums s = load_sums(sum + b * RS_LANES), q = load_sums(square + b * RS_LANES);
            if (range->positions < SHORT_MAP) {
                add_each(plane, range->positions, &s, &q);
            }
            for (int64_t i = 0; range->positions >= SHORT_MAP && i < range->positions; i += RUN) {
                int64_t rest = range->positions - i;
                add_run(plane + i * RS_LANES, rest < RUN ? rest : RUN, &s, &q);
            }
            store_sums(sum + b * RS_LANES, s);
            store_sums(square + b * RS_LANES, q);
        }
    }
}

RS_INLINE void forward_plane(const rs__norm_vectors *v, int64_t block, const float *x, const float *residual,
                             float *y, int64_t count, bool relu)
{
    rs_vf mean = rs_load(v->mean + block * RS_LANES), scale = rs_load(v->scale + block * RS_LANES);
    rs_vf shift = rs_load(v->shift + block * RS_LANES);
    for (int64_t i = 0; i < count * RS_LANES; i += RS_LANES) {
        rs_vf z = rs_fma(rs_load(x + i) - mean, scale, shift);
        if (residual) {
            z += rs_load(residual + i);
        }
        rs_store(y + i, relu ? rs_relu(z) : z);
    }
}

RS_INLINE void forward_range(const rs__range *range, const rs__norm_vectors *v, const rs__norm_tensors *t,
                             bool joined, bool relu)
{
    for (int64_t n = range->first; n < range->last; n++) {
        for (int64_t b = range->block_first; b < range->block_last; b++) {
            int64_t at = (n * range->blocks + b) * range->positions * RS_LANES;
            forward_plane(v, b, t->x + at, joined ? t->residual + at : NULL, t->y + at, range->positions,
                          relu);
        }
    }
}

void RS_ISA(rs__norm_forward)(const rs__range *range, const rs__norm_vectors *v, const rs__norm_tensors *t)
{
    if (t->joined) {
        if (t->relu) {
            forward_range(range, v, t, true, true);
        } else {
            forward_range(range, v, t, true, false);
        }
    } else if (t->relu) {
        forward_range(range, v, t, false, true);
    } else {
        forward_range(range, v, t, false, false);
    }
}

/* How the gradient of y becomes the gradient before the ReLU. */
typedef enum mask { MASK_NONE, MASK_FROM_X, MASK_FROM_Y } mask;

RS_INLINE mask mask_of(const rs__norm_tensors *t)
{
    return !t->relu ? MASK_NONE : t->joined ? MASK_FROM_Y : MASK_FROM_X;
}

RS_INLINE rs_vf masked(mask kind, rs_vf dy, rs_vf centred, rs_vf scale, rs_vf shift, const float *y)
{
    switch (kind) {
    case MASK_FROM_X:
        return rs_where_positive(rs_fma(centred, scale, shift), dy);
    case MASK_FROM_Y:
        return rs_where_positive(rs_load(y), dy);
    default:
        return dy;
    }
}

RS_INLINE void gradients_run(const rs__norm_vectors *v, int64_t block, const float *x, const float *dy,
                             const float *y, int64_t count, mask kind, sums *sum, sums *product)
{
    rs_vf mean = rs_load(v->mean + block * RS_LANES), scale = rs_load(v->scale + block * RS_LANES);
    rs_vf shift = rs_load(v->shift + block * RS_LANES);
    rs_vf s0 = {0}, s1 = {0}, p0 = {0}, p1 = {0};
    int64_t i = 0;
    for (; i + 2 <= count; i += 2) {
        int64_t a = i * RS_LANES, b = a + RS_LANES;
        rs_vf c0 = rs_load(x + a) - mean, c1 = rs_load(x + b) - mean;
        rs_vf g0 = masked(kind, rs_load(dy + a), c0, scale, shift, y + a);
        rs_vf g1 = masked(kind, rs_load(dy + b), c1, scale, shift, y + b);
        s0 += g0;
        s1 += g1;
        p0 = rs_fma(g0, c0, p0);
        p1 = rs_fma(g1, c1, p1);
    }
    if (i < count) {
        rs_vf c = rs_load(x + i * RS_LANES) - mean;
        rs_vf g = masked(kind, rs_load(dy + i * RS_LANES), c, scale, shift, y + i * RS_LANES);
        s0 += g;
        p0 = rs_fma(g, c, p0);
    }
    s0 += s1;
    p0 += p1;
    sum->low += rs_widen_low(s0);
    sum->high += rs_widen_high(s0);
    product->low += rs_widen_low(p0);
    product->high += rs_widen_high(p0);
}

RS_INLINE void gradients_range(const rs__range *range, const rs__norm_vectors *v, const rs__norm_tensors *t,
                               mask kind, double *sum, double *product)
{
    clear_sums(range, sum);
    clear_sums(range, product);
    for (int64_t n = range->first; n < range->last; n++) {
        for (int64_t b = range->block_first; b < range->block_last; b++) {
            int64_t plane = (n * range->blocks + b) * range->positions * RS_LANES;
            sums s = load_sums(sum + b * RS_LANES), p = load_sums(product + b * RS_LANES);
            for (int64_t i = 0; i < range->positions; i += RUN) {
                int64_t rest = range->positions - i, at = plane + i * RS_LANES;
                gradients_run(v, b, t->x + at, t->dy + at, kind == MASK_FROM_Y ? t->y + at : t->dy + at,
                              rest < RUN ? rest : RUN, kind, &s, &p);
            }
            store_sums(sum + b * RS_LANES, s);
            store_sums(product + b * RS_LANES, p);
        }
    }
}

void RS_ISA(rs__norm_gradients)(const rs__range *range, const rs__norm_vectors *v, const rs__norm_tensors *t,
                                double *sum, double *product)
{
    switch (mask_of(t)) {
    case MASK_FROM_X:
        gradients_range(range, v, t, MASK_FROM_X, sum, product);
        break;
    case MASK_FROM_Y:
        gradients_range(range, v, t, MASK_FROM_Y, sum, product);
        break;
    default:
        gradients_range(range, v, t, MASK_NONE, sum, product);
        break;
    }
}

RS_INLINE void put(float *at, rs_vf value, rs_pass pass)
{
    if (pass == RS_PASS_ADD) {
        rs_store(at, rs_load(at) + value);
    } else if (pass == RS_PASS_SET) {
        rs_store(at, value);
    }
}

RS_INLINE void backward_range(const rs__range *range, const rs__norm_vectors *v, const rs__norm_tensors *t,
                              mask kind, rs_pass pass_x, rs_pass pass_residual)
{
    for (int64_t n = range->first; n < range->last; n++) {
        for (int64_t b = range->block_first; b < range->block_last; b++) {
            int64_t plane = (n * range->blocks + b) * range->positions * RS_LANES, c = b * RS_LANES;
            rs_vf mean = rs_load(v->mean + c), scale = rs_load(v->scale + c), shift = rs_load(v->shift + c);
            rs_vf constant = rs_load(v->constant + c), slope = rs_load(v->slope + c);
            for (int64_t i = plane; i < plane + range->positions * RS_LANES; i += RS_LANES) {
                rs_vf centred = rs_load(t->x + i) - mean;
                rs_vf g = masked(kind, rs_load(t->dy + i), centred, scale, shift,
                                 kind == MASK_FROM_Y ? t->y + i : t->dy + i);
                if (pass_residual != RS_PASS_NONE) {
                    put(t->dresidual + i, g, pass_residual);
                }
                if (pass_x != RS_PASS_NONE) {
                    put(t->dx + i, scale * rs_fma(slope, centred, g - constant), pass_x);
                }
            }
        }
    }
}

/* The common combinations get loops of their own; the rest decides inside the loop. */
void RS_ISA(rs__norm_backward)(const rs__range *range, const rs__norm_vectors *v, const rs__norm_tensors *t)
{
    mask kind = mask_of(t);
    bool set_x = t->pass_x == RS_PASS_SET;
    if (set_x && kind == MASK_FROM_X && t->pass_residual == RS_PASS_NONE) {
        backward_range(range, v, t, MASK_FROM_X, RS_PASS_SET, RS_PASS_NONE);
    } else if (set_x && kind == MASK_FROM_Y && t->pass_residual == RS_PASS_SET) {
        backward_range(range, v, t, MASK_FROM_Y, RS_PASS_SET, RS_PASS_SET);
    } else if (set_x && kind == MASK_NONE && t->pass_residual == RS_PASS_NONE) {
        backward_range(range, v, t, MASK_NONE, RS_PASS_SET, RS_PASS_NONE);
    } else {
        backward_range(range, v, t, kind, t->pass_x, t->pass_residual);
    }
}
