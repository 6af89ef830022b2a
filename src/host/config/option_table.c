/* option_table.c: the table of rs/options.def as data, its defaults, and looking names up. */
#include <string.h>

#include "option.h"
#include "rs/text.h"

static const rs_option table[] = {
#define X(type, field, name, initial, allowed, scope, group, value, help)                                    \
    {RS_OPTION_##type, RS_SCOPE_##scope, name, allowed, group, value, help, offsetof(rs_config, field)},
#include "rs/options.def"
#undef X
};
enum { OPTIONS = sizeof table / sizeof table[0] };

static const char *const names[] = {
#define X(type, field, name, initial, allowed, scope, group, value, help) name,
#include "rs/options.def"
#undef X
};

static const rs_config defaults = {
#define X(type, field, name, initial, allowed, scope, group, value, help) .field = initial,
#include "rs/options.def"
#undef X
};

const rs_option *rs_option_table(size_t *count)
{
    *count = OPTIONS;
    return table;
}

bool rs_option_is_seed(const rs_option *option)
{
    return strcmp(option->group, "Seeds") == 0;
}

void rs_option_words(const rs_option *option, char *text, size_t capacity)
{
    (void)snprintf(text, capacity, "%s", option->name);
    for (char *c = strchr(text, '-'); c; c = strchr(c, '-')) {
        *c = ' ';
    }
}

bool rs_option_of_experiment(const rs_option *option)
{
    return option->scope == RS_SCOPE_RESULT && !rs_option_is_seed(option) &&
           strcmp(option->name, "init-from") != 0 && strcmp(option->name, "init-digest") != 0;
}

void rs_config_default(rs_config *config)
{
    *config = defaults;
}

const rs_option *rs__option_find(const char *name)
{
    for (int i = 0; i < OPTIONS; i++) {
        if (strcmp(table[i].name, name) == 0) {
            return &table[i];
        }
    }
    return NULL;
}

const char *rs__option_nearest(const char *name)
{
    return rs_text_nearest(name, names, OPTIONS);
}

bool rs__option_on_by_default(const rs_option *option)
{
    return option->type == RS_OPTION_FLAG &&
           *(const rs_option_flag_type *)((const char *)&defaults + option->offset);
}
