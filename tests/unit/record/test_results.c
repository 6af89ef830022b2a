/* test_results.c: what a file of results is given comes back; files that are none, or hold something else, are refused. */
#include <setjmp.h> /* cmocka.h needs these four first */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rs/host.h"
#include "rs/result_file.h"
#include "rs/result_reader.h"

static const char path[] = "test_results.h5";
static rs_error error;

static int write_file(void **state)
{
    const double numbers[6] = {0.5, -1.0, (double)NAN, 3e300, 4.0, 5.0};
    const int64_t counts[2] = {1, -9007199254740992};
    static const char *const names[2] = {"", "seed: 1\nname: \xc3\xa9t\xc3\xa9"};
    rs_result_file *file = NULL;
    (void)state;
    assert_int_equal(rs_result_create(path, "pca", true, &file, &error), RS_OK);
    assert_int_equal(rs_result_text(file, "split", "train", &error), RS_OK);
    assert_int_equal(rs_result_integer(file, "samples", 60, &error), RS_OK);
    assert_int_equal(rs_result_real(file, "share", 0.25, &error), RS_OK);
    const rs_result_array table = {"point/coordinate", "w", "1", 2, {3, 2}, {"point", "component"}};
    assert_int_equal(rs_result_reals(file, &table, numbers, &error), RS_OK);
    const rs_result_array list = {"point/run", "w", "1", 1, {2}, {"point"}};
    assert_int_equal(rs_result_integers(file, &list, counts, &error), RS_OK);
    const rs_result_array texts = {"inputs/config", "w", "1", 1, {2}, {"run"}};
    assert_int_equal(rs_result_texts(file, &texts, names, &error), RS_OK);
    assert_int_equal(rs_result_finish(file, &error), RS_OK);
    return 0;
}

static bool renamed, folder_fails;
static int folder_syncs;

static int note_rename(const char *from, const char *to)
{
    renamed = true;
    return rename(from, to);
}

static int note_fsync(int file)
{
    struct stat about;
    assert_int_equal(fstat(file, &about), 0);
    if (S_ISDIR(about.st_mode)) {
        assert_true(renamed); /* before it the name is not there to be kept */
        folder_syncs++;
        errno = EIO;
        return folder_fails ? -1 : 0;
    }
    assert_false(renamed);
    return 0;
}

