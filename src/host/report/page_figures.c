/* page_figures.c: the section Figures: every figure that the runs can give, as SVG with the numbers behind it; see page.h. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "page.h"
#include "rs/host.h"
#include "rs/plot.h"

enum { DIGITS = 6 };             /* of a value that a pointer shows */
static const double SCALE = 1.4; /* figures are set for paper; a page is read from further away */

/* --- numbers beside a drawing ---------------------------------------------------------------------------------- */

static void write_numbers(FILE *file, const char *name, const double *values, int64_t count)
{
    (void)fprintf(file, ",\"%s\":[", name);
    for (int64_t i = 0; i < count; i++) {
        (void)fputs(i ? "," : "", file);
        rs__report_json_number(file, values[i], DIGITS);
    }
    (void)fputc(']', file);
}

/* Curves of a panel mostly share their x: it is written where it is not that of the curve before. */
static bool same_x(const rs_plot_curve *a, const rs_plot_curve *b)
{
    return a->count == b->count && memcmp(a->x, b->x, (size_t)a->count * sizeof *a->x) == 0;
}

static void write_panel(FILE *file, const rs_plot_panel *panel)
{
    (void)fprintf(file, "{\"box\":[%.6g,%.6g,%.6g,%.6g],\"title\":", panel->left, panel->top, panel->width,
                  panel->height);
    rs__report_json_text(file, panel->title);
    (void)fputs(",\"xName\":", file);
    rs__report_json_text(file, panel->x_label);
    (void)fputs(",\"yName\":", file);
    rs__report_json_text(file, panel->y_label);
    (void)fprintf(file, ",\"xRange\":[%.9g,%.9g,%d],\"yRange\":[%.9g,%.9g,%d],\"curves\":[", panel->x_low,
                  panel->x_high, panel->x_log, panel->y_low, panel->y_high, panel->y_log);
    for (int c = 0; c < panel->curve_count; c++) {
        const rs_plot_curve *curve = &panel->curves[c];
        (void)fputs(c ? ",\n{\"name\":" : "{\"name\":", file);
        rs__report_json_text(file, curve->name);
        if (c == 0 || !same_x(curve - 1, curve)) {
            write_numbers(file, "x", curve->x, curve->count);
        }
        write_numbers(file, "y", curve->y, curve->count);
        (void)fputc('}', file);
    }
    (void)fputs("]}", file);
}

static bool is_plain(const rs_plot_panel *panel)
{
    return isfinite(panel->left) && isfinite(panel->top) && isfinite(panel->width) &&
           isfinite(panel->height) && isfinite(panel->x_low) && isfinite(panel->x_high) &&
           isfinite(panel->y_low) && isfinite(panel->y_high);
}

static void write_curves(FILE *file, const rs_plot_drawing *drawing)
{
    bool first = true;
    (void)fprintf(file, "<script type=\"application/json\">{\"size\":[%.6g,%.6g],\"panels\":[",
                  drawing->width, drawing->height);
    for (int p = 0; p < drawing->panel_count; p++) {
        if (is_plain(&drawing->panels[p])) {
            (void)fputs(first ? "" : ",", file);
            write_panel(file, &drawing->panels[p]);
            first = false;
        }
    }
    (void)fputs("]}</script>\n", file);
}

/* --- what is drawn of what -------------------------------------------------------------------------------------- */

/* A text as a sentence. */
static void write_sentence(FILE *file, const char *text)
{
    const size_t length = strlen(text);
    const bool small = *text >= 'a' && *text <= 'z';
    const char first[2] = {small ? (char)(*text - 'a' + 'A') : '\0', '\0'};
    rs__html(file, "%s%s", first, text + small);
    rs__html(file, length > 0 && strchr(".!?", text[length - 1]) ? "" : ".");
}

/* What can be drawn of what: of the first run of each group, and of each result of analyze. */
typedef struct abilities {
    int figures;
    bool *groups, *results; /* [group][figure], [result][figure] */
    const char **paths;     /* room for all records and results */
} abilities;

