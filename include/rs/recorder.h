/* rs/recorder.h: one run, one HDF5 file. Layout: src/host/record/SCHEMA.md.
 *
 * The trainer's thread hands over filled rows and snapshot buffers; a writer thread of the recorder alone
 * calls HDF5. A commit makes everything before it durable (rows, H5Fflush, fsync, commit row, H5Fflush,
 * fsync), then finishes the checkpoint. An error of the writer is returned by the next call, and by every
 * call after that. */
#ifndef RS_RECORDER_H
#define RS_RECORDER_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "rs/backend.h"
#include "rs/metric.h"
#include "rs/network.h"
#include "rs/observer.h"
#include "rs/status.h"

#define RS_SCHEMA_VERSION 1

typedef enum rs_run_state {
    RS_RUN_RUNNING,
    RS_RUN_DONE,
    RS_RUN_STOPPED, /* ended early in order: disk full */
    RS_RUN_DIVERGED,
    RS_RUN_INTERRUPTED
} rs_run_state;
const char *rs_run_state_name(rs_run_state state); /* "running" */

/* Root attributes that say where a record comes from. Borrowed texts. */
typedef struct rs_provenance {
    const char *version, *commit;                /* of the program */
    const char *device, *libraries, *algorithms; /* algorithms: one line per node, as plan_print */
    const char *dataset;                         /* YAML of rs_dataset.provenance */
    const char *start_time;                      /* ISO 8601, UTC */
    const char *init_from;                       /* what the weights began from; NULL or "": a seed */
    int threads;
    int64_t seed;
} rs_provenance;

/* What a file will hold; borrowed, outlives the recorder. */
typedef struct rs_record_spec {
    const rs_network *network;
    const char *config_yaml;
    rs_provenance provenance;
    rs_metric_list metrics; /* of steps/distance_to_*; count 0: none */
    const bool *weights;    /* [parameter] kept in snapshots */
    const bool *buffers;    /* [buffer] kept in snapshots */
    const bool *gradients;  /* [parameter] kept in snapshots */
    bool gradient_stats;    /* steps/gradient_* of every parameter */
    int layer_count;        /* of steps/layer_* */
    char (*layers)[RS_NAME_MAX];
    bool layer_losses, layer_outputs; /* which of the two are there */
    int head_count;                   /* of steps/head_*: classifiers beside the network */
    char (*heads)[RS_NAME_MAX];       /* the layers they belong to */
    bool sensitivity;                 /* steps/sensitivity_* */
    bool regression;       /* mean_absolute_error and r_squared of epochs/: numbers are predicted */
    bool initial_snapshot; /* snapshot 0 is the initial state: it has no gradients */
    bool foreign;       /* on resume: the checkpoint was written by another build, machine or thread count */
    bool gradient_mean; /* false: the last step's gradient */
    bool compress;
    const volatile sig_atomic_t *stop;                        /* set: waits for room no longer; may be NULL */
    bool wait_when_full;                                      /* --on-full wait */
    bool keep_checkpoint;                                     /* also after a run that is done */
    int64_t planned_epochs, planned_steps, planned_snapshots; /* for the size estimate */
    /* Who trains: where it has pinned memory, snapshots go there, copied while training goes on; the recorder is then
     * closed before the plan and the device are. Or NULL. */
    const rs_backend *backend;
    rs_device *device;
} rs_record_spec;

typedef struct rs_recorder rs_recorder;

/* Bytes of the finished file (estimate from above, within a few percent for large networks), and of its
 * checkpoint. */
void rs_recorder_planned_bytes(const rs_record_spec *spec, uint64_t *record, uint64_t *checkpoint);

/* Whether --overwrite may replace what is at `path`: nothing, an empty file, a record or a result, also a damaged one. USAGE:
 * it is something else. */
rs_status rs_check_replaceable(const char *path, rs_error *error);

/* Creates the file (and its directory) and starts the writer. USAGE when the path exists and `overwrite` is
 * false; IO with bytes needed and free when the disk cannot hold the planned file. overwrite also removes an
 * old checkpoint. */
