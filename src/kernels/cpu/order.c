/* order.c: element order inside against canonical order, for weights (any blocked layout of oneDNN: offsets
 * of the dimensions add up) and for activations. */
#include <string.h>
#include <xmmintrin.h>

#include "plan.h"

/* Offset that index `i` of dimension `d` contributes: its inner digits, innermost block first, then the rest
 * times the outer stride. */
static int64_t contribution(const rs__blocking *b, int d, int64_t i)
{
    int64_t offset = 0, inner_stride = 1;
    for (int k = b->inner_count - 1; k >= 0; k--) {
        if (b->inner_dim[k] == d) {
            offset += i % b->inner_size[k] * inner_stride;
            i /= b->inner_size[k];
        }
        inner_stride *= b->inner_size[k];
    }
    return offset + i * b->strides[d];
}

rs_status rs__order_make(rs__order *order, const rs__blocking *blocking, rs_error *error)
{
    RS_ASSERT(blocking->rank <= 4);
    *order = (rs__order){.rank = blocking->rank};
    for (int d = 0; d < 4; d++) {
        order->dim[d] = d < blocking->rank ? blocking->dims[d] : 1;
        order->table[d] = rs_alloc_array((size_t)order->dim[d], sizeof(int64_t));
        if (!order->table[d]) {
            rs__order_release(order);
            return RS_FAIL(error, RS_MEMORY, "no memory for the element order of a weight tensor");
        }
        for (int64_t i = 0; d < blocking->rank && i < order->dim[d]; i++) {
            order->table[d][i] = contribution(blocking, d, i);
        }
    }
    return RS_OK;
}

void rs__order_release(rs__order *order)
{
    for (int d = 0; d < 4; d++) {
        rs_free(order->table[d]);
    }
    *order = (rs__order){0};
}

/* A weight tensor is copied in tiles: ROWS indices of dimension 0 by COLUMNS of the others taken as one. Blocked
 * layouts keep neighbours of dimension 0 in one cache line, canonical order those of the others: a tile's lines of
 * both sides stay in the first cache until all of them is copied. */
enum { ROWS = 16, COLUMNS = 256 };
/* Elements from which on threads share the work: copying 1 MiB takes longer than waking them. */
enum { SHARED = 1 << 18 };

/* Offsets of canonical columns first .. first + count - 1. */
static void column_offsets(const rs__order *order, int64_t first, int64_t count, int64_t offsets[COLUMNS])
{
    for (int64_t n = 0; n < count; n++) {
        int64_t column = first + n, l = column % order->dim[3], rest = column / order->dim[3];
        offsets[n] = order->table[1][rest / order->dim[2]] + order->table[2][rest % order->dim[2]] +
                     order->table[3][l];
    }
}

#define COPY_TILE(TYPE)                                                                                      \
    for (int64_t i = row; i < end; i++) {                                                                    \
        TYPE *in = (TYPE *)inside + order->table[0][i], *out = (TYPE *)canonical + i * columns + column;     \
        if (direction == RS__TO_CANONICAL) {                                                                 \
            for (int64_t n = 0; n < count; n++) {                                                            \
                out[n] = in[offsets[n]];                                                                     \
            }                                                                                                \
        } else {                                                                                             \
            for (int64_t n = 0; n < count; n++) {                                                            \
                in[offsets[n]] = out[n];                                                                     \
            }                                                                                                \
        }                                                                                                    \
    }

static void copy_tile(const rs__order *order, rs__direction direction, size_t element, void *inside,
                      void *canonical, int64_t row, int64_t column)
{
    const int64_t columns = order->dim[1] * order->dim[2] * order->dim[3];
    const int64_t end = row + ROWS < order->dim[0] ? row + ROWS : order->dim[0];
    const int64_t count = columns - column < COLUMNS ? columns - column : COLUMNS;
    int64_t offsets[COLUMNS];
    column_offsets(order, column, count, offsets);
    if (element == sizeof(float)) {
        COPY_TILE(float)
    } else {
        COPY_TILE(double)
    }
}

