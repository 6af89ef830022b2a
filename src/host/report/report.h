/* report.h: what a report is made of. Internal to report.
 *
 *   rs__report_find_inputs (arguments -> files)  ->  rs__report_read_runs (records -> numbers)
 *   ->  rs__report_make_groups (over seeds)  ->  rs__report_find_warnings
 *   ->  rs__report_write_page (HTML), rs__report_write_csv, _markdown, _json */
#ifndef RS_REPORT_REPORT_H
#define RS_REPORT_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "rs/config.h"
#include "rs/observer.h"
#include "rs/record_reader.h"
#include "rs/status.h"
#include "rs/yaml.h"

/* --- inputs: inputs.c ---------------------------------------------------------------------------------------- */

/* A list of texts that it owns. */
typedef struct rs__texts {
    char **list;
    int count, capacity;
} rs__texts;
/* Adds a copy. */
rs_status rs__report_add_text(rs__texts *texts, const char *text, rs_error *error);
void rs__report_clear_texts(rs__texts *texts);

typedef struct rs__inputs {
    rs__texts given; /* files named on the command line, each once: must be records or results of analyze */
    rs__texts found; /* files of folders: what is neither is left out */
    rs__texts summaries; /* of studies, for what was planned */
    char name[256];      /* of the one study or folder that all of them are of; else "" */
} rs__inputs;
/* A record, a folder of records with the summary beside it, or a study's summary with its folder. DATA: a file that is
 * none of them, or nothing to report on. */
rs_status rs__report_find_inputs(rs__inputs *inputs, const char *const *arguments, int count,
                                 rs_error *error);
void rs__report_clear_inputs(rs__inputs *inputs);

/* --- runs: run.c --------------------------------------------------------------------------------------------- */

/* What a run comes to: the last value of a series of epochs/, or how many epochs there were. */
enum { RS__MEASURES = 11, RS__EPOCHS = RS__MEASURES - 1 };
typedef enum rs__better { RS__LOWER, RS__HIGHER, RS__NEITHER } rs__better;
typedef struct rs__measure {
    const char *name; /* "test_accuracy": of the series, and of columns in files */
    const char *title;
    rs__better better;
} rs__measure;
extern const rs__measure rs__report_measures[RS__MEASURES];

/* Texts that say where a record comes from. */
typedef enum rs__origin {
    RS__NETWORK,
    RS__VERSION,
    RS__COMMIT,
    RS__DEVICE,
    RS__LIBRARIES,
    RS__STARTED,
    RS__INIT_FROM,
    RS__GRADIENT,
    RS__ALGORITHMS,
    RS__ORIGINS
} rs__origin;
extern const char *const rs__report_origin_names[RS__ORIGINS];  /* of the attributes */
extern const char *const rs__report_origin_titles[RS__ORIGINS]; /* for people */

typedef struct rs__run {
    char *path;
    const char *name; /* the file's, without folders; in path */
    char *config;     /* YAML as recorded */
    rs_yaml *tree;    /* the same */
    const char **
        settings; /* [option of rs_option_table]: its text, the default's where the record has none; borrowed */
    char state[32], reason[32];
    bool writer_mark; /* a process writes it, or was killed */
    rs_position done;
    char *origin[RS__ORIGINS]; /* "" where the record has none */
    char *dataset;             /* YAML */
    char *network_file;        /* YAML, or "" */
    int64_t seed, threads, resumed, resumed_elsewhere;
    int64_t parameters, tensors, blocks;
    double measures[RS__MEASURES]; /* NaN: not there */
    double seconds;                /* of all epochs: training, validation, recording */
    double first_loss, last_loss;  /* of steps */
    double peak_loss;              /* highest finite one */
    int64_t peak_step, bad_step;   /* from 0; bad: first loss or gradient norm that is no number, -1 none */
    int group;
} rs__run;

bool rs__report_is_done(const rs__run *run);
bool rs__report_is_diverged(const rs__run *run);

typedef struct rs__group rs__group;

typedef struct rs__report {
    const char *title; /* NULL: made from the runs */
    bool no_figures;
    rs__run *runs;
    int run_count;
    size_t option_count;
    char **defaults; /* [option] */
    int *varying;    /* options in which groups differ, in the table's order */
    int varying_count;
    rs__group *groups;
    int group_count;
    bool shown[RS__MEASURES]; /* some run has it, and it is no copy of another */
    bool turns;               /* some groups have the same settings */
    rs__texts warnings;
    rs__texts notes;   /* what is worth knowing, but no trouble */
    rs__texts results; /* files of `analyze`, for figures */
    const rs__inputs *inputs;
} rs__report;

/* Reads every record, and takes results of `analyze`; what is neither goes to the notes. DATA when there is no record. */
rs_status rs__report_read_runs(rs__report *report, const rs__inputs *inputs, rs_error *error);
void rs__report_clear(rs__report *report);

/* --- groups: groups.c ---------------------------------------------------------------------------------------- */

