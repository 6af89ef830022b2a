/* info.c: what a record, or a file of results, holds, as text; see rs/recorder.h. Changes nothing. */
#include "info.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "gradients.h"
#include "rs/host.h"
#include "rs/text.h"

static void print_attribute(hid_t file, const char *label, const char *name, FILE *stream)
{
    rs_error ignored;
    char *text = NULL;
    if (rs_h5_get_text(file, name, &text, &ignored) == RS_OK && text[0] != '\0') {
        (void)fprintf(stream, "%-12s %s\n", label, text);
    }
    rs_free(text);
}

/* A document of several lines, indented. */
static void print_document(hid_t file, const char *title, const char *path, FILE *stream)
{
    rs_error ignored;
    char *text = NULL;
    if (rs_h5_read_string(file, path, &text, &ignored) == RS_OK && text[0] != '\0') {
        (void)fprintf(stream, "\n%s\n", title);
        for (char *line = text; *line;) {
            size_t length = strcspn(line, "\n");
            (void)fprintf(stream, "  %.*s\n", (int)length, line);
            line += length + (line[length] == '\n');
        }
    }
    rs_free(text);
}

/* "[6, 64, 3, 3, 3]", with the committed rows for the first number. */
static void shape_text(const rs_contents *contents, const rs_content *content, char *text, size_t capacity)
{
    size_t used = (size_t)snprintf(text, capacity, "[");
    for (int axis = 0; axis < content->rank && used < capacity; axis++) {
        bool grows = axis == 0 && content->table >= 0;
        int64_t size = grows ? rs_content_rows(contents, content) : (int64_t)content->dim[axis];
        used += (size_t)snprintf(text + used, capacity - used, "%s%" PRId64, axis ? ", " : "", size);
    }
    if (used < capacity) {
        (void)snprintf(text + used, capacity - used, "]");
    }
}

/* "  mean over the runs of a group (weight^2)", of a file of results. */
static void print_meaning(const rs_contents *contents, const rs_content *content, FILE *stream)
{
    rs_error ignored;
    char *what = NULL, *unit = NULL;
    hid_t dataset = H5Dopen2(contents->file, content->path, H5P_DEFAULT);
    if (dataset >= 0 && rs_h5_get_text(dataset, "what", &what, &ignored) == RS_OK) {
        const bool plain =
            rs_h5_get_text(dataset, "unit", &unit, &ignored) != RS_OK || strcmp(unit, "1") == 0;
        (void)fprintf(stream, "  %s%s%s%s", what, plain ? "" : " (", plain ? "" : unit, plain ? "" : ")");
    }
    rs_h5_close(dataset);
    rs_free(what);
    rs_free(unit);
}

/* Length of the folder that it lies in, with the slash: 6 of "steps/loss", 0 at the top. */
static size_t folder_length(const rs_content *content)
{
    const char *slash = strrchr(content->path, '/');
    return slash ? (size_t)(slash - content->path) + 1 : 0;
}

static void print_content(const rs_contents *contents, const rs_content *content, FILE *stream)
{
    char shape[128], bytes[32];
    const size_t length = folder_length(content);
    shape_text(contents, content, shape, sizeof shape);
    rs_text_bytes(content->stored, bytes, sizeof bytes);
    (void)fprintf(stream, "  %s%-*s %-7s %-24s %10s", length ? "  " : "", length ? 38 : 40,
                  content->path + length, rs__info_type(content), shape, bytes);
    if (contents->is_result) {
        print_meaning(contents, content, stream);
    }
    (void)fputc('\n', stream);
}

/* The list is in the order of a walk through the file: what begins with the name of a folder stands together, but
 * folders in it may come before and between what lies in it itself. */
static bool is_first_of_folder(const rs_contents *contents, int at)
{
    const char *path = contents->list[at].path;
    const size_t length = folder_length(&contents->list[at]);
    for (int i = at - 1; i >= 0 && strncmp(contents->list[i].path, path, length) == 0; i--) {
        if (folder_length(&contents->list[i]) == length) {
            return false;
        }
    }
    return true;
}

static void print_folder(const rs_contents *contents, int first, FILE *stream)
{
    const char *path = contents->list[first].path;
    const size_t length = folder_length(&contents->list[first]);
    (void)fprintf(stream, "  %.*s\n", (int)length, path);
    for (int i = first; i < contents->count && strncmp(contents->list[i].path, path, length) == 0; i++) {
        if (folder_length(&contents->list[i]) == length) {
            print_content(contents, &contents->list[i], stream);
        }
    }
}

