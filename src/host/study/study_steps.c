/* study_steps.c: series of steps in a study's summary: each run's mean over its last epoch, its first and its last steps, then
 * the statistics of these over the runs of a group; by column where a step has several numbers. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "rs/host.h"
#include "rs/record_reader.h"
#include "study_tables.h"

const char *const rs__window_names[WINDOWS] = {"last", "first-5", "last-5"};

/* Every series of steps/ but the distances, which have tables of their own. */
static const struct {
    const char *path, *names; /* names: of the columns; NULL: one number a step */
} known[] = {
    {"steps/loss", NULL},
    {"steps/task_loss", NULL},
    {"steps/accuracy", NULL},
    {"steps/learning_rate", NULL},
    {"steps/gradient_norm", NULL},
    {"steps/gradient_norm_clipped", NULL},
    {"steps/gradient_abs_mean", "parameters/name"},
    {"steps/gradient_abs_std", "parameters/name"},
    {"steps/gradient_norms", "parameters/name"},
    {"steps/layer_loss", "layer"},
    {"steps/layer_output_mean", "layer"},
    {"steps/head_loss", "head"},
    {"steps/head_accuracy", "head"},
    {"steps/sensitivity_batch", NULL},
    {"steps/sensitivity_sample", NULL},
};
enum { KNOWN = sizeof known / sizeof known[0] };

/* The columns of all series that a group's first whole run has. */
typedef struct layout {
    int64_t width[KNOWN]; /* 0: it has no such series */
    int64_t columns;      /* of all of them */
} layout;

static rs_status find_layout(const rs_record_reader *reader, layout *l, rs_error *error)
{
    *l = (layout){0};
    for (int k = 0; k < KNOWN; k++) {
        int64_t steps = 0;
        if (rs_record_reader_has(reader, known[k].path)) {
            RS_TRY(rs_record_reader_series_size(reader, known[k].path, &steps, &l->width[k], error));
            l->columns += l->width[k];
        }
    }
    return RS_OK;
}

/* First step and number of steps of a window, of a whole run. */
static void find_window(const rs_position *whole, int64_t steps, int window, int64_t *first, int64_t *count)
{
    int64_t epoch = whole->epochs > 0 ? steps / whole->epochs : 0;
    int64_t few = steps < WINDOW_STEPS ? steps : WINDOW_STEPS;
    *count = window == 0 ? epoch : few;
    *first = window == 1 ? 0 : steps - *count;
}

/* Means of the columns over a window; NaN where it has no step. */
static rs_status read_window(const rs_record_reader *reader, int k, int64_t width, int window, double *means,
                             rs_error *error)
{
    int64_t steps = 0, found = 0, first = 0, count = 0;
    RS_TRY(rs_record_reader_series_size(reader, known[k].path, &steps, &found, error));
    if (found != width) {
        return RS_FAIL(error, RS_DATA, "%s has %" PRId64 " numbers a step, other runs of its group %" PRId64,
                       known[k].path, found, width);
    }
    find_window(rs_record_reader_committed(reader), steps, window, &first, &count);
    double *rows = rs_alloc_array((size_t)(count * width) + 1, sizeof *rows);
    if (!rows) {
        return RS_FAIL(error, RS_MEMORY, "no memory for %" PRId64 " steps of %s", count, known[k].path);
    }
    rs_status status = rs_record_reader_series(reader, known[k].path, first, count, width, rows, error);
    for (int64_t c = 0; !status && c < width; c++) {
        double sum = 0.0;
        for (int64_t t = 0; t < count; t++) {
            sum += rows[t * width + c];
        }
        means[c] = count > 0 ? sum / (double)count : NAN;
    }
    rs_free(rows);
    return status;
}

/* All windows of all series of one run: [window][column]; NaN where it has none. */
static rs_status read_means(const rs_record_reader *reader, const layout *l, double *means, rs_error *error)
{
    for (int w = 0; w < WINDOWS; w++) {
        for (int k = 0; k < KNOWN; k++) {
            if (l->width[k] > 0 && rs_record_reader_has(reader, known[k].path)) {
                RS_TRY(read_window(reader, k, l->width[k], w, means, error));
            }
            means += l->width[k];
        }
    }
    return RS_OK;
}

