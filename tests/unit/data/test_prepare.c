/* test_prepare.c: what is done to a set before training: validation split, random labels, normalization. */
#include "data_files.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRAINING = 600, TESTING = 50, PIXELS = 3 * 32 * 32 };

static rs_dataset_request shapes_request(void)
{
    return (rs_dataset_request){.name = "shapes", .train_limit = TRAINING, .test_limit = TESTING};
}

static rs_dataset *load(const rs_dataset_request *request)
{
    rs_dataset *dataset = NULL;
    ok(rs_dataset_load(request, &dataset, &error));
    return dataset;
}

/* The shape is known before anything is loaded, and is that of what is. */
static void test_shape(void **state)
{
    const rs_dataset_request requests[] = {
        {.name = "shapes", .train_limit = 4, .test_limit = 4},
        {.name = "shapes", .train_limit = 4, .test_limit = 4, .resize = 20},
        {.name = "function",
         .function = "sinc",
         .function_to = 1.0,
         .function_samples = 4,
         .function_valid = 4}};
    (void)state;
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        rs_dataset *loaded = load(&requests[i]);
        rs_dataset_shape shape = {0};
        ok(rs_dataset_shape_of(&requests[i], &shape, &error));
        assert_int_equal(shape.channels, loaded->channels);
        assert_int_equal(shape.height, loaded->height);
        assert_int_equal(shape.width, loaded->width);
        assert_int_equal(shape.classes, loaded->classes);
        assert_int_equal(shape.targets, loaded->train.targets != NULL);
        rs_dataset_destroy(loaded);
    }
}

static void test_shape_of_what_there_is_not(void **state)
{
    const rs_dataset_request unknown = {.name = "shaped"}, resized = {.name = "function", .resize = 8};
    rs_dataset_shape shape;
    (void)state;
    refused(rs_dataset_shape_of(&unknown, &shape, &error), RS_USAGE, "shaped");
    refused(rs_dataset_shape_of(&resized, &shape, &error), RS_USAGE, "resize is of images");
}

static void wrong(const rs_dataset_request *request, const char *text)
{
    rs_dataset *dataset = NULL;
    refused(rs_dataset_load(request, &dataset, &error), RS_USAGE, text);
    assert_null(dataset);
}

static void assert_same_split(const rs_split *a, const rs_split *b)
{
    assert_int_equal(a->count, b->count);
    assert_memory_equal(a->images, b->images, (size_t)a->count * PIXELS);
    assert_memory_equal(a->labels, b->labels, (size_t)a->count * sizeof *a->labels);
}

/* Where each sample of a part stands in the whole, by its bytes; places rise. Marks them in `taken`. */
static void find_in_whole(const rs_split *part, const rs_split *whole, int taken[TRAINING])
{
    int64_t at = 0;
    for (int64_t i = 0; i < part->count; i++, at++) {
        while (at < whole->count &&
               memcmp(part->images + i * PIXELS, whole->images + at * PIXELS, PIXELS) != 0) {
            at++;
        }
        assert_true(at < whole->count);
        assert_int_equal(part->labels[i], whole->labels[at]);
        taken[at]++;
    }
}

/* Each sample is in one part, with its own label, in the order of the whole; the test samples stay. */
static void test_division(void **state)
{
    rs_dataset_request request = shapes_request();
    rs_dataset *whole = load(&request);
    (void)state;
    assert_int_equal(whole->valid.count, 0);
    assert_null(whole->valid.images);
    for (int64_t valid = 1; valid < TRAINING; valid += 199) {
        int taken[TRAINING] = {0};
        request.valid_split = valid;
        rs_dataset *cut = load(&request);
        assert_int_equal(cut->train.count, TRAINING - valid);
        assert_int_equal(cut->valid.count, valid);
        find_in_whole(&cut->train, &whole->train, taken);
        find_in_whole(&cut->valid, &whole->train, taken);
        for (int i = 0; i < TRAINING; i++) {
            assert_int_equal(taken[i], 1);
        }
        assert_same_split(&cut->test, &whole->test);
        rs_dataset_destroy(cut);
    }
    rs_dataset_destroy(whole);
}

