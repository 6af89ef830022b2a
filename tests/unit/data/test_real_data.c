/* test_real_data.c: MNIST and CIFAR-10 as published, below the data directory $RS_REAL_DATA; skipped without it. */
#include "data_files.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static rs_dataset *load(const char *name, const char *normalization)
{
    const char *directory = getenv("RS_REAL_DATA");
    rs_dataset *dataset = NULL;
    rs_dataset_request request = {.name = name, .directory = directory, .normalization = normalization};
    if (!directory || !*directory) {
        print_message("RS_REAL_DATA, a folder that holds %s, is not set: skipped\n", name);
        skip();
    }
    ok(rs_dataset_load(&request, &dataset, &error));
    return dataset;
}

static void check_classes(const rs_split *split, const int *counts, int classes)
{
    int got[100] = {0}, total = 0;
    for (int64_t i = 0; i < split->count; i++) {
        assert_in_range(split->labels[i], 0, classes - 1);
        got[split->labels[i]]++;
    }
    for (int c = 0; c < classes; c++) {
        assert_int_equal(got[c], counts[c]);
        total += counts[c];
    }
    assert_int_equal(split->count, total);
}

/* Mean and standard deviation of all bytes / 255 in one channel. */
static void check_moments(const rs_dataset *dataset, int channel, double mean, double deviation,
                          double tolerance)
{
    int64_t plane = (int64_t)dataset->height * dataset->width, image = plane * dataset->channels;
    double sum = 0, square = 0, count = (double)(plane * dataset->train.count);
    for (int64_t i = 0; i < dataset->train.count; i++) {
        const uint8_t *bytes = dataset->train.images + i * image + channel * plane;
        for (int64_t k = 0; k < plane; k++) {
            sum += bytes[k];
            square += (double)bytes[k] * bytes[k];
        }
    }
    double got = sum / count / 255, spread = sqrt(square / count - sum / count * (sum / count)) / 255;
    if (!(fabs(got - mean) <= tolerance) || !(fabs(spread - deviation) <= tolerance)) {
        fail_msg("channel %d has mean %.5f, deviation %.5f instead of %.4f, %.4f", channel, got, spread, mean,
                 deviation);
    }
}

static void test_mnist(void **state)
{
    static const int train[] = {5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949};
    static const int test[] = {980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009};
    (void)state;
    rs_dataset *dataset = load("mnist", "");
    check_classes(&dataset->train, train, 10);
    check_classes(&dataset->test, test, 10);
    check_moments(dataset, 0, dataset->mean[0], dataset->std[0], 1e-4);
    rs_dataset_destroy(dataset);
}

static void test_cifar10(void **state)
{
    static const int train[] = {5000, 5000, 5000, 5000, 5000, 5000, 5000, 5000, 5000, 5000};
    static const int test[] = {1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000};
    (void)state;
    rs_dataset *dataset = load("cifar10", "");
    check_classes(&dataset->train, train, 10);
    check_classes(&dataset->test, test, 10);
    /* Red, green, blue. Their order shows at this tolerance; copies that were JPEG for a while are 0.002 off. */
    check_moments(dataset, 0, 0.4914, 0.2470, 3e-3);
    check_moments(dataset, 1, 0.4822, 0.2435, 3e-3);
    check_moments(dataset, 2, 0.4465, 0.2616, 3e-3);
    rs_dataset_destroy(dataset);
}

/* What "train" measures is what is there. */
static void test_normalization(void **state)
{
    static const char *const names[] = {"mnist", "cifar10"};
    (void)state;
    for (int i = 0; i < 2; i++) {
        rs_dataset *dataset = load(names[i], "train");
        for (int c = 0; c < dataset->channels; c++) {
            check_moments(dataset, c, (double)dataset->mean[c], (double)dataset->std[c], 1e-6);
        }
        rs_dataset_destroy(dataset);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_mnist), cmocka_unit_test(test_cifar10),
                                       cmocka_unit_test(test_normalization)};
    return cmocka_run_group_tests_name("published data", tests, NULL, NULL);
}
