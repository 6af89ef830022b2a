/* plan.h: what the CUDA backend keeps for a network; shared by the files behind its table.
 *
 * A network becomes a list of operations (common/operations.h). Everything runs on one stream, in order; the calls of
 * the table only enqueue. Activations are NHWC floats. Memory on the device, each one allocation:
 *
 *     parameters   value | initial, then the running statistics
 *     gradients    gradient | its sum (double)
 *     optimizer    moment 1 | moment 2
 *                  all six with a parameter's elements at the same offset; the weights of convolution and linear layers
 *                  lie as [out][kh kw][in], which canonical order is not (rs_cu_order)
 *     activations  outputs and output gradients of the operations; those that never live together share bytes
 *     scratch      kept: per operation (statistics, chosen window places), tables of the update, the batch, the
 *                  results of a step; shared: what lives in one call (workspaces, values on their way)
 *
 * Work that a training step asks for (batch, forward, backward) is only noted as due until the update asks for its own:
 * then the whole step can go as one CUDA graph (graph.c). Whatever else looks at the plan catches up first. */
#ifndef RS_KERNELS_CUDA_PLAN_H
#define RS_KERNELS_CUDA_PLAN_H

#include <cublas_v2.h>
#include <cudnn.h>

#include "kernels.h"
#include "lives.h"
#include "losses.h"
#include "operations.h"
#include "profile.h"
#include "rs/backend.h"
#include "status.h"

struct rs_device {
    const rs_host_services *services;
    int index;
    struct cudaDeviceProp properties;
    char libraries[256];  /* as rs_device_info has them */
    cudaStream_t compute; /* everything, in order */
    cudaStream_t copy;    /* snapshots on their way to the host */
    cudnnHandle_t dnn;    /* on `compute` */
    cublasHandle_t blas;  /* on `compute`, with a workspace of our own */
    void *blas_workspace;
    bool sync_each; /* RS_CUDA_SYNC: waits for every operation, so that an error names it */
};

/* device.c: makes the device the calling thread's. */
rs_status rs__device_use(const rs_device *device, rs_error *error);
/* The same file: whether an environment variable is set to something else than 0; `otherwise` where it is not set. */
bool rs__asked_for(const char *variable, bool otherwise);

/* --- memory (memory.c) ------------------------------------------------------------------------------------ */

/* Bytes on the device; `what` for the error: "the activations". Not zeroed. */
rs_status rs__memory_take(const rs_device *device, size_t bytes, const char *what, void **memory,
                          rs_error *error);
/* The same, zeroed on the compute stream. */
rs_status rs__memory_take_zeroed(const rs_device *device, size_t bytes, const char *what, void **memory,
                                 rs_error *error);
void rs__memory_release(void *memory); /* takes NULL */
rs_status rs__pinned_take(size_t bytes, const char *what, void **memory, rs_error *error);
void rs__pinned_release(void *memory); /* takes NULL */
/* That may be taken: what is free but for what libraries load when their kernels first run, graphs, stacks. */
rs_status rs__memory_free_bytes(uint64_t *bytes, rs_error *error);

/* Puts parts of so many bytes behind each other, each at a multiple of 256; returns the bytes of the whole. */
size_t rs__parts_place(const size_t *bytes, int count, size_t *offsets);

/* --- tensors and parameters ------------------------------------------------------------------------------- */

/* A node's output, and its gradient. Where a convolution is the last to add to the gradient of a residual join's
 * output, its part lies in the addend, and the join's backward pass adds while it reads: one pass less. */
typedef struct rs__tensor {
    int64_t channels, height, width;
    int64_t stride;  /* floats from one position to the next: the channels, or more (padding; plan.c) */
    bool exists;     /* false: taken in by a fused operation */
    float *value;    /* NULL when nothing keeps it */
    float *again;    /* where backward reads the value: the same place, or where it is computed again */
    float *gradient; /* NULL when it is not needed */
    float *addend;   /* a part of the gradient that is left to its reader to add; NULL when there is none */
} rs__tensor;

