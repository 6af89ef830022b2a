/* rs/backend.h: what trains a network: a table of functions, one per backend (ref, cpu, cuda).
 *
 * A backend makes a device; a device turns a network into a plan for given batch sizes (layouts, algorithms,
 * workspaces and arenas, all sizes known before anything is allocated); a plan then only runs:
 *
 *     load_batch -> forward -> backward -> update (measures on its way) -> read_loss
 *
 * None of these five allocates or searches. All values cross this interface in canonical order and host
 * memory (weights [out, in, kh, kw], activations [N, C, H, W]); layouts inside belong to the backend. One
 * thread uses a device and its plans, but for copy_wait. On the CPU all calls are synchronous; a GPU backend only
 * enqueues in load_batch (which waits where several batches are on their way), forward, backward, update_later,
 * copy_begin and clear_gradient_sums, and waits in load_values, update, read* and write*. What fails on the device may
 * show in a later call. */
#ifndef RS_BACKEND_H
#define RS_BACKEND_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "rs/dataset.h"
#include "rs/host.h"
#include "rs/metric.h"
#include "rs/network.h"
#include "rs/status.h"
#include "rs/tensor.h"

#define RS_BACKEND_ABI     4u
#define RS_MAX_BATCH_SIZES 4
#define RS_MOST_RESULTS    8 /* of steps that the host has not looked at yet */

typedef enum rs_capability {
    RS_CAN_F64 = 1 << 0,      /* plans in double precision */
    RS_CAN_WINOGRAD = 1 << 1, /* has a Winograd convolution on this machine */
    RS_CAN_TF32 = 1 << 2,
    RS_CAN_RUN_AHEAD = 1 << 3,   /* update_later, next_result, copies and pinned memory are there */
    RS_CAN_HOLD_IMAGES = 1 << 4, /* hold_split is there */
    RS_CAN_SEARCH = 1 << 5       /* RS_CONVOLUTION_SEARCH; plan_choices is there */
} rs_capability;

typedef enum rs_convolution_choice {
    RS_CONVOLUTION_AUTO,
    RS_CONVOLUTION_DIRECT,
    RS_CONVOLUTION_WINOGRAD,
    RS_CONVOLUTION_SEARCH /* times what the device's library has, unless `choices` has the answer */
} rs_convolution_choice;
/* What becomes of values that backward reads: all are kept, or what is cheap to compute again is not. The same bits. */
typedef enum rs_memory_choice { RS_MEMORY_FAST, RS_MEMORY_LEAN } rs_memory_choice;
typedef enum rs_optimizer_kind {
    RS_OPTIMIZER_SGD,
    RS_OPTIMIZER_ADAM,
    RS_OPTIMIZER_ADAMW,
    RS_OPTIMIZER_ADAGRAD, /* moment2: the sum of squares */
    RS_OPTIMIZER_RMSPROP /* moment2: the mean square; moment1: the momentum buffer, where there is momentum */
} rs_optimizer_kind;
typedef enum rs_mode { RS_MODE_TRAIN, RS_MODE_EVALUATE } rs_mode;

/* An objective of a layer's own: the mean of (y - target)^2 over all elements y of a node's output in the batch. Measured
 * with the mean of y in every forward pass. Backward adds weight 2 (y - target) / elements to the gradient of y.
 *
 * Of a loss node that is not the last: measured are that loss and its share of correct samples; backward also starts
 * there, from weight instead of 1. The target is not used. */
typedef struct rs_objective {
    int node; /* an operator's output, or a loss on the way: neither the input nor the last loss */
    double target;
    double weight; /* 0: only measured, and nothing else changes by a bit */
} rs_objective;

/* An edge that no gradient crosses: backward of `node` leaves its input number `input` (0 or 1) alone. */
typedef struct rs_cut {
    int node, input;
} rs_cut;

/* Whose gradient backward computes at losses with labels: of the true labels; of the network's own predictions (the
 * first largest score of each sample); or of both, added. */
typedef enum rs_label_choice { RS_LABELS_TRUE, RS_LABELS_PREDICTED, RS_LABELS_BOTH } rs_label_choice;

