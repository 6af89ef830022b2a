/* study_summary.c: writes a study's summary as HDF5 and as CSV. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "rs/files.h"
#include "rs/host.h"
#include "rs/result_file.h"
#include "study_tables.h"

/* --- HDF5 --------------------------------------------------------------------------------------------------- */

static rs_status put_groups(const aggregate *a, rs_result_file *file, rs_error *error)
{
    size_t groups = (size_t)a->group_count;
    const char **labels = rs_alloc_array(groups, sizeof *labels);
    int64_t *counts = rs_alloc_array(3 * groups, sizeof *counts);
    rs_status status =
        labels && counts ? RS_OK : RS_FAIL(error, RS_MEMORY, "no memory for %zu groups", groups);
    for (size_t g = 0; !status && g < groups; g++) {
        labels[g] = a->groups[g].label;
        counts[g] = a->groups[g].planned;
        counts[groups + g] = a->groups[g].whole;
        counts[2 * groups + g] = a->groups[g].diverged;
    }
    rs_result_array array = {.path = "groups/label",
                             .what = "case and point of the grid",
                             .unit = "1",
                             .rank = 1,
                             .dim = {a->group_count},
                             .axis = {"group"}};
    status = status ? status : rs_result_texts(file, &array, labels, error);
    array.path = "groups/runs";
    array.what = "runs of the study in the group";
    status = status ? status : rs_result_integers(file, &array, counts, error);
    array.path = "groups/whole";
    array.what = "runs that are whole and were summed up";
    status = status ? status : rs_result_integers(file, &array, counts + groups, error);
    array.path = "groups/diverged";
    array.what = "runs that diverged: not summed up";
    status = status ? status : rs_result_integers(file, &array, counts + 2 * groups, error);
    for (size_t g = 0; !status && g < groups; g++) {
        labels[g] = a->runs[a->groups[g].first].changed;
    }
    array.path = "groups/changed";
    array.what = "what the command line changed beside the grid";
    status = status ? status : rs_result_texts(file, &array, labels, error);
    rs_free(labels);
    rs_free(counts);
    return status;
}

/* "epochs/train_loss/mean" by epoch, and its like; "last/train_loss/mean" of the last one. */
static rs_status put_statistics(const aggregate *a, rs_result_file *file, bool by_epoch, const char *name,
                                double *const tables[STATISTICS], rs_error *error)
{
    for (int k = 0; k < STATISTICS; k++) {
        char path[96], what[96];
        (void)snprintf(path, sizeof path, "%s/%s/%s", by_epoch ? "epochs" : "last", name,
                       rs__statistic_names[k]);
        (void)snprintf(what, sizeof what, "%s over the runs of a group%s", rs__statistic_names[k],
                       by_epoch ? ", by epoch" : ", of their last epoch");
        const rs_result_array array = {.path = path,
                                       .what = what,
                                       .unit = strcmp(name, "seconds") == 0 ? "s" : "1",
                                       .rank = by_epoch ? 2 : 1,
                                       .dim = {a->group_count, a->epochs},
                                       .axis = {"group", "epoch"}};
        RS_TRY(rs_result_reals(file, &array, tables[k], error));
    }
    return RS_OK;
}

static rs_status put_distances(const aggregate *a, rs_result_file *file, rs_error *error)
{
    static const char *const which[] = {"mean", "std"};
    for (int d = 0; d < KINDS && a->blocks > 0; d++) {
        for (int k = 0; k < RS_STUDY_SUMMARIES; k++) {
            for (int w = 0; w < 2; w++) {
                char path[96], what[128];
                (void)snprintf(path, sizeof path, "distance_to_%s/%s/%s", rs__kind_names[d],
                               rs_study_summary_names[k], which[w]);
                (void)snprintf(what, sizeof what,
                               "%s over the runs of the %s over the steps, by the first metric", which[w],
                               rs_study_summary_names[k]);
                const rs_result_array array = {.path = path,
                                               .what = what,
                                               .unit = "1",
                                               .rank = 2,
                                               .dim = {a->group_count, a->blocks},
                                               .axis = {"group", "block"}};
                RS_TRY(rs_result_reals(file, &array, a->distance[d][k][w], error));
            }
        }
    }
    return RS_OK;
}