rs_status rs_recorder_create(const char *path, const rs_record_spec *spec, bool overwrite,
                             rs_recorder **recorder, rs_error *error);

/* Opens a run that ended or was killed, repairs it (clears the writer mark, H5Fincrement_filesize) and goes
 * on at `position` (of the checkpoint; all zero to begin anew), which must not lie past the last commit. Rows
 * the last commit covers are compared with what training delivers again, never overwritten: a difference is
 * FAILED, or, where provenance differs (`foreign`), a warning and the mark attribute `resumed_elsewhere`.
 * DATA when the file does not fit the spec. NULL in *recorder and RS_OK when the file holds no commit at all:
 * create it anew. */
rs_status rs_recorder_resume(const char *path, const rs_record_spec *spec, const rs_position *position,
                             rs_recorder **recorder, rs_error *error);

rs_status rs_recorder_step(rs_recorder *recorder, const rs_step_row *row, rs_error *error);
rs_status rs_recorder_snapshot(rs_recorder *recorder, const rs_snapshot_moment *moment, rs_error *error);
rs_status rs_recorder_epoch(rs_recorder *recorder, const rs_epoch_row *row, rs_error *error);
/* `checkpoint` (or NULL) is a whole file, NAME.part: the recorder's from here on, which gives it its name when the commit is on
 * the disk, or removes it, also where this returns an error. */
rs_status rs_recorder_commit(rs_recorder *recorder, rs_commit_kind kind, const rs_position *position,
                             const char *checkpoint, rs_error *error);
rs_status rs_recorder_wait(rs_recorder *recorder, rs_error *error); /* until all handed over is done */

/* Borrowed for the recorder's life: what it was made for. */
const rs_record_spec *rs_recorder_spec(const rs_recorder *recorder);

/* What ended the run ("epochs", or the name of a stop rule), for the record; of a run that is done. */
void rs_recorder_set_reason(rs_recorder *recorder, const char *reason);
/* What is not finite in a run that diverged, as rs_trainer_not_finite says it. */
void rs_recorder_set_not_finite(rs_recorder *recorder, const char *text);
/* Writes the state, closes the file in order and stops the writer; with `state` DONE removes the checkpoint
 * unless the spec says keep_checkpoint (a run that may get more epochs needs it). Always frees the recorder, whatever
 * it returns. Takes NULL. */
rs_status rs_recorder_close(rs_recorder *recorder, rs_run_state state, rs_error *error);

/* What a file holds, as far as its last commit. */
typedef struct rs_record_summary {
    char state[16];
    char reason[32]; /* what ended a run that is done; "": not said */
    rs_position committed;
    int64_t commits;
    char device[128];  /* that it was begun on, as rs_device_info names it */
    char *config_yaml; /* rs_free */
    bool writer_mark;  /* HDF5's mark of an unfinished writer: a live or killed run */
    bool writer_lives; /* a process writes it; the mark without one: killed */
} rs_record_summary;
/* Reads without changing the file, also of a killed run. DATA when it is no such record. */
rs_status rs_record_summarize(const char *path, rs_record_summary *summary, rs_error *error);

/* What is in a record, or in a file of results (rs/result_file.h), as text or JSON on `stream`: state, last values, where
 * it comes from, configuration, layers, every data set with shape, type and bytes. Reads live and killed files, too.
 * gradients: instead of all that, statistics of gradients over the first and last so many steps; 0: none. */
rs_status rs_record_info(const char *path, int64_t gradients, bool json, FILE *stream, rs_error *error);

/* The commands `verify RUN.h5 [--repair]` and `verify --same A.h5 B.h5`; exit status of the
 * program. verify reads every committed row of every data set and says what is missing or torn. --same
 * compares two records data set by data set, byte by byte; commits/, seconds, attributes and the
 * configuration keys of RUN scope (rs/config.h) aside. */
int rs_command_verify(int argc, char **argv);

#endif
