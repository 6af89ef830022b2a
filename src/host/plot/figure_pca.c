/* figure_pca.c: `pca`: tracks of weights in the plane of their first two components, one a run, and how far off that plane they
 * lie. A row for each result of `analyze pca`. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "figure.h"
#include "result_arrays.h"
#include "rs/host.h"

enum { LABEL = 256 };

/* One result: [point]. */
typedef struct tracks {
    int64_t count, components;
    double *run, *epoch, *step, *coordinate, *off_plane, *ratio;
    rs__origins origins;
} tracks;

static rs_status read_tracks(const rs__input *input, tracks *t, rs_error *error)
{
    int64_t numbers;
    RS_TRY(rs__read_result(input, "component/ratio", &t->components, &t->ratio, error));
    RS_TRY(rs__read_result(input, "point/run", &t->count, &t->run, error));
    RS_TRY(rs__read_result_of(input, "point/epoch", t->count, &t->epoch, error));
    RS_TRY(rs__read_result_of(input, "point/step", t->count, &t->step, error));
    RS_TRY(rs__read_result_of(input, "point/off_plane", t->count, &t->off_plane, error));
    RS_TRY(rs__read_result(input, "point/coordinate", &numbers, &t->coordinate, error));
    if (t->components < 1 || numbers != t->count * t->components) {
        return RS_FAIL(error, RS_DATA, "%s has %" PRId64 " coordinates of %" PRId64 " points", input->path,
                       numbers, t->count);
    }
    RS_TRY(rs__origins_read(input, &t->origins, error));
    for (int64_t i = 0; i < t->count; i++) {
        if (!(t->run[i] >= 0.0 && t->run[i] < (double)t->origins.count)) {
            return RS_FAIL(error, RS_DATA, "%s: point %" PRId64 " is of no run", input->path, i);
        }
    }
    return RS_OK;
}

static void free_tracks(tracks *t)
{
    double *const lists[] = {t->run, t->epoch, t->step, t->coordinate, t->off_plane, t->ratio};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        rs_free(lists[i]);
    }
    rs__origins_free(&t->origins);
}

/* Points of one run, in their order. */
typedef struct track {
    int64_t count;
    double *x, *y, *time, *off; /* one allocation */
} track;

static double coordinate(const tracks *t, int64_t point, int64_t component)
{
    return component < t->components ? t->coordinate[point * t->components + component] : 0.0;
}

/* Snapshots within an epoch have no number of epochs: then steps tell the time. */
static bool by_epoch(const tracks *t)
{
    for (int64_t i = 0; i < t->count; i++) {
        if (t->epoch[i] < 0.0) {
            return false;
        }
    }
    return true;
}

static rs_status take_track(const tracks *t, int run, track *one, rs_error *error)
{
    const double *time = by_epoch(t) ? t->epoch : t->step;
    *one = (track){.x = rs_alloc_array(4 * (size_t)t->count + 4, sizeof(double))};
    if (!one->x) {
        return RS_FAIL(error, RS_MEMORY, "no memory for %" PRId64 " points", t->count);
    }
    one->y = one->x + t->count;
    one->time = one->y + t->count;
    one->off = one->time + t->count;
    for (int64_t i = 0; i < t->count; i++) {
        if ((int)t->run[i] == run) {
            one->x[one->count] = coordinate(t, i, 0);
            one->y[one->count] = coordinate(t, i, 1);
            one->time[one->count] = time[i];
            one->off[one->count++] = t->off_plane[i];
        }
    }
    return RS_OK;
}

