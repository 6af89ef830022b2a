/* recorder.c: the trainer's side of a recorder: creating it, handing rows over, waiting, closing; see
 * rs/recorder.h and recorder_state.h. */
#include "rs/recorder.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lock.h"
#include "recorder_state.h"
#include "rs/files.h"
#include "rs/host.h"

const char *rs_run_state_name(rs_run_state state)
{
    static const char *const names[] = {"running", "done", "stopped", "diverged", "interrupted"};
    return names[state];
}

const rs_record_spec *rs_recorder_spec(const rs_recorder *recorder)
{
    return recorder->spec;
}

static rs_status make_path(const char *path, const char *suffix, char **made, rs_error *error)
{
    size_t bytes = strlen(path) + strlen(suffix) + 1;
    *made = rs_alloc(bytes);
    if (!*made) {
        return RS_FAIL(error, RS_MEMORY, "no memory for the path %s%s", path, suffix);
    }
    (void)snprintf(*made, bytes, "%s%s", path, suffix);
    return RS_OK;
}

rs_status rs_recorder_allocate(const char *path, const rs_record_spec *spec, rs_recorder **recorder,
                               rs_error *error)
{
    rs_recorder *made = rs_alloc_zero(sizeof *made);
    rs_status status;
    if (!made) {
        return RS_FAIL(error, RS_MEMORY, "no memory for the recorder");
    }
    made->spec = spec;
    made->lock = -1;
    made->file.file = H5I_INVALID_HID;
    pthread_mutex_init(&made->mutex, NULL);
    pthread_cond_init(&made->to_writer, NULL);
    pthread_cond_init(&made->to_trainer, NULL);
    RS_TRY_GOTO(make_path(path, "", &made->path, error));
    RS_TRY_GOTO(make_path(path, ".ckpt", &made->checkpoint, error));
    RS_TRY_GOTO(rs_directory_of(path, &made->directory, error));
    RS_TRY_GOTO(rs_layout_create(spec, &made->layout, error));
    for (int t = 0; t < RS_DATA_TABLES; t++) {
        for (int b = 0; b < RS_BLOCKS; b++) {
            RS_TRY_GOTO(rs_rows_create(spec, &made->layout.table[t], &made->ring[t].block[b], error));
        }
    }
    made->scratch = rs_alloc_array(made->layout.largest_row + 1, sizeof *made->scratch);
    if (!made->scratch) {
        status = RS_FAIL(error, RS_MEMORY, "no memory for the recorder");
    }
done:
    if (status != RS_OK) {
        rs_recorder_free(made);
        return status;
    }
    *recorder = made;
    return RS_OK;
}

void rs_recorder_free(rs_recorder *recorder)
{
    if (!recorder) {
        return;
    }
    for (int t = 0; t < RS_DATA_TABLES; t++) {
        for (int b = 0; b < RS_BLOCKS; b++) {
            rs_rows_destroy(&recorder->ring[t].block[b]);
        }
    }
    if (recorder->lock >= 0) {
        (void)close(recorder->lock);
    }
    pthread_cond_destroy(&recorder->to_trainer);
    pthread_cond_destroy(&recorder->to_writer);
    pthread_mutex_destroy(&recorder->mutex);
    rs_layout_destroy(&recorder->layout);
    rs_free(recorder->scratch);
    rs_free(recorder->path);
    rs_free(recorder->directory);
    rs_free(recorder->checkpoint);
    rs_free(recorder);
}

rs_status rs_recorder_start(rs_recorder *recorder, const rs_position *position, rs_error *error)
{
    for (int t = 0; t < RS_DATA_TABLES; t++) {
        recorder->ring[t].next_row = rs_position_rows(position, (rs_table_kind)t);
    }
    sigset_t all, before; /* the writer takes no signals: they are for the program's own thread */
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int result = pthread_create(&recorder->thread, NULL, rs_writer_main, recorder);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (result != 0) {
        return RS_FAIL(error, RS_FAILED, "starting the recorder's thread: %s", strerror(result));
    }
    recorder->started = true;
    return RS_OK;
}

/* Refuses an existing record unless it is to be replaced, and then too while another process writes it. */
static rs_status check_existing(const char *path, bool overwrite, rs_error *error)
{
    int lock;
    if (access(path, F_OK) != 0) {
        return RS_OK;
    }
    if (!overwrite) {
        return RS_FAIL(
            error, RS_USAGE,
            "%s exists; go on with it with --resume, replace it with --overwrite, or choose another --out",
            path);
    }
    RS_TRY(rs_lock_take(path, false, &lock, error));
    (void)close(lock);
    return rs_check_replaceable(path, error);
}

/* The file gets its final name when its structure is complete and synced: a kill before leaves only a .part.
 */
