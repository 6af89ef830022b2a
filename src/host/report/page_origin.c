/* page_origin.c: the sections Configuration and Provenance; see page.h. */
#include <inttypes.h>
#include <string.h>

#include "page.h"

/* --- configuration -------------------------------------------------------------------------------------------- */

/* Whether some run has another value than the default. */
static bool is_set(const rs__report *report, size_t option)
{
    for (int i = 0; i < report->run_count; i++) {
        if (!rs__report_is_default(report, &report->runs[i], option)) {
            return true;
        }
    }
    return false;
}

static bool is_first(const rs__report *report, size_t option, int run)
{
    for (int i = 0; i < run; i++) {
        if (strcmp(report->runs[i].settings[option], report->runs[run].settings[option]) == 0) {
            return false;
        }
    }
    return true;
}

/* Every value once, with commas; long lists end in how many more there are. */
static void values_cell(const rs__report *report, size_t option, FILE *file)
{
    enum { MOST = 12 };
    int shown = 0, more = 0;
    rs__html(file, "<td>");
    for (int i = 0; i < report->run_count; i++) {
        if (is_first(report, option, i)) {
            const char *value = report->runs[i].settings[option];
            if (shown < MOST) {
                rs__html(file, "%s%s", shown ? ", " : "", *value ? value : "–");
            }
            more += shown == MOST;
            shown += shown < MOST;
        }
    }
    if (more > 0) {
        rs__html(file, ", and %d more", more);
    }
    rs__html(file, "</td>");
}

static void options_table(const rs__report *report, bool set, FILE *file)
{
    size_t count;
    const rs_option *table = rs_option_table(&count);
    rs__table_open(file, set ? "Options that were set" : "Options left at their defaults");
    rs__table_head(file, "option");
    rs__table_head(file, report->run_count > 1 ? "values" : "value");
    if (set) {
        rs__table_head(file, "default");
    }
    rs__table_head(file, "meaning");
    rs__table_body(file);
    for (size_t i = 0; i < count; i++) {
        if (is_set(report, i) == set) {
            rs__html(file, "<tr><th scope=\"row\">%s</th>", table[i].name);
            values_cell(report, i, file);
            if (set) {
                rs__cell_text(file, *report->defaults[i] ? report->defaults[i] : "–");
            }
            rs__cell_text(file, table[i].help);
            rs__html(file, "</tr>\n");
        }
    }
    rs__table_close(file);
}

static void document(const char *title, const char *text, FILE *file)
{
    if (*text) {
        rs__html(file, "<details><summary>%s</summary><pre tabindex=\"0\">%s</pre></details>\n", title, text);
    }
}

void rs__page_configuration(const rs__report *report, FILE *file)
{
    rs__html(file,
             "<section aria-labelledby=\"configuration\">\n<h2 id=\"configuration\">Configuration</h2>\n");
    options_table(report, true, file);
    rs__html(file, "<details><summary>Options left at their defaults</summary>\n");
    options_table(report, false, file);
    rs__html(file, "</details>\n");
    if (report->run_count == 1) {
        document("The configuration as recorded (YAML)", report->runs[0].config, file);
        document("The layers of the network (YAML)", report->runs[0].network_file, file);
    }
    rs__html(file, "</section>\n");
}

/* --- provenance ----------------------------------------------------------------------------------------------- */

static const char *dataset_of(const rs__run *run)
{
    return run->dataset;
}

static const char *algorithms_of(const rs__run *run)
{
    return run->origin[RS__ALGORITHMS];
}

/* ": a.h5, b.h5" or ": 17 runs". */
static void name_runs(const rs__report *report, const char *(*text)(const rs__run *run), const char *value,
                      FILE *file)
{
    enum { MOST = 4 };
    int count = 0;
    for (int i = 0; i < report->run_count; i++) {
        count += strcmp(text(&report->runs[i]), value) == 0;
    }
    if (count == report->run_count) {
        rs__html(file, count > 1 ? "all runs" : "this run");
        return;
    }
    if (count > MOST) {
        rs__html(file, "%d runs", count);
        return;
    }
    int named = 0;
    for (int i = 0; i < report->run_count; i++) {
        if (strcmp(text(&report->runs[i]), value) == 0) {
            rs__html(file, "%s%s", named++ ? ", " : "", report->runs[i].name);
        }
    }
}

