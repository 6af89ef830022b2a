/* groups.c: see groups.h. A configuration is compared as its YAML, one "key: value" line an option, in the table's order. */
#include "groups.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chart.h"
#include "rs/host.h"
#include "rs/plot.h"
#include "rs/text.h"

enum { VALUE = 256, LABEL = 512, MOST_OPTIONS = 256 };

/* --- values of options ---------------------------------------------------------------------------------------- */

/* The value on a line of YAML, without quotes; numbers in their shortest usual form. */
static void clean_value(const rs_option *option, const char *value, size_t length, char *text,
                        size_t capacity)
{
    double number;
    if (length >= 2 && (value[0] == '"' || value[0] == '\'') && value[length - 1] == value[0]) {
        value++;
        length -= 2;
    }
    (void)snprintf(text, capacity, "%.*s", (int)length, value);
    if (option->type == RS_OPTION_REAL && rs_text_real(text, &number)) {
        (void)snprintf(text, capacity, "%.6g", number);
    }
}

/* Line `index` of the configuration: the value of that option of the table. */
static bool value_of_line(const char *yaml, const rs_option *option, char *text, size_t capacity)
{
    const size_t name = strlen(option->name);
    for (const char *line = yaml; line && *line;) {
        const size_t length = strcspn(line, "\n");
        if (length > name + 1 && strncmp(line, option->name, name) == 0 && line[name] == ':') {
            const char *value = line + name + 1 + strspn(line + name + 1, " ");
            clean_value(option, value, (size_t)(line + length - value), text, capacity);
            return true;
        }
        line += length + (line[length] == '\n');
    }
    *text = '\0';
    return false;
}

void rs__option_value(const rs_config *config, const char *name, char *text, size_t capacity)
{
    size_t count;
    char *yaml = NULL;
    rs_error error = {0};
    const rs_option *table = rs_option_table(&count);
    *text = '\0';
    for (size_t i = 0; i < count; i++) {
        if (strcmp(table[i].name, name) == 0 && rs_config_yaml(config, &yaml, &error) == RS_OK) {
            (void)value_of_line(yaml, &table[i], text, capacity);
        }
    }
    rs_free(yaml);
}

/* "networks/b.yaml" -> "b" */
static void stem(const char *path, char *text, size_t capacity)
{
    const char *slash = strrchr(path, '/'), *start = slash ? slash + 1 : path, *dot = strrchr(start, '.');
    (void)snprintf(text, capacity, "%.*s", dot && dot > start ? (int)(dot - start) : (int)strlen(start),
                   start);
}

void rs_plot_network_name(const char *network, const char *blocks, int64_t depth, bool plain, char *text,
                          size_t capacity)
{
    if (*network) {
        stem(network, text, capacity);
    } else if (*blocks) {
        (void)snprintf(text, capacity, "ResNet %s of %s%s",
                       depth == 26 || depth >= 50 ? "bottlenecks" : "blocks", blocks, plain ? ", plain" : "");
    } else {
        (void)snprintf(text, capacity, "ResNet-%d%s", (int)depth, plain ? " plain" : "");
    }
}

void rs__describe_network(const rs_config *config, char *text, size_t capacity)
{
    rs_plot_network_name(config->network, config->blocks, config->depth, config->plain, text, capacity);
}

const char *rs__describe_data(const rs_config *config)
{
    static const struct {
        const char *name, *shown;
    } names[] = {{"cifar10", "CIFAR-10"},
                 {"cifar100", "CIFAR-100"},
                 {"mnist", "MNIST"},
                 {"fashion-mnist", "Fashion-MNIST"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(config->dataset, names[i].name) == 0) {
            return names[i].shown;
        }
    }
    return *config->function ? config->function : config->dataset;
}

void rs__describe_run(const rs_config *config, char *text, size_t capacity)
{
    char network[LABEL];
    rs__describe_network(config, network, sizeof network);
    (void)snprintf(text, capacity, "%s on %s", network, rs__describe_data(config));
}

/* --- keys ----------------------------------------------------------------------------------------------------- */