/* Drawn from everywhere: not the first or the last samples, and otherwise by another seed. */
static void test_division_is_drawn(void **state)
{
    rs_dataset_request request = shapes_request();
    rs_dataset *whole = load(&request), *cut[3];
    int taken[3][TRAINING] = {{0}}, first_half = 0, same = 0;
    (void)state;
    request.valid_split = 200;
    for (int i = 0; i < 3; i++) {
        request.split_seed = i == 2 ? 9 : 4;
        cut[i] = load(&request);
        find_in_whole(&cut[i]->valid, &whole->train, taken[i]);
    }
    assert_memory_equal(taken[0], taken[1], sizeof taken[0]);
    for (int i = 0; i < TRAINING; i++) {
        first_half += i < TRAINING / 2 && taken[0][i];
        same += taken[0][i] && taken[2][i];
    }
    assert_in_range(first_half, 75, 125); /* 100 +- 5.8: four sigma */
    assert_in_range(same, 43, 91);        /* 66.7 +- 5.4 */
    for (int i = 0; i < 3; i++) {
        rs_dataset_destroy(cut[i]);
    }
    rs_dataset_destroy(whole);
}

static void test_swap(void **state)
{
    rs_dataset_request request = shapes_request();
    request.valid_split = 150;
    rs_dataset *cut = load(&request);
    request.swap_splits = true;
    rs_dataset *swapped = load(&request);
    (void)state;
    assert_same_split(&cut->train, &swapped->valid);
    assert_same_split(&cut->valid, &swapped->train);
    assert_same_split(&cut->test, &swapped->test);
    assert_non_null(strstr(cut->provenance, "train_samples: 450\ntest_samples: 50\nvalid_samples: 150\n"));
    assert_non_null(strstr(cut->provenance, "split_seed: 0\nswapped_splits: false\n"));
    assert_non_null(
        strstr(swapped->provenance, "train_samples: 150\ntest_samples: 50\nvalid_samples: 450\n"));
    assert_non_null(strstr(swapped->provenance, "swapped_splits: true\n"));
    rs_dataset_destroy(cut);
    rs_dataset_destroy(swapped);
}

static void test_wrong_divisions(void **state)
{
    rs_dataset_request request = shapes_request();
    (void)state;
    request.valid_split = TRAINING;
    wrong(&request, "a validation split of 600 of 600 training samples: 1 to 599");
    request.valid_split = -1;
    wrong(&request, "a validation split of -1");
    request.valid_split = 0;
    request.swap_splits = true;
    wrong(&request, "no validation split to swap");
}

/* Counts how many labels differ, and how often each new one was drawn. */
static int changed_labels(const rs_split *now, const rs_split *before, int drawn[10])
{
    int changed = 0;
    for (int64_t i = 0; i < now->count; i++) {
        assert_in_range(now->labels[i], 0, 9);
        changed += now->labels[i] != before->labels[i];
        drawn[now->labels[i]] += now->labels[i] != before->labels[i];
    }
    return changed;
}

/* A share R of labels is drawn; one in ten of those stays what it was. Images and the test samples stay. */
static void test_random_labels(void **state)
{
    static const double shares[] = {0.0, 0.1, 0.5, 1.0};
    rs_dataset_request request = shapes_request();
    rs_dataset *whole = load(&request);
    (void)state;
    for (int i = 0; i < 4; i++) {
        int drawn[10] = {0};
        char text[200];
        request.random_labels = shares[i];
        rs_dataset *random = load(&request);
        int changed = changed_labels(&random->train, &whole->train, drawn);
        double mean = 0.9 * shares[i] * TRAINING, sigma = sqrt(0.1 * mean);
        assert_true(fabs(changed - mean) <= 4.0 * sigma);
        assert_memory_equal(random->train.images, whole->train.images, (size_t)TRAINING * PIXELS);
        assert_same_split(&random->test, &whole->test);
        (void)snprintf(text, sizeof text, "labels_drawn: %.0f\nlabels_changed: %d\n", shares[i] * TRAINING,
                       changed);
        assert_true((strstr(random->provenance, text) != NULL) == (i > 0));
        for (int c = 0; i == 3 && c < 10; c++) {
            assert_in_range(drawn[c], 27, 81); /* 54 +- 7 */
        }
        rs_dataset_destroy(random);
    }
    rs_dataset_destroy(whole);
}