void rs__order_copy(const rs__order *order, rs__direction direction, size_t element, void *inside,
                    void *canonical, int64_t count)
{
    if (!order->table[0]) {
        void *to = direction == RS__TO_CANONICAL ? canonical : inside;
        memcpy(to, direction == RS__TO_CANONICAL ? inside : canonical, (size_t)count * element);
        return;
    }
    RS_ASSERT(element == sizeof(float) || element == sizeof(double));
    const int64_t columns = order->dim[1] * order->dim[2] * order->dim[3];
#pragma omp parallel for collapse(2) schedule(static) if (count >= SHARED)
    for (int64_t row = 0; row < order->dim[0]; row += ROWS) {
        for (int64_t column = 0; column < columns; column += COLUMNS) {
            copy_tile(order, direction, element, inside, canonical, row, column);
        }
    }
}

/* Four channels by four positions, from one layout to the other. */
static void turn_tile(const float *from, int64_t from_stride, float *to, int64_t to_stride)
{
    __m128 a = _mm_loadu_ps(from), b = _mm_loadu_ps(from + from_stride);
    __m128 c = _mm_loadu_ps(from + 2 * from_stride), d = _mm_loadu_ps(from + 3 * from_stride);
    _MM_TRANSPOSE4_PS(a, b, c, d);
    _mm_storeu_ps(to, a);
    _mm_storeu_ps(to + to_stride, b);
    _mm_storeu_ps(to + 2 * to_stride, c);
    _mm_storeu_ps(to + 3 * to_stride, d);
}

/* Channels [first, last) at positions [begin, end), one by one. */
static void copy_ones(rs__direction direction, float *block, int64_t lanes, float *maps, int64_t positions,
                      int64_t first, int64_t last, int64_t begin, int64_t end)
{
    for (int64_t c = first; c < last; c++) {
        for (int64_t i = begin; i < end; i++) {
            if (direction == RS__TO_CANONICAL) {
                maps[c * positions + i] = block[i * lanes + c];
            } else {
                block[i * lanes + c] = maps[c * positions + i];
            }
        }
    }
}

void rs__plane_copy(const rs_plan *plan, rs__direction direction, float *block, float *maps, int64_t channels,
                    int64_t positions)
{
    enum { TILE = 4 };
    const int64_t lanes = plan->device->kernels->lanes;
    const int64_t whole_channels = channels / TILE * TILE, whole_positions = positions / TILE * TILE;
    for (int64_t c = 0; c < whole_channels; c += TILE) {
        for (int64_t i = 0; i < whole_positions; i += TILE) {
            float *inside = block + i * lanes + c, *outside = maps + c * positions + i;
            if (direction == RS__TO_CANONICAL) {
                turn_tile(inside, lanes, outside, positions);
            } else {
                turn_tile(outside, positions, inside, lanes);
            }
        }
    }
    copy_ones(direction, block, lanes, maps, positions, 0, whole_channels, whole_positions, positions);
    copy_ones(direction, block, lanes, maps, positions, whole_channels, channels, 0, positions);
    for (int64_t i = 0; direction == RS__FROM_CANONICAL && channels < lanes && i < positions; i++) {
        memset(block + i * lanes + channels, 0, (size_t)(lanes - channels) * sizeof(float));
    }
}

/* One channel block of one sample. */
static void copy_plane(const rs_plan *plan, const rs__tensor *t, rs__direction direction, int64_t plane,
                       float *inside, float *canonical)
{
    int64_t lanes = plan->device->kernels->lanes, positions = t->height * t->width;
    int64_t n = plane / t->blocks, first = plane % t->blocks * lanes;
    rs__plane_copy(plan, direction, inside + plane * positions * lanes,
                   canonical + (n * t->channels + first) * positions,
                   t->channels - first < lanes ? t->channels - first : lanes, positions);
}

void rs__tensor_copy(const rs_plan *plan, const rs__tensor *t, bool plain, rs__direction direction,
                     float *inside, float *canonical, int64_t count)
{
    if (plain) {
        size_t bytes = (size_t)(count * t->channels * t->height * t->width) * sizeof(float);
        memcpy(direction == RS__TO_CANONICAL ? canonical : inside,
               direction == RS__TO_CANONICAL ? inside : canonical, bytes);
        return;
    }
#pragma omp parallel for schedule(static) if (rs__worth_threads(count * t->blocks * t->height * t->width * 4))
    for (int64_t plane = 0; plane < count * t->blocks; plane++) {
        copy_plane(plan, t, direction, plane, inside, canonical);
    }
}
