/* layout.c: see layout.h. Lengths are multiples of the font's size, so that everything grows with it. */
#include "layout.h"

#include <math.h>
#include <string.h>

#include "axes.h"
#include "numbers.h"
#include "rs/host.h"

/* In font sizes. */
#define GAP          1.3 /* between panels */
#define EDGE         0.7 /* of the paper */
#define TITLE        1.9
#define BAR          1.1 /* width of the colours */
#define LEAST_NUMBER 1.6 /* at the colours */
#define SAMPLE       2.2

/* Of the longest number on an axis. */
static double tick_width(const rs__axis *axis, double font)
{
    double widest = 0.0;
    for (int i = 0; i < axis->tick_count; i++) {
        const rs__tick *tick = &axis->ticks[i];
        widest = fmax(widest, rs__text_width(tick->text, font) + rs__text_width(tick->power, 0.8 * font));
    }
    return widest;
}

/* What stands left of, and under, a panel. */
static double left_of(const rs__panel *panel, double room, int most, double font)
{
    const int lines = rs__line_count(panel->y.label, font, room, most);
    const bool numbers = !panel->y.hidden && !panel->y.bare;
    return (numbers ? tick_width(&panel->y, font) + 0.6 * font : 0.0) +
           (lines > 0 ? (0.1 + RS__LINE_HEIGHT * lines) * font : 0.0);
}

/* How long texts over and under a panel may be: before there are columns, in what these will leave them at least. */
static double room_of(const rs__chart *chart, const double *rooms, int panel)
{
    return rooms ? rooms[panel] : 0.75 * chart->width / chart->columns;
}

static double under(const rs__chart *chart, const double *rooms, int index, double font)
{
    const rs__panel *panel = &chart->panels[index];
    const bool numbers = !panel->x.hidden && !panel->x.bare;
    const double height =
        panel->x.upright ? tick_width(&panel->x, font) + 0.8 * font : RS__LINE_HEIGHT * font;
    const int lines = rs__line_count(panel->x.label, font, room_of(chart, rooms, index), chart->lines);
    return (numbers ? height : 0.3 * font) + lines * RS__LINE_HEIGHT * font;
}

/* --- key ------------------------------------------------------------------------------------------------------ */

static bool listed(const rs__layout *layout, const char *label)
{
    for (int i = 0; i < layout->entry_count; i++) {
        if (strcmp(layout->entries[i].series->label, label) == 0) {
            return true;
        }
    }
    return false;
}

static rs_status list_entries(const rs__chart *chart, rs__layout *layout, rs_error *error)
{
    int all = 1;
    for (int i = 0; i < chart->rows * chart->columns; i++) {
        all += chart->panels[i].count;
    }
    layout->entries = rs_alloc_array((size_t)all, sizeof *layout->entries);
    if (!layout->entries) {
        return RS_FAIL(error, RS_MEMORY, "no memory for the key");
    }
    for (int i = 0; i < chart->rows * chart->columns; i++) {
        for (int k = 0; k < chart->panels[i].count; k++) {
            const rs__series *series = &chart->panels[i].series[k];
            if (series->label && !listed(layout, series->label)) {
                layout->entries[layout->entry_count++].series = series;
            }
        }
    }
    return RS_OK;
}

/* Lays the entries out in columns from left to right, at the bottom; one that is too long for a line of its own has several. Returns the
 * height they take. */
static double place_entries(rs__layout *layout, int most, double font)
{
    double widest = 0.0;
    if (layout->entry_count == 0) {
        return 0.0;
    }
    layout->sample = SAMPLE * font;
    for (int i = 0; i < layout->entry_count; i++) {
        widest = fmax(widest, rs__text_width(layout->entries[i].series->label, font));
    }
    const double around = layout->sample + 2.0 * font, room = layout->width - 2.0 * EDGE * font;
    const double cell = fmin(widest + around, room);
    int columns = (int)fmax(1.0, floor(room / cell));
    columns = columns < layout->entry_count ? columns : layout->entry_count;
    const double left = EDGE * font + fmax(0.0, (room - columns * cell) / 2.0) + 0.5 * font;
    double height = 0.4 * font;
    for (int i = 0; i < layout->entry_count; i++) { /* several lines are of entries in one column alone */
        rs__entry *entry = &layout->entries[i];
        entry->left = left + i % columns * cell;
        entry->middle = height + 0.5 * RS__LINE_HEIGHT * font;
        entry->room = cell - around + 1.0 * font;
        const bool last = i % columns + 1 == columns || i + 1 == layout->entry_count;
        const int lines = columns > 1 ? 1 : rs__line_count(entry->series->label, font, entry->room, most);
        height += last ? lines * RS__LINE_HEIGHT * font : 0.0;
    }
    for (int i = 0; i < layout->entry_count; i++) {
        layout->entries[i].middle += layout->height - EDGE * font - height;
    }
    return height;
}

