/* test_option_values.c: one value from text: what is taken, what is refused and how; numbers keep their bits.
 */
#include "config_test.h"

#include <math.h>
#include <stdio.h>

#include "option.h"
#include "rs/random.h"

static void the_defaults_are_those_of_the_table(void **state)
{
    (void)state;
    rs_config c;
    rs_config_default(&c);
    assert_int_equal(c.depth, 18);
    assert_false(c.plain);
    assert_string_equal(c.dataset, "cifar10");
    assert_true(c.learning_rate == 1e-3);
    assert_true(c.stop_on_nan);
    assert_string_equal(c.metric, "minkowski:1");
}

/* A default that its own check refuses, or that the check spells otherwise, would change a run's name when it
 * is written out. */
static void every_default_is_canonical_and_allowed(void **state)
{
    (void)state;
    size_t count;
    const rs_option *table = rs_option_table(&count);
    assert_true(count > 40);
    for (size_t i = 0; i < count; i++) {
        rs_config c, d;
        char text[RS_TEXT_MAX], again[RS_TEXT_MAX];
        rs_config_default(&c);
        rs_config_default(&d);
        rs__option_text(&table[i], &c, text);
        ASSERT_TAKEN(rs_config_set(&c, table[i].name, text, NULL, &error));
        rs__option_text(&table[i], &c, again);
        assert_string_equal(text, again);
        assert_memory_equal(&c, &d, sizeof c);
    }
}

static void a_value_outside_is_refused_with_what_is_allowed(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text, *place, *message;
    } cases[] = {
        {"depth", "67", "--depth", "--depth 67: not one of 18, 26, 34, 50, 68, 101; nearest 68"},
        {"depth", "1O1", "--depth", "--depth 1O1: not one of 18, 26, 34, 50, 68, 101; nearest 101"},
        {"depth", "", "--depth", "--depth \"\": not one of 18, 26, 34, 50, 68, 101"},
        {"depth", "-9223372036854775808", NULL,
         "depth -9223372036854775808: not one of 18, 26, 34, 50, 68, 101; nearest 18"},
        {"depth", "67", "a.yaml:12", "a.yaml:12: depth 67: not one of 18, 26, 34, 50, 68, 101; nearest 68"},
        {"epochs", "-1", "--epochs", "--epochs -1: not a whole number from 0 to 1000000; nearest 0"},
        {"epochs", "1000001", NULL, "epochs 1000001: not a whole number from 0 to 1000000; nearest 1000000"},
        {"epochs", "1e3", NULL, "epochs 1e3: not a whole number from 0 to 1000000"},
        {"epochs", "99999999999999999999", NULL,
         "epochs 99999999999999999999: not a whole number from 0 to 1000000"},
        {"seed", "-1", NULL, "seed -1: not a whole number of at least 0; nearest 0"},
        {"learning-rate", "-1", NULL, "learning-rate -1: not a number of at least 0; nearest 0"},
        {"learning-rate", "nan", NULL, "learning-rate nan: not a number of at least 0"},
        {"learning-rate", "inf", NULL, "learning-rate inf: not a number of at least 0"},
        {"learning-rate", "1e999", NULL, "learning-rate 1e999: not a number of at least 0"},
        {"learning-rate", "1e-3x", NULL, "learning-rate 1e-3x: not a number of at least 0"},
        {"momentum", "1.5", NULL, "momentum 1.5: not a number from 0 to 1; nearest 1"},
        {"dataset", "cifar", "--dataset",
         "--dataset cifar: not one of cifar10, cifar100, mnist, fashion-mnist, shapes, function; nearest "
         "cifar10"},
        {"dataset", "CIFAR10\n", NULL,
         "dataset CIFAR10?: not one of cifar10, cifar100, mnist, fashion-mnist, shapes, function"},
        {"plain", "yes", "a.yaml:3", "a.yaml:3: plain yes: not one of true, false"},
        {"blocks", "3,4,6", "--blocks",
         "--blocks 3,4,6: not four numbers from 1 to 1000 with commas, as in 3,4,6,3"},
        {"blocks", "3,4,6,0", NULL,
         "blocks 3,4,6,0: not four numbers from 1 to 1000 with commas, as in 3,4,6,3"},
        {"blocks", "3,4,6,1001", NULL,
         "blocks 3,4,6,1001: not four numbers from 1 to 1000 with commas, as in 3,4,6,3"},
        {"blocks", "3,4,6,3,3", NULL,
         "blocks 3,4,6,3,3: not four numbers from 1 to 1000 with commas, as in 3,4,6,3"},
        {"device", "gpu", NULL, "device gpu: not one of auto, cpu, cuda, cuda:N, ref; nearest cuda"},
        {"device", "cuda:x", NULL, "device cuda:x: not one of auto, cpu, cuda, cuda:N, ref; nearest cuda"},
        {"normalization", "0.5", NULL,
         "normalization 0.5: not train, and no mean and positive standard deviation with a slash, as in "
         "0.5/0.5"},
        {"augment", "flip,crop", NULL,
         "augment flip,crop: \"crop\": each at most once: flip, crop:PIXELS (1 to 256), rotate:DEGREES (up "
         "to "
         "180), jitter:SHARE (up to 1)"},
        {"function", "sinc-lag", "--function",
         "--function sinc-lag: not one of sin-log, sinc, sinc-log; nearest sinc-log"},
        {"metric", "", NULL,
         "metric \"\": names no metric; to measure no distance leave distances out of record"},
        {"out", "a\tb", "--out", "--out a?b: holds a control character (byte 9)"},
        {"out", "\xC3(", NULL, "out \xC3(: not valid UTF-8 at byte 1"},
        {"dept", "18", "--dept", "--dept: unknown option; nearest --depth"},
        {"dept", "18", "a.yaml:3", "a.yaml:3: unknown key dept; nearest depth"},
        {"nonsense-altogether", "1", NULL,
         "unknown key nonsense-altogether; resnet_study --help lists all options"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        rs_config c, before;
        rs_config_default(&c);
        before = c;
        ASSERT_REFUSED(rs_config_set(&c, cases[i].name, cases[i].text, cases[i].place, &error),
                       cases[i].message);
        assert_memory_equal(&c, &before, sizeof c);
    }
}

