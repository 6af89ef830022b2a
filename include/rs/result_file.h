/* rs/result_file.h: the HDF5 file that an analysis writes: named arrays with units, and where they come from.
 *
 * The file is made under PATH.part and gets its name when it is whole and synced; until then nothing stands at PATH.
 * Attributes of /: format "resnet_study result", schema_version, kind, program_version, commit, computed_at (UTC), and what
 * is put there. inputs/path, inputs/sha256 and inputs/snapshot say what it was computed from. Each array has the
 * attributes `what` and `unit` ("1" for plain numbers) and a label on every axis. */
#ifndef RS_RESULT_FILE_H
#define RS_RESULT_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "rs/status.h"

#define RS_RESULT_FORMAT  "resnet_study result"
#define RS_RESULT_VERSION 1
#define RS_RESULT_RANK    3

typedef struct rs_result_file rs_result_file;

/* What an array is. Borrowed for the call. */
typedef struct rs_result_array {
    const char *path; /* "component/variance"; groups are made as needed */
    const char *what; /* one line */
    const char *unit;
    int rank;
    int64_t dim[RS_RESULT_RANK];
    const char *axis[RS_RESULT_RANK]; /* "point", "component" */
} rs_result_array;

/* Creates PATH.part (and its directory). USAGE when PATH exists and `overwrite` is false. */
rs_status rs_result_create(const char *path, const char *kind, bool overwrite, rs_result_file **file,
                           rs_error *error);
/* Attributes of /. */
rs_status rs_result_text(rs_result_file *file, const char *name, const char *text, rs_error *error);
rs_status rs_result_integer(rs_result_file *file, const char *name, int64_t value, rs_error *error);
rs_status rs_result_real(rs_result_file *file, const char *name, double value, rs_error *error);
/* Arrays; values in row-major order, all of them. */
rs_status rs_result_reals(rs_result_file *file, const rs_result_array *array, const double *values,
                          rs_error *error);
rs_status rs_result_integers(rs_result_file *file, const rs_result_array *array, const int64_t *values,
                             rs_error *error);
rs_status rs_result_texts(rs_result_file *file, const rs_result_array *array, const char *const *texts,
                          rs_error *error); /* rank 1 */
/* Syncs, closes, renames, and syncs the folder. Always frees the file; on failure PATH.part is gone. */
rs_status rs_result_finish(rs_result_file *file, rs_error *error);
void rs_result_abandon(rs_result_file *file); /* removes PATH.part; takes NULL */

#endif