static rs_status create_file(rs_recorder *recorder, bool overwrite, rs_error *error)
{
    char *part = NULL;
    rs_status status;
    RS_TRY_GOTO(make_path(recorder->path, ".part", &part, error));
    RS_TRY_GOTO(rs_lock_take(part, true, &recorder->lock, error));
    RS_TRY_GOTO(check_existing(recorder->path, overwrite, error)); /* another may have made it meanwhile */
    RS_TRY_GOTO(rs_record_file_create(part, recorder->spec, &recorder->layout, &recorder->file, error));
    if (rs_files()->unlink(recorder->checkpoint) != 0 && errno != ENOENT) {
        status = RS_FAIL(error, RS_IO, "removing %s: %s", recorder->checkpoint, strerror(errno));
        goto done;
    }
    if (rs_files()->rename(part, recorder->path) != 0) {
        status = RS_FAIL(error, RS_IO, "renaming %s to %s: %s", part, recorder->path, strerror(errno));
        goto done;
    }
    RS_TRY_GOTO(rs_directory_sync(recorder->directory, error));
done:
    if (status != RS_OK && part && recorder->lock >= 0) { /* nobody else's: the lock is ours */
        (void)rs_files()->unlink(part);
    }
    rs_free(part);
    return status == RS_OK || strstr(error->text, recorder->path)
               ? status
               : rs_error_prefix(error, "%s", recorder->path);
}

rs_status rs_recorder_create(const char *path, const rs_record_spec *spec, bool overwrite,
                             rs_recorder **recorder, rs_error *error)
{
    const rs_position beginning = {0};
    uint64_t record_bytes, checkpoint_bytes;
    rs_recorder *made = NULL;
    rs_status status;
    RS_TRY(check_existing(path, overwrite, error));
    RS_TRY(rs_recorder_allocate(path, spec, &made, error));
    RS_TRY_GOTO(rs_directory_make(made->directory, error));
    rs_recorder_planned_bytes(spec, &record_bytes, &checkpoint_bytes);
    /* Twice the checkpoint: the new one is complete before the old one goes. */
    RS_TRY_GOTO(rs_space_check(path, made->directory, record_bytes + 2 * checkpoint_bytes, error));
    RS_TRY_GOTO(create_file(made, overwrite, error));
    RS_TRY_GOTO(rs_recorder_start(made, &beginning, error));
done:
    if (status != RS_OK) {
        rs_error ignored;
        (void)rs_record_file_close(&made->file, &ignored);
        rs_recorder_free(made);
        return status;
    }
    *recorder = made;
    return RS_OK;
}

/* The error of the writer, once it has one. Under the mutex. */
static rs_status pending_error(const rs_recorder *recorder, rs_error *error)
{
    if (recorder->failed) {
        *error = recorder->error;
        return error->status;
    }
    return RS_OK;
}

static rs_status push_job(rs_recorder *recorder, const rs_job *job, rs_error *error)
{
    pthread_mutex_lock(&recorder->mutex);
    while (recorder->job_count == RS_MOST_JOBS) {
        pthread_cond_wait(&recorder->to_trainer, &recorder->mutex);
    }
    int slot = (recorder->first_job + recorder->job_count) % RS_MOST_JOBS;
    recorder->jobs[slot] = *job;
    recorder->job_count++;
    recorder->closing = recorder->closing || job->kind == RS_JOB_CLOSE;
    if (job->block) {
        job->block->busy = true;
    }
    rs_status status = pending_error(recorder, error);
    pthread_cond_signal(&recorder->to_writer);
    pthread_mutex_unlock(&recorder->mutex);
    return status;
}

/* Gives the writer what has been filled of a table, and goes on with the other block. */
static rs_status hand_over(rs_recorder *recorder, rs_ring *ring, rs_error *error)
{
    rs_job job = {.kind = RS_JOB_ROWS, .block = &ring->block[ring->filling]};
    pthread_mutex_lock(&recorder->mutex);
    bool filled = !job.block->busy && job.block->rows > 0; /* busy: still on its way from the time before */
    pthread_mutex_unlock(&recorder->mutex);
    if (!filled) {
        return RS_OK;
    }
    ring->filling = (ring->filling + 1) % RS_BLOCKS;
    return push_job(recorder, &job, error);
}

/* Room for one more row of a table: *block is where it goes. Waits while both blocks are on their way. */
static rs_status make_room(rs_recorder *recorder, rs_table_kind table, int64_t row, rs_block_of_rows **block,
                           rs_error *error)
{
    rs_ring *ring = &recorder->ring[table];
    rs_block_of_rows *filling = &ring->block[ring->filling];
    *block = filling;
    pthread_mutex_lock(&recorder->mutex);
    while (filling->busy) {
        pthread_cond_wait(&recorder->to_trainer, &recorder->mutex);
    }
    rs_status status = pending_error(recorder, error);
    pthread_mutex_unlock(&recorder->mutex);
    RS_TRY(status);
    if (row != ring->next_row) {
        return RS_FAIL(error, RS_FAILED, "%s %lld delivered where %lld was due",
                       recorder->layout.table[table].dimension, (long long)row, (long long)ring->next_row);
    }
    if (filling->rows == 0) {
        filling->first_row = row;
    }
    return RS_OK;
}

