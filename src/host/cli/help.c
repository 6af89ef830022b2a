/* help.c: the top-level --help, from the tables of commands, options and statuses; see help.h. */
#include "help.h"

#include "rs/config.h"
#include "rs/status.h"

static const struct {
    const char *word, *arguments, *summary;
} commands[] = {
#define X(word, function, arguments, summary) {word, arguments, summary},
#include "commands.def"
#undef X
};

static const struct {
    const char *line, *meaning;
} examples[] = {
    {"resnet_study --depth 68 --plain", "the plain 68-layer network on CIFAR-10, everything recorded"},
    {"resnet_study --depth 68 --plain --resume", "go on after an interrupt or a crash, to the same bits"},
    {"resnet_study --dataset shapes --train-limit 2048 --epochs 2", "a small run without a download"},
    {"resnet_study run experiments/minkowski_even.yaml --set dataset=cifar10 --set depth=18,34",
     "part of a study"},
    {"resnet_study info runs/NAME.h5", "what a record holds; with --watch how it goes, beside the run"},
    {"resnet_study export runs/NAME.h5 -o DIR", "its series as CSV"},
    {"resnet_study compare A.h5 B.h5", "in what two runs differ, and how far apart their weights are"},
    {"resnet_study report runs/NAME.h5", "a page about it: figures, tables, layers, provenance"},
    {"resnet_study analyze hessian runs/NAME.h5 --samples 500", "second derivatives of its last state"},
};

static void print_commands(FILE *stream)
{
    (void)fputs("Commands:\n", stream);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        (void)fprintf(stream, "  %s%s%s\n      %s\n", commands[i].word, *commands[i].arguments ? " " : "",
                      commands[i].arguments, commands[i].summary);
    }
    (void)fputs("  COMMAND --help says more.\n", stream);
}

static void print_examples(FILE *stream)
{
    (void)fputs("\nExamples:\n", stream);
    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) {
        (void)fprintf(stream, "  %s\n      %s\n", examples[i].line, examples[i].meaning);
    }
}

/* One line per exit status; statuses that share one are told apart by their messages. */
static void print_exit_statuses(FILE *stream)
{
    static const struct {
        int code;
        const char *meaning;
    } statuses[] = {
#define X(name, code, meaning) {code, meaning},
        RS_STATUS_MAP(X)
#undef X
    };
    (void)fputs("\nExit status:\n", stream);
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        if (i == 0 || statuses[i].code != statuses[i - 1].code) {
            (void)fprintf(stream, "  %-4d %s\n", statuses[i].code, statuses[i].meaning);
        }
    }
    (void)fputs("  143  the same, by SIGTERM\n", stream);
}

void rs_help_print(FILE *stream)
{
    (void)fputs("resnet_study trains ResNets, plain and residual, and records how every layer moves.\n\n"
                "Usage:\n"
                "  resnet_study [OPTIONS]\n"
                "      train one network and record it in one HDF5 file\n"
                "  resnet_study COMMAND [ARGUMENTS]\n"
                "\n",
                stream);
    print_commands(stream);
    print_examples(stream);
    (void)fputc('\n', stream);
    rs_config_help(stream);
    (void)fputs("\nOther:\n"
                "  -h, --help               print this\n"
                "  --version                print the version and those of the libraries\n",
                stream);
    print_exit_statuses(stream);
}
