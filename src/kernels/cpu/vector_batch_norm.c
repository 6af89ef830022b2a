/* vector_batch_norm.c: batch norm with an optional residual join and ReLU, forward and backward, on ranges.
 *
 * Statistics: a run of at most RUN positions of one sample's block is summed in float twice while it lies in
 * the first cache (mean, then squares around that mean) and joins the double sums; tiny maps go to doubles
 * directly. The ReLU's mask is recomputed from x in backward (the same operations give the same sign), so that
 * y need not be read; after a residual join forward leaves it as bits. */
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

/* Vectors of a channel block. */
typedef struct lanes {
    rs_vf mean, scale, shift, constant, slope;
} lanes;

RS_INLINE lanes load_lanes(const rs__norm_vectors *v, int64_t block)
{
    int64_t at = block * RS_LANES;
    return (lanes){rs_load(v->mean + at), rs_load(v->scale + at), rs_load(v->shift + at),
                   rs_load(v->constant + at), rs_load(v->slope + at)};
}

RS_INLINE int64_t plane_at(const rs__range *range, int64_t sample, int64_t block)
{
    return (sample * range->blocks + block) * range->positions;
}

RS_INLINE rs_vf normalised(const lanes *l, const float *x, const float *residual, int64_t i)
{
    rs_vf z = rs_fma(rs_load(x + i * RS_LANES) - l->mean, l->scale, l->shift);
    if (residual) {
        z += rs_load(residual + i * RS_LANES);
    }
    return z;
}

/* The bits of four vectors are stored at once: stores by the vector would fill the store buffer, which hides the
 * latency of writing y. */
RS_INLINE void forward_range(const rs__range *range, const rs__norm_vectors *v, const rs__norm_tensors *t,
                             bool joined, bool relu, bool stream)
{
    const float *x = t->x, *residual = t->residual;
    float *y = t->y;
    rs_bits *positive = t->positive;
    for (int64_t n = range->first; n < range->last; n++) {
        for (int64_t b = range->block_first; b < range->block_last; b++) {
            int64_t first = plane_at(range, n, b);
            lanes l = load_lanes(v, b);
            int64_t i = first, end = first + range->positions;
            for (; joined && relu && i + 4 <= end; i += 4) {
                rs_bits_of_4 bits = 0;
                for (int k = 0; k < 4; k++) {
                    rs_vf z = normalised(&l, x, residual, i + k);
                    bits |= (rs_bits_of_4)rs_positive_bits(z) << (k * RS_LANES);
                    rs_store_or_stream(y + (i + k) * RS_LANES, rs_relu(z), stream);
                }
                __builtin_memcpy(positive + i, &bits, sizeof bits);
            }
            for (; i < end; i++) {
                rs_vf z = normalised(&l, x, joined ? residual : NULL, i);
                if (joined && relu) {
                    positive[i] = rs_positive_bits(z);
                }
                rs_store_or_stream(y + i * RS_LANES, relu ? rs_relu(z) : z, stream);
            }
        }
    }
}

/* Constants for what is decided once: each combination gets a loop of its own, without branches. */
RS_INLINE void forward_stored(const rs__range *range, const rs__norm_vectors *v, const rs__norm_tensors *t,
                              bool stream)
{
    if (t->joined) {
        if (t->relu) {
            forward_range(range, v, t, true, true, stream);
        } else {
            forward_range(range, v, t, true, false, stream);
        }
    } else if (t->relu) {
        forward_range(range, v, t, false, true, stream);
    } else {
        forward_range(range, v, t, false, false, stream);
    }
}

void RS_ISA(rs__norm_forward)(const rs__range *range, const rs__norm_vectors *v, const rs__norm_tensors *t)
{
    if (t->stream) {
        forward_stored(range, v, t, true);
        rs_stream_end();
    } else {
        forward_stored(range, v, t, false);
    }
}

/* How the gradient of y becomes the gradient before the ReLU. */
typedef enum mask { MASK_NONE, MASK_FROM_X, MASK_FROM_BITS, MASK_FROM_BITS_OF_SUM } mask;

RS_INLINE mask mask_of(const rs__norm_tensors *t)
{
    return !t->relu     ? MASK_NONE
           : !t->joined ? MASK_FROM_X
           : t->addend  ? MASK_FROM_BITS_OF_SUM
                        : MASK_FROM_BITS;
}

/* dy' of vector i. */
RS_INLINE rs_vf gradient_before(mask kind, const rs__norm_tensors *t, int64_t i, rs_vf centred,
                                const lanes *l)
{
    rs_vf dy = rs_load(t->dy + i * RS_LANES);
    switch (kind) {
    case MASK_FROM_X:
        return rs_where_positive(rs_fma(centred, l->scale, l->shift), dy);
    case MASK_FROM_BITS:
        return rs_where_bits(((const rs_bits *)t->positive)[i], dy);
    case MASK_FROM_BITS_OF_SUM:
        return rs_where_bits(((const rs_bits *)t->positive)[i], dy + rs_load(t->addend + i * RS_LANES));
    default:
        return dy;
    }
}

