/* test_html.c: no text gets out of its place, whatever it holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "html.h"

/* What `write` makes of a text. */
static void check(void (*write)(FILE *file, const char *text), const char *text, const char *expected)
{
    char *written = NULL;
    size_t length = 0;
    FILE *file = open_memstream(&written, &length);
    assert_non_null(file);
    write(file, text);
    assert_int_equal(fclose(file), 0);
    assert_string_equal(written, expected);
    free(written);
}

static void html_has_no_markup_of_a_text(void **state)
{
    (void)state;
    check(rs__html_text, "<script>alert('x')</script>", "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;");
    check(rs__html_text, "\" onload=\"x & y", "&quot; onload=&quot;x &amp; y");
    check(rs__html_text, "größe ± 日本 \xF0\x9F\x98\x80", "größe ± 日本 \xF0\x9F\x98\x80");
    check(rs__html_text, NULL, "");
}

static void bytes_that_are_no_text_are_replaced(void **state)
{
    (void)state;
    check(rs__html_text, "a\xFF<", "a\xEF\xBF\xBD&lt;");
    check(rs__html_text, "\xC0\xAF", "\xEF\xBF\xBD\xEF\xBF\xBD"); /* overlong */
    check(rs__html_text, "\xED\xA0\x80",
          "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");                /* half of a surrogate pair */
    check(rs__html_text, "\xE6\x97", "\xEF\xBF\xBD\xEF\xBF\xBD"); /* cut off */
    check(rs__html_text, "\xF4\x90\x80\x80z", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDz");
    check(rs__html_text, "a\x01\x1B[31m\nb\tc", "a\xEF\xBF\xBD\xEF\xBF\xBD[31m\nb\tc");
}

static void ids_are_safe_and_differ(void **state)
{
    (void)state;
    check(rs__html_id, "layer1.0-conv", "layer1_2e0-conv");
    check(rs__html_id, "a_b", "a_5fb");
    check(rs__html_id, "\"><b", "_22_3e_3cb");
}

static void json_stays_a_string_and_in_its_script(void **state)
{
    (void)state;
    check(rs__report_json_text, "</script><!-- \"\\\n\x02",
          "\"\\u003c/script>\\u003c!-- \\\"\\\\\\n\\u0002\"");
    check(rs__report_json_text, "a & b", "\"a \\u0026 b\"");
}

static void csv_and_markdown_keep_their_cells(void **state)
{
    (void)state;
    check(rs__report_csv_text, "depth 18, \"plain\"", "\"depth 18, \"\"plain\"\"\"");
    check(rs__report_markdown_text, "a|b\n*c* [d](e) <f> `g` \\",
          "a\\|b \\*c\\* \\[d](e) &lt;f> \\`g\\` \\\\");
}

static void formats_escape_texts_alone(void **state)
{
    (void)state;
    char *written = NULL;
    size_t length = 0;
    FILE *file = open_memstream(&written, &length);
    assert_non_null(file);
    rs__html(file, "<b>%s</b> %d %" PRId64 " %zu %.3g 100%%", "<&>", -3, (int64_t)1 << 40, (size_t)7,
             0.123456);
    assert_int_equal(fclose(file), 0);
    assert_string_equal(written, "<b>&lt;&amp;&gt;</b> -3 1099511627776 7 0.123 100%");
    free(written);
}

static void numbers_that_are_none_are_null(void **state)
{
    (void)state;
    char *written = NULL;
    size_t length = 0;
    FILE *file = open_memstream(&written, &length);
    assert_non_null(file);
    rs__report_json_number(file, NAN, 6);
    rs__report_json_number(file, INFINITY, 6);
    rs__report_json_number(file, 0.1, 17);
    assert_int_equal(fclose(file), 0);
    assert_string_equal(written, "nullnull0.10000000000000001");
    free(written);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(html_has_no_markup_of_a_text),
        cmocka_unit_test(bytes_that_are_no_text_are_replaced),
        cmocka_unit_test(ids_are_safe_and_differ),
        cmocka_unit_test(json_stays_a_string_and_in_its_script),
        cmocka_unit_test(csv_and_markdown_keep_their_cells),
        cmocka_unit_test(formats_escape_texts_alone),
        cmocka_unit_test(numbers_that_are_none_are_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
