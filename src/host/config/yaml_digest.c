/* yaml_digest.c: which content a YAML file holds, whatever its layout; see rs/yaml.h. */
#include <stdio.h>
#include <string.h>

#include "rs/random.h"
#include "rs/yaml.h"

/* FNV-1a goes on from byte to byte; it begins where rs_hash64("") ends. A zero ends each text, so that "ab", "c" and
 * "a", "bc" differ. */
static uint64_t add_text(uint64_t hash, const char *text)
{
    const unsigned char *c = (const unsigned char *)text;
    do {
        hash = (hash ^ *c) * UINT64_C(0x100000001B3);
    } while (*c++);
    return hash;
}

static uint64_t add_node(uint64_t hash, const rs_yaml *node)
{
    static const char *const begins[] = {"value", "list", "map"};
    hash = add_text(hash, begins[node->kind]);
    if (node->kind == RS_YAML_SCALAR) {
        return add_text(add_text(hash, node->quoted ? "quoted" : "plain"), node->text);
    }
    for (const rs_yaml *item = node->first; item; item = item->next) {
        hash = add_node(item->key ? add_text(hash, item->key) : hash, item);
    }
    return add_text(hash, "end");
}

uint64_t rs_yaml_digest(const rs_yaml *root)
{
    return add_node(rs_hash64(""), root);
}

bool rs_yaml_is_path(const char *text)
{
    size_t length = strlen(text);
    return strchr(text, '/') || (length > 5 && strcmp(text + length - 5, ".yaml") == 0) ||
           (length > 4 && strcmp(text + length - 4, ".yml") == 0);
}
