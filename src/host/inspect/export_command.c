/* export_command.c: `resnet_study export RUN.h5 -o DIR`: a record as files for other tools. */
#include <stdio.h>
#include <string.h>

#include "export.h"
#include "rs/host.h"
#include "rs/inspect.h"
#include "rs/text.h"

static const char usage[] =
    "usage: resnet_study export RUN.h5[@SNAPSHOT] [-o DIR] [OPTIONS]\n"
    "\n"
    "Writes a record as files for other tools, all of them or none, also of a live or killed run: the rows\n"
    "that commits cover. SNAPSHOT is last (the default), a number from 0, a range as in 1..8, or all.\n"
    "  -o, --out DIR   the folder (default: the record's name with .export)\n"
    "  --format LIST   what to write [csv|json|yaml|safetensors|npy|all; default csv], several with commas:\n"
    "      csv          every series and list: steps.csv, epochs.csv, distance_to_initial_METRIC.csv with a\n"
    "                   column for each block, statistics of gradients by parameter, ...; numbers to the "
    "bit.\n"
    "                   The first column, epoch or step, counts from 0: epoch 0 is what the terminal, plots\n"
    "                   and a study's summary call 1. Of snapshots.csv and commits.csv epoch and step say\n"
    "                   how many were finished: 0 is the initial state\n"
    "      json         the same in record.json; null is NaN\n"
    "      yaml         losses.yaml, accuracies.yaml and stats.yaml, in the layout in which the study of\n"
    "                   weight change was published\n"
    "      safetensors  weights_N.safetensors of snapshot N; names and shapes are torchvision's\n"
    "      npy          weights_N/NAME.npy, a file for each tensor\n"
    "  --gradients     of safetensors and npy: the gradients, too\n"
    "  --layer GLOBS   of safetensors and npy: only these tensors, as in fc.weight,layer1.*\n"
    "  --overwrite     replace existing files\n"
    "\n"
    "Examples:\n"
    "  resnet_study export runs/quickstart.h5 -o quickstart\n"
    "      then, with pandas installed:\n"
    "      python3 -c 'import pandas; print(pandas.read_csv(\"quickstart/epochs.csv\"))'\n"
    "  resnet_study export runs/quickstart.h5@all --format safetensors --gradients\n"
    "      then, with safetensors and torch installed:\n"
    "      python3 -c 'from safetensors.torch import load_file; w = "
    "load_file(\"runs/quickstart.export/weights_2.safetensors\")'\n"
    "  resnet_study export runs/quickstart.h5@0 --format npy --layer 'layer1.*' -o initial\n";

enum { TENSORS = 3 }; /* the first format of tensors */
static const struct {
    const char *name;
    rs_status (*run)(const rs__export *what, rs_error *error);
} formats[] = {
    {"csv", rs__export_csv},   {"json", rs__export_json},
    {"yaml", rs__export_yaml}, {"safetensors", rs__export_safetensors},
    {"npy", rs__export_npy},
};
enum { FORMATS = sizeof formats / sizeof formats[0] };

typedef struct request {
    const char *run, *directory, *format, *layers;
    bool gradients, overwrite, help;
    bool wanted[FORMATS];
    bool all;     /* every format that the record has something for */
    bool tensors; /* one of the formats of tensors is wanted */
} request;

static rs_status take_format(const char *word, request *asked, rs_error *error)
{
    const char *names[FORMATS];
    const bool all = strcmp(word, "all") == 0;
    bool known = all;
    for (int f = 0; f < FORMATS; f++) {
        const bool named = strcmp(word, formats[f].name) == 0;
        names[f] = formats[f].name;
        known = known || named;
        asked->wanted[f] = asked->wanted[f] || all || named;
        asked->tensors = asked->tensors || all || (named && f >= TENSORS);
    }
    asked->all = asked->all || all;
    const char *nearest = rs_text_nearest(word, names, FORMATS);
    return known ? RS_OK
                 : RS_FAIL(error, RS_USAGE,
                           "--format %s: not one of csv, json, yaml, safetensors, npy, all%s%s", word,
                           nearest ? "; nearest " : "", nearest ? nearest : "");
}

