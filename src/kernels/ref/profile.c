/* profile.c: time by node; the reference counts no work and has no peak to be compared with. */
#include "plan.h"

rs_status ref_profile_start(rs_plan *plan, rs_error *error)
{
    const rs_network *network = plan->network;
    RS_TRY(rs_profile_start(&plan->profile, ref_update_row(plan) + 1, error));
    rs_profile_row *rows = plan->profile.rows;
    rows[REF_BATCH_ROW].operation = "batch";
    rows[ref_update_row(plan)].operation = "update";
    for (int i = 1; i < network->node_count; i++) {
        const char *operation = rs_op_name(network->nodes[i].kind);
        rows[ref_forward_row(i)].node = rows[ref_backward_row(i)].node = network->nodes[i].name;
        rows[ref_forward_row(i)].operation = rows[ref_backward_row(i)].operation = operation;
        rows[ref_forward_row(i)].pass = "forward";
        rows[ref_backward_row(i)].pass = "backward";
    }
    return RS_OK;
}

int ref_profile_rows(const rs_plan *plan, const rs_profile_row **rows)
{
    *rows = plan->profile.rows;
    return plan->profile.count;
}

rs_status ref_measure_peaks(rs_device *device, rs_peaks *peaks, rs_error *error)
{
    (void)device;
    (void)peaks;
    return RS_FAIL(error, RS_UNSUPPORTED, "the reference backend measures no peaks");
}