typedef struct rs__parameter {
    int64_t count;     /* canonical elements */
    int64_t elements;  /* inside, padding included */
    size_t offset;     /* elements, into each arena; a multiple of 16 */
    rs_cu_order order; /* inside against canonical */
    bool canonical;    /* they are the same */
    bool reached;
} rs__parameter;

/* --- operations ------------------------------------------------------------------------------------------- */

typedef struct rs__op rs__op;

/* What one kind of operation does; see the cpu backend's. forward, backward and recompute only enqueue, change nothing
 * on the host, and may be captured. Optional entries may be NULL. */
typedef struct rs__op_class {
    /* Chooses algorithms; states bytes of kept and shared scratch. (optional) */
    rs_status (*prepare)(rs_plan *plan, rs__op *op, rs_error *error);
    rs_status (*forward)(rs_plan *plan, rs__op *op, rs_mode mode, rs_error *error);
    rs_status (*backward)(rs_plan *plan, rs__op *op, rs_error *error);
    /* Writes what the last forward, in training mode, wrote, to the bit. (optional) */
    rs_status (*recompute)(rs_plan *plan, rs__op *op, rs_error *error);
    void (*release)(rs__op *op);                                     /* (optional) */
    void (*describe)(const rs__op *op, char *text, size_t capacity); /* algorithm; (optional) */
    bool times_itself; /* backward has a row for each of its passes; begun before it, ended in it */
    bool needs_input, needs_second,
        needs_output; /* backward reads the values of its first input, second, output */
} rs__op_class;

struct rs__op {
    rs_operation is;
    const rs__op_class *kind;
    size_t kept_bytes, shared_bytes;
    void *kept;  /* kept_bytes of scratch */
    void *state; /* of the kind: owned */
    /* What is computed again before its backward: [first, end) of plan->again. */
    int first_again, end_again;
};

/* --- what a step brings and leaves ------------------------------------------------------------------------- */

/* LOADS: batches on their way; the host gets no further ahead, whatever results may wait. */
enum { RS__LOADS = 3, RS__HELD = 4, RS__WARM_STEPS = 2 };

/* Pinned memory through which batches go to the device. */
typedef struct rs__load {
    int64_t *ids;
    int32_t *labels;
    float *targets;
    uint8_t *bytes;
    uint32_t *epoch;
    float *values; /* of its own: taken when the first batch of values comes that the device does not hold */
    cudaEvent_t free; /* the copies out of it are done */
    bool used;
} rs__load;

/* A split that lives on the device: images or values, labels or targets, the others NULL. */
typedef struct rs__held {
    const rs_split *split;
    uint8_t *images;
    float *values; /* as node 0 has them */
    int32_t *labels;
    float *targets;
} rs__held;

/* Where the batch comes from when it is gathered. */
typedef enum rs__source { RS__FROM_BYTES, RS__FROM_VALUES, RS__FROM_HELD } rs__source;

/* What a step leaves lies together on the device, and goes to the host in one copy. */
enum { RS__RESULT_NORMS = 0, RS__RESULT_LOSS = 64, RS__RESULT_LAYERS = 128 }; /* then the sums of tensors */

/* The results of a step on the host. The last row is for calls that wait for theirs at once. */
enum { RS__WAITED_ROW = RS_MOST_RESULTS, RS__ROWS };
typedef struct rs__row {
    char *copy;         /* pinned; as plan->results */
    rs_cu_rates *rates; /* pinned: on its way to the device */
    cudaEvent_t there;
    bool distances, gradient_stats; /* were measured */
} rs__row;

/* A whole training step of one batch size, captured. */
typedef struct rs__graph {
    cudaGraphExec_t made; /* NULL: not yet */
    int warm;             /* steps of this kind that ran without it */
    rs__source source;
    const rs__held *held;
    rs_label_choice labels;
    rs_update_options options;
} rs__graph;

