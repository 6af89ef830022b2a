/* pointwise.c: ReLU, softplus and add, where they stand alone. */
#include <math.h>

#include "plan.h"

#define PIECE 32768 /* floats: a multiple of every number of lanes */

static int64_t piece_count(int64_t total, int64_t at)
{
    return total - at < PIECE ? total - at : PIECE;
}

void rs__elements_pass(const rs_plan *plan, const rs__tensor *t, const float *from, float *to, rs_pass pass)
{
    int64_t lanes = plan->device->kernels->lanes,
            total = plan->count * t->blocks * lanes * t->height * t->width;
    const rs__kernels *kernels = plan->device->kernels;
#pragma omp parallel for schedule(static) if (rs__worth_threads(total / lanes))
    for (int64_t at = 0; at < total; at += PIECE) {
        kernels->pass_gradient(from + at, to + at, pass, piece_count(total, at));
    }
}

static void relu_forward(rs_plan *plan, const rs__op *op, rs_mode mode, int64_t first, int64_t last)
{
    (void)mode;
    const rs__tensor *in = &plan->tensors[op->input[0]], *out = &plan->tensors[op->output];
    int64_t floats = rs__sample_floats(plan, out), at = first * floats;
    plan->device->kernels->relu_forward(in->value + at, out->value + at, (last - first) * floats);
}

static void relu_backward(rs_plan *plan, const rs__op *op, int64_t first, int64_t last)
{
    const rs__tensor *in = &plan->tensors[op->input[0]], *out = &plan->tensors[op->output];
    int64_t floats = rs__sample_floats(plan, out), at = first * floats;
    if (op->pass[0] != RS_PASS_NONE) {
        plan->device->kernels->relu_backward(out->again + at, out->gradient + at, in->gradient + at,
                                             op->pass[0], (last - first) * floats);
    }
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

static void softplus_forward(rs_plan *plan, const rs__op *op, rs_mode mode, int64_t first, int64_t last)
{
    (void)mode;
    const rs__tensor *in = &plan->tensors[op->input[0]], *out = &plan->tensors[op->output];
    int64_t lanes = plan->device->kernels->lanes, floats = out->height * out->width * lanes;
    for (int64_t plane = first * out->blocks; plane < last * out->blocks; plane++) {
        int64_t real = plane_lanes(plan, out, plane);
        for (int64_t i = plane * floats; i < (plane + 1) * floats; i++) {
            out->value[i] = i % lanes < real ? softplus(in->value[i]) : 0.0f;
        }
    }
}

static void softplus_backward(rs_plan *plan, const rs__op *op, int64_t first, int64_t last)
{
    const rs__tensor *in = &plan->tensors[op->input[0]], *out = &plan->tensors[op->output];
    bool add = op->pass[0] == RS_PASS_ADD;
    int64_t floats = rs__sample_floats(plan, out);
    for (int64_t i = first * floats; op->pass[0] != RS_PASS_NONE && i < last * floats; i++) {
        float g = out->gradient[i] * softplus_slope(in->again[i]);
        in->gradient[i] = add ? in->gradient[i] + g : g;
    }
}

static void add_forward(rs_plan *plan, const rs__op *op, rs_mode mode, int64_t first, int64_t last)
{
    (void)mode;
    const float *a = plan->tensors[op->input[0]].value, *b = plan->tensors[op->input[1]].value;
    const rs__tensor *out = &plan->tensors[op->output];
    int64_t floats = rs__sample_floats(plan, out), at = first * floats;
    plan->device->kernels->add_forward(a + at, b + at, out->value + at, (last - first) * floats);
}

static void add_backward(rs_plan *plan, const rs__op *op, int64_t first, int64_t last)
{
    const rs__tensor *out = &plan->tensors[op->output];
    int64_t floats = rs__sample_floats(plan, out), at = first * floats;
    for (int k = 1; k >= 0; k--) {
        if (op->pass[k] != RS_PASS_NONE) {
            plan->device->kernels->pass_gradient(out->gradient + at,
                                                 plan->tensors[op->input[k]].gradient + at, op->pass[k],
                                                 (last - first) * floats);
        }
    }
}

const rs__op_class rs__op_relu = {
    .forward_samples = relu_forward,
    .backward_samples = relu_backward,
    .needs_output = true,
};
const rs__op_class rs__op_softplus = {
    .forward_samples = softplus_forward,
    .backward_samples = softplus_backward,
    .needs_input = true,
    .cost = 256,
};
const rs__op_class rs__op_add = {
    .forward_samples = add_forward,
    .backward_samples = add_backward,
};