static rs_status find_abilities(const rs__report *report, abilities *a, rs_error *error)
{
    while (rs_plot_figure_at(a->figures)) {
        a->figures++;
    }
    const size_t figures = (size_t)a->figures, results = (size_t)report->results.count;
    a->groups = rs_alloc_array((size_t)report->group_count * figures + 1, sizeof *a->groups);
    a->results = rs_alloc_array(results * figures + 1, sizeof *a->results);
    a->paths = rs_alloc_array((size_t)report->run_count + results, sizeof *a->paths);
    if (!a->groups || !a->results || !a->paths) {
        return RS_FAIL(error, RS_MEMORY, "no memory for the figures of %d runs", report->run_count);
    }
    for (int g = 0; g < report->group_count; g++) {
        const char *first = report->runs[report->groups[g].first].path;
        RS_TRY(rs_plot_can_all(first, a->groups + (size_t)g * figures, error));
    }
    for (int r = 0; r < report->results.count; r++) {
        RS_TRY(rs_plot_can_all(report->results.list[r], a->results + (size_t)r * figures, error));
    }
    return RS_OK;
}

static void release_abilities(abilities *a)
{
    rs_free(a->groups);
    rs_free(a->results);
    rs_free((void *)a->paths);
}

/* The records and results that have what the figure needs: records in the order of groups, so that keys and tables agree. */
static int choose_inputs(const rs__report *report, const abilities *a, int figure)
{
    int count = 0;
    for (int g = 0; g < report->group_count; g++) {
        const bool can = a->groups[g * a->figures + figure];
        for (int i = 0; can && i < report->run_count; i++) {
            bool counts = report->groups[g].whole == 0 || rs__report_is_done(&report->runs[i]);
            if (report->runs[i].group == g && counts) {
                a->paths[count++] = report->runs[i].path;
            }
        }
    }
    for (int r = 0; r < report->results.count; r++) {
        if (a->results[r * a->figures + figure]) {
            a->paths[count++] = report->results.list[r];
        }
    }
    return count;
}

/* What does not fit side by side (the error names --sheet) is drawn again with a row for each value of a setting that varies. */
static rs_status draw_or_sheet(const rs__report *report, rs_plot_request *request, rs_plot_drawing *drawing,
                               rs_error *error)
{
    char prefix[64];
    size_t count;
    const rs_option *table = rs_option_table(&count);
    (void)snprintf(prefix, sizeof prefix, "%s-", request->figure);
    rs_status status = rs_plot_draw(request, prefix, drawing, error);
    const bool rows = status == RS_USAGE && strstr(error->text, "--sheet");
    for (int v = 0; rows && v < report->varying_count && status == RS_USAGE; v++) {
        rs_error ignored;
        request->options.sheet = table[report->varying[v]].name;
        status = rs_plot_draw(request, prefix, drawing, &ignored) ? RS_USAGE : RS_OK;
    }
    return status;
}

/* Loss against size says something where sizes differ by a tenth at least: not of twins with and without shortcuts. */
static bool is_worth_it(const rs__report *report, const char *figure)
{
    int64_t least = report->runs[0].parameters, most = least;
    for (int i = 1; i < report->run_count; i++) {
        const int64_t own = report->runs[i].parameters;
        least = own < least ? own : least;
        most = own > most ? own : most;
    }
    return strcmp(figure, "parameters") != 0 || 10.0 * (double)most >= 11.0 * (double)least;
}

/* --- what is not there ----------------------------------------------------------------------------------------- */

static rs_status leave_out(rs__texts *to, const char *figure, const char *why, rs_error *error)
{
    char text[RS_TEXT_MAX];
    (void)snprintf(text, sizeof text, "%s: %s", figure, why);
    return rs__report_add_text(to, text, error);
}

