/* products.c: linear, convolution and matrix product; see operators.h. */
#include "operators.h"

static void add_bias(const rs__call *c, int64_t plane)
{
    for (int64_t i = 0; c->b && i < c->n * c->out[0]; i++) {
        for (int64_t p = 0; p < plane; p++) {
            c->y[i * plane + p] += c->b[i % c->out[0]];
        }
    }
}

static void add_bias_gradient(const rs__call *c, int64_t plane)
{
    for (int64_t i = 0; c->db && i < c->n * c->out[0]; i++) {
        for (int64_t p = 0; p < plane; p++) {
            c->db[i % c->out[0]] += c->dy[i * plane + p];
        }
    }
}

static void linear_forward(const rs__call *c)
{
    const rs__product y = {.m = c->n,
                           .n = c->out[0],
                           .k = rs__elements(c->in[0]),
                           .transpose_b = true,
                           .a = c->x[0],
                           .b = c->w,
                           .c = c->y};
    rs__dual_multiply(&y);
    add_bias(c, 1);
}

static void linear_backward(const rs__call *c)
{
    const int64_t in = rs__elements(c->in[0]), out = c->out[0];
    const rs__product dw = {
        .m = out, .n = in, .k = c->n, .transpose_a = true, .add = true, .a = c->dy, .b = c->x[0], .c = c->dw};
    rs__dual_multiply(&dw);
    add_bias_gradient(c, 1);
    if (c->dx[0]) {
        const rs__product dx = {
            .m = c->n, .n = in, .k = out, .add = true, .a = c->dy, .b = c->w, .c = c->dx[0]};
        rs__dual_multiply(&dx);
    }
}

/* One number of a sample's columns [C k k, OH OW]: its place in the plane, or -1 in the padding. */
static int64_t place(const rs__call *c, int64_t row, int64_t column)
{
    const rs_node_attributes *a = &c->node->attributes;
    int64_t within = row % (a->kernel * a->kernel);
    int64_t y = column / c->out[2] * a->stride - a->padding + within / a->kernel;
    int64_t x = column % c->out[2] * a->stride - a->padding + within % a->kernel;
    bool inside = y >= 0 && y < c->in[0][1] && x >= 0 && x < c->in[0][2];
    return inside ? (row / (a->kernel * a->kernel) * c->in[0][1] + y) * c->in[0][2] + x : -1;
}

static int64_t column_rows(const rs_node *node, const int64_t *in)
{
    return in[0] * node->attributes.kernel * node->attributes.kernel;
}

static void unfold(const rs__call *c, const rs__number *x)
{
    const int64_t rows = column_rows(c->node, c->in[0]), columns = c->out[1] * c->out[2];
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t o = 0; o < columns; o++) {
            int64_t at = place(c, r, o);
            c->scratch[r * columns + o] = at < 0 ? 0.0 : x[at];
        }
    }
}

static void fold(const rs__call *c, rs__number *dx)
{
    const int64_t rows = column_rows(c->node, c->in[0]), columns = c->out[1] * c->out[2];
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t o = 0; o < columns; o++) {
            int64_t at = place(c, r, o);
            if (at >= 0) {
                dx[at] += c->scratch[r * columns + o];
            }
        }
    }
}

static void convolution_forward(const rs__call *c)
{
    const int64_t rows = column_rows(c->node, c->in[0]), columns = c->out[1] * c->out[2];
    for (int64_t i = 0; i < c->n; i++) {
        unfold(c, c->x[0] + i * rs__elements(c->in[0]));
        const rs__product y = {.m = c->out[0],
                               .n = columns,
                               .k = rows,
                               .a = c->w,
                               .b = c->scratch,
                               .c = c->y + i * rs__elements(c->out)};
        rs__dual_multiply(&y);
    }
    add_bias(c, columns);
}

static void convolution_backward(const rs__call *c)
{
    const int64_t rows = column_rows(c->node, c->in[0]), columns = c->out[1] * c->out[2];
    for (int64_t i = 0; i < c->n; i++) {
        const rs__number *dy = c->dy + i * rs__elements(c->out);
        unfold(c, c->x[0] + i * rs__elements(c->in[0]));
        const rs__product dw = {.m = c->out[0],
                                .n = rows,
                                .k = columns,
                                .transpose_b = true,
                                .add = true,
                                .a = dy,
                                .b = c->scratch,
                                .c = c->dw};
        rs__dual_multiply(&dw);
        if (c->dx[0]) {
            const rs__product dx = {.m = rows,
                                    .n = columns,
                                    .k = c->out[0],
                                    .transpose_a = true,
                                    .a = c->w,
                                    .b = dy,
                                    .c = c->scratch};
            rs__dual_multiply(&dx);
            fold(c, c->dx[0] + i * rs__elements(c->in[0]));
        }
    }
    add_bias_gradient(c, columns);
}

static void product_forward(const rs__call *c)
{
    const int64_t h = c->out[1], w = c->out[2], k = c->in[0][2];
    for (int64_t i = 0; i < c->n * c->out[0]; i++) {
        const rs__product y = {.m = h,
                               .n = w,
                               .k = k,
                               .a = c->x[0] + i * h * k,
                               .b = c->x[1] + i * k * w,
                               .c = c->y + i * h * w};
        rs__dual_multiply(&y);
    }
}

static void product_backward(const rs__call *c)
{
    const int64_t h = c->out[1], w = c->out[2], k = c->in[0][2];
    for (int64_t i = 0; i < c->n * c->out[0]; i++) {
        const rs__number *a = c->x[0] + i * h * k, *b = c->x[1] + i * k * w, *dy = c->dy + i * h * w;
        if (c->dx[0]) {
            const rs__product da = {.m = h,
                                    .n = k,
                                    .k = w,
                                    .transpose_b = true,
                                    .add = true,
                                    .a = dy,
                                    .b = b,
                                    .c = c->dx[0] + i * h * k};
            rs__dual_multiply(&da);
        }
        if (c->dx[1]) {
            const rs__product db = {.m = k,
                                    .n = w,
                                    .k = h,
                                    .transpose_a = true,
                                    .add = true,
                                    .a = a,
                                    .b = dy,
                                    .c = c->dx[1] + i * k * w};
            rs__dual_multiply(&db);
        }
    }
}

int64_t rs__scratch_size(const rs_node *node, const int64_t *in)
{
    return node->kind == RS_OP_CONVOLUTION ? column_rows(node, in) * node->shape[1] * node->shape[2] : 0;
}

const rs__operator rs__dual_linear = {linear_forward, linear_backward};
const rs__operator rs__dual_convolution = {convolution_forward, convolution_backward};
const rs__operator rs__dual_matrix_product = {product_forward, product_backward};
