/* steps.c: loading a batch and running the operations. Nothing here allocates. */
#include <inttypes.h>
#include <string.h>

#include "losses.h"
#include "plan.h"

static rs_status select_size(rs_plan *plan, int64_t count, rs_error *error)
{
    for (int i = 0; i < plan->options.batch_size_count; i++) {
        if (plan->options.batch_sizes[i] == count) {
            plan->size_index = i;
            plan->count = count;
            plan->ran_forward = plan->ran_backward = false;
            rs_profile_forget(&plan->profile);
            return RS_OK;
        }
    }
    return RS_FAIL(error, RS_USAGE, "a batch of %" PRId64 " samples is none of the plan's sizes", count);
}

static rs_status take_labels(rs_plan *plan, const int32_t *labels, int64_t count, rs_error *error)
{
    plan->labelled = labels != NULL;
    for (int64_t n = 0; labels && plan->wants_labels && n < count; n++) {
        if (labels[n] < 0 || labels[n] >= plan->network->classes) {
            return RS_FAIL(error, RS_DATA,
                           "label %d of sample %" PRId64 " of a batch: the network has %d classes", labels[n],
                           n, plan->network->classes);
        }
        plan->labels[n] = labels[n];
    }
    return RS_OK;
}

static void take_targets(rs_plan *plan, const float *targets, int64_t count)
{
    plan->targeted = targets != NULL;
    if (targets && plan->target_count > 0) {
        memcpy(plan->targets, targets, (size_t)(count * plan->target_count) * sizeof *targets);
    }
}

static void normalise_plain(const rs_plan *plan, const uint8_t *image, float *to, int64_t positions)
{
    for (int64_t c = 0; c < plan->tensors[0].channels; c++) {
        for (int64_t i = 0; i < positions; i++) {
            to[c * positions + i] = plan->table[c][image[c * positions + i]];
        }
    }
}

/* At most RS_MAX_CHANNELS channels: one block. */
static void normalise_blocked(const rs_plan *plan, const uint8_t *image, float *to, int64_t positions)
{
    int64_t lanes = plan->device->kernels->lanes, channels = plan->tensors[0].channels;
    for (int64_t i = 0; i < positions; i++) {
        for (int64_t c = 0; c < lanes; c++) {
            to[i * lanes + c] = c < channels ? plan->table[c][image[c * positions + i]] : 0.0f;
        }
    }
}

static void normalise(const rs_plan *plan, const uint8_t *images, int64_t count)
{
    const rs__tensor *in = &plan->tensors[0];
    int64_t positions = in->height * in->width, floats = rs__sample_floats(plan, in);
#pragma omp parallel for schedule(static) if (rs__worth_threads(count * floats / 4))
    for (int64_t n = 0; n < count; n++) {
        const uint8_t *image = images + n * in->channels * positions;
        if (in->plain) {
            normalise_plain(plan, image, in->value + n * floats, positions);
        } else {
            normalise_blocked(plan, image, in->value + n * floats, positions);
        }
    }
}

static void take_values(const rs_plan *plan, const float *values, int64_t count)
{
    const rs__tensor *in = &plan->tensors[0];
    rs__tensor_copy(plan, in, in->plain, RS__FROM_CANONICAL, in->value, (float *)(uintptr_t)values, count);
}

rs_status rs__cpu_load_batch(rs_plan *plan, const rs_batch *batch, rs_error *error)
{
    const rs__tensor *in = &plan->tensors[0];
    if (!batch->values && !batch->images) {
        return RS_FAIL(error, RS_USAGE, "a batch without images and values");
    }
    if (!batch->values && in->channels > RS_MAX_CHANNELS) {
        return RS_FAIL(error, RS_UNSUPPORTED, "images have at most %d channels, this network takes %" PRId64,
                       RS_MAX_CHANNELS, in->channels);
    }
    RS_TRY(select_size(plan, batch->count, error));
    RS_TRY(take_labels(plan, batch->labels, batch->count, error));
    RS_TRY(batch->targets ? rs_losses_check_targets(plan->network, error) : RS_OK);
    take_targets(plan, batch->targets, batch->count);
    rs_dropout_ids(batch->sample_ids, batch->count, plan->ids);
    plan->epoch = (uint32_t)batch->epoch;
    double begin = rs__timer_begin(plan);
    if (batch->values) {
        take_values(plan, batch->values, batch->count);
    } else {
        normalise(plan, batch->images, batch->count);
    }
    rs_profile_hold(&plan->profile, begin);
    return RS_OK;
}

rs_status rs__cpu_load_values(rs_plan *plan, const void *values, const int32_t *labels, const void *targets,
                              int64_t count, rs_error *error)
{
    RS_TRY(select_size(plan, count, error));
    RS_TRY(take_labels(plan, labels, count, error));
    take_targets(plan, targets, count);
    rs_dropout_ids(NULL, count, plan->ids);
    plan->epoch = 0;
    take_values(plan, values, count);
    return RS_OK;
}

