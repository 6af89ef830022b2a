/* plot.c: from a request to a picture: inputs, groups, the figure's chart, ranges, layout, script, gnuplot. */
#include "rs/plot.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "axes.h"
#include "figure.h"
#include "gnuplot.h"
#include "layout.h"
#include "options.h"
#include "rs/files.h"
#include "rs/host.h"
#include "script.h"
#include "sheet.h"
#include "svg.h"

#define FONT 8.0 /* points */

typedef struct work {
    const rs__figure *figure;
    rs__plot plot;
    rs__chart chart;
    rs__layout layout;
    rs__paper paper;
} work;

static void clear(work *w)
{
    rs__layout_free(&w->layout);
    rs__chart_clear(&w->chart);
    rs__groups_free(&w->plot.groups);
    rs__inputs_close(&w->plot.inputs);
}

/* --- inputs --------------------------------------------------------------------------------------------------- */

/* Drops the inputs that have not what the figure needs; one at least must have it. */
static rs_status choose(work *w, rs_error *error)
{
    rs__inputs *inputs = &w->plot.inputs;
    int left = 0;
    for (int i = 0; i < inputs->count; i++) {
        rs_error no_memory = {0};
        const bool has = rs__input_has(&inputs->list[i], w->figure->needs, &no_memory);
        if (no_memory.status == RS_MEMORY) {
            *error = no_memory;
            return RS_MEMORY;
        }
        if (has) {
            const rs__input kept = inputs->list[i];
            inputs->list[i] = inputs->list[left];
            inputs->list[left++] = kept;
        }
    }
    if (left == 0) {
        return RS_FAIL(error, RS_DATA, "%s: %s is drawn from %s, and %s", inputs->list[0].path,
                       w->figure->shown.name, w->figure->shown.needs,
                       inputs->count > 1 ? "none of these files has any of that"
                                         : "this file has nothing of that");
    }
    for (int i = left; i < inputs->count; i++) {
        rs_log(RS_LOG_WARNING, "%s is left out: %s is drawn from %s", inputs->list[i].path,
               w->figure->shown.name, w->figure->shown.needs);
        rs__input_close(&inputs->list[i]);
    }
    inputs->count = left;
    return RS_OK;
}

/* --- chart ---------------------------------------------------------------------------------------------------- */

static rs_status set_log(rs__chart *chart, const char *log, rs_error *error)
{
    if (!log) {
        return RS_OK;
    }
    const bool none = strcmp(log, "none") == 0;
    if (!none && (!*log || log[strspn(log, "xy")])) {
        return RS_FAIL(error, RS_USAGE, "--log %.40s: must be x, y, xy or none", log);
    }
    for (int i = 0; i < chart->rows * chart->columns; i++) {
        rs__axis *const axes[] = {&chart->panels[i].x, &chart->panels[i].y};
        for (int a = 0; a < 2; a++) {
            const bool named = !none && strchr(log, a ? 'y' : 'x') != NULL;
            axes[a]->log = !none && (axes[a]->log || (named && axes[a]->tick_count == 0));
            if (axes[a]->log && !(axes[a]->low > 0.0)) {
                axes[a]->low = (double)NAN; /* zero has no place there: from the least value on */
            }
        }
    }
    return RS_OK;
}

static rs_status set_title(rs__chart *chart, const char *title, rs_error *error)
{
    chart->show_title = chart->show_title && !(title && !*title);
    return title && *title ? rs__chart_text(&chart->title, error, "%s", title) : RS_OK;
}

/* One column of a paper is 8.8 cm wide, a page 17.8. */
static rs_status set_size(work *w, double font, rs_error *error)
{
    rs__chart *chart = &w->chart;
    w->paper.dpi = 300.0;
    if (w->plot.options->size) {
        return rs__size_parse(w->plot.options->size, &chart->width, &chart->height, &w->paper.dpi, error);
    }
    const double scale = font / FONT;
    chart->width = chart->width > 0.0
                       ? chart->width
                       : (chart->columns > 1 || chart->bar.shown ? 505.0 : 250.0) * fmax(1.0, scale);
    chart->height = chart->height > 0.0 ? chart->height
                                        : (chart->rows > 1 ? 130.0 * chart->rows : 175.0) * fmax(1.0, scale);
    chart->height += rs__key_height(chart, font);
    return RS_OK;
}

/* It goes into the script's terminal line, and into the SVG, as it is. */
static rs_status check_font(const char *font, rs_error *error)
{
    for (const unsigned char *c = (const unsigned char *)font; c && *c; c++) {
        if (*c < ' ' || strchr("'\"\\,<>&{}", *c)) {
            return RS_FAIL(error, RS_USAGE, "--font %.60s: must be the name of one family, as in Lato", font);
        }
    }
    return RS_OK;
}

