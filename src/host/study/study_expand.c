/* study_expand.c: the runs a study stands for: cases x grid x seeds, each resolved, validated and named. */
#include <string.h>

#include "rs/host.h"
#include "study.h"

static int count_items(const rs_yaml *list)
{
    int count = 0;
    for (const rs_yaml *item = list ? list->first : NULL; item; item = item->next) {
        count++;
    }
    return count;
}

static rs_status count_runs(const rs_study *study, int *count, rs_error *error)
{
    int64_t total = study->cases ? count_items(study->cases) : 1;
    for (int i = 0; i < study->axis_count && total <= RS_STUDY_MAX_RUNS; i++) {
        total *= study->axes[i].count;
    }
    *count = (int)total;
    return total <= RS_STUDY_MAX_RUNS
               ? RS_OK
               : RS_FAIL(error, RS_USAGE, "%s: more than %d runs; take fewer values with --set KEY=VALUES",
                         study->path, RS_STUDY_MAX_RUNS);
}

static void append(char *text, size_t capacity, const char *first, const char *second)
{
    size_t length = strlen(text);
    (void)snprintf(text + length, capacity - length, "%s%s%s%s", length ? ", " : "", first,
                   *second ? " " : "", second);
}

static rs_status apply_case(const rs_study *study, const rs_yaml *one, rs_study_run *run, rs_error *error)
{
    for (const rs_yaml *item = one->first; item; item = item->next) {
        if (strcmp(item->key, "name") == 0) {
            append(run->label, sizeof run->label, item->text, "");
        } else {
            RS_TRY(rs_config_set_yaml(&run->config, item, study->path, error));
        }
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
        const struct rs_study_value *value = &axis->values[chosen[i]];
        RS_TRY(rs_config_set(&run->config, axis->name, value->text, value->place, error));
        if (axis->count > 1) {
            append(run->label, sizeof run->label, axis->name, value->text);
        }
    }
    return RS_OK;
}

static rs_status resolve(const rs_study *study, const char *out_dir, int index, int grid, rs_study_run *run,
                         rs_error *error)
{
    const rs_yaml *one = study->cases ? study->cases->first : NULL;
    for (int i = 0; i < index / grid && one; i++) {
        one = one->next;
    }
    run->config = study->settings;
    run->exit_status = -1;
    if (one) {
        RS_TRY(apply_case(study, one, run, error));
    }
    RS_TRY(apply_axes(study, index % grid, run, error));
    if (*run->config.out || run->config.resume || run->config.overwrite) {
        return RS_FAIL(
            error, RS_USAGE,
            "%s: out, resume and overwrite are for `run` to set; leave them out (folder: --out-dir)",
            study->path);
    }
    if (rs_config_validate(&run->config, error) || rs_config_resolve(&run->config, error)) {
        return rs_error_prefix(error, "%s: run %d (%s)", study->path, index + 1,
                               *run->label ? run->label : study->name);
    }
    rs_config_run_name(&run->config, run->name, sizeof run->name);
    int length =
        snprintf(run->config.out, sizeof run->config.out, "%s/%s/%s.h5", out_dir, study->name, run->name);
    return length < (int)sizeof run->config.out
               ? RS_OK
               : RS_FAIL(error, RS_USAGE, "--out-dir %.60s...: the path is too long", out_dir);
}

/* Two runs of one name would write one file. */
static rs_status check_distinct(const rs_study *study, const rs_study_run *runs, int count, rs_error *error)
{
    for (int i = 0; i < count; i++) {
        for (int j = 0; j < i; j++) {
            if (strcmp(runs[i].name, runs[j].name) == 0) {
                return RS_FAIL(error, RS_USAGE,
                               "%s: runs %d (%s) and %d (%s) are the same run: they differ in nothing that "
                               "changes results",
                               study->path, j + 1, runs[j].label, i + 1, runs[i].label);
            }
        }
    }
    return RS_OK;
}

rs_status rs_study_expand(const rs_study *study, const char *out_dir, rs_study_run **runs, int *count,
                          rs_error *error)
{
    RS_TRY(count_runs(study, count, error));
    int grid = *count / (study->cases ? count_items(study->cases) : 1);
    rs_study_run *list = rs_alloc_array((size_t)*count, sizeof *list);
    if (!list) {
        return RS_FAIL(error, RS_MEMORY, "no memory for %d runs", *count);
    }
    rs_status status = RS_OK;
    for (int i = 0; status == RS_OK && i < *count; i++) {
        status = resolve(study, out_dir, i, grid, &list[i], error);
    }
    status = status ? status : check_distinct(study, list, *count, error);
    if (status) {
        rs_free(list);
        return status;
    }
    *runs = list;
    return RS_OK;
}
