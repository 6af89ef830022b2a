/* record_writer.c: records a fixture as fast as it can, to be killed at any moment.
 *
 *     record_writer PATH EPOCHS small|large sync|nosync
 *
 * Goes on with PATH where its checkpoint ends, if it is there; otherwise creates it. Commits after every epoch of
 * three steps. With `nosync` fsync does nothing, so that commits follow each other closely (a kill does not lose
 * what the system has). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture.h"
#include "rs/host.h"

static int no_sync(int file)
{
    (void)file;
    return 0;
}

static rs_status begin(const char *path, const char *checkpoint, const fixture *made, rs_recorder **recorder,
                       rs_position *position, rs_error *error)
{
    *recorder = NULL;
    memset(position, 0, sizeof *position);
    if (access(path, F_OK) == 0) {
        RS_TRY(fixture_restore(checkpoint, position, error));
        RS_TRY(rs_recorder_resume(path, &made->spec, position, recorder, error));
    }
    return *recorder ? RS_OK : rs_recorder_create(path, &made->spec, true, recorder, error);
}

static rs_status record(const char *path, const fixture *made, int64_t epochs, rs_error *error)
{
    char checkpoint[1024];
    rs_recorder *recorder;
    rs_position position;
    (void)snprintf(checkpoint, sizeof checkpoint, "%s.ckpt", path);
    RS_TRY(begin(path, checkpoint, made, &recorder, &position, error));
    const rs_observer observer = rs_recorder_observer(recorder);
    rs_status status = fixture_train(made, &observer, &position, epochs, checkpoint, error);
    if (status == RS_OK) {
        status = observer.commit(observer.context, RS_COMMIT_STOP, &position, NULL, error);
    }
    rs_error closing;
    rs_status closed = rs_recorder_close(recorder, status == RS_OK ? RS_RUN_DONE : RS_RUN_STOPPED, &closing);
    if (status == RS_OK && closed != RS_OK) {
        *error = closing;
        return closed;
    }
    return status;
}

int main(int argc, char **argv)
{
    static fixture made;
    rs_error error;
    if (argc != 5) {
        (void)fprintf(stderr, "usage: record_writer PATH EPOCHS small|large sync|nosync\n");
        return 2;
    }
    rs_file_operations files = *rs_files();
    if (strcmp(argv[4], "nosync") == 0) {
        files.fsync = no_sync;
        rs_set_files(&files);
    }
    long long epochs = strtoll(argv[2], NULL, 10);
    fixture_init(&made, strcmp(argv[3], "large") == 0, epochs < 40 ? epochs : 40);
    if (record(argv[1], &made, epochs, &error) != RS_OK) {
        (void)fprintf(stderr, "record_writer: %s\n", error.text);
        return rs_status_exit_code(error.status);
    }
    return 0;
}
