/* inputs.c: see inputs.h. */
#include "inputs.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "rs/host.h"
#include "rs/text.h"

enum { PATH_BYTES = 4096 };

void rs__input_close(rs__input *input)
{
    rs_record_reader_close(input->record);
    rs_result_reader_close(input->result);
    rs_free(input->path);
    rs_free(input->name);
    rs_free(input->config);
    *input = (rs__input){0};
}

void rs__inputs_close(rs__inputs *inputs)
{
    for (int i = 0; i < inputs->count; i++) {
        rs__input_close(&inputs->list[i]);
    }
    rs_free(inputs->list);
    *inputs = (rs__inputs){0};
}

static rs_status set_names(const char *path, rs__input *input, rs_error *error)
{
    const char *slash = strrchr(path, '/');
    input->path = rs_strdup(path);
    input->name = rs_strdup(slash ? slash + 1 : path);
    if (!input->path || !input->name) {
        return RS_FAIL(error, RS_MEMORY, "no memory for the path %s", path);
    }
    const size_t length = strlen(input->name);
    if (length > 3 && strcmp(input->name + length - 3, ".h5") == 0) {
        input->name[length - 3] = '\0';
    }
    return RS_OK;
}

/* The YAML of a run's options; what a later program wrote beyond them is an error of the file, not of the user. */
static rs_status read_config(const char *yaml, rs__input *input, rs_error *error)
{
    input->config = rs_alloc_zero(sizeof *input->config);
    if (!input->config) {
        return RS_FAIL(error, RS_MEMORY, "no memory for the configuration of %s", input->path);
    }
    rs_config_default(input->config);
    rs_status status = rs_config_read_yaml(input->config, yaml, input->path, error);
    return error->status = status == RS_USAGE ? RS_DATA : status;
}

/* A result says of which runs it is; the first one's configuration stands for it. */
static rs_status read_result_config(rs__input *input, rs_error *error)
{
    char *yaml = NULL;
    if (!rs_result_reader_has(input->result, "inputs/config")) {
        return RS_OK;
    }
    RS_TRY(rs_result_reader_text_at(input->result, "inputs/config", 0, &yaml, error));
    rs_status status = read_config(yaml, input, error);
    rs_free(yaml);
    return status;
}

rs_status rs__input_open(const char *path, rs__input *input, rs_error *error)
{
    rs_error no_result = {0};
    RS_TRY(set_names(path, input, error));
    rs_status status = rs_record_reader_open(path, &input->record, error);
    if (status == RS_OK) {
        return read_config(rs_record_reader_config(input->record), input, error);
    }
    if (status == RS_DATA && rs_result_reader_open(path, &input->result, &no_result) == RS_OK) {
        *error = (rs_error){0};
        return read_result_config(input, error);
    }
    return status;
}

/* --- folders -------------------------------------------------------------------------------------------------- */

static int is_hdf5(const struct dirent *entry)
{
    const size_t length = strlen(entry->d_name);
    return length > 3 && entry->d_name[0] != '.' && strcmp(entry->d_name + length - 3, ".h5") == 0;
}

static rs_status make_room(rs__inputs *inputs, int more, rs_error *error)
{
    rs__input *list = rs_alloc_array((size_t)inputs->count + (size_t)more, sizeof *list);
    if (!list) {
        return RS_FAIL(error, RS_MEMORY, "no memory for %d files", inputs->count + more);
    }
    if (inputs->count > 0) {
        memcpy(list, inputs->list, (size_t)inputs->count * sizeof *list);
    }
    rs_free(inputs->list);
    inputs->list = list;
    return RS_OK;
}

static rs_status open_one(const char *path, rs__inputs *inputs, rs_error *error)
{
    RS_TRY(make_room(inputs, 1, error));
    return rs__input_open(path, &inputs->list[inputs->count++], error);
}

/* What was passed over in a folder: the first names, and why the first. */
enum { MOST_NAMED = 4 };
typedef struct passed {
    int count;
    char names[MOST_NAMED * 128];
    rs_error why;
} passed;

static rs_status open_of_folder(const char *folder, const char *name, rs__inputs *inputs, passed *p,
                                rs_error *error)
{
    char path[PATH_BYTES];
    rs_error why = {0};
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    const rs_status status = open_one(path, inputs, &why);
    if (status != RS_DATA) {
        *error = status ? why : *error;
        return status;
    }
    rs__input_close(&inputs->list[--inputs->count]);
    if (p->count < MOST_NAMED) {
        const size_t used = strlen(p->names);
        (void)snprintf(p->names + used, sizeof p->names - used, "%s%.120s", used ? ", " : "", name);
    }
    p->why = p->count++ ? p->why : why;
    return RS_OK;
}

