/* run.c: reads a record once: configuration, state, origin, last results, the course of its loss. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "report.h"
#include "rs/host.h"
#include "rs/recorder.h"
#include "rs/result_reader.h"

const rs__measure rs__report_measures[RS__MEASURES] = {
    {"test_accuracy", "test accuracy", RS__HIGHER},
    {"test_loss", "test loss", RS__LOWER},
    {"test_mean_absolute_error", "test mean absolute error", RS__LOWER},
    {"test_r_squared", "test R²", RS__HIGHER},
    {"valid_accuracy", "validation accuracy", RS__HIGHER},
    {"valid_loss", "validation loss", RS__LOWER},
    {"valid_mean_absolute_error", "validation mean absolute error", RS__LOWER},
    {"valid_r_squared", "validation R²", RS__HIGHER},
    {"train_accuracy", "training accuracy", RS__HIGHER},
    {"train_loss", "training loss", RS__LOWER},
    {"epochs", "epochs done", RS__NEITHER},
};
const char *const rs__report_origin_names[RS__ORIGINS] = {"network",   "program_version", "commit",
                                                          "device",    "libraries",       "start_time",
                                                          "init_from", "gradient",        "algorithms"};
const char *const rs__report_origin_titles[RS__ORIGINS] = {"network",    "program",   "commit",
                                                           "device",     "libraries", "started",
                                                           "began from", "gradients", "algorithms"};

bool rs__report_is_done(const rs__run *run)
{
    return strcmp(run->state, rs_run_state_name(RS_RUN_DONE)) == 0;
}

bool rs__report_is_diverged(const rs__run *run)
{
    return strcmp(run->state, rs_run_state_name(RS_RUN_DIVERGED)) == 0;
}

/* --- configuration ------------------------------------------------------------------------------------------- */

/* Settings from a configuration's tree; what it does not have keeps its default. */
static void take_settings(const rs_yaml *tree, char *const *defaults, const char **settings)
{
    size_t count;
    const rs_option *table = rs_option_table(&count);
    for (size_t i = 0; i < count; i++) {
        const rs_yaml *item = tree ? rs_yaml_get(tree, table[i].name) : NULL;
        bool scalar = item && item->kind == RS_YAML_SCALAR && item->text;
        settings[i] = scalar ? item->text : defaults ? defaults[i] : "";
    }
}

/* The defaults' texts, as a record of them would have it. */
static rs_status read_defaults(rs__report *report, rs_error *error)
{
    rs_config config;
    char *yaml = NULL;
    rs_yaml *tree = NULL;
    (void)rs_option_table(&report->option_count);
    const char **texts = rs_alloc_array(report->option_count, sizeof *texts);
    report->defaults = rs_alloc_array(report->option_count, sizeof *report->defaults);
    rs_config_default(&config);
    rs_status status = texts && report->defaults
                           ? rs_config_yaml(&config, &yaml, error)
                           : RS_FAIL(error, RS_MEMORY, "no memory for the table of options");
    status = status ? status : rs_yaml_parse(yaml, strlen(yaml), "the defaults", &tree, error);
    if (!status) {
        take_settings(tree, NULL, texts);
    }
    for (size_t i = 0; !status && i < report->option_count; i++) {
        report->defaults[i] = rs_strdup(texts[i]);
        status =
            report->defaults[i] ? RS_OK : RS_FAIL(error, RS_MEMORY, "no memory for the table of options");
    }
    rs_yaml_destroy(tree);
    rs_free(yaml);
    rs_free((void *)texts);
    return status;
}

static rs_status read_config(rs__run *run, const rs__report *report, const rs_record_reader *reader,
                             rs_error *error)
{
    run->config = rs_strdup(rs_record_reader_config(reader));
    run->settings = rs_alloc_array(report->option_count, sizeof *run->settings);
    if (!run->config || !run->settings) {
        return RS_FAIL(error, RS_MEMORY, "no memory to read %s", run->path);
    }
    rs_error why = {0};
    const rs_status parsed = rs_yaml_parse(run->config, strlen(run->config), run->path, &run->tree, &why);
    if (parsed) {
        return RS_FAIL(error, parsed == RS_MEMORY ? RS_MEMORY : RS_DATA,
                       "%s: its configuration cannot be read: %.400s", run->path, why.text);
    }
    take_settings(run->tree, report->defaults, run->settings);
    return RS_OK;
}

/* --- texts and numbers of the record ------------------------------------------------------------------------- */

/* A text that may be missing: then "". */
static rs_status optional(rs_status found, char **text, rs_error *error)
{
    if (found) {
        *text = rs_strdup("");
    }
    return *text ? RS_OK : RS_FAIL(error, RS_MEMORY, "no memory for a text of a record");
}

