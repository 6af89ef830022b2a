/* adjust.c: what options change of a network: its loss, dropout rates, initial values; see rs/network.h, words.h. */
#include <inttypes.h>
#include <string.h>

#include "words.h"

rs_network_options rs_network_options_default(int channels, int height, int width, int classes)
{
    return (rs_network_options){.channels = channels,
                                .height = height,
                                .width = width,
                                .classes = classes,
                                .loss = "auto",
                                .reduction = "mean",
                                .dropout = -1.0,
                                .initialization = "own",
                                .initialization_std = 1.0};
}

/* The one of two words that says something; false when both do and differ. "nothing" says nothing. */
static bool join(const char *file, const char *option, const char *nothing, const char **word)
{
    bool open = strcmp(option, nothing) == 0;
    *word = file && open ? file : option;
    return !file || open || strcmp(file, option) == 0;
}

static rs_status check_data(const rs_network_options *options, const char *loss, rs_op_kind kind,
                            rs_error *error)
{
    bool targets = kind == RS_OP_MEAN_SQUARED_ERROR;
    return targets == options->targets
               ? RS_OK
               : RS_FAIL(error, RS_USAGE, "the loss %s needs data with %s; this data set has %s", loss,
                         targets ? "targets, as --dataset function" : "labels",
                         targets ? "labels" : "targets");
}

rs_status rs__loss_choose(const rs_network_options *options, const char *file_loss,
                          const char *file_reduction, rs_op_kind *kind, rs_reduction *reduction,
                          rs_error *error)
{
    const char *loss, *how;
    if (!join(file_loss, options->loss, "auto", &loss)) {
        return RS_FAIL(error, RS_USAGE, "--loss %s: the network's own file says %s", options->loss,
                       file_loss);
    }
    if (!join(file_reduction, options->reduction, "mean", &how)) {
        return RS_FAIL(error, RS_USAGE, "--loss-reduction %s: the network's own file says %s",
                       options->reduction, file_reduction);
    }
    if (strcmp(loss, "auto") == 0) {
        loss = options->targets ? "mse" : "cross-entropy";
    }
    if (!rs__loss_parse(loss, kind)) {
        return RS_FAIL(error, RS_USAGE, "the loss %s is not one of %s", loss, rs__loss_words());
    }
    if (!rs__reduction_parse(how, reduction)) {
        return RS_FAIL(error, RS_USAGE, "the loss's reduction %s is not one of %s", how,
                       rs__reduction_words());
    }
    return check_data(options, loss, *kind, error);
}

rs_status rs__loss_check_width(const rs_network *network, int scores, rs_op_kind kind, rs_error *error)
{
    const rs_node *node = &network->nodes[scores];
    int64_t numbers = node->shape[0] * node->shape[1] * node->shape[2];
    if (kind == RS_OP_MEAN_SQUARED_ERROR && numbers != network->classes) {
        return RS_FAIL(error, RS_USAGE, "%s gives %" PRId64 " numbers, a target has %d", node->name, numbers,
                       network->classes);
    }
    return RS_OK;
}

static rs_status set_dropout(rs_network *network, double rate, rs_error *error)
{
    bool any = false;
    if (!(rate >= 0.0 && rate < 1.0)) {
        return RS_FAIL(error, RS_USAGE,
                       "--dropout %g: must be at least 0 and below 1, or -1 for the network's own", rate);
    }
    for (int i = 1; i < network->node_count; i++) {
        if (network->nodes[i].kind == RS_OP_DROPOUT) {
            network->nodes[i].attributes.rate = rate;
            any = true;
        }
    }
    return any || rate == 0.0 ? RS_OK
                              : RS_FAIL(error, RS_USAGE, "--dropout %g: network %s has no dropout layer",
                                        rate, network->name);
}

static rs_status set_initialization(rs_network *network, const char *name, double std, rs_error *error)
{
    rs_initializer initializer;
    if (!rs__initializer_parse(name, &initializer)) {
        return RS_FAIL(error, RS_USAGE, "--initialization %s: not one of own, %s", name,
                       rs__initializer_words());
    }
    for (int i = 1; i < network->node_count; i++) {
        const rs_node *node = &network->nodes[i];
        if (node->kind == RS_OP_CONVOLUTION || node->kind == RS_OP_LINEAR) {
            network->parameters[node->weight].initializer = initializer;
            network->parameters[node->weight].std = initializer == RS_INIT_NORMAL ? std : 0.0;
        }
    }
    return RS_OK;
}

rs_status rs__override(rs_network *network, const rs_network_options *options, rs_error *error)
{
    if (options->dropout != -1.0) {
        RS_TRY(set_dropout(network, options->dropout, error));
    }
    if (strcmp(options->initialization, "own") != 0) {
        RS_TRY(set_initialization(network, options->initialization, options->initialization_std, error));
    }
    return RS_OK;
}

rs_status rs_network_adjust(rs_network *network, const rs_network_options *options, rs_error *error)
{
    rs_node *last = &network->nodes[network->node_count - 1];
    rs_op_kind kind;
    rs_reduction reduction;
    if (!rs_op_is_loss(last->kind)) {
        return RS_FAIL(error, RS_USAGE, "network %s ends in no loss", network->name);
    }
    RS_TRY(rs__loss_choose(options, NULL, NULL, &kind, &reduction, error));
    RS_TRY(rs__loss_check_width(network, last->input[0], kind, error));
    last->kind = kind;
    last->attributes.reduction = reduction;
    network->layers[last->layer].kind = kind;
    return rs__override(network, options, error);
}
