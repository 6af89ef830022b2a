/* gnuplot.h: runs gnuplot as a program. */
#ifndef RS_PLOT_GNUPLOT_H
#define RS_PLOT_GNUPLOT_H

#include <stddef.h>

#include "rs/status.h"

/* Hands it a script and takes what it writes to stdout: the caller's (rs_free), zero-terminated. UNSUPPORTED when there is
 * no gnuplot, with the package's name; FAILED with what it said when it failed, or wrote nothing. */
rs_status rs__gnuplot_run(const char *script, char **output, size_t *length, rs_error *error);

#endif
