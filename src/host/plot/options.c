/* options.c: see options.h. */
#include "options.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "rs/text.h"

typedef enum value_type { NOTHING, TEXT, INTEGER, REAL } value_type;

typedef struct option {
    const char *name, *value, *help;
    bool own; /* of figures alone whose line in figures.def names it */
    value_type type;
    size_t offset;
    double least; /* INTEGER, REAL */
} option;

#define AT(field) offsetof(rs__command, field)

static const option options[] = {
    {"-o", "FILE", "the picture: FILE.svg, FILE.png or FILE.pdf", false, TEXT, AT(out), 0},
    {"--out", "FILE", "the same", false, TEXT, AT(out), 0},
    {"--log", "AXES",
     "logarithmic axes: x, y, xy, or none: all linear (default: the figure's own); labels end in (log)",
     false, TEXT, AT(request.options.log), 0},
    {"--size", "WxH",
     "as in 8.6x6cm, 800x600px, 4x3in; PNGs have 300 dots an inch, sizes in pixels just these", false, TEXT,
     AT(request.options.size), 0},
    {"--font", "NAME", "family (default: Helvetica, or what stands for it)", false, TEXT,
     AT(request.options.font), 0},
    {"--font-size", "PT", "points (default: 8)", false, REAL, AT(request.options.font_size), 1},
    {"--palette", "NAMES",
     "of depth: viridis, cividis, plasma, grey; of lines: okabe-ito, bright, black; or one of each with a "
     "comma",
     false, TEXT, AT(request.options.palette), 0},
    {"--title", "TEXT", "over the figure; empty: none", false, TEXT, AT(request.options.title), 0},
    {"--sheet", "KEY",
     "one panel, or row of panels, for each value of that option of the runs, as in dataset", false, TEXT,
     AT(request.options.sheet), 0},
    {"--script", "FILE.gp", "keep gnuplot's script there; without -o no picture is drawn", false, TEXT,
     AT(request.options.script), 0},
    {"--smooth", "N", "means over N neighbouring points", true, INTEGER, AT(request.options.smooth), 1},
    {"--outliers", "K", "first replace what lies beyond K standard deviations by the mean", true, REAL,
     AT(request.options.outliers), 0},
    {"--individual", "", "single runs, thin, behind the mean over seeds", true, NOTHING,
     AT(request.options.individual), 0},
    {"--metric", "NAME", "of distances (default: the run's first)", true, TEXT, AT(request.options.metric),
     0},
    {"--statistic", "LIST", "median (default), mean, min, max: over the steps", true, TEXT,
     AT(request.options.statistic), 0},
    {"--per-weight", "", "distances divided by the block's number of weights", true, NOTHING,
     AT(request.options.per_weight), 0},
    {"--layers", "GLOBS", "only these blocks, layers or parameters, as in layer1.*,fc", true, TEXT,
     AT(request.options.layers), 0},
    {"--split", "LIST", "train, valid, test: only these", true, TEXT, AT(request.options.split), 0},
    {"--steps", "K", "how many of the first and of the last steps (default: 5)", true, INTEGER,
     AT(request.options.steps), 1},
    {"--help", "", "print this", false, NOTHING, AT(help), 0},
};
enum { INDENT = 6 };
enum { OPTIONS = sizeof options / sizeof options[0] };

static rs_status find_option(const char *text, size_t length, const option **found, rs_error *error)
{
    const char *names[OPTIONS];
    char word[80];
    for (int i = 0; i < OPTIONS; i++) {
        names[i] = options[i].name;
        if (strlen(names[i]) == length && strncmp(names[i], text, length) == 0) {
            *found = &options[i];
            return RS_OK;
        }
    }
    (void)snprintf(word, sizeof word, "%.*s", (int)length, text);
    const char *nearest = rs_text_nearest(word, names, OPTIONS);
    return RS_FAIL(error, RS_USAGE, "%s: unknown option of plot%s%s; resnet_study plot --help lists them",
                   word, nearest ? "; nearest " : "", nearest ? nearest : "");
}

