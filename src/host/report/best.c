/* best.c: which group has the best result: among those that are whole, on the same data and with the same loss. */
#include <math.h>
#include <string.h>

#include "report.h"

/* Whether two groups are about the same data, so that one can be better than the other. */
static bool comparable(const rs__report *report, const rs__group *a, const rs__group *b)
{
    static const char *const same[] = {"dataset", "function", "loss"};
    size_t count;
    const rs_option *table = rs_option_table(&count);
    for (size_t i = 0; i < count; i++) {
        for (size_t s = 0; s < sizeof same / sizeof same[0]; s++) {
            if (strcmp(table[i].name, same[s]) == 0 &&
                strcmp(rs__report_setting(&report->runs[a->first], i),
                       rs__report_setting(&report->runs[b->first], i)) != 0) {
                return false;
            }
        }
    }
    return true;
}

/* Every run of it is finished, none that was planned is missing, and no other has more seeds. */
static bool is_complete(const rs__report *report, const rs__group *group)
{
    if (group->whole == 0 || group->whole < group->count || group->whole < group->planned) {
        return false;
    }
    for (int o = 0; o < report->group_count; o++) {
        if (report->groups[o].whole > group->whole && comparable(report, group, &report->groups[o])) {
            return false;
        }
    }
    return true;
}

/* A mean that counts: of every run, and a number. */
static bool is_sound(const rs__group *group, int m)
{
    return group->complete && group->results[m].n == group->whole && isfinite(group->results[m].mean);
}

static bool is_best(const rs__report *report, const rs__group *group, int m)
{
    const bool high = rs__report_measures[m].better == RS__HIGHER;
    const double mean = group->results[m].mean;
    int others = 0;
    if (!is_sound(group, m) || rs__report_measures[m].better == RS__NEITHER) {
        return false;
    }
    for (int o = 0; o < report->group_count; o++) {
        const rs__group *other = &report->groups[o];
        if (other == group || !is_sound(other, m) || !comparable(report, group, other)) {
            continue;
        }
        others++;
        if (high ? other->results[m].mean > mean : other->results[m].mean < mean) {
            return false;
        }
    }
    return others > 0;
}

/* Whether another mean is no further away than the larger of both standard deviations: more seeds might change places. */
static bool is_close(const rs__report *report, const rs__group *group, int m)
{
    const rs__spread *own = &group->results[m];
    for (int o = 0; o < report->group_count; o++) {
        const rs__group *other = &report->groups[o];
        if (other == group || !is_sound(other, m) || !comparable(report, group, other)) {
            continue;
        }
        const double spread =
            fmax(own->n > 1 ? own->std : 0.0, other->results[m].n > 1 ? other->results[m].std : 0.0);
        if (spread > 0.0 && fabs(other->results[m].mean - own->mean) <= spread) {
            return true;
        }
    }
    return false;
}

void rs__report_mark_best(rs__report *report)
{
    for (int g = 0; g < report->group_count; g++) {
        report->groups[g].complete = is_complete(report, &report->groups[g]);
    }
    for (int g = 0; g < report->group_count; g++) {
        for (int m = 0; m < RS__MEASURES; m++) {
            rs__spread *result = &report->groups[g].results[m];
            result->best = is_best(report, &report->groups[g], m);
            result->close = result->best && is_close(report, &report->groups[g], m);
        }
    }
}