static rs_status read_texts(rs__run *run, const rs_record_reader *reader, rs_error *error)
{
    rs_error ignored;
    for (int i = 0; i < RS__ORIGINS; i++) {
        rs_status found =
            rs_record_reader_attribute(reader, rs__report_origin_names[i], &run->origin[i], &ignored);
        RS_TRY(optional(found, &run->origin[i], error));
    }
    RS_TRY(optional(rs_record_reader_text(reader, "dataset", &run->dataset, &ignored), &run->dataset, error));
    return optional(rs_record_reader_text(reader, "network_file", &run->network_file, &ignored),
                    &run->network_file, error);
}

static rs_status read_state(rs__run *run, const rs_record_reader *reader, rs_error *error)
{
    rs_record_summary summary = {0};
    RS_TRY(rs_record_summarize(run->path, &summary, error));
    (void)snprintf(run->state, sizeof run->state, "%s", summary.state);
    (void)snprintf(run->reason, sizeof run->reason, "%s", summary.reason);
    run->writer_mark = summary.writer_mark;
    rs_free(summary.config_yaml);
    struct {
        const char *name;
        int64_t *to;
    } const numbers[] = {{"seed", &run->seed},
                         {"threads", &run->threads},
                         {"resumed", &run->resumed},
                         {"resumed_elsewhere", &run->resumed_elsewhere}};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        rs_error ignored;
        if (rs_record_reader_integer(reader, numbers[i].name, numbers[i].to, &ignored)) {
            *numbers[i].to = 0;
        }
    }
    return RS_OK;
}

/* The whole of a series of one number a row; *values is the caller's, NULL where there is no such series or row. */
static rs_status read_series(const rs_record_reader *reader, const char *path, double **values, int64_t *rows,
                             rs_error *error)
{
    int64_t width = 0;
    *values = NULL;
    *rows = 0;
    if (!rs_record_reader_has(reader, path)) {
        return RS_OK;
    }
    RS_TRY(rs_record_reader_series_size(reader, path, rows, &width, error));
    if (*rows == 0) {
        return RS_OK;
    }
    *values = rs_alloc_array((size_t)*rows, sizeof **values);
    rs_status status = *values
                           ? rs_record_reader_series(reader, path, 0, *rows, 1, *values, error)
                           : RS_FAIL(error, RS_MEMORY, "no memory for %" PRId64 " rows of %s", *rows, path);
    if (status) {
        rs_free(*values);
        *values = NULL;
    }
    return status;
}

static rs_status read_measures(rs__run *run, const rs_record_reader *reader, rs_error *error)
{
    const int64_t epochs = rs_record_reader_committed(reader)->epochs;
    run->measures[RS__EPOCHS] = (double)epochs;
    for (int m = 0; m < RS__EPOCHS; m++) {
        char path[64];
        (void)snprintf(path, sizeof path, "epochs/%s", rs__report_measures[m].name);
        run->measures[m] = NAN;
        if (epochs > 0 && rs_record_reader_has(reader, path)) {
            RS_TRY(rs_record_reader_series(reader, path, epochs - 1, 1, 1, &run->measures[m], error));
        }
    }
    static const char *const times[] = {"epochs/train_seconds", "epochs/valid_seconds",
                                        "epochs/record_seconds"};
    for (int i = 0; i < 3; i++) {
        double *values;
        int64_t rows;
        RS_TRY(read_series(reader, times[i], &values, &rows, error));
        for (int64_t e = 0; e < rows; e++) {
            run->seconds += values[e];
        }
        rs_free(values);
    }
    return RS_OK;
}

static rs_status read_losses(rs__run *run, const rs_record_reader *reader, rs_error *error)
{
    double *values;
    int64_t rows;
    run->first_loss = run->last_loss = run->peak_loss = NAN;
    run->bad_step = run->peak_step = -1;
    RS_TRY(read_series(reader, "steps/loss", &values, &rows, error));
    for (int64_t t = 0; t < rows; t++) {
        if (!isfinite(values[t])) {
            run->bad_step = run->bad_step < 0 ? t : run->bad_step;
        } else if (!(values[t] <= run->peak_loss)) {
            run->peak_loss = values[t];
            run->peak_step = t;
        }
    }
    if (rows > 0) {
        run->first_loss = values[0];
        run->last_loss = values[rows - 1];
    }
    rs_free(values);
    RS_TRY(read_series(reader, "steps/gradient_norm", &values, &rows, error));
    for (int64_t t = 0; t < rows; t++) {
        if (!isfinite(values[t]) && (run->bad_step < 0 || t < run->bad_step)) {
            run->bad_step = t;
            break;
        }
    }
    rs_free(values);
    return RS_OK;
}

/* The sum of counts of numbers as a file gives them; -1 for what no network has. */
static int64_t sum_of_counts(const double *counts, int64_t count)
{
    const double most = 9007199254740992.0; /* up to there doubles hold whole numbers exactly */
    double sum = 0.0;
    for (int64_t p = 0; p < count; p++) {
        if (!(counts[p] >= 0.0 && counts[p] <= most - sum)) { /* also when it is NaN */
            return -1;
        }
        sum += counts[p];
    }
    return (int64_t)sum;
}

