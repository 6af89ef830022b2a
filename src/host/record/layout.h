/* layout.h: every growing data set of a record as a plain value, made from its spec; knows no HDF5.
 *
 * A table is a group of data sets (columns) that grow together, one row at a time: steps, snapshots, epochs,
 * commits. A column's row is a number (rank 0) or a tensor. From here come the file's structure, the blocks
 * of rows that the trainer fills, the size estimate and the check of a file that is resumed. */
#ifndef RS_RECORD_LAYOUT_H
#define RS_RECORD_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "rs/recorder.h"

#define RS_PATH_MAX 96

typedef enum rs_column_type { RS_COLUMN_F32, RS_COLUMN_F64, RS_COLUMN_I64 } rs_column_type;

/* What the second dimension of a series runs over. */
typedef enum rs_axis {
    RS_AXIS_NONE,
    RS_AXIS_BLOCK,
    RS_AXIS_PARAMETER,
    RS_AXIS_LAYER,
    RS_AXIS_HEAD,
    RS_AXIS_TENSOR
} rs_axis;

/* Where the values of a column come from. `index` of the column says of which metric, parameter or buffer. */
typedef enum rs_source {
    RS_FROM_ROW, /* field `index` of the row, see rows.h */
    RS_FROM_TO_INITIAL,
    RS_FROM_TO_PREVIOUS,
    RS_FROM_GRADIENT_ABS_MEAN,
    RS_FROM_GRADIENT_ABS_STD,
    RS_FROM_GRADIENT_NORMS,
    RS_FROM_LAYER_LOSSES, /* these four are doubles, stored as f32 */
    RS_FROM_LAYER_OUTPUTS,
    RS_FROM_HEAD_LOSSES,
    RS_FROM_HEAD_ACCURACIES,
    RS_FROM_PARAMETER,
    RS_FROM_BUFFER,
    RS_FROM_GRADIENT
} rs_source;

typedef struct rs_column {
    char path[RS_PATH_MAX]; /* "weights/layer1.0.conv1.weight" */
    rs_column_type type;
    rs_axis axis;
    rs_source source;
    int index;
    rs_shape row;       /* shape of one row; rank 0: a number */
    int64_t count;      /* elements of one row */
    size_t row_bytes;   /* of one row */
    int64_t chunk_rows; /* rows in a chunk */
    rs_shape chunk;     /* part of a row in a chunk */
    int64_t first_row;  /* rows before it are never written: gradients have none of the initial state */
    bool filtered;      /* shuffle and deflate */
} rs_column;

typedef enum rs_table_kind {
    RS_TABLE_STEPS,
    RS_TABLE_SNAPSHOTS,
    RS_TABLE_EPOCHS,
    RS_TABLE_COMMITS,
    RS_TABLES
} rs_table_kind;

typedef struct rs_table {
    const char *dimension; /* name of its rows and of their scale: "step" */
    int count;
    rs_column *columns; /* [count]; column 0 is the scale of its rows */
    size_t row_bytes;   /* of all columns */
    int64_t block_rows; /* rows that are handed over at once, at most */
    int64_t planned_rows;
} rs_table;

typedef struct rs_layout {
    rs_table table[RS_TABLES];
    size_t largest_row; /* elements of the largest parameter: scratch for gradient sums */
} rs_layout;

/* MEMORY, or USAGE for a network that cannot be recorded. */
rs_status rs_layout_create(const rs_record_spec *spec, rs_layout *layout, rs_error *error);
void rs_layout_destroy(rs_layout *layout); /* takes a zeroed one */

size_t rs_column_type_size(rs_column_type type);
/* Bytes of the finished file. */
uint64_t rs_layout_planned_bytes(const rs_layout *layout, const rs_record_spec *spec);
/* Rows of a table that a position covers; not of RS_TABLE_COMMITS. */
int64_t rs_position_rows(const rs_position *position, rs_table_kind table);

#endif
