/* plan.h: what the reference backend keeps for a network; shared by the files behind its table.
 *
 * Four arenas, each one allocation, tensors in order of their index, every tensor at a multiple of 64 bytes:
 *     parameters   value of each parameter | running statistics | initial value of each
 *     gradients    gradient of each parameter | sum of gradients (double)
 *     optimizer    moment 1 of each | moment 2 of each
 *     activations  output of each node | its gradient | batch-norm statistics of each node (double)
 * and scratch. Nothing is fused, no buffer is used twice: every node stays readable. */
#ifndef RS_REF_PLAN_H
#define RS_REF_PLAN_H

#include "losses.h"
#include "measure.h"
#include "objectives.h"
#include "operators.h"
#include "profile.h"

struct rs_device {
    const rs_host_services *services;
    int threads;
};

/* Tensors of one parameter; NULL for what the plan does not keep. */
typedef struct ref_parameter {
    void *value, *initial, *gradient, *moment1, *moment2;
    double *gradient_sum;
    int64_t steps; /* updates it has had */
} ref_parameter;

struct rs_plan {
    rs_device *device;         /* borrowed */
    const rs_network *network; /* borrowed */
    rs_plan_options options;
    const ref_table *table;
    rs_backward backward;
    void *arena[4], *scratch;
    rs_plan_bytes bytes;

    ref_parameter *parameters; /* [parameter] */
    void **running;            /* [buffer] */
    void **outputs;            /* [node] [largest batch, C, H, W] */
    void **gradients;          /* [node] of its output; all NULL without training */
    double **saved;            /* [node] batch norm: [2 C] */

    int32_t *labels;     /* [largest batch] */
    void *targets;       /* [largest batch, target_size] */
    int64_t target_size; /* numbers of a sample's target; 0: no loss takes any */
    int64_t *ids;        /* [largest batch] the samples' numbers, which dropout draws by */
    uint32_t epoch;
    rs_loss *losses;    /* [node] of loss nodes, of the last forward */
    double *samples;    /* [largest batch] a number for each sample: of a loss, of the input's gradient */
    double *shared;     /* scratch of operators */
    double *per_thread; /* `threads` pieces of scratch_stride */
    size_t scratch_stride;
    void *before;                    /* a parameter's value before its update: [largest parameter] */
    rs_difference_sums *differences; /* [parameter][2]: to the initial, to the previous state */
    rs_gradient_sums *gradient_sums; /* [parameter] */
    rs_layer_value *layers;          /* [objective] of the last forward */

    int64_t count; /* samples of the batch that is loaded; 0: none */
    rs_mode mode;  /* of the last forward */
    bool labelled, targeted, ran_forward, ran_backward;
    rs_profile profile; /* rows: batch, then forward and backward of each node, then update */
};

/* profile.c */
rs_status ref_profile_start(rs_plan *plan, rs_error *error);
int ref_profile_rows(const rs_plan *plan, const rs_profile_row **rows);
rs_status ref_measure_peaks(rs_device *device, rs_peaks *peaks, rs_error *error);
enum { REF_BATCH_ROW = 0 };
static inline int ref_forward_row(int node)
{
    return 2 * node - 1;
}
static inline int ref_backward_row(int node)
{
    return 2 * node;
}
static inline int ref_update_row(const rs_plan *plan)
{
    return 2 * plan->network->node_count - 1;
}

/* batch.c */
rs_status ref_load_batch(rs_plan *plan, const rs_batch *batch, rs_error *error);
rs_status ref_load_values(rs_plan *plan, const void *values, const int32_t *labels, const void *targets,
                          int64_t count, rs_error *error);

/* steps.c */
rs_status ref_forward(rs_plan *plan, rs_mode mode, rs_error *error);
rs_status ref_backward(rs_plan *plan, rs_label_choice labels, rs_error *error);
rs_status ref_read_loss(rs_plan *plan, rs_loss *loss, rs_error *error);
rs_status ref_read_sensitivity(rs_plan *plan, rs_sensitivity *sensitivity, rs_error *error);

/* objectives.c: of one node */
void ref_objectives_measure(rs_plan *plan, int node);
void ref_objectives_backward(rs_plan *plan, int node);
rs_status ref_read_layers(rs_plan *plan, double *losses, double *means, rs_error *error);

/* update.c */
rs_status ref_update(rs_plan *plan, const rs_update_options *options, rs_measurement *measurement,
                     rs_error *error);

/* plan.c */
rs_status ref_plan_create(rs_device *device, const rs_network *network, const rs_plan_options *options,
                          rs_plan **plan, rs_error *error);
void ref_plan_destroy(rs_plan *plan);
void ref_plan_bytes(const rs_plan *plan, rs_plan_bytes *bytes);
void ref_plan_print(const rs_plan *plan, FILE *stream);

/* slots.c */
rs_status ref_read(rs_plan *plan, rs_slot slot, int index, void *values, rs_error *error);
rs_status ref_write(rs_plan *plan, rs_slot slot, int index, const void *values, rs_error *error);
rs_status ref_clear_gradient_sums(rs_plan *plan, rs_error *error);
rs_status ref_read_node(rs_plan *plan, rs_node_slot slot, int node, void *values, rs_error *error);
rs_status ref_write_gradient(rs_plan *plan, const void *values, rs_error *error);

/* device.c */

#endif
