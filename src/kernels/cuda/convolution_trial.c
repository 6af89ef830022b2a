/* convolution_trial.c: what was chosen for convolutions runs once, where it will run, before training depends on it: that
 * cuDNN says how much workspace an algorithm wants is no promise that it has one for this GPU, this batch size, or for
 * adding to what is there. What fails is refused, for all layers of the same shape. It also loads cuDNN's kernels. */
#include <string.h>

#include "convolution.h"
#include "rs/host.h"

/* NULL: none of cuDNN's. */
static rs__convolution *convolution_of(const rs__op *op)
{
    rs__convolution *conv = op->kind == &rs__op_convolution ? op->state : NULL;
    return conv && !conv->product ? conv : NULL;
}

static bool adds(const rs__op *op)
{
    return op->is.pass[0] == RS_PASS_ADD && !op->is.defers;
}

/* Whether an operation before this one has a convolution of the same shape that runs that pass. */
static bool is_known(const rs_plan *plan, int index, int pass, bool adding_counts)
{
    const rs__op *ops = plan->ops;
    const rs__convolution *mine = ops[index].state;
    for (int i = 0; i < index; i++) {
        const rs__convolution *other = convolution_of(&ops[i]);
        if (other && other->run[pass][0].how && strcmp(other->shape, mine->shape) == 0 &&
            (!adding_counts || adds(&ops[i]) == adds(&ops[index]))) {
            return true;
        }
    }
    return false;
}

static bool is_tried(const rs_plan *plan, int index, int pass)
{
    return is_known(plan, index, pass, pass == RS__CONV_DATA);
}

/* What is told of it waits for the end: without any algorithm left the plan's error says it all. */
static void refuse(rs_plan *plan, const rs__convolution *conv, int pass, int size, cudnnStatus_t answer)
{
    const rs__conv_run *run = &conv->run[pass][size];
    char key[RS__CONV_KEY];
    rs__conv_key(plan, conv, pass, size, key);
    rs__choices_drop(plan, key);
    rs_log(RS_LOG_DEBUG, "cuDNN fails to run %s for %s: %s", rs__conv_algorithm_name(pass, run->algorithm),
           key, cudnnGetErrorString(answer));
    uint32_t bit = rs__conv_bit(run->algorithm, run->math);
    for (int i = 0; i < plan->op_count; i++) {
        rs__convolution *other = convolution_of(&plan->ops[i]);
        if (other && strcmp(other->shape, conv->shape) == 0) {
            other->run[pass][size].refused |= bit;
            other->answer = answer;
        }
    }
}

/* cuDNN's kernels are loaded when they first run. Where they find no memory it only says that CUDA failed, as it does of
 * an algorithm that CUDA does not run; a plan leaves more than this (memory.c), so that less is no question of the
 * algorithm. */
static rs_status check_memory(const rs_plan *plan, cudnnStatus_t answer, rs_error *error)
{
    enum { LITTLE = 256 << 20 };
    size_t left = 0, total = 0;
    RS__CUDA(error, cudaMemGetInfo(&left, &total));
    return answer == CUDNN_STATUS_EXECUTION_FAILED_CUDART && left < LITTLE
               ? rs__conv_fail_memory(plan, left, answer, error)
               : RS_OK;
}

static rs_status try_pass(rs_plan *plan, const rs__op *op, int pass, int size, bool *refused, rs_error *error)
{
    cudnnStatus_t answer = rs__conv_run_pass(plan, op, pass, size);
    /* what the device itself has trouble with is no question of the algorithm */
    RS__CUDA(error, cudaStreamSynchronize(plan->device->compute));
    if (rs__conv_no_memory(answer)) {
        return rs__cudnn_failed(error, answer, rs__conv_call(pass), __FILE__, __LINE__);
    }
    if (answer != CUDNN_STATUS_SUCCESS) {
        RS_TRY(check_memory(plan, answer, error));
        refuse(plan, op->state, pass, size, answer);
        *refused = true;
    }
    return RS_OK;
}

static rs_status try_operation(rs_plan *plan, int index, bool *refused, rs_error *error)
{
    const rs__op *op = &plan->ops[index];
    const rs__convolution *conv = convolution_of(op);
    for (int pass = 0; conv && pass < RS__CONV_PASSES; pass++) {
        if (!conv->run[pass][0].how || is_tried(plan, index, pass)) {
            continue;
        }
        for (int size = 0; size < plan->options.batch_size_count; size++) {
            if (try_pass(plan, op, pass, size, refused, error)) {
                return rs_error_prefix(error, "%s", rs__op_node(plan, op)->name);
            }
        }
    }
    return RS_OK;
}

rs_status rs__convolutions_try(rs_plan *plan, bool *refused, rs_error *error)
{
    cudaStream_t stream = plan->device->compute;
    *refused = false;
    RS__CUDA(error, cudaMemsetAsync(plan->activation_memory, 0, plan->bytes.activations, stream));
    for (int i = 0; i < plan->op_count; i++) {
        RS_TRY(try_operation(plan, i, refused, error));
    }
    /* not a number: what is read before an operation has written it shows */
    RS__CUDA(error, cudaMemsetAsync(plan->activation_memory, 0xff, plan->bytes.activations, stream));
    return RS_OK;
}

rs_status rs__convolutions_choose_again(rs_plan *plan, rs_error *error)
{
    for (int i = 0; i < plan->op_count; i++) {
        if (convolution_of(&plan->ops[i]) && rs__conv_choose_all(plan, &plan->ops[i], error)) {
            return rs_error_prefix(error, "%s", rs__op_node(plan, &plan->ops[i])->name);
        }
    }
    return RS_OK;
}

/* The first operation of each shape, for all. */
static void tell_run(const rs_plan *plan, const rs__convolution *conv, int pass, int size)
{
    enum { BITS = 32, ALGORITHMS = 8 };
    const rs__conv_run *run = &conv->run[pass][size];
    char key[RS__CONV_KEY];
    rs__conv_key(plan, conv, pass, size, key);
    for (int bit = 0; bit < BITS; bit++) {
        if (run->refused & (UINT32_C(1) << bit)) {
            rs_log(RS_LOG_WARNING, "cuDNN fails to run %s for %s (%s): %s is taken",
                   rs__conv_algorithm_name(pass, bit % ALGORITHMS), key, cudnnGetErrorString(conv->answer),
                   rs__conv_algorithm_name(pass, run->algorithm));
        }
    }
}

void rs__convolutions_tell(const rs_plan *plan)
{
    for (int i = 0; i < plan->op_count; i++) {
        const rs__convolution *conv = convolution_of(&plan->ops[i]);
        for (int pass = 0; conv && pass < RS__CONV_PASSES; pass++) {
            for (int size = 0; size < plan->options.batch_size_count; size++) {
                if (conv->run[pass][0].how && !is_known(plan, i, pass, false)) {
                    tell_run(plan, conv, pass, size);
                }
            }
        }
    }
}
