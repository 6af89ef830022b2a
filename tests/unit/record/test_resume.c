/* test_resume.c: a record that ended or was cut off goes on so that it is, in the end, the one that never stopped. */
#include <setjmp.h> /* cmocka.h needs these four first */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "record_check.h"
#include "rs/host.h"
#include "verify.h"

enum { EPOCHS = 6 };

static char folder[] = "/tmp/rs_resume_XXXXXX";
static char path[128], whole[128];
static fixture made;
static rs_error error;
static int warnings;

static void ok(rs_status status)
{
    if (status != RS_OK) {
        print_error("%s: %s\n", rs_status_name(status), error.text);
    }
    assert_int_equal(status, RS_OK);
}

static void refused(rs_status status, rs_status expected, const char *text)
{
    assert_int_equal(status, expected);
    if (!strstr(error.text, text)) {
        print_error("\"%s\" does not say \"%s\"\n", error.text, text);
        fail();
    }
}

static void count_warnings(void *context, rs_log_level level, const char *text)
{
    (void)context;
    (void)text;
    warnings += level == RS_LOG_WARNING;
}

/* Trains to `epochs` in order and ends in `state`. */
static void go_on(rs_recorder *recorder, rs_position *position, int64_t epochs, rs_run_state state)
{
    const rs_observer observer = rs_recorder_observer(recorder);
    ok(fixture_train(&made, &observer, position, epochs, NULL, &error));
    ok(observer.commit(observer.context, state == RS_RUN_DONE ? RS_COMMIT_STOP : RS_COMMIT_INTERRUPT,
                       position, NULL, &error));
    ok(rs_recorder_close(recorder, state, &error));
}

static rs_position run(const char *to, int64_t epochs, rs_run_state state)
{
    rs_recorder *recorder;
    rs_position position = {0};
    ok(rs_recorder_create(to, &made.spec, true, &recorder, &error));
    go_on(recorder, &position, epochs, state);
    return position;
}

static rs_recorder *resume(const rs_position *position)
{
    rs_recorder *recorder;
    ok(rs_recorder_resume(path, &made.spec, position, &recorder, &error));
    assert_non_null(recorder);
    return recorder;
}

static void same_as_whole(int expected)
{
    FILE *nowhere = fopen("/dev/null", "w");
    int differences;
    ok(rs_record_same(path, whole, expected ? nowhere : stderr, &differences, &error));
    assert_int_equal(differences, expected);
    (void)fclose(nowhere);
}

static int fresh(void **state)
{
    (void)state;
    warnings = 0;
    (void)snprintf(path, sizeof path, "%s/run.h5", folder);
    (void)snprintf(whole, sizeof whole, "%s/whole.h5", folder);
    (void)unlink(path);
    (void)unlink(whole);
    fixture_init(&made, false, EPOCHS);
    return 0;
}

static void test_goes_on_where_it_ended(void **state)
{
    rs_position position;
    (void)state;
    run(whole, EPOCHS, RS_RUN_DONE);
    position = run(path, 2, RS_RUN_INTERRUPTED);
    go_on(resume(&position), &position, EPOCHS, RS_RUN_DONE);
    assert_int_equal(warnings, 0);
    same_as_whole(0);
}

/* The checkpoint may be behind the last commit: those rows come again and are compared. */
static void test_recomputes_and_compares(void **state)
{
    rs_position position = {0}, first = {.epochs = 1, .steps = FIXTURE_STEPS, .snapshots = 2};
    (void)state;
    run(whole, EPOCHS, RS_RUN_DONE);
    run(path, 3, RS_RUN_INTERRUPTED);
    go_on(resume(&first), &first, 4, RS_RUN_INTERRUPTED);
    go_on(resume(&position), &position, EPOCHS, RS_RUN_DONE);
    same_as_whole(0);
}

static void test_interrupted_within_an_epoch(void **state)
{
    rs_recorder *recorder;
    rs_position position = {0}, beginning = {0};
    (void)state;
    run(whole, EPOCHS, RS_RUN_DONE);
    ok(rs_recorder_create(path, &made.spec, false, &recorder, &error));
    rs_observer observer = rs_recorder_observer(recorder);
    ok(fixture_train(&made, &observer, &position, 1, NULL, &error));
    ok(fixture_step(&made, &observer, &position, &error));
    ok(observer.commit(observer.context, RS_COMMIT_INTERRUPT, &position, NULL, &error));
    ok(rs_recorder_close(recorder, RS_RUN_INTERRUPTED, &error));
    rs_record_summary summary;
    ok(rs_record_summarize(path, &summary, &error));
    rs_free(summary.config_yaml);
    assert_int_equal(summary.committed.steps, FIXTURE_STEPS + 1);
    assert_int_equal(summary.committed.batches, 1);
    go_on(resume(&position), &position, 3, RS_RUN_INTERRUPTED);
    go_on(resume(&beginning), &beginning, EPOCHS, RS_RUN_DONE);
    same_as_whole(0);
}

