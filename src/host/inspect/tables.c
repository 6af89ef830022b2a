/* tables.c: see tables.h. */
#include "tables.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "rs/config.h"
#include "rs/host.h"

/* Where rows of several numbers have the names of their columns. */
static const struct {
    const char *prefix, *names;
} known_names[] = {
    {"steps/distance_to_", "blocks/name"},
    {"steps/gradient_abs_", "parameters/name"},
    {"steps/gradient_norms", "parameters/name"},
    {"steps/layer_", "layer"},
    {"steps/head_", "head"},
};

/* Folders of tables, and the scale of their rows. */
static const struct {
    const char *folder, *scale;
} folders[] = {
    {"steps", "step"}, {"epochs", "epoch"},  {"snapshots", "snapshot"}, {"commits", NULL},
    {"blocks", NULL},  {"parameters", NULL}, {"layers", NULL},
};
enum { FOLDERS = sizeof folders / sizeof folders[0] };

static bool begins(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Which of the folders a data set is in, or -1. */
static int folder_of(const char *path)
{
    for (int f = 0; f < FOLDERS; f++) {
        const size_t length = strlen(folders[f].folder);
        if (strncmp(path, folders[f].folder, length) == 0 && path[length] == '/') {
            return f;
        }
    }
    return -1;
}

/* Makes room for one more of a list. */
static rs_status grow(void **list, int count, int *capacity, size_t size, rs_error *error)
{
    if (count < *capacity) {
        return RS_OK;
    }
    const int more = *capacity ? 2 * *capacity : 16;
    void *grown = rs_alloc_array((size_t)more, size);
    if (!grown) {
        return RS_FAIL(error, RS_MEMORY, "no memory for the tables of the record");
    }
    if (count > 0) {
        memcpy(grown, *list, (size_t)count * size);
    }
    rs_free(*list);
    *list = grown;
    *capacity = more;
    return RS_OK;
}

static rs_status read_names(const rs_record_reader *reader, const char *path, rs__source *source,
                            rs_error *error)
{
    int64_t i = 0;
    const char *names = NULL;
    for (size_t k = 0; k < sizeof known_names / sizeof known_names[0] && !names; k++) {
        names = begins(path, known_names[k].prefix) ? known_names[k].names : NULL;
    }
    if (!names) {
        return RS_OK;
    }
    source->names = rs_alloc_array((size_t)source->width + 1, RS_NAME_MAX);
    if (!source->names) {
        return RS_FAIL(error, RS_MEMORY, "no memory for the names of %" PRId64 " columns", source->width);
    }
    for (rs_status status = RS_OK; i < source->width; i++) {
        status = rs_record_reader_name(reader, names, i, source->names[i], error);
        RS_TRY(status);
    }
    return RS_OK;
}

/* Adds a data set to a table; its rows are the least of all, so that no torn file reads beyond one. */
static rs_status add_source(const rs_record_reader *reader, rs__table *table, const rs_record_item *item,
                            rs_error *error)
{
    void *list = table->sources;
    RS_TRY(grow(&list, table->count, &table->capacity, sizeof *table->sources, error));
    table->sources = list;
    rs__source *source = &table->sources[table->count];
    const char *slash = strrchr(item->path, '/');
    memset(source, 0, sizeof *source);
    (void)snprintf(source->path, sizeof source->path, "%s", item->path);
    (void)snprintf(source->name, sizeof source->name, "%s", slash ? slash + 1 : item->path);
    source->text = !item->numbers;
    source->width = item->row.rank == 0 ? 1 : item->row.dim[0];
    table->rows = table->count == 0 || item->rows < table->rows ? item->rows : table->rows;
    table->count++;
    return item->row.rank == 0 ? RS_OK : read_names(reader, item->path, source, error);
}

static rs_status add_table(rs__tables *tables, const char *name, rs__table **table, rs_error *error)
{
    void *list = tables->list;
    RS_TRY(grow(&list, tables->count, &tables->capacity, sizeof *tables->list, error));
    tables->list = list;
    *table = &tables->list[tables->count++];
    memset(*table, 0, sizeof **table);
    (void)snprintf((*table)->name, sizeof(*table)->name, "%s", name);
    return RS_OK;
}

static bool find_item(const rs_record_reader *reader, const char *path, rs_record_item *item)
{
    for (int i = 0; rs_record_reader_item(reader, i, item); i++) {
        if (strcmp(item->path, path) == 0) {
            return true;
        }
    }
    return false;
}

/* "steps/distance_to_initial/minkowski:1" -> "distance_to_initial_minkowski_1": a name for every file system. */
static void wide_name(const char *path, char name[RS__TABLE_NAME])
{
    const char *slash = strchr(path, '/');
    (void)snprintf(name, RS__TABLE_NAME, "%s", slash + 1);
    for (char *at = name; *at; at++) {
        *at = strchr("/:\\*?\"<>|", *at) ? '_' : *at;
    }
}

static bool is_wide(const rs_record_item *item)
{
    return item->grows && item->row.rank == 1;
}

static rs_status add_folder(const rs_record_reader *reader, int folder, rs__tables *tables, rs_error *error)
{
    rs__table *table;
    rs_record_item item, scale;
    RS_TRY(add_table(tables, folders[folder].folder, &table, error));
    if (folders[folder].scale && find_item(reader, folders[folder].scale, &scale)) {
        RS_TRY(add_source(reader, table, &scale, error));
    }
    for (int i = 0; rs_record_reader_item(reader, i, &item); i++) {
        if (folder_of(item.path) == folder && !is_wide(&item) && item.rank > 0 && item.row.rank <= 1) {
            RS_TRY(add_source(reader, table, &item, error));
        }
    }
    tables->count -= table->count == 0;
    return RS_OK;
}

static rs_status add_wide(const rs_record_reader *reader, const rs_record_item *item, rs__tables *tables,
                          rs_error *error)
{
    char name[RS__TABLE_NAME];
    rs__table *table;
    rs_record_item scale;
    if (!find_item(reader, folders[folder_of(item->path)].scale, &scale)) {
        return RS_FAIL(error, RS_DATA, "%s: %s has no scale", rs_record_reader_path(reader), item->path);
    }
    wide_name(item->path, name);
    RS_TRY(add_table(tables, name, &table, error));
    table->wide = true;
    RS_TRY(add_source(reader, table, &scale, error));
    return add_source(reader, table, item, error);
}

rs_status rs__tables_of(const rs_record_reader *reader, rs__tables *tables, rs_error *error)
{
    rs_record_item item;
    memset(tables, 0, sizeof *tables);
    for (int f = 0; f < FOLDERS; f++) {
        RS_TRY(add_folder(reader, f, tables, error));
    }
    for (int i = 0; rs_record_reader_item(reader, i, &item); i++) {
        const int folder = folder_of(item.path);
        if (folder >= 0 && folders[folder].scale && is_wide(&item)) {
            RS_TRY(add_wide(reader, &item, tables, error));
        }
    }
    return RS_OK;
}

void rs__tables_free(rs__tables *tables)
{
    for (int t = 0; t < tables->count; t++) {
        for (int s = 0; s < tables->list[t].count; s++) {
            rs_free(tables->list[t].sources[s].names);
        }
        rs_free(tables->list[t].sources);
    }
    rs_free(tables->list);
    memset(tables, 0, sizeof *tables);
}

void rs__source_column(const rs__source *source, int64_t column, char *name, size_t capacity)
{
    if (source->names) {
        (void)snprintf(name, capacity, "%s", source->names[column]);
    } else if (source->width > 1) {
        (void)snprintf(name, capacity, "%s_%" PRId64, source->name, column);
    } else {
        (void)snprintf(name, capacity, "%s", source->name);
    }
}

rs_status rs__metrics_of(const rs_record_reader *reader, rs_metric_list *metrics, rs_error *error)
{
    rs_config config;
    rs_metric_list named;
    rs_config_default(&config);
    RS_TRY(
        rs_config_read_yaml(&config, rs_record_reader_config(reader), rs_record_reader_path(reader), error));
    RS_TRY(rs_metric_list_parse(config.metric, &named, error));
    metrics->count = 0;
    for (int i = 0; i < named.count; i++) {
        char path[96];
        (void)snprintf(path, sizeof path, "steps/distance_to_initial/%s", named.metric[i].name);
        if (rs_record_reader_has(reader, path)) {
            metrics->metric[metrics->count++] = named.metric[i];
        }
    }
    return RS_OK;
}
