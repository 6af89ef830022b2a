/* vector_grey.c: convolution of one channel by kernels of 3x3 and the max pool of 2x2 behind it, without a map in between.
 * A window of the pool sees 4x4 pixels: four sums of nine products, of which the largest is kept; backward only the
 * place that was largest has a gradient. Where the map is wanted, the sums run in the same order: the bits are the same. */
#include "kernels.h"
#include "vector.h"

enum { PLACES = 4 }; /* of a window */

/* The pixel that weight k meets at place `place` of the window whose first pixel is `at`. */
RS_INLINE rs_vf pixel(const float *at, int64_t row, int place, int k)
{
    return rs_splat(at[(place / 2 + k / RS__GREY_KERNEL) * row + place % 2 + k % RS__GREY_KERNEL]);
}

#if RS_LANES == 16
typedef __mmask16 rs_lanes;

RS_INLINE rs_lanes greater(rs_vf a, rs_vf b)
{
    return _mm512_cmp_ps_mask((__m512)a, (__m512)b, _CMP_GT_OQ);
}

RS_INLINE rs_lanes is_nan(rs_vf a)
{
    return _mm512_cmp_ps_mask((__m512)a, (__m512)a, _CMP_UNORD_Q);
}

RS_INLINE rs_lanes equal(rs_vi a, rs_vi b)
{
    return _mm512_cmpeq_epi32_mask((__m512i)a, (__m512i)b);
}

RS_INLINE rs_vi choose(rs_lanes where, rs_vi a, rs_vi b)
{
    return (rs_vi)_mm512_mask_blend_epi32(where, (__m512i)b, (__m512i)a);
}
#else
typedef rs_vi rs_lanes;

RS_INLINE rs_lanes greater(rs_vf a, rs_vf b)
{
    return (rs_vi)(a > b);
}

RS_INLINE rs_lanes is_nan(rs_vf a)
{
    return (rs_vi)(a != a);
}

RS_INLINE rs_lanes equal(rs_vi a, rs_vi b)
{
    return a == b;
}

/* a in the lanes of `where`, b elsewhere. */
RS_INLINE rs_vi choose(rs_lanes where, rs_vi a, rs_vi b)
{
    return (where & a) | (~where & b);
}
#endif

typedef struct best {
    rs_vf value;
    rs_vi place;
} best;

/* The larger of two, the first of equals; NaN wins. */
RS_INLINE best larger(best a, best b)
{
    rs_lanes later = greater(b.value, a.value) | is_nan(b.value);
    return (best){(rs_vf)choose(later, (rs_vi)b.value, (rs_vi)a.value), choose(later, b.place, a.place)};
}

/* Of a window's places; with a ReLU none where nothing is above 0. */
RS_INLINE best largest(const rs_vf *sums, bool relu)
{
    const rs_vi zero = {0};
    best upper = larger((best){sums[0], zero}, (best){sums[1], zero + 1});
    best of = larger(upper, larger((best){sums[2], zero + 2}, (best){sums[3], zero + 3}));
    if (relu) {
        of.place = choose(greater(of.value, (rs_vf)zero), of.place, zero + RS__NO_CHOICE);
        of.value = rs_relu(of.value);
    }
    return of;
}

/* The sums at the first places of the window whose first pixel is `at`. */
RS_INLINE void convolve(const float *weights, const float *at, int64_t row, int places, rs_vf *sums)
{
    for (int p = 0; p < places; p++) {
        sums[p] = rs_load(weights + RS__GREY_WEIGHTS * RS_LANES);
    }
    for (int k = 0; k < RS__GREY_WEIGHTS; k++) {
        const rs_vf w = rs_load(weights + (int64_t)k * RS_LANES);
        for (int p = 0; p < places; p++) {
            sums[p] = rs_fma(w, pixel(at, row, p, k), sums[p]);
        }
    }
}

typedef uint16_t rs_choice __attribute__((vector_size(2 * RS_LANES), may_alias));

void RS_ISA(rs__grey_forward)(const rs__grey *g, const float *image, const float *weights, float *y,
                              uint16_t *choice)
{
    for (int64_t oy = 0; oy < g->height / 2; oy++) {
        for (int64_t ox = 0; ox < g->width / 2; ox++) {
            const int64_t to = (oy * (g->width / 2) + ox) * RS_LANES;
            rs_vf sums[PLACES];
            convolve(weights, image + 2 * oy * g->row + 2 * ox, g->row, PLACES, sums);
            const best of = largest(sums, g->relu);
            rs_store(y + to, of.value);
            if (choice) {
                *(rs_choice *)(choice + to) = __builtin_convertvector(of.place, rs_choice);
            }
        }
    }
}

void RS_ISA(rs__grey_map)(const rs__grey *g, const float *image, const float *weights, float *y)
{
    for (int64_t i = 0; i < g->height * g->width; i++) {
        rs_vf sum;
        convolve(weights, image + i / g->width * g->row + i % g->width, g->row, 1, &sum);
        rs_store(y + i * RS_LANES, sum);
    }
}

/* The gradients of a window's places: that of the pool's output at the one that was largest, or the map's. */
RS_INLINE void places_of(const rs__grey *g, const uint16_t *choice, const float *dy, int64_t oy, int64_t ox,
                         rs_vf *places)
{
    const rs_vi zero = {0};
    if (!choice) {
        for (int p = 0; p < PLACES; p++) {
            places[p] = rs_load(dy + ((2 * oy + p / 2) * g->width + 2 * ox + p % 2) * RS_LANES);
        }
        return;
    }
    const int64_t from = (oy * (g->width / 2) + ox) * RS_LANES;
    const rs_vi place = __builtin_convertvector(*(const rs_choice *)(choice + from), rs_vi);
    const rs_vi whole = (rs_vi)rs_load(dy + from);
    for (int p = 0; p < PLACES; p++) {
        places[p] = (rs_vf)choose(equal(place, zero + p), whole, zero);
    }
}

