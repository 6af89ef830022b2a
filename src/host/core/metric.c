/* metric.c: metric names, reference summation and the closing formulas; see rs/metric.h. */
#include "rs/metric.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rs/text.h"

static const char *const metric_names[] = {"minkowski", "euclidean", "manhattan",
                                           "chebyshev", "cosine",    "correlation"};
enum { METRIC_NAMES = sizeof metric_names / sizeof metric_names[0] };

static rs_status unknown_metric(const char *word, rs_error *error)
{
    const char *nearest = rs_text_nearest(word, metric_names, METRIC_NAMES);
    return RS_FAIL(error, RS_USAGE,
                   "unknown metric \"%s\": not one of minkowski:P, euclidean, manhattan, chebyshev, cosine, "
                   "correlation%s%s",
                   word, nearest ? "; nearest " : "", nearest ? nearest : "");
}

static rs_status parse_power(const char *text, const char *word, double *p, rs_error *error)
{
    char *end;
    *p = strtod(text, &end);
    if (end == text || *end || !(*p >= 1.0) || isinf(*p)) {
        return RS_FAIL(error, RS_USAGE,
                       "metric \"%s\": the power must be a number of at least 1, as in minkowski:1", word);
    }
    return RS_OK;
}

static rs_status parse_metric(const char *word, rs_metric *metric, rs_error *error)
{
    size_t length = strcspn(word, ":");
    int kind = 0;
    while (kind < METRIC_NAMES &&
           (strlen(metric_names[kind]) != length || strncmp(word, metric_names[kind], length) != 0)) {
        kind++;
    }
    if (kind == METRIC_NAMES || (word[length] == ':' && kind != RS_METRIC_MINKOWSKI)) {
        return unknown_metric(word, error);
    }
    *metric = (rs_metric){.kind = (rs_metric_kind)kind};
    if (kind == RS_METRIC_MINKOWSKI) {
        if (word[length] != ':') {
            return RS_FAIL(error, RS_USAGE, "metric \"%s\" needs its power, as in minkowski:1", word);
        }
        RS_TRY(parse_power(word + length + 1, word, &metric->p, error));
        (void)snprintf(metric->name, sizeof metric->name, "minkowski:%.6g", metric->p);
    } else {
        (void)snprintf(metric->name, sizeof metric->name, "%s", metric_names[kind]);
    }
    return RS_OK;
}

rs_status rs_metric_list_parse(const char *text, rs_metric_list *list, rs_error *error)
{
    rs_metric_list parsed = {0};
    char word[64];
    for (const char *at = text; rs_text_next_word(&at, ',', word, sizeof word);) {
        if (parsed.count == RS_MAX_METRICS) {
            return RS_FAIL(error, RS_USAGE, "more than %d metrics; measure the others in a second run",
                           RS_MAX_METRICS);
        }
        rs_metric *metric = &parsed.metric[parsed.count];
        RS_TRY(parse_metric(word, metric, error));
        for (int i = 0; i < parsed.count; i++) {
            if (strcmp(parsed.metric[i].name, metric->name) == 0) {
                return RS_FAIL(error, RS_USAGE, "metric \"%s\" is given twice", metric->name);
            }
        }
        parsed.count++;
    }
    *list = parsed;
    return RS_OK;
}

static bool is_general_power(const rs_metric *metric)
{
    return metric->kind == RS_METRIC_MINKOWSKI && metric->p != 1.0 && metric->p != 2.0;
}

rs_metric_needs rs_metric_list_needs(const rs_metric_list *list)
{
    rs_metric_needs needs = {0};
    for (int i = 0; i < list->count; i++) {
        rs_metric_kind kind = list->metric[i].kind;
        needs.products = needs.products || kind == RS_METRIC_COSINE || kind == RS_METRIC_CORRELATION;
        needs.power[i] = is_general_power(&list->metric[i]);
        needs.any_power = needs.any_power || needs.power[i];
    }
    return needs;
}

/* A maximum that keeps NaN. */
static double larger(double a, double b)
{
    return a > b || isnan(a) ? a : b;
}

void rs_difference_add(const rs_metric_list *list, const float *after, const float *before, size_t count,
                       rs_difference_sums *sums)
{
    rs_metric_needs needs = rs_metric_list_needs(list);
    for (size_t i = 0; i < count; i++) {
        double v = (double)before[i];
        double d = (double)after[i] - v;
        double a = fabs(d);
        sums->d += d;
        sums->v += v;
        sums->dd += d * d;
        sums->dv += d * v;
        sums->vv += v * v;
        sums->abs += a;
        sums->max = larger(a, sums->max);
        for (int m = 0; needs.any_power && m < list->count; m++) {
            sums->power[m] += needs.power[m] ? pow(a, list->metric[m].p) : 0.0;
        }
    }
}

void rs_difference_join(rs_difference_sums *total, const rs_difference_sums *part)
{
    total->d += part->d;
    total->v += part->v;
    total->dd += part->dd;
    total->dv += part->dv;
    total->vv += part->vv;
    total->abs += part->abs;
    total->max = larger(part->max, total->max);
    for (int m = 0; m < RS_MAX_METRICS; m++) {
        total->power[m] += part->power[m];
    }
}

/* 1 - u.v / (|u| |v|) from sums over d = u - v and v. */
static double cosine_distance(double dd, double dv, double vv)
{
    double uu = vv + 2.0 * dv + dd;
    if (dd == 0.0 || uu <= 0.0 || vv <= 0.0) {
        return 0.0;
    }
    double u = sqrt(uu), v = sqrt(vv);
    double difference = (2.0 * dv + dd) / (u + v);
    return larger(0.0, (dd - difference * difference) / (2.0 * u * v));
}

static double correlation_distance(const rs_difference_sums *s, double n)
{
    return s->dd == 0.0 ? 0.0
                        : cosine_distance(larger(0.0, s->dd - s->d * s->d / n), s->dv - s->d * s->v / n,
                                          s->vv - s->v * s->v / n);
}

double rs_metric_finish(const rs_metric_list *list, int index, const rs_difference_sums *sums, int64_t count)
{
    const rs_metric *metric = &list->metric[index];
    switch (metric->kind) {
    case RS_METRIC_MINKOWSKI:
        if (is_general_power(metric)) {
            return pow(sums->power[index], 1.0 / metric->p);
        }
        return metric->p == 1.0 ? sums->abs : sqrt(sums->dd);
    case RS_METRIC_EUCLIDEAN:
        return sqrt(sums->dd);
    case RS_METRIC_MANHATTAN:
        return sums->abs;
    case RS_METRIC_CHEBYSHEV:
        return sums->max;
    case RS_METRIC_COSINE:
        return cosine_distance(sums->dd, sums->dv, sums->vv);
    case RS_METRIC_CORRELATION:
        return correlation_distance(sums, (double)count);
    }
    return NAN;
}