/* Copies of slots that go on while training does. */
enum { RS__COPIES = 2 };
typedef struct rs__copies {
    char *area[RS__COPIES]; /* on the device: canonical values, packed */
    size_t area_bytes;      /* of each */
    cudaEvent_t packed[RS__COPIES], done[RS__COPIES];
    uint64_t begun;
} rs__copies;

/* What was asked for and is not enqueued yet. */
enum { RS__DUE_BATCH = 1, RS__DUE_FORWARD = 2, RS__DUE_BACKWARD = 4 };

struct rs_plan {
    rs_device *device;         /* borrowed */
    const rs_network *network; /* borrowed */
    rs_plan_options options;
    rs_backward backward;
    rs_operations operations;
    rs_plan_bytes bytes;

    rs__tensor *tensors; /* [node] */
    rs__op *ops;         /* [op_count], in order of their outputs */
    int op_count;
    rs__lives lives; /* where tensors lie, and lives.again: operations that are computed again */

    rs__parameter *parameters; /* [parameter] */
    size_t element_count;      /* of each parameter arena, gaps included */
    float *value, *initial, *moment1, *moment2, *gradient;
    double *gradient_sum;
    float **running; /* [buffer] */

    void *parameter_memory, *gradient_memory, *optimizer_memory, *activation_memory, *scratch_memory;
    size_t running_elements, shared_bytes;
    void *shared; /* shared_bytes of scratch, for one call */

    rs_cu_update update; /* the arenas and tables of the update; its options are set per step */
    rs_cu_job *jobs;     /* on the device, as all of these */
    rs_cu_tensor *tensor_table;
    rs_cu_rates *rates;
    char *results; /* rs__result_bytes */
    int64_t *ids;
    int32_t *labels;
    float *targets;       /* [batch][target_floats], canonical */
    uint32_t *epoch;      /* of the loaded batch, for dropout */
    uint8_t *batch_bytes; /* images of a batch that brings them */
    float *table;         /* [channels][256] byte -> normalised value */
    double *losses;       /* [batch]: of a loss node; squares of gradients */
    uint8_t *hits;

    void *pinned;
    rs__load loads[RS__LOADS];
    int next_load;
    rs__row rows[RS__ROWS];
    int first_row, row_count; /* rows that nobody has taken yet */
    double rate;              /* on the device; NaN: none */
    int64_t epoch_there;      /* the same; INT64_MIN: none */

    rs__held held[RS__HELD];
    int held_count;
    rs__graph graphs[RS_MAX_BATCH_SIZES];
    bool graphs_on;
    char *choices; /* choices.c: algorithms so far, a line each */
    rs__copies copies;

    int64_t count;              /* samples of the loaded batch; 0: none */
    int size_index;             /* of that count in options.batch_sizes */
    rs__source source;          /* of the loaded batch */
    const rs__held *held_batch; /* that it is gathered from; else NULL */
    unsigned due;               /* RS__DUE_ */
    bool draws;                 /* there is dropout: batches bring numbers and epoch */
    rs_mode mode;               /* of the last forward */
    rs_label_choice labels_of;  /* of the last backward */
    int64_t target_floats;      /* of a sample; 0: no loss takes targets */
    bool labelled, targeted, ran_forward, ran_backward, has_loss;
    rs_profile profile; /* rows: profile.c */
    cudaEvent_t timer[2];
};

static inline const rs_node *rs__op_node(const rs_plan *plan, const rs__op *op)
{
    return &plan->network->nodes[op->is.node];
}

static inline int64_t rs__largest_batch(const rs_plan *plan)
{
    return plan->options.batch_sizes[0];
}

static inline int64_t rs__positions(const rs__tensor *t)
{
    return t->height * t->width;
}

