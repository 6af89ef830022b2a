/* writer.c: the thread that owns HDF5. It takes jobs in order; after an error it only gives blocks back, so
 * that the trainer never waits in vain, and the file stays whole up to its last commit. */
#include <string.h>

#include "recorder_state.h"
#include "rs/host.h"

/* Kept free beside the rows: the library's own structures, the state, the closing of the file. */
enum { RESERVE = 1 << 20 };

static bool is_closing(void *context)
{
    rs_recorder *recorder = context;
    pthread_mutex_lock(&recorder->mutex);
    bool closing = recorder->closing;
    pthread_mutex_unlock(&recorder->mutex);
    return closing;
}

/* Room for rows of so many bytes and what the library adds to them. It hands out places in the file before the file is
 * that long; where it makes the file longer, some file systems drop what is reserved behind the new end. */
static rs_status take_room(rs_recorder *recorder, uint64_t bytes, rs_error *error)
{
    const rs_room room = {.path = recorder->path,
                          .directory = recorder->directory,
                          .reserved = &recorder->reserved,
                          .wait = recorder->spec->wait_when_full,
                          .stop = recorder->spec->stop,
                          .given_up = is_closing,
                          .context = recorder};
    uint64_t ahead;
    RS_TRY(rs_record_file_ahead(&recorder->file, &ahead, error));
    return rs_space_take(&room, recorder->lock, ahead, bytes + RESERVE, error);
}

static rs_status report_difference(rs_recorder *recorder, const char *path, int64_t row, rs_error *error)
{
    if (!recorder->foreign) {
        return RS_FAIL(
            error, RS_FAILED,
            "recomputing what is already recorded gave other values: %s, row %lld; the record is left as it "
            "was. Same build, machine and thread count?",
            path, (long long)row);
    }
    if (!recorder->warned) {
        rs_log(RS_LOG_WARNING,
               "%s: resumed by another build, machine or thread count; %s differs from row %lld on. Rows "
               "already "
               "committed are kept",
               recorder->path, path, (long long)row);
        recorder->warned = true;
    }
    return RS_OK;
}

static rs_status write_rows(rs_recorder *recorder, const rs_block_of_rows *block, rs_error *error)
{
    const rs_table_kind table = (rs_table_kind)(block->table - recorder->layout.table);
    const char *different = NULL;
    int64_t row = 0, covered = rs_position_rows(&recorder->covered, table) - block->first_row;
    covered = covered < 0 ? 0 : covered > block->rows ? block->rows : covered;
    RS_TRY(rs_rows_wait(block, error));
    if (covered > 0) {
        RS_TRY(rs_record_file_compare(&recorder->file, block, covered, &different, &row, error));
        if (different) {
            RS_TRY(report_difference(recorder, different, row, error));
        }
    }
    if (covered == block->rows) {
        return RS_OK;
    }
    uint64_t growth = rs_table_growth(block->table, recorder->file.columns[table][0].extent,
                                      block->first_row + block->rows);
    RS_TRY(take_room(recorder, growth, error));
    return rs_record_file_write(&recorder->file, block, covered, error);
}

/* A resumed run passes commits again that the file already has: it never takes one back. */
static bool is_committed(const rs_record_file *file, rs_commit_kind kind, const rs_position *position)
{
    const rs_position *last = &file->committed;
    if (file->commits == 0 || position->steps > last->steps || position->epochs > last->epochs ||
        position->snapshots > last->snapshots) {
        return false;
    }
    return kind != RS_COMMIT_STOP || file->last_kind == RS_COMMIT_STOP || position->steps < last->steps ||
           position->epochs < last->epochs;
}

static rs_status commit_rows(rs_recorder *recorder, const rs_job *job, rs_error *error)
{
    if (!is_committed(&recorder->file, job->commit_kind, &job->position)) {
        RS_TRY(take_room(recorder, 0, error));
        RS_TRY(rs_record_file_flush(&recorder->file, error));
        RS_TRY(take_room(recorder, 0, error));
        RS_TRY(rs_record_file_commit(&recorder->file, job->commit_kind, &job->position, error));
    }
    return RS_OK;
}

