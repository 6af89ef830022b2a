/* test_dataset.c: what a data set says of itself, from normalisation to checksums, and requests that are refused. */
#include "data_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "load.h"
#include "rs/host.h"

static const idx_names PLAIN = {.before = "-"};
static char warnings[2][600];
static int warning_count;

static rs_status load_from(const char *name, int64_t train_limit, int64_t test_limit, int resize,
                           rs_dataset **dataset)
{
    rs_dataset_request request = {.name = name,
                                  .directory = folder(),
                                  .train_limit = train_limit,
                                  .test_limit = test_limit,
                                  .resize = resize};
    *dataset = NULL;
    error = (rs_error){0};
    return rs_dataset_load(&request, dataset, &error);
}

/* Small CIFAR files need an entry of their own; no other set does. */
static rs_dataset *load_any(const char *name)
{
    rs_dataset *dataset;
    rs__set set = *rs__catalog_find(name);
    int few = set.format == RS__FORMAT_SHAPES; /* the others' files are small */
    if (set.format != RS__FORMAT_CIFAR) {
        ok(load_from(name, few, few, 0, &dataset));
        return dataset;
    }
    rs__location location;
    rs_dataset_request request = {.name = name};
    set.train_records = CIFAR_RECORDS;
    set.test_records = CIFAR_TESTS;
    assert_true(rs__locate(&set, folder(), &location));
    ok(rs__dataset_load_from(&set, &request, &location, &dataset, &error));
    return dataset;
}

static void write_all(void)
{
    clear_folder();
    write_idx("mnist", PLAIN);
    write_idx("fashion-mnist", PLAIN);
    write_cifar10("cifar10");
    write_cifar100("cifar100");
}

static void test_descriptions(void **state)
{
    static const struct {
        const char *name;
        int channels, side, classes;
        float mean, std;
        const char *first, *last;
    } sets[] = {{"mnist", 1, 28, 10, 0.1307F, 0.3081F, "0", "9"},
                {"fashion-mnist", 1, 28, 10, 0.5F, 0.5F, "T-shirt/top", "Ankle boot"},
                {"cifar10", 3, 32, 10, 0.5F, 0.5F, "airplane", "truck"},
                {"cifar100", 3, 32, 100, 0.5F, 0.5F, "apple", "worm"},
                {"shapes", 3, 32, 10, 0.5F, 0.5F, "disk", "checker"}};
    (void)state;
    write_all();
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        rs_dataset *dataset = load_any(sets[i].name);
        assert_string_equal(dataset->name, sets[i].name);
        assert_int_equal(dataset->channels, sets[i].channels);
        assert_int_equal(dataset->height, sets[i].side);
        assert_int_equal(dataset->width, sets[i].side);
        assert_int_equal(dataset->classes, sets[i].classes);
        for (int c = 0; c < dataset->channels; c++) {
            assert_true(dataset->mean[c] == sets[i].mean);
            assert_true(dataset->std[c] == sets[i].std);
        }
        assert_string_equal(dataset->class_names[0], sets[i].first);
        assert_string_equal(dataset->class_names[dataset->classes - 1], sets[i].last);
        int count = 0;
        assert_ptr_equal(rs_dataset_class_names(sets[i].name, &count), dataset->class_names);
        assert_int_equal(count, sets[i].classes);
        assert_null(rs_dataset_class_names("function", &count));
        assert_int_equal(count, 0);
        rs_dataset_destroy(dataset);
    }
}

/* Adds what the provenance must say of a file, by the word of stat and sha256sum. */
static void expect_file(char *text, size_t capacity, const char *below, const char *name)
{
    char path[600], command[700], sha256[65];
    struct stat status;
    (void)snprintf(path, sizeof path, "%s/%s/%s", folder(), below, name);
    assert_int_equal(stat(path, &status), 0);
    (void)snprintf(command, sizeof command, "sha256sum '%s'", path);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    assert_int_equal(fscanf(pipe, "%64[0-9a-f]", sha256), 1);
    assert_int_equal(pclose(pipe), 0);
    assert_int_equal(strlen(sha256), 64);
    size_t used = strlen(text);
    (void)snprintf(text + used, capacity - used, "  - name: %s\n    bytes: %lld\n    sha256: %s\n", name,
                   (long long)status.st_size, sha256);
}

