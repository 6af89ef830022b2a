/* rs/yaml.h: a small YAML document as a tree that knows its lines: for configurations and study files.
 *
 * Taken: scalars, lists and maps with scalar keys, one document, UTF-8. Refused, with file and line: syntax
 * errors, a key given twice, anchors, aliases and tags, a second document, more than RS_YAML_MAX_DEPTH levels
 * or RS_YAML_MAX_NODES values, and an empty file. */
#ifndef RS_YAML_H
#define RS_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rs/status.h"

#define RS_YAML_MAX_DEPTH 16
#define RS_YAML_MAX_NODES 20000
#define RS_YAML_MAX_BYTES (4 * 1024 * 1024)

typedef enum rs_yaml_kind { RS_YAML_SCALAR, RS_YAML_LIST, RS_YAML_MAP } rs_yaml_kind;

typedef struct rs_yaml rs_yaml;
struct rs_yaml {
    rs_yaml_kind kind;
    int line;       /* in the file, from 1: of the key in a map, else of the value */
    bool quoted;    /* scalar in quotes or a block: never null */
    char *key;      /* in a map; else NULL */
    char *text;     /* of a scalar, UTF-8; else NULL */
    rs_yaml *first; /* of the items of a list or map, in the order of the file */
    rs_yaml *next;  /* in the list or map this one is in */
};

/* `place` names the file in errors. USAGE: not such a document. The caller destroys *root. */
rs_status rs_yaml_parse(const char *text, size_t length, const char *place, rs_yaml **root, rs_error *error);
/* The same from a file, which names itself. DATA: the file cannot be read or is too long. */
rs_status rs_yaml_load(const char *path, rs_yaml **root, rs_error *error);
/* The bytes of such a file, with a zero behind them; the caller's (rs_free). DATA as above. */
rs_status rs_yaml_read(const char *path, char **text, size_t *length, rs_error *error);
void rs_yaml_destroy(rs_yaml *root); /* takes NULL */

/* Whether a text that is either a name or a file is a file: it has a slash, or ends in .yaml or .yml. */
bool rs_yaml_is_path(const char *text);
/* 64 bits that depend on all values, keys and their order, not on comments and layout. */
uint64_t rs_yaml_digest(const rs_yaml *root);

/* The item of a map with that key, or NULL. */
const rs_yaml *rs_yaml_get(const rs_yaml *map, const char *key);
/* Text of a scalar that is not null (nothing, ~ or null without quotes). USAGE names place, line and key. */
rs_status rs_yaml_text(const rs_yaml *node, const char *place, const char **text, rs_error *error);
/* USAGE unless the node is of that kind. */
rs_status rs_yaml_expect(const rs_yaml *node, rs_yaml_kind kind, const char *place, rs_error *error);

#endif
