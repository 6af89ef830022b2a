/* not_finite.c: which tensor was the first that is not finite, once a loss or a norm says that one is.
 *
 * A step computes outputs, losses, gradients, weights, in that order, and keeps few of its outputs. So where the loss
 * is not finite the forward pass runs once more, before anything is updated, in a plan of its own that keeps every output:
 * in the order of the network, the input first. Where the loss is finite and a gradient is not, the gradients are there:
 * from the last parameter to the first, as backward computes them. Nothing of this runs while all is finite. */
#include "not_finite.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "rs/host.h"
#include "rs/text.h"

/* --- values ------------------------------------------------------------------------------------------------- */

/* Numbers in the type that a slot has. */
typedef struct numbers {
    const void *values;
    int64_t count;
    bool doubles;
} numbers;

static double number(const numbers *n, int64_t i)
{
    return n->doubles ? ((const double *)n->values)[i] : (double)((const float *)n->values)[i];
}

/* Fills what a tensor has that is not finite; false: nothing. */
static bool find(const numbers *n, const rs_shape *shape, rs__not_finite *found)
{
    int64_t first = 0;
    while (first < n->count && isfinite(number(n, first))) {
        first++;
    }
    if (first == n->count) {
        return false;
    }
    found->value = number(n, first);
    found->elements = n->count;
    found->count = 0;
    for (int64_t i = first; i < n->count; i++) {
        found->count += !isfinite(number(n, i));
    }
    found->rank = shape->rank;
    for (int axis = shape->rank - 1; axis >= 0; axis--) {
        found->index[axis] = first % shape->dim[axis];
        first /= shape->dim[axis];
    }
    return true;
}

static void put_number(rs__not_finite *found, const char *what, const char *name, const char *layer,
                       double value)
{
    *found = (rs__not_finite){
        .what = what, .name = name, .layer = layer, .value = value, .count = 1, .elements = 1};
}

/* --- text --------------------------------------------------------------------------------------------------- */

static void index_text(const rs__not_finite *found, char *text, size_t capacity)
{
    const rs_shape index = {.rank = found->rank,
                            .dim = {found->index[0], found->index[1], found->index[2], found->index[3]}};
    rs_shape_text(&index, text, capacity);
}

void rs__not_finite_say(const rs__not_finite *found, char *text, size_t capacity)
{
    char index[128];
    index_text(found, index, sizeof index);
    const double value = rs_text_plain(found->value);
    if (!found->what) {
        (void)snprintf(text, capacity, "no tensor that is not finite was found");
    } else if (found->elements == 1 && found->rank == 0) {
        (void)snprintf(text, capacity, "first not finite: %s of %s, %g", found->what, found->name, value);
    } else {
        (void)snprintf(text, capacity,
                       "first not finite: %s of %s at %s, %g (%" PRId64 " of %" PRId64 " values)",
                       found->what, found->name, index, value, found->count, found->elements);
    }
}

void rs__not_finite_note(rs_trainer *trainer, int64_t steps, int64_t epochs)
{
    const rs__not_finite *found = &trainer->not_finite;
    char index[128];
    index_text(found, index, sizeof index);
    if (!found->what) {
        (void)snprintf(trainer->not_finite_text, sizeof trainer->not_finite_text,
                       "{steps: %" PRId64 ", epochs: %" PRId64 "}", steps, epochs);
        return;
    }
    (void)snprintf(trainer->not_finite_text, sizeof trainer->not_finite_text,
                   "{steps: %" PRId64 ", epochs: %" PRId64 ", what: %s, name: \"%s\", layer: \"%s\", "
                   "index: %s, value: %s, not_finite: %" PRId64 ", elements: %" PRId64 "}",
                   steps, epochs, found->what, found->name, found->layer, index,
                   rs_text_yaml_special(found->value), found->count, found->elements);
}

const char *rs_trainer_not_finite(const rs_trainer *trainer)
{
    return trainer->not_finite_text;
}

/* --- slots -------------------------------------------------------------------------------------------------- */

static const char *what_of(rs_slot slot)
{
    static const char *const names[RS_SLOTS] = {[RS_SLOT_VALUE] = "weight",
                                                [RS_SLOT_GRADIENT] = "gradient",
                                                [RS_SLOT_INITIAL] = "initial weight",
                                                [RS_SLOT_MOMENT1] = "first moment",
                                                [RS_SLOT_MOMENT2] = "second moment",
                                                [RS_SLOT_GRADIENT_SUM] = "sum of gradients",
                                                [RS_SLOT_RUNNING] = "running statistic",
                                                [RS_SLOT_STEP_COUNT] = "step count"};
    return names[slot];
}

