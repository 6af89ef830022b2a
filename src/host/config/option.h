/* option.h: one option of the table: its value as text and back. Internal to config. */
#ifndef RS_CONFIG_OPTION_H
#define RS_CONFIG_OPTION_H

#include "rs/config.h"

/* By exact long name; NULL when there is none. */
const rs_option *rs__option_find(const char *name);
/* The long name nearest to `name`, or NULL when none is near. */
const char *rs__option_nearest(const char *name);
/* Whether it is a flag that is on unless switched off. */
bool rs__option_on_by_default(const rs_option *option);

/* PyTorch's default of the configuration's optimizer. */
double rs__default_epsilon(const rs_config *config);
double rs__default_weight_decay(const rs_config *config);
/* config_validate.c: USAGE: a ResNet's options beside --network. */
rs_status rs__refuse_resnet_options(const rs_config *config, rs_error *error);
/* A configuration, with the epsilon and weight decay that it has in effect, and the defaults that it is compared with. */
void rs__beside_defaults(const rs_config *config, rs_config *own, rs_config *defaults);

/* The value in its one canonical spelling: reals as the shortest text that reads back to the same bits and
 * that every YAML reader takes for a real ("1.0e-08"). */
void rs__option_text(const rs_option *option, const rs_config *config, char text[RS_TEXT_MAX]);

/* Sets the option from text. `place` as in rs_config_set. USAGE, and no change, for a bad value. */
rs_status rs__option_set(const rs_option *option, rs_config *config, const char *text, const char *place,
                         rs_error *error);

/* What may stand there: "one of 18, 26, 34", "a whole number of at least 0"; "" for free text. */
void rs__option_allowed(const rs_option *option, char *text, size_t capacity);

/* "--depth 67" or "study.yaml:12: depth 67": how every message about a value begins. Control characters are
 * shown as '?', long values are cut. */
void rs__option_label(const char *place, const char *name, const char *text, char *label, size_t capacity);

#endif
