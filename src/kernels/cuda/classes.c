/* classes.c: which class is which kind's. */
#include "plan.h"

const rs__op_class *rs__class_of(rs_op_kind kind)
{
    static const rs__op_class *const classes[RS_OP_KINDS] = {
        [RS_OP_CONVOLUTION] = &rs__op_convolution,
        [RS_OP_BATCH_NORM] = &rs__op_batch_norm,
        [RS_OP_RELU] = &rs__op_relu,
        [RS_OP_SOFTPLUS] = &rs__op_softplus,
        [RS_OP_SIGMOID] = &rs__op_sigmoid,
        [RS_OP_TANH] = &rs__op_tanh,
        [RS_OP_SOFTMAX] = &rs__op_softmax,
        [RS_OP_ROW_NORMALIZE] = &rs__op_row_normalize,
        [RS_OP_FLATTEN] = &rs__op_flatten,
        [RS_OP_REPEAT] = &rs__op_repeat,
        [RS_OP_DROPOUT] = &rs__op_dropout,
        [RS_OP_ADD] = &rs__op_add,
        [RS_OP_DIVIDE] = &rs__op_divide,
        [RS_OP_MATRIX_PRODUCT] = &rs__op_matrix_product,
        [RS_OP_MAX_POOL] = &rs__op_max_pool,
        [RS_OP_AVERAGE_POOL] = &rs__op_average_pool,
        [RS_OP_GLOBAL_AVERAGE_POOL] = &rs__op_global_pool,
        [RS_OP_LINEAR] = &rs__op_linear,
        [RS_OP_SOFTMAX_CROSS_ENTROPY] = &rs__op_cross_entropy,
        [RS_OP_KL_DIVERGENCE] = &rs__op_cross_entropy,
        [RS_OP_MEAN_SQUARED_ERROR] = &rs__op_squared_error,
    };
    return classes[kind];
}
