/* kernels.cuh: all kernels of kernel_list.def, for who compiles them in one piece. */
#ifndef RS_KERNELS_CUDA_KERNELS_CUH
#define RS_KERNELS_CUDA_KERNELS_CUH

#include "batch_norm.cuh"
#include "channels.cuh"
#include "dropout.cuh"
#include "gather.cuh"
#include "loss.cuh"
#include "matrix.cuh"
#include "objectives.cuh"
#include "order.cuh"
#include "pointwise.cuh"
#include "pooling.cuh"
#include "repeat.cuh"
#include "update.cuh"

#endif
