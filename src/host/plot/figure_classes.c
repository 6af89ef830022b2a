/* figure_classes.c: `classes`: how many samples of each class the splits of the data have, as the record says. A panel for each
 * set of counts among the inputs. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "figure.h"
#include "rs/dataset.h"
#include "rs/host.h"
#include "rs/text.h"

enum { SPLITS = 3, MOST_CLASSES = 1000, NAMED = 20 }; /* up to NAMED classes their names stand below */
static const char *const split_names[SPLITS] = {"train", "valid", "test"};
static const char *const shown_names[SPLITS] = {"training", "validation", "test"};

/* The splits of one data set. */
typedef struct counts {
    int classes, splits; /* splits that there are */
    double of[SPLITS][MOST_CLASSES];
    bool has[SPLITS];
} counts;

/* Numbers of the line "KEY: [1, 2, 3]"; their number, 0 where there is no such line. */
static int read_list(const char *yaml, const char *key, double *values)
{
    int count = 0;
    const size_t length = strlen(key);
    for (const char *line = yaml; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        if (strncmp(line, key, length) != 0 || strncmp(line + length, ": [", 3) != 0) {
            continue;
        }
        const char *at = line + length + 3;
        while (count < MOST_CLASSES && *at >= '0' && *at <= '9') {
            char *end;
            values[count++] = (double)strtoll(at, &end, 10);
            at = end + strspn(end, ", ");
        }
        return count;
    }
    return 0;
}

static rs_status read_counts(const rs__input *input, counts *c, rs_error *error)
{
    char *yaml = NULL, key[32];
    memset(c, 0, sizeof *c);
    RS_TRY(rs_record_reader_text(input->record, "dataset", &yaml, error));
    for (int s = 0; s < SPLITS; s++) {
        (void)snprintf(key, sizeof key, "%s_class_counts", split_names[s]);
        const int found = read_list(yaml, key, c->of[s]);
        double samples = 0.0;
        for (int k = 0; k < found; k++) {
            samples += c->of[s][k];
        }
        c->has[s] = samples > 0.0;
        c->splits += c->has[s];
        c->classes = found > c->classes ? found : c->classes;
    }
    rs_free(yaml);
    return c->splits > 0
               ? RS_OK
               : RS_FAIL(error, RS_DATA, "%s: its data have no classes; `fit` shows functions", input->path);
}

static bool same(const counts *a, const counts *b)
{
    bool equal = a->classes == b->classes;
    for (int s = 0; s < SPLITS; s++) {
        for (int k = 0; k < a->classes; k++) {
            equal = equal && a->of[s][k] == b->of[s][k];
        }
    }
    return equal;
}

/* Bars of the splits side by side, centred on the class. */
static rs_status add_bars(const rs__plot *plot, const counts *c, rs__panel *panel, rs_error *error)
{
    double x[MOST_CLASSES];
    const double width = 0.8 / c->splits;
    for (int s = 0, at = 0; s < SPLITS; s++) {
        if (!c->has[s]) {
            continue;
        }
        for (int k = 0; k < c->classes; k++) {
            x[k] = k - 0.4 + (at + 0.5) * width;
        }
        const rs__points bars = {
            .mark = RS__BARS,
            .count = c->classes,
            .x = x,
            .y = c->of[s],
            .style = {.colour = rs__line_colour(&plot->palettes, s, SPLITS), .width = 0.92 * width},
            .label = shown_names[s],
            .name = shown_names[s]};
        RS_TRY(rs__panel_add(panel, &bars, error));
        at++;
    }
    return RS_OK;
}

/* Names that need the whole width to stand side by side. */
static bool has_long_names(const rs__input *input, const counts *c)
{
    int known = 0;
    const char *const *names = rs_dataset_class_names(input->config->dataset, &known);
    for (int k = 0; known == c->classes && c->classes <= NAMED && k < known; k++) {
        if (strlen(names[k]) > 3) {
            return true;
        }
    }
    return false;
}

