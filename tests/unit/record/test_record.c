/* test_record.c: a record is what its schema says: created, filled by two threads, closed, read back, refused. */
#include "record_case.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "h5.h"
#include "record_check.h"
#include "rs/checkpoint.h"
#include "verify.h"

static void test_whole_run(void **state)
{
    (void)state;
    case_run(path, EPOCHS);
    case_holds(path, EPOCHS);
    case_has_state("done", EPOCHS + 2);
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
        case_run(path, cases[i].epochs);
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
    case_run(path, EPOCHS);
    case_holds(path, EPOCHS);
}

static void test_compressed(void **state)
{
    (void)state;
    fixture_init(&made, true, 3);
    made.spec.compress = true;
    case_run(path, 3);
    case_holds(path, 3);
}

static void test_last_gradients(void **state)
{
    (void)state;
    made.spec.gradient_mean = false; /* the fake device's last gradient is its mean */
    case_run(path, 2);
    case_holds(path, 2);
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
    case_run(path, EPOCHS);
    case_holds(path, EPOCHS);
}

static void test_many_epochs_in_few_commits(void **state)
{
    enum { MANY = 3000 };
    rs_recorder *recorder;
    rs_position position = {0};
    (void)state;
    case_ok(rs_recorder_create(path, &made.spec, true, &recorder, &error));
    const rs_observer observer = rs_recorder_observer(recorder);
    case_ok(fixture_snapshot(&made, &observer, &position, true, &error));
    while (position.epochs < MANY) {
        for (int i = 0; i < FIXTURE_STEPS; i++) {
            case_ok(fixture_step(&made, &observer, &position, &error));
        }
        case_ok(fixture_epoch(&observer, &position, &error));
        case_ok(fixture_snapshot(&made, &observer, &position, true, &error));
    }
    case_ok(observer.commit(observer.context, RS_COMMIT_STOP, &position, NULL, &error));
    case_ok(rs_recorder_close(recorder, RS_RUN_DONE, &error));
    case_holds(path, MANY);
}

static void test_wants_follow_the_spec(void **state)
{
    rs_recorder *recorder;
    (void)state;
    made.spec.metrics.count = 0;
    memset(made.gradients, 0, sizeof made.gradients);
    case_ok(rs_recorder_create(path, &made.spec, true, &recorder, &error));
    const rs_observer observer = rs_recorder_observer(recorder);
    assert_int_equal(observer.want(observer.context), RS_WANT_GRADIENT_STATS | RS_WANT_WEIGHTS |
                                                          RS_WANT_LAYER_LOSSES | RS_WANT_LAYER_OUTPUTS |
                                                          RS_WANT_SENSITIVITY);
    case_ok(rs_recorder_close(recorder, RS_RUN_INTERRUPTED, &error));
    case_has_state("interrupted", 0);
    made.spec.layer_losses = made.spec.sensitivity = false;
    case_ok(rs_recorder_create(path, &made.spec, true, &recorder, &error));
    const rs_observer fewer = rs_recorder_observer(recorder);
    assert_int_equal(fewer.want(fewer.context),
                     RS_WANT_GRADIENT_STATS | RS_WANT_WEIGHTS | RS_WANT_LAYER_OUTPUTS);
    case_ok(rs_recorder_close(recorder, RS_RUN_INTERRUPTED, &error));
}

static void has_reason(const char *expected)
{
    rs_record_summary summary;
    case_ok(rs_record_summarize(path, &summary, &error));
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
        case_ok(rs_recorder_create(path, &made.spec, true, &recorder, &error));
        const rs_observer observer = rs_recorder_observer(recorder);
        position = (rs_position){0};
        case_ok(fixture_train(&made, &observer, &position, 1, NULL, &error));
        rs_recorder_set_reason(recorder, "stop-change");
        case_ok(rs_recorder_close(recorder, done ? RS_RUN_DONE : RS_RUN_INTERRUPTED, &error));
        has_reason(done ? "stop-change" : "");
    }
    case_ok(rs_recorder_resume(path, &made.spec, &position, &recorder, &error));
    case_ok(rs_recorder_close(recorder, RS_RUN_INTERRUPTED, &error));
    has_reason("");
}

