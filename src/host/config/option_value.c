/* option_value.c: the value of one option from text and as text, and what its messages say is allowed.
 *
 * A value is accepted whole or not at all. Numbers keep every bit: a real is written with the fewest digits
 * that read back to it. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "checkers.h"
#include "option.h"
#include "rs/text.h"

enum { MOST_WORDS = 32, WORD = 32 };

/* The words of "a|b|c". */
typedef struct word_list {
    int count;
    char text[MOST_WORDS][WORD];
    const char *word[MOST_WORDS];
} word_list;

static void split_words(const char *allowed, word_list *list)
{
    list->count = 0;
    for (const char *at = allowed; list->count < MOST_WORDS; list->count++) {
        if (!rs_text_next_word(&at, '|', list->text[list->count], WORD)) {
            break;
        }
        list->word[list->count] = list->text[list->count];
    }
}

/* The two ends of "MIN..MAX"; an end that is missing is "". False when `allowed` is no range. */
static bool split_range(const char *allowed, char low[WORD], char high[WORD])
{
    const char *dots = strstr(allowed, "..");
    if (!dots) {
        return false;
    }
    (void)snprintf(low, WORD, "%.*s", (int)(dots - allowed), allowed);
    (void)snprintf(high, WORD, "%s", dots + 2);
    return true;
}

static void *field_of(const rs_option *option, rs_config *config)
{
    return (char *)config + option->offset;
}

static const void *value_of(const rs_option *option, const rs_config *config)
{
    return (const char *)config + option->offset;
}

/* "1e-08" is a string to readers of YAML 1.1; "1.0e-08" is a real to all. */
static void real_text(double value, char text[WORD])
{
    char digits[WORD];
    for (int precision = 1; precision <= 17; precision++) {
        (void)snprintf(digits, sizeof digits, "%.*g", precision, value);
        if (strtod(digits, NULL) == value) {
            break;
        }
    }
    size_t mantissa = strcspn(digits, "e");
    bool has_point = memchr(digits, '.', mantissa) != NULL;
    (void)snprintf(text, WORD, "%.*s%s%s", (int)mantissa, digits, has_point ? "" : ".0", digits + mantissa);
}

void rs__option_text(const rs_option *option, const rs_config *config, char text[RS_TEXT_MAX])
{
    const void *value = value_of(option, config);
    char digits[WORD];
    switch (option->type) {
    case RS_OPTION_FLAG:
        (void)snprintf(text, RS_TEXT_MAX, "%s", *(const rs_option_flag_type *)value ? "true" : "false");
        break;
    case RS_OPTION_INT:
        (void)snprintf(text, RS_TEXT_MAX, "%" PRId64, *(const rs_option_int_type *)value);
        break;
    case RS_OPTION_REAL:
        real_text(*(const rs_option_real_type *)value, digits);
        (void)snprintf(text, RS_TEXT_MAX, "%s", digits);
        break;
    case RS_OPTION_CHOICE:
    case RS_OPTION_TEXT:
        (void)snprintf(text, RS_TEXT_MAX, "%s", (const char *)value);
        break;
    }
}

static const char *number_noun(const rs_option *option)
{
    return option->type == RS_OPTION_INT ? "a whole number" : "a number";
}

void rs__option_allowed(const rs_option *option, char *text, size_t capacity)
{
    char low[WORD], high[WORD];
    if (option->type == RS_OPTION_FLAG) {
        (void)snprintf(text, capacity, "one of true, false");
    } else if (option->type == RS_OPTION_TEXT) {
        (void)snprintf(text, capacity, "%s", rs__checker_allowed(option->allowed));
    } else if (!split_range(option->allowed, low, high)) {
        size_t length = (size_t)snprintf(text, capacity, "one of ");
        for (const char *at = option->allowed; *at && length + 3 < capacity; at++) {
            length += (size_t)snprintf(text + length, capacity - length, *at == '|' ? ", " : "%c", *at);
        }
    } else if (*low && *high) {
        (void)snprintf(text, capacity, "%s from %s to %s", number_noun(option), low, high);
    } else if (*low || *high) {
        (void)snprintf(text, capacity, "%s of at %s %s", number_noun(option), *low ? "least" : "most",
                       *low ? low : high);
    } else {
        (void)snprintf(text, capacity, "%s", number_noun(option));
    }
}

void rs__option_label(const char *place, const char *name, const char *text, char *label, size_t capacity)
{
    char shown[84];
    int length = snprintf(shown, sizeof shown, "%.*s%s", 80, text, strlen(text) > 80 ? "..." : "");
    for (int i = 0; i < length && shown[i]; i++) {
        shown[i] = iscntrl((unsigned char)shown[i]) ? '?' : shown[i];
    }
    const char *gap = *shown ? " " : " \"\"";
    if (place && strncmp(place, "--", 2) == 0) {
        (void)snprintf(label, capacity, "%s%s%s", place, gap, shown);
    } else {
        (void)snprintf(label, capacity, "%s%s%s%s%s", place ? place : "", place ? ": " : "", name, gap,
                       shown);
    }
}

/* "LABEL: not ALLOWED; nearest NEAREST". */
static rs_status refuse(const rs_option *option, const char *place, const char *text, const char *nearest,
                        rs_error *error)
{
    char label[320], allowed[320];
    rs__option_label(place, option->name, text, label, sizeof label);
    rs__option_allowed(option, allowed, sizeof allowed);
    return RS_FAIL(error, RS_USAGE, "%s: not %s%s%s", label, allowed, nearest ? "; nearest " : "",
                   nearest ? nearest : "");
}

