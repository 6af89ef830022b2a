/* figure_flow.c: gradient flow: mean and standard deviation of abs(gradient) of every parameter over the first and over the
 * last steps; one row for each configuration. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rs/host.h"
#include "runs.h"

enum { COLUMNS = 2, MOST_ROWS = 8, USUAL_STEPS = 5 };

typedef struct flow {
    const rs__group *group;
    rs__columns parameters;
    rs__series_of_runs means, stds; /* steps/gradient_abs_mean, _std */
    double *x, *mean, *low, *high;  /* [parameters.count] */
} flow;

static void clear(flow *f)
{
    rs__columns_free(&f->parameters);
    rs__runs_free(&f->means);
    rs__runs_free(&f->stds);
    rs_free(f->x);
    rs_free(f->mean);
    rs_free(f->low);
    rs_free(f->high);
}

static rs_status open_flow(const rs__plot *plot, const rs__group *group, flow *f, rs_error *error)
{
    *f = (flow){.group = group};
    RS_TRY(rs__read_columns(group->runs[0], "parameters/name", plot->options->layers, &f->parameters, error));
    RS_TRY(rs__runs_read(group, "steps/gradient_abs_mean", &f->means, error));
    RS_TRY(rs__runs_read(group, "steps/gradient_abs_std", &f->stds, error));
    const size_t size = (size_t)f->parameters.count + 1;
    f->x = rs_alloc_array(size, sizeof *f->x);
    f->mean = rs_alloc_array(size, sizeof *f->mean);
    f->low = rs_alloc_array(size, sizeof *f->low);
    f->high = rs_alloc_array(size, sizeof *f->high);
    return f->x && f->mean && f->low && f->high
               ? RS_OK
               : RS_FAIL(error, RS_MEMORY, "no memory for %lld parameters", (long long)f->parameters.count);
}

/* Over all elements of all these steps of all runs: the mean of the means, and from E[a^2] = s^2 + m^2 the deviation. */
static void combine(flow *f, bool last, int64_t steps)
{
    for (int64_t p = 0; p < f->parameters.count; p++) {
        const int64_t column = f->parameters.index[p];
        double sum = 0.0, squares = 0.0;
        int64_t n = 0;
        for (int r = 0; r < f->means.runs; r++) {
            const int64_t rows = f->means.rows[r], count = steps < rows ? steps : rows;
            const int64_t first = last ? rows - count : 0;
            for (int64_t t = first; t < first + count && t < f->stds.rows[r]; t++) {
                const double m = f->means.values[r][t * f->means.width + column];
                const double s = f->stds.values[r][t * f->stds.width + column];
                if (isfinite(m) && isfinite(s)) {
                    sum += m;
                    squares += s * s + m * m;
                    n++;
                }
            }
        }
        const double mean = n > 0 ? sum / (double)n : NAN;
        const double std = n > 0 ? sqrt(fmax(0.0, squares / (double)n - mean * mean)) : NAN;
        f->x[p] = (double)(p + 1);
        f->mean[p] = mean;
        f->low[p] = std > mean ? 0.0 : mean - std; /* nothing of abs() lies below */
        f->high[p] = mean + std;
    }
}

static rs_status draw(const flow *f, uint32_t colour, rs__panel *panel, rs_error *error)
{
    const rs__points band = {.mark = RS__BAND,
                             .count = f->parameters.count,
                             .x = f->x,
                             .low = f->low,
                             .high = f->high,
                             .label = f->means.runs > 1 ? "standard deviation over elements, steps and seeds"
                                                        : "standard deviation over elements and steps",
                             .style = {.colour = colour, .opacity = 0.2}};
    const rs__points line = {.mark = RS__LINE,
                             .count = f->parameters.count,
                             .x = f->x,
                             .y = f->mean,
                             .label = "mean of abs(gradient)",
                             .name = f->group->label,
                             .style = {.colour = colour, .width = 0.8}};
    const rs__points dots = {.mark = RS__POINTS,
                             .count = f->parameters.count,
                             .x = f->x,
                             .y = f->mean,
                             .style = {.colour = colour, .dot = 2.5}};
    RS_TRY(rs__panel_add(panel, &band, error));
    RS_TRY(rs__panel_add(panel, &line, error));
    return f->parameters.count <= 60 ? rs__panel_add(panel, &dots, error) : RS_OK;
}

