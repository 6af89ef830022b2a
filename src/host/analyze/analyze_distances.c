/* analyze_distances.c: `analyze distances`: how far blocks have moved, from the stored snapshots, by any metric; beside
 * what training recorded of the same steps. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "analysis.h"
#include "rs/host.h"
#include "rs/snapshot_distances.h"

/* One run's. A group is a block, or a tensor where the record has no blocks or --layer chooses tensors. */
typedef struct moved {
    const rs__input *input;
    const rs_metric_list *metrics;
    rs__tensors tensors;
    bool blocks;
    int groups;
    char (*names)[RS_NAME_MAX]; /* [groups] */
    rs_snapshot_distances distances;
    int64_t compared; /* values that were recorded, too */
    double worst;     /* largest difference, over the larger of the two */
} moved;

static rs_status find_groups(moved *m, const char *globs, rs_error *error)
{
    int64_t rows = 0, width = 0;
    RS_TRY(rs__tensors_of(m->input, globs, &m->tensors, error));
    RS_TRY(rs_record_reader_has(m->input->reader, "blocks/weights")
               ? rs_record_reader_series_size(m->input->reader, "blocks/weights", &rows, &width, error)
               : RS_OK);
    m->blocks = rows > 0 && !globs;
    m->groups = m->blocks ? (int)rows : m->tensors.count;
    m->names = rs_alloc_array((size_t)m->groups, sizeof *m->names);
    if (!m->names) {
        return RS_FAIL(error, RS_MEMORY, "no memory for the names of %d blocks", m->groups);
    }
    for (int g = 0; g < m->groups; g++) {
        if (m->blocks) {
            RS_TRY(rs_record_reader_name(m->input->reader, "blocks/name", g, m->names[g], error));
        } else {
            memcpy(m->names[g], m->tensors.list[g].name, sizeof m->names[g]);
        }
    }
    return RS_OK;
}

static double *cell(const moved *m, double *array, int metric, int64_t snapshot, int group)
{
    return rs_snapshot_distances_at(&m->distances, array, metric, snapshot, group);
}

static rs_status follow(moved *m, rs_error *error)
{
    for (int t = 0; t < m->tensors.count; t++) {
        const int group = m->blocks ? m->tensors.list[t].block : t;
        if (group >= m->groups) {
            return RS_FAIL(error, RS_DATA, "%s: %s counts in a block that is not there", m->input->path,
                           m->tensors.list[t].name);
        }
        RS_TRY(group >= 0 ? rs_snapshot_distances_add(&m->distances, &m->tensors.list[t], group, error)
                          : RS_OK);
    }
    return RS_OK;
}

static void compare_one(void *context, const rs_recorded_distance *value)
{
    moved *m = context;
    const double larger = fmax(fabs(value->found), fabs(value->recorded));
    const double difference = larger > 0.0 ? fabs(value->found - value->recorded) / larger : 0.0;
    m->worst = difference <= m->worst ? m->worst : difference; /* a NaN is the worst */
    m->compared++;
}

static rs_status put_names(const rs__analysis *a, const moved *m, int run, rs_error *error)
{
    char path[64];
    const char **names = rs_alloc_array((size_t)m->groups, sizeof *names);
    if (!names) {
        return RS_FAIL(error, RS_MEMORY, "no memory for the names of %d blocks", m->groups);
    }
    for (int g = 0; g < m->groups; g++) {
        names[g] = m->names[g];
    }
    (void)snprintf(path, sizeof path, "run%d/block", run);
    const rs_result_array array = {.path = path,
                                   .what = m->blocks ? "blocks, as the record has them" : "parameters",
                                   .unit = "1",
                                   .rank = 1,
                                   .dim = {m->groups},
                                   .axis = {"block"}};
    rs_status status = rs_result_texts(a->file, &array, names, error);
    rs_free(names);
    return status;
}

