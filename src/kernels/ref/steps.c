/* steps.c: forward, backward, the loss and the input's sensitivity. */
#include "plan.h"

static void add_parameters(rs_plan *plan, ref_call *call)
{
    const rs_node *node = call->node;
    const bool *reached = plan->backward.reached;
    if (node->weight >= 0) {
        call->w = plan->parameters[node->weight].value;
        call->dw = reached[node->weight] ? plan->parameters[node->weight].gradient : NULL;
    }
    if (node->bias >= 0) {
        call->b = plan->parameters[node->bias].value;
        call->db = reached[node->bias] ? plan->parameters[node->bias].gradient : NULL;
    }
}

/* What only some kinds of operators look at. */
static void add_special(rs_plan *plan, int i, ref_call *call)
{
    const rs_node *node = call->node;
    if (node->kind == RS_OP_DROPOUT) {
        call->dropout = rs_dropout_make(plan->options.dropout_seed, node->name, node->attributes.rate);
    }
    if (node->kind == RS_OP_BATCH_NORM) {
        call->mode = rs_batch_norm_mode(node, &plan->options, plan->mode);
        call->running_mean = plan->running[node->running_mean];
        call->running_variance = plan->running[node->running_variance];
    }
    if (rs_op_is_loss(node->kind)) {
        call->labels = plan->labels;
        call->targets = plan->targets;
        call->weight = rs_loss_weight(plan->network, &plan->options, i);
        call->divisor = rs_loss_divisor(plan->network, i, plan->count);
        call->loss = plan->samples;
        call->correct = &plan->losses[i].correct;
    }
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
    if (rs_op_inputs(node->kind) > 1) {
        call.in_second = plan->network->nodes[node->input[1]].shape;
    }
    add_parameters(plan, &call);
    add_special(plan, i, &call);
    return call;
}

/* The loss of a node from those of its samples. */
static void finish_loss(rs_plan *plan, const ref_call *call, int i)
{
    double sum = 0.0;
    for (int64_t n = 0; n < plan->count; n++) {
        sum += call->loss[n];
    }
    plan->losses[i].loss = sum / call->divisor;
}

static void forward_node(rs_plan *plan, int i)
{
    ref_call call = make_call(plan, i);
    double begin = rs_profile_begin(&plan->profile);
    plan->table->operators[call.node->kind]->forward(&call);
    if (rs_op_is_loss(call.node->kind)) {
        finish_loss(plan, &call, i);
    }
    ref_objectives_measure(plan, i);
    if (plan->mode == RS_MODE_TRAIN) {
        rs_profile_end(&plan->profile, ref_forward_row(i), begin, 0.0, 0.0);
    }
}

rs_status ref_forward(rs_plan *plan, rs_mode mode, rs_error *error)
{
    if (plan->count == 0) {
        return RS_FAIL(error, RS_USAGE, "forward before a batch was loaded");
    }
    RS_TRY(rs_losses_check_batch(plan->network, plan->labelled, plan->targeted, error));
    plan->mode = mode;
    if (mode == RS_MODE_TRAIN) {
        rs_profile_count_held(&plan->profile, REF_BATCH_ROW, 0.0);
    }
    for (int i = 1; i < plan->network->node_count; i++) {
        forward_node(plan, i);
    }
    plan->ran_forward = true;
    plan->ran_backward = false;
    return RS_OK;
}

rs_status ref_backward(rs_plan *plan, rs_label_choice labels, rs_error *error)
{
    if (!plan->options.training) {
        return RS_FAIL(error, RS_UNSUPPORTED, "a plan without training has no backward pass");
    }
    if (!plan->ran_forward) {
        return RS_FAIL(error, RS_USAGE, "backward before forward");
    }
    for (int i = plan->network->node_count - 1; i > 0; i--) {
        if (plan->backward.needed[i]) {
            ref_call call = make_call(plan, i);
            double begin = rs_profile_begin(&plan->profile);
            call.choice = labels;
            ref_objectives_backward(plan, i);
            plan->table->operators[call.node->kind]->backward(&call);
            rs_profile_end(&plan->profile, ref_backward_row(i), begin, 0.0, 0.0);
        }
    }
    plan->ran_backward = true;
    return RS_OK;
}

rs_status ref_read_loss(rs_plan *plan, rs_loss *loss, rs_error *error)
{
    int last = plan->network->node_count - 1;
    if (!plan->ran_forward || !rs_op_is_loss(plan->network->nodes[last].kind)) {
        return RS_FAIL(error, RS_USAGE, "%s",
                       plan->ran_forward ? "the network has no loss" : "the loss is read after forward");
    }
    *loss = plan->losses[last];
    return RS_OK;
}

/* Where no loss reaches the input, its gradient was never written: zeros. */
rs_status ref_read_sensitivity(rs_plan *plan, rs_sensitivity *sensitivity, rs_error *error)
{
    const int64_t *shape = plan->network->nodes[0].shape;
    int64_t size = shape[0] * shape[1] * shape[2];
    if (!plan->options.training || !plan->options.input_gradient) {
        return RS_FAIL(error, RS_UNSUPPORTED, "this plan computes no gradient of its input");
    }
    if (!plan->ran_backward) {
        return RS_FAIL(error, RS_USAGE, "the sensitivity is read after backward");
    }
    for (int64_t n = 0; n < plan->count; n++) {
        const char *dx =
            (const char *)plan->gradients[0] + (size_t)(n * size) * rs_dtype_size(plan->options.dtype);
        rs_gradient_sums sums = {0};
        plan->table->gradient_sums(dx, size, &sums);
        plan->samples[n] = sums.squares;
    }
    *sensitivity = rs_measure_sensitivity(plan->network, plan->samples, plan->count);
    return RS_OK;
}
