/* globs.c: what names of layers in options take: --freeze, --reinitialize, --record. */
#include "internal.h"
#include "rs/text.h"

bool rs__globs_take(const rs_network *network, const char *globs, const rs_parameter *parameter)
{
    return rs_config_globs_take(globs, parameter->name) ||
           rs_config_globs_take(globs, network->nodes[parameter->node].unit);
}

static rs_status check_parameters(const char *option, const char *globs, const rs_network *network,
                                  rs_error *error)
{
    char glob[RS_TEXT_MAX];
    for (const char *at = globs; rs_text_next_word(&at, ',', glob, sizeof glob);) {
        bool found = false;
        for (int i = 0; i < network->parameter_count; i++) {
            found = found || rs__globs_take(network, glob, &network->parameters[i]);
        }
        if (!found) {
            return RS_FAIL(error, RS_USAGE,
                           "%s %s takes nothing: no layer of %s with parameters has such a name", option,
                           glob, network->name);
        }
    }
    return RS_OK;
}

typedef struct name_list {
    int count;
    const char **names;
} name_list;

static void list_names(const rs_network *network, const rs_units *units, name_list *tensors,
                       name_list *layers)
{
    for (int i = 0; i < network->parameter_count; i++) {
        tensors->names[tensors->count++] = network->parameters[i].name;
    }
    for (int i = 0; i < network->buffer_count; i++) {
        tensors->names[tensors->count++] = network->buffers[i].name;
    }
    for (int i = 0; i < network->block_count; i++) {
        tensors->names[tensors->count++] = network->blocks[i].name;
    }
    for (int i = 0; i < units->count; i++) {
        layers->names[layers->count++] = units->units[i].name;
    }
}

static rs_status check_record(const rs_config *config, const rs_network *network, rs_error *error)
{
    rs_units units = {0};
    RS_TRY(rs_network_layers(network, &units, error));
    size_t count =
        (size_t)(network->parameter_count + network->buffer_count + network->block_count + units.count);
    name_list tensors = {.names = rs_alloc_array(count + 1, sizeof *tensors.names)}, layers = {0};
    rs_status status = RS_FAIL(error, RS_MEMORY, "no memory for the names of a network");
    if (tensors.names) {
        layers.names = tensors.names + (count - (size_t)units.count);
        list_names(network, &units, &tensors, &layers);
        status =
            rs_config_check_globs(config, tensors.names, tensors.count, layers.names, layers.count, error);
    }
    rs_free(tensors.names);
    rs_units_release(&units);
    return status;
}

rs_status rs__globs_check(const rs_config *config, const rs_network *network, rs_error *error)
{
    RS_TRY(check_parameters("--freeze", config->freeze, network, error));
    RS_TRY(check_parameters("--reinitialize", config->reinitialize, network, error));
    return check_record(config, network, error);
}
