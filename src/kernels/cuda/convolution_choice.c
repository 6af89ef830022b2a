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

enum { MOST_CHOICES = 8 };

/* cuDNN copies whole tensors, into a layout of its own or rounded to TF32, and keeps partial sums. */
static size_t most_workspace(const rs__convolution *conv)
{
    const size_t least = (size_t)512 << 20, copies = 2 * (conv->x_bytes + conv->y_bytes + conv->filter_bytes);
    return copies > least ? copies : least;
}

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

static cudnnStatus_t workspace_of(const rs_plan *plan, const rs__convolution *conv, int pass, int size,
                                  int algorithm, size_t *bytes)
{
    cudnnHandle_t dnn = plan->device->dnn;
    cudnnTensorDescriptor_t x = conv->x[size], y = conv->y[size];
    cudnnConvolutionDescriptor_t how = conv->run[pass][size].how;
    switch (pass) {
    case RS__CONV_FORWARD:
        return cudnnGetConvolutionForwardWorkspaceSize(dnn, x, conv->filter, how, y,
                                                       (cudnnConvolutionFwdAlgo_t)algorithm, bytes);
    case RS__CONV_DATA:
        return cudnnGetConvolutionBackwardDataWorkspaceSize(dnn, conv->filter, y, how, x,
                                                            (cudnnConvolutionBwdDataAlgo_t)algorithm, bytes);
    default:
        return cudnnGetConvolutionBackwardFilterWorkspaceSize(
            dnn, x, y, how, conv->filter, (cudnnConvolutionBwdFilterAlgo_t)algorithm, bytes);
    }
}

/* The three kinds of lists have the same fields. What cuDNN does not support has an empty list. */
#define TAKE_LIST(status, list, count, choices)                                                              \
    *(count) = (status) == CUDNN_STATUS_SUCCESS ? *(count) : 0;                                              \
    for (int i = 0; i < *(count); i++) {                                                                     \
        (choices)[i] =                                                                                       \
            (choice){(int)(list)[i].algo, (list)[i].status, (list)[i].determinism, (list)[i].mathType};      \
    }

static cudnnStatus_t list_by_heuristics(const rs_plan *plan, const rs__convolution *conv, int pass, int size,
                                        choice choices[MOST_CHOICES], int *count)
{
    cudnnHandle_t dnn = plan->device->dnn;
    cudnnTensorDescriptor_t x = conv->x[size], y = conv->y[size];
    cudnnConvolutionDescriptor_t how = conv->run[pass][size].how;
    cudnnStatus_t status;
    if (pass == RS__CONV_FORWARD) {
        cudnnConvolutionFwdAlgoPerf_t list[MOST_CHOICES];
        status =
            cudnnGetConvolutionForwardAlgorithm_v7(dnn, x, conv->filter, how, y, MOST_CHOICES, count, list);
        TAKE_LIST(status, list, count, choices)
    } else if (pass == RS__CONV_DATA) {
        cudnnConvolutionBwdDataAlgoPerf_t list[MOST_CHOICES];
        status = cudnnGetConvolutionBackwardDataAlgorithm_v7(dnn, conv->filter, y, how, x, MOST_CHOICES,
                                                             count, list);
        TAKE_LIST(status, list, count, choices)
    } else {
        cudnnConvolutionBwdFilterAlgoPerf_t list[MOST_CHOICES];
        status = cudnnGetConvolutionBackwardFilterAlgorithm_v7(dnn, x, y, how, conv->filter, MOST_CHOICES,
                                                               count, list);
        TAKE_LIST(status, list, count, choices)
    }
    return status;
}

/* --- search ----------------------------------------------------------------------------------------------- */

/* Memory to try algorithms on. */
typedef struct trial {
    void *memory;
    char *x, *y, *filter, *workspace;
    size_t workspace_bytes;
} trial;

static rs_status make_trial(const rs_plan *plan, const rs__convolution *conv, int pass, int size, trial *t,
                            rs_error *error)
{
    for (int i = 0; i < MOST_CHOICES && names[pass][i]; i++) { /* what has no answer is not tried either */
        size_t bytes = 0;
        if (workspace_of(plan, conv, pass, size, i, &bytes) == CUDNN_STATUS_SUCCESS &&
            bytes <= most_workspace(conv) && bytes > t->workspace_bytes) {
            t->workspace_bytes = bytes;
        }
    }
    const size_t parts[] = {conv->x_bytes, conv->y_bytes, conv->filter_bytes, t->workspace_bytes};
    size_t offsets[4], bytes = rs__parts_place(parts, 4, offsets);
    RS_TRY(rs__memory_take_zeroed(plan->device, bytes, "a search for algorithms", &t->memory, error));
    t->x = (char *)t->memory + offsets[0];
    t->y = (char *)t->memory + offsets[1];
    t->filter = (char *)t->memory + offsets[2];
    t->workspace = (char *)t->memory + offsets[3];
    return RS_OK;
}

