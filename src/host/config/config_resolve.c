/* config_resolve.c: what follows from other options and from the files that they name; see rs/config.h. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "init_from.h"
#include "option.h"
#include "rs/config.h"
#include "rs/yaml.h"

static rs_status resolve_network(rs_config *config, rs_error *error)
{
    rs_yaml *root = NULL;
    char digest[17];
    if (!rs_yaml_is_path(config->network)) {
        return *config->network_digest
                   ? RS_FAIL(error, RS_USAGE, "--network-digest is for a --network that is a file")
                   : RS_OK;
    }
    RS_TRY(rs_yaml_load(config->network, &root, error));
    (void)snprintf(digest, sizeof digest, "%016" PRIx64, rs_yaml_digest(root));
    rs_yaml_destroy(root);
    if (*config->network_digest && strcmp(config->network_digest, digest) != 0) {
        return RS_FAIL(error, RS_USAGE,
                       "%s: its layers are not those that --network-digest %s stands for; now %s",
                       config->network, config->network_digest, digest);
    }
    (void)snprintf(config->network_digest, sizeof config->network_digest, "%s", digest);
    return RS_OK;
}

double rs__default_epsilon(const rs_config *config)
{
    return strcmp(config->optimizer, "adagrad") == 0 ? 1e-10 : 1e-8;
}

double rs_config_epsilon(const rs_config *config)
{
    return config->epsilon < 0.0 ? rs__default_epsilon(config) : config->epsilon;
}

double rs__default_weight_decay(const rs_config *config)
{
    return strcmp(config->optimizer, "adamw") == 0 ? 1e-2 : 0.0;
}

double rs_config_weight_decay(const rs_config *config)
{
    return config->weight_decay < 0.0 ? rs__default_weight_decay(config) : config->weight_decay;
}

void rs__beside_defaults(const rs_config *config, rs_config *own, rs_config *defaults)
{
    *own = *config;
    rs_config_default(defaults);
    own->epsilon = rs_config_epsilon(config);
    defaults->epsilon = rs__default_epsilon(config);
    own->weight_decay = rs_config_weight_decay(config);
    defaults->weight_decay = rs__default_weight_decay(config);
}

rs_status rs_config_resolve(rs_config *config, rs_error *error)
{
    config->epsilon = rs_config_epsilon(config);
    config->weight_decay = rs_config_weight_decay(config);
    RS_TRY(resolve_network(config, error));
    return rs__init_from_resolve(config, error);
}
