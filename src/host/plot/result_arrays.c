/* result_arrays.c: see result_arrays.h. */
#include "result_arrays.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "groups.h"
#include "rs/host.h"
#include "rs/result_file.h"

rs_status rs__read_result(const rs__input *input, const char *path, int64_t *count, double **values,
                          rs_error *error)
{
    int rank;
    int64_t dim[RS_RESULT_RANK];
    *values = NULL;
    RS_TRY(rs_result_reader_size(input->result, path, &rank, dim, error));
    *count = 1;
    for (int axis = 0; axis < RS_RESULT_RANK; axis++) {
        if (dim[axis] > 0 && *count > INT32_MAX / dim[axis]) {
            return RS_FAIL(error, RS_DATA, "%s: %s is too large for a figure", input->path, path);
        }
        *count *= dim[axis];
    }
    *values = rs_alloc_array((size_t)*count + 1, sizeof **values);
    if (!*values) {
        return RS_FAIL(error, RS_MEMORY, "no memory for %s of %s", path, input->path);
    }
    rs_status status = rs_result_reader_reals(input->result, path, *count, *values, error);
    if (status) {
        rs_free(*values);
        *values = NULL;
    }
    return status;
}

rs_status rs__read_result_of(const rs__input *input, const char *path, int64_t count, double **values,
                             rs_error *error)
{
    int64_t found;
    RS_TRY(rs__read_result(input, path, &found, values, error));
    if (found != count) {
        rs_free(*values);
        *values = NULL;
        return RS_FAIL(error, RS_DATA, "%s: %s has %" PRId64 " numbers, not %" PRId64, input->path, path,
                       found, count);
    }
    return RS_OK;
}

/* --- where a result comes from -------------------------------------------------------------------------------- */

static rs_status read_origin(const rs__input *input, int index, rs__origins *origins, rs_error *error)
{
    char *text = NULL;
    RS_TRY(rs_result_reader_text_at(input->result, "inputs/path", index, &text, error));
    const char *slash = strrchr(text, '/'), *start = slash ? slash + 1 : text;
    const size_t length = strlen(start);
    if (length > 3 && strcmp(start + length - 3, ".h5") == 0) {
        text[strlen(text) - 3] = '\0';
    }
    origins->names[index] = rs_strdup(start);
    rs_free(text);
    if (!origins->names[index]) {
        return RS_FAIL(error, RS_MEMORY, "no memory for the runs of %s", input->path);
    }
    RS_TRY(rs_result_reader_text_at(input->result, "inputs/config", index, &text, error));
    rs_config_default(&origins->configs[index]);
    rs_status status = rs_config_read_yaml(&origins->configs[index], text, input->path, error);
    rs_free(text);
    return status == RS_USAGE ? (error->status = RS_DATA) : status;
}

rs_status rs__origins_read(const rs__input *input, rs__origins *origins, rs_error *error)
{
    int rank;
    int64_t dim[RS_RESULT_RANK];
    *origins = (rs__origins){0};
    RS_TRY(rs_result_reader_size(input->result, "inputs/path", &rank, dim, error));
    origins->configs = rs_alloc_array((size_t)dim[0] + 1, sizeof *origins->configs);
    origins->names = rs_alloc_zero(((size_t)dim[0] + 1) * sizeof *origins->names);
    rs_status status = origins->configs && origins->names
                           ? RS_OK
                           : RS_FAIL(error, RS_MEMORY, "no memory for the runs of %s", input->path);
    for (; !status && origins->count < (int)dim[0]; origins->count++) {
        status = read_origin(input, origins->count, origins, error);
    }
    rs_error none = {0};
    if (!status && rs__read_result_of(input, "inputs/first_snapshot", dim[0], &origins->snapshots, &none)) {
        status = none.status == RS_MEMORY ? RS_FAIL(error, RS_MEMORY, "%s", none.text) : RS_OK;
    }
    if (status) {
        rs__origins_free(origins);
    }
    return status;
}

void rs__origins_free(rs__origins *origins)
{
    for (int i = 0; origins->names && i < origins->count; i++) {
        rs_free(origins->names[i]);
    }
    rs_free(origins->names);
    rs_free(origins->snapshots);
    rs_free(origins->configs);
    *origins = (rs__origins){0};
}

/* --- labels --------------------------------------------------------------------------------------------------- */

static bool begins(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Whether a name of an option says something beside what other options say. */
static bool tells(const char *name)
{
    return !begins(name, "seed") && !begins(name, "init-") && !begins(name, "snapshots") &&
           !begins(name, "record") && strcmp(name, "network-digest") != 0;
}

static bool of_the_network(const char *name)
{
    return strcmp(name, "network") == 0 || strcmp(name, "depth") == 0 || strcmp(name, "plain") == 0 ||
           strcmp(name, "blocks") == 0;
}

static void append(char *text, size_t capacity, const char *name, const char *value)
{
    const size_t used = strlen(text);
    (void)snprintf(text + used, capacity - used, "%s%s%s%s", used ? ", " : "", name, *name ? " " : "", value);
}

/* The options of a list "a, b" that tell something and are not in `text` already. */
static void append_differences(const rs_config *config, char *list, char *seen, size_t seen_bytes, char *text,
                               size_t capacity)
{
    char value[128], mark[64];
    for (char *word = strtok(list, ", "); word; word = strtok(NULL, ", ")) {
        const bool network = of_the_network(word);
        (void)snprintf(mark, sizeof mark, " %s ", network ? "network" : word);
        if (!tells(word) || strstr(seen, mark)) {
            continue;
        }
        (void)snprintf(seen + strlen(seen), seen_bytes - strlen(seen), "%s", mark);
        if (network) {
            rs__describe_network(config, value, sizeof value);
        } else {
            rs__option_value(config, word, value, sizeof value);
        }
        append(text, capacity, network ? "" : word, value);
    }
}

/* "run", or "run@3" where another state of the same file is there. */
static void name_file(const rs__origins *origins, int index, char *text, size_t capacity)
{
    bool twice = false;
    for (int i = 0; i < origins->count; i++) {
        twice = twice || (i != index && strcmp(origins->names[i], origins->names[index]) == 0);
    }
    if (twice && origins->snapshots) {
        (void)snprintf(text, capacity, "%s@%.0f", origins->names[index], origins->snapshots[index]);
    } else {
        (void)snprintf(text, capacity, "%s", origins->names[index]);
    }
}

void rs__origin_label(const rs__origins *origins, int index, char *text, size_t capacity)
{
    char list[1024], seen[2048] = "";
    const rs_config *config = &origins->configs[index];
    bool seeds_differ = false;
    *text = '\0';
    for (int i = 0; i < origins->count; i++) {
        if (rs_config_differences(config, &origins->configs[i], list, sizeof list) > 0) {
            append_differences(config, list, seen, sizeof seen, text, capacity);
        }
        seeds_differ = seeds_differ || config->seed != origins->configs[i].seed;
    }
    if (seeds_differ) {
        char value[32];
        (void)snprintf(value, sizeof value, "%" PRIu64, (uint64_t)config->seed);
        append(text, capacity, "seed", value);
    }
    if (!*text && origins->count > 1) {
        name_file(origins, index, text, capacity);
    } else if (!*text) {
        rs__describe_network(config, text, capacity);
    }
}
