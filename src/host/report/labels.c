/* labels.c: what a group is called: the settings that tell it from the others, as a reader understands them. */
#include <stdio.h>
#include <string.h>

#include "report.h"
#include "rs/plot.h"
#include "rs/text.h"

const char *rs__report_setting_named(const rs__run *run, const char *name)
{
    size_t count;
    const rs_option *table = rs_option_table(&count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(table[i].name, name) == 0) {
            return run->settings[i];
        }
    }
    return "";
}

static bool is_negative(const char *text)
{
    double value;
    return rs_text_real(text, &value) && value < 0.0;
}

/* Options whose default stands for something else. */
static const char *meaning(const rs__run *run, size_t option, const char *value)
{
    size_t count;
    const char *name = rs_option_table(&count)[option].name;
    if (*value == '\0') {
        return "none";
    }
    if (strcmp(name, "dropout") == 0 && is_negative(value)) {
        return "own"; /* rates that the network's layers have themselves */
    }
    if (strcmp(name, "epsilon") == 0 && is_negative(value)) {
        return strcmp(rs__report_setting_named(run, "optimizer"), "adagrad") == 0 ? "1e-10" : "1e-8";
    }
    if (strcmp(name, "loss") == 0 && strcmp(value, "auto") == 0) {
        return strcmp(rs__report_setting_named(run, "dataset"), "function") == 0 ? "mse" : "cross-entropy";
    }
    return value;
}

const char *rs__report_setting(const rs__run *run, size_t option)
{
    return meaning(run, option, run->settings[option]);
}

bool rs__report_is_default(const rs__report *report, const rs__run *run, size_t option)
{
    const char *set = run->settings[option], *otherwise = report->defaults[option];
    double a, b;
    return strcmp(set, otherwise) == 0 || (rs_text_real(meaning(run, option, set), &a) &&
                                           rs_text_real(meaning(run, option, otherwise), &b) && a == b);
}

/* --- labels --------------------------------------------------------------------------------------------------- */

const char *rs__report_setting_shown(const rs__run *run, size_t option)
{
    size_t count;
    if (strcmp(rs_option_table(&count)[option].name, "plain") == 0) {
        return strcmp(run->settings[option], "true") == 0 ? "plain" : "residual";
    }
    return rs__report_setting(run, option);
}

/* Options that the network's name tells. */
static bool is_of_network(const char *name)
{
    static const char *const names[] = {"network", "network-digest", "blocks", "depth", "plain"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

static void append(rs__group *group, const char *format, const char *a, const char *b)
{
    size_t used = strlen(group->label);
    if (used > 0) {
        (void)snprintf(group->label + used, sizeof group->label - used, ", ");
        used = strlen(group->label);
    }
    (void)snprintf(group->label + used, sizeof group->label - used, format, a, b);
}

/* "ResNet-18 plain" where networks differ. */
static void append_network(const rs__report *report, const rs__run *run, rs__group *group)
{
    size_t count;
    const rs_option *table = rs_option_table(&count);
    bool differ = false;
    for (int v = 0; v < report->varying_count; v++) {
        differ = differ || is_of_network(table[report->varying[v]].name);
    }
    int64_t depth = 0;
    char name[256];
    (void)rs_text_int(rs__report_setting_named(run, "depth"), &depth);
    rs_plot_network_name(rs__report_setting_named(run, "network"), rs__report_setting_named(run, "blocks"),
                         depth, strcmp(rs__report_setting_named(run, "plain"), "true") == 0, name,
                         sizeof name);
    if (differ) {
        append(group, "%s%s", name, "");
    }
}

/* "plain" or "residual", "nesterov" or "without nesterov", "learning rate 0.1": as figures have it */
static void append_setting(const rs_option *option, size_t index, const rs__run *run, rs__group *group)
{
    const char *value = rs__report_setting_shown(run, index);
    char name[64];
    rs_option_words(option, name, sizeof name);
    if (strcmp(option->name, "plain") == 0) {
        append(group, "%s%s", value, "");
    } else if (option->type == RS_OPTION_FLAG) {
        append(group, "%s%s", strcmp(value, "true") == 0 ? "" : "without ", name);
    } else {
        append(group, "%s %s", name, value);
    }
}

static void write_key(const rs__report *report, const rs__run *run, rs__group *group)
{
    size_t count, used = 0;
    const rs_option *table = rs_option_table(&count);
    for (int v = 0; v < report->varying_count && used < sizeof group->key; v++) {
        const int option = report->varying[v];
        used += (size_t)snprintf(group->key + used, sizeof group->key - used, "%s%s %s", v ? ", " : "",
                                 table[option].name, rs__report_setting(run, (size_t)option));
    }
}

void rs__report_label(const rs__report *report, rs__group *group, bool by_options)
{
    size_t count;
    const rs_option *table = rs_option_table(&count);
    const rs__run *run = &report->runs[group->first];
    *group->label = *group->key = '\0';
    write_key(report, run, group);
    if (!by_options) {
        append_network(report, run, group);
    }
    for (int v = 0; v < report->varying_count; v++) {
        const rs_option *option = &table[report->varying[v]];
        if (by_options || !is_of_network(option->name)) {
            append_setting(option, (size_t)report->varying[v], run, group);
        }
    }
    if (report->varying_count == 0) {
        (void)snprintf(group->label, sizeof group->label, "%s", run->origin[RS__NETWORK]);
    }
}
