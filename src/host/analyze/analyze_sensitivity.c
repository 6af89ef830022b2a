/* analyze_sensitivity.c: `analyze sensitivity`: how strongly the loss of a snapshot hangs on its input. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "model.h"
#include "rs/host.h"

typedef struct sensitivity {
    rs__model model;
    rs_split *split;
    rs_label_choice labels;
    int64_t batches;
    double batch, sample; /* means over batches, and over samples */
} sensitivity;

static rs_label_choice choice_of(const rs__analysis *a)
{
    if (a->labels && strcmp(a->labels, "both") == 0) {
        return RS_LABELS_BOTH;
    }
    return a->labels && strcmp(a->labels, "true") == 0 ? RS_LABELS_TRUE : RS_LABELS_PREDICTED;
}

static rs_status open_run(rs__analysis *a, const rs__input *input, sensitivity *s, rs_error *error)
{
    rs__plan_wishes wishes = {.gradients = true};
    s->labels = choice_of(a);
    RS_TRY(rs__model_open(a, input, true, &s->model, error));
    RS_TRY(rs__model_split(&s->model, a->split ? a->split : "train", a->samples, &s->split, error));
    wishes.splits[0] = s->split;
    return rs__model_plan(&s->model, &wishes, error);
}

static rs_status pass_over(sensitivity *s, rs_loader *loader, rs_error *error)
{
    const rs_backend *backend = s->model.backend;
    int64_t samples = 0;
    s->batch = s->sample = 0.0;
    RS_TRY(rs_loader_start(loader, 0, 0, error));
    for (s->batches = 0;; s->batches++) {
        rs_batch batch;
        rs_sensitivity one;
        RS_TRY(rs_loader_next(loader, &batch, error));
        if (batch.count == 0) {
            break;
        }
        RS_TRY(backend->load_batch(s->model.plan, &batch, error));
        RS_TRY(backend->forward(s->model.plan, RS_MODE_EVALUATE, error));
        RS_TRY(backend->backward(s->model.plan, s->labels, error));
        RS_TRY(backend->read_sensitivity(s->model.plan, &one, error));
        s->batch += one.batch;
        s->sample += one.sample * (double)batch.count;
        samples += batch.count;
    }
    s->batch /= (double)s->batches;
    s->sample /= (double)samples;
    return RS_OK;
}

static rs_status measure(sensitivity *s, const rs__input *input, int64_t snapshot, rs__score *score,
                         rs_error *error)
{
    const rs_loader_options options = {.batch_size = s->model.batch, .prefetch = true};
    rs_loader *loader = NULL;
    float *state = NULL;
    rs_status status = rs__state_read(s->model.network, input, snapshot, &state, error);
    status = status ? status : rs__state_write(&s->model, state, error);
    status = status ? status : rs_loader_create(s->model.dataset, s->split, &options, &loader, error);
    status = status ? status : pass_over(s, loader, error);
    status = status ? status : rs__model_score(&s->model, s->split, score, error);
    rs_loader_destroy(loader);
    rs_free(state);
    return status;
}

/* Columns of the result, one value a snapshot. */
typedef struct columns {
    int64_t count;
    int64_t *run, *snapshot, *batch_size;
    double *batch, *sample, *loss, *accuracy;
} columns;

static rs_status make_columns(const rs__analysis *a, columns *c, rs_error *error)
{
    for (int i = 0; i < a->input_count; i++) {
        c->count += a->inputs[i].count;
    }
    c->run = rs_alloc_array(3 * (size_t)c->count, sizeof *c->run);
    c->batch = rs_alloc_array(4 * (size_t)c->count, sizeof *c->batch);
    if (!c->run || !c->batch) {
        return RS_FAIL(error, RS_MEMORY, "no memory for %" PRId64 " snapshots", c->count);
    }
    c->snapshot = c->run + c->count;
    c->batch_size = c->snapshot + c->count;
    c->sample = c->batch + c->count;
    c->loss = c->sample + c->count;
    c->accuracy = c->loss + c->count;
    return RS_OK;
}

static rs_status measure_run(rs__analysis *a, int run, columns *c, int64_t *at, rs_error *error)
{
    static sensitivity s;
    const rs__input *input = &a->inputs[run];
    memset(&s, 0, sizeof s);
    rs_status status = open_run(a, input, &s, error);
    for (int64_t k = 0; !status && k < input->count; k++, ++*at) {
        rs__score score = {0};
        status = measure(&s, input, input->first + k, &score, error);
        c->run[*at] = run;
        c->snapshot[*at] = input->first + k;
        c->batch_size[*at] =
            s.model.batch > 0 && s.model.batch < s.split->count ? s.model.batch : s.split->count;
        c->batch[*at] = s.batch;
        c->sample[*at] = s.sample;
        c->loss[*at] = score.loss;
        c->accuracy[*at] = score.accuracy;
        if (!status) {
            (void)printf("%3d  %8" PRId64 "  %10" PRId64 "  %12.6g  %12.6g  %12.6g  %8.5f\n", run,
                         c->snapshot[*at], c->batch_size[*at], s.batch, s.sample, score.loss, score.accuracy);
        }
    }
    rs__model_close(&s.model);
    return status;
}

static rs_status put(const rs__analysis *a, const columns *c, rs_error *error)
{
    static const char *const labels[] = {"true labels", "the network's own predictions", "both, added"};
    static const char axis[] = "measured";
    RS_TRY(rs_result_text(a->file, "labels", labels[choice_of(a)], error));
    RS_TRY(rs_result_text(a->file, "split", a->split ? a->split : "train", error));
    RS_TRY(rs_result_text(a->file, "mode", "evaluation: running statistics, no dropout", error));
    RS_TRY(rs__put_integers(a->file, "run", "row of inputs/", axis, c->count, c->run, error));
    RS_TRY(rs__put_integers(a->file, "snapshot", "its snapshot", axis, c->count, c->snapshot, error));
    RS_TRY(
        rs__put_integers(a->file, "batch_size", "samples of a batch", axis, c->count, c->batch_size, error));
    RS_TRY(rs__put_list(a->file, "batch",
                        "L2 norm of the gradient of a batch's loss by its input, mean over the batches",
                        "1/input", axis, c->count, c->batch, error));
    RS_TRY(rs__put_list(a->file, "sample", "the same of each sample's own loss, mean over the samples",
                        "1/input", axis, c->count, c->sample, error));
    RS_TRY(rs__put_list(a->file, "loss", "mean over the samples, of the true labels", "1", axis, c->count,
                        c->loss, error));
    return rs__put_list(a->file, "accuracy", "share classified rightly", "1", axis, c->count, c->accuracy,
                        error);
}

rs_status rs__analyze_sensitivity(rs__analysis *a, rs_error *error)
{
    columns c = {0};
    int64_t at = 0;
    rs_status status = make_columns(a, &c, error);
    (void)printf("run  snapshot  batch size         batch        sample          loss  accuracy\n");
    for (int run = 0; !status && run < a->input_count; run++) {
        status = measure_run(a, run, &c, &at, error);
    }
    status = status ? status : put(a, &c, error);
    rs_free(c.run);
    rs_free(c.batch);
    return status;
}