/* What the runs of the figure have on one line each: [run][option]. */
typedef struct table {
    int runs, *from; /* from: which run of these it began from, or -1 */
    int *order;      /* runs by their settings */
    size_t options;
    const rs_option *option;
    char *cells; /* [run][option][VALUE] */
    const rs__input **input;
    int *group; /* of each run, or -1 */
    const char *ignored;
} table;

static bool is_ignored(const table *t, const char *option)
{
    return t->ignored && (strcmp(option, t->ignored) == 0 ||
                          (strcmp(t->ignored, "network") == 0 && strcmp(option, "network-digest") == 0));
}

/* Whether it says what is kept of a run, which changes nothing in it. */
static bool is_of_record(const rs_option *option)
{
    return strcmp(option->name, "record") == 0 || strcmp(option->name, "snapshots") == 0;
}

/* On a sheet by an option what is kept may differ with that option. */
static bool counts(const table *t, const rs_option *option)
{
    return !is_ignored(t, option->name) && rs_option_of_experiment(option) &&
           !(t->ignored && is_of_record(option));
}

static char *cell(const table *t, int run, size_t option)
{
    return t->cells + ((size_t)run * t->options + option) * VALUE;
}

static void free_table(table *t)
{
    rs_free(t->from);
    rs_free(t->order);
    rs_free(t->cells);
    rs_free(t->input);
    rs_free(t->group);
}

static rs_status fill_row(table *t, int run, rs_error *error)
{
    char *yaml = NULL;
    RS_TRY(rs_config_yaml(t->input[run]->config, &yaml, error));
    for (size_t i = 0; i < t->options; i++) {
        (void)value_of_line(yaml, &t->option[i], cell(t, run, i), VALUE);
    }
    rs_free(yaml);
    return RS_OK;
}

/* The run among these whose file has the name that run `run` began from. */
static int find_origin(const table *t, int run)
{
    char name[RS_TEXT_MAX];
    stem(t->input[run]->config->init_from, name, sizeof name);
    for (int i = 0; *name && i < t->runs; i++) {
        if (i != run && strcmp(t->input[i]->name, name) == 0) {
            return i;
        }
    }
    return -1;
}

/* By the settings that count, in the table's order, plain networks before residual ones, as `report` does it. */
static int compare_runs(const table *t, int a, int b)
{
    for (size_t i = 0; i < t->options; i++) {
        const int order = counts(t, &t->option[i]) ? rs_text_compare(cell(t, a, i), cell(t, b, i)) : 0;
        if (order) {
            return strcmp(t->option[i].name, "plain") == 0 ? -order : order;
        }
    }
    return 0;
}

/* Equal ones stay in the order of the inputs. */
static void sort_runs(table *t)
{
    for (int r = 0; r < t->runs; r++) {
        int at = r;
        for (; at > 0 && compare_runs(t, t->order[at - 1], r) > 0; at--) {
            t->order[at] = t->order[at - 1];
        }
        t->order[at] = r;
    }
}

static rs_status make_table(const rs__inputs *inputs, table *t, rs_error *error)
{
    const size_t all = (size_t)inputs->count + 1;
    t->option = rs_option_table(&t->options);
    t->from = rs_alloc_array(all, sizeof *t->from);
    t->group = rs_alloc_array(all, sizeof *t->group);
    t->order = rs_alloc_array(all, sizeof *t->order);
    t->input = rs_alloc_array(all, sizeof *t->input);
    t->cells = rs_alloc_array(all * t->options, VALUE);
    if (!t->from || !t->group || !t->order || !t->input || !t->cells) {
        return RS_FAIL(error, RS_MEMORY, "no memory to compare %d runs", inputs->count);
    }
    for (int i = 0; i < inputs->count; i++) {
        if (inputs->list[i].record) {
            t->input[t->runs++] = &inputs->list[i];
        }
    }
    for (int i = 0; i < t->runs; i++) {
        t->group[i] = -1;
        t->from[i] = find_origin(t, i);
        RS_TRY(fill_row(t, i, error));
    }
    sort_runs(t);
    return RS_OK;
}

static bool same_cells(const table *t, int a, int b)
{
    for (size_t i = 0; i < t->options; i++) {
        if (counts(t, &t->option[i]) && strcmp(cell(t, a, i), cell(t, b, i)) != 0) {
            return false;
        }
    }
    return true;
}

