/* small_primitives.h: oneDNN's part of small convolutions: primitives for one thread, for a tile of samples and for one, and
 * their calls from many threads at once. */
#ifndef RS_KERNELS_CPU_SMALL_PRIMITIVES_H
#define RS_KERNELS_CPU_SMALL_PRIMITIVES_H

#include "plan.h"

/* Places of a primitive's arguments. */
enum { RS__MAPS_IN, RS__MAPS_OUT, RS__OF_WEIGHTS, RS__SCRATCHPAD, RS__OF_BIAS, RS__ARGUMENTS };

typedef struct rs__made {
    dnnl_primitive_desc_t pd;
    dnnl_primitive_t primitive;
} rs__made;

enum { RS__TILED, RS__SINGLE, RS__SIZES };

/* One thread's: its stream, and arguments whose maps are set before each call. */
typedef struct rs__caller {
    dnnl_stream_t stream;
    dnnl_exec_arg_t arguments[RS__SIZES][RS__CONV_PASSES][RS__ARGUMENTS];
} rs__caller;

typedef struct rs__small {
    int64_t tile; /* samples */
    rs__made pass[RS__SIZES][RS__CONV_PASSES];
    rs__made turn; /* weights as forward reads them -> as the input's gradient does */
    dnnl_exec_arg_t turned[2];
    bool turns, padded;
    rs__order order; /* of padded weights */
    int64_t weights; /* floats, padding included; what the input's gradient reads: */
    int64_t turned_weights;
    int64_t outputs, inputs; /* floats of a sample: the convolution's, and those of its input's gradient */
    int64_t lanes_out;       /* its channels, in whole vectors */
    size_t scratchpad;
    rs__caller *callers; /* [threads] */
    int threads;
    char implementation[RS__CONV_PASSES][40];
} rs__small;

static inline int64_t rs__whole_vectors(const rs_plan *plan, int64_t channels)
{
    int64_t lanes = plan->device->kernels->lanes;
    return (channels + lanes - 1) / lanes * lanes;
}

/* Whether a convolution has a bias, a parameter a gradient, and whether a pass ever runs. */
bool rs__small_has_bias(const rs_plan *plan, const rs__op *op);
bool rs__small_has_gradient(const rs_plan *plan, int parameter);
bool rs__small_runs(const rs_plan *plan, const rs__op *op, int pass);

/* Fills what the library says of op->state, whose tile and lanes_out are there: primitives, layouts, sizes. */
rs_status rs__small_make(rs_plan *plan, rs__op *op, rs_error *error);
/* Arguments for every thread. `weights` are those that forward reads, `turned` those that it would have turned. */
rs_status rs__small_bind(const rs_plan *plan, rs__op *op, float *weights, float *turned, rs_error *error);
void rs__small_release(rs__op *op);

/* What one call works on. */
typedef struct rs__small_work {
    const float *in;
    float *out; /* of the weights' gradient: read */
    float *weights, *bias;
    void *scratchpad;
} rs__small_work;

/* A pass over a tile, or one sample, in the calling thread. */
void rs__small_call(const rs_plan *plan, const rs__op *op, int64_t samples, int pass,
                    const rs__small_work *work);
/* The weights for the input's gradient, in the plan's thread. */
void rs__small_turn(rs_plan *plan, const rs__op *op);

#endif