/* Whether an order inside is the canonical one. */
static inline bool rs__is_canonical(const rs_cu_order *order)
{
    return order->stride == order->inner && (order->positions == 1 || order->inner == 1);
}

/* Floats of one sample, padding included. */
static inline int64_t rs__sample_floats(const rs__tensor *t)
{
    return t->stride * rs__positions(t);
}

/* Floats of an operation's output for the loaded batch. */
static inline int64_t rs__batch_floats(const rs_plan *plan, const rs__op *op)
{
    return plan->count * rs__sample_floats(&plan->tensors[op->is.output]);
}

/* States what an operation needs of the shared scratch. */
static inline void rs__share_at_least(rs__op *op, size_t bytes)
{
    op->shared_bytes = bytes > op->shared_bytes ? bytes : op->shared_bytes;
}

/* A parameter's elements in an arena of floats; NULL for parameter -1. */
static inline float *rs__parameter_at(const rs_plan *plan, float *arena, int parameter)
{
    return parameter < 0 ? NULL : arena + plan->parameters[parameter].offset;
}

/* Not parameter -1, not frozen, and a loss reaches it. */
static inline bool rs__has_gradient(const rs_plan *plan, int parameter)
{
    return parameter >= 0 && plan->parameters[parameter].reached;
}

/* Where a parameter's gradient goes; NULL where it has none. */
static inline float *rs__gradient_at(const rs_plan *plan, int parameter)
{
    return rs__has_gradient(plan, parameter) ? rs__parameter_at(plan, plan->gradient, parameter) : NULL;
}

/* device.c: the device part of the table. */
rs_status rs__cuda_usable(int device_index, rs_error *error);
rs_status rs__cuda_open(const rs_host_services *services, int device_index, int threads, rs_device **device,
                        rs_error *error);
void rs__cuda_close(rs_device *device);
void rs__cuda_info(const rs_device *device, rs_device_info *info);
void *rs__cuda_pinned_allocate(rs_device *device, size_t bytes);
void rs__cuda_pinned_release(rs_device *device, void *memory);

/* operators: one class per kind of node. classes.c: NULL for a kind that has none. */
extern const rs__op_class rs__op_convolution, rs__op_batch_norm, rs__op_relu, rs__op_softplus, rs__op_sigmoid,
    rs__op_tanh, rs__op_softmax, rs__op_row_normalize, rs__op_flatten, rs__op_repeat, rs__op_dropout,
    rs__op_add, rs__op_divide, rs__op_matrix_product, rs__op_max_pool, rs__op_average_pool,
    rs__op_global_pool, rs__op_linear, rs__op_cross_entropy, rs__op_squared_error;
const rs__op_class *rs__class_of(rs_op_kind kind);

/* plan.c */
rs_status rs__cuda_plan_create(rs_device *device, const rs_network *network, const rs_plan_options *options,
                               rs_plan **plan, rs_error *error);
void rs__cuda_plan_destroy(rs_plan *plan);
void rs__cuda_plan_bytes(const rs_plan *plan, rs_plan_bytes *bytes);
/* The node whose output is always kept: the scores, or the last node of an operator case. */
int rs__readable_node(const rs_plan *plan);
/* arenas.c: sizes, the check against free memory, then the memory itself and what it starts with. */
rs_status rs__arenas_make(rs_plan *plan, rs_error *error);
void rs__arenas_release(rs_plan *plan);
/* convolution_trial.c: runs what was chosen for convolutions, in the arenas; *refused: something failed, and the choice
 * is to be made again without it. Leaves no number in the activations. */
