/* study_spread.c: statistics over the runs of a group, and over the steps of a series. */
#include <math.h>
#include <stdlib.h>

#include "study_aggregate.h"

rs_study_spread rs_study_spread_of(const double *values, int64_t count)
{
    rs_study_spread s = {.min = NAN, .max = NAN};
    double sum = 0.0, squares = 0.0;
    for (int64_t i = 0; i < count; i++) {
        if (!isnan(values[i])) {
            sum += values[i];
            s.min = s.n == 0 || values[i] < s.min ? values[i] : s.min;
            s.max = s.n == 0 || values[i] > s.max ? values[i] : s.max;
            s.n++;
        }
    }
    s.mean = s.n > 0 ? sum / (double)s.n : NAN;
    for (int64_t i = 0; i < count; i++) {
        if (!isnan(values[i])) {
            squares += (values[i] - s.mean) * (values[i] - s.mean);
        }
    }
    s.std = s.n > 1 ? sqrt(squares / (double)(s.n - 1)) : NAN;
    return s;
}

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
