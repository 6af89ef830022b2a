/* matrix_product.c: y[c] = a[c] b[c], plane by plane; see operators.h and rs/network.h. */
#include "operators.h"
#include "real.h"

/* One plane: a [rows, depth], b [depth, columns], y [rows, columns]. */
typedef struct planes {
    int64_t rows, depth, columns;
    int64_t a, b, y; /* where they begin */
} planes;

static planes planes_of(const ref_call *call, int64_t index)
{
    planes p = {.rows = call->in[1], .depth = call->in[2], .columns = call->in_second[2]};
    p.a = index * p.rows * p.depth;
    p.b = index * p.depth * p.columns;
    p.y = index * p.rows * p.columns;
    return p;
}

static void forward_plane(const void *context, int64_t index, int thread)
{
    const ref_call *call = context;
    planes p = planes_of(call, index);
    const real *a = (const real *)call->x[0] + p.a, *b = (const real *)call->x[1] + p.b;
    (void)thread;
    for (int64_t i = 0; i < p.rows; i++) {
        for (int64_t j = 0; j < p.columns; j++) {
            double sum = 0.0;
            for (int64_t k = 0; k < p.depth; k++) {
                sum += (double)a[i * p.depth + k] * (double)b[k * p.columns + j];
            }
            ((real *)call->y)[p.y + i * p.columns + j] = (real)sum;
        }
    }
}

/* da = dy b^T */
static void backward_a(const ref_call *call, const planes *p)
{
    const real *dy = (const real *)call->dy + p->y, *b = (const real *)call->x[1] + p->b;
    for (int64_t i = 0; i < p->rows; i++) {
        for (int64_t k = 0; k < p->depth; k++) {
            double sum = 0.0;
            for (int64_t j = 0; j < p->columns; j++) {
                sum += (double)dy[i * p->columns + j] * (double)b[k * p->columns + j];
            }
            ref_put(call->dx[0], p->a + i * p->depth + k, sum, call->pass[0]);
        }
    }
}

/* db = a^T dy */
static void backward_b(const ref_call *call, const planes *p)
{
    const real *dy = (const real *)call->dy + p->y, *a = (const real *)call->x[0] + p->a;
    for (int64_t k = 0; k < p->depth; k++) {
        for (int64_t j = 0; j < p->columns; j++) {
            double sum = 0.0;
            for (int64_t i = 0; i < p->rows; i++) {
                sum += (double)a[i * p->depth + k] * (double)dy[i * p->columns + j];
            }
            ref_put(call->dx[1], p->b + k * p->columns + j, sum, call->pass[1]);
        }
    }
}

/* Both factors may be the same tensor, whose gradient is then set and added to. */
static void backward_plane(const void *context, int64_t index, int thread)
{
    const ref_call *call = context;
    planes p = planes_of(call, index);
    (void)thread;
    if (call->pass[0] != RS_PASS_NONE) {
        backward_a(call, &p);
    }
    if (call->pass[1] != RS_PASS_NONE) {
        backward_b(call, &p);
    }
}

static void forward(const ref_call *call)
{
    ref_for(call->threads, call->n * call->in[0], forward_plane, call);
}

static void backward(const ref_call *call)
{
    ref_for(call->threads, call->n * call->in[0], backward_plane, call);
}

const ref_operator REF(matrix_product) = {forward, backward, NULL};
