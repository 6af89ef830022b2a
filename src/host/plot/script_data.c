/* script_data.c: the data of all series, and what of a panel's plot draws them; see writer.h. */
#include <math.h>

#include "axes.h"
#include "writer.h"

/* --- data ----------------------------------------------------------------------------------------------------- */

static bool shows(const rs__panel *panel, const rs__series *s, int64_t i)
{
    if (!rs__axis_shows(&panel->x, s->x[i])) {
        return false;
    }
    if (s->mark == RS__BAND) { /* one that reaches below a logarithmic axis ends at its edge */
        return isfinite(s->low[i]) && rs__axis_shows(&panel->y, s->high[i]);
    }
    return rs__axis_shows(&panel->y, s->y[i]);
}

static double lower(const rs__panel *panel, double value)
{
    return panel->y.log && value < panel->y.low ? panel->y.low : value;
}

static double bar_part(const rs__bar *bar, double value)
{
    return bar->log ? (log10(value) - log10(bar->low)) / (log10(bar->high) - log10(bar->low))
                    : (value - bar->low) / (bar->high - bar->low);
}

static void put_cell(const rs__writer *w, const rs__panel *panel, const rs__series *s, int64_t i)
{
    const rs__bar *bar = panel->second ? &w->chart->second : &w->chart->bar;
    const double value = s->high[i];
    const bool there = isfinite(value) && (!bar->log || value > 0.0);
    const uint32_t rgb = there ? rs__depth_colour(w->palettes, bar_part(bar, value)) : 0xffffffu;
    (void)fprintf(w->out, "%.9g %.9g %u %u %u %u\n", s->x[i], s->y[i], (unsigned)(rgb >> 16),
                  (unsigned)(rgb >> 8 & 0xffu), (unsigned)(rgb & 0xffu), there ? 255u : 0u);
}

static void put_row(const rs__writer *w, const rs__panel *panel, const rs__series *s, int64_t i)
{
    switch (s->mark) {
    case RS__BAND:
        (void)fprintf(w->out, "%.9g %.9g %.9g\n", s->x[i], lower(panel, s->low[i]), s->high[i]);
        break;
    case RS__ERRORS:
        (void)fprintf(w->out, "%.9g %.9g %.9g %.9g\n", s->x[i], s->y[i],
                      isfinite(s->low[i]) ? lower(panel, s->low[i]) : s->y[i],
                      isfinite(s->high[i]) ? s->high[i] : s->y[i]);
        break;
    case RS__BARS:
        (void)fprintf(w->out, "%.9g %.9g %.9g\n", s->x[i], s->y[i], s->style.width);
        break;
    default:
        (void)fprintf(w->out, "%.9g %.9g\n", s->x[i], s->y[i]);
    }
}

/* A blank line ends a stretch: nothing is drawn across a gap. */
static void put_stretches(const rs__writer *w, const rs__panel *panel, const rs__series *s)
{
    bool begun = false;
    for (int64_t i = 0; i < s->count; i++) {
        if (s->mark == RS__CELLS) {
            put_cell(w, panel, s, i);
        } else if (shows(panel, s, i)) {
            put_row(w, panel, s, i);
            begun = true;
        } else if (begun) {
            (void)fputc('\n', w->out);
            begun = false;
        }
    }
}

static bool is_alone(const rs__panel *panel, const rs__series *s, int64_t i)
{
    return shows(panel, s, i) && (i == 0 || !shows(panel, s, i - 1)) &&
           (i + 1 == s->count || !shows(panel, s, i + 1));
}

/* Points of a line without a neighbour, which a line would not show. Returns how many, written where `w` has a stream. */
static int64_t put_lone(const rs__writer *w, const rs__panel *panel, const rs__series *s, bool write)
{
    int64_t found = 0;
    for (int64_t i = 0; (s->mark == RS__LINE || s->mark == RS__STAIRS) && i < s->count; i++) {
        if (is_alone(panel, s, i)) {
            found++;
            if (write) {
                put_row(w, panel, s, i);
            }
        }
    }
    return found;
}

static bool has_data(const rs__panel *panel, const rs__series *s)
{
    for (int64_t i = 0; i < s->count; i++) {
        if (s->mark == RS__CELLS || shows(panel, s, i)) {
            return true;
        }
    }
    return false;
}

