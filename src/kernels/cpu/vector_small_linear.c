/* vector_small_linear.c: products of rows with matrices of at most RS__SMALL_BLOCKS vectors in each direction, which stay
 * in the first cache: no packing, no call of a library. A sum runs over its terms in order, one multiply-add each, so
 * that it does not matter how many rows a call has. */
#include <string.h>

#include "kernels.h"
#include "vector_exp.h"

/* Sums that are held in registers: of the 32, or 16, that there are. */
#define SUMS (RS_LANES == 16 ? 16 : 8)

/* `rows` rows of y, of `blocks` vectors, both known when this is compiled. */
RS_INLINE void product_tile(const rs__small_product *p, const float *x, float *y, int rows, int blocks)
{
    rs_vf sum[SUMS];
    for (int r = 0; r < rows; r++) {
        for (int b = 0; b < blocks; b++) {
            rs_vf zero = {0};
            sum[r * blocks + b] = p->bias ? rs_load(p->bias + b * RS_LANES) : zero;
        }
    }
    for (int64_t k = 0; k < p->inner; k++) {
        for (int r = 0; r < rows; r++) {
            rs_vf factor = rs_splat(x[r * p->x_stride + k]);
            for (int b = 0; b < blocks; b++) {
                rs_vf m = rs_load(p->matrix + (k * blocks + b) * RS_LANES);
                sum[r * blocks + b] = rs_fma(factor, m, sum[r * blocks + b]);
            }
        }
    }
    for (int r = 0; r < rows; r++) {
        for (int b = 0; b < blocks; b++) {
            float *at = y + r * p->y_stride + b * RS_LANES;
            rs_vf v = sum[r * blocks + b];
            if (p->add) {
                v += rs_load(at);
            }
            rs_store(at, v);
        }
    }
}

RS_INLINE void product_rows(const rs__small_product *p, int64_t first, int64_t last, int rows, int blocks)
{
    int64_t n = first;
    for (; n + rows <= last; n += rows) {
        product_tile(p, p->x + n * p->x_stride, p->y + n * p->y_stride, rows, blocks);
    }
    for (; n < last; n++) {
        product_tile(p, p->x + n * p->x_stride, p->y + n * p->y_stride, 1, blocks);
    }
}

void RS_ISA(rs__small_product)(const rs__small_product *p, int64_t first, int64_t last)
{
    switch (p->blocks) {
    case 1:
        product_rows(p, first, last, SUMS / 2, 1);
        break;
    case 2:
        product_rows(p, first, last, SUMS / 2, 2);
        break;
    case 3:
        product_rows(p, first, last, SUMS / 4, 3);
        break;
    default:
        product_rows(p, first, last, SUMS / 4, 4);
    }
}

/* Adds to `outs` rows of the weights' gradient. */
RS_INLINE void gradient_tile(const rs__small_gradient *g, int64_t first, int64_t last, int64_t out, int outs,
                             int blocks)
{
    rs_vf sum[SUMS];
    float *to = g->sums + out * blocks * RS_LANES;
    for (int i = 0; i < outs * blocks; i++) {
        sum[i] = rs_load(to + i * RS_LANES);
    }
    for (int64_t n = first; n < last; n++) {
        const float *x = g->x + n * g->x_stride, *dy = g->dy + n * g->dy_stride + out;
        for (int o = 0; o < outs; o++) {
            rs_vf factor = rs_splat(dy[o]);
            for (int b = 0; b < blocks; b++) {
                sum[o * blocks + b] = rs_fma(factor, rs_load(x + b * RS_LANES), sum[o * blocks + b]);
            }
        }
    }
    for (int i = 0; i < outs * blocks; i++) {
        rs_store(to + i * RS_LANES, sum[i]);
    }
}

RS_INLINE void gradient_rows(const rs__small_gradient *g, int64_t first, int64_t last, int outs, int blocks)
{
    for (int64_t out = 0; out < g->outputs; out += outs) {
        gradient_tile(g, first, last, out, outs, blocks);
    }
}

void RS_ISA(rs__small_gradient)(const rs__small_gradient *g, int64_t first, int64_t last)
{
    switch (g->blocks) {
    case 1:
        gradient_rows(g, first, last, SUMS / 2, 1);
        break;
    case 2:
        gradient_rows(g, first, last, SUMS / 2, 2);
        break;
    case 3:
        gradient_rows(g, first, last, SUMS / 4, 3);
        break;
    default:
        gradient_rows(g, first, last, SUMS / 4, 4);
    }
}

void RS_ISA(rs__small_bias_gradient)(const rs__small_gradient *g, int64_t first, int64_t last, float *sums)
{
    for (int64_t at = 0; at < g->outputs; at += RS_LANES) {
        rs_vf sum = rs_load(sums + at);
        for (int64_t n = first; n < last; n++) {
            sum += rs_load(g->dy + n * g->dy_stride + at);
        }
        rs_store(sums + at, sum);
    }
}

/* One row: a vector from every group, in doubles, in the groups' order. */
void RS_ISA(rs__small_join)(const float *sums, int64_t group_stride, int64_t groups, int64_t count, float *to)
{
    for (int64_t at = 0; at < count; at += RS_LANES) {
        rs_vd low = {0}, high = {0};
        for (int64_t g = 0; g < groups; g++) {
            rs_vf v = rs_load(sums + g * group_stride + at);
            low += rs_widen_low(v);
            high += rs_widen_high(v);
        }
        rs_vf sum = rs_narrow(low, high);
        memcpy(to + at, &sum, (size_t)(count - at < RS_LANES ? count - at : RS_LANES) * sizeof(float));
    }
}