static rs_status name_classes(const rs__input *input, const counts *c, rs__axis *axis, rs_error *error)
{
    int known = 0;
    const char *const *names = rs_dataset_class_names(input->config->dataset, &known);
    axis->low = -0.7;
    axis->high = c->classes - 0.3;
    axis->whole = axis->names = true;
    for (int k = 0; known == c->classes && c->classes <= NAMED && k < c->classes; k++) {
        RS_TRY(rs__axis_tick(axis, k, names[k], NULL, error));
    }
    return rs__chart_text(&axis->label, error, "class");
}

/* "CIFAR-10, swap splits": what tells panel `index` from the others. */
static rs_status name_panel(const rs__plot *plot, const int *from, int shown, int index, rs__panel *panel,
                            rs_error *error)
{
    char differences[256], drawn[64] = "";
    const rs__input *input = &plot->inputs.list[from[index]];
    const rs_config **configs = rs_alloc_array((size_t)shown, sizeof(const rs_config *));
    if (!configs) {
        return RS_FAIL(error, RS_MEMORY, "no memory for %d runs", shown);
    }
    for (int k = 0; k < shown; k++) {
        configs[k] = plot->inputs.list[from[k]].config;
    }
    rs__describe_differences(configs, shown, index, differences, sizeof differences);
    rs_free(configs);
    if (input->config->random_labels > 0.0) {
        (void)snprintf(drawn, sizeof drawn, ", %.0f%% of the training labels drawn at random",
                       100.0 * input->config->random_labels);
    }
    return rs__chart_text(&panel->title, error, "%s%s%s%s", rs__describe_data(input->config), drawn,
                          *differences ? ", " : "", differences);
}

static rs_status draw_panel(const rs__plot *plot, const rs__input *input, const counts *c, rs__panel *panel,
                            rs_error *error)
{
    RS_TRY(rs__chart_text(&panel->y.label, error, "samples"));
    panel->y.zero = true;
    RS_TRY(name_classes(input, c, &panel->x, error));
    return add_bars(plot, c, panel, error);
}

rs_status rs__build_classes(const rs__plot *plot, rs__chart *chart, rs_error *error)
{
    const int inputs = plot->inputs.count;
    int shown = 0;
    bool long_names = false;
    counts *all = rs_alloc_array((size_t)inputs, sizeof *all);
    int *from = rs_alloc_array((size_t)inputs, sizeof *from);
    rs_status status = all && from ? RS_OK : RS_FAIL(error, RS_MEMORY, "no memory for %d runs", inputs);
    for (int i = 0; !status && i < inputs; i++) {
        status = read_counts(&plot->inputs.list[i], &all[shown], error);
        bool seen = false;
        for (int k = 0; k < shown; k++) {
            seen = seen || same(&all[k], &all[shown]);
        }
        from[shown] = i;
        long_names = long_names || has_long_names(&plot->inputs.list[i], &all[shown]);
        shown += !seen;
    }
    const int columns = shown > 1 && !long_names ? 2 : 1;
    status = status ? status : rs__chart_make(chart, (shown + columns - 1) / columns, columns, error);
    for (int k = 0; !status && k < shown; k++) {
        rs__panel *panel = rs__chart_panel(chart, k / columns, k % columns);
        status = draw_panel(plot, &plot->inputs.list[from[k]], &all[k], panel, error);
        status = status ? status : name_panel(plot, from, shown, k, panel, error);
    }
    bool one_set = columns == 1; /* then the names stand under the last panel alone */
    for (int k = 1; !status && k < shown; k++) {
        one_set = one_set && strcmp(plot->inputs.list[from[k]].config->dataset,
                                    plot->inputs.list[from[0]].config->dataset) == 0;
    }
    chart->share_x = one_set;
    for (int k = 0; !status && one_set && k + 1 < shown; k++) {
        rs_free(chart->panels[k].x.label);
        chart->panels[k].x.label = NULL;
    }
    if (!status && long_names) {
        chart->width = 482.0; /* 17 cm */
        chart->height = 40.0 + 130.0 * chart->rows;
    }
    status = status ? status : rs__chart_text(&chart->title, error, "Classes");
    status = status ? status
                    : rs__chart_text(&chart->alt, error, "Samples of each class in every split of the data.");
    rs_free(all);
    rs_free(from);
    return status;
}
