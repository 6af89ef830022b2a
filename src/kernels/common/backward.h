/* backward.h: what the backward pass of a graph has to do, the same for every backend.
 *
 * Backward visits nodes from the last to the first. A node passes its output's gradient on to its inputs: the
 * first to reach a tensor sets its gradient, later ones add (residual joins). A node that no loss reaches, or
 * from which no parameter (and no wanted input) is reached, does nothing. An objective of a layer's own adds to the
 * gradient of its node's output when all consumers have, and is a loss that reaches what stands before it; of a loss node
 * on the way it says what that starts from (losses.h). */
#ifndef RS_KERNELS_BACKWARD_H
#define RS_KERNELS_BACKWARD_H

#include <stdbool.h>

#include "rs/backend.h"

typedef enum rs_pass { RS_PASS_NONE, RS_PASS_SET, RS_PASS_ADD } rs_pass;

typedef struct rs_backward {
    bool *needed;       /* [node] the gradient of its output is computed (of a loss node: 1) */
    rs_pass (*pass)[2]; /* [node][input] what the node does to the gradient of that input. Both inputs of an
                           add may be the same tensor: SET, then ADD */
    /* [node] what its objectives do to the gradient of its output: the first of them this, others add; NONE without. Loss
       nodes have no such gradient */
    rs_pass *source;
    bool *reached; /* [parameter] a loss reaches it: it has a gradient */
} rs_backward;

bool rs_is_cut(const rs_plan_options *options, int node, int input);
bool rs_is_frozen(const rs_plan_options *options, int parameter);
/* How a batch norm runs in a pass of `mode`: one whose weight is frozen takes its running statistics in training, too. */
rs_mode rs_batch_norm_mode(const rs_node *node, const rs_plan_options *options, rs_mode mode);

/* Fills *backward; release it with rs_backward_release. Of the options it takes input_gradient (the gradient of node 0 is
 * wanted, too), the objectives, the cuts and what is frozen. USAGE for a cut that is no edge. */
rs_status rs_backward_analyze(const rs_network *network, const rs_plan_options *options,
                              rs_backward *backward, rs_error *error);
void rs_backward_release(rs_backward *backward);

#endif
