/* script.c: see script.h. The script in order: terminal, data, what stands outside of panels as labels, arrows and
 * rectangles of the first panel, then one `plot` a panel. */
#include "script.h"

#include <stdlib.h>

#include "rs/host.h"
#include "writer.h"

static void put_terminal(rs__writer *w)
{
    const rs__layout *l = w->layout;
    const char *font = w->paper->font ? w->paper->font : "Helvetica";
    (void)fputs("set encoding utf8\n", w->out);
    if (w->paper->format == RS__PDF) {
        w->unit = 1.0;
        w->font = l->font * 0.75; /* it counts on 96 points to an inch */
        (void)fprintf(w->out,
                      "set terminal pdfcairo enhanced color size %.4fin,%.4fin font '%s,%.4g' fontscale 1 "
                      "linewidth 1 rounded\n",
                      l->width / 72.0, l->height / 72.0, font, w->font);
        return;
    }
    /* Pixels of 1/96 inch; a PNG has more of them, with everything as much larger. */
    const double scale = w->paper->format == RS__PNG ? w->paper->dpi / 96.0 : 1.0;
    const double pixel = 96.0 / 72.0;
    w->unit = pixel;
    w->font =
        w->paper->format == RS__PNG ? l->font : l->font * pixel; /* of SVG in pixels, of PNG in points */
    (void)fprintf(w->out, "set terminal %s enhanced size %.0f,%.0f font '%s,%.4g' ",
                  w->paper->format == RS__PNG ? "pngcairo" : "svg", l->width * pixel * scale,
                  l->height * pixel * scale, font, w->font);
    if (w->paper->format == RS__PNG) {
        (void)fprintf(w->out, "fontscale %.4f linewidth %.4f pointscale %.4f rounded background '#ffffff'\n",
                      scale, scale, scale);
    } else {
        (void)fprintf(w->out, "rounded%s\n", w->paper->transparent ? "" : " background '#ffffff'");
    }
}

static void put_head(rs__writer *w)
{
    (void)fputs("# figure of resnet_study, for gnuplot 5.4: gnuplot THIS > PICTURE\n", w->out);
    put_terminal(w);
    (void)fprintf(
        w->out,
        "set datafile separator whitespace\nset title ''\nset border 3 linewidth %.3f\nset tics nomirror out "
        "scale 0.5,0.25\n"
        "unset key\nset clip two\nset style fill noborder\n",
        0.6 * w->unit);
}

static void put_panel(rs__writer *w, int index)
{
    const rs__panel *panel = &w->chart->panels[index];
    const rs__box *box = &w->layout->panels[index];
    (void)fprintf(w->out,
                  "# panel %d\nset lmargin at screen %.6f\nset rmargin at screen %.6f\nset tmargin at screen "
                  "%.6f\nset bmargin at screen %.6f\n",
                  index + 1, rs__write_across(w, box->left), rs__write_across(w, box->left + box->width),
                  rs__write_up(w, box->top), rs__write_up(w, box->top + box->height));
    rs__write_panel_texts(w, index);
    rs__write_axis(w, "x", &panel->x);
    rs__write_axis(w, "y", &panel->y);
    rs__write_series(w, panel);
}

static rs_status put_all(rs__writer *w, rs_error *error)
{
    put_head(w);
    rs__write_data(w);
    (void)fputs("set multiplot\n", w->out);
    RS_TRY(rs__write_around(w, error));
    for (int i = 0; i < w->chart->rows * w->chart->columns; i++) {
        if (w->chart->panels[i].count > 0) { /* a grid may have more places than panels */
            put_panel(w, i);
            (void)fputs("unset label\nunset arrow\nunset object\n", w->out);
        }
    }
    (void)fputs("unset multiplot\n", w->out);
    return RS_OK;
}

rs_status rs__script_write(const rs__chart *chart, const rs__layout *layout, const rs__palettes *palettes,
                           const rs__paper *paper, char **script, rs_error *error)
{
    char *text = NULL;
    size_t length = 0;
    rs__writer w = {.chart = chart, .layout = layout, .palettes = palettes, .paper = paper};
    *script = NULL;
    w.out = open_memstream(&text, &length);
    if (!w.out) {
        return RS_FAIL(error, RS_MEMORY, "no memory for gnuplot's script");
    }
    rs_status status = put_all(&w, error);
    const bool whole = !ferror(w.out);
    if ((fclose(w.out) != 0 || !whole) && !status) {
        status = RS_FAIL(error, RS_MEMORY, "no memory for gnuplot's script");
    }
    *script = status ? NULL : rs_strdup(text);
    free(text);
    return status || *script ? status : RS_FAIL(error, RS_MEMORY, "no memory for gnuplot's script");
}