/* Chains of runs: what both began from must be alike, too. `left` ends chains that bite their tail. */
static bool alike(const table *t, int a, int b, int left)
{
    if (a == b) {
        return true;
    }
    if (left == 0 || !same_cells(t, a, b)) {
        return false;
    }
    if (t->from[a] >= 0 && t->from[b] >= 0) {
        return alike(t, t->from[a], t->from[b], left - 1);
    }
    return t->from[a] < 0 && t->from[b] < 0 &&
           strcmp(t->input[a]->config->init_from, t->input[b]->config->init_from) == 0;
}

/* --- groups --------------------------------------------------------------------------------------------------- */

void rs__groups_free(rs__groups *groups)
{
    for (int g = 0; groups->list && g < groups->count; g++) {
        rs_free(groups->list[g].runs);
        rs_free(groups->list[g].label);
    }
    rs_free(groups->list);
    *groups = (rs__groups){0};
}

static rs_status assign(table *t, rs__groups *groups, int *first, rs_error *error)
{
    for (int i = 0; i < t->runs; i++) {
        const int r = t->order[i];
        for (int g = 0; g < groups->count && t->group[r] < 0; g++) {
            t->group[r] = alike(t, first[g], r, t->runs) ? g : -1;
        }
        if (t->group[r] < 0) {
            first[groups->count] = r;
            t->group[r] = groups->count++;
        }
    }
    for (int g = 0; g < groups->count; g++) {
        rs__group *group = &groups->list[g];
        group->runs = rs_alloc_array((size_t)t->runs, sizeof *group->runs);
        if (!group->runs) {
            return RS_FAIL(error, RS_MEMORY, "no memory for %d runs", t->runs);
        }
        for (int r = 0; r < t->runs; r++) {
            if (t->group[r] == g) {
                group->runs[group->count++] = t->input[r];
            }
        }
    }
    return RS_OK;
}

/* --- labels --------------------------------------------------------------------------------------------------- */

static bool differs(const table *t, const rs__groups *groups, const int *first, size_t option)
{
    const bool ignored = is_ignored(t, t->option[option].name);
    for (int g = 1; g < groups->count && !ignored; g++) {
        if (strcmp(cell(t, first[0], option), cell(t, first[g], option)) != 0) {
            return true;
        }
    }
    return false;
}

static bool is_one_of(const char *name, const char *const *names)
{
    for (; *names; names++) {
        if (strcmp(name, *names) == 0) {
            return true;
        }
    }
    return false;
}

static const char *const of_network[] = {"depth", "plain", "blocks", "network", "network-digest", NULL};
static const char *const of_data[] = {"dataset", "function", NULL};

static void append(char *label, const char *format, const char *a, const char *b)
{
    const size_t used = strlen(label);
    (void)snprintf(label + used, LABEL - used, "%s", used ? ", " : "");
    const size_t begun = strlen(label);
    (void)snprintf(label + begun, LABEL - begun, format, a, b);
}

/* Values that say nothing: the network's own, and from the first epoch on. */
static bool says_nothing(const rs_option *option, const char *value)
{
    const size_t length = strlen(option->name);
    return strcmp(value, "-1") == 0 ||
           (length > 5 && strcmp(option->name + length - 5, "-from") == 0 && strcmp(value, "0") == 0);
}

/* "learning rate 0.1", "nesterov", "without nesterov" */
static void append_option(const rs_option *option, const char *value, char *label)
{
    char name[64];
    if (says_nothing(option, value)) {
        return;
    }
    rs_option_words(option, name, sizeof name);
    const size_t length = strlen(name);
    if (length > 6 && strcmp(name + length - 6, " limit") == 0 && strcmp(value, "0") == 0) {
        append(label, "no %s%s", name, "");
    } else if (option->type == RS_OPTION_FLAG) {
        append(label, "%s%s", strcmp(value, "true") == 0 ? "" : "without ", name);
    } else {
        append(label, "%s %s", name, *value ? value : "default");
    }
}

