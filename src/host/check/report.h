/* report.h: the table that check prints, and its count. One row per comparison of a whole case: its worst value;
 * with verbose every value; a failure shows every value that failed and the command that repeats it. */
#ifndef RS_CHECK_REPORT_H
#define RS_CHECK_REPORT_H

#include "rs/check.h"

/* A row while it is being filled. */
typedef struct rs_check_row {
    rs_check_report *report;
    const char *name, *against; /* "conv_1x1_64_128", "cpu direct / ref f64" */
    double tolerance, error;    /* the error is the worst so far */
    char worst[128];
    int passed, failed;
} rs_check_row;

void rs_check_report_begin(const rs_check_report *report); /* the heading */
/* "N passed, M failed"; exit status: 0 when something was compared and all of it passed. */
int rs_check_report_end(const rs_check_report *report);

rs_check_row rs_check_row_begin(rs_check_report *report, const char *name, const char *against,
                                double tolerance);
/* One value. The error of a failed comparison may be NaN. */
void rs_check_row_add(rs_check_row *row, const char *what, double error, bool within);
void rs_check_row_compare(rs_check_row *row, const char *what, const rs_comparison *comparison);
void rs_check_row_end(rs_check_row *row);

/* A row that could not be computed: counts as one failure. */
void rs_check_report_broken(rs_check_report *report, const char *name, const char *against, const char *why);

#endif
