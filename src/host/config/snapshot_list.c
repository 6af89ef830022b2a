/* snapshot_list.c: the grammar of --snapshots; see rs/config.h.
 *
 * The text is read anew at every question: a list of ten items takes about two microseconds, and a plain
 * value needs no state beside it. */
#include <ctype.h>
#include <string.h>

#include "checkers.h"
#include "rs/text.h"

/* first, first + 1, ... last; with a factor: first, first * factor, ... while <= last. */
typedef struct span {
    int64_t first, last, factor;
} span;

/* Digits up to a character that is none. False when there are none or they overflow. */
static bool read_number(const char **at, int64_t *value)
{
    const char *begin = *at;
    *value = 0;
    for (; isdigit((unsigned char)**at); (*at)++) {
        if (__builtin_mul_overflow(*value, (int64_t)10, value) ||
            __builtin_add_overflow(*value, (int64_t)(**at - '0'), value)) {
            return false;
        }
    }
    return *at > begin;
}

/* N, A..B, A..B*K or all. */
static bool read_span(const char *word, span *out)
{
    if (strcmp(word, "all") == 0) {
        *out = (span){0, INT64_MAX, 0};
        return true;
    }
    *out = (span){0};
    const char *at = word;
    if (!read_number(&at, &out->first)) {
        return false;
    }
    out->last = out->first;
    if (strncmp(at, "..", 2) == 0) {
        at += 2;
        if (!read_number(&at, &out->last) || out->last < out->first) {
            return false;
        }
        if (*at == '*') {
            at++;
            if (!read_number(&at, &out->factor) || out->factor < 2 || out->first < 1) {
                return false;
            }
        }
    }
    return !*at;
}

static bool span_holds(const span *s, int64_t number)
{
    if (number < s->first || number > s->last) {
        return false;
    }
    if (s->factor == 0) {
        return true;
    }
    int64_t member = s->first;
    while (member < number && !__builtin_mul_overflow(member, s->factor, &member)) {
    }
    return member == number;
}

static bool list_holds(const char *list, int64_t number)
{
    char word[RS_TEXT_MAX];
    span s;
    while (rs_text_next_word(&list, ',', word, sizeof word)) {
        if (read_span(word, &s) && span_holds(&s, number)) {
            return true;
        }
    }
    return false;
}

/* The rest of a section behind its "NAME:", or NULL when it is another section. */
static const char *section_body(const char *section, const char *name)
{
    size_t length = strlen(name);
    return strncmp(section, name, length) == 0 && section[length] == ':' ? section + length + 1 : NULL;
}

/* --- checking --------------------------------------------------------------------------------------------
 */

static rs_status check_list(const char *section, const char *list, rs_error *error)
{
    char word[RS_TEXT_MAX];
    span s;
    int count = 0;
    for (; rs_text_next_word(&list, ',', word, sizeof word); count++) {
        if (!read_span(word, &s)) {
            return RS_FAIL(
                error, RS_USAGE,
                "\"%.60s\" is not N, A..B (A <= B), A..B*K (A >= 1, K >= 2: A, A*K, ... up to B) or "
                "all",
                word);
        }
    }
    return count ? RS_OK : RS_FAIL(error, RS_USAGE, "\"%.60s\" has an empty list", section);
}

enum { SECTIONS = 3 };
static const char *const section_names[SECTIONS] = {"epochs", "steps", "last"};
static const char *const section_examples[SECTIONS] = {"epochs:LIST", "steps:LIST", "last:1"};

static const char *nearest_example(const char *name)
{
    const char *nearest = rs_text_nearest(name, section_names, SECTIONS);
    for (int i = 0; i < SECTIONS; i++) {
        if (section_names[i] == nearest) {
            return section_examples[i];
        }
    }
    return NULL;
}

static rs_status check_section(const char *section, bool seen[SECTIONS], rs_error *error)
{
    int index = 0;
    const char *body = NULL;
    while (index < SECTIONS && !(body = section_body(section, section_names[index]))) {
        index++;
    }
    if (!body) {
        char name[64];
        (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(section, ":"), section);
        const char *nearest = nearest_example(name);
        return RS_FAIL(error, RS_USAGE, "\"%.60s\" is not %s%s%s", section, rs__checker_allowed("snapshots"),
                       nearest ? "; nearest " : "", nearest ? nearest : "");
    }
    if (seen[index]) {
        return RS_FAIL(error, RS_USAGE, "%s is given twice; put all its items into one list",
                       section_names[index]);
    }
    seen[index] = true;
    if (index < 2) {
        return check_list(section, body, error);
    }
    int64_t last;
    if (!read_number(&body, &last) || *body || last < 1) {
        return RS_FAIL(error, RS_USAGE, "\"%.60s\" is not last:K with K of at least 1", section);
    }
    return RS_OK;
}

rs_status rs__snapshots_check(const char *text, char canonical[RS_TEXT_MAX], rs_error *error)
{
    size_t length = 0;
    for (const char *at = text; *at; at++) {
        if (*at != ' ') {
            canonical[length++] = *at;
        }
    }
    canonical[length] = '\0';
    if (strcmp(canonical, "all") == 0 || strcmp(canonical, "none") == 0) {
        return RS_OK;
    }
    char section[RS_TEXT_MAX];
    bool seen[SECTIONS] = {false};
    for (const char *at = canonical; rs_text_next_word(&at, ';', section, sizeof section);) {
        RS_TRY(check_section(section, seen, error));
    }
    return seen[0] || seen[1] || seen[2]
               ? RS_OK
               : RS_FAIL(error, RS_USAGE, "is empty; allowed: %s", rs__checker_allowed("snapshots"));
}

/* --- asking ----------------------------------------------------------------------------------------------
 */

bool rs_config_snapshot_epoch(const rs_config *config, int64_t epochs_done)
{
    if (strcmp(config->snapshots, "all") == 0) {
        return epochs_done >= 0;
    }
    char section[RS_TEXT_MAX];
    for (const char *at = config->snapshots; rs_text_next_word(&at, ';', section, sizeof section);) {
        const char *epochs = section_body(section, "epochs"), *steps = section_body(section, "steps");
        const char *last = section_body(section, "last");
        int64_t count = 0;
        if ((epochs && list_holds(epochs, epochs_done)) ||
            (steps && epochs_done == 0 && list_holds(steps, 0)) ||
            (last && read_number(&last, &count) && epochs_done > 0 && config->epochs - epochs_done < count &&
             epochs_done <= config->epochs)) {
            return true;
        }
    }
    return false;
}

bool rs_config_snapshot_step(const rs_config *config, int64_t steps_done)
{
    char section[RS_TEXT_MAX];
    if (steps_done < 1 || !strstr(config->snapshots, "steps:")) {
        return false;
    }
    for (const char *at = config->snapshots; rs_text_next_word(&at, ';', section, sizeof section);) {
        const char *steps = section_body(section, "steps");
        if (steps && list_holds(steps, steps_done)) {
            return true;
        }
    }
    return false;
}
