/* rows.h: blocks of rows, filled by the trainer's thread and emptied by the writer.
 *
 * A block holds up to `capacity` rows of one table, column by column, so that the writer hands each column to
 * HDF5 in one piece:   | column 0: row 0 .. n-1 | column 1: row 0 .. n-1 | ... */
#ifndef RS_RECORD_ROWS_H
#define RS_RECORD_ROWS_H

#include "layout.h"

/* Fields of a row that are numbers: rs_column.index where the source is RS_FROM_ROW. */
enum {
    RS_STEP_INDEX,
    RS_STEP_LOSS,
    RS_STEP_TASK_LOSS,
    RS_STEP_ACCURACY,
    RS_STEP_LEARNING_RATE,
    RS_STEP_GRADIENT_NORM,
    RS_STEP_GRADIENT_NORM_CLIPPED,
    RS_STEP_SENSITIVITY_BATCH,
    RS_STEP_SENSITIVITY_SAMPLE
};
enum { RS_SNAPSHOT_INDEX, RS_SNAPSHOT_EPOCH, RS_SNAPSHOT_STEP };
enum {
    RS_EPOCH_INDEX,
    RS_EPOCH_TRAIN_LOSS,
    RS_EPOCH_TRAIN_ACCURACY,
    RS_EPOCH_VALID_LOSS,
    RS_EPOCH_VALID_ACCURACY,
    RS_EPOCH_TEST_LOSS,
    RS_EPOCH_TEST_ACCURACY,
    RS_EPOCH_TRAIN_SECONDS,
    RS_EPOCH_VALID_SECONDS,
    RS_EPOCH_RECORD_SECONDS,
    RS_EPOCH_VALID_MEAN_ABSOLUTE_ERROR,
    RS_EPOCH_VALID_R_SQUARED,
    RS_EPOCH_TEST_MEAN_ABSOLUTE_ERROR,
    RS_EPOCH_TEST_R_SQUARED
};
enum {
    RS_COMMIT_FIELD_EPOCH,
    RS_COMMIT_FIELD_STEP,
    RS_COMMIT_FIELD_SNAPSHOTS,
    RS_COMMIT_FIELD_BATCH,
    RS_COMMIT_FIELD_KIND,
    RS_COMMIT_FIELDS
};

/* A copy out of a device that fills a block while training goes on. */
typedef struct rs_block_copy {
    const rs_backend *backend; /* NULL: the rows are there */
    rs_plan *plan;
    uint64_t ticket;
} rs_block_copy;

typedef struct rs_block_of_rows {
    const rs_table *table;
    int64_t first_row; /* of the table */
    int64_t rows;      /* filled */
    int64_t capacity;
    char **columns; /* [table->count] start of each column's rows */
    bool busy;      /* handed to the writer */
    rs_block_copy copy;
    const rs_record_spec *pinned_by; /* whose device has the memory; NULL: rs_alloc's */
    rs_copy_item *items;             /* [table->count], of a pinned block */
} rs_block_of_rows;

/* Snapshots lie in pinned memory where the spec names a device that has it. */
rs_status rs_rows_create(const rs_record_spec *spec, const rs_table *table, rs_block_of_rows *block,
                         rs_error *error);
void rs_rows_destroy(rs_block_of_rows *block); /* takes a zeroed one */
/* Waits until all rows of a block are there. For the writer's thread. */
rs_status rs_rows_wait(const rs_block_of_rows *block, rs_error *error);

/* Fill the next row; the caller has made room. They copy everything. */
void rs_rows_add_step(rs_block_of_rows *block, const rs_network *network, const rs_step_row *row);
void rs_rows_add_epoch(rs_block_of_rows *block, const rs_epoch_row *row);
/* Reads the plan, or begins to, where the block is pinned. `mean`: gradients are sums / gradient_steps, through
 * `scratch` [largest parameter]. */
rs_status rs_rows_add_snapshot(rs_block_of_rows *block, const rs_snapshot_moment *moment, bool mean,
                               double *scratch, rs_error *error);

#endif
