/* batch_statistics.c: see batch_statistics.h. With running statistics of 0, a forward pass in training mode leaves momentum
 * times those of its batch there: so any backend tells them. */
#include "batch_statistics.h"

#include "rs/host.h"

/* The momentum of the batch norm that a buffer is of. */
static double momentum_of(const rs_network *network, int buffer)
{
    return network->nodes[network->buffers[buffer].node].attributes.momentum;
}

static rs_status check_momentum(const rs_network *network, rs_error *error)
{
    for (int b = 0; b < network->buffer_count; b++) {
        if (!(momentum_of(network, b) > 0.0)) {
            return RS_FAIL(error, RS_UNSUPPORTED,
                           "%s never follows its batches (momentum 0): nothing to estimate",
                           network->buffers[b].name);
        }
    }
    return RS_OK;
}

/* Writes the same to every buffer (sums NULL: 0), or sums / batches. */
static rs_status write_all(const rs__model *model, const double *sums, double batches, float *values,
                           rs_error *error)
{
    const rs_network *network = model->network;
    for (int b = 0; b < network->buffer_count; b++) {
        for (int64_t i = 0; i < network->buffers[b].count; i++) {
            values[i] = sums ? (float)(*sums++ / batches) : 0.0F;
        }
        RS_TRY(model->backend->write(model->plan, RS_SLOT_RUNNING, b, values, error));
    }
    return RS_OK;
}

static rs_status add_all(const rs__model *model, double *sums, float *values, rs_error *error)
{
    const rs_network *network = model->network;
    for (int b = 0; b < network->buffer_count; b++) {
        RS_TRY(model->backend->read(model->plan, RS_SLOT_RUNNING, b, values, error));
        for (int64_t i = 0; i < network->buffers[b].count; i++) {
            *sums++ += (double)values[i] / momentum_of(network, b);
        }
    }
    return RS_OK;
}

static rs_status pass_over(const rs__model *model, rs_loader *loader, double *sums, float *values,
                           rs_error *error)
{
    int64_t batches = 0;
    RS_TRY(rs_loader_start(loader, 0, 0, error));
    for (;; batches++) {
        rs_batch batch;
        RS_TRY(rs_loader_next(loader, &batch, error));
        if (batch.count == 0) {
            break;
        }
        RS_TRY(write_all(model, NULL, 1.0, values, error));
        RS_TRY(model->backend->load_batch(model->plan, &batch, error));
        RS_TRY(model->backend->forward(model->plan, RS_MODE_TRAIN, error));
        RS_TRY(add_all(model, sums, values, error));
    }
    return write_all(model, sums, (double)batches, values, error);
}

rs_status rs__estimate_statistics(const rs__model *model, const rs_split *split, rs_error *error)
{
    const rs_loader_options options = {.batch_size = model->batch, .prefetch = true};
    rs_loader *loader = NULL;
    int64_t size = 1;
    RS_TRY(check_momentum(model->network, error));
    for (int b = 0; b < model->network->buffer_count; b++) {
        size += model->network->buffers[b].count;
    }
    double *sums = rs_alloc_array((size_t)size, sizeof *sums);
    float *values = rs_alloc_array((size_t)size, sizeof *values);
    rs_status status = sums && values ? rs_loader_create(model->dataset, split, &options, &loader, error)
                                      : RS_FAIL(error, RS_MEMORY, "no memory for running statistics");
    status = status ? status : pass_over(model, loader, sums, values, error);
    rs_loader_destroy(loader);
    rs_free(sums);
    rs_free(values);
    return status;
}
