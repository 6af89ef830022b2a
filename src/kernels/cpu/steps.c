/* steps.c: loading a batch and running the operations. Nothing here allocates. */
#include <inttypes.h>
#include <string.h>

#include "plan.h"

static rs_status select_size(rs_plan *plan, int64_t count, rs_error *error)
{
    for (int i = 0; i < plan->options.batch_size_count; i++) {
        if (plan->options.batch_sizes[i] == count) {
            plan->size_index = i;
            plan->count = count;
            plan->ran_forward = false;
            rs_profile_forget(&plan->profile);
            return RS_OK;
        }
    }
    return RS_FAIL(error, RS_USAGE, "a batch of %" PRId64 " samples is none of the plan's sizes", count);
}

static rs_status take_labels(rs_plan *plan, const int32_t *labels, int64_t count, rs_error *error)
{
    plan->labelled = labels != NULL;
    if (!labels || !plan->has_loss) {
        return RS_OK;
    }
    const rs_network *network = plan->network;
    int64_t classes = network->nodes[network->nodes[network->node_count - 1].input[0]].shape[0];
    for (int64_t n = 0; n < count; n++) {
        if (labels[n] < 0 || labels[n] >= classes) {
            return RS_FAIL(error, RS_DATA,
                           "label %d of sample %" PRId64 " of a batch: the network has %" PRId64 " classes",
                           labels[n], n, classes);
        }
        plan->labels[n] = labels[n];
    }
    return RS_OK;
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

rs_status rs__cpu_load_batch(rs_plan *plan, const rs_batch *batch, rs_error *error)
{
    const rs__tensor *in = &plan->tensors[0];
    if (in->channels > RS_MAX_CHANNELS) {
        return RS_FAIL(error, RS_UNSUPPORTED, "images have at most %d channels, this network takes %" PRId64,
                       RS_MAX_CHANNELS, in->channels);
    }
    RS_TRY(select_size(plan, batch->count, error));
    RS_TRY(take_labels(plan, batch->labels, batch->count, error));
    rs_dropout_ids(batch->sample_ids, batch->count, plan->ids);
    plan->epoch = (uint32_t)batch->epoch;
    double begin = rs__timer_begin(plan);
    int64_t positions = in->height * in->width, floats = rs__sample_floats(plan, in);
#pragma omp parallel for schedule(static)
    for (int64_t n = 0; n < batch->count; n++) {
        const uint8_t *image = batch->images + n * in->channels * positions;
        if (in->plain) {
            normalise_plain(plan, image, in->value + n * floats, positions);
        } else {
            normalise_blocked(plan, image, in->value + n * floats, positions);
        }
    }
    rs_profile_hold(&plan->profile, begin);
    return RS_OK;
}

rs_status rs__cpu_load_values(rs_plan *plan, const void *values, const int32_t *labels, const void *targets,
                              int64_t count, rs_error *error)
{
    (void)targets;
    RS_TRY(select_size(plan, count, error));
    RS_TRY(take_labels(plan, labels, count, error));
    rs_dropout_ids(NULL, count, plan->ids);
    plan->epoch = 0;
    const rs__tensor *in = &plan->tensors[0];
    rs__tensor_copy(plan, in, in->plain, RS__FROM_CANONICAL, in->value, (float *)(uintptr_t)values, count);
    return RS_OK;
}

rs_status rs__cpu_forward(rs_plan *plan, rs_mode mode, rs_error *error)
{
    if (plan->count == 0) {
        return RS_FAIL(error, RS_USAGE, "forward before any batch was loaded");
    }
    plan->ran_forward = false;
    if (mode == RS_MODE_TRAIN) {
        rs__timer_count_batch(plan);
    }
    for (int i = 0; i < plan->op_count; i++) {
        double begin = rs__timer_begin(plan);
        RS_TRY(plan->ops[i].kind->forward(plan, &plan->ops[i], mode, error));
        rs__objectives_measure(plan, &plan->ops[i]);
        if (mode == RS_MODE_TRAIN) {
            rs__timer_end(plan, &plan->ops[i], RS__TIMED_FORWARD, begin);
        }
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

/* What a convolution has left to add to the gradient of the operation's output; a join does it while it reads. */
static void add_addend(const rs_plan *plan, const rs__op *op)
{
    const rs__tensor *t = &plan->tensors[op->output];
    if (t->addend && !op->joined) {
        rs__elements_pass(plan, t, t->addend, t->gradient, RS_PASS_ADD);
    }
}

rs_status rs__cpu_backward(rs_plan *plan, rs_label_choice labels, rs_error *error)
{
    (void)labels;
    if (!plan->options.training) {
        return RS_FAIL(error, RS_UNSUPPORTED, "this plan was made for forward passes only");
    }
    if (!plan->ran_forward || plan->mode != RS_MODE_TRAIN) {
        return RS_FAIL(error, RS_USAGE, "backward needs a forward pass in training mode before it");
    }
    for (int i = plan->op_count - 1; i >= 0; i--) {
        if (!plan->ops[i].needed) {
            continue;
        }
        RS_TRY(recompute_for(plan, &plan->ops[i], error));
        double begin = rs__timer_begin(plan);
        add_addend(plan, &plan->ops[i]);
        rs__objectives_backward(plan, &plan->ops[i]);
        RS_TRY(plan->ops[i].kind->backward(plan, &plan->ops[i], error));
        if (!plan->ops[i].kind->times_itself) {
            rs__timer_end(plan, &plan->ops[i], RS__TIMED_BACKWARD, begin);
        }
    }
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