/* Adds how many of the first `count` samples have each label. */
static void expect_classes(char *text, size_t capacity, const char *name, int split, int count)
{
    int counts[10] = {0};
    for (int i = 0; i < count; i++) {
        counts[made_label(split, i, 10)]++;
    }
    size_t used = strlen(text);
    (void)snprintf(text + used, capacity - used,
                   "%s_class_counts: [%d, %d, %d, %d, %d, %d, %d, %d, %d, %d]\n", name, counts[0], counts[1],
                   counts[2], counts[3], counts[4], counts[5], counts[6], counts[7], counts[8], counts[9]);
}

static void expect_word(char *text, size_t capacity, const char *word)
{
    size_t used = strlen(text);
    (void)snprintf(text + used, capacity - used, "%s", word);
}

static void test_provenance_of_idx(void **state)
{
    char text[4096];
    rs_dataset *dataset;
    (void)state;
    clear_folder();
    write_idx("MNIST/raw", (idx_names){"-", true, false});
    (void)snprintf(text, sizeof text,
                   "name: mnist\nsource: files\npage: http://yann.lecun.com/exdb/mnist/\n"
                   "train_samples: 5\ntest_samples: %d\n",
                   IDX_TEST);
    expect_classes(text, sizeof text, "train", TRAIN, 5);
    expect_classes(text, sizeof text, "test", TEST, IDX_TEST);
    expect_word(text, sizeof text, "files:\n");
    expect_file(text, sizeof text, "MNIST/raw", "train-images-idx3-ubyte.gz");
    expect_file(text, sizeof text, "MNIST/raw", "train-labels-idx1-ubyte");
    expect_file(text, sizeof text, "MNIST/raw", "t10k-images-idx3-ubyte.gz");
    expect_file(text, sizeof text, "MNIST/raw", "t10k-labels-idx1-ubyte");
    ok(load_from("mnist", 5, 0, 0, &dataset)); /* a limit leaves the files' checksums whole */
    assert_string_equal(dataset->provenance, text);
    rs_dataset_destroy(dataset);
}

static void test_provenance_of_cifar(void **state)
{
    char text[4096] = "name: cifar10\nsource: files\npage: https://www.cs.toronto.edu/~kriz/cifar.html\n"
                      "train_samples: 15\ntest_samples: 2\n";
    (void)state;
    write_all();
    expect_classes(text, sizeof text, "train", TRAIN, 15);
    expect_classes(text, sizeof text, "test", TEST, 2);
    expect_word(text, sizeof text, "files:\n");
    for (int i = 1; i <= 5; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "data_batch_%d.bin", i);
        expect_file(text, sizeof text, "cifar10", name);
    }
    expect_file(text, sizeof text, "cifar10", "test_batch.bin");
    rs_dataset *dataset = load_any("cifar10");
    assert_string_equal(dataset->provenance, text);
    rs_dataset_destroy(dataset);
}

static void test_provenance_of_shapes(void **state)
{
    rs_dataset *dataset;
    (void)state;
    ok(load_from("shapes", 20, 10, 16, &dataset));
    assert_string_equal(dataset->provenance,
                        "name: shapes\nsource: built-in\nalgorithm: shapes-philox4x32-10/1\nseed: 0\n"
                        "train_samples: 20\ntest_samples: 10\n"
                        "train_class_counts: [2, 2, 2, 2, 2, 2, 2, 2, 2, 2]\n"
                        "test_class_counts: [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
                        "resize: 16\nresize_algorithm: pillow-bilinear\nfiles: []\n");
    rs_dataset_destroy(dataset);
}

static void keep_warning(void *context, rs_log_level level, const char *text)
{
    (void)context;
    assert_int_equal(level, RS_LOG_WARNING);
    assert_in_range(warning_count, 0, 1);
    (void)snprintf(warnings[warning_count++], sizeof warnings[0], "%s", text);
}

