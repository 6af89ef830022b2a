/* page.c: the page: head, contents, summary, warnings, then the other sections; see page.h. */
#include "page.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "rs/text.h"
#include "rs/version.h"

/* --- title ---------------------------------------------------------------------------------------------------- */

/* "ResNet-18 plain and ResNet-18", "24 runs that differ in depth, plain", "3 runs of ResNet-18". */
static void compared_text(const rs__report *report, char *text, size_t capacity)
{
    enum { SHORT = 48 };
    size_t count;
    const rs_option *table = rs_option_table(&count);
    const rs__group *groups = report->groups;
    if (report->group_count == 1) {
        (void)snprintf(text, capacity, "%d runs of %s", report->run_count, groups[0].label);
        return;
    }
    if (report->group_count == 2 && strlen(groups[0].label) < SHORT && strlen(groups[1].label) < SHORT) {
        (void)snprintf(text, capacity, "%s and %s", groups[0].label, groups[1].label);
        return;
    }
    int used = snprintf(text, capacity, "%d runs%s", report->run_count,
                        report->varying_count > 0 ? " that differ in " : "");
    for (int v = 0; v < report->varying_count && used < (int)capacity; v++) {
        char name[64];
        rs_option_words(&table[report->varying[v]], name, sizeof name);
        used += snprintf(text + used, capacity - (size_t)used, "%s%s", v ? ", " : "", name);
    }
}

static void title_text(const rs__report *report, char *text, size_t capacity)
{
    const rs__run *run = &report->runs[0];
    const char *data = rs__report_setting_named(run, "function");
    if (report->title) {
        (void)snprintf(text, capacity, "%s", report->title);
    } else if (*report->inputs->name) {
        (void)snprintf(text, capacity, "%s", report->inputs->name);
    } else if (report->run_count > 1) {
        compared_text(report, text, capacity);
    } else {
        (void)snprintf(text, capacity, "%s on %s", run->origin[RS__NETWORK],
                       *data ? data : rs__report_setting_named(run, "dataset"));
    }
}

/* --- head ----------------------------------------------------------------------------------------------------- */

static void write_head(const rs__report *report, const char *title, FILE *file)
{
    static const struct {
        const char *id, *title;
    } sections[] = {{"summary", "Summary"},
                    {"warnings", "Warnings"},
                    {"results", "Results"},
                    {"figures", "Figures"},
                    {"layers", "Layers"},
                    {"runs", "Runs"},
                    {"configuration", "Configuration"},
                    {"provenance", "Provenance"}};
    rs__html(
        file,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src "
        "'unsafe-inline'; script-src 'unsafe-inline'\">\n"
        "<meta name=\"color-scheme\" content=\"light dark\">\n");
    rs__html(file, "<meta name=\"generator\" content=\"resnet_study %s\">\n<title>%s</title>\n<style>\n",
             rs_version(), title);
    (void)fputs(rs__page_css, file);
    rs__html(file,
             "</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#main\">Skip to the content</a>\n"
             "<header>\n<h1>%s</h1>\n<nav aria-label=\"Contents\"><ul>\n",
             title);
    for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++) {
        bool there = strcmp(sections[i].id, "warnings") != 0 || report->warnings.count > 0;
        if (there) {
            rs__html(file, "<li><a href=\"#%s\">%s</a></li>\n", sections[i].id, sections[i].title);
        }
    }
    rs__html(file, "</ul></nav>\n</header>\n<main id=\"main\">\n");
}

static void write_foot(FILE *file)
{
    char now[32];
    struct tm parts;
    const time_t seconds = time(NULL);
    bool known = gmtime_r(&seconds, &parts) && strftime(now, sizeof now, "%Y-%m-%d %H:%M UTC", &parts) > 0;
    rs__html(file, "</main>\n<footer><p>Written by resnet_study %s (%s)", rs_version(), rs_commit());
    rs__html(file, "%s%s", known ? ", " : "", known ? now : "");
    rs__html(file, ". This page needs no network.</p></footer>\n<div id=\"tip\" role=\"status\" "
                   "hidden></div>\n<script>\n");
    (void)fputs(rs__page_js, file);
    rs__html(file, "</script>\n</body>\n</html>\n");
}

/* --- summary -------------------------------------------------------------------------------------------------- */

static void fact(FILE *file, const char *name, const char *value)
{
    if (*value) {
        rs__html(file, "<div><dt>%s</dt><dd>%s</dd></div>\n", name, value);
    }
}

static void fact_integer(FILE *file, const char *name, int64_t value)
{
    char text[48];
    rs__digits_text(value, text, sizeof text);
    fact(file, name, text);
}

