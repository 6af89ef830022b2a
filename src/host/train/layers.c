/* layers.c: which layers are measured, learn by objectives of their own, are cut off from each other or frozen, stage by
 * stage; see rs__layers in internal.h. A layer is a unit of the network (rs_network_layers). The last one learns by the
 * network's loss, or, with --isolate frozen, by nothing. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "internal.h"
#include "rs/host.h"
#include "rs/text.h"

static bool is(const char *value, const char *word)
{
    return strcmp(value, word) == 0;
}

static bool is_recorded(const rs_config *config, const char *unit)
{
    return rs_config_records(config, RS_RECORD_LAYER_OUTPUTS, unit) ||
           rs_config_records(config, RS_RECORD_LAYER_LOSSES, unit);
}

static bool is_head_loss(const rs_network *network, int node)
{
    return network->nodes[node].head && rs_op_is_loss(network->nodes[node].kind);
}

/* "heads.layer1.0.loss" -> "layer1.0" */
static void head_name(const char *loss, char name[RS_NAME_MAX])
{
    const char *start = strchr(loss, '.') ? strchr(loss, '.') + 1 : loss, *end = strrchr(start, '.');
    (void)snprintf(name, RS_NAME_MAX, "%.*s", (int)(end ? end - start : (ptrdiff_t)strlen(start)), start);
}

/* Whether the layer has an objective of its own in some stage of the run, or is to be measured. */
static bool needs_objective(const rs_trainer *trainer, int unit)
{
    const rs_config *config = trainer->options.config;
    const rs_units *units = &trainer->layers.units;
    const bool weighed = is(config->isolate, "target") || !is(config->layer_loss, "off");
    const bool watched = trainer->options.wants & (RS_WANT_LAYER_OUTPUTS | RS_WANT_LAYER_LOSSES);
    return (weighed && unit < units->count - 1) || (watched && is_recorded(config, units->units[unit].name));
}

/* Weight of layer `unit`'s objective. */
static double unit_weight(const rs_trainer *trainer, int unit, unsigned stage)
{
    const rs_config *config = trainer->options.config;
    const double count = trainer->layers.units.count;
    if (unit == trainer->layers.units.count - 1) {
        return 0.0;
    }
    if (is(config->layer_loss, "exponential")) {
        return exp(-(double)unit / count) / count;
    }
    if (is(config->layer_loss, "even")) {
        return 1.0 / count;
    }
    return (stage & RS__ISOLATED) && is(config->isolate, "target") ? 1.0 : 0.0;
}

static int unit_of_node(const rs_units *units, int node)
{
    int unit = 0;
    while (units->units[unit].node != node) {
        unit++;
    }
    return unit;
}

unsigned rs__stage_of(const rs_config *config, int64_t epoch)
{
    unsigned stage = 0;
    stage |= !is(config->isolate, "off") && epoch >= config->isolate_from ? RS__ISOLATED : 0U;
    stage |= config->freeze[0] && epoch >= config->freeze_from ? RS__FROZEN : 0U;
    return stage;
}

int64_t rs_trainer_plan_ends(const rs_trainer *trainer)
{
    const rs_config *config = trainer->options.config;
    const int64_t from[] = {config->isolate_from, config->freeze_from};
    int64_t ends = -1;
    for (size_t i = 0; i < sizeof from / sizeof from[0]; i++) {
        const bool other = from[i] < config->epochs && rs__stage_of(config, from[i]) != trainer->stage;
        if (other && from[i] > trainer->position.epochs && (ends < 0 || from[i] < ends)) {
            ends = from[i];
        }
    }
    return ends;
}

/* With objective `frozen` nothing learns, with `none` only the last layer: what does not learn keeps its batch norm's
 * statistics, too. */
static bool is_frozen(const rs_trainer *trainer, const rs_parameter *parameter, unsigned stage)
{
    const rs_config *config = trainer->options.config;
    const rs_network *network = trainer->options.network;
    const rs_units *units = &trainer->layers.units;
    const bool last = is(network->nodes[parameter->node].unit, units->units[units->count - 1].name);
    const bool isolated = stage & RS__ISOLATED;
    return (isolated && (is(config->isolate, "frozen") || (is(config->isolate, "none") && !last))) ||
           ((stage & RS__FROZEN) && rs__globs_take(network, config->freeze, parameter));
}

static void set_cuts(rs_trainer *trainer, unsigned stage)
{
    rs__layers *layers = &trainer->layers;
    layers->cut_count = 0;
    if (!(stage & RS__ISOLATED)) {
        return;
    }
    for (int i = 0; i < layers->units.edge_count; i++) {
        layers->cuts[layers->cut_count++] =
            (rs_cut){layers->units.edges[i].node, layers->units.edges[i].input};
    }
    if (is(trainer->options.config->isolate, "frozen")) {
        layers->cuts[layers->cut_count++] = (rs_cut){trainer->options.network->node_count - 1, 0};
    }
}

void rs__layers_set_stage(rs_trainer *trainer, unsigned stage)
{
    const rs_network *network = trainer->options.network;
    rs__layers *layers = &trainer->layers;
    const bool heads = (stage & RS__ISOLATED) && is(trainer->options.config->isolate, "classifier");
    for (int i = 0; i < layers->objective_count; i++) {
        rs_objective *objective = &layers->objectives[i];
        objective->weight = i >= layers->unit_objectives
                                ? (heads ? 1.0 : 0.0)
                                : unit_weight(trainer, unit_of_node(&layers->units, objective->node), stage);
    }
    set_cuts(trainer, stage);
    layers->any_frozen = false;
    for (int i = 0; i < network->parameter_count; i++) {
        layers->frozen[i] = is_frozen(trainer, &network->parameters[i], stage);
        layers->any_frozen = layers->any_frozen || layers->frozen[i];
    }
    trainer->stage = stage;
}