/* Groups and runs that a figure does not show though the page is about them, and why. */
static void write_left_out(const rs__report *report, const abilities *a, int index, FILE *file)
{
    const char *needs = rs_plot_figure_at(index)->needs;
    int named = 0;
    for (int g = 0; g < report->group_count; g++) {
        const rs__group *group = &report->groups[g];
        const bool can = a->groups[g * a->figures + index];
        if (!can && strncmp(needs, "result", 6) != 0) {
            const bool empty = report->runs[group->first].done.epochs == 0;
            rs__html(file, named++ ? "; %s (%s%s)" : " Left out: %s (%s%s)", group->label,
                     empty ? "no epoch is finished" : "it is drawn from ", empty ? "" : needs);
        }
        for (int i = 0; can && group->whole > 0 && i < report->run_count; i++) {
            const rs__run *run = &report->runs[i];
            if (run->group == g && !rs__report_is_done(run)) {
                rs__html(file, named++ ? "; %s (%s)" : " Left out: %s (%s)", run->name, run->state);
            }
        }
    }
    rs__html(file, named ? "." : "");
}

/* Both lists: those that failed in sight, of the others the names. */
static void list_left_out(const rs__figures *figures, FILE *file)
{
    const rs__texts *failed = &figures->failed, *absent = &figures->absent;
    for (int i = 0; i < failed->count; i++) {
        rs__html(file, i ? "" : "<h3>Figures that could not be drawn</h3>\n<ul class=\"missing\">\n");
        rs__html(file, "<li>left out: %s</li>\n", failed->list[i]);
    }
    rs__html(file, failed->count ? "</ul>\n" : "");
    if (absent->count > 0) {
        rs__html(file, "<details class=\"absent\"><summary>Left out, and why: ");
        for (int i = 0; i < absent->count; i++) {
            char name[64];
            (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(absent->list[i], ":"), absent->list[i]);
            rs__html(file, i ? ", %s" : "%s", name);
        }
        rs__html(file, "</summary>\n<ul>\n");
        for (int i = 0; i < absent->count; i++) {
            rs__html(file, "<li>left out: %s</li>\n", absent->list[i]);
        }
        rs__html(file, "</ul></details>\n");
    }
}

/* --- figures --------------------------------------------------------------------------------------------------- */

static void write_figure(const rs__report *report, const abilities *a, int index,
                         const rs_plot_drawing *drawing, FILE *file)
{
    const char *name = rs_plot_figure_at(index)->name;
    rs__html(file, "<figure id=\"figure-%s\" style=\"width: %.0fpx; --paper: %.0fpx\">\n<h3>%s</h3>\n", name,
             SCALE * drawing->width, drawing->width, drawing->title);
    rs__html(file,
             "<div class=\"plot\" tabindex=\"0\" role=\"group\" aria-label=\"%s: values with the arrow "
             "keys\"><div role=\"img\" aria-label=\"%s\">\n",
             drawing->title, drawing->alt);
    (void)fputs(drawing->svg, file);
    rs__html(file, "</div></div>\n<figcaption>");
    write_sentence(file, drawing->alt);
    write_left_out(report, a, index, file);
    if (rs__page_shows_layers(name)) {
        rs__html(file, " <a href=\"#layers\">Layer by layer</a>.");
    }
    rs__html(file, "</figcaption>\n");
    write_curves(file, drawing);
    rs__html(file, "</figure>\n");
}

/* A figure that is not worth it, or of which nothing is there. */
static rs_status pass_over(const rs__report *report, const rs_plot_figure *figure, rs__figures *figures,
                           rs_error *error)
{
    char why[RS_TEXT_MAX];
    if (!is_worth_it(report, figure->name)) {
        (void)snprintf(why, sizeof why, "it shows networks of several sizes, and %s %" PRId64 " parameters",
                       report->run_count > 1 ? "all of these have" : "this one has",
                       report->runs[0].parameters);
    } else {
        bool empty = strncmp(figure->needs, "result", 6) != 0;
        for (int i = 0; i < report->run_count; i++) {
            empty = empty && report->runs[i].done.epochs == 0;
        }
        (void)snprintf(why, sizeof why, "it is drawn from %s, and %s", figure->needs,
                       empty ? "no epoch is finished" : "there are none here");
    }
    return leave_out(&figures->absent, figure->name, why, error);
}