static rs_status build(const rs_plot_request *request, work *w, rs_error *error)
{
    const rs_plot_options *options = w->plot.options = &request->options;
    const double font = options->font_size > 0.0 ? options->font_size : FONT;
    RS_TRY(rs__figure_find(request->figure, &w->figure, error));
    RS_TRY(check_font(options->font, error));
    RS_TRY(rs__palettes_parse(options->palette, &w->plot.palettes, error));
    RS_TRY(rs__inputs_open(request->input_count, request->inputs, &w->plot.inputs, error));
    RS_TRY(choose(w, error));
    RS_TRY(rs__groups_make(&w->plot.inputs, &w->plot.palettes, NULL, &w->plot.groups, error));
    RS_TRY(options->sheet ? rs__sheet_build(&w->plot, w->figure, options->sheet, &w->chart, error)
                          : w->figure->build(&w->plot, &w->chart, error));
    RS_TRY(rs__chart_tell_runs(&w->chart, error));
    RS_TRY(set_log(&w->chart, options->log, error));
    RS_TRY(rs__axes_tell_log(&w->chart, error));
    RS_TRY(set_title(&w->chart, options->title, error));
    RS_TRY(set_size(w, font, error));
    RS_TRY(rs__axes_range(&w->chart, error));
    rs__turn_names(&w->chart, font);
    w->chart.height += options->size ? 0.0 : rs__names_height(&w->chart, font);
    const double most = w->chart.height / w->chart.rows / font / 3.5; /* and never so many that they touch */
    RS_TRY(rs__axes_tick(&w->chart, (int)(w->chart.width / w->chart.columns / font / 6.0),
                         (int)fmax(1.0, fmin(most, rs__panel_height(&w->chart, font) / font / 1.8)), error));
    RS_TRY(rs__layout_make(&w->chart, font, &w->layout, error));
    RS_TRY(rs__chart_thin(&w->chart, &w->layout, error));
    w->paper.font = options->font;
    return RS_OK;
}

/* --- files ---------------------------------------------------------------------------------------------------- */

static rs_status put_file(const char *path, const char *bytes, size_t length, rs_error *error)
{
    rs_whole_file file;
    RS_TRY(rs_whole_file_open(&file, path, error));
    (void)fwrite(bytes, 1, length, file.stream); /* what failed shows when it is closed */
    return rs_whole_file_close(&file, RS_OK, error);
}

/* The script, kept where the request says so, and what gnuplot makes of it; the caller's (rs_free). */
static rs_status draw(work *w, bool script_alone, char **output, size_t *length, rs_error *error)
{
    char *script = NULL;
    *output = NULL;
    const char *keep = w->plot.options->script;
    const char *ending = keep ? strrchr(keep, '.') : NULL;
    if (keep && !(ending && (strcmp(ending, ".gp") == 0 || strcmp(ending, ".plt") == 0 ||
                             strcmp(ending, ".gnuplot") == 0))) {
        return RS_FAIL(error, RS_USAGE, "--script %s: the name must end in .gp, .plt or .gnuplot", keep);
    }
    RS_TRY(rs__script_write(&w->chart, &w->layout, &w->plot.palettes, &w->paper, &script, error));
    rs_status status = keep ? put_file(keep, script, strlen(script), error) : RS_OK;
    if (!status && !script_alone) {
        status = rs__gnuplot_run(script, output, length, error);
    }
    rs_free(script);
    return status;
}

static rs_status format_of(const char *path, rs__format *format, rs_error *error)
{
    static const char *const endings[] = {[RS__SVG] = ".svg", [RS__PNG] = ".png", [RS__PDF] = ".pdf"};
    const char *dot = strrchr(path, '.');
    for (int i = 0; dot && i < 3; i++) {
        if (strcmp(dot, endings[i]) == 0) {
            *format = (rs__format)i;
            return RS_OK;
        }
    }
    return RS_FAIL(error, RS_USAGE, "-o %s: the name must end in .svg, .png or .pdf", path);
}

rs_status rs_plot_save(const rs_plot_request *request, const char *path, rs_error *error)
{
    work w = {0};
    char *output = NULL, *clean = NULL;
    size_t length = 0;
    rs_status status = path ? format_of(path, &w.paper.format, error) : RS_OK;
    status = status ? status : build(request, &w, error);
    status = status ? status : draw(&w, path == NULL, &output, &length, error);
    if (!status && path && w.paper.format == RS__SVG) {
        status = rs__svg_clean(output, NULL, w.chart.title, w.chart.alt, &clean, error);
        length = clean ? strlen(clean) : 0;
    }
    if (!status && path) {
        status = put_file(path, clean ? clean : output, length, error);
    }
    rs_free(clean);
    rs_free(output);
    clear(&w);
    return status;
}

