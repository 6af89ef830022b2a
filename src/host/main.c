/* main.c: picks the command. */
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/help.h"
#include "rs/analyze.h"
#include "rs/check.h"
#include "rs/dataset.h"
#include "rs/host.h"
#include "rs/inspect.h"
#include "rs/network.h"
#include "rs/plot.h"
#include "rs/recorder.h"
#include "rs/report.h"
#include "rs/text.h"

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
} commands[] = {
#define X(word, function, arguments, summary) {word, function},
#include "cli/commands.def"
#undef X
    {"--version", rs_command_version},
};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

static int unknown_command(const char *word)
{
    const char *names[COMMANDS];
    for (int i = 0; i < COMMANDS; i++) {
        names[i] = commands[i].name;
    }
    if (strcmp(word, "train") == 0) {
        (void)fputs("resnet_study: training is no command of its own: resnet_study --depth 18 trains; see "
                    "resnet_study --help\n",
                    stderr);
        return 2;
    }
    const char *nearest = rs_text_nearest(word, names, COMMANDS);
    (void)fprintf(stderr, "resnet_study: unknown command \"%s\"%s%s; see resnet_study --help\n", word,
                  nearest ? "; nearest: " : "", nearest ? nearest : "");
    return 2;
}

static int run_command(int argc, char **argv)
{
    if (argc > 1 &&
        (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0)) {
        rs_help_print(stdout);
        return 0;
    }
    for (int i = 0; argc > 1 && i < COMMANDS; i++) {
        if (strcmp(argv[1], commands[i].name) == 0) {
            return commands[i].run(argc - 1, argv + 1);
        }
    }
    if (argc > 1 && argv[1][0] != '-') {
        return unknown_command(argv[1]);
    }
    return rs_command_train(argc, argv);
}

/* Much that is printed is left out where it cannot be had; for want of memory that must not pass for success. */
int main(int argc, char **argv)
{
    rs_wait_briefly(argv);
    const int status = run_command(argc, argv);
    if (status == 0 && rs_memory_ran_out()) {
        rs_log(RS_LOG_ERROR,
               "no memory was left on the way: what was printed or written may lack parts; make room and "
               "run it again");
        return 1;
    }
    return status;
}
