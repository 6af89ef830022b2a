/* shapes.h: output shape of an operator, with errors that name the node. Internal to network/. */
#ifndef RS_NETWORK_SHAPES_H
#define RS_NETWORK_SHAPES_H

#include "rs/network.h"

/* Most numbers in a tensor of a sample or a parameter: what is counted of them stays far below what an integer holds. */
#define RS__MOST_NUMBERS (INT64_C(1) << 36)

/* Output [C, H, W] of the node that `spec` adds; USAGE when its inputs or attributes do not fit. */
rs_status rs__node_shape(const rs_network *network, const rs_node_spec *spec, int64_t shape[3],
                         rs_error *error);

#endif
