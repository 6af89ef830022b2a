/* warnings.c: what a reader must know before believing the numbers: runs that did not end in order, losses that exploded, seeds that
 * are missing, records that do not belong together. */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "report.h"
#include "rs/recorder.h"

static rs_status add(rs__texts *texts, rs_error *error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static rs_status add(rs__texts *texts, rs_error *error, const char *format, ...)
{
    char text[2048];
    va_list values;
    va_start(values, format);
    (void)vsnprintf(text, sizeof text, format, values);
    va_end(values);
    return rs__report_add_text(texts, text, error);
}

/* --- single runs ---------------------------------------------------------------------------------------------- */

static bool is_state(const rs__run *run, rs_run_state state)
{
    return strcmp(run->state, rs_run_state_name(state)) == 0;
}

static rs_status find_end(rs__report *report, const rs__run *run, rs_error *error)
{
    const int64_t epochs = run->done.epochs, steps = run->done.steps;
    rs__texts *to = &report->warnings;
    if (rs__report_is_diverged(run)) {
        return add(to, error,
                   "%s diverged: it ends after %" PRId64 " steps, and no mean counts it where others of "
                   "its group are finished.",
                   run->name, steps);
    }
    if (is_state(run, RS_RUN_STOPPED)) {
        return add(to, error,
                   "%s stopped early by an error (a full disk, for example), after %" PRId64 " epochs.",
                   run->name, epochs);
    }
    if (!rs__report_is_done(run)) {
        return add(to, error,
                   "%s is not finished (%s%s): %" PRId64 " epochs and %" PRId64
                   " steps so far; --resume goes on.",
                   run->name, run->state, run->writer_mark ? "; a process writes it now, or was killed" : "",
                   epochs, steps);
    }
    return RS_OK;
}

static rs_status find_resumed(rs__report *report, const rs__run *run, rs_error *error)
{
    if (run->resumed_elsewhere > 0) {
        return add(
            &report->warnings, error,
            "%s was resumed %" PRId64 " times, %" PRId64
            " of them with another build, device, library or thread count: its numbers may differ in their "
            "last digits from those of a run in one piece.",
            run->name, run->resumed, run->resumed_elsewhere);
    }
    return run->resumed == 0 ? RS_OK
                             : add(&report->notes, error,
                                   "%s was resumed %" PRId64 " times, to the same bits as without a break.",
                                   run->name, run->resumed);
}

static rs_status find_numbers(rs__report *report, const rs__run *run, rs_error *error)
{
    if (run->bad_step >= 0) {
        RS_TRY(add(&report->warnings, error,
                   "%s: the loss or the gradient's norm is no finite number at step %" PRId64
                   ", or more often; the first such step is given, counted from 0.",
                   run->name, run->bad_step));
    }
    if (run->first_loss > 0.0 && run->peak_loss > RS_LOSS_EXPLOSION * run->first_loss) {
        RS_TRY(add(&report->warnings, error,
                   "%s: the loss exploded: %.4g at step %" PRId64 ", %.3g times that of the first step.",
                   run->name, run->peak_loss, run->peak_step, run->peak_loss / run->first_loss));
    }
    return run->done.epochs > 0 ? RS_OK
                                : add(&report->warnings, error,
                                      "%s has no finished epoch, so there are no results of it.", run->name);
}

/* --- groups --------------------------------------------------------------------------------------------------- */

static bool has_seed(const rs__report *report, int group, int64_t seed)
{
    for (int i = 0; i < report->run_count; i++) {
        const rs__run *run = &report->runs[i];
        if (run->group == group && run->seed == seed && rs__report_is_done(run)) {
            return true;
        }
    }
    return false;
}

/* The least seed above `above` that a finished run of another group has and this group has not; false: there is none. */
static bool next_missing_seed(const rs__report *report, int group, const int64_t *above, int64_t *seed)
{
    bool found = false;
    for (int i = 0; i < report->run_count; i++) {
        const rs__run *run = &report->runs[i];
        const bool later = !above || run->seed > *above;
        if (rs__report_is_done(run) && later && (!found || run->seed < *seed) &&
            !has_seed(report, group, run->seed)) {
            *seed = run->seed;
            found = true;
        }
    }
    return found;
}

/* Those seeds, each once and in order. */
static int missing_seeds(const rs__report *report, int group, char *text, size_t capacity)
{
    int missing = 0;
    size_t used = 0;
    int64_t seed = 0, before = 0;
    while (next_missing_seed(report, group, missing ? &before : NULL, &seed)) {
        missing++;
        before = seed;
        if (used < capacity) {
            used +=
                (size_t)snprintf(text + used, capacity - used, "%s%" PRId64, missing > 1 ? ", " : "", seed);
        }
    }
    return missing;
}

static rs_status find_seeds(rs__report *report, rs_error *error)
{
    int most = 0;
    for (int g = 0; g < report->group_count; g++) {
        most = report->groups[g].whole > most ? report->groups[g].whole : most;
    }
    for (int g = 0; g < report->group_count; g++) {
        char seeds[256] = "";
        const rs__group *group = &report->groups[g];
        int missing = group->whole < most ? missing_seeds(report, g, seeds, sizeof seeds) : 0;
        if (missing > 0) {
            RS_TRY(add(&report->warnings, error,
                       "%s: %d finished run%s where others have up to %d; missing: seed%s %s.", group->label,
                       group->whole, group->whole == 1 ? "" : "s", most, missing == 1 ? "" : "s", seeds));
        }
    }
    return RS_OK;
}

/* Runs of one group must have had the same data. */
static rs_status find_data(rs__report *report, rs_error *error)
{
    for (int i = 0; i < report->run_count; i++) {
        const rs__run *run = &report->runs[i], *first = &report->runs[report->groups[run->group].first];
        if (strcmp(run->dataset, first->dataset) != 0) {
            RS_TRY(add(&report->warnings, error,
                       "%s and %s have the same settings but not the same data files: see Provenance.",
                       first->name, run->name));
        }
    }
    return RS_OK;
}

/* Equal settings and seeds, and no chain of stages that would explain it. */
static rs_status find_twins(rs__report *report, rs_error *error)
{
    for (int g = 1; g < report->group_count; g++) {
        const rs__run *run = &report->runs[report->groups[g].first],
                      *other = &report->runs[report->groups[g - 1].first];
        bool twins = run->origin[RS__INIT_FROM][0] == '\0';
        for (int v = 0; v < report->varying_count && twins; v++) {
            twins = strcmp(run->settings[report->varying[v]], other->settings[report->varying[v]]) == 0;
        }
        if (twins) {
            RS_TRY(add(&report->warnings, error,
                       "%s and %s have the same settings and the same seed: one of them may be a copy. Their "
                       "results are not averaged.",
                       other->name, run->name));
        }
    }
    return RS_OK;
}

/* Runs that a rule ended, all in one line. */
static rs_status find_ruled(rs__report *report, rs_error *error)
{
    int64_t least = 0, most = 0;
    int ruled = 0;
    const char *reason = "";
    for (int i = 0; i < report->run_count; i++) {
        const rs__run *run = &report->runs[i];
        const int64_t epochs = run->done.epochs;
        if (rs__report_is_done(run) && *run->reason && strcmp(run->reason, "epochs") != 0) {
            least = ruled == 0 || epochs < least ? epochs : least;
            most = epochs > most ? epochs : most;
            reason = ruled == 0 || strcmp(reason, run->reason) == 0 ? run->reason : "stop-...";
            ruled++;
        }
    }
    if (ruled == 0) {
        return RS_OK;
    }
    return least == most
               ? add(&report->notes, error, "%d of %d runs ended by --%s, after %" PRId64 " epochs.", ruled,
                     report->run_count, reason, least)
               : add(&report->notes, error,
                     "%d of %d runs ended by --%s, after %" PRId64 " to %" PRId64 " epochs.", ruled,
                     report->run_count, reason, least, most);
}

/* Runs that went on after a break on the same machine. */
static rs_status find_continued(rs__report *report, rs_error *error)
{
    int resumed = 0;
    for (int i = 0; i < report->run_count; i++) {
        resumed += report->runs[i].resumed > 0 && report->runs[i].resumed_elsewhere == 0;
    }
    return resumed == 0 ? RS_OK
                        : add(&report->notes, error,
                              "%d of %d runs were resumed: to the same bits as without a break.", resumed,
                              report->run_count);
}

/* What computed the runs, where they differ in it. */
static rs_status find_mixture(rs__report *report, rs_error *error)
{
    static const rs__origin compared[] = {RS__VERSION, RS__COMMIT, RS__DEVICE, RS__LIBRARIES};
    for (size_t c = 0; c < sizeof compared / sizeof compared[0]; c++) {
        const rs__origin origin = compared[c];
        int others = 0;
        for (int i = 1; i < report->run_count; i++) {
            others += strcmp(report->runs[i].origin[origin], report->runs[0].origin[origin]) != 0;
        }
        if (others > 0) {
            RS_TRY(add(&report->notes, error, "The runs do not all have the same %s: see Provenance.",
                       rs__report_origin_titles[origin]));
        }
    }
    return RS_OK;
}

rs_status rs__report_find_warnings(rs__report *report, rs_error *error)
{
    for (int i = 0; i < report->run_count; i++) {
        RS_TRY(find_end(report, &report->runs[i], error));
        RS_TRY(find_resumed(report, &report->runs[i], error));
        RS_TRY(find_numbers(report, &report->runs[i], error));
    }
    RS_TRY(rs__report_find_planned(report, error));
    RS_TRY(find_seeds(report, error));
    RS_TRY(find_data(report, error));
    RS_TRY(find_twins(report, error));
    RS_TRY(find_ruled(report, error));
    RS_TRY(find_continued(report, error));
    return find_mixture(report, error);
}
