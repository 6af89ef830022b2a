/* plan.c: making a plan: operations, layouts, sizes, the memory check, then memory, primitives and jobs. */
#include "plan.h"
#include "free_memory.h"
#include "losses.h"

#include <inttypes.h>

static rs_status check_options(const rs_device *device, const rs_plan_options *options, rs_error *error)
{
    if (options->dtype != RS_F32) {
        return RS_FAIL(error, RS_UNSUPPORTED,
                       "the cpu backend computes in float32 only; use --device ref for float64");
    }
    if (options->tf32) {
        return RS_FAIL(error, RS_UNSUPPORTED, "the cpu backend has no TF32; use --precision f32");
    }
    if (options->convolution == RS_CONVOLUTION_SEARCH) {
        return RS_FAIL(
            error, RS_UNSUPPORTED,
            "the cpu backend chooses its convolutions by rule, without a search; use --convolution "
            "auto, direct or winograd");
    }
    if (options->convolution == RS_CONVOLUTION_WINOGRAD && !rs__has_winograd(device)) {
        return RS_FAIL(error, RS_UNSUPPORTED,
                       "oneDNN %d.%d has no Winograd convolution for this machine's %s; use --convolution "
                       "auto or direct",
                       dnnl_version()->major, dnnl_version()->minor, device->kernels->name);
    }
    if (options->batch_size_count < 1 || options->batch_size_count > RS_MAX_BATCH_SIZES) {
        return RS_FAIL(error, RS_USAGE, "a plan has 1 to %d batch sizes, not %d", RS_MAX_BATCH_SIZES,
                       options->batch_size_count);
    }
    for (int i = 0; i < options->batch_size_count; i++) {
        if (options->batch_sizes[i] < 1 ||
            (i > 0 && options->batch_sizes[i] >= options->batch_sizes[i - 1])) {
            return RS_FAIL(error, RS_USAGE, "batch sizes must be positive and fall; number %d is %" PRId64,
                           i + 1, options->batch_sizes[i]);
        }
    }
    return RS_OK;
}

/* --- tensors ---------------------------------------------------------------------------------------------- */

static rs_status make_tensors(rs_plan *plan, rs_error *error)
{
    const rs_network *network = plan->network;
    plan->tensors = rs_alloc_array((size_t)network->node_count, sizeof(rs__tensor));
    if (!plan->tensors) {
        return RS_FAIL(error, RS_MEMORY, "no memory to plan %d nodes", network->node_count);
    }
    int64_t lanes = plan->device->kernels->lanes;
    for (int i = 0; i < network->node_count; i++) {
        const rs_node *node = &network->nodes[i];
        const bool maps = node->kind == RS_OP_FLATTEN && !rs__flatten_moves(plan, i);
        const int64_t *shape = maps ? network->nodes[node->input[0]].shape : node->shape;
        plan->tensors[i] = (rs__tensor){.channels = shape[0],
                                        .height = shape[1],
                                        .width = shape[2],
                                        .blocks = (shape[0] + lanes - 1) / lanes,
                                        .exists = !rs_op_is_loss(node->kind)};
    }
    return RS_OK;
}

static rs_status make_layers(rs_plan *plan, rs_error *error)
{
    plan->layers = rs_alloc_array((size_t)plan->options.objective_count, sizeof *plan->layers);
    return plan->layers
               ? RS_OK
               : RS_FAIL(error, RS_MEMORY, "no memory for %d objectives", plan->options.objective_count);
}

static rs_status make_recomputed(rs_plan *plan, rs_error *error)
{
    plan->recomputed = rs_alloc_array((size_t)plan->op_count, sizeof(int));
    return plan->recomputed ? RS_OK
                            : RS_FAIL(error, RS_MEMORY, "no memory to plan %d operations", plan->op_count);
}

/* Images of a few channels go to their convolutions as they are: oneDNN has kernels for these. Products of larger maps take
 * the rows as they are, too. */
static bool takes_plain(const rs_plan *plan, const rs__op *op)
{
    const rs__tensor *in = &plan->tensors[0];
    return op->kind == &rs__op_convolution || op->kind == &rs__op_small_convolution ||
           op->kind == &rs__op_grey_convolution ||
           ((op->kind == &rs__op_linear || op->kind == &rs__op_flatten) && in->height * in->width > 1);
}

