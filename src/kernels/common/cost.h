/* cost.h: the arithmetic that an operation does and the bytes that it moves, counted from the network alone.
 *
 * Arithmetic is that of the direct algorithm, for every backend: two operations for each multiply-add of convolutions,
 * linear layers and matrix products, none for the rest. Bytes are those of the CUDA backend, whose tensors are dense NHWC floats: every
 * tensor as often as one of its kernels reads or writes it, or the least that a library can do. Caches, vectors with
 * one value per channel and objectives of layers are left out. */
#ifndef RS_KERNELS_COST_H
#define RS_KERNELS_COST_H

#include "operations.h"

/* The rows that an operation has in a profile. */
typedef enum rs_cost_pass { RS_COST_FORWARD, RS_COST_BACKWARD, RS_COST_DATA, RS_COST_PASSES } rs_cost_pass;
#define RS_COST_WEIGHTS RS_COST_BACKWARD /* convolutions: the weights' gradient, then the input's */
#define RS_COST_AGAIN   RS_COST_DATA     /* others: the output computed again */

/* What is counted over. */
typedef struct rs_costs {
    const rs_network *network;
    const rs_operations *operations;
    int64_t count;        /* samples */
    int64_t input_stride; /* floats from one position of node 0 to the next: its channels, padding included */
} rs_costs;

double rs_cost_flops(const rs_network *network, const rs_operation *op, rs_cost_pass pass, int64_t count);
double rs_cost_bytes(const rs_costs *costs, const rs_operation *op, rs_cost_pass pass);
/* Whether a training step runs that pass; AGAIN never, as with --memory fast. */
bool rs_cost_runs(const rs_network *network, const rs_operation *op, rs_cost_pass pass);

/* The images of a batch, from bytes to floats. */
double rs_cost_batch_bytes(const rs_costs *costs);

/* What an update reads and writes for each element of the arenas. */
typedef struct rs_cost_update {
    int64_t elements; /* gaps and padding included */
    int moments;
    bool initial, gradient_sum; /* kept */
    bool clips;                 /* gradients are read once more, for their norm */
} rs_cost_update;
double rs_cost_update_bytes(const rs_cost_update *update);
/* Elements of an arena that keeps weights as cuDNN reads them, each parameter at a multiple of 16. */
int64_t rs_cost_elements(const rs_network *network, int64_t input_stride);

/* How rows are named: "batch_norm + add + relu", "weights". */
const char *rs_cost_operation_name(const rs_network *network, const rs_operation *op);
const char *rs_cost_pass_name(const rs_network *network, const rs_operation *op, rs_cost_pass pass);

#endif
