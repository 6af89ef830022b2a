/* rs/json.h: writes JSON, value by value: commas, quotes, escapes and indents are kept here.
 *
 *     rs_json json = rs_json_begin(stream);
 *     rs_json_open(&json, NULL, '{');
 *     rs_json_integer(&json, "steps", 12);
 *     rs_json_close(&json);
 *
 * In an object every value has a key, in a list none (NULL). Bytes that are no UTF-8 become U+FFFD. */
#ifndef RS_JSON_H
#define RS_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define RS_JSON_DEPTH 16

typedef struct rs_json {
    FILE *stream; /* borrowed; whoever opened it looks for errors */
    int depth;
    char kind[RS_JSON_DEPTH]; /* '{' or '[' of every level */
    bool any[RS_JSON_DEPTH];  /* whether the level holds a value already */
} rs_json;

rs_json rs_json_begin(FILE *stream);
void rs_json_open(rs_json *json, const char *key, char kind); /* '{' or '[' */
void rs_json_close(rs_json *json);                            /* the innermost; the last one ends the line */
void rs_json_text(rs_json *json, const char *key, const char *text); /* NULL: null */
void rs_json_integer(rs_json *json, const char *key, int64_t value);
void rs_json_real(rs_json *json, const char *key, double value); /* to the bit; null where it is not finite */
void rs_json_flag(rs_json *json, const char *key, bool value);

#endif
