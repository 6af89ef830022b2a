/* info_json.c: what a record, or a file of results, holds, as one JSON object; see rs/recorder.h. Sizes are bytes; numbers that
 * are not finite are null. */
#include <string.h>

#include "info.h"
#include "rs/config.h"
#include "rs/host.h"
#include "rs/json.h"

static void see_attribute(void *context, const rs__info_attribute *attribute)
{
    rs_json *json = context;
    switch (attribute->type) {
    case RS__INFO_TEXT:
        rs_json_text(json, attribute->name, attribute->text);
        break;
    case RS__INFO_INTEGER:
        rs_json_integer(json, attribute->name, attribute->integer);
        break;
    case RS__INFO_REAL:
        rs_json_real(json, attribute->name, attribute->real);
        break;
    }
}

static void put_text(rs_json *json, const char *key, hid_t file, const char *path)
{
    rs_error ignored;
    char *text = NULL;
    if (H5Lexists(file, path, H5P_DEFAULT) > 0) {
        (void)rs_h5_read_string(file, path, &text, &ignored);
    }
    rs_json_text(json, key, text);
    rs_free(text);
}

static void put_state(rs_json *json, const rs_contents *contents)
{
    const rs_position nothing = {0};
    const rs_position *position = contents->commits.count > 0 ? &contents->commits.position : &nothing;
    put_text(json, "state", contents->file, "state");
    put_text(json, "reason", contents->file, "reason");
    put_text(json, "not_finite", contents->file, "not_finite");
    rs_json_text(json, "writer",
                 !contents->mark.write    ? "none"
                 : contents->writer_lives ? "alive"
                                          : "killed");
    rs_json_open(json, "committed", '{');
    rs_json_integer(json, "commits", contents->commits.count);
    rs_json_integer(json, "epochs", position->epochs);
    rs_json_integer(json, "steps", position->steps);
    rs_json_integer(json, "snapshots", position->snapshots);
    rs_json_close(json);
}

static void put_last(rs_json *json, const rs_contents *contents)
{
    rs_json_open(json, "last", '{');
    for (int i = 0; i < RS__INFO_LAST; i++) {
        const rs__info_last *last = &rs__info_last_values[i];
        for (int v = 0; v < RS__INFO_VALUES; v++) {
            double value;
            if (last->paths[v] && rs__info_last_value(contents, last->paths[v], &value)) {
                rs_json_real(json, last->paths[v], value);
            }
        }
    }
    rs_json_close(json);
}

static void put_option(rs_json *json, const rs_option *option, const rs_config *config)
{
    const void *field = (const char *)config + option->offset;
    switch (option->type) {
    case RS_OPTION_FLAG:
        rs_json_flag(json, option->name, *(const bool *)field);
        break;
    case RS_OPTION_INT:
        rs_json_integer(json, option->name, *(const int64_t *)field);
        break;
    case RS_OPTION_REAL:
        rs_json_real(json, option->name, *(const double *)field);
        break;
    case RS_OPTION_CHOICE:
    case RS_OPTION_TEXT:
        rs_json_text(json, option->name, field);
        break;
    }
}

/* An object of all options; the plain text where this program does not know all of them. */
static void put_config(rs_json *json, const rs_contents *contents)
{
    rs_config config;
    rs_error ignored;
    char *text = NULL;
    size_t count;
    const rs_option *table = rs_option_table(&count);
    rs_config_default(&config);
    if (rs_h5_read_string(contents->file, "config", &text, &ignored) != RS_OK ||
        rs_config_read_yaml(&config, text, contents->path, &ignored) != RS_OK) {
        rs_json_text(json, "config", text);
    } else {
        rs_json_open(json, "config", '{');
        for (size_t i = 0; i < count; i++) {
            put_option(json, &table[i], &config);
        }
        rs_json_close(json);
    }
    rs_free(text);
}

static rs_status put_layers(rs_json *json, const rs_contents *contents, rs_error *error)
{
    rs__info_layers layers;
    RS_TRY(rs__info_read_layers(contents, &layers, error));
    rs_json_open(json, "layers", '[');
    for (int64_t i = 0; i < layers.count; i++) {
        rs_json_open(json, NULL, '{');
        rs_json_text(json, "name", layers.names[i]);
        rs_json_text(json, "kind", layers.kinds[i]);
        rs_json_open(json, "shape", '[');
        for (int side = 0; side < 3; side++) {
            rs_json_integer(json, NULL, layers.shapes[i][side]);
        }
        rs_json_close(json);
        rs_json_close(json);
    }
    rs_json_close(json);
    rs__info_free_layers(&layers);
    return RS_OK;
}

static rs_status put_contents(rs_json *json, const rs_contents *contents, rs_error *error)
{
    rs_json_open(json, "datasets", '[');
    for (int i = 0; i < contents->count; i++) {
        const rs_content *content = &contents->list[i];
        rs_json_open(json, NULL, '{');
        rs_json_text(json, "path", content->path);
        rs_json_text(json, "type", rs__info_type(content));
        rs_json_open(json, "shape", '[');
        for (int axis = 0; axis < content->rank; axis++) {
            const bool grows = axis == 0 && content->table >= 0;
            rs_json_integer(json, NULL,
                            grows ? rs_content_rows(contents, content) : (int64_t)content->dim[axis]);
        }
        rs_json_close(json);
        rs_json_integer(json, "stored_bytes", (int64_t)content->stored);
        if (contents->is_result) {
            hid_t dataset;
            RS_H5(dataset = H5Dopen2(contents->file, content->path, H5P_DEFAULT));
            rs_status status = rs__info_attributes(dataset, see_attribute, json, error);
            rs_h5_close(dataset);
            RS_TRY(status);
        }
        rs_json_close(json);
    }
    rs_json_close(json);
    return RS_OK;
}

rs_status rs__info_json(const rs_contents *contents, const char *path, FILE *stream, rs_error *error)
{
    rs_json json = rs_json_begin(stream);
    rs_json_open(&json, NULL, '{');
    rs_json_text(&json, "path", path);
    rs_json_text(&json, "type", contents->is_result ? "result" : "record");
    rs_json_integer(&json, "file_bytes", (int64_t)contents->file_bytes);
    if (!contents->is_result) {
        put_state(&json, contents);
        put_last(&json, contents);
    }
    rs_json_open(&json, "attributes", '{');
    RS_TRY(rs__info_attributes(contents->file, see_attribute, &json, error));
    rs_json_close(&json);
    if (!contents->is_result) {
        put_text(&json, "dataset", contents->file, "dataset");
        put_config(&json, contents);
        RS_TRY(put_layers(&json, contents, error));
    }
    RS_TRY(put_contents(&json, contents, error));
    rs_json_close(&json);
    return RS_OK;
}
