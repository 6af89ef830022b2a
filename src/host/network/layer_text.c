/* layer_text.c: one layer of a network file; see layer_text.h.
 *
 *   relu                                            a kind alone
 *   {convolution: 16, kernel: 3, padding: 1}        a kind, its main value, its other keys
 *   {add: block_input}                              kinds of two inputs: the other one, or a list of both */
#include "layer_text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "rs/text.h"
#include "words.h"

typedef enum key {
    KEY_NONE, /* as a main value: the kind takes none */
    KEY_OTHER_INPUT,
    KEY_CHANNELS,
    KEY_KERNEL,
    KEY_STRIDE,
    KEY_PADDING,
    KEY_BIAS,
    KEY_EPSILON,
    KEY_MOMENTUM,
    KEY_RATE,
    KEY_AXIS,
    KEY_TIMES,
    KEY_COUNTS,
    KEY_INITIAL, /* the three of rs__initial_read */
    KEYS
} key;
static const char *const key_names[KEYS] = {
    [KEY_KERNEL] = "kernel", [KEY_STRIDE] = "stride",   [KEY_PADDING] = "padding",
    [KEY_BIAS] = "bias",     [KEY_EPSILON] = "epsilon", [KEY_MOMENTUM] = "momentum",
    [KEY_AXIS] = "axis",     [KEY_COUNTS] = "counts",   [KEY_INITIAL] = "initialization",
};

#define WEIGHTED (1U << KEY_BIAS | 1U << KEY_COUNTS | 1U << KEY_INITIAL)
#define WINDOW   (1U << KEY_STRIDE | 1U << KEY_PADDING)

typedef struct kind_text {
    bool layer; /* whether a file may have it */
    key main;   /* what the value behind the kind is */
    bool optional;
    unsigned keys; /* bits of key */
    const char *short_name;
} kind_text;
static const kind_text kinds[RS_OP_KINDS] = {
    [RS_OP_CONVOLUTION] = {true, KEY_CHANNELS, false, WINDOW | WEIGHTED | 1U << KEY_KERNEL, "conv"},
    [RS_OP_LINEAR] = {true, KEY_CHANNELS, false, WEIGHTED, NULL},
    [RS_OP_BATCH_NORM] = {true, KEY_NONE, true, 1U << KEY_EPSILON | 1U << KEY_MOMENTUM | 1U << KEY_COUNTS,
                          "bn"},
    [RS_OP_RELU] = {true, KEY_NONE, true, 0, NULL},
    [RS_OP_SOFTPLUS] = {true, KEY_NONE, true, 0, NULL},
    [RS_OP_SIGMOID] = {true, KEY_NONE, true, 0, NULL},
    [RS_OP_TANH] = {true, KEY_NONE, true, 0, NULL},
    [RS_OP_SOFTMAX] = {true, KEY_NONE, true, 0, NULL},
    [RS_OP_ROW_NORMALIZE] = {true, KEY_NONE, true, 0, NULL},
    [RS_OP_FLATTEN] = {true, KEY_NONE, true, 0, NULL},
    [RS_OP_REPEAT] = {true, KEY_TIMES, false, 1U << KEY_AXIS, NULL},
    [RS_OP_DROPOUT] = {true, KEY_RATE, true, 0, NULL},
    [RS_OP_ADD] = {true, KEY_OTHER_INPUT, false, 0, NULL},
    [RS_OP_DIVIDE] = {true, KEY_OTHER_INPUT, false, 0, NULL},
    [RS_OP_MATRIX_PRODUCT] = {true, KEY_OTHER_INPUT, false, 0, NULL},
    [RS_OP_MAX_POOL] = {true, KEY_KERNEL, false, WINDOW, "pool"},
    [RS_OP_AVERAGE_POOL] = {true, KEY_KERNEL, false, WINDOW, "pool"},
    [RS_OP_GLOBAL_AVERAGE_POOL] = {true, KEY_NONE, true, 0, "pool"},
};

const char *rs__kind_short(rs_op_kind kind)
{
    return kinds[kind].short_name ? kinds[kind].short_name : rs_op_name(kind);
}

