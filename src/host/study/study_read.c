/* study_read.c: a study file and the command line's overrides as settings, cases and axes; see study.h and
 * README.md for the format. Every key and value is checked here, with its line. */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "rs/host.h"
#include "rs/text.h"
#include "study_runs.h"

static const char *const study_keys[] = {"study", "description", "settings", "grid",
                                         "cases", "seeds",       "stages"};
enum { STUDY_KEYS = sizeof study_keys / sizeof study_keys[0] };
static const char seed_key[] = "seed"; /* the option that `seeds` varies */

#define FAIL_AT(study, line, ...)                                                                            \
    (RS_FAIL(error, RS_USAGE, __VA_ARGS__), rs_error_prefix(error, "%s:%d", (study)->path, (line)))

/* --- axes ------------------------------------------------------------------------------------------------
 */

static rs_study_axis *find_axis(rs_study *study, const char *name)
{
    for (int i = 0; i < study->axis_count; i++) {
        if (strcmp(study->axes[i].name, name) == 0) {
            return &study->axes[i];
        }
    }
    return NULL;
}

static void clear_axis(rs_study_axis *axis)
{
    for (int i = 0; i < axis->count; i++) {
        rs_free(axis->values[i].text);
    }
    rs_free(axis->values);
    axis->values = NULL;
    axis->count = 0;
}

static rs_status add_axis(rs_study *study, const char *name, const char *place, rs_study_axis **axis,
                          rs_error *error)
{
    if (study->axis_count == RS_STUDY_MAX_AXES) {
        return RS_FAIL(error, RS_USAGE, "%s: more than %d varied options", place, RS_STUDY_MAX_AXES);
    }
    *axis = &study->axes[study->axis_count++];
    **axis = (rs_study_axis){.name = name};
    return RS_OK;
}

/* Appends a value after checking that the option takes it. */
static rs_status add_value(rs_study *study, rs_study_axis *axis, const char *text, const char *place,
                           rs_error *error)
{
    rs_config scratch = study->settings;
    RS_TRY(rs_config_set(&scratch, axis->name, text, place, error));
    if (axis->count == RS_STUDY_MAX_RUNS) {
        return RS_FAIL(error, RS_USAGE, "%s: more than %d values of %s", place, RS_STUDY_MAX_RUNS,
                       axis->name);
    }
    bool full = (axis->count & (axis->count - 1)) == 0; /* room for powers of two */
    if (full) {
        size_t room = axis->count ? 2 * (size_t)axis->count : 1;
        struct rs_study_value *values = rs_alloc_array(room, sizeof *values);
        if (!values) {
            return RS_FAIL(error, RS_MEMORY, "no memory for the study");
        }
        if (axis->count) {
            memcpy(values, axis->values, (size_t)axis->count * sizeof *values);
        }
        rs_free(axis->values);
        axis->values = values;
    }
    struct rs_study_value *value = &axis->values[axis->count];
    (void)snprintf(value->place, sizeof value->place, "%s", place);
    value->text = rs_strdup(text);
    if (!value->text) {
        return RS_FAIL(error, RS_MEMORY, "no memory for the study");
    }
    axis->count++;
    return RS_OK;
}

/* "A..B" as the numbers from A to B; anything else as itself. */
static rs_status add_range(rs_study *study, rs_study_axis *axis, const char *text, const char *place,
                           rs_error *error)
{
    const char *dots = strstr(text, "..");
    char word[32];
    int64_t first = 0, last = 0;
    if (!dots) {
        return add_value(study, axis, text, place, error);
    }
    (void)snprintf(word, sizeof word, "%.*s", (int)(dots - text), text);
    if (!rs_text_int(word, &first) || !rs_text_int(dots + 2, &last) || first < 0 || last < first ||
        last - first >= RS_STUDY_MAX_RUNS) {
        return RS_FAIL(error, RS_USAGE, "%s: %.40s is not a range A..B of at most %d seeds", place, text,
                       RS_STUDY_MAX_RUNS);
    }
    for (int64_t seed = first; seed <= last; seed++) {
        (void)snprintf(word, sizeof word, "%" PRId64, seed);
        RS_TRY(add_value(study, axis, word, place, error));
    }
    return RS_OK;
}

