/* sheet.h: one figure several times on one sheet, for each value of an option of the runs. */
#ifndef RS_PLOT_SHEET_H
#define RS_PLOT_SHEET_H

#include "figure.h"

/* Builds the figure for the inputs of each value of the option `key` and puts the charts together: those of one panel in a
 * grid, others below each other. Groups are told apart and coloured over all inputs. USAGE when there is no such option. */
rs_status rs__sheet_build(const rs__plot *plot, const rs__figure *figure, const char *key, rs__chart *chart,
                          rs_error *error);

#endif
