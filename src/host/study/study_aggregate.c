/* study_aggregate.c: reads the whole records of a study, group by group (a case and a point of the grid, whatever the seed),
 * and writes means, standard deviations, extremes and counts. */
#include "study_tables.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "rs/host.h"
#include "rs/record_reader.h"
#include "rs/text.h"

const char *const rs__series_names[SERIES] = {"train_loss",
                                              "train_accuracy",
                                              "valid_loss",
                                              "valid_accuracy",
                                              "test_loss",
                                              "test_accuracy",
                                              "valid_mean_absolute_error",
                                              "valid_r_squared",
                                              "test_mean_absolute_error",
                                              "test_r_squared"};
const char *const rs__length_names[LENGTHS] = {"epochs", "seconds"};
const char *const rs__statistic_names[STATISTICS] = {"mean", "std", "min", "max", "n"};
const char *const rs__kind_names[KINDS] = {"initial", "previous"};

/* --- groups ------------------------------------------------------------------------------------------------- */

/* Runs of one point of cases x grid, and of one turn in their chains, are a group: they differ by their seeds. */
static int find_group(aggregate *a, int run)
{
    const rs_study_run *one = &a->runs[run];
    for (int g = 0; g < a->group_count; g++) {
        const rs_study_run *first = &a->runs[a->groups[g].first];
        if (first->cell == one->cell && first->turn == one->turn) {
            return g;
        }
    }
    group *made = &a->groups[a->group_count];
    *made = (group){.first = run};
    (void)snprintf(made->label, sizeof made->label, "%s", *one->group ? one->group : a->study->name);
    return a->group_count++;
}

/* A record that cannot be read, or that an earlier program made with less in it, does not count as whole. */
static rs_status leave_out(aggregate *a, int run, rs_status status, const rs_error *why, rs_error *error)
{
    if (status == RS_MEMORY) {
        *error = *why;
        return status;
    }
    rs_log(RS_LOG_WARNING, "%s is left out of the summary: %s", a->runs[run].name, why->text);
    a->runs[run].state = RS_STUDY_FAILED;
    a->groups[a->group_of[run]].whole--;
    return RS_OK;
}

/* Whether a record has distances by its first metric; "previous" goes with "initial". */
static bool has_distances(const rs_record_reader *reader, const rs_study_run *run)
{
    char metric[RS_TEXT_MAX], path[RS_TEXT_MAX + 64];
    const char *at = run->config.metric;
    if (!rs_text_next_word(&at, ',', metric, sizeof metric)) {
        return false;
    }
    (void)snprintf(path, sizeof path, "steps/distance_to_%s/%s", rs__kind_names[0], metric);
    return rs_record_reader_has(reader, path);
}

/* Sizes of a whole record; blocks count where there is something to say of them. */
static rs_status measure_run(aggregate *a, const rs_study_run *run, rs_error *error)
{
    rs_record_reader *reader = NULL;
    RS_TRY(rs_record_reader_open(run->config.out, &reader, error));
    int64_t epochs = rs_record_reader_committed(reader)->epochs, blocks = 0, width = 0;
    rs_status status = RS_OK;
    if (rs_record_reader_has(reader, "blocks/depth") && has_distances(reader, run)) {
        status = rs_record_reader_series_size(reader, "blocks/depth", &blocks, &width, error);
    }
    rs_record_reader_close(reader);
    a->epochs = epochs > a->epochs ? epochs : a->epochs;
    a->blocks = blocks > a->blocks ? blocks : a->blocks;
    return status;
}

static rs_status find_groups(aggregate *a, rs_error *error)
{
    a->group_of = rs_alloc_array((size_t)a->count, sizeof *a->group_of);
    a->groups = rs_alloc_array((size_t)a->count, sizeof *a->groups);
    if (!a->group_of || !a->groups) {
        return RS_FAIL(error, RS_MEMORY, "no memory to sum up %d runs", a->count);
    }
    for (int i = 0; i < a->count; i++) {
        int g = a->group_of[i] = find_group(a, i);
        a->groups[g].planned++;
        rs_study_examine(&a->runs[i]);
        a->groups[g].diverged += a->runs[i].diverged;
        if (a->runs[i].state == RS_STUDY_SKIPPED) {
            rs_error why = {0};
            a->groups[g].whole++;
            rs_status status = measure_run(a, &a->runs[i], &why);
            RS_TRY(status ? leave_out(a, i, status, &why, error) : RS_OK);
        }
    }
    return RS_OK;
}

