/* plan.c: sizes, arenas and printing of a plan; see plan.h.
 *
 * One function, lay_out, walks over every tensor. It runs twice: with no arena it only counts bytes, then,
 * after the allocation, it sets the pointers. So sizes and pointers can't disagree. */
#include "plan.h"
#include "free_memory.h"

#include <inttypes.h>
#include <string.h>

#include "rs/text.h"

enum { ALIGNMENT = 64, PARAMETERS = 0, GRADIENTS, OPTIMIZER, ACTIVATIONS, ARENAS };

/* A walk over an arena: bytes so far, and where it starts (NULL while counting). */
typedef struct cursor {
    char *start;
    size_t bytes;
    bool overflow;
} cursor;

/* The next tensor of `count` elements, or NULL while counting. */
static void *take(cursor *at, int64_t count, size_t size)
{
    size_t bytes, end;
    if (!rs_multiply((size_t)count, size, &bytes) || bytes > SIZE_MAX - ALIGNMENT ||
        __builtin_add_overflow(at->bytes, (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT, &end)) {
        at->overflow = true;
        return NULL;
    }
    void *tensor = at->start ? at->start + at->bytes : NULL;
    at->bytes = end;
    return tensor;
}

static int64_t node_count(const rs_node *node)
{
    return node->shape[0] * node->shape[1] * node->shape[2];
}

static void lay_out_parameters(rs_plan *plan, cursor *at)
{
    const rs_network *network = plan->network;
    size_t size = rs_dtype_size(plan->options.dtype);
    for (int i = 0; i < network->parameter_count; i++) {
        plan->parameters[i].value = take(at, network->parameters[i].count, size);
    }
    for (int i = 0; i < network->buffer_count; i++) {
        plan->running[i] = take(at, network->buffers[i].count, size);
    }
    for (int i = 0; plan->options.keep_initial && i < network->parameter_count; i++) {
        plan->parameters[i].initial = take(at, network->parameters[i].count, size);
    }
}

static void lay_out_gradients(rs_plan *plan, cursor *at)
{
    const rs_network *network = plan->network;
    for (int i = 0; plan->options.training && i < network->parameter_count; i++) {
        plan->parameters[i].gradient =
            take(at, network->parameters[i].count, rs_dtype_size(plan->options.dtype));
    }
    for (int i = 0; plan->options.sum_gradients && i < network->parameter_count; i++) {
        plan->parameters[i].gradient_sum = take(at, network->parameters[i].count, sizeof(double));
    }
}

static void lay_out_optimizer(rs_plan *plan, cursor *at)
{
    const rs_network *network = plan->network;
    size_t size = rs_dtype_size(plan->options.dtype);
    rs_rule_kind rule = rs_rule_of(plan->options.optimizer, plan->options.momentum);
    if (!plan->options.training) {
        return;
    }
    for (int i = 0; rs_rule_keeps1(rule) && i < network->parameter_count; i++) {
        plan->parameters[i].moment1 = take(at, network->parameters[i].count, size);
    }
    for (int i = 0; rs_rule_keeps2(rule) && i < network->parameter_count; i++) {
        plan->parameters[i].moment2 = take(at, network->parameters[i].count, size);
    }
}

static void lay_out_activations(rs_plan *plan, cursor *at)
{
    const rs_network *network = plan->network;
    int64_t n = plan->options.batch_sizes[0];
    size_t size = rs_dtype_size(plan->options.dtype), sample;
    for (int i = 0; i < network->node_count; i++) {
        at->overflow |= !rs_multiply((size_t)n, size, &sample);
        plan->outputs[i] = take(at, node_count(&network->nodes[i]), sample);
    }
    for (int i = 0; plan->options.training && i < network->node_count; i++) {
        plan->gradients[i] = take(at, node_count(&network->nodes[i]), sample);
    }
    for (int i = 0; i < network->node_count; i++) {
        if (network->nodes[i].kind == RS_OP_BATCH_NORM) {
            plan->saved[i] = take(at, 2 * network->nodes[i].shape[0], sizeof(double));
        }
    }
}

static ref_scratch operator_scratch(const rs_plan *plan)
{
    ref_scratch most = {0};
    for (int i = 1; i < plan->network->node_count; i++) {
        const rs_node *node = &plan->network->nodes[i];
        const ref_operator *operator= plan->table->operators[node->kind];
        if (operator->scratch) {
            ref_scratch need = operator->scratch(node, plan->network->nodes[node->input[0]].shape);
            most.shared = need.shared > most.shared ? need.shared : most.shared;
            most.per_thread = need.per_thread > most.per_thread ? need.per_thread : most.per_thread;
        }
    }
    return most;
}

static void lay_out_scratch(rs_plan *plan, cursor *at)
{
    const rs_network *network = plan->network;
    int64_t n = plan->options.batch_sizes[0], largest = 0;
    ref_scratch need = operator_scratch(plan);
    for (int i = 0; i < network->parameter_count; i++) {
        largest = network->parameters[i].count > largest ? network->parameters[i].count : largest;
    }
    plan->scratch_stride = (need.per_thread + 7) / 8 * 8; /* threads share no cache line */
    plan->shared = take(at, (int64_t)need.shared, sizeof(double));
    plan->per_thread =
        take(at, (int64_t)plan->scratch_stride, sizeof(double) * (size_t)plan->device->threads);
    plan->labels = take(at, n, sizeof *plan->labels);
    plan->ids = take(at, n, sizeof *plan->ids);
    plan->samples = take(at, n, sizeof *plan->samples);
    plan->targets = take(at, n * plan->target_size, rs_dtype_size(plan->options.dtype));
    plan->before = take(at, largest, rs_dtype_size(plan->options.dtype));
    plan->differences = take(at, 2 * (int64_t)network->parameter_count, sizeof *plan->differences);
    plan->gradient_sums = take(at, network->parameter_count, sizeof *plan->gradient_sums);
}

/* Fills the pointers from the arenas, or, while these are NULL, only counts: plan->bytes. */
static rs_status lay_out(rs_plan *plan, rs_error *error)
{
    void (*const parts[ARENAS])(rs_plan *, cursor *) = {lay_out_parameters, lay_out_gradients,
                                                        lay_out_optimizer, lay_out_activations};
    size_t *const bytes[ARENAS] = {&plan->bytes.parameters, &plan->bytes.gradients, &plan->bytes.optimizer,
                                   &plan->bytes.activations};
    cursor scratch = {.start = plan->scratch};
    bool overflow = false;
    for (int i = 0; i < ARENAS; i++) {
        cursor at = {.start = plan->arena[i]};
        parts[i](plan, &at);
        *bytes[i] = at.bytes;
        overflow = overflow || at.overflow;
    }
    lay_out_scratch(plan, &scratch);
    plan->bytes.scratch = scratch.bytes;
    if (overflow || scratch.overflow) {
        return RS_FAIL(error, RS_MEMORY,
                       "%s at batch size %" PRId64 " is larger than this machine can address",
                       plan->network->name, plan->options.batch_sizes[0]);
    }
    return RS_OK;
}

static rs_status check_memory(const rs_plan *plan, rs_error *error)
{
    const rs_plan_bytes *b = &plan->bytes;
    uint64_t total = (uint64_t)b->parameters + b->gradients + b->optimizer + b->activations + b->scratch;
    uint64_t free_bytes = rs_free_memory();
    if (total > free_bytes) {
        char need[32], have[32];
        rs_text_bytes(total, need, sizeof need);
        rs_text_bytes(free_bytes, have, sizeof have);
        return RS_FAIL(error, RS_MEMORY,
                       "%s at batch size %" PRId64
                       " needs %s of memory and %s are free; use a smaller --batch-size",
                       plan->network->name, plan->options.batch_sizes[0], need, have);
    }
    return RS_OK;
}

static void *allocate_zero(const rs_plan *plan, size_t bytes)
{
    void *memory = plan->device->services->allocate(bytes);
    if (memory) {
        memset(memory, 0, bytes);
    }
    return memory;
}

static rs_status allocate_arenas(rs_plan *plan, rs_error *error)
{
    const size_t bytes[ARENAS] = {plan->bytes.parameters, plan->bytes.gradients, plan->bytes.optimizer,
                                  plan->bytes.activations};
    bool all = (plan->scratch = allocate_zero(plan, plan->bytes.scratch)) != NULL;
    for (int i = 0; i < ARENAS; i++) {
        plan->arena[i] = allocate_zero(plan, bytes[i]);
        all = all && plan->arena[i];
    }
    return all ? RS_OK : RS_FAIL(error, RS_MEMORY, "no memory for a plan of %s", plan->network->name);
}

static rs_status allocate_lists(rs_plan *plan, rs_error *error)
{
    size_t nodes = (size_t)plan->network->node_count, pointer = sizeof(void *);
    size_t parameters = (size_t)plan->network->parameter_count, buffers = (size_t)plan->network->buffer_count;
    plan->parameters = allocate_zero(plan, parameters * sizeof *plan->parameters);
    plan->running = allocate_zero(plan, buffers * pointer);
    plan->outputs = allocate_zero(plan, nodes * pointer);
    plan->gradients = allocate_zero(plan, nodes * pointer);
    plan->saved = allocate_zero(plan, nodes * pointer);
    plan->layers = allocate_zero(plan, (size_t)plan->options.objective_count * sizeof *plan->layers);
    plan->losses = allocate_zero(plan, nodes * sizeof *plan->losses);
    if (!plan->parameters || !plan->running || !plan->outputs || !plan->gradients || !plan->saved ||
        !plan->layers || !plan->losses) {
        return RS_FAIL(error, RS_MEMORY, "no memory for a plan of %s", plan->network->name);
    }
    return RS_OK;
}

static rs_status check_options(const rs_plan_options *options, rs_error *error)
{
    if (options->batch_size_count < 1 || options->batch_size_count > RS_MAX_BATCH_SIZES) {
        return RS_FAIL(error, RS_USAGE, "a plan takes 1 to %d batch sizes, not %d", RS_MAX_BATCH_SIZES,
                       options->batch_size_count);
    }
    for (int i = 0; i < options->batch_size_count; i++) {
        if (options->batch_sizes[i] < 1 || options->batch_sizes[i] > options->batch_sizes[0]) {
            return RS_FAIL(error, RS_USAGE, "batch size %" PRId64 ": must be at least 1, the largest first",
                           options->batch_sizes[i]);
        }
    }
    if (options->convolution == RS_CONVOLUTION_WINOGRAD || options->convolution == RS_CONVOLUTION_SEARCH) {
        return RS_FAIL(
            error, RS_UNSUPPORTED,
            "ref has one convolution, no Winograd and no search; use --convolution auto or direct");
    }
    if (options->tf32) {
        return RS_FAIL(error, RS_UNSUPPORTED, "ref has no TF32; use --precision f32");
    }
    return RS_OK;
}

static rs_status check_operators(const rs_plan *plan, rs_error *error)
{
    for (int i = 1; i < plan->network->node_count; i++) {
        const rs_node *node = &plan->network->nodes[i];
        if (!plan->table->operators[node->kind]) {
            return RS_FAIL(error, RS_UNSUPPORTED, "%s: no %s here", node->name, rs_op_name(node->kind));
        }
    }
    return RS_OK;
}

static rs_status fill_plan(rs_plan *plan, rs_error *error)
{
    RS_TRY(check_operators(plan, error));
    RS_TRY(rs_objectives_check(plan->network, &plan->options, error));
    RS_TRY(rs_losses_check(plan->network, error));
    plan->target_size = rs_network_target_size(plan->network);
    RS_TRY(allocate_lists(plan, error));
    RS_TRY(rs_backward_analyze(plan->network, &plan->options, &plan->backward, error));
    RS_TRY(lay_out(plan, error));
    RS_TRY(check_memory(plan, error));
    RS_TRY(allocate_arenas(plan, error));
    return lay_out(plan, error);
}

rs_status ref_plan_create(rs_device *device, const rs_network *network, const rs_plan_options *options,
                          rs_plan **plan, rs_error *error)
{
    RS_TRY(check_options(options, error));
    rs_plan *made = device->services->allocate(sizeof *made);
    if (!made) {
        return RS_FAIL(error, RS_MEMORY, "no memory for a plan of %s", network->name);
    }
    *made = (rs_plan){.device = device,
                      .network = network,
                      .options = *options,
                      .table = options->dtype == RS_F64 ? &ref_table_f64 : &ref_table_f32};
    made->options.sum_gradients = options->sum_gradients && options->training;
    rs_status status = fill_plan(made, error);
    if (status) {
        ref_plan_destroy(made);
        return status;
    }
    *plan = made;
    return RS_OK;
}

void ref_plan_destroy(rs_plan *plan)
{
    if (!plan) {
        return;
    }
    void (*release)(void *) = plan->device->services->release;
    rs_backward_release(&plan->backward);
    rs_profile_release(&plan->profile);
    for (int i = 0; i < ARENAS; i++) {
        release(plan->arena[i]);
    }
    release(plan->scratch);
    release(plan->parameters);
    release(plan->running);
    release(plan->outputs);
    release(plan->gradients);
    release(plan->saved);
    release(plan->layers);
    release(plan->losses);
    release(plan);
}

void ref_plan_bytes(const rs_plan *plan, rs_plan_bytes *bytes)
{
    *bytes = plan->bytes;
}

void ref_plan_print(const rs_plan *plan, FILE *stream)
{
    for (int i = 0; i < plan->network->node_count; i++) {
        char columns[192];
        rs_node_describe(plan->network, i, columns, sizeof columns);
        (void)fprintf(stream, "%s  nchw     loops, %s\n", columns,
                      plan->options.dtype == RS_F64 ? "f64" : "f32");
    }
    (void)fprintf(stream, "reorders: 0\n");
}
