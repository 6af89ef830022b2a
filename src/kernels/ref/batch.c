/* batch.c: loading a batch: images, values, labels and targets. */
#include <inttypes.h>
#include <string.h>

#include "plan.h"

static rs_status check_count(const rs_plan *plan, int64_t count, rs_error *error)
{
    for (int i = 0; i < plan->options.batch_size_count; i++) {
        if (plan->options.batch_sizes[i] == count) {
            return RS_OK;
        }
    }
    return RS_FAIL(error, RS_USAGE, "%" PRId64 " samples: not one of this plan's batch sizes", count);
}

static rs_status take_labels(rs_plan *plan, const int32_t *labels, int64_t count, rs_error *error)
{
    for (int64_t i = 0; labels && i < count; i++) {
        if (labels[i] < 0 || labels[i] >= plan->network->classes) {
            return RS_FAIL(error, RS_DATA, "label %d of sample %" PRId64 " of the batch: must be 0 to %d",
                           labels[i], i, plan->network->classes - 1);
        }
    }
    if (labels) {
        memcpy(plan->labels, labels, (size_t)count * sizeof *labels);
    }
    plan->labelled = labels != NULL;
    return RS_OK;
}

/* What every batch begins with; the images or values and the targets follow. */
static rs_status begin(rs_plan *plan, const int32_t *labels, int64_t count, rs_error *error)
{
    RS_TRY(check_count(plan, count, error));
    RS_TRY(take_labels(plan, labels, count, error));
    plan->count = count;
    plan->targeted = plan->ran_forward = plan->ran_backward = false;
    rs_profile_forget(&plan->profile);
    return RS_OK;
}

static rs_status take_images(rs_plan *plan, const rs_batch *batch, rs_error *error)
{
    const int64_t *shape = plan->network->nodes[0].shape;
    if (batch->values) {
        plan->table->convert(batch->values, batch->count * shape[0] * shape[1] * shape[2], plan->outputs[0]);
        return RS_OK;
    }
    if (!batch->images) {
        return RS_FAIL(error, RS_USAGE, "a batch without images and values");
    }
    if (shape[0] > RS_MAX_CHANNELS) {
        return RS_FAIL(error, RS_UNSUPPORTED, "images have at most %d channels, the network takes %" PRId64,
                       RS_MAX_CHANNELS, shape[0]);
    }
    plan->table->normalise(&plan->options, batch->images, batch->count, shape[0], shape[1] * shape[2],
                           plan->outputs[0]);
    return RS_OK;
}

/* A data set's targets have a number for each class. */
static rs_status take_targets(rs_plan *plan, const rs_batch *batch, rs_error *error)
{
    if (!batch->targets || plan->target_size == 0) {
        return RS_OK;
    }
    RS_TRY(rs_losses_check_targets(plan->network, error));
    plan->table->convert(batch->targets, batch->count * plan->target_size, plan->targets);
    plan->targeted = true;
    return RS_OK;
}

rs_status ref_load_batch(rs_plan *plan, const rs_batch *batch, rs_error *error)
{
    RS_TRY(begin(plan, batch->labels, batch->count, error));
    rs_dropout_ids(batch->sample_ids, batch->count, plan->ids);
    plan->epoch = (uint32_t)batch->epoch;
    double start = rs_profile_begin(&plan->profile);
    RS_TRY(take_images(plan, batch, error));
    RS_TRY(take_targets(plan, batch, error));
    rs_profile_hold(&plan->profile, start);
    return RS_OK;
}

rs_status ref_load_values(rs_plan *plan, const void *values, const int32_t *labels, const void *targets,
                          int64_t count, rs_error *error)
{
    const int64_t *shape = plan->network->nodes[0].shape;
    size_t size = rs_dtype_size(plan->options.dtype);
    RS_TRY(begin(plan, labels, count, error));
    rs_dropout_ids(NULL, count, plan->ids);
    plan->epoch = 0;
    memcpy(plan->outputs[0], values, (size_t)(count * shape[0] * shape[1] * shape[2]) * size);
    if (targets && plan->target_size > 0) {
        memcpy(plan->targets, targets, (size_t)(count * plan->target_size) * size);
        plan->targeted = true;
    }
    return RS_OK;
}
