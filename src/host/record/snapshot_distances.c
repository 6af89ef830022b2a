/* snapshot_distances.c: see rs/snapshot_distances.h. Sums run in index order, tensor by tensor; training's run in pieces,
 * so that both agree to rounding, not to the bit. */
#include "rs/snapshot_distances.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "rs/host.h"

rs_status rs_snapshot_distances_create(const rs_record_reader *reader, const rs_metric_list *metrics,
                                       int64_t first, int64_t count, int groups,
                                       rs_snapshot_distances *distances, rs_error *error)
{
    size_t rows, cells;
    const bool countable = rs_multiply((size_t)metrics->count, (size_t)count, &rows) &&
                           rs_multiply(rows, (size_t)groups, &cells);
    *distances = (rs_snapshot_distances){
        .reader = reader, .metrics = metrics, .first = first, .count = count, .groups = groups};
    distances->initial = countable ? rs_alloc_array(cells, sizeof(double)) : NULL;
    distances->previous = countable ? rs_alloc_array(cells, sizeof(double)) : NULL;
    distances->steps = rs_alloc_array((size_t)count, sizeof(int64_t));
    distances->epochs = rs_alloc_array((size_t)count, sizeof(int64_t));
    if (!distances->initial || !distances->previous || !distances->steps || !distances->epochs) {
        return RS_FAIL(error, RS_MEMORY, "no memory for the distances of %" PRId64 " snapshots", count);
    }
    for (int64_t i = 0; i < count; i++) {
        rs_snapshot_place place;
        RS_TRY(rs_record_reader_snapshot(reader, first + i, &place, error));
        distances->steps[i] = place.step;
        distances->epochs[i] = place.epoch;
    }
    return RS_OK;
}

void rs_snapshot_distances_release(rs_snapshot_distances *distances)
{
    rs_free(distances->initial);
    rs_free(distances->previous);
    rs_free(distances->steps);
    rs_free(distances->epochs);
    memset(distances, 0, sizeof *distances);
}

double *rs_snapshot_distances_at(const rs_snapshot_distances *distances, double *array, int metric,
                                 int64_t snapshot, int group)
{
    return &array[((int64_t)metric * distances->count + snapshot) * distances->groups + group];
}

static void add(const rs_snapshot_distances *d, double *array, int64_t snapshot, int group,
                const float *after, const float *before, int64_t count)
{
    rs_difference_sums sums = {0};
    rs_difference_add(d->metrics, after, before, (size_t)count, &sums);
    for (int k = 0; k < d->metrics->count; k++) {
        *rs_snapshot_distances_at(d, array, k, snapshot, group) +=
            rs_metric_finish(d->metrics, k, &sums, count);
    }
}

/* values: the first snapshot's, the one at hand, the one before. The reference of the first is itself. */
static rs_status follow(const rs_snapshot_distances *d, const rs_record_tensor *tensor, int group,
                        float *values[3], rs_error *error)
{
    for (int64_t s = 0; s < d->count; s++) {
        RS_TRY(
            rs_record_reader_tensor(d->reader, tensor->name, d->first + s, &tensor->shape, values[1], error));
        if (s == 0) {
            memcpy(values[0], values[1], (size_t)tensor->count * sizeof(float));
            memcpy(values[2], values[1], (size_t)tensor->count * sizeof(float));
        }
        add(d, d->initial, s, group, values[1], values[0], tensor->count);
        add(d, d->previous, s, group, values[1], values[2], tensor->count);
        float *next = values[2];
        values[2] = values[1];
        values[1] = next;
    }
    return RS_OK;
}

rs_status rs_snapshot_distances_add(rs_snapshot_distances *distances, const rs_record_tensor *tensor,
                                    int group, rs_error *error)
{
    const size_t bytes = (size_t)tensor->count * sizeof(float);
    float *values[3] = {rs_alloc(bytes), rs_alloc(bytes), rs_alloc(bytes)};
    rs_status status = values[0] && values[1] && values[2]
                           ? follow(distances, tensor, group, values, error)
                           : RS_FAIL(error, RS_MEMORY, "no memory for three copies of %s", tensor->name);
    for (int i = 0; i < 3; i++) {
        rs_free(values[i]);
    }
    return status;
}

/* What training recorded after the step of a snapshot. */
static rs_status compare_row(const rs_snapshot_distances *d, const rs_recorded_distance *where, double *row,
                             rs_recorded_visit visit, void *context, rs_error *error)
{
    char path[RS_NAME_MAX + 64];
    rs_recorded_distance value = *where;
    (void)snprintf(path, sizeof path, "steps/distance_to_%s/%s", where->to_initial ? "initial" : "previous",
                   d->metrics->metric[where->metric].name);
    if (!rs_record_reader_has(d->reader, path)) {
        return RS_OK;
    }
    RS_TRY(rs_record_reader_series(d->reader, path, d->steps[where->snapshot] - 1, 1, d->groups, row, error));
    value.path = path;
    for (value.group = 0; value.group < d->groups; value.group++) {
        double *array = where->to_initial ? d->initial : d->previous;
        value.found = *rs_snapshot_distances_at(d, array, where->metric, where->snapshot, value.group);
        value.recorded = row[value.group];
        visit(context, &value);
    }
    return RS_OK;
}

rs_status rs_snapshot_distances_compare(const rs_snapshot_distances *distances, rs_recorded_visit visit,
                                        void *context, rs_error *error)
{
    const rs_snapshot_distances *d = distances;
    rs_status status = RS_OK;
    double *row = rs_alloc_array((size_t)d->groups, sizeof *row);
    if (!row) {
        return RS_FAIL(error, RS_MEMORY, "no memory for the distances of %d blocks", d->groups);
    }
    for (int64_t s = 1; !status && s < d->count; s++) {
        for (int k = 0; !status && k < d->metrics->count; k++) {
            rs_recorded_distance where = {.to_initial = true, .metric = k, .snapshot = s};
            if (d->steps[0] == 0) {
                status = compare_row(d, &where, row, visit, context, error);
            }
            where.to_initial = false;
            if (!status && d->steps[s] == d->steps[s - 1] + 1) {
                status = compare_row(d, &where, row, visit, context, error);
            }
        }
    }
    rs_free(row);
    return status;
}
