/* convolution.h: a convolution as cuDNN sees it; shared by convolution.c, which runs it, convolution_choice.c, which
 * chooses its algorithms, and convolution_trial.c, which tries them. cuDNN's older interface is used in these files alone
 * (and for average pooling). */
#ifndef RS_KERNELS_CUDA_CONVOLUTION_H
#define RS_KERNELS_CUDA_CONVOLUTION_H

#include "plan.h"

enum { RS__CONV_FORWARD, RS__CONV_DATA, RS__CONV_FILTER, RS__CONV_PASSES };

/* One pass at one batch size. */
typedef struct rs__conv_run {
    cudnnConvolutionDescriptor_t how; /* with the arithmetic of the algorithm; NULL: does not run */
    int algorithm;                    /* of the pass's enumeration */
    cudnnMathType_t math;             /* its arithmetic */
    size_t workspace;
    uint32_t refused; /* rs__conv_bit of what failed when it was tried */
} rs__conv_run;

typedef struct rs__convolution {
    cudnnFilterDescriptor_t filter;
    cudnnTensorDescriptor_t x[RS_MAX_BATCH_SIZES], y[RS_MAX_BATCH_SIZES];
    rs__conv_run run[RS__CONV_PASSES][RS_MAX_BATCH_SIZES];
    size_t x_bytes, y_bytes, filter_bytes; /* at the largest batch size */
    /* "128x8x8 to 128x8x8, kernel 3, stride 1, padding 1": equal shapes take equal algorithms */
    char shape[96];
    bool runs[RS__CONV_PASSES];
    bool tf32, searched;
    bool product;         /* three matrix products instead: nothing of what cuDNN wants is made */
    cudnnStatus_t answer; /* cuDNN's last one that was a no, for an error's text */
} rs__convolution;

/* What a list is asked for with: TF32, cuDNN's default for floats, or plain float. */
static inline cudnnMathType_t rs__conv_math(const rs__convolution *conv)
{
    return conv->tf32 ? CUDNN_DEFAULT_MATH : CUDNN_FMA_MATH;
}

/* Algorithms of a pass are fewer than 8, kinds of arithmetic fewer than 4. */
static inline uint32_t rs__conv_bit(int algorithm, cudnnMathType_t math)
{
    return UINT32_C(1) << (8 * (int)math + algorithm);
}

/* That says nothing of an algorithm: what is chosen must not depend on what is free. */
static inline bool rs__conv_no_memory(cudnnStatus_t status)
{
    return status == CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED ||
           status == CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED;
}

/* MEMORY: cuDNN's kernels find none to be loaded. left: bytes of the GPU that are free. */
rs_status rs__conv_fail_memory(const rs_plan *plan, size_t left, cudnnStatus_t answer, rs_error *error);
/* Of x or y at a batch size. UNSUPPORTED when it has more elements than cuDNN counts. */
rs_status rs__describe_tensor(const rs__tensor *t, int64_t count, cudnnTensorDescriptor_t *made,
                              rs_error *error);
/* Chooses the algorithm of a pass whose descriptors are made, and its workspace. */
rs_status rs__conv_choose(rs_plan *plan, rs__convolution *conv, int pass, int size, rs_error *error);
/* All passes at all batch sizes, and the shared scratch; again when something was refused. */
rs_status rs__conv_choose_all(rs_plan *plan, rs__op *op, rs_error *error);
/* Enqueues a pass by cuDNN, without the bias. */
cudnnStatus_t rs__conv_run_pass(rs_plan *plan, const rs__op *op, int pass, int size);
/* The call that it makes, for errors. */
const char *rs__conv_call(int pass);

/* What a choice is kept by: "forward of 256: 128x8x8 to ...". */
enum { RS__CONV_KEY = 192 };
void rs__conv_key(const rs_plan *plan, const rs__convolution *conv, int pass, int size,
                  char key[RS__CONV_KEY]);
/* choices.c: what was chosen for a key, in this plan or the one that options.choices is of; false: nothing yet. */
bool rs__choices_find(const rs_plan *plan, const char *key, int *algorithm, int *math);
void rs__choices_drop(rs_plan *plan, const char *key);
/* In place of what was there for the key. */
rs_status rs__choices_add(rs_plan *plan, const char *key, int algorithm, int math, rs_error *error);
/* "implicit_precomp_gemm". */
const char *rs__conv_algorithm_name(int pass, int algorithm);

#endif
