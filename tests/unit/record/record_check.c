/* record_check.c: see record_check.h. */
#include "record_check.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "file.h"
#include "rs/host.h"
#include "verify.h"

static char table_letter(rs_source source)
{
    switch (source) {
    case RS_FROM_TO_INITIAL:
        return 'i';
    case RS_FROM_TO_PREVIOUS:
        return 'p';
    case RS_FROM_GRADIENT_ABS_MEAN:
        return 'm';
    case RS_FROM_GRADIENT_ABS_STD:
        return 'd';
    case RS_FROM_LAYER_LOSSES:
        return 'l';
    case RS_FROM_LAYER_OUTPUTS:
        return 'o';
    case RS_FROM_HEAD_LOSSES:
        return 'h';
    case RS_FROM_HEAD_ACCURACIES:
        return 'a';
    default:
        return 'n';
    }
}

/* What element `i` of row `row` must be. */
static double expected(rs_table_kind table, const rs_column *column, int64_t row, int64_t i)
{
    switch (column->source) {
    case RS_FROM_PARAMETER:
        return fixture_value('w', column->index, row, i);
    case RS_FROM_BUFFER:
        return fixture_value('b', column->index, row, i);
    case RS_FROM_GRADIENT:
        return row == 0 ? (double)NAN : fixture_value('g', column->index, row, i);
    case RS_FROM_ROW:
        if (column->index == 0) {
            return (double)row; /* the scale of its rows */
        }
        if (table == RS_TABLE_SNAPSHOTS) {
            return (double)(column->index == RS_SNAPSHOT_EPOCH ? row : row * FIXTURE_STEPS);
        }
        return fixture_number(table == RS_TABLE_STEPS ? 's' : 'e', column->index - 1, row);
    default:
        return fixture_number(table_letter(column->source), column->index * FIXTURE_BLOCKS + (int)i, row);
    }
}

static double stored(const rs_column *column, const char *values, int64_t i)
{
    float f32;
    double f64;
    int64_t i64;
    switch (column->type) {
    case RS_COLUMN_F32:
        memcpy(&f32, values + (size_t)i * sizeof f32, sizeof f32);
        return f32;
    case RS_COLUMN_F64:
        memcpy(&f64, values + (size_t)i * sizeof f64, sizeof f64);
        return f64;
    default:
        memcpy(&i64, values + (size_t)i * sizeof i64, sizeof i64);
        return (double)i64;
    }
}

static rs_status check_column(const rs_record_file *record, rs_table_kind table, int index, int64_t rows,
                              rs_error *error)
{
    const rs_column *column = &record->layout->table[table].columns[index];
    char *values = rs_alloc(column->row_bytes);
    rs_status status = RS_OK;
    for (int64_t row = 0; row < rows && status == RS_OK; row++) {
        status = rs_column_read(column, record->columns[table][index].dataset, row, 1, values, error);
        for (int64_t i = 0; status == RS_OK && i < column->count; i++) {
            double want = expected(table, column, row, i), got = stored(column, values, i);
            want = column->type == RS_COLUMN_F32 ? (double)(float)want : want;
            if (!(got == want) && !(isnan(want) && isnan(got))) {
                status = RS_FAIL(error, RS_FAILED, "%s row %" PRId64 " element %" PRId64 ": %g instead of %g",
                                 column->path, row, i, got, want);
            }
        }
    }
    rs_free(values);
    return status;
}

static rs_status check_all(const rs_record_file *record, rs_error *error)
{
    for (int t = 0; t < RS_TABLE_COMMITS; t++) {
        for (int c = 0; c < record->layout->table[t].count; c++) {
            RS_TRY(check_column(record, (rs_table_kind)t, c,
                                rs_position_rows(&record->committed, (rs_table_kind)t), error));
        }
    }
    return RS_OK;
}

rs_status record_check(const char *path, const fixture *made, rs_position *committed, rs_error *error)
{
    rs_layout layout;
    rs_record_file record;
    rs_error ignored;
    int faults;
    RS_TRY(rs_record_verify(path, stderr, &faults, error));
    if (faults > 0) {
        return RS_FAIL(error, RS_FAILED, "verify found %d damaged data sets", faults);
    }
    RS_TRY(rs_layout_create(&made->spec, &layout, error));
    rs_status status = rs_record_file_open(path, RS_H5_READ, &layout, &record, error);
    if (status == RS_OK) {
        *committed = record.commits > 0 ? record.committed : (rs_position){0};
        status = record.commits > 0 ? check_all(&record, error) : RS_OK;
        (void)rs_record_file_close(&record, &ignored);
    }
    rs_layout_destroy(&layout);
    return status;
}
