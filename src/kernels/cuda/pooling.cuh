/* pooling.cuh: max pooling and global average pooling; launches in pooling.cu.
 *
 * Windows overlap, but each value is read from memory once: a block walks down the rows of one sample and a
 * strip of channels and keeps what windows still need in shared memory, row r in place r mod `rows`:
 *
 *     forward    rows of x: as many as a window is high
 *     backward   rows of dy and choice: as many as there are windows over one row of x
 *
 * Maps too wide for that are read where they lie. */
#ifndef RS_KERNELS_CUDA_POOLING_CUH
#define RS_KERNELS_CUDA_POOLING_CUH

#include "device.cuh"

/* Places of W floats that are kept; backward has a byte for each float beside them. */
enum { RS_CU_KEPT_VALUES = 1024, RS_CU_KEPT_GRADIENTS = 800 };

/* A window's numbers, small enough for int, and how a pass is cut: block = (sample * segments + segment) *
 * strips + strip. */
typedef struct rs_cu_walk {
    int in_height, in_width, out_height, out_width, channels, kernel, stride, padding;
    int length;           /* steps of a segment: rows of y, or groups of `stride` rows of x */
    int segments, strips; /* of rows, of channels */
    int shift;            /* 1 << shift threads stand side by side */
    int rows;             /* kept; 0: none */
} rs_cu_walk;

/* What a block works on. */
struct rs_cu_walker {
    int64_t sample;
    int first, last; /* steps */
    int channel0;    /* of lane 0 */
};

template <int W> RS_CU_INLINE rs_cu_walker rs_cu_walker_of(const rs_cu_walk &walk, int steps)
{
    const unsigned strips = (unsigned)walk.strips, segments = (unsigned)walk.segments,
                   rest = blockIdx.x / strips;
    rs_cu_walker w;
    w.sample = rest / segments;
    w.first = (int)(rest % segments) * walk.length;
    w.last = w.first + walk.length < steps ? w.first + walk.length : steps;
    w.channel0 = (int)(blockIdx.x % strips << walk.shift) * W;
    return w;
}

/* [first, last). */
struct rs_cu_span {
    int first, last;
};

/* Rows or columns of x below window o. */
RS_CU_INLINE rs_cu_span rs_cu_below(const rs_cu_walk &walk, int o, int size)
{
    const int first = o * walk.stride - walk.padding, last = first + walk.kernel;
    return rs_cu_span{first < 0 ? 0 : first, last < size ? last : size};
}

/* Windows over row or column i of x. */
RS_CU_INLINE rs_cu_span rs_cu_over(const rs_cu_walk &walk, int i, int size)
{
    const int from = i + walk.padding, last = from / walk.stride + 1;
    const int first = from < walk.kernel ? 0 : (from - walk.kernel) / walk.stride + 1;
    return rs_cu_span{first, last < size ? last : size};
}

/* Places in a map: of what is kept an int says them all. */
template <bool KEPT> struct rs_cu_index {
    typedef int64_t type;
};
template <> struct rs_cu_index<true> {
    typedef int type;
};

/* A map's rows as a block sees them: floats from row to row and from column to column, and where its
 * channels begin. A map lies in memory, or its rows are kept (KEPT) one strip wide. */
template <int W, bool KEPT> struct rs_cu_rows {
    typedef typename rs_cu_index<KEPT>::type index;
    index row, column, offset;
    int kept;
    __device__ __forceinline__ rs_cu_rows(const rs_cu_walk &walk, const rs_cu_walker &w, int width)
    {
        column = KEPT ? W << walk.shift : walk.channels;
        row = column * width;
        offset = KEPT ? 0 : w.channel0;
        kept = walk.rows;
    }
    /* Place of a lane's channels. */
    __device__ __forceinline__ index at(int r, int c, int lane) const
    {
        return (KEPT ? r % kept : r) * row + c * column + offset + lane * W;
    }
};

/* --- max, forward -------------------------------------------------------------------------------------- */

/* Copies rows [first, last) of a map to where they are kept. */
template <int W>
RS_CU_INLINE void rs_cu_keep_rows(const rs_cu_walk &walk, const rs_cu_walker &w, const float *map, int first,
                                  int last, float *kept)
{
    const rs_cu_rows<W, false> from(walk, w, walk.in_width);
    const rs_cu_rows<W, true> to(walk, w, walk.in_width);
    for (int r = first; r < last; r++) {
        for (int i = (int)threadIdx.x; i < walk.in_width << walk.shift; i += RS_CU_THREADS) {
            const int column = i >> walk.shift, lane = i & ((1 << walk.shift) - 1);
            if (w.channel0 + lane * W < walk.channels) {
                rs_cu_store<W>(kept + to.at(r, column, lane), rs_cu_load<W>(map + from.at(r, column, lane)));
            }
        }
    }
}

