/* test_record.c: a record is what its schema says: created, filled by two threads, closed, read back, refused. */
#include <setjmp.h> /* cmocka.h needs these four first */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "record_check.h"
#include "rs/checkpoint.h"
#include "rs/host.h"
#include "verify.h"

enum { EPOCHS = 6 };

static char folder[] = "/tmp/rs_record_XXXXXX";
static char path[128], other[128], checkpoint[160];
static fixture made;
static rs_error error;

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

static int no_fsync(int file)
{
    (void)file;
    return 0;
}

/* The system's file operations, without waiting for the disk; test_failed_fsync shows that it is waited for. */
static void use_files(int (*free_bytes)(const char *directory, uint64_t *bytes))
{
    static rs_file_operations files;
    rs_set_files(NULL);
    files = *rs_files();
    files.fsync = no_fsync;
    files.free_bytes = free_bytes ? free_bytes : files.free_bytes;
    rs_set_files(&files);
}

static int fresh(void **state)
{
    (void)state;
    (void)snprintf(path, sizeof path, "%s/run.h5", folder);
    (void)snprintf(other, sizeof other, "%s/other.h5", folder);
    (void)snprintf(checkpoint, sizeof checkpoint, "%s.ckpt", path);
    (void)unlink(path);
    (void)unlink(other);
    (void)unlink(checkpoint);
    use_files(NULL);
    fixture_init(&made, false, EPOCHS);
    return 0;
}

/* A whole run, from the beginning to its end in order. */
static void run(const char *to, int64_t epochs)
{
    rs_recorder *recorder;
    rs_position position = {0};
    ok(rs_recorder_create(to, &made.spec, true, &recorder, &error));
    const rs_observer observer = rs_recorder_observer(recorder);
    ok(fixture_train(&made, &observer, &position, epochs, NULL, &error));
    ok(observer.commit(observer.context, RS_COMMIT_STOP, &position, NULL, &error));
    ok(rs_recorder_close(recorder, RS_RUN_DONE, &error));
}

/* All values of the file are right and as many epochs are committed. */
static void holds(const char *of, int64_t epochs)
{
    rs_position committed;
    ok(record_check(of, &made, &committed, &error));
    assert_int_equal(committed.epochs, epochs);
    assert_int_equal(committed.steps, epochs * FIXTURE_STEPS);
    assert_int_equal(committed.snapshots, epochs + 1);
}

static void has_state(const char *expected, int64_t commits)
{
    rs_record_summary summary;
    ok(rs_record_summarize(path, &summary, &error));
    assert_string_equal(summary.state, expected);
    assert_int_equal(summary.commits, commits);
    assert_false(summary.writer_mark);
    assert_string_equal(summary.config_yaml, made.spec.config_yaml);
    assert_string_equal(summary.device, made.spec.provenance.device);
    rs_free(summary.config_yaml);
}

static void test_whole_run(void **state)
{
    (void)state;
    run(path, EPOCHS);
    holds(path, EPOCHS);
    has_state("done", EPOCHS + 2);
}

/* The plan is from above, and close. */
static void test_planned_size(void **state)
{
    static const struct {
        bool large;
        int64_t epochs;
        double at_most;
    } cases[] = {{false, 3, 2.5}, {false, 500, 1.3}, {true, EPOCHS, 1.05}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t planned, ignored;
        struct stat about;
        fixture_init(&made, cases[i].large, cases[i].epochs);
        run(path, cases[i].epochs);
        rs_recorder_planned_bytes(&made.spec, &planned, &ignored);
        assert_int_equal(stat(path, &about), 0);
        if (planned < (uint64_t)about.st_size || (double)planned > cases[i].at_most * (double)about.st_size) {
            print_error("case %zu: planned %llu, became %lld\n", i, (unsigned long long)planned,
                        (long long)about.st_size);
            fail();
        }
    }
}

static void test_large_tensors(void **state)
{
    (void)state;
    fixture_init(&made, true, EPOCHS);
    run(path, EPOCHS);
    holds(path, EPOCHS);
}

static void test_compressed(void **state)
{
    (void)state;
    fixture_init(&made, true, 3);
    made.spec.compress = true;
    run(path, 3);
    holds(path, 3);
}

