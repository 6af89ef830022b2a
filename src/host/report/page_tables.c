/* page_tables.c: tables of the page: heads that sort, cells that carry their value; see page.h. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "page.h"

void rs__table_open(FILE *file, const char *caption)
{
    rs__html(file,
             "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"%s\">\n<table "
             "class=\"sort\"><caption>%s</caption>\n<thead><tr>",
             caption, caption);
}

void rs__table_head(FILE *file, const char *title)
{
    rs__html(file, "<th scope=\"col\">%s</th>", title);
}

void rs__table_head_number(FILE *file, const char *title)
{
    rs__html(file, "<th scope=\"col\" class=\"number\">%s</th>", title);
}

void rs__table_body(FILE *file)
{
    rs__html(file, "</tr></thead>\n<tbody>\n");
}

void rs__table_close(FILE *file)
{
    rs__html(file, "</tbody></table></div>\n");
}

void rs__cell_text(FILE *file, const char *text)
{
    rs__html(file, "<td>%s</td>", text);
}

void rs__digits_text(int64_t value, char *text, size_t capacity)
{
    char plain[32];
    size_t used = 0;
    const size_t length = (size_t)snprintf(plain, sizeof plain, "%" PRId64, value);
    for (size_t i = 0; i < length && used + 2 < capacity; i++) {
        bool mark = i > 0 && (length - i) % 3 == 0 && plain[i - 1] != '-';
        if (mark) {
            text[used++] = ',';
        }
        text[used++] = plain[i];
    }
    text[used] = '\0';
}

void rs__cell_integer(FILE *file, int64_t value)
{
    char text[48];
    rs__digits_text(value, text, sizeof text);
    rs__html(file, "<td class=\"number\" data-value=\"%" PRId64 "\">%s</td>", value, text);
}

void rs__cell_real(FILE *file, double value)
{
    if (isnan(value)) {
        rs__html(file, "<td class=\"number\"></td>");
    } else {
        const bool whole = fabs(value) >= 1e4 && fabs(value) < 1e7; /* no exponent for what is read easily */
        rs__html(file, "<td class=\"number\" data-value=\"%.9g\">", value);
        rs__html(file, whole ? "%.0f</td>" : "%.4g</td>", value);
    }
}
