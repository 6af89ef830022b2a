/* plan.h: what the cpu backend keeps for a network; shared by the files behind its table.
 *
 * A network becomes a list of operations: one per node, but a batch norm takes in the ReLU, or the add and
 * the ReLU, that are its only consumers (common/operations.h). Activations are blocked by channels (kernels.h); the input
 * of a first convolution is plain [N, C, H, W]. Memory, each one allocation:
 *
 *     parameters   value | initial, then the running statistics (canonical)
 *     gradients    gradient | its sum (double)
 *     optimizer    moment 1 | moment 2
 *                  all six with a parameter's elements at the same offset
 *     activations  outputs and output gradients of the operations; those that never live together share bytes
 *     scratch      kept: per operation (statistics, chosen window places); shared: what lives in one call
 *
 * A convolution's weights lie in the layout that its forward primitive wants where this has no padding, else
 * in canonical order; what other passes want is converted at each step and counted as a reorder. */
#ifndef RS_KERNELS_CPU_PLAN_H
#define RS_KERNELS_CPU_PLAN_H

#include "kernels.h"
#include "lives.h"
#include "objectives.h"
#include "onednn.h"
#include "profile.h"
#include "rs/backend.h"

struct rs_device {
    const rs_host_services *services;
    const rs__kernels *kernels;
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    int threads;
};

/* backend.c: whether oneDNN has a Winograd convolution on this machine. */
bool rs__has_winograd(const rs_device *device);

/* --- memory (arena.c) ------------------------------------------------------------------------------------- */

/* One block of memory for a plan, in large pages where the kernel has them. */
rs_status rs__memory_take(const rs_device *device, size_t bytes, void **memory, rs_error *error);
/* The same, zeroed by the device's threads. */
rs_status rs__memory_take_zeroed(const rs_device *device, size_t bytes, void **memory, rs_error *error);

/* --- tensors and parameters ------------------------------------------------------------------------------- */

/* A node's output, and its gradient. Where a convolution is the last to add to the gradient of a residual join's
 * output, its part lies in the addend, and the join's backward pass adds while it reads: one pass less. */
typedef struct rs__tensor {
    int64_t channels, height, width;
    int64_t blocks;  /* of channels */
    bool plain;      /* value lies as [N, C, H, W]; the gradient is always blocked */
    bool exists;     /* false: taken in by a fused operation */
    float *value;    /* NULL when nothing keeps it */
    float *again;    /* where backward reads the value: the same place, or where it is computed again */
    float *gradient; /* NULL when it is not needed */
    float *addend;   /* a part of the gradient that is left to its reader to add; NULL when there is none */
    rs__span spans[RS__SPANS];
} rs__tensor;

/* Where a canonical element lies: offset = sum of table[dim][index]. */
typedef struct rs__order {
    int rank;
    int64_t dim[4];
    int64_t *table[4]; /* owned; NULL: canonical */
} rs__order;

typedef struct rs__parameter {
    int64_t count;
    size_t offset; /* elements, into each arena; a multiple of 16 */
    rs__order order;
    int64_t steps;
    bool reached;
} rs__parameter;

/* --- operations ------------------------------------------------------------------------------------------- */

typedef struct rs__op rs__op;

/* What one kind of operation does. Optional entries may be NULL. */
typedef struct rs__op_class {
    /* Chooses algorithms and layouts; states bytes of kept and shared scratch. (optional) */
    rs_status (*prepare)(rs_plan *plan, rs__op *op, rs_error *error);
    /* After memory is there: ties primitives to it. (optional) */
    rs_status (*bind)(rs_plan *plan, rs__op *op, rs_error *error);
    /* The whole batch at once, */
    rs_status (*forward)(rs_plan *plan, rs__op *op, rs_mode mode, rs_error *error);
    rs_status (*backward)(rs_plan *plan, rs__op *op, rs_error *error);
    /* or, where no sample looks at another, samples [first, last) in the calling thread (samples.c): called for parts of
     * the batch that begin at any sample, those of a group (rs__group) in order. */
    void (*forward_samples)(rs_plan *plan, const rs__op *op, rs_mode mode, int64_t first, int64_t last);
    void (*backward_samples)(rs_plan *plan, const rs__op *op, int64_t first, int64_t last);
    /* Before the first of these, and after the last, in the plan's thread. (optional) */
    rs_status (*begin_forward)(rs_plan *plan, const rs__op *op, rs_error *error);
    void (*end_forward)(rs_plan *plan, const rs__op *op);
    void (*begin_backward)(rs_plan *plan, const rs__op *op);
    void (*end_backward)(rs_plan *plan, const rs__op *op);
    /* Only where it is cheap: writes what the last forward, in training mode, wrote, bit by bit, from the inputs'
     * values as backward reads them to where backward reads the output's. (optional) */
    rs_status (*recompute)(rs_plan *plan, rs__op *op, rs_error *error);
    void (*release)(rs__op *op);                                     /* (optional) */
    void (*describe)(const rs__op *op, char *text, size_t capacity); /* algorithm; (optional) */
    bool times_itself; /* backward has a row for each of its passes */
    bool needs_input, needs_second,
        needs_output; /* backward reads the values of these inputs, of its output */
    int cost;         /* of an element of the output, in vector operations: about; 0 counts as 1 */
} rs__op_class;

