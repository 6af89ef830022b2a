/* data_command.c: the commands `data list` and `data fetch`; see rs/dataset.h. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fetch.h"
#include "load.h"
#include "rs/dataset.h"
#include "rs/host.h"
#include "rs/text.h"

typedef struct command {
    const char *verb, *name; /* list or fetch; of the data set */
    const char *from, *data_dir;
    bool help;
} command;

static const struct {
    const char *name, *value;
    size_t place; /* of a const char * in command */
    const char *help;
} options[] = {
    {"--from", "DIR|ARCHIVE|URL", offsetof(command, from), "fetch from there instead of the official source"},
    {"--data-dir", "DIR", offsetof(command, data_dir), "where data sets lie, instead of the place below"},
};
enum { OPTIONS = sizeof options / sizeof options[0] };

static const char *const verbs[] = {"list", "fetch"};

/* --- the command line ---------------------------------------------------------------------------------------------- */

static rs_status unknown_option(const char *text, rs_error *error)
{
    const char *names[] = {"--from", "--data-dir", "--help"};
    const char *nearest = rs_text_nearest(text, names, 3);
    return RS_FAIL(error, RS_USAGE, "%.60s: unknown option of data%s%s; resnet_study data --help lists them",
                   text, nearest ? "; nearest " : "", nearest ? nearest : "");
}

/* "--name value" or "--name=value" at argv[*i]. */
static rs_status take_option(command *c, int argc, char **argv, int *i, rs_error *error)
{
    const char *text = argv[*i];
    size_t length = strcspn(text, "=");
    for (int k = 0; k < OPTIONS; k++) {
        if (strlen(options[k].name) != length || strncmp(options[k].name, text, length) != 0) {
            continue;
        }
        const char *value = text[length] ? text + length + 1 : *i + 1 < argc ? argv[++*i] : "";
        if (!*value) {
            return RS_FAIL(error, RS_USAGE, "%s: its value %s is missing", options[k].name, options[k].value);
        }
        *(const char **)((char *)c + options[k].place) = value;
        return RS_OK;
    }
    return unknown_option(text, error);
}

static rs_status take_word(command *c, const char *word, rs_error *error)
{
    if (c->verb && (c->name || strcmp(c->verb, "list") == 0)) {
        return RS_FAIL(error, RS_USAGE, "%.60s: one word too many; resnet_study data --help says more", word);
    }
    if (c->verb) {
        c->name = word;
        return RS_OK;
    }
    c->verb = word;
    if (strcmp(word, verbs[0]) == 0 || strcmp(word, verbs[1]) == 0) {
        return RS_OK;
    }
    const char *nearest = rs_text_nearest(word, verbs, 2);
    return RS_FAIL(error, RS_USAGE, "data %.60s: not one of list, fetch%s%s", word,
                   nearest ? "; nearest " : "", nearest ? nearest : "");
}

static rs_status parse(command *c, int argc, char **argv, rs_error *error)
{
    *c = (command){.data_dir = ""};
    for (int i = 1; i < argc && !c->help; i++) {
        if (strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--help") == 0) {
            c->help = true;
        } else if (argv[i][0] == '-') {
            RS_TRY(take_option(c, argc, argv, &i, error));
        } else {
            RS_TRY(take_word(c, argv[i], error));
        }
    }
    if (c->help) {
        return RS_OK;
    }
    if (!c->verb) {
        return RS_FAIL(error, RS_USAGE, "data: list or fetch NAME? resnet_study data --help says more");
    }
    if (strcmp(c->verb, "fetch") == 0 && !c->name) {
        return RS_FAIL(error, RS_USAGE, "which data set? as in: resnet_study data fetch cifar10");
    }
    return strcmp(c->verb, "list") == 0 && c->from
               ? RS_FAIL(error, RS_USAGE, "--from is of data fetch NAME; data list takes --data-dir DIR")
               : RS_OK;
}

