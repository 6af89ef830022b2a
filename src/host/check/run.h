/* run.h: the checks of one case, and of the update rules. Internal to check/ and its tests. */
#ifndef RS_CHECK_RUN_H
#define RS_CHECK_RUN_H

#include "report.h"
#include "session.h"

/* Devices, opened by the caller. `backend` is what is checked and may be ref itself. */
typedef struct rs_check_machine {
    const rs_backend *reference, *backend;
    rs_device *reference_device, *device;
} rs_check_machine;

/* All checks of a case: the reference's gradients against finite differences, the reference in float and the
 * backend (with every convolution algorithm it has) against the reference in double, and the backend against
 * itself. What fails, also an error of the backend, is a failure in the report; only lack of memory is returned. */
rs_status rs_check_run_case(const rs_check_machine *machine, const rs_check_case *c, rs_check_report *report,
                            rs_error *error);

/* Update rules: names "update_sgd", "update_adamw_clip", ... */
int rs_check_update_count(void);
const char *rs_check_update_name(int index);
rs_status rs_check_run_update(const rs_check_machine *machine, int index, rs_check_report *report,
                              rs_error *error);

/* Everything whose name contains `filter` (NULL: all), into the report. *matched: how many cases that were. */
rs_status rs_check_run_all(const rs_check_machine *machine, const char *filter, rs_check_report *report,
                           int *matched, rs_error *error);

#endif