/* After a row was added. */
static rs_status row_added(rs_recorder *recorder, rs_table_kind table, rs_error *error)
{
    rs_ring *ring = &recorder->ring[table];
    const rs_block_of_rows *block = &ring->block[ring->filling];
    ring->next_row++;
    return block->rows == block->capacity ? hand_over(recorder, ring, error) : RS_OK;
}

rs_status rs_recorder_step(rs_recorder *recorder, const rs_step_row *row, rs_error *error)
{
    rs_block_of_rows *block;
    RS_TRY(make_room(recorder, RS_TABLE_STEPS, row->step, &block, error));
    rs_rows_add_step(block, recorder->spec->network, row);
    return row_added(recorder, RS_TABLE_STEPS, error);
}

rs_status rs_recorder_snapshot(rs_recorder *recorder, const rs_snapshot_moment *moment, rs_error *error)
{
    rs_block_of_rows *block;
    RS_TRY(make_room(recorder, RS_TABLE_SNAPSHOTS, moment->index, &block, error));
    RS_TRY(rs_rows_add_snapshot(block, moment, recorder->spec->gradient_mean, recorder->scratch, error));
    return row_added(recorder, RS_TABLE_SNAPSHOTS, error);
}

rs_status rs_recorder_epoch(rs_recorder *recorder, const rs_epoch_row *row, rs_error *error)
{
    rs_block_of_rows *block;
    RS_TRY(make_room(recorder, RS_TABLE_EPOCHS, row->epoch, &block, error));
    rs_rows_add_epoch(block, row);
    return row_added(recorder, RS_TABLE_EPOCHS, error);
}

/* All rows that the commit covers, to the writer. */
static rs_status hand_over_all(rs_recorder *recorder, const rs_position *position, rs_error *error)
{
    pthread_mutex_lock(&recorder->mutex);
    rs_status status = pending_error(recorder, error);
    pthread_mutex_unlock(&recorder->mutex);
    RS_TRY(status);
    for (int t = 0; t < RS_DATA_TABLES; t++) {
        int64_t rows = rs_position_rows(position, (rs_table_kind)t);
        if (rows != recorder->ring[t].next_row) {
            return RS_FAIL(error, RS_FAILED, "a commit covers %lld rows of %s, %lld were delivered",
                           (long long)rows, recorder->layout.table[t].dimension,
                           (long long)recorder->ring[t].next_row);
        }
        RS_TRY(hand_over(recorder, &recorder->ring[t], error));
    }
    return RS_OK;
}

rs_status rs_recorder_commit(rs_recorder *recorder, rs_commit_kind kind, const rs_position *position,
                             const char *checkpoint, rs_error *error)
{
    rs_job job = {.kind = RS_JOB_COMMIT, .commit_kind = kind, .position = *position};
    rs_status status = hand_over_all(recorder, position, error);
    if (!status && checkpoint) {
        job.checkpoint = rs_strdup(checkpoint);
        status = job.checkpoint ? RS_OK : RS_FAIL(error, RS_MEMORY, "no memory for the path %s", checkpoint);
    }
    if (status) { /* the writer never hears of the checkpoint */
        if (checkpoint) {
            (void)rs_files()->unlink(checkpoint);
        }
        return status;
    }
    return push_job(recorder, &job, error);
}

rs_status rs_recorder_wait(rs_recorder *recorder, rs_error *error)
{
    pthread_mutex_lock(&recorder->mutex);
    while (recorder->job_count > 0 || recorder->working) {
        pthread_cond_wait(&recorder->to_trainer, &recorder->mutex);
    }
    rs_status status = pending_error(recorder, error);
    pthread_mutex_unlock(&recorder->mutex);
    return status;
}

void rs_recorder_set_reason(rs_recorder *recorder, const char *reason)
{
    (void)snprintf(recorder->reason, sizeof recorder->reason, "%s", reason);
}

void rs_recorder_set_not_finite(rs_recorder *recorder, const char *text)
{
    (void)snprintf(recorder->not_finite, sizeof recorder->not_finite, "%s", text);
}

rs_status rs_recorder_close(rs_recorder *recorder, rs_run_state state, rs_error *error)
{
    rs_job job = {.kind = RS_JOB_CLOSE, .state = state};
    rs_error ignored;
    if (!recorder) {
        return RS_OK;
    }
    memcpy(job.reason, recorder->reason, sizeof job.reason);
    memcpy(job.not_finite, recorder->not_finite, sizeof job.not_finite);
    (void)push_job(recorder, &job, &ignored); /* an earlier error comes back below */
    (void)pthread_join(recorder->thread, NULL);
    rs_status status = pending_error(recorder, error);
    if (status == RS_OK && state == RS_RUN_DONE && !recorder->spec->keep_checkpoint &&
        rs_files()->unlink(recorder->checkpoint) != 0 && errno != ENOENT) {
        status = RS_FAIL(error, RS_IO, "removing %s: %s", recorder->checkpoint, strerror(errno));
    }
    rs_recorder_free(recorder);
    return status;
}
