/* yaml_tree.c: libyaml's events as a tree; see rs/yaml.h.
 *
 *   parse_document: stream start, document start, NODE, document end, stream end
 *   NODE:           a scalar, or a list or map whose items are NODEs, down to RS_YAML_MAX_DEPTH */
#include "rs/yaml.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "rs/host.h"

typedef struct builder {
    yaml_parser_t parser;
    const char *place;
    const char *input; /* whole text, for the line of a byte that is no character */
    size_t length;
    int nodes;
} builder;

#define FAIL_AT(b, at, ...)                                                                                  \
    ((void)RS_FAIL(error, RS_USAGE, __VA_ARGS__), (void)rs_error_prefix(error, "%s:%d", (b)->place, (at)),   \
     RS_USAGE)

static int line_of_offset(const builder *b, size_t offset)
{
    int line = 1;
    for (size_t i = 0; i < offset && i < b->length; i++) {
        line += b->input[i] == '\n';
    }
    return line;
}

static rs_status syntax_error(const builder *b, rs_error *error)
{
    const yaml_parser_t *p = &b->parser;
    const char *problem = p->problem ? p->problem : "not YAML";
    if (p->error == YAML_MEMORY_ERROR) {
        return RS_FAIL(error, RS_MEMORY, "no memory for reading %s", b->place);
    }
    if (p->error == YAML_READER_ERROR) {
        return FAIL_AT(b, line_of_offset(b, p->problem_offset), "not a text file in UTF-8 (%s at byte %zu)",
                       problem, p->problem_offset + 1);
    }
    return FAIL_AT(b, (int)p->problem_mark.line + 1, "not valid YAML: %s%s%s", problem, p->context ? " " : "",
                   p->context ? p->context : "");
}

static rs_status next_event(builder *b, yaml_event_t *event, rs_error *error)
{
    return yaml_parser_parse(&b->parser, event) ? RS_OK : syntax_error(b, error);
}

/* A copy of a scalar's text. A NUL inside ("\0" in quotes) is refused: texts end there. */
static rs_status copy_text(const builder *b, const yaml_event_t *event, char **text, rs_error *error)
{
    const char *value = (const char *)event->data.scalar.value;
    if (strlen(value) != event->data.scalar.length) {
        return FAIL_AT(b, (int)event->start_mark.line + 1, "a text with a NUL character in it");
    }
    *text = rs_strdup(value);
    return *text ? RS_OK : RS_FAIL(error, RS_MEMORY, "no memory for reading %s", b->place);
}

static bool has_anchor_or_tag(const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return event->data.scalar.anchor || event->data.scalar.tag;
    case YAML_SEQUENCE_START_EVENT:
        return event->data.sequence_start.anchor || event->data.sequence_start.tag;
    case YAML_MAPPING_START_EVENT:
        return event->data.mapping_start.anchor || event->data.mapping_start.tag;
    default:
        return event->type == YAML_ALIAS_EVENT;
    }
}

static rs_status check_node(builder *b, const yaml_event_t *event, int depth, rs_error *error)
{
    int line = (int)event->start_mark.line + 1;
    if (has_anchor_or_tag(event)) {
        return FAIL_AT(b, line, "anchors (&), aliases (*) and tags (!) are not taken; write the value out");
    }
    if (depth > RS_YAML_MAX_DEPTH) {
        return FAIL_AT(b, line, "nested more than %d levels deep", RS_YAML_MAX_DEPTH);
    }
    if (++b->nodes > RS_YAML_MAX_NODES) {
        return FAIL_AT(b, line, "more than %d values in one file", RS_YAML_MAX_NODES);
    }
    return RS_OK;
}

static rs_status build_node(builder *b, yaml_event_t *event, int depth, rs_yaml **out, rs_error *error);

static rs_status build_list(builder *b, int depth, rs_yaml *list, rs_error *error)
{
    rs_yaml **end = &list->first;
    for (;;) {
        yaml_event_t event;
        RS_TRY(next_event(b, &event, error));
        if (event.type == YAML_SEQUENCE_END_EVENT) {
            yaml_event_delete(&event);
            return RS_OK;
        }
        RS_TRY(build_node(b, &event, depth + 1, end, error));
        end = &(*end)->next;
    }
}

