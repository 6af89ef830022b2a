/* text.c: nearest word, lists, numbers; see rs/text.h. */
#include "rs/text.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { LONGEST = 63 };

static int least(int a, int b, int c)
{
    int ab = a < b ? a : b;
    return ab < c ? ab : c;
}

/* Restricted Damerau-Levenshtein distance by rows. */
static int edit_distance(const char *a, const char *b)
{
    int rows[3][LONGEST + 2];
    int n = (int)strlen(a), m = (int)strlen(b);
    if (n > LONGEST || m > LONGEST) {
        return LONGEST;
    }
    for (int j = 0; j <= m; j++) {
        rows[0][j] = j;
    }
    for (int i = 1; i <= n; i++) {
        int *now = rows[i % 3], *before = rows[(i + 2) % 3], *earlier = rows[(i + 1) % 3];
        now[0] = i;
        for (int j = 1; j <= m; j++) {
            now[j] = least(before[j] + 1, now[j - 1] + 1, before[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                earlier[j - 2] + 1 < now[j]) {
                now[j] = earlier[j - 2] + 1;
            }
        }
    }
    return rows[n % 3][m];
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* The shortest name that begins with the word ("batch": "batch-size"), or with which the word begins ("output": "out"). */
static const char *nearest_beginning(const char *word, const char *const *list, int count)
{
    enum { SHORTEST = 3 };
    const char *nearest = NULL;
    for (int i = 0; i < count && strlen(word) >= SHORTEST; i++) {
        bool related = begins(list[i], word) || (strlen(list[i]) >= SHORTEST && begins(word, list[i]));
        if (related && (!nearest || strlen(list[i]) < strlen(nearest))) {
            nearest = list[i];
        }
    }
    return nearest;
}

const char *rs_text_nearest(const char *word, const char *const *list, int count)
{
    const char *nearest = NULL;
    const int length = (int)strlen(word);
    int fewest = length < 5 ? 1 : length < 9 ? 2 : length / 3;
    for (int i = 0; i < count; i++) {
        int edits = edit_distance(word, list[i]);
        if (edits < fewest || (edits == fewest && !nearest)) {
            nearest = list[i];
            fewest = edits;
        }
    }
    return nearest ? nearest : nearest_beginning(word, list, count);
}

const char *rs_text_nearest_device(const char *word)
{
    static const char *const names[] = {"auto", "cpu", "cuda", "ref"};
    return strncasecmp(word, "gpu", 3) == 0 ? "cuda"
                                            : rs_text_nearest(word, names, sizeof names / sizeof names[0]);
}

int rs_text_compare(const char *a, const char *b)
{
    double x, y;
    return rs_text_real(a, &x) && rs_text_real(b, &y) ? (x > y) - (x < y) : strcmp(a, b);
}

bool rs_text_next_word(const char **at, char separator, char *word, size_t capacity)
{
    while (**at) {
        const char *begin = *at;
        const char *end = strchr(begin, separator);
        end = end ? end : begin + strlen(begin);
        *at = *end ? end + 1 : end;
        while (begin < end && isspace((unsigned char)*begin)) {
            begin++;
        }
        while (end > begin && isspace((unsigned char)end[-1])) {
            end--;
        }
        if (end > begin) {
            (void)snprintf(word, capacity, "%.*s", (int)(end - begin), begin);
            return true;
        }
    }
    return false;
}

bool rs_text_int(const char *text, int64_t *value)
{
    char *end;
    errno = 0;
    long long parsed = strtoll(text, &end, 10);
    if (end == text || *end || errno || isspace((unsigned char)*text)) {
        return false;
    }
    *value = parsed;
    return true;
}

bool rs_text_real(const char *text, double *value)
{
    char *end;
    errno = 0;
    double parsed = strtod(text, &end);
    if (end == text || *end || errno == ERANGE || isspace((unsigned char)*text)) {
        return false;
    }
    *value = parsed;
    return true;
}

void rs_text_bytes(uint64_t bytes, char *text, size_t capacity)
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB"};
    if (bytes < 1024) {
        (void)snprintf(text, capacity, "%" PRIu64 " bytes", bytes);
        return;
    }
    double value = (double)bytes / 1024.0;
    int unit = 0;
    while (value >= 1000.0 && unit < 4) {
        value /= 1024.0;
        unit++;
    }
    (void)snprintf(text, capacity, value < 10.0 ? "%.2f %s" : "%.1f %s", value, units[unit]);
}

const char *rs_text_s(int64_t count)
{
    return count == 1 ? "" : "s";
}

void rs_text_threads(int threads, char *text, size_t capacity)
{
    text[0] = '\0';
    if (threads > 0) {
        (void)snprintf(text, capacity, "%d thread%s", threads, rs_text_s(threads));
    }
}

void rs_text_duration(double seconds, char *text, size_t capacity)
{
    if (!(seconds >= 0.0) || seconds > 1e12) {
        (void)snprintf(text, capacity, "?");
        return;
    }
    int64_t s = (int64_t)(seconds + 0.5);
    if (s < 60) {
        (void)snprintf(text, capacity, "%" PRId64 " s", s);
    } else if (s < 3600) {
        (void)snprintf(text, capacity, "%" PRId64 "m%02" PRId64 "s", s / 60, s % 60);
    } else if (s < 86400) {
        (void)snprintf(text, capacity, "%" PRId64 "h%02" PRId64 "m", s / 3600, s / 60 % 60);
    } else {
        (void)snprintf(text, capacity, "%" PRId64 "d%02" PRId64 "h", s / 86400, s / 3600 % 24);
    }
}

bool rs_text_glob(const char *pattern, const char *text)
{
    const char *star = NULL, *retry = NULL;
    while (*text) {
        if (*pattern == '*') {
            star = pattern++;
            retry = text;
        } else if (*pattern == '?' || *pattern == *text) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star + 1;
            text = ++retry;
        } else {
            return false;
        }
    }
    while (*pattern == '*') {
        pattern++;
    }
    return !*pattern;
}

