/* results.c: what a step leaves (loss, layers, norms, sums of every tensor) on its way to the host: a ring of pinned rows, each
 * with an event. The device has one place for it all: the next step, behind the copy on the same stream, may write
 * it anew. */
#include "measure.h"
#include "plan.h"

size_t rs__result_sums(const rs_plan *plan)
{
    size_t layers = (size_t)plan->options.objective_count * sizeof(rs_layer_value);
    return RS__RESULT_LAYERS + (layers + 63) / 64 * 64;
}

size_t rs__result_bytes(const rs_plan *plan, bool measured)
{
    return rs__result_sums(plan) +
           (measured ? (size_t)plan->network->parameter_count * sizeof(rs_cu_sums) : 0);
}

/* --- memory ----------------------------------------------------------------------------------------------- */

/* Parts of the pinned memory: of each load, then of each row. */
enum { LOAD_IDS, LOAD_LABELS, LOAD_TARGETS, LOAD_BYTES, LOAD_EPOCH, LOAD_PARTS };
enum { ROW_COPY, ROW_RATES, ROW_PARTS };
enum { PARTS = RS__LOADS * LOAD_PARTS + RS__ROWS * ROW_PARTS };

static size_t place_parts(const rs_plan *plan, size_t offsets[PARTS])
{
    size_t bytes[PARTS], batch = (size_t)rs__largest_batch(plan);
    for (int i = 0; i < RS__LOADS; i++) {
        size_t *load = bytes + i * LOAD_PARTS;
        load[LOAD_IDS] = batch * sizeof(int64_t);
        load[LOAD_LABELS] = batch * sizeof(int32_t);
        load[LOAD_TARGETS] = batch * (size_t)plan->target_floats * sizeof(float);
        load[LOAD_BYTES] = batch * rs__image_bytes(plan);
        load[LOAD_EPOCH] = sizeof(uint32_t);
    }
    for (int i = 0; i < RS__ROWS; i++) {
        size_t *row = bytes + RS__LOADS * LOAD_PARTS + i * ROW_PARTS;
        row[ROW_COPY] = rs__result_bytes(plan, true);
        row[ROW_RATES] = sizeof(rs_cu_rates);
    }
    return rs__parts_place(bytes, PARTS, offsets);
}

static void share_pinned(rs_plan *plan)
{
    size_t offsets[PARTS];
    void *parts[PARTS];
    (void)place_parts(plan, offsets);
    for (int i = 0; i < PARTS; i++) {
        parts[i] = (char *)plan->pinned + offsets[i];
    }
    for (int i = 0; i < RS__LOADS; i++) {
        void **load = parts + i * LOAD_PARTS;
        plan->loads[i].ids = load[LOAD_IDS];
        plan->loads[i].labels = load[LOAD_LABELS];
        plan->loads[i].targets = load[LOAD_TARGETS];
        plan->loads[i].bytes = load[LOAD_BYTES];
        plan->loads[i].epoch = load[LOAD_EPOCH];
    }
    for (int i = 0; i < RS__ROWS; i++) {
        void **row = parts + RS__LOADS * LOAD_PARTS + i * ROW_PARTS;
        plan->rows[i].copy = row[ROW_COPY];
        plan->rows[i].rates = row[ROW_RATES];
    }
}

rs_status rs__rows_make(rs_plan *plan, rs_error *error)
{
    size_t offsets[PARTS];
    const unsigned flags = cudaEventBlockingSync | cudaEventDisableTiming;
    RS_TRY(rs__pinned_take(place_parts(plan, offsets), "batches and results", &plan->pinned, error));
    share_pinned(plan);
    for (int i = 0; i < RS__LOADS; i++) {
        RS__CUDA(error, cudaEventCreateWithFlags(&plan->loads[i].free, flags));
    }
    for (int i = 0; i < RS__ROWS; i++) {
        RS__CUDA(error, cudaEventCreateWithFlags(&plan->rows[i].there, flags));
    }
    return RS_OK;
}

void rs__rows_release(rs_plan *plan)
{
    for (int i = 0; i < RS__LOADS; i++) {
        if (plan->loads[i].free) {
            (void)cudaEventDestroy(plan->loads[i].free);
        }
        rs__pinned_release(plan->loads[i].values);
    }
    for (int i = 0; i < RS__ROWS; i++) {
        if (plan->rows[i].there) {
            (void)cudaEventDestroy(plan->rows[i].there);
        }
    }
    rs__pinned_release(plan->pinned);
    plan->pinned = NULL;
}

/* --- rows ------------------------------------------------------------------------------------------------- */

rs_status rs__row_send(rs_plan *plan, rs__row *row, const rs_update_options *options, rs_error *error)
{
    cudaStream_t stream = plan->device->compute;
    size_t bytes = rs__result_bytes(plan, options->distances || options->gradient_stats);
    row->distances = options->distances;
    row->gradient_stats = options->gradient_stats;
    RS__CUDA(error, cudaMemcpyAsync(row->copy, plan->results, bytes, cudaMemcpyDeviceToHost, stream));
    RS__CUDA(error, cudaEventRecord(row->there, stream));
    return RS_OK;
}

rs_status rs__row_finish(const rs_plan *plan, const rs__row *row, rs_loss *loss, rs_measurement *measurement,
                         rs_error *error)
{
    const rs_cu_norms *norms = (const void *)(row->copy + RS__RESULT_NORMS);
    const rs_cu_loss *from = (const void *)(row->copy + RS__RESULT_LOSS);
    const rs_layer_value *layers = (const void *)(row->copy + RS__RESULT_LAYERS);
    const rs_cu_sums *sums = (const void *)(row->copy + rs__result_sums(plan));
    if (row->distances && measurement->to_initial && !plan->options.keep_initial) {
        return RS_FAIL(error, RS_UNSUPPORTED, "this plan keeps no initial values to measure distances to");
    }
    *loss = (rs_loss){.loss = from->loss, .correct = from->correct};
    measurement->gradient_norm = norms->gradient_norm;
    measurement->gradient_norm_clipped = norms->gradient_norm_clipped;
    rs_layers_copy(layers, plan->options.objective_count, measurement->layer_losses,
                   measurement->layer_means);
    if (row->distances) {
        rs_measure_distances(plan->network, &plan->options.metrics, sums, plan->initial != NULL, measurement);
    }
    if (row->gradient_stats) {
        rs_measure_gradients(plan->network, sums, measurement);
    }
    return RS_OK;
}

rs_status rs__cuda_next_result(rs_plan *plan, bool wait, rs_loss *loss, rs_measurement *measurement,
                               bool *taken, rs_error *error)
{
    *taken = false;
    if (plan->row_count == 0) {
        return RS_OK;
    }
    const rs__row *row = &plan->rows[plan->first_row];
    cudaError_t status = wait ? cudaEventSynchronize(row->there) : cudaEventQuery(row->there);
    if (status == cudaErrorNotReady) {
        (void)cudaGetLastError();
        return RS_OK;
    }
    RS__CUDA_WAS(error, status, wait ? "cudaEventSynchronize" : "cudaEventQuery");
    RS_TRY(rs__row_finish(plan, row, loss, measurement, error));
    plan->first_row = (plan->first_row + 1) % RS_MOST_RESULTS;
    plan->row_count--;
    *taken = true;
    return RS_OK;
}