/* Appends the rows of a group, without their numbers; *rows is the first of them, [window][column]. */
static rs_status add_rows(aggregate *a, int g, const rs_record_reader *reader, const layout *l,
                          step_row **rows, rs_error *error)
{
    int64_t count = a->step_count + WINDOWS * l->columns;
    step_row *all = rs_alloc_array((size_t)count + 1, sizeof *all);
    if (!all) {
        return RS_FAIL(error, RS_MEMORY, "no memory for %" PRId64 " rows of steps", count);
    }
    if (a->step_count > 0) {
        memcpy(all, a->steps, (size_t)a->step_count * sizeof *all);
    }
    rs_free(a->steps);
    a->steps = all;
    *rows = all + a->step_count;
    for (int w = 0; w < WINDOWS; w++) {
        for (int k = 0; k < KNOWN; k++) {
            for (int64_t c = 0; c < l->width[k]; c++) {
                char name[RS_NAME_MAX] = "";
                step_row *row = &all[a->step_count++];
                *row = (step_row){.group = g, .window = rs__window_names[w]};
                if (known[k].names) {
                    RS_TRY(rs_record_reader_name(reader, known[k].names, c, name, error));
                }
                (void)snprintf(row->quantity, sizeof row->quantity, "%s%s%s", strchr(known[k].path, '/') + 1,
                               *name ? "/" : "", name);
            }
        }
    }
    return RS_OK;
}

static void spread_rows(step_row *rows, const double *means, int64_t cells, int runs, double *column)
{
    RS_ASSERT(cells == 0 || (rows && means)); /* a group's first run brings both */
    for (int64_t i = 0; i < cells; i++) {
        for (int r = 0; r < runs; r++) {
            column[r] = means[(int64_t)r * cells + i];
        }
        rs_spread s = rs_spread_of(column, runs);
        const double values[STATISTICS] = {s.mean, s.std, s.min, s.max, (double)s.n};
        memcpy(rows[i].values, values, sizeof values);
    }
}

/* The runs' means, one after the other; the first run says what there is. */
static rs_status read_runs(aggregate *a, int g, double **means, int64_t *cells, step_row **rows,
                           rs_error *error)
{
    layout l = {0};
    int r = 0;
    rs_status status = RS_OK;
    for (int i = 0; i < a->count && !status; i++) {
        rs_record_reader *reader = NULL;
        if (a->group_of[i] != g || a->runs[i].state != RS_STUDY_SKIPPED) {
            continue;
        }
        RS_TRY(rs_record_reader_open(a->runs[i].config.out, &reader, error));
        if (r == 0) {
            status = find_layout(reader, &l, error);
            status = status ? status : add_rows(a, g, reader, &l, rows, error);
            *cells = WINDOWS * l.columns;
            size_t all = (size_t)*cells * (size_t)a->groups[g].whole;
            *means = status ? NULL : rs_alloc_array(all + 1, sizeof **means);
            if (!status && !*means) {
                status = RS_FAIL(error, RS_MEMORY, "no memory for %zu means over steps", all);
            }
            for (size_t m = 0; *means && m < all; m++) {
                (*means)[m] = NAN;
            }
        }
        status = status ? status : read_means(reader, &l, *means + (int64_t)r++ * *cells, error);
        rs_record_reader_close(reader);
        status = status ? rs_error_prefix(error, "%s", a->runs[i].config.out) : RS_OK;
    }
    return status;
}

rs_status rs__study_sum_steps(aggregate *a, int g, rs_error *error)
{
    double *means = NULL;
    step_row *rows = NULL;
    int64_t cells = 0, before = a->step_count;
    int runs = a->groups[g].whole;
    if (runs == 0) {
        return RS_OK;
    }
    double *column = rs_alloc_array((size_t)runs, sizeof *column);
    rs_status status = column ? read_runs(a, g, &means, &cells, &rows, error)
                              : RS_FAIL(error, RS_MEMORY, "no memory to sum up %d runs", runs);
    if (!status) {
        spread_rows(rows, means, cells, runs, column);
    } else if (status != RS_MEMORY) {
        rs_log(RS_LOG_WARNING, "the summary has no series of steps of \"%s\": %s", a->groups[g].label,
               error->text);
        a->step_count = before;
        status = RS_OK;
    }
    rs_free(means);
    rs_free(column);
    return status;
}
