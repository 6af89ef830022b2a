/* steps.c: loading a batch, forward, backward and the loss. */
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
    plan->count = count;
    plan->ran_forward = false;
    rs_profile_forget(&plan->profile);
    return RS_OK;
}

rs_status ref_load_batch(rs_plan *plan, const rs_batch *batch, rs_error *error)
{
    const int64_t *shape = plan->network->nodes[0].shape;
    if (shape[0] > RS_MAX_CHANNELS) {
        return RS_FAIL(error, RS_UNSUPPORTED, "images have at most %d channels, the network takes %" PRId64,
                       RS_MAX_CHANNELS, shape[0]);
    }
    RS_TRY(check_count(plan, batch->count, error));
    RS_TRY(take_labels(plan, batch->labels, batch->count, error));
    rs_dropout_ids(batch->sample_ids, batch->count, plan->ids);
    plan->epoch = (uint32_t)batch->epoch;
    double begin = rs_profile_begin(&plan->profile);
    plan->table->normalise(&plan->options, batch->images, batch->count, shape[0], shape[1] * shape[2],
                           plan->outputs[0]);
    rs_profile_hold(&plan->profile, begin);
    return RS_OK;
}

/* Bytes of `count` samples of a node's output. */
static size_t node_bytes(const rs_plan *plan, int node, int64_t count)
{
    const int64_t *shape = plan->network->nodes[node].shape;
    return (size_t)(count * shape[0] * shape[1] * shape[2]) * rs_dtype_size(plan->options.dtype);
}

rs_status ref_load_values(rs_plan *plan, const void *values, const int32_t *labels, const void *targets,
                          int64_t count, rs_error *error)
{
    (void)targets;
    RS_TRY(check_count(plan, count, error));
    RS_TRY(take_labels(plan, labels, count, error));
    rs_dropout_ids(NULL, count, plan->ids);
    plan->epoch = 0;
    memcpy(plan->outputs[0], values, node_bytes(plan, 0, count));
    return RS_OK;
}

/* Everything the operator of node i reads and writes. */
static ref_call make_call(rs_plan *plan, int i)
{
    const rs_node *node = &plan->network->nodes[i];
    ref_call call = {.node = node,
                     .n = plan->count,
                     .in = plan->network->nodes[node->input[0]].shape,
                     .out = node->shape,
                     .mode = plan->mode,
                     .y = plan->outputs[i],
                     .dy = plan->gradients[i],
                     .pass = plan->backward.pass[i],
                     .saved = plan->saved[i],
                     .labels = plan->labels,
                     .loss = plan->losses,
                     .correct = &plan->correct,
                     .ids = plan->ids,
                     .epoch = plan->epoch,
                     .threads = plan->device->threads,
                     .shared = plan->shared,
                     .scratch = plan->per_thread,
                     .scratch_stride = plan->scratch_stride};
    for (int k = 0; k < rs_op_inputs(node->kind); k++) {
        call.x[k] = plan->outputs[node->input[k]];
        call.dx[k] = plan->gradients[node->input[k]];
    }
    if (node->weight >= 0) {
        call.w = plan->parameters[node->weight].value;
        call.dw = plan->parameters[node->weight].gradient;
    }
    if (node->bias >= 0) {
        call.b = plan->parameters[node->bias].value;
        call.db = plan->parameters[node->bias].gradient;
    }
    if (node->kind == RS_OP_DROPOUT) {
        call.dropout = rs_dropout_make(plan->options.dropout_seed, node->name, node->attributes.rate);
    }
    if (node->running_mean >= 0) {
        call.running_mean = plan->running[node->running_mean];
        call.running_variance = plan->running[node->running_variance];
    }
    return call;
}

static const rs_node *last_node(const rs_plan *plan)
{
    return &plan->network->nodes[plan->network->node_count - 1];
}

rs_status ref_forward(rs_plan *plan, rs_mode mode, rs_error *error)
{
    if (plan->count == 0) {
        return RS_FAIL(error, RS_FAILED, "forward before a batch was loaded");
    }
    if (!plan->labelled && last_node(plan)->kind == RS_OP_SOFTMAX_CROSS_ENTROPY) {
        return RS_FAIL(error, RS_FAILED, "a loss needs labels, and the batch has none");
    }
    plan->mode = mode;
    if (mode == RS_MODE_TRAIN) {
        rs_profile_count_held(&plan->profile, REF_BATCH_ROW, 0.0);
    }
    for (int i = 1; i < plan->network->node_count; i++) {
        ref_call call = make_call(plan, i);
        double begin = rs_profile_begin(&plan->profile);
        plan->table->operators[call.node->kind]->forward(&call);
        ref_objectives_measure(plan, i);
        if (mode == RS_MODE_TRAIN) {
            rs_profile_end(&plan->profile, ref_forward_row(i), begin, 0.0, 0.0);
        }
    }
    plan->ran_forward = true;
    return RS_OK;
}

rs_status ref_backward(rs_plan *plan, rs_label_choice labels, rs_error *error)
{
    (void)labels;
    if (!plan->options.training) {
        return RS_FAIL(error, RS_UNSUPPORTED, "a plan without training has no backward pass");
    }
    if (!plan->ran_forward) {
        return RS_FAIL(error, RS_FAILED, "backward before forward");
    }
    for (int i = plan->network->node_count - 1; i > 0; i--) {
        if (plan->backward.needed[i]) {
            ref_call call = make_call(plan, i);
            double begin = rs_profile_begin(&plan->profile);
            ref_objectives_backward(plan, i);
            plan->table->operators[call.node->kind]->backward(&call);
            rs_profile_end(&plan->profile, ref_backward_row(i), begin, 0.0, 0.0);
        }
    }
    return RS_OK;
}

rs_status ref_read_loss(rs_plan *plan, rs_loss *loss, rs_error *error)
{
    if (!plan->ran_forward || last_node(plan)->kind != RS_OP_SOFTMAX_CROSS_ENTROPY) {
        return RS_FAIL(error, RS_FAILED, "%s",
                       plan->ran_forward ? "the network has no loss" : "the loss is read after forward");
    }
    double sum = 0.0;
    for (int64_t i = 0; i < plan->count; i++) {
        sum += plan->losses[i];
    }
    *loss = (rs_loss){.loss = sum / (double)plan->count, .correct = plan->correct};
    return RS_OK;
}