bool rs__slot_is_finite(rs_trainer *trainer, rs_slot slot, int index, const void *values)
{
    const rs_network *network = trainer->options.network;
    const rs_parameter *p = slot == RS_SLOT_RUNNING ? &network->buffers[index] : &network->parameters[index];
    const numbers n = {.values = values, .count = p->count, .doubles = slot == RS_SLOT_GRADIENT_SUM};
    rs__not_finite found = {.what = what_of(slot), .name = p->name, .layer = network->layers[p->layer].name};
    if (slot == RS_SLOT_STEP_COUNT || !find(&n, &p->shape, &found)) {
        return true;
    }
    trainer->not_finite = found;
    return false;
}

/* Looks through a slot of all parameters, or all buffers, unless something was found. */
static rs_status look_at_slot(rs_trainer *trainer, rs_slot slot, float *values, rs_error *error)
{
    const rs_network *network = trainer->options.network;
    const int count = slot == RS_SLOT_RUNNING ? network->buffer_count : network->parameter_count;
    for (int i = 0; i < count && !trainer->not_finite.what; i++) {
        const int index = slot == RS_SLOT_GRADIENT ? count - 1 - i : i;
        RS_TRY(trainer->options.backend->read(trainer->plan, slot, index, values, error));
        (void)rs__slot_is_finite(trainer, slot, index, values);
    }
    return RS_OK;
}

/* --- a forward pass that keeps everything ------------------------------------------------------------------- */

/* Room for the largest tensor that is looked at: a batch of a node's outputs, a parameter or a buffer. */
static float *make_room(const rs_network *network, int64_t samples)
{
    int64_t most = 1;
    for (int i = 0; i < network->node_count; i++) {
        const int64_t *shape = network->nodes[i].shape, count = samples * shape[0] * shape[1] * shape[2];
        most = count > most ? count : most;
    }
    for (int i = 0; i < network->parameter_count; i++) {
        most = network->parameters[i].count > most ? network->parameters[i].count : most;
    }
    for (int i = 0; i < network->buffer_count; i++) {
        most = network->buffers[i].count > most ? network->buffers[i].count : most;
    }
    return rs_alloc_array((size_t)most, sizeof(float));
}

static rs_status copy_state(rs_trainer *trainer, rs_plan *to, float *values, rs_error *error)
{
    const rs_backend *backend = trainer->options.backend;
    const rs_network *network = trainer->options.network;
    for (int i = 0; i < network->parameter_count; i++) {
        RS_TRY(backend->read(trainer->plan, RS_SLOT_VALUE, i, values, error));
        RS_TRY(backend->write(to, RS_SLOT_VALUE, i, values, error));
    }
    for (int i = 0; i < network->buffer_count; i++) {
        RS_TRY(backend->read(trainer->plan, RS_SLOT_RUNNING, i, values, error));
        RS_TRY(backend->write(to, RS_SLOT_RUNNING, i, values, error));
    }
    return RS_OK;
}

/* The batches of a split that the device holds have no images. */
static rs_status run(rs_trainer *trainer, rs_plan *plan, const rs_batch *batch, rs_mode mode, rs_error *error)
{
    const rs_backend *backend = trainer->options.backend;
    if (!batch->images && !batch->values) {
        RS_TRY(backend->hold_split(plan, batch->split, error));
    }
    RS_TRY(backend->load_batch(plan, batch, error));
    return backend->forward(plan, mode, error);
}

/* The outputs of all nodes but losses; a node that is computed within another has none of its own. */
static rs_status look_at_outputs(rs_trainer *trainer, rs_plan *plan, int64_t samples, float *values,
                                 rs_error *error)
{
    const rs_network *network = trainer->options.network;
    for (int i = 0; i < network->node_count && !trainer->not_finite.what; i++) {
        const rs_node *node = &network->nodes[i];
        const rs_shape shape = {.rank = 4, .dim = {samples, node->shape[0], node->shape[1], node->shape[2]}};
        const numbers n = {.values = values, .count = rs_shape_count(&shape)};
        rs__not_finite found = {.what = i == 0 ? "input" : "output",
                                .name = i == 0 ? "the batch" : node->name,
                                .layer = i == 0 ? "" : network->layers[node->layer].name};
        if (rs_op_is_loss(node->kind)) {
            continue;
        }
        rs_status status = trainer->options.backend->read_node(plan, RS_NODE_OUTPUT, i, values, error);
        if (status == RS_OK && find(&n, &shape, &found)) {
            trainer->not_finite = found;
        }
        RS_TRY(status == RS_UNSUPPORTED ? RS_OK : status);
    }
    return RS_OK;
}

