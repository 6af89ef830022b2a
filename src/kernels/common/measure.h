/* measure.h: from the sums that an update takes of every tensor to what rs_measurement says of a step; and from those of the
 * input's gradient to its sensitivity. */
#ifndef RS_KERNELS_MEASURE_H
#define RS_KERNELS_MEASURE_H

#include "update.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Of one tensor, or of a part of it. */
typedef struct rs_update_sums {
    rs_gradient_sums gradient;
    rs_difference_sums to_initial, to_previous;
} rs_update_sums;

/* Fills to_initial (when `initial`) and to_previous where the measurement has them: a block's distance is the sum of
 * its tensors' distances. sums: [parameter]. */
void rs_measure_distances(const rs_network *network, const rs_metric_list *metrics,
                          const rs_update_sums *sums, bool initial, const rs_measurement *measurement);
/* Fills the gradients' statistics where the measurement has them. */
void rs_measure_gradients(const rs_network *network, const rs_update_sums *sums,
                          const rs_measurement *measurement);

/* From the squared norm of each sample's part of the batch's gradient of node 0, [count]. */
rs_sensitivity rs_measure_sensitivity(const rs_network *network, const double *squares, int64_t count);

#ifdef __cplusplus
}
#endif

#endif
