/* test_loader.c: batches of a split: every sample once, in the promised order, however a loader is started, stopped
 * and prefetched. */
#include "data_files.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rs/random.h"

enum { SAMPLES = 103, CHANNELS = 2, HEIGHT = 3, WIDTH = 5, BYTES = CHANNELS * HEIGHT * WIDTH, SEED = 11 };

static uint8_t images[SAMPLES * BYTES];
static int32_t labels[SAMPLES];
static const rs_dataset dataset = {.name = "made-up",
                                   .channels = CHANNELS,
                                   .height = HEIGHT,
                                   .width = WIDTH,
                                   .classes = 10,
                                   .train = {.count = SAMPLES, .images = images, .labels = labels}};

static int fill_samples(void **state)
{
    (void)state;
    for (int64_t i = 0; i < SAMPLES; i++) {
        labels[i] = made_label(TRAIN, i, 10);
        for (int64_t k = 0; k < BYTES; k++) {
            images[i * BYTES + k] = made_pixel(TRAIN, i, k);
        }
    }
    return 0;
}

static rs_loader *create(int64_t batch_size, bool shuffle, bool prefetch)
{
    rs_loader *loader = NULL;
    rs_loader_options options = {
        .batch_size = batch_size, .shuffle = shuffle, .seed = SEED, .prefetch = prefetch};
    ok(rs_loader_create(&dataset, &dataset.train, &options, &loader, &error));
    return loader;
}

/* The sample that belongs at each place of an epoch. */
static void expected_order(bool shuffle, int64_t epoch, uint32_t order[SAMPLES])
{
    for (uint32_t i = 0; i < SAMPLES; i++) {
        order[i] = i;
    }
    if (shuffle) {
        rs_permutation(SEED, (uint64_t)epoch, order, SAMPLES);
    }
}

static void check_batch(const rs_batch *batch, const uint32_t *order, int64_t first, int64_t count)
{
    assert_int_equal(batch->count, count);
    for (int64_t i = 0; i < count; i++) {
        int64_t sample = order[first + i];
        assert_int_equal(batch->sample_ids[i], sample);
        assert_int_equal(batch->labels[i], labels[sample]);
        assert_memory_equal(batch->images + i * BYTES, images + sample * BYTES, BYTES);
    }
}

static void check_end(rs_loader *loader)
{
    for (int i = 0; i < 3; i++) {
        rs_batch batch = {.count = 99};
        ok(rs_loader_next(loader, &batch, &error));
        assert_int_equal(batch.count, 0);
        assert_null(batch.images);
    }
}

/* Takes batches first .. last - 1 of an epoch just started there. */
static void check_batches(rs_loader *loader, int64_t batch_size, bool shuffle, int64_t epoch, int64_t first,
                          int64_t last)
{
    uint32_t order[SAMPLES];
    expected_order(shuffle, epoch, order);
    for (int64_t b = first; b < last; b++) {
        rs_batch batch;
        int64_t rest = SAMPLES - b * batch_size;
        ok(rs_loader_next(loader, &batch, &error));
        check_batch(&batch, order, b * batch_size, rest < batch_size ? rest : batch_size);
        assert_int_equal(batch.epoch, epoch);
    }
}

static const int64_t sizes[] = {0, 1, 7, 10, 102, SAMPLES, 104, INT64_MAX};

enum { SIZES = sizeof sizes / sizeof *sizes };

/* Runs a check for every batch size, shuffled and as stored, prefetched and not. */
static void for_all(void (*check)(rs_loader *loader, int64_t batch_size, bool shuffle))
{
    for (int i = 0; i < SIZES * 4; i++) {
        int64_t size = sizes[i / 4];
        rs_loader *loader = create(size, i & 1, (i & 2) != 0);
        check(loader, size ? size : SAMPLES, i & 1); /* 0: all */
        rs_loader_destroy(loader);
    }
}

static int64_t steps_of(int64_t batch_size)
{
    return batch_size >= SAMPLES ? 1 : (SAMPLES + batch_size - 1) / batch_size;
}

static void check_epochs(rs_loader *loader, int64_t batch_size, bool shuffle)
{
    assert_int_equal(rs_loader_steps(loader), steps_of(batch_size));
    for (int64_t epoch = 0; epoch < 4; epoch++) {
        ok(rs_loader_start(loader, epoch, 0, &error));
        check_batches(loader, batch_size, shuffle, epoch, 0, steps_of(batch_size));
        check_end(loader);
    }
}

/* Every sample with its own label and id, in the order of rs_permutation or as stored, the smaller rest kept. */
static void test_epochs(void **state)
{
    (void)state;
    for_all(check_epochs);
}

