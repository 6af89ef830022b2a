/* differences.h: finite differences and kinks of a case, in double on the reference backend. Internal to check/. */
#ifndef RS_CHECK_DIFFERENCES_H
#define RS_CHECK_DIFFERENCES_H

#include "report.h"
#include "session.h"

/* Values for the case by the first seed from `seed` on that keeps every ReLU and max-pooling window at least
 * RS_KINK_MARGIN from its kinks. FAILED when 200 seeds do not. */
rs_status rs_check_find_data(rs_check_session *session, uint64_t seed, rs_check_data **data, rs_error *error);

/* Along random directions of the input and of each parameter, the slope of the objective by central differences
 * against the gradient's, in the size of the gradient; adds one value per tensor to the row. */
rs_status rs_check_differences(rs_check_session *session, rs_check_data *data, rs_mode mode,
                               rs_check_row *row, rs_error *error);

#endif
