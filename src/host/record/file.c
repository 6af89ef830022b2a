/* file.c: rows in and out of an open record, and the commit; see file.h. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "rs/host.h"

/* Rows between two hints to the disk: some milliseconds of its work, so that it need not wait for the end of
 * a snapshot, and hints remain few. */
enum { WRITE_BACK_BYTES = 8 << 20 };

static hid_t memory_type(rs_column_type type)
{
    switch (type) {
    case RS_COLUMN_F32:
        return H5T_NATIVE_FLOAT;
    case RS_COLUMN_F64:
        return H5T_NATIVE_DOUBLE;
    default:
        return H5T_NATIVE_INT64;
    }
}

/* Selects rows first .. first + rows - 1 of a data set; the matching space in memory is all of *memory. */
static rs_status select_rows(const rs_column *column, hid_t dataset, int64_t first, int64_t rows,
                             hid_t *memory, hid_t *space, rs_error *error)
{
    hsize_t start[1 + RS_MAX_RANK] = {(hsize_t)first}, count[1 + RS_MAX_RANK] = {(hsize_t)rows};
    for (int axis = 0; axis < column->row.rank; axis++) {
        count[1 + axis] = (hsize_t)column->row.dim[axis];
    }
    RS_H5(*memory = H5Screate_simple(1 + column->row.rank, count, NULL));
    RS_H5(*space = H5Dget_space(dataset));
    RS_H5(H5Sselect_hyperslab(*space, H5S_SELECT_SET, start, NULL, count, NULL));
    return RS_OK;
}

static rs_status grow(const rs_column *column, rs_open_column *open, int64_t rows, rs_error *error)
{
    hsize_t extent[1 + RS_MAX_RANK] = {(hsize_t)rows};
    if (open->extent >= rows) {
        return RS_OK;
    }
    for (int axis = 0; axis < column->row.rank; axis++) {
        extent[1 + axis] = (hsize_t)column->row.dim[axis];
    }
    RS_H5(H5Dset_extent(open->dataset, extent));
    open->extent = rows;
    return RS_OK;
}

/* Whether rows are whole chunks as they lie in memory: no filter, one row a chunk, parts of a row that leave
 * no rest and are each one piece of it: only axes before which all have length 1 in a chunk are split. */
static bool is_whole_chunks(const rs_column *column)
{
    bool whole = column->axis == RS_AXIS_TENSOR && !column->filtered && column->chunk_rows == 1;
    bool inner = false; /* behind an axis that is longer than 1 in a chunk */
    for (int axis = 0; axis < column->row.rank; axis++) {
        const int64_t part = column->chunk.dim[axis], all = column->row.dim[axis];
        whole = whole && all % part == 0 && !(inner && part != all);
        inner = inner || part > 1;
    }
    return whole;
}

/* Next part of a row, in the order of memory. */
static void next_part(const rs_column *column, hsize_t offset[])
{
    for (int axis = column->row.rank - 1; axis >= 0; axis--) {
        offset[1 + axis] += (hsize_t)column->chunk.dim[axis];
        if (offset[1 + axis] < (hsize_t)column->row.dim[axis] || axis == 0) {
            return;
        }
        offset[1 + axis] = 0;
    }
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "chunks are written as they lie in memory");

/* H5Dwrite would fill each new chunk with the fill value and pass it through a buffer. */
static rs_status write_chunks(const rs_column *column, const rs_open_column *open, int64_t first,
                              int64_t rows, const void *values, rs_error *error)
{
    const size_t part = (size_t)rs_shape_count(&column->chunk) * rs_column_type_size(column->type);
    const char *at = values;
    for (int64_t r = 0; r < rows; r++) {
        hsize_t offset[1 + RS_MAX_RANK] = {(hsize_t)(first + r)};
        for (size_t done = 0; done < column->row_bytes; done += part, at += part) {
            RS_H5(H5Dwrite_chunk(open->dataset, H5P_DEFAULT, 0, offset, part, at));
            next_part(column, offset);
        }
    }
    return RS_OK;
}

static rs_status write_column(const rs_column *column, rs_open_column *open, int64_t first, int64_t rows,
                              const void *values, rs_error *error)
{
    hid_t memory = H5I_INVALID_HID, space = H5I_INVALID_HID;
    rs_status status;
    RS_TRY(grow(column, open, first + rows, error));
    if (is_whole_chunks(column)) {
        status = write_chunks(column, open, first, rows, values, error);
        goto done;
    }
    RS_TRY_GOTO(select_rows(column, open->dataset, first, rows, &memory, &space, error));
    RS_H5_GOTO(H5Dwrite(open->dataset, memory_type(column->type), memory, space, H5P_DEFAULT, values));
done:
    rs_h5_close(space);
    rs_h5_close(memory);
    return status == RS_OK ? RS_OK : rs_error_prefix(error, "writing %s", column->path);
}

