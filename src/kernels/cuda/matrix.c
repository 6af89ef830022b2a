/* matrix.c: products of two maps, a matrix for each sample and channel: of one channel by cuBLAS, of more by our kernel, for
 * channels lie innermost and no library takes that. */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

#include "product.h"

/* [H, K] by [K, W]. */
typedef struct shape {
    int64_t rows, columns, depth, channels;
} shape;

static shape shape_of(const rs_plan *plan, const rs__op *op)
{
    const rs__tensor *a = &plan->tensors[op->is.input[0]], *b = &plan->tensors[op->is.input[1]];
    return (shape){.rows = a->height, .columns = b->width, .depth = a->width, .channels = a->channels};
}

static rs_status matrix_prepare(rs_plan *plan, rs__op *op, rs_error *error)
{
    const shape s = shape_of(plan, op);
    if (s.rows > INT_MAX || s.columns > INT_MAX || s.depth > INT_MAX || rs__largest_batch(plan) > INT_MAX) {
        return RS_FAIL(error, RS_UNSUPPORTED, "cuBLAS takes no matrices of %" PRId64 "x%" PRId64 "x%" PRId64,
                       s.rows, s.depth, s.columns);
    }
    return RS_OK;
}

static rs__products products_of(const rs_plan *plan, const shape *s, rs_pass pass)
{
    return (rs__products){.samples = (int)plan->count,
                          .rows = (int)s->rows,
                          .columns = (int)s->columns,
                          .depth = (int)s->depth,
                          .add = pass == RS_PASS_ADD};
}

static rs_cu_matrix kernel_of(const rs_plan *plan, const shape *s, rs_pass pass)
{
    return (rs_cu_matrix){.samples = plan->count, .channels = (int)s->channels, .pass = pass};
}

static rs_status matrix_forward(rs_plan *plan, rs__op *op, rs_mode mode, rs_error *error)
{
    const shape s = shape_of(plan, op);
    const float *a = plan->tensors[op->is.input[0]].value, *b = plan->tensors[op->is.input[1]].value;
    float *y = plan->tensors[op->is.output].value;
    (void)mode;
    if (s.channels == 1) {
        const rs__products p = products_of(plan, &s, RS_PASS_SET);
        return rs__products_forward(plan, &p, a, b, y, error);
    }
    rs_cu_matrix m = kernel_of(plan, &s, RS_PASS_SET);
    m.a = a;
    m.b = b;
    m.y = y;
    m.rows = s.rows;
    m.columns = s.columns;
    m.depth = m.a_row = s.depth;
    m.a_depth = m.b_column = 1;
    m.b_depth = s.columns;
    RS__CUDA(error, rs_cu_matrix_product(&m, plan->device->compute));
    return RS_OK;
}

/* da = dy b' */
static rs_status first_backward(rs_plan *plan, const rs__op *op, rs_error *error)
{
    const shape s = shape_of(plan, op);
    const float *b = plan->tensors[op->is.input[1]].again, *dy = plan->tensors[op->is.output].gradient;
    float *da = plan->tensors[op->is.input[0]].gradient;
    if (s.channels == 1) {
        const rs__products p = products_of(plan, &s, op->is.pass[0]);
        return rs__products_first(plan, &p, dy, b, da, error);
    }
    rs_cu_matrix m = kernel_of(plan, &s, op->is.pass[0]);
    m.a = dy;
    m.b = b;
    m.y = da;
    m.rows = s.rows;
    m.columns = s.depth;
    m.depth = m.a_row = m.b_column = s.columns;
    m.a_depth = m.b_depth = 1;
    RS__CUDA(error, rs_cu_matrix_product(&m, plan->device->compute));
    return RS_OK;
}

/* db = a' dy */
static rs_status second_backward(rs_plan *plan, const rs__op *op, rs_error *error)
{
    const shape s = shape_of(plan, op);
    const float *a = plan->tensors[op->is.input[0]].again, *dy = plan->tensors[op->is.output].gradient;
    float *db = plan->tensors[op->is.input[1]].gradient;
    if (s.channels == 1) {
        const rs__products p = products_of(plan, &s, op->is.pass[1]);
        return rs__products_second(plan, &p, a, dy, db, error);
    }
    rs_cu_matrix m = kernel_of(plan, &s, op->is.pass[1]);
    m.a = a;
    m.b = dy;
    m.y = db;
    m.rows = m.a_depth = s.depth;
    m.columns = m.b_depth = s.columns;
    m.depth = s.rows;
    m.a_row = m.b_column = 1;
    RS__CUDA(error, rs_cu_matrix_product(&m, plan->device->compute));
    return RS_OK;
}

/* The second factor first: both may be one tensor. */
static rs_status matrix_backward(rs_plan *plan, rs__op *op, rs_error *error)
{
    RS_TRY(op->is.pass[1] != RS_PASS_NONE ? second_backward(plan, op, error) : RS_OK);
    return op->is.pass[0] != RS_PASS_NONE ? first_backward(plan, op, error) : RS_OK;
}

static void matrix_describe(const rs__op *op, char *text, size_t capacity)
{
    (void)op;
    (void)snprintf(text, capacity, "sgemm of every sample, own kernel with several channels");
}

const rs__op_class rs__op_matrix_product = {
    .prepare = matrix_prepare,
    .forward = matrix_forward,
    .backward = matrix_backward,
    .describe = matrix_describe,
    .needs_input = true,
    .needs_second = true,
};
