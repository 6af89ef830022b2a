/* script_texts.c: title, key and colours around the panels, and what stands at a panel's axes; see writer.h. */
#include <math.h>
#include <string.h>

#include "axes.h"
#include "rs/host.h"
#include "writer.h"

/* --- outside of panels ---------------------------------------------------------------------------------------- */

/* As many of its words as a line of an even share of it takes, line by line. */
static void put_title(const rs__writer *w)
{
    const double font = 1.1 * w->layout->font, line = RS__LINE_HEIGHT * w->layout->font;
    char more[64], text[512];
    const char *at = w->chart->title;
    (void)snprintf(more, sizeof more, " font ',%.4g'", 1.1 * w->font);
    for (int i = 0; i < w->layout->title_lines && *at; i++) {
        const double share = rs__text_width(at, font) / (w->layout->title_lines - i);
        size_t length = 0;
        do {
            length += strcspn(at + length + (length > 0), " ") + (length > 0);
            (void)snprintf(text, sizeof text, "%.*s", (int)length, at);
        } while (at[length] && rs__text_width(text, font) < share);
        rs__write_label(w, text, NULL, w->layout->width / 2.0, (0.7 + 0.95) * w->layout->font + i * line,
                        "center", more);
        at += length + (at[length] == ' ');
    }
}

/* gnuplot's SVG makes one path, with the dashes of the first, of lines that follow each other in one colour and width: neighbours differ a little
 * in width. */
static void put_sample(const rs__writer *w, const rs__entry *entry)
{
    const double apart = (entry - w->layout->entries) % 2 ? 0.002 : 0.0;
    const rs__series *s = entry->series;
    const rs__style *style = &s->style;
    const double right = entry->left + w->layout->sample,
                 opacity = style->opacity > 0.0 ? style->opacity : 1.0;
    char colour[16], more[96];
    (void)snprintf(colour, sizeof colour, "#%06x", rs__write_colour(w, style));
    if (s->mark == RS__LINE || s->mark == RS__STAIRS) {
        rs__write_line(w, entry->left, entry->middle, right, entry->middle, colour, style->width + apart,
                       style->dash);
    } else if (s->mark == RS__BAND || s->mark == RS__BARS) {
        const double half = 0.35 * w->layout->font;
        rs__write_rectangle(w, &(rs__box){entry->left, entry->middle - half, right - entry->left, 2.0 * half},
                            rs__write_colour(w, style), opacity);
    } else {
        (void)snprintf(more, sizeof more, " point pointtype %d pointsize %.3f linecolor rgb '%s'",
                       s->mark == RS__POINTS && style->hollow ? 6 : 7,
                       0.25 * w->unit * (style->dot > 0.0 ? style->dot : 3.0) / 3.0, colour);
        rs__write_label(w, "", NULL, (entry->left + right) / 2.0, entry->middle, "left", more);
    }
}

static void put_key(const rs__writer *w)
{
    for (int i = 0; i < w->layout->entry_count; i++) {
        const rs__entry *entry = &w->layout->entries[i];
        put_sample(w, entry);
        const double left = entry->left + w->layout->sample + 0.5 * w->layout->font;
        rs__write_lines(w, entry->series->label, entry->room, left, entry->middle, "left");
    }
}

