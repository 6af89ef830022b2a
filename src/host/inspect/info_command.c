/* info_command.c: `resnet_study info FILE.h5`, and `info --watch RUN.h5`. */
#include <stdio.h>

#include "arguments.h"
#include "rs/inspect.h"
#include "rs/recorder.h"
#include "rs/text.h"
#include "watch.h"

static const char usage[] =
    "usage: resnet_study info [--json] [--gradients K] FILE.h5\n"
    "       resnet_study info --watch [--interval S] RUN.h5\n"
    "\n"
    "What a record holds, also of a live or killed run, or a file that analyze or a study wrote: state,\n"
    "where it comes from, configuration, layers, every data set with its shape, type and bytes.\n"
    "  --json         the same as one JSON object\n"
    "  --gradients K  mean and standard deviation of |gradient| of every parameter over the first and\n"
    "                 last K steps\n"
    "  --watch        look on while the run goes on: epoch, rates, losses, time left, how far each block\n"
    "                 moved; in place on a terminal, else a line for each commit. Ends with the run;\n"
    "                 waits for a file that is not there yet.\n"
    "  --interval S   seconds between two looks (default: 1)\n"
    "\n"
    "Examples:\n"
    "  resnet_study info runs/quickstart.h5\n"
    "  resnet_study info --json runs/quickstart.h5 | python3 -c 'import json, sys; "
    "print(json.load(sys.stdin)[\"state\"])'\n"
    "  resnet_study info --watch runs/resnet68-plain-cifar10-3f2a9c41.h5\n"
    "\n"
    "Exit status: 0 done, 2 bad usage, 3 unusable; of --watch 0 when the run is done, 4 when it diverged,\n"
    "1 when it was killed or ended otherwise, 130 or 143 when it was interrupted before there was a file.\n";

typedef struct request {
    bool json, watch, help;
    const char *gradients, *interval, *path;
    int64_t steps;
    double seconds;
} request;

static rs_status parse(int argc, char **argv, request *asked, rs_error *error)
{
    const rs__argument known[] = {
        {"--json", NULL, &asked->json, NULL},         {"--watch", NULL, &asked->watch, NULL},
        {"--help", "-h", &asked->help, NULL},         {"--gradients", NULL, NULL, &asked->gradients},
        {"--interval", NULL, NULL, &asked->interval},
    };
    int words;
    RS_TRY(rs__arguments_parse(known, sizeof known / sizeof known[0], argc, argv, &asked->path, 1, &words,
                               error));
    if (asked->help) {
        return RS_OK;
    }
    if (words == 0) {
        return RS_FAIL(error, RS_USAGE, "which file? as in: resnet_study info runs/NAME.h5");
    }
    if (asked->json + asked->watch + (asked->gradients != NULL) > 1) {
        return RS_FAIL(error, RS_USAGE, "--json, --watch and --gradients exclude each other");
    }
    if (asked->interval && !asked->watch) {
        return RS_FAIL(error, RS_USAGE, "--interval is of --watch");
    }
    if (asked->gradients && (!rs_text_int(asked->gradients, &asked->steps) || asked->steps < 1)) {
        return RS_FAIL(error, RS_USAGE, "--gradients %.60s: not a number of steps from 1 on",
                       asked->gradients);
    }
    asked->seconds = 1.0;
    return asked->interval ? rs__argument_real("--interval", asked->interval, 0.05, &asked->seconds, error)
                           : RS_OK;
}

int rs_command_info(int argc, char **argv)
{
    request asked = {0};
    rs_error error = {0};
    rs_status status = parse(argc, argv, &asked, &error);
    if (!status && asked.help) {
        (void)fputs(usage, stdout);
    } else if (!status && asked.watch) {
        return rs__watch(asked.path, asked.seconds);
    } else if (!status) {
        status = rs_record_info(asked.path, asked.steps, asked.json, stdout, &error);
    }
    if (status) {
        (void)fflush(stdout);
        (void)fprintf(stderr, "resnet_study info: %s\n", error.text);
    }
    return rs_status_exit_code(status);
}
