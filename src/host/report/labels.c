/* labels.c: what a group is called: the settings that tell it from the others, as a reader understands them. */
#include <stdio.h>
#include <string.h>

#include "report.h"
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

void rs__report_label(const rs__report *report, rs__group *group)
{
    size_t count, used = 0;
    const rs_option *table = rs_option_table(&count);
    const rs__run *run = &report->runs[group->first];
    for (int v = 0; v < report->varying_count && used < sizeof group->label; v++) {
        const int option = report->varying[v];
        used += (size_t)snprintf(group->label + used, sizeof group->label - used, "%s%s %s", v ? ", " : "",
                                 table[option].name, rs__report_setting(run, (size_t)option));
    }
    if (report->varying_count == 0) {
        (void)snprintf(group->label, sizeof group->label, "%s", run->origin[RS__NETWORK]);
    }
}