double rs__key_height(const rs__chart *chart, double font)
{
    rs__layout layout = {.width = chart->width};
    rs_error error = {0};
    const double height =
        list_entries(chart, &layout, &error) == RS_OK ? place_entries(&layout, chart->lines, font) : 0.0;
    rs__layout_free(&layout);
    return height;
}

/* --- panels --------------------------------------------------------------------------------------------------- */

/* Widest of a column, highest of a row. */
static double column_left(const rs__chart *chart, const rs__layout *layout, int column)
{
    double widest = 0.0;
    for (int row = 0; row < chart->rows; row++) {
        const int panel = row * chart->columns + column;
        widest =
            fmax(widest, left_of(&chart->panels[panel], layout->room_y[panel], chart->lines, layout->font));
    }
    return widest;
}

static double row_under(const rs__chart *chart, const double *rooms, int row, double font)
{
    double highest = 0.0;
    for (int column = 0; column < chart->columns; column++) {
        highest = fmax(highest, under(chart, rooms, row * chart->columns + column, font));
    }
    return highest;
}

static double row_over(const rs__chart *chart, const double *rooms, int row, double font)
{
    int most = 0;
    for (int panel = row * chart->columns; panel < (row + 1) * chart->columns; panel++) {
        const int lines =
            rs__line_count(chart->panels[panel].title, font, room_of(chart, rooms, panel), chart->lines);
        most = lines > most ? lines : most;
    }
    return most > 0 ? (TITLE + (most - 1) * RS__LINE_HEIGHT) * font : 0.5 * font;
}

/* What a number at an end of a panel takes beyond that end: of the first number, of the last. */
static double overhang(const rs__panel *panel, bool last, double font)
{
    double most = 0.0;
    for (int i = 0; i < panel->x.tick_count && !panel->x.bare && !panel->x.hidden && !panel->x.upright; i++) {
        const rs__tick *tick = &panel->x.ticks[i];
        const double part = rs__axis_part(&panel->x, tick->at);
        if (last ? part > 0.96 : part < 0.04) {
            most = fmax(most,
                        (rs__text_width(tick->text, font) + rs__text_width(tick->power, 0.8 * font)) / 2.0);
        }
    }
    return most;
}

/* Between two columns: so that the numbers of neighbours keep apart. */
static double column_gap(const rs__chart *chart, double font)
{
    double widest = GAP * font;
    for (int i = 0; i < chart->rows * chart->columns; i++) {
        if (i % chart->columns > 0) {
            const double left = chart->panels[i].y.bare ? overhang(&chart->panels[i], false, font) : 0.0;
            widest = fmax(widest, overhang(&chart->panels[i - 1], true, font) + left + 0.5 * font);
        }
    }
    return widest;
}

/* Width of the numbers at the colours. */
static double bar_numbers(const rs__bar *bar, double font)
{
    rs__axis axis;
    rs_error error = {0};
    bool stepped;
    if (!bar->shown) {
        return 0.0;
    }
    const rs_status status = rs__bar_axis(bar, &axis, &stepped, &error);
    const double width = status ? 0.0 : tick_width(&axis, font);
    rs__axis_clear(&axis);
    return fmax(width, LEAST_NUMBER * font);
}

