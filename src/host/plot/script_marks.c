/* script_marks.c: texts, lines, rectangles and looks in gnuplot's language; see writer.h. */
#include <string.h>

#include "rs/host.h"
#include "writer.h"

/* --- texts ---------------------------------------------------------------------------------------------------- */

/* Bytes of the UTF-8 letter that begins here, 0 where none does. */
static size_t letter(const unsigned char *text)
{
    const size_t length = *text < 0x80   ? 1
                          : *text < 0xc2 ? 0
                          : *text < 0xe0 ? 2
                          : *text < 0xf0 ? 3
                          : *text < 0xf5 ? 4
                                         : 0;
    for (size_t i = 1; i < length; i++) {
        if ((text[i] & 0xc0u) != 0x80u) {
            return 0;
        }
    }
    return length;
}

size_t rs__script_quote(const char *text, char *quoted)
{
    size_t used = 0;
    quoted[used++] = '\'';
    for (const unsigned char *c = (const unsigned char *)text; *c;) {
        const size_t length = letter(c);
        if (length > 1) {
            memcpy(quoted + used, c, length);
            used += length;
        } else if (length == 0 || *c < ' ' || *c == 0x7f) {
            quoted[used++] = length == 0 ? '?' : ' ';
        } else {
            if (strchr("\\^_{}@&~", *c)) {
                quoted[used++] = '\\';
            }
            quoted[used++] = (char)*c;
            if (*c == '\'') {
                quoted[used++] = '\'';
            }
        }
        c += length ? length : 1;
    }
    quoted[used++] = '\'';
    quoted[used] = '\0';
    return used;
}

void rs__write_text(const rs__writer *w, const char *text, const char *power)
{
    char *quoted = rs_alloc(2 * strlen(text) + 3);
    if (!quoted) {
        (void)fputs("''", w->out);
        return;
    }
    const size_t length = rs__script_quote(text, quoted);
    (void)fprintf(w->out, "%.*s%s%s%s'", (int)length - 1, quoted, power ? "^{" : "", power ? power : "",
                  power ? "}" : "");
    rs_free(quoted);
}

/* --- looks ---------------------------------------------------------------------------------------------------- */

const char *rs__write_dash(int dash)
{
    static const char *const dashes[RS__DASHES] = {[RS__SOLID] = "solid",
                                                   [RS__DASHED] = "(12,8)",
                                                   [RS__DOTTED] = "(2,8)",
                                                   [RS__DASH_DOT] = "(12,6,2,6)",
                                                   [RS__LONG_DASHES] = "(30,8)"};
    return dashes[dash];
}

uint32_t rs__write_colour(const rs__writer *w, const rs__style *style)
{
    return style->colour == RS__NO_COLOUR ? rs__depth_colour(w->palettes, style->level) : style->colour;
}

/* Diameter of pointtype 7 at pointsize 1 is about 4 points. */
double rs__write_dot(const rs__writer *w, const rs__style *style)
{
    return (style->dot > 0.0 ? style->dot : 3.0) / 12.0 * w->unit;
}

/* --- places --------------------------------------------------------------------------------------------------- */

double rs__write_across(const rs__writer *w, double points)
{
    return points / w->layout->width;
}

double rs__write_up(const rs__writer *w, double points_from_top)
{
    return 1.0 - points_from_top / w->layout->height;
}

void rs__write_rectangle(const rs__writer *w, const rs__box *box, uint32_t colour, double opacity)
{
    (void)fprintf(
        w->out,
        "set object rectangle from screen %.6f,%.6f to screen %.6f,%.6f front fillcolor rgb '#%06x' "
        "fillstyle %ssolid %.3g noborder\n",
        rs__write_across(w, box->left), rs__write_up(w, box->top + box->height),
        rs__write_across(w, box->left + box->width), rs__write_up(w, box->top), colour,
        opacity < 1.0 ? "transparent " : "", opacity);
}

void rs__write_line(const rs__writer *w, double x1, double y1, double x2, double y2, const char *colour,
                    double width, int dash)
{
    (void)fprintf(
        w->out,
        "set arrow from screen %.6f,%.6f to screen %.6f,%.6f nohead front linecolor rgb '%s' linewidth "
        "%.3f dashtype %s\n",
        rs__write_across(w, x1), rs__write_up(w, y1), rs__write_across(w, x2), rs__write_up(w, y2), colour,
        width * w->unit, rs__write_dash(dash));
}

/* `where`: left, center or right; `more`: what else gnuplot is told, with a blank in front. */
void rs__write_label(const rs__writer *w, const char *text, const char *power, double x, double y,
                     const char *where, const char *more)
{
    (void)fputs("set label ", w->out);
    rs__write_text(w, text, power);
    (void)fprintf(w->out, " at screen %.6f,%.6f %s front%s\n", rs__write_across(w, x), rs__write_up(w, y),
                  where, more);
}

void rs__write_fitted(const rs__writer *w, const char *text, double room, double x, double y,
                      const char *where, const char *more)
{
    static const char dots[] = "…";
    size_t length = strlen(text);
    char *fitted = rs_alloc_zero(length + sizeof dots);
    if (!fitted) {
        return;
    }
    memcpy(fitted, text, length);
    while (length > 0 && rs__text_width(fitted, w->layout->font) > room) {
        do { /* whole letters */
            length--;
        } while (length > 0 && ((unsigned char)text[length] & 0xc0u) == 0x80u);
        memcpy(fitted + length, dots, sizeof dots);
    }
    rs__write_label(w, fitted, NULL, x, y, where, more);
    rs_free(fitted);
}

void rs__write_lines(const rs__writer *w, const char *text, double room, double x, double y,
                     const char *where)
{
    const bool upright = strcmp(where, "upright") == 0;
    const double even = rs__even_room(text, w->layout->font, room, w->chart->lines);
    char line[512];
    for (int i = 0; i < w->chart->lines && *text; i++) {
        const bool rest = i + 1 == w->chart->lines;
        const size_t length = rest ? strlen(text) : rs__first_line(text, w->layout->font, even);
        size_t kept = length < sizeof line ? length : sizeof line - 1;
        while (kept < length && kept > 0 && ((unsigned char)text[kept] & 0xc0u) == 0x80u) {
            kept--; /* no part of a letter */
        }
        (void)snprintf(line, sizeof line, "%.*s", (int)kept, text);
        const double down = i * RS__LINE_HEIGHT * w->layout->font;
        rs__write_fitted(w, line, room, x + (upright ? down : 0.0), y + (upright ? 0.0 : down),
                         upright ? "center" : where, upright ? " rotate by 90" : "");
        text += length + (text[length] == ' ');
    }
}
