/* figures.c: the table of figures; see figures.def. */
#include <stdio.h>
#include <string.h>

#include "figure.h"
#include "rs/text.h"

static const rs__figure figures[] = {
#define X(name, function, needs, takes, from, shows) {{name, shows, from}, needs, takes, function},
#include "figures.def"
#undef X
};
enum { FIGURES = sizeof figures / sizeof figures[0] };

const rs__figure *rs__figure_at(int index)
{
    return index >= 0 && index < FIGURES ? &figures[index] : NULL;
}

const rs_plot_figure *rs_plot_figure_at(int index)
{
    const rs__figure *figure = rs__figure_at(index);
    return figure ? &figure->shown : NULL;
}

rs_status rs__figure_find(const char *name, const rs__figure **figure, rs_error *error)
{
    const char *names[FIGURES];
    char list[512] = "";
    for (int i = 0; i < FIGURES; i++) {
        names[i] = figures[i].shown.name;
        if (strcmp(name, names[i]) == 0) {
            *figure = &figures[i];
            return RS_OK;
        }
    }
    const char *nearest = rs_text_nearest(name, names, FIGURES);
    if (nearest) {
        return RS_FAIL(error, RS_USAGE,
                       "%.80s: no figure of that name; nearest %s; resnet_study plot --help lists them", name,
                       nearest);
    }
    for (int i = 0; i < FIGURES; i++) {
        const size_t used = strlen(list);
        (void)snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", names[i]);
    }
    return RS_FAIL(error, RS_USAGE, "%.80s: no figure of that name; there are %s", name, list);
}

rs_status rs_plot_can_all(const char *path, bool *can, rs_error *error)
{
    rs_error why = {0};
    rs__input input = {0};
    const bool open = rs__input_open(path, &input, &why) == RS_OK;
    for (int i = 0; i < FIGURES; i++) {
        can[i] = open && rs__input_has(&input, figures[i].needs, &why);
    }
    rs__input_close(&input);
    return why.status == RS_MEMORY ? RS_FAIL(error, RS_MEMORY, "%s", why.text) : RS_OK;
}