static void test_existing_file(void **state)
{
    rs_recorder *recorder;
    FILE *old;
    (void)state;
    case_run(path, 2);
    case_refused(rs_recorder_create(path, &made.spec, false, &recorder, &error), RS_USAGE, "--overwrite");
    case_holds(path, 2);
    old = fopen(checkpoint, "w");
    assert_non_null(old);
    (void)fclose(old);
    case_run(path, 3);
    case_holds(path, 3);
    assert_int_not_equal(access(checkpoint, F_OK), 0); /* it was of the run that was replaced */
}

static off_t file_size(const char *name)
{
    struct stat about = {0};
    assert_int_equal(stat(name, &about), 0);
    return about.st_size;
}

/* What --overwrite must leave alone: other people's files, of HDF5 and not. */
static void test_foreign_files(void **state)
{
    rs_recorder *recorder;
    (void)state;
    for (int hdf5 = 0; hdf5 < 2; hdf5++) {
        (void)unlink(path);
        if (hdf5) {
            assert_true(H5Fclose(H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT)) >= 0);
        } else {
            FILE *file = fopen(path, "w");
            assert_non_null(file);
            (void)fputs("# notes\n", file);
            (void)fclose(file);
        }
        const off_t size = file_size(path);
        case_refused(rs_recorder_create(path, &made.spec, true, &recorder, &error), RS_USAGE,
                     "no record or result of this program: --overwrite leaves it alone");
        assert_true(size > 0 && file_size(path) == size);
    }
    case_refused(rs_check_replaceable(".", &error), RS_USAGE, "no record");
}

/* Nothing, an empty file, a record, what a crash left of one. */
static void test_what_may_be_replaced(void **state)
{
    (void)state;
    case_ok(rs_check_replaceable(path, &error));
    (void)close(creat(path, 0644));
    case_ok(rs_check_replaceable(path, &error));
    case_run(path, 2);
    case_ok(rs_check_replaceable(path, &error));
    assert_int_equal(truncate(path, file_size(path) / 2), 0);
    case_ok(rs_check_replaceable(path, &error));
}

static void test_second_writer(void **state)
{
    rs_recorder *recorder, *second;
    const rs_position beginning = {0};
    (void)state;
    case_ok(rs_recorder_create(path, &made.spec, false, &recorder, &error));
    case_refused(rs_recorder_create(path, &made.spec, true, &second, &error), RS_FAILED, "another process");
    case_refused(rs_recorder_resume(path, &made.spec, &beginning, &second, &error), RS_FAILED,
                 "another process");
    case_refused(rs_record_repair(path, &error), RS_FAILED, "another process");
    case_ok(rs_recorder_close(recorder, RS_RUN_INTERRUPTED, &error));
}

/* A commit that the recorder refuses, or fails: what has been written as its checkpoint goes, too. */
static rs_status commit_with_checkpoint(rs_recorder *recorder, const rs_position *position, bool *left)
{
    char part[512];
    (void)snprintf(part, sizeof part, "%s.ckpt.part", path);
    FILE *file = fopen(part, "w");
    if (!file || fclose(file) != 0) {
        return RS_OK;
    }
    const rs_status status = rs_recorder_commit(recorder, RS_COMMIT_EPOCH, position, part, &error);
    *left = access(part, F_OK) == 0;
    return status;
}

static void test_order_is_checked(void **state)
{
    bool left = true;
    rs_recorder *recorder;
    rs_position position = {.steps = 1};
    (void)state;
    case_ok(rs_recorder_create(path, &made.spec, false, &recorder, &error));
    const rs_observer observer = rs_recorder_observer(recorder);
    case_refused(fixture_step(&made, &observer, &position, &error), RS_FAILED,
                 "step 1 delivered where 0 was due");
    case_refused(observer.commit(observer.context, RS_COMMIT_EPOCH, &position, NULL, &error), RS_FAILED,
                 "covers 2 rows");
    case_refused(commit_with_checkpoint(recorder, &position, &left), RS_FAILED, "covers 2 rows");
    assert_false(left);
    case_ok(rs_recorder_close(recorder, RS_RUN_STOPPED, &error));
}