static void choose_input_layout(rs_plan *plan)
{
    bool plain = plan->tensors[0].channels <= RS_MAX_CHANNELS && plan->op_count > 0;
    for (int i = 0; i < plan->op_count; i++) {
        for (int k = 0; k < plan->ops[i].input_count; k++) {
            plain = plain && (plan->ops[i].input[k] != 0 || takes_plain(plan, &plan->ops[i]));
        }
    }
    plan->tensors[0].plain = plain;
}

/* --- parameters ------------------------------------------------------------------------------------------- */

static rs_status make_parameters(rs_plan *plan, rs_error *error)
{
    const rs_network *network = plan->network;
    plan->parameters = rs_alloc_array((size_t)network->parameter_count, sizeof(rs__parameter));
    plan->running = rs_alloc_array((size_t)network->buffer_count, sizeof(float *));
    if (!plan->parameters || !plan->running) {
        return RS_FAIL(error, RS_MEMORY, "no memory to plan %d parameters", network->parameter_count);
    }
    for (int i = 0; i < network->parameter_count; i++) {
        rs__parameter *p = &plan->parameters[i];
        p->count = network->parameters[i].count;
        p->offset = plan->element_count;
        p->reached = plan->options.training && plan->backward.reached[i];
        plan->element_count += ((size_t)p->count + 15) / 16 * 16;
    }
    for (int i = 0; i < network->buffer_count; i++) {
        plan->running_elements += ((size_t)network->buffers[i].count + 15) / 16 * 16;
    }
    return RS_OK;
}

static rs_rule_kind rule_of(const rs_plan *plan)
{
    return rs_rule_of(plan->options.optimizer, plan->options.momentum);
}

static int moment_count(const rs_plan *plan)
{
    return plan->options.training ? rs_rule_moments(rule_of(plan)) : 0;
}

/* --- memory ----------------------------------------------------------------------------------------------- */

static void sum_bytes(rs_plan *plan)
{
    size_t arena = plan->element_count * sizeof(float);
    size_t kept = 0, shared = 64;
    for (int i = 0; i < plan->op_count; i++) {
        kept += rs__round64(plan->ops[i].kept_bytes);
        shared = plan->ops[i].shared_bytes > shared ? plan->ops[i].shared_bytes : shared;
        size_t own = rs__round64(plan->ops[i].thread_bytes);
        plan->thread_bytes = own > plan->thread_bytes ? own : plan->thread_bytes;
    }
    size_t threads = (size_t)plan->device->threads * plan->thread_bytes;
    shared = threads > shared ? threads : shared;
    size_t batch = (size_t)rs__largest_batch(plan);
    size_t samples = rs__round64(batch * sizeof *plan->labels) + rs__round64(batch * sizeof *plan->ids) +
                     rs__round64(batch * (size_t)plan->target_count * sizeof *plan->targets) +
                     rs__round64(plan->options.input_gradient ? batch * sizeof *plan->squares : 0);
    plan->kept_bytes = kept + samples;
    plan->shared_bytes = rs__round64(shared);
    plan->bytes = (rs_plan_bytes){
        .parameters = arena * (plan->options.keep_initial ? 2 : 1) + plan->running_elements * sizeof(float),
        .gradients = (plan->options.training ? arena : 0) + (plan->options.sum_gradients ? 2 * arena : 0),
        .optimizer = arena * (size_t)moment_count(plan),
        .activations = plan->activation_bytes,
        .scratch = plan->kept_bytes + plan->shared_bytes,
    };
}

static uint64_t needed_bytes(const rs_plan *plan)
{
    const rs_plan_bytes *b = &plan->bytes;
    return (uint64_t)b->parameters + b->gradients + b->optimizer + plan->activation_bytes + b->scratch;
}

static rs_status check_memory(rs_plan *plan, rs_error *error)
{
    rs_memory_need need = {.network = plan->network->name,
                           .memory = "memory",
                           .batch = rs__largest_batch(plan),
                           .bytes = needed_bytes(plan),
                           .left = rs_free_memory()};
    if (need.bytes <= need.left) {
        return RS_OK;
    }
    if (plan->options.memory != RS_MEMORY_LEAN && plan->options.training) {
        RS_TRY(rs__plan_lives(plan, RS_MEMORY_LEAN, error)); /* the plan is given up anyway */
        need.lean = needed_bytes(plan);
    }
    return rs_memory_refuse(&need, error);
}

