/* config_name.c: the name of a run, and so of its file, from what it trains. */
#include <stdlib.h>
#include <string.h>

#include "init_from.h"
#include "option.h"
#include "rs/random.h"

static int by_name(const void *a, const void *b)
{
    return strcmp((*(const rs_option *const *)a)->name, (*(const rs_option *const *)b)->name);
}

enum { MOST_OPTIONS = 256 };

/* FNV-1a goes on from text to text; it begins where rs_hash64("") ends. */
static uint64_t hash_more(uint64_t hash, const char *text)
{
    for (const unsigned char *s = (const unsigned char *)text; *s; s++) {
        hash = (hash ^ *s) * 0x100000001B3u;
    }
    return hash;
}

/* "key=value\n" of every RESULT key that differs from its default, sorted by name, so that the table may be
 * put into another order, and grow, without renaming runs. */
static uint64_t hash_differences(const rs_config *config)
{
    const rs_option *sorted[MOST_OPTIONS];
    char value[RS_TEXT_MAX], initial[RS_TEXT_MAX];
    rs_config own, defaults;
    size_t count;
    const rs_option *table = rs_option_table(&count);
    RS_ASSERT(count <= MOST_OPTIONS);
    rs__beside_defaults(config, &own, &defaults);
    for (size_t i = 0; i < count; i++) {
        sorted[i] = &table[i];
    }
    qsort(sorted, count, sizeof sorted[0], by_name);
    uint64_t hash = rs_hash64("");
    for (size_t i = 0; i < count; i++) {
        rs__option_text(sorted[i], &own, value);
        rs__option_text(sorted[i], &defaults, initial);
        if (sorted[i]->offset == offsetof(rs_config, init_from)) {
            (void)snprintf(value, sizeof value, "%s", rs__init_from_key(config));
        }
        if (sorted[i]->scope == RS_SCOPE_RESULT && strcmp(value, initial) != 0) {
            const char *const parts[] = {sorted[i]->name, "=", value, "\n"};
            for (size_t p = 0; p < sizeof parts / sizeof parts[0]; p++) {
                hash = hash_more(hash, parts[p]);
            }
        }
    }
    return hash;
}

/* "networks/b nn.yaml" -> "b-nn": the last part of a path without its ending, of letters, digits, dots, dashes. */
static void network_name(const char *network, char *name, size_t capacity)
{
    const char *slash = strrchr(network, '/'), *start = slash ? slash + 1 : network,
               *dot = strrchr(start, '.');
    size_t length = dot && dot > start ? (size_t)(dot - start) : strlen(start), i;
    for (i = 0; i < length && i + 1 < capacity; i++) {
        char c = start[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
                     c == '_';
        name[i] = plain ? c : '-';
    }
    name[i] = '\0';
}

void rs_config_run_name(const rs_config *config, char *name, size_t capacity)
{
    enum { NETWORK = 64 };
    char network[NETWORK];
    uint64_t hash = hash_differences(config);
    if (config->network[0]) {
        network_name(config->network, network, sizeof network);
    } else {
        (void)snprintf(network, sizeof network, "resnet%d%s", (int)config->depth,
                       config->plain ? "-plain" : "");
    }
    const char *data = config->function[0] ? config->function : config->dataset;
    (void)snprintf(name, capacity, "%s-%s-%08x", network, data, (unsigned)(uint32_t)(hash ^ hash >> 32));
}

void rs_config_output_path(const rs_config *config, char *path, size_t capacity)
{
    char name[128];
    if (*config->out) {
        (void)snprintf(path, capacity, "%s", config->out);
        return;
    }
    rs_config_run_name(config, name, sizeof name);
    (void)snprintf(path, capacity, "runs/%s.h5", name);
}