static void test_backend_error_passes_through(void **state)
{
    rs_recorder *recorder;
    rs_position position = {0};
    (void)state;
    made.broken = true;
    case_ok(rs_recorder_create(path, &made.spec, false, &recorder, &error));
    const rs_observer observer = rs_recorder_observer(recorder);
    case_refused(fixture_snapshot(&made, &observer, &position, true, &error), RS_DEVICE,
                 "the device is gone");
    case_ok(rs_recorder_close(recorder, RS_RUN_STOPPED, &error));
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
    case_use_files(fake_free_bytes);
    free_now = UINT64_MAX;
    calls_until_free = 0;
}

static void test_disk_too_small(void **state)
{
    rs_recorder *recorder;
    (void)state;
    use_fake_disk();
    free_now = 2048;
    case_refused(rs_recorder_create(path, &made.spec, false, &recorder, &error), RS_IO, "2.00 KiB free");
    assert_non_null(strstr(error.text, "are needed"));
    assert_int_not_equal(access(path, F_OK), 0);
}

static void test_disk_fills_up(void **state)
{
    rs_recorder *recorder;
    rs_position position = {0};
    (void)state;
    use_fake_disk();
    case_ok(rs_recorder_create(path, &made.spec, false, &recorder, &error));
    const rs_observer observer = rs_recorder_observer(recorder);
    case_ok(fixture_train(&made, &observer, &position, 3, NULL, &error));
    case_ok(observer.wait(observer.context, &error));
    __atomic_store_n(&free_now, 10, __ATOMIC_RELAXED);
    rs_status status = fixture_train(&made, &observer, &position, EPOCHS, NULL, &error);
    status = status == RS_OK ? observer.wait(observer.context, &error) : status;
    case_refused(status, RS_IO, "bytes missing");
    case_refused(fixture_step(&made, &observer, &position, &error), RS_IO,
                 "bytes missing"); /* and ever after */
    case_refused(rs_recorder_close(recorder, RS_RUN_DONE, &error), RS_IO, path);
    case_holds(path, 3);
    case_has_state("stopped", 4);
}

static void test_waits_for_room(void **state)
{
    rs_recorder *recorder;
    rs_position position = {0};
    (void)state;
    use_fake_disk();
    made.spec.wait_when_full = true;
    case_ok(rs_recorder_create(path, &made.spec, false, &recorder, &error));
    const rs_observer observer = rs_recorder_observer(recorder);
    case_ok(fixture_train(&made, &observer, &position, 2, NULL, &error));
    case_ok(observer.wait(observer.context, &error));
    calls_until_free = 3;
    __atomic_store_n(&free_now, 10, __ATOMIC_RELAXED);
    case_ok(fixture_train(&made, &observer, &position, EPOCHS, NULL, &error));
    case_ok(observer.wait(observer.context, &error));
    assert_int_equal(calls_until_free, 0); /* it did wait */
    case_ok(rs_recorder_close(recorder, RS_RUN_DONE, &error));
    case_holds(path, EPOCHS);
}

static int reservations_to_fail, reason_to_fail, reservations;

static int fake_reserve(int file, off_t from, off_t bytes)
{
    (void)file;
    assert_true(from >= 0 && bytes >= 1 << 20);
    reservations++;
    if (reservations_to_fail > 0) {
        reservations_to_fail--;
        errno = reason_to_fail;
        return -1;
    }
    return 0;
}

/* So many of the first reservations fail. */
static rs_status train_short_of_room(int failures, int reason, bool wait)
{
    static rs_file_operations files;
    rs_recorder *recorder;
    rs_position position = {0};
    case_use_files(NULL);
    files = *rs_files();
    files.reserve = fake_reserve;
    rs_set_files(&files);
    made.spec.wait_when_full = wait;
    reservations_to_fail = 0;
    case_ok(rs_recorder_create(path, &made.spec, true, &recorder, &error));
    const rs_observer observer = rs_recorder_observer(recorder);
    reservations = 0;
    reason_to_fail = reason;
    reservations_to_fail = failures;
    rs_status status = fixture_train(&made, &observer, &position, EPOCHS, NULL, &error);
    status = status ? status : observer.wait(observer.context, &error);
    rs_error later;
    assert_int_equal(rs_recorder_close(recorder, RS_RUN_DONE, &later), status);
    assert_true(reservations > 0);
    return status;
}