/* The colours from low to high: slices that lie over each other, so that no seam shows; of few whole steps one each. */
static rs_status put_bar(const rs__writer *w, const rs__bar *bar, const rs__box *box, rs_error *error)
{
    if (!bar->shown) {
        return RS_OK;
    }
    rs__axis axis;
    bool stepped;
    const rs_status status = rs__bar_axis(bar, &axis, &stepped, error);
    const int slices = stepped ? (int)(bar->high - bar->low) + 1 : 96;
    for (int i = 0; i < slices; i++) {
        const double part = slices > 1 ? (double)i / (slices - 1) : 0.0;
        const double height = box->height * (slices - i) / slices;
        rs__write_rectangle(w, &(rs__box){box->left, box->top, box->width, height},
                            rs__depth_colour(w->palettes, part), 1.0);
    }
    double widest = 0.0;
    for (int i = 0; i < axis.tick_count; i++) {
        const double y = box->top + box->height * (1.0 - rs__axis_part(&axis, axis.ticks[i].at));
        const bool there = !status && y > box->top - 0.01 && y < box->top + box->height + 0.01;
        if (there) {
            const double length = (*axis.ticks[i].text ? 0.3 : 0.15) * w->layout->font;
            rs__write_line(w, box->left + box->width, y, box->left + box->width + length, y, "#000000", 0.6,
                           RS__SOLID);
        }
        if (there && *axis.ticks[i].text) {
            rs__write_label(w, axis.ticks[i].text, axis.ticks[i].power,
                            box->left + box->width + 0.5 * w->layout->font, y, "left", "");
        }
        widest = fmax(widest, rs__text_width(axis.ticks[i].text, w->layout->font) +
                                  rs__text_width(axis.ticks[i].power, 0.8 * w->layout->font));
    }
    rs__axis_clear(&axis);
    if (bar->label) {
        rs__write_label(w, bar->label, NULL, box->left + box->width + 1.2 * w->layout->font + widest,
                        box->top + box->height / 2.0, "center", " rotate by 90");
    }
    return status;
}

rs_status rs__write_around(const rs__writer *w, rs_error *error)
{
    if (w->layout->title > 0.0) {
        put_title(w);
    }
    put_key(w);
    RS_TRY(put_bar(w, &w->chart->bar, &w->layout->bar, error));
    return put_bar(w, &w->chart->second, &w->layout->second, error);
}

/* --- panels --------------------------------------------------------------------------------------------------- */

static bool within(const rs__axis *axis, double at)
{
    const double part = rs__axis_part(axis, at);
    return part >= -1e-9 && part <= 1.0 + 1e-9;
}

/* The marks; their numbers are labels of our own. */
static void put_marks(const rs__writer *w, const char *which, const rs__axis *axis)
{
    bool first = true;
    if (axis->hidden) {
        (void)fprintf(w->out, "unset %stics\n", which);
        return;
    }
    (void)fprintf(w->out, "set %stics (", which);
    for (int i = 0; i < axis->tick_count; i++) {
        const rs__tick *tick = &axis->ticks[i];
        if (within(axis, tick->at)) {
            (void)fprintf(w->out, "%s'' %.9g %d", first ? "" : ", ", tick->at, *tick->text ? 0 : 1);
            first = false;
        }
    }
    (void)fputs(")\n", w->out);
}

static bool has_number(const rs__axis *axis, int tick)
{
    return *axis->ticks[tick].text && within(axis, axis->ticks[tick].at);
}

/* How much of the paper a number takes along its axis. */
static double length_of(const rs__axis *axis, int tick, bool across, double font)
{
    const rs__tick *t = &axis->ticks[tick];
    const double width = rs__text_width(t->text, font) + rs__text_width(t->power, 0.8 * font);
    return across && !axis->upright ? width + 0.3 * font : font;
}

static double distance(const rs__axis *axis, int a, int b, double length)
{
    return length * fabs(rs__axis_part(axis, axis->ticks[a].at) - rs__axis_part(axis, axis->ticks[b].at));
}

/* Whether every n-th number, that at 0 among them where there is one, keeps apart from the next. Ticks ascend. */
static bool keep_apart(const rs__axis *axis, int n, int first, bool across, double length, double font)
{
    int before = -1;
    for (int i = 0, number = 0; i < axis->tick_count; i++) {
        if (!has_number(axis, i) || number++ % n != first) {
            continue;
        }
        const double gap = before < 0 ? INFINITY : distance(axis, i, before, length);
        if (before >= 0 &&
            gap < (length_of(axis, before, across, font) + length_of(axis, i, across, font)) / 2.0) {
            return false;
        }
        before = i;
    }
    return true;
}

