/* validate.h: the parts of rs_config_validate that stand in files of their own. Internal to config. */
#ifndef RS_CONFIG_VALIDATE_H
#define RS_CONFIG_VALIDATE_H

#include "rs/config.h"

/* Options of data that would have no effect, or exclude each other. USAGE. */
rs_status rs__validate_data(const rs_config *config, const rs_config *defaults, rs_error *error);
/* Combinations of what layers learn by, where weights begin, and when training ends. USAGE. */
rs_status rs__validate_layers(const rs_config *config, rs_error *error);

#endif
