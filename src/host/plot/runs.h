/* runs.h: series of the runs of a group as curves: one run as a line, several as their mean and standard deviation. */
#ifndef RS_PLOT_RUNS_H
#define RS_PLOT_RUNS_H

#include "figure.h"

/* One series of every run of a group: [run][row][width], rows may differ. */
typedef struct rs__series_of_runs {
    int runs;
    double **values;
    int64_t *rows, longest, width;
} rs__series_of_runs;
/* DATA when a run has not that path, or rows of another width than the first one's. */
rs_status rs__runs_read(const rs__group *group, const char *path, rs__series_of_runs *series,
                        rs_error *error);
void rs__runs_free(rs__series_of_runs *series); /* takes a zeroed one */

/* How one column of it is drawn. */
typedef struct rs__curve_style {
    rs__mark mark; /* RS__LINE or RS__STAIRS */
    uint32_t colour;
    int dash;
    double width;             /* points; 0: 1 */
    bool dots;                /* a point at every row, too */
    double first, step;       /* x of the first row, and between rows; step 0: 1 */
    const char *label, *name; /* in the key (NULL: not); for a pointer */
} rs__curve_style;
/* Adds column `column`: of several runs a band of mean +- standard deviation, with --individual each run thin behind it, and
 * the mean, as far as all of them go: runs that a stop rule ended at different times go on alone, thin. Smoothed run by run
 * as the options say. */
rs_status rs__runs_draw(const rs__plot *plot, const rs__series_of_runs *series, int64_t column,
                        const rs__curve_style *style, rs__panel *panel, rs_error *error);
/* Both for a series of one number a row; nothing is added where no run has that path. */
rs_status rs__runs_add(const rs__plot *plot, const rs__group *group, const char *path,
                       const rs__curve_style *style, rs__panel *panel, rs_error *error);

/* Whether the values of a panel ask for a logarithmic axis: all above 0, over more than two decades. */
bool rs__wants_log(const rs__panel *panel);

/* The panels that one quantity takes for splits, and the like: of one group, all in one panel, told apart by colour and dash; of
 * several, one panel each. */
uint32_t rs__split_colour(const rs__plot *plot, int index);
int rs__split_dash(int index); /* in every figure: training solid, validation dotted, test dashed */

#endif