/* Operations [first, end): a segment, or one that takes the whole batch. */
static rs_status run_forward(rs_plan *plan, int first, int end, rs_mode mode, rs_error *error)
{
    rs__op *op = &plan->ops[first];
    double begin = rs__timer_begin(plan);
    if (op->kind->forward) {
        RS_TRY(op->kind->forward(plan, op, mode, error));
    } else {
        RS_TRY(rs__segment_forward(plan, first, end, mode, error));
    }
    for (int i = first; i < end; i++) {
        rs__objectives_measure(plan, &plan->ops[i]);
    }
    if (mode == RS_MODE_TRAIN) {
        rs__timer_end(plan, op, RS__TIMED_FORWARD, begin);
    }
    return RS_OK;
}

/* While a profile is on every operation runs, and is timed, alone. */
static int segment_end(const rs_plan *plan, int first)
{
    return plan->profile.on ? first + 1 : plan->ops[first].segment_end;
}

rs_status rs__cpu_forward(rs_plan *plan, rs_mode mode, rs_error *error)
{
    if (plan->count == 0) {
        return RS_FAIL(error, RS_USAGE, "forward before any batch was loaded");
    }
    plan->ran_forward = plan->ran_backward = false;
    if (mode == RS_MODE_TRAIN) {
        rs__timer_count_batch(plan);
    }
    for (int i = 0, end; i < plan->op_count; i = end) {
        end = segment_end(plan, i);
        RS_TRY(run_forward(plan, i, end, mode, error));
    }
    plan->mode = mode;
    plan->ran_forward = true;
    return RS_OK;
}

/* Values that were not kept and that the operation's backward is the first to read. */
static rs_status recompute_for(rs_plan *plan, const rs__op *op, rs_error *error)
{
    for (int i = op->first_recomputed; i < op->end_recomputed; i++) {
        rs__op *writer = &plan->ops[plan->recomputed[i]];
        double begin = rs__timer_begin(plan);
        RS_TRY(writer->kind->recompute(plan, writer, error));
        rs__timer_end(plan, writer, RS__TIMED_AGAIN, begin);
    }
    return RS_OK;
}

/* What a convolution has left to add to the gradient of the operation's output, where no join does it while it reads,
 * and what its objectives add. */
static void complete_gradient(const rs_plan *plan, const rs__op *op)
{
    const rs__tensor *t = &plan->tensors[op->output];
    if (t->addend && !op->joined) {
        rs__elements_pass(plan, t, t->addend, t->gradient, RS_PASS_ADD);
    }
    if (plan->backward.source[op->output] == RS_PASS_NONE) {
        return;
    }
#pragma omp parallel for schedule(static)
    for (int64_t n = 0; n < plan->count; n++) {
        rs__objectives_backward(plan, op, n, n + 1);
    }
}

static rs_status run_backward(rs_plan *plan, int first, int end, rs_error *error)
{
    rs__op *op = &plan->ops[first];
    for (int i = end - 1; i >= first; i--) {
        RS_TRY(plan->ops[i].needed ? recompute_for(plan, &plan->ops[i], error) : RS_OK);
    }
    if (end == first + 1 && !op->needed) {
        return RS_OK;
    }
    double begin = rs__timer_begin(plan);
    if (op->kind->backward) {
        complete_gradient(plan, op);
        RS_TRY(op->kind->backward(plan, op, error));
    } else {
        rs__segment_backward(plan, first, end);
    }
    if (!op->kind->times_itself) {
        rs__timer_end(plan, op, RS__TIMED_BACKWARD, begin);
    }
    return RS_OK;
}

/* First operation of the segment that ends before `end`. */
static int segment_before(const rs_plan *plan, int end)
{
    int first = end - 1;
    while (!plan->profile.on && plan->ops[first].segment_end == 0) {
        first--;
    }
    return first;
}

rs_status rs__cpu_backward(rs_plan *plan, rs_label_choice labels, rs_error *error)
{
    if (!plan->options.training) {
        return RS_FAIL(error, RS_UNSUPPORTED, "this plan was made for forward passes only");
    }
    if (!plan->ran_forward) {
        return RS_FAIL(error, RS_USAGE, "backward needs a forward pass before it");
    }
    plan->label_choice = labels;
    for (int end = plan->op_count, first; end > 0; end = first) {
        first = segment_before(plan, end);
        RS_TRY(run_backward(plan, first, end, error));
    }
    plan->ran_backward = true;
    return RS_OK;
}

rs_status rs__cpu_read_loss(rs_plan *plan, rs_loss *loss, rs_error *error)
{
    if (!plan->has_loss || !plan->ran_forward) {
        return RS_FAIL(error, RS_USAGE, "there is no loss to read: %s",
                       plan->has_loss ? "no forward pass ran" : "the network ends without one");
    }
    *loss = plan->loss;
    return RS_OK;
}