/* Once for all by the seed; of the samples that are trained on, so that validation labels are true. */
static void test_random_labels_are_drawn_once(void **state)
{
    rs_dataset_request request = shapes_request();
    int drawn[10] = {0};
    request.valid_split = 200;
    rs_dataset *whole = load(&request);
    request.random_labels = 0.5;
    rs_dataset *a = load(&request), *b = load(&request);
    request.split_seed = 1;
    rs_dataset *other = load(&request);
    (void)state;
    assert_same_split(&a->train, &b->train);
    assert_same_split(&a->valid, &whole->valid);
    assert_memory_not_equal(a->train.labels, other->train.labels, 400 * sizeof *a->train.labels);
    assert_in_range(changed_labels(&a->train, &whole->train, drawn), 160, 200);
    rs_dataset_destroy(whole);
    rs_dataset_destroy(a);
    rs_dataset_destroy(b);
    rs_dataset_destroy(other);
    request.random_labels = 1.5;
    wrong(&request, "random labels for a share of 1.5");
    request.random_labels = NAN;
    wrong(&request, "random labels for a share of nan");
}

static void test_given_normalization(void **state)
{
    static const struct {
        const char *text;
        float mean[3], std[3];
    } cases[] = {{"", {0.5F, 0.5F, 0.5F}, {0.5F, 0.5F, 0.5F}},
                 {"0.1309/0.3083", {0.1309F, 0.1309F, 0.1309F}, {0.3083F, 0.3083F, 0.3083F}},
                 {"0.1/0.2,-0.3/4,5e-1/1", {0.1F, -0.3F, 0.5F}, {0.2F, 4.0F, 1.0F}}};
    rs_dataset_request request = shapes_request();
    (void)state;
    for (int i = 0; i < 3; i++) {
        request.normalization = cases[i].text;
        rs_dataset *dataset = load(&request);
        assert_memory_equal(dataset->mean, cases[i].mean, sizeof cases[i].mean);
        assert_memory_equal(dataset->std, cases[i].std, sizeof cases[i].std);
        assert_true((strstr(dataset->provenance, "normalization: ") != NULL) == (i > 0));
        rs_dataset_destroy(dataset);
    }
    request.normalization = "0.1/0.2,0.3/0.4";
    wrong(&request, "2 pairs of M/S, but images of shapes have 3 channels");
}

/* One pass over all bytes of a channel, two moments in long double. */
static void moments(const rs_dataset *dataset, int channel, double *mean, double *std)
{
    size_t plane = (size_t)(dataset->height * dataset->width);
    long double sum = 0.0L, squares = 0.0L, all = (long double)dataset->train.count * (long double)plane;
    for (int64_t i = 0; i < dataset->train.count; i++) {
        const uint8_t *bytes = dataset->train.images + ((size_t)i * 3 + (size_t)channel) * plane;
        for (size_t k = 0; k < plane; k++) {
            long double x = bytes[k] / 255.0L;
            sum += x;
            squares += x * x;
        }
    }
    *mean = (double)(sum / all);
    *std = (double)sqrtl(squares / all - sum / all * (sum / all));
}

/* Of the training images, as they are after a resize, also of those that go to validation. */
static void test_measured_normalization(void **state)
{
    rs_dataset_request request = shapes_request();
    (void)state;
    for (int resize = 0; resize <= 20; resize += 20) {
        request.resize = resize;
        request.normalization = "train";
        request.valid_split = 0;
        rs_dataset *whole = load(&request);
        request.valid_split = 100;
        request.swap_splits = resize > 0;
        rs_dataset *cut = load(&request);
        for (int c = 0; c < 3; c++) {
            double mean, std;
            moments(whole, c, &mean, &std);
            assert_true(fabs((double)whole->mean[c] - mean) < 1e-7);
            assert_true(fabs((double)whole->std[c] - std) < 1e-7);
            assert_true(cut->mean[c] == whole->mean[c] && cut->std[c] == whole->std[c]);
        }
        assert_non_null(strstr(whole->provenance, "normalization: train\nmean: [0."));
        request.swap_splits = false;
        rs_dataset_destroy(whole);
        rs_dataset_destroy(cut);
    }
}

