/* planted_faults.c: see planted_faults.h. */
#include "planted_faults.h"

#include <math.h>
#include <string.h>

rs_backend planted_backend;
static int calls;               /* of the replaced function, for faults that come and go */
static int64_t loaded;          /* samples of the last load_values */
static const rs_network *built; /* of the last plan */
static rs_dtype dtype;

static const rs_backend *real(void)
{
    return rs_ref_backend();
}

/* Element i of values in the plan's type. */
static double get(const void *values, int64_t i)
{
    return dtype == RS_F64 ? ((const double *)values)[i] : (double)((const float *)values)[i];
}

static void set(void *values, int64_t i, double value)
{
    if (dtype == RS_F64) {
        ((double *)values)[i] = value;
    } else {
        ((float *)values)[i] = (float)value;
    }
}

static int64_t node_count(int node)
{
    const int64_t *shape = built->nodes[node].shape;
    return loaded * shape[0] * shape[1] * shape[2];
}

static rs_status remember_plan(rs_device *device, const rs_network *network, const rs_plan_options *options,
                               rs_plan **plan, rs_error *error)
{
    built = network;
    dtype = options->dtype;
    return real()->plan_create(device, network, options, plan, error);
}

static rs_status remember_load(rs_plan *plan, const void *values, const int32_t *labels, const void *targets,
                               int64_t count, rs_error *error)
{
    loaded = count;
    return real()->load_values(plan, values, labels, targets, count, error);
}

/* --- faults in what is read: the result comes out right and is then spoiled -------------------------------- */

static int target_slot; /* rs_slot of `read`, or rs_node_slot of `read_node` */
static void (*spoil)(void *values, int64_t count);

static void flip_sign(void *values, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        set(values, i, -get(values, i));
    }
}

static void flip_one_sign(void *values, int64_t count)
{
    set(values, count / 2, -get(values, count / 2));
}

static void drop_last(void *values, int64_t count)
{
    set(values, count - 1, 0.0);
}

static void shift_by_one(void *values, int64_t count)
{
    size_t size = rs_dtype_size(dtype);
    memmove(values, (char *)values + size, (size_t)(count - 1) * size);
}

static void put_nan(void *values, int64_t count)
{
    set(values, count - 1, (double)NAN);
}

static void put_infinity(void *values, int64_t count)
{
    set(values, 0, (double)INFINITY);
    (void)count;
}

static void double_all(void *values, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        set(values, i, 2.0 * get(values, i));
    }
}

static void lose_digits(void *values, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        set(values, i, get(values, i) * (1.0 + 1e-4 * (double)(i % 2)));
    }
}

/* The smallest change there is. */
static void move_one_ulp(void *values, int64_t count)
{
    float *last = &((float *)values)[count - 1];
    if (dtype == RS_F32) {
        *last = nextafterf(*last, 1e9F);
    }
}

/* Only every third time: two runs differ. */
static void move_one_ulp_at_times(void *values, int64_t count)
{
    if (calls++ % 3 == 0) { /* no divisor of the gradients read in a run */
        move_one_ulp(values, count);
    }
}

static void write_behind(void *values, int64_t count)
{
    set(values, count, 0.0);
}

static void write_before(void *values, int64_t count)
{
    (void)count;
    ((unsigned char *)values)[-1] = 0;
}

/* Results of the first sample in place of the last one's. */
static void repeat_first_sample(void *values, int64_t count)
{
    size_t bytes = (size_t)(count / loaded) * rs_dtype_size(dtype);
    memcpy((char *)values + (size_t)(loaded - 1) * bytes, values, loaded > 1 ? bytes : 0);
}

static rs_status spoiled_read(rs_plan *plan, rs_slot slot, int index, void *values, rs_error *error)
{
    RS_TRY(real()->read(plan, slot, index, values, error));
    if ((int)slot == target_slot) {
        spoil(values, slot == RS_SLOT_RUNNING ? built->buffers[index].count : built->parameters[index].count);
    }
    return RS_OK;
}

