/* matrix_product.c: a product for every channel of every sample by OpenBLAS, on rows copied out of the blocks. A thread
 * multiplies alone: each product's bits are the same with any number of threads. Shared scratch: a | b | y, canonical. */
#include <cblas.h>
#include <stdio.h>

#include "plan.h"

typedef struct product {
    const rs__tensor *a, *b, *y;
    int rows, inner, columns;
    float *in[2], *out; /* canonical, in shared scratch: for gradients, too */
} product;

static size_t canonical_bytes(const rs_plan *plan, const rs__tensor *t)
{
    return rs__round64((size_t)(rs__largest_batch(plan) * t->channels * t->height * t->width) *
                       sizeof(float));
}

static size_t blocked_bytes(const rs_plan *plan, const rs__tensor *t)
{
    return (size_t)(rs__largest_batch(plan) * rs__sample_floats(plan, t)) * sizeof(float);
}

static product product_of(const rs_plan *plan, const rs__op *op)
{
    product p = {.a = &plan->tensors[op->input[0]],
                 .b = &plan->tensors[op->input[1]],
                 .y = &plan->tensors[op->output]};
    p.rows = (int)p.a->height;
    p.inner = (int)p.a->width;
    p.columns = (int)p.b->width;
    p.in[0] = plan->shared;
    p.in[1] = p.in[0] + canonical_bytes(plan, p.a) / sizeof(float);
    p.out = p.in[1] + canonical_bytes(plan, p.b) / sizeof(float);
    return p;
}

/* Behind the three: a gradient, canonical, and where one is added to, in blocks. */
static rs_status product_prepare(rs_plan *plan, rs__op *op, rs_error *error)
{
    (void)error;
    size_t both = 0, larger = 0, blocked = 0;
    for (int k = 0; k < 2; k++) {
        const rs__tensor *in = &plan->tensors[op->input[k]];
        size_t own = canonical_bytes(plan, in), summand = blocked_bytes(plan, in);
        both += own;
        larger = own > larger ? own : larger;
        blocked = op->pass[k] == RS_PASS_ADD && summand > blocked ? summand : blocked;
    }
    op->shared_bytes = both + canonical_bytes(plan, &plan->tensors[op->output]) + larger + blocked;
    op->reorders = 3 + (op->needed ? 5 : 0);
    return RS_OK;
}

static void copy_out(const rs_plan *plan, const rs__tensor *t, const float *blocked, float *rows)
{
    rs__tensor_copy(plan, t, false, RS__TO_CANONICAL, (float *)(uintptr_t)blocked, rows, plan->count);
}

static rs_status product_forward(rs_plan *plan, rs__op *op, rs_mode mode, rs_error *error)
{
    (void)mode;
    (void)error;
    const product p = product_of(plan, op);
    copy_out(plan, p.a, p.a->value, p.in[0]);
    copy_out(plan, p.b, p.b->value, p.in[1]);
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < plan->count * p.y->channels; i++) {
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, p.rows, p.columns, p.inner, 1.0f,
                    p.in[0] + i * p.rows * p.inner, p.inner, p.in[1] + i * p.inner * p.columns, p.columns,
                    0.0f, p.out + i * p.rows * p.columns, p.columns);
    }
    rs__tensor_copy(plan, p.y, false, RS__FROM_CANONICAL, p.y->value, p.out, plan->count);
    return RS_OK;
}

/* da = dy b^T, db = a^T dy, canonical. */
static void multiply_back(const rs_plan *plan, const product *p, int which, float *gradient)
{
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < plan->count * p->y->channels; i++) {
        const float *dy = p->out + i * p->rows * p->columns;
        if (which == 0) {
            cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, p->rows, p->inner, p->columns, 1.0f, dy,
                        p->columns, p->in[1] + i * p->inner * p->columns, p->columns, 0.0f,
                        gradient + i * p->rows * p->inner, p->inner);
        } else {
            cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, p->inner, p->columns, p->rows, 1.0f,
                        p->in[0] + i * p->rows * p->inner, p->inner, dy, p->columns, 0.0f,
                        gradient + i * p->inner * p->columns, p->columns);
        }
    }
}

static void pass_back(const rs_plan *plan, const rs__op *op, const product *p, int which)
{
    const rs__tensor *in = which == 0 ? p->a : p->b;
    float *gradient = p->out + canonical_bytes(plan, p->y) / sizeof(float);
    size_t a = canonical_bytes(plan, p->a), b = canonical_bytes(plan, p->b);
    float *summand = gradient + (a > b ? a : b) / sizeof(float);
    bool add = op->pass[which] == RS_PASS_ADD;
    multiply_back(plan, p, which, gradient);
    rs__tensor_copy(plan, in, false, RS__FROM_CANONICAL, add ? summand : in->gradient, gradient, plan->count);
    if (add) {
        rs__elements_pass(plan, in, summand, in->gradient, RS_PASS_ADD);
    }
}

static rs_status product_backward(rs_plan *plan, rs__op *op, rs_error *error)
{
    (void)error;
    const product p = product_of(plan, op);
    copy_out(plan, p.a, p.a->again, p.in[0]);
    copy_out(plan, p.b, p.b->again, p.in[1]);
    copy_out(plan, p.y, p.y->gradient, p.out);
    for (int k = 1; k >= 0; k--) { /* as operations.c counts who sets and who adds */
        if (op->pass[k] != RS_PASS_NONE) {
            pass_back(plan, op, &p, k);
        }
    }
    return RS_OK;
}

static void product_describe(const rs__op *op, char *text, size_t capacity)
{
    (void)op;
    (void)snprintf(text, capacity, "sgemm for each channel, rows copied");
}

const rs__op_class rs__op_matrix_product = {
    .prepare = product_prepare,
    .forward = product_forward,
    .backward = product_backward,
    .describe = product_describe,
    .needs_input = true,
    .needs_second = true,
};
