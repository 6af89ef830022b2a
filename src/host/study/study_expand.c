/* study_expand.c: the runs a study stands for: cases x grid x seeds, of stages where there are any, each resolved, validated
 * and named. */
#include <inttypes.h>
#include <string.h>

#include "rs/host.h"
#include "rs/text.h"
#include "rs/trainer.h"
#include "study_runs.h"

static int case_count(const rs_study *study)
{
    return study->cases ? study->taken_count : 1;
}

static rs_status too_many(const rs_study *study, rs_error *error)
{
    return RS_FAIL(error, RS_USAGE, "%s: more than %d runs; take fewer values with --set KEY=VALUES",
                   study->path, RS_STUDY_MAX_RUNS);
}

static rs_status count_points(const rs_study *study, int *count, rs_error *error)
{
    int64_t total = case_count(study);
    for (int i = 0; i < study->axis_count && total <= RS_STUDY_MAX_RUNS; i++) {
        total *= study->axes[i].count;
    }
    *count = (int)total;
    return total <= RS_STUDY_MAX_RUNS ? RS_OK : too_many(study, error);
}

rs_status rs__study_add_label(char *text, size_t capacity, const char *key, const char *value,
                              rs_error *error)
{
    size_t length = strlen(text);
    size_t more = (size_t)snprintf(text + length, capacity - length, "%s%s%s%s", length ? ", " : "", key,
                                   *value ? " " : "", value);
    return length + more < capacity
               ? RS_OK
               : RS_FAIL(error, RS_USAGE,
                         "the name of a group of runs is longer than %zu characters: %.60s...; take shorter "
                         "names of cases and stages, or fewer values at a time",
                         capacity - 1, text);
}

void rs__study_note_change(rs_study_run *run, const char *key, const char *value)
{
    rs_error no_room = {0};
    char before[sizeof run->changed], word[sizeof run->changed];
    size_t length = strlen(key);
    for (const char *at = run->changed; rs_text_next_word(&at, ',', word, sizeof word);) {
        if (strncmp(word, key, length) == 0 && word[length] == ' ') {
            return;
        }
    }
    memcpy(before, run->changed, sizeof before);
    if (rs__study_add_label(run->changed, sizeof run->changed, key, value, &no_room)) {
        memcpy(run->changed, before, sizeof before);
    }
}

static rs_status apply_case(const rs_study *study, const rs_yaml *one, rs_study_run *run, rs_error *error)
{
    for (const rs_yaml *item = one->first; item; item = item->next) {
        if (strcmp(item->key, "name") == 0) {
            RS_TRY(rs__study_add_label(run->group, sizeof run->group, item->text, "", error));
        } else {
            RS_TRY(rs_config_set_yaml(&run->config, item, study->path, error));
        }
    }
    return RS_OK;
}

static bool is_seed(const rs_study_axis *axis)
{
    return strcmp(axis->name, "seed") == 0;
}

/* An axis of the file keeps its place in the labels when the command line leaves one value of it. */
static bool is_varied(const rs_study_axis *axis)
{
    return axis->count > 1 || axis->in_file > 1;
}

static rs_status apply_value(const rs_study_axis *axis, const struct rs_study_value *value, rs_study_run *run,
                             rs_error *error)
{
    char names[8];
    const rs_config before = run->config;
    RS_TRY(rs_config_set(&run->config, axis->name, value->text, value->place, error));
    if (is_seed(axis)) {
        return RS_OK;
    }
    if (is_varied(axis)) {
        return rs__study_add_label(run->group, sizeof run->group, axis->name, value->text, error);
    }
    if (axis->overridden && rs_config_differences(&before, &run->config, names, sizeof names) > 0) {
        rs__study_note_change(run, axis->name, value->text);
    }
    return RS_OK;
}

/* Values of the axes at place `index` of the grid, the last axis fastest. */
static rs_status apply_axes(const rs_study *study, int64_t index, rs_study_run *run, rs_error *error)
{
    int chosen[RS_STUDY_MAX_AXES];
    for (int i = study->axis_count - 1; i >= 0; i--) {
        chosen[i] = (int)(index % study->axes[i].count);
        index /= study->axes[i].count;
    }
    for (int i = 0; i < study->axis_count; i++) {
        const rs_study_axis *axis = &study->axes[i];
        run->cell = is_seed(axis) ? run->cell : run->cell * axis->count + chosen[i];
        RS_TRY(apply_value(axis, &axis->values[chosen[i]], run, error));
    }
    return RS_OK;
}

/* Settings and label of one point of cases x grid x seeds. */
static rs_status resolve(const rs_study *study, int index, int grid, rs_study_run *run, rs_error *error)
{
    const rs_yaml *one = study->cases ? study->taken[index / grid] : NULL;
    *run = (rs_study_run){.config = study->settings,
                          .exit_status = -1,
                          .from = -1,
                          .chain = index,
                          .last_of_chain = true,
                          .cell = index / grid};
    if (one) {
        RS_TRY(apply_case(study, one, run, error));
    }
    return apply_axes(study, index % grid, run, error);
}

/* --- the list ----------------------------------------------------------------------------------------------- */

