/* test_cpu_arena.c: buffers that live together never overlap; buffers that do not share bytes. */
#include "nets.h"

#include "plan.h"
#include "rs/random.h"

enum { SPANS = 120, ROUNDS = 50 };

static bool overlap(const rs__span *a, const rs__span *b)
{
    return a->offset < b->offset + b->bytes && b->offset < a->offset + a->bytes;
}

static void expect_apart(const rs__span *spans, int count, size_t bytes)
{
    for (int i = 0; i < count; i++) {
        bool used = spans[i].bytes > 0 && spans[i].last >= spans[i].first;
        if (!used) {
            continue;
        }
        assert_int_equal(spans[i].offset % 64, 0);
        assert_true(spans[i].offset + spans[i].bytes <= bytes);
        for (int j = 0; j < i; j++) {
            bool together = spans[j].bytes > 0 && spans[j].last >= spans[j].first &&
                            spans[i].first <= spans[j].last && spans[j].first <= spans[i].last;
            assert_false(together && overlap(&spans[i], &spans[j]));
        }
    }
}

static void random_spans_stay_apart(void **state)
{
    (void)state;
    rs_error error = {0};
    for (uint64_t round = 0; round < ROUNDS; round++) {
        rs__span spans[SPANS];
        size_t sum = 0, bytes = 0;
        for (int i = 0; i < SPANS; i++) {
            rs_philox w = rs_philox_at(round, 1, (uint64_t)i);
            int first = (int)(w.word[0] % 60);
            spans[i] = (rs__span){
                .bytes = w.word[1] % 5000, .first = first, .last = first - 1 + (int)(w.word[2] % 12)};
            sum += rs__round64(spans[i].bytes);
        }
        must(rs__spans_place(spans, SPANS, &bytes, &error));
        expect_apart(spans, SPANS, bytes);
        assert_true(bytes < sum / 3); /* 120 spans of about 6 of 60 times: 12 at once on average */
    }
}

static void lives_one_after_the_other_share(void **state)
{
    (void)state;
    rs_error error = {0};
    rs__span spans[] = {{.bytes = 640, .first = 0, .last = 1},
                        {.bytes = 640, .first = 2, .last = 3},
                        {.bytes = 100, .first = 3, .last = 4}};
    size_t bytes = 0;
    must(rs__spans_place(spans, 3, &bytes, &error));
    assert_int_equal(spans[0].offset, spans[1].offset);
    assert_int_equal(bytes, 640 + 128);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_spans_stay_apart),
        cmocka_unit_test(lives_one_after_the_other_share),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
