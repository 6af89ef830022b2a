/* page_results.c: the sections Results, a row for each group, and Runs, a row for each run; see page.h. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "page.h"
#include "rs/text.h"

/* --- results -------------------------------------------------------------------------------------------------- */

static void result_heads(const rs__report *report, FILE *file)
{
    size_t count;
    const rs_option *table = rs_option_table(&count);
    for (int v = 0; v < report->varying_count; v++) {
        char name[64];
        rs_option_words(&table[report->varying[v]], name, sizeof name);
        rs__table_head(file, strcmp(name, "plain") == 0 ? "plain or residual" : name);
    }
    if (report->varying_count == 0) {
        rs__table_head(file, "network");
    }
    if (report->turns) {
        rs__table_head_number(file, "turn");
    }
    rs__table_head_number(file, "finished runs");
    for (int m = 0; m < RS__MEASURES; m++) {
        if (report->shown[m]) {
            rs__table_head_number(file, rs__report_measures[m].title);
        }
    }
}

static void setting_cells(const rs__report *report, const rs__group *group, FILE *file)
{
    const rs__run *run = &report->runs[group->first];
    for (int v = 0; v < report->varying_count; v++) {
        rs__html(file, v == 0 ? "<th scope=\"row\">%s</th>" : "<td>%s</td>",
                 rs__report_setting_shown(run, (size_t)report->varying[v]));
    }
    if (report->varying_count == 0) {
        rs__html(file, "<th scope=\"row\">%s</th>", run->origin[RS__NETWORK]);
    }
    if (report->turns) {
        rs__cell_integer(file, group->turn);
    }
}

/* "2 of 3", with the runs that diverged by name. */
static void runs_cell(const rs__report *report, int g, FILE *file)
{
    enum { MOST = 3 };
    const rs__group *group = &report->groups[g];
    int named = 0;
    rs__html(file, "<td class=\"number\" data-value=\"%d\"><a href=\"#run-%d\">%d of %d</a>", group->whole,
             group->first + 1, group->whole, group->count);
    for (int i = 0; i < report->run_count; i++) {
        const rs__run *run = &report->runs[i];
        if (run->group == g && rs__report_is_diverged(run) && named++ < MOST) {
            rs__html(file, "<br><small class=\"state-other\"><a href=\"#run-%d\">%s</a> diverged</small>",
                     i + 1, run->name);
        }
    }
    if (named > MOST) {
        rs__html(file, "<br><small class=\"state-other\">and %d more diverged</small>", named - MOST);
    }
    rs__html(file, "</td>");
}

/* `whole`: runs that the mean should be of. */
static void result_cell(const rs__spread *result, int64_t whole, FILE *file)
{
    char text[64];
    rs__report_spread_text(result, text, sizeof text);
    if (result->n == 0) {
        rs__html(file, "<td class=\"number\"></td>");
        return;
    }
    rs__html(file, "<td class=\"number%s\" data-value=\"%.9g\">%s", result->best ? " best" : "", result->mean,
             text);
    rs__html(file, !result->best   ? ""
                   : result->close ? " <span class=\"tag\">best, close</span>"
                                   : " <span class=\"tag\">best</span>");
    if (result->n < whole) {
        rs__html(file, "<br><small>of %" PRId64 ": the others have no number</small>", result->n);
    }
    rs__html(file, "</td>");
}

static void result_row(const rs__report *report, int g, FILE *file)
{
    const rs__group *group = &report->groups[g];
    rs__html(file, "<tr id=\"group-%d\">", g + 1);
    setting_cells(report, group, file);
    runs_cell(report, g, file);
    for (int m = 0; m < RS__MEASURES; m++) {
        if (report->shown[m]) {
            result_cell(&group->results[m], group->whole, file);
        }
    }
    rs__html(file, "</tr>\n");
}

/* Groups that cannot be the best. */
static void incomplete(const rs__report *report, FILE *file)
{
    int named = 0;
    for (int g = 0; g < report->group_count; g++) {
        if (report->group_count > 1 && !report->groups[g].complete) {
            rs__html(file,
                     named++ ? "; <a href=\"#group-%d\">%s</a>"
                             : "<p>Not compared, as runs are missing: "
                               "<a href=\"#group-%d\">%s</a>",
                     g + 1, report->groups[g].label);
        }
    }
    rs__html(file, named ? ".</p>\n" : "");
}

void rs__page_results(const rs__report *report, FILE *file)
{
    rs__html(file, "<section aria-labelledby=\"results\">\n<h2 id=\"results\">Results</h2>\n");
    rs__table_open(file, "Results after the last epoch");
    result_heads(report, file);
    rs__table_body(file);
    for (int g = 0; g < report->group_count; g++) {
        result_row(report, g, file);
    }
    rs__table_close(file);
    if (report->run_count > 1) {
        rs__html(
            file,
            "<p>Mean ± standard deviation (n − 1) over the finished runs of a group; where none is "
            "finished, over what there is. <em>Best</em> is the best mean among the groups with the same "
            "data and loss of which every run is finished and no seed is missing; <em>close</em>: another "
            "mean is no further "
            "away than the larger of both standard deviations.</p>\n");
        incomplete(report, file);
    }
    rs__html(file, "</section>\n");
}

/* --- runs ----------------------------------------------------------------------------------------------------- */

static void run_row(const rs__report *report, int i, FILE *file)
{
    const rs__run *run = &report->runs[i];
    char text[32];
    rs__html(file, "<tr id=\"run-%d\"><th scope=\"row\">%s</th>", i + 1, run->name);
    if (report->group_count > 1) {
        rs__html(file, "<td class=\"line\"><a href=\"#group-%d\">%s</a></td>", run->group + 1,
                 report->groups[run->group].label);
    }
    rs__html(file, "<td class=\"state-%s\">%s</td>", rs__report_is_done(run) ? "done" : "other", run->state);
    rs__cell_integer(file, run->seed);
    rs__cell_integer(file, run->done.epochs);
    rs__cell_integer(file, run->done.steps);
    rs__cell_integer(file, run->parameters);
    for (int m = 0; m < RS__EPOCHS; m++) {
        if (report->shown[m]) {
            rs__cell_real(file, run->measures[m]);
        }
    }
    rs_text_duration(run->seconds, text, sizeof text);
    rs__html(file, "<td class=\"number\" data-value=\"%.9g\">%s</td>", run->seconds, text);
    rs__html(file, "<td class=\"line\">%s</td>", run->origin[RS__STARTED]);
    rs__html(file, "</tr>\n");
}

void rs__page_runs(const rs__report *report, FILE *file)
{
    rs__html(file, "<section aria-labelledby=\"runs\">\n<h2 id=\"runs\">Runs</h2>\n");
    rs__table_open(file, "Every run");
    rs__table_head(file, "file");
    if (report->group_count > 1) {
        rs__table_head(file, "group");
    }
    rs__table_head(file, "state");
    rs__table_head_number(file, "seed");
    rs__table_head_number(file, "epochs");
    rs__table_head_number(file, "steps");
    rs__table_head_number(file, "parameters");
    for (int m = 0; m < RS__EPOCHS; m++) {
        if (report->shown[m]) {
            rs__table_head_number(file, rs__report_measures[m].title);
        }
    }
    rs__table_head_number(file, "time");
    rs__table_head(file, "started");
    rs__table_body(file);
    for (int i = 0; i < report->run_count; i++) {
        run_row(report, i, file);
    }
    rs__table_close(file);
    rs__html(file, "</section>\n");
}
