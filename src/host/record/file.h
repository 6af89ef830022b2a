/* file.h: an open record: its growing data sets, and how rows go in and out. Knows HDF5, but no threads. */
#ifndef RS_RECORD_FILE_H
#define RS_RECORD_FILE_H

#include "h5.h"
#include "layout.h"
#include "rows.h"

#define RS_RECORD_FORMAT "resnet_study record"

typedef struct rs_open_column {
    hid_t dataset;
    int64_t extent; /* rows it has, committed or not */
} rs_open_column;

typedef struct rs_record_file {
    hid_t file;
    const rs_layout *layout;            /* borrowed */
    rs_open_column *columns[RS_TABLES]; /* [table][column] */
    int64_t commits;                    /* rows of commits/ that count */
    rs_position committed;              /* what the last of them covers; all -1 when there is none */
    rs_commit_kind last_kind;
    bool broken; /* an HDF5 call failed while writing: the file is left as a kill would leave it */
} rs_record_file;

/* Makes the whole structure at `path` and starts SWMR writing (create.c). */
rs_status rs_record_file_create(const char *path, const rs_record_spec *spec, const rs_layout *layout,
                                rs_record_file *record, rs_error *error);
/* Opens an existing record in a mode and finds its last commit; checks every column against the layout. DATA
 * when it is not ours or does not fit. */
rs_status rs_record_file_open(const char *path, rs_h5_mode mode, const rs_layout *layout,
                              rs_record_file *record, rs_error *error);
/* Closes the data sets and, unless broken, the file: that clears HDF5's mark of a writer. */
rs_status rs_record_file_close(rs_record_file *record, rs_error *error);

/* An empty record: no file, no data sets yet. */
rs_status rs_record_file_prepare(rs_record_file *record, const rs_layout *layout, rs_error *error);
/* Opens the columns of a layout in a file that holds them; used by both of the above. */
rs_status rs_record_file_open_columns(rs_record_file *record, rs_error *error);

/* Writes rows; grows the data sets, never shrinks them. */
rs_status rs_record_file_write(rs_record_file *record, const rs_block_of_rows *block, int64_t from,
                               rs_error *error);
/* Compares the first `rows` rows of a block with the file: *different is the path of the first data set that
 * differs, and *row which row, or NULL. */
rs_status rs_record_file_compare(const rs_record_file *record, const rs_block_of_rows *block, int64_t rows,
                                 const char **different, int64_t *row, rs_error *error);
/* Bytes that the library has handed out behind the end of the file. */
rs_status rs_record_file_ahead(const rs_record_file *record, uint64_t *bytes, rs_error *error);
/* The order that survives a kill: first flush and sync of all rows, then the commit row, flush, sync. */
rs_status rs_record_file_flush(rs_record_file *record, rs_error *error);
rs_status rs_record_file_commit(rs_record_file *record, rs_commit_kind kind, const rs_position *position,
                                rs_error *error);
enum { RS_REASON_BYTES = 32 }; /* of the text of what ended a run, with its end */
/* Records made before there was a reason stay without. */
rs_status rs_record_file_set_reason(rs_record_file *record, const char *reason, rs_error *error);
rs_status rs_record_file_set_not_finite(rs_record_file *record, const char *text,
                                        rs_error *error); /* so these */
rs_status rs_record_file_set_state(rs_record_file *record, rs_run_state state, rs_error *error);

/* Rows first .. first + rows - 1 of a column into values, of the column's own type. */
rs_status rs_column_read(const rs_column *column, hid_t dataset, int64_t first, int64_t rows, void *values,
                         rs_error *error);

#endif
