/* convolution_choice.c: which of cuDNN's algorithms a pass takes.
 *
 * cuDNN lists what it has, best first: by its heuristics, or, with --convolution search, by timing them here and now
 * (which may choose otherwise in the next run: choices.c keeps what was chosen). The first is taken that
 * is deterministic, has the wanted arithmetic, needs no more workspace than the limit, was not refused by a trial
 * (convolution_trial.c) and, with --convolution direct, is neither Winograd nor FFT. Smaller batches of the plan take the
 * same where they can. The workspace's limit does not depend on what is free: the same plan chooses the same. */
#include <stdio.h>
#include <string.h>

#include "convolution.h"
#include "rs/text.h"

enum { MOST_CHOICES = 8 };

/* cuDNN copies whole tensors, into a layout of its own or rounded to TF32, and keeps partial sums. */
static size_t most_workspace(const rs__convolution *conv)
{
    const size_t least = (size_t)512 << 20, copies = 2 * (conv->x_bytes + conv->y_bytes + conv->filter_bytes);
    return copies > least ? copies : least;
}

/* What a choice is made for. */
typedef struct question {
    const rs_plan *plan;
    rs__convolution *conv;
    int pass, size;
} question;

/* An entry of cuDNN's lists. */
typedef struct choice {
    int algorithm;
    cudnnStatus_t status;
    cudnnDeterminism_t determinism;
    cudnnMathType_t math;
} choice;

static const char *const names[RS__CONV_PASSES][MOST_CHOICES] = {
    {"implicit_gemm", "implicit_precomp_gemm", "gemm", "direct", "fft", "fft_tiling", "winograd",
     "winograd_nonfused"},
    {"algo_0", "algo_1", "fft", "fft_tiling", "winograd", "winograd_nonfused"},
    {"algo_0", "algo_1", "fft", "algo_3", "winograd", "winograd_nonfused", "fft_tiling"},
};

const char *rs__conv_algorithm_name(int pass, int algorithm)
{
    const char *name = algorithm >= 0 && algorithm < MOST_CHOICES ? names[pass][algorithm] : NULL;
    return name ? name : "unknown";
}

/* What cuDNN's header says of them; its lists say it too. */
static bool never_the_same_twice(int pass, int algorithm)
{
    return (pass == RS__CONV_DATA && algorithm == CUDNN_CONVOLUTION_BWD_DATA_ALGO_0) ||
           (pass == RS__CONV_FILTER && (algorithm == CUDNN_CONVOLUTION_BWD_FILTER_ALGO_0 ||
                                        algorithm == CUDNN_CONVOLUTION_BWD_FILTER_ALGO_3));
}

static bool is_transformed(int pass, int algorithm)
{
    const char *name = rs__conv_algorithm_name(pass, algorithm);
    return strncmp(name, "fft", 3) == 0 || strncmp(name, "winograd", 8) == 0;
}

/* Which arithmetic the descriptor gets for a listed one; false: none that is allowed. Without TF32 always plain float,
 * whatever the list says: the default would be TF32. Never a type that rounds floats to half. */
static bool allowed_math(const rs__convolution *conv, cudnnMathType_t listed, cudnnMathType_t *math)
{
    *math = conv->tf32 ? listed : CUDNN_FMA_MATH;
    if (listed == CUDNN_TENSOR_OP_MATH_ALLOW_CONVERSION) {
        return false;
    }
    return conv->tf32 || listed != CUDNN_TENSOR_OP_MATH;
}

/* For errors: the calls of the three passes. */
static const char *const workspace_calls[RS__CONV_PASSES] = {
    "cudnnGetConvolutionForwardWorkspaceSize", "cudnnGetConvolutionBackwardDataWorkspaceSize",
    "cudnnGetConvolutionBackwardFilterWorkspaceSize"};