/* Key and value of a map; *event is the key's and is used up. */
static rs_status build_pair(builder *b, yaml_event_t *event, int depth, const rs_yaml *map, rs_yaml **out,
                            rs_error *error)
{
    char *key = NULL;
    int line = (int)event->start_mark.line + 1;
    rs_status status = check_node(b, event, depth, error);
    if (status == RS_OK && event->type != YAML_SCALAR_EVENT) {
        status = FAIL_AT(b, line, "a list or map as a key; keys are names");
    }
    if (status == RS_OK) {
        status = copy_text(b, event, &key, error);
    }
    yaml_event_delete(event);
    RS_TRY(status);
    const rs_yaml *twin = rs_yaml_get(map, key);
    if (twin) {
        status = FAIL_AT(b, line, "%.80s is given twice; first in line %d", key, twin->line);
        goto done;
    }
    status = next_event(b, event, error);
    if (status != RS_OK) {
        goto done;
    }
    status = build_node(b, event, depth + 1, out, error);
    if (*out) {
        (*out)->key = key;
        (*out)->line = line;
        key = NULL;
    }
done:
    rs_free(key);
    return status;
}

static rs_status build_map(builder *b, int depth, rs_yaml *map, rs_error *error)
{
    rs_yaml **end = &map->first;
    for (;;) {
        yaml_event_t event;
        RS_TRY(next_event(b, &event, error));
        if (event.type == YAML_MAPPING_END_EVENT) {
            yaml_event_delete(&event);
            return RS_OK;
        }
        RS_TRY(build_pair(b, &event, depth, map, end, error));
        end = &(*end)->next;
    }
}

/* Uses *event up. *out is set as soon as the node exists, so that a failure frees it with the tree. */
static rs_status build_node(builder *b, yaml_event_t *event, int depth, rs_yaml **out, rs_error *error)
{
    yaml_event_type_t type = event->type;
    rs_status status = check_node(b, event, depth, error);
    if (status == RS_OK && !(*out = rs_alloc_zero(sizeof **out))) {
        status = RS_FAIL(error, RS_MEMORY, "no memory for reading %s", b->place);
    }
    if (status == RS_OK) {
        (*out)->line = (int)event->start_mark.line + 1;
        if (type == YAML_SCALAR_EVENT) {
            (*out)->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
            status = copy_text(b, event, &(*out)->text, error);
        }
    }
    yaml_event_delete(event);
    if (status == RS_OK && type == YAML_SEQUENCE_START_EVENT) {
        (*out)->kind = RS_YAML_LIST;
        status = build_list(b, depth, *out, error);
    } else if (status == RS_OK && type == YAML_MAPPING_START_EVENT) {
        (*out)->kind = RS_YAML_MAP;
        status = build_map(b, depth, *out, error);
    }
    return status;
}

/* The next event must be of `type`; `otherwise` says what it means when it is not. */
static rs_status pass_event(builder *b, yaml_event_type_t type, const char *otherwise, rs_error *error)
{
    yaml_event_t event;
    RS_TRY(next_event(b, &event, error));
    int line = (int)event.start_mark.line + 1;
    bool right = event.type == type;
    yaml_event_delete(&event);
    return right ? RS_OK : FAIL_AT(b, line, "%s", otherwise);
}

static rs_status build_document(builder *b, rs_yaml **root, rs_error *error)
{
    yaml_event_t event;
    RS_TRY(pass_event(b, YAML_STREAM_START_EVENT, "not a YAML text", error));
    RS_TRY(pass_event(b, YAML_DOCUMENT_START_EVENT, "the file is empty", error));
    RS_TRY(next_event(b, &event, error));
    RS_TRY(build_node(b, &event, 1, root, error));
    RS_TRY(pass_event(b, YAML_DOCUMENT_END_EVENT, "not the end of the document", error));
    return pass_event(b, YAML_STREAM_END_EVENT, "a second document begins; one file holds one", error);
}