rs_status rs__unknown_key(const rs_yaml *item, const char *place, const char *where,
                          const char *const *allowed, int count, rs_error *error)
{
    char list[256] = "";
    size_t length = 0;
    for (int i = 0; i < count && length < sizeof list; i++) {
        length += (size_t)snprintf(list + length, sizeof list - length, "%s%s", i ? ", " : "", allowed[i]);
    }
    const char *nearest = rs_text_nearest(item->key, allowed, count);
    return RS_FAIL_AT(place, item->line, error, "%s takes no key \"%.80s\"; its keys are %s%s%s", where,
                      item->key, list, nearest ? "; nearest " : "", nearest ? nearest : "");
}

rs_status rs__read_integer(const rs_yaml *item, const char *place, int64_t smallest, int64_t largest,
                           int64_t *value, rs_error *error)
{
    const char *text;
    RS_TRY(rs_yaml_text(item, place, &text, error));
    if (!rs_text_int(text, value) || *value < smallest || *value > largest) {
        return RS_FAIL_AT(place, item->line, error,
                          "%s %.40s: not a whole number from %" PRId64 " to %" PRId64, item->key, text,
                          smallest, largest);
    }
    return RS_OK;
}

/* A number, or a quotient of two. */
static rs_status read_real(const rs_yaml *item, const char *place, double *value, rs_error *error)
{
    const char *text;
    RS_TRY(rs_yaml_text(item, place, &text, error));
    char above[64];
    double below = 1.0;
    const char *stroke = strchr(text, '/');
    size_t length = stroke ? (size_t)(stroke - text) : strlen(text);
    (void)snprintf(above, sizeof above, "%.*s", (int)length, text);
    if (length >= sizeof above || !rs_text_real(above, value) ||
        (stroke && !rs_text_real(stroke + 1, &below)) || !isfinite(*value / below)) {
        return RS_FAIL_AT(place, item->line, error, "%s %.40s: not a number, or a quotient of two (2/3920)",
                          item->key, text);
    }
    *value /= below;
    return RS_OK;
}

static rs_status read_bool(const rs_yaml *item, const char *place, bool *value, rs_error *error)
{
    const char *text;
    RS_TRY(rs_yaml_text(item, place, &text, error));
    *value = strcmp(text, "true") == 0;
    return *value || strcmp(text, "false") == 0
               ? RS_OK
               : RS_FAIL_AT(place, item->line, error, "%s %.40s: not true or false", item->key, text);
}

static rs_status read_initializer(const rs_yaml *item, const char *place, bool bias, rs_initializer *value,
                                  rs_error *error)
{
    const char *text;
    RS_TRY(rs_yaml_text(item, place, &text, error));
    if (!rs__initializer_parse(text, value) ||
        (bias && *value != RS_INIT_UNIFORM_FAN_IN && *value != RS_INIT_ZERO)) {
        return RS_FAIL_AT(place, item->line, error, "%s %.40s: not one of %s", item->key, text,
                          bias ? "default, zeros" : rs__initializer_words());
    }
    return RS_OK;
}

rs_status rs__initial_read(const rs_yaml *item, const char *place, rs__initial *initial, bool *taken,
                           rs_error *error)
{
    *taken = true;
    if (strcmp(item->key, "initialization") == 0) {
        return read_initializer(item, place, false, &initial->weight, error);
    }
    if (strcmp(item->key, "bias_initialization") == 0) {
        return read_initializer(item, place, true, &initial->bias, error);
    }
    if (strcmp(item->key, "std") == 0) {
        RS_TRY(read_real(item, place, &initial->std, error));
        return initial->std > 0.0 ? RS_OK : RS_FAIL_AT(place, item->line, error, "std must be above 0");
    }
    *taken = false;
    return RS_OK;
}