typedef struct rs_plan_options {
    rs_dtype dtype; /* of activations and weights; RS_F64 where the backend can */
    int batch_size_count;
    int64_t batch_sizes[RS_MAX_BATCH_SIZES]; /* every size load_batch will see, largest first, no repeats */
    rs_convolution_choice convolution;
    /* With SEARCH: plan_choices of an earlier plan, to take the same again; or NULL. Borrowed for plan_create alone. */
    const char *choices;
    rs_memory_choice memory; /* ref keeps all in both */
    bool tf32;
    uint64_t dropout_seed; /* of every dropout's masks */
    bool training;         /* false: forward only; no gradients, no optimizer state */
    float mean[RS_MAX_CHANNELS], std[RS_MAX_CHANNELS]; /* normalisation of byte images, per channel */
    rs_optimizer_kind optimizer;
    bool momentum;      /* SGD and RMSprop keep a momentum buffer */
    bool keep_initial;  /* a copy of the initial parameters, for distances to them */
    bool sum_gradients; /* accumulate gradients for their mean */
    bool keep_all; /* every node's output and output gradient stays readable (read_node); for tests and check
                    */
    bool input_gradient;            /* also the gradient of node 0; for tests and check */
    rs_metric_list metrics;         /* what update measures; count 0: no distances */
    const rs_objective *objectives; /* [objective_count], borrowed for the plan's life; never fused away */
    int objective_count;
    const rs_cut *cuts; /* [cut_count], borrowed for the plan's life */
    int cut_count;
    /* [parameter], borrowed for the plan's life, or NULL: these have no gradient, as if no loss reached them: never
     * updated, not in any norm. A batch norm with a frozen weight takes its running statistics in training, too, and
     * leaves them as they are. */
    const bool *frozen;
} rs_plan_options;

/* Bytes and choices of a plan, for --verbose and the memory check. */
typedef struct rs_plan_bytes {
    size_t parameters;  /* values, initial copy, buffers */
    size_t gradients;   /* gradients and their sums */
    size_t optimizer;   /* moments */
    size_t activations; /* outputs and output gradients */
    size_t scratch;     /* workspaces, converted weights */
} rs_plan_bytes;

typedef struct rs_update_options {
    rs_optimizer_kind optimizer;
    double learning_rate, beta1, beta2, epsilon, momentum, weight_decay;
    double alpha; /* RMSprop: decay of the mean square */
    bool nesterov;
    double clip_norm;    /* 0: no clipping. coefficient = min(1, clip_norm / (norm + 1e-6)), PyTorch's */
    bool distances;      /* fill to_initial (UNSUPPORTED without keep_initial) and to_previous */
    bool gradient_stats; /* fill gradient_abs_mean, gradient_abs_std, gradient_norms */
} rs_update_options;

/* Filled by update; arrays belong to the caller. Gradients are raw: before decay and clipping. */
typedef struct rs_measurement {
    double gradient_norm;         /* L2 over all parameters that have a gradient; always filled */
    double gradient_norm_clipped; /* after clipping; = gradient_norm without */
    double *to_initial;           /* [metric][block] */
    double *to_previous;          /* [metric][block] */
    float *gradient_abs_mean;     /* [parameter] mean of |g| */
    float *gradient_abs_std;      /* [parameter] population standard deviation of |g| */
    float *gradient_norms;        /* [parameter] L2 norm of g */
    double *layer_losses;         /* [objective] as of read_layers; NULL: not wanted */
    double *layer_means;          /* [objective] */
} rs_measurement;

typedef struct rs_loss {
    double loss;     /* of the batch, by the loss node's reduction */
    int64_t correct; /* samples whose first largest score is their label */
} rs_loss;

/* L2 norms of the gradient of the loss with respect to the input. */
typedef struct rs_sensitivity {
    double batch; /* of the whole batch's, as backward has it: of the batch's mean loss with that reduction */
    double
        sample; /* mean over samples of the norm of one sample's, of its own loss: without the factor 1 / N of a mean */
} rs_sensitivity;

