/* study_stage.c: the stages of a study: every run of cases x grid x seeds becomes a chain of them. A stage begins from the
 * record of the one before, or of the one it names; `repeat` and `series` make several of it, each from the one before. */
#include <inttypes.h>
#include <string.h>

#include "rs/host.h"
#include "rs/text.h"
#include "study_runs.h"

enum { MOST_REPEATS = 1000 };

static const char *const own_keys[] = {"name", "from", "repeat", "series"};

static bool is_own_key(const char *key)
{
    bool own = false;
    for (size_t i = 0; i < sizeof own_keys / sizeof own_keys[0]; i++) {
        own = own || strcmp(key, own_keys[i]) == 0;
    }
    return own;
}

#define FAIL_AT(study, line, ...)                                                                            \
    (RS_FAIL(error, RS_USAGE, __VA_ARGS__), rs_error_prefix(error, "%s:%d", (study)->path, (line)))

/* --- checking --------------------------------------------------------------------------------------------- */

static const rs_yaml *stage_named(const rs_study *study, const rs_yaml *before, const char *name)
{
    for (const rs_yaml *stage = study->stages->first; stage != before; stage = stage->next) {
        if (strcmp(rs_yaml_get(stage, "name")->text, name) == 0) {
            return stage;
        }
    }
    return NULL;
}

static rs_status check_name(const rs_study *study, const rs_yaml *stage, rs_error *error)
{
    const char *name;
    const rs_yaml *item = rs_yaml_get(stage, "name");
    if (!item) {
        return FAIL_AT(study, stage->line, "a stage without a name; begin it with - name: NAME");
    }
    RS_TRY(rs_yaml_text(item, study->path, &name, error));
    RS_TRY(rs__study_check_name(study, item, error));
    if (strcmp(name, "none") == 0) {
        return FAIL_AT(study, item->line, "a stage cannot be named none: `from: none` stands for no stage");
    }
    return stage_named(study, stage, name)
               ? FAIL_AT(study, item->line, "a second stage named %.60s; names must differ", name)
               : RS_OK;
}

static rs_status check_from(const rs_study *study, const rs_yaml *stage, rs_error *error)
{
    const char *name;
    const rs_yaml *item = rs_yaml_get(stage, "from");
    if (!item) {
        return RS_OK;
    }
    RS_TRY(rs_yaml_text(item, study->path, &name, error));
    return strcmp(name, "none") == 0 || stage_named(study, stage, name)
               ? RS_OK
               : FAIL_AT(study, item->line, "from: %.60s is no earlier stage, and not none", name);
}

static rs_status read_repeat(const rs_study *study, const rs_yaml *stage, int64_t *times, rs_error *error)
{
    const char *text;
    const rs_yaml *item = rs_yaml_get(stage, "repeat");
    *times = 1;
    if (!item) {
        return RS_OK;
    }
    RS_TRY(rs_yaml_text(item, study->path, &text, error));
    if (!rs_text_int(text, times) || *times < 1 || *times > MOST_REPEATS) {
        return FAIL_AT(study, item->line, "repeat: %.40s is not a whole number from 1 to %d", text,
                       MOST_REPEATS);
    }
    return RS_OK;
}

static rs_status refuse_init_from(const rs_study *study, const rs_yaml *item, rs_error *error)
{
    return strcmp(item->key, "init-from") == 0
               ? FAIL_AT(study, item->line,
                         "a stage begins from another one by `from: NAME`, not by init-from")
               : RS_OK;
}