static rs_status spoiled_read_node(rs_plan *plan, rs_node_slot slot, int node, void *values, rs_error *error)
{
    RS_TRY(real()->read_node(plan, slot, node, values, error));
    if ((int)slot == target_slot) {
        spoil(values, node_count(node));
    }
    return RS_OK;
}

/* --- faults in what is done ---------------------------------------------------------------------------------- */

static rs_status forward_always_trains(rs_plan *plan, rs_mode mode, rs_error *error)
{
    (void)mode;
    return real()->forward(plan, RS_MODE_TRAIN, error);
}

static rs_status forward_never_trains(rs_plan *plan, rs_mode mode, rs_error *error)
{
    (void)mode;
    return real()->forward(plan, RS_MODE_EVALUATE, error);
}

static rs_status backward_not_at_all(rs_plan *plan, rs_label_choice labels, rs_error *error)
{
    (void)labels;
    (void)plan;
    (void)error;
    return RS_OK;
}

static rs_status backward_fails(rs_plan *plan, rs_label_choice labels, rs_error *error)
{
    (void)labels;
    (void)plan;
    return RS_FAIL(error, RS_DEVICE, "made to fail");
}

static rs_status wrong_loss(rs_plan *plan, rs_loss *loss, rs_error *error)
{
    RS_TRY(real()->read_loss(plan, loss, error));
    loss->loss *= 1.001;
    return RS_OK;
}

static rs_status wrong_layers(rs_plan *plan, double *losses, double *means, rs_error *error)
{
    RS_TRY(real()->read_layers(plan, losses, means, error));
    means[0] += 0.001;
    return RS_OK;
}

static rs_status wrong_correct(rs_plan *plan, rs_loss *loss, rs_error *error)
{
    RS_TRY(real()->read_loss(plan, loss, error));
    loss->correct++;
    return RS_OK;
}

/* --- faults in what a plan is told ----------------------------------------------------------------------------- */

static rs_cut other_cuts[RS_CHECK_CUTS];
static rs_objective other_objectives[RS_CHECK_OBJECTIVES];

static rs_status plan_changed(rs_device *device, const rs_network *network, rs_plan_options changed,
                              rs_plan **plan, rs_error *error)
{
    return remember_plan(device, network, &changed, plan, error);
}

static rs_status plan_without_cuts(rs_device *device, const rs_network *network,
                                   const rs_plan_options *options, rs_plan **plan, rs_error *error)
{
    rs_plan_options changed = *options;
    changed.cut_count = 0;
    return plan_changed(device, network, changed, plan, error);
}

/* Cuts the other edge of an operator of two. */
static rs_status plan_with_other_cuts(rs_device *device, const rs_network *network,
                                      const rs_plan_options *options, rs_plan **plan, rs_error *error)
{
    rs_plan_options changed = *options;
    for (int i = 0; i < options->cut_count; i++) {
        other_cuts[i] = (rs_cut){options->cuts[i].node, 1 - options->cuts[i].input};
    }
    changed.cuts = other_cuts;
    return plan_changed(device, network, changed, plan, error);
}

static rs_status plan_without_frozen(rs_device *device, const rs_network *network,
                                     const rs_plan_options *options, rs_plan **plan, rs_error *error)
{
    rs_plan_options changed = *options;
    changed.frozen = NULL;
    return plan_changed(device, network, changed, plan, error);
}

/* Objectives count half of what they should. */
static rs_status plan_with_half_objectives(rs_device *device, const rs_network *network,
                                           const rs_plan_options *options, rs_plan **plan, rs_error *error)
{
    rs_plan_options changed = *options;
    for (int i = 0; i < options->objective_count; i++) {
        other_objectives[i] = options->objectives[i];
        other_objectives[i].weight *= 0.5;
    }
    changed.objectives = other_objectives;
    return plan_changed(device, network, changed, plan, error);
}

static rs_mode last_mode;
static rs_status forward_remembered(rs_plan *plan, rs_mode mode, rs_error *error)
{
    last_mode = mode;
    return real()->forward(plan, mode, error);
}

