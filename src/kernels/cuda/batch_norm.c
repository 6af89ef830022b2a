/* batch_norm.c: batch norm, alone or with the ReLU, or the join and the ReLU, behind it: our kernels. */
#include <stdio.h>

#include "plan.h"

/* What is kept from forward to backward, [channels] each, and one bit an element of a join's ReLU. */
typedef struct kept {
    float *mean, *inverse;
    uint32_t *positive;
} kept;

enum { MEAN, INVERSE, POSITIVE, PARTS };

static bool keeps_mask(const rs_plan *plan, const rs__op *op)
{
    return op->is.joined && op->is.relu && plan->options.training;
}

static size_t place_kept(const rs_plan *plan, const rs__op *op, size_t offsets[PARTS])
{
    const rs__tensor *out = &plan->tensors[op->is.output];
    size_t channels = (size_t)out->channels, rows = (size_t)(rs__largest_batch(plan) * rs__positions(out));
    const size_t bytes[PARTS] = {
        [MEAN] = channels * sizeof(float),
        [INVERSE] = channels * sizeof(float),
        [POSITIVE] = keeps_mask(plan, op) ? rows * ((channels + 31) / 32) * sizeof(uint32_t) : 0};
    return rs__parts_place(bytes, PARTS, offsets);
}

static kept find_kept(const rs_plan *plan, const rs__op *op)
{
    size_t offsets[PARTS];
    char *at = op->kept;
    (void)place_kept(plan, op, offsets);
    void *mean = at + offsets[MEAN], *inverse = at + offsets[INVERSE], *positive = at + offsets[POSITIVE];
    return (kept){.mean = mean, .inverse = inverse, .positive = keeps_mask(plan, op) ? positive : NULL};
}

/* In shared scratch: the sums of pieces, and gradients of parameters that have none: x's are made from them all the same. */
enum { PARTIAL, NO_WEIGHT, NO_BIAS, WORK_PARTS };

static size_t place_work(const rs_plan *plan, const rs__op *op, int64_t count, size_t offsets[WORK_PARTS])
{
    const rs__tensor *out = &plan->tensors[op->is.output];
    int64_t rows = count * rs__positions(out);
    const size_t vector = (size_t)out->channels * sizeof(float);
    const size_t bytes[WORK_PARTS] = {[PARTIAL] = rs_cu_norm_partial_bytes(rows, (int)out->channels),
                                      [NO_WEIGHT] = vector,
                                      [NO_BIAS] = vector};
    return rs__parts_place(bytes, WORK_PARTS, offsets);
}

static rs_status norm_prepare(rs_plan *plan, rs__op *op, rs_error *error)
{
    size_t offsets[PARTS];
    (void)error;
    op->kept_bytes = place_kept(plan, op, offsets);
    for (int i = 0; i < plan->options.batch_size_count; i++) {
        size_t work[WORK_PARTS];
        rs__share_at_least(op, place_work(plan, op, plan->options.batch_sizes[i], work));
    }
    return RS_OK;
}

/* As backward reads them, and for its recomputation. */
static rs_cu_norm norm_of(const rs_plan *plan, const rs__op *op)
{
    const rs_node *node = rs__op_node(plan, op);
    const rs__tensor *in = &plan->tensors[op->is.input[0]], *out = &plan->tensors[op->is.output];
    const rs__tensor *residual = op->is.joined ? &plan->tensors[op->is.input[1]] : NULL;
    const kept k = find_kept(plan, op);
    return (rs_cu_norm){.rows = plan->count * rs__positions(out),
                        .channels = (int)out->channels,
                        .x = in->again,
                        .residual = residual ? residual->again : NULL,
                        .y = out->again,
                        .positive = k.positive,
                        .weight = rs__parameter_at(plan, plan->value, node->weight),
                        .bias = rs__parameter_at(plan, plan->value, node->bias),
                        .mean = k.mean,
                        .inverse = k.inverse,
                        .running_mean = plan->running[node->running_mean],
                        .running_variance = plan->running[node->running_variance],
                        .partial = plan->shared,
                        .epsilon = node->attributes.epsilon,
                        .momentum = node->attributes.momentum,
                        .relu = op->is.relu};
}