rs_status rs_column_read(const rs_column *column, hid_t dataset, int64_t first, int64_t rows, void *values,
                         rs_error *error)
{
    hid_t memory = H5I_INVALID_HID, space = H5I_INVALID_HID;
    rs_status status;
    RS_TRY_GOTO(select_rows(column, dataset, first, rows, &memory, &space, error));
    RS_H5_GOTO(H5Dread(dataset, memory_type(column->type), memory, space, H5P_DEFAULT, values));
done:
    rs_h5_close(space);
    rs_h5_close(memory);
    return status == RS_OK ? RS_OK : rs_error_prefix(error, "reading %s", column->path);
}

/* Rows of the block that the column keeps start here: gradients have no row 0. */
static int64_t kept_from(const rs_column *column, const rs_block_of_rows *block, int64_t from)
{
    int64_t skipped = column->first_row - block->first_row;
    return skipped > from ? skipped : from;
}

static rs_table_kind table_kind(const rs_record_file *record, const rs_table *table)
{
    return (rs_table_kind)(table - record->layout->table);
}

/* Lets the disk begin on what is written, so that the sync to come has little left to wait for. A hint only. */
static void begin_writing_back(const rs_record_file *record)
{
#ifdef SYNC_FILE_RANGE_WRITE
    int *descriptor;
    if (H5Fget_vfd_handle(record->file, H5P_DEFAULT, (void **)&descriptor) >= 0) {
        (void)sync_file_range(*descriptor, 0, 0, SYNC_FILE_RANGE_WRITE);
    }
#else
    (void)record;
#endif
}

rs_status rs_record_file_write(rs_record_file *record, const rs_block_of_rows *block, int64_t from,
                               rs_error *error)
{
    size_t waiting = 0; /* bytes the disk has not been told of */
    rs_open_column *columns = record->columns[table_kind(record, block->table)];
    for (int c = 0; c < block->table->count; c++) {
        const rs_column *column = &block->table->columns[c];
        int64_t skip = kept_from(column, block, from);
        rs_status status = RS_OK;
        if (skip < block->rows) {
            status = write_column(column, &columns[c], block->first_row + skip, block->rows - skip,
                                  block->columns[c] + (size_t)skip * column->row_bytes, error);
        } else {
            status = grow(column, &columns[c], block->first_row + block->rows, error);
        }
        if (status != RS_OK) {
            record->broken = true;
            return status;
        }
        waiting += (size_t)(block->rows - from) * column->row_bytes;
        if (waiting >= WRITE_BACK_BYTES) {
            begin_writing_back(record);
            waiting = 0;
        }
    }
    return RS_OK;
}

static bool is_clock_reading(const rs_column *column)
{
    size_t length = strlen(column->path), suffix = strlen("_seconds");
    return length > suffix && strcmp(column->path + length - suffix, "_seconds") == 0;
}

rs_status rs_record_file_compare(const rs_record_file *record, const rs_block_of_rows *block, int64_t rows,
                                 const char **different, int64_t *row, rs_error *error)
{
    const rs_open_column *columns = record->columns[table_kind(record, block->table)];
    *different = NULL;
    for (int c = 0; c < block->table->count && !*different; c++) {
        const rs_column *column = &block->table->columns[c];
        int64_t skip = kept_from(column, block, 0);
        if (is_clock_reading(column) || skip >= rows) {
            continue;
        }
        size_t bytes = (size_t)(rows - skip) * column->row_bytes;
        char *stored = rs_alloc(bytes);
        if (!stored) {
            return RS_FAIL(error, RS_MEMORY, "no memory to compare %s (%zu bytes)", column->path, bytes);
        }
        const char *delivered = block->columns[c] + (size_t)skip * column->row_bytes;
        rs_status status =
            rs_column_read(column, columns[c].dataset, block->first_row + skip, rows - skip, stored, error);
        for (size_t at = 0; status == RS_OK && at < bytes && !*different; at += column->row_bytes) {
            if (memcmp(stored + at, delivered + at, column->row_bytes) != 0) {
                *different = column->path;
                *row = block->first_row + skip + (int64_t)(at / column->row_bytes);
            }
        }
        rs_free(stored);
        RS_TRY(status);
    }
    return RS_OK;
}

static rs_status flush_and_sync(rs_record_file *record, rs_error *error)
{
    RS_H5(H5Fflush(record->file, H5F_SCOPE_GLOBAL));
    return rs_h5_sync(record->file, error);
}

