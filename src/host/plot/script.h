/* script.h: a chart with its layout in gnuplot's language. All that gnuplot is ever told is written here. */
#ifndef RS_PLOT_SCRIPT_H
#define RS_PLOT_SCRIPT_H

#include <stddef.h>

#include "colours.h"
#include "layout.h"

typedef enum rs__format { RS__SVG, RS__PNG, RS__PDF } rs__format;

typedef struct rs__paper {
    rs__format format;
    const char *font; /* NULL: Helvetica, or what stands for it */
    double dpi;       /* of PNG */
    bool transparent; /* no background: SVG that stands in a page */
} rs__paper;

/* The whole script; it writes the picture to stdout. The caller's (rs_free). */
rs_status rs__script_write(const rs__chart *chart, const rs__layout *layout, const rs__palettes *palettes,
                           const rs__paper *paper, char **script, rs_error *error);

/* A text as gnuplot's enhanced text in single quotes, with everything that has a meaning there escaped and bytes that are no
 * UTF-8 replaced by "?". Returns its length, which is at most 2 * strlen + 2; `quoted` has room for one more. */
size_t rs__script_quote(const char *text, char *quoted);

#endif
