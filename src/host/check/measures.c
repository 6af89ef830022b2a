/* measures.c: see measures.h. Plain definitions in long double, sharing no code with what they check. */
#include "measures.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "rs/host.h"

static bool create_list(const rs_network *network, double ***list)
{
    *list = rs_alloc_array((size_t)network->parameter_count, sizeof **list);
    for (int i = 0; *list && i < network->parameter_count; i++) {
        (*list)[i] = rs_alloc_array((size_t)network->parameters[i].count, sizeof(double));
        if (!(*list)[i]) {
            return false;
        }
    }
    return *list != NULL;
}

rs_status rs_check_state_create(const rs_network *network, rs_dtype dtype, const rs_metric_list *metrics,
                                rs_check_state *state, rs_error *error)
{
    size_t parameters = (size_t)network->parameter_count, largest = 0;
    size_t distances = (size_t)metrics->count * (size_t)network->block_count;
    rs_measurement *m = &state->measurement;
    *state = (rs_check_state){.parameter_count = network->parameter_count, .metrics = *metrics};
    for (size_t i = 0; i < parameters; i++) {
        size_t count = (size_t)network->parameters[i].count;
        largest = count > largest ? count : largest;
    }
    bool complete = create_list(network, &state->initial) && create_list(network, &state->before) &&
                    create_list(network, &state->after) && create_list(network, &state->gradient);
    complete = complete && (state->packed = rs_alloc_array(largest, rs_dtype_size(dtype))) != NULL;
    complete = complete && (m->to_initial = rs_alloc_array(distances, sizeof(double))) != NULL;
    complete = complete && (m->to_previous = rs_alloc_array(distances, sizeof(double))) != NULL;
    complete = complete && (m->gradient_abs_mean = rs_alloc_array(parameters, sizeof(float))) != NULL;
    complete = complete && (m->gradient_abs_std = rs_alloc_array(parameters, sizeof(float))) != NULL;
    complete = complete && (m->gradient_norms = rs_alloc_array(parameters, sizeof(float))) != NULL;
    return complete ? RS_OK : RS_FAIL(error, RS_MEMORY, "no memory to check updates");
}

void rs_check_state_release(rs_check_state *state)
{
    double **lists[] = {state->initial, state->before, state->after, state->gradient};
    for (size_t l = 0; l < sizeof lists / sizeof lists[0]; l++) {
        for (int i = 0; lists[l] && i < state->parameter_count; i++) {
            rs_free(lists[l][i]);
        }
        rs_free(lists[l]);
    }
    rs_free(state->packed);
    rs_free(state->measurement.to_initial);
    rs_free(state->measurement.to_previous);
    rs_free(state->measurement.gradient_abs_mean);
    rs_free(state->measurement.gradient_abs_std);
    rs_free(state->measurement.gradient_norms);
    *state = (rs_check_state){0};
}

void rs_check_pack(rs_dtype dtype, const double *values, int64_t count, void *packed)
{
    for (int64_t i = 0; i < count; i++) {
        if (dtype == RS_F64) {
            ((double *)packed)[i] = values[i];
        } else {
            ((float *)packed)[i] = (float)values[i];
        }
    }
}

void rs_check_unpack(rs_dtype dtype, const void *packed, int64_t count, double *values)
{
    for (int64_t i = 0; i < count; i++) {
        values[i] = dtype == RS_F64 ? ((const double *)packed)[i] : (double)((const float *)packed)[i];
    }
}

/* 1 - u.v / (|u| |v|), of u - mean(u) and v - mean(v) when `centred`. */
static long double angle(const double *u, const double *v, int64_t count, bool centred)
{
    long double mu = 0, mv = 0, uv = 0, uu = 0, vv = 0;
    for (int64_t i = 0; centred && i < count; i++) {
        mu += (long double)u[i] / (long double)count;
        mv += (long double)v[i] / (long double)count;
    }
    for (int64_t i = 0; i < count; i++) {
        uv += ((long double)u[i] - mu) * ((long double)v[i] - mv);
        uu += ((long double)u[i] - mu) * ((long double)u[i] - mu);
        vv += ((long double)v[i] - mv) * ((long double)v[i] - mv);
    }
    bool same = memcmp(u, v, (size_t)count * sizeof *u) == 0;
    return same || uu == 0 || vv == 0 ? 0 : 1 - uv / (sqrtl(uu) * sqrtl(vv));
}

