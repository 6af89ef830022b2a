/* measures.h: distances and gradient statistics by their definitions, from weights read out. Internal to check/. */
#ifndef RS_CHECK_MEASURES_H
#define RS_CHECK_MEASURES_H

#include "report.h"
#include "rs/backend.h"

/* Values of all parameters around one step, as double, and what the backend measured. */
typedef struct rs_check_state {
    int parameter_count;
    double **initial, **before, **after, **gradient; /* [parameter][count] */
    void *packed;                                    /* the largest parameter in the plan's type */
    rs_metric_list metrics;
    rs_measurement measurement;
} rs_check_state;

rs_status rs_check_state_create(const rs_network *network, rs_dtype dtype, const rs_metric_list *metrics,
                                rs_check_state *state, rs_error *error);
void rs_check_state_release(rs_check_state *state);

void rs_check_pack(rs_dtype dtype, const double *values, int64_t count, void *packed);
void rs_check_unpack(rs_dtype dtype, const void *packed, int64_t count, double *values);

/* Compares the measurement with what `state` says it must be, one value per kind of measure and metric. */
void rs_check_measures(const rs_network *network, const rs_update_options *options,
                       const rs_check_state *state, int step, rs_check_row *row);

#endif
