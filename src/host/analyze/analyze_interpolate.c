/* analyze_interpolate.c: `analyze interpolate A B`: loss and accuracy along the line (1 - alpha) A + alpha B. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "batch_statistics.h"
#include "points.h"
#include "rs/host.h"

enum { SPLITS = 2 };
static const char *const split_names[SPLITS] = {"train", "test"};

typedef struct line {
    rs__model model;
    rs_split *splits[SPLITS];
    float *ends[2], *state;
    int64_t size; /* numbers of a state */
    bool estimate;
    double *alpha;
    int64_t points;
    double *loss[SPLITS], *accuracy[SPLITS]; /* [points] */
} line;

static rs_status open_line(rs__analysis *a, line *l, rs_error *error)
{
    RS_TRY(rs__points_parse(a->points ? a->points : "-0.5..1.5/41", &l->alpha, &l->points, error));
    RS_TRY(rs__model_open(a, &a->inputs[0], true, &l->model, error));
    rs__plan_wishes wishes = {0};
    for (int s = 0; s < SPLITS; s++) {
        RS_TRY(rs__model_split(&l->model, split_names[s], a->samples, &l->splits[s], error));
        wishes.splits[s] = l->splits[s];
        l->loss[s] = rs_alloc_array((size_t)l->points, sizeof(double));
        l->accuracy[s] = rs_alloc_array((size_t)l->points, sizeof(double));
        if (!l->loss[s] || !l->accuracy[s]) {
            return RS_FAIL(error, RS_MEMORY, "no memory for %" PRId64 " points", l->points);
        }
    }
    const rs_network *network = l->model.network;
    l->estimate = a->statistics && strcmp(a->statistics, "estimate") == 0 && network->buffer_count > 0;
    wishes.statistics = l->estimate;
    RS_TRY(rs__model_plan(&l->model, &wishes, error));
    for (int end = 0; end < 2; end++) {
        RS_TRY(rs__state_read(network, &a->inputs[end], a->inputs[end].first, &l->ends[end], error));
    }
    l->size = rs__state_size(network);
    l->state = rs_alloc((size_t)l->size * sizeof *l->state);
    return l->state ? RS_OK : RS_FAIL(error, RS_MEMORY, "no memory for a state of the network");
}

static void close_line(line *l)
{
    for (int s = 0; s < SPLITS; s++) {
        rs_free(l->loss[s]);
        rs_free(l->accuracy[s]);
        rs_free(l->ends[s]);
    }
    rs_free(l->alpha);
    rs_free(l->state);
    rs__model_close(&l->model);
}

static void move_to(const line *l, double alpha)
{
    for (int64_t i = 0; i < l->size; i++) {
        l->state[i] = (float)((1.0 - alpha) * (double)l->ends[0][i] + alpha * (double)l->ends[1][i]);
    }
}

/* Beyond the ends a variance may become negative: then there is no such network, and its accuracy is no number either. */
static bool is_network(const line *l)
{
    const rs_network *network = l->model.network;
    const float *at = l->state + l->size;
    bool is = true;
    for (int b = network->buffer_count - 1; b >= 0 && !l->estimate; b--) {
        const rs_parameter *buffer = &network->buffers[b];
        const double epsilon = network->nodes[buffer->node].attributes.epsilon;
        at -= buffer->count;
        for (int64_t i = 0; buffer->role == RS_ROLE_RUNNING_VARIANCE && i < buffer->count; i++) {
            is = is && (double)at[i] + epsilon > 0.0;
        }
    }
    return is;
}

static void warn_of_holes(const line *l, int64_t holes)
{
    if (holes > 0) {
        rs_log(RS_LOG_WARNING,
               "at %" PRId64 " of %" PRId64
               " points a batch norm's interpolated variance is not positive: NaN there; "
               "--bn estimate takes statistics from the training samples",
               holes, l->points);
    }
}

static rs_status walk(line *l, rs_error *error)
{
    int64_t holes = 0;
    (void)printf("     alpha    train loss  accuracy     test loss  accuracy\n");
    for (int64_t p = 0; p < l->points; p++) {
        move_to(l, l->alpha[p]);
        const bool is = is_network(l);
        holes += !is;
        RS_TRY(rs__state_write(&l->model, l->state, error));
        if (l->estimate) {
            RS_TRY(rs__estimate_statistics(&l->model, l->splits[0], error));
        }
        (void)printf("%10.5f", l->alpha[p]);
        for (int s = 0; s < SPLITS; s++) {
            rs__score score;
            RS_TRY(rs__model_score(&l->model, l->splits[s], &score, error));
            l->loss[s][p] = is ? score.loss : (double)NAN;
            l->accuracy[s][p] = is ? score.accuracy : (double)NAN;
            (void)printf("  %12.6g  %8.5f", l->loss[s][p], l->accuracy[s][p]);
        }
        (void)printf("\n");
        (void)fflush(stdout);
    }
    warn_of_holes(l, holes);
    return RS_OK;
}

static rs_status put(const rs__analysis *a, const line *l, rs_error *error)
{
    const bool buffers = l->model.network->buffer_count > 0;
    RS_TRY(rs_result_text(a->file, "batch_norm",
                          !buffers ? "none in this network"
                          : l->estimate
                              ? "running statistics estimated at every point from the training samples"
                              : "running statistics interpolated as the weights are",
                          error));
    RS_TRY(rs__put_list(a->file, "alpha", "weights are (1 - alpha) of inputs/ row 0 + alpha of row 1", "1",
                        "point", l->points, l->alpha, error));
    for (int s = 0; s < SPLITS; s++) {
        char path[64];
        (void)snprintf(path, sizeof path, "%s/samples", split_names[s]);
        RS_TRY(rs__put_integers(a->file, path, "samples scored", "split", 1, &l->splits[s]->count, error));
        (void)snprintf(path, sizeof path, "%s/loss", split_names[s]);
        RS_TRY(rs__put_list(a->file, path, "mean over the samples, evaluation mode", "1", "point", l->points,
                            l->loss[s], error));
        (void)snprintf(path, sizeof path, "%s/accuracy", split_names[s]);
        RS_TRY(rs__put_list(a->file, path, "share classified rightly", "1", "point", l->points,
                            l->accuracy[s], error));
    }
    return RS_OK;
}

rs_status rs__analyze_interpolate(rs__analysis *a, rs_error *error)
{
    static line l;
    memset(&l, 0, sizeof l);
    if (a->input_count != 2 || a->inputs[0].count != 1 || a->inputs[1].count != 1) {
        return RS_FAIL(error, RS_USAGE, "interpolate takes two snapshots: A.h5[@N] B.h5[@N]");
    }
    rs_status status = open_line(a, &l, error);
    status = status ? status : walk(&l, error);
    status = status ? status : put(a, &l, error);
    close_line(&l);
    return status;
}
