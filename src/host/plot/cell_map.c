/* cell_map.c: see cell_map.h. */
#include "cell_map.h"

#include <inttypes.h>

#include "rs/host.h"

/* An axis of the grid: `count` centres, each of `part` halves. */
typedef struct divided {
    int64_t count, part;
    double first, step;
} divided;

static divided divide(int64_t count, double first, double step)
{
    if (count == 1) {
        return (divided){2, 2, first - step / 4.0, step / 2.0};
    }
    return (divided){count, 1, first, step};
}

rs_status rs__panel_add_map(rs__panel *panel, const rs__cell_map *map, rs_error *error)
{
    const divided across = divide(map->columns, map->x_first, map->x_step);
    const divided up = divide(map->rows, map->y_first, map->y_step);
    const int64_t cells = across.count * up.count;
    double *x = rs_alloc_array(3 * (size_t)cells + 1, sizeof *x);
    if (!x) {
        return RS_FAIL(error, RS_MEMORY, "no memory for a map of %" PRId64 " cells", cells);
    }
    double *y = x + cells, *value = y + cells;
    for (int64_t i = 0; i < cells; i++) {
        const int64_t column = i % across.count, row = i / across.count;
        x[i] = across.first + (double)column * across.step;
        y[i] = up.first + (double)row * up.step;
        value[i] = map->values[row / up.part * map->columns + column / across.part];
    }
    const rs__points points = {
        .mark = RS__CELLS, .count = cells, .x = x, .y = y, .high = value, .name = map->name};
    rs_status status = rs__panel_add(panel, &points, error);
    rs_free(x);
    return status;
}
