/* study_aggregate.h: what a study's runs have in common over their seeds: one HDF5 file and one CSV. Internal to study. */
#ifndef RS_STUDY_AGGREGATE_H
#define RS_STUDY_AGGREGATE_H

#include "rs/statistics.h"
#include "study.h"

/* min, mean, median, max of values; all NaN where one of them is. */
enum { RS_STUDY_SUMMARIES = 4 };
extern const char *const rs_study_summary_names[RS_STUDY_SUMMARIES];
/* Sorts the values. MEMORY. */
void rs_study_summarize(double *values, int64_t count, double summary[RS_STUDY_SUMMARIES]);

/* Writes OUT_DIR/STUDY_summary.h5 and .csv over all runs whose records are whole; says how many are not there yet. Nothing
 * is written where there is none. IO, MEMORY, DATA. */
rs_status rs_study_aggregate(const rs_study *study, const char *out_dir, rs_study_run *runs, int count,
                             bool quiet, rs_error *error);

#endif
