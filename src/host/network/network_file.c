/* network_file.c: a network from the layers of a YAML file; networks/README.md has the format.
 *
 * Lists of layers are walked in order. A list stands in a scope: the whole file, or a block, which has names, positions
 * and counters of its own. `times` repeats a list within the scope it is in. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "document.h"
#include "rs/host.h"
#include "rs/text.h"
#include "words.h"

enum { MOST_NODES = 4096, NO_ROUND = -1 };

typedef struct scope {
    char prefix[RS_NAME_MAX]; /* "layer1.0." of a block, "" of the file */
    const char *unit;         /* the block's name, or NULL */
    int block;                /* its index, or -1 */
    int entered;              /* node whose output came in */
    int position;             /* of the next layer */
    int kinds[RS_OP_KINDS];   /* layers so far, by kind */
} scope;

typedef struct builder {
    rs_network *network;
    const rs__document *document;
    bool named_blocks; /* without, each layer with weights is a block */
    scope scope;
    int64_t round; /* of the innermost `times`, from 0, or NO_ROUND */
    int before;    /* node whose output the next layer takes */
    int *lines;    /* [MOST_NODES] of each node */
    rs_error *error;
} builder;

#define FAIL_AT(b, at, ...) RS_FAIL_AT((b)->document->place, (at), (b)->error, __VA_ARGS__)

static rs_status at_line(builder *b, int line, rs_status status)
{
    return status ? (rs_error_prefix(b->error, "%s:%d", b->document->place, line), status) : RS_OK;
}

/* A name of the file: letters, digits, "_", "-", "."; "{}" becomes the round's number. */
static rs_status expand_name(builder *b, const char *text, int line, char name[RS_NAME_MAX])
{
    size_t length = 0;
    for (const char *c = text; *c && length < RS_NAME_MAX; c++) {
        bool number = c[0] == '{' && c[1] == '}';
        if (number && b->round == NO_ROUND) {
            return FAIL_AT(b, line, "the name \"%s\": {} is the number of a round, and this is in no times",
                           text);
        }
        if (!number && !strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.", *c)) {
            return FAIL_AT(b, line, "the name \"%s\" may have letters, digits, \"_\", \"-\" and \".\"", text);
        }
        length += number ? (size_t)snprintf(name + length, RS_NAME_MAX - length, "%" PRId64, b->round)
                         : (size_t)snprintf(name + length, RS_NAME_MAX - length, "%c", *c);
        c += number ? 1 : 0;
    }
    return length > 0 && length < RS_NAME_MAX
               ? RS_OK
               : FAIL_AT(b, line, "the name \"%s\" must have 1 to %d characters", text, RS_NAME_MAX - 1);
}

static rs_status name_layer(builder *b, const rs__layer_text *layer, int line, char name[RS_NAME_MAX])
{
    char own[RS_NAME_MAX];
    int kind = ++b->scope.kinds[layer->kind], position = b->scope.position++;
    if (layer->name) {
        RS_TRY(expand_name(b, layer->name, line, own));
    } else if (b->document->kinds) {
        (void)snprintf(own, sizeof own, "%s%d", rs__kind_short(layer->kind), kind);
    } else {
        (void)snprintf(own, sizeof own, "%d", position);
    }
    int length = snprintf(name, RS_NAME_MAX, "%s%s", b->scope.prefix, own);
    return length < RS_NAME_MAX ? RS_OK
                                : FAIL_AT(b, line, "the name \"%s%s\" must have 1 to %d characters",
                                          b->scope.prefix, own, RS_NAME_MAX - 1);
}

/* The last node of a block, or -1. */
static int block_output(const rs_network *network, const char *block)
{
    int found = -1;
    for (int i = 1; i < network->node_count; i++) {
        bool grouped = strcmp(network->nodes[i].unit, network->nodes[i].name) != 0;
        found = grouped && strcmp(network->nodes[i].unit, block) == 0 ? i : found;
    }
    return found;
}