/* Right of the panels: the colours with their numbers, or what the last number takes. */
static double bar_width(const rs__chart *chart, double font)
{
    if (!chart->bar.shown) {
        double most = 0.5 * font;
        for (int row = 0; row < chart->rows; row++) {
            most =
                fmax(most, overhang(&chart->panels[(row + 1) * chart->columns - 1], true, font) - 0.3 * font);
        }
        return most;
    }
    const double numbers = fmax(bar_numbers(&chart->bar, font), bar_numbers(&chart->second, font));
    return (1.2 + BAR + 0.5 + (chart->bar.label ? 0.7 + RS__LINE_HEIGHT : 0.0)) * font + numbers;
}

/* What all texts over, between and under the panels leave for these. */
static double height_left(const rs__chart *chart, const double *rooms, double title, double key, double font)
{
    double down = chart->height - 2.0 * EDGE * font - title - key - 0.5 * font * (chart->rows - 1);
    for (int r = 0; r < chart->rows; r++) {
        down -= row_under(chart, rooms, r, font) + row_over(chart, rooms, r, font);
    }
    return down;
}

/* From top to bottom: a text beside a panel may reach to title and key, and half way to the panels over and under it. */
static void place_rows(const rs__chart *chart, const double *rooms, double down, double key,
                       rs__layout *layout)
{
    const double font = layout->font, height = down / chart->rows;
    double top = EDGE * font + layout->title;
    for (int r = 0; r < chart->rows; r++) {
        const double over = row_over(chart, rooms, r, font);
        top += over;
        const double middle = top + height / 2.0, foot = layout->height - EDGE * font - key;
        double room = 2.0 * (fmin(middle - layout->title, foot - middle) - 0.3 * font);
        if (chart->rows > 1) {
            room = fmin(room, height + 0.3 * font + over);
        }
        for (int c = 0; c < chart->columns; c++) {
            const int panel = r * chart->columns + c;
            layout->panels[panel].top = top;
            layout->panels[panel].height = height;
            layout->room_y[panel] = room;
            const int lines = rs__line_count(chart->panels[panel].x.label, font, room_of(chart, rooms, panel),
                                             chart->lines);
            layout->label_y[panel] =
                top + height + under(chart, rooms, panel, font) - (lines - 0.5) * RS__LINE_HEIGHT * font;
        }
        top += height + row_under(chart, rooms, r, font) + 0.5 * font;
    }
}

static void place_columns(const rs__chart *chart, double across, double gap, rs__layout *layout)
{
    const double font = layout->font, width = across / chart->columns;
    double left = EDGE * font;
    for (int c = 0; c < chart->columns; c++) {
        const double begin = left, margin = column_left(chart, layout, c);
        left += margin;
        const double middle = left + width / 2.0;
        const double end = chart->bar.shown
                               ? layout->width - EDGE * font - bar_width(chart, font) + 1.2 * font
                               : layout->width;
        double room = 2.0 * (fmin(middle, end - middle) - 0.3 * font);
        for (int n = c > 0 ? c : c + 1; n < chart->columns && n <= c + 1;
             n++) { /* from neighbour to neighbour */
            room = fmin(room, width + gap + column_left(chart, layout, n) - 0.5 * font);
        }
        for (int r = 0; r < chart->rows; r++) {
            const int panel = r * chart->columns + c;
            layout->label_x[panel] = begin + 0.7 * font;
            layout->panels[panel].left = left;
            layout->panels[panel].width = width;
            layout->room_x[panel] = room;
        }
        left += width + gap;
    }
}

/* Rows first, then columns, whose labels may need several lines: what the texts leave is shared evenly. */
static rs_status place_grid(const rs__chart *chart, const double *rooms, double key, rs__layout *layout,
                            rs_error *error)
{
    const double font = layout->font, gap = column_gap(chart, font);
    const double down = height_left(chart, rooms, layout->title, key, font);
    place_rows(chart, rooms, down, key, layout);
    double across = layout->width - 2.0 * EDGE * font - bar_width(chart, font) - gap * (chart->columns - 1);
    for (int c = 0; c < chart->columns; c++) {
        across -= column_left(chart, layout, c);
    }
    if (across < 2.0 * font * chart->columns || down < 2.0 * font * chart->rows) {
        return RS_FAIL(
            error, RS_USAGE,
            "%.3g x %.3g cm are too small for this figure; a larger --size, or a smaller --font-size",
            layout->width / 72.0 * 2.54, layout->height / 72.0 * 2.54);
    }
    place_columns(chart, across, gap, layout);
    return RS_OK;
}

