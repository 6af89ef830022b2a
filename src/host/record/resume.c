/* resume.c: opens an existing record and goes on with it.
 *
 * Nothing is removed or moved: rows past the last commit are overwritten in place as training delivers them
 * again, rows it covers are compared. All changes made here (state, configuration, counters) overwrite what
 * exists, of the same size, so that a kill while resuming costs nothing. */
#include <string.h>
#include <sys/stat.h>

#include "commits.h"
#include "file.h"
#include "lock.h"
#include "recorder_state.h"
#include "rs/host.h"

static rs_status check_column(const rs_column *column, rs_open_column *open, rs_error *error)
{
    const hid_t types[] = {
        [RS_COLUMN_F32] = H5T_IEEE_F32LE, [RS_COLUMN_F64] = H5T_IEEE_F64LE, [RS_COLUMN_I64] = H5T_STD_I64LE};
    hsize_t extent[H5S_MAX_RANK];
    hid_t space = H5I_INVALID_HID, type = H5I_INVALID_HID;
    rs_status status;
    RS_TRY_GOTO(rs_h5_check_place(open->dataset, column->path, error));
    RS_H5_GOTO(space = H5Dget_space(open->dataset));
    RS_H5_GOTO(type = H5Dget_type(open->dataset));
    bool fits = H5Tequal(type, types[column->type]) > 0 &&
                H5Sget_simple_extent_ndims(space) == 1 + column->row.rank &&
                H5Sget_simple_extent_dims(space, extent, NULL) >= 0;
    for (int axis = 0; fits && axis < column->row.rank; axis++) {
        fits = extent[1 + axis] == (hsize_t)column->row.dim[axis];
    }
    if (!fits) {
        status = RS_FAIL(error, RS_DATA, "data set %s is of another network or configuration", column->path);
        goto done;
    }
    open->extent = (int64_t)extent[0];
done:
    rs_h5_close(type);
    rs_h5_close(space);
    return status;
}

/* A record that keeps more than this run delivers would end with rows that nobody wrote. */
static rs_status check_group(hid_t file, const rs_layout *layout, const char *group, rs_error *error)
{
    H5G_info_t info;
    hsize_t planned = 0;
    hid_t id;
    for (int t = 0; t < RS_TABLES; t++) {
        for (int c = 0; c < layout->table[t].count; c++) {
            const char *path = layout->table[t].columns[c].path;
            size_t length = strlen(group);
            planned +=
                strncmp(path, group, length) == 0 && path[length] == '/' && !strchr(path + length + 1, '/');
        }
    }
    if (!rs_h5_has(file, group)) {
        return planned == 0 ? RS_OK : RS_FAIL(error, RS_DATA, "group %s is missing", group);
    }
    RS_H5(id = H5Gopen2(file, group, H5P_DEFAULT));
    herr_t result = H5Gget_info(id, &info);
    rs_h5_close(id);
    RS_H5(result);
    if (strcmp(group, "steps") == 0) {
        info.nlinks -=
            rs_h5_has(file, "steps/distance_to_initial") + rs_h5_has(file, "steps/distance_to_previous");
    }
    return info.nlinks == planned
               ? RS_OK
               : RS_FAIL(error, RS_DATA, "%s holds %llu data sets where this run records %llu", group,
                         (unsigned long long)info.nlinks, (unsigned long long)planned);
}

static rs_status check_structure(rs_record_file *record, rs_error *error)
{
    static const char *const groups[] = {"weights", "gradients", "steps", "steps/distance_to_initial",
                                         "steps/distance_to_previous"};
    for (int t = 0; t < RS_TABLES; t++) {
        for (int c = 0; c < record->layout->table[t].count; c++) {
            const char *path = record->layout->table[t].columns[c].path;
            if (!rs_h5_has(record->file, path)) {
                return RS_FAIL(error, RS_DATA, "data set %s is missing: of another network or configuration",
                               path);
            }
        }
    }
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
        RS_TRY(check_group(record->file, record->layout, groups[i], error));
    }
    RS_TRY(rs_record_file_open_columns(record, error));
    for (int t = 0; t < RS_TABLES; t++) {
        for (int c = 0; c < record->layout->table[t].count; c++) {
            RS_TRY(check_column(&record->layout->table[t].columns[c], &record->columns[t][c], error));
        }
    }
    return RS_OK;
}