static void test_last_gradients(void **state)
{
    (void)state;
    made.spec.gradient_mean = false; /* the fake device's last gradient is its mean */
    run(path, 2);
    holds(path, 2);
}

static void test_records_nothing_but_series(void **state)
{
    (void)state;
    memset(made.weights, 0, sizeof made.weights);
    memset(made.gradients, 0, sizeof made.gradients);
    memset(made.running, 0, sizeof made.running);
    made.spec.gradient_stats = false;
    made.spec.metrics.count = 0;
    made.network.block_count = 0;
    run(path, EPOCHS);
    holds(path, EPOCHS);
}

static void test_many_epochs_in_few_commits(void **state)
{
    enum { MANY = 3000 };
    rs_recorder *recorder;
    rs_position position = {0};
    (void)state;
    ok(rs_recorder_create(path, &made.spec, true, &recorder, &error));
    const rs_observer observer = rs_recorder_observer(recorder);
    ok(fixture_snapshot(&made, &observer, &position, true, &error));
    while (position.epochs < MANY) {
        for (int i = 0; i < FIXTURE_STEPS; i++) {
            ok(fixture_step(&made, &observer, &position, &error));
        }
        ok(fixture_epoch(&observer, &position, &error));
        ok(fixture_snapshot(&made, &observer, &position, true, &error));
    }
    ok(observer.commit(observer.context, RS_COMMIT_STOP, &position, NULL, &error));
    ok(rs_recorder_close(recorder, RS_RUN_DONE, &error));
    holds(path, MANY);
}

static void test_wants_follow_the_spec(void **state)
{
    rs_recorder *recorder;
    (void)state;
    made.spec.metrics.count = 0;
    memset(made.gradients, 0, sizeof made.gradients);
    ok(rs_recorder_create(path, &made.spec, true, &recorder, &error));
    const rs_observer observer = rs_recorder_observer(recorder);
    assert_int_equal(observer.want(observer.context), RS_WANT_GRADIENT_STATS | RS_WANT_WEIGHTS |
                                                          RS_WANT_LAYER_LOSSES | RS_WANT_LAYER_OUTPUTS |
                                                          RS_WANT_SENSITIVITY);
    ok(rs_recorder_close(recorder, RS_RUN_INTERRUPTED, &error));
    has_state("interrupted", 0);
    made.spec.layer_losses = made.spec.sensitivity = false;
    ok(rs_recorder_create(path, &made.spec, true, &recorder, &error));
    const rs_observer fewer = rs_recorder_observer(recorder);
    assert_int_equal(fewer.want(fewer.context),
                     RS_WANT_GRADIENT_STATS | RS_WANT_WEIGHTS | RS_WANT_LAYER_OUTPUTS);
    ok(rs_recorder_close(recorder, RS_RUN_INTERRUPTED, &error));
}

static void has_reason(const char *expected)
{
    rs_record_summary summary;
    ok(rs_record_summarize(path, &summary, &error));
    assert_string_equal(summary.reason, expected);
    rs_free(summary.config_yaml);
}

/* Only a run that is done says what ended it; resuming takes it back. */
static void test_reason(void **state)
{
    rs_recorder *recorder;
    rs_position position = {0};
    (void)state;
    for (int done = 0; done < 2; done++) {
        ok(rs_recorder_create(path, &made.spec, true, &recorder, &error));
        const rs_observer observer = rs_recorder_observer(recorder);
        position = (rs_position){0};
        ok(fixture_train(&made, &observer, &position, 1, NULL, &error));
        rs_recorder_set_reason(recorder, "stop-change");
        ok(rs_recorder_close(recorder, done ? RS_RUN_DONE : RS_RUN_INTERRUPTED, &error));
        has_reason(done ? "stop-change" : "");
    }
    ok(rs_recorder_resume(path, &made.spec, &position, &recorder, &error));
    ok(rs_recorder_close(recorder, RS_RUN_INTERRUPTED, &error));
    has_reason("");
}

static void test_existing_file(void **state)
{
    rs_recorder *recorder;
    FILE *old;
    (void)state;
    run(path, 2);
    refused(rs_recorder_create(path, &made.spec, false, &recorder, &error), RS_USAGE, "--overwrite");
    holds(path, 2);
    old = fopen(checkpoint, "w");
    assert_non_null(old);
    (void)fclose(old);
    run(path, 3);
    holds(path, 3);
    assert_int_not_equal(access(checkpoint, F_OK), 0); /* it was of the run that was replaced */
}