static rs_status take_value(rs__command *c, const option *o, const char *value, rs_error *error)
{
    void *field = (char *)c + o->offset;
    double real = 0.0;
    switch (o->type) {
    case NOTHING:
        *(bool *)field = true;
        return RS_OK;
    case TEXT:
        *(const char **)field = value;
        return RS_OK;
    case INTEGER:
        if (!rs_text_int(value, field) || *(int64_t *)field < (int64_t)o->least ||
            *(int64_t *)field > INT32_MAX) {
            return RS_FAIL(error, RS_USAGE, "%s %.60s: not a whole number from %.0f on", o->name, value,
                           o->least);
        }
        return RS_OK;
    case REAL:
        if (!rs_text_real(value, &real) || !(real >= o->least) || real > 1e6) {
            return RS_FAIL(error, RS_USAGE, "%s %.60s: not a number from %g on", o->name, value, o->least);
        }
        *(double *)field = real;
        return RS_OK;
    }
    return RS_OK;
}

/* Whether a figure's own options name it. */
static bool takes(const rs__figure *figure, const option *o)
{
    char word[32];
    for (const char *at = figure->takes; rs_text_next_word(&at, ' ', word, sizeof word);) {
        if (strcmp(word, o->name) == 0) {
            return true;
        }
    }
    return false;
}

/* "--name value" or "--name=value" at argv[*i]. */
static rs_status take_option(rs__command *c, int argc, char **argv, int *i, rs_error *error)
{
    const char *text = strcmp(argv[*i], "-h") == 0 ? "--help" : argv[*i];
    const size_t length = strcspn(text, "=");
    const option *o = NULL;
    const rs__figure *figure = NULL;
    RS_TRY(find_option(text, length, &o, error));
    if (o->type != NOTHING && text[length] == '\0' && *i + 1 == argc) {
        return RS_FAIL(error, RS_USAGE, "%s needs %s", o->name, o->value);
    }
    if (o->type == NOTHING && text[length] != '\0') {
        return RS_FAIL(error, RS_USAGE, "%s takes no value", o->name);
    }
    if (o->own && c->request.figure) {
        RS_TRY(rs__figure_find(c->request.figure, &figure, error));
        if (!takes(figure, o)) {
            return RS_FAIL(error, RS_USAGE, "%s is no option of %s; of its own it has: %s", o->name,
                           figure->shown.name, *figure->takes ? figure->takes : "none");
        }
    }
    return take_value(c, o, o->type == NOTHING ? "" : text[length] ? text + length + 1 : argv[++*i], error);
}

rs_status rs__command_parse(rs__command *c, int argc, char **argv, rs_error *error)
{
    const rs__figure *figure = NULL;
    for (int i = 1; i < argc && !c->help; i++) {
        if (argv[i][0] == '-' && argv[i][1] != '\0') {
            RS_TRY(take_option(c, argc, argv, &i, error));
        } else if (!c->request.figure) {
            RS_TRY(rs__figure_find(argv[i], &figure, error));
            c->request.figure = figure->shown.name;
        } else {
            c->inputs[c->request.input_count++] = argv[i];
        }
    }
    c->request.inputs = c->inputs;
    if (c->help) {
        return RS_OK;
    }
    if (!figure) {
        return RS_FAIL(error, RS_USAGE, "which figure? resnet_study plot --help lists them");
    }
    if (c->request.input_count == 0) {
        return RS_FAIL(error, RS_USAGE,
                       "%s of what? It is drawn from %s: resnet_study plot %s RUN.h5... -o FILE.svg",
                       figure->shown.name, figure->shown.needs, figure->shown.name);
    }
    return c->out || c->request.options.script
               ? RS_OK
               : RS_FAIL(error, RS_USAGE, "where to? -o FILE.svg, FILE.png or FILE.pdf");
}

