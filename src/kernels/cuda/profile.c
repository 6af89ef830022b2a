/* profile.c: time by operation, taken by events on the device, the work it stands for, and what the device can do at
 * best.
 *
 * Rows: the batch, three for each operation (forward; backward or the weights' gradient; the input's gradient or what
 * is computed again), the update. While a profile is on the host waits for every operation and no graph is launched:
 * times are those of the operations, not of the step. The device waits, too, until an operation is enqueued whole: what
 * the host takes for that is not in the times. Work is counted by common/cost.h. */
#include <math.h>
#include <sched.h>
#include <stdatomic.h>

#include "cost.h"
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

/* --- work ------------------------------------------------------------------------------------------------- */

_Static_assert((int)RS__TIMED_FORWARD == RS_COST_FORWARD && (int)RS__TIMED_BACKWARD == RS_COST_BACKWARD &&
                   (int)RS__TIMED_DATA == RS_COST_DATA,
               "rows are counted as they are timed");

static rs_costs costs_of(const rs_plan *plan)
{
    return (rs_costs){.network = plan->network,
                      .operations = &plan->operations,
                      .count = plan->count,
                      .input_stride = plan->tensors[0].stride};
}

static double update_bytes(const rs_plan *plan)
{
    const rs_cost_update update = {.elements = (int64_t)plan->element_count,
                                   .moments = (plan->moment1 ? 1 : 0) + (plan->moment2 ? 1 : 0),
                                   .initial = plan->initial != NULL,
                                   .gradient_sum = plan->gradient_sum != NULL,
                                   .clips = plan->update.options.clip_norm > 0.0};
    return rs_cost_update_bytes(&update);
}

/* --- timers ----------------------------------------------------------------------------------------------- */

/* The operation that was begun last, and the last one that is enqueued whole. Of no plan: a callback may outlive one. */
static atomic_uintptr_t begun, enqueued;

/* On the device's way to an operation: keeps it until the host has enqueued all of it. Not for long, for a library that
 * loads a kernel may wait for the device. */
static void hold(void *operation)
{
    const double longest = 0.02, begin = rs_seconds();
    while (atomic_load(&enqueued) < (uintptr_t)operation && rs_seconds() - begin < longest) {
        (void)sched_yield();
    }
}

rs_status rs__timer_begin(rs_plan *plan, rs_error *error)
{
    if (plan->profile.on) {
        const uintptr_t operation = atomic_fetch_add(&begun, 1) + 1;
        RS__CUDA(error, cudaLaunchHostFunc(plan->device->compute, hold, (void *)operation));
        RS__CUDA(error, cudaEventRecord(plan->timer[0], plan->device->compute));
    }
    return RS_OK;
}

/* Only while a profile is on. */
static rs_status end(rs_plan *plan, int row, double flops, double bytes, rs_error *error)
{
    float milliseconds = 0.0f;
    cudaError_t status = cudaEventRecord(plan->timer[1], plan->device->compute);
    atomic_store(&enqueued, atomic_load(&begun));
    RS__CUDA_WAS(error, status, "cudaEventRecord");
    RS__CUDA(error, cudaEventSynchronize(plan->timer[1]));
    RS__CUDA(error, cudaEventElapsedTime(&milliseconds, plan->timer[0], plan->timer[1]));
    rs_profile_add(&plan->profile, row, 1e-3 * (double)milliseconds, flops, bytes);
    return RS_OK;
}

rs_status rs__timer_end(rs_plan *plan, const rs__op *op, rs__timed what, rs_error *error)
{
    const rs_costs costs = costs_of(plan);
    const rs_cost_pass pass = (rs_cost_pass)what;
    return plan->profile.on
               ? end(plan, row_of(plan, op, what), rs_cost_flops(plan->network, &op->is, pass, plan->count),
                     rs_cost_bytes(&costs, &op->is, pass), error)
               : RS_OK;
}

rs_status rs__timer_end_batch(rs_plan *plan, rs_error *error)
{
    const rs_costs costs = costs_of(plan);
    return plan->profile.on ? end(plan, 0, 0.0, rs_cost_batch_bytes(&costs), error) : RS_OK;
}

rs_status rs__timer_end_update(rs_plan *plan, rs_error *error)
{
    return plan->profile.on ? end(plan, update_row(plan), 0.0, update_bytes(plan), error) : RS_OK;
}

void rs__timer_release(rs_plan *plan)
{
    for (int i = 0; i < 2; i++) {
        if (plan->timer[i]) {
            (void)cudaEventDestroy(plan->timer[i]);
            plan->timer[i] = NULL;
        }
    }
}

/* --- rows ------------------------------------------------------------------------------------------------- */

static void name_rows(rs_plan *plan)
{
    rs_profile_row *rows = plan->profile.rows;
    rows[0].operation = "batch";
    rows[update_row(plan)].operation = "update";
    for (int i = 0; i < plan->op_count; i++) {
        const rs__op *op = &plan->ops[i];
        for (int k = 0; k < ROWS_PER_OP; k++) {
            rs_profile_row *row = &rows[row_of(plan, op, (rs__timed)k)];
            row->node = rs__op_node(plan, op)->name;
            row->operation = rs_cost_operation_name(plan->network, &op->is);
            row->pass = rs_cost_pass_name(plan->network, &op->is, (rs_cost_pass)k);
        }
    }
}

