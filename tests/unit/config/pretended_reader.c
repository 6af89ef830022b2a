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

bool rs_record_reader_has(const rs_record_reader *reader, const char *path)
{
    (void)reader, (void)path;
    return false;
}

rs_status rs_record_reader_series_size(const rs_record_reader *reader, const char *path, int64_t *rows,
                                       int64_t *width, rs_error *error)
{
    (void)reader, (void)rows, (void)width;
    return RS_FAIL(error, RS_DATA, "%s is not there", path);
}

/* Epoch e (from 0): seed + e / 10; accuracies are NaN, as where nobody counts. */
rs_status rs_record_reader_series(const rs_record_reader *reader, const char *path, int64_t first,
                                  int64_t rows, int64_t width, double *values, rs_error *error)
{
    (void)error, (void)width;
    for (int64_t i = 0; i < rows; i++) {
        values[i] =
            strstr(path, "accuracy") ? (double)NAN : (double)reader->seed + (double)(first + i) / 10.0;
    }
    return RS_OK;
}
