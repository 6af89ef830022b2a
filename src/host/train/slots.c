/* slots.c: the state that a plan keeps per parameter or buffer, slot by slot, for checkpoints and for a move to another
 * plan. */
#include <stdio.h>
#include <string.h>

#include "internal.h"
#include "rs/host.h"

static const struct {
    rs_slot slot;
    const char *name;
} slots[] = {
    {RS_SLOT_VALUE, "value"},     {RS_SLOT_INITIAL, "initial"},       {RS_SLOT_MOMENT1, "moment1"},
    {RS_SLOT_MOMENT2, "moment2"}, {RS_SLOT_GRADIENT, "gradient"},     {RS_SLOT_GRADIENT_SUM, "gradient_sum"},
    {RS_SLOT_RUNNING, "running"}, {RS_SLOT_STEP_COUNT, "step_count"},
};
enum { SLOTS = sizeof slots / sizeof slots[0] };

static size_t slot_bytes(rs_slot slot, const rs_parameter *parameter)
{
    switch (slot) {
    case RS_SLOT_STEP_COUNT:
        return sizeof(int64_t);
    case RS_SLOT_GRADIENT_SUM:
        return (size_t)parameter->count * sizeof(double);
    default:
        return (size_t)parameter->count * sizeof(float);
    }
}

/* Whether a run with these options has that slot. */
static bool slot_kept(const rs_trainer *trainer, rs_slot slot)
{
    const rs_config *config = trainer->options.config;
    const rs_optimizer_kind optimizer = rs__optimizer_kind(config);
    const bool adam = optimizer == RS_OPTIMIZER_ADAM || optimizer == RS_OPTIMIZER_ADAMW;
    switch (slot) {
    case RS_SLOT_INITIAL:
        return trainer->options.wants & RS_WANT_DISTANCES;
    case RS_SLOT_GRADIENT: /* of the last step: a run cut off before its epoch's snapshot still needs it */
        return (trainer->options.wants & RS_WANT_GRADIENTS) && strcmp(config->gradient, "last") == 0;
    case RS_SLOT_GRADIENT_SUM:
        return (trainer->options.wants & RS_WANT_GRADIENTS) && strcmp(config->gradient, "mean") == 0;
    case RS_SLOT_MOMENT1:
        return adam || config->momentum > 0.0;
    case RS_SLOT_MOMENT2:
        return optimizer != RS_OPTIMIZER_SGD;
    default:
        return true;
    }
}

static rs_status visit_list(rs_trainer *trainer, int which, rs__visit_slot visit, void *context, void *buffer,
                            rs_error *error)
{
    const rs_network *network = trainer->options.network;
    bool running = slots[which].slot == RS_SLOT_RUNNING;
    const rs_parameter *list = running ? network->buffers : network->parameters;
    int count = running ? network->buffer_count : network->parameter_count;
    for (int i = 0; i < count; i++) {
        char name[2 * RS_NAME_MAX];
        (void)snprintf(name, sizeof name, "%s/%s", slots[which].name, list[i].name);
        RS_TRY(visit(trainer, context, name, slots[which].slot, i, buffer,
                     slot_bytes(slots[which].slot, &list[i]), error));
    }
    return RS_OK;
}

rs_status rs__visit_slots(rs_trainer *trainer, rs__visit_slot visit, void *context, rs_error *error)
{
    const rs_network *network = trainer->options.network;
    int64_t largest = 1;
    for (int i = 0; i < network->parameter_count; i++) {
        largest = network->parameters[i].count > largest ? network->parameters[i].count : largest;
    }
    for (int i = 0; i < network->buffer_count; i++) {
        largest = network->buffers[i].count > largest ? network->buffers[i].count : largest;
    }
    void *buffer = rs_alloc((size_t)largest * sizeof(double));
    if (!buffer) {
        return RS_FAIL(error, RS_MEMORY, "no memory for a checkpoint's largest tensor of %lld elements",
                       (long long)largest);
    }
    rs_status status = RS_OK;
    for (int i = 0; i < SLOTS && !status; i++) {
        if (slot_kept(trainer, slots[i].slot)) {
            status = visit_list(trainer, i, visit, context, buffer, error);
        }
    }
    rs_free(buffer);
    return status;
}