int rs_text_letter(const char *text)
{
    const unsigned char *s = (const unsigned char *)text, lead = s[0];
    const int length = lead < 0x80   ? 1
                       : lead < 0xc2 ? 0
                       : lead < 0xe0 ? 2
                       : lead < 0xf0 ? 3
                       : lead < 0xf5 ? 4
                                     : 0;
    for (int i = 1; i < length; i++) {
        if ((s[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    const bool overlong = (lead == 0xe0 && s[1] < 0xa0) || (lead == 0xf0 && s[1] < 0x90);
    const bool outside = (lead == 0xed && s[1] > 0x9f) || (lead == 0xf4 && s[1] > 0x8f);
    return overlong || outside ? 0 : length;
}

enum { WIDTH = 100 };

/* Length of the next piece: a word, or the part of a long one up to a '|'. */
static int piece_length(const char *text, int room)
{
    const int length = (int)strcspn(text, " ");
    for (int i = room; length > room && i > 0; i--) {
        if (text[i - 1] == '|') {
            return i;
        }
    }
    return length;
}

void rs_text_print_wrapped(FILE *stream, const char *text, int column, int indent)
{
    (void)fprintf(stream, "%*s", indent - column, "");
    column = indent;
    while (*text) {
        text += strspn(text, " ");
        const int length = piece_length(text, WIDTH - indent);
        if (column > indent && column + 1 + length > WIDTH) {
            (void)fprintf(stream, "\n%*s", indent, "");
            column = indent;
        }
        const bool first = column == indent;
        (void)fprintf(stream, "%s%.*s", first ? "" : " ", length, text);
        column += length + (first ? 0 : 1);
        text += length;
    }
    (void)fputc('\n', stream);
}

double rs_text_plain(double value)
{
    return isnan(value) ? (double)NAN : value;
}

const char *rs_text_yaml_special(double value)
{
    return isnan(value) ? ".nan" : value > 0.0 ? ".inf" : "-.inf";
}
