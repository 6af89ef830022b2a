/* vector_pool.c: max, average and global average pooling, plane by plane (one sample's channel block). */
#include <string.h>

#include "kernels.h"
#include "vector.h"

typedef uint16_t rs_vchoice __attribute__((vector_size(2 * RS_LANES), may_alias));

/* The part of a window that lies inside the map: rows [top, bottom), columns [left, right). */
typedef struct patch {
    int64_t top, bottom, left, right, row0, column0;
} patch;

RS_INLINE patch patch_at(const rs__window *w, int64_t oy, int64_t ox)
{
    int64_t y = oy * w->stride - w->padding, x = ox * w->stride - w->padding;
    int64_t bottom = y + w->kernel, right = x + w->kernel;
    return (patch){.top = y < 0 ? 0 : y,
                   .bottom = bottom > w->in_height ? w->in_height : bottom,
                   .left = x < 0 ? 0 : x,
                   .right = right > w->in_width ? w->in_width : right,
                   .row0 = y,
                   .column0 = x};
}

/* Bits of a where the mask is set, of b elsewhere. */
RS_INLINE rs_vi choose(rs_vi where, rs_vi a, rs_vi b)
{
    return (where & a) | (~where & b);
}

/* Largest of a patch, first of equals; NaN wins. */
RS_INLINE rs_vf largest(const rs__window *w, const patch *p, const float *x, rs_vi *place)
{
    rs_vf best = rs_load(x + (p->top * w->in_width + p->left) * RS_LANES);
    rs_vi zero = {0};
    rs_vi at = zero + (int32_t)((p->top - p->row0) * w->kernel + p->left - p->column0);
    for (int64_t r = p->top; r < p->bottom; r++) {
        for (int64_t c = p->left; c < p->right; c++) {
            rs_vf v = rs_load(x + (r * w->in_width + c) * RS_LANES);
            rs_vi better = (rs_vi)(v > best) | (rs_vi)(v != v);
            best = (rs_vf)choose(better, (rs_vi)v, (rs_vi)best);
            at = choose(better, zero + (int32_t)((r - p->row0) * w->kernel + c - p->column0), at);
        }
    }
    *place = at;
    return best;
}

/* What the pool writes of a window: its maximum and where it was. */
RS_INLINE void put_largest(const rs__window *w, rs_vf best, rs_vi place, float *y, uint16_t *choice)
{
    rs_vi zero = {0};
    if (w->relu) {
        place = choose((rs_vi)(best > (rs_vf)zero), place, zero + RS__NO_CHOICE);
        best = rs_relu(best);
    }
    rs_store(y, best);
    if (choice) {
        *(rs_vchoice *)choice = __builtin_convertvector(place, rs_vchoice);
    }
}

static void windows_forward(const rs__window *w, int64_t first, int64_t last, const float *x, float *y,
                            uint16_t *choice)
{
    int64_t in = w->in_height * w->in_width * RS_LANES, out = w->out_height * w->out_width * RS_LANES;
    for (int64_t plane = first; plane < last; plane++) {
        for (int64_t oy = 0; oy < w->out_height; oy++) {
            for (int64_t ox = 0; ox < w->out_width; ox++) {
                patch p = patch_at(w, oy, ox);
                int64_t to = plane * out + (oy * w->out_width + ox) * RS_LANES;
                rs_vi place;
                rs_vf best = largest(w, &p, x + plane * in, &place);
                put_largest(w, best, place, y + to, choice ? choice + to : NULL);
            }
        }
    }
}

