/* json.c: see rs/json.h. Objects have a line for each value; lists stand on one line, unless they hold objects or lists. */
#include "rs/json.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "rs/status.h"
#include "rs/text.h"

rs_json rs_json_begin(FILE *stream)
{
    return (rs_json){.stream = stream};
}

static void print_text(FILE *stream, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    (void)fputc('"', stream);
    while (*at) {
        const int length = rs_text_letter((const char *)at);
        if (length == 0) {
            (void)fputs("\xef\xbf\xbd", stream);
        } else if (*at == '"' || *at == '\\') {
            (void)fprintf(stream, "\\%c", *at);
        } else if (*at == '\n') {
            (void)fputs("\\n", stream);
        } else if (*at < 0x20 || *at == 0x7f) {
            (void)fprintf(stream, "\\u%04x", *at);
        } else {
            (void)fwrite(at, 1, (size_t)length, stream);
        }
        at += length ? length : 1;
    }
    (void)fputc('"', stream);
}

static void new_line(const rs_json *json)
{
    (void)fprintf(json->stream, "\n%*s", 2 * json->depth, "");
}

/* What stands before a value; `nested`: it is an object or a list itself. */
static void begin_value(rs_json *json, const char *key, bool nested)
{
    if (json->depth > 0) {
        const int level = json->depth - 1;
        const bool object = json->kind[level] == '{';
        RS_ASSERT(object == (key != NULL));
        if (json->any[level]) {
            (void)fputs(object || nested ? "," : ", ", json->stream);
        }
        json->any[level] = true;
        if (object || nested) {
            new_line(json);
        }
    }
    if (key) {
        print_text(json->stream, key);
        (void)fputs(": ", json->stream);
    }
}

void rs_json_open(rs_json *json, const char *key, char kind)
{
    RS_ASSERT(json->depth < RS_JSON_DEPTH && (kind == '{' || kind == '['));
    begin_value(json, key, true);
    (void)fputc(kind, json->stream);
    json->kind[json->depth] = kind;
    json->any[json->depth] = false;
    json->depth++;
}

void rs_json_close(rs_json *json)
{
    RS_ASSERT(json->depth > 0);
    json->depth--;
    const bool object = json->kind[json->depth] == '{';
    if (object && json->any[json->depth]) {
        new_line(json);
    }
    (void)fputc(object ? '}' : ']', json->stream);
    if (json->depth == 0) {
        (void)fputc('\n', json->stream);
    }
}

void rs_json_text(rs_json *json, const char *key, const char *text)
{
    begin_value(json, key, false);
    if (text) {
        print_text(json->stream, text);
    } else {
        (void)fputs("null", json->stream);
    }
}

void rs_json_integer(rs_json *json, const char *key, int64_t value)
{
    begin_value(json, key, false);
    (void)fprintf(json->stream, "%" PRId64, value);
}

void rs_json_real(rs_json *json, const char *key, double value)
{
    begin_value(json, key, false);
    if (isfinite(value)) {
        (void)fprintf(json->stream, "%.17g", value);
    } else {
        (void)fputs("null", json->stream);
    }
}

void rs_json_flag(rs_json *json, const char *key, bool value)
{
    begin_value(json, key, false);
    (void)fputs(value ? "true" : "false", json->stream);
}