static void test_second_writer(void **state)
{
    rs_recorder *recorder, *second;
    const rs_position beginning = {0};
    (void)state;
    ok(rs_recorder_create(path, &made.spec, false, &recorder, &error));
    refused(rs_recorder_create(path, &made.spec, true, &second, &error), RS_FAILED, "another process");
    refused(rs_recorder_resume(path, &made.spec, &beginning, &second, &error), RS_FAILED, "another process");
    refused(rs_record_repair(path, &error), RS_FAILED, "another process");
    ok(rs_recorder_close(recorder, RS_RUN_INTERRUPTED, &error));
}

static void test_order_is_checked(void **state)
{
    rs_recorder *recorder;
    rs_position position = {.steps = 1};
    (void)state;
    ok(rs_recorder_create(path, &made.spec, false, &recorder, &error));
    const rs_observer observer = rs_recorder_observer(recorder);
    refused(fixture_step(&made, &observer, &position, &error), RS_FAILED, "step 1 delivered where 0 was due");
    refused(observer.commit(observer.context, RS_COMMIT_EPOCH, &position, NULL, &error), RS_FAILED,
            "covers 2 rows");
    ok(rs_recorder_close(recorder, RS_RUN_STOPPED, &error));
}

static void test_backend_error_passes_through(void **state)
{
    rs_recorder *recorder;
    rs_position position = {0};
    (void)state;
    made.broken = true;
    ok(rs_recorder_create(path, &made.spec, false, &recorder, &error));
    const rs_observer observer = rs_recorder_observer(recorder);
    refused(fixture_snapshot(&made, &observer, &position, true, &error), RS_DEVICE, "the device is gone");
    ok(rs_recorder_close(recorder, RS_RUN_STOPPED, &error));
}

/* --- trouble with the disk --- */

static uint64_t free_now = UINT64_MAX;
static int calls_until_free; /* there is room again from then on */

static int fake_free_bytes(const char *directory, uint64_t *bytes)
{
    (void)directory;
    if (__atomic_load_n(&free_now, __ATOMIC_RELAXED) < 1000 && calls_until_free > 0 &&
        --calls_until_free == 0) {
        __atomic_store_n(&free_now, UINT64_MAX, __ATOMIC_RELAXED);
    }
    *bytes = __atomic_load_n(&free_now, __ATOMIC_RELAXED);
    return 0;
}

static void use_fake_disk(void)
{
    use_files(fake_free_bytes);
    free_now = UINT64_MAX;
    calls_until_free = 0;
}

static void test_disk_too_small(void **state)
{
    rs_recorder *recorder;
    (void)state;
    use_fake_disk();
    free_now = 2048;
    refused(rs_recorder_create(path, &made.spec, false, &recorder, &error), RS_IO, "2.00 KiB free");
    assert_non_null(strstr(error.text, "are needed"));
    assert_int_not_equal(access(path, F_OK), 0);
}

static void test_disk_fills_up(void **state)
{
    rs_recorder *recorder;
    rs_position position = {0};
    (void)state;
    use_fake_disk();
    ok(rs_recorder_create(path, &made.spec, false, &recorder, &error));
    const rs_observer observer = rs_recorder_observer(recorder);
    ok(fixture_train(&made, &observer, &position, 3, NULL, &error));
    ok(observer.wait(observer.context, &error));
    __atomic_store_n(&free_now, 10, __ATOMIC_RELAXED);
    rs_status status = fixture_train(&made, &observer, &position, EPOCHS, NULL, &error);
    status = status == RS_OK ? observer.wait(observer.context, &error) : status;
    refused(status, RS_IO, "bytes missing");
    refused(fixture_step(&made, &observer, &position, &error), RS_IO, "bytes missing"); /* and ever after */
    refused(rs_recorder_close(recorder, RS_RUN_DONE, &error), RS_IO, path);
    holds(path, 3);
    has_state("stopped", 4);
}

