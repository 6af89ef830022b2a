/* test_config_yaml.c: a configuration as YAML and back; what is refused, with its line; junk of any kind. */
#include "config_test.h"

#include <stdlib.h>

#include "rs/host.h"
#include "rs/random.h"
#include "rs/yaml.h"
#include "short_memory.h"

static void a_dump_reads_back_to_the_same_bits(void **state)
{
    (void)state;
    static const char *const names[] = {
        "a b.h5",
        "\"quoted\" \\back\\slash",
        "- #: {}[]&*!|>%@`",
        " lead and trail ",
        "\xC2\x85 \xE2\x80\xA8 \xEF\xBB\xBF",
        "\xE6\xB7\xB1\xE5\xB1\xA4/\xF0\x9F\x94\xAC.h5",
        "null",
        "",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        rs_config c, d;
        char *text = NULL;
        rs_config_default(&c);
        rs_config_default(&d);
        ASSERT_TAKEN(rs_config_set(&c, "out", names[i], NULL, &error));
        c.depth = 101;
        c.plain = true;
        c.stop_on_nan = false;
        c.learning_rate = 0.1 + 0.2;
        c.epsilon = 1e-300;
        c.seed = INT64_MAX;
        ASSERT_TAKEN(rs_config_yaml(&c, &text, &error));
        ASSERT_TAKEN(rs_config_read_yaml(&d, text, "dump", &error));
        assert_memory_equal(&c, &d, sizeof c);
        rs_free(text);
    }
}

static void a_dump_has_every_option_once_in_order(void **state)
{
    (void)state;
    rs_config c;
    char *text = NULL;
    size_t count;
    const rs_option *table = rs_option_table(&count);
    rs_config_default(&c);
    ASSERT_TAKEN(rs_config_yaml(&c, &text, &error));
    const char *at = text;
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(table[i].name);
        assert_memory_equal(at, table[i].name, length);
        assert_memory_equal(at + length, ": ", 2);
        at = strchr(at, '\n') + 1;
    }
    assert_string_equal(at, "");
    rs_free(text);
}

static void every_fault_is_named_with_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "f:1: the file is empty"},
        {"# nothing\n\n", "f:3: the file is empty"},
        {"- depth\n", "f:1: it must be a map of keys and values, not a list"},
        {"depth 18\n", "f:1: it must be a map of keys and values, not a single value"},
        {"plain: true\ndepth: 67\n", "f:2: depth 67: not one of 18, 26, 34, 50, 68, 101; nearest 68"},
        {"\n\ndept: 18\n", "f:3: unknown key dept; nearest depth"},
        {"dept: [1, 2]\n", "f:1: unknown key dept; nearest depth"},
        {"depth: 18\nplain: true\ndepth: 34\n", "f:3: depth is given twice; first in line 1"},
        {"depth: [18, 34]\n", "f:1: depth must be a single value, not a list"},
        {"depth: {a: 1}\n", "f:1: depth must be a single value, not a map of keys and values"},
        {"depth:\n", "f:1: depth has no value (empty text is written \"\")"},
        {"out: ~\n", "f:1: out has no value (empty text is written \"\")"},
        {"out: null\n", "f:1: out has no value (empty text is written \"\")"},
        {"plain: yes\n", "f:1: plain yes: not one of true, false"},
        {"depth: &a 18\nepochs: *a\n",
         "f:1: anchors (&), aliases (*) and tags (!) are not taken; write the value out"},
        {"epochs: *a\n", "f:1: anchors (&), aliases (*) and tags (!) are not taken; write the value out"},
        {"depth: !!str 18\n",
         "f:1: anchors (&), aliases (*) and tags (!) are not taken; write the value out"},
        {"depth: 18\n---\ndepth: 34\n", "f:2: a second document begins; one file holds one"},
        {"? [a, b]\n: 1\n", "f:1: a list or map as a key; keys are names"},
        {"out: \"a\\0b\"\n", "f:1: a text with a NUL character in it"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        rs_config c, before;
        rs_config_default(&c);
        before = c;
        ASSERT_REFUSED(rs_config_read_yaml(&c, cases[i].text, "f", &error), cases[i].message);
        assert_memory_equal(&c, &before, sizeof c);
    }
}

static void syntax_errors_name_their_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *begin;
    } cases[] = {
        {"depth: 18\n  plain: true\n", "f:2: not valid YAML: "},
        {"depth: [18\n", "f:2: not valid YAML: "},
        {"depth: \"18\n", "f:2: not valid YAML: "},
        {"\tdepth: 18\n", "f:1: not valid YAML: "},
        {"depth: 18\n\x01\n",
         "f:2: not a text file in UTF-8 (control characters are not allowed at byte 11)"},
        {"depth: 18\nout: \xFF\n", "f:2: not a text file in UTF-8 (invalid leading UTF-8 octet at byte 16)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        rs_config c;
        rs_error error = {0};
        rs_config_default(&c);
        assert_int_equal(rs_config_read_yaml(&c, cases[i].text, "f", &error), RS_USAGE);
        error.text[strlen(cases[i].begin)] = '\0';
        assert_string_equal(error.text, cases[i].begin);
    }
}