static void test_what_others_took(void **state)
{
    (void)state;
    case_refused(train_short_of_room(2, ENOSPC, false), RS_IO, "could be reserved");
    assert_non_null(strstr(error.text, "bytes missing"));
    case_has_state("stopped", 0);
    case_ok(train_short_of_room(2, EDQUOT, true)); /* and waits */
    assert_int_equal(reservations_to_fail, 0);
    case_holds(path, EPOCHS);
    case_ok(train_short_of_room(1000, EOPNOTSUPP, false)); /* not every file system can */
    case_holds(path, EPOCHS);
}

static rs_recorder *faster;

/* Just before a run makes its file, another one makes its own. */
static int open_after_another(const char *name, int flags, mode_t mode)
{
    const size_t length = strlen(name), end = strlen(".part");
    if (!faster && length > end && strcmp(name + length - end, ".part") == 0) {
        case_use_files(NULL);
        case_ok(rs_recorder_create(path, &made.spec, true, &faster, &error));
    }
    return open(name, flags, mode);
}

static void test_two_that_begin_at_once(void **state)
{
    static rs_file_operations files;
    rs_recorder *recorder;
    (void)state;
    for (int overwrite = 0; overwrite < 2; overwrite++) {
        rs_position position = {0};
        (void)unlink(path);
        case_use_files(NULL);
        files = *rs_files();
        files.open = open_after_another;
        rs_set_files(&files);
        faster = NULL;
        case_refused(rs_recorder_create(path, &made.spec, overwrite, &recorder, &error),
                     overwrite ? RS_FAILED : RS_USAGE, overwrite ? "another process" : "exists");
        const rs_observer observer = rs_recorder_observer(faster);
        case_ok(fixture_train(&made, &observer, &position, EPOCHS, NULL, &error));
        case_ok(rs_recorder_close(faster, RS_RUN_DONE, &error));
        case_holds(path, EPOCHS);
        char part[160];
        (void)snprintf(part, sizeof part, "%s.part", path);
        assert_int_equal(access(part, F_OK), -1);
    }
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
    bool left = true;
    if (commit_with_checkpoint(recorder, &position, &left) != RS_IO || left) {
        _exit(15);
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
    case_ok(record_check(path, &made, &committed, &error));
    assert_int_equal(committed.epochs, 3);
}

static void test_failed_write(void **state)
{
    rs_position committed;
    (void)state;
    in_child(lose_writes);
    case_ok(record_check(path, &made, &committed, &error));
    assert_true(committed.epochs >= 3);
    case_ok(rs_record_repair(path, &error));
    case_ok(record_check(path, &made, &committed, &error));
    rs_record_summary summary;
    case_ok(rs_record_summarize(path, &summary, &error));
    assert_false(summary.writer_mark);
    rs_free(summary.config_yaml);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_whole_run, case_fresh),
        cmocka_unit_test_setup(test_large_tensors, case_fresh),
        cmocka_unit_test_setup(test_planned_size, case_fresh),
        cmocka_unit_test_setup(test_compressed, case_fresh),
        cmocka_unit_test_setup(test_last_gradients, case_fresh),
        cmocka_unit_test_setup(test_records_nothing_but_series, case_fresh),
        cmocka_unit_test_setup(test_many_epochs_in_few_commits, case_fresh),
        cmocka_unit_test_setup(test_wants_follow_the_spec, case_fresh),
        cmocka_unit_test_setup(test_reason, case_fresh),
        cmocka_unit_test_setup(test_existing_file, case_fresh),
        cmocka_unit_test_setup(test_foreign_files, case_fresh),
        cmocka_unit_test_setup(test_what_may_be_replaced, case_fresh),
        cmocka_unit_test_setup(test_second_writer, case_fresh),
        cmocka_unit_test_setup(test_order_is_checked, case_fresh),
        cmocka_unit_test_setup(test_backend_error_passes_through, case_fresh),
        cmocka_unit_test_setup(test_disk_too_small, case_fresh),
        cmocka_unit_test_setup(test_disk_fills_up, case_fresh),
        cmocka_unit_test_setup(test_waits_for_room, case_fresh),
        cmocka_unit_test_setup(test_what_others_took, case_fresh),
        cmocka_unit_test_setup(test_two_that_begin_at_once, case_fresh),
        cmocka_unit_test_setup(test_failed_fsync, case_fresh),
        cmocka_unit_test_setup(test_failed_write, case_fresh),
    };
    return cmocka_run_group_tests(tests, case_begin, case_end);
}