rs_status rs__study_add_run(rs_study_runs *runs, const rs_study_run *like, rs_study_run **run,
                            rs_error *error)
{
    bool full = (runs->count & (runs->count - 1)) == 0; /* room for powers of two */
    if (full) {
        rs_study_run *larger = rs_alloc_array(runs->count ? 2 * (size_t)runs->count : 1, sizeof *larger);
        if (!larger) {
            return RS_FAIL(error, RS_MEMORY, "no memory for %d runs", runs->count + 1);
        }
        if (runs->count) {
            memcpy(larger, runs->list, (size_t)runs->count * sizeof *larger);
        }
        rs_free(runs->list);
        runs->list = larger;
    }
    *run = &runs->list[runs->count++];
    **run = *like;
    return RS_OK;
}

static int find_named(const rs_study_runs *runs, const char *name)
{
    for (int i = 0; i < runs->count - 1; i++) {
        if (strcmp(runs->list[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}

/* Two runs of one name would write one file. An earlier stage that several chains share is run once. */
static rs_status take_twin(const rs_study *study, rs_study_runs *runs, int twin, int *made, rs_error *error)
{
    char names[256];
    const rs_study_run *run = &runs->list[runs->count - 1], *first = &runs->list[twin];
    if (rs_config_differences(&first->config, &run->config, names, sizeof names) > 0) {
        return RS_FAIL(
            error, RS_USAGE,
            "%s: runs %d (%s) and %d (%s) differ in %.100s, but the hash of both gives one name, %s; "
            "take another seed for one of them",
            study->path, twin + 1, first->label, runs->count, run->label, names, run->name);
    }
    if (run->last_of_chain || first->last_of_chain) {
        return RS_FAIL(
            error, RS_USAGE,
            "%s: runs %d (%s) and %d (%s) are the same run: they differ in nothing that changes results",
            study->path, twin + 1, first->label, runs->count, run->label);
    }
    runs->count--;
    *made = twin;
    return RS_OK;
}

/* The group's label and, where seeds vary, the seed that the run has in the end. */
static void finish_label(const rs_study *study, rs_study_run *run)
{
    bool varied = false;
    for (int i = 0; i < study->axis_count; i++) {
        varied = varied || (is_seed(&study->axes[i]) && is_varied(&study->axes[i]));
    }
    (void)snprintf(run->label, sizeof run->label, "%s", run->group);
    if (varied) {
        size_t length = strlen(run->label);
        (void)snprintf(run->label + length, sizeof run->label - length, "%sseed %" PRId64, length ? ", " : "",
                       run->config.seed);
    }
}

rs_status rs__study_finish_run(const rs_study *study, rs_study_runs *runs, int *made, rs_error *error)
{
    rs_study_run *run = &runs->list[runs->count - 1];
    finish_label(study, run);
    if (*run->config.out || run->config.resume || run->config.overwrite) {
        return RS_FAIL(
            error, RS_USAGE,
            "%s: out, resume and overwrite are for `run` to set; leave them out (folder: --out-dir)",
            study->path);
    }
    if (rs_config_validate(&run->config, error) || rs_configured_network_check(&run->config, error) ||
        rs_config_resolve(&run->config, error)) {
        return rs_error_prefix(error, "%s: run %d (%s)", study->path, runs->count,
                               *run->label ? run->label : study->name);
    }
    rs_config_run_name(&run->config, run->name, sizeof run->name);
    int length = snprintf(run->config.out, sizeof run->config.out, "%s/%s/%s.h5", runs->out_dir, study->name,
                          run->name);
    if (length >= (int)sizeof run->config.out) {
        return RS_FAIL(error, RS_USAGE, "--out-dir %.60s...: the path is too long", runs->out_dir);
    }
    *made = runs->count - 1;
    int twin = find_named(runs, run->name);
    if (twin >= 0) {
        return take_twin(study, runs, twin, made, error);
    }
    return runs->count <= RS_STUDY_MAX_RUNS ? RS_OK : too_many(study, error);
}

static rs_status add_point(const rs_study *study, const rs_study_run *point, rs_study_runs *runs,
                           rs_error *error)
{
    rs_study_run *run;
    int made;
    if (study->stages) {
        return rs__study_add_chain(study, point, point->chain, runs, error);
    }
    RS_TRY(rs__study_add_run(runs, point, &run, error));
    return rs__study_finish_run(study, runs, &made, error);
}

rs_status rs_study_expand(const rs_study *study, const char *out_dir, rs_study_run **runs, int *count,
                          rs_error *error)
{
    int points;
    rs_study_runs made = {.out_dir = out_dir};
    RS_TRY(count_points(study, &points, error));
    int grid = points / case_count(study);
    rs_study_run *point = rs_alloc_zero(sizeof *point);
    rs_status status = point ? RS_OK : RS_FAIL(error, RS_MEMORY, "no memory for %d runs", points);
    for (int i = 0; status == RS_OK && i < points; i++) {
        status = resolve(study, i, grid, point, error);
        status = status ? status : add_point(study, point, &made, error);
    }
    rs_free(point);
    if (status) {
        rs_free(made.list);
        return status;
    }
    *runs = made.list;
    *count = made.count;
    return RS_OK;
}