/* Foreign files of a folder are passed over, with a word; one alone, or all of them, are an error. */
static rs_status tell_passed(const char *folder, const passed *p, int all, rs_error *error)
{
    if (p->count == all) {
        return RS_FAIL(error, RS_DATA, "%s: none of its .h5 files is a record or a result; the first: %.600s",
                       folder, p->why.text);
    }
    char more[32] = "";
    if (p->count > MOST_NAMED) {
        (void)snprintf(more, sizeof more, " and %d more", p->count - MOST_NAMED);
    }
    if (p->count > 0) {
        rs_log(RS_LOG_WARNING,
               "%s: left out, as they cannot be read as records or results: %s%s; the first: %s", folder,
               p->names, more, p->why.text);
    }
    return RS_OK;
}

static rs_status open_folder(const char *folder, rs__inputs *inputs, rs_error *error)
{
    struct dirent **entries = NULL;
    passed p = {0};
    const int count = scandir(folder, &entries, is_hdf5, alphasort);
    rs_status status = RS_OK;
    if (count <= 0) {
        status = RS_FAIL(error, RS_DATA, "%s: %s", folder,
                         count < 0 ? strerror(errno) : "a folder without .h5 files; name one of records");
    }
    for (int i = 0; i < count; i++) {
        status = status ? status : open_of_folder(folder, entries[i]->d_name, inputs, &p, error);
        free(entries[i]); /* scandir's */
    }
    free(entries);
    return status ? status : tell_passed(folder, &p, count, error);
}

/* What lies beside records and is caught by the same pattern of names. */
static bool lies_beside(const char *path)
{
    static const char *const endings[] = {".ckpt", ".log", ".csv", ".part"};
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot && i < sizeof endings / sizeof endings[0]; i++) {
        if (strcmp(dot, endings[i]) == 0) {
            return true;
        }
    }
    return false;
}

rs_status rs__inputs_open(int count, const char *const *paths, rs__inputs *inputs, rs_error *error)
{
    struct stat what;
    for (int i = 0; i < count; i++) {
        if (stat(paths[i], &what) == 0 && S_ISDIR(what.st_mode)) {
            RS_TRY(open_folder(paths[i], inputs, error));
        } else if (count == 1 || !lies_beside(paths[i])) {
            RS_TRY(open_one(paths[i], inputs, error));
        }
    }
    return inputs->count > 0
               ? RS_OK
               : RS_FAIL(error, RS_DATA, "%s and what follows: none is a record; they end in .h5", paths[0]);
}

/* --- what is in them ------------------------------------------------------------------------------------------ */

/* What cannot be read is not there; but for want of memory nobody knows. */
static bool is_read(rs_status status, const rs_error *why, rs_error *no_memory)
{
    if (status == RS_MEMORY) {
        *no_memory = *why;
    }
    return status == RS_OK;
}

/* Whether a record has that path with a row in it. */
static bool has_series(const rs__input *input, const char *path, rs_error *no_memory)
{
    char full[512], metric[24];
    rs_error error = {0};
    int64_t rows = 0, width = 0;
    const size_t length = strlen(path);
    (void)snprintf(full, sizeof full, "%s", path);
    if (length > 0 && path[length - 1] == '/') {
        if (!is_read(rs__metric_of(input, NULL, metric, &error), &error, no_memory)) {
            return false;
        }
        (void)snprintf(full, sizeof full, "%s%s", path, metric);
    }
    return rs_record_reader_has(input->record, full) &&
           is_read(rs_record_reader_series_size(input->record, full, &rows, &width, &error), &error,
                   no_memory) &&
           rows > 0 && width > 0;
}

/* Snapshots that have weights, or gradients: the initial state has none of these. */
static int64_t snapshots_with(const rs__input *input, const char *folder, rs_error *no_memory)
{
    rs_snapshot_place begin;
    rs_error error = {0};
    const int64_t all = rs_record_reader_committed(input->record)->snapshots;
    const bool initial =
        all > 0 && is_read(rs_record_reader_snapshot(input->record, 0, &begin, &error), &error, no_memory) &&
        begin.step == 0;
    return all - (initial && strcmp(folder, "gradients/") == 0 ? 1 : 0);
}

/* Whether some tensor of weights/ or gradients/ was recorded. */
static bool has_tensors(const rs__input *input, const char *folder, rs_error *no_memory)
{
    char name[RS_NAME_MAX], path[RS_NAME_MAX + 16];
    rs_error error = {0};
    int64_t rows = 0, width = 0;
    if (!is_read(rs_record_reader_series_size(input->record, "parameters/count", &rows, &width, &error),
                 &error, no_memory)) {
        return false;
    }
    for (int64_t i = 0; i < rows; i++) {
        if (!is_read(rs_record_reader_name(input->record, "parameters/name", i, name, &error), &error,
                     no_memory)) {
            return false;
        }
        (void)snprintf(path, sizeof path, "%s%s", folder, name);
        if (rs_record_reader_has(input->record, path)) {
            return snapshots_with(input, folder, no_memory) > 0;
        }
    }
    return false;
}

/* Whether what the record says of its data has that key: "train_class_counts". */
static bool has_data_key(const rs__input *input, const char *key, rs_error *no_memory)
{
    char *yaml = NULL, line[64];
    rs_error error = {0};
    (void)snprintf(line, sizeof line, "\n%s: ", key);
    const bool has =
        is_read(rs_record_reader_text(input->record, "dataset", &yaml, &error), &error, no_memory) &&
        strstr(yaml, line);
    rs_free(yaml);
    return has;
}