/* Counted without rs_permutation: each sample once an epoch, and two epochs in different orders. */
static void test_every_sample_once(void **state)
{
    int64_t seen[2][SAMPLES];
    rs_loader *loader = create(10, true, true);
    (void)state;
    for (int epoch = 0; epoch < 2; epoch++) {
        int counts[SAMPLES] = {0}, place = 0;
        rs_batch batch;
        ok(rs_loader_start(loader, epoch, 0, &error));
        do {
            ok(rs_loader_next(loader, &batch, &error));
            for (int64_t i = 0; i < batch.count; i++) {
                assert_in_range(batch.sample_ids[i], 0, SAMPLES - 1);
                counts[batch.sample_ids[i]]++;
                seen[epoch][place++] = batch.sample_ids[i];
            }
        } while (batch.count > 0);
        assert_int_equal(place, SAMPLES);
        for (int i = 0; i < SAMPLES; i++) {
            assert_int_equal(counts[i], 1);
        }
    }
    assert_memory_not_equal(seen[0], seen[1], sizeof seen[0]);
    rs_loader_destroy(loader);
}

static void check_later_starts(rs_loader *loader, int64_t batch_size, bool shuffle)
{
    int64_t steps = steps_of(batch_size);
    for (int64_t first = steps; first >= 0; first -= 1 + steps / 7) {
        ok(rs_loader_start(loader, 2, first, &error));
        check_batches(loader, batch_size, shuffle, 2, first, steps);
        check_end(loader);
    }
}

/* An epoch begun at a later batch is the rest of that epoch; begun at its end, nothing. */
static void test_start_at_later_batch(void **state)
{
    (void)state;
    for_all(check_later_starts);
}

static void check_restarts(rs_loader *loader, int64_t batch_size, bool shuffle)
{
    int64_t steps = steps_of(batch_size);
    for (int64_t taken = 0; taken <= steps; taken += 1 + steps / 5) {
        ok(rs_loader_start(loader, 7, 0, &error));
        check_batches(loader, batch_size, shuffle, 7, 0, taken);
        ok(rs_loader_start(loader, 3, taken, &error));
        check_batches(loader, batch_size, shuffle, 3, taken, steps);
        check_end(loader);
    }
}

/* Started again in the middle of an epoch, for another one. */
static void test_restart_mid_epoch(void **state)
{
    (void)state;
    for_all(check_restarts);
}

/* The caller's batch is his until he asks for the next, also when the loader is started again meanwhile. */
static void test_held_batch_survives_restart(void **state)
{
    uint32_t order[SAMPLES];
    rs_batch batch;
    rs_loader *loader = create(10, true, true);
    (void)state;
    ok(rs_loader_start(loader, 0, 0, &error));
    ok(rs_loader_next(loader, &batch, &error));
    for (int64_t epoch = 1; epoch < 20; epoch++) {
        ok(rs_loader_start(loader, epoch, 0, &error));
        (void)usleep(epoch % 4 ? 0 : 2000); /* the thread fills what it may */
        expected_order(true, 0, order);
        check_batch(&batch, order, 0, 10);
    }
    check_batches(loader, 10, true, 19, 0, steps_of(10));
    check_end(loader);
    rs_loader_destroy(loader);
}

static void test_destroy_at_any_moment(void **state)
{
    (void)state;
    rs_loader_destroy(NULL);
    for (int prefetch = 0; prefetch < 2; prefetch++) {
        rs_loader_destroy(create(10, true, prefetch)); /* never started */
        for (int64_t taken = 0; taken <= 11; taken++) {
            rs_loader *loader = create(10, true, prefetch);
            ok(rs_loader_start(loader, 0, 0, &error));
            check_batches(loader, 10, true, 0, 0, taken);
            rs_loader_destroy(loader);
        }
    }
}

static void test_rapid_cycles(void **state)
{
    (void)state;
    for (int64_t i = 0; i < 200; i++) {
        rs_loader *loader = create(1 + i % 13, i % 3 != 0, true);
        for (int64_t start = 0; start < i % 5; start++) {
            ok(rs_loader_start(loader, i + start, 0, &error));
        }
        if (i % 5 > 0 && i % 2) {
            check_batches(loader, 1 + i % 13, i % 3 != 0, i + i % 5 - 1, 0, 1 + i % 4);
        }
        rs_loader_destroy(loader);
    }
}

/* Two loaders of one data set, as training and evaluation hold them, know nothing of each other. */
static void test_two_loaders(void **state)
{
    rs_loader *a = create(10, true, true), *b = create(7, false, true);
    (void)state;
    ok(rs_loader_start(a, 5, 0, &error));
    ok(rs_loader_start(b, 0, 0, &error));
    check_batches(a, 10, true, 5, 0, 4);
    check_batches(b, 7, false, 0, 0, steps_of(7));
    check_batches(a, 10, true, 5, 4, steps_of(10));
    check_end(a);
    check_end(b);
    rs_loader_destroy(a);
    rs_loader_destroy(b);
}