struct rs__op {
    const rs__op_class *kind;
    int node;   /* that it is; the batch norm of a fused one */
    int output; /* node whose output it writes; the last of a fused one */
    int input_count;
    int input[2];    /* nodes; a fused join: batch norm's input, the other summand */
    rs_pass pass[2]; /* what backward does to the gradients of the inputs */
    bool needed;     /* backward runs */
    bool relu;       /* batch norm, max pool or convolution takes in a ReLU */
    bool joined;     /* and a residual */
    int pool;        /* convolution takes in this max pool; 0: none */
    bool defers;     /* a convolution whose ADD goes to the addend of its input */
    int reorders;    /* conversions per training step */
    size_t kept_bytes, shared_bytes;
    size_t thread_bytes; /* of shared scratch, for each thread (rs__thread_scratch) */
    void *kept;          /* kept_bytes of scratch */
    void *state;         /* of the kind: owned */
    /* What is computed again before its backward: [first, end) of plan->recomputed. */
    int first_recomputed, end_recomputed;
    int64_t cost;    /* of a sample, in vector operations: about */
    int64_t tile;    /* samples that it would have at once, a power of two; 0: as others wish */
    int segment_end; /* of the segment that begins here (samples.c); 0: none begins */
};

typedef struct rs__job {
    int parameter;
    int64_t first, count;
} rs__job;

struct rs_plan {
    rs_device *device;         /* borrowed */
    const rs_network *network; /* borrowed */
    rs_plan_options options;
    rs_backward backward;
    rs_plan_bytes bytes;

    rs__tensor *tensors; /* [node] */
    rs_operations operations;
    rs__op *ops; /* [op_count], as the operations */
    int op_count;
    int *recomputed; /* [recomputed_count] operations whose outputs are computed again, in order */
    int recomputed_count;

    rs__parameter *parameters; /* [parameter] */
    size_t element_count;      /* of each parameter arena, gaps included */
    float *value, *initial, *moment1, *moment2, *gradient;
    double *gradient_sum;
    float **running; /* [buffer], canonical */

    void *parameter_memory, *gradient_memory, *optimizer_memory, *activation_memory, *scratch_memory;
    size_t running_elements, kept_bytes, shared_bytes, activation_bytes;
    void *shared;        /* shared_bytes of scratch, for one call */
    size_t thread_bytes; /* of it, for each thread of a segment */
    int groups;          /* of the largest batch, for sums over samples */

    rs__job *jobs; /* [job_count] pieces of parameters, for the update */
    int job_count;
    rs_update_sums *job_sums;    /* [job] */
    rs_update_sums *tensor_sums; /* [parameter] */
    rs_rule_f32 *rules;          /* [parameter] */

    int32_t *labels;      /* [largest batch] */
    float *targets;       /* [largest batch, target_count], canonical */
    double *squares;      /* [largest batch] of each sample's input gradient */
    int64_t target_count; /* numbers of a sample's target; 0: nothing takes targets */
    int64_t *ids;         /* [largest batch] the samples' numbers, which dropout draws by */
    uint32_t epoch;
    float table[RS_MAX_CHANNELS][256]; /* byte -> normalised value */
    rs_loss loss;                      /* of the last forward */
    rs_layer_value *layers;            /* [objective] of the last forward */
    int64_t count;                     /* samples of the loaded batch; 0: none */
    int size_index;                    /* of that count in options.batch_sizes */
    rs_mode mode;                      /* of the last forward */
    rs_label_choice label_choice;      /* of the backward pass that runs */
    bool labelled, targeted, ran_forward, ran_backward;
    bool has_loss;      /* the last node is one */
    bool wants_labels;  /* some loss does */
    rs_profile profile; /* rows: profile.c */
};

