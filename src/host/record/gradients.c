/* gradients.c: see gradients.h. A step's mean m and deviation s of n elements each give, over k steps, the mean of the m and
 * the root of the mean of s^2 + m^2 less that mean's square. */
#include "gradients.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "rs/host.h"

/* Of each parameter, over some steps. */
typedef struct statistics {
    double *mean, *deviation;
} statistics;

static rs_status read_rows(const rs_contents *contents, const char *path, int64_t first, int64_t rows,
                           float *values, rs_error *error)
{
    const rs_content *content = rs_contents_find(contents, path);
    hid_t dataset;
    RS_H5(dataset = H5Dopen2(contents->file, path, H5P_DEFAULT));
    rs_status status = rs_content_read(dataset, content, first, rows, values, error);
    rs_h5_close(dataset);
    return status;
}

static void pool(const float *means, const float *deviations, int64_t rows, int64_t parameters,
                 statistics *to)
{
    for (int64_t p = 0; p < parameters; p++) {
        double sum = 0.0, squares = 0.0;
        for (int64_t row = 0; row < rows; row++) {
            const double m = means[row * parameters + p], s = deviations[row * parameters + p];
            sum += m;
            squares += s * s + m * m;
        }
        const double mean = sum / (double)rows, variance = squares / (double)rows - mean * mean;
        to->mean[p] = mean;
        to->deviation[p] = variance < 0.0 ? 0.0 : sqrt(variance); /* NaN stays NaN */
    }
}

static rs_status gather(const rs_contents *contents, int64_t first, int64_t rows, int64_t parameters,
                        statistics *to, rs_error *error)
{
    const size_t count = (size_t)(rows * parameters);
    float *values = rs_alloc_array(2 * count, sizeof *values);
    if (!values) {
        return RS_FAIL(error, RS_MEMORY, "no memory for the gradients of %" PRId64 " steps", rows);
    }
    rs_status status = read_rows(contents, "steps/gradient_abs_mean", first, rows, values, error);
    status =
        status ? status : read_rows(contents, "steps/gradient_abs_std", first, rows, values + count, error);
    if (!status) {
        pool(values, values + count, rows, parameters, to);
    }
    rs_free(values);
    return status;
}

static rs_status print_table(const rs_contents *contents, int64_t steps, int64_t parameters,
                             const statistics *first, const statistics *last, FILE *stream, rs_error *error)
{
    const rs_content *content = rs_contents_find(contents, "parameters/name");
    hid_t dataset = content ? H5Dopen2(contents->file, content->path, H5P_DEFAULT) : H5I_INVALID_HID;
    char *names = rs_alloc_array((size_t)parameters + 1, RS_NAME_MAX);
    rs_status status = names && dataset >= 0 && content->type_size == RS_NAME_MAX && content->rank == 1 &&
                               (int64_t)content->dim[0] == parameters
                           ? rs_content_read(dataset, content, 0, 1, names, error)
                           : RS_FAIL(error, RS_DATA, "the record has no names of parameters");
    rs_h5_close(dataset);
    if (!status) {
        (void)fprintf(stream,
                      "\n|gradient|, mean and standard deviation over the first and the last %" PRId64
                      " steps\n  %-36s %12s %12s %12s %12s\n",
                      steps, "parameter", "first mean", "first std", "last mean", "last std");
        for (int64_t p = 0; p < parameters; p++) {
            (void)fprintf(stream, "  %-36.*s %12.5g %12.5g %12.5g %12.5g\n", RS_NAME_MAX,
                          names + p * RS_NAME_MAX, first->mean[p], first->deviation[p], last->mean[p],
                          last->deviation[p]);
        }
    }
    rs_free(names);
    return status;
}

rs_status rs_gradients_print(const rs_contents *contents, int64_t steps, FILE *stream, rs_error *error)
{
    const rs_content *means = rs_contents_find(contents, "steps/gradient_abs_mean"),
                     *deviations = rs_contents_find(contents, "steps/gradient_abs_std");
    if (!means || !deviations || means->rank != 2 || deviations->rank != 2 ||
        means->dim[1] != deviations->dim[1] || means->type_size != sizeof(float) ||
        deviations->type_size != sizeof(float)) {
        return RS_FAIL(error, RS_DATA, "it has no statistics of gradients (--record gradient-stats)");
    }
    const int64_t rows = rs_content_rows(contents, means), parameters = (int64_t)means->dim[1];
    if (steps > rows || rows > (int64_t)means->dim[0] || rows > (int64_t)deviations->dim[0]) {
        return RS_FAIL(error, RS_DATA, "it has %" PRId64 " steps, not %" PRId64, rows, steps);
    }
    double *values = rs_alloc_array(4 * (size_t)parameters + 1, sizeof *values);
    if (!values) {
        return RS_FAIL(error, RS_MEMORY, "no memory for the statistics of gradients");
    }
    statistics first = {values, values + parameters},
               last = {values + 2 * parameters, values + 3 * parameters};
    rs_status status = gather(contents, 0, steps, parameters, &first, error);
    status = status ? status : gather(contents, rows - steps, steps, parameters, &last, error);
    status = status ? status : print_table(contents, steps, parameters, &first, &last, stream, error);
    rs_free(values);
    return status;
}
