/* record_list.c: the grammar of --record: NAME[:GLOB] with commas, or none; see rs/config.h. */
#include <string.h>

#include "checkers.h"
#include "rs/text.h"

static const char *const recordables[RS_RECORDABLES] = {
    [RS_RECORD_WEIGHTS] = "weights",
    [RS_RECORD_GRADIENTS] = "gradients",
    [RS_RECORD_DISTANCES] = "distances",
    [RS_RECORD_GRADIENT_STATS] = "gradient-stats",
    [RS_RECORD_LAYER_OUTPUTS] = "layer-outputs",
    [RS_RECORD_LAYER_LOSSES] = "layer-losses",
    [RS_RECORD_SENSITIVITY] = "sensitivity",
};

/* Splits "NAME:GLOB" in place; the glob is "" where there is none. Index of the name, or -1. */
static int split_item(char *item, const char **glob)
{
    char *colon = strchr(item, ':');
    *glob = colon ? colon + 1 : "";
    if (colon) {
        *colon = '\0';
    }
    for (int i = 0; i < RS_RECORDABLES; i++) {
        if (strcmp(item, recordables[i]) == 0) {
            return i;
        }
    }
    return -1;
}

static rs_status check_item(const char *word, rs_error *error)
{
    char item[RS_TEXT_MAX];
    const char *glob;
    (void)snprintf(item, sizeof item, "%s", word);
    int index = split_item(item, &glob);
    if (index < 0) {
        const char *nearest = rs_text_nearest(item, recordables, RS_RECORDABLES);
        return RS_FAIL(error, RS_USAGE, "\"%.60s\" is %s %s%s%s", word,
                       strcmp(item, "none") == 0 ? "to stand alone; with others only" : "not one of",
                       rs__checker_allowed("record"), nearest ? "; nearest " : "", nearest ? nearest : "");
    }
    if (*glob && (index == RS_RECORD_DISTANCES || index == RS_RECORD_GRADIENT_STATS ||
                  index == RS_RECORD_SENSITIVITY)) {
        return RS_FAIL(error, RS_USAGE, "\"%.60s\": %s are kept for all layers or none; write %s", word,
                       recordables[index], recordables[index]);
    }
    if (strchr(word, ':') && !*glob) {
        return RS_FAIL(error, RS_USAGE, "\"%.60s\" has no layers behind its colon; all layers: %s", word,
                       recordables[index]);
    }
    return RS_OK;
}

rs_status rs__record_check(const char *text, char canonical[RS_TEXT_MAX], rs_error *error)
{
    char word[RS_TEXT_MAX];
    size_t length = 0;
    canonical[0] = '\0';
    for (const char *at = text; rs_text_next_word(&at, ',', word, sizeof word);) {
        bool alone = length == 0 && !*at;
        if (!(alone && strcmp(word, "none") == 0)) {
            RS_TRY(check_item(word, error));
        }
        length += (size_t)snprintf(canonical + length, RS_TEXT_MAX - length, "%s%s", length ? "," : "", word);
    }
    return length ? RS_OK
                  : RS_FAIL(error, RS_USAGE, "names nothing; allowed: %s", rs__checker_allowed("record"));
}

/* Whether `glob` takes the whole of `name` or a leading part of it that ends before a dot: "layer1.0" takes
 * "layer1.0.conv1.weight". */
static bool takes(const char *glob, const char *name)
{
    char part[RS_TEXT_MAX];
    for (const char *dot = strchr(name, '.'); dot; dot = strchr(dot + 1, '.')) {
        (void)snprintf(part, sizeof part, "%.*s", (int)(dot - name), name);
        if (rs_text_glob(glob, part)) {
            return true;
        }
    }
    return rs_text_glob(glob, name);
}

bool rs_config_globs_take(const char *globs, const char *name)
{
    char glob[RS_TEXT_MAX];
    for (const char *at = globs; rs_text_next_word(&at, ',', glob, sizeof glob);) {
        if (takes(glob, name)) {
            return true;
        }
    }
    return false;
}

bool rs_config_records(const rs_config *config, rs_recordable what, const char *name)
{
    char item[RS_TEXT_MAX];
    const char *glob;
    for (const char *at = config->record; rs_text_next_word(&at, ',', item, sizeof item);) {
        if (split_item(item, &glob) == (int)what && (!name || !*glob || takes(glob, name))) {
            return true;
        }
    }
    return false;
}

static rs_status find_any(const char *word, const char *glob, const char *const *names, int count,
                          const char *what, rs_error *error)
{
    for (int i = 0; i < count; i++) {
        if (takes(glob, names[i])) {
            return RS_OK;
        }
    }
    const char *nearest = rs_text_nearest(glob, names, count);
    return RS_FAIL(error, RS_USAGE, "--record %s takes nothing: no %s of this network has such a name%s%s",
                   word, what, nearest ? "; nearest " : "", nearest ? nearest : "");
}

rs_status rs_config_check_globs(const rs_config *config, const char *const *names, int count,
                                const char *const *layers, int layer_count, rs_error *error)
{
    char word[RS_TEXT_MAX], item[RS_TEXT_MAX];
    const char *glob;
    for (const char *at = config->record; rs_text_next_word(&at, ',', word, sizeof word);) {
        (void)snprintf(item, sizeof item, "%s", word);
        int what = split_item(item, &glob);
        bool layer = what == RS_RECORD_LAYER_OUTPUTS || what == RS_RECORD_LAYER_LOSSES;
        if (*glob) {
            RS_TRY(layer ? find_any(word, glob, layers, layer_count, "layer", error)
                         : find_any(word, glob, names, count, "parameter or block", error));
        }
    }
    return RS_OK;
}
