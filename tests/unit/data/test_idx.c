/* test_idx.c: MNIST's and Fashion-MNIST's files: found in every folder and spelling, read right, refused when wrong. */
#include "data_files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rs/host.h"

static const idx_names PLAIN = {.before = "-"};
static unsigned char bytes[1 << 16];

static rs_status load(const char *name, const char *directory, rs_dataset **dataset)
{
    rs_dataset_request request = {.name = name, .directory = directory};
    *dataset = NULL;
    error = (rs_error){0};
    return rs_dataset_load(&request, dataset, &error);
}

/* The set is found and is the made-up one. */
static void check_loads(const char *name, const char *directory)
{
    rs_dataset *dataset;
    ok(load(name, directory, &dataset));
    assert_string_equal(dataset->name, name);
    assert_int_equal(dataset->channels, 1);
    assert_int_equal(dataset->height, 28);
    assert_int_equal(dataset->width, 28);
    assert_int_equal(dataset->classes, 10);
    check_split(dataset, &dataset->train, TRAIN, IDX_TRAIN);
    check_split(dataset, &dataset->test, TEST, IDX_TEST);
    rs_dataset_destroy(dataset);
}

static void test_folders_and_spellings(void **state)
{
    static const struct {
        const char *name, *below;
    } places[] = {{"mnist", "mnist"},
                  {"mnist", "mnist/raw"},
                  {"mnist", "MNIST/raw"},
                  {"mnist", "MNIST"},
                  {"mnist", "."},
                  {"fashion-mnist", "fashion-mnist"},
                  {"fashion-mnist", "fashion-mnist/raw"},
                  {"fashion-mnist", "FashionMNIST/raw"},
                  {"fashion-mnist", "FashionMNIST"}};
    (void)state;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        for (int spelling = 0; spelling < 8; spelling++) {
            idx_names names = {spelling & 4 ? "." : "-", (spelling & 1) != 0, (spelling & 2) != 0};
            clear_folder();
            write_idx(places[i].below, names);
            check_loads(places[i].name, folder());
        }
    }
}

/* The names of both sets' files are the same: folders alone tell them apart. */
static void test_sets_are_not_confused(void **state)
{
    rs_dataset *dataset;
    (void)state;
    clear_folder();
    write_idx("FashionMNIST/raw", PLAIN);
    refused(load("mnist", folder(), &dataset), RS_DATA, "data set mnist is not in");
    refused(load("mnist", path_of("FashionMNIST/raw"), &dataset), RS_DATA, "data set mnist is not in");
    clear_folder();
    write_idx(".", PLAIN);
    refused(load("fashion-mnist", folder(), &dataset), RS_DATA, "data set fashion-mnist is not in");
}

static void test_first_folder_wins(void **state)
{
    rs_dataset *dataset;
    (void)state;
    clear_folder();
    write_idx("mnist", PLAIN);
    write_idx("MNIST/raw", PLAIN);
    size_t size = idx_labels(bytes, TRAIN, IDX_TRAIN);
    bytes[8] = 0;
    write_file("MNIST/raw/train-labels-idx1-ubyte", bytes, size);
    check_loads("mnist", folder());
    assert_int_equal(unlink(path_of("mnist/t10k-labels-idx1-ubyte")), 0); /* half a set is none */
    ok(load("mnist", folder(), &dataset));
    assert_int_equal(dataset->train.labels[0], 0);
    rs_dataset_destroy(dataset);
}

