/* html.h: writes HTML, CSV, Markdown and JSON so that no text of a record can break out of its place. */
#ifndef RS_REPORT_HTML_H
#define RS_REPORT_HTML_H

#include <stdio.h>

/* printf for HTML: the format is markup and is written as it is, every %s is a text and is escaped, for element content as
 * for attributes in quotes. Bytes that are no UTF-8 and control characters become U+FFFD. Takes %s, and %d %g and their like
 * with flags, precision and length; NULL texts are empty. */
void rs__html(FILE *file, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A text, escaped. */
void rs__html_text(FILE *file, const char *text);
/* A text as an id or the part of a link behind '#': letters, digits and dashes stay, all else becomes _HEX. */
void rs__html_id(FILE *file, const char *text);

/* A JSON string with its quotes; '<' and '&' as \u.... so that it may stand in a script element. */
void rs__report_json_text(FILE *file, const char *text);
/* A JSON number of `digits` digits; null where it is none. */
void rs__report_json_number(FILE *file, double value, int digits);

/* A CSV field in quotes, quotes doubled. */
void rs__report_csv_text(FILE *file, const char *text);
/* A cell of a Markdown table: |, <, & and line ends cannot end it or begin markup. */
void rs__report_markdown_text(FILE *file, const char *text);

#endif
