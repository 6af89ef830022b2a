/* checkers.h: checks of the TEXT options, by the name that options.def gives. Internal to config. */
#ifndef RS_CONFIG_CHECKERS_H
#define RS_CONFIG_CHECKERS_H

#include "rs/config.h"

/* What a checker takes, for messages and help; "" for the checker "". */
const char *rs__checker_allowed(const char *checker);
/* Checks `text` (shorter than RS_TEXT_MAX) and writes it in canonical spelling. USAGE says what is wrong,
 * what is allowed and the nearest match. */
rs_status rs__checker_run(const char *checker, const char *text, char canonical[RS_TEXT_MAX],
                          rs_error *error);

/* The grammars of --record (record_list.c) and --snapshots (snapshot_list.c). */
rs_status rs__record_check(const char *text, char canonical[RS_TEXT_MAX], rs_error *error);
rs_status rs__snapshots_check(const char *text, char canonical[RS_TEXT_MAX], rs_error *error);

/* --normalization, --augment and --function (data_checkers.c). */
rs_status rs__normalization_check(const char *text, char canonical[RS_TEXT_MAX], rs_error *error);
rs_status rs__augment_check(const char *text, char canonical[RS_TEXT_MAX], rs_error *error);
rs_status rs__function_check(const char *text, char canonical[RS_TEXT_MAX], rs_error *error);

#endif
