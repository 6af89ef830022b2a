/* chart.h: a figure as numbers: panels in a grid, axes, series, colour bar, key. Figures build one; script.c turns it into
 * gnuplot's language. Everything in a chart is its own copy. */
#ifndef RS_PLOT_CHART_H
#define RS_PLOT_CHART_H

#include <stdbool.h>
#include <stdint.h>

#include "rs/status.h"

typedef enum rs__mark {
    RS__LINE,   /* y over x, gaps where y is not finite */
    RS__STAIRS, /* the same, level up to the next x */
    RS__BAND,   /* filled between low and high */
    RS__POINTS,
    RS__BARS,   /* from the lower edge (0 where the axis has it) to y, `width` wide in x */
    RS__ERRORS, /* points with a bar from low to high */
    RS__CELLS   /* a map of colours: value y2 at (x, y); a full grid, x fastest; see chart's bar */
} rs__mark;

enum { RS__SOLID = 0, RS__DASHED = 1, RS__DOTTED = 2, RS__DASH_DOT = 3, RS__LONG_DASHES = 4, RS__DASHES = 5 };
#define RS__NO_COLOUR UINT32_MAX

/* What a series looks like. */
typedef struct rs__style {
    uint32_t colour; /* 0xRRGGBB; RS__NO_COLOUR: by `level` on the chart's colour bar */
    double level;    /* 0 to 1, as rs__depth_colour takes it */
    double width;    /* points; of BARS in units of x */
    int dash;        /* RS__SOLID ... */
    double opacity;  /* 0 to 1; 0 counts as 1 */
    double dot;      /* diameter of points, in points of length; 0: the usual */
    bool hollow;     /* POINTS: rings instead of dots */
} rs__style;

typedef struct rs__series {
    rs__mark mark;
    rs__style style;
    int64_t count;
    double *x, *y;      /* [count] */
    double *low, *high; /* [count] of BAND and ERRORS; `high` is the value of CELLS; else NULL */
    char *label;        /* in the key; NULL: not there. One key for the chart: each label once */
    char *name;         /* what a pointer is told; NULL: nothing */
} rs__series;

typedef struct rs__tick {
    double at;
    char *text;  /* "" : a small tick without a number */
    char *power; /* stands raised behind it: "10", "-3"; or NULL */
    bool kept;   /* has its text also where every second, or third, goes without */
} rs__tick;

typedef struct rs__axis {
    char *label; /* NULL: none */
    bool log;
    bool whole;       /* ticks at whole numbers only: epochs, steps, depths */
    bool hidden;      /* no ticks and no numbers */
    bool bare;        /* ticks without numbers: the panel beside it has them */
    bool names;       /* texts of x, 1 apart, are names: upright where they are too long */
    bool upright;     /* texts of x stand on end */
    bool zero;        /* the range begins at 0 where nothing is below */
    bool zero_near;   /* the same, but where that would leave more than half of the panel empty */
    bool tight;       /* no margin beyond the data */
    double low, high; /* NaN: from the data; what was set by hand stays */
    int tick_count;   /* ticks with texts instead of numbers */
    rs__tick *ticks;
} rs__axis;

/* What is made of several runs of a group, as the title says it. */
enum {
    RS__MEAN_OF_RUNS = 1,
    RS__STD_OF_RUNS = 2,    /* a band or bars around it */
    RS__TO_SHORTEST_RUN = 4 /* it ends where the first of them does */
};

typedef struct rs__panel {
    char *title;   /* NULL: none */
    unsigned runs; /* RS__MEAN_OF_RUNS | ... */
    rs__axis x, y;
    bool second; /* its cells have the colours of the chart's second bar */
    int count, capacity;
    rs__series *series; /* drawn in this order, bands first: what comes later lies over what came before */
} rs__panel;

enum { RS__MOST_LINES = 4 };

typedef struct rs__bar {
    bool shown;
    char *label;
    double low, high; /* what the ends of the palette stand for */
    bool whole;       /* ticks at whole numbers */
    bool log;
    bool counted; /* of a logarithmic one: low and high are 1 + the numbers, so that 0 has its place */
} rs__bar;

typedef struct rs__chart {
    char *title, *alt; /* the heading; what is told instead of the picture */
    bool show_title;   /* over the panels */
    int rows, columns;
    rs__panel *panels;     /* [rows][columns] */
    bool share_x, share_y; /* panels of a column, of a row have one range and one set of numbers */
    bool share_all_y;      /* all panels have one range of y */
    rs__bar bar;
    rs__bar second;       /* of the cells of panels that say so, in the lower half; else not shown */
    int lines;            /* that texts but the title may have; what is longer ends in dots */
    double width, height; /* points (1/72 inch); what a figure sets is its usual size */
} rs__chart;

/* A zeroed chart becomes one of that many empty panels. */
rs_status rs__chart_make(rs__chart *chart, int rows, int columns, rs_error *error);
void rs__chart_clear(rs__chart *chart); /* frees what it holds; takes a zeroed one */
rs__panel *rs__chart_panel(rs__chart *chart, int row, int column);

/* Sets a text that a chart owns (title, label, name); printf's way. */
rs_status rs__chart_text(char **text, rs_error *error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Ends the title, and what is told instead of the picture, by what the panels make of several runs. */
rs_status rs__chart_tell_runs(rs__chart *chart, rs_error *error);

/* What is added to a panel; copied. `y`, `low`, `high` may be NULL where the mark has none. */
typedef struct rs__points {
    rs__mark mark;
    int64_t count;
    const double *x, *y, *low, *high;
    rs__style style;
    const char *label, *name;
} rs__points;
rs_status rs__panel_add(rs__panel *panel, const rs__points *points, rs_error *error);
void rs__axis_clear(rs__axis *axis); /* frees what it holds */
/* A tick with a text of its own; `power` may be NULL. */
rs_status rs__axis_tick(rs__axis *axis, double at, const char *text, const char *power, rs_error *error);
void rs__axis_keep(rs__axis *axis); /* the tick that was added last */

#endif
