/* test_shapes.c: the drawn set: the same bytes for ever, whatever the limits; balanced; ten distinct classes. */
#include "data_files.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 32, IMAGE = 3 * SIDE * SIDE, CLASSES = 10 };

static rs_dataset *draw(uint64_t seed, int64_t train, int64_t test)
{
    rs_dataset *dataset = NULL;
    rs_dataset_request request = {.name = "shapes", .train_limit = train, .test_limit = test, .seed = seed};
    ok(rs_dataset_load(&request, &dataset, &error));
    return dataset;
}

static void same_start(const rs_split *a, const rs_split *b, int64_t count)
{
    assert_true(a->count >= count && b->count >= count);
    assert_memory_equal(a->images, b->images, (size_t)count * IMAGE);
    assert_memory_equal(a->labels, b->labels, (size_t)count * sizeof *a->labels);
}

static void test_limits_change_no_sample(void **state)
{
    rs_dataset *longer = draw(0, 300, 40), *shorter = draw(0, 37, 133), *again = draw(0, 300, 40);
    (void)state;
    assert_int_equal(longer->train.count, 300);
    assert_int_equal(longer->test.count, 40);
    same_start(&longer->train, &shorter->train, 37);
    same_start(&longer->test, &shorter->test, 40);
    same_start(&longer->train, &again->train, 300);
    same_start(&longer->test, &again->test, 40);
    rs_dataset_destroy(longer);
    rs_dataset_destroy(shorter);
    rs_dataset_destroy(again);
}

static void test_default_sizes(void **state)
{
    rs_dataset *dataset = draw(0, 0, 0);
    (void)state;
    assert_int_equal(dataset->train.count, 10000);
    assert_int_equal(dataset->test.count, 2000);
    rs_dataset_destroy(dataset);
}

/* 64-bit FNV-1a of bytes. */
static uint64_t hash(const uint8_t *bytes, size_t count)
{
    uint64_t value = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < count; i++) {
        value = (value ^ bytes[i]) * UINT64_C(0x100000001b3);
    }
    return value;
}

/* Records name "shapes-philox4x32-10/1": under that name these bytes never change, on no machine. */
static void test_bytes_of_version_1(void **state)
{
    rs_dataset *dataset = draw(0, 100, 100), *other = draw(1, 100, 100);
    (void)state;
    assert_non_null(strstr(dataset->provenance, "shapes-philox4x32-10/1\n"));
    uint64_t got[] = {hash(dataset->train.images, (size_t)100 * IMAGE),
                      hash(dataset->test.images, (size_t)100 * IMAGE),
                      hash(other->train.images, (size_t)100 * IMAGE)};
    static const uint64_t wanted[] = {UINT64_C(0xb1bfbb5d1bb8a6a8), UINT64_C(0x1c4ecf0a85e49dd0),
                                      UINT64_C(0xcd6e7ff2f4098793)};
    rs_dataset_destroy(dataset);
    rs_dataset_destroy(other);
    for (int i = 0; i < 3; i++) {
        if (got[i] != wanted[i]) {
            fail_msg("hash %d is 0x%016" PRIx64 " instead of 0x%016" PRIx64, i, got[i], wanted[i]);
        }
    }
}

/* No image twice: not in a split, not in the other split, not under another seed. */
static void test_samples_differ(void **state)
{
    enum { COUNT = 500 };
    static uint64_t hashes[4 * COUNT];
    int used = 0;
    (void)state;
    for (uint64_t seed = 0; seed < 2; seed++) {
        rs_dataset *dataset = draw(seed, COUNT, COUNT);
        for (size_t i = 0; i < COUNT; i++) {
            hashes[used++] = hash(dataset->train.images + i * IMAGE, IMAGE);
            hashes[used++] = hash(dataset->test.images + i * IMAGE, IMAGE);
        }
        rs_dataset_destroy(dataset);
    }
    for (int i = 0; i < used; i++) {
        for (int j = 0; j < i; j++) {
            assert_true(hashes[i] != hashes[j]);
        }
    }
}

/* Any beginning of the set is balanced to one sample. */
static void test_balance(void **state)
{
    rs_dataset *dataset = draw(0, 107, 53);
    int counts[CLASSES] = {0};
    (void)state;
    for (int64_t i = 0; i < dataset->train.count; i++) {
        assert_in_range(dataset->train.labels[i], 0, CLASSES - 1);
        counts[dataset->train.labels[i]]++;
        for (int c = 0; c < CLASSES; c++) {
            assert_in_range(counts[c], i / CLASSES, i / CLASSES + 1);
        }
    }
    rs_dataset_destroy(dataset);
}