/* Finds the first output that is not finite when the weights as they stand meet that batch. */
static rs_status look_at_batch(rs_trainer *trainer, const rs_batch *batch, rs_mode mode, rs_error *error)
{
    rs_plan *plan = NULL;
    float *values = make_room(trainer->options.network, batch->count);
    rs_status status = values ? rs__make_looking_plan(trainer, batch->count, &plan, error)
                              : RS_FAIL(error, RS_MEMORY, "no memory for a copy of a layer's outputs");
    status = status ? status : copy_state(trainer, plan, values, error);
    status = status ? status : run(trainer, plan, batch, mode, error);
    status = status ? status : look_at_outputs(trainer, plan, batch->count, values, error);
    trainer->options.backend->plan_destroy(plan);
    rs_free(values);
    return status;
}

/* That a tensor could not be named must not hide that the run diverged. */
static void say_why_not(rs_status status, const rs_error *why)
{
    if (status) {
        rs_log(RS_LOG_WARNING, "what is not finite could not be looked for everywhere: %s", why->text);
    }
}

/* The loss that is not finite: the network's own, or one of a layer. */
static void name_loss(rs_trainer *trainer, double task_loss)
{
    const rs_network *network = trainer->options.network;
    int node = network->node_count - 1;
    double value = task_loss;
    for (int i = 0; i < trainer->layers.objective_count && isfinite(value); i++) {
        const rs_objective *objective = &trainer->layers.objectives[i];
        if (objective->weight != 0.0) {
            value = trainer->measurement.layer_losses[i];
            node = objective->node;
        }
    }
    if (!isfinite(value)) {
        put_number(&trainer->not_finite, "loss", network->nodes[node].name,
                   network->layers[network->nodes[node].layer].name, value);
    }
}

/* --- when --------------------------------------------------------------------------------------------------- */

rs_status rs__look_after_forward(rs_trainer *trainer, const rs_batch *batch, const rs_loss *result,
                                 rs_error *error)
{
    rs_error why = {0};
    rs_measurement *m = &trainer->measurement;
    if (!trainer->options.config->stop_on_nan) {
        return RS_OK;
    }
    if (trainer->layers.objective_count > 0) {
        RS_TRY(trainer->options.backend->read_layers(trainer->plan, m->layer_losses, m->layer_means, error));
    }
    if (isfinite(result->loss + rs__weighed_losses(trainer))) {
        return RS_OK;
    }
    say_why_not(look_at_batch(trainer, batch, RS_MODE_TRAIN, &why), &why);
    if (!trainer->not_finite.what) {
        name_loss(trainer, result->loss);
    }
    return RS_OK;
}

void rs__look_after_update(rs_trainer *trainer, double task_loss)
{
    static const rs_slot slots[] = {RS_SLOT_GRADIENT, RS_SLOT_VALUE, RS_SLOT_RUNNING};
    rs_error why = {0};
    if (trainer->not_finite.what) {
        return;
    }
    float *values = make_room(trainer->options.network, 1);
    rs_status status =
        values ? RS_OK : RS_FAIL(&why, RS_MEMORY, "no memory for a copy of the largest tensor");
    for (size_t i = 0; !status && i < sizeof slots / sizeof slots[0]; i++) {
        status = look_at_slot(trainer, slots[i], values, &why);
    }
    say_why_not(status, &why);
    rs_free(values);
    if (!trainer->not_finite.what) {
        name_loss(trainer, task_loss);
    }
}

void rs__look_at_split(rs_trainer *trainer, rs_loader *loader, int64_t batch)
{
    rs_error why = {0};
    rs_batch again;
    rs_status status = rs_loader_start(loader, 0, batch, &why);
    status = status ? status : rs_loader_next(loader, &again, &why);
    status = status ? status : look_at_batch(trainer, &again, RS_MODE_EVALUATE, &why);
    say_why_not(status, &why);
}
