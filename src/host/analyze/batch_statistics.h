/* batch_statistics.h: running statistics of batch norm made anew for weights that no training passed through. */
#ifndef RS_ANALYZE_BATCH_STATISTICS_H
#define RS_ANALYZE_BATCH_STATISTICS_H

#include "model.h"

/* Sets every running mean and variance of the plan to the mean over batches of those of each batch (variance unbiased, as
 * training keeps it), all batches alike: one pass over the split in training mode. UNSUPPORTED with momentum 0. */
rs_status rs__estimate_statistics(const rs__model *model, const rs_split *split, rs_error *error);

#endif