static void windows_backward(const rs__window *w, int64_t first, int64_t last, const uint16_t *choice,
                             const float *dy, float *dx, rs_pass pass)
{
    int64_t in = w->in_height * w->in_width * RS_LANES, out = w->out_height * w->out_width * RS_LANES;
    for (int64_t plane = first; plane < last; plane++) {
        float *to = dx + plane * in;
        if (pass == RS_PASS_SET) {
            memset(to, 0, (size_t)in * sizeof(float));
        }
        for (int64_t o = 0; o < w->out_height * w->out_width; o++) {
            patch p = patch_at(w, o / w->out_width, o % w->out_width);
            int64_t from = plane * out + o * RS_LANES;
            rs_vi place = __builtin_convertvector(*(const rs_vchoice *)(choice + from), rs_vi);
            rs_vi g = (rs_vi)rs_load(dy + from);
            for (int64_t r = p.top; r < p.bottom; r++) {
                for (int64_t c = p.left; c < p.right; c++) {
                    int32_t here = (int32_t)((r - p.row0) * w->kernel + c - p.column0);
                    float *at = to + (r * w->in_width + c) * RS_LANES;
                    rs_store(at, rs_load(at) + (rs_vf)((place == here) & g));
                }
            }
        }
    }
}

/* Windows that neither overlap nor leave the map. */
RS_INLINE bool is_tiled(const rs__window *w)
{
    return w->stride == w->kernel && w->padding == 0;
}

/* One plane of windows of `kernel` by `kernel` side by side. */
RS_INLINE void tiled_forward(const rs__window *w, int kernel, const float *x, float *y, uint16_t *choice)
{
    int64_t row = w->in_width * RS_LANES, to = 0;
    for (int64_t oy = 0; oy < w->out_height; oy++) {
        const float *from = x + oy * kernel * row;
        for (int64_t ox = 0; ox < w->out_width; ox++, from += kernel * RS_LANES, to += RS_LANES) {
            rs_vf best = rs_load(from);
            rs_vi place = {0}, zero = {0};
            for (int k = 1; k < kernel * kernel; k++) {
                rs_vf v = rs_load(from + k / kernel * row + k % kernel * RS_LANES);
                rs_vi better = (rs_vi)(v > best) | (rs_vi)(v != v);
                best = (rs_vf)choose(better, (rs_vi)v, (rs_vi)best);
                place = choose(better, zero + k, place);
            }
            put_largest(w, best, place, y + to, choice ? choice + to : NULL);
        }
    }
}

void RS_ISA(rs__max_pool_forward)(const rs__window *w, int64_t first, int64_t last, const float *x, float *y,
                                  uint16_t *choice)
{
    int64_t in = w->in_height * w->in_width * RS_LANES, out = w->out_height * w->out_width * RS_LANES;
    for (int64_t plane = first; plane < last && is_tiled(w); plane++) {
        uint16_t *places = choice ? choice + plane * out : NULL;
        if (w->kernel == 2) {
            tiled_forward(w, 2, x + plane * in, y + plane * out, places);
        } else {
            tiled_forward(w, w->kernel, x + plane * in, y + plane * out, places);
        }
    }
    if (!is_tiled(w)) {
        windows_forward(w, first, last, x, y, choice);
    }
}

/* The gradients of one plane of such windows; what no window covers gets none. */
RS_INLINE void tiled_backward(const rs__window *w, int kernel, const uint16_t *choice, const float *dy,
                              float *dx, bool add)
{
    int64_t row = w->in_width * RS_LANES, covered = w->out_width * kernel * RS_LANES, from = 0;
    for (int64_t oy = 0; oy < w->out_height; oy++) {
        float *to = dx + oy * kernel * row;
        for (int64_t ox = 0; ox < w->out_width; ox++, from += RS_LANES, to += kernel * RS_LANES) {
            rs_vi place = __builtin_convertvector(*(const rs_vchoice *)(choice + from), rs_vi);
            rs_vi g = (rs_vi)rs_load(dy + from);
            for (int k = 0; k < kernel * kernel; k++) {
                float *at = to + k / kernel * row + k % kernel * RS_LANES;
                rs_vf part = (rs_vf)((rs_vi)(place == k) & g);
                if (add) {
                    part += rs_load(at);
                }
                rs_store(at, part);
            }
        }
        for (int r = 0; r < kernel && !add && covered < row; r++) {
            memset(dx + (oy * kernel + r) * row + covered, 0, (size_t)(row - covered) * sizeof(float));
        }
    }
    int64_t rows = w->out_height * kernel;
    if (!add && rows < w->in_height) {
        memset(dx + rows * row, 0, (size_t)((w->in_height - rows) * row) * sizeof(float));
    }
}

