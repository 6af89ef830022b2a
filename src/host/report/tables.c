/* tables.c: the table of results as CSV, Markdown and JSON: one row for each group of runs. */
#include <inttypes.h>
#include <math.h>

#include "html.h"
#include "report.h"
#include "rs/version.h"

static const char *option_name(const rs__report *report, int varying)
{
    size_t count;
    return rs_option_table(&count)[report->varying[varying]].name;
}

static const char *value_of(const rs__report *report, const rs__group *group, int varying)
{
    return rs__report_setting(&report->runs[group->first], (size_t)report->varying[varying]);
}

/* --- CSV ------------------------------------------------------------------------------------------------------ */

static void csv_number(FILE *file, double value)
{
    if (isnan(value)) {
        (void)fputc(',', file);
    } else {
        (void)fprintf(file, ",%.9g", value);
    }
}

/* A number that is missing is an empty field. */
void rs__report_write_csv(const rs__report *report, FILE *file)
{
    (void)fputs("group", file);
    for (int v = 0; v < report->varying_count; v++) {
        (void)fprintf(file, ",%s", option_name(report, v));
    }
    (void)fputs(",runs,finished,diverged", file);
    for (int m = 0; m < RS__MEASURES; m++) {
        if (report->shown[m]) {
            const char *name = rs__report_measures[m].name;
            (void)fprintf(file, ",%s_mean,%s_std,%s_n,%s_is_best", name, name, name, name);
        }
    }
    (void)fputc('\n', file);
    for (int g = 0; g < report->group_count; g++) {
        const rs__group *group = &report->groups[g];
        rs__report_csv_text(file, group->label);
        for (int v = 0; v < report->varying_count; v++) {
            (void)fputc(',', file);
            rs__report_csv_text(file, value_of(report, group, v));
        }
        (void)fprintf(file, ",%d,%d,%d", group->count, group->whole, group->diverged);
        for (int m = 0; m < RS__MEASURES; m++) {
            const rs__spread *result = &group->results[m];
            if (report->shown[m]) {
                csv_number(file, result->mean);
                csv_number(file, result->std);
                (void)fprintf(file, ",%" PRId64 ",%d", result->n, result->best);
            }
        }
        (void)fputc('\n', file);
    }
}

/* --- Markdown ------------------------------------------------------------------------------------------------- */

void rs__report_write_markdown(const rs__report *report, FILE *file)
{
    (void)fputs("| runs | finished |", file);
    for (int m = 0; m < RS__MEASURES; m++) {
        if (report->shown[m]) {
            (void)fprintf(file, " %s |", rs__report_measures[m].title);
        }
    }
    (void)fputs("\n|---|---:|", file);
    for (int m = 0; m < RS__MEASURES; m++) {
        (void)fputs(report->shown[m] ? "---:|" : "", file);
    }
    (void)fputc('\n', file);
    for (int g = 0; g < report->group_count; g++) {
        const rs__group *group = &report->groups[g];
        (void)fputs("| ", file);
        rs__report_markdown_text(file, group->label);
        (void)fprintf(file, " | %d of %d", group->whole, group->count);
        (void)fprintf(file, group->diverged ? ", %d diverged |" : " |", group->diverged);
        for (int m = 0; m < RS__MEASURES; m++) {
            char text[64];
            const rs__spread *result = &group->results[m];
            rs__report_spread_text(result, text, sizeof text);
            if (report->shown[m]) {
                (void)fprintf(file, result->best ? " **%s** |" : " %s |", text);
            }
        }
        (void)fputc('\n', file);
    }
    (void)fputs(
        "\nMean ± standard deviation (n - 1) over the finished runs of a group, after each run's last "
        "epoch; in bold the best among groups with all their runs finished.\n",
        file);
    for (int i = 0; i < report->run_count; i++) {
        if (rs__report_is_diverged(&report->runs[i])) {
            (void)fputs("\nDiverged: ", file);
            rs__report_markdown_text(file, report->runs[i].name);
            (void)fprintf(file, ", after %" PRId64 " steps.\n", report->runs[i].done.steps);
        }
    }
}

/* --- JSON ----------------------------------------------------------------------------------------------------- */

static void json_results(const rs__report *report, const rs__group *group, FILE *file)
{
    bool first = true;
    (void)fputs("\"results\": {", file);
    for (int m = 0; m < RS__MEASURES; m++) {
        const rs__spread *result = &group->results[m];
        if (report->shown[m]) {
            (void)fprintf(file, "%s\"%s\": {\"mean\": ", first ? "" : ", ", rs__report_measures[m].name);
            rs__report_json_number(file, result->mean, 17);
            (void)fputs(", \"std\": ", file);
            rs__report_json_number(file, result->std, 17);
            (void)fprintf(file, ", \"n\": %" PRId64 ", \"is_best\": %s}", result->n,
                          result->best ? "true" : "false");
            first = false;
        }
    }
    (void)fputc('}', file);
}

static void json_run(const rs__report *report, const rs__run *run, FILE *file)
{
    (void)fputs("      {\"file\": ", file);
    rs__report_json_text(file, run->path);
    (void)fputs(", \"state\": ", file);
    rs__report_json_text(file, run->state);
    (void)fprintf(file,
                  ", \"seed\": %" PRId64 ", \"epochs\": %" PRId64 ", \"steps\": %" PRId64
                  ", \"parameters\": %" PRId64,
                  run->seed, run->done.epochs, run->done.steps, run->parameters);
    for (int m = 0; m < RS__EPOCHS; m++) {
        if (report->shown[m]) {
            (void)fprintf(file, ", \"%s\": ", rs__report_measures[m].name);
            rs__report_json_number(file, run->measures[m], 17);
        }
    }
    (void)fputc('}', file);
}

static void json_group(const rs__report *report, int g, FILE *file)
{
    const rs__group *group = &report->groups[g];
    (void)fputs("    {\"group\": ", file);
    rs__report_json_text(file, group->label);
    (void)fputs(", \"settings\": {", file);
    for (int v = 0; v < report->varying_count; v++) {
        (void)fputs(v ? ", " : "", file);
        rs__report_json_text(file, option_name(report, v));
        (void)fputs(": ", file);
        rs__report_json_text(file, value_of(report, group, v));
    }
    (void)fputs("},\n     ", file);
    json_results(report, group, file);
    (void)fputs(",\n     \"runs\": [\n", file);
    bool first = true;
    for (int i = 0; i < report->run_count; i++) {
        if (report->runs[i].group == g) {
            (void)fputs(first ? "" : ",\n", file);
            json_run(report, &report->runs[i], file);
            first = false;
        }
    }
    (void)fputs("\n     ]}", file);
}

static void json_list(const char *name, const rs__texts *texts, FILE *file)
{
    (void)fprintf(file, "  \"%s\": [", name);
    for (int i = 0; i < texts->count; i++) {
        (void)fputs(i ? ", " : "", file);
        rs__report_json_text(file, texts->list[i]);
    }
    (void)fputs("],\n", file);
}

/* A number that is missing is null. */
void rs__report_write_json(const rs__report *report, FILE *file)
{
    (void)fprintf(file, "{\n  \"program_version\": \"%s\",\n", rs_version());
    json_list("warnings", &report->warnings, file);
    json_list("notes", &report->notes, file);
    (void)fputs("  \"groups\": [\n", file);
    for (int g = 0; g < report->group_count; g++) {
        (void)fputs(g ? ",\n" : "", file);
        json_group(report, g, file);
    }
    (void)fputs("\n  ]\n}\n", file);
}
