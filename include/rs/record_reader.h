/* rs/record_reader.h: reads a record (src/host/record/SCHEMA.md) for the parts of the program that use one: its
 * configuration, its snapshots tensor by tensor, its series. Nothing changes in the file; of a live or killed run all
 * that its commits cover is there. Paths are those of SCHEMA.md: "weights/fc.weight", "steps/loss". */
#ifndef RS_RECORD_READER_H
#define RS_RECORD_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "rs/observer.h"
#include "rs/status.h"
#include "rs/tensor.h"

typedef struct rs_record_reader rs_record_reader;

/* DATA when it is no record. Looks at no data set but those that are asked for. The caller closes it. */
rs_status rs_record_reader_open(const char *path, rs_record_reader **reader, rs_error *error);
void rs_record_reader_close(rs_record_reader *reader); /* takes NULL */

/* Borrowed until it is closed. */
const char *rs_record_reader_path(const rs_record_reader *reader);
const char *rs_record_reader_config(const rs_record_reader *reader); /* YAML, for rs_config_read_yaml */
const rs_position *rs_record_reader_committed(const rs_record_reader *reader); /* rows that count */
/* An attribute of the file that is text ("device", "commit"); the caller's (rs_free). DATA when there is none. */
rs_status rs_record_reader_attribute(const rs_record_reader *reader, const char *name, char **text,
                                     rs_error *error);

/* The same of one that is a number ("seed", "resumed"). */
rs_status rs_record_reader_integer(const rs_record_reader *reader, const char *name, int64_t *value,
                                   rs_error *error);

/* A data set that is one text ("network_file"); the caller's (rs_free). DATA when there is none. */
rs_status rs_record_reader_text(const rs_record_reader *reader, const char *path, char **text,
                                rs_error *error);

/* What a snapshot is of: finished steps, and finished epochs, -1 within an epoch. */
typedef struct rs_snapshot_place {
    int64_t epoch, step;
} rs_snapshot_place;
/* "last", or a number from 0: USAGE with what there is. DATA when there are none. */
rs_status rs_record_reader_find_snapshot(const rs_record_reader *reader, const char *text, int64_t *snapshot,
                                         rs_error *error);
rs_status rs_record_reader_snapshot(const rs_record_reader *reader, int64_t snapshot,
                                    rs_snapshot_place *place, rs_error *error);

/* A trainable tensor: row `row` of parameters/. DATA when it makes no sense. */
typedef struct rs_record_tensor {
    char name[RS_NAME_MAX];
    rs_shape shape;
    int64_t count;
    int block; /* row in blocks/, or -1 */
} rs_record_tensor;
rs_status rs_record_reader_parameter(const rs_record_reader *reader, int64_t row, rs_record_tensor *tensor,
                                     rs_error *error);

/* Whether the record has that data set, readable or not. */
bool rs_record_reader_has(const rs_record_reader *reader, const char *path);
/* One of its data sets. Borrowed until the reader is closed. */
typedef struct rs_record_item {
    const char *path;
    bool numbers;   /* else text */
    bool grows;     /* its rows are steps, epochs, snapshots or commits */
    int value_size; /* bytes of one number, or text */
    int64_t rows;   /* that count; 1 where it has no axis */
    int rank;       /* axes, that of the rows too */
    rs_shape row; /* shape of one row; rank 0: one value. Of no use where it has more axes than RS_MAX_RANK */
} rs_record_item;
/* Lists all data sets, for rs_record_reader_item. DATA when one of them cannot be read. */
rs_status rs_record_reader_list(const rs_record_reader *reader, rs_error *error);
/* Data set `index` of the list, from 0; false past the last. Only after rs_record_reader_list. */
bool rs_record_reader_item(const rs_record_reader *reader, int index, rs_record_item *item);
/* A parameter or running statistic of one snapshot: `name` as in weights/, in canonical order. DATA when it was not
 * recorded or has another shape. */
rs_status rs_record_reader_tensor(const rs_record_reader *reader, const char *name, int64_t snapshot,
                                  const rs_shape *shape, float *values, rs_error *error);
/* The same of gradients/. */
rs_status rs_record_reader_gradient(const rs_record_reader *reader, const char *name, int64_t snapshot,
                                    const rs_shape *shape, float *values, rs_error *error);

/* Size of a series, or a table that never grows: rows that count, and numbers in a row. DATA when it is not there. */
rs_status rs_record_reader_series_size(const rs_record_reader *reader, const char *path, int64_t *rows,
                                       int64_t *width, rs_error *error);
/* Rows first .. first + rows - 1 as double: values is [rows * width]. DATA when a row has not `width` numbers. */
rs_status rs_record_reader_series(const rs_record_reader *reader, const char *path, int64_t first,
                                  int64_t rows, int64_t width, double *values, rs_error *error);
/* Text `index` of a list of names such as blocks/name. */
rs_status rs_record_reader_name(const rs_record_reader *reader, const char *path, int64_t index,
                                char name[RS_NAME_MAX], rs_error *error);

#endif