static rs_status put_step_texts(const aggregate *a, rs_result_file *file, const char **texts, rs_error *error)
{
    rs_result_array array = {.path = "steps/quantity",
                             .what = "series of steps, and its column where it has several",
                             .unit = "1",
                             .rank = 1,
                             .dim = {a->step_count},
                             .axis = {"row"}};
    for (int64_t i = 0; i < a->step_count; i++) {
        texts[i] = a->steps[i].quantity;
    }
    RS_TRY(rs_result_texts(file, &array, texts, error));
    for (int64_t i = 0; i < a->step_count; i++) {
        texts[i] = a->steps[i].window;
    }
    array.path = "steps/window";
    array.what = "steps that each run's mean is over: those of the last epoch, the first or the last ones";
    return rs_result_texts(file, &array, texts, error);
}

static rs_status put_step_numbers(const aggregate *a, rs_result_file *file, double *numbers, rs_error *error)
{
    rs_result_array array = {.unit = "1", .rank = 1, .dim = {a->step_count}, .axis = {"row"}};
    for (int k = 0; k < STATISTICS; k++) {
        char path[64], what[64];
        (void)snprintf(path, sizeof path, "steps/%s", rs__statistic_names[k]);
        (void)snprintf(what, sizeof what, "%s over the runs of a group", rs__statistic_names[k]);
        array.path = path;
        array.what = what;
        for (int64_t i = 0; i < a->step_count; i++) {
            numbers[i] = a->steps[i].values[k];
        }
        RS_TRY(rs_result_reals(file, &array, numbers, error));
    }
    int64_t *groups = (int64_t *)(void *)numbers; /* as wide */
    for (int64_t i = 0; i < a->step_count; i++) {
        groups[i] = a->steps[i].group;
    }
    array.path = "steps/group";
    array.what = "which group: a row of groups/, from 0";
    return rs_result_integers(file, &array, groups, error);
}

/* The rows of the CSV about series of steps: which there are depends on the network. */
static rs_status put_steps(const aggregate *a, rs_result_file *file, rs_error *error)
{
    if (a->step_count == 0) {
        return RS_OK;
    }
    const char **texts = rs_alloc_array((size_t)a->step_count, sizeof *texts);
    double *numbers = rs_alloc_array((size_t)a->step_count, sizeof *numbers);
    rs_status status = texts && numbers ? put_step_texts(a, file, texts, error)
                                        : RS_FAIL(error, RS_MEMORY, "no memory for %" PRId64 " rows of steps",
                                                  a->step_count);
    status = status ? status : put_step_numbers(a, file, numbers, error);
    rs_free((void *)texts);
    rs_free(numbers);
    return status;
}

/* Whether any run has a value of it. */
static bool has_series(const aggregate *a, int s)
{
    bool any = false;
    for (int g = 0; g < a->group_count; g++) {
        any = any || a->last[s][STATISTICS - 1][g] > 0.0;
    }
    return any;
}

static rs_status put_all(const aggregate *a, rs_result_file *file, rs_error *error)
{
    RS_TRY(rs_result_text(file, "study", a->study->name, error));
    RS_TRY(put_groups(a, file, error));
    for (int s = 0; s < SERIES; s++) {
        if (s >= WHOLE_SERIES && !has_series(a, s)) {
            continue;
        }
        RS_TRY(put_statistics(a, file, true, rs__series_names[s], a->epoch[s], error));
        RS_TRY(put_statistics(a, file, false, rs__series_names[s], a->last[s], error));
    }
    for (int l = 0; l < LENGTHS; l++) {
        RS_TRY(put_statistics(a, file, false, rs__length_names[l], a->length[l], error));
    }
    RS_TRY(put_steps(a, file, error));
    return put_distances(a, file, error);
}

void rs__study_summary_path(const aggregate *a, const char *out_dir, const char *ending, char *path,
                            size_t capacity)
{
    (void)snprintf(path, capacity, "%s/%s%s%s_summary%s", out_dir, a->study->name, *a->study->part ? "." : "",
                   a->study->part, ending);
}