/* Sums of weights and, last, of the bias. */
RS_INLINE void add_window(const float *at, int64_t row, int places, const rs_vf *gradients, rs_vf *sums)
{
    for (int p = 0; p < places; p++) {
        sums[RS__GREY_WEIGHTS] += gradients[p];
        for (int k = 0; k < RS__GREY_WEIGHTS; k++) {
            sums[k] = rs_fma(gradients[p], pixel(at, row, p, k), sums[k]);
        }
    }
}

RS_INLINE void add_windows(const rs__grey *g, const float *image, const uint16_t *choice, const float *dy,
                           rs_vf *sums)
{
    for (int64_t oy = 0; oy < g->height / 2; oy++) {
        for (int64_t ox = 0; ox < g->width / 2; ox++) {
            rs_vf places[PLACES];
            places_of(g, choice, dy, oy, ox, places);
            add_window(image + 2 * oy * g->row + 2 * ox, g->row, PLACES, places, sums);
        }
    }
}

/* Whether no window covers place i: in the last row or column of an odd map. */
RS_INLINE bool is_rest(const rs__grey *g, int64_t i)
{
    return i / g->width >= g->height / 2 * 2 || i % g->width >= g->width / 2 * 2;
}

static void add_rest(const rs__grey *g, const float *image, const float *dy, rs_vf *sums)
{
    for (int64_t i = 0; i < g->height * g->width; i++) {
        if (is_rest(g, i)) {
            const rs_vf gradient = rs_load(dy + i * RS_LANES);
            add_window(image + i / g->width * g->row + i % g->width, g->row, 1, &gradient, sums);
        }
    }
}

void RS_ISA(rs__grey_gradients)(const rs__grey *g, const float *image, const uint16_t *choice,
                                const float *dy, float *sums)
{
    rs_vf own[RS__GREY_WEIGHTS + 1] = {{0}};
    if (choice) {
        add_windows(g, image, choice, dy, own);
    } else {
        add_windows(g, image, NULL, dy, own);
        add_rest(g, image, dy, own);
    }
    for (int k = 0; k <= RS__GREY_WEIGHTS; k++) {
        rs_store(sums + (int64_t)k * RS_LANES, rs_load(sums + (int64_t)k * RS_LANES) + own[k]);
    }
}

/* Sums of neighbours: of a, then of b. */
RS_INLINE rs_vf pairs(rs_vf a, rs_vf b)
{
#if RS_LANES == 16
    return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30) +
           __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
#else
    return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14) +
           __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15);
#endif
}

/* The sum of each of RS_LANES vectors, which are lost. */
RS_INLINE rs_vf sums_of(rs_vf *v)
{
    for (int count = RS_LANES / 2; count > 0; count /= 2) {
        for (int i = 0; i < count; i++) {
            v[i] = pairs(v[2 * i], v[2 * i + 1]);
        }
    }
    return v[0];
}

enum { SIDE = 4, PATCH = SIDE * SIDE }; /* pixels that a window sees */

/* What the gradients of some places give the pixels from `to` on. */
RS_INLINE void pass_window(const float *weights, int places, const rs_vf *gradients, int64_t row, float *to)
{
    rs_vf pixels[PATCH] = {{0}};
    float sums[PATCH] __attribute__((aligned(64)));
    for (int p = 0; p < places; p++) {
        for (int k = 0; k < RS__GREY_WEIGHTS; k++) {
            const int at = (p / 2 + k / RS__GREY_KERNEL) * SIDE + p % 2 + k % RS__GREY_KERNEL;
            pixels[at] = rs_fma(gradients[p], rs_load(weights + (int64_t)k * RS_LANES), pixels[at]);
        }
    }
    for (int i = 0; i < PATCH; i += RS_LANES) {
        rs_store(sums + i, sums_of(pixels + i));
    }
    const int side = places == 1 ? RS__GREY_KERNEL : SIDE;
    for (int y = 0; y < side; y++) {
        for (int x = 0; x < side; x++) {
            to[y * row + x] += sums[y * SIDE + x];
        }
    }
}

RS_INLINE void pass_windows(const rs__grey *g, const float *weights, const uint16_t *choice, const float *dy,
                            float *dx)
{
    for (int64_t oy = 0; oy < g->height / 2; oy++) {
        for (int64_t ox = 0; ox < g->width / 2; ox++) {
            rs_vf places[PLACES];
            places_of(g, choice, dy, oy, ox, places);
            pass_window(weights, PLACES, places, g->row, dx + 2 * oy * g->row + 2 * ox);
        }
    }
}

void RS_ISA(rs__grey_backward)(const rs__grey *g, const float *weights, const uint16_t *choice,
                               const float *dy, float *dx)
{
    if (choice) {
        pass_windows(g, weights, choice, dy, dx);
        return;
    }
    pass_windows(g, weights, NULL, dy, dx);
    for (int64_t i = 0; i < g->height * g->width; i++) {
        if (is_rest(g, i)) {
            const rs_vf gradient = rs_load(dy + i * RS_LANES);
            pass_window(weights, 1, &gradient, g->row, dx + i / g->width * g->row + i % g->width);
        }
    }
}
