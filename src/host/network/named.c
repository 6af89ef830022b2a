/* named.c: networks by name: the files of networks/ as they were when the program was built; see rs/network.h. */
#include "named.h"

#include <stdio.h>
#include <string.h>

#include "rs/host.h"
#include "rs/network.h"
#include "rs/text.h"
#include "rs/yaml.h"

int rs_network_name_count(void)
{
    return rs__named_count;
}

const char *rs_network_name_at(int index)
{
    return rs__named_texts[index].name;
}

const char *rs_network_source(const char *name)
{
    for (int i = 0; i < rs__named_count; i++) {
        if (strcmp(rs__named_texts[i].name, name) == 0) {
            return (const char *)rs__named_texts[i].text;
        }
    }
    return NULL;
}

static rs_status unknown_name(const char *name, rs_error *error)
{
    const char *names[256];
    int count = rs__named_count < 256 ? rs__named_count : 256;
    for (int i = 0; i < count; i++) {
        names[i] = rs__named_texts[i].name;
    }
    const char *nearest = rs_text_nearest(name, names, count);
    return RS_FAIL(error, RS_USAGE,
                   "there is no network \"%.200s\"%s%s; `resnet_study networks` lists them, a file's name "
                   "has a slash or "
                   "ends in .yaml",
                   name, nearest ? "; nearest " : "", nearest ? nearest : "");
}

rs_status rs_network_check_name(const char *name_or_file, rs_error *error)
{
    return rs_yaml_is_path(name_or_file) || rs_network_source(name_or_file)
               ? RS_OK
               : unknown_name(name_or_file, error);
}

rs_status rs_network_named(const char *name_or_file, const rs_network_options *options, rs_network **network,
                           rs_error *error)
{
    char *text = NULL, place[2 * RS_NAME_MAX];
    size_t length = 0;
    *network = NULL;
    if (rs_yaml_is_path(name_or_file)) {
        RS_TRY(rs_yaml_read(name_or_file, &text, &length, error));
        rs_status status = rs_network_from_yaml(text, length, name_or_file, options, network, error);
        rs_free(text);
        return status;
    }
    const char *source = rs_network_source(name_or_file);
    if (!source) {
        return unknown_name(name_or_file, error);
    }
    (void)snprintf(place, sizeof place, "networks/%s.yaml", name_or_file);
    return rs_network_from_yaml(source, strlen(source), place, options, network, error);
}
