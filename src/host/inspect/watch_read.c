/* watch_read.c: reads what `info --watch` shows: of series only as many rows as a sparkline has room for, so that a long run
 * costs no more than a short one. See watch.h. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "rs/config.h"
#include "rs/host.h"
#include "rs/record_reader.h"
#include "tables.h"
#include "watch.h"

enum { RECENT = 5, SPLITS = 3 };

static const char *const loss_paths[SPLITS] = {"epochs/train_loss", "epochs/valid_loss", "epochs/test_loss"};
static const char *const accuracy_paths[SPLITS] = {"epochs/train_accuracy", "epochs/valid_accuracy",
                                                   "epochs/test_accuracy"};

static const char *const error_paths[SPLITS] = {NULL, "epochs/valid_mean_absolute_error",
                                                "epochs/test_mean_absolute_error"};
static const char *const r_squared_paths[SPLITS] = {NULL, "epochs/valid_r_squared", "epochs/test_r_squared"};

/* A number of a series; NaN where it is not there. */
static double value_at(const rs_record_reader *reader, const char *path, int64_t row)
{
    rs_error ignored;
    double value;
    return path && row >= 0 && rs_record_reader_series(reader, path, row, 1, 1, &value, &ignored) == RS_OK
               ? value
               : NAN;
}

/* Row of sample i of `count` out of `rows`. */
static int64_t row_of(int i, int count, int64_t rows)
{
    return count > 1 ? (int64_t)((double)i * (double)(rows - 1) / (double)(count - 1) + 0.5) : rows - 1;
}

static void read_samples(const rs_record_reader *reader, const char *path, int64_t rows, rs__samples *samples)
{
    samples->count = rows < RS__SPARK ? (int)rows : RS__SPARK;
    for (int i = 0; i < samples->count; i++) {
        samples->value[i] = value_at(reader, path, row_of(i, samples->count, rows));
    }
}

/* Mean over the last epochs of all that an epoch takes. */
static double epoch_seconds(const rs_record_reader *reader, int64_t epochs)
{
    const int64_t first = epochs > RECENT ? epochs - RECENT : 0;
    double sum = 0.0;
    for (int64_t e = first; e < epochs; e++) {
        sum += value_at(reader, "epochs/train_seconds", e) + value_at(reader, "epochs/valid_seconds", e) +
               value_at(reader, "epochs/record_seconds", e);
    }
    return epochs > 0 ? sum / (double)(epochs - first) : NAN;
}

/* "train_samples: 50000" of the data's description; NaN without. */
static double train_samples(const rs_record_reader *reader)
{
    static const char key[] = "train_samples: ";
    rs_error ignored;
    char *text = NULL;
    double samples = NAN;
    if (rs_record_reader_text(reader, "dataset", &text, &ignored) == RS_OK) {
        const char *at = strstr(text, key);
        samples = at ? strtod(at + sizeof key - 1, NULL) : NAN;
    }
    rs_free(text);
    return samples;
}

static void read_rates(const rs_record_reader *reader, rs__frame *frame)
{
    const rs_position *at = rs_record_reader_committed(reader);
    const double seconds = value_at(reader, "epochs/train_seconds", at->epochs - 1);
    frame->epoch_seconds = epoch_seconds(reader, at->epochs);
    frame->steps_per_epoch = at->epochs > 0 ? (double)(at->steps - at->batches) / (double)at->epochs : NAN;
    frame->steps_per_second = frame->steps_per_epoch / seconds;
    frame->samples_per_second = train_samples(reader) / seconds;
}

static void read_values(const rs_record_reader *reader, rs__frame *frame)
{
    const rs_position *at = rs_record_reader_committed(reader);
    const int64_t step = at->steps - 1;
    frame->learning_rate = value_at(reader, "steps/learning_rate", step);
    frame->gradient_norm = value_at(reader, "steps/gradient_norm", step);
    frame->step_loss = value_at(reader, "steps/loss", step);
    frame->step_accuracy = value_at(reader, "steps/accuracy", step);
    for (int s = 0; s < SPLITS; s++) {
        frame->loss[s] = value_at(reader, loss_paths[s], at->epochs - 1);
        frame->accuracy[s] = value_at(reader, accuracy_paths[s], at->epochs - 1);
        frame->error[s] = value_at(reader, error_paths[s], at->epochs - 1);
        frame->r_squared[s] = value_at(reader, r_squared_paths[s], at->epochs - 1);
    }
    for (int s = 0; s < 2; s++) {
        read_samples(reader, loss_paths[s], at->epochs, &frame->losses[s]);
    }
    frame->test_differs = !isnan(frame->loss[2]) && frame->loss[2] != frame->loss[1];
}

static rs_status read_block_samples(const rs_record_reader *reader, const char *path, int64_t steps,
                                    double *row, rs__frame *frame, rs_error *error)
{
    const int count = steps < RS__SPARK ? (int)steps : RS__SPARK;
    for (int i = 0; i < count; i++) {
        RS_TRY(rs_record_reader_series(reader, path, row_of(i, count, steps), 1, frame->block_count, row,
                                       error));
        for (int64_t b = 0; b < frame->block_count; b++) {
            frame->blocks[b].distance.value[i] = row[b];
            frame->blocks[b].distance.count = count;
        }
    }
    return RS_OK;
}

