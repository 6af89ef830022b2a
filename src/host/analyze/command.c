/* command.c: `analyze`: opens the runs, makes the result's file with where it comes from, and lets the kind fill it. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "options.h"
#include "rs/analyze.h"
#include "rs/host.h"

enum { PATH_BYTES = 4096 };

/* RUN.h5 -> RUN.KIND.h5 beside it. */
static void result_path(const rs__command *c, char *path)
{
    const char *first = c->analysis.inputs[0].path;
    size_t length = strlen(first);
    if (length > 3 && strcmp(first + length - 3, ".h5") == 0) {
        length -= 3;
    }
    if (c->out) {
        (void)snprintf(path, PATH_BYTES, "%s", c->out);
    } else {
        (void)snprintf(path, PATH_BYTES, "%.*s.%s.h5", (int)length, first, c->kind->name);
    }
}

static rs_status open_inputs(rs__command *c, rs_error *error)
{
    rs__analysis *a = &c->analysis;
    a->inputs = rs_alloc_array((size_t)c->argument_count, sizeof *a->inputs);
    if (!a->inputs) {
        return RS_FAIL(error, RS_MEMORY, "no memory for %d runs", c->argument_count);
    }
    for (; a->input_count < c->argument_count; a->input_count++) {
        rs_status status =
            rs__run_open(c->arguments[a->input_count], c->kind->snapshots, &a->inputs[a->input_count], error);
        if (status) {
            rs__run_close(&a->inputs[a->input_count]);
            return status;
        }
    }
    return RS_OK;
}

static rs_status put_texts(const rs__analysis *a, const char *path, const char *what,
                           const char *const *texts, rs_error *error)
{
    const rs_result_array array = {
        .path = path, .what = what, .unit = "1", .rank = 1, .dim = {a->input_count}, .axis = {"run"}};
    return rs_result_texts(a->file, &array, texts, error);
}

static rs_status put_input_texts(const rs__analysis *a, const char **texts, rs_error *error)
{
    for (int i = 0; i < a->input_count; i++) {
        texts[i] = a->inputs[i].path;
    }
    RS_TRY(put_texts(a, "inputs/path", "records that this was computed from", texts, error));
    for (int i = 0; i < a->input_count; i++) {
        texts[i] = a->inputs[i].sha256;
    }
    RS_TRY(put_texts(a, "inputs/sha256", "of each file as it was read", texts, error));
    for (int i = 0; i < a->input_count; i++) {
        texts[i] = rs_record_reader_config(a->inputs[i].reader);
    }
    return put_texts(a, "inputs/config", "configuration of each run, YAML", texts, error);
}

static rs_status put_inputs(const rs__analysis *a, rs_error *error)
{
    const char **texts = rs_alloc_array((size_t)a->input_count, sizeof *texts);
    int64_t *numbers = rs_alloc_array(2 * (size_t)a->input_count, sizeof *numbers);
    rs_status status = texts && numbers ? put_input_texts(a, texts, error)
                                        : RS_FAIL(error, RS_MEMORY, "no memory for %d runs", a->input_count);
    for (int i = 0; !status && i < a->input_count; i++) {
        numbers[i] = a->inputs[i].first;
        numbers[a->input_count + i] = a->inputs[i].count;
    }
    status = status ? status
                    : rs__put_integers(a->file, "inputs/first_snapshot", "first snapshot that was taken",
                                       "run", a->input_count, numbers, error);
    status = status ? status
                    : rs__put_integers(a->file, "inputs/snapshots", "how many from there on", "run",
                                       a->input_count, numbers + a->input_count, error);
    rs_free(texts);
    rs_free(numbers);
    return status;
}

/* The command as it was typed. */
static rs_status put_command(const rs__analysis *a, int argc, char **argv, rs_error *error)
{
    size_t length = 1, used = 0;
    for (int i = 0; i < argc; i++) {
        length += strlen(argv[i]) + 1;
    }
    char *text = rs_alloc_zero(length);
    if (!text) {
        return RS_FAIL(error, RS_MEMORY, "no memory for the command line");
    }
    for (int i = 0; i < argc; i++) {
        used += (size_t)snprintf(text + used, length - used, "%s%s", i ? " " : "", argv[i]);
    }
    rs_status status = rs_result_text(a->file, "command", text, error);
    rs_free(text);
    return status;
}

/* --- signals ---------------------------------------------------------------------------------------------- */

/* What an analysis has begun to write; a signal that ends the program removes it first. Empty: nothing. */
static char begun[PATH_BYTES + sizeof ".part"];

static void remove_begun(int number)
{
    (void)unlink(begun);
    (void)raise(number); /* SA_RESETHAND: with its usual effect */
}

static void watch_signals(const char *path)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    const struct sigaction action = {.sa_handler = remove_begun,
                                     .sa_flags = (int)(SA_RESETHAND | SA_NODEFER)};
    (void)snprintf(begun, sizeof begun, "%s.part", path);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        struct sigaction before;
        if (sigaction(signals[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN) {
            (void)sigaction(signals[i], &action, NULL);
        }
    }
}

static rs_status run(rs__command *c, int argc, char **argv, rs_error *error)
{
    char path[PATH_BYTES];
    rs__analysis *a = &c->analysis;
    RS_TRY(open_inputs(c, error));
    result_path(c, path);
    RS_TRY(rs_result_create(path, c->kind->name, c->overwrite, &a->file, error));
    watch_signals(path);
    rs_status status = put_command(a, argc, argv, error);
    status = status ? status : put_inputs(a, error);
    status = status ? status : c->kind->run(a, error);
    if (status) {
        rs_result_abandon(a->file);
        return status;
    }
    RS_TRY(rs_result_finish(a->file, error));
    (void)printf("%s\n", path);
    return RS_OK;
}

int rs_command_analyze(int argc, char **argv)
{
    rs__command command = {0};
    rs_error error = {0};
    command.arguments = rs_alloc_array((size_t)argc, sizeof *command.arguments);
    rs_status status = command.arguments ? rs__analyze_parse(&command, argc, argv, &error)
                                         : RS_FAIL(&error, RS_MEMORY, "no memory for the command line");
    if (!status && command.help) {
        rs__analyze_help(stdout);
    } else if (!status) {
        status = run(&command, argc, argv, &error);
    }
    if (status) {
        (void)fprintf(stderr, "resnet_study analyze: %s\n", error.text);
    }
    for (int i = 0; i < command.analysis.input_count; i++) {
        rs__run_close(&command.analysis.inputs[i]);
    }
    rs_free(command.analysis.inputs);
    rs_free(command.arguments);
    return rs_status_exit_code(status);
}
