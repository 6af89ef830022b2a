/* analyze_predict.c: `analyze predict`: what the networks of finished runs give for every sample of a split, beside what they
 * should give: the function and its fit, or the scores of each class beside the label. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model.h"
#include "rs/host.h"

/* One run's. */
typedef struct predictions {
    rs__model model;
    rs_split *split;
    int64_t width;  /* numbers that the network gives for a sample */
    float *given;   /* of one batch */
    double *output; /* [snapshot, sample, width] */
} predictions;

static const char *split_name(const rs__analysis *a)
{
    return a->split ? a->split : "test";
}

static const rs_node *before_the_loss(const rs_network *network, int *index)
{
    *index = network->nodes[network->node_count - 1].input[0];
    return &network->nodes[*index];
}

static rs_status open_run(rs__analysis *a, const rs__input *input, predictions *p, rs_error *error)
{
    rs__plan_wishes wishes = {0};
    int index;
    RS_TRY(rs__model_open(a, input, true, &p->model, error));
    RS_TRY(rs__model_split(&p->model, split_name(a), a->samples, &p->split, error));
    wishes.splits[0] = p->split;
    RS_TRY(rs__model_plan(&p->model, &wishes, error));
    const int64_t *shape = before_the_loss(p->model.network, &index)->shape;
    p->width = shape[0] * shape[1] * shape[2];
    p->given = rs_alloc_array((size_t)p->split->count * (size_t)p->width, sizeof *p->given);
    p->output =
        rs_alloc_array((size_t)input->count * (size_t)p->split->count * (size_t)p->width, sizeof *p->output);
    return p->given && p->output ? RS_OK
                                 : RS_FAIL(error, RS_MEMORY,
                                           "no memory for %" PRId64 " numbers of %" PRId64
                                           " samples in %" PRId64 " snapshots; take fewer, or --samples",
                                           p->width, p->split->count, input->count);
}

static rs_status pass_over(predictions *p, rs_loader *loader, double *output, rs_error *error)
{
    const rs_backend *backend = p->model.backend;
    int node;
    (void)before_the_loss(p->model.network, &node);
    RS_TRY(rs_loader_start(loader, 0, 0, error));
    for (;;) {
        rs_batch batch;
        RS_TRY(rs_loader_next(loader, &batch, error));
        if (batch.count == 0) {
            return RS_OK;
        }
        RS_TRY(backend->load_batch(p->model.plan, &batch, error));
        RS_TRY(backend->forward(p->model.plan, RS_MODE_EVALUATE, error));
        RS_TRY(backend->read_node(p->model.plan, RS_NODE_OUTPUT, node, p->given, error));
        for (int64_t i = 0; i < batch.count * p->width; i++) {
            *output++ = (double)p->given[i];
        }
    }
}

static rs_status predict(predictions *p, const rs__input *input, int64_t at, rs__score *score,
                         rs_error *error)
{
    const rs_loader_options options = {.batch_size = p->model.batch, .prefetch = true};
    rs_loader *loader = NULL;
    float *state = NULL;
    rs_status status = rs__state_read(p->model.network, input, input->first + at, &state, error);
    status = status ? status : rs__state_write(&p->model, state, error);
    status = status ? status : rs_loader_create(p->model.dataset, p->split, &options, &loader, error);
    status = status ? status : pass_over(p, loader, p->output + at * p->split->count * p->width, error);
    status = status ? status : rs__model_score(&p->model, p->split, score, error);
    rs_loader_destroy(loader);
    rs_free(state);
    return status;
}

/* Floats as the numbers of a result. */
static rs_status put_floats(const rs__analysis *a, const rs_result_array *array, const float *values,
                            rs_error *error)
{
    const int64_t count = array->dim[0] * (array->rank > 1 ? array->dim[1] : 1);
    double *numbers = rs_alloc_array((size_t)count, sizeof *numbers);
    if (!numbers) {
        return RS_FAIL(error, RS_MEMORY, "no memory for %" PRId64 " numbers", count);
    }
    for (int64_t i = 0; i < count; i++) {
        numbers[i] = (double)values[i];
    }
    rs_status status = rs_result_reals(a->file, array, numbers, error);
    rs_free(numbers);
    return status;
}