/* --- the file --------------------------------------------------------------------------------------------
 */

static rs_status check_keys(const rs_study *study, rs_error *error)
{
    for (const rs_yaml *item = study->root->first; item; item = item->next) {
        bool known = false;
        for (int i = 0; i < STUDY_KEYS; i++) {
            known = known || strcmp(item->key, study_keys[i]) == 0;
        }
        if (!known) {
            const char *nearest = rs_text_nearest(item->key, study_keys, STUDY_KEYS);
            return FAIL_AT(
                study, item->line,
                "unknown key %.60s: not one of study, description, settings, grid, cases, seeds, stages%s%s",
                item->key, nearest ? "; nearest " : "", nearest ? nearest : "");
        }
    }
    return RS_OK;
}

/* The name becomes a folder. */
static rs_status read_name(rs_study *study, rs_error *error)
{
    const rs_yaml *item = rs_yaml_get(study->root, "study");
    if (!item) {
        return FAIL_AT(study, study->root->line, "no study: NAME; the name of the study is missing");
    }
    RS_TRY(rs_yaml_text(item, study->path, &study->name, error));
    size_t length = strlen(study->name);
    bool good = length > 0 && length <= 60 && isalnum((unsigned char)study->name[0]);
    for (size_t i = 0; i < length; i++) {
        good = good && (isalnum((unsigned char)study->name[i]) || strchr("._-", study->name[i]));
    }
    return good ? RS_OK
                : FAIL_AT(study, item->line,
                          "study %.60s: not 1 to 60 letters, digits, '.', '_' or '-', the first a letter or "
                          "digit (it names a folder)",
                          study->name);
}

static rs_status read_description(const rs_study *study, rs_error *error)
{
    const char *text;
    const rs_yaml *item = rs_yaml_get(study->root, "description");
    return item ? rs_yaml_text(item, study->path, &text, error) : RS_OK;
}

static rs_status read_settings(rs_study *study, rs_error *error)
{
    const rs_yaml *settings = rs_yaml_get(study->root, "settings");
    if (!settings) {
        return RS_OK;
    }
    RS_TRY(rs_yaml_expect(settings, RS_YAML_MAP, study->path, error));
    for (const rs_yaml *item = settings->first; item; item = item->next) {
        RS_TRY(rs_config_set_yaml(&study->settings, item, study->path, error));
    }
    return RS_OK;
}

/* The items of a list, as values of a new axis. */
static rs_status read_list(rs_study *study, const rs_yaml *list, const char *name, bool ranges,
                           rs_error *error)
{
    rs_study_axis *axis = NULL;
    char place[256];
    RS_TRY(rs_yaml_expect(list, RS_YAML_LIST, study->path, error));
    if (!list->first) {
        return FAIL_AT(study, list->line, "%s is an empty list: the study would have no run", list->key);
    }
    RS_TRY(add_axis(study, name, study->path, &axis, error));
    for (const rs_yaml *item = list->first; item; item = item->next) {
        const char *text;
        RS_TRY(rs_yaml_text(item, study->path, &text, error));
        (void)snprintf(place, sizeof place, "%.200s:%d", study->path, item->line);
        RS_TRY(ranges ? add_range(study, axis, text, place, error)
                      : add_value(study, axis, text, place, error));
    }
    return RS_OK;
}

/* An option stands in settings, grid, seeds and cases at most once (cases may change settings). */
static rs_status check_unset(const rs_study *study, const rs_yaml *map, const char *map_name,
                             const rs_yaml *item, const char *option, rs_error *error)
{
    const rs_yaml *twin = map && map->kind == RS_YAML_MAP ? rs_yaml_get(map, option) : NULL;
    return twin ? FAIL_AT(study, item->line, "%s is given here and in %s (line %d); leave one out", option,
                          map_name, twin->line)
                : RS_OK;
}

static rs_status read_grid(rs_study *study, rs_error *error)
{
    const rs_yaml *grid = rs_yaml_get(study->root, "grid");
    const rs_yaml *settings = rs_yaml_get(study->root, "settings");
    if (!grid) {
        return RS_OK;
    }
    RS_TRY(rs_yaml_expect(grid, RS_YAML_MAP, study->path, error));
    for (const rs_yaml *item = grid->first; item; item = item->next) {
        RS_TRY(check_unset(study, settings, "settings", item, item->key, error));
        RS_TRY(read_list(study, item, item->key, false, error));
    }
    return RS_OK;
}

