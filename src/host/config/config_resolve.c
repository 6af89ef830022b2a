/* config_resolve.c: what follows from the files that options name; see rs/config.h. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "init_from.h"
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

rs_status rs_config_resolve(rs_config *config, rs_error *error)
{
    RS_TRY(resolve_network(config, error));
    return rs__init_from_resolve(config, error);
}
