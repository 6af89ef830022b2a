/* export_yaml.c: a record in the layout in which the weight-change study was published: losses.yaml, accuracies.yaml, stats.yaml.
 * Numbers have a point, because readers of YAML 1.1 take "1e-05" for text. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "export.h"
#include "rs/host.h"
#include "rs/text.h"
#include "tables.h"

enum { PIECE_NUMBERS = 1 << 16 };

/* --- numbers ------------------------------------------------------------------------------------------------ */

static void put_number(FILE *stream, double value)
{
    char text[40];
    if (!isfinite(value)) {
        (void)fputs(rs_text_yaml_special(value), stream);
        return;
    }
    (void)snprintf(text, sizeof text, "%.17g", value);
    const size_t digits = strcspn(text, "e");
    if (memchr(text, '.', digits)) {
        (void)fputs(text, stream);
    } else {
        (void)fprintf(stream, "%.*s.0%s", (int)digits, text, text + digits);
    }
}

/* --- by epoch ----------------------------------------------------------------------------------------------- */

static rs_status put_list(const rs_record_reader *reader, const char *key, const char *path, FILE *stream,
                          rs_error *error)
{
    int64_t rows, width;
    RS_TRY(rs_record_reader_series_size(reader, path, &rows, &width, error));
    double *values = rs_alloc_array((size_t)rows + 1, sizeof *values);
    if (!values) {
        return RS_FAIL(error, RS_MEMORY, "no memory for %s", path);
    }
    rs_status status = rs_record_reader_series(reader, path, 0, rows, 1, values, error);
    (void)fprintf(stream, rows > 0 ? "%s:\n" : "%s: []\n", key);
    for (int64_t i = 0; !status && i < rows; i++) {
        (void)fputs("- ", stream);
        put_number(stream, values[i]);
        (void)fputc('\n', stream);
    }
    rs_free(values);
    return status;
}

static rs_status put_epochs(const rs__export *what, const char *name, const char *train, const char *valid,
                            rs_error *error)
{
    FILE *stream;
    RS_TRY(rs__outputs_open(what->outputs, name, &stream, error));
    RS_TRY(put_list(what->reader, "train", train, stream, error));
    RS_TRY(put_list(what->reader, "valid", valid, stream, error));
    return rs__outputs_close(what->outputs, error);
}

/* --- by block ----------------------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* min, mean, median, max of a block's distances over the steps; all NaN where one is, or where there is no step. */
static void put_block(double *values, int64_t steps, int64_t number, FILE *stream)
{
    static const char *const names[] = {"min", "mean", "median", "max"};
    double sum = 0.0, results[4] = {NAN, NAN, NAN, NAN};
    for (int64_t i = 0; i < steps; i++) {
        sum += values[i];
    }
    if (steps > 0 && !isnan(sum)) {
        qsort(values, (size_t)steps, sizeof *values, compare);
        results[0] = values[0];
        results[1] = sum / (double)steps;
        results[2] = (values[(steps - 1) / 2] + values[steps / 2]) / 2.0;
        results[3] = values[steps - 1];
    }
    (void)fprintf(stream, "  %" PRId64 ":\n", number);
    for (int i = 0; i < 4; i++) {
        (void)fprintf(stream, "    %s: ", names[i]);
        put_number(stream, results[i]);
        (void)fputc('\n', stream);
    }
}

/* Values of all steps as [block][step], read in pieces as [step][block]. */
static rs_status read_by_block(const rs_record_reader *reader, const char *path, int64_t steps,
                               int64_t blocks, double *values, rs_error *error)
{
    const int64_t fit = PIECE_NUMBERS / (blocks + 1), piece = fit > 0 ? fit : 1;
    double *rows = rs_alloc_array((size_t)(piece * blocks) + 1, sizeof *rows);
    rs_status status = rows ? RS_OK : RS_FAIL(error, RS_MEMORY, "no memory for %s", path);
    for (int64_t first = 0; !status && first < steps; first += piece) {
        const int64_t now = steps - first < piece ? steps - first : piece;
        status = rs_record_reader_series(reader, path, first, now, blocks, rows, error);
        for (int64_t i = 0; i < now; i++) {
            for (int64_t b = 0; b < blocks; b++) {
                values[b * steps + first + i] = rows[i * blocks + b];
            }
        }
    }
    rs_free(rows);
    return status;
}

/* Blocks from the output to the input, numbered from the input on, as published. */
static rs_status put_distances(const rs_record_reader *reader, const char *key, const char *path,
                               FILE *stream, rs_error *error)
{
    int64_t steps, blocks;
    RS_TRY(rs_record_reader_series_size(reader, path, &steps, &blocks, error));
    double *values = rs_alloc_array((size_t)steps * (size_t)blocks + 1, sizeof *values);
    rs_status status = values ? read_by_block(reader, path, steps, blocks, values, error)
                              : RS_FAIL(error, RS_MEMORY, "no memory for %s", path);
    (void)fprintf(stream, blocks > 0 ? "%s:\n" : "%s: {}\n", key);
    for (int64_t b = blocks - 1; !status && b >= 0; b--) {
        put_block(values + b * steps, steps, b + 1, stream);
    }
    rs_free(values);
    return status;
}

/* "stats.yaml" of the first metric, "stats_cosine.yaml" of others. */
static rs_status put_metric(const rs__export *what, const char *metric, bool first, rs_error *error)
{
    char name[96], initial[128], previous[128];
    FILE *stream;
    (void)snprintf(name, sizeof name, first ? "stats.yaml" : "stats_%s.yaml", metric);
    for (char *at = name; *at; at++) {
        *at = *at == ':' ? '_' : *at;
    }
    (void)snprintf(initial, sizeof initial, "steps/distance_to_initial/%s", metric);
    (void)snprintf(previous, sizeof previous, "steps/distance_to_previous/%s", metric);
    RS_TRY(rs__outputs_open(what->outputs, name, &stream, error));
    RS_TRY(put_distances(what->reader, "init", initial, stream, error));
    RS_TRY(put_distances(what->reader, "next", previous, stream, error));
    return rs__outputs_close(what->outputs, error);
}

rs_status rs__export_yaml(const rs__export *what, rs_error *error)
{
    rs_metric_list metrics;
    RS_TRY(rs__metrics_of(what->reader, &metrics, error));
    RS_TRY(put_epochs(what, "losses.yaml", "epochs/train_loss", "epochs/valid_loss", error));
    RS_TRY(put_epochs(what, "accuracies.yaml", "epochs/train_accuracy", "epochs/valid_accuracy", error));
    for (int i = 0; i < metrics.count; i++) {
        RS_TRY(put_metric(what, metrics.metric[i].name, i == 0, error));
    }
    return RS_OK;
}