rs_status rs_record_file_open(const char *path, rs_h5_mode mode, const rs_layout *layout,
                              rs_record_file *record, rs_error *error)
{
    rs_commits commits;
    rs_status status;
    RS_TRY_GOTO(rs_record_file_prepare(record, layout, error));
    RS_TRY_GOTO(rs_h5_open(path, mode, &record->file, error));
    RS_TRY_GOTO(rs_record_check_format(record->file, error));
    RS_TRY_GOTO(rs_commits_read(record->file, &commits, error));
    record->commits = commits.count;
    record->committed = commits.position;
    record->last_kind = commits.kind;
    if (commits.count > 0) {
        RS_TRY_GOTO(check_structure(record, error));
    }
done:
    if (status != RS_OK) {
        rs_error ignored;
        (void)rs_record_file_close(record, &ignored);
    }
    return status;
}

/* What is not as it was when the run began, as a list. */
typedef struct differences {
    char text[600];
} differences;

static void add_difference(differences *all, const char *what)
{
    size_t length = strlen(all->text);
    (void)snprintf(all->text + length, sizeof all->text - length, "%s%s", length ? ", " : "", what);
}

static rs_status compare_text(hid_t file, const char *name, const char *now, const char *what,
                              differences *all, rs_error *error)
{
    char *then = NULL;
    RS_TRY(rs_h5_get_text(file, name, &then, error));
    bool same = strcmp(then, now ? now : "") == 0, known = strstr(all->text, what) != NULL;
    if (!same && !known) {
        add_difference(all, what);
    }
    rs_free(then);
    return RS_OK;
}

/* "device (NVIDIA H100, sm_90; now 8 threads of ...)" */
static rs_status compare_device(hid_t file, const char *now, differences *all, rs_error *error)
{
    char *then = NULL, text[400];
    RS_TRY(rs_h5_get_text(file, "device", &then, error));
    if (strcmp(then, now ? now : "") != 0) {
        (void)snprintf(text, sizeof text, "device (%.150s, now %.150s)", then, now ? now : "unknown");
        add_difference(all, text);
    }
    rs_free(then);
    return RS_OK;
}

static rs_status find_differences(const rs_recorder *recorder, differences *all, rs_error *error)
{
    const rs_provenance *now = &recorder->spec->provenance;
    const hid_t file = recorder->file.file;
    int64_t threads;
    RS_TRY(compare_text(file, "program_version", now->version, "build", all, error));
    RS_TRY(compare_text(file, "commit", now->commit, "build", all, error));
    RS_TRY(compare_device(file, now->device, all, error));
    RS_TRY(compare_text(file, "libraries", now->libraries, "libraries", all, error));
    RS_TRY(rs_h5_get_int(file, "threads", &threads, error));
    if (threads != now->threads && threads > 0 && now->threads > 0) { /* a GPU's are none */
        add_difference(all, "thread count");
    }
    if (recorder->spec->foreign && !*all->text) { /* all that the checkpoint knows besides */
        add_difference(all, "build, machine or thread count since the last commit");
    }
    return RS_OK;
}

/* *here: this time; recorder->foreign: now or in an earlier resume. */
static rs_status find_foreign(rs_recorder *recorder, bool *here, rs_error *error)
{
    differences found = {""};
    int64_t before;
    RS_TRY(find_differences(recorder, &found, error));
    *here = *found.text != '\0';
    RS_TRY(rs_h5_get_int(recorder->file.file, "resumed_elsewhere", &before, error));
    recorder->foreign = *here || before > 0; /* rows of two machines may lie past the checkpoint */
    if (*here) {
        rs_log(RS_LOG_WARNING,
               "%s: resumed with another %s; results may differ in their last digits (attribute "
               "resumed_elsewhere)",
               recorder->path, found.text);
    }
    return RS_OK;
}