/* After evaluation the gradients are those of training; what was read before is right. */
static rs_status backward_of_training(rs_plan *plan, rs_label_choice labels, rs_error *error)
{
    if (last_mode == RS_MODE_EVALUATE) {
        RS_TRY(real()->forward(plan, RS_MODE_TRAIN, error));
    }
    RS_TRY(real()->backward(plan, labels, error));
    return last_mode == RS_MODE_EVALUATE ? real()->forward(plan, RS_MODE_EVALUATE, error) : RS_OK;
}

static rs_status backward_of_true_labels(rs_plan *plan, rs_label_choice labels, rs_error *error)
{
    (void)labels;
    return real()->backward(plan, RS_LABELS_TRUE, error);
}

static rs_status backward_of_one_choice(rs_plan *plan, rs_label_choice labels, rs_error *error)
{
    return real()->backward(plan, labels == RS_LABELS_BOTH ? RS_LABELS_PREDICTED : labels, error);
}

static rs_status wrong_sensitivity(rs_plan *plan, rs_sensitivity *sensitivity, rs_error *error)
{
    RS_TRY(real()->read_sensitivity(plan, sensitivity, error));
    sensitivity->sample = sensitivity->batch;
    return RS_OK;
}

/* The loss of a head is worth what its objective says: the mean as if it were the sum. */
static rs_status wrong_head(rs_plan *plan, double *losses, double *means, rs_error *error)
{
    RS_TRY(real()->read_layers(plan, losses, means, error));
    losses[0] *= (double)loaded;
    return RS_OK;
}

/* The first number of the first target is another one. */
static rs_status load_other_targets(rs_plan *plan, const void *values, const int32_t *labels,
                                    const void *targets, int64_t count, rs_error *error)
{
    double first = get(targets, 0);
    loaded = count;
    set((void *)targets, 0, first + 0.01);
    rs_status status = real()->load_values(plan, values, labels, targets, count, error);
    set((void *)targets, 0, first);
    return status;
}

/* --- faults in updates ------------------------------------------------------------------------------------------ */

static rs_status update_with_other_alpha(rs_plan *plan, const rs_update_options *options,
                                         rs_measurement *measurement, rs_error *error)
{
    rs_update_options changed = *options;
    changed.alpha = 1.0 - options->alpha;
    return real()->update(plan, &changed, measurement, error);
}

static rs_status update_without_momentum(rs_plan *plan, const rs_update_options *options,
                                         rs_measurement *measurement, rs_error *error)
{
    rs_update_options changed = *options;
    changed.momentum = 0.0;
    return real()->update(plan, &changed, measurement, error);
}

static rs_status update_with_large_epsilon(rs_plan *plan, const rs_update_options *options,
                                           rs_measurement *measurement, rs_error *error)
{
    rs_update_options changed = *options;
    changed.epsilon = 1e-4;
    return real()->update(plan, &changed, measurement, error);
}

static rs_status update_without_decay(rs_plan *plan, const rs_update_options *options,
                                      rs_measurement *measurement, rs_error *error)
{
    rs_update_options changed = *options;
    changed.weight_decay = 0.0;
    return real()->update(plan, &changed, measurement, error);
}

static rs_status update_without_clipping(rs_plan *plan, const rs_update_options *options,
                                         rs_measurement *measurement, rs_error *error)
{
    rs_update_options changed = *options;
    changed.clip_norm = 0.0;
    return real()->update(plan, &changed, measurement, error);
}

static rs_status update_without_nesterov(rs_plan *plan, const rs_update_options *options,
                                         rs_measurement *measurement, rs_error *error)
{
    rs_update_options changed = *options;
    changed.nesterov = false;
    return real()->update(plan, &changed, measurement, error);
}

/* Measuring must not change what is stored. */
static rs_status update_otherwise_when_measured(rs_plan *plan, const rs_update_options *options,
                                                rs_measurement *measurement, rs_error *error)
{
    rs_update_options changed = *options;
    changed.learning_rate *= options->distances ? 1.0 + 1e-6 : 1.0;
    return real()->update(plan, &changed, measurement, error);
}

