/* loss.c: softmax cross-entropy. Each sample in double; the mean is summed in the order of the samples. */
#include <math.h>

#include "plan.h"

static rs_status loss_prepare(rs_plan *plan, rs__op *op, rs_error *error)
{
    const rs__tensor *in = &plan->tensors[op->input[0]];
    if (in->height * in->width != 1) {
        return RS_FAIL(error, RS_UNSUPPORTED, "the loss %s needs a vector of scores, not maps of %dx%d",
                       rs__op_node(plan, op)->name, (int)in->height, (int)in->width);
    }
    op->kept_bytes = (size_t)(rs__largest_batch(plan) * in->channels) * sizeof(double);
    return RS_OK;
}

/* Fills the probabilities of one sample; returns its loss. */
static double softmax_row(const float *scores, int64_t classes, int32_t label, double *probability, bool *hit)
{
    int64_t best = 0;
    for (int64_t k = 1; k < classes; k++) {
        best = scores[k] > scores[best] ? k : best;
    }
    double largest = (double)scores[best], sum = 0.0;
    for (int64_t k = 0; k < classes; k++) {
        probability[k] = exp((double)scores[k] - largest);
        sum += probability[k];
    }
    for (int64_t k = 0; k < classes; k++) {
        probability[k] /= sum;
    }
    *hit = best == label;
    return log(sum) - ((double)scores[label] - largest);
}

static rs_status loss_forward(rs_plan *plan, rs__op *op, rs_mode mode, rs_error *error)
{
    (void)mode;
    if (!plan->labelled) {
        return RS_FAIL(error, RS_USAGE, "the loss %s needs labels; load a batch with labels first",
                       rs__op_node(plan, op)->name);
    }
    const rs__tensor *in = &plan->tensors[op->input[0]];
    int64_t classes = in->channels, stride = rs__sample_floats(plan, in);
    double *probabilities = op->kept;
#pragma omp parallel for schedule(static)
    for (int64_t n = 0; n < plan->count; n++) {
        bool hit;
        plan->losses[n] =
            softmax_row(in->value + n * stride, classes, plan->labels[n], probabilities + n * classes, &hit);
        plan->hits[n] = hit;
    }
    plan->loss = (rs_loss){0};
    for (int64_t n = 0; n < plan->count; n++) {
        plan->loss.loss += plan->losses[n];
        plan->loss.correct += plan->hits[n];
    }
    plan->loss.loss /= (double)plan->count;
    return RS_OK;
}

static rs_status loss_backward(rs_plan *plan, rs__op *op, rs_error *error)
{
    (void)error;
    if (op->pass[0] == RS_PASS_NONE) {
        return RS_OK;
    }
    const rs__tensor *in = &plan->tensors[op->input[0]];
    int64_t classes = in->channels, stride = rs__sample_floats(plan, in);
    bool add = op->pass[0] == RS_PASS_ADD;
    const double *probabilities = op->kept;
#pragma omp parallel for schedule(static)
    for (int64_t n = 0; n < plan->count; n++) {
        float *to = in->gradient + n * stride;
        for (int64_t k = 0; k < stride; k++) {
            double p =
                k < classes ? probabilities[n * classes + k] - (k == plan->labels[n] ? 1.0 : 0.0) : 0.0;
            float g = (float)(p / (double)plan->count);
            to[k] = add ? to[k] + g : g;
        }
    }
    return RS_OK;
}

const rs__op_class rs__op_loss = {
    .prepare = loss_prepare,
    .forward = loss_forward,
    .backward = loss_backward,
};