rs_status rs__convolutions_try(rs_plan *plan, bool *refused, rs_error *error);
rs_status rs__convolutions_choose_again(rs_plan *plan, rs_error *error);
/* A warning for each algorithm that was refused, when the plan has found others. */
void rs__convolutions_tell(const rs_plan *plan);
/* update.c: the tables of the update, [parameter] and [job], as they start. */
int rs__jobs_count(const rs_plan *plan);
rs_status rs__update_prepare(rs_plan *plan, rs_error *error);
/* results.c: rows of pinned memory and their events, and those of batches. */
rs_status rs__rows_make(rs_plan *plan, rs_error *error);
void rs__rows_release(rs_plan *plan);
/* print.c */
void rs__cuda_plan_print(const rs_plan *plan, FILE *stream);
const char *rs__cuda_plan_choices(const rs_plan *plan);
/* choices.c: takes over options.choices. */
rs_status rs__choices_begin(rs_plan *plan, rs_error *error);

/* batch.c */
rs_status rs__cuda_load_batch(rs_plan *plan, const rs_batch *batch, rs_error *error);
rs_status rs__cuda_load_values(rs_plan *plan, const void *values, const int32_t *labels, const void *targets,
                               int64_t count, rs_error *error);
/* Bytes of one image of a batch; 0 where the network takes none. */
size_t rs__image_bytes(const rs_plan *plan);
rs_status rs__check_images(const rs_plan *plan, rs_error *error);
rs_status rs__check_labels(const rs_plan *plan, const int32_t *labels, int64_t count, rs_error *error);
rs_status rs__check_targets(const rs_plan *plan, const float *targets, rs_error *error);
rs_status rs__to_device(const rs_plan *plan, void *to, const void *from, size_t bytes, rs_error *error);
/* The order of node 0's values for so many samples. */
rs_cu_order rs__input_order(const rs_plan *plan, int64_t count);
/* The loaded batch as floats in node 0, with labels and targets: enqueues. */
rs_status rs__batch_gather(rs_plan *plan, rs_error *error);

/* held.c */
rs_status rs__cuda_hold_split(rs_plan *plan, const rs_split *split, rs_error *error);
const rs__held *rs__held_find(const rs_plan *plan, const rs_split *split); /* or NULL */
void rs__held_release(rs_plan *plan);

/* steps.c */
rs_status rs__cuda_forward(rs_plan *plan, rs_mode mode, rs_error *error);
rs_status rs__cuda_backward(rs_plan *plan, rs_label_choice labels, rs_error *error);
rs_status rs__cuda_read_loss(rs_plan *plan, rs_loss *loss, rs_error *error);
/* Enqueues what is due; catch_up then forgets it. */
rs_status rs__run_due(rs_plan *plan, rs_error *error);
rs_status rs__catch_up(rs_plan *plan, rs_error *error);
/* catch_up, then waits for the device. */
rs_status rs__settle(rs_plan *plan, rs_error *error);

/* update.c */
rs_status rs__cuda_update(rs_plan *plan, const rs_update_options *options, rs_measurement *measurement,
                          rs_error *error);
rs_status rs__cuda_update_later(rs_plan *plan, const rs_update_options *options, rs_error *error);
/* Enqueues the kernels of an update; rates are on the device. */
rs_status rs__update_run(rs_plan *plan, const rs_update_options *options, rs_error *error);

/* results.c */
rs_status rs__cuda_next_result(rs_plan *plan, bool wait, rs_loss *loss, rs_measurement *measurement,
                               bool *taken, rs_error *error);
/* Where the sums of every tensor begin in plan->results. */
size_t rs__result_sums(const rs_plan *plan);
/* Of plan->results; `measured`: with the sums of every tensor. */
size_t rs__result_bytes(const rs_plan *plan, bool measured);
/* Enqueues the copy of the step's results to a row; its event says when it is there. */
rs_status rs__row_send(rs_plan *plan, rs__row *row, const rs_update_options *options, rs_error *error);
/* What a row says, once it is there. */
rs_status rs__row_finish(const rs_plan *plan, const rs__row *row, rs_loss *loss, rs_measurement *measurement,
                         rs_error *error);

