/* page_layers.c: the section Layers: of each group one run's blocks and layers, with all that is recorded of them; see page.h. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "page.h"

enum { MOST_ROWS = 3000 }; /* of all tables of layers; a browser should not choke on a page */

bool rs__page_has_figure(const rs__figures *figures, const char *name)
{
    for (int i = 0; i < figures->names.count; i++) {
        if (strcmp(figures->names.list[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* Figures that show layers, and which of them. */
typedef struct layer_figure {
    const char *name;
    enum { OF_BLOCKS, OF_PARAMETERS, OF_MEASURED } of;
} layer_figure;
static const layer_figure layer_figures[] = {
    {"distances", OF_BLOCKS},         {"medians", OF_BLOCKS},      {"distance-heatmap", OF_BLOCKS},
    {"gradient-flow", OF_PARAMETERS}, {"weights", OF_PARAMETERS},  {"gradients", OF_PARAMETERS},
    {"layer-curves", OF_MEASURED},    {"layer-loss", OF_MEASURED},
};

bool rs__page_shows_layers(const char *figure)
{
    for (size_t i = 0; i < sizeof layer_figures / sizeof layer_figures[0]; i++) {
        if (strcmp(layer_figures[i].name, figure) == 0) {
            return true;
        }
    }
    return false;
}

typedef struct place {
    const rs__run *run;
    const rs__layers *layers;
    const rs__figures *figures;
    FILE *file;
    int group;
} place;

/* "64 × 16 × 16", "10"; zeros are padding, and ones behind say nothing. */
static void shape_cell(const int64_t *shape, int most, FILE *file)
{
    int rank = most;
    while (rank > 1 && shape[rank - 1] <= 1) {
        rank--;
    }
    rs__html(file, "<td class=\"line\">");
    for (int axis = 0; axis < rank && shape[axis] > 0; axis++) {
        rs__html(file, axis ? " × %" PRId64 : "%" PRId64, shape[axis]);
    }
    rs__html(file, "</td>");
}

/* --- blocks --------------------------------------------------------------------------------------------------- */

/* Links to the layers of a block. */
static void block_layers(const place *p, int b)
{
    int shown = 0;
    rs__html(p->file, "<td>");
    for (int l = 0; l < p->layers->layer_count; l++) {
        const rs__layer *layer = &p->layers->layers[l];
        if (layer->block == b) {
            const size_t inside = strlen(p->layers->blocks[b].name);
            const bool prefix =
                strncmp(layer->name, p->layers->blocks[b].name, inside) == 0 && layer->name[inside] == '.';
            rs__html(p->file, shown++ ? ", <a href=\"#layer-%d-" : "<a href=\"#layer-%d-", p->group + 1);
            rs__html_id(p->file, layer->name);
            rs__html(p->file, "\">%s</a>", prefix ? layer->name + inside + 1 : layer->name);
        }
    }
    rs__html(p->file, "</td>");
}

static void block_row(const place *p, int b)
{
    const rs__block *block = &p->layers->blocks[b];
    rs__html(p->file, "<tr id=\"block-%d-%d\"><th scope=\"row\">%s</th>", p->group + 1, b + 1, block->name);
    rs__cell_integer(p->file, block->depth);
    rs__cell_integer(p->file, block->weights);
    if (*p->layers->metric) {
        rs__cell_real(p->file, block->initial);
        rs__cell_real(p->file, block->weights > 0 ? block->initial / (double)block->weights : NAN);
        rs__cell_real(p->file, block->previous);
    }
    block_layers(p, b);
    rs__html(p->file, "</tr>\n");
}

/* Figures of that kind, or where there are none the data sets. */
static void figure_links(const place *p, int of)
{
    int shown = 0;
    for (size_t i = 0; i < sizeof layer_figures / sizeof layer_figures[0]; i++) {
        const layer_figure *figure = &layer_figures[i];
        if ((int)figure->of == of && rs__page_has_figure(p->figures, figure->name)) {
            rs__html(p->file, shown++ ? "," : "");
            rs__html(p->file, " <a href=\"#figure-%s\">%s</a>", figure->name, figure->name);
        }
    }
    rs__html(p->file, shown ? "" : " <code>steps/distance_to_initial/%s</code>", p->layers->metric);
}

static void blocks_table(const place *p)
{
    rs__table_open(p->file, "Blocks");
    rs__table_head(p->file, "block");
    rs__table_head_number(p->file, "depth");
    rs__table_head_number(p->file, "weights");
    if (*p->layers->metric) {
        rs__table_head_number(p->file, "distance to the initial state");
        rs__table_head_number(p->file, "per weight");
        rs__table_head_number(p->file, "last step's distance");
    }
    rs__table_head(p->file, "layers measured");
    rs__table_body(p->file);
    for (int b = 0; b < p->layers->block_count; b++) {
        block_row(p, b);
    }
    rs__table_close(p->file);
    if (*p->layers->metric) {
        rs__html(p->file,
                 "<p>Distances are %s, after the last recorded step; over all steps:", p->layers->metric);
        figure_links(p, OF_BLOCKS);
        rs__html(p->file, ".</p>\n");
    }
}

/* --- what is recorded ----------------------------------------------------------------------------------------- */

static void recorded_parameter(const place *p, const rs__parameter *parameter)
{
    rs__html(p->file, "<li><b>%s</b> [", parameter->name);
    for (int axis = 0; axis < 4 && parameter->shape[axis] > 0; axis++) {
        rs__html(p->file, axis ? ", %" PRId64 : "%" PRId64, parameter->shape[axis]);
    }
    rs__html(p->file, "]");
    if (parameter->weights) {
        rs__html(p->file, "; <code>weights/%s</code>", parameter->name);
    }
    if (parameter->gradients) {
        rs__html(p->file, "; <code>gradients/%s</code>", parameter->name);
    }
    if (p->layers->statistics) {
        rs__html(p->file, "; column %d of <code>steps/gradient_abs_mean</code>, ", parameter->row);
        rs__html(p->file, "<code>steps/gradient_abs_std</code>, <code>steps/gradient_norms</code>");
    }
    rs__html(p->file, "</li>");
}

static void recorded_series(const place *p, const rs__layer *layer)
{
    if (layer->running) {
        rs__html(p->file,
                 "<li>running statistics: <code>weights/%s.running_mean</code>, "
                 "<code>weights/%s.running_var</code></li>",
                 layer->name, layer->name);
    }
    if (layer->head >= 0) {
        rs__html(p->file,
                 "<li>its classifier: column %d of <code>steps/head_loss</code>, "
                 "<code>steps/head_accuracy</code></li>",
                 layer->head);
    }
    for (int m = 0; layer->block >= 0 && m < p->layers->metrics.count; m++) {
        const char *metric = p->layers->metrics.list[m];
        rs__html(p->file,
                 "<li>its block: column %d of <code>steps/distance_to_initial/%s</code>, "
                 "<code>steps/distance_to_previous/%s</code></li>",
                 layer->block, metric, metric);
    }
    if (layer->measured >= 0 && p->layers->losses) {
        rs__html(p->file, "<li>column %d of <code>steps/layer_loss</code></li>", layer->measured);
    }
    if (layer->measured >= 0 && p->layers->outputs) {
        rs__html(p->file, "<li>column %d of <code>steps/layer_output_mean</code></li>", layer->measured);
    }
}

static void recorded_figures(const place *p, const rs__layer *layer)
{
    int shown = 0;
    for (size_t i = 0; i < sizeof layer_figures / sizeof layer_figures[0]; i++) {
        const layer_figure *figure = &layer_figures[i];
        const bool shows = figure->of == OF_BLOCKS       ? layer->block >= 0
                           : figure->of == OF_PARAMETERS ? layer->tensors > 0
                                                         : layer->measured >= 0 || layer->head >= 0;
        if (shows && rs__page_has_figure(p->figures, figure->name)) {
            rs__html(p->file, shown++ ? ", " : "<li>figures: ");
            rs__html(p->file, "<a href=\"#figure-%s\">%s</a>", figure->name, figure->name);
        }
    }
    rs__html(p->file, shown ? "</li>" : "");
}

/* All of it, folded up so that a layer is a line. */
static void recorded_cell(const place *p, const rs__layer *layer)
{
    const bool figures = p->figures->names.count > 0;
    rs__html(p->file, figures ? "<td><details><summary>figures, data sets</summary><ul>"
                              : "<td><details><summary>data sets</summary><ul>");
    recorded_figures(p, layer);
    for (int i = 0; i < layer->tensors; i++) {
        recorded_parameter(p, &p->layers->parameters[layer->first + i]);
    }
    recorded_series(p, layer);
    rs__html(p->file, "</ul></details></td>");
}

/* --- layers --------------------------------------------------------------------------------------------------- */

static void layer_heads(const place *p)
{
    rs__table_open(p->file, "Layers");
    rs__table_head(p->file, "layer");
    rs__table_head(p->file, "kind");
    rs__table_head(p->file, "output");
    rs__table_head_number(p->file, "parameters");
    if (p->layers->block_count > 0) {
        rs__table_head(p->file, "block");
    }
    if (p->layers->statistics) {
        rs__table_head_number(p->file, "|gradient|, first 5 steps");
        rs__table_head_number(p->file, "last 5 steps");
        rs__table_head_number(p->file, "gradient's norm, last step");
    }
    if (p->layers->losses) {
        rs__table_head_number(p->file, "own loss");
    }
    if (p->layers->outputs) {
        rs__table_head_number(p->file, "mean output");
    }
    rs__table_head(p->file, "recorded");
    rs__table_body(p->file);
}

static void gradient_cells(const place *p, const rs__layer *layer)
{
    const rs__parameter *first = layer->tensors > 0 ? &p->layers->parameters[layer->first] : NULL;
    rs__cell_real(p->file, first ? first->early : NAN);
    rs__cell_real(p->file, first ? first->late : NAN);
    rs__cell_real(p->file, first ? first->norm : NAN);
}

static void layer_row(const place *p, const rs__layer *layer)
{
    rs__html(p->file, "<tr id=\"layer-%d-", p->group + 1);
    rs__html_id(p->file, layer->name);
    rs__html(p->file, "\"><th scope=\"row\">%s</th><td>%s</td>", layer->name, layer->kind);
    shape_cell(layer->shape, 3, p->file);
    rs__cell_integer(p->file, layer->parameters);
    if (layer->block >= 0) {
        rs__html(p->file, "<td><a href=\"#block-%d-%d\">%s</a></td>", p->group + 1, layer->block + 1,
                 p->layers->blocks[layer->block].name);
    } else if (p->layers->block_count > 0) {
        rs__html(p->file, "<td></td>");
    }
    if (p->layers->statistics) {
        gradient_cells(p, layer);
    }
    if (p->layers->losses) {
        rs__cell_real(p->file, layer->loss);
    }
    if (p->layers->outputs) {
        rs__cell_real(p->file, layer->output);
    }
    recorded_cell(p, layer);
    rs__html(p->file, "</tr>\n");
}

static void layers_table(const place *p)
{
    layer_heads(p);
    for (int l = 0; l < p->layers->layer_count; l++) {
        layer_row(p, &p->layers->layers[l]);
    }
    rs__table_close(p->file);
    if (p->layers->statistics) {
        rs__html(p->file,
                 "<p>Gradients are those of the layer's first parameter; |gradient| is the mean of the "
                 "absolute values.</p>\n");
    }
}

/* --- groups --------------------------------------------------------------------------------------------------- */

/* Tables of one run: open where it is the only one. */
static void write_group(const rs__report *report, const place *p)
{
    const bool alone = report->group_count == 1;
    if (!alone) {
        rs__html(p->file, "<details><summary>%s</summary>\n", report->groups[p->group].label);
    }
    if (report->run_count > 1) {
        rs__html(p->file, "<p>Of <code>%s</code>.</p>\n", p->run->name);
    }
    if (p->layers->block_count > 0) {
        blocks_table(p);
    }
    layers_table(p);
    if (!alone) {
        rs__html(p->file, "</details>\n");
    }
}

rs_status rs__page_layers(const rs__report *report, const rs__figures *figures, FILE *file, rs_error *error)
{
    int rows = 0, left = 0;
    rs__html(file, "<section aria-labelledby=\"layers\">\n<h2 id=\"layers\">Layers</h2>\n");
    if (report->group_count > 1) {
        rs__html(file, "<p>Of each group one run.</p>\n");
    }
    for (int g = 0; g < report->group_count; g++) {
        rs__layers layers;
        const place p = {&report->runs[report->groups[g].first], &layers, figures, file, g};
        if (rows >= MOST_ROWS) {
            left++;
            continue;
        }
        rs_error why = {0};
        rs_status status = rs__report_read_layers(p.run, &layers, &why);
        if (status == RS_MEMORY) {
            *error = why;
            return status;
        }
        if (status) {
            rs__html(file, "<p class=\"missing\">The layers cannot be read: %s</p>\n", why.text);
            continue;
        }
        rows += layers.layer_count;
        write_group(report, &p);
        rs__report_clear_layers(&layers);
    }
    if (left > 0) {
        rs__html(file,
                 "<p>%d more groups have no table here, so that this page stays small: <code>resnet_study "
                 "report RUN.h5</code> has it of one run.</p>\n",
                 left);
    }
    rs__html(file, "</section>\n");
    return RS_OK;
}