/* A line with a dot at every snapshot, the last one larger. */
static rs_status add_track(const rs__plot *plot, const tracks *t, int run, int rank, rs__panel *panels[2],
                           rs_error *error)
{
    char label[LABEL];
    track one;
    RS_TRY(take_track(t, run, &one, error));
    rs__origin_label(&t->origins, run, label, sizeof label);
    const uint32_t colour = rs__line_colour(&plot->palettes, rank, t->origins.count);
    rs__points line = {
        .mark = RS__LINE, .count = one.count, .x = one.x, .y = one.y, .label = label, .name = label};
    line.style = (rs__style){.colour = colour, .width = 0.8, .dash = rank % RS__DASHES};
    rs_status status = rs__panel_add(panels[0], &line, error);
    rs__points dots = {.mark = RS__POINTS, .count = one.count, .x = one.x, .y = one.y};
    dots.style = (rs__style){.colour = colour, .dot = 2.4};
    status = status ? status : rs__panel_add(panels[0], &dots, error);
    if (!status && one.count > 0) {
        dots.count = 1;
        dots.x += one.count - 1;
        dots.y += one.count - 1;
        dots.style.dot = 5.5;
        status = rs__panel_add(panels[0], &dots, error);
    }
    line.x = one.time;
    line.y = one.off;
    line.label = NULL;
    status = status ? status : rs__panel_add(panels[1], &line, error);
    rs_free(one.x);
    return status;
}

/* "linear1.weight", or how many there are. */
static rs_status name_row(const rs__input *input, rs__panel *panel, rs_error *error)
{
    int rank;
    int64_t dim[RS_RESULT_RANK], weights = 0;
    char *name = NULL;
    RS_TRY(rs_result_reader_size(input->result, "tensors", &rank, dim, error));
    RS_TRY(rs_result_reader_integer(input->result, "weights", &weights, error));
    if (dim[0] != 1) {
        return rs__chart_text(&panel->title, error, "%" PRId64 " weights of %" PRId64 " tensors", weights,
                              dim[0]);
    }
    RS_TRY(rs_result_reader_text_at(input->result, "tensors", 0, &name, error));
    rs_status status = rs__chart_text(&panel->title, error, "%s, %" PRId64 " weights", name, weights);
    rs_free(name);
    return status;
}

static rs_status label_axes(const tracks *t, rs__panel *panels[2], rs_error *error)
{
    rs__axis *axes[2] = {&panels[0]->x, &panels[0]->y};
    for (int64_t k = 0; k < 2; k++) {
        RS_TRY(rs__chart_text(&axes[k]->label, error, "component %" PRId64 " (%.1f%%)", k + 1,
                              k < t->components ? 100.0 * t->ratio[k] : 0.0));
    }
    panels[1]->x.whole = panels[1]->y.zero = true;
    RS_TRY(rs__chart_text(&panels[1]->title, error, "distance to that plane"));
    RS_TRY(rs__chart_text(&panels[1]->y.label, error, "distance"));
    return rs__chart_text(&panels[1]->x.label, error, by_epoch(t) ? "epoch" : "step");
}

/* The run that is number `rank` by seed, runs of one seed in the order of the result. */
static int run_of_rank(const rs__origins *origins, int rank)
{
    for (int run = 0; run < origins->count; run++) {
        int before = 0;
        for (int i = 0; i < origins->count; i++) {
            const int64_t one = (int64_t)origins->configs[i].seed, this = (int64_t)origins->configs[run].seed;
            before += one < this || (one == this && i < run);
        }
        if (before == rank) {
            return run;
        }
    }
    return rank;
}

static rs_status draw_row(const rs__plot *plot, const rs__input *input, rs__panel *panels[2], rs_error *error)
{
    tracks t = {0};
    rs_status status = read_tracks(input, &t, error);
    status = status ? status : name_row(input, panels[0], error);
    status = status ? status : label_axes(&t, panels, error);
    for (int rank = 0; !status && rank < t.origins.count; rank++) {
        status = add_track(plot, &t, run_of_rank(&t.origins, rank), rank, panels, error);
    }
    free_tracks(&t);
    return status;
}

rs_status rs__build_pca(const rs__plot *plot, rs__chart *chart, rs_error *error)
{
    RS_TRY(rs__chart_make(chart, plot->inputs.count, 2, error));
    for (int row = 0; row < chart->rows; row++) {
        rs__panel *panels[2] = {rs__chart_panel(chart, row, 0), rs__chart_panel(chart, row, 1)};
        RS_TRY(draw_row(plot, &plot->inputs.list[row], panels, error));
    }
    RS_TRY(rs__chart_text(&chart->title, error,
                          "Tracks of the weights (and the share of the variance along each component)"));
    return rs__chart_text(
        &chart->alt, error,
        "Weights of all snapshots in the plane of their first two principal components, one "
        "track a run, the last snapshot as a larger dot; and their distances to that plane.");
}