static void share_parameters(rs_plan *plan)
{
    size_t n = plan->element_count;
    float *at = plan->parameter_memory;
    plan->value = at;
    plan->initial = plan->options.keep_initial ? at + n : NULL;
    at += plan->options.keep_initial ? 2 * n : n;
    for (int i = 0; i < plan->network->buffer_count; i++) {
        plan->running[i] = at;
        at += ((size_t)plan->network->buffers[i].count + 15) / 16 * 16;
    }
    bool first = plan->options.training && rs_rule_keeps1(rule_of(plan));
    bool second = plan->options.training && rs_rule_keeps2(rule_of(plan));
    plan->moment1 = first ? plan->optimizer_memory : NULL;
    plan->moment2 = second ? (float *)plan->optimizer_memory + (first ? n : 0) : NULL;
    if (plan->options.training) {
        plan->gradient = plan->gradient_memory;
    }
    if (plan->options.sum_gradients) {
        float *gradients = plan->gradient_memory;
        plan->gradient_sum = (double *)(void *)(gradients + (plan->options.training ? n : 0));
    }
}

static float *span_at(const rs_plan *plan, const rs__tensor *t, int which)
{
    const rs__span *span = &t->spans[which];
    bool used = t->exists && span->first <= span->last;
    return used ? (float *)(void *)((char *)plan->activation_memory + span->offset) : NULL;
}

static void share_scratch(rs_plan *plan)
{
    char *at = plan->scratch_memory;
    plan->shared = at;
    at += plan->shared_bytes;
    for (int i = 0; i < plan->op_count; i++) {
        plan->ops[i].kept = at;
        at += rs__round64(plan->ops[i].kept_bytes);
    }
    size_t batch = (size_t)rs__largest_batch(plan);
    plan->labels = (int32_t *)(void *)at;
    at += rs__round64(batch * sizeof *plan->labels);
    plan->ids = (int64_t *)(void *)at;
    at += rs__round64(batch * sizeof *plan->ids);
    plan->targets = (float *)(void *)at;
    at += rs__round64(batch * (size_t)plan->target_count * sizeof *plan->targets);
    plan->squares = (double *)(void *)at;
    for (int i = 0; i < plan->network->node_count; i++) {
        rs__tensor *t = &plan->tensors[i];
        t->value = span_at(plan, t, RS__SPAN_VALUE);
        t->gradient = span_at(plan, t, RS__SPAN_GRADIENT);
        float *again = span_at(plan, t, RS__SPAN_AGAIN);
        t->again = again ? again : t->value;
        t->addend = span_at(plan, t, RS__SPAN_ADDEND);
    }
}

static rs_status take_memory(rs_plan *plan, rs_error *error)
{
    RS_TRY(check_memory(plan, error));
    RS_TRY(rs__memory_take_zeroed(plan->device, plan->bytes.parameters, &plan->parameter_memory, error));
    RS_TRY(rs__memory_take_zeroed(plan->device, plan->bytes.gradients, &plan->gradient_memory, error));
    RS_TRY(rs__memory_take_zeroed(plan->device, plan->bytes.optimizer, &plan->optimizer_memory, error));
    /* operations write every element of their outputs, padding included, before anything reads it */
    RS_TRY(rs__memory_take(plan->device, plan->bytes.activations, &plan->activation_memory, error));
    RS_TRY(rs__memory_take_zeroed(plan->device, plan->bytes.scratch, &plan->scratch_memory, error));
    share_parameters(plan);
    share_scratch(plan);
    return RS_OK;
}

/* --- the whole -------------------------------------------------------------------------------------------- */

static void fill_table(rs_plan *plan)
{
    for (int c = 0; c < RS_MAX_CHANNELS; c++) {
        for (int byte = 0; byte < 256; byte++) {
            float scaled = (float)byte / 255.0f;
            plan->table[c][byte] = (scaled - plan->options.mean[c]) / plan->options.std[c];
        }
    }
}

