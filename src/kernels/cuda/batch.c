/* batch.c: how a batch gets to node 0: from a split that lives on the device by the samples' numbers, as bytes, or as
 * values. Numbers and bytes go through a ring of pinned memory; the gathering kernel is left due. */
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
            plan->ran_forward = false;
            return RS_OK;
        }
    }
    return RS_FAIL(error, RS_USAGE, "a batch of %" PRId64 " samples is none of the plan's sizes", count);
}

static rs_status check_images(const rs_plan *plan, rs_error *error)
{
    if (plan->tensors[0].channels > RS_MAX_CHANNELS) {
        return RS_FAIL(error, RS_UNSUPPORTED, "images have at most %d channels, this network takes %" PRId64,
                       RS_MAX_CHANNELS, plan->tensors[0].channels);
    }
    return RS_OK;
}

/* Classes that a label may name; 0 without a loss. */
static int64_t classes_of(const rs_plan *plan)
{
    return plan->has_loss ? plan->tensors[rs__readable_node(plan)].channels : 0;
}

static rs_status check_labels(const rs_plan *plan, const int32_t *labels, int64_t count, rs_error *error)
{
    int64_t classes = classes_of(plan);
    for (int64_t n = 0; labels && classes > 0 && n < count; n++) {
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

static rs_status to_device(const rs_plan *plan, void *to, const void *from, size_t bytes, rs_error *error)
{
    RS__CUDA(error, cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, plan->device->compute));
    return RS_OK;
}

/* --- held splits ------------------------------------------------------------------------------------------ */

static const rs__held *find_held(const rs_plan *plan, const rs_split *split)
{
    for (int i = 0; split && i < plan->held_count; i++) {
        if (plan->held[i].split == split) {
            return &plan->held[i];
        }
    }
    return NULL;
}

/* Numbers of samples, by which a held split is gathered and dropout draws. */
static rs_status send_ids(rs_plan *plan, const int64_t *ids, int64_t count, const rs__load *load,
                          rs_error *error)
{
    rs_dropout_ids(ids, count, load->ids);
    return to_device(plan, plan->ids, load->ids, (size_t)count * sizeof *load->ids, error);
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
    RS_TRY(to_device(plan, plan->epoch, load->epoch, sizeof *load->epoch, error));
    plan->epoch_there = epoch;
    return RS_OK;
}

static rs_status upload_split(rs_plan *plan, rs__held *held, rs_error *error)
{
    const rs_split *split = held->split;
    size_t images = (size_t)split->count * rs__image_bytes(plan);
    size_t labels = (size_t)split->count * sizeof(int32_t);
    void *memory;
    RS_TRY(rs__memory_take(plan->device, images, "the images of a split", &memory, error));
    held->images = memory;
    RS_TRY(rs__memory_take(plan->device, labels, "the labels of a split", &memory, error));
    held->labels = memory;
    RS_TRY(to_device(plan, held->images, split->images, images, error));
    RS_TRY(to_device(plan, held->labels, split->labels, labels, error));
    RS__CUDA(error, cudaStreamSynchronize(plan->device->compute));
    return RS_OK;
}

static void release_held(rs__held *held)
{
    rs__memory_release(held->images);
    rs__memory_release(held->labels);
    *held = (rs__held){0};
}

/* Snapshots need room for their copies, later: images must not take it. */
static rs_status check_room(const rs_plan *plan, const rs_split *split, rs_error *error)
{
    uint64_t left, images = (uint64_t)split->count * (rs__image_bytes(plan) + sizeof(int32_t));
    uint64_t copies = plan->copies.area_bytes ? 0 : rs__copies_bytes(plan);
    RS_TRY(rs__memory_free_bytes(&left, error));
    if (images + copies > left) {
        return RS_FAIL(error, RS_MEMORY,
                       "%" PRIu64 " bytes of images leave too little of the GPU's memory (%" PRIu64
                       " bytes are free)",
                       images, left);
    }
    return RS_OK;
}

rs_status rs__cuda_hold_split(rs_plan *plan, const rs_split *split, rs_error *error)
{
    RS_TRY(check_images(plan, error));
    if (find_held(plan, split)) {
        return RS_OK;
    }
    if (plan->held_count == RS__HELD) {
        return RS_FAIL(error, RS_MEMORY, "a plan holds at most %d splits", RS__HELD);
    }
    RS_TRY(check_labels(plan, split->labels, split->count, error));
    RS_TRY(check_room(plan, split, error));
    RS_TRY(rs__catch_up(plan, error));
    rs__held *held = &plan->held[plan->held_count];
    *held = (rs__held){.split = split};
    rs_status status = upload_split(plan, held, error);
    if (status) {
        release_held(held);
        return status;
    }
    plan->held_count++;
    return RS_OK;
}

void rs__held_release(rs_plan *plan)
{
    for (int i = 0; i < plan->held_count; i++) {
        release_held(&plan->held[i]);
    }
    plan->held_count = 0;
}

/* --- batches ---------------------------------------------------------------------------------------------- */

static rs_status send_labels(const rs_plan *plan, const int32_t *labels, int64_t count, const rs__load *load,
                             rs_error *error)
{
    size_t bytes = (size_t)count * sizeof *labels;
    memcpy(load->labels, labels, bytes);
    return to_device(plan, plan->labels, load->labels, bytes, error);
}

static rs_status send_images(rs_plan *plan, const rs_batch *batch, const rs__load *load, rs_error *error)
{
    size_t bytes = (size_t)batch->count * rs__image_bytes(plan);
    memcpy(load->bytes, batch->images, bytes);
    return to_device(plan, plan->batch_bytes, load->bytes, bytes, error);
}

rs_status rs__cuda_load_batch(rs_plan *plan, const rs_batch *batch, rs_error *error)
{
    const rs__held *held = batch->sample_ids ? find_held(plan, batch->split) : NULL;
    rs__load *load;
    RS_TRY(check_images(plan, error));
    if (!held && !batch->images) {
        return RS_FAIL(error, RS_USAGE, "a batch without images, of a split that the device does not hold");
    }
    RS_TRY(check_labels(plan, batch->labels, batch->count, error));
    RS_TRY(check_ids(batch, held, error));
    RS_TRY(rs__catch_up(plan, error));
    RS_TRY(select_size(plan, batch->count, error));
    RS_TRY(take_load(plan, &load, error));
    plan->source = held;
    plan->labelled = batch->labels != NULL;
    if (held || plan->draws) {
        RS_TRY(send_ids(plan, batch->sample_ids, batch->count, load, error));
    }
    RS_TRY(send_epoch(plan, batch->epoch, load, error));
    if (!held) {
        RS_TRY(send_images(plan, batch, load, error));
        RS_TRY(plan->labelled ? send_labels(plan, batch->labels, batch->count, load, error) : RS_OK);
    }
    RS_TRY(give_load(plan, load, error));
    plan->due = RS__DUE_BATCH;
    return RS_OK;
}

rs_status rs__batch_gather(rs_plan *plan, rs_error *error)
{
    const rs__tensor *in = &plan->tensors[0];
    const rs__held *held = plan->source;
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

static rs_status load_floats(rs_plan *plan, const float *values, int64_t count, rs_error *error)
{
    const rs__tensor *in = &plan->tensors[0];
    const rs_cu_order order = {.outer = count,
                               .positions = rs__positions(in),
                               .inner = (int)in->channels,
                               .stride = (int)in->stride};
    size_t bytes = (size_t)(count * in->channels * rs__positions(in)) * sizeof(float);
    RS_TRY(to_device(plan, plan->shared, values, bytes, error));
    RS__CUDA(error, rs_cu_from_canonical(&order, plan->shared, in->value, plan->device->compute));
    return RS_OK;
}

rs_status rs__cuda_load_values(rs_plan *plan, const void *values, const int32_t *labels, const void *targets,
                               int64_t count, rs_error *error)
{
    rs__load *load;
    (void)targets;
    RS_TRY(check_labels(plan, labels, count, error));
    RS_TRY(rs__catch_up(plan, error));
    RS_TRY(select_size(plan, count, error));
    plan->labelled = labels != NULL;
    if (labels || plan->draws) {
        RS_TRY(take_load(plan, &load, error));
        RS_TRY(labels ? send_labels(plan, labels, count, load, error) : RS_OK);
        RS_TRY(plan->draws ? send_ids(plan, NULL, count, load, error) : RS_OK);
        RS_TRY(send_epoch(plan, 0, load, error));
        RS_TRY(give_load(plan, load, error));
    }
    RS_TRY(load_floats(plan, values, count, error));
    return rs__settle(plan, error); /* the caller's values may go away */
}
