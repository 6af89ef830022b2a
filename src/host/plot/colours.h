/* colours.h: palettes that colour-blind readers can tell apart: one for depth and other ordered things, one for lines that
 * are only different. */
#ifndef RS_PLOT_COLOURS_H
#define RS_PLOT_COLOURS_H

#include <stdint.h>

#include "rs/status.h"

typedef struct rs__palettes {
    int depth, lines; /* rows of the tables */
} rs__palettes;

/* "cividis", "tol", or one of each kind with a comma; NULL: viridis and okabe-ito. USAGE lists them. */
rs_status rs__palettes_parse(const char *text, rs__palettes *palettes, rs_error *error);
/* Names with commas, for --help. */
const char *rs__palette_names(void);

/* 0xRRGGBB; 0 is the first block, 1 the last. Beyond: the nearest. The palest end is left out: it must show on white. */
uint32_t rs__depth_colour(const rs__palettes *palettes, double level);
/* Line `index` of `count`: of the palette of lines, or, where that has too few, evenly from the other. */
uint32_t rs__line_colour(const rs__palettes *palettes, int index, int count);

#endif
