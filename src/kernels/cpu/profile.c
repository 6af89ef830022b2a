/* profile.c: time by operation, the work it stands for, and what the machine can do at best.
 *
 * Rows: the batch, three for each operation (forward; backward or the weights' gradient; the input's
 * gradient or what is computed again), the update. Work is counted for the samples of the loaded batch,
 * arithmetic as common/cost.h has it. Bytes: every tensor as often as a pass of the operation reads or writes it, scratch of its size as well,
 * caches aside, so that bytes / seconds tells how near it is to the memory's limit. Left out is what is
 * small beside them: statistics, biases, conversions of weights, a mask's bits, the places of maxima. */
#include <string.h>

#include "cost.h"
#include "free_memory.h"
#include "plan.h"
#include "rs/host.h"

enum { ROWS_PER_OP = RS_COST_PASSES };

static int row_of(const rs_plan *plan, const rs__op *op, rs__timed what)
{
    return 1 + ROWS_PER_OP * (int)(op - plan->ops) + (int)what;
}

static int update_row(const rs_plan *plan)
{
    return 1 + ROWS_PER_OP * plan->op_count;
}

double rs__timer_begin(const rs_plan *plan)
{
    return rs_profile_begin(&plan->profile);
}

/* --- work ------------------------------------------------------------------------------------------------- */

/* Of a value; the loss node has none. */
static double tensor_bytes(const rs_plan *plan, int node)
{
    const rs__tensor *t = &plan->tensors[node];
    return t->exists ? (double)(plan->count * rs__sample_floats(plan, t)) * sizeof(float) : 0.0;
}

/* Of a gradient, which always lies in blocks. It is read before it is written where others wrote first. */
static double gradient_bytes(const rs_plan *plan, int node, rs_pass pass)
{
    rs__tensor t = plan->tensors[node];
    t.plain = false;
    double one = (double)(plan->count * rs__sample_floats(plan, &t)) * sizeof(float);
    return one * (pass == RS_PASS_ADD ? 2.0 : pass == RS_PASS_SET ? 1.0 : 0.0);
}

/* The same where nothing can add in place: a summand is written, read, and added. */
static double summed_bytes(const rs_plan *plan, int node, rs_pass pass)
{
    double summand = pass == RS_PASS_ADD ? 2.0 * gradient_bytes(plan, node, RS_PASS_SET) : 0.0;
    return summand + gradient_bytes(plan, node, pass);
}

static double weight_count(const rs_plan *plan, const rs__op *op)
{
    int weight = rs__op_node(plan, op)->weight;
    return weight < 0 ? 0.0 : (double)plan->parameters[weight].count;
}

/* The operation that it was made of. */
static const rs_operation *made_of(const rs_plan *plan, const rs__op *op)
{
    return &plan->operations.list[op - plan->ops];
}

_Static_assert((int)RS__TIMED_FORWARD == RS_COST_FORWARD && (int)RS__TIMED_BACKWARD == RS_COST_BACKWARD &&
                   (int)RS__TIMED_DATA == RS_COST_DATA,
               "rows are counted as they are timed");

/* Whether a convolution takes samples apart, and backward computes both gradients of some at once. */
static bool takes_samples(const rs__op *op)
{
    return op->kind == &rs__op_small_convolution || op->kind == &rs__op_grey_convolution;
}

/* Whether backward has one row for both gradients of a convolution. */
static bool in_one_row(const rs__op *op, rs__timed what)
{
    return takes_samples(op) && what == RS__TIMED_BACKWARD && op->pass[0] != RS_PASS_NONE;
}

static double flops_of(const rs_plan *plan, const rs__op *op, rs__timed what)
{
    double once = rs_cost_flops(plan->network, made_of(plan, op), (rs_cost_pass)what, plan->count);
    return in_one_row(op, what) ? 2.0 * once : once;
}

static double convolution_bytes(const rs_plan *plan, const rs__op *op, rs__timed what)
{
    double out = tensor_bytes(plan, op->output), weights = weight_count(plan, op) * sizeof(float);
    if (what != RS__TIMED_DATA) {
        return tensor_bytes(plan, op->input[0]) + out + weights;
    }
    return out + weights + summed_bytes(plan, op->input[0], op->defers ? RS_PASS_SET : op->pass[0]);
}

