/* info_command.c: `resnet_study info RUN.h5`: what a record holds. Reads live and killed files and changes
 * nothing. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "contents.h"
#include "gradients.h"
#include "lock.h"
#include "rs/host.h"
#include "rs/text.h"

enum { DONE = 0, BAD_USAGE = 2 };

static void print_attribute(hid_t file, const char *label, const char *name)
{
    rs_error ignored;
    char *text = NULL;
    if (rs_h5_get_text(file, name, &text, &ignored) == RS_OK && text[0] != '\0') {
        (void)printf("%-12s %s\n", label, text);
    }
    rs_free(text);
}

/* A document of several lines, indented. */
static void print_document(hid_t file, const char *title, const char *path)
{
    rs_error ignored;
    char *text = NULL;
    if (rs_h5_read_string(file, path, &text, &ignored) == RS_OK && text[0] != '\0') {
        (void)printf("\n%s\n", title);
        for (char *line = text; *line;) {
            size_t length = strcspn(line, "\n");
            (void)printf("  %.*s\n", (int)length, line);
            line += length + (line[length] == '\n');
        }
    }
    rs_free(text);
}

static const char *type_name(const rs_content *content)
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

static void print_contents(const rs_contents *contents)
{
    char shape[128], bytes[32], group[RS_CONTENT_PATH_MAX] = "";
    (void)printf("\ndata sets (rows that commits cover)\n");
    for (int i = 0; i < contents->count; i++) {
        const rs_content *content = &contents->list[i];
        const char *slash = strrchr(content->path, '/');
        const char *name = slash ? slash + 1 : content->path;
        size_t length = (size_t)(name - content->path);
        if (length > 0 && (strlen(group) != length || strncmp(group, content->path, length) != 0)) {
            (void)snprintf(group, sizeof group, "%.*s", (int)length, content->path);
            (void)printf("  %s\n", group);
        }
        shape_text(contents, content, shape, sizeof shape);
        rs_text_bytes(content->stored, bytes, sizeof bytes);
        (void)printf("  %s%-*s %-7s %-24s %s\n", length ? "  " : "", length ? 38 : 40, name,
                     type_name(content), shape, bytes);
    }
}

/* The last committed value of a series; false where there is none. */
static bool last_value(const rs_contents *contents, const char *path, double *value)
{
    const rs_content *content = rs_contents_find(contents, path);
    rs_error ignored;
    if (!content || content->type_size != sizeof *value || content->rank != 1) {
        return false;
    }
    int64_t rows = rs_content_rows(contents, content);
    hid_t dataset =
        rows > 0 && rows <= (int64_t)content->dim[0] ? H5Dopen2(contents->file, path, H5P_DEFAULT) : -1;
    bool there = dataset >= 0 && rs_content_read(dataset, content, rows - 1, 1, value, &ignored) == RS_OK;
    rs_h5_close(dataset);
    return there;
}

static void print_last(const rs_contents *contents)
{
    static const struct {
        const char *label, *loss, *accuracy;
    } lines[] = {{"training", "epochs/train_loss", "epochs/train_accuracy"},
                 {"validation", "epochs/valid_loss", "epochs/valid_accuracy"},
                 {"test", "epochs/test_loss", "epochs/test_accuracy"},
                 {"last step", "steps/loss", "steps/accuracy"}};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        double loss, accuracy;
        if (last_value(contents, lines[i].loss, &loss) &&
            last_value(contents, lines[i].accuracy, &accuracy)) {
            (void)printf("%-12s loss %.6g", lines[i].label, loss);
            (void)printf(accuracy >= 0.0 ? ", accuracy %.4f\n" : "\n", accuracy);
        }
    }
}

/* Whether a process holds the writer's lock right now. */
static bool is_written(const char *path)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = RS_LOCK_PLACE, .l_len = 1};
    int file = rs_files()->open(path, O_RDONLY, 0);
    bool held = file >= 0 && fcntl(file, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
    if (file >= 0) {
        (void)close(file);
    }
    return held;
}

