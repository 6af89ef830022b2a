/* figure_layers.c: the learning curves of layers: own loss and mean output at every step, and loss and accuracy of their
 * classifiers, one row each of what was recorded; one column for each configuration, one colour for each layer, of few also a dash. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "rs/host.h"
#include "runs.h"

enum { KINDS = 4, MOST_COLUMNS = 6, FEW = 12 };

static const struct {
    const char *path, *names, *shown;
    bool loss;
} kinds[KINDS] = {{"steps/layer_loss", "layer", "own loss", true},
                  {"steps/layer_output_mean", "layer", "mean output", false},
                  {"steps/head_loss", "head", "classifier's loss", true},
                  {"steps/head_accuracy", "head", "classifier's accuracy", false}};

/* Which rows there are: what a run of every configuration recorded. */
static int list_rows(const rs__plot *plot, int rows[KINDS])
{
    int count = 0;
    for (int k = 0; k < KINDS; k++) {
        bool all = true;
        for (int i = 0; i < plot->inputs.count; i++) {
            all = all && rs_record_reader_has(plot->inputs.list[i].record, kinds[k].path);
        }
        if (all) {
            rows[count++] = k;
        }
    }
    return count;
}

/* Few layers that all networks have are told by name and line colour, others by the colour bar, where layer n has one colour in all.
 * Of a sheet all networks on it: its parts have one key. */
typedef struct legend {
    int64_t most; /* layers that a network has */
    bool names;
} legend;

/* Takes in the layers of a record's series. `first`: those of the first one that has any. */
static rs_status add_to_legend(const rs__plot *plot, const rs__input *input, int kind, rs__columns *first,
                               legend *l, rs_error *error)
{
    rs__columns own = {0};
    if (!rs_record_reader_has(input->record, kinds[kind].path)) {
        return RS_OK;
    }
    RS_TRY(rs__read_columns(input, kinds[kind].names, plot->options->layers, &own, error));
    l->most = own.count > l->most ? own.count : l->most;
    if (!first->names) {
        *first = own;
        return RS_OK;
    }
    l->names = l->names && rs__same_columns(first, &own);
    rs__columns_free(&own);
    return RS_OK;
}

static rs_status make_legend(const rs__plot *plot, int count, const int *rows, legend *l, rs_error *error)
{
    const rs__inputs *inputs = plot->all ? plot->all : &plot->inputs;
    rs_status status = RS_OK;
    *l = (legend){.names = true};
    for (int row = 0; row < count && !status; row++) {
        rs__columns first = {0};
        for (int i = 0; i < inputs->count && !status; i++) {
            status = add_to_legend(plot, &inputs->list[i], rows[row], &first, l, error);
        }
        rs__columns_free(&first);
    }
    l->names = l->names && l->most <= FEW;
    return status;
}

static rs_status draw_layer(const rs__plot *plot, const rs__group *group, const rs__columns *layers,
                            const rs__series_of_runs *series, int64_t layer, const legend *l,
                            rs__panel *panel, rs_error *error)
{
    char name[640];
    const int64_t of = l->names ? layers->count : l->most;
    const double level = of > 1 ? (double)layer / (double)(of - 1) : 0.0;
    (void)snprintf(name, sizeof name, "%s, %s", group->label, layers->names[layer]);
    const rs__curve_style style = {.mark = RS__LINE,
                                   .colour = rs__depth_colour(&plot->palettes, level),
                                   .dash = l->names ? (int)(layer % RS__DASHES) : RS__SOLID,
                                   .width = l->names ? 0.9 : 0.7,
                                   .first = 1.0,
                                   .label = l->names ? layers->names[layer] : NULL,
                                   .name = name};
    return rs__runs_draw(plot, series, layers->index[layer], &style, panel, error);
}

static rs_status fill_panel(const rs__plot *plot, const rs__group *group, int kind, const legend *l,
                            rs__panel *panel, rs_error *error)
{
    rs__columns layers;
    rs__series_of_runs series = {0};
    RS_TRY(rs__read_columns(group->runs[0], kinds[kind].names, plot->options->layers, &layers, error));
    rs_status status = rs__runs_read(group, kinds[kind].path, &series, error);
    for (int64_t i = 0; i < layers.count && !status; i++) {
        status = draw_layer(plot, group, &layers, &series, i, l, panel, error);
    }
    rs__runs_free(&series);
    rs__columns_free(&layers);
    return status;
}

static rs_status fill_row(const rs__plot *plot, int row, int kind, const legend *l, rs__chart *chart,
                          rs_error *error)
{
    bool log = true;
    for (int g = 0; g < plot->groups.count; g++) {
        const rs__group *group = &plot->groups.list[g];
        rs__panel *panel = rs__chart_panel(chart, row, g);
        panel->x.whole = panel->x.tight = true;
        panel->x.low = 0.0;
        RS_TRY(fill_panel(plot, group, kind, l, panel, error));
        if (row == 0) {
            RS_TRY(rs__chart_text(&panel->title, error, "%s", group->label));
        }
        if (row == chart->rows - 1) {
            RS_TRY(rs__chart_text(&panel->x.label, error, "step"));
        }
        if (g == 0) {
            RS_TRY(rs__chart_text(&panel->y.label, error, "%s", kinds[kind].shown));
        }
        log = log && rs__wants_log(panel);
    }
    for (int g = 0; g < plot->groups.count; g++) {
        rs__chart_panel(chart, row, g)->y.log = log;
        rs__chart_panel(chart, row, g)->y.zero_near = kinds[kind].loss;
    }
    return RS_OK;
}

static rs_status set_texts(const rs__plot *plot, rs__chart *chart, rs_error *error)
{
    const rs_plot_options *o = plot->options;
    char smoothed[96] = "";
    if (o->smooth > 1) {
        (void)snprintf(smoothed, sizeof smoothed, ", smoothed over %lld steps", (long long)o->smooth);
    }
    if (chart->bar.shown) {
        RS_TRY(rs__chart_text(&chart->bar.label, error, "layer, from the input on"));
    }
    RS_TRY(rs__chart_text(&chart->title, error, "Learning curves of layers%s", smoothed));
    return rs__chart_text(&chart->alt, error, "%s%s of each layer at every step, for %s%s", kinds[0].shown,
                          chart->rows > 1 ? " and mean output" : "", plot->groups.list[0].label,
                          plot->groups.count > 1 ? " and others" : "");
}

rs_status rs__build_layer_curves(const rs__plot *plot, rs__chart *chart, rs_error *error)
{
    int rows[KINDS];
    const int count = list_rows(plot, rows);
    if (count == 0) {
        return RS_FAIL(error, RS_DATA, "%s and the others have no series of layers in common",
                       plot->inputs.list[0].path);
    }
    if (plot->groups.count > MOST_COLUMNS) {
        return RS_FAIL(error, RS_USAGE,
                       "%d configurations do not fit beside each other: name at most %d, or use --sheet KEY",
                       plot->groups.count, MOST_COLUMNS);
    }
    RS_TRY(rs__chart_make(chart, count, plot->groups.count, error));
    chart->share_x = chart->share_y = true;
    legend l;
    RS_TRY(make_legend(plot, count, rows, &l, error));
    chart->bar = (rs__bar){.shown = !l.names, .whole = true, .low = 1.0, .high = (double)l.most};
    for (int row = 0; row < count; row++) {
        RS_TRY(fill_row(plot, row, rows[row], &l, chart, error));
    }
    return set_texts(plot, chart, error);
}
