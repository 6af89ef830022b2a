/* rs/plot.h: figures of records and results, drawn by gnuplot (run as a program): the command `plot`, and the same for the
 * parts of the program that want a figure in memory.
 *
 * Inputs are paths: records of runs, result files of `analyze`, summaries of studies (rs/result_file.h), or folders of
 * these. Runs that differ in their seeds alone are drawn as one: mean and standard deviation. */
#ifndef RS_PLOT_H
#define RS_PLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rs/status.h"

/* How a figure is drawn. All zero: as the figure has it. Texts are borrowed for the call. */
typedef struct rs_plot_options {
    int64_t smooth; /* mean over that many neighbouring points; 0, 1: none */
    double
        outliers; /* before that, what lies beyond so many standard deviations becomes the mean; 0: nothing */
    const char *log;  /* "x", "y", "xy" or "none": logarithmic axes; NULL: the figure's own */
    bool individual;  /* single runs, thin, behind the mean over seeds */
    const char *size; /* "8.6x6cm" or "800x600px"; NULL: the figure's own */
    const char *font; /* family; NULL: sans-serif */
    double font_size; /* points; 0: 8 */
    const char
        *palette; /* "viridis", "okabe-ito", ... see --help; one of each kind with a comma; NULL: those two */
    const char *title;     /* NULL: the figure's own; "": none */
    const char *statistic; /* of medians: "median,min,max"; NULL: median */
    bool per_weight;       /* distances divided by the number of weights */
    const char *metric;    /* "cosine"; NULL: the record's first */
    const char *layers;    /* globs with commas over layers, parameters or blocks; NULL: all */
    const char *split;     /* "train,valid,test": which of them; NULL: those that there are */
    const char
        *sheet;    /* configuration key: one panel, or row of panels, for each of its values; NULL: none */
    int64_t steps; /* first and last steps of gradient-flow; 0: 5 */
    const char *script; /* keep gnuplot's script there; NULL: not */
} rs_plot_options;

typedef struct rs_plot_request {
    const char *figure; /* "distances": rs_plot_figure_at lists them */
    int input_count;
    const char *const *inputs; /* [input_count] */
    rs_plot_options options;
} rs_plot_request;

/* A figure of the table; static texts. */
typedef struct rs_plot_figure {
    const char *name, *shows; /* "loss", "losses by epoch: ..." */
    const char *needs;        /* "record: epochs" for people */
} rs_plot_figure;
/* NULL behind the last. */
const rs_plot_figure *rs_plot_figure_at(int index);
/* Whether that file has what each figure needs: can[i] of rs_plot_figure_at(i); false also when it cannot be read. MEMORY. */
rs_status rs_plot_can_all(const char *path, bool *can, rs_error *error);

/* What can be found in a drawing, for values under a pointer. Numbers as drawn: smoothed, in the axes' units. */
typedef struct rs_plot_curve {
    char *name; /* "ResNet-18 plain, layer1.0" */
    int64_t count;
    double *x, *y; /* [count]; y NaN where there is none */
} rs_plot_curve;
typedef struct rs_plot_panel {
    char *title, *x_label, *y_label;     /* plain text; "" none */
    double left, top, width, height;     /* of the area between the axes, in units of the SVG's viewBox */
    double x_low, x_high, y_low, y_high; /* what its edges stand for */
    bool x_log, y_log;
    int curve_count;
    rs_plot_curve *curves;
} rs_plot_panel;
typedef struct rs_plot_drawing {
    char *svg;         /* <svg ...>...</svg> without an XML declaration, to stand in HTML; zero-terminated */
    char *title, *alt; /* plain text: a heading, and what a reader who cannot see it is told */
    double width, height; /* of the viewBox: 96 units to an inch */
    int panel_count;
    rs_plot_panel *panels;
} rs_plot_drawing;

/* What figures call a network: "ResNet-18 plain"; of --network networks/b.yaml "b". Options as in the configuration, "" where there are none. */
void rs_plot_network_name(const char *network, const char *blocks, int64_t depth, bool plain, char *text,
                          size_t capacity);

/* Draws into memory. `prefix` begins every id in the SVG, so that several can stand in one page; letters, digits, - and _.
 * USAGE: no such figure, option or input; DATA: an input that cannot be read or has not what the figure needs;
 * UNSUPPORTED: there is no gnuplot; FAILED: gnuplot failed (its message is in the text). The caller destroys it. */
rs_status rs_plot_draw(const rs_plot_request *request, const char *prefix, rs_plot_drawing *drawing,
                       rs_error *error);
void rs_plot_drawing_destroy(rs_plot_drawing *drawing); /* takes a zeroed one */

/* Draws into a file, whole or not at all: .svg, .png or .pdf by its name. Errors as above, IO when it cannot be written. */
rs_status rs_plot_save(const rs_plot_request *request, const char *path, rs_error *error);

/* Whether gnuplot is there; its path or name is $RS_GNUPLOT, else gnuplot. UNSUPPORTED names the package. */
rs_status rs_plot_available(rs_error *error);

/* The command `plot FIGURE INPUT... -o FILE`; argv[0] is "plot". Returns the exit status of the program. */
int rs_command_plot(int argc, char **argv);

#endif
