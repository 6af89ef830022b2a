/* command.c: `resnet_study networks`: the program's own networks, one of them, or one of a file. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "document.h"
#include "rs/host.h"
#include "rs/network.h"

static void print_help(FILE *stream)
{
    (void)fputs("usage: resnet_study networks [NAME|FILE] [--yaml]\n"
                "\n"
                "Without a name: the networks that --network takes by name, with their parameters for the "
                "data they are\n"
                "made for. With one: its layers, what they give and how many parameters they have; with "
                "--yaml the text\n"
                "of its file, to begin a network of your own with. FILE (a slash in it, or .yaml at its "
                "end): the same\n"
                "for a network of your own, which is checked.\n"
                "\n"
                "Examples:\n"
                "  resnet_study networks cnn-b\n"
                "      its layers, shapes and parameters\n"
                "  resnet_study networks cnn-b --yaml > mine.yaml\n"
                "      the text of a network to change\n"
                "  resnet_study networks ./mine.yaml\n"
                "      whether it is right; then, for cnn-b: resnet_study --network mine.yaml --dataset "
                "mnist --resize 32\n"
                "\n"
                "Exit status: 0 done; 2 unknown name or a mistake in the file; 3 the file can't be read.\n",
                stream);
}

/* A network for the data of its own example. */
typedef struct shown {
    rs_yaml *root;
    rs__document document;
    rs_network *network;
} shown;

static rs_status open_shown(const char *text, size_t length, const char *place, shown *s, rs_error *error)
{
    RS_TRY(rs_yaml_parse(text, length, place, &s->root, error));
    RS_TRY(rs__document_read(s->root, place, &s->document, error));
    const rs__document *d = &s->document;
    if (d->classes == 0) {
        return RS_FAIL(error, RS_USAGE,
                       "%s: to be shown it needs an example, as in example: {input: [1, 28, 28], "
                       "classes: 10}",
                       place);
    }
    rs_network_options options = rs_network_options_default(d->channels, d->height, d->width, d->classes);
    options.targets = d->classes == 1 || (d->loss && strcmp(d->loss, "mse") == 0);
    return rs_network_from_yaml(text, length, place, &options, &s->network, error);
}

static void close_shown(shown *s)
{
    rs_network_destroy(s->network);
    rs_yaml_destroy(s->root);
    *s = (shown){0};
}

static rs_status print_row(const char *name, FILE *stream, rs_error *error)
{
    const char *text = rs_network_source(name);
    shown s = {0};
    rs_status status = open_shown(text, strlen(text), name, &s, error);
    if (status == RS_OK) {
        char input[48];
        (void)snprintf(input, sizeof input, "%dx%dx%d", s.document.channels, s.document.height,
                       s.document.width);
        (void)fprintf(stream, "%-22s %-8s %10" PRId64 "  %s\n", name, input, s.network->weight_count,
                      s.document.about);
    }
    close_shown(&s);
    return status;
}

static rs_status print_all(FILE *stream, rs_error *error)
{
    (void)fprintf(stream, "%-22s %-8s %10s\n", "name", "input", "parameters");
    for (int i = 0; i < rs_network_name_count(); i++) {
        RS_TRY(print_row(rs_network_name_at(i), stream, error));
    }
    return RS_OK;
}

static void print_network(const shown *s, FILE *stream)
{
    const rs_network *network = s->network;
    char line[160];
    (void)fprintf(stream, "%s: %s\n", network->name, s->document.about);
    (void)fprintf(
        stream, "for %dx%dx%d, %d %s: %" PRId64 " parameters, %" PRId64 " operations a sample forward\n\n",
        s->document.channels, s->document.height, s->document.width, network->classes,
        network->classes == 1 ? "number" : "classes", network->weight_count, rs_network_flops(network));
    for (int i = 0; i < network->node_count; i++) {
        rs_node_describe(network, i, line, sizeof line);
        (void)fprintf(stream, "%s\n", line);
    }
    (void)fprintf(stream, "\nblocks, whose movement is measured:");
    for (int i = 0; i < network->block_count; i++) {
        (void)fprintf(stream, " %s (%" PRId64 ")", network->blocks[i].name, network->blocks[i].weights);
    }
    (void)fputc('\n', stream);
}

/* What a copy of the text needs to know: the shape in `example` binds no run. */
static void print_shape_note(const shown *s, FILE *stream)
{
    const rs__document *d = &s->document;
    (void)fprintf(stream, "# made for input %dx%dx%d (channels, height, width): %" PRId64 " parameters; ",
                  d->channels, d->height, d->width, s->network->weight_count);
    if (d->height == d->width && d->height > 1) {
        (void)fprintf(stream, "data of another size: --resize %d\n", d->height);
    } else {
        (void)fprintf(stream, "a run takes the shape of its data\n");
    }
}

static rs_status print_one(const char *name, bool yaml, FILE *stream, rs_error *error)
{
    char *text = NULL;
    size_t length = 0;
    shown s = {0};
    const char *source = rs_network_source(name);
    if (rs_yaml_is_path(name)) {
        RS_TRY(rs_yaml_read(name, &text, &length, error));
        source = text;
    } else if (!source) {
        rs_network_options none = rs_network_options_default(1, 1, 1, 1);
        return rs_network_named(name, &none, &s.network, error); /* says what there is */
    } else {
        length = strlen(source);
    }
    rs_status status = open_shown(source, length, name, &s, error);
    if (status == RS_OK && yaml) {
        print_shape_note(&s, stream);
        (void)fputs(source, stream);
    } else if (status == RS_OK) {
        print_network(&s, stream);
    }
    close_shown(&s);
    rs_free(text);
    return status;
}

int rs_command_networks(int argc, char **argv)
{
    rs_error error = {0};
    const char *name = NULL;
    bool yaml = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            print_help(stdout);
            return 0;
        }
        bool option = strcmp(argv[i], "--yaml") == 0;
        if (!option && (name || argv[i][0] == '-')) {
            rs_log(RS_LOG_ERROR, "networks: takes no \"%s\"; see: resnet_study networks --help", argv[i]);
            return rs_status_exit_code(RS_USAGE);
        }
        yaml = yaml || option;
        name = option ? name : argv[i];
    }
    if (yaml && !name) {
        rs_log(RS_LOG_ERROR, "networks: --yaml is of one network; which?");
        return rs_status_exit_code(RS_USAGE);
    }
    rs_status status = name ? print_one(name, yaml, stdout, &error) : print_all(stdout, &error);
    if (status) {
        rs_log(RS_LOG_ERROR, "%s", error.text);
    }
    return rs_status_exit_code(status);
}