void RS_ISA(rs__max_pool_backward)(const rs__window *w, int64_t first, int64_t last, const uint16_t *choice,
                                   const float *dy, float *dx, rs_pass pass)
{
    int64_t in = w->in_height * w->in_width * RS_LANES, out = w->out_height * w->out_width * RS_LANES;
    bool add = pass == RS_PASS_ADD;
    for (int64_t plane = first; plane < last && is_tiled(w); plane++) {
        if (w->kernel == 2 && !add) {
            tiled_backward(w, 2, choice + plane * out, dy + plane * out, dx + plane * in, false);
        } else {
            tiled_backward(w, w->kernel, choice + plane * out, dy + plane * out, dx + plane * in, add);
        }
    }
    if (!is_tiled(w)) {
        windows_backward(w, first, last, choice, dy, dx, pass);
    }
}

void RS_ISA(rs__average_pool_forward)(const rs__window *w, int64_t first, int64_t last, const float *x,
                                      float *y)
{
    int64_t in = w->in_height * w->in_width * RS_LANES, out = w->out_height * w->out_width * RS_LANES;
    float area = (float)(w->kernel * w->kernel);
    for (int64_t plane = first; plane < last; plane++) {
        for (int64_t o = 0; o < w->out_height * w->out_width; o++) {
            patch p = patch_at(w, o / w->out_width, o % w->out_width);
            rs_vf sum = {0};
            for (int64_t r = p.top; r < p.bottom; r++) {
                for (int64_t c = p.left; c < p.right; c++) {
                    sum += rs_load(x + plane * in + (r * w->in_width + c) * RS_LANES);
                }
            }
            rs_store(y + plane * out + o * RS_LANES, sum / area);
        }
    }
}

void RS_ISA(rs__average_pool_backward)(const rs__window *w, int64_t first, int64_t last, const float *dy,
                                       float *dx, rs_pass pass)
{
    int64_t in = w->in_height * w->in_width * RS_LANES, out = w->out_height * w->out_width * RS_LANES;
    float area = (float)(w->kernel * w->kernel);
    for (int64_t plane = first; plane < last; plane++) {
        float *to = dx + plane * in;
        if (pass == RS_PASS_SET) {
            memset(to, 0, (size_t)in * sizeof(float));
        }
        for (int64_t o = 0; o < w->out_height * w->out_width; o++) {
            patch p = patch_at(w, o / w->out_width, o % w->out_width);
            rs_vf g = rs_load(dy + plane * out + o * RS_LANES) / area;
            for (int64_t r = p.top; r < p.bottom; r++) {
                for (int64_t c = p.left; c < p.right; c++) {
                    float *at = to + (r * w->in_width + c) * RS_LANES;
                    rs_store(at, rs_load(at) + g);
                }
            }
        }
    }
}

void RS_ISA(rs__global_pool_forward)(int64_t positions, int64_t first, int64_t last, const float *x, float *y)
{
    for (int64_t plane = first; plane < last; plane++) {
        const float *from = x + plane * positions * RS_LANES;
        rs_vd low = {0}, high = {0};
        for (int64_t i = 0; i < positions; i++) {
            rs_vf v = rs_load(from + i * RS_LANES);
            low += rs_widen_low(v);
            high += rs_widen_high(v);
        }
        for (int lane = 0; lane < RS_LANES / 2; lane++) {
            y[plane * RS_LANES + lane] = (float)(low[lane] / (double)positions);
            y[plane * RS_LANES + RS_LANES / 2 + lane] = (float)(high[lane] / (double)positions);
        }
    }
}

void RS_ISA(rs__global_pool_backward)(int64_t positions, int64_t first, int64_t last, const float *dy,
                                      float *dx, rs_pass pass)
{
    for (int64_t plane = first; plane < last; plane++) {
        rs_vf g = rs_load(dy + plane * RS_LANES) / (float)positions;
        float *to = dx + plane * positions * RS_LANES;
        for (int64_t i = 0; i < positions; i++) {
            float *at = to + i * RS_LANES;
            if (pass == RS_PASS_ADD) {
                rs_store(at, rs_load(at) + g);
            } else {
                rs_store(at, g);
            }
        }
    }
}
