/* test_checkpoint.c: the checkpoint container gives back what was put in, and believes no damaged file. */
#include <setjmp.h> /* cmocka.h needs these four first */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rs/checkpoint.h"
#include "rs/host.h"

enum { VALUES = 1000 };

static char path[] = "/tmp/rs_checkpoint_XXXXXX";
static float values[VALUES];
static rs_error error;

static void write_one(void)
{
    rs_checkpoint_writer *writer;
    assert_int_equal(rs_checkpoint_create(path, &writer, &error), RS_OK);
    assert_int_equal(rs_checkpoint_put(writer, "values", values, sizeof values, &error), RS_OK);
    assert_int_equal(rs_checkpoint_put(writer, "empty", values, 0, &error), RS_OK);
    assert_int_equal(rs_checkpoint_put(writer, "byte", "x", 1, &error), RS_OK);
    assert_int_equal(rs_checkpoint_finish(writer, &error), RS_OK);
}

static void test_round_trip(void **state)
{
    rs_checkpoint *checkpoint;
    float read[VALUES];
    char byte = 0;
    (void)state;
    write_one();
    assert_int_equal(rs_checkpoint_open(path, &checkpoint, &error), RS_OK);
    assert_int_equal(rs_checkpoint_length(checkpoint, "values"), sizeof values);
    assert_int_equal(rs_checkpoint_length(checkpoint, "empty"), 0);
    assert_int_equal(rs_checkpoint_length(checkpoint, "other"), -1);
    assert_int_equal(rs_checkpoint_get(checkpoint, "values", read, sizeof read, &error), RS_OK);
    assert_memory_equal(read, values, sizeof values);
    assert_int_equal(rs_checkpoint_get(checkpoint, "byte", &byte, 1, &error), RS_OK);
    assert_int_equal(byte, 'x');
    assert_int_equal(rs_checkpoint_get(checkpoint, "byte", read, 2, &error), RS_DATA);
    assert_int_equal(rs_checkpoint_get(checkpoint, "other", read, 2, &error), RS_DATA);
    rs_checkpoint_close(checkpoint);
    rs_checkpoint_close(NULL);
}

static void assert_refused(const char *what)
{
    rs_checkpoint *checkpoint;
    rs_status status = rs_checkpoint_open(path, &checkpoint, &error);
    if (status != RS_DATA) {
        print_error("%s: %s\n", what, rs_status_name(status));
        fail();
    }
    assert_non_null(strstr(error.text, path));
}

/* Cut off at every length: never a whole checkpoint. */
static void test_truncated(void **state)
{
    struct stat about;
    (void)state;
    write_one();
    assert_int_equal(stat(path, &about), 0);
    for (off_t size = about.st_size - 1; size >= 0;
         size -= size > 200 && size < about.st_size - 200 ? 97 : 1) {
        assert_int_equal(truncate(path, size), 0);
        assert_refused("cut off");
    }
}

/* One bit of any byte changed: never a whole checkpoint. */
static void test_flipped_bits(void **state)
{
    struct stat about;
    (void)state;
    write_one();
    assert_int_equal(stat(path, &about), 0);
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    for (long at = 0; at<about.st_size; at += at> 200 && at < about.st_size - 200 ? 89 : 1) {
        assert_int_equal(fseek(file, at, SEEK_SET), 0);
        int byte = fgetc(file);
        for (int turn = 0; turn < 2; turn++) {
            assert_int_equal(fseek(file, at, SEEK_SET), 0);
            assert_int_not_equal(fputc(turn ? byte : byte ^ 0x10, file), EOF);
            assert_int_equal(fflush(file), 0);
            if (turn == 0) {
                assert_refused("a bit changed");
            }
        }
    }
    (void)fclose(file);
    rs_checkpoint *checkpoint;
    assert_int_equal(rs_checkpoint_open(path, &checkpoint, &error), RS_OK); /* all put back */
    rs_checkpoint_close(checkpoint);
}

/* Files that were never one, and places where none can be. */
static void test_missing_and_foreign(void **state)
{
    rs_checkpoint *checkpoint;
    (void)state;
    FILE *file = fopen(path, "wb");
    (void)fputs("# a text file that is longer than a header, to be sure\n", file);
    (void)fclose(file);
    assert_refused("foreign");
    assert_int_equal(rs_checkpoint_open("/nonexistent/x.ckpt", &checkpoint, &error), RS_DATA);
    assert_non_null(strstr(error.text, "No such file"));
    rs_checkpoint_writer *writer;
    assert_int_equal(rs_checkpoint_create("/nonexistent/x.ckpt", &writer, &error), RS_IO);
}

static ssize_t full_disk(int file, const void *bytes, size_t count)
{
    (void)file;
    (void)bytes;
    (void)count;
    errno = ENOSPC;
    return -1;
}

static void test_full_disk(void **state)
{
    rs_file_operations files = *rs_files();
    rs_checkpoint_writer *writer;
    (void)state;
    assert_int_equal(rs_checkpoint_create(path, &writer, &error), RS_OK);
    files.write = full_disk;
    rs_set_files(&files);
    assert_int_equal(rs_checkpoint_put(writer, "values", values, sizeof values, &error), RS_IO);
    assert_non_null(strstr(error.text, "No space left"));
    assert_int_equal(rs_checkpoint_finish(writer, &error), RS_IO);
    rs_set_files(NULL);
    rs_checkpoint_abandon(NULL);
}

static int no_room(int file, off_t from, off_t bytes)
{
    (void)file;
    (void)from;
    (void)bytes;
    errno = ENOSPC;
    return -1;
}

/* What is asked for is what is written, to the byte; without that room nothing is. */
static void test_reserved(void **state)
{
    rs_file_operations files = *rs_files();
    rs_checkpoint_writer *writer;
    struct stat about;
    const uint64_t bytes = RS_CHECKPOINT_BYTES + rs_checkpoint_section_bytes("values", sizeof values) +
                           rs_checkpoint_section_bytes("empty", 0) + rs_checkpoint_section_bytes("byte", 1);
    (void)state;
    write_one();
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_size, bytes);
    assert_int_equal(rs_checkpoint_create(path, &writer, &error), RS_OK);
    assert_int_equal(rs_checkpoint_reserve(writer, bytes, false, NULL, &error), RS_OK);
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_size, 0);
    rs_checkpoint_abandon(writer);
    files.reserve = no_room;
    rs_set_files(&files);
    const volatile sig_atomic_t stop = 1;
    assert_int_equal(rs_checkpoint_create(path, &writer, &error), RS_OK);
    assert_int_equal(rs_checkpoint_reserve(writer, bytes, false, NULL, &error), RS_IO);
    assert_non_null(strstr(error.text, "No space left"));
    assert_int_equal(rs_checkpoint_reserve(writer, bytes, true, &stop, &error), RS_INTERRUPTED);
    rs_checkpoint_abandon(writer);
    rs_set_files(NULL);
    assert_int_equal(access(path, F_OK), -1);
    write_one(); /* for end() */
}

static int begin(void **state)
{
    (void)state;
    for (int i = 0; i < VALUES; i++) {
        values[i] = (float)i * 0.37f;
    }
    int file = mkstemp(path);
    return file < 0 ? -1 : close(file);
}

static int end(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),   cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_flipped_bits), cmocka_unit_test(test_missing_and_foreign),
        cmocka_unit_test(test_full_disk),    cmocka_unit_test(test_reserved),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