double rs__weighed_losses(const rs_trainer *trainer)
{
    double sum = 0.0;
    for (int i = 0; i < trainer->layers.objective_count; i++) {
        const double weight = trainer->layers.objectives[i].weight;
        sum += weight != 0.0 ? weight * trainer->measurement.layer_losses[i] : 0.0;
    }
    return sum;
}

static void list_objectives(rs_trainer *trainer)
{
    const rs_network *network = trainer->options.network;
    const rs_config *config = trainer->options.config;
    rs__layers *layers = &trainer->layers;
    const bool watched = trainer->options.wants & (RS_WANT_LAYER_OUTPUTS | RS_WANT_LAYER_LOSSES);
    for (int i = 0; i < layers->units.count; i++) {
        const rs_unit *unit = &layers->units.units[i];
        if (needs_objective(trainer, i)) {
            if (watched && is_recorded(config, unit->name)) {
                layers->recorded[layers->recorded_count++] = layers->objective_count;
            }
            layers->objectives[layers->objective_count++] =
                (rs_objective){.node = unit->node, .target = config->layer_target};
        }
    }
    layers->unit_objectives = layers->objective_count;
    for (int i = 1; i < network->node_count - 1; i++) {
        if (is_head_loss(network, i)) {
            layers->objectives[layers->objective_count++] = (rs_objective){.node = i};
        }
    }
}

rs_status rs__layers_create(rs_trainer *trainer, rs_error *error)
{
    const rs_network *network = trainer->options.network;
    rs__layers *layers = &trainer->layers;
    const size_t nodes = (size_t)network->node_count;
    RS_TRY(rs_network_layers(network, &layers->units, error));
    if (layers->units.count == 0) {
        return RS_FAIL(error, RS_USAGE, "network %s has no layers", network->name);
    }
    layers->objectives = rs_alloc_array(2 * nodes, sizeof *layers->objectives);
    layers->recorded = rs_alloc_array(nodes, sizeof *layers->recorded);
    layers->cuts = rs_alloc_array((size_t)layers->units.edge_count + 1, sizeof *layers->cuts);
    layers->frozen = rs_alloc_array((size_t)network->parameter_count + 1, sizeof *layers->frozen);
    if (!layers->objectives || !layers->recorded || !layers->cuts || !layers->frozen) {
        return RS_FAIL(error, RS_MEMORY, "no memory for the layers of %s", network->name);
    }
    list_objectives(trainer);
    return rs__globs_check(trainer->options.config, network, error);
}

void rs__layers_destroy(rs__layers *layers)
{
    rs_units_release(&layers->units);
    rs_free(layers->objectives);
    rs_free(layers->recorded);
    rs_free(layers->cuts);
    rs_free(layers->frozen);
    *layers = (rs__layers){0};
}

rs_status rs__add_classifiers(const rs_config *config, rs_network *network, rs_error *error)
{
    rs_units units = {0};
    if (!is(config->isolate, "classifier")) {
        return RS_OK;
    }
    RS_TRY(rs_network_layers(network, &units, error));
    bool *chosen = rs_alloc_array((size_t)units.count + 1, sizeof *chosen);
    rs_status status = chosen ? RS_OK : RS_FAIL(error, RS_MEMORY, "no memory for the classifiers of layers");
    for (int i = 0; chosen && i < network->parameter_count; i++) {
        const char *unit = network->nodes[network->parameters[i].node].unit;
        for (int u = 0; u < units.count - 1; u++) {
            chosen[u] = chosen[u] || is(units.units[u].name, unit);
        }
    }
    status = status ? status : rs_network_add_heads(network, &units, chosen, NULL, error);
    rs_free(chosen);
    rs_units_release(&units);
    return status;
}

rs_status rs_configured_layers(const rs_config *config, const rs_network *network,
                               rs_measured_layers *measured, rs_error *error)
{
    const size_t nodes = (size_t)network->node_count;
    rs_units units = {0};
    *measured = (rs_measured_layers){.layers = rs_alloc_array(nodes, sizeof *measured->layers),
                                     .heads = rs_alloc_array(nodes, sizeof *measured->heads)};
    rs_status status = measured->layers && measured->heads
                           ? rs_network_layers(network, &units, error)
                           : RS_FAIL(error, RS_MEMORY, "no memory for the names of layers");
    for (int i = 0; !status && i < units.count; i++) {
        if (is_recorded(config, units.units[i].name)) {
            memcpy(measured->layers[measured->layer_count++], units.units[i].name, RS_NAME_MAX);
        }
    }
    for (int i = 1; !status && i < network->node_count - 1; i++) {
        if (is_head_loss(network, i)) {
            head_name(network->nodes[i].name, measured->heads[measured->head_count++]);
        }
    }
    rs_units_release(&units);
    if (status) {
        rs_measured_layers_release(measured);
    }
    return status;
}

void rs_measured_layers_release(rs_measured_layers *measured)
{
    rs_free(measured->layers);
    rs_free(measured->heads);
    *measured = (rs_measured_layers){0};
}
