/* twin.h: finite differences over cuts.
 *
 * What crosses a cut counts as a constant. So the objective is taken of another network, the twin: all operators twice, first
 * as `held_...` with values that stay, then once more with those that are moved, and every cut edge comes from the held ones:
 *
 *     x -> held_a -> held_b ...        \  cut
 *     x -> a      -> b      ...         \-> c -> loss
 *
 * The input is moved in both: its gradient has no differences where there is a cut. */
#ifndef RS_CHECK_TWIN_H
#define RS_CHECK_TWIN_H

#include "session.h"

typedef struct rs_check_twin {
    rs_network *network;
    rs_check_session session;
    rs_check_data data;                /* held copies, then the case's own values, which are moved in place */
    int parameter_count, buffer_count; /* that are held */
} rs_check_twin;

/* The caller owns it. Its parameters and buffers: the held ones, then the others, each in the case's order. */
rs_status rs_check_twin_network(const rs_check_case *c, rs_network **network, rs_error *error);

/* `of` and `data` are borrowed. Release it with rs_check_twin_close in any case. */
rs_status rs_check_twin_open(const rs_check_session *of, const rs_check_data *data, rs_check_twin *twin,
                             rs_error *error);
void rs_check_twin_close(rs_check_twin *twin); /* takes a zeroed one */

#endif