static const char *const list_calls[2][RS__CONV_PASSES] = {
    {"cudnnGetConvolutionForwardAlgorithm_v7", "cudnnGetConvolutionBackwardDataAlgorithm_v7",
     "cudnnGetConvolutionBackwardFilterAlgorithm_v7"},
    {"cudnnFindConvolutionForwardAlgorithmEx", "cudnnFindConvolutionBackwardDataAlgorithmEx",
     "cudnnFindConvolutionBackwardFilterAlgorithmEx"}};

/* --- what cuDNN says of a pass ---------------------------------------------------------------------------- */

static rs__conv_run *run_of(const question *q)
{
    return &q->conv->run[q->pass][q->size];
}

static cudnnStatus_t workspace_of(const question *q, int algorithm, size_t *bytes)
{
    cudnnHandle_t dnn = q->plan->device->dnn;
    cudnnTensorDescriptor_t x = q->conv->x[q->size], y = q->conv->y[q->size];
    cudnnFilterDescriptor_t filter = q->conv->filter;
    cudnnConvolutionDescriptor_t how = run_of(q)->how;
    switch (q->pass) {
    case RS__CONV_FORWARD:
        return cudnnGetConvolutionForwardWorkspaceSize(dnn, x, filter, how, y,
                                                       (cudnnConvolutionFwdAlgo_t)algorithm, bytes);
    case RS__CONV_DATA:
        return cudnnGetConvolutionBackwardDataWorkspaceSize(dnn, filter, y, how, x,
                                                            (cudnnConvolutionBwdDataAlgo_t)algorithm, bytes);
    default:
        return cudnnGetConvolutionBackwardFilterWorkspaceSize(
            dnn, x, y, how, filter, (cudnnConvolutionBwdFilterAlgo_t)algorithm, bytes);
    }
}

/* The three kinds of lists have the same fields. What cuDNN does not support has an empty list. */
#define TAKE_LIST(status, list, count, choices)                                                              \
    do {                                                                                                     \
        *(count) = (status) == CUDNN_STATUS_SUCCESS ? *(count) : 0;                                          \
        for (int i = 0; i < *(count); i++) {                                                                 \
            (choices)[i] =                                                                                   \
                (choice){(int)(list)[i].algo, (list)[i].status, (list)[i].determinism, (list)[i].mathType};  \
        }                                                                                                    \
    } while (0)

static cudnnStatus_t list_by_heuristics(const question *q, choice choices[MOST_CHOICES], int *count)
{
    cudnnHandle_t dnn = q->plan->device->dnn;
    cudnnTensorDescriptor_t x = q->conv->x[q->size], y = q->conv->y[q->size];
    cudnnFilterDescriptor_t filter = q->conv->filter;
    cudnnConvolutionDescriptor_t how = run_of(q)->how;
    cudnnStatus_t status;
    if (q->pass == RS__CONV_FORWARD) {
        cudnnConvolutionFwdAlgoPerf_t list[MOST_CHOICES];
        status = cudnnGetConvolutionForwardAlgorithm_v7(dnn, x, filter, how, y, MOST_CHOICES, count, list);
        TAKE_LIST(status, list, count, choices);
    } else if (q->pass == RS__CONV_DATA) {
        cudnnConvolutionBwdDataAlgoPerf_t list[MOST_CHOICES];
        status =
            cudnnGetConvolutionBackwardDataAlgorithm_v7(dnn, filter, y, how, x, MOST_CHOICES, count, list);
        TAKE_LIST(status, list, count, choices);
    } else {
        cudnnConvolutionBwdFilterAlgoPerf_t list[MOST_CHOICES];
        status =
            cudnnGetConvolutionBackwardFilterAlgorithm_v7(dnn, x, y, how, filter, MOST_CHOICES, count, list);
        TAKE_LIST(status, list, count, choices);
    }
    return status;
}

/* --- search ----------------------------------------------------------------------------------------------- */

