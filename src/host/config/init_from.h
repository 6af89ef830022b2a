/* init_from.h: which beginning --init-from stands for, wherever its file lies. Internal to config. */
#ifndef RS_CONFIG_INIT_FROM_H
#define RS_CONFIG_INIT_FROM_H

#include "rs/config.h"

/* Whether a file has a name as runs give it, NAME-xxxxxxxx.h5: its hash says what is in it. */
bool rs__init_from_is_run(const char *path);
/* The path, without its folders where a run's hash or --init-digest says what the file is. */
const char *rs__init_from_key(const rs_config *config);
/* Whether two configurations begin from the same: a digest counts where both are known. */
bool rs__init_from_same(const rs_config *a, const rs_config *b);
/* Sets config->init_digest of a file that is neither a run's nor HDF5; "" where it cannot be read. USAGE when another one
 * was given. */
rs_status rs__init_from_resolve(rs_config *config, rs_error *error);

#endif