/* The largest values below a window and their places in it; the first of equals, and a NaN is largest. */
template <int W, bool KEPT>
RS_CU_INLINE rs_cu_lanes<W> rs_cu_largest(const rs_cu_walk &walk, const rs_cu_rows<W, KEPT> &rows,
                                          const float *x, int oy, int ox, int lane, int (&place)[W])
{
    const rs_cu_span ys = rs_cu_below(walk, oy, walk.in_height), xs = rs_cu_below(walk, ox, walk.in_width);
    const int y0 = oy * walk.stride - walk.padding, x0 = ox * walk.stride - walk.padding;
    rs_cu_lanes<W> best = rs_cu_load<W>(x + rows.at(ys.first, xs.first, lane));
    RS_CU_UNROLL
    for (int e = 0; e < W; e++) {
        place[e] = (ys.first - y0) * walk.kernel + xs.first - x0;
    }
    for (int r = ys.first; r < ys.last; r++) {
        for (int c = xs.first; c < xs.last; c++) {
            const rs_cu_lanes<W> v = rs_cu_load<W>(x + rows.at(r, c, lane));
            const int here = (r - y0) * walk.kernel + c - x0;
            RS_CU_UNROLL
            for (int e = 0; e < W; e++) {
                const bool better = v.v[e] > best.v[e] || (isnan(v.v[e]) && !isnan(best.v[e]));
                best.v[e] = better ? v.v[e] : best.v[e];
                place[e] = better ? here : place[e];
            }
        }
    }
    return best;
}

template <int W> RS_CU_INLINE void rs_cu_put_choice(uint8_t *choice, const int (&place)[W])
{
    if constexpr (W == 4) {
        *reinterpret_cast<uint32_t *>(choice) = (uint32_t)place[0] | (uint32_t)place[1] << 8 |
                                                (uint32_t)place[2] << 16 | (uint32_t)place[3] << 24;
    } else {
        *choice = (uint8_t)place[0];
    }
}

/* Row oy of y; `x` is the map, or what is kept of it. */
template <int W, bool KEPT>
RS_CU_INLINE void rs_cu_max_row(const rs_cu_walk &walk, const rs_cu_walker &w, const float *x, int oy,
                                float *y, uint8_t *choice)
{
    const rs_cu_rows<W, KEPT> rows(walk, w, walk.in_width);
    for (int i = (int)threadIdx.x; i < walk.out_width << walk.shift; i += RS_CU_THREADS) {
        const int ox = i >> walk.shift, lane = i & ((1 << walk.shift) - 1), channel = w.channel0 + lane * W;
        if (channel < walk.channels) {
            int place[W];
            const rs_cu_lanes<W> best = rs_cu_largest<W, KEPT>(walk, rows, x, oy, ox, lane, place);
            const int64_t at =
                ((w.sample * walk.out_height + oy) * walk.out_width + ox) * walk.channels + channel;
            rs_cu_store<W>(y + at, best);
            if (choice) {
                rs_cu_put_choice<W>(choice + at, place);
            }
        }
    }
}

template <int W>
RS_CU_INLINE void rs_cu_max_forward_of(const rs_cu_walk &walk, const float *x, float *y, uint8_t *choice)
{
    RS_CU_SHARED(float, kept, 4 * RS_CU_KEPT_VALUES);
    const rs_cu_walker w = rs_cu_walker_of<W>(walk, walk.out_height);
    const float *map = x + w.sample * walk.in_height * walk.in_width * walk.channels;
    int next = 0; /* the first row that is not kept yet */
    for (int oy = w.first; oy < w.last; oy++) {
        if (!walk.rows) {
            rs_cu_max_row<W, false>(walk, w, map, oy, y, choice);
            continue;
        }
        const rs_cu_span ys = rs_cu_below(walk, oy, walk.in_height);
        __syncthreads();
        rs_cu_keep_rows<W>(walk, w, map, next > ys.first ? next : ys.first, ys.last, kept);
        next = ys.last;
        __syncthreads();
        rs_cu_max_row<W, true>(walk, w, kept, oy, y, choice);
    }
}

