/* figure_epochs.c: loss and accuracy by epoch. Of one configuration all splits in one panel; of several one panel for each
 * split, on one scale. A validation set that is the test set is shown once, as what it is. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "rs/host.h"
#include "rs/text.h"
#include "runs.h"

enum { SPLITS = 3, PATH = 64 };

static const struct {
    const char *name, *shown;
} splits[SPLITS] = {{"train", "training"}, {"valid", "validation"}, {"test", "test"}};

typedef struct epochs {
    const rs__plot *plot;
    const char *quantity;               /* "loss" */
    rs__series_of_runs *series[SPLITS]; /* [group] */
    bool shown[SPLITS];
} epochs;

static void clear(epochs *e)
{
    for (int s = 0; s < SPLITS; s++) {
        for (int g = 0; e->series[s] && g < e->plot->groups.count; g++) {
            rs__runs_free(&e->series[s][g]);
        }
        rs_free(e->series[s]);
    }
}

static rs_status read_all(epochs *e, rs_error *error)
{
    char path[PATH];
    for (int s = 0; s < SPLITS; s++) {
        e->series[s] = rs_alloc_array((size_t)e->plot->groups.count, sizeof *e->series[s]);
        if (!e->series[s]) {
            return RS_FAIL(error, RS_MEMORY, "no memory for %d groups", e->plot->groups.count);
        }
        (void)snprintf(path, sizeof path, "epochs/%s_%s", splits[s].name, e->quantity);
        for (int g = 0; g < e->plot->groups.count; g++) {
            RS_TRY(rs__runs_read(&e->plot->groups.list[g], path, &e->series[s][g], error));
        }
    }
    return RS_OK;
}

/* Whether a split has a number; whether two have the same everywhere. */
static bool has_numbers(const epochs *e, int split)
{
    for (int g = 0; g < e->plot->groups.count; g++) {
        const rs__series_of_runs *series = &e->series[split][g];
        for (int r = 0; r < series->runs; r++) {
            for (int64_t i = 0; i < series->rows[r]; i++) {
                if (isfinite(series->values[r][i])) {
                    return true;
                }
            }
        }
    }
    return false;
}

static bool same_numbers(const epochs *e, int a, int b)
{
    for (int g = 0; g < e->plot->groups.count; g++) {
        const rs__series_of_runs *x = &e->series[a][g], *y = &e->series[b][g];
        for (int r = 0; r < x->runs; r++) {
            const size_t bytes = (size_t)x->rows[r] * sizeof **x->values;
            if (x->rows[r] != y->rows[r] || memcmp(x->values[r], y->values[r], bytes) != 0) {
                return false;
            }
        }
    }
    return true;
}

/* The points of a function are validated on; other data have a test set. */
static bool only_functions(const rs__plot *plot)
{
    for (int i = 0; i < plot->inputs.count; i++) {
        if (strcmp(plot->inputs.list[i].config->dataset, "function") != 0) {
            return false;
        }
    }
    return true;
}

/* --split, or what there is. */
static rs_status choose(epochs *e, rs_error *error)
{
    const char *wanted = e->plot->options->split;
    const int twice = !same_numbers(e, 1, 2) ? -1 : only_functions(e->plot) ? 2 : 1;
    char word[16];
    for (int s = 0; s < SPLITS; s++) {
        e->shown[s] = !wanted && s != twice && has_numbers(e, s);
    }
    for (const char *at = wanted; at && rs_text_next_word(&at, ',', word, sizeof word);) {
        bool found = false;
        for (int s = 0; s < SPLITS; s++) {
            const bool this = strcmp(word, splits[s].name) == 0;
            e->shown[s] = e->shown[s] || this;
            found = found || this;
        }
        if (!found) {
            return RS_FAIL(error, RS_USAGE, "--split %s: there are train, valid and test", word);
        }
    }
    return e->shown[0] || e->shown[1] || e->shown[2]
               ? RS_OK
               : RS_FAIL(error, RS_DATA, "%s: no %s was recorded that is a number%s",
                         e->plot->inputs.list[0].path, e->quantity,
                         strcmp(e->quantity, "accuracy") == 0 ? "; of functions there is a loss alone" : "");
}