static void the_folder_is_synced_after_the_rename(void **state)
{
    rs_file_operations files = *rs_files();
    files.rename = note_rename;
    files.fsync = note_fsync;
    rs_set_files(&files);
    (void)write_file(state);
    assert_true(renamed && folder_syncs == 1);
    rs_result_file *file = NULL;
    renamed = false;
    folder_fails = true;
    assert_int_equal(rs_result_create(path, "pca", true, &file, &error), RS_OK);
    assert_int_equal(rs_result_finish(file, &error), RS_IO);
    assert_non_null(strstr(error.text, path));
    rs_set_files(NULL);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

static void numbers_and_texts_come_back(void **state)
{
    rs_result_reader *reader = NULL;
    int rank = 0;
    int64_t dim[RS_RESULT_RANK], number = 0;
    double values[6] = {0}, real = 0.0;
    char *text = NULL;
    (void)state;
    assert_int_equal(rs_result_reader_open(path, &reader, &error), RS_OK);
    assert_string_equal(rs_result_reader_kind(reader), "pca");
    assert_string_equal(rs_result_reader_path(reader), path);
    assert_int_equal(rs_result_reader_size(reader, "point/coordinate", &rank, dim, &error), RS_OK);
    assert_true(rank == 2 && dim[0] == 3 && dim[1] == 2 && dim[2] == 1);
    assert_int_equal(rs_result_reader_reals(reader, "point/coordinate", 6, values, &error), RS_OK);
    assert_true(values[0] == 0.5 && values[1] == -1.0 && isnan(values[2]) && values[3] == 3e300);
    assert_int_equal(rs_result_reader_reals(reader, "point/run", 2, values, &error), RS_OK);
    assert_true(values[0] == 1.0 && values[1] == -9007199254740992.0);
    assert_int_equal(rs_result_reader_text_at(reader, "inputs/config", 1, &text, &error), RS_OK);
    assert_string_equal(text, "seed: 1\nname: \xc3\xa9t\xc3\xa9");
    rs_free(text);
    assert_int_equal(rs_result_reader_text_at(reader, "inputs/config", 0, &text, &error), RS_OK);
    assert_string_equal(text, "");
    rs_free(text);
    assert_int_equal(rs_result_reader_text(reader, "split", &text, &error), RS_OK);
    assert_string_equal(text, "train");
    rs_free(text);
    assert_int_equal(rs_result_reader_integer(reader, "samples", &number, &error), RS_OK);
    assert_int_equal(number, 60);
    assert_int_equal(rs_result_reader_real(reader, "share", &real, &error), RS_OK);
    assert_true(real == 0.25);
    rs_result_reader_close(reader);
}

static void what_is_not_there_is_named(void **state)
{
    rs_result_reader *reader = NULL;
    int rank = 0;
    int64_t dim[RS_RESULT_RANK], number = 0;
    double values[6] = {0};
    char *text = NULL;
    (void)state;
    assert_int_equal(rs_result_reader_open(path, &reader, &error), RS_OK);
    assert_true(rs_result_reader_has(reader, "point/run"));
    assert_false(rs_result_reader_has(reader, "point/step"));
    assert_false(rs_result_reader_has(reader, "line/of/nothing"));
    assert_int_equal(rs_result_reader_size(reader, "line/of", &rank, dim, &error), RS_DATA);
    assert_non_null(strstr(error.text, "there is no line/of"));
    assert_int_equal(rs_result_reader_size(reader, "point", &rank, dim, &error), RS_DATA);
    assert_non_null(strstr(error.text, "no array"));
    assert_int_equal(rs_result_reader_reals(reader, "point/coordinate", 5, values, &error), RS_DATA);
    assert_non_null(strstr(error.text, "not 5 numbers"));
    assert_int_equal(rs_result_reader_reals(reader, "inputs/config", 2, values, &error), RS_DATA);
    assert_int_equal(rs_result_reader_text_at(reader, "inputs/config", 2, &text, &error), RS_DATA);
    assert_int_equal(rs_result_reader_text_at(reader, "point/run", 0, &text, &error), RS_DATA);
    assert_int_equal(rs_result_reader_text(reader, "labels", &text, &error), RS_DATA);
    assert_int_equal(rs_result_reader_integer(reader, "labels", &number, &error), RS_DATA);
    assert_int_equal(rs_result_reader_real(reader, "labels", values, &error), RS_DATA);
    assert_null(text);
    rs_result_reader_close(reader);
}

static void refused(const char *name, const void *bytes, size_t count, const char *word)
{
    rs_result_reader *reader = NULL;
    FILE *stream = fopen(name, "wb");
    assert_non_null(stream);
    assert_int_equal(fwrite(bytes, 1, count, stream), count);
    assert_int_equal(fclose(stream), 0);
    assert_int_equal(rs_result_reader_open(name, &reader, &error), RS_DATA);
    assert_non_null(strstr(error.text, name));
    assert_non_null(strstr(error.text, word));
    assert_null(reader);
    assert_int_equal(unlink(name), 0);
}

static void other_files_are_refused(void **state)
{
    char bytes[2048];
    rs_result_reader *reader = NULL;
    (void)state;
    refused("empty.h5", "", 0, "no HDF5 file");
    refused("notes.h5", "a,b\n1,2\n", 8, "no HDF5 file");
    FILE *stream = fopen(path, "rb");
    assert_non_null(stream);
    assert_int_equal(fread(bytes, 1, sizeof bytes, stream), sizeof bytes);
    assert_int_equal(fclose(stream), 0);
    refused("cut.h5", bytes, sizeof bytes, "is cut off");
    assert_int_equal(rs_result_reader_open("missing.h5", &reader, &error), RS_DATA);
    rs_result_reader_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(numbers_and_texts_come_back, write_file, remove_file),
        cmocka_unit_test_setup_teardown(what_is_not_there_is_named, write_file, remove_file),
        cmocka_unit_test_setup_teardown(other_files_are_refused, write_file, remove_file),
        cmocka_unit_test_teardown(the_folder_is_synced_after_the_rename, remove_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
