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

void rs_config_default(rs_config *config);

/* Sets one option from text. `place` ("--depth", "study.yaml:12") begins the message of an error, which says
 * what is allowed and the nearest match. USAGE for an unknown name or bad value; the configuration is then
 * unchanged. */
rs_status rs_config_set(rs_config *config, const char *name, const char *text, const char *place,
                        rs_error *error);

/* What no single option can say: combinations (nesterov without momentum, overwrite with resume, ...). USAGE.
 */
rs_status rs_config_validate(const rs_config *config, rs_error *error);

/* Parses argv[first..argc-1] as options ("--name value", "--name=value", "--flag", "--no-flag"). Anything
 * else: USAGE. Sets *help when --help or -h is among them and stops there. */
rs_status rs_config_parse(rs_config *config, int first, int argc, char **argv, bool *help, rs_error *error);

/* The whole configuration as YAML, one "key: value" a line in the table's order, numbers so that they read
 * back to the same bits. Returned text is the caller's (rs_free). */
rs_status rs_config_yaml(const rs_config *config, char **text, rs_error *error);
/* Reads such a text (or any flat YAML map of options) over *config; `place` names the file in errors. */
rs_status rs_config_read_yaml(rs_config *config, const char *text, const char *place, rs_error *error);

/* Name of a run: "resnet68-plain-cifar10-3f2a9c41" of network, data set and the hash over all RESULT keys
 * that differ from their defaults ("key=value\n" in the order of their names), so that new options leave old
 * names alone. */
void rs_config_run_name(const rs_config *config, char *name, size_t capacity);
/* --out, or runs/NAME.h5. */
void rs_config_output_path(const rs_config *config, char *path, size_t capacity);

/* Names the keys of RESULT scope in which two configurations differ ("epochs, seed"); returns their number.
 */
int rs_config_differences(const rs_config *a, const rs_config *b, char *names, size_t capacity);

/* The options part of --help, grouped and wrapped at 100 columns, with defaults. */
void rs_config_help(FILE *stream);

/* What is recorded, parsed from --record: weights, gradients, distances, gradient-stats, each for layers by
 * glob. */
typedef enum rs_recordable {
    RS_RECORD_WEIGHTS,
    RS_RECORD_GRADIENTS,
    RS_RECORD_DISTANCES,
    RS_RECORD_GRADIENT_STATS,
    RS_RECORDABLES
} rs_recordable;
/* Whether `config` asks for that of the parameter or block `name` (NULL: of anything at all).
 * "weights:layer4*" takes "layer4.2.conv1.weight"; without a glob all are taken. */
bool rs_config_records(const rs_config *config, rs_recordable what, const char *name);

/* When weights and gradients are kept: --snapshots. Epoch 0 / step 0 is the initial state.
 *   all               the initial state and every epoch end
 *   none
 *   epochs:LIST       1-based ends of epochs; LIST: "0,1,2,10..20,all" (0: initial)
 *   steps:LIST        after that many steps in all; LIST as above, "a..b" counts by one, "a..b*2" doubles
 *   last:K            the last K epochs */
bool rs_config_snapshot_epoch(const rs_config *config, int64_t epochs_done);
bool rs_config_snapshot_step(const rs_config *config, int64_t steps_done);

#endif
