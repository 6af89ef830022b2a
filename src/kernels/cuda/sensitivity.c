/* sensitivity.c: how strongly the loss depends on the input: a sum of squares for each sample on the device, the rest here. */
#include "measure.h"
#include "plan.h"
#include "rs/host.h"

static rs_status read_squares(rs_plan *plan, double *squares, rs_error *error)
{
    const rs__tensor *in = &plan->tensors[0];
    cudaStream_t stream = plan->device->compute;
    RS_TRY(rs__catch_up(plan, error));
    RS__CUDA(error,
             rs_cu_sample_squares(in->gradient, plan->count, rs__sample_floats(in), plan->losses, stream));
    RS__CUDA(error, cudaMemcpyAsync(squares, plan->losses, (size_t)plan->count * sizeof *squares,
                                    cudaMemcpyDeviceToHost, stream));
    RS__CUDA(error, cudaStreamSynchronize(stream));
    return RS_OK;
}

rs_status rs__cuda_read_sensitivity(rs_plan *plan, rs_sensitivity *sensitivity, rs_error *error)
{
    if (!plan->options.input_gradient) {
        return RS_FAIL(error, RS_UNSUPPORTED, "this plan keeps no gradient of the input");
    }
    if (!plan->ran_backward) {
        return RS_FAIL(error, RS_USAGE, "there is no sensitivity to read: no backward pass ran");
    }
    if (!plan->tensors[0].gradient) { /* cut off: no loss reaches the input */
        *sensitivity = (rs_sensitivity){0};
        return RS_OK;
    }
    double *squares = rs_alloc_array((size_t)plan->count, sizeof *squares);
    if (!squares) {
        return RS_FAIL(error, RS_MEMORY, "no memory for the norms of %d samples", (int)plan->count);
    }
    rs_status status = read_squares(plan, squares, error);
    if (status == RS_OK) {
        *sensitivity = rs_measure_sensitivity(plan->network, squares, plan->count);
    }
    rs_free(squares);
    return status;
}
