/* loss.c: softmax cross-entropy, KL divergence from the one-hot label (which is the same), and what losses have in
 * common. Each sample in double; the sum runs in the order of the samples. */
#include <math.h>

#include "losses.h"
#include "plan.h"

static bool is_last(const rs_plan *plan, const rs__op *op)
{
    return op->node == plan->network->node_count - 1;
}

void rs__loss_sum(rs_plan *plan, const rs__op *op, const double *losses, const int32_t *predictions)
{
    rs_loss sum = {0};
    for (int64_t n = 0; n < plan->count; n++) {
        sum.loss += losses[n];
        sum.correct += predictions && predictions[n] == plan->labels[n];
    }
    sum.loss /= rs_loss_divisor(plan->network, op->node, plan->count);
    if (is_last(plan, op)) {
        plan->loss = sum;
    }
    for (int i = 0; i < plan->options.objective_count; i++) {
        if (plan->options.objectives[i].node == op->node) {
            plan->layers[i] =
                (rs_layer_value){.loss = sum.loss, .mean = (double)sum.correct / (double)plan->count};
        }
    }
}

/* What a loss with labels keeps of the largest batch: probabilities of all classes, each sample's loss and its first
 * largest score. */
typedef struct kept {
    double *probabilities, *losses;
    int32_t *predictions;
} kept;

static kept kept_of(const rs_plan *plan, const rs__op *op)
{
    int64_t batch = rs__largest_batch(plan);
    double *probabilities = op->kept, *losses = probabilities + batch * plan->tensors[op->input[0]].channels;
    return (kept){probabilities, losses, (int32_t *)(void *)(losses + batch)};
}

static rs_status loss_prepare(rs_plan *plan, rs__op *op, rs_error *error)
{
    const rs__tensor *in = &plan->tensors[op->input[0]];
    if (in->height * in->width != 1) {
        return RS_FAIL(error, RS_UNSUPPORTED, "the loss %s needs a vector of scores, not maps of %dx%d",
                       rs__op_node(plan, op)->name, (int)in->height, (int)in->width);
    }
    size_t batch = (size_t)rs__largest_batch(plan);
    op->kept_bytes = batch * ((size_t)in->channels + 1) * sizeof(double) + batch * sizeof(int32_t);
    op->cost = 10 * in->channels;
    return RS_OK;
}

static rs_status loss_begin(rs_plan *plan, const rs__op *op, rs_error *error)
{
    return plan->labelled
               ? RS_OK
               : RS_FAIL(error, RS_USAGE, "the loss %s needs labels; load a batch with labels first",
                         rs__op_node(plan, op)->name);
}

/* Fills the probabilities of one sample and finds its first largest score; returns its loss. */
static double softmax_row(const float *scores, int64_t classes, int32_t label, double *probability,
                          int32_t *prediction)
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
    *prediction = (int32_t)best;
    return log(sum) - ((double)scores[label] - largest);
}

static void loss_forward(rs_plan *plan, const rs__op *op, rs_mode mode, int64_t first, int64_t last)
{
    (void)mode;
    const rs__tensor *in = &plan->tensors[op->input[0]];
    int64_t classes = in->channels, stride = rs__sample_floats(plan, in);
    kept k = kept_of(plan, op);
    for (int64_t n = first; n < last; n++) {
        k.losses[n] = softmax_row(in->value + n * stride, classes, plan->labels[n],
                                  k.probabilities + n * classes, &k.predictions[n]);
    }
}

static void loss_end(rs_plan *plan, const rs__op *op)
{
    kept k = kept_of(plan, op);
    rs__loss_sum(plan, op, k.losses, k.predictions);
}

/* softmax(x) - onehot, of the labels that this backward pass takes; of both: the sum. */
static double slope(const rs_plan *plan, double probability, int64_t class, int32_t label, int32_t prediction)
{
    double of_label = probability - (class == label ? 1.0 : 0.0);
    double of_prediction = probability - (class == prediction ? 1.0 : 0.0);
    switch (plan->label_choice) {
    case RS_LABELS_PREDICTED:
        return of_prediction;
    case RS_LABELS_BOTH:
        return of_label + of_prediction;
    default:
        return of_label;
    }
}

static void loss_backward(rs_plan *plan, const rs__op *op, int64_t first, int64_t last)
{
    const rs__tensor *in = &plan->tensors[op->input[0]];
    int64_t classes = in->channels, stride = rs__sample_floats(plan, in);
    double divisor = rs_loss_divisor(plan->network, op->node, plan->count);
    double weight = rs_loss_weight(plan->network, &plan->options, op->node);
    bool add = op->pass[0] == RS_PASS_ADD;
    kept own = kept_of(plan, op);
    for (int64_t n = first; op->pass[0] != RS_PASS_NONE && n < last; n++) {
        const double *p = own.probabilities + n * classes;
        float *to = in->gradient + n * stride;
        for (int64_t k = 0; k < stride; k++) {
            double d = k < classes ? slope(plan, p[k], k, plan->labels[n], own.predictions[n]) : 0.0;
            float g = (float)(weight * d / divisor);
            to[k] = add ? to[k] + g : g;
        }
    }
}

const rs__op_class rs__op_loss = {
    .prepare = loss_prepare,
    .begin_forward = loss_begin,
    .forward_samples = loss_forward,
    .end_forward = loss_end,
    .backward_samples = loss_backward,
};