static void print_contents(const rs_contents *contents, FILE *stream)
{
    (void)fprintf(stream, "\ndata sets%s\n", contents->is_result ? "" : " (rows that commits cover)");
    for (int i = 0; i < contents->count; i++) {
        if (folder_length(&contents->list[i]) == 0) {
            print_content(contents, &contents->list[i], stream);
        } else if (is_first_of_folder(contents, i)) {
            print_folder(contents, i, stream);
        }
    }
}

/* Without a validation set of its own the test set is it: both series hold the same. */
static bool test_is_validation(const rs_contents *contents)
{
    double valid = 0.0, test = 0.0;
    return rs__info_last_value(contents, "epochs/valid_loss", &valid) &&
           rs__info_last_value(contents, "epochs/test_loss", &test) && valid == test;
}

static void print_last(const rs_contents *contents, FILE *stream)
{
    static const char *const formats[RS__INFO_VALUES] = {" loss %.6g", " accuracy %.4f",
                                                         " mean absolute error %.4g", " R squared %.4f"};
    for (int i = 0; i < RS__INFO_LAST; i++) {
        const rs__info_last *last = &rs__info_last_values[i];
        double value[RS__INFO_VALUES];
        int shown = 0;
        for (int v = 0; v < RS__INFO_VALUES; v++) {
            const bool there = last->paths[v] && rs__info_last_value(contents, last->paths[v], &value[v]);
            if (there &&
                (v == 0 ||
                 !isnan(value[v]))) { /* a loss that is no number is news; all else is then not there */
                (void)fprintf(stream, shown++ ? "," : "%-12s", last->label);
                (void)fprintf(stream, formats[v], isnan(value[v]) ? NAN : value[v]);
            }
        }
        if (shown && strcmp(last->label, "validation") == 0 && test_is_validation(contents)) {
            (void)fputs(" (= test)", stream);
        }
        (void)fputs(shown ? "\n" : "", stream);
    }
}

static void print_size(const rs_contents *contents, FILE *stream)
{
    char size[32];
    rs_text_bytes(contents->file_bytes, size, sizeof size);
    (void)fprintf(stream, "%-12s %s (%" PRIu64 " bytes), %d data sets\n", "size", size, contents->file_bytes,
                  contents->count);
}

static bool is_running(const char *state)
{
    return state && strcmp(state, rs_run_state_name(RS_RUN_RUNNING)) == 0;
}

static void print_not_finite(const rs_contents *contents, FILE *stream)
{
    rs_error ignored;
    char *text = NULL;
    if (H5Lexists(contents->file, "not_finite", H5P_DEFAULT) > 0) {
        (void)rs_h5_read_string(contents->file, "not_finite", &text, &ignored);
    }
    if (text && *text) {
        (void)fprintf(stream, "%-12s %s\n", "not finite", text);
    }
    rs_free(text);
}

static void print_state(const rs_contents *contents, FILE *stream)
{
    rs_error ignored;
    char *state = NULL, *reason = NULL;
    const rs_position *position = &contents->commits.position;
    (void)rs_h5_read_string(contents->file, "state", &state, &ignored);
    const char *note = contents->mark.write && contents->writer_lives ? ", a process writes it now"
                       : contents->mark.write ? ", but no process writes it: killed; go on with --resume"
                       : is_running(state)    ? ", but no process writes it: go on with --resume"
                                              : "";
    if (H5Lexists(contents->file, "reason", H5P_DEFAULT) > 0) {
        (void)rs_h5_read_string(contents->file, "reason", &reason, &ignored);
    }
    bool rule = reason && reason[0] && strcmp(reason, "epochs") != 0;
    (void)fprintf(stream, "%-12s %s%s%s%s\n", "state", state ? state : "unknown", rule ? ", ended by --" : "",
                  rule ? reason : "", note);
    rs_free(state);
    rs_free(reason);
    print_not_finite(contents, stream);
    if (contents->commits.count > 0) {
        (void)fprintf(stream,
                      "%-12s %" PRId64 " epoch%s, %" PRId64 " step%s, %" PRId64 " snapshot%s in %" PRId64
                      " commit%s\n",
                      "committed", position->epochs, rs_text_s(position->epochs), position->steps,
                      rs_text_s(position->steps), position->snapshots, rs_text_s(position->snapshots),
                      contents->commits.count, rs_text_s(contents->commits.count));
    } else {
        (void)fprintf(stream, "%-12s nothing yet\n", "committed");
    }
    print_size(contents, stream);
}