RS_CU_GLOBAL rs_cu_k_max_pool_forward_4(rs_cu_walk walk, const float *x, float *y, uint8_t *choice)
{
    rs_cu_max_forward_of<4>(walk, x, y, choice);
}

RS_CU_GLOBAL rs_cu_k_max_pool_forward_1(rs_cu_walk walk, const float *x, float *y, uint8_t *choice)
{
    rs_cu_max_forward_of<1>(walk, x, y, choice);
}

/* --- max, backward ------------------------------------------------------------------------------------- */

/* Copies row r of a map of dy and choice to where they are kept. */
template <int W>
RS_CU_INLINE void rs_cu_keep_choices(const rs_cu_walk &walk, const rs_cu_walker &w, const float *dy,
                                     const uint8_t *choice, int r, float *kept, uint8_t *kept_choice)
{
    const rs_cu_rows<W, false> from(walk, w, walk.out_width);
    const rs_cu_rows<W, true> to(walk, w, walk.out_width);
    for (int i = (int)threadIdx.x; i < walk.out_width << walk.shift; i += RS_CU_THREADS) {
        const int column = i >> walk.shift, lane = i & ((1 << walk.shift) - 1);
        if (w.channel0 + lane * W < walk.channels) {
            const int out = to.at(r, column, lane);
            const int64_t in = from.at(r, column, lane);
            rs_cu_store<W>(kept + out, rs_cu_load<W>(dy + in));
            if constexpr (W == 4) {
                *reinterpret_cast<uint32_t *>(kept_choice + out) =
                    *reinterpret_cast<const uint32_t *>(choice + in);
            } else {
                kept_choice[out] = choice[in];
            }
        }
    }
}

template <int W> RS_CU_INLINE uint32_t rs_cu_take_choice(const uint8_t *choice)
{
    if constexpr (W == 4) {
        return *reinterpret_cast<const uint32_t *>(choice);
    } else {
        return *choice;
    }
}

/* Sum of dy of the windows that chose (iy, ix), in row-major order. */
template <int W, bool KEPT>
RS_CU_INLINE rs_cu_lanes<W> rs_cu_chosen(const rs_cu_walk &walk, const rs_cu_rows<W, KEPT> &rows,
                                         const float *dy, const uint8_t *choice, int iy, int ix, int lane)
{
    const rs_cu_span ys = rs_cu_over(walk, iy, walk.out_height), xs = rs_cu_over(walk, ix, walk.out_width);
    rs_cu_lanes<W> sum = rs_cu_zeros<W>();
    for (int oy = ys.first; oy < ys.last; oy++) {
        for (int ox = xs.first; ox < xs.last; ox++) {
            const typename rs_cu_rows<W, KEPT>::index at = rows.at(oy, ox, lane);
            const int y = iy + walk.padding - oy * walk.stride, x = ix + walk.padding - ox * walk.stride;
            const uint32_t here = (uint32_t)(y * walk.kernel + x), places = rs_cu_take_choice<W>(choice + at);
            const rs_cu_lanes<W> g = rs_cu_load<W>(dy + at);
            RS_CU_UNROLL
            for (int e = 0; e < W; e++) {
                sum.v[e] += (places >> (8 * e) & 255u) == here ? g.v[e] : 0.0f;
            }
        }
    }
    return sum;
}

/* The rows of dx of one step; dy and choice are the maps, or what is kept of them. */
template <int W, bool KEPT>
RS_CU_INLINE void rs_cu_max_group(const rs_cu_walk &walk, const rs_cu_walker &w, const float *dy,
                                  const uint8_t *choice, int step, float *dx, rs_pass pass)
{
    const rs_cu_rows<W, KEPT> rows(walk, w, walk.out_width);
    const int count = (walk.stride * walk.in_width) << walk.shift;
    for (int i = (int)threadIdx.x; i < count; i += RS_CU_THREADS) {
        const int position = i >> walk.shift, lane = i & ((1 << walk.shift) - 1),
                  channel = w.channel0 + lane * W;
        const int iy = step * walk.stride - walk.padding + position / walk.in_width,
                  ix = position % walk.in_width;
        if (channel < walk.channels && iy >= 0 && iy < walk.in_height) {
            const int64_t at =
                ((w.sample * walk.in_height + iy) * walk.in_width + ix) * walk.channels + channel;
            rs_cu_put<W>(dx + at, rs_cu_chosen<W, KEPT>(walk, rows, dy, choice, iy, ix, lane), pass);
        }
    }
}

/* A step is a group of `stride` rows of x: the one that begins where window row `step` does. Window rows
 * step - rows + 1 .. step reach it. */