static rs_status draw_split(const epochs *e, int split, bool one_panel, rs__panel *panel, rs_error *error)
{
    for (int g = 0; g < e->plot->groups.count; g++) {
        const rs__group *group = &e->plot->groups.list[g];
        char name[640];
        (void)snprintf(name, sizeof name, "%s, %s %s", group->label, splits[split].shown, e->quantity);
        const rs__curve_style style = {.mark = RS__LINE,
                                       .colour = one_panel ? rs__split_colour(e->plot, split) : group->colour,
                                       .dash = one_panel ? rs__split_dash(split) : group->dash,
                                       .first = 1.0,
                                       .label = one_panel ? splits[split].shown : group->label,
                                       .name = name};
        RS_TRY(rs__runs_draw(e->plot, &e->series[split][g], 0, &style, panel, error));
    }
    return RS_OK;
}

static rs_status fill(const epochs *e, rs__chart *chart, rs_error *error)
{
    const bool one_panel = e->plot->groups.count == 1;
    const bool one_split = e->shown[0] + e->shown[1] + e->shown[2] == 1; /* then the axis says which */
    int column = 0;
    for (int s = 0; s < SPLITS; s++) {
        if (!e->shown[s]) {
            continue;
        }
        rs__panel *panel = rs__chart_panel(chart, 0, one_panel ? 0 : column);
        panel->x.whole = true;
        panel->y.zero_near = strcmp(e->quantity, "accuracy") != 0;
        RS_TRY(rs__chart_text(&panel->x.label, error, "epoch"));
        if (column == 0) {
            RS_TRY(rs__chart_text(&panel->y.label, error, "%s%s%s", one_split ? splits[s].shown : "",
                                  one_split ? " " : "", e->quantity));
        }
        if (!one_panel && !one_split) {
            RS_TRY(rs__chart_text(&panel->title, error, "%s", splits[s].shown));
        }
        RS_TRY(draw_split(e, s, one_panel, panel, error));
        column++;
    }
    return RS_OK;
}

static rs_status set_texts(const epochs *e, int runs, rs__chart *chart, rs_error *error)
{
    const rs__groups *groups = &e->plot->groups;
    const bool single = groups->count == 1;
    RS_TRY(rs__chart_text(&chart->title, error, "%c%s by epoch%s%s", e->quantity[0] - 'a' + 'A',
                          e->quantity + 1, single ? ": " : "", single ? groups->list[0].label : ""));
    return rs__chart_text(&chart->alt, error, "%s by epoch of %d run%s in %d group%s%s%s", e->quantity, runs,
                          runs > 1 ? "s" : "", groups->count, groups->count > 1 ? "s" : "",
                          single ? ": " : "", single ? groups->list[0].label : "");
}

static rs_status build(const rs__plot *plot, const char *quantity, rs__chart *chart, rs_error *error)
{
    epochs e = {.plot = plot, .quantity = quantity};
    rs_status status = read_all(&e, error);
    status = status ? status : choose(&e, error);
    if (!status) {
        const int columns = plot->groups.count == 1 ? 1 : e.shown[0] + e.shown[1] + e.shown[2];
        status = rs__chart_make(chart, 1, columns, error);
    }
    chart->share_y = true;
    status = status ? status : fill(&e, chart, error);
    status = status ? status : set_texts(&e, plot->inputs.count, chart, error);
    clear(&e);
    return status;
}

rs_status rs__build_loss(const rs__plot *plot, rs__chart *chart, rs_error *error)
{
    return build(plot, "loss", chart, error);
}

rs_status rs__build_accuracy(const rs__plot *plot, rs__chart *chart, rs_error *error)
{
    return build(plot, "accuracy", chart, error);
}