/* How many lines a title has depends on its column's width, and that on the rows' height: from a guess in two turns. */
static rs_status place_panels(const rs__chart *chart, double key, rs__layout *layout, rs_error *error)
{
    const double font = layout->font;
    RS_TRY(place_grid(chart, NULL, key, layout, error));
    RS_TRY(place_grid(chart, layout->room_x, key, layout, error));
    const rs__box *first = layout->panels, *last = layout->panels + chart->rows * chart->columns - 1;
    layout->bar = (rs__box){last->left + last->width + 1.2 * font, first->top, BAR * font,
                            last->top + last->height - first->top};
    if (chart->second.shown) { /* half the rows each; of two, one */
        const double whole = layout->bar.height;
        layout->second = layout->bar;
        layout->bar.height = chart->rows == 2 ? first->height : 0.45 * whole;
        layout->second.height = layout->bar.height;
        layout->second.top += whole - layout->second.height;
    }
    return RS_OK;
}

/* A title that is too long for one line has several. */
static double title_height(const rs__chart *chart, double font, int *lines)
{
    *lines = 0;
    if (!chart->show_title || !chart->title) {
        return 0.0;
    }
    const double room = chart->width - 2.0 * EDGE * font;
    *lines = 1 + (int)(1.1 * rs__text_width(chart->title, font) / room);
    *lines = *lines > RS__MOST_LINES ? RS__MOST_LINES : *lines;
    return (TITLE + (*lines - 1) * RS__LINE_HEIGHT) * font;
}

static rs_status try_layout(const rs__chart *chart, double font, rs__layout *layout, rs_error *error)
{
    *layout = (rs__layout){.width = chart->width, .height = chart->height, .font = font};
    layout->title = title_height(chart, font, &layout->title_lines);
    const size_t panels = (size_t)(chart->rows * chart->columns);
    layout->panels = rs_alloc_array(panels, sizeof *layout->panels);
    layout->label_x = rs_alloc_array(panels, sizeof *layout->label_x);
    layout->label_y = rs_alloc_array(panels, sizeof *layout->label_y);
    layout->room_x = rs_alloc_array(panels, sizeof *layout->room_x);
    layout->room_y = rs_alloc_array(panels, sizeof *layout->room_y);
    rs_status status =
        layout->panels && layout->label_x && layout->label_y && layout->room_x && layout->room_y
            ? list_entries(chart, layout, error)
            : RS_FAIL(error, RS_MEMORY, "no memory for a layout");
    status = status ? status : place_panels(chart, place_entries(layout, chart->lines, font), layout, error);
    if (status) {
        rs__layout_free(layout);
    }
    return status;
}

rs_status rs__layout_make(rs__chart *chart, double font, rs__layout *layout, rs_error *error)
{
    rs_status status = RS_USAGE;
    for (int lines = RS__MOST_LINES; lines > 0 && status == RS_USAGE; lines--) {
        chart->lines = lines;
        status = try_layout(chart, font, layout, error);
    }
    return status;
}

void rs__layout_free(rs__layout *layout)
{
    rs_free(layout->panels);
    rs_free(layout->label_x);
    rs_free(layout->label_y);
    rs_free(layout->room_x);
    rs_free(layout->room_y);
    rs_free(layout->entries);
    *layout = (rs__layout){0};
}

double rs__panel_height(const rs__chart *chart, double font)
{
    int lines;
    const double title = title_height(chart, font, &lines);
    return height_left(chart, NULL, title, rs__key_height(chart, font), font) / chart->rows;
}

void rs__turn_names(rs__chart *chart, double font)
{
    const double across = chart->width - 2.0 * EDGE * font - bar_width(chart, font);
    const double width = across / chart->columns - 5.0 * font; /* about, beside label and numbers */
    for (int i = 0; i < chart->rows * chart->columns; i++) {
        rs__axis *x = &chart->panels[i].x;
        for (int k = 0; x->names && k < x->tick_count; k++) {
            const double length = rs__text_width(x->ticks[k].text, font) + 0.5 * font;
            x->upright = x->upright || length > width / (x->high - x->low);
        }
    }
}