/* Maps between convolution and pool are scratch. */
static double small_convolution_bytes(const rs_plan *plan, const rs__op *op, rs__timed what)
{
    double data = in_one_row(op, what) ? convolution_bytes(plan, op, RS__TIMED_DATA) : 0.0;
    return convolution_bytes(plan, op, what) + data;
}

/* y is cleared, set to the bias, and added to by the product, in small layers written once; dy is read for each of three
 * gradients. Maps
 * larger than 1x1 are copied to rows first and their gradient from rows, which are taken to be as large. */
static double linear_bytes(const rs_plan *plan, const rs__op *op, rs__timed what)
{
    const double x = tensor_bytes(plan, op->input[0]), y = tensor_bytes(plan, op->output);
    const double weights = weight_count(plan, op) * sizeof(float);
    const double rows = op->reorders > 0 ? 2.0 * x : 0.0;
    const double bias = rs__op_node(plan, op)->bias >= 0 ? y : 0.0;
    if (what == RS__TIMED_FORWARD) {
        return x + rows + weights + (op->kind == &rs__op_small_linear ? y : 3.0 * y + bias);
    }
    double to_weights = x + rows + y + bias + weights, to_x = 0.0;
    if (op->pass[0] != RS_PASS_NONE) {
        to_x = y + weights + rows;
        to_x += rows > 0.0 ? summed_bytes(plan, op->input[0], op->pass[0])
                           : gradient_bytes(plan, op->input[0], op->pass[0]);
    }
    return to_weights + to_x;
}

/* Forward reads x for the statistics, then x (and the other summand) for y; computing again is the second
 * of these. Backward reads x and dy (and its addend) for the sums, then for dx; a join whose residual's
 * gradient is set sets it at first and reads that instead. */
static double norm_bytes(const rs_plan *plan, const rs__op *op, rs__timed what)
{
    const double one = tensor_bytes(plan, op->output);
    if (what != RS__TIMED_BACKWARD) {
        return (what == RS__TIMED_FORWARD ? 3.0 : 2.0) * one + (op->joined ? one : 0.0);
    }
    const rs_pass residual = op->joined ? op->pass[1] : RS_PASS_NONE;
    const double addend = plan->tensors[op->output].addend ? one : 0.0;
    double sums = 2.0 * one + addend + (residual == RS_PASS_SET ? one : 0.0);
    if (op->pass[0] == RS_PASS_NONE && residual != RS_PASS_ADD) {
        return sums;
    }
    double again = 2.0 * one + (residual == RS_PASS_SET ? 0.0 : addend);
    return sums + again + gradient_bytes(plan, op->input[0], op->pass[0]) +
           (residual == RS_PASS_ADD ? gradient_bytes(plan, op->input[1], residual) : 0.0);
}

/* An input's gradient takes a pass over dy. */
static double bytes_of_others(const rs_plan *plan, const rs__op *op, rs__timed what)
{
    double out = tensor_bytes(plan, op->output), in = 0.0, passed = 0.0;
    for (int k = 0; k < op->input_count; k++) {
        in += tensor_bytes(plan, op->input[k]);
        passed += gradient_bytes(plan, op->input[k], op->pass[k]) + (op->pass[k] != RS_PASS_NONE ? out : 0.0);
    }
    if (what == RS__TIMED_FORWARD) {
        return in + out;
    }
    return passed + (op->kind->needs_input ? in : 0.0) + (op->kind->needs_output ? out : 0.0);
}

static double bytes_of(const rs_plan *plan, const rs__op *op, rs__timed what)
{
    return takes_samples(op)                 ? small_convolution_bytes(plan, op, what)
           : op->kind == &rs__op_convolution ? convolution_bytes(plan, op, what)
           : op->kind == &rs__op_linear || op->kind == &rs__op_small_linear ? linear_bytes(plan, op, what)
           : op->kind == &rs__op_batch_norm                                 ? norm_bytes(plan, op, what)
                                                                            : bytes_of_others(plan, op, what);
}

/* Value, moments and sums are read and written, the gradient is read, once more where its norm is needed
 * before; distances read the initial value. */
static double update_bytes(const rs_plan *plan, const rs_update_options *options)
{
    int arrays = 3 + (plan->moment1 ? 2 : 0) + (plan->moment2 ? 2 : 0);
    arrays += plan->gradient_sum ? 2 * (int)(sizeof(double) / sizeof(float)) : 0;
    arrays += options->distances && plan->initial ? 1 : 0;
    arrays += options->clip_norm > 0.0 ? 1 : 0;
    return (double)plan->element_count * sizeof(float) * arrays;
}