static inline const rs_node *rs__op_node(const rs_plan *plan, const rs__op *op)
{
    return &plan->network->nodes[op->node];
}

/* The windows of node `pool` that operation `op` ends with, over maps of height x width: pooling.c. */
rs__window rs__pool_window(const rs_plan *plan, const rs__op *op, const rs_node *pool, int64_t height,
                           int64_t width);

static inline int64_t rs__largest_batch(const rs_plan *plan)
{
    return plan->options.batch_sizes[0];
}

/* Floats of one sample, padding channels included; of a plain tensor without. */
static inline int64_t rs__sample_floats(const rs_plan *plan, const rs__tensor *t)
{
    return (t->plain ? t->channels : t->blocks * plan->device->kernels->lanes) * t->height * t->width;
}

/* samples.c: operations that work on samples apart. Those that follow each other are a segment: a thread takes some
 * samples through all of it while they lie in its cache. Which operations are joined changes no bit. */
void rs__plan_segments(rs_plan *plan);
rs_status rs__segment_forward(rs_plan *plan, int first, int end, rs_mode mode, rs_error *error);
void rs__segment_backward(rs_plan *plan, int first, int end);
/* The batch in at most plan->groups parts, by sizes alone, and the part that a sample is in: sums over samples are taken
 * group by group and joined in their order. rs__group_first(plan, groups) is the end of the last. */
int64_t rs__group_count(const rs_plan *plan);
int64_t rs__group_first(const rs_plan *plan, int64_t group);
int64_t rs__group_of(const rs_plan *plan, int64_t sample);
/* The calling thread's thread_bytes of shared scratch, within a segment. */
void *rs__thread_scratch(const rs_plan *plan);
/* Whether work of so many vector operations is worth waking the other threads. */
bool rs__worth_threads(int64_t operations);

/* pointwise.c: to = or += from, over the loaded batch of a blocked tensor. */
void rs__elements_pass(const rs_plan *plan, const rs__tensor *t, const float *from, float *to, rs_pass pass);

/* chains.c: joins convolutions, max pools and ReLUs, flattens and linear layers that follow each other in
 * plan->operations. */
void rs__join_chains(rs_plan *plan);
/* The only reader of a node; -1: none, or several. */
int rs__reader_of(const rs_network *network, int node);

/* reshape.c: whether a flatten's vector is in canonical order. Asks the graph and the sizes, not what is measured, so that
 * the bits are the same; where it moves nothing its tensor has the shape of the maps. */
bool rs__flatten_moves(const rs_plan *plan, int node);

/* fuse.c: fills plan->ops and their inputs. */
rs_status rs__plan_fuse(rs_plan *plan, rs_error *error);
/* operators: one class per kind of node */
extern const rs__op_class rs__op_convolution, rs__op_batch_norm, rs__op_relu, rs__op_softplus, rs__op_sigmoid,
    rs__op_tanh, rs__op_softmax, rs__op_row_normalize, rs__op_flatten, rs__op_repeat, rs__op_dropout,
    rs__op_add, rs__op_divide, rs__op_matrix_product, rs__op_max_pool, rs__op_average_pool,
    rs__op_global_pool, rs__op_linear, rs__op_small_linear, rs__op_small_convolution, rs__op_grey_convolution,
    rs__op_loss, rs__op_mean_squared_error;

/* small_linear.c: whether our own kernels are for the layer. */
bool rs__is_small_linear(const rs_device *device, const rs_network *network, int node);

/* small_convolution.c: whether a convolution takes some samples at a time. Asks the network's graph and the sizes, not what
 * is measured, so that the bits are the same. */
bool rs__is_small_convolution(const rs_plan *plan, int node);

/* grey_convolution.c: whether our own kernel takes the convolution; asks as the one above. */
bool rs__is_grey_convolution(const rs_plan *plan, int node);

/* lives.c: what is kept and what is computed again: fills the spans of all tensors, plan->activation_bytes and the
 * operations' recomputed ones. */
rs_status rs__plan_lives(rs_plan *plan, rs_memory_choice memory, rs_error *error);

/* order.c: layouts of weights and activations against canonical order. */
rs_status rs__order_make(rs__order *order, const rs__blocking *blocking, rs_error *error);
void rs__order_release(rs__order *order);
typedef enum rs__direction { RS__TO_CANONICAL, RS__FROM_CANONICAL } rs__direction;
void rs__order_copy(const rs__order *order, rs__direction direction, size_t element, void *inside,
                    void *canonical, int64_t count);
