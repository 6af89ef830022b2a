/* writer.h: what the files that write gnuplot's script share. */
#ifndef RS_PLOT_WRITER_H
#define RS_PLOT_WRITER_H

#include <stdio.h>

#include "script.h"

typedef struct rs__writer {
    FILE *out;
    const rs__chart *chart;
    const rs__layout *layout;
    const rs__palettes *palettes;
    const rs__paper *paper;
    double unit; /* of the terminal's lengths in a point */
    double font; /* size as the terminal counts it */
    int blocks;  /* data blocks so far */
    int next;    /* block that comes next in a plot */
    bool begun;  /* the plot of this panel */
} rs__writer;

/* script_marks.c: texts, lines and rectangles at places on the paper, in points from its upper left corner. */
double rs__write_across(const rs__writer *w, double points); /* as gnuplot's screen coordinates */
double rs__write_up(const rs__writer *w, double points_from_top);
void rs__write_rectangle(const rs__writer *w, const rs__box *box, uint32_t colour, double opacity);
void rs__write_line(const rs__writer *w, double x1, double y1, double x2, double y2, const char *colour,
                    double width, int dash);
/* `power` stands raised behind the text; it may be NULL. `where`: left, center or right; `more`: what else gnuplot is told, with
 * a blank in front. */
void rs__write_label(const rs__writer *w, const char *text, const char *power, double x, double y,
                     const char *where, const char *more);
/* The same; what is longer than `room` ends in "…". */
void rs__write_fitted(const rs__writer *w, const char *text, double room, double x, double y,
                      const char *where, const char *more);
/* As many lines as it takes, as many as the chart's may have, each fitted; the place is that of the first one. `where` may also be upright: from the left to
 * the right, each read upwards, its middle at y. */
void rs__write_lines(const rs__writer *w, const char *text, double room, double x, double y,
                     const char *where);
void rs__write_text(const rs__writer *w, const char *text, const char *power);
const char *rs__write_dash(int dash);
uint32_t rs__write_colour(const rs__writer *w, const rs__style *style);
double rs__write_dot(const rs__writer *w, const rs__style *style); /* pointsize */

/* script_data.c: all data as blocks $d0, $d1, ...; what of a panel's plot draws a series of them. */
void rs__write_data(rs__writer *w);
void rs__write_series(rs__writer *w, const rs__panel *panel);

/* script_texts.c: what stands around the panels: title, key, colours; numbers, title and labels of a panel. */
rs_status rs__write_around(const rs__writer *w, rs_error *error);
void rs__write_panel_texts(const rs__writer *w, int index);
void rs__write_axis(const rs__writer *w, const char *which, const rs__axis *axis);

#endif
