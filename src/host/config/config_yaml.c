/* config_yaml.c: a configuration as YAML text and back; see rs/config.h. */
#include <stdlib.h>
#include <string.h>

#include "option.h"
#include "rs/host.h"
#include "rs/yaml.h"

/* Characters that are valid UTF-8 but that a YAML reader refuses or takes for a line's end: C1 controls,
 * U+2028, U+2029, the byte order mark and two non-characters. Their code point, or 0. */
static unsigned special_character(const unsigned char *s)
{
    if (s[0] == 0xC2 && s[1] < 0xA0) {
        return s[1];
    }
    if ((s[0] & 0xF0) != 0xE0) {
        return 0;
    }
    unsigned code = (s[0] & 0x0Fu) << 12 | (s[1] & 0x3Fu) << 6 | (s[2] & 0x3Fu);
    bool special = code == 0x2028 || code == 0x2029 || code == 0xFEFF || code == 0xFFFE || code == 0xFFFF;
    return special ? code : 0;
}

/* In double quotes. Texts hold no control characters (checkers.c). */
static void print_quoted(FILE *stream, const char *text)
{
    (void)fputc('"', stream);
    for (const unsigned char *s = (const unsigned char *)text; *s; s++) {
        unsigned code = special_character(s);
        if (code) {
            (void)fprintf(stream, "\\u%04X", code);
            s += code < 0x100 ? 1 : 2;
        } else {
            (void)fprintf(stream, "%s%c", *s == '"' || *s == '\\' ? "\\" : "", *s);
        }
    }
    (void)fputs("\"", stream);
}

static void print_option(FILE *stream, const rs_option *option, const rs_config *config)
{
    char text[RS_TEXT_MAX];
    rs__option_text(option, config, text);
    (void)fprintf(stream, "%s: ", option->name);
    if (option->type == RS_OPTION_TEXT) {
        print_quoted(stream, text);
    } else {
        (void)fputs(text, stream);
    }
    (void)fputc('\n', stream);
}

rs_status rs_config_yaml(const rs_config *config, char **text, rs_error *error)
{
    char *buffer = NULL;
    size_t length = 0, count;
    const rs_option *table = rs_option_table(&count);
    FILE *stream = open_memstream(&buffer, &length);
    if (!stream) {
        return RS_FAIL(error, RS_MEMORY, "no memory for the configuration's text");
    }
    for (size_t i = 0; i < count; i++) {
        print_option(stream, &table[i], config);
    }
    bool written = !ferror(stream);
    written = fclose(stream) == 0 && written;
    *text = written ? rs_strdup(buffer) : NULL; /* the stream's own memory is malloc's */
    free(buffer);
    return *text ? RS_OK : RS_FAIL(error, RS_MEMORY, "no memory for the configuration's text");
}

rs_status rs_config_set_yaml(rs_config *config, const rs_yaml *item, const char *place, rs_error *error)
{
    char line[512];
    const char *text = NULL;
    (void)snprintf(line, sizeof line, "%s:%d", place, item->line);
    if (item->kind == RS_YAML_SCALAR && rs__option_find(item->key)) {
        RS_TRY(rs_yaml_text(item, place, &text, error));
    }
    if (item->kind != RS_YAML_SCALAR && rs__option_find(item->key)) {
        return rs_yaml_expect(item, RS_YAML_SCALAR, place, error);
    }
    return rs_config_set(config, item->key, text ? text : "", line, error);
}

rs_status rs_config_read_yaml(rs_config *config, const char *text, const char *place, rs_error *error)
{
    rs_yaml *root = NULL;
    rs_config read = *config;
    RS_TRY(rs_yaml_parse(text, strlen(text), place, &root, error));
    rs_status status = rs_yaml_expect(root, RS_YAML_MAP, place, error);
    for (const rs_yaml *item = root->first; status == RS_OK && item; item = item->next) {
        status = rs_config_set_yaml(&read, item, place, error);
    }
    if (status == RS_OK) {
        *config = read;
    }
    rs_yaml_destroy(root);
    return status;
}