/* What a search tries algorithms on. */
typedef struct search_memory {
    void *memory;
    char *x, *y, *filter, *workspace;
    size_t workspace_bytes;
} search_memory;

static rs_status take_search_memory(const question *q, search_memory *m, rs_error *error)
{
    const rs__convolution *conv = q->conv;
    for (int i = 0; i < MOST_CHOICES && names[q->pass][i]; i++) { /* what has no answer is not tried either */
        size_t bytes = 0;
        if (workspace_of(q, i, &bytes) == CUDNN_STATUS_SUCCESS && bytes <= most_workspace(conv) &&
            bytes > m->workspace_bytes) {
            m->workspace_bytes = bytes;
        }
    }
    const size_t parts[] = {conv->x_bytes, conv->y_bytes, conv->filter_bytes, m->workspace_bytes};
    size_t offsets[4], bytes = rs__parts_place(parts, 4, offsets);
    RS_TRY(rs__memory_take_zeroed(q->plan->device, bytes, "a search for algorithms", &m->memory, error));
    m->x = (char *)m->memory + offsets[0];
    m->y = (char *)m->memory + offsets[1];
    m->filter = (char *)m->memory + offsets[2];
    m->workspace = (char *)m->memory + offsets[3];
    return RS_OK;
}

static cudnnStatus_t time_them(const question *q, const search_memory *m, choice choices[MOST_CHOICES],
                               int *count)
{
    cudnnHandle_t dnn = q->plan->device->dnn;
    cudnnTensorDescriptor_t x = q->conv->x[q->size], y = q->conv->y[q->size];
    cudnnFilterDescriptor_t filter = q->conv->filter;
    cudnnConvolutionDescriptor_t how = run_of(q)->how;
    cudnnStatus_t status;
    if (q->pass == RS__CONV_FORWARD) {
        cudnnConvolutionFwdAlgoPerf_t list[MOST_CHOICES];
        status = cudnnFindConvolutionForwardAlgorithmEx(dnn, x, m->x, filter, m->filter, how, y, m->y,
                                                        MOST_CHOICES, count, list, m->workspace,
                                                        m->workspace_bytes);
        TAKE_LIST(status, list, count, choices);
    } else if (q->pass == RS__CONV_DATA) {
        cudnnConvolutionBwdDataAlgoPerf_t list[MOST_CHOICES];
        status = cudnnFindConvolutionBackwardDataAlgorithmEx(dnn, filter, m->filter, y, m->y, how, x, m->x,
                                                             MOST_CHOICES, count, list, m->workspace,
                                                             m->workspace_bytes);
        TAKE_LIST(status, list, count, choices);
    } else {
        cudnnConvolutionBwdFilterAlgoPerf_t list[MOST_CHOICES];
        status = cudnnFindConvolutionBackwardFilterAlgorithmEx(dnn, x, m->x, y, m->y, how, filter, m->filter,
                                                               MOST_CHOICES, count, list, m->workspace,
                                                               m->workspace_bytes);
        TAKE_LIST(status, list, count, choices);
    }
    return status;
}

/* No list is an empty one: there are algorithms to try without. */
static rs_status list_choices(const question *q, choice choices[MOST_CHOICES], int *count, rs_error *error)
{
    cudnnStatus_t listed;
    /* one that was asked for and not taken has left its own */
    RS__CUDNN(error, cudnnSetConvolutionMathType(run_of(q)->how, rs__conv_math(q->conv)));
    if (q->conv->searched) {
        search_memory m = {0};
        rs_status status = take_search_memory(q, &m, error);
        listed = status ? CUDNN_STATUS_SUCCESS : time_them(q, &m, choices, count);
        (void)cudaStreamSynchronize(q->plan->device->compute); /* before its memory goes */
        rs__memory_release(m.memory);
        RS_TRY(status);
    } else {
        listed = list_by_heuristics(q, choices, count);
    }
    if (rs__conv_no_memory(listed)) {
        return rs__cudnn_failed(error, listed, list_calls[q->conv->searched][q->pass], __FILE__, __LINE__);
    }
    q->conv->answer = listed ? listed : q->conv->answer;
    return RS_OK;
}

