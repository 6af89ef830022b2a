/* recorder_state.h: the recorder and what its two threads share.
 *
 *     trainer's thread                      queue of jobs                 writer thread
 *     fills block A of a table  -- rows --> [rows A] [rows B] [commit] --> HDF5, fsync, checkpoint
 *     fills block B meanwhile   <-- block free again ---------------------
 *
 * Each table has two blocks; the trainer waits only when both are on their way. */
#ifndef RS_RECORD_RECORDER_STATE_H
#define RS_RECORD_RECORDER_STATE_H

#include <pthread.h>

#include "file.h"
#include "layout.h"
#include "rows.h"
#include "space.h"

enum { RS_DATA_TABLES = RS_TABLE_COMMITS, RS_BLOCKS = 2, RS_MOST_JOBS = 16 };

typedef enum rs_job_kind { RS_JOB_ROWS, RS_JOB_COMMIT, RS_JOB_CLOSE } rs_job_kind;

typedef struct rs_job {
    rs_job_kind kind;
    rs_block_of_rows *block;    /* ROWS */
    rs_commit_kind commit_kind; /* COMMIT */
    rs_position position;
    char *checkpoint;                     /* COMMIT: owned path of the temporary checkpoint, or NULL */
    rs_run_state state;                   /* CLOSE */
    char reason[RS_REASON_BYTES];         /* CLOSE, of a run that is done */
    char not_finite[RS_NOT_FINITE_BYTES]; /* CLOSE, of a run that diverged */
} rs_job;

typedef struct rs_ring {
    rs_block_of_rows block[RS_BLOCKS];
    int filling;      /* block the trainer's thread fills */
    int64_t next_row; /* of the table */
} rs_ring;

struct rs_recorder {
    char *path, *directory, *checkpoint; /* of the record; its folder; RUN.h5.ckpt */
    const rs_record_spec *spec;
    rs_layout layout;
    int lock; /* file descriptor that holds the lock */

    /* the trainer's */
    rs_ring ring[RS_DATA_TABLES];
    double *scratch;
    char reason[RS_REASON_BYTES];
    char not_finite[RS_NOT_FINITE_BYTES];

    /* the writer's once its thread runs */
    rs_record_file file;
    rs_reserved reserved;
    rs_position covered; /* by the last commit when the file was opened: rows that are compared */
    bool foreign;        /* resumed by another build, machine or thread count: differences only warn */
    bool warned;

    /* both threads': under the mutex */
    pthread_mutex_t mutex;
    pthread_cond_t to_writer, to_trainer;
    rs_job jobs[RS_MOST_JOBS];
    int first_job, job_count;
    bool working; /* a job is being done */
    bool closing;
    bool failed;
    rs_error error; /* where failed */
    pthread_t thread;
    bool started;
};

/* recorder.c: memory and locks of a recorder; the file is opened by the caller. */
rs_status rs_recorder_allocate(const char *path, const rs_record_spec *spec, rs_recorder **recorder,
                               rs_error *error);
rs_status rs_recorder_start(rs_recorder *recorder, const rs_position *position, rs_error *error);
void rs_recorder_free(rs_recorder *recorder);

/* writer.c: the writer's thread; `context` is the recorder. */
void *rs_writer_main(void *context);

/* Bytes a table grows by from one number of rows to another; planned.c. */
uint64_t rs_table_growth(const rs_table *table, int64_t from, int64_t to);

/* durable.c: finishes a checkpoint. */
rs_status rs_checkpoint_publish(const char *temporary, const char *directory, rs_error *error);

#endif
