/* test_text.c: nearest words, lists, numbers, globs, sizes, letters, wrapped lines, spreads, errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "rs/statistics.h"
#include "rs/status.h"
#include "rs/tensor.h"
#include "rs/text.h"

static void the_nearest_word_is_found_or_none(void **state)
{
    (void)state;
    static const char *const words[] = {"depth", "dataset", "data-dir", "epochs"};
    assert_string_equal(rs_text_nearest("dpeth", words, 4), "depth");
    assert_string_equal(rs_text_nearest("epoch", words, 4), "epochs");
    assert_string_equal(rs_text_nearest("data_set", words, 4), "dataset");
    assert_null(rs_text_nearest("zzzzzz", words, 4));
    static const char *const begun[] = {"batch-norm", "batch-size", "out", "lr"};
    assert_string_equal(rs_text_nearest("batch", begun, 4), "batch-norm"); /* the first of the shortest */
    assert_string_equal(rs_text_nearest("output", begun, 4), "out");
    assert_null(rs_text_nearest("lr-schedule", begun, 4)); /* two letters begin too much */
    assert_null(rs_text_nearest("ba", begun, 4));
    static const char *const short_ones[] = {"fit", "pca", "loss"};
    assert_null(rs_text_nearest("foo", short_ones, 3)); /* two of three letters are another word */
    assert_null(rs_text_nearest("pass", short_ones, 3));
    assert_string_equal(rs_text_nearest("los", short_ones, 3), "loss");
    assert_string_equal(rs_text_nearest("pac", short_ones, 3), "pca");
}

static void numbers_are_compared_by_size(void **state)
{
    (void)state;
    assert_true(rs_text_compare("9", "10") < 0 && rs_text_compare("1e-3", "0.0001") > 0);
    assert_true(rs_text_compare("0.1", "1e-1") == 0);
    assert_true(rs_text_compare("adam", "sgd") < 0 && rs_text_compare("10", "9x") < 0);
}

static void lists_split_into_trimmed_words(void **state)
{
    (void)state;
    char word[8];
    const char *at = " a ,, bc,d e ,longer-than-eight";
    assert_true(rs_text_next_word(&at, ',', word, sizeof word));
    assert_string_equal(word, "a");
    assert_true(rs_text_next_word(&at, ',', word, sizeof word));
    assert_string_equal(word, "bc");
    assert_true(rs_text_next_word(&at, ',', word, sizeof word));
    assert_string_equal(word, "d e");
    assert_true(rs_text_next_word(&at, ',', word, sizeof word));
    assert_string_equal(word, "longer-");
    assert_false(rs_text_next_word(&at, ',', word, sizeof word));
}

static void numbers_are_whole_texts_within_range(void **state)
{
    (void)state;
    int64_t n = 0;
    double x = 0;
    assert_true(rs_text_int("-12", &n) && n == -12);
    assert_false(rs_text_int("12x", &n) || rs_text_int("", &n) || rs_text_int(" 1", &n) ||
                 rs_text_int("99999999999999999999", &n));
    assert_true(rs_text_real("1e-3", &x) && x == 1e-3);
    assert_false(rs_text_real("1e999", &x) || rs_text_real("a", &x) || rs_text_real("1 ", &x));
}

static void globs_match_as_a_shell_would(void **state)
{
    (void)state;
    assert_true(rs_text_glob("layer4*", "layer4.2.conv1.weight"));
    assert_true(rs_text_glob("*conv?.weight", "layer4.2.conv1.weight"));
    assert_true(rs_text_glob("*", ""));
    assert_true(rs_text_glob("a*b*c", "axxbyyc"));
    assert_false(rs_text_glob("layer4", "layer4.2"));
    assert_false(rs_text_glob("a*b", "axc"));
}

static void sizes_read_as_people_say_them(void **state)
{
    (void)state;
    char text[32];
    rs_text_bytes(12, text, sizeof text);
    assert_string_equal(text, "12 bytes");
    rs_text_bytes(1536, text, sizeof text);
    assert_string_equal(text, "1.50 KiB");
    rs_text_bytes(UINT64_C(20) << 30, text, sizeof text);
    assert_string_equal(text, "20.0 GiB");
    rs_text_threads(1, text, sizeof text);
    assert_string_equal(text, "1 thread");
    rs_text_threads(16, text, sizeof text);
    assert_string_equal(text, "16 threads");
    rs_text_threads(0, text, sizeof text);
    assert_string_equal(text, "");
}

static void a_gpu_is_called_cuda(void **state)
{
    (void)state;
    assert_string_equal(rs_text_nearest_device("gpu"), "cuda");
    assert_string_equal(rs_text_nearest_device("GPU:1"), "cuda");
    assert_string_equal(rs_text_nearest_device("cup"), "cpu");
    assert_null(rs_text_nearest_device("tensorflow"));
}