/* What a plan keeps per parameter (index: parameter), except RUNNING (index: buffer). All float in canonical
 * order, but GRADIENT_SUM (double[count]) and STEP_COUNT (one int64_t). With dtype RS_F64 all are double
 * instead of float. */
typedef enum rs_slot {
    RS_SLOT_VALUE,
    RS_SLOT_GRADIENT,
    RS_SLOT_INITIAL,
    RS_SLOT_MOMENT1,
    RS_SLOT_MOMENT2,
    RS_SLOT_GRADIENT_SUM, /* sum of raw gradients since it was last written or cleared */
    RS_SLOT_RUNNING,
    RS_SLOT_STEP_COUNT, /* updates this parameter has had */
    RS_SLOTS
} rs_slot;

/* One tensor of a copy that is made while training goes on. */
typedef struct rs_copy_item {
    rs_slot slot;   /* VALUE, RUNNING, GRADIENT or GRADIENT_SUM */
    int index;      /* as of read */
    double divisor; /* of GRADIENT_SUM: float(sum / divisor) comes out, computed in double */
    void *values;   /* canonical floats, in memory from pinned_allocate; whole when copy_wait has returned */
} rs_copy_item;

typedef enum rs_node_slot { RS_NODE_OUTPUT, RS_NODE_GRADIENT } rs_node_slot;

/* Where a plan's time went: one row per operation and pass. Sums over the calls since profile_start; what
 * evaluation does (its batches, its forward passes) is left out. */
typedef struct rs_profile_row {
    const char *node;      /* its name; "" for what belongs to no node (batch, update) */
    const char *operation; /* "convolution", "batch_norm + relu", "update" */
    const char *pass;      /* "forward", "backward", "data", "weights", "again" or "" */
    int64_t calls;
    double seconds;
    double flops; /* multiplications and additions of the direct algorithm; 0 where nobody counts them */
    double bytes; /* of the tensors that its loops read and write */
} rs_profile_row;

/* What the device can do at best, measured. */
typedef struct rs_peaks {
    /* multiply-adds in f32, counted twice, in a second: of vectors in registers, or of a library's product */
    double flops;
    double bytes; /* read and written by a copy much larger than the caches, in a second */
} rs_peaks;

/* Seconds that the peaks need at least for that much work: the longer of arithmetic and memory; what is
 * unknown (0) does not count. */
double rs_peaks_seconds(const rs_peaks *peaks, double flops, double bytes);

typedef struct rs_device rs_device; /* each backend's own */
typedef struct rs_plan rs_plan;     /* each backend's own */

typedef struct rs_device_info {
    char name[128];      /* "Intel(R) Xeon(R) Processor, AVX-512" */
    char libraries[256]; /* "oneDNN 2.6.3, OpenBLAS 0.3.21" */
    int threads;         /* used; 0: a GPU, whose threads nobody counts */
    uint64_t memory_bytes, free_bytes;
    uint64_t capabilities; /* of rs_capability */
} rs_device_info;