static void depth_and_size_are_bounded(void **state)
{
    (void)state;
    rs_yaml *root = NULL;
    char deep[2 * 5000 + 1];
    memset(deep, '[', 5000);
    memset(deep + 5000, ']', 5000);
    ASSERT_REFUSED(rs_yaml_parse(deep, 10000, "f", &root, &error), "f:1: nested more than 16 levels deep");
    assert_null(root);
    size_t many = RS_YAML_MAX_NODES + 10;
    char *wide = rs_alloc(2 * many + 2);
    assert_non_null(wide);
    wide[0] = '[';
    for (size_t i = 0; i < many; i++) {
        memcpy(wide + 1 + 2 * i, "1,", 2);
    }
    wide[1 + 2 * many] = ']';
    ASSERT_REFUSED(rs_yaml_parse(wide, 2 * many + 2, "f", &root, &error),
                   "f:1: more than 20000 values in one file");
    rs_free(wide);
}

/* Random bytes, and a valid text with random bytes changed: an error with a place, or a configuration whose
 * every value its own check takes; never a crash (the sanitizers watch). */
static void junk_is_survived(void **state)
{
    (void)state;
    char *valid = NULL;
    rs_config defaults;
    rs_config_default(&defaults);
    ASSERT_TAKEN(rs_config_yaml(&defaults, &valid, &error));
    size_t length = strlen(valid);
    char *text = rs_alloc(length + 1);
    assert_non_null(text);
    int refused = 0;
    for (uint64_t trial = 0; trial < 3000; trial++) {
        memcpy(text, valid, length + 1);
        for (uint64_t edit = 0; edit < 1 + trial % 3; edit++) {
            rs_philox w = rs_philox_at(11, trial, edit);
            text[w.word[0] % length] = (char)(w.word[1] % 255 + 1);
        }
        if (trial % 10 == 0) {
            for (size_t i = 0; i < length; i++) {
                text[i] = (char)(rs_philox_at(12, trial, i).word[0] % 255 + 1);
            }
        }
        rs_config c = defaults;
        rs_error problem = {0};
        if (rs_config_read_yaml(&c, text, "f", &problem) == RS_OK) {
            char *again = NULL;
            ASSERT_TAKEN(rs_config_yaml(&c, &again, &error));
            ASSERT_TAKEN(rs_config_read_yaml(&c, again, "f", &error));
            rs_free(again);
        } else {
            refused++;
            assert_int_equal(problem.status, RS_USAGE);
            assert_memory_equal(problem.text, "f:", 2);
            assert_true(atoi(problem.text + 2) >= 1);
            assert_memory_equal(&c, &defaults, sizeof c);
        }
    }
    assert_true(refused > 1500);
    rs_free(text);
    rs_free(valid);
}

static void a_file_that_cannot_be_read_is_unusable_data(void **state)
{
    (void)state;
    rs_yaml *root = NULL;
    rs_error error = {0};
    assert_int_equal(rs_yaml_load("/nonexistent/study.yaml", &root, &error), RS_DATA);
    assert_string_equal(error.text, "/nonexistent/study.yaml: cannot be opened: No such file or directory");
    assert_int_equal(rs_yaml_load("/", &root, &error), RS_DATA);
    assert_non_null(strstr(error.text, "cannot be read"));
    assert_null(root);
}

static rs_status dump_and_read(rs_error *error)
{
    rs_config c;
    char *text = NULL, **arguments = NULL;
    int count = 0;
    rs_config_default(&c);
    c.plain = true;
    c.depth = 34;
    rs_status status = rs_config_arguments(&c, &arguments, &count, error);
    status = status ? status : rs_config_yaml(&c, &text, error);
    status = status ? status : rs_config_read_yaml(&c, text, "f", error);
    rs_config_arguments_free(arguments);
    rs_free(text);
    return status;
}

/* Nothing leaks on the way (the address sanitizer watches). */
static void memory_that_runs_out_is_an_error(void **state)
{
    (void)state;
    assert_true(count_requests(dump_and_read) > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dump_reads_back_to_the_same_bits),
        cmocka_unit_test(a_dump_has_every_option_once_in_order),
        cmocka_unit_test(every_fault_is_named_with_its_line),
        cmocka_unit_test(syntax_errors_name_their_line),
        cmocka_unit_test(depth_and_size_are_bounded),
        cmocka_unit_test(junk_is_survived),
        cmocka_unit_test(a_file_that_cannot_be_read_is_unusable_data),
        cmocka_unit_test(memory_that_runs_out_is_an_error),
    };
    return cmocka_run_group_tests_name("configuration as YAML", tests, NULL, NULL);
}