rs_status rs_yaml_parse(const char *text, size_t length, const char *place, rs_yaml **root, rs_error *error)
{
    builder b = {.place = place, .input = text, .length = length};
    *root = NULL;
    if (!yaml_parser_initialize(&b.parser)) {
        return RS_FAIL(error, RS_MEMORY, "no memory for reading %s", place);
    }
    yaml_parser_set_encoding(&b.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&b.parser, (const unsigned char *)text, length);
    rs_status status = build_document(&b, root, error);
    yaml_parser_delete(&b.parser);
    if (status != RS_OK) {
        rs_yaml_destroy(*root);
        *root = NULL;
    }
    return status;
}

static rs_status read_whole(FILE *file, const char *path, char **text, size_t *length, rs_error *error)
{
    size_t capacity = RS_YAML_MAX_BYTES + 1;
    *text = rs_alloc(capacity);
    if (!*text) {
        return RS_FAIL(error, RS_MEMORY, "no memory for reading %s", path);
    }
    *length = fread(*text, 1, capacity, file);
    if (ferror(file)) {
        return RS_FAIL(error, RS_DATA, "%s: cannot be read: %s", path, strerror(errno));
    }
    if (*length == capacity) {
        return RS_FAIL(error, RS_DATA, "%s: longer than %d bytes; not a study file", path, RS_YAML_MAX_BYTES);
    }
    (*text)[*length] = '\0';
    return RS_OK;
}

rs_status rs_yaml_read(const char *path, char **text, size_t *length, rs_error *error)
{
    *text = NULL;
    FILE *file = fopen(path, "re");
    if (!file) {
        return RS_FAIL(error, RS_DATA, "%s: cannot be opened: %s", path, strerror(errno));
    }
    rs_status status = read_whole(file, path, text, length, error);
    (void)fclose(file);
    if (status) {
        rs_free(*text);
        *text = NULL;
    }
    return status;
}

rs_status rs_yaml_load(const char *path, rs_yaml **root, rs_error *error)
{
    char *text = NULL;
    size_t length = 0;
    RS_TRY(rs_yaml_read(path, &text, &length, error));
    rs_status status = rs_yaml_parse(text, length, path, root, error);
    rs_free(text);
    return status;
}

void rs_yaml_destroy(rs_yaml *node)
{
    while (node) {
        rs_yaml *next = node->next;
        rs_yaml_destroy(node->first);
        rs_free(node->key);
        rs_free(node->text);
        rs_free(node);
        node = next;
    }
}

const rs_yaml *rs_yaml_get(const rs_yaml *map, const char *key)
{
    const rs_yaml *item = map->first;
    while (item && (!item->key || strcmp(item->key, key) != 0)) {
        item = item->next;
    }
    return item;
}

static const char *kind_name(rs_yaml_kind kind)
{
    static const char *const names[] = {"a single value", "a list", "a map of keys and values"};
    return names[kind];
}

rs_status rs_yaml_expect(const rs_yaml *node, rs_yaml_kind kind, const char *place, rs_error *error)
{
    if (node->kind == kind) {
        return RS_OK;
    }
    return RS_FAIL(error, RS_USAGE, "%s:%d: %s%smust be %s, not %s", place, node->line,
                   node->key ? node->key : "", node->key ? " " : "it ", kind_name(kind),
                   kind_name(node->kind));
}

rs_status rs_yaml_text(const rs_yaml *node, const char *place, const char **text, rs_error *error)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
    RS_TRY(rs_yaml_expect(node, RS_YAML_SCALAR, place, error));
    for (size_t i = 0; !node->quoted && i < sizeof nulls / sizeof nulls[0]; i++) {
        if (strcmp(node->text, nulls[i]) == 0) {
            return RS_FAIL(error, RS_USAGE, "%s:%d: %s has no value (empty text is written \"\")", place,
                           node->line, node->key ? node->key : "an item of the list");
        }
    }
    *text = node->text;
    return RS_OK;
}