/* --- in memory ------------------------------------------------------------------------------------------------ */

static bool own(const char *text, char **copy)
{
    *copy = rs_strdup(text ? text : "");
    return *copy != NULL;
}

void rs_plot_drawing_destroy(rs_plot_drawing *drawing)
{
    for (int p = 0; drawing->panels && p < drawing->panel_count; p++) {
        rs_plot_panel *panel = &drawing->panels[p];
        for (int c = 0; panel->curves && c < panel->curve_count; c++) {
            rs_free(panel->curves[c].name);
            rs_free(panel->curves[c].x);
            rs_free(panel->curves[c].y);
        }
        rs_free(panel->curves);
        rs_free(panel->title);
        rs_free(panel->x_label);
        rs_free(panel->y_label);
    }
    rs_free(drawing->panels);
    rs_free(drawing->svg);
    rs_free(drawing->title);
    rs_free(drawing->alt);
    *drawing = (rs_plot_drawing){0};
}

/* Named series that have a y; their numbers move out of the chart. */
static bool take_curves(rs__panel *from, rs_plot_panel *to)
{
    to->curves = rs_alloc_array((size_t)from->count + 1, sizeof *to->curves);
    for (int k = 0; to->curves && k < from->count; k++) {
        rs__series *series = &from->series[k];
        if (series->name && series->x && series->y && series->mark != RS__CELLS) {
            to->curves[to->curve_count++] =
                (rs_plot_curve){series->name, series->count, series->x, series->y};
            series->name = NULL;
            series->x = series->y = NULL;
        }
    }
    return to->curves != NULL;
}

/* Without what says that the axis is logarithmic: a value that a pointer is told is no logarithm. */
static bool own_label(const rs__axis *axis, char **copy)
{
    const size_t length = axis->label ? strlen(axis->label) : 0, sign = strlen(RS__LOG_SIGN);
    if (!own(axis->label, copy)) {
        return false;
    }
    if (axis->log && length > 0) {
        (*copy)[length > sign ? length - sign : 0] = '\0';
    }
    return true;
}

static bool take_panel(rs__panel *from, const rs__box *box, rs_plot_panel *to)
{
    const double pixel = 96.0 / 72.0;
    *to = (rs_plot_panel){.left = box->left * pixel,
                          .top = box->top * pixel,
                          .width = box->width * pixel,
                          .height = box->height * pixel,
                          .x_low = from->x.low,
                          .x_high = from->x.high,
                          .y_low = from->y.low,
                          .y_high = from->y.high,
                          .x_log = from->x.log,
                          .y_log = from->y.log};
    return own(from->title, &to->title) && own_label(&from->x, &to->x_label) &&
           own_label(&from->y, &to->y_label) && take_curves(from, to);
}

static rs_status take(work *w, rs_plot_drawing *drawing, rs_error *error)
{
    const int count = w->chart.rows * w->chart.columns;
    drawing->width = round(w->layout.width * 96.0 / 72.0);
    drawing->height = round(w->layout.height * 96.0 / 72.0);
    drawing->panels = rs_alloc_array((size_t)count, sizeof *drawing->panels);
    bool complete =
        drawing->panels && own(w->chart.title, &drawing->title) && own(w->chart.alt, &drawing->alt);
    for (int i = 0; complete && i < count; i++) {
        complete = take_panel(&w->chart.panels[i], &w->layout.panels[i], &drawing->panels[i]);
        drawing->panel_count = i + 1;
    }
    return complete ? RS_OK : RS_FAIL(error, RS_MEMORY, "no memory for a figure");
}

rs_status rs_plot_draw(const rs_plot_request *request, const char *prefix, rs_plot_drawing *drawing,
                       rs_error *error)
{
    work w = {.paper = {.format = RS__SVG, .transparent = true}};
    char *output = NULL;
    size_t length = 0;
    *drawing = (rs_plot_drawing){0};
    rs_status status = build(request, &w, error);
    status = status ? status : draw(&w, false, &output, &length, error);
    status =
        status ? status : rs__svg_clean(output, prefix, w.chart.title, w.chart.alt, &drawing->svg, error);
    status = status ? status : take(&w, drawing, error);
    if (status) {
        rs_plot_drawing_destroy(drawing);
    }
    rs_free(output);
    clear(&w);
    return status;
}
