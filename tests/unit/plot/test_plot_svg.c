/* test_plot_svg.c: gnuplot's SVG for a page: ids, fonts, title; what a text says is left alone. */
#include <string.h>

#include "harness.h"
#include "rs/host.h"
#include "svg.h"

static rs_error error;

static const char svg[] =
    "<?xml version=\"1.0\"?>\n<svg width=\"10\">\n<title>Gnuplot</title>\n<desc>Produced by X </desc>\n"
    "<g id=\"a\"><title>gnuplot_plot_1a</title><path id='b'/><use xlink:href='#b'/><rect "
    "fill=\"url(#c)\"/></g>\n"
    "<text font-family=\"Helvetica\"> id=\"not\" href='#one' url(#x)</text>"
    "<text font-family=\"Lato\">y</text></svg>\n";

static void has(const char *text, const char *what)
{
    if (!strstr(text, what)) {
        fail_msg("no %s in:\n%s", what, text);
    }
}

static void test_page(void **state)
{
    char *clean = NULL;
    (void)state;
    harness_ok(rs__svg_clean(svg, "p1-", "A & B <1>", "of \"C\"\n", &clean, &error), &error);
    assert_true(strncmp(clean, "<svg role=\"img\" aria-label=\"A &amp; B &lt;1&gt;\" width", 50) == 0);
    has(clean, "<title>A &amp; B &lt;1&gt;</title>\n<desc>of &quot;C&quot; </desc>\n<g");
    has(clean, "<g id=\"p1-a\"><path id='p1-b'/><use xlink:href='#p1-b'/><rect fill=\"url(#p1-c)\"/>");
    has(clean, "<text font-family=\"Helvetica, Arial, sans-serif\"> id=\"not\" href='#one' url(#x)</text>");
    has(clean, "font-family=\"Lato, sans-serif\">y");
    assert_null(strstr(clean, "Produced"));
    rs_free(clean);
}

static void test_file(void **state)
{
    char *clean = NULL;
    (void)state;
    harness_ok(rs__svg_clean(svg, NULL, "T", "D", &clean, &error), &error);
    assert_true(strncmp(clean, "<?xml version=\"1.0\"?>\n<svg role", 30) == 0);
    has(clean, "<g id=\"a\">");
    has(clean, "font-family=\"Helvetica, Arial, sans-serif\"");
    rs_free(clean);
}

static void test_none(void **state)
{
    char *clean = NULL;
    (void)state;
    assert_int_equal(rs__svg_clean("<svg width=\"3\"", "p", "", "", &clean, &error), RS_FAILED);
    assert_int_equal(rs__svg_clean("", "p", "", "", &clean, &error), RS_FAILED);
    assert_null(clean);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_page),
        cmocka_unit_test(test_file),
        cmocka_unit_test(test_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