/* The least n of which that is true; `first`: the first of those numbers. */
static int every_of(const rs__axis *axis, bool across, const rs__box *box, double font, int *first)
{
    const double length = across ? box->width : box->height;
    int numbers = 0, zero = 0;
    for (int i = 0; i < axis->tick_count; i++) {
        zero = has_number(axis, i) && axis->ticks[i].at == 0.0 ? numbers : zero;
        numbers += has_number(axis, i);
    }
    int n = 1;
    *first = 0;
    while (n < numbers && !keep_apart(axis, n, *first, across, length, font)) {
        n++;
        *first = zero % n;
    }
    return n;
}

/* Whether a text that is to be there in any case leaves no room for that of tick i. */
static bool is_crowded(const rs__axis *axis, int i, bool across, double length, double font)
{
    for (int k = 0; k < axis->tick_count && !axis->ticks[i].kept; k++) {
        if (axis->ticks[k].kept && has_number(axis, k) &&
            distance(axis, i, k, length) <
                (length_of(axis, i, across, font) + length_of(axis, k, across, font)) / 2.0) {
            return true;
        }
    }
    return false;
}

static void put_numbers(const rs__writer *w, const rs__axis *axis, bool across, const rs__box *box)
{
    const double font = w->layout->font;
    int first;
    const int every = every_of(axis, across, box, font, &first);
    for (int i = 0, number = 0; i < axis->tick_count && !axis->hidden && !axis->bare; i++) {
        const rs__tick *tick = &axis->ticks[i];
        const double part = rs__axis_part(axis, tick->at);
        if (!has_number(axis, i) || (number++ % every != first && !tick->kept) ||
            is_crowded(axis, i, across, across ? box->width : box->height, font)) {
            continue;
        }
        if (across && axis->upright) {
            rs__write_label(w, tick->text, tick->power, box->left + box->width * part,
                            box->top + box->height + 0.6 * font, "right", " rotate by 90");
        } else if (across) {
            rs__write_label(w, tick->text, tick->power, box->left + box->width * part,
                            box->top + box->height + 0.95 * font, "center", "");
        } else {
            rs__write_label(w, tick->text, tick->power, box->left - 0.5 * font,
                            box->top + box->height * (1.0 - part), "right", "");
        }
    }
}

void rs__write_axis(const rs__writer *w, const char *which, const rs__axis *axis)
{
    (void)fprintf(w->out, "%sset logscale %s\nset %srange [%.12g:%.12g]\n", axis->log ? "" : "un", which,
                  which, axis->low, axis->high);
    put_marks(w, which, axis);
}

/* Title and labels of the axes, where the layout has them: gnuplot's own places differ from terminal to terminal. */
void rs__write_panel_texts(const rs__writer *w, int index)
{
    const rs__panel *panel = &w->chart->panels[index];
    const rs__box *box = &w->layout->panels[index];
    const double middle = box->left + box->width / 2.0, font = w->layout->font;
    put_numbers(w, &panel->x, true, box);
    put_numbers(w, &panel->y, false, box);
    if (panel->title) { /* its last line just over the panel */
        const double room = w->layout->room_x[index];
        const int lines = rs__line_count(panel->title, font, room, w->chart->lines);
        rs__write_lines(w, panel->title, room, middle,
                        box->top - (0.85 + (lines - 1) * RS__LINE_HEIGHT) * font, "center");
    }
    if (panel->x.label) {
        rs__write_lines(w, panel->x.label, w->layout->room_x[index], middle, w->layout->label_y[index],
                        "center");
    }
    if (panel->y.label) {
        rs__write_lines(w, panel->y.label, w->layout->room_y[index], w->layout->label_x[index],
                        box->top + box->height / 2.0, "upright");
    }
}