static rs_status write_commit_row(rs_record_file *record, rs_commit_kind kind, const rs_position *position,
                                  rs_error *error)
{
    const int64_t fields[RS_COMMIT_FIELDS] = {[RS_COMMIT_FIELD_EPOCH] = position->epochs,
                                              [RS_COMMIT_FIELD_STEP] = position->steps,
                                              [RS_COMMIT_FIELD_SNAPSHOTS] = position->snapshots,
                                              [RS_COMMIT_FIELD_BATCH] = position->batches,
                                              [RS_COMMIT_FIELD_KIND] = (int64_t)kind};
    const rs_table *table = &record->layout->table[RS_TABLE_COMMITS];
    for (int c = 0; c < table->count; c++) {
        const rs_column *column = &table->columns[c];
        RS_TRY(write_column(column, &record->columns[RS_TABLE_COMMITS][c], record->commits, 1,
                            &fields[column->index], error));
    }
    return RS_OK;
}

rs_status rs_record_file_flush(rs_record_file *record, rs_error *error)
{
    const rs_status status = flush_and_sync(record, error);
    record->broken = record->broken || status != RS_OK;
    return status;
}

rs_status rs_record_file_ahead(const rs_record_file *record, uint64_t *bytes, rs_error *error)
{
    int *descriptor;
    struct stat about;
    hsize_t end;
    RS_H5(H5Fget_vfd_handle(record->file, H5P_DEFAULT, (void **)&descriptor));
    RS_H5(H5Fget_filesize(record->file, &end));
    if (fstat(*descriptor, &about) != 0) {
        return RS_FAIL(error, RS_IO, "%s", strerror(errno));
    }
    *bytes = end > (hsize_t)about.st_size ? end - (hsize_t)about.st_size : 0;
    return RS_OK;
}

rs_status rs_record_file_commit(rs_record_file *record, rs_commit_kind kind, const rs_position *position,
                                rs_error *error)
{
    rs_status status;
    RS_TRY_GOTO(write_commit_row(record, kind, position, error));
    RS_TRY_GOTO(flush_and_sync(record, error));
    record->commits++;
    record->committed = *position;
    record->last_kind = kind;
done:
    record->broken = record->broken || status != RS_OK;
    return status;
}

rs_status rs_record_file_set_state(rs_record_file *record, rs_run_state state, rs_error *error)
{
    return rs_h5_write_string(record->file, "state", rs_run_state_name(state), error);
}

static rs_status set_if_there(const rs_record_file *record, const char *path, const char *text,
                              rs_error *error)
{
    return H5Lexists(record->file, path, H5P_DEFAULT) > 0
               ? rs_h5_write_string(record->file, path, text, error)
               : RS_OK;
}

rs_status rs_record_file_set_reason(rs_record_file *record, const char *reason, rs_error *error)
{
    return set_if_there(record, "reason", reason, error);
}

rs_status rs_record_file_set_not_finite(rs_record_file *record, const char *text, rs_error *error)
{
    return set_if_there(record, "not_finite", text, error);
}

rs_status rs_record_file_prepare(rs_record_file *record, const rs_layout *layout, rs_error *error)
{
    memset(record, 0, sizeof *record);
    record->file = H5I_INVALID_HID;
    record->layout = layout;
    record->committed = (rs_position){-1, -1, -1, -1};
    for (int t = 0; t < RS_TABLES; t++) {
        record->columns[t] = rs_alloc_array((size_t)layout->table[t].count, sizeof *record->columns[t]);
        if (!record->columns[t]) {
            return RS_FAIL(error, RS_MEMORY, "no memory for the data sets of the record");
        }
        for (int c = 0; c < layout->table[t].count; c++) {
            record->columns[t][c].dataset = H5I_INVALID_HID;
        }
    }
    return RS_OK;
}

rs_status rs_record_file_open_columns(rs_record_file *record, rs_error *error)
{
    hid_t access = H5I_INVALID_HID;
    rs_status status = RS_OK;
    RS_H5_GOTO(access = H5Pcreate(H5P_DATASET_ACCESS));
    /* No chunk cache: rows are written in whole pieces, straight to their place; 850 data sets would keep
     * 850. */
    RS_H5_GOTO(H5Pset_chunk_cache(access, 1, 0, 1.0));
    for (int t = 0; t < RS_TABLES; t++) {
        const rs_table *table = &record->layout->table[t];
        for (int c = 0; c < table->count; c++) {
            if (record->columns[t][c].dataset < 0) {
                RS_H5_GOTO(record->columns[t][c].dataset =
                               H5Dopen2(record->file, table->columns[c].path, access));
            }
        }
    }
done:
    rs_h5_close(access);
    return status;
}

rs_status rs_record_file_close(rs_record_file *record, rs_error *error)
{
    rs_status status = RS_OK;
    for (int t = 0; t < RS_TABLES; t++) {
        for (int c = 0; record->columns[t] && c < record->layout->table[t].count && !record->broken; c++) {
            rs_h5_close(record->columns[t][c].dataset);
        }
        rs_free(record->columns[t]);
        record->columns[t] = NULL;
    }
    if (record->file >= 0 && !record->broken) {
        RS_H5_GOTO(H5Fclose(record->file));
    }
done:
    record->file = H5I_INVALID_HID;
    return status;
}
