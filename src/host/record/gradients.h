/* gradients.h: statistics of gradients over the first and the last steps of a record, for `info`. */
#ifndef RS_RECORD_GRADIENTS_H
#define RS_RECORD_GRADIENTS_H

#include <stdio.h>

#include "contents.h"

/* Prints mean and standard deviation of abs(g) of every parameter, over all elements of the first and of the last `steps`
 * steps. DATA when the record has no such series, or fewer steps. */
rs_status rs_gradients_print(const rs_contents *contents, int64_t steps, FILE *stream, rs_error *error);

#endif
