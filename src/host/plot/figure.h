/* figure.h: what a figure is to the rest of this folder: a function that turns inputs into a chart. */
#ifndef RS_PLOT_FIGURE_H
#define RS_PLOT_FIGURE_H

#include "chart.h"
#include "colours.h"
#include "groups.h"
#include "inputs.h"
#include "rs/plot.h"

/* What a figure is drawn from. Every input has what its line in figures.def asks for. */
typedef struct rs__plot {
    const rs_plot_options *options;
    rs__palettes palettes;
    rs__inputs inputs;
    rs__groups groups;     /* of the records among them */
    const rs__inputs *all; /* a part of a sheet: those of the whole sheet; else NULL */
} rs__plot;

/* Fills a zeroed chart: panels with their series, titles and labels; chart->title and alt always. What it does not set is
 * done for it: ranges, ticks, thinning, size, --log. On failure the chart is cleared by the caller. */
typedef rs_status rs__build(const rs__plot *plot, rs__chart *chart, rs_error *error);

typedef struct rs__figure {
    rs_plot_figure shown; /* name, what it shows, what it needs as people say it */
    const char *needs;    /* as rs__input_has takes it */
    const char *takes;    /* options beside those that all have: "--smooth --individual" */
    rs__build *build;
} rs__figure;

/* The table, in the order of figures.def; NULL behind the last. */
const rs__figure *rs__figure_at(int index);
/* USAGE with the nearest name. */
rs_status rs__figure_find(const char *name, const rs__figure **figure, rs_error *error);

#define X(name, function, needs, takes, from, shows) rs__build function;
#include "figures.def"
#undef X

#endif