static rs_status count_up(hid_t file, const char *name, rs_error *error)
{
    int64_t value;
    RS_TRY(rs_h5_get_int(file, name, &value, error));
    return rs_h5_set_int(file, name, value + 1, error);
}

/* The configuration may have changed in what a resumed run may change: more epochs, another path. */
static rs_status update_config(rs_recorder *recorder, rs_error *error)
{
    const char *now = recorder->spec->config_yaml ? recorder->spec->config_yaml : "";
    char *then = NULL;
    RS_TRY(rs_h5_read_string(recorder->file.file, "config", &then, error));
    bool same = strcmp(then, now) == 0;
    rs_free(then);
    return same ? RS_OK : rs_h5_write_string(recorder->file.file, "config", now, error);
}

static rs_status mark_resumed(rs_recorder *recorder, rs_error *error)
{
    const hid_t file = recorder->file.file;
    bool here;
    RS_TRY(find_foreign(recorder, &here, error));
    RS_TRY(update_config(recorder, error));
    RS_TRY(count_up(file, "resumed", error));
    if (here) {
        RS_TRY(count_up(file, "resumed_elsewhere", error));
    }
    RS_TRY(rs_record_file_set_state(&recorder->file, RS_RUN_RUNNING, error));
    RS_TRY(rs_record_file_set_reason(&recorder->file, "", error));
    RS_TRY(rs_record_file_set_not_finite(&recorder->file, "", error));
    RS_H5(H5Fflush(file, H5F_SCOPE_GLOBAL));
    return rs_h5_sync(file, error);
}

static rs_status check_position(const rs_recorder *recorder, const rs_position *position, rs_error *error)
{
    const rs_position *last = &recorder->file.committed;
    if (position->steps > last->steps || position->epochs > last->epochs ||
        position->snapshots > last->snapshots) {
        return RS_FAIL(
            error, RS_DATA,
            "the checkpoint (epoch %lld, step %lld) lies past the record's last commit (epoch %lld, step "
            "%lld): they are not of one run",
            (long long)position->epochs, (long long)position->steps, (long long)last->epochs,
            (long long)last->steps);
    }
    return RS_OK;
}

static rs_status check_remaining_space(const rs_recorder *recorder, rs_error *error)
{
    uint64_t record, checkpoint;
    struct stat about;
    rs_recorder_planned_bytes(recorder->spec, &record, &checkpoint);
    if (stat(recorder->path, &about) == 0) {
        record = record > (uint64_t)about.st_size ? record - (uint64_t)about.st_size : 0;
    }
    return rs_space_check(recorder->path, recorder->directory, record + 2 * checkpoint, error);
}

static rs_status open_existing(rs_recorder *recorder, const rs_position *position, rs_error *error)
{
    RS_TRY(rs_lock_take(recorder->path, false, &recorder->lock, error));
    RS_TRY(rs_record_check_before_writing(recorder->path, recorder->lock, error));
    RS_TRY(rs_record_file_open(recorder->path, RS_H5_WRITE, &recorder->layout, &recorder->file, error));
    if (recorder->file.commits == 0) {
        return RS_OK;
    }
    RS_TRY(check_position(recorder, position, error));
    RS_TRY(check_remaining_space(recorder, error));
    recorder->covered = recorder->file.committed;
    return mark_resumed(recorder, error);
}

rs_status rs_recorder_resume(const char *path, const rs_record_spec *spec, const rs_position *position,
                             rs_recorder **recorder, rs_error *error)
{
    rs_recorder *made = NULL;
    rs_error ignored;
    rs_status status;
    *recorder = NULL;
    RS_TRY(rs_recorder_allocate(path, spec, &made, error));
    status = open_existing(made, position, error);
    if (status == RS_OK && made->file.commits > 0) {
        status = rs_recorder_start(made, position, error);
    }
    if (status == RS_OK && made->file.commits > 0) {
        *recorder = made;
        return RS_OK;
    }
    (void)rs_record_file_close(&made->file, &ignored);
    rs_recorder_free(made);
    if (status != RS_OK && !strstr(error->text, path)) {
        (void)rs_error_prefix(error, "%s", path);
    }
    return status;
}