static rs_status swapped_distances(rs_plan *plan, const rs_update_options *options,
                                   rs_measurement *measurement, rs_error *error)
{
    RS_TRY(real()->update(plan, options, measurement, error));
    double kept = measurement->to_initial[0];
    measurement->to_initial[0] = measurement->to_initial[1];
    measurement->to_initial[1] = options->distances ? kept : measurement->to_initial[1];
    return RS_OK;
}

static rs_status norm_without_a_parameter(rs_plan *plan, const rs_update_options *options,
                                          rs_measurement *measurement, rs_error *error)
{
    RS_TRY(real()->update(plan, options, measurement, error));
    double part = options->gradient_stats ? (double)measurement->gradient_norms[0] : 0.0;
    measurement->gradient_norm = sqrt(measurement->gradient_norm * measurement->gradient_norm - part * part);
    return RS_OK;
}

static rs_status uncounted_step(rs_plan *plan, rs_slot slot, int index, void *values, rs_error *error)
{
    RS_TRY(real()->read(plan, slot, index, values, error));
    if (slot == RS_SLOT_STEP_COUNT) {
        --*(int64_t *)values;
    }
    return RS_OK;
}

/* --- the faults ------------------------------------------------------------------------------------------ */

#define READ(name, filter, slot, how)                                                                        \
    {                                                                                                        \
        name, filter, {.read = spoiled_read}, slot, how                                                      \
    }
#define READ_NODE(name, filter, slot, how)                                                                   \
    {                                                                                                        \
        name, filter, {.read_node = spoiled_read_node}, slot, how                                            \
    }

