/* inputs.h: the files that a figure is drawn from: records, results of `analyze`, summaries of studies. */
#ifndef RS_PLOT_INPUTS_H
#define RS_PLOT_INPUTS_H

#include "rs/config.h"
#include "rs/metric.h"
#include "rs/record_reader.h"
#include "rs/result_reader.h"
#include "rs/status.h"

typedef struct rs__input {
    char *path, *name;        /* name: the file's, without folder and .h5 */
    rs_record_reader *record; /* one of the two */
    rs_result_reader *result;
    rs_config *config; /* of a record; of a result: of its first input, or NULL */
} rs__input;

typedef struct rs__inputs {
    int count;
    rs__input *list;
} rs__inputs;

/* Opens files, and all .h5 files of folders; of several, checkpoints and logs are passed over. DATA, with the path, where one is foreign, empty or not there; foreign
 * ones of a folder with others are left out with a warning. The caller closes them, also after a failure. */
rs_status rs__inputs_open(int count, const char *const *paths, rs__inputs *inputs, rs_error *error);
void rs__inputs_close(rs__inputs *inputs); /* takes a zeroed one */
rs_status rs__input_open(const char *path, rs__input *input, rs_error *error);
void rs__input_close(rs__input *input); /* takes a zeroed one */

/* Whether an input has what a figure needs: "record:PATH", "result:KIND", or several with | between them. A path that
 * ends in / is completed by the run's first metric; of a series there must be a row. "weights/" and "gradients/": of any
 * tensor; "dataset/KEY": what the record says of its data. *no_memory is set where there was not the memory to look. */
bool rs__input_has(const rs__input *input, const char *needs, rs_error *no_memory);

/* A whole series of a record as double, [rows * width], the caller's (rs_free). */
rs_status rs__read_series(const rs__input *input, const char *path, int64_t *rows, int64_t *width,
                          double **values, rs_error *error);
/* Its columns whose names a list of globs takes (NULL: all): names is the list of names (blocks/name). The caller's
 * (rs_free). USAGE when none is taken. */
typedef struct rs__columns {
    int64_t count;
    int64_t *index;             /* [count] of the column */
    char (*names)[RS_NAME_MAX]; /* [count] */
} rs__columns;
rs_status rs__read_columns(const rs__input *input, const char *list, const char *globs, rs__columns *columns,
                           rs_error *error);
void rs__columns_free(rs__columns *columns);
bool rs__same_columns(const rs__columns *a, const rs__columns *b); /* by their names */

/* The canonical name of --metric, or of the record's first one. USAGE lists what there is. */
rs_status rs__metric_of(const rs__input *input, const char *metric, char name[24], rs_error *error);

#endif