static void test_constant_channel(void **state)
{
    uint8_t images[16 + 2 * 784] = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 28, 0, 0, 0, 28};
    static const uint8_t labels[10] = {0, 0, 8, 1, 0, 0, 0, 2, 3, 4};
    rs_dataset_request request = {.name = "mnist", .directory = folder(), .normalization = "train"};
    (void)state;
    clear_folder();
    for (int part = 0; part < 2; part++) {
        write_file(part ? "mnist/t10k-images-idx3-ubyte" : "mnist/train-images-idx3-ubyte", images,
                   sizeof images);
        write_file(part ? "mnist/t10k-labels-idx1-ubyte" : "mnist/train-labels-idx1-ubyte", labels,
                   sizeof labels);
    }
    wrong(&request, "channel 0 of the training images of mnist is the same everywhere");
    images[16 + 784] = 255; /* one byte in 1,568 */
    write_file("mnist/train-images-idx3-ubyte", images, sizeof images);
    rs_dataset *dataset = load(&request);
    assert_true(fabs((double)dataset->mean[0] - 1.0 / 1568.0) < 1e-10);
    assert_true(fabs((double)dataset->std[0] - sqrt(1.0 / 1568.0 - 1.0 / 1568.0 / 1568.0)) < 1e-8);
    rs_dataset_destroy(dataset);
}

static void test_normalization_texts(void **state)
{
    static const char *const refusals[] = {"0.5",     "0.5/",  "/0.5",     "0.5/0",     "0.5/-1",
                                           "nan/1",   "0/inf", "trains",   "0.5/0.5/1", "1e40/1",
                                           "0/1e-60", ",",     "0.5/0.5,x"};
    rs_normalization given;
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        assert_int_equal(rs_normalization_parse(refusals[i], &given, &error), RS_USAGE);
    }
    refused(rs_normalization_parse("1/1,1/1,1/1,1/1,1/1", &given, &error), RS_USAGE, "more than 4 pairs");
    ok(rs_normalization_parse(" 0.25/2 , 3/4", &given, &error));
    assert_int_equal(given.count, 2);
    assert_true(given.mean[0] == 0.25 && given.std[0] == 2.0 && given.mean[1] == 3.0 && given.std[1] == 4.0);
    ok(rs_normalization_parse("train", &given, &error));
    assert_true(given.of_training && given.count == 0);
}

/* `shapes` has its classes in turn, so that whole sets are even; counts add up after a cut. */
static void test_class_counts(void **state)
{
    rs_dataset_request request = shapes_request();
    int64_t all[10], train[10], valid[10];
    char text[200] = "valid_class_counts: [";
    request.train_limit = 605;
    rs_dataset *whole = load(&request);
    request.valid_split = 101;
    rs_dataset *cut = load(&request);
    (void)state;
    rs_split_class_counts(&whole->train, 10, all);
    rs_split_class_counts(&cut->train, 10, train);
    rs_split_class_counts(&cut->valid, 10, valid);
    for (int c = 0; c < 10; c++) {
        size_t used = strlen(text);
        assert_int_equal(all[c], c < 5 ? 61 : 60);
        assert_int_equal(train[c] + valid[c], all[c]);
        (void)snprintf(text + used, sizeof text - used, "%s%lld", c ? ", " : "", (long long)valid[c]);
    }
    assert_non_null(strstr(cut->provenance, text));
    assert_non_null(strstr(whole->provenance, "train_class_counts: [61, 61, 61, 61, 61, 60, 60, 60, 60, 60]\n"
                                              "test_class_counts: [5, 5, 5, 5, 5, 5, 5, 5, 5, 5]\n"));
    assert_null(strstr(whole->provenance, "valid_class_counts"));
    rs_dataset_destroy(whole);
    rs_dataset_destroy(cut);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_shape),
                                       cmocka_unit_test(test_shape_of_what_there_is_not),
                                       cmocka_unit_test(test_division),
                                       cmocka_unit_test(test_division_is_drawn),
                                       cmocka_unit_test(test_swap),
                                       cmocka_unit_test(test_wrong_divisions),
                                       cmocka_unit_test(test_random_labels),
                                       cmocka_unit_test(test_random_labels_are_drawn_once),
                                       cmocka_unit_test(test_given_normalization),
                                       cmocka_unit_test(test_measured_normalization),
                                       cmocka_unit_test(test_constant_channel),
                                       cmocka_unit_test(test_normalization_texts),
                                       cmocka_unit_test(test_class_counts)};
    return cmocka_run_group_tests_name("preparation", tests, NULL, NULL);
}