template <int W>
RS_CU_INLINE void rs_cu_max_backward_of(const rs_cu_walk &walk, const uint8_t *choice, const float *dy,
                                        float *dx, rs_pass pass)
{
    RS_CU_SHARED(float, kept, 4 * RS_CU_KEPT_GRADIENTS);
    RS_CU_SHARED(uint8_t, kept_choice, 4 * RS_CU_KEPT_GRADIENTS);
    const rs_cu_walker w = rs_cu_walker_of<W>(walk, (walk.in_height - 1 + walk.padding) / walk.stride + 1);
    const int64_t map = w.sample * walk.out_height * walk.out_width * walk.channels;
    int next = w.first < walk.rows ? 0 : w.first - walk.rows + 1; /* the first row that is not kept yet */
    for (int step = w.first; step < w.last; step++) {
        if (!walk.rows) {
            rs_cu_max_group<W, false>(walk, w, dy + map, choice + map, step, dx, pass);
            continue;
        }
        __syncthreads();
        for (; next <= step && next < walk.out_height; next++) {
            rs_cu_keep_choices<W>(walk, w, dy + map, choice + map, next, kept, kept_choice);
        }
        __syncthreads();
        rs_cu_max_group<W, true>(walk, w, kept, kept_choice, step, dx, pass);
    }
}

RS_CU_GLOBAL_OF(4)
rs_cu_k_max_pool_backward_4(rs_cu_walk walk, const uint8_t *choice, const float *dy, float *dx, rs_pass pass)
{
    rs_cu_max_backward_of<4>(walk, choice, dy, dx, pass);
}

RS_CU_GLOBAL_OF(4)
rs_cu_k_max_pool_backward_1(rs_cu_walk walk, const uint8_t *choice, const float *dy, float *dx, rs_pass pass)
{
    rs_cu_max_backward_of<1>(walk, choice, dy, dx, pass);
}

/* --- global average ------------------------------------------------------------------------------------ */

/* Pieces of the cut are samples. */
template <int W> RS_CU_INLINE void rs_cu_global_forward_of(const rs_cu_cut &cut, const float *x, float *y)
{
    RS_CU_SHARED(double, shared, 4 * RS_CU_THREADS);
    const rs_cu_place<W> place = rs_cu_place_of<W>(cut);
    double sums[1][W] = {};
    if (place.inside) {
        rs_cu_sum_rows<W>(cut, place, x, sums[0]);
    }
    const rs_cu_column column = rs_cu_join_down<W, 1>(cut, place, sums, shared);
    if (column.valid) {
        y[place.piece * cut.channels + column.channel] = (float)(column.total / (double)cut.piece);
    }
}

RS_CU_GLOBAL rs_cu_k_global_pool_forward_4(rs_cu_cut cut, const float *x, float *y)
{
    rs_cu_global_forward_of<4>(cut, x, y);
}

RS_CU_GLOBAL rs_cu_k_global_pool_forward_1(rs_cu_cut cut, const float *x, float *y)
{
    rs_cu_global_forward_of<1>(cut, x, y);
}

template <int W>
RS_CU_INLINE void rs_cu_global_backward_of(const rs_cu_cut &cut, const float *dy, float *dx, rs_pass pass)
{
    RS_CU_SHARED(float, shared, RS_CU_STRIP);
    const rs_cu_place<W> place = rs_cu_place_of<W>(cut);
    if (place.down == 0 && place.inside) {
        rs_cu_lanes<W> share = rs_cu_load<W>(dy + place.piece * cut.channels + place.channel);
        RS_CU_UNROLL
        for (int e = 0; e < W; e++) {
            share.v[e] /= (float)cut.piece;
        }
        rs_cu_store<W>(shared + place.lane * W, share);
    }
    __syncthreads();
    for (int64_t row = place.first; place.inside && row < place.last; row += place.step) {
        rs_cu_put<W>(dx + row * cut.channels + place.channel, rs_cu_load<W>(shared + place.lane * W), pass);
    }
}

RS_CU_GLOBAL rs_cu_k_global_pool_backward_4(rs_cu_cut cut, const float *dy, float *dx, rs_pass pass)
{
    rs_cu_global_backward_of<4>(cut, dy, dx, pass);
}

RS_CU_GLOBAL rs_cu_k_global_pool_backward_1(rs_cu_cut cut, const float *dy, float *dx, rs_pass pass)
{
    rs_cu_global_backward_of<1>(cut, dy, dx, pass);
}

#endif
