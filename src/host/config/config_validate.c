/* config_validate.c: what no single option can say: combinations that would silently leave something out. */
#include <string.h>

#include "option.h"
#include "validate.h"

static bool is(const char *value, const char *word)
{
    return strcmp(value, word) == 0;
}

static rs_status validate_momentum(const rs_config *c, rs_error *error)
{
    bool sgd = is(c->optimizer, "sgd"), rmsprop = is(c->optimizer, "rmsprop");
    if (!sgd && !rmsprop && c->momentum > 0.0) {
        return RS_FAIL(error, RS_USAGE, "--momentum is of --optimizer sgd and rmsprop; %s has %s",
                       c->optimizer, is(c->optimizer, "adagrad") ? "none" : "--beta1");
    }
    if (c->nesterov && !(sgd && c->momentum > 0.0)) {
        return RS_FAIL(error, RS_USAGE, "--nesterov needs --optimizer sgd and a --momentum above 0");
    }
    return RS_OK;
}

static rs_status validate_optimizer(const rs_config *c, const rs_config *d, rs_error *error)
{
    bool adam = is(c->optimizer, "adam") || is(c->optimizer, "adamw");
    RS_TRY(validate_momentum(c, error));
    if (!adam && (c->beta1 != d->beta1 || c->beta2 != d->beta2)) {
        return RS_FAIL(error, RS_USAGE, "--beta1 and --beta2 are of --optimizer adam and adamw; it is %s",
                       c->optimizer);
    }
    if (c->epsilon < 0.0 && c->epsilon != d->epsilon) {
        return RS_FAIL(error, RS_USAGE, "--epsilon %g: must be at least 0, or -1 for the optimizer's own",
                       c->epsilon);
    }
    if (c->weight_decay < 0.0 && c->weight_decay != d->weight_decay) {
        return RS_FAIL(error, RS_USAGE,
                       "--weight-decay %g: must be at least 0, or -1 for the optimizer's own",
                       c->weight_decay);
    }
    if (is(c->optimizer, "sgd") && rs_config_epsilon(c) != rs__default_epsilon(c)) {
        return RS_FAIL(error, RS_USAGE,
                       "--epsilon is of --optimizer adam, adamw, adagrad and rmsprop; sgd has none");
    }
    if (!is(c->optimizer, "rmsprop") && c->alpha != d->alpha) {
        return RS_FAIL(error, RS_USAGE, "--alpha is of --optimizer rmsprop; it is %s", c->optimizer);
    }
    if (c->beta1 >= 1.0 || c->beta2 >= 1.0 || c->alpha >= 1.0) {
        return RS_FAIL(error, RS_USAGE,
                       "--beta1, --beta2 and --alpha must be below 1; the usual are 0.9, 0.999 and 0.99");
    }
    return RS_OK;
}

/* A setting of one schedule while another is chosen would have no effect. */
static rs_status unused(bool set, const char *option, const char *schedules, const rs_config *c,
                        rs_error *error)
{
    return set ? RS_FAIL(error, RS_USAGE, "%s is of --schedule %s; the schedule is %s", option, schedules,
                         c->schedule)
               : RS_OK;
}

static rs_status validate_schedule(const rs_config *c, const rs_config *d, rs_error *error)
{
    bool step = is(c->schedule, "step"), exponential = is(c->schedule, "exponential");
    bool restarts = is(c->schedule, "cosine-restarts"), cosine = is(c->schedule, "cosine") || restarts;
    RS_TRY(unused(!step && c->schedule_step != d->schedule_step, "--schedule-step", "step", c, error));
    RS_TRY(unused(!step && !exponential && c->schedule_gamma != d->schedule_gamma, "--schedule-gamma",
                  "step and exponential", c, error));
    RS_TRY(unused(!is(c->schedule, "inverse-time") && c->schedule_k != d->schedule_k, "--schedule-k",
                  "inverse-time", c, error));
    RS_TRY(
        unused(!restarts && c->schedule_t0 != d->schedule_t0, "--schedule-t0", "cosine-restarts", c, error));
    RS_TRY(unused(!restarts && c->schedule_t_mult != d->schedule_t_mult, "--schedule-t-mult",
                  "cosine-restarts", c, error));
    return unused(!cosine && c->schedule_min != d->schedule_min, "--schedule-min",
                  "cosine and cosine-restarts", c, error);
}

rs_status rs__refuse_resnet_options(const rs_config *config, rs_error *error)
{
    return RS_FAIL(
        error, RS_USAGE,
        "--network %s names a whole network; --depth, --plain, --width and --blocks are of the ResNets",
        config->network);
}

static rs_status validate_network(const rs_config *c, const rs_config *d, rs_error *error)
{
    bool resnet = c->depth != d->depth || c->plain || !is(c->width, d->width) || *c->blocks;
    if (*c->network && resnet) {
        return rs__refuse_resnet_options(c, error);
    }
    if (c->dropout != -1.0 && !(c->dropout >= 0.0 && c->dropout < 1.0)) {
        return RS_FAIL(error, RS_USAGE,
                       "--dropout %g: must be at least 0 and below 1, or -1 for the network's own",
                       c->dropout);
    }
    if (c->initialization_std != d->initialization_std && !is(c->initialization, "normal")) {
        return RS_FAIL(error, RS_USAGE, "--initialization-std is of --initialization normal; it is %s",
                       c->initialization);
    }
    if (is(c->initialization, "normal") && !(c->initialization_std > 0.0)) {
        return RS_FAIL(error, RS_USAGE,
                       "--initialization-std must be above 0; --initialization zeros gives zeros");
    }
    return RS_OK;
}

rs_status rs_config_validate(const rs_config *config, rs_error *error)
{
    rs_config defaults;
    rs_config_default(&defaults);
    RS_TRY(validate_optimizer(config, &defaults, error));
    RS_TRY(validate_schedule(config, &defaults, error));
    RS_TRY(rs__validate_layers(config, error));
    RS_TRY(rs__validate_data(config, &defaults, error));
    RS_TRY(validate_network(config, &defaults, error));
    if (config->overwrite && config->resume) {
        return RS_FAIL(error, RS_USAGE,
                       "--overwrite and --resume exclude each other: replace the record or go "
                       "on with it");
    }
    if (config->quiet && config->verbose) {
        return RS_FAIL(error, RS_USAGE, "--quiet and --verbose exclude each other");
    }
    bool cpu = is(config->device, "cpu") || is(config->device, "ref");
    if (cpu && is(config->precision, "tf32")) {
        return RS_FAIL(error, RS_USAGE, "--precision tf32 needs a GPU; --device %s computes in f32",
                       config->device);
    }
    return RS_OK;
}