/* One channel block of one sample against `channels` maps in canonical order. From canonical also zeroes the padding. */
void rs__plane_copy(const rs_plan *plan, rs__direction direction, float *block, float *maps, int64_t channels,
                    int64_t positions);
/* [count, C, H, W] against a tensor's value or gradient. From canonical also zeroes the padding. */
void rs__tensor_copy(const rs_plan *plan, const rs__tensor *t, bool plain, rs__direction direction,
                     float *inside, float *canonical, int64_t count);

/* objectives.c: what an operation's output has. Of a loss on the way they are its weight (loss.c). */
void rs__objectives_measure(rs_plan *plan, const rs__op *op);
/* Samples [first, last), in the calling thread. */
void rs__objectives_backward(const rs_plan *plan, const rs__op *op, int64_t first, int64_t last);

/* loss.c: from every sample's loss and prediction (or NULL) to what read_loss and read_layers say. */
void rs__loss_sum(rs_plan *plan, const rs__op *op, const double *losses, const int32_t *predictions);
rs_status rs__cpu_read_layers(rs_plan *plan, double *losses, double *means, rs_error *error);

/* slots.c: the node whose output is always kept: the scores, or the last node of an operator case. */
int rs__readable_node(const rs_plan *plan);

/* steps.c, update.c, slots.c, plan.c: the functions of the table */
rs_status rs__cpu_load_batch(rs_plan *plan, const rs_batch *batch, rs_error *error);
rs_status rs__cpu_load_values(rs_plan *plan, const void *values, const int32_t *labels, const void *targets,
                              int64_t count, rs_error *error);
rs_status rs__cpu_forward(rs_plan *plan, rs_mode mode, rs_error *error);
rs_status rs__cpu_backward(rs_plan *plan, rs_label_choice labels, rs_error *error);
rs_status rs__cpu_read_sensitivity(rs_plan *plan, rs_sensitivity *sensitivity, rs_error *error);
rs_status rs__cpu_read_loss(rs_plan *plan, rs_loss *loss, rs_error *error);
rs_status rs__cpu_update(rs_plan *plan, const rs_update_options *options, rs_measurement *measurement,
                         rs_error *error);
rs_status rs__cpu_read(rs_plan *plan, rs_slot slot, int index, void *values, rs_error *error);
rs_status rs__cpu_write(rs_plan *plan, rs_slot slot, int index, const void *values, rs_error *error);
rs_status rs__cpu_clear_gradient_sums(rs_plan *plan, rs_error *error);
rs_status rs__cpu_read_node(rs_plan *plan, rs_node_slot slot, int node, void *values, rs_error *error);
rs_status rs__cpu_write_gradient(rs_plan *plan, const void *values, rs_error *error);
rs_status rs__cpu_plan_create(rs_device *device, const rs_network *network, const rs_plan_options *options,
                              rs_plan **plan, rs_error *error);
void rs__cpu_plan_destroy(rs_plan *plan);
void rs__cpu_plan_bytes(const rs_plan *plan, rs_plan_bytes *bytes);
void rs__cpu_plan_print(const rs_plan *plan, FILE *stream);

/* profile.c: what is timed, by the row it fills. An operation has a row for forward and one for backward; a
 * convolution one for each of its passes. */
typedef enum rs__timed {
    RS__TIMED_FORWARD,
    RS__TIMED_BACKWARD,
    RS__TIMED_DATA,
    RS__TIMED_WEIGHTS = RS__TIMED_BACKWARD,
    RS__TIMED_AGAIN = RS__TIMED_DATA /* of what --memory lean does not keep */
} rs__timed;
double rs__timer_begin(const rs_plan *plan);
void rs__timer_end(rs_plan *plan, const rs__op *op, rs__timed what, double begin);
void rs__timer_count_batch(rs_plan *plan);
void rs__timer_end_update(rs_plan *plan, const rs_update_options *options, double begin);
rs_status rs__cpu_profile_start(rs_plan *plan, rs_error *error);
int rs__cpu_profile_rows(const rs_plan *plan, const rs_profile_row **rows);
rs_status rs__cpu_measure_peaks(rs_device *device, rs_peaks *peaks, rs_error *error);

/* update.c: the job list of the parameters. */
rs_status rs__jobs_make(rs_plan *plan, rs_error *error);

#endif
