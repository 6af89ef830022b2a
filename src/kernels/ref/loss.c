/* loss.c: softmax cross-entropy and mean squared error; see operators.h and rs/network.h. Small: one thread. */
#include <math.h>

#include "operators.h"
#include "real.h"

/* --- softmax cross-entropy, and the divergence, which is the same number -------------------------------------- */

/* max x + ln sum e^(x - max x), and where the first largest score is. NaN scores give NaN. */
static double log_sum_exp(const real *x, int64_t classes, int64_t *first_largest)
{
    int64_t best = 0;
    for (int64_t k = 1; k < classes; k++) {
        best = x[k] > x[best] ? k : best;
    }
    double sum = 0.0;
    for (int64_t k = 0; k < classes; k++) {
        sum += exp((double)x[k] - (double)x[best]);
    }
    *first_largest = best;
    return (double)x[best] + log(sum);
}

static void entropy_forward(const ref_call *call)
{
    *call->correct = 0;
    for (int64_t n = 0; n < call->n; n++) {
        const real *x = (const real *)call->x[0] + n * call->in[0];
        int64_t best;
        call->loss[n] = log_sum_exp(x, call->in[0], &best) - (double)x[call->labels[n]];
        ((real *)call->y)[n] = (real)call->loss[n];
        *call->correct += best == call->labels[n];
    }
}

/* softmax(x)[k] - onehot(label)[k] of the labels that were chosen, both of them added. */
static double entropy_slope(rs_label_choice choice, double softmax, bool labelled, bool predicted)
{
    double truth = softmax - (labelled ? 1.0 : 0.0), own = softmax - (predicted ? 1.0 : 0.0);
    return choice == RS_LABELS_TRUE ? truth : choice == RS_LABELS_PREDICTED ? own : truth + own;
}

static void entropy_backward(const ref_call *call)
{
    for (int64_t n = 0; call->pass[0] != RS_PASS_NONE && n < call->n; n++) {
        const real *x = (const real *)call->x[0] + n * call->in[0];
        int64_t best;
        double log_sum = log_sum_exp(x, call->in[0], &best);
        for (int64_t k = 0; k < call->in[0]; k++) {
            double p = exp((double)x[k] - log_sum);
            double slope = entropy_slope(call->choice, p, k == call->labels[n], k == best);
            ref_put(call->dx[0], n * call->in[0] + k, call->weight * slope / call->divisor, call->pass[0]);
        }
    }
}

/* --- mean squared error ------------------------------------------------------------------------------------------ */

static int64_t elements(const ref_call *call)
{
    return call->in[0] * call->in[1] * call->in[2];
}

static void squares_forward(const ref_call *call)
{
    int64_t size = elements(call);
    *call->correct = 0;
    for (int64_t n = 0; n < call->n; n++) {
        call->loss[n] = 0.0;
        for (int64_t i = n * size; i < (n + 1) * size; i++) {
            double d = (double)((const real *)call->x[0])[i] - (double)((const real *)call->targets)[i];
            call->loss[n] += d * d;
        }
        ((real *)call->y)[n] = (real)call->loss[n];
    }
}

static void squares_backward(const ref_call *call)
{
    for (int64_t i = 0; call->pass[0] != RS_PASS_NONE && i < call->n * elements(call); i++) {
        double d = (double)((const real *)call->x[0])[i] - (double)((const real *)call->targets)[i];
        ref_put(call->dx[0], i, call->weight * (2.0 * d) / call->divisor, call->pass[0]);
    }
}

const ref_operator REF(softmax_cross_entropy) = {entropy_forward, entropy_backward, NULL};
const ref_operator REF(mean_squared_error) = {squares_forward, squares_backward, NULL};
