/* commits.c: finds the last whole commit; see commits.h.
 *
 * A commit row is four data sets' row. A kill or a power cut may leave some of them without it: a row counts
 * when all are there (their fill value is -1) and nothing in it goes back. */
#include "commits.h"

#include <string.h>

#include "file.h"
#include "rs/host.h"

static const char *const paths[RS_COMMIT_FIELDS] = {
    [RS_COMMIT_FIELD_EPOCH] = "commits/epoch",         [RS_COMMIT_FIELD_STEP] = "commits/step",
    [RS_COMMIT_FIELD_SNAPSHOTS] = "commits/snapshots", [RS_COMMIT_FIELD_BATCH] = "commits/batch",
    [RS_COMMIT_FIELD_KIND] = "commits/kind",
};

/* Opens a commit column and says how many rows it has. */
static rs_status open_field(hid_t file, int field, hid_t *dataset, int64_t *rows, rs_error *error)
{
    hid_t space = H5I_INVALID_HID;
    hsize_t extent = 0;
    rs_status status;
    RS_TRY_GOTO(rs_h5_open_dataset(file, paths[field], dataset, error));
    RS_H5_GOTO(space = H5Dget_space(*dataset));
    if (H5Sget_simple_extent_ndims(space) != 1) {
        status = RS_FAIL(error, RS_DATA, "data set %s is no list of numbers", paths[field]);
        goto done;
    }
    RS_H5_GOTO(H5Sget_simple_extent_dims(space, &extent, NULL));
    if (extent > INT64_MAX / sizeof(int64_t)) {
        status = RS_FAIL(error, RS_DATA, "the length of data set %s makes no sense", paths[field]);
        goto done;
    }
    RS_TRY_GOTO(rs_h5_check_size(*dataset, paths[field], extent * sizeof(int64_t), error));
    *rows = (int64_t)extent;
done:
    rs_h5_close(space);
    return status;
}

static bool is_whole(const int64_t *const fields[], int64_t row)
{
    for (int f = 0; f < RS_COMMIT_FIELDS; f++) {
        if (fields[f][row] < 0) {
            return false;
        }
    }
    if (fields[RS_COMMIT_FIELD_KIND][row] > RS_COMMIT_STOP) {
        return false;
    }
    return row == 0 ||
           (fields[RS_COMMIT_FIELD_STEP][row] >= fields[RS_COMMIT_FIELD_STEP][row - 1] &&
            fields[RS_COMMIT_FIELD_EPOCH][row] >= fields[RS_COMMIT_FIELD_EPOCH][row - 1] &&
            fields[RS_COMMIT_FIELD_SNAPSHOTS][row] >= fields[RS_COMMIT_FIELD_SNAPSHOTS][row - 1] &&
            fields[RS_COMMIT_FIELD_KIND][row] != RS_COMMIT_INITIAL);
}

static void find_last(const int64_t *const fields[], rs_commits *commits)
{
    while (commits->count < commits->extent && is_whole(fields, commits->count)) {
        commits->count++;
    }
    if (commits->count > 0) {
        const int64_t last = commits->count - 1;
        commits->position = (rs_position){.epochs = fields[RS_COMMIT_FIELD_EPOCH][last],
                                          .steps = fields[RS_COMMIT_FIELD_STEP][last],
                                          .batches = fields[RS_COMMIT_FIELD_BATCH][last],
                                          .snapshots = fields[RS_COMMIT_FIELD_SNAPSHOTS][last]};
        commits->kind = (rs_commit_kind)fields[RS_COMMIT_FIELD_KIND][last];
    }
}

static rs_status read_fields(const hid_t datasets[], const int64_t rows[], int64_t *fields[], int64_t least,
                             rs_error *error)
{
    const rs_column column = {.path = "commits", .type = RS_COLUMN_I64, .count = 1};
    for (int f = 0; f < RS_COMMIT_FIELDS; f++) {
        fields[f] = rs_alloc_array((size_t)rows[f] + 1, sizeof *fields[f]);
        if (!fields[f]) {
            return RS_FAIL(error, RS_MEMORY, "no memory to read the commits");
        }
        if (least > 0) {
            RS_TRY(rs_column_read(&column, datasets[f], 0, least, fields[f], error));
        }
    }
    return RS_OK;
}

rs_status rs_commits_read(hid_t file, rs_commits *commits, rs_error *error)
{
    hid_t datasets[RS_COMMIT_FIELDS];
    int64_t rows[RS_COMMIT_FIELDS], *fields[RS_COMMIT_FIELDS] = {NULL};
    rs_status status = RS_OK;
    *commits = (rs_commits){.extent = INT64_MAX, .position = {-1, -1, -1, -1}};
    for (int f = 0; f < RS_COMMIT_FIELDS; f++) {
        datasets[f] = H5I_INVALID_HID;
    }
    for (int f = 0; f < RS_COMMIT_FIELDS; f++) {
        RS_TRY_GOTO(open_field(file, f, &datasets[f], &rows[f], error));
        commits->extent = rows[f] < commits->extent ? rows[f] : commits->extent;
    }
    RS_TRY_GOTO(read_fields(datasets, rows, fields, commits->extent, error));
    find_last((const int64_t *const *)fields, commits);
done:
    for (int f = 0; f < RS_COMMIT_FIELDS; f++) {
        rs_h5_close(datasets[f]);
        rs_free(fields[f]);
    }
    return status;
}

rs_status rs_record_check_format(hid_t file, rs_error *error)
{
    char *format = NULL;
    int64_t version = 0;
    const rs_status read = rs_h5_get_text(file, "format", &format, error);
    if (read == RS_MEMORY) {
        return read;
    }
    if (read != RS_OK) {
        return RS_FAIL(error, RS_DATA, "it is an HDF5 file, but no record of this program");
    }
    bool ours = strcmp(format, RS_RECORD_FORMAT) == 0;
    rs_free(format);
    if (!ours) {
        return RS_FAIL(error, RS_DATA, "it is an HDF5 file of another format, no record of this program");
    }
    RS_TRY(rs_h5_get_int(file, "schema_version", &version, error));
    if (version != RS_SCHEMA_VERSION) {
        return RS_FAIL(error, RS_DATA, "it is a record of schema version %lld; this program knows version %d",
                       (long long)version, RS_SCHEMA_VERSION);
    }
    return RS_OK;
}
