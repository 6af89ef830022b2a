/* configured.c: what a configuration asks for: which network, and what is wanted of its run. */
#include <stdio.h>
#include <string.h>

#include "internal.h"

static rs_network_options network_options(const rs_config *config, const rs_dataset_shape *shape)
{
    return (rs_network_options){.channels = shape->channels,
                                .height = shape->height,
                                .width = shape->width,
                                .classes = shape->classes,
                                .targets = shape->targets,
                                .loss = config->loss,
                                .reduction = config->loss_reduction,
                                .dropout = config->dropout,
                                .initialization = config->initialization,
                                .initialization_std = config->initialization_std};
}

static rs_status build_resnet(const rs_config *config, const rs_dataset_shape *shape, rs_network **network,
                              rs_error *error)
{
    rs_resnet_options options = {.depth = (int)config->depth,
                                 .plain = config->plain,
                                 .standard = strcmp(config->width, "standard") == 0,
                                 .channels = shape->channels,
                                 .height = shape->height,
                                 .width = shape->width,
                                 .classes = shape->classes};
    if (config->blocks[0] && sscanf(config->blocks, "%d,%d,%d,%d", &options.blocks[0], &options.blocks[1],
                                    &options.blocks[2], &options.blocks[3]) != 4) {
        return RS_FAIL(error, RS_USAGE, "--blocks %s: needs four numbers, as in 3,4,6,3", config->blocks);
    }
    return rs_resnet_build(&options, network, error);
}

static rs_status build(const rs_config *config, const char *layers, const rs_dataset_shape *shape,
                       rs_network **network, rs_error *error)
{
    rs_network_options options = network_options(config, shape);
    rs_status status;
    *network = NULL;
    if (layers) {
        status = rs_network_from_yaml(layers, strlen(layers), config->network, &options, network, error);
    } else if (*config->network) {
        status = rs_network_named(config->network, &options, network, error);
    } else {
        status = build_resnet(config, shape, network, error);
        status = status ? status : rs_network_adjust(*network, &options, error);
    }
    status = status ? status : rs__add_classifiers(config, *network, error);
    if (status) {
        rs_network_destroy(*network);
        *network = NULL;
    }
    return status;
}

rs_status rs_configured_network_from(const rs_config *config, const char *layers, const rs_dataset *dataset,
                                     rs_network **network, rs_error *error)
{
    const rs_dataset_shape shape = {.channels = dataset->channels,
                                    .height = dataset->height,
                                    .width = dataset->width,
                                    .classes = dataset->classes,
                                    .targets = dataset->train.targets != NULL};
    return build(config, layers, &shape, network, error);
}

rs_status rs_configured_network_check(const rs_config *config, rs_error *error)
{
    const rs_dataset_request request = rs_configured_data(config);
    rs_dataset_shape shape;
    rs_network *network = NULL;
    RS_TRY(rs_dataset_shape_of(&request, &shape, error));
    RS_TRY(build(config, NULL, &shape, &network, error));
    rs_status status = rs__globs_check(config, network, error);
    rs_network_destroy(network);
    return status;
}

rs_status rs_configured_network(const rs_config *config, const rs_dataset *dataset, rs_network **network,
                                rs_error *error)
{
    return rs_configured_network_from(config, NULL, dataset, network, error);
}

uint32_t rs_configured_wants(const rs_config *config)
{
    uint32_t wants = 0;
    bool snapshots = strcmp(config->snapshots, "none") != 0;
    wants |=
        rs_config_records(config, RS_RECORD_DISTANCES, NULL) && config->metric[0] ? RS_WANT_DISTANCES : 0U;
    wants |= rs_config_records(config, RS_RECORD_GRADIENT_STATS, NULL) ? RS_WANT_GRADIENT_STATS : 0U;
    wants |= snapshots && rs_config_records(config, RS_RECORD_WEIGHTS, NULL) ? RS_WANT_WEIGHTS : 0U;
    wants |= snapshots && rs_config_records(config, RS_RECORD_GRADIENTS, NULL) ? RS_WANT_GRADIENTS : 0U;
    wants |= rs_config_records(config, RS_RECORD_LAYER_OUTPUTS, NULL) ? RS_WANT_LAYER_OUTPUTS : 0U;
    wants |= rs_config_records(config, RS_RECORD_LAYER_LOSSES, NULL) ? RS_WANT_LAYER_LOSSES : 0U;
    wants |= rs_config_records(config, RS_RECORD_SENSITIVITY, NULL) ? RS_WANT_SENSITIVITY : 0U;
    return wants;
}