static void print_help(void)
{
    (void)printf(
        "Usage: resnet_study data list [--data-dir DIR]\n"
        "       resnet_study data fetch NAME [--from DIR|ARCHIVE|URL] [--data-dir DIR]\n\n"
        "list says which data sets there are and where they lie on this machine. fetch gets one from its\n"
        "official source, or from --from. A run fetches by itself what it lacks, unless told "
        "--no-download.\n\n");
    for (int i = 0; i < OPTIONS; i++) {
        char head[40];
        (void)snprintf(head, sizeof head, "%s %s", options[i].name, options[i].value);
        (void)printf("  %-24s %s\n", head, options[i].help);
    }
    (void)printf("  %-24s print this\n", "--help");
    (void)printf(
        "\nA broken download is gone on with by the same command. Whatever comes over a network must have "
        "the\n"
        "checksum that this program knows. A folder or an archive (tar, zip) is read as the data set first,\n"
        "and only its own files are taken.\n\n"
        "Environment:\n"
        "  RS_DATA_DIR     where data sets lie; else $XDG_CACHE_HOME/resnet_study, else "
        "~/.cache/resnet_study\n"
        "  RS_DATA_MIRROR  URL tried before the official ones: RS_DATA_MIRROR/NAME/FILE, as in\n"
        "                  https://mirror.example/data/mnist/train-images-idx3-ubyte.gz\n"
        "  https_proxy, no_proxy, CURL_CA_BUNDLE: as curl has them\n\n"
        "Exit status: 0 done; 1 the data directory can't be written; 2 bad usage; 3 no source gave the "
        "data.\n");
}

/* --- list ---------------------------------------------------------------------------------------------------------- */

static void print_set(const rs__set *set, const char *directory)
{
    char bytes[32];
    uint64_t total = 0;
    rs__location location;
    for (int i = 0; i < set->download_count; i++) {
        total += set->downloads[i].bytes;
    }
    rs_text_bytes(total, bytes, sizeof bytes);
    (void)printf("%-14s %s\n", set->name, set->title);
    if (set->format == RS__FORMAT_SHAPES) {
        (void)printf("%-14s built in\n", "");
    } else if (rs__locate(set, directory, &location)) {
        (void)printf("%-14s in %s\n", "", location.folder);
    } else {
        (void)printf("%-14s not here; %s to fetch\n", "", bytes);
    }
}

static rs_status list(const command *c, rs_error *error)
{
    int count;
    char directory[PATH_MAX];
    const rs__set *sets = rs__catalog(&count);
    RS_TRY(rs__data_directory(c->data_dir, directory, sizeof directory, error));
    (void)printf("data directory: %s\n\n", directory);
    for (int i = 0; i < count; i++) {
        print_set(&sets[i], directory);
    }
    return RS_OK;
}

/* --- fetch --------------------------------------------------------------------------------------------------------- */

static void print_files(const rs__set *set, const rs__location *location, bool fetched)
{
    (void)printf("%s: %s %s\n", set->name, fetched ? "fetched into" : "already whole in", location->folder);
    for (int i = 0; i < set->file_count; i++) {
        char path[PATH_MAX], bytes[32] = "?";
        struct stat status;
        rs_error ignored;
        if (rs__path_join(path, sizeof path, location->folder, location->file[i], &ignored) == RS_OK &&
            stat(path, &status) == 0) {
            rs_text_bytes((uint64_t)status.st_size, bytes, sizeof bytes);
        }
        (void)printf("  %-28s %s\n", location->file[i], bytes);
    }
}

static FILE *terminal(void)
{
    const char *kind = getenv("TERM");
    bool dumb = kind && strcmp(kind, "dumb") == 0;
    return !dumb && isatty(STDERR_FILENO) ? stderr : NULL;
}

static rs_status fetch(const command *c, rs_error *error)
{
    const rs__set *set = NULL;
    char directory[PATH_MAX];
    bool fetched = true;
    rs__location location = {.folder = ""};
    RS_TRY(rs__dataset_find(c->name, &set, error));
    if (set->format == RS__FORMAT_SHAPES) {
        (void)printf("%s: built in, nothing to fetch\n", set->name);
        return RS_OK;
    }
    RS_TRY(rs__data_directory(c->data_dir, directory, sizeof directory, error));
    const rs__fetch_options how = {
        .directory = directory, .mirror = getenv("RS_DATA_MIRROR"), .terminal = terminal(), .inspect = true};
    RS_TRY(c->from ? rs__fetch_from(set, c->from, &how, &location, error)
                   : rs__fetch(set, &how, &location, &fetched, error));
    print_files(set, &location, fetched);
    return RS_OK;
}

int rs_command_data(int argc, char **argv)
{
    command c;
    rs_error error = {0};
    rs_status status = parse(&c, argc, argv, &error);
    if (!status && c.help) {
        print_help();
        return 0;
    }
    if (!status) {
        status = strcmp(c.verb, "list") == 0 ? list(&c, &error) : fetch(&c, &error);
    }
    if (status) {
        rs_log(RS_LOG_ERROR, "%s", error.text);
    }
    return rs_status_exit_code(status);
}
