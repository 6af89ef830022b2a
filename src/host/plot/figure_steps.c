/* figure_steps.c: what is one number at every step: gradient norm before and after clipping, learning rate, and the parts of
 * the loss. Of one configuration all of them in one panel; of several one panel each. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "rs/host.h"
#include "runs.h"

enum { MOST = 3 };

typedef struct quantity {
    const char *path, *shown;
} quantity;

typedef struct steps {
    const rs__plot *plot;
    const char *what, *unit; /* of the title and of the y axis */
    int count;
    quantity quantities[MOST];
    rs__series_of_runs *series[MOST]; /* [group] */
} steps;

static void clear(steps *s)
{
    for (int q = 0; q < s->count; q++) {
        for (int g = 0; s->series[q] && g < s->plot->groups.count; g++) {
            rs__runs_free(&s->series[q][g]);
        }
        rs_free(s->series[q]);
    }
}

static rs_status read_one(steps *s, int q, rs_error *error)
{
    s->series[q] = rs_alloc_array((size_t)s->plot->groups.count, sizeof *s->series[q]);
    if (!s->series[q]) {
        return RS_FAIL(error, RS_MEMORY, "no memory for %d groups", s->plot->groups.count);
    }
    for (int g = 0; g < s->plot->groups.count; g++) {
        RS_TRY(rs__runs_read(&s->plot->groups.list[g], s->quantities[q].path, &s->series[q][g], error));
    }
    return RS_OK;
}

static rs_status read_all(steps *s, rs_error *error)
{
    for (int q = 0; q < s->count; q++) {
        RS_TRY(read_one(s, q, error));
    }
    return RS_OK;
}

/* Drops a quantity that is the same as the first one in all runs. */
static void drop_copies(steps *s)
{
    for (int q = s->count - 1; q > 0; q--) {
        bool same = true;
        for (int g = 0; g < s->plot->groups.count; g++) {
            const rs__series_of_runs *a = &s->series[0][g], *b = &s->series[q][g];
            for (int r = 0; r < a->runs; r++) {
                const size_t bytes = (size_t)a->rows[r] * sizeof **a->values;
                same = same && a->rows[r] == b->rows[r] && memcmp(a->values[r], b->values[r], bytes) == 0;
            }
        }
        if (same) {
            for (int g = 0; g < s->plot->groups.count; g++) {
                rs__runs_free(&s->series[q][g]);
            }
            rs_free(s->series[q]);
            s->count--;
            memmove(&s->series[q], &s->series[q + 1], (size_t)(s->count - q) * sizeof s->series[q]);
            memmove(&s->quantities[q], &s->quantities[q + 1],
                    (size_t)(s->count - q) * sizeof s->quantities[q]);
        }
    }
}

/* Steps of an epoch, where all epochs have as many; else 0. */
static double steps_of_epoch(const rs__group *group)
{
    const rs_position *at = rs_record_reader_committed(group->runs[0]->record);
    const int64_t whole = at->steps - at->batches;
    return at->epochs > 0 && whole % at->epochs == 0 ? (double)whole / (double)at->epochs : 0.0;
}

/* Whether x can be epochs for all. */
static bool by_epoch(const rs__plot *plot)
{
    for (int g = 0; g < plot->groups.count; g++) {
        if (steps_of_epoch(&plot->groups.list[g]) == 0.0) {
            return false;
        }
    }
    return true;
}

static rs_status draw(const steps *s, int q, rs__mark mark, bool epochs, rs__panel *panel, rs_error *error)
{
    const bool one = s->plot->groups.count == 1;
    for (int g = 0; g < s->plot->groups.count; g++) {
        const rs__group *group = &s->plot->groups.list[g];
        char name[640];
        (void)snprintf(name, sizeof name, "%s, %s", group->label, s->quantities[q].shown);
        const rs__curve_style style = {.mark = mark,
                                       .colour =
                                           one ? rs__line_colour(&s->plot->palettes, q, MOST) : group->colour,
                                       .dash = one ? q : group->dash,
                                       .width = mark == RS__STAIRS ? 1.0 : 0.7,
                                       .first = epochs ? 0.0 : 1.0,
                                       .step = epochs ? 1.0 / steps_of_epoch(group) : 1.0,
                                       .label = !one           ? group->label
                                                : s->count > 1 ? s->quantities[q].shown
                                                               : NULL,
                                       .name = name};
        RS_TRY(rs__runs_draw(s->plot, &s->series[q][g], 0, &style, panel, error));
    }
    return RS_OK;
}