void rs__write_data(rs__writer *w)
{
    for (int p = 0; p < w->chart->rows * w->chart->columns; p++) {
        const rs__panel *panel = &w->chart->panels[p];
        for (int k = 0; k < panel->count; k++) {
            const rs__series *s = &panel->series[k];
            if (!has_data(panel, s)) {
                continue;
            }
            (void)fprintf(w->out, "$d%d << EOD\n", w->blocks++);
            put_stretches(w, panel, s);
            (void)fputs("EOD\n", w->out);
            if (put_lone(w, panel, s, false) > 0) {
                (void)fprintf(w->out, "$d%d << EOD\n", w->blocks++);
                (void)put_lone(w, panel, s, true);
                (void)fputs("EOD\n", w->out);
            }
        }
    }
}

/* --- plots ---------------------------------------------------------------------------------------------------- */

/* What a pointer on it is told, where the picture is an SVG: gnuplot puts the title there though no key is drawn. */
static void put_name(const rs__writer *w, const rs__series *s)
{
    (void)fputs(s->name ? " title " : " notitle", w->out);
    if (s->name) {
        rs__write_text(w, s->name, NULL);
    }
}

/* The next block of data, as one more part of the panel's plot. */
static void put_block(rs__writer *w)
{
    (void)fprintf(w->out, "%s$d%d using ", w->begun ? ", \\\n  " : "plot \\\n  ", w->next++);
    w->begun = true;
}

static void put_line_series(rs__writer *w, const rs__panel *panel, const rs__series *s, const char *look)
{
    (void)fprintf(w->out, "1:2 with %s %s linewidth %.3f dashtype %s",
                  s->mark == RS__LINE ? "lines" : "steps", look, s->style.width * w->unit,
                  rs__write_dash(s->style.dash));
    put_name(w, s);
    if (put_lone(w, panel, s, false) > 0) {
        put_block(w);
        (void)fprintf(w->out, "1:2 with points %s pointtype 7 pointsize %.3f", look,
                      rs__write_dot(w, &s->style));
        put_name(w, s);
    }
}

/* "$dN using ... with ..." of a series. */
static void put_series(rs__writer *w, const rs__panel *panel, const rs__series *s)
{
    const rs__style *style = &s->style;
    const double opacity = style->opacity > 0.0 ? style->opacity : 1.0;
    const unsigned faint = (unsigned)lround((1.0 - opacity) * 255.0);
    const uint32_t rgb = rs__write_colour(w, style);
    char look[64], fill[96];
    (void)snprintf(look, sizeof look, "linecolor rgb '#%02x%06x'", faint, rgb);
    (void)snprintf(fill, sizeof fill, "fillcolor rgb '#%06x' fillstyle transparent solid %.3g noborder", rgb,
                   opacity);
    put_block(w);
    switch (s->mark) {
    case RS__LINE:
    case RS__STAIRS:
        put_line_series(w, panel, s, look);
        return;
    case RS__BAND:
        (void)fprintf(w->out, "1:2:3 with filledcurves %s", fill);
        break;
    case RS__POINTS:
        (void)fprintf(w->out, "1:2 with points %s pointtype %d pointsize %.3f", look, style->hollow ? 6 : 7,
                      rs__write_dot(w, style));
        break;
    case RS__BARS:
        (void)fprintf(w->out, "1:2:3 with boxes %s", fill);
        break;
    case RS__ERRORS:
        /* Not `yerrorbars`, which leave a white ring around the points over all that lies behind. */
        (void)fprintf(w->out,
                      "1:3:(0):($4-$3) with vectors heads size graph 0.008,90 %s linewidth %.3f notitle, \\\n"
                      "  $d%d using 1:2 with points %s pointtype 7 pointsize %.3f",
                      look, style->width * w->unit, w->next - 1, look, rs__write_dot(w, style));
        break;
    case RS__CELLS:
        (void)fputs("1:2:3:4:5:6 with rgbalpha", w->out);
        break;
    }
    put_name(w, s);
}

void rs__write_series(rs__writer *w, const rs__panel *panel)
{
    w->begun = false;
    for (int k = 0; k < panel->count; k++) {
        if (has_data(panel, &panel->series[k])) {
            put_series(w, panel, &panel->series[k]);
        }
    }
    (void)fputs(w->begun ? "\n" : "plot NaN notitle\n", w->out); /* axes alone where nothing can be shown */
}