typedef struct rs_backend {
    uint32_t abi;     /* RS_BACKEND_ABI */
    uint32_t size;    /* sizeof(rs_backend) */
    const char *name; /* "ref", "cpu", "cuda" */

    /* Whether a device can be opened here, cheaply; one line why not: UNSUPPORTED where there is no driver, DEVICE where
     * there is one all the same. NULL: always. */
    rs_status (*usable)(int device_index, rs_error *error);
    /* device_index: of several GPUs; threads: 0 for one per core that the process may use. */
    rs_status (*open)(const rs_host_services *services, int device_index, int threads, rs_device **device,
                      rs_error *error);
    void (*close)(rs_device *device); /* takes NULL; after its plans */
    void (*info)(const rs_device *device, rs_device_info *info);

    /* The network is borrowed and outlives the plan. Sizes are computed, checked against free memory (MEMORY,
     * with both numbers) and then allocated at once. Parameters are uninitialised until written. */
    rs_status (*plan_create)(rs_device *device, const rs_network *network, const rs_plan_options *options,
                             rs_plan **plan, rs_error *error);
    void (*plan_destroy)(rs_plan *plan); /* takes NULL */
    void (*plan_bytes)(const rs_plan *plan, rs_plan_bytes *bytes);
    /* One line per node: name, algorithm, layout, reorders before it; then their number. */
    void (*plan_print)(const rs_plan *plan, FILE *stream);
    /* What a search has chosen, as lines of text, borrowed. NULL without RS_CAN_SEARCH. */
    const char *(*plan_choices)(const rs_plan *plan);

    /* Normalises batch->images into node 0's layout: x = (byte / 255 - mean) / std in float32 (float64 plans:
     * of that float32 value); a batch of values is taken as it is. Sets the labels and targets; count must be one of the plan's sizes. Dropout draws by sample_ids (NULL:
     * 0, 1, 2 ..) and epoch. */
    rs_status (*load_batch)(rs_plan *plan, const rs_batch *batch, rs_error *error);
    /* The same from values: [count, C, H, W] of the plan's type; labels may be NULL without a loss that takes them,
     * targets ([count, elements of the loss's input], of the plan's type) without mean_squared_error. Samples are 0, 1,
     * 2 .. of epoch 0. */
    rs_status (*load_values)(rs_plan *plan, const void *values, const int32_t *labels, const void *targets,
                             int64_t count, rs_error *error);
    /* All nodes. TRAIN: batch statistics, running statistics updated. EVALUATE: running statistics used; the
     * same convolution algorithms. */
    rs_status (*forward)(rs_plan *plan, rs_mode mode, rs_error *error);
    /* From the loss node, or, where the last node is no loss, from the gradient given by write_gradient. Sets
     * (does not add to) the parameters' gradients. Once after a forward pass, in either mode: after EVALUATE batch norm
     * passes through its running statistics and dropout everything. */
    rs_status (*backward)(rs_plan *plan, rs_label_choice labels, rs_error *error);
    /* Of the last backward pass; with input_gradient. 0 where no loss reaches the input. Waits for the device. */
    rs_status (*read_sensitivity)(rs_plan *plan, rs_sensitivity *sensitivity, rs_error *error);
    /* Clips, updates every parameter that a loss reaches, counts its step, adds its raw gradient to the sum
     * where kept, and measures, in one pass. Losses and weights do not depend on what is measured, to the
     * bit. */
    rs_status (*update)(rs_plan *plan, const rs_update_options *options, rs_measurement *measurement,
                        rs_error *error);
    /* Of the last node alone: objectives of layers come from read_layers. */
    rs_status (*read_loss)(rs_plan *plan, rs_loss *loss, rs_error *error);
    /* [objective], either may be NULL: loss (without weight) and mean of the node's output in the last forward pass.
     * USAGE before any. */
    rs_status (*read_layers)(rs_plan *plan, double *losses, double *means, rs_error *error);

    /* Copies a slot out of, or into, the plan. UNSUPPORTED for a slot the plan does not keep. */
    rs_status (*read)(rs_plan *plan, rs_slot slot, int index, void *values, rs_error *error);
    rs_status (*write)(rs_plan *plan, rs_slot slot, int index, const void *values, rs_error *error);
    /* Zeroes the gradient sums. */
    rs_status (*clear_gradient_sums)(rs_plan *plan, rs_error *error);

    /* Output [count, C, H, W] of a node, or the gradient of the loss with respect to it; every node with
     * keep_all, else the last node before the loss (OUTPUT) and, with input_gradient, node 0 (GRADIENT). A
     * fused node (batch norm whose ReLU follows) has no output of its own: UNSUPPORTED. */
    rs_status (*read_node)(rs_plan *plan, rs_node_slot slot, int node, void *values, rs_error *error);
    /* The gradient of the last node's output, where that is no loss, before backward. [count, C, H, W] */
    rs_status (*write_gradient)(rs_plan *plan, const void *values, rs_error *error);

    /* Times every operation from now on, from zero. What is computed stays the same to the bit. MEMORY. */
    rs_status (*profile_start)(rs_plan *plan, rs_error *error);
    /* Returns the number of rows, in the order of the network; *rows [number] is borrowed until the next
     * profile_start or plan_destroy, and counts on. 0 and NULL before profile_start. */
    int (*profile_rows)(const rs_plan *plan, const rs_profile_row **rows);
    /* Sets both. Takes about half a second and 256 MiB, of a GPU's memory up to 512. UNSUPPORTED where nobody measures
     * them; MEMORY. */
    rs_status (*measure_peaks)(rs_device *device, rs_peaks *peaks, rs_error *error);

    /* --- a device that works while the host goes on: NULL without RS_CAN_RUN_AHEAD ---------------------- */
    /* As update, but what it measures, with the loss of the forward pass before it, stays in the plan until
     * next_result takes it. At most RS_MOST_RESULTS may wait there: FAILED beyond. */
    rs_status (*update_later)(rs_plan *plan, const rs_update_options *options, rs_error *error);
    /* Takes the oldest result. *taken is false when none waits or, without `wait`, when it is not there yet.
     * `measurement` has the arrays that the options of its update asked for. */
    rs_status (*next_result)(rs_plan *plan, bool wait, rs_loss *loss, rs_measurement *measurement,
                             bool *taken, rs_error *error);
    /* Copies slots as they stand now; training may go on at once. Two copies may be under way: a third waits for the
     * first. `items` is read before it returns, *ticket is for copy_wait. UNSUPPORTED for other slots, or one that the
     * plan does not keep; MEMORY. */
    rs_status (*copy_begin)(rs_plan *plan, const rs_copy_item *items, int count, uint64_t *ticket,
                            rs_error *error);
    /* Returns when that copy and those before it are whole. For any thread. */
    rs_status (*copy_wait)(rs_plan *plan, uint64_t ticket, rs_error *error);
    /* Host memory that the device copies to on its own; NULL when there is none. */
    void *(*pinned_allocate)(rs_device *device, size_t bytes);
    void (*pinned_release)(rs_device *device, void *memory); /* takes NULL; waits for copies; before close */

    /* --- images that live on the device: NULL without RS_CAN_HOLD_IMAGES -------------------------------- */
    /* Copies a split to the device, once; load_batch then takes batches of it (batch->split) by their sample_ids and
     * reads no images. The split is known by its address: it outlives the plan, unchanged. MEMORY when it does not fit:
     * batches then bring their images as ever. DATA when a label names no class. */
    rs_status (*hold_split)(rs_plan *plan, const rs_split *split, rs_error *error);
} rs_backend;

