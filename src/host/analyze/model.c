/* model.c: see model.h. */
#include "model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "rs/host.h"
#include "rs/trainer.h"

/* The command's word about the machine instead of the record's: that may be another one. */
static rs_status take_machine(const rs__analysis *a, rs_config *config, rs_error *error)
{
    RS_TRY(rs_config_set(config, "device", a->device ? a->device : "auto", "--device", error));
    RS_TRY(rs_config_set(config, "threads", a->threads ? a->threads : "0", "--threads", error));
    if (a->data_dir) {
        RS_TRY(rs_config_set(config, "data-dir", a->data_dir, "--data-dir", error));
    }
    config->no_download = config->no_download || a->no_download;
    return RS_OK;
}

static rs_status open_device(rs__model *model, rs_error *error)
{
    int index = 0;
    RS_TRY(rs_backend_select(model->config.device, &model->backend, &index, error));
    return model->backend->open(rs_services(), index, (int)model->config.threads, &model->device, error);
}

/* The layers that were trained, as the record keeps them: the file of --network may have changed or moved since. */
static rs_status make_network(const rs__input *input, rs__model *model, rs_error *error)
{
    char *layers = NULL;
    if (rs_record_reader_has(input->reader, "network_file")) {
        RS_TRY(rs_record_reader_text(input->reader, "network_file", &layers, error));
    }
    rs_status status =
        rs_configured_network_from(&model->config, layers, model->dataset, &model->network, error);
    rs_free(layers);
    return status;
}

rs_status rs__model_open(const rs__analysis *a, const rs__input *input, bool device, rs__model *model,
                         rs_error *error)
{
    memset(model, 0, sizeof *model);
    model->config = input->config;
    RS_TRY(take_machine(a, &model->config, error));
    const rs_dataset_request request = rs_configured_data(&model->config);
    RS_TRY(rs_dataset_load(&request, &model->dataset, error));
    RS_TRY(make_network(input, model, error));
    model->batch = a->batch_size >= 0 ? a->batch_size : model->config.batch_size;
    return device ? open_device(model, error) : RS_OK;
}

void rs__model_close(rs__model *model)
{
    if (model->plan) {
        model->backend->plan_destroy(model->plan);
    }
    if (model->device) {
        model->backend->close(model->device);
    }
    rs_network_destroy(model->network);
    rs_dataset_destroy(model->dataset);
    memset(model, 0, sizeof *model);
}

rs_status rs__model_split(rs__model *model, const char *name, int64_t samples, rs_split **split,
                          rs_error *error)
{
    rs_dataset *data = model->dataset;
    *split = strcmp(name, "train") == 0  ? &data->train
             : strcmp(name, "test") == 0 ? &data->test
                                         : &data->valid;
    if ((*split)->count == 0) {
        return RS_FAIL(error, RS_USAGE, "the run's data has no %s split", name);
    }
    if (samples > 0 && samples < (*split)->count) {
        (*split)->count = samples;
    }
    return RS_OK;
}

/* Adds a size to the plan's list, largest first, without repeats. */
static void add_size(rs_plan_options *plan, int64_t size)
{
    int at = 0;
    while (at < plan->batch_size_count && plan->batch_sizes[at] > size) {
        at++;
    }
    if (size == 0 || (at < plan->batch_size_count && plan->batch_sizes[at] == size)) {
        return;
    }
    for (int i = plan->batch_size_count++; i > at; i--) {
        plan->batch_sizes[i] = plan->batch_sizes[i - 1];
    }
    plan->batch_sizes[at] = size;
}