static void test_directory_from_environment(void **state)
{
    rs_dataset *dataset;
    (void)state;
    clear_folder();
    write_idx("own/mnist", PLAIN);
    write_idx("cache/resnet_study/mnist", PLAIN);
    write_idx("home/.cache/resnet_study/mnist", PLAIN);
    setenv("RS_DATA_DIR", path_of("own"), 1);
    setenv("XDG_CACHE_HOME", path_of("nowhere"), 1);
    setenv("HOME", path_of("nowhere"), 1);
    check_loads("mnist", "");
    check_loads("mnist", NULL);
    setenv("RS_DATA_DIR", "", 1);
    refused(load("mnist", "", &dataset), RS_DATA, "nowhere/resnet_study");
    setenv("XDG_CACHE_HOME", path_of("cache"), 1);
    check_loads("mnist", "");
    setenv("XDG_CACHE_HOME", "relative", 1); /* void by the XDG rules */
    refused(load("mnist", "", &dataset), RS_DATA, "nowhere/.cache/resnet_study");
    setenv("HOME", path_of("home"), 1);
    check_loads("mnist", "");
    setenv("RS_DATA_DIR", path_of("nowhere"), 1);
    check_loads("mnist", path_of("own")); /* what is asked for comes before the environment */
    unsetenv("RS_DATA_DIR");
    unsetenv("XDG_CACHE_HOME");
}

/* gzip allows members one after another; `cat a.gz b.gz` makes such files. */
static void test_gzip_members(void **state)
{
    (void)state;
    clear_folder();
    write_idx("mnist", (idx_names){"-", true, true});
    size_t size = idx_images(bytes, TRAIN, IDX_TRAIN);
    write_gzip("mnist/train-images-idx3-ubyte.gz", bytes, 1000, false);
    write_gzip("mnist/train-images-idx3-ubyte.gz", bytes + 1000, size - 1000, true);
    check_loads("mnist", folder());
}

/* A folder of files with one of them spoilt; names its file and what the error must say. */
typedef struct fault {
    const char *file; /* below mnist/ */
    const char *text, *more;
    void (*spoil)(const char *path);
    bool gzip;
} fault;

static void spoil_missing(const char *name)
{
    assert_int_equal(unlink(path_of(name)), 0);
}

static void spoil_directory(const char *name)
{
    spoil_missing(name);
    assert_int_equal(mkdir(path_of(name), 0755), 0);
}

static void spoil_empty(const char *name)
{
    write_file(name, "", 0);
}

static void spoil_cut_header(const char *name)
{
    assert_in_range(read_back(name, bytes, sizeof bytes), 7, sizeof bytes);
    write_file(name, bytes, 6);
}

static void spoil_cut(const char *name)
{
    size_t size = read_back(name, bytes, sizeof bytes);
    write_file(name, bytes, size - 1);
}

static void spoil_longer(const char *name)
{
    size_t size = read_back(name, bytes, sizeof bytes);
    bytes[size] = 0;
    write_file(name, bytes, size + 1);
}

static void spoil_u32(const char *name, size_t at, uint32_t value)
{
    size_t size = read_back(name, bytes, sizeof bytes);
    put_u32(bytes + at, value);
    write_file(name, bytes, size);
}

static void spoil_images_for_labels(const char *name)
{
    write_file(name, bytes, idx_images(bytes, TRAIN, IDX_TRAIN));
}

static void spoil_labels_for_images(const char *name)
{
    write_file(name, bytes, idx_labels(bytes, TRAIN, 20));
}

static void spoil_magic(const char *name)
{
    spoil_u32(name, 0, 0x00000d03); /* floats */
}

static void spoil_rows(const char *name)
{
    spoil_u32(name, 8, 32);
}

static void spoil_columns(const char *name)
{
    spoil_u32(name, 12, 14);
}

static void spoil_no_count(const char *name)
{
    spoil_u32(name, 4, 0);
}

static void spoil_vast_count(const char *name)
{
    spoil_u32(name, 4, UINT32_MAX);
}

static void spoil_count(const char *name)
{
    spoil_u32(name, 4, 6);
}

static void spoil_label(const char *name)
{
    size_t size = read_back(name, bytes, sizeof bytes);
    bytes[8 + 3] = 10;
    write_file(name, bytes, size);
}

static void spoil_packed_cut_trailer(const char *name)
{
    size_t size = read_back(name, bytes, sizeof bytes);
    write_file(name, bytes, size - 3);
}