/* What the losses need of a batch. */
static rs_status find_losses(rs_plan *plan, rs_error *error)
{
    const rs_network *network = plan->network;
    RS_TRY(rs_losses_check(network, error));
    plan->has_loss = rs_op_is_loss(network->nodes[network->node_count - 1].kind);
    plan->wants_labels = rs_network_takes_labels(network);
    plan->target_count = rs_network_target_size(network);
    for (int i = 1; i < network->node_count; i++) {
        const rs_node *node = &network->nodes[i];
        for (int k = 0; k < rs_op_inputs(node->kind); k++) {
            if (rs_op_is_loss(network->nodes[node->input[k]].kind)) {
                return RS_FAIL(error, RS_UNSUPPORTED, "%s: a loss has no output to go on from", node->name);
            }
        }
    }
    return RS_OK;
}

static rs_status build(rs_plan *plan, rs_error *error)
{
    const rs_network *network = plan->network;
    RS_TRY(find_losses(plan, error));
    RS_TRY(rs_objectives_check(network, &plan->options, error));
    fill_table(plan);
    if (plan->options.training) {
        RS_TRY(rs_backward_analyze(network, &plan->options, &plan->backward, error));
    }
    RS_TRY(make_tensors(plan, error));
    RS_TRY(rs__plan_fuse(plan, error));
    RS_TRY(make_recomputed(plan, error));
    RS_TRY(make_layers(plan, error));
    RS_TRY(make_parameters(plan, error));
    choose_input_layout(plan);
    for (int i = 0; i < plan->op_count; i++) {
        if (plan->ops[i].kind->prepare) {
            RS_TRY(plan->ops[i].kind->prepare(plan, &plan->ops[i], error));
        }
    }
    rs__plan_segments(plan);
    RS_TRY(rs__plan_lives(plan, plan->options.memory, error));
    sum_bytes(plan);
    RS_TRY(take_memory(plan, error));
    for (int i = 0; i < plan->op_count; i++) {
        if (plan->ops[i].kind->bind) {
            RS_TRY(plan->ops[i].kind->bind(plan, &plan->ops[i], error));
        }
    }
    return rs__jobs_make(plan, error);
}

rs_status rs__cpu_plan_create(rs_device *device, const rs_network *network, const rs_plan_options *options,
                              rs_plan **plan, rs_error *error)
{
    RS_TRY(check_options(device, options, error));
    rs_plan *made = rs_alloc_array(1, sizeof *made);
    if (!made) {
        return RS_FAIL(error, RS_MEMORY, "no memory for a plan");
    }
    made->device = device;
    made->network = network;
    made->options = *options;
    made->options.sum_gradients = options->sum_gradients && options->training;
    rs_status status = build(made, error);
    if (status != RS_OK) {
        rs__cpu_plan_destroy(made);
        return status;
    }
    *plan = made;
    return RS_OK;
}

static void release(const rs_plan *plan, void *memory)
{
    if (memory) {
        plan->device->services->release(memory);
    }
}

void rs__cpu_plan_destroy(rs_plan *plan)
{
    if (!plan) {
        return;
    }
    for (int i = 0; i < plan->op_count; i++) {
        if (plan->ops[i].kind->release) {
            plan->ops[i].kind->release(&plan->ops[i]);
        }
    }
    for (int i = 0; plan->parameters && i < plan->network->parameter_count; i++) {
        rs__order_release(&plan->parameters[i].order);
    }
    release(plan, plan->parameter_memory);
    release(plan, plan->gradient_memory);
    release(plan, plan->optimizer_memory);
    release(plan, plan->activation_memory);
    release(plan, plan->scratch_memory);
    rs_backward_release(&plan->backward);
    rs_operations_release(&plan->operations);
    rs_profile_release(&plan->profile);
    rs_free(plan->tensors);
    rs_free(plan->ops);
    rs_free(plan->recomputed);
    rs_free(plan->parameters);
    rs_free(plan->running);
    rs_free(plan->jobs);
    rs_free(plan->job_sums);
    rs_free(plan->tensor_sums);
    rs_free(plan->rules);
    rs_free(plan->layers);
    rs_free(plan);
}

void rs__cpu_plan_bytes(const rs_plan *plan, rs_plan_bytes *bytes)
{
    *bytes = plan->bytes;
}
