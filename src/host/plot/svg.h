/* svg.h: gnuplot's SVG made fit for the page it stands in. */
#ifndef RS_PLOT_SVG_H
#define RS_PLOT_SVG_H

#include "rs/status.h"

/* Gives it a title and a description, and fonts what may stand for them. In a page (`prefix` not NULL): no XML declaration,
 * and every id and what points to it begins with the prefix. *clean is the caller's (rs_free). FAILED when it is no SVG. */
rs_status rs__svg_clean(const char *svg, const char *prefix, const char *title, const char *alt, char **clean,
                        rs_error *error);

#endif