static void test_another_result_is_refused(void **state)
{
    rs_position position = {0}, committed;
    (void)state;
    run(path, 3, RS_RUN_INTERRUPTED);
    made.skew = 0.5;
    rs_recorder *recorder = resume(&position);
    const rs_observer observer = rs_recorder_observer(recorder);
    rs_status status = fixture_train(&made, &observer, &position, 2, NULL, &error);
    status = status == RS_OK ? observer.wait(observer.context, &error) : status;
    refused(status, RS_FAILED, "steps/loss, row 0");
    assert_int_equal(rs_recorder_close(recorder, RS_RUN_STOPPED, &error), RS_FAILED);
    made.skew = 0;
    ok(record_check(path, &made, &committed, &error));
    assert_int_equal(committed.epochs, 3);
}

static void test_elsewhere_is_a_warning_and_a_mark(void **state)
{
    rs_position position = {0}, committed;
    (void)state;
    run(path, 3, RS_RUN_INTERRUPTED);
    made.spec.provenance.threads = 2;
    made.skew = 0.5;
    rs_recorder *recorder = resume(&position);
    assert_int_equal(warnings, 1);
    go_on(recorder, &position, 3, RS_RUN_DONE);
    assert_int_equal(warnings, 2);
    made.skew = 0;
    ok(record_check(path, &made, &committed, &error)); /* what was committed is kept */
    assert_int_equal(committed.epochs, 3);
}

static void test_more_epochs(void **state)
{
    rs_position position;
    rs_record_summary summary;
    (void)state;
    made.spec.config_yaml = "depth: 18\nepochs: 12\nout: b.h5\n";
    run(whole, 12, RS_RUN_DONE);
    made.spec.config_yaml = "depth: 18\nepochs: 6\nout: a.h5\n";
    position = run(path, EPOCHS, RS_RUN_DONE);
    made.spec.config_yaml = "depth: 18\nepochs: 12\nout: a.h5\n";
    go_on(resume(&position), &position, 12, RS_RUN_DONE);
    ok(rs_record_summarize(path, &summary, &error));
    assert_string_equal(summary.config_yaml, made.spec.config_yaml);
    rs_free(summary.config_yaml);
    same_as_whole(0);
}

static void test_what_does_not_fit_is_refused(void **state)
{
    rs_position position, later;
    rs_recorder *recorder;
    (void)state;
    position = run(path, 2, RS_RUN_INTERRUPTED);
    later = position;
    later.steps++;
    refused(rs_recorder_resume(path, &made.spec, &later, &recorder, &error), RS_DATA,
            "past the record's last commit");
    made.spec.metrics.count = 1;
    refused(rs_recorder_resume(path, &made.spec, &position, &recorder, &error), RS_DATA,
            "distance_to_initial holds 2");
    fixture_init(&made, true, EPOCHS);
    refused(rs_recorder_resume(path, &made.spec, &position, &recorder, &error), RS_DATA,
            "conv1.weight is of another");
    fixture_init(&made, false, EPOCHS);
    FILE *file = fopen(whole, "w");
    (void)fputs("no HDF5 file at all, but long enough", file);
    (void)fclose(file);
    refused(rs_recorder_resume(whole, &made.spec, &position, &recorder, &error), RS_DATA, "no HDF5 file");
    go_on(resume(&position), &position, 3, RS_RUN_DONE); /* the attempts did not hurt it */
}

static void test_nothing_committed_yet(void **state)
{
    const rs_position beginning = {0};
    rs_recorder *recorder;
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        _exit(rs_recorder_create(path, &made.spec, false, &recorder, &error) == RS_OK ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    ok(rs_recorder_resume(path, &made.spec, &beginning, &recorder, &error));
    assert_null(recorder);
    refused(rs_recorder_resume(whole, &made.spec, &beginning, &recorder, &error), RS_DATA, "No such file");
}

static int begin(void **state)
{
    (void)state;
    rs_log_set_sink(count_warnings, NULL);
    return mkdtemp(folder) ? 0 : -1;
}

static int end(void **state)
{
    (void)fresh(state);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_goes_on_where_it_ended, fresh),
        cmocka_unit_test_setup(test_recomputes_and_compares, fresh),
        cmocka_unit_test_setup(test_interrupted_within_an_epoch, fresh),
        cmocka_unit_test_setup(test_another_result_is_refused, fresh),
        cmocka_unit_test_setup(test_elsewhere_is_a_warning_and_a_mark, fresh),
        cmocka_unit_test_setup(test_more_epochs, fresh),
        cmocka_unit_test_setup(test_what_does_not_fit_is_refused, fresh),
        cmocka_unit_test_setup(test_nothing_committed_yet, fresh),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
