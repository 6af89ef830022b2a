/* page.h: the parts of the page; see page.c. */
#ifndef RS_REPORT_PAGE_H
#define RS_REPORT_PAGE_H

#include "html.h"
#include "report.h"

/* Figures that were drawn, so that other parts can link to them. */
typedef struct rs__figures {
    rs__texts names;  /* "loss": the element's id is "figure-loss" */
    rs__texts titles; /* of the same */
    rs__texts failed; /* "NAME: why" of those that could not be drawn of what there is */
    rs__texts absent; /* the same of those that these runs are too few for, or have nothing of */
} rs__figures;
bool rs__page_has_figure(const rs__figures *figures, const char *name);
void rs__page_clear_figures(rs__figures *figures);
/* Whether a figure shows layers or blocks one by one. */
bool rs__page_shows_layers(const char *figure);

/* Each writes one section, from its heading on. */
void rs__page_summary(const rs__report *report, FILE *file);
void rs__page_warnings(const rs__report *report, FILE *file);
void rs__page_results(const rs__report *report, FILE *file);
rs_status rs__page_figures(const rs__report *report, FILE *file, rs__figures *figures, rs_error *error);
rs_status rs__page_layers(const rs__report *report, const rs__figures *figures, FILE *file, rs_error *error);
void rs__page_runs(const rs__report *report, FILE *file);
void rs__page_configuration(const rs__report *report, FILE *file);
void rs__page_provenance(const rs__report *report, FILE *file);

/* A table that can be sorted by its columns and scrolls sideways where it is too wide: open, head cells, rows, close. */
void rs__table_open(FILE *file, const char *caption);
void rs__table_head(FILE *file, const char *title);        /* a column of texts */
void rs__table_head_number(FILE *file, const char *title); /* a column of numbers: set right, largest first */
void rs__table_body(FILE *file);                           /* behind the last head */
void rs__table_close(FILE *file);
void rs__cell_text(FILE *file, const char *text);
void rs__cell_integer(FILE *file, int64_t value);
/* A number as text `format` gives ("%.4g"); empty where it is NaN. */
void rs__cell_real(FILE *file, double value);

/* "1,234,567" */
void rs__digits_text(int64_t value, char *text, size_t capacity);

/* The files page.css and page.js, with a zero at their ends. */
extern const char rs__page_css[], rs__page_js[];

#endif