/* --- choosing --------------------------------------------------------------------------------------------- */

/* What may be taken. */
typedef struct candidate {
    int algorithm;
    cudnnMathType_t math;
    size_t most; /* workspace */
} candidate;

/* Takes an algorithm if cuDNN can run it here with little enough workspace: *taken. Whatever else it answers is a no,
 * of this one alone: an odd status of one must not keep the others from being asked. */
static rs_status try_algorithm(const question *q, const candidate *c, bool *taken, rs_error *error)
{
    rs__conv_run *run = run_of(q);
    size_t bytes = 0;
    if (run->refused & rs__conv_bit(c->algorithm, c->math)) {
        return RS_OK;
    }
    RS__CUDNN(error, cudnnSetConvolutionMathType(run->how, c->math));
    cudnnStatus_t status = workspace_of(q, c->algorithm, &bytes);
    if (rs__conv_no_memory(status)) {
        return rs__cudnn_failed(error, status, workspace_calls[q->pass], __FILE__, __LINE__);
    }
    q->conv->answer = status ? status : q->conv->answer;
    *taken = status == CUDNN_STATUS_SUCCESS && bytes <= c->most;
    if (*taken) {
        run->algorithm = c->algorithm;
        run->math = c->math;
        run->workspace = bytes;
    }
    return RS_OK;
}

static bool acceptable(const question *q, const choice *c)
{
    bool direct = q->plan->options.convolution == RS_CONVOLUTION_DIRECT;
    return c->status == CUDNN_STATUS_SUCCESS && c->determinism == CUDNN_DETERMINISTIC &&
           !never_the_same_twice(q->pass, c->algorithm) && !(direct && is_transformed(q->pass, c->algorithm));
}

/* The plan that is continued may be of another GPU, or of another cuDNN. */
static bool may_be_chosen(const question *q, int algorithm, int math)
{
    cudnnMathType_t allowed;
    bool known = algorithm >= 0 && algorithm < MOST_CHOICES && names[q->pass][algorithm] &&
                 math >= (int)CUDNN_DEFAULT_MATH && math <= (int)CUDNN_FMA_MATH;
    return known && !never_the_same_twice(q->pass, algorithm) &&
           allowed_math(q->conv, (cudnnMathType_t)math, &allowed) && (int)allowed == math;
}

/* What this plan, or the one it continues, took for the same shape. */
static rs_status take_chosen(const question *q, const char *key, bool *taken, rs_error *error)
{
    int algorithm = 0, math = 0;
    if (!rs__choices_find(q->plan, key, &algorithm, &math) || !may_be_chosen(q, algorithm, math)) {
        return RS_OK;
    }
    const candidate c = {algorithm, (cudnnMathType_t)math, SIZE_MAX};
    return try_algorithm(q, &c, taken, error);
}

/* What the largest batch took. */
static rs_status take_as_before(const question *q, bool *taken, rs_error *error)
{
    const rs__conv_run *largest = &q->conv->run[q->pass][0];
    const candidate c = {largest->algorithm, largest->math, most_workspace(q->conv)};
    return q->size > 0 ? try_algorithm(q, &c, taken, error) : RS_OK;
}

/* First what was listed with the arithmetic that it will have (`same`), then what was listed, and timed, with another. */
static rs_status take_from_list(const question *q, const choice *choices, int count, bool *taken,
                                rs_error *error)
{
    for (int same = 1; same >= 0; same--) {
        for (int i = 0; i < count && !*taken; i++) {
            candidate c = {.algorithm = choices[i].algorithm, .most = most_workspace(q->conv)};
            if (acceptable(q, &choices[i]) && allowed_math(q->conv, choices[i].math, &c.math) &&
                (c.math == choices[i].math) == (same == 1)) {
                RS_TRY(try_algorithm(q, &c, taken, error));
            }
        }
    }
    return RS_OK;
}

