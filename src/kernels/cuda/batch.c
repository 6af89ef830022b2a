/* batch.c: how a batch gets to node 0: from a split that lives on the device by the samples' numbers, as bytes, or as
 * values. Numbers and bytes go through a ring of pinned memory; the gathering kernel is left due. Values that are not held go
 * to node 0 at once: of a captured step they are no part. */
#include <inttypes.h>
#include <string.h>

#include "plan.h"

size_t rs__image_bytes(const rs_plan *plan)
{
    const rs__tensor *in = &plan->tensors[0];
    return in->channels <= RS_MAX_CHANNELS ? (size_t)(in->channels * rs__positions(in)) : 0;
}

static rs_status select_size(rs_plan *plan, int64_t count, rs_error *error)
{
    for (int i = 0; i < plan->options.batch_size_count; i++) {
        if (plan->options.batch_sizes[i] == count) {
            plan->size_index = i;
            plan->count = count;
            plan->ran_forward = plan->ran_backward = false;
            return RS_OK;
        }
    }
    return RS_FAIL(error, RS_USAGE, "a batch of %" PRId64 " samples is none of the plan's sizes", count);
}

rs_status rs__check_images(const rs_plan *plan, rs_error *error)
{
    if (plan->tensors[0].channels > RS_MAX_CHANNELS) {
        return RS_FAIL(error, RS_UNSUPPORTED, "images have at most %d channels, this network takes %" PRId64,
                       RS_MAX_CHANNELS, plan->tensors[0].channels);
    }
    return RS_OK;
}

/* Classes that a label may name: the fewest of the losses that take labels; INT64_MAX without any. */
static int64_t classes_of(const rs_plan *plan)
{
    int64_t classes = INT64_MAX;
    for (int i = 0; i < plan->op_count; i++) {
        const rs_operation *is = &plan->ops[i].is;
        if (rs_loss_takes_labels(plan->network->nodes[is->node].kind)) {
            int64_t own = plan->tensors[is->input[0]].channels;
            classes = own < classes ? own : classes;
        }
    }
    return classes;
}

rs_status rs__check_labels(const rs_plan *plan, const int32_t *labels, int64_t count, rs_error *error)
{
    int64_t classes = classes_of(plan);
    for (int64_t n = 0; labels && n < count; n++) {
        if (labels[n] < 0 || labels[n] >= classes) {
            return RS_FAIL(error, RS_DATA,
                           "label %d of sample %" PRId64 " of a batch: the network has %" PRId64 " classes",
                           labels[n], n, classes);
        }
    }
    return RS_OK;
}

/* The next of the ring, once the copies out of it are done. */
static rs_status take_load(rs_plan *plan, rs__load **load, rs_error *error)
{
    *load = &plan->loads[plan->next_load];
    if ((*load)->used) {
        RS__CUDA(error, cudaEventSynchronize((*load)->free));
        (*load)->used = false;
    }
    plan->next_load = (plan->next_load + 1) % RS__LOADS;
    return RS_OK;
}

static rs_status give_load(rs_plan *plan, rs__load *load, rs_error *error)
{
    RS__CUDA(error, cudaEventRecord(load->free, plan->device->compute));
    load->used = true;
    return RS_OK;
}

/* A data set's targets have a number for each class. */
rs_status rs__check_targets(const rs_plan *plan, const float *targets, rs_error *error)
{
    if (targets && plan->target_floats > 0 && plan->target_floats != plan->network->classes) {
        return RS_FAIL(error, RS_USAGE,
                       "targets have %d numbers, and mean_squared_error looks at %" PRId64 " elements",
                       plan->network->classes, plan->target_floats);
    }
    return RS_OK;
}

rs_status rs__to_device(const rs_plan *plan, void *to, const void *from, size_t bytes, rs_error *error)
{
    RS__CUDA(error, cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, plan->device->compute));
    return RS_OK;
}

/* Numbers of samples, by which a held split is gathered and dropout draws. */
static rs_status send_ids(rs_plan *plan, const int64_t *ids, int64_t count, const rs__load *load,
                          rs_error *error)
{
    rs_dropout_ids(ids, count, load->ids);
    return rs__to_device(plan, plan->ids, load->ids, (size_t)count * sizeof *load->ids, error);
}

static rs_status check_ids(const rs_batch *batch, const rs__held *held, rs_error *error)
{
    for (int64_t i = 0; held && i < batch->count; i++) {
        if (batch->sample_ids[i] < 0 || batch->sample_ids[i] >= held->split->count) {
            return RS_FAIL(error, RS_USAGE, "sample %" PRId64 " of a split of %" PRId64, batch->sample_ids[i],
                           held->split->count);
        }
    }
    return RS_OK;
}