rs_status rs__size_parse(const char *text, double *width, double *height, double *dpi, rs_error *error)
{
    static const struct {
        const char *unit;
        double points, dpi;
    } units[] = {{"cm", 72.0 / 2.54, 300.0}, {"mm", 72.0 / 25.4, 300.0}, {"in", 72.0, 300.0},
                 {"pt", 1.0, 300.0},         {"px", 0.75, 96.0},         {"", 0.75, 96.0}};
    char *end = NULL;
    const double w = strtod(text, &end);
    const double h = *end == 'x' ? strtod(end + 1, &end) : 0.0;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(end, units[i].unit) == 0 && w * units[i].points >= 36.0 && h * units[i].points >= 36.0 &&
            w * units[i].points <= 14400.0 && h * units[i].points <= 14400.0) {
            *width = w * units[i].points;
            *height = h * units[i].points;
            *dpi = units[i].dpi;
            return RS_OK;
        }
    }
    return RS_FAIL(error, RS_USAGE, "--size %.60s: must be as 8.6x6cm, 800x600px or 4x3in, 1.3 cm to 5 m",
                   text);
}

/* Which figures have an option that not all have. */
static void print_takers(FILE *stream, const option *o)
{
    (void)fputs("      [", stream);
    int found = 0;
    for (int i = 0; rs__figure_at(i); i++) {
        if (takes(rs__figure_at(i), o)) {
            (void)fprintf(stream, "%s%s", found++ ? " " : "", rs__figure_at(i)->shown.name);
        }
    }
    (void)fputs("]\n", stream);
}

void rs__command_help(FILE *stream)
{
    (void)fputs("usage: resnet_study plot FIGURE INPUT... -o FILE.svg|FILE.png|FILE.pdf [OPTIONS]\n\n"
                "Draws a figure of finished or running runs, by gnuplot. INPUT is a record, a result of\n"
                "`analyze`, or a folder of them (runs/STUDY). Runs that differ in their seeds alone become\n"
                "their mean and a band of one standard deviation (n - 1) around it, as far as all of them\n"
                "go; in curves by run those that go on are thin lines.\n\n"
                "Figures, and what they are drawn from:\n",
                stream);
    for (int i = 0; rs__figure_at(i); i++) {
        (void)fprintf(stream, "  %s\n", rs__figure_at(i)->shown.name);
        rs_text_print_wrapped(stream, rs__figure_at(i)->shown.shows, 0, INDENT);
        (void)fprintf(stream, "      (%s)\n", rs__figure_at(i)->shown.needs);
    }
    (void)fputs("\nOptions, some with the figures that have them:\n", stream);
    for (int i = 0; i < OPTIONS; i++) {
        (void)fprintf(stream, "  %s%s%s\n", options[i].name, *options[i].value ? " " : "", options[i].value);
        rs_text_print_wrapped(stream, options[i].help, 0, INDENT);
        if (options[i].own) {
            print_takers(stream, &options[i]);
        }
    }
    (void)fputs(
        "\nExamples:\n"
        "  resnet_study plot distances plain.h5 residual.h5 -o distances.pdf\n"
        "      how far every block moved, both networks on one scale\n"
        "  resnet_study plot accuracy runs/learning_rates -o rates.svg --individual\n"
        "      a line for each rate of a study, the mean over its seeds, single runs thin behind it\n"
        "  resnet_study plot medians runs/minkowski_even --sheet dataset --size 17.8x14cm -o all.png\n"
        "      the data sets on one sheet, as wide as a page\n"
        "  resnet_study plot layer-curves run.h5 --outliers 3 --smooth 10 --layers relu* -o relu.svg\n"
        "      some layers' learning curves, smoothed\n"
        "  resnet_study plot loss run.h5 --title '' --size 8.6x5cm --script loss.gp -o loss.pdf\n"
        "      for one column of a paper; gnuplot's script stays, to change what no option does\n"
        "\n$RS_GNUPLOT names another gnuplot than the one in the PATH.\n",
        stream);
}
