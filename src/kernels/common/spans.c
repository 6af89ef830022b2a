/* spans.c: see spans.h. The largest span goes first, each to the lowest gap that fits it. */
#include "spans.h"

#include <stdbool.h>
#include <stdlib.h>

#include "rs/host.h"

static bool live_together(const rs__span *a, const rs__span *b)
{
    return a->first <= b->last && b->first <= a->last;
}

/* Lowest offset where span `index` fits among those placed before it (order[0 .. placed)), which are sorted
 * by offset. */
static size_t lowest_gap(const rs__span *spans, const int *by_offset, int placed, const rs__span *span)
{
    size_t at = 0;
    for (int i = 0; i < placed; i++) {
        const rs__span *other = &spans[by_offset[i]];
        if (!live_together(span, other)) {
            continue;
        }
        if (other->offset >= at + rs__round64(span->bytes)) {
            break;
        }
        size_t end = other->offset + rs__round64(other->bytes);
        at = end > at ? end : at;
    }
    return at;
}

static int larger_first(const void *a, const void *b, void *spans)
{
    const rs__span *x = (const rs__span *)spans + *(const int *)a;
    const rs__span *y = (const rs__span *)spans + *(const int *)b;
    if (x->bytes != y->bytes) {
        return x->bytes > y->bytes ? -1 : 1;
    }
    return *(const int *)a - *(const int *)b;
}

rs_status rs__spans_place(rs__span *spans, int count, size_t *bytes, rs_error *error)
{
    int *order = rs_alloc_array((size_t)count, sizeof(int));
    int *by_offset = rs_alloc_array((size_t)count, sizeof(int));
    if (!order || !by_offset) {
        rs_free(order);
        rs_free(by_offset);
        return RS_FAIL(error, RS_MEMORY, "no memory to place %d buffers", count);
    }
    int used = 0, placed = 0;
    for (int i = 0; i < count; i++) {
        if (spans[i].last >= spans[i].first && spans[i].bytes > 0) {
            order[used++] = i;
        }
    }
    qsort_r(order, (size_t)used, sizeof(int), larger_first, spans);
    *bytes = 0;
    for (int i = 0; i < used; i++) {
        rs__span *span = &spans[order[i]];
        span->offset = lowest_gap(spans, by_offset, placed, span);
        size_t end = span->offset + rs__round64(span->bytes);
        *bytes = end > *bytes ? end : *bytes;
        int k = placed++;
        for (; k > 0 && spans[by_offset[k - 1]].offset > span->offset; k--) {
            by_offset[k] = by_offset[k - 1];
        }
        by_offset[k] = order[i];
    }
    rs_free(order);
    rs_free(by_offset);
    return RS_OK;
}
