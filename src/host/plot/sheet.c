/* sheet.c: see sheet.h. */
#include "sheet.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rs/host.h"
#include "rs/text.h"

enum { VALUE = 256, MOST = 24 };

typedef struct part {
    char value[VALUE];
    rs__plot plot; /* lists of its own, of borrowed inputs and runs */
    rs__chart chart;
} part;

typedef struct sheet {
    int count;
    part *parts; /* [MOST] */
} sheet;

static void clear(sheet *s)
{
    for (int i = 0; s->parts && i < s->count; i++) {
        rs__plot *plot = &s->parts[i].plot;
        for (int g = 0; plot->groups.list && g < plot->groups.count; g++) {
            rs_free(plot->groups.list[g].runs);
        }
        rs_free(plot->groups.list);
        rs_free(plot->inputs.list);
        rs__chart_clear(&s->parts[i].chart);
    }
    rs_free(s->parts);
}

static rs_status check_key(const char *key, rs_error *error)
{
    enum { MOST_OPTIONS = 256 };
    const char *names[MOST_OPTIONS];
    size_t count;
    const rs_option *table = rs_option_table(&count);
    RS_ASSERT(count <= MOST_OPTIONS);
    for (size_t i = 0; i < count; i++) {
        names[i] = table[i].name;
        if (strcmp(names[i], key) == 0) {
            return RS_OK;
        }
    }
    const char *nearest = rs_text_nearest(key, names, (int)count);
    return RS_FAIL(error, RS_USAGE, "--sheet %.80s: no option of a run%s%s", key, nearest ? "; nearest " : "",
                   nearest ? nearest : "");
}

/* --- the values ----------------------------------------------------------------------------------------------- */

static rs_status value_of(const rs__input *input, const char *key, char *value, rs_error *error)
{
    if (!input->config) {
        return RS_FAIL(error, RS_USAGE, "--sheet %s: %s does not say of which runs it is", key, input->path);
    }
    rs__option_value(input->config, key, value, VALUE);
    return RS_OK;
}

static rs_status add_value(sheet *s, const char *key, const char *value, rs_error *error)
{
    for (int i = 0; i < s->count; i++) {
        if (strcmp(s->parts[i].value, value) == 0) {
            return RS_OK;
        }
    }
    if (s->count == MOST) {
        return RS_FAIL(error, RS_USAGE, "--sheet %s: the runs have more than %d values of it", key, MOST);
    }
    (void)snprintf(s->parts[s->count++].value, VALUE, "%s", value);
    return RS_OK;
}

/* As groups are sorted; of few, by insertion. */
static void sort_values(sheet *s)
{
    for (int i = 1; i < s->count; i++) {
        for (int k = i; k > 0; k--) {
            if (rs_text_compare(s->parts[k - 1].value, s->parts[k].value) <= 0) {
                break;
            }
            const part swapped = s->parts[k];
            s->parts[k] = s->parts[k - 1];
            s->parts[k - 1] = swapped;
        }
    }
}

static rs_status find_values(const rs__plot *plot, const char *key, sheet *s, rs_error *error)
{
    char value[VALUE];
    s->parts = rs_alloc_array(MOST, sizeof *s->parts);
    if (!s->parts) {
        return RS_FAIL(error, RS_MEMORY, "no memory for a sheet");
    }
    for (int i = 0; i < plot->inputs.count; i++) {
        RS_TRY(value_of(&plot->inputs.list[i], key, value, error));
        RS_TRY(add_value(s, key, value, error));
    }
    sort_values(s);
    return RS_OK;
}

/* --- what belongs to one value -------------------------------------------------------------------------------- */

static rs_status take_group(const rs__group *whole, const char *key, part *p, rs_error *error)
{
    char value[VALUE];
    rs__group *made = &p->plot.groups.list[p->plot.groups.count];
    *made = *whole;
    made->count = 0;
    made->runs = rs_alloc_array((size_t)whole->count, sizeof *made->runs);
    if (!made->runs) {
        return RS_FAIL(error, RS_MEMORY, "no memory for %d runs", whole->count);
    }
    p->plot.groups.count++;
    for (int r = 0; r < whole->count; r++) {
        RS_TRY(value_of(whole->runs[r], key, value, error));
        if (strcmp(value, p->value) == 0) {
            made->runs[made->count++] = whole->runs[r];
        }
    }
    if (made->count == 0) {
        rs_free(made->runs);
        p->plot.groups.count--;
    }
    return RS_OK;
}

static rs_status take_inputs(const rs__plot *plot, const rs__groups *groups, const char *key, part *p,
                             rs_error *error)
{
    char value[VALUE];
    p->plot.options = plot->options;
    p->plot.palettes = plot->palettes;
    p->plot.all = &plot->inputs;
    p->plot.inputs.list = rs_alloc_array((size_t)plot->inputs.count, sizeof *p->plot.inputs.list);
    p->plot.groups.list = rs_alloc_array((size_t)groups->count + 1, sizeof *p->plot.groups.list);
    if (!p->plot.inputs.list || !p->plot.groups.list) {
        return RS_FAIL(error, RS_MEMORY, "no memory for a sheet");
    }
    for (int i = 0; i < plot->inputs.count; i++) {
        RS_TRY(value_of(&plot->inputs.list[i], key, value, error));
        if (strcmp(value, p->value) == 0) {
            p->plot.inputs.list[p->plot.inputs.count++] = plot->inputs.list[i];
        }
    }
    for (int g = 0; g < groups->count; g++) {
        RS_TRY(take_group(&groups->list[g], key, p, error));
    }
    return RS_OK;
}

