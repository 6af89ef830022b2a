/* study_runs.h: the list of runs while it is made: study_expand.c and study_stage.c. */
#ifndef RS_STUDY_RUNS_H
#define RS_STUDY_RUNS_H

#include "study.h"

typedef struct rs_study_runs {
    rs_study_run *list; /* [count] */
    int count;
    const char *out_dir;
} rs_study_runs;

/* Appends a copy of `like`; *run is valid until the next one is added. */
rs_status rs__study_add_run(rs_study_runs *runs, const rs_study_run *like, rs_study_run **run,
                            rs_error *error);
/* Validates and names the run added last; *made is its index, or that of an equal stage of an earlier chain, which then
 * stands for both. */
rs_status rs__study_finish_run(const rs_study *study, rs_study_runs *runs, int *made, rs_error *error);

/* Names of cases and stages stand in lists with commas. */
rs_status rs__study_check_name(const rs_study *study, const rs_yaml *item, rs_error *error);

/* Appends ", KEY VALUE" to a label. USAGE when there is no room: labels name groups in the summary. */
rs_status rs__study_add_label(char *text, size_t capacity, const char *key, const char *value,
                              rs_error *error);
/* Notes in run->changed, once, that the command line set this; what has no room is left out. */
void rs__study_note_change(rs_study_run *run, const char *key, const char *value);

/* The stages of a study file, with their lines in errors. */
rs_status rs__study_check_stages(const rs_study *study, rs_error *error);
/* Adds chain `number` of stages, over the settings of `base`. */
rs_status rs__study_add_chain(const rs_study *study, const rs_study_run *base, int number,
                              rs_study_runs *runs, rs_error *error);

#endif
