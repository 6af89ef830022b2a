/* lives.h: when each value and each gradient is needed, what is computed again instead of kept, and so where every
 * tensor lies.
 *
 * Time runs from 0 (the batch is loaded) over 1 + i (operation i forward) to 2 count - i (operation i backward). With
 * --memory fast a value lives until the last of its readers. With --memory lean the output of an operation that is
 * cheap to repeat lives twice: forward, until its last reader there, and again from just before the first operation in
 * backward that reads it:
 *
 *     forward      conv -> x (kept) -> batch norm -> y -> next conv
 *     backward                         again: x -> y' -> gradient of the next conv's weights -> ... -> batch norm
 *
 * y' is y to the bit: same kernel, same inputs, same statistics. An output that reads another such output (a join of
 * residual blocks) makes a chain: all of it has to be there again before its last link. Longer chains keep fewer values
 * through forward but more at once in backward; the length that takes the fewest bytes is found by trying. */
#ifndef RS_KERNELS_LIVES_H
#define RS_KERNELS_LIVES_H

#include "operations.h"
#include "rs/backend.h"
#include "spans.h"

/* What of a tensor has a place: its value, the value computed again for backward, its gradient, the addend. */
enum { RS__SPAN_VALUE, RS__SPAN_AGAIN, RS__SPAN_GRADIENT, RS__SPAN_ADDEND, RS__SPANS };

typedef struct rs__life_tensor {
    size_t value_bytes, gradient_bytes; /* for the largest batch; 0: has no place */
    rs__span spans[RS__SPANS];          /* found */
} rs__life_tensor;

typedef struct rs__life_op {
    bool repeats; /* its forward can be run again, cheaply and to the bit */
    bool needs_input, needs_second,
        needs_output; /* backward reads the values of its first input, second, output */
    /* found: what is computed again just before its backward, [first, end) of `again` */
    int first_again, end_again;
} rs__life_op;

typedef struct rs__lives {
    const rs_operations *operations; /* borrowed */
    rs__life_tensor *tensors;        /* [node] */
    rs__life_op *ops;                /* [operation] */
    bool training, keep_all, has_loss;
    int readable; /* node whose value is kept to the end */
    /* found */
    int *again; /* [again_count] operations whose outputs are computed again, in order */
    int again_count;
    size_t bytes; /* of all spans together */
    /* while it is being found */
    int node_count;
    int *chain;  /* [node] which link of a chain of repeated values it is, from 1; 0: kept */
    int *writer; /* [node] operation that writes it; -1: none */
    rs__span *flat;
} rs__lives;

/* Makes zeroed tables for the caller to fill. MEMORY; release it with rs__lives_release in any case. */
rs_status rs__lives_make(const rs_operations *operations, int node_count, rs__lives *lives, rs_error *error);
rs_status rs__lives_place(rs__lives *lives, rs_memory_choice memory, rs_error *error);
void rs__lives_release(rs__lives *lives);

#endif
