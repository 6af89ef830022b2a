/* rs/result_reader.h: reads the files that rs/result_file.h writes: results of `analyze`, summaries of studies. */
#ifndef RS_RESULT_READER_H
#define RS_RESULT_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "rs/result_file.h"
#include "rs/status.h"

typedef struct rs_result_reader rs_result_reader;

/* DATA when it is no such file. The caller closes it. */
rs_status rs_result_reader_open(const char *path, rs_result_reader **reader, rs_error *error);
void rs_result_reader_close(rs_result_reader *reader); /* takes NULL */

/* Borrowed until it is closed. */
const char *rs_result_reader_path(const rs_result_reader *reader);
const char *rs_result_reader_kind(const rs_result_reader *reader); /* "pca", "study" */

/* Attributes of /. DATA when there is none of that name and type. */
rs_status rs_result_reader_text(const rs_result_reader *reader, const char *name, char **text,
                                rs_error *error); /* the caller's (rs_free) */
rs_status rs_result_reader_integer(const rs_result_reader *reader, const char *name, int64_t *value,
                                   rs_error *error);
rs_status rs_result_reader_real(const rs_result_reader *reader, const char *name, double *value,
                                rs_error *error);

/* Whether there is an array at that path. */
bool rs_result_reader_has(const rs_result_reader *reader, const char *path);
/* Its rank and sizes; those past the rank are 1. DATA when it is not there. */
rs_status rs_result_reader_size(const rs_result_reader *reader, const char *path, int *rank,
                                int64_t dim[RS_RESULT_RANK], rs_error *error);
/* All numbers, row-major: `count` must be the product of its sizes. DATA when it is not, or they are no numbers. */
rs_status rs_result_reader_reals(const rs_result_reader *reader, const char *path, int64_t count,
                                 double *values, rs_error *error);
/* Text `index` of an array of texts; the caller's (rs_free). */
rs_status rs_result_reader_text_at(const rs_result_reader *reader, const char *path, int64_t index,
                                   char **text, rs_error *error);

#endif