static rs_status find_kind(const char *text, const char *place, int line, rs_op_kind *kind, rs_error *error)
{
    const char *names[RS_OP_KINDS + 2];
    int count = 0;
    for (int i = 0; i < RS_OP_KINDS; i++) {
        if (kinds[i].layer && strcmp(rs_op_name((rs_op_kind)i), text) == 0) {
            *kind = (rs_op_kind)i;
            return RS_OK;
        }
        if (kinds[i].layer) {
            names[count++] = rs_op_name((rs_op_kind)i);
        }
    }
    names[count++] = "block";
    names[count++] = "times";
    const char *nearest = rs_text_nearest(text, names, count);
    return RS_FAIL_AT(
        place, line, error,
        "\"%.80s\" is no kind of layer%s%s (a layer begins with its kind: convolution, linear, batch_norm, "
        "relu, ..; a list of them with block or times)",
        text, nearest ? "; nearest " : "", nearest ? nearest : "");
}

/* "classes" is the number of the data's classes. */
static rs_status read_channels(const rs_yaml *item, const char *place, int classes, int64_t *channels,
                               rs_error *error)
{
    if (item->kind == RS_YAML_SCALAR && strcmp(item->text, "classes") == 0) {
        *channels = classes;
        return RS_OK;
    }
    return rs__read_integer(item, place, 1, 1 << 24, channels, error);
}

static rs_status read_int(const rs_yaml *item, const char *place, int *value, rs_error *error)
{
    int64_t wide;
    RS_TRY(rs__read_integer(item, place, 0, 1 << 16, &wide, error));
    *value = (int)wide;
    return RS_OK;
}

static rs_status read_value(const rs_yaml *item, key what, const char *place, int classes,
                            rs__layer_text *layer, rs_error *error)
{
    rs_node_attributes *a = &layer->attributes;
    switch (what) {
    case KEY_OTHER_INPUT:
        layer->input = item;
        return RS_OK;
    case KEY_CHANNELS:
        return read_channels(item, place, classes, &a->channels, error);
    case KEY_KERNEL:
        return read_int(item, place, &a->kernel, error);
    case KEY_STRIDE:
        return read_int(item, place, &a->stride, error);
    case KEY_PADDING:
        return read_int(item, place, &a->padding, error);
    case KEY_AXIS:
        return read_int(item, place, &a->axis, error);
    case KEY_TIMES:
        return rs__read_integer(item, place, 1, 1 << 24, &a->times, error);
    case KEY_BIAS:
        return read_bool(item, place, &a->bias, error);
    case KEY_COUNTS:
        return read_bool(item, place, &layer->counts, error);
    case KEY_EPSILON:
        return read_real(item, place, &a->epsilon, error);
    case KEY_MOMENTUM:
        return read_real(item, place, &a->momentum, error);
    case KEY_RATE:
        return read_real(item, place, &a->rate, error);
    case KEY_NONE:
    case KEY_INITIAL:
    case KEYS:
        break;
    }
    return RS_FAIL_AT(place, item->line, error, "%s takes no value", item->key);
}

static bool is_empty(const rs_yaml *item)
{
    return item->kind == RS_YAML_SCALAR && !item->quoted &&
           (item->text[0] == '\0' || strcmp(item->text, "~") == 0);
}

static rs_status read_main(const rs_yaml *item, const char *place, int classes, rs__layer_text *layer,
                           rs_error *error)
{
    const kind_text *kind = &kinds[layer->kind];
    if (is_empty(item)) {
        return kind->optional ? RS_OK : RS_FAIL_AT(place, item->line, error, "%s needs a value", item->key);
    }
    return read_value(item, kind->main, place, classes, layer, error);
}

static rs_status refuse_key(const rs_yaml *item, const char *place, rs_op_kind kind, rs_error *error)
{
    const char *allowed[KEYS + 4];
    int count = 0;
    allowed[count++] = "name";
    if (rs_op_inputs(kind) == 1) {
        allowed[count++] = "input";
    }
    for (int i = 0; i < KEYS; i++) {
        if (kinds[kind].keys & 1U << i) {
            allowed[count++] = key_names[i];
        }
    }
    if (kinds[kind].keys & 1U << KEY_INITIAL) {
        allowed[count++] = "std";
        allowed[count++] = "bias_initialization";
    }
    return rs__unknown_key(item, place, rs_op_name(kind), allowed, count, error);
}