rs_status rs__model_plan(rs__model *model, const rs__plan_wishes *wishes, rs_error *error)
{
    rs_plan_options plan = {.dtype = RS_F32,
                            .tf32 = strcmp(model->config.precision, "tf32") == 0,
                            .training = wishes->gradients || wishes->statistics,
                            .input_gradient = wishes->gradients};
    memcpy(plan.mean, model->dataset->mean, sizeof plan.mean);
    memcpy(plan.std, model->dataset->std, sizeof plan.std);
    for (int i = 0; i < 2 && wishes->splits[i]; i++) {
        const int64_t count = wishes->splits[i]->count;
        const int64_t batch = model->batch > 0 && model->batch < count ? model->batch : count;
        add_size(&plan, batch);
        add_size(&plan, count % batch);
    }
    return model->backend->plan_create(model->device, model->network, &plan, &model->plan, error);
}

int64_t rs__state_size(const rs_network *network)
{
    int64_t size = 0;
    for (int i = 0; i < network->parameter_count; i++) {
        size += network->parameters[i].count;
    }
    for (int i = 0; i < network->buffer_count; i++) {
        size += network->buffers[i].count;
    }
    return size;
}

rs_status rs__state_read(const rs_network *network, const rs__input *input, int64_t snapshot, float **state,
                         rs_error *error)
{
    rs_status status = RS_OK;
    float *at = *state = rs_alloc((size_t)rs__state_size(network) * sizeof **state);
    if (!at) {
        return RS_FAIL(error, RS_MEMORY, "no memory for a snapshot of %s", input->path);
    }
    for (int i = 0; !status && i < network->parameter_count + network->buffer_count; i++) {
        const rs_parameter *tensor = i < network->parameter_count
                                         ? &network->parameters[i]
                                         : &network->buffers[i - network->parameter_count];
        status = rs_record_reader_tensor(input->reader, tensor->name, snapshot, &tensor->shape, at, error);
        at += tensor->count;
    }
    if (status) {
        rs_free(*state);
        *state = NULL;
    }
    return status;
}

rs_status rs__state_write(const rs__model *model, const float *state, rs_error *error)
{
    const rs_network *network = model->network;
    for (int i = 0; i < network->parameter_count; i++) {
        RS_TRY(model->backend->write(model->plan, RS_SLOT_VALUE, i, state, error));
        state += network->parameters[i].count;
    }
    for (int i = 0; i < network->buffer_count; i++) {
        RS_TRY(model->backend->write(model->plan, RS_SLOT_RUNNING, i, state, error));
        state += network->buffers[i].count;
    }
    return RS_OK;
}

static rs_status score_batches(const rs__model *model, rs_loader *loader, rs__score *score, rs_error *error)
{
    const rs_node *last = &model->network->nodes[model->network->node_count - 1];
    const bool summed = last->attributes.reduction == RS_REDUCTION_SUM;
    double loss = 0.0;
    int64_t correct = 0, samples = 0;
    rs_batch batch;
    RS_TRY(rs_loader_start(loader, 0, 0, error));
    for (;;) {
        rs_loss result;
        RS_TRY(rs_loader_next(loader, &batch, error));
        if (batch.count == 0) {
            break;
        }
        RS_TRY(model->backend->load_batch(model->plan, &batch, error));
        RS_TRY(model->backend->forward(model->plan, RS_MODE_EVALUATE, error));
        RS_TRY(model->backend->read_loss(model->plan, &result, error));
        loss += result.loss * (summed ? 1.0 : (double)batch.count);
        correct += result.correct;
        samples += batch.count;
    }
    score->loss = loss / (double)samples;
    score->accuracy =
        last->kind == RS_OP_MEAN_SQUARED_ERROR ? (double)NAN : (double)correct / (double)samples;
    return RS_OK;
}

rs_status rs__model_score(const rs__model *model, const rs_split *split, rs__score *score, rs_error *error)
{
    const rs_loader_options options = {.batch_size = model->batch, .prefetch = true};
    rs_loader *loader = NULL;
    RS_TRY(rs_loader_create(model->dataset, split, &options, &loader, error));
    rs_status status = score_batches(model, loader, score, error);
    rs_loader_destroy(loader);
    return status;
}
