/* points.c: see points.h. */
#include "points.h"

#include <stdio.h>
#include <string.h>

#include "rs/host.h"
#include "rs/text.h"

enum { MOST_POINTS = 100000 };

typedef struct range {
    double from, to;
    int64_t count;
} range;

static bool read_range(const char *word, range *r)
{
    char number[64];
    const char *dots = strstr(word, ".."), *slash = strchr(word, '/');
    if (!dots) {
        *r = (range){.count = 1};
        return rs_text_real(word, &r->from);
    }
    if (!slash || slash < dots || dots - word >= (int64_t)sizeof number ||
        slash - dots >= (int64_t)sizeof number) {
        return false;
    }
    (void)snprintf(number, sizeof number, "%.*s", (int)(dots - word), word);
    bool good = rs_text_real(number, &r->from);
    (void)snprintf(number, sizeof number, "%.*s", (int)(slash - dots - 2), dots + 2);
    return good && rs_text_real(number, &r->to) && rs_text_int(slash + 1, &r->count) && r->count >= 2 &&
           r->count <= MOST_POINTS;
}

static rs_status count_points(const char *text, int64_t *count, rs_error *error)
{
    char word[256];
    range r;
    const char *at = text;
    *count = 0;
    while (rs_text_next_word(&at, ',', word, sizeof word)) {
        if (!read_range(word, &r)) {
            return RS_FAIL(
                error, RS_USAGE,
                "--points: %s is no number and no range FROM..TO/COUNT, as in 0..10/100,-0.5..1.5/41", word);
        }
        *count += r.count;
    }
    return *count > 0 && *count <= MOST_POINTS
               ? RS_OK
               : RS_FAIL(error, RS_USAGE, "--points %s: 1 to %d points are possible", text, MOST_POINTS);
}

rs_status rs__points_parse(const char *text, double **values, int64_t *count, rs_error *error)
{
    char word[256];
    range r;
    int64_t made = 0;
    RS_TRY(count_points(text, count, error));
    *values = rs_alloc_array((size_t)*count, sizeof **values);
    if (!*values) {
        return RS_FAIL(error, RS_MEMORY, "no memory for %lld points", (long long)*count);
    }
    while (rs_text_next_word(&text, ',', word, sizeof word) && read_range(word, &r)) {
        for (int64_t i = 0; i < r.count; i++) {
            double share = r.count > 1 ? (double)i / (double)(r.count - 1) : 0.0;
            (*values)[made++] = r.count > 1 ? r.from * (1.0 - share) + r.to * share : r.from;
        }
    }
    return RS_OK;
}
