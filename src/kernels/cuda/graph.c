/* graph.c: a whole training step, from the gathering of its batch to the end of its update, as one CUDA graph: one
 * launch instead of hundreds.
 *
 * A step is captured when two like it (batch size, where the batch comes from, whose labels, options of the update) have
 * run piece by piece, so that every library has loaded and allocated what it wants. What changes from step to step is read from
 * device memory: sample numbers, learning rate, step counts. Where capturing fails the plan goes on without, which costs
 * time and nothing else. RS_CUDA_GRAPH=0 turns graphs off. */
#include "plan.h"
#include "rs/host.h"

enum { WHOLE_STEP = RS__DUE_BATCH | RS__DUE_FORWARD | RS__DUE_BACKWARD };

static void release(rs__graph *graph)
{
    if (graph->made) {
        (void)cudaGraphExecDestroy(graph->made);
        graph->made = NULL;
    }
}

void rs__graphs_release(rs_plan *plan)
{
    for (int i = 0; i < RS_MAX_BATCH_SIZES; i++) {
        release(&plan->graphs[i]);
    }
}

/* All that is baked into the kernels' arguments; the learning rate is not. */
static bool same_options(const rs_update_options *a, const rs_update_options *b)
{
    return a->optimizer == b->optimizer && a->beta1 == b->beta1 && a->beta2 == b->beta2 &&
           a->alpha == b->alpha && a->epsilon == b->epsilon && a->momentum == b->momentum &&
           a->weight_decay == b->weight_decay && a->nesterov == b->nesterov && a->clip_norm == b->clip_norm &&
           a->distances == b->distances && a->gradient_stats == b->gradient_stats;
}

static rs_status enqueue_step(rs_plan *plan, const rs_update_options *options, rs_error *error)
{
    RS_TRY(rs__run_due(plan, error));
    return rs__update_run(plan, options, error);
}

/* An end that failed may have left the capture as it was: nothing else would be allowed on the stream then. */
static cudaError_t end_capture(cudaStream_t stream, cudaGraph_t *captured)
{
    cudaError_t ended = cudaStreamEndCapture(stream, captured);
    enum cudaStreamCaptureStatus left = cudaStreamCaptureStatusNone;
    if (ended != cudaSuccess && cudaStreamIsCapturing(stream, &left) == cudaSuccess &&
        left != cudaStreamCaptureStatusNone) {
        (void)cudaStreamEndCapture(stream, captured);
    }
    return ended;
}

/* Ends the capture whatever happened within it. */
static rs_status capture_step(rs_plan *plan, const rs_update_options *options, cudaGraph_t *captured,
                              rs_error *error)
{
    cudaStream_t stream = plan->device->compute;
    /* the recorder's thread waits for its copies meanwhile: only this thread is held to the rules */
    RS__CUDA(error, cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
    rs_status status = enqueue_step(plan, options, error);
    cudaError_t ended = end_capture(stream, captured);
    RS_TRY(status);
    RS__CUDA_WAS(error, ended, "cudaStreamEndCapture");
    return RS_OK;
}

static rs_status make(rs_plan *plan, const rs_update_options *options, rs__graph *graph, rs_error *error)
{
    cudaGraph_t captured = NULL;
    rs_status status = capture_step(plan, options, &captured, error);
    if (status == RS_OK) {
        cudaError_t made = cudaGraphInstantiate(&graph->made, captured, 0);
        if (made != cudaSuccess) {
            graph->made = NULL;
            status = rs__cuda_failed(error, made, "cudaGraphInstantiate(&graph->made, captured, 0)", __FILE__,
                                     __LINE__);
        }
    }
    if (captured) {
        (void)cudaGraphDestroy(captured);
    }
    return status;
}

/* Whether this step is like those before it of its batch size; else begins counting anew. */
static bool is_warm(rs_plan *plan, const rs_update_options *options, rs__graph *graph)
{
    bool same = graph->source == plan->source && graph->held == plan->held_batch &&
                graph->labels == plan->labels_of && same_options(&graph->options, options);
    if (graph->warm == 0 || !same) {
        release(graph);
        graph->warm = 0;
        graph->source = plan->source;
        graph->held = plan->held_batch;
        graph->labels = plan->labels_of;
        graph->options = *options;
    }
    if (graph->warm < RS__WARM_STEPS) {
        graph->warm++;
        return false;
    }
    return true;
}

static void give_up(rs_plan *plan, rs__graph *graph, const char *why)
{
    (void)cudaGetLastError();
    release(graph);
    plan->graphs_on = false;
    rs_log(RS_LOG_WARNING, "training goes on without a CUDA graph, which is slower: %s", why);
}

rs_status rs__graph_step(rs_plan *plan, const rs_update_options *options, bool *done, rs_error *error)
{
    rs__graph *graph = &plan->graphs[plan->size_index];
    rs_error why = {0};
    *done = false;
    if (!plan->graphs_on || plan->profile.on || plan->due != WHOLE_STEP || !is_warm(plan, options, graph)) {
        return RS_OK;
    }
    if (!graph->made && make(plan, options, graph, &why)) {
        give_up(plan, graph, why.text);
        return RS_OK;
    }
    /* the first launch brings it to the device; without memory nothing is enqueued */
    cudaError_t launched = cudaGraphLaunch(graph->made, plan->device->compute);
    if (launched == cudaErrorMemoryAllocation) {
        give_up(plan, graph, "no memory to launch it");
        return RS_OK;
    }
    RS__CUDA_WAS(error, launched, "cudaGraphLaunch");
    plan->due = 0;
    *done = true;
    return RS_OK;
}
