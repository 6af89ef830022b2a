/* test_fetch_local.c: `data fetch --from` a folder or an archive: honest ones in every form, and archives that mean harm.
 *
 *   test_fetch_local PYTHON fetch_server.py      (makes the archives) */
#include "fetch_fixture.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rs/host.h"

static void test_archives(void **state)
{
    static const char *const names[] = {"tiny.tar.gz", "plain.tar", "deep.tar.xz", "many.tar.bz2",
                                        "good.zip"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        (void)set_up(NULL);
        ok(fetch_from(&tiny, served_path(names[i])));
        check_there();
        assert_true(bytes_of(served_path(names[i])) > 0); /* the user's own stays */
    }
    assert_string_equal(requests(), "");
}

static void test_refused_archives(void **state)
{
    static const struct {
        const char *name, *says;
    } cases[] = {{"dotdot.tar.gz", "\"tiny/../../train.bin\" would lie outside its folder"},
                 {"absolute.tar.gz", "\"/tmp/train.bin\" would lie outside its folder"},
                 {"symlink.tar.gz", "\"tiny/train.bin\" is a link"},
                 {"hardlink.tar.gz", "\"tiny/train.bin\" is a link"},
                 {"linked_folder.tar.gz", "\"tiny\" is a link"},
                 {"pipe.tar.gz", "\"tiny/train.bin\" is neither file nor folder"},
                 {"twice.tar.gz", "holds train.bin twice"},
                 {"missing.tar.gz", "train.bin is missing"},
                 {"folder.tar.gz", "train.bin is missing"},
                 {"short.tar.gz", "train.bin"},
                 {"label.tar.gz", "label 10"},
                 {"bomb.tar.gz", "unpacks to more than"},
                 {"other_bomb.tar.gz", "unpacks to more than"},
                 {"entries.tar.gz", "more than 10000 entries"},
                 {"cut.tar.gz", "damaged, cut off or no archive"},
                 {"nonsense.tar.gz", "damaged, cut off or no archive"},
                 {"empty.tar.gz", "damaged, cut off or no archive"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        (void)set_up(NULL);
        refused(fetch_from(&tiny, served_path(cases[i].name)), RS_DATA, cases[i].says);
        says(cases[i].name);
        check_nothing();
        assert_int_not_equal(access("/tmp/train.bin", F_OK), 0);
    }
}

/* What is refused does not cost what was there before. */
static void test_refused_archive_leaves_the_old_set(void **state)
{
    (void)state;
    ok(fetch_from(&tiny, served_path("tiny.tar.gz")));
    refused(fetch_from(&tiny, served_path("label.tar.gz")), RS_DATA, "label 10");
    refused(fetch_from(&tiny, served_path("cut.tar.gz")), RS_DATA, "cut off");
    check_same_bytes(in_directory("tiny-bin/train.bin"), served_path("train.bin"));
    ok(fetch_from(&tiny, served_path("good.zip")));
    check_there();
}

static void test_folders(void **state)
{
    (void)state;
    ok(fetch_from(&tiny, served_path(""))); /* has train.bin and test.bin */
    check_there();
    char first[sizeof directory];
    (void)snprintf(first, sizeof first, "%s", directory);
    (void)set_up(NULL);
    ok(fetch_from(&tiny, first)); /* another data directory */
    check_there();
    ok(fetch_from(&tiny, in_directory("tiny-bin"))); /* onto itself */
    check_there();
    ok(fetch_from(&digits, served_path("")));
    assert_true(exists("digits/t10k-labels-idx1-ubyte.gz"));
}

static void test_folder_with_the_archive(void **state)
{
    char bytes[600000];
    FILE *file = fopen(served_path("tiny.tar.gz"), "rb");
    (void)state;
    assert_non_null(file);
    size_t count = fread(bytes, 1, sizeof bytes, file);
    (void)fclose(file);
    write_file("downloads/tiny.tar.gz", bytes, count);
    ok(fetch_from(&tiny, path_of("downloads")));
    check_there();
}

static void test_refused_folders(void **state)
{
    (void)state;
    assert_int_equal(mkdir(path_of("empty"), 0777), 0);
    refused(fetch_from(&tiny, path_of("empty")), RS_DATA,
            "train.bin is missing there, and so is tiny.tar.gz");
    write_file("half/train.bin", "x", 1);
    refused(fetch_from(&tiny, path_of("half")), RS_DATA, "test.bin is missing there");
    write_file("half/test.bin", "x", 1);
    refused(fetch_from(&tiny, path_of("half")), RS_DATA, "half/train.bin: byte 1: ");
    refused(fetch_from(&tiny, path_of("nowhere")), RS_DATA, "No such file");
    refused(fetch_from(&tiny, "/dev/null"), RS_DATA, "neither a folder nor a file");
    check_nothing();
}

/* Fashion-MNIST's files bear the names of MNIST's: a folder called so is not taken for MNIST. */
static void test_fashion_is_not_mnist(void **state)
{
    const rs__set *mnist = rs__catalog_find("mnist"), *fashion = rs__catalog_find("fashion-mnist");
    (void)state;
    write_idx("my-fashion", (idx_names){.before = "-"});
    refused(fetch_from(mnist, path_of("my-fashion")), RS_DATA, "Fashion-MNIST");
    assert_false(exists("mnist"));
    ok(fetch_from(fashion, path_of("my-fashion")));
    assert_true(exists("fashion-mnist/train-images-idx3-ubyte"));
    write_idx("digits", (idx_names){.before = ".", .gzip_images = true});
    ok(fetch_from(mnist, path_of("digits")));
    assert_true(exists("mnist/train-images.idx3-ubyte.gz"));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_archives, set_up),
        cmocka_unit_test_setup(test_refused_archives, set_up),
        cmocka_unit_test_setup(test_refused_archive_leaves_the_old_set, set_up),
        cmocka_unit_test_setup(test_folders, set_up),
        cmocka_unit_test_setup(test_folder_with_the_archive, set_up),
        cmocka_unit_test_setup(test_refused_folders, set_up),
        cmocka_unit_test_setup(test_fashion_is_not_mnist, set_up)};
    if (argc != 3) {
        (void)fprintf(stderr, "usage: test_fetch_local PYTHON fetch_server.py\n");
        return 2;
    }
    python = argv[1];
    script = argv[2];
    return cmocka_run_group_tests_name("fetching from folders and archives", tests, fetch_begin, fetch_end);
}