rs_status rs__study_write_hdf5(const aggregate *a, const char *out_dir, rs_error *error)
{
    char path[RS_STUDY_PATH + 256];
    rs_result_file *file = NULL;
    rs__study_summary_path(a, out_dir, ".h5", path, sizeof path);
    RS_TRY(rs_result_create(path, "study", true, &file, error));
    rs_status status = put_all(a, file, error);
    if (status) {
        rs_result_abandon(file);
        return status;
    }
    return rs_result_finish(file, error);
}

/* --- CSV ---------------------------------------------------------------------------------------------------- */

/* A NaN is an empty field. */
static void print_number(FILE *stream, double value)
{
    if (isnan(value)) {
        (void)fputc(',', stream);
    } else {
        (void)fprintf(stream, ",%.9g", value);
    }
}

/* In quotes: labels hold commas; quotes in them are doubled. */
static void print_text(FILE *stream, const char *label)
{
    (void)fputc('"', stream);
    for (; *label; label++) {
        (void)fprintf(stream, *label == '"' ? "\"\"" : "%c", *label);
    }
    (void)fputc('"', stream);
}

static void print_row(const aggregate *a, FILE *stream, const group *g, const char *name, const char *epoch,
                      const double values[STATISTICS])
{
    print_text(stream, g->label);
    (void)fprintf(stream, ",%s,%s", name, epoch);
    for (int k = 0; k < STATISTICS; k++) {
        print_number(stream, values[k]);
    }
    (void)fprintf(stream, ",%d,%d,", g->planned, g->diverged);
    print_text(stream, a->runs[g->first].changed);
    (void)fprintf(stream, ",%s\n", a->study->name);
}

/* One cell of the tables, where a run has a value, or `always`. */
static void print_cell(const aggregate *a, FILE *stream, const group *g, const char *name, const char *epoch,
                       double *const tables[STATISTICS], int64_t cell, bool always)
{
    double values[STATISTICS];
    for (int k = 0; k < STATISTICS; k++) {
        values[k] = tables[k][cell];
    }
    if (isnan(values[STATISTICS - 1])) {
        values[STATISTICS - 1] = 0.0; /* of no run */
    }
    if (always || values[STATISTICS - 1] > 0.0) {
        print_row(a, stream, g, name, epoch, values);
    }
}

static void print_group(const aggregate *a, FILE *stream, int g)
{
    for (int s = 0; s < SERIES; s++) {
        for (int64_t e = 0; e < a->epochs; e++) {
            char epoch[24];
            (void)snprintf(epoch, sizeof epoch, "%" PRId64, e + 1);
            print_cell(a, stream, &a->groups[g], rs__series_names[s], epoch, a->epoch[s],
                       (int64_t)g * a->epochs + e, false);
        }
        print_cell(a, stream, &a->groups[g], rs__series_names[s], "last", a->last[s], g, false);
    }
    /* a group without a whole run has these rows alone */
    for (int l = 0; l < LENGTHS; l++) {
        print_cell(a, stream, &a->groups[g], rs__length_names[l], "last", a->length[l], g, true);
    }
    for (int64_t i = 0; i < a->step_count; i++) {
        const step_row *row = &a->steps[i];
        if (row->group == g && row->values[STATISTICS - 1] > 0.0) {
            print_row(a, stream, &a->groups[g], row->quantity, row->window, row->values);
        }
    }
}

static void print_table(const aggregate *a, FILE *stream)
{
    (void)fprintf(stream, "group,quantity,epoch,mean,std,min,max,n,planned,diverged,changed,study\n");
    for (int g = 0; g < a->group_count; g++) {
        print_group(a, stream, g);
    }
}

rs_status rs__study_write_csv(const aggregate *a, const char *out_dir, rs_error *error)
{
    char path[RS_STUDY_PATH + 256];
    rs_whole_file file;
    rs__study_summary_path(a, out_dir, ".csv", path, sizeof path);
    RS_TRY(rs_whole_file_open(&file, path, error));
    print_table(a, file.stream);
    return rs_whole_file_close(&file, RS_OK, error);
}
