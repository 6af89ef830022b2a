/* profile.c: time by operation, the work it stands for, and what the machine can do at best.
 *
 * Rows: the batch, three for each operation (forward; backward or the weights' gradient; the input's gradient or what
 * is computed again), the update. Work is counted for the samples of the loaded batch. Bytes: every tensor as often as a loop of the
 * operation reads or writes it, so that bytes / seconds tells how near it is to the memory's limit. */
#include <string.h>

#include "plan.h"
#include "rs/host.h"

enum { ROWS_PER_OP = 3 };

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

static double tensor_bytes(const rs_plan *plan, int node)
{
    const rs__tensor *t = &plan->tensors[node];
    return (double)(plan->count * rs__sample_floats(plan, t)) * sizeof(float);
}

/* A gradient is read before it is written where others wrote first. */
static double gradient_bytes(const rs_plan *plan, int node, rs_pass pass)
{
    return tensor_bytes(plan, node) * (pass == RS_PASS_ADD ? 2.0 : pass == RS_PASS_SET ? 1.0 : 0.0);
}

static double weight_count(const rs_plan *plan, const rs__op *op)
{
    int weight = rs__op_node(plan, op)->weight;
    return weight < 0 ? 0.0 : (double)plan->parameters[weight].count;
}

/* Convolution and linear: every weight meets every output position once, in each pass. */
static double flops_of(const rs_plan *plan, const rs__op *op, rs__timed what)
{
    const rs_node *node = rs__op_node(plan, op);
    bool both = op->kind == &rs__op_linear && what == RS__TIMED_BACKWARD && op->pass[0] != RS_PASS_NONE;
    if (op->kind != &rs__op_convolution && op->kind != &rs__op_linear) {
        return 0.0;
    }
    return (both ? 4.0 : 2.0) * weight_count(plan, op) *
           (double)(node->shape[1] * node->shape[2] * plan->count);
}

/* Forward reads x twice, computing again once, backward x and dy; a join's backward reads dy (and its addend) once and what it made of it
 * once more. The mask's bits are left out. */
static double norm_bytes(const rs_plan *plan, const rs__op *op, rs__timed what)
{
    double one = tensor_bytes(plan, op->output), joined = op->joined ? one : 0.0;
    if (what == RS__TIMED_FORWARD || what == RS__TIMED_AGAIN) {
        return (what == RS__TIMED_FORWARD ? 3.0 : 2.0) * one + joined;
    }
    double residual = op->joined ? gradient_bytes(plan, op->input[1], op->pass[1]) : 0.0;
    double addend = plan->tensors[op->output].addend ? one : 0.0;
    return 4.0 * one + addend + gradient_bytes(plan, op->input[0], op->pass[0]) + residual;
}

static double bytes_of(const rs_plan *plan, const rs__op *op, rs__timed what)
{
    double out = tensor_bytes(plan, op->output), in = 0.0, passed = 0.0;
    if (op->kind == &rs__op_batch_norm) {
        return norm_bytes(plan, op, what);
    }
    for (int k = 0; k < op->input_count; k++) {
        in += tensor_bytes(plan, op->input[k]);
        passed += gradient_bytes(plan, op->input[k], op->pass[k]);
    }
    double weights = weight_count(plan, op) * sizeof(float);
    switch (what) {
    case RS__TIMED_FORWARD:
        return in + out + weights;
    case RS__TIMED_WEIGHTS:
        return op->kind->times_itself ? in + out + weights : out + passed + weights;
    case RS__TIMED_DATA:
        return out + passed + weights;
    }
    return 0.0;
}

/* Value and moments are read and written, gradient and initial value read, sums read and written. */
static double update_bytes(const rs_plan *plan)
{
    double one = (double)plan->element_count * sizeof(float);
    int arrays = 3 + (plan->moment1 ? 2 : 0) + (plan->moment2 ? 2 : 0) + (plan->initial ? 1 : 0) +
                 (plan->gradient_sum ? 4 : 0);
    return one * arrays;
}

void rs__timer_end(rs_plan *plan, const rs__op *op, rs__timed what, double begin)
{
    if (plan->profile.on) {
        rs_profile_end(&plan->profile, row_of(plan, op, what), begin, flops_of(plan, op, what),
                       bytes_of(plan, op, what));
    }
}

void rs__timer_end_batch(rs_plan *plan, double begin)
{
    if (plan->profile.on) {
        rs_profile_end(&plan->profile, 0, begin, 0.0, tensor_bytes(plan, 0) * 1.25);
    }
}

void rs__timer_end_update(rs_plan *plan, double begin)
{
    if (plan->profile.on) {
        rs_profile_end(&plan->profile, update_row(plan), begin, 0.0, update_bytes(plan));
    }
}

/* --- rows ------------------------------------------------------------------------------------------------- */

static const char *operation_name(const rs__op *op)
{
    if (op->kind == &rs__op_batch_norm && op->relu) {
        return op->joined ? "batch_norm + add + relu" : "batch_norm + relu";
    }
    return op->kind->name;
}

rs_status rs__cpu_profile_start(rs_plan *plan, rs_error *error)
{
    static const char *const passes[2][ROWS_PER_OP] = {{"forward", "backward", "again"},
                                                       {"forward", "weights", "data"}};
    RS_TRY(rs_profile_start(&plan->profile, update_row(plan) + 1, error));
    rs_profile_row *rows = plan->profile.rows;
    rows[0].operation = "batch";
    rows[update_row(plan)].operation = "update";
    for (int i = 0; i < plan->op_count; i++) {
        const rs__op *op = &plan->ops[i];
        for (int k = 0; k < ROWS_PER_OP; k++) {
            rs_profile_row *row = &rows[row_of(plan, op, (rs__timed)k)];
            row->node = rs__op_node(plan, op)->name;
            row->operation = operation_name(op);
            row->pass = passes[op->kind->times_itself ? 1 : 0][k];
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

enum { TRIALS = 5, COPY_BYTES = 128 << 20, COPY_PIECE = 1 << 20 };

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
    RS_TRY(rs__memory_take_zeroed(device, 2 * (size_t)COPY_BYTES, &memory, error));
    for (int i = 0; i < TRIALS; i++) {
        double flops = multiply_add_rate(device), bytes = copy_rate((char *)memory + COPY_BYTES, memory);
        peaks->flops = flops > peaks->flops ? flops : peaks->flops;
        peaks->bytes = bytes > peaks->bytes ? bytes : peaks->bytes;
    }
    device->services->release(memory);
    return RS_OK;
}
