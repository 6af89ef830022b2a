/* chart.c: building and freeing a chart; see chart.h. */
#include "chart.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "rs/host.h"

rs_status rs__chart_make(rs__chart *chart, int rows, int columns, rs_error *error)
{
    const int count = rows * columns;
    *chart = (rs__chart){.rows = rows, .columns = columns, .show_title = true, .lines = RS__MOST_LINES};
    chart->panels = rs_alloc_array((size_t)count, sizeof *chart->panels);
    if (!chart->panels) {
        return RS_FAIL(error, RS_MEMORY, "no memory for %d panels", count);
    }
    for (int i = 0; i < count; i++) {
        rs__panel *panel = &chart->panels[i];
        panel->x.low = panel->x.high = panel->y.low = panel->y.high = NAN;
    }
    return RS_OK;
}

void rs__axis_clear(rs__axis *axis)
{
    for (int i = 0; i < axis->tick_count; i++) {
        rs_free(axis->ticks[i].text);
        rs_free(axis->ticks[i].power);
    }
    rs_free(axis->ticks);
    rs_free(axis->label);
}

static void clear_series(rs__series *series)
{
    rs_free(series->x);
    rs_free(series->y);
    rs_free(series->low);
    rs_free(series->high);
    rs_free(series->label);
    rs_free(series->name);
}

static void clear_panel(rs__panel *panel)
{
    for (int i = 0; i < panel->count; i++) {
        clear_series(&panel->series[i]);
    }
    rs_free(panel->series);
    rs_free(panel->title);
    rs__axis_clear(&panel->x);
    rs__axis_clear(&panel->y);
}

void rs__chart_clear(rs__chart *chart)
{
    for (int i = 0; chart->panels && i < chart->rows * chart->columns; i++) {
        clear_panel(&chart->panels[i]);
    }
    rs_free(chart->panels);
    rs_free(chart->title);
    rs_free(chart->alt);
    rs_free(chart->bar.label);
    rs_free(chart->second.label);
    *chart = (rs__chart){0};
}

rs__panel *rs__chart_panel(rs__chart *chart, int row, int column)
{
    RS_ASSERT(row >= 0 && row < chart->rows && column >= 0 && column < chart->columns);
    return &chart->panels[row * chart->columns + column];
}

rs_status rs__chart_text(char **text, rs_error *error, const char *format, ...)
{
    enum { LONGEST = 2048 };
    char buffer[LONGEST];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(buffer, sizeof buffer, format, arguments);
    va_end(arguments);
    rs_free(*text);
    *text = rs_strdup(buffer);
    return *text ? RS_OK : RS_FAIL(error, RS_MEMORY, "no memory for a text of a figure");
}

rs_status rs__chart_tell_runs(rs__chart *chart, rs_error *error)
{
    unsigned runs = 0;
    for (int i = 0; i < chart->rows * chart->columns; i++) {
        runs |= chart->panels[i].runs;
    }
    if (runs == 0) {
        return RS_OK;
    }
    char *const texts[] = {rs_strdup(chart->title), rs_strdup(chart->alt)};
    char **const places[] = {&chart->title, &chart->alt};
    rs_status status = RS_OK;
    for (int i = 0; i < 2 && !status; i++) {
        const char *text = texts[i] ? texts[i] : "";
        const int length = (int)strlen(text) - (*text && text[strlen(text) - 1] == '.');
        status = rs__chart_text(places[i], error, "%.*s, mean%s over seeds%s%s", length, text,
                                runs & RS__STD_OF_RUNS ? " ± std" : "",
                                runs & RS__TO_SHORTEST_RUN ? " up to the end of the shortest run" : "",
                                text[length] ? "." : "");
    }
    rs_free(texts[0]);
    rs_free(texts[1]);
    return status;
}

/* A copy of `count` numbers, or NULL of NULL. */
static bool copy(const double *from, int64_t count, double **to)
{
    *to = NULL;
    if (!from) {
        return true;
    }
    *to = rs_alloc_array((size_t)count + 1, sizeof **to);
    if (*to) {
        memcpy(*to, from, (size_t)count * sizeof **to);
    }
    return *to != NULL;
}

static bool copy_text(const char *from, char **to)
{
    *to = from ? rs_strdup(from) : NULL;
    return !from || *to;
}

/* Room for one more. */
static rs_status grow(rs__panel *panel, rs_error *error)
{
    if (panel->count < panel->capacity) {
        return RS_OK;
    }
    const int capacity = panel->capacity > 0 ? 2 * panel->capacity : 16;
    rs__series *list = rs_alloc_array((size_t)capacity, sizeof *list);
    if (!list) {
        return RS_FAIL(error, RS_MEMORY, "no memory for %d curves", capacity);
    }
    if (panel->count > 0) {
        memcpy(list, panel->series, (size_t)panel->count * sizeof *list);
    }
    rs_free(panel->series);
    panel->series = list;
    panel->capacity = capacity;
    return RS_OK;
}

/* Bands lie under everything else: the newest behind those that are there. */
static void sink_band(rs__panel *panel)
{
    const rs__series band = panel->series[panel->count - 1];
    int at = panel->count - 1;
    for (; at > 0 && panel->series[at - 1].mark != RS__BAND; at--) {
        panel->series[at] = panel->series[at - 1];
    }
    panel->series[at] = band;
}

rs_status rs__panel_add(rs__panel *panel, const rs__points *points, rs_error *error)
{
    RS_TRY(grow(panel, error));
    rs__series *made = &panel->series[panel->count];
    *made = (rs__series){.mark = points->mark, .style = points->style, .count = points->count};
    const bool complete =
        copy(points->x, points->count, &made->x) && copy(points->y, points->count, &made->y) &&
        copy(points->low, points->count, &made->low) && copy(points->high, points->count, &made->high) &&
        copy_text(points->label, &made->label) && copy_text(points->name, &made->name);
    if (!complete) {
        clear_series(made);
        return RS_FAIL(error, RS_MEMORY, "no memory for a curve of %lld points", (long long)points->count);
    }
    panel->count++;
    if (points->mark == RS__BAND) {
        sink_band(panel);
    }
    return RS_OK;
}

rs_status rs__axis_tick(rs__axis *axis, double at, const char *text, const char *power, rs_error *error)
{
    rs__tick *ticks = rs_alloc_array((size_t)axis->tick_count + 1, sizeof *ticks);
    rs__tick made = {.at = at};
    if (!ticks || !copy_text(text, &made.text) || !copy_text(power, &made.power)) {
        rs_free(ticks);
        rs_free(made.text);
        return RS_FAIL(error, RS_MEMORY, "no memory for a tick");
    }
    if (axis->tick_count > 0) {
        memcpy(ticks, axis->ticks, (size_t)axis->tick_count * sizeof *ticks);
    }
    rs_free(axis->ticks);
    ticks[axis->tick_count++] = made;
    axis->ticks = ticks;
    return RS_OK;
}

void rs__axis_keep(rs__axis *axis)
{
    RS_ASSERT(axis->tick_count > 0);
    axis->ticks[axis->tick_count - 1].kept = true;
}
