/* study_series.c: the steps of a series in four numbers. */
#include <math.h>
#include <stdlib.h>

#include "study_aggregate.h"

const char *const rs_study_summary_names[RS_STUDY_SUMMARIES] = {"min", "mean", "median", "max"};

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void rs_study_summarize(double *values, int64_t count, double summary[RS_STUDY_SUMMARIES])
{
    double sum = 0.0;
    for (int64_t i = 0; i < count; i++) {
        sum += values[i];
    }
    if (count == 0 || isnan(sum)) {
        for (int i = 0; i < RS_STUDY_SUMMARIES; i++) {
            summary[i] = NAN;
        }
        return;
    }
    qsort(values, (size_t)count, sizeof *values, by_value);
    summary[0] = values[0];
    summary[1] = sum / (double)count;
    summary[2] = (values[(count - 1) / 2] + values[count / 2]) / 2.0;
    summary[3] = values[count - 1];
}
