/* test_cifar.c: CIFAR's batch files: found, read in order, refused when wrong. Small files of the same form are read
 * through a catalog entry that expects fewer records. */
#include "data_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "load.h"
#include "rs/host.h"

static unsigned char bytes[1 << 15];
static char warning[600];

/* The catalog's entry, for files with CIFAR_RECORDS and CIFAR_TESTS. */
static rs__set small_set(const char *name)
{
    rs__set set = *rs__catalog_find(name);
    set.train_records = CIFAR_RECORDS;
    set.test_records = CIFAR_TESTS;
    return set;
}

static rs_status load_limited(const char *name, int64_t train_limit, int64_t test_limit, rs_dataset **dataset)
{
    rs__set set = small_set(name);
    rs__location location;
    rs_dataset_request request = {.name = name, .train_limit = train_limit, .test_limit = test_limit};
    *dataset = NULL;
    error = (rs_error){0};
    if (!rs__locate(&set, folder(), &location)) {
        return rs__locate_fail(&set, folder(), &error);
    }
    return rs__dataset_load_from(&set, &request, &location, dataset, &error);
}

static void check_loads(const char *name, int files)
{
    rs_dataset *dataset;
    ok(load_limited(name, 0, 0, &dataset));
    assert_string_equal(dataset->name, name);
    assert_int_equal(dataset->channels, 3);
    assert_int_equal(dataset->height, 32);
    assert_int_equal(dataset->width, 32);
    check_split(dataset, &dataset->train, TRAIN, (int64_t)files * CIFAR_RECORDS);
    check_split(dataset, &dataset->test, TEST, CIFAR_TESTS);
    rs_dataset_destroy(dataset);
}

static void test_folders(void **state)
{
    static const char *const ten[] = {"cifar-10-batches-bin", "cifar10/cifar-10-batches-bin", "cifar10", "."};
    static const char *const hundred[] = {"cifar-100-binary", "cifar100/cifar-100-binary", "cifar100", "."};
    (void)state;
    for (int i = 0; i < 4; i++) {
        clear_folder();
        write_cifar10(ten[i]);
        check_loads("cifar10", 5);
        clear_folder();
        write_cifar100(hundred[i]);
        check_loads("cifar100", 1);
    }
}

static void keep_warning(void *context, rs_log_level level, const char *text)
{
    (void)context;
    assert_int_equal(level, RS_LOG_WARNING);
    (void)snprintf(warning, sizeof warning, "%s", text);
}

/* First N; for N above what is there all of it, with a warning. */
static void test_limits(void **state)
{
    enum { ALL = 5 * CIFAR_RECORDS };
    static const struct {
        int64_t limit, count;
    } cases[] = {{1, 1},
                 {CIFAR_RECORDS, CIFAR_RECORDS},
                 {CIFAR_RECORDS + 1, CIFAR_RECORDS + 1},
                 {ALL, ALL},
                 {ALL + 1, ALL}};
    (void)state;
    clear_folder();
    write_cifar10("cifar10");
    rs_log_set_sink(keep_warning, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rs_dataset *dataset;
        warning[0] = '\0';
        ok(load_limited("cifar10", cases[i].limit, 1, &dataset));
        check_split(dataset, &dataset->train, TRAIN, cases[i].count);
        check_split(dataset, &dataset->test, TEST, 1);
        rs_dataset_destroy(dataset);
        const char *expected = cases[i].limit > ALL ? "training limit 16, but there are only 15" : "";
        assert_true(*expected ? strstr(warning, expected) != NULL : !*warning);
    }
    rs_log_set_sink(NULL, NULL);
}

/* A file that no wanted sample lies in is not read, nor named in the provenance; one that is read is checked to
 * its end. */
static void test_limit_and_files(void **state)
{
    rs_dataset *dataset;
    (void)state;
    clear_folder();
    write_cifar10("cifar10");
    size_t size = read_back("cifar10/data_batch_2.bin", bytes, sizeof bytes);
    bytes[2 * CIFAR10_RECORD] = 10;
    write_file("cifar10/data_batch_2.bin", bytes, size);
    ok(load_limited("cifar10", CIFAR_RECORDS, 0, &dataset));
    assert_non_null(strstr(dataset->provenance, "data_batch_1.bin"));
    assert_null(strstr(dataset->provenance, "data_batch_2.bin"));
    assert_non_null(strstr(dataset->provenance, "test_batch.bin"));
    rs_dataset_destroy(dataset);
    refused(load_limited("cifar10", CIFAR_RECORDS + 1, 0, &dataset), RS_DATA, "data_batch_2.bin: byte 6146:");
}

typedef struct fault {
    const char *set, *file, *text;
    void (*spoil)(const char *name);
} fault;

static void resize_by(const char *name, int change)
{
    size_t size = read_back(name, bytes, sizeof bytes);
    write_file(name, bytes, (size_t)((int)size + change));
}

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

static void spoil_byte_less(const char *name)
{
    resize_by(name, -1);
}

static void spoil_byte_more(const char *name)
{
    resize_by(name, 1);
}

static void spoil_record_less(const char *name)
{
    resize_by(name, -CIFAR10_RECORD);
}