static rs_status read_seeds(rs_study *study, rs_error *error)
{
    const rs_yaml *seeds = rs_yaml_get(study->root, "seeds");
    if (!seeds) {
        return RS_OK;
    }
    RS_TRY(check_unset(study, rs_yaml_get(study->root, "settings"), "settings", seeds, seed_key, error));
    RS_TRY(check_unset(study, rs_yaml_get(study->root, "grid"), "grid", seeds, seed_key, error));
    return read_list(study, seeds, seed_key, true, error);
}

rs_status rs__study_check_name(const rs_study *study, const rs_yaml *item, rs_error *error)
{
    return *item->text && !strchr(item->text, ',')
               ? RS_OK
               : FAIL_AT(study, item->line, "name \"%.60s\": names hold no comma and are not empty",
                         item->text);
}

/* One case: a name and options that are not varied by the grid. */
static rs_status check_case(rs_study *study, const rs_yaml *one, rs_error *error)
{
    const char *name;
    rs_config scratch = study->settings;
    RS_TRY(rs_yaml_expect(one, RS_YAML_MAP, study->path, error));
    const rs_yaml *named = rs_yaml_get(one, "name");
    if (!named) {
        return FAIL_AT(study, one->line, "a case without a name; begin it with - name: NAME");
    }
    RS_TRY(rs_yaml_text(named, study->path, &name, error));
    RS_TRY(rs__study_check_name(study, named, error));
    for (const rs_yaml *earlier = study->cases->first; earlier != one; earlier = earlier->next) {
        if (strcmp(rs_yaml_get(earlier, "name")->text, name) == 0) {
            return FAIL_AT(study, named->line, "a second case named %.60s; first in line %d", name,
                           rs_yaml_get(earlier, "name")->line);
        }
    }
    for (const rs_yaml *item = one->first; item; item = item->next) {
        if (item == named) {
            continue;
        }
        RS_TRY(rs_config_set_yaml(&scratch, item, study->path, error));
        if (find_axis(study, item->key)) {
            return FAIL_AT(study, item->line, "%s is varied by the grid or the seeds; a case cannot set it",
                           item->key);
        }
    }
    return RS_OK;
}

static rs_status read_cases(rs_study *study, rs_error *error)
{
    study->cases = rs_yaml_get(study->root, "cases");
    if (!study->cases) {
        return RS_OK;
    }
    RS_TRY(rs_yaml_expect(study->cases, RS_YAML_LIST, study->path, error));
    if (!study->cases->first) {
        return FAIL_AT(study, study->cases->line, "cases is an empty list: the study would have no run");
    }
    for (const rs_yaml *one = study->cases->first; one; one = one->next) {
        RS_TRY(check_case(study, one, error));
        if (study->taken_count == RS_STUDY_MAX_CASES) {
            return FAIL_AT(study, one->line, "more than %d cases", RS_STUDY_MAX_CASES);
        }
        study->taken[study->taken_count++] = one;
    }
    return RS_OK;
}

/* --- the command line ------------------------------------------------------------------------------------
 */

bool rs_study_value_is_list(const rs_option *option)
{
    static const char *const single[] = {"network",  "network-digest", "init-digest",
                                         "function", "init-snapshot",  "device"};
    bool list = option->type == RS_OPTION_TEXT;
    for (size_t i = 0; i < sizeof single / sizeof single[0]; i++) {
        list = list && strcmp(option->name, single[i]) != 0;
    }
    return list;
}

static bool is_list(const char *name)
{
    size_t count;
    const rs_option *table = rs_option_table(&count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(table[i].name, name) == 0) {
            return rs_study_value_is_list(&table[i]);
        }
    }
    return false;
}

/* The first override of an option replaces the file's values, later ones add to them. Commas separate values,
 * except of options whose values hold commas themselves. */
