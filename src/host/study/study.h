/* study.h: a study file, the runs it stands for, and running them. Internal to study.
 *
 *   rs_study_read (file + --set)  ->  rs_study_expand  ->  rs_study_examine each  ->  rs_study_run_all */
#ifndef RS_STUDY_STUDY_H
#define RS_STUDY_STUDY_H

#include <stdbool.h>

#include "rs/config.h"
#include "rs/status.h"
#include "rs/yaml.h"

enum {
    RS_STUDY_MAX_AXES = 32,
    RS_STUDY_MAX_STAGES = 32,
    RS_STUDY_MAX_CASES = 256,
    RS_STUDY_MAX_RUNS = 10000,
    RS_STUDY_PATH = RS_TEXT_MAX
};

/* One --set or --seeds of the command line. Borrowed texts. */
typedef struct rs_study_override {
    const char *key, *value;
    bool ranges; /* "A..B" stands for A, A+1, ... B */
} rs_study_override;

/* One dimension of the grid: an option and the values it takes. */
typedef struct rs_study_axis {
    const char *name; /* of the option; in the tree or the command line */
    bool overridden;  /* from the command line */
    bool by_seeds;    /* from --seeds: stages keep seeds of their own */
    int in_file;      /* values that the study file has for it; 0: it is no axis there */
    int count;
    struct rs_study_value {
        char *text;
        char place[256]; /* of the value, for errors: "study.yaml:12" or "--set depth" */
    } * values;
} rs_study_axis;

typedef struct rs_study {
    const char *path;                         /* of the file, for errors; borrowed */
    rs_yaml *root;                            /* the file */
    const char *name;                         /* in the tree */
    rs_config settings;                       /* defaults and `settings` */
    const rs_yaml *cases;                     /* the list of named maps, or NULL */
    const rs_yaml *taken[RS_STUDY_MAX_CASES]; /* those that run, in the order of the file */
    int taken_count;
    const rs_yaml *stages; /* as cases */
    int most_turns;        /* of a repeated stage; 0: as the file says */
    char part[96]; /* "case=nn.epochs=20": what the command line took of it, for file names; "": all of it */
    int axis_count;
    rs_study_axis axes[RS_STUDY_MAX_AXES]; /* slowest first */
} rs_study;

/* Reads and checks a study file and lays the overrides over it. Free with rs_study_clear in any case. */
rs_status rs_study_read(rs_study *study, const char *path, const rs_study_override *overrides, int count,
                        rs_error *error);
/* Takes only these cases: names with commas. USAGE names one that there is not. */
rs_status rs_study_take_cases(rs_study *study, const char *names, rs_error *error);
void rs_study_clear(rs_study *study);
/* Whether one value of the option may hold commas, so that --set takes one value at a time. */
bool rs_study_value_is_list(const rs_option *option);

typedef enum rs_study_state {
    RS_STUDY_NEW,
    RS_STUDY_RESUMABLE,
    RS_STUDY_RUNNING,
    RS_STUDY_DONE,    /* by this command */
    RS_STUDY_SKIPPED, /* was done already */
    RS_STUDY_FAILED,  /* diverged (`diverged` says so), failed, or its record is another run's: see message */
    RS_STUDY_INTERRUPTED, /* by us; resumable */
} rs_study_state;

/* One run of the study. */
typedef struct rs_study_run {
    rs_config config; /* with `out` */
    char name[128];
    char group[384];   /* "as-published, depth 18": what tells it from its neighbours, whatever the seed */
    char label[416];   /* the same with ", seed 2" */
    char changed[256]; /* "epochs 20, train-limit 512": what the command line changed beside the grid */
    int cell,
        turn;  /* point of cases x grid, without seeds; place in its chain: equal in all runs of a group */
    int from;  /* the run whose record it begins from, which comes before it; -1: none */
    int chain; /* of stages that it belongs to; taking a shard numbers them anew */
    int place; /* while a shard is taken: in the new list */
    bool last_of_chain; /* no other run begins from it; without stages every run */
    rs_study_state state;
    bool diverged;
    int tries;           /* begun so often by this command */
    int64_t epochs_done; /* of a resumable one */
    int exit_status;     /* of a failed one; -1: no process was started */
    char message[512];   /* of a failed one: its last line */
} rs_study_run;

/* Every run, resolved and validated, in order: cases, then grid keys as written, then seeds, then stages. A stage that
 * several chains have in common (equal in all that changes results) is one run. Their records
 * lie in OUT_DIR/STUDY/. The caller frees *runs (rs_free). USAGE names the run whose settings do not fit. */
rs_status rs_study_expand(const rs_study *study, const char *out_dir, rs_study_run **runs, int *count,
                          rs_error *error);

/* Looks at the run's record and sets state, epochs_done and, for FAILED, message. */
void rs_study_examine(rs_study_run *run);

typedef struct rs_study_options {
    int jobs;  /* processes at a time */
    int retry; /* a run that fails is begun again so often */
    bool fail_fast, quiet;
} rs_study_options;

/* Leaves out what is not in part `part` (from 0) of `parts`: runs that depend on each other stay together. */
void rs_study_take_shard(rs_study_run *runs, int *count, int part, int parts);

/* Runs all that is not done. Returns the exit status of the program. */
int rs_study_run_all(const char *study_name, rs_study_run *runs, int count, const rs_study_options *options);

#endif