static void spoil_packed_half(const char *name)
{
    size_t size = read_back(name, bytes, sizeof bytes);
    write_file(name, bytes, size / 2);
}

static void spoil_packed_bits(const char *name)
{
    size_t size = read_back(name, bytes, sizeof bytes);
    memset(bytes + size / 2, 0xa5, 16);
    write_file(name, bytes, size);
}

static void spoil_packed_check(const char *name)
{
    size_t size = read_back(name, bytes, sizeof bytes);
    bytes[size - 8] ^= 1; /* CRC-32, then the length */
    write_file(name, bytes, size);
}

static void spoil_packed_trailing(const char *name)
{
    size_t size = read_back(name, bytes, sizeof bytes);
    bytes[size] = 'x'; /* begins no gzip member */
    write_file(name, bytes, size + 1);
}

static void spoil_packed_short_content(const char *name)
{
    write_gzip(name, bytes, idx_images(bytes, TRAIN, IDX_TRAIN) - 5, false);
}

static void spoil_packed_long_content(const char *name)
{
    size_t size = idx_labels(bytes, TRAIN, IDX_TRAIN);
    write_gzip(name, bytes, size + 1, false);
}

static void spoil_packed_label(const char *name)
{
    size_t size = idx_labels(bytes, TRAIN, IDX_TRAIN);
    bytes[8 + 6] = 255;
    write_gzip(name, bytes, size, false);
}

static void spoil_packed_nothing(const char *name)
{
    write_gzip(name, bytes, 0, false);
}

#define IMAGES "train-images-idx3-ubyte"
#define LABELS "train-labels-idx1-ubyte"
static const fault faults[] = {
    {IMAGES, IMAGES " is missing", "by hand: get http", spoil_missing, false},
    {"t10k-labels-idx1-ubyte", "t10k-labels-idx1-ubyte is missing", "mnist/", spoil_missing, false},
    {IMAGES, IMAGES " is not a regular file", "mnist/", spoil_directory, false},
    {IMAGES, "byte 0: file is too short", "16 bytes needed", spoil_empty, false},
    {LABELS, "byte 0: file is too short", "8 bytes needed", spoil_empty, false},
    {IMAGES, "byte 6: file is too short: header", "16 bytes needed", spoil_cut_header, false},
    {IMAGES, "byte 5503: file is too short", "5504 bytes", spoil_cut, false},
    {LABELS, "byte 14: file is too short", "15 bytes", spoil_cut, false},
    {"t10k-images-idx3-ubyte", "byte 3151: file is too short", "3152 bytes", spoil_cut, false},
    {IMAGES, "byte 5504: file is too long", "5504 bytes", spoil_longer, false},
    {LABELS, "byte 15: file is too long", "15 bytes", spoil_longer, false},
    {LABELS, "byte 0: magic number 0x00000803", "holds images", spoil_images_for_labels, false},
    {IMAGES, "byte 0: magic number 0x00000801", "holds labels", spoil_labels_for_images, false},
    {IMAGES, "byte 0: magic number 0x00000d03", "not an IDX file of bytes", spoil_magic, false},
    {IMAGES, "byte 8: images of 32 x 28", "has 28 x 28", spoil_rows, false},
    {IMAGES, "byte 8: images of 28 x 14", "has 28 x 28", spoil_columns, false},
    {IMAGES, "byte 4: count of 0 images", "", spoil_no_count, false},
    {IMAGES, "byte 4: count of 4294967295 images", "", spoil_vast_count, false},
    {LABELS, "byte 4: 6 labels, but the image file has 7", "", spoil_count, false},
    {LABELS, "byte 11: label 10; mnist has labels 0 to 9", "", spoil_label, false},
    {"t10k-labels-idx1-ubyte", "byte 11: label 10; mnist has labels 0 to 9", "", spoil_label, false},
    {IMAGES ".gz", "gzip data is cut off", "byte ", spoil_packed_half, true},
    {LABELS ".gz", "gzip data is cut off", "byte ", spoil_packed_cut_trailer, true},
    {IMAGES ".gz", "gzip data is damaged", "byte ", spoil_packed_bits, true},
    {LABELS ".gz", "gzip data is damaged (incorrect data check)", "byte ", spoil_packed_check, true},
    {LABELS ".gz", "something follows the gzip data", "byte ", spoil_packed_trailing, true},
    {IMAGES ".gz", "byte 5499: file is too short: images missing", "5504", spoil_packed_short_content, true},
    {LABELS ".gz", "byte 15: file is too long", "end here", spoil_packed_long_content, true},
    {LABELS ".gz", "byte 14: label 255; mnist has labels 0 to 9", "", spoil_packed_label, true},
    {LABELS ".gz", "byte 0: file is too short: header", "", spoil_packed_nothing, true},
};

