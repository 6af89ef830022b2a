/* cases.h: the table of operator cases: one for check, gradient check, bit-repeat and timing.
 *
 * A case is a small network: an input, then operators, each on the one before unless it says otherwise. */
#ifndef RS_CHECK_CASES_H
#define RS_CHECK_CASES_H

#include <stdbool.h>
#include <stddef.h>

#include "fill.h"
#include "rs/network.h"

#define RS_CHECK_PREVIOUS (-1)
#define RS_CHECK_NODES    12

typedef struct rs_check_op {
    rs_op_kind kind; /* RS_OP_INPUT: end of the list */
    rs_node_attributes attributes;
    int from[2]; /* node indices (0: the input, 1: the first operator) or RS_CHECK_PREVIOUS */
} rs_check_op;

typedef struct rs_check_case {
    const char *name;
    int64_t shape[3]; /* C, H, W of the input */
    int64_t batch[2]; /* batch sizes of its plan, largest first; 0: only one */
    rs_fill fill;     /* of the input; INTEGER: of everything, and results are equal, not close */
    rs_check_op ops[RS_CHECK_NODES];
} rs_check_case;

const rs_check_case *rs_check_cases(size_t *count);

/* The case's network; nodes are named by operator and index: "convolution1". The caller owns it. */
rs_status rs_check_network(const rs_check_case *c, rs_network **network, rs_error *error);

/* ReLU or max pooling below something that isn't the input: values near a kink must be looked for. */
bool rs_check_has_kinks(const rs_check_case *c);

#endif