/* --- together ------------------------------------------------------------------------------------------------- */

/* "CIFAR-10", "depth 18", "residual" */
static void name_value(const char *key, const part *p, char *name, size_t capacity)
{
    const bool data = strcmp(key, "dataset") == 0 && p->plot.inputs.count > 0;
    if (data) {
        (void)snprintf(name, capacity, "%s", rs__describe_data(p->plot.inputs.list[0].config));
    } else if (strcmp(key, "plain") == 0) {
        (void)snprintf(name, capacity, "%s", strcmp(p->value, "true") == 0 ? "plain" : "residual");
    } else {
        (void)snprintf(name, capacity, "%s %s", key, p->value);
    }
}

static rs_status name_panels(const char *key, part *p, rs_error *error)
{
    char name[VALUE + 64], old[512];
    name_value(key, p, name, sizeof name);
    const bool single = p->chart.rows * p->chart.columns == 1;
    for (int c = 0; c < p->chart.columns; c++) {
        rs__panel *panel = &p->chart.panels[c];
        (void)snprintf(old, sizeof old, "%s", panel->title ? panel->title : "");
        RS_TRY(rs__chart_text(&panel->title, error, "%s%s%s", name, !single && *old ? ": " : "",
                              single ? "" : old));
    }
    return RS_OK;
}

/* Moves the panels of a part to where they stand on the sheet; the part keeps empty ones. */
static void move_panels(part *p, rs__chart *chart, int row, int column)
{
    for (int r = 0; r < p->chart.rows; r++) {
        for (int c = 0; c < p->chart.columns; c++) {
            rs__panel *from = rs__chart_panel(&p->chart, r, c);
            *rs__chart_panel(chart, row + r, column + c) = *from;
            *from = (rs__panel){0};
        }
    }
}

static rs_status copy_bar(const rs__bar *from, rs__bar *to, rs_error *error)
{
    *to = *from;
    to->label = NULL;
    return from->label ? rs__chart_text(&to->label, error, "%s", from->label) : RS_OK;
}

static void join_bar(const rs__bar *from, rs__bar *to)
{
    if (from->shown) {
        to->low = fmin(to->low, from->low);
        to->high = fmax(to->high, from->high);
    }
}

static int columns_for(int count)
{
    return count <= 3 ? count : (int)ceil(sqrt((double)count));
}

static rs_status put_together(sheet *s, rs__chart *chart, rs_error *error)
{
    const rs__chart *first = &s->parts[0].chart;
    int columns = 1;
    for (int i = 0; i < s->count; i++) { /* an earlier part may have fewer */
        columns = s->parts[i].chart.columns > columns ? s->parts[i].chart.columns : columns;
    }
    const bool grid = first->rows == 1 && columns == 1;
    const int across = grid ? columns_for(s->count) : columns;
    int rows = grid && across > 0 ? (s->count + across - 1) / across : 0;
    for (int i = 0; i < s->count && !grid; i++) {
        rows += s->parts[i].chart.rows;
    }
    RS_TRY(rs__chart_make(chart, rows, across, error));
    chart->share_y = !grid && (first->share_y || first->share_all_y);
    RS_TRY(copy_bar(&first->bar, &chart->bar, error));
    RS_TRY(copy_bar(&first->second, &chart->second, error));
    for (int i = 0, row = 0; i < s->count; i++) {
        move_panels(&s->parts[i], chart, grid ? i / across : row, grid ? i % across : 0);
        join_bar(&s->parts[i].chart.bar, &chart->bar);
        join_bar(&s->parts[i].chart.second, &chart->second);
        row += s->parts[i].chart.rows;
    }
    return RS_OK;
}

/* How much of the first part's heading is true of all: up to the colon before what only one of them is of. */
static int length_of_title(const sheet *s)
{
    const char *title = s->parts[0].chart.title;
    for (int i = 1; i < s->count; i++) {
        if (strcmp(s->parts[i].chart.title, title) != 0) {
            return (int)strcspn(title, ":");
        }
    }
    return (int)strlen(title);
}

static rs_status set_texts(sheet *s, const char *key, rs__chart *chart, rs_error *error)
{
    char values[512] = "", name[VALUE + 64];
    for (int i = 0; i < s->count; i++) {
        const size_t used = strlen(values);
        name_value(key, &s->parts[i], name, sizeof name);
        (void)snprintf(values + used, sizeof values - used, "%s%s", i ? ", " : "", name);
    }
    chart->show_title = s->parts[0].chart.show_title;
    RS_TRY(rs__chart_text(&chart->title, error, "%.*s", length_of_title(s), s->parts[0].chart.title));
    return rs__chart_text(&chart->alt, error, "For %s: %s", values, s->parts[0].chart.alt);
}

rs_status rs__sheet_build(const rs__plot *plot, const rs__figure *figure, const char *key, rs__chart *chart,
                          rs_error *error)
{
    sheet s = {0};
    rs__groups groups = {0};
    rs_status status = check_key(key, error);
    status = status ? status : find_values(plot, key, &s, error);
    status = status ? status : rs__groups_make(&plot->inputs, &plot->palettes, key, &groups, error);
    for (int i = 0; i < s.count && !status; i++) {
        part *p = &s.parts[i];
        status = take_inputs(plot, &groups, key, p, error);
        status = status ? status : figure->build(&p->plot, &p->chart, error);
        status = status ? status : name_panels(key, p, error);
    }
    status = status ? status : put_together(&s, chart, error);
    status = status ? status : set_texts(&s, key, chart, error);
    clear(&s);
    rs__groups_free(&groups);
    return status;
}