typedef struct rs__spread {
    double mean, std; /* std: of a sample, n - 1; NaN of one value */
    int64_t n;
    bool counts; /* they are numbers of something: whole ones have no decimals */
    bool best;   /* of the complete groups with the same data and loss, where there are several */
    bool close;  /* the best, but another is within the standard deviation */
} rs__spread;

/* Runs that differ in their seed alone. */
struct rs__group {
    char label[512]; /* "ResNet-18 plain, width even": what tells it from the others */
    char key[512];   /* "plain true, width even": the same as a study's summary has it */
    int first;       /* a run of it, whole where one is */
    int turn;        /* of groups with the same settings, from 1: repeated stages, copies */
    int count, whole, diverged;
    int planned;   /* runs, as the study's summary says; 0: nothing is known */
    bool complete; /* all of them finished, and no comparable group has more: may be the best */
    rs__spread results[RS__MEASURES]; /* over the whole runs; over all where none is whole */
};
rs_status rs__report_make_groups(rs__report *report, rs_error *error);
/* Mean and standard deviation of what is no NaN. */
rs__spread rs__report_spread(const double *values, int count);
/* "0.7123 ± 0.0041", "0.7123" of one run, "" of none. */
void rs__report_spread_text(const rs__spread *spread, char *text, size_t capacity);

/* What a reader is told an option is: the value that it stands for where it has its default, "none" where it is empty: labels.c. */
const char *rs__report_setting(const rs__run *run, size_t option);
/* What the record says of that option, "" where it says nothing. */
const char *rs__report_setting_named(const rs__run *run, const char *name);
/* Whether it is that value, spelled out or not: a record has the epsilon that an optimizer's default stands for. */
bool rs__report_is_default(const rs__report *report, const rs__run *run, size_t option);
/* The same where networks have names: "plain" or "residual" of the option plain. */
const char *rs__report_setting_shown(const rs__run *run, size_t option);
/* Writes the group's key and its label, with the network's name as figures have it, or with its options one by one: labels.c. */
void rs__report_label(const rs__report *report, rs__group *group, bool by_options);
/* Sets `complete` and `best`; again once more is known of what was planned: best.c. */
void rs__report_mark_best(rs__report *report);

/* --- warnings: warnings.c ------------------------------------------------------------------------------------ */

rs_status rs__report_find_warnings(rs__report *report, rs_error *error);
/* Planned runs that are missing, as the studies' summaries say: planned.c. */
rs_status rs__report_find_planned(rs__report *report, rs_error *error);

/* --- layers: layers.c ---------------------------------------------------------------------------------------- */

/* A module that has parameters or series of its own, and all that a record has of it. */
typedef struct rs__layer {
    char name[RS_NAME_MAX], kind[RS_NAME_MAX];
    int64_t shape[3];          /* of its output */
    int64_t parameters;        /* elements */
    int first, tensors;        /* rows of rs__layers.parameters */
    int block, measured, head; /* rows of blocks/, layer and head; -1 */
    bool running;              /* batch norm's statistics are recorded */
    double loss, output;       /* last of steps/layer_loss, steps/layer_output_mean */
} rs__layer;

typedef struct rs__parameter {
    char name[RS_NAME_MAX], layer[RS_NAME_MAX];
    int64_t shape[4], count;
    int row, block;           /* row in parameters/; block or -1 */
    bool weights, gradients;  /* are recorded */
    double early, late, norm; /* mean of abs(gradient) over the first and last steps, last L2 norm */
} rs__parameter;

typedef struct rs__block {
    char name[RS_NAME_MAX];
    int64_t depth, weights;
    double initial, previous; /* last distances by the first metric */
} rs__block;

enum { RS__WINDOW = 5 }; /* steps of `early` and `late` */

typedef struct rs__layers {
    rs__layer *layers;
    rs__parameter *parameters;
    rs__block *blocks;
    int layer_count, parameter_count, block_count;
    char metric[64];   /* the first; "" without distances */
    rs__texts metrics; /* all whose distances are recorded */
    bool statistics;   /* of gradients */
    bool losses, outputs;
} rs__layers;
rs_status rs__report_read_layers(const rs__run *run, rs__layers *layers, rs_error *error);
void rs__report_clear_layers(rs__layers *layers);

/* --- writing ------------------------------------------------------------------------------------------------- */

/* USAGE: an ending other than .html, .csv, .md and .json, or a file exists and `overwrite` is false. */
rs_status rs__report_check_paths(const rs__texts *paths, bool overwrite, rs_error *error);
/* All of them, each whole or not at all; the ending says what. */
rs_status rs__report_write(const rs__report *report, const rs__texts *paths, rs_error *error);

rs_status rs__report_write_page(const rs__report *report, FILE *file, rs_error *error);
void rs__report_write_csv(const rs__report *report, FILE *file);
void rs__report_write_markdown(const rs__report *report, FILE *file);
void rs__report_write_json(const rs__report *report, FILE *file);

#endif
