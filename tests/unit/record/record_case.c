/* record_case.c: see record_case.h. */
#include "record_case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "record_check.h"

static char folder[] = "/tmp/rs_record_XXXXXX";
char path[128], other[128], checkpoint[160];
fixture made;
rs_error error;

void case_ok(rs_status status)
{
    if (status != RS_OK) {
        print_error("%s: %s\n", rs_status_name(status), error.text);
    }
    assert_int_equal(status, RS_OK);
}

void case_refused(rs_status status, rs_status expected, const char *text)
{
    assert_int_equal(status, expected);
    if (!strstr(error.text, text)) {
        print_error("\"%s\" does not say \"%s\"\n", error.text, text);
        fail();
    }
}

static int no_fsync(int file)
{
    (void)file;
    return 0;
}

/* The system's file operations, without waiting for the disk; test_failed_fsync shows that it is waited for. */
void case_use_files(int (*free_bytes)(const char *directory, uint64_t *bytes))
{
    static rs_file_operations files;
    rs_set_files(NULL);
    files = *rs_files();
    files.fsync = no_fsync;
    files.free_bytes = free_bytes ? free_bytes : files.free_bytes;
    rs_set_files(&files);
}

int case_fresh(void **state)
{
    (void)state;
    (void)snprintf(path, sizeof path, "%s/run.h5", folder);
    (void)snprintf(other, sizeof other, "%s/other.h5", folder);
    (void)snprintf(checkpoint, sizeof checkpoint, "%s.ckpt", path);
    (void)unlink(path);
    (void)unlink(other);
    (void)unlink(checkpoint);
    case_use_files(NULL);
    fixture_init(&made, false, EPOCHS);
    return 0;
}

/* A whole run, from the beginning to its end in order. */
void case_run(const char *to, int64_t epochs)
{
    rs_recorder *recorder;
    rs_position position = {0};
    case_ok(rs_recorder_create(to, &made.spec, true, &recorder, &error));
    const rs_observer observer = rs_recorder_observer(recorder);
    case_ok(fixture_train(&made, &observer, &position, epochs, NULL, &error));
    case_ok(observer.commit(observer.context, RS_COMMIT_STOP, &position, NULL, &error));
    case_ok(rs_recorder_close(recorder, RS_RUN_DONE, &error));
}

/* All values of the file are right and as many epochs are committed. */
void case_holds(const char *of, int64_t epochs)
{
    rs_position committed;
    case_ok(record_check(of, &made, &committed, &error));
    assert_int_equal(committed.epochs, epochs);
    assert_int_equal(committed.steps, epochs * FIXTURE_STEPS);
    assert_int_equal(committed.snapshots, epochs + 1);
}

void case_has_state(const char *expected, int64_t commits)
{
    rs_record_summary summary;
    case_ok(rs_record_summarize(path, &summary, &error));
    assert_string_equal(summary.state, expected);
    assert_int_equal(summary.commits, commits);
    assert_false(summary.writer_mark);
    assert_string_equal(summary.config_yaml, made.spec.config_yaml);
    assert_string_equal(summary.device, made.spec.provenance.device);
    rs_free(summary.config_yaml);
}

int case_begin(void **state)
{
    (void)state;
    rs_log_set_level(RS_LOG_ERROR);
    return mkdtemp(folder) ? 0 : -1;
}

int case_end(void **state)
{
    (void)case_fresh(state);
    return rmdir(folder);
}