static rs_status read_counts(rs__run *run, const rs_record_reader *reader, rs_error *error)
{
    double *counts;
    int64_t width;
    RS_TRY(read_series(reader, "parameters/count", &counts, &run->tensors, error));
    run->parameters = sum_of_counts(counts, run->tensors);
    rs_free(counts);
    if (run->parameters < 0) {
        return RS_FAIL(error, RS_DATA,
                       "parameters/count holds what is no number of parameters; see resnet_study verify");
    }
    return rs_record_reader_has(reader, "blocks/depth")
               ? rs_record_reader_series_size(reader, "blocks/depth", &run->blocks, &width, error)
               : RS_OK;
}

/* --- runs ---------------------------------------------------------------------------------------------------- */

static void run_clear(rs__run *run)
{
    for (int i = 0; i < RS__ORIGINS; i++) {
        rs_free(run->origin[i]);
    }
    rs_free(run->path);
    rs_free(run->config);
    rs_free(run->dataset);
    rs_free(run->network_file);
    rs_free((void *)run->settings);
    rs_yaml_destroy(run->tree);
}

static rs_status read_parts(rs__run *run, const rs__report *report, const rs_record_reader *reader,
                            rs_error *error)
{
    run->done = *rs_record_reader_committed(reader);
    RS_TRY(read_config(run, report, reader, error));
    RS_TRY(read_texts(run, reader, error));
    RS_TRY(read_state(run, reader, error));
    RS_TRY(read_measures(run, reader, error));
    RS_TRY(read_losses(run, reader, error));
    return read_counts(run, reader, error);
}

static rs_status run_read(const char *path, const rs__report *report, rs__run *run, rs_error *error)
{
    rs_record_reader *reader = NULL;
    *run = (rs__run){.path = rs_strdup(path)};
    if (!run->path) {
        return RS_FAIL(error, RS_MEMORY, "no memory to read %s", path);
    }
    const char *slash = strrchr(run->path, '/');
    run->name = slash ? slash + 1 : run->path;
    rs_status status = rs_record_reader_open(path, &reader, error);
    status = status ? status : read_parts(run, report, reader, error);
    rs_record_reader_close(reader);
    if (status) {
        run_clear(run);
    }
    return status;
}

/* A file that `analyze` wrote; a study's summary is none. */
static bool is_result(const char *path)
{
    rs_result_reader *reader = NULL;
    rs_error ignored;
    bool result = rs_result_reader_open(path, &reader, &ignored) == RS_OK &&
                  strcmp(rs_result_reader_kind(reader), "study") != 0;
    rs_result_reader_close(reader);
    return result;
}

/* A file of a folder that is neither record nor result is left out, and said so; one that the user named is an error. */
static rs_status add_run(rs__report *report, const char *path, bool given, rs_error *error)
{
    rs_error why = {0};
    rs_status status = run_read(path, report, &report->runs[report->run_count], &why);
    if (!status) {
        report->run_count++;
        return RS_OK;
    }
    if (status != RS_MEMORY && is_result(path)) {
        return rs__report_add_text(&report->results, path, error);
    }
    if (given || status == RS_MEMORY) {
        *error = why;
        return status;
    }
    char text[sizeof why.text + 32];
    (void)snprintf(text, sizeof text, "Left out: %s", why.text);
    return rs__report_add_text(&report->notes, text, error);
}

rs_status rs__report_read_runs(rs__report *report, const rs__inputs *inputs, rs_error *error)
{
    const int count = inputs->given.count + inputs->found.count;
    report->inputs = inputs;
    report->runs = rs_alloc_array((size_t)count + 1, sizeof *report->runs);
    if (!report->runs) {
        return RS_FAIL(error, RS_MEMORY, "no memory for %d runs", count);
    }
    RS_TRY(read_defaults(report, error));
    for (int i = 0; i < inputs->given.count; i++) {
        RS_TRY(add_run(report, inputs->given.list[i], true, error));
    }
    for (int i = 0; i < inputs->found.count; i++) {
        RS_TRY(add_run(report, inputs->found.list[i], false, error));
    }
    if (report->run_count > 0) {
        return RS_OK;
    }
    const char *why =
        report->notes.count > 0 ? report->notes.list[0] : "they are results; name their records, too";
    return RS_FAIL(error, RS_DATA, "none of the %d files is a record of a run: %.800s", count, why);
}

void rs__report_clear(rs__report *report)
{
    for (int i = 0; i < report->run_count; i++) {
        run_clear(&report->runs[i]);
    }
    for (size_t i = 0; report->defaults && i < report->option_count; i++) {
        rs_free(report->defaults[i]);
    }
    rs_free(report->runs);
    rs_free(report->defaults);
    rs_free(report->varying);
    rs_free(report->groups);
    rs__report_clear_texts(&report->warnings);
    rs__report_clear_texts(&report->notes);
    rs__report_clear_texts(&report->results);
}
