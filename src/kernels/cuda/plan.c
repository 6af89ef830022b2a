/* plan.c: making a plan: operations, layouts, algorithms, sizes, then memory (arenas.c). */
#include "plan.h"

#include <inttypes.h>

#include "rs/host.h"

/* --- options ---------------------------------------------------------------------------------------------- */

static rs_status check_sizes(const rs_plan_options *options, rs_error *error)
{
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

static rs_status check_options(const rs_device *device, const rs_plan_options *options, rs_error *error)
{
    const struct cudaDeviceProp *p = &device->properties;
    if (options->dtype != RS_F32) {
        return RS_FAIL(error, RS_UNSUPPORTED,
                       "the cuda backend computes in float32 only; use --device ref for float64");
    }
    if (options->tf32 && p->major < 8) {
        return RS_FAIL(error, RS_UNSUPPORTED, "%s (sm_%d%d) has no TF32; use --precision f32", p->name,
                       p->major, p->minor);
    }
    if (options->convolution == RS_CONVOLUTION_WINOGRAD) {
        return RS_FAIL(
            error, RS_UNSUPPORTED,
            "cuDNN chooses between its algorithms itself; use --convolution auto, direct or search");
    }
    return check_sizes(options, error);
}

/* --- tensors and operations ------------------------------------------------------------------------------- */

static rs_status make_operations(rs_plan *plan, rs_error *error)
{
    RS_TRY(rs_operations_make(plan->network, &plan->options, plan->options.training ? &plan->backward : NULL,
                              &plan->operations, error));
    plan->ops = rs_alloc_array((size_t)plan->operations.count, sizeof(rs__op));
    if (!plan->ops) {
        return RS_FAIL(error, RS_MEMORY, "no memory to plan %d operations", plan->operations.count);
    }
    plan->op_count = plan->operations.count;
    for (int i = 0; i < plan->op_count; i++) {
        const rs_operation *is = &plan->operations.list[i];
        plan->ops[i] = (rs__op){.is = *is, .kind = rs__class_of(plan->network->nodes[is->node].kind)};
        if (!plan->ops[i].kind) {
            const rs_node *node = &plan->network->nodes[is->node];
            return RS_FAIL(error, RS_UNSUPPORTED, "%s: no %s here", node->name, rs_op_name(node->kind));
        }
    }
    return RS_OK;
}

/* Images of 3 channels get a fourth of zeros: 16-byte accesses, and the tensor cores' layout; fewer channels too where
 * tensor cores compute, which want four. Only where nobody but convolutions reads them. */
static int64_t input_stride(const rs_plan *plan)
{
    int64_t channels = plan->network->nodes[0].shape[0];
    bool padded = channels == 3 || (channels < 3 && plan->options.tf32);
    for (int i = 0; i < plan->op_count; i++) {
        const rs_operation *is = &plan->ops[i].is;
        for (int k = 0; k < is->input_count; k++) {
            padded = padded && (is->input[k] != 0 || plan->ops[i].kind == &rs__op_convolution);
        }
    }
    return padded ? 4 : channels;
}

static rs_status make_tensors(rs_plan *plan, rs_error *error)
{
    const rs_network *network = plan->network;
    plan->tensors = rs_alloc_array((size_t)network->node_count, sizeof(rs__tensor));
    if (!plan->tensors) {
        return RS_FAIL(error, RS_MEMORY, "no memory to plan %d nodes", network->node_count);
    }
    for (int i = 0; i < network->node_count; i++) {
        const rs_node *node = &network->nodes[i];
        bool loss = rs_op_is_loss(node->kind);
        plan->tensors[i] = (rs__tensor){.channels = node->shape[0],
                                        .height = node->shape[1],
                                        .width = node->shape[2],
                                        .stride = node->shape[0],
                                        .exists = !loss && !plan->operations.hidden[i]};
    }
    plan->tensors[0].stride = input_stride(plan);
    return RS_OK;
}

/* Weights that meet maps lie with the channels innermost, as the maps do: [out][kh kw][in] of a convolution,
 * [out][h w][c] of a linear layer. */
static rs_cu_order order_of(const rs_plan *plan, const rs_parameter *p)
{
    const rs_node *node = &plan->network->nodes[p->node];
    const rs__tensor *in = &plan->tensors[node->input[0]];
    bool weight = p->role == RS_ROLE_WEIGHT;
    if (weight && node->kind == RS_OP_CONVOLUTION) {
        return (rs_cu_order){.outer = p->shape.dim[0],
                             .positions = p->shape.dim[2] * p->shape.dim[3],
                             .inner = (int)p->shape.dim[1],
                             .stride = (int)in->stride};
    }
    if (weight && node->kind == RS_OP_LINEAR) {
        return (rs_cu_order){.outer = p->shape.dim[0],
                             .positions = rs__positions(in),
                             .inner = (int)in->channels,
                             .stride = (int)in->stride};
    }
    return (rs_cu_order){.outer = 1, .positions = 1, .inner = (int)p->count, .stride = (int)p->count};
}

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
        p->order = order_of(plan, &network->parameters[i]);
        p->elements = p->order.outer * p->order.positions * p->order.stride;
        p->canonical = rs__is_canonical(&p->order);
        p->offset = plan->element_count;
        p->reached = plan->options.training && plan->backward.reached[i];
        plan->element_count += ((size_t)p->elements + 15) / 16 * 16;
    }
    for (int i = 0; i < network->buffer_count; i++) {
        plan->running_elements += ((size_t)network->buffers[i].count + 15) / 16 * 16;
    }
    return RS_OK;
}