static long double distance(const rs_metric *metric, const double *u, const double *v, int64_t count)
{
    long double sum = 0, largest = 0;
    long double p = metric->kind == RS_METRIC_MINKOWSKI   ? (long double)metric->p
                    : metric->kind == RS_METRIC_EUCLIDEAN ? 2
                                                          : 1;
    if (metric->kind == RS_METRIC_COSINE || metric->kind == RS_METRIC_CORRELATION) {
        return angle(u, v, count, metric->kind == RS_METRIC_CORRELATION);
    }
    for (int64_t i = 0; i < count; i++) {
        long double d = fabsl((long double)u[i] - (long double)v[i]);
        sum += powl(d, p);
        largest = fmaxl(largest, d);
    }
    return metric->kind == RS_METRIC_CHEBYSHEV ? largest : powl(sum, 1 / p);
}

static void check_distance(const rs_network *network, const rs_check_state *state, int metric, bool previous,
                           int step, rs_check_row *row)
{
    const rs_measurement *m = &state->measurement;
    double **reference = previous ? state->before : state->initial, expected[16] = {0};
    const double *got =
        (previous ? m->to_previous : m->to_initial) + (ptrdiff_t)metric * network->block_count;
    char what[128];
    RS_ASSERT(network->block_count <= 16);
    for (int i = 0; i < network->parameter_count; i++) {
        const rs_parameter *p = &network->parameters[i];
        if (p->block >= 0) {
            expected[p->block] +=
                (double)distance(&state->metrics.metric[metric], state->after[i], reference[i], p->count);
        }
    }
    rs_comparison c = rs_compare(got, expected, network->block_count);
    (void)snprintf(what, sizeof what, "step %d: %s to the %s state", step, state->metrics.metric[metric].name,
                   previous ? "previous" : "initial");
    rs_check_row_compare(row, what, &c);
}

/* Mean and deviation of |g| and norm of g, over one parameter. */
static void expected_stats(const double *g, int64_t count, double stats[3])
{
    long double mean = 0, variance = 0, squares = 0;
    for (int64_t i = 0; i < count; i++) {
        mean += fabsl((long double)g[i]) / (long double)count;
        squares += (long double)g[i] * (long double)g[i];
    }
    for (int64_t i = 0; i < count; i++) {
        long double d = fabsl((long double)g[i]) - mean;
        variance += d * d / (long double)count;
    }
    stats[0] = (double)mean;
    stats[1] = (double)sqrtl(variance);
    stats[2] = (double)sqrtl(squares);
}

static void compare_number(rs_check_row *row, int step, const char *name, const char *of, double got,
                           double want)
{
    char what[128];
    rs_comparison c = rs_compare(&got, &want, 1);
    (void)snprintf(what, sizeof what, "step %d: %s %s", step, name, of);
    rs_check_row_compare(row, what, &c);
}

static void check_gradients(const rs_network *network, const rs_update_options *options,
                            const rs_check_state *state, int step, rs_check_row *row)
{
    const rs_measurement *m = &state->measurement;
    double squares = 0.0;
    for (int i = 0; i < network->parameter_count; i++) {
        double stats[3];
        expected_stats(state->gradient[i], network->parameters[i].count, stats);
        squares += stats[2] * stats[2];
        compare_number(row, step, "mean |g| of", network->parameters[i].name, (double)m->gradient_abs_mean[i],
                       stats[0]);
        compare_number(row, step, "deviation of |g| of", network->parameters[i].name,
                       (double)m->gradient_abs_std[i], stats[1]);
        compare_number(row, step, "norm of the gradient of", network->parameters[i].name,
                       (double)m->gradient_norms[i], stats[2]);
    }
    double norm = sqrt(squares), clip = options->clip_norm / (norm + 1e-6);
    clip = options->clip_norm <= 0.0 || clip > 1.0 ? 1.0 : clip;
    compare_number(row, step, "gradient norm", "", m->gradient_norm, norm);
    compare_number(row, step, "clipped gradient norm", "", m->gradient_norm_clipped, norm * clip);
}

void rs_check_measures(const rs_network *network, const rs_update_options *options,
                       const rs_check_state *state, int step, rs_check_row *row)
{
    for (int i = 0; i < state->metrics.count; i++) {
        check_distance(network, state, i, false, step, row);
        check_distance(network, state, i, true, step, row);
    }
    check_gradients(network, options, state, step, row);
}
