/* test_random.c: known answers of Philox, exactness and moments of what is made from it, permutations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "rs/random.h"

static void expect_words(uint64_t seed, uint64_t stream, uint64_t index, const uint32_t expected[4])
{
    rs_philox words = rs_philox_at(seed, stream, index);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(words.word[i], expected[i]);
    }
}

/* The known answers of Random123's kat_vectors for philox4x32-10. */
static void philox_gives_its_known_answers(void **state)
{
    (void)state;
    expect_words(0, 0, 0, (const uint32_t[4]){0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
    expect_words(UINT64_MAX, UINT64_MAX, UINT64_MAX,
                 (const uint32_t[4]){0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
    expect_words(UINT64_C(0x299f31d0a4093822), UINT64_C(0x0370734413198a2e), UINT64_C(0x85a308d3243f6a88),
                 (const uint32_t[4]){0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

static void fnv_gives_its_known_answers(void **state)
{
    (void)state;
    assert_true(rs_hash64("") == UINT64_C(0xcbf29ce484222325));
    assert_true(rs_hash64("a") == UINT64_C(0xaf63dc4c8601ec8c));
    assert_true(rs_hash64("foobar") == UINT64_C(0x85944171f73967e8));
}

static void unit_floats_are_exact(void **state)
{
    (void)state;
    assert_true(rs_unit_float(0) == 0.0F);
    assert_true(rs_unit_float(UINT32_MAX) == 1.0F - 0x1p-24F);
    assert_true(rs_unit_float(0x80000000U) == 0.5F);
}

static void normals_have_the_moments_of_normals(void **state)
{
    (void)state;
    enum { N = 400000 };
    double sum = 0, squares = 0, fourth = 0;
    for (uint64_t i = 0; i < N; i++) {
        double x = rs_normal(11, 5, i);
        sum += x;
        squares += x * x;
        fourth += x * x * x * x;
    }
    /* five standard errors: variances of x, x^2, x^4 are 1, 2, 96 */
    assert_true(fabs(sum / N) <= 5 * sqrt(1.0 / N));
    assert_true(fabs(squares / N - 1) <= 5 * sqrt(2.0 / N));
    assert_true(fabs(fourth / N - 3) <= 5 * sqrt(96.0 / N));
}

static void an_element_depends_on_its_index_alone(void **state)
{
    (void)state;
    double a = rs_uniform(1, 2, 1000, -1, 1), b = rs_normal(1, 2, 1001);
    for (uint64_t i = 0; i < 10; i++) {
        (void)rs_uniform(1, 2, i, -1, 1);
    }
    assert_true(a == rs_uniform(1, 2, 1000, -1, 1));
    assert_true(b == rs_normal(1, 2, 1001));
    assert_true(a != rs_uniform(2, 2, 1000, -1, 1));
    assert_true(a != rs_uniform(1, 3, 1000, -1, 1));
}

static void a_permutation_holds_every_number_once(void **state)
{
    (void)state;
    enum { N = 5000 };
    static uint32_t order[N], other[N];
    static unsigned char seen[N];
    rs_permutation(42, 3, order, N);
    for (int i = 0; i < N; i++) {
        assert_true(order[i] < N);
        assert_int_equal(seen[order[i]]++, 0);
    }
    rs_permutation(42, 3, other, N);
    assert_memory_equal(order, other, sizeof order);
    rs_permutation(42, 4, other, N);
    assert_memory_not_equal(order, other, sizeof order);
    rs_permutation(43, 3, other, N);
    assert_memory_not_equal(order, other, sizeof order);
}

/* All 24 orders of four elements come equally often: chi-square with 23 degrees, 99.99% point 56. */
static void permutations_are_unbiased(void **state)
{
    (void)state;
    enum { DRAWS = 24000 };
    int counts[256] = {0};
    for (uint64_t epoch = 0; epoch < DRAWS; epoch++) {
        uint32_t order[4];
        rs_permutation(9, epoch, order, 4);
        counts[order[0] << 6 | order[1] << 4 | order[2] << 2 | order[3]]++;
    }
    double chi = 0;
    int kinds = 0;
    for (int i = 0; i < 256; i++) {
        if (counts[i]) {
            double off = counts[i] - DRAWS / 24.0;
            chi += off * off / (DRAWS / 24.0);
            kinds++;
        }
    }
    assert_int_equal(kinds, 24);
    assert_true(chi <= 56.0);
}

/* Enough of them that some lie where only rs_normal can tell how to round. */
static void filling_gives_the_same_bits(void **state)
{
    (void)state;
    static const size_t counts[] = {1, 3, 63, 64, 65, 1000003}; /* the largest last */
    static const double scales[] = {1.0, 0.0416666666666666667, 3e-5};
    const size_t count_count = sizeof counts / sizeof *counts, scale_count = sizeof scales / sizeof *scales;
    float *values = malloc(counts[count_count - 1] * sizeof *values);
    assert_non_null(values);
    for (size_t c = 0; c < count_count; c++) {
        for (size_t s = 0; s < scale_count; s++) {
            rs_normal_fill(9 + s, 77, scales[s], values, counts[c]);
            for (size_t i = 0; i < counts[c]; i++) {
                float expected = (float)(scales[s] * rs_normal(9 + s, 77, i));
                if (memcmp(&values[i], &expected, sizeof expected) != 0) {
                    fail_msg("scale %g, element %zu: %a instead of %a", scales[s], i, (double)values[i],
                             (double)expected);
                }
            }
        }
    }
    free(values);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_gives_its_known_answers),
        cmocka_unit_test(fnv_gives_its_known_answers),
        cmocka_unit_test(unit_floats_are_exact),
        cmocka_unit_test(normals_have_the_moments_of_normals),
        cmocka_unit_test(filling_gives_the_same_bits),
        cmocka_unit_test(an_element_depends_on_its_index_alone),
        cmocka_unit_test(a_permutation_holds_every_number_once),
        cmocka_unit_test(permutations_are_unbiased),
    };
    return cmocka_run_group_tests_name("random", tests, NULL, NULL);
}