static void summarize_run(const rs__report *report, FILE *file)
{
    const rs__run *run = &report->runs[0];
    char text[96];
    (void)snprintf(text, sizeof text, "%s%s%s", run->state,
                   *run->reason && strcmp(run->reason, "epochs") != 0 ? ", ended by --" : "",
                   strcmp(run->reason, "epochs") != 0 ? run->reason : "");
    fact(file, "state", text);
    for (int m = 0; m < RS__EPOCHS; m++) {
        rs__report_spread_text(&report->groups[0].results[m], text, sizeof text);
        fact(file, rs__report_measures[m].title, report->shown[m] ? text : "");
    }
    fact_integer(file, "epochs", run->done.epochs);
    fact_integer(file, "steps", run->done.steps);
    fact_integer(file, "snapshots", run->done.snapshots);
    fact_integer(file, "parameters", run->parameters);
    if (run->blocks > 0) {
        fact_integer(file, "blocks", run->blocks);
    }
    rs_text_duration(run->seconds, text, sizeof text);
    fact(file, "time of all epochs", text);
    fact(file, "device", run->origin[RS__DEVICE]);
}

/* "12 done, 1 diverged" */
static void count_states(const rs__report *report, char *text, size_t capacity)
{
    size_t used = 0;
    text[0] = '\0';
    for (int i = 0; i < report->run_count && used < capacity; i++) {
        const char *state = report->runs[i].state;
        int same = 0;
        bool seen = false;
        for (int j = 0; j < report->run_count; j++) {
            bool equal = strcmp(report->runs[j].state, state) == 0;
            seen = seen || (equal && j < i);
            same += equal;
        }
        if (!seen) {
            used += (size_t)snprintf(text + used, capacity - used, "%s%d %s", used ? ", " : "", same, state);
        }
    }
}

static void summarize_runs(const rs__report *report, FILE *file)
{
    char text[256];
    double seconds = 0.0;
    count_states(report, text, sizeof text);
    fact_integer(file, "runs", report->run_count);
    fact_integer(file, "groups", report->group_count);
    fact(file, "states", text);
    for (int i = 0; i < report->run_count; i++) {
        seconds += isnan(report->runs[i].seconds) ? 0.0 : report->runs[i].seconds;
    }
    rs_text_duration(seconds, text, sizeof text);
    fact(file, "time of all epochs", text);
    for (int m = 0; m < RS__MEASURES; m++) {
        for (int g = 0; g < report->group_count; g++) {
            const rs__spread *result = &report->groups[g].results[m];
            if (report->shown[m] && (result->best || (report->group_count == 1 && result->n > 0))) {
                char best[64], name[64];
                rs__report_spread_text(result, best, sizeof best);
                (void)snprintf(name, sizeof name, "%s%s", report->group_count > 1 ? "best " : "",
                               rs__report_measures[m].title);
                rs__html(file, "<div><dt>%s</dt><dd>%s", name, best);
                rs__html(file, report->group_count > 1 ? "<small>%s</small></dd></div>\n" : "</dd></div>\n",
                         report->groups[g].label);
            }
        }
    }
}

void rs__page_summary(const rs__report *report, FILE *file)
{
    rs__html(file, "<section aria-labelledby=\"summary\">\n<h2 id=\"summary\">Summary</h2>\n");
    if (report->run_count == 1) {
        rs__html(file, "<p>One run: <code>%s</code>.</p>\n<dl class=\"facts\">\n", report->runs[0].path);
        summarize_run(report, file);
    } else {
        rs__html(file,
                 "<p>%d runs. Those that differ in their seeds alone are one group: mean ± standard "
                 "deviation over its finished runs.</p>\n<dl class=\"facts\">\n",
                 report->run_count);
        summarize_runs(report, file);
    }
    rs__html(file, "</dl>\n");
    if (report->warnings.count == 0) {
        rs__html(file, "<p>No warnings: every run ended in order, and every loss is a finite number.</p>\n");
    }
    rs__html(file, "</section>\n");
}

/* --- warnings ------------------------------------------------------------------------------------------------- */

static void write_list(const rs__texts *texts, FILE *file)
{
    rs__html(file, "<ul>\n");
    for (int i = 0; i < texts->count; i++) {
        rs__html(file, "<li>%s</li>\n", texts->list[i]);
    }
    rs__html(file, "</ul>\n");
}

void rs__page_warnings(const rs__report *report, FILE *file)
{
    if (report->warnings.count > 0) {
        rs__html(file, "<section class=\"warnings\" aria-labelledby=\"warnings\">\n<h2 "
                       "id=\"warnings\">Warnings</h2>\n");
        write_list(&report->warnings, file);
        rs__html(file, "</section>\n");
    }
    if (report->notes.count > 0) {
        rs__html(file, "<section aria-labelledby=\"notes\">\n<h2 id=\"notes\">Notes</h2>\n");
        write_list(&report->notes, file);
        rs__html(file, "</section>\n");
    }
}

/* --- all ------------------------------------------------------------------------------------------------------ */

rs_status rs__report_write_page(const rs__report *report, FILE *file, rs_error *error)
{
    char title[512];
    rs__figures figures = {0};
    title_text(report, title, sizeof title);
    write_head(report, title, file);
    rs__page_summary(report, file);
    rs__page_warnings(report, file);
    rs__page_results(report, file);
    rs_status status = rs__page_figures(report, file, &figures, error);
    status = status ? status : rs__page_layers(report, &figures, file, error);
    rs__page_clear_figures(&figures);
    RS_TRY(status);
    rs__page_runs(report, file);
    rs__page_configuration(report, file);
    rs__page_provenance(report, file);
    write_foot(file);
    return RS_OK;
}
