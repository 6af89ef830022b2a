/* layout.h: where everything of a chart lies on the paper, in points from its upper left corner. */
#ifndef RS_PLOT_LAYOUT_H
#define RS_PLOT_LAYOUT_H

#include <stddef.h>

#include "chart.h"
#include "texts.h"

typedef struct rs__box {
    double left, top, width, height;
} rs__box;

typedef struct rs__entry { /* of the key */
    const rs__series *series;
    double left, middle; /* of its sample's left end; of its first line's middle */
    double room;         /* for each line of its text */
} rs__entry;

typedef struct rs__layout {
    double width, height, font; /* points */
    double title;               /* height of the title's strip, 0: none */
    int title_lines;
    rs__box *panels; /* [rows * columns]: between the axes */
    double *label_x,
        *label_y; /* [rows * columns]: middle of the first line of the y axis' label, of the x axis' */
    double *room_x,
        *room_y; /* [rows * columns]: how long texts may be that stand over or under, beside a panel */
    rs__box bar, second; /* of the colours */
    int entry_count;
    rs__entry *entries;
    double sample; /* length of a sample in the key */
} rs__layout;

/* Sizes from the chart (with ranges and ticks) and the font's. Where nothing is left for the panels, the chart's texts get fewer lines;
 * USAGE when that does not help. */
rs_status rs__layout_make(rs__chart *chart, double font, rs__layout *layout, rs_error *error);
void rs__layout_free(rs__layout *layout); /* takes a zeroed one */

/* Height that the key takes in a chart of that width. */
double rs__key_height(const rs__chart *chart, double font);

/* Sets names at x axes on end where they are too long to stand side by side; ranges must be there. */
void rs__turn_names(rs__chart *chart, double font);

/* Height that long names under the panels take beyond that of numbers, and long titles over them beyond one line. */
double rs__names_height(const rs__chart *chart, double font);

/* Height of a panel, before there is a layout; ranges must be there. */
double rs__panel_height(const rs__chart *chart, double font);

/* Thins every line of the chart to what its panel can show. */
rs_status rs__chart_thin(rs__chart *chart, const rs__layout *layout, rs_error *error);

#endif
