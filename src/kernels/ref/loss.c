/* loss.c: softmax cross-entropy; see operators.h and rs/network.h. Small: one thread. */
#include <math.h>

#include "operators.h"
#include "real.h"

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

static void forward(const ref_call *call)
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

static void backward(const ref_call *call)
{
    for (int64_t n = 0; call->pass[0] != RS_PASS_NONE && n < call->n; n++) {
        const real *x = (const real *)call->x[0] + n * call->in[0];
        real *dx = (real *)call->dx[0] + n * call->in[0];
        int64_t best;
        double log_sum = log_sum_exp(x, call->in[0], &best);
        for (int64_t k = 0; k < call->in[0]; k++) {
            double p = exp((double)x[k] - log_sum), hot = k == call->labels[n] ? 1.0 : 0.0;
            double d = (p - hot) / (double)call->n;
            dx[k] = (real)(call->pass[0] == RS_PASS_ADD ? (double)dx[k] + d : d);
        }
    }
}

const ref_operator REF(softmax_cross_entropy) = {forward, backward, NULL};