static rs_status fill(const steps *s, rs__mark mark, bool log, bool epochs, rs__chart *chart, rs_error *error)
{
    const bool one = s->plot->groups.count == 1;
    bool wants_log = log;
    for (int q = 0; q < s->count; q++) {
        rs__panel *panel = rs__chart_panel(chart, 0, one ? 0 : q);
        panel->x.whole = panel->x.tight = true;
        panel->x.low = 0.0;
        RS_TRY(rs__chart_text(&panel->x.label, error, epochs ? "epoch" : "step"));
        if (q == 0) {
            RS_TRY(rs__chart_text(&panel->y.label, error, "%s", s->unit));
        }
        if (!one && s->count > 1) {
            RS_TRY(rs__chart_text(&panel->title, error, "%s", s->quantities[q].shown));
        }
        RS_TRY(draw(s, q, mark, epochs, panel, error));
    }
    for (int i = 0; i < chart->columns; i++) {
        wants_log = wants_log && rs__wants_log(&chart->panels[i]);
    }
    for (int i = 0; i < chart->columns; i++) {
        chart->panels[i].y.log = wants_log;
        chart->panels[i].y.zero = !wants_log && mark == RS__STAIRS;
        chart->panels[i].y.zero_near = !wants_log;
    }
    return RS_OK;
}

static rs_status set_texts(const steps *s, rs__chart *chart, rs_error *error)
{
    const rs__groups *groups = &s->plot->groups;
    const bool one = groups->count == 1;
    RS_TRY(rs__chart_text(&chart->title, error, "%s%s%s", s->what, one ? ": " : "",
                          one ? groups->list[0].label : ""));
    return rs__chart_text(&chart->alt, error, "%s over the training steps of %d run%s%s%s", s->what,
                          s->plot->inputs.count, s->plot->inputs.count > 1 ? "s" : "", one ? ": " : "",
                          one ? groups->list[0].label : "");
}

/* What was read becomes the chart; everything of `s` is released. */
static rs_status finish(steps *s, rs__mark mark, bool log, bool epochs, rs__chart *chart, rs_error *error)
{
    rs_status status = rs__chart_make(chart, 1, s->plot->groups.count == 1 ? 1 : s->count, error);
    chart->share_y = true;
    status = status ? status : fill(s, mark, log, epochs, chart, error);
    status = status ? status : set_texts(s, chart, error);
    clear(s);
    return status;
}

static rs_status build(steps *s, rs__mark mark, bool log, bool epochs, rs__chart *chart, rs_error *error)
{
    rs_status status = read_all(s, error);
    if (status) {
        clear(s);
        return status;
    }
    drop_copies(s);
    return finish(s, mark, log, epochs, chart, error);
}

rs_status rs__build_gradient_norm(const rs__plot *plot, rs__chart *chart, rs_error *error)
{
    steps s = {.plot = plot,
               .what = "Gradient norm",
               .unit = "gradient norm",
               .count = 2,
               .quantities = {{"steps/gradient_norm", "before clipping"},
                              {"steps/gradient_norm_clipped", "after clipping"}}};
    return build(&s, RS__LINE, true, false, chart, error);
}

rs_status rs__build_schedule(const rs__plot *plot, rs__chart *chart, rs_error *error)
{
    steps s = {.plot = plot,
               .what = "Learning rate",
               .unit = "learning rate",
               .count = 1,
               .quantities = {{"steps/learning_rate", "learning rate"}}};
    return build(&s, RS__STAIRS, true, by_epoch(plot), chart, error);
}

/* The layers' and heads' part is what the total has beyond the task's. */
static rs_status add_rest(steps *s, rs_error *error)
{
    s->quantities[2] = (quantity){"steps/loss", "layers and heads"};
    s->count = 3;
    RS_TRY(read_one(s, 2, error));
    for (int g = 0; g < s->plot->groups.count; g++) {
        const rs__series_of_runs *task = &s->series[1][g], *rest = &s->series[2][g];
        for (int r = 0; r < rest->runs; r++) {
            for (int64_t i = 0; i < rest->rows[r] && i < task->rows[r]; i++) {
                rest->values[r][i] -= task->values[r][i];
            }
        }
    }
    return RS_OK;
}

rs_status rs__build_layer_loss(const rs__plot *plot, rs__chart *chart, rs_error *error)
{
    steps s = {.plot = plot,
               .what = "What the steps minimised",
               .unit = "loss",
               .count = 2,
               .quantities = {{"steps/loss", "total"}, {"steps/task_loss", "the network's own"}}};
    rs_status status = read_all(&s, error);
    if (!status) {
        drop_copies(&s);
        status = s.count == 2 ? add_rest(&s, error) : RS_OK;
    }
    if (status) {
        clear(&s);
        return status;
    }
    return finish(&s, RS__LINE, false, false, chart, error);
}
