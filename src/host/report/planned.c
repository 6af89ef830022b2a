/* planned.c: what a study's summary says of runs that its folder does not hold, or not to their end. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "report.h"
#include "rs/host.h"
#include "rs/result_reader.h"

static rs_status read_counts(const rs_result_reader *reader, const char *path, int64_t groups, double *counts,
                             rs_error *error)
{
    return rs_result_reader_has(reader, path)
               ? rs_result_reader_reals(reader, path, groups, counts, error)
               : RS_FAIL(error, RS_DATA, "%s has no %s", rs_result_reader_path(reader), path);
}

/* The report's group that a summary calls so, or NULL: it has the settings of its own study alone. */
static rs__group *find_group(rs__report *report, const char *key)
{
    for (int i = 0; i < report->group_count; i++) {
        if (strcmp(report->groups[i].key, key) == 0) {
            return &report->groups[i];
        }
    }
    return NULL;
}

static rs_status warn_group(rs__report *report, const rs_result_reader *reader, int64_t g, double planned,
                            double whole, double diverged, rs_error *error)
{
    char *label = NULL, text[1024], lost[64] = "";
    RS_TRY(rs_result_reader_text_at(reader, "groups/label", g, &label, error));
    const rs__group *group = find_group(report, label);
    if (diverged > 0.0) {
        (void)snprintf(lost, sizeof lost, "; %.0f diverged", diverged);
    }
    (void)snprintf(text, sizeof text,
                   "%s: %.0f of %.0f planned runs were finished when the study was last summed up%s.",
                   group ? group->label : label, whole, planned, lost);
    rs_free(label);
    return rs__report_add_text(&report->warnings, text, error);
}

static rs_status note_planned(rs__report *report, const rs_result_reader *reader, int64_t g, double planned,
                              rs_error *error)
{
    char *label = NULL;
    RS_TRY(rs_result_reader_text_at(reader, "groups/label", g, &label, error));
    rs__group *group = find_group(report, label);
    if (group) {
        group->planned = (int)planned;
    }
    rs_free(label);
    return RS_OK;
}

static rs_status compare_counts(rs__report *report, const rs_result_reader *reader, int64_t groups,
                                double *counts, rs_error *error)
{
    double *planned = counts, *whole = counts + groups, *diverged = counts + 2 * groups;
    RS_TRY(read_counts(reader, "groups/runs", groups, planned, error));
    RS_TRY(read_counts(reader, "groups/whole", groups, whole, error));
    if (rs_result_reader_has(reader, "groups/diverged")) {
        RS_TRY(read_counts(reader, "groups/diverged", groups, diverged, error));
    }
    for (int64_t g = 0; g < groups; g++) {
        RS_TRY(note_planned(report, reader, g, planned[g], error));
        if (!(whole[g] >= planned[g])) {
            RS_TRY(warn_group(report, reader, g, planned[g], whole[g], diverged[g], error));
        }
    }
    return RS_OK;
}

static rs_status read_summary(rs__report *report, const rs_result_reader *reader, rs_error *error)
{
    int rank = 0;
    int64_t dim[RS_RESULT_RANK];
    RS_TRY(rs_result_reader_size(reader, "groups/runs", &rank, dim, error));
    const int64_t groups = rank == 1 ? dim[0] : 0;
    double *counts = rs_alloc_array(3 * (size_t)groups + 1, sizeof *counts);
    rs_status status =
        counts ? compare_counts(report, reader, groups, counts, error)
               : RS_FAIL(error, RS_MEMORY, "no memory for the summary of %" PRId64 " groups", groups);
    rs_free(counts);
    return status;
}

/* A summary that cannot be read, or is of an older program, is a note: the records themselves are there. */
rs_status rs__report_find_planned(rs__report *report, rs_error *error)
{
    for (int i = 0; i < report->inputs->summaries.count; i++) {
        rs_result_reader *reader = NULL;
        rs_error why = {0};
        rs_status status = rs_result_reader_open(report->inputs->summaries.list[i], &reader, &why);
        status = status ? status : read_summary(report, reader, &why);
        rs_result_reader_close(reader);
        if (status == RS_MEMORY) {
            *error = why;
            return status;
        }
        if (status) {
            char text[sizeof why.text + 64];
            (void)snprintf(text, sizeof text, "The study's summary says nothing of planned runs: %s",
                           why.text);
            RS_TRY(rs__report_add_text(&report->notes, text, error));
        }
    }
    rs__report_mark_best(report);
    return RS_OK;
}