/* Whether a pass of that mode takes the running statistics. */
static bool is_fixed(const rs_plan *plan, const rs__op *op, rs_mode mode)
{
    return rs_batch_norm_mode(rs__op_node(plan, op), &plan->options, mode) == RS_MODE_EVALUATE;
}

static rs_status norm_forward(rs_plan *plan, rs__op *op, rs_mode mode, rs_error *error)
{
    rs_cu_norm norm = norm_of(plan, op);
    cudaStream_t stream = plan->device->compute;
    norm.x = plan->tensors[op->is.input[0]].value;
    norm.residual = op->is.joined ? plan->tensors[op->is.input[1]].value : NULL;
    norm.y = plan->tensors[op->is.output].value;
    RS__CUDA(error, is_fixed(plan, op, mode) ? rs_cu_norm_running(&norm, stream)
                                             : rs_cu_norm_statistics(&norm, stream));
    RS__CUDA(error, rs_cu_norm_forward(&norm, plan->options.training, stream));
    return RS_OK;
}

/* Mean and deviation are still those of the forward pass. */
static rs_status norm_recompute(rs_plan *plan, rs__op *op, rs_error *error)
{
    const rs_cu_norm norm = norm_of(plan, op);
    RS__CUDA(error, rs_cu_norm_forward(&norm, true, plan->device->compute));
    return RS_OK;
}

/* With the gradients of weight and bias; of those that have none into scratch. */
static rs_cu_norm backward_of(const rs_plan *plan, const rs__op *op)
{
    const rs_node *node = rs__op_node(plan, op);
    const rs__tensor *in = &plan->tensors[op->is.input[0]], *out = &plan->tensors[op->is.output];
    float *dweight = rs__gradient_at(plan, node->weight), *dbias = rs__gradient_at(plan, node->bias);
    size_t work[WORK_PARTS];
    char *shared = plan->shared;
    rs_cu_norm norm = norm_of(plan, op);
    (void)place_work(plan, op, plan->count, work);
    norm.dy = out->gradient;
    norm.addend = op->is.joined ? out->addend : NULL; /* else steps.c has added it */
    norm.dx = in->gradient;
    norm.pass_x = op->is.pass[0];
    norm.dresidual = op->is.joined ? plan->tensors[op->is.input[1]].gradient : NULL;
    norm.pass_residual = op->is.joined ? op->is.pass[1] : RS_PASS_NONE;
    norm.dweight = dweight ? dweight : (float *)(void *)(shared + work[NO_WEIGHT]);
    norm.dbias = dbias ? dbias : (float *)(void *)(shared + work[NO_BIAS]);
    norm.fixed = is_fixed(plan, op, plan->mode) || norm.pass_x == RS_PASS_NONE; /* no slopes to make for x */
    return norm;
}

static rs_status norm_backward(rs_plan *plan, rs__op *op, rs_error *error)
{
    const rs_node *node = rs__op_node(plan, op);
    const rs_cu_norm norm = backward_of(plan, op);
    bool wanted = rs__gradient_at(plan, node->weight) || rs__gradient_at(plan, node->bias);
    if (wanted || !norm.fixed) {
        RS__CUDA(error, rs_cu_norm_gradients(&norm, plan->device->compute));
    }
    if (norm.pass_x != RS_PASS_NONE || norm.pass_residual != RS_PASS_NONE) {
        RS__CUDA(error, rs_cu_norm_backward(&norm, plan->device->compute));
    }
    return RS_OK;
}

static void norm_describe(const rs__op *op, char *text, size_t capacity)
{
    (void)snprintf(text, capacity, "%s",
                   op->is.joined ? "fused with add and relu"
                   : op->is.relu ? "fused with relu"
                                 : "own kernel");
}

const rs__op_class rs__op_batch_norm = {
    .prepare = norm_prepare,
    .forward = norm_forward,
    .backward = norm_backward,
    .recompute = norm_recompute,
    .describe = norm_describe,
    .needs_input = true,
};