/* --- reading ------------------------------------------------------------------------------------------------ */

static double *make_table(const aggregate *a, int64_t columns)
{
    size_t cells = (size_t)a->group_count * (size_t)columns;
    double *table = rs_alloc_array(cells + 1, sizeof *table);
    for (size_t i = 0; table && i < cells; i++) {
        table[i] = NAN;
    }
    return table;
}

static rs_status make_tables(aggregate *a, rs_error *error)
{
    bool complete = true;
    for (int s = 0; s < SERIES; s++) {
        for (int k = 0; k < STATISTICS; k++) {
            a->epoch[s][k] = make_table(a, a->epochs);
            a->last[s][k] = make_table(a, 1);
            complete = complete && a->epoch[s][k] && a->last[s][k];
        }
    }
    for (int l = 0; l < LENGTHS; l++) {
        for (int k = 0; k < STATISTICS; k++) {
            a->length[l][k] = make_table(a, 1);
            complete = complete && a->length[l][k];
        }
    }
    for (int d = 0; d < KINDS; d++) {
        for (int k = 0; k < RS_STUDY_SUMMARIES; k++) {
            for (int w = 0; w < 2; w++) {
                a->distance[d][k][w] = make_table(a, a->blocks);
                complete = complete && a->distance[d][k][w];
            }
        }
    }
    return complete ? RS_OK
                    : RS_FAIL(error, RS_MEMORY, "no memory to sum up %d groups of runs", a->group_count);
}

static void store(double *const tables[STATISTICS], int64_t cell, const rs_spread *s)
{
    const double values[STATISTICS] = {s->mean, s->std, s->min, s->max, (double)s->n};
    for (int k = 0; k < STATISTICS; k++) {
        tables[k][cell] = values[k];
    }
}

/* One series of one run: [a->epochs], NaN behind its end; *last is its last value. */
static rs_status read_series(const aggregate *a, const rs_record_reader *reader, int s, double *values,
                             double *last, rs_error *error)
{
    char path[64];
    int64_t epochs = rs_record_reader_committed(reader)->epochs;
    (void)snprintf(path, sizeof path, "epochs/%s", rs__series_names[s]);
    for (int64_t e = 0; e < a->epochs; e++) {
        values[e] = NAN;
    }
    *last = NAN;
    if (s >= WHOLE_SERIES && !rs_record_reader_has(reader, path)) {
        return RS_OK;
    }
    RS_TRY(rs_record_reader_series(reader, path, 0, epochs, 1, values, error));
    *last = epochs > 0 ? values[epochs - 1] : NAN;
    return RS_OK;
}

/* Statistics of a group: `values` is [run of it][columns], and `column` has room for one column. */
static void spread_columns(const double *values, int runs, int64_t columns, double *column,
                           double *const tables[STATISTICS], int64_t first_cell)
{
    for (int64_t c = 0; c < columns; c++) {
        for (int r = 0; r < runs; r++) {
            column[r] = values[(int64_t)r * columns + c];
        }
        rs_spread spread = rs_spread_of(column, runs);
        store(tables, first_cell + c, &spread);
    }
}

typedef struct scratch {
    double *epochs;    /* [SERIES][run][a->epochs] */
    double *last;      /* [SERIES][run] */
    double *lengths;   /* [LENGTHS][run] */
    double *summaries; /* [KINDS][RS_STUDY_SUMMARIES][run][a->blocks] */
    double *column;    /* [run] */
} scratch;

static void release_scratch(scratch *s)
{
    rs_free(s->epochs);
    rs_free(s->last);
    rs_free(s->lengths);
    rs_free(s->summaries);
    rs_free(s->column);
}

static rs_status make_scratch(const aggregate *a, int runs, scratch *s, rs_error *error)
{
    size_t n = (size_t)runs;
    s->epochs = rs_alloc_array(SERIES * n * (size_t)a->epochs + 1, sizeof(double));
    s->last = rs_alloc_array(SERIES * n, sizeof(double));
    s->lengths = rs_alloc_array(LENGTHS * n, sizeof(double));
    s->summaries = rs_alloc_array(KINDS * RS_STUDY_SUMMARIES * n * (size_t)a->blocks + 1, sizeof(double));
    s->column = rs_alloc_array(n, sizeof(double));
    if (s->epochs && s->last && s->lengths && s->summaries && s->column) {
        return RS_OK;
    }
    release_scratch(s);
    return RS_FAIL(error, RS_MEMORY, "no memory to sum up %d runs", runs);
}

