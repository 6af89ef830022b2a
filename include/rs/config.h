/* rs/config.h: the resolved configuration of one run, generated from rs/options.def. */
#ifndef RS_CONFIG_H
#define RS_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "rs/status.h"

#define RS_TEXT_MAX 1024 /* bytes of a text option, with its end */

typedef bool rs_option_flag_type;
typedef int64_t rs_option_int_type;
typedef double rs_option_real_type;
typedef char rs_option_choice_type[32];
typedef char rs_option_text_type[RS_TEXT_MAX];

typedef enum rs_option_type {
    RS_OPTION_FLAG,
    RS_OPTION_INT,
    RS_OPTION_REAL,
    RS_OPTION_CHOICE,
    RS_OPTION_TEXT
} rs_option_type;
typedef enum rs_option_scope { RS_SCOPE_RESULT, RS_SCOPE_RUN } rs_option_scope;

#define RS_FIELD_FLAG   rs_option_flag_type
#define RS_FIELD_INT    rs_option_int_type
#define RS_FIELD_REAL   rs_option_real_type
#define RS_FIELD_CHOICE rs_option_choice_type
#define RS_FIELD_TEXT   rs_option_text_type

/* A plain value: copy it freely. */
typedef struct rs_config {
#define X(type, field, name, initial, allowed, scope, group, value, help) RS_FIELD_##type field;
#include "rs/options.def"
#undef X
} rs_config;

typedef struct rs_option {
    rs_option_type type;
    rs_option_scope scope;
    const char *name;    /* long name, YAML key */
    const char *allowed; /* see options.def */
    const char *group, *value, *help;
    size_t offset; /* of its field in rs_config */
} rs_option;

/* The table, in the order of options.def. */
const rs_option *rs_option_table(size_t *count);

bool rs_option_is_seed(const rs_option *option);
/* Its name in keys, headings and labels: "learning rate". */
void rs_option_words(const rs_option *option, char *text, size_t capacity);
/* Whether it says which experiment a run belongs to: what the result depends on, but no seed, and not the record that it begins
 * from, which has a seed of its own. */
bool rs_option_of_experiment(const rs_option *option);

void rs_config_default(rs_config *config);

/* Sets one option from text. `place` ("--depth", "study.yaml:12") begins the message of an error, which says
 * what is allowed and the nearest match. USAGE for an unknown name or bad value; the configuration is then
 * unchanged. */
rs_status rs_config_set(rs_config *config, const char *name, const char *text, const char *place,
                        rs_error *error);

/* What no single option can say: combinations (nesterov without momentum, overwrite with resume, ...). USAGE.
 */
rs_status rs_config_validate(const rs_config *config, rs_error *error);

/* Sets what follows from other options and the files that these name: epsilon, weight-decay, network-digest, init-digest. After
 * rs_config_validate, before anything takes the run's name or hash. USAGE: a digest that was given is not the file's, or the
 * file is no YAML; DATA: it cannot be read. */
rs_status rs_config_resolve(rs_config *config, rs_error *error);

/* --epsilon, or the default of the optimizer. */
double rs_config_epsilon(const rs_config *config);
/* --weight-decay, or the default of the optimizer. */
double rs_config_weight_decay(const rs_config *config);

/* Parses argv[first..argc-1] as options ("--name value", "--name=value", "--flag", "--no-flag"). Anything
 * else: USAGE. Sets *help when --help or -h is among them and stops there. */
rs_status rs_config_parse(rs_config *config, int first, int argc, char **argv, bool *help, rs_error *error);

/* The whole configuration as YAML, one "key: value" a line in the table's order, numbers so that they read
 * back to the same bits. Returned text is the caller's (rs_free). */
rs_status rs_config_yaml(const rs_config *config, char **text, rs_error *error);
/* Reads such a text (or any flat YAML map of options) over *config; `place` names the file in errors. */
rs_status rs_config_read_yaml(rs_config *config, const char *text, const char *place, rs_error *error);

/* Name of a run: "resnet68-plain-cifar10-3f2a9c41" or, of --network networks/nn.yaml, "nn-mnist-3f2a9c41": of network, data set and the hash over all RESULT keys
 * that differ from their defaults ("key=value\n" in the order of their names), so that new options leave old
 * names alone. */