static rs_status parse(int argc, char **argv, request *asked, rs_error *error)
{
    const rs__argument known[] = {
        {"--out", "-o", NULL, &asked->directory},       {"--format", NULL, NULL, &asked->format},
        {"--layer", NULL, NULL, &asked->layers},        {"--gradients", NULL, &asked->gradients, NULL},
        {"--overwrite", NULL, &asked->overwrite, NULL}, {"--help", "-h", &asked->help, NULL},
    };
    char word[32];
    int words;
    asked->format = "csv";
    RS_TRY(rs__arguments_parse(known, sizeof known / sizeof known[0], argc, argv, &asked->run, 1, &words,
                               error));
    if (asked->help) {
        return RS_OK;
    }
    if (words == 0) {
        return RS_FAIL(error, RS_USAGE, "which run? as in: resnet_study export runs/NAME.h5 -o DIR");
    }
    for (const char *at = asked->format; rs_text_next_word(&at, ',', word, sizeof word);) {
        RS_TRY(take_format(word, asked, error));
    }
    if (asked->format[strspn(asked->format, ", ")] == '\0') {
        return RS_FAIL(error, RS_USAGE, "--format: which? csv, json, yaml, safetensors, npy, or all");
    }
    if (!asked->tensors && (asked->gradients || asked->layers)) {
        return RS_FAIL(error, RS_USAGE, "%s is of --format safetensors and npy",
                       asked->gradients ? "--gradients" : "--layer");
    }
    return RS_OK;
}

/* RUN.h5 -> RUN.export */
static void default_directory(const char *path, char *directory, size_t capacity)
{
    const size_t length = strlen(path);
    const bool ends = length > 3 && strcmp(path + length - 3, ".h5") == 0;
    (void)snprintf(directory, capacity, "%.*s.export", (int)(ends ? length - 3 : length), path);
}

static rs_status write_files(const request *asked, const rs__place *place, rs__outputs *outputs,
                             rs_error *error)
{
    const rs__export what = {.reader = place->reader,
                             .outputs = outputs,
                             .first = place->first,
                             .count = place->count,
                             .layers = asked->layers,
                             .gradients = asked->gradients};
    for (int f = 0; f < FORMATS; f++) {
        const bool empty = asked->all && f >= TENSORS && place->count == 0;
        if (asked->wanted[f] && !empty) {
            RS_TRY(formats[f].run(&what, error));
        }
    }
    return RS_OK;
}

static rs_status export_place(const request *asked, const rs__place *place, rs_error *error)
{
    char directory[4096];
    rs__outputs *outputs = NULL;
    if (place->named && !asked->tensors) {
        return RS_FAIL(error, RS_USAGE, "snapshots are of --format safetensors and npy");
    }
    default_directory(place->path, directory, sizeof directory);
    const char *to = asked->directory ? asked->directory : directory;
    RS_TRY(rs__outputs_begin(to, asked->overwrite, &outputs, error));
    rs_status status = write_files(asked, place, outputs, error);
    if (status) {
        rs__outputs_abandon(outputs);
        return status;
    }
    int count = 0;
    while (rs__outputs_path(outputs, count)) {
        count++;
    }
    RS_TRY(rs__outputs_finish(outputs, error));
    (void)printf("%d files in %s\n", count, to);
    return RS_OK;
}

int rs_command_export(int argc, char **argv)
{
    request asked = {0};
    rs__place place = {0};
    rs_error error = {0};
    rs_status status = parse(argc, argv, &asked, &error);
    if (!status && asked.help) {
        (void)fputs(usage, stdout);
    } else if (!status) {
        status = rs__place_open(asked.run, &place, &error);
        status = status ? status : export_place(&asked, &place, &error);
        rs__place_close(&place);
    }
    if (status) {
        (void)fprintf(stderr, "resnet_study export: %s\n", error.text);
    }
    return rs_status_exit_code(status);
}