double rs__names_height(const rs__chart *chart, double font)
{
    double height = 0.0;
    for (int row = 0; row < chart->rows; row++) {
        height += fmax(0.0, row_under(chart, NULL, row, font) - 2.0 * RS__LINE_HEIGHT * font) +
                  fmax(0.0, row_over(chart, NULL, row, font) - TITLE * font);
    }
    return height;
}

/* --- thinning ------------------------------------------------------------------------------------------------- */

/* Keeps those points alone. */
static void keep(rs__series *s, const int64_t *kept, int64_t left)
{
    double *const columns[] = {s->x, s->y, s->low, s->high};
    for (int c = 0; c < 4; c++) {
        for (int64_t i = 0; columns[c] && i < left; i++) {
            columns[c][i] = columns[c][kept[i]];
        }
    }
    s->count = left;
}

/* A band's outline: of each column both ends, with the lowest and the highest of all in it. */
static int64_t thin_band(rs__series *s, const rs__axis *axis, int64_t columns)
{
    int64_t left = 0;
    for (int64_t first = 0; first < s->count;) {
        const int64_t column = rs__column_of(s->x[first], axis->low, axis->high, axis->log, columns);
        int64_t end = first;
        double low = NAN, high = NAN;
        for (;
             end < s->count && rs__column_of(s->x[end], axis->low, axis->high, axis->log, columns) == column;
             end++) {
            low = fmin(low, s->low[end]); /* fmin and fmax pass over NaN */
            high = fmax(high, s->high[end]);
        }
        const double ends[] = {s->x[first], s->x[end - 1]};
        for (int i = 0; i < (end - first > 1 ? 2 : 1); i++, left++) {
            s->x[left] = ends[i];
            s->low[left] = low;
            s->high[left] = high;
        }
        first = end;
    }
    return left;
}

static bool rises(const rs__series *s)
{
    for (int64_t i = 1; i < s->count; i++) {
        if (!(s->x[i] >= s->x[i - 1])) {
            return false;
        }
    }
    return true;
}

static rs_status thin(rs__series *s, const rs__axis *x, int64_t columns, rs_error *error)
{
    if (s->count <= 2 * columns || !rises(s)) {
        return RS_OK;
    }
    if (s->mark == RS__BAND) {
        s->count = thin_band(s, x, columns);
        return RS_OK;
    }
    if (s->mark != RS__LINE && s->mark != RS__STAIRS && s->mark != RS__POINTS) {
        return RS_OK;
    }
    int64_t *kept = rs_alloc_array((size_t)s->count, sizeof *kept);
    if (!kept) {
        return RS_FAIL(error, RS_MEMORY, "no memory to thin a curve of %lld points", (long long)s->count);
    }
    keep(s, kept, rs__thin(s->x, s->y, s->count, x->low, x->high, x->log, columns, kept));
    rs_free(kept);
    return RS_OK;
}

/* Two columns to a point of length show every bend; a sheet of very many curves has fewer, so that its file stays small. */
rs_status rs__chart_thin(rs__chart *chart, const rs__layout *layout, rs_error *error)
{
    enum { PER_POINT = 2, MOST_COLUMNS = 120000, LEAST = 24 };
    int curves = 0;
    for (int i = 0; i < chart->rows * chart->columns; i++) {
        curves += chart->panels[i].count;
    }
    for (int i = 0; i < chart->rows * chart->columns; i++) {
        int64_t columns = (int64_t)(layout->panels[i].width * PER_POINT);
        columns = columns > MOST_COLUMNS / (curves + 1) ? MOST_COLUMNS / (curves + 1) : columns;
        columns = columns < LEAST ? LEAST : columns;
        for (int k = 0; k < chart->panels[i].count; k++) {
            RS_TRY(thin(&chart->panels[i].series[k], &chart->panels[i].x, columns, error));
        }
    }
    return RS_OK;
}
