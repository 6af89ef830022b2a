/* spans.h: placing buffers whose lives do not overlap into the same bytes. */
#ifndef RS_KERNELS_SPANS_H
#define RS_KERNELS_SPANS_H

#include <stddef.h>

#include "rs/status.h"

/* Bytes that live from time `first` to time `last` (both included). */
typedef struct rs__span {
    size_t bytes, offset; /* offset: filled by rs__spans_place, a multiple of 64 */
    int first, last;      /* last < first: never used */
} rs__span;

/* Places spans so that no two that live at a common time overlap; returns the bytes of the whole. */
rs_status rs__spans_place(rs__span *spans, int count, size_t *bytes, rs_error *error);

static inline size_t rs__round64(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

#endif
