/* test_json.c: JSON as it stands in the specification: commas, quotes, escapes, numbers that read back. */
#include <setjmp.h> /* cmocka.h needs these four first */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "rs/json.h"

static char *text;
static size_t length;
static rs_json json;

static void begin(void)
{
    free(text);
    json = rs_json_begin(open_memstream(&text, &length));
}

static void assert_written(const char *expected)
{
    assert_int_equal(fclose(json.stream), 0);
    assert_string_equal(text, expected);
}

static void test_values(void **state)
{
    (void)state;
    begin();
    rs_json_open(&json, NULL, '{');
    rs_json_integer(&json, "a", INT64_MIN);
    rs_json_real(&json, "b", 0.1);
    rs_json_real(&json, "c", NAN);
    rs_json_real(&json, "d", -INFINITY);
    rs_json_flag(&json, "e", true);
    rs_json_text(&json, "f", NULL);
    rs_json_open(&json, "g", '[');
    rs_json_integer(&json, NULL, 1);
    rs_json_text(&json, NULL, "x");
    rs_json_close(&json);
    rs_json_open(&json, "h", '{');
    rs_json_close(&json);
    rs_json_close(&json);
    assert_written(
        "{\n  \"a\": -9223372036854775808,\n  \"b\": 0.10000000000000001,\n  \"c\": null,\n  \"d\": null,\n"
        "  \"e\": true,\n  \"f\": null,\n  \"g\": [1, \"x\"],\n  \"h\": {}\n}\n");
}

static void test_lists_of_lists(void **state)
{
    (void)state;
    begin();
    rs_json_open(&json, NULL, '[');
    for (int i = 0; i < 2; i++) {
        rs_json_open(&json, NULL, '[');
        rs_json_integer(&json, NULL, i);
        rs_json_close(&json);
    }
    rs_json_close(&json);
    assert_written("[\n  [0],\n  [1]]\n");
}

/* Each stands for itself, is escaped, or becomes U+FFFD: quotes, controls, two to four bytes, and what is no UTF-8: a lone
 * continuation, an overlong form, a surrogate, beyond U+10FFFF, cut off. */
static void test_escapes(void **state)
{
    static const struct {
        const char *given, *expected;
    } cases[] = {
        {"a\"b\\c", "\"a\\\"b\\\\c\"\n"},
        {"\n\t\x7f", "\"\\n\\u0009\\u007f\"\n"},
        {"größe €\U0001F600", "\"größe €\U0001F600\"\n"},
        {"\x80", "\"\uFFFD\"\n"},
        {"\xc0\xaf", "\"\uFFFD\uFFFD\"\n"},
        {"\xed\xa0\x80", "\"\uFFFD\uFFFD\uFFFD\"\n"},
        {"\xf4\x90\x80\x80", "\"\uFFFD\uFFFD\uFFFD\uFFFD\"\n"},
        {"\xe2\x82", "\"\uFFFD\uFFFD\"\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        begin();
        rs_json_text(&json, NULL, cases[i].given);
        (void)fputc('\n', json.stream);
        assert_written(cases[i].expected);
    }
}

static int end(void **state)
{
    (void)state;
    free(text);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_lists_of_lists),
        cmocka_unit_test(test_escapes),
    };
    return cmocka_run_group_tests(tests, NULL, end);
}
