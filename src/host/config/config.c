/* config.c: setting one option, the command line, and comparing configurations; see rs/config.h. */
#include "rs/config.h"

#include <string.h>

#include "init_from.h"
#include "option.h"

/* "--dept: unknown option; nearest --depth" or "study.yaml:12: unknown key dept; nearest depth". */
static rs_status unknown_option(const char *name, const char *place, rs_error *error)
{
    const char *nearest = rs__option_nearest(name);
    char hint[128];
    bool command_line = place && strncmp(place, "--", 2) == 0;
    if (nearest) {
        (void)snprintf(hint, sizeof hint, "; nearest %s%s", command_line ? "--" : "", nearest);
    } else {
        (void)snprintf(hint, sizeof hint, "; resnet_study --help lists all options");
    }
    if (command_line) {
        return RS_FAIL(error, RS_USAGE, "%.120s: unknown option%s", place, hint);
    }
    return RS_FAIL(error, RS_USAGE, "%s%sunknown key %.80s%s", place ? place : "", place ? ": " : "", name,
                   hint);
}

rs_status rs_config_set(rs_config *config, const char *name, const char *text, const char *place,
                        rs_error *error)
{
    const rs_option *option = rs__option_find(name);
    return option ? rs__option_set(option, config, text, place, error) : unknown_option(name, place, error);
}

/* --- command line ----------------------------------------------------------------------------------------
 */

/* One "--name=value" taken apart. */
typedef struct argument {
    char place[160];   /* "--name" */
    const char *name;  /* behind the dashes, in place */
    const char *value; /* behind '=', or NULL */
} argument;

static rs_status read_argument(const char *text, argument *out, rs_error *error)
{
    if (strncmp(text, "--", 2) != 0 || !text[2]) {
        const char *bare = text + strspn(text, "-");
        const char *nearest = *bare ? rs__option_nearest(bare) : NULL;
        return RS_FAIL(error, RS_USAGE, "%.120s: not an option: they begin with two dashes%s%s", text,
                       nearest ? "; nearest --" : "", nearest ? nearest : "");
    }
    (void)snprintf(out->place, sizeof out->place, "%.*s", (int)strcspn(text, "="), text);
    out->name = out->place + 2;
    out->value = strchr(text, '=');
    out->value = out->value ? out->value + 1 : NULL;
    return RS_OK;
}

static rs_status set_flag_argument(rs_config *config, const argument *a, const rs_option *option, bool on,
                                   rs_error *error)
{
    if (a->value) {
        return RS_FAIL(error, RS_USAGE, "%s: takes no value; it stands alone", a->place);
    }
    return rs__option_set(option, config, on ? "true" : "false", a->place, error);
}

/* "--no-NAME": switches a flag off that is on by default. *option is NULL where it is no such thing. */
static rs_status find_negated(const argument *a, const rs_option **option, rs_error *error)
{
    *option = strncmp(a->name, "no-", 3) == 0 ? rs__option_find(a->name + 3) : NULL;
    if (*option && !rs__option_on_by_default(*option)) {
        return RS_FAIL(error, RS_USAGE,
                       (*option)->type == RS_OPTION_FLAG ? "%s: it is off already; leave it out"
                                                         : "%s: only flags can be switched off",
                       a->place);
    }
    return RS_OK;
}

/* The value behind the option: after '=', or the next argument unless that is an option itself. */
static rs_status find_value(const argument *a, const rs_option *option, int argc, char **argv, int *index,
                            const char **value, rs_error *error)
{
    if (a->value) {
        *value = a->value;
        return RS_OK;
    }
    if (*index + 1 < argc && strncmp(argv[*index + 1], "--", 2) != 0) {
        *value = argv[++*index];
        return RS_OK;
    }
    char allowed[320];
    rs__option_allowed(option, allowed, sizeof allowed);
    return RS_FAIL(error, RS_USAGE, "%s: its value %s is missing%s%s", a->place, option->value,
                   *allowed ? "; allowed: " : "", allowed);
}

static rs_status parse_argument(rs_config *config, int argc, char **argv, int *index, rs_error *error)
{
    argument a;
    RS_TRY(read_argument(argv[*index], &a, error));
    const rs_option *option = rs__option_find(a.name);
    if (!option) {
        RS_TRY(find_negated(&a, &option, error));
        return option ? set_flag_argument(config, &a, option, false, error)
                      : unknown_option(a.name, a.place, error);
    }
    if (option->type == RS_OPTION_FLAG) {
        return set_flag_argument(config, &a, option, true, error);
    }
    const char *value = NULL;
    RS_TRY(find_value(&a, option, argc, argv, index, &value, error));
    return rs__option_set(option, config, value, a.place, error);
}

/* Whether the argument is an option of the ResNets. */
static bool is_of_resnets(const char *text)
{
    argument a;
    rs_error ignored;
    const rs_option *option = read_argument(text, &a, &ignored) == RS_OK ? rs__option_find(a.name) : NULL;
    return option &&
           (option->offset == offsetof(rs_config, depth) || option->offset == offsetof(rs_config, plain) ||
            option->offset == offsetof(rs_config, width) || option->offset == offsetof(rs_config, blocks));
}

rs_status rs_config_parse(rs_config *config, int first, int argc, char **argv, bool *help, rs_error *error)
{
    rs_config parsed = *config;
    bool of_resnets = false; /* also with the value that is the default */
    *help = false;
    for (int i = first; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            *help = true;
            return RS_OK;
        }
        of_resnets = of_resnets || is_of_resnets(argv[i]);
        RS_TRY(parse_argument(&parsed, argc, argv, &i, error));
    }
    if (of_resnets && *parsed.network) {
        return rs__refuse_resnet_options(&parsed, error);
    }
    *config = parsed;
    return RS_OK;
}

/* --- comparing -------------------------------------------------------------------------------------------
 */

bool rs_config_needs_end(const rs_config *config)
{
    return strcmp(config->schedule, "cosine") == 0 || strstr(config->snapshots, "last:") != NULL;
}

static bool is_same(const rs_option *option, const rs_config *a, const rs_config *b)
{
    char text_a[RS_TEXT_MAX], text_b[RS_TEXT_MAX];
    if (option->offset == offsetof(rs_config, init_from)) {
        return rs__init_from_same(a, b);
    }
    if (option->offset == offsetof(rs_config, epsilon)) {
        return rs_config_epsilon(a) == rs_config_epsilon(b);
    }
    if (option->offset == offsetof(rs_config, weight_decay)) {
        return rs_config_weight_decay(a) == rs_config_weight_decay(b);
    }
    rs__option_text(option, a, text_a);
    rs__option_text(option, b, text_b);
    const bool counted =
        option->offset == offsetof(rs_config, init_digest) && a->init_from[0] && b->init_from[0];
    return counted || strcmp(text_a, text_b) == 0; /* with the file itself */
}

int rs_config_differences(const rs_config *a, const rs_config *b, char *names, size_t capacity)
{
    size_t count, length = 0;
    int differences = 0;
    const rs_option *table = rs_option_table(&count);
    if (capacity) {
        names[0] = '\0';
    }
    for (size_t i = 0; i < count; i++) {
        if (table[i].scope == RS_SCOPE_RESULT && !is_same(&table[i], a, b)) {
            if (length < capacity) {
                length += (size_t)snprintf(names + length, capacity - length, "%s%s", differences ? ", " : "",
                                           table[i].name);
            }
            differences++;
        }
    }
    return differences;
}