static rs_status unknown_input(builder *b, const char *text, int line)
{
    const char **names = rs_alloc_array((size_t)b->network->node_count, sizeof *names);
    if (!names) {
        return RS_FAIL(b->error, RS_MEMORY, "no memory for the names of a network");
    }
    for (int i = 0; i < b->network->node_count; i++) {
        names[i] = b->network->nodes[i].name;
    }
    const char *nearest = rs_text_nearest(text, names, b->network->node_count);
    rs_status status = FAIL_AT(b, line, "the input \"%.80s\" is no layer before this one%s%s", text,
                               nearest ? "; nearest " : "", nearest ? nearest : "");
    rs_free(names);
    return status;
}

/* A layer of this block, any layer by its whole name, a block, or block_input. */
static rs_status find_input(builder *b, const rs_yaml *item, int *node)
{
    const char *text;
    char name[RS_NAME_MAX], full[2 * RS_NAME_MAX];
    RS_TRY(rs_yaml_text(item, b->document->place, &text, b->error));
    if (strcmp(text, "block_input") == 0) {
        *node = b->scope.entered;
        return b->scope.unit ? RS_OK : FAIL_AT(b, item->line, "block_input is for layers of a block");
    }
    RS_TRY(expand_name(b, text, item->line, name));
    (void)snprintf(full, sizeof full, "%s%s", b->scope.prefix, name);
    *node = rs_network_find_node(b->network, full);
    *node = *node >= 0 ? *node : rs_network_find_node(b->network, name);
    *node = *node >= 0 ? *node : block_output(b->network, name);
    return *node >= 0 ? RS_OK : unknown_input(b, name, item->line);
}

/* Of kinds with two inputs: the other one behind the layer before, or a list of both. */
static rs_status find_inputs(builder *b, const rs__layer_text *layer, int inputs[2])
{
    const rs_yaml *item = layer->input;
    inputs[0] = b->before;
    inputs[1] = 0;
    if (!item) {
        return RS_OK;
    }
    if (item->kind != RS_YAML_LIST) {
        return find_input(b, item, &inputs[rs_op_inputs(layer->kind) - 1]);
    }
    const rs_yaml *second = item->first ? item->first->next : NULL;
    if (rs_op_inputs(layer->kind) != 2 || !second || second->next) {
        return FAIL_AT(b, item->line, "%s takes %d input%s", rs_op_name(layer->kind),
                       rs_op_inputs(layer->kind), rs_op_inputs(layer->kind) == 2 ? "s" : "");
    }
    RS_TRY(find_input(b, item->first, &inputs[0]));
    return find_input(b, second, &inputs[1]);
}

static bool has_weights(rs_op_kind kind)
{
    return kind == RS_OP_CONVOLUTION || kind == RS_OP_LINEAR || kind == RS_OP_BATCH_NORM;
}

/* The block that a layer's weights count in. */
static rs_status choose_block(builder *b, const rs__layer_text *layer, const char *name, int *block)
{
    *block = layer->counts ? b->scope.block : -1;
    if (b->named_blocks || !layer->counts || !has_weights(layer->kind)) {
        return RS_OK;
    }
    return rs_network_add_block(b->network, name, block, b->error);
}

/* A layer of a block's name would count as a part of that block. */
static rs_status check_no_block(builder *b, const rs_yaml *item, const char *name)
{
    for (int i = 0; i < b->network->block_count; i++) {
        if (b->named_blocks && strcmp(b->network->blocks[i].name, name) == 0) {
            return FAIL_AT(b, item->line, "a block is named %s; a layer must have another name", name);
        }
    }
    return RS_OK;
}

static rs_status add_layer(builder *b, const rs_yaml *item)
{
    rs__layer_text layer;
    char name[RS_NAME_MAX];
    rs_node_spec spec = {.name = name, .unit = b->scope.unit};
    RS_TRY(rs__layer_read(item, b->document->place, b->network->classes, &b->document->initial, &layer,
                          b->error));
    if (b->network->node_count == MOST_NODES) {
        return FAIL_AT(b, item->line, "more than %d layers", MOST_NODES - 1);
    }
    RS_TRY(find_inputs(b, &layer, spec.input));
    RS_TRY(name_layer(b, &layer, item->line, name));
    RS_TRY(check_no_block(b, item, name));
    RS_TRY(choose_block(b, &layer, name, &spec.block));
    spec.kind = layer.kind;
    spec.attributes = layer.attributes;
    spec.weight_initializer = layer.initial.weight;
    spec.weight_std = layer.initial.weight == RS_INIT_NORMAL ? layer.initial.std : 0.0;
    spec.bias_initializer = layer.initial.bias;
    RS_TRY(at_line(b, item->line, rs_network_add(b->network, &spec, &b->before, b->error)));
    b->lines[b->before] = item->line;
    return RS_OK;
}