/* The record first, then the checkpoint: one without its commit is thrown away. */
static rs_status commit(rs_recorder *recorder, const rs_job *job, bool failed, rs_error *error)
{
    const rs_status status = failed ? RS_OK : commit_rows(recorder, job, error);
    if (job->checkpoint && (failed || status != RS_OK)) {
        (void)rs_files()->unlink(job->checkpoint);
        return status;
    }
    return job->checkpoint ? rs_checkpoint_publish(job->checkpoint, recorder->directory, error) : status;
}

/* Runs also after an error: a file that is not broken is closed in order, so that every tool opens it. */
static rs_status write_end_and_close(rs_recorder *recorder, const rs_job *job, bool failed, rs_error *error)
{
    rs_run_state state = job->state;
    rs_error ignored;
    if (recorder->file.broken) {
        (void)rs_record_file_close(&recorder->file, &ignored);
        return RS_OK;
    }
    if (failed && state == RS_RUN_DONE) {
        state = RS_RUN_STOPPED;
    }
    rs_status status;
    RS_TRY_GOTO(rs_record_file_set_reason(&recorder->file, state == RS_RUN_DONE ? job->reason : "", error));
    RS_TRY_GOTO(rs_record_file_set_not_finite(&recorder->file,
                                              state == RS_RUN_DIVERGED ? job->not_finite : "", error));
    RS_TRY_GOTO(rs_record_file_set_state(&recorder->file, state, error));
    RS_H5_GOTO(H5Fflush(recorder->file.file, H5F_SCOPE_GLOBAL));
    RS_TRY_GOTO(rs_h5_sync(recorder->file.file, error));
done:
    if (status != RS_OK) {
        recorder->file.broken = true;
        (void)rs_record_file_close(&recorder->file, &ignored);
        return status;
    }
    RS_TRY(rs_record_file_close(&recorder->file, error));
    if (rs_files()->fsync(recorder->lock) != 0) {
        return RS_FAIL(error, RS_IO, "fsync failed when closing");
    }
    return RS_OK;
}

static rs_status close_file(rs_recorder *recorder, const rs_job *job, bool failed, rs_error *error)
{
    const rs_status status = write_end_and_close(recorder, job, failed, error);
    rs_space_release(recorder->lock);
    return status;
}

static rs_status do_job(rs_recorder *recorder, const rs_job *job, bool failed, rs_error *error)
{
    switch (job->kind) {
    case RS_JOB_ROWS:
        return failed ? RS_OK : write_rows(recorder, job->block, error);
    case RS_JOB_COMMIT:
        return commit(recorder, job, failed, error);
    default:
        return close_file(recorder, job, failed, error);
    }
}

/* Takes the next job; *failed says whether one before it went wrong. */
static rs_job take_job(rs_recorder *recorder, bool *failed)
{
    pthread_mutex_lock(&recorder->mutex);
    while (recorder->job_count == 0) {
        pthread_cond_wait(&recorder->to_writer, &recorder->mutex);
    }
    rs_job job = recorder->jobs[recorder->first_job];
    recorder->first_job = (recorder->first_job + 1) % RS_MOST_JOBS;
    recorder->job_count--;
    recorder->working = true;
    *failed = recorder->failed;
    pthread_mutex_unlock(&recorder->mutex);
    return job;
}

static void finish_job(rs_recorder *recorder, const rs_job *job, rs_status status, const rs_error *error)
{
    rs_free(job->checkpoint);
    pthread_mutex_lock(&recorder->mutex);
    if (job->block) {
        job->block->busy = false;
        job->block->rows = 0;
    }
    if (status != RS_OK && !recorder->failed) {
        recorder->failed = true;
        recorder->error = *error;
    }
    recorder->working = false;
    pthread_cond_broadcast(&recorder->to_trainer);
    pthread_mutex_unlock(&recorder->mutex);
}

void *rs_writer_main(void *context)
{
    rs_recorder *recorder = context;
    rs_job_kind kind;
    rs_h5_begin();
    do {
        rs_error error = {.status = RS_OK};
        bool failed;
        rs_job job = take_job(recorder, &failed);
        rs_status status = do_job(recorder, &job, failed, &error);
        if (status != RS_OK && !strstr(error.text, recorder->path)) {
            (void)rs_error_prefix(&error, "%s", recorder->path);
        }
        kind = job.kind;
        finish_job(recorder, &job, status, &error);
    } while (kind != RS_JOB_CLOSE);
    return NULL;
}
