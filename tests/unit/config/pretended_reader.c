/* pretended_reader.c: in place of record/'s reader: a pretended record's epochs, and series that go by its seed. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "rs/config.h"
#include "rs/host.h"
#include "rs/record_reader.h"
#include "rs/recorder.h"

struct rs_record_reader {
    rs_position committed;
    int64_t seed;
};

rs_status rs_record_reader_open(const char *path, rs_record_reader **reader, rs_error *error)
{
    rs_record_summary summary = {0};
    rs_config config;
    RS_TRY(rs_record_summarize(path, &summary, error));
    rs_config_default(&config);
    rs_status status = rs_config_read_yaml(&config, summary.config_yaml, path, error);
    rs_free(summary.config_yaml);
    RS_TRY(status);
    *reader = rs_alloc_zero(sizeof **reader);
    (*reader)->committed = summary.committed;
    (*reader)->seed = config.seed;
    return RS_OK;
}

void rs_record_reader_close(rs_record_reader *reader)
{
    rs_free(reader);
}

const rs_position *rs_record_reader_committed(const rs_record_reader *reader)
{
    return &reader->committed;
}

enum { STEPS_AN_EPOCH = 3, LAYERS = 2 };

bool rs_record_reader_has(const rs_record_reader *reader, const char *path)
{
    (void)reader;
    return strcmp(path, "steps/gradient_norm") == 0 || strcmp(path, "steps/layer_loss") == 0;
}

static int64_t width_of(const char *path)
{
    return strcmp(path, "steps/layer_loss") == 0 ? LAYERS : 1;
}

rs_status rs_record_reader_series_size(const rs_record_reader *reader, const char *path, int64_t *rows,
                                       int64_t *width, rs_error *error)
{
    if (!rs_record_reader_has(reader, path)) {
        return RS_FAIL(error, RS_DATA, "%s is not there", path);
    }
    *rows = reader->committed.epochs * STEPS_AN_EPOCH;
    *width = width_of(path);
    return RS_OK;
}

rs_status rs_record_reader_name(const rs_record_reader *reader, const char *path, int64_t index,
                                char name[RS_NAME_MAX], rs_error *error)
{
    (void)reader, (void)path, (void)error;
    (void)snprintf(name, RS_NAME_MAX, "fc%d", (int)index + 1);
    return RS_OK;
}

/* Epoch or step e (from 0): seed + e / 10, of layers 100 more for each; accuracies are NaN, as where nobody counts. The record of
 * seed 5 is damaged. */
rs_status rs_record_reader_series(const rs_record_reader *reader, const char *path, int64_t first,
                                  int64_t rows, int64_t width, double *values, rs_error *error)
{
    if (reader->seed == 5) {
        return RS_FAIL(error, RS_DATA, "%s cannot be read", path);
    }
    for (int64_t i = 0; i < rows * width; i++) {
        values[i] = strstr(path, "accuracy") ? (double)NAN
                                             : (double)reader->seed + (double)(first + i / width) / 10.0 +
                                                   100.0 * (double)(i % width);
    }
    return RS_OK;
}
