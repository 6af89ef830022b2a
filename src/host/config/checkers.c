/* checkers.c: what the TEXT options take; see checkers.h. Each checker also spells the text canonically, so
 * that equal settings give equal names. */
#include "checkers.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "rs/metric.h"
#include "rs/text.h"

/* Texts go into YAML and HDF5: UTF-8 without control characters. */
static rs_status check_characters(const char *text, rs_error *error)
{
    const unsigned char *s = (const unsigned char *)text;
    while (*s) {
        int length = rs_text_letter((const char *)s);
        if (length == 0) {
            return RS_FAIL(error, RS_USAGE, "not valid UTF-8 at byte %td",
                           s - (const unsigned char *)text + 1);
        }
        if (iscntrl(*s)) {
            return RS_FAIL(error, RS_USAGE, "holds a control character (byte %d)", *s);
        }
        s += length;
    }
    return RS_OK;
}

static rs_status check_any(const char *text, char canonical[RS_TEXT_MAX], rs_error *error)
{
    (void)error;
    (void)snprintf(canonical, RS_TEXT_MAX, "%s", text);
    return RS_OK;
}

enum { STAGES = 4, MOST_BLOCKS = 1000 };

/* Reads 1..1000 from *at and moves it behind; 0 when there is none. */
static int64_t read_block_count(const char **at)
{
    int64_t value = 0;
    while (*at && **at == ' ') {
        (*at)++;
    }
    for (int digits = 0; isdigit((unsigned char)**at) && digits < 5; digits++, (*at)++) {
        value = 10 * value + (**at - '0');
    }
    while (**at == ' ') {
        (*at)++;
    }
    return value <= MOST_BLOCKS ? value : 0;
}

static rs_status check_blocks(const char *text, char canonical[RS_TEXT_MAX], rs_error *error)
{
    size_t length = 0;
    const char *at = text;
    canonical[0] = '\0';
    for (int stage = 0; *text && stage < STAGES; stage++) {
        int64_t count = read_block_count(&at);
        bool last = stage == STAGES - 1;
        if (count == 0 || *at != (last ? '\0' : ',')) {
            return RS_FAIL(error, RS_USAGE, "not four numbers from 1 to %d with commas, as in 3,4,6,3",
                           MOST_BLOCKS);
        }
        at += last ? 0 : 1;
        length +=
            (size_t)snprintf(canonical + length, RS_TEXT_MAX - length, "%s%" PRId64, stage ? "," : "", count);
    }
    return RS_OK;
}

static rs_status check_metric(const char *text, char canonical[RS_TEXT_MAX], rs_error *error)
{
    rs_metric_list list;
    RS_TRY(rs_metric_list_parse(text, &list, error));
    if (list.count == 0) {
        return RS_FAIL(error, RS_USAGE,
                       "names no metric; to measure no distance leave distances out of "
                       "record");
    }
    size_t length = 0;
    for (int i = 0; i < list.count; i++) {
        length += (size_t)snprintf(canonical + length, RS_TEXT_MAX - length, "%s%s", i ? "," : "",
                                   list.metric[i].name);
    }
    return RS_OK;
}

static rs_status check_device(const char *text, char canonical[RS_TEXT_MAX], rs_error *error)
{
    static const char *const devices[] = {"auto", "cpu", "cuda", "ref"};
    enum { DEVICES = sizeof devices / sizeof devices[0] };
    (void)snprintf(canonical, RS_TEXT_MAX, "%s", text);
    for (int i = 0; i < DEVICES; i++) {
        if (strcmp(text, devices[i]) == 0) {
            return RS_OK;
        }
    }
    int64_t index = -1;
    bool indexed = strncmp(text, "cuda:", 5) == 0 && isdigit((unsigned char)text[5]);
    if (indexed && rs_text_int(text + 5, &index) && index < 1024) {
        (void)snprintf(canonical, RS_TEXT_MAX, "cuda:%" PRId64, index);
        return RS_OK;
    }
    const char *nearest = rs_text_nearest_device(text);
    return RS_FAIL(error, RS_USAGE, "not one of auto, cpu, cuda, cuda:N, ref%s%s",
                   nearest ? "; nearest " : "", nearest ? nearest : "");
}

/* A number of a snapshot from 0, or last. */
static rs_status check_snapshot(const char *text, char canonical[RS_TEXT_MAX], rs_error *error)
{
    int64_t number = 0;
    (void)snprintf(canonical, RS_TEXT_MAX, "%s", text);
    if (strcmp(text, "last") == 0) {
        return RS_OK;
    }
    if (!isdigit((unsigned char)text[0]) || !rs_text_int(text, &number)) {
        return RS_FAIL(error, RS_USAGE, "neither last nor the number of a snapshot, from 0");
    }
    (void)snprintf(canonical, RS_TEXT_MAX, "%" PRId64, number);
    return RS_OK;
}

/* A list of globs, without blanks. */
static rs_status check_globs(const char *text, char canonical[RS_TEXT_MAX], rs_error *error)
{
    char word[RS_TEXT_MAX];
    size_t length = 0;
    canonical[0] = '\0';
    for (const char *at = text; rs_text_next_word(&at, ',', word, sizeof word);) {
        length += (size_t)snprintf(canonical + length, RS_TEXT_MAX - length, "%s%s", length ? "," : "", word);
    }
    return length || !*text ? RS_OK : RS_FAIL(error, RS_USAGE, "names no layers");
}

typedef struct checker {
    const char *name, *allowed;
    rs_status (*check)(const char *text, char canonical[RS_TEXT_MAX], rs_error *error);
} checker;

static const checker checkers[] = {
    {"", "", check_any},
    {"blocks", "four numbers from 1 to 1000 with commas", check_blocks},
    {"metric", "minkowski:P, euclidean, manhattan, chebyshev, cosine, correlation", check_metric},
    {"record",
     "weights, gradients, layer-outputs, layer-losses (all with an optional :GLOB), distances, "
     "gradient-stats, "
     "sensitivity; or none",
     rs__record_check},
    {"globs", "names of layers or globs, with commas", check_globs},
    {"init-snapshot", "last, or the number of a snapshot from 0", check_snapshot},
    {"snapshots", "all, none, or epochs:LIST;steps:LIST;last:K", rs__snapshots_check},
    {"normalization", "M/S, one for all channels or one a channel with commas; or train",
     rs__normalization_check},
    {"augment", "flip, crop:PIXELS, rotate:DEGREES, jitter:SHARE", rs__augment_check},
    {"function", "sin-log, sinc, sinc-log", rs__function_check},
    {"device", "auto, cpu, cuda, cuda:N, ref", check_device},
};

static const checker *find_checker(const char *name)
{
    for (size_t i = 0; i < sizeof checkers / sizeof checkers[0]; i++) {
        if (strcmp(checkers[i].name, name) == 0) {
            return &checkers[i];
        }
    }
    RS_ASSERT(!"options.def names a checker that does not exist");
    return checkers;
}

const char *rs__checker_allowed(const char *name)
{
    return find_checker(name)->allowed;
}

rs_status rs__checker_run(const char *name, const char *text, char canonical[RS_TEXT_MAX], rs_error *error)
{
    RS_TRY(check_characters(text, error));
    return find_checker(name)->check(text, canonical, error);
}
