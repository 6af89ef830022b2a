/* study_summary.c: writes a study's summary as HDF5 and as CSV. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "rs/host.h"
#include "rs/result_file.h"
#include "study_tables.h"

/* --- HDF5 --------------------------------------------------------------------------------------------------- */

static rs_status put_groups(const aggregate *a, rs_result_file *file, rs_error *error)
{
    size_t groups = (size_t)a->group_count;
    const char **labels = rs_alloc_array(groups, sizeof *labels);
    int64_t *counts = rs_alloc_array(2 * groups, sizeof *counts);
    rs_status status =
        labels && counts ? RS_OK : RS_FAIL(error, RS_MEMORY, "no memory for %zu groups", groups);
    for (size_t g = 0; !status && g < groups; g++) {
        labels[g] = a->groups[g].label;
        counts[g] = a->groups[g].planned;
        counts[groups + g] = a->groups[g].whole;
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
    rs_free(labels);
    rs_free(counts);
    return status;
}

/* "epochs/train_loss/mean" and its like. */
static rs_status put_statistics(const aggregate *a, rs_result_file *file, const char *folder,
                                const char *name, double *const tables[STATISTICS], int64_t columns,
                                rs_error *error)
{
    for (int k = 0; k < STATISTICS; k++) {
        char path[96], what[96];
        (void)snprintf(path, sizeof path, "%s/%s/%s", folder, name, rs__statistic_names[k]);
        (void)snprintf(what, sizeof what, "%s over the runs of a group%s", rs__statistic_names[k],
                       columns > 1 ? ", by epoch" : ", of their last epoch");
        const rs_result_array array = {.path = path,
                                       .what = what,
                                       .unit = "1",
                                       .rank = columns > 1 ? 2 : 1,
                                       .dim = {a->group_count, columns},
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

static rs_status put_all(const aggregate *a, rs_result_file *file, rs_error *error)
{
    RS_TRY(rs_result_text(file, "study", a->study->name, error));
    RS_TRY(put_groups(a, file, error));
    for (int s = 0; s < SERIES; s++) {
        RS_TRY(put_statistics(a, file, "epochs", rs__series_names[s], a->epoch[s], a->epochs, error));
        RS_TRY(put_statistics(a, file, "last", rs__series_names[s], a->last[s], 1, error));
    }
    RS_TRY(put_statistics(a, file, "last", "epochs", a->length, 1, error));
    return put_distances(a, file, error);
}

rs_status rs__study_write_hdf5(const aggregate *a, const char *out_dir, rs_error *error)
{
    char path[RS_STUDY_PATH + 64];
    rs_result_file *file = NULL;
    (void)snprintf(path, sizeof path, "%s/%s_summary.h5", out_dir, a->study->name);
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

/* `group` in quotes: labels hold commas; quotes in them are doubled. */
static void print_label(FILE *stream, const char *label)
{
    (void)fputc('"', stream);
    for (; *label; label++) {
        (void)fprintf(stream, *label == '"' ? "\"\"" : "%c", *label);
    }
    (void)fputc('"', stream);
}

static void print_row(FILE *stream, const group *g, const char *name, const char *epoch,
                      double *const tables[STATISTICS], int64_t cell)
{
    if (!(tables[STATISTICS - 1][cell] > 0.0)) {
        return; /* no run has a value there */
    }
    print_label(stream, g->label);
    (void)fprintf(stream, ",%s,%s", name, epoch);
    for (int k = 0; k < STATISTICS; k++) {
        print_number(stream, tables[k][cell]);
    }
    (void)fputc('\n', stream);
}

static void print_table(const aggregate *a, FILE *stream)
{
    (void)fprintf(stream, "group,quantity,epoch,mean,std,min,max,n\n");
    for (int g = 0; g < a->group_count; g++) {
        for (int s = 0; s < SERIES; s++) {
            for (int64_t e = 0; e < a->epochs; e++) {
                char epoch[24];
                (void)snprintf(epoch, sizeof epoch, "%" PRId64, e + 1);
                print_row(stream, &a->groups[g], rs__series_names[s], epoch, a->epoch[s],
                          (int64_t)g * a->epochs + e);
            }
            print_row(stream, &a->groups[g], rs__series_names[s], "last", a->last[s], g);
        }
        print_row(stream, &a->groups[g], "epochs", "last", a->length, g);
    }
}

rs_status rs__study_write_csv(const aggregate *a, const char *out_dir, rs_error *error)
{
    char path[RS_STUDY_PATH + 64], part[RS_STUDY_PATH + 72];
    (void)snprintf(path, sizeof path, "%s/%s_summary.csv", out_dir, a->study->name);
    (void)snprintf(part, sizeof part, "%s.part", path);
    FILE *stream = fopen(part, "w");
    if (!stream) {
        return RS_FAIL(error, RS_IO, "%s cannot be written: %s", part, strerror(errno));
    }
    print_table(a, stream);
    bool written = fflush(stream) == 0 && !ferror(stream) && fsync(fileno(stream)) == 0;
    int why = errno;
    written = fclose(stream) == 0 && written;
    if (!written || rename(part, path) != 0) {
        why = written ? errno : why;
        (void)unlink(part);
        return RS_FAIL(error, RS_IO, "%s cannot be written: %s", path, strerror(why));
    }
    return RS_OK;
}
