/* command.c: `resnet_study data list` and `resnet_study data fetch`. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "acquire.h"
#include "catalog.h"
#include "load.h"
#include "locate.h"
#include "rs/dataset.h"
#include "rs/host.h"
#include "rs/text.h"

typedef struct arguments {
    const char *action, *name, *from, *directory;
} arguments;

static void print_help(FILE *stream)
{
    (void)fputs(
        "usage: resnet_study data list [--data-dir DIR]\n"
        "       resnet_study data fetch NAME [--from DIR|ARCHIVE|URL] [--data-dir DIR]\n"
        "\n"
        "  list            the data sets this program knows, and where each lies\n"
        "  fetch NAME      brings a data set into the data directory: downloads it from its official source\n"
        "                  or a mirror of it, compares its checksum, unpacks it, checks every file and\n"
        "                  puts it in place. A download that broke off goes on where it was. (A run fetches\n"
        "                  a missing data set by itself, unless told --no-download.)\n"
        "  --from SOURCE   take it from elsewhere:\n"
        "                  a folder with its files or its archive, or an archive (tar or zip, packed or "
        "not):\n"
        "                  read as the data set first, and only its own files are taken;\n"
        "                  https://, http:// or file:// URL of an official file, or of the folder it is in:\n"
        "                  checksum required\n"
        "  --data-dir DIR  the data directory (default: $RS_DATA_DIR, else $XDG_CACHE_HOME/resnet_study, "
        "else\n"
        "                  ~/.cache/resnet_study)\n"
        "\n"
        "Examples:\n"
        "  resnet_study data list\n"
        "      what is here already\n"
        "  resnet_study data fetch cifar10\n"
        "      170 MB from the official source\n"
        "  resnet_study data fetch mnist --from ~/Downloads/mnist.zip --data-dir /data\n"
        "      from an archive, on a machine without a network\n"
        "\n"
        "Environment: RS_DATA_MIRROR=URL is tried before the official sources, at URL/NAME/FILE (checksum\n"
        "required); https_proxy, http_proxy, no_proxy; CURL_CA_BUNDLE for a certificate file of your own.\n"
        "Exit status: 0 done; 1 the data directory can't be written; 2 bad usage; 3 no usable data.\n",
        stream);
}

static void report(const rs_error *error)
{
    rs_log(RS_LOG_ERROR, "%s", error->text);
}

static int bad_usage(const char *what, const char *word)
{
    static const char *const words[] = {"list", "fetch", "--from", "--data-dir", "--help"};
    const char *nearest = rs_text_nearest(word, words, sizeof words / sizeof *words);
    bool other = nearest && strcmp(nearest, word) != 0;
    rs_log(RS_LOG_ERROR, "data: %s%s%s%s; see: resnet_study data --help", what, word,
           other ? "; nearest " : "", other ? nearest : "");
    return rs_status_exit_code(RS_USAGE);
}

/* "--name VALUE" or "--name=VALUE", into *value; false when argument *at is another one. */
static bool option_value(const char *name, int argc, char **argv, int *at, const char **value)
{
    size_t length = strlen(name);
    if (strncmp(argv[*at], name, length) != 0) {
        return false;
    }
    if (argv[*at][length] == '=') {
        *value = argv[*at] + length + 1;
        return true;
    }
    if (argv[*at][length] || *at + 1 >= argc) {
        return false;
    }
    *value = argv[++*at];
    return true;
}

/* False, with the exit status in *status, when the command ends here. */
static bool parse(arguments *given, int argc, char **argv, int *status)
{
    *given = (arguments){.directory = ""};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            print_help(stdout);
            *status = 0;
            return false;
        }
        if (option_value("--from", argc, argv, &i, &given->from) ||
            option_value("--data-dir", argc, argv, &i, &given->directory)) {
            continue;
        }
        if (argv[i][0] == '-') {
            *status = bad_usage("unknown option, or no value behind ", argv[i]);
            return false;
        } else if (!given->action) {
            given->action = argv[i];
        } else if (!given->name) {
            given->name = argv[i];
        } else {
            *status = bad_usage("one word too many: ", argv[i]);
            return false;
        }
    }
    return true;
}

static int list_sets(const char *directory)
{
    int count;
    const rs__set *sets = rs__catalog(&count);
    (void)printf("looked in %s (--data-dir or $RS_DATA_DIR takes another)\n\n", directory);
    for (int i = 0; i < count; i++) {
        rs__location location;
        (void)printf("%-14s %s\n", sets[i].name, sets[i].title);
        if (sets[i].file_count == 0) {
            (void)printf("%-14s built in\n", "");
        } else if (rs__locate(&sets[i], directory, &location)) {
            (void)printf("%-14s in %s\n", "", location.folder);
        } else {
            uint64_t bytes = 0;
            char size[32];
            for (int d = 0; d < sets[i].download_count; d++) {
                bytes += sets[i].downloads[d].bytes;
            }
            rs_text_bytes(bytes, size, sizeof size);
            (void)printf("%-14s not here: resnet_study data fetch %s (%s from %s)\n", "", sets[i].name, size,
                         sets[i].bases[0]);
        }
    }
    return 0;
}

/* Says what lies there now, with the checksums a record will carry. */
static int print_fetched(const rs__set *set, const char *directory)
{
    rs_error error;
    rs_dataset *dataset = NULL;
    const rs_dataset_request request = {.name = set->name, .directory = directory};
    rs_status status = rs_dataset_load(&request, &dataset, &error);
    rs__location location;
    if (status != RS_OK) {
        report(&error);
        return rs_status_exit_code(status);
    }
    bool found = rs__locate(set, directory, &location);
    (void)printf("%s in %s\n%s", set->name, found ? location.folder : directory, dataset->provenance);
    rs_dataset_destroy(dataset);
    return 0;
}

static int fetch_set(const arguments *given, const char *directory)
{
    const rs__set *set = NULL;
    rs_error error;
    rs_status status = rs__dataset_find(given->name, &set, &error);
    if (status != RS_OK) {
        report(&error);
        return rs_status_exit_code(status);
    }
    if (set->file_count == 0) {
        (void)printf("%s is built in: there is nothing to fetch\n", set->name);
        return 0;
    }
    const rs__acquire_options options = {.from = given->from, .inspect = true, .progress = stderr};
    status = rs__acquire(set, directory, &options, &error);
    if (status != RS_OK) {
        report(&error);
        return rs_status_exit_code(status);
    }
    return print_fetched(set, directory);
}

int rs_command_data(int argc, char **argv)
{
    arguments given;
    rs_error error;
    char directory[PATH_MAX];
    int exit_status;
    if (!parse(&given, argc, argv, &exit_status)) {
        return exit_status;
    }
    if (!given.action) {
        print_help(stderr);
        return rs_status_exit_code(RS_USAGE);
    }
    rs_status status = rs__data_directory(given.directory, directory, sizeof directory, &error);
    if (status != RS_OK) {
        report(&error);
        return rs_status_exit_code(status);
    }
    if (strcmp(given.action, "list") == 0) {
        return given.name || given.from ? bad_usage("list takes only --data-dir", "") : list_sets(directory);
    }
    if (strcmp(given.action, "fetch") == 0) {
        return given.name ? fetch_set(&given, directory)
                          : bad_usage("fetch needs the name of a data set", "");
    }
    return bad_usage("not list or fetch: ", given.action);
}