static void print_origin(const rs_contents *contents, FILE *stream)
{
    static const char *const integers[] = {"seed", "threads", "resumed", "resumed_elsewhere"};
    const hid_t file = contents->file;
    rs_error ignored;
    print_attribute(file, "network", "network", stream);
    print_attribute(file, "program", "program_version", stream);
    print_attribute(file, "commit", "commit", stream);
    print_attribute(file, "device", "device", stream);
    print_attribute(file, "libraries", "libraries", stream);
    print_attribute(file, "started", "start_time", stream);
    print_attribute(file, "gradients", "gradient", stream);
    print_attribute(file, "began from", "init_from", stream);
    for (size_t i = 0; i < sizeof integers / sizeof integers[0]; i++) {
        int64_t value;
        if (rs_h5_get_int(file, integers[i], &value, &ignored) == RS_OK && (i < 1 || value > 0)) {
            (void)fprintf(stream, "%-12s %" PRId64 "%s\n", i == 3 ? "  elsewhere" : integers[i], value,
                          i < 2    ? ""
                          : i == 2 ? " times"
                                   : " times, with another build, device, libraries or threads than above");
        }
    }
}

static rs_status print_layers(const rs_contents *contents, FILE *stream, rs_error *error)
{
    rs__info_layers layers;
    RS_TRY(rs__info_read_layers(contents, &layers, error));
    if (layers.count > 0) {
        (void)fprintf(stream, "\nlayers (channels, height, width of what comes out)\n");
    }
    for (int64_t i = 0; i < layers.count; i++) {
        const int64_t *side = layers.shapes[i];
        (void)fprintf(stream, "  %-40s %-12s [%" PRId64 ", %" PRId64 ", %" PRId64 "]\n", layers.names[i],
                      layers.kinds[i], side[0], side[1], side[2]);
    }
    rs__info_free_layers(&layers);
    return RS_OK;
}

static void see_attribute(void *context, const rs__info_attribute *attribute)
{
    FILE *stream = context;
    switch (attribute->type) {
    case RS__INFO_TEXT:
        (void)fprintf(stream, "%-20s %s\n", attribute->name, attribute->text);
        break;
    case RS__INFO_INTEGER:
        (void)fprintf(stream, "%-20s %" PRId64 "\n", attribute->name, attribute->integer);
        break;
    case RS__INFO_REAL:
        (void)fprintf(stream, "%-20s %.17g\n", attribute->name, attribute->real);
        break;
    }
}

rs_status rs__info_print(const rs_contents *contents, const char *path, FILE *stream, rs_error *error)
{
    if (contents->is_result) {
        (void)fprintf(stream, "%s: file of results\n\n", path);
        print_size(contents, stream);
        RS_TRY(rs__info_attributes(contents->file, see_attribute, stream, error));
    } else {
        (void)fprintf(stream, "%s: record of schema version %d\n\n", path, RS_SCHEMA_VERSION);
        print_state(contents, stream);
        print_last(contents, stream);
        print_origin(contents, stream);
        print_document(contents->file, "data", "dataset", stream);
        print_document(contents->file, "configuration", "config", stream);
        RS_TRY(print_layers(contents, stream, error));
    }
    print_contents(contents, stream);
    return RS_OK;
}

static rs_status print_gradients(const rs_contents *contents, int64_t steps, FILE *stream, rs_error *error)
{
    if (contents->is_result) {
        return RS_FAIL(error, RS_DATA, "it is a file of results, which has no gradients");
    }
    (void)fprintf(stream, "%s: record of schema version %d\n\n", contents->path, RS_SCHEMA_VERSION);
    print_state(contents, stream);
    print_last(contents, stream);
    print_origin(contents, stream);
    return rs_gradients_print(contents, steps, stream, error);
}

rs_status rs_record_info(const char *path, int64_t gradients, bool json, FILE *stream, rs_error *error)
{
    rs_contents contents;
    RS_TRY(rs_contents_open_any(path, &contents, error));
    rs_status status = gradients > 0 ? print_gradients(&contents, gradients, stream, error)
                       : json        ? rs__info_json(&contents, path, stream, error)
                                     : rs__info_print(&contents, path, stream, error);
    rs_contents_close(&contents);
    return status ? rs_error_prefix(error, "%s", path) : RS_OK;
}
