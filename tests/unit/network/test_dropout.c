/* test_dropout.c: the draws of common/dropout.h are Random123's, key, counter and threshold as the header says. */
/* cmocka.h needs these first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dropout.h"
#include "rs/random.h"

static void key_threshold_scale(void **state)
{
    (void)state;
    rs_philox words = rs_philox_at(99, rs_hash64("layer1.dropout"), 0);
    rs_dropout quarter = rs_dropout_make(99, "layer1.dropout", 0.25);
    assert_int_equal(quarter.key[0], words.word[0]);
    assert_int_equal(quarter.key[1], words.word[1]);
    assert_int_equal(quarter.threshold, 1U << 30);
    assert_true(quarter.scale == 1.0 / 0.75);
    assert_int_equal(rs_dropout_make(99, "n", 0.0).threshold, 0);
    assert_int_equal(rs_dropout_make(99, "n", 0x1.8p-33).threshold, 1); /* rounded, not cut */
    assert_int_equal(rs_dropout_make(99, "n", 1.0 - 0x1p-53).threshold, UINT32_MAX);
}

static void bits_are_words_of_philox(void **state)
{
    (void)state;
    static const int64_t samples[] = {0, 1, 4294967295, 4294967296, 123456789012345};
    rs_dropout d = rs_dropout_make(3, "drop", 0.4);
    uint64_t key = (uint64_t)d.key[1] << 32 | d.key[0];
    for (uint32_t i = 0; i < 200; i++) {
        uint32_t block = i * 21474837U, epoch = i / 7;
        int64_t sample = samples[i % 5];
        rs_philox draw = rs_philox_at(key, (uint64_t)epoch << 32 | (uint64_t)sample >> 32,
                                      (uint64_t)(uint32_t)sample << 32 | block);
        uint32_t keep = rs_dropout_keep(&d, block, sample, epoch);
        for (int k = 0; k < 4; k++) {
            assert_int_equal(keep >> k & 1, draw.word[k] >= d.threshold);
        }
        assert_int_equal(keep >> 4, 0);
    }
}

static void samples_without_numbers_count_up(void **state)
{
    (void)state;
    static const int64_t ids[] = {4, 2, 9};
    int64_t to[3];
    rs_dropout_ids(NULL, 3, to);
    assert_true(to[0] == 0 && to[1] == 1 && to[2] == 2);
    rs_dropout_ids(ids, 3, to);
    assert_memory_equal(to, ids, sizeof to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(key_threshold_scale),
        cmocka_unit_test(bits_are_words_of_philox),
        cmocka_unit_test(samples_without_numbers_count_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
