/* test_golden_tools.c: the comparators of the golden tests must notice what is wrong: a NaN, a flipped sign, two
 * elements exchanged, a part in 1e8, one bit of a state. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "golden_file.h"
#include "golden_inputs.h"
#include "rs/random.h"

enum { COUNT = 5000, ENTRIES = 64, PROJECTIONS = 16 };
static const char name[] = "layer1.0.conv1.weight";
static const golden_shape shape = {ENTRIES, PROJECTIONS};

typedef struct fixture {
    double x[COUNT], summary[1 + ENTRIES + PROJECTIONS];
} fixture;

static uint32_t word_at(const char *stream, uint64_t i)
{
    return rs_philox_at(GOLDEN_SEED, rs_hash64(stream), i / 4).word[i % 4];
}

/* A tensor and its summary, written out as tests/golden/summary.py has it. */
static void fill(fixture *f)
{
    double squares = 0.0;
    memset(f, 0, sizeof *f);
    for (uint64_t i = 0; i < COUNT; i++) {
        f->x[i] = rs_normal(3, 1, i);
        squares += f->x[i] * f->x[i];
        uint32_t signs = word_at("signs/layer1.0.conv1.weight", i);
        for (int r = 0; r < PROJECTIONS; r++) {
            f->summary[1 + ENTRIES + r] += (signs >> r & 1) ? -f->x[i] : f->x[i];
        }
    }
    f->summary[0] = sqrt(squares);
    for (uint64_t k = 0; k < ENTRIES; k++) {
        uint64_t place = ((uint64_t)word_at("entries/layer1.0.conv1.weight", k) * COUNT) >> 32;
        f->summary[1 + k] = f->x[place];
    }
}

static double distance(const fixture *f)
{
    return golden_distance(name, f->x, COUNT, f->summary, shape);
}

static void a_tensor_is_at_no_distance_from_itself(void **state)
{
    (void)state;
    fixture f;
    fill(&f);
    assert_true(distance(&f) < 1e-15);
}

static void distances_are_noticed(void **state)
{
    (void)state;
    fixture f;
    fill(&f);
    f.x[17] = NAN;
    assert_false(distance(&f) <= 1e300);
    fill(&f);
    f.x[COUNT - 1] = -f.x[COUNT - 1];
    assert_true(distance(&f) > fabs(f.x[COUNT - 1]) / f.summary[0]);
    fill(&f);
    double kept = f.x[100];
    f.x[100] = f.x[101]; /* leaves the norm as it is */
    f.x[101] = kept;
    assert_true(distance(&f) > 0.5 * fabs(kept - f.x[100]) / f.summary[0]);
    fill(&f);
    for (int i = 0; i < COUNT; i++) {
        f.x[i] *= 1.0 + 1e-8;
    }
    assert_true(distance(&f) > 0.99e-8 && distance(&f) < 3e-8);
}

/* The estimate of |x - y| from projections alone, over many differences: seldom below half of it. */
static void projections_estimate_a_distance(void **state)
{
    (void)state;
    static fixture f;
    int below = 0;
    fill(&f);
    const golden_shape alone = {0, PROJECTIONS};
    double summary[1 + PROJECTIONS];
    summary[0] = f.summary[0];
    memcpy(summary + 1, f.summary + 1 + ENTRIES, PROJECTIONS * sizeof(double));
    enum { TRIALS = 200 };
    for (uint64_t trial = 0; trial < TRIALS; trial++) {
        static double y[COUNT];
        double squares = 0.0;
        for (uint64_t i = 0; i < COUNT; i++) {
            double difference = 1e-3 * rs_normal(4, trial, i);
            y[i] = f.x[i] + difference;
            squares += difference * difference;
        }
        double truth = sqrt(squares) / f.summary[0];
        double estimate = golden_distance(name, y, COUNT, summary, alone);
        assert_true(estimate < 2.5 * truth);
        below += estimate < 0.5 * truth;
    }
    assert_true(below <= 3); /* expected: 0.2 */
}

static void a_checksum_notices_one_bit(void **state)
{
    (void)state;
    float a[64], b[64];
    for (uint64_t i = 0; i < 64; i++) {
        a[i] = b[i] = (float)rs_normal(5, 1, i);
    }
    const float *first[] = {a, a}, *second[] = {a, b};
    assert_true(golden_checksum(first, 2, 64) == golden_checksum(second, 2, 64));
    b[63] = nextafterf(b[63], INFINITY);
    assert_false(golden_checksum(first, 2, 64) == golden_checksum(second, 2, 64));
    b[63] = a[63];
    b[5] = a[6];
    b[6] = a[5];
    assert_false(golden_checksum(first, 2, 64) == golden_checksum(second, 2, 64));
    a[0] = 0.0F;
    memcpy(b, a, sizeof a);
    b[0] = -0.0F; /* the one difference that means nothing */
    assert_true(golden_checksum(first, 2, 64) == golden_checksum(second, 2, 64));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tensor_is_at_no_distance_from_itself),
        cmocka_unit_test(distances_are_noticed),
        cmocka_unit_test(projections_estimate_a_distance),
        cmocka_unit_test(a_checksum_notices_one_bit),
    };
    return cmocka_run_group_tests_name("golden tools", tests, NULL, NULL);
}