rs_status rs__cuda_profile_start(rs_plan *plan, rs_error *error)
{
    RS_TRY(rs__catch_up(plan, error));
    for (int i = 0; i < 2; i++) {
        if (!plan->timer[i]) {
            RS__CUDA(error, cudaEventCreateWithFlags(&plan->timer[i], cudaEventDefault));
        }
    }
    RS_TRY(rs_profile_start(&plan->profile, update_row(plan) + 1, error));
    name_rows(plan);
    return RS_OK;
}

int rs__cuda_profile_rows(const rs_plan *plan, const rs_profile_row **rows)
{
    *rows = plan->profile.rows;
    return plan->profile.count;
}

/* --- peaks ------------------------------------------------------------------------------------------------ */

/* A product of 32 tiles of 128 x 128 for each multiprocessor: at its end few of them wait for the others. A copy larger
 * than the cache. Before both the clock gets time to rise. */
enum { TRIALS = 8, TILE = 128, TILES = 32, DEPTH = 1024 };
#define COPY_BYTES  ((size_t)256 << 20)
#define LEAST_BYTES ((size_t)1 << 20) /* twice that holds a product of one tile */
static const double warm_seconds = 0.2;

typedef struct peak_work {
    rs_device *device;
    void *memory; /* 2 * bytes */
    size_t bytes;
    int side;
    cudaEvent_t begin, end;
} peak_work;

static rs_status product(const peak_work *w, rs_error *error)
{
    static const float one = 1.0f, zero = 0.0f;
    const float *a = w->memory, *b = a + (size_t)w->side * DEPTH;
    float *c = (float *)w->memory + 2 * (size_t)w->side * DEPTH;
    RS__CUBLAS(error, cublasSetMathMode(w->device->blas, CUBLAS_DEFAULT_MATH)); /* no TF32 */
    RS__CUBLAS(error, cublasSgemm(w->device->blas, CUBLAS_OP_N, CUBLAS_OP_T, w->side, w->side, DEPTH, &one, a,
                                  w->side, b, w->side, &zero, c, w->side));
    return RS_OK;
}

static rs_status large_copy(const peak_work *w, rs_error *error)
{
    RS__CUDA(error, cudaMemcpyAsync((char *)w->memory + w->bytes, w->memory, w->bytes,
                                    cudaMemcpyDeviceToDevice, w->device->compute));
    return RS_OK;
}

/* The best rate of some trials. */
static rs_status rate_of(const peak_work *w, rs_status (*run)(const peak_work *, rs_error *), double amount,
                         double *rate, rs_error *error)
{
    for (int i = 0; i < TRIALS; i++) {
        float milliseconds = 0.0f;
        RS__CUDA(error, cudaEventRecord(w->begin, w->device->compute));
        RS_TRY(run(w, error));
        RS__CUDA(error, cudaEventRecord(w->end, w->device->compute));
        RS__CUDA(error, cudaEventSynchronize(w->end));
        RS__CUDA(error, cudaEventElapsedTime(&milliseconds, w->begin, w->end));
        double now = milliseconds > 0.0f ? amount / (1e-3 * (double)milliseconds) : 0.0;
        *rate = now > *rate ? now : *rate;
    }
    return RS_OK;
}

static rs_status warm_up(const peak_work *w, rs_error *error)
{
    const double begin = rs_seconds();
    do {
        RS_TRY(product(w, error));
        RS__CUDA(error, cudaStreamSynchronize(w->device->compute));
    } while (rs_seconds() - begin < warm_seconds);
    return RS_OK;
}

/* As large as the device and what is free of its memory want it. */
static rs_status choose_sizes(peak_work *w, rs_error *error)
{
    uint64_t left;
    const int tiles = (int)ceil(sqrt((double)TILES * w->device->properties.multiProcessorCount));
    RS_TRY(rs__memory_free_bytes(&left, error));
    w->bytes = left / 4 < COPY_BYTES ? (size_t)left / 4 / 256 * 256 : COPY_BYTES;
    w->bytes = w->bytes < LEAST_BYTES ? LEAST_BYTES : w->bytes;
    w->side = TILE * (tiles > 0 ? tiles : 1);
    while (w->side > TILE && (size_t)w->side * (size_t)(w->side + 2 * DEPTH) * sizeof(float) > 2 * w->bytes) {
        w->side -= TILE;
    }
    return RS_OK;
}

static rs_status measure(peak_work *w, rs_peaks *peaks, rs_error *error)
{
    RS_TRY(choose_sizes(w, error));
    RS__CUDA(error, cudaEventCreateWithFlags(&w->begin, cudaEventDefault));
    RS__CUDA(error, cudaEventCreateWithFlags(&w->end, cudaEventDefault));
    RS_TRY(rs__memory_take_zeroed(w->device, 2 * w->bytes, "measuring peaks", &w->memory, error));
    RS_TRY(warm_up(w, error));
    RS_TRY(rate_of(w, product, 2.0 * w->side * w->side * DEPTH, &peaks->flops, error));
    return rate_of(w, large_copy, 2.0 * (double)w->bytes, &peaks->bytes, error);
}

rs_status rs__cuda_measure_peaks(rs_device *device, rs_peaks *peaks, rs_error *error)
{
    peak_work w = {.device = device};
    *peaks = (rs_peaks){0};
    rs_status status = measure(&w, peaks, error);
    (void)cudaStreamSynchronize(device->compute);
    rs__memory_release(w.memory);
    if (w.begin) {
        (void)cudaEventDestroy(w.begin);
    }
    if (w.end) {
        (void)cudaEventDestroy(w.end);
    }
    return status;
}