/* What a network is beside the option that is ignored. */
static void describe_rest(const table *t, const rs_config *config, char *text, size_t capacity)
{
    rs_config rest = *config;
    const char *ignored = t->ignored ? t->ignored : "";
    if (strcmp(ignored, "depth") == 0 || strcmp(ignored, "blocks") == 0) {
        (void)snprintf(text, capacity, "%s", config->plain ? "plain" : "residual");
        return;
    }
    rest.plain = config->plain && strcmp(ignored, "plain") != 0;
    rs__describe_network(&rest, text, capacity);
}

/* Whether an option does anything under the schedule of the rate that the run has. */
static bool schedule_reads(const rs_config *config, const char *option)
{
    static const struct {
        const char *option, *schedules;
    } readers[] = {{"schedule-step", "step"},
                   {"schedule-gamma", "step exponential"},
                   {"schedule-k", "inverse-time"},
                   {"schedule-t0", "cosine-restarts"},
                   {"schedule-t-mult", "cosine-restarts"},
                   {"schedule-min", "cosine cosine-restarts"}};
    char schedule[VALUE], word[VALUE];
    rs__option_value(config, "schedule", schedule, sizeof schedule);
    for (size_t i = 0; i < sizeof readers / sizeof readers[0]; i++) {
        const char *at = readers[i].schedules;
        if (strcmp(option, readers[i].option) == 0) {
            while (rs_text_next_word(&at, ' ', word, sizeof word)) {
                if (strcmp(word, schedule) == 0) {
                    return true;
                }
            }
            return false;
        }
    }
    return true;
}

/* What of group g is told in the key: network and data where they differ, then every other option that does; what is kept of it on request. */
static void make_label(const table *t, const rs__groups *groups, const int *first, int g, bool record,
                       char *label)
{
    const rs_config *config = t->input[first[g]]->config;
    const bool by_network = is_ignored(t, "network");
    bool network = groups->count == 1;
    bool data = groups->count == 1 && !(t->ignored && strcmp(t->ignored, "dataset") == 0);
    char text[LABEL];
    for (size_t i = 0; i < t->options; i++) {
        const bool different = differs(t, groups, first, i);
        network = network || (different && is_one_of(t->option[i].name, of_network));
        data = data || (different && is_one_of(t->option[i].name, of_data));
    }
    *label = '\0';
    if (network && !by_network) {
        describe_rest(t, config, text, sizeof text);
        append(label, "%s%s", text, "");
    }
    if (data) {
        append(label, "%s%s", rs__describe_data(config), "");
    }
    for (size_t i = 0; i < t->options; i++) {
        const char *name = t->option[i].name;
        if (counts(t, &t->option[i]) && !is_one_of(name, of_network) && !is_one_of(name, of_data) &&
            differs(t, groups, first, i) && schedule_reads(config, name) &&
            (record || !is_of_record(&t->option[i]))) {
            append_option(&t->option[i], cell(t, first[g], i), label);
        }
    }
}

/* Whether another label is the same as label g, or that is empty. */
static bool is_unclear(const rs__groups *groups, char (*labels)[LABEL], int g)
{
    for (int h = 0; h < groups->count; h++) {
        if (h != g && strcmp(labels[g], labels[h]) == 0) {
            return true;
        }
    }
    return !*labels[g];
}

/* Labels that are not there, or there twice, get the name of the first file. */
static rs_status own_label(const table *t, rs__groups *groups, const int *first, char (*labels)[LABEL], int g,
                           rs_error *error)
{
    char label[LABEL];
    (void)snprintf(label, sizeof label, "%s", labels[g]);
    if (is_unclear(groups, labels, g)) {
        append(label, "%s%s", t->input[first[g]]->name, "");
    }
    groups->list[g].label = rs_strdup(label);
    return groups->list[g].label ? RS_OK : RS_FAIL(error, RS_MEMORY, "no memory for a label");
}