/* In device memory, as what a captured step is given anew; most batches find it there. */
static rs_status send_epoch(rs_plan *plan, int64_t epoch, const rs__load *load, rs_error *error)
{
    if (!plan->draws || epoch == plan->epoch_there) {
        return RS_OK;
    }
    plan->epoch_there = INT64_MIN;
    *load->epoch = (uint32_t)epoch;
    RS_TRY(rs__to_device(plan, plan->epoch, load->epoch, sizeof *load->epoch, error));
    plan->epoch_there = epoch;
    return RS_OK;
}

/* --- batches ---------------------------------------------------------------------------------------------- */

static rs_status send_labels(const rs_plan *plan, const int32_t *labels, int64_t count, const rs__load *load,
                             rs_error *error)
{
    size_t bytes = (size_t)count * sizeof *labels;
    memcpy(load->labels, labels, bytes);
    return rs__to_device(plan, plan->labels, load->labels, bytes, error);
}

static rs_status send_images(rs_plan *plan, const rs_batch *batch, const rs__load *load, rs_error *error)
{
    size_t bytes = (size_t)batch->count * rs__image_bytes(plan);
    memcpy(load->bytes, batch->images, bytes);
    return rs__to_device(plan, plan->batch_bytes, load->bytes, bytes, error);
}

static rs_status send_targets(const rs_plan *plan, const float *targets, int64_t count, const rs__load *load,
                              rs_error *error)
{
    size_t bytes = (size_t)(count * plan->target_floats) * sizeof *targets;
    memcpy(load->targets, targets, bytes);
    return bytes > 0 ? rs__to_device(plan, plan->targets, load->targets, bytes, error) : RS_OK;
}

rs_cu_order rs__input_order(const rs_plan *plan, int64_t count)
{
    const rs__tensor *in = &plan->tensors[0];
    return (rs_cu_order){.outer = count,
                         .positions = rs__positions(in),
                         .inner = (int)in->channels,
                         .stride = (int)in->stride};
}

/* Canonical floats in one sample of node 0. */
static size_t input_floats(const rs_plan *plan)
{
    return (size_t)(plan->tensors[0].channels * rs__positions(&plan->tensors[0]));
}

/* Canonical values into node 0: nothing is left for rs__batch_gather to do. */
static rs_status load_floats(rs_plan *plan, const float *values, int64_t count, rs_error *error)
{
    const rs_cu_order order = rs__input_order(plan, count);
    size_t bytes = (size_t)count * input_floats(plan) * sizeof(float);
    RS_TRY(rs__to_device(plan, plan->shared, values, bytes, error));
    RS__CUDA(error,
             rs_cu_from_canonical(&order, plan->shared, plan->tensors[0].value, plan->device->compute));
    return RS_OK;
}

/* Pinned memory for values is taken once for each of the ring, by its first batch of them: most plans see images. */
static rs_status send_values(rs_plan *plan, const rs_batch *batch, rs__load *load, rs_error *error)
{
    size_t sample = input_floats(plan) * sizeof(float);
    if (!load->values) {
        void *memory;
        RS_TRY(
            rs__pinned_take((size_t)rs__largest_batch(plan) * sample, "batches of values", &memory, error));
        load->values = memory;
    }
    memcpy(load->values, batch->values, (size_t)batch->count * sample);
    return load_floats(plan, load->values, batch->count, error);
}

/* What a batch brings that the device does not hold. */
static rs_status send_samples(rs_plan *plan, const rs_batch *batch, rs__load *load, rs_error *error)
{
    RS_TRY(batch->values ? send_values(plan, batch, load, error) : send_images(plan, batch, load, error));
    RS_TRY(batch->labels ? send_labels(plan, batch->labels, batch->count, load, error) : RS_OK);
    return batch->targets ? send_targets(plan, batch->targets, batch->count, load, error) : RS_OK;
}

static rs_status check_batch(const rs_plan *plan, const rs_batch *batch, const rs__held *held,
                             rs_error *error)
{
    bool values = held ? held->values != NULL : batch->values != NULL;
    RS_TRY(values ? RS_OK : rs__check_images(plan, error));
    if (!held && !batch->images && !batch->values) {
        return RS_FAIL(error, RS_USAGE, "a batch without images, of a split that the device does not hold");
    }
    RS_TRY(rs__check_labels(plan, batch->labels, batch->count, error));
    RS_TRY(rs__check_targets(plan, batch->targets, error));
    return check_ids(batch, held, error);
}