const planted_fault planted_faults[] = {
    READ("gradient of the other sign", "conv_17_channels", RS_SLOT_GRADIENT, flip_sign),
    READ("one gradient of the other sign", "conv_tall_stride2", RS_SLOT_GRADIENT, flip_one_sign),
    READ("last gradient dropped", "conv_5x5_bias", RS_SLOT_GRADIENT, drop_last),
    READ("gradient shifted", "linear_128_10", RS_SLOT_GRADIENT, shift_by_one),
    READ("gradient of two passes added", "linear_exact", RS_SLOT_GRADIENT, double_all),
    READ("gradient to four digits", "conv_1x1_stride2_odd", RS_SLOT_GRADIENT, lose_digits),
    READ("gradient NaN", "bn_17_7x5", RS_SLOT_GRADIENT, put_nan),
    READ("running statistics off", "bn_17_7x5", RS_SLOT_RUNNING, lose_digits),
    READ("write behind a buffer", "conv_wide", RS_SLOT_GRADIENT, write_behind),
    READ("write before a buffer", "conv_wide", RS_SLOT_GRADIENT, write_before),
    READ("one unit in a sum of integers", "conv_exact_stride2_odd", RS_SLOT_GRADIENT, move_one_ulp),
    READ("bits that come and go", "conv_bias_17", RS_SLOT_GRADIENT, move_one_ulp_at_times),
    READ("weights one unit off", "update_momentum", RS_SLOT_VALUE, move_one_ulp),
    READ("moments one unit off", "update_adamw", RS_SLOT_MOMENT2, move_one_ulp),
    READ("sum of gradients off", "update_sgd_decay_clip", RS_SLOT_GRADIENT_SUM, double_all),
    READ_NODE("output infinite", "max_pool_odd", RS_NODE_OUTPUT, put_infinity),
    READ_NODE("output shifted", "max_pool_odd", RS_NODE_OUTPUT, shift_by_one),
    READ_NODE("last output dropped", "relu_exact", RS_NODE_OUTPUT, drop_last),
    READ_NODE("one sample for another", "global_average_pool_odd", RS_NODE_OUTPUT, repeat_first_sample),
    READ_NODE("input gradient of the other sign", "average_pool_odd", RS_NODE_GRADIENT, flip_sign),
    READ_NODE("last input gradient dropped", "add_exact_twice_the_same", RS_NODE_GRADIENT, drop_last),
    READ_NODE("input gradient twice", "residual_block", RS_NODE_GRADIENT, double_all),
    {"evaluation as training", "bn_17_7x5", {.forward = forward_always_trains}, 0, NULL},
    {"training as evaluation", "bn_17_7x5", {.forward = forward_never_trains}, 0, NULL},
    {"no backward pass", "conv_one_channel", {.backward = backward_not_at_all}, 0, NULL},
    {"failing backward pass", "conv_one_channel", {.backward = backward_fails}, 0, NULL},
    {"wrong loss", "loss_10", {.read_loss = wrong_loss}, 0, NULL},
    {"one more correct", "loss_10", {.read_loss = wrong_correct}, 0, NULL},
    {"wrong mean of a layer", "layer_of_conv", {.read_layers = wrong_layers}, 0, NULL},
    READ("gradient behind sigmoids to four digits", "sigmoid_mlp", RS_SLOT_GRADIENT, lose_digits),
    READ("gradient behind tanh of the other sign", "tanh_mlp", RS_SLOT_GRADIENT, flip_sign),
    READ_NODE("softmax shifted", "softmax_maps", RS_NODE_OUTPUT, shift_by_one),
    READ_NODE("row of another sample", "row_normalize_64_4x4", RS_NODE_OUTPUT, repeat_first_sample),
    READ_NODE("last of a flat vector dropped", "flatten_exact_vector", RS_NODE_OUTPUT, drop_last),
    READ_NODE("sum over repeats without one", "repeat_rows_exact", RS_NODE_GRADIENT, drop_last),
    READ_NODE("quotient of the other sign", "divide_vectors", RS_NODE_OUTPUT, flip_one_sign),
    READ_NODE("one unit in a product of integers", "product_exact_same", RS_NODE_OUTPUT, move_one_ulp),
    READ_NODE("product's gradient twice", "product_of_oblongs", RS_NODE_GRADIENT, double_all),
    {"evaluation's gradients as training's",
     "dropout_17_7x5",
     {.forward = forward_remembered, .backward = backward_of_training},
     0,
     NULL},
    {"no gradient over a cut kept", "cut_in_a_chain", {.plan_create = plan_without_cuts}, 0, NULL},
    {"a cut of the other summand", "cut_of_a_shortcut", {.plan_create = plan_with_other_cuts}, 0, NULL},
    {"frozen weights with gradients", "frozen_conv", {.plan_create = plan_without_frozen}, 0, NULL},
    {"a frozen norm in training", "frozen_norm_weight", {.plan_create = plan_without_frozen}, 0, NULL},
    {"a head that counts half", "head_beside_the_loss", {.plan_create = plan_with_half_objectives}, 0, NULL},
    {"a head's sum for its mean", "head_beside_the_loss", {.read_layers = wrong_head}, 0, NULL},
    {"wrong loss of a sum", "loss_sum", {.read_loss = wrong_loss}, 0, NULL},
    {"wrong loss of squares", "squares_of_maps", {.read_loss = wrong_loss}, 0, NULL},
    {"targets off by a number", "squares_10", {.load_values = load_other_targets}, 0, NULL},
    {"true labels for predicted", "labels_predicted", {.backward = backward_of_true_labels}, 0, NULL},
    {"one choice of labels for both", "labels_both", {.backward = backward_of_one_choice}, 0, NULL},
    {"one sensitivity for the other", "loss_of_linear", {.read_sensitivity = wrong_sensitivity}, 0, NULL},
    {"another alpha", "update_rmsprop", {.update = update_with_other_alpha}, 0, NULL},
    {"RMSprop without momentum", "update_rmsprop_momentum", {.update = update_without_momentum}, 0, NULL},
    {"another epsilon", "update_adagrad", {.update = update_with_large_epsilon}, 0, NULL},
    READ("sums of squares one unit off", "update_adagrad", RS_SLOT_MOMENT2, move_one_ulp),
    {"frozen weights that move", "update_frozen", {.plan_create = plan_without_frozen}, 0, NULL},
    {"no decay", "update_nesterov_decay", {.update = update_without_decay}, 0, NULL},
    {"no clipping", "update_adam_decay_clip", {.update = update_without_clipping}, 0, NULL},
    {"no Nesterov", "update_nesterov_decay", {.update = update_without_nesterov}, 0, NULL},
    {"measuring moves weights", "update_momentum", {.update = update_otherwise_when_measured}, 0, NULL},
    {"distances of another block", "update_sgd_decay_clip", {.update = swapped_distances}, 0, NULL},
    {"a norm without one parameter", "update_sgd_decay_clip", {.update = norm_without_a_parameter}, 0, NULL},
    {"a step not counted", "update_momentum", {.read = uncounted_step}, 0, NULL},
};
const int planted_fault_count = sizeof planted_faults / sizeof planted_faults[0];

