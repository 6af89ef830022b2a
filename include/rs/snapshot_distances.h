/* rs/snapshot_distances.h: how far groups of tensors moved, computed from the snapshots of a record, and what training
 * recorded of the same steps: one computation for `analyze distances` and `verify`. */
#ifndef RS_SNAPSHOT_DISTANCES_H
#define RS_SNAPSHOT_DISTANCES_H

#include "rs/metric.h"
#include "rs/record_reader.h"

typedef struct rs_snapshot_distances {
    const rs_record_reader *reader; /* borrowed, with what follows */
    const rs_metric_list *metrics;
    int64_t first, count; /* snapshots first .. first + count - 1 */
    int groups;           /* blocks, or tensors */
    double *initial,
        *previous; /* [metric][snapshot, group]: to the first of these, to the one before; 0 of the first */
    int64_t *steps, *epochs; /* [snapshot] finished; epochs -1 within one */
} rs_snapshot_distances;

/* Reads what the snapshots are of; all distances are 0. MEMORY, DATA. Release it in any case. */
rs_status rs_snapshot_distances_create(const rs_record_reader *reader, const rs_metric_list *metrics,
                                       int64_t first, int64_t count, int groups,
                                       rs_snapshot_distances *distances, rs_error *error);
void rs_snapshot_distances_release(rs_snapshot_distances *distances); /* takes a zeroed one */
/* Adds a tensor's distances, through all snapshots, to those of its group. */
rs_status rs_snapshot_distances_add(rs_snapshot_distances *distances, const rs_record_tensor *tensor,
                                    int group, rs_error *error);
/* A place of `initial` or `previous`. */
double *rs_snapshot_distances_at(const rs_snapshot_distances *distances, double *array, int metric,
                                 int64_t snapshot, int group);

/* A value that training recorded, where the snapshots give it too. */
typedef struct rs_recorded_distance {
    const char *path; /* of the data set */
    bool to_initial;
    int metric, group;
    int64_t snapshot;       /* counted from the first of these */
    double found, recorded; /* from the snapshots; by training */
} rs_recorded_distance;
typedef void (*rs_recorded_visit)(void *context, const rs_recorded_distance *value);
/* Calls `visit` for those that there are: groups must be the record's blocks. To the initial state where the first
 * snapshot is it, to the one before where that is a step earlier. */
rs_status rs_snapshot_distances_compare(const rs_snapshot_distances *distances, rs_recorded_visit visit,
                                        void *context, rs_error *error);

#endif
