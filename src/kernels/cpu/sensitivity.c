/* sensitivity.c: norms of the loss's gradient with respect to the input, in double. */
#include "measure.h"
#include "plan.h"

/* Sum of squares of one sample's gradient; padding is zero. */
static double squares_of(const float *gradient, int64_t count)
{
    double sum = 0.0;
    for (int64_t i = 0; i < count; i++) {
        sum += (double)gradient[i] * (double)gradient[i];
    }
    return sum;
}

rs_status rs__cpu_read_sensitivity(rs_plan *plan, rs_sensitivity *sensitivity, rs_error *error)
{
    const rs__tensor *in = &plan->tensors[0];
    if (!plan->options.input_gradient || !plan->options.training) {
        return RS_FAIL(error, RS_UNSUPPORTED, "this plan computes no gradient of its input");
    }
    if (!plan->ran_backward) {
        return RS_FAIL(error, RS_USAGE, "there is no sensitivity to read: no backward pass ran");
    }
    int64_t floats = in->blocks * plan->device->kernels->lanes * in->height * in->width;
    for (int64_t n = 0; n < plan->count; n++) { /* where no loss reaches it: 0 */
        plan->squares[n] = in->gradient ? squares_of(in->gradient + n * floats, floats) : 0.0;
    }
    *sensitivity = rs_measure_sensitivity(plan->network, plan->squares, plan->count);
    return RS_OK;
}
