/* study_tables.h: the tables of a study's summary, between reading (study_aggregate.c) and writing (study_summary.c). */
#ifndef RS_STUDY_TABLES_H
#define RS_STUDY_TABLES_H

#include "study_aggregate.h"

enum { SERIES = 6, STATISTICS = 5, KINDS = 2 };

extern const char *const rs__series_names[SERIES];        /* of epochs/: "train_loss" */
extern const char *const rs__statistic_names[STATISTICS]; /* "mean" */
extern const char *const rs__kind_names[KINDS];           /* of distances: "initial" */

typedef struct group {
    char label[sizeof((rs_study_run *)0)->label];
    int first; /* a run of it */
    int planned, whole;
} group;

typedef struct aggregate {
    const rs_study *study;
    rs_study_run *runs;
    int count;
    int *group_of; /* [run] */
    group *groups;
    int group_count;
    int64_t epochs, blocks;                         /* most of any run */
    double *epoch[SERIES][STATISTICS];              /* [group][epochs] */
    double *last[SERIES][STATISTICS];               /* [group], of each run's last epoch */
    double *length[STATISTICS];                     /* [group], epochs of each run */
    double *distance[KINDS][RS_STUDY_SUMMARIES][2]; /* [group][blocks]: mean and std over the runs */
} aggregate;

/* Both replace what stands there. */
rs_status rs__study_write_hdf5(const aggregate *a, const char *out_dir, rs_error *error);
rs_status rs__study_write_csv(const aggregate *a, const char *out_dir, rs_error *error);

#endif
