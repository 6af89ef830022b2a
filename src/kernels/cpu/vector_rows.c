/* vector_rows.c: softmax and row normalisation over the channels, at every position of a sample. Sums in double: the
 * blocks' lanes apart, joined in their order. */
#include "kernels.h"
#include "vector_exp.h"

/* What a sum over the channels runs over: blocks that lie `step` floats apart. */
typedef struct row {
    int64_t at, step, blocks;
    const rs__maps *maps;
} row;

RS_INLINE row row_at(const rs__maps *m, int64_t sample, int64_t position)
{
    return (row){.at = (sample * m->blocks * m->positions + position) * RS_LANES,
                 .step = m->positions * RS_LANES,
                 .blocks = m->blocks,
                 .maps = m};
}

RS_INLINE rs_bits real_lanes(const row *r, int64_t block)
{
    return rs_real_lanes(r->maps->channels, r->blocks, block);
}

RS_INLINE double total(rs_vd low, rs_vd high)
{
    double sum = 0.0;
    for (int i = 0; i < RS_LANES / 2; i++) {
        sum += low[i] + high[i];
    }
    return sum;
}

/* The largest channel; NaN wins. */
static double largest(const row *r, const float *x)
{
    double best = (double)x[r->at];
    for (int64_t c = 1; c < r->maps->channels; c++) {
        double v = (double)x[r->at + c / RS_LANES * r->step + c % RS_LANES];
        best = v > best || v != v ? v : best;
    }
    return best;
}

RS_INLINE double exponentials(const row *r, double most, const float *x, float *y)
{
    rs_vd low = {0}, high = {0};
    for (int64_t b = 0; b < r->blocks; b++) {
        int64_t at = r->at + b * r->step;
        rs_vf v = rs_load(x + at);
        v = rs_where_bits(real_lanes(r, b),
                          rs_narrow(rs_exp(rs_widen_low(v) - most), rs_exp(rs_widen_high(v) - most)));
        low += rs_widen_low(v);
        high += rs_widen_high(v);
        rs_store(y + at, v);
    }
    return total(low, high);
}

/* to = from / divisor, rounded once; from may be to. */
RS_INLINE void divide_row(const row *r, double divisor, const float *from, float *to)
{
    for (int64_t b = 0; b < r->blocks; b++) {
        int64_t at = r->at + b * r->step;
        rs_vf v = rs_load(from + at);
        rs_store(to + at, rs_where_bits(real_lanes(r, b),
                                        rs_narrow(rs_widen_low(v) / divisor, rs_widen_high(v) / divisor)));
    }
}

RS_INLINE double sum_row(const row *r, const float *x)
{
    rs_vd low = {0}, high = {0};
    for (int64_t b = 0; b < r->blocks; b++) {
        rs_vf v = rs_load(x + r->at + b * r->step);
        low += rs_widen_low(v);
        high += rs_widen_high(v);
    }
    return total(low, high);
}

RS_INLINE double product_row(const row *r, const float *x, const float *y)
{
    rs_vd low = {0}, high = {0};
    for (int64_t b = 0; b < r->blocks; b++) {
        int64_t at = r->at + b * r->step;
        rs_vf v = rs_load(x + at), w = rs_load(y + at);
        low += rs_widen_low(v) * rs_widen_low(w);
        high += rs_widen_high(v) * rs_widen_high(w);
    }
    return total(low, high);
}

void RS_ISA(rs__softmax_forward)(const rs__maps *m, int64_t first, int64_t last, const float *x, float *y)
{
    for (int64_t n = first; n < last; n++) {
        for (int64_t p = 0; p < m->positions; p++) {
            row r = row_at(m, n, p);
            double sum = exponentials(&r, largest(&r, x), x, y);
            divide_row(&r, sum, y, y);
        }
    }
}

void RS_ISA(rs__row_normalize_forward)(const rs__maps *m, int64_t first, int64_t last, const float *x,
                                       float *y)
{
    for (int64_t n = first; n < last; n++) {
        for (int64_t p = 0; p < m->positions; p++) {
            row r = row_at(m, n, p);
            divide_row(&r, sum_row(&r, x), x, y);
        }
    }
}

/* dx = factor (dy - mean), factor the values of `factors` or 1 / divisor. */
RS_INLINE void store_gradient(const row *r, const float *factors, double divisor, double mean,
                              const float *dy, float *dx, rs_pass pass)
{
    for (int64_t b = 0; b < r->blocks; b++) {
        int64_t at = r->at + b * r->step;
        rs_vf v = rs_load(dy + at);
        rs_vd low = rs_widen_low(v) - mean, high = rs_widen_high(v) - mean;
        if (factors) {
            rs_vf f = rs_load(factors + at);
            low *= rs_widen_low(f);
            high *= rs_widen_high(f);
        } else {
            low /= divisor;
            high /= divisor;
        }
        rs_vf g = rs_where_bits(real_lanes(r, b), rs_narrow(low, high));
        rs_store_or_add(dx + at, g, pass == RS_PASS_ADD);
    }
}

void RS_ISA(rs__softmax_backward)(const rs__maps *m, int64_t first, int64_t last, const float *y,
                                  const float *dy, float *dx, rs_pass pass)
{
    for (int64_t n = first; n < last; n++) {
        for (int64_t p = 0; p < m->positions; p++) {
            row r = row_at(m, n, p);
            store_gradient(&r, y, 1.0, product_row(&r, dy, y), dy, dx, pass);
        }
    }
}

void RS_ISA(rs__row_normalize_backward)(const rs__maps *m, int64_t first, int64_t last, const float *x,
                                        const float *y, const float *dy, float *dx, rs_pass pass)
{
    for (int64_t n = first; n < last; n++) {
        for (int64_t p = 0; p < m->positions; p++) {
            row r = row_at(m, n, p);
            store_gradient(&r, NULL, sum_row(&r, x), product_row(&r, dy, y), dy, dx, pass);
        }
    }
}
