/* vector_table.c: the table of this instruction set's kernels. */
#include "kernels.h"
#include "vector.h"

#if RS_LANES == 16
#define NAME "AVX-512"
#elif defined(__AVX2__)
#define NAME "AVX2"
#else
#define NAME "x86-64"
#endif

const rs__kernels RS_ISA(rs__kernels) = {
    .name = NAME,
    .lanes = RS_LANES,
    .norm_statistics = RS_ISA(rs__norm_statistics),
    .norm_forward = RS_ISA(rs__norm_forward),
    .norm_gradients = RS_ISA(rs__norm_gradients),
    .norm_backward = RS_ISA(rs__norm_backward),
    .relu_forward = RS_ISA(rs__relu_forward),
    .relu_backward = RS_ISA(rs__relu_backward),
    .add_forward = RS_ISA(rs__add_forward),
    .pass_gradient = RS_ISA(rs__pass_gradient),
    .sigmoid_forward = RS_ISA(rs__sigmoid_forward),
    .sigmoid_backward = RS_ISA(rs__sigmoid_backward),
    .tanh_forward = RS_ISA(rs__tanh_forward),
    .tanh_backward = RS_ISA(rs__tanh_backward),
    .divide_forward = RS_ISA(rs__divide_forward),
    .divide_backward = RS_ISA(rs__divide_backward),
    .softmax_forward = RS_ISA(rs__softmax_forward),
    .softmax_backward = RS_ISA(rs__softmax_backward),
    .row_normalize_forward = RS_ISA(rs__row_normalize_forward),
    .row_normalize_backward = RS_ISA(rs__row_normalize_backward),
    .small_product = RS_ISA(rs__small_product),
    .small_gradient = RS_ISA(rs__small_gradient),
    .small_bias_gradient = RS_ISA(rs__small_bias_gradient),
    .small_join = RS_ISA(rs__small_join),
    .dropout = RS_ISA(rs__dropout),
    .distance_sums = RS_ISA(rs__distance_sums),
    .distance_backward = RS_ISA(rs__distance_backward),
    .max_pool_forward = RS_ISA(rs__max_pool_forward),
    .max_pool_backward = RS_ISA(rs__max_pool_backward),
    .grey_forward = RS_ISA(rs__grey_forward),
    .grey_map = RS_ISA(rs__grey_map),
    .grey_gradients = RS_ISA(rs__grey_gradients),
    .grey_backward = RS_ISA(rs__grey_backward),
    .average_pool_forward = RS_ISA(rs__average_pool_forward),
    .average_pool_backward = RS_ISA(rs__average_pool_backward),
    .global_pool_forward = RS_ISA(rs__global_pool_forward),
    .global_pool_backward = RS_ISA(rs__global_pool_backward),
    .update = RS_ISA(rs__update),
    .gradient_sums = RS_ISA(rs__gradient_sums),
    .multiply_add = RS_ISA(rs__multiply_add),
};