static rs_status prepare_operations(rs_plan *plan, rs_error *error)
{
    for (int i = 0; i < plan->op_count; i++) {
        rs__op *op = &plan->ops[i];
        if (op->kind->prepare && op->kind->prepare(plan, op, error)) {
            return rs_error_prefix(error, "%s", rs__op_node(plan, op)->name);
        }
    }
    return RS_OK;
}

/* --- lives ------------------------------------------------------------------------------------------------ */

int rs__readable_node(const rs_plan *plan)
{
    int last = plan->network->node_count - 1;
    return plan->has_loss ? plan->network->nodes[last].input[0] : last;
}

static rs_status describe_lives(rs_plan *plan, rs_error *error)
{
    rs__lives *lives = &plan->lives;
    RS_TRY(rs__lives_make(&plan->operations, plan->network->node_count, lives, error));
    lives->training = plan->options.training;
    lives->keep_all = plan->options.keep_all;
    lives->has_loss = plan->has_loss;
    lives->readable = rs__readable_node(plan);
    for (int i = 0; i < plan->network->node_count; i++) {
        const rs__tensor *t = &plan->tensors[i];
        size_t bytes = (size_t)(rs__largest_batch(plan) * rs__sample_floats(t)) * sizeof(float);
        lives->tensors[i].value_bytes = lives->tensors[i].gradient_bytes = t->exists ? bytes : 0;
    }
    for (int i = 0; i < plan->op_count; i++) {
        const rs__op_class *kind = plan->ops[i].kind;
        lives->ops[i] =
            (rs__life_op){.repeats = kind->recompute != NULL,
                          .needs_input = kind->needs_input,
                          .needs_second = kind->needs_second,
                          .needs_output = kind->needs_output ||
                                          rs_has_weighed_objective(&plan->options, plan->ops[i].is.output)};
    }
    return RS_OK;
}

static rs_status place_lives(rs_plan *plan, rs_error *error)
{
    RS_TRY(describe_lives(plan, error));
    RS_TRY(rs__lives_place(&plan->lives, plan->options.memory, error));
    for (int i = 0; i < plan->op_count; i++) {
        plan->ops[i].first_again = plan->lives.ops[i].first_again;
        plan->ops[i].end_again = plan->lives.ops[i].end_again;
    }
    return RS_OK;
}

static bool has_dropout(const rs_network *network)
{
    bool found = false;
    for (int i = 0; i < network->node_count; i++) {
        found = found || network->nodes[i].kind == RS_OP_DROPOUT;
    }
    return found;
}

/* --- the whole -------------------------------------------------------------------------------------------- */

/* Memory, and a trial in it: an algorithm that fails gives way to the next, which may want more workspace. */
static rs_status make_arenas(rs_plan *plan, rs_error *error)
{
    bool refused = true;
    while (refused) {
        RS_TRY(rs__arenas_make(plan, error));
        RS_TRY(rs__convolutions_try(plan, &refused, error));
        if (refused) {
            rs__arenas_release(plan);
            RS_TRY(rs__convolutions_choose_again(plan, error));
        }
    }
    rs__convolutions_tell(plan);
    return RS_OK;
}

static rs_status build(rs_plan *plan, rs_error *error)
{
    const rs_network *network = plan->network;
    plan->has_loss = rs_op_is_loss(network->nodes[network->node_count - 1].kind);
    plan->target_floats = rs_network_target_size(network);
    plan->draws = has_dropout(network);
    plan->graphs_on = rs__asked_for("RS_CUDA_GRAPH", true) && !plan->device->sync_each;
    RS_TRY(rs_objectives_check(network, &plan->options, error));
    RS_TRY(rs_losses_check(network, error));
    RS_TRY(rs__device_use(plan->device, error));
    RS_TRY(rs__choices_begin(plan, error));
    if (plan->options.training) {
        RS_TRY(rs_backward_analyze(network, &plan->options, &plan->backward, error));
    }
    RS_TRY(make_operations(plan, error));
    RS_TRY(make_tensors(plan, error));
    RS_TRY(make_parameters(plan, error));
    RS_TRY(prepare_operations(plan, error));
    RS_TRY(place_lives(plan, error));
    RS_TRY(make_arenas(plan, error));
    RS_TRY(rs__rows_make(plan, error));
    RS_TRY(rs__update_prepare(plan, error));
    return rs__settle(plan, error);
}

rs_status rs__cuda_plan_create(rs_device *device, const rs_network *network, const rs_plan_options *options,
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
        rs__cuda_plan_destroy(made);
        return status;
    }
    *plan = made;
    return RS_OK;
}

void rs__cuda_plan_destroy(rs_plan *plan)
{
    if (!plan) {
        return;
    }
    (void)cudaStreamSynchronize(plan->device->compute);
    (void)cudaStreamSynchronize(plan->device->copy);
    rs__graphs_release(plan);
    for (int i = 0; plan->ops && i < plan->op_count; i++) {
        if (plan->ops[i].kind->release) {
            plan->ops[i].kind->release(&plan->ops[i]);
        }
    }
    rs__copies_release(plan);
    rs__held_release(plan);
    rs__rows_release(plan);
    rs__timer_release(plan);
    rs__arenas_release(plan);
    rs__lives_release(&plan->lives);
    rs_operations_release(&plan->operations);
    rs_free(plan->choices);
    rs_backward_release(&plan->backward);
    rs_profile_release(&plan->profile);
    rs_free(plan->tensors);
    rs_free(plan->ops);
    rs_free(plan->parameters);
    rs_free(plan->running);
    rs_free(plan);
}

void rs__cuda_plan_bytes(const rs_plan *plan, rs_plan_bytes *bytes)
{
    *bytes = plan->bytes;
}
