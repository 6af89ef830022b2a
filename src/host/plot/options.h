/* options.h: the command line of `plot`. */
#ifndef RS_PLOT_OPTIONS_H
#define RS_PLOT_OPTIONS_H

#include <stdio.h>

#include "figure.h"

typedef struct rs__command {
    rs_plot_request request;
    const char *out;
    bool help;
    const char **inputs; /* room for argc; request.inputs points there */
} rs__command;

/* Parses argv[1..]. USAGE with the nearest figure or option, and options that the figure has not. */
rs_status rs__command_parse(rs__command *command, int argc, char **argv, rs_error *error);
void rs__command_help(FILE *stream);

/* "8.6x6cm", "800x600px", "4x3in"; without a unit pixels. In points, and the resolution of a PNG of it: 300, of pixels 96. */
rs_status rs__size_parse(const char *text, double *width, double *height, double *dpi, rs_error *error);

#endif
