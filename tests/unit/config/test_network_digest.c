/* test_network_digest.c: which content a network's file holds goes into the configuration, so into names and resumes. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "config_test.h"
#include "rs/yaml.h"

static uint64_t digest(const char *text)
{
    rs_yaml *root = NULL;
    ASSERT_TAKEN(rs_yaml_parse(text, strlen(text), "f", &root, &error));
    uint64_t value = rs_yaml_digest(root);
    rs_yaml_destroy(root);
    return value;
}

static void layout_and_comments_do_not_count(void **state)
{
    (void)state;
    uint64_t one = digest("layers:\n  - {linear: 5, name: a}\n  - relu\n");
    assert_true(one == digest("# mine\nlayers: [{linear:   5, name: a}, relu] # all\n"));
    static const char *const others[] = {
        "layers:\n  - {linear: 6, name: a}\n  - relu\n",   "layers:\n  - {linear: 5, nam: a}\n  - relu\n",
        "layers:\n  - relu\n  - {linear: 5, name: a}\n",   "layers:\n  - {linear: 5, name: a, b: relu}\n",
        "layers:\n  - {linear: 5a, name: ''}\n  - relu\n", "layers:\n  - [linear, 5, name, a]\n  - relu\n",
        "layers:\n  - {linear: 5, name: a}\n  - [relu]\n", "layers:\n  - {linear: '5', name: a}\n  - relu\n",
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_true(one != digest(others[i]));
    }
}

static void files_have_a_slash_or_an_ending(void **state)
{
    (void)state;
    assert_true(rs_yaml_is_path("a/b") && rs_yaml_is_path("net.yaml") && rs_yaml_is_path("net.yml"));
    assert_false(rs_yaml_is_path("") || rs_yaml_is_path("cnn-b") || rs_yaml_is_path(".yaml") ||
                 rs_yaml_is_path("yaml"));
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void the_digest_of_a_file_is_set_and_compared(void **state)
{
    (void)state;
    char path[] = "/tmp/rs_network_digest.XXXXXX.yaml", expected[17], first[128], second[128];
    int file = mkstemps(path, 5);
    assert_true(file >= 0);
    assert_int_equal(close(file), 0);
    write_text(path, "layers: [relu]\n");
    rs_config c, d;
    rs_config_default(&c);
    (void)snprintf(c.network, sizeof c.network, "%s", path);
    d = c;
    ASSERT_TAKEN(rs_config_resolve(&c, &error));
    (void)snprintf(expected, sizeof expected, "%016llx", (unsigned long long)digest("layers: [relu]\n"));
    assert_string_equal(c.network_digest, expected);
    ASSERT_TAKEN(rs_config_resolve(&c, &error));
    write_text(path, "layers: [tanh]\n");
    rs_error problem = {0};
    assert_int_equal(rs_config_resolve(&c, &problem), RS_USAGE);
    assert_non_null(strstr(problem.text, "--network-digest"));
    ASSERT_TAKEN(rs_config_resolve(&d, &error));
    rs_config_run_name(&c, first, sizeof first);
    rs_config_run_name(&d, second, sizeof second);
    assert_string_not_equal(first, second);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rs_config_resolve(&d, &problem), RS_DATA);
}

static void names_have_no_digest(void **state)
{
    (void)state;
    rs_config c;
    rs_error problem = {0};
    rs_config_default(&c);
    ASSERT_TAKEN(rs_config_resolve(&c, &error));
    (void)snprintf(c.network, sizeof c.network, "cnn-b");
    ASSERT_TAKEN(rs_config_resolve(&c, &error));
    assert_string_equal(c.network_digest, "");
    (void)snprintf(c.network_digest, sizeof c.network_digest, "00");
    assert_int_equal(rs_config_resolve(&c, &problem), RS_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layout_and_comments_do_not_count),
        cmocka_unit_test(files_have_a_slash_or_an_ending),
        cmocka_unit_test(the_digest_of_a_file_is_set_and_compared),
        cmocka_unit_test(names_have_no_digest),
    };
    return cmocka_run_group_tests_name("network_digest", tests, NULL, NULL);
}