static rs_status put_labels(const rs__analysis *a, const char *path, const rs_split *split, rs_error *error)
{
    int64_t *labels = rs_alloc_array((size_t)split->count, sizeof *labels);
    if (!labels) {
        return RS_FAIL(error, RS_MEMORY, "no memory for %" PRId64 " labels", split->count);
    }
    for (int64_t i = 0; i < split->count; i++) {
        labels[i] = split->labels[i];
    }
    rs_status status = rs__put_integers(a->file, path, "class of each sample, from 0", "sample", split->count,
                                        labels, error);
    rs_free(labels);
    return status;
}

/* What the samples are: their one number where they have no more, and what should come out. */
static rs_status put_samples(const rs__analysis *a, const predictions *p, int run, rs_error *error)
{
    char path[64];
    const rs_dataset *data = p->model.dataset;
    rs_result_array array = {
        .path = path, .unit = "1", .rank = 1, .dim = {p->split->count, data->classes}, .axis = {"sample"}};
    if (p->split->values && data->channels * data->height * data->width == 1) {
        (void)snprintf(path, sizeof path, "run%d/input", run);
        array.what = "what the network takes";
        RS_TRY(put_floats(a, &array, p->split->values, error));
    }
    (void)snprintf(path, sizeof path, "run%d/%s", run, p->split->targets ? "target" : "label");
    if (!p->split->targets) {
        return put_labels(a, path, p->split, error);
    }
    array.what = "what it should give";
    array.rank = 2;
    array.axis[1] = "number";
    return put_floats(a, &array, p->split->targets, error);
}

static rs_status put(const rs__analysis *a, const predictions *p, int run, const int64_t *epochs,
                     const int64_t *steps, rs_error *error)
{
    char path[64];
    const int64_t snapshots = a->inputs[run].count;
    const rs_result_array outputs = {.path = path,
                                     .what = "what the network gives: before the loss, evaluation mode",
                                     .unit = "1",
                                     .rank = 3,
                                     .dim = {snapshots, p->split->count, p->width},
                                     .axis = {"snapshot", "sample", "number"}};
    RS_TRY(put_samples(a, p, run, error));
    (void)snprintf(path, sizeof path, "run%d/output", run);
    RS_TRY(rs_result_reals(a->file, &outputs, p->output, error));
    (void)snprintf(path, sizeof path, "run%d/epoch", run);
    RS_TRY(rs__put_integers(a->file, path, "finished epochs, -1 within one", "snapshot", snapshots, epochs,
                            error));
    (void)snprintf(path, sizeof path, "run%d/step", run);
    return rs__put_integers(a->file, path, "finished steps", "snapshot", snapshots, steps, error);
}

static rs_status predict_all(rs__analysis *a, predictions *p, int run, int64_t *epochs, int64_t *steps,
                             rs_error *error)
{
    const rs__input *input = &a->inputs[run];
    for (int64_t k = 0; k < input->count; k++) {
        rs_snapshot_place place;
        rs__score score = {0};
        RS_TRY(rs_record_reader_snapshot(input->reader, input->first + k, &place, error));
        RS_TRY(predict(p, input, k, &score, error));
        epochs[k] = place.epoch;
        steps[k] = place.step;
        (void)printf("%3d  %8" PRId64 "  %8" PRId64 "  %8" PRId64 "  %12.6g", run, input->first + k,
                     place.step, p->split->count, score.loss);
        (void)(isnan(score.accuracy) ? printf("  %8s\n", "-") : printf("  %8.5f\n", score.accuracy));
    }
    return put(a, p, run, epochs, steps, error);
}

static rs_status predict_run(rs__analysis *a, int run, rs_error *error)
{
    static predictions p;
    const size_t snapshots = (size_t)a->inputs[run].count;
    int64_t *places = rs_alloc_array(2 * snapshots, sizeof *places);
    memset(&p, 0, sizeof p);
    rs_status status = places ? open_run(a, &a->inputs[run], &p, error)
                              : RS_FAIL(error, RS_MEMORY, "no memory for %zu snapshots", snapshots);
    status = status ? status : predict_all(a, &p, run, places, places + snapshots, error);
    rs_free(places);
    rs_free(p.given);
    rs_free(p.output);
    rs__model_close(&p.model);
    return status;
}

rs_status rs__analyze_predict(rs__analysis *a, rs_error *error)
{
    RS_TRY(rs_result_text(a->file, "split", split_name(a), error));
    (void)printf("run  snapshot      step   samples          loss  accuracy\n");
    for (int run = 0; run < a->input_count; run++) {
        RS_TRY(predict_run(a, run, error));
    }
    return RS_OK;
}