/* One option and the values that it runs through. */
static rs_status check_series(const rs_study *study, const rs_yaml *stage, rs_config *scratch,
                              rs_error *error)
{
    const rs_yaml *series = rs_yaml_get(stage, "series");
    if (!series) {
        return RS_OK;
    }
    RS_TRY(rs_yaml_expect(series, RS_YAML_MAP, study->path, error));
    if (!series->first || series->first->next) {
        return FAIL_AT(study, series->line,
                       "series takes one option and its values, as in batch-size: [16, 32]");
    }
    const rs_yaml *values = series->first;
    RS_TRY(refuse_init_from(study, values, error));
    RS_TRY(rs_yaml_expect(values, RS_YAML_LIST, study->path, error));
    if (!values->first) {
        return FAIL_AT(study, values->line, "series: %s has no values", values->key);
    }
    for (const rs_yaml *value = values->first; value; value = value->next) {
        const char *text;
        char place[256];
        RS_TRY(rs_yaml_text(value, study->path, &text, error));
        (void)snprintf(place, sizeof place, "%.200s:%d", study->path, value->line);
        RS_TRY(rs_config_set(scratch, values->key, text, place, error));
    }
    return RS_OK;
}

static rs_status check_stage(const rs_study *study, const rs_yaml *stage, rs_error *error)
{
    int64_t times;
    rs_config scratch = study->settings;
    RS_TRY(rs_yaml_expect(stage, RS_YAML_MAP, study->path, error));
    RS_TRY(check_name(study, stage, error));
    RS_TRY(check_from(study, stage, error));
    RS_TRY(read_repeat(study, stage, &times, error));
    RS_TRY(check_series(study, stage, &scratch, error));
    for (const rs_yaml *item = stage->first; item; item = item->next) {
        RS_TRY(refuse_init_from(study, item, error));
        if (!is_own_key(item->key)) {
            RS_TRY(rs_config_set_yaml(&scratch, item, study->path, error));
        }
    }
    return RS_OK;
}

rs_status rs__study_check_stages(const rs_study *study, rs_error *error)
{
    RS_TRY(rs_yaml_expect(study->stages, RS_YAML_LIST, study->path, error));
    if (!study->stages->first) {
        return FAIL_AT(study, study->stages->line, "stages is an empty list: the study would have no run");
    }
    for (const rs_yaml *stage = study->stages->first; stage; stage = stage->next) {
        RS_TRY(check_stage(study, stage, error));
    }
    return RS_OK;
}

/* --- making the chain -------------------------------------------------------------------------------------- */

/* What is known of a stage while its chain is made: the last run of it. */
typedef struct made_stage {
    const rs_yaml *stage;
    int run;
} made_stage;

typedef struct chain {
    const rs_study *study;
    const rs_study_run *base; /* settings of cases, grid and seeds */
    rs_study_runs *runs;
    int number; /* of the chain */
    int turns;  /* made of it */
    made_stage made[RS_STUDY_MAX_STAGES];
    int made_count;
} chain;

/* The run that a stage begins from: of the stage it names, else of the one before; -1: of none. */
static int run_before(const chain *c, const rs_yaml *stage)
{
    const rs_yaml *from = rs_yaml_get(stage, "from");
    if (!from) {
        return c->made_count ? c->made[c->made_count - 1].run : -1;
    }
    int run = -1;
    for (int i = 0; i < c->made_count; i++) {
        if (strcmp(rs_yaml_get(c->made[i].stage, "name")->text, from->text) == 0) {
            run = c->made[i].run;
        }
    }
    return run;
}

static rs_status label_run(rs_study_run *run, const rs_yaml *stage, const rs_yaml *value, int64_t turn,
                           int64_t times, rs_error *error)
{
    char text[RS_TEXT_MAX];
    int length = snprintf(text, sizeof text, "%.200s", rs_yaml_get(stage, "name")->text);
    if (times > 1) {
        (void)snprintf(text + length, sizeof text - (size_t)length, " %" PRId64 "/%" PRId64, turn, times);
    }
    RS_TRY(rs__study_add_label(run->group, sizeof run->group, "stage", text, error));
    return value ? rs__study_add_label(run->group, sizeof run->group,
                                       rs_yaml_get(stage, "series")->first->key, value->text, error)
                 : RS_OK;
}