static cudnnStatus_t time_them(const rs_plan *plan, const rs__convolution *conv, int pass, int size,
                               const trial *t, choice choices[MOST_CHOICES], int *count)
{
    cudnnHandle_t dnn = plan->device->dnn;
    cudnnTensorDescriptor_t x = conv->x[size], y = conv->y[size];
    cudnnConvolutionDescriptor_t how = conv->run[pass][size].how;
    cudnnStatus_t status;
    if (pass == RS__CONV_FORWARD) {
        cudnnConvolutionFwdAlgoPerf_t list[MOST_CHOICES];
        status = cudnnFindConvolutionForwardAlgorithmEx(dnn, x, t->x, conv->filter, t->filter, how, y, t->y,
                                                        MOST_CHOICES, count, list, t->workspace,
                                                        t->workspace_bytes);
        TAKE_LIST(status, list, count, choices)
    } else if (pass == RS__CONV_DATA) {
        cudnnConvolutionBwdDataAlgoPerf_t list[MOST_CHOICES];
        status = cudnnFindConvolutionBackwardDataAlgorithmEx(dnn, conv->filter, t->filter, y, t->y, how, x,
                                                             t->x, MOST_CHOICES, count, list, t->workspace,
                                                             t->workspace_bytes);
        TAKE_LIST(status, list, count, choices)
    } else {
        cudnnConvolutionBwdFilterAlgoPerf_t list[MOST_CHOICES];
        status = cudnnFindConvolutionBackwardFilterAlgorithmEx(dnn, x, t->x, y, t->y, how, conv->filter,
                                                               t->filter, MOST_CHOICES, count, list,
                                                               t->workspace, t->workspace_bytes);
        TAKE_LIST(status, list, count, choices)
    }
    return status;
}

