/* arenas.c: the sizes of a plan's memory, the check against what is free, the memory, and where all lies in it. */
#include "free_memory.h"
#include "plan.h"

static rs_rule_kind rule_of(const rs_plan *plan)
{
    return rs_rule_of(plan->options.optimizer, plan->options.momentum);
}

static int moment_count(const rs_plan *plan)
{
    return plan->options.training ? rs_rule_moments(rule_of(plan)) : 0;
}

/* --- scratch ---------------------------------------------------------------------------------------------- */

static size_t largest_shared(const rs_plan *plan)
{
    size_t shared = rs__staging_bytes(plan), layers = rs__objectives_shared_bytes(plan);
    shared = layers > shared ? layers : shared;
    for (int i = 0; i < plan->op_count; i++) {
        shared = plan->ops[i].shared_bytes > shared ? plan->ops[i].shared_bytes : shared;
    }
    return shared;
}

/* What is in scratch, before what the operations keep. */
enum {
    SHARED,
    IDS,
    EPOCH,
    LABELS,
    TARGETS,
    IMAGES,
    TABLE,
    LOSSES,
    HITS,
    TENSORS,
    JOBS,
    RULES,
    JOB_SUMS,
    RATES,
    RESULTS,
    PARTS
};

static size_t place_parts(const rs_plan *plan, size_t offsets[PARTS])
{
    size_t batch = (size_t)rs__largest_batch(plan), parameters = (size_t)plan->network->parameter_count;
    size_t jobs = (size_t)rs__jobs_count(plan);
    const size_t bytes[PARTS] = {
        [SHARED] = plan->shared_bytes,
        [IDS] = batch * sizeof *plan->ids,
        [EPOCH] = sizeof *plan->epoch,
        [LABELS] = batch * sizeof *plan->labels,
        [TARGETS] = batch * (size_t)plan->target_floats * sizeof *plan->targets,
        [IMAGES] = batch * rs__image_bytes(plan),
        [TABLE] = RS_MAX_CHANNELS * 256 * sizeof *plan->table,
        [LOSSES] = batch * sizeof *plan->losses,
        [HITS] = batch * sizeof *plan->hits,
        [TENSORS] = parameters * sizeof *plan->tensor_table,
        [JOBS] = jobs * sizeof *plan->jobs,
        [RULES] = parameters * sizeof *plan->update.rules,
        [JOB_SUMS] = jobs * sizeof *plan->update.job_sums,
        [RATES] = sizeof *plan->rates,
        [RESULTS] = rs__result_bytes(plan, true),
    };
    return rs__parts_place(bytes, PARTS, offsets);
}

static size_t scratch_bytes(const rs_plan *plan)
{
    size_t offsets[PARTS], at = place_parts(plan, offsets);
    for (int i = 0; i < plan->op_count; i++) {
        size_t offset;
        at += rs__parts_place(&plan->ops[i].kept_bytes, 1, &offset);
    }
    return at;
}

static void share_scratch(rs_plan *plan)
{
    size_t offsets[PARTS], at = place_parts(plan, offsets);
    char *base = plan->scratch_memory;
    void *parts[PARTS];
    for (int i = 0; i < PARTS; i++) {
        parts[i] = base + offsets[i];
    }
    plan->shared = parts[SHARED];
    plan->ids = parts[IDS];
    plan->epoch = parts[EPOCH];
    plan->epoch_there = INT64_MIN;
    plan->labels = parts[LABELS];
    plan->targets = parts[TARGETS];
    plan->batch_bytes = parts[IMAGES];
    plan->table = parts[TABLE];
    plan->losses = parts[LOSSES];
    plan->hits = parts[HITS];
    plan->tensor_table = parts[TENSORS];
    plan->jobs = parts[JOBS];
    plan->update.rules = parts[RULES];
    plan->update.job_sums = parts[JOB_SUMS];
    plan->rates = parts[RATES];
    plan->results = parts[RESULTS];
    for (int i = 0; i < plan->op_count; i++) {
        size_t offset;
        plan->ops[i].kept = base + at;
        at += rs__parts_place(&plan->ops[i].kept_bytes, 1, &offset);
    }
}

/* --- sizes ------------------------------------------------------------------------------------------------ */

static void sum_bytes(rs_plan *plan)
{
    size_t arena = plan->element_count * sizeof(float);
    plan->shared_bytes = largest_shared(plan);
    plan->bytes = (rs_plan_bytes){
        .parameters = arena * (plan->options.keep_initial ? 2 : 1) + plan->running_elements * sizeof(float),
        .gradients = (plan->options.training ? arena : 0) + (plan->options.sum_gradients ? 2 * arena : 0),
        .optimizer = arena * (size_t)moment_count(plan),
        .activations = plan->lives.bytes,
        .scratch = scratch_bytes(plan),
    };
}

static uint64_t needed_bytes(const rs_plan *plan)
{
    const rs_plan_bytes *b = &plan->bytes;
    return (uint64_t)b->parameters + b->gradients + b->optimizer + plan->lives.bytes + b->scratch;
}

