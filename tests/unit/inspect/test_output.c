/* test_output.c: files of an export appear together or not at all. */
#include <setjmp.h> /* cmocka.h needs these four first */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "output.h"
#include "rs/host.h"

static char folder[] = "/tmp/rs_output_XXXXXX";
static rs_error error;
static rs__outputs *outputs;
static size_t room; /* bytes of the pretended disk */

static ssize_t write_while_there_is_room(int file, const void *bytes, size_t count)
{
    const size_t now = count < room ? count : room;
    if (now == 0) {
        errno = ENOSPC;
        return -1;
    }
    room -= now;
    return write(file, bytes, now);
}

static rs_file_operations operations;

static void use_disk_with(size_t bytes)
{
    operations = *rs_files();
    operations.write = write_while_there_is_room;
    room = bytes;
    rs_set_files(&operations);
}

static char *in_folder(const char *name)
{
    static char text[256];
    (void)snprintf(text, sizeof text, "%s/out/%s", folder, name);
    return text;
}

static bool exists(const char *name)
{
    return access(in_folder(name), F_OK) == 0;
}

static void begin_outputs(bool overwrite)
{
    assert_int_equal(rs__outputs_begin(in_folder("."), overwrite, &outputs, &error), RS_OK);
}

static rs_status put(const char *name, const char *text)
{
    FILE *stream;
    RS_TRY(rs__outputs_open(outputs, name, &stream, &error));
    (void)fputs(text, stream);
    return rs__outputs_close(outputs, &error);
}

static void assert_holds(const char *name, const char *text)
{
    char read_back[64] = "";
    FILE *stream = fopen(in_folder(name), "r");
    assert_non_null(stream);
    const size_t got = fread(read_back, 1, sizeof read_back - 1, stream);
    (void)fclose(stream);
    assert_int_equal(got, strlen(text));
    assert_string_equal(read_back, text);
}

static void test_names_come_at_the_end(void **state)
{
    (void)state;
    begin_outputs(false);
    assert_int_equal(put("a.csv", "1\n"), RS_OK);
    assert_int_equal(put("deep/er/b.npy", "2\n"), RS_OK);
    assert_false(exists("a.csv") || exists("deep/er/b.npy"));
    assert_true(exists("a.csv.part") && exists("deep/er/b.npy.part"));
    assert_string_equal(rs__outputs_path(outputs, 1), in_folder("./deep/er/b.npy"));
    assert_null(rs__outputs_path(outputs, 2));
    assert_int_equal(rs__outputs_finish(outputs, &error), RS_OK);
    assert_holds("a.csv", "1\n");
    assert_holds("deep/er/b.npy", "2\n");
    assert_false(exists("a.csv.part") || exists("deep/er/b.npy.part"));
}

static void test_existing_files_stay(void **state)
{
    (void)state;
    begin_outputs(false);
    assert_int_equal(put("b.csv", "old\n"), RS_OK);
    assert_int_equal(rs__outputs_finish(outputs, &error), RS_OK);
    begin_outputs(false);
    assert_int_equal(put("a.csv", "new\n"), RS_OK);
    assert_int_equal(put("b.csv", "new\n"), RS_USAGE);
    assert_non_null(strstr(error.text, "out/./b.csv exists; replace it with --overwrite"));
    rs__outputs_abandon(outputs);
    assert_holds("b.csv", "old\n");
    assert_false(exists("a.csv") || exists("a.csv.part"));
    begin_outputs(true);
    assert_int_equal(put("b.csv", "new\n"), RS_OK);
    assert_holds("b.csv", "old\n");
    assert_int_equal(rs__outputs_finish(outputs, &error), RS_OK);
    assert_holds("b.csv", "new\n");
}

/* The second file does not fit: neither appears, and what stood there stays. */
static void test_full_disk(void **state)
{
    static char large[300000];
    (void)state;
    memset(large, 'x', sizeof large - 1);
    begin_outputs(false);
    assert_int_equal(put("b.csv", "old\n"), RS_OK);
    assert_int_equal(rs__outputs_finish(outputs, &error), RS_OK);
    use_disk_with(200000);
    begin_outputs(true);
    assert_int_equal(put("a.csv", "1\n"), RS_OK);
    assert_int_equal(put("b.csv", large), RS_IO);
    assert_non_null(strstr(error.text, "out/./b.csv cannot be written: No space left on device"));
    rs__outputs_abandon(outputs);
    assert_holds("b.csv", "old\n");
    assert_false(exists("a.csv") || exists("a.csv.part") || exists("b.csv.part"));
}

/* What is still in the stream's buffer when it is closed. */
static void test_disk_full_at_the_last_byte(void **state)
{
    (void)state;
    use_disk_with(3);
    begin_outputs(false);
    assert_int_equal(put("a.csv", "1234"), RS_IO);
    assert_non_null(strstr(error.text, "No space left"));
    rs__outputs_abandon(outputs);
    assert_false(exists("a.csv") || exists("a.csv.part"));
}

static int failing_fsync(int file)
{
    (void)file;
    errno = EIO;
    return -1;
}

static void test_failed_fsync(void **state)
{
    (void)state;
    operations = *rs_files();
    operations.fsync = failing_fsync;
    rs_set_files(&operations);
    begin_outputs(false);
    assert_int_equal(put("a.csv", "1\n"), RS_IO);
    rs__outputs_abandon(outputs);
    assert_false(exists("a.csv") || exists("a.csv.part"));
}

static void test_folder_that_cannot_be_made(void **state)
{
    (void)state;
    begin_outputs(false);
    assert_int_equal(put("a", "a file"), RS_OK);
    assert_int_equal(rs__outputs_finish(outputs, &error), RS_OK);
    begin_outputs(false);
    assert_int_equal(put("a/b.csv", "1\n"), RS_IO);
    rs__outputs_abandon(outputs);
}

static void test_abandoned_in_the_middle(void **state)
{
    FILE *stream;
    (void)state;
    begin_outputs(false);
    assert_int_equal(rs__outputs_open(outputs, "a.csv", &stream, &error), RS_OK);
    (void)fputs("half", stream);
    rs__outputs_abandon(outputs);
    rs__outputs_abandon(NULL);
    assert_false(exists("a.csv") || exists("a.csv.part"));
}

static int fresh(void **state)
{
    char command[64];
    (void)state;
    rs_set_files(NULL);
    (void)snprintf(command, sizeof command, "rm -rf %s/out", folder);
    return system(command);
}

static int begin(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int end(void **state)
{
    return fresh(state) || rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_names_come_at_the_end, fresh),
        cmocka_unit_test_setup(test_existing_files_stay, fresh),
        cmocka_unit_test_setup(test_full_disk, fresh),
        cmocka_unit_test_setup(test_disk_full_at_the_last_byte, fresh),
        cmocka_unit_test_setup(test_failed_fsync, fresh),
        cmocka_unit_test_setup(test_folder_that_cannot_be_made, fresh),
        cmocka_unit_test_setup(test_abandoned_in_the_middle, fresh),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