/* No list is an empty one: there are algorithms to try without. */
static rs_status list_choices(const rs_plan *plan, rs__convolution *conv, int pass, int size,
                              choice choices[MOST_CHOICES], int *count, rs_error *error)
{
    cudnnStatus_t listed;
    if (conv->searched) {
        trial t = {0};
        rs_status status = make_trial(plan, conv, pass, size, &t, error);
        listed = status ? CUDNN_STATUS_SUCCESS : time_them(plan, conv, pass, size, &t, choices, count);
        (void)cudaStreamSynchronize(plan->device->compute); /* before its memory goes */
        rs__memory_release(t.memory);
        RS_TRY(status);
    } else {
        listed = list_by_heuristics(plan, conv, pass, size, choices, count);
    }
    if (rs__conv_no_memory(listed)) {
        return rs__cudnn_failed(error, listed, list_calls[conv->searched][pass], __FILE__, __LINE__);
    }
    conv->answer = listed ? listed : conv->answer;
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
static rs_status try_algorithm(const rs_plan *plan, rs__convolution *conv, int pass, int size,
                               const candidate *c, bool *taken, rs_error *error)
{
    rs__conv_run *run = &conv->run[pass][size];
    size_t bytes = 0;
    if (run->refused & rs__conv_bit(c->algorithm, c->math)) {
        return RS_OK;
    }
    RS__CUDNN(error, cudnnSetConvolutionMathType(run->how, c->math));
    cudnnStatus_t status = workspace_of(plan, conv, pass, size, c->algorithm, &bytes);
    if (rs__conv_no_memory(status)) {
        return rs__cudnn_failed(error, status, workspace_calls[pass], __FILE__, __LINE__);
    }
    conv->answer = status ? status : conv->answer;
    *taken = status == CUDNN_STATUS_SUCCESS && bytes <= c->most;
    if (*taken) {
        run->algorithm = c->algorithm;
        run->workspace = bytes;
    }
    return RS_OK;
}

static bool acceptable(const rs_plan *plan, int pass, const choice *c)
{
    bool direct = plan->options.convolution == RS_CONVOLUTION_DIRECT;
    return c->status == CUDNN_STATUS_SUCCESS && c->determinism == CUDNN_DETERMINISTIC &&
           !never_the_same_twice(pass, c->algorithm) && !(direct && is_transformed(pass, c->algorithm));
}

/* The plan that is continued may be of another GPU, or of another cuDNN. */
static bool may_be_chosen(const rs__convolution *conv, int pass, int algorithm, int math)
{
    cudnnMathType_t allowed;
    bool known = algorithm >= 0 && algorithm < MOST_CHOICES && names[pass][algorithm] &&
                 math >= (int)CUDNN_DEFAULT_MATH && math <= (int)CUDNN_FMA_MATH;
    return known && !never_the_same_twice(pass, algorithm) &&
           allowed_math(conv, (cudnnMathType_t)math, &allowed) && (int)allowed == math;
}

/* What this plan, or the one it continues, took for the same shape. */
static rs_status take_chosen(const rs_plan *plan, rs__convolution *conv, int pass, int size, const char *key,
                             bool *taken, rs_error *error)
{
    int algorithm = 0, math = 0;
    if (!rs__choices_find(plan, key, &algorithm, &math) || !may_be_chosen(conv, pass, algorithm, math)) {
        return RS_OK;
    }
    const candidate c = {algorithm, (cudnnMathType_t)math, SIZE_MAX};
    return try_algorithm(plan, conv, pass, size, &c, taken, error);
}

/* What the largest batch took. */
static rs_status take_as_before(const rs_plan *plan, rs__convolution *conv, int pass, int size, bool *taken,
                                rs_error *error)
{
    cudnnMathType_t math;
    if (size == 0) {
        return RS_OK;
    }
    RS__CUDNN(error, cudnnGetConvolutionMathType(conv->run[pass][0].how, &math));
    const candidate c = {conv->run[pass][0].algorithm, math, most_workspace(conv)};
    return try_algorithm(plan, conv, pass, size, &c, taken, error);
}

/* First what was listed with the arithmetic that it will have (`same`), then what was listed, and timed, with another. */
static rs_status take_from_list(const rs_plan *plan, rs__convolution *conv, int pass, int size,
                                const choice *choices, int count, bool *taken, rs_error *error)
{
    for (int same = 1; same >= 0; same--) {
        for (int i = 0; i < count && !*taken; i++) {
            candidate c = {.algorithm = choices[i].algorithm, .most = most_workspace(conv)};
            if (acceptable(plan, pass, &choices[i]) && allowed_math(conv, choices[i].math, &c.math) &&
                (c.math == choices[i].math) == (same == 1)) {
                RS_TRY(try_algorithm(plan, conv, pass, size, &c, taken, error));
            }
        }
    }
    return RS_OK;
}

/* The ones that cuDNN has for nearly everything; whatever they want: where it is too much, the plan is refused as too
 * large. */
static rs_status take_common(const rs_plan *plan, rs__convolution *conv, int pass, int size, bool *taken,
                             rs_error *error)
{
    static const int common[RS__CONV_PASSES][2] = {
        {CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM, CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM},
        {CUDNN_CONVOLUTION_BWD_DATA_ALGO_1, CUDNN_CONVOLUTION_BWD_DATA_ALGO_1},
        {CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1, CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1}};
    for (int i = 0; i < 2 && !*taken; i++) {
        const candidate c = {common[pass][i], conv->tf32 ? CUDNN_DEFAULT_MATH : CUDNN_FMA_MATH, SIZE_MAX};
        RS_TRY(try_algorithm(plan, conv, pass, size, &c, taken, error));
    }
    return RS_OK;
}

static rs_status choose(const rs_plan *plan, rs__convolution *conv, int pass, int size, bool *taken,
                        rs_error *error)
{
    choice choices[MOST_CHOICES];
    int count = 0;
    RS_TRY(take_as_before(plan, conv, pass, size, taken, error));
    if (*taken) {
        return RS_OK;
    }
    RS_TRY(list_choices(plan, conv, pass, size, choices, &count, error));
    RS_TRY(take_from_list(plan, conv, pass, size, choices, count, taken, error));
    return take_common(plan, conv, pass, size, taken, error);
}

void rs__conv_key(const rs_plan *plan, const rs__convolution *conv, int pass, int size,
                  char key[RS__CONV_KEY])
{
    static const char *const passes[RS__CONV_PASSES] = {"forward", "data", "weights"};
    (void)snprintf(key, RS__CONV_KEY, "%s of %d: %s", passes[pass], (int)plan->options.batch_sizes[size],
                   conv->shape);
}

rs_status rs__conv_choose(rs_plan *plan, rs__convolution *conv, int pass, int size, rs_error *error)
{
    char key[RS__CONV_KEY];
    cudnnMathType_t math;
    bool taken = false;
    rs__conv_key(plan, conv, pass, size, key);
    RS_TRY(take_chosen(plan, conv, pass, size, key, &taken, error));
    if (taken) {
        return RS_OK;
    }
    RS_TRY(choose(plan, conv, pass, size, &taken, error));
    if (!taken) {
        return RS_FAIL(error, RS_DEVICE,
                       "cuDNN %zu has no deterministic convolution for %s (its last no: %s)",
                       cudnnGetVersion(), key, cudnnGetErrorString(conv->answer));
    }
    RS__CUDNN(error, cudnnGetConvolutionMathType(conv->run[pass][size].how, &math));
    return rs__choices_add(plan, key, conv->run[pass][size].algorithm, (int)math, error);
}