/* Summaries over the steps of a run's distances by the first metric, block by block. */
static rs_status read_distances(const aggregate *a, const rs_record_reader *reader, const char *path,
                                double *const to[], rs_error *error)
{
    int64_t steps = 0, blocks = 0;
    double summary[RS_STUDY_SUMMARIES];
    RS_TRY(rs_record_reader_series_size(reader, path, &steps, &blocks, error));
    double *all = rs_alloc_array((size_t)(steps * blocks) + 1, sizeof *all);
    double *one = rs_alloc_array((size_t)steps + 1, sizeof *one);
    rs_status status = all && one
                           ? rs_record_reader_series(reader, path, 0, steps, blocks, all, error)
                           : RS_FAIL(error, RS_MEMORY, "no memory for %" PRId64 " steps of distances", steps);
    for (int64_t b = 0; !status && b < blocks && b < a->blocks; b++) {
        for (int64_t t = 0; t < steps; t++) {
            one[t] = all[t * blocks + b];
        }
        rs_study_summarize(one, steps, summary);
        for (int k = 0; k < RS_STUDY_SUMMARIES; k++) {
            to[k][b] = summary[k];
        }
    }
    rs_free(all);
    rs_free(one);
    return status;
}

/* Epochs of a run, and the seconds its trainer took for them: over all its stretches, where it was resumed. */
static rs_status read_lengths(const rs_record_reader *reader, double *to, int runs, rs_error *error)
{
    static const char *const parts[] = {"epochs/train_seconds", "epochs/valid_seconds",
                                        "epochs/record_seconds"};
    int64_t epochs = rs_record_reader_committed(reader)->epochs;
    double sum = 0.0, *values = rs_alloc_array((size_t)epochs + 1, sizeof *values);
    rs_status status = values ? RS_OK : RS_FAIL(error, RS_MEMORY, "no memory for %" PRId64 " epochs", epochs);
    for (size_t i = 0; i < sizeof parts / sizeof *parts && !status; i++) {
        status = rs_record_reader_series(reader, parts[i], 0, epochs, 1, values, error);
        for (int64_t e = 0; e < epochs; e++) {
            sum += values[e];
        }
    }
    rs_free(values);
    to[0] = (double)epochs;
    to[runs] = sum;
    return status;
}

/* Member number `r` of `runs`. */
static rs_status read_run(const aggregate *a, const rs_study_run *run, int r, int runs, const scratch *s,
                          rs_error *error)
{
    rs_record_reader *reader = NULL;
    char metric[RS_TEXT_MAX], path[RS_TEXT_MAX + 64];
    const char *at = run->config.metric;
    RS_TRY(rs_record_reader_open(run->config.out, &reader, error));
    rs_status status = RS_OK;
    for (int i = 0; i < SERIES && !status; i++) {
        status = read_series(a, reader, i, s->epochs + ((int64_t)i * runs + r) * a->epochs,
                             &s->last[i * runs + r], error);
    }
    status = status ? status : read_lengths(reader, s->lengths + r, runs, error);
    bool has_metric = rs_text_next_word(&at, ',', metric, sizeof metric);
    for (int d = 0; d < KINDS && !status; d++) {
        double *to[RS_STUDY_SUMMARIES];
        for (int k = 0; k < RS_STUDY_SUMMARIES; k++) {
            to[k] = s->summaries + ((int64_t)(d * RS_STUDY_SUMMARIES + k) * runs + r) * a->blocks;
            for (int64_t b = 0; b < a->blocks; b++) {
                to[k][b] = NAN;
            }
        }
        (void)snprintf(path, sizeof path, "steps/distance_to_%s/%s", rs__kind_names[d], metric);
        if (has_metric && rs_record_reader_has(reader, path)) {
            status = read_distances(a, reader, path, to, error);
        }
    }
    rs_record_reader_close(reader);
    return status;
}

/* Nothing of run `r` of the group counts. */
static void forget_run(const aggregate *a, const scratch *s, int r, int runs)
{
    for (int l = 0; l < LENGTHS; l++) {
        s->lengths[l * runs + r] = NAN;
    }
    for (int i = 0; i < SERIES; i++) {
        s->last[i * runs + r] = NAN;
        for (int64_t e = 0; e < a->epochs; e++) {
            s->epochs[((int64_t)i * runs + r) * a->epochs + e] = NAN;
        }
    }
    for (int i = 0; i < KINDS * RS_STUDY_SUMMARIES; i++) {
        for (int64_t b = 0; b < a->blocks; b++) {
            s->summaries[((int64_t)i * runs + r) * a->blocks + b] = NAN;
        }
    }
}