void rs__timer_end(rs_plan *plan, const rs__op *op, rs__timed what, double begin)
{
    if (plan->profile.on) {
        rs_profile_end(&plan->profile, row_of(plan, op, what), begin, flops_of(plan, op, what),
                       bytes_of(plan, op, what));
    }
}

void rs__timer_count_batch(rs_plan *plan)
{
    const rs__tensor *in = &plan->tensors[0];
    double images = (double)(plan->count * in->channels * in->height * in->width); /* read, a byte each */
    rs_profile_count_held(&plan->profile, 0, images + tensor_bytes(plan, 0));
}

void rs__timer_end_update(rs_plan *plan, const rs_update_options *options, double begin)
{
    if (plan->profile.on) {
        rs_profile_end(&plan->profile, update_row(plan), begin, 0.0, update_bytes(plan, options));
    }
}

/* --- rows ------------------------------------------------------------------------------------------------- */

rs_status rs__cpu_profile_start(rs_plan *plan, rs_error *error)
{
    RS_TRY(rs_profile_start(&plan->profile, update_row(plan) + 1, error));
    rs_profile_row *rows = plan->profile.rows;
    rows[0].operation = "batch";
    rows[update_row(plan)].operation = "update";
    for (int i = 0; i < plan->op_count; i++) {
        const rs__op *op = &plan->ops[i];
        for (int k = 0; k < ROWS_PER_OP; k++) {
            rs_profile_row *row = &rows[row_of(plan, op, (rs__timed)k)];
            row->node = rs__op_node(plan, op)->name;
            row->operation = rs_cost_operation_name(plan->network, made_of(plan, op));
            row->pass = takes_samples(op) && k == RS__TIMED_BACKWARD
                            ? "backward"
                            : rs_cost_pass_name(plan->network, made_of(plan, op), (rs_cost_pass)k);
        }
    }
    return RS_OK;
}

int rs__cpu_profile_rows(const rs_plan *plan, const rs_profile_row **rows)
{
    *rows = plan->profile.rows;
    return plan->profile.count;
}

/* --- peaks ------------------------------------------------------------------------------------------------ */

/* Many short trials of arithmetic: one of them falls between what else runs. */
enum { TRIALS = 5, SHORT_TRIALS = 6, COPY_BYTES = 128 << 20, COPY_PIECE = 1 << 20 };

static double multiply_add_rate(const rs_device *device)
{
    double flops = 0.0, begin = rs_seconds();
#pragma omp parallel for schedule(static) reduction(+ : flops)
    for (int i = 0; i < device->threads; i++) {
        float sink[RS__LANES_MAX];
        flops += device->kernels->multiply_add(sink);
    }
    return flops / (rs_seconds() - begin);
}

static double copy_rate(char *to, const char *from)
{
    double begin = rs_seconds();
#pragma omp parallel for schedule(static)
    for (int at = 0; at < COPY_BYTES; at += COPY_PIECE) {
        memcpy(to + at, from + at, COPY_PIECE);
    }
    return 2.0 * COPY_BYTES / (rs_seconds() - begin);
}

rs_status rs__cpu_measure_peaks(rs_device *device, rs_peaks *peaks, rs_error *error)
{
    void *memory;
    *peaks = (rs_peaks){0};
    if (rs_free_memory() < 2 * (uint64_t)COPY_BYTES) { /* the plan may have taken nearly all */
        return RS_FAIL(error, RS_MEMORY, "no 256 MiB are free to measure the memory's rate with");
    }
    RS_TRY(rs__memory_take_zeroed(device, 2 * (size_t)COPY_BYTES, &memory, error));
    for (int i = 0; i < TRIALS; i++) {
        double bytes = copy_rate((char *)memory + COPY_BYTES, memory);
        for (int k = 0; k < SHORT_TRIALS; k++) {
            double flops = multiply_add_rate(device);
            peaks->flops = flops > peaks->flops ? flops : peaks->flops;
        }
        peaks->bytes = bytes > peaks->bytes ? bytes : peaks->bytes;
    }
    device->services->release(memory);
    return RS_OK;
}