/* A split of numbers: values and targets come together, images and labels not at all. */
static void check_numbers(bool shuffle, bool leave_out)
{
    enum { TARGETS = 4 };
    static float values[SAMPLES * BYTES], targets[SAMPLES * TARGETS];
    static const rs_dataset numbers = {.channels = CHANNELS,
                                       .height = HEIGHT,
                                       .width = WIDTH,
                                       .classes = TARGETS,
                                       .train = {.count = SAMPLES, .values = values, .targets = targets}};
    rs_loader_options options = {
        .batch_size = 10, .shuffle = shuffle, .seed = SEED, .prefetch = true, .leave_out_images = leave_out};
    rs_loader *loader = NULL;
    rs_batch batch;
    uint32_t order[SAMPLES];
    int64_t place = 0;
    for (int i = 0; i < SAMPLES * BYTES; i++) {
        values[i] = (float)i + 0.5F;
        targets[i % (SAMPLES * TARGETS)] = (float)(i % (SAMPLES * TARGETS)) - 0.25F;
    }
    expected_order(shuffle, 3, order);
    ok(rs_loader_create(&numbers, &numbers.train, &options, &loader, &error));
    ok(rs_loader_start(loader, 3, 0, &error));
    do {
        ok(rs_loader_next(loader, &batch, &error));
        assert_null(batch.images);
        assert_null(batch.labels);
        assert_true((batch.values == NULL) == (leave_out || batch.count == 0));
        for (int64_t i = 0; i < batch.count; i++) {
            int64_t sample = order[place++];
            assert_int_equal(batch.sample_ids[i], sample);
            assert_memory_equal(batch.targets + i * TARGETS, targets + sample * TARGETS,
                                TARGETS * sizeof(float));
            if (!leave_out) {
                assert_memory_equal(batch.values + i * BYTES, values + sample * BYTES, BYTES * sizeof(float));
            }
        }
    } while (batch.count > 0);
    assert_int_equal(place, SAMPLES);
    rs_loader_destroy(loader);
}

static void test_numbers(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        check_numbers(i & 1, (i & 2) != 0);
    }
}

static void test_empty_split(void **state)
{
    static const rs_split empty = {0};
    rs_loader_options options = {.shuffle = true, .prefetch = true};
    rs_loader *loader = NULL;
    (void)state;
    for (options.batch_size = 0; options.batch_size <= 4; options.batch_size += 4) {
        ok(rs_loader_create(&dataset, &empty, &options, &loader, &error));
        assert_int_equal(rs_loader_steps(loader), 0);
        ok(rs_loader_start(loader, 0, 0, &error));
        check_end(loader);
        rs_loader_destroy(loader);
    }
}

static void test_wrong_uses(void **state)
{
    rs_batch batch = {.count = 99};
    rs_loader *loader = NULL;
    rs_loader_options options = {.batch_size = -3};
    (void)state;
    refused(rs_loader_create(&dataset, &dataset.train, &options, &loader, &error), RS_USAGE, "batch size -3");
    assert_null(loader);
    for (int prefetch = 0; prefetch < 2; prefetch++) {
        loader = create(10, true, prefetch);
        refused(rs_loader_next(loader, &batch, &error), RS_FAILED, "before rs_loader_start");
        assert_int_equal(batch.count, 0);
        refused(rs_loader_start(loader, -1, 0, &error), RS_USAGE, "epoch -1");
        refused(rs_loader_start(loader, 0, -1, &error), RS_USAGE, "batches 0 to 11");
        refused(rs_loader_start(loader, 0, 12, &error), RS_USAGE, "batches 0 to 11");
        ok(rs_loader_start(loader, 0, 0, &error)); /* as good as new */
        check_batches(loader, 10, true, 0, 0, 11);
        check_end(loader);
        rs_loader_destroy(loader);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_epochs),
        cmocka_unit_test(test_every_sample_once),
        cmocka_unit_test(test_start_at_later_batch),
        cmocka_unit_test(test_restart_mid_epoch),
        cmocka_unit_test(test_held_batch_survives_restart),
        cmocka_unit_test(test_destroy_at_any_moment),
        cmocka_unit_test(test_rapid_cycles),
        cmocka_unit_test(test_two_loaders),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_empty_split),
        cmocka_unit_test(test_wrong_uses),
    };
    return cmocka_run_group_tests_name("loader", tests, fill_samples, NULL);
}