void rs_config_run_name(const rs_config *config, char *name, size_t capacity);
/* --out, or runs/NAME.h5. */
void rs_config_output_path(const rs_config *config, char *path, size_t capacity);

/* Whether what happens before the end depends on how many epochs there are (the cosine schedule, snapshots last:K): such
 * a run cannot be resumed with more of them. */
bool rs_config_needs_end(const rs_config *config);

/* Names the keys of RESULT scope in which two configurations differ ("epochs, seed"); returns their number.
 */
int rs_config_differences(const rs_config *a, const rs_config *b, char *names, size_t capacity);

/* The options part of --help, grouped and wrapped at 100 columns, with defaults; without those that the program sets. */
void rs_config_help(FILE *stream);

/* The command line that gives this configuration: "--name=value", "--flag" or "--no-flag" for every option
 * that differs from its default (epsilon, weight-decay: from that of the optimizer), ended by NULL. Free with rs_config_arguments_free
 * (takes NULL). */
rs_status rs_config_arguments(const rs_config *config, char ***arguments, int *count, rs_error *error);
void rs_config_arguments_free(char **arguments);

/* Sets the option that an item of a YAML map (rs/yaml.h) names; `place` is the file. USAGE as rs_config_set.
 */
struct rs_yaml;
rs_status rs_config_set_yaml(rs_config *config, const struct rs_yaml *item, const char *place,
                             rs_error *error);

/* What is recorded: --record, a list with commas of weights, gradients, layer-outputs, layer-losses, each with an
 * optional :GLOB, distances, gradient-stats, sensitivity, or none alone. A name may stand there several times, with
 * several globs. */
typedef enum rs_recordable {
    RS_RECORD_WEIGHTS,
    RS_RECORD_GRADIENTS,
    RS_RECORD_DISTANCES,
    RS_RECORD_GRADIENT_STATS,
    RS_RECORD_LAYER_OUTPUTS,
    RS_RECORD_LAYER_LOSSES,
    RS_RECORD_SENSITIVITY,
    RS_RECORDABLES
} rs_recordable;
/* Whether `config` asks for that of the parameter or block `name` (NULL: of anything at all). A glob takes a
 * whole name or its beginning up to a dot: "weights:layer4*" and "weights:layer4.2" take
 * "layer4.2.conv1.weight". Without a glob all are taken. */
bool rs_config_records(const rs_config *config, rs_recordable what, const char *name);
/* Whether one of a list of globs with commas (--freeze, --reinitialize) takes the name, as above. */
bool rs_config_globs_take(const char *globs, const char *name);
/* USAGE when a glob of --record takes none of `names` (of all parameters, buffers and blocks), or, behind layer-outputs
 * and layer-losses, of `layers`: it would silently record nothing. */
rs_status rs_config_check_globs(const rs_config *config, const char *const *names, int count,
                                const char *const *layers, int layer_count, rs_error *error);

/* When weights and gradients are kept: --snapshots.
 *   all               the initial state and every epoch end
 *   none              nothing at all, not even the initial state
 *   or one to three of these with semicolons between them, each at most once:
 *   epochs:LIST       at the end of these epochs, counted from 1; 0 is the initial state
 *   steps:LIST        after that many steps in all; 0 is the initial state
 *   last:K            at the end of the last K epochs
 * LIST is a list with commas of
 *   N                 that one
 *   A..B              A, A+1, ... B
 *   A..B*K            A, A*K, A*K*K, ... as long as <= B; A >= 1, K >= 2
 *   all               every one, and the initial state
 * "epochs:0,1,10..20;steps:1..1000*10;last:2"
 *
 * snapshot_epoch is asked once with 0 (the initial state, whichever list names it) and once at the end of
 * every epoch with their number so far; snapshot_step after every step with their number so far, and is false
 * for 0. At an epoch's end one snapshot serves both. */
bool rs_config_snapshot_epoch(const rs_config *config, int64_t epochs_done);
bool rs_config_snapshot_step(const rs_config *config, int64_t steps_done);

#endif
