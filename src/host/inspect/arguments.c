/* arguments.c: see arguments.h. */
#include "arguments.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "rs/host.h"
#include "rs/text.h"

enum { MOST_OPTIONS = 16 };

static rs_status find(const rs__argument *known, int known_count, const char *text, size_t length,
                      const rs__argument **found, rs_error *error)
{
    const char *names[MOST_OPTIONS];
    char word[80];
    RS_ASSERT(known_count <= MOST_OPTIONS);
    (void)snprintf(word, sizeof word, "%.*s", (int)length, text);
    for (int i = 0; i < known_count; i++) {
        names[i] = known[i].name;
        if (strcmp(known[i].name, word) == 0 || (known[i].other && strcmp(known[i].other, word) == 0)) {
            *found = &known[i];
            return RS_OK;
        }
    }
    const char *nearest = rs_text_nearest(word, names, known_count);
    return RS_FAIL(error, RS_USAGE, "%s: unknown option%s%s; --help lists them", word,
                   nearest ? "; nearest " : "", nearest ? nearest : "");
}

rs_status rs__arguments_parse(const rs__argument *known, int known_count, int argc, char **argv,
                              const char **words, int most, int *word_count, rs_error *error)
{
    *word_count = 0;
    for (int i = 1; i < argc; i++) {
        const char *text = argv[i];
        if (text[0] != '-' || text[1] == '\0') {
            if (*word_count == most) {
                return RS_FAIL(error, RS_USAGE, "%s: one file too many; --help says what is taken", text);
            }
            words[(*word_count)++] = text;
            continue;
        }
        const rs__argument *option = NULL;
        const size_t length = strcspn(text, "=");
        RS_TRY(find(known, known_count, text, length, &option, error));
        if (option->flag) {
            if (text[length] != '\0') {
                return RS_FAIL(error, RS_USAGE, "%s takes no value", option->name);
            }
            *option->flag = true;
        } else if (text[length] == '=') {
            *option->value = text + length + 1;
        } else if (i + 1 < argc) {
            *option->value = argv[++i];
        } else {
            return RS_FAIL(error, RS_USAGE, "%s: its value is missing", option->name);
        }
    }
    return RS_OK;
}

rs_status rs__argument_real(const char *name, const char *text, double least, double *value, rs_error *error)
{
    return rs_text_real(text, value) && *value >= least && *value <= 1e9
               ? RS_OK
               : RS_FAIL(error, RS_USAGE, "%s %.60s: not a number of at least %g", name, text, least);
}

static rs_status take_snapshots(const char *text, rs__place *place, rs_error *error)
{
    char word[64];
    const char *range = strstr(text, "..");
    int64_t last = 0;
    if (strcmp(text, "all") == 0) {
        RS_TRY(rs_record_reader_find_snapshot(place->reader, "last", &last, error));
        place->count = last + 1;
        return RS_OK;
    }
    if (!range) {
        place->count = 1;
        return rs_record_reader_find_snapshot(place->reader, text, &place->first, error);
    }
    (void)snprintf(word, sizeof word, "%.*s", (int)(range - text), text);
    RS_TRY(rs_record_reader_find_snapshot(place->reader, word, &place->first, error));
    RS_TRY(rs_record_reader_find_snapshot(place->reader, range + 2, &last, error));
    if (last < place->first) {
        return RS_FAIL(error, RS_USAGE, "@%s: the first snapshot comes after the last", text);
    }
    place->count = last - place->first + 1;
    return RS_OK;
}

rs_status rs__place_open(const char *argument, rs__place *place, rs_error *error)
{
    memset(place, 0, sizeof *place);
    place->path = rs_strdup(argument);
    if (!place->path) {
        return RS_FAIL(error, RS_MEMORY, "no memory for %s", argument);
    }
    /* A file may have an @ in its name. */
    char *at = access(argument, F_OK) != 0 ? strrchr(place->path, '@') : NULL;
    const char *snapshots = NULL;
    if (at && at > place->path) {
        *at = '\0';
        snapshots = at + 1;
    }
    place->named = snapshots != NULL;
    RS_TRY(rs_record_reader_open(place->path, &place->reader, error));
    RS_TRY(rs_record_reader_list(place->reader, error)); /* export and compare go through all of it */
    if (!snapshots && rs_record_reader_committed(place->reader)->snapshots == 0) {
        return RS_OK;
    }
    return take_snapshots(snapshots ? snapshots : "last", place, error);
}

void rs__place_close(rs__place *place)
{
    rs_record_reader_close(place->reader);
    rs_free(place->path);
    memset(place, 0, sizeof *place);
}