static rs_status set_flag(const rs_option *option, rs_config *config, const char *text, const char *place,
                          rs_error *error)
{
    bool on = strcmp(text, "true") == 0;
    if (!on && strcmp(text, "false") != 0) {
        return refuse(option, place, text, NULL, error);
    }
    *(rs_option_flag_type *)field_of(option, config) = on;
    return RS_OK;
}

/* Of numbers "18|26|34" the one nearest to `value`; the word itself when it is among them. */
static const char *nearest_number(const word_list *list, int64_t value)
{
    const char *nearest = NULL;
    double least = INFINITY;
    for (int i = 0; i < list->count; i++) {
        int64_t number = 0;
        RS_ASSERT(rs_text_int(list->word[i], &number));
        double distance = fabs((double)number - (double)value);
        if (distance < least) {
            nearest = list->word[i];
            least = distance;
        }
    }
    return nearest;
}

static rs_status check_int(const rs_option *option, int64_t value, const char *text, const char *place,
                           rs_error *error)
{
    char low[WORD], high[WORD];
    int64_t bound = 0;
    if (split_range(option->allowed, low, high)) {
        if (*low && rs_text_int(low, &bound) && value < bound) {
            return refuse(option, place, text, low, error);
        }
        if (*high && rs_text_int(high, &bound) && value > bound) {
            return refuse(option, place, text, high, error);
        }
        return RS_OK;
    }
    word_list list;
    split_words(option->allowed, &list);
    const char *nearest = nearest_number(&list, value);
    RS_ASSERT(nearest && rs_text_int(nearest, &bound));
    return bound == value ? RS_OK : refuse(option, place, text, nearest, error);
}

static rs_status set_int(const rs_option *option, rs_config *config, const char *text, const char *place,
                         rs_error *error)
{
    int64_t value = 0;
    if (!rs_text_int(text, &value)) {
        word_list list = {0};
        char low[WORD], high[WORD];
        if (!split_range(option->allowed, low, high)) {
            split_words(option->allowed, &list);
        }
        return refuse(option, place, text, rs_text_nearest(text, list.word, list.count), error);
    }
    RS_TRY(check_int(option, value, text, place, error));
    *(rs_option_int_type *)field_of(option, config) = value;
    return RS_OK;
}

/* As rs_text_real, but takes numbers too small for full precision as well, and no infinity or NaN. */
static bool parse_real(const char *text, double *value)
{
    char *end;
    errno = 0;
    double parsed = strtod(text, &end);
    bool too_large = errno == ERANGE && fabs(parsed) > 1.0;
    if (end == text || *end || too_large || !isfinite(parsed) || isspace((unsigned char)*text)) {
        return false;
    }
    *value = parsed == 0.0 ? 0.0 : parsed; /* one zero, so that equal settings have equal texts */
    return true;
}

static rs_status set_real(const rs_option *option, rs_config *config, const char *text, const char *place,
                          rs_error *error)
{
    char low[WORD], high[WORD];
    double value = 0.0, bound = 0.0;
    if (!parse_real(text, &value)) {
        return refuse(option, place, text, NULL, error);
    }
    if (split_range(option->allowed, low, high)) {
        if (*low && parse_real(low, &bound) && value < bound) {
            return refuse(option, place, text, low, error);
        }
        if (*high && parse_real(high, &bound) && value > bound) {
            return refuse(option, place, text, high, error);
        }
    }
    *(rs_option_real_type *)field_of(option, config) = value;
    return RS_OK;
}

static rs_status set_choice(const rs_option *option, rs_config *config, const char *text, const char *place,
                            rs_error *error)
{
    word_list list;
    split_words(option->allowed, &list);
    for (int i = 0; i < list.count; i++) {
        if (strcmp(list.word[i], text) == 0) {
            (void)snprintf(field_of(option, config), sizeof(rs_option_choice_type), "%s", text);
            return RS_OK;
        }
    }
    return refuse(option, place, text, rs_text_nearest(text, list.word, list.count), error);
}

static rs_status set_text(const rs_option *option, rs_config *config, const char *text, const char *place,
                          rs_error *error)
{
    char label[320], canonical[RS_TEXT_MAX];
    rs__option_label(place, option->name, text, label, sizeof label);
    if (strlen(text) >= RS_TEXT_MAX) {
        return RS_FAIL(error, RS_USAGE, "%s: longer than %d bytes", label, RS_TEXT_MAX - 1);
    }
    rs_status status = rs__checker_run(option->allowed, text, canonical, error);
    if (status != RS_OK) {
        return rs_error_prefix(error, "%s", label);
    }
    (void)snprintf(field_of(option, config), RS_TEXT_MAX, "%s", canonical);
    return RS_OK;
}

rs_status rs__option_set(const rs_option *option, rs_config *config, const char *text, const char *place,
                         rs_error *error)
{
    switch (option->type) {
    case RS_OPTION_FLAG:
        return set_flag(option, config, text, place, error);
    case RS_OPTION_INT:
        return set_int(option, config, text, place, error);
    case RS_OPTION_REAL:
        return set_real(option, config, text, place, error);
    case RS_OPTION_CHOICE:
        return set_choice(option, config, text, place, error);
    case RS_OPTION_TEXT:
        return set_text(option, config, text, place, error);
    }
    return RS_FAIL(error, RS_FAILED, "option %s has no type", option->name);
}
