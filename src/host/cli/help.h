/* help.h: the top-level --help. */
#ifndef RS_CLI_HELP_H
#define RS_CLI_HELP_H

#include <stdio.h>

/* Usage, commands, examples, every option (rs_config_help) and exit statuses. The man page and the shell
 * completion are made from this text (scripts/). */
void rs_help_print(FILE *stream);

#endif
