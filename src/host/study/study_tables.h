/* study_tables.h: the tables of a study's summary, between reading (study_aggregate.c) and writing (study_summary.c). */
#ifndef RS_STUDY_TABLES_H
#define RS_STUDY_TABLES_H

#include "study_aggregate.h"

/* The first WHOLE_SERIES of the series are in every whole record, the others only where numbers are predicted. */
enum { SERIES = 10, WHOLE_SERIES = 6, STATISTICS = 5, KINDS = 2, LENGTHS = 2 };

extern const char *const rs__series_names[SERIES];        /* of epochs/: "train_loss" */
extern const char *const rs__length_names[LENGTHS];       /* "epochs", "seconds" */
extern const char *const rs__statistic_names[STATISTICS]; /* "mean" */
extern const char *const rs__kind_names[KINDS];           /* of distances: "initial" */

typedef struct group {
    char label[sizeof((rs_study_run *)0)->group];
    int first; /* a run of it */
    int planned, whole, diverged;
} group;

/* A step series of the group's runs, one column of it where it has several, as its mean over some of the steps. */
typedef struct step_row {
    int group;
    char quantity[RS_TEXT_MAX]; /* "gradient_norm", "layer_loss/conv1" */
    const char *window;         /* one of rs__window_names */
    double values[STATISTICS];
} step_row;

typedef struct aggregate {
    const rs_study *study;
    rs_study_run *runs;
    int count;
    int *group_of; /* [run] */
    group *groups;
    int group_count;
    int64_t epochs, blocks;              /* most of any run */
    double *epoch[SERIES][STATISTICS];   /* [group][epochs] */
    double *last[SERIES][STATISTICS];    /* [group], of each run's last epoch */
    double *length[LENGTHS][STATISTICS]; /* [group]: how long each run is */
    step_row *steps;                     /* [step_count], by group */
    int64_t step_count;
    double *distance[KINDS][RS_STUDY_SUMMARIES][2]; /* [group][blocks]: mean and std over the runs */
} aggregate;

enum { WINDOWS = 3, WINDOW_STEPS = 5 };
extern const char *const rs__window_names[WINDOWS]; /* "last": of the last epoch; "first-5", "last-5" */

/* OUT_DIR/STUDY_summary, or of a part STUDY.PART_summary, with an ending. */
void rs__study_summary_path(const aggregate *a, const char *out_dir, const char *ending, char *path,
                            size_t capacity);
/* Adds the rows of a group's step series; its whole runs have state SKIPPED. */
rs_status rs__study_sum_steps(aggregate *a, int g, rs_error *error);

/* Both replace what stands there. */
rs_status rs__study_write_hdf5(const aggregate *a, const char *out_dir, rs_error *error);
rs_status rs__study_write_csv(const aggregate *a, const char *out_dir, rs_error *error);

#endif