static rs_status read_key(const rs_yaml *item, const char *place, int classes, rs__layer_text *layer,
                          rs_error *error)
{
    if (strcmp(item->key, "name") == 0) {
        return rs_yaml_text(item, place, &layer->name, error);
    }
    if (strcmp(item->key, "input") == 0 && rs_op_inputs(layer->kind) == 1) {
        layer->input = item;
        return RS_OK;
    }
    unsigned keys = kinds[layer->kind].keys;
    for (int i = 0; i < KEYS; i++) {
        bool own = key_names[i] && (keys & 1U << i) && i != KEY_INITIAL;
        if (own && strcmp(item->key, key_names[i]) == 0) {
            return read_value(item, (key)i, place, classes, layer, error);
        }
    }
    bool taken = false;
    if (keys & 1U << KEY_INITIAL) {
        RS_TRY(rs__initial_read(item, place, &layer->initial, &taken, error));
    }
    return taken ? RS_OK : refuse_key(item, place, layer->kind, error);
}

static void set_defaults(rs__layer_text *layer)
{
    rs_node_attributes *a = &layer->attributes;
    layer->counts = true;
    switch (layer->kind) {
    case RS_OP_CONVOLUTION:
        a->stride = 1;
        a->bias = true;
        return;
    case RS_OP_LINEAR:
        a->bias = true;
        return;
    case RS_OP_BATCH_NORM:
        a->epsilon = 1e-5;
        a->momentum = 0.1;
        return;
    case RS_OP_DROPOUT:
        a->rate = 0.5;
        return;
    case RS_OP_MAX_POOL:
    case RS_OP_AVERAGE_POOL:
        a->stride = -1; /* as the kernel */
        return;
    default:
        return;
    }
}

/* What only all keys together can say. */
static rs_status complete(const rs_yaml *item, const char *place, rs__layer_text *layer, rs_error *error)
{
    rs_node_attributes *a = &layer->attributes;
    if (layer->kind == RS_OP_CONVOLUTION && a->kernel == 0) {
        return RS_FAIL_AT(place, item->line, error,
                          "a convolution needs a kernel of at least 1, as in kernel: 3");
    }
    if (a->stride < 0) {
        a->stride = a->kernel;
    }
    bool weights = layer->kind == RS_OP_CONVOLUTION || layer->kind == RS_OP_LINEAR;
    if (weights && layer->initial.weight == RS_INIT_NORMAL && !(layer->initial.std > 0.0)) {
        return RS_FAIL_AT(place, item->line, error, "initialization normal needs its std");
    }
    if (weights && layer->initial.weight != RS_INIT_NORMAL && item->kind == RS_YAML_MAP &&
        rs_yaml_get(item, "std")) {
        return RS_FAIL_AT(place, item->line, error, "std is of initialization normal");
    }
    return RS_OK;
}

rs_status rs__layer_read(const rs_yaml *item, const char *place, int classes, const rs__initial *initial,
                         rs__layer_text *layer, rs_error *error)
{
    *layer = (rs__layer_text){.initial = *initial};
    bool map = item->kind == RS_YAML_MAP && item->first;
    const char *kind = map ? item->first->key : item->text;
    if (!kind) {
        return RS_FAIL_AT(place, item->line, error, "a layer is a kind, or a map that begins with one");
    }
    RS_TRY(find_kind(kind, place, item->line, &layer->kind, error));
    set_defaults(layer);
    if (!map) {
        return kinds[layer->kind].optional
                   ? RS_OK
                   : RS_FAIL_AT(place, item->line, error, "%s needs a value, as in %s: ..", item->text,
                                item->text);
    }
    RS_TRY(read_main(item->first, place, classes, layer, error));
    for (const rs_yaml *next = item->first->next; next; next = next->next) {
        RS_TRY(read_key(next, place, classes, layer, error));
    }
    return complete(item, place, layer, error);
}