static bool record_has(const rs__input *input, const char *path, rs_error *no_memory)
{
    if (strcmp(path, "weights/") == 0 || strcmp(path, "gradients/") == 0) {
        return has_tensors(input, path, no_memory);
    }
    return strncmp(path, "dataset/", 8) == 0 ? has_data_key(input, path + 8, no_memory)
                                             : has_series(input, path, no_memory);
}

bool rs__input_has(const rs__input *input, const char *needs, rs_error *no_memory)
{
    char word[256];
    for (const char *at = needs; rs_text_next_word(&at, '|', word, sizeof word);) {
        const char *colon = strchr(word, ':');
        RS_ASSERT(colon);
        if (strncmp(word, "record:", 7) == 0 && input->record && record_has(input, colon + 1, no_memory)) {
            return true;
        }
        if (strncmp(word, "result:", 7) == 0 && input->result &&
            strcmp(rs_result_reader_kind(input->result), colon + 1) == 0) {
            return true;
        }
    }
    return false;
}

rs_status rs__read_series(const rs__input *input, const char *path, int64_t *rows, int64_t *width,
                          double **values, rs_error *error)
{
    *values = NULL;
    RS_TRY(rs_record_reader_series_size(input->record, path, rows, width, error));
    *values = rs_alloc_array((size_t)(*rows * *width) + 1, sizeof **values);
    if (!*values) {
        return RS_FAIL(error, RS_MEMORY, "%s: no memory for %s: %" PRId64 " x %" PRId64 " numbers",
                       input->path, path, *rows, *width);
    }
    rs_status status = rs_record_reader_series(input->record, path, 0, *rows, *width, *values, error);
    if (status) {
        rs_free(*values);
        *values = NULL;
    }
    return status;
}

void rs__columns_free(rs__columns *columns)
{
    rs_free(columns->index);
    rs_free(columns->names);
    *columns = (rs__columns){0};
}

static rs_status take_columns(const rs__input *input, const char *list, const char *globs, int64_t all,
                              rs__columns *columns, rs_error *error)
{
    for (int64_t i = 0; i < all; i++) {
        char *name = columns->names[columns->count];
        RS_TRY(rs_record_reader_name(input->record, list, i, name, error));
        if (!globs || !*globs || rs_config_globs_take(globs, name)) {
            columns->index[columns->count++] = i;
        }
    }
    return columns->count > 0
               ? RS_OK
               : RS_FAIL(error, RS_USAGE, "--layers %s takes none of %s of %s", globs, list, input->path);
}

bool rs__same_columns(const rs__columns *a, const rs__columns *b)
{
    bool same = a->count == b->count;
    for (int64_t k = 0; k < a->count && same; k++) {
        same = strcmp(a->names[k], b->names[k]) == 0;
    }
    return same;
}

rs_status rs__read_columns(const rs__input *input, const char *list, const char *globs, rs__columns *columns,
                           rs_error *error)
{
    int64_t all = 0;
    char name[RS_NAME_MAX];
    rs_error none = {0};
    *columns = (rs__columns){0};
    if (!rs_record_reader_has(input->record, list)) {
        return RS_FAIL(error, RS_DATA, "%s has no %s", input->path, list);
    }
    while (rs_record_reader_name(input->record, list, all, name, &none) == RS_OK) {
        all++;
    }
    columns->index = rs_alloc_array((size_t)all + 1, sizeof *columns->index);
    columns->names = rs_alloc_array((size_t)all + 1, sizeof *columns->names);
    rs_status status = columns->index && columns->names
                           ? take_columns(input, list, globs, all, columns, error)
                           : RS_FAIL(error, RS_MEMORY, "no memory for %" PRId64 " names", all);
    if (status) {
        rs__columns_free(columns);
    }
    return status;
}

/* Names with commas of the run's metrics. */
static void list_metrics(const rs_metric_list *list, char *text, size_t capacity)
{
    size_t used = 0;
    for (int i = 0; i < list->count && used < capacity; i++) {
        used += (size_t)snprintf(text + used, capacity - used, "%s%s", i ? ", " : "", list->metric[i].name);
    }
}

rs_status rs__metric_of(const rs__input *input, const char *metric, char name[24], rs_error *error)
{
    rs_metric_list recorded, wanted;
    char names[256] = "";
    RS_TRY(rs_metric_list_parse(input->config->metric, &recorded, error));
    (void)snprintf(name, 24, "%s", recorded.metric[0].name);
    if (!metric) {
        return RS_OK;
    }
    RS_TRY(rs_metric_list_parse(metric, &wanted, error));
    (void)snprintf(name, 24, "%s", wanted.metric[0].name);
    for (int i = 0; i < recorded.count; i++) {
        if (strcmp(recorded.metric[i].name, name) == 0) {
            return RS_OK;
        }
    }
    list_metrics(&recorded, names, sizeof names);
    return RS_FAIL(error, RS_USAGE, "--metric %s: %s recorded %s", metric, input->path, names);
}