static void spread_group(aggregate *a, int g, int runs, const scratch *s)
{
    for (int i = 0; i < SERIES; i++) {
        spread_columns(s->epochs + (int64_t)i * runs * a->epochs, runs, a->epochs, s->column, a->epoch[i],
                       (int64_t)g * a->epochs);
        spread_columns(s->last + (int64_t)i * runs, runs, 1, s->column, a->last[i], g);
    }
    for (int l = 0; l < LENGTHS; l++) {
        spread_columns(s->lengths + (int64_t)l * runs, runs, 1, s->column, a->length[l], g);
    }
    for (int d = 0; d < KINDS; d++) {
        for (int k = 0; k < RS_STUDY_SUMMARIES; k++) {
            const double *values = s->summaries + (int64_t)(d * RS_STUDY_SUMMARIES + k) * runs * a->blocks;
            for (int64_t b = 0; b < a->blocks; b++) {
                for (int r = 0; r < runs; r++) {
                    s->column[r] = values[(int64_t)r * a->blocks + b];
                }
                rs_spread spread = rs_spread_of(s->column, runs);
                a->distance[d][k][0][(int64_t)g * a->blocks + b] = spread.mean;
                a->distance[d][k][1][(int64_t)g * a->blocks + b] = spread.std;
            }
        }
    }
}

static rs_status read_group(aggregate *a, int g, rs_error *error)
{
    scratch s = {0};
    int runs = a->groups[g].whole, r = 0;
    if (runs == 0) {
        return RS_OK;
    }
    RS_TRY(make_scratch(a, runs, &s, error));
    rs_status status = RS_OK;
    for (int i = 0; i < a->count && !status; i++) {
        if (a->group_of[i] == g && a->runs[i].state == RS_STUDY_SKIPPED) {
            rs_error why = {0};
            status = read_run(a, &a->runs[i], r, runs, &s, &why);
            if (status) {
                forget_run(a, &s, r, runs);
                status = leave_out(a, i, status, &why, error);
            }
            r++;
        }
    }
    if (!status) {
        spread_group(a, g, runs, &s);
    }
    release_scratch(&s);
    return status;
}

static void release(aggregate *a)
{
    for (int s = 0; s < SERIES; s++) {
        for (int k = 0; k < STATISTICS; k++) {
            rs_free(a->epoch[s][k]);
            rs_free(a->last[s][k]);
        }
    }
    for (int l = 0; l < LENGTHS; l++) {
        for (int k = 0; k < STATISTICS; k++) {
            rs_free(a->length[l][k]);
        }
    }
    for (int d = 0; d < KINDS; d++) {
        for (int k = 0; k < RS_STUDY_SUMMARIES; k++) {
            rs_free(a->distance[d][k][0]);
            rs_free(a->distance[d][k][1]);
        }
    }
    rs_free(a->steps);
    rs_free(a->group_of);
    rs_free(a->groups);
}

static int count_whole(const aggregate *a)
{
    int whole = 0;
    for (int g = 0; g < a->group_count; g++) {
        whole += a->groups[g].whole;
    }
    return whole;
}

static rs_status read_and_write(aggregate *a, const char *out_dir, bool quiet, rs_error *error)
{
    RS_TRY(find_groups(a, error));
    if (count_whole(a) == 0) {
        rs_log(RS_LOG_INFO, "%s: no whole record to sum up", a->study->name);
        return RS_OK;
    }
    RS_TRY(make_tables(a, error));
    for (int g = 0; g < a->group_count; g++) {
        RS_TRY(read_group(a, g, error));
        RS_TRY(rs__study_sum_steps(a, g, error));
    }
    RS_TRY(rs__study_write_hdf5(a, out_dir, error));
    RS_TRY(rs__study_write_csv(a, out_dir, error));
    if (!quiet) {
        char path[RS_STUDY_PATH + 256];
        rs__study_summary_path(a, out_dir, ".h5", path, sizeof path);
        (void)printf("summed up %d of %d runs in %d groups: %s and .csv\n", count_whole(a), a->count,
                     a->group_count, path);
        (void)fflush(stdout);
    }
    return RS_OK;
}

rs_status rs_study_aggregate(const rs_study *study, const char *out_dir, rs_study_run *runs, int count,
                             bool quiet, rs_error *error)
{
    aggregate a = {.study = study, .runs = runs, .count = count};
    rs_status status = read_and_write(&a, out_dir, quiet, error);
    release(&a);
    return status;
}