static rs_status add_list(builder *b, const rs_yaml *list);

/* The layers of `block` or `times`, whose only other key is `layers`. */
static rs_status get_layers(builder *b, const rs_yaml *item, const rs_yaml **layers)
{
    static const char *const keys[] = {"layers"};
    *layers = rs_yaml_get(item, "layers");
    for (const rs_yaml *next = item->first->next; next; next = next->next) {
        if (next != *layers) {
            return rs__unknown_key(next, b->document->place, item->first->key, keys, 1, b->error);
        }
    }
    if (!*layers || ((*layers)->kind == RS_YAML_LIST && !(*layers)->first)) {
        return FAIL_AT(b, item->line, "%s needs its layers: a list under the key layers", item->first->key);
    }
    return rs_yaml_expect(*layers, RS_YAML_LIST, b->document->place, b->error);
}

static rs_status check_block(builder *b, const rs_yaml *item, const char *name)
{
    if (b->scope.unit) {
        return FAIL_AT(b, item->line, "a block in the block %s; blocks stand side by side", b->scope.unit);
    }
    for (int i = 0; i < b->network->block_count; i++) {
        if (strcmp(b->network->blocks[i].name, name) == 0) {
            return FAIL_AT(b, item->line, "two blocks are named %s", name);
        }
    }
    if (rs_network_find_node(b->network, name) >= 0) {
        return FAIL_AT(b, item->line, "a layer is named %s; a block must have another name", name);
    }
    return RS_OK;
}

static rs_status check_weights(builder *b, const rs_yaml *item, const char *name)
{
    for (int i = 0; i < b->network->parameter_count; i++) {
        if (b->network->parameters[i].block == b->scope.block) {
            return RS_OK;
        }
    }
    return FAIL_AT(b, item->line, "the block %s has no weights that count: nothing of it moves", name);
}

static rs_status add_block(builder *b, const rs_yaml *item)
{
    const rs_yaml *layers;
    const char *text;
    char name[RS_NAME_MAX];
    RS_TRY(rs_yaml_text(item->first, b->document->place, &text, b->error));
    RS_TRY(expand_name(b, text, item->line, name));
    RS_TRY(get_layers(b, item, &layers));
    RS_TRY(check_block(b, item, name));
    scope outer = b->scope;
    outer.position++;
    b->scope = (scope){.unit = name, .entered = b->before};
    if (snprintf(b->scope.prefix, sizeof b->scope.prefix, "%s.", name) >= RS_NAME_MAX) {
        return FAIL_AT(b, item->line, "the name \"%s\" is too long for a block", name);
    }
    RS_TRY(at_line(b, item->line, rs_network_add_block(b->network, name, &b->scope.block, b->error)));
    RS_TRY(add_list(b, layers));
    RS_TRY(check_weights(b, item, name));
    b->scope = outer;
    return RS_OK;
}

static rs_status add_times(builder *b, const rs_yaml *item)
{
    const rs_yaml *layers;
    int64_t times, outer = b->round;
    RS_TRY(rs__read_integer(item->first, b->document->place, 1, MOST_NODES, &times, b->error));
    RS_TRY(get_layers(b, item, &layers));
    for (int64_t i = 0; i < times; i++) {
        b->round = i;
        RS_TRY(add_list(b, layers));
    }
    b->round = outer;
    return RS_OK;
}

static bool begins_with(const rs_yaml *item, const char *key)
{
    return item->kind == RS_YAML_MAP && item->first && strcmp(item->first->key, key) == 0;
}

static rs_status add_list(builder *b, const rs_yaml *list)
{
    for (const rs_yaml *item = list->first; item; item = item->next) {
        RS_TRY(begins_with(item, "block")   ? add_block(b, item)
               : begins_with(item, "times") ? add_times(b, item)
                                            : add_layer(b, item));
    }
    return RS_OK;
}

