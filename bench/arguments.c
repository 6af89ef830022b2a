/* arguments.c: see arguments.h. */
#include "arguments.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "rs/text.h"

static const argument *find(const argument *table, int count, const char *name)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(table[i].name, name) == 0) {
            return &table[i];
        }
    }
    return NULL;
}

static rs_status unknown(const argument *table, int count, const char *name, rs_error *error)
{
    char names[512] = "";
    for (int i = 0; i < count; i++) {
        size_t used = strlen(names);
        (void)snprintf(names + used, sizeof names - used, "%s%s", i ? ", " : "", table[i].name);
    }
    return RS_FAIL(error, RS_USAGE, "unknown option %s; there are %s and --help", name, names);
}

static rs_status set(const argument *option, const char *value, rs_error *error)
{
    if (!value) {
        return RS_FAIL(error, RS_USAGE, "%s needs a value", option->name);
    }
    if (option->text) {
        *option->text = value;
        return RS_OK;
    }
    int64_t number;
    if (!rs_text_int(value, &number) || number < option->least || number > option->most) {
        return RS_FAIL(error, RS_USAGE, "%s %s: must be a number from %" PRId64 " to %" PRId64, option->name,
                       value, option->least, option->most);
    }
    *option->number = number;
    return RS_OK;
}

static rs_status parse(const argument *table, int count, int argc, char **argv, bool *help, rs_error *error)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            *help = true;
            return RS_OK;
        }
        const argument *option = find(table, count, argv[i]);
        if (!option) {
            return unknown(table, count, argv[i], error);
        }
        if (option->flag) {
            *option->flag = true;
        } else {
            RS_TRY(set(option, i + 1 < argc ? argv[i + 1] : NULL, error));
            i++;
        }
    }
    return RS_OK;
}

int arguments_run(const program *p, int argc, char **argv)
{
    rs_error error = {0};
    bool help = false;
    rs_status status = parse(p->table, p->count, argc, argv, &help, &error);
    if (help) {
        (void)fputs(p->usage, stdout);
    } else if (!status) {
        status = p->work(p->state, &error);
    }
    if (status) {
        (void)fprintf(stderr, "%s: %s\n", p->name, error.text);
    }
    return rs_status_exit_code(status);
}
