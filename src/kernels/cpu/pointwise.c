/* pointwise.c: ReLU, softplus and add, where they stand alone. */
#include <math.h>

#include "plan.h"

#define PIECE 32768 /* floats: a multiple of every number of lanes */

static int64_t batch_floats(const rs_plan *plan, const rs__tensor *t)
{
    return plan->count * t->blocks * plan->device->kernels->lanes * t->height * t->width;
}

static int64_t piece_count(int64_t total, int64_t at)
{
    return total - at < PIECE ? total - at : PIECE;
}

void rs__elements_pass(const rs_plan *plan, const rs__tensor *t, const float *from, float *to, rs_pass pass)
{
    int64_t total = batch_floats(plan, t);
    const rs__kernels *kernels = plan->device->kernels;
#pragma omp parallel for schedule(static)
    for (int64_t at = 0; at < total; at += PIECE) {
        kernels->pass_gradient(from + at, to + at, pass, piece_count(total, at));
    }
}

static rs_status prepare_nothing(rs_plan *plan, rs__op *op, rs_error *error)
{
    (void)plan;
    (void)op;
    (void)error;
    return RS_OK;
}

static rs_status relu_forward(rs_plan *plan, rs__op *op, rs_mode mode, rs_error *error)
{
    (void)mode;
    (void)error;
    const rs__tensor *in = &plan->tensors[op->input[0]], *out = &plan->tensors[op->output];
    const rs__kernels *kernels = plan->device->kernels;
    int64_t total = batch_floats(plan, out);
#pragma omp parallel for schedule(static)
    for (int64_t at = 0; at < total; at += PIECE) {
        kernels->relu_forward(in->value + at, out->value + at, piece_count(total, at));
    }
    return RS_OK;
}

static rs_status relu_backward(rs_plan *plan, rs__op *op, rs_error *error)
{
    (void)error;
    if (op->pass[0] == RS_PASS_NONE) {
        return RS_OK;
    }
    const rs__tensor *in = &plan->tensors[op->input[0]], *out = &plan->tensors[op->output];
    const rs__kernels *kernels = plan->device->kernels;
    int64_t total = batch_floats(plan, out);
#pragma omp parallel for schedule(static)
    for (int64_t at = 0; at < total; at += PIECE) {
        kernels->relu_backward(out->again + at, out->gradient + at, in->gradient + at, op->pass[0],
                               piece_count(total, at));
    }
    return RS_OK;
}

/* Real channels of one plane: softplus(0) is not 0, so padding lanes are left out. */
static int64_t plane_lanes(const rs_plan *plan, const rs__tensor *t, int64_t plane)
{
    int64_t lanes = plan->device->kernels->lanes, rest = t->channels - plane % t->blocks * lanes;
    return rest < lanes ? rest : lanes;
}

/* ln(1 + e^x) without overflow. */
static float softplus(float x)
{
    double v = (double)x;
    return (float)((v > 0.0 ? v : 0.0) + log1p(exp(-fabs(v))));
}

static float softplus_slope(float x)
{
    return (float)(1.0 / (1.0 + exp(-(double)x)));
}

static rs_status softplus_forward(rs_plan *plan, rs__op *op, rs_mode mode, rs_error *error)
{
    (void)mode;
    (void)error;
    const rs__tensor *in = &plan->tensors[op->input[0]], *out = &plan->tensors[op->output];
    int64_t lanes = plan->device->kernels->lanes, floats = out->height * out->width * lanes;
#pragma omp parallel for schedule(static)
    for (int64_t plane = 0; plane < plan->count * out->blocks; plane++) {
        int64_t real = plane_lanes(plan, out, plane);
        for (int64_t i = plane * floats; i < (plane + 1) * floats; i++) {
            out->value[i] = i % lanes < real ? softplus(in->value[i]) : 0.0f;
        }
    }
    return RS_OK;
}

static rs_status softplus_backward(rs_plan *plan, rs__op *op, rs_error *error)
{
    (void)error;
    if (op->pass[0] == RS_PASS_NONE) {
        return RS_OK;
    }
    const rs__tensor *in = &plan->tensors[op->input[0]], *out = &plan->tensors[op->output];
    bool add = op->pass[0] == RS_PASS_ADD;
    int64_t total = batch_floats(plan, out);
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < total; i++) {
        float g = out->gradient[i] * softplus_slope(in->again[i]);
        in->gradient[i] = add ? in->gradient[i] + g : g;
    }
    return RS_OK;
}

static rs_status add_forward(rs_plan *plan, rs__op *op, rs_mode mode, rs_error *error)
{
    (void)mode;
    (void)error;
    const float *a = plan->tensors[op->input[0]].value, *b = plan->tensors[op->input[1]].value;
    const rs__tensor *out = &plan->tensors[op->output];
    const rs__kernels *kernels = plan->device->kernels;
    int64_t total = batch_floats(plan, out);
#pragma omp parallel for schedule(static)
    for (int64_t at = 0; at < total; at += PIECE) {
        kernels->add_forward(a + at, b + at, out->value + at, piece_count(total, at));
    }
    return RS_OK;
}

static rs_status add_backward(rs_plan *plan, rs__op *op, rs_error *error)
{
    (void)error;
    const rs__tensor *out = &plan->tensors[op->output];
    for (int k = 1; k >= 0; k--) {
        if (op->pass[k] != RS_PASS_NONE) {
            rs__elements_pass(plan, out, out->gradient, plan->tensors[op->input[k]].gradient, op->pass[k]);
        }
    }
    return RS_OK;
}

const rs__op_class rs__op_relu = {
    .prepare = prepare_nothing,
    .forward = relu_forward,
    .backward = relu_backward,
    .needs_output = true,
};
const rs__op_class rs__op_softplus = {
    .prepare = prepare_nothing,
    .forward = softplus_forward,
    .backward = softplus_backward,
    .needs_input = true,
};
const rs__op_class rs__op_add = {
    .prepare = prepare_nothing,
    .forward = add_forward,
    .backward = add_backward,
};
