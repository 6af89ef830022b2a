/* dropout.c: dropout, sample by sample; see operators.h and common/dropout.h. Backward is forward with dy for x. */
#include "operators.h"
#include "real.h"

/* One sample of y = or += x m / (1 - rate); x itself in evaluation mode. Elements are drawn channels last. */
static void drop(const ref_call *call, int64_t n, const real *x, real *y, rs_pass pass)
{
    int64_t channels = call->in[0], positions = call->in[1] * call->in[2];
    real scale = (real)call->dropout.scale;
    uint32_t keep = 0;
    for (int64_t e = 0; e < channels * positions; e++) {
        int64_t i = (n * channels + e % channels) * positions + e / channels;
        real value = x[i];
        if (call->mode == RS_MODE_TRAIN) {
            keep = e % 4 ? keep >> 1
                         : rs_dropout_keep(&call->dropout, (uint32_t)(e / 4), call->ids[n], call->epoch);
            value = keep & 1 ? x[i] * scale : 0;
        }
        y[i] = pass == RS_PASS_ADD ? y[i] + value : value;
    }
}

static void forward_sample(const void *context, int64_t n, int thread)
{
    const ref_call *call = context;
    (void)thread;
    drop(call, n, call->x[0], call->y, RS_PASS_SET);
}

static void backward_sample(const void *context, int64_t n, int thread)
{
    const ref_call *call = context;
    (void)thread;
    drop(call, n, call->dy, call->dx[0], call->pass[0]);
}

static void forward(const ref_call *call)
{
    ref_for(call->threads, call->n, forward_sample, call);
}

static void backward(const ref_call *call)
{
    if (call->pass[0] != RS_PASS_NONE) {
        ref_for(call->threads, call->n, backward_sample, call);
    }
}

const ref_operator REF(dropout) = {forward, backward, NULL};
