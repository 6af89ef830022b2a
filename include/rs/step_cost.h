/* rs/step_cost.h: what a training step on a GPU computes and moves, counted from the network; no device is needed. */
#ifndef RS_STEP_COST_H
#define RS_STEP_COST_H

#include "rs/backend.h"

/* The rows that the CUDA backend's profile has, with the work of one step of `options` (its largest batch; --memory
 * fast; no clipping) and no time. calls is 0 for a pass that does not run. bytes: every tensor as often as a kernel
 * reads or writes it, as if there were no caches. input_stride: floats from one position of the images to the next, at least
 * their channels (padding). *rows belongs to the caller (rs_free); its texts are the network's. MEMORY, USAGE. */
rs_status rs_step_cost(const rs_network *network, const rs_plan_options *options, int64_t input_stride,
                       rs_profile_row **rows, int *count, rs_error *error);

#endif