static rs_status check_memory(rs_plan *plan, rs_error *error)
{
    rs_memory_need need = {.network = plan->network->name,
                           .memory = "GPU memory",
                           .batch = rs__largest_batch(plan),
                           .bytes = needed_bytes(plan)};
    RS_TRY(rs__memory_free_bytes(&need.left, error));
    if (need.bytes <= need.left) {
        return RS_OK;
    }
    if (plan->options.memory != RS_MEMORY_LEAN && plan->options.training) {
        RS_TRY(rs__lives_place(&plan->lives, RS_MEMORY_LEAN, error)); /* the plan is given up anyway */
        need.lean = needed_bytes(plan);
    }
    return rs_memory_refuse(&need, error);
}

/* --- memory ----------------------------------------------------------------------------------------------- */

static rs_status take_memory(rs_plan *plan, rs_error *error)
{
    const rs_device *device = plan->device;
    const rs_plan_bytes *b = &plan->bytes;
    RS_TRY(rs__memory_take_zeroed(device, b->parameters, "the parameters", &plan->parameter_memory, error));
    RS_TRY(rs__memory_take_zeroed(device, b->gradients, "the gradients", &plan->gradient_memory, error));
    RS_TRY(rs__memory_take_zeroed(device, b->optimizer, "the optimizer", &plan->optimizer_memory, error));
    /* operations write every element of their outputs before anything reads it */
    RS_TRY(rs__memory_take(device, b->activations, "the activations", &plan->activation_memory, error));
    return rs__memory_take_zeroed(device, b->scratch, "workspaces", &plan->scratch_memory, error);
}

static void share_parameters(rs_plan *plan)
{
    size_t n = plan->element_count;
    float *at = plan->parameter_memory, *gradients = plan->gradient_memory;
    plan->value = at;
    plan->initial = plan->options.keep_initial ? at + n : NULL;
    at += plan->options.keep_initial ? 2 * n : n;
    for (int i = 0; i < plan->network->buffer_count; i++) {
        plan->running[i] = at;
        at += ((size_t)plan->network->buffers[i].count + 15) / 16 * 16;
    }
    bool first = plan->options.training && rs_rule_keeps1(rule_of(plan)),
         second = plan->options.training && rs_rule_keeps2(rule_of(plan));
    plan->moment1 = first ? plan->optimizer_memory : NULL;
    plan->moment2 = second ? (float *)plan->optimizer_memory + (first ? n : 0) : NULL;
    plan->gradient = plan->options.training ? gradients : NULL;
    plan->gradient_sum = plan->options.sum_gradients ? (double *)(void *)(gradients + n) : NULL;
}

static float *span_at(const rs_plan *plan, int node, int which)
{
    const rs__span *span = &plan->lives.tensors[node].spans[which];
    bool used = plan->tensors[node].exists && span->first <= span->last;
    return used ? (float *)(void *)((char *)plan->activation_memory + span->offset) : NULL;
}

static void share_activations(rs_plan *plan)
{
    for (int i = 0; i < plan->network->node_count; i++) {
        rs__tensor *t = &plan->tensors[i];
        float *again = span_at(plan, i, RS__SPAN_AGAIN);
        t->value = span_at(plan, i, RS__SPAN_VALUE);
        t->again = again ? again : t->value;
        t->gradient = span_at(plan, i, RS__SPAN_GRADIENT);
        t->addend = span_at(plan, i, RS__SPAN_ADDEND);
    }
}

/* Byte -> normalised value, per channel. */
static rs_status fill_table(rs_plan *plan, rs_error *error)
{
    float table[RS_MAX_CHANNELS][256];
    for (int c = 0; c < RS_MAX_CHANNELS; c++) {
        for (int byte = 0; byte < 256; byte++) {
            float scaled = (float)byte / 255.0f;
            table[c][byte] = (scaled - plan->options.mean[c]) / plan->options.std[c];
        }
    }
    RS__CUDA(error, cudaMemcpyAsync(plan->table, table, sizeof table, cudaMemcpyHostToDevice,
                                    plan->device->compute));
    RS__CUDA(error, cudaStreamSynchronize(plan->device->compute)); /* the table ends here */
    return RS_OK;
}

rs_status rs__arenas_make(rs_plan *plan, rs_error *error)
{
    sum_bytes(plan);
    RS_TRY(check_memory(plan, error));
    RS_TRY(take_memory(plan, error));
    share_parameters(plan);
    share_activations(plan);
    share_scratch(plan);
    return fill_table(plan, error);
}

void rs__arenas_release(rs_plan *plan)
{
    void **const memories[] = {&plan->parameter_memory, &plan->gradient_memory, &plan->optimizer_memory,
                               &plan->activation_memory, &plan->scratch_memory};
    for (size_t i = 0; i < sizeof memories / sizeof memories[0]; i++) {
        rs__memory_release(*memories[i]);
        *memories[i] = NULL;
    }
}