static void test_pixel_range(void **state)
{
    rs_dataset *dataset = draw(0, 500, 1);
    int64_t counts[256] = {0}, total = 500 * (int64_t)IMAGE, sum = 0;
    (void)state;
    for (int64_t i = 0; i < total; i++) {
        counts[dataset->train.images[i]]++;
        sum += dataset->train.images[i];
    }
    for (int value = 0; value < 256; value++) { /* every value has a tenth of its even share at least */
        assert_true(counts[value] >= total / 2560);
    }
    assert_in_range(sum / total, 108, 148);
    rs_dataset_destroy(dataset);
}

/* How far a pixel is from the background of its column, as the top and bottom rows show it: noise stays below. */
static int contrast(const uint8_t *image, int column, int row)
{
    int sum = 0;
    for (int c = 0; c < 3; c++) {
        const uint8_t *plane = image + (size_t)c * SIDE * SIDE;
        int ground = (plane[column] + plane[(SIDE - 1) * SIDE + column]) / 2;
        sum += abs(plane[row * SIDE + column] - ground);
    }
    return sum;
}

enum { GRID = 12 };

/* The figure's mask, moved to the middle of a grid and scaled by its root mean square radius: free of place, size,
 * colour and background. False when there is hardly anything to be seen. */
static bool figure_map(const uint8_t *image, double map[GRID * GRID])
{
    double count = 0, x = 0, y = 0, square = 0, hits[GRID * GRID] = {0};
    for (int at = 0; at < SIDE * SIDE; at++) {
        if (contrast(image, at % SIDE, at / SIDE) > 110) {
            count++;
            x += at % SIDE;
            y += at / SIDE;
            square += (at % SIDE) * (at % SIDE) + (at / SIDE) * (at / SIDE);
        }
    }
    if (count < 20) {
        return false;
    }
    double radius = sqrt(square / count - x * x / count / count - y * y / count / count);
    memset(map, 0, GRID * GRID * sizeof *map);
    for (int at = 0; at < SIDE * SIDE; at++) {
        int u = (int)floor((at % SIDE - x / count) / radius * 3 + GRID / 2.0);
        int v = (int)floor((at / SIDE - y / count) / radius * 3 + GRID / 2.0);
        if (u >= 0 && u < GRID && v >= 0 && v < GRID) {
            hits[v * GRID + u]++;
            map[v * GRID + u] += contrast(image, at % SIDE, at / SIDE) > 110;
        }
    }
    for (int at = 0; at < GRID * GRID; at++) {
        map[at] /= hits[at] > 0 ? hits[at] : 1;
    }
    return true;
}

static void mean_maps(const rs_split *split, double means[CLASSES][GRID * GRID])
{
    double used[CLASSES] = {0}, map[GRID * GRID];
    memset(means, 0, CLASSES * sizeof *means);
    for (int64_t i = 0; i < split->count; i++) {
        int class = split->labels[i];
        if (figure_map(split->images + i * IMAGE, map)) {
            used[class]++;
            for (int at = 0; at < GRID * GRID; at++) {
                means[class][at] += map[at];
            }
        }
    }
    for (int class = 0; class < CLASSES; class ++) {
        assert_true(used[class] > (double)split->count / CLASSES / 2);
        for (int at = 0; at < GRID * GRID; at++) {
            means[class][at] /= used[class];
        }
    }
}

static int nearest_class(double means[CLASSES][GRID * GRID], const double *map)
{
    int nearest = 0;
    double least = INFINITY;
    for (int class = 0; class < CLASSES; class ++) {
        double sum = 0;
        for (int at = 0; at < GRID * GRID; at++) {
            sum += (means[class][at] - map[at]) * (means[class][at] - map[at]);
        }
        nearest = sum < least ? class : nearest;
        least = sum < least ? sum : least;
    }
    return nearest;
}

/* Most test images of a class (of 100 each) are nearer to the training split's mean mask of that class than to any
 * other's: some 90 are, and 10 would be if labels did not follow the figures. */
static void test_classes_are_distinct(void **state)
{
    static double means[CLASSES][GRID * GRID];
    double map[GRID * GRID];
    int found[CLASSES] = {0};
    rs_dataset *dataset = draw(0, 3000, 1000);
    (void)state;
    mean_maps(&dataset->train, means);
    for (int64_t i = 0; i < dataset->test.count; i++) {
        int class = dataset->test.labels[i];
        found[class] +=
            figure_map(dataset->test.images + i * IMAGE, map) && nearest_class(means, map) == class;
    }
    for (int class = 0; class < CLASSES; class ++) {
        if (found[class] < 70) {
            fail_msg("%d of 100 images of class %d are nearest to that class", found[class], class);
        }
    }
    rs_dataset_destroy(dataset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_limits_change_no_sample),
                                       cmocka_unit_test(test_default_sizes),
                                       cmocka_unit_test(test_bytes_of_version_1),
                                       cmocka_unit_test(test_samples_differ),
                                       cmocka_unit_test(test_balance),
                                       cmocka_unit_test(test_pixel_range),
                                       cmocka_unit_test(test_classes_are_distinct)};
    return cmocka_run_group_tests_name("shapes", tests, NULL, NULL);
}
