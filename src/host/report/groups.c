/* groups.c: runs that differ in their seed alone are a group: its label, and its results as mean and deviation over the runs. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"
#include "rs/host.h"
#include "rs/statistics.h"
#include "rs/text.h"

/* --- which settings tell groups apart ------------------------------------------------------------------------- */

static bool same_settings(const rs__report *report, const rs__run *a, const rs__run *b)
{
    size_t count;
    const rs_option *table = rs_option_table(&count);
    for (size_t i = 0; i < report->option_count; i++) {
        if (rs_option_of_experiment(&table[i]) && strcmp(a->settings[i], b->settings[i]) != 0) {
            return false;
        }
    }
    return true;
}

static bool same_seeds(const rs__report *report, const rs__run *a, const rs__run *b)
{
    size_t count;
    const rs_option *table = rs_option_table(&count);
    for (size_t i = 0; i < report->option_count; i++) {
        if (rs_option_is_seed(&table[i]) && strcmp(a->settings[i], b->settings[i]) != 0) {
            return false;
        }
    }
    return true;
}

/* Whether the group has a run with the seeds of this one: a repeated stage of a chain, or the same run twice. */
static bool has_seeds(const rs__report *report, int group, const rs__run *run)
{
    for (int i = 0; i < report->run_count; i++) {
        if (report->runs[i].group == group && same_seeds(report, &report->runs[i], run)) {
            return true;
        }
    }
    return false;
}

/* --- groups --------------------------------------------------------------------------------------------------- */

static int place_run(rs__report *report, rs__run *run)
{
    for (int g = 0; g < report->group_count; g++) {
        if (same_settings(report, &report->runs[report->groups[g].first], run) &&
            !has_seeds(report, g, run)) {
            return g;
        }
    }
    report->groups[report->group_count].first = (int)(run - report->runs);
    return report->group_count++;
}

static int by_start(const void *a, const void *b)
{
    const rs__run *x = *(rs__run *const *)a, *y = *(rs__run *const *)b;
    int order = strcmp(x->origin[RS__STARTED], y->origin[RS__STARTED]);
    return order ? order : (x > y) - (x < y);
}

/* In the order they were begun in, so that the turns of a repeated stage stay apart as they came. */
static rs_status place_runs(rs__report *report, rs_error *error)
{
    rs__run **order = rs_alloc_array((size_t)report->run_count, sizeof *order);
    report->groups = rs_alloc_array((size_t)report->run_count, sizeof *report->groups);
    if (!order || !report->groups) {
        rs_free(order);
        return RS_FAIL(error, RS_MEMORY, "no memory for the groups of %d runs", report->run_count);
    }
    for (int i = 0; i < report->run_count; i++) {
        order[i] = &report->runs[i];
        order[i]->group = -1;
    }
    qsort(order, (size_t)report->run_count, sizeof *order, by_start);
    for (int i = 0; i < report->run_count; i++) {
        order[i]->group = place_run(report, order[i]);
    }
    rs_free(order);
    return RS_OK;
}

static bool varies(const rs__report *report, size_t option)
{
    const char *first = report->runs[0].settings[option];
    for (int g = 1; g < report->group_count; g++) {
        if (strcmp(report->runs[report->groups[g].first].settings[option], first) != 0) {
            return true;
        }
    }
    return strcmp(report->runs[report->groups[0].first].settings[option], first) != 0;
}

static rs_status find_varying(rs__report *report, rs_error *error)
{
    size_t count;
    const rs_option *table = rs_option_table(&count);
    report->varying = rs_alloc_array(report->option_count, sizeof *report->varying);
    if (!report->varying) {
        return RS_FAIL(error, RS_MEMORY, "no memory for the table of options");
    }
    for (size_t i = 0; i < report->option_count; i++) {
        if (rs_option_of_experiment(&table[i]) && varies(report, i)) {
            report->varying[report->varying_count++] = (int)i;
        }
    }
    return RS_OK;
}

static int compare_groups(const rs__report *report, const rs__group *a, const rs__group *b)
{
    size_t options;
    const rs_option *table = rs_option_table(&options);
    for (int v = 0; v < report->varying_count; v++) {
        int order = rs_text_compare(report->runs[a->first].settings[report->varying[v]],
                                    report->runs[b->first].settings[report->varying[v]]);
        if (order) {
            return strcmp(table[report->varying[v]].name, "plain") == 0 ? -order : order;
        }
    }
    return 0;
}

/* By their settings, plain networks before residual ones; equal ones stay in the order they were found in. */
static void sort_groups(rs__report *report)
{
    for (int i = 1; i < report->group_count; i++) {
        rs__group moved = report->groups[i];
        int at = i;
        while (at > 0 && compare_groups(report, &report->groups[at - 1], &moved) > 0) {
            report->groups[at] = report->groups[at - 1];
            at--;
        }
        report->groups[at] = moved;
    }
}

static void number_groups(rs__report *report, int *place)
{
    for (int g = 0; g < report->group_count; g++) {
        place[report->runs[report->groups[g].first].group] = g;
    }
    for (int i = 0; i < report->run_count; i++) {
        report->runs[i].group = place[report->runs[i].group];
    }
}

/* Networks of the same name are told apart by their options. */
static void clear_up_labels(rs__report *report)
{
    bool unclear = false;
    for (int g = 0; g < report->group_count; g++) {
        for (int h = 0; h < g && !unclear; h++) {
            unclear = strcmp(report->groups[g].label, report->groups[h].label) == 0 &&
                      compare_groups(report, &report->groups[g], &report->groups[h]) != 0;
        }
    }
    for (int g = 0; g < report->group_count && unclear; g++) {
        rs__report_label(report, &report->groups[g], true);
    }
}

/* --- turns ---------------------------------------------------------------------------------------------------- */