/* --- modules ------------------------------------------------------------------------------------------------
 * A backend that needs libraries which not every machine has is a shared object beside the program, or in
 * ../lib/resnet_study from it, or in $RS_MODULE_DIR, loaded when it is first asked for and never closed. It exports
 * RS_MODULE_ENTRY, which gets the program's services and returns a table, or NULL with a line why not. */
#define RS_MODULE_ENTRY "rs_backend_module"
typedef const rs_backend *(*rs_module_entry)(const rs_host_services *services, rs_error *error);
/* Why this build has no CUDA module, as its configuration found; "": it has one. */
const char *rs_without_cuda(void);
/* NAME -> the table of resnet_study_NAME.so. UNSUPPORTED with one line: not there, not loadable, of another version. */
rs_status rs_module_load(const char *name, const rs_backend **backend, rs_error *error);

/* --- registry (src/kernels/registry.c) -------------------------------------------------------------------- */
/* Backends linked in, in the order of preference; ref comes last. */
int rs_backend_count(void);
const rs_backend *rs_backend_at(int index);
/* "auto", "cpu", "cuda", "cuda:1", "ref" -> backend and device index. "auto" is a GPU where one is usable, else the CPU,
 * with a warning where there is an NVIDIA driver all the same.
 * One line why not: UNSUPPORTED (not in this build or not usable here), USAGE (unknown). */
rs_status rs_backend_select(const char *text, const rs_backend **backend, int *device_index, rs_error *error);
/* Whether "auto" takes a GPU; one line why not. */
bool rs_backend_has_gpu(rs_error *why_not);
/* Prints every backend with its device and libraries, or why it cannot be used; exit status of `devices`. */
int rs_backend_print_devices(FILE *stream);

/* The tables of the backends linked in. */
const rs_backend *rs_ref_backend(void);
const rs_backend *rs_cpu_backend(void);

#endif