/* Each distinct text of the runs once, folded up unless `open`. */
static void distinct_documents(const rs__report *report, const char *(*text)(const rs__run *run),
                               const char *title, bool open, FILE *file)
{
    for (int i = 0; i < report->run_count; i++) {
        const char *value = text(&report->runs[i]);
        bool seen = *value == '\0';
        for (int j = 0; j < i && !seen; j++) {
            seen = strcmp(text(&report->runs[j]), value) == 0;
        }
        if (!seen) {
            rs__html(file, open ? "<details open><summary>%s of " : "<details><summary>%s of ", title);
            name_runs(report, text, value, file);
            rs__html(file, "</summary><pre tabindex=\"0\">%s</pre></details>\n", value);
        }
    }
}

/* Of how many runs something is, where there are several. */
static void runs_cell(const rs__report *report, int same, FILE *file)
{
    if (report->run_count > 1) {
        rs__cell_integer(file, same);
    }
}

static void origin_row(const rs__report *report, rs__origin origin, FILE *file)
{
    for (int i = 0; i < report->run_count; i++) {
        const char *value = report->runs[i].origin[origin];
        int same = 0;
        bool seen = *value == '\0';
        for (int j = 0; j < report->run_count; j++) {
            bool equal = strcmp(report->runs[j].origin[origin], value) == 0;
            seen = seen || (equal && j < i);
            same += equal;
        }
        if (!seen) {
            rs__html(file, "<tr><th scope=\"row\">%s</th>", rs__report_origin_titles[origin]);
            rs__cell_text(file, value);
            runs_cell(report, same, file);
            rs__html(file, "</tr>\n");
        }
    }
}

static void count_row(const rs__report *report, const char *title, size_t offset, FILE *file)
{
    for (int i = 0; i < report->run_count; i++) {
        int64_t value, other;
        int same = 0;
        bool seen = false;
        char text[48];
        memcpy(&value, (const char *)&report->runs[i] + offset, sizeof value);
        for (int j = 0; j < report->run_count; j++) {
            memcpy(&other, (const char *)&report->runs[j] + offset, sizeof other);
            seen = seen || (other == value && j < i);
            same += other == value;
        }
        if (!seen) {
            rs__digits_text(value, text, sizeof text);
            rs__html(file, "<tr><th scope=\"row\">%s</th>", title);
            rs__cell_text(file, text);
            runs_cell(report, same, file);
            rs__html(file, "</tr>\n");
        }
    }
}

void rs__page_provenance(const rs__report *report, FILE *file)
{
    static const rs__origin rows[] = {RS__NETWORK,   RS__VERSION,   RS__COMMIT,  RS__DEVICE,
                                      RS__LIBRARIES, RS__INIT_FROM, RS__GRADIENT};
    rs__html(file, "<section aria-labelledby=\"provenance\">\n<h2 id=\"provenance\">Provenance</h2>\n");
    rs__table_open(file, "What computed the runs");
    rs__table_head(file, "what");
    rs__table_head(file, "value");
    if (report->run_count > 1) {
        rs__table_head_number(file, "runs");
    }
    rs__table_body(file);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        origin_row(report, rows[i], file);
    }
    count_row(report, "threads (0: a GPU)", offsetof(rs__run, threads), file);
    count_row(report, "seed", offsetof(rs__run, seed), file);
    count_row(report, "times resumed", offsetof(rs__run, resumed), file);
    count_row(report, "of these elsewhere", offsetof(rs__run, resumed_elsewhere), file);
    rs__table_close(file);
    if (report->results.count > 0) {
        rs__html(file, "<p>Results of <code>analyze</code> that figures show:</p>\n<ul>\n");
        for (int r = 0; r < report->results.count; r++) {
            rs__html(file, "<li><code>%s</code></li>\n", report->results.list[r]);
        }
        rs__html(file, "</ul>\n");
    }
    distinct_documents(report, dataset_of, "Data files, sizes and SHA-256", true, file);
    distinct_documents(report, algorithms_of, "Algorithms, one line a layer,", false, file);
    rs__html(file, "</section>\n");
}