static void print_state(const rs_contents *contents)
{
    rs_error ignored;
    char *state = NULL, *reason = NULL, size[32];
    const rs_position *position = &contents->commits.position;
    (void)rs_h5_read_string(contents->file, "state", &state, &ignored);
    const char *note = !contents->mark.write ? ""
                       : is_written(contents->path)
                           ? ", a process writes it now"
                           : ", but no process writes it: killed; go on with --resume";
    if (H5Lexists(contents->file, "reason", H5P_DEFAULT) > 0) {
        (void)rs_h5_read_string(contents->file, "reason", &reason, &ignored);
    }
    bool rule = reason && reason[0] && strcmp(reason, "epochs") != 0;
    (void)printf("%-12s %s%s%s%s\n", "state", state ? state : "unknown", rule ? ", ended by --" : "",
                 rule ? reason : "", note);
    rs_free(state);
    rs_free(reason);
    if (contents->commits.count > 0) {
        (void)printf(
            "%-12s %" PRId64 " epochs, %" PRId64 " steps, %" PRId64 " snapshots in %" PRId64 " commits\n",
            "committed", position->epochs, position->steps, position->snapshots, contents->commits.count);
    } else {
        (void)printf("%-12s nothing yet\n", "committed");
    }
    rs_text_bytes(contents->file_bytes, size, sizeof size);
    (void)printf("%-12s %s (%" PRIu64 " bytes), %d data sets\n", "size", size, contents->file_bytes,
                 contents->count);
}

static void print_origin(const rs_contents *contents)
{
    static const char *const integers[] = {"seed", "threads", "resumed", "resumed_elsewhere"};
    const hid_t file = contents->file;
    rs_error ignored;
    print_attribute(file, "network", "network");
    print_attribute(file, "program", "program_version");
    print_attribute(file, "commit", "commit");
    print_attribute(file, "device", "device");
    print_attribute(file, "libraries", "libraries");
    print_attribute(file, "started", "start_time");
    print_attribute(file, "gradients", "gradient");
    print_attribute(file, "began from", "init_from");
    for (size_t i = 0; i < sizeof integers / sizeof integers[0]; i++) {
        int64_t value;
        if (rs_h5_get_int(file, integers[i], &value, &ignored) == RS_OK && (i < 1 || value > 0)) {
            (void)printf("%-12s %" PRId64 "%s\n", i == 3 ? "  elsewhere" : integers[i], value,
                         i < 2    ? ""
                         : i == 2 ? " times"
                                  : " times, with another build, device, libraries or threads than above");
        }
    }
}

/* gradients: over how many steps; 0: nothing of them. */
static int print_record(const char *path, int64_t gradients)
{
    rs_contents contents;
    rs_error error;
    if (rs_contents_open(path, &contents, &error) != RS_OK) {
        (void)fprintf(stderr, "resnet_study info: %s\n", error.text);
        return rs_status_exit_code(error.status);
    }
    (void)printf("%s: record of schema version %d\n\n", path, RS_SCHEMA_VERSION);
    print_state(&contents);
    print_last(&contents);
    print_origin(&contents);
    rs_status status = RS_OK;
    if (gradients > 0) {
        status = rs_gradients_print(&contents, gradients, &error);
    } else {
        print_document(contents.file, "data", "dataset");
        print_document(contents.file, "configuration", "config");
        print_contents(&contents);
    }
    rs_contents_close(&contents);
    if (status) {
        (void)fprintf(stderr, "resnet_study info: %s: %s\n", path, error.text);
    }
    return status ? rs_status_exit_code(status) : DONE;
}

int rs_command_info(int argc, char **argv)
{
    static const char usage[] = "usage: resnet_study info [--gradients K] RUN.h5\n\nWhat a record holds, "
                                "also of a live or killed run.\n"
                                "--gradients K: mean and standard deviation of |gradient| of every parameter "
                                "over the first and last K steps.\n";
    int64_t gradients = 0;
    const bool asked = argc == 4 && strcmp(argv[1], "--gradients") == 0;
    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        (void)fputs(usage, stdout);
        return DONE;
    }
    if ((argc != 2 && !asked) || argv[argc - 1][0] == '-' ||
        (asked && (!rs_text_int(argv[2], &gradients) || gradients < 1))) {
        (void)fputs(usage, stderr);
        return BAD_USAGE;
    }
    return print_record(argv[argc - 1], gradients);
}