static void test_limits(void **state)
{
    static const int limits[][2] = {{1, 1}, {3, 2}, {IDX_TRAIN, IDX_TEST}, {IDX_TRAIN + 1, IDX_TEST + 5}};
    (void)state;
    rs_log_set_sink(keep_warning, NULL);
    for (int gzip = 0; gzip < 2; gzip++) {
        clear_folder();
        write_idx("mnist", (idx_names){"-", gzip, gzip});
        for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
            rs_dataset *dataset;
            bool above = limits[i][0] > IDX_TRAIN;
            warning_count = 0;
            ok(load_from("mnist", limits[i][0], limits[i][1], 0, &dataset));
            check_split(dataset, &dataset->train, TRAIN, above ? IDX_TRAIN : limits[i][0]);
            check_split(dataset, &dataset->test, TEST, above ? IDX_TEST : limits[i][1]);
            rs_dataset_destroy(dataset);
            assert_int_equal(warning_count, above ? 2 : 0);
        }
        assert_non_null(strstr(warnings[0], "mnist: training limit 8, but there are only 7 samples"));
        assert_non_null(strstr(warnings[1], "mnist: test limit 9, but there are only 4 samples"));
    }
    rs_log_set_sink(NULL, NULL);
}

static void check_resized(const rs_dataset *small, const rs_split *from, const rs_dataset *large,
                          const rs_split *to)
{
    size_t in = (size_t)(small->height * small->width), out = (size_t)(large->height * large->width);
    uint8_t *plane = malloc(out);
    assert_non_null(plane);
    assert_int_equal(from->count, to->count);
    for (size_t i = 0; i < (size_t)(from->count * small->channels); i++) {
        ok(rs_resize_bytes(from->images + i * in, small->height, small->width, plane, large->height, &error));
        assert_memory_equal(to->images + i * out, plane, out);
    }
    assert_memory_equal(to->labels, from->labels, (size_t)from->count * sizeof *from->labels);
    free(plane);
}

/* Every plane of every image on its own; the size of a set's own images changes nothing. */
static void test_resize(void **state)
{
    static const struct {
        const char *name;
        int size;
    } cases[] = {{"mnist", 32}, {"mnist", 28}, {"mnist", 13}, {"shapes", 40}, {"shapes", 32}};
    (void)state;
    write_all();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rs_dataset *small, *large;
        ok(load_from(cases[i].name, 6, 3, 0, &small));
        ok(load_from(cases[i].name, 6, 3, cases[i].size, &large));
        assert_int_equal(large->height, cases[i].size);
        assert_int_equal(large->width, cases[i].size);
        check_resized(small, &small->train, large, &large->train);
        check_resized(small, &small->test, large, &large->test);
        assert_non_null(strstr(large->provenance, "resize_algorithm: pillow-bilinear"));
        assert_null(strstr(small->provenance, "resize"));
        rs_dataset_destroy(small);
        rs_dataset_destroy(large);
    }
}

static void test_wrong_requests(void **state)
{
    rs_dataset *dataset;
    (void)state;
    write_all();
    refused(load_from("cifar1O", 0, 0, 0, &dataset), RS_USAGE, "no data set \"cifar1O\"");
    says("not one of cifar10, cifar100, mnist, fashion-mnist, shapes, function; nearest cifar10");
    refused(load_from("imagenet", 0, 0, 0, &dataset), RS_USAGE, "fashion-mnist, shapes, function");
    assert_null(strstr(error.text, "nearest"));
    refused(load_from("", 0, 0, 0, &dataset), RS_USAGE, "no data set \"\"");
    refused(load_from("mnist", -1, 0, 0, &dataset), RS_USAGE, "0 or more");
    refused(load_from("mnist", 0, -1, 0, &dataset), RS_USAGE, "0 or more");
    refused(load_from("mnist", 0, 0, -1, &dataset), RS_USAGE, "0 or more");
    refused(load_from("mnist", 0, 0, 20000, &dataset), RS_USAGE, "can't resize 28 x 28 to 20000");
    refused(load_from("shapes", INT64_MAX, 0, 0, &dataset), RS_USAGE, "at most 10000000 are drawn");
    refused(load_from("shapes", 0, 10000001, 0, &dataset), RS_USAGE, "at most 10000000 are drawn");
    assert_null(dataset);
    rs_dataset_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_descriptions),
                                       cmocka_unit_test(test_provenance_of_idx),
                                       cmocka_unit_test(test_provenance_of_cifar),
                                       cmocka_unit_test(test_provenance_of_shapes),
                                       cmocka_unit_test(test_limits),
                                       cmocka_unit_test(test_resize),
                                       cmocka_unit_test(test_wrong_requests)};
    return cmocka_run_group_tests_name("data sets", tests, NULL, NULL);
}