static void spoil_record_more(const char *name)
{
    resize_by(name, CIFAR10_RECORD);
}

static void spoil_packed(const char *name)
{
    size_t size = read_back(name, bytes, sizeof bytes);
    write_gzip(name, bytes, size, false);
}

static void spoil_byte(const char *name, size_t at, unsigned char value)
{
    size_t size = read_back(name, bytes, sizeof bytes);
    bytes[at] = value;
    write_file(name, bytes, size);
}

static void spoil_first_label(const char *name)
{
    spoil_byte(name, 0, 255);
}

static void spoil_last_label(const char *name)
{
    spoil_byte(name, (size_t)2 * CIFAR10_RECORD, 10);
}

static void spoil_fine_label(const char *name)
{
    spoil_byte(name, CIFAR100_RECORD + 1, 100);
}

static const fault faults[] = {
    {"cifar10", "data_batch_4.bin", "data_batch_4.bin is missing", spoil_missing},
    {"cifar10", "test_batch.bin", "test_batch.bin is missing", spoil_missing},
    {"cifar10", "data_batch_1.bin", "data_batch_1.bin is not a regular file", spoil_directory},
    {"cifar10", "data_batch_1.bin", "byte 0: file of 0 bytes is too short", spoil_empty},
    {"cifar10", "data_batch_5.bin",
     "byte 9218: file of 9218 bytes is too short: 3 records of 3073 bytes make 9219", spoil_byte_less},
    {"cifar10", "data_batch_5.bin", "no multiple of a record's", spoil_byte_less},
    {"cifar10", "data_batch_2.bin", "byte 9219: file of 9220 bytes is too long", spoil_byte_more},
    {"cifar10", "data_batch_2.bin", "byte 6146: file of 6146 bytes is too short", spoil_record_less},
    {"cifar10", "test_batch.bin", "byte 6146: file of 9219 bytes is too long", spoil_record_more},
    {"cifar10", "data_batch_3.bin", "byte 0: a gzip file; unpack it", spoil_packed},
    {"cifar10", "data_batch_3.bin", "byte 6146: label 10; cifar10 has labels 0 to 9", spoil_last_label},
    {"cifar10", "data_batch_1.bin", "byte 0: label 255; cifar10 has labels 0 to 9", spoil_first_label},
    {"cifar10", "test_batch.bin", "byte 0: label 255; cifar10 has labels 0 to 9", spoil_first_label},
    {"cifar100", "train.bin", "train.bin is missing", spoil_missing},
    {"cifar100", "train.bin", "byte 9221: file of 9221 bytes is too short", spoil_byte_less},
    {"cifar100", "test.bin", "byte 6148: file of 6149 bytes is too long", spoil_byte_more},
    {"cifar100", "train.bin", "byte 3075: label 100; cifar100 has labels 0 to 99", spoil_fine_label},
    {"cifar100", "test.bin", "byte 3075: label 100; cifar100 has labels 0 to 99", spoil_fine_label},
};

static void test_faults(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        const fault *planted = &faults[i];
        bool ten = strcmp(planted->set, "cifar10") == 0;
        char name[128], full[600];
        rs_dataset *dataset;
        clear_folder();
        (ten ? write_cifar10 : write_cifar100)(planted->set);
        check_loads(planted->set, ten ? 5 : 1);
        (void)snprintf(name, sizeof name, "%s/%s", planted->set, planted->file);
        planted->spoil(name);
        refused(load_limited(planted->set, 0, 0, &dataset), RS_DATA, planted->text);
        (void)snprintf(full, sizeof full, "%s/%s", folder(), name);
        says(full);
        assert_null(dataset);
    }
}

/* A whole request adds the remedy, and expects the sizes that the set is published with. */
static void test_official_size(void **state)
{
    rs_dataset *dataset = NULL;
    rs_dataset_request request = {.name = "cifar10", .directory = folder()};
    (void)state;
    clear_folder();
    write_cifar10("cifar10");
    refused(rs_dataset_load(&request, &dataset, &error), RS_DATA,
            "10000 records of 3073 bytes make 30730000");
    says("data_batch_1.bin: byte 9219: file of 9219 bytes is too short");
    says("resnet_study data fetch cifar10");
    request.name = "cifar100";
    refused(rs_dataset_load(&request, &dataset, &error), RS_DATA, "data set cifar100 is not in");
    says("resnet_study data fetch cifar100");
    assert_null(dataset);
}

static void test_python_version(void **state)
{
    rs_dataset *dataset;
    (void)state;
    clear_folder();
    write_file("cifar-10-batches-py/data_batch_1", "x", 1);
    refused(load_limited("cifar10", 0, 0, &dataset), RS_DATA,
            "cifar-10-batches-py is the Python version, the binary version is needed");
    says("resnet_study data fetch cifar10");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_folders),         cmocka_unit_test(test_limits),
        cmocka_unit_test(test_limit_and_files), cmocka_unit_test(test_faults),
        cmocka_unit_test(test_official_size),   cmocka_unit_test(test_python_version)};
    return cmocka_run_group_tests_name("CIFAR files", tests, NULL, NULL);
}