static void a_text_longer_than_its_field_is_refused(void **state)
{
    (void)state;
    char text[RS_TEXT_MAX + 1];
    rs_config c;
    rs_config_default(&c);
    memset(text, 'a', RS_TEXT_MAX);
    text[RS_TEXT_MAX] = '\0';
    rs_error problem = {0};
    assert_int_equal(rs_config_set(&c, "out", text, NULL, &problem), RS_USAGE);
    assert_non_null(strstr(problem.text, "longer than 1023 bytes"));
    text[RS_TEXT_MAX - 1] = '\0';
    ASSERT_TAKEN(rs_config_set(&c, "out", text, NULL, &error));
    assert_string_equal(c.out, text);
}

static void equal_settings_get_one_spelling(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text, *canonical;
    } cases[] = {
        {"blocks", " 3, 4,06 ,3 ", "3,4,6,3"},
        {"metric", "minkowski:1.0, cosine", "minkowski:1,cosine"},
        {"record", " weights , gradients:fc* ,", "weights,gradients:fc*"},
        {"snapshots", "epochs: 0, 1..3 ; last:2", "epochs:0,1..3;last:2"},
        {"learning-rate", "1E-8", "1.0e-08"},
        {"learning-rate", ".5", "0.5"},
        {"learning-rate", "-0", "0.0"},
        {"learning-rate", "12345678901234567890", "1.2345678901234567e+19"},
        {"epochs", "+007", "7"},
        {"device", "cuda:01", "cuda:1"},
        {"normalization", " 0.50/.5, 1e-1/2", "0.5/0.5,0.1/2"},
        {"normalization", "train", "train"},
        {"normalization", "", ""},
        {"augment", "jitter:.20, crop:4.0 ,flip,rotate:15", "flip,crop:4,rotate:15,jitter:0.2"},
        {"augment", "", ""},
        {"function", "sinc", "sinc"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        rs_config c;
        char text[RS_TEXT_MAX];
        rs_config_default(&c);
        ASSERT_TAKEN(rs_config_set(&c, cases[i].name, cases[i].text, NULL, &error));
        rs__option_text(rs__option_find(cases[i].name), &c, text);
        assert_string_equal(text, cases[i].canonical);
    }
}

/* Random bit patterns, the limits, and numbers below full precision. */
static void reals_keep_every_bit(void **state)
{
    (void)state;
    const rs_option *option = rs__option_find("learning-rate");
    for (uint64_t i = 0; i < 100000; i++) {
        rs_config c, d;
        char text[RS_TEXT_MAX];
        rs_philox words = rs_philox_at(7, 0, i);
        uint64_t bits = ((uint64_t)words.word[0] << 32 | words.word[1]) & INT64_MAX;
        bits = i < 64 ? UINT64_C(1) << (i % 52) : i == 64 ? 0x7FEFFFFFFFFFFFFF : bits;
        double value;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value)) {
            continue;
        }
        rs_config_default(&c);
        rs_config_default(&d);
        c.learning_rate = value;
        rs__option_text(option, &c, text);
        ASSERT_TAKEN(rs__option_set(option, &d, text, NULL, &error));
        assert_memory_equal(&c.learning_rate, &d.learning_rate, sizeof value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_defaults_are_those_of_the_table),
        cmocka_unit_test(every_default_is_canonical_and_allowed),
        cmocka_unit_test(a_value_outside_is_refused_with_what_is_allowed),
        cmocka_unit_test(a_text_longer_than_its_field_is_refused),
        cmocka_unit_test(equal_settings_get_one_spelling),
        cmocka_unit_test(reals_keep_every_bit),
    };
    return cmocka_run_group_tests_name("option values", tests, NULL, NULL);
}