static void test_waits_for_room(void **state)
{
    rs_recorder *recorder;
    rs_position position = {0};
    (void)state;
    use_fake_disk();
    made.spec.wait_when_full = true;
    ok(rs_recorder_create(path, &made.spec, false, &recorder, &error));
    const rs_observer observer = rs_recorder_observer(recorder);
    ok(fixture_train(&made, &observer, &position, 2, NULL, &error));
    ok(observer.wait(observer.context, &error));
    calls_until_free = 3;
    __atomic_store_n(&free_now, 10, __ATOMIC_RELAXED);
    ok(fixture_train(&made, &observer, &position, EPOCHS, NULL, &error));
    ok(observer.wait(observer.context, &error));
    assert_int_equal(calls_until_free, 0); /* it did wait */
    ok(rs_recorder_close(recorder, RS_RUN_DONE, &error));
    holds(path, EPOCHS);
}

static int failing_fsync(int file)
{
    (void)file;
    return -1;
}

/* Runs in a process of its own: after a failed write the recorder leaves the file as a kill would. */
static void in_child(void (*body)(void))
{
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        body();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* Trains three epochs in order, then `spoil`s something: the next commits must fail, with that in the error. */
static void train_until_spoilt(void (*spoil)(void), const char *text)
{
    rs_recorder *recorder;
    rs_position position = {0};
    if (rs_recorder_create(path, &made.spec, false, &recorder, &error) != RS_OK) {
        _exit(10);
    }
    const rs_observer observer = rs_recorder_observer(recorder);
    if (fixture_train(&made, &observer, &position, 3, NULL, &error) != RS_OK ||
        observer.wait(observer.context, &error) != RS_OK) {
        _exit(11);
    }
    spoil();
    rs_status status = fixture_train(&made, &observer, &position, 60, NULL, &error);
    if ((status == RS_OK ? observer.wait(observer.context, &error) : status) != RS_IO ||
        !strstr(error.text, text)) {
        (void)fprintf(stderr, "%s\n", error.text);
        _exit(12);
    }
    if (rs_recorder_close(recorder, RS_RUN_STOPPED, &error) != RS_IO) {
        _exit(13);
    }
}

static void spoil_fsync(void)
{
    static rs_file_operations files;
    files = *rs_files();
    files.fsync = failing_fsync;
    rs_set_files(&files);
}

static void spoil_writes(void)
{
    struct stat about;
    (void)signal(SIGXFSZ, SIG_IGN);
    if (stat(path, &about) != 0) {
        _exit(14);
    }
    const struct rlimit limit = {(rlim_t)about.st_size + 8192, (rlim_t)about.st_size + 8192};
    (void)setrlimit(RLIMIT_FSIZE, &limit);
}

static void lose_fsync(void)
{
    train_until_spoilt(spoil_fsync, "fsync");
}

static void lose_writes(void)
{
    train_until_spoilt(spoil_writes, "write failed");
}

static void test_failed_fsync(void **state)
{
    rs_position committed;
    (void)state;
    in_child(lose_fsync);
    ok(record_check(path, &made, &committed, &error));
    assert_int_equal(committed.epochs, 3);
}

static void test_failed_write(void **state)
{
    rs_position committed;
    (void)state;
    in_child(lose_writes);
    ok(record_check(path, &made, &committed, &error));
    assert_true(committed.epochs >= 3);
    ok(rs_record_repair(path, &error));
    ok(record_check(path, &made, &committed, &error));
    rs_record_summary summary;
    ok(rs_record_summarize(path, &summary, &error));
    assert_false(summary.writer_mark);
    rs_free(summary.config_yaml);
}

/* --- damage --- */

static void test_verify_sees_damage(void **state)
{
    struct stat about;
    int faults;
    (void)state;
    fixture_init(&made, true, EPOCHS);
    run(path, EPOCHS);
    ok(rs_record_verify(path, stderr, &faults, &error));
    assert_int_equal(faults, 0);
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(truncate(path, about.st_size / 2), 0);
    FILE *nowhere = fopen("/dev/null", "w");
    rs_status status = rs_record_verify(path, nowhere, &faults, &error);
    assert_true(status == RS_DATA || (status == RS_OK && faults > 0));
    assert_int_equal(truncate(path, 4), 0);
    refused(rs_record_verify(path, nowhere, &faults, &error), RS_DATA, path);
    assert_int_equal(unlink(path), 0);
    refused(rs_record_verify(path, nowhere, &faults, &error), RS_DATA, "No such file");
    (void)fclose(nowhere);
}

/* Changes one byte of a value far into the file: only a comparison can see it. */
static void test_same_sees_one_byte(void **state)
{
    int differences;
    (void)state;
    run(path, 3);
    run(other, 3);
    ok(rs_record_same(path, other, stderr, &differences, &error));
    assert_int_equal(differences, 0);
    made.skew = 1e-12;
    run(other, 3);
    FILE *nowhere = fopen("/dev/null", "w");
    ok(rs_record_same(path, other, nowhere, &differences, &error));
    assert_int_equal(differences, 1);
    made.skew = 0;
    run(other, 2);
    ok(rs_record_same(path, other, nowhere, &differences, &error));
    assert_true(differences > 10);
    (void)fclose(nowhere);
}

/* A command with its output thrown away. */
static int command(int (*run_command)(int argc, char **argv), const char *first, const char *second,
                   const char *third)
{
    char *arguments[] = {"command", (char *)first, (char *)second, (char *)third, NULL};
    const int count = third ? 4 : second ? 3 : first ? 2 : 1, out = dup(1), err = dup(2);
    (void)fflush(NULL);
    FILE *nowhere = fopen("/dev/null", "w");
    assert_true(dup2(fileno(nowhere), 1) == 1 && dup2(fileno(nowhere), 2) == 2);
    int result = run_command(count, arguments);
    (void)fflush(NULL);
    assert_true(dup2(out, 1) == 1 && dup2(err, 2) == 2);
    (void)fclose(nowhere);
    (void)close(out);
    (void)close(err);
    return result;
}

static void test_commands(void **state)
{
    (void)state;
    run(path, 3); /* numbers that are made up: no distance follows from the weights */
    assert_int_equal(command(rs_command_verify, path, NULL, NULL), 1);
    made.spec.metrics.count = 0;
    run(path, 3);
    run(other, 3);
    assert_int_equal(command(rs_command_verify, path, NULL, NULL), 0);
    assert_int_equal(command(rs_command_verify, path, "--repair", NULL), 0);
    assert_int_equal(command(rs_command_verify, "--same", path, other), 0);
    run(other, 2);
    assert_int_equal(command(rs_command_verify, "--same", path, other), 1);
    assert_int_equal(command(rs_command_verify, "--same", path, "/nonexistent.h5"), 3);
    assert_int_equal(command(rs_command_verify, "--unknown", path, NULL), 2);
    assert_int_equal(command(rs_command_verify, path, other, NULL), 2);
    assert_int_equal(command(rs_command_verify, "/dev/null", NULL, NULL), 3);
    assert_int_equal(command(rs_command_verify, "/dev/null", "--repair", NULL), 3);
}

static int begin(void **state)
{
    (void)state;
    rs_log_set_level(RS_LOG_ERROR);
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
        cmocka_unit_test_setup(test_whole_run, fresh),
        cmocka_unit_test_setup(test_large_tensors, fresh),
        cmocka_unit_test_setup(test_planned_size, fresh),
        cmocka_unit_test_setup(test_compressed, fresh),
        cmocka_unit_test_setup(test_last_gradients, fresh),
        cmocka_unit_test_setup(test_records_nothing_but_series, fresh),
        cmocka_unit_test_setup(test_many_epochs_in_few_commits, fresh),
        cmocka_unit_test_setup(test_wants_follow_the_spec, fresh),
        cmocka_unit_test_setup(test_reason, fresh),
        cmocka_unit_test_setup(test_existing_file, fresh),
        cmocka_unit_test_setup(test_second_writer, fresh),
        cmocka_unit_test_setup(test_order_is_checked, fresh),
        cmocka_unit_test_setup(test_backend_error_passes_through, fresh),
        cmocka_unit_test_setup(test_disk_too_small, fresh),
        cmocka_unit_test_setup(test_disk_fills_up, fresh),
        cmocka_unit_test_setup(test_waits_for_room, fresh),
        cmocka_unit_test_setup(test_failed_fsync, fresh),
        cmocka_unit_test_setup(test_failed_write, fresh),
        cmocka_unit_test_setup(test_verify_sees_damage, fresh),
        cmocka_unit_test_setup(test_same_sees_one_byte, fresh),
        cmocka_unit_test_setup(test_commands, fresh),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