rs_status rs__cuda_load_batch(rs_plan *plan, const rs_batch *batch, rs_error *error)
{
    const rs__held *held = batch->sample_ids ? rs__held_find(plan, batch->split) : NULL;
    rs__load *load;
    RS_TRY(check_batch(plan, batch, held, error));
    RS_TRY(rs__catch_up(plan, error));
    RS_TRY(select_size(plan, batch->count, error));
    RS_TRY(take_load(plan, &load, error));
    plan->held_batch = held;
    plan->source = held ? RS__FROM_HELD : batch->values ? RS__FROM_VALUES : RS__FROM_BYTES;
    plan->labelled = held ? held->labels != NULL : batch->labels != NULL;
    plan->targeted = held ? held->targets != NULL : batch->targets != NULL;
    if (held || plan->draws) {
        RS_TRY(send_ids(plan, batch->sample_ids, batch->count, load, error));
    }
    RS_TRY(send_epoch(plan, batch->epoch, load, error));
    RS_TRY(held ? RS_OK : send_samples(plan, batch, load, error));
    RS_TRY(give_load(plan, load, error));
    plan->due = RS__DUE_BATCH;
    return RS_OK;
}

static rs_status gather_images(rs_plan *plan, const rs__held *held, rs_error *error)
{
    const rs__tensor *in = &plan->tensors[0];
    const rs_cu_gather gather = {.images = held ? held->images : plan->batch_bytes,
                                 .labels = held ? held->labels : NULL,
                                 .ids = held ? plan->ids : NULL,
                                 .table = plan->table,
                                 .x = in->value,
                                 .labels_out = plan->labels,
                                 .count = plan->count,
                                 .positions = rs__positions(in),
                                 .channels = (int)in->channels,
                                 .stride = (int)in->stride};
    RS__CUDA(error, rs_cu_gather_launch(&gather, plan->device->compute));
    return RS_OK;
}

static rs_status gather_values(rs_plan *plan, const rs__held *held, rs_error *error)
{
    const rs_cu_row_gather rows = {.from = held->values,
                                   .ids = plan->ids,
                                   .to = plan->tensors[0].value,
                                   .labels = held->labels,
                                   .labels_out = plan->labels,
                                   .count = plan->count,
                                   .row = rs__sample_floats(&plan->tensors[0])};
    RS__CUDA(error, rs_cu_gather_rows(&rows, plan->device->compute));
    return RS_OK;
}

static rs_status gather_targets(rs_plan *plan, const rs__held *held, rs_error *error)
{
    const rs_cu_row_gather rows = {.from = held->targets,
                                   .ids = plan->ids,
                                   .to = plan->targets,
                                   .count = plan->count,
                                   .row = plan->target_floats};
    RS__CUDA(error, rs_cu_gather_rows(&rows, plan->device->compute));
    return RS_OK;
}

rs_status rs__batch_gather(rs_plan *plan, rs_error *error)
{
    const rs__held *held = plan->held_batch;
    if (plan->source == RS__FROM_VALUES) {
        return RS_OK;
    }
    RS_TRY(held && held->values ? gather_values(plan, held, error) : gather_images(plan, held, error));
    return held && held->targets ? gather_targets(plan, held, error) : RS_OK;
}

/* What a batch that goes through load_values brings with its values. */
static rs_status send_beside(rs_plan *plan, const int32_t *labels, const float *targets, int64_t count,
                             rs_error *error)
{
    rs__load *load;
    RS_TRY(take_load(plan, &load, error));
    RS_TRY(labels ? send_labels(plan, labels, count, load, error) : RS_OK);
    RS_TRY(targets ? send_targets(plan, targets, count, load, error) : RS_OK);
    RS_TRY(plan->draws ? send_ids(plan, NULL, count, load, error) : RS_OK);
    RS_TRY(send_epoch(plan, 0, load, error));
    return give_load(plan, load, error);
}

rs_status rs__cuda_load_values(rs_plan *plan, const void *values, const int32_t *labels, const void *targets,
                               int64_t count, rs_error *error)
{
    RS_TRY(rs__check_labels(plan, labels, count, error));
    RS_TRY(rs__catch_up(plan, error));
    RS_TRY(select_size(plan, count, error));
    plan->labelled = labels != NULL;
    plan->targeted = targets != NULL;
    plan->source = RS__FROM_VALUES;
    plan->held_batch = NULL;
    if (labels || targets || plan->draws) {
        RS_TRY(send_beside(plan, labels, targets, count, error));
    }
    RS_TRY(load_floats(plan, values, count, error));
    return rs__settle(plan, error); /* the caller's values may go away */
}
