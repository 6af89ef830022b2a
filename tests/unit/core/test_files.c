/* test_files.c: a file gets its name when it is whole and on the disk: what was there stays until then, nothing is left of what
 * failed, and the folder is synced after the renaming. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rs/files.h"
#include "rs/host.h"

static char folder[] = "/tmp/rs_files_XXXXXX", path[64], part[64];
static rs_file_operations real, with_faults;
static char calls[16]; /* f: fsync of a file, d: of a folder, r: rename */
static char fails;     /* the call that does */

static void note(char call)
{
    const size_t at = strlen(calls);
    assert_true(at + 1 < sizeof calls);
    calls[at] = call;
}

static int counted_fsync(int file)
{
    struct stat about;
    assert_int_equal(fstat(file, &about), 0);
    const char call = S_ISDIR(about.st_mode) ? 'd' : 'f';
    note(call);
    errno = EIO;
    return fails == call ? -1 : real.fsync(file);
}

static int counted_rename(const char *from, const char *to)
{
    note('r');
    errno = EACCES;
    return fails == 'r' ? -1 : real.rename(from, to);
}

static int set_up(void **state)
{
    (void)state;
    real = with_faults = *rs_files();
    with_faults.fsync = counted_fsync;
    with_faults.rename = counted_rename;
    rs_set_files(&with_faults);
    return mkdtemp(folder) && snprintf(path, sizeof path, "%s/a.csv", folder) > 0 &&
                   snprintf(part, sizeof part, "%s.part", path) > 0
               ? 0
               : -1;
}

static int tear_down(void **state)
{
    (void)state;
    rs_set_files(NULL);
    (void)unlink(path);
    return rmdir(folder); /* fails where anything is left */
}

static rs_status write_text(const char *text, rs_status so_far, char failing, rs_error *error)
{
    rs_whole_file file;
    memset(calls, 0, sizeof calls);
    fails = failing;
    RS_TRY(rs_whole_file_open(&file, path, error));
    assert_true(fputs(text, file.stream) >= 0);
    const rs_status status = rs_whole_file_close(&file, so_far, error);
    fails = 0;
    return status;
}

static void expect_text(const char *text)
{
    char found[32] = {0};
    FILE *stream = fopen(path, "r");
    assert_non_null(stream);
    assert_non_null(fgets(found, sizeof found, stream));
    (void)fclose(stream);
    assert_string_equal(found, text);
    assert_int_equal(access(part, F_OK), -1);
}

static void a_whole_file_has_its_name(void **state)
{
    (void)state;
    rs_error error = {0};
    assert_int_equal(write_text("old", RS_OK, 0, &error), RS_OK);
    expect_text("old");
    assert_string_equal(calls, "frd");
    assert_int_equal(write_text("new", RS_OK, 0, &error), RS_OK);
    expect_text("new");
}

static void what_fails_changes_nothing(void **state)
{
    (void)state;
    rs_error error = {0};
    assert_int_equal(write_text("kept", RS_OK, 0, &error), RS_OK);
    assert_int_equal(write_text("no", RS_MEMORY, 0, &error), RS_MEMORY);
    expect_text("kept");
    for (const char *call = "fr"; *call; call++) {
        assert_int_equal(write_text("no", RS_OK, *call, &error), RS_IO);
        assert_non_null(strstr(error.text, path));
        assert_non_null(strstr(error.text, strerror(*call == 'f' ? EIO : EACCES)));
        expect_text("kept");
    }
}

static void a_folder_that_cannot_be_synced_is_said(void **state)
{
    (void)state;
    rs_error error = {0};
    assert_int_equal(write_text("there", RS_OK, 'd', &error), RS_IO);
    assert_non_null(strstr(error.text, folder));
    expect_text("there");
}

static void a_missing_folder_is_said(void **state)
{
    (void)state;
    rs_error error = {0};
    rs_whole_file file;
    assert_int_equal(rs_whole_file_open(&file, "/nowhere/at/all.csv", &error), RS_IO);
    assert_non_null(strstr(error.text, "/nowhere/at/all.csv"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_file_has_its_name),
        cmocka_unit_test(what_fails_changes_nothing),
        cmocka_unit_test(a_folder_that_cannot_be_synced_is_said),
        cmocka_unit_test(a_missing_folder_is_said),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