/* The ones that cuDNN has for nearly everything; whatever they want: where it is too much, the plan is refused as too
 * large. Rather in plain float, if TF32 was allowed, than not at all. */
static rs_status take_common(const question *q, bool *taken, rs_error *error)
{
    static const int common[RS__CONV_PASSES][2] = {
        {CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM, CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM},
        {CUDNN_CONVOLUTION_BWD_DATA_ALGO_1, -1},
        {CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1, -1}};
    const cudnnMathType_t math[2] = {rs__conv_math(q->conv), CUDNN_FMA_MATH};
    for (int i = 0; i < (q->conv->tf32 ? 4 : 2) && !*taken; i++) {
        const candidate c = {common[q->pass][i % 2], math[i / 2], SIZE_MAX};
        RS_TRY(c.algorithm >= 0 ? try_algorithm(q, &c, taken, error) : RS_OK);
    }
    return RS_OK;
}

static rs_status choose(const question *q, bool *taken, rs_error *error)
{
    choice choices[MOST_CHOICES];
    int count = 0;
    RS_TRY(take_as_before(q, taken, error));
    if (*taken) {
        return RS_OK;
    }
    RS_TRY(list_choices(q, choices, &count, error));
    RS_TRY(take_from_list(q, choices, count, taken, error));
    return take_common(q, taken, error);
}

void rs__conv_key(const rs_plan *plan, const rs__convolution *conv, int pass, int size,
                  char key[RS__CONV_KEY])
{
    static const char *const passes[RS__CONV_PASSES] = {"forward", "data", "weights"};
    (void)snprintf(key, RS__CONV_KEY, "%s of %d: %s", passes[pass], (int)plan->options.batch_sizes[size],
                   conv->shape);
}

rs_status rs__conv_fail_memory(const rs_plan *plan, size_t left, cudnnStatus_t answer, rs_error *error)
{
    char bytes[32];
    rs_text_bytes(left, bytes, sizeof bytes);
    return RS_FAIL(
        error, RS_MEMORY,
        "cuDNN cannot run its kernels (%s), most likely for want of memory to load them (GPU %d has %s "
        "free); use a smaller --batch-size or --memory lean, or end what else uses this GPU",
        cudnnGetErrorString(answer), plan->device->index, bytes);
}

/* Algorithms that all fail in CUDA itself, when they run, have something in common: the loading of their kernels. */
static rs_status fail_to_choose(const question *q, const char *key, rs_error *error)
{
    size_t left = 0, total = 0;
    if (run_of(q)->refused && q->conv->answer == CUDNN_STATUS_EXECUTION_FAILED_CUDART) {
        RS__CUDA(error, cudaMemGetInfo(&left, &total));
        return rs__conv_fail_memory(q->plan, left, q->conv->answer, error);
    }
    return RS_FAIL(error, RS_DEVICE, "cuDNN %zu has no deterministic convolution for %s (its last no: %s)",
                   cudnnGetVersion(), key, cudnnGetErrorString(q->conv->answer));
}

rs_status rs__conv_choose(rs_plan *plan, rs__convolution *conv, int pass, int size, rs_error *error)
{
    const question q = {plan, conv, pass, size};
    const rs__conv_run *run = run_of(&q);
    char key[RS__CONV_KEY];
    bool taken = false;
    rs__conv_key(plan, conv, pass, size, key);
    RS_TRY(take_chosen(&q, key, &taken, error));
    if (taken) {
        return RS_OK;
    }
    RS_TRY(choose(&q, &taken, error));
    if (!taken) {
        return fail_to_choose(&q, key, error);
    }
    return rs__choices_add(plan, key, run->algorithm, (int)run->math, error);
}
