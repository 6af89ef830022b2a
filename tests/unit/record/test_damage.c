/* test_damage.c: records that are damaged, or not the same, and the command that says so. */
#include "record_case.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "verify.h"

static void test_verify_sees_damage(void **state)
{
    struct stat about;
    int faults;
    (void)state;
    fixture_init(&made, true, EPOCHS);
    case_run(path, EPOCHS);
    case_ok(rs_record_verify(path, stderr, &faults, &error));
    assert_int_equal(faults, 0);
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(truncate(path, about.st_size / 2), 0);
    FILE *nowhere = fopen("/dev/null", "w");
    rs_status status = rs_record_verify(path, nowhere, &faults, &error);
    assert_true(status == RS_DATA || (status == RS_OK && faults > 0));
    assert_int_equal(truncate(path, 4), 0);
    case_refused(rs_record_verify(path, nowhere, &faults, &error), RS_DATA, path);
    assert_int_equal(unlink(path), 0);
    case_refused(rs_record_verify(path, nowhere, &faults, &error), RS_DATA, "No such file");
    (void)fclose(nowhere);
}

/* Changes one byte of a value far into the file: only a comparison can see it. */
static void test_same_sees_one_byte(void **state)
{
    int differences;
    (void)state;
    case_run(path, 3);
    case_run(other, 3);
    case_ok(rs_record_same(path, other, stderr, &differences, &error));
    assert_int_equal(differences, 0);
    made.skew = 1e-12;
    case_run(other, 3);
    FILE *nowhere = fopen("/dev/null", "w");
    case_ok(rs_record_same(path, other, nowhere, &differences, &error));
    assert_int_equal(differences, 1);
    made.skew = 0;
    case_run(other, 2);
    case_ok(rs_record_same(path, other, nowhere, &differences, &error));
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
    case_run(path, 3); /* numbers that are made up: no distance follows from the weights */
    assert_int_equal(command(rs_command_verify, path, NULL, NULL), 1);
    made.spec.metrics.count = 0;
    case_run(path, 3);
    case_run(other, 3);
    assert_int_equal(command(rs_command_verify, path, NULL, NULL), 0);
    assert_int_equal(command(rs_command_verify, path, "--repair", NULL), 0);
    assert_int_equal(command(rs_command_verify, "--same", path, other), 0);
    case_run(other, 2);
    assert_int_equal(command(rs_command_verify, "--same", path, other), 1);
    assert_int_equal(command(rs_command_verify, "--same", path, "/nonexistent.h5"), 3);
    assert_int_equal(command(rs_command_verify, "--unknown", path, NULL), 2);
    assert_int_equal(command(rs_command_verify, path, other, NULL), 2);
    assert_int_equal(command(rs_command_verify, "/dev/null", NULL, NULL), 3);
    assert_int_equal(command(rs_command_verify, "/dev/null", "--repair", NULL), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_verify_sees_damage, case_fresh),
        cmocka_unit_test_setup(test_same_sees_one_byte, case_fresh),
        cmocka_unit_test_setup(test_commands, case_fresh),
    };
    return cmocka_run_group_tests(tests, case_begin, case_end);
}
