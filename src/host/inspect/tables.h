/* tables.h: the series and lists of a record as tables, for CSV and JSON.
 *
 * Series of one number a row share a table by the folder they are in ("steps": step, loss, ...). One of several
 * numbers, such as steps/distance_to_initial/minkowski:1, is a table of its own ("distance_to_initial_minkowski_1") with a
 * column for each block, parameter or layer. Rows are those that commits cover. */
#ifndef RS_INSPECT_TABLES_H
#define RS_INSPECT_TABLES_H

#include "rs/metric.h"
#include "rs/record_reader.h"

#define RS__TABLE_NAME 128

/* A data set, which fills `width` columns. */
typedef struct rs__source {
    char path[256];
    char name[RS__TABLE_NAME]; /* of its column, where it fills one */
    bool text;
    int64_t width;
    char (*names)[RS_NAME_MAX]; /* [width]; NULL where it fills one column, or they are counted from 0 */
} rs__source;

typedef struct rs__table {
    char name[RS__TABLE_NAME]; /* of its file */
    int64_t rows;
    bool wide; /* source 0 is the scale of its rows, source 1 fills all other columns */
    int count, capacity;
    rs__source *sources;
} rs__table;

typedef struct rs__tables {
    int count, capacity;
    rs__table *list;
} rs__tables;

/* All of a record. The caller frees them, also after an error. */
rs_status rs__tables_of(const rs_record_reader *reader, rs__tables *tables, rs_error *error);
void rs__tables_free(rs__tables *tables);

/* The metrics of the distances that a record has, in the order in which the run named them; count 0: none. */
rs_status rs__metrics_of(const rs_record_reader *reader, rs_metric_list *metrics, rs_error *error);

/* Name of column `column` of a source. */
void rs__source_column(const rs__source *source, int64_t column, char *name, size_t capacity);

#endif
