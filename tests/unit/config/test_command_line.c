/* test_command_line.c: options as typed; and a configuration as the command line that gives it. */
#include "config_test.h"

#include "rs/host.h"

enum { MOST = 16 };

/* Parses blank-separated words. */
static rs_status parse(rs_config *config, const char *line, bool *help, rs_error *error)
{
    char words[512];
    char *argv[MOST] = {(char *)(uintptr_t) "resnet_study"};
    int argc = 1;
    (void)snprintf(words, sizeof words, "%s", line);
    for (char *word = strtok(words, " "); word && argc < MOST; word = strtok(NULL, " ")) {
        argv[argc++] = word;
    }
    return rs_config_parse(config, 1, argc, argv, help, error);
}

static void both_spellings_of_a_value_are_taken(void **state)
{
    (void)state;
    rs_config c;
    bool help = true;
    rs_config_default(&c);
    ASSERT_TAKEN(
        parse(&c, "--depth 68 --plain --learning-rate=1e-2 --no-stop-on-nan --seed-init -1 --no-download",
              &help, &error));
    assert_false(help);
    assert_int_equal(c.depth, 68);
    assert_true(c.plain);
    assert_true(c.learning_rate == 1e-2);
    assert_false(c.stop_on_nan);
    assert_int_equal(c.seed_init, -1);
    assert_true(c.no_download);
    ASSERT_TAKEN(parse(&c, "--depth 18 --depth 34 --out= --stop-on-nan", &help, &error));
    assert_int_equal(c.depth, 34); /* the last one counts */
    assert_true(c.stop_on_nan);
}

static void help_is_noticed_and_ends_the_parse(void **state)
{
    (void)state;
    rs_config c;
    bool help = false;
    rs_config_default(&c);
    ASSERT_TAKEN(parse(&c, "--plain --help --depth 67", &help, &error));
    assert_true(help);
    ASSERT_TAKEN(parse(&c, "-h", &help, &error));
    assert_true(help);
}

static void what_is_no_option_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *line, *message;
    } cases[] = {
        {"depth 18", "depth: not an option: they begin with two dashes; nearest --depth"},
        {"-plain", "-plain: not an option: they begin with two dashes; nearest --plain"},
        {"--", "--: not an option: they begin with two dashes"},
        {"--depht 18", "--depht: unknown option; nearest --depth"},
        {"--Depth=18", "--Depth: unknown option; nearest --depth"},
        {"--depth", "--depth: its value N is missing; allowed: one of 18, 26, 34, 50, 68, 101"},
        {"--depth --plain", "--depth: its value N is missing; allowed: one of 18, 26, 34, 50, 68, 101"},
        {"--out --plain", "--out: its value RUN.h5 is missing"},
        {"--plain=true", "--plain: takes no value; it stands alone"},
        {"--no-stop-on-nan=1", "--no-stop-on-nan: takes no value; it stands alone"},
        {"--no-plain", "--no-plain: it is off already; leave it out"},
        {"--no-depth", "--no-depth: only flags can be switched off"},
        {"--no-plane", "--no-plane: unknown option"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        rs_config c, before;
        bool help;
        rs_error error = {0};
        rs_config_default(&c);
        before = c;
        assert_int_equal(parse(&c, cases[i].line, &help, &error), RS_USAGE);
        assert_memory_equal(error.text, cases[i].message, strlen(cases[i].message));
        assert_memory_equal(&c, &before, sizeof c);
    }
}

/* An option in front of the wrong one must not be applied either. */
static void a_refused_line_changes_nothing(void **state)
{
    (void)state;
    rs_config c, before;
    bool help;
    rs_config_default(&c);
    before = c;
    ASSERT_REFUSED(parse(&c, "--plain --depth 68 --epochs x", &help, &error),
                   "--epochs x: not a whole number from 0 to 1000000");
    assert_memory_equal(&c, &before, sizeof c);
}

static void arguments_give_the_configuration_back(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "",
        "--plain --no-stop-on-nan --depth 101 --learning-rate 0.1",
        "--snapshots=epochs:1..4;steps:1..100*10 --out=--plain --record=weights:layer4* --seed 0",
        "--epsilon 4.9406564584124654e-324 --no-download --quiet",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        rs_config c, d;
        bool help;
        char **arguments = NULL;
        int count = -1;
        rs_config_default(&c);
        rs_config_default(&d);
        ASSERT_TAKEN(parse(&c, lines[i], &help, &error));
        ASSERT_TAKEN(rs_config_arguments(&c, &arguments, &count, &error));
        assert_null(arguments[count]);
        assert_int_equal(count == 0, i == 0);
        ASSERT_TAKEN(rs_config_parse(&d, 0, count, arguments, &help, &error));
        assert_memory_equal(&c, &d, sizeof c);
        rs_config_arguments_free(arguments);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_spellings_of_a_value_are_taken),
        cmocka_unit_test(help_is_noticed_and_ends_the_parse),
        cmocka_unit_test(what_is_no_option_is_refused),
        cmocka_unit_test(a_refused_line_changes_nothing),
        cmocka_unit_test(arguments_give_the_configuration_back),
    };
    return cmocka_run_group_tests_name("command line", tests, NULL, NULL);
}
