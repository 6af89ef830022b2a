/* layer_text.h: one layer of a network file as a node, without its place in the graph. Internal to network/. */
#ifndef RS_NETWORK_LAYER_TEXT_H
#define RS_NETWORK_LAYER_TEXT_H

#include "rs/network.h"
#include "rs/yaml.h"

/* Puts "PLACE:LINE: " before an error's text. */
#define RS_FAIL_AT(place, line, error, ...)                                                                  \
    ((void)RS_FAIL(error, RS_USAGE, __VA_ARGS__), (void)rs_error_prefix(error, "%s:%d", (place), (line)),    \
     RS_USAGE)

/* Initial values: those of the file, or a layer's own. */
typedef struct rs__initial {
    rs_initializer weight, bias;
    double std;
} rs__initial;
/* Takes "initialization", "std" or "bias_initialization"; *taken says whether the item was one of them. */
rs_status rs__initial_read(const rs_yaml *item, const char *place, rs__initial *initial, bool *taken,
                           rs_error *error);

typedef struct rs__layer_text {
    rs_op_kind kind;
    rs_node_attributes attributes;
    rs__initial initial;
    bool counts;      /* in its block's distance */
    const char *name; /* NULL: none given */
    const rs_yaml
        *input; /* of one-input kinds the value of `input`, of two-input kinds that of the kind; NULL: none */
} rs__layer_text;
/* `item`: a kind alone, or a map that begins with one. */
rs_status rs__layer_read(const rs_yaml *item, const char *place, int classes, const rs__initial *initial,
                         rs__layer_text *layer, rs_error *error);

/* How layers without a name are called after their kind: "conv", "bn", "pool", else as the kind. */
const char *rs__kind_short(rs_op_kind kind);

/* USAGE naming the key, what is allowed here and the nearest. */
rs_status rs__unknown_key(const rs_yaml *item, const char *place, const char *where,
                          const char *const *allowed, int count, rs_error *error);
rs_status rs__read_integer(const rs_yaml *item, const char *place, int64_t smallest, int64_t largest,
                           int64_t *value, rs_error *error);

#endif