static rs_status read_blocks(const rs_record_reader *reader, rs__frame *frame, rs_error *error)
{
    int64_t steps = 0, blocks = 0;
    rs_metric_list metrics;
    char path[96];
    RS_TRY(rs__metrics_of(reader, &metrics, error));
    if (metrics.count == 0) {
        return RS_OK;
    }
    (void)snprintf(frame->metric, sizeof frame->metric, "%s", metrics.metric[0].name);
    (void)snprintf(path, sizeof path, "steps/distance_to_initial/%s", frame->metric);
    RS_TRY(rs_record_reader_series_size(reader, path, &steps, &blocks, error));
    frame->blocks = rs_alloc_array((size_t)blocks + 1, sizeof *frame->blocks);
    double *row = rs_alloc_array((size_t)blocks + 1, sizeof *row);
    rs_status status =
        frame->blocks && row ? RS_OK : RS_FAIL(error, RS_MEMORY, "no memory for %" PRId64 " blocks", blocks);
    for (int64_t b = 0; !status && b < blocks; b++) {
        status = rs_record_reader_name(reader, "blocks/name", b, frame->blocks[b].name, error);
    }
    frame->block_count = status ? 0 : blocks;
    status = status ? status : read_block_samples(reader, path, steps, row, frame, error);
    rs_free(row);
    return status;
}

static rs_status read_config(const rs_record_reader *reader, rs__frame *frame, rs_error *error)
{
    rs_config config;
    rs_error ignored;
    char *network = NULL;
    rs_config_default(&config);
    RS_TRY(
        rs_config_read_yaml(&config, rs_record_reader_config(reader), rs_record_reader_path(reader), error));
    frame->planned_epochs = config.epochs;
    frame->rate_unit = strcmp(config.dataset, "function") == 0 ? "samples/s" : "images/s";
    if (rs_record_reader_attribute(reader, "network", &network, &ignored) == RS_OK) {
        (void)snprintf(frame->network, sizeof frame->network, "%s on %s", network, config.dataset);
    }
    rs_free(network);
    return RS_OK;
}

/* The summary comes first: a commit that the reader sees beyond it is shown next time. */
rs_status rs__frame_read(const char *path, rs__frame *frame, rs_error *error)
{
    rs_record_reader *reader = NULL;
    memset(frame, 0, sizeof *frame);
    RS_TRY(rs_record_summarize(path, &frame->summary, error));
    rs_status status = rs_record_reader_open(path, &reader, error);
    status = status ? status : read_config(reader, frame, error);
    if (!status) {
        frame->summary.committed = *rs_record_reader_committed(reader);
        read_rates(reader, frame);
        read_values(reader, frame);
        status = read_blocks(reader, frame, error);
    }
    rs_record_reader_close(reader);
    if (status) {
        rs__frame_free(frame);
    }
    return status;
}

void rs__frame_free(rs__frame *frame)
{
    rs_free(frame->summary.config_yaml);
    rs_free(frame->blocks);
    memset(frame, 0, sizeof *frame);
}

double rs__frame_seconds_left(const rs__frame *frame, double age)
{
    const rs_position *at = &frame->summary.committed;
    const double part = at->batches > 0 ? (double)at->batches / frame->steps_per_epoch : 0.0;
    const double left = ((double)(frame->planned_epochs - at->epochs) - part) * frame->epoch_seconds - age;
    return left < 0.0 ? 0.0 : left; /* NaN stays */
}

rs_status rs__moment_read(const char *path, int64_t index, rs__moment *moment, rs_error *error)
{
    static const char *const paths[] = {"commits/kind", "commits/epoch", "commits/step", "commits/batch"};
    rs_record_reader *reader = NULL;
    double values[4];
    RS_TRY(rs_record_reader_open(path, &reader, error));
    rs_status status = RS_OK;
    for (int i = 0; !status && i < 4; i++) {
        status = rs_record_reader_series(reader, paths[i], index, 1, 1, &values[i], error);
    }
    if (!status) {
        *moment = (rs__moment){.kind = (rs_commit_kind)values[0],
                               .epochs = (int64_t)values[1],
                               .steps = (int64_t)values[2],
                               .batches = (int64_t)values[3]};
        const int64_t epoch = moment->batches == 0 ? moment->epochs - 1 : -1;
        for (int s = 0; s < SPLITS; s++) {
            moment->loss[s] = value_at(reader, loss_paths[s], epoch);
            moment->accuracy[s] = value_at(reader, accuracy_paths[s], epoch);
            moment->error[s] = value_at(reader, error_paths[s], epoch);
            moment->r_squared[s] = value_at(reader, r_squared_paths[s], epoch);
        }
        moment->test_differs = !isnan(moment->loss[2]) && moment->loss[2] != moment->loss[1];
        moment->samples_per_second = train_samples(reader) / value_at(reader, "epochs/train_seconds", epoch);
    }
    rs_record_reader_close(reader);
    return status;
}
