/* info_read.c: what `info` reads of a file beside its list of data sets; see info.h. */
#include <string.h>

#include "info.h"
#include "rs/host.h"

enum { SIDES = 3 };

const rs__info_last rs__info_last_values[RS__INFO_LAST] = {
    {"training", {"epochs/train_loss", "epochs/train_accuracy"}},
    {"validation",
     {"epochs/valid_loss", "epochs/valid_accuracy", "epochs/valid_mean_absolute_error",
      "epochs/valid_r_squared"}},
    {"test",
     {"epochs/test_loss", "epochs/test_accuracy", "epochs/test_mean_absolute_error",
      "epochs/test_r_squared"}},
    {"last step", {"steps/loss", "steps/accuracy"}}};

const char *rs__info_type(const rs_content *content)
{
    switch (content->class) {
    case H5T_FLOAT:
        return content->type_size == sizeof(float) ? "f32" : "f64";
    case H5T_INTEGER:
        return content->type_size == sizeof(int64_t) ? "i64" : "integer";
    case H5T_STRING:
        return "text";
    default:
        return "other";
    }
}

bool rs__info_last_value(const rs_contents *contents, const char *path, double *value)
{
    const rs_content *content = rs_contents_find(contents, path);
    rs_error ignored;
    if (!content || content->table < 0 || content->class != H5T_FLOAT || content->rank != 1) {
        return false;
    }
    int64_t rows = rs_content_rows(contents, content);
    hid_t dataset =
        rows > 0 && rows <= (int64_t)content->dim[0] ? H5Dopen2(contents->file, path, H5P_DEFAULT) : -1;
    bool there = dataset >= 0 && rs_content_read_as(dataset, content, rows - 1, 1, H5T_NATIVE_DOUBLE, value,
                                                    &ignored) == RS_OK;
    rs_h5_close(dataset);
    return there;
}

/* All of a table that never grows, where it is `rows` x `width` of that class. */
static rs_status read_table(const rs_contents *contents, const char *path, int64_t rows, int64_t width,
                            hid_t type, void *values, rs_error *error)
{
    const rs_content *content = rs_contents_find(contents, path);
    hid_t dataset = H5I_INVALID_HID;
    rs_status status = RS_OK;
    if (!content || content->rank != (width > 1 ? 2 : 1) || (int64_t)content->dim[0] != rows ||
        (width > 1 && (int64_t)content->dim[1] != width)) {
        return RS_FAIL(error, RS_DATA, "%s is not as a record has it; see resnet_study verify", path);
    }
    RS_H5_GOTO(dataset = H5Dopen2(contents->file, path, H5P_DEFAULT));
    RS_H5_GOTO(H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values));
done:
    rs_h5_close(dataset);
    return status;
}

rs_status rs__info_read_layers(const rs_contents *contents, rs__info_layers *layers, rs_error *error)
{
    const rs_content *names = rs_contents_find(contents, "layers/name");
    hid_t type = H5I_INVALID_HID;
    rs_status status = RS_OK;
    memset(layers, 0, sizeof *layers);
    if (!names || names->rank != 1 || names->class != H5T_STRING || names->dim[0] > INT32_MAX) {
        return RS_OK;
    }
    const int64_t count = (int64_t)names->dim[0];
    layers->names = rs_alloc_array((size_t)count, RS_NAME_MAX);
    layers->kinds = rs_alloc_array((size_t)count, RS_NAME_MAX);
    layers->shapes = rs_alloc_array((size_t)count, sizeof *layers->shapes);
    if (!layers->names || !layers->kinds || !layers->shapes) {
        status = RS_FAIL(error, RS_MEMORY, "no memory for the names of layers");
        goto done;
    }
    RS_TRY_GOTO(rs_h5_string_type(RS_NAME_MAX, &type, error));
    RS_TRY_GOTO(read_table(contents, "layers/name", count, 1, type, layers->names, error));
    RS_TRY_GOTO(read_table(contents, "layers/kind", count, 1, type, layers->kinds, error));
    RS_TRY_GOTO(read_table(contents, "layers/shape", count, SIDES, H5T_NATIVE_INT64, layers->shapes, error));
    for (int64_t i = 0; i < count; i++) {
        layers->names[i][RS_NAME_MAX - 1] = layers->kinds[i][RS_NAME_MAX - 1] = '\0';
    }
    layers->count = count;
done:
    rs_h5_close(type);
    if (status) {
        rs__info_free_layers(layers);
    }
    return status;
}

void rs__info_free_layers(rs__info_layers *layers)
{
    rs_free(layers->names);
    rs_free(layers->kinds);
    rs_free(layers->shapes);
    memset(layers, 0, sizeof *layers);
}

typedef struct walk {
    void (*see)(void *context, const rs__info_attribute *attribute);
    void *context;
    rs_error *error;
} walk;

/* Attributes of other types (references, the scales' own) are passed over. */
static rs_status read_attribute(hid_t object, const char *name, const walk *w, rs_error *error)
{
    rs__info_attribute found = {.name = name};
    hid_t attribute = H5I_INVALID_HID, type = H5I_INVALID_HID, space = H5I_INVALID_HID;
    char *text = NULL;
    rs_status status = RS_OK;
    RS_H5_GOTO(attribute = H5Aopen(object, name, H5P_DEFAULT));
    RS_H5_GOTO(type = H5Aget_type(attribute));
    RS_H5_GOTO(space = H5Aget_space(attribute));
    const H5T_class_t class = H5Tget_class(type);
    if (H5Sget_simple_extent_npoints(space) != 1) {
        goto done;
    }
    if (class == H5T_STRING && H5Tis_variable_str(type) > 0) {
        RS_TRY_GOTO(rs_h5_get_text(object, name, &text, error));
        found.type = RS__INFO_TEXT;
        found.text = text;
    } else if (class == H5T_INTEGER) {
        found.type = RS__INFO_INTEGER;
        RS_H5_GOTO(H5Aread(attribute, H5T_NATIVE_INT64, &found.integer));
    } else if (class == H5T_FLOAT) {
        found.type = RS__INFO_REAL;
        RS_H5_GOTO(H5Aread(attribute, H5T_NATIVE_DOUBLE, &found.real));
    } else {
        goto done;
    }
    w->see(w->context, &found);
done:
    rs_free(text);
    rs_h5_close(space);
    rs_h5_close(type);
    rs_h5_close(attribute);
    return status;
}

static herr_t visit_attribute(hid_t object, const char *name, const H5A_info_t *info, void *context)
{
    const walk *w = context;
    (void)info;
    return read_attribute(object, name, w, w->error) == RS_OK ? 0 : 1;
}

rs_status rs__info_attributes(hid_t object, void (*see)(void *context, const rs__info_attribute *attribute),
                              void *context, rs_error *error)
{
    walk w = {see, context, error};
    herr_t stopped;
    error->status = RS_OK;
    RS_H5(stopped = H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, NULL, visit_attribute, &w));
    return stopped > 0 ? error->status : RS_OK;
}
