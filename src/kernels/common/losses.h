/* losses.h: what backends share of loss nodes: how a loss sums up, where backward starts and what a batch has to bring.
 *
 * A loss is the sum over its samples (mean_squared_error: and elements) divided by rs_loss_divisor; its gradient is
 * rs_loss_weight times that of the sum, divided by the same number. The last node's is the network's own, with weight 1;
 * others, on the way, count by their objectives. */
#ifndef RS_KERNELS_LOSSES_H
#define RS_KERNELS_LOSSES_H

#include "rs/backend.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Softmax cross-entropy, or the divergence, which is computed as that. */
bool rs_loss_takes_labels(rs_op_kind kind);
/* Whether a node of the network does. */
bool rs_network_takes_labels(const rs_network *network);
/* Numbers of a sample's target, the elements of mean_squared_error's input; 0: no node takes targets. */
int64_t rs_network_target_size(const rs_network *network);
/* USAGE where two loss nodes take targets of different sizes. */
rs_status rs_losses_check(const rs_network *network, rs_error *error);
/* USAGE where the network's losses need what the batch has not. */
rs_status rs_losses_check_batch(const rs_network *network, bool labels, bool targets, rs_error *error);
/* A data set's targets have a number for each class: whether the losses want as many. USAGE. */
rs_status rs_losses_check_targets(const rs_network *network, rs_error *error);

/* Of `count` samples. */
double rs_loss_divisor(const rs_network *network, int node, int64_t count);
/* What backward starts from: 1 at the last node, and the weights of the objectives of a loss on the way. */
double rs_loss_weight(const rs_network *network, const rs_plan_options *options, int node);
/* From a batch's gradient of a sample's input to that of its own loss: count where the network's loss is a mean, else 1. */
double rs_loss_sample_factor(const rs_network *network, int64_t count);

#ifdef __cplusplus
}
#endif

#endif
