/* order.c: element order inside against canonical order, for weights (any blocked layout of oneDNN: offsets
 * of the dimensions add up) and for activations. */
#include <string.h>

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

#define COPY_ROWS(TYPE)                                                                                      \
    for (int64_t j = 0; j < order->dim[1]; j++) {                                                            \
        for (int64_t k = 0; k < order->dim[2]; k++) {                                                        \
            int64_t base = order->table[0][i] + order->table[1][j] + order->table[2][k];                     \
            TYPE *in = (TYPE *)inside + base;                                                                \
            TYPE *out = (TYPE *)canonical + ((i * order->dim[1] + j) * order->dim[2] + k) * order->dim[3];   \
            for (int64_t l = 0; l < order->dim[3]; l++) {                                                    \
                if (direction == RS__TO_CANONICAL) {                                                         \
                    out[l] = in[order->table[3][l]];                                                         \
                } else {                                                                                     \
                    in[order->table[3][l]] = out[l];                                                         \
                }                                                                                            \
            }                                                                                                \
        }                                                                                                    \
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
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < order->dim[0]; i++) {
        if (element == sizeof(float)) {
            COPY_ROWS(float)
        } else {
            COPY_ROWS(double)
        }
    }
}

/* One channel block of one sample. */
static void copy_plane(const rs_plan *plan, const rs__tensor *t, rs__direction direction, int64_t plane,
                       float *inside, float *canonical)
{
    int64_t lanes = plan->device->kernels->lanes, positions = t->height * t->width;
    int64_t n = plane / t->blocks, first = plane % t->blocks * lanes;
    float *block = inside + plane * positions * lanes;
    for (int64_t lane = 0; lane < lanes; lane++) {
        bool real = first + lane < t->channels;
        float *map = canonical + (real ? (n * t->channels + first + lane) * positions : 0);
        for (int64_t i = 0; i < positions; i++) {
            if (direction == RS__FROM_CANONICAL) {
                block[i * lanes + lane] = real ? map[i] : 0.0f;
            } else if (real) {
                map[i] = block[i * lanes + lane];
            }
        }
    }
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
#pragma omp parallel for schedule(static)
    for (int64_t plane = 0; plane < count * t->blocks; plane++) {
        copy_plane(plan, t, direction, plane, inside, canonical);
    }
}