static void shapes_know_when_they_overflow(void **state)
{
    (void)state;
    char text[64];
    rs_shape shape = {4, {64, 3, 7, 7}}, huge = {3, {INT64_C(1) << 40, INT64_C(1) << 40, 2}};
    size_t product;
    assert_int_equal(rs_shape_count(&shape), 9408);
    assert_int_equal(rs_shape_count(&huge), -1);
    rs_shape_text(&shape, text, sizeof text);
    assert_string_equal(text, "[64, 3, 7, 7]");
    assert_false(rs_multiply(SIZE_MAX, 2, &product));
    assert_true(rs_multiply(6, 7, &product) && product == 42);
}

static void errors_carry_their_text_and_code(void **state)
{
    (void)state;
    rs_error error = {0};
    assert_int_equal(RS_FAIL(&error, RS_DATA, "bad %d", 7), RS_DATA);
    assert_string_equal(error.text, "bad 7");
    assert_int_equal(rs_error_prefix(&error, "file %s", "x"), RS_DATA);
    assert_string_equal(error.text, "file x: bad 7");
    assert_int_equal(rs_status_exit_code(RS_DATA), 3);
    assert_int_equal(rs_status_exit_code(RS_DIVERGED), 4);
    assert_string_equal(rs_status_name(RS_INTERRUPTED), "INTERRUPTED");
    char longest[3000];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    (void)rs_error_prefix(&error, "%s", longest);
    assert_int_equal(strlen(error.text), sizeof error.text - 1);
}

static void letters_are_whole_or_none(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int bytes;
    } cases[] = {{"a", 1},
                 {"\xc3\xa9", 2},
                 {"\xe2\x82\xac", 3},
                 {"\xf0\x9f\x98\x80", 4},
                 {"\xc3", 0},     /* cut off */
                 {"\xa9", 0},     /* without a beginning */
                 {"\xc0\xaf", 0}, /* overlong, 2 and 3 and 4 bytes */
                 {"\xe0\x9f\xbf", 0},
                 {"\xf0\x8f\xbf\xbf", 0},
                 {"\xed\xa0\x80", 0},     /* a surrogate */
                 {"\xf4\x90\x80\x80", 0}, /* beyond U+10FFFF */
                 {"\xf5\x80\x80\x80", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(rs_text_letter(cases[i].text), cases[i].bytes);
    }
}

static void texts_wrap_between_words(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    assert_non_null(stream);
    rs_text_print_wrapped(stream, "one two", 0, 94); /* six columns are left */
    rs_text_print_wrapped(stream, "a|bc|defg h", 92, 94);
    assert_int_equal(fclose(stream), 0);
    char expected[512];
    (void)snprintf(expected, sizeof expected, "%94sone\n%94stwo\n  a|bc|\n%94sdefg h\n", "", "", "");
    assert_string_equal(text, expected);
    free(text);
}

static void spreads_leave_nan_out(void **state)
{
    (void)state;
    const double values[] = {NAN, 1.0, 2.0, 6.0, NAN};
    const rs_spread s = rs_spread_of(values, 5), one = rs_spread_of(values, 2),
                    none = rs_spread_of(values, 1);
    assert_true(s.n == 3 && s.mean == 3.0 && s.std == sqrt(7.0) && s.min == 1.0 && s.max == 6.0);
    assert_true(one.n == 1 && one.mean == 1.0 && isnan(one.std));
    assert_true(none.n == 0 && isnan(none.mean) && isnan(none.std) && isnan(none.min) && isnan(none.max));
}

/* Of a column of a table; an infinity is left out there alone. */
static void spreads_of_finite_numbers_have_a_stride(void **state)
{
    (void)state;
    const double values[] = {1.0, 9.0, INFINITY, 9.0, 2.0, 9.0, 6.0, 9.0, NAN, 9.0};
    const rs_spread s = rs_spread_of_finite(values, 5, 2), none = rs_spread_of_finite(values + 2, 1, 1);
    assert_true(s.n == 3 && s.mean == 3.0 && s.std == sqrt(7.0) && s.min == 1.0 && s.max == 6.0);
    assert_true(none.n == 0 && isnan(none.mean) && isnan(none.std) && isnan(none.max));
    assert_true(isinf(rs_spread_of(values, 3).mean) && isinf(rs_spread_of(values, 3).max));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(letters_are_whole_or_none),
        cmocka_unit_test(texts_wrap_between_words),
        cmocka_unit_test(spreads_leave_nan_out),
        cmocka_unit_test(spreads_of_finite_numbers_have_a_stride),
        cmocka_unit_test(the_nearest_word_is_found_or_none),
        cmocka_unit_test(numbers_are_compared_by_size),
        cmocka_unit_test(lists_split_into_trimmed_words),
        cmocka_unit_test(numbers_are_whole_texts_within_range),
        cmocka_unit_test(globs_match_as_a_shell_would),
        cmocka_unit_test(sizes_read_as_people_say_them),
        cmocka_unit_test(a_gpu_is_called_cuda),
        cmocka_unit_test(shapes_know_when_they_overflow),
        cmocka_unit_test(errors_carry_their_text_and_code),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
