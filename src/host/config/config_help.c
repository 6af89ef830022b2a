/* config_help.c: the options part of --help, straight from the table. */
#include <string.h>

#include "option.h"
#include "rs/text.h"

enum { HELP_COLUMN = 27 };

static bool is_hidden(const rs_option *option)
{
    return strcmp(option->group, "Set by the program") == 0;
}

/* "[18|26|34; default 18]"; nothing for what is off or empty by default. */
static void describe_values(const rs_option *option, const rs_config *defaults, char *text, size_t capacity)
{
    char initial[RS_TEXT_MAX];
    rs__option_text(option, defaults, initial);
    bool listed = option->type != RS_OPTION_TEXT && option->type != RS_OPTION_FLAG && *option->allowed;
    if (option->type == RS_OPTION_FLAG) {
        (void)snprintf(text, capacity, "%s", strcmp(initial, "true") == 0 ? " [on by default]" : "");
    } else if (listed) {
        (void)snprintf(text, capacity, " [%s; default %s]", option->allowed, initial);
    } else {
        (void)snprintf(text, capacity, "%s%s%s", *initial ? " [default " : "", initial, *initial ? "]" : "");
    }
}

static void print_option(FILE *stream, const rs_option *option, const rs_config *defaults)
{
    char values[RS_TEXT_MAX + 64], text[2 * RS_TEXT_MAX];
    describe_values(option, defaults, values, sizeof values);
    (void)snprintf(text, sizeof text, "%s%s", option->help, values);
    int column = fprintf(stream, "  --%s%s%s%s", rs__option_on_by_default(option) ? "[no-]" : "",
                         option->name, *option->value ? " " : "", option->value);
    if (column + 2 > HELP_COLUMN) {
        (void)fputc('\n', stream);
        column = 0;
    }
    rs_text_print_wrapped(stream, text, column, HELP_COLUMN);
}

void rs_config_help(FILE *stream)
{
    size_t count;
    const rs_option *table = rs_option_table(&count);
    rs_config defaults;
    rs_config_default(&defaults);
    const char *group = NULL;
    for (size_t i = 0; i < count; i++) {
        if (is_hidden(&table[i])) {
            continue;
        }
        if (!group || strcmp(table[i].group, group) != 0) {
            (void)fprintf(stream, "%s%s:\n", group ? "\n" : "", table[i].group);
            group = table[i].group;
        }
        print_option(stream, &table[i], &defaults);
    }
}