const planted_fault planted_in_reference[] = {
    READ("gradient of the other sign", "conv_wide", RS_SLOT_GRADIENT, flip_sign),
    READ("one gradient of the other sign", "conv_17_channels", RS_SLOT_GRADIENT, flip_one_sign),
    READ("last gradient dropped", "bn_17_7x5", RS_SLOT_GRADIENT, drop_last),
    READ("gradient to four digits", "linear_of_images", RS_SLOT_GRADIENT, lose_digits),
    READ_NODE("input gradient shifted", "conv_softplus", RS_NODE_GRADIENT, shift_by_one),
    READ_NODE("input gradient twice", "max_pool_overlapping", RS_NODE_GRADIENT, double_all),
    READ_NODE("softmax gradient of the other sign", "softmax_maps", RS_NODE_GRADIENT, flip_sign),
    READ("gradient behind a product dropped", "product_softmax_product", RS_SLOT_GRADIENT, drop_last),
    READ("gradient of squares twice", "squares_sum", RS_SLOT_GRADIENT, double_all),
    {"no gradient over a cut kept", "cut_in_a_chain", {.plan_create = plan_without_cuts}, 0, NULL},
    {"a cut of the other summand", "cut_of_a_branch", {.plan_create = plan_with_other_cuts}, 0, NULL},
    {"frozen weights with gradients", "frozen_linear", {.plan_create = plan_without_frozen}, 0, NULL},
    {"a head that counts half", "head_of_sum", {.plan_create = plan_with_half_objectives}, 0, NULL},
    {"true labels for predicted", "labels_predicted_kl", {.backward = backward_of_true_labels}, 0, NULL},
    {"one choice of labels for both", "labels_both_of_sum", {.backward = backward_of_one_choice}, 0, NULL},
    {"evaluation's gradients as training's",
     "dropout_of_vectors",
     {.forward = forward_remembered, .backward = backward_of_training},
     0,
     NULL},
};
const int planted_in_reference_count = sizeof planted_in_reference / sizeof planted_in_reference[0];

void planted_install(const planted_fault *fault)
{
    planted_backend = *real();
    planted_backend.name = "broken";
    planted_backend.plan_create = fault->replaced.plan_create ? fault->replaced.plan_create : remember_plan;
    planted_backend.load_values = fault->replaced.load_values ? fault->replaced.load_values : remember_load;
    planted_backend.read_sensitivity = fault->replaced.read_sensitivity ? fault->replaced.read_sensitivity
                                                                        : planted_backend.read_sensitivity;
    planted_backend.read = fault->replaced.read ? fault->replaced.read : planted_backend.read;
    planted_backend.read_node =
        fault->replaced.read_node ? fault->replaced.read_node : planted_backend.read_node;
    planted_backend.forward = fault->replaced.forward ? fault->replaced.forward : planted_backend.forward;
    planted_backend.backward = fault->replaced.backward ? fault->replaced.backward : planted_backend.backward;
    planted_backend.update = fault->replaced.update ? fault->replaced.update : planted_backend.update;
    planted_backend.read_loss =
        fault->replaced.read_loss ? fault->replaced.read_loss : planted_backend.read_loss;
    planted_backend.read_layers =
        fault->replaced.read_layers ? fault->replaced.read_layers : planted_backend.read_layers;
    target_slot = fault->slot;
    spoil = fault->spoil;
    calls = 0;
}
