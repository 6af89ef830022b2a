/* steps.c: running the operations, now or when they are due. Nothing here allocates; only reading, settling, profiles
 * and RS_CUDA_SYNC wait. */
#include "plan.h"

/* Names the operation in an error; waits for it where asked to, so that the error is its own. */
static rs_status end_operation(const rs_plan *plan, const rs__op *op, rs_status status, rs_error *error)
{
    if (status == RS_OK && plan->device->sync_each) {
        cudaError_t waited = cudaStreamSynchronize(plan->device->compute);
        if (waited != cudaSuccess) {
            status = rs__cuda_failed(error, waited, "waiting for it (RS_CUDA_SYNC)", __FILE__, __LINE__);
        }
    }
    return status ? rs_error_prefix(error, "%s", rs__op_node(plan, op)->name) : RS_OK;
}

static rs_status run_forward(rs_plan *plan, rs_mode mode, rs_error *error)
{
    bool timed = mode == RS_MODE_TRAIN;
    for (int i = 0; i < plan->op_count; i++) {
        rs__op *op = &plan->ops[i];
        rs_status status = timed ? rs__timer_begin(plan, error) : RS_OK;
        status = status ? status : op->kind->forward(plan, op, mode, error);
        status = status ? status : rs__objectives_measure(plan, op, error);
        if (status == RS_OK && timed) {
            status = rs__timer_end(plan, op, RS__TIMED_FORWARD, error);
        }
        RS_TRY(end_operation(plan, op, status, error));
    }
    return RS_OK;
}

/* Values that were not kept and that the operation's backward is the first to read. */
static rs_status recompute_for(rs_plan *plan, const rs__op *op, rs_error *error)
{
    for (int i = op->first_again; i < op->end_again; i++) {
        rs__op *writer = &plan->ops[plan->lives.again[i]];
        RS_TRY(rs__timer_begin(plan, error));
        RS_TRY(writer->kind->recompute(plan, writer, error));
        RS_TRY(rs__timer_end(plan, writer, RS__TIMED_AGAIN, error));
    }
    return RS_OK;
}

/* What a convolution has left to add to the gradient of the operation's output; a join does it while it reads. */
static rs_status add_addend(const rs_plan *plan, const rs__op *op, rs_error *error)
{
    const rs__tensor *t = &plan->tensors[op->is.output];
    if (t->addend && !op->is.joined) {
        RS__CUDA(error, rs_cu_pass(t->addend, t->gradient, RS_PASS_ADD, rs__batch_floats(plan, op),
                                   plan->device->compute));
    }
    return RS_OK;
}

static rs_status run_backward(rs_plan *plan, rs_error *error)
{
    for (int i = plan->op_count - 1; i >= 0; i--) {
        rs__op *op = &plan->ops[i];
        if (!op->is.needed) {
            continue;
        }
        rs_status status = recompute_for(plan, op, error);
        status = status ? status : rs__timer_begin(plan, error);
        status = status ? status : add_addend(plan, op, error);
        status = status ? status : rs__objectives_backward(plan, op, error);
        status = status ? status : op->kind->backward(plan, op, error);
        if (status == RS_OK && !op->kind->times_itself) {
            status = rs__timer_end(plan, op, RS__TIMED_BACKWARD, error);
        }
        RS_TRY(end_operation(plan, op, status, error));
    }
    return RS_OK;
}

/* A profile is of training: only the forward pass that is due, too, says that the batch is for that. */
static rs_status run_batch(rs_plan *plan, rs_error *error)
{
    bool timed = plan->due & RS__DUE_FORWARD;
    RS_TRY(timed ? rs__timer_begin(plan, error) : RS_OK);
    RS_TRY(rs__batch_gather(plan, error));
    return timed ? rs__timer_end_batch(plan, error) : RS_OK;
}

rs_status rs__run_due(rs_plan *plan, rs_error *error)
{
    RS_TRY(plan->due & RS__DUE_BATCH ? run_batch(plan, error) : RS_OK);
    RS_TRY(plan->due & RS__DUE_FORWARD ? run_forward(plan, RS_MODE_TRAIN, error) : RS_OK);
    return plan->due & RS__DUE_BACKWARD ? run_backward(plan, error) : RS_OK;
}

rs_status rs__catch_up(rs_plan *plan, rs_error *error)
{
    rs_status status = rs__run_due(plan, error);
    plan->due = 0;
    plan->ran_forward = plan->ran_forward && status == RS_OK;
    plan->ran_backward = plan->ran_backward && status == RS_OK;
    return status;
}

rs_status rs__settle(rs_plan *plan, rs_error *error)
{
    RS_TRY(rs__catch_up(plan, error));
    RS__CUDA(error, cudaStreamSynchronize(plan->device->compute));
    return RS_OK;
}

rs_status rs__cuda_forward(rs_plan *plan, rs_mode mode, rs_error *error)
{
    if (plan->count == 0) {
        return RS_FAIL(error, RS_USAGE, "forward before any batch was loaded");
    }
    RS_TRY(rs_losses_check_batch(plan->network, plan->labelled, plan->targeted, error));
    if (plan->due & ~(unsigned)RS__DUE_BATCH) {
        RS_TRY(rs__catch_up(plan, error));
    }
    plan->ran_forward = plan->ran_backward = false;
    if (mode == RS_MODE_TRAIN) {
        plan->due |= RS__DUE_FORWARD;
    } else {
        RS_TRY(rs__catch_up(plan, error));
        RS_TRY(run_forward(plan, mode, error));
    }
    plan->mode = mode;
    plan->ran_forward = true;
    return RS_OK;
}

rs_status rs__cuda_backward(rs_plan *plan, rs_label_choice labels, rs_error *error)
{
    if (!plan->options.training) {
        return RS_FAIL(error, RS_UNSUPPORTED, "this plan was made for forward passes only");
    }
    if (!plan->ran_forward) {
        return RS_FAIL(error, RS_USAGE, "backward needs a forward pass before it");
    }
    if (plan->due & RS__DUE_BACKWARD) {
        RS_TRY(rs__catch_up(plan, error));
    }
    plan->labels_of = labels;
    plan->due |= RS__DUE_BACKWARD;
    plan->ran_backward = true;
    return RS_OK;
}

rs_status rs__cuda_read_loss(rs_plan *plan, rs_loss *loss, rs_error *error)
{
    if (!plan->has_loss || !plan->ran_forward) {
        return RS_FAIL(error, RS_USAGE, "there is no loss to read: %s",
                       plan->has_loss ? "no forward pass ran" : "the network ends without one");
    }
    rs_cu_loss *here = (void *)(plan->rows[RS__WAITED_ROW].copy + RS__RESULT_LOSS);
    RS_TRY(rs__catch_up(plan, error));
    RS__CUDA(error, cudaMemcpyAsync(here, plan->results + RS__RESULT_LOSS, sizeof *here,
                                    cudaMemcpyDeviceToHost, plan->device->compute));
    RS__CUDA(error, cudaStreamSynchronize(plan->device->compute));
    *loss = (rs_loss){.loss = here->loss, .correct = here->correct};
    return RS_OK;
}
