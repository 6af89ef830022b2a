/* command.c: `report`: the command line; then read, group, write. */
#include <stdio.h>
#include <string.h>

#include "report.h"
#include "rs/host.h"
#include "rs/report.h"
#include "rs/text.h"

typedef struct command {
    rs__texts outs;
    const char **arguments;
    int argument_count;
    const char *title;
    bool overwrite, no_figures, help;
} command;

static const char usage[] =
    "usage: resnet_study report INPUT... [-o FILE]... [OPTIONS]\n"
    "\n"
    "One page for one run, a comparison of several, or a study: results, figures, layers, configuration,\n"
    "provenance and warnings in one HTML file that needs no network. An INPUT is a record (RUN.h5), a "
    "folder\n"
    "of records (runs/STUDY), or a study's summary (runs/STUDY_summary.h5); with them results of `analyze`, "
    "for\n"
    "figures. Runs that differ in their seeds alone are one group: mean and standard deviation.\n"
    "\n"
    "  -o, --out FILE   what is written, by its ending; may be given several times:\n"
    "                     .html           the page (default: the first INPUT's name with .html)\n"
    "                     .csv .md .json  the table of results\n"
    "  --title TEXT     the page's title\n"
    "  --no-figures     leave the figures out; they need gnuplot\n"
    "  --overwrite      replace files that exist\n"
    "  -h, --help       print this\n"
    "\n"
    "Examples:\n"
    "  resnet_study report runs/quickstart.h5\n"
    "      runs/quickstart.html\n"
    "  resnet_study report plain.h5 residual.h5 -o comparison.html\n"
    "      two runs side by side\n"
    "  resnet_study report runs/minkowski_even -o study.html -o study.csv --overwrite\n"
    "      a study: the page, and its table for a spreadsheet\n";

/* --- command line --------------------------------------------------------------------------------------------- */

/* The value of an option: behind '=' or the next argument. NULL where `word` is not that option. */
static const char *value_of(const char *word, const char *name, int argc, char **argv, int *at, bool *missing)
{
    const size_t length = strlen(name);
    if (strncmp(word, name, length) == 0 && word[length] == '=' && length > 2) {
        return word + length + 1;
    }
    if (strcmp(word, name) != 0) {
        return NULL;
    }
    *missing = *at + 1 >= argc;
    return *missing ? "" : argv[++*at];
}

static rs_status unknown_option(const char *word, rs_error *error)
{
    static const char *const names[] = {"--out", "--title", "--no-figures", "--overwrite", "--help"};
    const char *nearest = rs_text_nearest(word, names, sizeof names / sizeof names[0]);
    return RS_FAIL(error, RS_USAGE, "unknown option %s%s%s; see resnet_study report --help", word,
                   nearest ? "; nearest: " : "", nearest ? nearest : "");
}

static rs_status take_option(command *c, int argc, char **argv, int *at, rs_error *error)
{
    const char *word = argv[*at], *value;
    bool missing = false;
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        c->help = true;
    } else if (strcmp(word, "--overwrite") == 0) {
        c->overwrite = true;
    } else if (strcmp(word, "--no-figures") == 0) {
        c->no_figures = true;
    } else if ((value = value_of(word, "-o", argc, argv, at, &missing)) ||
               (value = value_of(word, "--out", argc, argv, at, &missing))) {
        RS_TRY(rs__report_add_text(&c->outs, value, error));
    } else if ((value = value_of(word, "--title", argc, argv, at, &missing))) {
        c->title = value;
    } else {
        return unknown_option(word, error);
    }
    return missing ? RS_FAIL(error, RS_USAGE, "%s needs a value; see resnet_study report --help", word)
                   : RS_OK;
}

static rs_status parse(command *c, int argc, char **argv, rs_error *error)
{
    bool plain = false;
    for (int i = 1; i < argc && !c->help; i++) {
        if (!plain && strcmp(argv[i], "--") == 0) {
            plain = true;
        } else if (!plain && argv[i][0] == '-' && argv[i][1]) {
            RS_TRY(take_option(c, argc, argv, &i, error));
        } else {
            c->arguments[c->argument_count++] = argv[i];
        }
    }
    return c->help || c->argument_count > 0
               ? RS_OK
               : RS_FAIL(error, RS_USAGE, "no record is given; see resnet_study report --help");
}

/* runs/x.h5 -> runs/x.html, runs/STUDY/ -> runs/STUDY.html. */
static rs_status default_out(command *c, rs_error *error)
{
    char path[RS_TEXT_MAX + 16];
    const char *first = c->arguments[0];
    size_t length = strlen(first);
    while (length > 1 && first[length - 1] == '/') {
        length--;
    }
    if (first[length - 1] == '.') {
        return RS_FAIL(error, RS_USAGE, "where to? %s has no name of its own: -o FILE.html", first);
    }
    if (length > 3 && strncmp(first + length - 3, ".h5", 3) == 0) {
        length -= 3;
    }
    (void)snprintf(path, sizeof path, "%.*s.html", length < RS_TEXT_MAX ? (int)length : RS_TEXT_MAX, first);
    return rs__report_add_text(&c->outs, path, error);
}

/* --- running -------------------------------------------------------------------------------------------------- */

static rs_status make(const command *c, const rs__inputs *inputs, rs__report *report, rs_error *error)
{
    report->title = c->title;
    report->no_figures = c->no_figures;
    RS_TRY(rs__report_read_runs(report, inputs, error));
    RS_TRY(rs__report_make_groups(report, error));
    RS_TRY(rs__report_find_warnings(report, error));
    return rs__report_write(report, &c->outs, error);
}

static rs_status run(command *c, rs_error *error)
{
    rs__inputs inputs = {0};
    rs__report report = {0};
    if (c->outs.count == 0) {
        RS_TRY(default_out(c, error));
    }
    RS_TRY(rs__report_check_paths(&c->outs, c->overwrite, error));
    rs_status status = rs__report_find_inputs(&inputs, c->arguments, c->argument_count, error);
    status = status ? status : make(c, &inputs, &report, error);
    for (int i = 0; !status && i < c->outs.count; i++) {
        (void)printf("%s\n", c->outs.list[i]);
    }
    rs__report_clear(&report);
    rs__report_clear_inputs(&inputs);
    return status;
}

int rs_command_report(int argc, char **argv)
{
    command c = {0};
    rs_error error = {0};
    c.arguments = rs_alloc_array((size_t)argc, sizeof *c.arguments);
    rs_status status = c.arguments ? parse(&c, argc, argv, &error)
                                   : RS_FAIL(&error, RS_MEMORY, "no memory for the command line");
    if (!status && c.help) {
        (void)fputs(usage, stdout);
    } else if (!status) {
        status = run(&c, &error);
    }
    if (status) {
        (void)fprintf(stderr, "resnet_study report: %s\n", error.text);
    }
    rs__report_clear_texts(&c.outs);
    rs_free((void *)c.arguments);
    return rs_status_exit_code(status);
}