static rs_status draw(const rs__report *report, const abilities *a, int index, FILE *file,
                      rs__figures *figures, rs_error *error)
{
    const rs_plot_figure *figure = rs_plot_figure_at(index);
    rs_plot_drawing drawing = {0};
    rs_error why = {0};
    rs_plot_request request = {.figure = figure->name, .inputs = a->paths, .options = {.title = ""}};
    request.input_count = choose_inputs(report, a, index);
    if (request.input_count == 0 || !is_worth_it(report, figure->name)) {
        return pass_over(report, figure, figures, error);
    }
    rs_status status = draw_or_sheet(report, &request, &drawing, &why);
    if (!status) {
        write_figure(report, a, index, &drawing, file);
        status = rs__report_add_text(&figures->names, figure->name, error);
        status = status ? status : rs__report_add_text(&figures->titles, drawing.title, error);
    } else if (status == RS_MEMORY) {
        *error = why;
    } else {
        const bool nothing = status == RS_DATA || (status == RS_USAGE && report->run_count > 1);
        status = leave_out(nothing ? &figures->absent : &figures->failed, figure->name, why.text, error);
    }
    rs_plot_drawing_destroy(&drawing);
    return status;
}

static rs_status draw_all(const rs__report *report, FILE *file, rs__figures *figures, rs_error *error)
{
    abilities a = {0};
    rs_status status = find_abilities(report, &a, error);
    for (int i = 0; i < a.figures && !status; i++) {
        status = draw(report, &a, i, file, figures, error);
    }
    release_abilities(&a);
    return status;
}

/* Their names come in front of them, and are known behind. */
static rs_status write_figures(const rs__report *report, FILE *file, rs__figures *figures, rs_error *error)
{
    char *text = NULL;
    size_t length = 0;
    FILE *all = open_memstream(&text, &length);
    rs_status status = all ? draw_all(report, all, figures, error)
                           : RS_FAIL(error, RS_MEMORY, "no memory for the figures of a page");
    if (all && fclose(all) != 0) {
        status = status ? status : RS_FAIL(error, RS_MEMORY, "no memory for the figures of a page");
    }
    if (!status && figures->names.count > 0) {
        rs__html(file,
                 "<p>Point at a curve, or touch it, for its values; with the keyboard: left and right along "
                 "a curve, up and down to the next one.</p>\n<nav aria-label=\"Figures\"><ul>\n");
        for (int i = 0; i < figures->names.count; i++) {
            rs__html(file, "<li><a href=\"#figure-%s\" title=\"%s\">%s</a></li>\n", figures->names.list[i],
                     figures->titles.list[i], figures->names.list[i]);
        }
        rs__html(file, "</ul></nav>\n");
    }
    if (!status) {
        rs__html(file, "<div class=\"figures\">\n");
        (void)fwrite(text, 1, length, file);
        rs__html(file, "</div>\n");
        list_left_out(figures, file);
    }
    free(text); /* open_memstream's */
    return status;
}

void rs__page_clear_figures(rs__figures *figures)
{
    rs__report_clear_texts(&figures->names);
    rs__report_clear_texts(&figures->titles);
    rs__report_clear_texts(&figures->failed);
    rs__report_clear_texts(&figures->absent);
}

rs_status rs__page_figures(const rs__report *report, FILE *file, rs__figures *figures, rs_error *error)
{
    rs_error why = {0};
    rs_status status = RS_OK;
    rs__html(file, "<section aria-labelledby=\"figures\">\n<h2 id=\"figures\">Figures</h2>\n");
    if (report->no_figures) {
        rs__html(file, "<p class=\"missing\">Left out, as --no-figures says.</p>\n");
    } else if (rs_plot_available(&why)) {
        rs__html(file, "<p class=\"missing\">There are no figures: %s</p>\n", why.text);
    } else {
        status = write_figures(report, file, figures, error);
    }
    rs__html(file, "</section>\n");
    return status;
}
