/* cell_map.h: a full grid of numbers as cells of colour, in a panel. */
#ifndef RS_PLOT_CELL_MAP_H
#define RS_PLOT_CELL_MAP_H

#include "chart.h"

/* Centres of the cells: x of column c is x_first + c * x_step, y of row r alike. */
typedef struct rs__cell_map {
    int64_t columns, rows;
    double x_first, x_step, y_first, y_step;
    const double *values; /* [rows][columns]; NaN: nothing is drawn */
    const char *name;
} rs__cell_map;

/* Adds it. gnuplot draws no image of a single row or column: that one is divided in two halves. */
rs_status rs__panel_add_map(rs__panel *panel, const rs__cell_map *map, rs_error *error);

#endif