static rs_status set_labels(const table *t, rs__groups *groups, const int *first, rs_error *error)
{
    char(*labels)[LABEL] = rs_alloc_array((size_t)groups->count + 1, LABEL);
    if (!labels) {
        return RS_FAIL(error, RS_MEMORY, "no memory for %d labels", groups->count);
    }
    bool unclear = false;
    for (int g = 0; g < groups->count; g++) {
        make_label(t, groups, first, g, false, labels[g]);
    }
    for (int g = 0; g < groups->count; g++) {
        unclear = unclear || is_unclear(groups, labels, g);
    }
    for (int g = 0; g < groups->count && unclear; g++) {
        make_label(t, groups, first, g, true, labels[g]);
    }
    rs_status status = RS_OK;
    for (int g = 0; g < groups->count && !status; g++) {
        status = own_label(t, groups, first, labels, g, error);
    }
    rs_free(labels);
    return status;
}

/* --- styles --------------------------------------------------------------------------------------------------- */

/* Whether two groups are the same network but for its shortcuts. */
static bool twins(const table *t, int a, int b)
{
    for (size_t i = 0; i < t->options; i++) {
        if (counts(t, &t->option[i]) && strcmp(t->option[i].name, "plain") != 0 &&
            strcmp(cell(t, a, i), cell(t, b, i)) != 0) {
            return false;
        }
    }
    return true;
}

/* Twins have one colour; the plain one is dashed. Without such pairs each line has a dash of its own, as long as there are any, so that
 * they can be told apart in black and white. Colours are counted first, then given. */
static void set_styles(const table *t, const rs__palettes *palettes, rs__groups *groups, const int *first)
{
    uint32_t colours = 0;
    bool both = false;
    for (int g = 0; g < groups->count; g++) {
        uint32_t colour = colours;
        for (int h = 0; h < g && colour == colours; h++) {
            colour = twins(t, first[g], first[h]) ? groups->list[h].colour : colours;
        }
        colours += colour == colours;
        groups->list[g].colour = colour;
        both = both || t->input[first[g]]->config->plain != t->input[first[0]]->config->plain;
    }
    for (int g = 0; g < groups->count; g++) {
        const int index = (int)groups->list[g].colour;
        const int shortcuts = t->input[first[g]]->config->plain ? RS__DASHED : RS__SOLID;
        groups->list[g].colour = rs__line_colour(palettes, index, (int)colours);
        groups->list[g].dash = both ? shortcuts : index % RS__DASHES;
    }
}

void rs__describe_differences(const rs_config *const *configs, int count, int index, char *text,
                              size_t capacity)
{
    char label[LABEL] = "", own[VALUE], other[VALUE];
    size_t options;
    const rs_option *all = rs_option_table(&options);
    for (size_t i = 0; i < options; i++) {
        const rs_option *o = &all[i];
        bool different = false;
        if (is_one_of(o->name, of_data) || strcmp(o->name, "random-labels") == 0 ||
            o->scope != RS_SCOPE_RESULT ||
            (strcmp(o->group, "Data") != 0 && strcmp(o->name, "seed-split") != 0)) {
            continue;
        }
        rs__option_value(configs[index], o->name, own, sizeof own);
        for (int k = 0; k < count && !different; k++) {
            rs__option_value(configs[k], o->name, other, sizeof other);
            different = strcmp(own, other) != 0;
        }
        if (different) {
            append_option(o, own, label);
        }
    }
    (void)snprintf(text, capacity, "%s", label);
}

rs_status rs__groups_make(const rs__inputs *inputs, const rs__palettes *palettes, const char *ignored,
                          rs__groups *groups, rs_error *error)
{
    table t = {.ignored = ignored};
    *groups = (rs__groups){0};
    rs_status status = make_table(inputs, &t, error);
    int *first = rs_alloc_array((size_t)inputs->count + 1, sizeof *first);
    groups->list = rs_alloc_array((size_t)inputs->count + 1, sizeof *groups->list);
    if (!status && (!first || !groups->list)) {
        status = RS_FAIL(error, RS_MEMORY, "no memory for %d groups", inputs->count);
    }
    status = status ? status : assign(&t, groups, first, error);
    status = status ? status : set_labels(&t, groups, first, error);
    if (!status) {
        set_styles(&t, palettes, groups, first);
    } else {
        rs__groups_free(groups);
    }
    rs_free(first);
    free_table(&t);
    return status;
}
