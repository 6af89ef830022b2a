/* operations.h: from nodes to operations, the same for every backend that fuses.
 *
 *     x -> batch_norm -> relu            one pass instead of two
 *     x -> batch_norm -> add -> relu     one instead of three; the other summand is read in that pass
 *                 other /
 *
 * where batch norm and add have no other consumer and no objective of their own. The operation stands at the place of the
 * ReLU, where both summands exist, and writes only the ReLU's output. A backend may join more, neighbours in the list. */
#ifndef RS_KERNELS_OPERATIONS_H
#define RS_KERNELS_OPERATIONS_H

#include <stdbool.h>

#include "backward.h"

typedef struct rs_operation {
    int node;   /* that it is; the batch norm of a fused one */
    int output; /* node whose output it writes; the last of a fused one */
    int input_count;
    int input[2];    /* nodes; a fused join: batch norm's input, the other summand */
    rs_pass pass[2]; /* what backward does to the gradients of the inputs */
    bool needed;     /* backward runs */
    bool relu;       /* batch norm, max pool or convolution takes in a ReLU */
    bool joined;     /* and a residual */
    int pool;        /* convolution takes in this max pool; 0: none */
    /* A convolution whose ADD goes to the addend of its input; the operation that writes this input adds it before, or
     * while, it runs backwards. */
    bool defers;
} rs_operation;

typedef struct rs_operations {
    rs_operation *list; /* [count], in the order of their outputs */
    int count;
    bool *hidden; /* [node] taken in by an operation that writes another node's output */
} rs_operations;

/* Fills *operations; release it with rs_operations_release. `backward` is NULL for forward passes only. With keep_all every
 * gradient is to be readable, nothing is left to its reader to add. */
rs_status rs_operations_make(const rs_network *network, const rs_plan_options *options,
                             const rs_backward *backward, rs_operations *operations, rs_error *error);
void rs_operations_release(rs_operations *operations); /* takes a zeroed one */

#endif