static rs_status put(const rs__analysis *a, const moved *m, int run, rs_error *error)
{
    char path[RS_NAME_MAX + 64];
    const int64_t n = m->input->count;
    RS_TRY(put_names(a, m, run, error));
    (void)snprintf(path, sizeof path, "run%d/step", run);
    RS_TRY(rs__put_integers(a->file, path, "finished steps", "snapshot", n, m->distances.steps, error));
    (void)snprintf(path, sizeof path, "run%d/epoch", run);
    RS_TRY(rs__put_integers(a->file, path, "finished epochs, -1 within one", "snapshot", n,
                            m->distances.epochs, error));
    for (int k = 0; k < m->metrics->count; k++) {
        const char *name = m->metrics->metric[k].name;
        (void)snprintf(path, sizeof path, "run%d/distance_to_first/%s", run, name);
        rs_result_array table = {.path = path,
                                 .what = "distance to the first of these snapshots",
                                 .unit = "weight",
                                 .rank = 2,
                                 .dim = {n, m->groups},
                                 .axis = {"snapshot", "block"}};
        RS_TRY(rs_result_reals(a->file, &table, cell(m, m->distances.initial, k, 0, 0), error));
        (void)snprintf(path, sizeof path, "run%d/distance_to_previous/%s", run, name);
        table.what = "distance to the snapshot before; 0 of the first";
        RS_TRY(rs_result_reals(a->file, &table, cell(m, m->distances.previous, k, 0, 0), error));
    }
    return RS_OK;
}

static void print(const moved *m)
{
    const int64_t last = m->input->count - 1;
    (void)printf("%s: %" PRId64 " snapshots, steps %" PRId64 " to %" PRId64 "\n", m->input->path, last + 1,
                 m->distances.steps[0], m->distances.steps[last]);
    (void)printf("%-32s  %-16s  %14s  %14s\n", m->blocks ? "block" : "parameter", "metric", "to first",
                 "to previous");
    for (int g = 0; g < m->groups; g++) {
        for (int k = 0; k < m->metrics->count; k++) {
            (void)printf("%-32s  %-16s  %14.8g  %14.8g\n", k ? "" : m->names[g], m->metrics->metric[k].name,
                         *cell(m, m->distances.initial, k, last, g),
                         *cell(m, m->distances.previous, k, last, g));
        }
    }
    if (m->compared > 0) {
        (void)printf("beside the record: %" PRId64
                     " values of the same steps, largest relative difference %.2e\n",
                     m->compared, m->worst);
    } else {
        (void)printf("beside the record: it has none of these distances at these steps\n");
    }
}

static rs_status one_run(rs__analysis *a, int run, const rs_metric_list *metrics, double *worst,
                         int64_t *compared, rs_error *error)
{
    moved m = {.input = &a->inputs[run], .metrics = metrics};
    rs_status status = find_groups(&m, a->layer, error);
    if (!status) {
        status = rs_snapshot_distances_create(m.input->reader, metrics, m.input->first, m.input->count,
                                              m.groups, &m.distances, error);
    }
    status = status ? status : follow(&m, error);
    if (!status && m.blocks) {
        status = rs_snapshot_distances_compare(&m.distances, compare_one, &m, error);
    }
    status = status ? status : put(a, &m, run, error);
    if (!status) {
        print(&m);
    }
    *worst = m.compared > 0 ? m.worst : NAN;
    *compared = m.compared;
    rs_free(m.tensors.list);
    rs_free(m.names);
    rs_snapshot_distances_release(&m.distances);
    return status;
}

rs_status rs__analyze_distances(rs__analysis *a, rs_error *error)
{
    rs_metric_list metrics;
    rs_status status = RS_OK;
    RS_TRY(rs_metric_list_parse(a->metric ? a->metric : a->inputs[0].config.metric, &metrics, error));
    if (metrics.count == 0) {
        return RS_FAIL(error, RS_USAGE, "the run has no --metric: choose one here");
    }
    double *worst = rs_alloc_array((size_t)a->input_count, sizeof *worst);
    int64_t *compared = rs_alloc_array((size_t)a->input_count, sizeof *compared);
    if (!worst || !compared) {
        status = RS_FAIL(error, RS_MEMORY, "no memory for %d runs", a->input_count);
    }
    for (int i = 0; !status && i < a->input_count; i++) {
        status = one_run(a, i, &metrics, &worst[i], &compared[i], error);
    }
    if (!status) {
        status = rs__put_integers(a->file, "recorded/count", "values that training recorded, too", "run",
                                  a->input_count, compared, error);
    }
    if (!status) {
        status = rs__put_list(a->file, "recorded/difference", "largest relative difference from those", "1",
                              "run", a->input_count, worst, error);
    }
    rs_free(worst);
    rs_free(compared);
    return status;
}