static int64_t largest_of(const flow *f)
{
    int64_t largest = 0;
    for (int64_t p = 1; p < f->parameters.count; p++) {
        largest = f->mean[p] > f->mean[largest] || isnan(f->mean[largest]) ? p : largest;
    }
    return largest;
}

/* Every parameter has its name under it, or, of very many, every so many, the last and the one with the largest gradient. */
static rs_status name_parameters(const flow *f, rs__panel *panel, rs_error *error)
{
    enum { MOST_NAMES = 32 };
    const int64_t every = (f->parameters.count + MOST_NAMES - 1) / MOST_NAMES;
    const int64_t largest = largest_of(f), last = f->parameters.count - 1;
    panel->x.names = true;
    for (int64_t p = 0; p < f->parameters.count; p++) {
        const bool apart = llabs(p - largest) >= every && last - p >= every;
        if (p == largest || (p == last && last - largest >= every) || (p % every == 0 && apart)) {
            RS_TRY(rs__axis_tick(&panel->x, (double)(p + 1), f->parameters.names[p], NULL, error));
            if (p == largest || p == last) {
                rs__axis_keep(&panel->x);
            }
        }
    }
    return RS_OK;
}

/* Whether some parameters have gradients many times as large as others': a linear axis would show these alone. Those that have none at all are
 * gaps of a logarithmic one. */
static bool spans_decades(const flow *f)
{
    double least = INFINITY, most = 0.0;
    for (int64_t p = 0; p < f->parameters.count; p++) {
        if (f->mean[p] > 0.0) {
            least = fmin(least, f->mean[p]);
            most = fmax(most, f->mean[p]);
        }
    }
    return most > 10.0 * least;
}

/* `log`: set where the row needs a logarithmic axis. */
static rs_status fill_row(const rs__plot *plot, int row, int64_t steps, rs__chart *chart, bool *log,
                          rs_error *error)
{
    flow f = {0};
    rs_status status = open_flow(plot, &plot->groups.list[row], &f, error);
    for (int c = 0; c < COLUMNS && !status; c++) {
        rs__panel *panel = rs__chart_panel(chart, row, c);
        const char *several = plot->groups.count > 1 ? f.group->label : "";
        combine(&f, c == 1, steps);
        *log = *log || spans_decades(&f);
        status = draw(&f, rs__line_colour(&plot->palettes, 0, 1), panel, error);
        status = status ? status : name_parameters(&f, panel, error);
        status = status ? status
                        : rs__chart_text(&panel->title, error, "%s%s%s %lld steps", several,
                                         *several ? ": " : "", c ? "last" : "first", (long long)steps);
    }
    status =
        status ? status : rs__chart_text(&rs__chart_panel(chart, row, 0)->y.label, error, "abs(gradient)");
    clear(&f);
    return status;
}

rs_status rs__build_gradient_flow(const rs__plot *plot, rs__chart *chart, rs_error *error)
{
    const int64_t steps = plot->options->steps > 0 ? plot->options->steps : USUAL_STEPS;
    const int rows = plot->groups.count;
    if (rows > MOST_ROWS) {
        return RS_FAIL(error, RS_USAGE, "%d configurations are too many rows: name at most %d", rows,
                       MOST_ROWS);
    }
    RS_TRY(rs__chart_make(chart, rows, COLUMNS, error));
    chart->share_all_y = true;
    bool log = false; /* one kind of axis for all, so that they can be compared */
    for (int row = 0; row < rows; row++) {
        RS_TRY(fill_row(plot, row, steps, chart, &log, error));
    }
    for (int i = 0; i < rows * COLUMNS; i++) {
        chart->panels[i].y.log = log;
        chart->panels[i].y.zero = !log;
    }
    RS_TRY(rs__chart_text(&chart->title, error, "Gradient flow%s%s", rows == 1 ? ": " : "",
                          rows == 1 ? plot->groups.list[0].label : ""));
    return rs__chart_text(
        &chart->alt, error,
        "Mean and standard deviation of the absolute gradient of every parameter over the first and the last "
        "%lld steps, for %s%s",
        (long long)steps, plot->groups.list[0].label, rows > 1 ? " and others" : "");
}