/* Whether any list has a block. */
static bool has_blocks(const rs_yaml *list)
{
    for (const rs_yaml *item = list->first; item; item = item->next) {
        const rs_yaml *layers = item->kind == RS_YAML_MAP ? rs_yaml_get(item, "layers") : NULL;
        if (begins_with(item, "block") || (layers && layers->kind == RS_YAML_LIST && has_blocks(layers))) {
            return true;
        }
    }
    return false;
}

/* An output that nobody takes is a mistake: no loss would reach what makes it. */
static rs_status check_all_used(builder *b)
{
    for (int node = 1; node < b->before; node++) {
        bool used = false;
        for (int i = node + 1; i <= b->before && !used; i++) {
            const rs_node *n = &b->network->nodes[i];
            used = n->input[0] == node || (rs_op_inputs(n->kind) == 2 && n->input[1] == node);
        }
        if (!used) {
            return FAIL_AT(b, b->lines[node], "%s: no layer takes its output", b->network->nodes[node].name);
        }
    }
    return RS_OK;
}

static rs_status add_loss(builder *b, const rs_network_options *options)
{
    const rs__document *d = b->document;
    rs_node_spec spec = {.name = "loss", .input = {b->before}, .block = -1};
    int node, line = b->lines[b->before];
    RS_TRY(at_line(
        b, d->layers->line,
        rs__loss_choose(options, d->loss, d->reduction, &spec.kind, &spec.attributes.reduction, b->error)));
    RS_TRY(at_line(b, line, rs__loss_check_width(b->network, b->before, spec.kind, b->error)));
    return at_line(b, line, rs_network_add(b->network, &spec, &node, b->error));
}

static rs_status build(builder *b, const rs_network_options *options)
{
    RS_TRY(add_list(b, b->document->layers));
    RS_TRY(check_all_used(b));
    RS_TRY(add_loss(b, options));
    RS_TRY(rs__override(b->network, options, b->error));
    return rs_network_finish(b->network, b->error);
}

/* "nets/wide.yaml" -> "wide". */
static void name_of(const char *place, char name[RS_NAME_MAX])
{
    const char *slash = strrchr(place, '/');
    (void)snprintf(name, RS_NAME_MAX, "%s", slash && slash[1] ? slash + 1 : place);
    char *dot = strrchr(name, '.');
    if (dot && dot != name) {
        *dot = '\0';
    }
}

static rs_status build_document(const rs__document *document, const rs_network_options *options,
                                rs_network **network, rs_error *error)
{
    char name[RS_NAME_MAX];
    name_of(document->place, name);
    int *lines = rs_alloc_array(MOST_NODES, sizeof *lines);
    if (!lines) {
        return RS_FAIL(error, RS_MEMORY, "no memory for a network");
    }
    builder b = {.document = document,
                 .named_blocks = has_blocks(document->layers),
                 .scope = {.block = -1},
                 .round = NO_ROUND,
                 .lines = lines,
                 .error = error};
    rs_status status = rs_network_create(name, options->channels, options->height, options->width,
                                         options->classes, &b.network, error);
    status = status ? status : build(&b, options);
    if (status) {
        rs_network_destroy(b.network);
        b.network = NULL;
    }
    rs_free(lines);
    *network = b.network;
    return status;
}

static rs_status keep_source(const char *text, size_t length, rs_network **network, rs_error *error)
{
    char *source = rs_alloc(length + 1);
    if (!source) {
        rs_network_destroy(*network);
        *network = NULL;
        return RS_FAIL(error, RS_MEMORY, "no memory for the text of a network");
    }
    memcpy(source, text, length);
    source[length] = '\0';
    (*network)->source = source;
    return RS_OK;
}

rs_status rs_network_from_yaml(const char *text, size_t length, const char *place,
                               const rs_network_options *options, rs_network **network, rs_error *error)
{
    rs_yaml *root = NULL;
    rs__document document;
    *network = NULL;
    RS_TRY(rs_yaml_parse(text, length, place, &root, error));
    rs_status status = rs__document_read(root, place, &document, error);
    status = status ? status : build_document(&document, options, network, error);
    if (!status) {
        const int made_for[] = {document.channels, document.height, document.width};
        memcpy((*network)->made_for, made_for, sizeof made_for);
    }
    rs_yaml_destroy(root);
    return status ? status : keep_source(text, length, network, error);
}