/* Sums over at most RUN vectors from i on, in float; they join the doubles. */
RS_INLINE void gradients_run(const rs__norm_tensors *t, const lanes *l, int64_t i, int64_t count, mask kind,
                             bool store, sums *sum, sums *product)
{
    rs_vf s0 = {0}, s1 = {0}, p0 = {0}, p1 = {0};
    int64_t end = i + count;
    for (; i + 2 <= end; i += 2) {
        rs_vf c0 = rs_load(t->x + i * RS_LANES) - l->mean, c1 = rs_load(t->x + (i + 1) * RS_LANES) - l->mean;
        rs_vf g0 = gradient_before(kind, t, i, c0, l), g1 = gradient_before(kind, t, i + 1, c1, l);
        if (store) {
            rs_store(t->dresidual + i * RS_LANES, g0);
            rs_store(t->dresidual + (i + 1) * RS_LANES, g1);
        }
        s0 += g0;
        s1 += g1;
        p0 = rs_fma(g0, c0, p0);
        p1 = rs_fma(g1, c1, p1);
    }
    if (i < end) {
        rs_vf c = rs_load(t->x + i * RS_LANES) - l->mean, g = gradient_before(kind, t, i, c, l);
        if (store) {
            rs_store(t->dresidual + i * RS_LANES, g);
        }
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
                               mask kind, bool store, double *sum, double *product)
{
    const rs__norm_tensors own = *t; /* whose pointers no store can change */
    clear_sums(range, sum);
    clear_sums(range, product);
    for (int64_t n = range->first; n < range->last; n++) {
        for (int64_t b = range->block_first; b < range->block_last; b++) {
            int64_t first = plane_at(range, n, b), end = first + range->positions;
            sums s = load_sums(sum + b * RS_LANES), p = load_sums(product + b * RS_LANES);
            lanes l = load_lanes(v, b);
            for (int64_t i = first; i < end; i += RUN) {
                gradients_run(&own, &l, i, end - i < RUN ? end - i : RUN, kind, store, &s, &p);
            }
            store_sums(sum + b * RS_LANES, s);
            store_sums(product + b * RS_LANES, p);
        }
    }
}

void RS_ISA(rs__norm_gradients)(const rs__range *range, const rs__norm_vectors *v, const rs__norm_tensors *t,
                                double *sum, double *product)
{
    bool store = t->pass_residual == RS_PASS_SET;
    mask kind = mask_of(t);
    if (kind == MASK_FROM_X) {
        gradients_range(range, v, t, MASK_FROM_X, false, sum, product);
    } else if (kind == MASK_FROM_BITS && store) {
        gradients_range(range, v, t, MASK_FROM_BITS, true, sum, product);
    } else if (kind == MASK_FROM_BITS_OF_SUM && store) {
        gradients_range(range, v, t, MASK_FROM_BITS_OF_SUM, true, sum, product);
    } else {
        gradients_range(range, v, t, kind, store, sum, product);
    }
}

RS_INLINE void put(float *at, rs_vf value, rs_pass pass, bool stream)
{
    if (pass == RS_PASS_ADD) {
        rs_store(at, rs_load(at) + value);
    } else if (pass == RS_PASS_SET) {
        rs_store_or_stream(at, value, stream);
    }
}

RS_INLINE void backward_range(const rs__range *range, const rs__norm_vectors *v, const rs__norm_tensors *t,
                              mask kind, rs_pass pass_x, rs_pass pass_residual, bool stream)
{
    const rs__norm_tensors own = *t; /* whose pointers no store can change */
    for (int64_t n = range->first; n < range->last; n++) {
        for (int64_t b = range->block_first; b < range->block_last; b++) {
            int64_t first = plane_at(range, n, b);
            lanes l = load_lanes(v, b);
            for (int64_t i = first; i < first + range->positions; i++) {
                rs_vf centred = rs_load(own.x + i * RS_LANES) - l.mean;
                rs_vf g = gradient_before(kind, &own, i, centred, &l);
                if (pass_residual != RS_PASS_NONE) {
                    put(own.dresidual + i * RS_LANES, g, pass_residual, stream);
                }
                if (pass_x != RS_PASS_NONE) {
                    put(own.dx + i * RS_LANES, l.scale * rs_fma(l.slope, centred, g - l.constant), pass_x,
                        stream);
                }
            }
        }
    }
}

/* The common combinations get loops of their own; the rest decides inside the loop. */
void RS_ISA(rs__norm_backward)(const rs__range *range, const rs__norm_vectors *v, const rs__norm_tensors *t)
{
    mask kind = mask_of(t);
    bool set_x = t->pass_x == RS_PASS_SET && t->pass_residual == RS_PASS_NONE;
    if (set_x && kind == MASK_FROM_X && t->stream) {
        backward_range(range, v, t, MASK_FROM_X, RS_PASS_SET, RS_PASS_NONE, true);
    } else if (set_x && kind == MASK_NONE && t->stream) {
        backward_range(range, v, t, MASK_NONE, RS_PASS_SET, RS_PASS_NONE, true);
    } else if (set_x && kind == MASK_FROM_X) {
        backward_range(range, v, t, MASK_FROM_X, RS_PASS_SET, RS_PASS_NONE, false);
    } else if (set_x && kind == MASK_NONE) {
        backward_range(range, v, t, MASK_NONE, RS_PASS_SET, RS_PASS_NONE, false);
    } else {
        backward_range(range, v, t, kind, t->pass_x, t->pass_residual, t->stream);
    }
    if (t->stream) {
        rs_stream_end();
    }
}
