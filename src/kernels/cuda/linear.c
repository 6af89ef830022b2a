/* linear.c: fully connected layers by cuBLAS. x lies as rows of N, h w c within a row; so do the rows of the weights
 * (plan.c), so that nothing is reordered. */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

#include "product.h"

static rs__product product_of(const rs_plan *plan, const rs__op *op)
{
    return (rs__product){.out = (int)plan->tensors[op->is.output].channels,
                         .in = (int)rs__sample_floats(&plan->tensors[op->is.input[0]]),
                         .rows = (int)plan->count,
                         .add = op->is.pass[0] == RS_PASS_ADD};
}

static rs_status linear_prepare(rs_plan *plan, rs__op *op, rs_error *error)
{
    const rs_node *node = rs__op_node(plan, op);
    const rs__tensor *in = &plan->tensors[op->is.input[0]];
    if (rs__sample_floats(in) > INT_MAX) { /* cuBLAS counts in int */
        return RS_FAIL(error, RS_UNSUPPORTED,
                       "%s: an input of %" PRId64 " x %" PRId64 " x %" PRId64
                       " is too large here; at most %d numbers",
                       node->name, in->channels, in->height, in->width, INT_MAX);
    }
    for (int i = 0; node->bias >= 0 && i < plan->options.batch_size_count; i++) {
        rs__share_at_least(op, rs_cu_norm_partial_bytes(plan->options.batch_sizes[i], (int)node->shape[0]));
    }
    return RS_OK;
}

static rs_status linear_forward(rs_plan *plan, rs__op *op, rs_mode mode, rs_error *error)
{
    const rs_node *node = rs__op_node(plan, op);
    const rs__tensor *in = &plan->tensors[op->is.input[0]], *out = &plan->tensors[op->is.output];
    const rs__product p = product_of(plan, op);
    (void)mode;
    RS_TRY(rs__product_forward(plan, &p, rs__parameter_at(plan, plan->value, node->weight), in->value,
                               out->value, error));
    if (node->bias >= 0) {
        RS__CUDA(error, rs_cu_bias_add(rs__parameter_at(plan, plan->value, node->bias), out->value, p.rows,
                                       p.out, plan->device->compute));
    }
    return RS_OK;
}

static rs_status linear_backward(rs_plan *plan, rs__op *op, rs_error *error)
{
    const rs_node *node = rs__op_node(plan, op);
    const rs__tensor *in = &plan->tensors[op->is.input[0]], *out = &plan->tensors[op->is.output];
    const float *dy = out->gradient;
    const rs__product p = product_of(plan, op);
    float *dw = rs__gradient_at(plan, node->weight), *db = rs__gradient_at(plan, node->bias);
    RS_TRY(dw ? rs__product_weights(plan, &p, in->again, dy, dw, error) : RS_OK);
    if (db) {
        RS__CUDA(error, rs_cu_bias_gradient(dy, db, plan->shared, p.rows, p.out, plan->device->compute));
    }
    if (op->is.pass[0] != RS_PASS_NONE) {
        RS_TRY(rs__product_data(plan, &p, rs__parameter_at(plan, plan->value, node->weight), dy, in->gradient,
                                error));
    }
    return RS_OK;
}

static void linear_describe(const rs__op *op, char *text, size_t capacity)
{
    (void)op;
    (void)snprintf(text, capacity, "sgemm");
}

const rs__op_class rs__op_linear = {
    .prepare = linear_prepare,
    .forward = linear_forward,
    .backward = linear_backward,
    .describe = linear_describe,
    .needs_input = true,
};