/* objectives.c: of an operation's output; enqueues. */
rs_status rs__objectives_measure(rs_plan *plan, const rs__op *op, rs_error *error);
rs_status rs__objectives_backward(const rs_plan *plan, const rs__op *op, rs_error *error);
/* Of a loss node: place number `index` of those where its value goes: -1 the step's loss, then the layers of the
 * objectives. False: not there. */
bool rs__loss_out(const rs_plan *plan, const rs__op *op, int index, rs_cu_loss_out *out);
rs_status rs__cuda_read_layers(rs_plan *plan, double *losses, double *means, rs_error *error);
size_t rs__objectives_shared_bytes(const rs_plan *plan);

/* sensitivity.c */
rs_status rs__cuda_read_sensitivity(rs_plan *plan, rs_sensitivity *sensitivity, rs_error *error);

/* graph.c: runs the whole step that is due, update included, as a graph: *done. Not done: not yet, or never; then it is
 * to be enqueued piece by piece. */
rs_status rs__graph_step(rs_plan *plan, const rs_update_options *options, bool *done, rs_error *error);
void rs__graphs_release(rs_plan *plan);

/* slots.c */
rs_status rs__cuda_read(rs_plan *plan, rs_slot slot, int index, void *values, rs_error *error);
rs_status rs__cuda_write(rs_plan *plan, rs_slot slot, int index, const void *values, rs_error *error);
rs_status rs__cuda_clear_gradient_sums(rs_plan *plan, rs_error *error);
rs_status rs__cuda_read_node(rs_plan *plan, rs_node_slot slot, int node, void *values, rs_error *error);
rs_status rs__cuda_write_gradient(rs_plan *plan, const void *values, rs_error *error);
/* Where a slot of one parameter or buffer lies. */
typedef struct rs__place {
    void *at;          /* on the device */
    int64_t count;     /* canonical elements */
    size_t element;    /* bytes of one */
    rs_cu_order order; /* unless canonical */
    bool canonical;
} rs__place;
/* UNSUPPORTED for a slot the plan does not keep. */
rs_status rs__slot_place(const rs_plan *plan, rs_slot slot, int index, rs__place *place, rs_error *error);
/* Bytes of shared scratch that reading and writing of slots, batches and nodes pass through. */
size_t rs__staging_bytes(const rs_plan *plan);

/* copies.c */
rs_status rs__cuda_copy_begin(rs_plan *plan, const rs_copy_item *items, int count, uint64_t *ticket,
                              rs_error *error);
rs_status rs__cuda_copy_wait(rs_plan *plan, uint64_t ticket, rs_error *error);
/* Device memory that the first copy takes. */
size_t rs__copies_bytes(const rs_plan *plan);
void rs__copies_release(rs_plan *plan);

/* profile.c: what is timed, by the row it fills. An operation has a row for forward and one for backward; a
 * convolution one for each of its passes. Off, begin and end do nothing; on, begin holds the device until end, which
 * waits for it. */
typedef enum rs__timed { RS__TIMED_FORWARD, RS__TIMED_BACKWARD, RS__TIMED_DATA } rs__timed;
#define RS__TIMED_WEIGHTS RS__TIMED_BACKWARD
#define RS__TIMED_AGAIN   RS__TIMED_DATA /* of what --memory lean does not keep */
rs_status rs__timer_begin(rs_plan *plan, rs_error *error);
rs_status rs__timer_end(rs_plan *plan, const rs__op *op, rs__timed what, rs_error *error);
rs_status rs__timer_end_batch(rs_plan *plan, rs_error *error);
rs_status rs__timer_end_update(rs_plan *plan, rs_error *error);
void rs__timer_release(rs_plan *plan);
rs_status rs__cuda_profile_start(rs_plan *plan, rs_error *error);
int rs__cuda_profile_rows(const rs_plan *plan, const rs_profile_row **rows);
rs_status rs__cuda_measure_peaks(rs_device *device, rs_peaks *peaks, rs_error *error);

#endif
