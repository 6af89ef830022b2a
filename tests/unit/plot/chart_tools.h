/* chart_tools.h: charts of tests: a line in a panel, from ranges to gnuplot's script, and all of it freed. */
#ifndef RS_TEST_CHART_TOOLS_H
#define RS_TEST_CHART_TOOLS_H

#include "colours.h"
#include "layout.h"

extern const rs__palettes chart_palettes;

void chart_line(rs__chart *chart, int panel, int64_t count, const double *x, const double *y,
                const char *label);
/* A chart of one panel with that line. */
void chart_single(rs__chart *chart, int64_t count, const double *x, const double *y, const char *label);
/* Of 400 x 300 points; the script holds no nan and no inf. */
void chart_finish(rs__chart *chart, rs__layout *layout, char **script);
void chart_drop(rs__chart *chart, rs__layout *layout, char *script);

#endif