/* Each error names the file, the place and the remedy, and gives no data set. */
static void test_faults(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        const fault *planted = &faults[i];
        char name[128], full[600];
        rs_dataset *dataset;
        clear_folder();
        write_idx("mnist", (idx_names){"-", planted->gzip, planted->gzip});
        check_loads("mnist", folder());
        (void)snprintf(name, sizeof name, "mnist/%s", planted->file);
        planted->spoil(name);
        refused(load("mnist", folder(), &dataset), RS_DATA, planted->text);
        (void)snprintf(full, sizeof full, "%s/%s", folder(), name);
        says(full);
        says(planted->more);
        says("resnet_study data fetch mnist");
        assert_null(dataset);
    }
}

/* Offsets of trouble with packing are places in the packed file, no further than its end. */
static void test_gzip_offset(void **state)
{
    rs_dataset *dataset;
    char text[64];
    (void)state;
    clear_folder();
    write_idx("mnist", (idx_names){"-", true, true});
    size_t size = read_back("mnist/train-labels-idx1-ubyte.gz", bytes, sizeof bytes);
    write_file("mnist/train-labels-idx1-ubyte.gz", bytes, size - 5);
    refused(load("mnist", folder(), &dataset), RS_DATA, "cut off");
    (void)snprintf(text, sizeof text, "byte %zu: gzip data is cut off (file of %zu bytes)", size - 5,
                   size - 5);
    says(text);
}

static int refuse_open(const char *path, int flags, mode_t mode)
{
    (void)path;
    (void)flags;
    (void)mode;
    errno = EACCES;
    return -1;
}

static void test_unreadable(void **state)
{
    rs_dataset *dataset;
    (void)state;
    clear_folder();
    write_idx("mnist", PLAIN);
    rs_file_operations files = *rs_files();
    files.open = refuse_open;
    rs_set_files(&files);
    rs_status status = load("mnist", folder(), &dataset);
    rs_set_files(NULL);
    refused(status, RS_DATA, "mnist/train-images-idx3-ubyte: Permission denied");
    assert_null(dataset);
}

static void test_nothing_there(void **state)
{
    rs_dataset *dataset;
    char long_name[5000];
    (void)state;
    clear_folder();
    refused(load("mnist", path_of("nowhere"), &dataset), RS_DATA, "data set mnist is not in /tmp/");
    says("resnet_study data fetch mnist");
    says("--from FILE_OR_DIR");
    says("train-images-idx3-ubyte.gz");
    memset(long_name, 'a', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    refused(load("mnist", long_name, &dataset), RS_DATA, "path too long");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_folders_and_spellings), cmocka_unit_test(test_sets_are_not_confused),
        cmocka_unit_test(test_first_folder_wins),     cmocka_unit_test(test_directory_from_environment),
        cmocka_unit_test(test_gzip_members),          cmocka_unit_test(test_faults),
        cmocka_unit_test(test_gzip_offset),           cmocka_unit_test(test_unreadable),
        cmocka_unit_test(test_nothing_there)};
    return cmocka_run_group_tests_name("IDX files", tests, NULL, NULL);
}