static rs_status override(rs_study *study, const rs_study_override *o, rs_error *error)
{
    char place[256], word[RS_TEXT_MAX];
    (void)snprintf(place, sizeof place, "--%s%s%.100s", o->ranges ? "seeds" : "set", o->ranges ? "" : " ",
                   o->ranges ? "" : o->key);
    rs_study_axis *axis = find_axis(study, o->key);
    if (!axis) {
        RS_TRY(add_axis(study, o->key, place, &axis, error));
    } else if (!axis->overridden) {
        axis->in_file = axis->count;
        clear_axis(axis);
    }
    axis->overridden = true;
    axis->by_seeds = o->ranges;
    if (is_list(o->key)) {
        return add_value(study, axis, o->value, place, error);
    }
    int words = 0;
    for (const char *at = o->value; rs_text_next_word(&at, ',', word, sizeof word); words++) {
        RS_TRY(o->ranges ? add_range(study, axis, word, place, error)
                         : add_value(study, axis, word, place, error));
    }
    return words ? RS_OK : add_value(study, axis, "", place, error);
}

rs_status rs_study_read(rs_study *study, const char *path, const rs_study_override *overrides, int count,
                        rs_error *error)
{
    *study = (rs_study){.path = path};
    rs_config_default(&study->settings);
    RS_TRY(rs_yaml_load(path, &study->root, error));
    RS_TRY(rs_yaml_expect(study->root, RS_YAML_MAP, path, error));
    RS_TRY(check_keys(study, error));
    RS_TRY(read_name(study, error));
    RS_TRY(read_description(study, error));
    RS_TRY(read_settings(study, error));
    RS_TRY(read_grid(study, error));
    RS_TRY(read_seeds(study, error));
    RS_TRY(read_cases(study, error));
    study->stages = rs_yaml_get(study->root, "stages");
    RS_TRY(study->stages ? rs__study_check_stages(study, error) : RS_OK);
    for (int i = 0; i < count; i++) {
        RS_TRY(override(study, &overrides[i], error));
    }
    return RS_OK;
}

static const char *case_name(const rs_yaml *one)
{
    return rs_yaml_get(one, "name")->text;
}

static bool is_listed(const char *names, const char *name)
{
    char word[RS_TEXT_MAX];
    bool listed = false;
    for (const char *at = names; rs_text_next_word(&at, ',', word, sizeof word);) {
        listed = listed || strcmp(word, name) == 0;
    }
    return listed;
}

static rs_status no_such_case(const rs_study *study, const char *word, const char *const *known,
                              rs_error *error)
{
    char list[256] = "";
    const char *nearest = rs_text_nearest(word, known, study->taken_count);
    size_t length = 0;
    if (nearest) {
        return RS_FAIL(error, RS_USAGE, "--case %.60s: %s has no such case; nearest %s", word, study->path,
                       nearest);
    }
    for (int i = 0; i < study->taken_count && length < sizeof list; i++) {
        length += (size_t)snprintf(list + length, sizeof list - length, "%s%s", i ? ", " : "", known[i]);
    }
    return RS_FAIL(error, RS_USAGE, "--case %.60s: %s has no such case; it has %s%s", word, study->path,
                   *list ? list : "none", length >= sizeof list ? "..." : "");
}

rs_status rs_study_take_cases(rs_study *study, const char *names, rs_error *error)
{
    const char *known[RS_STUDY_MAX_CASES];
    char word[RS_TEXT_MAX];
    int kept = 0;
    for (int i = 0; i < study->taken_count; i++) {
        known[i] = case_name(study->taken[i]);
    }
    for (const char *at = names; rs_text_next_word(&at, ',', word, sizeof word);) {
        bool found = false;
        for (int i = 0; i < study->taken_count; i++) {
            found = found || strcmp(known[i], word) == 0;
        }
        if (!found) {
            return no_such_case(study, word, known, error);
        }
    }
    for (int i = 0; i < study->taken_count; i++) {
        if (is_listed(names, known[i])) {
            study->taken[kept++] = study->taken[i];
        }
    }
    study->taken_count = kept;
    return kept ? RS_OK : RS_FAIL(error, RS_USAGE, "--case names no case");
}

void rs_study_clear(rs_study *study)
{
    for (int i = 0; i < study->axis_count; i++) {
        clear_axis(&study->axes[i]);
    }
    study->axis_count = 0;
    rs_yaml_destroy(study->root);
    study->root = NULL;
}