/* Groups with equal settings are numbered. */
static void tell_equal_apart(rs__report *report)
{
    report->groups[0].turn = 1;
    for (int g = 1; g < report->group_count; g++) {
        rs__group *group = &report->groups[g], *before = group - 1;
        group->turn = compare_groups(report, before, group) == 0 ? before->turn + 1 : 1;
        size_t length = strlen(group->label);
        if (group->turn > 1) {
            (void)snprintf(group->label + length, sizeof group->label - length, " (%d)", group->turn);
            report->turns = true;
        }
    }
}

/* --- results -------------------------------------------------------------------------------------------------- */

rs__spread rs__report_spread(const double *values, int count)
{
    const rs_spread s = rs_spread_of(values, count);
    return (rs__spread){.mean = s.mean, .std = s.std, .n = s.n};
}

/* As many decimals as the deviation needs for two digits; without one four digits, or four decimals below 10. */
void rs__report_spread_text(const rs__spread *spread, char *text, size_t capacity)
{
    const double size = fabs(spread->mean);
    if (spread->n == 0) {
        (void)snprintf(text, capacity, "%s", "");
        return;
    }
    if (!isfinite(spread->mean) || size >= 1e6 || (size > 0.0 && size < 1e-3)) {
        int used = snprintf(text, capacity, "%.4g", spread->mean);
        if (spread->n > 1 && used > 0 && (size_t)used < capacity) {
            (void)snprintf(text + used, capacity - (size_t)used, " ± %.2g", spread->std);
        }
        return;
    }
    int decimals = size < 10.0 ? 4 : size < 100.0 ? 3 : size < 1000.0 ? 2 : 1;
    if (spread->n > 1 && spread->std > 0.0 && isfinite(spread->std)) {
        int needed = 1 - (int)floor(log10(spread->std));
        decimals = needed < 0 ? 0 : needed > 6 ? 6 : needed;
    }
    const bool counts = spread->counts && spread->mean == floor(spread->mean);
    decimals = counts && (spread->n == 1 || spread->std == 0.0) ? 0 : decimals;
    if (spread->n > 1) {
        (void)snprintf(text, capacity, "%.*f ± %.*f", decimals, spread->mean, decimals, spread->std);
    } else {
        (void)snprintf(text, capacity, "%.*f", decimals, spread->mean);
    }
}

static void sum_up(const rs__report *report, int g, double *values)
{
    rs__group *group = &report->groups[g];
    for (int i = 0; i < report->run_count; i++) {
        if (report->runs[i].group == g) {
            group->count++;
            group->whole += rs__report_is_done(&report->runs[i]);
            group->diverged += rs__report_is_diverged(&report->runs[i]);
            if (rs__report_is_done(&report->runs[i]) && !rs__report_is_done(&report->runs[group->first])) {
                group->first = i;
            }
        }
    }
    for (int m = 0; m < RS__MEASURES; m++) {
        int count = 0;
        for (int i = 0; i < report->run_count; i++) {
            if (report->runs[i].group == g && (group->whole == 0 || rs__report_is_done(&report->runs[i]))) {
                values[count++] = report->runs[i].measures[m];
            }
        }
        group->results[m] = rs__report_spread(values, count);
        group->results[m].counts = m == RS__EPOCHS;
    }
}

/* --- which measures are shown ---------------------------------------------------------------------------------- */

/* Without a validation set of its own the test set is it, and both hold the same. */
static bool is_copy(const rs__report *report, int m)
{
    char test[64];
    if (strncmp(rs__report_measures[m].name, "valid_", 6) != 0) {
        return false;
    }
    (void)snprintf(test, sizeof test, "test_%s", rs__report_measures[m].name + 6);
    for (int o = 0; o < RS__MEASURES; o++) {
        bool other = strcmp(rs__report_measures[o].name, test) == 0;
        for (int i = 0; other && i < report->run_count; i++) {
            const double a = report->runs[i].measures[m], b = report->runs[i].measures[o];
            if (!(a == b || (isnan(a) && isnan(b)))) {
                return false;
            }
        }
    }
    return true;
}

/* A stop rule, or a run that is not finished, makes the number of epochs a result. */
static bool same_epochs(const rs__report *report)
{
    for (int i = 1; i < report->run_count; i++) {
        if (report->runs[i].done.epochs != report->runs[0].done.epochs) {
            return false;
        }
    }
    return true;
}

static void choose_measures(rs__report *report)
{
    for (int m = 0; m < RS__MEASURES; m++) {
        for (int i = 0; i < report->run_count; i++) {
            report->shown[m] = report->shown[m] || !isnan(report->runs[i].measures[m]);
        }
        report->shown[m] = report->shown[m] && !is_copy(report, m);
    }
    report->shown[RS__EPOCHS] = !same_epochs(report);
}

rs_status rs__report_make_groups(rs__report *report, rs_error *error)
{
    RS_TRY(place_runs(report, error));
    RS_TRY(find_varying(report, error));
    sort_groups(report);
    int *place = rs_alloc_array((size_t)report->group_count, sizeof *place);
    double *values = rs_alloc_array((size_t)report->run_count, sizeof *values);
    if (place && values) {
        number_groups(report, place);
    }
    for (int g = 0; place && values && g < report->group_count; g++) {
        rs__report_label(report, &report->groups[g], false);
        sum_up(report, g, values);
    }
    if (place && values) {
        clear_up_labels(report);
    }
    rs_free(place);
    if (!place || !values) {
        rs_free(values);
        return RS_FAIL(error, RS_MEMORY, "no memory for the groups of %d runs", report->run_count);
    }
    rs_free(values);
    tell_equal_apart(report);
    choose_measures(report);
    rs__report_mark_best(report);
    return RS_OK;
}
