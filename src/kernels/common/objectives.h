/* objectives.h: what backends share of layers' own objectives (rs_objective). */
#ifndef RS_KERNELS_OBJECTIVES_H
#define RS_KERNELS_OBJECTIVES_H

#include "rs/backend.h"

/* What is measured of one: also as it lies in a device's memory. */
typedef struct rs_layer_value {
    double loss; /* mean of (y - target)^2 */
    double mean; /* of y */
} rs_layer_value;

#ifdef __cplusplus
extern "C" {
#endif

/* USAGE where an objective can't be. */
rs_status rs_objectives_check(const rs_network *network, const rs_plan_options *options, rs_error *error);
/* Whether one looks at the node's output, which then must be there. */
bool rs_has_objective(const rs_plan_options *options, int node);
/* Whether one of these has a gradient, for which backward reads the output. */
bool rs_has_weighed_objective(const rs_plan_options *options, int node);

/* By what (y - target) is multiplied in the gradient. */
double rs_objective_factor(const rs_objective *objective, int64_t elements);

/* As read_layers and rs_measurement have them: either array may be NULL. */
void rs_layers_copy(const rs_layer_value *values, int count, double *losses, double *means);

#ifdef __cplusplus
}
#endif

#endif
