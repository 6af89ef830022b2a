/* chart_tools.c: see chart_tools.h. */
#include "chart_tools.h"

#include <string.h>

#include "axes.h"
#include "harness.h"
#include "rs/host.h"
#include "script.h"

const rs__palettes chart_palettes = {0, 0};

static rs_error error;

void chart_line(rs__chart *chart, int panel, int64_t count, const double *x, const double *y,
                const char *label)
{
    const rs__points points = {.mark = RS__LINE,
                               .count = count,
                               .x = x,
                               .y = y,
                               .label = label,
                               .name = label,
                               .style = {.width = 1.0}};
    harness_ok(rs__panel_add(&chart->panels[panel], &points, &error), &error);
}

void chart_single(rs__chart *chart, int64_t count, const double *x, const double *y, const char *label)
{
    harness_ok(rs__chart_make(chart, 1, 1, &error), &error);
    chart_line(chart, 0, count, x, y, label);
}

void chart_finish(rs__chart *chart, rs__layout *layout, char **script)
{
    const rs__paper paper = {.format = RS__SVG};
    chart->width = 400.0;
    chart->height = 300.0;
    harness_ok(rs__axes_range(chart, &error), &error);
    harness_ok(rs__axes_tick(chart, 6, 6, &error), &error);
    harness_ok(rs__layout_make(chart, 8.0, layout, &error), &error);
    harness_ok(rs__chart_thin(chart, layout, &error), &error);
    harness_ok(rs__script_write(chart, layout, &chart_palettes, &paper, script, &error), &error);
    assert_null(strstr(*script, "nan"));
    assert_null(strstr(*script, "inf"));
}

void chart_drop(rs__chart *chart, rs__layout *layout, char *script)
{
    rs__layout_free(layout);
    rs__chart_clear(chart);
    rs_free(script);
}
