/* config_validate_layers.c: combinations of options about layers, losses, warm starts and stop rules that contradict each
 * other or would have no effect. */
#include <string.h>

#include "validate.h"

static bool is(const char *value, const char *word)
{
    return strcmp(value, word) == 0;
}

static rs_status needs(bool given, const char *option, bool there, const char *what, rs_error *error)
{
    return given && !there ? RS_FAIL(error, RS_USAGE, "%s has no effect without %s", option, what) : RS_OK;
}

/* From an epoch on that never comes. */
static rs_status comes(int64_t from, const char *option, const rs_config *c, rs_error *error)
{
    return from > 0 && from >= c->epochs
               ? RS_FAIL(error, RS_USAGE,
                         "%s %lld has no effect in a run of %lld epochs, the last of which is epoch %lld",
                         option, (long long)from, (long long)c->epochs, (long long)c->epochs - 1)
               : RS_OK;
}

static rs_status validate_isolation(const rs_config *c, rs_error *error)
{
    const bool isolated = !is(c->isolate, "off"), weighed = !is(c->layer_loss, "off");
    const bool target =
        weighed || is(c->isolate, "target") || rs_config_records(c, RS_RECORD_LAYER_LOSSES, NULL);
    RS_TRY(needs(c->isolate_from > 0, "--isolate-from", isolated, "--isolate", error));
    RS_TRY(needs(c->freeze_from > 0, "--freeze-from", c->freeze[0], "--freeze", error));
    RS_TRY(comes(c->isolate_from, "--isolate-from", c, error));
    RS_TRY(comes(c->freeze_from, "--freeze-from", c, error));
    RS_TRY(needs(c->layer_target != 0.5, "--layer-target", target,
                 "--layer-loss, --isolate target or --record layer-losses", error));
    if (isolated && weighed) {
        return RS_FAIL(error, RS_USAGE,
                       "--isolate %s and --layer-loss %s exclude each other: both say what layers learn by",
                       c->isolate, c->layer_loss);
    }
    return RS_OK;
}

/* The gradient of the input is that of the loss alone, and it must get there. */
static rs_status validate_sensitivity(const rs_config *c, rs_error *error)
{
    const bool labels = !is(c->loss, "mse") && !is(c->dataset, "function");
    if (rs_config_records(c, RS_RECORD_SENSITIVITY, NULL)) {
        if (!is(c->isolate, "off") || !is(c->layer_loss, "off")) {
            return RS_FAIL(
                error, RS_USAGE,
                "--record sensitivity: the gradient of the input is not the loss's own with --isolate or "
                "--layer-loss");
        }
        RS_TRY(needs(true, "--record sensitivity", labels, "labels to predict", error));
    }
    return needs(is(c->loss_labels, "added"), "--loss-labels added", labels, "labels to predict", error);
}

static rs_status validate_warm_start(const rs_config *c, rs_error *error)
{
    const bool from = c->init_from[0];
    RS_TRY(needs(!is(c->init_snapshot, "last"), "--init-snapshot", from, "--init-from", error));
    RS_TRY(needs(c->init_optimizer, "--init-optimizer", from, "--init-from", error));
    RS_TRY(needs(c->reinitialize[0], "--reinitialize", from, "--init-from", error));
    if (c->init_optimizer && !is(c->init_snapshot, "last")) {
        return RS_FAIL(
            error, RS_USAGE,
            "--init-optimizer takes the state where that run ended: it needs --init-snapshot last");
    }
    return RS_OK;
}

rs_status rs__validate_layers(const rs_config *config, rs_error *error)
{
    RS_TRY(validate_isolation(config, error));
    RS_TRY(validate_sensitivity(config, error));
    RS_TRY(validate_warm_start(config, error));
    if (is(config->dataset, "function") &&
        (is(config->loss, "cross-entropy") || is(config->loss, "kl-divergence"))) {
        return RS_FAIL(error, RS_USAGE, "--loss %s needs labels; --dataset function has numbers: mse",
                       config->loss);
    }
    RS_TRY(needs(config->stop_change_from > 0, "--stop-change-from", config->stop_change > 0.0,
                 "--stop-change", error));
    return comes(config->stop_change_from, "--stop-change-from", config, error);
}
