/* config_arguments.c: a configuration as the command line that gives it. */
#include <string.h>

#include "option.h"
#include "rs/host.h"

/* "--name=value", "--flag" or "--no-flag". */
static char *argument_text(const rs_option *option, const char *value)
{
    char text[RS_TEXT_MAX + 96];
    if (option->type == RS_OPTION_FLAG) {
        (void)snprintf(text, sizeof text, "--%s%s", strcmp(value, "true") == 0 ? "" : "no-", option->name);
    } else {
        (void)snprintf(text, sizeof text, "--%s=%s", option->name, value);
    }
    return rs_strdup(text);
}

void rs_config_arguments_free(char **arguments)
{
    for (char **at = arguments; at && *at; at++) {
        rs_free(*at);
    }
    rs_free(arguments);
}

rs_status rs_config_arguments(const rs_config *config, char ***arguments, int *count, rs_error *error)
{
    size_t options, length = 0;
    const rs_option *table = rs_option_table(&options);
    char value[RS_TEXT_MAX], initial[RS_TEXT_MAX];
    rs_config own, defaults;
    rs__beside_defaults(config, &own, &defaults);
    char **list = rs_alloc_array(options + 1, sizeof *list);
    if (!list) {
        return RS_FAIL(error, RS_MEMORY, "no memory for a command line");
    }
    for (size_t i = 0; i < options; i++) {
        rs__option_text(&table[i], &own, value);
        rs__option_text(&table[i], &defaults, initial);
        if (strcmp(value, initial) == 0) {
            continue;
        }
        list[length] = argument_text(&table[i], value);
        if (!list[length]) {
            rs_config_arguments_free(list);
            return RS_FAIL(error, RS_MEMORY, "no memory for a command line");
        }
        length++;
    }
    *arguments = list;
    *count = (int)length;
    return RS_OK;
}