/* What --set sets wins over the stages, too; --seeds are those of the chains, a stage's own seed stays. */
static const rs_study_axis *find_override(const rs_study *study, const char *key)
{
    for (int i = 0; i < study->axis_count; i++) {
        const rs_study_axis *axis = &study->axes[i];
        if (axis->overridden && !axis->by_seeds && strcmp(axis->name, key) == 0) {
            return axis;
        }
    }
    return NULL;
}

/* Leaves the run as the command line set it, and notes that the stage has another value. */
static rs_status note_override(const rs_study_axis *axis, const char *key, const char *text, const char *path,
                               rs_study_run *run, rs_error *error)
{
    char names[8];
    rs_config as_written = run->config;
    RS_TRY(rs_config_set(&as_written, key, text, path, error));
    if (axis->count == 1 && rs_config_differences(&as_written, &run->config, names, sizeof names) > 0) {
        rs__study_note_change(run, key, axis->values[0].text);
    }
    return RS_OK;
}

static rs_status set_option(const chain *c, const char *key, const char *text, rs_study_run *run,
                            rs_error *error)
{
    const rs_study_axis *axis = find_override(c->study, key);
    return axis ? note_override(axis, key, text, c->study->path, run, error)
                : rs_config_set(&run->config, key, text, c->study->path, error);
}

static rs_status set_options(const chain *c, const rs_yaml *stage, const rs_yaml *value, rs_study_run *run,
                             rs_error *error)
{
    for (const rs_yaml *item = stage->first; item; item = item->next) {
        if (!is_own_key(item->key)) {
            RS_TRY(set_option(c, item->key, item->text, run, error));
        }
    }
    return value ? set_option(c, rs_yaml_get(stage, "series")->first->key, value->text, run, error) : RS_OK;
}

/* One turn of a stage, which begins from the run `before`; *made is its run. */
static rs_status add_turn(chain *c, const rs_yaml *stage, const rs_yaml *value, int64_t turn, int64_t times,
                          int before, int *made, rs_error *error)
{
    rs_study_run *run = NULL;
    RS_TRY(rs__study_add_run(c->runs, c->base, &run, error));
    run->chain = c->number;
    run->from = before;
    run->last_of_chain = !stage->next && turn == times && !(value && value->next);
    run->turn = c->turns++;
    RS_TRY(label_run(run, stage, value, turn, times, error));
    RS_TRY(set_options(c, stage, value, run, error));
    if (before < 0) {
        run->config.init_optimizer = false;
    } else {
        (void)snprintf(run->config.init_from, sizeof run->config.init_from, "%s",
                       c->runs->list[before].config.out);
    }
    return rs__study_finish_run(c->study, c->runs, made, error);
}

static rs_status add_stage(chain *c, const rs_yaml *stage, rs_error *error)
{
    int64_t times;
    int before = run_before(c, stage);
    const rs_yaml *series = rs_yaml_get(stage, "series");
    RS_TRY(read_repeat(c->study, stage, &times, error));
    times = c->study->most_turns && times > c->study->most_turns ? c->study->most_turns : times;
    if (c->made_count == RS_STUDY_MAX_STAGES) {
        return FAIL_AT(c->study, stage->line, "more than %d stages", RS_STUDY_MAX_STAGES);
    }
    for (int64_t turn = 1; turn <= times; turn++) {
        const rs_yaml *value = series ? series->first->first : NULL;
        do {
            RS_TRY(add_turn(c, stage, value, turn, times, before, &before, error));
            value = value ? value->next : NULL;
        } while (value);
    }
    c->made[c->made_count++] = (made_stage){.stage = stage, .run = before};
    return RS_OK;
}

rs_status rs__study_add_chain(const rs_study *study, const rs_study_run *base, int number,
                              rs_study_runs *runs, rs_error *error)
{
    chain c = {.study = study, .base = base, .runs = runs, .number = number};
    for (const rs_yaml *stage = study->stages->first; stage; stage = stage->next) {
        RS_TRY(add_stage(&c, stage, error));
    }
    return RS_OK;
}
